/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One control connection: its life from open or accept to released, its timers, and the two ways it ends.
 *
 * Timers, of which l2tp_tunnel_deadline() tells the first:
 *   retransmit_at  of the channel (channel.c)
 *   HELLO          hello_ms after the last thing heard or the last control packet sent, whichever is longer ago; needs
 *                  no field, and does not run while anything of ours is unacknowledged, because that tests the peer as well
 *   limit_at       set-up takes too long; established: a HELLO for which there was no memory; after a peer's CDN: no StopCCN came;
 *                  after the end: lingering is over
 *
 * released() is told from l2tp_tunnel_tick() only, as its last act, so the owner may free the tunnel there.
 */
#include "l2tp/tunnel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l2tp/avp.h"
#include "l2tp/machine.h"
#include "l2tp/message.h"

enum { HELLO_AGAIN_MS = 1000 };

void tunnel_note(struct l2tp_tunnel *t, const char *format, ...)
{
	char text[L2TP_MESSAGE_MAX * 2];
	va_list args;

	if (!t->config->ops->note)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	t->config->ops->note(t, text);
}

/* A million of them: doc/architecture.md promises 1 KiB for all of a softwire. */
_Static_assert(sizeof(struct l2tp_tunnel) <= 160, "struct l2tp_tunnel is too large");

/* ---- state ---- */

bool tunnel_is_closing(const struct l2tp_tunnel *t)
{
	return t->state >= TUNNEL_WAIT_STOP || t->state == TUNNEL_IDLE;
}

bool l2tp_tunnel_is_established(const struct l2tp_tunnel *t)
{
	return t->state == TUNNEL_ESTABLISHED && t->session_state == SESSION_ESTABLISHED;
}

bool l2tp_tunnel_is_answered(const struct l2tp_tunnel *t)
{
	return t->state == TUNNEL_ESTABLISHED;
}

bool l2tp_tunnel_is_quiet(const struct l2tp_tunnel *t)
{
	return t->state == TUNNEL_IDLE || t->state >= TUNNEL_LINGERING;
}

const char *l2tp_tunnel_state(const struct l2tp_tunnel *t)
{
	static const char *const names[] = {
		[TUNNEL_IDLE] = "idle",
		[TUNNEL_WAIT_SECRET] = "wait-secret",
		[TUNNEL_WAIT_REPLY] = "wait-ctl-reply",
		[TUNNEL_WAIT_CONN] = "wait-ctl-conn",
		[TUNNEL_ESTABLISHED] = "established",
		[TUNNEL_WAIT_STOP] = "disconnected",
		[TUNNEL_STOPPING] = "stopping",
		[TUNNEL_LINGERING] = "lingering",
		[TUNNEL_CLOSED] = "closed",
	};
	static const char *const sessions[] = {
		[SESSION_IDLE] = "wait-session",
		[SESSION_WAIT_REPLY] = "wait-reply",
		[SESSION_WAIT_CONNECT] = "wait-connect",
		[SESSION_ESTABLISHED] = "established",
	};

	return t->state == TUNNEL_ESTABLISHED ? sessions[t->session_state] : names[t->state];
}

struct l2tp_text setup_secret(const struct l2tp_tunnel *t)
{
	if (!t->setup)
		return (struct l2tp_text){0};
	return (struct l2tp_text){t->setup->secret, t->setup->secret_len};
}

void setup_free(struct l2tp_tunnel *t)
{
	if (t->setup)
		explicit_bzero(t->setup, sizeof(*t->setup));
	free(t->setup);
	t->setup = NULL;
}

/* ---- ends ---- */

static void tell_closed(struct l2tp_tunnel *t, const struct l2tp_why *why)
{
	setup_free(t);
	if (t->closed_told)
		return;
	t->closed_told = 1;
	t->config->ops->closed(t, why);
}

static void linger(struct l2tp_tunnel *t, msec now)
{
	channel_drop_outgoing(t);
	t->state = TUNNEL_LINGERING;
	t->limit_at = now + t->config->linger_ms;
}

void tunnel_lost(struct l2tp_tunnel *t, enum l2tp_cause cause, const char *text, msec now)
{
	struct l2tp_why why = {.cause = cause};

	snprintf(why.text, sizeof(why.text), "%s", text);
	channel_done(t);
	t->ack_due = 0;
	t->state = TUNNEL_CLOSED;
	t->session_state = SESSION_IDLE;
	t->limit_at = now;
	tell_closed(t, &why);
}

void tunnel_queue(struct l2tp_tunnel *t, enum l2tp_message_type type, const struct writer *w, msec now)
{
	if (t->state == TUNNEL_CLOSED)
		return;
	if (!writer_ok(w) || channel_queue(t, type, w->start, writer_len(w)))
		tunnel_lost(t, L2TP_CAUSE_RESOURCES, "out of memory", now);
}

/* The result of a CDN that goes before a StopCCN with RESULT. */
static uint16_t cdn_of_stop(uint16_t result)
{
	return result == L2TP_STOP_ERROR ? L2TP_CDN_ERROR : L2TP_CDN_ADMIN;
}

static void queue_cdn(struct l2tp_tunnel *t, const struct l2tp_why *why, const char *text, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	message_write_cdn(&w, t->peer_tunnel, t->peer_session, t->local_session, cdn_of_stop(why->result),
		why->result == L2TP_STOP_ERROR ? why->error : 0, text);
	tunnel_queue(t, L2TP_CDN, &w, now);
}

static void queue_stopccn(struct l2tp_tunnel *t, const struct l2tp_why *why, const char *text, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	message_write_stopccn(&w, t->peer_tunnel, t->local_tunnel, why->result, why->error, text);
	tunnel_queue(t, L2TP_STOPCCN, &w, now);
}

/* Says goodbye. Both messages leave at once where the peer's window allows it (HS-L2TP-33): congestion is no reason to wait. */
static void say_goodbye(struct l2tp_tunnel *t, const struct l2tp_why *why, const char *text, msec now)
{
	bool session = t->session_state != SESSION_IDLE;

	channel_drop_unsent(t);
	if (session)
		queue_cdn(t, why, text, now);
	queue_stopccn(t, why, text, now);
	if (t->state == TUNNEL_CLOSED)
		return;
	channel_widen(t, session ? 2 : 1);
	t->state = TUNNEL_STOPPING;
	t->session_state = SESSION_IDLE;
	t->limit_at = MSEC_NEVER;
	channel_flush(t, now);
}

void tunnel_end(struct l2tp_tunnel *t, enum l2tp_cause cause, uint16_t result, uint16_t error,
	const char *text, msec now)
{
	struct l2tp_why why = {.cause = cause, .result = result, .error = error};

	if (tunnel_is_closing(t))
		return;
	snprintf(why.text, sizeof(why.text), "%s", text ? text : "");
	if (t->state == TUNNEL_WAIT_SECRET && t->config->end == L2TP_LAC) {
		t->state = TUNNEL_CLOSED; /* the peer has never heard of us */
		t->limit_at = now;
	} else {
		say_goodbye(t, &why, why.text, now);
	}
	tell_closed(t, &why);
}

void tunnel_stopped(struct l2tp_tunnel *t, const struct l2tp_why *why, msec now)
{
	if (t->state == TUNNEL_LINGERING)
		return;
	t->session_state = SESSION_IDLE;
	linger(t, now);
	channel_flush(t, now);
	tell_closed(t, why);
}

void tunnel_disconnected(struct l2tp_tunnel *t, const struct l2tp_why *why, msec now)
{
	t->state = TUNNEL_WAIT_STOP;
	t->session_state = SESSION_IDLE;
	t->limit_at = now + t->config->retransmit_ms;
	tell_closed(t, why);
}

/* ---- life ---- */

static int begin(
	struct l2tp_tunnel *t, const struct l2tp_config *c, uint16_t tunnel_id, uint16_t session_id, msec now)
{
	*t = (struct l2tp_tunnel){.config = c, .local_tunnel = tunnel_id, .local_session = session_id};
	channel_init(t, now);
	t->limit_at = c->setup_ms ? now + c->setup_ms : MSEC_NEVER;
	t->setup = calloc(1, sizeof(*t->setup));
	if (!t->setup)
		return -ENOMEM;
	t->state = TUNNEL_WAIT_SECRET;
	return 0;
}

int l2tp_tunnel_open(struct l2tp_tunnel *t, const struct l2tp_config *c, uint16_t tunnel_id,
	uint16_t session_id, uint32_t call_serial, msec now)
{
	int err = begin(t, c, tunnel_id, session_id, now);

	if (err)
		return err;
	t->setup->call_serial = call_serial;
	c->ops->want_secret(t, "");
	return 0;
}

/* An SCCRQ that is refused leaves nothing behind: one StopCCN, never repeated; the peer asks again if it is lost. */
static int refuse_sccrq(struct l2tp_tunnel *t, const struct l2tp_message *m, const struct l2tp_fault *f)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	t->config->counters->bad_message++;
	tunnel_note(t, "SCCRQ refused: %s", f->text);
	message_write_stopccn(&w, m->assigned_tunnel, t->local_tunnel, f->result, f->error, f->text);
	writer_patch16(&w, MESSAGE_NR_AT, 1);
	if (writer_ok(&w)) {
		t->config->counters->control_tx++;
		t->config->ops->send(t, buf, writer_len(&w));
	}
	t->state = TUNNEL_IDLE;
	return -EBADMSG;
}

static bool sccrq_is_acceptable(const struct l2tp_config *c, const struct l2tp_header *h,
	const struct l2tp_message *m, struct l2tp_fault *ret)
{
	*ret = (struct l2tp_fault){.result = L2TP_STOP_ERROR, .error = L2TP_ERROR_VALUE};
	if (c->end == L2TP_LAC) {
		ret->result = L2TP_STOP_UNAUTHORIZED;
		ret->error = L2TP_ERROR_NONE;
		snprintf(ret->text, sizeof(ret->text), "an initiator accepts no tunnel (RFC 5571)");
		return false;
	}
	if (m->type != L2TP_SCCRQ) {
		ret->result = L2TP_STOP_FSM;
		ret->error = L2TP_ERROR_NONE;
		snprintf(ret->text, sizeof(ret->text), "%s where an SCCRQ was expected",
			l2tp_message_name(m->type));
		return false;
	}
	if (h->ns || h->session_id || !m->assigned_tunnel) {
		snprintf(ret->text, sizeof(ret->text),
			"SCCRQ with Ns %u, session id %u, Assigned Tunnel ID %u", h->ns, h->session_id,
			m->assigned_tunnel);
		return false;
	}
	return machine_check_version(m, ret);
}

void tunnel_note_vendor(struct l2tp_tunnel *t, const struct l2tp_message *m)
{
	const char *ours = t->config->vendor_name;

	t->same_vendor = ours && m->vendor_name.len == strlen(ours) && !memcmp(m->vendor_name.data, ours, strlen(ours));
}

int l2tp_tunnel_accept(struct l2tp_tunnel *t, const struct l2tp_config *c, uint16_t tunnel_id,
	uint16_t session_id, const struct l2tp_header *h, const struct l2tp_message *m, msec now)
{
	char host_name[L2TP_PACKET_MAX];
	struct l2tp_fault bad;

	*t = (struct l2tp_tunnel){.config = c, .local_tunnel = tunnel_id, .local_session = session_id};
	if (!sccrq_is_acceptable(c, h, m, &bad))
		return refuse_sccrq(t, m, &bad);
	if (begin(t, c, tunnel_id, session_id, now))
		return -ENOMEM;
	t->peer_tunnel = m->assigned_tunnel;
	channel_set_peer_window(t, m->window ? m->window : 1);
	tunnel_note_vendor(t, m);
	channel_accept(t);
	c->counters->control_rx++;
	/* Its length is checked against L2TP_CHALLENGE_MAX by the AVP table. */
	t->setup->peer_challenge_len = (uint8_t)m->challenge.len;
	if (m->challenge.len)
		memcpy(t->setup->peer_challenge, m->challenge.data, m->challenge.len);
	c->ops->want_secret(t, l2tp_text_print(&m->host_name, host_name, sizeof(host_name)));
	channel_flush(t, now);
	return 0;
}

void l2tp_tunnel_secret(struct l2tp_tunnel *t, const void *secret, size_t len, msec now)
{
	if (t->state != TUNNEL_WAIT_SECRET)
		return;
	if (len > L2TP_SECRET_MAX) {
		tunnel_end(t, L2TP_CAUSE_RESOURCES, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES,
			"the tunnel secret is too long", now);
		return;
	}
	if (len)
		memcpy(t->setup->secret, secret, len);
	t->setup->secret_len = (uint8_t)len;
	machine_start(t, now);
	channel_flush(t, now);
}

void l2tp_tunnel_close(struct l2tp_tunnel *t, uint16_t result, uint16_t error, const char *text, msec now)
{
	tunnel_end(t, L2TP_CAUSE_LOCAL, result, error, text, now);
}

void l2tp_tunnel_done(struct l2tp_tunnel *t)
{
	channel_done(t);
	setup_free(t);
	t->ack_due = 0;
	t->state = TUNNEL_IDLE;
	t->session_state = SESSION_IDLE;
}

/* ---- input ---- */

/* Tunnel id 0 is for a peer that does not know ours yet; once it must, only a late copy of its SCCRQ may have it. */
static bool addressed_to(const struct l2tp_tunnel *t, const struct l2tp_header *h)
{
	if (h->tunnel_id)
		return h->tunnel_id == t->local_tunnel;
	return t->config->end == L2TP_LNS && (h->ns == 0 || t->state < TUNNEL_ESTABLISHED);
}

static bool expects_input(const struct l2tp_tunnel *t)
{
	if (t->state == TUNNEL_WAIT_SECRET)
		return t->config->end == L2TP_LNS; /* an initiator has not said anything yet */
	return t->state != TUNNEL_IDLE && t->state != TUNNEL_CLOSED;
}

static void deliver_early(struct l2tp_tunnel *t, msec now)
{
	struct l2tp_queued *q;
	bool taken = true;

	while (taken && (q = channel_early(t))) {
		taken = machine_input(t, q->session_id, reader_of(q->data, q->len), now);
		explicit_bzero(q->data, q->len);
		free(q);
	}
}

/* Everything that was ours to deliver is acknowledged. */
static void settle(struct l2tp_tunnel *t, msec now)
{
	if (t->state == TUNNEL_STOPPING && !t->outgoing)
		linger(t, now);
}

void l2tp_tunnel_input(struct l2tp_tunnel *t, const uint8_t *packet, size_t len, msec now)
{
	struct reader r = reader_of(packet, len);
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r) || !h.control || !addressed_to(t, &h)) {
		t->config->counters->bad_header++;
		tunnel_note(
			t, "dropped: %s", !reader_ok(&r) ? r.error : "not a control packet of this tunnel");
		return;
	}
	if (!expects_input(t))
		return;
	t->config->counters->control_rx++;
	if (!h.tunnel_id && t->state >= TUNNEL_ESTABLISHED) {
		t->config->counters
			->duplicates++; /* a late copy of the SCCRQ: acknowledged, and believed nothing else */
		t->ack_due = 1;
	} else if (channel_receive(t, &h, r, now) == CHANNEL_NEXT && machine_input(t, h.session_id, r, now)) {
		deliver_early(t, now);
	}
	settle(t, now);
	channel_flush(t, now);
}

/* ---- time ---- */

static msec hello_at(const struct l2tp_tunnel *t)
{
	if (t->state != TUNNEL_ESTABLISHED || !t->config->hello_ms || t->outgoing)
		return MSEC_NEVER;
	if (l2tp_tunnel_is_established(t) && t->limit_at != MSEC_NEVER)
		return t->limit_at;
	return msec_min(t->last_sent, t->last_heard) + t->config->hello_ms;
}

static void send_hello(struct l2tp_tunnel *t, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	message_write_hello(&w, t->peer_tunnel);
	if (!l2tp_tunnel_is_established(t)) {
		tunnel_queue(t, L2TP_HELLO, &w, now);
	} else if (channel_queue(t, L2TP_HELLO, buf, writer_len(&w))) {
		t->limit_at = now + HELLO_AGAIN_MS; /* no memory now: that is no reason to end what works */
		return;
	} else {
		t->limit_at = MSEC_NEVER;
	}
	t->config->counters->hello_tx++;
}

msec l2tp_tunnel_deadline(const struct l2tp_tunnel *t)
{
	if (t->state == TUNNEL_IDLE || t->released_told)
		return MSEC_NEVER;
	return msec_min(msec_min(t->retransmit_at, t->limit_at), hello_at(t));
}

static void peer_is_dead(struct l2tp_tunnel *t, msec now)
{
	char text[L2TP_MESSAGE_MAX];

	snprintf(text, sizeof(text), "no answer to %s after %u tries",
		l2tp_message_name((enum l2tp_message_type)t->outgoing->type), t->tries);
	tunnel_lost(t, L2TP_CAUSE_TIMEOUT, text, now);
}

static void limit_is_over(struct l2tp_tunnel *t, msec now)
{
	static const struct l2tp_why clear = {.result = L2TP_STOP_CLEAR};
	char text[L2TP_MESSAGE_MAX];

	switch (t->state) {
	case TUNNEL_WAIT_STOP:
		say_goodbye(t, &clear, "", now);
		break;
	case TUNNEL_LINGERING:
		channel_done(t);
		t->state = TUNNEL_CLOSED;
		break;
	case TUNNEL_CLOSED:
		break;
	default:
		if (l2tp_tunnel_is_established(t)) { /* for a HELLO, unless something else is on its way */
			if (t->outgoing)
				t->limit_at = MSEC_NEVER;
			break;
		}
		snprintf(text, sizeof(text), "not established after %u s (%s)", t->config->setup_ms / 1000,
			l2tp_tunnel_state(t));
		tunnel_end(t, L2TP_CAUSE_TIMEOUT, L2TP_STOP_CLEAR, 0, text, now);
		break;
	}
}

void l2tp_tunnel_tick(struct l2tp_tunnel *t, msec now)
{
	if (t->state == TUNNEL_IDLE || t->released_told)
		return;
	if (now >= t->limit_at)
		limit_is_over(t, now);
	if (!channel_tick(t, now))
		peer_is_dead(t, now);
	if (now >= hello_at(t))
		send_hello(t, now);
	channel_flush(t, now);
	if (t->state != TUNNEL_CLOSED)
		return;
	t->released_told = 1;
	t->config->ops->released(t);
}

void l2tp_tunnel_repeat(struct l2tp_tunnel *t, msec now)
{
	if (l2tp_tunnel_is_established(t))
		channel_repeat(t, now);
}

void l2tp_tunnel_probe(struct l2tp_tunnel *t, msec now)
{
	if (!l2tp_tunnel_is_established(t) || t->probing)
		return;
	if (!t->outgoing)
		send_hello(t, now);
	channel_hurry(t, now);
	channel_flush(t, now);
}

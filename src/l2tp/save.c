/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tunnel that is up as bytes, and back; and the last words for one that is not taken up again.
 *
 * Only Established is saved: set-up has secrets and challenges, and an end is soon over. What was sent and is not acknowledged goes along as the
 * packets that they are, because the peer may have none of them; what came before its turn does not: it was not acknowledged, so
 * it comes again. No message that can be waiting then carries anything secret.
 */
#include <errno.h>

#include "l2tp/avp.h"
#include "l2tp/machine.h"
#include "l2tp/message.h"
#include "lib/record.h"

enum {
	QUEUE_MAX = 8,
	QUEUE_BYTES_MAX = 1024
}; /* more waits only where the peer asks for session after session */
enum { FLAG_PROBING = 1, FLAG_SAME_VENDOR = 2, FLAGS = 3 };

/* ---- where it stands ---- */

/* Messages that were sent and not acknowledged; *RET_NEXT is the Ns behind them. */
static unsigned count_sent(const struct l2tp_tunnel *t, uint16_t *ret_next)
{
	unsigned n = 0;

	*ret_next = t->ns;
	for (const struct l2tp_queued *q = t->outgoing; q; q = q->next) {
		if (!q->sent) {
			*ret_next = q->ns;
			break;
		}
		n++;
	}
	return n;
}

bool l2tp_tunnel_position(const struct l2tp_tunnel *t, struct l2tp_position *ret)
{
	unsigned sent;
	uint16_t next;

	if (!t->peer_tunnel || t->state == TUNNEL_IDLE || t->state >= TUNNEL_LINGERING ||
		channel_is_unproven(t))
		return false;
	sent = count_sent(t, &next);
	*ret = (struct l2tp_position){.local_tunnel = t->local_tunnel,
		.peer_tunnel = t->peer_tunnel,
		.local_session = t->local_session,
		.peer_session = t->peer_session,
		.ns = next,
		.nr = t->nr,
		.unacknowledged = (uint8_t)(sent < UINT8_MAX ? sent : UINT8_MAX)};
	return true;
}

void l2tp_farewell(struct writer *w, const struct l2tp_position *p, unsigned n, uint16_t result,
	uint16_t error, const char *text)
{
	size_t at = writer_len(w);

	message_write_stopccn(w, p->peer_tunnel, p->local_tunnel, result, error, text);
	writer_patch16(w, at + MESSAGE_NS_AT, (uint16_t)(p->ns - p->unacknowledged + n));
	writer_patch16(w, at + MESSAGE_NR_AT, p->nr);
}

/* ---- saving ---- */

/* Those that may be under way in an established tunnel, and have no secret's digest in them. */
static bool is_savable(uint16_t type)
{
	return type == L2TP_HELLO || type == L2TP_ICRP || type == L2TP_ICCN || type == L2TP_CDN;
}

static bool queue_is_savable(const struct l2tp_tunnel *t)
{
	size_t bytes = 0;
	unsigned n = 0;

	for (const struct l2tp_queued *q = t->outgoing; q; q = q->next) {
		bytes += q->len;
		if (++n > QUEUE_MAX || bytes > QUEUE_BYTES_MAX || !is_savable(q->type))
			return false;
	}
	return true;
}

static void put_queue(const struct l2tp_tunnel *t, struct writer *w)
{
	uint8_t count = 0;

	for (const struct l2tp_queued *q = t->outgoing; q; q = q->next)
		count++;
	writer_u8(w, count);
	for (const struct l2tp_queued *q = t->outgoing; q; q = q->next) {
		writer_u8(w, q->type);
		writer_u16(w, q->len);
		writer_bytes(w, q->data, q->len);
	}
}

int l2tp_tunnel_save(const struct l2tp_tunnel *t, struct writer *w)
{
	if (!l2tp_tunnel_is_established(t) || !queue_is_savable(t))
		return -EAGAIN;

	writer_u8(w, (uint8_t)((t->probing ? FLAG_PROBING : 0) | (t->same_vendor ? FLAG_SAME_VENDOR : 0)));
	writer_u16(w, t->peer_window);
	writer_u16(w, t->cwnd);
	writer_u16(w, t->ssthresh);
	writer_u16(w, t->cwnd_acks);
	writer_u16(w, t->in_flight);
	writer_u8(w, t->tries);
	put_queue(t, w);
	if (t->outgoing)
		writer_u64(w, t->retransmit_at);
	return 0;
}

void l2tp_tunnel_save_activity(const struct l2tp_tunnel *t, struct writer *w)
{
	writer_u64(w, t->last_sent);
	writer_u64(w, t->last_heard);
}

/* ---- resuming ---- */

/* What we are about to send must be a packet of ours to this peer. */
static void check_packet(const struct l2tp_tunnel *t, uint8_t type, struct reader packet, struct reader *r)
{
	size_t len = reader_left(&packet);
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_header h;
	struct l2tp_fault f;

	l2tp_header_read(&packet, &h);
	if (!reader_ok(&packet) || !h.control || h.length != len || h.tunnel_id != t->peer_tunnel)
		reader_fail(r, "waiting message that is no control packet for this peer");
	else if (l2tp_message_read(packet, NULL, scratch, &m, &f) || m.type != type || !is_savable(type))
		reader_fail(r, "waiting message that cannot be waiting");
}

static int take_queue(struct l2tp_tunnel *t, unsigned sent, struct reader *r)
{
	unsigned count = record_u8(r, 0, QUEUE_MAX), n = 0;

	if (reader_ok(r) && (sent > count || (count && !sent)))
		reader_fail(r, "another number of messages under way");
	for (unsigned i = 0; i < count && reader_ok(r); i++) {
		uint8_t type = reader_u8(r);
		struct reader packet = reader_sub(r, reader_u16(r));

		if (!reader_ok(r))
			break;
		check_packet(t, type, packet, r);
		if (reader_ok(r) && channel_queue(t, type, packet.pos, reader_left(&packet)))
			return -ENOMEM;
	}
	for (struct l2tp_queued *q = t->outgoing; q && n < sent; q = q->next, n++)
		q->sent = true;
	return 0;
}

static void check_channel(const struct l2tp_tunnel *t, unsigned sent, struct reader *r)
{
	if (!t->cwnd || t->cwnd > t->peer_window || !t->ssthresh || t->cwnd_acks > t->cwnd)
		reader_fail(r, "impossible window");
	if (t->in_flight > sent || (sent && !t->in_flight))
		reader_fail(r, "another number of messages under way");
}

static int take(struct l2tp_tunnel *t, unsigned sent, struct reader *r, msec now)
{
	msec longest = t->config->retransmit_max_ms > t->config->retransmit_ms ? t->config->retransmit_max_ms
									       : t->config->retransmit_ms;
	uint8_t flags = record_flags(r, FLAGS);
	int err;

	t->probing = (flags & FLAG_PROBING) != 0;
	t->same_vendor = (flags & FLAG_SAME_VENDOR) != 0;
	t->peer_window = reader_u16(r);
	t->cwnd = reader_u16(r);
	t->ssthresh = reader_u16(r);
	t->cwnd_acks = reader_u16(r);
	t->in_flight = reader_u16(r);
	t->tries = reader_u8(r);
	err = take_queue(t, sent, r);
	if (err)
		return err;
	if (t->outgoing) /* NEVER would be for ever, and pauses may have become shorter */
		t->retransmit_at = msec_min(reader_u64(r), now + longest);
	if (reader_ok(r))
		check_channel(t, sent, r);
	return reader_ok(r) ? 0 : -EBADMSG;
}

int l2tp_tunnel_resume(struct l2tp_tunnel *t, const struct l2tp_config *c, const struct l2tp_position *p,
	struct reader *r, msec now)
{
	int err;

	*t = (struct l2tp_tunnel){.config = c,
		.local_tunnel = p->local_tunnel,
		.peer_tunnel = p->peer_tunnel,
		.local_session = p->local_session,
		.peer_session = p->peer_session,
		.ns = (uint16_t)(p->ns - p->unacknowledged),
		.nr = p->nr};
	channel_init(t, now);
	t->limit_at = MSEC_NEVER;
	t->state = TUNNEL_ESTABLISHED;
	t->session_state = SESSION_ESTABLISHED;
	if (!t->local_tunnel || !t->peer_tunnel || !t->local_session || !t->peer_session)
		reader_fail(r, "tunnel or session id of zero");
	err = take(t, p->unacknowledged, r, now);
	if (err)
		l2tp_tunnel_done(t);
	return err;
}

/* After a crash this is as old as the last change, so most tunnels would say HELLO at once, all of them together. */
static void spread_hello(struct l2tp_tunnel *t, msec now)
{
	uint32_t period = t->config->hello_ms;
	msec due = msec_min(t->last_sent, t->last_heard) + period;

	if (!period || due > now)
		return;
	due = now + 1 + rng_below(t->config->rng, period / 4 + 1);
	t->last_sent = t->last_heard = due > period ? due - period : 0;
}

int l2tp_tunnel_resume_activity(struct l2tp_tunnel *t, struct reader *r, msec now)
{
	t->last_sent = record_past(r, now);
	t->last_heard = record_past(r, now);
	if (!reader_ok(r))
		return -EBADMSG;
	spread_hello(t, now);
	return 0;
}

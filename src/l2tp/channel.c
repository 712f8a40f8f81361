/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reliable delivery of control messages: RFC 2661 section 5.8, congestion control of appendix A.
 *
 * Timers: one, retransmit_at, for the head of the outgoing list. It starts when something is put in flight, starts anew
 * with every acknowledgement that takes something away, and stops when nothing is in flight. Pauses double up to
 * retransmit_max_ms. After the last retransmission one first pause is waited, so with the defaults (5 tries at
 * 1, 2, 4, 8, 8 s) a peer is dead 24 s after the first transmission.
 */
#include "l2tp/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "l2tp/message.h"

static uint16_t own_window(const struct l2tp_tunnel *t)
{
	return t->config->window ? t->config->window : 1;
}

void channel_init(struct l2tp_tunnel *t, msec now)
{
	t->peer_window = 4; /* until the peer says what it has (section 4.4.3) */
	t->ssthresh = t->peer_window;
	t->cwnd = 1;
	t->retransmit_at = MSEC_NEVER;
	t->last_sent = now;
	t->last_heard = now;
}

void channel_set_peer_window(struct l2tp_tunnel *t, uint16_t window)
{
	t->peer_window = window;
	t->ssthresh = window;
	if (t->cwnd > window)
		t->cwnd = window;
}

static msec pause_after(const struct l2tp_tunnel *t, unsigned tries)
{
	const struct l2tp_config *c = t->config;
	msec base = c->retransmit_ms ? c->retransmit_ms : 1;
	msec max = c->retransmit_max_ms > base ? c->retransmit_max_ms : base;

	return tries < 16 ? msec_min(base << tries, max) : max;
}

enum { UNPROVEN_TRIES = 2 };

/* Nr comes round again, after weeks. */
bool channel_is_unproven(const struct l2tp_tunnel *t)
{
	return t->config->end == L2TP_LNS && t->nr <= 1 && !l2tp_tunnel_is_established(t);
}

unsigned channel_limit(const struct l2tp_tunnel *t)
{
	unsigned limit = t->probing ? t->config->probe_tries : t->config->retransmit_tries;

	/* Who may be answering a forged address does not insist. An honest initiator whose answer was lost asks again. */
	if (channel_is_unproven(t) && limit > UNPROVEN_TRIES)
		limit = UNPROVEN_TRIES;
	return limit;
}

/* ---- sending ---- */

int channel_queue(struct l2tp_tunnel *t, enum l2tp_message_type type, const uint8_t *packet, size_t len)
{
	struct l2tp_queued *q = malloc(sizeof(*q) + len), **link = &t->outgoing;
	struct writer w;

	if (!q)
		return -ENOMEM;
	*q = (struct l2tp_queued){.ns = t->ns++, .len = (uint16_t)len, .type = (uint8_t)type};
	memcpy(q->data, packet, len);
	w = (struct writer){.start = q->data, .pos = q->data + len, .end = q->data + len};
	writer_patch16(&w, MESSAGE_NS_AT, q->ns);
	while (*link)
		link = &(*link)->next;
	*link = q;
	return 0;
}

void channel_readdress(struct l2tp_tunnel *t, uint16_t peer_tunnel)
{
	t->peer_tunnel = peer_tunnel;
	for (struct l2tp_queued *q = t->outgoing; q; q = q->next) {
		struct writer w = {.start = q->data, .pos = q->data + q->len, .end = q->data + q->len};

		if (q->type != L2TP_SCCRQ)
			writer_patch16(&w, MESSAGE_TUNNEL_AT, peer_tunnel);
	}
}

static void emit(struct l2tp_tunnel *t, const uint8_t *packet, size_t len, msec now)
{
	t->ack_due = 0;
	t->last_sent = now;
	t->config->counters->control_tx++;
	t->config->ops->send(t, packet, len);
}

/* Every transmission carries the newest Nr. */
static void transmit(struct l2tp_tunnel *t, struct l2tp_queued *q, msec now)
{
	struct writer w = {.start = q->data, .pos = q->data + q->len, .end = q->data + q->len};

	writer_patch16(&w, MESSAGE_NR_AT, t->nr);
	if (q->sent)
		t->config->counters->retransmits++;
	q->sent = true;
	emit(t, q->data, q->len, now);
}

static void send_ack(struct l2tp_tunnel *t, msec now)
{
	uint8_t packet[16];
	struct writer w = writer_of(packet, sizeof(packet));
	uint16_t ns = t->ns;

	/* What waits for the window has its number already, but the peer has not seen it: a ZLB names the next new one. */
	for (const struct l2tp_queued *q = t->outgoing; q; q = q->next) {
		if (!q->sent) {
			ns = q->ns;
			break;
		}
	}
	message_write_zlb(&w, t->peer_tunnel, ns, t->nr);
	emit(t, packet, writer_len(&w), now);
}

void channel_flush(struct l2tp_tunnel *t, msec now)
{
	uint16_t window = t->cwnd < t->peer_window ? t->cwnd : t->peer_window;
	uint16_t at = 0;

	for (struct l2tp_queued *q = t->outgoing; q && at < window; q = q->next, at++) {
		if (at < t->in_flight)
			continue;
		t->in_flight++;
		if (t->retransmit_at == MSEC_NEVER)
			t->retransmit_at = now + pause_after(t, 0);
		transmit(t, q, now);
	}
	if (t->ack_due)
		send_ack(t, now);
}

void channel_widen(struct l2tp_tunnel *t, uint16_t n)
{
	uint16_t wanted = (uint16_t)(t->in_flight + n);

	if (t->cwnd < wanted)
		t->cwnd = wanted < t->peer_window ? wanted : t->peer_window;
}

static void free_list(struct l2tp_queued **list)
{
	while (*list) {
		struct l2tp_queued *q = *list;

		*list = q->next;
		explicit_bzero(q->data, q->len);
		free(q);
	}
}

void channel_drop_unsent(struct l2tp_tunnel *t)
{
	struct l2tp_queued **link = &t->outgoing;

	while (*link && (*link)->sent)
		link = &(*link)->next;
	if (!*link)
		return;
	t->ns = (*link)->ns;
	free_list(link);
}

void channel_drop_outgoing(struct l2tp_tunnel *t)
{
	free_list(&t->outgoing);
	t->in_flight = 0;
	t->retransmit_at = MSEC_NEVER;
	t->probing = 0;
	t->tries = 0;
}

void channel_done(struct l2tp_tunnel *t)
{
	channel_drop_outgoing(t);
	free_list(&t->early);
}

/* ---- receiving ---- */

/* Appendix A: one more per acknowledgement in slow start, one more per full window after that. */
static void grow(struct l2tp_tunnel *t)
{
	if (t->cwnd >= t->peer_window)
		return;
	if (t->cwnd < t->ssthresh) {
		t->cwnd++;
		t->cwnd_acks = 0;
		return;
	}
	if (++t->cwnd_acks >= t->cwnd) {
		t->cwnd++;
		t->cwnd_acks = 0;
	}
}

/* False: NR acknowledges what was never sent. An old Nr is no error: the packet was overtaken. */
static bool acknowledge(struct l2tp_tunnel *t, uint16_t nr, msec now)
{
	uint16_t oldest = t->outgoing ? t->outgoing->ns : t->ns;
	uint16_t count = (uint16_t)(nr - oldest), sent = 0;

	if (!count || count > 0x8000)
		return true;
	for (const struct l2tp_queued *q = t->outgoing; q && q->sent && sent < count; q = q->next)
		sent++;
	if (sent < count)
		return false;

	for (uint16_t i = 0; i < count; i++) {
		struct l2tp_queued *q = t->outgoing;

		t->outgoing = q->next;
		explicit_bzero(q->data, q->len);
		free(q);
	}
	t->in_flight = t->in_flight > count ? (uint16_t)(t->in_flight - count) : 0;
	t->tries = 0;
	t->probing = 0;
	t->retransmit_at = t->in_flight ? now + pause_after(t, 0) : MSEC_NEVER;
	grow(t);
	return true;
}

/* Keeps a message that came before its turn, once. */
static void keep_early(struct l2tp_tunnel *t, const struct l2tp_header *h, struct reader body)
{
	size_t len = reader_left(&body);
	struct l2tp_queued *q, **link = &t->early;

	t->config->counters->out_of_order++;
	while (*link && (uint16_t)((*link)->ns - t->nr) < (uint16_t)(h->ns - t->nr))
		link = &(*link)->next;
	if ((*link && (*link)->ns == h->ns) || len > L2TP_PACKET_MAX)
		return;
	q = malloc(sizeof(*q) + len);
	if (!q)
		return; /* the peer sends it again */
	*q = (struct l2tp_queued){
		.next = *link, .ns = h->ns, .session_id = h->session_id, .len = (uint16_t)len};
	reader_copy(&body, q->data, len);
	*link = q;
}

enum channel_verdict channel_receive(
	struct l2tp_tunnel *t, const struct l2tp_header *h, struct reader body, msec now)
{
	struct l2tp_counters *n = t->config->counters;
	uint16_t ahead = (uint16_t)(h->ns - t->nr);

	if (!acknowledge(t, h->nr, now)) {
		n->bad_sequence++;
		tunnel_note(t, "dropped: Nr %u acknowledges what was never sent", h->nr);
		return CHANNEL_DONE;
	}
	t->last_heard = now;
	if (!reader_left(&body)) {
		n->zlb_rx++;
		return CHANNEL_DONE;
	}
	if (ahead >= 0x8000) {
		n->duplicates++;
		t->ack_due = 1; /* the first acknowledgement may be lost (section 5.8) */
		return CHANNEL_DONE;
	}
	if (ahead >= own_window(t)) {
		n->bad_sequence++;
		tunnel_note(t, "dropped: Ns %u is outside the window at %u", h->ns, t->nr);
		return CHANNEL_DONE;
	}
	if (!ahead)
		return CHANNEL_NEXT;
	keep_early(t, h, body);
	return CHANNEL_DONE;
}

void channel_accept(struct l2tp_tunnel *t)
{
	t->nr++;
	t->ack_due = 1;
}

struct l2tp_queued *channel_early(struct l2tp_tunnel *t)
{
	struct l2tp_queued *q = t->early;

	/* An early one whose number has passed came again in time. */
	while (q && (uint16_t)(q->ns - t->nr) >= 0x8000) {
		t->early = q->next;
		free(q);
		q = t->early;
	}
	if (!q || q->ns != t->nr)
		return NULL;
	t->early = q->next;
	return q;
}

/* ---- time ---- */

static void retransmit(struct l2tp_tunnel *t, msec now)
{
	uint16_t half = t->cwnd / 2;

	t->ssthresh = half > 2 ? half : 2; /* at least two, as in the algorithm that appendix A names */
	t->cwnd = 1;
	t->cwnd_acks = 0;
	t->in_flight = 1;
	t->tries++;
	t->retransmit_at =
		now + (t->tries >= channel_limit(t) ? pause_after(t, 0) : pause_after(t, t->tries));
	transmit(t, t->outgoing, now);
}

void channel_repeat(struct l2tp_tunnel *t, msec now)
{
	if (t->in_flight)
		transmit(t, t->outgoing, now);
}

bool channel_tick(struct l2tp_tunnel *t, msec now)
{
	if (now < t->retransmit_at)
		return true;
	if (!t->outgoing) {
		t->retransmit_at = MSEC_NEVER;
		return true;
	}
	if (t->tries >= channel_limit(t))
		return false;
	retransmit(t, now);
	return true;
}

void channel_hurry(struct l2tp_tunnel *t, msec now)
{
	t->probing = 1;
	if (t->retransmit_at != MSEC_NEVER)
		t->retransmit_at = msec_min(t->retransmit_at, now + pause_after(t, 0));
}

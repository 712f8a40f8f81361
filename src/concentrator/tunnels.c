/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that belong to no softwire yet.
 *
 * An SCCRQ costs nothing but a look-up until it has passed the limits (admission.c). A packet with an id that is not ours, or
 * from an address that is not the peer's, gets a StopCCN as a hint, limited in rate per source: the concentrator never
 * follows a peer to a new address (RFC 2661 section 8.1), and the initiator takes the StopCCN as a reason to look, no more.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <stdlib.h>

enum {
	STRAY_ALL_RATE = 1000,
	STRAY_ALL_BURST = 2000,
	LOG_RATE = 50,
	LOG_BURST = 500,
	STRANGER_LOG_RATE = 1, /* whatever is sent to us for however long: 86,400 lines a day */
	STRANGER_LOG_BURST = 50,
};

/* ---- look-ups ---- */

struct request_key {
	struct endpoint peer;
	uint16_t tunnel;
};

static uint32_t request_hash(const struct concentrator *c, const struct endpoint *peer, uint16_t tunnel)
{
	return hash_bytes(peer->addr.bytes, sizeof(peer->addr.bytes), c->seed ^ ((uint64_t)peer->port << 16 | tunnel));
}

static bool request_match(const void *item, const void *key)
{
	const struct subscriber *sub = item;
	const struct request_key *k = key;

	return sub->peer_tunnel == k->tunnel && endpoint_equal(&sub->row->peer, &k->peer);
}

/* An SCCRQ that comes again from there is a new one: the peer has started again. */
void subscriber_forget_request(struct subscriber *sub)
{
	struct concentrator *c = sub->role;

	hash_remove(&c->by_request, request_hash(c, &sub->row->peer, sub->peer_tunnel), sub);
}

int subscriber_enter(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	const struct endpoint *peer = &sub->row->peer;

	if (hash_insert(&c->by_request, request_hash(c, peer, sub->peer_tunnel), sub))
		return -ENOMEM;
	if (subscriber_half_open(sub)) {
		subscriber_forget_request(sub);
		return -ENOMEM;
	}
	return 0;
}

/* ---- how much strangers may cause ---- */

bool concentrator_may_answer(struct concentrator *c, const struct addr *peer, uint32_t *ret_suppressed)
{
	msec now = loop_now(c->loop);

	*ret_suppressed = 0;
	return limit_table_ok(c->stray_limit, now, peer, ret_suppressed) && limit_ok(&c->stray_all, now, STRAY_ALL_RATE, STRAY_ALL_BURST);
}

bool concentrator_may_log(struct concentrator *c)
{
	return limit_ok(&c->log_all, loop_now(c->loop), LOG_RATE, LOG_BURST);
}

bool concentrator_may_log_stranger(struct concentrator *c, uint32_t *ret_suppressed)
{
	if (!limit_ok(&c->stranger_log, loop_now(c->loop), STRANGER_LOG_RATE, STRANGER_LOG_BURST))
		return false;
	*ret_suppressed = c->stranger_log.suppressed;
	c->stranger_log.suppressed = 0;
	return true;
}

/* ---- packets without a softwire ---- */

void concentrator_stray_reply(struct concentrator *c, const struct stray *p, uint16_t result, const char *text)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	uint32_t suppressed, unlogged;
	struct log_line l;

	c->role_counters.strays++;
	if (!concentrator_may_answer(c, &p->from->addr, &suppressed)) {
		c->role_counters.strays_suppressed++;
		return;
	}
	if (p->fault.error)
		l2tp_refusal(&w, p->assigned, result, p->fault.error, text);
	else
		l2tp_stray_reply(&w, p->header.tunnel_id, p->assigned, result, text);
	if (writer_ok(&w))
		tun_plane_send(c->plane, p->listener, p->local, p->from, buf, writer_len(&w));
	c->role_counters.stray_replies++;
	if (c->log->level >= LEVEL_INFO && concentrator_may_log_stranger(c, &unlogged) &&
		log_begin(c->log, &l, LEVEL_INFO, "stray")) {
		log_endpoint(&l, "peer", p->from);
		log_uint(&l, "tunnel", p->header.tunnel_id);
		log_text(&l, "reason", p->why ? p->why : text);
		if (p->fault.error == L2TP_ERROR_TRY_ANOTHER)
			log_text(&l, "to", text);
		if (suppressed + unlogged)
			log_uint(&l, "suppressed", (uint64_t)suppressed + unlogged);
		log_end(&l);
	}
}

void concentrator_accept(struct concentrator *c, const struct stray *p)
{
	struct subscriber *sub;
	int err;

	sub = subscriber_new(c, p->listener, p->from, p->local, p->assigned);
	if (!sub) {
		concentrator_stray_reply(c, p, L2TP_STOP_ERROR, "out of resources");
		return;
	}
	sub->accepting = true;
	err = softwire_sc_accept(&sub->engine, &c->softwire, sub->row->local_tunnel, sub->row->local_session, p->payload, p->len,
		concentrator_path_mtu(c, p->from), loop_now(c->loop));
	sub->accepting = false;
	if (err) {
		struct log_line l;

		if (subscriber_log_limited(sub, &l, LEVEL_WARN, "refused")) {
			log_text(&l, "reason", "the SCCRQ was not acceptable");
			log_end(&l);
		}
		subscriber_undo(sub);
	}
}

enum stray_kind { STRAY_REQUEST, STRAY_BAD, STRAY_STOP, STRAY_SILENT, STRAY_OTHER };

/* What a packet without a softwire is. The message is only looked at: the engine decodes and judges it. */
static enum stray_kind classify(struct stray *p, struct reader body)
{
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m = {0};

	if (p->header.control && !reader_left(&body))
		return STRAY_SILENT; /* an acknowledgement is never answered: two ends could go on for ever */
	if (!p->header.control || p->header.tunnel_id || p->header.session_id)
		return STRAY_OTHER;
	if (l2tp_message_read(body, NULL, scratch, &m, &p->fault) && m.type != L2TP_STOPCCN) {
		p->assigned = m.assigned_tunnel;
		return STRAY_BAD;
	}
	p->assigned = m.assigned_tunnel;
	if (m.type == L2TP_STOPCCN) /* an initiator that gives up before it knows our id; or a hint, which is never answered */
		return STRAY_STOP;
	return m.type == L2TP_SCCRQ ? STRAY_REQUEST : STRAY_OTHER;
}

static struct subscriber *find_request(struct concentrator *c, const struct stray *p)
{
	struct request_key key = {*p->from, p->assigned};

	return p->assigned ? hash_find(&c->by_request, request_hash(c, p->from, p->assigned), request_match, &key) : NULL;
}

/* A retransmission; or, of a tunnel that has long been up, a peer that has started again with the same port and id: is the old one dead? */
static void request_again(struct subscriber *sub, const struct stray *p)
{
	msec now = loop_now(sub->role->loop);

	concentrator_work(sub->role, sub);
	softwire_input(&sub->engine.softwire, p->payload, p->len, now);
	if (sub->engine.softwire.step > STEP_TUNNEL)
		softwire_probe(&sub->engine.softwire, now);
}

static void plane_stray(struct tun_plane *plane, uint8_t listener, struct dp_row *row, const struct endpoint *from,
	const struct addr *local, const uint8_t *payload, size_t len)
{
	struct concentrator *c = tun_plane_owner(plane);
	struct stray p = {.listener = listener, .from = from, .local = local, .payload = payload, .len = len};
	struct reader body = reader_of(payload, len);
	struct subscriber *sub;
	enum stray_kind kind;

	if (c->leaving)
		return;
	l2tp_header_read(&body, &p.header);
	if (!reader_ok(&body))
		return; /* counted by the plane */
	kind = classify(&p, body);
	if (kind == STRAY_SILENT)
		return;
	if (kind == STRAY_OTHER) {
		p.assigned = 0; /* a hint stands outside the tunnel: header id 0. It tells nobody which ids are in use. */
		concentrator_stray_reply(c, &p, L2TP_STOP_CLEAR, "no such tunnel from this address: connect again");
		return;
	}
	if (kind == STRAY_BAD) {
		c->counters.l2tp.bad_avp++;
		concentrator_stray_reply(c, &p, p.fault.result, p.fault.text);
		return;
	}
	sub = find_request(c, &p);
	if (sub)
		request_again(sub, &p);
	else if (kind == STRAY_REQUEST)
		concentrator_request(c, &p);
	else
		concentrator_withdraw_request(c, &p);
}

static void plane_input(struct tun_plane *plane, struct dp_row *row, const uint8_t *payload, size_t len)
{
	struct concentrator *c = tun_plane_owner(plane);
	struct subscriber *sub = row->owner;

	if (c->leaving) /* our record of it is written: the peer says it again */
		return;
	subscriber_answered(sub);
	concentrator_work(c, sub);
	softwire_input(&sub->engine.softwire, payload, len, loop_now(c->loop));
	concentrator_work(c, NULL);
}

const struct tun_ops concentrator_tun_ops = {
	.input = plane_input, .stray = plane_stray, .outer_error = concentrator_outer_error};

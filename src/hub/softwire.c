/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shared part of both ends: entry and exit, the demultiplexing of data packets, and the wiring of L2TP and PPP.
 *
 * Every public function is bracketed by softwire_enter() and softwire_leave(). The engines below call back while they are
 * on the stack; only the outermost leave() arms the timer or tells the owner that the softwire may be freed.
 *
 * How it ends: whoever sees the reason first calls softwire_blame(). Then PPP is closed, which closes L2TP, which tells
 * closed(); ops->down() goes out with the first reason, and ops->released() when L2TP has no more to say.
 */
#include "hub/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKET_ROOM = 2048, PATH_MAX_BYTES = 9000 };

/* ---- entry and exit ---- */

void softwire_enter(struct softwire *s, msec now)
{
	s->now = now;
	s->depth++;
}

static msec softwire_deadline(const struct softwire *s)
{
	msec at = msec_min(
		l2tp_tunnel_deadline(&s->tunnel), s->ppp_open ? ppp_link_deadline(&s->ppp) : MSEC_NEVER);

	if (!s->up_at && s->step < STEP_CLOSING)
		at = msec_min(at, s->started_at + s->config->setup_ms);
	if (!s->up6)
		return at;

	at = msec_min(at, nd_node_deadline(&s->node));
	if (softwire_is_initiator(s))
		return msec_min(at, softwire_si_deadline((const struct softwire_si *)s));
	return msec_min(at, softwire_sc_deadline((const struct softwire_sc *)s));
}

void softwire_leave(struct softwire *s)
{
	if (s->depth == 1 && s->ppp_dead) {
		ppp_link_done(&s->ppp);
		s->ppp_dead = false;
	}
	if (s->depth == 1 && s->finished) {
		wheel_disarm(s->config->wheel, &s->timer);
		s->depth = 0;
		s->config->ops->released(s); /* may free s */
		return;
	}
	if (s->depth == 1)
		wheel_arm(s->config->wheel, &s->timer, softwire_deadline(s));
	s->depth--;
}

static void note_activity(struct softwire *s)
{
	msec heard = 0, sent = 0;

	if (!s->config->ops->activity)
		return;
	s->config->ops->activity(s, &heard, &sent);
	l2tp_tunnel_heard(&s->tunnel, heard);
	l2tp_tunnel_sent(&s->tunnel, sent);
}

static void softwire_fire(struct wheel_timer *t, msec now)
{
	struct softwire *s = container_of(t, struct softwire, timer);

	softwire_enter(s, now);
	note_activity(s);
	if (!s->up_at && s->step < STEP_CLOSING && now >= s->started_at + s->config->setup_ms)
		softwire_close(s, CAUSE_NO_ANSWER, L2TP_STOP_CLEAR, 0, "set-up took too long", now);
	if (l2tp_tunnel_deadline(&s->tunnel) <= now)
		l2tp_tunnel_tick(&s->tunnel, now);
	if (s->ppp_open && ppp_link_deadline(&s->ppp) <= now)
		ppp_link_tick(&s->ppp, now);
	if (s->up6 && nd_node_deadline(&s->node) <= now)
		nd_node_tick(&s->node, now);
	if (s->up6 && softwire_is_initiator(s))
		softwire_si_tick(softwire_as_si(s), now);
	else if (s->up6)
		softwire_sc_tick(softwire_as_sc(s), now);
	softwire_leave(s);
}

/* ---- small services ---- */

bool softwire_is_initiator(const struct softwire *s)
{
	return s->config->l2tp.end == L2TP_LAC;
}

void softwire_note(struct softwire *s, const char *text)
{
	s->config->ops->note(s, text);
	softwire_trace(s, TRACE_NOTE, text, strlen(text));
}

void softwire_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len)
{
	if (s->tracing)
		s->config->ops->trace(s, what, data, len);
}

void softwire_blame(
	struct softwire *s, enum softwire_cause cause, uint16_t result, uint16_t error, const char *text)
{
	struct softwire_why *why;

	if (s->why)
		return;

	why = calloc(1, sizeof(*why));
	if (!why)
		return; /* down() then says "resources" */

	why->cause = cause;
	why->step = s->step;
	why->result = result;
	why->error = error;
	snprintf(why->text, sizeof(why->text), "%s", text);
	s->why = why;
}

const char *softwire_step_name(enum softwire_step step)
{
	static const char *const names[] = {
		[STEP_TUNNEL] = "tunnel",
		[STEP_LCP] = "lcp",
		[STEP_AUTH] = "auth",
		[STEP_LEASE] = "lease",
		[STEP_NCP] = "ncp",
		[STEP_UP] = "up",
		[STEP_CLOSING] = "closing",
		[STEP_CLOSED] = "closed",
	};

	return step < sizeof(names) / sizeof(*names) ? names[step] : "unknown";
}

const char *softwire_cause_name(enum softwire_cause cause)
{
	static const char *const names[] = {
		[CAUSE_LOCAL] = "local",
		[CAUSE_PEER] = "peer",
		[CAUSE_DEAD_PEER] = "dead-peer",
		[CAUSE_NO_ANSWER] = "no-answer",
		[CAUSE_TUNNEL_AUTH] = "tunnel-auth",
		[CAUSE_USER_AUTH] = "user-auth",
		[CAUSE_NO_ADDRESS] = "no-address",
		[CAUSE_PROTOCOL] = "protocol",
		[CAUSE_REPLACED] = "replaced",
		[CAUSE_SHUTDOWN] = "shutdown",
		[CAUSE_RESOURCES] = "resources",
		[CAUSE_LOOP] = "loop",
	};

	return cause < CAUSE_MAX ? names[cause] : "unknown";
}

size_t softwire_data_header(
	uint8_t buf[SOFTWIRE_DATA_HEADER], uint16_t peer_tunnel, uint16_t peer_session, uint16_t ppp_protocol)
{
	/* Data, no optional field, version 2 (RFC 2661 section 3.1); FF 03 always, since ACFC was rejected (RFC 1661 section 6.6). */
	const uint16_t words[] = {0x0002, peer_tunnel, peer_session, 0xff03, ppp_protocol};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		buf[2 * i] = (uint8_t)(words[i] >> 8);
		buf[2 * i + 1] = (uint8_t)words[i];
	}
	return SOFTWIRE_DATA_HEADER;
}

uint16_t softwire_inner_mtu(uint8_t family, uint32_t path)
{
	uint32_t headers = (family == AF_INET6 ? IP6_HEADER : IP4_HEADER) + UDP_HEADER + 12;

	if (path > PATH_MAX_BYTES)
		path = PATH_MAX_BYTES;
	return (uint16_t)(path < IP6_MIN_MTU + headers ? IP6_MIN_MTU : path - headers);
}

/* ---- sending ---- */

/* FRAME begins with FF 03. */
static void send_frame(struct softwire *s, const uint8_t *frame, size_t len)
{
	uint8_t buf[PACKET_ROOM];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u16(&w, 0x0002);
	writer_u16(&w, s->tunnel.peer_tunnel);
	writer_u16(&w, s->tunnel.peer_session);
	writer_bytes(&w, frame, len);
	if (writer_ok(&w))
		s->config->ops->send(s, buf, writer_len(&w));
}

void softwire_send_ip6(struct softwire *s, const void *packet, size_t len)
{
	uint8_t buf[PACKET_ROOM];
	struct writer w = writer_of(buf, sizeof(buf));
	uint8_t header[SOFTWIRE_DATA_HEADER];

	writer_bytes(&w, header,
		softwire_data_header(header, s->tunnel.peer_tunnel, s->tunnel.peer_session, PPP_IPV6));
	writer_bytes(&w, packet, len);
	softwire_trace(s, TRACE_TX_IP6, packet, len);
	if (writer_ok(&w))
		s->config->ops->send(s, buf, writer_len(&w));
}

void softwire_send_dhcp6(struct softwire *s, const struct addr *dst, uint16_t src_port, uint16_t dst_port,
	const void *message, size_t len)
{
	uint8_t buf[PACKET_ROOM];
	struct writer w = writer_of(buf, sizeof(buf));
	struct addr src = nd_link_local(s->ppp.iid);

	ip6_udp_write(&w, &src, dst, src_port, dst_port, message, len);
	if (writer_ok(&w))
		softwire_send_ip6(s, buf, writer_len(&w));
}

/* ---- L2TP below us ---- */

static void tunnel_send(struct l2tp_tunnel *t, const uint8_t *packet, size_t len)
{
	struct softwire *s = container_of(t, struct softwire, tunnel);

	softwire_trace(s, TRACE_TX_CONTROL, packet, len);
	s->config->ops->send(s, packet, len);
}

static void tunnel_want_secret(struct l2tp_tunnel *t, const char *host_name)
{
	struct softwire *s = container_of(t, struct softwire, tunnel);

	s->config->ops->want_tunnel_secret(s, host_name);
}

static void tunnel_established(struct l2tp_tunnel *t)
{
	struct softwire *s = container_of(t, struct softwire, tunnel);

	s->step = STEP_LCP;
	if (ppp_link_open(&s->ppp, &s->config->ppp, s->mtu, s->now)) {
		softwire_close(
			s, CAUSE_RESOURCES, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES, "out of memory", s->now);
		return;
	}
	s->ppp_open = true;
}

static enum softwire_cause cause_of_tunnel(const struct softwire *s, const struct l2tp_why *why)
{
	switch (why->cause) {
	case L2TP_CAUSE_LOCAL:
		return CAUSE_LOCAL;
	case L2TP_CAUSE_PEER:
		return why->result == L2TP_STOP_UNAUTHORIZED ? CAUSE_TUNNEL_AUTH
		       : why->result == L2TP_STOP_SHUTDOWN   ? CAUSE_SHUTDOWN
							     : CAUSE_PEER;
	case L2TP_CAUSE_TIMEOUT:
		return s->step < STEP_UP ? CAUSE_NO_ANSWER : CAUSE_DEAD_PEER;
	case L2TP_CAUSE_AUTH:
		return CAUSE_TUNNEL_AUTH;
	case L2TP_CAUSE_PROTOCOL:
		return CAUSE_PROTOCOL;
	case L2TP_CAUSE_RESOURCES:
		break;
	}
	return CAUSE_RESOURCES;
}

/* Stops everything above L2TP without a word to the peer. */
static void drop_network(struct softwire *s)
{
	if (s->up6 && softwire_is_initiator(s))
		softwire_si_network_down(softwire_as_si(s));
	else if (s->up6)
		softwire_sc_network_down(softwire_as_sc(s));
	s->up6 = false;
	s->ppp_dead |= s->ppp_open; /* the link may be on the stack: softwire_leave() frees what it holds */
	s->ppp_open = false;
}

static void tell_down(struct softwire *s)
{
	struct softwire_why none = {.cause = CAUSE_RESOURCES, .step = s->step, .text = "out of memory"};
	const struct softwire_why *why = s->why ? s->why : &none;

	if (s->down_told)
		return;

	s->down_told = true;
	s->config->counters->down[why->cause]++;
	s->config->ops->down(s, why);
}

static void tunnel_closed(struct l2tp_tunnel *t, const struct l2tp_why *why)
{
	struct softwire *s = container_of(t, struct softwire, tunnel);

	softwire_blame(s, cause_of_tunnel(s, why), why->result, why->error, why->text);
	drop_network(s);
	s->step = STEP_CLOSED;
	tell_down(s);
	/* Somebody who never answered our SCCRP may not be there at all: one StopCCN is enough, and nothing is kept. */
	if (!softwire_is_initiator(s) && t->nr <= 1)
		s->finished = true;
}

static void tunnel_released(struct l2tp_tunnel *t)
{
	container_of(t, struct softwire, tunnel)->finished = true;
}

static void tunnel_note(struct l2tp_tunnel *t, const char *text)
{
	softwire_note(container_of(t, struct softwire, tunnel), text);
}

static const struct l2tp_ops tunnel_ops = {
	.send = tunnel_send,
	.want_secret = tunnel_want_secret,
	.established = tunnel_established,
	.closed = tunnel_closed,
	.released = tunnel_released,
	.note = tunnel_note,
};

/* ---- PPP below us ---- */

static void link_send(struct ppp_link *l, const uint8_t *frame, size_t len)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	softwire_trace(s, TRACE_TX_PPP, frame, len);
	send_frame(s, frame, len);
}

static void link_verify(struct ppp_link *l, const struct ppp_claim *claim)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	if (s->step < STEP_AUTH)
		s->step = STEP_AUTH;
	s->config->ops->authenticate(s, claim);
}

static void link_want_secret(struct ppp_link *l, const char *peer_name)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	if (s->step < STEP_AUTH)
		s->step = STEP_AUTH;
	s->config->ops->want_ppp_secret(s, peer_name);
}

uint64_t softwire_own_iid(const struct softwire *s, uint64_t other)
{
	uint64_t iid = s->ppp.iid ? s->ppp.iid : s->config->iid;

	while (!iid || iid == other)
		iid = rng_u64(s->config->rng) & ~(1ULL << 57); /* universal bit clear: RFC 5072 section 4.1 */
	return iid;
}

static void link_authenticated(struct ppp_link *l)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	if (s->step >= STEP_CLOSING)
		return;
	if (softwire_is_initiator(s)) {
		s->step = s->up_at ? STEP_UP : STEP_NCP;
		ppp_link_network(l, &(struct ppp_network){.ipv6 = true, .iid = softwire_own_iid(s, 0), .assign_iid = 0}, s->now);
		return;
	}
	if (softwire_as_sc(s)->lease) { /* LCP was negotiated again: the same lease serves */
		ppp_link_network(l, &(struct ppp_network){.ipv6 = true, .iid = softwire_own_iid(s, 0), .assign_iid = softwire_as_sc(s)->lease->iid}, s->now);
		return;
	}
	if (s->step == STEP_LEASE) /* negotiated again while the lease is on its way: it is asked for once */
		return;
	s->step = STEP_LEASE;
	s->config->ops->want_lease(s);
}

static void link_ncp_up(struct ppp_link *l, uint16_t protocol)
{
	struct softwire *s = container_of(l, struct softwire, ppp);
	struct addr link_local;

	if (protocol != PPP_IPV6CP || s->step >= STEP_CLOSING)
		return;

	if (s->ppp.peer_mru < s->mtu)
		s->mtu = s->ppp.peer_mru;
	link_local = nd_link_local(l->iid);
	s->up6 = true;
	s->step = STEP_UP;
	if (!s->up_at) {
		s->up_at = s->now;
		s->config->counters->up++;
	}
	nd_node_open(&s->node, &s->config->nd);
	s->config->ops->up(s, AF_INET6);
	if (!s->up6) /* the owner has closed it */
		return;
	nd_node_add(&s->node, &link_local, s->now);
	if (softwire_is_initiator(s))
		softwire_si_network(softwire_as_si(s));
	else
		softwire_sc_network(softwire_as_sc(s));
}

static void link_ncp_down(struct ppp_link *l, uint16_t protocol, const char *why)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	if (protocol != PPP_IPV6CP || s->step >= STEP_CLOSING)
		return;
	if (!s->up_at) { /* the only payload family never came up: nothing to wait for */
		softwire_close(s, CAUSE_NO_ADDRESS, L2TP_STOP_CLEAR, 0, why, s->now);
		return;
	}
	if (!s->up6)
		return;

	s->up6 = false;
	if (softwire_is_initiator(s))
		softwire_si_network_down(softwire_as_si(s));
	else
		softwire_sc_network_down(softwire_as_sc(s));
	s->config->ops->family_down(s, AF_INET6, why);
}

static void link_down(struct ppp_link *l, const struct ppp_why *why)
{
	struct softwire *s = container_of(l, struct softwire, ppp);
	static const struct {
		enum softwire_cause cause;
		uint16_t result, error;
	} map[] = {
		[PPP_CAUSE_LOCAL] = {CAUSE_LOCAL, L2TP_STOP_CLEAR, 0},
		[PPP_CAUSE_PEER] = {CAUSE_PEER, L2TP_STOP_CLEAR, 0},
		[PPP_CAUSE_TIMEOUT] = {CAUSE_NO_ANSWER, L2TP_STOP_ERROR, L2TP_ERROR_VENDOR},
		[PPP_CAUSE_AUTH_PEER] = {CAUSE_USER_AUTH, L2TP_STOP_UNAUTHORIZED, 0},
		[PPP_CAUSE_AUTH_SELF] = {CAUSE_USER_AUTH, L2TP_STOP_CLEAR, 0},
		[PPP_CAUSE_NEGOTIATION] = {CAUSE_PROTOCOL, L2TP_STOP_ERROR, L2TP_ERROR_VENDOR},
		[PPP_CAUSE_LOOP] = {CAUSE_LOOP, L2TP_STOP_ERROR, L2TP_ERROR_VENDOR},
	};
	enum softwire_cause cause = map[why->cause].cause;

	if (cause == CAUSE_NO_ANSWER && s->up_at)
		cause = CAUSE_DEAD_PEER;
	softwire_blame(s, cause, map[why->cause].result, map[why->cause].error, why->text);
	s->step = STEP_CLOSING;
	l2tp_tunnel_close(&s->tunnel, map[why->cause].result, map[why->cause].error, why->text, s->now);
}

static void link_note(struct ppp_link *l, const char *text)
{
	softwire_note(container_of(l, struct softwire, ppp), text);
}

static const struct ppp_ops link_ops = {
	.send = link_send,
	.verify = link_verify,
	.want_secret = link_want_secret,
	.authenticated = link_authenticated,
	.ncp_up = link_ncp_up,
	.ncp_down = link_ncp_down,
	.down = link_down,
	.note = link_note,
};

/* ---- our addresses on the link ---- */

static void node_send(struct nd_node *n, const uint8_t *packet, size_t len)
{
	softwire_send_ip6(container_of(n, struct softwire, node), packet, len);
}

static void node_duplicate(struct nd_node *n, const struct addr *a)
{
	struct softwire *s = container_of(n, struct softwire, node);
	char text[128], buf[ADDR_TEXT];

	snprintf(text, sizeof(text), "duplicate address %s: the peer uses it too", addr_print(a, buf));
	softwire_note(s, text);
	softwire_close(s, CAUSE_PROTOCOL, L2TP_STOP_CLEAR, 0, text, s->now);
}

static const struct nd_node_ops node_ops = {.send = node_send, .duplicate = node_duplicate};

/* ---- configuration and life ---- */

void softwire_config_init(struct softwire_config *c, enum l2tp_end end, const struct softwire_ops *ops,
	struct wheel *wheel, struct rng *rng, struct softwire_counters *counters)
{
	*c = (struct softwire_config){
		.ops = ops,
		.wheel = wheel,
		.rng = rng,
		.counters = counters,
		.setup_ms = 90000,
		.dhcp6_wait_ms = 4000,
		.router_lifetime = 9000,
		.l2tp = {.end = end,
			.ops = &tunnel_ops,
			.rng = rng,
			.counters = &counters->l2tp,
			.host_name = "softwire",
			.window = 4,
			.framing_async = true,
			.hello_ms = 60000,
			.retransmit_ms = 1000,
			.retransmit_max_ms = 8000,
			.retransmit_tries = 5,
			.probe_tries = 3,
			.setup_ms = 60000,
			.linger_ms = 31000},
		.ppp = {.ops = &link_ops,
			.rng = rng,
			.counters = &counters->ppp,
			.name = "softwire",
			.demand_auth = end == L2TP_LNS,
			.demand = {PPP_METHOD_CHAP_MD5},
			.give = 1 << PPP_METHOD_CHAP_MD5,
			.give_auth = end == L2TP_LAC,
			.prove_last = end == L2TP_LNS,
			.ipv6 = true,
			.restart_ms = 3000,
			.max_configure = 10,
			.max_terminate = 2,
			.max_failure = 5,
			.echo_failures = 3,
			.auth_ms = 30000},
		.nd = {.ops = &node_ops,
			.rng = rng,
			.counters = &counters->nd,
			.router = end == L2TP_LNS,
			.dad_transmits = 1,
			.retrans_ms = 1000},
	};
	if (end == L2TP_LNS)
		softwire_sc_config(c);
	else
		softwire_si_config(c);
}

void softwire_begin(struct softwire *s, const struct softwire_config *c, uint16_t mtu, msec now)
{
	s->config = c;
	s->mtu = mtu;
	s->timer.fire = softwire_fire;
	s->started_at = now;
	s->step = STEP_TUNNEL;
}

void softwire_close(struct softwire *s, enum softwire_cause cause, uint16_t result, uint16_t error,
	const char *text, msec now)
{
	softwire_enter(s, now);
	softwire_blame(s, cause, result, error, text);
	if (s->step < STEP_CLOSING) {
		if (s->up6 && softwire_is_initiator(s) && softwire_as_si(s)->dhcp6_open)
			dhcp6_client_release(&softwire_as_si(s)->dhcp6, now);
		s->step = STEP_CLOSING;
		if (s->ppp_open)
			ppp_link_close(&s->ppp, text,
				now); /* may tell down() at once, which closes the tunnel too */
		if (!s->down_told)
			l2tp_tunnel_close(&s->tunnel, result, error, text, now);
	}
	softwire_leave(s);
}

bool softwire_is_quiet(const struct softwire *s)
{
	return s->down_told && l2tp_tunnel_is_quiet(&s->tunnel);
}

void softwire_done(struct softwire *s)
{
	wheel_disarm(s->config->wheel, &s->timer);
	drop_network(s);
	if (s->ppp_dead)
		ppp_link_done(&s->ppp);
	s->ppp_dead = false;
	l2tp_tunnel_done(&s->tunnel);
	if (softwire_is_initiator(s))
		softwire_si_done(softwire_as_si(s));
	else
		softwire_sc_done(softwire_as_sc(s));
	free(s->why);
	s->why = NULL;
}

/* ---- input and answers ---- */

static void input_frame(struct softwire *s, struct reader frame)
{
	struct reader r = frame;
	uint16_t protocol = ppp_frame_read(&r);

	if (!reader_ok(&r)) {
		s->config->counters->bad_frame++;
		return;
	}
	if (protocol == PPP_IPV6 && s->up6) {
		softwire_trace(s, TRACE_RX_IP6, r.pos, reader_left(&r));
		softwire_input_ip6(s, r.pos, reader_left(&r));
		return;
	}
	softwire_trace(s, TRACE_RX_PPP, frame.pos, reader_left(&frame));
	ppp_link_input(&s->ppp, frame.pos, reader_left(&frame), s->now);
}

void softwire_input(struct softwire *s, const uint8_t *payload, size_t len, msec now)
{
	struct reader r = reader_of(payload, len);
	struct l2tp_header h;

	softwire_enter(s, now);
	l2tp_header_read(&r, &h);
	if (!reader_ok(&r)) {
		s->config->counters->bad_header++;
		softwire_note(s, r.error);
	} else if (h.control) {
		softwire_trace(s, TRACE_RX_CONTROL, payload, len);
		l2tp_tunnel_input(&s->tunnel, payload, len, now);
	} else if (h.session_id != s->tunnel.local_session || !s->ppp_open) {
		s->config->counters->bad_session++;
	} else {
		l2tp_tunnel_heard(&s->tunnel, now);
		input_frame(s, reader_rest(&r));
	}
	softwire_leave(s);
}

void softwire_tunnel_secret(struct softwire *s, const void *secret, size_t len, msec now)
{
	softwire_enter(s, now);
	if (s->step == STEP_TUNNEL)
		l2tp_tunnel_secret(&s->tunnel, secret, len, now);
	softwire_leave(s);
}

void softwire_ppp_secret(struct softwire *s, const void *secret, size_t len, msec now)
{
	softwire_enter(s, now);
	if (s->ppp_open)
		ppp_link_secret(&s->ppp, secret, len, now);
	softwire_leave(s);
}

void softwire_verified(struct softwire *s, bool ok, const char *message, msec now)
{
	softwire_enter(s, now);
	if (s->ppp_open)
		ppp_link_verified(&s->ppp, ok, message, now);
	softwire_leave(s);
}

void softwire_probe(struct softwire *s, msec now)
{
	softwire_enter(s, now);
	if (s->step < STEP_CLOSING && l2tp_tunnel_is_established(&s->tunnel))
		l2tp_tunnel_probe(&s->tunnel, now);
	softwire_leave(s);
}

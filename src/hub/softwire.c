/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shared part of both ends: entry and exit, life, answers, and the demultiplexing of data packets.
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

enum { PACKET_ROOM = 2048, PATH_MAX_BYTES = 9000, IPV4_LEAST_MTU = 576 };

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
	if (s->up6)
		at = msec_min(at, nd_node_deadline(&s->node));
	if (softwire_is_initiator(s))
		return msec_min(at, softwire_si_deadline((const struct softwire_si *)s));
	return msec_min(at, softwire_sc_deadline((const struct softwire_sc *)s));
}

void softwire_rearm(struct softwire *s)
{
	wheel_arm(s->config->wheel, &s->timer, softwire_deadline(s));
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
	if (s->depth == 1) {
		softwire_rearm(s);
		softwire_tell_changed(s);
	}
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
	if (softwire_is_initiator(s))
		softwire_si_tick(softwire_as_si(s), now);
	else
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

void softwire_blame_peer(struct softwire *s, enum softwire_cause cause, const struct l2tp_why *why)
{
	if (s->why)
		return;
	softwire_blame(s, cause, why->result, why->error, why->text);
	if (s->why)
		snprintf(s->why->said, sizeof(s->why->said), "%s", why->said);
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
		[CAUSE_MOVED] = "moved",
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

void softwire_send_frame(struct softwire *s, const uint8_t *frame, size_t len)
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

void softwire_send_packet(struct softwire *s, uint16_t protocol, const void *packet, size_t len)
{
	uint8_t buf[PACKET_ROOM];
	struct writer w = writer_of(buf, sizeof(buf));
	uint8_t header[SOFTWIRE_DATA_HEADER];

	writer_bytes(&w, header,
		softwire_data_header(header, s->tunnel.peer_tunnel, s->tunnel.peer_session, protocol));
	writer_bytes(&w, packet, len);
	softwire_trace(s, protocol == PPP_IPV6 ? TRACE_TX_IP6 : TRACE_TX_IP4, packet, len);
	if (writer_ok(&w))
		s->config->ops->send(s, buf, writer_len(&w));
}

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
		.dhcp4_wait_ms = 15000,
		.router_lifetime = 9000,
		.l2tp = {.end = end,
			.ops = &softwire_tunnel_ops,
			.rng = rng,
			.counters = &counters->l2tp,
			.host_name = "softwire",
			.vendor_name = "softwired",
			.window = 4,
			.framing_async = true,
			.hello_ms = 60000,
			.retransmit_ms = 1000,
			.retransmit_max_ms = 8000,
			.retransmit_tries = 5,
			.probe_tries = 3,
			.setup_ms = 60000,
			.linger_ms = 31000},
		.ppp = {.ops = &softwire_link_ops,
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
		.nd = {.ops = &softwire_node_ops,
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
		if (softwire_is_initiator(s))
			softwire_si_release(softwire_as_si(s), now);
		s->step = STEP_CLOSING;
		if (s->ppp_open && cause != CAUSE_MOVED)
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
	softwire_drop_network(s);
	if (s->ppp_dead)
		ppp_link_done(&s->ppp);
	s->ppp_dead = false;
	l2tp_tunnel_done(&s->tunnel);
	if (!softwire_is_initiator(s))
		softwire_sc_done(softwire_as_sc(s));
	free(s->why);
	s->why = NULL;
}

/* ---- input and answers ---- */

/* Packets of a family whose NCP is not open are PPP's to count or reject. */
static bool takes_ipv4(struct softwire *s)
{
	return s->up4 || (softwire_is_initiator(s) && softwire_as_si(s)->without_ipcp);
}

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
	if (protocol == PPP_IP && takes_ipv4(s)) {
		softwire_trace(s, TRACE_RX_IP4, r.pos, reader_left(&r));
		softwire_input_ip4(s, r.pos, reader_left(&r));
		return;
	}
	softwire_trace(s, TRACE_RX_PPP, frame.pos, reader_left(&frame));
	ppp_link_input(&s->ppp, frame.pos, reader_left(&frame), s->now);
	if (softwire_is_initiator(s))
		softwire_si4_check_link(softwire_as_si(s));
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

void softwire_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len, msec now)
{
	softwire_enter(s, now);
	if (s->ppp_open)
		ppp_link_eap(&s->ppp, authenticator, packet, len, now);
	softwire_leave(s);
}

void softwire_eap_result(struct softwire *s, bool ok, const char *why, msec now)
{
	softwire_enter(s, now);
	if (s->ppp_open)
		ppp_link_eap_result(&s->ppp, ok, why, now);
	softwire_leave(s);
}

bool softwire_lower_mtu(struct softwire *s, uint16_t mtu, msec now)
{
	uint16_t least = softwire_may_have_ipv6(s) ? IP6_MIN_MTU : IPV4_LEAST_MTU;
	bool lower;

	if (mtu < least)
		mtu = least;
	lower = mtu < s->mtu && s->step < STEP_CLOSING;
	softwire_enter(s, now);
	if (lower) {
		s->mtu = mtu;
		if (s->up6 && !softwire_is_initiator(s))
			nd_router_changed(&softwire_as_sc(s)->router, now);
	}
	softwire_leave(s);
	return lower;
}

void softwire_probe(struct softwire *s, msec now)
{
	softwire_enter(s, now);
	if (s->step < STEP_CLOSING && l2tp_tunnel_is_established(&s->tunnel))
		l2tp_tunnel_probe(&s->tunnel, now);
	softwire_leave(s);
}

void softwire_repeat(struct softwire *s, msec now)
{
	softwire_enter(s, now);
	if (s->step < STEP_CLOSING)
		l2tp_tunnel_repeat(&s->tunnel, now);
	softwire_leave(s);
}

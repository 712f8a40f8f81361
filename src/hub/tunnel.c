/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L2TP below a softwire: what the tunnel asks for and tells.
 */
#include "hub/engine.h"

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

void softwire_drop_network(struct softwire *s)
{
	if (softwire_is_initiator(s)) {
		if (s->up6)
			softwire_si_network_down(softwire_as_si(s));
		softwire_si4_network_down(softwire_as_si(s));
	} else if (s->up6) {
		softwire_sc_network_down(softwire_as_sc(s));
	}
	s->up6 = s->up4 = false;
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

	softwire_blame_peer(s, cause_of_tunnel(s, why), why);
	softwire_drop_network(s);
	s->step = STEP_CLOSED;
	tell_down(s);
	/* Somebody who never answered our SCCRP may not be there at all: one StopCCN is enough, and nothing is kept. */
	if (!softwire_is_initiator(s) && t->nr <= 1 && !s->up_at)
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

const struct l2tp_ops softwire_tunnel_ops = {
	.send = tunnel_send,
	.want_secret = tunnel_want_secret,
	.established = tunnel_established,
	.closed = tunnel_closed,
	.released = tunnel_released,
	.note = tunnel_note,
};

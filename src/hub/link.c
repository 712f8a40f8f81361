/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PPP below a softwire, and what it brings: the payload families.
 *
 * A family that was asked for (asked) may come until its NCP has come to nothing (refused); at the initiator IPv4 may also
 * come by DHCPv4 when the peer does not know IPCP. Once up it may go and come again, as its NCP does (RFC 1661 section 3.5).
 * A softwire all of whose families were refused ends.
 */
#include "hub/engine.h"

#include <stdio.h>

enum { IPV6_BIT = 1, IPV4_BIT = 2 };

static uint8_t bit_of(uint8_t family)
{
	return family == AF_INET6 ? IPV6_BIT : IPV4_BIT;
}

static const char *name_of(uint8_t family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

static bool *up_flag(struct softwire *s, uint8_t family)
{
	return family == AF_INET6 ? &s->up6 : &s->up4;
}

/* ---- families ---- */

bool softwire_may_have_ipv6(const struct softwire *s)
{
	if (!s->asked)
		return s->config->ppp.ipv6;
	return s->up6 || s->asked & ~s->refused & IPV6_BIT;
}

bool softwire_family_up(struct softwire *s, uint8_t family)
{
	if (s->ppp.peer_mru < s->mtu)
		s->mtu = s->ppp.peer_mru;
	if (family == AF_INET6 &&
		s->mtu < IP6_MIN_MTU) /* it was lowered when IPv6 was not to be expected any more */
		s->mtu = IP6_MIN_MTU;
	s->refused &= (uint8_t)~bit_of(family);
	if (softwire_is_initiator(s))
		softwire_as_si(s)->again_tries = 0;
	*up_flag(s, family) = true;
	s->step = STEP_UP;
	if (!s->up_at) {
		s->up_at = s->now;
		s->config->counters->up++;
	}
	s->config->ops->up(s, family);
	return *up_flag(s, family);
}

void softwire_family_down(struct softwire *s, uint8_t family, const char *why)
{
	*up_flag(s, family) = false;
	if (!softwire_is_initiator(s)) {
		softwire_sc_withdraw(softwire_as_sc(s), family);
		if (family == AF_INET6)
			softwire_sc_network_down(softwire_as_sc(s));
	} else if (family == AF_INET6) {
		softwire_si_network_down(softwire_as_si(s));
	} else {
		softwire_si4_network_down(softwire_as_si(s));
	}
	if (softwire_is_initiator(s))
		softwire_si_again(softwire_as_si(s));
	s->config->ops->family_down(s, family, why);
}

void softwire_family_refused(struct softwire *s, uint8_t family, const char *why)
{
	char text[sizeof(s->why->text)];

	s->refused |= bit_of(family);
	if (s->asked == (IPV6_BIT | IPV4_BIT) && !(s->asked & ~s->refused))
		snprintf(text, sizeof(text), "IPv6 and IPv4 were refused, at last %s: %s", name_of(family),
			why);
	else
		snprintf(text, sizeof(text), "%s was refused: %s", name_of(family), why);
	if (!(s->asked & ~s->refused)) {
		softwire_close(s, CAUSE_NO_ADDRESS, L2TP_STOP_CLEAR, 0, text, s->now);
		return;
	}
	softwire_note(s, text);
	if (s->config->ops->family_refused)
		s->config->ops->family_refused(s, family, why);
	if (softwire_is_initiator(s))
		softwire_si_again(softwire_as_si(s));
}

uint64_t softwire_own_iid(const struct softwire *s, uint64_t other)
{
	uint64_t iid = s->ppp.iid ? s->ppp.iid : s->config->iid;

	while (!iid || iid == other)
		iid = rng_u64(s->config->rng) & ~(1ULL << 57); /* universal bit clear: RFC 5072 section 4.1 */
	return iid;
}

void softwire_start_network(struct softwire *s)
{
	const struct ppp_config *c = &s->config->ppp;
	struct ppp_network n = {.ipv6 = c->ipv6, .ipv4 = c->ipv4};

	if (softwire_is_initiator(s))
		n.ask_dns4 = true;
	else
		softwire_sc_plan(softwire_as_sc(s), &n);
	n.iid = n.ipv6 ? softwire_own_iid(s, n.assign_iid) : 0;
	s->asked = (uint8_t)((n.ipv6 ? IPV6_BIT : 0) | (n.ipv4 ? IPV4_BIT : 0));
	s->refused = 0;
	if (s->asked)
		ppp_link_network(&s->ppp, &n, s->now);
	else
		softwire_close(s, CAUSE_NO_ADDRESS, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES,
			"neither an IPv6 nor an IPv4 address for this user", s->now);
}

void softwire_try_network(struct softwire *s)
{
	struct ppp_network n = {.ipv6 = s->asked & IPV6_BIT,
		.ipv4 = s->asked & IPV4_BIT,
		.ask_dns4 = true,
		.iid = softwire_own_iid(s, 0)};

	s->refused &= (uint8_t)((s->up6 ? IPV6_BIT : 0) | (s->up4 ? IPV4_BIT : 0));
	ppp_link_network(&s->ppp, &n, s->now);
}

/* ---- PPP ---- */

static void link_send(struct ppp_link *l, const uint8_t *frame, size_t len)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	softwire_trace(s, TRACE_TX_PPP, frame, len);
	softwire_send_frame(s, frame, len);
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

static void link_eap(struct ppp_link *l, bool authenticator, const uint8_t *packet, size_t len)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	if (s->step < STEP_AUTH)
		s->step = STEP_AUTH;
	s->config->ops->eap(s, authenticator, packet, len);
}

static void link_authenticated(struct ppp_link *l)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	if (s->step >= STEP_CLOSING)
		return;
	if (softwire_is_initiator(s)) {
		s->step = s->up_at ? STEP_UP : STEP_NCP;
		softwire_start_network(s);
		return;
	}
	if (softwire_as_sc(s)->lease) { /* LCP was negotiated again: the same lease serves */
		softwire_start_network(s);
		return;
	}
	if (s->step == STEP_LEASE) /* negotiated again while the lease is on its way: it is asked for once */
		return;
	s->step = STEP_LEASE;
	s->config->ops->want_lease(s);
}

static void ipv6_opened(struct softwire *s)
{
	struct addr link_local = nd_link_local(s->ppp.iid);

	nd_node_open(&s->node, &s->config->nd);
	if (!softwire_is_initiator(s))
		softwire_sc_network(softwire_as_sc(s));
	if (!softwire_family_up(s, AF_INET6))
		return;
	nd_node_add(&s->node, &link_local, s->now);
	if (softwire_is_initiator(s))
		softwire_si_network(softwire_as_si(s));
}

static void ipv4_opened(struct softwire *s)
{
	if (s->up4) /* by DHCPv4 without IPCP: the peer knows it after all */
		softwire_family_down(s, AF_INET, "IPCP takes over");
	if (!softwire_is_initiator(s))
		softwire_sc4_network(softwire_as_sc(s));
	if (softwire_family_up(s, AF_INET) && softwire_is_initiator(s))
		softwire_si4_network(softwire_as_si(s));
}

static void link_ncp_up(struct ppp_link *l, uint16_t protocol)
{
	struct softwire *s = container_of(l, struct softwire, ppp);

	if (s->step >= STEP_CLOSING)
		return;
	if (protocol == PPP_IPV6CP)
		ipv6_opened(s);
	else
		ipv4_opened(s);
}

static void link_ncp_down(struct ppp_link *l, uint16_t protocol, const char *why)
{
	struct softwire *s = container_of(l, struct softwire, ppp);
	uint8_t family = protocol == PPP_IPV6CP ? AF_INET6 : AF_INET;

	if (s->step >= STEP_CLOSING)
		return;
	if (*up_flag(s, family))
		softwire_family_down(s, family, why);
	else if (family == AF_INET && l->ipcp_unknown && softwire_is_initiator(s) &&
		 softwire_si4_without_ipcp(softwire_as_si(s)))
		softwire_note(s, "IPCP is not known to the peer: looking for a DHCPv4 server without it");
	else
		softwire_family_refused(s, family, why);
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

const struct ppp_ops softwire_link_ops = {
	.send = link_send,
	.verify = link_verify,
	.want_secret = link_want_secret,
	.eap = link_eap,
	.authenticated = link_authenticated,
	.ncp_up = link_ncp_up,
	.ncp_down = link_ncp_down,
	.down = link_down,
	.note = link_note,
};

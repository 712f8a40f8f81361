/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initiator's IPv4: IPCP gives an address and DNS servers; what it does not give, and subnets, DHCPv4 is asked for.
 *
 *   IPCP                                 DHCPv4
 *   gave an address                      a router asks for subnets; a host, if IPCP told no DNS server, for these (INFORM)
 *   open without an address (HS-PPP-20)  gives the address (HS-PPP-19)
 *   not known to the peer (HS-PPP-20)    gives the address, and IPv4 is up when it has; given up after dhcp4_wait_ms
 *
 * What was learned is the IPv4 part of struct softwire_si_state.
 */
#include "hub/engine.h"

#include <stddef.h>
#include <string.h>

static void forget(struct softwire_si *si)
{
	size_t at = offsetof(struct softwire_si_state, address4); /* IPv4 is the last part */

	memset((uint8_t *)&si->state + at, 0, sizeof(si->state) - at);
}

static struct addr agreed(const uint8_t bytes[4])
{
	struct addr a = addr4_of(bytes);

	return addr_is_unspecified(&a) ? (struct addr){0} : a;
}

/* DHCPv4's servers come before IPCP's; IPCP knows better who the peer is. */
static void refresh(struct softwire_si *si)
{
	struct softwire_si_state *state = &si->state;
	const struct dhcp4_binding *b = state->has_binding4 ? &state->binding4 : NULL;
	const struct ppp_link *l = &si->softwire.ppp;

	state->dns4_count = 0;
	state->peer4 = si->without_ipcp ? (struct addr){0} : agreed(l->peer4);
	if (b && addr_is_none(&state->peer4))
		state->peer4 = b->router;
	if (b && b->dns_count) {
		memcpy(state->dns4, b->dns, sizeof(b->dns));
		state->dns4_count = b->dns_count;
		return;
	}
	for (size_t i = 0; !si->without_ipcp && i < sizeof(l->dns4) / sizeof(*l->dns4); i++) {
		struct addr a = agreed(l->dns4[i]);

		if (!addr_is_none(&a))
			state->dns4[state->dns4_count++] = a;
	}
}

static void start_dhcp4(struct softwire_si *si)
{
	const struct dhcp4_client_config *c = &si->softwire.config->dhcp4_client;

	si->dhcp4_open = true;
	dhcp4_client_open(&si->dhcp4, c, &si->state.address4, si->hint4, si->softwire.now);
}

/* ---- DHCPv4 client ---- */

static void client_send(struct dhcp4_client *d, const struct addr *src, const struct addr *dst,
	const uint8_t *message, size_t len)
{
	softwire_send_dhcp4(&container_of(d, struct softwire_si, dhcp4)->softwire, src, dst,
		DHCP4_CLIENT_PORT, DHCP4_SERVER_PORT, message, len);
}

static void client_bound(struct dhcp4_client *d, const struct dhcp4_binding *binding, msec now)
{
	struct softwire_si *si = container_of(d, struct softwire_si, dhcp4);
	struct softwire *s = &si->softwire;

	si->state.has_binding4 = true;
	si->state.binding4 = *binding;
	si->state.bound4_at = now;
	if (binding->has_address) {
		si->state.address4 = binding->address;
		si->state.address4_by_dhcp = true;
	}
	refresh(si);
	if (s->up4 || softwire_family_up(s, AF_INET)) /* without IPCP this is what brings IPv4 up */
		s->config->ops->configured(s);
}

static void client_lost(struct dhcp4_client *d, const char *why)
{
	struct softwire_si *si = container_of(d, struct softwire_si, dhcp4);
	struct softwire *s = &si->softwire;

	softwire_note(s, why);
	if (si->without_ipcp) { /* nothing else keeps IPv4 up; the server may know another address */
		softwire_family_down(s, AF_INET, why);
		softwire_si4_without_ipcp(si);
		return;
	}
	si->state.has_binding4 = false;
	if (si->state.address4_by_dhcp)
		si->state.address4 = (struct addr){0};
	si->state.address4_by_dhcp = false;
	refresh(si);
	s->config->ops->configured(s);
}

static void client_note(struct dhcp4_client *d, const char *text)
{
	softwire_note(&container_of(d, struct softwire_si, dhcp4)->softwire, text);
}

static const struct dhcp4_client_ops client_ops = {
	.send = client_send,
	.bound = client_bound,
	.lost = client_lost,
	.note = client_note,
};

/* ---- wiring ---- */

void softwire_si4_config(struct softwire_config *c)
{
	c->dhcp4_client = (struct dhcp4_client_config){
		.ops = &client_ops,
		.rng = c->rng,
		.counters = &c->counters->dhcp4,
		.rapid_commit = true,
	};
}

void softwire_si4_network(struct softwire_si *si)
{
	struct softwire *s = &si->softwire;

	softwire_si4_network_down(si);
	si->state.address4 = agreed(s->ppp.local4);
	refresh(si);
	if (addr_is_none(&si->state.address4) || s->config->dhcp4_client.want_subnet || !si->state.dns4_count)
		start_dhcp4(si);
	s->config->ops->configured(s);
}

void softwire_si4_network_down(struct softwire_si *si)
{
	si->dhcp4_open = si->without_ipcp = false;
	forget(si);
}

bool softwire_si4_without_ipcp(struct softwire_si *si)
{
	struct softwire *s = &si->softwire;

	if (!s->config->dhcp4_wait_ms || s->step >= STEP_CLOSING)
		return false;
	softwire_si4_network_down(si);
	si->without_ipcp = true;
	si->dhcp4_until = s->now + s->config->dhcp4_wait_ms;
	start_dhcp4(si);
	return true;
}

/* LCP is negotiated again, or ends: a family that has no NCP of its own hears of it here. */
void softwire_si4_check_link(struct softwire_si *si)
{
	struct softwire *s = &si->softwire;

	if (!si->without_ipcp || s->ppp.lcp.state == PPP_OPENED || s->step >= STEP_CLOSING)
		return;
	if (s->up4)
		softwire_family_down(s, AF_INET, "LCP is not open any more");
	else
		softwire_si4_network_down(si);
}

void softwire_si4_tick(struct softwire_si *si, msec now)
{
	if (si->dhcp4_open && dhcp4_client_deadline(&si->dhcp4) <= now)
		dhcp4_client_tick(&si->dhcp4, now);
	if (si->without_ipcp && !si->softwire.up4 && si->dhcp4_until <= now) {
		softwire_si4_network_down(si);
		softwire_family_refused(
			&si->softwire, AF_INET, "the peer does not know IPCP, and no DHCPv4 server answers");
	}
}

msec softwire_si4_deadline(const struct softwire_si *si)
{
	msec at = si->dhcp4_open ? dhcp4_client_deadline(&si->dhcp4) : MSEC_NEVER;

	return si->without_ipcp && !si->softwire.up4 ? msec_min(at, si->dhcp4_until) : at;
}

/*
 * Which address a server answers from is its own affair: the client looks at transaction and server identifier. It may answer to an
 * address that is not ours yet (RFC 2131 section 4.1).
 */
void softwire_si4_dhcp(struct softwire_si *si, const uint8_t *message, size_t len)
{
	if (si->dhcp4_open)
		dhcp4_client_input(&si->dhcp4, message, len, si->softwire.now);
	else
		softwire_drop_payload(&si->softwire, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The concentrator's IPv4: what IPCP agrees on, and a DHCPv4 server that serves it from the lease.
 *
 * IPCP gives the address unless the lease leaves that to DHCPv4 (lease->dhcp4: HS-PPP-20). An initiator that took no address by IPCP gets it
 * by DHCPv4 in any case: the lease is what counts.
 */
#include "hub/engine.h"

#include <string.h>

static bool has_ipv4(const struct softwire_sc *sc)
{
	return !addr_is_none(&sc->softwire.config->local4) && !addr_is_none(&sc->lease->address4);
}

/* Did IPCP agree on the address of the lease? */
static bool agreed(const struct softwire_sc *sc)
{
	return memcmp(sc->softwire.ppp.peer4, sc->lease->address4.bytes, 4) == 0;
}

void softwire_sc4_plan(const struct softwire_sc *sc, struct ppp_network *ret)
{
	const struct softwire_lease *lease = sc->lease;
	unsigned max = sizeof(ret->dns4) / sizeof(*ret->dns4);

	ret->ipv4 = ret->ipv4 && has_ipv4(sc);
	if (!ret->ipv4)
		return;

	ret->local4 = sc->softwire.config->local4;
	if (!lease->dhcp4)
		ret->assign4 = lease->address4;
	for (unsigned i = 0; i < lease->dns_count && ret->dns4_count < max; i++)
		if (lease->dns[i].family == AF_INET)
			ret->dns4[ret->dns4_count++] = lease->dns[i];
}

/* ---- DHCPv4 server ---- */

static void server_send(struct dhcp4_server *d, const struct addr *dst, const uint8_t *message, size_t len)
{
	struct softwire *s = &container_of(d, struct softwire_sc, dhcp4)->softwire;

	softwire_send_dhcp4(s, &s->config->local4, dst, DHCP4_SERVER_PORT, DHCP4_CLIENT_PORT, message, len);
}

static void server_describe(struct dhcp4_server *d, struct dhcp4_offer *ret)
{
	const struct softwire_sc *sc = container_of(d, struct softwire_sc, dhcp4);
	const struct softwire_lease *lease = sc->lease;

	ret->address = lease->address4;
	ret->ipcp = agreed(sc);
	ret->server = sc->softwire.config->local4;
	ret->lease = lease->valid;
	ret->mtu = sc->softwire.mtu;
	for (unsigned i = 0; i < lease->prefix4_count; i++)
		ret->subnets[ret->subnet_count++] = lease->delegated4[i];
	for (unsigned i = 0; i < lease->dns_count && ret->dns_count < DHCP4_DNS_MAX; i++)
		if (lease->dns[i].family == AF_INET)
			ret->dns[ret->dns_count++] = lease->dns[i];
}

/* The address is the softwire's as long as IPv4 is up, whoever told it; so only subnets come and go. */
static void server_in_use(struct dhcp4_server *d, bool address, bool subnets)
{
	struct softwire_sc *sc = container_of(d, struct softwire_sc, dhcp4);

	if (subnets == sc->softwire.delegated4)
		return;
	sc->softwire.delegated4 = subnets;
	sc->softwire.config->ops->delegated(&sc->softwire, AF_INET, subnets);
}

static void server_renewed(struct dhcp4_server *d)
{
	softwire_sc_renewed(container_of(d, struct softwire_sc, dhcp4), AF_INET);
}

static void server_note(struct dhcp4_server *d, const char *text)
{
	softwire_note(&container_of(d, struct softwire_sc, dhcp4)->softwire, text);
}

static const struct dhcp4_server_ops server_ops = {
	.send = server_send,
	.describe = server_describe,
	.in_use = server_in_use,
	.renewed = server_renewed,
	.note = server_note,
};

/* ---- wiring ---- */

void softwire_sc4_config(struct softwire_config *c)
{
	c->dhcp4_server = (struct dhcp4_server_config){
		.ops = &server_ops,
		.counters = &c->counters->dhcp4,
		.rapid_commit = true,
	};
}

void softwire_sc4_network(struct softwire_sc *sc)
{
	dhcp4_server_open(&sc->dhcp4, &sc->softwire.config->dhcp4_server);
}

/* The initiator is the only client; one that has no address yet talks from 0.0.0.0 (RFC 2131 section 4.1). What it may ask belongs to this
 * softwire, so others behind it are not heard. */
void softwire_sc4_dhcp(struct softwire_sc *sc, const struct ip4 *h, const uint8_t *message, size_t len)
{
	static const uint8_t everybody[4] = {0xff, 0xff, 0xff, 0xff};
	const struct softwire_config *c = sc->softwire.config;

	if (!addr_is_unspecified(&h->src) && !addr_equal(&h->src, &sc->lease->address4))
		softwire_drop_payload(&sc->softwire, "DHCPv4 from another address than the initiator's");
	else if (memcmp(h->dst.bytes, everybody, 4) != 0 && !addr_equal(&h->dst, &c->local4))
		softwire_drop_payload(&sc->softwire, "DHCPv4 to somebody else");
	else
		dhcp4_server_input(&sc->dhcp4, message, len, sc->softwire.now);
}

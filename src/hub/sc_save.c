/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The concentrator's part of a record: router, DHCP servers, lease. */
#include <errno.h>
#include <stdlib.h>

#include "hub/engine.h"

enum { FLAG_MANAGED = 1, FLAG_NO_IPV6 = 2, FLAG_DHCP4 = 4, LEASE_FLAGS = 7 };

/* ---- saving ---- */

static void put_lease(const struct softwire_lease *lease, struct writer *w)
{
	writer_u8(w, (uint8_t)((lease->managed ? FLAG_MANAGED : 0) | (lease->no_ipv6 ? FLAG_NO_IPV6 : 0) |
			       (lease->dhcp4 ? FLAG_DHCP4 : 0)));
	writer_u64(w, lease->iid);
	writer_u32(w, lease->preferred);
	writer_u32(w, lease->valid);
	record_put_prefix(w, &lease->link6);
	record_put_addr(w, &lease->address4);
	writer_u8(w, lease->dns_count);
	for (unsigned i = 0; i < lease->dns_count; i++)
		record_put_addr(w, &lease->dns[i]);
	writer_u8(w, lease->prefix4_count);
	for (unsigned i = 0; i < lease->prefix4_count; i++)
		record_put_prefix(w, &lease->delegated4[i]);
	writer_u8(w, lease->prefix_count);
	for (unsigned i = 0; i < lease->prefix_count; i++)
		record_put_prefix(w, &lease->delegated[i]);
}

void softwire_sc_put(const struct softwire_sc *sc, struct writer *w)
{
	size_t at = record_begin(w, SECTION_LEASE);

	put_lease(sc->lease, w);
	record_end(w, at);
	if (sc->softwire.up6) {
		at = record_begin(w, SECTION_ROUTER);
		nd_router_save(&sc->router, w);
		record_end(w, at);
		at = record_begin(w, SECTION_DHCP6);
		dhcp6_server_save(&sc->dhcp6, w);
		record_end(w, at);
	}
	if (sc->softwire.up4) {
		at = record_begin(w, SECTION_DHCP4);
		dhcp4_server_save(&sc->dhcp4, w);
		record_end(w, at);
	}
}

/* ---- resuming ---- */

static struct prefix take_prefix(struct reader *r, uint8_t family, uint8_t max)
{
	struct prefix p = record_prefix(r);

	if (p.addr.family != family || p.len > max || !p.len)
		reader_fail(r, "a prefix that nobody delegates");
	return p;
}

static void take_lease(struct softwire_lease *lease, struct reader *r)
{
	uint8_t flags = record_flags(r, LEASE_FLAGS);

	lease->managed = flags & FLAG_MANAGED;
	lease->no_ipv6 = flags & FLAG_NO_IPV6;
	lease->dhcp4 = flags & FLAG_DHCP4;
	lease->iid = reader_u64(r);
	lease->preferred = reader_u32(r);
	lease->valid = reader_u32(r);
	lease->link6 = record_prefix(r);
	if (!prefix_is_none(&lease->link6) &&
		(lease->link6.addr.family != AF_INET6 || lease->link6.len != 64))
		reader_fail(r, "link prefix that is no IPv6 /64");
	lease->address4 = record_addr(r);
	if (!addr_is_none(&lease->address4) && lease->address4.family != AF_INET)
		reader_fail(r, "IPv4 address of another family");
	lease->dns_count = record_u8(r, 0, DHCP6_DNS_MAX);
	for (unsigned i = 0; i < lease->dns_count; i++) {
		lease->dns[i] = record_addr(r);
		if (addr_is_none(&lease->dns[i]))
			reader_fail(r, "DNS server without an address");
	}
	lease->prefix4_count = record_u8(r, 0, DHCP4_SUBNET_MAX);
	for (unsigned i = 0; i < lease->prefix4_count; i++)
		lease->delegated4[i] = take_prefix(r, AF_INET, 32);
	lease->prefix_count = record_u8(r, 0, DHCP6_PREFIX_MAX);
	for (unsigned i = 0; i < lease->prefix_count; i++)
		lease->delegated[i] = take_prefix(r, AF_INET6, 64);
}

static void check_lease(const struct softwire_sc *sc, const struct softwire_lease *lease, struct reader *r)
{
	const struct softwire *s = &sc->softwire;

	if (s->up6 && lease->preferred > lease->valid)
		reader_fail(r, "preferred lifetime beyond the valid one");
	if (s->up6 && lease->no_ipv6)
		reader_fail(r, "IPv6 is up, but not leased");
	if (s->up4 && addr_is_none(&lease->address4))
		reader_fail(r, "IPv4 is up, but not leased");
	if (s->up4 && (addr_is_none(&s->config->local4) || s->ppp.ipcp.state != PPP_OPENED))
		reader_fail(r, "IPv4 is up without IPCP or an address of ours");
	if (s->delegated4 && (!s->up4 || !lease->prefix4_count))
		reader_fail(r, "subnets are in use, but not leased");
}

static int take_own_lease(struct softwire_sc *sc, struct reader record, char why[SOFTWIRE_RESUME_WHY])
{
	struct reader r = record_section(record, SECTION_LEASE);
	struct softwire_lease lease = {0};

	take_lease(&lease, &r);
	if (reader_ok(&r))
		check_lease(sc, &lease, &r);
	sc->lease = reader_ok(&r) ? softwire_lease_copy(&lease) : NULL;
	return sc->lease ? 0 : softwire_refuse_section("lease", &r, why);
}

static int take_ipv6(struct softwire_sc *sc, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY])
{
	const struct softwire_config *c = sc->softwire.config;
	struct addr link_local = nd_link_local(sc->softwire.ppp.iid);
	struct reader router = record_section(record, SECTION_ROUTER);
	struct reader dhcp6 = record_section(record, SECTION_DHCP6);

	if (nd_router_resume(&sc->router, &c->router, &link_local, &router, now))
		return softwire_refuse_section("router", &router, why);
	if (dhcp6_server_resume(&sc->dhcp6, &c->dhcp6_server, &dhcp6))
		return softwire_refuse_section("dhcp6", &dhcp6, why);
	if (sc->dhcp6.using_prefixes && !sc->lease->prefix_count) {
		reader_fail(&dhcp6, "prefixes are in use, but not leased");
		return softwire_refuse_section("dhcp6", &dhcp6, why);
	}
	return 0;
}

static int take_ipv4(struct softwire_sc *sc, struct reader record, char why[SOFTWIRE_RESUME_WHY])
{
	struct reader r = record_section(record, SECTION_DHCP4);

	if (dhcp4_server_resume(&sc->dhcp4, &sc->softwire.config->dhcp4_server, &r))
		return softwire_refuse_section("dhcp4", &r, why);
	return 0;
}

int softwire_sc_take(struct softwire_sc *sc, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY])
{
	int err = take_own_lease(sc, record, why);

	if (!err && sc->softwire.up6)
		err = take_ipv6(sc, record, now, why);
	if (!err && sc->softwire.up4)
		err = take_ipv4(sc, record, why);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The initiator's part of a record: host, DHCP clients, and what was learned. */
#include <errno.h>

#include "hub/engine.h"

enum { FLAG_DHCP6 = 1, FLAG_DHCP6_STATEFUL = 2, FLAG_DHCP4 = 4, FLAG_WITHOUT_IPCP = 8, SI_FLAGS = 15 };
enum {
	FLAG_HAS_ADDRESS = 1,
	FLAG_ROUTER_KNOWN = 2,
	FLAG_DEFAULT_ROUTER = 4,
	FLAG_HAS_BINDING = 8,
	FLAG_DNS_TOLD = 16,
	STATE6_FLAGS = 31
};
enum { FLAG_ADDRESS4_BY_DHCP = 1, FLAG_HAS_BINDING4 = 2, STATE4_FLAGS = 3 };

static uint8_t flag(bool set, uint8_t bit)
{
	return set ? bit : 0;
}

/* ---- saving ---- */

static void put_state6(const struct softwire_si_state *s, struct writer *w)
{
	writer_u8(w,
		(uint8_t)(flag(s->has_address, FLAG_HAS_ADDRESS) | flag(s->router_known, FLAG_ROUTER_KNOWN) |
			  flag(s->default_router, FLAG_DEFAULT_ROUTER) |
			  flag(s->has_binding, FLAG_HAS_BINDING) | flag(s->dns_told, FLAG_DNS_TOLD)));
	record_put_addr(w, &s->link_local);
	record_put_addr(w, &s->peer_link_local);
	record_put_addr(w, &s->address);
	writer_u32(w, s->address_valid);
	writer_u32(w, s->address_preferred);
	writer_u64(w, s->learned_at);
	writer_u32(w, s->mtu);
	writer_u8(w, (uint8_t)s->dns_count);
	for (unsigned i = 0; i < s->dns_count; i++)
		record_put_addr(w, &s->dns[i]);
	if (!s->has_binding)
		return;
	writer_u64(w, s->bound_at);
	dhcp6_binding_save(&s->binding, w);
}

static void put_state4(const struct softwire_si_state *s, struct writer *w)
{
	writer_u8(w, (uint8_t)(flag(s->address4_by_dhcp, FLAG_ADDRESS4_BY_DHCP) |
			       flag(s->has_binding4, FLAG_HAS_BINDING4)));
	record_put_addr(w, &s->address4);
	record_put_addr(w, &s->peer4);
	writer_u8(w, (uint8_t)s->dns4_count);
	for (unsigned i = 0; i < s->dns4_count; i++)
		record_put_addr(w, &s->dns4[i]);
	if (!s->has_binding4)
		return;
	writer_u64(w, s->bound4_at);
	dhcp4_binding_save(&s->binding4, w);
}

static void put_state(const struct softwire_si *si, struct writer *w)
{
	writer_u8(w,
		(uint8_t)(flag(si->dhcp6_open, FLAG_DHCP6) | flag(si->dhcp6_stateful, FLAG_DHCP6_STATEFUL) |
			  flag(si->dhcp4_open, FLAG_DHCP4) | flag(si->without_ipcp, FLAG_WITHOUT_IPCP)));
	writer_u64(w, si->dhcp6_at);
	writer_u64(w, si->without_ipcp ? si->dhcp4_until : 0);
	writer_u64(w, si->again_at);
	writer_u8(w, si->again_tries);
	put_state6(&si->state, w);
	put_state4(&si->state, w);
}

void softwire_si_put(const struct softwire_si *si, struct writer *w)
{
	size_t at = record_begin(w, SECTION_STATE);

	put_state(si, w);
	record_end(w, at);
	if (si->softwire.up6) {
		at = record_begin(w, SECTION_HOST);
		nd_host_save(&si->host, w);
		record_end(w, at);
	}
	if (si->dhcp6_open) {
		at = record_begin(w, SECTION_DHCP6);
		dhcp6_client_save(&si->dhcp6, w);
		record_end(w, at);
	}
	if (si->dhcp4_open) {
		at = record_begin(w, SECTION_DHCP4);
		dhcp4_client_save(&si->dhcp4, w);
		record_end(w, at);
	}
}

/* ---- resuming ---- */

/* None, or FAMILY. */
static struct addr take_addr(struct reader *r, uint8_t family)
{
	struct addr a = record_addr(r);

	if (!addr_is_none(&a) && a.family != family)
		reader_fail(r, "address of another family");
	return a;
}

static unsigned take_dns(struct addr *dns, uint8_t family, uint8_t max, struct reader *r)
{
	unsigned count = record_u8(r, 0, max);

	for (unsigned i = 0; i < count; i++) {
		dns[i] = take_addr(r, family);
		if (addr_is_none(&dns[i]))
			reader_fail(r, "DNS server without an address");
	}
	return count;
}

static void take_state6(struct softwire_si_state *s, struct reader *r, msec now)
{
	uint8_t flags = record_flags(r, STATE6_FLAGS);

	s->has_address = flags & FLAG_HAS_ADDRESS;
	s->router_known = flags & FLAG_ROUTER_KNOWN;
	s->default_router = flags & FLAG_DEFAULT_ROUTER;
	s->has_binding = flags & FLAG_HAS_BINDING;
	s->dns_told = flags & FLAG_DNS_TOLD;
	s->link_local = take_addr(r, AF_INET6);
	s->peer_link_local = take_addr(r, AF_INET6);
	s->address = take_addr(r, AF_INET6);
	s->address_valid = reader_u32(r);
	s->address_preferred = reader_u32(r);
	if (s->has_address && (addr_is_none(&s->address) || addr_is_multicast(&s->address)))
		reader_fail(r, "not an address of ours");
	s->learned_at = record_past(r, now);
	s->mtu = reader_u32(r);
	if (s->mtu && (s->mtu < IP6_MIN_MTU || s->mtu > UINT16_MAX))
		reader_fail(r, "value out of range");
	s->dns_count = take_dns(s->dns, AF_INET6, DHCP6_DNS_MAX, r);
	if (!s->has_binding)
		return;
	s->bound_at = record_past(r, now);
	dhcp6_binding_resume(&s->binding, r);
}

static void take_state4(struct softwire_si_state *s, struct reader *r, msec now)
{
	uint8_t flags = record_flags(r, STATE4_FLAGS);

	s->address4_by_dhcp = flags & FLAG_ADDRESS4_BY_DHCP;
	s->has_binding4 = flags & FLAG_HAS_BINDING4;
	s->address4 = take_addr(r, AF_INET);
	s->peer4 = take_addr(r, AF_INET);
	s->dns4_count = take_dns(s->dns4, AF_INET, DHCP4_DNS_MAX, r);
	if (!s->has_binding4)
		return;
	s->bound4_at = record_past(r, now);
	dhcp4_binding_resume(&s->binding4, r);
}

static void check_state(const struct softwire_si *si, struct reader *r)
{
	const struct softwire *s = &si->softwire;
	const struct softwire_si_state *state = &si->state;

	if (!s->up6 && (si->dhcp6_open || state->has_address || state->has_binding))
		reader_fail(r, "IPv6 is down, but configured");
	if (si->without_ipcp ? s->ppp.ipcp.state == PPP_OPENED || !si->dhcp4_open
			     : s->up4 != (s->ppp.ipcp.state == PPP_OPENED))
		reader_fail(r, "another family is open than is up");
	if (s->up4 && si->without_ipcp && addr_is_none(&state->address4))
		reader_fail(r, "IPv4 is up without an address");
	if (!s->up4 && !si->without_ipcp && si->dhcp4_open)
		reader_fail(r, "IPv4 is down, but configured");
}

static int take_state(struct softwire_si *si, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY])
{
	const struct softwire_config *c = si->softwire.config;
	struct reader r = record_section(record, SECTION_STATE);
	uint8_t flags = record_flags(&r, SI_FLAGS);

	si->dhcp6_open = flags & FLAG_DHCP6;
	si->dhcp6_stateful = flags & FLAG_DHCP6_STATEFUL;
	si->dhcp4_open = flags & FLAG_DHCP4;
	si->without_ipcp = flags & FLAG_WITHOUT_IPCP;
	si->dhcp6_at = reader_u64(&r);
	si->dhcp4_until = reader_u64(&r);
	/* What is waited for comes, however long the file says. */
	si->dhcp6_at = si->softwire.up6 && !si->dhcp6_open ? msec_min(si->dhcp6_at, now + c->dhcp6_wait_ms)
							   : MSEC_NEVER;
	si->dhcp4_until = msec_min(si->dhcp4_until, now + c->dhcp4_wait_ms);
	si->again_at = record_deadline(&r, now, SOFTWIRE_AGAIN_MAX_MS);
	si->again_tries = reader_u8(&r);
	take_state6(&si->state, &r, now);
	take_state4(&si->state, &r, now);
	if (reader_ok(&r))
		check_state(si, &r);
	return reader_ok(&r) ? 0 : softwire_refuse_section("state", &r, why);
}

int softwire_si_take(struct softwire_si *si, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY])
{
	const struct softwire_config *c = si->softwire.config;
	struct addr link_local = nd_link_local(si->softwire.ppp.iid);
	struct reader r;
	int err = take_state(si, record, now, why);

	if (err)
		return err;
	r = record_section(record, SECTION_HOST);
	if (si->softwire.up6 && nd_host_resume(&si->host, &c->host, &link_local, &r, now))
		return softwire_refuse_section("host", &r, why);
	r = record_section(record, SECTION_DHCP6);
	if (si->dhcp6_open && dhcp6_client_resume(&si->dhcp6, &c->dhcp6_client, &r, now))
		return softwire_refuse_section("dhcp6", &r, why);
	r = record_section(record, SECTION_DHCP4);
	if (si->dhcp4_open && dhcp4_client_resume(&si->dhcp4, &c->dhcp4_client, &r, now))
		return softwire_refuse_section("dhcp4", &r, why);
	return 0;
}

int softwire_si_resume(struct softwire_si *si, const struct softwire_config *c, struct reader *r,
	const struct dhcp6_binding *hint, const struct dhcp4_binding *hint4, msec now,
	char why[SOFTWIRE_RESUME_WHY])
{
	si->hint = hint;
	si->hint4 = hint4;
	return softwire_resume(&si->softwire, c, r, now, why);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the softwire gave goes into the kernel: address, default routes, delegated prefixes. IPv4's part is in network4.c.
 *
 * Default routes are only for the families that the softwire brings (HS-SCEN-9). The unused part of a delegated prefix is unreachable,
 * so that it never loops (RFC 7084 WPD-5). While the softwire reconnects everything stays: most times the same prefix comes back. A
 * prefix that did not come back is deprecated on the LAN: preferred lifetime 0, valid for two hours at most (RFC 7084 L-13). It did not
 * when DHCPv6 bound without it, when nothing was bound 30 s after the router was heard, or when IPv6 itself is withdrawn.
 */
#include "initiator/role.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

enum { DEPRECATED_MS = 7200 * 1000, METRIC_TRIES = 16, UNBOUND_MS = 30000 };

void initiator_network_done(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (result && result != -EPIPE) /* the loss of the keeper is logged once for all */
		log_message(i->log, LEVEL_ERROR, "network",
			"initiator %s: an address, a route or DNS servers could not be changed: %s",
			i->config.name, strerror(-result));
}

uint32_t initiator_seconds_left(msec until, msec now)
{
	if (until == MSEC_NEVER)
		return UINT32_MAX;
	return until <= now ? 0 : (uint32_t)((until - now + 999) / 1000);
}

static msec deadline_of(uint32_t seconds, msec from)
{
	return seconds == UINT32_MAX ? MSEC_NEVER : from + (msec)seconds * 1000;
}

/* ---- the LAN's part of a prefix ---- */

struct prefix initiator_lan_prefix(const struct initiator *i, const struct prefix *delegated, unsigned lan)
{
	struct prefix p = {0};

	if (delegated->len > 64 || prefix_nth(delegated, 64, lan, &p))
		return (struct prefix){
			0}; /* fewer /64s than interfaces (HS-PROV-10 asks for bridging then) */
	return p;
}

static void lan_addresses(struct initiator *i, const struct held_prefix *h, bool add)
{
	msec now = loop_now(i->loop);
	unsigned count;
	struct lan *lans = initiator_lans(i, &count);

	for (unsigned n = 0; n < count; n++) {
		struct prefix p = initiator_lan_prefix(i, &h->prefix, n);
		struct addr a;

		if (prefix_is_none(&p) ||
			!if_nametoindex(
				lans[n].device)) /* one that comes later is seen by initiator_lan_refresh() */
			continue;
		a = addr6_with_iid(&p.addr, 1);
		keeper_address(i->keeper, add, lans[n].device, &a, 64,
			initiator_seconds_left(h->valid_until, now),
			initiator_seconds_left(h->preferred_until, now), initiator_network_done, i);
	}
}

bool initiator_lost_address(const char *device, const struct addr *a)
{
	struct ifaddrs *list, *ifa;
	bool up = false, has = false;

	if (getifaddrs(&list))
		return false;
	for (ifa = list; ifa; ifa = ifa->ifa_next) {
		struct endpoint e;

		if (strcmp(ifa->ifa_name, device) != 0)
			continue;
		up |= (ifa->ifa_flags & IFF_UP) != 0;
		if (ifa->ifa_addr && endpoint_from_sockaddr(ifa->ifa_addr, &e) == 0 && addr_equal(&e.addr, a))
			has = true;
	}
	freeifaddrs(list);
	return up && !has;
}

unsigned initiator_network_restore(struct initiator *i, const struct lan *lan)
{
	msec now = loop_now(i->loop);
	unsigned restored = initiator_network4_restore(i, lan);

	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		const struct held_prefix *h = &i->held[n];
		struct prefix p = initiator_lan_prefix(i, &h->prefix, lan->index);
		struct addr a;

		if (prefix_is_none(&h->prefix) || !h->routed || prefix_is_none(&p))
			continue;
		a = addr6_with_iid(&p.addr, 1);
		if (!initiator_lost_address(lan->device, &a))
			continue;
		keeper_address(i->keeper, true, lan->device, &a, 64,
			initiator_seconds_left(h->valid_until, now),
			initiator_seconds_left(h->preferred_until, now), initiator_network_done, i);
		restored++;
	}
	return restored;
}

void initiator_network_lans_change(struct initiator *i, bool after)
{
	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		if (!prefix_is_none(&i->held[n].prefix) && (i->held[n].routed || !i->held[n].current))
			lan_addresses(i, &i->held[n], after);
	initiator_network4_lans(i, after);
}

/* ---- held prefixes ---- */

static void log_prefix_event(struct initiator *i, const char *event, const struct prefix *p)
{
	struct log_line l;

	if (initiator_log(i, &l, LEVEL_INFO, event)) {
		log_prefix(&l, "prefix", p);
		log_end(&l);
	}
}

/* Its index, or -1. */
static int held_find(const struct initiator *i, const struct prefix *p)
{
	for (int n = 0; n < HELD_PREFIXES; n++)
		if (prefix_equal(&i->held[n].prefix, p))
			return n;
	return -1;
}

/* What a prefix has that no LAN uses is unreachable, so that it never loops. */
static void set_unreachable(struct initiator *i, struct held_prefix *h, bool on)
{
	if (on != h->routed)
		keeper_route(i->keeper, on, &h->prefix, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 0,
			initiator_network_done, i);
	h->routed = on;
}

static void held_remove(struct initiator *i, struct held_prefix *h)
{
	lan_addresses(i, h, false);
	set_unreachable(i, h, false);
	*h = (struct held_prefix){0};
}

/* A free place, or that of the deprecated prefix that is over first. */
static struct held_prefix *held_new(struct initiator *i)
{
	struct held_prefix *oldest = NULL;

	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		struct held_prefix *h = &i->held[n];

		if (prefix_is_none(&h->prefix))
			return h;
		if (!h->current && (!oldest || h->valid_until < oldest->valid_until))
			oldest = h;
	}
	if (oldest)
		held_remove(i, oldest);
	return oldest;
}

static void deprecate(struct initiator *i, struct held_prefix *h, msec now)
{
	set_unreachable(i, h, false);
	h->current = false;
	h->preferred_until = now;
	h->valid_until = msec_min(h->valid_until, now + DEPRECATED_MS);
	lan_addresses(i, h, true);
	log_prefix_event(i, "prefix-deprecated", &h->prefix);
}

static bool in_binding(const struct dhcp6_binding *b, const struct prefix *p)
{
	for (unsigned n = 0; n < b->prefix_count; n++)
		if (b->prefixes[n].valid && prefix_equal(&b->prefixes[n].prefix, p))
			return true;
	return false;
}

/* Those that are not in B, which may be NULL. False: there was none. */
static bool deprecate_others(struct initiator *i, const struct dhcp6_binding *b, msec now)
{
	bool any = false;

	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		struct held_prefix *h = &i->held[n];

		if (prefix_is_none(&h->prefix) || !h->current || (b && in_binding(b, &h->prefix)))
			continue;
		deprecate(i, h, now);
		any = true;
	}
	return any;
}

/* HS-PROV-10: a /64 cannot be split. The first interface has it, unless we may make a bridge of them all. */
static void look_at_length(struct initiator *i, const struct prefix *p)
{
	uint64_t count = p->len <= 64 ? prefix_count(p, 64) : 0;
	struct log_line l;

	if (i->config.lan_count <= count || initiator_bridge_want(i) ||
		!initiator_log(i, &l, LEVEL_WARN, "prefix-too-long"))
		return;
	log_prefix(&l, "prefix", p);
	log_uint(&l, "lan_interfaces", i->config.lan_count);
	log_text(&l, "advice",
		"set lan-bridge, or make a bridge of the LAN interfaces and name it in lan, or ask for a "
		"shorter prefix");
	log_end(&l);
}

static void apply_prefix(struct initiator *i, const struct dhcp6_prefix *p, msec bound_at)
{
	int known = held_find(i, &p->prefix);
	struct held_prefix *h = known >= 0 ? &i->held[known] : held_new(i);

	if (!h || !p->valid)
		return;
	h->prefix = p->prefix;
	h->current = true;
	h->preferred_until = deadline_of(p->preferred, bound_at);
	h->valid_until = deadline_of(p->valid, bound_at);
	if (!h->routed) {
		look_at_length(i, &h->prefix);
		log_prefix_event(i, "prefix", &h->prefix);
	}
	set_unreachable(i, h, true);
	lan_addresses(i, h, true);
}

bool initiator_network_load(struct initiator *i, const struct prefix *p)
{
	struct held_prefix *h;

	if (held_find(i, p) >= 0 || i->hint.prefix_count >= DHCP6_PREFIX_MAX)
		return false;
	h = held_new(i);
	if (!h)
		return false;
	*h = (struct held_prefix){.prefix = *p,
		.preferred_until = loop_now(i->loop) + DEPRECATED_MS,
		.valid_until = loop_now(i->loop) + DEPRECATED_MS,
		.current = true};
	return true;
}

static bool same_prefixes(const struct dhcp6_binding *a, const struct dhcp6_binding *b)
{
	for (unsigned n = 0; n < a->prefix_count && a->prefix_count == b->prefix_count; n++)
		if (!prefix_equal(&a->prefixes[n].prefix, &b->prefixes[n].prefix))
			return false;
	return a->prefix_count == b->prefix_count;
}

static void apply_binding(struct initiator *i, const struct softwire_si_state *state)
{
	bool changed = !same_prefixes(&i->hint, &state->binding);

	deprecate_others(i, &state->binding, loop_now(i->loop));
	for (unsigned n = 0; n < state->binding.prefix_count; n++)
		apply_prefix(i, &state->binding.prefixes[n], state->bound_at);
	i->hint = state->binding;
	if (changed)
		initiator_state_save(i);
}

/* ---- address and default route ---- */

void initiator_network_sources(struct initiator *i)
{
	tun_plane_set_sources(i->plane, &i->address, &i->address4); /* of ICMP errors */
}

static void remove_address(struct initiator *i)
{
	if (addr_is_none(&i->address))
		return;
	keeper_address(i->keeper, false, i->device, &i->address, 128, 0, 0, initiator_network_done, i);
	i->address = (struct addr){0};
	initiator_network_sources(i);
}

static void apply_address(struct initiator *i, const struct softwire_si_state *state)
{
	bool same = state->has_address && addr_equal(&i->address, &state->address);
	struct log_line l;

	if (!same)
		remove_address(i);
	if (!state->has_address)
		return;
	if (!same && initiator_log(i, &l, LEVEL_INFO, "address")) {
		log_addr(&l, "address", &state->address);
		log_end(&l);
	}
	i->address = state->address;
	initiator_network_sources(i);
	keeper_address(i->keeper, true, i->device, &i->address, 128, state->address_valid,
		state->address_preferred, initiator_network_done, i);
}

/* Somebody else's default route has this metric (one from an RA has 1024): ours comes after it. */
static void default_route_answer(void *owner, int result, int fd)
{
	struct default_route *route = owner;
	struct initiator *i = route->role;

	if (result != -EEXIST || !route->on || route->metric - i->config.metric >= METRIC_TRIES) {
		route->missing = route->on && result && result != -EEXIST;
		initiator_network_done(i, result, fd);
		return;
	}
	route->metric++;
	keeper_route(i->keeper, true, &route->dst, KEEPER_ROUTE_DEVICE, i->device, NULL, route->metric,
		default_route_answer, route);
}

void initiator_default_route(struct initiator *i, struct default_route *route, bool on)
{
	if (on == route->on)
		return;
	route->on = on;
	if (on)
		route->metric = i->config.metric;
	keeper_route(i->keeper, on, &route->dst, KEEPER_ROUTE_DEVICE, i->device, NULL, route->metric,
		default_route_answer, route);
	initiator_lan_changed(i);
}

/* The kernel had no memory for it. */
static void default_route_again(struct initiator *i, struct default_route *route)
{
	if (!route->missing)
		return;
	route->missing = false;
	if (route->on)
		keeper_route(i->keeper, true, &route->dst, KEEPER_ROUTE_DEVICE, i->device, NULL, route->metric,
			default_route_answer, route);
}

void initiator_network_again(struct initiator *i)
{
	default_route_again(i, &i->route6);
	default_route_again(i, &i->route4);
}

void initiator_network_clear_route(struct initiator *i, uint8_t family)
{
	const struct prefix *dst = family == AF_INET6 ? &i->route6.dst : &i->route4.dst;

	for (uint32_t n = 0; n <= METRIC_TRIES; n++)
		keeper_route(i->keeper, false, dst, KEEPER_ROUTE_DEVICE, i->device, NULL,
			i->config.metric + n, NULL, NULL);
}

/* ---- all together ---- */

static void apply_mtu(struct initiator *i, const struct softwire_si *s)
{
	uint32_t mtu = s->softwire.mtu;

	if (s->state.mtu && s->state.mtu < mtu)
		mtu = s->state.mtu;
	/* DHCPv4's may be as small as 68; below 1280 there would be no IPv6. */
	if (s->state.has_binding4 && s->state.binding4.mtu >= IP6_MIN_MTU && s->state.binding4.mtu < mtu)
		mtu = s->state.binding4.mtu;
	if (mtu == i->device_mtu)
		return;
	i->device_mtu = (uint16_t)mtu;
	keeper_link_mtu(i->keeper, i->device, mtu, initiator_network_done, i);
}

void initiator_network_apply(struct initiator *i, const struct softwire_si *s)
{
	const struct softwire_si_state *state = &s->state;

	apply_mtu(i, s);
	if (state->router_known || state->has_address) /* before that, what we had stays */
		apply_address(i, state);
	if (state->router_known) /* RFC 4861 section 6.3.4: a lifetime of 0, or one that is over, ends the default route at once */
		initiator_default_route(i, &i->route6, state->default_router && i->config.default_route && !i->config.native6);
	if (state->has_binding)
		apply_binding(i, state);
	initiator_network4_apply(i, s);
	initiator_dns_apply(i, s);
	initiator_lan_changed(i);
	initiator_hooks_changed(i);
}

bool initiator_network_has(const struct initiator *i, uint8_t family)
{
	if (family == AF_INET6)
		return i->route6.on || i->dns6.count;
	return i->route4.on || i->dns4.count;
}

bool initiator_network_holds(const struct initiator *i, uint8_t family)
{
	bool any = initiator_network_has(i, family);

	if (family == AF_INET6) {
		for (unsigned n = 0; n < HELD_PREFIXES; n++)
			any |= i->held[n].current;
		return any || !addr_is_none(&i->address);
	}
	for (unsigned n = 0; n < HELD_SUBNETS; n++)
		any |= !prefix_is_none(&i->subnets[n].prefix);
	return any || !addr_is_none(&i->address4);
}

/* Without a word. */
static void withdraw(struct initiator *i, uint8_t family)
{
	initiator_dns_set(i, family, NULL, 0);
	initiator_default_route(i, family == AF_INET6 ? &i->route6 : &i->route4, false);
}

void initiator_network_withdraw_family(struct initiator *i, uint8_t family)
{
	log_message(i->log, LEVEL_WARN, "withdrawn",
		"initiator %s: what %s brought is withdrawn: the softwire goes on without it", i->config.name,
		family == AF_INET6 ? "IPv6" : "IPv4");
	withdraw(i, family);
	if (family == AF_INET6) {
		remove_address(i);
		deprecate_others(i, NULL, loop_now(i->loop));
	} else {
		initiator_network4_clear(i);
	}
	initiator_lan_changed(i);
	initiator_hooks_changed(i);
}

void initiator_network_withdraw(struct initiator *i)
{
	log_message(i->log, LEVEL_WARN, "withdrawn",
		"initiator %s: default route and DNS servers are withdrawn until a softwire is up",
		i->config.name);
	withdraw(i, AF_INET6);
	withdraw(i, AF_INET);
}

/* The router is there, and nobody delegates anything: what an earlier softwire brought leads nowhere. */
static void look_at_unbound(struct initiator *i, msec now)
{
	const struct softwire_si *s = i->state == INITIATOR_UP && i->current ? &i->current->engine : NULL;

	if (!s || !s->softwire.up6 || !s->state.router_known || s->state.has_binding) {
		i->unbound_since = 0;
		return;
	}
	if (i->unbound_since < s->softwire.up_at) /* 0, or of another softwire */
		i->unbound_since = now;
	if (now - i->unbound_since < UNBOUND_MS || !deprecate_others(i, NULL, now))
		return;
	initiator_lan_changed(i);
	initiator_hooks_changed(i);
}

static msec earlier(msec at, msec by)
{
	if (at == MSEC_NEVER)
		return at;
	return at > by ? at - by : 0;
}

void initiator_network_tick(struct initiator *i, msec now)
{
	look_at_unbound(i, now);
	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		struct held_prefix *h = &i->held[n];

		if (prefix_is_none(&h->prefix) || now < h->valid_until)
			continue;
		log_prefix_event(i, "prefix-expired", &h->prefix);
		held_remove(i, h);
		initiator_lan_changed(i);
	}
	initiator_network4_tick(i, now);
}

void initiator_network_slept(struct initiator *i, msec slept)
{
	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		i->held[n].preferred_until = earlier(i->held[n].preferred_until, slept);
		i->held[n].valid_until = earlier(i->held[n].valid_until, slept);
	}
	for (unsigned n = 0; n < HELD_SUBNETS; n++)
		i->subnets[n].valid_until = earlier(i->subnets[n].valid_until, slept);
	initiator_network_tick(i, loop_now(i->loop)); /* what is over goes; the rest is told again: the kernel's clock slept, too */
	initiator_network_lans_change(i, true);
	initiator_lan_changed(i);
}

void initiator_network_clear(struct initiator *i)
{
	initiator_dns_set(i, AF_INET6, NULL, 0);
	initiator_dns_set(i, AF_INET, NULL, 0);
	deprecate_others(i, NULL, loop_now(i->loop));
	initiator_default_route(i, &i->route6, false);
	initiator_default_route(i, &i->route4, false);
	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		if (!prefix_is_none(&i->held[n].prefix))
			lan_addresses(i, &i->held[n], false);
	remove_address(i);
	initiator_network4_clear(i);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the softwire gave goes into the kernel: address, default route, delegated prefixes. DNS servers go to the host's resolver.
 *
 * The default route is only for the family that the softwire brings (HS-SCEN-9). The unused part of a delegated prefix is unreachable,
 * so that it never loops (RFC 7084 WPD-5). While the softwire reconnects everything stays: most times the same prefix comes back. A
 * prefix that did not come back is deprecated on the LAN: preferred lifetime 0, valid for two hours at most (RFC 7084 L-13).
 */
#include "initiator/role.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEPRECATED_MS = 7200 * 1000, DUID_UUID_LEN = 18, METRIC_TRIES = 16 };

static void done(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (result && result != -EPIPE) /* the loss of the keeper is logged once for all */
		log_message(i->log, LEVEL_ERROR, "network", "initiator %s: an address, a route or DNS servers could not be changed: %s", i->config.name,
			strerror(-result));
}

/* Seconds from now; "for ever" stays for ever. */
static uint32_t seconds_left(msec until, msec now)
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
		return (struct prefix){0}; /* fewer /64s than interfaces (HS-PROV-10 asks for bridging then) */
	return p;
}

static void lan_addresses(struct initiator *i, const struct held_prefix *h, bool add)
{
	msec now = loop_now(i->loop);

	for (unsigned n = 0; n < i->config.lan_count; n++) {
		struct prefix p = initiator_lan_prefix(i, &h->prefix, n);
		struct addr a;

		if (prefix_is_none(&p) || !if_nametoindex(i->config.lans[n])) /* one that comes later is seen by initiator_lan_refresh() */
			continue;
		a = addr6_with_iid(&p.addr, 1);
		keeper_address(i->keeper, add, i->config.lans[n], &a, 64, seconds_left(h->valid_until, now),
			seconds_left(h->preferred_until, now), done, i);
	}
}

/* Whether DEVICE is up and has no address A. */
static bool lost_address(const char *device, const struct addr *a)
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

unsigned initiator_network_restore(struct initiator *i, unsigned lan)
{
	msec now = loop_now(i->loop);
	unsigned restored = 0;

	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		const struct held_prefix *h = &i->held[n];
		struct prefix p = initiator_lan_prefix(i, &h->prefix, lan);
		struct addr a;

		if (prefix_is_none(&h->prefix) || !h->routed || prefix_is_none(&p))
			continue;
		a = addr6_with_iid(&p.addr, 1);
		if (!lost_address(i->config.lans[lan], &a))
			continue;
		keeper_address(i->keeper, true, i->config.lans[lan], &a, 64, seconds_left(h->valid_until, now),
			seconds_left(h->preferred_until, now), done, i);
		restored++;
	}
	return restored;
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
		keeper_route(i->keeper, on, &h->prefix, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 0, done, i);
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

/* HS-PROV-10: a /64 cannot be split. The first interface has it; the others need to be bridged with it. */
static void warn_of_short_prefix(struct initiator *i, const struct prefix *p)
{
	uint64_t count = p->len <= 64 ? prefix_count(p, 64) : 0;
	struct log_line l;

	if (i->config.lan_count <= count || !initiator_log(i, &l, LEVEL_WARN, "prefix-too-long"))
		return;
	log_prefix(&l, "prefix", p);
	log_uint(&l, "lan_interfaces", i->config.lan_count);
	log_text(&l, "advice", "make a bridge of the LAN interfaces and name it in lan, or ask for a shorter prefix");
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
		warn_of_short_prefix(i, &h->prefix);
		log_prefix_event(i, "prefix", &h->prefix);
	}
	set_unreachable(i, h, true);
	lan_addresses(i, h, true);
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
	msec now = loop_now(i->loop);
	bool changed = !same_prefixes(&i->hint, &state->binding);

	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		if (!prefix_is_none(&i->held[n].prefix) && i->held[n].current && !in_binding(&state->binding, &i->held[n].prefix))
			deprecate(i, &i->held[n], now);
	for (unsigned n = 0; n < state->binding.prefix_count; n++)
		apply_prefix(i, &state->binding.prefixes[n], state->bound_at);
	i->hint = state->binding;
	if (changed)
		initiator_state_save(i);
}

/* ---- address and default route ---- */

static void apply_address(struct initiator *i, const struct softwire_si_state *state)
{
	if (!addr_is_none(&i->address) && (!state->has_address || !addr_equal(&i->address, &state->address))) {
		keeper_address(i->keeper, false, i->device, &i->address, 128, 0, 0, done, i);
		i->address = (struct addr){0};
	}
	if (!state->has_address)
		return;

	if (addr_is_none(&i->address)) {
		struct log_line l;

		if (initiator_log(i, &l, LEVEL_INFO, "address")) {
			log_addr(&l, "address", &state->address);
			log_end(&l);
		}
	}
	i->address = state->address;
	tun_plane_set_sources(i->plane, &i->address, NULL); /* of ICMP errors */
	keeper_address(i->keeper, true, i->device, &i->address, 128, state->address_valid, state->address_preferred, done, i);
}

static const struct prefix default6 = {.addr = {.family = AF_INET6}};

/* Somebody else's default route has this metric (one from an RA has 1024): ours comes after it. */
static void default_route_answer(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (result != -EEXIST || !i->default_route || i->route_metric - i->config.metric >= METRIC_TRIES) {
		done(owner, result, fd);
		return;
	}
	i->route_metric++;
	keeper_route(i->keeper, true, &default6, KEEPER_ROUTE_DEVICE, i->device, NULL, i->route_metric, default_route_answer, i);
}

static void set_default_route(struct initiator *i, bool on)
{
	if (on == i->default_route)
		return;
	i->default_route = on;
	if (on)
		i->route_metric = i->config.metric;
	keeper_route(i->keeper, on, &default6, KEEPER_ROUTE_DEVICE, i->device, NULL, i->route_metric, default_route_answer, i);
	initiator_lan_changed(i);
}

/* ---- DNS servers ---- */

static const char *print_servers(const struct initiator *i, char text[KEEPER_DNS_MAX * (ADDR_TEXT + 1)])
{
	char server[ADDR_TEXT];
	size_t len = 0;

	text[0] = '\0';
	for (unsigned n = 0; n < i->dns_count; n++)
		len += (size_t)sprintf(text + len, "%s%s", n ? " " : "", addr_print(&i->dns[n], server));
	return text;
}

static void log_dns(struct initiator *i, const char *event, const char *message)
{
	char text[KEEPER_DNS_MAX * (ADDR_TEXT + 1)];
	struct log_line l;

	if (!initiator_log(i, &l, LEVEL_INFO, event))
		return;
	log_text(&l, "servers", print_servers(i, text));
	if (message)
		log_text(&l, "message", message);
	log_end(&l);
}

static void dns_answer(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (result != -ENOENT) {
		done(owner, result, fd);
	} else if (!i->dns_unmanaged) {
		i->dns_unmanaged = true;
		log_dns(i, "dns-unmanaged",
			"neither systemd-resolved nor resolvconf manages resolv.conf here: these servers are not used by themselves");
	}
}

static void set_dns(struct initiator *i, const struct addr *servers, unsigned count)
{
	bool same = count == i->dns_count;

	for (unsigned n = 0; same && n < count; n++)
		same = addr_equal(&servers[n], &i->dns[n]);
	if (same)
		return;
	if (!count)
		log_dns(i, "dns-withdrawn", NULL);
	i->dns_count = count;
	for (unsigned n = 0; n < count; n++)
		i->dns[n] = servers[n];
	if (count)
		log_dns(i, "dns", NULL);
	keeper_dns(i->keeper, i->device, i->dns, count, dns_answer, i);
}

/* Anybody's servers may have been told to us; the keeper would refuse them all for one that is none. */
static bool is_server(const struct addr *a)
{
	return !addr_is_none(a) && !addr_is_unspecified(a) && !addr_is_multicast(a) && !addr_is_loopback(a);
}

static void apply_dns(struct initiator *i, const struct softwire_si_state *state)
{
	struct addr servers[KEEPER_DNS_MAX];
	unsigned count = 0;

	if (!state->router_known || (state->default_router && !state->dns_count && !state->has_binding))
		return; /* not told yet: what we had stays */
	for (unsigned n = 0; n < state->dns_count && state->default_router && count < KEEPER_DNS_MAX; n++)
		if (is_server(&state->dns[n]))
			servers[count++] = state->dns[n];
	set_dns(i, servers, count);
}

void initiator_network_dns(struct initiator *i)
{
	if (strcmp(i->config.dns, "none") == 0)
		set_dns(i, NULL, 0);
	else if (i->current && i->state == INITIATOR_UP)
		apply_dns(i, &i->current->engine.state);
}

void initiator_network_apply(struct initiator *i, const struct softwire_si *s)
{
	const struct softwire_si_state *state = &s->state;
	uint16_t mtu = s->softwire.mtu;

	if (state->mtu && state->mtu < mtu)
		mtu = (uint16_t)state->mtu;
	if (mtu != i->device_mtu) {
		i->device_mtu = mtu;
		keeper_link_mtu(i->keeper, i->device, mtu, done, i);
	}
	if (state->router_known || state->has_address) /* before that, what we had stays */
		apply_address(i, state);
	if (state->router_known) /* RFC 4861 section 6.3.4: a lifetime of 0, or one that is over, ends the default route at once */
		set_default_route(i, state->default_router && i->config.default_route);
	if (state->has_binding)
		apply_binding(i, state);
	initiator_network_dns(i);
	initiator_lan_changed(i);
}

void initiator_network_withdraw(struct initiator *i)
{
	log_message(i->log, LEVEL_WARN, "withdrawn", "initiator %s: default route and DNS servers are withdrawn until a softwire is up", i->config.name);
	set_dns(i, NULL, 0);
	set_default_route(i, false);
}

void initiator_network_tick(struct initiator *i, msec now)
{
	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		struct held_prefix *h = &i->held[n];

		if (prefix_is_none(&h->prefix) || now < h->valid_until)
			continue;
		log_prefix_event(i, "prefix-expired", &h->prefix);
		held_remove(i, h);
		initiator_lan_changed(i);
	}
}

void initiator_network_clear(struct initiator *i)
{
	msec now = loop_now(i->loop);

	set_dns(i, NULL, 0);
	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		if (!prefix_is_none(&i->held[n].prefix) && i->held[n].current)
			deprecate(i, &i->held[n], now);
	set_default_route(i, false);
	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		if (!prefix_is_none(&i->held[n].prefix))
			lan_addresses(i, &i->held[n], false);
	if (!addr_is_none(&i->address))
		keeper_address(i->keeper, false, i->device, &i->address, 128, 0, 0, done, i);
}

/* ---- what survives a restart ---- */

/* Somebody may have edited the file. */
static bool may_be_delegated(const struct prefix *p)
{
	return p->addr.family == AF_INET6 && p->len && p->len <= 64 && !addr_is_link_local(&p->addr) && !addr_is_multicast(&p->addr);
}

static void load_prefix(struct initiator *i, const char *text)
{
	struct held_prefix *h;
	struct prefix p;

	if (prefix_parse(text, &p) || !may_be_delegated(&p) || held_find(i, &p) >= 0 || i->hint.prefix_count >= DHCP6_PREFIX_MAX)
		return;
	h = held_new(i);
	if (!h)
		return;
	/* Held, so that it is deprecated if another one comes; asked for again by the client. */
	*h = (struct held_prefix){.prefix = p,
		.preferred_until = loop_now(i->loop) + DEPRECATED_MS,
		.valid_until = loop_now(i->loop) + DEPRECATED_MS,
		.current = true};
	i->hint.prefixes[i->hint.prefix_count++] = (struct dhcp6_prefix){.prefix = p, .status = DHCP6_NO_STATUS};
}

static bool load_duid(struct initiator *i, const char *hex)
{
	struct dhcp6_client_config *d = &i->softwire.dhcp6_client;
	size_t len = strlen(hex) / 2;

	if (len < 4 || len > sizeof(d->duid) || strlen(hex) % 2)
		return false;
	for (size_t n = 0; n < len; n++) {
		unsigned byte;

		if (sscanf(hex + 2 * n, "%2x", &byte) != 1)
			return false;
		d->duid[n] = (uint8_t)byte;
	}
	d->duid_len = len;
	return true;
}

void initiator_state_load(struct initiator *i)
{
	struct dhcp6_client_config *d = &i->softwire.dhcp6_client;
	const char *duid = NULL;
	json_t *state = json_load_file(i->config.state_path, 0, NULL), *prefixes, *p;
	size_t n;

	if (state && json_unpack(state, "{s:s}", "duid", &duid) == 0 && load_duid(i, duid)) {
		prefixes = json_object_get(state, "prefixes");
		json_array_foreach (prefixes, n, p)
			if (json_is_string(p))
				load_prefix(i, json_string_value(p));
	} else { /* DUID-UUID, RFC 6355 */
		memcpy(d->duid, (uint8_t[2]){0, 4}, 2);
		rng_bytes(i->rng, d->duid + 2, DUID_UUID_LEN - 2);
		d->duid_len = DUID_UUID_LEN;
		initiator_state_save(i);
	}
	json_decref(state);
}

void initiator_state_save(struct initiator *i)
{
	const struct dhcp6_client_config *d = &i->softwire.dhcp6_client;
	char hex[2 * DHCP6_DUID_MAX + 1] = "", path[sizeof(i->config.state_path) + 8];
	json_t *prefixes = json_array(), *state;

	for (size_t n = 0; n < d->duid_len; n++)
		snprintf(hex + 2 * n, 3, "%02x", d->duid[n]);
	for (unsigned n = 0; n < i->hint.prefix_count; n++) {
		char buf[PREFIX_TEXT];

		json_array_append_new(prefixes, json_string(prefix_print(&i->hint.prefixes[n].prefix, buf)));
	}
	state = json_pack("{s:s, s:o}", "duid", hex, "prefixes", prefixes);
	snprintf(path, sizeof(path), "%s.new", i->config.state_path);
	if (!state || json_dump_file(state, path, JSON_INDENT(1)) || rename(path, i->config.state_path))
		log_message(i->log, LEVEL_WARN, "state", "%s cannot be written: %s", i->config.state_path, strerror(errno));
	json_decref(state);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 in the kernel: our address, which is a /32 (HS-PROV-8), and the subnets that were allocated to us.
 *
 * A subnet is shared out among the LAN interfaces: of one subnet each interface gets an equal part, as long as a part is a /30 or larger; several
 * subnets go to the interfaces in order. Our address there is the first of the part. What is not on a LAN is unreachable, so that it never
 * loops. IPv4 has no deprecation: a subnet that did not come back leaves the LAN at once. While the softwire reconnects, all stays.
 */
#include "initiator/role.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* A LAN may have the whole subnet: the route of its interface, metric 0, comes before the one that says "unreachable". */
enum { UNCONFIRMED_MS = 7200 * 1000, EXPIRY_SLACK_MS = 1000, LONGEST_PART = 30, UNREACHABLE_METRIC = 1024 };

static void log_subnet(struct initiator *i, const char *event, const struct prefix *p)
{
	struct log_line l;

	if (initiator_log(i, &l, LEVEL_INFO, event)) {
		log_prefix(&l, "subnet", p);
		log_end(&l);
	}
}

/* ---- the LAN's part of a subnet ---- */

static unsigned subnet_count(const struct initiator *i)
{
	unsigned count = 0;

	for (unsigned n = 0; n < HELD_SUBNETS; n++)
		count += !prefix_is_none(&i->subnets[n].prefix);
	return count;
}

/* Equal parts are powers of two; 0xff: they would be too small. */
static uint8_t part_length(const struct initiator *i, const struct prefix *subnet)
{
	uint8_t len = subnet->len;

	while (1U << (len - subnet->len) < initiator_lan_count(i))
		len++;
	return len <= LONGEST_PART ? len : 0xff;
}

struct prefix initiator_lan_subnet(const struct initiator *i, unsigned n, unsigned lan)
{
	const struct prefix *subnet = &i->subnets[n].prefix;
	struct prefix part = {0};
	uint8_t len;

	if (prefix_is_none(subnet))
		return part;
	if (subnet_count(i) > 1)
		return n % initiator_lan_count(i) == lan ? *subnet : part;
	len = part_length(i, subnet);
	if (len == 0xff)
		return lan == 0 ? *subnet : part;
	if (prefix_nth(subnet, len, lan, &part))
		return (struct prefix){0};
	return part;
}

static void warn_of_small_subnet(struct initiator *i, const struct prefix *subnet)
{
	struct log_line l;

	if (!initiator_lan_count(i) || part_length(i, subnet) != 0xff ||
		!initiator_log(i, &l, LEVEL_WARN, "subnet-too-small"))
		return;
	log_prefix(&l, "subnet", subnet);
	log_uint(&l, "lan_interfaces", initiator_lan_count(i));
	log_text(&l, "advice",
		"only the first LAN interface gets it: make a bridge of them and name it in lan, or ask for "
		"a larger subnet");
	log_end(&l);
}

/* ---- our addresses on the LANs ---- */

static struct lan_address4 first_address(const struct prefix *part, const char *device)
{
	struct lan_address4 a = {.address = part->addr, .len = part->len};

	a.address.bytes[3] |= 1;
	snprintf(a.device, sizeof(a.device), "%s", device);
	return a;
}

static bool same_address(const struct lan_address4 *a, const struct lan_address4 *b)
{
	return addr_equal(&a->address, &b->address) && a->len == b->len && strcmp(a->device, b->device) == 0;
}

/* What should be there; of EARLIER runs, too, which nobody has confirmed. */
static unsigned wanted_addresses(struct initiator *i, bool earlier, struct lan_address4 ret[LAN_ADDRESSES4],
	msec until[LAN_ADDRESSES4])
{
	unsigned lan_count, count = 0;
	struct lan *lans = initiator_lans(i, &lan_count);

	for (unsigned n = 0; n < HELD_SUBNETS; n++) {
		for (unsigned lan = 0; lan < lan_count && (earlier || i->subnets[n].confirmed); lan++) {
			struct prefix part = initiator_lan_subnet(i, n, lan);

			if (prefix_is_none(&part) ||
				!if_nametoindex(
					lans[lan]
						.device)) /* one that comes later is seen by initiator_lan_refresh() */
				continue;
			until[count] = i->subnets[n].valid_until;
			ret[count++] = first_address(&part, lans[lan].device);
		}
	}
	return count;
}

static void remove_others(struct initiator *i, const struct lan_address4 *wanted, unsigned count)
{
	for (unsigned n = 0; n < LAN_ADDRESSES4; n++) {
		struct lan_address4 *a = &i->lan_addresses4[n];
		bool keep = false;

		for (unsigned k = 0; k < count; k++)
			keep |= same_address(a, &wanted[k]);
		if (keep || addr_is_none(&a->address))
			continue;
		keeper_address(
			i->keeper, false, a->device, &a->address, a->len, 0, 0, initiator_network_done, i);
		*a = (struct lan_address4){0};
	}
}

void initiator_network4_lans(struct initiator *i, bool on)
{
	struct lan_address4 wanted[LAN_ADDRESSES4];
	msec until[LAN_ADDRESSES4], now = loop_now(i->loop);
	unsigned count = on ? wanted_addresses(i, false, wanted, until) : 0;

	remove_others(i, wanted, count);
	memset(i->lan_addresses4, 0, sizeof(i->lan_addresses4));
	for (unsigned n = 0; n < count; n++) {
		struct lan_address4 *a = &i->lan_addresses4[n];
		uint32_t left = initiator_seconds_left(until[n], now);

		*a = wanted[n];
		keeper_address(i->keeper, true, a->device, &a->address, a->len, left, left,
			initiator_network_done, i);
	}
}

unsigned initiator_network4_restore(struct initiator *i, const struct lan *lan)
{
	struct lan_address4 wanted[LAN_ADDRESSES4];
	msec until[LAN_ADDRESSES4];
	unsigned count = wanted_addresses(i, false, wanted, until), lost = 0;

	for (unsigned n = 0; n < count; n++)
		lost += strcmp(wanted[n].device, lan->device) == 0 &&
			initiator_lost_address(lan->device, &wanted[n].address);
	if (lost)
		initiator_network4_lans(i, true);
	return lost;
}

/* ---- held subnets ---- */

static void drop_subnet(struct initiator *i, struct held_subnet *h, const char *event)
{
	if (h->confirmed)
		log_subnet(i, event, &h->prefix);
	/* One of an earlier run may be in the kernel, too, if this process was replaced and the keeper was not. */
	keeper_route(i->keeper, false, &h->prefix, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, UNREACHABLE_METRIC,
		initiator_network_done, i);
	*h = (struct held_subnet){0};
}

static const struct dhcp4_subnet *find_bound(const struct dhcp4_binding *b, const struct prefix *p)
{
	for (unsigned n = 0; n < b->subnet_count; n++)
		if (prefix_equal(&b->subnets[n].prefix, p))
			return &b->subnets[n];
	return NULL;
}

static struct held_subnet *find_held(struct initiator *i, const struct prefix *p)
{
	for (unsigned n = 0; n < HELD_SUBNETS; n++)
		if (prefix_equal(&i->subnets[n].prefix, p))
			return &i->subnets[n];
	return NULL;
}

static const struct prefix no_prefix;

/* True: it is a new one. */
static bool apply_subnet(struct initiator *i, const struct prefix *p, msec until)
{
	struct held_subnet *h = find_held(i, p);
	bool fresh;

	if (!h)
		h = find_held(i, &no_prefix);
	if (!h)
		return false;
	fresh = !h->confirmed;
	*h = (struct held_subnet){.prefix = *p, .valid_until = until, .confirmed = true};
	if (!fresh)
		return false;
	log_subnet(i, "subnet", p);
	keeper_route(i->keeper, true, p, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, UNREACHABLE_METRIC, initiator_network_done, i);
	return true;
}

static msec lease_end(const struct dhcp4_binding *b, msec bound_at)
{
	return b->lease == DHCP4_INFINITE ? MSEC_NEVER : bound_at + (msec)b->lease * 1000;
}

static void apply_subnets(struct initiator *i, const struct dhcp4_binding *b, msec until)
{
	const struct prefix *fresh = NULL;

	for (unsigned n = 0; n < HELD_SUBNETS; n++)
		if (!prefix_is_none(&i->subnets[n].prefix) && !find_bound(b, &i->subnets[n].prefix))
			drop_subnet(i, &i->subnets[n], "subnet-withdrawn");
	for (unsigned n = 0; n < b->subnet_count && n < HELD_SUBNETS; n++)
		if (apply_subnet(i, &b->subnets[n].prefix, until))
			fresh = &b->subnets[n].prefix;
	if (fresh && subnet_count(i) == 1)
		warn_of_small_subnet(i, fresh);
	initiator_network4_lans(i, true);
}

bool initiator_network4_load(struct initiator *i, const struct prefix *subnet)
{
	struct held_subnet *h = find_held(i, &no_prefix);

	if (!h || find_held(i, subnet) || i->hint4.subnet_count >= DHCP4_SUBNET_MAX)
		return false;
	*h = (struct held_subnet){.prefix = *subnet, .valid_until = loop_now(i->loop) + UNCONFIRMED_MS};
	return true;
}

void initiator_network4_loaded(struct initiator *i)
{
	msec until[LAN_ADDRESSES4];

	wanted_addresses(i, true, i->lan_addresses4, until);
}

static bool same_subnets(const struct dhcp4_binding *a, const struct dhcp4_binding *b)
{
	for (unsigned n = 0; n < a->subnet_count && a->subnet_count == b->subnet_count; n++)
		if (!prefix_equal(&a->subnets[n].prefix, &b->subnets[n].prefix))
			return false;
	return a->subnet_count == b->subnet_count;
}

/* What is asked for next time, by IPCP or DHCP, whichever it came from. */
static void remember(struct initiator *i, const struct softwire_si_state *state)
{
	struct dhcp4_binding now = state->has_binding4 ? state->binding4 : i->hint4;
	bool changed;

	now.has_address = true;
	now.address = state->address4;
	changed = !i->hint4.has_address || !addr_equal(&now.address, &i->hint4.address) ||
		  !same_subnets(&now, &i->hint4);
	i->hint4 = now;
	if (changed)
		initiator_state_save(i);
}

/* ---- our address ---- */

/* The kernel drops the device's IPv4 routes with its last address: the default route goes with it, knowingly, so that it is set again. */
void initiator_network4_remove_address(struct initiator *i)
{
	if (addr_is_none(&i->address4))
		return;
	initiator_default_route(i, &i->route4, false);
	keeper_address(i->keeper, false, i->device, &i->address4, 32, 0, 0, initiator_network_done, i);
	i->address4 = (struct addr){0};
	initiator_network_sources(i);
}

static void apply_address(struct initiator *i, const struct softwire_si_state *state)
{
	msec now = loop_now(i->loop);
	uint32_t left = UINT32_MAX;
	struct log_line l;

	/* The kernel ends an address's lease by itself: one that comes back later is a new one. */
	if (!addr_equal(&i->address4, &state->address4) || now + EXPIRY_SLACK_MS >= i->address4_until) {
		initiator_network4_remove_address(i);
		if (initiator_log(i, &l, LEVEL_INFO, "address")) {
			log_addr(&l, "address", &state->address4);
			log_text(&l, "by", state->address4_by_dhcp ? "dhcp" : "ipcp");
			log_end(&l);
		}
	}
	if (state->address4_by_dhcp)
		left = initiator_seconds_left(lease_end(&state->binding4, state->bound4_at), now);
	if (!left) /* it has just ended, and the engine is about to say so */
		return;
	i->address4 = state->address4;
	i->address4_until = left == UINT32_MAX ? MSEC_NEVER : now + (msec)left * 1000;
	initiator_network_sources(i);
	keeper_address(i->keeper, true, i->device, &i->address4, 32, left, left, initiator_network_done, i);
}

/* ---- all together ---- */

void initiator_network4_apply(struct initiator *i, const struct softwire_si *s)
{
	const struct softwire_si_state *state = &s->state;

	if (!s->softwire.up4 || addr_is_none(&state->address4)) /* what we had stays for a while */
		return;
	apply_address(i, state);
	initiator_default_route(i, &i->route4, i->config.default_route && !i->config.native4);
	if (state->has_binding4)
		apply_subnets(i, &state->binding4, lease_end(&state->binding4, state->bound4_at));
	remember(i, state);
}

void initiator_network4_tick(struct initiator *i, msec now)
{
	for (unsigned n = 0; n < HELD_SUBNETS; n++) {
		struct held_subnet *h = &i->subnets[n];

		if (prefix_is_none(&h->prefix) || now < h->valid_until)
			continue;
		drop_subnet(i, h, "subnet-expired");
		initiator_network4_lans(i, true);
		initiator_hooks_changed(i);
	}
}

void initiator_network4_clear(struct initiator *i)
{
	initiator_network4_lans(i, false);
	for (unsigned n = 0; n < HELD_SUBNETS; n++)
		if (!prefix_is_none(&i->subnets[n].prefix))
			drop_subnet(i, &i->subnets[n], "subnet-withdrawn");
	initiator_network4_remove_address(i);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about pools: what they hold, and that they share nothing. */
#include <stdlib.h>
#include <string.h>

#include "control/rules.h"

enum { PARTS = 4 };

static bool starts_with(const struct prefix *p, uint8_t byte, uint8_t bits)
{
	struct addr a = {.family = AF_INET6, .bytes = {byte}};
	struct prefix range = prefix_of(&a, bits);

	return prefix_overlaps(p, &range);
}

/* HS-PROV-4: globally routable, or ULA for networks without global connectivity. */
static void check_scope(
	struct problems *r, const config_setting_t *where, const char *key, const struct prefix *p)
{
	struct prefix link_local = {.addr = {.family = AF_INET6, .bytes = {0xfe, 0x80}}, .len = 10};

	if (starts_with(p, 0xff, 8) || starts_with(p, 0, 8) || prefix_overlaps(p, &link_local))
		problem_at(r, true, where,
			"`%s` holds multicast, link-local or reserved addresses: it must be global unicast "
			"(or ULA, fd00::/8)",
			key);
	else if (starts_with(p, 0xfc, 7))
		problem_at(r, false, where,
			"`%s` is a ULA prefix: who gets addresses from it cannot be reached from the "
			"Internet",
			key);
}

static void check_delegate(
	struct problems *r, const config_setting_t *group, const struct lease_pool_config *pool)
{
	unsigned len = pool->delegate_len;

	if (prefix_is_none(&pool->delegate_from))
		return;
	check_scope(r, rule_at(group, "from"), "from", &pool->delegate_from);
	if (!len)
		return; /* told already */
	if (len < pool->delegate_from.len)
		problem_at(r, true, rule_at(group, "length"),
			"`length` is %u, but `from` is only a /%u: it must be %u to 64", len,
			pool->delegate_from.len, pool->delegate_from.len < 48 ? 48 : pool->delegate_from.len);
	else if (len % 4) /* HS-PROV-11 */
		problem_at(r, false, rule_at(group, "length"),
			"`length` is %u: a multiple of 4 keeps the delegation of reverse DNS simple", len);
}

/* ---- IPv4 ---- */

static bool in4(const struct prefix *p, uint8_t a, uint8_t b, uint8_t bits)
{
	struct addr addr = addr4(a, b, 0, 0);
	struct prefix range = prefix_of(&addr, bits);

	return prefix_overlaps(p, &range);
}

/* RFC 1918 and RFC 6598. */
static bool is_private4(const struct prefix *p)
{
	return in4(p, 10, 0, 8) || in4(p, 172, 16, 12) || in4(p, 192, 168, 16) || in4(p, 100, 64, 10);
}

static bool check_scope4(
	struct problems *r, const config_setting_t *where, const char *key, const struct prefix *p)
{
	if (p->len && !in4(p, 0, 0, 8) && !in4(p, 127, 0, 8) && !in4(p, 169, 254, 16) && !in4(p, 224, 0, 3))
		return true;
	problem_at(r, true, where,
		"`%s` holds addresses that are not for hosts (this network, loopback, link-local, multicast "
		"or "
		"reserved ones)",
		key);
	return false;
}

/* HS-PROV-14: /8 to /30. */
static void check_delegate4(
	struct problems *r, const config_setting_t *group, const struct lease_pool_config *pool)
{
	const struct prefix *from = &pool->delegate4_from;
	unsigned len = pool->delegate4_len, least = from->len < 8 ? 8 : from->len;

	if (prefix_is_none(from) || !check_scope4(r, rule_at(group, "from"), "from", from) || !len)
		return; /* told already */
	if (from->len > 30)
		problem_at(r, true, rule_at(group, "from"), "`from` is a /%u: it must be a /30 or shorter",
			from->len);
	else if (len < least)
		problem_at(r, true, rule_at(group, "length"),
			"`length` is %u, but `from` is only a /%u: it must be %u to 30", len, from->len,
			least);
	if (is_private4(from)) /* HS-PROV-7 */
		problem_at(r, false, rule_at(group, "from"),
			"`from` holds private addresses: initiators can use such addresses on their LANs "
			"without "
			"being given any, and will translate them twice");
	else if (!prefix_is_none(&pool->ipv4) && is_private4(&pool->ipv4)) /* HS-PROV-13 */
		problem_at(r, false, rule_at(group, "from"),
			"`from` is global, but `ipv4` of the same pool is private: both must be routable in "
			"the "
			"same network");
}

static void check_ipv4(
	struct problems *r, const config_setting_t *group, const struct lease_pool_config *pool)
{
	if (!prefix_is_none(&pool->ipv4))
		(void)check_scope4(r, rule_at(group, "ipv4"), "ipv4", &pool->ipv4);
	if (rule_group(group, "delegate4"))
		check_delegate4(r, rule_group(group, "delegate4"), pool);
	if (prefix_is_none(&pool->ipv4) && rule_is_set(group, "delegate4"))
		problem_at(r, true, rule_at(group, "delegate4"),
			"`delegate4` needs `ipv4`: an initiator has an address before it has a subnet");
}

/* DNS servers are told over the family that is carried. */
static void check_dns(
	struct problems *r, const config_setting_t *group, const struct concentrator_pool_config *pool)
{
	bool has4 = !prefix_is_none(&pool->lease.ipv4);
	bool has6 = rule_is_set(group, "link6") || rule_is_set(group, "delegate");
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < pool->dns_count; i++)
		if (pool->dns[i].family == AF_INET6 ? !has6 : !has4)
			problem_at(r, false, rule_at(group, "dns"),
				"`dns`: %s is not told to anybody, because this pool has no %s",
				addr_print(&pool->dns[i], text),
				pool->dns[i].family == AF_INET6 ? "IPv6" : "`ipv4`");
}

static void check_pool(
	struct problems *r, const config_setting_t *group, struct concentrator_pool_config *pool)
{
	const struct prefix *link6 = &pool->lease.link6;

	if (!rule_is_set(group, "link6") && !rule_is_set(group, "delegate") && !rule_is_set(group, "ipv4"))
		problem_at(r, true, group,
			"the pool `%s` has nothing to give: it must have `link6`, `delegate` or `ipv4`",
			pool->lease.name);
	if (!prefix_is_none(link6)) {
		if (link6->len > 64)
			problem_at(r, true, rule_at(group, "link6"),
				"`link6` is a /%u: it must be a /64 or shorter, for each softwire gets a /64",
				link6->len);
		check_scope(r, rule_at(group, "link6"), "link6", link6);
	}
	if (rule_group(group, "delegate"))
		check_delegate(r, rule_group(group, "delegate"), &pool->lease);
	if (pool->preferred > pool->valid)
		problem_at(r, true, rule_at(group, "preferred-lifetime"),
			"`preferred-lifetime` is %u, which is longer than `valid-lifetime` (%u): it must not "
			"be",
			pool->preferred, pool->valid);
	check_ipv4(r, group, &pool->lease);
	check_dns(r, group, pool);
}

/* ---- among pools ---- */

struct range {
	const struct prefix *prefix;
	const config_setting_t *where;
	const char *pool, *key;
};

/* What of a pool is there. R has room for PARTS; returns how many. */
static unsigned pool_ranges(
	const config_setting_t *g, const struct lease_pool_config *pool, struct range *ret)
{
	const struct range parts[PARTS] = {
		{&pool->link6, rule_at(g, "link6"), pool->name, "link6"},
		{&pool->delegate_from, rule_is_set(g, "delegate") ? rule_at(g, "delegate") : g, pool->name,
			"delegate"},
		{&pool->ipv4, rule_at(g, "ipv4"), pool->name, "ipv4"},
		{&pool->delegate4_from, rule_at(g, "delegate4"), pool->name, "delegate4"},
	};
	unsigned n = 0;

	for (unsigned i = 0; i < PARTS; i++)
		if (!prefix_is_none(parts[i].prefix))
			ret[n++] = parts[i];
	return n;
}

static void check_overlaps(struct problems *r, const struct range *ranges, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < i; j++)
			if (prefix_overlaps(ranges[i].prefix, ranges[j].prefix))
				problem_at(r, true, ranges[i].where,
					"`%s` of the pool `%s` overlaps `%s` of the pool `%s`: pools must "
					"not share addresses",
					ranges[i].key, ranges[i].pool, ranges[j].key, ranges[j].pool);
}

/* local4 may be an address of `ipv4`: it is then kept back. A small ISP has no other. */
static void check_own_addresses(struct problems *r, const struct range *ranges, unsigned count,
	const config_setting_t *group, const struct concentrator_config *con)
{
	bool serves4 = false;

	for (unsigned i = 0; i < count; i++) {
		bool is4 = !strcmp(ranges[i].key, "ipv4");

		serves4 |= is4;
		if (con->local6.family && prefix_contains_addr(ranges[i].prefix, &con->local6))
			problem_at(r, true, rule_at(group, "local6"),
				"`local6` lies in `%s` of the pool `%s`: it must be an address that no user "
				"gets",
				ranges[i].key, ranges[i].pool);
		if (con->local4.family && !is4 && prefix_contains_addr(ranges[i].prefix, &con->local4))
			problem_at(r, true, rule_at(group, "local4"),
				"`local4` lies in `%s` of the pool `%s`: it must be an address that no user "
				"gets",
				ranges[i].key, ranges[i].pool);
	}
	if (serves4 && !con->local4.family)
		problem_at(r, true, group,
			"`local4` is left out, but pools have `ipv4`: it is our end of every softwire that "
			"carries "
			"IPv4");
}

static void check_anonymous_pool(
	struct problems *r, const config_setting_t *group, const struct concentrator_config *con)
{
	if (!group || !con->anonymous_pool[0])
		return;
	for (unsigned i = 0; i < con->pool_count; i++) {
		if (strcmp(con->pools[i].lease.name, con->anonymous_pool) != 0)
			continue;
		if (!con->pools[i].lease.temporary)
			problem_at(r, false, rule_at(group, "pool"),
				"`pool` of `anonymous` is `%s`, which is not temporary: everybody who comes "
				"and goes "
				"leaves a lease behind",
				con->anonymous_pool);
		return;
	}
	problem_at(r, true, rule_at(group, "pool"),
		"`pool` of `anonymous` is \"%s\", and there is no such pool",
		quoted(con->anonymous_pool).text);
}

void check_pools(struct problems *r, const config_setting_t *group, struct concentrator_config *con)
{
	const config_setting_t *pools = rule_group(group, "pools");
	struct range *ranges = calloc(PARTS * CONCENTRATOR_POOLS_MAX, sizeof(*ranges));
	unsigned n = 0;

	if (!ranges) {
		problem_at(r, true, group, "not enough memory");
		return;
	}

	for (unsigned i = 0; i < con->pool_count; i++) {
		struct concentrator_pool_config *pool = &con->pools[i];
		const config_setting_t *g = rule_group(pools, pool->lease.name);

		if (!g)
			continue; /* its name was refused */
		check_pool(r, g, pool);
		n += pool_ranges(g, &pool->lease, ranges + n);
	}
	check_overlaps(r, ranges, n);
	check_own_addresses(r, ranges, n, group, con);
	free(ranges);
	check_anonymous_pool(r, rule_group(group, "anonymous"), con);
	if (pools && !rule_group(pools, "default"))
		problem_at(r, true, pools,
			"there is no pool `default`: users without a pool of their own get their addresses "
			"from it");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools as they are configured: what is possible, what it becomes; and what no pool may hand out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease/store.h"

enum { BASE_LEN_MIN = 8 };

struct lease_pool *pool_find(const struct lease_store *s, const struct pool_name *name)
{
	for (size_t i = 0; i < s->pool_count; i++)
		if (s->pools[i].name == name)
			return &s->pools[i];
	return NULL;
}

static const struct prefix *config_base(const struct lease_pool_config *c, unsigned part)
{
	const struct prefix *const bases[PARTS] = {
		[PART_LINK] = &c->link6,
		[PART_DELEGATED] = &c->delegate_from,
		[PART_ADDRESS4] = &c->ipv4,
		[PART_SUBNET4] = &c->delegate4_from,
	};

	return bases[part];
}

static unsigned config_unit(const struct lease_pool_config *c, unsigned part)
{
	const unsigned units[PARTS] = {
		[PART_LINK] = 64,
		[PART_DELEGATED] = c->delegate_len,
		[PART_ADDRESS4] = 32,
		[PART_SUBNET4] = c->delegate4_len,
	};

	return units[part];
}

static bool overlaps4(const struct prefix *p, uint8_t a, uint8_t b, unsigned len)
{
	struct addr addr = addr4(a, b, 0, 0);
	struct prefix range = prefix_of(&addr, len);

	return prefix_overlaps(p, &range);
}

static const char *bad_base4(const struct prefix *p)
{
	if (p->addr.family != AF_INET)
		return "is not IPv4";
	if (p->len < BASE_LEN_MIN)
		return "is too large to be a pool";
	if (overlaps4(p, 0, 0, 8) || overlaps4(p, 127, 0, 8) || overlaps4(p, 169, 254, 16) ||
		overlaps4(p, 224, 0, 3))
		return "holds addresses that no host may have: of this network, of the loopback, link-local, "
		       "multicast or reserved ones (RFC 6890)";
	return NULL;
}

static const char *bad_base6(const struct prefix *p)
{
	if (p->addr.family != AF_INET6)
		return "is not IPv6";
	if (p->len < BASE_LEN_MIN)
		return "is too large to be a pool";
	if (p->addr.bytes[0] == 0 || p->addr.bytes[0] == 0xff || addr_is_link_local(&p->addr))
		return "is not global unicast or unique local (RFC 5571 section 6.1.1)";
	return NULL;
}

static int refuse(
	char why[256], const struct lease_pool_config *c, const struct prefix *p, const char *problem)
{
	char text[PREFIX_TEXT];

	snprintf(why, 256, "pool %s: %s %s", c->name, prefix_print(p, text), problem);
	return -EINVAL;
}

static int check_unit(const struct lease_pool_config *c, unsigned part, char why[256])
{
	const struct part_rule *rule = &part_rules[part];
	const struct prefix *base = config_base(c, part);
	unsigned unit = config_unit(c, part);
	char text[PREFIX_TEXT];

	if (unit < rule->min || unit > rule->max) {
		snprintf(why, 256, "pool %s: delegated %s are /%u to /%u (RFC 5571 section 6.2.%u), not /%u",
			c->name, part == PART_SUBNET4 ? "IPv4 prefixes" : "prefixes", rule->min, rule->max,
			part == PART_SUBNET4 ? 2 : 1, unit);
		return -EINVAL;
	}
	if (base->len <= unit)
		return 0;
	if (part == PART_LINK)
		return refuse(
			why, c, base, "cannot be cut into /64s, one per softwire: it must be /64 or shorter");
	snprintf(why, 256, "pool %s: no /%u fits into %s", c->name, unit, prefix_print(base, text));
	return -EINVAL;
}

static int check_pool(const struct lease_pool_config *c, char why[256])
{
	bool any = false;

	if (!memchr(c->name, 0, sizeof(c->name)) || !c->name[0]) {
		snprintf(why, 256, "a pool has no name, or one of more than %zu characters",
			sizeof(c->name) - 1);
		return -EINVAL;
	}
	for (unsigned part = 0; part < PARTS; part++) {
		const struct prefix *base = config_base(c, part);
		const char *problem;
		int rc;

		if (prefix_is_none(base))
			continue;
		any = true;
		problem = part_rules[part].family == AF_INET ? bad_base4(base) : bad_base6(base);
		if (problem)
			return refuse(why, c, base, problem);
		rc = check_unit(c, part, why);
		if (rc)
			return rc;
	}
	if (any)
		return 0;
	snprintf(why, 256,
		"pool %s has neither link6 nor delegate, ipv4 or delegate4: it could hand out nothing",
		c->name);
	return -EINVAL;
}

/* Within a pool, subnets may be cut from where its addresses come from. */
static bool may_share(
	const struct lease_pool_config *c, unsigned i, const struct lease_pool_config *d, unsigned j)
{
	return c == d && (i == PART_ADDRESS4 || i == PART_SUBNET4) &&
	       (j == PART_ADDRESS4 || j == PART_SUBNET4);
}

static int check_overlap(const struct lease_pool_config *c, unsigned i, const struct lease_pool_config *d,
	unsigned j, char why[256])
{
	const struct prefix *p = config_base(c, i), *q = config_base(d, j);
	char a[PREFIX_TEXT], b[PREFIX_TEXT];

	if (prefix_is_none(p) || prefix_is_none(q) || !prefix_overlaps(p, q) || may_share(c, i, d, j))
		return 0;
	snprintf(why, 256, "pool %s: %s overlaps %s of pool %s", c->name, prefix_print(p, a),
		prefix_print(q, b), d->name);
	return -EINVAL;
}

static int check_overlaps(const struct lease_pool_config *pools, size_t count, char why[256])
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(pools[i].name, pools[j].name)) {
				snprintf(why, 256, "pool %s is there twice", pools[i].name);
				return -EINVAL;
			}
	for (size_t i = 0; i < PARTS * count; i++) {
		for (size_t j = 0; j < i; j++) {
			int rc = check_overlap(
				&pools[i / PARTS], i % PARTS, &pools[j / PARTS], j % PARTS, why);

			if (rc)
				return rc;
		}
	}
	return 0;
}

/* The first and last address of ipv4, where there are any beside them. */
static int make_edges(struct span_set *set, const struct prefix *ipv4)
{
	uint8_t len = span_bits(AF_INET, ipv4->len);
	uint64_t first = span_key(&ipv4->addr), keys[] = {first, span_end(first, len)};

	if (prefix_is_none(ipv4) || ipv4->len > 30)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		struct span at = {.first = keys[i], .len = 64}, *n;
		struct prefix p = span_prefix(&at);

		n = span_new(set, &p, NULL);
		if (!n)
			return -ENOMEM;
		span_link(set, n);
	}
	return 0;
}

static void edges_free(struct span_set *set)
{
	struct span *n;

	while ((n = set->head[0])) {
		span_unlink(set, n);
		free(n);
	}
}

static void pools_drop(struct lease_pool *pools, size_t count)
{
	for (size_t i = 0; i < count && pools; i++)
		for (unsigned part = 0; part < PARTS; part++)
			free(pools[i].regions[part].blocks);
	free(pools);
}

void pools_free(struct lease_store *s)
{
	pools_drop(s->pools, s->pool_count);
	edges_free(&s->edges);
}

static int make_pool(struct lease_store *s, const struct lease_pool_config *c, struct lease_pool *ret,
	struct span_set *edges)
{
	int rc = make_edges(edges, &c->ipv4);

	ret->name = pool_name_get(s, c->name);
	for (unsigned part = 0; part < PARTS && !rc; part++)
		rc = region_init(&ret->regions[part], config_base(c, part), config_unit(c, part));
	return ret->name ? rc : -ENOMEM;
}

int lease_store_set_pools(
	struct lease_store *s, const struct lease_pool_config *pools, size_t count, char why[256])
{
	struct lease_pool *new = calloc(count + 1, sizeof(*new));
	struct span_set edges = {.seed = s->edges.seed};
	int rc = new ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !rc; i++)
		rc = check_pool(&pools[i], why);
	if (!rc)
		rc = check_overlaps(pools, count, why);
	for (size_t i = 0; i < count && !rc; i++)
		rc = make_pool(s, &pools[i], &new[i], &edges);
	if (rc) {
		if (rc == -ENOMEM)
			snprintf(why, 256, "out of memory");
		pools_drop(new, count);
		edges_free(&edges);
		return rc;
	}
	pools_free(s);
	s->pools = new;
	s->pool_count = count;
	s->edges = edges;
	for (size_t i = 0; i < count; i++) {
		/* Of a pool that is not configured any more stays known what it was: so its leases end as they would have. */
		new[i].name->temporary = pools[i].temporary;
		for (unsigned part = 0; part < PARTS; part++)
			region_count(s, &new[i].regions[part]);
	}
	temporary_begin(s);
	return 0;
}

const char *reserved_for_other(const struct lease_store *s, uint64_t first, uint64_t last, const char *user)
{
	const struct span *n = span_from(&s->reserved, first);

	for (; n && n->first <= last; n = n->next[0])
		if (strcmp(n->owner, user) != 0)
			return n->owner;
	return NULL;
}

int lease_store_reserve(struct lease_store *s, const struct prefix *p, const char *user)
{
	uint64_t first = span_key(&p->addr);
	uint8_t len = span_bits(p->addr.family, p->len);
	const struct span *held;
	struct span *n;
	char *name;

	if (!span_holds(p) || strlen(user) > LEASE_USER_MAX)
		return -EINVAL;
	held = span_overlap(&s->reserved, first, span_end(first, len));
	if (held)
		return held->first == first && held->len == len && !strcmp(held->owner, user) ? 0 : -EEXIST;
	name = strdup(user);
	n = name ? span_new(&s->reserved, p, name) : NULL;
	if (!n) {
		free(name);
		return -ENOMEM;
	}
	span_occupy(s, &s->reserved, n);
	return 0;
}

void lease_store_clear_reserved(struct lease_store *s)
{
	struct span *n;

	while ((n = s->reserved.head[0])) {
		span_vacate(s, &s->reserved, n);
		free(n->owner);
		free(n);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random requests against a plain model: many users, small pools of both families, fixed prefixes inside and outside of them,
 * reservations, temporary pools, reconfiguration, restarts, crashes, a database that fails. The model knows no index and no
 * lists; it only looks at everything. It foretells what is kept, who loses what, and every refusal; only which free unit
 * somebody gets is the store's own business.
 */
#include "fixture.h"
#include "lib/rng.h"

enum {
	USERS = 24,
	SLOTS = 2,
	LEASES = USERS * SLOTS,
	RESERVED = 8,
	POOLS = 2,
	NOBODY = USERS,
	ANYBODY = USERS + 1
};
enum { LAST_SCALE = 100 };
enum { LINK, DELEGATED, ADDRESS, SUBNET, PARTS };

struct known {
	bool present, fixed[PARTS];
	unsigned holds;
	uint64_t last; /* its last use: LAST_SCALE for each round */
	/* What of it a crash leaves: it is written with each change of the lease, and when the store closes. */
	uint64_t written_last;
	bool written_in_use;
	struct lease lease;
};

struct model {
	struct lease_store *s;
	struct rng rng;
	char folder[64], path[100];
	unsigned files;
	bool on_disk, broken;
	uint64_t round;
	struct known known[LEASES];
	struct lease_pool_config pools[POOLS];
	unsigned pool_count;
	bool temporary[POOLS]; /* as last configured, also when the pool is gone now */
	struct prefix reserved[RESERVED];
	unsigned reserved_by[RESERVED];
	unsigned reserved_count;
	unsigned granted, evicted[PARTS], refused, ended, failed, crashed;
};

static const char *const link_choices[] = {
	"2001:db8:100::/61", "2001:db8:100::/62", "2001:db8:101::/60", NULL};
struct choice {
	const char *from;
	uint8_t len;
};
static const struct choice delegate_choices[] = {{"2001:db8:8000::/52", 56}, {"2001:db8:8000::/52", 54},
	{"2001:db8:8000::/53", 56}, {"2001:db8:8000:f000::/60", 64}};
static const char *const ipv4_choices[] = {
	"10.0.0.0/28", "10.0.0.0/28", "10.0.0.8/29", "10.0.1.0/30", "10.0.2.0/31", "10.0.2.4/32", NULL};
/* Apart from the addresses, among them, around them. */
static const struct choice subnet_choices[] = {{"10.9.0.0/28", 30}, {"10.9.0.0/28", 29}, {"10.0.0.8/29", 30},
	{"10.0.0.0/26", 29}, {"10.0.0.0/28", 30}, {NULL, 0}};
static const char *const fixed_choices[] = {"2001:db8:8000::/56", "2001:db8:8000:300::/56",
	"2001:db8:8000:f003::/64", "2001:db8:8000:f000::/60", "2001:db8:7000::/48", "2001:db8:7000:1::/64",
	"2001:db8:8000::/48", "2001:db8:8000:800::/53"};
static const char *const link_fixed_choices[] = {
	"2001:db8:100:1::/64", "2001:db8:101:1::/64", "2001:db8:9::/64"};
static const char *const address_fixed_choices[] = {
	"10.0.0.0/32", "10.0.0.5/32", "10.0.0.9/32", "10.0.1.1/32", "192.0.2.7/32", "10.9.0.4/32"};
static const char *const subnet_fixed_choices[] = {
	"10.0.0.4/30", "10.0.0.8/29", "10.9.0.8/30", "10.0.0.0/27", "192.0.2.0/24"};

#define COUNT(a)     ((unsigned)(sizeof(a) / sizeof((a)[0])))
#define CHOOSE(m, a) ((a)[below(m, COUNT(a))])

static unsigned below(struct model *m, unsigned bound)
{
	return rng_below(&m->rng, bound);
}

static char *user_name(char name[16], unsigned i)
{
	if (i / SLOTS == NOBODY)
		name[0] = '\0';
	else
		snprintf(name, 16, "u%u", i / SLOTS);
	return name;
}

static const struct lease *find(const struct model *m, unsigned i)
{
	char name[16];

	return lease_find(m->s, user_name(name, i), i % SLOTS);
}

/* Leases by their parts. */

static unsigned get_part(const struct lease *l, unsigned part, struct prefix ret[LEASE_PREFIXES])
{
	switch (part) {
	case LINK:
		ret[0] = l->link6;
		return !prefix_is_none(&l->link6);
	case DELEGATED:
		memcpy(ret, l->delegated, sizeof(l->delegated));
		return l->prefix_count;
	case ADDRESS:
		ret[0] = prefix_of(&l->address4, 32);
		return !addr_is_none(&l->address4);
	default:
		memcpy(ret, l->subnets, sizeof(l->subnets));
		return l->subnet_count;
	}
}

static void clear_part(struct lease *l, unsigned part)
{
	if (part == LINK)
		l->link6 = (struct prefix){0};
	else if (part == DELEGATED)
		l->prefix_count = 0;
	else if (part == ADDRESS)
		l->address4 = (struct addr){0};
	else
		l->subnet_count = 0;
}

static bool same_part(const struct lease *a, const struct lease *b, unsigned part)
{
	struct prefix p[LEASE_PREFIXES], q[LEASE_PREFIXES];
	unsigned count = get_part(a, part, p);

	return count == get_part(b, part, q) && !memcmp(p, q, count * sizeof(p[0]));
}

static bool has_part(const struct lease *l, unsigned part)
{
	struct prefix p[LEASE_PREFIXES];

	return get_part(l, part, p) > 0;
}

/* Whether anything of L overlaps Q, apart from BUT (or NULL). */
static bool lease_overlaps(const struct lease *l, const struct prefix *q, const struct prefix *but)
{
	struct prefix p[LEASE_PREFIXES];

	for (unsigned part = 0; part < PARTS; part++)
		for (unsigned i = get_part(l, part, p); i-- > 0;)
			if (prefix_overlaps(&p[i], q) && !(but && prefix_equal(&p[i], but)))
				return true;
	return false;
}

static void check_lease(const struct model *m, unsigned at)
{
	const struct known *k = &m->known[at];
	struct prefix p[LEASE_PREFIXES];
	char name[16];

	user_name(name, at);
	for (unsigned part = 0; part < PARTS; part++) {
		for (unsigned i = get_part(&k->lease, part, p); i-- > 0;) {
			const struct lease *l = lease_find_by_addr(m->s, &p[i].addr);

			assert_non_null(l);
			assert_string_equal(l->user, name);
			assert_int_equal(l->slot, at % SLOTS);
			assert_false(lease_overlaps(&k->lease, &p[i], &p[i]));
			for (unsigned j = 0; j < at; j++)
				assert_false(m->known[j].present &&
					     lease_overlaps(&m->known[j].lease, &p[i], NULL));
		}
	}
}

/* The store's leases are the model's: none more, none less, none overlapping. */
static void check_all(struct model *m)
{
	size_t count = 0, active = 0, store_active;

	for (unsigned i = 0; i < LEASES; i++) {
		const struct known *k = &m->known[i];
		const struct lease *l = find(m, i);

		assert_int_equal(l != NULL, k->present);
		if (!l)
			continue;
		for (unsigned part = 0; part < PARTS; part++)
			assert_true(same_part(l, &k->lease, part));
		assert_string_equal(l->pool, k->lease.pool);
		assert_int_equal(l->active, k->holds > 0);
		count++;
		active += k->holds > 0;
		check_lease(m, i);
	}
	assert_int_equal(lease_count(m->s, &store_active), count);
	assert_int_equal(store_active, active);
}

/* Pools. */

static unsigned pool_index(const char *name)
{
	return strcmp(name, "default") != 0;
}

static const struct lease_pool_config *pool_named(const struct model *m, const char *name)
{
	unsigned i = pool_index(name);

	return i < m->pool_count ? &m->pools[i] : NULL;
}

static bool is_temporary(const struct model *m, const struct known *k)
{
	return m->temporary[pool_index(k->lease.pool)];
}

/* Nobody holds it, and it should have been forgotten, but the database failed. */
static bool is_left_over(const struct model *m, const struct known *k)
{
	return k->present && !k->holds && is_temporary(m, k);
}

static void sweep(struct model *m)
{
	for (unsigned i = 0; i < LEASES && !m->broken; i++) {
		if (!is_left_over(m, &m->known[i]))
			continue;
		m->known[i] = (struct known){0};
		m->ended++;
	}
}

static const struct prefix *region(const struct lease_pool_config *c, unsigned part, uint8_t *ret_len)
{
	const struct prefix *bases[] = {&c->link6, &c->delegate_from, &c->ipv4, &c->delegate4_from};
	const uint8_t lens[] = {64, c->delegate_len, 32, c->delegate4_len};

	*ret_len = lens[part];
	return bases[part];
}

static void configure(struct model *m)
{
	struct choice from = CHOOSE(m, delegate_choices), from4 = CHOOSE(m, subnet_choices);
	char why[256];

	m->pools[0] = pool_of("default", CHOOSE(m, link_choices), from.from, from.len);
	pool_set4(&m->pools[0], CHOOSE(m, ipv4_choices), from4.from, from4.len);
	m->pools[0].temporary = !below(m, 4);
	m->pools[1] = pool_of("other", "2001:db8:300::/62", "2001:db8:a000::/54", 56);
	pool_set4(&m->pools[1], "10.7.0.0/29", "10.7.0.0/28", 30);
	m->pools[1].temporary = !below(m, 4);
	m->pool_count = below(m, 5) ? 2 : 1;
	if (lease_store_set_pools(m->s, m->pools, m->pool_count, why))
		fail_msg("%s", why);
	for (unsigned i = 0; i < m->pool_count; i++)
		m->temporary[i] = m->pools[i].temporary;
	sweep(m);
}

static struct prefix any_fixed(struct model *m)
{
	switch (below(m, PARTS)) {
	case LINK:
		return p(CHOOSE(m, link_fixed_choices));
	case DELEGATED:
		return p(CHOOSE(m, fixed_choices));
	case ADDRESS:
		return p(CHOOSE(m, address_fixed_choices));
	default:
		return p(CHOOSE(m, subnet_fixed_choices));
	}
}

static void reserve(struct model *m)
{
	lease_store_clear_reserved(m->s);
	m->reserved_count = 0;
	for (unsigned i = below(m, RESERVED + 1); i-- > 0;) {
		struct prefix q = any_fixed(m);
		unsigned user = below(m, USERS + 3) >= USERS ? NOBODY : below(m, USERS);
		bool clash = false, same = false;
		char name[16];
		int rc;

		for (unsigned j = 0; j < m->reserved_count; j++) {
			clash = clash || prefix_overlaps(&q, &m->reserved[j]);
			same = same || (prefix_equal(&q, &m->reserved[j]) && m->reserved_by[j] == user);
		}
		rc = lease_store_reserve(m->s, &q, user_name(name, user * SLOTS));
		assert_int_equal(rc, same ? 0 : clash ? -EEXIST : 0);
		if (clash)
			continue;
		m->reserved[m->reserved_count] = q;
		m->reserved_by[m->reserved_count++] = user;
	}
}

static bool is_reserved(const struct model *m, const struct prefix *q, unsigned but_for)
{
	for (unsigned i = 0; i < m->reserved_count; i++)
		if (m->reserved_by[i] != but_for && prefix_overlaps(&m->reserved[i], q))
			return true;
	return false;
}

/* Whether it has the first or last address of a pool's ipv4. */
static bool has_edge(const struct model *m, const struct prefix *q)
{
	for (unsigned i = 0; i < m->pool_count; i++) {
		const struct prefix *base = &m->pools[i].ipv4;
		struct prefix first, last;

		if (prefix_is_none(base) || base->len > 30)
			continue;
		assert_int_equal(prefix_nth(base, 32, 0, &first), 0);
		assert_int_equal(prefix_nth(base, 32, prefix_count(base, 32) - 1, &last), 0);
		if (prefix_contains(q, &first) || prefix_contains(q, &last))
			return true;
	}
	return false;
}

/* What happens in one acquire: WORLD is everybody else, OWN what the user has so far. */

static bool is_taken(const struct model *m, const struct known *world, const struct lease *own,
	const struct prefix *q, const struct prefix *but)
{
	if (is_reserved(m, q, ANYBODY) || has_edge(m, q) || lease_overlaps(own, q, NULL))
		return true;
	for (unsigned i = 0; i < LEASES; i++)
		if (world[i].present && lease_overlaps(&world[i].lease, q, but))
			return true;
	return false;
}

/* How many units nobody has; with BUT, how many of those that it overlaps would be free without it. */
static unsigned count_free(const struct model *m, const struct known *world, const struct lease *own,
	const struct lease_pool_config *c, unsigned part, const struct prefix *but)
{
	uint8_t len;
	const struct prefix *base = region(c, part, &len);
	struct prefix unit;
	unsigned count = 0;

	for (uint64_t u = 0; !prefix_nth(base, len, u, &unit); u++)
		if (!(but && !prefix_overlaps(&unit, but)) && !is_taken(m, world, own, &unit, but))
			count++;
	return count;
}

static bool is_ipv4(unsigned part)
{
	return part == ADDRESS || part == SUBNET;
}

/* Which part this one would lose, so that a unit becomes free; PARTS: none. */
static unsigned useful_part(const struct model *m, const struct known *world, unsigned i,
	const struct lease *own, const struct lease_pool_config *c, unsigned part)
{
	const struct known *k = &world[i];
	bool shared = is_ipv4(part) && !prefix_is_none(&c->ipv4) && !prefix_is_none(&c->delegate4_from) &&
		      prefix_overlaps(&c->ipv4, &c->delegate4_from);
	struct prefix q[LEASE_PREFIXES];

	if (!k->present || k->holds || strcmp(k->lease.pool, c->name) != 0)
		return PARTS;
	for (unsigned other = 0; other < PARTS; other++) {
		if (k->fixed[other] || (other != part && !(shared && is_ipv4(other))))
			continue;
		for (unsigned n = get_part(&k->lease, other, q); n-- > 0;)
			if (count_free(m, world, own, c, part, &q[n]))
				return other;
	}
	return PARTS;
}

static uint64_t oldest_useful(const struct model *m, const struct known *world, const struct lease *own,
	const struct lease_pool_config *c, unsigned part)
{
	uint64_t oldest = UINT64_MAX;

	for (unsigned i = 0; i < LEASES; i++)
		if (world[i].last < oldest && useful_part(m, world, i, own, c, part) < PARTS)
			oldest = world[i].last;
	return oldest;
}

static void lose(struct model *m, struct known *k, unsigned part)
{
	bool any = false;

	clear_part(&k->lease, part);
	k->fixed[part] = false;
	for (unsigned i = 0; i < PARTS; i++)
		any = any || has_part(&k->lease, i);
	if (!any)
		*k = (struct known){0};
	k->written_last = k->last;
	k->written_in_use = false;
	m->evicted[part]++;
}

/* The user got this part from the pool: if nothing was free, who was idle longest has lost what helps. */
static void replay_part(struct model *m, struct known *world, const struct lease *own,
	const struct lease_pool_config *c, unsigned part)
{
	uint64_t oldest;

	if (count_free(m, world, own, c, part, NULL))
		return;
	oldest = oldest_useful(m, world, own, c, part);
	for (unsigned i = 0; i < LEASES; i++) {
		unsigned loses = useful_part(m, world, i, own, c, part);
		const struct lease *now = find(m, i);

		if (loses == PARTS || world[i].last != oldest ||
			(now && same_part(now, &world[i].lease, loses)))
			continue;
		lose(m, &world[i], loses);
		return;
	}
	fail_msg("round %llu: nobody could lose part %u", (unsigned long long)m->round, part);
}

struct asked {
	unsigned self;
	const struct lease_request *r;
	const struct lease_pool_config *c; /* NULL: there is no such pool */
	const char *pool;
	struct known before;
};

static unsigned get_fixed(const struct lease_request *r, unsigned part, struct prefix ret[LEASE_PREFIXES])
{
	struct lease l = {.link6 = r->fixed_link,
		.prefix_count = r->fixed_count,
		.address4 = r->fixed4,
		.subnet_count = r->fixed_subnet_count};

	memcpy(l.delegated, r->fixed, sizeof(l.delegated));
	memcpy(l.subnets, r->fixed_subnets, sizeof(l.subnets));
	return get_part(&l, part, ret);
}

static bool is_wanted(const struct lease_request *r, unsigned part)
{
	const bool wanted[] = {r->want_link, r->want_delegated, r->want_ipv4, r->want_subnet};

	return wanted[part];
}

static bool is_unit(const struct lease_pool_config *c, unsigned part, const struct prefix *q)
{
	uint8_t len;
	const struct prefix *base;

	if (!c)
		return false;
	base = region(c, part, &len);
	return !prefix_is_none(base) && q->len == len && prefix_contains(base, q);
}

/* Whether the user's old part stays. */
static bool is_kept(const struct model *m, const struct asked *a, unsigned part)
{
	struct prefix q[LEASE_PREFIXES], fixed[LEASE_PREFIXES];
	unsigned count = get_part(&a->before.lease, part, q), fixed_count = get_fixed(a->r, part, fixed);
	bool keep = a->before.present && count && a->before.fixed[part] == (fixed_count > 0);

	if (fixed_count)
		return keep && count == fixed_count && !memcmp(q, fixed, count * sizeof(q[0]));
	for (unsigned i = 0; i < count && keep; i++)
		keep = !is_reserved(m, &q[i], a->self / SLOTS) &&
		       (!strcmp(a->before.lease.pool, a->pool) || is_unit(a->c, part, &q[i]));
	return keep;
}

/* Takes what the pool gives from OWN: what remains is what the user had before the pool was asked. */
static void without_pooled(
	const struct model *m, const struct asked *a, struct lease *own, bool pooled[PARTS])
{
	struct prefix fixed[LEASE_PREFIXES];

	for (unsigned part = 0; part < PARTS; part++) {
		pooled[part] = !is_kept(m, a, part) && !get_fixed(a->r, part, fixed);
		if (pooled[part])
			clear_part(own, part);
	}
}

static void check_granted_part(
	const struct model *m, const struct asked *a, const struct lease *l, unsigned part)
{
	struct prefix q[LEASE_PREFIXES], fixed[LEASE_PREFIXES];
	unsigned count = get_part(l, part, q), fixed_count = get_fixed(a->r, part, fixed);
	uint8_t len;

	if (fixed_count) {
		assert_int_equal(count, fixed_count);
		assert_memory_equal(q, fixed, count * sizeof(q[0]));
	} else if (is_kept(m, a, part)) {
		assert_true(same_part(l, &a->before.lease, part));
	} else if (is_wanted(a->r, part) && a->c && !prefix_is_none(region(a->c, part, &len))) {
		assert_int_equal(count, 1);
		assert_true(is_unit(a->c, part, &q[0]));
		assert_false(is_reserved(m, &q[0], ANYBODY) || has_edge(m, &q[0]));
	} else {
		assert_int_equal(count, 0);
	}
}

static bool is_changed(const struct asked *a, const struct lease *l)
{
	struct prefix fixed[LEASE_PREFIXES];

	if (!a->before.present || strcmp(a->before.lease.pool, l->pool) != 0)
		return true;
	for (unsigned part = 0; part < PARTS; part++)
		if (!same_part(&a->before.lease, l, part) ||
			a->before.fixed[part] != (get_fixed(a->r, part, fixed) > 0))
			return true;
	return false;
}

static void check_grant(struct model *m, const struct asked *a, const struct lease *l)
{
	struct known world[LEASES], *k = &m->known[a->self];
	struct prefix fixed[LEASE_PREFIXES], q[LEASE_PREFIXES];
	struct lease own = *l;
	bool pooled[PARTS];

	memcpy(world, m->known, sizeof(world));
	world[a->self] = (struct known){0};
	for (unsigned part = 0; part < PARTS; part++)
		check_granted_part(m, a, l, part);
	without_pooled(m, a, &own, pooled);
	for (unsigned part = 0; part < PARTS; part++) {
		if (!pooled[part] || !get_part(l, part, q))
			continue;
		replay_part(m, world, &own, a->c, part);
		if (part == LINK)
			own.link6 = q[0];
		else if (part == DELEGATED)
			own.prefix_count = 1;
		else if (part == ADDRESS)
			own.address4 = q[0].addr;
		else
			own.subnet_count = 1;
	}
	world[a->self] = *k;
	memcpy(m->known, world, sizeof(world));
	if (is_changed(a, l)) {
		k->written_last = k->last;
		k->written_in_use = true;
	}
	k->present = true;
	for (unsigned part = 0; part < PARTS; part++)
		k->fixed[part] = get_fixed(a->r, part, fixed) > 0 && has_part(l, part);
	k->lease = *l;
	k->holds++;
	m->granted++;
}

/* Refusals. */

static bool explains_exists(const struct model *m, const struct asked *a)
{
	struct prefix q[LEASE_PREFIXES];

	for (unsigned part = 0; part < PARTS; part++) {
		for (unsigned n = get_fixed(a->r, part, q); n-- > 0;) {
			if (is_reserved(m, &q[n], a->self / SLOTS))
				return true;
			for (unsigned j = 0; j < LEASES; j++)
				if (j != a->self && m->known[j].present &&
					lease_overlaps(&m->known[j].lease, &q[n], NULL))
					return true;
		}
	}
	return false;
}

/* Fixed ones that overlap what the user keeps, or each other; no such pool. */
static bool explains_invalid(const struct model *m, const struct asked *a)
{
	struct lease own = a->before.lease;
	bool pooled[PARTS], missing = false;
	struct prefix q[LEASE_PREFIXES], all[LEASE_SUBNETS + LEASE_PREFIXES + 2];
	unsigned count = 0;

	without_pooled(m, a, &own, pooled);
	for (unsigned part = 0; part < PARTS; part++) {
		missing = missing || (pooled[part] && is_wanted(a->r, part));
		for (unsigned n = get_fixed(a->r, part, q); n-- > 0; all[count++] = q[n])
			if (lease_overlaps(&own, &q[n], &q[n]))
				return true;
	}
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < i; j++)
			if (prefix_overlaps(&all[i], &all[j]))
				return true;
	return !a->c && missing;
}

/* Some part is short: nothing free, and nobody who could lose it. The user's own new address may have taken the last subnet. */
static bool explains_full(const struct model *m, const struct asked *a)
{
	struct known world[LEASES];
	struct prefix fixed[LEASE_PREFIXES];
	struct lease own = a->before.lease;
	bool pooled[PARTS];
	uint8_t len;

	memcpy(world, m->known, sizeof(world));
	world[a->self] = (struct known){0};
	without_pooled(m, a, &own, pooled);
	own.link6 = get_fixed(a->r, LINK, fixed) ? fixed[0] : own.link6;
	for (unsigned part = DELEGATED; part < PARTS; part++) {
		unsigned count = get_fixed(a->r, part, fixed);

		if (count && part == DELEGATED)
			memcpy(own.delegated, fixed, sizeof(fixed)), own.prefix_count = count;
		else if (count && part == ADDRESS)
			own.address4 = fixed[0].addr;
		else if (count)
			memcpy(own.subnets, fixed, sizeof(own.subnets)), own.subnet_count = count;
	}
	for (unsigned part = 0; part < PARTS; part++) {
		unsigned room;

		if (!pooled[part] || !is_wanted(a->r, part) || prefix_is_none(region(a->c, part, &len)))
			continue;
		room = count_free(m, world, &own, a->c, part, NULL);
		for (unsigned i = 0; i < LEASES; i++)
			room += useful_part(m, world, i, &own, a->c, part) < PARTS;
		if (room <= (part == SUBNET && pooled[ADDRESS] && is_wanted(a->r, ADDRESS)))
			return true;
	}
	return false;
}

static void check_refusal(struct model *m, const struct asked *a, const struct answered *got)
{
	bool explained = false;

	m->refused++;
	if (got->result == -EEXIST)
		explained = explains_exists(m, a);
	else if (got->result == -ENOSPC)
		explained = explains_full(m, a);
	else if (got->result == -EINVAL)
		explained = explains_invalid(m, a);
	else if (got->result == -EIO)
		explained = m->broken;
	if (!explained)
		fail_msg("round %llu: %d %s", (unsigned long long)m->round, got->result, got->why);
}

/* A hold has ended. */
static void leave(struct model *m, struct known *k)
{
	if (!k->present || k->holds)
		return;
	k->last = m->round * LAST_SCALE;
	if (!is_temporary(m, k) || m->broken)
		return;
	*k = (struct known){0};
	m->ended++;
}

/* What is done. */

static struct lease_request random_request(struct model *m, unsigned i)
{
	struct lease_request r = {0};

	user_name(r.user, i);
	r.slot = (uint16_t)(i % SLOTS);
	if (!below(m, 4))
		strcpy(r.pool, "other");
	r.want_link = below(m, 8) != 0;
	r.want_delegated = below(m, 8) != 0;
	r.want_ipv4 = below(m, 6) != 0;
	r.want_subnet = below(m, 3) == 0;
	if (!below(m, 8)) {
		r.fixed_count = 1;
		r.fixed[0] = p(CHOOSE(m, fixed_choices));
	}
	if (!below(m, 12))
		r.fixed_link = p(CHOOSE(m, link_fixed_choices));
	if (!below(m, 12))
		r.fixed4 = p(CHOOSE(m, address_fixed_choices)).addr;
	if (!below(m, 12)) {
		r.fixed_subnet_count = 1 + below(m, LEASE_SUBNETS);
		for (unsigned n = 0; n < r.fixed_subnet_count; n++)
			r.fixed_subnets[n] = p(CHOOSE(m, subnet_fixed_choices));
	}
	return r;
}

static void do_acquire(struct model *m)
{
	unsigned i = below(m, LEASES);
	struct lease_request r = random_request(m, i);
	const char *pool = r.pool[0] ? r.pool : "default";
	struct asked a = {.self = i, .r = &r, .pool = pool, .c = pool_named(m, pool), .before = m->known[i]};
	struct answered got;

	if (is_left_over(m, &a.before))
		a.before = (struct known){0};
	got = acquire(m->s, &r);
	m->known[i].last = m->round * LAST_SCALE;
	if (got.result) {
		check_refusal(m, &a, &got);
		leave(m, &m->known[i]);
	} else {
		/* A database that fails stores nothing: then it can only be what the user has already. */
		if (m->broken)
			assert_true(a.before.present && got.lease.granted_at == a.before.lease.granted_at);
		check_grant(m, &a, &got.lease);
	}
	m->failed += got.result == -EIO;
}

static void do_idle(struct model *m)
{
	unsigned i = below(m, LEASES);
	struct known *k = &m->known[i];
	char name[16];

	lease_idle(m->s, user_name(name, i), i % SLOTS);
	if (!k->present || !k->holds)
		return;
	k->holds--;
	leave(m, k);
}

static void do_forget(struct model *m)
{
	unsigned i = below(m, LEASES);
	struct answered a = {0};
	char name[16];

	lease_forget(m->s, user_name(name, i), i % SLOTS, remember, &a);
	assert_int_equal(a.result, !m->known[i].present ? -ENOENT
				   : m->known[i].holds  ? -EBUSY
				   : m->broken          ? -EIO
							: 0);
	if (!a.result)
		m->known[i] = (struct known){0};
}

/* A disk that is full takes no commits. */
static void set_broken(struct model *m, bool broken)
{
	if (!m->on_disk || m->broken == broken)
		return;
	fill_disk(broken);
	m->broken = broken;
}

static void open_store(struct model *m)
{
	char why[256];

	m->s = lease_store_open(NULL, m->on_disk ? m->path : ":memory:", NULL, why);
	if (!m->s)
		fail_msg("%s", why);
}

static void copy_file(const char *from, const char *to, const char *suffix)
{
	char path[128], buffer[65536];
	ssize_t n;
	int in, out;

	snprintf(path, sizeof(path), "%s%s", from, suffix);
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return;
	snprintf(path, sizeof(path), "%s%s", to, suffix);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, (size_t)n), n);
	close(in);
	close(out);
}

/* Goes on with what a process would find that came after one that was killed now. */
static void crash(struct model *m)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/crashed%u.db", m->folder, m->files++);
	copy_file(m->path, path, "");
	copy_file(m->path, path, "-wal");
	lease_store_close(m->s);
	remove_database(m->path);
	memcpy(m->path, path, sizeof(path));
	m->crashed++;
}

/* What a new process makes of what was written. Who was in use was used later than all others. */
static void restart(struct model *m, bool killed)
{
	struct known *k = m->known;

	for (unsigned i = 0; i < LEASES; i++) {
		if (!killed) {
			k[i].written_last = k[i].last;
			k[i].written_in_use = k[i].holds > 0;
		}
		k[i].last = k[i].written_last;
		k[i].holds = 0;
	}
	for (unsigned i = 0; i < LEASES; i++) {
		if (!k[i].written_in_use)
			continue;
		k[i].last = m->round * LAST_SCALE;
		for (unsigned j = 0; j < LEASES; j++)
			k[i].last += k[j].written_in_use && k[j].written_last < k[i].written_last;
	}
}

static void do_reopen(struct model *m, bool killed)
{
	if (!m->on_disk)
		return;
	set_broken(m, false);
	if (killed)
		crash(m);
	else
		lease_store_close(m->s);
	open_store(m);
	restart(m, killed);
	memset(m->temporary, 0, sizeof(m->temporary));
	configure(m);
	reserve(m);
}

static void run(struct model *m, unsigned rounds)
{
	configure(m);
	for (m->round = 1; m->round <= rounds; m->round++) {
		unsigned what = below(m, 1000);

		if (what < 500)
			do_acquire(m);
		else if (what < 900)
			do_idle(m);
		else if (what < 960)
			do_forget(m);
		else if (what < 970)
			configure(m);
		else if (what < 980)
			reserve(m);
		else if (what < 990)
			set_broken(m, !m->broken);
		else
			do_reopen(m, what < 993);
		check_all(m);
	}
	set_broken(m, false);
}

/* The runs have been where they should be. */
static void count_up(struct model *sum, const struct model *m)
{
	sum->granted += m->granted;
	sum->refused += m->refused;
	sum->ended += m->ended;
	sum->failed += m->failed;
	sum->crashed += m->crashed;
	for (unsigned part = 0; part < PARTS; part++)
		sum->evicted[part] += m->evicted[part];
}

static void check_sum(const struct model *sum, unsigned rounds)
{
	assert_true(sum->granted > rounds / 10);
	assert_true(sum->refused > 20 && sum->ended > 20);
	for (unsigned part = 0; part < PARTS; part++)
		assert_true(sum->evicted[part] > 5);
}

/* proves: HS-PROV-1 partial, HS-PROV-2 partial */
static void two_users_never_hold_the_same(void **state)
{
	struct model sum = {0};

	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct model m = {0};

		rng_init_seed(&m.rng, seed);
		open_store(&m);
		run(&m, 4000);
		lease_store_close(m.s);
		count_up(&sum, &m);
	}
	check_sum(&sum, 8 * 4000);
}

static void nor_across_restarts_crashes_and_failures_of_the_database(void **state)
{
	struct model sum = {0};

	for (uint64_t seed = 101; seed <= 104; seed++) {
		struct model m = {.on_disk = true};

		make_folder(m.folder);
		snprintf(m.path, sizeof(m.path), "%s/leases.db", m.folder);
		rng_init_seed(&m.rng, seed);
		open_store(&m);
		run(&m, 1500);
		lease_store_close(m.s);
		remove_folder(m.folder);
		count_up(&sum, &m);
	}
	check_sum(&sum, 4 * 1500);
	assert_true(sum.failed > 20 && sum.crashed > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_users_never_hold_the_same),
		cmocka_unit_test(nor_across_restarts_crashes_and_failures_of_the_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

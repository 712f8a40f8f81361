/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random requests against a plain model: many users, small pools, fixed prefixes inside and outside of them, reservations,
 * reconfiguration, restarts. The model knows no order and no index; it only looks at everything.
 */
#include "fixture.h"
#include "lib/rng.h"

enum { USERS = 24, SLOTS = 2, LEASES = USERS * SLOTS, RESERVED = 6, POOLS = 2 };

struct known {
	bool present, fixed_link, fixed_delegated;
	unsigned holds;
	uint64_t last; /* when it was used last, in rounds */
	struct lease lease;
};

struct model {
	struct lease_store *s;
	struct rng rng;
	char folder[64], path[100];
	bool on_disk;
	uint64_t round;
	struct known known[LEASES];
	struct lease_pool_config pools[POOLS];
	struct prefix reserved[RESERVED];
	unsigned reserved_by[RESERVED];
	unsigned reserved_count, granted, evicted, refused;
};

static const char *const link_choices[] = {
	"2001:db8:100::/61", "2001:db8:100::/62", "2001:db8:101::/60", NULL};
static const struct {
	const char *from;
	uint8_t len;
} delegate_choices[] = {{"2001:db8:8000::/52", 56}, {"2001:db8:8000::/52", 54}, {"2001:db8:8000::/53", 56},
	{"2001:db8:8000:f000::/60", 64}};
static const char *const fixed_choices[] = {"2001:db8:8000::/56", "2001:db8:8000:300::/56",
	"2001:db8:8000:f003::/64", "2001:db8:8000:f000::/60", "2001:db8:7000::/48", "2001:db8:7000:1::/64",
	"2001:db8:8000::/48", "2001:db8:8000:800::/53"};
static const char *const link_fixed_choices[] = {
	"2001:db8:100:1::/64", "2001:db8:101:1::/64", "2001:db8:9::/64"};

static unsigned below(struct model *m, unsigned bound)
{
	return rng_below(&m->rng, bound);
}

static void user_name(char name[16], unsigned i)
{
	snprintf(name, 16, "u%u", i / SLOTS);
}

static bool lease_overlaps(const struct lease *l, const struct prefix *q)
{
	bool yes = !prefix_is_none(&l->link6) && prefix_overlaps(&l->link6, q);

	for (unsigned i = 0; i < l->prefix_count; i++)
		yes = yes || prefix_overlaps(&l->delegated[i], q);
	return yes;
}

static bool leases_overlap(const struct lease *a, const struct lease *b)
{
	bool yes = !prefix_is_none(&a->link6) && lease_overlaps(b, &a->link6);

	for (unsigned i = 0; i < a->prefix_count; i++)
		yes = yes || lease_overlaps(b, &a->delegated[i]);
	return yes;
}

static bool same_prefixes(const struct lease *a, const struct lease *b)
{
	return prefix_equal(&a->link6, &b->link6) && a->prefix_count == b->prefix_count &&
	       !memcmp(a->delegated, b->delegated, sizeof(a->delegated));
}

/* The store's leases are the model's: none more, none less, none overlapping. */
static void check_all(struct model *m)
{
	size_t count = 0, active = 0, store_active;
	char name[16];

	for (unsigned i = 0; i < LEASES; i++) {
		const struct known *k = &m->known[i];
		const struct lease *l;

		user_name(name, i);
		l = lease_find(m->s, name, i % SLOTS);
		assert_int_equal(l != NULL, k->present);
		if (!l)
			continue;
		assert_true(same_prefixes(l, &k->lease));
		assert_int_equal(l->active, k->holds > 0);
		count++;
		active += k->holds > 0;
		if (!prefix_is_none(&k->lease.link6))
			assert_string_equal(lease_find_by_addr(m->s, &k->lease.link6.addr)->user, name);
		for (unsigned j = 0; j < i; j++)
			assert_false(m->known[j].present && leases_overlap(&m->known[j].lease, &k->lease));
	}
	assert_int_equal(lease_count(m->s, &store_active), count);
	assert_int_equal(store_active, active);
}

static void configure(struct model *m)
{
	unsigned link = below(m, 4), delegate = below(m, 4);
	char why[256];

	m->pools[0] = pool_of("default", link_choices[link], delegate_choices[delegate].from,
		delegate_choices[delegate].len);
	m->pools[1] = pool_of("other", "2001:db8:300::/62", "2001:db8:a000::/54", 56);
	assert_int_equal(lease_store_set_pools(m->s, m->pools, POOLS, why), 0);
}

static void reserve(struct model *m)
{
	lease_store_clear_reserved(m->s);
	m->reserved_count = 0;
	for (unsigned i = below(m, RESERVED + 1); i-- > 0;) {
		struct prefix q =
			p(below(m, 2) ? fixed_choices[below(m, 8)] : link_fixed_choices[below(m, 3)]);
		unsigned user = below(m, USERS);
		bool clash = false, same = false;
		char name[16];
		int rc;

		user_name(name, user * SLOTS);
		for (unsigned j = 0; j < m->reserved_count; j++) {
			clash = clash || prefix_overlaps(&q, &m->reserved[j]);
			same = same || (prefix_equal(&q, &m->reserved[j]) && m->reserved_by[j] == user);
		}
		rc = lease_store_reserve(m->s, &q, name);
		assert_int_equal(rc, same ? 0 : clash ? -EEXIST : 0);
		if (clash)
			continue;
		m->reserved[m->reserved_count] = q;
		m->reserved_by[m->reserved_count++] = user;
	}
}

static bool reserved_for_other(const struct model *m, const struct prefix *q, unsigned user)
{
	for (unsigned i = 0; i < m->reserved_count; i++)
		if (m->reserved_by[i] != user && prefix_overlaps(&m->reserved[i], q))
			return true;
	return false;
}

static bool reserved_at_all(const struct model *m, const struct prefix *q)
{
	return reserved_for_other(m, q, USERS);
}

static const struct prefix *region_base(const struct lease_pool_config *c, bool link, uint8_t *ret_len)
{
	*ret_len = link ? 64 : c->delegate_len;
	return link ? &c->link6 : &c->delegate_from;
}

/* Is every unit overlapped by a reservation, by somebody else's lease as it was before, or by what KEPT says? */
static bool is_full(const struct model *m, const struct known *before, unsigned self,
	const struct lease_pool_config *c, bool link, const struct lease *kept)
{
	uint8_t len;
	const struct prefix *base = region_base(c, link, &len);
	struct prefix unit;

	for (uint64_t u = 0; !prefix_nth(base, len, u, &unit); u++) {
		bool used = reserved_at_all(m, &unit) || (kept && lease_overlaps(kept, &unit));

		for (unsigned i = 0; i < LEASES && !used; i++)
			used = i != self && before[i].present && lease_overlaps(&before[i].lease, &unit);
		if (!used)
			return false;
	}
	return true;
}

/* Would the region win a unit if this lease went? */
static bool is_useful(
	const struct model *m, const struct known *k, const struct lease_pool_config *c, bool link)
{
	uint8_t len;
	const struct prefix *base = region_base(c, link, &len);
	const struct prefix *q = link ? &k->lease.link6 : &k->lease.delegated[0];

	if (!k->present || k->holds || strcmp(k->lease.pool, c->name) || prefix_is_none(base))
		return false;
	if (link ? k->fixed_link || prefix_is_none(q) : k->fixed_delegated || !k->lease.prefix_count)
		return false;
	return q->len == len && prefix_contains(base, q) && !reserved_at_all(m, q);
}

static bool is_oldest_useful(const struct model *m, const struct known *before, const bool gone[LEASES],
	unsigned victim, unsigned self, const struct lease_pool_config *c, bool link)
{
	if (!is_useful(m, &before[victim], c, link))
		return false;
	for (unsigned i = 0; i < LEASES; i++)
		if (i != self && !gone[i] && before[i].last < before[victim].last &&
			is_useful(m, &before[i], c, link))
			return false;
	return true;
}

/* Finds who went, and whether they had to. */
static void check_evictions(struct model *m, const struct known *before, unsigned self,
	const struct lease_pool_config *c, const struct lease *got)
{
	bool gone[LEASES] = {false};
	char name[16];

	for (unsigned i = 0; i < LEASES; i++) {
		user_name(name, i);
		gone[i] = i != self && before[i].present && !lease_find(m->s, name, i % SLOTS);
	}
	for (unsigned i = 0; i < LEASES; i++) {
		bool right = false;

		if (!gone[i])
			continue;
		for (unsigned link = 0; link < 2; link++) {
			struct lease kept = *got;

			if (link)
				kept.link6 = (struct prefix){0};
			else
				kept.prefix_count = 0;
			right = right || (is_full(m, before, self, c, link, &kept) &&
						 is_oldest_useful(m, before, gone, i, self, c, link));
		}
		assert_true(right);
		m->known[i] = (struct known){0};
		m->evicted++;
	}
}

static void check_refusal(struct model *m, unsigned self, const struct lease_request *r,
	const struct answered *a, const struct lease_pool_config *c)
{
	bool explained = false;

	m->refused++;
	if (a->result == -EEXIST) {
		for (unsigned i = 0; i <= r->fixed_count; i++) {
			const struct prefix *q = i < r->fixed_count ? &r->fixed[i] : &r->fixed_link;

			if (prefix_is_none(q))
				continue;
			explained = explained || reserved_for_other(m, q, self / SLOTS);
			for (unsigned j = 0; j < LEASES; j++)
				explained = explained || (j != self && m->known[j].present &&
								 lease_overlaps(&m->known[j].lease, q));
		}
	} else if (a->result == -ENOSPC) {
		for (unsigned link = 0; link < 2; link++) {
			bool helps = false;

			for (unsigned i = 0; i < LEASES; i++)
				helps = helps || (i != self && is_useful(m, &m->known[i], c, link));
			explained = explained ||
				    (!helps && is_full(m, m->known, self, c, link, &m->known[self].lease));
			/* The first of two takes the last evictable lease; then the second finds none. */
			explained = explained || (r->want_link && r->want_delegated &&
							 is_full(m, m->known, self, c, link, NULL));
		}
	} else if (a->result == -EINVAL) { /* fixed prefixes that overlap what the user has and keeps */
		explained = strstr(a->why, "overlaps a lease of user") != NULL;
	}
	if (!explained)
		fail_msg("round %llu: %d %s", (unsigned long long)m->round, a->result, a->why);
}

static struct lease_request random_request(struct model *m, unsigned i)
{
	struct lease_request r = {0};

	user_name(r.user, i);
	r.slot = (uint16_t)(i % SLOTS);
	if (!below(m, 4))
		strcpy(r.pool, "other");
	r.want_link = below(m, 8) != 0;
	r.want_delegated = below(m, 8) != 0;
	if (!below(m, 6)) {
		r.fixed_count = 1;
		r.fixed[0] = p(fixed_choices[below(m, 8)]);
	}
	if (!below(m, 10))
		r.fixed_link = p(link_fixed_choices[below(m, 3)]);
	return r;
}

/* What the lease had must be there again, unless there is a reason. */
static void check_stability(const struct model *m, const struct known *k, unsigned self,
	const struct lease_request *r, const struct lease *l)
{
	if (!k->present || strcmp(k->lease.pool, r->pool[0] ? r->pool : "default"))
		return;
	if (!k->fixed_link && prefix_is_none(&r->fixed_link) && !prefix_is_none(&k->lease.link6) &&
		!reserved_for_other(m, &k->lease.link6, self / SLOTS))
		assert_true(prefix_equal(&k->lease.link6, &l->link6));
	if (!k->fixed_delegated && !r->fixed_count && k->lease.prefix_count &&
		!reserved_for_other(m, &k->lease.delegated[0], self / SLOTS))
		assert_true(prefix_equal(&k->lease.delegated[0], &l->delegated[0]));
}

static void check_grant(struct model *m, unsigned self, const struct lease_request *r, const struct lease *l,
	const struct lease_pool_config *c)
{
	struct known *k = &m->known[self];

	check_stability(m, k, self, r, l);
	if (r->fixed_count)
		assert_true(prefix_equal(&r->fixed[0], &l->delegated[0]));
	if (!prefix_is_none(&r->fixed_link))
		assert_true(prefix_equal(&r->fixed_link, &l->link6));
	assert_false(
		!r->fixed_count && l->prefix_count && reserved_for_other(m, &l->delegated[0], self / SLOTS));
	if (r->want_link && !prefix_is_none(&c->link6))
		assert_int_equal(l->link6.len, 64);
	if (r->want_delegated && !prefix_is_none(&c->delegate_from))
		assert_int_equal(l->prefix_count, 1);
	k->present = true;
	k->fixed_link = !prefix_is_none(&r->fixed_link);
	k->fixed_delegated = r->fixed_count > 0;
	k->lease = *l;
	k->holds++;
	m->granted++;
}

static void do_acquire(struct model *m)
{
	unsigned i = below(m, LEASES);
	struct lease_request r = random_request(m, i);
	const struct lease_pool_config *c = &m->pools[r.pool[0] != 0];
	struct known before[LEASES];
	struct answered a;

	memcpy(before, m->known, sizeof(before));
	a = acquire(m->s, &r);
	m->known[i].last = m->round;
	if (a.result) {
		check_refusal(m, i, &r, &a, c);
		return;
	}
	check_evictions(m, before, i, c, &a.lease);
	check_grant(m, i, &r, &a.lease, c);
}

static void do_idle(struct model *m)
{
	unsigned i = below(m, LEASES);
	char name[16];

	user_name(name, i);
	lease_idle(m->s, name, i % SLOTS);
	if (!m->known[i].present)
		return;
	if (m->known[i].holds && !--m->known[i].holds)
		m->known[i].last = m->round;
}

static void do_forget(struct model *m)
{
	unsigned i = below(m, LEASES);
	struct answered a = {0};
	char name[16];

	user_name(name, i);
	lease_forget(m->s, name, i % SLOTS, remember, &a);
	assert_int_equal(a.result, !m->known[i].present ? -ENOENT : m->known[i].holds ? -EBUSY : 0);
	if (!a.result)
		m->known[i] = (struct known){0};
}

static void open_store(struct model *m)
{
	char why[256];

	m->s = lease_store_open(NULL, m->on_disk ? m->path : ":memory:", NULL, why);
	if (!m->s)
		fail_msg("%s", why);
}

static void do_reopen(struct model *m)
{
	if (!m->on_disk)
		return;
	lease_store_close(m->s);
	open_store(m);
	for (unsigned i = 0; i < LEASES; i++) {
		m->known[i].holds = 0;
		m->known[i].last = 0; /* times are kept in seconds: no order among these */
	}
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
		else if (what < 970)
			do_forget(m);
		else if (what < 980)
			configure(m);
		else if (what < 990)
			reserve(m);
		else
			do_reopen(m);
		check_all(m);
	}
	/* The run has been where it should be. */
	assert_true(m->granted > rounds / 10 && m->evicted > 0 && m->refused > 0);
}

/* proves: HS-PROV-1 partial */
static void two_users_never_hold_the_same(void **state)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct model m = {0};

		rng_init_seed(&m.rng, seed);
		open_store(&m);
		run(&m, 4000);
		lease_store_close(m.s);
	}
}

static void nor_across_restarts(void **state)
{
	for (uint64_t seed = 101; seed <= 102; seed++) {
		struct model m = {.on_disk = true};

		make_folder(m.folder);
		snprintf(m.path, sizeof(m.path), "%s/leases.db", m.folder);
		rng_init_seed(&m.rng, seed);
		open_store(&m);
		run(&m, 1500);
		lease_store_close(m.s);
		remove_folder(m.folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_users_never_hold_the_same),
		cmocka_unit_test(nor_across_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

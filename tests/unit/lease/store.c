/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the store grants, keeps and refuses: without a loop, so that every call answers before it returns. */
#include "fixture.h"

struct fixture {
	char folder[64], path[100], why[256];
	struct lease_store *s;
};

static struct lease_store *open_store(struct fixture *f)
{
	const struct lease_pool_config pools[] = {
		pool_of("default", "2001:db8:100::/56", "2001:db8:8000::/40", 56),
		pool_of("small", "2001:db8:200::/63", "2001:db8:9000::/47", 48),
		pool_of("links", "2001:db8:300::/60", NULL, 0),
	};

	f->s = lease_store_open(NULL, f->path, NULL, f->why);
	if (!f->s)
		fail_msg("%s", f->why);
	assert_int_equal(lease_store_set_pools(f->s, pools, 3, f->why), 0);
	return f->s;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lease_store_close(f->s);
	remove_folder(f->folder);
	free(f);
	return 0;
}

static struct lease_store *reopen(struct fixture *f)
{
	lease_store_close(f->s);
	return open_store(f);
}

/* proves: HS-PROV-5 */
static void sets_one_64_aside_for_each_softwire(void **state)
{
	struct fixture *f = *state;
	struct prefix pool = p("2001:db8:100::/56"), links[200];
	char user[16];

	for (unsigned i = 0; i < 200; i++) {
		struct lease_request r;
		struct answered a;

		snprintf(user, sizeof(user), "u%u", i / 2);
		r = want(user, i % 2);
		a = acquire(f->s, &r);
		assert_int_equal(a.result, 0);
		assert_int_equal(a.lease.link6.len, 64);
		assert_true(prefix_contains(&pool, &a.lease.link6));
		links[i] = a.lease.link6;
		for (unsigned j = 0; j < i; j++)
			assert_false(prefix_equal(&links[i], &links[j]));
	}
}

/* proves: HS-PROV-1 partial */
static void gives_a_user_the_same_again_after_reconnects_and_restarts(void **state)
{
	struct fixture *f = *state;
	struct answered a = acquire_user(f->s, "alice"), b;

	assert_true(a.lease.active);
	assert_int_equal(a.lease.prefix_count, 1);
	assert_int_equal(a.lease.delegated[0].len, 56);
	lease_idle(f->s, "alice", 0);
	assert_false(lease_find(f->s, "alice", 0)->active);
	acquire_user(f->s, "bob");
	b = acquire_user(f->s, "alice");
	assert_memory_equal(&a.lease.link6, &b.lease.link6, sizeof(a.lease.link6));
	assert_memory_equal(a.lease.delegated, b.lease.delegated, sizeof(a.lease.delegated));
	reopen(f);
	assert_int_equal(lease_count(f->s, NULL), 2);
	assert_false(lease_find(f->s, "alice", 0)->active);
	b = acquire_user(f->s, "alice");
	assert_memory_equal(&a.lease.link6, &b.lease.link6, sizeof(a.lease.link6));
	assert_memory_equal(a.lease.delegated, b.lease.delegated, sizeof(a.lease.delegated));
	assert_int_equal(a.lease.granted_at, b.lease.granted_at);
}

static void gives_most_users_the_same_again_when_the_database_was_lost(void **state)
{
	struct fixture *f = *state;
	struct lease before[100];
	unsigned same = 0;
	char user[16];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		before[i] = acquire_user(f->s, user).lease;
	}
	lease_store_close(f->s);
	remove_database(f->path);
	open_store(f);
	for (unsigned i = 100; i-- > 0;) {
		snprintf(user, sizeof(user), "user%u", i);
		same += prefix_equal(&acquire_user(f->s, user).lease.delegated[0], &before[i].delegated[0]);
	}
	assert_in_range(same, 90, 100);
}

static void keeps_slots_apart(void **state)
{
	struct fixture *f = *state;
	struct lease_request one = want("alice", 0), two = want("alice", 1);
	struct answered a = acquire(f->s, &one), b = acquire(f->s, &two);

	assert_false(prefix_overlaps(&a.lease.link6, &b.lease.link6));
	assert_false(prefix_overlaps(&a.lease.delegated[0], &b.lease.delegated[0]));
	assert_int_equal(lease_find(f->s, "alice", 1)->slot, 1);
	assert_null(lease_find(f->s, "alice", 2));
}

/* proves: HS-PROV-9 */
static void delegates_48_to_64_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct lease_pool_config c[2] = {
		pool_of("a", NULL, "2001:db8:8000::/47", 48), pool_of("b", NULL, "2001:db8:9000::/56", 64)};
	struct lease_request r = want("alice", 0);
	struct answered a;

	assert_int_equal(lease_store_set_pools(f->s, c, 2, f->why), 0);
	strcpy(r.pool, "a");
	assert_int_equal(acquire(f->s, &r).lease.delegated[0].len, 48);
	r = want("bob", 0);
	strcpy(r.pool, "b");
	assert_int_equal(acquire(f->s, &r).lease.delegated[0].len, 64);
	c[0] = pool_of("a", NULL, "2001:db8:8000::/40", 47);
	assert_int_equal(lease_store_set_pools(f->s, c, 1, f->why), -EINVAL);
	assert_string_equal(
		f->why, "pool a: delegated prefixes are /48 to /64 (RFC 5571 section 6.2.1), not /47");
	c[0].delegate_len = 65;
	assert_int_equal(lease_store_set_pools(f->s, c, 1, f->why), -EINVAL);
	r = want("carol", 0);
	r.fixed_count = 1;
	r.fixed[0] = p("2001:db8:a000::/47");
	a = acquire(f->s, &r);
	assert_int_equal(a.result, -EINVAL);
	assert_string_equal(a.why, "fixed prefix 2001:db8:a000::/47 of user carol is not IPv6 of /48 to /64");
}

/* proves: HS-PROV-4 partial */
static void pools_are_global_or_unique_local(void **state)
{
	static const char *const good[] = {"2001:db8::/48", "fd12:3456:789a::/48", "2a00::/12"};
	static const char *const bad[] = {"fe80::/48", "ff0e::/48", "::/48", "192.0.2.0/24"};
	struct fixture *f = *state;
	struct lease_pool_config c;

	for (unsigned i = 0; i < 3; i++) {
		c = pool_of("x", good[i], NULL, 0);
		assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		c = pool_of("x", bad[i], NULL, 0);
		assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), -EINVAL);
		c = pool_of("x", NULL, bad[i], 56);
		assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), -EINVAL);
		assert_says(f->why, "pool x: ");
	}
}

static void refuses_impossible_pools_and_keeps_the_old_ones(void **state)
{
	static const struct {
		const char *name, *link6, *from;
		uint8_t len;
		const char *why;
	} bad[] = {
		{"", "2001:db8::/56", NULL, 0, "a pool has no name"},
		{"x", NULL, NULL, 0, "neither link6 nor delegate"},
		{"x", "2001:db8::/65", NULL, 0, "cannot be cut into /64s"},
		{"x", NULL, "2001:db8::/60", 56, "no /56 fits into 2001:db8::/60"},
		{"x", "2000::/4", NULL, 0, "too large"},
		{"x", "2001:db8::/48", "2001:db8::/40", 56, "overlaps 2001:db8::/48 of pool x"},
		{"x", "2001:db8:200::/64", NULL, 0,
			"pool small: 2001:db8:200::/63 overlaps 2001:db8:200::/64 of pool x"},
		{"small", "2001:db8:400::/64", NULL, 0, "pool small is there twice"},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lease_pool_config c[2] = {pool_of(bad[i].name, bad[i].link6, bad[i].from, bad[i].len),
			pool_of("small", "2001:db8:200::/63", NULL, 0)};

		assert_int_equal(lease_store_set_pools(f->s, c, 2, f->why), -EINVAL);
		assert_says(f->why, bad[i].why);
	}
	assert_int_equal(acquire_user(f->s, "alice").result, 0);
}

static void refuses_impossible_requests(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want("", 0);
	struct answered a;

	assert_int_equal(acquire(f->s, &r).result, -EINVAL);
	r = want("alice", 0);
	strcpy(r.pool, "nowhere");
	a = acquire(f->s, &r);
	assert_int_equal(a.result, -EINVAL);
	assert_string_equal(a.why, "there is no pool \"nowhere\"");
	r = want("alice", 0);
	r.fixed_count = LEASE_PREFIXES + 1;
	assert_int_equal(acquire(f->s, &r).result, -EINVAL);
	r = want("alice", 0);
	r.fixed_link = p("2001:db8:7::/63");
	assert_int_equal(acquire(f->s, &r).result, -EINVAL);
	r = want("alice", 0);
	r.fixed_count = 2;
	r.fixed[0] = p("2001:db8:7::/48");
	r.fixed[1] = p("2001:db8:7:1::/64");
	assert_int_equal(acquire(f->s, &r).result, -EINVAL);
	assert_int_equal(lease_count(f->s, NULL), 0);
}

static void gives_fixed_prefixes_and_refuses_other_peoples(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want("alice", 0);
	struct answered a;

	r.fixed_count = 2;
	r.fixed[0] = p("2001:db8:8000:100::/56");
	r.fixed[1] = p("2001:db8:7000::/48");
	r.fixed_link = p("2001:db8:100:7::/64");
	a = acquire(f->s, &r);
	assert_int_equal(a.lease.prefix_count, 2);
	assert_true(prefix_equal(&a.lease.delegated[1], &r.fixed[1]));
	assert_true(prefix_equal(&a.lease.link6, &r.fixed_link));
	lease_idle(f->s, "alice", 0);
	strcpy(r.user, "bob");
	r.fixed_link = (struct prefix){0};
	r.fixed_count = 1;
	r.fixed[0] = p("2001:db8:7000:1::/64");
	a = acquire(f->s, &r);
	assert_int_equal(a.result, -EEXIST);
	assert_says(a.why, "overlaps a lease of user alice, slot 0 (not in use");
	assert_null(lease_find(f->s, "bob", 0));
	reopen(f);
	assert_int_equal(acquire(f->s, &r).result, -EEXIST);
}

static void goes_back_to_the_pool_when_nothing_is_fixed_any_more(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want("alice", 0);
	struct prefix pool = p("2001:db8:8000::/40");
	struct lease lease;

	r.fixed_count = 1;
	r.fixed[0] = p("2001:db8:7000::/56");
	acquire(f->s, &r);
	reopen(f);
	r.fixed_count = 0;
	lease = acquire(f->s, &r).lease;
	assert_true(prefix_contains(&pool, &lease.delegated[0]));
	r.fixed_count = 1;
	r.fixed[0] = lease.delegated[0]; /* what the pool gave becomes fixed */
	assert_true(prefix_equal(&acquire(f->s, &r).lease.delegated[0], &r.fixed[0]));
	assert_int_equal(lease_count(f->s, NULL), 1);
}

static void pools_never_hand_out_what_is_reserved(void **state)
{
	struct fixture *f = *state;
	struct lease_pool_config c = pool_of("default", NULL, "2001:db8:8000::/54", 56);
	struct prefix one = p("2001:db8:8000:100::/56"), inside = p("2001:db8:8000:2ff::/64"),
		      twice = p("2001:db8:8000::/48");
	struct answered a, b;

	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	assert_int_equal(lease_store_reserve(f->s, &one, "carol"), 0);
	assert_int_equal(lease_store_reserve(f->s, &one, "carol"), 0);
	assert_int_equal(lease_store_reserve(f->s, &one, "dave"), -EEXIST);
	assert_int_equal(lease_store_reserve(f->s, &twice, "carol"), -EEXIST);
	assert_int_equal(lease_store_reserve(f->s, &inside, "dave"), 0);
	a = acquire_user(f->s, "alice");
	b = acquire_user(f->s, "bob");
	assert_int_equal(a.result, 0);
	assert_int_equal(b.result, 0);
	assert_false(prefix_overlaps(&a.lease.delegated[0], &one) ||
		     prefix_contains(&a.lease.delegated[0], &inside));
	assert_false(prefix_overlaps(&b.lease.delegated[0], &one) ||
		     prefix_contains(&b.lease.delegated[0], &inside));
	a = acquire_user(f->s, "erin");
	assert_int_equal(a.result, -ENOSPC);
	assert_string_equal(a.why, "pool default: all 4 delegated prefixes are in use or fixed");
	lease_store_clear_reserved(f->s);
	assert_int_equal(acquire_user(f->s, "erin").result, 0);
	assert_int_equal(acquire_user(f->s, "frank").result, 0);
	assert_int_equal(acquire_user(f->s, "grace").result, -ENOSPC);
}

static void moves_a_user_whose_prefix_was_fixed_for_another(void **state)
{
	struct fixture *f = *state;
	struct lease before = acquire_user(f->s, "alice").lease, after;
	struct lease_request r = want("bob", 0);

	lease_idle(f->s, "alice", 0);
	assert_int_equal(lease_store_reserve(f->s, &before.delegated[0], "bob"), 0);
	r.fixed_count = 1;
	r.fixed[0] = before.delegated[0];
	assert_int_equal(acquire(f->s, &r).result, -EEXIST); /* she has it still */
	after = acquire_user(f->s, "alice").lease;
	assert_false(prefix_overlaps(&before.delegated[0], &after.delegated[0]));
	assert_true(prefix_equal(&before.link6, &after.link6));
	assert_int_equal(acquire(f->s, &r).result, 0);
}

static void evicts_the_least_recently_used_lease_when_the_pool_is_short(void **state)
{
	struct fixture *f = *state;
	struct lease_request a = want("alice", 0), b = want("bob", 0), c = want("carol", 0);
	struct lease alice, carol;

	strcpy(a.pool, "small");
	strcpy(b.pool, "small");
	strcpy(c.pool, "small");
	alice = acquire(f->s, &a).lease;
	acquire(f->s, &b);
	assert_int_equal(acquire(f->s, &c).result, -ENOSPC); /* both are in use */
	lease_idle(f->s, "alice", 0);
	lease_idle(f->s, "bob", 0);
	carol = acquire(f->s, &c).lease;
	assert_true(prefix_equal(&alice.link6, &carol.link6));
	assert_true(prefix_equal(&alice.delegated[0], &carol.delegated[0]));
	assert_null(lease_find(f->s, "alice", 0));
	assert_non_null(lease_find(f->s, "bob", 0));
	reopen(f);
	assert_null(lease_find(f->s, "alice", 0));
	assert_int_equal(lease_count(f->s, NULL), 2);
}

static void evicts_nobody_while_something_is_free(void **state)
{
	struct fixture *f = *state;
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/56", "2001:db8:8000::/48", 56);
	char user[16];

	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	for (unsigned i = 0; i < 256; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		assert_int_equal(acquire_user(f->s, user).result, 0);
		lease_idle(f->s, user, 0);
		assert_int_equal(lease_count(f->s, NULL), i + 1);
	}
	for (unsigned i = 256; i < 512; i++) { /* full: one goes for each that comes, the oldest first */
		snprintf(user, sizeof(user), "user%u", i);
		assert_int_equal(acquire_user(f->s, user).result, 0);
		lease_idle(f->s, user, 0);
		assert_int_equal(lease_count(f->s, NULL), 256);
		snprintf(user, sizeof(user), "user%u", i - 256);
		assert_null(lease_find(f->s, user, 0));
	}
}

static void remembers_what_was_in_use_longest_across_a_restart(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want("alice", 0);

	strcpy(r.pool, "small");
	acquire(f->s, &r);
	strcpy(r.user, "bob");
	acquire(f->s, &r);
	lease_idle(f->s, "bob", 0); /* alice's softwire is up when the daemon ends */
	lease_store_close(f->s);
	sleep(1);
	open_store(f);
	strcpy(r.user, "carol");
	acquire(f->s, &r);
	assert_null(lease_find(f->s, "bob", 0));
	assert_non_null(lease_find(f->s, "alice", 0));
}

static void a_stale_softwire_that_goes_leaves_the_new_one_its_lease(void **state)
{
	struct fixture *f = *state;
	size_t active;

	acquire_user(f->s, "alice");
	acquire_user(f->s, "alice"); /* reconnected before the old one was seen to be dead */
	lease_idle(f->s, "alice", 0);
	assert_true(lease_find(f->s, "alice", 0)->active);
	lease_idle(f->s, "alice", 0);
	assert_false(lease_find(f->s, "alice", 0)->active);
	lease_idle(f->s, "alice", 0);
	lease_count(f->s, &active);
	assert_int_equal(active, 0);
}

/* proves: HS-AAA-9 partial */
static void ties_the_duid_to_the_user_and_keeps_it(void **state)
{
	static const uint8_t first[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 1},
			     second[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 2};
	struct fixture *f = *state;
	struct answered a = {0};
	uint8_t long_duid[LEASE_DUID_MAX + 1] = {0, 1};

	lease_bind(f->s, "alice", 0, first, sizeof(first), 7, remember, &a);
	assert_int_equal(a.result, -ENOENT);
	acquire_user(f->s, "alice");
	lease_bind(f->s, "alice", 0, first, sizeof(first), 7, remember, &a);
	assert_int_equal(a.result, 0);
	assert_int_equal(a.lease.duid_len, sizeof(first));
	reopen(f);
	assert_memory_equal(lease_find(f->s, "alice", 0)->duid, first, sizeof(first));
	assert_int_equal(lease_find(f->s, "alice", 0)->iaid, 7);
	lease_bind(f->s, "alice", 0, second, sizeof(second), 8, remember, &a);
	assert_int_equal(a.result, 0);
	lease_bind(f->s, "alice", 0, long_duid, sizeof(long_duid), 8, remember, &a);
	assert_int_equal(a.result, -EINVAL);
	lease_bind(f->s, "alice", 0, long_duid, 0, 8, remember, &a);
	assert_int_equal(a.result, -EINVAL);
	a.lease = acquire_user(f->s, "alice").lease; /* a reconnect does not lose it */
	assert_memory_equal(a.lease.duid, second, sizeof(second));
	assert_int_equal(a.lease.iaid, 8);
}

static void forgets_what_is_not_in_use(void **state)
{
	struct fixture *f = *state;
	struct answered a = {0};
	size_t active;

	acquire_user(f->s, "alice");
	lease_forget(f->s, "alice", 0, remember, &a);
	assert_int_equal(a.result, -EBUSY);
	lease_idle(f->s, "alice", 0);
	lease_forget(f->s, "alice", 0, remember, &a);
	assert_int_equal(a.result, 0);
	assert_false(a.granted);
	lease_forget(f->s, "alice", 0, remember, &a);
	assert_int_equal(a.result, -ENOENT);
	assert_int_equal(lease_count(f->s, &active), 0);
	reopen(f);
	assert_int_equal(lease_count(f->s, NULL), 0);
}

static void finds_who_has_an_address(void **state)
{
	struct fixture *f = *state;
	struct lease a = acquire_user(f->s, "alice").lease;
	struct addr inside = addr6_with_iid(&a.delegated[0].addr, 0x42), v4 = addr4(192, 0, 2, 1), other;
	uint32_t cursor = 0;

	inside.bytes[7] = 0xff; /* the last /64 of the /56 */
	assert_string_equal(lease_find_by_addr(f->s, &inside)->user, "alice");
	inside = addr6_with_iid(&a.link6.addr, 1);
	assert_string_equal(lease_find_by_addr(f->s, &inside)->user, "alice");
	assert_int_equal(addr_parse("2001:db8:ffff::1", &other), 0);
	assert_null(lease_find_by_addr(f->s, &other));
	assert_null(lease_find_by_addr(f->s, &v4));
	assert_null(lease_find_by_addr(f->s, &(struct addr){0}));
	assert_string_equal(lease_next(f->s, &cursor)->user, "alice");
	assert_null(lease_next(f->s, &cursor));
}

static void keeps_a_lease_whose_pool_is_gone(void **state)
{
	struct fixture *f = *state;
	struct lease_pool_config c = pool_of("default", "2001:db8:101::/56", "2001:db8:a000::/40", 56);
	struct lease before = acquire_user(f->s, "alice").lease, after;

	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	after = acquire_user(f->s, "alice").lease;
	assert_true(prefix_equal(&before.link6, &after.link6));
	assert_true(prefix_equal(&before.delegated[0], &after.delegated[0]));
	assert_false(prefix_contains(&c.link6, &after.link6));
}

static void moves_a_user_to_another_pool_but_not_to_a_renamed_one(void **state)
{
	struct fixture *f = *state;
	struct lease_pool_config c[2] = {pool_of("renamed", "2001:db8:100::/56", "2001:db8:8000::/40", 56),
		pool_of("other", "2001:db8:101::/56", "2001:db8:a000::/40", 60)};
	struct lease_request r = want("alice", 0);
	struct lease before = acquire(f->s, &r).lease, after;

	assert_int_equal(lease_store_set_pools(f->s, c, 2, f->why), 0);
	strcpy(r.pool, "renamed");
	after = acquire(f->s, &r).lease;
	assert_true(prefix_equal(&before.delegated[0], &after.delegated[0]));
	assert_string_equal(after.pool, "renamed");
	strcpy(r.pool, "other");
	after = acquire(f->s, &r).lease;
	assert_true(prefix_contains(&c[1].delegate_from, &after.delegated[0]));
	assert_int_equal(after.delegated[0].len, 60);
	assert_true(prefix_contains(&c[1].link6, &after.link6));
	reopen(f);
	assert_string_equal(lease_find(f->s, "alice", 0)->pool, "other");
}

static void grants_without_what_a_pool_does_not_have(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want("alice", 0);
	struct answered a;

	strcpy(r.pool, "links");
	a = acquire(f->s, &r);
	assert_int_equal(a.result, 0);
	assert_int_equal(a.lease.prefix_count, 0);
	assert_int_equal(a.lease.link6.len, 64);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sets_one_64_aside_for_each_softwire),
		TEST(gives_a_user_the_same_again_after_reconnects_and_restarts),
		TEST(gives_most_users_the_same_again_when_the_database_was_lost),
		TEST(keeps_slots_apart),
		TEST(delegates_48_to_64_and_nothing_else),
		TEST(pools_are_global_or_unique_local),
		TEST(refuses_impossible_pools_and_keeps_the_old_ones),
		TEST(refuses_impossible_requests),
		TEST(gives_fixed_prefixes_and_refuses_other_peoples),
		TEST(goes_back_to_the_pool_when_nothing_is_fixed_any_more),
		TEST(pools_never_hand_out_what_is_reserved),
		TEST(moves_a_user_whose_prefix_was_fixed_for_another),
		TEST(evicts_the_least_recently_used_lease_when_the_pool_is_short),
		TEST(evicts_nobody_while_something_is_free),
		TEST(remembers_what_was_in_use_longest_across_a_restart),
		TEST(a_stale_softwire_that_goes_leaves_the_new_one_its_lease),
		TEST(ties_the_duid_to_the_user_and_keeps_it),
		TEST(forgets_what_is_not_in_use),
		TEST(finds_who_has_an_address),
		TEST(keeps_a_lease_whose_pool_is_gone),
		TEST(moves_a_user_to_another_pool_but_not_to_a_renamed_one),
		TEST(grants_without_what_a_pool_does_not_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

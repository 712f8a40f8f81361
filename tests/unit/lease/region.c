/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 addresses and subnets from pools, down to the last one: who gets which, who loses what, what is fixed or reserved. */
#include "fixture.h"

struct fixture {
	char folder[64], path[100], why[256];
	struct lease_store *s;
	struct lease_pool_config pool;
};

static void set_pool(struct fixture *f)
{
	if (lease_store_set_pools(f->s, &f->pool, 1, f->why))
		fail_msg("%s", f->why);
}

static void open_store(struct fixture *f)
{
	f->s = lease_store_open(NULL, f->path, NULL, f->why);
	if (!f->s)
		fail_msg("%s", f->why);
	set_pool(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	f->pool = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);
	pool_set4(&f->pool, "198.51.100.0/24", "203.0.113.0/24", 29);
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

static void reopen(struct fixture *f)
{
	lease_store_close(f->s);
	open_store(f);
}

/* Only IPv4, from now on. */
static void set_ipv4(struct fixture *f, const char *ipv4, const char *from, uint8_t len)
{
	f->pool = pool_of("default", NULL, NULL, 0);
	pool_set4(&f->pool, ipv4, from, len);
	set_pool(f);
}

static struct answered ask(struct fixture *f, const char *user)
{
	struct lease_request r = want_all(user, 0);

	return acquire(f->s, &r);
}

static struct answered ask_nth(struct fixture *f, unsigned i)
{
	char user[16];

	snprintf(user, sizeof(user), "u%u", i);
	return ask(f, user);
}

static void idle_nth(struct fixture *f, unsigned i)
{
	char user[16];

	snprintf(user, sizeof(user), "u%u", i);
	lease_idle(f->s, user, 0);
}

static bool has_lease(struct fixture *f, unsigned i)
{
	char user[16];

	snprintf(user, sizeof(user), "u%u", i);
	return lease_find(f->s, user, 0) != NULL;
}

static struct addr address(const char *text)
{
	struct addr ret = {0};

	assert_int_equal(addr_parse(text, &ret), 0);
	return ret;
}

/* proves: HS-PROV-1 partial */
static void gives_a_user_the_same_ipv4_again_after_reconnects_and_restarts(void **state)
{
	struct fixture *f = *state;
	struct answered a = ask(f, "alice"), b;

	assert_true(prefix_contains_addr(&f->pool.ipv4, &a.lease.address4));
	assert_int_equal(a.lease.subnet_count, 1);
	assert_int_equal(a.lease.subnets[0].len, 29);
	assert_true(prefix_contains(&f->pool.delegate4_from, &a.lease.subnets[0]));
	lease_idle(f->s, "alice", 0);
	ask(f, "bob");
	for (unsigned i = 0; i < 2; i++) {
		b = ask(f, "alice");
		assert_true(addr_equal(&a.lease.address4, &b.lease.address4));
		assert_memory_equal(a.lease.subnets, b.lease.subnets, sizeof(a.lease.subnets));
		assert_true(prefix_equal(&a.lease.link6, &b.lease.link6));
		assert_int_equal(a.lease.granted_at, b.lease.granted_at);
		reopen(f);
	}
	assert_true(addr_equal(&lease_find(f->s, "alice", 0)->address4, &a.lease.address4));
}

static void gives_most_users_the_same_ipv4_again_when_the_database_was_lost(void **state)
{
	struct fixture *f = *state;
	struct addr before[100];
	unsigned same = 0;

	set_ipv4(f, "10.0.0.0/16", NULL, 0);
	for (unsigned i = 0; i < 100; i++)
		before[i] = ask_nth(f, i).lease.address4;
	lease_store_close(f->s);
	remove_database(f->path);
	open_store(f);
	for (unsigned i = 100; i-- > 0;) {
		struct addr now = ask_nth(f, i).lease.address4;

		same += addr_equal(&now, &before[i]);
	}
	assert_in_range(same, 95, 100);
}

static void adds_ipv4_to_a_lease_that_had_none(void **state)
{
	struct fixture *f = *state;
	struct lease before = acquire_user(f->s, "alice").lease, after;

	assert_true(addr_is_none(&before.address4));
	assert_int_equal(before.subnet_count, 0);
	after = ask(f, "alice").lease;
	assert_false(addr_is_none(&after.address4));
	assert_true(prefix_equal(&before.link6, &after.link6));
	assert_memory_equal(before.delegated, after.delegated, sizeof(after.delegated));
	before = acquire_user(f->s, "alice").lease; /* what is not asked for stays */
	assert_true(addr_equal(&before.address4, &after.address4));
	reopen(f);
	assert_true(prefix_equal(&lease_find(f->s, "alice", 0)->subnets[0], &after.subnets[0]));
}

/* proves: HS-PROV-6 partial */
static void hands_out_all_addresses_but_the_first_and_the_last(void **state)
{
	static const struct {
		const char *pool, *first, *last;
		unsigned count;
	} cases[] = {
		{"198.51.100.0/24", "198.51.100.0", "198.51.100.255", 254},
		{"10.1.2.16/28", "10.1.2.16", "10.1.2.31", 14},
		{"192.168.0.4/30", "192.168.0.4", "192.168.0.7", 2},
		{"192.0.2.8/31", NULL, NULL, 2},
		{"192.0.2.9/32", NULL, NULL, 1},
	};
	struct fixture *f = *state;
	struct addr seen[254];

	for (unsigned c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct answered a;
		char words[80];

		lease_store_close(f->s);
		remove_database(f->path);
		open_store(f);
		set_ipv4(f, cases[c].pool, NULL, 0);
		for (unsigned i = 0; i < cases[c].count; i++) {
			seen[i] = ask_nth(f, i).lease.address4;
			assert_true(prefix_contains_addr(&f->pool.ipv4, &seen[i]));
			for (unsigned j = 0; j < i; j++)
				assert_false(addr_equal(&seen[i], &seen[j]));
			if (!cases[c].first)
				continue;
			assert_false(addr_equal(&seen[i], &(struct addr){0}));
			assert_int_not_equal(
				addr_compare(&seen[i], (struct addr[]){address(cases[c].first)}), 0);
			assert_int_not_equal(
				addr_compare(&seen[i], (struct addr[]){address(cases[c].last)}), 0);
		}
		a = ask(f, "late");
		assert_int_equal(a.result, -ENOSPC);
		snprintf(words, sizeof(words), "pool default: all %u IPv4 addresses are in use or fixed",
			cases[c].count);
		assert_string_equal(a.why, words);
	}
}

/* proves: HS-PROV-14 */
static void delegates_ipv4_of_8_to_30_bits_and_nothing_else(void **state)
{
	static const struct {
		const char *from;
		uint8_t len;
	} good[] = {{"44.0.0.0/8", 8}, {"44.0.0.0/8", 16}, {"203.0.113.0/24", 24}, {"203.0.113.0/24", 30},
		{"203.0.113.4/30", 30}};
	struct fixture *f = *state;
	struct lease_request r = want_all("fixed", 0);
	struct answered a;

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char user[16];

		set_ipv4(f, NULL, good[i].from, good[i].len);
		snprintf(user, sizeof(user), "user%u", i);
		a = ask(f, user);
		assert_int_equal(a.result, 0);
		assert_int_equal(a.lease.subnets[0].len, good[i].len);
		assert_true(prefix_contains(&f->pool.delegate4_from, &a.lease.subnets[0]));
		lease_idle(f->s, user, 0);
		a = (struct answered){0};
		lease_forget(f->s, user, 0, remember, &a);
		assert_int_equal(a.result, 0);
	}
	for (uint8_t len = 0; len <= 33; len++) {
		pool_set4(&f->pool, NULL, "44.0.0.0/8", len);
		assert_int_equal(
			lease_store_set_pools(f->s, &f->pool, 1, f->why), len < 8 || len > 30 ? -EINVAL : 0);
	}
	assert_string_equal(f->why,
		"pool default: delegated IPv4 prefixes are /8 to /30 (RFC 5571 section 6.2.2), not /33");
	r.fixed_subnet_count = 1;
	r.fixed_subnets[0] = p("203.0.113.0/31");
	a = acquire(f->s, &r);
	assert_int_equal(a.result, -EINVAL);
	assert_string_equal(a.why, "fixed prefix 203.0.113.0/31 of user fixed is not IPv4 of /8 to /30");
}

/* proves: HS-PROV-6 partial */
static void pools_are_of_addresses_that_hosts_may_have_global_or_private(void **state)
{
	static const struct {
		const char *pool, *why;
	} cases[] = {
		{"198.51.100.0/24", NULL},
		{"10.0.0.0/8", NULL},
		{"172.16.0.0/12", NULL},
		{"192.168.7.0/24", NULL},
		{"100.64.0.0/10", NULL},
		{"0.0.0.0/8", "no host may have"},
		{"127.0.0.0/8", "no host may have"},
		{"127.1.2.0/24", "no host may have"},
		{"169.254.0.0/16", "no host may have"},
		{"169.254.9.0/24", "no host may have"},
		{"224.0.0.0/8", "no host may have"},
		{"240.0.0.0/8", "no host may have"},
		{"255.255.255.255/32", "no host may have"},
		{"168.0.0.0/7", "too large to be a pool"},
		{"2001:db8::/48", "is not IPv4"},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool small = p(cases[i].pool).len > 24;

		for (unsigned subnet = 0; subnet < 2; subnet++) {
			struct lease_pool_config c = pool_of("x", NULL, NULL, 0);

			pool_set4(&c, subnet ? NULL : cases[i].pool, subnet ? cases[i].pool : NULL,
				small ? 30 : 24);
			assert_int_equal(
				lease_store_set_pools(f->s, &c, 1, f->why), cases[i].why ? -EINVAL : 0);
			if (cases[i].why)
				assert_says(f->why, cases[i].why);
		}
	}
}

static void refuses_pools_that_share_ipv4_and_what_does_not_fit(void **state)
{
	static const struct {
		const char *ipv4, *from;
		uint8_t len;
		const char *why;
	} cases[] = {
		{"198.51.100.128/25", NULL, 0,
			"pool other: 198.51.100.128/25 overlaps 198.51.100.0/24 of pool default"},
		{NULL, "198.51.0.0/16", 24,
			"pool other: 198.51.0.0/16 overlaps 198.51.100.0/24 of pool default"},
		{"203.0.113.7/32", NULL, 0,
			"pool other: 203.0.113.7/32 overlaps 203.0.113.0/24 of pool default"},
		{NULL, "203.0.113.0/24", 30, "overlaps 203.0.113.0/24 of pool default"},
		{NULL, "192.0.2.0/29", 28, "pool other: no /28 fits into 192.0.2.0/29"},
		{NULL, "192.0.2.0/31", 30, "pool other: no /30 fits into 192.0.2.0/31"},
		{NULL, NULL, 0, "it could hand out nothing"},
	};
	struct fixture *f = *state;
	struct lease before = ask(f, "alice").lease, after;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lease_pool_config c[2] = {f->pool, pool_of("other", NULL, NULL, 0)};

		pool_set4(&c[1], cases[i].ipv4, cases[i].from, cases[i].len);
		assert_int_equal(lease_store_set_pools(f->s, c, 2, f->why), -EINVAL);
		assert_says(f->why, cases[i].why);
	}
	after = ask(f, "alice").lease;
	assert_true(addr_equal(&after.address4, &before.address4));
	assert_int_equal(ask(f, "bob").result, 0);
}

/* proves: HS-PROV-13 partial */
static void addresses_and_subnets_of_one_range_never_overlap(void **state)
{
	static const struct {
		const char *ipv4, *from;
		unsigned subnets; /* that hold neither the first nor the last address of ipv4 */
	} cases[] = {
		{"192.0.2.0/25", "192.0.2.0/25", 14},     /* the same */
		{"192.0.2.0/25", "192.0.2.64/26", 7},     /* within */
		{"192.0.2.64/27", "192.0.2.0/25", 14},    /* around */
		{"192.0.2.16/29", "192.0.2.16/29", 0},    /* nothing is left */
		{"192.0.2.4/30", "192.0.2.0/26", 7},      /* both edges in one subnet */
		{"192.0.2.128/31", "192.0.2.128/25", 16}, /* no edges */
	};
	struct fixture *f = *state;

	for (unsigned c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		unsigned i = 0;
		struct lease_request r;
		struct answered a;
		char words[80];

		lease_store_close(f->s);
		remove_database(f->path);
		open_store(f);
		set_ipv4(f, cases[c].ipv4, cases[c].from, 29);
		for (;; i++) {
			struct addr first = f->pool.ipv4.addr, last = first;
			const struct lease *other;

			last.bytes[3] |= (uint8_t)(0xff >> (f->pool.ipv4.len - 24));
			a = ask_nth(f, i);
			if (a.result)
				break;
			assert_string_equal(lease_find_by_addr(f->s, &a.lease.address4)->user, a.lease.user);
			assert_false(prefix_contains_addr(&a.lease.subnets[0], &a.lease.address4));
			if (f->pool.ipv4.len <= 30)
				assert_false(prefix_contains_addr(&a.lease.subnets[0], &first) ||
					     prefix_contains_addr(&a.lease.subnets[0], &last));
			for (uint32_t cursor = 0; (other = lease_next(f->s, &cursor));)
				assert_true(!strcmp(other->user, a.lease.user) ||
					    (!prefix_overlaps(&other->subnets[0], &a.lease.subnets[0]) &&
						    !prefix_contains_addr(
							    &a.lease.subnets[0], &other->address4) &&
						    !prefix_contains_addr(
							    &other->subnets[0], &a.lease.address4)));
		}
		assert_int_equal(a.result, -ENOSPC);
		assert_true(cases[c].subnets ? i > 0 : i == 0);
		r = want("subnets only", 0); /* then those alone, until all are gone */
		r.want_subnet = true;
		while (!(a = acquire(f->s, &r)).result)
			r.slot++;
		snprintf(words, sizeof(words), "all %u IPv4 subnets are in use or fixed", cases[c].subnets);
		assert_says(a.why, words);
	}
}

static void evicts_nobody_while_an_address_is_free_then_who_was_idle_longest(void **state)
{
	enum { ALL = 4094 };
	struct fixture *f = *state;

	lease_store_close(f->s);
	snprintf(f->path, sizeof(f->path), ":memory:");
	open_store(f);
	set_ipv4(f, "10.7.0.0/20", NULL, 0);
	for (unsigned i = 0; i < ALL; i++) {
		assert_int_equal(ask_nth(f, i).result, 0);
		idle_nth(f, i);
		assert_int_equal(lease_count(f->s, NULL), i + 1);
	}
	for (unsigned i = ALL; i < 2 * ALL; i++) {
		assert_true(has_lease(f, i - ALL));
		assert_int_equal(ask_nth(f, i).result, 0);
		idle_nth(f, i);
		assert_false(has_lease(f, i - ALL));
		assert_int_equal(lease_count(f->s, NULL), ALL);
	}
}

static void finds_the_last_free_address_wherever_it_is(void **state)
{
	enum { ALL = 2046 };
	struct fixture *f = *state;
	struct addr freed[3];
	char user[16];

	lease_store_close(f->s);
	snprintf(f->path, sizeof(f->path), ":memory:");
	open_store(f);
	set_ipv4(f, "10.7.0.0/21", NULL, 0);
	for (unsigned i = 0; i < ALL; i++)
		assert_int_equal(ask_nth(f, i).result, 0);
	assert_int_equal(ask(f, "late").result, -ENOSPC);
	for (unsigned round = 0; round < 200; round++) {
		bool found[3] = {false};

		for (unsigned i = 0; i < 3; i++) {
			struct answered a = {0};

			snprintf(user, sizeof(user), "u%u", (round * 577 + i * 701) % ALL);
			freed[i] = lease_find(f->s, user, 0)->address4;
			lease_idle(f->s, user, 0);
			lease_forget(f->s, user, 0, remember, &a);
			assert_int_equal(a.result, 0);
		}
		for (unsigned i = 0; i < 3; i++) {
			struct addr got = ask_nth(f, (round * 577 + (i + 1) % 3 * 701) % ALL).lease.address4;

			for (unsigned j = 0; j < 3; j++)
				found[j] = found[j] || addr_equal(&got, &freed[j]);
		}
		assert_true(found[0] && found[1] && found[2]);
		assert_int_equal(ask(f, "late").result, -ENOSPC);
	}
}

/* proves: HS-PROV-1 partial */
static void who_loses_his_address_keeps_his_prefixes(void **state)
{
	struct fixture *f = *state;
	struct lease before[4], after;
	const struct lease *l;

	pool_set4(&f->pool, "198.51.100.0/30", "203.0.113.0/24", 29);
	set_pool(f);
	for (unsigned i = 0; i < 4; i++) {
		char user[16];

		before[i] = ask_nth(f, i).lease;
		assert_int_equal(before[i].prefix_count, 1);
		idle_nth(f, i);
		if (i < 2)
			continue;
		snprintf(user, sizeof(user), "u%u", i - 2); /* the last but one had it before */
		assert_true(addr_equal(&before[i].address4, &before[i - 2].address4));
		l = lease_find(f->s, user, 0);
		assert_true(addr_is_none(&l->address4));
		assert_true(prefix_equal(&l->link6, &before[i - 2].link6));
		assert_true(prefix_equal(&l->delegated[0], &before[i - 2].delegated[0]));
		assert_true(prefix_equal(&l->subnets[0], &before[i - 2].subnets[0]));
	}
	reopen(f);
	after = ask_nth(f, 0).lease; /* then u2 goes, not u3 */
	assert_true(addr_equal(&after.address4, &before[0].address4));
	assert_true(prefix_equal(&after.delegated[0], &before[0].delegated[0]));
	assert_true(addr_is_none(&lease_find(f->s, "u2", 0)->address4));
	assert_true(addr_equal(&lease_find(f->s, "u3", 0)->address4, &before[3].address4));
	assert_int_equal(lease_count(f->s, NULL), 4);
}

static void takes_nothing_from_who_is_active(void **state)
{
	struct fixture *f = *state;
	struct answered a;

	set_ipv4(f, "198.51.100.0/30", NULL, 0);
	ask(f, "alice");
	ask(f, "bob");
	lease_idle(f->s, "alice", 0);
	ask(f, "alice"); /* idle before bob was, but active now */
	a = ask(f, "carol");
	assert_int_equal(a.result, -ENOSPC);
	assert_null(lease_find(f->s, "carol", 0));
	lease_idle(f->s, "bob", 0);
	assert_int_equal(ask(f, "carol").result, 0);
	assert_null(lease_find(f->s, "bob", 0));
	assert_non_null(lease_find(f->s, "alice", 0));
}

static void takes_an_idle_subnet_when_addresses_of_the_same_range_are_short(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = {.user = "alice", .want_subnet = true}, address = {.want_ipv4 = true};
	struct prefix lost;
	struct lease bob;

	set_ipv4(f, "192.0.2.0/28", "192.0.2.8/29", 30); /* .0 and .15 are edges */
	lost = acquire(f->s, &r).lease.subnets[0];       /* .8/30: the other one has an edge */
	lease_idle(f->s, "alice", 0);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(address.user, sizeof(address.user), "u%u", i);
		assert_int_equal(acquire(f->s, &address).result, 0);
	}
	assert_non_null(lease_find(f->s, "alice", 0));
	strcpy(address.user, "bob");
	bob = acquire(f->s, &address).lease;
	assert_true(prefix_contains_addr(&lost, &bob.address4));
	assert_null(lease_find(f->s, "alice", 0));
	/* And the other way: addresses of one who is idle block the only subnet that there is. */
	assert_int_equal(acquire(f->s, &r).result, -ENOSPC);
	lease_idle(f->s, "bob", 0);
	assert_true(prefix_equal(&acquire(f->s, &r).lease.subnets[0], &lost));
	assert_null(lease_find(f->s, "bob", 0));
}

static void gives_fixed_ipv4_and_refuses_other_peoples(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want_all("alice", 0), other = want_all("bob", 0);
	struct answered a;

	r.fixed4 = address("198.51.100.0"); /* who fixes the first address means it */
	r.fixed_subnet_count = 2;
	r.fixed_subnets[0] = p("203.0.113.8/29");
	r.fixed_subnets[1] = p("192.0.2.0/24"); /* outside of every pool */
	a = acquire(f->s, &r);
	assert_int_equal(a.result, 0);
	assert_true(addr_equal(&a.lease.address4, &r.fixed4));
	assert_memory_equal(a.lease.subnets, r.fixed_subnets, sizeof(a.lease.subnets));
	lease_idle(f->s, "alice", 0);
	reopen(f);
	a = acquire(f->s, &r);
	assert_memory_equal(a.lease.subnets, r.fixed_subnets, sizeof(a.lease.subnets));
	other.fixed4 = r.fixed4;
	a = acquire(f->s, &other);
	assert_int_equal(a.result, -EEXIST);
	assert_string_equal(
		a.why, "fixed prefix 198.51.100.0/32 of user bob overlaps a lease of user alice, slot 0");
	other.fixed4 = address("192.0.2.77"); /* an address in somebody's subnet */
	assert_int_equal(acquire(f->s, &other).result, -EEXIST);
	other.fixed4 = (struct addr){0};
	other.fixed_subnet_count = 1;
	other.fixed_subnets[0] = p("198.51.0.0/16"); /* a subnet around somebody's address */
	assert_int_equal(acquire(f->s, &other).result, -EEXIST);
	assert_null(lease_find(f->s, "bob", 0));
	r.fixed4 = (struct addr){0}; /* not fixed any more */
	r.fixed_subnet_count = 0;
	a = acquire(f->s, &r);
	assert_true(prefix_contains_addr(&f->pool.ipv4, &a.lease.address4));
	assert_int_equal(a.lease.address4.bytes[3] != 0, 1);
	assert_int_equal(a.lease.subnet_count, 1);
	assert_true(prefix_contains(&f->pool.delegate4_from, &a.lease.subnets[0]));
}

static void refuses_impossible_fixed_ipv4(void **state)
{
	struct fixture *f = *state;
	const struct {
		const char *address, *subnets[2], *why;
	} cases[] = {
		{"2001:db8::1", {NULL},
			"fixed prefix 2001:db8::1/128 of user alice is not IPv4 of /32 to /32"},
		{NULL, {"192.0.2.0/31"}, "is not IPv4 of /8 to /30"},
		{NULL, {"192.0.2.1/32"}, "is not IPv4 of /8 to /30"},
		{NULL, {"64.0.0.0/7"}, "is not IPv4 of /8 to /30"},
		{NULL, {"2001:db8::/30"}, "is not IPv4 of /8 to /30"},
		{NULL, {"192.0.2.0/29", "192.0.2.0/24"}, "overlaps a lease of user alice"},
		{"192.0.2.1", {"192.0.2.0/29"}, "overlaps a lease of user alice"},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lease_request r = want_all("alice", 0);
		struct answered a;

		if (cases[i].address)
			r.fixed4 = address(cases[i].address);
		for (; r.fixed_subnet_count < 2 && cases[i].subnets[r.fixed_subnet_count];
			r.fixed_subnet_count++)
			r.fixed_subnets[r.fixed_subnet_count] = p(cases[i].subnets[r.fixed_subnet_count]);
		a = acquire(f->s, &r);
		assert_int_equal(a.result, -EINVAL);
		assert_says(a.why, cases[i].why);
		r.fixed_subnet_count = LEASE_SUBNETS + 1;
		assert_int_equal(acquire(f->s, &r).result, -EINVAL);
	}
	assert_int_equal(lease_count(f->s, NULL), 0);
}

static void pools_never_hand_out_ipv4_that_is_reserved(void **state)
{
	struct fixture *f = *state;
	struct prefix ours = p("192.0.2.1/32"), hers = p("192.0.2.4/30"), wide = p("192.0.2.0/24"),
		      bad = p("::/32");
	struct lease_request r = want_all("alice", 0);
	struct answered a;

	set_ipv4(f, "192.0.2.0/29", NULL, 0); /* .1 to .6 */
	assert_int_equal(lease_store_reserve(f->s, &ours, ""), 0);
	assert_int_equal(lease_store_reserve(f->s, &ours, ""), 0);
	assert_int_equal(lease_store_reserve(f->s, &ours, "alice"), -EEXIST);
	assert_int_equal(lease_store_reserve(f->s, &wide, ""), -EEXIST);
	assert_int_equal(lease_store_reserve(f->s, &hers, "alice"), 0);
	assert_int_equal(lease_store_reserve(f->s, &bad, "alice"), -EINVAL);
	bad = (struct prefix){0};
	assert_int_equal(lease_store_reserve(f->s, &bad, "alice"), -EINVAL);
	for (unsigned i = 0; i < 2; i++) {
		a = ask_nth(f, i);
		assert_in_range(a.lease.address4.bytes[3], 2, 3);
	}
	a = ask(f, "late");
	assert_int_equal(a.result, -ENOSPC);
	r.fixed4 = ours.addr;
	a = acquire(f->s, &r);
	assert_int_equal(a.result, -EEXIST);
	assert_string_equal(
		a.why, "fixed prefix 192.0.2.1/32 of user alice overlaps one that no user may have");
	r.fixed4 = address("192.0.2.6");
	assert_int_equal(acquire(f->s, &r).result, 0);
	strcpy(r.user, "bob");
	r.fixed4 = address("192.0.2.5");
	a = acquire(f->s, &r);
	assert_int_equal(a.result, -EEXIST);
	assert_says(a.why, "one that is fixed for user alice");
	lease_store_clear_reserved(f->s);
	for (unsigned i = 2; i < 5; i++)
		assert_int_equal(ask_nth(f, i).result, 0);
	assert_int_equal(ask_nth(f, 5).result, -ENOSPC);
}

static void moves_a_user_whose_address_nobody_may_have_any_more(void **state)
{
	struct fixture *f = *state;
	struct lease before = ask(f, "alice").lease, after;
	struct prefix taken = prefix_of(&before.address4, 32);

	assert_int_equal(lease_store_reserve(f->s, &taken, ""), 0);
	assert_true(addr_equal(
		&lease_find(f->s, "alice", 0)->address4, &before.address4)); /* until she comes again */
	after = ask(f, "alice").lease;
	assert_false(addr_equal(&before.address4, &after.address4));
	assert_true(prefix_equal(&before.subnets[0], &after.subnets[0]));
	assert_true(prefix_equal(&before.delegated[0], &after.delegated[0]));
}

/* proves: HS-PROV-1 partial */
static void keeps_ipv4_when_the_pool_is_renumbered_until_the_user_has_another_pool(void **state)
{
	struct fixture *f = *state;
	struct lease_pool_config c[2] = {f->pool, pool_of("other", NULL, NULL, 0)};
	struct lease before = ask(f, "alice").lease, after;
	struct lease_request r = want_all("alice", 0);

	pool_set4(&c[0], "192.0.2.0/25", "192.0.2.128/25", 30);
	pool_set4(&c[1], "198.51.100.0/24", "203.0.113.0/24", 29);
	assert_int_equal(lease_store_set_pools(f->s, c, 2, f->why), 0);
	after = ask(f, "alice").lease;
	assert_true(addr_equal(&after.address4, &before.address4));
	strcpy(r.pool, "other"); /* where both are units */
	after = acquire(f->s, &r).lease;
	assert_true(addr_equal(&after.address4, &before.address4));
	assert_true(prefix_equal(&after.subnets[0], &before.subnets[0]));
	strcpy(r.pool, "default");
	after = acquire(f->s, &r).lease;
	assert_true(prefix_contains_addr(&c[0].ipv4, &after.address4));
	assert_int_equal(after.subnets[0].len, 30);
}

static void finds_who_has_an_ipv4_address(void **state)
{
	struct fixture *f = *state;
	struct lease a = ask(f, "alice").lease;
	struct addr inside = a.subnets[0].addr, mapped = {.family = AF_INET6}, as_key = {.family = AF_INET6},
		    other;
	uint32_t cursor = 0;

	assert_string_equal(lease_find_by_addr(f->s, &a.address4)->user, "alice");
	inside.bytes[3] |= 7;
	assert_string_equal(lease_find_by_addr(f->s, &inside)->user, "alice");
	inside.bytes[3]++;
	assert_null(lease_find_by_addr(f->s, &inside));
	other = address("198.51.101.0");
	assert_null(lease_find_by_addr(f->s, &other));
	memset(mapped.bytes + 10, 0xff, 2);
	memcpy(mapped.bytes + 12, a.address4.bytes, 4);
	assert_null(lease_find_by_addr(f->s, &mapped));
	memcpy(as_key.bytes + 4, a.address4.bytes, 4); /* how it is kept, but another address */
	assert_null(lease_find_by_addr(f->s, &as_key));
	assert_true(addr_equal(&lease_next(f->s, &cursor)->address4, &a.address4));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_a_user_the_same_ipv4_again_after_reconnects_and_restarts),
		TEST(gives_most_users_the_same_ipv4_again_when_the_database_was_lost),
		TEST(adds_ipv4_to_a_lease_that_had_none),
		TEST(hands_out_all_addresses_but_the_first_and_the_last),
		TEST(delegates_ipv4_of_8_to_30_bits_and_nothing_else),
		TEST(pools_are_of_addresses_that_hosts_may_have_global_or_private),
		TEST(refuses_pools_that_share_ipv4_and_what_does_not_fit),
		TEST(addresses_and_subnets_of_one_range_never_overlap),
		TEST(evicts_nobody_while_an_address_is_free_then_who_was_idle_longest),
		TEST(finds_the_last_free_address_wherever_it_is),
		TEST(who_loses_his_address_keeps_his_prefixes),
		TEST(takes_nothing_from_who_is_active),
		TEST(takes_an_idle_subnet_when_addresses_of_the_same_range_are_short),
		TEST(gives_fixed_ipv4_and_refuses_other_peoples),
		TEST(refuses_impossible_fixed_ipv4),
		TEST(pools_never_hand_out_ipv4_that_is_reserved),
		TEST(moves_a_user_whose_address_nobody_may_have_any_more),
		TEST(keeps_ipv4_when_the_pool_is_renumbered_until_the_user_has_another_pool),
		TEST(finds_who_has_an_ipv4_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

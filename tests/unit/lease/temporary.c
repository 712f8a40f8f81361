/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Temporary pools: another address each time, and nothing left behind, whatever ends a softwire or the daemon. */
#include "fixture.h"

enum { CROWD = 2500 }; /* more than one sweep takes */

struct fixture {
	char folder[64], path[100], why[256];
	struct loop loop;
	struct lease_store *s;
	struct lease_pool_config pools[2]; /* default is permanent, guests is temporary */
};

static void set_pools(struct fixture *f, unsigned count)
{
	if (lease_store_set_pools(f->s, f->pools, count, f->why))
		fail_msg("%s", f->why);
}

static void open_store(struct fixture *f, struct loop *loop)
{
	f->s = lease_store_open(loop, f->path, NULL, f->why);
	if (!f->s)
		fail_msg("%s", f->why);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	f->pools[0] = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);
	pool_set4(&f->pools[0], "198.51.0.0/17", "198.51.128.0/17", 29);
	f->pools[1] = pool_of("guests", "2001:db8:200::/48", "2001:db8:a000::/36", 56);
	pool_set4(&f->pools[1], "10.0.0.0/16", "10.1.0.0/16", 29);
	f->pools[1].temporary = true;
	open_store(f, NULL);
	set_pools(f, 2);
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

static struct lease_request guest(const char *user)
{
	struct lease_request r = want_all(user, 0);

	strcpy(r.pool, "guests");
	return r;
}

static struct answered come(struct fixture *f, const char *user)
{
	struct lease_request r = guest(user);

	return acquire(f->s, &r);
}

/* What the database says, when nobody uses it. */
static size_t count_stored(struct fixture *f)
{
	struct lease_store *s = lease_store_open(NULL, f->path, NULL, f->why);
	size_t count;

	assert_non_null(s);
	count = lease_count(s, NULL);
	lease_store_close(s);
	return count;
}

/* proves: HS-PROV-2 partial */
static void gives_another_address_each_time_and_forgets_it_at_the_end(void **state)
{
	enum { TIMES = 50 };
	struct fixture *f = *state;
	struct lease seen[TIMES];
	unsigned same = 0;

	for (unsigned i = 0; i < TIMES; i++) {
		seen[i] = come(f, "rover").lease;
		assert_int_equal(seen[i].subnet_count, 1);
		assert_true(prefix_contains(&f->pools[1].link6, &seen[i].link6));
		assert_true(prefix_contains(&f->pools[1].delegate_from, &seen[i].delegated[0]));
		assert_true(prefix_contains_addr(&f->pools[1].ipv4, &seen[i].address4));
		lease_idle(f->s, "rover", 0);
		assert_null(lease_find(f->s, "rover", 0));
		assert_null(lease_find_by_addr(f->s, &seen[i].address4));
		for (unsigned j = 0; j < i; j++) {
			same += prefix_equal(&seen[i].link6, &seen[j].link6);
			same += prefix_equal(&seen[i].delegated[0], &seen[j].delegated[0]);
			same += addr_equal(&seen[i].address4, &seen[j].address4);
		}
	}
	assert_in_range(same, 0, 10); /* of 3 * 1225 pairs in 2^16 and 2^20 places */
	lease_store_close(f->s);
	assert_int_equal(count_stored(f), 0);
	open_store(f, NULL);
}

static void keeps_the_address_while_any_softwire_holds_it(void **state)
{
	struct fixture *f = *state;
	struct lease first = come(f, "rover").lease, second;

	second = come(f, "rover").lease; /* comes back before the old softwire was seen to be dead */
	assert_true(addr_equal(&first.address4, &second.address4));
	assert_true(prefix_equal(&first.delegated[0], &second.delegated[0]));
	lease_idle(f->s, "rover", 0);
	assert_true(lease_find(f->s, "rover", 0)->active);
	lease_idle(f->s, "rover", 0);
	assert_null(lease_find(f->s, "rover", 0));
	assert_int_equal(lease_count(f->s, NULL), 0);
}

/* proves: HS-PROV-2 partial */
static void forgets_after_a_restart_what_was_in_use(void **state)
{
	struct fixture *f = *state;
	struct lease home = acquire_user(f->s, "alice").lease;
	size_t active;

	come(f, "rover");
	come(f, "guest");
	lease_store_close(f->s); /* as a crash would: their softwires never ended */
	open_store(f, NULL);
	assert_int_equal(lease_count(f->s, NULL), 3); /* which pools are temporary is not known yet */
	set_pools(f, 2);
	assert_int_equal(lease_count(f->s, &active), 1);
	assert_int_equal(active, 0);
	assert_true(prefix_equal(&lease_find(f->s, "alice", 0)->delegated[0], &home.delegated[0]));
	lease_store_close(f->s);
	assert_int_equal(count_stored(f), 1);
	open_store(f, NULL);
}

static void a_pool_that_becomes_temporary_forgets_what_is_idle(void **state)
{
	struct fixture *f = *state;
	struct lease held;

	acquire_user(f->s, "idle");
	lease_idle(f->s, "idle", 0);
	held = acquire_user(f->s, "held").lease;
	f->pools[0].temporary = true;
	set_pools(f, 2);
	assert_null(lease_find(f->s, "idle", 0));
	assert_true(prefix_equal(&lease_find(f->s, "held", 0)->link6, &held.link6));
	lease_idle(f->s, "held", 0);
	assert_int_equal(lease_count(f->s, NULL), 0);
}

static void a_pool_that_becomes_permanent_keeps_what_is_held(void **state)
{
	struct fixture *f = *state;
	struct lease held = come(f, "rover").lease, again;

	f->pools[1].temporary = false;
	set_pools(f, 2);
	lease_idle(f->s, "rover", 0);
	again = come(f, "rover").lease;
	assert_true(addr_equal(&held.address4, &again.address4));
	lease_idle(f->s, "rover", 0);
	assert_non_null(lease_find(f->s, "rover", 0));
}

static void a_temporary_pool_that_is_gone_leaves_nothing_either(void **state)
{
	struct fixture *f = *state;

	come(f, "rover");
	set_pools(f, 1);
	assert_true(lease_find(f->s, "rover", 0)->active);
	lease_idle(f->s, "rover", 0);
	assert_null(lease_find(f->s, "rover", 0));
}

static void who_moves_between_pools_gets_what_the_new_one_promises(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want_all("rover", 0);
	struct lease home = acquire(f->s, &r).lease, away;

	lease_idle(f->s, "rover", 0);
	away = come(f, "rover").lease;
	assert_true(prefix_contains_addr(&f->pools[1].ipv4, &away.address4));
	assert_false(prefix_equal(&home.link6, &away.link6));
	lease_idle(f->s, "rover", 0);
	assert_int_equal(lease_count(f->s, NULL), 0);
	away = acquire(f->s, &r).lease; /* the same as ever, for nobody has taken it */
	assert_true(addr_equal(&home.address4, &away.address4));
	assert_true(prefix_equal(&home.delegated[0], &away.delegated[0]));
	lease_idle(f->s, "rover", 0);
	assert_non_null(lease_find(f->s, "rover", 0));
}

static void fixed_prefixes_are_the_same_in_a_temporary_pool(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = guest("rover");

	r.fixed_count = 1;
	r.fixed[0] = p("2001:db8:7000::/56");
	for (unsigned i = 0; i < 3; i++) {
		struct answered a = acquire(f->s, &r);

		assert_int_equal(a.result, 0);
		assert_true(prefix_equal(&a.lease.delegated[0], &r.fixed[0]));
		lease_idle(f->s, "rover", 0);
		assert_null(lease_find(f->s, "rover", 0));
	}
}

static void a_refused_request_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = guest("rover");
	struct prefix reserved = p("2001:db8:7000::/48");

	assert_int_equal(lease_store_reserve(f->s, &reserved, "alice"), 0);
	r.fixed_count = 1;
	r.fixed[0] = p("2001:db8:7000::/56");
	assert_int_equal(acquire(f->s, &r).result, -EEXIST);
	assert_int_equal(lease_count(f->s, NULL), 0);
	lease_store_close(f->s);
	assert_int_equal(count_stored(f), 0);
	open_store(f, NULL);
}

/* The lease cannot be forgotten while the database fails. It counts for nothing all the same. */
static void what_could_not_be_forgotten_is_not_given_again(void **state)
{
	struct fixture *f = *state;
	struct lease old = come(f, "rover").lease, new;

	fill_disk(true);
	lease_idle(f->s, "rover", 0);
	assert_non_null(lease_find(f->s, "rover", 0));
	assert_int_equal(come(f, "rover").result, -EIO);
	assert_true(addr_equal(&lease_find(f->s, "rover", 0)->address4, &old.address4));
	assert_false(lease_find(f->s, "rover", 0)->active);
	fill_disk(false);
	new = come(f, "rover").lease;
	assert_false(addr_equal(&new.address4, &old.address4) && prefix_equal(&new.link6, &old.link6));
	lease_idle(f->s, "rover", 0);
	fill_disk(true);
	come(f, "guest"); /* refused: nothing to forget */
	fill_disk(false);
	assert_int_equal(lease_count(f->s, NULL), 0);
	lease_store_close(f->s);
	assert_int_equal(count_stored(f), 0);
	open_store(f, NULL);
}

static void a_small_temporary_pool_serves_one_guest_after_the_other(void **state)
{
	struct fixture *f = *state;
	char user[16];

	pool_set4(&f->pools[1], "10.0.0.0/30", NULL, 0);
	set_pools(f, 2);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		assert_int_equal(come(f, user).result, 0);
		if (i) {
			assert_int_equal(come(f, "late").result, -ENOSPC);
			snprintf(user, sizeof(user), "u%u", i - 1);
			lease_idle(f->s, user, 0);
		}
	}
	assert_int_equal(lease_count(f->s, NULL), 1);
}

/* In a loop. */

struct waiting {
	unsigned count;
	int result;
};

static void count_answer(void *owner, int result, const struct lease *lease, const char *why)
{
	struct waiting *w = owner;

	w->count++;
	w->result = result;
}

static void to_loop(struct fixture *f)
{
	lease_store_close(f->s);
	assert_int_equal(loop_init(&f->loop), 0);
	open_store(f, &f->loop);
}

static void from_loop(struct fixture *f)
{
	lease_store_close(f->s);
	loop_done(&f->loop);
	open_store(f, NULL);
}

static void a_crowd_is_forgotten_bit_by_bit(void **state)
{
	struct fixture *f = *state;
	char user[16];

	for (unsigned i = 0; i < CROWD; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		assert_int_equal(come(f, user).result, 0);
	}
	acquire_user(f->s, "alice");
	to_loop(f);
	set_pools(f, 2);
	assert_in_range(lease_count(f->s, NULL), 2, CROWD);
	while (lease_count(f->s, NULL) > 1)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
	assert_non_null(lease_find(f->s, "alice", 0));
	from_loop(f);
	assert_int_equal(lease_count(f->s, NULL), 1);
}

static void a_lease_ends_with_a_cancelled_request_too(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = guest("rover");
	struct waiting w = {0}, other = {0};

	to_loop(f);
	set_pools(f, 2);
	lease_acquire(f->s, &r, count_answer, &w);
	assert_true(lease_find(f->s, "rover", 0)->active);
	lease_cancel(f->s, &w);
	assert_null(lease_find(f->s, "rover", 0));
	strcpy(r.user, "guest");
	lease_acquire(f->s, &r, count_answer, &other);
	while (!other.count)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
	assert_int_equal(other.result, 0);
	assert_int_equal(w.count, 0);
	lease_idle(f->s, "guest", 0);
	lease_acquire(f->s, &r, count_answer, &other); /* again, before it is written that he has gone */
	while (other.count < 2)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
	assert_int_equal(other.result, 0);
	lease_idle(f->s, "guest", 0);
	from_loop(f);
	assert_int_equal(lease_count(f->s, NULL), 0);
}

static void closing_with_requests_on_their_way_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = guest("rover");
	struct waiting w = {0};

	to_loop(f);
	set_pools(f, 2);
	fill_disk(true);
	lease_acquire(f->s, &r, count_answer, &w);
	lease_store_close(f->s);
	fill_disk(false);
	loop_done(&f->loop);
	assert_int_equal(w.count, 0);
	open_store(f, NULL);
	assert_int_equal(lease_count(f->s, NULL), 0);
}

static void a_failing_database_is_tried_again_later(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = guest("rover");
	struct waiting w = {0};
	struct lease_health h;

	to_loop(f);
	set_pools(f, 2);
	lease_acquire(f->s, &r, count_answer, &w);
	while (!w.count)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
	fill_disk(true);
	lease_idle(f->s, "rover", 0);
	while (!lease_find(f->s, "rover", 0)) /* gone, until the failure is known */
		uv_run(&f->loop.uv, UV_RUN_ONCE);
	assert_false(lease_find(f->s, "rover", 0)->active);
	fill_disk(false);
	for (lease_store_health(f->s, &h); !h.writable; lease_store_health(f->s, &h))
		uv_run(&f->loop.uv, UV_RUN_ONCE);
	wheel_advance(&f->loop.wheel, loop_now(&f->loop) + 31000);
	assert_null(lease_find(f->s, "rover", 0));
	from_loop(f);
	assert_int_equal(lease_count(f->s, NULL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_another_address_each_time_and_forgets_it_at_the_end),
		TEST(keeps_the_address_while_any_softwire_holds_it),
		TEST(forgets_after_a_restart_what_was_in_use),
		TEST(a_pool_that_becomes_temporary_forgets_what_is_idle),
		TEST(a_pool_that_becomes_permanent_keeps_what_is_held),
		TEST(a_temporary_pool_that_is_gone_leaves_nothing_either),
		TEST(who_moves_between_pools_gets_what_the_new_one_promises),
		TEST(fixed_prefixes_are_the_same_in_a_temporary_pool),
		TEST(a_refused_request_leaves_nothing),
		TEST(what_could_not_be_forgotten_is_not_given_again),
		TEST(a_small_temporary_pool_serves_one_guest_after_the_other),
		TEST(a_crowd_is_forgotten_bit_by_bit),
		TEST(a_lease_ends_with_a_cancelled_request_too),
		TEST(closing_with_requests_on_their_way_loses_nothing),
		TEST(a_failing_database_is_tried_again_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

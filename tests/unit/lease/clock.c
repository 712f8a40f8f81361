/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wall clock jumps. Who goes first when a pool is short does not depend on it, nor does anything end because of it. */
#include "fixture.h"

#include <time.h>

static time_t clock_now = 1600000000;

/* Takes the place of the C library's in this program. */
time_t time(time_t *ret)
{
	if (ret)
		*ret = clock_now;
	return clock_now;
}

struct fixture {
	char folder[64], path[100], why[256];
	struct lease_store *s;
	struct lease_pool_config pool;
};

static void open_store(struct fixture *f)
{
	f->s = lease_store_open(NULL, f->path, NULL, f->why);
	if (!f->s)
		fail_msg("%s", f->why);
	assert_int_equal(lease_store_set_pools(f->s, &f->pool, 1, f->why), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	clock_now = 1600000000;
	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	f->pool = pool_of("default", "2001:db8:100::/62", "2001:db8:8000::/46", 48);
	pool_set4(&f->pool, "192.0.2.0/29", "198.51.100.0/24", 29);
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

static struct lease visit(struct fixture *f, const char *user)
{
	struct lease_request r = want_all(user, 0);
	struct answered a = acquire(f->s, &r);

	assert_int_equal(a.result, 0);
	lease_idle(f->s, user, 0);
	return a.lease;
}

/* Four users, each with a clock that is wrong in another way; then who goes when four others come. */
static void visit_with_jumps(struct fixture *f, bool restarts)
{
	static const struct {
		const char *user;
		long jump;
	} visits[] = {
		{"alice", 0}, {"bob", -86400}, {"carol", 10L * 365 * 86400}, {"dave", -11L * 365 * 86400}};
	static const char *const later[] = {"u0", "u1", "u2", "u3"};

	for (unsigned i = 0; i < 4; i++) {
		clock_now += visits[i].jump;
		visit(f, visits[i].user);
		if (restarts)
			reopen(f);
	}
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned j = 0; j < 4; j++) {
			const struct lease *l = lease_find(f->s, visits[j].user, 0);

			assert_true(l);
			assert_int_equal(prefix_is_none(&l->link6), j < i);
			assert_int_equal(l->prefix_count, j < i ? 0 : 1);
		}
		clock_now -= 3600;
		visit(f, later[i]);
		if (restarts)
			reopen(f);
	}
}

static void who_was_idle_longest_goes_first_whatever_the_clock_says(void **state)
{
	visit_with_jumps(*state, false);
}

static void and_across_restarts(void **state)
{
	visit_with_jumps(*state, true);
}

static void who_was_active_at_a_crash_goes_last_whatever_the_clock_says(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want_all("alice", 0);

	assert_int_equal(acquire(f->s, &r).result, 0); /* long ago, and still up when the daemon ends */
	clock_now += 86400;
	visit(f, "bob");
	visit(f, "carol");
	visit(f, "dave");
	lease_store_close(f->s);
	clock_now -= 7 * 86400L;
	open_store(f);
	visit(f, "erin");
	visit(f, "frank");
	visit(f, "grace");
	assert_false(prefix_is_none(&lease_find(f->s, "alice", 0)->link6));
	visit(f, "heidi");
	assert_true(prefix_is_none(&lease_find(f->s, "alice", 0)->link6));
	assert_false(prefix_is_none(&lease_find(f->s, "erin", 0)->link6));
}

/* proves: HS-PROV-1 partial */
static void nothing_ends_because_time_passes_or_jumps(void **state)
{
	static const long jumps[] = {0, 1, 86400, 100L * 365 * 86400, -120L * 365 * 86400, -3600};
	struct fixture *f = *state;
	struct lease first = visit(f, "alice");

	for (unsigned i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		struct lease again;

		clock_now += jumps[i];
		reopen(f);
		again = visit(f, "alice");
		assert_true(addr_equal(&first.address4, &again.address4));
		assert_true(prefix_equal(&first.link6, &again.link6));
		assert_memory_equal(first.delegated, again.delegated, sizeof(first.delegated));
		assert_memory_equal(first.subnets, again.subnets, sizeof(first.subnets));
		assert_int_equal(again.granted_at, 1600000000);
		assert_int_equal(lease_find(f->s, "alice", 0)->used_at,
			clock_now); /* for people: what the clock says */
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_was_idle_longest_goes_first_whatever_the_clock_says),
		TEST(and_across_restarts),
		TEST(who_was_active_at_a_crash_goes_last_whatever_the_clock_says),
		TEST(nothing_ends_because_time_passes_or_jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

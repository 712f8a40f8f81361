/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store in a loop: answers come later and in order, only after the commit; and what happens when commits fail, or the process dies. */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>

enum { USERS = 500 };

struct fixture {
	char folder[64], path[100], why[256];
	struct loop loop;
	struct lease_store *s;
};

/* One request on its way, with the order in which it was answered. */
struct waiting {
	struct fixture *f;
	struct answered a;
	unsigned *counter;
	unsigned order;
};

static void on_answer(void *owner, int result, const struct lease *lease, const char *why)
{
	struct waiting *w = owner;

	remember(&w->a, result, lease, why);
	w->order = ++*w->counter;
}

static void open_store(struct fixture *f)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);

	pool_set4(&c, "10.0.0.0/12", "10.16.0.0/12", 28);
	f->s = lease_store_open(&f->loop, f->path, NULL, f->why);
	if (!f->s)
		fail_msg("%s", f->why);
	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	assert_int_equal(loop_init(&f->loop), 0);
	open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lease_store_close(f->s);
	loop_done(&f->loop);
	remove_folder(f->folder);
	free(f);
	return 0;
}

static void run_until(struct fixture *f, const unsigned *counter, unsigned count)
{
	while (*counter < count)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
}

static void ask(struct fixture *f, struct waiting *w, unsigned *counter, const char *user, uint16_t slot)
{
	struct lease_request r = want_all(user, slot);

	*w = (struct waiting){.f = f, .counter = counter};
	lease_acquire(f->s, &r, on_answer, w);
}

static struct answered ask_and_wait(struct fixture *f, const char *user)
{
	unsigned counter = 0;
	struct waiting w;

	ask(f, &w, &counter, user, 0);
	run_until(f, &counter, 1);
	return w.a;
}

static void answers_never_come_from_inside_a_request_and_come_in_order(void **state)
{
	struct fixture *f = *state;
	struct waiting *w = calloc(USERS, sizeof(*w));
	unsigned counter = 0;
	char user[16];

	for (unsigned i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		ask(f, &w[i], &counter, user, 0);
		assert_int_equal(counter, 0);
	}
	run_until(f, &counter, USERS);
	for (unsigned i = 0; i < USERS; i++) {
		assert_int_equal(w[i].order, i + 1);
		assert_int_equal(w[i].a.result, 0);
		assert_int_equal(w[i].a.count, 1);
	}
	/* Reconnects write nothing, and are as orderly. */
	counter = 0;
	for (unsigned i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		ask(f, &w[i], &counter, user, 0);
		assert_int_equal(counter, 0);
	}
	run_until(f, &counter, USERS);
	for (unsigned i = 0; i < USERS; i++)
		assert_int_equal(w[i].order, i + 1);
	free(w);
}

/* The loop serves softwires that are up, too: a batch that is committed is not answered in one go. */
static void answers_come_in_portions(void **state)
{
	struct fixture *f = *state;
	struct waiting *w = calloc(USERS, sizeof(*w));
	unsigned counter = 0, before;
	char user[16];

	for (unsigned i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		ask(f, &w[i], &counter, user, 0);
	}
	while (counter < USERS) {
		before = counter;
		uv_run(&f->loop.uv, UV_RUN_ONCE);
		assert_true(counter - before <= 16);
	}
	free(w);
}

static void a_second_request_waits_for_the_commit_of_the_first(void **state)
{
	struct fixture *f = *state;
	struct waiting first, second, refused;
	unsigned counter = 0;
	struct lease_request r = want("carol", 0);

	ask(f, &first, &counter, "alice", 0);
	ask(f, &second, &counter, "alice", 0);
	strcpy(r.pool, "nowhere");
	refused = (struct waiting){.f = f, .counter = &counter};
	lease_acquire(f->s, &r, on_answer, &refused);
	assert_int_equal(counter, 0);
	run_until(f, &counter, 3);
	assert_true(first.order < second.order);
	assert_memory_equal(
		first.a.lease.delegated, second.a.lease.delegated, sizeof(first.a.lease.delegated));
	assert_int_equal(refused.a.result, -EINVAL);
}

static void a_cancelled_answer_does_not_come(void **state)
{
	struct fixture *f = *state;
	struct waiting alice, bob;
	unsigned counter = 0;

	ask(f, &alice, &counter, "alice", 0);
	ask(f, &bob, &counter, "bob", 0);
	lease_cancel(f->s, &alice);
	run_until(f, &counter, 1);
	assert_int_equal(alice.a.count, 0);
	assert_int_equal(bob.a.count, 1);
	assert_false(lease_find(f->s, "alice", 0)->active);
	assert_true(lease_find(f->s, "bob", 0)->active);
}

static bool is_active(struct fixture *f, const char *user)
{
	const struct lease *l = lease_find(f->s, user, 0);

	return l && l->active;
}

/* A second softwire of alice comes and goes, in every way, before the store has answered it: the first keeps its hold. */
static void what_is_cancelled_takes_nothing_from_others(void **state)
{
	struct fixture *f = *state;
	struct lease_request nowhere = want("alice", 0);
	struct waiting second, refused, last;
	unsigned counter = 0;

	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	ask(f, &second, &counter, "alice", 0);
	lease_cancel(f->s, &second);
	lease_cancel(f->s, &second); /* once more is no more */
	assert_true(is_active(f, "alice"));
	strcpy(nowhere.pool, "nowhere");
	nowhere.fixed_count = 1;
	refused = (struct waiting){.f = f, .counter = &counter};
	lease_acquire(f->s, &nowhere, on_answer, &refused);
	lease_cancel(f->s, &refused);
	assert_true(is_active(f, "alice"));
	ask(f, &last, &counter, "bob", 0);
	run_until(f, &counter, 1);
	assert_int_equal(second.a.count + refused.a.count, 0);
	assert_true(is_active(f, "alice"));
	lease_idle(f->s, "alice", 0);
	assert_false(is_active(f, "alice"));
}

static void what_waits_for_its_answer_cannot_be_ended_by_idle(void **state)
{
	struct fixture *f = *state;
	struct waiting w;
	unsigned counter = 0;

	ask(f, &w, &counter, "alice", 0);
	lease_idle(f->s, "alice", 0);
	assert_true(is_active(f, "alice"));
	run_until(f, &counter, 1);
	assert_true(is_active(f, "alice"));
	lease_idle(f->s, "alice", 0);
	assert_false(is_active(f, "alice"));
}

static void cancel_next(void *owner, int result, const struct lease *lease, const char *why)
{
	struct waiting *w = owner;

	on_answer(owner, result, lease, why);
	lease_cancel(w->f->s, w + 1);
}

static void an_answer_may_cancel_the_next_one(void **state)
{
	struct fixture *f = *state;
	struct waiting w[3];
	unsigned counter = 0;
	struct lease_request r = want("alice", 0);

	w[0] = (struct waiting){.f = f, .counter = &counter};
	lease_acquire(f->s, &r, cancel_next, &w[0]);
	ask(f, &w[1], &counter, "bob", 0);
	ask(f, &w[2], &counter, "carol", 0);
	run_until(f, &counter, 2);
	assert_int_equal(w[1].a.count, 0);
	assert_int_equal(w[2].a.count, 1);
}

static void closing_waits_until_everything_is_committed(void **state)
{
	struct fixture *f = *state;
	struct waiting *w = calloc(USERS, sizeof(*w));
	unsigned counter = 0;
	char user[16];

	for (unsigned i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		ask(f, &w[i], &counter, user, 0);
	}
	lease_store_close(f->s);
	open_store(f);
	assert_int_equal(counter, 0);
	assert_int_equal(lease_count(f->s, NULL), USERS);
	free(w);
}

/* It is tried again by itself. */
static void wait_writable(struct fixture *f)
{
	struct lease_health h;

	for (lease_store_health(f->s, &h); !h.writable; lease_store_health(f->s, &h))
		uv_run(&f->loop.uv, UV_RUN_ONCE);
}

static void a_failed_commit_grants_nothing_and_undoes_everything(void **state)
{
	struct fixture *f = *state;
	struct answered alice = ask_and_wait(f, "alice"), again;
	struct waiting w[20];
	struct lease_request r = want("alice", 0);
	unsigned counter = 0;
	char user[16];
	size_t active;

	lease_idle(f->s, "alice", 0);
	fill_disk(true);
	r.fixed_count = 1; /* changes a lease that is there */
	r.fixed[0] = p("2001:db8:7000::/56");
	w[0] = (struct waiting){.f = f, .counter = &counter};
	lease_acquire(f->s, &r, on_answer, &w[0]);
	for (unsigned i = 1; i < 20; i++) { /* bob's second request builds on his first */
		snprintf(user, sizeof(user), "bob%u", i / 2);
		ask(f, &w[i], &counter, user, 0);
	}
	run_until(f, &counter, 20);
	fill_disk(false);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(w[i].a.result, -EIO);
		assert_false(w[i].a.granted);
		assert_says(w[i].a.why, "database: ");
	}
	assert_int_equal(lease_count(f->s, &active), 1);
	assert_int_equal(active, 0);
	assert_true(prefix_equal(&lease_find(f->s, "alice", 0)->delegated[0], &alice.lease.delegated[0]));
	assert_null(lease_find_by_addr(f->s, &r.fixed[0].addr));
	wait_writable(f);
	assert_int_equal(ask_and_wait(f, "bob1").result, 0);
	again = ask_and_wait(f, "alice");
	assert_true(prefix_equal(&again.lease.delegated[0], &alice.lease.delegated[0]));
	lease_store_close(f->s);
	open_store(f);
	assert_int_equal(lease_count(f->s, NULL), 2);
}

static void a_failed_commit_ends_its_own_hold_and_no_other(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want("alice", 0);
	struct waiting told, cancelled;
	unsigned counter = 0;

	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	fill_disk(true);
	r.fixed_count = 1;
	r.fixed[0] = p("2001:db8:7000::/56");
	told = cancelled = (struct waiting){.f = f, .counter = &counter};
	lease_acquire(f->s, &r, on_answer, &cancelled);
	lease_acquire(f->s, &r, on_answer, &told);
	lease_cancel(f->s, &cancelled);
	run_until(f, &counter, 1);
	fill_disk(false);
	assert_int_equal(told.a.result, -EIO);
	assert_true(is_active(f, "alice"));
	lease_idle(f->s, "alice", 0);
	assert_false(is_active(f, "alice"));
	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	assert_true(is_active(f, "alice"));
}

static void a_failed_commit_gives_an_evicted_lease_back(void **state)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/64", "2001:db8:8000::/56", 56);
	struct fixture *f = *state;
	struct answered alice;

	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	alice = ask_and_wait(f, "alice");
	lease_idle(f->s, "alice", 0);
	fill_disk(true);
	assert_int_equal(ask_and_wait(f, "bob").result, -EIO);
	assert_int_equal(ask_and_wait(f, "bob").result, -EIO); /* refused without a try */
	fill_disk(false);
	assert_null(lease_find(f->s, "bob", 0));
	assert_true(prefix_equal(&lease_find(f->s, "alice", 0)->link6, &alice.lease.link6));
	wait_writable(f);
	assert_int_equal(ask_and_wait(f, "bob").result, 0);
	assert_null(lease_find(f->s, "alice", 0));
}

/* Only the address had gone; the prefixes of both had stayed. */
static void a_failed_commit_gives_back_the_one_part_that_was_taken(void **state)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);
	struct fixture *f = *state;
	struct answered before[2];
	struct waiting w[2];
	unsigned counter = 0;

	pool_set4(&c, "192.0.2.0/30", NULL, 0);
	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	before[0] = ask_and_wait(f, "alice");
	before[1] = ask_and_wait(f, "bob");
	lease_idle(f->s, "alice", 0);
	lease_idle(f->s, "bob", 0);
	for (unsigned full = 1; full < 2; full--) {
		counter = 0;
		fill_disk(full);
		ask(f, &w[0], &counter, "carol", 0);
		ask(f, &w[1], &counter, "dave", 0);
		assert_true(addr_is_none(&lease_find(f->s, "alice", 0)->address4));
		assert_false(prefix_is_none(&lease_find(f->s, "bob", 0)->link6));
		run_until(f, &counter, 2);
		fill_disk(false);
		wait_writable(f);
		for (unsigned i = 0; i < 2; i++) {
			const struct lease *l = lease_find(f->s, before[i].lease.user, 0);

			assert_int_equal(w[i].a.result, full ? -EIO : 0);
			assert_int_equal(addr_equal(&l->address4,
						 full ? &before[i].lease.address4 : &(struct addr){0}),
				1);
			assert_true(prefix_equal(&l->link6, &before[i].lease.link6));
			assert_true(prefix_equal(&l->delegated[0], &before[i].lease.delegated[0]));
		}
	}
	assert_string_equal(lease_find_by_addr(f->s, &before[0].lease.address4)->user, "carol");
	assert_int_equal(lease_count(f->s, NULL), 4);
}

static void nothing_is_granted_into_a_file_that_was_moved_away(void **state)
{
	struct fixture *f = *state;
	struct answered a;
	char away[120];

	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	snprintf(away, sizeof(away), "%s.away", f->path);
	assert_int_equal(rename(f->path, away), 0);
	a = ask_and_wait(f, "bob");
	assert_int_equal(a.result, -EIO);
	assert_says(a.why, "the file was moved, removed or replaced");
	assert_int_equal(ask_and_wait(f, "alice").result, 0); /* she had hers before, safely */
	wait_writable(f);
	assert_int_equal(access(f->path, F_OK), 0); /* there is one again, with all that was in the other */
	assert_int_equal(ask_and_wait(f, "bob").result, 0);
	lease_store_close(f->s);
	open_store(f);
	assert_int_equal(lease_count(f->s, NULL), 2);
}

/* The child: acquires without end, and tells every lease that was answered. */

struct teller {
	struct fixture *f;
	int fd;
	unsigned next;
};

static void tell_and_ask(void *owner, int result, const struct lease *lease, const char *why)
{
	struct teller *t = owner;
	struct lease_request r;
	char user[16];

	if (lease && write(t->fd, lease, sizeof(*lease)) != sizeof(*lease))
		_exit(1);
	snprintf(user, sizeof(user), "u%u", t->next++);
	r = want_all(user, 0);
	lease_acquire(t->f->s, &r, tell_and_ask, t);
}

static void child(struct fixture *f, int fd)
{
	struct teller t = {.f = f, .fd = fd};

	assert_int_equal(loop_init(&f->loop), 0);
	open_store(f);
	for (unsigned i = 0; i < 50; i++)
		tell_and_ask(&t, 0, NULL, "");
	uv_run(&f->loop.uv, UV_RUN_DEFAULT);
	_exit(0);
}

static size_t read_told(int fd, struct lease *told, size_t max, size_t stop)
{
	size_t count = 0;

	while (count < max && count < stop && read(fd, &told[count], sizeof(*told)) == sizeof(*told))
		count++;
	return count;
}

/* Every answer was preceded by its commit: killing the process at any moment loses none of them. */
static void a_killed_process_loses_no_lease_that_was_answered(void **state)
{
	enum { MAX = 20000 };
	struct fixture *f = *state;
	struct lease *told = calloc(MAX, sizeof(*told));
	size_t count;
	int pipes[2];
	pid_t pid;

	lease_store_close(f->s);
	loop_done(&f->loop);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (!pid)
		child(f, pipes[1]);
	close(pipes[1]);
	count = read_told(pipes[0], told, MAX, 300);
	kill(pid, SIGKILL);
	count += read_told(pipes[0], told + count, MAX - count, MAX);
	waitpid(pid, NULL, 0);
	close(pipes[0]);
	assert_true(count >= 300);
	assert_int_equal(loop_init(&f->loop), 0);
	open_store(f);
	assert_true(lease_count(f->s, NULL) >= count);
	for (size_t i = 0; i < count; i++) {
		const struct lease *l = lease_find(f->s, told[i].user, told[i].slot);

		assert_non_null(l);
		assert_memory_equal(&l->link6, &told[i].link6, sizeof(l->link6));
		assert_memory_equal(l->delegated, told[i].delegated, sizeof(l->delegated));
		assert_memory_equal(&l->address4, &told[i].address4, sizeof(l->address4));
		assert_memory_equal(l->subnets, told[i].subnets, sizeof(l->subnets));
		assert_int_equal(l->subnet_count, 1);
	}
	free(told);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_never_come_from_inside_a_request_and_come_in_order),
		TEST(answers_come_in_portions),
		TEST(a_second_request_waits_for_the_commit_of_the_first),
		TEST(a_cancelled_answer_does_not_come),
		TEST(what_is_cancelled_takes_nothing_from_others),
		TEST(what_waits_for_its_answer_cannot_be_ended_by_idle),
		TEST(an_answer_may_cancel_the_next_one),
		TEST(closing_waits_until_everything_is_committed),
		TEST(a_failed_commit_grants_nothing_and_undoes_everything),
		TEST(a_failed_commit_ends_its_own_hold_and_no_other),
		TEST(a_failed_commit_gives_an_evicted_lease_back),
		TEST(a_failed_commit_gives_back_the_one_part_that_was_taken),
		TEST(nothing_is_granted_into_a_file_that_was_moved_away),
		TEST(a_killed_process_loses_no_lease_that_was_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

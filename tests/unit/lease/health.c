/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A database that cannot be written for a while: who gets in meanwhile, what is said, and that it comes back by itself. */
#include "fixture.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- in the place of the C library's: a disk that is full or hangs, and a clock that can be moved on ---- */

static long skipped_s; /* that the monotonic clock is ahead */
static bool disk_is_full;
static bool disk_hangs;
static unsigned writes; /* that were tried */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t disk_answers = PTHREAD_COND_INITIALIZER;

int clock_gettime(clockid_t id, struct timespec *ret)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ret);

	if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)
		ret->tv_sec += __atomic_load_n(&skipped_s, __ATOMIC_SEQ_CST);
	return rc;
}

static ssize_t write_or_fail(int fd, const void *data, size_t len, off_t at)
{
	__atomic_add_fetch(&writes, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&disk_is_full, __ATOMIC_SEQ_CST)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, __off64_t at)
{
	return write_or_fail(fd, data, len, at);
}

static int sync_or_hang(int fd)
{
	pthread_mutex_lock(&disk);
	while (disk_hangs)
		pthread_cond_wait(&disk_answers, &disk);
	pthread_mutex_unlock(&disk);
	return (int)syscall(SYS_fdatasync, fd);
}

int fdatasync(int fd)
{
	return sync_or_hang(fd);
}

int fsync(int fd)
{
	return sync_or_hang(fd);
}

static void set_full(bool full)
{
	__atomic_store_n(&disk_is_full, full, __ATOMIC_SEQ_CST);
}

static void set_hanging(bool hangs)
{
	pthread_mutex_lock(&disk);
	disk_hangs = hangs;
	pthread_cond_broadcast(&disk_answers);
	pthread_mutex_unlock(&disk);
}

static void skip_time(long seconds)
{
	__atomic_add_fetch(&skipped_s, seconds, __ATOMIC_SEQ_CST);
}

/* ---- the store ---- */

struct fixture {
	char folder[64], path[100], why[256];
	struct loop loop;
	struct lease_store *s;
	struct log log;
	int told;
};

static int setup(void **state)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);
	struct fixture *f = calloc(1, sizeof(*f));
	char name[120];

	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	snprintf(name, sizeof(name), "%s/log", f->folder);
	f->told = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	log_init(&f->log, f->told, LEVEL_INFO);
	assert_int_equal(loop_init(&f->loop), 0);
	f->s = lease_store_open(&f->loop, f->path, &f->log, f->why);
	assert_non_null(f->s);
	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	set_full(false);
	set_hanging(false);
	if (f->s)
		lease_store_close(f->s);
	loop_done(&f->loop);
	close(f->told);
	remove_folder(f->folder);
	free(f);
	return 0;
}

static void turn(struct fixture *f)
{
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	usleep(1000);
}

static struct answered ask_and_wait(struct fixture *f, const char *user)
{
	struct lease_request r = want(user, 0);
	struct answered a = {0};

	lease_acquire(f->s, &r, remember, &a);
	while (!a.count)
		turn(f);
	return a;
}

static struct lease_health health(struct fixture *f)
{
	struct lease_health h;

	lease_store_health(f->s, &h);
	return h;
}

static unsigned count_told(struct fixture *f, const char *words)
{
	static char text[65536];
	ssize_t n = pread(f->told, text, sizeof(text) - 1, 0);
	unsigned count = 0;

	assert_true(n >= 0);
	text[n] = '\0';
	for (const char *at = text; (at = strstr(at, words)); at++)
		count++;
	return count;
}

/* proves: HS-PROV-1 partial */
static void who_has_a_lease_gets_it_while_the_disk_is_full_and_others_when_it_is_not(void **state)
{
	struct fixture *f = *state;
	struct answered alice = ask_and_wait(f, "alice"), again, bob;

	lease_idle(f->s, "alice", 0);
	set_full(true);
	bob = ask_and_wait(f, "bob");
	assert_int_equal(bob.result, -EIO);
	assert_says(bob.why, "full");
	again = ask_and_wait(f, "alice");
	assert_int_equal(again.result, 0);
	assert_true(prefix_equal(&again.lease.link6, &alice.lease.link6));
	assert_int_equal(ask_and_wait(f, "carol").result, -EIO);
	assert_false(health(f).writable);
	assert_says(health(f).why, "full");
	assert_int_equal(health(f).refused, 2);
	assert_int_equal(health(f).outages, 1);
	set_full(false);
	while (!health(f).writable)
		turn(f);
	assert_int_equal(ask_and_wait(f, "bob").result, 0);
	assert_int_equal(count_told(f, "event=leases-read-only"), 1);
	assert_int_equal(count_told(f, "event=leases-writable"), 1);
	assert_int_equal(count_told(f, "refused=2"), 1);
}

static void a_full_disk_is_tried_now_and_then_and_told_now_and_then(void **state)
{
	struct fixture *f = *state;
	unsigned before;

	set_full(true);
	assert_int_equal(ask_and_wait(f, "alice").result, -EIO);
	before = writes;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(ask_and_wait(f, "alice").result, -EIO);
	assert_in_range(writes - before, 0, 5); /* refusals write nothing; a probe may have come between */
	before = writes;
	for (unsigned minute = 0; minute < 12;
		minute++) { /* each has time for one try, after so many turns that its answer has come */
		unsigned tried = writes;

		skip_time(60);
		while (writes == tried)
			turn(f);
		for (unsigned i = 0; i < 20; i++)
			turn(f);
	}
	assert_in_range(writes - before, 12, 40);
	assert_in_range(
		count_told(f, "event=leases-read-only"), 2, 4); /* the beginning, and one in five minutes */
	assert_int_equal(count_told(f, "event=leases-writable"), 0);
	assert_in_range(health(f).seconds, 700, 740);
}

static void a_disk_that_hangs_holds_up_nobody_who_has_a_lease(void **state)
{
	struct fixture *f = *state;
	struct lease_request r = want("bob", 0);
	struct answered bob = {0}, carol;

	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	lease_idle(f->s, "alice", 0);
	turn(f);
	set_hanging(true);
	lease_acquire(f->s, &r, remember, &bob);
	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	for (unsigned i = 0; i < 100; i++)
		turn(f);
	skip_time(12);
	while (health(f).writable)
		turn(f);
	assert_says(health(f).why, "the disk has not answered for 1");
	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	assert_false(health(f).writable);
	carol = ask_and_wait(f, "carol");
	assert_int_equal(carol.result, -EIO);
	assert_int_equal(bob.count, 0); /* may be granted yet */
	set_hanging(false);
	while (!bob.count)
		turn(f);
	assert_int_equal(bob.result, 0);
	while (!health(f).writable)
		turn(f);
	assert_int_equal(ask_and_wait(f, "carol").result, 0);
	assert_int_equal(count_told(f, "event=leases-writable"), 1);
}

/* Nobody asks for anything, and still it is noticed; and a backup is made. */
static void a_file_that_is_removed_is_noticed_and_made_anew_without_requests(void **state)
{
	struct fixture *f = *state;
	char backup[120];

	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	snprintf(backup, sizeof(backup), "%s.backup", f->path);
	assert_int_equal(access(backup, F_OK), -1);
	for (unsigned minutes = 0; access(backup, F_OK) && minutes < 10; minutes++) {
		skip_time(60);
		for (unsigned i = 0; i < 50; i++)
			turn(f);
	}
	assert_int_equal(access(backup, F_OK), 0);
	assert_int_equal(health(f).backups, 1);
	assert_int_equal(unlink(f->path), 0);
	skip_time(31);
	while (!health(f).rewritten)
		turn(f);
	assert_int_equal(access(f->path, F_OK), 0);
	assert_true(health(f).writable);
	assert_int_equal(ask_and_wait(f, "bob").result, 0);
}

static void the_full_disk_at_the_end_is_no_obstacle(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_and_wait(f, "alice").result, 0);
	set_full(true);
	assert_int_equal(ask_and_wait(f, "bob").result, -EIO);
	lease_store_close(f->s);
	set_full(false);
	f->s = lease_store_open(&f->loop, f->path, &f->log, f->why);
	assert_non_null(f->s);
	assert_int_equal(lease_count(f->s, NULL), 1);
	/* And so at the start: who has a lease gets it. */
	lease_store_close(f->s);
	set_full(true);
	f->s = lease_store_open(&f->loop, f->path, &f->log, f->why);
	assert_non_null(f->s);
	assert_int_equal(ask_and_wait(f, "alice").result, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_a_lease_gets_it_while_the_disk_is_full_and_others_when_it_is_not),
		TEST(a_full_disk_is_tried_now_and_then_and_told_now_and_then),
		TEST(a_disk_that_hangs_holds_up_nobody_who_has_a_lease),
		TEST(a_file_that_is_removed_is_noticed_and_made_anew_without_requests),
		TEST(the_full_disk_at_the_end_is_no_obstacle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

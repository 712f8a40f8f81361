/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every call that changes a file fails once, or for a while, or is the moment in which the power goes. A child process does the work and tells
 * what it was granted; the parent opens what is left: nothing that was granted is lost, nothing is there twice, nothing crashes.
 */
#include "fixture.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "disk.h"

enum { USERS = 10, POINTS = 20 };

enum scenario { CALM, OVERWRITTEN_UNDER_IT, OVERWRITTEN_BEFORE, SCENARIOS };

/* What the child tells. */
enum word { BEGIN, GRANTED, REFUSED, FORGET, FORGOTTEN };
struct told {
	enum word word;
	unsigned user;
	struct lease lease;
};

struct world {
	enum scenario scenario;
	struct disk *disk;
	char folder[64], path[100];
	int pipe[2];
	struct {
		bool granted, unsure; /* unsure: it may be there or not */
		struct lease lease;
	} known[USERS];
};

static struct lease_store *open_store(struct world *w)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);
	char why[256] = "";
	struct lease_store *s = lease_store_open(NULL, w->path, NULL, why);

	pool_set4(&c, "198.51.0.0/17", "198.51.128.0/17", 29);
	if (s && lease_store_set_pools(s, &c, 1, why))
		_exit(2);
	return s;
}

static void overwrite(struct world *w)
{
	static const uint8_t junk[40960] = {0x5a};
	int fd = (int)syscall(SYS_openat, AT_FDCWD, w->path, O_WRONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return; /* the power went before it was there */
	(void)!syscall(SYS_pwrite64, fd, junk, sizeof(junk), 0);
	syscall(SYS_fsync, fd);
	close(fd);
}

/* ---- the child ---- */

static void tell(struct world *w, enum word word, unsigned user, const struct lease *l)
{
	struct told t = {.word = word, .user = user};

	if (l)
		t.lease = *l;
	if (write(w->pipe[1], &t, sizeof(t)) != sizeof(t))
		_exit(3);
}

static void user_name(char name[16], unsigned user)
{
	snprintf(name, 16, "u%u", user);
}

static void answered(void *owner, int result, const struct lease *lease, const char *why)
{
	struct answered *a = owner;

	a->count++;
	a->result = result;
	if (lease)
		a->lease = *lease;
}

static void come(struct world *w, struct lease_store *s, unsigned user)
{
	struct answered a = {0};
	struct lease_request r;
	char name[16];

	user_name(name, user);
	r = want_all(name, 0);
	tell(w, BEGIN, user, NULL);
	lease_acquire(s, &r, answered, &a);
	if (a.count != 1 || (a.result && a.result != -EIO))
		_exit(4);
	tell(w, a.result ? REFUSED : GRANTED, user, &a.lease);
	if (!a.result && user % 3)
		lease_idle(s, name, 0);
}

static void forget(struct world *w, struct lease_store *s, unsigned user)
{
	struct answered a = {0};
	char name[16];

	user_name(name, user);
	tell(w, FORGET, user, NULL);
	lease_forget(s, name, 0, answered, &a);
	if (a.count != 1)
		_exit(5);
	if (!a.result || a.result == -ENOENT)
		tell(w, FORGOTTEN, user, NULL);
}

static void sentences(void *owner, const struct lease_findings *found)
{
	for (size_t i = 0; i < found->problem_count; i++)
		(void)!write(STDERR_FILENO, found->problems[i], strlen(found->problems[i]));
	if (found->problem_count + found->note_count)
		_exit(6); /* memory and database do not agree */
}

static void ignore(void *owner, const struct lease_findings *found)
{
}

static void work(struct world *w)
{
	struct lease_store *s = open_store(w);

	if (!s) { /* the disk has not let it */
		w->disk->fault = DISK_FINE;
		s = open_store(w);
	}
	if (!s)
		_exit(7);
	for (unsigned user = 0; user < USERS; user++) {
		if (user == USERS / 2 && w->scenario == OVERWRITTEN_UNDER_IT)
			overwrite(w);
		come(w, s, user);
		if (user % 4 == 3)
			forget(w, s, user - 1);
	}
	come(w, s, 1);
	if (w->disk->fault !=
		DISK_POWER_CUT) { /* the disk is fine again: everybody gets in, and all is in order */
		w->disk->fault = DISK_FINE;
		come(w, s, 0);
		if (w->scenario == OVERWRITTEN_UNDER_IT)
			lease_check(s, NULL, ignore,
				NULL); /* may be the first to find out, for pages are remembered */
		come(w, s, 2);
		lease_check(s, NULL, sentences, NULL);
	}
	lease_store_close(s);
	_exit(0);
}

/* ---- the parent ---- */

static void hear(struct world *w)
{
	struct told t;

	while (read(w->pipe[0], &t, sizeof(t)) == sizeof(t)) {
		if (t.word == GRANTED) {
			w->known[t.user].granted = true;
			w->known[t.user].lease = t.lease;
		}
		if (t.word == FORGOTTEN)
			w->known[t.user].granted = false;
		w->known[t.user].unsure = t.word == FORGET || ((t.word == BEGIN || t.word == REFUSED) &&
								      !w->known[t.user].granted);
	}
}

static bool same(const struct lease *a, const struct lease *b)
{
	return prefix_equal(&a->link6, &b->link6) && prefix_equal(&a->delegated[0], &b->delegated[0]) &&
	       addr_equal(&a->address4, &b->address4) && prefix_equal(&a->subnets[0], &b->subnets[0]);
}

static void verify(struct world *w, const char *what)
{
	struct lease_store *s = open_store(w);
	char name[16];

	if (!s)
		fail_msg("%s: it cannot be opened any more", what);
	for (unsigned user = 0; user < USERS; user++) {
		const struct lease *l;

		user_name(name, user);
		l = lease_find(s, name, 0);
		if (w->known[user].granted && !w->known[user].unsure &&
			(!l || !same(l, &w->known[user].lease)))
			fail_msg("%s: the lease of %s is lost", what, name);
		if (!w->known[user].granted && !w->known[user].unsure && l)
			fail_msg("%s: %s has a lease that was forgotten or never granted", what, name);
	}
	lease_check(s, NULL, sentences, NULL); /* nothing overlaps; the file has what memory has */
	lease_store_close(s);
}

static void remove_all(struct world *w)
{
	char undo[80];

	snprintf(undo, sizeof(undo), "%s/undo", w->folder);
	remove_folder(undo);
	remove_folder(w->folder);
}

/* Some leases, the backup of a good end, and then junk. */
static void prepare(struct world *w)
{
	struct lease_store *s;

	if (w->scenario != OVERWRITTEN_BEFORE)
		return;
	s = open_store(w);
	for (unsigned user = 0; user < USERS / 2; user++)
		come(w, s, user);
	lease_store_close(s);
	overwrite(w);
}

/* One life of a child with this fault. */
static void live(enum scenario scenario, struct disk *d, const char *what)
{
	struct world w = {.scenario = scenario, .disk = d};
	char undo[80];
	int status;
	pid_t pid;

	make_folder(w.folder);
	snprintf(w.path, sizeof(w.path), "%s/leases.db", w.folder);
	snprintf(undo, sizeof(undo), "%s/undo", w.folder);
	snprintf(d->folder, sizeof(d->folder), "%s", w.folder);
	assert_int_equal(mkdir(undo, 0700), 0);
	assert_int_equal(pipe2(w.pipe, O_CLOEXEC), 0);
	fcntl(w.pipe[1], F_SETPIPE_SZ, 1 << 20); /* for all that it tells */
	prepare(&w);
	d->calls = 0;
	pid = fork();
	if (!pid) {
		disk = d;
		work(&w);
	}
	close(w.pipe[1]);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("%s: the child ended with status %x", what, (unsigned)status);
	hear(&w);
	close(w.pipe[0]);
	verify(&w, what);
	remove_all(&w);
}

static void every_call(enum disk_fault fault, unsigned count, const char *name)
{
	struct disk *d = mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static uint8_t lasting[sizeof(d->syncs)];
	char what[80];

	for (enum scenario scenario = CALM; scenario < SCENARIOS; scenario++) {
		unsigned calls, stride;

		*d = (struct disk){.fault = DISK_FINE};
		live(scenario, d, "no fault");
		calls = d->calls;
		assert_in_range(calls, 50, sizeof(d->syncs) - 1);
		memcpy(lasting, d->syncs, sizeof(lasting));
		stride = calls / POINTS + 1;
		for (unsigned at = 0; at < calls; at++) {
			bool edge = lasting[at] || (at && lasting[at - 1]);

			/* Some; power cuts before and after each call that makes something lasting. */
			if (at % stride && !(edge && fault == DISK_POWER_CUT))
				continue;
			*d = (struct disk){.fault = fault, .at = at, .count = count, .seed = at};
			snprintf(what, sizeof(what), "%s at call %u of %u, scenario %d", name, at, calls,
				scenario);
			live(scenario, d, what);
		}
	}
	munmap(d, sizeof(*d));
}

/* proves: HS-PROV-1 partial */
static void the_power_may_go_at_any_time(void **state)
{
	every_call(DISK_POWER_CUT, 1, "power cut");
}

static void any_call_may_find_the_disk_full(void **state)
{
	every_call(DISK_FULL, 1, "disk full");
}

static void any_call_may_fail_once(void **state)
{
	every_call(DISK_IO_ERROR, 1, "I/O error");
}

static void several_calls_may_fail(void **state)
{
	every_call(DISK_IO_ERROR, 7, "I/O errors");
}

static void any_write_may_be_short(void **state)
{
	every_call(DISK_SHORT_WRITE, 1, "short write");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_power_may_go_at_any_time),
		cmocka_unit_test(any_call_may_find_the_disk_full),
		cmocka_unit_test(any_call_may_fail_once),
		cmocka_unit_test(several_calls_may_fail),
		cmocka_unit_test(any_write_may_be_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

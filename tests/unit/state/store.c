/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of state/store. The one that matters most lets a writer be stepped through a change instruction by instruction, and opens a copy of the
 * memory as it is after each: what a successor would find if the writer died there.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "state/store.h"

enum { MAX = 1 << 20, MANY = 300 };

static int new_file(void)
{
	int fd = memfd_create("store", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	return fd;
}

static struct store *open_store(int fd, struct store_found *found)
{
	struct store *s = NULL;

	assert_int_equal(store_open(fd, MAX, &s, found), 0);
	return s;
}

/* The record ID, or false. */
static bool find(const struct store *s, uint32_t id, struct store_record *ret)
{
	struct store_record r;
	uint32_t cursor = 0;
	bool found = false;

	while (store_next(s, &cursor, &r)) {
		if (r.id != id)
			continue;
		assert_false(found); /* once */
		found = true;
		*ret = r;
	}
	return found;
}

static void assert_record(const struct store *s, uint32_t id, const void *data, size_t len)
{
	struct store_record r = {0};

	assert_true(find(s, id, &r));
	assert_int_equal(r.len, len);
	assert_memory_equal(r.data, data, len);
}

static void test_what_is_put_is_found_again(void **state)
{
	struct store_found found;
	int fd = new_file();
	struct store *s = open_store(fd, &found);
	uint32_t a = 0, b = 0, c = 0;

	assert_true(found.fresh && !found.foreign);
	assert_int_equal(store_put(s, &a, 1, "one", 3), 0);
	assert_int_equal(store_put(s, &b, 2, "two", 3), 0);
	assert_int_equal(store_put(s, &c, 3, NULL, 0), 0);
	assert_int_equal(store_put(s, &b, 2, "zwei", 4), 0);
	store_remove(s, &a);
	assert_int_equal(a, 0);
	store_close(s);

	s = open_store(fd, &found);
	assert_false(found.fresh || found.foreign);
	assert_int_equal(found.records, 2);
	assert_int_equal(found.damaged, 0);
	assert_record(s, 2, "zwei", 4);
	assert_record(s, 3, "", 0);
	store_close(s);
	close(fd);
}

static void test_many_records_of_many_sizes_agree_with_a_model(void **state)
{
	static uint8_t bytes[MANY][STORE_RECORD_MAX];
	static size_t lens[MANY];
	uint32_t places[MANY] = {0};
	struct store_found found;
	int fd = new_file();
	struct store *s = open_store(fd, &found);
	struct rng rng;

	rng_init_seed(&rng, 5);
	for (int step = 0; step < 20000; step++) {
		uint32_t n = rng_below(&rng, MANY);

		if (rng_below(&rng, 4)) {
			lens[n] = rng_below(&rng, 100) ? rng_below(&rng, 500)
						       : rng_below(&rng, STORE_RECORD_MAX + 1);
			rng_bytes(&rng, bytes[n], lens[n]);
			assert_int_equal(store_put(s, &places[n], n + 1, bytes[n], lens[n]), 0);
		} else {
			store_remove(s, &places[n]);
		}
		if (step % 4000 == 3999) {
			store_close(s);
			s = open_store(fd, &found);
			assert_int_equal(found.damaged, 0);
		}
	}
	for (uint32_t n = 0; n < MANY; n++) {
		struct store_record r;

		if (places[n])
			assert_record(s, n + 1, bytes[n], lens[n]);
		else
			assert_false(find(s, n + 1, &r));
	}
	store_close(s);
	close(fd);
}

static void test_a_record_that_changes_for_ever_needs_no_more_room(void **state)
{
	struct store_found found;
	int fd = new_file();
	struct store *s = open_store(fd, &found);
	uint32_t places[100] = {0};
	uint8_t bytes[400] = {0};
	size_t before;

	for (uint32_t n = 0; n < 100; n++)
		assert_int_equal(store_put(s, &places[n], n + 1, bytes, sizeof(bytes)), 0);
	before = store_use(s).bytes;
	for (int round = 0; round < 1000; round++)
		for (uint32_t n = 0; n < 100; n++)
			assert_int_equal(store_put(s, &places[n], n + 1, bytes, sizeof(bytes)), 0);
	assert_int_equal(store_use(s).bytes, before);
	assert_int_equal(store_use(s).records, 100);
	/* 420 bytes in 448: nine to a page. */
	assert_true(before <= (size_t)(1 + 16) * STORE_PAGE);
	store_close(s);
	close(fd);
}

static void test_pages_of_one_size_serve_another_after_a_restart(void **state)
{
	struct store_found found;
	int fd = new_file();
	struct store *s = open_store(fd, &found);
	uint8_t bytes[900] = {0};
	uint32_t place = 0, many[1000] = {0};
	unsigned n = 0;

	while (n < 1000 && !store_put(s, &many[n], n + 1, bytes, 100))
		n++;
	store_clear(s);
	assert_int_equal(store_use(s).records, 0);
	assert_int_equal(store_put(s, &place, 1, bytes, sizeof(bytes)), 0);
	store_close(s);
	s = open_store(fd, &found);
	assert_int_equal(found.records, 1);
	store_close(s);
	close(fd);
}

static void test_a_full_store_says_so_and_keeps_no_stale_record(void **state)
{
	struct store_found found;
	struct store *s = NULL;
	uint32_t places[64] = {0};
	uint8_t bytes[STORE_RECORD_MAX] = {0};
	struct store_record r;
	int fd = new_file(), n = 0, result = 0;

	assert_int_equal(store_open(fd, (size_t)4 * STORE_PAGE, &s, &found), 0);
	while (!result)
		result = store_put(s, &places[n], (uint32_t)n + 1, bytes, sizeof(bytes)), n++;
	assert_int_equal(result, -ENOSPC);
	assert_int_equal(n, 4);
	/* There is no room for its successor, so the old one is not left behind as if it were current. */
	assert_int_equal(store_put(s, &places[0], 1, bytes, sizeof(bytes)), -ENOSPC);
	assert_int_equal(places[0], 0);
	assert_false(find(s, 1, &r));
	assert_int_equal(store_put(s, &places[0], 1, bytes, sizeof(bytes)), 0);
	assert_int_equal(store_put(s, &places[0], 1, bytes, sizeof(bytes) + 1), -EMSGSIZE);
	assert_false(find(s, 1, &r));
	store_close(s);
	close(fd);
}

static void test_a_sealed_file_grows_and_cannot_shrink(void **state)
{
	struct store_found found;
	int fd = new_file();
	struct store *s;
	uint32_t place = 0;

	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL), 0);
	s = open_store(fd, &found);
	assert_int_equal(store_put(s, &place, 1, "x", 1), 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	store_close(s);
	s = open_store(fd, &found);
	assert_record(s, 1, "x", 1);
	store_close(s);
	close(fd);
}

static void test_two_processes_never_have_it_open_at_once(void **state)
{
	struct store_found found;
	int fd = new_file(), status;
	struct store *s = open_store(fd, &found), *other = NULL;
	pid_t pid = fork();

	if (!pid)
		_exit(store_open(fd, MAX, &other, &found) == -EBUSY ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(s);
	close(fd);
}

/* ---- memory that somebody else has written ---- */

static void change_byte(int fd, off_t at, uint8_t mask)
{
	uint8_t b;

	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= mask;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
}

/* The record is 64 bytes behind the start of the first page behind the head. */
enum { FIRST = STORE_PAGE + STORE_GRANULE };

static void test_what_is_damaged_is_dropped(void **state)
{
	static const struct {
		const char *what;
		off_t at;
		uint8_t mask;
		bool foreign;
		unsigned records, damaged;
	} cases[] = {
		{"magic of the store", 0, 1, true, 0, 0},
		{"version of the store", 4, 2, true, 0, 0},
		{"kind of a page", STORE_PAGE, 1, false, 1, 1},
		{"magic of a page", STORE_PAGE + 3, 0x80, false, 1, 1},
		{"state of a record", FIRST, 1, false, 1, 1},
		{"id", FIRST + 4, 1, false, 1, 1},
		{"sequence", FIRST + 8, 1, false, 1, 1},
		{"length", FIRST + 12, 1, false, 1, 1},
		{"length beyond the page", FIRST + 15, 0x80, false, 1, 1},
		{"checksum", FIRST + 16, 0x10, false, 1, 1},
		{"first byte", FIRST + STORE_HEAD, 1, false, 1, 1},
		{"last byte", FIRST + STORE_HEAD + 9, 0x80, false, 1, 1},
		{"behind the record", FIRST + STORE_HEAD + 10, 0xff, false, 2, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct store_found found;
		int fd = new_file();
		struct store *s = open_store(fd, &found);
		uint8_t bytes[200] = {0};
		uint32_t a = 0, b = 0;

		assert_int_equal(store_put(s, &a, 1, "0123456789", 10), 0);
		assert_int_equal(store_put(s, &b, 2, bytes, sizeof(bytes)), 0); /* in another page */
		store_close(s);
		change_byte(fd, cases[i].at, cases[i].mask);
		s = open_store(fd, &found);
		if (found.foreign != cases[i].foreign || found.records != cases[i].records)
			fail_msg("%s: %u records", cases[i].what, found.records);
		assert_true(found.damaged >= cases[i].damaged && found.damaged <= 70);
		assert_int_equal(found.damaged != 0, cases[i].damaged != 0);
		/* And it can be used. */
		a = 0;
		assert_int_equal(store_put(s, &a, 7, "new", 3), 0);
		assert_record(s, 7, "new", 3);
		store_close(s);
		close(fd);
	}
}

static void test_files_that_are_none_are_refused(void **state)
{
	struct store_found found;
	struct store *s = NULL;
	int pair[2], fd = new_file();

	assert_int_equal(pipe(pair), 0);
	assert_int_equal(store_open(pair[0], MAX, &s, &found), -EINVAL);
	assert_int_equal(store_open(-1, MAX, &s, &found), -EINVAL);
	assert_int_equal(store_open(fd, STORE_PAGE - 1, &s, &found), -EINVAL);
	assert_null(s);
	close(pair[0]);
	close(pair[1]);
	close(fd);
}

/* ---- a death at any instruction ---- */

struct stepping {
	int fd;
	void (*act)(struct store *s, uint32_t *at);
	const char *before, *after; /* what record 2 may be; NULL: not there */
};

static const char longer[] =
	"a record that is so long that it needs a page of another kind, as none is there yet";

static void put_new(struct store *s, uint32_t *at)
{
	(void)store_put(s, at, 2, "a new record, quite another one", 31);
}

static void put_longer(struct store *s, uint32_t *at)
{
	(void)store_put(s, at, 2, longer, sizeof(longer) - 1);
}

static void take_away(struct store *s, uint32_t *at)
{
	store_remove(s, at);
}

static bool is_text(const struct store_record *r, const char *text)
{
	return text && r->len == strlen(text) && !memcmp(r->data, text, r->len);
}

/* What a successor finds in a copy of the memory. */
static void look_at_copy(const uint8_t *map, size_t size, const struct stepping *w)
{
	struct store_found found;
	struct store_record r = {0};
	int fd = new_file();
	struct store *s;

	assert_int_equal(write(fd, map, size), size);
	s = open_store(fd, &found);
	assert_int_equal(found.damaged, 0);
	assert_record(s, 1, "the one that stays", 18);
	if (find(s, 2, &r))
		assert_true(is_text(&r, w->before) || is_text(&r, w->after));
	else
		assert_true(!w->before || !w->after);
	assert_int_equal(found.records, find(s, 2, &r) ? 2 : 1);
	store_close(s);
	close(fd);
}

/* The child's own store, made before it is traced; it stops itself before and after the change. */
__attribute__((noreturn)) static void writer(const struct stepping *w, struct store *s, uint32_t at)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	raise(SIGSTOP);
	w->act(s, &at);
	raise(SIGSTOP);
	_exit(0);
}

static bool is_stop(int status, int signal)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == signal;
}

/* How many different images were looked at. */
static unsigned step_through(const struct stepping *w, pid_t pid)
{
	struct stat st;
	uint8_t *map, *last;
	unsigned images = 0;
	int status;

	assert_int_equal(fstat(w->fd, &st), 0);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, w->fd, 0);
	last = calloc(1, (size_t)st.st_size);
	assert_true(map != MAP_FAILED && last);
	for (;;) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!is_stop(status, SIGTRAP))
			break;
		if (!memcmp(map, last, (size_t)st.st_size))
			continue;
		memcpy(last, map, (size_t)st.st_size);
		look_at_copy(last, (size_t)st.st_size, w);
		images++;
	}
	assert_true(is_stop(status, SIGSTOP));
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	munmap(map, (size_t)st.st_size);
	free(last);
	return images;
}

static void die_at_every_instruction(
	void (*act)(struct store *s, uint32_t *at), const char *before, const char *after, unsigned least)
{
	struct stepping w = {.fd = new_file(), .act = act, .before = before, .after = after};
	struct store_found found;
	struct store *s = open_store(w.fd, &found);
	uint32_t other = 0, at = 0;
	int status;
	pid_t pid;

	assert_int_equal(store_put(s, &other, 1, "the one that stays", 18), 0);
	if (before)
		assert_int_equal(store_put(s, &at, 2, before, strlen(before)), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		writer(&w, s, at);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status)) {
		store_close(s);
		close(w.fd);
		skip(); /* where nobody may be traced */
	}
	assert_true(step_through(&w, pid) >= least);
	store_close(s);
	s = open_store(w.fd, &found);
	assert_int_equal(found.records, after ? 2 : 1);
	store_close(s);
	close(w.fd);
}

/* proves: PS-2 partial */
static void test_a_writer_that_dies_while_it_replaces_leaves_the_old_or_the_new(void **state)
{
	die_at_every_instruction(put_new, "the old record", "a new record, quite another one", 8);
}

static void test_a_writer_that_dies_while_it_adds_leaves_all_or_nothing(void **state)
{
	die_at_every_instruction(put_new, NULL, "a new record, quite another one", 6);
}

static void test_a_writer_that_dies_while_a_page_is_dressed_loses_nothing(void **state)
{
	die_at_every_instruction(put_longer, "the old record", longer, 20);
}

static void test_a_writer_that_dies_while_it_removes_leaves_all_or_nothing(void **state)
{
	die_at_every_instruction(take_away, "the old record", NULL, 1);
}

/* ---- crash loops ---- */

static void test_two_deaths_in_a_row_at_one_record_are_poison(void **state)
{
	struct store_found found;
	int fd = new_file();
	struct store *s = open_store(fd, &found);

	store_work(s, 7);
	store_close(s); /* as if it had died */
	s = open_store(fd, &found);
	assert_false(store_is_poison(s, 7));
	store_work(s, 8); /* another one: not in a row */
	store_close(s);
	s = open_store(fd, &found);
	store_work(s, 7);
	store_close(s);
	s = open_store(fd, &found);
	assert_false(store_is_poison(s, 7));
	store_work(s, 7);
	store_close(s);
	s = open_store(fd, &found);
	assert_true(store_is_poison(s, 7));
	assert_false(store_is_poison(s, 8));
	store_work(s, 7);
	store_work(s, 0); /* all went well */
	store_close(s);
	s = open_store(fd, &found);
	assert_false(store_is_poison(s, 7));
	store_close(s);
	close(fd);
}

static void test_starts_are_counted_until_all_is_well(void **state)
{
	struct store_found found;
	int fd = new_file();
	struct store *s = open_store(fd, &found);

	assert_int_equal(store_starts(s), 1);
	for (unsigned n = 2; n < 5; n++) {
		store_close(s);
		s = open_store(fd, &found);
		assert_int_equal(store_starts(s), n);
	}
	store_settle(s);
	store_close(s);
	s = open_store(fd, &found);
	assert_int_equal(store_starts(s), 1);
	store_close(s);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_put_is_found_again),
		cmocka_unit_test(test_many_records_of_many_sizes_agree_with_a_model),
		cmocka_unit_test(test_a_record_that_changes_for_ever_needs_no_more_room),
		cmocka_unit_test(test_pages_of_one_size_serve_another_after_a_restart),
		cmocka_unit_test(test_a_full_store_says_so_and_keeps_no_stale_record),
		cmocka_unit_test(test_a_sealed_file_grows_and_cannot_shrink),
		cmocka_unit_test(test_two_processes_never_have_it_open_at_once),
		cmocka_unit_test(test_what_is_damaged_is_dropped),
		cmocka_unit_test(test_files_that_are_none_are_refused),
		cmocka_unit_test(test_a_writer_that_dies_while_it_replaces_leaves_the_old_or_the_new),
		cmocka_unit_test(test_a_writer_that_dies_while_it_adds_leaves_all_or_nothing),
		cmocka_unit_test(test_a_writer_that_dies_while_a_page_is_dressed_loses_nothing),
		cmocka_unit_test(test_a_writer_that_dies_while_it_removes_leaves_all_or_nothing),
		cmocka_unit_test(test_two_deaths_in_a_row_at_one_record_are_poison),
		cmocka_unit_test(test_starts_are_counted_until_all_is_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

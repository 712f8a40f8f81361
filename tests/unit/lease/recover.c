/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Databases that are damaged, emptied, replaced or gone, at the start and under the running store: what was leased stays leased. */
#include "fixture.h"

#include <glob.h>
#include <sqlite3.h>
#include <time.h>

#include "lease/file.h"

enum { USERS = 400, PAGE = 4096 };

struct fixture {
	char folder[64], path[100], why[256];
	struct log log;
	int told; /* what the log said */
	struct lease before[USERS];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char name[120];

	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	snprintf(name, sizeof(name), "%s/log", f->folder);
	f->told = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	log_init(&f->log, f->told, LEVEL_INFO);
	f->log.timestamps = f->log.priority = false;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->told);
	remove_folder(f->folder);
	free(f);
	return 0;
}

static const char *beside(struct fixture *f, const char *suffix)
{
	static char name[FILE_NAME];

	return file_name(name, f->path, suffix);
}

static struct lease_store *open_store(struct fixture *f)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);
	struct lease_store *s = lease_store_open(NULL, f->path, &f->log, f->why);

	if (!s)
		fail_msg("%s", f->why);
	pool_set4(&c, "198.51.0.0/17", "198.51.128.0/17", 29);
	assert_int_equal(lease_store_set_pools(s, &c, 1, f->why), 0);
	return s;
}

static void user_name(char user[16], unsigned n)
{
	snprintf(user, 16, "u%u", n);
}

static void acquire_all(struct fixture *f, struct lease_store *s, unsigned from, unsigned to)
{
	struct lease_request r;
	struct answered a;
	char user[16];

	for (unsigned i = from; i < to; i++) {
		user_name(user, i);
		r = want_all(user, 0);
		a = acquire(s, &r);
		assert_int_equal(a.result, 0);
		lease_idle(s, user, 0);
		f->before[i] = a.lease;
	}
}

static void make_database(struct fixture *f, unsigned users)
{
	struct lease_store *s = open_store(f);

	acquire_all(f, s, 0, users);
	lease_store_close(s);
}

static bool same_lease(const struct lease *a, const struct lease *b)
{
	return a && prefix_equal(&a->link6, &b->link6) && a->prefix_count == b->prefix_count &&
	       prefix_equal(&a->delegated[0], &b->delegated[0]) && addr_equal(&a->address4, &b->address4) &&
	       a->subnet_count == b->subnet_count && prefix_equal(&a->subnets[0], &b->subnets[0]);
}

static unsigned count_same(struct fixture *f, const struct lease_store *s, unsigned from, unsigned to)
{
	unsigned same = 0;
	char user[16];

	for (unsigned i = from; i < to; i++) {
		user_name(user, i);
		same += same_lease(lease_find(s, user, 0), &f->before[i]);
	}
	return same;
}

static void note_sentences(void *owner, const struct lease_findings *found)
{
	char *text = owner;

	text[0] = '\0';
	for (size_t i = 0; i < found->problem_count; i++)
		snprintf(text + strlen(text), 1000 - strlen(text), "%s; ", found->problems[i]);
	for (size_t i = 0; i < found->note_count; i++)
		snprintf(text + strlen(text), 1000 - strlen(text), "note: %s; ", found->notes[i]);
}

/* Memory, database and pools agree, and nothing is given twice. */
static void assert_sound(struct lease_store *s)
{
	char text[1000] = "not answered";

	lease_check(s, NULL, note_sentences, text);
	assert_string_equal(text, "");
}

static void assert_told(struct fixture *f, const char *words)
{
	static char text[1 << 18];
	ssize_t n = pread(f->told, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_says(text, words);
}

static unsigned count_damaged(struct fixture *f)
{
	char pattern[FILE_NAME];
	unsigned count;
	glob_t found;

	/* Their logs end in -wal. */
	count = glob(file_name(pattern, f->path, ".damaged-*[0-9]"), 0, NULL, &found)
			? 0
			: (unsigned)found.gl_pathc;
	globfree(&found);
	return count;
}

/* What somebody did with another program. */
static void alter(struct fixture *f, const char *sql)
{
	sqlite3 *db;
	char *error = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

static void scribble(struct fixture *f, unsigned page, unsigned pages)
{
	char junk[PAGE];
	int fd = open(f->path, O_RDWR | O_CLOEXEC);

	memset(junk, 0x5a, sizeof(junk));
	for (unsigned i = 0; i < pages; i++)
		assert_int_equal(pwrite(fd, junk, PAGE, (off_t)(page + i) * PAGE), PAGE);
	close(fd);
}

/* ---- at the start ---- */

/* Every page in turn, and all of them: a backup was made when the store was closed, so nothing is lost. proves: HS-PROV-1 partial */
static void whatever_page_is_damaged_all_leases_come_back(void **state)
{
	struct fixture *f = *state;
	struct lease_store *s;
	struct stat st;

	make_database(f, 100);
	assert_int_equal(stat(f->path, &st), 0);
	for (unsigned page = 0; page <= st.st_size / PAGE; page++) {
		if (page == st.st_size / PAGE)
			scribble(f, 0, page); /* all */
		else
			scribble(f, page, 1);
		s = open_store(f);
		assert_int_equal(lease_count(s, NULL), 100);
		assert_int_equal(count_same(f, s, 0, 100), 100);
		assert_sound(s);
		lease_store_close(s);
	}
	assert_told(f, "event=leases-damaged");
	assert_told(f, "100 leases");
	assert_int_equal(count_damaged(f), FILE_DAMAGED_MAX);
}

/* The backup is older than the file: newer leases come from what can still be read of the file, and no address is there twice. */
static void newer_leases_come_from_the_file_and_older_ones_from_the_backup(void **state)
{
	struct fixture *f = *state;
	struct lease_store *s;
	unsigned kept_old = 0, kept_new = 0, pages;
	char old[FILE_NAME];
	struct stat st;

	make_database(f, 200);
	assert_int_equal(rename(beside(f, ".backup"), file_name(old, f->path, ".old")), 0);
	s = open_store(f);
	acquire_all(f, s, 200, USERS);
	lease_store_close(s);
	assert_int_equal(rename(old, beside(f, ".backup")), 0);
	assert_int_equal(stat(f->path, &st), 0);
	pages = (unsigned)(st.st_size / PAGE);
	scribble(f, pages / 2, 1);
	s = open_store(f);
	kept_old = count_same(f, s, 0, 200);
	kept_new = count_same(f, s, 200, USERS);
	assert_int_equal(kept_old, 200);
	assert_true(kept_new > 100);
	assert_sound(s);
	acquire_all(f, s, 0, USERS);
	assert_sound(s);
	lease_store_close(s);
}

/* alice had an address, lost it, and bob has it; only the backup remembers that it was hers. */
static void what_has_changed_hands_since_the_backup_does_not_go_back(void **state)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/48", NULL, 0);
	struct fixture *f = *state;
	struct lease_request alice = want_all("alice", 0), bob = want_all("bob", 0);
	struct lease_store *s;
	char old[FILE_NAME];
	struct addr address;

	pool_set4(&c, "192.0.2.1/32", NULL, 0);
	for (unsigned i = 0; i < 2; i++) {
		s = lease_store_open(NULL, f->path, &f->log, f->why);
		assert_int_equal(lease_store_set_pools(s, &c, 1, f->why), 0);
		address = acquire(s, i ? &bob : &alice).lease.address4;
		lease_idle(s, i ? "bob" : "alice", 0);
		lease_store_close(s);
		if (!i)
			assert_int_equal(rename(beside(f, ".backup"), file_name(old, f->path, ".old")), 0);
	}
	assert_int_equal(rename(old, beside(f, ".backup")), 0);
	alter(f, "UPDATE prefix SET prefix = 'hello' WHERE use = 'link' AND user = 'bob'");
	s = lease_store_open(NULL, f->path, &f->log, f->why);
	assert_non_null(s);
	assert_string_equal(lease_find_by_addr(s, &address)->user, "bob");
	assert_true(addr_is_none(&lease_find(s, "alice", 0)->address4));
	assert_false(prefix_is_none(&lease_find(s, "alice", 0)->link6));
	assert_told(f, "event=lease-lost");
	lease_store_close(s);
}

static void a_file_that_is_gone_or_empty_comes_back_from_the_backup(void **state)
{
	struct fixture *f = *state;
	struct lease_store *s;

	for (unsigned i = 0; i < 2; i++) {
		make_database(f, 50);
		assert_int_equal(i ? truncate(f->path, 0) : unlink(f->path), 0);
		s = open_store(f);
		assert_int_equal(count_same(f, s, 0, 50), 50);
		assert_sound(s);
		lease_store_close(s);
		assert_told(f, "is missing or empty, though there is a backup of it");
	}
}

/* The choice that was made: a daemon that serves users is better than none, and most of them get what they had. */
static void without_anything_readable_it_starts_and_most_users_get_the_same_again(void **state)
{
	struct fixture *f = *state;
	struct lease first[50];
	struct lease_store *s;
	unsigned same = 0;
	char user[16];

	make_database(f, 50);
	memcpy(first, f->before, sizeof(first));
	scribble(f, 0, 40);
	assert_int_equal(unlink(beside(f, ".backup")), 0);
	s = open_store(f);
	assert_int_equal(lease_count(s, NULL), 0);
	assert_told(f, "nobody is known any more");
	acquire_all(f, s, 0, 50);
	for (unsigned i = 0; i < 50; i++) {
		user_name(user, i);
		same += same_lease(lease_find(s, user, 0), &first[i]);
	}
	assert_true(same > 40);
	lease_store_close(s);
	assert_int_equal(count_damaged(f), 1);
}

static void a_damaged_backup_is_no_obstacle(void **state)
{
	struct fixture *f = *state;
	struct lease_store *s;
	int fd;

	make_database(f, 50);
	fd = open(beside(f, ".backup"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, "a letter to my aunt", 19), 19);
	close(fd);
	s = open_store(f);
	assert_int_equal(count_same(f, s, 0, 50), 50);
	lease_store_close(s);
	make_database(f, 50); /* and it was made anew */
	scribble(f, 0, 3);
	s = open_store(f);
	assert_int_equal(count_same(f, s, 0, 50), 50);
	lease_store_close(s);
}

/* What another program wrote, or half a page that went wrong: what makes sense is kept, what does not is told. */
static void rows_that_contradict_each_other_are_put_right(void **state)
{
	static const struct {
		const char *sql, *why;
		bool link, delegated, address, subnet; /* what is left of u0's */
	} bad[] = {
		{"DELETE FROM lease", "belongs to no lease", true, true, true, true},
		{"DELETE FROM prefix WHERE use = 'delegated'; UPDATE prefix SET use = 'delegated', position "
		 "= 1 WHERE use = 'link'",
			"the prefix before 2001:db8:1", false, true, true, true},
		{"UPDATE prefix SET position = 9 WHERE use = 'delegated'", "has a place that no prefix has",
			true, false, true, true},
		{"UPDATE prefix SET use = 'link' WHERE use = 'delegated'", "has a place that another one has",
			true, false, true, true},
		{"UPDATE prefix SET prefix = 'hello'", "is impossible or contradicts itself", false, false,
			false, false},
		{"UPDATE prefix SET prefix = '2001:db8:1::/64'", "is impossible or contradicts itself", false,
			false, false, false},
		{"UPDATE prefix SET last = first", "is impossible or contradicts itself", false, false, true,
			false},
		{"UPDATE prefix SET first = zeroblob(16), last = zeroblob(16), prefix = '::/128' WHERE use = "
		 "'link'",
			"has an impossible length", false, true, true, true},
		{"UPDATE prefix SET first = zeroblob(16), last = x'0000000000000000ffffffffffffffff', prefix "
		 "= '::/64' "
		 "WHERE use = 'link'",
			"has an impossible length or family", false, true, true, true},
		{"UPDATE prefix SET prefix = '192.0.2.1/32' WHERE use = 'address4'",
			"is impossible or contradicts itself", true, true, false, true},
		{"UPDATE prefix SET first = x'00000000000000000000ffffc0000200', "
		 "last = x'00000000000000000000ffffc00002ff', prefix = '192.0.2.0/24' WHERE use = 'address4'",
			"prefix 192.0.2.0/24 of user u0 has an impossible length", true, true, false, true},
		{"UPDATE prefix SET first = x'00000000000000000000ffffc0000200', "
		 "last = x'00000000000000000000ffffc0000201', prefix = '192.0.2.0/31' WHERE use = 'subnet4'",
			"prefix 192.0.2.0/31 of user u0 has an impossible length", true, true, true, false},
		{"UPDATE prefix SET use = 'address4' WHERE use = 'subnet4'",
			"has a place that another one has", true, true, true, false},
		{"UPDATE prefix SET position = 2 WHERE use = 'subnet4'", "has a place that no prefix has",
			true, true, true, false},
		{"UPDATE prefix SET position = 1 WHERE use = 'subnet4'", "the prefix before 198.51.", true,
			true, true, true},
		{"DELETE FROM prefix WHERE use = 'address4'; UPDATE prefix SET use = 'address4' WHERE use = "
		 "'subnet4'",
			"has an impossible length", true, true, false, false},
		{"UPDATE prefix SET slot = -1", "is impossible or contradicts itself", false, false, false,
			false},
		{"UPDATE lease SET user = ''", "too long or empty", true, true, true, true},
		{"UPDATE lease SET duid = zeroblob(200)", "too long", true, true, true, true},
		{"UPDATE lease SET iaid = -1", "IAID -1 is impossible", true, true, true, true},
		{"UPDATE lease SET used_order = -1", "order -1 of use is impossible", true, true, true, true},
		{"UPDATE lease SET used_order = 9223372036854775807", "of use is impossible", true, true,
			true, true},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct lease *l;
		struct lease_store *s;
		char text[1000];

		make_database(f, 1);
		unlink(beside(f, ".backup"));
		alter(f, bad[i].sql);
		s = open_store(f);
		assert_told(f, bad[i].why);
		l = lease_find(s, "u0", 0);
		assert_int_equal(l && !prefix_is_none(&l->link6), bad[i].link);
		assert_int_equal(l && l->prefix_count == 1, bad[i].delegated);
		assert_int_equal(l && !addr_is_none(&l->address4), bad[i].address);
		assert_int_equal(l && l->subnet_count == 1, bad[i].subnet);
		acquire_all(f, s, 0, 1);
		lease_check(
			s, NULL, note_sentences, text); /* what is left of u0's may be no unit of the pool */
		assert_null(strstr(text, "database") ? text : strstr(text, "overlap"));
		lease_store_close(s);
		remove_database(f->path);
		assert_int_equal(ftruncate(f->told, 0), 0);
	}
}

/* ---- under the running store ---- */

enum harm { REMOVED, REPLACED, LOG_REMOVED, SCRIBBLED, HARMS };

static void harm(struct fixture *f, enum harm what)
{
	switch (what) {
	case REMOVED:
		assert_int_equal(unlink(f->path), 0);
		break;
	case REPLACED:
		assert_int_equal(rename(beside(f, ".backup"), f->path), 0);
		break;
	case LOG_REMOVED:
		assert_int_equal(unlink(beside(f, "-wal")), 0);
		break;
	default:
		scribble(f, 0, 30);
	}
}

/* proves: HS-PROV-1 partial */
static void a_file_that_is_harmed_under_the_store_is_made_anew_from_memory(void **state)
{
	struct fixture *f = *state;
	struct lease_health h;
	struct lease_request r;
	struct lease_store *s;
	char user[16];

	for (enum harm what = REMOVED; what < HARMS; what++) {
		make_database(f, 100);
		s = open_store(f);
		acquire_all(f, s, 100, 120);
		harm(f, what);
		for (unsigned i = 120; i < 140; i++) {
			/* The one that finds out is refused, the next one is not. */
			user_name(user, i);
			r = want_all(user, 0);
			if (acquire(s, &r).result)
				assert_int_equal(acquire(s, &r).result, 0);
			f->before[i] = *lease_find(s, user, 0);
			lease_idle(s, user, 0);
		}
		lease_store_health(s, &h);
		assert_true(h.writable);
		lease_store_close(s);
		s = open_store(f);
		assert_int_equal(lease_count(s, NULL), 140);
		assert_int_equal(count_same(f, s, 0, 140), 140);
		assert_sound(s);
		lease_store_close(s);
		remove_database(f->path);
	}
	assert_told(f, "event=leases-rewritten");
	assert_told(f, "was moved, removed or replaced");
}

/* Nobody came any more, so nobody noticed until the end; and then the store made it whole. */
static void what_is_found_at_the_end_is_put_right_at_the_end(void **state)
{
	struct fixture *f = *state;
	struct lease_store *s;

	for (enum harm what = REMOVED; what < HARMS; what++) {
		make_database(f, 100);
		s = open_store(f);
		acquire_all(f, s, 100, 120);
		harm(f, what);
		lease_store_close(s);
		s = open_store(f);
		assert_int_equal(count_same(f, s, 0, 120), 120);
		assert_sound(s);
		lease_store_close(s);
		remove_database(f->path);
	}
}

/* ---- a new file that takes the place of an old one is complete before it does ---- */

static void a_new_file_is_the_database_from_the_moment_it_is_complete(void **state)
{
	struct fixture *f = *state;
	char complete[FILE_NAME], log[FILE_NAME];
	struct lease_store *s;

	/* The power went in the middle: .new is there, with the old file still, with only its log, and with neither. */
	for (unsigned i = 0; i < 3; i++) {
		make_database(f, 60);
		assert_int_equal(rename(f->path, file_name(complete, f->path, ".new")), 0);
		unlink(beside(f, ".backup"));
		if (i < 2)
			make_database(f, 3); /* an older one */
		unlink(beside(f, ".backup"));
		if (i == 1)
			assert_int_equal(rename(f->path, file_name(log, f->path, "-wal")), 0);
		acquire_all(f, (s = open_store(f)), 0, 60);
		lease_store_close(s);
		s = open_store(f);
		assert_int_equal(lease_count(s, NULL), 60);
		assert_sound(s);
		lease_store_close(s);
		assert_int_not_equal(access(complete, F_OK), 0);
		assert_int_not_equal(access(beside(f, "-wal"), F_OK), 0);
		remove_database(f->path);
	}
}

static void half_a_new_file_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct lease_store *s;
	int fd;

	make_database(f, 60);
	fd = open(beside(f, ".tmp"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "SQLite format 3", 15), 15);
	close(fd);
	fd = open(beside(f, ".backup.tmp"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	s = open_store(f);
	assert_int_equal(count_same(f, s, 0, 60), 60);
	lease_store_close(s);
	scribble(f, 0, 2);
	s = open_store(f);
	assert_int_equal(count_same(f, s, 0, 60), 60);
	assert_sound(s);
	lease_store_close(s);
}

/* Root may be at work in a directory that is somebody else's. */
static void what_is_no_file_of_ours_keeps_its_owner_and_mode(void **state)
{
	struct fixture *f = *state;
	char victim[FILE_NAME];
	struct stat st;

	file_name(victim, f->path, ".victim");
	for (int hard = 0; hard < 2; hard++) {
		int fd = open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		close(fd);
		fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_int_equal(fchmod(fd, 0666), 0);
		assert_true(fchown(fd, 65534, 65534) == 0 || geteuid() != 0);
		close(fd);
		assert_int_equal((hard ? link : symlink)(victim, beside(f, ".backup.tmp")), 0);
		assert_int_equal(file_keep_backup(f->path, f->why), 0);
		assert_int_equal(stat(victim, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(st.st_uid, geteuid());
		unlink(victim);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whatever_page_is_damaged_all_leases_come_back),
		TEST(newer_leases_come_from_the_file_and_older_ones_from_the_backup),
		TEST(what_has_changed_hands_since_the_backup_does_not_go_back),
		TEST(a_file_that_is_gone_or_empty_comes_back_from_the_backup),
		TEST(without_anything_readable_it_starts_and_most_users_get_the_same_again),
		TEST(a_damaged_backup_is_no_obstacle),
		TEST(rows_that_contradict_each_other_are_put_right),
		TEST(a_file_that_is_harmed_under_the_store_is_made_anew_from_memory),
		TEST(what_is_found_at_the_end_is_put_right_at_the_end),
		TEST(a_new_file_is_the_database_from_the_moment_it_is_complete),
		TEST(half_a_new_file_is_nothing),
		TEST(what_is_no_file_of_ours_keeps_its_owner_and_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

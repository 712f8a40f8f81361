/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Databases that cannot be used, and what the schema itself refuses. */
#include "fixture.h"

#include <sqlite3.h>

#include "lease/db.h"

struct fixture {
	char folder[64], path[100], why[256];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	remove_folder(f->folder);
	free(f);
	return 0;
}

static void make_database(struct fixture *f, unsigned users)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);
	struct lease_store *s = lease_store_open(NULL, f->path, NULL, f->why);
	char user[16];

	assert_non_null(s);
	assert_int_equal(lease_store_set_pools(s, &c, 1, f->why), 0);
	for (unsigned i = 0; i < users; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		assert_int_equal(acquire_user(s, user).result, 0);
	}
	lease_store_close(s);
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

static void assert_refused(struct fixture *f, const char *why)
{
	assert_null(lease_store_open(NULL, f->path, NULL, f->why));
	assert_says(f->why, why);
	assert_says(f->why, f->path);
}

static void refuses_a_file_that_is_no_database(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->path, "w");

	for (unsigned i = 0; i < 100; i++)
		fputs("this is a letter to my aunt\n", file);
	fclose(file);
	assert_refused(f, "file is not a database");
}

static void refuses_a_database_of_something_else(void **state)
{
	struct fixture *f = *state;

	alter(f, "CREATE TABLE music (title TEXT)");
	assert_refused(f, "is a database, but not one of leases");
}

static void refuses_a_later_schema_and_says_so(void **state)
{
	struct fixture *f = *state;

	make_database(f, 1);
	alter(f, "UPDATE softwire_schema SET version = 7");
	assert_refused(f, "schema version 7: this program knows version 1; a later one made it");
}

static void refuses_a_damaged_file(void **state)
{
	struct fixture *f = *state;
	char junk[4096];
	int fd;

	make_database(f, 2000);
	fd = open(f->path, O_RDWR);
	memset(junk, 0x5a, sizeof(junk));
	for (unsigned page = 3; page < 20; page++)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), page * (off_t)sizeof(junk)), sizeof(junk));
	close(fd);
	assert_refused(f, "malformed");
}

static void refuses_a_folder_and_a_path_that_leads_nowhere(void **state)
{
	struct fixture *f = *state;

	snprintf(f->path, sizeof(f->path), "%s", f->folder);
	assert_refused(f, "unable to open database file");
	snprintf(f->path, sizeof(f->path), "%s/missing/leases.db", f->folder);
	assert_refused(f, "No such file or directory");
}

static void refuses_a_database_that_another_store_uses(void **state)
{
	struct fixture *f = *state;
	struct lease_store *s = lease_store_open(NULL, f->path, NULL, f->why);

	assert_non_null(s);
	assert_refused(f, "another process is using it");
	lease_store_close(s);
	make_database(f, 1);
}

static void refuses_rows_that_contradict_each_other(void **state)
{
	static const struct {
		const char *sql, *why;
	} bad[] = {
		{"DELETE FROM lease", "belongs to no lease"},
		{"DELETE FROM prefix WHERE use = 'delegated'; UPDATE prefix SET use = 'delegated', position "
		 "= 1",
			"delegated prefix 0 is missing"},
		{"UPDATE prefix SET position = 9 WHERE use = 'delegated'",
			"has a place that another one has"},
		{"UPDATE prefix SET prefix = 'hello'", "is impossible or contradicts itself"},
		{"UPDATE prefix SET prefix = '2001:db8:1::/64'", "is impossible or contradicts itself"},
		{"UPDATE prefix SET last = first", "is impossible or contradicts itself"},
		{"UPDATE prefix SET use = 'link' WHERE use = 'delegated'", "of user u0"},
		{"UPDATE prefix SET first = zeroblob(16), last = zeroblob(16), prefix = '::/128' WHERE use = "
		 "'link'",
			"has an impossible length"},
		{"UPDATE lease SET user = ''", "too long or empty"},
		{"UPDATE lease SET duid = zeroblob(200)", "too long"},
		{"UPDATE lease SET iaid = -1", "IAID -1 is impossible"},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make_database(f, 1);
		alter(f, bad[i].sql);
		assert_refused(f, bad[i].why);
		unlink(f->path);
	}
}

static struct db_prefix prefix_for(const char *user, const char *text)
{
	return (struct db_prefix){.user = user, .prefix = p(text)};
}

/* The schema's own guard, below everything that the store checks. */
static void schema_refuses_prefixes_that_overlap(void **state)
{
	static const char *const overlapping[] = {"2001:db8:8000::/48", "2001:db8:8000::/49",
		"2001:db8:8000:ff::/64", "2001:db8::/32", "2001:db8:8000:8000::/49"};
	struct fixture *f = *state;
	struct db *db = db_open(f->path, f->why);
	struct db_prefix a = prefix_for("alice", "2001:db8:8000::/48"), b;

	assert_non_null(db);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_put_prefix(db, &a), 0);
	assert_int_equal(db_commit(db), 0);
	for (unsigned i = 0; i < sizeof(overlapping) / sizeof(overlapping[0]); i++) {
		b = prefix_for("bob", overlapping[i]);
		assert_int_equal(db_begin(db), 0);
		assert_int_equal(db_put_prefix(db, &b), -EIO);
		db_rollback(db);
	}
	assert_says(db_why(db), "overlaps another lease");
	b = prefix_for("bob", "2001:db8:8001::/48");
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_put_prefix(db, &b), 0);
	assert_int_equal(db_delete_prefix(db, &a.prefix), 0);
	b = prefix_for("bob", "2001:db8:8000:1::/64");
	assert_int_equal(db_put_prefix(db, &b), 0);
	assert_int_equal(db_commit(db), 0);
	db_close(db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refuses_a_file_that_is_no_database),
		TEST(refuses_a_database_of_something_else),
		TEST(refuses_a_later_schema_and_says_so),
		TEST(refuses_a_damaged_file),
		TEST(refuses_a_folder_and_a_path_that_leads_nowhere),
		TEST(refuses_a_database_that_another_store_uses),
		TEST(refuses_rows_that_contradict_each_other),
		TEST(schema_refuses_prefixes_that_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Databases that are not ours to touch, and what the schema itself refuses. What is damaged: recover.c. */
#include "fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

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
	struct lease_request r;
	char user[16];

	pool_set4(&c, "198.51.0.0/17", "198.51.128.0/17", 29);
	assert_non_null(s);
	assert_int_equal(lease_store_set_pools(s, &c, 1, f->why), 0);
	for (unsigned i = 0; i < users; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		r = want_all(user, 0);
		assert_int_equal(acquire(s, &r).result, 0);
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
	assert_refused(f, "a later version of this program made it: its schema has version 7, and this "
			  "program knows 1 to 2");
	alter(f, "UPDATE softwire_schema SET version = 0");
	assert_refused(f, "schema version 0 is impossible");
	alter(f, "UPDATE softwire_schema SET version = 2");
	make_database(f, 2);
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

static struct db_prefix prefix_for(const char *user, const char *text)
{
	struct db_prefix ret = {.user = user, .prefix = p(text)};

	if (ret.prefix.addr.family == AF_INET)
		ret.part = ret.prefix.len == 32 ? PART_ADDRESS4 : PART_SUBNET4;
	else
		ret.part = ret.prefix.len == 64 ? PART_LINK : PART_DELEGATED;
	return ret;
}

/* The schema's own guard, below everything that the store checks. */
static void schema_refuses_prefixes_that_overlap(void **state)
{
	static const char *const overlapping[] = {"2001:db8:8000::/48", "2001:db8:8000::/49",
		"2001:db8:8000:ff::/64", "2001:db8::/32", "2001:db8:8000:8000::/49"};
	struct fixture *f = *state;
	enum db_trouble trouble;
	struct db *db = db_open(f->path, &trouble, f->why);
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

/* One table for addresses and subnets: neither may lie in the other. */
static void schema_refuses_ipv4_that_overlaps(void **state)
{
	static const struct {
		const char *first, *second;
	} overlapping[] = {{"192.0.2.1/32", "192.0.2.1/32"}, {"192.0.2.0/29", "192.0.2.7/32"},
		{"192.0.2.7/32", "192.0.2.0/29"}, {"192.0.2.0/29", "192.0.2.0/30"},
		{"192.0.2.0/30", "192.0.2.0/24"}};
	struct fixture *f = *state;
	enum db_trouble trouble;
	struct db *db = db_open(f->path, &trouble, f->why);
	struct db_prefix a, b, beside = prefix_for("carol", "192.0.2.8/32"),
			       v6 = prefix_for("dave", "c000:200::/48");

	assert_non_null(db);
	for (unsigned i = 0; i < sizeof(overlapping) / sizeof(overlapping[0]); i++) {
		a = prefix_for("alice", overlapping[i].first);
		b = prefix_for("bob", overlapping[i].second);
		assert_int_equal(db_begin(db), 0);
		assert_int_equal(db_put_prefix(db, &a), 0);
		assert_int_equal(db_put_prefix(db, &v6), 0);
		if (i < 4)
			assert_int_equal(db_put_prefix(db, &beside), 0);
		assert_int_equal(db_put_prefix(db, &b), -EIO);
		assert_says(db_why(db), i ? "overlaps another lease" : "database: ");
		db_rollback(db);
	}
	db_close(db);
}

static void schema_keeps_families_apart(void **state)
{
	struct fixture *f = *state;
	enum db_trouble trouble;
	struct db *db = db_open(f->path, &trouble, f->why);
	struct db_prefix v4 = prefix_for("alice", "192.0.2.1/32"), v6 = prefix_for("alice", "2001:db8::/64");

	assert_non_null(db);
	v4.part = PART_LINK;
	v6.part = PART_ADDRESS4;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_put_prefix(db, &v4), -EIO);
	assert_int_equal(db_put_prefix(db, &v6), -EIO);
	assert_says(db_why(db), "CHECK constraint failed");
	db_rollback(db);
	db_close(db);
}

/* As the version before IPv4 made it, with two leases: alice's is the older one, bob's was in use. */
static const char version_1[] =
	"PRAGMA journal_mode = WAL;"
	"CREATE TABLE softwire_schema (version INTEGER NOT NULL);"
	"INSERT INTO softwire_schema VALUES (1);"
	"CREATE TABLE lease ("
	" user TEXT NOT NULL, slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 65535), pool TEXT NOT NULL,"
	" duid BLOB, iaid INTEGER NOT NULL, granted_at INTEGER NOT NULL, used_at INTEGER NOT NULL,"
	" in_use INTEGER NOT NULL, PRIMARY KEY (user, slot)) WITHOUT ROWID;"
	"CREATE TABLE prefix ("
	" first BLOB NOT NULL PRIMARY KEY CHECK (length(first) = 16),"
	" last BLOB NOT NULL CHECK (length(last) = 16 AND last >= first), prefix TEXT NOT NULL,"
	" user TEXT NOT NULL, slot INTEGER NOT NULL, use TEXT NOT NULL CHECK (use IN ('link', 'delegated')),"
	" position INTEGER NOT NULL, fixed INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TRIGGER prefix_overlap BEFORE INSERT ON prefix BEGIN"
	" SELECT RAISE(ABORT, 'overlaps another lease') WHERE"
	" (SELECT last FROM prefix WHERE first <= NEW.last ORDER BY first DESC LIMIT 1) >= NEW.first;"
	"END;"
	"INSERT INTO lease VALUES ('alice', 0, 'default', x'00030001020000000001', 7, 1600000000, "
	"1600000100, 0),"
	" ('bob', 1, 'small', NULL, 0, 1600000001, 1600000300, 1),"
	" ('carol', 0, 'default', NULL, 0, 1600000002, 1600000200, 0);"
	"INSERT INTO prefix VALUES"
	" (x'20010db8010000010000000000000000', x'20010db801000001ffffffffffffffff', '2001:db8:100:1::/64', "
	"'alice', 0,"
	"  'link', 0, 0),"
	" (x'20010db8800001000000000000000000', x'20010db8800001ffffffffffffffffff', "
	"'2001:db8:8000:100::/56', 'alice', 0,"
	"  'delegated', 0, 0),"
	" (x'20010db8700000000000000000000000', x'20010db87000ffffffffffffffffffff', '2001:db8:7000::/48', "
	"'bob', 1,"
	"  'delegated', 0, 1),"
	" (x'20010db8010000020000000000000000', x'20010db801000002ffffffffffffffff', '2001:db8:100:2::/64', "
	"'carol', 0,"
	"  'link', 0, 0);";

static int64_t number(struct fixture *f, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db;
	int64_t ret;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return ret;
}

static void check_migrated(struct lease_store *s)
{
	struct prefix q = p("2001:db8:7000::/48");
	const struct lease *l;

	assert_int_equal(lease_count(s, NULL), 3);
	l = lease_find(s, "bob", 1);
	assert_true(prefix_equal(&l->delegated[0], &q));
	assert_true(prefix_is_none(&l->link6) && addr_is_none(&l->address4) && !l->subnet_count);
	assert_string_equal(l->pool, "small");
	l = lease_find(s, "alice", 0);
	assert_int_equal(l->duid_len, 10);
	assert_int_equal(l->iaid, 7);
	assert_int_equal(l->granted_at, 1600000000);
	assert_int_equal(l->used_at, 1600000100);
	q = p("2001:db8:100:1::/64");
	assert_true(prefix_equal(&l->link6, &q));
	q = p("2001:db8:8000:100::/56");
	assert_true(prefix_equal(&l->delegated[0], &q));
}

/* proves: HS-PROV-1 partial */
static void brings_a_database_of_version_1_to_ours_with_all_leases(void **state)
{
	struct fixture *f = *state;
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/63", "2001:db8:8000::/36", 56);
	struct lease_request r = want_all("alice", 0);
	struct lease_store *s;

	alter(f, version_1);
	for (unsigned i = 0; i < 2; i++) {
		s = lease_store_open(NULL, f->path, NULL, f->why);
		if (!s)
			fail_msg("%s", f->why);
		check_migrated(s);
		lease_store_close(s);
		assert_int_equal(number(f, "SELECT version FROM softwire_schema"), 2);
		assert_int_equal(number(f, "SELECT count(*) FROM sqlite_master WHERE name LIKE '%_1'"), 0);
	}
	/* It takes what is new, and the times of use still say who goes first. */
	s = lease_store_open(NULL, f->path, NULL, f->why);
	pool_set4(&c, "198.51.100.0/24", "198.51.101.0/24", 29);
	c.link6 = p("2001:db8:100:2::/64");
	assert_int_equal(lease_store_set_pools(s, &c, 1, f->why), 0);
	assert_int_equal(acquire(s, &r).lease.subnet_count, 1);
	lease_idle(s, "alice", 0);
	r = want_all("dave", 0);
	assert_int_equal(acquire(s, &r).result, 0);
	assert_null(lease_find(s, "carol", 0));
	assert_int_equal(lease_find(s, "alice", 0)->subnet_count, 1);
	lease_store_close(s);
	assert_int_equal(number(f, "SELECT count(*) FROM prefix WHERE use = 'address4'"), 2);
}

static void assert_still_version_1(struct fixture *f)
{
	assert_int_equal(number(f, "SELECT version FROM softwire_schema"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM lease"), 3);
	assert_int_equal(number(f, "SELECT count(*) FROM prefix"), 4);
	assert_int_equal(number(f, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"), 1);
	assert_int_equal(
		number(f, "SELECT count(*) FROM pragma_table_info('lease') WHERE name = 'used_order'"), 0);
}

static void a_migration_that_fails_leaves_the_file_as_it_was(void **state)
{
	static const struct {
		const char *harm, *why, *mend;
	} cases[] = {
		{"CREATE TABLE prefix_1 (x)", "there is already another table", "DROP TABLE prefix_1"},
		{"UPDATE prefix SET last = x'20010db87fffffffffffffffffffffff' WHERE user = 'bob';"
		 "UPDATE prefix SET first = x'20010db8700100000000000000000000', last = "
		 "x'20010db87001ffffffffffffffffffff' WHERE user = 'carol'",
			"overlaps another lease",
			"UPDATE prefix SET last = x'20010db87000ffffffffffffffffffff' WHERE user = 'bob';"
			"UPDATE prefix SET first = x'20010db8010000020000000000000000', last = "
			"x'20010db801000002ffffffffffffffff' WHERE user = 'carol'"},
		{"ALTER TABLE lease ADD COLUMN used_order INTEGER", "duplicate column",
			"ALTER TABLE lease DROP COLUMN used_order"},
		{"UPDATE prefix SET first = x'00000000000000000000ffffc0000201', "
		 "last = x'00000000000000000000ffffc0000201' WHERE user = 'bob'",
			"CHECK constraint failed",
			"UPDATE prefix SET first = x'20010db8700000000000000000000000', "
			"last = x'20010db87000ffffffffffffffffffff' WHERE user = 'bob'"},
	};
	struct fixture *f = *state;
	struct lease_store *s;

	alter(f, version_1);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		alter(f, cases[i].harm);
		assert_refused(f, "cannot be brought from schema version 1 to 2 and stays as it was: ");
		assert_says(f->why, cases[i].why);
		alter(f, cases[i].mend);
		assert_still_version_1(f);
	}
	s = lease_store_open(NULL, f->path, NULL, f->why);
	assert_non_null(s);
	check_migrated(s);
	lease_store_close(s);
}

static void a_migration_that_finds_the_disk_full_leaves_the_file_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit;

	alter(f, version_1);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	for (rlim_t room = 4096; room <= 16384; room += 4096) {
		struct rlimit small = {room, limit.rlim_max};

		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		assert_null(lease_store_open(NULL, f->path, NULL, f->why));
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_still_version_1(f);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refuses_a_database_of_something_else),
		TEST(refuses_a_later_schema_and_says_so),
		TEST(refuses_a_folder_and_a_path_that_leads_nowhere),
		TEST(refuses_a_database_that_another_store_uses),
		TEST(schema_refuses_prefixes_that_overlap),
		TEST(schema_refuses_ipv4_that_overlaps),
		TEST(schema_keeps_families_apart),
		TEST(brings_a_database_of_version_1_to_ours_with_all_leases),
		TEST(a_migration_that_fails_leaves_the_file_as_it_was),
		TEST(a_migration_that_finds_the_disk_full_leaves_the_file_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases in SQLite.
 *
 * WAL with synchronous=FULL: a commit is on the disk when it returns, also when the power goes, and costs one fsync.
 * With group commit that is no bottleneck. Prefixes are stored as their first and last address (16 bytes, so that they
 * sort; IPv4 as ::ffff:192.0.2.1, RFC 4291 section 2.5.5.2) and as text for people; a trigger refuses whatever overlaps:
 * rows are disjoint, so looking at the last one that starts at or before the new one's end is enough. An address and a
 * subnet are rows of one table, so no address lies in anybody's subnet.
 */
#include "lease/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lease/file.h"

enum statement { BEGIN, COMMIT, PUT_LEASE, DELETE_LEASE, TOUCH_LEASE, PUT_PREFIX, DELETE_PREFIX, STATEMENTS };

struct db {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[STATEMENTS];
	enum db_trouble trouble;
	char wal[FILE_NAME]; /* the log's path; "": not watched */
	ino_t wal_inode;
	uint16_t probes;
	char why[256];
};

#define CREATE_PREFIX                                                                                        \
	"CREATE TABLE prefix ("                                                                              \
	" first BLOB NOT NULL PRIMARY KEY CHECK (length(first) = 16),"                                       \
	" last BLOB NOT NULL CHECK (length(last) = 16 AND last >= first), prefix TEXT NOT NULL,"             \
	" user TEXT NOT NULL, slot INTEGER NOT NULL,"                                                        \
	" use TEXT NOT NULL CHECK (use IN ('link', 'delegated', 'address4', 'subnet4')),"                    \
	" position INTEGER NOT NULL, fixed INTEGER NOT NULL,"                                                \
	" CHECK ((use IN ('address4', 'subnet4')) = (substr(first, 1, 12) = x'00000000000000000000ffff'))"   \
	") WITHOUT ROWID;"                                                                                   \
	"CREATE TRIGGER prefix_overlap BEFORE INSERT ON prefix BEGIN"                                        \
	" SELECT RAISE(ABORT, 'overlaps another lease') WHERE"                                               \
	" (SELECT last FROM prefix WHERE first <= NEW.last ORDER BY first DESC LIMIT 1) >= NEW.first;"       \
	"END;"

static const char schema[] =
	"CREATE TABLE softwire_schema (version INTEGER NOT NULL);"
	"INSERT INTO softwire_schema VALUES (2);"
	"CREATE TABLE lease ("
	" user TEXT NOT NULL, slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 65535), pool TEXT NOT NULL,"
	" duid BLOB, iaid INTEGER NOT NULL, granted_at INTEGER NOT NULL, used_at INTEGER NOT NULL,"
	" in_use INTEGER NOT NULL, used_order INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (user, slot)) WITHOUT ROWID;" CREATE_PREFIX;

/* A CHECK cannot be altered, so the table is made anew; what contradicts the new one makes it fail. */
static const char from_version_1[] =
	"DROP TRIGGER prefix_overlap;"
	"ALTER TABLE prefix RENAME TO prefix_1;" CREATE_PREFIX
	"INSERT INTO prefix SELECT first, last, prefix, user, slot, use, position, fixed FROM prefix_1;"
	"DROP TABLE prefix_1;"
	"ALTER TABLE lease ADD COLUMN used_order INTEGER NOT NULL DEFAULT 0;"
	"UPDATE softwire_schema SET version = 2;";

static const char *const part_names[PARTS] = {"link", "delegated", "address4", "subnet4"};

static const char *const statement_text[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT_LEASE] =
		("INSERT INTO lease (user, slot, pool, duid, iaid, granted_at, used_at, in_use, used_order)"
		 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		 " ON CONFLICT (user, slot) DO UPDATE SET pool = ?3, duid = ?4, iaid = ?5, granted_at = ?6,"
		 " used_at = ?7, in_use = ?8, used_order = ?9"),
	[DELETE_LEASE] = "DELETE FROM lease WHERE user = ?1 AND slot = ?2",
	[TOUCH_LEASE] = ("UPDATE lease SET used_at = ?3, in_use = ?4, used_order = ?5"
			 " WHERE user = ?1 AND slot = ?2"),
	[PUT_PREFIX] = ("INSERT INTO prefix (first, last, prefix, user, slot, use, position, fixed)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
	[DELETE_PREFIX] = "DELETE FROM prefix WHERE first = ?1",
};

const char *db_why(const struct db *db)
{
	return db->why;
}

enum db_trouble db_trouble(const struct db *db)
{
	return db->trouble;
}

/* What the kernel said when a write failed: of the log, else of the file. 0: not known. */
static int write_errno(sqlite3 *sqlite)
{
	sqlite3_file *log = NULL;
	int err = 0;

	if (sqlite3_extended_errcode(sqlite) != SQLITE_IOERR_WRITE)
		return 0;
	if (sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log &&
		log->pMethods)
		log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &err);
	if (!err)
		sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_LAST_ERRNO, &err);
	return err;
}

static enum db_trouble trouble_of(sqlite3 *sqlite)
{
	int code = sqlite3_extended_errcode(sqlite);

	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* it lacks what we know, or has what we know is free */
	case SQLITE_ERROR:      /* a table is gone */
	case SQLITE_SCHEMA:
	case SQLITE_MISMATCH:
		return DB_DAMAGED;
	case SQLITE_IOERR:
		if (code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ ||
			code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_DATA)
			return DB_DAMAGED;
		return code == SQLITE_IOERR_NOMEM ? DB_WAIT : DB_IO;
	default: /* SQLITE_FULL, SQLITE_NOMEM, SQLITE_READONLY, SQLITE_CANTOPEN ... */
		return DB_WAIT;
	}
}

static int fail(struct db *db, const char *doing)
{
	int err = write_errno(db->sqlite);

	db->trouble = trouble_of(db->sqlite);
	if (err == EFBIG || err == EDQUOT)
		db->trouble = DB_WAIT;
	snprintf(db->why, sizeof(db->why), "database: %.60s: %.120s%s%.50s", doing,
		sqlite3_errmsg(db->sqlite), err ? ": " : "", err ? strerror(err) : "");
	return -EIO;
}

static int refuse(struct db *db)
{
	db->trouble = DB_REFUSED;
	return -EIO;
}

static int execute(struct db *db, const char *sql)
{
	return sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(db, sql);
}

/* The first column of the first row as a number; -EIO when there is none. */
static int query_number(struct db *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = -EIO;

	if (sqlite3_prepare_v2(db->sqlite, sql, -1, &st, NULL) == SQLITE_OK &&
		sqlite3_step(st) == SQLITE_ROW) {
		*ret = sqlite3_column_int64(st, 0);
		rc = 0;
	}
	if (rc)
		fail(db, sql);
	sqlite3_finalize(st);
	return rc;
}

/* -EIO: what we have is a database of leases, but not of a version that we can read. */
static int check_version(struct db *db, int64_t version)
{
	if (version >= 1 && version <= DB_VERSION)
		return 0;
	if (version > DB_VERSION)
		snprintf(db->why, sizeof(db->why),
			"a later version of this program made it: its schema has version %lld, and this "
			"program knows "
			"1 to %d",
			(long long)version, DB_VERSION);
	else
		snprintf(db->why, sizeof(db->why), "schema version %lld is impossible: 1 to %d are known",
			(long long)version, DB_VERSION);
	return refuse(db);
}

static int migrate(struct db *db, int64_t version)
{
	char problem[sizeof(db->why)];

	if (version == DB_VERSION || !execute(db, from_version_1))
		return 0;
	snprintf(problem, sizeof(problem), "%s", sqlite3_errmsg(db->sqlite));
	snprintf(db->why, sizeof(db->why),
		"cannot be brought from schema version 1 to 2 and stays as it was: %.150s", problem);
	return refuse(db);
}

/*
 * Makes the tables in an empty file, looks for ours in any other, and brings them to our version. Holds the write lock, so
 * read-only media show here. All of it is one transaction: who gives up and closes leaves the file as it was.
 */
static int check_schema(struct db *db)
{
	int64_t objects, version;
	int rc = execute(db, "BEGIN IMMEDIATE");

	if (!rc)
		rc = query_number(db, "SELECT count(*) FROM sqlite_master", &objects);
	if (!rc && objects == 0)
		rc = execute(db, schema);
	if (rc)
		return rc;
	if (query_number(db, "SELECT max(version) FROM softwire_schema", &version)) {
		int code = sqlite3_errcode(db->sqlite) & 0xff;

		if (code == SQLITE_ERROR) {
			snprintf(db->why, sizeof(db->why), "is a database, but not one of leases");
			return refuse(db);
		}
		return -EIO;
	}
	rc = check_version(db, version);
	if (!rc)
		rc = migrate(db, version);
	return rc ? rc : execute(db, "COMMIT");
}

static int configure(struct db *db)
{
	sqlite3_busy_timeout(db->sqlite, 1000);
	if (sqlite3_db_readonly(db->sqlite, "main") == 1) {
		snprintf(db->why, sizeof(db->why), "no permission to write it");
		return refuse(db);
	}
	/* In this order: in exclusive mode the WAL needs no shared memory, and the lock is kept from the first use on. */
	if (execute(db, "PRAGMA locking_mode = EXCLUSIVE") || execute(db, "PRAGMA journal_mode = WAL") ||
		execute(db, "PRAGMA synchronous = FULL") || execute(db, "PRAGMA trusted_schema = OFF") ||
		execute(db,
			"PRAGMA cache_size = -256")) /* KiB: rows are read once, at start, and only written then */
		return -EIO;
	return check_schema(db);
}

static int prepare(struct db *db)
{
	for (unsigned i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(db->sqlite, statement_text[i], -1, SQLITE_PREPARE_PERSISTENT,
			    &db->statements[i], NULL) != SQLITE_OK)
			return fail(db, statement_text[i]);
	return 0;
}

/* Commits into a log that somebody has removed would be gone with its descriptor. */
static void watch_wal(struct db *db, const char *path)
{
	struct stat st;

	file_name(db->wal, path, "-wal");
	if (stat(db->wal, &st))
		db->wal[0] = '\0'; /* in memory */
	else
		db->wal_inode = st.st_ino;
}

static struct db *db_new(const char *path, char why[256])
{
	struct db *db = calloc(1, sizeof(*db));
	int code;

	if (!db) {
		snprintf(why, 256, "%.180s: out of memory", path);
		return NULL;
	}
	code = sqlite3_open_v2(
		path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK)
		return db;
	snprintf(why, 256, "%.120s: %s%s%.60s", path, sqlite3_errstr(code),
		code == SQLITE_CANTOPEN ? ": " : "",
		code == SQLITE_CANTOPEN && db->sqlite ? strerror(sqlite3_system_errno(db->sqlite)) : "");
	db_close(db);
	return NULL;
}

struct db *db_open(const char *path, enum db_trouble *ret_trouble, char why[256])
{
	struct db *db = db_new(path, why);

	*ret_trouble = DB_REFUSED;
	if (!db)
		return NULL;
	if (!configure(db) && !prepare(db)) {
		watch_wal(db, path);
		return db;
	}
	if ((sqlite3_errcode(db->sqlite) & 0xff) == SQLITE_BUSY) {
		snprintf(db->why, sizeof(db->why), "another process is using it");
		db->trouble = DB_REFUSED;
	}
	*ret_trouble = db->trouble;
	snprintf(why, 256, "%.120s: %.130s", path, db->why);
	db_abandon(db);
	return NULL;
}

struct db *db_create(const char *path, char why[256])
{
	struct db *db;

	if (unlink(path) && errno != ENOENT) {
		snprintf(why, 256, "%.180s: %s", path, strerror(errno));
		return NULL;
	}
	db = db_new(path, why);
	if (!db)
		return NULL;
	/* Who is interrupted begins anew, so there is nothing to roll back. */
	if (!execute(db, "PRAGMA locking_mode = EXCLUSIVE") && !execute(db, "PRAGMA journal_mode = OFF") &&
		!execute(db, "PRAGMA synchronous = FULL") && !execute(db, schema) && !prepare(db))
		return db;
	snprintf(why, 256, "%.120s: %.130s", path, db->why);
	db_close(db);
	return NULL;
}

void db_close(struct db *db)
{
	for (unsigned i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sqlite);
	free(db);
}

void db_abandon(struct db *db)
{
	db_rollback(db);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	db_close(db);
}

bool db_is_in_use(const char *path)
{
	/* Where SQLite locks, whatever the file holds (the file format's lock-byte page). */
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool used = fd >= 0 && !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK;

	if (fd >= 0)
		close(fd);
	return used;
}

static const char *column_text(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return text ? text : "";
}

/* First and last address of a prefix, as the database has them. */
static void bounds(const struct prefix *p, uint8_t first[16], uint8_t last[16])
{
	bool v4 = p->addr.family == AF_INET;
	unsigned len = v4 ? 96u + p->len : p->len;

	memset(first, 0, 16);
	if (v4)
		first[10] = first[11] = 0xff;
	memcpy(first + (v4 ? 12 : 0), p->addr.bytes, v4 ? 4 : 16);
	for (unsigned i = 0; i < 16; i++) {
		unsigned bits = len > 8 * i ? len - 8 * i : 0;

		last[i] = first[i] | (bits >= 8 ? 0 : (uint8_t)(0xff >> bits));
	}
}

static int read_lease(sqlite3_stmt *st, db_lease_row *row, void *owner, char why[256])
{
	int64_t slot = sqlite3_column_int64(st, 1), iaid = sqlite3_column_int64(st, 4);
	int64_t order = sqlite3_column_int64(st, 8);
	struct db_lease l = {
		.user = column_text(st, 0),
		.slot = (uint16_t)slot,
		.pool = column_text(st, 2),
		.duid = sqlite3_column_blob(st, 3),
		.duid_len = (size_t)sqlite3_column_bytes(st, 3),
		.iaid = (uint32_t)iaid,
		.granted_at = sqlite3_column_int64(st, 5),
		.used_at = sqlite3_column_int64(st, 6),
		.in_use = sqlite3_column_int64(st, 7) != 0,
		.used_order = (uint64_t)order,
	};

	if (order < 0 || order > INT64_MAX / 2) {
		snprintf(why, 256, "lease of user %.100s: order %lld of use is impossible", l.user,
			(long long)order);
		return -EIO;
	}
	if (slot < 0 || slot > UINT16_MAX || iaid < 0 || iaid > UINT32_MAX) {
		snprintf(why, 256, "lease of user %.100s: slot %lld or IAID %lld is impossible", l.user,
			(long long)slot, (long long)iaid);
		return -EIO;
	}
	return row(owner, &l, why);
}

/* PARTS when it is none. */
static enum part part_named(const char *name)
{
	unsigned part = 0;

	while (part < PARTS && strcmp(name, part_names[part]) != 0)
		part++;
	return part;
}

static bool column_is(sqlite3_stmt *st, int column, const uint8_t want[16])
{
	const void *bytes = sqlite3_column_blob(st, column);

	return bytes && sqlite3_column_bytes(st, column) == 16 && !memcmp(bytes, want, 16);
}

static int read_prefix(sqlite3_stmt *st, db_prefix_row *row, void *owner, char why[256])
{
	const char *text = column_text(st, 2);
	int64_t slot = sqlite3_column_int64(st, 4), position = sqlite3_column_int64(st, 6);
	struct db_prefix p = {
		.user = column_text(st, 3),
		.slot = (uint16_t)slot,
		.part = part_named(column_text(st, 5)),
		.position = (uint8_t)position,
		.fixed = sqlite3_column_int64(st, 7) != 0,
	};
	uint8_t first[16], last[16];

	if (slot < 0 || slot > UINT16_MAX || position < 0 || position > UINT8_MAX || p.part == PARTS ||
		prefix_parse(text, &p.prefix))
		goto impossible;
	bounds(&p.prefix, first, last);
	if (column_is(st, 0, first) && column_is(st, 1, last))
		return row(owner, &p, why);
impossible:
	snprintf(
		why, 256, "prefix \"%.60s\" of user %.60s is impossible or contradicts itself", text, p.user);
	return -EIO;
}

struct reading {
	db_lease_row *lease;
	db_prefix_row *prefix;
	db_bad_row *bad; /* NULL: what is refused ends it */
	void *owner;
};

static int read_row(sqlite3_stmt *st, bool prefixes, const struct reading *r, char why[256])
{
	int rc = prefixes ? read_prefix(st, r->prefix, r->owner, why)
			  : read_lease(st, r->lease, r->owner, why);

	if (!rc || rc == -ENOMEM || !r->bad)
		return rc;
	r->bad(r->owner, why);
	return 0;
}

static int read_rows(struct db *db, const char *query, bool prefixes, const struct reading *r, char why[256])
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(db->sqlite, query, -1, &st, NULL), rc = 0;

	while (code == SQLITE_OK && !rc && (code = sqlite3_step(st)) == SQLITE_ROW) {
		rc = read_row(st, prefixes, r, why);
		code = SQLITE_OK;
	}
	if (!rc && code != SQLITE_DONE) {
		rc = fail(db, "reading leases");
		snprintf(why, 256, "%s", db->why);
	}
	sqlite3_finalize(st);
	return rc;
}

#define LEASES   "SELECT user, slot, pool, duid, iaid, granted_at, used_at, in_use, used_order FROM lease"
#define PREFIXES "SELECT first, last, prefix, user, slot, use, position, fixed FROM prefix"

int db_load(struct db *db, db_lease_row *lease, db_prefix_row *prefix, void *owner, char why[256])
{
	struct reading r = {lease, prefix, NULL, owner};
	int rc = read_rows(db, LEASES, false, &r, why);

	return rc ? rc : read_rows(db, PREFIXES, true, &r, why);
}

int db_salvage(const char *path, db_lease_row *lease, db_prefix_row *prefix, db_bad_row *bad, void *owner,
	char why[256])
{
	struct reading r = {lease, prefix, bad, owner};
	struct db *db = db_new(path, why);
	int rc;

	if (!db)
		return -EIO;
	execute(db, "PRAGMA locking_mode = EXCLUSIVE");
	/* A page that cannot be read ends a walk; from the other end it may be the last one. */
	rc = read_rows(db, LEASES, false, &r, why);
	if (rc == -EIO)
		(void)read_rows(db, LEASES " ORDER BY user DESC, slot DESC", false, &r, why);
	if (rc != -ENOMEM && read_rows(db, PREFIXES, true, &r, why)) {
		rc = -EIO;
		(void)read_rows(db, PREFIXES " ORDER BY first DESC", true, &r, why);
	}
	db_abandon(db);
	return rc;
}

/* A row of text for each problem; "ok" when there is none. */
static bool is_sound(sqlite3 *sqlite, char why[256])
{
	sqlite3_stmt *st = NULL;
	const char *text = NULL;
	bool sound = false;

	if (sqlite3_prepare_v2(sqlite, "PRAGMA quick_check(1)", -1, &st, NULL) == SQLITE_OK &&
		sqlite3_step(st) == SQLITE_ROW) {
		text = column_text(st, 0);
		sound = !strcmp(text, "ok");
	}
	if (!sound)
		snprintf(why, 256, "database: %.200s", text ? text : sqlite3_errmsg(sqlite));
	sqlite3_finalize(st);
	return sound;
}

bool db_is_sound(struct db *db, char why[256])
{
	bool sound;

	sqlite3_db_release_memory(db->sqlite); /* it is the disk that is asked */
	sound = is_sound(db->sqlite, why);
	if (!sound)
		db->trouble = DB_DAMAGED;
	return sound;
}

/* Runs a prepared statement whose parameters are bound, and forgets them: they point into the caller's memory. */
static int run(struct db *db, enum statement which)
{
	sqlite3_stmt *st = db->statements[which];
	int code = sqlite3_step(st);
	int rc = code == SQLITE_DONE ? 0 : fail(db, which == COMMIT ? "commit" : "write");

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc;
}

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

static bool moved_away(struct db *db, const char *what)
{
	db->trouble = DB_MOVED;
	snprintf(db->why, sizeof(db->why), "database: %s was moved, removed or replaced", what);
	return true;
}

bool db_is_gone(struct db *db)
{
	int moved = 0;
	struct stat st;

	/* An unlinked file takes commits happily, and they are gone with the descriptor. */
	if (sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
		return moved_away(db, "the file");
	if (db->wal[0] && (stat(db->wal, &st) || st.st_ino != db->wal_inode))
		return moved_away(db, "its log (-wal)");
	return false;
}

int db_begin(struct db *db)
{
	return db_is_gone(db) ? -EIO : run(db, BEGIN);
}

int db_commit(struct db *db)
{
	return run(db, COMMIT);
}

void db_rollback(struct db *db)
{
	/* Full disks and I/O errors have rolled back by themselves already. */
	if (!sqlite3_get_autocommit(db->sqlite))
		sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

int db_put_lease(struct db *db, const struct db_lease *l)
{
	sqlite3_stmt *st = db->statements[PUT_LEASE];

	bind_text(st, 1, l->user);
	sqlite3_bind_int(st, 2, l->slot);
	bind_text(st, 3, l->pool);
	if (l->duid_len)
		sqlite3_bind_blob(st, 4, l->duid, (int)l->duid_len, SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, l->iaid);
	sqlite3_bind_int64(st, 6, l->granted_at);
	sqlite3_bind_int64(st, 7, l->used_at);
	sqlite3_bind_int(st, 8, l->in_use);
	sqlite3_bind_int64(st, 9, (int64_t)l->used_order);
	return run(db, PUT_LEASE);
}

int db_delete_lease(struct db *db, const char *user, uint16_t slot)
{
	sqlite3_stmt *st = db->statements[DELETE_LEASE];

	bind_text(st, 1, user);
	sqlite3_bind_int(st, 2, slot);
	return run(db, DELETE_LEASE);
}

int db_touch_lease(struct db *db, const struct db_touch *t)
{
	sqlite3_stmt *st = db->statements[TOUCH_LEASE];

	bind_text(st, 1, t->user);
	sqlite3_bind_int(st, 2, t->slot);
	sqlite3_bind_int64(st, 3, t->used_at);
	sqlite3_bind_int(st, 4, t->in_use);
	sqlite3_bind_int64(st, 5, (int64_t)t->used_order);
	return run(db, TOUCH_LEASE);
}

int db_put_prefix(struct db *db, const struct db_prefix *p)
{
	sqlite3_stmt *st = db->statements[PUT_PREFIX];
	char text[PREFIX_TEXT];
	uint8_t first[16], last[16];

	bounds(&p->prefix, first, last);
	sqlite3_bind_blob(st, 1, first, 16, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, last, 16, SQLITE_STATIC);
	bind_text(st, 3, prefix_print(&p->prefix, text));
	bind_text(st, 4, p->user);
	sqlite3_bind_int(st, 5, p->slot);
	bind_text(st, 6, part_names[p->part]);
	sqlite3_bind_int(st, 7, p->position);
	sqlite3_bind_int(st, 8, p->fixed);
	return run(db, PUT_PREFIX);
}

int db_delete_prefix(struct db *db, const struct prefix *p)
{
	sqlite3_stmt *st = db->statements[DELETE_PREFIX];
	uint8_t first[16], last[16];
	int rc;

	bounds(p, first, last);
	sqlite3_bind_blob(st, 1, first, 16, SQLITE_STATIC);
	rc = run(db, DELETE_PREFIX);
	if (rc || sqlite3_changes(db->sqlite) == 1)
		return rc;
	db->trouble = DB_DAMAGED;
	snprintf(db->why, sizeof(db->why), "database: it lacks a prefix that was committed");
	return -EIO;
}

int db_probe(struct db *db)
{
	char sql[64];
	int rc;

	/* What the log holds goes to its place in the file, and the room it took is there for others. */
	sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	/* A row that does not change would not be written. */
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %u", ++db->probes);
	rc = db_begin(db);
	if (!rc)
		rc = execute(db, sql);
	if (!rc)
		rc = db_commit(db);
	if (rc)
		db_rollback(db);
	return rc;
}

/* ---- copies ---- */

struct db_copy {
	sqlite3 *to;
	sqlite3_backup *backup;
	char path[FILE_NAME];
	bool complete;
};

static int copy_fail(struct db_copy *copy, const char *doing, char why[256])
{
	snprintf(why, 256, "%.120s: %s: %.100s", copy->path, doing, sqlite3_errmsg(copy->to));
	return -EIO;
}

struct db_copy *db_copy_begin(struct db *db, const char *path, char why[256])
{
	struct db_copy *copy = calloc(1, sizeof(*copy));

	if (!copy) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	file_name(copy->path, path, "");
	unlink(path);
	sqlite3_db_release_memory(
		db->sqlite); /* so that it is read from the disk, not from what we remember */
	if (sqlite3_open_v2(path, &copy->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		    NULL) == SQLITE_OK &&
		sqlite3_exec(copy->to,
			"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = "
			"OFF;"
			"PRAGMA cache_size = -256",
			NULL, NULL, NULL) == SQLITE_OK)
		copy->backup = sqlite3_backup_init(copy->to, "main", db->sqlite, "main");
	if (copy->backup)
		return copy;
	copy_fail(copy, "begin", why);
	db_copy_end(copy);
	return NULL;
}

int db_copy_step(struct db_copy *copy, int pages, char why[256])
{
	int code = sqlite3_backup_step(copy->backup, pages);

	if (code == SQLITE_OK)
		return 1;
	if (code != SQLITE_DONE) {
		snprintf(why, 256, "%.120s: copy: %.100s", copy->path, sqlite3_errstr(code));
		return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB ? -EBADMSG : -EIO;
	}
	sqlite3_backup_finish(copy->backup);
	copy->backup = NULL;
	/* A file that stands for itself: without a log beside it. */
	if (sqlite3_exec(copy->to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
		return copy_fail(copy, "end", why);
	copy->complete = true;
	return 0;
}

bool db_copy_is_sound(struct db_copy *copy, char why[256])
{
	return is_sound(copy->to, why);
}

void db_copy_end(struct db_copy *copy)
{
	sqlite3_backup_finish(copy->backup);
	sqlite3_close(copy->to);
	if (copy->complete)
		(void)file_sync(copy->path);
	free(copy);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases in SQLite.
 *
 * WAL with synchronous=FULL: a commit is on the disk when it returns, also when the power goes, and costs one fsync.
 * With group commit that is no bottleneck. Prefixes are stored as their first and last address (16 bytes, so that they
 * sort) and as text for people; a trigger refuses whatever overlaps: rows are disjoint, so looking at the last one
 * that starts at or before the new one's end is enough.
 */
#include "lease/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum statement { BEGIN, COMMIT, PUT_LEASE, DELETE_LEASE, TOUCH_LEASE, PUT_PREFIX, DELETE_PREFIX, STATEMENTS };

struct db {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[STATEMENTS];
	char why[256];
};

static const char schema[] =
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
	"END;";

static const char *const statement_text[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT_LEASE] =
		("INSERT INTO lease (user, slot, pool, duid, iaid, granted_at, used_at, in_use)"
		 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		 " ON CONFLICT (user, slot) DO UPDATE SET pool = ?3, duid = ?4, iaid = ?5, granted_at = ?6,"
		 " used_at = ?7, in_use = ?8"),
	[DELETE_LEASE] = "DELETE FROM lease WHERE user = ?1 AND slot = ?2",
	[TOUCH_LEASE] = "UPDATE lease SET used_at = ?3, in_use = ?4 WHERE user = ?1 AND slot = ?2",
	[PUT_PREFIX] = ("INSERT INTO prefix (first, last, prefix, user, slot, use, position, fixed)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
	[DELETE_PREFIX] = "DELETE FROM prefix WHERE first = ?1",
};

const char *db_why(const struct db *db)
{
	return db->why;
}

static int fail(struct db *db, const char *doing)
{
	snprintf(db->why, sizeof(db->why), "database: %s: %s", doing, sqlite3_errmsg(db->sqlite));
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

/* Makes the tables in an empty file, and looks for ours in any other. Holds the write lock, so read-only media show here. */
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

		if (code == SQLITE_ERROR)
			snprintf(db->why, sizeof(db->why), "is a database, but not one of leases");
		return -EIO;
	}
	if (version != DB_VERSION) {
		snprintf(db->why, sizeof(db->why), "schema version %lld: this program knows version %d%s",
			(long long)version, DB_VERSION, version > DB_VERSION ? "; a later one made it" : "");
		return -EIO;
	}
	return execute(db, "COMMIT");
}

static int configure(struct db *db)
{
	sqlite3_busy_timeout(db->sqlite, 1000);
	if (sqlite3_db_readonly(db->sqlite, "main") == 1) {
		snprintf(db->why, sizeof(db->why), "no permission to write it");
		return -EIO;
	}
	/* In this order: in exclusive mode the WAL needs no shared memory, and the lock is kept from the first use on. */
	if (execute(db, "PRAGMA locking_mode = EXCLUSIVE") || execute(db, "PRAGMA journal_mode = WAL") ||
		execute(db, "PRAGMA synchronous = FULL") || execute(db, "PRAGMA trusted_schema = OFF") ||
		execute(db, "PRAGMA cache_size = -256")) /* KiB: rows are read once, at start, and only written then */
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

struct db *db_open(const char *path, char why[256])
{
	struct db *db = calloc(1, sizeof(*db));
	int code;

	if (!db) {
		snprintf(why, 256, "%.180s: out of memory", path);
		return NULL;
	}
	code = sqlite3_open_v2(
		path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		snprintf(db->why, sizeof(db->why), "%s%s%s", sqlite3_errstr(code),
			code == SQLITE_CANTOPEN ? ": " : "",
			code == SQLITE_CANTOPEN && db->sqlite ? strerror(sqlite3_system_errno(db->sqlite))
							      : "");
	else if (!configure(db) && !prepare(db))
		return db;
	else if ((sqlite3_errcode(db->sqlite) & 0xff) == SQLITE_BUSY)
		snprintf(db->why, sizeof(db->why), "another process is using it");
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

static const char *column_text(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return text ? text : "";
}

static void last_addr(const struct prefix *p, uint8_t ret[16])
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned bits = p->len > 8 * i ? p->len - 8 * i : 0;

		ret[i] = p->addr.bytes[i] | (bits >= 8 ? 0 : (uint8_t)(0xff >> bits));
	}
}

static int read_lease(sqlite3_stmt *st, db_lease_row *row, void *owner, char why[256])
{
	int64_t slot = sqlite3_column_int64(st, 1), iaid = sqlite3_column_int64(st, 4);
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
	};

	if (slot < 0 || slot > UINT16_MAX || iaid < 0 || iaid > UINT32_MAX) {
		snprintf(why, 256, "lease of user %.100s: slot %lld or IAID %lld is impossible", l.user,
			(long long)slot, (long long)iaid);
		return -EIO;
	}
	return row(owner, &l, why);
}

static int read_prefix(sqlite3_stmt *st, db_prefix_row *row, void *owner, char why[256])
{
	const char *text = column_text(st, 2);
	const void *first = sqlite3_column_blob(st, 0), *last = sqlite3_column_blob(st, 1);
	int64_t slot = sqlite3_column_int64(st, 4), position = sqlite3_column_int64(st, 6);
	struct db_prefix p = {
		.user = column_text(st, 3),
		.slot = (uint16_t)slot,
		.link = !strcmp(column_text(st, 5), "link"),
		.position = (uint8_t)position,
		.fixed = sqlite3_column_int64(st, 7) != 0,
	};
	uint8_t want_last[16];

	if (slot < 0 || slot > UINT16_MAX || position < 0 || position > UINT8_MAX ||
		prefix_parse(text, &p.prefix) || p.prefix.addr.family != AF_INET6 || !first ||
		sqlite3_column_bytes(st, 0) != 16 || !last || sqlite3_column_bytes(st, 1) != 16)
		goto impossible;
	last_addr(&p.prefix, want_last);
	if (memcmp(first, p.prefix.addr.bytes, 16) != 0 || memcmp(last, want_last, 16) != 0)
		goto impossible;
	return row(owner, &p, why);
impossible:
	snprintf(
		why, 256, "prefix \"%.60s\" of user %.60s is impossible or contradicts itself", text, p.user);
	return -EIO;
}

int db_load(struct db *db, db_lease_row *lease, db_prefix_row *prefix, void *owner, char why[256])
{
	static const char *const queries[] = {
		"SELECT user, slot, pool, duid, iaid, granted_at, used_at, in_use FROM lease",
		"SELECT first, last, prefix, user, slot, use, position, fixed FROM prefix",
	};
	int rc = 0;

	for (unsigned i = 0; i < 2 && !rc; i++) {
		sqlite3_stmt *st = NULL;
		int code = sqlite3_prepare_v2(db->sqlite, queries[i], -1, &st, NULL);

		while (code == SQLITE_OK && !rc && (code = sqlite3_step(st)) == SQLITE_ROW) {
			rc = i ? read_prefix(st, prefix, owner, why) : read_lease(st, lease, owner, why);
			code = SQLITE_OK;
		}
		if (!rc && code != SQLITE_DONE) {
			rc = fail(db, "reading leases");
			snprintf(why, 256, "%s", db->why);
		}
		sqlite3_finalize(st);
	}
	return rc;
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

int db_begin(struct db *db)
{
	int moved = 0;

	/* An unlinked file takes commits happily, and they are gone with the descriptor. */
	if (sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved) {
		snprintf(db->why, sizeof(db->why),
			"database: the file was moved, removed or replaced; put it back or restart");
		return -EIO;
	}
	return run(db, BEGIN);
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
	return run(db, PUT_LEASE);
}

int db_delete_lease(struct db *db, const char *user, uint16_t slot)
{
	sqlite3_stmt *st = db->statements[DELETE_LEASE];

	bind_text(st, 1, user);
	sqlite3_bind_int(st, 2, slot);
	return run(db, DELETE_LEASE);
}

int db_touch_lease(struct db *db, const char *user, uint16_t slot, int64_t used_at, bool in_use)
{
	sqlite3_stmt *st = db->statements[TOUCH_LEASE];

	bind_text(st, 1, user);
	sqlite3_bind_int(st, 2, slot);
	sqlite3_bind_int64(st, 3, used_at);
	sqlite3_bind_int(st, 4, in_use);
	return run(db, TOUCH_LEASE);
}

int db_put_prefix(struct db *db, const struct db_prefix *p)
{
	sqlite3_stmt *st = db->statements[PUT_PREFIX];
	char text[PREFIX_TEXT];
	uint8_t last[16];

	last_addr(&p->prefix, last);
	sqlite3_bind_blob(st, 1, p->prefix.addr.bytes, 16, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, last, 16, SQLITE_STATIC);
	bind_text(st, 3, prefix_print(&p->prefix, text));
	bind_text(st, 4, p->user);
	sqlite3_bind_int(st, 5, p->slot);
	bind_text(st, 6, p->link ? "link" : "delegated");
	sqlite3_bind_int(st, 7, p->position);
	sqlite3_bind_int(st, 8, p->fixed);
	return run(db, PUT_PREFIX);
}

int db_delete_prefix(struct db *db, const struct prefix *p)
{
	sqlite3_stmt *st = db->statements[DELETE_PREFIX];

	sqlite3_bind_blob(st, 1, p->addr.bytes, 16, SQLITE_STATIC);
	return run(db, DELETE_PREFIX);
}

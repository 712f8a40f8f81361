/*
 * db: the tables behind the leases. The one file that knows SQLite; another database would be another db.c.
 *
 * One connection, one owner at a time: the loop opens and loads, then only the committing thread uses it.
 * The database is locked for as long as it is open: two daemons on one file would grant the same addresses twice.
 * Everything between db_begin() and db_commit() happens, or nothing of it. What was committed is on the disk: WAL, synced with
 * each commit, also when the power goes.
 *
 * When something fails, db_trouble() says what can be done about it. A file that is damaged is not mended in place: what can be
 * read of it is read by db_salvage(), and a new one is made by db_create(). db_copy_*() copies a database that is in use, a few pages at
 * a time, for the backup.
 *
 * Versions of the schema: 1 had IPv6 only, and the time of last use without used_order. Opening brings it to 2, in one transaction.
 */
#ifndef LEASE_DB_H
#define LEASE_DB_H

#include "lib/addr.h"

enum { DB_VERSION = 2 };

/* What a lease is made of. */
enum part { PART_LINK, PART_DELEGATED, PART_ADDRESS4, PART_SUBNET4, PARTS };

/* What a failure means, by what can be done about it. */
enum db_trouble {
	DB_REFUSED, /* opening only: this file is not ours to touch: in use, of a later version, of something else */
	DB_WAIT, /* disk full, no permission, no memory: what is in the file is right, and it may pass */
	DB_IO,   /* writing or syncing it fails: it may pass, or a new file is needed */
	DB_DAMAGED, /* what is in the file makes no sense, contradicts us or cannot be read: a new one is needed */
	DB_MOVED, /* the file, or its log, is not at its path any more: what is written now would be lost */
};

struct db;

struct db_lease {
	const char *user;
	uint16_t slot;
	const char *pool;
	const uint8_t *duid;
	size_t duid_len;
	uint32_t iaid;
	int64_t granted_at, used_at;
	uint64_t used_order; /* counts uses, so that the clock does not matter; 0: nobody counted then */
	bool in_use;
};

struct db_prefix {
	const char *user;
	uint16_t slot;
	struct prefix prefix;
	enum part part;
	uint8_t position; /* among those of the same part */
	bool fixed;       /* from the users file, not from a pool */
};

struct db_touch {
	const char *user;
	uint16_t slot;
	int64_t used_at;
	uint64_t used_order;
	bool in_use;
};

/* Both: 0, or negative to give up with WHY. */
typedef int db_lease_row(void *owner, const struct db_lease *l, char why[256]);
typedef int db_prefix_row(void *owner, const struct db_prefix *p, char why[256]);
typedef void db_bad_row(void *owner, const char *why);

/* NULL, WHY and *ret_trouble: cannot be opened, made, locked, written or brought to our version; not ours; a later version of the schema. */
struct db *db_open(const char *path, enum db_trouble *ret_trouble, char why[256]);
void db_close(struct db *db);
/* Closes it as it is: nothing is written into it any more, and its log stays beside it. */
void db_abandon(struct db *db);
/* Whether another process has it open, also where the file is so damaged that opening it does not tell. */
bool db_is_in_use(const char *path);
/* All leases first, then all prefixes. */
int db_load(struct db *db, db_lease_row *lease, db_prefix_row *prefix, void *owner, char why[256]);
/* Reads the whole file; false and WHY when its structure is damaged. */
bool db_is_sound(struct db *db, char why[256]);
/* Rows of a database that may be damaged: whatever can be read, from the front and from the back, so maybe twice. What makes no sense,
 * or a row function refuses (other than by -ENOMEM), is passed over, and BAD is told. The file stays as it is. 0, or negative and
 * WHY when not all of it could be read. */
int db_salvage(const char *path, db_lease_row *lease, db_prefix_row *prefix, db_bad_row *bad, void *owner,
	char why[256]);
/* A new, empty database in the place of whatever is at PATH, for one transaction: then close it, and put the file where it belongs. */
struct db *db_create(const char *path, char why[256]);

/* The file or its log is not at its path any more; db_why() tells. */
bool db_is_gone(struct db *db);

/* All: 0 or -EIO; db_why() and db_trouble() tell. After a failure call db_rollback(). */
int db_begin(struct db *db);
int db_put_lease(struct db *db, const struct db_lease *l);
int db_delete_lease(struct db *db, const char *user, uint16_t slot);
int db_touch_lease(struct db *db, const struct db_touch *t);
/* Fails when it overlaps another one: the schema sees to it. */
int db_put_prefix(struct db *db, const struct db_prefix *p);
/* Fails when it is not there. */
int db_delete_prefix(struct db *db, const struct prefix *p);
int db_commit(struct db *db);
void db_rollback(struct db *db);
/* Makes what room it can, then writes, and changes nothing: to see whether writing works (again). */
int db_probe(struct db *db);
const char *db_why(const struct db *db);
enum db_trouble db_trouble(const struct db *db);

struct db_copy;
/* Copies DB to a new file at PATH; what is committed to DB meanwhile is copied, too. NULL and WHY. */
struct db_copy *db_copy_begin(struct db *db, const char *path, char why[256]);
/* Up to PAGES more. 1: there are more; 0: all; negative and WHY: it cannot go on. */
int db_copy_step(struct db_copy *copy, int pages, char why[256]);
/* Reads the whole of the copy: false and WHY when it, and so the original, is damaged. After the last step. */
bool db_copy_is_sound(struct db_copy *copy, char why[256]);
/* The file stays, complete or not; it is synced when it is complete. */
void db_copy_end(struct db_copy *copy);

#endif

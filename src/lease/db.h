/*
 * db: the tables behind the leases. The one file that knows SQLite; another database would be another db.c.
 *
 * One connection, one owner at a time: the loop opens and loads, then only the committing thread uses it.
 * The database is locked for as long as it is open: two daemons on one file would grant the same addresses twice.
 * Everything between db_begin() and db_commit() happens, or nothing of it.
 *
 * Versions of the schema: 1 had IPv6 only, and the time of last use without used_order. Opening brings it to 2, in one transaction.
 */
#ifndef LEASE_DB_H
#define LEASE_DB_H

#include "lib/addr.h"

enum { DB_VERSION = 2 };

/* What a lease is made of. */
enum part { PART_LINK, PART_DELEGATED, PART_ADDRESS4, PART_SUBNET4, PARTS };

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

/* NULL and WHY: cannot be opened, made, locked, written or brought to our version; not ours; a later version of the schema. */
struct db *db_open(const char *path, char why[256]);
void db_close(struct db *db);
/* All leases first, then all prefixes. */
int db_load(struct db *db, db_lease_row *lease, db_prefix_row *prefix, void *owner, char why[256]);

/* All: 0 or -EIO; db_why() tells. After a failure call db_rollback(). */
int db_begin(struct db *db);
int db_put_lease(struct db *db, const struct db_lease *l);
int db_delete_lease(struct db *db, const char *user, uint16_t slot);
int db_touch_lease(struct db *db, const struct db_touch *t);
/* Fails when it overlaps another one: the schema sees to it. */
int db_put_prefix(struct db *db, const struct db_prefix *p);
int db_delete_prefix(struct db *db, const struct prefix *p);
int db_commit(struct db *db);
void db_rollback(struct db *db);
const char *db_why(const struct db *db);

#endif

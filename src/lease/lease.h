/*
 * lease: who has which addresses, for good: pools, leases in SQLite, one owner, asynchronous answers.
 *
 * A lease belongs to (user, slot): slot 0 is a user's first softwire. It holds a link /64, delegated prefixes, later IPv4 addresses.
 * It stays the user's across reconnects and restarts; only when a pool is short goes the least recently used lease that is
 * not active (its address then changes hands). No lease is granted before it is committed: requests are collected, and
 * committed in groups (one transaction) in the store's own thread; answers come in the loop.
 * Two users never hold the same or overlapping prefixes: the schema enforces it (unique), and allocation checks it.
 * Fixed prefixes from the users file are leases too, outside or inside the pools; a pool never hands out what is fixed for somebody.
 *
 * Allocation from a pool: starts at an index drawn from a hash of the user's name, so that addresses are spread and a lost database
 * gives most users the same addresses again; then the next free one.
 * PostgreSQL comes later with the same schema; db.c hides which.
 */
#ifndef LEASE_LEASE_H
#define LEASE_LEASE_H

#include "lib/addr.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { LEASE_PREFIXES = 4, LEASE_USER_MAX = 255, LEASE_DUID_MAX = 130 };

struct lease_pool_config {
	char name[64];
	struct prefix link6;	     /* none: no link prefix; one /64 of it per softwire */
	struct prefix delegate_from; /* none: no delegation */
	uint8_t delegate_len;
};

struct lease {
	char user[LEASE_USER_MAX + 1];
	uint16_t slot;
	char pool[64];
	struct prefix link6;
	unsigned prefix_count;
	struct prefix delegated[LEASE_PREFIXES];
	uint8_t duid[LEASE_DUID_MAX];
	size_t duid_len; /* 0: none recorded */
	uint32_t iaid;
	int64_t granted_at, used_at; /* wall clock, seconds */
	bool active;		     /* a softwire holds it now; not stored */
};

struct lease_request {
	char user[LEASE_USER_MAX + 1];
	uint16_t slot;
	char pool[64];
	bool want_link, want_delegated;
	unsigned fixed_count; /* delegated prefixes from the users file: instead of the pool */
	struct prefix fixed[LEASE_PREFIXES];
	struct prefix fixed_link; /* none: from the pool */
};

struct lease_store;

/* LEASE is NULL when RESULT is negative: -ENOSPC (pool exhausted), -EEXIST (a fixed prefix is somebody else's), -EIO (database). WHY is for the log. */
typedef void lease_answer(void *owner, int result, const struct lease *lease, const char *why);

/* PATH: a database file, made if missing; ":memory:" for tests. NULL and *why when it cannot be used (corrupt, wrong schema version, read-only).
 * LOOP may be NULL for tests: then every call answers before it returns. */
struct lease_store *lease_store_open(struct loop *loop, const char *path, struct log *log, char why[256]);
/* Waits until everything is committed. */
void lease_store_close(struct lease_store *s);
/* Pools may change at any time (reload); leases outside every pool stay until released. -EINVAL: impossible pool (*why). */
int lease_store_set_pools(struct lease_store *s, const struct lease_pool_config *pools, size_t count, char why[256]);
/* Prefixes that no pool may hand out (fixed for users). */
int lease_store_reserve(struct lease_store *s, const struct prefix *p, const char *user);
void lease_store_clear_reserved(struct lease_store *s);

/* Grants the user's old lease, or a new one; marks it active. */
void lease_acquire(struct lease_store *s, const struct lease_request *r, lease_answer *answer, void *owner);
/* Records the DUID and IAID. A different DUID than recorded replaces it (the user has a new router): answered 0, logged by the caller. */
void lease_bind(struct lease_store *s, const char *user, uint16_t slot, const uint8_t *duid, size_t duid_len, uint32_t iaid,
	lease_answer *answer, void *owner);
/* The softwire is gone: not active, last used now. The lease stays the user's. */
void lease_idle(struct lease_store *s, const char *user, uint16_t slot);
/* Deletes it (operator's command). */
void lease_forget(struct lease_store *s, const char *user, uint16_t slot, lease_answer *answer, void *owner);
/* An answer that is still to come is not wanted any more (the softwire died): the callback will not be called. */
void lease_cancel(struct lease_store *s, void *owner);

const struct lease *lease_find(const struct lease_store *s, const char *user, uint16_t slot);
/* Who has the prefix that covers A, or NULL. */
const struct lease *lease_find_by_addr(const struct lease_store *s, const struct addr *a);
/* Walks all leases: start with *cursor = 0. */
const struct lease *lease_next(const struct lease_store *s, uint32_t *cursor);
size_t lease_count(const struct lease_store *s, size_t *ret_active);

#endif

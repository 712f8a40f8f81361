/*
 * lease: who has which addresses, for good: pools, leases in SQLite, one owner, asynchronous answers.
 *
 * A lease belongs to (user, slot): slot 0 is a user's first softwire. It holds a link /64, delegated IPv6 prefixes, an IPv4
 * address, IPv4 subnets. It stays the user's across reconnects and restarts. Only when a pool is short, what is short goes from
 * the lease that has it, is not active, and was not used for longest; it then changes hands, and what else that lease has stays:
 * nobody loses his IPv6 prefix because IPv4 is scarce. A lease without anything left is gone.
 * No lease is granted before it is committed: requests are collected, and committed in groups (one transaction) in the store's
 * own thread; answers come in the loop.
 * The database may fail, the leases do not. While it cannot be written (disk full, I/O errors, a disk that hangs) nothing that has to be
 * written is granted; who comes back for the lease he has gets it; it is tried again until it works (lease_store_health()). A file
 * that is damaged, removed or replaced under the running store is made anew from memory; at the start, from what is left of it and
 * from PATH.backup, a copy that is kept current. recover.c tells who wins where these contradict each other; nobody's prefix is given to two.
 * Two users never hold the same or overlapping prefixes or addresses: the schema enforces it, and allocation checks it.
 * Fixed prefixes from the users file are leases too, outside or inside the pools; a pool never hands out what is fixed for somebody.
 *
 * Allocation from a pool: starts at an index drawn from a hash of the user's name, so that addresses are spread and a lost database
 * gives most users the same addresses again; then the next free one.
 * The first and last address of a pool's ipv4 are not handed out, neither as an address nor within a subnet (they may be taken for
 * a network's and for a broadcast address), but of a /31 and a /32 all are. They can be fixed for somebody.
 * A temporary pool (HS-PROV-2: roamers, guests) draws at random, and its leases end with the softwire: they are forgotten when the last hold
 * goes, and after a restart, once the pool is configured. So a user gets another address each time. A pool that becomes temporary
 * forgets what nobody holds then; one that becomes permanent keeps what is held.
 * PostgreSQL comes later with the same schema; db.c hides which.
 */
#ifndef LEASE_LEASE_H
#define LEASE_LEASE_H

#include "lib/addr.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { LEASE_PREFIXES = 4, LEASE_SUBNETS = 2, LEASE_USER_MAX = 255, LEASE_DUID_MAX = 130 };

/* Bits of struct lease's fixed. */
enum { LEASE_FIXED_LINK = 1, LEASE_FIXED_DELEGATED = 2, LEASE_FIXED_ADDRESS4 = 4, LEASE_FIXED_SUBNETS = 8 };

struct lease_pool_config {
	char name[64];
	struct prefix link6;         /* none: no link prefix; one /64 of it per softwire */
	struct prefix delegate_from; /* none: no delegation */
	uint8_t delegate_len;
	struct prefix ipv4; /* none: no IPv4 addresses; a /32 of it per softwire */
	struct prefix
		delegate4_from; /* none: no IPv4 subnets; may lie inside ipv4, the two never overlap in what they grant */
	uint8_t delegate4_len; /* 8 to 30 (HS-PROV-14) */
	bool temporary;
};

struct lease {
	char user[LEASE_USER_MAX + 1];
	uint16_t slot;
	char pool[64];
	struct prefix link6;
	unsigned prefix_count;
	struct prefix delegated[LEASE_PREFIXES];
	struct addr address4; /* or none */
	unsigned subnet_count;
	struct prefix subnets[LEASE_SUBNETS]; /* IPv4 */
	uint8_t duid[LEASE_DUID_MAX];
	size_t duid_len; /* 0: none recorded */
	uint32_t iaid;
	int64_t granted_at, used_at; /* wall clock, seconds */
	uint64_t used_order;         /* counts uses: who has a smaller one was used before */
	uint8_t fixed;               /* LEASE_FIXED_*: which of it is from the users file, not from a pool */
	bool active;                 /* a softwire holds it now; not stored */
};

struct lease_request {
	char user[LEASE_USER_MAX + 1];
	uint16_t slot;
	char pool[64];
	bool want_link, want_delegated;
	unsigned fixed_count; /* delegated prefixes from the users file: instead of the pool */
	struct prefix fixed[LEASE_PREFIXES];
	struct prefix fixed_link; /* none: from the pool */
	bool want_ipv4, want_subnet;
	struct addr fixed4;          /* none: from the pool */
	unsigned fixed_subnet_count; /* instead of the pool */
	struct prefix fixed_subnets[LEASE_SUBNETS];
};

struct lease_store;

/*
 * RESULT: 0, or -ENOSPC (pool exhausted), -EEXIST (a fixed prefix is somebody else's), -EINVAL (no such pool, impossible prefix or DUID),
 * -ENOENT (bind, forget: no such lease), -EBUSY (forget: in use), -EIO (database; nothing has changed), -ENOMEM.
 * LEASE is NULL when RESULT is negative and after lease_forget(); it and WHY are valid during the call. WHY is for the log ("" when 0).
 * Answers come in the next loop iteration or later, in the order in which they became safe; only when memory is short or 100,000
 * requests wait for the database (-ENOMEM, -EIO) an answer comes from inside the request. An answer must not close the store.
 */
typedef void lease_answer(void *owner, int result, const struct lease *lease, const char *why);

/* PATH: a database file, made if missing; ":memory:" for tests. NULL and *why when it is not to be used: in use by another process,
 * of a later version of the schema, of something else, read-only. One that is damaged is recovered, and the log tells.
 * LOOP may be NULL for tests: then every call answers before it returns. */
struct lease_store *lease_store_open(struct loop *loop, const char *path, struct log *log, char why[256]);
/* Waits until everything is committed. Answers that have not come yet will not come, but those of lease_check() and lease_import_run() do. With a loop, its handle is closed in the loop's
 * next iteration (loop_done() sees to that). */
void lease_store_close(struct lease_store *s);
/* Pools may change at any time (reload); a lease outside every pool stays its user's, also across reconnects, until it is forgotten
 * or the user asks for another pool. -EINVAL: impossible pool (*why), and nothing has changed. */
int lease_store_set_pools(
	struct lease_store *s, const struct lease_pool_config *pools, size_t count, char why[256]);
/* Prefixes that no pool may hand out (fixed for users). A lease that another user has there already stays until his next acquire, which
 * gives him another prefix. IPv4 addresses (/32) and subnets, too; USER "" reserves for nobody (our own address). 0, -EEXIST (overlaps
 * what is reserved already), -EINVAL (not IPv6 of at most 64 bits, nor IPv4), -ENOMEM. */
int lease_store_reserve(struct lease_store *s, const struct prefix *p, const char *user);
void lease_store_clear_reserved(struct lease_store *s);

/*
 * Grants the user's old lease, or a new one; marks it active. pool "" is the pool "default". A pool without link6 (or delegate_from) grants
 * no link prefix (no delegated one): the lease has none then. What the old lease has and the request does not ask for stays. An old prefix is
 * replaced when the fixed ones of the request differ, when it was fixed and is not any more, when it is reserved for somebody else,
 * or when the user's pool is another one and the prefix is none of its units.
 * Holds: an acquire holds the lease while it waits for its answer. Answer 0 hands the hold over to the caller, who ends it by one
 * lease_idle(). Any other answer, and lease_cancel() before the answer, end it: then there is nothing to give back. So a caller notes in
 * the answer that it has a hold, and when its softwire goes it calls lease_cancel(), and lease_idle() only if it had noted one. While
 * a new softwire of a user replaces a stale one both have a hold.
 */
void lease_acquire(struct lease_store *s, const struct lease_request *r, lease_answer *answer, void *owner);
/* Records the DUID and IAID. A different DUID than recorded replaces it (the user has a new router): answered 0, logged by the caller. */
void lease_bind(struct lease_store *s, const char *user, uint16_t slot, const uint8_t *duid, size_t duid_len,
	uint32_t iaid, lease_answer *answer, void *owner);
/* The softwire is gone: ends its hold, once for each acquire that was answered 0; without holds the lease is not active, last used now.
 * It stays the user's, unless its pool is temporary. Ends nothing where nobody has been handed a hold: what still waits for its answer keeps its own. The time is written within about half a minute, or at close. */
void lease_idle(struct lease_store *s, const char *user, uint16_t slot);
/* Deletes it (operator's command). -EBUSY while it is active. */
void lease_forget(struct lease_store *s, const char *user, uint16_t slot, lease_answer *answer, void *owner);
/* Answers to OWNER that are still to come are not wanted any more (the softwire died): the callback will not be called. What was
 * requested happens all the same, but the holds of its acquires end here: no lease_idle() for them. */
void lease_cancel(struct lease_store *s, void *owner);

/* How the database is. While it cannot be written, what would change a lease is answered -EIO, and who has a lease gets it. */
struct lease_health {
	bool writable;
	char why[256];      /* not writable because of this */
	uint64_t seconds;   /* for so long */
	uint64_t refused;   /* requests, since the store was opened */
	uint64_t outages;   /* times that it was not writable */
	uint64_t rewritten; /* times that a new file took the place of a damaged or missing one */
	uint64_t backups, backups_failed;
};
void lease_store_health(const struct lease_store *s, struct lease_health *ret);

/* Sentences, valid during the call: what is wrong with database and leases (none: nothing), and notes on what is in order, and may be worth
 * knowing: leases that the pool they came from would not give any more. */
struct lease_findings {
	const char *const *problems, *const *notes;
	size_t problem_count, note_count;
};
typedef void lease_checked(void *owner, const struct lease_findings *found);
/* Checks that the database is whole and has what memory has, that nothing overlaps, that what comes from a pool is of one that there is, and not fixed for
 * somebody else, and that KNOWS (may be NULL) knows each user. A database that is damaged is made anew from memory. DONE comes as an answer does; with OWNER as that of both. */
void lease_check(struct lease_store *s, bool (*knows)(void *owner, const char *user), lease_checked *done,
	void *owner);

/*
 * Leases from elsewhere: an export of this store or of another one. They are added one by one, and take effect together, in one
 * transaction, or not at all. A lease that is there as it comes changes nothing. What conflicts, because the user has something else, or
 * because another user has what comes or it is fixed for him, is told, and by RULE:
 *   LEASE_IMPORT_STRICT  nothing changes if anything conflicts;
 *   LEASE_IMPORT_MERGE   what is there stays: what conflicts is left out;
 *   LEASE_IMPORT_FORCE   what comes wins: whoever has it loses it. If a softwire uses it, or it is fixed for another user, nothing changes.
 */
enum lease_import_rule { LEASE_IMPORT_STRICT, LEASE_IMPORT_MERGE, LEASE_IMPORT_FORCE };
struct lease_import_result {
	size_t added, replaced, same, left_out; /* leases that came */
	size_t lost;                            /* prefixes and addresses that others lost to them */
};
/* RESULT: 0, -EEXIST (conflicts, and nothing has changed), -EIO, -ENOMEM, -EBUSY (others are waiting for the database: too many). */
typedef void lease_imported(void *owner, int result, const struct lease_import_result *r,
	const char *const *sentences, size_t count, const char *why);
struct lease_import;
struct lease_import *lease_import_new(struct lease_store *s); /* NULL: no memory */
void lease_import_free(struct lease_import *i);               /* NULL is fine */
/* ACTIVE of L does not matter. 0, -EINVAL (it is impossible, or conflicts with one that was added), -ENOMEM; WHY. */
int lease_import_add(struct lease_import *i, const struct lease *l, char why[256]);
/* Does it, and frees I. DONE comes as an answer does. */
void lease_import_run(struct lease_import *i, enum lease_import_rule rule, lease_imported *done, void *owner);

/* These show memory: what is granted there may not be committed yet. The result is valid until the next of these calls. */
const struct lease *lease_find(const struct lease_store *s, const char *user, uint16_t slot);
/* Who has the prefix that covers A, or NULL. */
const struct lease *lease_find_by_addr(const struct lease_store *s, const struct addr *a);
/* Walks all leases: start with *cursor = 0. Leases that come or go between calls may make it miss or repeat others. */
const struct lease *lease_next(const struct lease_store *s, uint32_t *cursor);
size_t lease_count(const struct lease_store *s, size_t *ret_active);

#endif

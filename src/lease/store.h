/*
 * store: what the files of this folder share. Nobody outside includes it.
 *
 *   store.c   the calls of lease.h: requests, answers, walking, opening
 *   table.c   rows (one per user and slot), their prefixes, the LRU lists; making and undoing changes
 *   pool.c    regions (a pool's part that is cut into equal units), finding a free unit, eviction
 *   commit.c  the queue, the committing thread, settling what came back
 *   db.c      the database          span.c  ordered set of prefixes
 *
 * How a grant becomes safe. The loop changes memory at once, so that the next request sees it, and queues an operation: a
 * few changes, each a row with its state before and after. The thread takes what is queued, writes it in one transaction,
 * and hands it back; then the loop answers. If the transaction fails the thread stops, and the loop undoes, newest first,
 * that batch and everything submitted since (which may build on it), answers all of it with -EIO, and lets the thread go on.
 * So memory and database agree again, whatever failed.
 *
 * Who owns what: all memory belongs to the loop's thread. The committing thread reads operations that it was handed: the spans,
 * DUIDs and names they point to stay until the operation is settled, and are not written to (a span's links are, the thread does
 * not look at them). A span or DUID that a change dropped is freed when the change is settled; one that it made, when it is undone.
 */
#ifndef LEASE_STORE_H
#define LEASE_STORE_H

#include "lease/db.h"
#include "lease/lease.h"
#include "lease/span.h"
#include "lib/hash.h"

enum { OP_CHANGES = 3, TOUCH_BATCH = 4096, BATCH_OPS = 1024, IN_FLIGHT_MAX = 100000 };

enum { TOUCH_INTERVAL = 30000, TOUCH_PAUSE = 100 }; /* ms */

struct row;

/* A pool's name, as leases remember it; lives as long as the store. Its list holds what may be evicted, oldest first. */
struct pool_name {
	struct pool_name *next;
	struct row *oldest, *newest;
	char text[64];
};

struct duid {
	uint8_t len;
	uint8_t bytes[];
};

/* The part of a lease that is committed, and that a change replaces. */
struct state {
	struct span *link;
	struct span *delegated[LEASE_PREFIXES];
	struct duid *duid;
	struct pool_name *pool;
	int64_t granted_at;
	uint32_t iaid;
	uint8_t count; /* of delegated */
	bool present;  /* false: there is no such lease (not yet, or not any more) */
	bool link_fixed, delegated_fixed;
};

struct row {
	struct row *older, *newer; /* in its pool's list */
	struct state now;
	int64_t used_at;
	uint64_t order; /* of its last use: what its list is sorted by (used_at has seconds) */
	uint32_t refs;  /* operations and the touch list; a row that is not present goes with the last one */
	uint16_t changing; /* operations in flight that change it */
	uint16_t holders;  /* softwires that use it, and acquires that are not answered */
	uint16_t pending;  /* of these, the latter */
	uint16_t slot;
	bool listed;  /* in its pool's list: may be evicted */
	bool touched; /* used_at waits for being written */
	char user[];
};

struct change {
	struct row *row;
	struct state before, after;
	int64_t used_at;
	bool in_use;
};

struct touch {
	struct row *row;
	int64_t used_at;
	bool in_use;
};

struct op {
	struct op *older, *newer; /* all that are not answered; the loop's */
	struct op *next;          /* in the queue, then in the done list */
	lease_answer *answer;     /* NULL: nobody waits (any more) */
	void *owner;
	struct row *row;
	struct state grant; /* what is answered */
	int64_t used_at;
	int result;
	bool hold; /* an acquire that holds its row: until it is answered 0 (then it is the caller's), refused or cancelled */
	char *why; /* of a refusal, or NULL */
	unsigned change_count, touch_count;
	struct touch *touches;
	struct change changes[]; /* in the order in which the database is to do them */
};

/* A prefix that is cut into units of one length. total 0: there is none. */
struct region {
	uint64_t first;
	uint8_t len, unit;
	uint64_t total;
	uint64_t used;   /* units that a lease or a reservation overlaps */
	uint64_t cursor; /* where to look when it is nearly full */
};

struct lease_pool {
	struct pool_name *name;
	struct region link, delegate;
};

struct committer;

struct lease_store {
	struct loop *loop;
	struct log *log;
	struct committer *committer;
	uint64_t seed;
	struct hash rows;         /* struct row, present or being changed */
	struct span_set leased;   /* owner: struct row */
	struct span_set reserved; /* owner: char *user */
	struct pool_name *names;
	struct lease_pool *pools;
	size_t pool_count;
	uint64_t last_order;
	size_t count, active; /* rows present; of these, held */
	struct row **touched;
	size_t touched_count, touched_size;
	struct wheel_timer touch_timer;
	struct lease scratch;
};

/* table.c */
struct row *row_find(
	const struct lease_store *s, const char *user, uint16_t slot); /* also one that is not present */
struct row *row_get(
	struct lease_store *s, const char *user, uint16_t slot); /* made if missing; NULL: no memory */
void row_drop_ref(struct lease_store *s, struct row *row);
void row_release_if_gone(struct lease_store *s, struct row *row);
void row_hold(struct lease_store *s, struct row *row);
void row_unhold(struct lease_store *s, struct row *row);
/* The same for one that has used it: notes the time. */
void row_leave(struct lease_store *s, struct row *row);
/* Puts it into its pool's list, as the last used, or takes it out, whichever is right now. RESTORE: at the place that it had. */
void row_relist(struct lease_store *s, struct row *row, bool restore);
/* Remembers that used_at and whether it is held must be written some time. */
void row_touch(struct lease_store *s, struct row *row, int64_t now);
void row_present(const struct row *row, const struct state *state, int64_t used_at, struct lease *ret);
struct pool_name *pool_name_get(struct lease_store *s, const char *text); /* NULL: no memory */
bool state_equal(const struct state *a, const struct state *b);
bool state_owns_span(const struct state *st, const struct span *n);
void state_spans(const struct state *st, struct span *ret[LEASE_PREFIXES + 1]); /* NULL where there is none */
/* Notes the change of ROW since BEFORE in OP, whose changes have room. */
void change_note(struct op *op, struct row *row, const struct state *before);
/* Makes ROW what TO says: links and unlinks spans, counts. Cannot fail. */
void row_become(struct lease_store *s, struct row *row, const struct state *to, bool restore);
/* Frees what only GONE has and KEPT has not. */
void state_free_rest(struct state *gone, const struct state *kept);
void op_undo(struct lease_store *s, struct op *op);
void table_free(struct lease_store *s);
int table_load(struct lease_store *s, struct db *db, char why[256]);

/* pool.c */
struct lease_pool *pool_find(const struct lease_store *s, const struct pool_name *name);
/* Links and unlinks a span, and keeps the regions' count of used units. */
void span_occupy(struct lease_store *s, struct span_set *set, struct span *n);
void span_vacate(struct lease_store *s, struct span_set *set, struct span *n);
/* A free unit for ROW, linked; evicts (noted in OP) when there is none. NULL and *ret_error: -ENOSPC or -ENOMEM. */
struct span *region_take(struct lease_store *s, struct region *g, struct pool_name *pool, struct row *row,
	struct op *op, int *ret_error);
bool region_has_unit(const struct region *g, const struct span *n);
/* The holder's name when somebody other than USER has a reservation that overlaps FIRST..LAST, else NULL. */
const char *reserved_for_other(const struct lease_store *s, uint64_t first, uint64_t last, const char *user);

/* commit.c */
struct committer *committer_new(struct lease_store *s, struct db *db, char why[256]);
/* Finishes what is queued, ends the thread and closes the database. Answers are dropped. */
void committer_free(struct committer *c);
struct op *op_new(struct lease_store *s, lease_answer *answer, void *owner); /* NULL: no memory */
/* To be written, then answered. */
void op_submit(struct lease_store *s, struct op *op);
/* Nothing to write: answered in the next iteration, with op->result. */
void op_finish(struct lease_store *s, struct op *op);
void op_hold(struct op *op, struct row *row); /* ROW's newest hold belongs to OP */
void committer_cancel(struct committer *c, void *owner);
bool committer_is_full(const struct committer *c);
/* Queues the touches of up to TOUCH_BATCH rows. */
int touches_submit(struct lease_store *s);

#endif

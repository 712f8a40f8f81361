/*
 * store: what the files of this folder share. Nobody outside includes it.
 *
 *   store.c      the calls of lease.h: requests, answers, walking, opening
 *   acquire.c    one acquire: what the user keeps, what is fixed, what the pool gives
 *   table.c      rows (one per user and slot), their spans, who was idle longest; making and undoing changes
 *   load.c       rows from the database, checked
 *   region.c     regions (a pool's part that is cut into equal units), finding a free unit, eviction
 *   pool.c       pools as they are configured, reservations
 *   temporary.c  forgetting what temporary pools leave behind
 *   commit.c     the queue, the committing thread, settling what came back
 *   writer.c     what that thread does with the database: batches, a new file, the backup
 *   health.c     what happens while the database cannot be written: who is refused, when it is tried again, what is logged
 *   recover.c    opening, and what is done where the file is damaged or gone
 *   check.c      whether database, memory, pools and users agree
 *   import.c     leases from elsewhere: all or nothing     sentences.c  what these two have to say
 *   db.c         the database     file.c  its files     span.c  ordered set of prefixes
 *
 * How a grant becomes safe. The loop changes memory at once, so that the next request sees it, and queues an operation: a
 * few changes, each a row with its state before and after. The thread takes what is queued, writes it in one transaction,
 * and hands it back; then the loop answers. If the transaction fails the thread stops, and the loop undoes, newest first,
 * that batch and everything submitted since (which may build on it), answers all of it with -EIO, and lets the thread go on.
 * So memory and database agree again, whatever failed.
 *
 * While the database is down. After a failure nothing that changes a lease is queued any more: it is refused and undone at once.
 * What changes nothing is answered as ever, so who comes back for the lease he has gets in. Now and then a probe is written (first
 * after a quarter of a second, later every ten), and when it succeeds all is as before. A file that is damaged, moved away or replaced gets no probe:
 * a new one is written from memory, which is whole, and takes its place (file.h). Nothing can change meanwhile, for changes are refused.
 * A disk that hangs holds up the thread and nobody else: requests wait, and after some seconds new ones are refused as well.
 *
 * At start there is no memory to heal from. So a backup is kept, by copying the database every some minutes if it has changed, and at
 * the end. Of a file that is damaged all rows that can be read are taken, then from the backup what does not contradict them: of two
 * that overlap the one from the file was granted later, and wins.
 *
 * Who owns what: all memory belongs to the loop's thread. The committing thread reads operations that it was handed: the spans,
 * DUIDs and names they point to stay until the operation is settled, and are not written to (a span's links are, the thread does
 * not look at them). A span or DUID that a change dropped is freed when the change is settled; one that it made, when it is undone.
 * A state's array of spans is never changed either: another set of spans is another array.
 *
 * Who goes when a pool is short. Idle rows stand in lists, in the order in which they became idle: a counter, so that no step of
 * the clock disturbs it, kept in the database, so that no restart does. A pool has a list for each combination of parts that a
 * row could give back to it; who looks for an address compares the oldest of the lists that have addresses, and passes nobody
 * who has none. What goes is the part that is short, and no other: a user who loses his IPv4 address keeps his IPv6 prefix.
 */
#ifndef LEASE_STORE_H
#define LEASE_STORE_H

#include "lease/db.h"
#include "lease/lease.h"
#include "lease/span.h"
#include "lib/hash.h"
#include "lib/rng.h"

enum {
	LEASE_SPANS = 1 + LEASE_PREFIXES + 1 + LEASE_SUBNETS,
	OP_CHANGES = PARTS + 2, /* for each part one who loses it; what was left over; the user */
	TOUCH_BATCH = 4096,
	BATCH_OPS = 1024,
	SWEEP_BATCH = 1024,
	IN_FLIGHT_MAX = 100000,
	REGION_BLOCKS = 1024,
};

enum {
	TOUCH_INTERVAL = 30000,
	TOUCH_PAUSE = 100,
	LOOK_INTERVAL = 30000,
	BACKUP_FIRST = 60000,
	BACKUP_INTERVAL = 300000
}; /* ms */

struct row;

struct idle_list {
	struct row *oldest, *newest;
};

/* A pool's name, as leases remember it; lives as long as the store. */
struct pool_name {
	struct pool_name *next;
	bool temporary;                    /* as it was last configured */
	struct idle_list idle[1 << PARTS]; /* by the set of parts that its rows could give back */
	char text[64];
};

struct duid {
	uint8_t len;
	uint8_t bytes[];
};

/* The part of a lease that is committed, and that a change replaces. */
struct state {
	struct span **spans; /* by part, then by position; NULL: none */
	struct duid *duid;
	struct pool_name *pool;
	int64_t granted_at;
	uint32_t iaid;
	uint8_t span_count;
	bool present; /* false: there is no such lease (not yet, or not any more) */
};

struct row {
	struct row *older, *newer; /* in one of its pool's lists */
	struct state now;
	int64_t used_at;
	uint64_t order; /* of its last use */
	uint32_t refs;  /* operations and the touch list; a row that is not present goes with the last one */
	uint16_t changing; /* operations in flight that change it */
	uint16_t holders;  /* softwires that use it, and acquires that are not answered */
	uint16_t pending;  /* of these, the latter */
	uint16_t slot;
	bool listed;      /* present and idle */
	bool touched;     /* used_at waits for being written */
	uint8_t salvaged; /* enum salvaged (recover.c), while leases are recovered */
	char user[];
};

struct change {
	struct row *row;
	struct state before, after;
	int64_t used_at;
	uint64_t order;
	bool in_use;
};

struct touch {
	struct row *row;
	int64_t used_at;
	uint64_t order;
	bool in_use;
};

enum op_kind {
	OP_LEASES,
	OP_PROBE,   /* a write that changes nothing */
	OP_REWRITE, /* its changes make all rows, in an empty file */
	OP_CHECK,
};

struct check;
struct lease_import;

struct op {
	enum op_kind kind;
	struct check *check;
	struct lease_import *import; /* goes with it */
	struct op *older, *newer;    /* all that are not answered; the loop's */
	struct op *next;             /* in the queue, then in the done list */
	lease_answer *answer;        /* NULL: nobody waits (any more) */
	void *owner;
	struct row *row;
	struct state grant; /* what is answered */
	int64_t used_at;
	int result;
	struct row *
		held; /* an acquire's, until it is answered 0 (then the hold is the caller's), refused or cancelled */
	char *why; /* of a refusal, or NULL */
	unsigned change_count, touch_count;
	struct touch *touches;
	struct change changes[]; /* in the order in which the database is to do them */
};

/*
 * A prefix that is cut into units of one length; its bits and theirs are those of keys. total 0: there is none. A unit that a
 * lease, a reservation or an edge overlaps is used. These are counted exactly (whatever other lengths lie here), in blocks of
 * consecutive units: so a full region is known without a search, and the last free unit is found without walking past the others.
 */
struct region {
	uint64_t first;
	uint8_t len, unit;
	uint8_t block_shift; /* units per block, as a power of two */
	uint64_t total;
	uint64_t used;
	uint64_t edges;   /* units that are only used because they hold an edge */
	uint64_t *blocks; /* used units of each */
};

struct lease_pool {
	struct pool_name *name;
	struct region regions[PARTS];
};

struct committer;

struct health {
	bool down;    /* nothing is written, and no lease changes */
	bool stuck;   /* because the disk does not answer: nothing to try, only to wait */
	bool trying;  /* a probe or a rewrite is on its way */
	bool rewrite; /* the next try makes a new file */
	bool lost;    /* and no other will do */
	msec since, up_since, interval, remind_at;
	uint64_t refused; /* since it is down */
	char why[256];
	struct wheel_timer timer;
	struct lease_health total;
};

struct lease_store {
	struct loop *loop;
	struct log *log;
	struct committer *committer;
	struct rng rng;
	uint64_t seed;
	struct hash rows;         /* struct row, present or being changed */
	struct span_set leased;   /* owner: struct row */
	struct span_set reserved; /* owner: char *user */
	struct span_set edges;    /* first and last addresses of the pools' ipv4, which no pool hands out */
	struct pool_name *names;
	struct lease_pool *pools;
	size_t pool_count;
	uint64_t last_order;
	size_t count, active; /* rows present; of these, held */
	struct row **touched;
	size_t touched_count, touched_size;
	struct wheel_timer timer;      /* writes touches, sweeps */
	struct wheel_timer look_timer; /* looks after the files, makes backups */
	msec backup_at;
	struct health health;
	struct lease scratch;
};

struct part_rule {
	uint8_t family, min, max; /* length */
	uint8_t count;            /* how many a lease may have */
};

/* table.c */
extern const struct part_rule part_rules[PARTS];
struct row *row_find(
	const struct lease_store *s, const char *user, uint16_t slot); /* also one that is not present */
struct row *row_get(
	struct lease_store *s, const char *user, uint16_t slot); /* made if missing; NULL: no memory */
void row_drop_ref(struct lease_store *s, struct row *row); /* the last one frees a row that is not present */
void row_hold(struct lease_store *s, struct row *row);
/* Ends a hold, whatever became of it: the row was used until now. May be the end of a temporary lease, but not of ROW while
 * somebody has a reference. */
void row_leave(struct lease_store *s, struct row *row);
/* Remembers that used_at and whether it is held must be written some time. */
void row_touch(struct lease_store *s, struct row *row, int64_t now);
/* Puts it into its pool's list or takes it out, whichever is right now. */
void row_relist(struct row *row);
bool row_is_older(const struct row *a, const struct row *b);
void row_present(const struct row *row, const struct state *state, int64_t used_at, struct lease *ret);
struct pool_name *pool_name_get(struct lease_store *s, const char *text); /* NULL: no memory */
bool state_equal(const struct state *a, const struct state *b);
bool state_owns_span(const struct state *st, const struct span *n);
/* Gives ST an array of its own. 0 or -ENOMEM. */
int state_set_spans(struct state *st, struct span *const *spans, unsigned count);
/* Notes the change of ROW since BEFORE in OP, whose changes have room. */
void change_note(struct op *op, struct row *row, const struct state *before);
/* Makes ROW what TO says: links and unlinks spans, counts. Cannot fail. */
void row_become(struct lease_store *s, struct row *row, const struct state *to);
/* The same where the spans that come are linked already, and those that go are not any more. */
void row_adopt(struct lease_store *s, struct row *row, const struct state *to);
/* Frees what only GONE has and KEPT has not. */
void state_free_rest(struct state *gone, const struct state *kept);
void op_undo(struct lease_store *s, struct op *op);
/* Nothing is there any more, as before table_load(). */
void table_clear(struct lease_store *s);

/* load.c */
int table_load(struct lease_store *s, struct db *db, char why[256]);
/* As db_lease_row and db_prefix_row; OWNER is the store. */
int table_add_lease(void *owner, const struct db_lease *l, char why[256]);
int table_add_prefix(void *owner, const struct db_prefix *p, char why[256]);
/* When all are added. 0, -EIO (something is missing) or -ENOMEM. */
int table_finish(struct lease_store *s, char why[256]);

/* region.c */
/* A region of BASE in units of LEN bits, not counted yet; none when BASE is none. 0 or -ENOMEM. */
int region_init(struct region *g, const struct prefix *base, unsigned len);
void region_count(const struct lease_store *s, struct region *g);
/* Links and unlinks a span, and keeps the regions' count of used units. */
void span_occupy(struct lease_store *s, struct span_set *set, struct span *n);
void span_vacate(struct lease_store *s, struct span_set *set, struct span *n);
bool region_has_unit(const struct region *g, const struct span *n);
/* A free unit for ROW, linked; somebody loses his (noted in OP) when there is none. NULL and *ret_error: -ENOSPC or -ENOMEM. */
struct span *region_take(struct lease_store *s, struct lease_pool *pool, enum part part, struct row *row,
	struct op *op, int *ret_error);

/* pool.c */
struct lease_pool *pool_find(const struct lease_store *s, const struct pool_name *name);
/* The holder's name when somebody other than USER has a reservation that overlaps FIRST..LAST, else NULL. "" is nobody's name. */
const char *reserved_for_other(const struct lease_store *s, uint64_t first, uint64_t last, const char *user);
void pools_free(struct lease_store *s);

/* acquire.c */
/* Does what R asks, or refuses; answers OP. POOL: the name that R means. */
void acquire_run(struct lease_store *s, const struct lease_request *r, struct pool_name *pool,
	struct row *row, struct op *op);
void op_why(struct op *op, const char *format, ...) __attribute__((format(printf, 2, 3)));
void op_refuse(struct lease_store *s, struct op *op, int result);
/* Answers with ROW's lease, when it is safe. */
void op_grant(struct lease_store *s, struct op *op, struct row *row, bool changed);

/* temporary.c */
/* Nobody holds it, and its pool is temporary: it waits for being forgotten. */
bool row_is_left_over(const struct row *row);
/* Forgets it; without memory a sweep does it later. */
void row_forget(struct lease_store *s, struct row *row);
/* Forgets a batch of what is left over; without a loop, all of it. Whether more may be there. */
bool temporary_sweep(struct lease_store *s);
/* Pools are others: what is left over in them goes, now and by the timer. */
void temporary_begin(struct lease_store *s);

/* commit.c */
/* DB is the committer's from now on, also on failure; NULL: there is none, until health_try() has made one. Until committer_start() all
 * is done at once, by the caller. */
struct committer *committer_new(struct lease_store *s, struct db *db, const char *path, char why[256]);
int committer_start(struct committer *c, char why[256]);
/* Finishes what is queued, ends the thread and closes the database. Answers are dropped. */
void committer_free(struct committer *c);
/* With room for CHANGES changes. NULL: no memory. */
struct op *op_new(struct lease_store *s, size_t changes, lease_answer *answer, void *owner);
/* To be written, then answered. */
void op_submit(struct lease_store *s, struct op *op);
/* Nothing to write: answered in the next iteration, with op->result. */
void op_finish(struct lease_store *s, struct op *op);
void op_hold(struct op *op, struct row *row); /* ROW's newest hold belongs to OP */
void committer_cancel(struct committer *c, void *owner);
bool committer_is_full(const struct committer *c);
bool committer_is_idle(const struct committer *c); /* nothing is in flight */
/* Since when (loop_clock()) the thread is at the disk without an answer; MSEC_NEVER: it is not. */
msec committer_stuck_since(struct committer *c);
/* Asks whether the files are still there; with COPY also for a backup, if there is anything new. */
void committer_look(struct committer *c, bool copy);
/* Queues the touches of up to TOUCH_BATCH rows. */
int touches_submit(struct lease_store *s);

/* health.c */
/* Whether changes may be queued. */
bool health_may_write(const struct lease_store *s);
const char *health_why(struct lease_store *s); /* while they may not; valid until the next call */
/* Somebody was told -EIO. */
void health_refused(struct lease_store *s);
/* A write has failed, and was undone. */
void health_failed(struct lease_store *s, enum db_trouble trouble, const char *why);
/* How a backup, or a look at the files, came out: DAMAGED: the database is, or is gone. */
void health_backup(struct lease_store *s, bool done, bool damaged, const char *why);
/* Something was queued; something came back. */
void health_submitted(struct lease_store *s);
void health_look(struct lease_store *s);
bool health_needs_rewrite(const struct lease_store *s);
/* A probe or a rewrite now. */
void health_try(struct lease_store *s);
/* Before a request: without a loop there is no timer that tries. */
void health_try_now(struct lease_store *s);
/* There is no file that can be used: makes one. */
void health_recover(struct lease_store *s);
void health_init(struct lease_store *s);
void health_stop(struct lease_store *s);

/* recover.c */
/* Opens PATH and loads it; where it is damaged or gone, what can be recovered, and *ret_db is NULL: a new file has to be written. 0 or -EIO. */
int recover_open(struct lease_store *s, const char *path, struct db **ret_db, char why[256]);

#endif

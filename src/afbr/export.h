/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/export: what export.c, verdict.c (may a route be in the kernel, and how), refusal.c (what the kernel did not take) and sweep.c (what the kernel has, and
 * what it ought to have) share. Not for others.
 */
#ifndef AFBR_EXPORT_H
#define AFBR_EXPORT_H

#include "afbr/parts.h"
#include "lib/hash.h"
#include "netlink/fib.h"

enum {
	EXPORT_FEEDS = 4,
	EXPORT_UNICAST = 2,
	EXPORT_BATCHES = 8,
	EXPORT_RECHECKS = 64,
	EXPORT_FAILURES = 1024
};

struct exporter;

/* The feeds' tables: IPv4, IPv6, and the labeled ones behind them, EXPORT_UNICAST further each. */
extern const enum bgp_family export_families[EXPORT_FEEDS];

/* A request that is being answered, or the one that is being filled. */
struct export_batch {
	struct export_batch *next, **link;
	struct exporter *exporter;
	unsigned count;
	struct keeper_bgp_route routes[KEEPER_BGP_ROUTES];
	uint32_t old[KEEPER_BGP_ROUTES][2]; /* paths that the kernel had for it until then; 0: none */
};

enum export_sweep { SWEEP_NONE, SWEEP_WAITS, SWEEP_RUNS, SWEEP_MENDS };

/* Nets whose routes were found in the kernel: those of the feed with numbers below 64 times WORDS. */
struct export_seen {
	uint64_t *bits;
	uint32_t words;
};

/* By net: the path of its route in the kernel; 0: none, or a native one. */
struct export_paths {
	uint32_t *numbers;
	uint32_t room;
};

struct exporter {
	struct afbr *afbr;
	struct afbr_export config; /* that is in force */
	const struct policy *policy;
	struct rib_feed feeds[EXPORT_FEEDS];
	struct export_paths paths[EXPORT_FEEDS];
	bool fed;       /* they are in the tables */
	bool told;      /* the engine has told of routes: its restart, if it is one, is over */
	bool flushing;  /* everything of `config` is being removed */
	bool starved;   /* of memory */
	bool restarted; /* what an earlier process had left, and nobody has told again, was looked for once */
	struct wheel_timer timer;
	struct export_batch *batches, *current;
	unsigned in_flight;
	/* routes by moved next hops are written again */
	bool moved, walking;
	unsigned walk_feed;
	rib_id walk_at;
	struct addr recheck[EXPORT_RECHECKS];
	unsigned recheck_count;
	bool recheck_all;
	/* sweep.c */
	enum export_sweep sweep;
	struct netlink_reader *reader;
	void (*found)(struct afbr *a, int result, bool left);
	struct wheel_timer scan;
	struct export_seen seen[EXPORT_FEEDS];
	unsigned mend_feed, mend_word;
	bool sweep_again; /* what this one has read may be old already */
	msec sweep_begun, sweep_took;
	uint64_t stale, missing;  /* of this sweep */
	uint64_t swept, restored; /* of all */
	/* refusal.c */
	struct hash failures;
	bool failures_more; /* than there is room for */
	struct wheel_timer retry;
	msec retry_in;
	struct limit lines;
	uint64_t written;
	void (*stopped)(struct afbr *a);
};

/* ---- export.c ---- */

/* Goes on with whatever there is to do. */
void export_pump(struct exporter *e);
/* The same, in another turn of the loop. */
void export_soon(struct exporter *e);
/* The keeper takes more requests. */
bool export_has_room(const struct exporter *e);
/* Into the batch that is being filled; OLD (may be NULL): paths that are released when it has been done. False: no memory. */
bool export_put(struct exporter *e, const struct keeper_bgp_route *route, const uint32_t old[2]);
void export_submit(struct exporter *e);
/* P as it is now, if it is there at all. */
void export_tell_prefix(struct exporter *e, const struct prefix *p);
/* All that the feeds have is in the kernel. */
bool export_is_idle(struct exporter *e);

/* ---- verdict.c ---- */

enum verdict {
	VERDICT_GONE,
	VERDICT_OURS,
	VERDICT_FAMILY,
	VERDICT_POLICY,
	VERDICT_UNREACHED,
	VERDICT_ACROSS,
	VERDICT_CORE,
	VERDICT_LABELED,
	VERDICT_LINK,
	VERDICT_HIDES,
	VERDICT_SESSION,
	VERDICT_NEVER,
	VERDICT_SOFTWIRE, /* if there is one: path_for() */
	VERDICT_NATIVE,   /* *ret is the route */
};
/* PATH is the best of FEED's table to PREFIX, or NULL. *HIDDEN with VERDICT_HIDES and VERDICT_SESSION; *WHY with VERDICT_SOFTWIRE. */
enum verdict verdict_of(struct exporter *e, unsigned feed, const struct prefix *prefix,
	const struct rib_path *path, struct keeper_bgp_route *ret, struct addr *hidden, const char **why);

/* ---- refusal.c ---- */

void refusal_init(struct exporter *e);
void refusal_note(struct exporter *e, const struct keeper_bgp_route *route, int error);
void refusal_forget(struct exporter *e, const struct prefix *p);
void refusal_forget_all(struct exporter *e);
/* Now, and not when it is their time: what was in their way is gone. */
void refusal_try(struct exporter *e);
void refusal_done(struct exporter *e);
int refusal_of(const struct exporter *e, const struct prefix *p); /* 0: none */
unsigned refusal_count(const struct exporter *e);
const char *refusal_text(int error);

/* ---- sweep.c ---- */

/* Are there routes of an earlier process? FOUND is called later. 0 or -errno. */
int sweep_look(struct exporter *e, void (*found)(struct afbr *a, int result, bool left));
/* If it waits, and all that is to stay is in place. */
void sweep_begin(struct exporter *e);
void sweep_resume(struct exporter *e);
/* If it has found that something is missing: some of that. */
void sweep_mend(struct exporter *e, unsigned *budget);
/* Now; after the one that is under way, if there is one. */
void sweep_now(struct exporter *e);
/* The next one, by config.scan; unless there is one under way. */
void sweep_schedule(struct exporter *e);
void sweep_end(struct exporter *e);

#endif

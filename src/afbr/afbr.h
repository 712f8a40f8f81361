/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr: the mesh role: a BGP engine (bgp/), its TCP connections, and the kernel's routes that go in and come out; and the softwires that
 * these lead to (mesh/ is their data plane).
 *
 * Parts: afbr.c (life), reload.c (another configuration), listen.c (connections that come), connection.c (one TCP connection: reading, writing, its
 * end), socket.c (what a socket is like: hops, class), key.c (TCP-MD5), nexthop.c with way.c, recurse.c and sessions.c (is a next hop reached, and how), import.c (the kernel's routes become
 * ours), export.c (best routes go into the kernel) with verdict.c (which, and how), refusal.c (what it did not take) and sweep.c (what an earlier process has left there),
 * softwires.c and what stands behind softwires.h (routes that lead to softwires: wants.c, choices.c with choose.c, paths.c, endpoints.c, adopt.c with adopt_record.c; what is taken out of them:
 * accept.c, accept_record.c, transmitters.c), event.c (log lines), mrt.c and mrt_file.c (files for others' tools), show.c, routes.c, route.c,
 * show_mesh.c, show_fib.c (JSON for the control socket), config.c (the configuration's life).
 *
 * Restart. Nothing of BGP is written down: the peers have it. A process that leaves (upgrade) or dies says nothing to them, its routes stay in the kernel,
 * and the next one finds them there, which is how it knows that it is a restart: it says so in its OPENs (RFC 4724), goes on
 * with the old routes until all neighbours have told theirs, and removes those that nobody told again. What routes through softwires lead to is in memory that
 * the keeper holds (adopt.c), so that they go on leading there meanwhile.
 *
 * Privileges. The keeper opens the listening sockets (port 179), the softwires' device and raw sockets, and writes routes, in batches; all else is done without.
 */
#ifndef AFBR_AFBR_H
#define AFBR_AFBR_H

#include "afbr/config.h"
#include "keeper/keeper.h"
#include "lib/log.h"
#include "lib/loop.h"

struct afbr;

struct afbr *afbr_new(struct loop *loop, struct log *log, struct keeper_client *keeper, struct rng *rng,
	const struct afbr_config *config);
/* STARTED once: 0, or -errno after a logged reason. */
void afbr_start(struct afbr *a, void (*started)(void *owner, int result), void *owner);
/* Cease/Administrative Shutdown to all, our routes out of the kernel; then STOPPED. */
void afbr_stop(struct afbr *a, void (*stopped)(void *owner), void *owner);
bool afbr_may_leave(const struct afbr *a);
void afbr_leave(struct afbr *a);
void afbr_free(struct afbr *a);

/*
 * Another configuration, in two steps as the concentrator's: the first reads and opens what it needs (passwords, listening sockets) and changes nothing.
 */
struct json_t;
struct afbr_change;
typedef void afbr_problem(void *owner, const char *text);
typedef void afbr_prepared(void *owner, struct afbr_change *change); /* NULL after PROBLEM */
void afbr_prepare(struct afbr *a, const struct afbr_config *config, afbr_problem *problem,
	afbr_prepared *prepared, void *owner);
/* SAY gets sentences about what follows from it ("neighbor ce1 was reset: its AS changed"). */
void afbr_apply(struct afbr_change *change, struct json_t *say);
void afbr_discard(struct afbr_change *change);

/*
 * For the control socket: doc/control.md. New references. A neighbour is asked for by its name or its address; NULL: all. NULL, or a negative errno, and
 * *why, as a sentence, where it is not to be had.
 */
#define AFBR_NOT_UP      "the mesh is not up yet"
#define AFBR_NO_NEIGHBOR "there is no such neighbor: `softwire show bgp neighbors` lists them"
struct json_t *afbr_show_neighbors(struct afbr *a, const char *filter, const char **why);
/* Ourselves: AS, router ID, tables. */
struct json_t *afbr_show_speaker(struct afbr *a);
/*
 * Loc-RIB of FAMILY (BGP_FAMILIES: all), or what neighbour RECEIVED told, or what ADVERTISED is told; of WITHIN (may be NULL) and what is inside. A page: at
 * most LIMIT rows, and AFBR_PAGE, of no more than AFBR_LOOKED_AT nets: some milliseconds; *ret_next is where the next one begins (AFTER), 0 where this was the
 * last. Between pages tables may change: what has been there all the time is told once.
 */
enum { AFBR_LOOKED_AT = 16384, AFBR_PAGE = 250 };
struct afbr_route_query {
	enum bgp_family family;
	const char *received, *advertised;
	const struct prefix *within;
	uint32_t limit;
	uint64_t after; /* 0: from the start */
};
struct json_t *afbr_show_routes(
	struct afbr *a, const struct afbr_route_query *q, uint64_t *ret_next, const char **why);
/* Attribute sets and how many routes share each, the most shared first. */
struct json_t *afbr_show_attributes(struct afbr *a, uint32_t limit);
/* For each family that has it: all paths of the longest prefix that has P's address, or of EXACTly P, and why the best one is, in words. NULL and *why. */
struct json_t *afbr_show_route(struct afbr *a, const struct prefix *p, bool exact, const char **why);
struct json_t *afbr_show_counters(struct afbr *a);
/*
 * Softwires. Paths: rows by number, with their slots, endpoints and routes; a page as above. Endpoints: where, how and why, state, MTU, counters. Acceptance: what
 * we take and from whom, with counters. Fib: routes as the kernel was told them. NULL and *why where there is no core.
 */
#define AFBR_NO_CORE "there are no softwires: `core` of the configuration has no address"
struct json_t *afbr_show_paths(struct afbr *a, uint32_t limit, uint64_t after, uint64_t *ret_next, const char **why);
struct json_t *afbr_show_endpoints(struct afbr *a, const struct addr *address, const char **why);
struct json_t *afbr_show_acceptance(struct afbr *a, const char **why);
struct json_t *afbr_show_fib(struct afbr *a, const struct afbr_route_query *q, uint64_t *ret_next, const char **why);
int afbr_mesh_roll(struct afbr *a, const char **why);
int afbr_mesh_shutdown(struct afbr *a, const struct addr *endpoint, bool shut, const char **why);
/* How many, or a negative errno and *why. */
int afbr_clear(struct afbr *a, const char *name, const char *words, const char **why);
int afbr_refresh(struct afbr *a, const char *name, bool in, bool out, const char **why);
/* Writes the tables to a new MRT file; DONE gets its path, or NULL and why. */
void afbr_dump(struct afbr *a, void (*done)(void *owner, const char *path, const char *why), void *owner);

#endif

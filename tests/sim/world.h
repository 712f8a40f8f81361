/*
 * sim/world: initiator and concentrator engines wired in memory, with a virtual clock and a bad network between them.
 *
 *   user 0 ---\                                /--- leases (the real store, in memory)
 *   user 1 ----+--- network: loss, duplicates, +--- concentrator: ids, slots, CHAP against the users' secrets
 *   ...    ---/     delay and reordering       \
 *
 * Everything is decided by one seeded generator, so a failing seed is a bug report: run the program with it.
 * A user connects, gets its prefix, stays for a while, then leaves in good order, or vanishes (its router lost power), or its
 * address changes (a NAT); and connects again until it has done its rounds. The concentrator may be killed in the middle of it: its
 * softwires are gone without a word, its leases are not, and users whose traffic is not answered any more take that as a hint.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "hub/softwire.h"
#include "lease/lease.h"
#include "lib/hash.h"
#include "lib/pool.h"

struct packet;

struct network {
	unsigned loss, duplicate, reorder; /* percent */
	uint32_t delay_ms;
	struct packet **heap; /* by time of arrival */
	size_t count, room;
	uint64_t sent, lost, order;
};

struct user {
	struct softwire_si engine;
	struct world *world;
	struct wheel_timer timer;
	uint32_t index, port; /* PORT changes with each attempt: where answers go */
	uint16_t rounds_left;
	bool running, lingering, up, bound, seen;
	msec attempt_at;
	struct prefix prefix; /* of the first round: must be the same in every other */
	uint32_t failures;
	struct dhcp6_binding hint;
	struct user_past *past;
};

struct server_side {
	struct softwire_sc engine;
	struct world *world;
	struct server_side *next, **link;
	uint32_t user, port;
	uint16_t peer_tunnel, local_tunnel;
	bool known, leased, routed;
};

struct world {
	msec now;
	struct wheel wheel;
	struct rng rng;
	struct network network;
	struct softwire_config sc_config, si_config;
	struct softwire_counters sc_counters, si_counters;
	struct lease_store *leases;
	struct user *users;
	uint32_t user_count;
	struct server_side *by_tunnel[65536];
	struct server_side **of_user; /* all of a user's, by next */
	uint32_t side_count;
	struct server_side **by_user; /* who holds the user's slot */
	struct pool sides;
	uint32_t next_port;
	struct wheel_timer restart;
	uint64_t rounds_done, replaced, vanished, moved, failed_attempts, cut_off;
	uint32_t users_done;
	bool tracing; /* the environment has SIM_TRACE: every packet is printed */
	char failure[256]; /* first broken promise; empty: none */
};

struct world_config {
	uint64_t seed;
	uint32_t users;
	uint16_t rounds;
	unsigned loss, duplicate, reorder; /* percent */
	uint32_t start_ms;		   /* users start spread over this time */
	uint32_t hold_ms;		   /* how long a round lasts, at most */
	uint32_t restart_ms;		   /* the concentrator is killed and starts again then; 0: never */
};

/* Runs everything to its end. True: every promise held; else w->failure says which did not. */
bool world_run(struct world *w, const struct world_config *config);

#endif

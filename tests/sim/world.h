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
 * Or it crashes, and the next process takes up its softwires from what it has saved: then nobody notices, but those that were just connecting
 * or leaving (restart.c).
 * Several users may share an account (two routers of one household), the pool may be too small for all, time may leap (a suspended machine).
 * Whatever happens, no two softwires hold the same address or prefix at a time.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "carrier.h"

struct user {
	struct softwire_si engine;
	struct world *world;
	struct wheel_timer timer;
	uint32_t index, account, port; /* PORT changes with each attempt: where answers go */
	uint16_t rounds_left;
	bool running, lingering, up, bound, seen, leaving;
	msec attempt_at;
	struct prefix prefix; /* of the first round: must be the same in every other */
	struct addr address4;
	struct prefix subnet;
	uint32_t failures;
	struct dhcp6_binding hint;
	struct dhcp4_binding hint4;
	struct user_past *past;
};

struct world {
	const struct world_config *config;
	struct stage stage;
	struct carrier carrier;
	struct softwire_config si_config;
	struct softwire_counters si_counters;
	struct user *users;
	uint32_t user_count;
	char directory[64], path[96]; /* of the lease database, where it is on disk */
	uint32_t next_port;
	struct wheel_timer restart, leap;
	uint64_t rounds_done, vanished, moved, failed_attempts, noticed; /* noticed: softwires that users lost */
	uint32_t users_done;
	unsigned restarts_left;
};

struct world_config {
	uint64_t seed;
	uint32_t users;
	uint16_t rounds;
	unsigned loss, duplicate, reorder; /* percent */
	uint32_t start_ms;                 /* users start spread over this time */
	uint32_t hold_ms;                  /* how long a round lasts, at most; 0: 30 s */
	uint32_t
		restart_ms; /* the concentrator is killed and starts again then, and RESTARTS times; 0: never */
	unsigned restarts;
	bool resume;      /* it takes its softwires up again, after DOWN_MS */
	uint32_t down_ms;
	bool on_disk;              /* the lease database is a file, which is opened again with each restart */
	bool ipv4, no_ipv6, dhcp4; /* payload; IPv4 addresses come by DHCP */
	unsigned ipv4_len;         /* length of the pool of addresses; 0: 16 */
	bool may_run_out;          /* it is too small: users have to wait, and may get another address */
	uint32_t per_account;      /* users that share an account; 0: 1 */
	uint32_t lifetime_s;       /* valid lifetime, and DHCP's lease; 0: 7200 */
	uint32_t leap_ms, leap_by_ms; /* time leaps then, by this much; 0: never */
};

/* Runs everything to its end. True: every promise held; else w->stage.failure says which did not. */
bool world_run(struct world *w, const struct world_config *config);

#endif

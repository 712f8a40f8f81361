/*
 * sim/week: days in the life of a carrier with two concentrators and many homes, in which everything goes wrong that does go wrong.
 *
 *   homes:  each wants to be connected all the time; it prefers one concentrator, takes the other one when that does not answer, and comes home
 *           later. Now and then it loses power, its NAT gives it another address, or somebody restarts its router.
 *   faults: of each concentrator, one at a time: a crash (the next process takes its softwires up), a death of the machine (it has lost them), an
 *           orderly restart, a disk that is full, a wall clock that jumps; apart from these: a part of the homes cannot reach it; and rarely the
 *           whole world sleeps for a while.
 *
 * Promises, checked all the time or every hour: no address or prefix is held by two; a home gets the same ones from the same concentrator for ever;
 * nobody is without a softwire for long while one of the concentrators can be reached. At the end, after half an hour without faults: everybody is
 * connected, the concentrators have these softwires and no others, the leases are whole and active where they should be, and no memory has grown.
 *
 * Everything follows from the seed. (Time is the C library's time() replaced, too: only one week at a time.)
 */
#ifndef SIM_WEEK_H
#define SIM_WEEK_H

#include "carrier.h"

enum { CARRIERS = 2 };

enum fault { FAULT_CRASH, FAULT_DEATH, FAULT_RESTART, FAULT_DISK, FAULT_CLOCK, FAULT_PARTITION, FAULT_SLEEP, FAULTS };

struct week_config {
	uint64_t seed;
	uint32_t homes, hours;
	unsigned loss; /* percent; and a little of duplication and reordering */
};

enum home_state { HOME_WAITING, HOME_CONNECTING, HOME_UP, HOME_LEAVING };

struct week;

struct home {
	struct softwire_si engine;
	struct week *week;
	struct wheel_timer timer;
	uint32_t index, port; /* PORT changes with each attempt; its last bit names the concentrator */
	uint8_t at, state;    /* AT: the concentrator of the attempt */
	uint32_t failures;    /* in a row */
	msec since;	      /* not up, or up */
	struct home_past {    /* what it got there */
		bool seen;
		struct prefix prefix, subnet;
		struct addr address4;
		struct dhcp6_binding hint;
		struct dhcp4_binding hint4;
	} past[CARRIERS];
};

/* A concentrator and its troubles. */
struct site {
	struct carrier carrier;
	struct week *week;
	struct wheel_timer fault_timer, partition_timer;
	enum fault fault;
	bool faulty;		  /* FAULT is going on */
	unsigned cut;		  /* percent of the homes that cannot reach it */
	uint64_t cut_salt;	  /* which ones */
	msec well_since;	  /* MSEC_NEVER: it is not well */
	char path[96];
};

struct week {
	const struct week_config *config;
	struct stage stage;
	struct site sites[CARRIERS];
	struct softwire_config si_config;
	struct softwire_counters si_counters;
	struct home *homes;
	struct wheel_timer hour;
	uint32_t hours_done, next_port;
	msec quiet_at; /* no faults from then on */
	char directory[64];
	size_t memory, memory_end; /* the most in the first third of the hours; in the end */
	uint64_t faults[FAULTS], attempts, ups, moved, power_cuts, restarts, came_home;
};

/* True: every promise held; else w->stage.failure says which did not. */
bool week_run(struct week *w, const struct week_config *config);
const char *week_fault_name(enum fault fault);

/* home.c */
void home_init(struct week *w);
void home_begin(struct home *h, struct week *w, uint32_t index);
void home_input(struct home *h, const struct packet *p);

/* fault.c */
void fault_begin(struct site *site);
/* Ends what is going on. */
void fault_end_all(struct week *w);
bool fault_cuts(const struct site *site, uint32_t home);
/* A time around MEAN, rarely much more. */
msec week_some(struct week *w, msec mean);

#endif

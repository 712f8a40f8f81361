/*
 * bench/tally: what both generators share: their command line, how many set-ups are under way, and the closing line of JSON.
 *
 * The closing line is {"done", "failed", "seconds", "rate", "p50_ms", "p99_ms", "max_ms", "cpu_seconds"}: seconds from the first
 * packet to the end of the last set-up, percentiles over the times of the single set-ups.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/loop.h"

struct options {
	struct endpoint server, local; /* local's port is ignored */
	unsigned count, window, sockets, tunnels, limit_seconds;
	unsigned storm_ms, sources, nat; /* bench/load only */
	unsigned rate;			 /* bench/flood only */
	bool hold; /* keep the softwires up until the standard input ends */
};

/* Reads the command line, or ends the program with its usage. */
void options_read(struct options *o, int argc, char **argv);

struct tally {
	const struct options *options;
	unsigned begun, under_way, done, failed;
	uint64_t first, last; /* nanoseconds */
	uint64_t *times;      /* of those that are done */
};

uint64_t nanoseconds(void);
void tally_init(struct tally *t, const struct options *o);
/* Is there one more to begin, and room for it? */
bool tally_room(const struct tally *t);
/* The beginning of a set-up; give it to tally_done(). */
uint64_t tally_begin(struct tally *t);
void tally_done(struct tally *t, uint64_t began);
/* It failed. It is counted, and not tried again. */
void tally_failed(struct tally *t);
bool tally_complete(const struct tally *t);
/* Prints the closing line; returns the exit status. */
int tally_print(struct tally *t);
/* Runs LOOP until the tally is complete or time is up, prints, and holds when told so. Returns the exit status. */
int tally_run(struct tally *t, struct loop *loop);

#endif

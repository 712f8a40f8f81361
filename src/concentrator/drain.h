/*
 * concentrator/drain: what the operator has ordered by `softwire drain`, and when a softwire's time has come. Sans-I/O.
 *
 * Established softwires with somewhere to go leave at once, at most RATE in a second, so that the other concentrator is not flooded. Those that have
 * nowhere to go stay: an operator who has no other concentrator wants no new softwires here, and lets the others end by themselves. GRACE overrides
 * both: it is how long everybody is left alone, and then all go, also those with nowhere to go.
 * It outlives the process: written down beside the softwires (record.h), among which its first byte tells it.
 */
#ifndef CONCENTRATOR_DRAIN_H
#define CONCENTRATOR_DRAIN_H

#include "concentrator/concentrator.h"
#include "lib/reader.h"
#include "lib/writer.h"

struct drain {
	bool on;
	struct drain_order order;
	uint64_t credit; /* thousandths of softwires that may leave ... */
	msec counted;    /* by this time */
	msec began;      /* the first order: for people */
	msec ordered;    /* the last one: grace counts from there */
	uint64_t moved, closed, refused; /* since it began */
};

/* Another order while it is on takes the place of the one before. */
void drain_begin(struct drain *d, const struct drain_order *order, msec now);
void drain_end(struct drain *d);
/* From when on softwires leave that have somewhere to go, or have not; MSEC_NEVER. */
msec drain_leave_at(const struct drain *d, bool has_target);
/* Has its time come, by the rate, too? DRAIN_GOES is for the rate's account. */
enum drain_verdict { DRAIN_STAYS, DRAIN_WAITS, DRAIN_GOES };
enum drain_verdict drain_judge(struct drain *d, bool has_target, msec now);

/* Does R begin like a drain's record? */
bool drain_is_record(struct reader r);
void drain_save(const struct drain *d, struct writer *w);
/* D goes on at NOW as R says; 0, or -EBADMSG: such a drain cannot have been ordered, and D is as it was. */
int drain_resume(struct drain *d, struct reader r, msec now);

#endif

/*
 * wheel: a hierarchical timer wheel driven by an injected clock.
 *
 * Time is milliseconds since any epoch (msec). Timers are embedded in their owners and linked into slots:
 * arming, re-arming and disarming cost O(1) and allocate nothing. A timer fires in the first
 * wheel_advance() whose time is at or past its deadline, in order of deadline up to one tick (1 ms near,
 * coarser levels cascade before they are due, so firing is never early and never late by more than 1 ms
 * against the clock handed in). A callback may arm and disarm any timer, its own included, and may free its owner.
 */
#ifndef LIB_WHEEL_H
#define LIB_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t msec;

#define MSEC_NEVER UINT64_MAX

static inline msec msec_min(msec a, msec b)
{
	return a < b ? a : b;
}

struct wheel_timer {
	struct wheel_timer *next, **link; /* link is NULL while disarmed */
	msec deadline;
	void (*fire)(struct wheel_timer *t, msec now);
};

enum { WHEEL_BITS = 8, WHEEL_LEVELS = 5 };

struct wheel {
	msec now;  /* the clock as last handed in */
	msec tick; /* how far the slots are served; behind now only while wheel_advance() runs */
	size_t armed;
	struct wheel_timer *due;                             /* armed for a time that had come already */
	uint64_t used[WHEEL_LEVELS][(1 << WHEEL_BITS) / 64]; /* one bit per slot that holds a timer */
	struct wheel_timer *slots[WHEEL_LEVELS][1 << WHEEL_BITS];
};

void wheel_init(struct wheel *w, msec now);
/*
 * Arms T for DEADLINE, moving it if it was armed; MSEC_NEVER disarms. T->fire must be set. A deadline that is past
 * already fires in the next wheel_advance(), whatever its time; from inside a callback that is the one after this,
 * so a callback that keeps arming itself for the past cannot hang the wheel.
 */
void wheel_arm(struct wheel *w, struct wheel_timer *t, msec deadline);
void wheel_disarm(struct wheel *w, struct wheel_timer *t);
static inline bool wheel_armed(const struct wheel_timer *t)
{
	return t->link != NULL;
}
/*
 * Moves the clock to NOW (never backwards) and fires what is due; returns how many fired. Callbacks get NOW. The cost
 * follows the timers served, not the time that went by. Not to be called from inside a callback.
 */
size_t wheel_advance(struct wheel *w, msec now);
/*
 * A time at or before the next deadline and after now, or MSEC_NEVER when nothing is armed. A deadline that is past
 * already counts as now + 1.
 */
msec wheel_next(const struct wheel *w);

#endif

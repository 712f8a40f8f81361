/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wheel: read deadline and tick as numbers of base 256. A timer lives on the level of the highest digit in which its
 * deadline differs from the tick, in the slot of its deadline's digit there. As the deadline is later,
 * that slot lies behind the tick's own digit, so slots never wrap, and the next event is the first used slot behind
 * the tick's digit on the lowest level that has one (a bitmap tells). When the tick reaches a slot of an upper level, its timers move
 * down, which at the latest puts them on level 0, where a slot is a millisecond.
 *
 * Timers that differ in a digit above the top level are parked in slot 0 of the top level, which is otherwise never
 * behind the tick's digit; they are placed anew when the top level's digit wraps (after 2^40 ms, 34 years).
 */
#include <string.h>

#include "lib/wheel.h"

enum { SLOTS = 1 << WHEEL_BITS, TOP = WHEEL_LEVELS - 1 };

static unsigned digit(msec t, unsigned level)
{
	return (unsigned)(t >> (level * WHEEL_BITS)) & (SLOTS - 1);
}

/* T with all digits up to and including LEVEL cleared. */
static msec above(msec t, unsigned level)
{
	unsigned shift = (level + 1) * WHEEL_BITS;

	return t >> shift << shift;
}

static void link_timer(struct wheel_timer **head, struct wheel_timer *t)
{
	t->next = *head;
	t->link = head;
	if (t->next)
		t->next->link = &t->next;
	*head = t;
}

static void unlink_timer(struct wheel_timer *t)
{
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->next = NULL;
	t->link = NULL;
}

static void link_slot(struct wheel *w, unsigned level, unsigned slot, struct wheel_timer *t)
{
	link_timer(&w->slots[level][slot], t);
	w->used[level][slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Moves all timers of LIST to HEAD, which is a local of the caller: they stay linked and can be disarmed. */
static void take_list(struct wheel_timer **list, struct wheel_timer **head)
{
	*head = *list;
	*list = NULL;
	if (*head)
		(*head)->link = head;
}

static void take_slot(struct wheel *w, unsigned level, unsigned slot, struct wheel_timer **head)
{
	take_list(&w->slots[level][slot], head);
	w->used[level][slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

/* Links T by its deadline, which is not before the tick. */
static void place(struct wheel *w, struct wheel_timer *t)
{
	msec differs = t->deadline ^ w->tick;
	unsigned level = differs ? (unsigned)(63 - __builtin_clzll(differs)) / WHEEL_BITS : 0;

	if (level > TOP)
		link_slot(w, TOP, 0, t);
	else
		link_slot(w, level, digit(t->deadline, level), t);
}

void wheel_init(struct wheel *w, msec now)
{
	memset(w, 0, sizeof(*w));
	w->now = w->tick = now;
}

void wheel_arm(struct wheel *w, struct wheel_timer *t, msec deadline)
{
	if (t->link && t->deadline == deadline)
		return;
	wheel_disarm(w, t);
	t->deadline = deadline;
	if (deadline == MSEC_NEVER)
		return;
	w->armed++;
	if (deadline <= w->now)
		link_timer(&w->due, t);
	else
		place(w, t);
}

/* Clears the bit of the slot whose head LINK is, if it is one (and not a timer's next, w->due or a batch being fired). */
static void mark_empty(struct wheel *w, struct wheel_timer *const *link)
{
	uintptr_t offset = (uintptr_t)link - (uintptr_t)w->slots;
	size_t slot = offset / sizeof(void *);

	if (offset < sizeof(w->slots))
		w->used[slot / SLOTS][slot % SLOTS / 64] &= ~(UINT64_C(1) << slot % 64);
}

void wheel_disarm(struct wheel *w, struct wheel_timer *t)
{
	struct wheel_timer **link = t->link;

	if (!link)
		return;
	unlink_timer(t);
	w->armed--;
	if (!*link)
		mark_empty(w, link);
}

/* The first used slot behind digit FROM, or SLOTS. */
static unsigned next_slot(const uint64_t used[SLOTS / 64], unsigned from)
{
	unsigned word = ++from / 64;
	uint64_t bits;

	if (from == SLOTS)
		return SLOTS;
	bits = used[word] & ~UINT64_C(0) << from % 64;
	while (!bits && ++word < SLOTS / 64)
		bits = used[word];
	return bits ? word * 64 + (unsigned)__builtin_ctzll(bits) : SLOTS;
}

/* When the next slot has to be served, and which; MSEC_NEVER when all are empty. */
static msec next_event(const struct wheel *w, unsigned *ret_level, unsigned *ret_slot)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned slot = next_slot(w->used[level], digit(w->tick, level));

		if (slot < SLOTS) {
			*ret_level = level;
			*ret_slot = slot;
			return above(w->tick, level) | (msec)slot << (level * WHEEL_BITS);
		}
	}
	if (!w->slots[TOP][0])
		return MSEC_NEVER;
	*ret_level = TOP;
	*ret_slot = 0;
	return above(w->tick, TOP) + (UINT64_C(1) << (WHEEL_LEVELS * WHEEL_BITS));
}

/* Fires a batch. A callback may disarm, move or free any timer that is still in it. */
static size_t fire(struct wheel *w, struct wheel_timer **batch)
{
	size_t fired = 0;

	while (*batch) {
		struct wheel_timer *t = *batch;

		unlink_timer(t);
		w->armed--;
		fired++;
		t->fire(t, w->now);
	}
	return fired;
}

/* Brings the tick to an event and serves it. */
static size_t serve(struct wheel *w, msec at, unsigned level, unsigned slot)
{
	struct wheel_timer *batch;

	w->tick = at;
	take_slot(w, level, slot, &batch);
	if (level) {
		while (batch) {
			struct wheel_timer *t = batch;

			unlink_timer(t);
			place(w, t);
		}
		take_slot(w, 0, digit(at, 0), &batch); /* those due at this very tick */
	}
	return fire(w, &batch);
}

size_t wheel_advance(struct wheel *w, msec now)
{
	struct wheel_timer *batch;
	unsigned level = 0, slot = 0;
	size_t fired;
	msec at;

	if (now > w->now && now != MSEC_NEVER)
		w->now = now;
	take_list(&w->due, &batch);
	fired = fire(w, &batch);
	while ((at = next_event(w, &level, &slot)) <= w->now)
		fired += serve(w, at, level, slot);
	w->tick = w->now;
	return fired;
}

msec wheel_next(const struct wheel *w)
{
	unsigned level, slot;
	msec at;

	if (w->due)
		return w->now + 1;
	at = next_event(w, &level, &slot);
	return at > w->now ? at : w->now + 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds: places in the list of nets (rib.h).
 *
 * What stands in the list for them are marks. `place`, `end` and `mark` of all feeds that are between the same two nets are one mark, which counts them: who
 * comes to where one is joins it, and who leaves it takes a spare one. Marks come to stand next to each other only when all nets between them change, so a feed
 * does not walk over more marks than there are nets and changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/net.h"

enum { WORDS_MIN = ARENA_CHUNK / 64 };

/* ---- bits ---- */

bool rib_feed_has(const struct rib_feed *f, rib_id net)
{
	return net / 64 < f->words && (f->bits[net / 64] >> net % 64 & 1);
}

static int bits_reserve(struct rib_feed *f, rib_id net)
{
	uint32_t words = f->words ? f->words : WORDS_MIN;
	uint64_t *bits;

	if (net / 64 < f->words)
		return 0;
	while (words <= net / 64)
		words *= 2;
	bits = reallocarray(f->bits, words, sizeof(*bits));
	if (!bits)
		return -ENOMEM;
	memset(bits + f->words, 0, (words - f->words) * sizeof(*bits));
	f->bits = bits;
	f->words = words;
	return 0;
}

static void bits_free(struct rib_feed *f)
{
	free(f->bits);
	f->bits = NULL;
	f->words = 0;
	f->count = 0;
}

int rib_feed_set(struct rib_feed *f, rib_id net, bool has)
{
	struct rib_net *n = net_at(f->rib, net);
	int rc;

	if (rib_feed_has(f, net) == has)
		return 0;
	rc = has ? bits_reserve(f, net) : 0;
	if (rc)
		return rc;
	f->bits[net / 64] ^= 1ull << net % 64;
	if (has) {
		f->count++;
		n->had++;
		if (!n->best) /* it has to be told so */
			(void)net_changed(f->rib, net);
		return 0;
	}
	if (!--f->count)
		bits_free(f);
	if (!--n->had && !n->best)
		net_forget(f->rib, net);
	return 0;
}

/* ---- marks ---- */

static void spare_put(struct rib *r, rib_id id)
{
	net_at(r, id)->next = r->spare;
	r->spare = id;
}

static rib_id spare_take(struct rib *r)
{
	rib_id id = r->spare;

	r->spare = net_at(r, id)->next;
	return id;
}

/* One mark more: for each that a feed may ever stand on, it brings one. */
static int mark_bring(struct rib *r)
{
	void *memory;
	rib_id id = arena_alloc(&r->nets, &memory);

	if (!id)
		return -ENOMEM;
	((struct rib_net *)memory)->marks = 1;
	spare_put(r, id);
	return 0;
}

static void mark_take_away(struct rib *r)
{
	arena_free(&r->nets, spare_take(r));
}

static void mark_leave(struct rib *r, rib_id *at)
{
	struct rib_net *n = *at ? net_at(r, *at) : NULL;

	if (n && !--n->refs) {
		list_remove(r, *at);
		spare_put(r, *at);
	}
	*at = 0;
}

/* The mark in front of BEFORE (0: at the end), on either side of the gap; or 0. */
static rib_id mark_find(const struct rib *r, rib_id before, rib_id after)
{
	if (before && net_at(r, before)->marks)
		return before;
	return after && net_at(r, after)->marks ? after : 0;
}

/*
 * *AT comes to stand in front of BEFORE (0: at the end): on the mark that is there; or it takes its own along, if nobody shares that; or on a spare one. There
 * is one, as fewer are stood on than were brought.
 */
static void mark_move(struct rib *r, rib_id *at, rib_id before)
{
	rib_id after = before ? net_at(r, before)->previous : r->last, there;

	if (*at && (*at == before || *at == after))
		return;
	there = mark_find(r, before, after);
	if (!there && *at && net_at(r, *at)->refs == 1) {
		list_remove(r, *at);
		list_insert(r, *at, before);
		return;
	}
	mark_leave(r, at);
	if (!there) {
		there = spare_take(r);
		list_insert(r, there, before);
	}
	net_at(r, there)->refs++;
	*at = there;
}

/* ---- life ---- */

int rib_feed_add(struct rib *r, struct rib_feed *f)
{
	if (r->feed_count == RIB_FEEDS)
		return -ENOSPC;
	if (mark_bring(r))
		return -ENOMEM;
	if (mark_bring(r)) {
		mark_take_away(r);
		return -ENOMEM;
	}
	*f = (struct rib_feed){.rib = r, .next = r->feeds, .link = &r->feeds};
	if (f->next)
		f->next->link = &f->next;
	r->feeds = f;
	r->feed_count++;
	rib_feed_restart(f);
	return 0;
}

void rib_feed_remove(struct rib_feed *f)
{
	struct rib *r = f->rib;
	unsigned brought = f->mark ? 3 : 2;

	for (uint32_t w = 0; w < f->words; w++)
		for (; f->bits[w]; f->bits[w] &= f->bits[w] - 1) {
			rib_id net = w * 64 + (rib_id)__builtin_ctzll(f->bits[w]);
			struct rib_net *n = net_at(r, net);

			if (!--n->had && !n->best)
				net_forget(r, net);
		}
	bits_free(f);
	mark_leave(r, &f->place);
	mark_leave(r, &f->end);
	mark_leave(r, &f->mark);
	for (; brought; brought--)
		mark_take_away(r);
	*f->link = f->next;
	if (f->next)
		f->next->link = f->link;
	r->feed_count--;
	*f = (struct rib_feed){0};
}

void rib_feed_restart(struct rib_feed *f)
{
	mark_move(f->rib, &f->end, 0);
	mark_move(f->rib, &f->place, f->rib->first);
}

int rib_feed_mark(struct rib_feed *f)
{
	if (!f->mark && mark_bring(f->rib))
		return -ENOMEM;
	mark_move(f->rib, &f->mark, 0);
	return 0;
}

/* ---- reading ---- */

static bool is_wanted(const struct rib_feed *f, rib_id id, const struct rib_net *n)
{
	return n->best || (!n->marks && rib_feed_has(f, id));
}

/* The first net from ID on that F wants, or UNTIL where there is none before, or 0 at the end of the list. */
static rib_id look(const struct rib_feed *f, rib_id id, rib_id until)
{
	while (id && id != until) {
		const struct rib_net *n = net_at(f->rib, id);

		if (is_wanted(f, id, n))
			return id;
		id = n->next;
	}
	return id;
}

/* Moves the place over what F does not want, up to its own next mark, so that it has to look at that only once. Returns what stops it. */
static rib_id advance(struct rib_feed *f)
{
	struct rib *r = f->rib;
	rib_id to = f->place;

	while (to && to != f->end && to != f->mark && !is_wanted(f, to, net_at(r, to)))
		to = net_at(r, to)->next;
	mark_move(r, &f->place, to);
	return to;
}

/* Memory of the net that will come next, which is BEFORE, and of the one behind it: fetched while the feed is busy with the last one. */
static void fetch(const struct rib *r, rib_id before)
{
	const struct rib_net *n = before ? net_at(r, before) : NULL;

	if (n && !n->marks && n->paths)
		__builtin_prefetch(arena_at(&r->paths, n->paths));
	if (n && n->next)
		__builtin_prefetch(net_at(r, n->next));
}

rib_id rib_feed_next(struct rib_feed *f)
{
	rib_id id = advance(f), before;

	if (id && id == f->end) {
		mark_leave(f->rib, &f->end);
		id = advance(f);
	}
	if (!id || id == f->mark)
		return 0;
	before = net_at(f->rib, id)->next;
	mark_move(f->rib, &f->place, before);
	fetch(f->rib, before);
	return id;
}

void rib_feed_again(struct rib_feed *f, rib_id net)
{
	const struct rib *r = f->rib;
	rib_id id = net_at(r, f->place)->previous;

	while (id && id != net && !is_wanted(f, id, net_at(r, id)))
		id = net_at(r, id)->previous;
	if (id == net)
		mark_move(f->rib, &f->place, net);
}

/* A feed at the end has all its marks behind what it does not want: it stands on the last in the list, and the next change will wake it (net_changed()). */
bool rib_feed_at_end(struct rib_feed *f)
{
	struct rib *r = f->rib;

	if (look(f, advance(f), 0))
		return false;
	mark_move(r, &f->place, 0);
	if (f->end)
		mark_move(r, &f->end, 0);
	if (f->mark)
		mark_move(r, &f->mark, 0);
	return true;
}

bool rib_feed_passed(struct rib_feed *f)
{
	return !f->end || look(f, advance(f), f->end) == f->end;
}

bool rib_feed_at_mark(struct rib_feed *f)
{
	rib_id id = look(f, advance(f), f->mark);

	return !id || id == f->mark;
}

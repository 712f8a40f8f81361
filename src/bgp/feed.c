/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds: places in the list of nets (rib.h). A feed's marks are its own: `place`, `end` and `mark` never meet those of others, which are passed over.
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

static rib_id mark_new(struct rib *r)
{
	void *memory;
	rib_id id = arena_alloc(&r->nets, &memory);

	if (id)
		((struct rib_net *)memory)->marks = 1;
	return id;
}

static void mark_free(struct rib *r, rib_id id)
{
	if (!id)
		return;
	list_remove(r, id);
	arena_free(&r->nets, id);
}

static void mark_move(struct rib *r, rib_id id, rib_id before)
{
	if (before == id)
		return;
	list_remove(r, id);
	list_insert(r, id, before);
}

/* ---- life ---- */

int rib_feed_add(struct rib *r, struct rib_feed *f)
{
	rib_id place, end;

	if (r->feed_count == RIB_FEEDS)
		return -ENOSPC;
	place = mark_new(r);
	end = place ? mark_new(r) : 0;
	if (!end) {
		mark_free(r, place);
		return -ENOMEM;
	}
	*f = (struct rib_feed){.rib = r, .place = place, .end = end, .next = r->feeds};
	r->feeds = f;
	r->feed_count++;
	rib_feed_restart(f);
	return 0;
}

void rib_feed_remove(struct rib_feed *f)
{
	struct rib *r = f->rib;
	struct rib_feed **at = &r->feeds;

	for (uint32_t w = 0; w < f->words; w++)
		for (; f->bits[w]; f->bits[w] &= f->bits[w] - 1) {
			rib_id net = w * 64 + (rib_id)__builtin_ctzll(f->bits[w]);
			struct rib_net *n = net_at(r, net);

			if (!--n->had && !n->best)
				net_forget(r, net);
		}
	bits_free(f);
	mark_free(r, f->place);
	mark_free(r, f->end);
	mark_free(r, f->mark);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	r->feed_count--;
	*f = (struct rib_feed){0};
}

void rib_feed_restart(struct rib_feed *f)
{
	mark_move(f->rib, f->end, 0);
	mark_move(f->rib, f->place, f->rib->first);
}

int rib_feed_mark(struct rib_feed *f)
{
	if (!f->mark)
		f->mark = mark_new(f->rib);
	if (!f->mark)
		return -ENOMEM;
	mark_move(f->rib, f->mark, 0);
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

/* Moves the place over what F does not want, up to its own next mark, so that nobody has to look at that twice. Returns what stands behind it. */
static rib_id advance(const struct rib_feed *f)
{
	struct rib *r = f->rib;
	rib_id from = net_at(r, f->place)->next, to = from;

	while (to && to != f->end && to != f->mark) {
		const struct rib_net *n = net_at(r, to);

		if (is_wanted(f, to, n))
			break;
		to = n->next;
	}
	if (to != from)
		mark_move(r, f->place, to);
	return to;
}

/* Memory of the net that will come next, which is BEFORE, and of the one behind it: fetched while the feed is busy with the last one. */
static void fetch(const struct rib *r, rib_id before)
{
	const struct rib_net *n = before ? net_at(r, before) : NULL;

	if (n && n->paths)
		__builtin_prefetch(arena_at(&r->paths, n->paths));
	if (n && n->next)
		__builtin_prefetch(net_at(r, n->next));
}

rib_id rib_feed_next(struct rib_feed *f)
{
	rib_id id = advance(f), before;

	if (id && id == f->end) {
		list_remove(f->rib, f->end);
		id = advance(f);
	}
	if (!id || id == f->mark)
		return 0;
	before = net_at(f->rib, id)->next;
	mark_move(f->rib, f->place, before);
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
		mark_move(f->rib, f->place, net);
}

/* A feed at the end has all its marks behind what it does not want: the last in the list is a mark then, and the next change will wake it (net_changed()). */
bool rib_feed_at_end(const struct rib_feed *f)
{
	struct rib *r = f->rib;

	if (look(f, advance(f), 0))
		return false;
	if (net_at(r, r->last)->marks)
		return true;
	mark_move(r, f->place, 0);
	if (net_at(r, f->end)->listed)
		mark_move(r, f->end, 0);
	if (f->mark)
		mark_move(r, f->mark, 0);
	return true;
}

bool rib_feed_passed(const struct rib_feed *f)
{
	return !net_at(f->rib, f->end)->listed || look(f, advance(f), f->end) == f->end;
}

bool rib_feed_at_mark(const struct rib_feed *f)
{
	rib_id id = look(f, advance(f), f->mark);

	return !id || id == f->mark;
}

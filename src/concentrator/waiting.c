/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See waiting.h. */
#include "concentrator/waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/container.h"

enum {
	KNOWN_TURNS = 3,
	PLACE_BYTES = 256,
	PATIENCE_MS = 2000,
	PATIENCE_MAX_MS = 10000,
	FILTER_BITS = 17,
	LOOK_AT = 8, /* sources, for one that has more than its share */
};

int waiting_init(struct waiting *w, struct wheel *wheel, uint64_t seed, const struct waiting_limits *limits)
{
	*w = (struct waiting){.wheel = wheel, .seed = seed, .limits = *limits};
	w->filter = calloc(1U << FILTER_BITS, sizeof(*w->filter));
	return w->filter ? 0 : -ENOMEM;
}

/* ---- sources ---- */

struct addr waiting_prefix(const struct waiting *w, const struct addr *peer)
{
	return prefix_of(peer, peer->family == AF_INET6 ? w->limits.prefix6 : w->limits.prefix4).addr;
}

static bool source_match(const void *item, const void *key)
{
	return addr_equal(&((const struct source *)item)->addr, key);
}

static uint16_t *filter_place(const struct waiting *w, const struct source *s)
{
	return &w->filter[s->hash & ((1U << FILTER_BITS) - 1)];
}

/* Zero stands for nobody. */
static uint16_t filter_mark(const struct waiting *w, const struct source *s)
{
	return (uint16_t)(hash_bytes(s->addr.bytes, sizeof(s->addr.bytes), ~w->seed) | 1);
}

static uint32_t source_hash(const struct waiting *w, const struct addr *prefix)
{
	return hash_bytes(prefix->bytes, sizeof(prefix->bytes), w->seed);
}

bool waiting_is_busy(const struct waiting *w, const struct addr *peer)
{
	struct addr addr = waiting_prefix(w, peer);
	const struct source *s = hash_find(&w->sources, source_hash(w, &addr), source_match, &addr);

	return s && s->half_open >= w->limits.half_open_per_source;
}

static struct source *source_get(struct waiting *w, const struct addr *peer)
{
	struct addr addr = waiting_prefix(w, peer);
	uint32_t hash = source_hash(w, &addr);
	struct source *s = hash_find(&w->sources, hash, source_match, &addr);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->waiting = w;
	s->addr = addr;
	s->hash = hash;
	s->known = *filter_place(w, s) == filter_mark(w, s);
	if (hash_insert(&w->sources, hash, s)) {
		free(s);
		return NULL;
	}
	return s;
}

/* Where it belongs now; NULL: nothing of it waits. */
static struct ring *ring_for(struct waiting *w, const struct source *s)
{
	if (!s->first)
		return NULL;
	if (s->half_open >= w->limits.half_open_per_source)
		return &w->aside;
	return s->known ? &w->known : &w->unknown;
}

static void ring_leave(struct source *s)
{
	struct ring *r = s->ring;

	if (!r)
		return;
	if (s->next)
		s->next->previous = s->previous;
	else
		r->last = s->previous;
	if (s->previous)
		s->previous->next = s->next;
	else
		r->first = s->next;
	s->next = s->previous = NULL;
	s->ring = NULL;
	r->count--;
}

/* At the end. */
static void ring_enter(struct ring *r, struct source *s)
{
	s->previous = r->last;
	if (r->last)
		r->last->next = s;
	else
		r->first = s;
	r->last = s;
	s->ring = r;
	r->count++;
}

static void ring_settle(struct waiting *w, struct source *s)
{
	struct ring *r = ring_for(w, s);

	if (r == s->ring)
		return;
	ring_leave(s);
	if (r)
		ring_enter(r, s);
}

/* Its memory goes when nothing of it is here. */
static void source_settle(struct waiting *w, struct source *s)
{
	ring_settle(w, s);
	if (s->first || s->half_open)
		return;
	hash_remove(&w->sources, s->hash, s);
	free(s);
}

struct source *waiting_hold(struct waiting *w, const struct addr *peer)
{
	struct source *s = source_get(w, peer);

	if (!s)
		return NULL;
	s->half_open++;
	ring_settle(w, s);
	return s;
}

void waiting_release(struct waiting *w, struct source *s)
{
	s->half_open--;
	source_settle(w, s);
}

void waiting_know(struct waiting *w, struct source *s)
{
	*filter_place(w, s) = filter_mark(w, s);
	s->known = true;
	ring_settle(w, s);
}

/* ---- requests ---- */

struct request_key {
	const struct endpoint *peer;
	uint16_t tunnel;
};

static uint32_t request_hash(const struct waiting *w, const struct endpoint *peer, uint16_t tunnel)
{
	return hash_bytes(peer->addr.bytes, sizeof(peer->addr.bytes), w->seed ^ ((uint64_t)peer->port << 16 | tunnel));
}

static bool request_match(const void *item, const void *key)
{
	const struct request *r = item;
	const struct request_key *k = key;

	return r->tunnel == k->tunnel && endpoint_equal(&r->peer, k->peer);
}

static uint32_t places_for(size_t len)
{
	return (uint32_t)(1 + len / PLACE_BYTES);
}

static void request_unlink(struct waiting *w, struct request *r)
{
	struct source *s = r->source;

	wheel_disarm(w->wheel, &r->timer);
	hash_remove(&w->requests, r->hash, r);
	if (r->next)
		r->next->previous = r->previous;
	else
		s->last = r->previous;
	if (r->previous)
		r->previous->next = r->next;
	else
		s->first = r->next;
	r->next = r->previous = NULL;
	r->source = NULL;
	s->places -= places_for(r->len);
	w->places -= places_for(r->len);
	if (!s->first)
		w->waiting_sources--;
}

void waiting_withdraw(struct waiting *w, struct request *r)
{
	struct source *s = r->source;

	request_unlink(w, r);
	free(r);
	source_settle(w, s);
}

static void request_expires(struct wheel_timer *t, msec now)
{
	struct request *r = container_of(t, struct request, timer);
	struct waiting *w = r->source->waiting;

	w->expired++;
	waiting_withdraw(w, r);
}

/* Until the copy after the next one is due. */
static void request_seen(struct waiting *w, struct request *r, msec now)
{
	msec patience = PATIENCE_MS + 2 * (now - r->first);

	r->last = now;
	wheel_arm(w->wheel, &r->timer, now + msec_min(patience, PATIENCE_MAX_MS));
}

struct request *waiting_again(struct waiting *w, const struct endpoint *peer, uint16_t tunnel, msec now)
{
	struct request_key key = {peer, tunnel};
	struct request *r = hash_find(&w->requests, request_hash(w, peer, tunnel), request_match, &key);

	if (r)
		request_seen(w, r, now);
	return r;
}

/* ---- room ---- */

/* Of a few sources of RING the one with the most places. */
static struct source *largest(const struct ring *ring)
{
	struct source *found = ring->last, *s = ring->last;

	for (unsigned i = 0; s && i < LOOK_AT; i++, s = s->previous)
		if (s->places > found->places)
			found = s;
	return found;
}

/* A when they are equal. Either may be NULL. */
static struct source *larger(struct source *a, struct source *b)
{
	return !a || (b && b->places > a->places) ? b : a;
}

/* Who gives way to S, if anybody has to: to one that is known a stranger. */
static struct source *victim(const struct waiting *w, const struct source *s)
{
	struct source *known = largest(&w->known), *stranger = largest(&w->unknown), *aside = largest(&w->aside);

	if (aside && aside->known)
		known = larger(known, aside);
	else
		stranger = larger(stranger, aside);
	return s->known && stranger ? stranger : larger(stranger, known);
}

/* Makes room for a request of S; false: it must go without. */
static bool make_room(struct waiting *w, const struct source *s, uint32_t places)
{
	uint32_t share = w->limits.places / (w->waiting_sources ? w->waiting_sources : 1);
	struct source *other;

	while (w->places + places > w->limits.places) {
		other = victim(w, s);
		if (!other || other == s ||
			((other->known || !s->known) && (s->places >= share || other->places <= s->places + places)))
			return false;
		w->displaced++;
		waiting_withdraw(w, other->last);
	}
	return true;
}

static struct request *request_new(const struct endpoint *peer, uint16_t tunnel, uint8_t listener,
	const struct addr *local, const uint8_t *packet, size_t len, msec now)
{
	struct request *r = calloc(1, sizeof(*r) + len);

	if (!r)
		return NULL;
	r->timer.fire = request_expires;
	r->first = now;
	r->peer = *peer;
	if (local)
		r->local = *local;
	r->tunnel = tunnel;
	r->len = (uint16_t)len;
	r->listener = listener;
	memcpy(r->packet, packet, len);
	return r;
}

static void request_link(struct waiting *w, struct source *s, struct request *r)
{
	if (!s->first)
		w->waiting_sources++;
	r->source = s;
	r->previous = s->last;
	if (s->last)
		s->last->next = r;
	else
		s->first = r;
	s->last = r;
	s->places += places_for(r->len);
	w->places += places_for(r->len);
}

static enum waiting_verdict put(struct waiting *w, struct source *s, struct request *r, msec now)
{
	r->hash = request_hash(w, &r->peer, r->tunnel);
	if (hash_insert(&w->requests, r->hash, r)) {
		free(r);
		return WAITING_NO_MEMORY;
	}
	request_link(w, s, r);
	request_seen(w, r, now);
	return WAITING_PUT;
}

enum waiting_verdict waiting_put(struct waiting *w, const struct endpoint *peer, uint16_t tunnel, uint8_t listener,
	const struct addr *local, const uint8_t *packet, size_t len, msec now)
{
	struct source *s = source_get(w, &peer->addr);
	enum waiting_verdict verdict = WAITING_NO_MEMORY;
	struct request *r;

	if (!s)
		return WAITING_NO_MEMORY;
	if (s->places + places_for(len) > w->limits.places_per_source) {
		verdict = WAITING_SOURCE_FULL;
	} else if (!make_room(w, s, places_for(len))) {
		verdict = WAITING_FULL;
	} else {
		r = request_new(peer, tunnel, listener, local, packet, len, now);
		if (r)
			verdict = put(w, s, r, now);
	}
	source_settle(w, s);
	return verdict;
}

/* ---- turns ---- */

static struct source *next_source(struct waiting *w)
{
	if (w->known.count && (!w->unknown.count || w->turns < KNOWN_TURNS)) {
		w->turns++;
		return w->known.first;
	}
	w->turns = 0;
	return w->unknown.first;
}

struct request *waiting_take(struct waiting *w)
{
	struct source *s = next_source(w);
	struct request *r;

	if (!s)
		return NULL;
	r = s->first;
	ring_leave(s); /* and in again, at the end */
	request_unlink(w, r);
	source_settle(w, s);
	return r;
}

/* ---- end ---- */

void waiting_done(struct waiting *w)
{
	uint32_t cursor = 0;
	struct request *r;
	struct source *s;

	while ((r = hash_next(&w->requests, &cursor))) {
		if (w->wheel)
			wheel_disarm(w->wheel, &r->timer);
		free(r);
	}
	hash_free(&w->requests);
	cursor = 0;
	while ((s = hash_next(&w->sources, &cursor)))
		free(s);
	hash_free(&w->sources);
	free(w->filter);
	w->filter = NULL;
}

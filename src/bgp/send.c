/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a neighbour is told, and when.
 *
 * Passes. With a minimum advertisement interval, what is told goes in passes: one takes what is in the feeds when it begins, and the next begins the interval
 * (with jitter) after its end; so between two routes to one prefix there is never less (RFC 4271 section 9.2.1.1).
 *
 * Slices. One call looks at LOOKS nets at most, also where nothing comes of it (most of a table may not concern a neighbour, or be told already); then it
 * is called again a moment later.
 *
 * Order. Families of the Encapsulation SAFI go before all others: who hears of a route shall know by then how to reach its next hop (MESH-SIG-12).
 *
 * Everything again: the feed starts again at its beginning, between Begin- and End-of-RR if it was a refresh. After another policy or other tunnels, only what is
 * different goes: the feed passes over the rest, if it had told all before.
 */
#include "bgp/parts.h"

#include <errno.h>

enum { RETRY = 1000, LOOKS = 16384 };

static const enum bgp_family order[BGP_FAMILIES] = {
	BGP_IPV4_ENCAP, BGP_IPV6_ENCAP, BGP_IPV4_LABELED, BGP_IPV6_LABELED, BGP_IPV4, BGP_IPV6};

static bool knows_enhanced_refresh(const struct bgp_neighbor *n)
{
	return n->up->sent.capabilities.enhanced_refresh && n->up->received.capabilities.enhanced_refresh;
}

/* ---- life of the feeds ---- */

static void forget_old(struct bgp_neighbor_table *t)
{
	policy_free(t->old_export);
	t->old_export = NULL;
	t->old_none = t->own_only = false;
}

int send_begin(struct bgp_neighbor *n, msec now)
{
	int err = 0;

	n->passing = false;
	n->advertise_at = now;
	for (unsigned f = 0; f < BGP_FAMILIES && !err; f++) {
		struct bgp_neighbor_table *t = &n->table[f];

		if (!(n->up->form.families & BGP_FAMILY_BIT(f)))
			continue;
		err = rib_feed_add(&n->bgp->ribs[f], &t->feed);
		t->fed = !err;
		t->end_due = true;
		t->end_of_rib_out = t->begin_due = t->refreshing_out = false;
	}
	if (err)
		send_end(n);
	else
		session_wake(n->up);
	return err;
}

void send_end(struct bgp_neighbor *n)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_neighbor_table *t = &n->table[f];

		if (t->fed)
			rib_feed_remove(&t->feed);
		forget_old(t);
		t->fed = t->begin_due = t->end_due = t->refreshing_out = false;
	}
	n->passing = false;
}

/* ---- everything again ---- */

static void start_again(struct bgp_neighbor *n, struct bgp_neighbor_table *t, msec now)
{
	/* What was told in this pass already must not be told again in it. */
	if (n->passing && n->config.min_interval) {
		n->passing = false;
		n->advertise_at = now + bgp_jitter(n->bgp, n->config.min_interval);
	}
	rib_feed_restart(&t->feed);
	session_wake(n->up);
}

void send_again(struct bgp_neighbor *n, enum bgp_family f, msec now)
{
	struct bgp_neighbor_table *t = &n->table[f];

	if (!t->fed)
		return;
	forget_old(t);
	/* RFC 7313 section 4: no Begin-of-RR before End-of-RIB. The first telling just begins again. */
	if (t->end_of_rib_out) {
		t->refreshing_out = t->end_due = true;
		t->begin_due = knows_enhanced_refresh(n);
	}
	start_again(n, t, now);
}

/* The neighbour has been told everything: what it knows follows from the tables. */
static bool all_told(struct bgp_neighbor_table *t)
{
	return rib_feed_at_end(&t->feed) && !t->old_export && !t->old_none && !t->own_only;
}

void send_policy(struct bgp_neighbor *n, struct policy *old, msec now)
{
	for (unsigned f = 0; f < BGP_FAMILIES && n->up; f++) {
		struct bgp_neighbor_table *t = &n->table[f];
		bool exact = t->fed && all_told(t);

		if (!t->fed)
			continue;
		forget_old(t);
		if (exact) {
			t->old_export = old ? policy_copy(old) : NULL;
			t->old_none = !old;
		}
		start_again(n, t, now);
	}
	policy_free(old);
}

void send_own(struct bgp_neighbor *n, msec now)
{
	for (unsigned f = 0; f < BGP_FAMILIES && n->up; f++) {
		struct bgp_neighbor_table *t = &n->table[f];

		if (!t->fed)
			continue;
		if (all_told(t))
			t->own_only = true;
		else
			forget_old(t);
		start_again(n, t, now);
	}
}

/* ---- when ---- */

static bool table_waits(struct bgp_neighbor_table *t)
{
	return t->fed && (t->begin_due || t->end_due || !rib_feed_at_end(&t->feed));
}

static bool waits(struct bgp_neighbor *n)
{
	if (!n->up || n->bgp->deferring)
		return false;
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (table_waits(&n->table[f]))
			return true;
	return false;
}

bool send_has_something(struct bgp_neighbor *n, msec now)
{
	return (n->passing || now >= n->advertise_at) && waits(n);
}

msec send_deadline(struct bgp_neighbor *n)
{
	if (!waits(n))
		return MSEC_NEVER;
	return n->passing ? 0 : n->advertise_at; /* within a pass: it had looked at enough for one call */
}

/* False: not now. */
static bool pass_begin(struct bgp_neighbor *n, msec now)
{
	if (n->passing)
		return true;
	if (now < n->advertise_at)
		return false;
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_neighbor_table *t = &n->table[f];

		if (t->fed && (n->config.min_interval || t->feed.mark) && rib_feed_mark(&t->feed)) {
			n->advertise_at = now + RETRY;
			return false;
		}
	}
	n->passing = true;
	return true;
}

static void pass_end(struct bgp_neighbor *n, msec now)
{
	n->passing = false;
	n->advertise_at = now + bgp_jitter(n->bgp, n->config.min_interval);
}

/* ---- writing ---- */

static bool has_room(const struct writer *w, size_t n)
{
	return (size_t)(w->end - w->pos) >= n;
}

enum { SHORT_MESSAGE = BGP_HEADER + 16 };

static void write_end(struct bgp_neighbor *n, enum bgp_family f, struct writer *w)
{
	struct bgp_neighbor_table *t = &n->table[f];

	if (!t->end_of_rib_out)
		bgp_end_of_rib_write(w, f);
	else if (t->refreshing_out && knows_enhanced_refresh(n))
		bgp_refresh_write(w, f, BGP_REFRESH_END);
	t->end_of_rib_out = true;
	t->end_due = t->refreshing_out = false;
}

struct sending {
	struct bgp_neighbor *n;
	struct writer *w;
	unsigned budget; /* nets that may still be looked at in this call */
	bool no_memory;
};

/* What the feed of F gives. False: not all of it, for now. */
static bool write_routes(struct sending *s, enum bgp_family f)
{
	struct bgp_neighbor_table *t = &s->n->table[f];
	bool exact = t->old_export || t->old_none;
	struct exporter e, old;
	enum window_result result = WINDOW_MORE;

	exporter_init(&e, s->n, f, s->n->export);
	if (exact)
		exporter_init(&old, s->n, f, t->old_export);
	while (result == WINDOW_MORE)
		result = window_pass(&s->n->bgp->window, &e, exact ? &old : NULL, s->n, s->w, &s->budget);
	s->no_memory = result == WINDOW_NO_MEMORY;
	if (rib_feed_passed(&t->feed))
		forget_old(t);
	return result == WINDOW_DONE;
}

/* All that is to be said of F, as far as there is room. True: that was all. */
static bool write_table(struct sending *s, enum bgp_family f)
{
	struct bgp_neighbor_table *t = &s->n->table[f];

	if (t->begin_due) {
		if (!has_room(s->w, SHORT_MESSAGE))
			return false;
		bgp_refresh_write(s->w, f, BGP_REFRESH_BEGIN);
		t->begin_due = false;
	}
	if (!rib_feed_at_mark(&t->feed) && !write_routes(s, f))
		return false;
	if (t->end_due && rib_feed_passed(&t->feed)) {
		if (!has_room(s->w, SHORT_MESSAGE))
			return false;
		write_end(s->n, f, s->w);
	}
	return true;
}

void send_updates(struct bgp_neighbor *n, struct writer *w, msec now)
{
	struct sending s = {n, w, LOOKS, false};
	bool done = true;

	if (!waits(n))
		return;
	if (pass_begin(n, now)) {
		for (unsigned i = 0; i < BGP_FAMILIES && done; i++)
			done = !n->table[order[i]].fed || write_table(&s, order[i]);
		if (s.no_memory) {
			/* What cannot be remembered to be told is not told, but later. */
			n->passing = false;
			n->advertise_at = now + RETRY;
		} else if (done) {
			pass_end(n, now);
		}
	}
	if (!n->passing)
		neighbor_schedule(n);
}

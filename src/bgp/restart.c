/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes that outlive their session, and routes that are told again.
 *
 * Graceful restart (RFC 4724, RFC 8538). When a session breaks and the peer had said that it keeps forwarding, its paths stay and are stale: in use like others,
 * but they go when it is not back within the time that it named, when it comes back without having kept its state or as another speaker (what others were told
 * has its identifier: RFC 4456), when its End-of-RIB shows that they were not told again, and STALE_MS after it came back in any case, also where it breaks off
 * and comes back again and again. With RFC 8538 that holds also where a NOTIFICATION ended the session, unless it means the end of the routes, too: then it is
 * sent as a Hard Reset, and is_hard() says which are.
 *
 * Route refresh (RFC 2918, RFC 7313). The peer asks: send.c tells everything again. We ask: n->ask. Between Begin- and End-of-RR of the peer what it
 * told before is stale in the same sense; STALE_MS is also how long an End-of-RR is waited for.
 *
 * Marking paths stale costs nothing (rib_mark_stale()); removing them is a job. A Begin-of-RR that comes while a refresh is under way, or while its job is,
 * is passed over: all that is lost is the chance to notice that the peer withdrew a route without telling.
 */
#include <errno.h>
#include <limits.h>

#include "bgp/parts.h"

enum { STALE_MS = 180000 };

static void tell_stale(struct bgp_neighbor *n, enum bgp_family f, uint64_t count, bool dropped)
{
	struct bgp_event e = {.kind = BGP_EVENT_STALE, .family = f, .count = count, .final = dropped};

	neighbor_event(n, &e);
}

static void mark(struct bgp_neighbor *n, enum bgp_family f)
{
	struct bgp_neighbor_table *t = &n->table[f];

	if (!t->received)
		return;
	t->marks = t->stale ? t->marks + 1 : 1;
	t->stale = t->received;
	rib_mark_stale(&n->bgp->ribs[f], n->source);
}

static void start_sweep(struct bgp_neighbor *n, enum bgp_family f)
{
	struct bgp_neighbor_table *t = &n->table[f];

	t->stale_until = MSEC_NEVER;
	if (!t->stale || t->sweep)
		return;
	tell_stale(n, f, t->stale, true);
	t->sweep = true;
	t->sweep_at = 0;
	bgp_want_work(n->bgp);
}

void restart_sweep(struct bgp_neighbor *n, enum bgp_family f, unsigned *budget)
{
	struct bgp_neighbor_table *t = &n->table[f];

	t->sweep = receive_flush(n, f, true, &t->sweep_at, budget);
}

void restart_make_room(struct bgp_neighbor *n, enum bgp_family f)
{
	start_sweep(n, f);
}

/* What is stale already goes now, so that it is not mixed with what will be, or with what will be told. */
static void finish_sweep(struct bgp_neighbor *n, enum bgp_family f)
{
	start_sweep(n, f);
	while (n->table[f].sweep) {
		unsigned budget = UINT_MAX;

		restart_sweep(n, f, &budget);
	}
}

/* ---- a session breaks ---- */

/* RFC 8538 section 5.1. Reset and changed configuration are hard with us: the operator wants a new beginning. */
static bool is_hard(const struct bgp_error *e)
{
	if (e->code != BGP_ERROR_CEASE)
		return false;
	switch (e->subcode) {
	case BGP_CEASE_REJECTED:
	case BGP_CEASE_COLLISION:
	case BGP_CEASE_RESOURCES:
		return false;
	default:
		return true;
	}
}

void restart_harden(const struct bgp_connection *c, struct bgp_error *e)
{
	struct bgp_error hard = *e;
	struct writer w = writer_of(hard.data, sizeof(hard.data));
	size_t room = sizeof(hard.data) - 2;

	if (c->state < BGP_OPEN_CONFIRM || !c->sent.capabilities.notification ||
		!c->received.capabilities.notification || !is_hard(e))
		return;
	hard.subcode = BGP_CEASE_HARD_RESET;
	writer_u8(&w, e->code);
	writer_u8(&w, e->subcode);
	writer_bytes(&w, e->data, e->data_len < room ? e->data_len : room);
	hard.data_len = (uint16_t)writer_len(&w);
	*e = hard;
}

/* What the peer sends is hard only when it says so; what we send, when we would say so. */
static bool ends_all(const struct bgp_neighbor *n, const struct bgp_error *e, bool sent)
{
	if (!e->code)
		return false;
	if (!n->notification)
		return true;
	return sent ? is_hard(e) : e->code == BGP_ERROR_CEASE && e->subcode == BGP_CEASE_HARD_RESET;
}

bool restart_keep(struct bgp_neighbor *n, const struct bgp_error *error, bool sent, msec now)
{
	msec back_until = now + n->last_open.capabilities.restart_time * (msec)1000;

	if (!n->retained || ends_all(n, error, sent))
		return false;
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_neighbor_table *t = &n->table[f];
		bool keep = n->retained & BGP_FAMILY_BIT(f);

		t->refreshing_in = false;
		t->refresh_until = MSEC_NEVER;
		/* RFC 4724 section 4.2: no second chance, but see RFC 8538 section 4.1 */
		if (t->sweep || (t->stale && (!n->notification || t->marks == RIB_ROUNDS - 1)))
			finish_sweep(n, (enum bgp_family)f);
		/* The time of those that are stale already goes on: it is the same for all of one table. */
		if (!t->stale)
			t->stale_until = MSEC_NEVER;
		mark(n, (enum bgp_family)f);
		if (!keep)
			start_sweep(n, (enum bgp_family)f);
		else if (t->stale) {
			t->stale_until = msec_min(t->stale_until, back_until + STALE_MS);
			tell_stale(n, (enum bgp_family)f, t->stale, false);
		}
	}
	n->restarting = true;
	n->restart_until = back_until;
	return true;
}

/* ---- it comes back ---- */

void restart_back(struct bgp_neighbor *n, struct bgp_connection *c, bool same, msec now)
{
	const struct bgp_capabilities *theirs = &c->received.capabilities;
	bgp_families kept = n->retained & theirs->preserved;

	n->restarting = false;
	n->restart_until = MSEC_NEVER;
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (n->table[f].stale) {
			if (!same)
				finish_sweep(n, (enum bgp_family)f);
			else if (kept & BGP_FAMILY_BIT(f))
				n->table[f].stale_until = msec_min(n->table[f].stale_until, now + STALE_MS);
			else
				start_sweep(n, (enum bgp_family)f);
		}
}

void restart_end_of_rib(struct bgp_neighbor *n, enum bgp_family f, msec now)
{
	struct bgp_neighbor_table *t = &n->table[f];
	struct bgp_event e = {.kind = BGP_EVENT_END_OF_RIB, .family = f};

	if (t->end_of_rib_in)
		return;
	t->end_of_rib_in = true;
	neighbor_event(n, &e);
	e.kind = BGP_EVENT_ROUTES;
	e.count = t->accepted;
	neighbor_event(n, &e);
	start_sweep(n, f);
	bgp_check_deferral(n->bgp, now);
}

/* ---- route refresh ---- */

static void begin_refresh(struct bgp_neighbor *n, enum bgp_family f, msec now)
{
	struct bgp_neighbor_table *t = &n->table[f];
	struct bgp_error why = {0};
	struct bgp_event e = {.kind = BGP_EVENT_UPDATE, .family = f, .outcome = BGP_DISCARD, .error = &why};

	if (n->last_open.capabilities.graceful && !t->end_of_rib_in) {
		bgp_error_set(
			&why, 0, 0, NULL, 0, "Begin-of-RR of %s came before End-of-RIB", bgp_family_name(f));
		neighbor_event(n, &e);
		return;
	}
	if (t->refreshing_in || t->sweep)
		return;
	mark(n, f);
	t->refreshing_in = true;
	t->refresh_until = now + STALE_MS;
}

static void end_refresh(struct bgp_neighbor *n, enum bgp_family f)
{
	struct bgp_neighbor_table *t = &n->table[f];

	if (!t->refreshing_in)
		return;
	t->refreshing_in = false;
	t->refresh_until = MSEC_NEVER;
	start_sweep(n, f);
}

void restart_refresh(struct bgp_neighbor *n, enum bgp_family f, enum bgp_refresh_kind kind, msec now)
{
	struct bgp_event e = {.kind = BGP_EVENT_REFRESH, .family = f};

	if (kind == BGP_REFRESH_REQUEST) {
		neighbor_event(n, &e);
		send_again(n, f, now);
	} else if (!n->last_open.capabilities.enhanced_refresh) {
		return;
	} else if (kind == BGP_REFRESH_BEGIN) {
		begin_refresh(n, f, now);
	} else if (kind == BGP_REFRESH_END) {
		end_refresh(n, f);
	}
	neighbor_schedule(n);
}

int restart_ask(struct bgp_neighbor *n, enum bgp_family f, msec now)
{
	(void)now;
	if (!n->last_open.capabilities.refresh)
		return -EOPNOTSUPP;
	n->ask |= BGP_FAMILY_BIT(f);
	session_wake(n->up);
	return 0;
}

/* ---- time ---- */

msec restart_deadline(const struct bgp_neighbor *n)
{
	msec at = n->restart_until;

	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		at = msec_min(at, msec_min(n->table[f].stale_until, n->table[f].refresh_until));
	return at;
}

void restart_time(struct bgp_neighbor *n, msec now)
{
	bool gone = n->restart_until <= now;

	if (gone) {
		n->restarting = false;
		n->restart_until = MSEC_NEVER;
	}
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_neighbor_table *t = &n->table[f];

		if (t->refresh_until <= now)
			end_refresh(n, (enum bgp_family)f);
		if (gone || t->stale_until <= now)
			start_sweep(n, (enum bgp_family)f);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A neighbour in time: when it is connected to, which of its connections stays, and what follows when one ends.
 *
 * Its state is that of its furthest connection; without one it is Active where it may be connected to, else Idle. Timers:
 *   connect    the next attempt; while one is under way, when it is given up for another (connect_retry, with jitter)
 *   idle       after an error nothing is done and nothing accepted for a while, which doubles with each error up to IDLE_MOST, until a session lasts
 *              that long. A connection that merely broke lets the peer come back at once, and only we wait before we connect; but YOUNG_MANY sessions
 *              one after the other that broke within YOUNG are an error, for each of them costs us something
 *   and those of its connections (session.c), of restart and refresh (restart.c), and of the advertisement interval (send.c). One timer on the wheel
 *   is set for the earliest.
 */
#include <string.h>

#include "bgp/parts.h"

enum { IDLE_MOST = 120000, IDLE_LEAST = 100, RETRY_LEAST = 1000, YOUNG = 5000, YOUNG_MANY = 5 };

/* ---- its state ---- */

const char *bgp_state_name(enum bgp_state s)
{
	static const char *const names[] = {
		"idle", "connect", "active", "open-sent", "open-confirm", "established"};

	return names[s];
}

void neighbor_event(struct bgp_neighbor *n, const struct bgp_event *e)
{
	struct bgp_event told = *e;

	told.neighbor = n;
	n->bgp->ops->event(n->bgp, &told);
}

bool neighbor_is_down(const struct bgp_neighbor *n)
{
	return !n->started || n->removed || n->held || n->config.shutdown;
}

static enum bgp_state furthest(const struct bgp_neighbor *n)
{
	enum bgp_state s = BGP_IDLE;

	if (n->up)
		return BGP_ESTABLISHED;
	for (unsigned i = 0; i < 2; i++)
		if (n->connections[i] && n->connections[i]->state > s)
			s = n->connections[i]->state;
	if (s != BGP_IDLE)
		return s;
	return neighbor_is_down(n) || n->flushing || n->idle_until != MSEC_NEVER ? BGP_IDLE : BGP_ACTIVE;
}

static void change_state(struct bgp_neighbor *n, const struct bgp_error *error, bool sent, msec now)
{
	struct bgp_event e = {
		.kind = BGP_EVENT_STATE, .from = n->state, .to = furthest(n), .error = error, .sent = sent};

	if (e.from == e.to)
		return;
	n->state = e.to;
	n->since = now;
	neighbor_event(n, &e);
}

void neighbor_progress(struct bgp_neighbor *n, msec now)
{
	change_state(n, NULL, false, now);
	neighbor_schedule(n);
}

/* ---- time ---- */

void neighbor_schedule(struct bgp_neighbor *n)
{
	msec at = msec_min(msec_min(n->connect_at, n->idle_until), restart_deadline(n));

	for (unsigned i = 0; i < 2; i++)
		if (n->connections[i])
			at = msec_min(at, session_deadline(n->connections[i]));
	if (n->up) {
		at = msec_min(at, session_deadline(n->up));
		if (!n->up->awake)
			at = msec_min(at, send_deadline(n));
	}
	wheel_arm(n->bgp->wheel, &n->timer, at);
}

static msec retry_at(struct bgp_neighbor *n, msec now)
{
	uint32_t t = n->config.connect_retry;

	return now + bgp_jitter(n->bgp, t > RETRY_LEAST ? t : RETRY_LEAST);
}

/* How long it rests now; the next time it will be twice as long. */
static msec rest_until(struct bgp_neighbor *n, msec now)
{
	uint32_t t = n->idle_ms > IDLE_LEAST ? n->idle_ms : IDLE_LEAST;

	n->idle_ms = t < IDLE_MOST / 2 ? 2 * t : IDLE_MOST;
	return now + bgp_jitter(n->bgp, t);
}

void neighbor_begin(struct bgp_neighbor *n, msec now)
{
	n->idle_until = MSEC_NEVER;
	n->connect_at = neighbor_is_down(n) || n->config.passive || n->up ? MSEC_NEVER : now;
	neighbor_progress(n, now);
}

/* An attempt that TCP has neither completed nor refused. */
static void give_up(struct bgp_connection *c, const char *why, msec now)
{
	struct bgp_error e = {0};

	bgp_error_set(&e, 0, 0, NULL, 0, "the connection failed: %s", why);
	session_end(c, &e, false, now);
}

static void try_to_connect(struct bgp_neighbor *n, msec now)
{
	struct bgp_connection *c;

	n->connect_at = MSEC_NEVER;
	if (n->up || n->flushing) /* neighbor_flushed() begins again */
		return;
	if (n->connections[0] && n->connections[0]->up)
		return;
	if (n->connections[0])
		give_up(n->connections[0], "no answer", now);
	n->connect_at = retry_at(n, now);
	if (n->connections[1])
		return; /* it has come itself: that is waited for */
	c = session_new(n, false);
	if (!c)
		return;
	neighbor_progress(n, now);
	n->bgp->ops->connect(n->bgp, c);
}

void neighbor_fire(struct wheel_timer *t, msec now)
{
	struct bgp_neighbor *n = container_of(t, struct bgp_neighbor, timer);

	for (unsigned i = 0; i < 2; i++)
		if (n->connections[i] && session_deadline(n->connections[i]) <= now)
			session_time(n->connections[i], now);
	if (n->up && session_deadline(n->up) <= now)
		session_time(n->up, now);
	if (restart_deadline(n) <= now)
		restart_time(n, now);
	if (n->idle_until <= now)
		neighbor_begin(n, now);
	if (n->connect_at <= now)
		try_to_connect(n, now);
	if (n->up && send_deadline(n) <= now)
		session_wake(n->up);
	neighbor_schedule(n);
}

/* ---- connections come ---- */

static void collision(struct bgp_connection *loser, const char *why, msec now)
{
	struct bgp_error e = {0};

	bgp_error_set(&e, BGP_ERROR_CEASE, BGP_CEASE_COLLISION, NULL, 0, "%s", why);
	session_end(loser, &e, true, now);
}

struct bgp_connection *bgp_accept(struct bgp_neighbor *n, msec now)
{
	struct bgp_connection *c;

	if (neighbor_is_down(n) || n->flushing || n->idle_until != MSEC_NEVER)
		return NULL;
	if (n->connections[1])
		collision(n->connections[1], "it has opened another connection", now);
	c = session_new(n, true);
	if (c)
		neighbor_progress(n, now);
	return c;
}

/*
 * OPEN came on C while there is a session. RFC 4724 section 5: where graceful restart was agreed on, it is the peer that is back, and the old session is
 * over without a word. We wait with that for an OPEN that is in order (the RFC: for TCP), so that a mere connection ends nothing. A session that has only just
 * begun is no old one, unless the peer says that it has restarted: then both connections are from one attempt.
 * Without graceful restart C is refused; but a KEEPALIVE makes a peer that does not know the old one any more say so.
 */
static bool collide_with_session(struct bgp_connection *c, msec now)
{
	struct bgp_neighbor *n = c->neighbor;
	struct bgp_error e = {0};

	if (n->retained && (c->received.capabilities.restarted || now - n->since >= YOUNG)) {
		bgp_error_set(&e, 0, 0, NULL, 0, "it has come back on another connection");
		session_end(n->up, &e, false, now);
		return true;
	}
	n->up->keepalive_at = now;
	session_wake(n->up);
	collision(c, "there is a session already", now);
	return false;
}

bool neighbor_collide(struct bgp_connection *c, msec now)
{
	struct bgp_neighbor *n = c->neighbor;
	struct bgp_connection *other = n->connections[!c->incoming];
	uint32_t ours = n->bgp->config.id, theirs = c->received.id;
	bool our_own;

	if (n->up)
		return collide_with_session(c, now);
	/* What is in OpenSent has the same peer, whose identifier is known now: so both ends decide alike, whichever OPEN comes first. */
	if (!other || !other->up)
		return true;
	our_own = ours != theirs ? ours > theirs : c->sent.as > c->received.as; /* RFC 6286 section 2.3 */
	if (our_own == !c->incoming) {
		collision(other, "collision: the other connection stays", now);
		return true;
	}
	collision(c, "collision: the other connection stays", now);
	return false;
}

static void open_tables(struct bgp_neighbor *n, const struct bgp_connection *c)
{
	const struct bgp_capabilities *ours = &c->sent.capabilities, *theirs = &c->received.capabilities;

	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_neighbor_table *t = &n->table[f];

		t->on = c->form.families & BGP_FAMILY_BIT(f);
		t->warned = t->end_of_rib_in = t->end_of_rib_out = t->refreshing_in = false;
		t->refresh_until = MSEC_NEVER;
	}
	n->last_open = c->received;
	n->retained = ours->graceful ? theirs->graceful_families & c->form.families : 0;
	n->notification = ours->notification && theirs->notification;
	n->facts.id = c->received.id;
	n->facts.external = c->form.external;
	n->ask = 0;
}

bool neighbor_established(struct bgp_connection *c, msec now)
{
	struct bgp_neighbor *n = c->neighbor;
	struct bgp_connection *other = n->connections[!c->incoming];
	bool same = n->facts.id == c->received.id;
	struct bgp_error e = {0};

	n->connections[c->incoming] = NULL;
	n->up = c;
	n->connect_at = n->idle_until = MSEC_NEVER;
	n->established++;
	open_tables(n, c);
	restart_back(n, c, same, now);
	change_state(n, NULL, false, now);
	n->last_notification = (struct bgp_error){0};
	if (other)
		collision(other, "there is a session already", now);
	if (send_begin(n, now)) {
		bgp_error_set(&e, BGP_ERROR_CEASE, BGP_CEASE_RESOURCES, NULL, 0, "out of memory");
		session_end(c, &e, true, now);
		return false;
	}
	bgp_check_deferral(n->bgp, now);
	if (send_has_something(n, now))
		session_wake(c);
	neighbor_schedule(n);
	return true;
}

/* ---- connections go ---- */

void neighbor_forget(struct bgp_neighbor *n)
{
	n->restarting = false;
	n->restart_until = MSEC_NEVER;
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_neighbor_table *t = &n->table[f];

		t->sweep = t->refreshing_in = false;
		t->stale_until = t->refresh_until = MSEC_NEVER;
		if (!t->received || n->flushing)
			continue;
		n->flushing = true;
		n->flush_family = 0;
		n->flush_at = 0;
	}
	bgp_want_work(n->bgp);
}

void neighbor_flushed(struct bgp_neighbor *n, msec now)
{
	n->flushing = false;
	if (n->connect_at == MSEC_NEVER && n->idle_until == MSEC_NEVER)
		neighbor_begin(n, now);
	else
		neighbor_progress(n, now);
}

/* No session begins while paths of the one before are being removed: they could not be told apart. */
static void refuse_others(struct bgp_neighbor *n, msec now)
{
	struct bgp_error e = {0};

	bgp_error_set(&e, BGP_ERROR_CEASE, BGP_CEASE_REJECTED, NULL, 0, "its old routes are being removed");
	n->ending = true;
	for (unsigned i = 0; i < 2; i++)
		if (n->connections[i])
			session_end(n->connections[i], &e, true, now);
	n->ending = false;
}

static void session_over(struct bgp_neighbor *n, const struct bgp_error *error, bool sent, msec now)
{
	send_end(n);
	n->flaps++;
	n->young = now - n->since < YOUNG ? n->young + 1 : 0;
	n->ask = 0;
	if (now - n->since >= IDLE_MOST)
		n->idle_ms = n->config.idle_hold;
	if (!n->bgp->leaving && !restart_keep(n, error, sent, now))
		neighbor_forget(n);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		n->table[f].on = false;
	if (n->flushing)
		refuse_others(n, now);
}

static bool is_cease(const struct bgp_error *e, enum bgp_cease subcode)
{
	return e->code == BGP_ERROR_CEASE && e->subcode == subcode;
}

static bool is_real_error(const struct bgp_error *e)
{
	return e->code && !is_cease(e, BGP_CEASE_COLLISION);
}

/* A connection is over, and N has no other: what next? */
static void rest(
	struct bgp_neighbor *n, enum bgp_state reached, const struct bgp_error *error, bool sent, msec now)
{
	if (sent && is_cease(error, BGP_CEASE_MAX_PREFIX)) {
		n->connect_at = MSEC_NEVER;
		n->held = !n->config.max_prefix_restart;
		n->idle_until = n->held ? MSEC_NEVER : now + n->config.max_prefix_restart;
	} else if (neighbor_is_down(n)) {
		n->connect_at = n->idle_until = MSEC_NEVER;
	} else if (is_real_error(error) || (reached == BGP_ESTABLISHED && n->young >= YOUNG_MANY)) {
		n->connect_at = MSEC_NEVER;
		n->idle_until = rest_until(n, now);
	} else if (n->config.passive) {
		n->connect_at = MSEC_NEVER;
	} else {
		n->connect_at = reached <= BGP_OPEN_SENT ? retry_at(n, now) : rest_until(n, now);
	}
}

/* Is there nothing but perhaps an attempt of ours that TCP has not answered yet? */
static bool is_alone(const struct bgp_neighbor *n)
{
	for (unsigned i = 0; i < 2; i++)
		if (n->connections[i] && n->connections[i]->up)
			return false;
	return !n->up;
}

void neighbor_lost(struct bgp_connection *c, const struct bgp_error *error, bool sent, msec now)
{
	struct bgp_neighbor *n = c->neighbor;
	bool was_up = c == n->up;
	struct bgp_event e = {.kind = BGP_EVENT_CONNECTION, .error = error, .sent = sent};

	if (was_up)
		n->up = NULL;
	else
		n->connections[c->incoming] = NULL;
	if (was_up)
		session_over(n, error, sent, now);
	else
		neighbor_event(n, &e);
	if (n->ending) /* it ends with another one, which is what is told, remembered and followed */
		return;
	/* Who rests after an error does not try at the same time. */
	if (is_alone(n) && n->connections[0] && is_real_error(error)) {
		n->ending = true;
		give_up(n->connections[0], "another one ended with an error", now);
		n->ending = false;
	}
	if (was_up || is_alone(n)) {
		n->last_error = *error;
		n->last_error_sent = sent;
		n->last_error_at = now;
	}
	if (error->code && (was_up || !n->up)) {
		n->last_notification = *error;
		n->last_notification_sent = sent;
	}
	if (is_alone(n) && !n->connections[0])
		rest(n, c->state, error, sent, now);
	change_state(n, error, sent, now);
	bgp_check_deferral(n->bgp, now);
	neighbor_schedule(n);
}

void neighbor_reset(struct bgp_neighbor *n, const struct bgp_error *error, msec now)
{
	for (unsigned i = 0; i < 2; i++)
		if (n->connections[i])
			session_end(n->connections[i], error, true, now);
	if (n->up)
		session_end(n->up, error, true, now);
	if (neighbor_is_down(n))
		n->connect_at = n->idle_until = MSEC_NEVER;
	change_state(n, error, true, now);
	bgp_check_deferral(n->bgp, now);
	neighbor_schedule(n);
}

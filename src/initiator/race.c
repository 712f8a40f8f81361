/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The race for a softwire: who is asked, when, and whose answer counts.
 *
 * Servers are asked one after the other, and of each all addresses (RFC 8305 is the model): the families in turn, first the one that the softwire
 * does not bring (PS-12: nothing that is native should be tunnelled through itself); the resolver's order where it brings both. The next address
 * gets its SCCRQ 300 ms after the one before, the next server 3 s after the last address, and both at once when somebody has refused. Whoever
 * does not answer within 7 s (SCCRQs at 0, 1 and 3 s) is left alone.
 * The first acceptable SCCRP wins. The others are closed in good order before anything else is said, so that no server keeps half a tunnel and
 * only the winner is asked to authenticate us. If the winner fails later, the servers that were not asked yet have their turn.
 *
 * Without a softwire a race that is lost leads to a wait (initiator_fail()). Beside one that is up it costs nothing: the winner sets itself up as
 * `follower`, and leads when it has all that we want; until then nothing changes for anybody (make before break).
 */
#include "initiator/role.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	ADDRESS_MS = 300,
	SERVER_MS = 3000,
	ANSWER_MS = 7000,
	RESOLVE_MS = 5000,
	RESOLVE_AGAIN_MS = 1000, /* where earlier addresses will do */
};

/* ---- who may be asked ---- */

static bool is_candidate(const struct race *r, const struct endpoint *at)
{
	for (unsigned n = 0; n < r->count; n++)
		if (endpoint_equal(&r->candidates[n].at, at))
			return true;
	return false;
}

/* Room for one more; those that were asked are forgotten first. */
static bool make_room(struct race *r)
{
	if (r->count < RACE_CANDIDATES)
		return true;
	memmove(r->candidates, r->candidates + r->next, (r->count - r->next) * sizeof(*r->candidates));
	r->count -= r->next;
	r->next = 0;
	return r->count < RACE_CANDIDATES;
}

static void add_candidate(struct initiator *i, unsigned server, const struct addr *a)
{
	struct race *r = &i->race;
	struct candidate c = {.at = {.addr = *a, .port = i->servers[server].port},
		.server = (uint8_t)server,
		.below = i->servers[server].rank};

	if (!is_candidate(r, &c.at) && make_room(r))
		r->candidates[r->count++] = c;
}

/* The N-th address of FAMILY; NULL: there are not so many. */
static const struct addr *nth_of_family(const struct known_server *s, uint8_t family, unsigned n)
{
	for (unsigned k = 0; k < s->address_count; k++)
		if (s->addresses[k].family == family && n-- == 0)
			return &s->addresses[k];
	return NULL;
}

static void add_server(struct initiator *i, unsigned server)
{
	const struct known_server *s = &i->servers[server];
	uint8_t first = i->config.ipv6 && i->config.ipv4 ? s->addresses[0].family
			: i->config.ipv6                 ? AF_INET
							 : AF_INET6;

	for (unsigned n = 0; n < s->address_count; n++) {
		const struct addr *a = nth_of_family(s, first, n),
				  *b = nth_of_family(s, first == AF_INET ? AF_INET6 : AF_INET, n);

		if (a)
			add_candidate(i, server, a);
		if (b)
			add_candidate(i, server, b);
	}
}

/* ---- servers that have failed ---- */

/* Nothing of this server is on its way or still to be asked. */
static bool is_through(const struct initiator *i, unsigned server)
{
	const struct race *r = &i->race;

	for (const struct attempt *a = i->racing; a; a = a->next)
		if (a->server_index == server)
			return false;
	for (unsigned n = r->next; n < r->count; n++)
		if (r->candidates[n].server == server)
			return false;
	return true;
}

/* ---- steps ---- */

static bool drop_one(struct initiator *i, msec now)
{
	for (struct attempt *a = i->racing; a; a = a->next) {
		bool late = now - a->engine.softwire.started_at >= ANSWER_MS;

		if (!late && !a->refused)
			continue;
		softwire_close(&a->engine.softwire, CAUSE_NO_ANSWER, L2TP_STOP_CLEAR, 0,
			a->refused ? "nobody listens at the server's address" : "no answer from the server",
			now);
		return true;
	}
	return false;
}

static void ask_next(struct initiator *i, msec now)
{
	struct race *r = &i->race;
	const struct candidate *c = &r->candidates[r->next++];

	if (!attempt_begin(i, c))
		return;
	r->next_at = now + ADDRESS_MS;
	r->next_server_at = now + SERVER_MS;
	if (!i->current)
		i->state = INITIATOR_CONNECTING;
}

static void server_without_address(struct initiator *i, unsigned server, const char *why)
{
	char text[400];

	snprintf(text, sizeof(text), "resolve: %s: %s", i->config.servers[server], why);
	initiator_note_error(i, text, NULL);
	initiator_server_failed(i, server);
}

static void take_server(struct initiator *i, unsigned server, const char *why)
{
	i->race.waiting_for = -1;
	if (i->servers[server].address_count)
		add_server(i, server);
	else
		server_without_address(i, server, why);
}

static void next_server(struct initiator *i, msec now)
{
	struct race *r = &i->race;
	unsigned server = r->order[r->order_next++];
	bool known = i->servers[server].address_count > 0;

	if (initiator_server_resolve(i, server)) {
		take_server(i, server, "the resolver could not be asked");
		return;
	}
	r->waiting_for = (int)server;
	r->resolve_until = now + (known ? RESOLVE_AGAIN_MS : RESOLVE_MS);
}

static void resolver_is_silent(struct initiator *i)
{
	struct log_line l;
	unsigned server = (unsigned)i->race.waiting_for;

	if (initiator_log(i, &l, LEVEL_WARN, "resolver")) {
		log_text(&l, "server", i->config.servers[server]);
		log_text(&l, "reason", "no answer yet");
		log_text(&l, "advice",
			i->servers[server].address_count ? "the addresses that it gave last are used"
							 : "none is known");
		log_end(&l);
	}
	take_server(i, server, "the resolver does not answer");
}

static void race_over(struct initiator *i)
{
	uint8_t purpose = i->race.purpose;

	i->race.purpose = RACE_NONE;
	if (purpose == RACE_CONNECT)
		initiator_fail(i, i->last_error);
}

/* False: there is nothing to do before TIME comes, or somebody answers. */
static bool step(struct initiator *i, msec now)
{
	struct race *r = &i->race;

	if (!r->purpose || i->stopping)
		return false;
	if (drop_one(i, now))
		return true;
	if (r->next < r->count) {
		if (now < r->next_at)
			return false;
		ask_next(i, now);
	} else if (r->waiting_for >= 0) {
		if (now < r->resolve_until)
			return false;
		resolver_is_silent(i);
	} else if (r->order_next < r->order_count) {
		if (i->racing && now < r->next_server_at)
			return false;
		next_server(i, now);
	} else {
		if (!i->racing)
			race_over(i);
		return false;
	}
	return true;
}

static msec deadline(const struct initiator *i)
{
	const struct race *r = &i->race;
	msec at = MSEC_NEVER;

	if (!r->purpose || i->stopping)
		return MSEC_NEVER;
	for (const struct attempt *a = i->racing; a; a = a->next)
		at = msec_min(at, a->engine.softwire.started_at + ANSWER_MS);
	if (r->next < r->count)
		return msec_min(at, r->next_at);
	if (r->waiting_for >= 0)
		return msec_min(at, r->resolve_until);
	return r->order_next < r->order_count ? msec_min(at, r->next_server_at) : at;
}

void initiator_race_step(struct initiator *i)
{
	struct race *r = &i->race;

	if (r->stepping) /* an attempt has ended inside a step, which goes on by itself */
		return;
	r->stepping = true;
	while (step(i, loop_now(i->loop)))
		;
	r->stepping = false;
	wheel_arm(&i->loop->wheel, &r->timer, deadline(i));
}

static void fire(struct wheel_timer *t, msec now)
{
	initiator_race_step(container_of(container_of(t, struct race, timer), struct initiator, race));
}

/* ---- start and end ---- */

static void begin(struct initiator *i, enum race_purpose purpose)
{
	struct race *r = &i->race;

	r->purpose = purpose;
	r->timer.fire = fire;
	r->next_at = 0;
	if (i->current)
		return;
	i->state = INITIATOR_RESOLVING;
}

void initiator_race_start(struct initiator *i, enum race_purpose purpose)
{
	struct race *r = &i->race;
	unsigned below = purpose == RACE_HOME ? i->current->below : UINT8_MAX;

	if (r->purpose || i->follower || i->stopping)
		return;
	*r = (struct race){.timer = r->timer, .waiting_for = -1};
	r->order_count = (uint8_t)initiator_servers_order(i, below, r->order);
	if (!i->current && i->next_id)
		i->reconnects++;
	begin(i, purpose);
	initiator_race_step(i);
}

void initiator_connect(struct initiator *i)
{
	initiator_race_start(i, RACE_CONNECT);
}

bool initiator_race_go_on(struct initiator *i, enum race_purpose purpose)
{
	struct race *r = &i->race;

	if (r->purpose || i->stopping || r->order_next >= r->order_count)
		return false;
	begin(i, purpose);
	initiator_race_step(i);
	return true;
}

/* The softwire beside which this race is run has been sent away: it is for the next one now, and servers that are no better are asked, too. */
static void take_over(struct initiator *i)
{
	struct race *r = &i->race;

	r->order_next = 0;
	r->order_count = (uint8_t)initiator_servers_order(i, UINT8_MAX, r->order);
	r->purpose = RACE_CONNECT;
	i->reconnects++;
	i->state = INITIATOR_CONNECTING;
}

void initiator_race_redirect(struct initiator *i, const struct candidate *c, enum race_purpose purpose)
{
	struct race *r = &i->race;

	if (!r->purpose) { /* the configured servers come after it, from the best on */
		r->count = r->next = r->order_next = 0;
		r->waiting_for = -1;
		r->order_count = (uint8_t)initiator_servers_order(i, UINT8_MAX, r->order);
		if (!i->current)
			i->reconnects++;
		begin(i, purpose);
	} else if (r->purpose != RACE_CONNECT && !i->current) {
		take_over(i);
	}
	if (make_room(r)) {
		memmove(r->candidates + r->next + 1, r->candidates + r->next,
			(r->count - r->next) * sizeof(*r->candidates));
		r->candidates[r->next] = *c;
		r->count++;
	}
	initiator_race_hurry(i);
}

static void drop_racers(struct initiator *i, const char *why)
{
	while (i->racing)
		attempt_drop(i->racing, CAUSE_LOCAL, why);
}

void initiator_race_stop(struct initiator *i, const char *why)
{
	i->race.purpose = RACE_NONE;
	wheel_disarm(&i->loop->wheel, &i->race.timer);
	drop_racers(i, why);
}

/* Whose silence has cost time: somebody will want to know. */
static void log_passed_over(const struct initiator *i, msec now)
{
	struct log_line l;

	for (const struct attempt *a = i->racing; a; a = a->next) {
		msec silent = now - a->engine.softwire.started_at;

		if (silent < ADDRESS_MS || !log_begin(i->log, &l, LEVEL_INFO, "passed-over"))
			continue;
		log_text(&l, "initiator", i->config.name);
		log_endpoint(&l, "peer", &a->server);
		log_text(&l, "reason", "no answer from the server");
		log_uint(&l, "silent_ms", silent);
		log_end(&l);
	}
}

void initiator_race_answered(struct attempt *a)
{
	struct initiator *i = a->role;

	for (struct attempt **p = &i->racing; *p; p = &(*p)->next)
		if (*p == a) {
			*p = a->next;
			break;
		}
	log_passed_over(i, loop_now(i->loop));
	initiator_race_stop(i, "another one has answered first");
	if (i->current) {
		a->stage = ATTEMPT_FOLLOWS;
		i->follower = a;
		/* The way is free again, perhaps for the old one, too: its answer comes before our password is asked for. */
		softwire_repeat(&i->current->engine.softwire, loop_now(i->loop));
	} else {
		attempt_lead(a, NULL);
	}
}

void initiator_race_lost(struct attempt *a, const char *why, const char *cause)
{
	struct initiator *i = a->role;

	initiator_note_error(i, why, cause);
	if (is_through(i, a->server_index))
		initiator_server_failed(i, a->server_index);
	initiator_race_hurry(i);
}

void initiator_race_hurry(struct initiator *i)
{
	i->race.next_at = i->race.next_server_at = 0;
	if (i->race.purpose)
		initiator_race_step(i);
}

void initiator_race_resolved(struct initiator *i, unsigned server, const char *why)
{
	struct race *r = &i->race;
	bool asked = false;

	if (!r->purpose)
		return;
	for (unsigned n = 0; n < r->order_next; n++)
		asked |= r->order[n] == server;
	if (r->waiting_for == (int)server)
		take_server(i, server, why);
	else if (asked && !why) /* late: there may be new ones among them */
		add_server(i, server);
	initiator_race_step(i);
}

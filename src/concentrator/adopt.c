/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * At the start: softwires of the process before, which has crashed or handed over, go on where they were (HS-PROV-1, PS-2).
 *
 * Sockets and device are the same ones, held by the keeper. First the rows: as soon as the loop runs, payload is forwarded. The lease store and the
 * users come after: the lease is held again, and what the store says must be what the softwire has; who is not a user any more goes, as after a
 * reload. Hooks are not told: for the peer and for everybody behind it nothing has happened.
 * A drain goes on, too (evacuate.c).
 * What cannot be adopted is told so at once: a StopCCN with the right ids and numbers. It is repeated twice, because nobody is there to repeat it
 * until it is acknowledged.
 *
 * Whatever kills us may be in what we read. So the state says which softwire is worked on: a softwire at which two processes in a row have died is not
 * adopted by the third (state/store.h); and after some starts that did not last none is.
 */
#include "concentrator/record.h"
#include "concentrator/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SETTLE_MS = 30000, STARTS_MAX = 5, FAREWELL_MS = 1000, FAREWELLS = 3, UNACKNOWLEDGED_MAX = 16 };
static const size_t state_max = sizeof(void *) >= 8 ? (size_t)1 << 30 : (size_t)64 << 20;

/* ---- farewells ---- */

struct farewell {
	struct farewell *next;
	uint8_t listener;
	struct addr at;
	struct endpoint peer;
	struct l2tp_position position;
	char text[L2TP_MESSAGE_MAX];
};

static void say_farewell(struct concentrator *c, const struct farewell *f)
{
	unsigned last = f->position.unacknowledged < UNACKNOWLEDGED_MAX ? f->position.unacknowledged
									: UNACKNOWLEDGED_MAX;
	uint8_t buf[L2TP_PACKET_MAX];

	for (unsigned n = 0; n <= last; n++) {
		struct writer w = writer_of(buf, sizeof(buf));

		l2tp_farewell(&w, &f->position, n, L2TP_STOP_CLEAR, 0, f->text);
		if (writer_ok(&w))
			tun_plane_send(c->plane, f->listener, &f->at, &f->peer, buf, writer_len(&w));
	}
}

static void farewell_again(struct wheel_timer *t, msec now)
{
	struct concentrator *c = container_of(t, struct concentrator, farewell_timer);

	for (const struct farewell *f = c->farewells; f; f = f->next)
		say_farewell(c, f);
	if (++c->farewell_rounds < FAREWELLS)
		wheel_arm(&c->loop->wheel, t, now + FAREWELL_MS);
	else
		concentrator_adopt_end(c);
}

static void add_farewell(struct concentrator *c, uint8_t listener, const struct record *r, const char *why)
{
	struct farewell *f = calloc(1, sizeof(*f));

	if (!f)
		return;
	*f = (struct farewell){.next = c->farewells,
		.listener = listener,
		.at = r->at,
		.peer = r->peer,
		.position = r->peek.at};
	snprintf(f->text, sizeof(f->text), "started again without this softwire: %.80s",
		why);
	c->farewells = f;
	say_farewell(c, f);
}

/* ---- one record ---- */

struct adoption {
	struct concentrator *c;
	unsigned adopted, refused, lost;
};

static const char *find_listener(const struct concentrator *c, const struct record *r, uint8_t *ret)
{
	const struct listener *l = concentrator_find_listener(c, &r->local);

	if (l) {
		*ret = (uint8_t)(l - c->listeners);
		return NULL;
	}
	return "its listening address is not configured any more";
}

/* Why its user may not go on, or NULL. */
static const char *look_at_user(const struct concentrator *c, const struct record *r)
{
	if (!r->user[0] || !r->leased)
		return "its user was not known yet";
	if (r->anonymous)
		return c->config.anonymous_pool[0] ? NULL : "the service without a user has ended";
	return aaa_find_user(c->aaa, r->user) ? NULL : "the user is not allowed any more";
}

static bool is_slot_taken(struct concentrator *c, const struct record *r)
{
	for (const struct subscriber *o = concentrator_first_of_user(c, r->user); o; o = o->next_of_user)
		if (o->slot == r->slot)
			return true;
	return false;
}

/* What leads to it: the link's and the IPv4 address, and what it uses of what is delegated. */
static unsigned prefixes_of(const struct subscriber *sub, struct prefix ret[DP_ROW_PREFIXES])
{
	const struct softwire_lease *lease = sub->engine.lease;
	unsigned n = 0;

	if (!prefix_is_none(&lease->link6))
		ret[n++] = lease->link6;
	if (!addr_is_none(&lease->address4))
		ret[n++] = prefix_of(&lease->address4, 32);
	for (unsigned i = 0; i < lease->prefix_count && sub->routed6; i++)
		ret[n++] = lease->delegated[i];
	for (unsigned i = 0; i < lease->prefix4_count && sub->routed4; i++)
		ret[n++] = lease->delegated4[i];
	return n;
}

/* Its packets may come, and others' lead to it. */
static const char *route_all(struct subscriber *sub)
{
	struct prefix prefixes[DP_ROW_PREFIXES];
	unsigned count = prefixes_of(sub, prefixes);

	for (unsigned i = 0; i < count; i++) {
		if (!subscriber_route(sub, &prefixes[i]))
			continue;
		while (i--)
			subscriber_unroute(sub, &prefixes[i]);
		return "another softwire has the same address";
	}
	return NULL;
}

static void restore(struct subscriber *sub, const struct record *r)
{
	struct reader counters = r->counters;

	sub->slot = r->slot;
	sub->method = r->method;
	sub->hooked = r->hooked;
	sub->routed6 = sub->engine.dhcp6.using_prefixes;
	sub->routed4 = sub->engine.softwire.delegated4;
	(void)dp_row_resume_counters(sub->row, &counters);
	subscriber_restore_mtu(sub, r->open_mtu);
}

/* What the engine does not know. */
static const char *complete(struct subscriber *sub, const struct record *r)
{
	const char *no;

	restore(sub, r);
	sub->leased = true; /* whether the store agrees is asked next */
	subscriber_set_up(sub);
	no = subscriber_resume_user(sub, r->user, r->anonymous);
	return no ? no : route_all(sub);
}

static const char *adopt(struct concentrator *c, uint8_t listener, const struct store_record *record,
	const struct record *r, char why[SOFTWIRE_RESUME_WHY])
{
	const struct subscriber_ids ids = {
		record->id, r->peer_tunnel, r->peek.at.local_tunnel, r->peek.at.local_session};
	struct reader engine = r->engine;
	struct subscriber *sub;
	const char *no;

	if (is_slot_taken(c, r))
		return "the user has another softwire in its place";
	sub = subscriber_make(c, listener, &r->peer, &r->at, &ids);
	if (!sub)
		return "its tunnel id is taken, or memory is short";
	subscriber_no_longer_half_open(sub);
	if (softwire_sc_resume(&sub->engine, &c->softwire, &engine, loop_now(c->loop), why)) {
		subscriber_undo(sub);
		return why;
	}
	no = complete(sub, r);
	if (no) {
		subscriber_discard(sub);
		return no;
	}
	sub->record = record->at;
	return NULL;
}

static void log_refused(struct concentrator *c, const struct record *r, uint32_t id, const char *why)
{
	struct log_line l;

	if (!concentrator_may_log(c) || !log_begin(c->log, &l, LEVEL_WARN, "not-adopted"))
		return;
	log_uint(&l, "softwire", id);
	if (r->user[0])
		log_text(&l, "user", r->user);
	log_endpoint(&l, "peer", &r->peer);
	log_text(&l, "reason", why);
	log_end(&l);
}

static const char *look_at_start(const struct concentrator *c, uint32_t id)
{
	if (store_is_poison(c->state, id))
		return "the process has died twice while it worked on this softwire";
	return store_starts(c->state) > STARTS_MAX ? "the process has died too often since it started well"
						   : NULL;
}

static void look_at_record(struct adoption *a, struct store_record *record)
{
	char buf[SOFTWIRE_RESUME_WHY];
	struct concentrator *c = a->c;
	uint8_t listener = 0;
	const char *why, *nowhere;
	struct record r;

	store_work(c->state, record->id);
	if (c->next_id < record->id) /* numbers are not used twice, not even of those that are refused */
		c->next_id = record->id;
	if (drain_is_record(reader_of(record->data, record->len))) {
		concentrator_drain_resume(c, record,
			store_is_poison(c->state, record->id)
				? "the process has died twice while it read this order"
				: NULL);
		return;
	}
	if (record_read(reader_of(record->data, record->len), &r)) {
		a->lost++;
		store_remove(c->state, &record->at);
		return;
	}
	nowhere = find_listener(c, &r, &listener);
	why = look_at_start(c, record->id);
	if (!why)
		why = r.why ? r.why : nowhere;
	if (!why)
		why = look_at_user(c, &r);
	if (!why)
		why = adopt(c, listener, record, &r, buf);
	if (!why) {
		a->adopted++;
		return;
	}
	a->refused++;
	log_refused(c, &r, record->id, why);
	if (!nowhere)
		add_farewell(c, listener, &r, why);
	store_remove(c->state, &record->at);
}

/* ---- all ---- */

static void settled(struct wheel_timer *t, msec now)
{
	store_settle(container_of(t, struct concentrator, settle_timer)->state);
}

static void log_adopted(const struct adoption *a, const struct store_found *found, msec took)
{
	struct log_line l;

	if ((!a->adopted && !a->refused && !a->lost && !found->damaged && !found->foreign) ||
		!log_begin(a->c->log, &l,
			a->lost || found->damaged || found->foreign ? LEVEL_WARN : LEVEL_INFO, "adopted"))
		return;
	log_uint(&l, "softwires", a->adopted);
	log_uint(&l, "refused", a->refused);
	if (a->lost + found->damaged)
		log_uint(&l, "damaged", a->lost + found->damaged);
	if (found->foreign)
		log_text(&l, "reason", "the state was written by a program that is not known here");
	log_uint(&l, "ms", took);
	log_end(&l);
}

static void work_done(struct loop_flush *f)
{
	concentrator_work(container_of(f, struct concentrator, work), NULL);
}

int concentrator_open_state(struct concentrator *c, int fd)
{
	int r;

	r = store_open(fd, state_max, &c->state, &c->state_found);
	if (r) {
		close(fd);
		return r;
	}
	c->state_fd = fd;
	c->work.run = work_done;
	loop_flush_add(c->loop, &c->work);
	return 0;
}

void concentrator_close_state(struct concentrator *c)
{
	if (c->state)
		loop_flush_remove(c->loop, &c->work);
	store_close(c->state);
	if (c->state_fd >= 0)
		close(c->state_fd);
}

/* Apart, because who cannot go on after all ends like any other, and writes that down: into what must not be walked meanwhile. */
static void hold_leases(struct concentrator *c)
{
	struct subscriber *next;

	for (struct subscriber *sub = c->all; sub; sub = next) {
		next = sub->next;
		store_work(c->state, sub->id);
		subscriber_hold_again(sub);
	}
}

void concentrator_adopt(struct concentrator *c)
{
	struct adoption a = {.c = c};
	msec began = loop_clock();
	struct store_record record;
	uint32_t cursor = 0;

	if (!c->state)
		return;
	while (store_next(c->state, &cursor, &record))
		look_at_record(&a, &record);
	hold_leases(c);
	store_work(c->state, 0);
	c->role_counters.adopted += a.adopted;
	c->role_counters.not_adopted += a.refused + a.lost + c->state_found.damaged;
	log_adopted(&a, &c->state_found, loop_clock() - began);
	c->settle_timer.fire = settled;
	wheel_arm(&c->loop->wheel, &c->settle_timer, loop_now(c->loop) + SETTLE_MS);
	c->farewell_timer.fire = farewell_again;
	c->farewell_rounds = 1;
	if (c->farewells)
		wheel_arm(&c->loop->wheel, &c->farewell_timer, loop_now(c->loop) + FAREWELL_MS);
}

void concentrator_adopt_end(struct concentrator *c)
{
	wheel_disarm(&c->loop->wheel, &c->farewell_timer);
	while (c->farewells) {
		struct farewell *f = c->farewells;

		c->farewells = f->next;
		free(f);
	}
}

/* ---- the other end of it: leaving ---- */

bool concentrator_may_leave(const struct concentrator *c)
{
	return c->running && !c->stopping && c->state;
}

void concentrator_leave(struct concentrator *c)
{
	c->leaving = true;
	wheel_disarm(&c->loop->wheel, &c->retry_timer);
	wheel_disarm(&c->loop->wheel, &c->drain_timer);
	concentrator_drain_record(c);
	wheel_disarm(&c->loop->wheel, &c->settle_timer);
	wheel_disarm(&c->loop->wheel, &c->hold_timer);
	for (struct subscriber *sub = c->all; sub; sub = sub->next) {
		if (sub->row->last_rx)
			softwire_heard(&sub->engine.softwire, sub->row->last_rx);
		subscriber_record(sub);
	}
	tun_plane_flush(c->plane); /* acknowledgements that wait */
	while (c->all)
		subscriber_discard(c->all);
	concentrator_adopt_end(c);
	if (c->state) {
		store_work(c->state, 0);
		store_settle(c->state);
	}
}

/* ---- who is worked on ---- */

void concentrator_work(struct concentrator *c, const struct subscriber *sub)
{
	if (c->state)
		store_work(c->state, sub ? sub->id : 0);
}

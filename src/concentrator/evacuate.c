/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwire drain: no new softwires, and the established ones go where there is room for them.
 *
 * Each leaves in good order: its lease becomes idle and its routes go when it is told, once, as with any other end. Whoever is left alone (drain.h) ends
 * some day by itself. It is over when everybody has gone and has acknowledged the last word; no new ones are taken until the operator says so,
 * or the concentrator is stopped. The process that comes after one that has crashed or handed over goes on with it: the order is written down beside
 * the softwires' records (record.h), with a number from the same row, as no softwire may have it; the counts follow step by step.
 */
#include "concentrator/redirect.h"
#include "concentrator/role.h"

#include <stdio.h>
#include <string.h>

#include "report/report.h"

enum { STEP_MS = 100, LOOK_MAX = 20000, TELL_MS = 10000 };

/* Where initiators are sent. */
static const struct endpoint *targets(const struct concentrator *c, unsigned *ret_count)
{
	const struct drain_order *order = &c->drain.order;
	bool ordered = c->drain.on && order->target_count;

	*ret_count = ordered ? order->target_count : c->config.redirect_count;
	return ordered ? order->targets : c->config.redirect;
}

const struct endpoint *concentrator_redirect(struct concentrator *c, uint8_t family)
{
	unsigned count;
	const struct endpoint *list = targets(c, &count);

	return redirect_choose(list, count, family, c->rng);
}

static bool has_target(const struct subscriber *sub)
{
	unsigned count;
	const struct endpoint *list = targets(sub->role, &count);

	for (unsigned i = 0; i < count; i++)
		if (list[i].addr.family == sub->row->peer.addr.family)
			return true;
	return false;
}

static bool is_left(const struct subscriber *sub)
{
	return !softwire_is_quiet(&sub->engine.softwire);
}

static unsigned count_left(const struct concentrator *c)
{
	unsigned n = 0;

	for (const struct subscriber *sub = c->all; sub; sub = sub->next)
		n += is_left(sub);
	return n;
}

static bool anybody_left(const struct concentrator *c)
{
	for (const struct subscriber *sub = c->all; sub; sub = sub->next)
		if (is_left(sub))
			return true;
	return false;
}

/* ---- the log ---- */

/* "192.0.2.2 2001:db8::2" */
static void log_targets(const struct concentrator *c, struct log_line *l)
{
	char text[CONCENTRATOR_REDIRECTS_MAX * ENDPOINT_TEXT] = "", one[ENDPOINT_TEXT];
	unsigned count;
	const struct endpoint *list = targets(c, &count);
	size_t n = 0;

	for (unsigned i = 0; i < count; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s%s", n ? " " : "", redirect_print(&list[i], one));
	if (n)
		log_text(l, "to", text);
}

static bool begin_line(struct concentrator *c, struct log_line *l, const char *event)
{
	c->drain_told = loop_now(c->loop);
	if (!log_begin(c->log, l, LEVEL_INFO, event))
		return false;
	log_uint(l, "left", count_left(c));
	log_uint(l, "moved", c->drain.moved);
	log_uint(l, "closed", c->drain.closed);
	log_uint(l, "refused", c->drain.refused);
	return true;
}

static void tell(struct concentrator *c, const char *event)
{
	struct log_line l;

	if (!begin_line(c, &l, event))
		return;
	log_uint(&l, "seconds", (loop_now(c->loop) - c->drain.began) / 1000);
	log_end(&l);
}

static void tell_order(struct concentrator *c, const char *event)
{
	const struct drain_order *order = &c->drain.order;
	struct log_line l;

	if (!begin_line(c, &l, event))
		return;
	log_targets(c, &l);
	log_uint(&l, "rate", order->rate);
	if (order->has_grace)
		log_uint(&l, "grace_seconds", order->grace_ms / 1000);
	log_end(&l);
}

/* ---- for the next process ---- */

static uint64_t count_all(const struct concentrator *c)
{
	return c->drain.moved + c->drain.closed + c->drain.refused;
}

void concentrator_drain_record(struct concentrator *c)
{
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));
	int err;

	if (!c->state || !c->drain.on)
		return;
	if (!c->drain_id)
		c->drain_id = ++c->next_id;
	c->drain_recorded = count_all(c);
	drain_save(&c->drain, &w);
	err = store_put(c->state, &c->drain_record, c->drain_id, bytes, writer_len(&w));
	if (err && concentrator_may_log(c))
		log_message(c->log, LEVEL_WARN, "state", "the drain would not survive a restart: %s",
			strerror(-err));
}

void concentrator_drain_record_end(struct concentrator *c)
{
	if (c->state)
		store_remove(c->state, &c->drain_record);
	c->drain_id = 0;
}

/* ---- emptying ---- */

static void leave(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	const struct endpoint *target = concentrator_redirect(c, sub->row->peer.addr.family);
	char text[ENDPOINT_TEXT];

	if (target) {
		c->drain.moved++;
		c->role_counters.moved++;
		subscriber_close(sub, CAUSE_MOVED, L2TP_STOP_ERROR, L2TP_ERROR_TRY_ANOTHER,
			redirect_print(target, text));
	} else {
		c->drain.closed++;
		subscriber_close(sub, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "this concentrator is drained");
	}
}

/* Of those that are up; who is still being set up comes up first, or fails. */
static void leave_some(struct concentrator *c, msec now)
{
	struct subscriber *sub;

	if (!c->drain_next)
		c->drain_next = c->all;
	for (unsigned n = 0; n < LOOK_MAX && (sub = c->drain_next); n++) {
		enum drain_verdict verdict = DRAIN_STAYS;

		if (sub->engine.softwire.step == STEP_UP)
			verdict = drain_judge(&c->drain, has_target(sub), now);
		if (verdict == DRAIN_WAITS)
			return;
		c->drain_next = sub->next;
		if (verdict == DRAIN_GOES)
			leave(sub);
	}
}

static void drain_step(struct wheel_timer *t, msec now)
{
	struct concentrator *c = container_of(t, struct concentrator, drain_timer);

	leave_some(c, now);
	if (count_all(c) != c->drain_recorded)
		concentrator_drain_record(c);
	if (!anybody_left(c)) {
		c->drained = true;
		tell(c, "drained");
		return;
	}
	if (now - c->drain_told >= TELL_MS)
		tell(c, "drain-progress");
	wheel_arm(&c->loop->wheel, t, now + STEP_MS);
}

static void begin_steps(struct concentrator *c, msec now)
{
	c->drain_timer.fire = drain_step;
	wheel_arm(&c->loop->wheel, &c->drain_timer, now);
}

void concentrator_drain_forget(struct concentrator *c, const struct subscriber *sub)
{
	if (c->drain_next == sub)
		c->drain_next = sub->next;
}

/* ---- the operator's order ---- */

static void stop(struct concentrator *c)
{
	if (!c->drain.on)
		return;
	tell(c, "drain-stopped");
	wheel_disarm(&c->loop->wheel, &c->drain_timer);
	concentrator_drain_record_end(c);
	drain_end(&c->drain);
	c->drain_next = NULL;
	c->drained = false;
}

void concentrator_drain(struct concentrator *c, const struct drain_order *order)
{
	msec now = loop_now(c->loop);

	if (!order) {
		stop(c);
		return;
	}
	drain_begin(&c->drain, order, now);
	c->drained = false;
	concentrator_drain_record(c);
	tell_order(c, "drain");
	begin_steps(c, now);
}

void concentrator_drain_resume(struct concentrator *c, const struct store_record *record, const char *why)
{
	msec now = loop_now(c->loop);
	uint32_t at = record->at;

	if (!why && c->drain.on)
		why = "there is another one";
	if (!why && drain_resume(&c->drain, reader_of(record->data, record->len), now))
		why = "what was written down of it is damaged, or of another version";
	if (why) {
		log_message(c->log, LEVEL_WARN, "drain-lost", "new softwires are taken again: %s", why);
		store_remove(c->state, &at);
		return;
	}
	c->drain_id = record->id;
	c->drain_record = at;
	c->drain_recorded = count_all(c);
	/* the configuration may be another one by now */
	c->drain.order.target_count =
		concentrator_others(c, c->drain.order.targets, c->drain.order.target_count);
	tell_order(c, "drain-resumed");
	begin_steps(c, now);
}

bool concentrator_is_draining(const struct concentrator *c)
{
	return c->drain.on;
}

static json_t *show_targets(const struct concentrator *c)
{
	json_t *array = json_array();
	char text[ENDPOINT_TEXT];
	unsigned count;
	const struct endpoint *list = targets(c, &count);

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array, json_string(redirect_print(&list[i], text)));
	return array;
}

/* Of those that are left, who does not leave because of the drain: no target of its family, and no end of grace. */
static unsigned count_staying(const struct concentrator *c)
{
	unsigned n = 0;

	for (const struct subscriber *sub = c->all; sub; sub = sub->next)
		n += sub->engine.softwire.step == STEP_UP &&
		     drain_leave_at(&c->drain, has_target(sub)) == MSEC_NEVER;
	return n;
}

struct json_t *concentrator_show_drain(struct concentrator *c)
{
	const struct drain *d = &c->drain;
	const char *state = !d->on ? "off" : c->drained ? "drained" : "draining";
	json_t *o = json_pack("{s:s, s:o, s:i, s:i}", "state", state, "to", show_targets(c), "left",
		(int)count_left(c), "staying", (int)count_staying(c));

	if (!o || !d->on)
		return o;
	json_object_set_new(o, "rate", json_integer(d->order.rate));
	json_object_set_new(o, "grace_seconds",
		d->order.has_grace ? json_integer((json_int_t)d->order.grace_ms / 1000) : json_null());
	json_object_set_new(
		o, "since_seconds", json_integer((json_int_t)(loop_now(c->loop) - d->began) / 1000));
	json_object_set_new(o, "moved", json_integer((json_int_t)c->drain.moved));
	json_object_set_new(o, "closed", json_integer((json_int_t)c->drain.closed));
	json_object_set_new(o, "refused", json_integer((json_int_t)c->drain.refused));
	return o;
}

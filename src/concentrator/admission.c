/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Admission: which SCCRQs become tunnels, and when.
 *
 * An SCCRQ that is no copy of one before, and is not refused, waits (waiting.c): this costs some hundred bytes and no answer. Before the loop
 * sleeps, those whose turn it is are admitted in a small portion; when there is more to be read than was read, in a smaller one still. So the socket is read
 * first and set-ups that are under way go on before new ones begin, and softwires that are up feel little of either. When nothing
 * else goes on an SCCRQ is admitted in the iteration that has read it.
 *
 * A tunnel is half open until it is up, or its memory is gone. It stands in one of four crowds:
 *   asked   our SCCRP went out a moment ago
 *   silent  longer ago, and nothing has come back: a forged address, most likely
 *   busy    the peer has answered, so its address is its own; set-up goes on
 *   slow    it takes long
 * `asked` and `busy` are under way: there are never more of them than the configured window, which keeps each set-up short. The other two only
 * count as half open, in all and per source: somebody who does not answer, or who answers and then stops, keeps nobody else out. While others wait,
 * silent ones leave when the first retransmission of the SCCRP has had its time, and, when all half-open tunnels are
 * taken, slow ones after SLOW_MS. An initiator whose packets were lost asks again. What is long follows what others have needed of late, within bounds: where
 * the network, the disk or we ourselves are slow, patience grows and new ones are admitted more slowly, instead of ever more that do not get on.
 *
 * A storm is when requests have waited longer than STORM_MS when their turn comes, or are refused or thrown away: one line of log when it begins, one with sums when it is over.
 *
 * concentrator_refuse_request() decides, and answer() answers, whenever a request is refused.
 */
#include "concentrator/redirect.h"
#include "concentrator/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	ASKED_MS = 300, /* at least, and so many times as long as others need; at most */
	ASKED_TIMES = 3,
	ASKED_MAX_MS = 2000,
	BUSY_MS = 3000,
	BUSY_TIMES = 3,
	BUSY_MAX_MS = 10000,
	SLOW_MS = 10000,
	ANSWER_MS = 500, /* after the first retransmission */
	EWMA_SHIFT = 4,
	PORTION = 16,
	PORTION_BEHIND = 2,
	STEP_MS = 10,
	STORM_MS = 200,
	STORM_OVER_MS = 5000,
	RATE_SOURCES = 16384,
};

/* ---- crowds ---- */

static void crowd_leave(struct admission *a, struct half_open *h)
{
	struct crowd *crowd = &a->crowds[h->crowd];

	if (h->next)
		h->next->previous = h->previous;
	else
		crowd->last = h->previous;
	if (h->previous)
		h->previous->next = h->next;
	else
		crowd->first = h->next;
	h->next = h->previous = NULL;
	crowd->count--;
}

static void crowd_enter(struct admission *a, struct half_open *h, enum crowd_name name)
{
	struct crowd *crowd = &a->crowds[name];

	h->crowd = (uint8_t)name;
	h->previous = crowd->last;
	if (crowd->last)
		crowd->last->next = h;
	else
		crowd->first = h;
	crowd->last = h;
	crowd->count++;
}

/* Whoever has been in FROM for so long goes to TO; each crowd is in order of time. */
static void crowd_age(struct admission *a, enum crowd_name from, enum crowd_name to, msec before)
{
	struct half_open *h;

	while ((h = a->crowds[from].first) && h->since <= before) {
		crowd_leave(a, h);
		crowd_enter(a, h, to);
	}
}

/* What was seen of late: a moving average, in 1 << EWMA_SHIFT parts of a millisecond. */
static void learn(uint32_t *average, msec sample)
{
	*average += (uint32_t)msec_min(sample, BUSY_MAX_MS) - (*average >> EWMA_SHIFT);
}

static msec patience(uint32_t average, msec least, unsigned times, msec most)
{
	msec wanted = (msec)(average >> EWMA_SHIFT) * times;

	return wanted < least ? least : msec_min(wanted, most);
}

static uint32_t under_way(const struct admission *a)
{
	return a->crowds[CROWD_ASKED].count + a->crowds[CROWD_BUSY].count;
}

uint32_t concentrator_half_open(const struct concentrator *c)
{
	uint32_t sum = 0;

	for (int i = 0; i < CROWDS; i++)
		sum += c->admission.crowds[i].count;
	return sum;
}

int subscriber_half_open(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	struct half_open *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->source = waiting_hold(&c->admission.waiting, &sub->row->peer.addr);
	if (!h->source) {
		free(h);
		return -ENOMEM;
	}
	h->sub = sub;
	h->since = loop_now(c->loop);
	sub->half_open = h;
	crowd_enter(&c->admission, h, CROWD_ASKED);
	return 0;
}

void subscriber_no_longer_half_open(struct subscriber *sub)
{
	struct admission *a = &sub->role->admission;
	struct half_open *h = sub->half_open;

	if (!h)
		return;
	if (sub->engine.softwire.up_at)
		learn(&a->setup_time, loop_now(sub->role->loop) - h->since);
	crowd_leave(a, h);
	waiting_release(&a->waiting, h->source);
	free(h);
	sub->half_open = NULL;
}

bool subscriber_is_proven(const struct subscriber *sub)
{
	return !sub->half_open || sub->half_open->crowd >= CROWD_BUSY;
}

void subscriber_answered(struct subscriber *sub)
{
	struct admission *a = &sub->role->admission;
	struct half_open *h = sub->half_open;

	if (subscriber_is_proven(sub))
		return;
	waiting_know(&a->waiting, h->source);
	crowd_leave(a, h);
	learn(&a->answer_time, loop_now(sub->role->loop) - h->since);
	h->since = loop_now(sub->role->loop);
	crowd_enter(a, h, CROWD_BUSY);
}

/* ---- storms ---- */

static void storm_note(struct concentrator *c, msec now)
{
	struct admission *a = &c->admission;
	struct log_line l;

	a->storm_last = now;
	if (a->storm)
		return;
	a->storm = true;
	a->storm_began = now;
	a->longest_wait = 0;
	a->before = c->role_counters;
	a->lost_before = a->lost;
	if (log_begin(c->log, &l, LEVEL_WARN, "storm-begin")) {
		log_uint(&l, "waiting", waiting_count(&a->waiting));
		log_uint(&l, "sources", a->waiting.waiting_sources);
		log_uint(&l, "half_open", concentrator_half_open(c));
		log_uint(&l, "softwires", c->count);
		log_end(&l);
	}
}

static void storm_end(struct concentrator *c, msec now)
{
	struct admission *a = &c->admission;
	struct log_line l;

	a->storm = false;
	if (!log_begin(c->log, &l, LEVEL_WARN, "storm-end"))
		return;
	log_uint(&l, "seconds", (now - a->storm_began) / 1000);
	log_uint(&l, "requests", c->role_counters.sccrq - a->before.sccrq);
	log_uint(&l, "admitted", c->role_counters.admitted - a->before.admitted);
	log_uint(&l, "refused", c->role_counters.refused_limit - a->before.refused_limit);
	log_uint(&l, "expired", a->lost - a->lost_before);
	log_uint(&l, "abandoned", c->role_counters.abandoned - a->before.abandoned);
	log_uint(&l, "longest_wait_ms", a->longest_wait);
	log_uint(&l, "softwires", c->count);
	log_end(&l);
}

/* ---- refusals ---- */

static const char TOO_MANY_FROM_HERE[] = "too many tunnels are being set up from this address";

/* Says no: TEXT with ERROR to the peer, as far as strangers are answered, WHY to the log. */
static void answer(struct concentrator *c, const struct stray *p, uint16_t error, const char *text, const char *why)
{
	struct stray refused = *p;

	c->role_counters.refused_limit++;
	refused.fault = (struct l2tp_fault){.result = L2TP_STOP_ERROR, .error = error};
	refused.why = why;
	concentrator_stray_reply(c, &refused, L2TP_STOP_ERROR, text);
}

static void refuse(struct concentrator *c, const struct stray *p, const char *why)
{
	answer(c, p, L2TP_ERROR_RESOURCES, why, why);
}

/* Others may have room: where one of them can be reached as we were, that is the answer. Never about one source that asks too often: what it sends
 * is not passed on. */
static void send_to(
	struct concentrator *c, const struct stray *p, const struct endpoint *target, const char *why)
{
	char text[ENDPOINT_TEXT];

	if (!target) {
		refuse(c, p, why);
		return;
	}
	c->role_counters.redirected++;
	answer(c, p, L2TP_ERROR_TRY_ANOTHER, redirect_print(target, text), why);
}

static void send_away(struct concentrator *c, const struct stray *p, const char *why)
{
	send_to(c, p, concentrator_redirect(c, p->from->addr.family), why);
}

bool concentrator_refuse_request(struct concentrator *c, const struct stray *p)
{
	if (c->stopping) {
		refuse(c, p, "shutting down");
	} else if (c->drain.on && waiting_is_busy(&c->admission.waiting, &p->from->addr)) {
		c->role_counters.refused_source++;
		refuse(c, p, TOO_MANY_FROM_HERE);
	} else if (c->drain.on) {
		c->drain.refused++;
		send_away(c, p, "no new softwires: this concentrator is being drained");
	} else if (!c->listeners[p->listener].open || c->listeners[p->listener].retired) {
		send_to(c, p, concentrator_other_address(c, p->from->addr.family),
			"this address is not served any more");
	} else if (c->count >= c->config.max_softwires) {
		send_away(c, p, "too many softwires");
	} else {
		return false;
	}
	return true;
}

/* ---- requests ---- */

static bool is_too_often(struct concentrator *c, const struct stray *p)
{
	struct addr source = waiting_prefix(&c->admission.waiting, &p->from->addr);

	return !limit_table_ok(c->admission.rate, loop_now(c->loop), &source, NULL);
}

static void keep(struct concentrator *c, const struct stray *p)
{
	struct admission *a = &c->admission;

	switch (waiting_put(&a->waiting, p->from, p->assigned, p->listener, p->local, p->payload, p->len,
		loop_now(c->loop))) {
	case WAITING_PUT:
		return;
	case WAITING_FULL:
		c->role_counters.refused_waiting++;
		send_away(c, p, "too many tunnels are being set up");
		break;
	case WAITING_SOURCE_FULL:
		c->role_counters.refused_source++;
		refuse(c, p, TOO_MANY_FROM_HERE);
		break;
	case WAITING_NO_MEMORY:
		refuse(c, p, "out of resources");
		break;
	}
	storm_note(c, loop_now(c->loop));
}

void concentrator_request(struct concentrator *c, const struct stray *p)
{
	if (waiting_again(&c->admission.waiting, p->from, p->assigned, loop_now(c->loop))) {
		c->role_counters.sccrq_again++;
		return;
	}
	c->role_counters.sccrq++;
	if (is_too_often(c, p)) {
		c->role_counters.refused_rate++;
		refuse(c, p, "too many requests from this address");
		storm_note(c, loop_now(c->loop));
	} else if (!concentrator_refuse_request(c, p)) {
		keep(c, p);
	}
}

bool concentrator_withdraw_request(struct concentrator *c, const struct stray *p)
{
	struct request *r = waiting_again(&c->admission.waiting, p->from, p->assigned, loop_now(c->loop));

	if (!r)
		return false;
	c->role_counters.withdrawn++;
	waiting_withdraw(&c->admission.waiting, r);
	return true;
}

/* ---- turns ---- */

static void abandon(struct concentrator *c, struct half_open *h)
{
	struct subscriber *sub = h->sub;
	uint32_t count = c->count;

	c->role_counters.abandoned++;
	if (subscriber_is_proven(sub)) /* one word, not repeated: its memory is wanted now */
		subscriber_close(sub, CAUSE_NO_ANSWER, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES,
			"set-up took too long while others wait");
	if (c->count == count)
		subscriber_free(sub);
}

/* Those that have never answered leave, so that their sources may have others. */
static void abandon_silent(struct concentrator *c, msec now)
{
	struct admission *a = &c->admission;
	msec least = c->config.retransmit_ms + ANSWER_MS;
	msec silent = patience(a->answer_time, least, ASKED_TIMES, least + ASKED_MAX_MS);
	struct half_open *h;

	for (unsigned i = 0; i < PORTION && (h = a->crowds[CROWD_SILENT].first); i++) {
		if (now - h->since < silent)
			return;
		abandon(c, h);
	}
}

static bool has_room(const struct concentrator *c)
{
	return under_way(&c->admission) < c->config.setup_window && concentrator_half_open(c) < c->config.max_half_open;
}

/* The slowest leave when all half-open tunnels are taken. */
static void abandon_slow(struct concentrator *c, msec now)
{
	struct half_open *h;

	for (unsigned i = 0; i < PORTION && (h = c->admission.crowds[CROWD_SLOW].first); i++) {
		if (now - h->since < SLOW_MS || concentrator_half_open(c) < c->config.max_half_open)
			return;
		abandon(c, h);
	}
}

static void admit(struct concentrator *c, struct request *r, msec now)
{
	struct admission *a = &c->admission;
	struct stray p = {.listener = r->listener, .from = &r->peer, .local = &r->local, .payload = r->packet,
		.len = r->len, .assigned = r->tunnel};

	if (now - r->first > a->longest_wait)
		a->longest_wait = now - r->first;
	if (now - r->first >= STORM_MS)
		storm_note(c, now);
	if (!concentrator_refuse_request(c, &p)) {
		c->role_counters.admitted++;
		concentrator_accept(c, &p);
	}
	free(r);
}

static void arm(struct concentrator *c, msec now)
{
	struct admission *a = &c->admission;

	if (waiting_ready(&a->waiting) && has_room(c))
		wheel_arm(&c->loop->wheel, &a->timer, now);
	else if (waiting_count(&a->waiting))
		wheel_arm(&c->loop->wheel, &a->timer, now + STEP_MS);
	else if (a->storm)
		wheel_arm(&c->loop->wheel, &a->timer, a->storm_last + STORM_OVER_MS);
}

/* Before the loop sleeps. */
static void serve(struct loop_flush *f)
{
	struct concentrator *c = container_of(f, struct concentrator, admission.flush);
	struct admission *a = &c->admission;
	unsigned portion = tun_plane_is_behind(c->plane) ? PORTION_BEHIND : PORTION;
	uint64_t lost = a->waiting.expired + a->waiting.displaced;
	msec now = loop_now(c->loop);
	struct request *r;

	if (a->lost != lost)
		storm_note(c, now);
	a->lost = lost;
	if (!waiting_count(&a->waiting) && !a->storm)
		return;
	crowd_age(a, CROWD_ASKED, CROWD_SILENT, now - patience(a->answer_time, ASKED_MS, ASKED_TIMES, ASKED_MAX_MS));
	crowd_age(a, CROWD_BUSY, CROWD_SLOW, now - patience(a->setup_time, BUSY_MS, BUSY_TIMES, BUSY_MAX_MS));
	while (portion-- && has_room(c) && (r = waiting_take(&a->waiting)))
		admit(c, r, now);
	if (waiting_count(&a->waiting)) {
		abandon_silent(c, now);
		abandon_slow(c, now);
	} else if (a->storm && now >= a->storm_last + STORM_OVER_MS) {
		storm_end(c, now);
	}
	arm(c, now);
}

static void wake(struct wheel_timer *t, msec now)
{
	/* serve() runs in any case. */
}

/* ---- life ---- */

static struct waiting_limits limits_of(const struct concentrator_config *config)
{
	return (struct waiting_limits){.places = config->max_waiting,
		.places_per_source = config->waiting_per_source,
		.half_open_per_source = config->half_open_per_source,
		.prefix4 = config->source_prefix4,
		.prefix6 = config->source_prefix6};
}

/* Whoever comes after a pause may use all the places of its source at once, and some are served meanwhile. */
static struct limit_table *new_rate(const struct concentrator_config *config)
{
	return limit_table_new(RATE_SOURCES, config->request_rate, config->waiting_per_source + config->request_rate);
}

int concentrator_admission_begin(struct concentrator *c)
{
	struct waiting_limits limits = limits_of(&c->config);
	struct admission *a = &c->admission;

	a->flush.run = serve;
	a->timer.fire = wake;
	a->rate = new_rate(&c->config);
	if (!a->rate || waiting_init(&a->waiting, &c->loop->wheel, c->seed, &limits))
		return -ENOMEM;
	loop_flush_add(c->loop, &a->flush);
	return 0;
}

void concentrator_admission_change(struct concentrator *c)
{
	struct limit_table *rate = new_rate(&c->config);

	c->admission.waiting.limits = limits_of(&c->config);
	if (!rate)
		return; /* the old one still limits */
	limit_table_free(c->admission.rate);
	c->admission.rate = rate;
}

void concentrator_admission_end(struct concentrator *c)
{
	struct admission *a = &c->admission;

	if (a->flush.run)
		loop_flush_remove(c->loop, &a->flush);
	wheel_disarm(&c->loop->wheel, &a->timer);
	waiting_done(&a->waiting);
	limit_table_free(a->rate);
	a->rate = NULL;
}

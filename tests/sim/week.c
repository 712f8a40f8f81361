/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See week.h. */
#include "week.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60000, HOUR = 60 * MINUTE, PATIENCE = 20 * MINUTE, QUIET = 30 * MINUTE };
enum { CACHES = 256 << 10 }; /* what SQLite may keep at one time, and not at another */

static size_t memory_used(void)
{
	return mallinfo2().uordblks;
}

/* ---- promises ---- */

/* One of the concentrators has been well for a while, so it must be connected by now. */
static void check_home(const struct home *h, msec now)
{
	if (h->state == HOME_UP || now - h->since < PATIENCE)
		return;
	for (unsigned i = 0; i < CARRIERS; i++) {
		msec well = h->week->sites[i].well_since;

		if (well != MSEC_NEVER && now - well >= PATIENCE) {
			stage_broken(&h->week->stage, h->index, "without a softwire for long, and nothing is wrong");
			return;
		}
	}
}

static void checked(void *owner, const struct lease_findings *found)
{
	if (found->problem_count + found->note_count)
		stage_broken(&((struct week *)owner)->stage, 0,
			found->problem_count ? found->problems[0] : found->notes[0]);
}

static void check_site(struct week *w, unsigned n)
{
	const struct carrier *c = &w->sites[n].carrier;
	uint32_t here = 0, known = 0;
	size_t active = 0;

	for (uint32_t i = 0; i < w->config->homes; i++) {
		here += w->homes[i].state == HOME_UP && w->homes[i].at == n;
		known += w->homes[i].past[n].seen;
	}
	if (c->count != here)
		stage_broken(&w->stage, 0, "a concentrator has softwires that nobody has");
	if (lease_count(c->leases, &active) < known)
		stage_broken(&w->stage, 0, "a lease was lost");
	if (active != here)
		stage_broken(&w->stage, 0, "a lease is active without a softwire, or the other way round");
	lease_check(c->leases, NULL, checked, w);
}

static void check_end(struct week *w)
{
	for (uint32_t i = 0; i < w->config->homes; i++)
		if (w->homes[i].state != HOME_UP)
			stage_broken(&w->stage, i, "not connected in the end");
	for (unsigned n = 0; n < CARRIERS; n++)
		check_site(w, n);
	w->memory_end = memory_used();
	if (w->config->hours > 6 && w->memory_end > w->memory + CACHES)
		stage_broken(&w->stage, 0, "memory has grown");
}

static void hour_fire(struct wheel_timer *t, msec now)
{
	struct week *w = container_of(t, struct week, hour);

	wheel_arm(&w->stage.wheel, t, now + HOUR);
	w->hours_done++;
	for (uint32_t i = 0; i < w->config->homes; i++)
		check_home(&w->homes[i], w->stage.now); /* which may be later than NOW: a sleep */
	if (w->hours_done <= 1 + w->config->hours / 3 && memory_used() > w->memory)
		w->memory = memory_used();
}

/* ---- the run ---- */

static void input(void *owner, const struct packet *p)
{
	struct week *w = owner;
	struct site *site = &w->sites[p->port % CARRIERS];

	if (p->direction == TO_USER)
		home_input(&w->homes[p->user], p);
	else if (!site->carrier.dead && !fault_cuts(site, p->user))
		carrier_input(&site->carrier, p);
}

static bool open_site(struct week *w, unsigned n)
{
	static const char *const pools[CARRIERS][4] = {
		{"2001:db8:100::/44", "2001:db8:8000::/36", "10.64.0.0/18", "10.128.0.0/13"},
		{"2001:db8:200::/44", "2001:db8:9000::/36", "10.65.0.0/18", "10.136.0.0/13"},
	};
	struct site *site = &w->sites[n];
	struct carrier_config c = {.users = w->config->homes, .path = site->path, .ipv4 = true, .lifetime_s = 14400, .record = true};

	site->week = w;
	snprintf(site->path, sizeof(site->path), "%s/%u.db", w->directory, n);
	c.pool = (struct lease_pool_config){.name = "default", .delegate_len = 60, .delegate4_len = 28};
	return !prefix_parse(pools[n][0], &c.pool.link6) && !prefix_parse(pools[n][1], &c.pool.delegate_from) &&
	       !prefix_parse(pools[n][2], &c.pool.ipv4) && !prefix_parse(pools[n][3], &c.pool.delegate4_from) &&
	       carrier_open(&site->carrier, &w->stage, &c);
}

static bool week_open(struct week *w, const struct week_config *config)
{
	memset(w, 0, sizeof(*w));
	w->config = config;
	stage_init(&w->stage, config->seed);
	w->stage.network = (struct network){.loss = config->loss, .duplicate = 1, .reorder = 2, .delay_ms = 40};
	w->quiet_at = w->stage.now + config->hours * (msec)HOUR;
	home_init(w);
	snprintf(w->directory, sizeof(w->directory), "/tmp/softwire-week-XXXXXX");
	if (!mkdtemp(w->directory))
		return false;
	for (unsigned n = 0; n < CARRIERS; n++) {
		w->sites[n].week = w;
		fault_begin(&w->sites[n]);
		if (!open_site(w, n))
			return false;
	}
	w->homes = calloc(config->homes, sizeof(*w->homes));
	return w->homes != NULL;
}

static void run_until(struct week *w, msec until)
{
	while (w->stage.now < until && !*w->stage.failure)
		stage_step(&w->stage, input, w);
}

static void week_close(struct week *w)
{
	for (uint32_t i = 0; w->homes && i < w->config->homes; i++)
		if (w->homes[i].state != HOME_WAITING)
			softwire_done(&w->homes[i].engine.softwire);
	for (unsigned n = 0; n < CARRIERS; n++)
		carrier_done(&w->sites[n].carrier);
	stage_done(&w->stage);
	free(w->homes);
	stage_remove(w->directory);
}

bool week_run(struct week *w, const struct week_config *config)
{
	if (!week_open(w, config)) {
		stage_broken(&w->stage, 0, "it could not be begun");
		return false;
	}
	for (uint32_t i = 0; i < config->homes; i++)
		home_begin(&w->homes[i], w, i);
	w->hour.fire = hour_fire;
	wheel_arm(&w->stage.wheel, &w->hour, w->stage.now + HOUR);
	run_until(w, w->quiet_at);
	if (!*w->stage.failure)
		fault_end_all(w);
	run_until(w, w->quiet_at + QUIET);
	if (!*w->stage.failure)
		check_end(w);
	week_close(w);
	return !*w->stage.failure;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live trace of one user, from the first packet on.
 *
 * Whose a softwire is shows when CHAP is answered. While somebody is traced, the events of softwires that nobody has claimed are
 * held back, a limited number of them, and then told or thrown away.
 */
#include "concentrator/role.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

enum { EARLY_EVENTS = 48, EARLY_SOFTWIRES = 256 };

static void drop_early(struct subscriber *sub)
{
	if (!sub->setup || !sub->setup->early)
		return;
	sub->role->early_count--;
	json_decref(sub->setup->early);
	sub->setup->early = NULL;
}

static bool is_traced(const struct concentrator *c, const void *name, size_t len)
{
	return c->trace_emit && strlen(c->trace_user) == len && memcmp(c->trace_user, name, len) == 0;
}

void subscriber_trace_begin(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	struct setup *setup;

	if (!c->trace_emit || c->early_count >= EARLY_SOFTWIRES)
		return;
	setup = subscriber_setup(sub);
	if (setup)
		setup->early = json_array();
	if (!setup || !setup->early)
		return;
	c->early_count++;
	sub->engine.softwire.tracing = true;
}

void subscriber_trace_claimed(struct subscriber *sub, const void *name, size_t len)
{
	struct concentrator *c = sub->role;
	json_t *event;
	size_t n;

	sub->engine.softwire.tracing = is_traced(c, name, len);
	if (sub->engine.softwire.tracing && sub->setup)
		json_array_foreach (sub->setup->early, n, event)
			c->trace_emit(c->trace_owner, json_incref(event));
	drop_early(sub);
}

void subscriber_trace_end(struct subscriber *sub)
{
	drop_early(sub);
	sub->engine.softwire.tracing = false;
}

void subscriber_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len)
{
	struct subscriber *sub = container_of(container_of(s, struct softwire_sc, softwire), struct subscriber, engine);
	struct concentrator *c = sub->role;
	json_t *early = sub->setup ? sub->setup->early : NULL, *event;

	if (!c->trace_emit || (early && json_array_size(early) >= EARLY_EVENTS))
		return;
	event = report_trace(s, sub->id, NULL, sub->user, what, data, len, s->now);
	if (early)
		json_array_append_new(early, event);
	else
		c->trace_emit(c->trace_owner, event);
}

void concentrator_trace(struct concentrator *c, const char *user, concentrator_trace_emit *emit, void *owner)
{
	c->trace_emit = emit;
	c->trace_owner = owner;
	snprintf(c->trace_user, sizeof(c->trace_user), "%s", emit && user ? user : "");
	for (struct subscriber *sub = c->all; sub; sub = sub->next) {
		const char *name = sub->user ? sub->user : sub->setup ? sub->setup->claimed : NULL;

		drop_early(sub);
		sub->engine.softwire.tracing = name && is_traced(c, name, strlen(name));
	}
}

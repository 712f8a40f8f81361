/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initiators that go while the daemon stays: a reload has no use for them any more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/parts.h"

struct leaving {
	struct leaving *next;
	struct worker *w;
	struct initiator *initiator;
};

/* Out of the list. */
static void leaving_free(struct leaving *l)
{
	keeper_forget(l->w->keeper, l);
	keeper_forget(l->w->keeper, l->initiator); /* hooks may still run */
	initiator_free(l->initiator);
	free(l);
}

/* The keeper answers in order, so that nothing else is on its way to the initiator any more. */
static void device_closed(void *owner, int result, int fd)
{
	struct leaving *l = owner;
	struct worker *w = l->w;

	log_message(w->log, LEVEL_INFO, "initiator-gone", "%s", initiator_name(l->initiator));
	for (struct leaving **at = &w->leaving; *at; at = &(*at)->next)
		if (*at == l) {
			*at = l->next;
			break;
		}
	leaving_free(l);
	if (w->stopping)
		worker_role_stopped(w);
}

static void stopped(void *owner)
{
	struct leaving *l = owner;
	char device[32];

	snprintf(device, sizeof(device), "si-%s", initiator_name(l->initiator));
	keeper_close_tun(l->w->keeper, device, device_closed, l);
}

struct leaving *leaving_new(struct worker *w)
{
	struct leaving *l = calloc(1, sizeof(*l));

	if (l)
		l->w = w;
	return l;
}

void leaving_begin(struct leaving *l, struct initiator *i)
{
	l->initiator = i;
	l->next = l->w->leaving;
	l->w->leaving = l;
	initiator_stop(i, stopped, l);
}

bool leaving_has(const struct worker *w, const char *name)
{
	for (const struct leaving *l = w->leaving; l; l = l->next)
		if (!strcmp(initiator_name(l->initiator), name))
			return true;
	return false;
}

unsigned leaving_count(const struct worker *w)
{
	unsigned n = 0;

	for (const struct leaving *l = w->leaving; l; l = l->next)
		n++;
	return n;
}

void leaving_free_all(struct worker *w)
{
	struct leaving *next;

	for (struct leaving *l = w->leaving; l; l = next) {
		next = l->next;
		leaving_free(l);
	}
	w->leaving = NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See paper.h. */
#include "paper.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void note_name(struct afbr *a, const char *name)
{
	a->all = !name;
	snprintf(a->name, sizeof(a->name), "%s", name ? name : "");
}

json_t *afbr_show_neighbors(struct afbr *a, const char *filter, const char **why)
{
	note_name(a, filter);
	*why = AFBR_NO_NEIGHBOR;
	if (filter && !strcmp(filter, "nobody"))
		return NULL;
	return json_pack("[{s:s}]", "name", filter ? filter : "ce1");
}

json_t *afbr_show_speaker(struct afbr *a)
{
	return json_pack("{s:i}", "as", 65000);
}

json_t *afbr_show_routes(
	struct afbr *a, const struct afbr_route_query *q, uint64_t *ret_next, const char **why)
{
	a->query = *q;
	if (q->within)
		a->within = *q->within;
	if (q->received && !strcmp(q->received, "nobody")) {
		*why = AFBR_NO_NEIGHBOR;
		return NULL;
	}
	*ret_next = a->next;
	return json_pack("[{s:s}]", "prefix", "198.51.100.0/24");
}

json_t *afbr_show_attributes(struct afbr *a, uint32_t limit)
{
	a->query.limit = limit;
	return json_array();
}

json_t *afbr_show_route(struct afbr *a, const struct prefix *p, bool exact, const char **why)
{
	a->route = *p;
	a->exact = exact;
	if (p->len == 8) {
		*why = "no table has this prefix";
		return NULL;
	}
	return json_pack("[{s:s}]", "prefix", "198.51.100.0/24");
}

json_t *afbr_show_counters(struct afbr *a)
{
	return json_pack("{s:i}", "connects", 1);
}

int afbr_clear(struct afbr *a, const char *name, const char *words, const char **why)
{
	*why = AFBR_NO_NEIGHBOR;
	a->changes++;
	note_name(a, name);
	snprintf(a->words, sizeof(a->words), "%s", words ? words : "");
	return name && !strcmp(name, "nobody") ? -ENOENT : 2;
}

int afbr_refresh(struct afbr *a, const char *name, bool in, bool out, const char **why)
{
	a->changes++;
	note_name(a, name);
	a->in = in;
	a->out = out;
	*why = "it has no session";
	return name && !strcmp(name, "down") ? -ENOTCONN : 1;
}

void afbr_dump(struct afbr *a, void (*done)(void *owner, const char *path, const char *why), void *owner)
{
	a->changes++;
	a->dumped = done;
	a->owner = owner;
}

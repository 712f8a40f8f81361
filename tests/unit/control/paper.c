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

json_t *afbr_show_paths(struct afbr *a, uint32_t limit, uint64_t after, uint64_t *ret_next, const char **why)
{
	a->query.limit = limit;
	a->query.after = after;
	*ret_next = a->next;
	*why = AFBR_NO_CORE;
	return a->no_core ? NULL : json_pack("[{s:i}]", "path", 7);
}

json_t *afbr_show_endpoints(struct afbr *a, const struct addr *address, const char **why)
{
	a->all = !address;
	if (address)
		a->address = *address;
	*why = AFBR_NO_CORE;
	return a->no_core ? NULL : json_pack("[{s:i}]", "endpoint", 3);
}

json_t *afbr_show_acceptance(struct afbr *a, const char **why)
{
	*why = AFBR_NO_CORE;
	return a->no_core ? NULL : json_pack("{s:[]}", "accept");
}

json_t *afbr_show_fib(struct afbr *a, const struct afbr_route_query *q, uint64_t *ret_next, const char **why)
{
	*why = AFBR_NOT_UP;
	return a->no_core ? NULL : afbr_show_routes(a, q, ret_next, why);
}

int afbr_mesh_roll(struct afbr *a, const char **why)
{
	a->changes++;
	*why = AFBR_NO_CORE;
	return a->no_core ? -EOPNOTSUPP : 2;
}

int afbr_mesh_shutdown(struct afbr *a, const struct addr *endpoint, bool shut, const char **why)
{
	a->changes++;
	a->address = *endpoint;
	a->shut = shut;
	*why = "there is no such endpoint";
	return a->no_core ? -ENOENT : 1;
}

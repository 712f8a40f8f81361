/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of the control socket that are about softwires of the mesh (doc/control.md). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/problem.h"
#include "control/verb.h"

static bool has_mesh(struct request *q)
{
	if (q->targets->afbr)
		return true;
	q->answer->object = request_refusal("there is no afbr here, so there are no softwires of a mesh");
	return false;
}

/* ROWS, or WHY there are none. */
static bool answer_rows(struct request *q, const char *name, json_t *rows, const char *why)
{
	q->answer->object = rows ? json_pack("{s:b}", "ok", 1) : request_refusal("%s", why);
	q->answer->name = rows ? name : NULL;
	q->answer->list = rows;
	return rows != NULL;
}

/* False, and a refusal. */
static bool address_of(struct request *q, struct addr *ret)
{
	const char *text = verb_text(q, "address");

	if (!addr_parse(text, ret))
		return true;
	q->answer->object = request_refusal("\"%s\" must be the address of an endpoint", quoted(text).text);
	return false;
}

/* ---- show ---- */

void verb_show_paths(struct request *q)
{
	const char *after = verb_text(q, "after"), *why = "";
	uint64_t next = 0, from = 0;
	char *end = NULL, text[32];
	json_t *rows;

	if (!has_mesh(q))
		return;
	if (after)
		from = strtoull(after, &end, 10);
	if (after && (*end || !from || *after < '0' || *after > '9')) {
		q->answer->object =
			request_refusal("\"after\" must be what \"next\" was in the answer before");
		return;
	}
	rows = afbr_show_paths(
		q->targets->afbr, (uint32_t)verb_number(q, "limit", AFBR_PAGE), from, &next, &why);
	if (!answer_rows(q, "paths", rows, why))
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)next);
	json_object_set_new(q->answer->object, "next", next ? json_string(text) : json_null());
}

void verb_show_endpoints(struct request *q)
{
	const char *text = verb_text(q, "address"), *why = "";
	struct addr address;
	json_t *rows;

	if (!has_mesh(q) || (text && !address_of(q, &address)))
		return;
	rows = afbr_show_endpoints(q->targets->afbr, text ? &address : NULL, &why);
	(void)answer_rows(q, "endpoints", rows, why);
}

void verb_show_acceptance(struct request *q)
{
	const char *why = "";
	json_t *acceptance = has_mesh(q) ? afbr_show_acceptance(q->targets->afbr, &why) : NULL;

	if (acceptance)
		q->answer->object = json_pack("{s:b, s:o}", "ok", 1, "acceptance", acceptance);
	else if (q->targets->afbr)
		q->answer->object = request_refusal("%s", why);
}

void verb_show_fib(struct request *q)
{
	struct afbr_route_query query;
	struct prefix within;
	const char *why = "";
	uint64_t next = 0;
	json_t *rows;

	if (!has_mesh(q) || !verb_route_query(q, &query, &within))
		return;
	rows = afbr_show_fib(q->targets->afbr, &query, &next, &why);
	if (answer_rows(q, "fib", rows, why))
		verb_answer_next(q, next);
}

/* ---- change ---- */

static void answer_count(struct request *q, const char *name, int count, const char *why)
{
	q->answer->object =
		count < 0 ? request_refusal("%s", why) : json_pack("{s:b, s:i}", "ok", 1, name, count);
}

void verb_mesh_roll(struct request *q)
{
	const char *why = "";
	int count;

	if (!has_mesh(q))
		return;
	count = afbr_mesh_roll(q->targets->afbr, &why);
	answer_count(q, "rolled", count, why);
}

static void shut(struct request *q, bool shut)
{
	const char *why = "";
	struct addr address;
	int count;

	if (!has_mesh(q) || !address_of(q, &address))
		return;
	count = afbr_mesh_shutdown(q->targets->afbr, &address, shut, &why);
	answer_count(q, "endpoints", count, why);
}

void verb_mesh_shutdown(struct request *q)
{
	shut(q, true);
}

void verb_mesh_start(struct request *q)
{
	shut(q, false);
}

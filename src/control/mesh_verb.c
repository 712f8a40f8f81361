/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of the control socket that are about BGP (doc/control.md). */
#include <stdio.h>
#include <string.h>

#include "control/problem.h"
#include "control/verb.h"

enum { SETS = 100 };

static bool has_mesh(struct request *q)
{
	if (q->targets->afbr)
		return true;
	q->answer->object = request_refusal("there is no afbr here, so there is no BGP");
	return false;
}

static void answer_list(struct request *q, const char *name, json_t *list)
{
	q->answer->object = json_pack("{s:b}", "ok", 1);
	q->answer->name = name;
	q->answer->list = list;
}

/* NAME may be NULL. */
static void refuse_neighbor(struct request *q, const char *name, const char *why)
{
	q->answer->object = request_refusal("%s%s%s", name ? quoted(name).text : "", name ? ": " : "", why);
}

/* ---- show ---- */

void verb_show_bgp_neighbors(struct request *q)
{
	const char *filter = verb_text(q, "filter"), *why = NULL;
	json_t *rows = has_mesh(q) ? afbr_show_neighbors(q->targets->afbr, filter, &why) : NULL;

	if (why && !rows) {
		refuse_neighbor(q, filter, why);
	} else if (rows) {
		answer_list(q, "neighbors", rows);
		json_object_set_new(q->answer->object, "speaker", afbr_show_speaker(q->targets->afbr));
	}
}

bool verb_route_query(struct request *q, struct afbr_route_query *ret, struct prefix *within)
{
	const char *family = verb_text(q, "family"), *inside = verb_text(q, "within"),
		   *after = verb_text(q, "after");
	char words[128] = "";
	unsigned table, net;
	int end = 0;

	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s", f ? ", " : "",
			bgp_family_name((enum bgp_family)f));
	*ret = (struct afbr_route_query){.family = BGP_FAMILIES,
		.received = verb_text(q, "received"),
		.advertised = verb_text(q, "advertised"),
		.limit = (uint32_t)verb_number(q, "limit", AFBR_PAGE)};
	if (family && bgp_family_parse(family, &ret->family))
		q->answer->object = request_refusal(
			"\"%s\" is no family: it must be one of %s", quoted(family).text, words);
	else if (inside && prefix_parse(inside, within))
		q->answer->object = request_refusal(
			"\"%s\" must be a prefix without bits set behind its length, like 198.51.100.0/22",
			quoted(inside).text);
	else if (ret->received && ret->advertised)
		q->answer->object = request_refusal("\"received\" or \"advertised\", not both");
	else if (after && (sscanf(after, "%9u.%10u%n", &table, &net, &end) != 2 || after[end]))
		q->answer->object =
			request_refusal("\"after\" must be what \"next\" was in the answer before");
	else if (after)
		ret->after = (uint64_t)table << 32 | net;
	ret->within = inside ? within : NULL;
	return !q->answer->object;
}

void verb_answer_next(struct request *q, uint64_t next)
{
	char text[32];

	snprintf(text, sizeof(text), "%u.%u", (unsigned)(next >> 32), (unsigned)next);
	json_object_set_new(q->answer->object, "next", next ? json_string(text) : json_null());
}

void verb_show_bgp_routes(struct request *q)
{
	struct afbr_route_query query;
	struct prefix within;
	const char *why = NULL;
	uint64_t next = 0;
	json_t *rows;

	if (!has_mesh(q) || !verb_route_query(q, &query, &within))
		return;
	rows = afbr_show_routes(q->targets->afbr, &query, &next, &why);
	if (!rows) {
		refuse_neighbor(q, query.received ? query.received : query.advertised, why);
		return;
	}
	answer_list(q, "routes", rows);
	verb_answer_next(q, next);
}

void verb_show_bgp_attributes(struct request *q)
{
	if (has_mesh(q))
		answer_list(q, "attributes",
			afbr_show_attributes(q->targets->afbr, (uint32_t)verb_number(q, "limit", SETS)));
}

void verb_show_route(struct request *q)
{
	const char *text = verb_text(q, "to"), *why = NULL;
	struct prefix p;
	struct addr a;
	bool exact = strchr(text, '/');
	json_t *route;

	if (!has_mesh(q))
		return;
	if (exact ? prefix_parse(text, &p) : addr_parse(text, &a)) {
		q->answer->object = request_refusal("\"%s\" must be an address, or a prefix without bits set "
						    "behind its length, like 198.51.100.0/22",
			quoted(text).text);
		return;
	}
	if (!exact)
		p = prefix_of(&a, addr_bits(a.family));
	route = afbr_show_route(q->targets->afbr, &p, exact, &why);
	if (route)
		answer_list(q, "routes", route);
	else
		q->answer->object = request_refusal("%s: %s", quoted(text).text, why);
}

/* ---- change ---- */

/* One of them, or all. False, and a refusal. */
static bool neighbor_named(struct request *q, const char **ret)
{
	*ret = verb_text(q, "neighbor");
	if (!*ret == verb_true(q, "all"))
		return true;
	q->answer->object = request_refusal("either \"neighbor\" or \"all\"");
	return false;
}

static void answer_count(struct request *q, const char *name, int count)
{
	q->answer->object = json_pack("{s:b, s:i}", "ok", 1, name, count);
}

void verb_bgp_clear(struct request *q)
{
	const char *name, *why = NULL, *words = verb_text(q, "words");
	int count;

	if (!has_mesh(q) || !neighbor_named(q, &name))
		return;
	if (words && strlen(words) > BGP_SHUTDOWN_TEXT) {
		q->answer->object = request_refusal("\"words\" has %zu bytes: it must have at most %d",
			strlen(words), BGP_SHUTDOWN_TEXT);
		return;
	}
	count = afbr_clear(q->targets->afbr, name, words, &why);
	if (count < 0)
		refuse_neighbor(q, name, why);
	else
		answer_count(q, "cleared", count);
}

void verb_bgp_refresh(struct request *q)
{
	bool in = verb_true(q, "in"), out = verb_true(q, "out");
	const char *name, *why = NULL;
	int count;

	if (!has_mesh(q) || !neighbor_named(q, &name))
		return;
	count = afbr_refresh(q->targets->afbr, name, in || !out, out || !in, &why);
	if (count < 0)
		refuse_neighbor(q, name, why);
	else
		answer_count(q, "refreshed", count);
}

void verb_bgp_dump(struct request *q)
{
	if (has_mesh(q))
		q->answer->then = REQUEST_DUMP;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why this route: all paths for one prefix, the step of route selection at which each was left behind, and who is told the best one. */
#include <jansson.h>
#include <stdlib.h>

#include "afbr/routes.h"
#include "afbr/show_mesh.h"
#include "bgp/explain.h"
#include "lib/text.h"
#include "report/report.h"

enum { WHY = 320 };

/* By which rule of its import policy: what is stored of a path that was rejected is what came. */
static void add_policy(
	struct text *t, const struct afbr *a, const struct rib *r, rib_id net, const struct rib_path *p)
{
	const struct prefix prefix = rib_prefix(r, net);
	struct bgp_neighbor *n = bgp_source_neighbor(a->bgp, p->source);
	const struct policy_subject subject = {.family = r->family,
		.prefix = &prefix,
		.set = bgp_set_reader(p->set),
		.facts = &p->set->facts,
		.next_hop = &p->set->next_hop->value,
		.source = bgp_source_name(a->bgp, p)};
	struct bgp_neighbor_view view;
	struct policy_result result;
	char words[WHY];

	if (!n)
		return;
	bgp_neighbor_view(n, &view);
	if (!view.config->import_policy)
		return;
	policy_judge(view.config->import_policy, &subject, &result);
	text_add(t, ": %s", policy_explain(view.config->import_policy, &result, words, sizeof(words)));
}

/* ---- one prefix ---- */

/* The reasons name neighbours by it. */
static json_t *address_of(const struct afbr *a, const struct rib_path *p)
{
	const struct bgp_neighbor *n = bgp_source_neighbor(a->bgp, p->source);
	struct bgp_neighbor_view view;

	if (!n)
		return json_null();
	bgp_neighbor_view(n, &view);
	return report_addr(&view.config->address);
}

static json_t *paths_of(const struct afbr *a, const struct rib *r, rib_id net, struct explain *e)
{
	json_t *list = json_array();

	explain_net(r, net, e);
	for (unsigned i = 0; i < e->count; i++) {
		const struct explain_path *p = &e->paths[i];
		char why[EXPLAIN_TEXT + WHY];
		struct text t = {why, sizeof(why), 0};
		json_t *row = json_object();

		routes_add_path(row, a, r, net, p->path);
		json_object_set_new(row, "from_address", address_of(a, p->path));
		text_add(&t, "%s", p->why);
		if (p->path->bar == BGP_BAR_POLICY)
			add_policy(&t, a, r, net, p->path);
		json_object_set_new(row, "step", json_string(explain_step_name(p->step)));
		json_object_set_new(row, "why", report_text(why));
		json_array_append_new(list, row);
	}
	return list;
}

/* Whom the best one is told, and why others are not. */
static json_t *told_of(const struct afbr *a, const struct rib *r, rib_id net, uint8_t *set)
{
	const struct rib_path *best = rib_best(r, net);
	json_t *list = json_array();

	for (struct bgp_neighbor *n = best ? bgp_neighbor_next(a->bgp, NULL) : NULL; n;
		n = bgp_neighbor_next(a->bgp, n)) {
		struct bgp_neighbor_view view;
		struct writer w = writer_of(set, BGP_SET_MAX);
		struct bgp_next_hop_value hop;
		uint32_t label;
		char why[WHY] = "";
		bool told;

		bgp_neighbor_view(n, &view);
		if (!view.family[r->family].on)
			continue;
		told = bgp_export(n, r->family, net, best, &w, &hop, &label, why, sizeof(why));
		json_array_append_new(
			list, json_pack("{s:s, s:b, s:o}", "neighbor", bgp_neighbor_name(n), "told", told,
				      "because", told ? json_null() : report_text(why)));
	}
	return list;
}

/* The longest prefix that has A and that somebody has told, also if none of its paths can be used: 0, there is none. */
static rib_id longest_told(const struct rib *r, const struct addr *a)
{
	for (int len = (int)addr_bits(a->family); len >= 0; len--) {
		struct prefix p = prefix_of(a, (unsigned)len);
		rib_id net = rib_find(r, &p);

		if (net && rib_first_path(r, net))
			return net;
	}
	return 0;
}

/* What takes more room than a stack has. */
struct room {
	struct explain explain;
	uint8_t set[BGP_SET_MAX];
};

static json_t *row_of(struct afbr *a, const struct rib *r, rib_id net, struct room *room)
{
	json_t *row = routes_row(r, net);
	char text[WHY];

	json_object_set_new(row, "paths", paths_of(a, r, net, &room->explain));
	json_object_set_new(row, "kernel", report_text(export_state(a, r->family, net, text, sizeof(text))));
	json_object_set_new(row, "forwarding", show_mesh_forwarding(a, r->family, net));
	json_object_set_new(row, "neighbors", told_of(a, r, net, room->set));
	return row;
}

/* Of an address first what would be there, if it cannot be used; then what is. */
static void add_rows(json_t *list, struct afbr *a, const struct rib *r, const struct prefix *p, bool exact,
	struct room *room)
{
	rib_id told = exact ? rib_find(r, p) : longest_told(r, &p->addr);
	rib_id used = exact ? told : rib_longest(r, &p->addr);

	if (told)
		json_array_append_new(list, row_of(a, r, told, room));
	if (used && used != told)
		json_array_append_new(list, row_of(a, r, used, room));
}

json_t *afbr_show_route(struct afbr *a, const struct prefix *p, bool exact, const char **why)
{
	json_t *list = json_array();
	struct room *room = malloc(sizeof(*room));

	for (unsigned f = 0; f < BGP_FAMILIES && a->running && room; f++) {
		const struct rib *r = bgp_rib(a->bgp, (enum bgp_family)f);

		if (bgp_family_af(r->family) == p->addr.family)
			add_rows(list, a, r, p, exact, room);
	}
	*why = !room         ? "not enough memory"
	       : !a->running ? AFBR_NOT_UP
	       : exact       ? "no table has this prefix"
			     : "no table has a prefix with this address in it";
	free(room);
	if (json_array_size(list))
		return list;
	json_decref(list);
	return NULL;
}

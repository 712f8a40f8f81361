/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables for the control socket, a page at a time: what is asked for is not kept between two pages, and a page costs no more than a slice of looking, however
 * long the table is.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/routes.h"
#include "report/report.h"

enum { PATH_TEXT = 4096 };

/* ---- attributes ---- */

static void add_communities(json_t *object, struct reader set)
{
	struct bgp_attribute attribute;
	json_t *list = json_array(), *extended = json_array(), *large = json_array();
	char text[48];

	if (bgp_attribute_find(set, BGP_COMMUNITIES, &attribute))
		while (reader_left(&attribute.value) >= 4)
			json_array_append_new(
				list, json_string(bgp_community_print(reader_u32(&attribute.value), text)));
	if (bgp_attribute_find(set, BGP_EXTENDED_COMMUNITIES, &attribute))
		while (reader_left(&attribute.value) >= 8)
			json_array_append_new(extended, json_string(bgp_extended_community_print(
								reader_u64(&attribute.value), text)));
	if (bgp_attribute_find(set, BGP_LARGE_COMMUNITIES, &attribute))
		while (reader_left(&attribute.value) >= 12) {
			uint32_t c[3];

			for (unsigned i = 0; i < 3; i++)
				c[i] = reader_u32(&attribute.value);
			json_array_append_new(large, json_string(bgp_large_community_print(c, text)));
		}
	json_object_set_new(object, "communities", list);
	json_object_set_new(object, "extended_communities", extended);
	json_object_set_new(object, "large_communities", large);
}

static json_t *tunnels_of(struct reader set)
{
	json_t *list = json_array();
	struct bgp_attribute attribute;
	struct bgp_tunnels tunnels = {0};
	const char *why;
	char text[512];

	if (!bgp_attribute_find(set, BGP_TUNNEL_ENCAP, &attribute) ||
		bgp_tunnels_read(attribute.value, &tunnels, &why))
		return list;
	for (unsigned i = 0; i < tunnels.count; i++)
		json_array_append_new(
			list, report_text(bgp_tunnel_print(&tunnels.tunnel[i], text, sizeof(text))));
	return list;
}

static json_t *id_of(uint32_t id)
{
	const struct addr a =
		addr4((uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id);

	return id ? report_addr(&a) : json_null();
}

static json_t *clusters_of(struct reader set)
{
	struct bgp_attribute attribute;
	json_t *list = json_array();

	if (bgp_attribute_find(set, BGP_CLUSTER_LIST, &attribute))
		while (reader_left(&attribute.value) >= 4)
			json_array_append_new(list, id_of(reader_u32(&attribute.value)));
	return list;
}

static void add_set(json_t *object, struct reader set, const struct bgp_facts *f)
{
	static const char *const origins[] = {"igp", "egp", "incomplete"};
	char path[PATH_TEXT];

	json_object_set_new(
		object, "local_pref", f->has_local_pref ? json_integer(f->local_pref) : json_null());
	json_object_set_new(object, "as_path", json_string(bgp_path_print(set, path, sizeof(path))));
	json_object_set_new(object, "origin", json_string(f->origin < 3 ? origins[f->origin] : "unknown"));
	json_object_set_new(object, "med", f->has_med ? json_integer(f->med) : json_null());
	json_object_set_new(object, "originator_id", id_of(f->originator_id));
	json_object_set_new(object, "cluster_list", clusters_of(set));
	add_communities(object, set);
	json_object_set_new(object, "tunnels", tunnels_of(set));
}

static void add_next_hop(json_t *object, const struct bgp_next_hop_value *n)
{
	json_object_set_new(
		object, "next_hop", report_addr(addr_is_none(&n->global) ? &n->link_local : &n->global));
	json_object_set_new(object, "link_local_next_hop", report_addr(&n->link_local));
}

/* ---- paths ---- */

json_t *routes_row(const struct rib *r, rib_id net)
{
	const struct prefix p = rib_prefix(r, net);
	json_t *row = json_object();

	json_object_set_new(row, "family", json_string(bgp_family_name(r->family)));
	json_object_set_new(row, "prefix", report_prefix(&p));
	return row;
}

/* As it stands in the table. */
void routes_add_path(
	json_t *row, const struct afbr *a, const struct rib *r, rib_id net, const struct rib_path *p)
{
	const struct bgp_next_hop *hop = p->set->next_hop;
	uint32_t now = (uint32_t)(loop_clock() / 1000);
	bool needed = p->source != 0,
	     reached = !needed || (!hop->ours && (hop->reached || !a->config->check_next_hops));

	json_object_set_new(row, "from", report_text(bgp_source_name(a->bgp, p)));
	json_object_set_new(row, "best", json_boolean(rib_best(r, net) == p));
	json_object_set_new(
		row, "barred", p->bar ? json_string(bgp_bar_text((enum bgp_bar)p->bar)) : json_null());
	json_object_set_new(row, "stale", json_boolean(rib_is_stale(r, p)));
	json_object_set_new(row, "age_seconds", json_integer(now > p->since ? now - p->since : 0));
	json_object_set_new(
		row, "label", bgp_family_labeled(r->family) ? json_integer(p->label) : json_null());
	add_next_hop(row, &hop->value);
	json_object_set_new(row, "reached", json_boolean(reached));
	json_object_set_new(row, "metric", hop->reached ? json_integer(hop->metric) : json_null());
	json_object_set_new(row, "unreached_because",
		reached ? json_null() : report_text(hop->ours ? "it is one of our own addresses" : hop->why));
	add_set(row, bgp_set_reader(p->set), &p->set->facts);
}

static const struct rib_path *path_from(const struct rib *r, rib_id net, uint16_t source)
{
	const struct rib_path *p = rib_first_path(r, net);

	while (p && p->source != source)
		p = rib_next_path(r, p);
	return p;
}

/* ---- a page ---- */

struct page {
	struct afbr *role;
	const struct afbr_route_query *query;
	routes_row_of *row_of;
	void *owner;
	json_t *rows;
	uint32_t looked_at;
};

static void look_at_net(struct page *g, struct rib *r, rib_id net)
{
	json_t *row;

	if (g->query->within) {
		const struct prefix prefix = rib_prefix(r, net);

		if (!prefix_contains(g->query->within, &prefix))
			return;
	}
	row = g->row_of(g->owner, r, net);
	if (row)
		json_array_append_new(g->rows, row);
}

static bool is_full(const struct page *g)
{
	size_t rows = json_array_size(g->rows);

	return rows >= g->query->limit || rows >= AFBR_PAGE || g->looked_at >= AFBR_LOOKED_AT;
}

static bool is_wanted(const struct page *g, unsigned family)
{
	const struct prefix *within = g->query->within;

	return (g->query->family == BGP_FAMILIES || g->query->family == family) &&
	       (!within || within->addr.family == bgp_family_af((enum bgp_family)family));
}

/* A place is a table and a net in it. */
#define TABLE ((uint64_t)UINT32_MAX + 1)

/* Where the next page begins; 0: there is none. */
static uint64_t fill(struct page *g)
{
	unsigned family = (unsigned)(g->query->after / TABLE);
	rib_id net = (rib_id)(g->query->after % TABLE);

	for (; family < BGP_FAMILIES; family++, net = 0) {
		struct rib *r = bgp_rib(g->role->bgp, (enum bgp_family)family);

		if (!is_wanted(g, family))
			continue;
		while ((net = rib_walk(r, net))) {
			g->looked_at++;
			look_at_net(g, r, net);
			if (is_full(g))
				return family * TABLE + net;
		}
	}
	return 0;
}

json_t *routes_page(struct afbr *a, const struct afbr_route_query *q, routes_row_of *row_of, void *owner,
	uint64_t *ret_next, const char **why)
{
	struct page g = {.role = a, .query = q, .row_of = row_of, .owner = owner, .rows = json_array()};

	if (!g.rows) {
		*why = "not enough memory";
		return NULL;
	}
	*ret_next = fill(&g);
	return g.rows;
}

/* ---- of which table ---- */

struct table {
	struct afbr *role;
	struct bgp_neighbor *received, *advertised;
	uint8_t *set; /* room for one, of what is told */
};

static json_t *told_row(struct table *t, struct rib *r, rib_id net, const struct rib_path *best)
{
	struct writer w = writer_of(t->set, BGP_SET_MAX);
	struct bgp_next_hop_value hop = {0};
	struct bgp_facts facts;
	uint32_t label = 0;
	char why[256];
	json_t *row;

	if (!bgp_export(t->advertised, r->family, net, best, &w, &hop, &label, why, sizeof(why)))
		return NULL;
	row = routes_row(r, net);
	bgp_facts_of(reader_of(t->set, writer_len(&w)), &facts);
	json_object_set_new(row, "from", report_text(bgp_source_name(t->role->bgp, best)));
	json_object_set_new(row, "label", bgp_family_labeled(r->family) ? json_integer(label) : json_null());
	add_next_hop(row, &hop);
	add_set(row, reader_of(t->set, writer_len(&w)), &facts);
	return row;
}

static json_t *table_row(void *owner, struct rib *r, rib_id net)
{
	struct table *t = owner;
	const struct rib_path *p =
		t->received ? path_from(r, net, bgp_neighbor_source(t->received)) : rib_best(r, net);
	json_t *row;

	if (!p || t->advertised)
		return p ? told_row(t, r, net, p) : NULL;
	row = routes_row(r, net);
	routes_add_path(row, t->role, r, net, p);
	return row;
}

static bool find_neighbor(const struct afbr *a, const char *name, struct bgp_neighbor **ret, const char **why)
{
	*ret = name ? neighbor_named(a, name) : NULL;
	if (name && !*ret)
		*why = AFBR_NO_NEIGHBOR;
	return !name || *ret;
}

json_t *afbr_show_routes(
	struct afbr *a, const struct afbr_route_query *q, uint64_t *ret_next, const char **why)
{
	struct table t = {.role = a};
	json_t *rows = NULL;

	if (!a->running) {
		*why = AFBR_NOT_UP;
		return NULL;
	}
	if (!find_neighbor(a, q->received, &t.received, why) ||
		!find_neighbor(a, q->advertised, &t.advertised, why))
		return NULL;
	t.set = q->advertised ? malloc(BGP_SET_MAX) : NULL;
	if (q->advertised && !t.set)
		*why = "not enough memory";
	else
		rows = routes_page(a, q, table_row, &t, ret_next, why);
	free(t.set);
	return rows;
}

/* ---- attribute sets ---- */

static int by_use(const void *x, const void *y)
{
	const struct bgp_set *a = *(const struct bgp_set *const *)x, *b = *(const struct bgp_set *const *)y;

	return a->refs > b->refs ? -1 : a->refs < b->refs;
}

/* Into LIST, which has room for twice LIMIT: the most shared ones, and how many that are. */
static unsigned most_shared(const struct bgp_sets *sets, const struct bgp_set **list, uint32_t limit)
{
	uint32_t cursor = 0, least = 0;
	unsigned count = 0;
	const struct bgp_set *s;

	while ((s = bgp_sets_next(sets, &cursor))) {
		if (s->refs <= least)
			continue;
		list[count++] = s;
		if (count < 2 * limit)
			continue;
		qsort(list, count, sizeof(const struct bgp_set *), by_use);
		count = limit;
		least = list[limit - 1]->refs;
	}
	qsort(list, count, sizeof(const struct bgp_set *), by_use);
	return count < limit ? count : limit;
}

json_t *afbr_show_attributes(struct afbr *a, uint32_t limit)
{
	const struct bgp_set **list = calloc(2 * (size_t)limit, sizeof(const struct bgp_set *));
	json_t *rows = json_array();
	unsigned count = list && a->running ? most_shared(bgp_rib(a->bgp, BGP_IPV4)->sets, list, limit) : 0;

	for (unsigned i = 0; i < count; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "routes", json_integer(list[i]->refs));
		json_object_set_new(row, "bytes", json_integer(list[i]->len));
		add_next_hop(row, &list[i]->next_hop->value);
		add_set(row, bgp_set_reader(list[i]), &list[i]->facts);
		json_array_append_new(rows, row);
	}
	free(list);
	return rows;
}

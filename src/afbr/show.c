/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbours and counters for the control socket, and what an operator does to neighbours. Tables are in routes.c. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "afbr/routes.h"
#include "afbr/show_mesh.h"
#include "report/report.h"

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* Whole seconds between two times; null for never. */
static json_t *seconds(msec from, msec to)
{
	return from == MSEC_NEVER || to == MSEC_NEVER ? json_null()
						      : number(to > from ? (to - from) / 1000 : 0);
}

static json_t *dotted(uint32_t id)
{
	const struct addr a =
		addr4((uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id);

	return id ? report_addr(&a) : json_null();
}

static json_t *family_names(bgp_families families)
{
	json_t *list = json_array();

	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (families & BGP_FAMILY_BIT(f))
			json_array_append_new(list, json_string(bgp_family_name((enum bgp_family)f)));
	return list;
}

/* ---- a neighbour ---- */

static json_t *error_of(const struct bgp_error *e, bool sent)
{
	char name[64];

	if (!e->code && !*e->reason)
		return json_null();
	return json_pack("{s:o, s:o, s:b}", "code",
		e->code ? json_string(bgp_error_name(e->code, e->subcode, name)) : json_null(), "reason",
		report_text(e->reason), "sent", sent);
}

static json_t *last_error_of(const struct bgp_neighbor_view *v, msec now)
{
	json_t *error = error_of(&v->last_error, v->last_error_sent);

	if (json_is_object(error))
		json_object_set_new(error, "ago_seconds", seconds(v->last_error_at, now));
	return error;
}

static json_t *families_of(const struct bgp_neighbor_view *v)
{
	json_t *list = json_array();

	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		const struct bgp_family_limits *limits = &v->config->limits[f];

		if (!(v->config->families & BGP_FAMILY_BIT(f)))
			continue;
		json_array_append_new(list,
			json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "family",
				bgp_family_name((enum bgp_family)f), "agreed", v->family[f].on, "received",
				number(v->family[f].received), "accepted", number(v->family[f].accepted),
				"advertised", number(v->family[f].advertised), "stale",
				number(v->family[f].stale), "max_prefix",
				limits->max_prefix ? number(limits->max_prefix) : json_null(),
				"end_of_rib_in", v->family[f].end_of_rib_in, "end_of_rib_out",
				v->family[f].end_of_rib_out));
	}
	return list;
}

/* What the peer has said in its OPEN. */
static json_t *capabilities_of(const struct bgp_neighbor_view *v)
{
	const struct bgp_capabilities *c = &v->theirs;

	if (v->state != BGP_ESTABLISHED)
		return json_null();
	return json_pack("{s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:o, s:o, s:i}", "families",
		family_names(c->families), "extended_next_hop", family_names(c->extended_next_hop), "as4",
		c->as4, "refresh", c->refresh, "enhanced_refresh", c->enhanced_refresh, "extended_message",
		c->extended_message, "graceful_restart", c->graceful, "graceful_notification",
		c->notification, "restart_time", c->restart_time, "graceful_families",
		family_names(c->graceful_families), "preserved", family_names(c->preserved), "unknown",
		c->unknown);
}

static json_t *counters_of(const struct bgp_neighbor_view *v)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "messages_in", number(v->messages_in),
		"messages_out", number(v->messages_out), "updates_in", number(v->updates_in), "updates_out",
		number(v->updates_out), "withdrawn_updates", number(v->withdrawn_updates),
		"discarded_attributes", number(v->discarded_attributes), "established",
		number(v->established), "flaps", v->flaps);
}

static void add_configuration(json_t *row, const struct bgp_neighbor_config *c, uint32_t as)
{
	uint32_t ours = c->local_as ? c->local_as : as;

	json_object_set_new(row, "description", report_text(c->description));
	json_object_set_new(row, "address", report_addr(&c->address));
	json_object_set_new(row, "interface", report_text(c->interface));
	json_object_set_new(row, "as", number(c->as));
	json_object_set_new(row, "local_as", number(ours));
	json_object_set_new(row, "internal", json_boolean(c->as == ours));
	json_object_set_new(row, "client", json_boolean(c->client));
	json_object_set_new(row, "passive", json_boolean(c->passive));
	json_object_set_new(row, "shutdown", json_boolean(c->shutdown));
	json_object_set_new(row, "password", json_boolean(*c->password_file));
	json_object_set_new(
		row, "ttl_security", c->ttl_security ? json_integer(c->ttl_security) : json_null());
	json_object_set_new(row, "import", report_text(c->import));
	json_object_set_new(row, "export", report_text(c->export));
}

static json_t *row_of(const struct afbr *a, const struct bgp_neighbor *n, msec now)
{
	json_t *row = json_object();
	struct bgp_neighbor_view v;
	bool up;

	bgp_neighbor_view(n, &v);
	up = v.state == BGP_ESTABLISHED;
	json_object_set_new(row, "name", report_text(v.config->name));
	add_configuration(row, v.config, bgp_config(a->bgp)->as);
	json_object_set_new(row, "state", json_string(bgp_state_name(v.state)));
	json_object_set_new(row, "since_seconds", seconds(v.since, now));
	json_object_set_new(row, "waiting", report_text(v.waiting));
	json_object_set_new(row, "next_try_seconds", up ? json_null() : seconds(now, v.next_try));
	json_object_set_new(row, "flushing", json_boolean(v.flushing));
	json_object_set_new(row, "router_id", dotted(v.remote_id));
	json_object_set_new(row, "hold_time", up ? number(v.hold_time) : json_null());
	json_object_set_new(row, "local", up ? report_endpoint(&v.local) : json_null());
	json_object_set_new(row, "remote", up ? report_endpoint(&v.remote) : json_null());
	json_object_set_new(row, "families", families_of(&v));
	json_object_set_new(row, "capabilities", capabilities_of(&v));
	json_object_set_new(row, "counters", counters_of(&v));
	json_object_set_new(row, "last_error", last_error_of(&v, now));
	json_object_set_new(
		row, "last_notification", error_of(&v.last_notification, v.last_notification_sent));
	return row;
}

/* Names of neighbours are no addresses: they have neither a colon, nor a digit first. */
struct bgp_neighbor *neighbor_named(const struct afbr *a, const char *text)
{
	struct bgp_neighbor *n = bgp_neighbor_find(a->bgp, text);
	struct addr address;

	if (n || addr_parse(text, &address))
		return n;
	return bgp_neighbor_by_address(a->bgp, &address, 0);
}

json_t *afbr_show_neighbors(struct afbr *a, const char *filter, const char **why)
{
	const struct bgp_neighbor *only = NULL;
	json_t *list;

	*why = !a->running ? AFBR_NOT_UP : AFBR_NO_NEIGHBOR;
	if (filter && (!a->running || !(only = neighbor_named(a, filter))))
		return NULL;
	list = json_array();
	for (const struct bgp_neighbor *n = a->running ? bgp_neighbor_next(a->bgp, NULL) : NULL; n;
		n = bgp_neighbor_next(a->bgp, n))
		if (!only || n == only)
			json_array_append_new(list, row_of(a, n, loop_clock()));
	return list;
}

static json_t *tables_of(struct afbr *a)
{
	json_t *list = json_array();

	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		const struct rib *r = bgp_rib(a->bgp, (enum bgp_family)f);

		if (r->path_count)
			json_array_append_new(list,
				json_pack("{s:s, s:o, s:o}", "family", bgp_family_name(r->family), "prefixes",
					number(r->net_count), "paths", number(r->path_count)));
	}
	return list;
}

json_t *afbr_show_speaker(struct afbr *a)
{
	const struct bgp_config *c;

	if (!a->running)
		return json_null();
	c = bgp_config(a->bgp);
	return json_pack("{s:o, s:o, s:o, s:b, s:o}", "as", number(c->as), "router_id", dotted(c->id),
		"cluster_id", dotted(c->cluster_id ? c->cluster_id : c->id), "restarting",
		bgp_is_deferring(a->bgp), "tables", tables_of(a));
}

/* ---- counters ---- */

/* Gauges: how much there is now. */
static json_t *now_of(const struct afbr *a)
{
	json_t *now = json_object();

	json_object_set_new(now, "attribute_sets", number(bgp_rib(a->bgp, BGP_IPV4)->sets->lookup.live));
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		const struct rib *r = bgp_rib(a->bgp, (enum bgp_family)f);
		char name[64];

		snprintf(name, sizeof(name), "%s_prefixes", bgp_family_name(r->family));
		json_object_set_new(now, name, number(r->net_count));
		snprintf(name, sizeof(name), "%s_paths", bgp_family_name(r->family));
		json_object_set_new(now, name, number(r->path_count));
	}
	return now;
}

json_t *afbr_show_counters(struct afbr *a)
{
	const struct afbr_counters *c = &a->counters;
	json_t *object = json_object(), *group = json_object();
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {{"connects", c->connects}, {"connects_failed", c->connects_failed},
		{"accepts", c->accepts}, {"strangers", c->strangers}, {"unwanted", c->unwanted},
		{"too_far", c->too_far}, {"unprotected", c->unprotected}, {"bytes_in", c->bytes_in},
		{"bytes_out", c->bytes_out}, {"signatures_wrong", c->signatures_wrong},
		{"mrt_written", c->mrt_written}, {"mrt_lost", c->mrt_lost}};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		json_object_set_new(group, counters[i].name, number(counters[i].value));
	json_object_set_new(object, "afbr", group);
	if (!a->running)
		return object;
	json_object_set_new(object, "now", now_of(a));
	import_show(a, object);
	export_show(a, object);
	if (a->softwires && a->softwires->plane)
		json_object_set_new(object, "mesh", show_mesh_counters(a));
	return object;
}

/* ---- what an operator does ---- */

int afbr_clear(struct afbr *a, const char *name, const char *words, const char **why)
{
	struct bgp_neighbor *only = name && a->running ? neighbor_named(a, name) : NULL;
	int count = 0;

	*why = !a->running ? AFBR_NOT_UP : AFBR_NO_NEIGHBOR;
	if (!a->running || (name && !only))
		return -ENOENT;
	for (struct bgp_neighbor *n = bgp_neighbor_next(a->bgp, NULL); n; n = bgp_neighbor_next(a->bgp, n)) {
		if (only && n != only)
			continue;
		bgp_neighbor_clear(n, words);
		count++;
	}
	return count;
}

int afbr_refresh(struct afbr *a, const char *name, bool in, bool out, const char **why)
{
	struct bgp_neighbor *only = name && a->running ? neighbor_named(a, name) : NULL;
	int count = 0, result = 0;

	*why = !a->running ? AFBR_NOT_UP : AFBR_NO_NEIGHBOR;
	if (!a->running || (name && !only))
		return -ENOENT;
	for (struct bgp_neighbor *n = bgp_neighbor_next(a->bgp, NULL); n; n = bgp_neighbor_next(a->bgp, n)) {
		int r;

		if (only && n != only)
			continue;
		r = bgp_neighbor_refresh(n, in, out);
		if (r)
			result = r;
		else
			count++;
	}
	if (count)
		return count;
	*why = result == -ENOTCONN     ? "it has no session"
	       : result == -EOPNOTSUPP ? "its peer cannot be asked for its routes again (RFC 2918): "
					 "`softwire bgp clear` does it"
				       : "it did not work";
	return result;
}

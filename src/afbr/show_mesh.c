/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Softwires for the control socket: paths, endpoints, what is taken and from whom, and what an operator does to them. Cookies are never shown. */
#include <errno.h>
#include <jansson.h>
#include <net/if.h>
#include <string.h>

#include "afbr/accept.h"
#include "afbr/show_mesh.h"
#include "report/report.h"

enum { ENCAPSULATION = 128, SENDERS_SHOWN = 5000 };

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* Null for 0: it is not known, or there is none. */
static json_t *number_or_null(uint64_t n)
{
	return n ? number(n) : json_null();
}

/* Whole seconds between two times. */
static json_t *seconds(msec from, msec to)
{
	return number(to > from ? (to - from) / 1000 : 0);
}

static json_t *encapsulation(const struct mesh_encapsulation *e)
{
	char text[ENCAPSULATION];

	return json_string(mesh_encapsulation_print(e, text, sizeof(text)));
}

static void add_counters(json_t *row, const char *way, const struct mesh_family_counters *c4,
	const struct mesh_family_counters *c6)
{
	const struct {
		const char *family, *what;
		uint64_t value;
	} counters[] = {{"4", "packets", c4->packets}, {"4", "bytes", c4->bytes},
		{"6", "packets", c6->packets}, {"6", "bytes", c6->bytes}};
	char name[32];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s_%s", way, counters[i].family, counters[i].what);
		json_object_set_new(row, name, number(counters[i].value));
	}
}

/* NULL, and *why. */
static struct softwires *softwires_of(const struct afbr *a, const char **why)
{
	if (!a->running)
		*why = AFBR_NOT_UP;
	else if (!a->softwires || !a->softwires->up)
		*why = AFBR_NO_CORE;
	else
		return a->softwires;
	return NULL;
}

/* ---- paths ---- */

static json_t *leg_of(const struct mesh_leg *leg)
{
	const struct softwire_endpoint *e = leg->endpoint ? leg->endpoint->owner : NULL;

	if (!e)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:s, s:b, s:o}", "endpoint", number(e->number), "address",
		report_addr(&e->key.address), "encapsulation", encapsulation(&e->key.how), "state",
		endpoint_state_name(e->state), "usable", leg->endpoint->usable, "label",
		e->key.how.mpls ? number(leg->label) : json_null());
}

/* Null: all. */
static json_t *dscps_of(const struct afbr_config *c, unsigned slot)
{
	json_t *list;

	if (c->slot_count <= 1)
		return json_null();
	list = json_array();
	for (unsigned d = 0; d < MESH_DSCPS; d++)
		if (c->slot_of[d] == slot)
			json_array_append_new(list, json_integer(d));
	return list;
}

static json_t *slot_of(const struct afbr_config *c, const struct mesh_path *p, unsigned i)
{
	const struct mesh_slot *s = &p->slots[i];
	bool primary = s->primary.endpoint && s->primary.endpoint->usable,
	     backup = s->backup.endpoint && s->backup.endpoint->usable;

	return json_pack("{s:o, s:o, s:o, s:s}", "dscp", dscps_of(c, i), "primary", leg_of(&s->primary),
		"backup", leg_of(&s->backup), "goes_by",
		primary  ? "primary"
		: backup ? "backup"
			 : "none");
}

static json_t *path_row(const struct afbr *a, const struct mesh_path *p)
{
	const struct softwire_path *own = p->owner;
	const struct addr gateway = mesh_path_gateway(p->number);
	const struct afbr_config *c = a->config;
	json_t *row = json_object(), *slots = json_array();

	for (unsigned i = 0; i < (c->slot_count ? c->slot_count : 1); i++)
		json_array_append_new(slots, slot_of(c, p, i));
	json_object_set_new(row, "path", number(p->number));
	json_object_set_new(row, "gateway", report_addr(&gateway));
	json_object_set_new(row, "routes", number(own ? own->refs - own->adopted - (own->error != 0) : 0));
	json_object_set_new(row, "adopted", json_boolean(own && own->adopted));
	json_object_set_new(
		row, "error", own && own->error ? json_string(strerror(-own->error)) : json_null());
	json_object_set_new(row, "slots", slots);
	add_counters(row, "tx", &p->tx4, &p->tx6);
	json_object_set_new(row, "rejected", number(p->rejected));
	return row;
}

json_t *afbr_show_paths(struct afbr *a, uint32_t limit, uint64_t after, uint64_t *ret_next, const char **why)
{
	const struct softwires *s = softwires_of(a, why);
	const struct mesh_path *p;
	json_t *rows;

	if (!s)
		return NULL;
	rows = json_array();
	limit = limit < AFBR_PAGE ? limit : AFBR_PAGE;
	p = after < MESH_PATH_MAX ? mesh_path_next(s->table, (uint32_t)after) : NULL;
	for (; p && json_array_size(rows) < limit; p = mesh_path_next(s->table, p->number)) {
		json_array_append_new(rows, path_row(a, p));
		after = p->number;
	}
	*ret_next = p ? after : 0;
	return rows;
}

/* ---- endpoints ---- */

static void add_header(json_t *row, const struct endpoint_key *k)
{
	json_object_set_new(row, "address", report_addr(&k->address));
	json_object_set_new(row, "encapsulation", encapsulation(&k->how));
	json_object_set_new(row, "through", report_addr(&k->outer));
	json_object_set_new(row, "outer_encapsulation",
		addr_is_none(&k->outer) ? json_null() : encapsulation(&k->outer_how));
	json_object_set_new(row, "hop_limit", json_integer(k->hop_limit));
	json_object_set_new(row, "dscp", k->set_dscp ? json_integer(k->outer_dscp) : json_null());
	json_object_set_new(row, "ecn", json_boolean(k->copy_ecn));
}

static json_t *endpoint_row(const struct softwire_endpoint *e, msec now)
{
	json_t *row = json_object();
	bool learned = e->learned_mtu && e->learned_until > now;

	json_object_set_new(row, "endpoint", number(e->number));
	add_header(row, &e->key);
	json_object_set_new(row, "because", report_text(e->why));
	json_object_set_new(row, "state", json_string(endpoint_state_name(e->state)));
	json_object_set_new(row, "state_because", report_text(e->state_why));
	json_object_set_new(row, "since_seconds", seconds(e->since, now));
	json_object_set_new(row, "adopted", json_boolean(e->adopted));
	json_object_set_new(row, "paths", number(e->refs));
	json_object_set_new(row, "mtu", json_integer(e->row->mtu));
	json_object_set_new(row, "overhead", json_integer(e->row->template.len));
	json_object_set_new(row, "path_mtu", number_or_null(e->path_mtu));
	json_object_set_new(row, "learned_mtu", number_or_null(learned ? e->learned_mtu : 0));
	json_object_set_new(
		row, "learned_seconds_left", learned ? seconds(now, e->learned_until) : json_null());
	json_object_set_new(row, "flaps", number(e->flaps));
	json_object_set_new(row, "hints", number(e->hints));
	add_counters(row, "tx", &e->row->tx4, &e->row->tx6);
	json_object_set_new(row, "drop_too_big", number(e->row->drop_too_big));
	json_object_set_new(row, "drop_queue", number(e->row->drop_queue));
	return row;
}

/* A new reference; takes ROWS. */
static json_t *reversed(json_t *rows)
{
	json_t *list = json_array();

	for (size_t i = json_array_size(rows); i-- > 0;)
		json_array_append(list, json_array_get(rows, i));
	json_decref(rows);
	return list;
}

json_t *afbr_show_endpoints(struct afbr *a, const struct addr *address, const char **why)
{
	const struct softwires *s = softwires_of(a, why);
	json_t *rows;

	if (!s)
		return NULL;
	rows = json_array();
	for (const struct softwire_endpoint *e = s->endpoints; e; e = e->next)
		if (!address || addr_equal(address, &e->key.address))
			json_array_append_new(rows, endpoint_row(e, loop_clock()));
	if (!address || json_array_size(rows))
		return reversed(rows); /* the list has the newest first */
	json_decref(rows);
	*why = "there is no such endpoint: `softwire show endpoints` lists them";
	return NULL;
}

/* ---- what is taken ---- */

static json_t *accept_row(const struct accept_item *i, const struct afbr_config *c, msec now)
{
	static const struct mesh_acceptance none;
	const struct mesh_acceptance *counted = i->row ? i->row : &none;
	json_t *row = json_object();

	json_object_set_new(row, "accept", json_string(accept_word_name(i->word)));
	json_object_set_new(row, "encapsulation", encapsulation(&i->how));
	json_object_set_new(row, "payload",
		json_string(i->how.mpls                 ? "mpls"
			    : c->transit                ? "both"
			    : c->core.family == AF_INET ? "ipv6"
							: "ipv4"));
	json_object_set_new(row, "old", json_boolean(i->old));
	json_object_set_new(row, "seconds_left", i->old ? seconds(now, i->until) : json_null());
	add_counters(row, "rx", &counted->rx4, &counted->rx6);
	json_object_set_new(row, "drop_cookie", number(counted->drop_cookie));
	return row;
}

static json_t *accept_rows(const struct acceptor *t, const struct afbr_config *c)
{
	json_t *rows = json_array();

	for (unsigned i = 0; t && i < t->list.count; i++)
		json_array_append_new(rows, accept_row(&t->list.items[i], c, loop_clock()));
	return rows;
}

static json_t *roll_of(const struct acceptor *t, const struct afbr_config *c)
{
	msec now = loop_clock();

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "interval_seconds",
		number_or_null(c->roll_interval / 1000), "overlap_seconds", number(c->roll_overlap / 1000),
		"last_seconds", seconds(t->list.made, now), "next_seconds",
		wheel_armed(&t->roll) ? seconds(now, t->roll.deadline) : json_null(), "rolls",
		number(t->rolls));
}

static json_t *prefixes(const struct prefix *list, unsigned count)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(rows, report_prefix(&list[i]));
	return rows;
}

static bool is_configured(const struct afbr_config *c, const struct addr *a)
{
	for (unsigned i = 0; i < c->transmitter_count; i++)
		if (prefix_contains_addr(&c->transmitters[i], a))
			return true;
	return false;
}

static json_t *sender_row(const struct afbr *a, const struct mesh_transmitter *m)
{
	const struct sender *s = transmitter_find(a->softwires->transmitters, &m->address);
	json_t *row = json_object(), *because = json_array();

	if (s && s->next_hops)
		json_array_append_new(because, json_string("next-hop"));
	if (s && s->endpoint)
		json_array_append_new(because, json_string("endpoint"));
	if (s && s->kept)
		json_array_append_new(because, json_string("before-restart"));
	if (is_configured(a->config, &m->address))
		json_array_append_new(because, json_string("configured"));
	json_object_set_new(row, "address", report_addr(&m->address));
	json_object_set_new(row, "because", because);
	add_counters(row, "rx", &m->rx4, &m->rx6);
	return row;
}

static json_t *sender_rows(const struct afbr *a)
{
	const struct mesh_transmitter *m;
	json_t *rows = json_array();
	uint32_t cursor = 0;

	while (json_array_size(rows) < SENDERS_SHOWN &&
		(m = mesh_transmitter_next(a->softwires->table, &cursor)))
		json_array_append_new(rows, sender_row(a, m));
	return rows;
}

struct counter {
	const char *name;
	uint64_t value;
};

static json_t *counters_of(const struct counter *list, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, list[i].name, number(list[i].value));
	return object;
}
#define COUNTERS_OF(list) counters_of(list, sizeof(list) / sizeof((list)[0]))

/* In the order in which it is looked. */
static json_t *drops_of(const struct mesh_counters *c)
{
	const struct counter drops[] = {{"interface", c->drop_interface},
		{"transmitter", c->drop_transmitter}, {"header", c->drop_header},
		{"encapsulation", c->drop_encapsulation}, {"key", c->drop_key}, {"session", c->drop_session},
		{"cookie", c->drop_cookie}, {"label", c->drop_label}, {"payload", c->drop_payload},
		{"checksum", c->drop_checksum}, {"ecn", c->drop_ecn}, {"device", c->drop_device}};

	return COUNTERS_OF(drops);
}

static json_t *interfaces_of(const struct afbr_config *c)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < c->core_interface_count; i++)
		json_array_append_new(rows, json_string(c->core_interfaces[i]));
	return rows;
}

static json_t *families_of(const struct mesh_table *t)
{
	json_t *rows = json_array();

	if (t->take4)
		json_array_append_new(rows, json_string("ipv4"));
	if (t->take6)
		json_array_append_new(rows, json_string("ipv6"));
	return rows;
}

json_t *afbr_show_acceptance(struct afbr *a, const char **why)
{
	const struct softwires *s = softwires_of(a, why);
	const struct afbr_config *c = a->config;
	json_t *object;

	if (!s)
		return NULL;
	object = json_object();
	json_object_set_new(object, "address", report_addr(&c->core));
	json_object_set_new(object, "interfaces", interfaces_of(c));
	json_object_set_new(object, "families", families_of(s->table));
	json_object_set_new(object, "accept", accept_rows(s->acceptor, c));
	json_object_set_new(object, "roll", roll_of(s->acceptor, c));
	json_object_set_new(object, "endpoints", prefixes(c->endpoints, c->endpoint_count));
	json_object_set_new(object, "configured", prefixes(c->transmitters, c->transmitter_count));
	json_object_set_new(object, "transmitters", sender_rows(a));
	json_object_set_new(object, "drops", drops_of(mesh_plane_counters(s->plane)));
	return object;
}

/* ---- counters ---- */

json_t *show_mesh_counters(const struct afbr *a)
{
	const struct mesh_counters *c = mesh_plane_counters(a->softwires->plane);
	const struct counter counters[] = {{"rx_packets", c->rx_packets}, {"tx_packets", c->tx_packets},
		{"failed_over", c->failed_over}, {"outer_fragmented", c->outer_fragmented},
		{"inner_fragmented", c->inner_fragmented}, {"mss_clamped", c->mss_clamped},
		{"drop_no_path", c->drop_no_path}, {"drop_rejected", c->drop_rejected},
		{"drop_too_big", c->drop_too_big}, {"drop_bad_inner", c->drop_bad_inner},
		{"drop_local_scope", c->drop_local_scope}, {"drop_loop", c->drop_loop},
		{"drop_send_queue", c->drop_send_queue}, {"drop_unsent", c->drop_unsent},
		{"socket_errors", c->socket_errors}, {"drop_interface", c->drop_interface},
		{"drop_transmitter", c->drop_transmitter}, {"drop_header", c->drop_header},
		{"drop_encapsulation", c->drop_encapsulation}, {"drop_key", c->drop_key},
		{"drop_session", c->drop_session}, {"drop_cookie", c->drop_cookie},
		{"drop_label", c->drop_label}, {"drop_payload", c->drop_payload},
		{"drop_checksum", c->drop_checksum}, {"drop_ecn", c->drop_ecn}, {"ecn_ce", c->ecn_ce},
		{"drop_device", c->drop_device}, {"rx_merged", c->rx_merged}, {"icmp_sent", c->icmp_sent},
		{"icmp_suppressed", c->icmp_suppressed}};

	return COUNTERS_OF(counters);
}

/* ---- what an operator does ---- */

int afbr_mesh_roll(struct afbr *a, const char **why)
{
	struct softwires *s = softwires_of(a, why);
	int count = s ? accept_roll(s) : -ENOENT;

	if (!s)
		return count;
	if (!count && a->config->tunnel_count)
		*why = "the parameters are given by hand (`tunnels`): change them there";
	else if (!count)
		*why = "nothing that `accept` names has a key, a session or a cookie";
	else if (count == -ENOSPC)
		*why = "the old ones of too many rolls are still taken (`roll-overlap`): wait until some of "
		       "them are not";
	else if (count < 0)
		*why = strerror(-count);
	return count ? count : -EOPNOTSUPP;
}

int afbr_mesh_shutdown(struct afbr *a, const struct addr *endpoint, bool shut, const char **why)
{
	int count = softwires_of(a, why) ? endpoint_shut(a, endpoint, shut) : -EOPNOTSUPP;

	if (count == -ENOENT)
		*why = "there is no such endpoint: `softwire show endpoints` lists them";
	return count;
}

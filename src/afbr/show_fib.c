/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of routes: as the kernel was told of them, a page at a time; and one of them in words, down to the headers that its packets get. */
#include <jansson.h>
#include <net/if.h>
#include <string.h>

#include "afbr/export.h"
#include "afbr/routes.h"
#include "afbr/show_mesh.h"
#include "report/report.h"

enum { WORDS = 2048, WHY = 320 };

/* ---- routes ---- */

static void add_way(json_t *row, const struct addr *gateway, unsigned ifindex, uint32_t path)
{
	char device[IF_NAMESIZE] = "";

	(void)if_indextoname(ifindex, device);
	json_object_set_new(row, "gateway", report_addr(gateway));
	json_object_set_new(row, "device", report_text(path ? AFBR_DEVICE : device));
	json_object_set_new(row, "path", path ? json_integer(path) : json_null());
}

/* By which gateway the kernel was told; null where it was not. */
static void add_gateway(json_t *row, struct afbr *a, const struct rib *r, const struct rib_path *best,
	bool told, uint32_t path)
{
	struct keeper_bgp_route native = {0};

	if (path)
		native.gateway = mesh_path_gateway(path);
	else if (told)
		(void)nexthop_route(a, best->set->next_hop, (uint8_t)bgp_family_af(r->family), &native);
	add_way(row, &native.gateway, native.ifindex, path);
}

static json_t *fib_row(void *owner, struct rib *r, rib_id net)
{
	struct afbr *a = owner;
	const struct rib_path *best = rib_best(r, net);
	const struct prefix prefix = rib_prefix(r, net);
	uint32_t path = 0;
	char text[WHY];
	bool told;
	int refused;
	json_t *row;

	if (!best || !best->source || bgp_family_encap(r->family))
		return NULL;
	told = export_path(a, r->family, net, &path);
	refused = told ? refusal_of(a->exporter, &prefix) : 0;
	row = routes_row(r, net);
	json_object_set_new(row, "from", report_text(bgp_source_name(a->bgp, best)));
	json_object_set_new(row, "next_hop",
		report_addr(addr_is_none(&best->set->next_hop->value.global)
				    ? &best->set->next_hop->value.link_local
				    : &best->set->next_hop->value.global));
	json_object_set_new(row, "told", json_boolean(told));
	json_object_set_new(row, "refused", refused ? json_string(refusal_text(refused)) : json_null());
	add_gateway(row, a, r, best, told, path);
	json_object_set_new(row, "kernel", report_text(export_state(a, r->family, net, text, sizeof(text))));
	json_object_set_new(row, "rejects", json_boolean(path && path_rejects(a, path)));
	return row;
}

json_t *afbr_show_fib(struct afbr *a, const struct afbr_route_query *q, uint64_t *ret_next, const char **why)
{
	if (!a->running)
		*why = AFBR_NOT_UP;
	else if (!a->exporter || !a->exporter->fed)
		*why = "no routes are put into the kernel: the configuration has no `export` of `kernel`";
	else
		return routes_page(a, q, fib_row, a, ret_next, why);
	return NULL;
}

/* ---- in words ---- */

static const char *way_name(const struct mesh_encapsulation *e, char *buf, size_t size)
{
	if (!e->mpls)
		return mesh_kind_name((enum mesh_kind)e->kind);
	snprintf(buf, size, "mpls-in-%s",
		e->kind == MESH_IPIP ? "ip" : mesh_kind_name((enum mesh_kind)e->kind));
	return buf;
}

/* PAYLOAD: the family of what is inside. */
static unsigned protocol_of(const struct mesh_encapsulation *e, uint8_t payload)
{
	if (e->kind == MESH_GRE)
		return MESH_PROTO_GRE;
	if (e->kind == MESH_L2TPV3)
		return MESH_PROTO_L2TP;
	return e->mpls ? MESH_PROTO_MPLS : payload == AF_INET ? MESH_PROTO_IP4 : MESH_PROTO_IP6;
}

/* Its parameters; a cookie's length alone. */
static void add_header(struct text *t, const struct addr *from, const struct addr *to,
	const struct mesh_encapsulation *e, uint8_t payload)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	text_add(t, " -> %s header %s -> %s, protocol %u", to->family == AF_INET ? "IPv4" : "IPv6",
		addr_print(from, src), addr_print(to, dst), protocol_of(e, payload));
	if (e->has_key)
		text_add(t, ", key %u", e->key);
	if (e->kind == MESH_L2TPV3)
		text_add(t, ", session 0x%x", e->session);
	if (e->cookie_len)
		text_add(t, ", cookie of %u octets", e->cookie_len);
}

static void add_headers(struct text *t, const struct afbr *a, const struct mesh_leg *leg, uint8_t family)
{
	const struct softwire_endpoint *e = leg->endpoint->owner;
	const struct endpoint_key *k = &e->key;
	const struct addr *core = &a->config->core;

	if (!addr_is_none(&k->outer))
		add_header(t, core, &k->outer, &k->outer_how, core->family);
	add_header(t, core, &k->address, &k->how, family);
	if (k->how.mpls)
		text_add(t, ", label %u", leg->label);
	text_add(t, ", hop limit %u, DSCP ", k->hop_limit);
	if (k->set_dscp)
		text_add(t, "%u", k->outer_dscp);
	else
		text_add(t, "of the packet");
	text_add(t, "; inner packets up to %u octets", leg->endpoint->mtu);
}

static void add_endpoint(struct text *t, const struct softwire_endpoint *e)
{
	char address[ADDR_TEXT], name[32];

	text_add(t, "endpoint %s by %s", addr_print(&e->key.address, address),
		way_name(&e->key.how, name, sizeof(name)));
	if (*e->why)
		text_add(t, " (%s)", e->why);
	if (e->state != ENDPOINT_UP)
		text_add(t, ", which is %s: %s", endpoint_state_name(e->state), e->state_why);
}

static void add_slot(struct text *t, const struct afbr *a, const struct mesh_slot *s, uint8_t family)
{
	const struct softwire_endpoint *backup = s->backup.endpoint ? s->backup.endpoint->owner : NULL;

	if (s->primary.endpoint) {
		add_endpoint(t, s->primary.endpoint->owner);
		add_headers(t, a, &s->primary, family);
	} else {
		text_add(t, "nothing: packets are rejected");
	}
	text_add(t, "; ");
	if (!backup) {
		text_add(t, "no backup");
		return;
	}
	text_add(t, "backup ");
	add_endpoint(t, backup);
	if (!s->primary.endpoint || !s->primary.endpoint->usable)
		add_headers(t, a, &s->backup, family);
}

static bool is_same(const struct mesh_slot *a, const struct mesh_slot *b)
{
	return a->primary.endpoint == b->primary.endpoint && a->backup.endpoint == b->backup.endpoint &&
	       a->primary.label == b->primary.label && a->backup.label == b->backup.label;
}

static void add_dscps(struct text *t, const struct afbr_config *c, unsigned slot)
{
	const char *separator = " (DSCP ";

	for (unsigned first = 0, last; first < MESH_DSCPS; first = last + 1) {
		last = first;
		if (c->slot_of[first] != slot)
			continue;
		while (last + 1 < MESH_DSCPS && c->slot_of[last + 1] == slot)
			last++;
		text_add(t, "%s%u", separator, first);
		if (last > first)
			text_add(t, "-%u", last);
		separator = ", ";
	}
	text_add(t, ")");
}

static bool differs(const struct mesh_path *p, unsigned slots)
{
	for (unsigned i = 1; i < slots; i++)
		if (!is_same(&p->slots[0], &p->slots[i]))
			return true;
	return false;
}

json_t *show_mesh_forwarding(struct afbr *a, enum bgp_family family, rib_id net)
{
	const struct prefix prefix = rib_prefix(bgp_rib(a->bgp, family), net);
	json_t *list = json_array();
	uint32_t number = 0;
	const struct mesh_path *p;
	unsigned slots = a->config->slot_count ? a->config->slot_count : 1;
	bool many;

	if (!a->softwires || !a->softwires->up || !export_path(a, family, net, &number) || !number)
		return list;
	p = mesh_path_find(a->softwires->table, number);
	many = p && differs(p, slots);
	for (unsigned i = 0; p && i < (many ? slots : 1); i++) {
		char words[WORDS] = "", text[PREFIX_TEXT];
		struct text t = {words, sizeof(words), 0};

		text_add(&t, "%s", prefix_print(&prefix, text));
		if (many)
			add_dscps(&t, a->config, i);
		text_add(&t, " -> path %u -> ", number);
		add_slot(&t, a, &p->slots[i], prefix.addr.family);
		json_array_append_new(list, report_text(words));
	}
	return list;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules, with where they come from:
 *   not back to who told it; between internal neighbours only as a reflector     RFC 4271 section 9.2, RFC 4456 section 6
 *   NO_ADVERTISE, NO_EXPORT                                                      RFC 1997
 *   nothing to an external neighbour without an export policy                    RFC 8212
 *   LOCAL_PREF only inside, our AS only to the outside, MED not to third parties RFC 4271 section 5.1
 *   the next hop: others' stays inside, is ourselves outside                     RFC 4271 section 5.1.3, RFC 5565 sections 5 and 12
 *   its family only as agreed                                                    RFC 8950 section 4
 *   what we decapsulate only inside                                              RFC 9012 section 11
 */
#include "bgp/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ETHERTYPE_MPLS = 0x8847 };

static bool __attribute__((format(printf, 2, 3))) refuse(struct export_reason why, const char *format, ...)
{
	va_list args;

	if (!why.text)
		return false;
	va_start(args, format);
	(void)vsnprintf(why.text, why.size, format, args);
	va_end(args);
	return false;
}

/* ---- what is the same for all routes of a family ---- */

/* Our address as the neighbour is to know it. Inside, it is the end of the tunnels if there are any and it is of the core's family, which the session has (MESH-BGP-15). */
static struct bgp_next_hop_value next_hop_self(const struct bgp_neighbor *n, bool external)
{
	const struct bgp_connection *c = n->up;
	const struct addr *endpoint = &n->bgp->tunnel_endpoint;
	struct bgp_next_hop_value v = {.global = c->local.addr};

	if ((!external || n->config.tunnels) && n->bgp->tunnel_count && endpoint->family == v.global.family)
		v.global = *endpoint;
	if (v.global.family != AF_INET6)
		return v;
	if (external && !n->config.multihop)
		v.link_local = c->link_local;
	if (addr_is_link_local(&v.global)) {
		v.link_local = v.global;
		v.global = (struct addr){0};
	}
	return v;
}

/* Could an Encapsulation extended community say the same (RFC 9012 section 4.1)? */
static bool tunnel_is_bare(const struct bgp_tunnel *t, const struct addr *next_hop)
{
	if (t->has_endpoint && !addr_is_none(&t->endpoint) && !addr_equal(&t->endpoint, next_hop))
		return false;
	return !t->has_encapsulation && !t->has_key && !t->protocol && !t->color_count && !t->has_ds &&
	       !t->udp_port && !t->embedded_label && !t->label_count;
}

/*
 * A community for it as well: would a packet that is made without parameters, of the family that its route has, arrive all the same? Of the payload a community
 * says nothing, but MPLS is not what others would make of the type alone. ALONE: the attribute is not sent at all.
 */
static bool tunnel_needs_nothing(const struct bgp_tunnel *t, const struct addr *next_hop, bool alone)
{
	struct bgp_tunnel most = *t;

	if (t->protocol == ETHERTYPE_MPLS && !bgp_tunnel_is_for_mpls(t->type))
		return false;
	most.protocol = 0;
	if (alone) {
		most.color_count = 0;
		most.has_ds = false;
		most.embedded_label = 0;
	}
	return tunnel_is_bare(&most, next_hop);
}

/* Nothing in it that RFC 5512 does not know, but for the endpoint. */
static bool tunnel_is_plain(const struct bgp_tunnel *t)
{
	return !t->has_ds && !t->udp_port && !t->embedded_label && !t->label_count;
}

/* The attribute's tunnels: all where order or parameters say something that communities cannot, which have neither. */
static unsigned choose_tunnels(const struct exporter *e, const struct bgp_tunnel **ret)
{
	const struct bgp *b = e->bgp;
	enum bgp_tunnel_way way = e->neighbor->config.tunnel_way;
	unsigned count = 0;

	if (way == BGP_TUNNEL_NONE)
		return 0;
	for (unsigned i = 0; i < b->tunnel_count; i++) {
		if (way == BGP_TUNNEL_ONE && (count || !tunnel_is_plain(&b->tunnels[i])))
			continue;
		ret[count++] = &b->tunnels[i];
	}
	if (count == 1 && tunnel_is_bare(ret[0], &e->self.global))
		return 0;
	return count;
}

/* Once: there may be a tunnel for each payload. */
static void add_community(struct exporter *e, uint64_t community)
{
	for (unsigned i = 0; i < e->community_count; i++)
		if (e->communities[i] == community)
			return;
	e->communities[e->community_count++] = community;
}

static void prepare_tunnels(struct exporter *e)
{
	const struct bgp *b = e->bgp;
	const struct bgp_tunnel *chosen[BGP_TUNNELS];
	struct bgp_tunnel written[BGP_TUNNELS];
	unsigned count = choose_tunnels(e, chosen);
	struct writer w = writer_of(e->tunnel, sizeof e->tunnel);
	bool none = e->neighbor->config.tunnel_way == BGP_TUNNEL_NONE;

	for (unsigned i = 0; i < count; i++) {
		written[i] = *chosen[i];
		written[i].has_endpoint = true; /* RFC 9012 section 3.1: each has one, be it "the next hop" */
	}
	if (count) {
		bgp_tunnels_write(&w, written, count, false);
		e->tunnel_len = writer_ok(&w) ? writer_len(&w) : 0;
	}
	for (unsigned i = 0; i < b->tunnel_count; i++) {
		const struct bgp_tunnel *t = &b->tunnels[i];

		if (tunnel_needs_nothing(t, &e->self.global, none))
			add_community(e, bgp_encapsulation_community(t->type));
	}
	for (unsigned i = 0; i < b->classes.color_count; i++)
		e->communities[e->community_count++] = b->classes.colors[i];
}

/* How many bytes a policy can add to a set. */
static size_t policy_growth(const struct policy *p)
{
	size_t n = 0;

	for (unsigned i = 0; p && i < p->rule_count; i++) {
		const struct policy_rule *r = &p->rules[i];

		n += 40 + 4 * (size_t)r->add_count + 8 * (size_t)r->add_extended_count +
		     12 * (size_t)r->add_large_count + 4 * (size_t)r->prepend;
	}
	return n;
}

void exporter_init(
	struct exporter *e, const struct bgp_neighbor *n, enum bgp_family f, const struct policy *policy)
{
	e->bgp = n->bgp;
	e->neighbor = n;
	e->family = f;
	e->form = &n->up->form;
	e->policy = policy;
	e->external = neighbor_is_external(n);
	e->as = n->config.local_as ? n->config.local_as : n->bgp->config.as;
	e->self = next_hop_self(n, e->external);
	e->tunnels = !e->external || n->config.tunnels;
	e->tunnel_len = 0;
	e->community_count = 0;
	/* Routes of the Encapsulation SAFI say what they are about themselves. */
	if (e->tunnels && !bgp_family_encap(f))
		prepare_tunnels(e);
	/* LOCAL_PREF, ORIGINATOR_ID, CLUSTER_LIST, MED and one AS more, with segment and headers of four bytes for each attribute that may be new. */
	e->growth = 64 + e->tunnel_len + 8 * (size_t)e->community_count + 4 * (size_t)BGP_TUNNEL_COLORS +
		    policy_growth(policy);
}

size_t export_bound(const struct exporter *e, const struct bgp_set *set)
{
	/* Header, lengths, MP_REACH with two next hops; for peers with two-octet AS numbers the path stands there twice. */
	size_t set_bound = set->len + e->growth;

	return BGP_HEADER + 4 + 4 + 5 + 32 + (e->form->as4 ? set_bound : 2 * set_bound + 16);
}

/* ---- may it go there? ---- */

static bool communities_admit(const struct exporter *e, const struct bgp_set *set, struct export_reason why)
{
	struct bgp_attribute a;

	if (!bgp_attribute_find(bgp_set_reader(set), BGP_COMMUNITIES, &a))
		return true;
	while (reader_left(&a.value) >= 4) {
		uint32_t c = reader_u32(&a.value);

		if (c == BGP_NO_ADVERTISE)
			return refuse(why, "it has the community no-advertise");
		if (e->external && c == BGP_NO_EXPORT)
			return refuse(why, "it has the community no-export, and the neighbor is external");
		if (e->external && c == BGP_NO_EXPORT_SUBCONFED)
			return refuse(why,
				"it has the community no-export-subconfed, and the neighbor is external");
	}
	return true;
}

/* From one internal neighbour to another: RFC 4456 section 6. */
static bool reflection_admits(const struct exporter *e, const struct bgp_neighbor *from,
	const struct bgp_set *set, struct export_reason why)
{
	const struct bgp_neighbor *n = e->neighbor;

	if (!from->config.client && !n->config.client)
		return refuse(why,
			"it came from %s, an internal neighbor that is no client, and this one is none "
			"either (RFC 4456)",
			from->config.name);
	if (set->facts.originator_id && set->facts.originator_id == n->facts.id)
		return refuse(why, "the neighbor is its originator (RFC 4456)");
	return true;
}

bool export_admits(const struct exporter *e, const struct bgp_set *set, uint16_t source,
	struct export_route *ret, struct export_reason why)
{
	const struct bgp_neighbor *from = source ? bgp_source_neighbor(e->bgp, source) : NULL;

	*ret = (struct export_route){.set = set, .source = source, .policy.verdict = POLICY_ACCEPT};
	if (source && !from)
		return refuse(why, "the neighbor that told it is gone");
	if (source == e->neighbor->source)
		return refuse(why, "it came from this neighbor");
	if (e->external && !e->policy)
		return refuse(
			why, "the neighbor is external, and there is no export policy for it (RFC 8212)");
	if (bgp_family_encap(e->family) && !e->tunnels)
		return refuse(
			why, "the neighbor is external, and is not told of tunnels (RFC 9012 section 11)");
	ret->reflected = from && !e->external && !neighbor_is_external(from);
	if (ret->reflected && !reflection_admits(e, from, set, why))
		return false;
	return communities_admit(e, set, why);
}

bool export_judge(const struct exporter *e, const struct prefix *prefix, const struct rib_path *path,
	struct export_route *route, struct export_reason why)
{
	struct policy_subject s = {
		.family = e->family,
		.prefix = prefix,
		.set = bgp_set_reader(route->set),
		.facts = &route->set->facts,
		.next_hop = &route->set->next_hop->value,
	};
	char text[160];

	if (!e->policy)
		return true;
	s.source = bgp_source_name(e->bgp, path);
	policy_judge(e->policy, &s, &route->policy);
	if (route->policy.verdict == POLICY_ACCEPT)
		return true;
	return refuse(why, "export policy %s: %s", e->policy->name,
		policy_explain(e->policy, &route->policy, text, sizeof text));
}

/* ---- next hop ---- */

/* Is the next hop to be ourselves? */
static bool becomes_own(const struct exporter *e, const struct export_route *route)
{
	const struct bgp_neighbor_config *config = &e->neighbor->config;
	const struct bgp_next_hop_value *given = &route->set->next_hop->value;

	if (addr_is_none(&given->global) && addr_is_none(&given->link_local))
		return true;
	/* A reflector never changes the family of a next hop (MESH-BGP-10), and the next hop only if it is told to. */
	if (route->reflected)
		return config->next_hop_self_all && given->global.family == e->self.global.family;
	/* The Encapsulation SAFI: it is who decapsulates, whoever passes it on. */
	if (bgp_family_encap(e->family))
		return false;
	if (config->next_hop_self || route->policy.next_hop_self)
		return true;
	if (e->external && !config->next_hop_unchanged)
		return true;
	/* Beyond its link a link-local address says nothing. */
	return addr_is_none(&given->global);
}

bool export_next_hop(const struct exporter *e, struct export_route *route, struct export_reason why)
{
	const struct bgp_neighbor *n = e->neighbor;
	const struct addr *shown = &route->next_hop.global;
	char text[ADDR_TEXT];

	route->own = becomes_own(e, route);
	if (route->own)
		route->next_hop = e->self;
	else
		route->next_hop = (struct bgp_next_hop_value){.global = route->set->next_hop->value.global};
	if (!route->own && addr_is_none(shown))
		return refuse(
			why, "its next hop is a link-local address, which has a meaning on its link only");
	if (addr_is_none(shown))
		shown = &route->next_hop.link_local;
	if (addr_equal(shown, &n->up->remote.addr) || addr_equal(shown, &n->config.address))
		return refuse(why, "its next hop %s is the neighbor itself (RFC 4271 section 5.1.3)",
			addr_print(shown, text));
	if (bgp_next_hop_fits(e->form, e->family, &route->next_hop))
		return true;
	return refuse(why,
		"its next hop %s is %s, which for %s was not agreed on with the neighbor (RFC 8950)",
		addr_print(shown, text), shown->family == AF_INET6 ? "IPv6" : "IPv4",
		bgp_family_name(e->family));
}

uint32_t export_label(const struct exporter *e, const struct export_route *route, uint32_t label)
{
	/* Labels of others mean nothing to us: what comes to us is looked up by its IP header. */
	if (!bgp_family_labeled(e->family) || !route->own || !route->source)
		return label;
	return bgp_family_af(e->family) == AF_INET ? BGP_LABEL_EXPLICIT_NULL4 : BGP_LABEL_EXPLICIT_NULL6;
}

/* ---- the set ---- */

static bool policy_sets_med(const struct exporter *e, const struct policy_result *r)
{
	for (unsigned i = 0; e->policy && i < r->applied_count; i++)
		if (e->policy->rules[r->applied[i] - 1].set_med)
			return true;
	return false;
}

static bool path_is_empty(struct reader set)
{
	struct bgp_attribute a;

	return !bgp_attribute_find(set, BGP_AS_PATH, &a) || !reader_left(&a.value);
}

/* One TLV of the attribute that everybody understands: FRR 8.4 resets the session over sub-TLVs from 128 on, and over a second TLV. */
static struct reader plain_tunnel(struct reader value)
{
	while (reader_left(&value)) {
		struct reader whole = value, sub;
		bool plain = true;
		size_t len;

		(void)reader_u16(&value);
		len = reader_u16(&value);
		sub = reader_sub(&value, len);
		while (reader_left(&sub)) {
			uint8_t type = reader_u8(&sub);

			if (type >= 128)
				plain = false;
			reader_skip(&sub, type >= 128 ? reader_u16(&sub) : reader_u8(&sub));
		}
		if (plain && reader_ok(&value) && reader_ok(&sub))
			return reader_sub(&whole, 4 + len);
	}
	return reader_of(NULL, 0);
}

/* What it hears of others' tunnels. */
static void edit_tunnels(const struct exporter *e, struct reader set, struct bgp_edit *edit)
{
	struct bgp_attribute a;
	struct reader one;

	switch (e->neighbor->config.tunnel_way) {
	case BGP_TUNNEL_FULL:
		return;
	case BGP_TUNNEL_NONE:
		edit->drop_tunnel = true;
		return;
	case BGP_TUNNEL_ONE:
		break;
	}
	if (!bgp_attribute_find(set, BGP_TUNNEL_ENCAP, &a))
		return;
	one = plain_tunnel(a.value);
	if (reader_left(&one)) {
		edit->tunnel = one.pos;
		edit->tunnel_len = reader_left(&one);
	} else {
		edit->drop_tunnel = true;
	}
}

static void edit_own_tunnels(const struct exporter *e, struct bgp_edit *edit)
{
	edit->drop_encapsulation = true; /* whoever's they were: packets come to us now */
	edit->drop_tunnel = !e->tunnel_len;
	edit->tunnel = e->tunnel_len ? e->tunnel : NULL;
	edit->tunnel_len = e->tunnel_len;
	edit->extended = e->communities;
	edit->extended_count = e->community_count;
	edit->communities = e->bgp->classes.communities;
	edit->community_count = e->bgp->classes.community_count;
}

static void edit_external(
	const struct exporter *e, const struct export_route *route, struct reader set, struct bgp_edit *edit)
{
	edit->drop_local_pref = true;
	edit->drop_reflection = true;
	edit->drop_nontransitive = true;
	/* Of another AS it is nobody's business (RFC 4271 section 5.1.4); what the operator sets for this neighbour is. */
	edit->drop_med = !path_is_empty(set) && !policy_sets_med(e, &route->policy);
	edit->prepend_as = e->as;
	edit->prepend_count =
		(uint8_t)(route->policy.prepend < UINT8_MAX ? route->policy.prepend + 1 : UINT8_MAX);
}

static void edit_internal(
	const struct exporter *e, const struct export_route *route, struct reader set, struct bgp_edit *edit)
{
	const struct bgp *b = e->bgp;
	struct bgp_attribute a;

	if (!bgp_attribute_find(set, BGP_LOCAL_PREFERENCE, &a)) {
		edit->set_local_pref = true;
		edit->local_pref = route->set->facts.local_pref;
	}
	edit->prepend_as = e->as;
	edit->prepend_count = route->policy.prepend;
	if (!route->reflected)
		return;
	edit->reflect = true;
	edit->originator_id = bgp_source_neighbor(b, route->source)->facts.id;
	edit->cluster_id = b->config.cluster_id ? b->config.cluster_id : b->config.id;
}

int export_set(const struct exporter *e, const struct export_route *route, struct writer *ret)
{
	struct reader set = bgp_set_reader(route->set);
	struct bgp_edit edit = {0};

	if (e->policy && route->policy.applied_count) {
		struct writer w = writer_of(e->bgp->scratch_policy, sizeof e->bgp->scratch_policy);
		int err = policy_apply(e->policy, &route->policy, set, &w);

		if (err)
			return err;
		set = reader_of(w.start, writer_len(&w));
	}
	if (e->external)
		edit_external(e, route, set, &edit);
	else
		edit_internal(e, route, set, &edit);
	if (!e->tunnels) {
		edit.drop_tunnel = true;
		edit.drop_encapsulation = true;
	} else if (route->own && !bgp_family_encap(e->family)) {
		edit_own_tunnels(e, &edit);
	} else if (!bgp_family_encap(e->family)) {
		edit_tunnels(e, set, &edit);
	}
	return bgp_set_edit(set, &edit, ret);
}

/* ---- to look at ---- */

/* Is there room for a prefix in a message with this set? */
static bool fits(const struct exporter *e, const struct export_route *route, struct reader set,
	const struct bgp_nlri *nlri)
{
	struct writer w = writer_of(e->bgp->scratch_edit, sizeof e->bgp->scratch_edit);
	struct bgp_update_writer u;

	return bgp_update_begin(&u, &w, e->form, e->family, set, &route->next_hop) == 0 &&
	       bgp_update_add(&u, nlri);
}

bool bgp_export(struct bgp_neighbor *n, enum bgp_family family, rib_id net, const struct rib_path *path,
	struct writer *ret_set, struct bgp_next_hop_value *ret_next_hop, uint32_t *ret_label, char *why,
	size_t why_size)
{
	struct export_reason reason = {why, why_size};
	struct bgp_nlri nlri = {.prefix = rib_prefix(&n->bgp->ribs[family], net)};
	struct exporter e;
	struct export_route route;
	struct writer w = *ret_set;

	if (!n->up || !n->table[family].fed)
		return refuse(reason,
			n->up ? "the family was not agreed on with it" : "there is no session with it");
	if (n->bgp->deferring)
		return refuse(reason, "after our own restart nothing is told before the neighbors have told "
				      "us (RFC 4724)");
	exporter_init(&e, n, family, n->export);
	if (!export_admits(&e, path->set, path->source, &route, reason) ||
		!export_judge(&e, &nlri.prefix, path, &route, reason) || !export_next_hop(&e, &route, reason))
		return false;
	nlri.label = export_label(&e, &route, path->label);
	if (export_set(&e, &route, &w) ||
		!fits(&e, &route, reader_of(ret_set->pos, (size_t)(w.pos - ret_set->pos)), &nlri))
		return refuse(reason,
			"its attributes do not fit into a message of %u bytes, the longest agreed on",
			e.form->max_message);
	*ret_set = w;
	*ret_next_hop = route.next_hop;
	*ret_label = nlri.label;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's policy of encapsulations: see choose.h. */
#include "afbr/choose.h"

#include <errno.h>
#include <string.h>

#include "lib/text.h"

enum { OFFERS = 2 * BGP_TUNNELS, HOP_LIMIT = 64, DSCP_SHIFT = 2 };

/* A way in which the egress takes packets, or says that it does. */
struct offer {
	uint16_t type; /* enum bgp_tunnel_type */
	struct mesh_encapsulation how;
	enum choose_source source;
	const char *no; /* why it is not for packets of this route; or NULL */
	bool colored;   /* it has a color of the route's */
	bool specific;  /* it is for this payload, not for any */
	bool has_ds;
	uint8_t ds;
};

struct offers {
	const struct choose_subject *subject;
	uint16_t payload; /* EtherType */
	enum choose_source source;
	unsigned count;
	struct offer offer[OFFERS];
	const char *why; /* of a tunnel that is not even among them: why; or NULL */
};

const char *choose_source_text(enum choose_source s)
{
	static const char *const texts[] = {
		[CHOOSE_ATTRIBUTE] = "its route tells it",
		[CHOOSE_ENCAP_ROUTE] = "it tells so by its Encapsulation SAFI route",
		[CHOOSE_COMMUNITY] = "its route tells it by an extended community",
		[CHOOSE_NOTHING] = "it tells nothing of tunnels",
	};

	return texts[s];
}

/* ---- what a tunnel is good for ---- */

static bool is_mpls(const struct offers *o)
{
	return o->payload == MESH_MPLS;
}

/* Types that softwires are built of. */
static bool kind_of(uint16_t type, uint8_t *ret)
{
	switch (type) {
	case BGP_TUNNEL_IPIP:
		*ret = MESH_IPIP;
		return true;
	case BGP_TUNNEL_GRE:
	case BGP_TUNNEL_MPLS_GRE:
		*ret = MESH_GRE;
		return true;
	case BGP_TUNNEL_L2TPV3:
		*ret = MESH_L2TPV3;
		return true;
	default:
		return false;
	}
}

/*
 * RFC 9012 section 3.4.1. Where no payload is named, GRE takes all that its header can name; IP-in-IP takes IP, as its name says; L2TPv3 has no field to tell
 * MPLS from IP by, so who wants MPLS has to say so (RFC 4817 section 2.2).
 */
static const char *judge_payload(const struct offers *o, const struct bgp_tunnel *t)
{
	if (t->protocol == o->payload || (!t->protocol && !is_mpls(o)))
		return NULL;
	if (is_mpls(o))
		return !t->protocol && t->type == BGP_TUNNEL_GRE
			       ? NULL
			       : "it is not for MPLS packets, and the route has a label";
	return t->protocol == MESH_IP4    ? "it is for IPv4 packets only"
	       : t->protocol == MESH_IP6  ? "it is for IPv6 packets only"
	       : t->protocol == MESH_MPLS ? "it is for MPLS packets, and the route has no label"
					  : "it is for packets of another kind";
}

static bool route_has_color(struct reader set, uint32_t color)
{
	struct bgp_attribute a;
	uint16_t flags;
	uint32_t value;

	if (!bgp_attribute_find(set, BGP_EXTENDED_COMMUNITIES, &a))
		return false;
	while (reader_left(&a.value))
		if (bgp_is_color_community(reader_u64(&a.value), &flags, &value) && value == color)
			return true;
	return false;
}

static bool meets_color(const struct offers *o, const struct bgp_tunnel *t)
{
	for (unsigned i = 0; i < t->color_count; i++)
		if (route_has_color(o->subject->set, t->colors[i]))
			return true;
	return false;
}

/* NULL, or the first thing that is in the way. */
static const char *judge(const struct offers *o, const struct bgp_tunnel *t)
{
	uint8_t kind;

	if (!kind_of(t->type, &kind))
		return "it is of a type that cannot be built here";
	if (t->has_endpoint && !addr_is_none(&t->endpoint) && !addr_equal(&t->endpoint, &o->subject->egress))
		return "it ends at another address than the next hop";
	if (t->label_count)
		return "it wants labels of its own around packets";
	if (kind == MESH_L2TPV3 && !t->session)
		return "its Session ID has not been told";
	if (t->color_count && !meets_color(o, t))
		return "its color is none of the route's";
	return judge_payload(o, t);
}

static void add_offer(struct offers *o, enum choose_source source, const struct bgp_tunnel *t)
{
	struct offer *f;

	if (o->count == OFFERS)
		return;
	f = &o->offer[o->count++];
	*f = (struct offer){.type = t->type,
		.source = source,
		.no = judge(o, t),
		.colored = t->color_count > 0,
		.specific = t->protocol == o->payload,
		.has_ds = t->has_ds,
		.ds = t->ds};
	if (f->no)
		return;
	(void)kind_of(t->type, &f->how.kind);
	f->how.mpls = is_mpls(o);
	if (f->how.kind == MESH_GRE && t->has_key) {
		f->how.has_key = true;
		f->how.key = t->key;
	} else if (f->how.kind == MESH_L2TPV3) {
		f->how.session = t->session;
		f->how.cookie_len = t->cookie_len;
		memcpy(f->how.cookie, t->cookie, t->cookie_len);
	}
}

/* ---- what the egress tells ---- */

/* False: there is no attribute. */
static bool add_attribute(struct offers *o, enum choose_source source, struct reader set)
{
	struct bgp_attribute a;
	struct bgp_tunnels tunnels;

	if (!bgp_attribute_find(set, BGP_TUNNEL_ENCAP, &a))
		return false;
	o->source = source;
	if (bgp_tunnels_read(a.value, &tunnels, &o->why))
		return true;
	o->why = tunnels.why;
	for (unsigned i = 0; i < tunnels.count; i++)
		add_offer(o, source, &tunnels.tunnel[i]);
	return true;
}

static bool has_type(const struct offers *o, uint16_t type)
{
	for (unsigned i = 0; i < o->count; i++)
		if (o->offer[i].type == type)
			return true;
	return false;
}

/* A community is a tunnel without parameters (RFC 9012 section 4.1). Where the attribute has that type, it has the parameters, too. */
static bool add_communities(struct offers *o)
{
	struct bgp_attribute a;
	bool any = false;

	if (!bgp_attribute_find(o->subject->set, BGP_EXTENDED_COMMUNITIES, &a))
		return false;
	while (reader_left(&a.value)) {
		struct bgp_tunnel t = {0};

		if (!bgp_is_encapsulation_community(reader_u64(&a.value), &t.type))
			continue;
		any = true;
		if (bgp_tunnel_is_for_mpls(t.type))
			t.protocol = MESH_MPLS;
		if (!has_type(o, t.type))
			add_offer(o, CHOOSE_COMMUNITY, &t);
	}
	return any;
}

/* RFC 5565 section 9: the next hop is all that IP-in-IP and GRE without options need; with MPLS in it, too (RFC 4023). IP-in-IP comes first. */
static void add_plain(struct offers *o)
{
	static const uint16_t types[] = {BGP_TUNNEL_IPIP, BGP_TUNNEL_GRE};

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct bgp_tunnel t = {.type = types[i], .protocol = o->payload};

		add_offer(o, CHOOSE_NOTHING, &t);
	}
}

static void collect(struct offers *o, const struct choose_subject *s)
{
	bool told;

	o->subject = s;
	o->payload = s->labeled ? MESH_MPLS : s->prefix->addr.family == AF_INET ? MESH_IP4 : MESH_IP6;
	o->count = 0;
	o->why = NULL;
	o->source = CHOOSE_NOTHING;
	told = add_attribute(o, CHOOSE_ATTRIBUTE, s->set) ||
	       add_attribute(o, CHOOSE_ENCAP_ROUTE, s->encap_set);
	if (add_communities(o) && !told)
		o->source = CHOOSE_COMMUNITY;
	else if (!told)
		add_plain(o);
}

/* ---- rules ---- */

static bool has_class(struct reader set, const struct afbr_class *class)
{
	return class->is_color ? route_has_color(set, class->value) : bgp_community_has(set, class->value);
}

static bool meets_class(const struct afbr_rule *r, const struct choose_subject *s)
{
	for (unsigned i = 0; i < r->class_count; i++)
		if (has_class(s->set, &r->classes[i]) || has_class(s->encap_set, &r->classes[i]))
			return true;
	return !r->class_count;
}

static bool meets_prefix(const struct afbr_rule *r, const struct prefix *p)
{
	for (unsigned i = 0; i < r->prefix_count; i++)
		if (prefix_contains(&r->prefixes[i], p))
			return true;
	return !r->prefix_count;
}

static bool meets_next_hop(const struct afbr_rule *r, const struct addr *a)
{
	for (unsigned i = 0; i < r->next_hop_count; i++)
		if (prefix_contains_addr(&r->next_hops[i], a))
			return true;
	return !r->next_hop_count;
}

/* The number of the first that fits, or -1. */
static int find_rule(const struct afbr_config *c, const struct choose_subject *s, unsigned slot)
{
	for (unsigned i = 0; i < c->rule_count; i++) {
		const struct afbr_rule *r = &c->rules[i];

		if (r->dscp & c->slot_dscp[slot] && meets_class(r, s) && meets_prefix(r, s->prefix) &&
			meets_next_hop(r, &s->egress))
			return (int)i;
	}
	return -1;
}

/* ---- choosing ---- */

static unsigned rank(const struct offer *f)
{
	return 2u * f->colored + f->specific;
}

/* Of KIND (MESH_KINDS: of any): a color is how the egress asks for a tunnel (RFC 5512 section 4.4), and what is made for the payload is better than what takes
 * any; else the first. NULL: there is none. */
static const struct offer *best_of(const struct offers *o, uint8_t kind)
{
	const struct offer *best = NULL;

	for (unsigned i = 0; i < o->count; i++) {
		const struct offer *f = &o->offer[i];

		if (f->no || (kind != MESH_KINDS && f->how.kind != kind))
			continue;
		if (!best || rank(f) > rank(best))
			best = f;
	}
	return best;
}

static uint8_t kind_of_use(uint8_t use)
{
	static const uint8_t kinds[] = {
		[AFBR_USE_IPIP] = MESH_IPIP,
		[AFBR_USE_GRE] = MESH_GRE,
		[AFBR_USE_L2TPV3] = MESH_L2TPV3,
	};

	return kinds[use];
}

static const struct offer *best_by_rule(const struct offers *o, const struct afbr_rule *r)
{
	const struct offer *f = NULL;

	for (unsigned i = 0; i < r->use_count && !f && r->use[i] != AFBR_USE_NONE; i++)
		f = best_of(o, kind_of_use(r->use[i]));
	return f;
}

static void take(struct choose_result *ret, const struct offer *f, const struct afbr_rule *r)
{
	ret->chosen = true;
	ret->how = f->how;
	ret->source = f->source;
	ret->color_matched = f->colored;
	ret->hop_limit = r ? r->hop_limit : HOP_LIMIT;
	ret->copy_ecn = r && r->copy_ecn;
	ret->set_dscp = f->has_ds || (r && r->set_dscp);
	ret->outer_dscp = r && r->set_dscp ? r->outer_dscp : f->has_ds ? f->ds >> DSCP_SHIFT : 0;
}

/* ---- in words ---- */

static const char *way_name(const struct mesh_encapsulation *how)
{
	static const char *const names[MESH_KINDS][2] = {
		[MESH_IPIP] = {"ipip", "mpls-in-ip"},
		[MESH_GRE] = {"gre", "mpls-in-gre"},
		[MESH_L2TPV3] = {"l2tpv3", "mpls-in-l2tpv3"},
	};

	return names[how->kind][how->mpls];
}

/* What can be used, each word once; false: nothing. */
static bool add_ways(struct text *out, const struct offers *o)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < o->count; i++) {
		const struct offer *f = &o->offer[i];
		unsigned bit = 1u << (2 * f->how.kind + f->how.has_key);

		if (f->no || seen & bit)
			continue;
		text_add(out, "%s%s%s", seen ? ", " : "", way_name(&f->how),
			f->how.has_key ? " with a key" : "");
		seen |= bit;
	}
	return seen;
}

static void add_uses(struct text *out, const struct afbr_rule *r)
{
	static const char *const names[] = {
		[AFBR_USE_IPIP] = "ipip",
		[AFBR_USE_GRE] = "gre",
		[AFBR_USE_L2TPV3] = "l2tpv3",
	};

	for (unsigned i = 0; i < r->use_count && r->use[i] != AFBR_USE_NONE; i++)
		text_add(out, "%s%s", i ? ", " : "", names[r->use[i]]);
}

static bool wants(const struct afbr_rule *r, uint16_t type)
{
	uint8_t kind;

	for (unsigned i = 0; r && i < r->use_count && r->use[i] != AFBR_USE_NONE; i++)
		if (kind_of(type, &kind) && kind == kind_of_use(r->use[i]))
			return true;
	return false;
}

/* The first of what is told and cannot be used; ANY: be it what R wants or not. NULL: there is none. */
static const struct offer *hindered(const struct offers *o, const struct afbr_rule *r, bool any)
{
	for (unsigned i = 0; i < o->count; i++)
		if (o->offer[i].no && (any || wants(r, o->offer[i].type)))
			return &o->offer[i];
	return NULL;
}

static void add_hindrance(struct text *out, const struct offers *o, const struct offer *f)
{
	const char *name = f ? bgp_tunnel_type_name(f->type) : NULL;

	if (f && name)
		text_add(out, "; its %s cannot be used: %s", name, f->no);
	else if (f)
		text_add(out, "; its tunnel of type %u cannot be used: %s", f->type, f->no);
	else if (o->why)
		text_add(out, "; a tunnel that it tells cannot be used: %s", o->why);
}

static void add_what_there_is(struct text *out, const struct offers *o, const struct afbr_rule *r)
{
	const struct offer *f;
	bool any;

	if (o->source == CHOOSE_NOTHING) {
		text_add(out, "the egress tells nothing of tunnels, and L2TPv3 cannot be used before it has "
			      "told a Session ID");
		return;
	}
	text_add(out, "the egress takes ");
	any = add_ways(out, o);
	if (!any)
		text_add(out, "nothing that fits packets of this route");
	f = hindered(o, r, false);
	add_hindrance(out, o, f || any ? f : hindered(o, r, true));
}

static void tell_chosen(struct text *out, const struct offers *o, const struct offer *f,
	const struct choose_result *ret, const struct afbr_rule *r)
{
	if (r) {
		text_add(out, "rule %d of `encapsulate` wants ", ret->rule + 1);
		add_uses(out, r);
		text_add(out, ": %s, because ", way_name(&f->how));
	} else {
		text_add(out, "no rule of `encapsulate` fits: %s, because ", way_name(&f->how));
	}
	if (o->source == CHOOSE_NOTHING)
		text_add(out, "the egress tells nothing of tunnels, and this needs no telling");
	else
		text_add(out, "the egress %s (%s%s)", r ? "takes it" : "likes it best",
			choose_source_text(f->source), f->colored ? ", for the route's color" : "");
}

static void tell_none(
	struct text *out, const struct offers *o, const struct choose_result *ret, const struct afbr_rule *r)
{
	if (r && r->use[0] == AFBR_USE_NONE) {
		text_add(out, "rule %d of `encapsulate` says \"none\": packets are rejected", ret->rule + 1);
		return;
	}
	if (r) {
		text_add(out, "rule %d of `encapsulate` wants ", ret->rule + 1);
		add_uses(out, r);
		text_add(out, ", but ");
	}
	add_what_there_is(out, o, r);
}

void choose(
	const struct afbr_config *c, const struct choose_subject *s, unsigned slot, struct choose_result *ret)
{
	struct choose_result result = {.rule = find_rule(c, s, slot)};
	const struct afbr_rule *r = result.rule < 0 ? NULL : &c->rules[result.rule];
	struct text out = {.buf = result.why, .size = sizeof(result.why)};
	const struct offer *f;
	struct offers o;

	collect(&o, s);
	result.source = o.source;
	f = r ? best_by_rule(&o, r) : best_of(&o, MESH_KINDS);
	if (f) {
		take(&result, f, r);
		tell_chosen(&out, &o, f, &result, r);
	} else {
		tell_none(&out, &o, &result, r);
	}
	*ret = result;
}

/* ---- classes of traffic ---- */

/* The rules that look at packets of DSCP: a bit for each. What has the same is treated alike. */
static uint64_t rules_for(const struct afbr_config *c, unsigned dscp)
{
	uint64_t rules = 0;

	_Static_assert((int)AFBR_RULES <= 64, "a bit for each rule");
	for (unsigned i = 0; i < c->rule_count; i++)
		rules |= (c->rules[i].dscp >> dscp & 1) << i;
	return rules;
}

int choose_slots(struct afbr_config *c)
{
	uint64_t rules[AFBR_SLOTS], members[AFBR_SLOTS] = {0};
	uint8_t slot_of[AFBR_DSCPS];
	unsigned count = 0;

	for (unsigned dscp = 0; dscp < AFBR_DSCPS; dscp++) {
		uint64_t mine = rules_for(c, dscp);
		unsigned slot = 0;

		while (slot < count && rules[slot] != mine)
			slot++;
		if (slot == AFBR_SLOTS)
			return -ENOSPC;
		if (slot == count)
			rules[count++] = mine;
		members[slot] |= (uint64_t)1 << dscp;
		slot_of[dscp] = (uint8_t)slot;
	}
	c->slot_count = (uint8_t)count;
	memcpy(c->slot_of, slot_of, sizeof(slot_of));
	memcpy(c->slot_dscp, members, sizeof(members));
	return 0;
}

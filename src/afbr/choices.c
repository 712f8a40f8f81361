/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which endpoints for a path of BGP: choose() asked for each slot of traffic, and what it takes to ask: the egress's own Encapsulation SAFI route, and, where the
 * core's interior has no way to the egress, the level that is packed around the first (RFC 5565 section 12, MESH-AS-5).
 *
 * A million routes have few different answers, and many in a row have the same attributes. So answers are remembered, by the number of the attribute set and what
 * else choose() looks at, as long as nothing of the engine can change: for one row of questions, between two choice_forget().
 *
 * What an egress tells about itself changes without its routes: then those are told to export.c again, which finds them by their next hop.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/softwires.h"
#include "lib/text.h"

enum { CELLS = 256 };
/* RFC 3032 section 2.1 */
enum {
	LABEL_NULL4 = 0,
	LABEL_NULL6 = 2,
	LABEL_IMPLICIT_NULL = 3,
	LABELS = 16 /* the first that is nobody's */
};

struct cell_key {
	uint64_t prefix_rules; /* whose prefixes contain the route's */
	uint32_t set;
	uint8_t family; /* of the payload */
	bool labeled;
};

struct choice_cell {
	uint64_t round; /* that of softwires, or it is old */
	struct cell_key key;
	struct softwire_choice choice;
};

/* ---- asking ---- */

static enum bgp_family encap_family(const struct softwires *s)
{
	return s->core_family == AF_INET ? BGP_IPV4_ENCAP : BGP_IPV6_ENCAP;
}

static struct reader encap_set(const struct softwires *s, const struct addr *egress)
{
	const struct rib *rib = bgp_rib(s->afbr->bgp, encap_family(s));
	const struct rib_path *best;
	struct prefix host = prefix_of(egress, addr_bits(egress->family));
	rib_id net = rib->net_count ? rib_find(rib, &host) : 0;

	best = net ? rib_best(rib, net) : NULL;
	return best ? bgp_set_reader(best->set) : reader_of(NULL, 0);
}

static bool is_endpoint(const struct afbr_config *c, const struct addr *a)
{
	for (unsigned i = 0; i < c->endpoint_count; i++)
		if (prefix_contains_addr(&c->endpoints[i], a))
			return true;
	return !c->endpoint_count;
}

/* The path by which BGP leads to EGRESS through VIA, as recurse.c has found it: the longest that does. */
static const struct rib_path *find_outer(
	const struct softwires *s, const struct addr *egress, const struct addr *via, struct prefix *ret)
{
	static const enum bgp_family tables[2][2] = {
		{BGP_IPV4, BGP_IPV4_LABELED}, {BGP_IPV6, BGP_IPV6_LABELED}};

	for (unsigned len = addr_bits(egress->family) + 1; len--;)
		for (unsigned i = 0; i < 2; i++) {
			const struct rib *rib = bgp_rib(s->afbr->bgp, tables[s->core_family == AF_INET6][i]);
			struct prefix prefix = prefix_of(egress, len);
			rib_id net = rib->net_count ? rib_find(rib, &prefix) : 0;

			*ret = prefix;
			for (const struct rib_path *p = net ? rib_first_path(rib, net) : NULL; p;
				p = rib_next_path(rib, p))
				if (!p->bar && p->set->next_hop &&
					addr_equal(&p->set->next_hop->value.global, via))
					return p;
		}
	return NULL;
}

/* The way that is around: NULL, or why there is none. */
static const char *choose_outer(struct softwires *s, const struct addr *egress, const struct addr *via,
	struct endpoint_key *key, char *why, size_t size)
{
	struct prefix prefix;
	const struct rib_path *path = find_outer(s, egress, via, &prefix);
	struct choose_subject subject = {.prefix = &prefix, .egress = *via, .encap_set = encap_set(s, via)};
	struct text t = {why, size, 0};
	struct choose_result result;
	char text[ADDR_TEXT];

	if (!path || !is_endpoint(s->afbr->config, via)) {
		snprintf(why, size,
			"the way to it leads through %s, which is in none of `endpoints` of `core`",
			addr_print(via, text));
		return path ? why : "the core has no way to its next hop, nor has BGP a route to it";
	}
	subject.set = bgp_set_reader(path->set);
	choose(s->afbr->config, &subject, 0, &result);
	if (!result.chosen) {
		text_add(&t, "the way to it leads through %s: %s", addr_print(via, text), result.why);
		return why;
	}
	key->outer = *via;
	key->outer_how = result.how;
	return NULL;
}

/* Is EGRESS to be packed twice? NULL, or why it cannot be. */
static const char *add_outer(
	struct softwires *s, const struct addr *egress, struct endpoint_key *key, char *why, size_t size)
{
	struct nexthop_core way = {0};

	nexthop_core(s->afbr, egress, &way);
	if (!way.reached || addr_is_none(&way.via))
		return NULL; /* or unreached, which is the endpoint's matter */
	s->stacks = true;
	return choose_outer(s, egress, &way.via, key, why, size);
}

static struct softwire_endpoint *choose_slot(struct softwires *s, const struct choose_subject *subject,
	unsigned slot, bool *ret_rejects, char *why, size_t size)
{
	struct endpoint_key key = {0};
	struct softwire_endpoint *e;
	struct choose_result result;
	const char *no;

	choose(s->afbr->config, subject, slot, &result);
	if (!result.chosen) {
		*ret_rejects = true;
		snprintf(why, size, "%s", result.why);
		return NULL;
	}
	key.address = subject->egress;
	key.how = result.how;
	key.hop_limit = result.hop_limit;
	key.set_dscp = result.set_dscp;
	key.outer_dscp = result.outer_dscp;
	key.copy_ecn = result.copy_ecn;
	no = add_outer(s, &subject->egress, &key, why, size);
	if (no) {
		if (no != why)
			snprintf(why, size, "%s", no);
		return NULL;
	}
	e = endpoint_get(s, &key, result.why);
	if (!e)
		snprintf(why, size,
			"its headers cannot be made: not enough memory, or what the egress tells contradicts "
			"itself");
	return e;
}

static void choose_all(struct softwires *s, const struct choose_subject *subject, struct softwire_choice *ret)
{
	unsigned slots = s->afbr->config->slot_count;

	slots = !slots ? 1 : slots > MESH_SLOTS ? MESH_SLOTS : slots;
	for (unsigned i = 0; i < slots; i++) {
		char why[sizeof(ret->why)];

		ret->endpoint[i] = choose_slot(s, subject, i, &ret->rejects, why, sizeof(why));
		if (ret->endpoint[i])
			ret->usable = true;
		else if (!*ret->why)
			snprintf(ret->why, sizeof(ret->why), "%s", why);
	}
}

/* ---- what stands before it ---- */

static const char *look_at_label(const struct prefix *prefix, const struct rib_path *path)
{
	if (path->label == LABEL_NULL4 && prefix->addr.family == AF_INET6)
		return "its label says that it is IPv4 (explicit null, RFC 3032)";
	if (path->label == LABEL_NULL6 && prefix->addr.family == AF_INET)
		return "its label says that it is IPv6 (explicit null, RFC 3032)";
	return path->label < LABELS && path->label != LABEL_NULL4 && path->label != LABEL_NULL6 &&
			       path->label != LABEL_IMPLICIT_NULL
		       ? "its label is a reserved one"
		       : NULL;
}

/* NULL: there may be a softwire to its next hop. */
static const char *look_at_path(const struct softwires *s, enum bgp_family family,
	const struct prefix *prefix, const struct rib_path *path)
{
	const struct addr *egress = path->set->next_hop ? &path->set->next_hop->value.global : NULL;

	if (!egress || egress->family != s->core_family)
		return "its next hop is no address of the core's family, and softwires lead to the next hop "
		       "(RFC 5565 section 9)";
	if (!is_endpoint(s->afbr->config, egress))
		return "its next hop is in none of `endpoints` of `core`";
	if (family == BGP_IPV4_LABELED || family == BGP_IPV6_LABELED)
		return look_at_label(prefix, path);
	return NULL;
}

/* ---- remembering ---- */

static uint64_t rules_of(const struct softwires *s, const struct prefix *prefix)
{
	const struct afbr_config *c = s->afbr->config;
	uint64_t bits = 0;

	for (unsigned i = 0; s->prefix_rules && i < c->rule_count; i++)
		for (unsigned k = 0; k < c->rules[i].prefix_count; k++)
			if (prefix_contains(&c->rules[i].prefixes[k], prefix))
				bits |= UINT64_C(1) << i;
	return bits;
}

static struct choice_cell *cell_of(const struct softwires *s, const struct cell_key *k)
{
	uint64_t v = (uint64_t)k->set << 2 | (k->labeled ? 2 : 0) | (k->family == AF_INET6 ? 1 : 0);

	return s->choices ? &s->choices[hash_u64(v, k->prefix_rules) % CELLS] : NULL;
}

static bool is_same(const struct cell_key *a, const struct cell_key *b)
{
	return a->prefix_rules == b->prefix_rules && a->set == b->set && a->family == b->family &&
	       a->labeled == b->labeled;
}

_Static_assert((int)AFBR_RULES <= 64, "a bit for each rule");

void choice_path(struct softwires *s, enum bgp_family family, const struct prefix *prefix,
	const struct rib_path *path, struct softwire_choice *ret)
{
	const char *no = look_at_path(s, family, prefix, path);
	bool labeled = (family == BGP_IPV4_LABELED || family == BGP_IPV6_LABELED) &&
		       path->label != LABEL_IMPLICIT_NULL;
	struct cell_key key = {.set = path->set->number, .family = prefix->addr.family, .labeled = labeled};
	struct choice_cell *cell;
	struct choose_subject subject = {
		.prefix = prefix, .set = bgp_set_reader(path->set), .labeled = labeled};

	*ret = (struct softwire_choice){0};
	if (no) {
		snprintf(ret->why, sizeof(ret->why), "%s", no);
		return;
	}
	key.prefix_rules = rules_of(s, prefix);
	cell = cell_of(s, &key);
	if (cell && cell->round == s->choices_round && is_same(&cell->key, &key)) {
		*ret = cell->choice;
		return;
	}
	subject.egress = path->set->next_hop->value.global;
	subject.encap_set = encap_set(s, &subject.egress);
	choose_all(s, &subject, ret);
	if (cell)
		*cell = (struct choice_cell){s->choices_round, key, *ret};
}

void choice_forget(struct softwires *s)
{
	if (s)
		s->choices_round++;
}

/* ---- what has changed ---- */

static bool has_moved(const struct softwires *s, const struct addr *a)
{
	for (unsigned i = 0; i < s->moved_count; i++)
		if (addr_equal(&s->moved[i], a))
			return true;
	return s->moved_all && a->family == s->core_family;
}

void choice_moved(struct softwires *s, const struct addr *address)
{
	choice_forget(s);
	if (!address || (s->moved_count == SOFTWIRE_MOVED && !has_moved(s, address)))
		s->moved_all = true;
	else if (!has_moved(s, address))
		s->moved[s->moved_count++] = *address;
	export_again(s->afbr);
}

bool choice_is_moved(const struct afbr *a, const struct rib *rib, rib_id net)
{
	const struct softwires *s = a->softwires;

	if (!s || (!s->moved_count && !s->moved_all))
		return false;
	for (const struct rib_path *p = rib_first_path(rib, net); p; p = rib_next_path(rib, p))
		if (p->set->next_hop && has_moved(s, &p->set->next_hop->value.global))
			return true;
	return false;
}

void choice_settle(struct afbr *a)
{
	if (a->softwires) {
		a->softwires->moved_count = 0;
		a->softwires->moved_all = false;
	}
}

void choice_routes(struct afbr *a, enum bgp_family family)
{
	struct softwires *s = a->softwires;
	rib_id net;

	if (!s || !s->encap_feed.rib || family != encap_family(s))
		return;
	while ((net = rib_feed_next(&s->encap_feed))) {
		const struct rib *rib = s->encap_feed.rib;
		bool there = rib_best(rib, net);
		struct prefix p = rib_prefix(rib, net);

		if (rib_feed_set(&s->encap_feed, net, there)) {
			choice_moved(s, NULL);
			return;
		}
		choice_moved(s, s->stacks ? NULL : &p.addr); /* it may be around others */
	}
}

void choice_route_told(struct afbr *a, const struct prefix *prefix)
{
	struct softwires *s = a->softwires;

	if (!s || !s->stacked_count || prefix->addr.family != s->core_family)
		return;
	for (const struct softwire_endpoint *e = s->endpoints; e; e = e->next)
		if (!addr_is_none(&e->key.outer) && prefix_contains_addr(prefix, &e->key.address))
			choice_moved(s, &e->key.address);
}

/* ---- life ---- */

void choice_change(struct softwires *s)
{
	const struct afbr_config *c = s->afbr->config;

	choice_forget(s);
	s->prefix_rules = false;
	for (unsigned i = 0; i < c->rule_count; i++)
		s->prefix_rules = s->prefix_rules || c->rules[i].prefix_count;
}

int choice_begin(struct softwires *s)
{
	s->choices = calloc(CELLS, sizeof(*s->choices));
	s->choices_round = 1;
	choice_change(s);
	return s->choices ? rib_feed_add(bgp_rib(s->afbr->bgp, encap_family(s)), &s->encap_feed) : -ENOMEM;
}

void choice_free(struct softwires *s)
{
	if (s->encap_feed.rib)
		rib_feed_remove(&s->encap_feed);
	free(s->choices);
	s->choices = NULL;
}

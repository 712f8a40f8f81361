/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rules apply to a route, and what they make of it.
 *
 * Judging runs for every route that comes in and goes out: it walks over the attributes in place, and allocates nothing.
 */
#include <errno.h>
#include <string.h>

#include "bgp/policy.h"
#include "bgp/policy_index.h"

/* ---- conditions: each with its list of values, of which one has to match ---- */

static bool prefix_matches(const struct policy_rule *r, const struct prefix *p)
{
	if (r->index)
		return policy_index_has(r->index, p);
	for (unsigned i = 0; i < r->prefix_count; i++)
		if (p->len >= r->prefixes[i].min && p->len <= r->prefixes[i].max &&
			prefix_contains(&r->prefixes[i].prefix, p))
			return true;
	return false;
}

/* The next segment of a path: its type and AS numbers. */
static bool next_segment(struct reader *path, uint8_t *type, struct reader *numbers)
{
	unsigned count;

	if (!reader_left(path))
		return false;
	*type = reader_u8(path);
	count = reader_u8(path);
	*numbers = reader_sub(path, (size_t)count * 4);
	return reader_ok(path);
}

static bool path_has(struct reader path, uint32_t as)
{
	struct reader numbers;
	uint8_t type;

	while (next_segment(&path, &type, &numbers))
		while (reader_left(&numbers))
			if (reader_u32(&numbers) == as)
				return true;
	return false;
}

/* Nothing but AS, once or more; what happened inside a confederation does not count. */
static bool path_is(struct reader path, uint32_t as)
{
	struct reader numbers;
	unsigned seen = 0;
	uint8_t type;

	while (next_segment(&path, &type, &numbers)) {
		if (type == BGP_AS_CONFED_SEQUENCE || type == BGP_AS_CONFED_SET)
			continue;
		if (type != BGP_AS_SEQUENCE)
			return false;
		for (; reader_left(&numbers); seen++)
			if (reader_u32(&numbers) != as)
				return false;
	}
	return seen > 0;
}

static bool path_matches(const struct policy_rule *r, const struct policy_subject *s)
{
	struct bgp_attribute path = {.type = 0};

	bgp_attribute_find(s->set, BGP_AS_PATH, &path);
	for (unsigned i = 0; i < r->as_count; i++) {
		const struct policy_as *a = &r->as_path[i];

		if (!a->as                    ? !s->facts->path_length
			: a->first && a->last ? path_is(path.value, a->as)
			: a->first            ? s->facts->neighbor_as == a->as
			: a->last             ? s->facts->origin_as == a->as
					      : path_has(path.value, a->as))
			return true;
	}
	return false;
}

static bool community_matches(const struct policy_rule *r, struct reader set)
{
	struct bgp_attribute a;

	if (!bgp_attribute_find(set, BGP_COMMUNITIES, &a))
		return false;
	while (reader_left(&a.value)) {
		uint32_t community = reader_u32(&a.value);

		for (unsigned i = 0; i < r->community_count; i++)
			if (r->communities[i] == community)
				return true;
	}
	return false;
}

static bool extended_matches(const struct policy_rule *r, struct reader set)
{
	struct bgp_attribute a;

	if (!bgp_attribute_find(set, BGP_EXTENDED_COMMUNITIES, &a))
		return false;
	while (reader_left(&a.value)) {
		uint64_t community = reader_u64(&a.value);

		for (unsigned i = 0; i < r->extended_count; i++)
			if (r->extended[i] == community)
				return true;
	}
	return false;
}

static bool large_matches(const struct policy_rule *r, struct reader set)
{
	struct bgp_attribute a;

	if (!bgp_attribute_find(set, BGP_LARGE_COMMUNITIES, &a))
		return false;
	while (reader_left(&a.value)) {
		uint32_t community[3];

		for (unsigned i = 0; i < 3; i++)
			community[i] = reader_u32(&a.value);
		for (unsigned i = 0; i < r->large_count; i++)
			if (!memcmp(r->large[i], community, sizeof(community)))
				return true;
	}
	return false;
}

static bool next_hop_matches(const struct policy_rule *r, const struct bgp_next_hop_value *next_hop)
{
	for (unsigned i = 0; i < r->next_hop_count; i++)
		if (prefix_contains_addr(&r->next_hops[i], &next_hop->global) ||
			prefix_contains_addr(&r->next_hops[i], &next_hop->link_local))
			return true;
	return false;
}

static bool source_matches(const struct policy_rule *r, const char *source)
{
	for (unsigned i = 0; i < r->source_count; i++)
		if (!strcmp(r->sources[i], source))
			return true;
	return false;
}

/* The cheap ones first. */
static bool rule_matches(const struct policy_rule *r, const struct policy_subject *s)
{
	return (!r->families || (r->families & BGP_FAMILY_BIT(s->family))) &&
	       (!r->source_count || source_matches(r, s->source)) &&
	       (!r->prefix_count || prefix_matches(r, s->prefix)) &&
	       (!r->next_hop_count || next_hop_matches(r, s->next_hop)) &&
	       (!r->as_count || path_matches(r, s)) &&
	       (!r->community_count || community_matches(r, s->set)) &&
	       (!r->extended_count || extended_matches(r, s->set)) &&
	       (!r->large_count || large_matches(r, s->set));
}

/* ---- the verdict ---- */

/* False: there is no room for one more. */
static bool note(struct policy_result *ret, const struct policy_rule *r, unsigned number)
{
	if (!policy_rule_changes(r))
		return true;
	if (ret->applied_count == POLICY_APPLIED)
		return false;
	ret->applied[ret->applied_count++] = (uint16_t)number;
	ret->prepend =
		(uint8_t)(ret->prepend + r->prepend < UINT8_MAX ? ret->prepend + r->prepend : UINT8_MAX);
	ret->next_hop_self |= r->next_hop == POLICY_NEXT_HOP_SELF;
	return true;
}

static struct policy_result rejected(unsigned number)
{
	return (struct policy_result){.verdict = POLICY_REJECT, .rule = (uint16_t)number};
}

void policy_judge(const struct policy *p, const struct policy_subject *s, struct policy_result *ret)
{
	struct policy_result result = {.verdict = POLICY_NEXT};

	for (unsigned n = 0; n < p->rule_count; n++) {
		const struct policy_rule *r = &p->rules[n];

		if (!rule_matches(r, s))
			continue;
		if (r->then == POLICY_REJECT || !note(&result, r, n + 1)) {
			*ret = rejected(n + 1);
			return;
		}
		if (r->then == POLICY_ACCEPT) {
			result.verdict = POLICY_ACCEPT;
			result.rule = (uint16_t)(n + 1);
			*ret = result;
			return;
		}
	}
	*ret = rejected(0);
}

bool policy_result_equal(const struct policy_result *a, const struct policy_result *b)
{
	return a->verdict == b->verdict && a->applied_count == b->applied_count &&
	       !memcmp(a->applied, b->applied, a->applied_count * sizeof(a->applied[0]));
}

/* ---- changes ---- */

static bool fits(const struct policy_rule *r)
{
	return r->add_count <= POLICY_VALUES && r->remove_count <= POLICY_VALUES &&
	       r->add_extended_count <= POLICY_VALUES && r->add_large_count <= POLICY_VALUES;
}

/* The changes of several rules as one. What a rule removes is removed after what it adds; later rules have the last word. */
struct change {
	struct bgp_edit edit;
	uint32_t add[POLICY_APPLIED * POLICY_VALUES], remove[POLICY_APPLIED * POLICY_VALUES];
	uint64_t extended[POLICY_APPLIED * POLICY_VALUES];
	uint32_t large[POLICY_APPLIED * POLICY_VALUES][3];
};

static void take_out(uint32_t *list, size_t *count, uint32_t value)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		if (list[i] != value)
			list[kept++] = list[i];
	*count = kept;
}

static void change_communities(struct change *c, const struct policy_rule *r)
{
	struct bgp_edit *e = &c->edit;

	if (r->clear_communities) {
		e->clear_communities = true;
		e->community_count = e->remove_community_count = 0;
	}
	for (unsigned i = 0; i < r->add_count; i++) {
		take_out(c->remove, &e->remove_community_count, r->add[i]);
		take_out(c->add, &e->community_count, r->add[i]);
		c->add[e->community_count++] = r->add[i];
	}
	for (unsigned i = 0; i < r->remove_count; i++) {
		take_out(c->add, &e->community_count, r->remove[i]);
		take_out(c->remove, &e->remove_community_count, r->remove[i]);
		c->remove[e->remove_community_count++] = r->remove[i];
	}
}

static void change_others(struct change *c, const struct policy_rule *r)
{
	struct bgp_edit *e = &c->edit;

	if (r->clear_extended) {
		e->clear_extended = true;
		e->extended_count = 0;
	}
	for (unsigned i = 0; i < r->add_extended_count; i++)
		c->extended[e->extended_count++] = r->add_extended[i];
	if (r->clear_large) {
		e->clear_large = true;
		e->large_count = 0;
	}
	for (unsigned i = 0; i < r->add_large_count; i++)
		memcpy(c->large[e->large_count++], r->add_large[i], sizeof(c->large[0]));
}

static void change_numbers(struct bgp_edit *e, const struct policy_rule *r)
{
	if (r->set_local_pref) {
		e->set_local_pref = true;
		e->local_pref = r->local_pref;
	}
	if (r->set_med) {
		e->set_med = true;
		e->med = r->med;
	}
	if (r->set_origin) {
		e->set_origin = true;
		e->origin = r->origin;
	}
}

int policy_apply(
	const struct policy *p, const struct policy_result *result, struct reader set, struct writer *ret)
{
	struct change c;

	c.edit = (struct bgp_edit){0};
	for (unsigned i = 0; i < result->applied_count; i++) {
		const struct policy_rule *r = &p->rules[result->applied[i] - 1];

		if (!fits(r))
			return -EMSGSIZE;
		change_communities(&c, r);
		change_others(&c, r);
		change_numbers(&c.edit, r);
	}
	c.edit.communities = c.add;
	c.edit.remove_communities = c.remove;
	c.edit.extended = c.extended;
	c.edit.large = (const uint32_t(*)[3])c.large;
	return bgp_set_edit(set, &c.edit, ret);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about policies: what they name is there, and what they say makes sense. */
#include "control/mesh.h"

/* Row N of a list of groups, which a single group may be, too. */
static const config_setting_t *row_at(const config_setting_t *list, unsigned n)
{
	const config_setting_t *row =
		config_setting_is_group(list) ? (n ? NULL : list) : config_setting_get_elem(list, n);

	return row && config_setting_is_group(row) ? row : NULL;
}

static bool is_source(const struct afbr_config *a, const char *name)
{
	if (!strcmp(name, "kernel") || !strcmp(name, "network"))
		return true;
	for (unsigned i = 0; i < a->neighbor_count; i++)
		if (!strcmp(a->neighbors[i].name, name))
			return true;
	return false;
}

static void check_sources(struct problems *r, const config_setting_t *group, const struct afbr_config *a,
	const struct policy_rule *rule)
{
	for (unsigned i = 0; i < rule->source_count; i++)
		if (!is_source(a, rule->sources[i]))
			problem_at(r, true, rule_at(group, "from"),
				"`from` has \"%s\": it must be the name of a neighbor, \"network\" or "
				"\"kernel\"",
				quoted(rule->sources[i]).text);
}

static void check_both(struct problems *r, const config_setting_t *set, const char *all, const char *more)
{
	if (rule_is_set(set, all) && rule_is_set(set, more))
		problem_at(r, true, rule_at(set, more),
			"`%s` replaces all that there are, so `%s` cannot stand beside it: put them into one",
			all, more);
}

static void check_added_and_removed(
	struct problems *r, const config_setting_t *set, const struct policy_rule *rule)
{
	char text[24];

	for (unsigned i = 0; i < rule->add_count; i++)
		for (unsigned j = 0; j < rule->remove_count; j++)
			if (rule->add[i] == rule->remove[j])
				problem_at(r, true, rule_at(set, "remove-communities"),
					"`remove-communities` has %s, which the same rule adds: leave it out "
					"of one of them",
					bgp_community_print(rule->add[i], text));
}

static void check_set(struct problems *r, const config_setting_t *group, const struct policy_rule *rule)
{
	const config_setting_t *set = rule_group(group, "set");

	if (!set)
		return;
	check_both(r, set, "communities", "add-communities");
	check_both(r, set, "extended-communities", "add-extended-communities");
	check_both(r, set, "large-communities", "add-large-communities");
	check_added_and_removed(r, set, rule);
	if (rule->then == POLICY_REJECT)
		problem_at(r, false, rule_at(group, "set"),
			"`set` has no effect in a rule that rejects: there is nothing left to be changed");
}

static bool is_unconditional(const struct policy_rule *r)
{
	return !r->prefix_count && !r->as_count && !r->community_count && !r->extended_count &&
	       !r->large_count && !r->families && !r->next_hop_count && !r->source_count;
}

/* A route can meet all of them that say "next", and one that accepts it behind. */
static void check_changes(struct problems *r, const config_setting_t *list, const struct policy *p)
{
	unsigned changes = 0;

	for (unsigned n = 0; n < p->rule_count; n++) {
		const struct policy_rule *rule = &p->rules[n];
		bool is_change = policy_rule_changes(rule) && rule->then != POLICY_REJECT;

		if (is_change && changes == POLICY_APPLIED) {
			problem_at(r, true, row_at(list, n) ? row_at(list, n) : list,
				"%u rules before this one of the policy `%s` change a route and say "
				"\"next\": "
				"at most %u rules in all may change it",
				changes, p->name, POLICY_APPLIED);
			return;
		}
		changes += is_change && rule->then == POLICY_NEXT;
	}
}

static void check_policy(
	struct problems *r, const config_setting_t *list, const struct afbr_config *a, const struct policy *p)
{
	bool is_over = false;

	for (unsigned n = 0; n < p->rule_count; n++) {
		const config_setting_t *row = row_at(list, n);
		const struct policy_rule *rule = &p->rules[n];

		if (!row)
			return; /* told already */
		check_sources(r, row, a, rule);
		check_set(r, row, rule);
		if (is_over)
			problem_at(r, false, row,
				"no route comes as far as this rule: one before it, without a condition, "
				"decides about all");
		is_over |= is_unconditional(rule) && rule->then != POLICY_NEXT;
	}
	check_changes(r, list, p);
}

void check_policies(struct problems *r, const config_setting_t *group, const struct afbr_config *a)
{
	for (unsigned i = 0; group && i < a->policy_count; i++) {
		const config_setting_t *list =
			a->policies[i].name[0] ? config_setting_get_member(group, a->policies[i].name) : NULL;

		if (list)
			check_policy(r, list, a, &a->policies[i]);
	}
}

void check_policy_name(struct problems *r, const config_setting_t *group, const char *key, const char *name,
	const struct afbr_config *a)
{
	const char *names[AFBR_POLICIES + 1] = {NULL}, *near;

	if (!name[0] || afbr_config_policy(a, name))
		return;
	for (unsigned i = 0; i < a->policy_count; i++)
		names[i] = a->policies[i].name;
	near = nearest_word(name, names);
	problem_at(r, true, rule_at(group, key),
		"`%s` is \"%s\", and there is no such policy: `policies` must have it%s%s%s", key,
		quoted(name).text, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

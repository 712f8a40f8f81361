/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a configuration. */
#include "afbr/config.h"

#include <stdlib.h>
#include <string.h>

struct afbr_config *afbr_config_new(void)
{
	struct afbr_config *c = calloc(1, sizeof(*c));

	if (c)
		c->refs = 1;
	return c;
}

struct afbr_config *afbr_config_ref(const struct afbr_config *c)
{
	struct afbr_config *mine = (struct afbr_config *)c;

	if (mine)
		mine->refs++;
	return mine;
}

void afbr_config_unref(struct afbr_config *c)
{
	if (!c || --c->refs)
		return;
	for (unsigned i = 0; i < c->policy_count; i++)
		policy_done(&c->policies[i]);
	for (unsigned i = 0; i < c->rule_count; i++) {
		free(c->rules[i].prefixes);
		free(c->rules[i].next_hops);
	}
	free(c->rules);
	free(c->policies);
	free(c->neighbors);
	free(c->networks);
	free(c);
}

const struct policy *afbr_config_policy(const struct afbr_config *c, const char *name)
{
	for (unsigned i = 0; i < c->policy_count; i++)
		if (!strcmp(c->policies[i].name, name))
			return &c->policies[i];
	return NULL;
}

static bool same_prefixes(const struct prefix *a, const struct prefix *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!prefix_equal(&a[i], &b[i]))
			return false;
	return true;
}

static bool same_conditions(const struct afbr_rule *a, const struct afbr_rule *b)
{
	if (a->class_count != b->class_count || a->prefix_count != b->prefix_count ||
		a->next_hop_count != b->next_hop_count || a->dscp != b->dscp)
		return false;
	for (unsigned i = 0; i < a->class_count; i++)
		if (a->classes[i].is_color != b->classes[i].is_color ||
			a->classes[i].value != b->classes[i].value)
			return false;
	return same_prefixes(a->prefixes, b->prefixes, a->prefix_count) &&
	       same_prefixes(a->next_hops, b->next_hops, a->next_hop_count);
}

bool afbr_rule_equal(const struct afbr_rule *a, const struct afbr_rule *b)
{
	return same_conditions(a, b) && a->use_count == b->use_count &&
	       !memcmp(a->use, b->use, a->use_count) && a->hop_limit == b->hop_limit &&
	       a->set_dscp == b->set_dscp && a->outer_dscp == b->outer_dscp && a->copy_ecn == b->copy_ecn;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a policy did to a route, and why, in words. */
#include <stdio.h>

#include "bgp/policy.h"
#include "bgp/tunnel.h"
#include "lib/text.h"

enum { VALUES_TOLD = 3, VALUE_TEXT = 80 };

typedef const char *print_value(const struct policy_rule *r, unsigned n, char buf[VALUE_TEXT]);

static const char *print_prefix(const struct policy_rule *r, unsigned n, char buf[VALUE_TEXT])
{
	return policy_prefix_print(&r->prefixes[n], buf);
}

static const char *print_as(const struct policy_rule *r, unsigned n, char buf[VALUE_TEXT])
{
	return policy_as_print(&r->as_path[n], buf);
}

static const char *print_community(const struct policy_rule *r, unsigned n, char buf[VALUE_TEXT])
{
	return bgp_community_print(r->communities[n], buf);
}

static const char *print_extended(const struct policy_rule *r, unsigned n, char buf[VALUE_TEXT])
{
	return bgp_extended_community_print(r->extended[n], buf);
}

static const char *print_large(const struct policy_rule *r, unsigned n, char buf[VALUE_TEXT])
{
	return bgp_large_community_print(r->large[n], buf);
}

static const char *print_next_hop(const struct policy_rule *r, unsigned n, char buf[VALUE_TEXT])
{
	return prefix_print(&r->next_hops[n], buf);
}

static const char *print_source(const struct policy_rule *r, unsigned n, char buf[VALUE_TEXT])
{
	snprintf(buf, VALUE_TEXT, "%s", r->sources[n]);
	return buf;
}

/* "(prefixes a, b" or "; prefixes a, b, c and 5 more" */
static void add_condition(
	struct text *t, const char *name, const struct policy_rule *r, unsigned count, print_value *print)
{
	char value[VALUE_TEXT];

	if (!count)
		return;
	text_add(t, "%s%s", t->len && t->buf[t->len - 1] == '(' ? "" : "; ", name);
	for (unsigned i = 0; i < count && i < VALUES_TOLD; i++)
		text_add(t, "%s %s", i ? "," : "", print(r, i, value));
	if (count > VALUES_TOLD)
		text_add(t, " and %u more", count - VALUES_TOLD);
}

static void add_families(struct text *t, bgp_families families)
{
	bool first = true;

	if (!families)
		return;
	text_add(t, "%sfamilies", t->len && t->buf[t->len - 1] == '(' ? "" : "; ");
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (families & BGP_FAMILY_BIT(f)) {
			text_add(t, "%s %s", first ? "" : ",", bgp_family_name((enum bgp_family)f));
			first = false;
		}
}

static void add_conditions(struct text *t, const struct policy_rule *r)
{
	if (!r->prefix_count && !r->as_count && !r->community_count && !r->extended_count &&
		!r->large_count && !r->families && !r->next_hop_count && !r->source_count) {
		text_add(t, "everything");
		return;
	}
	add_condition(t, "prefixes", r, r->prefix_count, print_prefix);
	add_condition(t, "as-path", r, r->as_count, print_as);
	add_condition(t, "communities", r, r->community_count, print_community);
	add_condition(t, "extended-communities", r, r->extended_count, print_extended);
	add_condition(t, "large-communities", r, r->large_count, print_large);
	add_families(t, r->families);
	add_condition(t, "next-hops", r, r->next_hop_count, print_next_hop);
	add_condition(t, "from", r, r->source_count, print_source);
}

/* The rules before it that only changed something. */
static void add_applied(struct text *t, const struct policy_result *result)
{
	bool first = true;

	for (unsigned i = 0; i < result->applied_count; i++)
		if (result->applied[i] != result->rule) {
			text_add(t, "%s%u", first ? ", after changes by rule " : ", ", result->applied[i]);
			first = false;
		}
}

const char *policy_explain(const struct policy *p, const struct policy_result *result, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};

	if (size)
		*buf = 0;
	if (!result->rule) {
		text_add(&t, "no rule accepts it");
		return buf;
	}
	text_add(&t, "rule %u (", result->rule);
	add_conditions(&t, &p->rules[result->rule - 1]);
	text_add(&t, ") %s", result->verdict == POLICY_ACCEPT ? "accepts" : "rejects");
	add_applied(&t, result);
	return buf;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/policy: the operator's rules: which routes pass, and what is changed on the way. Pure.
 *
 * A policy is a list of rules; a rule has conditions, of which all have to hold (and of the values of one, any), and what is done then. The first rule that
 * accepts or rejects decides; one that does neither ("next") changes and goes on; at the end all that is left is rejected.
 *
 * Parts: policy.c (life), policy_index.c (long lists of prefixes), policy_judge.c (judging and changing routes), policy_text.c (prefixes and AS patterns
 * as text), policy_explain.c (in words).
 */
#ifndef BGP_POLICY_H
#define BGP_POLICY_H

#include "bgp/set.h"

enum { POLICY_NAME = 64, POLICY_RULES = 256, POLICY_VALUES = 64, POLICY_PREFIXES = 4096 };

/* "198.51.100.0/22", "198.51.100.0/22+" (it and what is inside), "198.51.100.0/22{23,24}" (of these lengths, inside) */
struct policy_prefix {
	struct prefix prefix;
	uint8_t min, max; /* lengths */
};
int policy_prefix_parse(const char *text, struct policy_prefix *ret); /* 0 or -EINVAL */
const char *policy_prefix_print(const struct policy_prefix *p, char buf[PREFIX_TEXT + 10]);

/* "65001": somewhere in the path; "^65001": the neighbour's; "65001$": the origin's; "^65001$": the whole path, though repeated; "^$": empty */
struct policy_as {
	uint32_t as;
	bool first, last;
};
int policy_as_parse(const char *text, struct policy_as *ret);
const char *policy_as_print(const struct policy_as *a, char buf[16]);

enum policy_verdict { POLICY_NEXT, POLICY_ACCEPT, POLICY_REJECT };
enum policy_next_hop { POLICY_NEXT_HOP_KEEP, POLICY_NEXT_HOP_SELF };

struct policy_index;

/* All arrays belong to the policy, with at most POLICY_PREFIXES and POLICY_VALUES elements; count 0: no condition, no change. */
struct policy_rule {
	unsigned prefix_count;
	struct policy_prefix *prefixes;
	unsigned as_count;
	struct policy_as *as_path;
	unsigned community_count;
	uint32_t *communities;
	unsigned extended_count;
	uint64_t *extended;
	unsigned large_count;
	uint32_t (*large)[3];
	bgp_families families; /* 0: any */
	unsigned next_hop_count;
	struct prefix *next_hops; /* in one of these */
	unsigned source_count;
	char (*sources)[POLICY_NAME]; /* from one of these neighbours; "kernel", "network" */

	enum policy_verdict then;
	bool set_local_pref, set_med, set_origin;
	uint32_t local_pref, med;
	uint8_t origin;
	uint8_t prepend; /* so often our own AS; on import that of the neighbour */
	enum policy_next_hop next_hop;
	bool clear_communities, clear_extended, clear_large; /* before those below are added */
	unsigned add_count;
	uint32_t *add;
	unsigned remove_count;
	uint32_t *remove;
	unsigned add_extended_count;
	uint64_t *add_extended;
	unsigned add_large_count;
	uint32_t (*add_large)[3];
	const struct policy_index *
		index; /* of a long list of prefixes: made by policy_prepare(), policy_copy(); NULL: looked through from end to end */
};

struct policy {
	char name[POLICY_NAME];
	unsigned rule_count;
	struct policy_rule *rules;
};

/* What is judged: everything of it is there. */
struct policy_subject {
	enum bgp_family family;
	const struct prefix *prefix;
	struct reader set;
	const struct bgp_facts *facts;
	const struct bgp_next_hop_value *next_hop;
	const char *source; /* the neighbour's name, "kernel", "network" */
};

/* What has to be done to a route that passed: rules that applied, in order. Two equal results mean equal changes. A route that more rules than there is room
 * for would change is rejected by the last of them; the configuration file may not have policies that could come to that. */
enum { POLICY_APPLIED = 8 };
struct policy_result {
	enum policy_verdict verdict; /* never POLICY_NEXT */
	uint16_t rule;               /* which decided, counted from 1; 0: the end of the list */
	bool next_hop_self;
	uint8_t prepend;
	uint8_t applied_count;            /* rules that change something */
	uint16_t applied[POLICY_APPLIED]; /* counted from 1 */
};
/* Does the rule change the set, the next hop, or the path? */
bool policy_rule_changes(const struct policy_rule *r);
void policy_judge(const struct policy *p, const struct policy_subject *s, struct policy_result *ret);
bool policy_result_equal(const struct policy_result *a, const struct policy_result *b);
/* One canonical set to another, as RESULT has it (without next hop and prepending, which depend on the neighbour). 0 or -EMSGSIZE. */
int policy_apply(
	const struct policy *p, const struct policy_result *result, struct reader set, struct writer *ret);
bool policy_equal(const struct policy *a, const struct policy *b); /* NULLs are equal to each other */
struct policy *policy_copy(const struct policy *p); /* NULL: no memory; fit for many routes: with indexes */
void policy_free(struct policy *p);
/* Makes one that was put together elsewhere fit for many routes. 0 or -ENOMEM */
int policy_prepare(struct policy *p);
/* Frees what P has, and not P. */
void policy_done(struct policy *p);
/* "rule 2 (prefixes 198.51.100.0/22+) accepts": for explanations. Returns BUF. */
const char *policy_explain(
	const struct policy *p, const struct policy_result *result, char *buf, size_t size);

#endif

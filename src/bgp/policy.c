/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a policy: copies, equality, indexes. */
#include "bgp/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/policy_index.h"

enum { INDEX_FROM = 9 }; /* fewer prefixes are faster looked through */

/* The arrays of a rule, for all that is done to each of them. */
typedef bool elements_equal(const void *a, const void *b);

static bool as_equal(const void *a, const void *b)
{
	const struct policy_as *x = a, *y = b;

	return x->as == y->as && x->first == y->first && x->last == y->last;
}

static bool name_equal(const void *a, const void *b)
{
	return !strcmp(a, b);
}

#define ARRAY(count, list, equal)                                                                            \
	{                                                                                                    \
		offsetof(struct policy_rule, count), offsetof(struct policy_rule, list),                     \
			sizeof(*((struct policy_rule *)0)->list), equal                                      \
	}

static const struct array {
	size_t count, list, size;
	elements_equal *equal; /* NULL: byte by byte */
} arrays[] = {
	ARRAY(prefix_count, prefixes, NULL),
	ARRAY(as_count, as_path, as_equal),
	ARRAY(community_count, communities, NULL),
	ARRAY(extended_count, extended, NULL),
	ARRAY(large_count, large, NULL),
	ARRAY(next_hop_count, next_hops, NULL),
	ARRAY(source_count, sources, name_equal),
	ARRAY(add_count, add, NULL),
	ARRAY(remove_count, remove, NULL),
	ARRAY(add_extended_count, add_extended, NULL),
	ARRAY(add_large_count, add_large, NULL),
};
enum { ARRAYS = sizeof(arrays) / sizeof(arrays[0]) };

static unsigned array_count(const struct policy_rule *r, const struct array *a)
{
	unsigned count;

	memcpy(&count, (const char *)r + a->count, sizeof(count));
	return count;
}

static char *array_list(const struct policy_rule *r, const struct array *a)
{
	char *list;

	memcpy((void *)&list, (const char *)r + a->list, sizeof(list));
	return list;
}

static void set_array_list(struct policy_rule *r, const struct array *a, const char *list)
{
	memcpy((char *)r + a->list, (const void *)&list, sizeof(list));
}

static bool arrays_equal(const struct policy_rule *a, const struct policy_rule *b, const struct array *what)
{
	unsigned count = array_count(a, what);
	const char *x = array_list(a, what), *y = array_list(b, what);

	if (count != array_count(b, what))
		return false;
	for (unsigned n = 0; n < count; n++, x += what->size, y += what->size)
		if (what->equal ? !what->equal(x, y) : memcmp(x, y, what->size) != 0)
			return false;
	return true;
}

static bool settings_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->families == b->families && a->then == b->then && a->set_local_pref == b->set_local_pref &&
	       a->set_med == b->set_med && a->set_origin == b->set_origin &&
	       (!a->set_local_pref || a->local_pref == b->local_pref) && (!a->set_med || a->med == b->med) &&
	       (!a->set_origin || a->origin == b->origin) && a->prepend == b->prepend &&
	       a->next_hop == b->next_hop && a->clear_communities == b->clear_communities &&
	       a->clear_extended == b->clear_extended && a->clear_large == b->clear_large;
}

static bool rule_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	if (!settings_equal(a, b))
		return false;
	for (unsigned i = 0; i < ARRAYS; i++)
		if (!arrays_equal(a, b, &arrays[i]))
			return false;
	return true;
}

bool policy_equal(const struct policy *a, const struct policy *b)
{
	if (!a || !b)
		return a == b;
	if (strcmp(a->name, b->name) != 0 || a->rule_count != b->rule_count)
		return false;
	for (unsigned n = 0; n < a->rule_count; n++)
		if (!rule_equal(&a->rules[n], &b->rules[n]))
			return false;
	return true;
}

bool policy_rule_changes(const struct policy_rule *r)
{
	return r->set_local_pref || r->set_med || r->set_origin || r->prepend ||
	       r->next_hop != POLICY_NEXT_HOP_KEEP || r->clear_communities || r->clear_extended ||
	       r->clear_large || r->add_count || r->remove_count || r->add_extended_count ||
	       r->add_large_count;
}

static void rule_done(struct policy_rule *r)
{
	for (unsigned i = 0; i < ARRAYS; i++)
		free(array_list(r, &arrays[i]));
	policy_index_free((struct policy_index *)r->index);
}

void policy_done(struct policy *p)
{
	for (unsigned n = 0; n < p->rule_count; n++)
		rule_done(&p->rules[n]);
	free(p->rules);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	policy_done(p);
	free(p);
}

int policy_prepare(struct policy *p)
{
	for (unsigned n = 0; n < p->rule_count; n++) {
		struct policy_rule *r = &p->rules[n];

		if (r->prefix_count < INDEX_FROM || r->index)
			continue;
		r->index = policy_index_new(r->prefixes, r->prefix_count);
		if (!r->index)
			return -ENOMEM;
	}
	return 0;
}

/* What *TO has so far can be given to rule_done() also where false is returned. */
static bool rule_copy(struct policy_rule *to, const struct policy_rule *from)
{
	*to = *from;
	to->index = NULL;
	for (unsigned i = 0; i < ARRAYS; i++)
		set_array_list(to, &arrays[i], NULL);
	for (unsigned i = 0; i < ARRAYS; i++) {
		unsigned count = array_count(from, &arrays[i]);
		char *list = count ? calloc(count, arrays[i].size) : NULL;

		if (!count)
			continue;
		if (!list)
			return false;
		memcpy(list, array_list(from, &arrays[i]), count * arrays[i].size);
		set_array_list(to, &arrays[i], list);
	}
	return true;
}

struct policy *policy_copy(const struct policy *p)
{
	struct policy *copy = calloc(1, sizeof(*copy));
	struct policy_rule *rules = calloc(p->rule_count + 1, sizeof(*rules));

	if (!copy || !rules) {
		free(copy);
		free(rules);
		return NULL;
	}
	memcpy(copy->name, p->name, sizeof(copy->name));
	copy->rules = rules;
	while (copy->rule_count < p->rule_count) {
		unsigned n = copy->rule_count++;

		if (!rule_copy(&rules[n], &p->rules[n])) {
			policy_free(copy);
			return NULL;
		}
	}
	if (policy_prepare(copy)) {
		policy_free(copy);
		return NULL;
	}
	return copy;
}

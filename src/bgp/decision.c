/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bgp/rib.h"

enum { FEW = 4 };

const char *decision_step_text(enum decision_step step)
{
	static const char *const texts[] = {
		[DECISION_ONLY] = "there is no other that can be chosen",
		[DECISION_BARRED] = "the other cannot be chosen",
		[DECISION_UNREACHED] = "a next hop that is reached",
		[DECISION_LOCAL_PREF] = "a higher local preference",
		[DECISION_OURS] = "it is our own",
		[DECISION_AS_PATH] = "a shorter AS path",
		[DECISION_ORIGIN] = "a lower origin",
		[DECISION_MED] = "a lower MED from the same neighboring AS",
		[DECISION_EXTERNAL] = "it is external",
		[DECISION_METRIC] = "a nearer next hop",
		[DECISION_IDENTIFIER] = "a lower BGP identifier",
		[DECISION_CLUSTER] = "a shorter cluster list",
		[DECISION_ADDRESS] = "a lower peer address",
	};

	return texts[step];
}

struct candidate {
	const struct rib_path *path;
	const struct bgp_facts *facts;
	const struct decision_source *source;
	unsigned index;
};

/* What STEP looks at, less is better. */
static uint32_t rank(const struct candidate *c, enum decision_step step)
{
	switch (step) {
	case DECISION_LOCAL_PREF:
		return ~c->facts->local_pref;
	case DECISION_OURS:
		return !c->source->ours;
	case DECISION_AS_PATH:
		return c->facts->path_length;
	case DECISION_ORIGIN:
		return c->facts->origin;
	case DECISION_MED:
		return c->facts->med;
	case DECISION_EXTERNAL:
		return !c->source->external;
	case DECISION_METRIC:
		return c->path->set->next_hop->metric;
	case DECISION_IDENTIFIER:
		return c->facts->originator_id ? c->facts->originator_id : c->source->id;
	case DECISION_CLUSTER:
		return c->facts->cluster_length;
	default:
		return 0;
	}
}

/* Two neighbours may have one link-local address, on two links: then the source's number tells them apart. */
static int compare_address(const struct candidate *a, const struct candidate *b)
{
	int order = addr_compare(&a->source->address, &b->source->address);

	return order ? order : (a->path->source > b->path->source) - (a->path->source < b->path->source);
}

/* Less than 0: A is better at STEP. */
static int compare(const struct candidate *a, const struct candidate *b, enum decision_step step)
{
	uint32_t of_a, of_b;

	if (step == DECISION_ADDRESS)
		return compare_address(a, b);
	if (step == DECISION_MED && a->facts->neighbor_as != b->facts->neighbor_as)
		return 0;
	of_a = rank(a, step);
	of_b = rank(b, step);
	return (of_a > of_b) - (of_a < of_b);
}

static enum decision_step exclusion(const struct rib_path *p)
{
	if (p->bar != BGP_BAR_NONE)
		return DECISION_BARRED;
	return !p->source || (p->set->next_hop->reached && !p->set->next_hop->ours) ? DECISION_ONLY : DECISION_UNREACHED;
}

static void note(enum decision_step *steps, unsigned index, enum decision_step step)
{
	if (steps)
		steps[index] = step;
}

/* Which candidates are there at all? */
static unsigned gather(const struct decision_ops *ops, const struct rib_path *const *paths, unsigned count,
	struct candidate *ret, enum decision_step *steps)
{
	unsigned left = 0;

	for (unsigned i = 0; i < count; i++) {
		enum decision_step step = exclusion(paths[i]);

		note(steps, i, step);
		if (step == DECISION_ONLY)
			ret[left++] = (struct candidate){paths[i], &paths[i]->set->facts, NULL, i};
	}
	for (unsigned i = 0; left > 1 && i < left; i++)
		ret[i].source = ops->source(ops, ret[i].path->source);
	return left;
}

/* MED: everyone goes who meets a better one of his own neighbouring AS; so it does not matter in which order they stand. */
static bool loses_by_med(const struct candidate *c, const struct candidate *all, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (compare(c, &all[i], DECISION_MED) > 0)
			return true;
	return false;
}

/* Leaves those who do not lose at STEP, in order; returns how many there are. */
static unsigned eliminate(
	struct candidate *c, unsigned count, enum decision_step step, enum decision_step *steps)
{
	bool lost[DECISION_PATHS];
	unsigned best = 0, left = 0;

	for (unsigned i = 1; step != DECISION_MED && i < count; i++)
		if (compare(&c[best], &c[i], step) > 0)
			best = i;
	for (unsigned i = 0; i < count; i++)
		lost[i] = step == DECISION_MED ? loses_by_med(&c[i], c, count)
					       : compare(&c[i], &c[best], step) > 0;
	for (unsigned i = 0; i < count; i++)
		if (lost[i])
			note(steps, c[i].index, step);
		else
			c[left++] = c[i];
	return left;
}

/* Nearly always there are no more than two, and then a comparison is an elimination. */
static int choose_of_two(const struct candidate *c, enum decision_step *steps)
{
	for (unsigned s = DECISION_LOCAL_PREF; s <= DECISION_ADDRESS; s++) {
		enum decision_step step = (enum decision_step)s;
		int order = compare(&c[0], &c[1], step);

		if (order) {
			note(steps, c[0].index, step);
			note(steps, c[1].index, step);
			return (int)c[order > 0].index;
		}
	}
	return (int)c[0].index;
}

static int choose(const struct decision_ops *ops, const struct rib_path *const *paths, unsigned count,
	struct candidate *candidates, enum decision_step *steps)
{
	unsigned left = gather(ops, paths, count, candidates, steps);

	if (!left)
		return -1;
	if (left == 2)
		return choose_of_two(candidates, steps);
	for (unsigned s = DECISION_LOCAL_PREF; left > 1 && s <= DECISION_ADDRESS; s++) {
		unsigned before = left;

		left = eliminate(candidates, left, (enum decision_step)s, steps);
		if (left < before)
			note(steps, candidates[0].index, (enum decision_step)s);
	}
	return (int)candidates[0].index;
}

/* Apart, because of all that it takes from the stack. */
__attribute__((noinline)) static int choose_of_many(const struct decision_ops *ops,
	const struct rib_path *const *paths, unsigned count, enum decision_step *steps)
{
	struct candidate candidates[DECISION_PATHS];

	return choose(ops, paths, count < DECISION_PATHS ? count : DECISION_PATHS, candidates, steps);
}

int decision_choose(const struct decision_ops *ops, const struct rib_path *const *paths, unsigned count,
	enum decision_step *ret_steps)
{
	struct candidate candidates[FEW];

	if (count > FEW)
		return choose_of_many(ops, paths, count, ret_steps);
	return choose(ops, paths, count, candidates, ret_steps);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bgp/explain.h"
#include "lib/text.h"

/* How a step is told: NOUN and what the path has, "the best", VERB and what the best has. */
static const struct {
	const char *name, *noun, *verb;
} words[] = {
	[DECISION_ONLY] = {"only", "", ""},
	[DECISION_BARRED] = {"barred", "", ""},
	[DECISION_UNREACHED] = {"unreached", "", ""},
	[DECISION_LOCAL_PREF] = {"local-preference", "local preference ", "has"},
	[DECISION_OURS] = {"ours", "", "is"},
	[DECISION_AS_PATH] = {"as-path", "an AS path of ", "has one of"},
	[DECISION_ORIGIN] = {"origin", "origin ", "has"},
	[DECISION_MED] = {"med", "MED ", "has"},
	[DECISION_EXTERNAL] = {"external", "", "is"},
	[DECISION_METRIC] = {"metric", "a next hop at metric ", "has one at"},
	[DECISION_IDENTIFIER] = {"identifier", "BGP identifier ", "has"},
	[DECISION_CLUSTER] = {"cluster-list", "a cluster list of ", "has one of"},
	[DECISION_ADDRESS] = {"address", "peer address ", "has"},
};

const char *explain_step_name(enum decision_step step)
{
	return words[step].name;
}

static const struct decision_source *source_of(const struct rib *r, const struct rib_path *p)
{
	return r->decision->source(r->decision, p->source);
}

/* ---- values ---- */

static void add_identifier(struct text *t, uint32_t id, const char *whose)
{
	char buf[ADDR_TEXT];
	struct addr a = addr4((uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id);

	text_add(t, "%s%s", addr_print(&a, buf), whose);
}

static const char *origin_name(uint8_t origin)
{
	static const char *const names[] = {"IGP", "EGP", "incomplete"};

	return origin < sizeof(names) / sizeof(*names) ? names[origin] : "unknown";
}

/* What P has where STEP looks. */
static void add_value(struct text *t, const struct rib *r, const struct rib_path *p, enum decision_step step)
{
	const struct bgp_facts *f = &p->set->facts;
	const struct decision_source *s = source_of(r, p);
	char buf[ADDR_TEXT];

	switch (step) {
	case DECISION_LOCAL_PREF:
		text_add(t, "%u", f->local_pref);
		break;
	case DECISION_OURS:
		text_add(t, "%s", s->ours ? "our own" : "a neighbor's");
		break;
	case DECISION_AS_PATH:
		text_add(t, "%u", f->path_length);
		break;
	case DECISION_ORIGIN:
		text_add(t, "%s", origin_name(f->origin));
		break;
	case DECISION_MED:
		text_add(t, "%u", f->med);
		break;
	case DECISION_EXTERNAL:
		text_add(t, "%s", s->external ? "external" : "internal");
		break;
	case DECISION_METRIC:
		text_add(t, "%u", p->set->next_hop->metric);
		break;
	case DECISION_IDENTIFIER:
		if (f->originator_id)
			add_identifier(t, f->originator_id, " (its originator's)");
		else
			add_identifier(t, s->id, "");
		break;
	case DECISION_CLUSTER:
		text_add(t, "%u", f->cluster_length);
		break;
	case DECISION_ADDRESS:
		text_add(t, "%s", addr_print(&s->address, buf));
		break;
	default:
		break;
	}
}

static void add_whom(struct text *t, const struct rib *r, const struct rib_path *p)
{
	char buf[ADDR_TEXT];

	if (source_of(r, p)->ours)
		text_add(t, "our own path");
	else
		text_add(t, "the path from %s", addr_print(&source_of(r, p)->address, buf));
}

/* ---- what is said of a path ---- */

/* "MED 10, the path from 192.0.2.1 has 0" */
static void add_comparison(struct text *t, const struct rib *r, const struct explain_path *e, bool with_best)
{
	text_add(t, "%s", words[e->step].noun);
	add_value(t, r, e->path, e->step);
	text_add(t, ", ");
	if (with_best)
		text_add(t, "the best");
	else
		add_whom(t, r, e->rival);
	text_add(t, " %s ", words[e->step].verb);
	add_value(t, r, e->rival, e->step);
}

static void say_best(struct text *t, const struct rib *r, const struct explain_path *e, unsigned count)
{
	if (e->step == DECISION_ONLY) {
		text_add(t, "%s",
			count == 1 ? "it is the only path" : "it is the only path that can be chosen");
		return;
	}
	text_add(t, "%s: ", decision_step_text(e->step));
	add_comparison(t, r, e, false);
}

static void say_unreached(struct text *t, const struct rib_path *p)
{
	const struct bgp_next_hop *n = p->set->next_hop;
	const struct addr *a = addr_is_none(&n->value.global) ? &n->value.link_local : &n->value.global;
	char buf[ADDR_TEXT];

	text_add(t, "its next hop %s ", addr_print(a, buf));
	if (n->ours)
		text_add(t, "is one of our own addresses");
	else if (!n->answered)
		text_add(t, "is still being looked for");
	else
		text_add(t, "is not reached%s%s", *n->why ? ": " : "", n->why);
}

static void say_med(struct text *t, const struct rib *r, const struct explain_path *e)
{
	uint32_t as = e->path->set->facts.neighbor_as;

	add_comparison(t, r, e, false);
	if (as)
		text_add(t, " by way of the same neighboring AS %u", as);
	else
		text_add(t, ", and neither has a neighboring AS");
}

static void say(const struct rib *r, struct explain_path *e, unsigned count)
{
	struct text t = {.buf = e->why, .size = sizeof(e->why)};

	if (e->best)
		say_best(&t, r, e, count);
	else if (e->step == DECISION_BARRED)
		text_add(&t, "it cannot be chosen: %s", bgp_bar_text((enum bgp_bar)e->path->bar));
	else if (e->step == DECISION_UNREACHED)
		say_unreached(&t, e->path);
	else if (e->step == DECISION_MED)
		say_med(&t, r, e);
	else
		add_comparison(&t, r, e, true);
	if (e->step == DECISION_ADDRESS &&
		addr_equal(&source_of(r, e->path)->address, &source_of(r, e->rival)->address))
		text_add(&t, " on another link, and the neighbor that was there first wins");
}

/* ---- in order ---- */

/* Does A come before B? The best first, then later steps before earlier ones, then by address. */
static bool is_before(const struct rib *r, const struct explain_path *a, const struct explain_path *b)
{
	int order;

	if (a->best || b->best)
		return a->best;
	if (a->step != b->step)
		return a->step > b->step;
	order = addr_compare(&source_of(r, a->path)->address, &source_of(r, b->path)->address);
	return order ? order < 0 : a->path->source < b->path->source;
}

static void insert(const struct rib *r, struct explain *all, const struct explain_path *e)
{
	unsigned at = all->count++;

	for (; at && is_before(r, e, &all->paths[at - 1]); at--)
		all->paths[at] = all->paths[at - 1];
	all->paths[at] = *e;
}

/* Whom E lost to; whom it beat last. */
static const struct rib_path *find_rival(const struct explain *all, const struct explain_path *e)
{
	const struct explain_path *o = &all->paths[0];

	if (e->step <= DECISION_UNREACHED)
		return NULL;
	if (e->best)
		for (o++; o->step != e->step;)
			o++;
	else if (e->step == DECISION_MED)
		while (o->path->set->facts.neighbor_as != e->path->set->facts.neighbor_as)
			o++;
	return o->path;
}

void explain_net(const struct rib *r, rib_id net, struct explain *ret)
{
	const struct rib_path *paths[DECISION_PATHS], *first = rib_first_path(r, net);
	enum decision_step steps[DECISION_PATHS];
	unsigned count = 0;
	int best;

	for (const struct rib_path *p = first; p && count < DECISION_PATHS; p = rib_next_path(r, p))
		paths[count++] = p;
	best = decision_choose(r->decision, paths, count, steps);
	ret->count = 0;
	ret->pending = rib_best(r, net) != (best < 0 ? NULL : paths[best]);
	for (unsigned i = 0; i < count; i++)
		insert(r, ret,
			&(struct explain_path){.path = paths[i], .best = (int)i == best, .step = steps[i]});
	for (unsigned i = 0; i < count; i++) {
		ret->paths[i].rival = find_rival(ret, &ret->paths[i]);
		say(r, &ret->paths[i], count);
	}
}

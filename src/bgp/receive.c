/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an UPDATE to the tables. What the whole UPDATE has in common is judged once; with an import policy each prefix is judged by itself, and prefixes with one
 * verdict share one set. What cannot be chosen is kept and barred, so that the operator sees it and why.
 */
#include "bgp/parts.h"

#include <errno.h>
#include <stdio.h>

/* What is being received, and what its prefixes have in common. */
struct receiving {
	struct bgp *b;
	struct bgp_neighbor *n;
	struct bgp_connection *c;
	msec now;
	bool external;
	/* of the family under way */
	enum bgp_family family;
	struct bgp_next_hop_value next_hop;
	struct bgp_facts facts;
	struct reader set;
	unsigned interface;
	enum bgp_bar bar;              /* of all of them, before policy */
	const struct bgp_set *as_told; /* interned */
	/* the last verdict of the policy, and what came of it */
	bool judged;
	bool too_long; /* than any message, after the changes that it wants */
	struct policy_result result;
	const struct bgp_set *changed; /* NULL: as told */
	bool left_out;                 /* an event has said that there is no place for more paths */
	struct bgp_error error;        /* what ends the session */
};

/* ---- counters and limits ---- */

static void forget(struct bgp_neighbor_table *t, const struct rib_was *was)
{
	t->received--;
	t->accepted -= !was->barred;
	t->stale -= was->stale;
}

static void max_prefix_event(struct receiving *r, bool final, const struct bgp_error *error)
{
	struct bgp_neighbor_table *t = &r->n->table[r->family];
	struct bgp_event e = {.kind = BGP_EVENT_MAX_PREFIX,
		.family = r->family,
		.count = t->received,
		.final = final,
		.error = error};

	neighbor_event(r->n, &e);
}

/* 0, or -EPROTO: the neighbour has told too much. */
static int check_max_prefix(struct receiving *r)
{
	const struct bgp_family_limits *limits = &r->n->config.limits[r->family];
	struct bgp_neighbor_table *t = &r->n->table[r->family];
	uint8_t data[7];
	struct writer w = writer_of(data, sizeof data);

	if (!limits->max_prefix)
		return 0;
	if (t->received > limits->max_prefix && t->stale)
		restart_make_room(r->n, r->family);
	if (t->received - t->stale > limits->max_prefix) {
		/* RFC 4486 section 4 */
		writer_u16(&w, bgp_family_afi(r->family));
		writer_u8(&w, bgp_family_safi(r->family));
		writer_u32(&w, limits->max_prefix);
		bgp_error_set(&r->error, BGP_ERROR_CEASE, BGP_CEASE_MAX_PREFIX, data, writer_len(&w),
			"more than %u prefixes of %s", limits->max_prefix, bgp_family_name(r->family));
		max_prefix_event(r, true, &r->error);
		return -EPROTO;
	}
	if (limits->warn_percent && !t->warned &&
		(uint64_t)t->received * 100 >= (uint64_t)limits->max_prefix * limits->warn_percent) {
		t->warned = true;
		max_prefix_event(r, false, NULL);
	}
	return 0;
}

bool receive_is_within_limits(struct bgp_neighbor *n, struct bgp_error *ret)
{
	struct receiving r = {.b = n->bgp, .n = n};

	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		r.family = (enum bgp_family)f;
		if (n->table[f].on && check_max_prefix(&r)) {
			*ret = r.error;
			return false;
		}
	}
	return true;
}

/* The next prefixes of LIST, some at a time, so that the table fetches its memory for all of them at once. 0: the end. */
static unsigned read_some(
	const struct rib *r, struct reader *list, bool withdrawn, struct bgp_nlri ret[RIB_EXPECT])
{
	unsigned count = 0;
	const char *why;

	while (count < RIB_EXPECT && bgp_nlri_read(list, r->family, withdrawn, &ret[count], &why) == 1)
		count++;
	rib_expect(r, ret, count);
	return count;
}

/* ---- withdrawn ---- */

static void withdraw(struct receiving *r, enum bgp_family f, struct reader list)
{
	struct bgp_neighbor_table *t = &r->n->table[f];
	struct rib *rib = &r->b->ribs[f];
	struct bgp_nlri nlri[RIB_EXPECT];
	struct rib_was was;
	unsigned count;

	while ((count = read_some(rib, &list, true, nlri)))
		for (unsigned i = 0; i < count; i++)
			if (rib_withdraw(rib, &nlri[i].prefix, r->n->source, &was) >= 0)
				forget(t, &was);
}

/* ---- what is wrong with a route ---- */

static bool next_hop_is_usable(const struct receiving *r)
{
	const struct addr *a = &r->next_hop.global;

	if (addr_is_none(a))
		return !addr_is_none(&r->next_hop.link_local);
	return !addr_is_unspecified(a) && !addr_is_multicast(a) && !addr_is_loopback(a);
}

static bool path_has_us(const struct receiving *r)
{
	uint32_t as = r->b->config.as, shown = r->n->config.local_as;

	return bgp_path_count(r->set, as) || (shown && shown != as && bgp_path_count(r->set, shown));
}

static enum bgp_bar find_bar(const struct receiving *r)
{
	const struct bgp_config *config = &r->b->config;

	if (path_has_us(r))
		return BGP_BAR_AS_LOOP;
	if (r->external && r->facts.neighbor_as != r->n->config.as)
		return BGP_BAR_FIRST_AS;
	if (!r->external && r->facts.originator_id == config->id)
		return BGP_BAR_ORIGINATOR;
	if (!r->external &&
		bgp_cluster_list_has(r->set, config->cluster_id ? config->cluster_id : config->id))
		return BGP_BAR_CLUSTER;
	if (!next_hop_is_usable(r))
		return BGP_BAR_NEXT_HOP;
	if (r->external && !r->n->config.tunnels && bgp_family_encap(r->family))
		return BGP_BAR_TUNNELS;
	if (r->external && !r->n->import)
		return BGP_BAR_NO_POLICY;
	return BGP_BAR_NONE;
}

/* ---- announced ---- */

static int out_of_memory(struct receiving *r)
{
	return bgp_error_set(
		&r->error, BGP_ERROR_CEASE, BGP_CEASE_RESOURCES, NULL, 0, "no memory for its routes");
}

/* The set that comes of the verdict in r->result, interned: r->changed. */
static int change_set(struct receiving *r)
{
	struct writer policy = writer_of(r->b->scratch_policy, sizeof r->b->scratch_policy);
	struct writer prepended = writer_of(r->b->scratch_out, sizeof r->b->scratch_out);
	/* With our own AS in its path nobody else here would take the route. */
	struct bgp_edit edit = {.prepend_as = r->n->config.as, .prepend_count = r->result.prepend};
	struct reader set = r->set;

	if (policy_apply(r->n->import, &r->result, set, &policy) == 0)
		set = reader_of(policy.start, writer_len(&policy));
	else
		return -EMSGSIZE;
	if (edit.prepend_count) {
		if (bgp_set_edit(set, &edit, &prepended))
			return -EMSGSIZE;
		set = reader_of(prepended.start, writer_len(&prepended));
	}
	r->changed = bgp_set_get(&r->b->sets, set, NULL, &r->next_hop, r->interface);
	return r->changed ? 0 : -ENOMEM;
}

/* What the import policy says of NLRI: *ret_set and *ret_bar. 0, or -EPROTO and r->error. */
static int judge(struct receiving *r, const struct bgp_nlri *nlri, const struct bgp_set **ret_set,
	enum bgp_bar *ret_bar)
{
	struct policy_subject s = {
		.family = r->family,
		.prefix = &nlri->prefix,
		.set = r->set,
		.facts = &r->facts,
		.next_hop = &r->next_hop,
		.source = r->n->config.name,
	};
	struct policy_result result;
	int err = 0;

	policy_judge(r->n->import, &s, &result);
	if (result.verdict != POLICY_ACCEPT) {
		*ret_bar = BGP_BAR_POLICY;
		return 0;
	}
	if (!r->judged || !policy_result_equal(&result, &r->result)) {
		bgp_set_unref(&r->b->sets, r->changed);
		r->changed = NULL;
		r->result = result;
		if (result.applied_count || result.prepend)
			err = change_set(r);
		if (err == -ENOMEM)
			return out_of_memory(r);
		r->too_long = err != 0;
		r->judged = true;
	}
	if (r->too_long)
		*ret_bar = BGP_BAR_POLICY;
	else if (r->changed)
		*ret_set = r->changed;
	return 0;
}

/* Others have told so many paths for this prefix that there is no place for one more. */
static void leave_out(struct receiving *r, const struct bgp_nlri *nlri)
{
	struct bgp_error error = {0};
	struct bgp_event e = {.kind = BGP_EVENT_UPDATE,
		.family = r->family,
		.outcome = BGP_WITHDRAW,
		.error = &error,
		.nlri = nlri};

	bgp_error_set(&error, 0, 0, NULL, 0, "there are %u paths for this prefix already", DECISION_PATHS);
	if (!r->left_out)
		neighbor_event(r->n, &e);
	r->left_out = true;
}

static int announce_one(struct receiving *r, const struct bgp_nlri *nlri)
{
	struct bgp_neighbor_table *t = &r->n->table[r->family];
	const struct bgp_set *set = r->as_told;
	enum bgp_bar bar = r->bar;
	struct rib_was was;
	int err;

	if (!bar && !bgp_nlri_is_routable(nlri))
		bar = BGP_BAR_PREFIX;
	if (!bar && r->n->import && judge(r, nlri, &set, &bar))
		return -EPROTO;
	err = rib_update(&r->b->ribs[r->family], nlri, r->n->source, bgp_set_ref(set), bar,
		(uint32_t)(r->now / 1000), &was);
	if (err == -ENOSPC) {
		leave_out(r, nlri);
		return 0;
	}
	if (err < 0)
		return out_of_memory(r);
	if (was.there)
		forget(t, &was);
	t->received++;
	t->accepted += !bar;
	return was.there ? 0 : check_max_prefix(r);
}

/* The attribute and the communities by which strangers would choose where our packets go: RFC 9012 section 11. */
static void filter_tunnels(struct receiving *r)
{
	struct bgp_edit edit = {.drop_tunnel = true, .drop_encapsulation = true};
	struct writer w = writer_of(r->b->scratch_edit, sizeof r->b->scratch_edit);
	struct bgp_attribute a;

	if (!r->external || r->n->config.tunnels)
		return;
	if (!bgp_attribute_find(r->set, BGP_TUNNEL_ENCAP, &a) &&
		!bgp_attribute_find(r->set, BGP_EXTENDED_COMMUNITIES, &a))
		return;
	if (bgp_set_edit(r->set, &edit, &w))
		return; /* it only becomes shorter */
	r->set = reader_of(w.start, writer_len(&w));
	r->facts.has_tunnel = false;
}

/* 0, or -EPROTO and r->error. */
static int announce(struct receiving *r, enum bgp_family f, struct reader list, const struct bgp_update *u,
	const struct bgp_next_hop_value *next_hop)
{
	struct bgp_nlri nlri[RIB_EXPECT];
	unsigned count;
	int err = 0;

	r->family = f;
	r->set = u->set;
	r->facts = u->facts;
	r->next_hop = *next_hop;
	/* A link-local address without a link names nobody. */
	if (!r->c->interface)
		r->next_hop.link_local = (struct addr){0};
	r->interface = addr_is_none(&r->next_hop.link_local) ? 0 : r->c->interface;
	filter_tunnels(r);
	r->bar = find_bar(r);
	r->judged = false;
	r->changed = NULL;
	r->as_told = bgp_set_get(&r->b->sets, r->set, &r->facts, &r->next_hop, r->interface);
	if (!r->as_told)
		return out_of_memory(r);
	while (!err && (count = read_some(&r->b->ribs[f], &list, false, nlri)))
		for (unsigned i = 0; !err && i < count; i++)
			err = announce_one(r, &nlri[i]);
	bgp_set_unref(&r->b->sets, r->changed);
	bgp_set_unref(&r->b->sets, r->as_told);
	return err;
}

/* ---- the UPDATE ---- */

/* The operator hears of what was wrong with U, and of the first prefix concerned. */
static void report(struct receiving *r, const struct bgp_update *u)
{
	struct reader list = reader_left(&u->reach) ? u->reach : u->announced;
	enum bgp_family f = reader_left(&u->reach) ? u->reach_family : BGP_IPV4;
	struct bgp_error error = {0};
	struct bgp_event e = {.kind = BGP_EVENT_UPDATE, .family = f, .outcome = u->outcome, .error = &error};
	struct bgp_nlri nlri;
	const char *why;

	if (u->outcome == BGP_WITHDRAW)
		r->n->withdrawn_updates++;
	r->n->discarded_attributes += u->discarded;
	(void)snprintf(error.reason, sizeof error.reason, "%s", u->reason);
	if (reader_left(&list) && bgp_nlri_read(&list, f, false, &nlri, &why) == 1)
		e.nlri = &nlri;
	neighbor_event(r->n, &e);
}

static int take(struct receiving *r, const struct bgp_update *u)
{
	bool ipv4 = r->c->form.families & BGP_FAMILY_BIT(BGP_IPV4), withdrawn = u->outcome == BGP_WITHDRAW;
	int err = 0;

	if (ipv4)
		withdraw(r, BGP_IPV4, u->withdrawn);
	if (u->has_unreach)
		withdraw(r, u->unreach_family, u->unreach);
	if (ipv4 && reader_left(&u->announced)) {
		if (withdrawn)
			withdraw(r, BGP_IPV4, u->announced);
		else
			err = announce(r, BGP_IPV4, u->announced, u, &u->next_hop);
	}
	if (!err && u->has_reach) {
		if (withdrawn)
			withdraw(r, u->reach_family, u->reach);
		else
			err = announce(r, u->reach_family, u->reach, u, &u->reach_next_hop);
	}
	return err;
}

bool receive_update(struct bgp_connection *c, struct reader body, msec now)
{
	struct bgp_neighbor *n = c->neighbor;
	struct bgp *b = n->bgp;
	struct receiving r = {.b = b, .n = n, .c = c, .now = now, .external = neighbor_is_external(n)};
	struct bgp_update u;
	int err = bgp_update_read(body, &c->form, b->scratch_in, sizeof b->scratch_in, &u, &r.error);

	if (!err && u.outcome != BGP_ACCEPT)
		report(&r, &u);
	if (!err)
		err = take(&r, &u);
	if (err) {
		session_end(c, &r.error, true, now);
		return false;
	}
	if (u.end_of_rib)
		restart_end_of_rib(n, u.end_family, now);
	return true;
}

/* ---- paths that go with their session ---- */

bool receive_flush(struct bgp_neighbor *n, enum bgp_family f, bool stale_only, rib_id *at, unsigned *budget)
{
	struct rib *r = &n->bgp->ribs[f];
	struct bgp_neighbor_table *t = &n->table[f];

	while (*budget && (stale_only ? t->stale : t->received)) {
		rib_id net = rib_walk_some(r, at, budget);
		const struct rib_path *p = net ? rib_first_path(r, net) : NULL;
		struct rib_was was;

		if (!net && !*at)
			return false;
		while (p && p->source != n->source)
			p = rib_next_path(r, p);
		if (!p || (stale_only && !rib_is_stale(r, p)))
			continue;
		if (rib_drop(r, net, n->source, &was) >= 0)
			forget(t, &was);
	}
	return (stale_only ? t->stale : t->received) != 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to a canonical set: what policies, reflection and the way out of the AS do to a route's attributes. The result is canonical again. */
#include <errno.h>
#include <string.h>

#include "bgp/attributes.h"

/* The type of an extended community: RFC 4360 section 2, RFC 9012 section 4.1. */
enum { NONTRANSITIVE = 0x40, OPAQUE = 0x03, ENCAPSULATION = 0x0c };

/* OLD is the attribute as it was, with an empty value where there was none. What the function writes is the new value; false: there is none. */
typedef bool change_function(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w);

static bool keep_value(const struct bgp_attribute *old, bool was, struct writer *w)
{
	writer_bytes(w, old->value.pos, reader_left(&old->value));
	return was;
}

static bool change_origin(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	if (!e->set_origin)
		return keep_value(old, was, w);
	writer_u8(w, e->origin);
	return true;
}

static bool change_path(const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	if (!e->prepend_count)
		return keep_value(old, was, w);
	bgp_path_prepend(w, old->value, e->prepend_as, e->prepend_count);
	return true;
}

static bool change_med(const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	if (e->set_med)
		writer_u32(w, e->med);
	return e->set_med || (!e->drop_med && keep_value(old, was, w));
}

static bool change_local_pref(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	if (e->set_local_pref)
		writer_u32(w, e->local_pref);
	return e->set_local_pref || (!e->drop_local_pref && keep_value(old, was, w));
}

/* RFC 4456 section 8 */
static bool change_originator(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	if (was && !e->drop_reflection)
		return keep_value(old, was, w);
	if (e->reflect)
		writer_u32(w, e->originator_id);
	return e->reflect;
}

static bool change_clusters(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	if (e->reflect)
		writer_u32(w, e->cluster_id);
	return (!e->drop_reflection && keep_value(old, was, w)) || e->reflect;
}

/* What has been written since START becomes a row of sorted values, each there once; false: there is none. */
static bool finish_values(struct writer *w, size_t start, size_t width)
{
	if (writer_ok(w))
		w->pos = w->start + start +
			 bgp_values_canonical(w->start + start, writer_len(w) - start, width);
	return writer_len(w) > start;
}

static bool change_communities(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	size_t start = writer_len(w);

	if (!e->clear_communities)
		keep_value(old, was, w);
	if (!e->community_count && !e->remove_community_count)
		return writer_len(w) > start;
	for (size_t i = 0; i < e->community_count; i++)
		writer_u32(w, e->communities[i]);
	finish_values(w, start, 4);
	for (size_t i = 0; writer_ok(w) && i < e->remove_community_count; i++) {
		uint8_t gone[4];
		struct writer g = writer_of(gone, sizeof(gone));

		writer_u32(&g, e->remove_communities[i]);
		w->pos = w->start + start +
			 bgp_values_remove(w->start + start, writer_len(w) - start, gone, 4);
	}
	return writer_len(w) > start;
}

/* Extended communities of WIDTH octets, the first of them the type: but those that stay in the AS only, and those that name a tunnel. */
static void keep_extended(const struct bgp_edit *e, const struct bgp_attribute *old, size_t width, struct writer *w)
{
	struct reader values = old->value;

	while (reader_left(&values) >= width) {
		const uint8_t *p = reader_bytes(&values, width);

		if (e->drop_nontransitive && p[0] & NONTRANSITIVE)
			continue;
		if (e->drop_encapsulation && width == 8 && p[0] == OPAQUE && p[1] == ENCAPSULATION)
			continue;
		writer_bytes(w, p, width);
	}
}

static bool change_extended(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	size_t start = writer_len(w);

	if (!e->clear_extended && was && (e->drop_nontransitive || e->drop_encapsulation))
		keep_extended(e, old, 8, w);
	else if (!e->clear_extended)
		keep_value(old, was, w);
	for (size_t i = 0; i < e->extended_count; i++)
		writer_u64(w, e->extended[i]);
	return e->extended_count ? finish_values(w, start, 8) : writer_len(w) > start;
}

static bool change_extended6(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	size_t start = writer_len(w);

	if (!e->clear_extended && was && e->drop_nontransitive)
		keep_extended(e, old, 20, w);
	else if (!e->clear_extended)
		keep_value(old, was, w);
	return writer_len(w) > start;
}

static bool change_large(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	size_t start = writer_len(w);

	if (!e->clear_large)
		keep_value(old, was, w);
	for (size_t i = 0; i < e->large_count; i++)
		for (unsigned k = 0; k < 3; k++)
			writer_u32(w, e->large[i][k]);
	return e->large_count ? finish_values(w, start, 12) : writer_len(w) > start;
}

static bool change_tunnel(
	const struct bgp_edit *e, const struct bgp_attribute *old, bool was, struct writer *w)
{
	if (!e->tunnel)
		return !e->drop_tunnel && keep_value(old, was, w);
	writer_bytes(w, e->tunnel, e->tunnel_len);
	return true;
}

/* By type, as in the set. */
static const struct {
	enum bgp_attribute_type type;
	change_function *change;
} changes[] = {
	{BGP_ORIGIN, change_origin},
	{BGP_AS_PATH, change_path},
	{BGP_MED, change_med},
	{BGP_LOCAL_PREFERENCE, change_local_pref},
	{BGP_COMMUNITIES, change_communities},
	{BGP_ORIGINATOR_ID, change_originator},
	{BGP_CLUSTER_LIST, change_clusters},
	{BGP_EXTENDED_COMMUNITIES, change_extended},
	{BGP_TUNNEL_ENCAP, change_tunnel},
	{BGP_IPV6_COMMUNITIES, change_extended6},
	{BGP_LARGE_COMMUNITIES, change_large},
};

static void put(struct writer *w, const struct bgp_attribute *a)
{
	bgp_attribute_put(w, a->flags, a->type, a->value.pos, reader_left(&a->value));
}

/* The row of TYPE as CHANGE leaves it; OLD is as it was, if WAS. */
static void put_changed(struct writer *w, const struct bgp_edit *edit, enum bgp_attribute_type type,
	change_function *change, const struct bgp_attribute *old, bool was)
{
	static const struct bgp_attribute none;
	uint8_t *before = w->pos;
	size_t at = bgp_attribute_begin(w, was ? old->flags : bgp_attribute_flags(type), (uint8_t)type);

	if (change(edit, was ? old : &none, was, w))
		bgp_attribute_end(w, at);
	else
		w->pos = before;
}

int bgp_set_edit(struct reader set, const struct bgp_edit *edit, struct writer *ret)
{
	struct writer w = *ret;
	struct bgp_attribute a;
	bool more;

	if ((size_t)(w.end - w.pos) > BGP_SET_MAX)
		w.end = w.pos + BGP_SET_MAX;
	more = bgp_attribute_next(&set, &a);
	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		bool was;

		for (; more && a.type < changes[i].type; more = bgp_attribute_next(&set, &a))
			put(&w, &a);
		was = more && a.type == changes[i].type;
		put_changed(&w, edit, changes[i].type, changes[i].change, &a, was);
		if (was)
			more = bgp_attribute_next(&set, &a);
	}
	for (; more; more = bgp_attribute_next(&set, &a))
		put(&w, &a);
	if (!writer_ok(&w))
		return -EMSGSIZE;
	ret->pos = w.pos;
	return 0;
}

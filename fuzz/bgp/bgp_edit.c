/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set, made from the attributes of an UPDATE, and an edit: 4 octets of what is done, one each of how many values of which kind, the values, one of the tunnel's
 * length, the tunnel; what is left are attributes. The result is canonical, and the same edit without prepending and reflection changes nothing more.
 */
#include <errno.h>
#include <stdint.h>

#include "promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUES = 8 };

static uint8_t body[BGP_EXTENDED_MAX], scratch[BGP_SET_MAX], once[BGP_SET_MAX], twice[BGP_SET_MAX];

struct values {
	uint32_t communities[VALUES], removed[VALUES], large[VALUES][3];
	uint64_t extended[VALUES];
};

static void read_edit(struct reader *r, struct values *v, struct bgp_edit *e)
{
	uint32_t bits = reader_u32(r);

	*e = (struct bgp_edit){.drop_local_pref = bits & 1,
		.drop_med = bits & 2,
		.drop_reflection = bits & 4,
		.drop_nontransitive = bits & 8,
		.drop_tunnel = bits & 16,
		.clear_communities = bits & 32,
		.clear_extended = bits & 64,
		.clear_large = bits & 128,
		.set_local_pref = bits & 256,
		.set_med = bits & 512,
		.set_origin = bits & 1024,
		.reflect = bits & 2048,
		.local_pref = bits,
		.med = bits,
		.origin = bits >> 16 & 1,
		.prepend_count = (uint8_t)(bits >> 24),
		.prepend_as = bits | 1,
		.originator_id = bits,
		.cluster_id = bits,
		.communities = v->communities,
		.community_count = reader_u8(r) % (VALUES + 1),
		.remove_communities = v->removed,
		.remove_community_count = reader_u8(r) % (VALUES + 1),
		.extended = v->extended,
		.extended_count = reader_u8(r) % (VALUES + 1),
		.large = v->large,
		.large_count = reader_u8(r) % (VALUES + 1)};
	for (size_t i = 0; i < e->community_count; i++)
		v->communities[i] = reader_u32(r);
	for (size_t i = 0; i < e->remove_community_count; i++)
		v->removed[i] = reader_u32(r);
	for (size_t i = 0; i < e->extended_count; i++)
		v->extended[i] = reader_u64(r);
	for (size_t i = 0; i < e->large_count; i++)
		for (unsigned k = 0; k < 3; k++)
			v->large[i][k] = reader_u32(r);
	e->tunnel_len = reader_u8(r);
	e->tunnel = e->tunnel_len ? reader_bytes(r, e->tunnel_len) : NULL;
}

static void check_values_are_there(struct reader set, const struct bgp_edit *e)
{
	for (size_t i = 0; i < e->remove_community_count; i++)
		check(!bgp_community_has(set, e->remove_communities[i]));
	for (size_t i = 0; !e->remove_community_count && i < e->community_count; i++)
		check(bgp_community_has(set, e->communities[i]));
	for (size_t i = 0; i < e->extended_count; i++)
		check(bgp_extended_community_has(set, e->extended[i]));
	for (size_t i = 0; i < e->large_count; i++)
		check(bgp_large_community_has(set, e->large[i][0], e->large[i][1], e->large[i][2]));
}

static void try(struct reader set, struct bgp_edit *e)
{
	struct writer w = writer_of(once, sizeof(once)), x = writer_of(twice, sizeof(twice));
	struct reader result;

	if (bgp_set_edit(set, e, &w)) {
		check(writer_len(&w) == 0);
		return;
	}
	result = reader_of(once, writer_len(&w));
	check_set(result, false);
	check_values_are_there(result, e);
	check(!e->prepend_count || bgp_path_count(result, e->prepend_as) >= e->prepend_count);
	check(!e->reflect || bgp_cluster_list_has(result, e->cluster_id));
	if (e->reflect || e->prepend_count)
		return;
	check(bgp_set_edit(result, e, &x) == 0);
	check(writer_len(&x) == writer_len(&w) && memcmp(once, twice, writer_len(&w)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_form form = {
		.as4 = true, .families = BGP_FAMILY_BIT(BGP_IPV4), .max_message = BGP_EXTENDED_MAX};
	static const uint8_t prefix[] = {8, 10}; /* so that what is malformed is not fatal */
	struct reader r = reader_of(data, size);
	struct writer w = writer_of(body, sizeof(body));
	struct values values;
	struct bgp_update u;
	struct bgp_error error;
	struct bgp_edit e;

	read_edit(&r, &values, &e);
	if (!reader_ok(&r))
		return 0;
	writer_u16(&w, 0);
	writer_u16(&w, (uint16_t)reader_left(&r));
	writer_bytes(&w, r.pos, reader_left(&r));
	writer_bytes(&w, prefix, sizeof(prefix));
	if (!writer_ok(&w) ||
		bgp_update_read(reader_of(body, writer_len(&w)), &form, scratch, sizeof(scratch), &u, &error))
		return 0;
	try(u.set, &e);
	return 0;
}

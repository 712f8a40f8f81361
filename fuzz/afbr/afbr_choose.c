/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What egresses tell, against rules: what is chosen can be built, is for this payload, and was named by the rule and, where it tells anything, by the egress.
 *
 * Input: flags, a rule's `use`, two lengths (16 bits), the Tunnel Encapsulation attributes of the route and of the egress, extended communities.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/choose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LABELED = 1, IPV6 = 2, RULE = 4, SET = 1024 };

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Canonical, as bgp_update_read() leaves it. */
static struct reader make_set(uint8_t *bytes, struct reader tunnels, struct reader communities)
{
	const uint8_t flags = BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE;
	struct writer w = writer_of(bytes, SET);

	if (reader_left(&communities))
		bgp_attribute_put(
			&w, flags, BGP_EXTENDED_COMMUNITIES, communities.pos, reader_left(&communities));
	if (reader_left(&tunnels))
		bgp_attribute_put(&w, flags, BGP_TUNNEL_ENCAP, tunnels.pos, reader_left(&tunnels));
	check(writer_ok(&w));
	return reader_of(bytes, writer_len(&w));
}

static bool rule_names(const struct afbr_rule *r, uint8_t kind)
{
	static const uint8_t kinds[] = {MESH_IPIP, MESH_GRE, MESH_L2TPV3};

	for (unsigned i = 0; i < r->use_count && r->use[i] != AFBR_USE_NONE; i++)
		if (kinds[r->use[i]] == kind)
			return true;
	return false;
}

static void promises(
	const struct afbr_config *c, const struct choose_subject *s, const struct choose_result *r)
{
	const struct mesh_encapsulation *how = &r->how;

	check(r->why[0] && memchr(r->why, 0, sizeof(r->why)));
	check(r->rule == (int)c->rule_count - 1);
	if (!r->chosen) {
		check(c->rule_count || r->source != CHOOSE_NOTHING);
		return;
	}
	check(mesh_encapsulation_valid(how) && how->mpls == s->labeled && r->hop_limit);
	check(!c->rule_count || rule_names(&c->rules[0], how->kind));
	check(r->outer_dscp < AFBR_DSCPS && (r->set_dscp || !r->outer_dscp));
	check(r->source != CHOOSE_NOTHING || (how->kind != MESH_L2TPV3 && !how->has_key));
	check(r->source != CHOOSE_COMMUNITY || (how->kind != MESH_L2TPV3 && !how->has_key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t route[SET], egress[SET];
	struct reader in = reader_of(data, size), first, second, communities;
	uint8_t flags = reader_u8(&in), use = reader_u8(&in);
	uint16_t first_len = reader_u16(&in), second_len = reader_u16(&in);
	struct afbr_rule rule = {.dscp = UINT64_MAX,
		.use_count = AFBR_USES,
		.use = {use & 3, use >> 2 & 3, use >> 4 & 3, use >> 6},
		.hop_limit = 64};
	struct afbr_config c = {.rules = &rule, .rule_count = flags & RULE ? 1 : 0};
	struct prefix p = {.addr.family = flags & IPV6 ? AF_INET6 : AF_INET};
	struct choose_subject s = {.prefix = &p,
		.labeled = flags & LABELED,
		.egress = {AF_INET6, {0x20, 1, 0xd, 0xb8, [15] = 1}}};
	struct choose_result r, again;

	first = reader_sub(&in, first_len);
	second = reader_sub(&in, second_len);
	communities = reader_sub(&in, reader_left(&in) & ~(size_t)7);
	if (!reader_ok(&in) || size > SET / 2)
		return 0;
	s.set = make_set(route, first, communities);
	s.encap_set = make_set(egress, second, reader_of(NULL, 0));
	check(choose_slots(&c) == 0);
	choose(&c, &s, 0, &r);
	promises(&c, &s, &r);
	choose(&c, &s, 0, &again);
	check(r.chosen == again.chosen && mesh_encapsulation_equal(&r.how, &again.how) &&
		!strcmp(r.why, again.why));
	return 0;
}

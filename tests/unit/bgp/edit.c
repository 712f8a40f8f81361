/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/update.h"
#include "lib/rng.h"

static uint8_t before_bytes[BGP_SET_MAX], after_bytes[BGP_SET_MAX];

/* ORIGIN, AS_PATH, MED, LOCAL_PREF, communities, ORIGINATOR_ID, CLUSTER_LIST, extended communities (one that stays in the AS), a tunnel, large communities */
static struct reader sample(void)
{
	static const uint8_t origin[] = {0}, path[] = {2, 1, 0, 0, 0xfd, 0xe9}, number[] = {0, 0, 0, 9},
			     cluster[] = {192, 0, 2, 1};
	static const uint8_t communities[] = {0, 0, 0, 10, 0, 0, 0, 20}, tunnel[] = {0, 2, 0, 0};
	static const uint8_t extended[] = {0x03, 0x0b, 0, 0, 0, 0, 0, 7, 0x43, 0, 0, 0, 0, 0, 0, 1},
			     large[] = {0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
	static const uint8_t ipv6[] = {0x40, 2, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1};
	struct writer w = writer_of(before_bytes, sizeof(before_bytes));

	bgp_attribute_put(&w, 0x40, BGP_ORIGIN, origin, sizeof(origin));
	bgp_attribute_put(&w, 0x40, BGP_AS_PATH, path, sizeof(path));
	bgp_attribute_put(&w, 0x80, BGP_MED, number, sizeof(number));
	bgp_attribute_put(&w, 0x40, BGP_LOCAL_PREFERENCE, number, sizeof(number));
	bgp_attribute_put(&w, 0xe0, BGP_COMMUNITIES, communities, sizeof(communities));
	bgp_attribute_put(&w, 0x80, BGP_ORIGINATOR_ID, number, sizeof(number));
	bgp_attribute_put(&w, 0x80, BGP_CLUSTER_LIST, cluster, sizeof(cluster));
	bgp_attribute_put(&w, 0xc0, BGP_EXTENDED_COMMUNITIES, extended, sizeof(extended));
	bgp_attribute_put(&w, 0xc0, BGP_TUNNEL_ENCAP, tunnel, sizeof(tunnel));
	bgp_attribute_put(&w, 0xc0, BGP_IPV6_COMMUNITIES, ipv6, sizeof(ipv6));
	bgp_attribute_put(&w, 0xc0, BGP_LARGE_COMMUNITIES, large, sizeof(large));
	bgp_attribute_put(&w, 0xe0, 99, number, sizeof(number));
	assert_true(writer_ok(&w));
	return reader_of(before_bytes, writer_len(&w));
}

static struct reader edit(struct reader set, const struct bgp_edit *e)
{
	struct writer w = writer_of(after_bytes, sizeof(after_bytes));

	assert_int_equal(bgp_set_edit(set, e, &w), 0);
	return reader_of(after_bytes, writer_len(&w));
}

/* LEN octets of TYPE are VALUE; with LEN 0 it is not there. */
static void assert_value(struct reader set, enum bgp_attribute_type type, const void *value, size_t len)
{
	struct bgp_attribute a;

	assert_int_equal(bgp_attribute_find(set, type, &a), len != 0);
	if (!len)
		return;
	assert_int_equal(reader_left(&a.value), len);
	assert_memory_equal(a.value.pos, value, len);
	assert_int_equal(a.flags & ~BGP_FLAG_PARTIAL, bgp_attribute_flags(type));
}

static unsigned count(struct reader set)
{
	struct bgp_attribute a;
	unsigned n = 0;

	while (bgp_attribute_next(&set, &a))
		n++;
	return n;
}

static void an_edit_that_says_nothing_changes_nothing(void **state)
{
	struct reader set = sample(), after = edit(set, &(struct bgp_edit){0});

	assert_int_equal(reader_left(&after), reader_left(&set));
	assert_memory_equal(after.pos, set.pos, reader_left(&set));
	after = edit(reader_of(NULL, 0), &(struct bgp_edit){0});
	assert_int_equal(reader_left(&after), 0);
}

static void what_is_dropped_is_gone_and_the_rest_is_there(void **state)
{
	struct reader set = sample(), after;

	after = edit(set, &(struct bgp_edit){.drop_local_pref = true,
				  .drop_med = true,
				  .drop_reflection = true,
				  .drop_tunnel = true});
	assert_value(after, BGP_LOCAL_PREFERENCE, NULL, 0);
	assert_value(after, BGP_MED, NULL, 0);
	assert_value(after, BGP_ORIGINATOR_ID, NULL, 0);
	assert_value(after, BGP_CLUSTER_LIST, NULL, 0);
	assert_value(after, BGP_TUNNEL_ENCAP, NULL, 0);
	assert_int_equal(count(after), count(set) - 5);
	after = edit(set,
		&(struct bgp_edit){.clear_communities = true, .clear_extended = true, .clear_large = true});
	assert_value(after, BGP_COMMUNITIES, NULL, 0);
	assert_value(after, BGP_EXTENDED_COMMUNITIES, NULL, 0);
	assert_value(after, BGP_IPV6_COMMUNITIES, NULL, 0);
	assert_value(after, BGP_LARGE_COMMUNITIES, NULL, 0);
	assert_int_equal(count(after), count(set) - 4);
}

/* RFC 4360 section 6, RFC 5701 section 2 */
static void communities_that_stay_in_the_as_are_dropped_alone(void **state)
{
	static const uint8_t kept[] = {0x03, 0x0b, 0, 0, 0, 0, 0, 7};
	struct reader after = edit(sample(), &(struct bgp_edit){.drop_nontransitive = true});

	assert_value(after, BGP_EXTENDED_COMMUNITIES, kept, sizeof(kept));
	assert_value(after, BGP_IPV6_COMMUNITIES, NULL, 0);
	assert_true(bgp_community_has(after, 10));
}

static void values_are_set_where_there_were_some_and_where_there_were_none(void **state)
{
	static const uint8_t local_pref[] = {0, 0, 1, 0}, med[] = {0, 0, 0, 1}, origin[] = {2},
			     tunnel[] = {0, 7, 0, 0};
	const struct bgp_edit e = {.drop_local_pref = true,
		.drop_med = true,
		.drop_tunnel = true,
		.set_local_pref = true,
		.local_pref = 256,
		.set_med = true,
		.med = 1,
		.set_origin = true,
		.origin = 2,
		.prepend_as = 65000,
		.prepend_count = 1,
		.tunnel = tunnel,
		.tunnel_len = sizeof(tunnel)};

	for (unsigned i = 0; i < 2; i++) {
		struct reader after = edit(i ? sample() : reader_of(NULL, 0), &e);
		char text[64];

		assert_value(after, BGP_LOCAL_PREFERENCE, local_pref, 4);
		assert_value(after, BGP_MED, med, 4);
		assert_value(after, BGP_ORIGIN, origin, 1);
		assert_value(after, BGP_TUNNEL_ENCAP, tunnel, 4);
		assert_string_equal(bgp_path_print(after, text, sizeof(text)), i ? "65000 65001" : "65000");
		assert_int_equal(count(after), i ? 12 : 5);
	}
}

/* RFC 4456 section 8: the first originator stays, the newest cluster is in front. */
static void reflection_leaves_its_marks(void **state)
{
	static const uint8_t first[] = {192, 0, 2, 7}, cluster[] = {192, 0, 2, 8}, nine[] = {0, 0, 0, 9},
			     both[] = {192, 0, 2, 8, 192, 0, 2, 1};
	struct bgp_edit e = {.reflect = true, .originator_id = 0xc0000207, .cluster_id = 0xc0000208};
	struct reader after = edit(reader_of(NULL, 0), &e);

	assert_value(after, BGP_ORIGINATOR_ID, first, 4);
	assert_value(after, BGP_CLUSTER_LIST, cluster, 4);
	after = edit(sample(), &e);
	assert_value(after, BGP_ORIGINATOR_ID, nine, 4);
	assert_value(after, BGP_CLUSTER_LIST, both, 8);
	e.drop_reflection = true;
	after = edit(sample(), &e);
	assert_value(after, BGP_ORIGINATOR_ID, first, 4);
	assert_value(after, BGP_CLUSTER_LIST, cluster, 4);
}

static void communities_are_added_sorted_and_once_and_then_removed(void **state)
{
	static const uint32_t add[] = {30, 20, 5, 30}, gone[] = {10, 30, 99},
			      large[][3] = {{1, 2, 3}, {0, 9, 9}};
	static const uint64_t extended[] = {1, UINT64_C(0x030b000000000007)};
	static const uint8_t communities[] = {0, 0, 0, 5, 0, 0, 0, 20};
	static const uint8_t extended_after[] = {
		0, 0, 0, 0, 0, 0, 0, 1, 0x03, 0x0b, 0, 0, 0, 0, 0, 7, 0x43, 0, 0, 0, 0, 0, 0, 1};
	static const uint8_t large_after[] = {
		0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
	struct bgp_edit e = {.communities = add,
		.community_count = 4,
		.remove_communities = gone,
		.remove_community_count = 3,
		.extended = extended,
		.extended_count = 2,
		.large = large,
		.large_count = 2};
	struct reader after = edit(sample(), &e);

	assert_value(after, BGP_COMMUNITIES, communities, sizeof(communities));
	assert_value(after, BGP_EXTENDED_COMMUNITIES, extended_after, sizeof(extended_after));
	assert_value(after, BGP_LARGE_COMMUNITIES, large_after, sizeof(large_after));
	e = (struct bgp_edit){.clear_communities = true,
		.communities = add,
		.community_count = 1,
		.remove_communities = add,
		.remove_community_count = 1};
	after = edit(sample(), &e);
	assert_value(after, BGP_COMMUNITIES, NULL, 0);
}

static void a_result_that_is_too_long_is_refused(void **state)
{
	static uint8_t much[60000];
	struct writer w = writer_of(before_bytes, sizeof(before_bytes)),
		      out = writer_of(after_bytes, sizeof(after_bytes));
	struct bgp_edit e = {.tunnel = much, .tunnel_len = 6000};

	bgp_attribute_put(&w, 0xe0, 99, much, sizeof(much));
	assert_int_equal(bgp_set_edit(reader_of(before_bytes, writer_len(&w)), &e, &out), -EMSGSIZE);
	assert_int_equal(writer_len(&out), 0);
	e.tunnel_len = 5000;
	assert_int_equal(bgp_set_edit(reader_of(before_bytes, writer_len(&w)), &e, &out), 0);
	out = writer_of(after_bytes, 10);
	assert_int_equal(bgp_set_edit(sample(), &(struct bgp_edit){0}, &out), -EMSGSIZE);
}

static bool values_are_canonical(struct reader value, size_t width)
{
	const uint8_t *last = NULL;

	while (reader_left(&value)) {
		const uint8_t *p = reader_bytes(&value, width);

		if (!p || (last && memcmp(last, p, width) >= 0))
			return false;
		last = p;
	}
	return true;
}

/* Sorted, each type once, with the flags of its type, nothing empty that may not be; communities sorted and once. */
static void assert_canonical(struct reader set)
{
	unsigned last = 0;
	struct bgp_attribute a;

	while (bgp_attribute_next(&set, &a)) {
		size_t width = a.type == BGP_COMMUNITIES            ? 4
			       : a.type == BGP_EXTENDED_COMMUNITIES ? 8
			       : a.type == BGP_LARGE_COMMUNITIES    ? 12
								    : 0;

		assert_true(a.type > last);
		last = a.type;
		assert_int_equal(
			a.flags & ~BGP_FLAG_PARTIAL, bgp_attribute_flags((enum bgp_attribute_type)a.type));
		assert_true(!width || (reader_left(&a.value) && values_are_canonical(a.value, width)));
	}
	assert_true(reader_ok(&set));
}

static bool coin(struct rng *r)
{
	return rng_u32(r) & 1;
}

static void fill(struct rng *r, struct bgp_edit *e, uint32_t *small, uint64_t *extended, uint32_t (*large)[3])
{
	for (unsigned i = 0; i < 8; i++) {
		small[i] = rng_u32(r) % 16;
		extended[i] = (uint64_t)(coin(r) ? 0x40 : 0) << 56 | rng_u32(r) % 8;
		for (unsigned k = 0; k < 3; k++)
			large[i][k] = rng_u32(r) % 3;
	}
	*e = (struct bgp_edit){.drop_local_pref = coin(r),
		.drop_med = coin(r),
		.drop_reflection = coin(r),
		.drop_nontransitive = coin(r),
		.drop_tunnel = coin(r),
		.clear_communities = coin(r),
		.clear_extended = coin(r),
		.clear_large = coin(r),
		.set_local_pref = coin(r),
		.set_med = coin(r),
		.set_origin = coin(r),
		.local_pref = rng_u32(r),
		.prepend_count = (uint8_t)(rng_u32(r) % 4),
		.prepend_as = 65000,
		.reflect = coin(r),
		.communities = small,
		.community_count = rng_u32(r) % 5,
		.remove_communities = small + 4,
		.remove_community_count = rng_u32(r) % 5,
		.extended = extended,
		.extended_count = rng_u32(r) % 9,
		.large = large,
		.large_count = rng_u32(r) % 9};
}

static void every_result_of_every_edit_is_canonical(void **state)
{
	static uint8_t buffers[2][BGP_SET_MAX];
	struct reader set = sample();
	struct rng rng;

	rng_init_seed(&rng, 4271);
	for (unsigned i = 0; i < 5000; i++) {
		struct writer w = writer_of(buffers[i % 2], BGP_SET_MAX);
		uint32_t small[8], large[8][3];
		uint64_t extended[8];
		struct bgp_edit e;

		if (i % 64 == 0)
			set = coin(&rng) ? sample() : reader_of(NULL, 0);
		fill(&rng, &e, small, extended, large);
		assert_int_equal(bgp_set_edit(set, &e, &w), 0);
		set = reader_of(buffers[i % 2], writer_len(&w));
		assert_canonical(set);
		for (unsigned k = 0; k < e.remove_community_count; k++)
			assert_false(bgp_community_has(set, e.remove_communities[k]));
		for (unsigned k = 0; k < e.extended_count; k++)
			assert_true(bgp_extended_community_has(set, extended[k]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_edit_that_says_nothing_changes_nothing),
		cmocka_unit_test(what_is_dropped_is_gone_and_the_rest_is_there),
		cmocka_unit_test(communities_that_stay_in_the_as_are_dropped_alone),
		cmocka_unit_test(values_are_set_where_there_were_some_and_where_there_were_none),
		cmocka_unit_test(reflection_leaves_its_marks),
		cmocka_unit_test(communities_are_added_sorted_and_once_and_then_removed),
		cmocka_unit_test(a_result_that_is_too_long_is_refused),
		cmocka_unit_test(every_result_of_every_edit_is_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

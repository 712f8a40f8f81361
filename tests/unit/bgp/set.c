/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of bgp/set: what is shared, who is asked for, and memory that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scarce.h"
#include "bgp/set.h"

static const uint8_t igp[] = {0x40, BGP_ORIGIN, 0, 1, BGP_ORIGIN_IGP};
static const uint8_t egp[] = {0x40, BGP_ORIGIN, 0, 1, BGP_ORIGIN_EGP};
static const struct bgp_facts facts = {.local_pref = 100};

/* What `wanted` said. */
static struct {
	unsigned came, went;
	const struct bgp_next_hop *last;
} told;

static void note_wanted(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted)
{
	assert_int_equal(n->refs, wanted);
	told.last = n;
	*(wanted ? &told.came : &told.went) += 1;
}

static struct bgp_sets fresh(void)
{
	struct bgp_sets s;

	memset(&told, 0, sizeof(told));
	bgp_sets_init(&s, 77, note_wanted);
	return s;
}

static struct bgp_next_hop_value hop(uint8_t last)
{
	return (struct bgp_next_hop_value){.global = addr4(192, 0, 2, last)};
}

#define GET(s, bytes, hop, interface) bgp_set_get(s, reader_of(bytes, sizeof(bytes)), &facts, hop, interface)

static void equal_contents_are_one_set(void **state)
{
	struct bgp_sets s = fresh();
	struct bgp_next_hop_value one = hop(1);
	const struct bgp_set *a = GET(&s, igp, &one, 0), *b = GET(&s, igp, &one, 0);
	struct reader r = bgp_set_reader(a);

	assert_ptr_equal(a, b);
	assert_int_equal(a->refs, 2);
	assert_int_equal(reader_left(&r), sizeof(igp));
	assert_memory_equal(r.pos, igp, sizeof(igp));
	assert_int_equal(a->facts.local_pref, 100);
	assert_true(addr_equal(&a->next_hop->value.global, &one.global));
	assert_int_equal(s.lookup.live, 1);
	bgp_set_unref(&s, a);
	assert_int_equal(s.lookup.live, 1);
	bgp_set_unref(&s, b);
	assert_int_equal(s.lookup.live, 0);
	assert_int_equal(s.bytes, 0);
	bgp_sets_done(&s);
}

static void what_differs_is_another_set(void **state)
{
	struct bgp_sets s = fresh();
	struct bgp_next_hop_value one = hop(1), two = hop(2), local = hop(1);
	const struct bgp_set *sets[7];

	local.link_local = addr6_of((const uint8_t[16]){0xfe, 0x80, [15] = 1});
	sets[0] = GET(&s, igp, &one, 0);
	sets[1] = GET(&s, egp, &one, 0);
	sets[2] = GET(&s, igp, &two, 0);
	sets[3] = GET(&s, igp, &one, 3);
	sets[4] = GET(&s, igp, &local, 3);
	sets[5] = GET(&s, igp, NULL, 0);
	sets[6] = bgp_set_get(&s, reader_of(NULL, 0), &facts, &one, 0);
	for (unsigned i = 0; i < 7; i++)
		for (unsigned j = 0; j < i; j++)
			assert_ptr_not_equal(sets[i], sets[j]);
	assert_ptr_equal(sets[0]->next_hop, sets[1]->next_hop);
	assert_ptr_equal(sets[0]->next_hop, sets[6]->next_hop);
	assert_ptr_not_equal(sets[0]->next_hop, sets[3]->next_hop);
	assert_int_equal(s.next_hops.count, 5);
	assert_int_equal(told.came, 4);
	for (unsigned i = 0; i < 7; i++)
		bgp_set_unref(&s, sets[i]);
	assert_int_equal(told.went, 4);
	assert_int_equal(s.next_hops.count, 0);
	bgp_sets_done(&s);
}

static void facts_follow_from_the_bytes(void **state)
{
	static const uint8_t bytes[] = {
		0x40, BGP_ORIGIN, 0, 1, BGP_ORIGIN_EGP, 0x40, BGP_LOCAL_PREFERENCE, 0, 4, 0, 0, 1, 0};
	struct bgp_sets s = fresh();
	const struct bgp_set *a = bgp_set_get(&s, reader_of(bytes, sizeof(bytes)), NULL, NULL, 0);

	assert_int_equal(a->facts.origin, BGP_ORIGIN_EGP);
	assert_int_equal(a->facts.local_pref, 256);
	assert_true(a->facts.has_local_pref);
	bgp_sets_done(&s);
}

static void a_next_hop_is_wanted_from_its_first_set_to_its_last(void **state)
{
	struct bgp_sets s = fresh();
	struct bgp_next_hop_value one = hop(1);
	const struct bgp_set *a = GET(&s, igp, &one, 0), *b;

	assert_int_equal(told.came, 1);
	assert_ptr_equal(told.last, a->next_hop);
	assert_false(a->next_hop->answered || a->next_hop->reached);
	b = GET(&s, egp, &one, 0);
	assert_int_equal(told.came, 1);
	bgp_set_unref(&s, a);
	assert_int_equal(told.went, 0);
	bgp_set_unref(&s, bgp_set_ref(b));
	assert_int_equal(told.went, 0);
	bgp_set_unref(&s, b);
	assert_int_equal(told.went, 1);
	bgp_set_unref(&s, NULL);
	bgp_sets_done(&s);
}

static void without_an_address_nobody_is_asked(void **state)
{
	static const struct bgp_next_hop_value none;
	struct bgp_sets s = fresh();
	const struct bgp_set *a = GET(&s, igp, NULL, 0), *b = GET(&s, igp, &none, 0);

	assert_ptr_equal(a, b);
	assert_true(a->next_hop->answered && a->next_hop->reached);
	assert_int_equal(a->next_hop->metric, 0);
	bgp_set_unref(&s, a);
	bgp_set_unref(&s, b);
	assert_int_equal(told.came + told.went, 0);
	assert_int_equal(s.next_hops.count, 0);
	bgp_sets_done(&s);
}

static void what_is_left_is_freed_at_the_end(void **state)
{
	struct bgp_sets s = fresh();
	struct bgp_next_hop_value one = hop(1);

	assert_non_null(GET(&s, igp, &one, 0));
	assert_non_null(GET(&s, egp, &one, 0));
	bgp_sets_done(&s);
	assert_int_equal(s.lookup.live + s.next_hops.count, 0);
	assert_int_equal(told.went, 0);
}

static void refused_memory_leaves_nothing_behind(void **state)
{
	unsigned refusals = 0;

	for (unsigned n = 1;; n++) {
		struct bgp_sets s = fresh();
		struct bgp_next_hop_value one = hop(1);
		const struct bgp_set *a;

		scarce_at(n);
		a = GET(&s, igp, &one, 0);
		if (scarce_happened()) {
			assert_null(a);
			assert_int_equal(
				s.lookup.live + s.next_hops.count + s.bytes + told.came + told.went, 0);
			refusals++;
		}
		bgp_sets_done(&s);
		if (a)
			break;
	}
	assert_int_equal(refusals, 6); /* next hop, its slot, slots, and an arena */
}

enum { LENGTHS = 1500 };

static const struct bgp_set *get_of_length(struct bgp_sets *s, unsigned len)
{
	uint8_t bytes[LENGTHS];

	for (unsigned i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + len);
	return bgp_set_get(s, reader_of(bytes, len), &facts, NULL, 0);
}

static size_t arenas_bytes(const struct bgp_sets *s)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < BGP_SET_SIZES; i++)
		bytes += arena_bytes(&s->sizes[i]);
	return bytes;
}

static void sets_of_all_lengths_are_kept_and_found(void **state)
{
	static const struct bgp_set *sets[LENGTHS];
	uint32_t cursor = 0, walked = 0;
	struct bgp_sets s = fresh();

	for (unsigned len = 0; len < LENGTHS; len++) {
		sets[len] = get_of_length(&s, len);
		assert_non_null(sets[len]);
	}
	assert_true(s.bytes >= LENGTHS * (LENGTHS - 1) / 2 + LENGTHS * sizeof(struct bgp_set));
	assert_true(s.bytes <= LENGTHS * (LENGTHS - 1) / 2 + LENGTHS * (sizeof(struct bgp_set) + 16));
	for (unsigned len = 0; len < LENGTHS; len++) {
		struct reader r = bgp_set_reader(sets[len]);

		assert_int_equal(sets[len]->len, len);
		for (unsigned i = 0; i < len; i++)
			assert_int_equal(reader_u8(&r), (uint8_t)(i * 7 + len));
		assert_ptr_equal(get_of_length(&s, len), sets[len]);
		bgp_set_unref(&s, sets[len]);
	}
	for (const struct bgp_set *set; (set = bgp_sets_next(&s, &cursor)); walked++)
		assert_ptr_equal(set, sets[set->len]);
	assert_int_equal(walked, LENGTHS);
	for (unsigned i = 0; i < LENGTHS; i++)
		bgp_set_unref(&s, sets[i * 7 % LENGTHS]);
	assert_int_equal(s.lookup.live, 0);
	assert_int_equal(s.bytes, 0);
	assert_null(bgp_sets_next(&s, &(uint32_t){0}));
	for (unsigned len = 0; len < LENGTHS; len += 100) /* among them long ones */
		assert_non_null(get_of_length(&s, len));
	bgp_sets_done(&s);
	assert_int_equal(arenas_bytes(&s), 0);
}

static void memory_of_many_sets_is_bounded_and_goes_back(void **state)
{
	enum { MANY = 50000 };
	static const struct bgp_set *sets[MANY];
	struct bgp_sets s = fresh();
	uint8_t bytes[60] = {0};

	for (unsigned i = 0; i < MANY; i++) {
		memcpy(bytes, &i, sizeof(i));
		sets[i] = bgp_set_get(&s, reader_of(bytes, sizeof(bytes)), &facts, NULL, 0);
	}
	assert_int_equal(s.lookup.live, MANY);
	assert_true(arenas_bytes(&s) + lookup_bytes(&s.lookup) <=
		    MANY * (sizeof(struct bgp_set) + sizeof(bytes) + 32));
	for (unsigned i = 0; i < MANY; i++)
		bgp_set_unref(&s, sets[i * 7 % MANY]);
	assert_true(arenas_bytes(&s) <= 200000); /* a spare chunk */
	assert_int_equal(lookup_bytes(&s.lookup), 32);
	bgp_sets_done(&s);
}

static void a_refused_long_set_leaves_nothing_behind(void **state)
{
	unsigned refusals = 0;

	for (unsigned n = 1;; n++, refusals++) {
		struct bgp_sets s = fresh();
		const struct bgp_set *a;

		scarce_at(n);
		a = get_of_length(&s, 1000);
		if (scarce_happened()) {
			assert_null(a);
			assert_int_equal(
				s.lookup.live + s.next_hops.count + s.bytes + s.sizes[BGP_SET_SIZES - 1].used,
				0);
		}
		bgp_sets_done(&s);
		if (a)
			break;
	}
	assert_int_equal(refusals, 7);
}

static void too_long_a_set_is_refused(void **state)
{
	static uint8_t bytes[BGP_SET_MAX + 1];
	struct bgp_sets s = fresh();
	const struct bgp_set *a = bgp_set_get(&s, reader_of(bytes, BGP_SET_MAX), &facts, NULL, 0);

	assert_non_null(a);
	assert_int_equal(a->len, BGP_SET_MAX);
	assert_null(bgp_set_get(&s, reader_of(bytes, BGP_SET_MAX + 1), &facts, NULL, 0));
	bgp_sets_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_contents_are_one_set),
		cmocka_unit_test(what_differs_is_another_set),
		cmocka_unit_test(facts_follow_from_the_bytes),
		cmocka_unit_test(a_next_hop_is_wanted_from_its_first_set_to_its_last),
		cmocka_unit_test(without_an_address_nobody_is_asked),
		cmocka_unit_test(what_is_left_is_freed_at_the_end),
		cmocka_unit_test(refused_memory_leaves_nothing_behind),
		cmocka_unit_test(sets_of_all_lengths_are_kept_and_found),
		cmocka_unit_test(memory_of_many_sets_is_bounded_and_goes_back),
		cmocka_unit_test(a_refused_long_set_leaves_nothing_behind),
		cmocka_unit_test(too_long_a_set_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ordered set of prefixes against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lease/span.h"
#include "lib/rng.h"

enum { SPANS = 300 };

/* One in three is IPv4. */
static struct prefix random_prefix(struct rng *r)
{
	struct addr a = {.family = AF_INET6, .bytes = {0x20, 0x01, 0x0d, 0xb8}};

	if (!rng_below(r, 3)) {
		a = addr4(192, 0, (uint8_t)rng_below(r, 3), (uint8_t)rng_u32(r));
		return prefix_of(&a, 20 + rng_below(r, 13));
	}
	a.bytes[6] = (uint8_t)rng_u32(r);
	a.bytes[7] = (uint8_t)rng_u32(r);
	return prefix_of(&a, 52 + rng_below(r, 13));
}

static int naive_overlap(struct span *const *list, unsigned count, uint64_t first, uint64_t last)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i]->first <= last && span_last(list[i]) >= first)
			return (int)i;
	return -1;
}

static const struct span *naive_from(struct span *const *list, unsigned count, uint64_t key)
{
	const struct span *best = NULL;

	for (unsigned i = 0; i < count; i++)
		if (span_last(list[i]) >= key && (!best || list[i]->first < best->first))
			best = list[i];
	return best;
}

static void finds_what_a_plain_array_finds(void **state)
{
	struct span_set set = {.seed = 7};
	struct span *list[SPANS];
	unsigned count = 0;
	struct rng r;

	rng_init_seed(&r, 1);
	for (unsigned round = 0; round < 20000; round++) {
		struct prefix p = random_prefix(&r);
		uint64_t first = span_key(&p.addr), last = span_end(first, span_bits(p.addr.family, p.len));
		int at = naive_overlap(list, count, first, last);

		assert_int_equal(span_overlap(&set, first, last) != NULL, at >= 0);
		assert_ptr_equal(span_from(&set, first), naive_from(list, count, first));
		if (at < 0 && count < SPANS && rng_below(&r, 2)) {
			struct span *n = span_new(&set, &p, list);
			struct prefix back = span_prefix(n);

			assert_true(prefix_equal(&back, &p));
			span_link(&set, n);
			list[count++] = n;
		} else if (at >= 0 && rng_below(&r, 2)) {
			span_unlink(&set, list[at]);
			free(list[at]);
			list[at] = list[--count];
		}
		assert_int_equal(set.count, count);
	}
	while (count) {
		span_unlink(&set, list[--count]);
		free(list[count]);
	}
	assert_null(set.head[0]);
}

static void walks_in_the_order_of_addresses(void **state)
{
	struct span_set set = {.seed = 9};
	struct rng r;
	uint64_t before = 0;
	unsigned count = 0;

	rng_init_seed(&r, 2);
	for (unsigned i = 0; i < 500; i++) {
		struct prefix p = random_prefix(&r);
		uint64_t first = span_key(&p.addr);

		if (!span_overlap(&set, first, span_end(first, span_bits(p.addr.family, p.len))))
			span_link(&set, span_new(&set, &p, NULL));
	}
	for (struct span *n = set.head[0]; n; n = n->next[0]) {
		assert_true(n->first > before);
		before = span_last(n);
		count++;
	}
	assert_int_equal(count, set.count);
	for (struct span *n; (n = set.head[0]);) {
		span_unlink(&set, n);
		free(n);
	}
}

static void knows_the_last_64_of_every_length(void **state)
{
	assert_true(span_end(0x20010db800000000, 32) == 0x20010db8ffffffff);
	assert_true(span_end(0x20010db800000100, 56) == 0x20010db8000001ff);
	assert_true(span_end(0x20010db800000107, 64) == 0x20010db800000107);
	assert_true(span_end(0x8000000000000000, 1) == UINT64_MAX);
}

static struct prefix parse(const char *text)
{
	struct prefix p = {0};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void both_families_come_back_as_they_went_in(void **state)
{
	static const char *const good[] = {"192.0.2.1/32", "0.0.0.0/32", "255.255.255.255/32", "192.0.2.0/24",
		"10.0.0.0/8", "128.0.0.0/1", "0.0.0.0/0", "2001:db8::/64", "2001:db8::/32", "8000::/1",
		"0:1::/32", "0:1:2:3::/64", "ffff:ffff:ffff:ffff::/64", "c000:200::/24"};
	struct span_set set = {.seed = 3};

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct prefix p = parse(good[i]), back;
		struct span *n;

		assert_true(span_holds(&p));
		n = span_new(&set, &p, NULL);
		assert_non_null(n);
		back = span_prefix(n);
		assert_true(prefix_equal(&p, &back));
		free(n);
	}
}

/* ::/32 is where IPv4 is kept; what is IPv6 there would be taken for it. */
static void refuses_what_it_could_not_tell_from_ipv4(void **state)
{
	static const char *const bad[] = {"::/1", "::/32", "::/64", "0:0:c000:201::/64", "0:0:8000::/33",
		"::/0", "::1/128", "2001:db8::/65", "2001:db8::1/128", "::ffff:192.0.2.1/128", "::/31"};
	struct prefix none = {0};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct prefix p = parse(bad[i]);

		assert_false(span_holds(&p));
	}
	assert_false(span_holds(&none));
}

static void ipv4_overlaps_ipv4_only(void **state)
{
	static const struct {
		const char *text;
		bool overlaps;
	} others[] = {{"192.0.2.7/32", true}, {"192.0.2.8/32", false}, {"192.0.1.255/32", false},
		{"192.0.2.0/24", true}, {"192.0.0.0/16", true}, {"192.0.2.4/30", true},
		{"192.0.2.8/29", false}, {"c000:200::/32", false}, {"0:1::/32", false},
		{"2001:db8::/32", false}};
	struct span_set set = {.seed = 5};
	struct prefix p = parse("192.0.2.0/29");
	struct span *n = span_new(&set, &p, NULL);

	assert_non_null(n);
	span_link(&set, n);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct prefix q = parse(others[i].text);
		uint64_t first = span_key(&q.addr);

		assert_int_equal(
			span_overlap(&set, first, span_end(first, span_bits(q.addr.family, q.len))) != NULL,
			others[i].overlaps);
	}
	span_unlink(&set, n);
	free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_a_plain_array_finds),
		cmocka_unit_test(walks_in_the_order_of_addresses),
		cmocka_unit_test(knows_the_last_64_of_every_length),
		cmocka_unit_test(both_families_come_back_as_they_went_in),
		cmocka_unit_test(refuses_what_it_could_not_tell_from_ipv4),
		cmocka_unit_test(ipv4_overlaps_ipv4_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

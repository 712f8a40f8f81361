/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/addr. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "check.h"
#include "lib/addr.h"
#include "lib/rng.h"

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix prefix_from(const char *text)
{
	struct prefix p;

	if (prefix_parse(text, &p))
		fail_msg("%s", text);
	return p;
}

static void prints_as_rfc5952_recommends(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"2001:0DB8:0:0:0:0:2:1", "2001:db8::2:1"},       /* 4.2.1, 4.3 */
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* 4.2.2: not for one group */
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          /* 4.2.3: the longest */
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* 4.2.3: the first of equals */
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},         /* 5 */
		{"0:0:0:0:0:0:0:0", "::"},
		{"::1", "::1"},
		{"ff02::1:2", "ff02::1:2"},
		{"192.0.2.255", "192.0.2.255"},
		{"0.0.0.0", "0.0.0.0"},
	};
	char text[ADDR_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr a = addr_of(cases[i].in);

		assert_string_equal(addr_print(&a, text), cases[i].out);
	}
	assert_string_equal(addr_print(&(struct addr){0}, text), "none");
}

static void refuses_malformed_addresses(void **state)
{
	static const char *const cases[] = {"", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		"1.2.3.4 ", "::1::", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0", "[::1]",
		"g::", "none", "12345::", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:1111:2222:3333:4444"};
	struct addr a = addr4(1, 2, 3, 4);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(addr_parse(cases[i], &a), -EINVAL);
	assert_true(addr_equal(&a, &(struct addr){.family = AF_INET, .bytes = {1, 2, 3, 4}}));
}

static void tells_kinds_of_addresses(void **state)
{
	static const struct {
		const char *text;
		bool unspecified, link_local, multicast, loopback;
	} cases[] = {
		{"::", true, false, false, false},
		{"0.0.0.0", true, false, false, false},
		{"::1", false, false, false, true},
		{"127.255.0.1", false, false, false, true},
		{"128.0.0.1", false, false, false, false},
		{"fe80::1", false, true, false, false},
		{"febf::1", false, true, false, false},
		{"fec0::1", false, false, false, false},
		{"169.254.1.1", false, true, false, false},
		{"ff02::1", false, false, true, false},
		{"224.0.0.1", false, false, true, false},
		{"239.255.255.255", false, false, true, false},
		{"240.0.0.1", false, false, false, false},
		{"2001:db8::1", false, false, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr a = addr_of(cases[i].text);

		assert_int_equal(addr_is_unspecified(&a), cases[i].unspecified);
		assert_int_equal(addr_is_link_local(&a), cases[i].link_local);
		assert_int_equal(addr_is_multicast(&a), cases[i].multicast);
		assert_int_equal(addr_is_loopback(&a), cases[i].loopback);
		assert_false(addr_is_none(&a));
	}
	assert_true(addr_is_none(&(struct addr){0}));
	assert_false(addr_is_unspecified(&(struct addr){0}));
}

static void joins_prefix_and_interface_identifier(void **state)
{
	struct addr prefix = addr_of("2001:db8:1:2:ffff:ffff:ffff:ffff");
	struct addr a = addr6_with_iid(&prefix, 0x0123456789abcdef);
	char text[ADDR_TEXT];

	assert_string_equal(addr_print(&a, text), "2001:db8:1:2:123:4567:89ab:cdef");
	assert_true(addr6_iid(&a) == 0x0123456789abcdef);
}

static void orders_by_family_then_bytes_then_length(void **state)
{
	struct addr a4 = addr_of("255.0.0.0"), a6 = addr_of("::"), b6 = addr_of("::1");
	struct prefix shorter = prefix_from("10.0.0.0/8"), longer = prefix_from("10.0.0.0/9");

	assert_true(addr_compare(&a4, &a6) < 0);
	assert_true(addr_compare(&a6, &b6) < 0);
	assert_true(addr_compare(&b6, &a6) > 0);
	assert_true(addr_compare(&b6, &b6) == 0);
	assert_true(prefix_compare(&shorter, &longer) < 0);
	assert_true(prefix_compare(&longer, &shorter) > 0);
}

static void counts_common_bits(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned bits;
	} cases[] = {
		{"0.0.0.0", "128.0.0.0", 0},
		{"192.0.2.0", "192.0.2.1", 31},
		{"192.0.2.1", "192.0.2.1", 32},
		{"2001:db8::", "2001:db9::", 31},
		{"2001:db8::", "2001:db8::1", 127},
		{"::1", "::1", 128},
		{"::", "0.0.0.0", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr a = addr_of(cases[i].a), b = addr_of(cases[i].b);

		assert_int_equal(addr_common_bits(&a, &b), cases[i].bits);
	}
}

static void parses_prefixes_strictly(void **state)
{
	static const char *const good[] = {"0.0.0.0/0", "::/0", "10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32",
		"2001:db8::1/128", "2001:db8:8000::/33"};
	static const char *const bad[] = {"", "/", "/8", "10.0.0.0", "10.0.0.0/", "10.0.0.1/8", "10.0.0.0/33",
		"10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0/-1", "10.0.0.0/8/8",
		"2001:db8::/129", "2001:db8::1/64", "2001:db8::/4294967328", "none", "::/0x0",
		"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:1111:2222:3333:4444/128"};
	struct prefix p = {.len = 77};
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(prefix_parse(bad[i], &p), -EINVAL);
		assert_int_equal(p.len, 77);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(prefix_parse(good[i], &p), 0);
		assert_string_equal(prefix_print(&p, text), good[i]);
	}
	assert_string_equal(prefix_print(&(struct prefix){0}, text), "none");
}

static void prefix_of_clears_host_bits(void **state)
{
	struct addr a6 = addr_of("2001:db8:ffff:ffff:ffff::1"), a4 = addr_of("192.0.2.255");
	char text[PREFIX_TEXT];
	struct prefix p = prefix_of(&a6, 45);

	assert_string_equal(prefix_print(&p, text), "2001:db8:fff8::/45");
	p = prefix_of(&a4, 25);
	assert_string_equal(prefix_print(&p, text), "192.0.2.128/25");
	p = prefix_of(&a4, 99);
	assert_string_equal(prefix_print(&p, text), "192.0.2.255/32");
	p = prefix_of(&a4, 0);
	assert_string_equal(prefix_print(&p, text), "0.0.0.0/0");
	p = prefix_of(&(struct addr){0}, 64);
	assert_true(prefix_is_none(&p));
}

static void contains_and_overlaps(void **state)
{
	struct prefix outer = prefix_from("2001:db8::/32"), inner = prefix_from("2001:db8:1::/48");
	struct prefix other = prefix_from("2001:db9::/32"), all4 = prefix_from("0.0.0.0/0"),
		      all6 = prefix_from("::/0");
	struct addr a = addr_of("2001:db8:1::5"), b = addr_of("10.0.0.1");

	assert_true(prefix_contains(&outer, &inner));
	assert_true(prefix_contains(&outer, &outer));
	assert_false(prefix_contains(&inner, &outer));
	assert_true(prefix_overlaps(&inner, &outer));
	assert_false(prefix_overlaps(&outer, &other));
	assert_false(prefix_overlaps(&all4, &all6));
	assert_true(prefix_contains_addr(&inner, &a));
	assert_false(prefix_contains_addr(&other, &a));
	assert_true(prefix_contains_addr(&all4, &b));
	assert_false(prefix_contains_addr(&all6, &b));
	assert_false(prefix_contains_addr(&(struct prefix){0}, &(struct addr){0}));
}

static void numbers_prefixes_inside_a_prefix(void **state)
{
	static const struct {
		const char *outer;
		unsigned len;
		uint64_t index;
		const char *expected; /* NULL: out of range */
	} cases[] = {
		{"2001:db8::/36", 56, 0, "2001:db8::/56"},
		{"2001:db8::/36", 56, 0xfffff, "2001:db8:fff:ff00::/56"},
		{"2001:db8::/36", 56, 0x100000, NULL},
		{"2001:db8::/36", 35, 0, NULL},
		{"2001:db8::/36", 129, 0, NULL},
		{"198.51.100.0/24", 32, 7, "198.51.100.7/32"},
		{"198.51.100.0/24", 32, 256, NULL},
		{"198.51.100.0/24", 33, 0, NULL},
		{"198.51.100.0/24", 24, 0, "198.51.100.0/24"},
		{"198.51.100.0/24", 24, 1, NULL},
		{"0.0.0.0/0", 32, 0xffffffff, "255.255.255.255/32"},
		{"0.0.0.0/0", 0, 0, "0.0.0.0/0"},
		{"::/0", 0, 0, "::/0"},
		{"::/0", 128, UINT64_MAX, "::ffff:ffff:ffff:ffff/128"},
		{"2001:db8::/64", 128, UINT64_MAX, "2001:db8::ffff:ffff:ffff:ffff/128"},
		{"2001:db8::/65", 128, UINT64_MAX, NULL},
	};
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix outer = prefix_from(cases[i].outer), p;
		int rc = prefix_nth(&outer, cases[i].len, cases[i].index, &p);
		uint64_t index;

		assert_int_equal(rc, cases[i].expected ? 0 : -ERANGE);
		if (rc)
			continue;
		assert_string_equal(prefix_print(&p, text), cases[i].expected);
		assert_int_equal(prefix_index(&outer, &p, &index), 0);
		assert_true(index == cases[i].index);
	}
	assert_int_equal(prefix_nth(&(struct prefix){0}, 0, 0, &(struct prefix){0}), -ERANGE);
}

static void index_outside_is_refused(void **state)
{
	struct prefix outer = prefix_from("2001:db8::/32"), other = prefix_from("2001:db9::/48");
	struct prefix all = prefix_from("::/0"), far = prefix_from("0:0:0:1::/128"),
		      shorter = prefix_from("2001::/16");
	uint64_t index = 42;

	assert_int_equal(prefix_index(&outer, &other, &index), -ERANGE);
	assert_int_equal(prefix_index(&outer, &shorter, &index), -ERANGE);
	assert_int_equal(prefix_index(&all, &far, &index), -ERANGE); /* the number has 65 bits */
	assert_true(index == 42);
}

static void counts_prefixes_inside_a_prefix(void **state)
{
	struct prefix p = prefix_from("2001:db8::/36"), all = prefix_from("::/0"),
		      host = prefix_from("192.0.2.1/32");

	assert_true(prefix_count(&p, 56) == 1 << 20);
	assert_true(prefix_count(&p, 36) == 1);
	assert_true(prefix_count(&p, 35) == 0);
	assert_true(prefix_count(&p, 129) == 0);
	assert_true(prefix_count(&all, 63) == UINT64_C(1) << 63);
	assert_true(prefix_count(&all, 128) == UINT64_C(1) << 63);
	assert_true(prefix_count(&host, 32) == 1);
	assert_true(prefix_count(&host, 33) == 0);
}

static void index_inverts_nth_at_random(void **state)
{
	struct rng rng;

	rng_init_seed(&rng, 1);
	for (int i = 0; i < 20000; i++) {
		struct addr a = rng_below(&rng, 2) ? addr4(0, 0, 0, 0) : addr6_of((uint8_t[16]){0});
		unsigned bits = addr_bits(a.family), len, inner_len;
		uint64_t count, index, back;
		struct prefix outer, inner;

		rng_bytes(&rng, a.bytes, addr_size(a.family));
		len = rng_below(&rng, bits + 1);
		inner_len = len + rng_below(&rng, bits - len + 1);
		outer = prefix_of(&a, len);
		count = prefix_count(&outer, inner_len);
		index = rng_u64(&rng) % count;
		assert_int_equal(prefix_nth(&outer, inner_len, index, &inner), 0);
		assert_true(prefix_contains(&outer, &inner));
		assert_int_equal(prefix_index(&outer, &inner, &back), 0);
		assert_true(back == index);
		if (inner_len - len < 63)
			assert_int_equal(prefix_nth(&outer, inner_len, count, &inner), -ERANGE);
	}
}

static void parses_endpoints(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1:1701"},
		{"192.0.2.1:99", "192.0.2.1:99"},
		{"192.0.2.1:0", "192.0.2.1:0"},
		{"2001:db8::1", "[2001:db8::1]:1701"},
		{"[2001:db8::1]", "[2001:db8::1]:1701"},
		{"[2001:db8::1]:65535", "[2001:db8::1]:65535"},
	};
	static const char *const bad[] = {"", ":", ":1", "[]", "[]:1", "[", "]", "[2001:db8::1",
		"[2001:db8::1]1", "[2001:db8::1]:", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:01",
		"192.0.2.1:-1", "192.0.2.1:1 ", "[192.0.2.1]:1", "example.net:1", "2001:db8::1]:1",
		"[[::1]]:1", "192.0.2.1:1:1"};
	char text[ENDPOINT_TEXT];
	struct endpoint e;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(endpoint_parse(cases[i].in, 1701, &e), 0);
		assert_string_equal(endpoint_print(&e, text), cases[i].out);
	}
	e.port = 4711;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(endpoint_parse(bad[i], 1701, &e), -EINVAL);
	assert_int_equal(e.port, 4711);
	assert_string_equal(endpoint_print(&(struct endpoint){.port = 1}, text), "none");
}

static void longest_texts_fit(void **state)
{
	uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 255, 255, 255, 255};
	char text[ENDPOINT_TEXT], prefix_text[PREFIX_TEXT];
	struct endpoint e = {.addr = addr6_of(bytes), .port = 65535};
	struct prefix p = prefix_of(&e.addr, 128);

	assert_string_equal(endpoint_print(&e, text), "[::ffff:255.255.255.255]:65535");
	memset(bytes, 0xff, sizeof(bytes));
	e.addr = addr6_of(bytes);
	p = prefix_of(&e.addr, 128);
	assert_string_equal(endpoint_print(&e, text), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	assert_string_equal(prefix_print(&p, prefix_text), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

static void converts_to_and_from_the_kernels_form(void **state)
{
	static const char *const cases[] = {"192.0.2.1:1701", "[2001:db8::1]:65535"};
	struct sockaddr_storage ss;
	struct endpoint e, back;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(endpoint_parse(cases[i], 1, &e), 0);
		assert_int_equal(endpoint_to_sockaddr(&e, &ss),
			i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &back), 0);
		assert_true(endpoint_equal(&e, &back));
	}
	assert_int_equal(endpoint_parse("[::ffff:192.0.2.1]:5", 1, &e), 0);
	endpoint_to_sockaddr(&e, &ss);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &back), 0);
	assert_int_equal(endpoint_parse("192.0.2.1:5", 1, &e), 0);
	assert_true(endpoint_equal(&e, &back));
	ss.ss_family = AF_UNIX;
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &back), -EAFNOSUPPORT);
	assert_true(endpoint_equal(&e, &back));
	assert_int_equal(endpoint_to_sockaddr(&(struct endpoint){0}, &ss), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_as_rfc5952_recommends),
		cmocka_unit_test(refuses_malformed_addresses),
		cmocka_unit_test(tells_kinds_of_addresses),
		cmocka_unit_test(joins_prefix_and_interface_identifier),
		cmocka_unit_test(orders_by_family_then_bytes_then_length),
		cmocka_unit_test(counts_common_bits),
		cmocka_unit_test(parses_prefixes_strictly),
		cmocka_unit_test(prefix_of_clears_host_bits),
		cmocka_unit_test(contains_and_overlaps),
		cmocka_unit_test(numbers_prefixes_inside_a_prefix),
		cmocka_unit_test(index_outside_is_refused),
		cmocka_unit_test(counts_prefixes_inside_a_prefix),
		cmocka_unit_test(index_inverts_nth_at_random),
		cmocka_unit_test(parses_endpoints),
		cmocka_unit_test(longest_texts_fit),
		cmocka_unit_test(converts_to_and_from_the_kernels_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

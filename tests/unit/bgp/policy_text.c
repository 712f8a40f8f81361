/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of bgp/policy_text: what people write, good and bad, and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/policy.h"

static void prefixes_are_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed;
		uint8_t min, max;
	} rows[] = {
		{"198.51.100.0/22", "198.51.100.0/22", 22, 22},
		{"198.51.100.0/22+", "198.51.100.0/22+", 22, 32},
		{"198.51.100.0/22{23,24}", "198.51.100.0/22{23,24}", 23, 24},
		{"198.51.100.0/22{24}", "198.51.100.0/22{24,24}", 24, 24},
		{"198.51.100.0/22{22,32}", "198.51.100.0/22+", 22, 32},
		{"198.51.100.0/22{22,22}", "198.51.100.0/22", 22, 22},
		{"0.0.0.0/0", "0.0.0.0/0", 0, 0},
		{"0.0.0.0/0+", "0.0.0.0/0+", 0, 32},
		{"192.0.2.1/32+", "192.0.2.1/32", 32, 32},
		{"2001:db8::/32+", "2001:db8::/32+", 32, 128},
		{"2001:db8::/32{48,64}", "2001:db8::/32{48,64}", 48, 64},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124{125,127}",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124{125,127}", 125, 127},
	};
	char buf[PREFIX_TEXT + 10];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_prefix p, again;

		assert_int_equal(policy_prefix_parse(rows[i].text, &p), 0);
		assert_int_equal(p.min, rows[i].min);
		assert_int_equal(p.max, rows[i].max);
		assert_string_equal(policy_prefix_print(&p, buf), rows[i].printed);
		assert_int_equal(policy_prefix_parse(buf, &again), 0);
		assert_memory_equal(&p, &again, sizeof(p));
	}
}

static void bad_prefixes_are_refused(void **state)
{
	static const char *const rows[] = {"", "+", "198.51.100.0", "198.51.100.1/22+", "198.51.100.0/33",
		"198.51.100.0/22-", "198.51.100.0/22++", "198.51.100.0/22{", "198.51.100.0/22{}",
		"198.51.100.0/22{23", "198.51.100.0/22{23,", "198.51.100.0/22{23,}", "198.51.100.0/22{,24}",
		"198.51.100.0/22{24,23}", "198.51.100.0/22{21,24}", "198.51.100.0/22{23,33}",
		"198.51.100.0/22{23,24}+", "198.51.100.0/22{23 24}", "198.51.100.0/22{-1,24}",
		"198.51.100.0/22{23,99999999999999999999}", "2001:db8::/32{48,129}",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/128"};
	struct policy_prefix p, before;

	memset(&p, 0x5a, sizeof(p));
	before = p;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (policy_prefix_parse(rows[i], &p) != -EINVAL)
			fail_msg("accepted: %s", rows[i]);
	assert_memory_equal(&p, &before, sizeof(p));
}

static void as_patterns_are_read_and_printed(void **state)
{
	static const struct {
		const char *text;
		uint32_t as;
		bool first, last;
	} rows[] = {
		{"65001", 65001, false, false},
		{"^65001", 65001, true, false},
		{"65001$", 65001, false, true},
		{"^65001$", 65001, true, true},
		{"^4294967295$", 4294967295, true, true},
		{"^$", 0, true, true},
	};
	char buf[16];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_as a;

		assert_int_equal(policy_as_parse(rows[i].text, &a), 0);
		assert_int_equal(a.as, rows[i].as);
		assert_int_equal(a.first, rows[i].first);
		assert_int_equal(a.last, rows[i].last);
		assert_string_equal(policy_as_print(&a, buf), rows[i].text);
	}
}

static void bad_as_patterns_are_refused(void **state)
{
	static const char *const rows[] = {"", "^", "$", "0", "^0$", "4294967296", "65001 65002", "AS65001",
		"65001^", "^^65001", "65001$$", "-1", "65001.*", "1.10"};
	struct policy_as a = {.as = 7};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (policy_as_parse(rows[i], &a) != -EINVAL)
			fail_msg("accepted: %s", rows[i]);
	assert_int_equal(a.as, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_read_and_printed),
		cmocka_unit_test(bad_prefixes_are_refused),
		cmocka_unit_test(as_patterns_are_read_and_printed),
		cmocka_unit_test(bad_as_patterns_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/attributes.h"

static uint8_t set_bytes[8192];

/* "2: 65000 65001 1: 65002": type, then numbers. */
static struct reader set_with_path(const char *text)
{
	struct writer set = writer_of(set_bytes, sizeof(set_bytes));
	uint8_t path[4096];
	struct writer w = writer_of(path, sizeof(path));
	size_t count_at = 0;
	const char *p = text;

	while (*p) {
		unsigned long number;
		char *end;

		number = strtoul(p, &end, 10);
		if (*end == ':') {
			writer_u8(&w, (uint8_t)number);
			count_at = writer_len(&w);
			writer_u8(&w, 0);
			end++;
		} else {
			writer_u32(&w, (uint32_t)number);
			path[count_at]++;
		}
		p = end + strspn(end, " ");
	}
	assert_true(writer_ok(&w));
	bgp_attribute_put(&set, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, path, writer_len(&w));
	return reader_of(set_bytes, writer_len(&set));
}

static const struct {
	const char *path, *printed;
	unsigned hops;
	uint32_t neighbor, origin;
} paths[] = {
	{"", "", 0, 0, 0},
	{"2: 65000", "65000", 1, 65000, 65000},
	{"2: 65000 4200000000", "65000 4200000000", 2, 65000, 4200000000u},
	{"2: 1 2 3 1: 4 5", "1 2 3 {4 5}", 4, 1, 0},
	{"1: 1 2 2: 3 4", "{1 2} 3 4", 3, 0, 4},
	{"1: 7", "{7}", 1, 0, 0},
	{"3: 1 2 2: 3", "(1 2) 3", 1, 3, 3},
	{"4: 1 2 3: 5 1: 3", "[1 2] (5) {3}", 1, 0, 0},
	{"2: 3 3: 1", "3 (1)", 1, 3, 3},
	{"2: 1 2: 2 2: 3", "1 2 3", 3, 1, 3},
	{"3: 1", "(1)", 0, 0, 0},
};

/* RFC 4271 section 9.1.2.2, RFC 5065 section 5.3. */
static void a_path_is_counted_and_printed(void **state)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct reader set = set_with_path(paths[i].path);
		struct bgp_facts f;
		char text[128];

		bgp_facts_of(set, &f);
		assert_string_equal(bgp_path_print(set, text, sizeof(text)), paths[i].printed);
		assert_int_equal(f.path_length, paths[i].hops);
		assert_int_equal(f.neighbor_as, paths[i].neighbor);
		assert_int_equal(f.origin_as, paths[i].origin);
	}
}

static void an_as_is_found_wherever_it_stands(void **state)
{
	struct reader set = set_with_path("3: 65000 2: 1 65000 65000 1: 2 65000");

	assert_int_equal(bgp_path_count(set, 65000), 4);
	assert_int_equal(bgp_path_count(set, 2), 1);
	assert_int_equal(bgp_path_count(set, 3), 0);
	assert_int_equal(bgp_path_count(reader_of(NULL, 0), 3), 0);
}

static void what_does_not_fit_is_cut(void **state)
{
	struct reader set = set_with_path("2: 65000 65001 1: 65002 65003");
	char text[64] = "x";

	assert_string_equal(bgp_path_print(set, text, 5), "...");
	assert_string_equal(bgp_path_print(set, text, 3), "");
	assert_string_equal(bgp_path_print(set, text, 26), "65000 65001 {65002 65003}");
	assert_string_equal(bgp_path_print(set, text, 25), "65000 65001 {65002 ...");
}

static const struct {
	const char *path;
	unsigned count;
	const char *result;
} prepended[] = {
	{"", 1, "65000"},
	{"2: 1 2", 2, "65000 65000 1 2"},
	{"1: 1 2", 1, "65000 {1 2}"},
	{"3: 1 2: 2", 1, "65000 (1) 2"},
	{"2: 1 1: 2 2: 3", 3, "65000 65000 65000 1 {2} 3"},
};

/* RFC 4271 section 5.1.2 b */
static void numbers_are_put_in_front(void **state)
{
	for (size_t i = 0; i < sizeof(prepended) / sizeof(prepended[0]); i++) {
		struct reader set = set_with_path(prepended[i].path);
		uint8_t buf[512];
		struct writer w = writer_of(buf, sizeof(buf));
		char text[128];

		assert_int_equal(bgp_set_edit(set,
					 &(struct bgp_edit){.prepend_as = 65000,
						 .prepend_count = (uint8_t)prepended[i].count},
					 &w),
			0);
		assert_string_equal(bgp_path_print(reader_of(buf, writer_len(&w)), text, sizeof(text)),
			prepended[i].result);
	}
}

static void a_full_segment_gets_another_in_front(void **state)
{
	for (unsigned count = 253; count <= 255; count++) {
		uint8_t path[2048], out[2048];
		struct writer w = writer_of(path, sizeof(path)), o = writer_of(out, sizeof(out));
		struct bgp_facts f = {0};

		writer_u8(&w, BGP_AS_SEQUENCE);
		writer_u8(&w, (uint8_t)count);
		for (unsigned i = 0; i < count; i++)
			writer_u32(&w, 1);
		bgp_path_prepend(&o, reader_of(path, writer_len(&w)), 65000, 2);
		assert_int_equal(writer_len(&o), writer_len(&w) + 8 + (count > 253 ? 2 : 0));
		bgp_path_facts(reader_of(out, writer_len(&o)), &f);
		assert_int_equal(f.path_length, count + 2);
		assert_int_equal(f.neighbor_as, 65000);
		assert_int_equal(f.origin_as, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_counted_and_printed),
		cmocka_unit_test(an_as_is_found_wherever_it_stands),
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(numbers_are_put_in_front),
		cmocka_unit_test(a_full_segment_gets_another_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

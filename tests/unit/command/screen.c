/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines, JSON, and figures for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "command/connect.h"

static void rates_have_two_digits_or_three(void **state)
{
	static const struct {
		double bytes;
		const char *text;
	} rows[] = {{0, "0 bit/s"}, {-5, "0 bit/s"}, {1, "8 bit/s"}, {124, "992 bit/s"}, {125, "1.0 kbit/s"}, {1240, "9.9 kbit/s"},
		{1250, "10 kbit/s"}, {12500, "100 kbit/s"}, {124999, "1.0 Mbit/s"}, {1e6, "8.0 Mbit/s"}, {1.25e8, "1.0 Gbit/s"},
		{1e13, "80 Tbit/s"}, {1e16, "80000 Tbit/s"}};
	char buf[24];

	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++)
		assert_string_equal(screen_rate(rows[n].bytes, buf), rows[n].text);
}

static void clocks_count_days(void **state)
{
	char buf[24];

	assert_string_equal(screen_clock(0, buf), "00:00:00");
	assert_string_equal(screen_clock(86399, buf), "23:59:59");
	assert_string_equal(screen_clock(86400 * 3 + 3600 * 4 + 600, buf), "3d 04:10:00");
	assert_true(strlen(screen_clock(UINT64_MAX, buf)) < sizeof(buf));
}

static char *shown(bool json, const char *name)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct screen s;

	screen_init(&s, f, json);
	screen_event(&s, json_pack("{s:s}", "event", name), "it is %s", name);
	screen_live(&s, "this is for terminals");
	screen_event(&s, json_pack("{s:s}", "event", "data"), NULL);
	assert_false(s.broken);
	fclose(f);
	return text;
}

static void people_get_lines_and_programs_get_objects(void **state)
{
	char *text = shown(false, "up\x1b[2J"), *json = shown(true, "up\x1b[2J");

	assert_string_equal(text, "it is up?[2J\n");
	assert_string_equal(json, "{\"event\":\"up\\u001B[2J\"}\n{\"event\":\"data\"}\n");
	free(text);
	free(json);
}

static void a_reader_that_has_gone_is_noticed(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	struct screen s;

	assert_non_null(f);
	screen_init(&s, f, true);
	screen_event(&s, json_pack("{s:s}", "event", "up"), NULL);
	assert_true(s.broken);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_have_two_digits_or_three),
		cmocka_unit_test(clocks_count_days),
		cmocka_unit_test(people_get_lines_and_programs_get_objects),
		cmocka_unit_test(a_reader_that_has_gone_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

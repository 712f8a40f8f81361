/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/text: what does not fit is cut, and what others write cannot disturb the line around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/text.h"

static void what_does_not_fit_is_cut(void **state)
{
	char buf[6];
	struct text t = {.buf = buf, .size = sizeof(buf)};

	text_add(&t, "%s", "abc");
	text_add(&t, "%u", 1234u);
	text_add(&t, "x");
	assert_string_equal(buf, "abc12");
	assert_int_equal(t.len, 5);
}

static void words_of_others_are_made_printable(void **state)
{
	static const struct {
		const char *words, *expected;
	} rows[] = {
		{"back in 2 hours", "back in 2 hours"},
		{"Gr\xc3\xbc\xc3\x9f"
		 "e \xe2\x82\xac \xf0\x9f\x91\x8b",
			"Gr\xc3\xbc\xc3\x9f"
			"e \xe2\x82\xac \xf0\x9f\x91\x8b"},
		{"a\nb\x1b[31m\x7f", "a\\x0ab\\x1b[31m\\x7f"},
		{"\xc2\x85", "\\xc2\\x85"},            /* NEL, a control character */
		{"\xe2\x80\xae!", "\\xe2\\x80\\xae!"}, /* right-to-left override */
		{"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},   /* line separator */
		{"\xc0\xaf", "\\xc0\\xaf"},            /* not the shortest form */
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* half of a surrogate pair */
		{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"}, /* behind U+10FFFF */
		{"\xff\xfe", "\\xff\\xfe"},
		{"cut \xe2\x82", "cut \\xe2\\x82"},
		{"\x80", "\\x80"},
		{"", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[64] = "";
		struct text t = {.buf = buf, .size = sizeof(buf)};

		text_add_words(&t, reader_of(rows[i].words, strlen(rows[i].words)));
		assert_string_equal(buf, rows[i].expected);
	}
}

static void a_nul_does_not_end_the_words(void **state)
{
	char buf[64] = "";
	struct text t = {.buf = buf, .size = sizeof(buf)};

	text_add_words(&t, reader_of("a\0b", 3));
	assert_string_equal(buf, "a\\x00b");
}

static void words_are_cut_at_a_character(void **state)
{
	char buf[7] = "";
	struct text t = {.buf = buf, .size = sizeof(buf)};

	text_add_words(&t, reader_of("abcd\xe2\x82\xac"
				     "e",
				   8));
	assert_string_equal(buf, "abcd");
	t.len = 3;
	text_add_words(&t, reader_of("\n", 1));
	assert_string_equal(buf, "abcd"); /* four do not fit behind three into seven with the end */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(words_of_others_are_made_printable),
		cmocka_unit_test(a_nul_does_not_end_the_words),
		cmocka_unit_test(words_are_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

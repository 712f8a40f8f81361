/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections and values of saved state: what is written is read, and what cannot have been written is refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/record.h"

static uint8_t buf[256];

static struct reader written(const struct writer *w)
{
	assert_true(writer_ok(w));
	return reader_of(w->start, writer_len(w));
}

static void addresses_and_prefixes_survive(void **state)
{
	static const char *const addrs[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::"};
	static const char *const prefixes[] = {
		"0.0.0.0/0", "203.0.113.128/25", "192.0.2.1/32", "::/0", "2001:db8::/33", "2001:db8::1/128"};
	struct writer w = writer_of(buf, sizeof(buf));
	struct addr none = {0}, a;
	struct prefix no_prefix = {0}, p;
	struct reader r;

	record_put_addr(&w, &none);
	record_put_prefix(&w, &no_prefix);
	for (size_t n = 0; n < sizeof(addrs) / sizeof(*addrs); n++) {
		assert_int_equal(addr_parse(addrs[n], &a), 0);
		record_put_addr(&w, &a);
	}
	for (size_t n = 0; n < sizeof(prefixes) / sizeof(*prefixes); n++) {
		assert_int_equal(prefix_parse(prefixes[n], &p), 0);
		record_put_prefix(&w, &p);
	}
	r = written(&w);
	a = record_addr(&r);
	assert_true(addr_is_none(&a));
	p = record_prefix(&r);
	assert_true(prefix_is_none(&p));
	for (size_t n = 0; n < sizeof(addrs) / sizeof(*addrs); n++) {
		char text[ADDR_TEXT];

		a = record_addr(&r);
		assert_string_equal(addr_print(&a, text), addrs[n]);
	}
	for (size_t n = 0; n < sizeof(prefixes) / sizeof(*prefixes); n++) {
		char text[PREFIX_TEXT];

		p = record_prefix(&r);
		assert_string_equal(prefix_print(&p, text), prefixes[n]);
	}
	assert_true(reader_ok(&r) && !reader_left(&r));
}

/* A prefix costs as many bytes as its length needs. */
static void prefixes_are_short(void **state)
{
	struct writer w = writer_of(buf, sizeof(buf));
	struct prefix p;

	assert_int_equal(prefix_parse("2001:db8:8000:700::/56", &p), 0);
	record_put_prefix(&w, &p);
	assert_int_equal(writer_len(&w), 2 + 7);
}

static void sections_are_found_by_their_tag(void **state)
{
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader r, s;

	for (uint8_t tag = 1; tag < 5; tag++) {
		size_t at = record_begin(&w, tag);

		for (uint8_t n = 0; n < tag; n++)
			writer_u8(&w, tag);
		record_end(&w, at);
	}
	r = written(&w);
	for (uint8_t tag = 4; tag; tag--) {
		s = record_section(r, tag);
		assert_int_equal(reader_left(&s), tag);
		assert_int_equal(reader_u8(&s), tag);
	}
	s = record_section(r, 9);
	assert_string_equal(s.error, "missing");
	s = record_section(reader_of(buf, 0), 1);
	assert_string_equal(s.error, "missing");
}

enum kind { ADDR, PREFIX, SECTION, U8, U16, FLAGS, PAST, DEADLINE };

enum { NOW = 1000 };

/* Section 1, 3 to 5, 300 to 500, flags 0 to 2, at 1000 and at most 24 after it. */
static const char *read_one(enum kind kind, struct reader *r)
{
	struct reader s;

	switch (kind) {
	case ADDR:
		record_addr(r);
		break;
	case PREFIX:
		record_prefix(r);
		break;
	case SECTION:
		s = record_section(*r, 1);
		return s.error;
	case U8:
		record_u8(r, 3, 5);
		break;
	case U16:
		record_u16(r, 300, 500);
		break;
	case FLAGS:
		record_flags(r, 7);
		break;
	case PAST:
		record_past(r, NOW);
		break;
	default:
		record_deadline(r, NOW, 24);
		break;
	}
	return r->error;
}

static const struct {
	enum kind kind;
	const char *bytes;
	size_t len;
	const char *why; /* NULL: good */
} cases[] = {
	{ADDR, "\4\300\0\2\1", 5, NULL},
	{ADDR, "", 0, "truncated"},
	{ADDR, "\4\300\0\2", 4, "truncated"},
	{ADDR, "\6\300\0\2\1", 5, "truncated"},
	{ADDR, "\2\300\0\2\1", 5, "no such address family"},
	{ADDR, "\12\300\0\2\1", 5, "no such address family"},
	{PREFIX, "\4\31\313\0\161\200", 6, NULL},
	{PREFIX, "\4\31\313\0\161\201", 6, "prefix with host bits"},
	{PREFIX, "\4\31\313\0\161", 5, "truncated"},
	{PREFIX, "\4\41\313\0\161\200", 6, "value out of range"},
	{PREFIX, "\6\201", 2, "value out of range"},
	{PREFIX, "\5\0", 2, "no such address family"},
	{SECTION, "\1\0\2xy\2\0\0", 8, NULL},
	{SECTION, "\1\0\2x", 4, "truncated"},
	{SECTION, "\2\0\5x\1\0\0", 7, "truncated"},
	{SECTION, "\1\0\0\2\0\1", 6, "truncated"},
	{SECTION, "\1\0\0\1\0\0", 6, "there twice"},
	{U8, "\3", 1, NULL},
	{U8, "\5", 1, NULL},
	{U8, "\2", 1, "value out of range"},
	{U8, "\6", 1, "value out of range"},
	{U8, "", 0, "truncated"},
	{U16, "\1\54", 2, NULL},
	{U16, "\1\364", 2, NULL},
	{U16, "\1\53", 2, "value out of range"},
	{U16, "\1\365", 2, "value out of range"},
	{U16, "\1", 1, "truncated"},
	{FLAGS, "\7", 1, NULL},
	{FLAGS, "\10", 1, "unknown flag"},
	{PAST, "\0\0\0\0\0\0\3\350", 8, NULL},
	{PAST, "\0\0\0\0\0\0\3\351", 8, "time that has not come yet"},
	{PAST, "\377\377\377\377\377\377\377\377", 8, "time that has not come yet"},
	{PAST, "\0\0\0\0\0\0\3", 7, "truncated"},
	{DEADLINE, "\0\0\0\0\0\0\4\0", 8, NULL},
	{DEADLINE, "\377\377\377\377\377\377\377\377", 8, NULL},
	{DEADLINE, "\0\0\0\0\0\0\4\1", 8, "time too far ahead"},
	{DEADLINE, "\377\377\377\377\377\377\377\376", 8, "time too far ahead"},
	{DEADLINE, "\0\0\0\0\0\0\0", 7, "truncated"},
};

static void bad_values_are_refused_with_a_reason(void **state)
{
	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct reader r = reader_of(cases[n].bytes, cases[n].len);
		const char *why = read_one(cases[n].kind, &r);

		if (!why != !cases[n].why || (why && strcmp(why, cases[n].why) != 0))
			fail_msg("case %zu: %s", n, why ? why : "accepted");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_prefixes_survive),
		cmocka_unit_test(prefixes_are_short),
		cmocka_unit_test(sections_are_found_by_their_tag),
		cmocka_unit_test(bad_values_are_refused_with_a_reason),
	};

	return cmocka_run_group_tests_name("lib record", tests, NULL, NULL);
}

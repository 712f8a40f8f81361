/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The L2TP header: golden bytes after RFC 2661 figure 3.1, and headers that must not pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "l2tp/packet.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void reads_a_control_header(void **state)
{
	static const uint8_t packet[] = {
		0xc8, 0x02, 0x00, 0x0c, 0x12, 0x34, 0x56, 0x78, 0x00, 0x05, 0xff, 0xfe};
	struct reader r = reader_of(packet, sizeof(packet));
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_true(h.control && h.has_length && h.has_sequence && !h.has_offset && !h.priority);
	assert_int_equal(h.length, 12);
	assert_int_equal(h.tunnel_id, 0x1234);
	assert_int_equal(h.session_id, 0x5678);
	assert_int_equal(h.ns, 5);
	assert_int_equal(h.nr, 0xfffe);
	assert_int_equal(reader_left(&r), 0);
}

static void reads_a_data_header_with_every_option(void **state)
{
	/* L, S, O, P; offset 3 with padding; payload ff 03; two bytes behind Length */
	static const uint8_t packet[] = {0x4b, 0x02, 0x00, 0x13, 0x00, 0x01, 0x00, 0x02, 0x00, 0x03, 0x00,
		0x04, 0x00, 0x03, 0xaa, 0xaa, 0xaa, 0xff, 0x03, 0xbb, 0xbb};
	struct reader r = reader_of(packet, sizeof(packet));
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_true(!h.control && h.has_length && h.has_sequence && h.has_offset && h.priority);
	assert_int_equal(h.tunnel_id, 1);
	assert_int_equal(h.session_id, 2);
	assert_int_equal(h.ns, 3);
	assert_int_equal(h.nr, 4);
	assert_int_equal(reader_left(&r), 2);
	assert_int_equal(reader_u16(&r), 0xff03);
}

static void reads_the_shortest_data_header(void **state)
{
	static const uint8_t packet[] = {0x00, 0x02, 0x00, 0x01, 0x00, 0x02, 0xff};
	struct reader r = reader_of(packet, sizeof(packet));
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_true(!h.control && !h.has_length && !h.has_sequence);
	assert_int_equal(reader_left(&r), 1);
}

static void ignores_reserved_bits(void **state)
{
	static const uint8_t packet[] = {0xfd, 0xf2, 0x00, 0x0c, 0, 1, 0, 2, 0, 3, 0, 4};
	struct reader r = reader_of(packet, sizeof(packet));
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_int_equal(h.tunnel_id, 1);
}

static void writes_what_it_reads(void **state)
{
	static const struct l2tp_header headers[] = {
		{.control = true,
			.has_length = true,
			.has_sequence = true,
			.tunnel_id = 7,
			.session_id = 8,
			.ns = 9,
			.nr = 10},
		{.tunnel_id = 0xffff, .session_id = 1},
		{.has_length = true, .has_offset = true, .priority = true, .tunnel_id = 2, .session_id = 3},
		{.has_sequence = true, .tunnel_id = 2, .session_id = 3, .ns = 65535},
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		uint8_t buf[64];
		struct writer w = writer_of(buf, sizeof(buf));
		size_t at = l2tp_header_begin(&w, &headers[i]);
		struct l2tp_header h;
		struct reader r;

		writer_u32(&w, 0xc0ffee00);
		l2tp_header_finish(&w, at);
		assert_true(writer_ok(&w));
		r = reader_of(buf, writer_len(&w));
		l2tp_header_read(&r, &h);
		assert_true(reader_ok(&r));
		assert_int_equal(reader_u32(&r), 0xc0ffee00);
		assert_int_equal(h.control, headers[i].control);
		assert_int_equal(h.priority, headers[i].priority);
		assert_int_equal(h.tunnel_id, headers[i].tunnel_id);
		assert_int_equal(h.session_id, headers[i].session_id);
		assert_int_equal(h.ns, headers[i].ns);
		assert_int_equal(h.nr, headers[i].nr);
	}
}

static void says_when_a_header_does_not_fit(void **state)
{
	static const struct l2tp_header h = {.control = true, .has_length = true, .has_sequence = true};
	uint8_t buf[11];
	struct writer w = writer_of(buf, sizeof(buf));

	l2tp_header_finish(&w, l2tp_header_begin(&w, &h));
	assert_false(writer_ok(&w));
}

/* proves: HS-L2TP-3 partial */
static void refuses_malformed_headers(void **state)
{
	const struct {
		const char *name;
		const uint8_t *data;
		size_t len;
		const char *error;
	} bad[] = {
		{"one byte", BYTES(0xc8), "truncated"},
		{"L2F", BYTES(0xc8, 0x01, 0, 12, 0, 1, 0, 2, 0, 3, 0, 4), "an L2F packet"},
		{"version 3", BYTES(0xc8, 0x03, 0, 12, 0, 1, 0, 2, 0, 3, 0, 4), "not L2TP version 2"},
		{"version 0", BYTES(0xc8, 0x00, 0, 12, 0, 1, 0, 2, 0, 3, 0, 4), "not L2TP version 2"},
		{"control without length", BYTES(0x88, 0x02, 0, 1, 0, 2, 0, 3, 0, 4),
			"control message without Length"},
		{"control without sequence", BYTES(0xc0, 0x02, 0, 8, 0, 1, 0, 2),
			"control message without Ns and Nr"},
		{"control with offset", BYTES(0xca, 0x02, 0, 14, 0, 1, 0, 2, 0, 3, 0, 4, 0, 0),
			"control message with an offset"},
		{"no ids", BYTES(0xc8, 0x02, 0, 12), "truncated"},
		{"cut inside Nr", BYTES(0xc8, 0x02, 0, 12, 0, 1, 0, 2, 0, 3, 0), "truncated"},
		{"length zero", BYTES(0xc8, 0x02, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4),
			"Length shorter than the header"},
		{"length inside the header", BYTES(0xc8, 0x02, 0, 11, 0, 1, 0, 2, 0, 3, 0, 4),
			"Length shorter than the header"},
		{"length one too long", BYTES(0xc8, 0x02, 0, 13, 0, 1, 0, 2, 0, 3, 0, 4),
			"Length beyond the packet"},
		{"length 65535", BYTES(0xc8, 0x02, 0xff, 0xff, 0, 1, 0, 2, 0, 3, 0, 4),
			"Length beyond the packet"},
		{"offset beyond the packet", BYTES(0x02, 0x02, 0, 1, 0, 2, 0xff, 0xff, 0), "truncated"},
		{"offset beyond the length", BYTES(0x42, 0x02, 0, 10, 0, 1, 0, 2, 0, 2, 0xaa, 0xaa),
			"Length shorter than the header"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reader r = reader_of(bad[i].data, bad[i].len);
		struct l2tp_header h = {.tunnel_id = 4711};

		l2tp_header_read(&r, &h);
		if (reader_ok(&r))
			fail_msg("%s was accepted", bad[i].name);
		assert_string_equal(r.error, bad[i].error);
		assert_int_equal(h.tunnel_id, 4711);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_control_header),
		cmocka_unit_test(reads_a_data_header_with_every_option),
		cmocka_unit_test(reads_the_shortest_data_header),
		cmocka_unit_test(ignores_reserved_bits),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(says_when_a_header_does_not_fit),
		cmocka_unit_test(refuses_malformed_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

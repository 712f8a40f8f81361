/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of inet/fragment: what is cut is put together again here, by rules that share no code with it. */
#include <string.h>

#include "check.h"
#include "inet/fragment.h"
#include "lib/rng.h"

enum { MAX = 4000 };

struct whole {
	uint8_t bytes[MAX];
	size_t len;
	unsigned pieces;
	bool last;
};

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static size_t build4(uint8_t *packet, const uint8_t *options, size_t options_len, size_t data, unsigned word)
{
	size_t header = 20 + options_len;

	for (size_t i = 0; i < header + data; i++)
		packet[i] = (uint8_t)(i * 7 + i / 256);
	packet[0] = (uint8_t)(0x40 | header / 4);
	put16(packet + 2, header + data);
	put16(packet + 6, word);
	if (options_len)
		memcpy(packet + 20, options, options_len);
	put16(packet + 10, 0);
	put16(packet + 10, (uint16_t)~plain_sum(packet, header, 0));
	return header + data;
}

static void add(struct whole *w, size_t at, const uint8_t *data, size_t len, bool more)
{
	assert_false(w->last);
	assert_int_equal(at, w->len); /* they come in order here */
	assert_true(at + len <= MAX);
	assert_true(!more || len % 8 == 0);
	memcpy(w->bytes + at, data, len);
	w->len += len;
	w->last = !more;
	w->pieces++;
}

/* All pieces of PACKET as a receiver sees them. */
static struct whole cut4(const uint8_t *packet, size_t header, size_t len, size_t mtu, unsigned base)
{
	struct whole w = {0};
	struct ip_pieces f;
	uint8_t out[MAX];
	size_t n;

	assert_true(ip4_pieces_begin(&f, packet, header, len, mtu));
	while ((n = ip_pieces_next(&f, out))) {
		size_t own = (out[0] & 15U) * 4U;

		assert_true(n <= mtu && get16(out + 2) == n && out[0] >> 4 == 4);
		assert_int_equal(plain_sum(out, own, 0), 0xffff);
		assert_memory_equal(out + 4, packet + 4, 2);
		assert_memory_equal(out + 12, packet + 12, 8);
		assert_memory_equal(out + 8, packet + 8, 2);
		assert_int_equal(out[1], packet[1]);
		if (!w.pieces)
			assert_int_equal(own, header);
		add(&w, ((get16(out + 6) & 0x1fff) - base) * 8, out + own, n - own, get16(out + 6) & 0x2000);
	}
	assert_int_equal(ip_pieces_next(&f, out), 0);
	return w;
}

static void pieces_of_ipv4_make_the_packet_again(void **state)
{
	uint8_t packet[MAX];

	for (size_t mtu = 68; mtu < 1500; mtu += 83) {
		size_t len = build4(packet, NULL, 0, 3000, 0);
		struct whole w = cut4(packet, 20, len, mtu, 0);

		assert_true(w.last);
		assert_int_equal(w.len, 3000);
		assert_memory_equal(w.bytes, packet + 20, 3000);
		assert_int_equal(w.pieces, (3000 + ((mtu - 20) & ~7U) - 1) / ((mtu - 20) & ~7U));
	}
}

static void a_fragment_of_ipv4_can_be_cut_again(void **state)
{
	uint8_t packet[MAX];
	size_t len = build4(packet, NULL, 0, 1600, 0x2000 | 100);
	struct whole w = cut4(packet, 20, len, 600, 100);

	assert_false(w.last); /* more are behind the last of these */
	assert_int_equal(w.len, 1600);
	len = build4(packet, NULL, 0, 1601, 100);
	w = cut4(packet, 20, len, 600, 100);
	assert_true(w.last);
	assert_int_equal(w.len, 1601);
}

static void only_copied_options_are_in_later_pieces(void **state)
{
	static const struct {
		const char *name;
		uint8_t options[12], later[12];
		size_t later_len;
	} cases[] = {
		{"router alert is copied", {0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0}, {0x94, 4, 0, 0}, 4},
		{"padded", {1, 0x83, 3, 4, 7, 3, 4, 0, 0, 0, 0, 0}, {0x83, 3, 4, 0}, 4},
		{"none", {7, 11, 4, 1, 2, 3, 4, 5, 6, 7, 8, 0}, {0}, 0},
		{"length 0 ends them", {0x94, 0, 0, 0, 0x94, 4, 0, 0}, {0}, 0},
		{"length 1 ends them", {0x94, 1, 0, 0, 0x94, 4, 0, 0}, {0}, 0},
		{"length beyond the header", {0x94, 40, 0, 0, 0x94, 4, 0, 0}, {0}, 0},
		{"type without length", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0x94}, {0}, 0},
	};
	uint8_t packet[MAX], out[MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = build4(packet, cases[i].options, 12, 500, 0);
		struct ip_pieces f;

		print_message("%s\n", cases[i].name);
		assert_true(ip4_pieces_begin(&f, packet, 32, len, 200));
		assert_int_equal(ip_pieces_next(&f, out), 200);
		assert_memory_equal(out + 20, cases[i].options, 12);
		while (ip_pieces_next(&f, out)) {
			assert_int_equal(out[0], 0x45 + cases[i].later_len / 4);
			assert_memory_equal(out + 20, cases[i].later, cases[i].later_len);
			assert_int_equal(plain_sum(out, 20 + cases[i].later_len, 0), 0xffff);
		}
		assert_int_equal(cut4(packet, 32, len, 200, 0).len, 500);
	}
}

static void pieces_of_ipv6_make_the_packet_again(void **state)
{
	uint8_t packet[MAX], out[MAX];

	for (size_t mtu = 56; mtu < 1500; mtu += 61) {
		struct whole w = {0};
		struct ip_pieces f;
		size_t n;

		for (size_t i = 0; i < 40 + 2001; i++)
			packet[i] = (uint8_t)(i * 5 + i / 256);
		packet[0] = 0x6b;
		put16(packet + 4, 2001);
		assert_true(ip6_pieces_begin(&f, packet, 2041, mtu, 0x12345678));
		while ((n = ip_pieces_next(&f, out))) {
			assert_true(n <= mtu && get16(out + 4) == n - 40);
			assert_memory_equal(out, packet, 4); /* traffic class and flow label, too */
			assert_memory_equal(out + 7, packet + 7, 33);
			assert_int_equal(out[6], 44);
			assert_int_equal(out[40], packet[6]);
			assert_int_equal(out[41], 0);
			assert_memory_equal(out + 44, "\x12\x34\x56\x78", 4);
			assert_int_equal(out[43] & 6, 0);
			add(&w, get16(out + 42) & 0xfff8, out + 48, n - 48, out[43] & 1);
		}
		assert_true(w.last);
		assert_int_equal(w.len, 2001);
		assert_memory_equal(w.bytes, packet + 40, 2001);
	}
}

static void refuses_an_mtu_without_room(void **state)
{
	uint8_t packet[MAX];
	struct ip_pieces f;

	assert_false(ip4_pieces_begin(&f, packet, 20, build4(packet, NULL, 0, 100, 0), 67));
	packet[0] = 0x60;
	assert_false(ip6_pieces_begin(&f, packet, 140, 55, 1));
}

static void knows_what_may_be_cut(void **state)
{
	uint8_t packet[MAX];

	build4(packet, NULL, 0, 100, 0);
	assert_true(ip4_may_fragment(packet));
	build4(packet, NULL, 0, 100, 0x4000);
	assert_false(ip4_may_fragment(packet));
	packet[0] = 0x60;
	packet[6] = 0;
	assert_false(ip4_may_fragment(packet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_ipv4_make_the_packet_again),
		cmocka_unit_test(a_fragment_of_ipv4_can_be_cut_again),
		cmocka_unit_test(only_copied_options_are_in_later_pieces),
		cmocka_unit_test(pieces_of_ipv6_make_the_packet_again),
		cmocka_unit_test(refuses_an_mtu_without_room),
		cmocka_unit_test(knows_what_may_be_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

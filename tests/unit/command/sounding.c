/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Echo requests of several sizes, and what counts as an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/sounding.h"
#include "inet/packet.h"

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct sounding begin(const char *from, const char *to, uint16_t mtu)
{
	struct addr a = address(from), b = address(to);
	struct sounding s;

	sounding_begin(&s, &a, &b, 0x1234, mtu);
	return s;
}

/* The answer to request N, as the other end would write it. */
static size_t answer6(const struct sounding *s, unsigned n, uint8_t *buf, size_t size)
{
	struct sounding other = *s;
	size_t len;
	uint16_t checksum;

	other.from = s->to;
	other.to = s->from;
	len = sounding_write(&other, n, buf, size);
	buf[IP6_HEADER] = ICMP6_ECHO_REPLY_T;
	memset(buf + IP6_HEADER + 2, 0, 2);
	checksum = ip6_checksum(&other.from, &other.to, PROTO_ICMP6, buf + IP6_HEADER, len - IP6_HEADER);
	buf[IP6_HEADER + 2] = (uint8_t)(checksum >> 8);
	buf[IP6_HEADER + 3] = (uint8_t)checksum;
	return len;
}

static size_t answer4(const struct sounding *s, unsigned n, uint8_t *buf, size_t size)
{
	struct sounding other = *s;
	size_t len;
	uint16_t checksum;

	other.from = s->to;
	other.to = s->from;
	len = sounding_write(&other, n, buf, size);
	buf[IP4_HEADER] = 0;
	memset(buf + IP4_HEADER + 2, 0, 2);
	checksum = inet_fold(inet_sum(buf + IP4_HEADER, len - IP4_HEADER, 0));
	buf[IP4_HEADER + 2] = (uint8_t)(checksum >> 8);
	buf[IP4_HEADER + 3] = (uint8_t)checksum;
	return len;
}

static void sizes_descend_from_the_mtu(void **state)
{
	struct sounding s = begin("fe80::1", "fe80::2", 1440);

	assert_int_equal(s.sizes[0], 1440);
	for (unsigned n = 1; n < s.count; n++)
		assert_true(s.sizes[n] < s.sizes[n - 1]);
	assert_int_equal(s.sizes[s.count - 1], 128);
	sounding_add(&s, 1440);
	sounding_add(&s, 1350);
	assert_int_equal(s.sizes[0], 1440);
	for (unsigned n = 1; n < s.count; n++)
		assert_true(s.sizes[n] < s.sizes[n - 1]);
	for (uint16_t size = 1000; size < 1100; size++)
		sounding_add(&s, size); /* there is an end to it */
	assert_int_equal(s.count, SOUNDING_SIZES);
}

static void the_largest_answer_counts(void **state)
{
	struct sounding six = begin("fe80::1", "fe80::2", 1440), four = begin("198.51.100.7", "198.51.100.1", 1460);
	uint8_t buf[SOUNDING_PACKET];

	for (unsigned n = six.count; n--;) {
		size_t len = answer6(&six, n, buf, sizeof(buf));

		assert_int_equal(len, six.sizes[n]);
		sounding_read(&six, buf, len);
		assert_int_equal(sounding_best(&six), six.sizes[n]);
	}
	for (unsigned n = four.count; n--;) {
		size_t len = answer4(&four, n, buf, sizeof(buf));

		assert_int_equal(len, four.sizes[n]);
		sounding_read(&four, buf, len);
		assert_int_equal(sounding_best(&four), four.sizes[n]);
	}
}

static void what_is_no_answer_does_not_count(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
	} rows6[] = {
		{"not IPv6", 0, 0x40},
		{"longer than it is", 4, 0xff},
		{"no ICMPv6", 6, 17},
		{"from somebody else", 23, 9},
		{"to somebody else: the checksum is wrong", 39, 9},
		{"a request", 40, 128},
		{"with a code", 41, 1},
		{"a wrong checksum", 42, 0x55},
		{"another identifier", 45, 0x35},
		{"another size than it names", 47, 0x81},
	}, rows4[] = {
		{"not IPv4", 0, 0x65},
		{"a header that is longer than the packet", 0, 0x4f},
		{"longer than it is", 2, 0xff},
		{"a fragment", 6, 0x20},
		{"no ICMP", 9, 17},
		{"a wrong header checksum", 10, 0x55},
		{"from somebody else", 15, 9},
		{"a request", 20, 8},
		{"with a code", 21, 1},
		{"a wrong checksum", 22, 0x55},
	};
	struct sounding six = begin("fe80::1", "fe80::2", 1440), four = begin("198.51.100.7", "198.51.100.1", 1460);
	uint8_t buf[SOUNDING_PACKET];
	size_t len;

	for (size_t n = 0; n < sizeof(rows6) / sizeof(*rows6); n++) {
		len = answer6(&six, six.count - 1, buf, sizeof(buf));
		buf[rows6[n].at] = rows6[n].value;
		sounding_read(&six, buf, len);
		if (sounding_best(&six))
			fail_msg("%s", rows6[n].what);
	}
	for (size_t n = 0; n < sizeof(rows4) / sizeof(*rows4); n++) {
		len = answer4(&four, four.count - 1, buf, sizeof(buf));
		buf[rows4[n].at] = rows4[n].value;
		sounding_read(&four, buf, len);
		if (sounding_best(&four))
			fail_msg("%s", rows4[n].what);
	}
	for (len = 0; len < 48; len++) {
		sounding_read(&six, buf, len);
		sounding_read(&four, buf, len);
	}
	assert_false(sounding_best(&six) || sounding_best(&four));
}

static void a_request_that_does_not_fit_is_none(void **state)
{
	struct sounding s = begin("fe80::1", "fe80::2", 1440);
	uint8_t buf[1439];

	assert_int_equal(sounding_write(&s, 0, buf, sizeof(buf)), 0);
	assert_int_equal(sounding_write(&s, 1, buf, sizeof(buf)), s.sizes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_descend_from_the_mtu),
		cmocka_unit_test(the_largest_answer_counts),
		cmocka_unit_test(what_is_no_answer_does_not_count),
		cmocka_unit_test(a_request_that_does_not_fit_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

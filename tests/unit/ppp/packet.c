/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames and control packets as bytes, and the line that trace prints for them. */
#include "ppp/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* At an exact allocation, so that the sanitizer sees the first byte too far. */
static uint8_t *exact(const uint8_t *data, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	if (len)
		memcpy(p, data, len);
	return p;
}

/* proves: HS-PPP-6 partial */
static void reads_frames_in_every_form(void **state)
{
	const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len;
		uint16_t protocol;
		size_t rest;
	} table[] = {
		{"address, control, two octets", BYTES(0xff, 0x03, 0xc0, 0x21, 1), PPP_LCP, 1},
		{"two octets", BYTES(0xc0, 0x21, 1), PPP_LCP, 1},
		{"address, control, one octet", BYTES(0xff, 0x03, 0x57, 0x60), PPP_IPV6, 1},
		{"one octet", BYTES(0x57, 0x60), PPP_IPV6, 1},
		{"one octet and nothing behind it", BYTES(0x21), PPP_IP, 0},
		{"leading zero octet", BYTES(0x00, 0x57), PPP_IPV6, 0},
		{"an even protocol is unknown, not malformed", BYTES(0x80, 0x58, 1, 2), 0x8058, 2},
		{"ff without 03 is a protocol", BYTES(0xff, 0x04), 0xff, 1},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t *p = exact(table[i].bytes, table[i].len);
		struct reader r = reader_of(p, table[i].len);

		if (ppp_frame_read(&r) != table[i].protocol || !reader_ok(&r) ||
			reader_left(&r) != table[i].rest)
			fail_msg("%s", table[i].name);
		free(p);
	}
}

static void refuses_frames_without_protocol(void **state)
{
	const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len;
	} table[] = {
		{"empty", (const uint8_t *)"", 0},
		{"one zero octet", BYTES(0x00)},
		{"address and control only", BYTES(0xff, 0x03)},
		{"half a protocol", BYTES(0xc0)},
		{"half a protocol behind address and control", BYTES(0xff, 0x03, 0x80)},
		{"half an LCP", BYTES(0xff, 0x03, 0xc0)},
		{"protocol 0", BYTES(0x00, 0x00)},
		{"protocol 0 with data", BYTES(0x00, 0x00, 1, 2, 3)},
		{"protocol 0 behind address and control", BYTES(0xff, 0x03, 0x00, 0x00, 9)},
		{"one zero octet behind address and control", BYTES(0xff, 0x03, 0x00)},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t *p = exact(table[i].bytes, table[i].len);
		struct reader r = reader_of(p, table[i].len);

		if (ppp_frame_read(&r) || reader_ok(&r))
			fail_msg("%s", table[i].name);
		free(p);
	}
}

static void refuses_malformed_packets(void **state)
{
	const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len;
	} table[] = {
		{"empty", (const uint8_t *)"", 0},
		{"code only", BYTES(1)},
		{"no length", BYTES(1, 1)},
		{"half a length", BYTES(1, 1, 0)},
		{"length 0", BYTES(1, 1, 0, 0)},
		{"length 3", BYTES(1, 1, 0, 3)},
		{"length 3 and data", BYTES(1, 1, 0, 3, 0, 0, 0)},
		{"one octet short", BYTES(1, 1, 0, 5)},
		{"many octets short", BYTES(1, 1, 0xff, 0xff, 1, 2, 3)},
		{"length in the wrong order", BYTES(1, 1, 8, 0, 1, 2, 3, 4)},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t *p = exact(table[i].bytes, table[i].len);
		struct reader r = reader_of(p, table[i].len);
		struct ppp_packet packet;

		ppp_packet_read(&r, &packet);
		if (reader_ok(&r))
			fail_msg("%s", table[i].name);
		free(p);
	}
}

static void drops_padding_behind_the_length(void **state)
{
	static const uint8_t bytes[] = {9, 3, 0, 8, 1, 2, 3, 4, 0, 0, 0};
	struct reader r = reader_of(bytes, sizeof(bytes));
	struct ppp_packet p;

	ppp_packet_read(&r, &p);
	assert_true(reader_ok(&r));
	assert_int_equal(p.code, PPP_ECHO_REQUEST);
	assert_int_equal(p.id, 3);
	assert_int_equal(reader_left(&p.data), 4);
	assert_ptr_equal(p.data.pos, bytes + 4);
}

static void writes_a_frame(void **state)
{
	static const uint8_t want[] = {0xff, 0x03, 0xc0, 0x21, 5, 7, 0, 7, 'b', 'y', 'e'};
	uint8_t buf[32];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t at = ppp_packet_begin(&w, PPP_LCP, PPP_TERMINATE_REQUEST, 7);

	writer_bytes(&w, "bye", 3);
	ppp_packet_finish(&w, at);
	assert_int_equal(writer_len(&w), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

static void prints_frames_and_no_secrets(void **state)
{
	const struct {
		const uint8_t *bytes;
		size_t len;
		const char *text;
	} table[] = {
		{BYTES(0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 19, 1, 4, 0x05, 0xb4, 5, 6, 0x1a, 0x2b, 0x3c, 0x4d, 3,
			 5, 0xc2, 0x23, 5),
			"LCP Configure-Request id=1 mru=1460 magic=0x1a2b3c4d auth=CHAP-MD5"},
		{BYTES(0xc0, 0x21, 4, 2, 0, 22, 7, 2, 8, 2, 3, 4, 0xc0, 0x23, 3, 5, 0xc2, 0x23, 0x81, 99, 3,
			 0, 1, 2),
			"LCP Configure-Reject id=2 pfc acfc auth=PAP(0xc023) auth=MS-CHAPv2 option-99(1) "
			"option-1(0)"},
		{BYTES(0x80, 0x57, 1, 3, 0, 14, 1, 10, 2, 0x11, 0x22, 0x33, 0x44, 0x55, 0, 7),
			"IPV6CP Configure-Request id=3 iid=211:2233:4455:7"},
		{BYTES(0xc2, 0x23, 1, 9, 0, 13, 4, 'K', 'E', 'Y', '!', 'h', 'o', 's', 't'),
			"CHAP Challenge id=9 value=4 bytes name=\"host\""},
		{BYTES(0xc2, 0x23, 2, 9, 0, 9, 4, 'K', 'E', 'Y', '!'), "CHAP Response id=9 value=4 bytes"},
		{BYTES(0xc2, 0x23, 4, 9, 0, 8, 'n', 'o', '\n', 0x1b), "CHAP Failure id=9 message=\"no??\""},
		{BYTES(0xc0, 0x21, 8, 4, 0, 8, 0x80, 0x21, 1, 2),
			"LCP Protocol-Reject id=4 protocol=IPCP(0x8021)"},
		{BYTES(0xc0, 0x21, 7, 4, 0, 8, 14, 1, 0, 4), "LCP Code-Reject id=4 code=unknown"},
		{BYTES(0xc0, 0x21, 9, 4, 0, 8, 0, 0, 0, 1), "LCP Echo-Request id=4 magic=0x00000001"},
		{BYTES(0xc0, 0x21, 5, 4, 0, 7, 'b', 'y', 'e'), "LCP Terminate-Request id=4 text=\"bye\""},
		{BYTES(0xc0, 0x21, 3, 2, 0, 13, 3, 5, 0xc2, 0x23, 0x80, 3, 4, 0xc2, 0x27),
			"LCP Configure-Nak id=2 auth=CHAP-128 auth=EAP(0xc227)"},
		{BYTES(0x80, 0x21, 1, 3, 0, 40, 3, 6, 192, 0, 2, 1, 129, 6, 0, 0, 0, 0, 131, 6, 255, 255, 255,
			 255, 130, 6, 1, 2, 3, 4, 132, 6, 1, 2, 3, 5, 2, 6, 0, 0x2d, 15, 1),
			"IPCP Configure-Request id=3 address=192.0.2.1 dns1=0.0.0.0 dns2=255.255.255.255 "
			"nbns1=1.2.3.4 nbns2=1.2.3.5 compression=0x002d"},
		{BYTES(0x80, 0x21, 4, 3, 0, 13, 3, 5, 1, 2, 3, 2, 2, 7, 2),
			"IPCP Configure-Reject id=3 option-3(3) option-2(0) option-7(0)"},
		{BYTES(0xc2, 0x23, 3, 9, 0, 53, 'S', '=', '4', '0', '7', 'A', '5', '5', '8', '9', '1', '1',
			 '5', 'F', 'D', '0', 'D', '6', '2', '0', '9', 'F', '5', '1', '0', 'F', 'E', '9', 'C',
			 '0', '4', '5', '6', '6', '9', '3', '2', 'C', 'D', 'A', '5', '6', ' ', 'M', '=', 'h',
			 'e', 'l', 'l'),
			"CHAP Success id=9 value=40 bytes message=\"M=hell\""},
		{BYTES(0xc0, 0x23, 1, 9, 0, 17, 5, 'a', 'l', 'i', 'c', 'e', 6, 's', 'e', 'c', 'r', 'e', 't'),
			"PAP Authenticate-Request id=9 name=\"alice\""},
		{BYTES(0xc0, 0x23, 2, 9, 0, 7, 2, 'h', 'i'), "PAP Authenticate-Ack id=9 message=\"hi\""},
		{BYTES(0xc0, 0x23, 3, 9, 0, 4), "PAP Authenticate-Nak id=9"},
		{BYTES(0xc0, 0x23, 1, 9, 0, 8, 1, 'a', 6, 's'),
			"PAP Authenticate-Request id=9 malformed: truncated"},
		{BYTES(0xc0, 0x23, 9, 9, 0, 5, 1), "PAP unknown id=9"},
		{BYTES(0xc2, 0x27, 1, 9, 0, 5, 1), "EAP Request id=9 Identity"},
		{BYTES(0xc2, 0x27, 2, 9, 0, 10, 1, 'a', 'l', 'i', 'c', 'e'),
			"EAP Response id=9 Identity text=\"alice\""},
		{BYTES(0xc2, 0x27, 1, 9, 0, 7, 2, 'h', 'i'), "EAP Request id=9 Notification text=\"hi\""},
		{BYTES(0xc2, 0x27, 2, 9, 0, 7, 3, 13, 4), "EAP Response id=9 Nak 13 4"},
		{BYTES(0xc2, 0x27, 2, 9, 0, 9, 4, 'K', 'E', 'Y', '!'), "EAP Response id=9 type=4 4 bytes"},
		{BYTES(0xc2, 0x27, 3, 9, 0, 4), "EAP Success id=9"},
		{BYTES(0xc2, 0x27, 4, 9, 0, 5, 1), "EAP Failure id=9"},
		{BYTES(0xc2, 0x27, 1, 9, 0, 4), "EAP Request id=9 malformed: truncated"},
		{BYTES(0xc2, 0x27, 5, 9, 0, 4), "EAP unknown id=9"},
		{BYTES(0x57, 1, 2, 3), "IPv6 3 bytes"},
		{BYTES(0xc0, 0x99, 1, 2, 3), "unknown(0xc099) 3 bytes"},
		{BYTES(0xc0, 0x21, 1, 1, 0, 6, 1, 1),
			"LCP Configure-Request id=1 malformed: option length below 2"},
		{BYTES(0xc0, 0x21, 1, 1, 0, 7, 1, 4, 5), "LCP Configure-Request id=1 malformed: truncated"},
		{BYTES(0xc0, 0x21, 1, 1, 0, 9), "LCP malformed: truncated"},
		{BYTES(0xc0, 0x21, 1, 1, 0, 14, 4, 8, 0xc0, 0x25, 0, 0, 1, 0, 99, 2),
			"LCP Configure-Request id=1 quality=0xc025 option-99(0)"},
		{BYTES(0x80, 0x57, 1, 1, 0, 8, 1, 4, 0, 0), "IPV6CP Configure-Request id=1 option-1(2)"},
		{BYTES(0x80, 0x2b, 1, 1, 0, 8, 1, 4, 0, 0),
			"unknown(0x802b) Configure-Request id=1 option-1(2)"},
		{BYTES(0xc2, 0x23, 1, 9, 0, 7, 4, 'K', 'E'), "CHAP Challenge id=9 malformed: truncated"},
		{BYTES(0xff, 0x03), "malformed: truncated"},
	};
	char buf[200];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ppp_frame_print(table[i].bytes, table[i].len, buf, sizeof(buf));
		assert_string_equal(buf, table[i].text);
		for (size_t size = 0; size < 20; size++) { /* any buffer will do */
			memset(buf, 'x', sizeof(buf));
			ppp_frame_print(table[i].bytes, table[i].len, buf, size);
			assert_true(!size || memchr(buf, 0, size));
			assert_int_equal(buf[size], 'x');
		}
	}
}

static void names_codes_of_each_protocol(void **state)
{
	assert_string_equal(ppp_code_name(PPP_LCP, PPP_DISCARD_REQUEST), "Discard-Request");
	assert_string_equal(ppp_code_name(PPP_LCP, 12), "unknown");
	assert_string_equal(ppp_code_name(PPP_LCP, 0), "unknown");
	assert_string_equal(ppp_code_name(PPP_IPV6CP, PPP_CODE_REJECT), "Code-Reject");
	assert_string_equal(ppp_code_name(PPP_IPV6CP, PPP_ECHO_REQUEST), "unknown");
	assert_string_equal(ppp_code_name(PPP_CHAP, CHAP_CHALLENGE), "Challenge");
	assert_string_equal(ppp_code_name(PPP_CHAP, 5), "unknown");
	assert_string_equal(ppp_code_name(PPP_PAP, PAP_NAK), "Authenticate-Nak");
	assert_string_equal(ppp_code_name(PPP_PAP, 0), "unknown");
	assert_string_equal(ppp_code_name(PPP_EAP, PPP_EAP_FAILURE), "Failure");
	assert_string_equal(ppp_code_name(PPP_EAP, 0), "unknown");
	assert_string_equal(ppp_protocol_name(0x8057), "IPV6CP");
	assert_string_equal(ppp_protocol_name(1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_frames_in_every_form),
		cmocka_unit_test(refuses_frames_without_protocol),
		cmocka_unit_test(refuses_malformed_packets),
		cmocka_unit_test(drops_padding_behind_the_length),
		cmocka_unit_test(writes_a_frame),
		cmocka_unit_test(prints_frames_and_no_secrets),
		cmocka_unit_test(names_codes_of_each_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

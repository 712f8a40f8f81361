/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every message byte for byte as RFC 2661 section 6 and RFC 5571 figures 11 and 12 have it; and bodies that must not pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "l2tp/avp.h"
#include "l2tp/message.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
/* AVPs that tests need again and again */
#define TYPE(t)        0x80, 0x08, 0, 0, 0, 0, 0, (t)
#define VERSION        0x80, 0x08, 0, 0, 0, 2, 1, 0
#define HOST           0x80, 0x07, 0, 0, 0, 7, 'h'
#define FRAMING        0x80, 0x0a, 0, 0, 0, 3, 0, 0, 0, 3
#define TUNNEL(hi, lo) 0x80, 0x08, 0, 0, 0, 9, (hi), (lo)
#define SCCRQ          TYPE(1), VERSION, HOST, FRAMING, TUNNEL(0x12, 0x67)
#define VECTOR                                                                                               \
	0x80, 0x16, 0, 0, 0, 36, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab,     \
		0xac, 0xad, 0xae, 0xaf

static const uint8_t challenge[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static uint8_t packet[L2TP_PACKET_MAX];
static uint8_t scratch[L2TP_PACKET_MAX];

static struct writer fresh(void)
{
	return writer_of(packet, sizeof(packet));
}

static void expect(const struct writer *w, const uint8_t *golden, size_t len)
{
	assert_true(writer_ok(w));
	assert_int_equal(writer_len(w), len);
	assert_memory_equal(packet, golden, len);
}

static int read_body(const uint8_t *data, size_t len, const char *secret, struct l2tp_message *ret,
	struct l2tp_fault *fault)
{
	struct l2tp_text s = {(const uint8_t *)secret, secret ? strlen(secret) : 0};

	memset(fault, 0, sizeof(*fault));
	return l2tp_message_read(reader_of(data, len), secret ? &s : NULL, scratch, ret, fault);
}

/* ---- encoders ---- */

/* proves: HS-L2TP-13, HS-L2TP-20 partial, HS-L2TP-26 partial, HS-L2TP-28 partial */
static void sccrq_is_what_figure_11_wants(void **state)
{
	struct message_hello m = {.host_name = "si.example",
		.firmware = 0x0102,
		.window = 4,
		.assigned_tunnel = 4711,
		.framing_async = true};
	struct writer w = fresh();

	message_write_sccrq(&w, &m);
	expect(&w, BYTES(0xc8, 0x02, 0, 78, 0, 0, 0, 0, 0, 0, 0, 0, TYPE(1), VERSION, 0x80, 0x10, 0, 0, 0, 7,
			   's', 'i', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', FRAMING, TUNNEL(0x12, 0x67),
			   0x80, 0x08, 0, 0, 0, 10, 0, 4, 0x00, 0x08, 0, 0, 0, 6, 1, 2));
	m.framing_async = false;
	m.vendor_name = "v";
	m.challenge = (struct l2tp_text){challenge, sizeof(challenge)};
	w = fresh();
	message_write_sccrq(&w, &m);
	expect(&w, BYTES(0xc8, 0x02, 0, 107, 0, 0, 0, 0, 0, 0, 0, 0, TYPE(1), VERSION, 0x80, 0x10, 0, 0, 0, 7,
			   's', 'i', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0x80, 0x0a, 0, 0, 0, 3, 0, 0, 0,
			   1, TUNNEL(0x12, 0x67), 0x80, 0x08, 0, 0, 0, 10, 0, 4, 0x80, 0x16, 0, 0, 0, 11, 0,
			   1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x00, 0x08, 0, 0, 0, 6, 1, 2,
			   0x00, 0x07, 0, 0, 0, 8, 'v'));
}

/* proves: HS-L2TP-14 */
static void sccrp_is_what_figure_11_wants(void **state)
{
	struct message_hello m = {.host_name = "sc",
		.firmware = 1,
		.window = 8,
		.assigned_tunnel = 0xfffe,
		.framing_async = true,
		.challenge = {challenge, 4},
		.response = {challenge, 16}};
	struct writer w = fresh();

	message_write_sccrp(&w, 0x1267, &m);
	expect(&w, BYTES(0xc8, 0x02, 0, 102, 0x12, 0x67, 0, 0, 0, 0, 0, 0, TYPE(2), VERSION, 0x80, 0x08, 0, 0,
			   0, 7, 's', 'c', FRAMING, TUNNEL(0xff, 0xfe), 0x80, 0x08, 0, 0, 0, 10, 0, 8, 0x80,
			   0x0a, 0, 0, 0, 11, 0, 1, 2, 3, 0x80, 0x16, 0, 0, 0, 13, 0, 1, 2, 3, 4, 5, 6, 7, 8,
			   9, 10, 11, 12, 13, 14, 15, 0x00, 0x08, 0, 0, 0, 6, 0, 1));
}

/* proves: HS-L2TP-15 partial */
static void scccn_carries_a_response_when_there_is_one(void **state)
{
	struct l2tp_text none = {0}, response = {challenge, 16};
	struct writer w = fresh();

	message_write_scccn(&w, 0x0102, &none);
	expect(&w, BYTES(0xc8, 0x02, 0, 20, 1, 2, 0, 0, 0, 0, 0, 0, TYPE(3)));
	w = fresh();
	message_write_scccn(&w, 0x0102, &response);
	expect(&w, BYTES(0xc8, 0x02, 0, 42, 1, 2, 0, 0, 0, 0, 0, 0, TYPE(3), 0x80, 0x16, 0, 0, 0, 13, 0, 1, 2,
			   3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

static void stopccn_names_id_and_result(void **state)
{
	struct writer w = fresh();

	message_write_stopccn(&w, 0x0102, 0x1267, L2TP_STOP_CLEAR, 0, NULL);
	expect(&w, BYTES(0xc8, 0x02, 0, 36, 1, 2, 0, 0, 0, 0, 0, 0, TYPE(4), TUNNEL(0x12, 0x67), 0x80, 0x08,
			   0, 0, 0, 1, 0, 1));
	w = fresh();
	message_write_stopccn(&w, 0x0102, 0x1267, L2TP_STOP_ERROR, L2TP_ERROR_MANDATORY, "no");
	expect(&w, BYTES(0xc8, 0x02, 0, 40, 1, 2, 0, 0, 0, 0, 0, 0, TYPE(4), TUNNEL(0x12, 0x67), 0x80, 0x0c,
			   0, 0, 0, 1, 0, 2, 0, 8, 'n', 'o'));
}

static void hello_and_zlb_are_bare(void **state)
{
	struct writer w = fresh();

	message_write_hello(&w, 0x0102);
	expect(&w, BYTES(0xc8, 0x02, 0, 20, 1, 2, 0, 0, 0, 0, 0, 0, TYPE(6)));
	w = fresh();
	message_write_zlb(&w, 0x0102, 3, 0xffff);
	expect(&w, BYTES(0xc8, 0x02, 0, 12, 1, 2, 0, 0, 0, 3, 0xff, 0xff));
}

/* With those above, every message that we send is compared byte for byte. */
/* proves: HS-L2TP-16, HS-L2TP-17 partial, HS-L2TP-21 partial, HS-L2TP-22 partial, HS-L2TP-26, HS-L2TP-28 */
static void session_messages_are_what_figure_12_wants(void **state)
{
	struct writer w = fresh();

	message_write_icrq(&w, 0x0102, 0x0304, 0x05060708);
	expect(&w, BYTES(0xc8, 0x02, 0, 38, 1, 2, 0, 0, 0, 0, 0, 0, TYPE(10), 0x80, 0x08, 0, 0, 0, 14, 3, 4,
			   0x80, 0x0a, 0, 0, 0, 15, 5, 6, 7, 8));
	w = fresh();
	message_write_icrp(&w, 0x0102, 0x0304, 0x0506);
	expect(&w, BYTES(0xc8, 0x02, 0, 28, 1, 2, 3, 4, 0, 0, 0, 0, TYPE(11), 0x80, 0x08, 0, 0, 0, 14, 5, 6));
	w = fresh();
	message_write_iccn(&w, 0x0102, 0x0304);
	expect(&w, BYTES(0xc8, 0x02, 0, 40, 1, 2, 3, 4, 0, 0, 0, 0, TYPE(12), 0x80, 0x0a, 0, 0, 0, 24, 0, 0,
			   0, 0, 0x80, 0x0a, 0, 0, 0, 19, 0, 0, 0, 1));
	w = fresh();
	message_write_cdn(&w, 0x0102, 0x0304, 0x0506, L2TP_CDN_ADMIN, 0, "x");
	expect(&w, BYTES(0xc8, 0x02, 0, 39, 1, 2, 3, 4, 0, 0, 0, 0, TYPE(14), 0x80, 0x0b, 0, 0, 0, 1, 0, 3, 0,
			   0, 'x', 0x80, 0x08, 0, 0, 0, 14, 5, 6));
}

/* ---- decoder ---- */

static void reads_every_field_of_an_sccrq(void **state)
{
	static const uint8_t body[] = {SCCRQ, 0x80, 0x08, 0, 0, 0, 10, 0, 9, 0x80, 0x0a, 0, 0, 0, 11, 1, 2, 3,
		4, 0, 8, 0, 0, 0, 6, 1, 2, 0, 8, 0, 0, 0, 8, 'v', 'n'};
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(body, sizeof(body), NULL, &m, &f), 0);
	assert_int_equal(m.type, L2TP_SCCRQ);
	assert_true(m.type_mandatory);
	assert_int_equal(m.protocol_version, 0x0100);
	assert_int_equal(m.framing_capabilities, 3);
	assert_int_equal(m.assigned_tunnel, 4711);
	assert_int_equal(m.window, 9);
	assert_int_equal(m.firmware, 0x0102);
	assert_int_equal(m.host_name.len, 1);
	assert_memory_equal(m.host_name.data, "h", 1);
	assert_int_equal(m.vendor_name.len, 2);
	assert_int_equal(m.challenge.len, 4);
	assert_memory_equal(m.challenge.data, "\1\2\3\4", 4);
	assert_int_equal(m.ignored, 0);
	assert_int_equal(
		m.seen, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11);
}

static void an_empty_body_is_a_zlb(void **state)
{
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body((const uint8_t *)"", 0, NULL, &m, &f), 0);
	assert_int_equal(m.type, L2TP_ZLB);
}

static void absent_window_means_four(void **state)
{
	static const uint8_t body[] = {SCCRQ};
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(body, sizeof(body), NULL, &m, &f), 0);
	assert_int_equal(m.window, 4);
}

static void reads_result_error_and_text(void **state)
{
	static const uint8_t body[] = {
		TYPE(4), TUNNEL(0, 5), 0x80, 0x0e, 0, 0, 0, 1, 0, 2, 0, 6, 'f', 'u', 'l', 'l'};
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(body, sizeof(body), NULL, &m, &f), 0);
	assert_int_equal(m.result, 2);
	assert_int_equal(m.error, 6);
	assert_int_equal(m.error_message.len, 4);
	assert_memory_equal(m.error_message.data, "full", 4);
}

/* proves: HS-L2TP-27, HS-L2TP-2 partial */
static void ignores_irrelevant_avps_even_with_the_m_bit(void **state)
{
	static const uint8_t openings[] = {SCCRQ, 0x80, 0x0a, 0, 0, 0, 4, 0, 0, 0,
		3,                                              /* Bearer Capabilities */
		0x00, 0x0e, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, /* Tie Breaker */
		0x80, 0x07, 0, 0, 0, 4, 0,                      /* again, of a wrong length */
		0xc0, 0x08, 0, 0, 0, 18, 9, 9};                 /* Bearer Type, hidden */
	static const uint8_t calls[] = {TYPE(10), 0x80, 0x08, 0, 0, 0, 14, 0, 1, 0x80, 0x0a, 0, 0, 0, 15, 0,
		0, 0, 1,                             /* ICRQ */
		0x80, 0x08, 0, 0, 0, 21, '5', '5',   /* Called Number */
		0x80, 0x08, 0, 0, 0, 22, '5', '5',   /* Calling Number */
		0x80, 0x06, 0, 0, 0, 39,             /* Sequencing Required */
		0x00, 0x08, 0, 0, 0, 26, 1, 2,       /* proxy LCP */
		0x80, 0x08, 0, 0, 0, 29, 0, 2,       /* Proxy Authen Type */
		0x80, 0x0a, 0, 0, 0, 24, 0, 0, 0, 9, /* (Tx) Connect Speed has no business in an ICRQ */
		0x00, 0x08, 0x00, 0x09, 0, 1, 1, 2}; /* a vendor's */
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(openings, sizeof(openings), NULL, &m, &f), 0);
	assert_int_equal(m.ignored, 4);
	assert_int_equal(read_body(calls, sizeof(calls), NULL, &m, &f), 0);
	assert_int_equal(m.ignored, 7);
	assert_int_equal(m.assigned_session, 1);
	assert_int_equal(m.tx_speed, 0);
}

static void the_first_of_two_counts(void **state)
{
	static const uint8_t body[] = {SCCRQ, TUNNEL(0, 1)};
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(body, sizeof(body), NULL, &m, &f), 0);
	assert_int_equal(m.assigned_tunnel, 4711);
	assert_int_equal(m.ignored, 1);
}

static void a_malformed_optional_avp_is_as_good_as_absent(void **state)
{
	static const uint8_t body[] = {SCCRQ, 0x00, 0x07, 0, 0, 0, 6, 1, 0x04, 0x08, 0, 0, 0, 8, 'x', 'y'};
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(body, sizeof(body), NULL, &m, &f), 0);
	assert_int_equal(m.ignored, 2);
	assert_int_equal(m.firmware, 0);
	assert_int_equal(m.vendor_name.len, 0);
}

static void tells_unknown_types_by_their_m_bit(void **state)
{
	static const uint8_t mandatory[] = {TYPE(99), 0x80, 0x06, 0xff, 0xff, 0xff, 0xff},
			     optional[] = {0, 8, 0, 0, 0, 0, 0, 13};
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(mandatory, sizeof(mandatory), NULL, &m, &f), 0);
	assert_int_equal(m.type, 99);
	assert_true(m.type_mandatory);
	assert_string_equal(l2tp_message_name(m.type), "unknown");
	assert_int_equal(read_body(optional, sizeof(optional), NULL, &m, &f), 0);
	assert_int_equal(m.type, 13);
	assert_false(m.type_mandatory);
}

/* proves: HS-L2TP-3 partial */
static void refuses_malformed_bodies(void **state)
{
	const struct {
		const char *name;
		const uint8_t *data;
		size_t len;
		uint16_t error;
		const char *text;
	} bad[] = {
		{"half an AVP header", BYTES(0x80, 0x08, 0), L2TP_ERROR_LENGTH, "Message Type: truncated"},
		{"Message Type not first", BYTES(VERSION, TYPE(1)), L2TP_ERROR_VALUE,
			"the first AVP is not Message Type"},
		{"Message Type of a vendor", BYTES(0x80, 0x08, 0, 1, 0, 0, 0, 1), L2TP_ERROR_VALUE,
			"the first AVP is not Message Type"},
		{"Message Type hidden", BYTES(0xc0, 0x08, 0, 0, 0, 0, 0, 1), L2TP_ERROR_VALUE,
			"the first AVP is not Message Type"},
		{"Message Type too long", BYTES(0x80, 0x09, 0, 0, 0, 0, 0, 1, 0), L2TP_ERROR_LENGTH,
			"AVP 0 (Message Type): wrong length"},
		{"Message Type 0", BYTES(TYPE(0)), L2TP_ERROR_VALUE,
			"AVP 0 (Message Type): type 0 is reserved"},
		{"AVP length 0", BYTES(SCCRQ, 0x80, 0x00, 0, 0, 0, 11), L2TP_ERROR_LENGTH,
			"SCCRQ: AVP list is AVP shorter than its header"},
		{"AVP length 5", BYTES(SCCRQ, 0x80, 0x05, 0, 0, 0), L2TP_ERROR_LENGTH,
			"SCCRQ: AVP list is AVP shorter than its header"},
		{"AVP beyond the message", BYTES(SCCRQ, 0x80, 0x0a, 0, 0, 0, 11, 1, 2, 3), L2TP_ERROR_LENGTH,
			"SCCRQ: AVP list is truncated"},
		{"AVP length 1023 of 6", BYTES(SCCRQ, 0x83, 0xff, 0, 0, 0, 11), L2TP_ERROR_LENGTH,
			"SCCRQ: AVP list is truncated"},
		{"one byte of an AVP", BYTES(SCCRQ, 0x80), L2TP_ERROR_LENGTH, "SCCRQ: AVP list is truncated"},
		{"Assigned Tunnel ID of one byte",
			BYTES(TYPE(1), VERSION, HOST, FRAMING, 0x80, 0x07, 0, 0, 0, 9, 1), L2TP_ERROR_LENGTH,
			"AVP 9 (Assigned Tunnel ID) in SCCRQ: wrong length"},
		{"Assigned Tunnel ID zero", BYTES(TYPE(1), VERSION, HOST, FRAMING, TUNNEL(0, 0)),
			L2TP_ERROR_VALUE, "AVP 9 (Assigned Tunnel ID) in SCCRQ: zero"},
		{"no Assigned Tunnel ID", BYTES(TYPE(1), VERSION, HOST, FRAMING), L2TP_ERROR_VALUE,
			"SCCRQ lacks AVP 9 (Assigned Tunnel ID)"},
		{"no Protocol Version", BYTES(TYPE(1), HOST, FRAMING, TUNNEL(0, 1)), L2TP_ERROR_VALUE,
			"SCCRQ lacks AVP 2 (Protocol Version)"},
		{"no Host Name", BYTES(TYPE(2), VERSION, FRAMING, TUNNEL(0, 1)), L2TP_ERROR_VALUE,
			"SCCRP lacks AVP 7 (Host Name)"},
		{"empty Host Name", BYTES(TYPE(1), VERSION, 0x80, 6, 0, 0, 0, 7, FRAMING, TUNNEL(0, 1)),
			L2TP_ERROR_LENGTH, "AVP 7 (Host Name) in SCCRQ: wrong length"},
		{"hidden Host Name",
			BYTES(TYPE(1), VERSION, VECTOR, 0xc0, 8, 0, 0, 0, 7, 1, 2, FRAMING, TUNNEL(0, 1)),
			L2TP_ERROR_VALUE, "AVP 7 (Host Name) in SCCRQ: must not be hidden"},
		{"window zero", BYTES(SCCRQ, 0x80, 0x08, 0, 0, 0, 10, 0, 0), L2TP_ERROR_VALUE,
			"AVP 10 (Receive Window Size) in SCCRQ: zero"},
		{"empty challenge", BYTES(SCCRQ, 0x80, 0x06, 0, 0, 0, 11), L2TP_ERROR_LENGTH,
			"AVP 11 (Challenge) in SCCRQ: wrong length"},
		{"response of 15 bytes",
			BYTES(TYPE(3), 0x80, 0x15, 0, 0, 0, 13, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
				14),
			L2TP_ERROR_LENGTH, "AVP 13 (Challenge Response) in SCCCN: wrong length"},
		{"result code of 3 bytes", BYTES(TYPE(4), TUNNEL(0, 1), 0x80, 0x09, 0, 0, 0, 1, 0, 1, 0),
			L2TP_ERROR_LENGTH, "AVP 1 (Result Code) in StopCCN: wrong length"},
		{"unknown mandatory AVP", BYTES(SCCRQ, 0x80, 0x08, 0, 0, 0, 99, 0, 0), L2TP_ERROR_MANDATORY,
			"unknown mandatory AVP 99 of vendor 0 in SCCRQ"},
		{"unassigned AVP 20", BYTES(SCCRQ, 0x80, 0x06, 0, 0, 0, 20), L2TP_ERROR_MANDATORY,
			"unknown mandatory AVP 20 of vendor 0 in SCCRQ"},
		{"mandatory AVP of a vendor", BYTES(SCCRQ, 0x80, 0x08, 0, 9, 0, 9, 0, 1),
			L2TP_ERROR_MANDATORY, "unknown mandatory AVP 9 of vendor 9 in SCCRQ"},
		{"reserved bit", BYTES(SCCRQ, 0xa0, 0x08, 0, 0, 0, 10, 0, 4), L2TP_ERROR_MANDATORY,
			"unknown mandatory AVP 10 of vendor 0 in SCCRQ (reserved bits set)"},
		{"no Assigned Session ID", BYTES(TYPE(10), 0x80, 0x0a, 0, 0, 0, 15, 0, 0, 0, 1),
			L2TP_ERROR_VALUE, "ICRQ lacks AVP 14 (Assigned Session ID)"},
		{"Assigned Session ID zero", BYTES(TYPE(11), 0x80, 0x08, 0, 0, 0, 14, 0, 0), L2TP_ERROR_VALUE,
			"AVP 14 (Assigned Session ID) in ICRP: zero"},
		{"no Framing Type", BYTES(TYPE(12), 0x80, 0x0a, 0, 0, 0, 24, 0, 0, 0, 1), L2TP_ERROR_VALUE,
			"ICCN lacks AVP 19 (Framing Type)"},
		{"no Result Code", BYTES(TYPE(14), 0x80, 0x08, 0, 0, 0, 14, 0, 1), L2TP_ERROR_VALUE,
			"CDN lacks AVP 1 (Result Code)"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct l2tp_message m;
		struct l2tp_fault f;

		if (read_body(bad[i].data, bad[i].len, NULL, &m, &f) != -EBADMSG)
			fail_msg("%s was accepted", bad[i].name);
		assert_string_equal(f.text, bad[i].text);
		assert_int_equal(f.result, L2TP_STOP_ERROR);
		assert_int_equal(f.error, bad[i].error);
	}
}

static void a_refused_message_still_tells_its_ids(void **state)
{
	static const uint8_t body[] = {
		TYPE(1), 0x80, 0x06, 0, 0, 0, 99, VERSION, HOST, FRAMING, TUNNEL(0x12, 0x67)};
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(body, sizeof(body), NULL, &m, &f), -EBADMSG);
	assert_int_equal(m.type, L2TP_SCCRQ);
	assert_int_equal(m.assigned_tunnel, 4711);
}

/* ---- hiding, section 4.3; the ciphertexts were made with another implementation ---- */

static const uint8_t hidden_sccrq[] = {TYPE(1), VERSION, HOST, FRAMING, VECTOR, 0xc0, 0x0a, 0, 0, 0, 9, 0x16,
	0x98, 0x52, 0x18, 0x40, 0x40, 0, 0, 0, 8, 0x78, 0xfd, 0xd0, 0xf0, 0xf4, 0xdd, 0x3f, 0x4f, 0xb1, 0x04,
	0xa7, 0xa1, 0xc2, 0x5b, 0xf3, 0xc9, 0xcf, 0xdc, 0xa5, 0x34, 0xa2, 0x8a, 0x57, 0xc1, 0x42, 0xa3, 0xfb,
	0x97, 0xce, 0xa0, 0xf4, 0x1f, 0xf8, 0x87, 0xb1, 0xbe, 0x6a, 0x71, 0xe2, 0xac, 0x26, 0x39, 0xdf, 0xdf,
	0x7f, 0xd8, 0x5e, 0x85, 0x60, 0x52, 0x03, 0x9f, 0x85, 0xc2, 0x62, 0xce, 0x89, 0x19};

static void reveals_hidden_avps(void **state)
{
	static const char vendor[] = "a vendor name that is longer than two blocks of MD5";
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(hidden_sccrq, sizeof(hidden_sccrq), "sesame", &m, &f), 0);
	assert_int_equal(m.assigned_tunnel, 0x1234);
	assert_int_equal(m.vendor_name.len, sizeof(vendor) - 1);
	assert_memory_equal(m.vendor_name.data, vendor, sizeof(vendor) - 1);
}

static void refuses_hidden_avps_that_cannot_be_revealed(void **state)
{
	static const uint8_t early[] = {
		TYPE(1), VERSION, HOST, FRAMING, 0xc0, 0x0a, 0, 0, 0, 9, 0x16, 0x98, 0x52, 0x18, VECTOR};
	static const uint8_t lying[] = {
		TYPE(1), VERSION, HOST, FRAMING, VECTOR, 0xc0, 0x0a, 0, 0, 0, 9, 0xe9, 0x65, 0x52, 0x18};
	static const uint8_t tiny[] = {TYPE(1), VERSION, HOST, FRAMING, VECTOR, 0xc0, 0x07, 0, 0, 0, 9, 0x16};
	struct l2tp_message m;
	struct l2tp_fault f;

	assert_int_equal(read_body(hidden_sccrq, sizeof(hidden_sccrq), NULL, &m, &f), -EBADMSG);
	assert_string_equal(f.text, "AVP 9 (Assigned Tunnel ID) in SCCRQ: hidden, but no secret is shared");
	assert_int_equal(read_body(hidden_sccrq, sizeof(hidden_sccrq), "wrong", &m, &f), -EBADMSG);
	assert_int_equal(read_body(early, sizeof(early), "sesame", &m, &f), -EBADMSG);
	assert_string_equal(
		f.text, "AVP 9 (Assigned Tunnel ID) in SCCRQ: hidden, but no Random Vector precedes");
	assert_int_equal(read_body(lying, sizeof(lying), "sesame", &m, &f), -EBADMSG);
	assert_string_equal(f.text, "AVP 9 (Assigned Tunnel ID) in SCCRQ: hidden, and its inner length is "
				    "wrong (another secret?)");
	assert_int_equal(read_body(tiny, sizeof(tiny), "sesame", &m, &f), -EBADMSG);
	assert_string_equal(
		f.text, "AVP 9 (Assigned Tunnel ID) in SCCRQ: hidden, but too short for its length");
}

static void more_hidden_text_than_a_packet_holds_is_refused(void **state)
{
	uint8_t body[3000];
	struct writer w = writer_of(body, sizeof(body));
	struct l2tp_message m;
	struct l2tp_fault f;

	avp_write_u16(&w, AVP_MESSAGE_TYPE, L2TP_SCCRQ);
	avp_write_bytes(&w, AVP_RANDOM_VECTOR, challenge, 16);
	for (int i = 0; i < 3; i++) {
		writer_u16(&w, AVP_M | AVP_H | 700);
		writer_u16(&w, 0);
		writer_u16(&w, AVP_VENDOR_NAME);
		writer_zeros(&w, 694);
	}
	assert_int_equal(read_body(body, writer_len(&w), "sesame", &m, &f), -EBADMSG);
}

/* ---- printing ---- */

static void prints_a_packet_without_its_secrets(void **state)
{
	struct message_hello m = {.host_name = "alice@si.example",
		.vendor_name = "soft wire",
		.firmware = 256,
		.window = 4,
		.assigned_tunnel = 4711,
		.framing_async = true,
		.challenge = {challenge, 16}};
	struct writer w = fresh();
	char line[400];

	message_write_sccrq(&w, &m);
	l2tp_packet_print(packet, writer_len(&w), line, sizeof(line));
	assert_string_equal(line, "SCCRQ tunnel=0 session=0 ns=0 nr=0 version=1.0 host=alice@si.example "
				  "framing=3 assigned-tunnel=4711 "
				  "window=4 challenge=(16 bytes) firmware=256 vendor=\"soft wire\"");
	w = fresh();
	message_write_zlb(&w, 9, 3, 4);
	l2tp_packet_print(packet, writer_len(&w), line, sizeof(line));
	assert_string_equal(line, "ZLB tunnel=9 session=0 ns=3 nr=4");
	w = fresh();
	message_write_stopccn(&w, 1, 2, 2, 6, "a\"b\n tunnel=9");
	l2tp_packet_print(packet, writer_len(&w), line, sizeof(line));
	assert_string_equal(line, "StopCCN tunnel=1 session=0 ns=0 nr=0 assigned-tunnel=2 result=2 error=6 "
				  "message=\"a'b? tunnel=9\"");
	l2tp_packet_print(packet, 5, line, sizeof(line));
	assert_string_equal(line, "malformed: truncated (5 bytes)");
}

static void prints_strange_packets(void **state)
{
	static const uint8_t strange[] = {0xc8, 0x02, 0, 48, 0, 1, 0, 0, 0, 0, 0, 0, TYPE(77), 0xc0, 0x08, 0,
		0, 0, 9, 1, 2, 0x80, 0x07, 0, 9, 0, 9, 1, 0x80, 0x07, 0, 0, 0, 9, 1, 0x80, 0x10, 0, 0, 0, 9};
	static const uint8_t data[] = {0x00, 0x02, 0, 1, 0, 2, 0xff, 0x03};
	char line[200], tiny[8];

	l2tp_packet_print(strange, sizeof(strange), line, sizeof(line));
	assert_string_equal(line,
		"message-77 tunnel=1 session=0 ns=0 nr=0 assigned-tunnel=(hidden, 2 bytes) avp-9-9=(1 bytes, "
		"mandatory) assigned-tunnel=(malformed, 1 bytes) malformed: truncated");
	l2tp_packet_print(data, sizeof(data), line, sizeof(line));
	assert_string_equal(line, "data tunnel=1 session=2 (2 bytes)");
	l2tp_packet_print(data, sizeof(data), tiny, sizeof(tiny));
	assert_string_equal(tiny, "data tu");
}

static void names_codes(void **state)
{
	assert_string_equal(l2tp_message_name(L2TP_STOPCCN), "StopCCN");
	assert_string_equal(l2tp_message_name((enum l2tp_message_type)5), "unknown");
	assert_string_equal(l2tp_avp_name(9), "Assigned Tunnel ID");
	assert_string_equal(l2tp_avp_name(20), "unknown");
	assert_string_equal(l2tp_avp_name(65535), "unknown");
	assert_string_equal(l2tp_stop_result_name(4), "not authorized");
	assert_string_equal(l2tp_stop_result_name(0), "unknown");
	assert_string_equal(l2tp_cdn_result_name(10), "not established in time");
	assert_string_equal(l2tp_error_name(8), "unknown mandatory AVP");
	assert_string_equal(l2tp_error_name(9), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sccrq_is_what_figure_11_wants),
		cmocka_unit_test(sccrp_is_what_figure_11_wants),
		cmocka_unit_test(scccn_carries_a_response_when_there_is_one),
		cmocka_unit_test(stopccn_names_id_and_result),
		cmocka_unit_test(hello_and_zlb_are_bare),
		cmocka_unit_test(session_messages_are_what_figure_12_wants),
		cmocka_unit_test(reads_every_field_of_an_sccrq),
		cmocka_unit_test(an_empty_body_is_a_zlb),
		cmocka_unit_test(absent_window_means_four),
		cmocka_unit_test(reads_result_error_and_text),
		cmocka_unit_test(ignores_irrelevant_avps_even_with_the_m_bit),
		cmocka_unit_test(the_first_of_two_counts),
		cmocka_unit_test(a_malformed_optional_avp_is_as_good_as_absent),
		cmocka_unit_test(tells_unknown_types_by_their_m_bit),
		cmocka_unit_test(refuses_malformed_bodies),
		cmocka_unit_test(a_refused_message_still_tells_its_ids),
		cmocka_unit_test(reveals_hidden_avps),
		cmocka_unit_test(refuses_hidden_avps_that_cannot_be_revealed),
		cmocka_unit_test(more_hidden_text_than_a_packet_holds_is_refused),
		cmocka_unit_test(prints_a_packet_without_its_secrets),
		cmocka_unit_test(prints_strange_packets),
		cmocka_unit_test(names_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format of EAP packets. */
#include "pair.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void reads_packets(void **state)
{
	static const uint8_t request[] = {1, 7, 0, 7, 4, 0xaa, 0xbb, 0xcc /* padding */};
	struct eap_packet p;

	assert_null(eap_packet_read(request, sizeof(request), &p));
	assert_int_equal(p.code, EAP_REQUEST);
	assert_int_equal(p.id, 7);
	assert_int_equal(p.type, EAP_MD5);
	assert_int_equal(reader_left(&p.data), 2);
	assert_int_equal(reader_u16(&p.data), 0xaabb);
	assert_null(eap_packet_read(BYTES(3, 9, 0, 4), &p));
	assert_int_equal(p.code, EAP_SUCCESS);
	assert_int_equal(p.id, 9);
	assert_null(eap_packet_read(BYTES(4, 9, 0, 4, 1, 2, 3), &p));
	assert_int_equal(p.code, EAP_FAILURE);
	assert_null(eap_packet_read(BYTES(2, 0, 0, 5, 1), &p));
	assert_int_equal(p.type, EAP_IDENTITY);
	assert_int_equal(reader_left(&p.data), 0);
}

static const struct bad {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	const char *why;
} bad[] = {
	{"nothing", NULL, 0, "shorter than an EAP header"},
	{"a code", BYTES(1), "shorter than an EAP header"},
	{"half a length", BYTES(1, 2, 0), "shorter than an EAP header"},
	{"length 0", BYTES(1, 2, 0, 0, 1), "the length is less than that of an EAP header"},
	{"length 3", BYTES(3, 2, 0, 3), "the length is less than that of an EAP header"},
	{"more length than bytes", BYTES(1, 2, 0, 6, 1), "the length is more than has come"},
	{"most length", BYTES(2, 2, 0xff, 0xff, 1), "the length is more than has come"},
	{"a request without a type", BYTES(1, 2, 0, 4), "a request or response without a type"},
	{"a response without a type, padded", BYTES(2, 2, 0, 4, 1), "a request or response without a type"},
	{"code 0", BYTES(0, 2, 0, 5, 1), "an unknown code"},
	{"code 5", BYTES(5, 2, 0, 5, 1), "an unknown code"},
	{"Success with data", BYTES(3, 2, 0, 5, 1), "Success or Failure with data"},
	{"Failure with data", BYTES(4, 2, 0, 6, 1, 2), "Success or Failure with data"},
};

static void says_what_is_wrong_with_a_packet(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct eap_packet p = {.code = 77};
		uint8_t *exact = malloc(bad[i].len ? bad[i].len : 1);
		const char *why;

		if (bad[i].len)
			memcpy(exact, bad[i].bytes, bad[i].len);
		why = eap_packet_read(exact, bad[i].len, &p);
		free(exact);
		if (!why || strcmp(why, bad[i].why) != 0)
			fail_msg("%s: \"%s\"", bad[i].name, why ? why : "good");
		assert_int_equal(p.code, 77);
	}
}

static void writes_packets(void **state)
{
	struct eap_reply r;
	struct writer w = eap_reply_begin(&r, EAP_RESPONSE, 3, EAP_NAK);

	writer_u8(&w, EAP_TLS);
	eap_reply_finish(&r, &w);
	assert_int_equal(r.len, 6);
	assert_memory_equal(r.packet, ((uint8_t[]){2, 3, 0, 6, 3, 13}), 6);
	writer_zeros(&w, EAP_PACKET_MAX - 6);
	eap_reply_finish(&r, &w);
	assert_int_equal(r.len, EAP_PACKET_MAX);
	writer_u8(&w, 0);
	eap_reply_finish(&r, &w);
	assert_int_equal(r.len, 0);
}

static void prints_what_others_say(void **state)
{
	char text[6] = "xxxxx";

	eap_printable(reader_of("a\n\xc3\x7f"
				"bcd",
			      7),
		text, sizeof(text));
	assert_string_equal(text, "a???b");
	eap_printable(reader_of(NULL, 0), text, sizeof(text));
	assert_string_equal(text, "");
	assert_string_equal(eap_method_name(EAP_TLS), "TLS");
	assert_string_equal(eap_method_name(EAP_MD5), "MD5-Challenge");
	assert_string_equal(eap_method_name(EAP_IDENTITY), "Identity");
	assert_string_equal(eap_method_name(EAP_NOTIFICATION), "Notification");
	assert_string_equal(eap_method_name(EAP_NAK), "Nak");
	assert_string_equal(eap_method_name(254), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_packets),
		cmocka_unit_test(says_what_is_wrong_with_a_packet),
		cmocka_unit_test(writes_packets),
		cmocka_unit_test(prints_what_others_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

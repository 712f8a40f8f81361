/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgp/error.c: what goes to the peer fits, and every code has its name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/message.h"

static void codes_and_subcodes_have_the_names_of_their_rfcs(void **state)
{
	static const struct {
		uint8_t code, subcode;
		const char *name;
	} rows[] = {
		{1, 1, "Message Header Error/Connection Not Synchronized"},
		{1, 3, "Message Header Error/Bad Message Type"},
		{2, 0, "OPEN Message Error"},
		{2, 2, "OPEN Message Error/Bad Peer AS"},
		{2, 5, "OPEN Message Error/subcode 5"}, /* deprecated */
		{2, 7, "OPEN Message Error/Unsupported Capability"},
		{2, 11, "OPEN Message Error/Role Mismatch"},
		{3, 2, "UPDATE Message Error/Unrecognized Well-known Attribute"},
		{3, 11, "UPDATE Message Error/Malformed AS_PATH"},
		{3, 12, "UPDATE Message Error/subcode 12"},
		{4, 0, "Hold Timer Expired"},
		{4, 1, "Hold Timer Expired/subcode 1"},
		{5, 2, "Finite State Machine Error/Unexpected Message in OpenConfirm"},
		{6, 1, "Cease/Maximum Number of Prefixes Reached"},
		{6, 2, "Cease/Administrative Shutdown"},
		{6, 9, "Cease/Hard Reset"},
		{6, 10, "Cease/BFD Down"},
		{6, 255, "Cease/subcode 255"},
		{7, 1, "ROUTE-REFRESH Message Error/Invalid Message Length"},
		{8, 0, "Send Hold Timer Expired"},
		{0, 0, "code 0/0"},
		{9, 3, "code 9/3"},
		{255, 255, "code 255/255"},
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(bgp_error_name(rows[i].code, rows[i].subcode, buf), rows[i].name);
}

static void every_name_fits(void **state)
{
	char buf[64];

	for (unsigned code = 0; code < 256; code++)
		for (unsigned subcode = 0; subcode < 256; subcode++)
			assert_true(strlen(bgp_error_name((uint8_t)code, (uint8_t)subcode, buf)) <
				    sizeof(buf) - 1);
}

static void an_error_is_set_whole_and_cut_to_fit(void **state)
{
	uint8_t data[BGP_ERROR_DATA + 10];
	char words[BGP_ERROR_TEXT + 10];
	struct bgp_error e = {.data_len = 3, .data = {1, 2, 3}};

	assert_int_equal(bgp_error_set(&e, 2, 6, NULL, 0, "hold time %u s", 2u), -EPROTO);
	assert_int_equal(e.code, 2);
	assert_int_equal(e.subcode, 6);
	assert_int_equal(e.data_len, 0);
	assert_string_equal(e.reason, "hold time 2 s");

	memset(data, 7, sizeof(data));
	memset(words, 'x', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	bgp_error_set(&e, 3, 1, data, sizeof(data), "%s", words);
	assert_int_equal(e.data_len, BGP_ERROR_DATA);
	assert_memory_equal(e.data, data, BGP_ERROR_DATA);
	assert_int_equal(strlen(e.reason), BGP_ERROR_TEXT - 1);
}

static void nobody_has_to_listen(void **state)
{
	assert_int_equal(bgp_error_set(NULL, 6, 2, NULL, 0, "nothing"), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_and_subcodes_have_the_names_of_their_rfcs),
		cmocka_unit_test(every_name_fits),
		cmocka_unit_test(an_error_is_set_whole_and_cut_to_fit),
		cmocka_unit_test(nobody_has_to_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

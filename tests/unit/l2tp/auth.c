/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tunnel authentication's arithmetic; the digests were made with another implementation of MD5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "l2tp/auth.h"

static const uint8_t bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const struct l2tp_text secret = {(const uint8_t *)"sesame", 6}, challenge = {bytes, 16}, none = {0};

/* proves: HS-L2TP-24 partial */
static void responses_depend_on_the_message(void **state)
{
	static const uint8_t of_sccrp[] = {0x0c, 0x33, 0x53, 0x6d, 0xf9, 0xc4, 0x6b, 0x91, 0x6d, 0xf7, 0x1f,
		0x58, 0xd2, 0x11, 0xc9, 0x97};
	static const uint8_t of_scccn[] = {0xf6, 0x97, 0x7e, 0x05, 0xfb, 0x55, 0x41, 0x96, 0x85, 0x8d, 0xa3,
		0x90, 0x54, 0xda, 0x01, 0xc0};
	uint8_t response[AUTH_DIGEST];

	assert_true(auth_response(response, L2TP_SCCRP, &secret, &challenge));
	assert_memory_equal(response, of_sccrp, sizeof(of_sccrp));
	assert_true(auth_response(response, L2TP_SCCCN, &secret, &challenge));
	assert_memory_equal(response, of_scccn, sizeof(of_scccn));
	assert_true(auth_verify(of_sccrp, L2TP_SCCRP, &secret, &challenge));
	assert_false(auth_verify(of_sccrp, L2TP_SCCCN, &secret, &challenge));
	assert_false(auth_verify(of_sccrp, L2TP_SCCRP, &none, &challenge));
}

static void refuses_more_than_its_buffer_holds(void **state)
{
	static const uint8_t much[2000];
	struct l2tp_text large = {much, sizeof(much)};
	uint8_t digest[AUTH_DIGEST];

	assert_false(auth_digest(digest, &large, &none, &none));
	assert_false(auth_verify(bytes, L2TP_SCCRP, &large, &challenge));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses_depend_on_the_message),
		cmocka_unit_test(refuses_more_than_its_buffer_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

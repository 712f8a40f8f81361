/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions begin, live and end as RFC 4271 section 8 has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire.h"

static void two_speakers_establish_a_session(void **state)
{
	struct wire w;
	struct wire_node *a, *b;

	(void)state;
	wire_init(&w, 1);
	a = wire_speaker(&w, 65000, 1);
	b = wire_speaker(&w, 65000, 2);
	wire_meet(a, b, NULL);
	wire_run(&w, 1000);
	assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
	assert_int_equal(wire_state(b, a), BGP_ESTABLISHED);
	wire_run(&w, 3600000);
	assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
	assert_int_equal(wire_neighbor(a, b)->established, 1);
	wire_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_speakers_establish_a_session),
	};

	return cmocka_run_group_tests_name("bgp session", tests, NULL, NULL);
}

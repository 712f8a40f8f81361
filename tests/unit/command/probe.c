/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last sentence of a report. (The steps themselves: the lab.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/probe.h"

static const struct target alice = {.user = "alice", .host = "sc.example.net"}, nobody = {.host = "sc.example.net"};

static struct trial_result result(const char *address, const char *step, const char *sentence)
{
	struct trial_result r = {.tested = true, .failed = step != NULL, .step = step};

	assert_int_equal(endpoint_parse(address, 1701, &r.server), 0);
	snprintf(r.sentence, sizeof(r.sentence), "%s", sentence);
	return r;
}

static void all_is_well(void **state)
{
	struct trial_result r[2] = {result("192.0.2.1", NULL, ""), result("2001:db8::1", NULL, "")};
	char text[800];

	assert_true(probe_verdict(&alice, r, 2, text, sizeof(text)));
	assert_string_equal(text, "All is well.");
	r[1].tested = false; /* there is no IPv6 here, and it is not needed */
	assert_true(probe_verdict(&nobody, r, 2, text, sizeof(text)));
	assert_string_equal(text, "All is well, up to the tunnel. Authentication was not tested: with USER@ it is, and all behind it.");
}

static void the_first_failure_is_told(void **state)
{
	struct trial_result r[2] = {result("192.0.2.1", "auth", "wrong user name or password"), result("2001:db8::1", "auth", "the same")};
	char text[800];

	assert_false(probe_verdict(&alice, r, 2, text, sizeof(text)));
	assert_string_equal(text, "It fails at the step \"auth\" over IPv4 (192.0.2.1): wrong user name or password.");
}

static void one_way_may_work_and_the_other_not(void **state)
{
	struct trial_result r[2] = {result("2001:db8::1", "reach", "nobody there: is that right?"), result("192.0.2.1", NULL, "")};
	char text[800];

	assert_false(probe_verdict(&alice, r, 2, text, sizeof(text)));
	assert_string_equal(text, "It works over IPv4 (192.0.2.1), but not over IPv6 (2001:db8::1): it fails at the step \"reach\": "
				  "nobody there: is that right?");
}

static void nowhere_to_go(void **state)
{
	struct trial_result r[2] = {result("192.0.2.1", NULL, ""), result("2001:db8::1", NULL, "")};
	char text[800];

	r[0].tested = r[1].tested = false;
	assert_false(probe_verdict(&alice, r, 2, text, sizeof(text)));
	assert_string_equal(text, "This host has no way to any address of sc.example.net: is its network up?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(the_first_failure_is_told),
		cmocka_unit_test(one_way_may_work_and_the_other_not),
		cmocka_unit_test(nowhere_to_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

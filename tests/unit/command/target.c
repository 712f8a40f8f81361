/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom to connect to, as people write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/connect.h"

static const struct option_number no_port;

/* proves: PS-21 partial */
static void names_and_addresses_are_servers(void **state)
{
	static const struct {
		const char *text, *user, *server;
		bool literal;
	} rows[] = {
		{"alice@sc.example.net", "alice", "sc.example.net:1701", false},
		{"sc.example.net", "", "sc.example.net:1701", false},
		{"alice@sc.example.net:1702", "alice", "sc.example.net:1702", false},
		{"alice@isp.example@sc.example.net", "alice@isp.example", "sc.example.net:1701", false},
		{"alice@192.0.2.1", "alice", "192.0.2.1:1701", true},
		{"alice@192.0.2.1:99", "alice", "192.0.2.1:99", true},
		{"alice@2001:db8::1", "alice", "[2001:db8::1]:1701", true},
		{"alice@[2001:db8::1]", "alice", "[2001:db8::1]:1701", true},
		{"alice@[2001:db8::1]:99", "alice", "[2001:db8::1]:99", true},
		{"[2001:db8::1]:1701", "", "[2001:db8::1]:1701", true},
		{"al ice:x@sc_1.example.", "al ice:x", "sc_1.example.:1701", false},
		{"j\xc3\xbcrgen@sc", "j\xc3\xbcrgen", "sc:1701", false},
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++) {
		struct target t;
		char why[160] = "", server[300];

		if (!target_parse(rows[n].text, &no_port, &t, why))
			fail_msg("%s: %s", rows[n].text, why);
		assert_string_equal(t.user, rows[n].user);
		assert_string_equal(target_server(&t, server), rows[n].server);
		assert_int_equal(t.literal, rows[n].literal);
	}
}

static void what_is_no_server_is_refused_with_a_reason(void **state)
{
	char long_name[400];
	const char *const rows[][2] = {
		{"", "neither a name"},
		{"alice@", "neither a name"},
		{"@sc.example.net", "no user name"},
		{"alice@sc..example.net", "neither a name"},
		{"alice@.example.net", "neither a name"},
		{"alice@sc example.net", "neither a name"},
		{"alice@sc.example.net:", "no port"},
		{"alice@sc.example.net:0", "no port"},
		{"alice@sc.example.net:65536", "no port"},
		{"alice@sc.example.net:17a", "no port"},
		{"alice@sc.example.net:-1", "no port"},
		{"alice@2001:db8::1::2", "no port"},
		{"alice@[2001:db8::1", "no port"},
		{"alice@[sc.example.net]:1701", "neither a name"},
		{"ali\nce@sc", "control characters"},
		{"alice@j\xc3\xbcrgen", "neither a name"},
		{long_name, "too long"},
	};

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++) {
		struct target t;
		char why[160] = "";

		if (target_parse(rows[n][0], &no_port, &t, why))
			fail_msg("%s was taken", rows[n][0]);
		if (!strstr(why, rows[n][1]))
			fail_msg("%s: %s", rows[n][0], why);
	}
	memcpy(long_name + 300, "@sc", 4);
	{
		struct target t;
		char why[160] = "";

		assert_false(target_parse(long_name, &no_port, &t, why));
		assert_non_null(strstr(why, "user name is too long"));
	}
}

static void the_port_may_come_from_an_option(void **state)
{
	struct option_number port = {.given = true, .value = 1702};
	struct target t;
	char why[160] = "", server[300];

	assert_true(target_parse("alice@sc", &port, &t, why));
	assert_string_equal(target_server(&t, server), "sc:1702");
	assert_true(target_parse("alice@sc:1702", &port, &t, why));
	assert_false(target_parse("alice@sc:1703", &port, &t, why));
	assert_non_null(strstr(why, "two ports"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_addresses_are_servers),
		cmocka_unit_test(what_is_no_server_is_refused_with_a_reason),
		cmocka_unit_test(the_port_may_come_from_an_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

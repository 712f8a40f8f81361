/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From options and routes to families, routes and a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/connect.h"

static const struct native_route none, eth0 = {.present = true, .device = "eth0", .metric = 100}, first = {.present = true, .device = "eth0"};

static void families_and_routes(void **state)
{
	static const struct {
		struct connect_options o;
		const struct native_route *six, *four;
		bool ipv6, ipv4, route6, route4, note;
	} rows[] = {
		/* what is missing */
		{{0}, &none, &eth0, true, false, true, false, false},
		{{0}, &eth0, &none, false, true, false, true, false},
		{{0}, &none, &none, true, true, true, true, false},
		/* nothing is: IPv6, and the host's own route stays */
		{{0}, &eth0, &eth0, true, false, false, false, true},
		{{.route = true}, &eth0, &eth0, true, false, true, false, false},
		/* what was asked for */
		{{.ipv6 = true, .ipv4 = true}, &none, &eth0, true, true, true, false, true},
		{{.ipv6 = true, .ipv4 = true, .route = true}, &none, &eth0, true, true, true, true, false},
		{{.ipv4 = true}, &none, &eth0, false, true, false, false, true},
		{{.ipv4 = true, .no_route = true}, &none, &none, false, true, false, false, false},
		{{.no_route = true}, &eth0, &none, false, true, false, false, false},
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++) {
		struct native native = {.ipv6 = *rows[n].six, .ipv4 = *rows[n].four};
		struct plan p = {0};
		char why[256] = "";

		if (!plan_families(&rows[n].o, &native, &p, why))
			fail_msg("%zu: %s", n, why);
		if (p.ipv6 != rows[n].ipv6 || p.ipv4 != rows[n].ipv4 || p.route6 != rows[n].route6 || p.route4 != rows[n].route4)
			fail_msg("%zu: %d %d %d %d", n, p.ipv6, p.ipv4, p.route6, p.route4);
		if ((*p.note != '\0') != rows[n].note)
			fail_msg("%zu: %s", n, p.note);
	}
}

static void routes_that_cannot_be_had(void **state)
{
	struct connect_options both = {.route = true, .no_route = true}, taken = {.ipv4 = true, .route = true};
	struct native native = {.ipv4 = first};
	struct plan p = {0};
	char why[256] = "";

	assert_false(plan_families(&both, &native, &p, why));
	assert_non_null(strstr(why, "which of them"));
	assert_false(plan_families(&taken, &native, &p, why));
	assert_non_null(strstr(why, "by eth0 has metric 0"));
}

static struct config *configure(const struct connect_options *o, const char *server, const struct plan *p)
{
	struct config *c = calloc(1, sizeof(*c));
	struct option_number none_given = {0};
	struct target t;
	char why[256] = "";

	assert_non_null(c);
	assert_true(target_parse(server, &none_given, &t, why));
	if (!plan_config(o, &t, p, c, why))
		fail_msg("%s", why);
	return c;
}

static void a_configuration_follows(void **state)
{
	struct connect_options o = {.no_dns = true, .mtu = {true, 1400}, .lan = {2, {"eth1", "eth2"}}};
	struct plan p = {.name = "c-0001", .password = "/proc/self/fd/7", .ipv6 = true, .ipv4 = true, .route6 = true};
	struct config *c = configure(&o, "al\"i\\ce@isp@[2001:db8::1]:1702", &p);
	const struct initiator_config *i = &c->initiators[0];

	assert_int_equal(c->initiator_count, 1);
	assert_string_equal(i->name, "c-0001");
	assert_string_equal(i->user, "al\"i\\ce@isp");
	assert_string_equal(i->password_path, "/proc/self/fd/7");
	assert_true(i->ipv6 && i->ipv4 && i->default_route && !i->native6 && i->native4);
	assert_int_equal(i->mtu, 1400);
	assert_int_equal(i->lan_count, 2);
	assert_true(i->want_prefix && i->want_subnet);
	assert_string_equal(i->dns, "none");
	assert_string_equal(i->state_path, "/var/lib/softwired/connect-al_i_ce@isp@2001_db8__1.json");
	assert_int_equal(i->metric, 1024);
	assert_false(i->trusted_network);
	assert_true(i->allow_unprotected);
	/* Beside a daemon, whose files these would be. */
	assert_string_equal(c->control_socket, "");
	assert_string_equal(c->runtime_directory, "");
	free(c);
}

static void a_plain_one_has_the_daemons_defaults(void **state)
{
	struct connect_options o = {.stateless = true, .trusted = true, .route = true};
	struct plan p = {.name = "c-0001", .ipv6 = true, .route6 = true};
	struct config *c = configure(&o, "sc.example.net", &p);
	const struct initiator_config *i = &c->initiators[0];

	assert_string_equal(i->user, "");
	assert_string_equal(i->password_path, "");
	assert_int_equal(i->hello_ms, 60000);
	assert_int_equal(i->metric, 1);
	assert_string_equal(i->dns, "auto");
	assert_false(i->want_prefix || i->want_subnet || i->ipv4);
	assert_true(i->trusted_network && i->mss_clamp);
	assert_string_equal(i->state_path, "");
	assert_string_equal(c->state_directory, "");
	free(c);
}

static void options_that_cannot_be_are_wrong_usage(void **state)
{
	static const struct {
		struct connect_options o;
		const char *says; /* NULL: fine */
	} rows[] = {
		{{.wait = {true, 3}}, "--wait is for --probe"},
		{{.wait = {true, 3}, .probe = true}, NULL},
		{{.mtu = {true, 10}}, "--mtu 10: it must be 576 to 9216"},
		{{.mtu = {true, 10}, .probe = true}, "--mtu 10: it must be 576 to 9216"},
		{{.mtu = {true, 1279}, .ipv6 = true}, "--mtu 1279: IPv6 needs 1280"},
		{{.mtu = {true, 1280}, .ipv6 = true}, NULL},
		{{.mtu = {true, 576}, .ipv4 = true}, NULL},
		{{.mtu = {true, 0}, .ipv6 = true}, NULL},
		{{.password_file = "/p", .password_fd = {true, 3}}, "which of them?"},
	};
	struct connect_options narrow = {.mtu = {true, 1000}};
	struct native both = {.ipv6.present = true, .ipv4.present = true}, only6 = {.ipv6.present = true};
	struct plan p = {0};
	char why[256];

	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++) {
		assert_int_equal(plan_options(&rows[n].o, why), !rows[n].says);
		if (rows[n].says)
			assert_non_null(strstr(why, rows[n].says));
	}
	/* It depends on the host whether this is for IPv6. */
	assert_true(plan_options(&narrow, why));
	assert_true(plan_families(&narrow, &only6, &p, why));
	assert_false(plan_families(&narrow, &both, &p, why));
	assert_string_equal(why, "--mtu 1000: IPv6 needs 1280 at least");
}

static void rules_of_the_file_hold(void **state)
{
	struct connect_options o = {.mtu = {true, 600}};
	struct plan p = {.name = "c-0001", .ipv6 = true};
	struct config *c = calloc(1, sizeof(*c));
	struct target t = {.host = "sc", .port = 1701};
	char why[256] = "";

	assert_false(plan_config(&o, &t, &p, c, why));
	assert_non_null(strstr(why, "1280"));
	free(c);
}

static void names_fit_a_device(void **state)
{
	struct plan p = {0};

	plan_name(&p);
	assert_int_equal(strlen(p.name), 6);
	assert_memory_equal(p.name, "c-", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_and_routes),
		cmocka_unit_test(routes_that_cannot_be_had),
		cmocka_unit_test(a_configuration_follows),
		cmocka_unit_test(a_plain_one_has_the_daemons_defaults),
		cmocka_unit_test(options_that_cannot_be_are_wrong_usage),
		cmocka_unit_test(rules_of_the_file_hold),
		cmocka_unit_test(names_fit_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

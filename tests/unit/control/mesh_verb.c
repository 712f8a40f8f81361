/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs about the mesh: what they ask the role for, and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/verb.h"
#include "paper.h"

/* The answer's JSON, its list included; "" for one that comes later. */
static const char *ask(struct afbr *a, bool may_change, const char *line, char text[1024])
{
	const struct control_targets targets = {.afbr = a};
	struct answer answer;
	char *json;

	request_handle(&targets, may_change, line, strlen(line), &answer);
	if (answer.list)
		json_object_set_new(answer.object, answer.name, answer.list);
	json = answer.object ? json_dumps(answer.object, JSON_COMPACT) : NULL;
	snprintf(text, 1024, "%s", json ? json : "");
	free(json);
	json_decref(answer.object);
	return text;
}

static void neighbours_are_shown_all_or_one(void **state)
{
	struct afbr a = {0};
	char text[1024];

	assert_string_equal(ask(&a, false, "{\"v\":1,\"do\":\"show bgp neighbors\"}", text),
		"{\"ok\":true,\"speaker\":{\"as\":65000},\"neighbors\":[{\"name\":\"ce1\"}]}");
	assert_true(a.all);
	ask(&a, false, "{\"v\":1,\"do\":\"show bgp neighbors\",\"filter\":\"rr1\"}", text);
	assert_string_equal(a.name, "rr1");
}

static void routes_come_in_pages(void **state)
{
	struct afbr a = {.next = (uint64_t)1 << 32 | 77};
	char text[1024];

	assert_string_equal(
		ask(&a, false,
			"{\"v\":1,\"do\":\"show bgp routes\",\"family\":\"ipv6\",\"received\":\"ce1\","
			"\"within\":\"198.51.100.0/22\",\"limit\":5}",
			text),
		"{\"ok\":true,\"next\":\"1.77\",\"routes\":[{\"prefix\":\"198.51.100.0/24\"}]}");
	assert_int_equal(a.query.family, BGP_IPV6);
	assert_int_equal(a.query.limit, 5);
	assert_int_equal(a.within.len, 22);
	assert_int_equal(a.query.after, 0);
	a.next = 0;
	assert_string_equal(ask(&a, false, "{\"v\":1,\"do\":\"show bgp routes\",\"after\":\"1.77\"}", text),
		"{\"ok\":true,\"next\":null,\"routes\":[{\"prefix\":\"198.51.100.0/24\"}]}");
	assert_true(a.query.after == ((uint64_t)1 << 32 | 77));
	assert_int_equal(a.query.family, BGP_FAMILIES);
	assert_null(a.query.within);
	assert_int_equal(a.query.limit, AFBR_PAGE);
}

static void a_route_is_asked_for_by_address_or_prefix(void **state)
{
	struct afbr a = {0};
	char text[1024];

	ask(&a, false, "{\"v\":1,\"do\":\"show route\",\"to\":\"198.51.100.7\"}", text);
	assert_false(a.exact);
	assert_int_equal(a.route.len, 32);
	ask(&a, false, "{\"v\":1,\"do\":\"show route\",\"to\":\"2001:db8::/32\"}", text);
	assert_true(a.exact);
	assert_int_equal(a.route.len, 32);
	assert_string_equal(text, "{\"ok\":true,\"routes\":[{\"prefix\":\"198.51.100.0/24\"}]}");
	assert_string_equal(ask(&a, false, "{\"v\":1,\"do\":\"show route\",\"to\":\"10.0.0.0/8\"}", text),
		"{\"ok\":false,\"error\":\"10.0.0.0/8: no table has this prefix\"}");
}

#define BYTES_16  "sixteen letters."
#define BYTES_64  BYTES_16 BYTES_16 BYTES_16 BYTES_16
#define BYTES_256 BYTES_64 BYTES_64 BYTES_64 BYTES_64

static void what_makes_no_sense_is_refused_with_what_would(void **state)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{"{\"v\":1,\"do\":\"show bgp routes\",\"family\":\"ipx\"}",
			"\\\"ipx\\\" is no family: it must be one of ipv4, ipv6, ipv4-labeled"},
		{"{\"v\":1,\"do\":\"show bgp routes\",\"within\":\"198.51.100.1/22\"}", "must be a prefix"},
		{"{\"v\":1,\"do\":\"show bgp routes\",\"received\":\"a\",\"advertised\":\"b\"}", "not both"},
		{"{\"v\":1,\"do\":\"show bgp routes\",\"received\":\"nobody\"}",
			"nobody: there is no such neighbor"},
		{"{\"v\":1,\"do\":\"show bgp neighbors\",\"filter\":\"nobody\"}",
			"nobody: there is no such neighbor"},
		{"{\"v\":1,\"do\":\"show bgp routes\",\"after\":\"x\"}", "\\\"next\\\""},
		{"{\"v\":1,\"do\":\"show bgp routes\",\"after\":\"1.2 \"}", "\\\"next\\\""},
		{"{\"v\":1,\"do\":\"show bgp routes\",\"after\":\"1.\"}", "\\\"next\\\""},
		{"{\"v\":1,\"do\":\"show bgp routes\",\"limit\":0}", "from 1 to 10000"},
		{"{\"v\":1,\"do\":\"show bgp routes\",\"limit\":10001}", "from 1 to 10000"},
		{"{\"v\":1,\"do\":\"show bgp attributes\",\"limit\":\"7\"}", "from 1 to 10000"},
		{"{\"v\":1,\"do\":\"show route\"}", "needs \\\"to\\\""},
		{"{\"v\":1,\"do\":\"show route\",\"to\":\"198.51.100.0/33\"}", "must be an address"},
		{"{\"v\":1,\"do\":\"show route\",\"to\":\"ce1\"}", "must be an address"},
		{"{\"v\":1,\"do\":\"trace\",\"name\":\"ce1\"}", "see `mrt`"},
		{"{\"v\":1,\"do\":\"bgp clear\"}", "either"},
		{"{\"v\":1,\"do\":\"bgp clear\",\"all\":true,\"words\":\"" BYTES_256 "\"}",
			"has 256 bytes: it must have at most 255"},
		{"{\"v\":1,\"do\":\"bgp clear\",\"all\":true,\"neighbor\":\"ce1\"}", "either"},
		{"{\"v\":1,\"do\":\"bgp clear\",\"neighbor\":\"nobody\"}",
			"nobody: there is no such neighbor"},
		{"{\"v\":1,\"do\":\"bgp refresh\",\"neighbor\":\"down\"}", "down: it has no session"},
		{"{\"v\":1,\"do\":\"bgp refresh\",\"neighbor\":\"ce1\",\"in\":false}", "must be true"},
	};
	char text[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct afbr a = {0};

		ask(&a, true, cases[i].line, text);
		if (strncmp(text, "{\"ok\":false", 11) != 0 || !strstr(text, cases[i].error))
			fail_msg("%s: %s", cases[i].line, text);
	}
}

static void only_root_clears_refreshes_and_dumps(void **state)
{
	struct afbr a = {0};
	char text[1024];

	ask(&a, false, "{\"v\":1,\"do\":\"bgp clear\",\"all\":true}", text);
	assert_non_null(strstr(text, "for root only"));
	ask(&a, false, "{\"v\":1,\"do\":\"bgp refresh\",\"all\":true}", text);
	assert_non_null(strstr(text, "for root only"));
	ask(&a, false, "{\"v\":1,\"do\":\"bgp dump\"}", text);
	assert_non_null(strstr(text, "for root only"));
	assert_int_equal(a.changes, 0);
	assert_string_equal(
		ask(&a, true, "{\"v\":1,\"do\":\"bgp clear\",\"neighbor\":\"ce1\",\"words\":\"new cable\"}",
			text),
		"{\"ok\":true,\"cleared\":2}");
	assert_string_equal(a.name, "ce1");
	assert_string_equal(a.words, "new cable");
	assert_string_equal(ask(&a, true, "{\"v\":1,\"do\":\"bgp refresh\",\"all\":true}", text),
		"{\"ok\":true,\"refreshed\":1}");
	assert_true(a.all && a.in && a.out);
	ask(&a, true, "{\"v\":1,\"do\":\"bgp refresh\",\"neighbor\":\"ce1\",\"out\":true}", text);
	assert_true(!a.in && a.out);
	assert_string_equal(ask(&a, true, "{\"v\":1,\"do\":\"bgp dump\"}", text), ""); /* later */
}

static void where_there_is_no_mesh_it_is_said(void **state)
{
	static const char *const lines[] = {"{\"v\":1,\"do\":\"show bgp neighbors\"}",
		"{\"v\":1,\"do\":\"show bgp routes\"}", "{\"v\":1,\"do\":\"show bgp attributes\"}",
		"{\"v\":1,\"do\":\"show route\",\"to\":\"::\"}",
		"{\"v\":1,\"do\":\"bgp clear\",\"all\":true}",
		"{\"v\":1,\"do\":\"bgp refresh\",\"all\":true}", "{\"v\":1,\"do\":\"bgp dump\"}"};
	char text[1024];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(ask(NULL, true, lines[i], text),
			"{\"ok\":false,\"error\":\"there is no afbr here, so there is no BGP\"}");
}

/* ---- softwires ---- */

static void paths_and_routes_of_the_kernel_come_in_pages(void **state)
{
	struct afbr a = {.next = 77};
	char text[1024];

	assert_string_equal(ask(&a, false, "{\"v\":1,\"do\":\"show paths\",\"limit\":5,\"after\":\"12\"}", text),
		"{\"ok\":true,\"next\":\"77\",\"paths\":[{\"path\":7}]}");
	assert_int_equal(a.query.limit, 5);
	assert_int_equal(a.query.after, 12);
	a.next = 0;
	assert_string_equal(ask(&a, false, "{\"v\":1,\"do\":\"show paths\"}", text),
		"{\"ok\":true,\"next\":null,\"paths\":[{\"path\":7}]}");
	assert_int_equal(a.query.after, 0);
	a.next = (uint64_t)1 << 32 | 77;
	assert_string_equal(
		ask(&a, false, "{\"v\":1,\"do\":\"show fib\",\"family\":\"ipv4\",\"within\":\"198.51.100.0/22\"}", text),
		"{\"ok\":true,\"next\":\"1.77\",\"fib\":[{\"prefix\":\"198.51.100.0/24\"}]}");
	assert_int_equal(a.query.family, BGP_IPV4);
	assert_int_equal(a.within.len, 22);
}

static void endpoints_and_acceptance_are_shown(void **state)
{
	struct afbr a = {0};
	char text[1024];

	assert_string_equal(ask(&a, false, "{\"v\":1,\"do\":\"show endpoints\"}", text),
		"{\"ok\":true,\"endpoints\":[{\"endpoint\":3}]}");
	assert_true(a.all);
	ask(&a, false, "{\"v\":1,\"do\":\"show endpoints\",\"address\":\"2001:db8::2\"}", text);
	assert_false(a.all);
	assert_int_equal(a.address.bytes[15], 2);
	assert_string_equal(ask(&a, false, "{\"v\":1,\"do\":\"show acceptance\"}", text),
		"{\"ok\":true,\"acceptance\":{\"accept\":[]}}");
}

/* proves: MGMT-7 partial */
static void only_root_rolls_and_shuts_endpoints_down(void **state)
{
	static const char *const lines[] = {"{\"v\":1,\"do\":\"mesh roll\"}",
		"{\"v\":1,\"do\":\"mesh shutdown\",\"address\":\"2001:db8::2\"}",
		"{\"v\":1,\"do\":\"mesh start\",\"address\":\"2001:db8::2\"}"};
	struct afbr a = {0};
	char text[1024];

	for (unsigned i = 0; i < 3; i++)
		assert_non_null(strstr(ask(&a, false, lines[i], text), "for root only"));
	assert_int_equal(a.changes, 0);
	assert_string_equal(ask(&a, true, lines[0], text), "{\"ok\":true,\"rolled\":2}");
	assert_string_equal(ask(&a, true, lines[1], text), "{\"ok\":true,\"endpoints\":1}");
	assert_true(a.shut && a.address.bytes[15] == 2);
	assert_string_equal(ask(&a, true, lines[2], text), "{\"ok\":true,\"endpoints\":1}");
	assert_false(a.shut);
	assert_int_equal(a.changes, 3);
}

static void what_is_not_there_of_softwires_is_refused(void **state)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{"{\"v\":1,\"do\":\"show paths\"}", "there are no softwires: `core`"},
		{"{\"v\":1,\"do\":\"show paths\",\"after\":\"0\"}", "\\\"next\\\""},
		{"{\"v\":1,\"do\":\"show paths\",\"after\":\"7.\"}", "\\\"next\\\""},
		{"{\"v\":1,\"do\":\"show paths\",\"after\":\" 7\"}", "\\\"next\\\""},
		{"{\"v\":1,\"do\":\"show endpoints\"}", "there are no softwires"},
		{"{\"v\":1,\"do\":\"show endpoints\",\"address\":\"ce1\"}", "must be the address of an endpoint"},
		{"{\"v\":1,\"do\":\"show acceptance\"}", "there are no softwires"},
		{"{\"v\":1,\"do\":\"show fib\"}", "not up yet"},
		{"{\"v\":1,\"do\":\"show fib\",\"received\":\"ce1\"}", "has no member"},
		{"{\"v\":1,\"do\":\"show fib\",\"within\":\"198.51.100.1/24\"}", "must be a prefix"},
		{"{\"v\":1,\"do\":\"mesh roll\"}", "there are no softwires"},
		{"{\"v\":1,\"do\":\"mesh shutdown\"}", "needs \\\"address\\\""},
		{"{\"v\":1,\"do\":\"mesh shutdown\",\"address\":\"2001:db8::/64\"}", "must be the address"},
		{"{\"v\":1,\"do\":\"mesh start\",\"address\":\"2001:db8::2\"}", "no such endpoint"},
	};
	char text[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct afbr a = {.no_core = true};

		ask(&a, true, cases[i].line, text);
		if (strncmp(text, "{\"ok\":false", 11) != 0 || !strstr(text, cases[i].error))
			fail_msg("%s: %s", cases[i].line, text);
		ask(NULL, true, cases[i].line, text);
		if (strncmp(text, "{\"ok\":false", 11) != 0)
			fail_msg("%s: %s", cases[i].line, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_routes_of_the_kernel_come_in_pages),
		cmocka_unit_test(endpoints_and_acceptance_are_shown),
		cmocka_unit_test(only_root_rolls_and_shuts_endpoints_down),
		cmocka_unit_test(what_is_not_there_of_softwires_is_refused),
		cmocka_unit_test(neighbours_are_shown_all_or_one),
		cmocka_unit_test(routes_come_in_pages),
		cmocka_unit_test(a_route_is_asked_for_by_address_or_prefix),
		cmocka_unit_test(what_makes_no_sense_is_refused_with_what_would),
		cmocka_unit_test(only_root_clears_refreshes_and_dumps),
		cmocka_unit_test(where_there_is_no_mesh_it_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

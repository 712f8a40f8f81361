/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases as lines of an export: what is written can be read, and what cannot be right is refused with the member that is wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/leases.h"

static const char line[] =
	"{\"user\":\"alice\",\"slot\":1,\"pool\":\"default\",\"link6\":\"2001:db8:100:1::/64\","
	"\"delegated\":[\"2001:db8:8000:100::/"
	"56\"],\"address4\":\"198.51.100.7\",\"subnets\":[\"198.51.101.8/29\"],"
	"\"duid\":\"00030001020000000001\",\"iaid\":7,\"granted_at\":1700000000,\"used_at\":-5,"
	"\"fixed\":[\"address4\"],\"used_order\":12}";

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!o)
		fail_msg("%s: %s", text, error.text);
	return o;
}

static void what_is_written_can_be_read(void **state)
{
	json_t *o = parse(line), *again;
	struct lease l, m;
	char why[256];
	char *text;

	assert_int_equal(leases_read(o, &l, why), 0);
	assert_string_equal(l.user, "alice");
	assert_int_equal(l.slot, 1);
	assert_int_equal(l.fixed, LEASE_FIXED_ADDRESS4);
	assert_int_equal(l.duid_len, 10);
	assert_int_equal(l.duid[9], 1);
	assert_int_equal(l.iaid, 7);
	assert_int_equal(l.used_at, -5); /* a clock may have been wrong */
	assert_int_equal(l.used_order, 12);
	again = leases_export(&l);
	text = json_dumps(again, JSON_COMPACT);
	assert_string_equal(text, line);
	assert_int_equal(leases_read(again, &m, why), 0);
	assert_memory_equal(&l, &m, sizeof(l));
	free(text);
	json_decref(again);
	json_decref(o);
}

static void a_name_that_is_no_utf8_is_not_lost(void **state)
{
	struct lease l = {.user = "m\xfcller", .pool = "default", .slot = 3}, m;
	json_t *o = leases_export(&l);
	char why[256];

	assert_null(json_object_get(o, "user"));
	assert_string_equal(json_string_value(json_object_get(o, "user_hex")), "6dfc6c6c6572");
	assert_int_equal(leases_read(o, &m, why), 0);
	assert_string_equal(m.user, l.user);
	json_object_set_new(o, "user_hex", json_string("6d006c"));
	assert_int_equal(leases_read(o, &m, why), -EINVAL);
	json_object_set_new(o, "user_hex", json_string("6d"));
	json_object_set_new(o, "user", json_string("m"));
	assert_int_equal(leases_read(o, &m, why), -EINVAL);
	json_decref(o);
}

static void what_cannot_be_right_is_refused(void **state)
{
	static const struct {
		const char *member, *value; /* in the place of what is right; NULL: left out */
	} bad[] = {
		{"user", "7"},
		{"user", NULL},
		{"user", "\"a\\u0000b\""},
		{"slot", "-1"},
		{"slot", "65536"},
		{"slot", "\"0\""},
		{"pool", "null"},
		{"pool", "\"0123456789012345678901234567890123456789012345678901234567890123\""},
		{"link6", "\"alice\""},
		{"link6", "7"},
		{"link6", NULL},
		{"delegated", "null"},
		{"delegated", "[null]"},
		{"delegated", "[7]"},
		{"delegated", "[\"2001:db8::/129\"]"},
		{"delegated", "[\"a\",\"a\",\"a\",\"a\",\"a\"]"},
		{"address4", "\"2001:db8::1\""},
		{"address4", "\"300.1.1.1\""},
		{"address4", "[]"},
		{"subnets", "{}"},
		{"subnets", "[\"1.2.3.0/24\",\"1.2.4.0/24\",\"1.2.5.0/24\"]"},
		{"duid", "\"\""},
		{"duid", "\"123\""},
		{"duid", "\"0X\""},
		{"duid", "\"AB\""},
		{"iaid", "-1"},
		{"iaid", "4294967296"},
		{"iaid", "null"},
		{"granted_at", "1.5"},
		{"granted_at", "null"},
		{"used_at", "\"now\""},
		{"used_order", "-1"},
		{"used_order", "9223372036854775807"},
		{"fixed", "[\"all\"]"},
		{"fixed", "[7]"},
		{"fixed", "\"link6\""},
		{"delegate", "[]"},
		{"v", "1"},
	};
	struct lease l = {0};
	json_t *text = json_string("alice");
	char why[256];

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *o = parse(line),
		       *value = bad[i].value
					? json_loads(bad[i].value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
					: NULL;

		json_object_del(o, bad[i].member);
		if (value)
			json_object_set_new(o, bad[i].member, value);
		why[0] = '\0';
		if (leases_read(o, &l, why) != -EINVAL)
			fail_msg("%s as %s is taken", bad[i].member, bad[i].value ? bad[i].value : "nothing");
		if (strncmp(why + 1, bad[i].member, strlen(bad[i].member)) != 0)
			fail_msg("%s as %s: %s", bad[i].member, bad[i].value, why);
		json_decref(o);
	}
	assert_int_equal(l.slot, 0); /* untouched */
	assert_int_equal(leases_read(text, &l, why), -EINVAL);
	json_decref(text);
}

static void the_head_says_what_it_is_and_how_many(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"{}", "no export of leases"},
		{"[]", "no export of leases"},
		{"{\"format\":\"music\",\"version\":1,\"leases\":1}", "no export of leases"},
		{"{\"format\":\"softwire-leases\",\"version\":2,\"leases\":1}",
			"has version 2, and this program knows version 1"},
		{"{\"format\":\"softwire-leases\",\"leases\":1}", "version"},
		{"{\"format\":\"softwire-leases\",\"version\":1}", "how many lines follow"},
		{"{\"format\":\"softwire-leases\",\"version\":1,\"leases\":-1}", "how many lines follow"},
		{"{\"format\":\"softwire-leases\",\"version\":1,\"leases\":99999999999}",
			"how many lines follow"},
	};
	json_t *o = leases_head(3, 1700000000);
	size_t count = 0;
	char why[256];

	assert_int_equal(leases_read_head(o, &count, why), 0);
	assert_int_equal(count, 3);
	json_decref(o);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		o = parse(bad[i].text);
		assert_int_equal(leases_read_head(o, &count, why), -EINVAL);
		if (!strstr(why, bad[i].why))
			fail_msg("%s: %s", bad[i].text, why);
		json_decref(o);
	}
	assert_int_equal(leases_read_head(NULL, &count, why), -EINVAL);
	assert_int_equal(count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(a_name_that_is_no_utf8_is_not_lost),
		cmocka_unit_test(what_cannot_be_right_is_refused),
		cmocka_unit_test(the_head_says_what_it_is_and_how_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment of hooks: every variable of softwired-hooks(7), always; and only what a shell can take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/hook.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static const char *value_of(const struct hook_environment *e, const char *name)
{
	for (unsigned i = 0; i < e->count; i++)
		if (!strncmp(e->variables[i], name, strlen(name)) && e->variables[i][strlen(name)] == '=')
			return e->variables[i] + strlen(name) + 1;
	fail_msg("%s is missing", name);
	return NULL;
}

static const char *const names[] = {"SOFTWIRE_EVENT", "SOFTWIRE_ROLE", "SOFTWIRE_NAME", "SOFTWIRE_USER",
	"SOFTWIRE_ID", "SOFTWIRE_DEVICE", "SOFTWIRE_PEER", "SOFTWIRE_LOCAL", "SOFTWIRE_FAMILIES",
	"SOFTWIRE_MTU", "SOFTWIRE_LINK6", "SOFTWIRE_ADDRESS6", "SOFTWIRE_DELEGATED6", "SOFTWIRE_ADDRESS4",
	"SOFTWIRE_PEER4", "SOFTWIRE_DELEGATED4", "SOFTWIRE_DNS", "SOFTWIRE_LAN", "SOFTWIRE_LAN6",
	"SOFTWIRE_LAN4", "SOFTWIRE_REASON", "SOFTWIRE_OLD_DELEGATED6", "SOFTWIRE_OLD_DELEGATED4"};

static struct hook_facts full_facts(void)
{
	return (struct hook_facts){
		.event = "change",
		.role = "initiator",
		.name = "home",
		.user = "alice",
		.id = 17,
		.device = "si-home",
		.peer = {addr("203.0.113.7"), 40001},
		.local = {addr("2001:db8::7"), 1701},
		.up6 = true,
		.up4 = true,
		.mtu = 1460,
		.link6 = prefix("2001:db8:100:7::/64"),
		.address6 = addr("2001:db8:100:7::1"),
		.delegated6 = {2, {prefix("2001:db8:8000::/56"), prefix("2001:db8:9000::/56")}},
		.address4 = addr("198.51.100.7"),
		.peer4 = addr("198.51.100.1"),
		.delegated4 = {1, {prefix("198.51.100.64/29")}},
		.dns_count = 2,
		.dns = {addr("2001:db8::53"), addr("198.51.100.53")},
		.lan_count = 2,
		.lans = {"eth1", "wlan0"},
		.lan6_count = 2,
		.lan6 = {{"eth1", addr("2001:db8:8000::1"), 64}, {"wlan0", addr("2001:db8:8000:1::1"), 64}},
		.lan4_count = 1,
		.lan4 = {{"eth1", addr("198.51.100.65"), 29}},
		.reason = "because",
		.old_delegated6 = {1, {prefix("2001:db8:a000::/56")}},
		.old_delegated4 = {1, {prefix("198.51.100.72/29")}},
	};
}

static void every_variable_has_its_value(void **state)
{
	static const char *const values[] = {"change", "initiator", "home", "alice", "17", "si-home",
		"203.0.113.7:40001", "[2001:db8::7]:1701", "ipv6 ipv4", "1460", "2001:db8:100:7::/64",
		"2001:db8:100:7::1", "2001:db8:8000::/56 2001:db8:9000::/56", "198.51.100.7", "198.51.100.1",
		"198.51.100.64/29", "2001:db8::53 198.51.100.53", "eth1 wlan0",
		"eth1=2001:db8:8000::1/64 wlan0=2001:db8:8000:1::1/64", "eth1=198.51.100.65/29", "because",
		"2001:db8:a000::/56", "198.51.100.72/29"};
	struct hook_facts f = full_facts();
	struct hook_environment e;

	assert_int_equal(hook_environment_build(&e, &f), 0);
	assert_int_equal(e.count, sizeof(names) / sizeof(*names));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_string_equal(value_of(&e, names[i]), values[i]);
}

static void what_is_not_known_is_empty_but_there(void **state)
{
	struct hook_facts f = {.event = "up", .role = "concentrator"};
	struct hook_environment e;

	assert_int_equal(hook_environment_build(&e, &f), 0);
	assert_int_equal(e.count, sizeof(names) / sizeof(*names));
	for (size_t i = 2; i < sizeof(names) / sizeof(*names); i++)
		assert_string_equal(value_of(&e, names[i]), "");
}

struct text_case {
	const char *text, *value;
};

static void what_is_not_printable_is_escaped(void **state)
{
	static const struct text_case cases[] = {
		{"bj\xc3\xb6rn", "bj\\xc3\\xb6rn"},
		{"a\nSOFTWIRE_ROLE=x", "a\\x0aSOFTWIRE_ROLE=x"},
		{"\x7f\x01", "\\x7f\\x01"},
		{"$(reboot) `x` 'y' \"z\" \\", "$(reboot) `x` 'y' \"z\" \\"},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct hook_facts f = {.event = "up", .role = "concentrator", .user = cases[n].text};
		struct hook_environment e;

		assert_int_equal(hook_environment_build(&e, &f), 0);
		assert_string_equal(value_of(&e, "SOFTWIRE_USER"), cases[n].value);
	}
}

/* The keeper refuses a request with one variable too long: then the hook would not run at all. */
static void the_longest_of_everything_fits(void **state)
{
	struct hook_facts f = full_facts();
	struct hook_environment e;
	char text[1024];
	const char *last;

	memset(text, 0xff, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	f.user = f.reason = text;
	f.delegated6.count = f.old_delegated6.count = HOOK_PREFIXES;
	f.dns_count = HOOK_DNS;
	for (unsigned i = 0; i < HOOK_PREFIXES; i++)
		f.delegated6.list[i] = f.old_delegated6.list[i] = prefix("2001:db8:8888:8888::/64");
	for (unsigned i = 0; i < HOOK_DNS; i++)
		f.dns[i] = addr("2001:db8:8888:8888:8888:8888:8888:8888");
	f.lan_count = HOOK_LANS;
	f.lan4_count = f.lan6_count = HOOK_LANS;
	for (unsigned i = 0; i < HOOK_LANS; i++) {
		f.lans[i] = "fifteen-letters";
		f.lan6[i] = (struct hook_lan){
			"fifteen-letters", addr("2001:db8:8888:8888:8888:8888:8888:8888"), 64};
		f.lan4[i] = (struct hook_lan){"fifteen-letters", addr("198.151.100.165"), 30};
	}
	assert_int_equal(hook_environment_build(&e, &f), 0);
	for (unsigned i = 0; i < e.count; i++)
		assert_true(strlen(strchr(e.variables[i], '=') + 1) <= HOOK_VALUE);
	assert_int_equal(strlen(value_of(&e, "SOFTWIRE_USER")), 252); /* whole escapes only */
	last = value_of(&e, "SOFTWIRE_DNS");                          /* six of eight: whole addresses only */
	assert_int_equal(strlen(last), 6 * 38 + 5);
	assert_string_equal(value_of(&e, "SOFTWIRE_OLD_DELEGATED4"), "198.51.100.72/29");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_variable_has_its_value),
		cmocka_unit_test(what_is_not_known_is_empty_but_there),
		cmocka_unit_test(what_is_not_printable_is_escaped),
		cmocka_unit_test(the_longest_of_everything_fits),
	};

	return cmocka_run_group_tests_name("hook", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's programs: which are run when, and what they are told. */
#include "fixture.h"

static struct fixture *with_hooks(void)
{
	static const char *const names[INITIATOR_HOOKS] = {"up", "down", "change", "renew"};
	struct fixture *f = fixture_new();

	for (int n = 0; n < INITIATOR_HOOKS; n++)
		snprintf(f->config.hooks[n], sizeof(f->config.hooks[n]), "/hooks/%s", names[n]);
	return f;
}

static void expect(const struct fixture *f, const char *event, const char *name, const char *value)
{
	const char *got = fixture_hook(f, event, name);

	if (!got || strcmp(got, value) != 0)
		fail_msg("%s: %s is \"%s\", not \"%s\"", event, name, got ? got : "(missing)", value);
}

static void until_hooks(struct fixture *f, unsigned count)
{
	for (int n = 0; n < 300 && f->hook_count < count; n++)
		fixture_pass(f, 100);
	assert_int_equal(f->hook_count, count);
}

static void up_is_told_once_with_all_that_came(void **state)
{
	struct fixture *f = with_hooks();
	char text[ADDR_TEXT];

	fixture_up(f);
	until_hooks(f, 1);
	assert_string_equal(f->hooks[0].path, "/hooks/up");
	assert_string_equal(f->hooks[0].key, "home");
	expect(f, "up", "SOFTWIRE_EVENT", "up");
	expect(f, "up", "SOFTWIRE_ROLE", "initiator");
	expect(f, "up", "SOFTWIRE_NAME", "home");
	expect(f, "up", "SOFTWIRE_USER", "alice");
	expect(f, "up", "SOFTWIRE_ID", "1");
	expect(f, "up", "SOFTWIRE_DEVICE", "si-home");
	expect(f, "up", "SOFTWIRE_FAMILIES", "ipv6");
	expect(f, "up", "SOFTWIRE_LINK6", "2001:db8:100:7::/64");
	expect(f, "up", "SOFTWIRE_ADDRESS6", addr_print(&f->i->address, text));
	expect(f, "up", "SOFTWIRE_DELEGATED6", "2001:db8:8000:700::/56");
	expect(f, "up", "SOFTWIRE_DNS", "2001:db8::53");
	expect(f, "up", "SOFTWIRE_LAN", "lan0");
	expect(f, "up", "SOFTWIRE_LAN6", "lan0=2001:db8:8000:700::1/64");
	expect(f, "up", "SOFTWIRE_LAN4", "");
	assert_non_null(strstr(fixture_hook(f, "up", "SOFTWIRE_PEER"), "127.0.0.1:"));
	assert_non_null(strstr(fixture_hook(f, "up", "SOFTWIRE_LOCAL"), "127.0.0.1:"));
	fixture_pass(f, 300000);
	assert_int_equal(f->hook_count, 1);
	fixture_free(f);
}

/* What a DHCP server for the LAN needs to know. */
/* proves: HS-DHCP-14 partial */
static void ipv4_is_told(void **state)
{
	struct fixture *f = with_hooks();

	fixture_ipv4(f, "198.51.100.64/29");
	fixture_up(f);
	until_hooks(f, 1);
	expect(f, "up", "SOFTWIRE_FAMILIES", "ipv6 ipv4");
	expect(f, "up", "SOFTWIRE_ADDRESS4", "198.51.100.7");
	expect(f, "up", "SOFTWIRE_PEER4", "198.51.100.1");
	expect(f, "up", "SOFTWIRE_DELEGATED4", "198.51.100.64/29");
	expect(f, "up", "SOFTWIRE_LAN4", "lan0=198.51.100.65/29");
	expect(f, "up", "SOFTWIRE_DNS", "2001:db8::53 198.51.100.53");
	ppp_link_close_ncp(&f->servers[0].engine.softwire.ppp, PPP_IPCP, "no more IPv4", loop_now(&f->loop));
	until_hooks(f, 2);
	expect(f, "change", "SOFTWIRE_FAMILIES", "ipv6");
	expect(f, "change", "SOFTWIRE_LAN4", "lan0=198.51.100.65/29"); /* its lease is not over */
	fixture_free(f);
}

static void renewing_is_told(void **state)
{
	struct fixture *f = with_hooks();

	fixture_up(f);
	until_hooks(f, 1);
	fixture_pass(f, 1900000); /* T1 is half of 3600 s */
	assert_int_equal(f->hook_count, 2);
	assert_string_equal(f->hooks[1].path, "/hooks/renew");
	expect(f, "renew", "SOFTWIRE_DELEGATED6", "2001:db8:8000:700::/56");
	expect(f, "renew", "SOFTWIRE_OLD_DELEGATED6", "");
	fixture_free(f);
}

/* Another prefix comes with a Renew. */
static void a_change_is_told_with_what_was_before(void **state)
{
	struct fixture *f = with_hooks();

	fixture_up(f);
	until_hooks(f, 1);
	assert_int_equal(
		prefix_parse("2001:db8:9000:900::/56", &f->servers[0].engine.lease->delegated[0]), 0);
	fixture_pass(f, 1900000);
	assert_int_equal(f->hook_count, 2); /* and not renew, too */
	assert_string_equal(f->hooks[1].path, "/hooks/change");
	expect(f, "change", "SOFTWIRE_DELEGATED6", "2001:db8:9000:900::/56");
	expect(f, "change", "SOFTWIRE_OLD_DELEGATED6", "2001:db8:8000:700::/56");
	expect(f, "change", "SOFTWIRE_LAN6", "lan0=2001:db8:9000:900::1/64");
	fixture_free(f);
}

static void down_is_told_with_the_reason_and_what_stays(void **state)
{
	struct fixture *f = with_hooks();

	fixture_up(f);
	until_hooks(f, 1);
	initiator_clear(f->i);
	until_hooks(f, 2);
	expect(f, "down", "SOFTWIRE_REASON", "cleared by the operator");
	expect(f, "down", "SOFTWIRE_FAMILIES", "");
	expect(f, "down", "SOFTWIRE_DELEGATED6", "2001:db8:8000:700::/56");
	expect(f, "down", "SOFTWIRE_LAN6", "lan0=2001:db8:8000:700::1/64");
	until_hooks(f, 3);
	expect(f, "up", "SOFTWIRE_ID", "2");
	fixture_stop(f);
	assert_int_equal(f->hook_count, 4);
	expect(f, "down", "SOFTWIRE_REASON", "the initiator shuts down");
	expect(f, "down", "SOFTWIRE_LAN6", "");
	fixture_free(f);
}

/* Whatever a hook runs for the LANs ends with us, also when the softwire has been gone for long. */
static void the_end_is_told_while_waiting_too(void **state)
{
	struct fixture *f = with_hooks();

	fixture_up(f);
	until_hooks(f, 1);
	f->servers[0].mute = true;
	initiator_clear(f->i);
	until_hooks(f, 2);
	expect(f, "down", "SOFTWIRE_LAN6", "lan0=2001:db8:8000:700::1/64");
	fixture_pass(f, 60000);
	assert_int_equal(f->hook_count, 2);
	fixture_stop(f);
	assert_int_equal(f->hook_count, 3);
	expect(f, "down", "SOFTWIRE_REASON", "the initiator shuts down");
	expect(f, "down", "SOFTWIRE_LAN6", "");
	fixture_free(f);
}

static void what_never_came_up_does_not_go_down(void **state)
{
	struct fixture *f = with_hooks();

	f->servers[0].mute = true;
	fixture_start(f);
	fixture_pass(f, 60000);
	fixture_stop(f);
	assert_int_equal(f->hook_count, 0);
	fixture_free(f);
}

static void only_configured_hooks_are_run(void **state)
{
	struct fixture *f = with_hooks();

	f->config.hooks[INITIATOR_HOOK_UP][0] = '\0';
	f->config.hooks[INITIATOR_HOOK_RENEW][0] = '\0';
	fixture_up(f);
	fixture_pass(f, 1900000);
	assert_int_equal(f->hook_count, 0);
	fixture_stop(f);
	assert_int_equal(f->hook_count, 1);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_is_told_once_with_all_that_came),
		cmocka_unit_test(ipv4_is_told),
		cmocka_unit_test(renewing_is_told),
		cmocka_unit_test(a_change_is_told_with_what_was_before),
		cmocka_unit_test(down_is_told_with_the_reason_and_what_stays),
		cmocka_unit_test(the_end_is_told_while_waiting_too),
		cmocka_unit_test(what_never_came_up_does_not_go_down),
		cmocka_unit_test(only_configured_hooks_are_run),
	};

	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that forbid, against the kernel itself: what is ours comes and goes, what is others' stays. */
#include <errno.h>

#include "netlink/fib.h"
#include "place.h"

static struct netlink_rule rule(const char *interface, bool from, const char *set)
{
	struct netlink_rule r = {.from = from, .prefix = prefix(set)};

	strcpy(r.interface, interface);
	return r;
}

static int has4(const char *a, const char *b)
{
	return shown("ip -4 rule show", a, b);
}

static int has6(const char *a, const char *b)
{
	return shown("ip -6 rule show", a, b);
}

static void both_families_come_and_go(void **state)
{
	struct netlink_rule rules[5];
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	rules[0] = rule("lan0", true, "192.0.2.0/24");
	rules[1] = rule("lan0", false, "192.0.2.0/24");
	rules[2] = rule("lan0", true, "2001:db8::/32");
	rules[3] = rule("not-there", false, "2001:db8::1/128");
	rules[4] = rules[0]; /* twice */
	assert_int_equal(netlink_rules(p.netlink, rules, 5), 0);
	assert_int_equal(has4("171:\tfrom 192.0.2.0/24 iif lan0 prohibit proto 171", ""), 1);
	assert_int_equal(has4("171:\tfrom all to 192.0.2.0/24 iif lan0 prohibit proto 171", ""), 1);
	assert_int_equal(has6("171:\tfrom 2001:db8::/32 iif lan0 prohibit proto 171", ""), 1);
	assert_int_equal(has6("171:\tfrom all to 2001:db8::1 iif not-there", "prohibit proto 171"), 1);
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), 4);
	assert_int_equal(netlink_rules(p.netlink, rules, 4), 0); /* once more: none is there twice */
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), 4);
	assert_int_equal(netlink_rules(p.netlink, rules + 1, 2), 0);
	assert_int_equal(has4("to 192.0.2.0/24", "proto 171"), 1);
	assert_int_equal(has6("from 2001:db8::/32", "proto 171"), 1);
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), 2);
	assert_int_equal(netlink_rules(p.netlink, NULL, 0), 0);
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), 0);
	assert_int_equal(has4("", ""), 3); /* the kernel's own */
	leave(&p);
}

static void hundreds_of_them(void **state)
{
	enum { COUNT = 32 * 32 * 2 };
	struct netlink_rule *rules = calloc(COUNT, sizeof(*rules));
	struct place p;

	assert_non_null(rules);
	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	for (unsigned i = 0; i < COUNT; i++) {
		rules[i] = rule("lan0", i & 1, i & 2 ? "10.0.0.0/24" : "2001:db8::/48");
		rules[i].prefix.addr.bytes[1] = i & 2 ? (uint8_t)(i >> 10) : 1;
		rules[i].prefix.addr.bytes[i & 2 ? 2 : 5] = (uint8_t)(i >> 2);
		if (!(i & 2))
			rules[i].prefix.addr.bytes[4] = (uint8_t)(i >> 10);
	}
	assert_int_equal(netlink_rules(p.netlink, rules, COUNT), 0);
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), COUNT);
	assert_int_equal(netlink_rules(p.netlink, rules + COUNT / 2, COUNT / 2), 0);
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), COUNT / 2);
	assert_int_equal(netlink_rules(p.netlink, NULL, 0), 0);
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), 0);
	free(rules);
	leave(&p);
}

/* By protocol, preference and form; all three. */
static void what_others_have_made_stays(void **state)
{
	static const char *const theirs[] = {
		"pref 171 from 192.0.2.0/24 iif lan0 prohibit proto 4",      /* our place, and our words */
		"pref 170 from 192.0.2.0/24 iif lan0 prohibit proto 171",    /* our protocol */
		"pref 171 from 192.0.3.0/24 iif lan0 unreachable proto 171", /* no prohibition */
		"pref 171 from 192.0.4.0/24 to 198.51.100.0/24 iif lan0 prohibit proto 171",
		"pref 171 from 192.0.5.0/24 iif lan0 fwmark 7 prohibit proto 171",
		"pref 171 from 192.0.2.0/24 prohibit proto 171",
	};
	struct netlink_rule ours;
	struct place p;
	int before;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	for (size_t i = 0; i < sizeof(theirs) / sizeof(*theirs); i++) {
		char command[160];

		snprintf(command, sizeof(command), "ip rule add %s", theirs[i]);
		administer(command);
	}
	before = has4("", "");
	ours = rule("lan0", true, "192.0.2.0/24");
	assert_int_equal(netlink_rules(p.netlink, &ours, 1), 0);
	assert_int_equal(has4("171:\tfrom 192.0.2.0/24 iif lan0 prohibit", "proto 171"), 1);
	ours = rule("lan0", true, "192.0.3.0/24");
	assert_int_equal(netlink_rules(p.netlink, &ours, 1), 0);
	assert_int_equal(has4("171:\tfrom 192.0.3.0/24 iif lan0 prohibit", "proto 171"), 1);
	ours = rule("lan0", true, "192.0.4.0/24");
	assert_int_equal(netlink_rules(p.netlink, &ours, 1), -EEXIST);
	assert_int_equal(netlink_rules(p.netlink, NULL, 0), 0);
	assert_int_equal(has4("", ""), before);
	assert_int_equal(has4("171:\tfrom 192.0.2.0/24 iif lan0 prohibit", "proto static"), 1);
	leave(&p);
}

/* Port unreachable is 3 and 3 (RFC 792), 1 and 4 (RFC 4443). */
static void kernel_is_hushed_beside_other_rules(void **state)
{
	struct netlink_rule border = rule("lan0", true, "192.0.2.1/32");
	struct addr locals[NETLINK_HUSHED + 1] = {addr4(192, 0, 2, 1), prefix("2001:db8::1/128").addr, addr4(192, 0, 2, 2)};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	administer("ip rule add pref 171 from 192.0.2.1 iif lo ipproto icmp dport 768-771 prohibit proto 171");
	assert_int_equal(netlink_rules(p.netlink, &border, 1), 0);
	assert_int_equal(netlink_hush(p.netlink, locals, 2), 0);
	assert_int_equal(has4("171:\tfrom 192.0.2.1 iif lo ipproto icmp dport 771 prohibit", "proto 171"), 1);
	assert_int_equal(has6("171:\tfrom 2001:db8::1 iif lo ipproto ipv6-icmp dport 260 prohibit", "proto 171"), 1);
	assert_int_equal(netlink_hush(p.netlink, locals, 2), 0); /* once more: none is there twice */
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), 4);
	assert_int_equal(netlink_rules(p.netlink, NULL, 0), 0);
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), 3);
	assert_int_equal(netlink_rules(p.netlink, &border, 1), 0);
	assert_int_equal(netlink_hush(p.netlink, locals + 2, 1), 0);
	assert_int_equal(has4("from 192.0.2.2", "dport 771"), 1);
	assert_int_equal(netlink_hush(p.netlink, locals, NETLINK_HUSHED + 1), -EINVAL);
	assert_int_equal(netlink_hush(p.netlink, locals + 3, 1), -EINVAL); /* no address */
	assert_int_equal(netlink_hush(p.netlink, NULL, 0), 0);
	assert_int_equal(has4("proto 171", "") + has6("proto 171", ""), 2); /* the border's, and the administrator's */
	leave(&p);
}

static void what_cannot_be(void **state)
{
	struct netlink_rule rules[2];
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	rules[0] = rule("lan0", true, "192.0.2.0/24");
	rules[1] = rule("", true, "192.0.2.0/24");
	assert_int_equal(netlink_rules(p.netlink, rules, 2), -EINVAL);
	rules[1] = (struct netlink_rule){.interface = "lan0"};
	assert_int_equal(netlink_rules(p.netlink, rules, 2), -EINVAL);
	rules[1] = rule("lan0", true, "0.0.0.0/0"); /* all that comes in */
	assert_int_equal(netlink_rules(p.netlink, rules, 2), -EINVAL);
	assert_int_equal(has4("proto 171", ""), 0);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_come_and_go),
		cmocka_unit_test(hundreds_of_them),
		cmocka_unit_test(what_others_have_made_stays),
		cmocka_unit_test(kernel_is_hushed_beside_other_rules),
		cmocka_unit_test(what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

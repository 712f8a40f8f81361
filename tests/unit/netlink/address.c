/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses against the kernel itself, each test in a network namespace of its own.
 */
#include <errno.h>
#include <linux/if_addr.h>

#include "place.h"

static const char link6[] = "20010db8000000010000000000000001";
static const char net6[] = "20010db8000000010000000000000000";

static void tun_addresses_need_no_dad_and_bring_no_route(void **state)
{
	struct addr a = address("2001:db8:0:1::1"), a4 = address("10.9.8.7");
	struct place p;
	int flags;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 64, 7200, 3600), 0);
	flags = namespace_address6(link6, "si-test");
	assert_true(flags >= 0);
	assert_int_equal(flags & (IFA_F_TENTATIVE | IFA_F_PERMANENT), 0);
	assert_int_equal(flags & IFA_F_NODAD, IFA_F_NODAD);
	assert_int_equal(namespace_routes6(net6, 64, "si-test", 0), 0);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a4, 24, FOREVER, FOREVER), 0);
	assert_int_equal(namespace_count("/proc/net/route", "si-test", ""), 0);
	assert_int_equal(
		namespace_count("/proc/net/fib_trie", "10.9.8.7", ""), 2); /* main and local share a trie */
	assert_int_equal(netlink_address(p.netlink, false, "si-test", &a, 64, 0, 0), 0);
	assert_int_equal(namespace_address6(link6, "si-test"), -1);
	assert_int_equal(netlink_address(p.netlink, false, "si-test", &a, 64, 0, 0), 0);
	assert_int_equal(netlink_address(p.netlink, false, "si-test", &a4, 24, 0, 0), 0);
	assert_int_equal(netlink_address(p.netlink, false, "si-test", &a4, 24, 0, 0), 0);
	leave(&p);
}

static void link_local_on_a_tun_brings_its_link(void **state)
{
	struct addr a = address("fe80::1:2");
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(namespace_count("/proc/net/if_inet6", "si-test", ""), 0); /* no autoconfiguration */
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 64, FOREVER, FOREVER), 0);
	assert_true(namespace_address6("fe800000000000000000000000010002", "si-test") & IFA_F_PERMANENT);
	assert_int_equal(namespace_routes6("fe800000000000000000000000000000", 64, "si-test", 0), 1);
	leave(&p);
}

static void lan_addresses_get_the_kernels_dad_and_an_on_link_route(void **state)
{
	struct addr a = address("2001:db8:0:1::1");
	struct place p;
	int flags;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &a, 64, 7200, 3600), 0);
	flags = namespace_address6(link6, "lan0");
	assert_true(flags >= 0);
	assert_int_equal(flags & IFA_F_NODAD, 0);
	assert_int_equal(flags & IFA_F_TENTATIVE, IFA_F_TENTATIVE);
	assert_int_equal(namespace_routes6(net6, 64, "lan0", 0), 1);
	leave(&p);
}

/* Or hosts of that prefix would be looked for on this LAN for days, wherever they are by then. */
static void the_on_link_route_goes_with_the_address(void **state)
{
	static const uint32_t lifetimes[][2] = {{7200, 3600}, {7200, 0}, {FOREVER, FOREVER}};
	struct addr a = address("2001:db8:0:1::1"), other = address("2001:db8:0:1::2");
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(
			netlink_address(p.netlink, true, "lan0", &a, 64, lifetimes[i][0], lifetimes[i][1]),
			0);
		assert_int_equal(namespace_routes6(net6, 64, "lan0", 0), 1);
		assert_int_equal(netlink_address(p.netlink, false, "lan0", &a, 64, 0, 0), 0);
		assert_int_equal(namespace_address6(link6, "lan0"), -1);
		assert_int_equal(namespace_routes6(net6, 64, "lan0", 0), 0);
	}
	/* Another one of the prefix keeps it. */
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &other, 64, FOREVER, FOREVER), 0);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &a, 64, 7200, 3600), 0);
	assert_int_equal(netlink_address(p.netlink, false, "lan0", &a, 64, 0, 0), 0);
	assert_int_equal(namespace_routes6(net6, 64, "lan0", 0), 1);
	leave(&p);
}

static void adding_again_renews_the_lifetimes(void **state)
{
	struct addr a = address("2001:db8:0:1::1");
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &a, 64, 7200, 3600), 0);
	assert_int_equal(namespace_address6(link6, "lan0") & IFA_F_DEPRECATED, 0);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &a, 64, 7200, 0), 0);
	assert_true(namespace_address6(link6, "lan0") & IFA_F_DEPRECATED);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &a, 64, FOREVER, FOREVER), 0);
	assert_int_equal(
		namespace_address6(link6, "lan0") & (IFA_F_DEPRECATED | IFA_F_PERMANENT), IFA_F_PERMANENT);
	leave(&p);
}

static void ipv4_on_a_tun_is_an_address_and_no_more(void **state)
{
	struct addr a = address("192.0.2.1");
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 32, FOREVER, FOREVER), 0);
	assert_int_equal(shown("ip -4 -o addr show dev si-test", "inet 192.0.2.1/32", "forever"), 1);
	assert_int_equal(shown("ip -4 -o addr show dev si-test", "brd", ""), 0);
	assert_int_equal(shown("ip -4 route show table all", "si-test", ""), 1); /* local 192.0.2.1 */
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 32, 600, 300), 0);
	assert_int_equal(shown("ip -4 -o addr show dev si-test", "inet 192.0.2.1/32", "valid_lft 600sec"), 1);
	assert_int_equal(netlink_address(p.netlink, false, "si-test", &a, 32, 0, 0), 0);
	assert_int_equal(shown("ip -4 -o addr show dev si-test", "", ""), 0);
	leave(&p);
}

static void ipv4_on_a_lan_brings_broadcast_and_subnet(void **state)
{
	static const struct {
		const char *address;
		uint8_t len;
		const char *shown, *route;
	} cases[] = {
		{"192.168.7.1", 24, "192.168.7.1/24 brd 192.168.7.255 ", "192.168.7.0/24"},
		{"10.20.30.1", 8, "10.20.30.1/8 brd 10.255.255.255 ", "10.0.0.0/8"},
		{"172.16.5.9", 29, "172.16.5.9/29 brd 172.16.5.15 ", "172.16.5.8/29"},
		{"172.16.6.1", 30, "172.16.6.1/30 brd 172.16.6.3 ", "172.16.6.0/30"},
		{"172.16.7.1", 31, "172.16.7.1/31 scope", "172.16.7.0/31"}, /* RFC 3021 */
	};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr a = address(cases[i].address);

		assert_int_equal(
			netlink_address(p.netlink, true, "lan0", &a, cases[i].len, FOREVER, FOREVER), 0);
		assert_int_equal(shown("ip -4 -o addr show dev lan0", cases[i].shown, ""), 1);
		assert_int_equal(shown("ip -4 route", cases[i].route, "proto kernel"), 1);
		assert_int_equal(netlink_address(p.netlink, false, "lan0", &a, cases[i].len, 0, 0), 0);
		assert_int_equal(shown("ip -4 route", "", ""), 0);
	}
	leave(&p);
}

static void addresses_of_others_stay_as_they_are(void **state)
{
	struct addr theirs = address("2001:db8:0:1::1"), theirs4 = address("192.168.7.1"),
		    ours4 = address("192.168.7.2");
	enum netlink_owner owner;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	administer("ip addr add 2001:db8:0:1::1/64 dev lan0 && ip addr add 192.168.7.1/24 dev lan0");
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &theirs, 64, 100, 0), -EEXIST);
	/* IPv6 has an address but once, whatever its prefix. */
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &theirs, 128, 100, 0), -EEXIST);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &theirs4, 24, 100, 0), -EEXIST);
	assert_int_equal(netlink_address(p.netlink, false, "lan0", &theirs, 64, 0, 0), -EEXIST);
	assert_int_equal(netlink_address(p.netlink, false, "lan0", &theirs4, 24, 0, 0), -EEXIST);
	assert_int_equal(
		namespace_address6(link6, "lan0") & (IFA_F_DEPRECATED | IFA_F_PERMANENT), IFA_F_PERMANENT);
	assert_int_equal(shown("ip -4 -o addr show dev lan0", "192.168.7.1/24", "valid_lft forever"), 1);
	assert_int_equal(netlink_address_owner(p.netlink, "lan0", &theirs4, 24, &owner), 0);
	assert_int_equal(owner, NETLINK_OTHERS);
	/* Beside it there is room for ours, which may be renewed. */
	assert_int_equal(netlink_address_owner(p.netlink, "lan0", &ours4, 24, &owner), 0);
	assert_int_equal(owner, NETLINK_NOBODY);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &ours4, 24, 100, 50), 0);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &ours4, 24, 300, 200), 0);
	assert_int_equal(netlink_address_owner(p.netlink, "lan0", &ours4, 24, &owner), 0);
	assert_int_equal(owner, NETLINK_OURS);
	assert_int_equal(shown("ip -4 -o addr show dev lan0", "192.168.7.2/24", "valid_lft 300sec"), 1);
	assert_int_equal(netlink_address(p.netlink, false, "lan0", &ours4, 24, 0, 0), 0);
	assert_int_equal(netlink_address_owner(p.netlink, "absent", &ours4, 24, &owner), -ENODEV);
	leave(&p);
}

/* As before Linux 5.18, as long as no address here has a protocol: the kernel gives one to those of lo. */
static void where_nobody_can_tell_it_says_so(void **state)
{
	struct addr theirs = address("192.168.7.1"), ours = address("192.168.7.2");
	enum netlink_owner owner;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	administer("ip addr flush dev lo && ip addr add 192.168.7.1/24 dev lan0");
	assert_int_equal(netlink_address_owner(p.netlink, "lan0", &theirs, 24, &owner), 0);
	assert_int_equal(owner, NETLINK_UNKNOWN);
	assert_int_equal(netlink_address_owner(p.netlink, "lan0", &ours, 24, &owner), 0);
	assert_int_equal(owner, NETLINK_NOBODY);
	assert_int_equal(netlink_address(p.netlink, true, "lan0", &ours, 24, 300, 200), 0);
	assert_int_equal(netlink_address_owner(p.netlink, "lan0", &theirs, 24, &owner), 0);
	assert_int_equal(owner, NETLINK_OTHERS); /* by now we know that this kernel can */
	assert_int_equal(netlink_address(p.netlink, false, "lan0", &ours, 24, 0, 0), 0);
	assert_int_equal(netlink_address_owner(p.netlink, "lan0", &theirs, 24, &owner), 0);
	assert_int_equal(owner, NETLINK_OTHERS); /* and remember it */
	leave(&p);
}

static void refuses_what_makes_no_sense(void **state)
{
	struct addr a = address("2001:db8::1"), a4 = address("192.0.2.1"), none = {0};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 64, 0, 0), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 64, 10, 11), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 129, 10, 10), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a4, 33, 10, 10), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &none, 0, 10, 10), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "absent", &a, 64, 10, 10), -ENODEV);
	assert_int_equal(netlink_address(p.netlink, false, "absent", &a, 64, 10, 10), 0);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tun_addresses_need_no_dad_and_bring_no_route),
		cmocka_unit_test(link_local_on_a_tun_brings_its_link),
		cmocka_unit_test(lan_addresses_get_the_kernels_dad_and_an_on_link_route),
		cmocka_unit_test(the_on_link_route_goes_with_the_address),
		cmocka_unit_test(adding_again_renews_the_lifetimes),
		cmocka_unit_test(ipv4_on_a_tun_is_an_address_and_no_more),
		cmocka_unit_test(ipv4_on_a_lan_brings_broadcast_and_subnet),
		cmocka_unit_test(addresses_of_others_stay_as_they_are),
		cmocka_unit_test(where_nobody_can_tell_it_says_so),
		cmocka_unit_test(refuses_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

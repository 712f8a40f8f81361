/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a next hop is reached, by the kernel's own tables.
 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "netlink/fib.h"
#include "place.h"

static int way(struct place *p, const char *to, struct netlink_way *ret)
{
	struct addr a = address(to);

	memset(ret, 0, sizeof(*ret));
	return netlink_way(p->netlink, &a, 0, ret);
}

static void assert_addr(const struct addr *a, const char *expected)
{
	char text[ADDR_TEXT];

	assert_string_equal(addr_print(a, text), expected);
}

static void tells_the_route_that_matched(void **state)
{
	char text[PREFIX_TEXT];
	struct netlink_way w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	administer("ip addr add 192.0.2.1/24 dev lan0 && ip addr add 2001:db8::1/64 dev lan0 nodad &&"
		   "ip route add 10.0.0.0/8 via 192.0.2.9 metric 7 proto static &&"
		   "ip route add 10.1.0.0/16 via inet6 fe80::9 dev lan0 proto 172 metric 20 &&"
		   "ip -6 route add 2001:db8:1::/48 via fe80::7 dev lan0 metric 50 proto bird");
	assert_int_equal(way(&p, "192.0.2.77", &w), 0);
	assert_addr(&w.gateway, "none");
	assert_string_equal(prefix_print(&w.route, text), "192.0.2.0/24");
	assert_int_equal(w.ifindex, if_nametoindex("lan0"));
	assert_int_equal(w.protocol, RTPROT_KERNEL);
	assert_int_equal(w.table, RT_TABLE_MAIN);
	assert_false(w.local || w.down || w.on_link);
	assert_int_equal(way(&p, "10.2.3.4", &w), 0);
	assert_addr(&w.gateway, "192.0.2.9");
	assert_int_equal(w.metric, 7);
	assert_int_equal(w.protocol, RTPROT_STATIC);
	assert_int_equal(way(&p, "10.1.3.4", &w), 0);
	assert_addr(&w.gateway, "fe80::9");
	assert_int_equal(w.protocol, NETLINK_BGP);
	assert_int_equal(w.metric, 20);
	assert_int_equal(way(&p, "2001:db8:1::5", &w), 0);
	assert_addr(&w.gateway, "fe80::7");
	assert_int_equal(w.metric, 50);
	assert_string_equal(prefix_print(&w.route, text), "2001:db8:1::/48");
	assert_int_equal(w.protocol, RTPROT_BIRD);
	assert_int_equal(way(&p, "192.0.2.1", &w), 0);
	assert_true(w.local);
	assert_int_equal(way(&p, "2001:db8::1", &w), 0);
	assert_true(w.local);
	leave(&p);
}

/* The kernel takes its time to notice that a carrier is gone. */
static void assert_way_becomes(struct place *p, const char *to, const char *gateway, bool down)
{
	struct netlink_way w;
	char text[ADDR_TEXT];

	for (int i = 0; i < 500; i++) {
		assert_int_equal(way(p, to, &w), 0);
		if (!strcmp(addr_print(&w.gateway, text), gateway) && w.down == down)
			return;
		usleep(10000);
	}
	fail_msg("via %s", text);
}

static void of_several_gateways_the_first_whose_link_is_up(void **state)
{
	struct netlink_way w;
	struct place p;
	int other;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	other = namespace_device("lan1", IFF_TAP);
	assert_true(other >= 0);
	administer("ip link set lan1 up && ip addr add 192.0.2.1/24 dev lan0 && ip addr add 198.51.100.1/24 "
		   "dev lan1 &&"
		   "ip route add 10.0.0.0/8 nexthop via 192.0.2.9 nexthop via 198.51.100.9");
	assert_int_equal(way(&p, "10.2.3.4", &w), 0);
	assert_addr(&w.gateway, "192.0.2.9");
	administer("ip link set lan0 carrier off");
	assert_way_becomes(&p, "10.2.3.4", "198.51.100.9", false);
	administer("ip link set lan1 carrier off");
	assert_way_becomes(&p, "10.2.3.4", "192.0.2.9", true);
	close(other);
	leave(&p);
}

static void by_one_interface_only(void **state)
{
	struct addr a = address("fe80::5");
	struct netlink_way w;
	struct place p;
	unsigned index;
	int other;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	other = namespace_device("lan1", IFF_TAP);
	assert_true(other >= 0);
	administer("ip link set lan1 up");
	index = if_nametoindex("lan1");
	assert_int_equal(netlink_way(p.netlink, &a, index, &w), 0);
	assert_int_equal(w.ifindex, index);
	assert_addr(&w.gateway, "none");
	administer("ip link set lan1 down");
	assert_int_equal(netlink_way(p.netlink, &a, index, &w), -ENETUNREACH);
	close(other);
	leave(&p);
}

static void no_route_and_routes_that_say_so(void **state)
{
	struct netlink_way w;
	struct addr none = {0};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	administer("ip route add blackhole 10.0.0.0/8 && ip route add unreachable 10.1.0.0/16 &&"
		   "ip route add prohibit 10.2.0.0/16 && ip -6 route add unreachable 2001:db8:1::/48 &&"
		   "ip -6 route add blackhole 2001:db8:2::/48");
	assert_int_equal(way(&p, "10.9.9.9", &w), -ENETUNREACH);
	assert_int_equal(way(&p, "10.1.9.9", &w), -ENETUNREACH);
	assert_int_equal(way(&p, "10.2.9.9", &w), -ENETUNREACH);
	assert_int_equal(way(&p, "11.0.0.1", &w), -ENETUNREACH);
	assert_int_equal(way(&p, "2001:db8:1::1", &w), -ENETUNREACH);
	assert_int_equal(way(&p, "2001:db8:2::1", &w), -ENETUNREACH);
	assert_int_equal(way(&p, "2001:db8:3::1", &w), -ENETUNREACH);
	assert_int_equal(netlink_way(p.netlink, &none, 0, &w), -EINVAL);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_route_that_matched),
		cmocka_unit_test(of_several_gateways_the_first_whose_link_is_up),
		cmocka_unit_test(by_one_interface_only),
		cmocka_unit_test(no_route_and_routes_that_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

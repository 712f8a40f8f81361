/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links against the kernel itself, each test in a network namespace of its own.
 */
#include <errno.h>

#include "place.h"

static void tells_the_mac_address(void **state)
{
	struct ifreq request = {.ifr_name = "lan0"};
	uint8_t mac[6];
	struct place p;
	unsigned index;
	int tun;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	tun = namespace_device("si-test", IFF_TUN);
	assert_int_equal(netlink_interface_lladdr(p.netlink, "lan0", mac, &index), 0);
	assert_int_equal(namespace_ioctl(SIOCGIFHWADDR, &request), 0);
	assert_memory_equal(mac, request.ifr_hwaddr.sa_data, 6);
	assert_int_equal(index, if_nametoindex("lan0"));
	assert_int_equal(netlink_interface_lladdr(p.netlink, "si-test", mac, NULL), -ENODATA);
	assert_int_equal(netlink_interface_lladdr(p.netlink, "absent", mac, NULL), -ENODEV);
	close(tun);
	leave(&p);
}

static void sets_mtu_queue_and_state_of_links(void **state)
{
	struct ifreq request = {.ifr_name = "si-test"};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_link_mtu(p.netlink, "si-test", 1400), 0);
	assert_int_equal(namespace_ioctl(SIOCGIFMTU, &request), 0);
	assert_int_equal(request.ifr_mtu, 1400);
	assert_int_equal(netlink_link_queue(p.netlink, "si-test", 1000), 0);
	assert_int_equal(namespace_ioctl(SIOCGIFTXQLEN, &request), 0);
	assert_int_equal(request.ifr_qlen, 1000);
	assert_int_equal(netlink_link_up(p.netlink, "si-test", false), 0);
	assert_int_equal(namespace_ioctl(SIOCGIFFLAGS, &request), 0);
	assert_int_equal(request.ifr_flags & IFF_UP, 0);
	leave(&p);
}

static void refuses_devices_that_are_not_there(void **state)
{
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_link_up(p.netlink, "absent", true), -ENODEV);
	assert_int_equal(netlink_link_up(p.netlink, "", true), -ENODEV);
	assert_int_equal(netlink_link_up(p.netlink, "a-name-that-is-too-long", true), -ENODEV);
	assert_string_equal(netlink_error(p.netlink), "");
	assert_true(netlink_link_mtu(p.netlink, "si-test", 1) < 0);
	assert_string_not_equal(netlink_error(p.netlink), ""); /* the kernel says why */
	leave(&p);
}

static void a_bridge_joins_its_ports_at_once(void **state)
{
	unsigned index = 0, again = 0;
	struct place p;
	int other;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	other = namespace_device("lan1", IFF_TAP);
	assert_true(namespace_up("lan1"));
	assert_int_equal(netlink_bridge_index(p.netlink, "br0", &index), -ENODEV);
	assert_int_equal(netlink_bridge_add(p.netlink, "br0", &index), 0);
	assert_int_equal(index, if_nametoindex("br0"));
	assert_int_equal(netlink_bridge_add(p.netlink, "br0", &again), -EEXIST);
	assert_int_equal(netlink_bridge_add(p.netlink, "lan0", &again), -EEXIST);
	assert_int_equal(netlink_bridge_add(p.netlink, "", &again), -ENODEV);
	assert_int_equal(again, 0);
	assert_int_equal(netlink_bridge_index(p.netlink, "br0", &again), 0);
	assert_int_equal(index, again);
	assert_int_equal(netlink_bridge_index(p.netlink, "lan0", &again), -EEXIST);
	assert_int_equal(shown("ip -d link show br0", "bridge forward_delay 0 ", "stp_state 0"), 1);
	assert_int_equal(netlink_bridge_join(p.netlink, index, "lan0"), 0);
	assert_int_equal(netlink_bridge_join(p.netlink, index, "lan1"), 0);
	assert_int_equal(netlink_bridge_join(p.netlink, index, "lan1"), -EALREADY);
	assert_int_equal(netlink_bridge_join(p.netlink, index, "absent"), -ENODEV);
	assert_int_equal(netlink_link_up(p.netlink, "br0", true), 0);
	assert_int_equal(shown("ip -d link show master br0", "bridge_slave state forwarding", ""), 2);
	assert_int_equal(netlink_bridge_leave(p.netlink, index, "lan1"), 0);
	assert_int_equal(netlink_bridge_leave(p.netlink, index, "lan1"), 0);
	assert_int_equal(netlink_bridge_leave(p.netlink, index, "absent"), 0);
	assert_int_equal(shown("ip link show master br0", "lan", "UP"), 1);
	assert_int_equal(netlink_bridge_delete(p.netlink, index), 0);
	assert_int_equal(netlink_bridge_delete(p.netlink, index), 0);
	assert_int_equal(if_nametoindex("br0"), 0);
	assert_int_not_equal(if_nametoindex("lan0"), 0);
	close(other);
	leave(&p);
}

static void ports_of_others_stay_theirs(void **state)
{
	unsigned index = 0;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	administer("ip link add br1 type bridge && ip link set lan0 master br1");
	assert_int_equal(netlink_bridge_add(p.netlink, "br0", &index), 0);
	assert_int_equal(netlink_bridge_join(p.netlink, index, "lan0"), -EBUSY);
	assert_int_equal(netlink_bridge_leave(p.netlink, index, "lan0"), 0);
	assert_int_equal(shown("ip link show lan0", "master br1", ""), 1);
	assert_int_equal(netlink_bridge_delete(p.netlink, if_nametoindex("lan0")), -EEXIST);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_mac_address),
		cmocka_unit_test(sets_mtu_queue_and_state_of_links),
		cmocka_unit_test(refuses_devices_that_are_not_there),
		cmocka_unit_test(a_bridge_joins_its_ports_at_once),
		cmocka_unit_test(ports_of_others_stay_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

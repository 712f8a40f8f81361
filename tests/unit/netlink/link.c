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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_mac_address),
		cmocka_unit_test(sets_mtu_queue_and_state_of_links),
		cmocka_unit_test(refuses_devices_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

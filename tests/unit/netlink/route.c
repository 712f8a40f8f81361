/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes, and where packets go, against the kernel itself, each test in a network namespace of its own.
 */
#include <errno.h>
#include <net/route.h>
#include <sys/wait.h>

#include "place.h"

static const char net6[] = "20010db8000000010000000000000000";
static const char any6[] = "00000000000000000000000000000000";

static void refuses_what_makes_no_sense(void **state)
{
	struct prefix dst = prefix("2001:db8::/32"), dst4 = prefix("198.51.100.0/24"), none = {0};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_route(p.netlink, true, &dst, false, NULL, NULL, 1), -EINVAL);
	assert_int_equal(netlink_route(p.netlink, true, &none, false, "si-test", NULL, 1), -EINVAL);
	dst4.len = 33;
	assert_int_equal(netlink_route(p.netlink, true, &dst4, false, "si-test", NULL, 1), -EINVAL);
	assert_int_equal(netlink_route(p.netlink, true, &dst, false, "absent", NULL, 1), -ENODEV);
	assert_int_equal(netlink_route(p.netlink, false, &dst, false, "absent", NULL, 1), 0);
	leave(&p);
}

static void adds_replaces_and_deletes_routes(void **state)
{
	struct prefix all = prefix("::/0"), dst4 = prefix("198.51.100.0/24");
	struct addr a = address("2001:db8:0:1::1"), other = address("2001:db8:0:1::2");
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 64, FOREVER, FOREVER), 0);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &other, 64, FOREVER, FOREVER), 0);
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "si-test", &a, 1024), 0);
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "si-test", &other, 1024), 0);
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "si-test", NULL, 0), 0);
	assert_int_equal(namespace_routes6(any6, 0, "si-test", RTF_UP), 1);
	assert_int_equal(netlink_route(p.netlink, false, &all, false, "si-test", NULL, 1024), 0);
	assert_int_equal(namespace_routes6(any6, 0, "si-test", RTF_UP), 0);
	assert_int_equal(netlink_route(p.netlink, false, &all, false, "si-test", NULL, 1024), 0);
	assert_int_equal(netlink_route(p.netlink, true, &dst4, false, "si-test", NULL, 7), 0);
	assert_int_equal(netlink_route(p.netlink, true, &dst4, false, "si-test", NULL, 7), 0);
	assert_int_equal(namespace_count("/proc/net/route", "si-test", "006433C6"), 1);
	assert_int_equal(netlink_route(p.netlink, false, &dst4, false, "si-test", NULL, 7), 0);
	assert_int_equal(namespace_count("/proc/net/route", "si-test", ""), 0);
	assert_int_equal(netlink_route(p.netlink, false, &dst4, false, "si-test", NULL, 7), 0);
	leave(&p);
}

static void unreachable_routes_have_no_device(void **state)
{
	struct prefix dst = prefix("2001:db8:0:1::/64"), dst4 = prefix("198.51.100.0/24");
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_route(p.netlink, true, &dst, true, NULL, NULL, 2000), 0);
	assert_int_equal(netlink_route(p.netlink, true, &dst, true, NULL, NULL, 2000), 0);
	assert_int_equal(namespace_routes6(net6, 64, "lo", RTF_REJECT), 1);
	assert_int_equal(netlink_route(p.netlink, true, &dst4, true, NULL, NULL, 2000), 0);
	assert_int_equal(netlink_route(p.netlink, true, &dst4, true, NULL, NULL, 2000), 0);
	assert_int_equal(namespace_count("/proc/net/route", "*", "006433C6"), 1);
	/* A route over a device may stand before it. */
	assert_int_equal(netlink_route(p.netlink, true, &dst, false, "si-test", NULL, 1000), 0);
	assert_int_equal(netlink_route(p.netlink, false, &dst, true, NULL, NULL, 2000), 0);
	assert_int_equal(namespace_routes6(net6, 64, "lo", RTF_REJECT), 0);
	assert_int_equal(namespace_routes6(net6, 64, "si-test", RTF_UP), 1);
	assert_int_equal(netlink_route(p.netlink, false, &dst4, true, NULL, NULL, 2000), 0);
	assert_int_equal(namespace_count("/proc/net/route", "*", "006433C6"), 0);
	leave(&p);
}

/* As if the host had a default route of its own. */
static void add_foreign_routes(const char *device)
{
	struct in6_rtmsg r6 = {
		.rtmsg_flags = RTF_UP, .rtmsg_metric = 1024, .rtmsg_ifindex = (int)if_nametoindex(device)};
	char name[IFNAMSIZ] = "";
	struct rtentry r4 = {.rt_dst.sa_family = AF_INET,
		.rt_genmask.sa_family = AF_INET,
		.rt_flags = RTF_UP,
		.rt_dev = name};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	    fd4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(name, device, IFNAMSIZ - 1);
	assert_int_equal(ioctl(fd, SIOCADDRT, &r6), 0);
	assert_int_equal(ioctl(fd4, SIOCADDRT, &r4), 0);
	close(fd);
	close(fd4);
}

static void spares_the_routes_of_others(void **state)
{
	struct prefix all = prefix("::/0"), all4 = prefix("0.0.0.0/0");
	struct place p;
	int lan;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	lan = namespace_device("lan0", IFF_TAP);
	assert_int_equal(netlink_link_up(p.netlink, "lan0", true), 0);
	add_foreign_routes("lan0");
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "si-test", NULL, 1024), -EEXIST);
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "lan0", NULL, 1024), -EEXIST);
	assert_int_equal(netlink_route(p.netlink, true, &all4, false, "si-test", NULL, 0), -EEXIST);
	assert_int_equal(netlink_route(p.netlink, false, &all, false, "lan0", NULL, 1024), 0);
	assert_int_equal(netlink_route(p.netlink, false, &all4, false, "lan0", NULL, 0), 0);
	assert_int_equal(namespace_routes6(any6, 0, "lan0", RTF_UP), 1);
	assert_int_equal(namespace_count("/proc/net/route", "lan0", "00000000"), 1);
	/* Beside it, with another metric, there is room. */
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "si-test", NULL, 1025), 0);
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "si-test", NULL, 1025), 0);
	assert_int_equal(netlink_route(p.netlink, true, &all4, false, "si-test", NULL, 1025), 0);
	assert_int_equal(netlink_route(p.netlink, false, &all, false, "si-test", NULL, 1025), 0);
	assert_int_equal(namespace_routes6(any6, 0, "lan0", RTF_UP), 1);
	close(lan);
	leave(&p);
}

static void ipv4_defaults_and_host_routes_lead_into_the_tun(void **state)
{
	struct prefix all = prefix("0.0.0.0/0"), host = prefix("192.0.2.7/32");
	struct addr a = address("198.51.100.1");
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 32, FOREVER, FOREVER), 0);
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "si-test", &a, 1024), 0);
	assert_int_equal(netlink_route(p.netlink, true, &host, false, "si-test", NULL, 0), 0);
	assert_int_equal(shown("ip -4 route", "default dev si-test", "src 198.51.100.1 metric 1024"), 1);
	assert_int_equal(shown("ip -4 route", "192.0.2.7 dev si-test", "scope link"), 1);
	/* The same with another source or none: replaced. */
	assert_int_equal(netlink_route(p.netlink, true, &all, false, "si-test", NULL, 1024), 0);
	assert_int_equal(shown("ip -4 route", "default dev si-test", "metric 1024"), 1);
	assert_int_equal(shown("ip -4 route", "default", "src"), 0);
	assert_int_equal(netlink_route(p.netlink, false, &all, false, "si-test", NULL, 1024), 0);
	assert_int_equal(netlink_route(p.netlink, false, &host, false, "si-test", NULL, 0), 0);
	assert_int_equal(shown("ip -4 route", "", ""), 0);
	leave(&p);
}

static void path_mtu_is_the_interfaces_or_the_routes(void **state)
{
	struct prefix dst = prefix("2001:db8:5::/48"), gone = prefix("2001:db8:6::/48"),
		      gone4 = prefix("198.51.100.0/24");
	struct addr a = address("2001:db8:0:1::1"), there = address("2001:db8:5::9"),
		    nowhere = address("2001:db8:7::1"), refused = address("2001:db8:6::1"),
		    refused4 = address("198.51.100.1"), none = {0}, source;
	struct place p;
	unsigned index;
	uint32_t mtu;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_link_mtu(p.netlink, "si-test", 1404), 0);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 64, FOREVER, FOREVER), 0);
	assert_int_equal(netlink_route(p.netlink, true, &dst, false, "si-test", NULL, 0), 0);
	assert_int_equal(netlink_path_mtu(p.netlink, &there, &mtu, &source, &index), 0);
	assert_int_equal(mtu, 1404);
	assert_true(addr_equal(&source, &a));
	assert_int_equal(index, if_nametoindex("si-test"));
	assert_int_equal(netlink_path_mtu(p.netlink, &there, NULL, NULL, NULL), 0);
	mtu = 7;
	assert_int_equal(netlink_path_mtu(p.netlink, &nowhere, &mtu, NULL, NULL), -ENETUNREACH);
	assert_int_equal(netlink_route(p.netlink, true, &gone, true, NULL, NULL, 0), 0);
	assert_int_equal(netlink_route(p.netlink, true, &gone4, true, NULL, NULL, 0), 0);
	assert_int_equal(netlink_path_mtu(p.netlink, &refused, &mtu, NULL, NULL), -ENETUNREACH);
	assert_int_equal(netlink_path_mtu(p.netlink, &refused4, &mtu, NULL, NULL), -ENETUNREACH);
	assert_int_equal(netlink_path_mtu(p.netlink, &none, &mtu, NULL, NULL), -EINVAL);
	assert_int_equal(mtu, 7);
	leave(&p);
}

/* A softwire that brings the family that carries it: its default route is the better one, and must not carry it. */
static void a_path_may_be_asked_for_by_interface(void **state)
{
	static const char *const defaults[] = {"ip -4 route add default dev si-test metric 100",
		"ip -6 route add default dev si-test metric 100",
		"ip -4 route add default dev wan metric 200", "ip -6 route add default dev wan metric 200"};
	struct addr there[] = {address("198.51.100.1"), address("2001:db8:6::1")};
	unsigned softwire, wan, index;
	struct place p;
	uint32_t mtu;
	int device;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	device = namespace_device("wan", IFF_TUN);
	assert_true(device >= 0);
	assert_int_equal(netlink_link_no_autoconf(p.netlink, "wan"), 0);
	assert_int_equal(netlink_link_up(p.netlink, "wan", true), 0);
	assert_int_equal(netlink_link_mtu(p.netlink, "wan", 1492), 0);
	softwire = if_nametoindex("si-test");
	wan = if_nametoindex("wan");
	for (unsigned f = 0; f < 2; f++) {
		struct addr own = address(f ? "2001:db8::2" : "203.0.113.2");

		assert_int_equal(
			netlink_address(p.netlink, true, "wan", &own, f ? 128 : 32, FOREVER, FOREVER), 0);
		administer(defaults[f]);
		assert_int_equal(
			netlink_path_mtu_by(p.netlink, &there[f], wan, NULL, NULL, NULL), -ENETUNREACH);
		administer(defaults[2 + f]);
		assert_int_equal(netlink_path_mtu(p.netlink, &there[f], NULL, NULL, &index), 0);
		assert_int_equal(index, softwire);
		assert_int_equal(netlink_path_mtu_by(p.netlink, &there[f], wan, &mtu, NULL, &index), 0);
		assert_int_equal(index, wan);
		assert_int_equal(mtu, 1492);
	}
	close(device);
	leave(&p);
}

static void ways_that_lead_nowhere_are_none(void **state)
{
	static const char *const kinds[] = {"unreachable", "prohibit", "blackhole", "throw"};
	static const char *const family[] = {"-4", "-6"}, *const dst[] = {
								  "198.51.100.0/24", "2001:db8:6::/48"};
	struct addr inside[] = {address("198.51.100.1"), address("2001:db8:6::1")};
	char command[128];
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	for (unsigned f = 0; f < 2; f++) {
		assert_int_equal(netlink_path_mtu(p.netlink, &inside[f], NULL, NULL, NULL), -ENETUNREACH);
		for (unsigned i = 0; i < 4; i++) {
			snprintf(command, sizeof(command), "ip %s route add %s %s", family[f], kinds[i],
				dst[f]);
			administer(command);
			if (netlink_path_mtu(p.netlink, &inside[f], NULL, NULL, NULL) != -ENETUNREACH)
				fail_msg("%s %s", kinds[i], dst[f]);
			snprintf(command, sizeof(command), "ip %s route del %s %s", family[f], kinds[i],
				dst[f]);
			administer(command);
		}
	}
	leave(&p);
}

static int ask_as_nobody(void)
{
	struct addr there = address("2001:db8:5::9"), there4 = address("192.0.2.9"),
		    gone = address("2001:db8:6::1"), gone4 = address("198.51.100.1");
	uint32_t mtu = 0;
	struct netlink *n;
	int r;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 1;
	n = netlink_open();
	if (!n)
		return 2;
	r = netlink_path_mtu(n, &there, &mtu, NULL, NULL) || mtu != 1500 ? 3 : 0;
	if (netlink_path_mtu(n, &there4, &mtu, NULL, NULL) || mtu != 1500)
		r = 4;
	if (netlink_path_mtu(n, &gone, &mtu, NULL, NULL) != -ENETUNREACH ||
		netlink_path_mtu(n, &gone4, &mtu, NULL, NULL) != -ENETUNREACH)
		r = 5;
	if (netlink_link_mtu(n, "si-test", 1400) != -EPERM)
		r = 6;
	netlink_close(n);
	return r;
}

static void path_mtu_needs_no_privilege(void **state)
{
	struct prefix dst = prefix("2001:db8:5::/48"), dst4 = prefix("192.0.2.0/24");
	struct place p;
	int status;
	pid_t pid;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_route(p.netlink, true, &dst, false, "si-test", NULL, 0), 0);
	assert_int_equal(netlink_route(p.netlink, true, &dst4, false, "si-test", NULL, 0), 0);
	pid = fork();
	if (!pid)
		_exit(ask_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(adds_replaces_and_deletes_routes),
		cmocka_unit_test(unreachable_routes_have_no_device),
		cmocka_unit_test(spares_the_routes_of_others),
		cmocka_unit_test(ipv4_defaults_and_host_routes_lead_into_the_tun),
		cmocka_unit_test(path_mtu_is_the_interfaces_or_the_routes),
		cmocka_unit_test(a_path_may_be_asked_for_by_interface),
		cmocka_unit_test(ways_that_lead_nowhere_are_none),
		cmocka_unit_test(path_mtu_needs_no_privilege),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

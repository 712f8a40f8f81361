/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, routes and links against the kernel itself, each test in a network namespace of its own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <linux/if_addr.h>
#include <net/route.h>

#include "namespace.h"
#include "netlink/route.h"

#define FOREVER 0xffffffffU

static const char link6[] = "20010db8000000010000000000000001";
static const char net6[] = "20010db8000000010000000000000000";
static const char any6[] = "00000000000000000000000000000000";

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

struct place {
	struct netlink *netlink;
	int device; /* TUN si-test or TAP lan0, up */
};

static struct place enter(const char *name, int kind)
{
	struct place p;

	assert_true(namespace_up("lo"));
	p.netlink = netlink_open();
	assert_non_null(p.netlink);
	p.device = namespace_device(name, kind);
	assert_true(p.device >= 0);
	if (kind == IFF_TUN)
		assert_int_equal(netlink_link_no_autoconf(p.netlink, name), 0);
	assert_int_equal(netlink_link_up(p.netlink, name, true), 0);
	return p;
}

static void leave(struct place *p)
{
	close(p->device);
	netlink_close(p->netlink);
}

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

static void refuses_what_makes_no_sense(void **state)
{
	struct addr a = address("2001:db8::1"), none = {0};
	struct prefix dst = prefix("2001:db8::/32");
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 64, 0, 0), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 64, 10, 11), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &a, 129, 10, 10), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "si-test", &none, 0, 10, 10), -EINVAL);
	assert_int_equal(netlink_address(p.netlink, true, "absent", &a, 64, 10, 10), -ENODEV);
	assert_int_equal(netlink_address(p.netlink, false, "absent", &a, 64, 10, 10), 0);
	assert_int_equal(netlink_route(p.netlink, true, &dst, false, NULL, NULL, 1), -EINVAL);
	assert_int_equal(netlink_route(p.netlink, true, &dst, false, "absent", NULL, 1), -ENODEV);
	assert_int_equal(netlink_route(p.netlink, false, &dst, false, "absent", NULL, 1), 0);
	assert_int_equal(netlink_link_up(p.netlink, "absent", true), -ENODEV);
	assert_int_equal(netlink_link_up(p.netlink, "", true), -ENODEV);
	assert_int_equal(netlink_link_up(p.netlink, "a-name-that-is-too-long", true), -ENODEV);
	assert_string_equal(netlink_error(p.netlink), "");
	assert_true(netlink_link_mtu(p.netlink, "si-test", 1) < 0);
	assert_string_not_equal(netlink_error(p.netlink), ""); /* the kernel says why */
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

static int ask_as_nobody(void)
{
	struct addr there = address("2001:db8:5::9");
	uint32_t mtu = 0;
	struct netlink *n;
	int r;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 1;
	n = netlink_open();
	if (!n)
		return 2;
	r = netlink_path_mtu(n, &there, &mtu, NULL, NULL) || mtu != 1500 ? 3 : 0;
	if (netlink_link_mtu(n, "si-test", 1400) != -EPERM)
		r = 4;
	netlink_close(n);
	return r;
}

static void path_mtu_needs_no_privilege(void **state)
{
	struct prefix dst = prefix("2001:db8:5::/48");
	struct place p;
	int status;
	pid_t pid;

	NAMESPACE_OR_SKIP();
	p = enter("si-test", IFF_TUN);
	assert_int_equal(netlink_route(p.netlink, true, &dst, false, "si-test", NULL, 0), 0);
	pid = fork();
	if (!pid)
		_exit(ask_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	leave(&p);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tun_addresses_need_no_dad_and_bring_no_route),
		cmocka_unit_test(link_local_on_a_tun_brings_its_link),
		cmocka_unit_test(lan_addresses_get_the_kernels_dad_and_an_on_link_route),
		cmocka_unit_test(adding_again_renews_the_lifetimes),
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(adds_replaces_and_deletes_routes),
		cmocka_unit_test(unreachable_routes_have_no_device),
		cmocka_unit_test(spares_the_routes_of_others),
		cmocka_unit_test(path_mtu_is_the_interfaces_or_the_routes),
		cmocka_unit_test(path_mtu_needs_no_privilege),
		cmocka_unit_test(tells_the_mac_address),
		cmocka_unit_test(sets_mtu_queue_and_state_of_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Permanent neighbours against the kernel itself: hundreds at once, and what is left of them when the carrier goes. */
#include <errno.h>

#include "place.h"

enum { MANY = 2000 }; /* more than net.ipv6.neigh.default.gc_thresh3, which is not for permanent ones */

static void fill(struct netlink_neighbour *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		list[i] = (struct netlink_neighbour){{AF_INET6, {0xfe, 0x80}}, {2}};
		list[i].address.bytes[14] = list[i].lladdr[4] = (uint8_t)((i + 1) >> 8);
		list[i].address.bytes[15] = list[i].lladdr[5] = (uint8_t)(i + 1);
	}
}

static int permanent(const char *a, const char *b)
{
	return shown("ip neigh show dev lan0 nud permanent | grep -v ff02:", a, b);
}

static void many_come_and_go_at_once(void **state)
{
	struct netlink_neighbour list[MANY];
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	fill(list, MANY);
	assert_int_equal(netlink_neighbours(p.netlink, true, "lan0", list, MANY), 0);
	assert_int_equal(permanent("", ""), MANY);
	assert_int_equal(permanent("fe80::7d0 lladdr 02:00:00:00:07:d0 PERMANENT", ""), 1);
	assert_int_equal(netlink_neighbours(p.netlink, true, "lan0", list, MANY), 0); /* again */
	assert_int_equal(permanent("", ""), MANY);
	assert_int_equal(netlink_neighbours(p.netlink, false, "lan0", list, MANY - 1), 0);
	assert_int_equal(permanent("", ""), 1);
	assert_int_equal(
		netlink_neighbours(p.netlink, false, "lan0", list, MANY), 0); /* most are gone already */
	assert_int_equal(permanent("", ""), 0);
	leave(&p);
}

static void both_families_and_another_link_layer_address(void **state)
{
	struct netlink_neighbour list[] = {
		{address("192.0.2.9"), {2, 0, 0, 0, 0, 9}}, {address("2001:db8::9"), {2, 0, 0, 0, 0, 9}}};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	assert_int_equal(netlink_neighbours(p.netlink, true, "lan0", list, 2), 0);
	assert_int_equal(permanent("192.0.2.9 lladdr 02:00:00:00:00:09", ""), 1);
	assert_int_equal(permanent("2001:db8::9 lladdr 02:00:00:00:00:09", ""), 1);
	list[0].lladdr[5] = 8;
	assert_int_equal(netlink_neighbours(p.netlink, true, "lan0", list, 1), 0);
	assert_int_equal(permanent("192.0.2.9 lladdr 02:00:00:00:00:08", ""), 1);
	leave(&p);
}

static void set_carrier(const struct place *p, int on)
{
	bool seen = false;

	assert_int_equal(ioctl(p->device, TUNSETCARRIER, &on), 0);
	for (int i = 0; i < 200 && !seen; i++) { /* the kernel takes its time to tell itself */
		seen = shown("ip link show dev lan0", on ? "LOWER_UP" : "NO-CARRIER", "") == 1;
		if (!seen)
			usleep(10000);
	}
	assert_true(seen);
}

/* Those that the kernel has found out by itself go then. */
static void they_stay_without_a_carrier(void **state)
{
	struct netlink_neighbour list[3];
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	fill(list, 3);
	assert_int_equal(netlink_neighbours(p.netlink, true, "lan0", list, 3), 0);
	administer("ip neigh add fe80::99 lladdr 02:00:00:00:00:99 dev lan0 nud reachable");
	set_carrier(&p, 0);
	assert_int_equal(permanent("", ""), 3);
	assert_int_equal(shown("ip neigh show dev lan0", "fe80::99", "REACHABLE"), 0);
	set_carrier(&p, 1);
	assert_int_equal(permanent("lladdr", "PERMANENT"), 3);
	leave(&p);
}

static void what_cannot_be(void **state)
{
	struct netlink_neighbour list[2] = {{.lladdr = {2}}};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter("lan0", IFF_TAP);
	assert_int_equal(netlink_neighbours(p.netlink, true, "lan0", list, 1), -EINVAL);
	fill(list, 2);
	assert_int_equal(netlink_neighbours(p.netlink, true, "lan9", list, 1), -ENODEV);
	assert_int_equal(netlink_neighbours(p.netlink, false, "lan9", list, 1), 0);
	list[0].address = address("ff02::7"); /* the others come all the same */
	assert_true(netlink_neighbours(p.netlink, true, "lan0", list, 2) <= 0);
	assert_int_equal(permanent("fe80::2 ", ""), 1);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_come_and_go_at_once),
		cmocka_unit_test(both_families_and_another_link_layer_address),
		cmocka_unit_test(they_stay_without_a_carrier),
		cmocka_unit_test(what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

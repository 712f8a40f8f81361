/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many routes at a time against the kernel itself: what is ours, what is others', and what happens where both want the same place.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "netlink/fib.h"
#include "place.h"

enum { MAIN = 254, METRIC = 20 };

static struct place enter_with_addresses(void)
{
	struct place p = enter("lan0", IFF_TAP);

	administer("ip addr add 192.0.2.1/24 dev lan0 && ip addr add 2001:db8::1/64 dev lan0 nodad");
	return p;
}

static struct netlink_bgp_route route(bool add, const char *dst, const char *gateway)
{
	struct netlink_bgp_route r = {.add = add, .dst = prefix(dst), .error = 1};

	if (add) {
		r.gateway = address(gateway);
		r.ifindex = if_nametoindex("lan0");
	}
	return r;
}

/* One route; what became of it. */
static int put_in(struct place *p, uint32_t table, bool add, const char *dst, const char *gateway)
{
	struct netlink_bgp_route r = route(add, dst, gateway);

	assert_int_equal(netlink_bgp_routes(p->netlink, table, METRIC, &r, 1), 0);
	return r.error;
}

static int put(struct place *p, bool add, const char *dst, const char *gateway)
{
	return put_in(p, MAIN, add, dst, gateway);
}

static int has4(const char *a, const char *b)
{
	return shown("ip -4 route show table all", a, b);
}

static int has6(const char *a, const char *b)
{
	return shown("ip -6 route show table all", a, b);
}

static void routes_of_both_families_and_with_either_gateway(void **state)
{
	struct netlink_bgp_route routes[4];
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	routes[0] = route(true, "198.51.100.0/24", "192.0.2.9");
	routes[1] = route(true, "203.0.113.0/24", "fe80::9"); /* RFC 8950 */
	routes[2] = route(true, "2001:db8:100::/40", "2001:db8::9");
	routes[3] = route(true, "0.0.0.0/0", "192.0.2.9");
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, METRIC, routes, 4), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(routes[i].error, 0);
	assert_int_equal(has4("198.51.100.0/24 via 192.0.2.9 dev lan0 proto 172 metric 20", ""), 1);
	assert_int_equal(has4("203.0.113.0/24 via inet6 fe80::9 dev lan0 proto 172 metric 20", ""), 1);
	assert_int_equal(has6("2001:db8:100::/40 via 2001:db8::9 dev lan0 proto 172 metric 20", ""), 1);
	assert_int_equal(has4("default via 192.0.2.9 dev lan0 proto 172 metric 20", ""), 1);
	routes[0] = route(false, "198.51.100.0/24", NULL);
	routes[1] = route(false, "203.0.113.0/24", NULL);
	routes[2] = route(false, "2001:db8:100::/40", NULL);
	routes[3] = route(false, "192.88.99.0/24", NULL); /* never was there */
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, METRIC, routes, 4), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(routes[i].error, 0);
	assert_int_equal(has4("proto 172", ""), 1);
	assert_int_equal(has6("proto 172", ""), 0);
	leave(&p);
}

static void each_error_is_told_with_its_route(void **state)
{
	struct netlink_bgp_route routes[3];
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	routes[0] = route(true, "198.51.100.0/24", "192.0.2.9");
	routes[1] = route(true, "198.51.101.0/24", "10.9.9.9"); /* not on the link */
	routes[2] = route(true, "198.51.102.0/24", "192.0.2.9");
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, METRIC, routes, 3), 0);
	assert_int_equal(routes[0].error, 0);
	assert_int_equal(routes[1].error, -ENETUNREACH);
	assert_int_equal(routes[2].error, 0);
	assert_string_not_equal(netlink_error(p.netlink), "");
	routes[2] = route(true, "198.51.103.0/24", "10.9.9.9"); /* the last one, which is acknowledged */
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, METRIC, routes + 2, 1), 0);
	assert_int_equal(routes[2].error, -ENETUNREACH);
	routes[1].on_link = true;
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, METRIC, routes + 1, 1), 0);
	assert_int_equal(routes[1].error, 0);
	assert_int_equal(has4("198.51.101.0/24 via 10.9.9.9", "onlink"), 1);
	leave(&p);
}

static void another_gateway_takes_the_place_of_the_first(void **state)
{
	static const char *const to[] = {
		"198.51.100.0/24", "2001:db8:100::/40", "0.0.0.0/0", "::/0", "198.51.100.7/32"};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	for (unsigned i = 0; i < 5; i++) {
		bool six = strchr(to[i], ':') != NULL;

		assert_int_equal(put(&p, true, to[i], six ? "2001:db8::9" : "192.0.2.9"), 0);
		assert_int_equal(put(&p, true, to[i], six ? "2001:db8::9" : "192.0.2.9"), 0);
		assert_int_equal(put(&p, true, to[i], six ? "fe80::8" : "192.0.2.8"), 0);
		assert_int_equal(put(&p, true, to[i], six ? "2001:db8::7" : "fe80::7"), 0);
	}
	assert_int_equal(has4("proto 172", ""), 3);
	assert_int_equal(has4("via inet6 fe80::7 dev lan0 proto 172", ""), 3);
	assert_int_equal(has6("via 2001:db8::7 dev lan0 proto 172", ""), 2);
	assert_int_equal(has6("proto 172", ""), 2);
	leave(&p);
}

/* Where no packet would find it: other tables, and behind a longer prefix that has its last address. */
static void a_hidden_one_is_replaced_too(void **state)
{
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	assert_int_equal(put_in(&p, 1000, true, "198.51.100.0/24", "192.0.2.9"), 0);
	assert_int_equal(put_in(&p, 1000, true, "198.51.100.0/24", "192.0.2.8"), 0);
	assert_int_equal(shown("ip -4 route show table 1000", "via 192.0.2.8 dev lan0 proto 172", ""), 1);
	assert_int_equal(shown("ip -4 route show table 1000", "", ""), 1);
	assert_int_equal(put(&p, true, "198.51.100.0/24", "192.0.2.9"), 0);
	assert_int_equal(put(&p, true, "198.51.100.255/32", "192.0.2.9"), 0);
	assert_int_equal(put(&p, true, "198.51.100.0/24", "192.0.2.8"), 0);
	assert_int_equal(shown("ip -4 route show table main", "198.51.100.0/24 via 192.0.2.8", ""), 1);
	assert_int_equal(shown("ip -4 route show table main", "198.51.100.0/24", ""), 1);
	leave(&p);
}

static void what_others_have_put_there_stays(void **state)
{
	static const char *const theirs[] = {
		"ip -4 route add 198.51.100.0/24 via 192.0.2.3 proto bgp metric 20",
		"ip -6 route add 2001:db8:100::/40 via 2001:db8::3 proto bird metric 20",
		"ip -6 route add 2001:db8:200::/40 dev lan0 proto static metric 20",
	};
	struct netlink_bgp_route r;
	struct place p;
	unsigned count;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	for (unsigned i = 0; i < 3; i++)
		administer(theirs[i]);
	assert_int_equal(put(&p, true, "198.51.100.0/24", "192.0.2.9"), -EEXIST);
	assert_int_equal(put(&p, true, "2001:db8:100::/40", "2001:db8::9"), -EEXIST);
	assert_int_equal(put(&p, true, "2001:db8:200::/40", "2001:db8::9"), -EEXIST);
	assert_int_equal(put(&p, false, "198.51.100.0/24", NULL), 0);
	assert_int_equal(put(&p, false, "2001:db8:100::/40", NULL), 0);
	/* With another metric there is room beside them. */
	r = route(true, "198.51.100.0/24", "192.0.2.9");
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, METRIC + 1, &r, 1), 0);
	assert_int_equal(r.error, 0);
	assert_int_equal(netlink_bgp_flush(p.netlink, MAIN, METRIC, 100, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(has4("198.51.100.0/24 via 192.0.2.3 dev lan0 proto bgp metric 20", ""), 1);
	assert_int_equal(has4("198.51.100.0/24 via 192.0.2.9 dev lan0 proto 172 metric 21", ""), 1);
	assert_int_equal(has6("2001:db8:100::/40 via 2001:db8::3 dev lan0 proto bird metric 20", ""), 1);
	assert_int_equal(has6("2001:db8:200::/40 dev lan0 proto static metric 20", ""), 1);
	leave(&p);
}

static void fill(struct place *p, uint32_t table, unsigned count)
{
	for (unsigned i = 0; i < count; i += NETLINK_BATCH) {
		struct netlink_bgp_route routes[NETLINK_BATCH];
		unsigned n = count - i < NETLINK_BATCH ? count - i : NETLINK_BATCH;

		for (unsigned k = 0; k < n; k++) {
			routes[k] = route(true, "0.0.0.0/0", "192.0.2.9");
			routes[k].dst.addr = addr4(10, (uint8_t)((i + k) >> 8), (uint8_t)(i + k), 0);
			routes[k].dst.len = 24;
		}
		assert_int_equal(netlink_bgp_routes(p->netlink, table, METRIC, routes, n), 0);
		for (unsigned k = 0; k < n; k++)
			assert_int_equal(routes[k].error, 0);
	}
}

static void a_flush_takes_ours_of_one_table_and_metric(void **state)
{
	unsigned count, slices = 0, all = 0;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	fill(&p, MAIN, 1000);
	fill(&p, 1000, 3);
	assert_int_equal(put(&p, true, "2001:db8:100::/40", "2001:db8::9"), 0);
	do {
		assert_int_equal(netlink_bgp_flush(p.netlink, MAIN, METRIC, 300, &count), 0);
		all += count;
		slices++;
	} while (count);
	assert_int_equal(all, 1001);
	assert_int_equal(slices, 5);
	assert_int_equal(shown("ip -4 route show table main", "proto 172", ""), 0);
	assert_int_equal(shown("ip -6 route show table main", "proto 172", ""), 0);
	assert_int_equal(shown("ip -4 route show table 1000", "proto 172", ""), 3);
	assert_int_equal(
		netlink_bgp_flush(p.netlink, 4711, METRIC, 300, &count), 0); /* there is no such table */
	assert_int_equal(count, 0);
	leave(&p);
}

/* Somebody has made them by hand: a request of ours never meets them, and whoever waits until none is left must not wait for ever. */
static void what_no_request_of_ours_deletes_is_not_ours(void **state)
{
	unsigned count;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	administer("ip route add 198.51.100.0/24 tos 0x10 via 192.0.2.9 proto 172 metric 20");
	administer("ip -6 route add 2001:db8:100::/40 from 2001:db8::/64 via fe80::9 dev lan0 proto 172 metric 20 "
		   "2>/dev/null || true"); /* not every kernel has them */
	assert_int_equal(put(&p, true, "198.51.100.0/24", "192.0.2.9"), 0);
	assert_int_equal(netlink_bgp_flush(p.netlink, MAIN, METRIC, 100, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(netlink_bgp_flush(p.netlink, MAIN, METRIC, 100, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(has4("198.51.100.0/24", "proto 172"), 1);
	leave(&p);
}

/* ---- routes of a softwire mesh: all by one device, and only the number in the gateway tells them apart ---- */

enum { MESH_ROUTES = 5000 };

/* COUNT routes of each family to path NUMBER. */
static void put_mesh(struct place *p, unsigned count, uint8_t number)
{
	struct netlink_bgp_route routes[NETLINK_BATCH];
	unsigned ifindex = if_nametoindex("softwire0"), n = 0;

	for (unsigned i = 0; i < 2 * count; i++) {
		struct netlink_bgp_route *r = &routes[n++];

		*r = (struct netlink_bgp_route){.add = true, .ifindex = ifindex, .gateway = {AF_INET6, {0xfe, 0x80, [15] = number}}};
		r->dst = i & 1 ? (struct prefix){{AF_INET6, {0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 9), (uint8_t)(i >> 1)}}, 48}
			       : (struct prefix){addr4(10, (uint8_t)(i >> 9), (uint8_t)(i >> 1), 0), 24};
		if (n < NETLINK_BATCH && i + 1 < 2 * count)
			continue;
		assert_int_equal(netlink_bgp_routes(p->netlink, MAIN, METRIC, routes, n), 0);
		for (unsigned k = 0; k < n; k++)
			assert_int_equal(routes[k].error, 0);
		n = 0;
	}
}

struct watch {
	volatile int looks, misses, end;
};

/* Looks routes up, one after the other, as packets would find them. */
static void look_on(struct watch *w)
{
	struct netlink *n = netlink_open();

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (unsigned i = 0; n && !w->end; i = (i + 7) % MESH_ROUTES) {
		const struct addr to4 = addr4(10, (uint8_t)(i >> 8), (uint8_t)i, 1),
				  to6 = {AF_INET6, {0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 8), (uint8_t)i, [15] = 1}};
		struct netlink_way way = {0};

		w->misses += netlink_way(n, &to4, 0, &way) || way.route.len != 24 || way.gateway.family != AF_INET6;
		w->misses += netlink_way(n, &to6, 0, &way) || way.route.len != 48;
		w->looks++;
	}
	_exit(0);
}

static void another_path_takes_their_place_without_a_gap(void **state)
{
	struct watch *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct netlink_rule border = {"lan0", false, prefix("10.0.0.0/8")}; /* is for packets only, not for looks */
	struct place p;
	pid_t watcher;
	int before;

	assert_true(w != MAP_FAILED);
	NAMESPACE_OR_SKIP();
	p = enter("softwire0", IFF_TAP);
	put_mesh(&p, MESH_ROUTES, 7);
	assert_int_equal(netlink_rules(p.netlink, &border, 1), 0);
	assert_int_equal(has4("via inet6 fe80::7 dev softwire0 proto 172", ""), MESH_ROUTES);
	assert_int_equal(has6("via fe80::7 dev softwire0 proto 172", ""), MESH_ROUTES);
	watcher = fork();
	if (!watcher)
		look_on(w);
	for (uint8_t number = 8; number <= 9; number++) {
		before = w->looks;
		put_mesh(&p, MESH_ROUTES, number);
		assert_true(w->looks > before);
	}
	w->end = 1;
	assert_int_equal(waitpid(watcher, NULL, 0), watcher);
	assert_int_equal(w->misses, 0);
	assert_int_equal(has4("via inet6 fe80::9 dev softwire0 proto 172", ""), MESH_ROUTES);
	assert_int_equal(has4("proto 172", ""), MESH_ROUTES);
	assert_int_equal(has6("via fe80::9 dev softwire0 proto 172", ""), MESH_ROUTES);
	assert_int_equal(has6("proto 172", ""), MESH_ROUTES);
	munmap(w, sizeof(*w));
	leave(&p);
}

/* How many routes the kernel says have come, or have been replaced. */
static int changes(int fd)
{
	char bytes[8192] __attribute__((aligned(8)));
	ssize_t len;
	int count = 0;

	while ((len = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		for (struct nlmsghdr *h = (struct nlmsghdr *)bytes; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len))
			count += h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_DELROUTE;
	return count;
}

static void what_is_already_so_is_not_written_again(void **state)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
	struct place p;
	int fd;

	NAMESPACE_OR_SKIP();
	p = enter("softwire0", IFF_TAP);
	put_mesh(&p, 50, 7);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	put_mesh(&p, 50, 7);
	assert_int_equal(changes(fd), 0);
	put_mesh(&p, 50, 8); /* one bit of the gateway is another one */
	assert_int_equal(changes(fd), 100);
	put_mesh(&p, 50, 8);
	assert_int_equal(changes(fd), 0);
	close(fd);
	leave(&p);
}

static void refuses_what_makes_no_sense(void **state)
{
	struct netlink_bgp_route r;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	r = route(true, "198.51.100.0/24", "192.0.2.9");
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, 0, &r, 1), -EINVAL); /* would be any metric */
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, METRIC, &r, NETLINK_BATCH + 1), -EINVAL);
	assert_int_equal(netlink_bgp_routes(p.netlink, MAIN, METRIC, &r, 0), 0);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_of_both_families_and_with_either_gateway),
		cmocka_unit_test(each_error_is_told_with_its_route),
		cmocka_unit_test(another_gateway_takes_the_place_of_the_first),
		cmocka_unit_test(a_hidden_one_is_replaced_too),
		cmocka_unit_test(what_others_have_put_there_stays),
		cmocka_unit_test(a_flush_takes_ours_of_one_table_and_metric),
		cmocka_unit_test(what_no_request_of_ours_deletes_is_not_ours),
		cmocka_unit_test(another_path_takes_their_place_without_a_gap),
		cmocka_unit_test(what_is_already_so_is_not_written_again),
		cmocka_unit_test(refuses_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What packets of our sockets look like, and which ones they take. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "afbr/parts.h"

static void hops_follow_from_where_the_neighbour_is(void **state)
{
	static const struct {
		const char *name;
		struct bgp_neighbor_config n;
		uint8_t ttl, min_ttl;
	} cases[] = {
		{"internal", {.as = 65000}, 64, 0},
		{"internal, whatever is written", {.as = 65000, .ttl = 3, .multihop = true}, 64, 0},
		{"external, on a link", {.as = 65001}, 1, 0},
		{"external, on a link, whatever is written", {.as = 65001, .ttl = 9}, 1, 0},
		{"external, far", {.as = 65001, .multihop = true}, 64, 0},
		{"external, so far", {.as = 65001, .multihop = true, .ttl = 4}, 4, 0},
		{"GTSM on a link", {.as = 65001, .ttl_security = 1}, 255, 255},
		{"GTSM, three hops", {.as = 65001, .multihop = true, .ttl = 4, .ttl_security = 3}, 255, 253},
		{"GTSM, internal", {.as = 65000, .ttl_security = 2}, 255, 254},
		{"GTSM, the farthest", {.as = 65000, .ttl_security = 255}, 255, 1},
		{"external by the AS that it sees of us", {.as = 65000, .local_as = 64999}, 1, 0},
		{"internal by the AS that it sees of us", {.as = 64999, .local_as = 64999}, 64, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct socket_plan p = socket_plan_of(&cases[i].n, 65000);

		if (p.ttl != cases[i].ttl || p.min_ttl != cases[i].min_ttl)
			fail_msg("%s: %u, %u", cases[i].name, p.ttl, p.min_ttl);
	}
}

static int get_int(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
	return value;
}

struct pair {
	struct endpoint at;
	int listener, near, far;
};

/* NEAR is ours, and has connected; FAR is what the listener has made of it. */
static struct pair pair_new(const char *address, struct bgp_neighbor_config *n)
{
	static const struct afbr_key none;
	struct pair p = {.near = -1};
	struct sockaddr_storage sa;
	struct pollfd poll_for = {.events = POLLIN};
	char why[128] = "";
	socklen_t len;

	assert_int_equal(addr_parse(address, &p.at.addr), 0);
	len = endpoint_to_sockaddr(&p.at, &sa);
	p.listener = socket(p.at.addr.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p.listener, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(p.listener, 1), 0);
	assert_int_equal(socket_tune_listener(p.listener, p.at.addr.family), 0);
	len = sizeof(sa);
	assert_int_equal(getsockname(p.listener, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&sa, &p.at), 0);
	n->address = p.at.addr;
	n->port = p.at.port;
	assert_int_equal(socket_connect(n, socket_plan_of(n, 65000), &none, &p.near, why), 0);
	poll_for.fd = p.listener;
	assert_int_equal(poll(&poll_for, 1, 1000), 1);
	p.far = accept(p.listener, NULL, NULL);
	assert_true(p.far >= 0);
	return p;
}

static void pair_close(struct pair *p)
{
	close(p->listener);
	close(p->near);
	close(p->far);
}

static void packets_are_marked_and_counted(void **state)
{
	struct bgp_neighbor_config n = {.as = 65001, .ttl_security = 2};
	struct pair p = pair_new("127.0.0.1", &n);

	assert_int_equal(get_int(p.near, IPPROTO_IP, IP_TTL), 255);
	assert_int_equal(get_int(p.near, IPPROTO_IP, IP_MINTTL), 254);
	assert_int_equal(get_int(p.near, IPPROTO_IP, IP_TOS), 0xc0);
	assert_int_equal(get_int(p.near, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(get_int(p.listener, IPPROTO_IP, IP_TTL), 255); /* its answers reach who has GTSM */
	assert_int_equal(get_int(p.listener, IPPROTO_IP, IP_TOS), 0xc0);
	assert_int_equal(socket_first_ttl(p.far), 255);
	assert_int_equal(socket_first_ttl(p.near), 0);
	pair_close(&p);

	p = pair_new("::1", &n);
	assert_int_equal(get_int(p.near, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 255);
	assert_int_equal(get_int(p.near, IPPROTO_IPV6, IPV6_MINHOPCOUNT), 254);
	assert_int_equal(get_int(p.near, IPPROTO_IPV6, IPV6_TCLASS), 0xc0);
	assert_int_equal(get_int(p.listener, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 255);
	assert_int_equal(socket_first_ttl(p.far), 255);
	pair_close(&p);

	n = (struct bgp_neighbor_config){.as = 65001};
	p = pair_new("::1", &n);
	assert_int_equal(socket_first_ttl(p.far), 1);
	assert_int_equal(socket_tune(p.far, AF_INET6, (struct socket_plan){.ttl = 255, .min_ttl = 255}), 0);
	assert_int_equal(get_int(p.far, IPPROTO_IPV6, IPV6_MINHOPCOUNT), 255);
	pair_close(&p);
}

/* proves: SEC-CTRL-3 partial */
static void what_has_too_few_hops_left_is_not_taken(void **state)
{
	struct bgp_neighbor_config n = {.as = 65000};
	struct pair p = pair_new("127.0.0.1", &n); /* sends with 64 */
	char byte;

	assert_int_equal(socket_tune(p.far, AF_INET, (struct socket_plan){.ttl = 255, .min_ttl = 255}), 0);
	assert_int_equal(send(p.near, "x", 1, 0), 1);
	assert_int_equal(poll(&(struct pollfd){.fd = p.far, .events = POLLIN}, 1, 50), 0);
	assert_int_equal(socket_tune(p.near, AF_INET, (struct socket_plan){.ttl = 255}), 0);
	assert_int_equal(poll(&(struct pollfd){.fd = p.far, .events = POLLIN}, 1, 2000), 1); /* sent again */
	assert_int_equal(recv(p.far, &byte, 1, 0), 1);
	pair_close(&p);
}

static void ends_are_known(void **state)
{
	struct bgp_neighbor_config n = {.as = 65000};
	struct pair p = pair_new("127.0.0.1", &n);
	struct endpoint local, remote;
	unsigned interface = 7;

	assert_int_equal(socket_ends(p.near, &local, &remote, &interface), 0);
	assert_true(endpoint_equal(&remote, &p.at));
	assert_true(addr_equal(&local.addr, &p.at.addr));
	assert_int_equal(interface, 0);
	assert_int_equal(socket_ends(p.listener, &local, &remote, &interface), -ENOTCONN);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hops_follow_from_where_the_neighbour_is),
		cmocka_unit_test(packets_are_marked_and_counted),
		cmocka_unit_test(what_has_too_few_hops_left_is_not_taken),
		cmocka_unit_test(ends_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mesh/plane: the life of a plane and its device; and two of them as the kernel sees them, with real TAPs, raw sockets and TCP:
 *
 *    namespace A                                          the test                                          namespace B
 *    198.51.100.7   route via fe80::N -- softwire0 -- plane -- core0 (TUN) ===relay=== core0 (TUN) -- plane -- softwire0 -- 203.0.113.9
 */
#include "core.h"

#include <errno.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>

#include "netlink/fib.h"

#define HERE4  "198.51.100.7"
#define THERE4 "203.0.113.9"
#define HERE6  "2001:db8:1::7"
#define THERE6 "2001:db8:2::9"

static const uint8_t lladdr[6] = {2};

/* --- life --- */

static void a_lost_device_can_be_replaced(void **state)
{
	struct fixture *f = *state;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(mesh_plane_set_device(f->plane, pair[0], lladdr), -EBUSY);
	close(f->device);
	f->device = -1;
	UNTIL(f, !f->plane->device.ready);
	assert_int_equal(f->plane->device_fd, -1);
	assert_int_equal(mesh_plane_set_device(f->plane, pair[0], lladdr), 0);
	f->device = pair[1];
}

static void a_descriptor_that_cannot_be_watched_stays_the_callers(void **state)
{
	struct fixture *f = *state;

	assert_true(mesh_plane_set_device(f->plane, -1, lladdr) < 0);
	fixture_device(f); /* and is nobody's obstacle */
}

static void without_a_device_packets_of_the_core_are_counted(void **state)
{
	struct addr egress = address(EGRESS6);
	struct mesh_encapsulation ipip = {.kind = MESH_IPIP};
	struct fixture *f = *state;
	struct mesh_acceptance *a;
	uint8_t packet[200];

	assert_int_equal(mesh_transmitter_add(f->table, &egress), 0);
	assert_int_equal(mesh_accept_add(f->table, &ipip, &a), 0);
	core_sends(f, EGRESS6, 4, 0, packet, packet_build(packet, THERE4, HERE4, 17, "12345678", 8));
	assert_int_equal(f->counters->drop_device, 1);
}

static bool freed;

static void on_freed(void *owner)
{
	(void)owner;
	freed = true;
}

/* Whoever closes must not have been called back yet: he may be inside an op. */
static void closing_is_asynchronous_even_when_there_is_nothing(void **state)
{
	static const struct mesh_ops none;
	struct loop loop;
	struct mesh_plane *p;

	assert_int_equal(loop_init(&loop), 0);
	p = mesh_plane_new(&loop, NULL, &none, &loop, 1);
	assert_non_null(p);
	assert_ptr_equal(mesh_plane_owner(p), &loop);
	mesh_plane_close(p, on_freed);
	assert_false(freed);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_true(freed);
	loop_done(&loop);
}

static void keeps_as_many_interfaces_as_it_has_room_for(void **state)
{
	struct fixture *f = *state;
	unsigned many[MESH_INTERFACES + 5];

	for (unsigned i = 0; i < MESH_INTERFACES + 5; i++)
		many[i] = i + 1;
	mesh_plane_set_interfaces(f->plane, many, MESH_INTERFACES + 5);
	assert_int_equal(f->plane->interface_count, MESH_INTERFACES);
	mesh_plane_set_interfaces(f->plane, NULL, 0);
	assert_int_equal(f->plane->interface_count, 0);
}

/* --- two planes --- */

struct side {
	struct fixture *f;
	struct core core;
	struct mesh_endpoint *endpoint;
	struct mesh_path *paths[2]; /* IPv4's, IPv6's: with explicit null labels of their own (RFC 3032) */
};

static void add_device(struct side *s)
{
	struct ifreq request = {
		.ifr_name = "softwire0", .ifr_hwaddr = {.sa_family = ARPHRD_ETHER, .sa_data = {2}}};
	int tap = namespace_device("softwire0", IFF_TAP);

	assert_true(tap >= 0);
	assert_int_equal(namespace_ioctl(SIOCSIFHWADDR, &request), 0);
	assert_int_equal(netlink_link_up(s->core.netlink, "softwire0", true), 0);
	assert_int_equal(mesh_plane_set_device(s->f->plane, tap, lladdr), 0);
}

/* A route to NET by the path, as the kernel has them of BGP. */
static void add_route(struct side *s, const char *net)
{
	struct netlink_bgp_route route = {
		.add = true, .on_link = true, .dst = prefix(net), .ifindex = if_nametoindex("softwire0")};

	route.gateway = mesh_path_gateway(s->paths[route.dst.addr.family == AF_INET6]->number);
	assert_int_equal(netlink_bgp_routes(s->core.netlink, 254, 20, &route, 1), 0);
	assert_int_equal(route.error, 0);
}

static void add_client(struct side *s, const char *text)
{
	struct addr a = address(text);

	assert_int_equal(netlink_address(s->core.netlink, true, "lo", &a, (uint8_t)addr_bits(a.family),
				 UINT32_MAX, UINT32_MAX),
		0);
	core_await_address(&s->core, text);
}

static void side_make(
	struct side *s, bool here, bool core6, const struct mesh_encapsulation *how, bool merged)
{
	static const uint8_t protocols[] = {4, 41, 47, 115, 137};
	const char *local = core6 ? (here ? INGRESS6 : EGRESS6) : (here ? INGRESS4 : EGRESS4);
	const char *remote = core6 ? (here ? EGRESS6 : INGRESS6) : (here ? EGRESS4 : INGRESS4);
	struct addr transmitter = address(remote), source4 = address(here ? THERE4 : HERE4),
		    source6 = address(here ? THERE6 : HERE6);
	struct netlink_neighbour neighbours[2];
	struct mesh_acceptance *a;
	void *f;

	assert_null(namespace_enter());
	fixture_setup_bare(&f);
	s->f = f;
	if (merged)
		assert_true(core_merges(&s->core));
	core_make(&s->core, here ? INGRESS6 : EGRESS6, here ? INGRESS4 : EGRESS4);
	add_device(s);
	for (unsigned i = 0; i < sizeof(protocols); i++)
		assert_int_equal(
			mesh_plane_add_receiver(s->f->plane, core_socket(local, protocols[i]), protocols[i]),
			0);
	assert_int_equal(mesh_plane_set_sender(
				 s->f->plane, core_socket(local, IPPROTO_RAW), core6 ? AF_INET6 : AF_INET),
		0);
	mesh_plane_set_sources(
		s->f->plane, &source6, &source4); /* of errors: from the far side, as if it were */
	mesh_plane_set_interfaces(s->f->plane, &s->core.ifindex, 1);
	assert_int_equal(mesh_transmitter_add(s->f->table, &transmitter), 0);
	assert_int_equal(mesh_accept_add(s->f->table, how, &a), 0);
	s->endpoint = fixture_endpoint(s->f, local, remote, how);
	for (unsigned six = 0; six < 2; six++) {
		s->paths[six] = fixture_path(s->f, mesh_endpoint_ref(s->endpoint), NULL, six ? 2 : 0);
		neighbours[six].address = mesh_path_gateway(s->paths[six]->number);
		mesh_path_lladdr(s->paths[six]->number, neighbours[six].lladdr);
	}
	mesh_endpoint_unref(s->f->table, s->endpoint);
	assert_int_equal(netlink_neighbours(s->core.netlink, true, "softwire0", neighbours, 2), 0);
	add_client(s, here ? HERE4 : THERE4);
	add_client(s, here ? HERE6 : THERE6);
	add_route(s, here ? "203.0.113.0/24" : "198.51.100.0/24");
	add_route(s, here ? "2001:db8:2::/48" : "2001:db8:1::/48");
}

static void side_done(struct side *s)
{
	void *f = s->f;

	fixture_teardown(&f);
	core_done(&s->core);
}

static bool relay(struct side *from, struct side *to)
{
	uint8_t packet[10000];
	ssize_t n;
	bool moved = false;

	while ((n = read(from->core.wire, packet, sizeof(packet))) > 0) {
		moved = true;
		(void)!write(to->core.wire, packet, (size_t)n);
	}
	return moved;
}

static void turn(struct side *a, struct side *b)
{
	struct pollfd p[4] = {{.fd = a->core.wire, .events = POLLIN}, {.fd = b->core.wire, .events = POLLIN},
		{.fd = uv_backend_fd(&a->f->loop.uv), .events = POLLIN},
		{.fd = uv_backend_fd(&b->f->loop.uv), .events = POLLIN}};

	poll(p, 4, 10);
	fixture_run(a->f);
	fixture_run(b->f);
	relay(a, b);
	relay(b, a);
}

static int tcp(const char *local, uint16_t port)
{
	struct endpoint at = {.addr = address(local), .port = port};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);
	int fd = socket(at.addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

enum { PORT = 7777, BYTES = 300000 };

struct stream {
	int from, to, listener;
	size_t sent, got;
};

/* In its own namespace each: they are opened when that is the one we are in. */
static void stream_turn(struct stream *s, const uint8_t *data, uint8_t *copy)
{
	ssize_t n;

	if (s->to < 0)
		s->to = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	n = s->sent < BYTES ? send(s->from, data + s->sent, BYTES - s->sent, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
	if (n > 0)
		s->sent += (size_t)n;
	n = s->to >= 0 ? recv(s->to, copy + s->got, BYTES - s->got, MSG_DONTWAIT) : 0;
	if (n > 0)
		s->got += (size_t)n;
}

static void stream_connect(struct stream *s, const char *to)
{
	struct endpoint at = {.addr = address(to), .port = PORT};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);

	if (connect(s->from, (struct sockaddr *)&ss, len))
		assert_int_equal(errno, EINPROGRESS);
}

/* A TCP stream of each family from A to B through the softwire, octet by octet the same. With MERGED, B's interface merges segments inside softwires. */
static void stream_both(bool core6, const struct mesh_encapsulation *how, bool clamp, bool merged)
{
	static uint8_t data[BYTES], copy[BYTES];
	struct stream streams[2] = {{.to = -1}, {.to = -1}};
	struct side a = {0}, b = {0};

	for (size_t i = 0; i < BYTES; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	side_make(&a, true, core6, how, false);
	for (unsigned six = 0; six < 2; six++)
		streams[six].from = tcp(six ? HERE6 : HERE4, 0);
	side_make(&b, false, core6, how, merged);
	a.endpoint->clamp_mss = b.endpoint->clamp_mss = clamp;
	for (unsigned six = 0; six < 2; six++) {
		struct stream *s = &streams[six];

		s->listener = tcp(six ? THERE6 : THERE4, PORT);
		assert_int_equal(listen(s->listener, 1), 0);
		stream_connect(s, six ? THERE6 : THERE4);
		for (unsigned turns = 0; s->got < BYTES; turns++) {
			assert_true(turns < 3000);
			turn(&a, &b);
			stream_turn(s, data, copy);
		}
		assert_memory_equal(copy, data, BYTES);
		close(s->from);
		close(s->to);
		close(s->listener);
	}
	/* Segments fit because of the MSS, or because the source was told. */
	assert_int_equal(a.f->counters->mss_clamped > 0, clamp);
	assert_int_equal(a.f->counters->icmp_sent > 0, !clamp);
	assert_int_equal(a.f->counters->outer_fragmented + a.f->counters->inner_fragmented, 0);
	assert_int_equal(b.f->counters->rx_merged > 0, merged);
	assert_true(a.endpoint->tx4.bytes > BYTES && a.endpoint->tx6.bytes > BYTES);
	side_done(&a);
	side_done(&b);
}

static void through(bool core6, const struct mesh_encapsulation *how, bool clamp)
{
	stream_both(core6, how, clamp, false);
}

static const struct mesh_encapsulation ipip = {.kind = MESH_IPIP},
				       keyed = {.kind = MESH_GRE, .has_key = true, .key = 99},
				       l2tp = {.kind = MESH_L2TPV3,
					       .session = 77,
					       .cookie_len = 8,
					       .cookie = "12345678"},
				       mpls = {.kind = MESH_IPIP, .mpls = true};

/* proves: MESH-FWD-1 partial, MESH-FWD-2 partial, MESH-ENC-2 partial, MESH-ENC-3 partial */
static void tcp_crosses_by_ip_in_ip(void **state)
{
	NAMESPACE_OR_SKIP();
	through(true, &ipip, false);
	through(false, &ipip, true);
}

/* proves: MESH-ENC-5 partial */
static void tcp_crosses_by_gre(void **state)
{
	NAMESPACE_OR_SKIP();
	through(true, &keyed, true);
	through(false, &keyed, false);
}

/* proves: MESH-ENC-7 partial, MESH-ENC-8 partial */
static void tcp_crosses_by_l2tpv3(void **state)
{
	NAMESPACE_OR_SKIP();
	through(true, &l2tp, false);
	through(false, &l2tp, true);
}

/* proves: MESH-ENC-11 partial */
static void tcp_crosses_by_mpls_in_ip(void **state)
{
	NAMESPACE_OR_SKIP();
	through(true, &mpls, true);
	through(false, &mpls, false);
}

/* Real interfaces merge segments inside IP-in-IP and GRE before anybody has looked at the outer header. */
static void merged_segments_are_cut_again(void **state)
{
	NAMESPACE_OR_SKIP();
	stream_both(true, &ipip, true, true);
	stream_both(false, &keyed, false, true);
}

#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lost_device_can_be_replaced, fixture_setup),
		TEST(a_descriptor_that_cannot_be_watched_stays_the_callers, fixture_setup_bare),
		TEST(without_a_device_packets_of_the_core_are_counted, fixture_setup_bare),
		TEST(keeps_as_many_interfaces_as_it_has_room_for, fixture_setup_bare),
		cmocka_unit_test(closing_is_asynchronous_even_when_there_is_nothing),
		cmocka_unit_test(tcp_crosses_by_ip_in_ip),
		cmocka_unit_test(tcp_crosses_by_gre),
		cmocka_unit_test(tcp_crosses_by_l2tpv3),
		cmocka_unit_test(tcp_crosses_by_mpls_in_ip),
		cmocka_unit_test(merged_segments_are_cut_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

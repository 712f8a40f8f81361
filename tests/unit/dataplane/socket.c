/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dataplane/socket, queue and tun: queues that overflow, errors of the network, addresses of wildcard listeners, the life of a plane.
 * sendmmsg and recvmsg are wrapped by the linker, because a loopback interface neither blocks nor has a path that is too narrow.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define US    "2001:db8:1::5"
#define WORLD "2001:db8:ffff::9"

static int refuse_with;   /* what the wrapped sendmmsg says; 0: it sends */
static unsigned refusals; /* how often still */
static unsigned send_calls;
static uint32_t path_mtu; /* what the kernel says next in the error queue; 0: nothing */

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	send_calls++;
	if (refuse_with && refusals) {
		refusals--;
		if (refuse_with == EMSGSIZE)
			path_mtu = 1400;
		errno = refuse_with;
		return -1;
	}
	return __real_sendmmsg(fd, m, n, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);

/* As ip_local_error() does it for an unconnected socket: with the address, without the port. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	const struct sock_extended_err ee = {
		.ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_LOCAL, .ee_info = path_mtu};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct cmsghdr *c;

	if (!path_mtu || !(flags & MSG_ERRQUEUE))
		return __real_recvmsg(fd, m, flags);
	path_mtu = 0;
	c = CMSG_FIRSTHDR(m);
	*c = (struct cmsghdr){
		.cmsg_level = IPPROTO_IP, .cmsg_type = IP_RECVERR, .cmsg_len = CMSG_LEN(sizeof(ee))};
	memcpy(CMSG_DATA(c), &ee, sizeof(ee));
	m->msg_controllen = c->cmsg_len;
	memcpy(m->msg_name, &sin, sizeof(sin));
	return 0;
}

static void refuse(int error, unsigned times)
{
	refuse_with = error;
	refusals = times;
}

static int setup(void **state)
{
	refuse(0, 0);
	send_calls = 0;
	return fixture_setup(state);
}

static int setup6(void **state)
{
	refuse(0, 0);
	return fixture_setup6(state);
}

static unsigned peer_count(struct fixture *f)
{
	uint8_t out[2000];
	unsigned n = 0;

	while (peer_gets(f, out, sizeof(out)))
		n++;
	return n;
}

static void sends_control_messages_in_batches(void **state)
{
	struct fixture *f = *state;
	uint8_t out[100];

	for (uint8_t i = 0; i < 200; i++)
		assert_int_equal(tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, &i, 1), 0);
	tun_plane_flush(f->plane);
	assert_in_range(send_calls, 200 / DP_BATCH, 200 / DP_BATCH + 2);
	for (uint8_t i = 0; i < 200; i++) {
		assert_int_equal(peer_gets(f, out, sizeof(out)), 1);
		assert_int_equal(out[0], i);
	}
}

static void refuses_to_send_what_it_cannot(void **state)
{
	static uint8_t large[DP_PACKET_MAX + 100];
	struct fixture *f = *state;

	assert_int_equal(tun_plane_send(f->plane, 5, NULL, &f->peer_at, large, 1), -ENOENT);
	assert_int_equal(tun_plane_send(f->plane, 255, NULL, &f->peer_at, large, 1), -ENOENT);
	assert_int_equal(
		tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, large, sizeof(large)), -EMSGSIZE);
}

static void sends_when_the_loop_goes_to_sleep(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, (const uint8_t *)"x", 1), 0);
	assert_int_equal(peer_count(f), 0);
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(peer_count(f), 1);
}

/* A socket that takes nothing: data stops at its bound, control messages have room behind it, and everything queued goes later. */
static void bounds_the_queue_of_a_blocked_socket(void **state)
{
	enum { MORE = 40 };
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_build(packet, WORLD, US, 59, NULL, 0);
	unsigned control = 0;

	refuse(EAGAIN, ~0U);
	for (unsigned i = 0; i < DP_QUEUE_MAX + MORE; i++)
		device_sends(f, packet, len);
	assert_int_equal(f->counters->drop_send_queue, MORE);
	assert_int_equal(f->row->v6.tx_packets, DP_QUEUE_MAX);
	while (tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, packet, len) == 0)
		control++;
	assert_in_range(control, 64, 1024);
	assert_int_equal(tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, packet, len), -ENOBUFS);
	assert_int_equal(f->counters->drop_send_queue, MORE + 2);
	assert_int_equal(peer_count(f), 0);

	refuse(0, 0);
	for (unsigned i = 0; i < 10; i++) /* the socket is writable: the loop sees it */
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(f->counters->tx_packets, DP_QUEUE_MAX + control);
	device_sends(f, packet, len);
	assert_int_equal(f->counters->tx_packets, DP_QUEUE_MAX + control + 1);
}

static void removed_socket_gives_its_queue_back(void **state)
{
	struct fixture *f = *state;
	struct endpoint at;
	uint8_t packet[100], listener;
	size_t len = packet_build(packet, WORLD, US, 59, NULL, 0);

	for (unsigned round = 0; round < 5; round++) {
		refuse(EAGAIN, ~0U);
		while (tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, packet, len) == 0)
			;
		tun_plane_remove_socket(f->plane, f->listener);
		assert_int_equal(
			tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, packet, len), -ENOENT);
		assert_int_equal(tun_plane_add_socket(f->plane, udp_socket("127.0.0.1", &at), &listener), 0);
		assert_int_equal(listener, f->listener);
	}
	refuse(0, 0);
	device_sends(
		f, packet, len); /* the row is still there, and its listener's number has a socket again */
	assert_int_equal(peer_count(f), 1);
}

static void drops_what_the_interface_has_no_room_for(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, (const uint8_t *)"a", 1), 0);
	assert_int_equal(
		tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, (const uint8_t *)"b", 1), 0);
	refuse(ENOBUFS, 1);
	tun_plane_flush(f->plane);
	assert_int_equal(f->counters->drop_send_queue, 1);
	assert_int_equal(peer_count(f), 1);
}

/* The path is narrower than the packet: the packet goes, once more and in fragments, and nothing is lost around it. */
static void sends_too_large_packets_in_fragments(void **state)
{
	struct fixture *f = *state;
	uint8_t out[100];

	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, &i, 1), 0);
	refuse(EMSGSIZE, 1);
	tun_plane_flush(f->plane);
	assert_int_equal(f->outer_error.count, 1);
	assert_int_equal(f->outer_error.error, EMSGSIZE);
	assert_int_equal(f->outer_error.mtu, 1400);
	assert_true(endpoint_equal(&f->outer_error.from, &f->peer_at));
	assert_int_equal(f->counters->outer_fragmented, 1);
	assert_int_equal(f->counters->tx_packets, 3);
	for (uint8_t i = 0; i < 3; i++) {
		assert_int_equal(peer_gets(f, out, sizeof(out)), 1);
		assert_int_equal(out[0], i);
	}
}

static void reports_local_refusals(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, (const uint8_t *)"a", 1), 0);
	refuse(ENETUNREACH, 1);
	tun_plane_flush(f->plane);
	assert_int_equal(f->outer_error.count, 1);
	assert_int_equal(f->outer_error.error, ENETUNREACH);
	assert_true(endpoint_equal(&f->outer_error.from, &f->peer_at));
	assert_int_equal(f->counters->socket_errors, 1);
	assert_int_equal(peer_count(f), 0);
}

/* A port where nobody listens answers with ICMP; who it was that we wanted is told, and packets to others are not lost by it. */
static void reports_icmp_errors_with_the_peer_they_are_about(void **state)
{
	struct fixture *f = *state;
	struct endpoint gone;
	char any[ADDR_TEXT];

	close(udp_socket(addr_print(&f->peer_at.addr, any), &gone));
	assert_int_equal(tun_plane_send(f->plane, f->listener, NULL, &gone, (const uint8_t *)"a", 1), 0);
	tun_plane_flush(f->plane);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(
			tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, (const uint8_t *)"b", 1), 0);
		assert_int_equal(
			tun_plane_send(f->plane, f->listener, NULL, &gone, (const uint8_t *)"c", 1), 0);
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
	for (unsigned i = 0; i < 3; i++)
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(f->outer_error.count, 21);
	assert_int_equal(f->outer_error.error, ECONNREFUSED);
	assert_true(endpoint_equal(&f->outer_error.from, &gone));
	assert_int_equal(f->outer_error.listener, f->listener);
	assert_int_equal(peer_count(f), 20);
}

/* A peer that talked to one of our addresses is answered from that one. */
static void answers_from_the_address_that_was_used(void **state)
{
	static const uint8_t sccrq[] = {0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0};
	struct fixture *f = *state;
	struct addr second = address("127.0.0.2");
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct endpoint from;
	uint8_t packet[100], out[100];
	size_t n = packet_build(packet, WORLD, US, 59, NULL, 0);

	f->listen.addr = second;
	peer_sends(f, sccrq, sizeof(sccrq));
	assert_int_equal(f->stray.count, 1);
	assert_true(addr_equal(&f->stray.local, &second));
	assert_int_equal(
		tun_plane_send(f->plane, f->listener, &f->stray.local, &f->peer_at, sccrq, sizeof(sccrq)), 0);
	tun_plane_flush(f->plane);
	assert_int_equal(recvfrom(f->peer, out, sizeof(out), 0, (struct sockaddr *)&ss, &len), sizeof(sccrq));
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &from), 0);
	assert_true(endpoint_equal(&from, &f->listen));

	f->row->local = second; /* data the same */
	device_sends(f, packet, n);
	len = sizeof(ss);
	assert_int_equal(
		recvfrom(f->peer, out, sizeof(out), 0, (struct sockaddr *)&ss, &len), (ssize_t)n + 10);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &from), 0);
	assert_true(endpoint_equal(&from, &f->listen));
}

static void tells_the_address_that_was_used6(void **state)
{
	static const uint8_t sccrq[] = {0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0};
	struct fixture *f = *state;
	uint8_t out[100];

	peer_sends(f, sccrq, sizeof(sccrq));
	assert_true(addr_equal(&f->stray.local, &f->peer_at.addr));
	assert_int_equal(
		tun_plane_send(f->plane, f->listener, &f->stray.local, &f->peer_at, sccrq, sizeof(sccrq)), 0);
	tun_plane_flush(f->plane);
	assert_int_equal(peer_gets(f, out, sizeof(out)), sizeof(sccrq));
}

static void refuses_sockets_of_another_kind(void **state)
{
	struct fixture *f = *state;
	struct endpoint at;
	uint8_t listener = 99;
	int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
	    local = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int mapped = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), off = 0,
	    udp = udp_socket("127.0.0.1", &at);

	assert_int_equal(setsockopt(mapped, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	assert_int_equal(tun_plane_add_socket(f->plane, stream, &listener), -EINVAL);
	assert_int_equal(tun_plane_add_socket(f->plane, local, &listener), -EINVAL);
	assert_int_equal(tun_plane_add_socket(f->plane, mapped, &listener), -EINVAL);
	assert_int_equal(tun_plane_add_socket(f->plane, -1, &listener), -EBADF);
	assert_int_equal(tun_plane_set_device(f->plane, udp), -EBUSY);
	assert_int_equal(listener, 99);
	assert_int_equal(
		fcntl(stream, F_GETFD) | fcntl(udp, F_GETFD), FD_CLOEXEC); /* they are still the caller's */
	close(stream);
	close(local);
	close(mapped);
	close(udp);
}

static void counts_datagrams_that_are_too_large(void **state)
{
	static uint8_t large[DP_PACKET_MAX + 100] = {0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x57, 0x60};
	struct fixture *f = *state;

	peer_sends(f, large, sizeof(large));
	assert_int_equal(f->counters->drop_short, 1);
}

static void role_closes(struct fixture *f)
{
	f->on_call = NULL;
	fixture_close(f);
}

static void role_may_close_the_plane_inside_an_op(void **state)
{
	static const uint8_t stop[] = {0xc8, 2, 0, 12, 1, 2, 0, 0, 0, 1, 0, 1};
	struct fixture *f = *state;
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&f->listen, &ss);

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(
			sendto(f->peer, stop, sizeof(stop), 0, (struct sockaddr *)&ss, len), sizeof(stop));
	f->on_call = role_closes;
	for (unsigned i = 0; i < 10 && !f->freed; i++)
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_true(f->freed);
	assert_int_equal(f->input.count, 1);
}

static void role_removes_socket(struct fixture *f)
{
	tun_plane_flush(f->plane); /* only sends, here */
	tun_plane_remove_socket(f->plane, f->listener);
}

static void role_may_remove_the_socket_inside_an_op(void **state)
{
	static const uint8_t stop[] = {0xc8, 2, 0, 12, 1, 2, 0, 0, 0, 1, 0, 1};
	struct fixture *f = *state;
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&f->listen, &ss);

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(
			sendto(f->peer, stop, sizeof(stop), 0, (struct sockaddr *)&ss, len), sizeof(stop));
	f->on_call = role_removes_socket;
	tun_plane_flush(f->plane);
	assert_int_equal(f->input.count, 1);
}

static void role_may_remove_the_socket_when_sending_fails(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(
			tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, (const uint8_t *)"a", 1), 0);
	f->on_call = role_removes_socket;
	refuse(EPERM, 1);
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(f->outer_error.count, 1);
	assert_int_equal(peer_count(f), 4); /* which the role's own flush sent */
}

static void close_is_asynchronous(void **state)
{
	struct fixture *f = *state;
	int fd;

	fixture_close(f);
	assert_false(f->freed);
	fd = dup(0); /* the descriptors are free again */
	assert_true(fd >= 0);
	close(fd);
}

static void another_device_may_follow_a_lost_one(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_build(packet, WORLD, US, 59, NULL, 0);
	int pair[2];

	close(f->device);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	f->device = pair[1];
	for (unsigned i = 0; i < 3; i++)
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(tun_plane_set_device(f->plane, pair[0]), 0);
	device_sends(f, packet, len);
	assert_int_equal(peer_count(f), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sends_control_messages_in_batches, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(refuses_to_send_what_it_cannot, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(sends_when_the_loop_goes_to_sleep, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			bounds_the_queue_of_a_blocked_socket, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(removed_socket_gives_its_queue_back, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			drops_what_the_interface_has_no_room_for, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			sends_too_large_packets_in_fragments, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			sends_too_large_packets_in_fragments, setup6, fixture_teardown),
		cmocka_unit_test_setup_teardown(reports_local_refusals, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			reports_icmp_errors_with_the_peer_they_are_about, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			reports_icmp_errors_with_the_peer_they_are_about, setup6, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			answers_from_the_address_that_was_used, fixture_setup_any4, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			tells_the_address_that_was_used6, fixture_setup_any6, fixture_teardown),
		cmocka_unit_test_setup_teardown(refuses_sockets_of_another_kind, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(counts_datagrams_that_are_too_large, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			role_may_close_the_plane_inside_an_op, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			role_may_remove_the_socket_inside_an_op, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			role_may_remove_the_socket_when_sending_fails, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(close_is_asynchronous, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			another_device_may_follow_a_lost_one, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

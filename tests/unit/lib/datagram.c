/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/datagram, on real sockets of the loopback address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "lib/datagram.h"

static int udp(const char *text, struct endpoint *ret_at)
{
	struct sockaddr_storage ss;
	struct endpoint at;
	socklen_t len;
	int fd;

	assert_int_equal(endpoint_parse(text, 0, &at), 0);
	fd = socket(at.addr.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	len = endpoint_to_sockaddr(&at, &ss);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, ret_at), 0);
	return fd;
}

static void reads_what_stands_beside_a_packet(void **state)
{
	static const struct datagram_option options[2][3] = {
		{{IPPROTO_IP, IP_RECVTOS, 1}, {IPPROTO_IP, IP_PKTINFO, 1}, {IPPROTO_IP, IP_TOS, 0xb9}},
		{{IPPROTO_IPV6, IPV6_RECVTCLASS, 1}, {IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
			{IPPROTO_IPV6, IPV6_TCLASS, 0xb9}}};

	for (unsigned six = 0; six < 2; six++) {
		_Alignas(struct cmsghdr) uint8_t control[DATAGRAM_CONTROL];
		uint8_t byte = 1;
		struct iovec v = {&byte, 1};
		struct msghdr m = {.msg_iov = &v,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		struct sockaddr_storage ss;
		struct datagram_arrival a;
		struct endpoint at;
		int fd = udp(six ? "[::1]:0" : "127.0.0.1:0", &at);
		socklen_t len = endpoint_to_sockaddr(&at, &ss);

		assert_int_equal(datagram_set(fd, options[six], 3), 0);
		assert_int_equal(sendto(fd, &byte, 1, 0, (struct sockaddr *)&ss, len), 1);
		assert_int_equal(recvmsg(fd, &m, 0), 1);
		assert_false(m.msg_flags & MSG_CTRUNC);
		datagram_arrival_read(&m, &a);
		assert_true(addr_equal(&a.local, &at.addr));
		assert_int_not_equal(a.ifindex, 0);
		assert_int_equal(a.tos, 0xb9);
		m.msg_controllen = 0;
		datagram_arrival_read(&m, &a);
		assert_true(addr_is_none(&a.local) && !a.ifindex && !a.tos);
		close(fd);
	}
}

static void reads_what_the_network_says(void **state)
{
	static const struct datagram_option options[2] = {
		{SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1}, {IPPROTO_IP, IP_RECVERR, 1}};
	struct endpoint at, closed;
	int fd = udp("127.0.0.1:0", &at), other = udp("127.0.0.2:0", &closed);
	struct datagram_error e = {.error = 4711};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&closed, &ss);

	assert_int_equal(datagram_set(fd, options, 2), 0);
	assert_false(datagram_error_next(fd, &e));
	assert_int_equal(e.error, 4711);
	close(other);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&ss, len), 1);
	assert_true(datagram_error_next(fd, &e));
	assert_int_equal(e.error, ECONNREFUSED);
	assert_true(endpoint_equal(&e.to, &closed));
	assert_false(e.local);
	assert_int_equal(e.mtu, 0);
	assert_false(datagram_error_next(fd, &e));
	close(fd);
}

static void enlarges_and_never_shrinks(void **state)
{
	static const int names[2][2] = {{SO_RCVBUF, SO_RCVBUFFORCE}, {SO_SNDBUF, SO_SNDBUFFORCE}};

	for (unsigned i = 0; i < 2; i++) {
		struct endpoint at;
		int fd = udp("127.0.0.1:0", &at), before = 0, after = 0, huge = 16 << 20;
		socklen_t len = sizeof(int);

		assert_int_equal(getsockopt(fd, SOL_SOCKET, names[i][0], &before, &len), 0);
		i ? datagram_enlarge_send(fd) : datagram_enlarge_receive(fd);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, names[i][0], &after, &len), 0);
		assert_true(after >= before);
		if (!setsockopt(fd, SOL_SOCKET, names[i][1], &huge, sizeof(huge))) {
			i ? datagram_enlarge_send(fd) : datagram_enlarge_receive(fd);
			assert_int_equal(getsockopt(fd, SOL_SOCKET, names[i][0], &after, &len), 0);
			assert_true(after >= huge);
		}
		close(fd);
	}
}

static void tells_of_a_refused_option(void **state)
{
	static const struct datagram_option option = {IPPROTO_IPV6, IPV6_RECVTCLASS, 1};
	struct endpoint at;
	int fd = udp("127.0.0.1:0", &at);

	assert_true(datagram_set(fd, &option, 1) < 0);
	assert_int_equal(datagram_set(-1, &option, 1), -EBADF);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_stands_beside_a_packet),
		cmocka_unit_test(reads_what_the_network_says),
		cmocka_unit_test(enlarges_and_never_shrinks),
		cmocka_unit_test(tells_of_a_refused_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

/* --- what the role is told --- */

static void record(struct fixture *f, struct call *c, struct dp_row *row, const uint8_t *payload, size_t len)
{
	c->count++;
	c->row = row;
	c->len = len;
	if (len && len <= sizeof(c->payload))
		memcpy(c->payload, payload, len);
	if (f->on_call)
		f->on_call(f);
}

static void on_input(struct tun_plane *p, struct dp_row *row, const uint8_t *payload, size_t len)
{
	struct fixture *f = tun_plane_owner(p);

	record(f, &f->input, row, payload, len);
}

static void on_stray(struct tun_plane *p, uint8_t listener, struct dp_row *row, const struct endpoint *from,
	const struct addr *local, const uint8_t *payload, size_t len)
{
	struct fixture *f = tun_plane_owner(p);

	f->stray.listener = listener;
	f->stray.from = *from;
	f->stray.local = *local;
	record(f, &f->stray, row, payload, len);
}

static void on_outer_error(
	struct tun_plane *p, uint8_t listener, const struct endpoint *peer, int error, uint32_t mtu)
{
	struct fixture *f = tun_plane_owner(p);

	f->outer_error.listener = listener;
	f->outer_error.from = *peer;
	f->outer_error.error = error;
	f->outer_error.mtu = mtu;
	record(f, &f->outer_error, NULL, NULL, 0);
}

static const struct tun_ops fixture_ops = {
	.input = on_input, .stray = on_stray, .outer_error = on_outer_error};

/* --- life --- */

int udp_socket(const char *text, struct endpoint *ret_at)
{
	struct endpoint at = {.addr = address(text)};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);
	int fd = socket(at.addr.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	if (at.addr.family == AF_INET6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, ret_at), 0);
	return fd;
}

static void add_softwire(struct fixture *f)
{
	struct prefix p6 = prefix("2001:db8:1::/64"), p4 = prefix("192.0.2.8/32");

	assert_int_equal(
		dp_row_add(f->table, f->listener, LOCAL_TUNNEL, LOCAL_SESSION, &f->peer_at, &f->row), 0);
	f->row->peer_tunnel = PEER_TUNNEL;
	f->row->peer_session = PEER_SESSION;
	f->row->mtu = 1460;
	f->row->up6 = f->row->up4 = f->row->copy_ecn = true;
	assert_int_equal(dp_row_add_prefix(f->table, f->row, &p6), 0);
	assert_int_equal(dp_row_add_prefix(f->table, f->row, &p4), 0);
}

static int start(void **state, const char *listen, const char *peer)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct addr local6 = address("2001:db8::1"), local4 = address("198.51.100.1");
	int pair[2];

	assert_non_null(f);
	assert_int_equal(loop_init(&f->loop), 0);
	f->plane = tun_plane_new(&f->loop, NULL, &fixture_ops, f, 42);
	assert_non_null(f->plane);
	f->table = tun_plane_table(f->plane);
	f->counters = tun_plane_counters(f->plane);
	tun_plane_set_sources(f->plane, &local6, &local4);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	f->device = pair[1];
	assert_int_equal(tun_plane_set_device(f->plane, pair[0]), 0);
	assert_int_equal(tun_plane_add_socket(f->plane, udp_socket(listen, &f->listen), &f->listener), 0);
	f->peer = udp_socket(peer, &f->peer_at);
	if (addr_is_unspecified(&f->listen.addr))
		f->listen.addr = f->peer_at.addr;
	add_softwire(f);
	*state = f;
	return 0;
}

int fixture_setup(void **state)
{
	return start(state, "127.0.0.1", "127.0.0.1");
}

int fixture_setup6(void **state)
{
	return start(state, "::1", "::1");
}

int fixture_setup_any4(void **state)
{
	return start(state, "0.0.0.0", "127.0.0.1");
}

int fixture_setup_any6(void **state)
{
	return start(state, "::", "::1");
}

static void on_freed(void *owner)
{
	((struct fixture *)owner)->freed = true;
}

void fixture_close(struct fixture *f)
{
	tun_plane_close(f->plane, on_freed);
	f->plane = NULL;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	if (f->plane)
		fixture_close(f);
	for (unsigned i = 0; i < 10 && !f->freed; i++)
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_true(f->freed);
	loop_done(&f->loop);
	close(f->device);
	close(f->peer);
	free(f);
	return 0;
}

/* --- packets --- */

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

size_t data_header(uint8_t *buf, uint16_t tunnel, uint16_t session, uint16_t protocol)
{
	put16(buf, 0x0002);
	put16(buf + 2, tunnel);
	put16(buf + 4, session);
	put16(buf + 6, 0xff03);
	put16(buf + 8, protocol);
	return 10;
}

/* --- moving them --- */

void peer_sends(struct fixture *f, const void *payload, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(&f->listen, &ss);

	assert_int_equal(sendto(f->peer, payload, len, 0, (struct sockaddr *)&ss, ss_len), (ssize_t)len);
	tun_plane_flush(f->plane);
}

void peer_sends_inner(struct fixture *f, uint16_t protocol, const void *packet, size_t len)
{
	uint8_t buf[4096];

	assert_true(len + 10 <= sizeof(buf));
	data_header(buf, LOCAL_TUNNEL, LOCAL_SESSION, protocol);
	memcpy(buf + 10, packet, len);
	peer_sends(f, buf, len + 10);
}

static size_t got(ssize_t n)
{
	if (n >= 0)
		return (size_t)n;
	assert_int_equal(errno, EAGAIN);
	return 0;
}

size_t peer_gets(struct fixture *f, uint8_t *buf, size_t size)
{
	return got(recv(f->peer, buf, size, MSG_DONTWAIT));
}

void device_sends(struct fixture *f, const void *packet, size_t len)
{
	assert_int_equal(write(f->device, packet, len), (ssize_t)len);
	tun_plane_flush(f->plane);
}

size_t device_gets(struct fixture *f, uint8_t *buf, size_t size)
{
	return got(recv(f->device, buf, size, MSG_DONTWAIT));
}

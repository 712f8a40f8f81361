/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

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

static uint64_t sum16(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (unsigned)p[i] << 8;
	return sum;
}

static uint16_t folded(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

size_t packet_build(
	uint8_t *buf, const char *src, const char *dst, uint8_t protocol, const void *payload, size_t len)
{
	struct addr s = address(src), d = address(dst);
	size_t header = s.family == AF_INET6 ? 40 : 20;

	memset(buf, 0, header);
	if (s.family == AF_INET6) {
		buf[0] = 0x60;
		put16(buf + 4, (unsigned)len);
		buf[6] = protocol;
		buf[7] = 64;
		memcpy(buf + 8, s.bytes, 16);
		memcpy(buf + 24, d.bytes, 16);
	} else {
		buf[0] = 0x45;
		put16(buf + 2, (unsigned)(20 + len));
		buf[6] = 0x40; /* DF */
		buf[8] = 64;
		buf[9] = protocol;
		memcpy(buf + 12, s.bytes, 4);
		memcpy(buf + 16, d.bytes, 4);
		put16(buf + 10, (uint16_t)~folded(sum16(buf, 20)));
	}
	if (len)
		memcpy(buf + header, payload, len);
	return header + len;
}

/* Sum of pseudo-header and upper-layer message; 0xffff when the message's checksum is right. */
static uint16_t upper_sum(const uint8_t *packet, size_t len)
{
	bool six = packet[0] >> 4 == 6;
	size_t header = six ? 40 : 20;
	uint8_t protocol = six ? packet[6] : packet[9];
	uint64_t sum = sum16(packet + header, len - header);

	if (protocol == 1) /* ICMP has no pseudo-header */
		return folded(sum);
	sum += six ? sum16(packet + 8, 32) : sum16(packet + 12, 8);
	return folded(sum + protocol + (len - header));
}

bool packet_checksum_ok(const uint8_t *packet, size_t len)
{
	if (packet[0] >> 4 == 4 && folded(sum16(packet, 20)) != 0xffff)
		return false;
	return upper_sum(packet, len) == 0xffff;
}

size_t packet_syn(uint8_t *buf, const char *src, const char *dst, uint16_t mss)
{
	uint8_t tcp[24] = {
		0x30, 0x39, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0, 2, 4};
	size_t len;

	put16(tcp + 22, mss);
	len = packet_build(buf, src, dst, 6, tcp, sizeof(tcp));
	put16(buf + len - 24 + 16, (uint16_t)~upper_sum(buf, len));
	return len;
}

uint16_t packet_syn_mss(const uint8_t *packet)
{
	const uint8_t *option = packet + (packet[0] >> 4 == 6 ? 40 : 20) + 20;

	assert_int_equal(option[0], 2);
	return (uint16_t)(option[2] << 8 | option[3]);
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

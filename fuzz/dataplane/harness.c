/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness.h"

#include <string.h>
#include <unistd.h>

static void on_input(struct tun_plane *p, struct dp_row *row, const uint8_t *payload, size_t len)
{
	struct harness *h = tun_plane_owner(p);

	MUST(row == h->row && payload && len);
	h->inputs++;
}

static void on_stray(struct tun_plane *p, uint8_t listener, struct dp_row *row, const struct endpoint *from,
	const struct addr *local, const uint8_t *payload, size_t len)
{
	struct harness *h = tun_plane_owner(p);

	MUST((!row || row == h->row) && from && local && payload && len);
	h->strays++;
}

static const struct tun_ops harness_ops = {.input = on_input, .stray = on_stray};

static void add_socket(struct harness *h)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	uint8_t listener = 0;

	MUST(fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	MUST(tun_plane_add_socket(h->plane, fd, &listener) == 0);
	h->socket = h->plane->sockets[listener];
}

static void add_row(struct harness *h)
{
	struct prefix p6, p4;

	MUST(prefix_parse("2001:db8:1::/64", &p6) == 0 && prefix_parse("192.0.2.8/30", &p4) == 0);
	MUST(dp_row_add(&h->plane->table, h->socket->listener, 0x0102, 0x0304, &h->peer, &h->row) == 0);
	MUST(dp_row_add_prefix(&h->plane->table, h->row, &p6) == 0);
	MUST(dp_row_add_prefix(&h->plane->table, h->row, &p4) == 0);
	h->row->peer_tunnel = 0x1112;
	h->row->peer_session = 0x1314;
}

static void harness_start(struct harness *h)
{
	int pair[2];

	MUST(endpoint_parse("127.0.0.1:9", 0, &h->peer) == 0 &&
		endpoint_parse("127.0.0.2:9", 0, &h->other) == 0);
	MUST(addr_parse("2001:db8::1", &h->local6) == 0 && addr_parse("198.51.100.1", &h->local4) == 0);
	MUST(loop_init(&h->loop) == 0);
	h->plane = tun_plane_new(&h->loop, NULL, &harness_ops, h, 1);
	MUST(h->plane != NULL);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	h->device = pair[1];
	MUST(tun_plane_set_device(h->plane, pair[0]) == 0);
	add_socket(h);
	add_row(h);
}

struct harness *harness_get(void)
{
	static struct harness h;

	if (!h.plane)
		harness_start(&h);
	harness_reset(&h);
	return &h;
}

void harness_reset(struct harness *h)
{
	tun_plane_set_sources(h->plane, &h->local6, &h->local4);
	dp_queue_clear(h->socket);
	memset(h->plane->icmp, 0, sizeof(h->plane->icmp));
	memset(&h->row->icmp, 0, sizeof(h->row->icmp));
	h->row->up6 = h->row->up4 = true;
	h->row->any_source = false;
	h->row->mtu = 1280;
	h->row->mss_mtu = 1280;
	dp_table_set_default(&h->plane->table, NULL);
}

size_t harness_device(struct harness *h, uint8_t *buf, size_t size)
{
	ssize_t n = recv(h->device, buf, size, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

void harness_mend(uint8_t *packet, size_t len, uint8_t family)
{
	size_t header = family == AF_INET6 ? 40 : 20, value = family == AF_INET6 ? len - 40 : len;
	uint8_t *field = packet + (family == AF_INET6 ? 4 : 2);

	if (len < header)
		return;
	packet[0] = family == AF_INET6 ? 0x60 : 0x45;
	field[0] = (uint8_t)(value >> 8);
	field[1] = (uint8_t)value;
}

struct inner harness_inner(const uint8_t *packet, size_t len)
{
	struct inner inner = {0};

	MUST(len > 0 && inner_read(packet[0] >> 4 == 6 ? AF_INET6 : AF_INET, packet, len, &inner));
	MUST(inner.len == len);
	return inner;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness.h"

#include <string.h>
#include <unistd.h>

static const uint8_t lladdr[6] = {2};

static void on_path_mtu(struct mesh_plane *p, const struct addr *outer, uint32_t mtu)
{
	(void)p;
	MUST(outer && mtu);
}

static void on_unreachable(struct mesh_plane *p, const struct addr *outer, int error)
{
	(void)p;
	MUST(outer && error);
}

static void on_refused(struct mesh_plane *p, const struct addr *from, const char *reason)
{
	struct harness *h = mesh_plane_owner(p);

	MUST(from && reason && *reason);
	h->refused++;
}

static void on_device_lost(struct mesh_plane *p)
{
}

static const struct mesh_ops ops = {.path_mtu = on_path_mtu,
	.unreachable = on_unreachable,
	.refused = on_refused,
	.device_lost = on_device_lost};

static void add_rows(struct harness *h)
{
	static const struct mesh_encapsulation accepted[] = {{.kind = MESH_IPIP},
		{.kind = MESH_GRE, .has_key = true, .key = 0x01020304}, {.kind = MESH_GRE, .mpls = true},
		{.kind = MESH_L2TPV3, .session = 0x0a0b0c0d, .cookie_len = 8, .cookie = "12345678"}};
	struct mesh_level level = {.hop_limit = 64, .how = accepted[1]};
	struct mesh_slot slots[MESH_SLOTS] = {0};
	struct mesh_acceptance *row;
	struct mesh_template template;

	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
		MUST(mesh_accept_add(&h->plane->table, &accepted[i], &row) == 0);
	MUST(mesh_transmitter_add(&h->plane->table, &h->transmitter6) == 0);
	MUST(mesh_transmitter_add(&h->plane->table, &h->transmitter4) == 0);
	MUST(addr_parse("2001:db8:c::1", &level.src) == 0);
	level.dst = h->transmitter6;
	MUST(mesh_template_make(&template, &level, 1) == 0);
	h->endpoint = mesh_endpoint_new(&h->plane->table, &level.dst, &level.dst, &template);
	MUST(h->endpoint);
	for (unsigned i = 0; i < MESH_SLOTS; i++)
		slots[i].primary.endpoint = h->endpoint;
	MUST(mesh_path_new(&h->plane->table, 0, slots, &h->path) == 0);
}

static void harness_start(struct harness *h)
{
	int pair[2];

	MUST(addr_parse("2001:db8:c::2", &h->transmitter6) == 0 &&
		addr_parse("192.0.2.2", &h->transmitter4) == 0);
	MUST(addr_parse("2001:db8::1", &h->local6) == 0 && addr_parse("198.51.100.1", &h->local4) == 0);
	MUST(loop_init(&h->loop) == 0);
	h->plane = mesh_plane_new(&h->loop, NULL, &ops, h, 1);
	MUST(h->plane);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	h->device = pair[1];
	MUST(mesh_plane_set_device(h->plane, pair[0], lladdr) == 0);
	h->sender = (struct mesh_socket){.plane = h->plane,
		.fd = -1,
		.family = AF_INET6,
		.protocol = MESH_ANY_PROTOCOL,
		.tail = &h->sender.head};
	h->plane->senders[1] = &h->sender;
	add_rows(h);
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
	mesh_plane_set_sources(h->plane, &h->local6, &h->local4);
	mesh_queue_clear(&h->sender);
	memset(h->plane->icmp, 0, sizeof(h->plane->icmp));
	memset(&h->path->icmp, 0, sizeof(h->path->icmp));
	memset(&h->endpoint->icmp, 0, sizeof(h->endpoint->icmp));
	h->plane->table.take4 = h->plane->table.take6 = true;
	h->endpoint->usable = h->endpoint->clamp_mss = h->endpoint->copy_ecn = true;
	h->endpoint->mtu = 1400;
}

size_t harness_device(struct harness *h, uint8_t *buf, size_t size)
{
	uint8_t frame[MESH_FRAME + MESH_RX_BYTES];
	ssize_t n = recv(h->device, frame, sizeof(frame), MSG_DONTWAIT);

	if (n <= 0)
		return 0;
	MUST(n > MESH_FRAME && (size_t)n - MESH_FRAME <= size && !memcmp(frame, lladdr, sizeof(lladdr)));
	MUST(!memcmp(frame + 12, frame[MESH_FRAME] >> 4 == 6 ? "\x86\xdd" : "\x08\x00", 2));
	memcpy(buf, frame + MESH_FRAME, (size_t)n - MESH_FRAME);
	return (size_t)n - MESH_FRAME;
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

	MUST(len > 0 && inner_read(inner_family(packet, len), packet, len, &inner));
	MUST(inner.len == len);
	return inner;
}

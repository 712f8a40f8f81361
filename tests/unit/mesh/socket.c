/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mesh/socket and plane: raw sockets of the kernel: what is on the wire, what comes from there, and what the core says of packets. Each test has a network
 * namespace of its own, with a TUN for a core.
 */
#include "core.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>

#define HERE4  "198.51.100.7"
#define THERE4 "203.0.113.9"
#define HERE6  "2001:db8:1::7"
#define THERE6 "2001:db8:2::9"

static const struct mesh_encapsulation ipip = {.kind = MESH_IPIP}, gre = {.kind = MESH_GRE};
static struct core core;

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static const char *ingress(bool six)
{
	return six ? INGRESS6 : INGRESS4;
}

static const char *egress(bool six)
{
	return six ? EGRESS6 : EGRESS4;
}

/* Into a namespace with a core; receivers for IP-in-IP and GRE, senders; the egress may send, and is accepted. */
static void arrive(struct fixture *f)
{
	static const uint8_t protocols[] = {MESH_PROTO_IP4, MESH_PROTO_IP6, MESH_PROTO_GRE};
	struct mesh_acceptance *a;

	core_make(&core, INGRESS6, INGRESS4);
	for (unsigned six = 0; six < 2; six++) {
		struct addr transmitter = address(egress(six));

		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(mesh_plane_add_receiver(f->plane,
						 core_socket(ingress(six), protocols[i]), protocols[i]),
				0);
		assert_int_equal(mesh_plane_set_sender(f->plane, core_socket(ingress(six), IPPROTO_RAW),
					 six ? AF_INET6 : AF_INET),
			0);
		assert_int_equal(mesh_transmitter_add(f->table, &transmitter), 0);
	}
	assert_int_equal(mesh_accept_add(f->table, &ipip, &a), 0);
	assert_int_equal(mesh_accept_add(f->table, &gre, &a), 0);
	mesh_plane_set_interfaces(f->plane, &core.ifindex, 1);
}

static int leave(void **state)
{
	int r = fixture_teardown(state);

	if (core.netlink)
		core_done(&core);
	core = (struct core){0};
	return r;
}

#define ARRIVE(f)                                                                                            \
	NAMESPACE_OR_SKIP();                                                                                 \
	arrive(f)

static size_t device_awaits(struct fixture *f, uint8_t *buf, size_t size)
{
	size_t n = 0;

	UNTIL(f, (n = device_gets(f, buf, size)));
	return n;
}

static struct mesh_path *path_to_egress(
	struct fixture *f, bool core6, const struct mesh_encapsulation *how, struct mesh_endpoint **ret)
{
	*ret = fixture_endpoint(f, ingress(core6), egress(core6), how);
	return fixture_path(f, *ret, NULL, 0);
}

static size_t packet_of(uint8_t *packet, bool six, size_t data)
{
	static uint8_t body[9000];

	for (size_t i = 0; i < data; i++)
		body[i] = (uint8_t)(i * 5 + i / 256);
	return packet_build(packet, six ? HERE6 : HERE4, six ? THERE6 : THERE4, 17, body, data);
}

/* What was queued is on the wire octet by octet: nothing is the kernel's but IPv4's checksum, which is right. */
/* proves: MESH-FWD-11 partial */
static void the_wire_has_what_the_template_says(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1500], out[1600];

	ARRIVE(f);
	for (unsigned core6 = 0; core6 < 2; core6++) {
		struct mesh_endpoint *e;
		struct mesh_path *path = path_to_egress(f, core6, &gre, &e);
		size_t len = packet_of(packet, core6, 500), outer = core6 ? 40 : 20;

		packet[core6 ? 0 : 1] = core6 ? 0x6b : 0xb9;
		packet[core6 ? 1 : 2] = core6 ? 0x90 : packet[2];
		device_sends(f, path->number, packet, len);
		assert_int_equal(
			core_await(&core, core6 ? AF_INET6 : AF_INET, out, sizeof(out)), outer + 4 + len);
		if (core6) {
			assert_int_equal((out[0] & 15) << 4 | out[1] >> 4, 0xb9);
			assert_int_not_equal((out[1] & 15) | out[2] | out[3], 0);
			assert_int_equal(get16(out + 4), 4 + len);
			assert_memory_equal(out + 6, "\x2f\x4d", 2);
		} else {
			assert_memory_equal(out, "\x45\xb9", 2);
			assert_int_equal(get16(out + 2), 24 + len);
			assert_memory_equal(out + 6, "\x40\x00\x4d\x2f", 4);
		}
		assert_memory_equal(out + outer, core6 ? "\0\0\x86\xdd" : "\0\0\x08\0", 4);
		assert_memory_equal(out + outer + 4, packet, len);
	}
	assert_int_equal(f->counters->tx_packets, 2);
	assert_int_equal(f->unreachable.count, 0);
}

/* Sets the ECN field, and makes IPv4's checksum anew. */
static void mark(uint8_t *packet, uint8_t ecn)
{
	uint32_t sum = 0;

	if (packet[0] >> 4 == 6) {
		packet[1] = (uint8_t)(ecn << 4);
		return;
	}
	packet[1] = ecn;
	packet[10] = packet[11] = 0;
	for (size_t i = 0; i < 20; i += 2)
		sum += get16(packet + i);
	sum = (sum & 0xffff) + (sum >> 16);
	packet[10] = (uint8_t)(~sum >> 8);
	packet[11] = (uint8_t)~sum;
}

/* Address, interface, TOS and Traffic Class are told; fragments are put together, IPv6's extension headers and IPv4's options are no matter. */
/* proves: MESH-FWD-2 partial */
static void what_comes_from_the_wire_reaches_the_device(void **state)
{
	struct fixture *f = *state;
	uint8_t inner[600], outer[700], out[700];

	ARRIVE(f);
	for (unsigned core6 = 0; core6 < 2; core6++)
		for (unsigned six = 0; six < 2; six++) {
			size_t len = packet_of(inner, six, 300), n;

			mark(inner, 2); /* ECT(0) */
			n = packet_build(outer, egress(core6), ingress(core6), six ? 41 : 4, inner, len);
			mark(outer, 3); /* congestion on the way */
			core_inject(&core, outer, n);
			assert_int_equal(device_awaits(f, out, sizeof(out)), len);
			assert_int_equal(six ? out[1] >> 4 & 3 : out[1] & 3, 3);
			assert_memory_equal(out + 12, inner + 12, len - 12);
		}
	assert_int_equal(f->counters->ecn_ce, 4);
	assert_int_equal(f->refused.count, 0);
}

static void the_kernel_takes_extension_headers_off_and_fragments_together(void **state)
{
	/* Destination options with a Tunnel Encapsulation Limit (RFC 2473 section 4.1.1), as other people's tunnels send them. */
	static const uint8_t limit[8] = {4, 0, 4, 1, 4, 1, 1, 0};
	struct fixture *f = *state;
	uint8_t inner[2200], outer[2400], piece[1500], out[2200];
	size_t len, n;

	ARRIVE(f);
	len = packet_of(inner, false, 100);
	memcpy(outer + 1000, limit, 8);
	memcpy(outer + 1008, inner, len);
	n = packet_build(outer, EGRESS6, INGRESS6, 60, outer + 1000, 8 + len);
	core_inject(&core, outer, n);
	assert_int_equal(device_awaits(f, out, sizeof(out)), len);

	len = packet_of(inner, false, 2000);
	for (unsigned i = 0; i < 2; i++) {
		size_t at = i ? 1200 : 0, size = i ? len - 1200 : 1200;
		uint8_t header[8] = {4, 0, (uint8_t)(at >> 8), (uint8_t)(at | !i), 1, 2, 3, 4};

		memcpy(piece, header, 8);
		memcpy(piece + 8, inner + at, size);
		n = packet_build(outer, EGRESS6, INGRESS6, 44, piece, 8 + size);
		core_inject(&core, outer, n);
	}
	assert_int_equal(device_awaits(f, out, sizeof(out)), len);
	assert_memory_equal(out, inner, len);
}

/* proves: SEC-MESH-7 partial */
static void strangers_and_other_interfaces_are_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t inner[600], outer[700], out[700];
	unsigned other;
	size_t len, n;

	ARRIVE(f);
	len = packet_of(inner, false, 300);
	n = packet_build(outer, BACKUP6, INGRESS6, 4, inner, len);
	core_inject(&core, outer, n);
	UNTIL(f, f->counters->drop_transmitter);
	n = packet_build(outer, EGRESS6, INGRESS6, 4, inner, len);
	other = core.ifindex + 1;
	mesh_plane_set_interfaces(f->plane, &other, 1);
	core_inject(&core, outer, n);
	UNTIL(f, f->counters->drop_interface);
	assert_int_equal(f->counters->drop_transmitter, 1);
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
}

/* What other interfaces would not take is not ours to refuse. */
static void a_very_large_packet_is_taken_whole(void **state)
{
	enum { LARGE = 15000 };
	static uint8_t inner[LARGE + 40], outer[LARGE + 80], out[LARGE + 40];
	struct fixture *f = *state;
	size_t len, n;

	ARRIVE(f);
	assert_int_equal(netlink_link_mtu(core.netlink, "core0", LARGE + 80), 0);
	len = packet_build(inner, HERE6, THERE6, 59, out, LARGE);
	n = packet_build(outer, EGRESS6, INGRESS6, 41, inner, len);
	core_inject(&core, outer, n);
	assert_int_equal(device_awaits(f, out, sizeof(out)), len);
	assert_memory_equal(out, inner, len);
}

/* The pieces on the wire, put together; *ret_largest: the largest piece. */
static size_t reassemble(bool core6, uint8_t *whole, size_t *ret_largest)
{
	size_t header = core6 ? 48 : 20, got = 0, n;
	uint8_t out[2000];

	*ret_largest = 0;
	while ((n = core_wire(&core, core6 ? AF_INET6 : AF_INET, out, sizeof(out)))) {
		unsigned at = core6 ? get16(out + 42) & 0xfff8 : (get16(out + 6) & 0x1fff) * 8;

		if (core6)
			assert_int_equal(out[6], 44);
		else
			assert_int_equal(out[6] & 0x40, 0);
		assert_int_equal(at, got);
		memcpy(whole + got, out + header, n - header);
		got += n - header;
		if (n > *ret_largest)
			*ret_largest = n;
	}
	return got;
}

/* The interface is narrower than the endpoint's MTU says: the role hears it, and the packet is not lost. */
static void an_interface_that_is_too_narrow_is_told_and_gets_pieces(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1500], whole[2000];

	ARRIVE(f);
	assert_int_equal(netlink_link_mtu(core.netlink, "core0", 1300), 0);
	for (unsigned core6 = 0; core6 < 2; core6++) {
		struct addr to = address(egress(core6));
		struct mesh_endpoint *e;
		struct mesh_path *path = path_to_egress(f, core6, &ipip, &e);
		size_t len = packet_of(packet, false, 1380), largest;

		device_sends(f, path->number, packet, len);
		assert_int_equal(f->path_mtu.count, core6 + 1);
		assert_true(addr_equal(&f->path_mtu.addr, &to));
		assert_int_equal(f->path_mtu.mtu, 1300);
		assert_int_equal(reassemble(core6, whole, &largest), len);
		assert_memory_equal(whole, packet, len);
		assert_true(largest <= 1300 && largest > 1280);
		assert_int_equal(f->counters->outer_fragmented, core6 + 1);
	}
	assert_int_equal(f->counters->drop_too_big, 0);
	assert_int_equal(f->unreachable.count, 0);
	assert_int_equal(f->plane->free_count, MESH_PARCELS);
}

/* A packet that is too large and whose pieces find no room is one that is lost, and lost for one reason. */
static void pieces_without_room_are_counted_once(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path;
	struct mesh_socket *s;
	uint8_t packet[1500];
	size_t len = packet_of(packet, false, 1380);

	ARRIVE(f);
	assert_int_equal(netlink_link_mtu(core.netlink, "core0", 1300), 0);
	path = path_to_egress(f, true, &ipip, &e);
	s = f->plane->senders[1];
	s->blocked = true;
	for (unsigned i = 0; i < MESH_QUEUE_MAX; i++)
		device_sends(f, path->number, packet, len);
	assert_int_equal(s->queued, MESH_QUEUE_MAX);
	s->blocked = false;
	mesh_socket_send(s);
	assert_int_equal(s->queued, 0);
	assert_true(f->counters->drop_send_queue > 0);
	assert_int_equal(f->counters->drop_send_queue + f->counters->outer_fragmented, MESH_QUEUE_MAX);
	assert_int_equal(f->counters->drop_too_big, 0);
	assert_int_equal(f->plane->free_count, MESH_PARCELS);
}

/* An ICMP error of the core about PACKET. */
static void core_says(bool core6, uint8_t type, uint8_t code, unsigned mtu, const uint8_t *packet)
{
	uint8_t message[8 + 100] = {type, code, 0, 0, 0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu}, out[300];
	uint32_t sum = 0;
	size_t len;

	memcpy(message + 8, packet, 100);
	len = packet_build(out, core6 ? "2001:db8:c::99" : "192.0.2.99", ingress(core6), core6 ? 58 : 1,
		message, sizeof(message));
	for (size_t i = core6 ? 8 : 20; i < len; i += 2)
		sum += get16(out + i);
	if (core6)
		sum += 58 + (uint32_t)sizeof(message);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	out[core6 ? 42 : 22] = (uint8_t)(~sum >> 8);
	out[core6 ? 43 : 23] = (uint8_t)~sum;
	core_inject(&core, out, len);
}

/* proves: MESH-FWD-13 partial */
static void what_the_core_says_of_its_mtu_is_told(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1500], out[1600], whole[2000];

	ARRIVE(f);
	for (unsigned core6 = 0; core6 < 2; core6++) {
		struct addr to = address(egress(core6));
		struct mesh_endpoint *e;
		struct mesh_path *path = path_to_egress(f, core6, &gre, &e);
		size_t len = packet_of(packet, false, 1380), outer = core6 ? 44 : 24, largest;
		unsigned told = f->path_mtu.count;

		device_sends(f, path->number, packet, len);
		assert_int_equal(
			core_await(&core, core6 ? AF_INET6 : AF_INET, out, sizeof(out)), outer + len);
		core_says(core6, core6 ? 2 : 3, core6 ? 0 : 4, 1350, out);
		UNTIL(f, f->path_mtu.count > told);
		assert_true(addr_equal(&f->path_mtu.addr, &to));
		assert_int_equal(f->path_mtu.mtu, 1350);

		/* The role has done nothing: the kernel knows, and the packet gets through all the same. */
		device_sends(f, path->number, packet, len);
		UNTIL(f, f->path_mtu.count > told + 1); /* the kernel says it again */
		assert_int_equal(reassemble(core6, whole, &largest), outer - (core6 ? 40 : 20) + len);
		assert_memory_equal(whole + 4, packet, len);
		assert_true(largest <= 1350);
		assert_int_equal(f->path_mtu.mtu, 1350);

		/* And when it has, the source is told, and nothing is cut any more. */
		e->mtu = (uint16_t)(1350 - outer);
		device_sends(f, path->number, packet, len);
		assert_true(device_gets(f, out, sizeof(out)) > 0);
		assert_int_equal(core_wire(&core, core6 ? AF_INET6 : AF_INET, out, sizeof(out)), 0);
		device_sends(f, path->number, packet, packet_of(packet, false, e->mtu - 20U));
		assert_int_equal(core_await(&core, core6 ? AF_INET6 : AF_INET, out, sizeof(out)), 1350);
	}
	assert_int_equal(f->counters->outer_fragmented, 2);
	assert_int_equal(f->plane->free_count, MESH_PARCELS);
}

/* Whoever forges an error does not bring us below what every path has; of IPv6 it is not even believed (RFC 8201 section 4). */
static void a_forged_mtu_has_a_floor(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1500], out[1600];

	ARRIVE(f);
	for (unsigned core6 = 0; core6 < 2; core6++) {
		struct mesh_endpoint *e;
		struct mesh_path *path = path_to_egress(f, core6, &gre, &e);

		device_sends(f, path->number, packet, packet_of(packet, false, 1380));
		core_await(&core, core6 ? AF_INET6 : AF_INET, out, sizeof(out));
		core_says(core6, core6 ? 2 : 3, core6 ? 0 : 4, 68, out);
		if (core6)
			core_says(true, 2, 0, 1281, out);
		UNTIL(f, f->path_mtu.count > core6);
		assert_int_equal(f->path_mtu.mtu, core6 ? 1281 : 576);
	}
	assert_int_equal(f->path_mtu.count, 2);
}

static void what_cannot_be_reached_is_told(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1500], out[1600];

	ARRIVE(f);
	for (unsigned core6 = 0; core6 < 2; core6++) {
		struct addr to = address(egress(core6));
		struct mesh_endpoint *e;
		struct mesh_path *path = path_to_egress(f, core6, &gre, &e);
		struct prefix net = prefix(core6 ? "2001:db8:c::/64" : "192.0.2.0/24");
		size_t len = packet_of(packet, true, 100);

		device_sends(f, path->number, packet, len);
		core_await(&core, core6 ? AF_INET6 : AF_INET, out, sizeof(out));
		core_says(core6, core6 ? 1 : 3, core6 ? 3 : 1, 0, out);
		UNTIL(f, f->unreachable.count > 2 * core6);
		assert_int_equal(f->unreachable.error, EHOSTUNREACH);
		assert_true(addr_equal(&f->unreachable.addr, &to));

		assert_int_equal(netlink_route(core.netlink, false, &net, false, "core0", NULL, 100), 0);
		device_sends(f, path->number, packet, len);
		UNTIL(f, f->unreachable.count > 2 * core6 + 1);
		assert_int_equal(f->unreachable.error, ENETUNREACH);
		assert_true(addr_equal(&f->unreachable.addr, &to));
	}
	assert_int_equal(f->counters->socket_errors, 4);
	assert_int_equal(f->counters->drop_unsent, 2);
}

static void one_that_cannot_be_sent_does_not_hold_up_the_others(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *good, *lost = fixture_endpoint(f, INGRESS6, "2001:db8:dead::1", &ipip);
	struct mesh_path *path, *nowhere = fixture_path(f, lost, NULL, 0);
	uint8_t frame[200] = {0}, out[300];
	size_t len;

	ARRIVE(f);
	path = path_to_egress(f, true, &ipip, &good);
	frame[12] = 0x08;
	len = FRAME + packet_of(frame + FRAME, false, 20);
	for (unsigned i = 0; i < 60; i++) {
		mesh_path_lladdr(i % 3 ? path->number : nowhere->number, frame);
		assert_int_equal(write(f->device, frame, len), (ssize_t)len);
	}
	fixture_run(f);
	assert_int_equal(f->counters->tx_packets, 40);
	assert_int_equal(f->unreachable.count, 20);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(core_await(&core, AF_INET6, out, sizeof(out)), len - FRAME + 40);
	assert_int_equal(f->plane->free_count, MESH_PARCELS);
}

static void a_sender_takes_nothing_in(void **state)
{
	struct fixture *f = *state;
	uint8_t inner[100], outer[200], out[200];

	ARRIVE(f);
	for (unsigned six = 0; six < 2; six++) {
		core_inject(&core, outer, packet_build(outer, egress(six), ingress(six), 255, "12345678", 8));
		core_inject(&core, outer,
			packet_build(
				outer, egress(six), ingress(six), 4, inner, packet_of(inner, false, 20)));
		device_awaits(f, out, sizeof(out)); /* so it has been, too */
		assert_int_equal(recv(f->plane->senders[six]->fd, out, sizeof(out), MSG_DONTWAIT), -1);
		assert_int_equal(errno, EAGAIN);
	}
}

static void refuses_sockets_that_are_not_what_it_needs(void **state)
{
	struct fixture *f = *state;
	int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), raw, sender;

	ARRIVE(f);
	raw = core_socket(INGRESS6, MESH_PROTO_L2TP);
	sender = core_socket(INGRESS6, IPPROTO_RAW);
	assert_int_equal(mesh_plane_add_receiver(f->plane, udp, MESH_PROTO_L2TP), -EINVAL);
	assert_int_equal(mesh_plane_add_receiver(f->plane, raw, MESH_PROTO_MPLS), -EINVAL);
	assert_int_equal(mesh_plane_add_receiver(f->plane, sender, MESH_PROTO_L2TP), -EINVAL);
	assert_int_equal(mesh_plane_add_receiver(f->plane, -1, MESH_PROTO_L2TP), -EBADF);
	assert_int_equal(mesh_plane_set_sender(f->plane, raw, AF_INET6), -EINVAL);
	assert_int_equal(mesh_plane_set_sender(f->plane, sender, AF_INET), -EINVAL);
	assert_int_equal(mesh_plane_set_sender(f->plane, sender, AF_UNIX), -EINVAL);
	assert_int_equal(mesh_plane_add_receiver(f->plane, raw, MESH_PROTO_L2TP), 0);
	close(udp);
	udp = core_socket(INGRESS6, MESH_PROTO_L2TP);
	assert_int_equal(mesh_plane_add_receiver(f->plane, udp, MESH_PROTO_L2TP), -EEXIST);
	close(udp);
	close(sender);
}

static void a_new_sender_takes_the_queue_along(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path;
	uint8_t packet[200], out[300];

	ARRIVE(f);
	path = path_to_egress(f, true, &ipip, &e);
	f->plane->senders[1]->blocked = true; /* as if its buffer were full */
	device_sends(f, path->number, packet, packet_of(packet, false, 20));
	assert_int_equal(core_wire(&core, AF_INET6, out, sizeof(out)), 0);
	assert_int_equal(mesh_plane_set_sender(f->plane, core_socket(INGRESS6, IPPROTO_RAW), AF_INET6), 0);
	fixture_run(f);
	assert_int_equal(core_await(&core, AF_INET6, out, sizeof(out)), 80);
}

static void a_blocked_sender_goes_on_when_it_can(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path;
	uint8_t packet[200], out[300];

	ARRIVE(f);
	path = path_to_egress(f, true, &ipip, &e);
	f->plane->senders[1]->blocked = true;
	device_sends(f, path->number, packet, packet_of(packet, false, 20));
	assert_int_equal(f->plane->senders[1]->queued, 1);
	mesh_socket_watch(f->plane->senders[1]);
	UNTIL(f, !f->plane->senders[1]->blocked);
	assert_int_equal(core_await(&core, AF_INET6, out, sizeof(out)), 80);
}

/* Receivers come and go with the core's address; those that are gone hear nothing. */
static void receivers_can_be_taken_away(void **state)
{
	struct fixture *f = *state;
	uint8_t inner[200], outer[300], out[300];
	size_t n;

	ARRIVE(f);
	n = packet_build(outer, EGRESS6, INGRESS6, 4, inner, packet_of(inner, false, 20));
	core_inject(&core, outer, n);
	for (unsigned i = 0; i < MESH_RECEIVERS; i++) /* it waits there */
		if (f->plane->receivers[i] && f->plane->receivers[i]->family == AF_INET6 &&
			f->plane->receivers[i]->protocol == 4)
			assert_int_equal(
				poll(&(struct pollfd){.fd = f->plane->receivers[i]->fd, .events = POLLIN}, 1,
					5000),
				1);
	mesh_plane_remove_receivers(f->plane);
	fixture_run(f);
	assert_int_equal(f->counters->rx_packets, 0);
	assert_int_equal(mesh_plane_add_receiver(f->plane, core_socket(INGRESS6, 4), 4), 0);
	core_inject(&core, outer, n);
	assert_int_equal(device_awaits(f, out, sizeof(out)), n - 40);
}

static void remove_receivers(struct fixture *f)
{
	mesh_plane_remove_receivers(f->plane);
}

static void close_plane(struct fixture *f)
{
	f->on_call = NULL;
	fixture_close(f);
}

/* From inside what it is told, in the middle of a batch. */
static void the_role_may_take_all_away_at_any_time(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path;
	uint8_t packet[200], outer[300];
	struct prefix net = prefix("2001:db8:c::/64");
	size_t n;

	ARRIVE(f);
	n = packet_build(outer, BACKUP6, INGRESS6, 4, packet, packet_of(packet, false, 20));
	for (unsigned i = 0; i < 5; i++)
		core_inject(&core, outer, n);
	f->on_call = remove_receivers;
	UNTIL(f, f->refused.count);
	fixture_run(f);
	assert_int_equal(f->refused.count, 1);
	path = path_to_egress(f, true, &ipip, &e);
	assert_int_equal(netlink_route(core.netlink, false, &net, false, "core0", NULL, 100), 0);
	f->on_call = close_plane;
	device_sends(f, path->number, packet, packet_of(packet, false, 20));
	assert_int_equal(f->unreachable.count, 1);
	assert_true(f->freed || !f->plane);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup_sockets, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_wire_has_what_the_template_says),
		TEST(what_comes_from_the_wire_reaches_the_device),
		TEST(the_kernel_takes_extension_headers_off_and_fragments_together),
		TEST(strangers_and_other_interfaces_are_refused),
		TEST(a_very_large_packet_is_taken_whole),
		TEST(an_interface_that_is_too_narrow_is_told_and_gets_pieces),
		TEST(pieces_without_room_are_counted_once),
		TEST(what_the_core_says_of_its_mtu_is_told),
		TEST(a_forged_mtu_has_a_floor),
		TEST(what_cannot_be_reached_is_told),
		TEST(one_that_cannot_be_sent_does_not_hold_up_the_others),
		TEST(a_sender_takes_nothing_in),
		TEST(refuses_sockets_that_are_not_what_it_needs),
		TEST(a_new_sender_takes_the_queue_along),
		TEST(a_blocked_sender_goes_on_when_it_can),
		TEST(receivers_can_be_taken_away),
		TEST(the_role_may_take_all_away_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

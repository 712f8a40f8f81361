/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh/out and queue: what the device gives reaches the right endpoint with the right outer header, or is answered and counted. */
#include "fixture.h"

#include <unistd.h>

#define HERE4  "198.51.100.7"
#define THERE4 "203.0.113.9"
#define HERE6  "2001:db8:1::7"
#define THERE6 "2001:db8:2::9"

static const struct mesh_encapsulation ipip = {.kind = MESH_IPIP}, gre = {.kind = MESH_GRE},
				       keyed = {.kind = MESH_GRE, .has_key = true, .key = 0x01020304},
				       l2tp = {.kind = MESH_L2TPV3,
					       .session = 0x0a0b0c0d,
					       .cookie_len = 8,
					       .cookie = "\1\2\3\4\5\6\7\x8"},
				       mpls = {.kind = MESH_IPIP, .mpls = true};

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static size_t packet_of(uint8_t *packet, bool six, size_t data)
{
	static uint8_t body[9000];

	for (size_t i = 0; i < data; i++)
		body[i] = (uint8_t)(i * 5 + i / 256);
	return packet_build(packet, six ? HERE6 : HERE4, six ? THERE6 : THERE4, 17, body, data);
}

/* Every kind, both payloads, both cores: header, then the packet unchanged. */
/* proves: MESH-FWD-1 partial, MESH-ENC-14 partial, MESH-ENC-2 partial, MESH-ENC-3 partial, MESH-ENC-4 partial, MESH-ENC-5 partial, MESH-ENC-8 partial */
static void packs_both_families_for_both_cores(void **state)
{
	static const struct {
		const struct mesh_encapsulation *how;
		uint8_t protocol4, protocol6; /* of the outer header, by payload */
		const char *header4, *header6;
		size_t len;
	} cases[] = {
		{&ipip, 4, 41, "", "", 0}, {&gre, 47, 47, "\0\0\x08\0", "\0\0\x86\xdd", 4},
		{&keyed, 47, 47, "\x20\0\x08\0\1\2\3\4", "\x20\0\x86\xdd\1\2\3\4", 8},
		{&l2tp, 115, 115, "\xa\xb\xc\xd\1\2\3\4\5\6\7\x8", "\xa\xb\xc\xd\1\2\3\4\5\6\7\x8", 12},
		{&mpls, 137, 137, "\x00\x06\x41\x40", "\x00\x06\x41\x40", 4}, /* label 100, bottom, TTL 64 */
	};
	struct fixture *f = *state;
	uint8_t packet[1500], out[1600];
	struct addr to;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned core6 = 0; core6 < 2; core6++)
			for (unsigned six = 0; six < 2; six++) {
				const char *dst = core6 ? EGRESS6 : EGRESS4;
				struct mesh_endpoint *e =
					fixture_endpoint(f, core6 ? INGRESS6 : INGRESS4, dst, cases[i].how);
				struct mesh_path *path = fixture_path(f, e, NULL, 100);
				size_t len = packet_of(packet, six, 600), outer = core6 ? 40 : 20;
				struct addr expected = address(dst);

				device_sends(f, path->number, packet, len);
				assert_int_equal(
					core_gets(f, core6 ? AF_INET6 : AF_INET, out, sizeof(out), &to),
					outer + cases[i].len + len);
				assert_true(addr_equal(&to, &expected));
				assert_int_equal(out[0] >> 4, core6 ? 6 : 4);
				assert_int_equal(core6 ? out[6] : out[9],
					six ? cases[i].protocol6 : cases[i].protocol4);
				assert_int_equal(core6 ? out[7] : out[8], 77);
				assert_memory_equal(
					core6 ? out + 24 : out + 16, expected.bytes, core6 ? 16 : 4);
				assert_memory_equal(
					out + outer, six ? cases[i].header6 : cases[i].header4, cases[i].len);
				assert_memory_equal(out + outer + cases[i].len, packet, len);
				assert_int_equal(six ? path->tx6.bytes : path->tx4.bytes, len);
				assert_int_equal(six ? e->tx6.packets : e->tx4.packets, 1);
				mesh_path_unref(f->table, path);
			}
}

static struct mesh_path *simple(struct fixture *f, struct mesh_endpoint **ret)
{
	*ret = fixture_endpoint(f, INGRESS6, EGRESS6, &ipip);
	return fixture_path(f, *ret, NULL, 0);
}

static void takes_bursts_larger_than_a_batch(void **state)
{
	enum { BURST = 3 * MESH_BATCH + 5 };
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t frame[100] = {0}, out[200];

	mesh_path_lladdr(path->number, frame);
	frame[12] = 0x08;
	for (unsigned i = 0; i < BURST; i++) {
		size_t len = packet_build(frame + FRAME, HERE4, THERE4, 59, &(uint8_t){(uint8_t)i}, 1);

		assert_int_equal(write(f->device, frame, FRAME + len), (ssize_t)(FRAME + len));
	}
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(path->tx4.packets, MESH_BATCH); /* one wake-up, one batch: others have their turn */
	fixture_run(f);
	for (unsigned i = 0; i < BURST; i++) {
		assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), 61);
		assert_int_equal(out[60], i);
	}
}

/* A path that goes takes nothing along that was put into the device by it. */
static void what_is_in_the_device_is_packed_before_a_path_goes(void **state)
{
	enum { BURST = MESH_BATCH + 5 };
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t frame[100] = {0}, out[200];
	size_t len = packet_build(frame + FRAME, HERE4, THERE4, 59, &(uint8_t){7}, 1);

	mesh_path_lladdr(path->number, frame);
	frame[12] = 0x08;
	for (unsigned i = 0; i < BURST; i++)
		assert_int_equal(write(f->device, frame, FRAME + len), (ssize_t)(FRAME + len));
	mesh_plane_drain(f->plane);
	assert_int_equal(path->tx4.packets, BURST);
	mesh_path_unref(mesh_plane_table(f->plane), path);
	fixture_run(f);
	for (unsigned i = 0; i < BURST; i++)
		assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), 61);
	assert_int_equal(mesh_plane_counters(f->plane)->drop_no_path, 0);
}

/* Nothing that is said to a link goes further, and no routing protocol finds a neighbour. */
/* proves: MESH-BGP-8 partial */
static void what_belongs_to_a_link_stays_there(void **state)
{
	static const struct {
		const char *src, *dst;
	} cases[] = {{"fe80::1", "ff02::5"}, {"fe80::1", "ff02::6"}, {"fe80::1", "ff02::9"},
		{"fe80::1", "ff02::2"}, {"fe80::1", "fe80::2"}, {HERE6, "ff0e::1"}, {HERE6, "fe80::2"},
		{"::", "ff02::1:ff00:1"}, {HERE4, "224.0.0.5"}, {HERE4, "224.0.0.9"}, {HERE4, "239.1.1.1"},
		{HERE4, "255.255.255.255"}, {HERE4, "169.254.1.1"}, {"169.254.1.1", THERE4}};
	static const struct {
		const char *name;
		uint8_t head[FRAME];
	} frames[] = {
		{"ARP", {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 8, 6}},
		{"LLDP", {1, 0x80, 0xc2, 0, 0, 0xe, 2, 0, 0, 0, 0, 0, 0x88, 0xcc}},
		{"IS-IS", {1, 0x80, 0xc2, 0, 0, 0x14, 2, 0, 0, 0, 0, 0, 0, 60}},
		{"IPv6 to everybody", {0x33, 0x33, 0, 0, 0, 5, 2, 0, 0, 0, 0, 0, 0x86, 0xdd}},
		{"IPv4 to everybody", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0, 8, 0}},
		{"MPLS", {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x88, 0x47}},
		{"VLAN", {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x81, 0}},
	};
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	size_t count = sizeof(cases) / sizeof(cases[0]), more = sizeof(frames) / sizeof(frames[0]);
	uint8_t packet[200], out[200];

	for (size_t i = 0; i < count; i++)
		device_sends(f, path->number, packet,
			packet_build(packet, cases[i].src, cases[i].dst, 89, "12345678", 8));
	for (size_t i = 0; i < more; i++) {
		memcpy(packet, frames[i].head, FRAME);
		packet_build(packet + FRAME, HERE6, THERE6, 17, "12345678", 8);
		device_sends_frame(f, packet, FRAME + 48);
	}
	assert_int_equal(f->counters->drop_local_scope, count + more);
	assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), 0);
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
}

static void drops_what_is_not_a_packet(void **state)
{
	static const uint8_t bad[][FRAME + 42] = {
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x86, 0xdd, 0x60},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x86, 0xdd, 0x45, 0, 0, 42},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x08, 0x00, 0x60},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x08, 0x00, 0x44, 0, 0, 42},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x08, 0x00, 0x4b, 0, 0, 42},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x08, 0x00, 0x45, 0, 0, 43},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x08, 0x00, 0x45, 0, 0, 19},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x08, 0x00, 0x55, 0, 0, 42},
	};
	size_t count = sizeof(bad) / sizeof(bad[0]);
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	uint8_t out[200];

	simple(f, &e);
	for (size_t i = 0; i < count; i++)
		device_sends_frame(f, bad[i], sizeof(bad[i]) - (i == 0 ? 3 : 0));
	device_sends_frame(f, bad[0], FRAME);
	device_sends_frame(f, bad[0], FRAME - 1);
	device_sends_frame(f, bad[0], 1);
	assert_int_equal(f->counters->drop_bad_inner, count + 3);
	assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), 0);
}

/* RFC 6040 section 4.1, RFC 2983: all TOS values; copied, set, and with ECN left out. */
/* proves: MESH-FWD-11 partial, PS-8 partial */
static void outer_tos_is_what_policy_says(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t packet[200], out[300];

	for (unsigned policy = 0; policy < 4; policy++)
		for (unsigned tos = 0; tos < 256; tos++)
			for (unsigned six = 0; six < 2; six++) {
				size_t len = packet_of(packet, six, 8);
				unsigned expected = policy & 1 ? 46 << 2 : tos & 0xfc;

				e->set_dscp = policy & 1;
				e->dscp = 46;
				e->copy_ecn = policy & 2;
				expected |= policy & 2 ? tos & 3 : 0;
				if (six) {
					packet[0] = (uint8_t)(0x60 | tos >> 4);
					packet[1] = (uint8_t)(tos << 4);
				} else {
					packet[1] = (uint8_t)tos;
				}
				device_sends(f, path->number, packet, len);
				assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), len + 40);
				assert_int_equal((out[0] & 15) << 4 | out[1] >> 4, expected);
				assert_memory_equal(out + 40, packet, len);
			}
}

static uint32_t flow_of(struct fixture *f, struct mesh_path *path, const uint8_t *packet, size_t len)
{
	uint8_t out[300];

	device_sends(f, path->number, packet, len);
	assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), len + 40);
	return (out[1] & 15U) << 16 | (uint32_t)out[2] << 8 | out[3];
}

/* RFC 6438: the same for a flow, never 0, and flows spread. */
static void flows_have_labels(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t packet[200], ports[8] = {0};
	uint32_t seen[200];
	unsigned same = 0;

	for (unsigned i = 0; i < 200; i++) {
		size_t len;

		ports[1] = (uint8_t)i;
		len = packet_build(
			packet, i % 2 ? HERE4 : HERE6, i % 2 ? THERE4 : THERE6, 17, ports, sizeof(ports));
		seen[i] = flow_of(f, path, packet, len);
		assert_int_not_equal(seen[i], 0);
		assert_int_equal(flow_of(f, path, packet, len), seen[i]);
		for (unsigned k = 0; k < i; k++)
			same += seen[k] == seen[i];
	}
	assert_true(same < 3);
}

/* The slot follows from the DSCP: for each class its own endpoint, and label. */
/* proves: MESH-FWD-9 partial */
static void traffic_classes_have_their_own_endpoints(void **state)
{
	struct fixture *f = *state;
	struct mesh_slot slots[MESH_SLOTS] = {0};
	struct mesh_endpoint *e[MESH_SLOTS];
	struct mesh_path *path;
	uint8_t packet[200], out[300];

	for (unsigned i = 0; i < MESH_SLOTS; i++) {
		struct mesh_encapsulation how = {.kind = MESH_GRE, .has_key = true, .key = i};

		e[i] = fixture_endpoint(f, INGRESS6, EGRESS6, &how);
		slots[i].primary.endpoint = e[i];
	}
	assert_int_equal(mesh_path_new(f->table, 0, slots, &path), 0);
	for (unsigned dscp = 0; dscp < 64; dscp++) {
		size_t len = packet_of(packet, false, 8);

		f->table->slot_of[dscp] = (uint8_t)(dscp % MESH_SLOTS);
		packet[1] = (uint8_t)(dscp << 2);
		device_sends(f, path->number, packet, len);
		assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), len + 48);
		assert_int_equal(out[47], dscp % MESH_SLOTS);
	}
	for (unsigned i = 0; i < MESH_SLOTS; i++) {
		assert_int_equal(e[i]->tx4.packets, 64 / MESH_SLOTS);
		mesh_endpoint_unref(f->table, e[i]);
	}
}

/* Nothing of the paths changes: only the endpoint does. */
static void an_endpoint_that_fails_turns_all_its_paths_to_their_backups(void **state)
{
	enum { PATHS = 50 };
	struct fixture *f = *state;
	struct mesh_endpoint *primary = fixture_endpoint(f, INGRESS6, EGRESS6, &mpls),
			     *backup = fixture_endpoint(f, INGRESS6, BACKUP6, &mpls);
	struct addr egress = address(EGRESS6), other = address(BACKUP6), to;
	struct mesh_path *paths[PATHS], before;
	uint8_t packet[200], out[300];
	size_t len = packet_of(packet, false, 8);

	for (unsigned i = 0; i < PATHS; i++)
		paths[i] = fixture_path(f, mesh_endpoint_ref(primary), mesh_endpoint_ref(backup), 500);
	for (unsigned round = 0; round < 3; round++) {
		primary->usable = round != 1;
		for (unsigned i = 0; i < PATHS; i++) {
			before = *paths[i];
			device_sends(f, paths[i]->number, packet, len);
			assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), &to), len + 44);
			assert_true(addr_equal(&to, round == 1 ? &other : &egress));
			assert_int_equal(get16(out + 40) << 4 | out[42] >> 4, round == 1 ? 501 : 500);
			assert_memory_equal(before.slots, paths[i]->slots, sizeof(before.slots));
		}
	}
	assert_int_equal(f->counters->failed_over, PATHS);
	mesh_endpoint_unref(f->table, primary);
	mesh_endpoint_unref(f->table, backup);
}

static void expect_no_route(struct fixture *f, bool six)
{
	uint8_t out[1500];
	size_t n = device_gets(f, out, sizeof(out));

	assert_true(n > 0 && packet_checksum_ok(out, n));
	assert_int_equal(out[0] >> 4, six ? 6 : 4);
	assert_memory_equal(out + (six ? 40 : 20), six ? "\1\0" : "\3\0", 2);
	assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), 0);
}

static void where_nothing_is_usable_the_source_is_told(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t packet[200];

	e->usable = false;
	for (unsigned six = 0; six < 2; six++) {
		device_sends(f, path->number, packet, packet_of(packet, six, 8));
		expect_no_route(f, six);
	}
	assert_int_equal(path->rejected, 2);
	assert_int_equal(f->counters->drop_rejected, 2);
	device_sends(
		f, path->number + 1, packet, packet_of(packet, false, 8)); /* a number that is nobody's */
	expect_no_route(f, false);
	device_sends(f, 0, packet, packet_of(packet, true, 8)); /* a frame to the device itself */
	expect_no_route(f, true);
	assert_int_equal(f->counters->drop_no_path, 2);
	assert_int_equal(f->counters->drop_rejected, 2);
}

static void what_fits_goes_whole_and_what_does_not_is_answered(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t packet[1500], out[1600];

	for (unsigned six = 0; six < 2; six++) {
		size_t header = six ? 40 : 20, n;

		device_sends(f, path->number, packet, packet_of(packet, six, 1400 - header));
		assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), 1440);
		device_sends(f, path->number, packet, packet_of(packet, six, 1401 - header));
		assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), 0);
		n = device_gets(f, out, sizeof(out));
		assert_true(n > 0 && packet_checksum_ok(out, n));
		assert_memory_equal(out + header, six ? "\2\0" : "\3\4", 2);
		assert_int_equal(get16(out + header + 6), 1400);
		assert_memory_equal(out + header + 8, packet, 64);
	}
	assert_int_equal(f->counters->drop_too_big, 2);
	assert_int_equal(e->drop_too_big, 2);
	assert_int_equal(f->counters->icmp_sent, 2);
}

/* An endpoint below IPv6's least: nobody is told less than 1280, and what may not be smaller is cut outside. */
static void ipv6_below_its_least_mtu_goes_in_outer_fragments(void **state)
{
	struct fixture *f = *state;

	for (unsigned core6 = 0; core6 < 2; core6++) {
		struct mesh_endpoint *e =
			fixture_endpoint(f, core6 ? INGRESS6 : INGRESS4, core6 ? EGRESS6 : EGRESS4, &gre);
		struct mesh_path *path = fixture_path(f, e, NULL, 0);
		uint8_t packet[1500], out[1600], whole[1600];
		size_t header = core6 ? 48 : 20, len, got = 0, n, outer = core6 ? 40 : 20;
		unsigned pieces = 0, id = 0;

		e->mtu = 1200;
		device_sends(f, path->number, packet, packet_of(packet, true, 1300));
		assert_int_equal(core_gets(f, core6 ? AF_INET6 : AF_INET, out, sizeof(out), NULL), 0);
		assert_true(device_gets(f, out, sizeof(out)) > 0);
		assert_int_equal(get16(out + 40 + 6), 1280);

		len = packet_of(packet, true, 1240);
		device_sends(f, path->number, packet, len);
		for (; (n = core_gets(f, core6 ? AF_INET6 : AF_INET, out, sizeof(out), NULL)); pieces++) {
			unsigned at = core6 ? get16(out + 42) & 0xfff8 : (get16(out + 6) & 0x1fff) * 8;
			unsigned its = core6 ? get16(out + 46) : get16(out + 4);

			assert_true(n <= 1200 + 4 + outer && at == got);
			assert_int_equal(core6 ? out[40] : out[9], 47);
			if (core6)
				assert_int_equal(out[6], 44);
			else
				assert_int_equal(out[6] & 0x40, 0);
			assert_true(!pieces || its == id);
			id = its;
			memcpy(whole + got, out + header, n - header);
			got += n - header;
		}
		assert_int_equal(pieces, 2);
		assert_int_not_equal(id, 0);
		assert_int_equal(got, 4 + len);
		assert_memory_equal(whole, "\0\0\x86\xdd", 4);
		assert_memory_equal(whole + 4, packet, len);
		assert_int_equal(f->counters->outer_fragmented, 1 + core6);
		assert_int_equal(path->tx6.packets, 1);

		/* IPv4 with DF can be smaller, and is told how much. */
		device_sends(f, path->number, packet, packet_of(packet, false, 1240));
		assert_true(device_gets(f, out, sizeof(out)) > 0);
		assert_int_equal(get16(out + 20 + 6), 1200);
		assert_int_equal(core_gets(f, core6 ? AF_INET6 : AF_INET, out, sizeof(out), NULL), 0);
	}
}

static void ipv4_without_df_is_cut_before_it_is_packed(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t packet[4000], out[1600];
	size_t len = packet_of(packet, false, 3000), got = 0, n;
	uint32_t flow = 0;
	unsigned pieces = 0;

	packet[6] = 0;
	packet[1] = 0xb9; /* EF, ECT(1): each piece has its own */
	device_sends(f, path->number, packet, len);
	for (; (n = core_gets(f, AF_INET6, out, sizeof(out), NULL)); pieces++) {
		const uint8_t *inner = out + 40;

		assert_true(n <= 1440);
		assert_int_equal(out[6], 4);
		assert_int_equal((out[0] & 15) << 4 | out[1] >> 4, 0xb9);
		assert_true(
			!pieces || ((out[1] & 15U) << 16 | get16(out + 2)) == flow); /* one packet, one way */
		flow = (out[1] & 15U) << 16 | get16(out + 2);
		assert_int_equal(get16(inner + 2), n - 40);
		assert_int_equal((get16(inner + 6) & 0x1fff) * 8, got);
		assert_memory_equal(inner + 20, packet + 20 + got, n - 60);
		got += n - 60;
	}
	assert_int_equal(pieces, 3);
	assert_int_equal(got, 3000);
	assert_int_equal(f->counters->inner_fragmented, 1);
	assert_int_equal(e->tx4.packets, 1);
	assert_int_equal(e->tx4.bytes, len);
}

static void clamps_the_mss_to_the_endpoint(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t packet[100], out[200];

	for (unsigned six = 0; six < 2; six++) {
		size_t len = packet_syn(packet, six ? HERE6 : HERE4, six ? THERE6 : THERE4, 8000);

		e->clamp_mss = false;
		device_sends(f, path->number, packet, len);
		assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), len + 40);
		assert_int_equal(packet_syn_mss(out + 40), 8000);
		e->clamp_mss = true;
		device_sends(f, path->number, packet, len);
		assert_int_equal(core_gets(f, AF_INET6, out, sizeof(out), NULL), len + 40);
		assert_int_equal(packet_syn_mss(out + 40), six ? 1340 : 1360);
		assert_true(packet_checksum_ok(out + 40, len));
	}
	assert_int_equal(f->counters->mss_clamped, 2);
}

/*
 * What a softwire's entry has made does not come back into it: RFC 2473 section 4.1.3. The core's way to the egress leads through a softwire, which the role keeps from being;
 * this is what is left of it if it is so all the same. A node of the core may use tunnels of its own, and we may talk to it.
 */
/* proves: MESH-BGP-8 partial */
static void a_packet_of_a_softwire_does_not_go_into_one(void **state)
{
	static const uint8_t protocols[] = {4, 41, 47, 115, 137};
	struct fixture *f = *state;

	for (unsigned core6 = 0; core6 < 2; core6++) {
		const char *here = core6 ? INGRESS6 : INGRESS4, *there = core6 ? BACKUP6 : BACKUP4;
		uint8_t family = core6 ? AF_INET6 : AF_INET, packet[1500], out[1600];
		struct mesh_endpoint *e = fixture_endpoint(f, here, core6 ? EGRESS6 : EGRESS4, &ipip);
		struct mesh_path *path = fixture_path(f, e, NULL, 0);
		uint64_t before = f->counters->drop_loop;

		for (unsigned i = 0; i < 5; i++) {
			device_sends(f, path->number, packet,
				packet_build(packet, here, there, protocols[i], "12345678", 8));
			assert_int_equal(core_gets(f, family, out, sizeof(out), NULL), 0);
			device_sends(f, path->number, packet,
				packet_build(
					packet, core6 ? HERE6 : HERE4, there, protocols[i], "12345678", 8));
			assert_true(core_gets(f, family, out, sizeof(out), NULL) > 0);
		}
		assert_int_equal(f->counters->drop_loop, before + 5);
		device_sends(f, path->number, packet, packet_build(packet, here, there, 17, "12345678", 8));
		assert_true(core_gets(f, family, out, sizeof(out), NULL) > 0);
		if (!core6)
			continue;
		device_sends(f, path->number, packet,
			packet_build(packet, here, there, 44,
				"\x2f\0\0\1\0\0\0\1"
				"12345678",
				16));
		assert_int_equal(f->counters->drop_loop, before + 6);
		assert_int_equal(core_gets(f, family, out, sizeof(out), NULL), 0);
	}
	assert_int_equal(device_gets(f, (uint8_t[1500]){0}, 1500), 0);
}

static void a_full_queue_drops_and_counts(void **state)
{
	struct fixture *f = *state;
	struct mesh_endpoint *e;
	struct mesh_path *path = simple(f, &e);
	uint8_t packet[4000];
	size_t len = packet_of(packet, false, 8);

	for (unsigned i = 0; i < MESH_QUEUE_MAX + 7; i++)
		device_sends(f, path->number, packet, len);
	assert_int_equal(f->counters->drop_send_queue, 7);
	assert_int_equal(e->drop_queue, 7);
	assert_int_equal(e->tx4.packets, MESH_QUEUE_MAX);
	len = packet_of(packet, false, 3000);
	packet[6] = 0;
	device_sends(f, path->number, packet, len); /* what is cut finds no room either */
	e->mtu = 1000;
	device_sends(f, path->number, packet, packet_of(packet, true, 1240));
	assert_int_equal(e->drop_queue, 9);
	assert_int_equal(f->counters->outer_fragmented, 0);
	mesh_queue_clear(&f->senders[1]);
	assert_int_equal(f->plane->free_count, MESH_PARCELS);
	f->plane->senders[1] = NULL; /* no sender at all is no other matter */
	device_sends(f, path->number, packet, packet_of(packet, false, 8));
	assert_int_equal(e->drop_queue, 10);
	f->plane->senders[1] = &f->senders[1];
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packs_both_families_for_both_cores),
		TEST(takes_bursts_larger_than_a_batch),
		TEST(what_is_in_the_device_is_packed_before_a_path_goes),
		TEST(what_belongs_to_a_link_stays_there),
		TEST(drops_what_is_not_a_packet),
		TEST(outer_tos_is_what_policy_says),
		TEST(flows_have_labels),
		TEST(traffic_classes_have_their_own_endpoints),
		TEST(an_endpoint_that_fails_turns_all_its_paths_to_their_backups),
		TEST(where_nothing_is_usable_the_source_is_told),
		TEST(what_fits_goes_whole_and_what_does_not_is_answered),
		TEST(ipv6_below_its_least_mtu_goes_in_outer_fragments),
		TEST(ipv4_without_df_is_cut_before_it_is_packed),
		TEST(clamps_the_mss_to_the_endpoint),
		TEST(a_packet_of_a_softwire_does_not_go_into_one),
		TEST(a_full_queue_drops_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

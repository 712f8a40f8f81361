/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh/encap, inwards: what stands behind an outer header, in every form and malformed; label stacks; and what was packed by a template comes out as it went in. */
#include "check.h"

#include "inet/packet.h"
#include "mesh/encap.h"

struct good {
	const char *name;
	uint8_t protocol;
	const char *bytes;
	struct mesh_heading heading;
	size_t left;
};

static const struct good good[] = {
	{"ipip", 4, "4500", {.kind = MESH_IPIP, .payload = MESH_IP4}, 2},
	{"6in4", 41, "6000", {.kind = MESH_IPIP, .payload = MESH_IP6}, 2},
	{"mpls-in-ip", 137, "00000140", {.kind = MESH_IPIP, .payload = MESH_MPLS}, 4},
	{"ipip of nothing", 4, "", {.kind = MESH_IPIP, .payload = MESH_IP4}, 0},
	{"gre, IPv4", 47, "00000800 45", {.kind = MESH_GRE, .payload = MESH_IP4}, 1},
	{"gre, IPv6", 47, "000086dd 60", {.kind = MESH_GRE, .payload = MESH_IP6}, 1},
	{"gre, MPLS", 47, "00008847 00000140", {.kind = MESH_GRE, .payload = MESH_MPLS}, 4},
	{"gre of nothing", 47, "00000800", {.kind = MESH_GRE, .payload = MESH_IP4}, 0},
	{"gre with a key", 47, "20000800 00000007 45",
		{.kind = MESH_GRE, .has_key = true, .key = 7, .payload = MESH_IP4}, 1},
	{"gre with key 0", 47, "200086dd 00000000", {.kind = MESH_GRE, .has_key = true, .payload = MESH_IP6},
		0},
	{"gre, bits 6 to 12 do not matter (RFC 2784 section 2.3)", 47, "03f886dd 60",
		{.kind = MESH_GRE, .payload = MESH_IP6}, 1},
	{"gre with a checksum", 47, "80000800 32ff0000 45",
		{.kind = MESH_GRE, .has_checksum = true, .payload = MESH_IP4}, 1},
	{"gre with a checksum and a key", 47, "a0000800 12f80000 00000007 45",
		{.kind = MESH_GRE, .has_key = true, .has_checksum = true, .key = 7, .payload = MESH_IP4}, 1},
	{"l2tpv3", 115, "12345678 0123456789abcdef 45", {.kind = MESH_L2TPV3, .session = 0x12345678}, 9},
	{"l2tpv3 of nothing", 115, "00000001", {.kind = MESH_L2TPV3, .session = 1}, 0},
};

struct bad {
	const char *name;
	uint8_t protocol;
	const char *bytes, *why;
};

static const struct bad bad[] = {
	{"gre, nothing there", 47, "", "ends within its header"},
	{"gre, half of the flags", 47, "00", "ends within its header"},
	{"gre, flags only", 47, "0000", "ends within its header"},
	{"gre, half of the type", 47, "000008", "ends within its header"},
	{"gre, no key", 47, "20000800", "ends within its header"},
	{"gre, three quarters of a key", 47, "20000800 000000", "ends within its header"},
	{"gre, no checksum where there is one", 47, "80000800", "ends within its header"},
	{"gre, no Reserved1", 47, "80000800 f7ff00", "ends within its header"},
	{"gre, a checksum and no key", 47, "a0000800 f7ff0000", "ends within its header"},
	{"gre, a checksum and half a key", 47, "a0000800 f7ff0000 0000", "ends within its header"},
	{"gre, checksum and routing", 47, "c0000800 00000000 45", "a GRE header with routing"},
	{"gre, checksum and sequence number", 47, "90000800 00000000 00000001 45",
		"a GRE header with a sequence number"},
	{"gre, routing", 47, "40000800 00000000 45", "a GRE header with routing"},
	{"gre, sequence number", 47, "10000800 00000001 45", "a GRE header with a sequence number"},
	{"gre, key and sequence number", 47, "30000800 00000007 00000001 45",
		"a GRE header with a sequence number"},
	{"gre, strict source route", 47, "08000800 45", "a GRE header with flags of RFC 1701"},
	{"gre, recursion", 47, "04000800 45", "a GRE header with flags of RFC 1701"},
	{"gre, version 1 (PPTP)", 47, "3081880b 00000000 00000000", "GRE version 1"},
	{"gre, version 2", 47, "00020800 45", "a GRE version that nobody knows"},
	{"gre, version 7", 47, "00070800 45", "a GRE version that nobody knows"},
	{"gre, ethernet", 47, "00006558 45", "a payload that is none of ours"},
	{"gre, ARP", 47, "00000806 45", "a payload that is none of ours"},
	{"gre, MPLS multicast", 47, "00008848 00000140", "a payload that is none of ours"},
	{"gre keepalive", 47, "00000000", "a payload that is none of ours"},
	{"gre, a length as its type", 47, "000005dc 45", "a payload that is none of ours"},
	{"l2tpv3, nothing there", 115, "", "ends within its header"},
	{"l2tpv3, three quarters of a session", 115, "123456", "ends within its header"},
	{"l2tpv3 control (SCCRQ)", 115, "00000000 c8030014 00000000 00000000", "an L2TPv3 control message"},
	{"l2tpv3, no more than session 0", 115, "00000000", "an L2TPv3 control message"},
	{"ICMP", 1, "0800", "a protocol that is none of ours"},
	{"UDP", 17, "06a506a5", "a protocol that is none of ours"},
	{"no next header", 59, "", "a protocol that is none of ours"},
	{"ESP", 50, "00000100 00000001", "a protocol that is none of ours"},
};

/* proves: MESH-ENC-4 partial, MESH-ENC-5 partial, MESH-ENC-8 partial, MESH-ENC-11 partial */
static void reads_every_heading(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct good *g = &good[i];
		struct mesh_heading h = {.kind = 77};
		size_t len;
		uint8_t *bytes = bytes_of(g->bytes, &len);
		struct reader r = reader_of(bytes, len);

		print_message("%s\n", g->name);
		assert_null(mesh_heading_read(&r, g->protocol, &h));
		assert_int_equal(h.kind, g->heading.kind);
		assert_int_equal(h.has_key, g->heading.has_key);
		assert_int_equal(h.has_checksum, g->heading.has_checksum);
		assert_true(!h.has_checksum || mesh_checksum_ok(bytes, len));
		assert_int_equal(h.key, g->heading.key);
		assert_int_equal(h.session, g->heading.session);
		assert_int_equal(h.payload, g->heading.payload);
		assert_int_equal(reader_left(&r), g->left);
		free(bytes);
	}
	(void)state;
}

static void refuses_bad_headings(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mesh_heading h, untouched;
		size_t len;
		uint8_t *bytes = bytes_of(bad[i].bytes, &len);
		struct reader r = reader_of(bytes, len);
		const char *why;

		print_message("%s\n", bad[i].name);
		memset(&h, 0x55, sizeof(h));
		untouched = h;
		why = mesh_heading_read(&r, bad[i].protocol, &h);
		assert_non_null(why);
		assert_string_equal(why, bad[i].why);
		assert_memory_equal(&h, &untouched, sizeof(h));
		free(bytes);
	}
	(void)state;
}

struct labels {
	const char *name, *bytes, *why; /* NULL: good */
	uint16_t payload;
	size_t left;
	uint8_t ttl; /* 0: 64 */
};

static const struct labels labels[] = {
	{"IPv4 explicit null", "00000140 45", NULL, MESH_IP4, 1},
	{"IPv6 explicit null", "00002140 60", NULL, MESH_IP6, 1},
	{"with a traffic class", "00002f01 60", NULL, MESH_IP6, 1, 1},
	{"the least TTL counts (RFC 3032 section 2.4.3)", "00000005 00000003 00000104 45", NULL, MESH_IP4, 1,
		3},
	{"nothing behind", "00000140", NULL, MESH_IP4, 0},
	{"one above another (RFC 4182)", "00000040 00002140 60", NULL, MESH_IP6, 1},
	{"eight of them", "00000040 00000040 00000040 00000040 00000040 00000040 00000040 00000140 45", NULL,
		MESH_IP4, 1},
	{"nine of them",
		"00000040 00000040 00000040 00000040 00000040 00000040 00000040 00000040 00000140 45",
		"a label stack that is too deep", 0, 0},
	{"no entry", "", "ends within its labels", 0, 0},
	{"one octet", "00", "ends within its labels", 0, 0},
	{"three quarters of an entry", "000001", "ends within its labels", 0, 0},
	{"no bottom", "00000040", "ends within its labels", 0, 0},
	{"half of the second entry", "00000040 0000", "ends within its labels", 0, 0},
	{"router alert", "00001040 00000140", "a label that is not ours", 0, 0},
	{"router alert at the bottom", "00001140 45", "a label that is not ours", 0, 0},
	{"implicit null, which is never sent", "00003140 45", "a label that is not ours", 0, 0},
	{"entropy label indicator", "00007040 12345040 00000140", "a label that is not ours", 0, 0},
	{"generic associated channel", "0000d140", "a label that is not ours", 0, 0},
	{"the first label of an ordinary one", "00010140 45", "a label that is not ours", 0, 0},
	{"the largest label", "fffff140 45", "a label that is not ours", 0, 0},
	{"a stranger's below ours", "00000040 fffff140 45", "a label that is not ours", 0, 0},
	{"a stranger's above ours", "fffff040 00000140 45", "a label that is not ours", 0, 0},
	{"an IPv4 packet instead", "45000014 00000000", "a label that is not ours", 0, 0},
	{"an IPv6 packet instead", "60000000 00000000", "a label that is not ours", 0, 0},
};

/* proves: MESH-ENC-11 partial, MESH-ENC-12 partial */
static void reads_labels_that_are_ours(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		const struct labels *l = &labels[i];
		uint16_t payload = 0x5555;
		size_t len;
		uint8_t *bytes = bytes_of(l->bytes, &len);
		struct reader r = reader_of(bytes, len);
		uint8_t ttl = 77;
		const char *why = mesh_labels_read(&r, &payload, &ttl);

		print_message("%s\n", l->name);
		if (l->why) {
			assert_non_null(why);
			assert_string_equal(why, l->why);
			assert_int_equal(payload, 0x5555);
			assert_int_equal(ttl, 77);
		} else {
			assert_null(why);
			assert_int_equal(payload, l->payload);
			assert_int_equal(ttl, l->ttl ? l->ttl : 64);
			assert_int_equal(reader_left(&r), l->left);
		}
		free(bytes);
	}
	(void)state;
}

/* The protocol behind the outer header at R, which is read by what this project reads headers with, and is right in all it says. */
static uint8_t outer_read(struct reader *r, uint8_t family, uint8_t tos)
{
	struct ip4 four = {0};
	struct ip6 six = {0};

	if (family == AF_INET) {
		size_t len = reader_left(r);

		ip4_read(r, &four);
		assert_int_equal(four.payload_len + IP4_HEADER, len);
		assert_int_equal(four.tos, tos);
		assert_int_equal(four.id, 0);
		assert_int_equal(four.fragment, 0x4000);
		assert_int_equal(four.ttl, 17);
	} else {
		size_t len = reader_left(r);

		ip6_read(r, &six);
		assert_int_equal(six.payload_len + IP6_HEADER, len);
		assert_int_equal(six.traffic_class, tos);
		assert_int_equal(six.hop_limit, 17);
	}
	assert_true(reader_ok(r));
	return family == AF_INET ? four.protocol : six.next_header;
}

static void assert_heading(
	struct reader *r, uint8_t family, const struct mesh_encapsulation *how, uint16_t payload)
{
	struct mesh_heading h = {0};

	assert_null(mesh_heading_read(r, outer_read(r, family, 0x2e), &h));
	assert_int_equal(h.kind, how->kind);
	assert_int_equal(h.has_key, how->has_key);
	assert_int_equal(h.key, how->key);
	assert_int_equal(h.session, how->session);
	assert_int_equal(h.payload, how->kind == MESH_L2TPV3 ? 0 : how->mpls ? MESH_MPLS : payload);
	if (how->cookie_len)
		assert_memory_equal(reader_bytes(r, how->cookie_len), how->cookie, how->cookie_len);
}

static const struct mesh_encapsulation hows[] = {
	{.kind = MESH_IPIP},
	{.kind = MESH_GRE},
	{.kind = MESH_GRE, .has_key = true, .key = 0xfffffffe},
	{.kind = MESH_L2TPV3, .session = 0xffffffff},
	{.kind = MESH_L2TPV3, .session = 5, .cookie_len = 4, .cookie = {1, 2, 3, 4}},
	{.kind = MESH_L2TPV3, .session = 5, .cookie_len = 8, .cookie = {1, 2, 3, 4, 5, 6, 7, 8}},
};

/* Packs an inner packet of LEN octets by the COUNT levels and takes it out again, level by level. */
static void there_and_back(
	uint8_t family, const struct mesh_encapsulation *by, unsigned count, uint16_t payload, uint16_t len)
{
	uint8_t *room = malloc((size_t)MESH_TEMPLATE + len);
	struct mesh_cargo cargo = {.payload = payload,
		.len = len,
		.tos = 0x2e,
		.flow = 0xabcde,
		.label = payload == MESH_IP4 ? 0 : 2,
		.ttl = 9};
	struct mesh_level levels[MESH_LEVELS] = {0};
	struct mesh_template t = {0};
	struct reader r;

	assert_non_null(room);
	for (unsigned i = 0; i < count; i++) {
		levels[i].src = address(family == AF_INET ? "192.0.2.1" : "2001:db8::1");
		levels[i].dst = address(family == AF_INET ? "192.0.2.2" : "2001:db8::2");
		levels[i].how = by[i];
		levels[i].hop_limit = 17;
	}
	assert_int_equal(mesh_template_make(&t, levels, count), 0);
	memset(room, 0xa5, (size_t)MESH_TEMPLATE + len);
	mesh_template_write(&t, &cargo, room + MESH_TEMPLATE);
	r = reader_of(room + MESH_TEMPLATE - t.len, (size_t)t.len + len);
	for (unsigned i = count; i-- > 0;)
		assert_heading(&r, family, &by[i], i ? (family == AF_INET ? MESH_IP4 : MESH_IP6) : payload);
	if (by[0].mpls) {
		uint16_t says = 0;
		uint8_t ttl = 0;

		assert_null(mesh_labels_read(&r, &says, &ttl));
		assert_int_equal(says, payload);
		assert_int_equal(ttl, cargo.ttl);
	}
	assert_int_equal(reader_left(&r), len);
	assert_ptr_equal(r.pos, room + MESH_TEMPLATE);
	free(room);
}

/* Every encapsulation, alone and in every other, with either payload over either family, with labels and without, small and large. */
/* proves: MESH-ENC-2 partial, MESH-ENC-3 partial, MESH-ENC-4 partial, MESH-ENC-5 partial, MESH-ENC-6 partial, MESH-ENC-8 partial, MESH-ENC-11 partial,
 * MESH-AS-5 partial */
static void what_is_packed_comes_out(void **state)
{
	static const uint16_t lengths[] = {0, 1, 20, 1280, 9000, UINT16_MAX - MESH_TEMPLATE};

	for (unsigned i = 0; i < ARRAY_SIZE(hows) * ARRAY_SIZE(hows) * 8 * ARRAY_SIZE(lengths); i++) {
		unsigned way = i % 8, inner = i / 8 % ARRAY_SIZE(hows),
			 outer = i / 8 / ARRAY_SIZE(hows) % ARRAY_SIZE(hows);
		uint16_t len = lengths[i / 8 / ARRAY_SIZE(hows) / ARRAY_SIZE(hows)];
		struct mesh_encapsulation by[MESH_LEVELS] = {hows[inner], hows[outer]};

		by[0].mpls = way & 4;
		there_and_back(way & 1 ? AF_INET : AF_INET6, by, 1, way & 2 ? MESH_IP4 : MESH_IP6, len);
		there_and_back(way & 1 ? AF_INET : AF_INET6, by, 2, way & 2 ? MESH_IP4 : MESH_IP6, len);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_heading),
		cmocka_unit_test(refuses_bad_headings),
		cmocka_unit_test(reads_labels_that_are_ours),
		cmocka_unit_test(what_is_packed_comes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

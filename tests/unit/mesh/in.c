/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh/in: what the core brings reaches the device unchanged, if all is right; and each thing that is wrong has its counter and its reason. */
#include "fixture.h"

#define HERE4  "198.51.100.7"
#define THERE4 "203.0.113.9"
#define HERE6  "2001:db8:1::7"
#define THERE6 "2001:db8:2::9"
#define ENEMY6 "2001:db8:bad::1"
#define ENEMY4 "192.0.2.66"

static const struct mesh_encapsulation ipip = {.kind = MESH_IPIP}, gre = {.kind = MESH_GRE},
				       keyed = {.kind = MESH_GRE, .has_key = true, .key = 0x01020304},
				       l2tp = {.kind = MESH_L2TPV3,
					       .session = 0x0a0b0c0d,
					       .cookie_len = 8,
					       .cookie = "\1\2\3\4\5\6\7\x8"},
				       mpls = {.kind = MESH_IPIP, .mpls = true},
				       mpls_gre = {.kind = MESH_GRE, .mpls = true},
				       mpls_l2tp = {.kind = MESH_L2TPV3, .mpls = true, .session = 0x0a0b0c0e};

static struct mesh_acceptance *accept_how(struct fixture *f, const struct mesh_encapsulation *how)
{
	struct mesh_acceptance *a;

	assert_int_equal(mesh_accept_add(f->table, how, &a), 0);
	return a;
}

static int setup(void **state)
{
	static const char *const transmitters[] = {EGRESS6, BACKUP6, EGRESS4, BACKUP4};
	static const unsigned core[] = {8, CORE};
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	for (unsigned i = 0; i < 4; i++) {
		struct addr a = address(transmitters[i]);

		assert_int_equal(mesh_transmitter_add(f->table, &a), 0);
	}
	mesh_plane_set_interfaces(f->plane, core, 2);
	return 0;
}

/* A softwire's packet as the raw socket gives it: with IPv4 the outer header, without options. Length. */
static size_t build(uint8_t *out, bool core6, uint8_t protocol, uint8_t tos, const void *header,
	size_t header_len, bool six, size_t data)
{
	static const uint8_t body[1500] = {1, 2, 3};
	uint8_t payload[1600];
	size_t len;

	if (header_len)
		memcpy(payload, header, header_len);
	len = header_len +
	      packet_build(payload + header_len, six ? HERE6 : HERE4, six ? THERE6 : THERE4, 59, body, data);
	if (core6) {
		memcpy(out, payload, len);
		return len;
	}
	len = packet_build(out, EGRESS4, INGRESS4, protocol, payload, len);
	out[1] = tos; /* the kernel has looked at the checksum */
	return len;
}

/* proves: MESH-FWD-2 partial, MESH-ENC-14 partial, MESH-ENC-2 partial, MESH-ENC-3 partial, MESH-ENC-4 partial, MESH-ENC-5 partial, MESH-ENC-8 partial */
static void takes_all_that_it_accepts_at_once(void **state)
{
	static const struct {
		const struct mesh_encapsulation *how;
		uint8_t protocol4, protocol6; /* by payload */
		const char *header4, *header6;
		size_t len;
	} cases[] = {
		{&ipip, 4, 41, "", "", 0},
		{&gre, 47, 47, "\0\0\x08\0", "\0\0\x86\xdd", 4},
		{&keyed, 47, 47, "\x20\0\x08\0\1\2\3\4", "\x20\0\x86\xdd\1\2\3\4", 8},
		{&l2tp, 115, 115, "\xa\xb\xc\xd\1\2\3\4\5\6\7\x8", "\xa\xb\xc\xd\1\2\3\4\5\6\7\x8", 12},
		{&mpls, 137, 137, "\0\0\1\x40", "\0\0\x21\x40", 4},
		{&mpls_gre, 47, 47, "\0\0\x88\x47\0\0\1\x40", "\0\0\x88\x47\0\0\x21\x40", 8},
		{&mpls_l2tp, 115, 115, "\xa\xb\xc\xe\0\0\1\x40", "\xa\xb\xc\xe\0\0\x21\x40", 8},
	};
	enum { KINDS = sizeof(cases) / sizeof(cases[0]) };
	struct fixture *f = *state;
	struct mesh_acceptance *rows[KINDS];
	uint8_t packet[1600], out[1600];

	for (size_t i = 0; i < KINDS; i++)
		rows[i] = accept_how(f, cases[i].how);
	for (unsigned core6 = 0; core6 < 2; core6++)
		for (size_t i = 0; i < KINDS; i++)
			for (unsigned six = 0; six < 2; six++) {
				uint8_t protocol = six ? cases[i].protocol6 : cases[i].protocol4;
				size_t outer = core6 ? cases[i].len : 20 + cases[i].len;
				size_t len = build(packet, core6, protocol, 0,
					six ? cases[i].header6 : cases[i].header4, cases[i].len, six, 300);

				memset(packet + len, 0x55, 7); /* padding */
				core_sends(f, core6 ? EGRESS6 : EGRESS4, protocol, 0, packet, len + 7);
				assert_int_equal(device_gets(f, out, sizeof(out)), len - outer);
				assert_memory_equal(out, packet + outer, len - outer);
				assert_int_equal(
					six ? rows[i]->rx6.packets : rows[i]->rx4.packets, core6 + 1);
			}
	assert_int_equal(f->refused.count, 0);
	assert_int_equal(f->counters->rx_packets, KINDS * 4);
}

static void transmitters_have_counters(void **state)
{
	struct fixture *f = *state;
	struct mesh_transmitter *row = NULL;
	struct addr egress = address(EGRESS6);
	uint8_t packet[1600];
	size_t len = build(packet, true, 4, 0, "", 0, false, 100);

	accept_how(f, &ipip);
	core_sends(f, EGRESS6, 4, 0, packet, len);
	assert_true(mesh_transmitter_find(f->table, &egress, &row) && row);
	assert_int_equal(row->rx4.packets, 1);
	assert_int_equal(row->rx4.bytes, len);
	assert_int_equal(row->rx6.packets, 0);
}

static void takes_an_outer_header_with_options(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[300] = {0x47, 0, 0, 0}, out[300];
	size_t len = packet_build(packet + 28, HERE6, THERE6, 59, "abc", 3);

	accept_how(f, &ipip);
	core_sends(f, EGRESS4, 41, 0, packet, 28 + len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
}

/* Who is refused, and why: all that can be wrong, over both cores. */
struct bad {
	const char *name;
	const char *from6, *from4;
	unsigned ifindex;
	uint8_t protocol;
	const char *bytes; /* behind the outer header */
	size_t len;
	bool packet; /* a whole inner IPv4 packet follows */
	size_t counter;
	const char *reason;
};

#define BAD(name, from6, from4, ifindex, protocol, bytes, packet, counter, reason)                           \
	{                                                                                                    \
		name, from6, from4, ifindex, protocol, bytes, sizeof(bytes) - 1, packet,                     \
			offsetof(struct mesh_counters, counter), reason                                      \
	}

static const struct bad bad[] = {
	BAD("a client's interface", EGRESS6, EGRESS4, 4, 4, "", true, drop_interface,
		"it came by an interface that is not of the core"),
	BAD("no interface", EGRESS6, EGRESS4, 0, 4, "", true, drop_interface,
		"it came by an interface that is not of the core"),
	BAD("a stranger", ENEMY6, ENEMY4, CORE, 4, "", true, drop_transmitter,
		"it is from nobody who may send to us"),
	BAD("ourselves", INGRESS6, INGRESS4, CORE, 4, "", true, drop_transmitter,
		"it is from nobody who may send to us"),
	BAD("half a GRE header", EGRESS6, EGRESS4, CORE, 47, "\0\0\x08", false, drop_header,
		"ends within its header"),
	BAD("nothing at all", EGRESS6, EGRESS4, CORE, 47, "", false, drop_header, "ends within its header"),
	BAD("half a key", EGRESS6, EGRESS4, CORE, 47, "\x20\0\x08\0\1\2", false, drop_header,
		"ends within its header"),
	BAD("half a Session ID", EGRESS6, EGRESS4, CORE, 115, "\xa\xb\xc", false, drop_header,
		"ends within its header"),
	BAD("half a checksum", EGRESS6, EGRESS4, CORE, 47, "\x80\0\x08\0\0", false, drop_header,
		"ends within its header"),
	BAD("routing", EGRESS6, EGRESS4, CORE, 47, "\x40\0\x08\0\0\0\0\0", true, drop_header,
		"a GRE header with routing"),
	BAD("a sequence number", EGRESS6, EGRESS4, CORE, 47, "\x10\0\x08\0\0\0\0\0", true, drop_header,
		"a GRE header with a sequence number"),
	BAD("PPTP", EGRESS6, EGRESS4, CORE, 47, "\x30\1\x88\xb\0\0\0\0", true, drop_header, "GRE version 1"),
	BAD("Ethernet in GRE", EGRESS6, EGRESS4, CORE, 47, "\0\0\x65\x58", true, drop_header,
		"a payload that is none of ours"),
	BAD("an L2TPv3 control message", EGRESS6, EGRESS4, CORE, 115, "\0\0\0\0\xc8\3\0\0", true, drop_header,
		"an L2TPv3 control message"),
	BAD("a protocol", EGRESS6, EGRESS4, CORE, 50, "", true, drop_header,
		"a protocol that is none of ours"),
	BAD("MPLS in IP, which we do not take", EGRESS6, EGRESS4, CORE, 137, "\0\0\1\x40", true,
		drop_encapsulation, "an encapsulation that we do not accept"),
	BAD("GRE without the key", EGRESS6, EGRESS4, CORE, 47, "\0\0\x08\0", true, drop_key,
		"a GRE key that we have told nobody, or none"),
	BAD("another key", EGRESS6, EGRESS4, CORE, 47, "\x20\0\x08\0\1\2\3\5", true, drop_key,
		"a GRE key that we have told nobody, or none"),
	BAD("another session", EGRESS6, EGRESS4, CORE, 115, "\xa\xb\xc\xf\1\2\3\4\5\6\7\x8", true,
		drop_session, "a Session ID that we have told nobody"),
	BAD("another cookie", EGRESS6, EGRESS4, CORE, 115, "\xa\xb\xc\xd\1\2\3\4\5\6\7\x9", true, drop_cookie,
		"a cookie that is not the one that we have told"),
	BAD("half a cookie", EGRESS6, EGRESS4, CORE, 115, "\xa\xb\xc\xd\1\2\3\4", false, drop_cookie,
		"a cookie that is not the one that we have told"),
	BAD("a label of somebody", EGRESS6, EGRESS4, CORE, 47, "\0\0\x88\x47\0\6\x41\x40", true, drop_label,
		"a label that is not ours"),
	BAD("no label", EGRESS6, EGRESS4, CORE, 47, "\0\0\x88\x47\0\0", false, drop_label,
		"ends within its labels"),
	BAD("no packet", EGRESS6, EGRESS4, CORE, 4, "", false, drop_payload,
		"what is inside is not a whole packet"),
	BAD("half a packet", EGRESS6, EGRESS4, CORE, 4, "\x45\0\0\x14\0\0\0\0\x40\x3b", false, drop_payload,
		"what is inside is not a whole packet"),
	BAD("IPv4 said to be IPv6", EGRESS6, EGRESS4, CORE, 41, "", true, drop_payload,
		"what is inside is not a whole packet"),
	BAD("IPv4 under IPv6's null label", EGRESS6, EGRESS4, CORE, 47, "\0\0\x88\x47\0\0\x21\x40", true,
		drop_payload, "what is inside is not a whole packet"),
	BAD("no version", EGRESS6, EGRESS4, CORE, 115, "\xa\xb\xc\xd\1\2\3\4\5\6\7\x8\0\0\0\0", false,
		drop_payload, "what is inside is not a whole packet"),
	BAD("a wrong checksum", EGRESS6, EGRESS4, CORE, 47, "\xa0\0\x08\0\1\2\0\0\1\2\3\4", true,
		drop_checksum, "a GRE checksum that is wrong"),
	BAD("OSPF", EGRESS6, EGRESS4, CORE, 4, "\x45\0\0\x14\0\0\0\0\1\x59\0\0\xc6\x33\x64\7\xe0\0\0\5",
		false, drop_payload,
		"what is inside belongs to one link: multicast, broadcast or link-local"),
	BAD("ends behind its cookie", EGRESS6, EGRESS4, CORE, 115, "\xa\xb\xc\xd\1\2\3\4\5\6\7\x8", false,
		drop_payload, "what is inside is not a whole packet"),
};

static uint64_t *counter_of(struct fixture *f, const struct bad *b)
{
	return (uint64_t *)((uint8_t *)f->counters + b->counter);
}

static void send_bad(struct fixture *f, const struct bad *b, bool core6)
{
	struct mesh_arrival a = {.from = address(core6 ? b->from6 : b->from4),
		.ifindex = b->ifindex,
		.family = core6 ? AF_INET6 : AF_INET,
		.protocol = b->protocol};
	uint8_t bytes[MESH_MARGIN + 500], *packet = bytes + MESH_MARGIN, inner[400];
	size_t len = b->len;

	memcpy(inner, b->bytes, b->len);
	if (b->packet)
		len += packet_build(inner + len, HERE4, THERE4, 59, "abc", 3);
	if (core6)
		memcpy(packet, inner, len);
	else
		len = packet_build(packet, EGRESS4, INGRESS4, b->protocol, inner, len);
	mesh_in_packet(f->plane, &a, packet, len);
}

/* proves: SEC-MESH-4 partial, SEC-MESH-7 partial, SEC-MESH-9 partial, SEC-MESH-11 partial, MESH-ENC-7 partial */
static void what_is_wrong_is_counted_and_has_a_reason(void **state)
{
	struct fixture *f = *state;
	struct mesh_acceptance *session;
	uint8_t out[500];

	accept_how(f, &ipip);
	accept_how(f, &keyed);
	accept_how(f, &mpls_gre);
	session = accept_how(f, &l2tp);
	for (unsigned core6 = 0; core6 < 2; core6++)
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			struct addr from = address(core6 ? bad[i].from6 : bad[i].from4);
			struct mesh_counters expected = *f->counters;
			unsigned refused = f->refused.count;

			expected.rx_packets++;
			*(uint64_t *)((uint8_t *)&expected + bad[i].counter) += 1;
			send_bad(f, &bad[i], core6);
			if (memcmp(&expected, f->counters, sizeof(expected)) != 0)
				fail_msg("%s: another counter", bad[i].name);
			assert_int_equal(f->refused.count, refused + 1);
			assert_true(addr_equal(&f->refused.addr, &from));
			if (strcmp(f->refused.reason, bad[i].reason) != 0)
				fail_msg("%s: %s", bad[i].name, f->refused.reason);
			assert_int_equal(device_gets(f, out, sizeof(out)), 0);
		}
	assert_int_equal(session->drop_cookie, 4);
}

/* The order is that of the price: of a packet with all its faults only the first counts, and it costs no look at the rest. */
/* proves: SEC-MESH-11 partial */
static void the_cheapest_question_is_asked_first(void **state)
{
	static const struct bad steps[] = {
		BAD("", ENEMY6, ENEMY4, 4, 47, "\x80\1", false, drop_interface, ""),
		BAD("", ENEMY6, ENEMY4, CORE, 47, "\x80\1", false, drop_transmitter, ""),
		BAD("", EGRESS6, EGRESS4, CORE, 47, "\x80\1\x65\x58", false, drop_header, ""),
		BAD("", EGRESS6, EGRESS4, CORE, 137, "", false, drop_encapsulation, ""),
		BAD("", EGRESS6, EGRESS4, CORE, 115, "\xa\xb\xc\xf\1", false, drop_session, ""),
		BAD("", EGRESS6, EGRESS4, CORE, 115, "\xa\xb\xc\xd\1", false, drop_cookie, ""),
		BAD("", EGRESS6, EGRESS4, CORE, 47, "\0\0\x88\x47\0\6\x41\x40", false, drop_label, ""),
		BAD("", EGRESS6, EGRESS4, CORE, 47, "\x80\0\x88\x47\1\2\0\0\0\0\1\x40\x45", false,
			drop_payload, ""),
		BAD("", EGRESS6, EGRESS4, CORE, 4, "\x45", false, drop_payload, ""),
	};
	struct fixture *f = *state;

	accept_how(f, &ipip);
	accept_how(f, &l2tp);
	accept_how(f, &mpls_gre);
	for (unsigned core6 = 0; core6 < 2; core6++)
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			uint64_t before = *counter_of(f, &steps[i]);

			send_bad(f, &steps[i], core6);
			assert_int_equal(*counter_of(f, &steps[i]), before + 1);
		}
}

/* A flood from strangers: not one octet of it is read (there is none that could be), nothing is kept of it, and who may send is heard all the while. */
/* proves: SEC-MESH-11 partial */
static void a_flood_of_bad_packets_is_not_looked_at(void **state)
{
	enum { FLOOD = 100000 };
	struct fixture *f = *state;
	struct mesh_arrival a = {.ifindex = CORE, .family = AF_INET6, .protocol = 115};
	uint8_t packet[1600], out[1600];
	size_t len = build(packet, true, 4, 0, "", 0, false, 100);
	uint32_t cursor = 0;
	unsigned rows = 0;

	accept_how(f, &ipip);
	for (uint32_t i = 0; i < FLOOD; i++) {
		a.from = address(ENEMY6);
		memcpy(a.from.bytes + 12, &i, 4);
		mesh_in_packet(f->plane, &a, NULL, 0);
		if (i % 1000 == 0) {
			core_sends(f, EGRESS6, 4, 0, packet, len);
			assert_int_equal(device_gets(f, out, sizeof(out)), len);
		}
	}
	assert_int_equal(f->counters->drop_transmitter, FLOOD);
	assert_int_equal(f->counters->drop_header, 0);
	while (mesh_transmitter_next(f->table, &cursor))
		rows++;
	assert_int_equal(rows, 4);
}

/* A cookie changes under traffic: old and new are both right until the old one goes. */
/* proves: SEC-MESH-9 partial */
static void during_a_roll_both_cookies_are_taken(void **state)
{
	static const char before[] = "\xa\xb\xc\xd\1\2\3\4\5\6\7\x8",
			  after[] = "\xa\xb\xc\x11\x8\7\6\5\4\3\2\1";
	struct mesh_encapsulation next = {
		.kind = MESH_L2TPV3, .session = 0x0a0b0c11, .cookie_len = 8, .cookie = "\x8\7\6\5\4\3\2\1"};
	struct fixture *f = *state;
	struct mesh_acceptance *old = accept_how(f, &l2tp);
	uint8_t packet[500], out[500];

	for (unsigned step = 0; step < 3; step++) {
		if (step == 1) {
			accept_how(f, &next);
			old->old = true;
		} else if (step == 2) {
			mesh_accept_remove(f->table, old);
		}
		core_sends(f, EGRESS6, 115, 0, packet, build(packet, true, 115, 0, before, 12, true, 9));
		assert_int_equal(!!device_gets(f, out, sizeof(out)), step < 2);
		core_sends(f, EGRESS6, 115, 0, packet, build(packet, true, 115, 0, after, 12, true, 9));
		assert_int_equal(!!device_gets(f, out, sizeof(out)), step > 0);
	}
	assert_int_equal(f->counters->drop_session, 2);
}

static char logged[512];

static void keep_line(struct log *log, const char *line, size_t len)
{
	(void)log;
	memcpy(logged, line, len < sizeof(logged) ? len : sizeof(logged) - 1);
}

/* A TCP packet with DATA octets, whose checksum is only begun: as a kernel leaves it that has merged some, or has none to send. */
static size_t begun(uint8_t *packet, bool six, size_t data)
{
	static uint8_t tcp[20 + 5000] = {0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 16, 0};
	size_t len, header = six ? 40 : 20;
	uint32_t sum = 6 + 20 + (uint32_t)data;

	len = packet_build(packet, six ? HERE6 : HERE4, six ? THERE6 : THERE4, 6, tcp, 20 + data);
	for (size_t i = six ? 8 : 12; i < header; i += 2)
		sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	packet[header + 16] = (uint8_t)(sum >> 8);
	packet[header + 17] = (uint8_t)sum;
	return len;
}

/* inet/offload.h. A begun checksum is completed; what has been merged becomes packets that every path takes, and the log says once what it is. */
static void what_a_kernel_left_undone_is_done(void **state)
{
	struct fixture *f = *state;
	struct mesh_acceptance *row = accept_how(f, &ipip);
	uint8_t packet[6000], out[6000];
	struct log log;

	log_init(&log, -1, LEVEL_INFO);
	log.tap = keep_line;
	f->plane->log = &log;
	for (unsigned six = 0; six < 2; six++) {
		size_t header = six ? 40 : 20, len = begun(packet, six, 100), got = 0, n;
		unsigned segments = 0;

		core_sends(f, EGRESS6, six ? 41 : 4, 0, packet, len);
		assert_int_equal(device_gets(f, out, sizeof(out)), len);
		assert_true(packet_checksum_ok(out, len));
		assert_int_equal(f->counters->rx_merged, six);

		memset(logged, 0, sizeof(logged));
		len = begun(packet, six, 4000);
		core_sends(f, EGRESS6, six ? 41 : 4, 0, packet, len);
		for (; (n = device_gets(f, out, sizeof(out))); segments++) {
			assert_true(n <= 1280 && packet_checksum_ok(out, n));
			assert_int_equal(out[header + 6] << 8 | out[header + 7], 1 + got);
			got += n - header - 20;
		}
		assert_int_equal(segments, 4);
		assert_int_equal(got, 4000);
		assert_int_equal(f->counters->rx_merged, six + 1);
		assert_int_equal(!!strstr(logged, "event=packets-merged"), !six);
	}
	assert_int_equal(row->rx4.packets, 2);
}

static void any_interface_will_do_where_none_is_named(void **state)
{
	struct fixture *f = *state;
	struct mesh_arrival a = {
		.from = address(EGRESS6), .ifindex = 4711, .family = AF_INET6, .protocol = 4};
	uint8_t packet[MESH_MARGIN + 500], out[500];
	size_t len = build(packet + MESH_MARGIN, true, 4, 0, "", 0, false, 100);

	accept_how(f, &ipip);
	mesh_plane_set_interfaces(f->plane, NULL, 0);
	mesh_in_packet(f->plane, &a, packet + MESH_MARGIN, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
}

static void only_families_that_the_core_lacks_come_out(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[500], out[500];

	accept_how(f, &ipip);
	for (unsigned take = 0; take < 4; take++)
		for (unsigned six = 0; six < 2; six++) {
			uint64_t before = f->counters->drop_payload;
			bool taken = six ? take & 2 : take & 1;

			f->table->take4 = take & 1;
			f->table->take6 = take & 2;
			core_sends(f, EGRESS6, six ? 41 : 4, 0, packet,
				build(packet, true, 0, 0, "", 0, six, 9));
			assert_int_equal(!!device_gets(f, out, sizeof(out)), taken);
			assert_int_equal(f->counters->drop_payload - before, !taken);
			if (!taken)
				assert_string_equal(
					f->refused.reason, "what is inside is of the core's own family");
		}
}

/* proves: MESH-BGP-8 partial */
static void what_belongs_to_a_link_does_not_come_out(void **state)
{
	static const struct {
		const char *src, *dst;
	} cases[] = {{"fe80::1", "ff02::5"}, {"fe80::1", THERE6}, {HERE6, "fe80::2"}, {HERE6, "ff0e::1"},
		{"::", "ff02::1:ff00:1"}, {HERE4, "224.0.0.5"}, {HERE4, "255.255.255.255"},
		{"169.254.1.1", THERE4}};
	struct fixture *f = *state;
	size_t count = sizeof(cases) / sizeof(cases[0]);
	uint8_t packet[500], out[500];

	accept_how(f, &ipip);
	for (size_t i = 0; i < count; i++) {
		size_t len = packet_build(packet, cases[i].src, cases[i].dst, 89, "12345678", 8);

		core_sends(f, EGRESS6, packet[0] >> 4 == 6 ? 41 : 4, 0, packet, len);
	}
	assert_int_equal(f->counters->drop_payload, count);
	assert_int_equal(f->refused.count, count);
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
}

/* Of the LEN octets at HEADER, which has four octets for it. */
static void set_checksum(uint8_t *header, size_t len)
{
	uint32_t sum = 0;

	memset(header + 4, 0, 4);
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? header[i] : (uint32_t)header[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	header[4] = (uint8_t)(~sum >> 8);
	header[5] = (uint8_t)~sum;
}

/* We tell nobody to send one, and take it from whoever does (RFC 2784 section 2.2), be what is inside of even or odd length. */
/* proves: MESH-ENC-4 partial, MESH-ENC-5 partial */
static void a_gre_checksum_is_verified(void **state)
{
	static const struct {
		const char *header;
		size_t len;
	} cases[] = {{"\x80\0\x08\0\0\0\0\0", 8}, {"\xa0\0\x08\0\0\0\0\0\1\2\3\4", 12},
		{"\x80\0\x88\x47\0\0\0\0\0\0\1\x40", 12}};
	struct fixture *f = *state;
	uint8_t packet[1600], out[1600];
	unsigned wrong = 0;

	accept_how(f, &gre);
	accept_how(f, &keyed);
	accept_how(f, &mpls_gre);
	for (unsigned core6 = 0; core6 < 2; core6++)
		for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
			size_t header = cases[i / 2].len, outer = core6 ? 0 : 20;
			size_t len =
				build(packet, core6, 47, 0, cases[i / 2].header, header, false, 100 + i % 2);

			set_checksum(packet + outer, len - outer);
			core_sends(f, core6 ? EGRESS6 : EGRESS4, 47, 0, packet, len);
			assert_int_equal(device_gets(f, out, sizeof(out)), len - outer - header);
			packet[len - 1] ^= 1; /* the last octet counts */
			core_sends(f, core6 ? EGRESS6 : EGRESS4, 47, 0, packet, len);
			assert_int_equal(device_gets(f, out, sizeof(out)), 0);
			assert_int_equal(f->counters->drop_checksum, ++wrong);
		}
	assert_int_equal(f->refused.count, wrong);
}

/* A label's TTL that routers of an LSP have made less than the packet's own is that of the packet (RFC 3032 section 2.4.3). */
/* proves: MESH-ENC-11 partial */
static void a_label_cannot_make_a_packet_live_longer(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[500], out[500];

	accept_how(f, &mpls);
	for (unsigned six = 0; six < 2; six++)
		for (unsigned few = 0; few < 2; few++) {
			const char *label = six   ? few ? "\0\0\x21\5" : "\0\0\x21\xff"
					    : few ? "\0\0\1\5"
						  : "\0\0\1\xff";
			size_t len = build(packet, true, 137, 0, label, 4, six, 100);
			uint8_t own = packet[4 + (six ? 7 : 8)];

			core_sends(f, EGRESS6, 137, 0, packet, len);
			assert_int_equal(device_gets(f, out, sizeof(out)), len - 4);
			assert_int_equal(out[six ? 7 : 8], few ? 5 : own);
		}
}

/* A kernel that merges segments inside GRE verifies the checksum, and leaves that of one of them. */
static void the_gre_checksum_of_merged_segments_was_the_kernels(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[6000] = {0x80, 0, 0x08, 0, 0xde, 0xad, 0, 0}, out[6000];
	size_t len = 8 + begun(packet + 8, false, 4000);

	accept_how(f, &gre);
	core_sends(f, EGRESS6, 47, 0, packet, len);
	assert_true(device_gets(f, out, sizeof(out)) > 0);
	assert_int_equal(f->counters->rx_merged, 1);
	assert_int_equal(f->counters->drop_checksum, 0);
}

static void too_long_a_packet_is_refused_in_its_turn(void **state)
{
	struct fixture *f = *state;
	struct mesh_arrival a = {
		.from = address(EGRESS6), .ifindex = CORE, .family = AF_INET6, .protocol = 4, .cut = true};
	uint8_t packet[MESH_MARGIN + 500], out[500];
	size_t len = build(packet + MESH_MARGIN, true, 4, 0, "", 0, false, 100);

	accept_how(f, &ipip);
	mesh_in_packet(f->plane, &a, packet + MESH_MARGIN, len);
	assert_int_equal(f->counters->drop_payload, 1);
	assert_string_equal(f->refused.reason, "it is longer than what we take");
	a.from = address(ENEMY6);
	mesh_in_packet(f->plane, &a, packet + MESH_MARGIN, len);
	assert_int_equal(f->counters->drop_transmitter, 1);
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
}

/* RFC 6040 section 4.2, figure 4, by inner and outer field in the order of the codepoints; 4: drop. The DSCP inside stays. */
/* proves: PS-8 partial */
static void merges_ecn_on_the_way_out(void **state)
{
	static const uint8_t figure4[4][4] = {{0, 0, 0, 4}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};
	struct fixture *f = *state;
	uint64_t drops = 0, marks = 0;
	uint8_t packet[500], out[500];

	accept_how(f, &ipip);
	for (unsigned n = 0; n < 64; n++) {
		unsigned inner = n & 3, outer = n >> 2 & 3, result = figure4[inner][outer];
		bool six = n & 16, core6 = n & 32;
		size_t len = build(packet, core6, six ? 41 : 4, (uint8_t)(0x28 | outer), "", 0, six, 9);
		uint8_t *p = packet + (core6 ? 0 : 20);

		if (six)
			p[1] = (uint8_t)(inner << 4);
		else
			p[1] = (uint8_t)inner;
		if (!six) { /* a right checksum: the sum of the others changes by as much */
			p[11] = (uint8_t)(p[11] - inner);
			assert_true(p[11] + inner < 256);
		}
		core_sends(f, core6 ? EGRESS6 : EGRESS4, six ? 41 : 4, (uint8_t)(0x28 | outer), packet, len);
		drops += result == 4;
		marks += result == 3 && inner != 3;
		assert_int_equal(f->counters->drop_ecn, drops);
		assert_int_equal(f->counters->ecn_ce, marks);
		assert_int_equal(!!device_gets(f, out, sizeof(out)), result != 4);
		if (result != 4)
			assert_int_equal(six ? out[1] >> 4 : out[1], result);
	}
}

static void an_odd_ecn_field_is_logged_once_a_second(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[500];
	struct log log;

	log_init(&log, -1, LEVEL_DEBUG);
	log.tap = keep_line;
	f->plane->log = &log;
	accept_how(f, &ipip);
	core_sends(f, EGRESS6, 4, 3, packet, build(packet, true, 4, 0, "", 0, false, 9));
	assert_non_null(strstr(logged, "event=ecn-unexpected from=" EGRESS6 " inner=Not-ECT outer=CE"));
	memset(logged, 0, sizeof(logged));
	core_sends(f, EGRESS6, 4, 3, packet, build(packet, true, 4, 0, "", 0, false, 9));
	assert_string_equal(logged, "");
}

static void a_device_that_takes_no_more_is_counted(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1600];
	size_t len = build(packet, true, 4, 0, "", 0, false, 1400);

	accept_how(f, &ipip);
	for (unsigned i = 0; i < 1000 && !f->counters->drop_device; i++)
		core_sends(f, EGRESS6, 4, 0, packet, len);
	assert_int_equal(f->counters->drop_device, 1);
}

static void close_plane(struct fixture *f)
{
	f->on_call = NULL;
	fixture_close(f);
}

static void the_role_may_close_the_plane_from_a_refusal(void **state)
{
	struct fixture *f = *state;

	f->on_call = close_plane;
	core_sends(f, ENEMY6, 4, 0, "", 0);
	assert_null(f->plane);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_all_that_it_accepts_at_once),
		TEST(transmitters_have_counters),
		TEST(takes_an_outer_header_with_options),
		TEST(what_is_wrong_is_counted_and_has_a_reason),
		TEST(the_cheapest_question_is_asked_first),
		TEST(a_flood_of_bad_packets_is_not_looked_at),
		TEST(during_a_roll_both_cookies_are_taken),
		TEST(what_a_kernel_left_undone_is_done),
		TEST(any_interface_will_do_where_none_is_named),
		TEST(only_families_that_the_core_lacks_come_out),
		TEST(what_belongs_to_a_link_does_not_come_out),
		TEST(a_gre_checksum_is_verified),
		TEST(a_label_cannot_make_a_packet_live_longer),
		TEST(the_gre_checksum_of_merged_segments_was_the_kernels),
		TEST(too_long_a_packet_is_refused_in_its_turn),
		TEST(merges_ecn_on_the_way_out),
		TEST(an_odd_ecn_field_is_logged_once_a_second),
		TEST(a_device_that_takes_no_more_is_counted),
		TEST(the_role_may_close_the_plane_from_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mesh/encap, outwards: every encapsulation with every payload over both families, byte for byte as the pictures of RFC 791, 8200, 2473, 4213, 2784, 2890, 3931,
 * 4023, 4817 and 3032 have it; one in another (RFC 5565 section 12); sizes; what cannot be packed.
 */
#include "check.h"

#include <errno.h>

#include "inet/packet.h"
#include "mesh/encap.h"

/*
 * From 192.0.2.1 to 198.51.100.2, or from 2001:db8::1 to 2001:db8::2, hop limit 64. The inner packet has 100 octets, the traffic class is 0xb8, the flow label 0x12345.
 * Length, protocol and checksum are a row's own.
 */
#define FOUR(length, protocol, checksum) "45b8" length " 00004000 40" protocol checksum " c0000201 c6336402 "
#define SIX(length, next_header)                                                                             \
	"6b812345 " length next_header "40 20010db8000000000000000000000001 "                                \
	"20010db8000000000000000000000002 "
/* A label 0xfedcb at the bottom of its stack, TTL 63. */
#define LABEL "fedcb13f"
#define COOKIE                                                                                               \
	{                                                                                                    \
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef                                               \
	}

struct golden {
	const char *name;
	struct mesh_encapsulation how;
	uint16_t payload;
	const char *over4, *over6;
};

static const struct golden golden[] = {
	{"ipip", {.kind = MESH_IPIP}, MESH_IP4, FOUR("0078", "04", "4d93"), SIX("0064", "04")},
	{"ipip", {.kind = MESH_IPIP}, MESH_IP6, FOUR("0078", "29", "4d6e"), SIX("0064", "29")},
	{"mpls-in-ip", {.kind = MESH_IPIP, .mpls = true}, MESH_IP4, FOUR("007c", "89", "4d0a") LABEL,
		SIX("0068", "89") LABEL},
	{"mpls-in-ip", {.kind = MESH_IPIP, .mpls = true}, MESH_IP6, FOUR("007c", "89", "4d0a") LABEL,
		SIX("0068", "89") LABEL},
	{"gre", {.kind = MESH_GRE}, MESH_IP4, FOUR("007c", "2f", "4d64") "00000800",
		SIX("0068", "2f") "00000800"},
	{"gre", {.kind = MESH_GRE}, MESH_IP6, FOUR("007c", "2f", "4d64") "000086dd",
		SIX("0068", "2f") "000086dd"},
	{"mpls-in-gre", {.kind = MESH_GRE, .mpls = true}, MESH_IP4,
		FOUR("0080", "2f", "4d60") "00008847" LABEL, SIX("006c", "2f") "00008847" LABEL},
	{"gre key 3405643783", {.kind = MESH_GRE, .has_key = true, .key = 0xcafe0007}, MESH_IP4,
		FOUR("0080", "2f", "4d60") "20000800 cafe0007", SIX("006c", "2f") "20000800 cafe0007"},
	{"gre key 3405643783", {.kind = MESH_GRE, .has_key = true, .key = 0xcafe0007}, MESH_IP6,
		FOUR("0080", "2f", "4d60") "200086dd cafe0007", SIX("006c", "2f") "200086dd cafe0007"},
	{"gre key 0", {.kind = MESH_GRE, .has_key = true}, MESH_IP6,
		FOUR("0080", "2f", "4d60") "200086dd 00000000", SIX("006c", "2f") "200086dd 00000000"},
	{"mpls-in-gre key 3405643783", {.kind = MESH_GRE, .mpls = true, .has_key = true, .key = 0xcafe0007},
		MESH_IP4, FOUR("0084", "2f", "4d5c") "20008847 cafe0007" LABEL,
		SIX("0070", "2f") "20008847 cafe0007" LABEL},
	{"l2tpv3 session 0x12345678 no cookie", {.kind = MESH_L2TPV3, .session = 0x12345678}, MESH_IP4,
		FOUR("007c", "73", "4d20") "12345678", SIX("0068", "73") "12345678"},
	{"l2tpv3 session 0x12345678 cookie of 4 octets",
		{.kind = MESH_L2TPV3, .session = 0x12345678, .cookie_len = 4, .cookie = COOKIE}, MESH_IP4,
		FOUR("0080", "73", "4d1c") "12345678 01234567", SIX("006c", "73") "12345678 01234567"},
	{"l2tpv3 session 0x12345678 cookie of 8 octets",
		{.kind = MESH_L2TPV3, .session = 0x12345678, .cookie_len = 8, .cookie = COOKIE}, MESH_IP4,
		FOUR("0084", "73", "4d18") "12345678 01234567 89abcdef",
		SIX("0070", "73") "12345678 01234567 89abcdef"},
	{"l2tpv3 session 0x12345678 cookie of 8 octets",
		{.kind = MESH_L2TPV3, .session = 0x12345678, .cookie_len = 8, .cookie = COOKIE}, MESH_IP6,
		FOUR("0084", "73", "4d18") "12345678 01234567 89abcdef",
		SIX("0070", "73") "12345678 01234567 89abcdef"},
	{"mpls-in-l2tpv3 session 0x12345678 no cookie",
		{.kind = MESH_L2TPV3, .mpls = true, .session = 0x12345678}, MESH_IP4,
		FOUR("0080", "73", "4d1c") "12345678" LABEL, SIX("006c", "73") "12345678" LABEL},
	{"mpls-in-l2tpv3 session 0x12345678 cookie of 4 octets",
		{.kind = MESH_L2TPV3, .mpls = true, .session = 0x12345678, .cookie_len = 4, .cookie = COOKIE},
		MESH_IP6, FOUR("0084", "73", "4d18") "12345678 01234567" LABEL,
		SIX("0070", "73") "12345678 01234567" LABEL},
	{"mpls-in-l2tpv3 session 0x12345678 cookie of 8 octets",
		{.kind = MESH_L2TPV3, .mpls = true, .session = 0x12345678, .cookie_len = 8, .cookie = COOKIE},
		MESH_IP4, FOUR("0088", "73", "4d14") "12345678 01234567 89abcdef" LABEL,
		SIX("0074", "73") "12345678 01234567 89abcdef" LABEL},
};

static struct mesh_level level_of(const char *src, const char *dst, const struct mesh_encapsulation *how)
{
	return (struct mesh_level){.src = address(src), .dst = address(dst), .how = *how, .hop_limit = 64};
}

/* What goes before an inner packet of 100 octets is TEXT, and nothing else is touched. */
static void assert_written(const struct mesh_template *t, uint16_t payload, const char *text)
{
	const struct mesh_cargo cargo = {
		.payload = payload, .len = 100, .tos = 0xb8, .flow = 0xfff12345, .label = 0xfedcb, .ttl = 63};
	uint8_t packet[MESH_TEMPLATE + 108], *expected;
	size_t len;

	expected = bytes_of(text, &len);
	assert_int_equal(t->len, len);
	memset(packet, 0xee, sizeof(packet));
	mesh_template_write(t, &cargo, packet + MESH_TEMPLATE + 8);
	assert_memory_equal(packet + MESH_TEMPLATE + 8 - len, expected, len);
	for (size_t i = 0; i < sizeof(packet); i++)
		if (i < MESH_TEMPLATE + 8 - len || i >= MESH_TEMPLATE + 8)
			assert_int_equal(packet[i], 0xee);
	free(expected);
}

/* proves: MESH-ENC-2 partial, MESH-ENC-3 partial, MESH-ENC-4 partial, MESH-ENC-5 partial, MESH-ENC-6 partial, MESH-ENC-7 partial, MESH-ENC-8 partial,
 * MESH-ENC-11 partial, MESH-ENC-12 partial */
static void packs_as_the_rfcs_picture_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(golden); i++) {
		const struct golden *g = &golden[i];
		struct mesh_level four = level_of("192.0.2.1", "198.51.100.2", &g->how);
		struct mesh_level six = level_of("2001:db8::1", "2001:db8::2", &g->how);
		struct mesh_template t = {0};

		print_message("%s, payload %04x\n", g->name, g->payload);
		assert_int_equal(mesh_template_make(&t, &four, 1), 0);
		assert_int_equal(t.family, AF_INET);
		assert_int_equal(t.mpls, g->how.mpls);
		assert_int_equal(t.len, IP4_HEADER + mesh_encapsulation_size(&g->how));
		assert_written(&t, g->payload, g->over4);
		assert_int_equal(mesh_template_make(&t, &six, 1), 0);
		assert_int_equal(t.family, AF_INET6);
		assert_int_equal(t.len, IP6_HEADER + mesh_encapsulation_size(&g->how));
		assert_written(&t, g->payload, g->over6);
	}
	(void)state;
}

/* The label stack entry of RFC 3032 section 2.1, for the labels that mean something and the largest. */
static void packs_labels(void **state)
{
	static const struct {
		uint32_t label;
		uint8_t ttl;
		uint8_t bytes[4];
	} labels[] = {
		{0, 255, {0x00, 0x00, 0x01, 0xff}},
		{2, 1, {0x00, 0x00, 0x21, 0x01}},
		{16, 64, {0x00, 0x01, 0x01, 0x40}},
		{0xfffff, 0, {0xff, 0xff, 0xf1, 0x00}},
	};
	const struct mesh_encapsulation how = {.kind = MESH_IPIP, .mpls = true};
	struct mesh_level level = level_of("2001:db8::1", "2001:db8::2", &how);
	struct mesh_template t = {0};

	assert_int_equal(mesh_template_make(&t, &level, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		const struct mesh_cargo cargo = {
			.payload = MESH_IP4, .len = 20, .label = labels[i].label, .ttl = labels[i].ttl};
		uint8_t packet[MESH_TEMPLATE];

		mesh_template_write(&t, &cargo, packet + sizeof(packet));
		assert_memory_equal(packet + sizeof(packet) - 4, labels[i].bytes, 4);
	}
	(void)state;
}

struct stacked {
	const char *name;
	uint8_t family;
	struct mesh_encapsulation inner, outer;
	uint16_t payload;
	const char *bytes;
};

/* The second level goes to 203.0.113.9 or 2001:db8:f::9. */
#define AROUND4(length, protocol, checksum)                                                                  \
	"45b8" length " 00004000 40" protocol checksum " c0000201 cb007109 "
#define AROUND6(length, next_header)                                                                         \
	"6b812345 " length next_header "40 20010db8000000000000000000000001 "                                \
	"20010db8000f00000000000000000009 "

static const struct stacked stacked[] = {
	{"l2tpv3 in gre, over IPv6", AF_INET6,
		{.kind = MESH_L2TPV3, .session = 0x12345678, .cookie_len = 8, .cookie = COOKIE},
		{.kind = MESH_GRE}, MESH_IP4,
		AROUND6("009c", "2f") "000086dd" SIX("0070", "73") "12345678 01234567 89abcdef"},
	{"mpls-in-ip in ipip, over IPv6", AF_INET6, {.kind = MESH_IPIP, .mpls = true}, {.kind = MESH_IPIP},
		MESH_IP4, AROUND6("0090", "29") SIX("0068", "89") LABEL},
	{"gre in l2tpv3, over IPv4", AF_INET, {.kind = MESH_GRE, .has_key = true, .key = 7},
		{.kind = MESH_L2TPV3, .session = 0x99999999}, MESH_IP6,
		AROUND4("0098", "73", "3b30") "99999999" FOUR("0080", "2f", "4d60") "200086dd 00000007"},
	{"ipip in ipip, over IPv4", AF_INET, {.kind = MESH_IPIP}, {.kind = MESH_IPIP}, MESH_IP6,
		AROUND4("008c", "04", "3bab") FOUR("0078", "29", "4d6e")},
};

/* proves: MESH-AS-5 partial, MESH-AS-6 partial */
static void packs_a_softwire_into_another(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(stacked); i++) {
		const struct stacked *s = &stacked[i];
		bool four = s->family == AF_INET;
		struct mesh_level levels[] = {
			level_of(four ? "192.0.2.1" : "2001:db8::1", four ? "198.51.100.2" : "2001:db8::2",
				&s->inner),
			level_of(four ? "192.0.2.1" : "2001:db8::1", four ? "203.0.113.9" : "2001:db8:f::9",
				&s->outer),
		};
		struct mesh_template t = {0};

		print_message("%s\n", s->name);
		assert_int_equal(mesh_template_make(&t, levels, 2), 0);
		assert_int_equal(t.levels, 2);
		assert_int_equal(t.family, s->family);
		assert_int_equal(t.len, 2 * (four ? IP4_HEADER : IP6_HEADER) +
						mesh_encapsulation_size(&s->inner) +
						mesh_encapsulation_size(&s->outer));
		assert_written(&t, s->payload, s->bytes);
	}
	(void)state;
}

/* The largest that there is fits. */
static void holds_the_largest(void **state)
{
	struct mesh_encapsulation how = {.kind = MESH_L2TPV3, .mpls = true, .session = 1, .cookie_len = 8};
	struct mesh_level levels[2];
	struct mesh_template t = {0};

	levels[0] = level_of("2001:db8::1", "2001:db8::2", &how);
	how.mpls = false;
	levels[1] = level_of("2001:db8::1", "2001:db8::3", &how);
	assert_int_equal(mesh_template_make(&t, levels, 2), 0);
	assert_int_equal(t.len, MESH_TEMPLATE - 4); /* the second level has no label */
	(void)state;
}

/* The header checksum is right whatever the packet is: also where its sum has to be folded twice. */
static void sums_up_for_every_length_and_class(void **state)
{
	const struct mesh_encapsulation how = {.kind = MESH_IPIP};
	struct mesh_level level = level_of("255.255.255.254", "255.255.255.253", &how);
	struct mesh_template t = {0};
	uint8_t packet[MESH_TEMPLATE];
	const uint8_t *header = packet + sizeof(packet) - IP4_HEADER;

	level.hop_limit = 255;
	assert_int_equal(mesh_template_make(&t, &level, 1), 0);
	for (unsigned len = 0; len <= UINT16_MAX - IP4_HEADER; len += 7) {
		const struct mesh_cargo cargo = {.payload = len % 2 ? MESH_IP4 : MESH_IP6,
			.len = (uint16_t)len,
			.tos = (uint8_t)(len >> 3)};

		mesh_template_write(&t, &cargo, packet + sizeof(packet));
		assert_int_equal(inet_fold(inet_sum(header, IP4_HEADER, 0)), 0);
		assert_int_equal(header[2] << 8 | header[3], len + IP4_HEADER);
	}
	(void)state;
}

struct impossible {
	const char *name;
	unsigned count;
	struct mesh_level levels[2];
};

#define ADDRESS4                                                                                             \
	{                                                                                                    \
		.family = AF_INET, .bytes = { 192, 0, 2, 1 }                                                 \
	}
#define ADDRESS6                                                                                             \
	{                                                                                                    \
		.family = AF_INET6, .bytes = { 0x20, 0x01, 0x0d, 0xb8 }                                      \
	}
#define OVER4(...)                                                                                           \
	{                                                                                                    \
		.src = ADDRESS4, .dst = ADDRESS4, .how = {__VA_ARGS__}, .hop_limit = 64                      \
	}
#define OVER6(...)                                                                                           \
	{                                                                                                    \
		.src = ADDRESS6, .dst = ADDRESS6, .how = {__VA_ARGS__}, .hop_limit = 64                      \
	}

static const struct impossible impossible[] = {
	{"no level", 0, {OVER4(.kind = MESH_IPIP)}},
	{"three levels", 3, {OVER4(.kind = MESH_IPIP), OVER4(.kind = MESH_IPIP)}},
	{"no source", 1, {{.dst = ADDRESS4, .hop_limit = 64}}},
	{"no destination", 1, {{.src = ADDRESS6, .hop_limit = 64}}},
	{"no addresses", 1, {{.hop_limit = 64}}},
	{"a family that there is not", 1, {{.src = {.family = 99}, .dst = {.family = 99}, .hop_limit = 64}}},
	{"from IPv4 to IPv6", 1, {{.src = ADDRESS4, .dst = ADDRESS6, .hop_limit = 64}}},
	{"a level of another family", 2, {OVER4(.kind = MESH_IPIP), OVER6(.kind = MESH_IPIP)}},
	{"no hop", 1, {{.src = ADDRESS6, .dst = ADDRESS6}}},
	{"no hop of the second level", 2, {OVER6(.kind = MESH_IPIP), {.src = ADDRESS6, .dst = ADDRESS6}}},
	{"a kind that there is not", 1, {OVER6(.kind = MESH_KINDS)}},
	{"session 0", 1, {OVER6(.kind = MESH_L2TPV3)}},
	{"session 0 of the second level", 2, {OVER6(.kind = MESH_IPIP), OVER6(.kind = MESH_L2TPV3)}},
	{"a cookie of 5 octets", 1, {OVER6(.kind = MESH_L2TPV3, .session = 1, .cookie_len = 5)}},
	{"a cookie of 12 octets", 1, {OVER6(.kind = MESH_L2TPV3, .session = 1, .cookie_len = 12)}},
	{"labels within the second level", 2,
		{OVER6(.kind = MESH_IPIP), OVER6(.kind = MESH_GRE, .mpls = true)}},
};

static void refuses_what_contradicts_itself(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
		struct mesh_template t, untouched;

		print_message("%s\n", impossible[i].name);
		memset(&t, 0x55, sizeof(t));
		untouched = t;
		assert_int_equal(mesh_template_make(&t, impossible[i].levels, impossible[i].count), -EINVAL);
		assert_memory_equal(&t, &untouched, sizeof(t));
	}
	(void)state;
}

static void names_encapsulations(void **state)
{
	char text[80];

	for (size_t i = 0; i < ARRAY_SIZE(golden); i++)
		assert_string_equal(
			mesh_encapsulation_print(&golden[i].how, text, sizeof(text)), golden[i].name);
	assert_string_equal(mesh_encapsulation_print(&golden[0].how, text, 3), "ip");
	assert_string_equal(mesh_kind_name(MESH_IPIP), "ipip");
	assert_string_equal(mesh_kind_name(MESH_GRE), "gre");
	assert_string_equal(mesh_kind_name(MESH_L2TPV3), "l2tpv3");
	(void)state;
}

/* Only what the kind has counts. */
static void compares_encapsulations(void **state)
{
	static const struct mesh_encapsulation base[] = {
		{.kind = MESH_IPIP},
		{.kind = MESH_IPIP, .mpls = true},
		{.kind = MESH_GRE},
		{.kind = MESH_GRE, .mpls = true},
		{.kind = MESH_GRE, .has_key = true},
		{.kind = MESH_GRE, .has_key = true, .key = 1},
		{.kind = MESH_L2TPV3, .session = 1},
		{.kind = MESH_L2TPV3, .session = 2},
		{.kind = MESH_L2TPV3, .session = 1, .mpls = true},
		{.kind = MESH_L2TPV3, .session = 1, .cookie_len = 4},
		{.kind = MESH_L2TPV3, .session = 1, .cookie_len = 8},
		{.kind = MESH_L2TPV3, .session = 1, .cookie_len = 8, .cookie = {[7] = 1}},
	};
	struct mesh_encapsulation other;

	for (size_t i = 0; i < ARRAY_SIZE(base); i++)
		for (size_t j = 0; j < ARRAY_SIZE(base); j++)
			assert_int_equal(mesh_encapsulation_equal(&base[i], &base[j]), i == j);
	other = base[2];
	other.key = 5; /* without has_key it says nothing */
	assert_true(mesh_encapsulation_equal(&base[2], &other));
	other = base[9];
	other.cookie[4] = 1; /* beyond its 4 octets */
	assert_true(mesh_encapsulation_equal(&base[9], &other));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs_as_the_rfcs_picture_it),
		cmocka_unit_test(packs_labels),
		cmocka_unit_test(packs_a_softwire_into_another),
		cmocka_unit_test(holds_the_largest),
		cmocka_unit_test(sums_up_for_every_length_and_class),
		cmocka_unit_test(refuses_what_contradicts_itself),
		cmocka_unit_test(names_encapsulations),
		cmocka_unit_test(compares_encapsulations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

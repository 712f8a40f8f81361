/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp4/server: what it answers to what, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dhcp4/server.h"
#include "lib/container.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct bench {
	struct dhcp4_server server;
	struct dhcp4_server_config config;
	struct dhcp4_counters counters;
	struct dhcp4_offer offer;
	unsigned sends, changes, renewals, notes;
	bool sent_before_use;  /* an answer was sent before the route was there */
	bool address, subnets; /* in use */
	uint8_t raw[DHCP4_MESSAGE_MAX];
	size_t raw_len;
	struct dhcp4_message sent;
	struct addr dst;
	char note[200];
};

static const struct addr none = {0}, address = {AF_INET, {198, 51, 100, 7}},
			 other = {AF_INET, {198, 51, 100, 8}};

static void on_send(struct dhcp4_server *s, const struct addr *dst, const uint8_t *message, size_t len)
{
	struct bench *b = container_of(s, struct bench, server);
	const char *why = NULL;

	assert_int_equal(dhcp4_message_read(message, len, &b->sent, &why), 0);
	assert_true(b->sent.reply);
	memcpy(b->raw, message, len);
	b->raw_len = len;
	b->dst = *dst;
	b->sends++;
}

static void on_describe(struct dhcp4_server *s, struct dhcp4_offer *ret)
{
	*ret = container_of(s, struct bench, server)->offer;
}

static void on_in_use(struct dhcp4_server *s, bool in_use, bool subnets)
{
	struct bench *b = container_of(s, struct bench, server);

	assert_true(in_use != b->address || subnets != b->subnets); /* told when it changes */
	b->address = in_use;
	b->subnets = subnets;
	b->changes++;
	b->sent_before_use |= b->sends > 0 && b->sent.type == DHCP4_ACK;
}

static void on_renewed(struct dhcp4_server *s)
{
	container_of(s, struct bench, server)->renewals++;
}

static void on_note(struct dhcp4_server *s, const char *text)
{
	struct bench *b = container_of(s, struct bench, server);

	snprintf(b->note, sizeof(b->note), "%s", text);
	b->notes++;
}

static const struct dhcp4_server_ops ops = {.send = on_send,
	.describe = on_describe,
	.in_use = on_in_use,
	.renewed = on_renewed,
	.note = on_note};

static void setup(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->config = (struct dhcp4_server_config){.ops = &ops, .counters = &b->counters};
	b->offer = (struct dhcp4_offer){.address = address,
		.server = addr4(198, 51, 100, 1),
		.lease = 3600,
		.mtu = 1400,
		.dns_count = 1,
		.dns = {addr4(192, 0, 2, 53)}};
	dhcp4_server_open(&b->server, &b->config);
}

static void offer_subnet(struct bench *b, uint8_t third, uint8_t len)
{
	b->offer.subnets[b->offer.subnet_count++] = (struct prefix){addr4(203, 0, third, 0), len};
}

static void give(struct bench *b, const struct dhcp4_message *m)
{
	uint8_t buf[DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp4_message_write(&w, m);
	assert_true(writer_ok(&w));
	dhcp4_server_input(&b->server, buf, writer_len(&w), 0);
}

static struct dhcp4_message message(uint8_t type)
{
	return (struct dhcp4_message){
		.type = type, .xid = 0x12345678, .htype = 20, .client_id_len = 2, .client_id = {255, 1}};
}

static void ask_subnet(struct dhcp4_message *m)
{
	m->subnet_request = m->request_hierarchical = true;
}

static void name_subnet(struct dhcp4_message *m, uint8_t third, uint8_t len)
{
	m->subnet_information = true;
	m->subnets[m->subnet_count++] =
		(struct dhcp4_subnet){.prefix = {addr4(203, 0, third, 0), len}, .hierarchical = true};
}

static void assert_addr(const struct addr *a, const struct addr *expected)
{
	assert_true(addr_equal(a, expected));
}

/* clang-format off */
#define HEAD 2, 20, 0, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0
#define COOKIE [236] = 0x63, 0x82, 0x53, 0x63
#define NOBODY 0, 0, 0, 0
#define CLIENT 198, 51, 100, 7
#define IDS 54, 4, 198, 51, 100, 1, 61, 2, 255, 1
#define TIMES 51, 4, 0, 0, 0x0e, 0x10, 58, 4, 0, 0, 0x07, 0x08, 59, 4, 0, 0, 0x0c, 0x4e
#define PARAMETERS 1, 4, 255, 255, 255, 255, 3, 4, 198, 51, 100, 1, 6, 4, 192, 0, 2, 53, 26, 2, 5, 0x78
static const uint8_t golden_offer[300] = {HEAD, NOBODY, CLIENT, COOKIE, 53, 1, 2, IDS, TIMES, PARAMETERS, 255};
static const uint8_t golden_ack[300] = {HEAD, NOBODY, CLIENT, COOKIE, 53, 1, 5, IDS, TIMES, PARAMETERS, 255};
static const uint8_t golden_renewed[300] = {HEAD, CLIENT, CLIENT, COOKIE, 53, 1, 5, IDS, TIMES, PARAMETERS, 255};
static const uint8_t golden_informed[300] = {HEAD, CLIENT, NOBODY, COOKIE, 53, 1, 5, IDS, PARAMETERS, 255};
static const uint8_t golden_nak[300] = {
	HEAD, NOBODY, NOBODY, COOKIE, 53, 1, 6, IDS, 56, 30,
	'n', 'o', 't', ' ', 't', 'h', 'e', ' ', 'a', 'd', 'd', 'r', 'e', 's', 's', ' ',
	'o', 'f', ' ', 't', 'h', 'i', 's', ' ', 'c', 'l', 'i', 'e', 'n', 't', 255,
};
static const uint8_t golden_subnet_offer[] = {
	HEAD, NOBODY, NOBODY, COOKIE, 53, 1, 2, IDS, TIMES, PARAMETERS,
	220, 11, 0, 2, 8, 0, 203, 0, 113, 0, 24, 2, 0, 255,
};
static const uint8_t golden_subnet_ack[] = {
	HEAD, CLIENT, NOBODY, COOKIE, 53, 1, 5, IDS, TIMES, PARAMETERS,
	220, 11, 0, 2, 8, 0, 203, 0, 113, 0, 24, 2, 0, 255,
};
static const uint8_t golden_query_answer[] = {
	HEAD, NOBODY, NOBODY, COOKIE, 53, 1, 2, IDS, TIMES, PARAMETERS,
	220, 11, 0, 2, 8, 2, 203, 0, 113, 0, 24, 2, 0, 255,
};
/* clang-format on */

static void assert_bytes(const struct bench *b, const uint8_t *golden, size_t len)
{
	assert_int_equal(b->raw_len, len);
	assert_memory_equal(b->raw, golden, len);
}
#define assert_sent(b, golden) assert_bytes(b, golden, sizeof(golden))

/* proves: HS-DHCP-7 partial */
static void an_address_is_offered_and_given(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	give(&b, &m);
	assert_sent(&b, golden_offer);
	assert_addr(&b.dst, &address); /* no broadcast bit: to yiaddr */
	assert_int_equal(b.changes, 0);
	m.type = DHCP4_REQUEST;
	m.server = b.offer.server;
	m.requested = address;
	give(&b, &m);
	assert_sent(&b, golden_ack);
	assert_true(b.address && !b.subnets);
	assert_false(b.sent_before_use);
	m = message(DHCP4_REQUEST); /* RENEWING, REBINDING */
	m.ciaddr = address;
	give(&b, &m);
	assert_sent(&b, golden_renewed);
	assert_addr(&b.dst, &address);
	assert_int_equal(b.changes, 1);
	assert_int_equal(b.counters.tx, 3);
	assert_int_equal(b.counters.rx, 3);
	assert_int_equal(b.counters.by_type[DHCP4_REQUEST], 2);
}

/* proves: HS-DHCP-8 partial */
static void subnets_are_offered_and_given_without_an_address(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	offer_subnet(&b, 113, 24);
	m.ciaddr = address;
	ask_subnet(&m);
	give(&b, &m);
	assert_sent(&b, golden_subnet_offer);
	assert_addr(&b.dst, &address);
	m = message(DHCP4_REQUEST);
	m.ciaddr = address;
	m.server = b.offer.server;
	name_subnet(&m, 113, 24);
	give(&b, &m);
	assert_sent(&b, golden_subnet_ack);
	assert_true(b.subnets && !b.address);
	assert_false(b.sent_before_use);
	m.server = none; /* RENEWING */
	m.subnet_request = m.request_information =
		true; /* not allowed here (RFC 6656 section 4.3): no c bit in an ACK */
	give(&b, &m);
	assert_sent(&b, golden_subnet_ack);
	assert_int_equal(b.changes, 1);
}

/* RFC 6656 section 6.2: c = 1, and nothing is committed, Rapid Commit or not. */
static void a_query_is_only_answered(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	b.config.rapid_commit = true;
	offer_subnet(&b, 113, 24);
	ask_subnet(&m);
	m.request_information = m.rapid_commit = true;
	name_subnet(&m, 99, 24); /* without c and s: ignored (section 6.4) */
	give(&b, &m);
	assert_sent(&b, golden_query_answer);
	assert_true(addr_is_none(&b.dst)); /* no address that it could go to */
	assert_int_equal(b.changes, 0);
	assert_int_equal(b.notes, 0);
}

static void what_is_not_theirs_is_refused(void **state)
{
	static const struct {
		const char *name;
		struct addr requested, ciaddr;
		bool selecting;
		uint8_t verdict;
	} cases[] = {
		{"SELECTING its own", {AF_INET, {198, 51, 100, 7}}, {0}, true, DHCP4_ACK},
		{"SELECTING another", {AF_INET, {198, 51, 100, 8}}, {0}, true, DHCP4_NAK},
		{"SELECTING ours", {AF_INET, {198, 51, 100, 1}}, {0}, true, DHCP4_NAK},
		{"SELECTING nothing", {0}, {0}, true, DHCP4_NAK},
		{"SELECTING another, from its own", {AF_INET, {198, 51, 100, 8}},
			{AF_INET, {198, 51, 100, 7}}, true, DHCP4_NAK},
		{"INIT-REBOOT its own", {AF_INET, {198, 51, 100, 7}}, {0}, false, DHCP4_ACK},
		{"INIT-REBOOT another", {AF_INET, {192, 168, 1, 5}}, {0}, false, DHCP4_NAK},
		{"RENEWING its own", {0}, {AF_INET, {198, 51, 100, 7}}, false, DHCP4_ACK},
		{"RENEWING another", {0}, {AF_INET, {198, 51, 100, 8}}, false, DHCP4_NAK},
		{"RENEWING 255.255.255.255", {0}, {AF_INET, {255, 255, 255, 255}}, false, DHCP4_NAK},
		{"RENEWING loopback", {0}, {AF_INET, {127, 0, 0, 1}}, false, DHCP4_NAK},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dhcp4_message m = message(DHCP4_REQUEST);
		struct bench b;

		setup(&b);
		m.requested = cases[i].requested;
		m.ciaddr = cases[i].ciaddr;
		if (cases[i].selecting)
			m.server = b.offer.server;
		give(&b, &m);
		assert_int_equal(b.sends, 1);
		if (b.sent.type != cases[i].verdict)
			fail_msg("%s: %s", cases[i].name, dhcp4_type_name(b.sent.type));
		assert_int_equal(b.address, cases[i].verdict == DHCP4_ACK);
		assert_int_equal(b.counters.refused, cases[i].verdict == DHCP4_NAK);
		if (cases[i].verdict == DHCP4_NAK) {
			assert_sent(&b, golden_nak);
			assert_true(addr_is_none(&b.dst)); /* section 4.1: always to everybody */
		}
	}
}

static void subnets_that_are_not_theirs_are_left_out(void **state)
{
	struct dhcp4_message m = message(DHCP4_REQUEST);
	struct bench b;

	setup(&b);
	offer_subnet(&b, 113, 24);
	offer_subnet(&b, 114, 24);
	m.server = b.offer.server;
	m.ciaddr = address;
	name_subnet(&m, 114, 24);
	name_subnet(&m, 115, 24);
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_ACK);
	assert_int_equal(b.sent.subnet_count, 1);
	assert_int_equal(b.sent.subnets[0].prefix.addr.bytes[2], 114);
	assert_true(b.subnets);

	setup(&b);
	offer_subnet(&b, 113, 24);
	m = message(DHCP4_REQUEST);
	m.ciaddr = address;
	name_subnet(&m, 113, 25); /* part of it is not it */
	name_subnet(&m, 115, 24);
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_NAK);
	assert_string_equal(b.sent.text, "not a subnet of this client");
	assert_int_equal(b.changes, 0);

	setup(&b); /* there are none at all */
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_NAK);
}

/* proves: HS-PROV-14 partial */
static void only_8_to_30_are_given(void **state)
{
	static const struct {
		struct prefix prefix;
		bool given;
	} cases[] = {
		{{{AF_INET, {10}}, 7}, false},
		{{{AF_INET, {10}}, 8}, true},
		{{{AF_INET, {203, 0, 113, 4}}, 30}, true},
		{{{AF_INET, {203, 0, 113, 4}}, 31}, false},
		{{{AF_INET, {203, 0, 113, 4}}, 32}, false},
		{{{AF_INET, {0}}, 0}, false},
		{{{AF_INET, {224}}, 8}, false},
		{{{0}, 24}, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dhcp4_message m = message(DHCP4_DISCOVER);
		struct bench b;

		setup(&b);
		b.offer.subnets[0] = cases[i].prefix;
		b.offer.subnet_count = 1;
		offer_subnet(&b, 99, 24);
		ask_subnet(&m);
		give(&b, &m);
		assert_int_equal(b.sent.subnet_count, cases[i].given ? 2 : 1);
		assert_int_equal(b.notes, !cases[i].given);
		assert_true(prefix_equal(&b.sent.subnets[0].prefix, &b.offer.subnets[!cases[i].given]));
	}
}

static void wishes_that_are_not_met_are_noted(void **state)
{
	static const struct {
		const char *name;
		uint8_t len;
		bool h;
		const char *note;
	} cases[] = {
		{"any", 0, true, ""},
		{"this one", 24, true, ""},
		{"a smaller one", 28, true, ""},
		{"a larger one", 20, true, "the client has asked for a larger subnet"},
		{"relayed requests", 24, false,
			"the client wants addresses of its subnet to be handed out here: it has to do that "
			"itself"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dhcp4_message m = message(DHCP4_DISCOVER);
		struct bench b;

		setup(&b);
		offer_subnet(&b, 113, 24);
		m.subnet_request = true;
		m.request_hierarchical = cases[i].h;
		m.request_len = cases[i].len;
		give(&b, &m);
		if (strcmp(b.note, cases[i].note) != 0)
			fail_msg("%s: %s", cases[i].name, b.note);
		assert_sent(&b, golden_subnet_offer);
	}
}

static void without_subnets_the_address_is_what_is_offered(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	b.offer.ipcp = true;
	m.ciaddr = address;
	ask_subnet(&m);
	give(&b, &m);
	assert_sent(&b, golden_offer);
}

/* HS-PROV-8 has the address come by IPCP: DHCP confirms it, and owns nothing of it. */
static void an_address_of_ipcp_is_confirmed_only(void **state)
{
	struct dhcp4_message m = message(DHCP4_REQUEST);
	struct bench b;

	setup(&b);
	b.offer.ipcp = true;
	m.ciaddr = address;
	give(&b, &m);
	assert_sent(&b, golden_renewed);
	m.ciaddr = none;
	m.requested = other;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_NAK);
	m = message(DHCP4_RELEASE);
	m.ciaddr = address;
	m.server = b.offer.server;
	give(&b, &m);
	assert_int_equal(b.changes, 0);
}

/* proves: HS-PPP-21 partial */
static void inform_is_answered_without_address_and_lease(void **state)
{
	struct dhcp4_message m = message(DHCP4_INFORM);
	struct bench b;

	setup(&b);
	m.ciaddr = address;
	give(&b, &m);
	assert_sent(&b, golden_informed);
	assert_addr(&b.dst, &address);
	assert_int_equal(b.changes, 0);
	m.ciaddr = other; /* whoever that is, the answer goes to this softwire */
	m.broadcast = true;
	give(&b, &m);
	assert_true(addr_is_none(&b.dst));
	assert_true(addr_is_none(&b.sent.yiaddr));
	assert_int_equal(b.sent.lease, 0);
}

static void nothing_to_give_is_silence(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	b.offer.address = none;
	give(&b, &m);
	assert_int_equal(b.sends, 0);
	assert_int_equal(b.counters.refused, 1);
	assert_string_equal(b.note, "no address for this client");
	m = message(DHCP4_REQUEST);
	m.requested = address;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_NAK);
	m = message(DHCP4_INFORM);
	m.ciaddr = address;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_ACK);
	assert_int_equal(b.sent.dns_count, 1);
	assert_int_equal(b.sent.mask_len, 0);
}

static void parameters_are_those_that_were_asked_for(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	m.wants_dns = true;
	give(&b, &m);
	assert_int_equal(b.sent.dns_count, 1);
	assert_int_equal(b.sent.mtu, 0);
	assert_int_equal(b.sent.mask_len, 0);
	assert_true(addr_is_none(&b.sent.router));
	m.wants_dns = false;
	m.wants_mtu = true;
	give(&b, &m);
	assert_int_equal(b.sent.dns_count, 0);
	assert_int_equal(b.sent.mtu, 1400);
	m.wants_mtu = false;
	m.wants_router = true;
	give(&b, &m);
	assert_int_equal(b.sent.mask_len, 32);
	assert_addr(&b.sent.router, &b.offer.server);
	assert_int_equal(b.sent.mtu, 0);
}

/* Windows says htype 8, hlen 6 over PPP, and wants it back. */
static void what_the_client_says_of_itself_comes_back(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	m.htype = 8;
	m.hlen = 6;
	memcpy(m.chaddr, "\x52\x41\x53\x20\x01\x02", 6);
	m.client_id_len = DHCP4_CLIENT_ID_MAX;
	memset(m.client_id, 0xee, sizeof(m.client_id));
	m.broadcast = true;
	give(&b, &m);
	assert_int_equal(b.sent.htype, 8);
	assert_int_equal(b.sent.hlen, 6);
	assert_memory_equal(b.sent.chaddr, m.chaddr, sizeof(m.chaddr));
	assert_int_equal(b.sent.client_id_len, DHCP4_CLIENT_ID_MAX);
	assert_memory_equal(b.sent.client_id, m.client_id, DHCP4_CLIENT_ID_MAX);
	assert_true(b.sent.broadcast);
	assert_true(addr_is_none(&b.dst));
	m.client_id_len = 0;
	give(&b, &m);
	assert_int_equal(b.sends, 2);
	assert_int_equal(b.sent.client_id_len, 0);
}

static void rapid_commit_where_it_is_on_and_asked_for(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	m.rapid_commit = true;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_OFFER);
	assert_false(b.sent.rapid_commit);
	b.config.rapid_commit = true;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_ACK);
	assert_true(b.sent.rapid_commit && b.address);
	m.rapid_commit = false;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_OFFER);
	m = message(DHCP4_REQUEST);
	m.ciaddr = address;
	m.rapid_commit = true; /* belongs to DISCOVER only */
	give(&b, &m);
	assert_false(b.sent.rapid_commit);

	setup(&b);
	b.config.rapid_commit = true;
	offer_subnet(&b, 113, 24);
	m = message(DHCP4_DISCOVER);
	ask_subnet(&m);
	m.rapid_commit = true;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_ACK);
	assert_true(b.sent.rapid_commit && b.subnets && !b.address && b.sent.subnet_count == 1);
	assert_false(b.sent.information_c);
}

static void times_go_with_the_lease(void **state)
{
	static const struct {
		uint32_t lease, told, t1, t2;
	} cases[] = {
		{3600, 3600, 1800, 3150},
		{3, 3, 1, 2},
		{2, 2, 0, 0}, /* no room for T1 < T2 < lease in seconds */
		{1, 1, 0, 0},
		{0, DHCP4_INFINITE, 0, 0},
		{DHCP4_INFINITE, DHCP4_INFINITE, 0, 0},
		{0xfffffffe, 0xfffffffe, 0x7fffffff, 3758096382u},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dhcp4_message m = message(DHCP4_DISCOVER);
		struct bench b;

		setup(&b);
		b.offer.lease = cases[i].lease;
		give(&b, &m);
		assert_int_equal(b.sent.lease, cases[i].told);
		assert_int_equal(b.sent.t1, cases[i].t1);
		assert_int_equal(b.sent.t2, cases[i].t2);
	}
}

static void use_all(struct bench *b)
{
	struct dhcp4_message m = message(DHCP4_REQUEST);

	m.ciaddr = address;
	give(b, &m);
	name_subnet(&m, 113, 24);
	name_subnet(&m, 114, 24);
	give(b, &m);
	assert_true(b->address && b->subnets);
	b->sends = b->changes = 0;
}

static void release_ends_what_it_names(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	offer_subnet(&b, 113, 24);
	offer_subnet(&b, 114, 24);
	use_all(&b);
	m = message(DHCP4_RELEASE);
	m.server = b.offer.server;
	m.ciaddr = address;
	name_subnet(&m, 113, 24);
	give(&b, &m);
	assert_int_equal(b.changes, 0); /* the other one is still there */
	assert_string_equal(b.note, "not all subnets are released: they stay in use");
	name_subnet(&m, 114, 24);
	give(&b, &m);
	assert_true(b.address && !b.subnets);
	m = message(DHCP4_RELEASE);
	m.server = b.offer.server;
	m.ciaddr = other;
	give(&b, &m);
	m.ciaddr = none;
	give(&b, &m);
	assert_true(b.address);
	assert_int_equal(b.counters.unexpected, 2);
	m.ciaddr = address;
	give(&b, &m);
	assert_false(b.address);
	assert_int_equal(b.changes, 2);
	assert_int_equal(b.sends, 0); /* RELEASE has no answer */
}

static void decline_is_noted(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	offer_subnet(&b, 113, 24);
	offer_subnet(&b, 114, 24);
	use_all(&b);
	m = message(DHCP4_DECLINE);
	m.server = b.offer.server;
	m.requested = other;
	give(&b, &m);
	assert_int_equal(b.counters.unexpected, 1);
	m.requested = none;
	give(&b, &m);
	assert_int_equal(b.counters.unexpected, 2);
	m.requested = address;
	give(&b, &m);
	assert_string_equal(b.note, "the client says that its address is in use by another node");
	assert_true(!b.address && b.subnets);
	assert_int_equal(b.sends, 0);
}

static void what_is_not_for_us_is_dropped(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		struct addr server;
		bool bad_server;
	} cases[] = {
		{"DISCOVER for another server", DHCP4_DISCOVER, {AF_INET, {198, 51, 100, 2}}, true},
		{"REQUEST for another server", DHCP4_REQUEST, {AF_INET, {198, 51, 100, 2}}, true},
		{"INFORM for another server", DHCP4_INFORM, {AF_INET, {198, 51, 100, 2}}, true},
		{"RELEASE for another server", DHCP4_RELEASE, {AF_INET, {198, 51, 100, 2}}, true},
		{"DECLINE for another server", DHCP4_DECLINE, {AF_INET, {198, 51, 100, 2}}, true},
		{"RELEASE for no server", DHCP4_RELEASE, {0}, true},
		{"DECLINE for no server", DHCP4_DECLINE, {0}, true},
		{"OFFER", DHCP4_OFFER, {AF_INET, {198, 51, 100, 1}}, false},
		{"ACK", DHCP4_ACK, {AF_INET, {198, 51, 100, 1}}, false},
		{"NAK", DHCP4_NAK, {AF_INET, {198, 51, 100, 1}}, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dhcp4_message m = message(cases[i].type);
		struct bench b;

		setup(&b);
		offer_subnet(&b, 113, 24);
		offer_subnet(&b, 114, 24);
		use_all(&b);
		m.server = cases[i].server;
		m.ciaddr = m.requested = address;
		give(&b, &m);
		if (b.counters.bad_server != cases[i].bad_server ||
			b.counters.unexpected == cases[i].bad_server || b.sends || b.changes)
			fail_msg("%s", cases[i].name);
	}
}

static void relays_are_not_served(void **state)
{
	uint8_t buf[DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	dhcp4_message_write(&w, &m);
	buf[24] = 10; /* giaddr 10.0.0.0 */
	dhcp4_server_input(&b.server, buf, writer_len(&w), 0);
	assert_int_equal(b.sends, 0);
	assert_int_equal(b.counters.unexpected, 1);
	assert_string_equal(b.note, "message from a relay agent");
	dhcp4_server_input(&b.server, buf, 200, 0);
	assert_int_equal(b.counters.bad_message, 1);
	assert_string_equal(b.note, "shorter than a message");
}

static void without_an_address_of_ours_there_is_no_server(void **state)
{
	struct dhcp4_message m = message(DHCP4_DISCOVER);
	struct bench b;

	setup(&b);
	b.offer.server = none;
	give(&b, &m);
	assert_int_equal(b.sends, 0);
	assert_int_equal(b.counters.refused, 1);
}

/* Section 4.3.2, table 4: only who is RENEWING or REBINDING has ciaddr, and names neither a server nor an address. */
static void renewals_are_told(void **state)
{
	struct dhcp4_message m = message(DHCP4_REQUEST);
	struct bench b;

	setup(&b);
	offer_subnet(&b, 113, 24);
	m.requested = address;
	give(&b, &m); /* INIT-REBOOT */
	m.server = b.offer.server;
	give(&b, &m); /* SELECTING */
	m.requested = none;
	m.ciaddr = address;
	name_subnet(&m, 113, 24);
	give(&b, &m); /* SELECTING, subnets */
	assert_int_equal(b.counters.refused, 0);
	assert_int_equal(b.renewals, 0);
	m.server = none;
	give(&b, &m);
	assert_int_equal(b.renewals, 1);
	m.subnet_information = false;
	give(&b, &m);
	assert_int_equal(b.renewals, 2);
	m.ciaddr = other;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_NAK);
	assert_int_equal(b.renewals, 2);
}

static void note_and_renewed_are_optional(void **state)
{
	struct dhcp4_server_ops silent = ops;
	struct dhcp4_message m = message(DHCP4_REQUEST);
	struct bench b;

	setup(&b);
	silent.note = NULL;
	silent.renewed = NULL;
	b.config.ops = &silent;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_NAK);
	m.ciaddr = address;
	give(&b, &m);
	assert_int_equal(b.sent.type, DHCP4_ACK);
	assert_int_equal(b.renewals, 0);
	assert_int_equal(b.notes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_offered_and_given),
		cmocka_unit_test(subnets_are_offered_and_given_without_an_address),
		cmocka_unit_test(a_query_is_only_answered),
		cmocka_unit_test(what_is_not_theirs_is_refused),
		cmocka_unit_test(subnets_that_are_not_theirs_are_left_out),
		cmocka_unit_test(only_8_to_30_are_given),
		cmocka_unit_test(wishes_that_are_not_met_are_noted),
		cmocka_unit_test(without_subnets_the_address_is_what_is_offered),
		cmocka_unit_test(an_address_of_ipcp_is_confirmed_only),
		cmocka_unit_test(inform_is_answered_without_address_and_lease),
		cmocka_unit_test(nothing_to_give_is_silence),
		cmocka_unit_test(parameters_are_those_that_were_asked_for),
		cmocka_unit_test(what_the_client_says_of_itself_comes_back),
		cmocka_unit_test(rapid_commit_where_it_is_on_and_asked_for),
		cmocka_unit_test(times_go_with_the_lease),
		cmocka_unit_test(release_ends_what_it_names),
		cmocka_unit_test(decline_is_noted),
		cmocka_unit_test(what_is_not_for_us_is_dropped),
		cmocka_unit_test(relays_are_not_served),
		cmocka_unit_test(without_an_address_of_ours_there_is_no_server),
		cmocka_unit_test(renewals_are_told),
		cmocka_unit_test(note_and_renewed_are_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp6/packet: golden bytes laid out by hand from RFC 8415 section 21 and RFC 3646; every refusal by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "dhcp6/packet.h"

/* clang-format off */
static const uint8_t solicit[] = {
	0x01, 0x12, 0x34, 0x56,
	/* Client Identifier: DUID-LL 02:00:00:00:00:02 */
	0x00, 0x01, 0x00, 0x0a, 0x00, 0x03, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02,
	/* Elapsed Time 0 */
	0x00, 0x08, 0x00, 0x02, 0x00, 0x00,
	/* Option Request: DNS, SOL_MAX_RT */
	0x00, 0x06, 0x00, 0x04, 0x00, 0x17, 0x00, 0x52,
	/* Rapid Commit */
	0x00, 0x0e, 0x00, 0x00,
	/* IA_PD 7 with IA Prefix ::/56 */
	0x00, 0x19, 0x00, 0x29, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x1a, 0x00, 0x19, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x38, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t reply[] = {
	0x07, 0x12, 0x34, 0x56,
	/* Client Identifier */
	0x00, 0x01, 0x00, 0x0a, 0x00, 0x03, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02,
	/* Server Identifier: DUID-UUID */
	0x00, 0x02, 0x00, 0x12, 0x00, 0x04, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
	0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
	/* Rapid Commit */
	0x00, 0x0e, 0x00, 0x00,
	/* IA_NA 7, T1 1800, T2 2880: 2001:db8:100::2, preferred 3600, valid 7200 */
	0x00, 0x03, 0x00, 0x28, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x07, 0x08, 0x00, 0x00, 0x0b, 0x40,
	0x00, 0x05, 0x00, 0x18, 0x20, 0x01, 0x0d, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x0e, 0x10, 0x00, 0x00, 0x1c, 0x20,
	/* IA_PD 7, T1 1800, T2 2880: 2001:db8:8000:100::/56, preferred 3600, valid 7200 */
	0x00, 0x19, 0x00, 0x29, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x07, 0x08, 0x00, 0x00, 0x0b, 0x40,
	0x00, 0x1a, 0x00, 0x19, 0x00, 0x00, 0x0e, 0x10, 0x00, 0x00, 0x1c, 0x20, 0x38, 0x20, 0x01, 0x0d,
	0xb8, 0x80, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	/* DNS Recursive Name Server */
	0x00, 0x17, 0x00, 0x20, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x53, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x54,
	/* SOL_MAX_RT 7200 */
	0x00, 0x52, 0x00, 0x04, 0x00, 0x00, 0x1c, 0x20,
};
static const uint8_t advertise[] = {
	0x02, 0x12, 0x34, 0x56,
	/* Client Identifier */
	0x00, 0x01, 0x00, 0x0a, 0x00, 0x03, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02,
	/* Server Identifier */
	0x00, 0x02, 0x00, 0x12, 0x00, 0x04, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
	0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
	/* Preference 255 */
	0x00, 0x07, 0x00, 0x01, 0xff,
	/* IA_PD 7 with Status Code NoPrefixAvail "none" */
	0x00, 0x19, 0x00, 0x16, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x0d, 0x00, 0x06, 0x00, 0x06, 0x6e, 0x6f, 0x6e, 0x65,
};
static const uint8_t information[] = {
	0x0b, 0x12, 0x34, 0x56,
	/* Client Identifier */
	0x00, 0x01, 0x00, 0x0a, 0x00, 0x03, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02,
	/* Elapsed Time 300 ms */
	0x00, 0x08, 0x00, 0x02, 0x00, 0x1e,
	/* Option Request: DNS, Information Refresh Time, INF_MAX_RT */
	0x00, 0x06, 0x00, 0x06, 0x00, 0x17, 0x00, 0x20, 0x00, 0x53,
};

/* Bytes, and the reason for which they are refused. */
static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *why;
} bad[] = {
	{"no bytes at all", "", 0, "shorter than a message"},
	{"three bytes", "\x01\x12\x34", 3, "shorter than a message"},
	{"type 0", "\x00\x12\x34\x56", 4, "unknown message type"},
	{"type 14", "\x0e\x12\x34\x56", 4, "unknown message type"},
	{"type 255", "\xff\x12\x34\x56", 4, "unknown message type"},
	{"Relay-forward", "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 34, "relay message"},
	{"Relay-reply", "\x0d\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 34, "relay message"},
	{"option code only", "\x01\x12\x34\x56\x00\x01", 6, "truncated option header"},
	{"option header of three bytes", "\x01\x12\x34\x56\x00\x01\x00", 7, "truncated option header"},
	{"option longer than the message", "\x01\x12\x34\x56\x00\x01\x00\x0b\x00\x03\x00\x01\x02\x00\x00\x00\x00\x02", 18, "option longer than what holds it"},
	{"unknown option longer than the message", "\x01\x12\x34\x56\xff\xff\xff\xff\x00", 9, "option longer than what holds it"},
	{"Client Identifier of two bytes", "\x01\x12\x34\x56\x00\x01\x00\x02\x00\x03", 10, "bad length of Client Identifier"},
	{"empty Client Identifier", "\x01\x12\x34\x56\x00\x01\x00\x00", 8, "bad length of Client Identifier"},
	{"Client Identifier of 131 bytes", "\x01\x12\x34\x56\x00\x01\x00\x83\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 139, "bad length of Client Identifier"},
	{"Server Identifier of 131 bytes", "\x07\x12\x34\x56\x00\x02\x00\x83\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 139, "bad length of Server Identifier"},
	{"two Client Identifiers", "\x01\x12\x34\x56\x00\x01\x00\x0a\x00\x03\x00\x01\x02\x00\x00\x00\x00\x02\x00\x01\x00\x0a\x00\x03\x00\x01\x02\x00\x00\x00\x00\x02", 32, "option appears twice"},
	{"two Server Identifiers", "\x07\x12\x34\x56\x00\x02\x00\x12\x00\x04\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x00\x02\x00\x12\x00\x04\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f", 48, "option appears twice"},
	{"two Option Requests", "\x01\x12\x34\x56\x00\x06\x00\x02\x00\x17\x00\x06\x00\x02\x00\x17", 16, "option appears twice"},
	{"IA_PD of eleven bytes", "\x01\x12\x34\x56\x00\x19\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 19, "bad length of IA_PD"},
	{"IA_NA of eleven bytes", "\x01\x12\x34\x56\x00\x03\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 19, "bad length of IA_NA"},
	{"IA Prefix of 24 bytes", "\x07\x12\x34\x56\x00\x19\x00\x28\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x00\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 48, "bad length of IA Prefix"},
	{"IA Address of 23 bytes", "\x07\x12\x34\x56\x00\x03\x00\x27\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x17\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 47, "bad length of IA Address"},
	{"IA Prefix longer than its IA_PD", "\x07\x12\x34\x56\x00\x19\x00\x29\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x00\x1a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 49, "option longer than what holds it"},
	{"option header cut in IA_PD", "\x07\x12\x34\x56\x00\x19\x00\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x00", 23, "truncated option header"},
	{"option cut in IA Prefix", "\x07\x12\x34\x56\x00\x19\x00\x2e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x00\x1e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d\x00\x09\x00", 54, "option longer than what holds it"},
	{"prefix length 129", "\x07\x12\x34\x56\x00\x19\x00\x29\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x00\x19\x00\x00\x00\x00\x00\x00\x00\x00\x81\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 49, "prefix length over 128"},
	{"Status Code of one byte", "\x07\x12\x34\x56\x00\x0d\x00\x01\x00", 9, "bad length of Status Code"},
	{"Status Code of one byte in IA_PD", "\x07\x12\x34\x56\x00\x19\x00\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d\x00\x01\x00", 25, "bad length of Status Code"},
	{"Status Code of one byte in IA Prefix", "\x07\x12\x34\x56\x00\x19\x00\x2e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x00\x1e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d\x00\x01\x00", 54, "bad length of Status Code"},
	{"two Status Codes in IA_NA", "\x07\x12\x34\x56\x00\x03\x00\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d\x00\x02\x00\x00\x00\x0d\x00\x02\x00\x00", 32, "option appears twice"},
	{"odd Option Request", "\x01\x12\x34\x56\x00\x06\x00\x03\x00\x17\x00", 11, "bad length of Option Request"},
	{"Preference of two bytes", "\x02\x12\x34\x56\x00\x07\x00\x02\x00\x00", 10, "bad length of Preference"},
	{"Elapsed Time of four bytes", "\x01\x12\x34\x56\x00\x08\x00\x04\x00\x00\x00\x00", 12, "bad length of Elapsed Time"},
	{"Rapid Commit with a value", "\x01\x12\x34\x56\x00\x0e\x00\x01\x00", 9, "bad length of Rapid Commit"},
	{"DNS of fifteen bytes", "\x07\x12\x34\x56\x00\x17\x00\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 23, "bad length of DNS Recursive Name Server"},
	{"DNS of seventeen bytes", "\x07\x12\x34\x56\x00\x17\x00\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 25, "bad length of DNS Recursive Name Server"},
	{"refresh time of two bytes", "\x07\x12\x34\x56\x00\x20\x00\x02\x00\x00", 10, "bad length of Information Refresh Time"},
	{"SOL_MAX_RT of eight bytes", "\x07\x12\x34\x56\x00\x52\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00", 16, "bad length of SOL_MAX_RT"},
	{"IA_PD in an Information-request", "\x0b\x12\x34\x56\x00\x19\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20, "IA in an Information-request"},
	{"IA_NA in an Information-request", "\x0b\x12\x34\x56\x00\x03\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20, "IA in an Information-request"},
};
/* clang-format on */

static const uint8_t client_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 2};
static const uint8_t server_duid[] = {
	0, 4, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};

static struct prefix prefix(const char *text)
{
	struct prefix p = {0};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct dhcp6_message decode(const void *data, size_t len)
{
	struct dhcp6_message m = {0};
	const char *why = "";

	if (dhcp6_message_read(data, len, &m, &why))
		fail_msg("%s", why);
	return m;
}

static void reads_a_solicit(void **state)
{
	struct dhcp6_message m = decode(solicit, sizeof(solicit));
	struct prefix hint = prefix("::/56");

	(void)state;
	assert_int_equal(m.type, DHCP6_SOLICIT);
	assert_int_equal(m.xid, 0x123456);
	assert_true(dhcp6_duid_equal(&m.client, client_duid, sizeof(client_duid)));
	assert_int_equal(m.server.len, 0);
	assert_true(m.rapid_commit);
	assert_true(m.wants_dns);
	assert_true(m.wants_sol_max_rt);
	assert_false(m.wants_refresh);
	assert_int_equal(m.status, DHCP6_NO_STATUS);
	assert_int_equal(m.ia_count, 1);
	assert_true(m.ias[0].pd);
	assert_int_equal(m.ias[0].iaid, 7);
	assert_int_equal(m.ias[0].status, DHCP6_NO_STATUS);
	assert_int_equal(m.ias[0].prefix_count, 1);
	assert_true(prefix_equal(&m.ias[0].prefixes[0].prefix, &hint));
}

/* proves: HS-DHCP-6 partial */
static void reads_a_reply_with_all_that_it_grants(void **state)
{
	struct dhcp6_message m = decode(reply, sizeof(reply));
	struct prefix pd = prefix("2001:db8:8000:100::/56"), na = prefix("2001:db8:100::2/128");
	struct addr dns = address("2001:db8::54");

	(void)state;
	assert_int_equal(m.type, DHCP6_REPLY);
	assert_true(dhcp6_duid_equal(&m.server, server_duid, sizeof(server_duid)));
	assert_int_equal(m.ia_count, 2);
	assert_false(m.ias[0].pd);
	assert_int_equal(m.ias[0].t1, 1800);
	assert_int_equal(m.ias[0].t2, 2880);
	assert_true(prefix_equal(&m.ias[0].prefixes[0].prefix, &na));
	assert_true(m.ias[1].pd);
	assert_true(prefix_equal(&m.ias[1].prefixes[0].prefix, &pd));
	assert_int_equal(m.ias[1].prefixes[0].preferred, 3600);
	assert_int_equal(m.ias[1].prefixes[0].valid, 7200);
	assert_int_equal(m.ias[1].prefixes[0].status, DHCP6_NO_STATUS);
	assert_int_equal(m.dns_count, 2);
	assert_true(addr_equal(&m.dns[1], &dns));
	assert_int_equal(m.sol_max_rt, 7200);
}

static void reads_an_advertise_that_has_no_prefix(void **state)
{
	struct dhcp6_message m = decode(advertise, sizeof(advertise));

	(void)state;
	assert_true(m.has_preference);
	assert_int_equal(m.preference, 255);
	assert_int_equal(m.ias[0].status, DHCP6_NO_PREFIX);
	assert_string_equal(m.ias[0].status_text, "none");
	assert_int_equal(m.ias[0].prefix_count, 0);
}

static void reads_an_information_request(void **state)
{
	struct dhcp6_message m = decode(information, sizeof(information));

	(void)state;
	assert_int_equal(m.elapsed, 30);
	assert_true(m.wants_dns);
	assert_true(m.wants_refresh);
	assert_true(m.wants_inf_max_rt);
	assert_false(m.wants_sol_max_rt);
}

static void writes_the_golden_bytes(void **state)
{
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} all[] = {{solicit, sizeof(solicit)}, {reply, sizeof(reply)}, {advertise, sizeof(advertise)},
		{information, sizeof(information)}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct dhcp6_message m = decode(all[i].bytes, all[i].len);
		uint8_t buf[DHCP6_MESSAGE_MAX];
		struct writer w = writer_of(buf, sizeof(buf));

		dhcp6_message_write(&w, &m);
		assert_int_equal(writer_len(&w), all[i].len);
		assert_memory_equal(buf, all[i].bytes, all[i].len);
		for (size_t size = 0; size < all[i].len; size++) {
			w = writer_of(buf, size);
			dhcp6_message_write(&w, &m);
			assert_false(writer_ok(&w));
		}
	}
}

static void the_largest_message_fits_and_survives_the_round_trip(void **state)
{
	uint8_t duid[DHCP6_DUID_MAX], buf[DHCP6_MESSAGE_MAX], again[DHCP6_MESSAGE_MAX];
	struct dhcp6_message m, read;
	struct writer w = writer_of(buf, sizeof(buf));

	(void)state;
	memset(duid, 0xab, sizeof(duid));
	dhcp6_message_init(&m, DHCP6_REPLY, 0xffffff);
	m.client = m.server = (struct dhcp6_duid){duid, sizeof(duid)};
	m.rapid_commit = true;
	m.status = DHCP6_UNSPEC_FAIL;
	memset(m.status_text, 'x', sizeof(m.status_text) - 1);
	for (unsigned i = 0; i < DHCP6_IA_MAX; i++) {
		struct dhcp6_ia *ia = dhcp6_message_add_ia(&m, i % 2, i);

		ia->t1 = DHCP6_INFINITE;
		ia->status = DHCP6_NO_PREFIX;
		memset(ia->status_text, 'y', sizeof(ia->status_text) - 1);
		ia->prefix_count = DHCP6_PREFIX_MAX;
		for (unsigned k = 0; k < DHCP6_PREFIX_MAX; k++)
			ia->prefixes[k] =
				(struct dhcp6_prefix){prefix(i % 2 ? "2001:db8::/48" : "2001:db8::1/128"), k,
					DHCP6_INFINITE, DHCP6_NO_STATUS};
	}
	assert_null(dhcp6_message_add_ia(&m, true, 99));
	m.dns_count = DHCP6_DNS_MAX;
	for (unsigned i = 0; i < DHCP6_DNS_MAX; i++)
		m.dns[i] = address("2001:db8::53");
	m.refresh = 600;
	m.sol_max_rt = 60;
	m.inf_max_rt = 86400;
	dhcp6_message_write(&w, &m);
	assert_true(writer_ok(&w));
	read = decode(buf, writer_len(&w));
	assert_memory_equal(read.ias, m.ias, sizeof(m.ias));
	assert_memory_equal(read.dns, m.dns, sizeof(m.dns));
	assert_string_equal(read.status_text, m.status_text);
	assert_int_equal(read.inf_max_rt, 86400);
	struct writer w2 = writer_of(again, sizeof(again));

	dhcp6_message_write(&w2, &read);
	assert_int_equal(writer_len(&w2), writer_len(&w));
	assert_memory_equal(again, buf, writer_len(&w));
}

static void refuses_malformed_messages_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dhcp6_message m;
		const char *why = NULL;

		memset(&m, 0x5a, sizeof(m));
		if (dhcp6_message_read(bad[i].bytes, bad[i].len, &m, &why) != -EBADMSG)
			fail_msg("%s: not refused", bad[i].name);
		if (strcmp(why, bad[i].why) != 0)
			fail_msg("%s: %s", bad[i].name, why);
		assert_int_equal(m.type, 0x5a); /* the output is untouched */
	}
}

static void refuses_every_truncation_that_cuts_an_option(void **state)
{
	static const size_t whole[] = {4, 18, 40, 44, 88, 133, 169, 177}; /* after each option of REPLY */

	(void)state;
	for (size_t len = 0, next = 0; len <= sizeof(reply); len++) {
		struct dhcp6_message m;
		const char *why = NULL;
		int err = dhcp6_message_read(reply, len, &m, &why);

		if (len == whole[next])
			assert_int_equal((next++, err), 0);
		else
			assert_int_equal(err, -EBADMSG);
	}
}

static void skips_what_it_does_not_know_or_what_does_not_belong(void **state)
{
	static const uint8_t extra[] = {
		0x12, 0x34, 0, 3, 1, 2, 3, /* unknown */
		0, 7, 0, 1, 9,             /* Preference in a Solicit */
		0, 82, 0, 4, 0, 0, 1, 0,   /* SOL_MAX_RT in a Solicit */
		0, 4, 0, 0,                /* IA_TA, even a broken one */
	};
	struct dhcp6_message plain = decode(solicit, sizeof(solicit)), m;
	uint8_t buf[sizeof(solicit) + sizeof(extra)];

	(void)state;
	memcpy(buf, solicit, sizeof(solicit));
	memcpy(buf + sizeof(solicit), extra, sizeof(extra));
	m = decode(buf, sizeof(buf));
	m.client.data = plain.client.data;
	assert_memory_equal(&m, &plain, sizeof(m));
}

static void a_second_ia_with_the_same_iaid_does_not_count(void **state)
{
	uint8_t buf[sizeof(solicit) + 16] = {0};
	struct dhcp6_message m;

	(void)state;
	memcpy(buf, solicit, sizeof(solicit));
	memcpy(buf + sizeof(solicit), "\0\x19\0\x0c\0\0\0\7", 8);
	m = decode(buf, sizeof(buf));
	assert_int_equal(m.ia_count, 1);
	buf[sizeof(solicit) + 7] = 8;
	m = decode(buf, sizeof(buf));
	assert_int_equal(m.ia_count, 2);
	buf[sizeof(solicit) + 7] = 7; /* but IA_NA and IA_PD count apart */
	buf[sizeof(solicit) + 1] = 3;
	m = decode(buf, sizeof(buf));
	assert_int_equal(m.ia_count, 2);
}

static void what_does_not_fit_is_ignored(void **state)
{
	uint8_t buf[4 + 6 * 16] = {DHCP6_REQUEST, 0, 0, 1};
	uint8_t many[4 + 16 + 6 * 29] = {DHCP6_REPLY, 0, 0, 1, 0, 25, 0, 12 + 6 * 29};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		memcpy(buf + 4 + 16 * i, "\0\x19\0\x0c\0\0\0", 7);
		buf[4 + 16 * i + 7] = (uint8_t)i;
		memcpy(many + 20 + 29 * i, "\0\x1a\0\x19", 4);
		many[20 + 29 * i + 12] = 64;
	}
	assert_int_equal(decode(buf, sizeof(buf)).ia_count, DHCP6_IA_MAX);
	assert_int_equal(decode(many, sizeof(many)).ias[0].prefix_count, DHCP6_PREFIX_MAX);
}

static void values_out_of_range_are_as_if_absent(void **state)
{
	uint8_t buf[sizeof(reply)];

	(void)state;
	memcpy(buf, reply, sizeof(reply));
	memcpy(buf + sizeof(reply) - 4, "\0\0\0\x3b", 4); /* SOL_MAX_RT 59 */
	assert_int_equal(decode(buf, sizeof(buf)).sol_max_rt, 0);
	memcpy(buf + sizeof(reply) - 4, "\0\1\x51\x81", 4); /* 86401 */
	assert_int_equal(decode(buf, sizeof(buf)).sol_max_rt, 0);
	memset(buf + sizeof(reply) - 8 - 32, 0xff, 16); /* a multicast DNS server */
	assert_int_equal(decode(buf, sizeof(buf)).dns_count, 1);
}

static void an_unassigned_status_is_a_failure(void **state)
{
	static const uint8_t bytes[] = {DHCP6_REPLY, 0, 0, 1, 0, 13, 0, 2, 0xff, 0xff};

	(void)state;
	assert_int_equal(decode(bytes, sizeof(bytes)).status, DHCP6_UNSPEC_FAIL);
}

static void a_long_status_text_is_cut(void **state)
{
	uint8_t buf[4 + 6 + 300] = {DHCP6_REPLY, 0, 0, 1, 0, 13, 302 >> 8, 302 & 255, 0, 1};
	struct dhcp6_message m;

	(void)state;
	memset(buf + 10, 'z', 300);
	m = decode(buf, sizeof(buf));
	assert_int_equal(m.status, DHCP6_UNSPEC_FAIL);
	assert_int_equal(strlen(m.status_text), DHCP6_TEXT_MAX - 1);
}

static void prints_one_line_and_never_beyond_its_buffer(void **state)
{
	char line[512], tiny[8];

	(void)state;
	dhcp6_packet_print(reply, sizeof(reply), line, sizeof(line));
	assert_string_equal(line, "Reply xid 123456 client 00030001020000000002 server "
				  "0004101112131415161718191a1b1c1d1e1f rapid-commit IA_NA 7 T1 1800 T2 2880 "
				  "2001:db8:100::2/128 (3600/7200) IA_PD 7 T1 1800 T2 2880 "
				  "2001:db8:8000:100::/56 (3600/7200) dns 2001:db8::53 dns 2001:db8::54");
	dhcp6_packet_print(advertise, sizeof(advertise), line, sizeof(line));
	assert_non_null(strstr(line, "NoPrefixAvail"));
	dhcp6_packet_print(reply, 10, line, sizeof(line));
	assert_string_equal(line, "Reply 10 bytes malformed: option longer than what holds it");
	for (size_t size = 0; size <= sizeof(tiny); size++) {
		memset(tiny, '#', sizeof(tiny));
		dhcp6_packet_print(reply, sizeof(reply), tiny, size);
		for (size_t i = size; i < sizeof(tiny); i++)
			assert_int_equal(tiny[i], '#');
	}
}

static void names_are_never_null(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		assert_non_null(dhcp6_type_name((uint8_t)i));
		assert_non_null(dhcp6_status_name((uint16_t)(i * 257)));
	}
	assert_string_equal(dhcp6_type_name(DHCP6_INFORMATION_REQUEST), "Information-request");
	assert_string_equal(dhcp6_status_name(DHCP6_NO_PREFIX), "NoPrefixAvail");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_solicit),
		cmocka_unit_test(reads_a_reply_with_all_that_it_grants),
		cmocka_unit_test(reads_an_advertise_that_has_no_prefix),
		cmocka_unit_test(reads_an_information_request),
		cmocka_unit_test(writes_the_golden_bytes),
		cmocka_unit_test(the_largest_message_fits_and_survives_the_round_trip),
		cmocka_unit_test(refuses_malformed_messages_with_the_reason),
		cmocka_unit_test(refuses_every_truncation_that_cuts_an_option),
		cmocka_unit_test(skips_what_it_does_not_know_or_what_does_not_belong),
		cmocka_unit_test(a_second_ia_with_the_same_iaid_does_not_count),
		cmocka_unit_test(what_does_not_fit_is_ignored),
		cmocka_unit_test(values_out_of_range_are_as_if_absent),
		cmocka_unit_test(an_unassigned_status_is_a_failure),
		cmocka_unit_test(a_long_status_text_is_cut),
		cmocka_unit_test(prints_one_line_and_never_beyond_its_buffer),
		cmocka_unit_test(names_are_never_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

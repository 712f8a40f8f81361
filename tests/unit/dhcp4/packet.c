/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp4/packet: golden bytes laid out by hand from RFC 2131, RFC 2132 and the examples of RFC 6656; every refusal by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "dhcp4/packet.h"
#include "lib/rng.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* clang-format off */
#define COOKIE [236] = 0x63, 0x82, 0x53, 0x63
#define SERIAL 20, 0, 0

static const uint8_t discover[300] = {
	1, SERIAL, 0x12, 0x34, 0x56, 0x78, 0, 7, 0x80, 0, COOKIE,
	53, 1, 1,
	/* Client Identifier: type 255, IAID 1, DUID-LL 02:00:00:00:00:02 */
	61, 15, 255, 0, 0, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0, 2,
	50, 4, 198, 51, 100, 7,
	/* Parameter Request List: mask, router, DNS, MTU */
	55, 4, 1, 3, 6, 26,
	80, 0,
	255,
};
/* A router asks for a /28 and names what it had: h = 1, i = 1, c = s = 0. */
static const uint8_t discover_subnet[300] = {
	1, SERIAL, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 1,
	61, 2, 255, 1,
	55, 2, 6, 220,
	220, 15, 0, 1, 2, 0x03, 28, 2, 8, 0x00, 203, 0, 113, 16, 28, 0x02, 0,
	255,
};
static const uint8_t ack[300] = {
	2, SERIAL, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 5,
	54, 4, 198, 51, 100, 1,
	51, 4, 0, 0, 0x0e, 0x10, /* 3600 s */
	58, 4, 0, 0, 0x07, 0x08, /* 1800 s */
	59, 4, 0, 0, 0x0c, 0x4e, /* 3150 s */
	1, 4, 255, 255, 255, 255,
	3, 4, 198, 51, 100, 1,
	6, 8, 192, 0, 2, 53, 192, 0, 2, 54,
	26, 2, 0x05, 0x78, /* 1400 */
	255,
};
/* Two subnets, the second to be given up, and there is more: c = 1, s = 1. */
static const uint8_t offer_subnets[300] = {
	2, SERIAL, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 2,
	54, 4, 198, 51, 100, 1,
	51, 4, 255, 255, 255, 255,
	220, 18, 0, 2, 15, 0x03, 10, 0, 2, 0, 24, 0x02, 0, 10, 0, 3, 0, 28, 0x03, 0,
	255,
};
static const uint8_t nak[300] = {
	2, SERIAL, 0x12, 0x34, 0x56, 0x78, 0, 0, 0x80, 0, COOKIE,
	53, 1, 6,
	54, 4, 198, 51, 100, 1,
	56, 3, 'n', 'o', '!',
	255,
};

/* Options of a BOOTREQUEST, and the reason for which it is refused. */
static const struct {
	const char *name, *options;
	size_t len;
	const char *why;
} bad[] = {
#define O(bytes) bytes, sizeof(bytes) - 1
	{"no options", O(""), "no message type"},
	{"nothing but pads", O("\0\0\0\0"), "no message type"},
	{"BOOTP: the end at once", O("\xff"), "no message type"},
	{"type behind the end", O("\xff\x35\x01\x01"), "no message type"},
	{"an option code only", O("\x35"), "truncated option header"},
	{"an option longer than the message", O("\x35\x02\x01"), "option longer than what holds it"},
	{"an unknown option longer than the message", O("\x35\x01\x01\xfa\x09\x00"), "option longer than what holds it"},
	{"empty type", O("\x35\x00\xff"), "bad length of DHCP Message Type"},
	{"type of two bytes", O("\x35\x02\x01\x01\xff"), "bad length of DHCP Message Type"},
	{"two types", O("\x35\x01\x01\x35\x01\x01\xff"), "bad length of DHCP Message Type"},
	{"type 0", O("\x35\x01\x00\xff"), "unknown message type"},
	{"type 9", O("\x35\x01\x09\xff"), "unknown message type"},
	{"type 255", O("\x35\x01\xff\xff"), "unknown message type"},
	{"an offer from a client", O("\x35\x01\x02\xff"), "op does not fit the message type"},
	{"an ACK from a client", O("\x35\x01\x05\xff"), "op does not fit the message type"},
	{"mask of three bytes", O("\x35\x01\x01\x01\x03\xff\xff\xff\xff"), "bad length of Subnet Mask"},
	{"mask with a hole", O("\x35\x01\x01\x01\x04\xff\xff\x00\xff\xff"), "mask with a hole"},
	{"mask upside down", O("\x35\x01\x01\x01\x04\x00\xff\xff\xff\xff"), "mask with a hole"},
	{"no router in it", O("\x35\x01\x01\x03\x00\xff"), "bad length of Router"},
	{"router of five bytes", O("\x35\x01\x01\x03\x05\x01\x02\x03\x04\x05\xff"), "bad length of Router"},
	{"DNS of three bytes", O("\x35\x01\x01\x06\x03\x01\x02\x03\xff"), "bad length of Domain Name Server"},
	{"MTU of one byte", O("\x35\x01\x01\x1a\x01\x05\xff"), "bad length of Interface MTU"},
	{"MTU of four bytes", O("\x35\x01\x01\x1a\x04\x00\x00\x05\x00\xff"), "bad length of Interface MTU"},
	{"requested address of three bytes", O("\x35\x01\x01\x32\x03\x01\x02\x03\xff"), "bad length of Requested IP Address"},
	{"requested address of sixteen bytes", O("\x35\x01\x01\x32\x10" "0123456789abcdef\xff"), "bad length of Requested IP Address"},
	{"lease of two bytes", O("\x35\x01\x01\x33\x02\x01\x02\xff"), "bad length of IP Address Lease Time"},
	{"two leases", O("\x35\x01\x01\x33\x04\0\0\0\x09\x33\x04\0\0\0\x09\xff"), "bad length of IP Address Lease Time"},
	{"server of eight bytes", O("\x35\x01\x01\x36\x08\x01\x02\x03\x04\x01\x02\x03\x04\xff"), "bad length of Server Identifier"},
	{"empty Parameter Request List", O("\x35\x01\x01\x37\x00\xff"), "bad length of Parameter Request List"},
	{"empty Message", O("\x35\x01\x01\x38\x00\xff"), "bad length of Message"},
	{"maximum size of one byte", O("\x35\x01\x01\x39\x01\x02\xff"), "bad length of Maximum DHCP Message Size"},
	{"T1 of three bytes", O("\x35\x01\x01\x3a\x03\x01\x02\x03\xff"), "bad length of Renewal (T1) Time Value"},
	{"T2 of five bytes", O("\x35\x01\x01\x3b\x05\x01\x02\x03\x04\x05\xff"), "bad length of Rebinding (T2) Time Value"},
	{"Client Identifier of one byte", O("\x35\x01\x01\x3d\x01\xff\xff"), "bad length of Client Identifier"},
	{"Rapid Commit with a value", O("\x35\x01\x01\x50\x01\x00\xff"), "bad length of Rapid Commit"},
	{"Overload of two bytes", O("\x35\x01\x01\x34\x02\x01\x01\xff"), "bad length of Option Overload"},
	{"Overload 0", O("\x35\x01\x01\x34\x01\x00\xff"), "Option Overload is not 1 to 3"},
	{"Overload 4", O("\x35\x01\x01\x34\x01\x04\xff"), "Option Overload is not 1 to 3"},
	{"empty Subnet Allocation", O("\x35\x01\x01\xdc\x00\xff"), "bad length of Subnet Allocation"},
	{"suboption code only", O("\x35\x01\x01\xdc\x02\x00\x01\xff"), "truncated suboption header"},
	{"suboption longer than its option", O("\x35\x01\x01\xdc\x04\x00\x01\x02\x01\xff"), "suboption longer than what holds it"},
	{"unknown suboption longer than its option", O("\x35\x01\x01\xdc\x04\x00\x09\x09\x01\xff"), "suboption longer than what holds it"},
	{"Subnet-Request of one byte", O("\x35\x01\x01\xdc\x04\x00\x01\x01\x01\xff"), "bad length of Subnet-Request"},
	{"Subnet-Request of three bytes", O("\x35\x01\x01\xdc\x06\x00\x01\x03\x01\x18\x00\xff"), "bad length of Subnet-Request"},
	{"Subnet-Request for a /31", O("\x35\x01\x01\xdc\x05\x00\x01\x02\x01\x1f\xff"), "Subnet-Request for a prefix longer than 30"},
	{"Subnet-Request for a /255", O("\x35\x01\x01\xdc\x05\x00\x01\x02\x01\xff\xff"), "Subnet-Request for a prefix longer than 30"},
	{"a second Subnet-Request for a /31", O("\x35\x01\x01\xdc\x09\x00\x01\x02\x01\x18\x01\x02\x01\x1f\xff"), "Subnet-Request for a prefix longer than 30"},
	{"empty Subnet-Information", O("\x35\x01\x01\xdc\x03\x00\x02\x00\xff"), "bad length of Subnet-Information"},
	{"Subnet-Information of seven bytes", O("\x35\x01\x01\xdc\x0a\x00\x02\x07\x00\x0a\x00\x01\x00\x18\x02\xff"), "bad length of Subnet-Information"},
	{"subnet with a part of another", O("\x35\x01\x01\xdc\x0e\x00\x02\x0b\x00\x0a\x00\x01\x00\x18\x02\x00\x0a\x00\x02\xff"), "truncated subnet"},
	{"statistics beyond the suboption", O("\x35\x01\x01\xdc\x0b\x00\x02\x08\x00\x0a\x00\x01\x00\x18\x02\x01\xff"), "truncated subnet"},
	{"subnet /0", O("\x35\x01\x01\xdc\x0b\x00\x02\x08\x00\x00\x00\x00\x00\x00\x02\x00\xff"), "subnet whose length is not 1 to 30"},
	{"subnet /31", O("\x35\x01\x01\xdc\x0b\x00\x02\x08\x00\x0a\x00\x01\x00\x1f\x02\x00\xff"), "subnet whose length is not 1 to 30"},
	{"subnet /32", O("\x35\x01\x01\xdc\x0b\x00\x02\x08\x00\x0a\x00\x01\x00\x20\x02\x00\xff"), "subnet whose length is not 1 to 30"},
	{"subnet /200", O("\x35\x01\x01\xdc\x0b\x00\x02\x08\x00\x0a\x00\x01\x00\xc8\x02\x00\xff"), "subnet whose length is not 1 to 30"},
	{"subnet with host bits", O("\x35\x01\x01\xdc\x0b\x00\x02\x08\x00\x0a\x00\x01\x01\x18\x02\x00\xff"), "subnet with host bits"},
	{"a third subnet with host bits", O("\x35\x01\x01\xdc\x19\x00\x02\x16\x00\x0a\x00\x01\x00\x18\x02\x00\x0a\x00\x02\x00\x18\x02\x00\x0a\x00\x03\x01\x18\x02\x00\xff"), "subnet with host bits"},
#undef O
};
/* clang-format on */

/* A message without options: MESSAGE_LEN bytes, OP first. */
enum { FIXED = 240 };
static void fixed_part(uint8_t buf[FIXED], uint8_t op)
{
	memcpy(buf, discover, FIXED);
	buf[0] = op;
}

static int read_options(
	uint8_t op, const void *options, size_t len, struct dhcp4_message *m, const char **why)
{
	uint8_t buf[FIXED + 600];

	fixed_part(buf, op);
	assert_true(len <= 600);
	memcpy(buf + FIXED, options, len);
	return dhcp4_message_read(buf, FIXED + len, m, why);
}

static void assert_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_TEXT];

	assert_string_equal(addr_print(a, buf), text);
}

static void assert_subnet(const struct dhcp4_subnet *s, const char *text, bool h, bool d)
{
	char buf[PREFIX_TEXT];

	assert_string_equal(prefix_print(&s->prefix, buf), text);
	assert_int_equal(s->hierarchical, h);
	assert_int_equal(s->deprecated, d);
}

static void read_golden(const uint8_t bytes[300], struct dhcp4_message *m)
{
	const char *why = NULL;

	if (dhcp4_message_read(bytes, 300, m, &why))
		fail_msg("%s", why);
}

static void assert_written(const struct dhcp4_message *m, const uint8_t bytes[300])
{
	uint8_t buf[DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp4_message_write(&w, m);
	assert_true(writer_ok(&w));
	assert_int_equal(writer_len(&w), 300);
	assert_memory_equal(buf, bytes, 300);
}

static void discover_is_read_and_written(void **state)
{
	static const uint8_t client_id[] = {255, 0, 0, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0, 2};
	struct dhcp4_message m;

	read_golden(discover, &m);
	assert_int_equal(m.type, DHCP4_DISCOVER);
	assert_false(m.reply);
	assert_int_equal(m.htype, DHCP4_HTYPE_SERIAL);
	assert_int_equal(m.hlen, 0);
	assert_int_equal(m.xid, 0x12345678);
	assert_int_equal(m.secs, 7);
	assert_true(m.broadcast && m.rapid_commit && !m.relayed);
	assert_true(addr_is_none(&m.ciaddr) && addr_is_none(&m.yiaddr) && addr_is_none(&m.server));
	assert_addr(&m.requested, "198.51.100.7");
	assert_int_equal(m.client_id_len, sizeof(client_id));
	assert_memory_equal(m.client_id, client_id, sizeof(client_id));
	assert_true(m.parameters && m.wants_dns && m.wants_mtu && m.wants_router && !m.wants_subnet);
	assert_false(m.subnet_request || m.subnet_information);
	assert_written(&m, discover);
}

static void ack_is_read_and_written(void **state)
{
	struct dhcp4_message m;

	read_golden(ack, &m);
	assert_int_equal(m.type, DHCP4_ACK);
	assert_true(m.reply && !m.broadcast && !m.parameters);
	assert_addr(&m.yiaddr, "198.51.100.7");
	assert_addr(&m.server, "198.51.100.1");
	assert_addr(&m.router, "198.51.100.1");
	assert_int_equal(m.mask_len, 32);
	assert_int_equal(m.lease, 3600);
	assert_int_equal(m.t1, 1800);
	assert_int_equal(m.t2, 3150);
	assert_int_equal(m.mtu, 1400);
	assert_int_equal(m.dns_count, 2);
	assert_addr(&m.dns[0], "192.0.2.53");
	assert_addr(&m.dns[1], "192.0.2.54");
	assert_written(&m, ack);
}

static void nak_is_read_and_written(void **state)
{
	struct dhcp4_message m;

	read_golden(nak, &m);
	assert_int_equal(m.type, DHCP4_NAK);
	assert_string_equal(m.text, "no!");
	assert_written(&m, nak);
}

static void subnet_bits_are_read_and_written(void **state)
{
	struct dhcp4_message m;

	read_golden(discover_subnet, &m);
	assert_true(m.subnet_request && m.request_hierarchical && m.request_information && m.wants_subnet);
	assert_int_equal(m.request_len, 28);
	assert_true(m.subnet_information && !m.information_c && !m.information_s);
	assert_int_equal(m.subnet_count, 1);
	assert_subnet(&m.subnets[0], "203.0.113.16/28", true, false);
	assert_written(&m, discover_subnet);

	read_golden(offer_subnets, &m);
	assert_true(!m.subnet_request && m.subnet_information && m.information_c && m.information_s);
	assert_true(addr_is_none(&m.yiaddr));
	assert_int_equal(m.lease, DHCP4_INFINITE);
	assert_int_equal(m.subnet_count, 2);
	assert_subnet(&m.subnets[0], "10.0.2.0/24", true, false);
	assert_subnet(&m.subnets[1], "10.0.3.0/28", true, true);
	assert_written(&m, offer_subnets);
}

/* Each bit by itself, as the drawings of RFC 6656 sections 3.1, 3.2 and 3.2.1 have them. */
static void each_subnet_bit_has_its_place(void **state)
{
	uint8_t options[] = {53, 1, 1, 220, 15, 0, 1, 2, 0, 0, 2, 8, 0, 10, 0, 0, 0, 8, 0, 0, 255};
	struct dhcp4_message m;
	const char *why;

	for (unsigned bit = 0; bit < 8; bit++) {
		options[8] = options[12] = options[18] = (uint8_t)(1 << bit);
		assert_int_equal(read_options(1, options, sizeof(options), &m, &why), 0);
		assert_int_equal(m.request_hierarchical, bit == 0);
		assert_int_equal(m.request_information, bit == 1);
		assert_int_equal(m.information_s, bit == 0);
		assert_int_equal(m.information_c, bit == 1);
		assert_int_equal(m.subnets[0].deprecated, bit == 0);
		assert_int_equal(m.subnets[0].hierarchical, bit == 1);
	}
}

/* RFC 6656 section 8.2: the renewal that reports usage. */
static void statistics_are_skipped(void **state)
{
	static const uint8_t options[] = {53, 1, 3, 220, 24, 0, 2, 21, 0, 10, 0, 2, 0, 24, 0, 6, 0, 10, 0, 7,
		0, 2, 10, 1, 0, 0, 16, 2, 0, 255};
	struct dhcp4_message m;
	const char *why;

	assert_int_equal(read_options(1, options, sizeof(options), &m, &why), 0);
	assert_int_equal(m.subnet_count, 2);
	assert_subnet(&m.subnets[0], "10.0.2.0/24", false, false);
	assert_subnet(&m.subnets[1], "10.1.0.0/16", true, false);
}

/* RFC 6656 section 4.1 allows it, and section 3.1 forbids to join them. */
static void several_subnet_options_are_read_one_by_one(void **state)
{
	static const uint8_t options[] = {53, 1, 1, 220, 5, 0, 1, 2, 1, 24, 220, 11, 0, 2, 8, 1, 10, 0, 1, 0,
		24, 2, 0, 220, 24, 0, 3, 1, 'x', 2, 8, 2, 10, 0, 2, 0, 24, 2, 0, 2, 8, 0, 10, 0, 3, 0, 24, 2,
		0, 255};
	struct dhcp4_message m;
	const char *why = NULL;

	if (read_options(1, options, sizeof(options), &m, &why))
		fail_msg("%s", why);
	assert_true(m.subnet_request);
	assert_int_equal(m.request_len, 24);
	assert_int_equal(m.subnet_count, 2); /* more than fit are ignored */
	assert_subnet(&m.subnets[0], "10.0.1.0/24", true, false);
	assert_subnet(&m.subnets[1], "10.0.2.0/24", true, false);
	assert_false(m.information_c || m.information_s); /* those of the last */
}

static void options_in_parts_are_joined(void **state)
{
	static const uint8_t options[] = {53, 1, 5, 6, 3, 192, 0, 2, 51, 2, 0, 0, 6, 5, 1, 192, 0, 2, 2, 51,
		2, 0x0e, 0x10, 3, 4, 10, 0, 0, 1, 3, 4, 10, 0, 0, 2, 255};
	struct dhcp4_message m;
	const char *why = NULL;

	if (read_options(2, options, sizeof(options), &m, &why))
		fail_msg("%s", why);
	assert_int_equal(m.dns_count, 2);
	assert_addr(&m.dns[0], "192.0.2.1");
	assert_addr(&m.dns[1], "192.0.2.2");
	assert_int_equal(m.lease, 3600);
	assert_addr(&m.router, "10.0.0.1");
}

static void options_overflow_into_file_and_then_sname(void **state)
{
	static const uint8_t options[] = {52, 1, 3, 6, 2, 192, 0, 255},
			     file[] = {0, 53, 1, 5, 6, 2, 2, 1, 255},
			     sname[] = {6, 4, 192, 0, 2, 2, 51, 4, 0, 0, 0, 60, 255};
	struct dhcp4_message m;
	uint8_t buf[FIXED + sizeof(options)];
	const char *why = NULL;

	fixed_part(buf, 2);
	memcpy(buf + 44, sname, sizeof(sname));
	memcpy(buf + 108, file, sizeof(file));
	memcpy(buf + FIXED, options, sizeof(options));
	if (dhcp4_message_read(buf, sizeof(buf), &m, &why))
		fail_msg("%s", why);
	assert_int_equal(m.type, DHCP4_ACK);
	assert_int_equal(m.dns_count, 2);
	assert_addr(&m.dns[0], "192.0.2.1"); /* file before sname: RFC 3396 section 5 */
	assert_addr(&m.dns[1], "192.0.2.2");
	assert_int_equal(m.lease, 60);
	buf[FIXED + 2] = 1; /* only file: what sname has are no options */
	buf[45] = 70;
	assert_int_equal(dhcp4_message_read(buf, sizeof(buf), &m, &why), 0);
	assert_int_equal(m.dns_count, 1);
	assert_int_equal(m.lease, 0);
	buf[FIXED + 2] = 2;
	assert_int_equal(dhcp4_message_read(buf, sizeof(buf), &m, &why), -EBADMSG);
	assert_string_equal(why, "option longer than what holds it"); /* an option ends in its field */
	buf[45] = 4;
	assert_int_equal(dhcp4_message_read(buf, sizeof(buf), &m, &why), -EBADMSG);
	assert_string_equal(
		why, "bad length of Domain Name Server"); /* the rest of it is in file, which is a name now */
}

/* Without option 52 file and sname are names. */
static void names_are_no_options(void **state)
{
	struct dhcp4_message m;
	uint8_t buf[300];

	memcpy(buf, ack, sizeof(buf));
	memset(buf + 44, 'n', 64 + 128);
	read_golden(buf, &m);
	assert_int_equal(m.dns_count, 2);
}

static void what_is_of_no_use_is_ignored(void **state)
{
	static const uint8_t options[] = {53, 1, 5, 26, 2, 0, 67, 6, 24, 0, 0, 0, 0, 224, 0, 0, 1, 255, 255,
		255, 255, 127, 0, 0, 1, 192, 0, 2, 53, 0, 1, 2, 3, 54, 4, 0, 0, 0, 0, 51, 4, 0, 0, 0, 0, 120,
		3, 1, 2, 3};
	struct dhcp4_message m;
	const char *why = NULL;

	if (read_options(2, options, sizeof(options), &m, &why)) /* no end: not worth a complaint */
		fail_msg("%s", why);
	assert_int_equal(m.mtu, 0);
	assert_int_equal(m.dns_count, 1);
	assert_addr(&m.dns[0], "192.0.2.53");
	assert_true(addr_is_none(&m.server));
	assert_int_equal(m.lease, 0);
}

static void at_most_four_dns_servers_are_kept(void **state)
{
	uint8_t options[3 + 2 + 80 + 1] = {53, 1, 5, 6, 80};
	struct dhcp4_message m;
	const char *why = NULL;

	memset(options + 5, 9, 80);
	options[85] = 255;
	assert_int_equal(read_options(2, options, sizeof(options), &m, &why), 0);
	assert_int_equal(m.dns_count, DHCP4_DNS_MAX);
}

static void text_is_cut_and_printable(void **state)
{
	uint8_t options[3 + 2 + 100] = {53, 1, 6, 56, 100};
	struct dhcp4_message m;
	const char *why = NULL;

	memset(options + 5, 'x', 100);
	options[6] = '\n';
	options[7] = 0x9b;
	assert_int_equal(read_options(2, options, sizeof(options), &m, &why), 0);
	assert_int_equal(strlen(m.text), DHCP4_TEXT_MAX - 1);
	assert_memory_equal(m.text, "x..xx", 5);
	options[9] = 0;
	assert_int_equal(read_options(2, options, sizeof(options), &m, &why), 0);
	assert_string_equal(m.text, "x..x");
}

static void masks_of_every_length(void **state)
{
	for (unsigned len = 1; len <= 32; len++) {
		struct dhcp4_message m = {.type = DHCP4_ACK, .mask_len = (uint8_t)len}, n;
		uint8_t buf[DHCP4_MESSAGE_MAX];
		struct writer w = writer_of(buf, sizeof(buf));
		const char *why;

		dhcp4_message_write(&w, &m);
		assert_int_equal(dhcp4_message_read(buf, writer_len(&w), &n, &why), 0);
		assert_int_equal(n.mask_len, len);
	}
}

static void malformed_options_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct dhcp4_message m = {.xid = 4711};
		const char *why = "accepted";

		if (read_options(1, bad[i].options, bad[i].len, &m, &why) != -EBADMSG ||
			strcmp(why, bad[i].why) != 0)
			fail_msg("%s: %s", bad[i].name, why);
		assert_int_equal(m.xid, 4711);
	}
}

static void malformed_headers_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t len, at;
		uint8_t value;
		const char *why;
	} cases[] = {
		{"nothing", 0, 0, 1, "shorter than a message"},
		{"one byte", 1, 0, 1, "shorter than a message"},
		{"cut in chaddr", 43, 0, 1, "shorter than a message"},
		{"cut in file", 235, 0, 1, "shorter than a message"},
		{"BOOTP without a vendor field", 236, 0, 1, "shorter than a message"},
		{"cut in the cookie", 239, 0, 1, "shorter than a message"},
		{"op 0", 300, 0, 0, "unknown op"},
		{"op 3", 300, 0, 3, "unknown op"},
		{"DISCOVER from a server", 300, 0, 2, "op does not fit the message type"},
		{"hardware address of 17 bytes", 300, 2, 17, "hardware address longer than its field"},
		{"hardware address of 255 bytes", 300, 2, 255, "hardware address longer than its field"},
		{"another vendor's cookie", 300, 236, 0x64, "no DHCP message: the cookie is missing"},
		{"a cookie whose end is wrong", 300, 239, 0, "no DHCP message: the cookie is missing"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dhcp4_message m = {.xid = 4711};
		const char *why = "accepted";
		uint8_t buf[300];

		memcpy(buf, discover, sizeof(buf));
		buf[cases[i].at] = cases[i].value;
		if (dhcp4_message_read(buf, cases[i].len, &m, &why) != -EBADMSG ||
			strcmp(why, cases[i].why) != 0)
			fail_msg("%s: %s", cases[i].name, why);
		assert_int_equal(m.xid, 4711);
	}
}

static void options_that_are_too_long_together_are_refused(void **state)
{
	uint8_t options[3 + 2 * 257 + 2 + 12] = {53, 1, 1};
	struct dhcp4_message m;
	const char *why = NULL;

	for (int i = 0; i < 2; i++) {
		options[3 + 257 * i] = 61;
		options[4 + 257 * i] = 255;
	}
	assert_int_equal(read_options(1, options, 3 + 257, &m, &why), -EBADMSG);
	assert_string_equal(why, "bad length of Client Identifier"); /* 136 bytes and more */
	options[3] = options[3 + 257] = 55;
	assert_int_equal(read_options(1, options, 3 + 514, &m, &why), 0);
	options[517] = 55;
	options[518] = 12;
	assert_int_equal(read_options(1, options, sizeof(options), &m, &why), -EBADMSG);
	assert_string_equal(why, "bad length of Parameter Request List");
}

/* A relay's address is told; the client's hardware address comes back as it was. */
static void hardware_address_and_relay_are_told(void **state)
{
	struct dhcp4_message m;
	uint8_t buf[300], out[DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(out, sizeof(out));

	memcpy(buf, discover, sizeof(buf));
	buf[1] = 8;
	buf[2] = 6;
	memcpy(buf + 28, "\x01\x02\x03\x04\x05\x06", 6);
	buf[27] = 1; /* giaddr 0.0.0.1 */
	read_golden(buf, &m);
	assert_true(m.relayed);
	assert_int_equal(m.htype, 8);
	assert_int_equal(m.hlen, 6);
	dhcp4_message_write(&w, &m);
	buf[27] = 0;
	assert_memory_equal(out, buf, 300);
}

static void fill(struct dhcp4_message *m, struct rng *rng)
{
	*m = (struct dhcp4_message){.type = (uint8_t)(1 + rng_below(rng, DHCP4_TYPES - 1)),
		.xid = rng_u32(rng),
		.secs = (uint16_t)rng_u32(rng),
		.broadcast = true,
		.ciaddr = addr4(1, 2, 3, 4),
		.yiaddr = addr4(5, 6, 7, 8),
		.requested = addr4(9, 10, 11, 12),
		.server = addr4(13, 14, 15, 16),
		.router = addr4(17, 18, 19, 20),
		.mask_len = 24,
		.lease = DHCP4_INFINITE,
		.t1 = 1,
		.t2 = 2,
		.mtu = 1280,
		.max_size = 1500,
		.rapid_commit = true,
		.client_id_len = DHCP4_CLIENT_ID_MAX,
		.dns_count = DHCP4_DNS_MAX,
		.wants_dns = true,
		.wants_subnet = true,
		.wants_mtu = true,
		.wants_router = true,
		.subnet_request = true,
		.request_len = 30,
		.subnet_information = true,
		.subnet_count = DHCP4_SUBNET_MAX};
	rng_bytes(rng, m->client_id, sizeof(m->client_id));
	memset(m->text, 't', DHCP4_TEXT_MAX - 1);
	for (unsigned i = 0; i < DHCP4_DNS_MAX; i++)
		m->dns[i] = addr4(192, 0, 2, (uint8_t)i);
	for (unsigned i = 0; i < DHCP4_SUBNET_MAX; i++)
		m->subnets[i].prefix = (struct prefix){addr4(10, (uint8_t)i, 0, 0), 16};
}

/* Everything at once fits into what every client takes (RFC 2132 section 9.10), and comes back. */
static void the_longest_message_fits_into_576_bytes(void **state)
{
	uint8_t buf[DHCP4_MESSAGE_MAX], again[DHCP4_MESSAGE_MAX];
	struct dhcp4_message m, n;
	const char *why = NULL;
	struct rng rng;

	rng_init_seed(&rng, 5);
	for (int i = 0; i < 50; i++) {
		struct writer w = writer_of(buf, sizeof(buf)), w2 = writer_of(again, sizeof(again));

		fill(&m, &rng);
		dhcp4_message_write(&w, &m);
		assert_true(writer_ok(&w));
		if (dhcp4_message_read(buf, writer_len(&w), &n, &why))
			fail_msg("%s", why);
		assert_int_equal(n.client_id_len, m.client_id_len);
		assert_string_equal(n.text, m.text);
		dhcp4_message_write(&w2, &n);
		assert_int_equal(writer_len(&w2), writer_len(&w));
		assert_memory_equal(buf, again, writer_len(&w));
		for (size_t room = 0; room < writer_len(&w); room++) {
			struct writer small = writer_of(again, room);

			dhcp4_message_write(&small, &m);
			assert_false(writer_ok(&small));
		}
	}
}

static void one_line_for_people(void **state)
{
	static const struct {
		const uint8_t *bytes;
		const char *line;
	} cases[] = {
		{discover, "DISCOVER xid 12345678 secs 7 broadcast client ff0000000100030001020000000002"
			   " requested 198.51.100.7 rapid-commit"},
		{discover_subnet, "DISCOVER xid 12345678 ciaddr 198.51.100.7 client ff01"
				  " subnet-request h i /28 subnet-information 203.0.113.16/28 h"},
		{ack, "ACK xid 12345678 yiaddr 198.51.100.7 server 198.51.100.1 lease 3600 T1 1800 T2 3150"
		      " mask /32 router 198.51.100.1 dns 192.0.2.53 dns 192.0.2.54 mtu 1400"},
		{offer_subnets, "OFFER xid 12345678 ciaddr 198.51.100.7 server 198.51.100.1 lease infinite"
				" subnet-information c s 10.0.2.0/24 h 10.0.3.0/28 h d"},
		{nak, "NAK xid 12345678 broadcast server 198.51.100.1 \"no!\""},
	};
	char line[400], cut[10];

	for (size_t i = 0; i < COUNT(cases); i++) {
		dhcp4_packet_print(cases[i].bytes, 300, line, sizeof(line));
		assert_string_equal(line, cases[i].line);
	}
	dhcp4_packet_print(ack, 300, cut, sizeof(cut));
	assert_string_equal(cut, "ACK xid 1");
	dhcp4_packet_print(ack, 100, line, sizeof(line));
	assert_string_equal(line, "DHCP 100 bytes malformed: shorter than a message");
	dhcp4_packet_print(ack, 300, NULL, 0);
	assert_string_equal(dhcp4_type_name(0), "unknown");
	assert_string_equal(dhcp4_type_name(DHCP4_INFORM), "INFORM");
	assert_string_equal(dhcp4_type_name(DHCP4_TYPES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discover_is_read_and_written),
		cmocka_unit_test(ack_is_read_and_written),
		cmocka_unit_test(nak_is_read_and_written),
		cmocka_unit_test(subnet_bits_are_read_and_written),
		cmocka_unit_test(each_subnet_bit_has_its_place),
		cmocka_unit_test(statistics_are_skipped),
		cmocka_unit_test(several_subnet_options_are_read_one_by_one),
		cmocka_unit_test(options_in_parts_are_joined),
		cmocka_unit_test(options_overflow_into_file_and_then_sname),
		cmocka_unit_test(names_are_no_options),
		cmocka_unit_test(what_is_of_no_use_is_ignored),
		cmocka_unit_test(at_most_four_dns_servers_are_kept),
		cmocka_unit_test(text_is_cut_and_printable),
		cmocka_unit_test(masks_of_every_length),
		cmocka_unit_test(malformed_options_are_refused),
		cmocka_unit_test(malformed_headers_are_refused),
		cmocka_unit_test(options_that_are_too_long_together_are_refused),
		cmocka_unit_test(hardware_address_and_relay_are_told),
		cmocka_unit_test(the_longest_message_fits_into_576_bytes),
		cmocka_unit_test(one_line_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

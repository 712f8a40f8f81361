/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See build.h. */
#include "build.h"

struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint64_t sum16(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (unsigned)p[i] << 8;
	return sum;
}

static uint16_t folded(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

size_t packet_build(
	uint8_t *buf, const char *src, const char *dst, uint8_t protocol, const void *payload, size_t len)
{
	struct addr s = address(src), d = address(dst);
	size_t header = s.family == AF_INET6 ? 40 : 20;

	memset(buf, 0, header);
	if (s.family == AF_INET6) {
		buf[0] = 0x60;
		put16(buf + 4, (unsigned)len);
		buf[6] = protocol;
		buf[7] = 64;
		memcpy(buf + 8, s.bytes, 16);
		memcpy(buf + 24, d.bytes, 16);
	} else {
		buf[0] = 0x45;
		put16(buf + 2, (unsigned)(20 + len));
		buf[6] = 0x40; /* DF */
		buf[8] = 64;
		buf[9] = protocol;
		memcpy(buf + 12, s.bytes, 4);
		memcpy(buf + 16, d.bytes, 4);
		put16(buf + 10, (uint16_t)~folded(sum16(buf, 20)));
	}
	if (len)
		memcpy(buf + header, payload, len);
	return header + len;
}

/* Sum of pseudo-header and upper-layer message; 0xffff when the message's checksum is right. */
static uint16_t upper_sum(const uint8_t *packet, size_t len)
{
	bool six = packet[0] >> 4 == 6;
	size_t header = six ? 40 : 20;
	uint8_t protocol = six ? packet[6] : packet[9];
	uint64_t sum = sum16(packet + header, len - header);

	if (protocol == 1) /* ICMP has no pseudo-header */
		return folded(sum);
	sum += six ? sum16(packet + 8, 32) : sum16(packet + 12, 8);
	return folded(sum + protocol + (len - header));
}

bool packet_checksum_ok(const uint8_t *packet, size_t len)
{
	if (packet[0] >> 4 == 4 && folded(sum16(packet, 20)) != 0xffff)
		return false;
	return upper_sum(packet, len) == 0xffff;
}

size_t packet_syn(uint8_t *buf, const char *src, const char *dst, uint16_t mss)
{
	uint8_t tcp[24] = {
		0x30, 0x39, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0, 2, 4};
	size_t len;

	put16(tcp + 22, mss);
	len = packet_build(buf, src, dst, 6, tcp, sizeof(tcp));
	put16(buf + len - 24 + 16, (uint16_t)~upper_sum(buf, len));
	return len;
}

uint16_t packet_syn_mss(const uint8_t *packet)
{
	const uint8_t *option = packet + (packet[0] >> 4 == 6 ? 40 : 20) + 20;

	assert_int_equal(option[0], 2);
	return (uint16_t)(option[2] << 8 | option[3]);
}

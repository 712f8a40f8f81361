/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inet: an IP packet inside another. */
#include "inet/inner.h"

#include <string.h>

#include "inet/packet.h"
#include "lib/hash.h"

uint8_t inner_family(const uint8_t *packet, size_t len)
{
	unsigned version = len ? packet[0] >> 4 : 0;

	return version == 6 ? AF_INET6 : version == 4 ? AF_INET : 0;
}

static bool inner6_read(const uint8_t *packet, size_t len, struct inner *ret)
{
	struct reader r = reader_of(packet, len);
	struct ip6 h;

	ip6_read(&r, &h);
	if (!reader_ok(&r))
		return false;
	*ret = (struct inner){.src = h.src, .dst = h.dst, .len = IP6_HEADER + (size_t)h.payload_len};
	return true;
}

static bool inner4_read(const uint8_t *packet, size_t len, struct inner *ret)
{
	size_t header, total;

	if (len < IP4_HEADER || packet[0] >> 4 != 4)
		return false;
	header = (packet[0] & 15U) * 4U;
	total = (size_t)packet[2] << 8 | packet[3];
	if (header < IP4_HEADER || total < header || total > len)
		return false;
	*ret = (struct inner){
		.src = addr4_of(packet + 12), .dst = addr4_of(packet + 16), .len = total, .header = header};
	return true;
}

bool inner_read(uint8_t family, const uint8_t *packet, size_t len, struct inner *ret)
{
	return family == AF_INET6 ? inner6_read(packet, len, ret) : inner4_read(packet, len, ret);
}

static bool is_broadcast(const struct addr *a)
{
	return a->family == AF_INET && (a->bytes[0] & a->bytes[1] & a->bytes[2] & a->bytes[3]) == 0xff;
}

bool inner_is_local(const struct inner *inner)
{
	return addr_is_link_local(&inner->src) || addr_is_link_local(&inner->dst) ||
	       addr_is_multicast(&inner->dst) || addr_is_unspecified(&inner->src) ||
	       is_broadcast(&inner->dst);
}

uint8_t inner_ttl(const uint8_t *packet)
{
	return packet[0] >> 4 == 6 ? packet[7] : packet[8];
}

void inner_lower_ttl(uint8_t *packet, uint8_t ttl)
{
	uint16_t before = (uint16_t)(packet[8] << 8 | packet[9]), checksum;

	if (inner_ttl(packet) <= ttl)
		return;
	if (packet[0] >> 4 == 6) {
		packet[7] = ttl;
		return;
	}
	packet[8] = ttl;
	checksum = inet_checksum_update(
		(uint16_t)(packet[10] << 8 | packet[11]), before, (uint16_t)(ttl << 8 | packet[9]));
	packet[10] = (uint8_t)(checksum >> 8);
	packet[11] = (uint8_t)checksum;
}

/* The two ports, where they are in every packet of the flow. */
static uint32_t ports(const uint8_t *packet, const struct inner *inner, uint8_t protocol)
{
	size_t at = inner->header ? inner->header : IP6_HEADER;
	uint32_t v;

	if ((protocol != PROTO_TCP && protocol != PROTO_UDP) || inner->len < at + sizeof(v))
		return 0;
	if (inner->header && ((packet[6] & 0x3f) | packet[7]))
		return 0;
	memcpy(&v, packet + at, sizeof(v));
	return v;
}

uint32_t inner_flow(const uint8_t *packet, const struct inner *inner, uint64_t seed)
{
	bool six = packet[0] >> 4 == 6;
	struct {
		uint8_t addresses[32];
		uint32_t ports, label_and_protocol;
	} key = {0};
	uint32_t label = six ? (packet[1] & 15U) << 16 | (uint32_t)packet[2] << 8 | packet[3] : 0;
	uint8_t protocol = six ? packet[6] : packet[9];

	memcpy(key.addresses, packet + (six ? 8 : 12), six ? 32 : 8);
	key.ports = ports(packet, inner, protocol);
	key.label_and_protocol = label << 8 | protocol;
	return hash_bytes(&key, sizeof(key), seed);
}

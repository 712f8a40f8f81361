/* Packets for tests of data planes: made by hand, checksums too; they share no code with src/inet. */
#ifndef TESTS_UNIT_INET_BUILD_H
#define TESTS_UNIT_INET_BUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/addr.h"

struct addr address(const char *text);
struct prefix prefix(const char *text);

/* Writes an IPv6 or IPv4 packet (by the family of SRC), checksum of the IPv4 header included; returns its length. */
size_t packet_build(
	uint8_t *buf, const char *src, const char *dst, uint8_t protocol, const void *payload, size_t len);
/* A TCP SYN with an MSS option and a right checksum. */
size_t packet_syn(uint8_t *buf, const char *src, const char *dst, uint16_t mss);
uint16_t packet_syn_mss(const uint8_t *packet);
/* True when the checksum of the TCP or ICMP message in PACKET, and IPv4's own, are right. */
bool packet_checksum_ok(const uint8_t *packet, size_t len);

#endif

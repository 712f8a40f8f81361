/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of the core, right and wrong, as raw sockets give them. The input is a sequence of (choice, length, bytes); the choice says by which protocol and from whom,
 * with which ECN field, whether a right header is put in front and the inner packet's lengths are mended, so that the depths are reached soon.
 * Whatever comes: nothing reaches the device but whole packets from one who may send; each packet is accounted for exactly once, and those that are refused
 * have a reason.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PROTOCOL = 7, CORE4 = 8, STRANGER = 16, HEADER = 32, INNER4 = 64, MEND = 128, MAX = 2047 };

/* By the choice's PROTOCOL; the headers that are accepted, for IPv4 and IPv6 inside. */
static const struct {
	uint8_t protocol4, protocol6, len;
	const char *header4, *header6;
} kinds[8] = {
	{4, 41, 0, "", ""},
	{47, 47, 8, "\x20\0\x08\0\1\2\3\4", "\x20\0\x86\xdd\1\2\3\4"},
	{47, 47, 8, "\0\0\x88\x47\0\0\1\x40", "\0\0\x88\x47\0\0\x21\x40"},
	{115, 115, 12,
		"\xa\xb\xc\xd"
		"12345678",
		"\xa\xb\xc\xd"
		"12345678"},
	{137, 137, 0, "", ""},
	{50, 50, 0, "", ""},
	{47, 47, 4, "\0\0\x08\0", "\0\0\x86\xdd"},
	{115, 115, 4, "\xa\xb\xc\xe", "\0\0\0\0"},
};

static uint64_t refusals(const struct mesh_counters *c)
{
	return c->drop_interface + c->drop_transmitter + c->drop_header + c->drop_encapsulation +
	       c->drop_key + c->drop_session + c->drop_cookie + c->drop_label + c->drop_payload +
	       c->drop_checksum;
}

static uint64_t others(const struct mesh_counters *c)
{
	return c->drop_ecn + c->drop_device;
}

/* What stands behind MESH_MARGIN octets of OUT; its length. */
static size_t build(uint8_t *out, uint8_t choice, const uint8_t *data, size_t len)
{
	size_t at = 0;

	if (choice & CORE4) {
		memset(out, 0, 20);
		out[0] = 0x45;
		out[1] = len ? data[0] & 3 : 0;
		at = 20;
	}
	if (choice & HEADER) {
		memcpy(out + at,
			choice & INNER4 ? kinds[choice & PROTOCOL].header4 : kinds[choice & PROTOCOL].header6,
			kinds[choice & PROTOCOL].len);
		at += kinds[choice & PROTOCOL].len;
	}
	if (len)
		memcpy(out + at, data, len);
	if (choice & MEND && len)
		harness_mend(out + at, len, choice & INNER4 ? AF_INET : AF_INET6);
	return at + len;
}

static void one_packet(struct harness *h, uint8_t choice, const uint8_t *data, size_t len)
{
	struct mesh_arrival a = {.family = choice & CORE4 ? AF_INET : AF_INET6, .tos = len ? data[0] & 3 : 0};
	struct mesh_counters *c = &h->plane->counters;
	uint8_t buf[MAX + 64], out[MAX + 64], *packet;
	size_t n = build(buf, choice, data, len), came;
	uint64_t before_refusals = refusals(c), before = others(c);
	unsigned told = h->refused;

	a.protocol =
		choice & INNER4 ? kinds[choice & PROTOCOL].protocol4 : kinds[choice & PROTOCOL].protocol6;
	a.from = choice & STRANGER ? h->local6 : choice & CORE4 ? h->transmitter4 : h->transmitter6;
	packet = malloc(MESH_MARGIN + n); /* an exact copy, so that a read past the end is seen */
	MUST(packet);
	memcpy(packet + MESH_MARGIN, buf, n);
	harness_reset(h);
	mesh_in_packet(h->plane, &a, packet + MESH_MARGIN, n);
	free(packet);
	for (came = 0; (len = harness_device(h, out, sizeof(out)));
		came++) { /* merged segments are several */
		struct inner inner = harness_inner(out, len);

		MUST(!(choice & STRANGER) && !inner_is_local(&inner) && len <= n);
		MUST(!came || (len <= 1280 && inner.src.family));
	}
	MUST(h->refused - told == refusals(c) - before_refusals);
	MUST((came > 0) + (refusals(c) - before_refusals) + (others(c) - before) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct harness *h = harness_get();

	while (size >= 3) {
		uint8_t choice = data[0];
		size_t len = (size_t)(data[1] << 8 | data[2]) & MAX;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		one_packet(h, choice, data, len);
		data += len;
		size -= len;
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of a peer, right and wrong, through the upstream path. The input is a sequence of (choice, length, bytes); the choice says who
 * sends, with which ECN field outside (its two high bits), and whether a right header is put in front and the inner packet's lengths are mended, so that the depths are reached soon.
 * Whatever comes: nothing reaches the device but whole packets from the right peer whose source the softwire was given, and each packet is
 * accounted for exactly once.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OTHER_PEER = 1, HEADER = 2, FAMILY4 = 4, MEND = 8, DOWN = 16, ANY_SOURCE = 32, ECN_SHIFT = 6, MAX = 2047 };

static uint64_t drops(const struct dp_counters *c)
{
	return c->drop_short + c->drop_header + c->drop_spoofed + c->drop_bad_inner + c->drop_device +
	       c->drop_ecn;
}

static void check_queue(const struct harness *h)
{
	for (const struct dp_slot *slot = h->socket->head; slot; slot = slot->next) {
		const uint8_t *packet = slot->bytes + slot->at + DP_HEADER_SIZE;
		struct inner inner = harness_inner(packet, slot->len - DP_HEADER_SIZE);

		/* Nothing but ICMP errors of the plane goes back. */
		MUST(addr_equal(&inner.src, inner.src.family == AF_INET6 ? &h->local6 : &h->local4));
		MUST(inner.len <= 1280);
	}
}

static unsigned check_device(struct harness *h, uint8_t choice)
{
	uint8_t out[MAX + 16];
	unsigned count = 0;
	size_t n;

	while ((n = harness_device(h, out, sizeof(out)))) {
		struct inner inner = harness_inner(out, n);

		MUST(!(choice & (OTHER_PEER | DOWN)));
		MUST(!inner_is_local(&inner));
		MUST((choice & ANY_SOURCE) || dp_row_permits_source(h->row, &inner.src));
		count++;
	}
	return count;
}

static size_t build(uint8_t *packet, uint8_t choice, const uint8_t *data, size_t len)
{
	uint8_t family = choice & FAMILY4 ? AF_INET : AF_INET6;
	size_t at = 0;

	if (choice & HEADER) {
		dp_header_write(packet, 0x0102, 0x0304, family == AF_INET ? 0x0021 : 0x0057);
		at = DP_HEADER_SIZE;
	}
	if (len)
		memcpy(packet + at, data, len);
	if (choice & MEND && len)
		harness_mend(packet + at, len, family);
	return at + len;
}

static void one_packet(struct harness *h, uint8_t choice, const uint8_t *data, size_t len)
{
	uint8_t buf[MAX + DP_HEADER_SIZE], *packet;
	size_t n = build(buf, choice, data, len);
	struct dp_arrival arrival = {
		.from = choice & OTHER_PEER ? h->other : h->peer, .ecn = choice >> ECN_SHIFT};
	uint64_t before = drops(&h->plane->counters);
	unsigned handed = h->inputs + h->strays, out;

	packet = malloc(n ? n : 1); /* an exact copy, so that a read past the end is seen */
	MUST(packet != NULL);
	memcpy(packet, buf, n);
	harness_reset(h);
	h->row->any_source = choice & ANY_SOURCE;
	h->row->up6 = h->row->up4 = !(choice & DOWN);
	dp_up_packet(h->socket, &arrival, packet, n);
	free(packet);
	check_queue(h);
	out = check_device(h, choice);
	MUST(out + (drops(&h->plane->counters) - before) + (h->inputs + h->strays - handed) == 1);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of the device through the downstream path. The input is a sequence of (choice, length, bytes) as in dp_up.
 * Whatever comes: only whole packets to the softwire's own prefixes (or any, with a default row) that fit its MTU go into it, with the
 * right header, and nothing but ICMP errors of the plane comes back.
 */
#include "harness.h"

#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEFAULT_ROW = 1, DOWN6 = 2, FAMILY4 = 4, MEND = 8, DOWN4 = 16, MAX = 2047 };

static void check_queue(const struct harness *h, uint8_t choice)
{
	for (const struct dp_slot *slot = h->socket->head; slot; slot = slot->next) {
		const uint8_t *p = slot->bytes + slot->at;
		struct inner inner = harness_inner(p + DP_HEADER_SIZE, slot->len - DP_HEADER_SIZE);
		bool six = inner.src.family == AF_INET6;
		uint8_t header[DP_HEADER_SIZE];

		dp_header_write(header, 0x1112, 0x1314, six ? 0x0057 : 0x0021);
		MUST(!memcmp(p, header, sizeof(header)));
		MUST(inner.len <= h->row->mtu && !inner_is_local(&inner));
		MUST(choice & DEFAULT_ROW || dp_row_permits_source(h->row, &inner.dst));
		MUST(!(choice & (six ? DOWN6 : DOWN4)));
	}
}

static void check_device(struct harness *h)
{
	uint8_t out[MAX];
	size_t n;

	while ((n = harness_device(h, out, sizeof(out)))) {
		struct inner inner = harness_inner(out, n);

		MUST(addr_equal(&inner.src, inner.src.family == AF_INET6 ? &h->local6 : &h->local4));
		MUST(n <= 1280);
	}
}

static void one_packet(struct harness *h, uint8_t choice, const uint8_t *data, size_t len)
{
	uint8_t packet[MAX];

	memcpy(packet, data, len);
	if (choice & MEND)
		harness_mend(packet, len, choice & FAMILY4 ? AF_INET : AF_INET6);
	harness_reset(h);
	h->row->up6 = !(choice & DOWN6);
	h->row->up4 = !(choice & DOWN4);
	if (choice & DEFAULT_ROW)
		dp_table_set_default(&h->plane->table, h->row);
	MUST(write(h->device, packet, len) == (ssize_t)len);
	MUST(dp_down_batch(h->plane) == 1);
	check_queue(h, choice);
	check_device(h);
	dp_queue_clear(h->socket);
	MUST(h->plane->free_count == DP_SLOTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct harness *h = harness_get();

	while (size > 3) {
		uint8_t choice = data[0];
		size_t len = (size_t)(data[1] << 8 | data[2]) & MAX;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		if (len) /* no device gives an empty packet */
			one_packet(h, choice, data, len);
		data += len;
		size -= len;
	}
	return 0;
}

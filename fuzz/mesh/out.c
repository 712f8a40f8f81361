/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of the device on their way into the core. The input is a sequence of (choice, length, bytes): whether the path can be used, what MTU it has, and whether a frame
 * that leads there is put in front and the packet's lengths are mended.
 * Whatever comes: what is queued is whole, and fits; nothing but ICMP errors of the plane comes back; no buffer is lost.
 */
#include "harness.h"

#include <string.h>
#include <unistd.h>

#include "inet/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { UNUSABLE = 1, NARROW = 2, FRAME = 4, MEND = 8, FAMILY4 = 16, MAX = 4095, OUTER = 48 };

/* Keyed GRE over IPv6, or pieces of it, where what is inside may not be smaller. */
static void check_parcel(const struct harness *h, const struct mesh_parcel *parcel)
{
	const uint8_t *p = parcel->bytes + parcel->at;
	size_t len = (size_t)(p[4] << 8 | p[5]) + IP6_HEADER;
	struct inner inner;

	MUST(parcel->len == len && p[0] >> 4 == 6 && len <= OUTER + (size_t)h->endpoint->mtu);
	MUST(addr_equal(&parcel->to, &h->endpoint->outer));
	if (p[6] == 44) {
		MUST(h->endpoint->mtu < IP6_MIN_MTU && parcel->piece);
		return;
	}
	MUST(p[6] == MESH_PROTO_GRE && !memcmp(p + IP6_HEADER + 4, "\1\2\3\4", 4));
	inner = harness_inner(p + OUTER, len - OUTER);
	MUST(!inner_is_local(&inner));
	MUST(!memcmp(p + IP6_HEADER + 2, inner.header ? "\x08\x00" : "\x86\xdd", 2));
}

static void check_device(struct harness *h)
{
	uint8_t out[MAX];
	size_t n;

	while ((n = harness_device(h, out, sizeof(out)))) {
		struct inner inner = harness_inner(out, n);

		MUST(addr_equal(&inner.src, inner.src.family == AF_INET6 ? &h->local6 : &h->local4));
		MUST(n <= IP6_MIN_MTU);
	}
}

static void one_frame(struct harness *h, uint8_t choice, const uint8_t *data, size_t len)
{
	uint8_t frame[MESH_FRAME + MAX];
	size_t at = 0;

	if (choice & FRAME) {
		memset(frame, 0, MESH_FRAME);
		mesh_path_lladdr(h->path->number, frame);
		memcpy(frame + 12, choice & FAMILY4 ? "\x08\x00" : "\x86\xdd", 2);
		at = MESH_FRAME;
	}
	if (len)
		memcpy(frame + at, data, len);
	if (choice & MEND && len)
		harness_mend(frame + at, len, choice & FAMILY4 ? AF_INET : AF_INET6);
	if (!(at + len)) /* no device gives an empty frame */
		return;
	harness_reset(h);
	h->endpoint->usable = !(choice & UNUSABLE);
	h->endpoint->mtu = choice & NARROW ? 100 : 1400;
	MUST(write(h->device, frame, at + len) == (ssize_t)(at + len));
	MUST(mesh_out_batch(h->plane) == 1);
	for (const struct mesh_parcel *parcel = h->sender.head; parcel; parcel = parcel->next)
		check_parcel(h, parcel);
	MUST(!(choice & UNUSABLE) || !h->sender.head);
	check_device(h);
	mesh_queue_clear(&h->sender);
	MUST(h->plane->free_count == MESH_PARCELS);
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
		one_frame(h, choice, data, len);
		data += len;
		size -= len;
	}
	return 0;
}

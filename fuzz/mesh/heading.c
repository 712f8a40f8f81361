/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mesh_heading: a packet of the core, from the cheapest look on. The first byte is the outer header's protocol, the next two say which rows are there, the rest
 * stands behind the outer header: heading, acceptance, labels.
 * Whatever comes: what is refused leaves outputs alone and counts once, in the right place; a row takes a packet only if that begins with what a template for the
 * row writes.
 */
#include <stdlib.h>
#include <string.h>

#include "inet/packet.h"
#include "mesh/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 10 };

static const struct mesh_encapsulation all[ROWS] = {
	{.kind = MESH_IPIP},
	{.kind = MESH_IPIP, .mpls = true},
	{.kind = MESH_GRE},
	{.kind = MESH_GRE, .mpls = true},
	{.kind = MESH_GRE, .has_key = true, .key = 7},
	{.kind = MESH_GRE, .mpls = true, .has_key = true, .key = 7},
	{.kind = MESH_L2TPV3, .session = 0x10},
	{.kind = MESH_L2TPV3, .session = 0x11, .cookie_len = 4, .cookie = {1, 2, 3, 4}},
	{.kind = MESH_L2TPV3, .session = 0x12, .cookie_len = 8, .cookie = {1, 2, 3, 4, 5, 6, 7, 8}},
	{.kind = MESH_L2TPV3,
		.mpls = true,
		.session = 0x13,
		.cookie_len = 8,
		.cookie = {8, 7, 6, 5, 4, 3, 2, 1}},
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void try_labels(struct reader r)
{
	size_t before = reader_left(&r);
	uint16_t payload = 4711;
	uint8_t ttl = 47;
	const char *why = mesh_labels_read(&r, &payload, &ttl);

	if (why) {
		require(payload == 4711 && ttl == 47);
		return;
	}
	require(payload == MESH_IP4 || payload == MESH_IP6);
	require(before - reader_left(&r) >= 4 && (before - reader_left(&r)) % 4 == 0);
	require(r.pos[-2] & 1); /* the bottom */
	require(ttl <= r.pos[-1]);
	require(r.pos[-4] == 0 && r.pos[-3] == 0 && r.pos[-2] >> 4 == (payload == MESH_IP6 ? 2 : 0));
}

/* The bytes from START to what R has left are those that a template for HOW writes, but for GRE's bits that do not matter, and its checksum. */
static void require_same(const struct mesh_encapsulation *how, uint8_t protocol, uint16_t payload,
	const uint8_t *start, const struct reader *r)
{
	const struct mesh_level level = {
		.src = {.family = AF_INET6}, .dst = {.family = AF_INET6}, .how = *how, .hop_limit = 1};
	const struct mesh_cargo cargo = {.payload = payload == MESH_IP4 ? MESH_IP4 : MESH_IP6};
	unsigned len = mesh_encapsulation_size(how) - (how->mpls ? 4 : 0);
	uint8_t written[MESH_TEMPLATE], came[MESH_TEMPLATE];
	unsigned checksum = how->kind == MESH_GRE && start[0] & 0x80 ? 4 : 0;
	struct mesh_template t = {0};

	require(mesh_template_make(&t, &level, 1) == 0);
	mesh_template_write(&t, &cargo, written + t.len);
	require(written[6] == protocol);
	require((size_t)(r->pos - start) == len + checksum);
	if (!len)
		return;
	memcpy(came, start, len);
	if (checksum)
		memcpy(came + 4, start + 8, len - 4);
	if (how->kind == MESH_GRE) {
		came[0] &= checksum ? 0x7c : 0xfc;
		came[1] &= 0x07;
	}
	require(!memcmp(came, written + IP6_HEADER, len));
}

static uint64_t drops(const struct mesh_counters *c)
{
	return c->drop_encapsulation + c->drop_key + c->drop_session + c->drop_cookie;
}

static void rows_add(struct mesh_table *t, unsigned which)
{
	struct mesh_acceptance *a;

	for (unsigned i = 0; i < ROWS; i++)
		if (which & 1U << i)
			require(mesh_accept_add(t, &all[i], &a) == 0);
}

static void try_accept(
	const struct mesh_heading *h, uint8_t protocol, const uint8_t *start, struct reader r, unsigned which)
{
	static struct mesh_table t; /* the rows need no more than zeros */
	struct mesh_counters c = {0};
	const struct mesh_acceptance *a;

	memset(&t, 0, sizeof(t));
	rows_add(&t, which);
	a = mesh_accept_find(&t, h, &r, &c);
	require(drops(&c) == !a);
	if (!a)
		return;
	require(reader_ok(&r));
	require_same(&a->how, protocol, h->payload, start, &r);
	if (a->how.mpls)
		try_labels(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader all_of_it = reader_of(data, size), r;
	uint8_t protocol = reader_u8(&all_of_it);
	unsigned which = reader_u16(&all_of_it);
	struct mesh_heading h = {.kind = 0x55, .key = 0x55, .session = 0x55, .payload = 0x55};

	if (!reader_ok(&all_of_it))
		return 0;
	try_labels(all_of_it);
	r = all_of_it;
	if (mesh_heading_read(&r, protocol, &h)) {
		require(h.kind == 0x55 && !h.has_key && h.key == 0x55 && h.session == 0x55 &&
			h.payload == 0x55);
		return 0;
	}
	require(h.kind < MESH_KINDS && reader_ok(&r));
	try_accept(&h, protocol, all_of_it.pos, r, which);
	return 0;
}

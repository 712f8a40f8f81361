/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parcels and send queues. A plane has as many parcels as its queues can hold, and one more each for reading and cutting. */
#include "mesh/parts.h"

#include "inet/fragment.h"
#include "inet/packet.h"

struct mesh_parcel *mesh_parcel_take(struct mesh_plane *p)
{
	struct mesh_parcel *parcel;

	if (!p->free_count)
		return NULL;
	parcel = p->free_parcels[--p->free_count];
	parcel->next = NULL;
	parcel->piece = false;
	return parcel;
}

void mesh_parcel_give(struct mesh_plane *p, struct mesh_parcel *parcel)
{
	p->free_parcels[p->free_count++] = parcel;
}

bool mesh_queue_put(struct mesh_plane *p, uint8_t family, struct mesh_parcel *parcel)
{
	struct mesh_socket *s = p->senders[mesh_family_index(family)];

	if (!s || s->closing || s->queued >= MESH_QUEUE_MAX) {
		p->counters.drop_send_queue++;
		return false;
	}
	parcel->next = NULL;
	*s->tail = parcel;
	s->tail = &parcel->next;
	s->queued++;
	return true;
}

struct mesh_parcel *mesh_queue_pop(struct mesh_socket *s)
{
	struct mesh_parcel *parcel = s->head;

	s->head = parcel->next;
	if (!s->head)
		s->tail = &s->head;
	s->queued--;
	return parcel;
}

void mesh_queue_clear(struct mesh_socket *s)
{
	while (s->head)
		mesh_parcel_give(s->plane, mesh_queue_pop(s));
}

/*
 * The identifications of those that are cut. IPv4's count up, so that one comes back as late as it can (RFC 6864 section 5.3; not 0, which the kernel
 * would replace by another one in each piece); IPv6's cannot be guessed (RFC 7739).
 */
static uint32_t next_id(struct mesh_plane *p, uint8_t family)
{
	p->last_id++;
	if (family == AF_INET6)
		return hash_u64(p->last_id, p->seed);
	if (!(p->last_id & 0xffff))
		p->last_id++;
	return p->last_id & 0xffff;
}

/* Our own outer header has no options, and no extension headers. Routers may cut pieces of IPv4 again. */
static bool pieces_begin(
	struct mesh_plane *p, struct ip_pieces *f, uint8_t family, struct mesh_parcel *parcel, size_t mtu)
{
	uint8_t *packet = parcel->bytes + parcel->at;
	uint32_t id = next_id(p, family);

	if (family == AF_INET6)
		return ip6_pieces_begin(f, packet, parcel->len, mtu, id);
	packet[4] = (uint8_t)(id >> 8);
	packet[5] = (uint8_t)id;
	packet[6] = packet[7] = 0; /* no DF */
	return ip4_pieces_begin(f, packet, IP4_HEADER, parcel->len, mtu);
}

bool mesh_queue_pieces(struct mesh_plane *p, uint8_t family, struct mesh_parcel *parcel, size_t mtu)
{
	struct mesh_parcel *piece;
	struct ip_pieces f;

	if (!pieces_begin(p, &f, family, parcel, mtu)) {
		p->counters.drop_too_big++;
		return false;
	}
	while ((piece = mesh_parcel_take(p))) {
		piece->at = 0;
		piece->len = (uint32_t)ip_pieces_next(&f, piece->bytes);
		if (!piece->len) {
			mesh_parcel_give(p, piece);
			p->counters.outer_fragmented++;
			return true;
		}
		piece->to = parcel->to;
		piece->piece = true;
		if (!mesh_queue_put(p, family, piece)) {
			mesh_parcel_give(p, piece);
			return false;
		}
	}
	p->counters.drop_send_queue++;
	return false;
}

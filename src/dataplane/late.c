/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that can wait: when more has come than one batch, what is not of a softwire that is up (requests, set-ups under way, strays) is put aside in a
 * ring of bytes, and worked on in portions of half a millisecond, one in each iteration of the loop. So the socket is emptied at the pace of reading, and what
 * softwires that are up send and get waits for a portion at most, however many want to come up.
 *
 * A ring that is full drops; of strays it keeps LATE_RESERVE free for those whose set-up is under way. Packets of one softwire stay in
 * order until it is up; what it sends from then on may overtake what is still here, as on any path.
 */
#include "dataplane/plane.h"

#include <stdlib.h>
#include <string.h>

enum { LATE_BYTES = 4 << 20, LATE_RESERVE = LATE_BYTES / 4, LATE_LEAST = 16, LATE_NS = 500000 };

struct late_packet {
	uint32_t size; /* of all, in the ring */
	uint32_t len;  /* of the payload; SKIP: nothing more up to the ring's end */
	struct dp_arrival arrival;
	uint8_t listener;
	uint8_t payload[];
};

enum { SKIP = UINT16_MAX };

static uint32_t size_of(size_t len)
{
	const size_t align = _Alignof(struct late_packet);

	return (uint32_t)((sizeof(struct late_packet) + len + align - 1) / align * align);
}

static struct late_packet *at(struct dp_late *l, uint32_t position)
{
	return (struct late_packet *)(void *)(l->bytes + position);
}

/* Where SIZE bytes fit in one piece, as far as LEAVE bytes stay free; NULL. */
static struct late_packet *take_room(struct dp_late *l, uint32_t size, uint32_t leave)
{
	uint32_t end = LATE_BYTES - l->tail;
	uint32_t skip = size > end ? end : 0;

	if (l->used + skip + size + leave > LATE_BYTES)
		return NULL;
	if (skip >= sizeof(struct late_packet))
		*at(l, l->tail) = (struct late_packet){.size = skip, .len = SKIP};
	if (skip)
		l->tail = 0;
	l->used += skip + size;
	struct late_packet *packet = at(l, l->tail);

	l->tail = (l->tail + size) % LATE_BYTES;
	return packet;
}

bool dp_late_put(struct dp_socket *s, const struct dp_arrival *arrival, const uint8_t *payload, size_t len, bool known)
{
	struct dp_late *l = &s->plane->late;
	uint32_t size = size_of(len);
	struct late_packet *packet;

	if (!l->bytes)
		l->bytes = malloc(LATE_BYTES); /* touched as far as it is needed */
	packet = l->bytes ? take_room(l, size, known ? 0 : LATE_RESERVE) : NULL;
	if (!packet) {
		s->plane->counters.drop_late++;
		return false;
	}
	packet->size = size;
	packet->len = (uint32_t)len;
	packet->arrival = *arrival;
	packet->listener = s->listener;
	memcpy(packet->payload, payload, len);
	return true;
}

/* The first one, which stays valid until dp_late_put(). NULL: there is none. */
static struct late_packet *pop(struct dp_late *l)
{
	struct late_packet *packet;

	if (!l->used)
		return NULL;
	if (LATE_BYTES - l->head < sizeof(*packet) || at(l, l->head)->len == SKIP) {
		l->used -= LATE_BYTES - l->head;
		l->head = 0;
	}
	packet = at(l, l->head);
	l->head = (l->head + packet->size) % LATE_BYTES;
	l->used -= packet->size;
	if (!l->used)
		l->head = l->tail = 0; /* the same memory again, where little waits */
	return packet;
}

unsigned dp_late_work(struct tun_plane *p, bool all)
{
	uint64_t began = uv_hrtime();
	struct late_packet *packet;
	unsigned n = 0;

	while ((all || n < LATE_LEAST || uv_hrtime() - began < LATE_NS) && !p->closing &&
		(packet = pop(&p->late))) {
		struct dp_socket *s = p->sockets[packet->listener];

		n++;
		if (s)
			dp_up_packet(s, &packet->arrival, packet->payload, packet->len);
	}
	return n;
}

void dp_late_free(struct dp_late *l)
{
	free(l->bytes);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots and send queues. A plane has DP_SLOTS slots; data leaves DP_RESERVE of them to control messages, also
 * in each socket's queue, and control messages leave the last one to the device, which needs it to read.
 */
#include "dataplane/plane.h"

struct dp_slot *dp_slot_take(struct tun_plane *p)
{
	struct dp_slot *slot;

	if (!p->free_count)
		return NULL;
	slot = p->free_slots[--p->free_count];
	slot->next = NULL;
	slot->tried = false;
	return slot;
}

void dp_slot_give(struct tun_plane *p, struct dp_slot *slot)
{
	p->free_slots[p->free_count++] = slot;
}

static bool queue_put(struct dp_socket *s, struct dp_slot *slot, unsigned max, unsigned leave)
{
	if (s->closing || s->queued >= max || s->plane->free_count < leave) {
		s->plane->counters.drop_send_queue++;
		return false;
	}
	slot->next = NULL;
	*s->tail = slot;
	s->tail = &slot->next;
	s->queued++;
	return true;
}

bool dp_queue_data(struct dp_socket *s, struct dp_slot *slot)
{
	return queue_put(s, slot, DP_QUEUE_MAX, DP_RESERVE);
}

bool dp_queue_control(struct dp_socket *s, struct dp_slot *slot)
{
	return queue_put(s, slot, DP_QUEUE_MAX + DP_RESERVE, 1);
}

struct dp_slot *dp_queue_pop(struct dp_socket *s)
{
	struct dp_slot *slot = s->head;

	s->head = slot->next;
	if (!s->head)
		s->tail = &s->head;
	s->queued--;
	return slot;
}

void dp_queue_unpop(struct dp_socket *s, struct dp_slot *slot)
{
	slot->next = s->head;
	if (!s->head)
		s->tail = &slot->next;
	s->head = slot;
	s->queued++;
}

void dp_queue_clear(struct dp_socket *s)
{
	while (s->head)
		dp_slot_give(s->plane, dp_queue_pop(s));
}

bool dp_send_inner(
	struct tun_plane *p, struct dp_row *row, uint16_t protocol, struct dp_slot *slot, size_t len)
{
	struct dp_socket *s = p->sockets[row->listener];

	if (!s) {
		p->counters.drop_send_queue++;
		return false;
	}
	slot->at = DP_HEADROOM - DP_HEADER_SIZE;
	slot->len = (uint32_t)(len + DP_HEADER_SIZE);
	slot->local = row->local;
	slot->tos = tos_read(slot->bytes + DP_HEADROOM) & (row->copy_ecn ? 0xff : (uint8_t)~TOS_ECN);
	slot->to_len = endpoint_to_sockaddr(&row->peer, &slot->to);
	dp_header_write(slot->bytes + slot->at, row->peer_tunnel, row->peer_session, protocol);
	return dp_queue_data(s, slot);
}

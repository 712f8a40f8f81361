/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See network.h. */
#include "network.h"

#include <stdlib.h>
#include <string.h>

static bool earlier(const struct packet *a, const struct packet *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_push(struct network *n, struct packet *p)
{
	size_t i;

	if (n->count == n->room) {
		n->room = n->room ? 2 * n->room : 1024;
		n->heap = realloc(n->heap, n->room * sizeof(*n->heap));
	}
	for (i = n->count++; i && earlier(p, n->heap[(i - 1) / 2]); i = (i - 1) / 2)
		n->heap[i] = n->heap[(i - 1) / 2];
	n->heap[i] = p;
}

struct packet *network_take(struct network *n)
{
	struct packet *top = n->heap[0], *last = n->heap[--n->count];
	size_t i = 0;

	while (2 * i + 1 < n->count) {
		size_t child = 2 * i + 1;

		if (child + 1 < n->count && earlier(n->heap[child + 1], n->heap[child]))
			child++;
		if (!earlier(n->heap[child], last))
			break;
		n->heap[i] = n->heap[child];
		i = child;
	}
	n->heap[i] = last;
	return top;
}

static bool percent(struct rng *rng, unsigned chance)
{
	return chance && rng_below(rng, 100) < chance;
}

void network_send(struct network *n, struct rng *rng, msec now, uint8_t direction, uint32_t user,
	uint32_t port, const uint8_t *data, size_t len)
{
	unsigned copies = percent(rng, n->duplicate) ? 2 : 1;

	n->sent++;
	if (percent(rng, n->loss)) {
		n->lost++;
		return;
	}
	while (copies--) {
		struct packet *p = malloc(sizeof(*p) + len);

		*p = (struct packet){.at = now + 1 + n->delay_ms / 2 + rng_below(rng, n->delay_ms / 2 + 1),
			.order = n->order++,
			.direction = direction,
			.user = user,
			.port = port,
			.len = len};
		if (percent(rng, n->reorder))
			p->at += rng_below(rng, 4 * n->delay_ms + 1);
		memcpy(p->data, data, len);
		heap_push(n, p);
	}
}

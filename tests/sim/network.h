/* sim/network: a bad network: a heap of packets by the time of their arrival; it loses, repeats, delays and reorders. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "lib/rng.h"
#include "lib/wheel.h"

enum { TO_SERVER, TO_USER };

struct packet {
	msec at;
	uint64_t order; /* equal times keep their order */
	uint8_t direction;
	uint32_t user, port;
	size_t len;
	uint8_t data[];
};

struct network {
	unsigned loss, duplicate, reorder; /* percent */
	uint32_t delay_ms;
	struct packet **heap; /* by time of arrival */
	size_t count, room;
	uint64_t sent, lost, order;
};

void network_send(struct network *n, struct rng *rng, msec now, uint8_t direction, uint32_t user,
	uint32_t port, const uint8_t *data, size_t len);
/* The packet that arrives next: n->heap[0], where n->count is not 0. The caller frees it. */
struct packet *network_take(struct network *n);

#endif

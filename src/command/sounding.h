/*
 * command/sounding: how large a packet gets through a softwire and back, by echo requests of several sizes. Pure.
 *
 * All sizes are sent at once, and again while answers are missing: one round trip tells the largest that comes back, whatever happens to those
 * that are larger.
 */
#ifndef COMMAND_SOUNDING_H
#define COMMAND_SOUNDING_H

#include "lib/addr.h"

enum { SOUNDING_SIZES = 16, SOUNDING_PACKET = 9216 };

struct sounding {
	struct addr from, to;
	uint16_t id;
	unsigned count;
	uint16_t sizes[SOUNDING_SIZES]; /* of whole inner packets, descending */
	bool back[SOUNDING_SIZES];
};

/* Sizes from MTU down. */
void sounding_begin(struct sounding *s, const struct addr *from, const struct addr *to, uint16_t id, uint16_t mtu);
/* One more, if it is not there yet. */
void sounding_add(struct sounding *s, uint16_t size);
/* The echo request number N: its length, 0: it does not fit. */
size_t sounding_write(const struct sounding *s, unsigned n, uint8_t *buf, size_t size);
/* An inner packet: notes what it answers. */
void sounding_read(struct sounding *s, const uint8_t *packet, size_t len);
/* The largest size that came back; 0: none. */
uint16_t sounding_best(const struct sounding *s);

#endif

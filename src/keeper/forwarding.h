/* keeper/forwarding: makes the host a router, and afterwards what it was. */
#ifndef KEEPER_FORWARDING_H
#define KEEPER_FORWARDING_H

#include "lib/log.h"

struct forwarding_change;

struct forwarding {
	struct forwarding_change *changes; /* the latest first */
};

/* 0 or -errno; nothing happens where forwarding is on already. */
int forwarding_enable(struct forwarding *f, uint8_t family, struct log *log);
/* Undoes what was changed, unless somebody has changed it again since. */
void forwarding_restore(struct forwarding *f, struct log *log);

#endif

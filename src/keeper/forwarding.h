/* keeper/forwarding: makes the host a router, and afterwards what it was. */
#ifndef KEEPER_FORWARDING_H
#define KEEPER_FORWARDING_H

#include "keeper/ledger.h"
#include "lib/log.h"

struct forwarding_change;

struct forwarding {
	struct forwarding_change *changes; /* the latest first */
	struct ledger *ledger;             /* or NULL */
};

/* 0 or -errno; nothing happens where forwarding is on already. */
int forwarding_enable(struct forwarding *f, uint8_t family, struct log *log);
/* Undoes what was changed, unless somebody has changed it again since. */
void forwarding_restore(struct forwarding *f, struct log *log);

/* A change that an earlier keeper has made. False: it is none. */
bool forwarding_inherit(struct forwarding *f, struct ledger_item *item);
/* Nothing is undone: somebody else will. */
void forwarding_forget(struct forwarding *f);

#endif

/* keeper/bridge: bridges of LAN interfaces, and the way back: what was not made here is not unmade here. */
#ifndef KEEPER_BRIDGE_H
#define KEEPER_BRIDGE_H

#include "keeper/ledger.h"
#include "keeper/message.h"
#include "netlink/route.h"

struct bridge;

/* Zeroed: none. */
struct bridges {
	struct bridge *first;
	struct ledger *ledger; /* or NULL */
};

/* As keeper_bridge(). */
int bridges_set(struct bridges *b, struct netlink *n, const struct message_bridge *m);
/* Undoes what P does not allow. */
void bridges_limit(struct bridges *b, struct netlink *n, const struct keeper_policy *p);
/* One that an earlier keeper has made or used. False: it is none. */
bool bridges_inherit(struct bridges *b, struct ledger_item *item);
/* Nothing is undone: somebody else will. */
void bridges_forget(struct bridges *b);
void bridges_done(struct bridges *b, struct netlink *n);

#endif

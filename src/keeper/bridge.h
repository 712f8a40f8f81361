/* keeper/bridge: bridges of LAN interfaces, and the way back: what was not made here is not unmade here. */
#ifndef KEEPER_BRIDGE_H
#define KEEPER_BRIDGE_H

#include "keeper/message.h"
#include "netlink/route.h"

struct bridge;

/* Zeroed: none. */
struct bridges {
	struct bridge *first;
};

/* As keeper_bridge(). */
int bridges_set(struct bridges *b, struct netlink *n, const struct message_bridge *m);
/* Undoes what P does not allow. */
void bridges_limit(struct bridges *b, struct netlink *n, const struct keeper_policy *p);
void bridges_done(struct bridges *b, struct netlink *n);

#endif

/*
 * keeper/border: rules of the kernel's routing policy that keep addresses of the core out of what comes from clients. Remembered is that there are some; which ones
 * the kernel knows.
 */
#ifndef KEEPER_BORDER_H
#define KEEPER_BORDER_H

#include "keeper/ledger.h"
#include "keeper/message.h"
#include "netlink/fib.h"

struct borders {
	bool there; /* rules of ours, maybe */
	struct ledger_entry entry;
	struct ledger *ledger; /* or NULL */
};

/* 0 or -errno: then those before are still there. */
int borders_set(struct borders *b, struct netlink *n, const struct message_borders *m);
/* What an earlier keeper has put there is ours. False: it is no entry. */
bool borders_inherit(struct borders *b, struct ledger_item *item);
/* All go where the policy has no borders (any more); else whoever asks for some replaces them. */
void borders_limit(struct borders *b, struct netlink *n, const struct keeper_policy *policy);
/* All go. */
void borders_done(struct borders *b, struct netlink *n);

#endif

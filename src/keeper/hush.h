/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper/hush: rules of the kernel's routing policy that keep it from contradicting us. Where a tunnel driver is loaded (ipip, sit, ip6_tunnel, ip_gre), it sees
 * every packet of its protocol, beside our raw sockets, and tells the sender "port unreachable", as it has no tunnel for it; a far end that believes this
 * gives packets for us back to their senders as undeliverable (Linux's own ip6_tunnel does for 30 seconds at a time). So from addresses at which we take softwires in the
 * kernel says no such thing.
 */
#ifndef KEEPER_HUSH_H
#define KEEPER_HUSH_H

#include "keeper/ledger.h"
#include "netlink/fib.h"

struct keeper_policy;

struct hush {
	unsigned count;
	struct addr locals[NETLINK_HUSHED];
	bool there; /* rules of ours, maybe */
	struct ledger_entry entry;
	struct ledger *ledger; /* or NULL */
};

/* LOCAL, too. 0 or -errno: -ENOSPC, or the kernel's */
int hush_add(struct hush *h, struct netlink *n, const struct addr *local);
/* What an earlier keeper has put there is ours, until the first hush_add() replaces it. False: it is no entry. */
bool hush_inherit(struct hush *h, struct ledger_item *item);
/* Those that POLICY does not have (any more) go. */
void hush_limit(struct hush *h, struct netlink *n, const struct keeper_policy *policy);
/* All go. */
void hush_done(struct hush *h, struct netlink *n);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keeper/table: routes of BGP in the kernel's tables. Remembered is into which tables some were put, with what metric; which ones the kernel knows. */
#ifndef KEEPER_TABLE_H
#define KEEPER_TABLE_H

#include "keeper/ledger.h"
#include "keeper/message.h"
#include "netlink/fib.h"

struct table_used;

struct tables {
	struct table_used *used;
	struct ledger *ledger; /* or NULL */
};

/* 0; or the first error and a bit in RET_FAILED for each route that failed, or none: nothing is known of any. */
int tables_put(
	struct tables *t, struct netlink *n, const struct message_bgp_routes *m, uint64_t ret_failed[2]);
/* Removes some. 0: none is left; -EAGAIN: there may be more; -errno. */
int tables_flush(struct tables *t, struct netlink *n, const struct keeper_table *table);
/* What an earlier keeper has put there is ours. False: it is no entry. */
bool tables_inherit(struct tables *t, struct ledger_item *item);
/* All of a table that the policy does not name (any more) goes. */
void tables_limit(struct tables *t, struct netlink *n, const struct keeper_policy *policy);
/* All goes. */
void tables_done(struct tables *t, struct netlink *n);
/* Nothing is undone: somebody else will. */
void tables_forget(struct tables *t);

#endif

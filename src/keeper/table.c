/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of BGP. A million of them are no million entries of the ledger: protocol, table and metric mark them, and that is what is written down.
 */
#include <errno.h>
#include <stdlib.h>

#include "keeper/policy.h"
#include "keeper/table.h"

enum { FLUSH_SLICE = 1024 }; /* routes: some ten milliseconds, in which other requests wait */

struct table_used {
	struct table_used *next;
	struct keeper_table table;
	struct ledger_entry entry;
};

_Static_assert((int)KEEPER_BGP_ROUTES <= (int)NETLINK_BATCH && KEEPER_BGP_ROUTES <= 128,
	"a request is a batch, with a bit for each");

/* ---- what is remembered ---- */

static struct table_used **find(struct tables *t, const struct keeper_table *table)
{
	struct table_used **link = &t->used;

	while (*link && ((*link)->table.table != table->table || (*link)->table.metric != table->metric))
		link = &(*link)->next;
	return link;
}

static struct table_used *add(struct tables *t, const struct keeper_table *table)
{
	struct table_used *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->table = *table;
	u->next = t->used;
	t->used = u;
	return u;
}

static int remember(struct tables *t, const struct keeper_table *table)
{
	uint8_t bytes[2 * sizeof(uint32_t)];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct table_used *u;

	if (*find(t, table))
		return 0;
	u = add(t, table);
	if (!u)
		return -ENOMEM;
	writer_u32(&w, table->table);
	writer_u32(&w, table->metric);
	(void)ledger_write(t->ledger, &u->entry, LEDGER_TABLE,
		&w); /* short of memory: it is undone by us, or not at all */
	return 0;
}

static void forget(struct tables *t, struct table_used **link)
{
	struct table_used *u = *link;

	if (!u)
		return;
	*link = u->next;
	ledger_drop(t->ledger, &u->entry);
	free(u);
}

bool tables_inherit(struct tables *t, struct ledger_item *item)
{
	struct keeper_table table = {.table = reader_u32(&item->fields)};
	struct message_request r = {.type = MESSAGE_BGP_FLUSH};
	struct table_used *u;

	table.metric = reader_u32(&item->fields);
	r.body.table = table; /* as the engine would ask to remove them, so that it is checked like that */
	if (!reader_ok(&item->fields) || message_check(&r) || *find(t, &table))
		return false;
	u = add(t, &table);
	if (u)
		u->entry = item->entry;
	return u;
}

void tables_forget(struct tables *t)
{
	while (t->used) {
		struct table_used *u = t->used;

		t->used = u->next;
		free(u);
	}
}

/* ---- doing it ---- */

int tables_put(
	struct tables *t, struct netlink *n, const struct message_bgp_routes *m, uint64_t ret_failed[2])
{
	struct netlink_bgp_route routes[KEEPER_BGP_ROUTES];
	int first = 0, r = remember(t, &m->table);

	for (uint32_t i = 0; i < m->count; i++)
		routes[i] = (struct netlink_bgp_route){.add = m->routes[i].add,
			.on_link = m->routes[i].on_link,
			.dst = m->routes[i].dst,
			.gateway = m->routes[i].gateway,
			.ifindex = m->routes[i].ifindex};
	if (!r)
		r = netlink_bgp_routes(n, m->table.table, m->table.metric, routes, m->count);
	for (uint32_t i = 0; i < m->count && !r; i++) {
		if (!routes[i].error)
			continue;
		ret_failed[i / 64] |= UINT64_C(1) << i % 64;
		first = first ? first : routes[i].error;
	}
	return r ? r : first;
}

int tables_flush(struct tables *t, struct netlink *n, const struct keeper_table *table)
{
	unsigned count = 0;
	int r = netlink_bgp_flush(n, table->table, table->metric, FLUSH_SLICE, &count);

	if (r)
		return r;
	if (count)
		return -EAGAIN;
	forget(t, find(t, table));
	return 0;
}

/* What cannot be removed is left, as with the other changes that are undone. */
static void remove_all(struct tables *t, struct netlink *n, struct table_used **link)
{
	struct keeper_table table = (*link)->table;
	unsigned count = 1;

	while (count && !netlink_bgp_flush(n, table.table, table.metric, FLUSH_SLICE, &count))
		continue;
	forget(t, link);
}

void tables_limit(struct tables *t, struct netlink *n, const struct keeper_policy *policy)
{
	struct table_used **link = &t->used;

	while (*link) {
		if (policy_has_table(policy, &(*link)->table))
			link = &(*link)->next;
		else
			remove_all(t, n, link);
	}
}

void tables_done(struct tables *t, struct netlink *n)
{
	while (t->used)
		remove_all(t, n, &t->used);
}

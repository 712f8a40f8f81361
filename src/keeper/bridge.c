/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bridges. Ports are remembered by name, because they come and go; a bridge by its index, because one that somebody has made anew is not ours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/bridge.h"
#include "keeper/policy.h"

struct bridge {
	struct bridge *next;
	char name[IFNAMSIZ];
	unsigned index;
	bool made;      /* by us */
	unsigned count; /* of ports that have become that by us */
	char ports[KEEPER_BRIDGE_PORTS][IFNAMSIZ];
	struct ledger_entry entry;
};

static struct bridge **find(struct bridges *b, const char *name)
{
	struct bridge **link = &b->first;

	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	return link;
}

/* ---- ports ---- */

static bool has_port(const struct bridge *b, const char *port)
{
	for (unsigned i = 0; i < b->count; i++)
		if (!strcmp(b->ports[i], port))
			return true;
	return false;
}

static bool is_wanted(const struct message_bridge *m, const char *port)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (!strcmp(m->ports[i], port))
			return true;
	return false;
}

static void drop_port(struct bridge *b, struct netlink *n, unsigned i)
{
	(void)netlink_bridge_leave(n, b->index, b->ports[i]);
	memmove(b->ports[i], b->ports[i + 1], (b->count - i - 1) * sizeof(b->ports[0]));
	b->count--;
}

static int join_port(struct bridge *b, struct netlink *n, const char *port)
{
	int r = netlink_bridge_join(n, b->index, port);

	if (r == -EALREADY) /* by us, or by the administrator, with whom it stays */
		return 0;
	if (!r && !has_port(b, port))
		memcpy(b->ports[b->count++], port, IFNAMSIZ);
	return r;
}

/* All that can be had; the first error. */
static int set_ports(struct bridge *b, struct netlink *n, const struct message_bridge *m)
{
	int result = 0;

	for (unsigned i = b->count; i-- > 0;)
		if (!is_wanted(m, b->ports[i]))
			drop_port(b, n, i);
	for (uint32_t i = 0; i < m->count; i++) {
		int r = join_port(b, n, m->ports[i]);

		if (!result)
			result = r;
	}
	return result;
}

/* ---- the ledger ---- */

static void enter(struct bridges *all, struct bridge *b)
{
	uint8_t bytes[(KEEPER_BRIDGE_PORTS + 1) * (IFNAMSIZ + 2) + 8];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ledger_put_text(&w, b->name);
	writer_u32(&w, b->index);
	writer_u8(&w, b->made);
	writer_u8(&w, (uint8_t)b->count);
	for (unsigned i = 0; i < b->count; i++)
		ledger_put_text(&w, b->ports[i]);
	(void)ledger_write(all->ledger, &b->entry, LEDGER_BRIDGE, &w);
}

/* Its fields; false: they make no sense. */
static bool read_entry(struct bridge *b, struct reader r)
{
	ledger_take_text(&r, b->name, sizeof(b->name));
	b->index = reader_u32(&r);
	b->made = reader_u8(&r);
	b->count = reader_u8(&r);
	if (b->count > KEEPER_BRIDGE_PORTS)
		return false;
	for (unsigned i = 0; i < b->count; i++) {
		ledger_take_text(&r, b->ports[i], sizeof(b->ports[i]));
		if (!b->ports[i][0])
			return false;
	}
	return reader_ok(&r) && b->name[0];
}

bool bridges_inherit(struct bridges *all, struct ledger_item *item)
{
	struct bridge *b = calloc(1, sizeof(*b));

	if (!b || !read_entry(b, item->fields) || *find(all, b->name)) {
		free(b);
		return false;
	}
	b->entry = item->entry;
	b->next = all->first;
	all->first = b;
	return true;
}

/* ---- bridges ---- */

/* Makes it, where it is missing (again). */
static int ensure(struct bridge *b, struct netlink *n)
{
	unsigned index = 0;
	int r = netlink_bridge_index(n, b->name, &index);

	if (!r && index == b->index)
		return 0;
	if (r && r != -ENODEV)
		return r;
	b->made = r == -ENODEV;
	b->count = 0; /* they went with the one that we knew */
	if (b->made)
		r = netlink_bridge_add(n, b->name, &index);
	if (!r)
		b->index = index;
	return r;
}

static void undo(struct bridges *all, struct netlink *n, struct bridge **link)
{
	struct bridge *b = *link;

	while (b->count)
		drop_port(b, n, b->count - 1);
	if (b->made)
		(void)netlink_bridge_delete(n, b->index);
	*link = b->next;
	ledger_drop(all->ledger, &b->entry);
	free(b);
}

int bridges_set(struct bridges *all, struct netlink *n, const struct message_bridge *m)
{
	struct bridge **link = find(all, m->bridge);
	bool known = *link != NULL;
	struct bridge *b = *link;
	int r, up = 0;

	if (!m->count) {
		if (known)
			undo(all, n, link);
		return 0;
	}
	if (!known) {
		b = calloc(1, sizeof(*b));
		if (!b)
			return -ENOMEM;
		memcpy(b->name, m->bridge, sizeof(b->name));
		*link = b;
	}
	r = ensure(b, n);
	if (r) {
		b->made = false;
		undo(all, n, link);
		return r;
	}
	r = set_ports(b, n, m);
	/* Last, so that its link-local address is that of a port's MAC address, and the same each time. */
	if (b->made)
		up = netlink_link_up(n, b->name, true);
	enter(all, b);
	return r ? r : up;
}

void bridges_limit(struct bridges *all, struct netlink *n, const struct keeper_policy *p)
{
	struct bridge **link = &all->first;

	while (*link) {
		struct bridge *b = *link;

		for (unsigned i = b->count; i-- > 0;)
			if (!policy_has_port(p, b->ports[i]))
				drop_port(b, n, i);
		if (!policy_has_bridge(p, b->name)) {
			undo(all, n, link);
			continue;
		}
		enter(all, b);
		link = &b->next;
	}
}

void bridges_done(struct bridges *all, struct netlink *n)
{
	while (all->first)
		undo(all, n, &all->first);
}

void bridges_forget(struct bridges *all)
{
	while (all->first) {
		struct bridge *b = all->first;

		all->first = b->next;
		free(b);
	}
}

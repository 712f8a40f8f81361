/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one keeper to the next: what is held (descriptors by name, and what is known of them in the ledger) and what is to be undone.
 *
 * Whatever of the two halves of something held is missing, the other one is thrown away.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/grant.h"
#include "keeper/notify.h"

static const char ledger_name[] = "ledger";

/* ---- entries ---- */

/* On the wire, so to speak: never renumbered. */
static const uint32_t held_types[] = {
	0, MESSAGE_OPEN_UDP, MESSAGE_OPEN_TUN, MESSAGE_OPEN_CONTROL, MESSAGE_OPEN_STATE, MESSAGE_HOLD_UDP,
	MESSAGE_OPEN_TCP, MESSAGE_OPEN_TAP};
enum { HELD_TYPES = sizeof(held_types) / sizeof(*held_types), ENTRY_BYTES = 256 };

const char *grant_held_name(const struct grant_held *h, char name[GRANT_NAME])
{
	snprintf(name, GRANT_NAME, "held-%u", h->entry.id);
	return name;
}

static void put_endpoint(struct writer *w, const struct endpoint *e)
{
	ledger_put_addr(w, &e->addr);
	writer_u16(w, e->port);
}

static struct endpoint take_endpoint(struct reader *r)
{
	struct endpoint e = {.addr = ledger_take_addr(r)};

	e.port = reader_u16(r);
	return e;
}

void grant_enter_held(struct grant *g, struct grant_held *h)
{
	uint8_t bytes[ENTRY_BYTES], type = 0;
	struct writer w = writer_of(bytes, sizeof(bytes));

	while (held_types[type] != h->type)
		type++;
	writer_u8(&w, type);
	put_endpoint(&w, &h->asked);
	put_endpoint(&w, &h->bound);
	ledger_put_text(&w, h->name);
	ledger_put_text(&w, h->path);
	(void)ledger_write(&g->ledger, &h->entry, LEDGER_HELD, &w);
}

static bool read_held(struct grant_held *h, struct reader r)
{
	uint8_t type = reader_u8(&r);

	h->asked = take_endpoint(&r);
	h->bound = take_endpoint(&r);
	ledger_take_text(&r, h->name, sizeof(h->name));
	ledger_take_text(&r, h->path, sizeof(h->path));
	h->type = type < HELD_TYPES ? held_types[type] : 0;
	return reader_ok(&r) && h->type;
}

void grant_enter_added(struct grant *g, struct grant_added *a)
{
	const struct message_route *route = &a->route;
	const struct message_address *address = &a->address;
	uint8_t bytes[ENTRY_BYTES];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (a->type == MESSAGE_ROUTE) {
		ledger_put_addr(&w, &route->dst.addr);
		writer_u8(&w, route->dst.len);
		writer_u32(&w, route->metric);
	} else {
		ledger_put_text(&w, address->device);
		ledger_put_addr(&w, &address->address);
		writer_u8(&w, address->prefix_len);
	}
	(void)ledger_write(
		&g->ledger, &a->entry, a->type == MESSAGE_ROUTE ? LEDGER_ROUTE : LEDGER_ADDRESS, &w);
}

/* As the engine would ask to delete it, so that it is checked like that. */
static bool read_added(struct message_request *m, enum ledger_kind kind, struct reader r)
{
	if (kind == LEDGER_ROUTE) {
		m->type = MESSAGE_ROUTE;
		m->body.route.kind = KEEPER_ROUTE_UNREACHABLE;
		m->body.route.dst.addr = ledger_take_addr(&r);
		m->body.route.dst.len = reader_u8(&r);
		m->body.route.metric = reader_u32(&r);
	} else {
		m->type = MESSAGE_ADDRESS;
		ledger_take_text(&r, m->body.address.device, sizeof(m->body.address.device));
		m->body.address.address = ledger_take_addr(&r);
		m->body.address.prefix_len = reader_u8(&r);
	}
	return reader_ok(&r) && !message_check(m);
}

/* ---- inheriting ---- */

static bool inherit_held(struct grant *g, struct handover *from, const struct ledger_item *item)
{
	struct grant_held *h = g->held_count < GRANT_HELD_MAX ? calloc(1, sizeof(*h)) : NULL;
	char name[GRANT_NAME];

	if (!h)
		return false;
	h->entry = item->entry;
	h->fd = read_held(h, item->fields) ? handover_find(from, grant_held_name(h, name)) : -1;
	if (h->fd < 0) {
		free(h);
		return false;
	}
	h->next = g->held;
	g->held = h;
	g->held_count++;
	return true;
}

static bool inherit_added(struct grant *g, const struct ledger_item *item)
{
	struct message_request m = {0};
	struct grant_added *a, **link = &g->added;

	if (g->added_count >= GRANT_ADDED_MAX || !read_added(&m, item->kind, item->fields))
		return false;
	a = calloc(1, sizeof(*a));
	if (!a)
		return false;
	a->type = m.type;
	a->entry = item->entry;
	if (m.type == MESSAGE_ROUTE)
		a->route = m.body.route;
	else
		a->address = m.body.address;
	while (*link)
		link = &(*link)->next;
	*link = a;
	g->added_count++;
	return true;
}

/* Written down for an upgrade only, and dropped by whoever reads it. */
static bool is_hook(const struct ledger_item *item)
{
	return item->kind == LEDGER_HOOK || item->kind == LEDGER_HOOK_RUN;
}

static bool inherit_one(struct grant *g, struct handover *from, struct ledger_item *item)
{
	switch (item->kind) {
	case LEDGER_HELD:
		return inherit_held(g, from, item);
	case LEDGER_ROUTE:
	case LEDGER_ADDRESS:
		return inherit_added(g, item);
	case LEDGER_FORWARDING:
		return forwarding_inherit(&g->forwarding, item);
	case LEDGER_BRIDGE:
		return bridges_inherit(&g->bridges, item);
	case LEDGER_TABLE:
		return tables_inherit(&g->tables, item);
	case LEDGER_BORDERS:
		return borders_inherit(&g->borders, item);
	case LEDGER_HUSH:
		return hush_inherit(&g->hush, item);
	case LEDGER_DNS:
		return resolver_inherit(&g->resolver, item, loop_clock());
	case LEDGER_HOOK:
		(void)hooks_inherit(&g->hooks, item->fields, loop_clock());
		break;
	case LEDGER_HOOK_RUN:
		(void)hooks_inherit_run(&g->hooks, item->fields, from, loop_clock());
		break;
	}
	return false; /* it is not needed any more, or not known here */
}

static void log_inherited(const struct grant *g, size_t items, size_t dropped)
{
	struct log_line l;

	if (!log_begin(g->log, &l, LEVEL_INFO, "inherited"))
		return;
	log_uint(&l, "descriptors", g->held_count);
	log_uint(&l, "changes", items - dropped - g->held_count);
	if (dropped)
		log_uint(&l, "dropped", dropped);
	log_end(&l);
}

void grant_inherit(struct grant *g, struct handover *from, int ledger_fd)
{
	struct ledger_item *items;
	size_t count, dropped = 0;
	int r = ledger_open(&g->ledger, ledger_fd);

	if (r) {
		log_message(g->log, LEVEL_WARN, "keeper",
			"no memory for what must outlive us: no upgrades: %s", strerror(-r));
		return;
	}
	notify_store(ledger_name, g->ledger.fd);
	items = ledger_items(&g->ledger, &count);
	for (size_t i = 0; i < count; i++)
		if (!inherit_one(g, from, &items[i])) {
			dropped += !is_hook(&items[i]);
			ledger_drop(&g->ledger, &items[i].entry);
		}
	if (count)
		log_inherited(g, count, dropped);
	free(items);
}

/* ---- handing over ---- */

int grant_hand_over(struct grant *g, struct handover *to)
{
	char name[GRANT_NAME];
	int r = g->ledger.store ? handover_add(to, ledger_name, g->ledger.fd) : -EOPNOTSUPP;

	for (const struct grant_held *h = g->held; h && !r; h = h->next)
		if (h->entry.id)
			r = handover_add(to, grant_held_name(h, name), h->fd);
	if (!r)
		hooks_hand_over(&g->hooks, &g->ledger, to);
	return r;
}

void grant_hand_back(struct grant *g)
{
	size_t count;
	struct ledger_item *items = ledger_items(&g->ledger, &count);

	for (size_t i = 0; i < count; i++)
		if (is_hook(&items[i]))
			ledger_drop(&g->ledger, &items[i].entry);
	free(items);
}

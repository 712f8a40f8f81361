/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Border filters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/border.h"

static void remember(struct borders *b)
{
	uint8_t bytes[1];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (b->there)
		return;
	b->there = true;
	writer_u8(&w, 1);
	(void)ledger_write(b->ledger, &b->entry, LEDGER_BORDERS,
		&w); /* short of memory: it is undone by us, or not at all */
}

static void forget(struct borders *b)
{
	b->there = false;
	ledger_drop(b->ledger, &b->entry);
}

/* Each interface by each set, as source and as destination. */
static unsigned make_rules(const struct message_borders *m, struct netlink_rule *rules)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < m->interface_count; i++)
		for (uint32_t k = 0; k < m->set_count; k++)
			for (unsigned from = 0; from < 2; from++) {
				struct netlink_rule *r = &rules[count++];

				memcpy(r->interface, m->interfaces[i], sizeof(r->interface));
				r->from = from;
				r->prefix = m->sets[k];
			}
	return count;
}

int borders_set(struct borders *b, struct netlink *n, const struct message_borders *m)
{
	struct netlink_rule *rules =
		calloc((size_t)m->interface_count * m->set_count * 2 + 1, sizeof(*rules));
	unsigned count;
	int r;

	if (!rules)
		return -ENOMEM;
	count = make_rules(m, rules);
	if (count)
		remember(b);
	r = netlink_rules(n, rules, count);
	free(rules);
	if (!r && !count)
		forget(b);
	return r;
}

bool borders_inherit(struct borders *b, struct ledger_item *item)
{
	if (reader_u8(&item->fields) != 1 || !reader_ok(&item->fields) || b->there)
		return false;
	b->there = true;
	b->entry = item->entry;
	return true;
}

void borders_done(struct borders *b, struct netlink *n)
{
	if (!b->there)
		return;
	(void)netlink_rules(n, NULL, 0);
	forget(b);
}

void borders_limit(struct borders *b, struct netlink *n, const struct keeper_policy *policy)
{
	if (!policy->border_count || !policy->border_set_count)
		borders_done(b, n);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No errors of the kernel's about what comes out of softwires. */
#include <errno.h>

#include "keeper/hush.h"
#include "keeper/keeper.h"

static void remember(struct hush *h)
{
	uint8_t bytes[1];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (h->there)
		return;
	h->there = true;
	writer_u8(&w, 1);
	(void)ledger_write(h->ledger, &h->entry, LEDGER_HUSH,
		&w); /* short of memory: it is undone by us, or not at all */
}

int hush_add(struct hush *h, struct netlink *n, const struct addr *local)
{
	int r;

	for (unsigned i = 0; i < h->count; i++)
		if (addr_equal(&h->locals[i], local))
			return 0;
	if (h->count == NETLINK_HUSHED)
		return -ENOSPC;
	remember(h);
	h->locals[h->count] = *local;
	r = netlink_hush(n, h->locals, h->count + 1);
	if (!r)
		h->count++;
	return r;
}

bool hush_inherit(struct hush *h, struct ledger_item *item)
{
	if (reader_u8(&item->fields) != 1 || !reader_ok(&item->fields) || h->there)
		return false;
	h->there = true;
	h->entry = item->entry;
	return true;
}

void hush_done(struct hush *h, struct netlink *n)
{
	h->count = 0;
	if (!h->there)
		return;
	(void)netlink_hush(n, NULL, 0);
	h->there = false;
	ledger_drop(h->ledger, &h->entry);
}

static bool is_taken(const struct keeper_policy *policy, const struct addr *local)
{
	for (size_t i = 0; i < policy->raw_count; i++)
		if (addr_equal(&policy->raws[i], local))
			return true;
	return false;
}

void hush_limit(struct hush *h, struct netlink *n, const struct keeper_policy *policy)
{
	unsigned kept = 0;

	if (!policy->raw_count) {
		hush_done(h, n);
		return;
	}
	for (unsigned i = 0; i < h->count; i++)
		if (is_taken(policy, &h->locals[i]))
			h->locals[kept++] = h->locals[i];
	if (kept != h->count)
		(void)netlink_hush(n, h->locals, kept);
	h->count = kept;
}

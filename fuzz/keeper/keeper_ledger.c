/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a keeper inherits: entries that another version, or a madman, may have written. Whatever they are, what comes of them is what could have been
 * asked for. Nothing is undone here: that would be done to the host.
 *
 * The input is a sequence of entries: kind (1 byte), length (1), fields.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			abort();                                                                             \
	} while (0)

static int write_ledger(const uint8_t *data, size_t size)
{
	struct ledger l;
	int fd;

	CHECK(!ledger_open(&l, -1));
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;
		struct ledger_entry entry = {0};
		uint8_t bytes[256];
		struct writer w = writer_of(bytes, sizeof(bytes));

		writer_bytes(&w, data + 2, len);
		(void)ledger_write(&l, &entry, data[0], &w);
		data += 2 + len;
		size -= 2 + len;
	}
	fd = dup(l.fd);
	ledger_close(&l);
	return fd;
}

static void check_and_free(struct grant *g)
{
	CHECK(!g->held); /* there was no descriptor of any name */
	while (g->added) {
		struct grant_added *a = g->added;
		struct message_request r = {.type = a->type};

		if (a->type == MESSAGE_ROUTE)
			r.body.route = a->route;
		else
			r.body.address = a->address;
		CHECK(!message_check(&r));
		g->added = a->next;
		free(a);
	}
	hooks_done(&g->hooks);
	resolver_done(&g->resolver);
	ledger_close(&g->ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct keeper_resolvers none;
	const struct keeper_policy policy = {.resolvers = &none};
	struct handover nothing = {0};
	struct grant g;

	grant_init(&g, &policy, NULL, NULL);
	g.hooks.paused = true;
	grant_inherit(&g, &nothing, write_ledger(data, size));
	forwarding_forget(&g.forwarding);
	bridges_forget(&g.bridges);
	tables_forget(&g.tables);
	check_and_free(&g);
	return 0;
}

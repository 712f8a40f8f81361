/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries: version, kind, fields. */
#include "keeper/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/descriptor.h"

enum { ENTRY_VERSION = 1, LEDGER_MAX = 32 << 20 };

/* ---- the memory ---- */

static void look_for_last_id(struct ledger *l)
{
	struct store_record r;
	uint32_t cursor = 0;

	while (store_next(l->store, &cursor, &r))
		if (r.id > l->last_id)
			l->last_id = r.id;
}

int ledger_open(struct ledger *l, int fd)
{
	struct store_found found;
	int r;

	*l = (struct ledger){.fd = fd < 0 ? descriptor_memory("softwired-ledger") : fd};
	r = l->fd < 0 ? l->fd : store_open(l->fd, LEDGER_MAX, &l->store, &found);
	if (r) {
		ledger_close(l);
		return r;
	}
	look_for_last_id(l);
	return 0;
}

void ledger_close(struct ledger *l)
{
	store_close(l->store);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct ledger){.fd = -1};
}

/* ---- entries ---- */

int ledger_write(struct ledger *l, struct ledger_entry *e, enum ledger_kind kind, const struct writer *fields)
{
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));
	int r;

	if (!l || !l->store)
		return 0;
	writer_u8(&w, ENTRY_VERSION);
	writer_u8(&w, (uint8_t)kind);
	writer_bytes(&w, fields->start, writer_len(fields));
	if (!writer_ok(fields) || !writer_ok(&w))
		return -EMSGSIZE;
	if (!e->id)
		e->id = ++l->last_id;
	r = store_put(l->store, &e->at, e->id, bytes, writer_len(&w));
	if (r)
		e->id = 0;
	return r;
}

void ledger_drop(struct ledger *l, struct ledger_entry *e)
{
	if (l && l->store)
		store_remove(l->store, &e->at);
	*e = (struct ledger_entry){0};
}

static int by_age(const void *a, const void *b)
{
	const struct ledger_item *x = a, *y = b;

	return x->entry.id < y->entry.id ? -1 : x->entry.id > y->entry.id;
}

struct ledger_item *ledger_items(struct ledger *l, size_t *ret_count)
{
	uint32_t cursor = 0, max = l->store ? store_use(l->store).records : 0;
	struct ledger_item *items = max ? calloc(max, sizeof(*items)) : NULL;
	struct store_record record;
	size_t n = 0;

	while (items && n < max && store_next(l->store, &cursor, &record)) {
		struct reader r = reader_of(record.data, record.len);
		uint8_t version = reader_u8(&r), kind = reader_u8(&r);

		if (!reader_ok(&r) || version != ENTRY_VERSION)
			continue;
		items[n++] = (struct ledger_item){.entry = {record.at, record.id}, .kind = kind, .fields = r};
	}
	if (n)
		qsort(items, n, sizeof(*items), by_age);
	*ret_count = n;
	return items;
}

/* ---- fields ---- */

void ledger_put_addr(struct writer *w, const struct addr *a)
{
	writer_u8(w, a->family == AF_INET6 ? 6 : a->family == AF_INET ? 4 : 0);
	writer_bytes(w, a->bytes, addr_size(a->family));
}

void ledger_put_text(struct writer *w, const char *text)
{
	size_t len = strlen(text);

	writer_u16(w, (uint16_t)len);
	writer_bytes(w, text, len);
}

struct addr ledger_take_addr(struct reader *r)
{
	uint8_t version = reader_u8(r);
	struct addr a = {.family = version == 6 ? AF_INET6 : version == 4 ? AF_INET : 0};

	if (!a.family && version)
		reader_fail(r, "not an address");
	if (!reader_copy(r, a.bytes, addr_size(a.family)))
		return (struct addr){0};
	return a;
}

void ledger_take_text(struct reader *r, char *text, size_t size)
{
	size_t len = reader_u16(r);

	memset(text, 0, size);
	if (len >= size)
		reader_fail(r, "text too long");
	if (reader_left(r) >= len && len < size)
		(void)reader_copy(r, text, len);
	else
		reader_fail(r, "truncated");
	if (reader_ok(r) && strlen(text) != len)
		reader_fail(r, "zero in a text");
}

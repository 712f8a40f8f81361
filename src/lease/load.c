/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading: rows first, then their prefixes; what is read is checked as if a stranger had written it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lease/store.h"

int table_add_lease(void *owner, const struct db_lease *l, char why[256])
{
	struct lease_store *s = owner;
	struct row *row;
	int64_t now = time(NULL);

	if (strlen(l->user) > LEASE_USER_MAX || !l->user[0] || strlen(l->pool) >= sizeof(s->names->text) ||
		l->duid_len > LEASE_DUID_MAX) {
		snprintf(why, 256, "lease of user \"%.60s\": name, pool or DUID is too long or empty",
			l->user);
		return -EIO;
	}
	row = row_get(s, l->user, l->slot);
	if (!row)
		goto no_memory;
	row->now.pool = pool_name_get(s, l->pool);
	if (l->duid_len) {
		row->now.duid = malloc(sizeof(struct duid) + l->duid_len);
		if (!row->now.duid)
			goto no_memory;
		row->now.duid->len = (uint8_t)l->duid_len;
		memcpy(row->now.duid->bytes, l->duid, l->duid_len);
	}
	row->now.iaid = l->iaid;
	row->now.granted_at = l->granted_at;
	row->used_at = l->used_at;
	row->order = l->used_order;
	if (s->last_order < row->order)
		s->last_order = row->order;
	row->now.present = true;
	s->count++;
	/* In use when the daemon ended: nobody knows until when, so until now. */
	if (l->in_use)
		row_touch(s, row, now);
	if (row->now.pool)
		return 0;
no_memory:
	snprintf(why, 256, "out of memory");
	return -ENOMEM;
}

static const char *bad_prefix(const struct lease_store *s, const struct row *row, const struct db_prefix *p)
{
	uint64_t first = span_key(&p->prefix.addr);

	if (!row)
		return "belongs to no lease";
	if (p->position >= part_rules[p->part].count)
		return "has a place that no prefix has";
	for (unsigned i = 0; i < row->now.span_count; i++)
		if (row->now.spans[i]->part == p->part && row->now.spans[i]->position == p->position)
			return "has a place that another one has";
	if (!span_holds(&p->prefix) || p->prefix.addr.family != part_rules[p->part].family ||
		p->prefix.len < part_rules[p->part].min || p->prefix.len > part_rules[p->part].max)
		return "has an impossible length or family";
	if (span_overlap(&s->leased, first, span_end(first, span_bits(p->prefix.addr.family, p->prefix.len))))
		return "overlaps another one";
	return NULL;
}

/* Puts N among the spans of ST, which nobody has seen yet, by part and position. */
static int add_span(struct state *st, struct span *n)
{
	struct span **spans = reallocarray(st->spans, st->span_count + 1U, sizeof(struct span *));
	unsigned at = st->span_count;

	if (!spans)
		return -ENOMEM;
	for (; at && (spans[at - 1]->part > n->part ||
			     (spans[at - 1]->part == n->part && spans[at - 1]->position > n->position));
		at--)
		spans[at] = spans[at - 1];
	spans[at] = n;
	st->spans = spans;
	st->span_count++;
	return 0;
}

int table_add_prefix(void *owner, const struct db_prefix *p, char why[256])
{
	struct lease_store *s = owner;
	struct row *row = row_find(s, p->user, p->slot);
	const char *problem = bad_prefix(s, row, p);
	struct span *n;
	char text[PREFIX_TEXT];

	if (problem) {
		snprintf(why, 256, "prefix %s of user %.60s %s", prefix_print(&p->prefix, text), p->user,
			problem);
		return -EIO;
	}
	n = span_new(&s->leased, &p->prefix, row);
	if (n) {
		n->part = p->part;
		n->position = p->position;
		n->fixed = p->fixed;
	}
	if (!n || add_span(&row->now, n)) {
		free(n);
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	span_link(&s->leased, n);
	return 0;
}

/* The one that is not there although a later one is; span_count when none. */
static unsigned missing_position(const struct state *st)
{
	unsigned position = 0;

	for (unsigned i = 0; i < st->span_count; i++, position++) {
		if (i && st->spans[i]->part != st->spans[i - 1]->part)
			position = 0;
		if (st->spans[i]->position != position)
			return i;
	}
	return st->span_count;
}

/* Who was in use when the daemon ended was used until now, and so after all others. */
static int by_last_use(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (x->touched != y->touched)
		return x->touched ? 1 : -1;
	return row_is_older(x, y) ? -1 : row_is_older(y, x);
}

/* Checks that nothing is missing, and lists all rows in the order of their last use. */
int table_finish(struct lease_store *s, char why[256])
{
	struct row **rows = calloc(s->count + 1, sizeof(struct row *)), *row;
	uint32_t cursor = 0;
	size_t count = 0;

	if (!rows) {
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	while ((row = hash_next(&s->rows, &cursor))) {
		unsigned at = missing_position(&row->now);
		char text[PREFIX_TEXT];

		if (!row->now.present)
			continue;

		if (at < row->now.span_count) {
			struct prefix p = span_prefix(row->now.spans[at]);

			snprintf(why, 256, "lease of user %.100s: the prefix before %s is missing", row->user,
				prefix_print(&p, text));
			free(rows);
			return -EIO;
		}
		rows[count++] = row;
	}
	qsort(rows, count, sizeof(struct row *), by_last_use);
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->touched)
			rows[i]->order = ++s->last_order;
		row_relist(rows[i]);
	}
	free(rows);
	return 0;
}

int table_load(struct lease_store *s, struct db *db, char why[256])
{
	int rc = db_load(db, table_add_lease, table_add_prefix, s, why);

	return rc ? rc : table_finish(s, why);
}

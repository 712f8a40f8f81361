/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sums ---- */

static uint64_t sum_bytes(const void *data, size_t len, uint64_t seed)
{
	return data && len ? (uint64_t)hash_bytes(data, len, seed) << 32 | hash_bytes(data, len, ~seed)
			   : seed;
}

static int sum_lease(void *owner, const struct db_lease *l, char why[256])
{
	struct check *k = owner;
	uint64_t sum = sum_bytes(l->user, strlen(l->user), l->slot);

	sum = sum_bytes(l->pool, strlen(l->pool), sum);
	sum = sum_bytes(l->duid, l->duid_len, sum ^ l->iaid);
	k->sum += sum_bytes(&l->granted_at, sizeof(l->granted_at), sum);
	k->leases++;
	return 0;
}

static int sum_prefix(void *owner, const struct db_prefix *p, char why[256])
{
	struct check *k = owner;
	uint64_t sum = sum_bytes(p->user, strlen(p->user), p->slot);
	const uint8_t rest[] = {p->prefix.addr.family, p->prefix.len, p->part, p->position, p->fixed};

	sum = sum_bytes(p->prefix.addr.bytes, sizeof(p->prefix.addr.bytes), sum);
	k->sum += sum_bytes(rest, sizeof(rest), sum);
	k->prefixes++;
	return 0;
}

static void sum_row(struct check *k, const struct row *row)
{
	const struct state *st = &row->now;
	struct db_lease l = {
		.user = row->user,
		.slot = row->slot,
		.pool = st->pool->text,
		.duid = st->duid ? st->duid->bytes : NULL,
		.duid_len = st->duid ? st->duid->len : 0,
		.iaid = st->iaid,
		.granted_at = st->granted_at,
	};
	char why[256];

	sum_lease(k, &l, why);
	for (unsigned i = 0; i < st->span_count; i++) {
		const struct span *n = st->spans[i];
		struct db_prefix p = {.user = row->user,
			.slot = row->slot,
			.prefix = span_prefix(n),
			.part = n->part,
			.position = n->position,
			.fixed = n->fixed};

		sum_prefix(k, &p, why);
	}
}

/* ---- pools and users ---- */

/* Users keep what they have when a pool is changed, so this is normal, and so it is after an import from elsewhere. */
static void note_stranger(struct check *k, const struct row *row, const struct lease_pool *pool,
	const struct span *n, const char *text)
{
	static const char since[] = "since the pool was changed or the lease imported";
	const struct region *g = &pool->regions[n->part];

	if (!g->total || span_last(n) < g->first || n->first > span_end(g->first, g->len))
		sentences_add(&k->notes,
			"%s of user %s, slot %u lies outside of pool %s %s; `softwire forget %s` gives "
			"another one",
			text, row->user, row->slot, pool->name->text, since, row->user);
	else
		sentences_add(&k->notes,
			"%s of user %s, slot %u has not the length that pool %s gives %s; `softwire forget "
			"%s` "
			"gives another one",
			text, row->user, row->slot, pool->name->text, since, row->user);
}

static void check_span(const struct lease_store *s, struct check *k, const struct row *row,
	const struct lease_pool *pool, const struct span *n)
{
	const char *other = reserved_for_other(s, n->first, span_last(n), row->user);
	struct prefix p = span_prefix(n);
	char text[PREFIX_TEXT];

	prefix_print(&p, text);
	if (n->next[0] && n->next[0]->first <= span_last(n))
		sentences_add(&k->found, "%s of user %s, slot %u overlaps another lease", text, row->user,
			row->slot);
	if (other && *other)
		sentences_add(&k->found, "%s of user %s, slot %u is fixed for user %s", text, row->user,
			row->slot, other);
	else if (other)
		sentences_add(&k->found, "%s of user %s, slot %u is one that no user may have", text,
			row->user, row->slot);
	else if (!n->fixed && pool && !region_has_unit(&pool->regions[n->part], n))
		note_stranger(k, row, pool, n, text);
}

static void check_row(const struct lease_store *s, struct check *k, const struct row *row)
{
	const struct lease_pool *pool = pool_find(s, row->now.pool);
	bool from_pool = false;

	for (unsigned i = 0; i < row->now.span_count; i++) {
		check_span(s, k, row, pool, row->now.spans[i]);
		from_pool = from_pool || !row->now.spans[i]->fixed;
	}
	if (from_pool && !pool && s->pool_count)
		sentences_add(&k->found,
			"the lease of user %s, slot %u is of pool \"%s\", which is not configured", row->user,
			row->slot, row->now.pool->text);
}

struct check *check_begin(
	struct lease_store *s, bool (*knows)(void *owner, const char *user), lease_checked *done, void *owner)
{
	struct check *k = calloc(1, sizeof(*k));
	uint32_t cursor = 0;
	const struct row *row;

	if (!k)
		return NULL;
	k->done = done;
	k->owner = owner;
	while ((row = hash_next(&s->rows, &cursor))) {
		if (!row->now.present)
			continue;
		sum_row(k, row);
		check_row(s, k, row);
		if (knows && !knows(owner, row->user))
			sentences_add(&k->found,
				"user %s, who has a lease in slot %u, is not in the users file", row->user,
				row->slot);
	}
	return k;
}

/* ---- the database ---- */

int check_database(struct db *db, const struct check *k, char why[256])
{
	struct check stored = {0};

	if (!db_is_sound(db, why) || db_load(db, sum_lease, sum_prefix, &stored, why))
		return -EIO;
	if (stored.leases != k->leases || stored.prefixes != k->prefixes)
		snprintf(why, 256,
			"database: it has %llu leases with %llu prefixes, and the daemon knows %llu with "
			"%llu",
			(unsigned long long)stored.leases, (unsigned long long)stored.prefixes,
			(unsigned long long)k->leases, (unsigned long long)k->prefixes);
	else if (stored.sum != k->sum)
		snprintf(why, 256, "database: what it has of some leases is not what the daemon knows");
	else
		return 0;
	return -EIO;
}

void check_end(struct check *k, int result, const char *why)
{
	if (result)
		sentences_add(&k->found, "%s", why);
	sentences_finish(&k->found);
	sentences_finish(&k->notes);
	k->done(k->owner, &(struct lease_findings){
				  .problems = (const char *const *)k->found.text,
				  .problem_count = k->found.count,
				  .notes = (const char *const *)k->notes.text,
				  .note_count = k->notes.count,
			  });
}

void check_free(struct check *k)
{
	if (k) {
		sentences_free(&k->found);
		sentences_free(&k->notes);
	}
	free(k);
}

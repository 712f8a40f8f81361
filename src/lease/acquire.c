/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One acquire. It works on the spans that the row has, part by part: first goes what may not stay, of all parts, so that what
 * comes may overlap it; then what is fixed is taken, then what the pool gives. Only at the end the row becomes what came out. What
 * went stays allocated until the operation is settled, so that it can come back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lease/store.h"

static const struct state no_state;

enum { PART_SPANS_MAX = LEASE_PREFIXES };
_Static_assert((int)LEASE_SUBNETS <= (int)PART_SPANS_MAX, "room for all spans of any part");

/* What the request says of a part. */
struct wish {
	bool wanted;
	unsigned fixed_count; /* instead of the pool */
	struct prefix fixed[PART_SPANS_MAX];
};

struct acquire {
	struct lease_store *s;
	struct op *op;
	struct row *row;
	struct state before;
	struct pool_name *pool_name;
	struct lease_pool *pool; /* NULL: there is none of that name */
	struct wish wishes[PARTS];
	unsigned count;
	struct span *spans[LEASE_SPANS];
};

static void wish_of_one(struct wish *w, bool wanted, const struct prefix *fixed)
{
	w->wanted = wanted;
	w->fixed_count = !prefix_is_none(fixed);
	w->fixed[0] = *fixed;
}

static void wish_of_some(struct wish *w, bool wanted, const struct prefix *fixed, unsigned count)
{
	w->wanted = wanted;
	w->fixed_count = count;
	memcpy(w->fixed, fixed, count * sizeof(*fixed));
}

static void read_wishes(struct wish wishes[PARTS], const struct lease_request *r)
{
	struct prefix address = {.addr = r->fixed4, .len = (uint8_t)addr_bits(r->fixed4.family)};

	wish_of_one(&wishes[PART_LINK], r->want_link, &r->fixed_link);
	wish_of_some(&wishes[PART_DELEGATED], r->want_delegated, r->fixed, r->fixed_count);
	wish_of_one(&wishes[PART_ADDRESS4], r->want_ipv4, &address);
	wish_of_some(&wishes[PART_SUBNET4], r->want_subnet, r->fixed_subnets, r->fixed_subnet_count);
}

static unsigned count_of(const struct acquire *a, unsigned part)
{
	unsigned count = 0;

	for (unsigned i = 0; i < a->count; i++)
		count += a->spans[i]->part == part;
	return count;
}

static void add_span(struct acquire *a, struct span *n, enum part part, bool fixed)
{
	n->part = part;
	n->position = (uint8_t)count_of(a, part);
	n->fixed = fixed;
	a->spans[a->count++] = n;
}

static void drop_part(struct acquire *a, enum part part)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < a->count; i++)
		if (a->spans[i]->part == part)
			span_vacate(a->s, &a->s->leased, a->spans[i]);
		else
			a->spans[kept++] = a->spans[i];
	a->count = kept;
}

static bool has_fixed(const struct acquire *a, enum part part)
{
	const struct wish *w = &a->wishes[part];

	for (unsigned i = 0; i < a->count; i++) {
		const struct span *n = a->spans[i];
		struct prefix p = span_prefix(n);

		if (n->part == part && (!n->fixed || n->position >= w->fixed_count ||
					       !prefix_equal(&p, &w->fixed[n->position])))
			return false;
	}
	return count_of(a, part) == w->fixed_count;
}

/* A prefix from a pool stays while the user's pool has the same name, or while it is one of the new pool's units. */
static bool may_keep(const struct acquire *a, const struct span *n)
{
	if (n->fixed || reserved_for_other(a->s, n->first, span_last(n), a->row->user))
		return false;
	return a->before.pool == a->pool_name || (a->pool && region_has_unit(&a->pool->regions[n->part], n));
}

static bool may_keep_part(const struct acquire *a, enum part part)
{
	if (a->wishes[part].fixed_count)
		return has_fixed(a, part);
	for (unsigned i = 0; i < a->count; i++)
		if (a->spans[i]->part == part && !may_keep(a, a->spans[i]))
			return false;
	return true;
}

static void drop_stale(struct acquire *a)
{
	for (unsigned part = 0; part < PARTS; part++)
		if (!may_keep_part(a, part))
			drop_part(a, part);
}

static int check_fixed(struct acquire *a, const struct prefix *p, enum part part)
{
	const struct part_rule *rule = &part_rules[part];
	char text[PREFIX_TEXT];

	if (p->addr.family == rule->family && p->len >= rule->min && p->len <= rule->max && span_holds(p))
		return 0;
	op_why(a->op, "fixed prefix %s of user %s is not IPv%u of /%u to /%u", prefix_print(p, text),
		a->row->user, rule->family == AF_INET ? 4 : 6, rule->min, rule->max);
	return -EINVAL;
}

static int check_free(struct acquire *a, const struct prefix *p)
{
	uint64_t first = span_key(&p->addr), last = span_end(first, span_bits(p->addr.family, p->len));
	const struct span *held = span_overlap(&a->s->leased, first, last);
	const char *other = reserved_for_other(a->s, first, last, a->row->user);
	char text[PREFIX_TEXT];

	prefix_print(p, text);
	if (held) {
		const struct row *holder = held->owner;

		op_why(a->op, "fixed prefix %s of user %s overlaps a lease of user %s, slot %u%s", text,
			a->row->user, holder->user, holder->slot,
			holder->holders ? "" : " (not in use: forget that lease to free it)");
		return holder == a->row ? -EINVAL : -EEXIST;
	}
	if (!other)
		return 0;
	if (*other)
		op_why(a->op, "fixed prefix %s of user %s overlaps one that is fixed for user %s", text,
			a->row->user, other);
	else
		op_why(a->op, "fixed prefix %s of user %s overlaps one that no user may have", text,
			a->row->user);
	return -EEXIST;
}

static int take_fixed(struct acquire *a, const struct prefix *p, enum part part)
{
	int rc = check_fixed(a, p, part);
	struct span *n;

	if (!rc)
		rc = check_free(a, p);
	if (rc)
		return rc;
	n = span_new(&a->s->leased, p, a->row);
	if (!n)
		return -ENOMEM;
	span_occupy(a->s, &a->s->leased, n);
	add_span(a, n, part, true);
	return 0;
}

static int take_from_pool(struct acquire *a, enum part part)
{
	static const char *const names[PARTS] = {
		"link prefixes", "delegated prefixes", "IPv4 addresses", "IPv4 subnets"};
	struct region *g;
	struct span *n;
	int rc;

	if (!a->pool) {
		op_why(a->op, "there is no pool \"%s\"", a->pool_name->text);
		return -EINVAL;
	}
	g = &a->pool->regions[part];
	if (!g->total) /* this pool has no such thing: granted without */
		return 0;
	n = region_take(a->s, a->pool, part, a->row, a->op, &rc);
	if (n)
		add_span(a, n, part, false);
	else if (rc == -ENOSPC)
		op_why(a->op, "pool %s: all %llu %s are in use or fixed", a->pool_name->text,
			(unsigned long long)(g->total - g->edges), names[part]);
	return rc;
}

static int take_missing(struct acquire *a)
{
	int rc = 0;

	for (unsigned part = 0; part < PARTS; part++)
		if (!count_of(a, part))
			for (unsigned i = 0; i < a->wishes[part].fixed_count && !rc; i++)
				rc = take_fixed(a, &a->wishes[part].fixed[i], part);
	for (unsigned part = 0; part < PARTS && !rc; part++)
		if (a->wishes[part].wanted && !count_of(a, part))
			rc = take_from_pool(a, part);
	return rc;
}

/* As states have them: by part. What is new stands behind what was kept, whatever part it is. */
static void sort_spans(struct acquire *a)
{
	struct span *sorted[LEASE_SPANS];
	unsigned count = 0;

	for (unsigned part = 0; part < PARTS; part++)
		for (unsigned i = 0; i < a->count; i++)
			if (a->spans[i]->part == part)
				sorted[count++] = a->spans[i];
	memcpy(a->spans, sorted, count * sizeof(struct span *));
}

/* The row becomes what the steps came to. */
static int acquire_complete(struct acquire *a)
{
	struct state after = a->before;
	bool same = a->count == after.span_count;

	sort_spans(a);
	for (unsigned i = 0; i < a->count && same; i++)
		same = a->spans[i] == after.spans[i];
	if (!same && state_set_spans(&after, a->spans, a->count))
		return -ENOMEM;
	after.pool = a->pool_name;
	if (!same || !after.present)
		after.granted_at = time(NULL);
	after.present = true;
	row_adopt(a->s, a->row, &after);
	return 0;
}

static int acquire_steps(struct acquire *a)
{
	int rc;

	for (; a->count < a->before.span_count; a->count++)
		a->spans[a->count] = a->before.spans[a->count];
	drop_stale(a);
	rc = take_missing(a);
	return rc ? rc : acquire_complete(a);
}

static bool has_span(const struct acquire *a, const struct span *n)
{
	for (unsigned i = 0; i < a->count; i++)
		if (a->spans[i] == n)
			return true;
	return false;
}

/* What came goes; what went comes back, and so does what others lost. */
static void acquire_abandon(struct acquire *a)
{
	for (unsigned i = 0; i < a->count; i++)
		if (!state_owns_span(&a->before, a->spans[i]))
			span_vacate(a->s, &a->s->leased, a->spans[i]);
	for (unsigned i = 0; i < a->before.span_count; i++)
		if (!has_span(a, a->before.spans[i]))
			span_occupy(a->s, &a->s->leased, a->before.spans[i]);
	for (unsigned i = 0; i < a->count; i++)
		if (!state_owns_span(&a->before, a->spans[i]))
			free(a->spans[i]);
	op_undo(a->s, a->op);
}

void acquire_run(struct lease_store *s, const struct lease_request *r, struct pool_name *pool,
	struct row *row, struct op *op)
{
	struct acquire a = {.s = s, .op = op, .row = row, .pool_name = pool, .pool = pool_find(s, pool)};
	int rc;

	read_wishes(a.wishes, r);
	row->refs++; /* while it may be half-way */
	if (row_is_left_over(row)) {
		struct state left = row->now;

		row_become(s, row, &no_state);
		change_note(op, row, &left);
	}
	a.before = row->now;
	row_hold(s, row);
	rc = acquire_steps(&a);
	if (rc) {
		acquire_abandon(&a);
		row_leave(s, row);
		op_refuse(s, op, rc);
		row_drop_ref(s, row);
		return;
	}
	row_touch(s, row, time(NULL));
	if (!state_equal(&a.before, &row->now))
		change_note(op, row, &a.before);
	op_hold(op, row);
	op_grant(s, op, row, op->change_count > 0);
	row_drop_ref(s, row);
}

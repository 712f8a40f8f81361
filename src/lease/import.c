/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases from elsewhere. Each that is added becomes a state with spans of its own, not linked into the table yet, but into a set of
 * the import's, so that two that come cannot have the same. When all are there they are compared with the table; if nothing
 * objects they are made in one operation, which is committed or undone as a whole.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease/sentences.h"
#include "lease/store.h"

static const struct state no_state;

struct item {
	struct item *next;
	struct state state; /* its spans belong to it until they are the row's */
	int64_t used_at;
	uint64_t order;
	uint16_t slot;
	bool left_out;
	char user[];
};

struct lease_import {
	struct lease_store *s;
	struct item *first, **last;
	struct hash names;
	struct span_set spans;
	struct sentences found;
	struct lease_import_result result;
	enum lease_import_rule rule;
	bool blocked;
	lease_imported *done;
	void *owner;
};

struct lease_import *lease_import_new(struct lease_store *s)
{
	struct lease_import *im = calloc(1, sizeof(*im));

	if (!im)
		return NULL;
	im->s = s;
	im->last = &im->first;
	im->spans.seed = rng_u64(&s->rng);
	return im;
}

static void item_free(struct lease_import *im, struct item *it)
{
	for (unsigned i = 0; i < it->state.span_count; i++) {
		span_unlink(&im->spans, it->state.spans[i]);
		free(it->state.spans[i]);
	}
	free(it->state.spans);
	free(it->state.duid);
	free(it);
}

void lease_import_free(struct lease_import *im)
{
	struct item *it;

	if (!im)
		return;
	while ((it = im->first)) {
		im->first = it->next;
		item_free(im, it);
	}
	hash_free(&im->names);
	sentences_free(&im->found);
	free(im);
}

/* ---- adding ---- */

struct item_key {
	const char *user;
	uint16_t slot;
};

static bool item_matches(const void *item, const void *key)
{
	const struct item *it = item;
	const struct item_key *k = key;

	return it->slot == k->slot && !strcmp(it->user, k->user);
}

static uint32_t item_hash(const struct lease_import *im, const char *user, uint16_t slot)
{
	return hash_bytes(user, strlen(user), im->s->seed + slot);
}

static int invalid(char why[256], const struct lease *l, const char *problem)
{
	snprintf(why, 256, "the lease of user %.100s, slot %u %s", l->user, l->slot, problem);
	return -EINVAL;
}

static int add_span(struct lease_import *im, struct item *it, const struct prefix *p, enum part part,
	bool fixed, char why[256])
{
	const struct part_rule *rule = &part_rules[part];
	uint64_t first = span_key(&p->addr);
	char text[PREFIX_TEXT];
	struct span *n;

	prefix_print(p, text);
	if (p->addr.family != rule->family || p->len < rule->min || p->len > rule->max || !span_holds(p)) {
		snprintf(why, 256, "%s of user %.100s is not IPv%u of /%u to /%u", text, it->user,
			rule->family == AF_INET ? 4 : 6, rule->min, rule->max);
		return -EINVAL;
	}
	if (span_overlap(&im->spans, first, span_end(first, span_bits(p->addr.family, p->len)))) {
		snprintf(why, 256, "%s of user %.100s overlaps another one that comes with it", text,
			it->user);
		return -EINVAL;
	}
	n = span_new(&im->spans, p, NULL);
	if (!n) {
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	n->part = part;
	n->fixed = fixed;
	if (it->state.span_count && it->state.spans[it->state.span_count - 1]->part == part)
		n->position = it->state.spans[it->state.span_count - 1]->position + 1;
	it->state.spans[it->state.span_count++] = n;
	span_link(&im->spans, n);
	return 0;
}

/* By part, as states have them. */
static int add_spans(struct lease_import *im, struct item *it, const struct lease *l, char why[256])
{
	struct prefix address = prefix_of(&l->address4, 32);
	int rc = 0;

	it->state.spans = calloc(LEASE_SPANS, sizeof(struct span *));
	if (!it->state.spans) {
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	if (!prefix_is_none(&l->link6))
		rc = add_span(im, it, &l->link6, PART_LINK, l->fixed & LEASE_FIXED_LINK, why);
	for (unsigned i = 0; i < l->prefix_count && !rc; i++)
		rc = add_span(
			im, it, &l->delegated[i], PART_DELEGATED, l->fixed & LEASE_FIXED_DELEGATED, why);
	if (!addr_is_none(&l->address4) && !rc)
		rc = add_span(im, it, &address, PART_ADDRESS4, l->fixed & LEASE_FIXED_ADDRESS4, why);
	for (unsigned i = 0; i < l->subnet_count && !rc; i++)
		rc = add_span(im, it, &l->subnets[i], PART_SUBNET4, l->fixed & LEASE_FIXED_SUBNETS, why);
	return rc;
}

static int fill_item(struct lease_import *im, struct item *it, const struct lease *l, char why[256])
{
	int rc = add_spans(im, it, l, why);

	if (rc)
		return rc;
	it->state.pool = pool_name_get(im->s, l->pool);
	if (l->duid_len) {
		it->state.duid = malloc(sizeof(struct duid) + l->duid_len);
		if (it->state.duid) {
			it->state.duid->len = (uint8_t)l->duid_len;
			memcpy(it->state.duid->bytes, l->duid, l->duid_len);
		}
	}
	it->state.iaid = l->iaid;
	it->state.granted_at = l->granted_at;
	it->state.present = true;
	it->used_at = l->used_at;
	it->order = l->used_order;
	if (it->state.pool && (it->state.duid || !l->duid_len) &&
		!hash_insert(&im->names, item_hash(im, l->user, l->slot), it))
		return 0;
	snprintf(why, 256, "out of memory");
	return -ENOMEM;
}

static bool lease_is_valid(const struct lease *l)
{
	return memchr(l->user, 0, sizeof(l->user)) && l->user[0] && memchr(l->pool, 0, sizeof(l->pool)) &&
	       l->prefix_count <= LEASE_PREFIXES && l->subnet_count <= LEASE_SUBNETS &&
	       l->duid_len <= LEASE_DUID_MAX && l->used_order <= INT64_MAX / 2;
}

int lease_import_add(struct lease_import *im, const struct lease *l, char why[256])
{
	struct item_key key = {l->user, l->slot};
	struct item *it;
	int rc;

	if (!lease_is_valid(l)) {
		snprintf(why, 256, "a lease has an impossible user, pool, DUID, order or number of prefixes");
		return -EINVAL;
	}
	if (prefix_is_none(&l->link6) && !l->prefix_count && addr_is_none(&l->address4) && !l->subnet_count)
		return invalid(why, l, "has no address and no prefix");
	if (hash_find(&im->names, item_hash(im, l->user, l->slot), item_matches, &key))
		return invalid(why, l, "comes twice");
	it = calloc(1, sizeof(*it) + strlen(l->user) + 1);
	if (!it) {
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	memcpy(it->user, l->user, strlen(l->user) + 1);
	it->slot = l->slot;
	rc = fill_item(im, it, l, why);
	if (rc) {
		item_free(im, it);
		return rc;
	}
	*im->last = it;
	im->last = &it->next;
	return 0;
}

/* ---- comparing with what is there ---- */

static bool has_same(const struct row *row, const struct item *it)
{
	const struct state *a = &row->now, *b = &it->state;

	if (!a->present || a->pool != b->pool || a->span_count != b->span_count)
		return false;
	for (unsigned i = 0; i < a->span_count; i++)
		if (a->spans[i]->first != b->spans[i]->first || a->spans[i]->len != b->spans[i]->len ||
			a->spans[i]->part != b->spans[i]->part)
			return false;
	return true;
}

/* The next lease from *at on that is not ROW's and overlaps N. */
static struct row *next_holder(const struct span **at, const struct span *n, const struct row *row)
{
	for (; *at && (*at)->first <= span_last(n); *at = (*at)->next[0])
		if ((*at)->owner != row) {
			struct row *holder = (*at)->owner;

			*at = (*at)->next[0];
			return holder;
		}
	return NULL;
}

/* By the rule: left out, or in the way of all. CANNOT: not even by force. */
static void object(struct lease_import *im, struct item *it, bool cannot)
{
	if (im->rule == LEASE_IMPORT_MERGE)
		it->left_out = true;
	else if (im->rule == LEASE_IMPORT_STRICT || cannot)
		im->blocked = true;
}

static void compare_span(
	struct lease_import *im, struct item *it, const struct row *row, const struct span *n)
{
	const char *other = reserved_for_other(im->s, n->first, span_last(n), it->user);
	const struct span *at = span_from(&im->s->leased, n->first);
	struct prefix p = span_prefix(n);
	char text[PREFIX_TEXT];
	const struct row *holder;

	prefix_print(&p, text);
	if (other) {
		sentences_add(&im->found, "%s of user %s is fixed for %s%s", text, it->user,
			*other ? "user " : "nobody", other);
		object(im, it, true);
	}
	while ((holder = next_holder(&at, n, row))) {
		sentences_add(&im->found, "%s of user %s overlaps what user %s, slot %u has%s", text,
			it->user, holder->user, holder->slot, holder->holders ? ", and is using" : "");
		object(im, it, holder->holders);
		im->result.lost++; /* at most so many, if they lose it */
	}
}

static void compare(struct lease_import *im, struct item *it)
{
	const struct row *row = row_find(im->s, it->user, it->slot);

	if (row && has_same(row, it)) {
		it->left_out = true;
		im->result.same++;
		return;
	}
	if (it->state.pool->temporary) {
		sentences_add(&im->found, "the lease of user %s, slot %u is of pool %s, which is temporary",
			it->user, it->slot, it->state.pool->text);
		object(im, it, true);
	}
	if (row && row->now.present) {
		sentences_add(&im->found, "user %s, slot %u has another lease%s", it->user, it->slot,
			row->holders ? ", and is using it" : "");
		object(im, it, row->holders);
	}
	for (unsigned i = 0; i < it->state.span_count; i++)
		compare_span(im, it, row, it->state.spans[i]);
	im->result.left_out += it->left_out;
}

/* ---- making it so ---- */

/* HOLDER loses what overlaps N. */
static int take_from(struct lease_import *im, struct op *op, struct row *holder, const struct span *n)
{
	struct state before = holder->now, after = holder->now;
	struct span *kept[LEASE_SPANS];
	unsigned count = 0;

	for (unsigned i = 0; i < before.span_count; i++)
		if (before.spans[i]->first > span_last(n) || span_last(before.spans[i]) < n->first)
			kept[count++] = before.spans[i];
	if (!count)
		after = no_state;
	else if (state_set_spans(&after, kept, count))
		return -ENOMEM;
	row_become(im->s, holder, &after);
	change_note(op, holder, &before);
	im->result.lost++;
	return 0;
}

static int make_room(struct lease_import *im, struct op *op, const struct row *row, const struct item *it)
{
	int rc = 0;

	for (unsigned i = 0; i < it->state.span_count && !rc; i++) {
		const struct span *n = it->state.spans[i], *at;
		struct row *holder;

		while (!rc && (at = span_from(&im->s->leased, n->first)) &&
			(holder = next_holder(&at, n, row)))
			rc = take_from(im, op, holder, n);
	}
	return rc;
}

/* What was the item's is the row's. */
static void become(struct lease_import *im, struct op *op, struct row *row, struct item *it)
{
	struct state before = row->now;

	for (unsigned i = 0; i < it->state.span_count; i++) {
		span_unlink(&im->spans, it->state.spans[i]);
		it->state.spans[i]->owner = row;
	}
	if (!before.present) {
		row->used_at = it->used_at;
		row->order = it->order;
	}
	row_become(im->s, row, &it->state);
	change_note(op, row, &before);
	it->state = no_state;
	if (im->s->last_order < row->order)
		im->s->last_order = row->order;
	if (before.present)
		im->result.replaced++;
	else
		im->result.added++;
}

static int make(struct lease_import *im, struct op *op)
{
	im->result.lost = 0;
	for (struct item *it = im->first; it; it = it->next) {
		struct row *row = it->left_out ? NULL : row_get(im->s, it->user, it->slot);
		int rc;

		if (it->left_out)
			continue;
		if (!row)
			return -ENOMEM;
		row->refs++; /* it may lose all that it has, to be given it anew */
		rc = make_room(im, op, row, it);
		if (!rc)
			become(im, op, row, it);
		row_drop_ref(im->s, row);
		if (rc)
			return rc;
	}
	return 0;
}

static void imported(void *owner, int result, const struct lease *lease, const char *why)
{
	struct lease_import *im = owner;

	if (result)
		im->result = (struct lease_import_result){0};
	sentences_finish(&im->found);
	im->done(im->owner, result, &im->result, (const char *const *)im->found.text, im->found.count, why);
}

static size_t count_items(const struct lease_import *im)
{
	size_t count = 0;

	for (const struct item *it = im->first; it; it = it->next)
		count++;
	return count;
}

static void run(struct lease_import *im, struct op *op)
{
	int rc = im->blocked ? -EEXIST : make(im, op);

	if (!rc) {
		op_submit(im->s, op);
		return;
	}
	op_undo(im->s, op);
	if (rc == -EEXIST)
		op_why(op, "there are conflicts, and nothing was changed");
	op_refuse(im->s, op, rc);
}

void lease_import_run(struct lease_import *im, enum lease_import_rule rule, lease_imported *done, void *owner)
{
	struct op *op;

	im->rule = rule;
	im->done = done;
	im->owner = owner;
	health_try_now(im->s);
	for (struct item *it = im->first; it; it = it->next)
		compare(im, it);
	op = committer_is_full(im->s->committer)
		     ? NULL
		     : op_new(im->s, count_items(im) + im->result.lost, imported, im);
	if (!op) {
		imported(im, committer_is_full(im->s->committer) ? -EBUSY : -ENOMEM, NULL,
			"memory is short, or too many requests wait for the database");
		lease_import_free(im);
		return;
	}
	op->import = im;
	run(im, op);
}

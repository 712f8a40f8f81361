/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Path rows: what routes of the kernel point to. Which endpoints a route has is a key, and routes with the same key share the row.
 *
 * The backup is the next hop that BGP would choose next: route selection among the other paths, of which those with the same egress do not count, nor those that
 * lead to no softwire. (What BGP has not told us cannot be one: a reflector tells one path for a prefix.)
 *
 * A row needs a neighbour entry in the kernel. Entries are asked for many at a time, always before the routes by them, and the keeper does what it is asked in
 * order. If the kernel refuses one, the row is held as one that no route may use, the routes by it are told again (and taken out), and after some seconds
 * everything is tried once more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/softwires.h"

enum { BACKUPS_TRIED = 8, RETRY_MS = 10000 };

_Static_assert((int)SOFTWIRE_NEIGHBOURS <= (int)KEEPER_NEIGHBOURS, "one request");

/* A request for neighbour entries that is being answered. */
struct softwire_asked {
	struct softwire_asked *next, **link;
	struct softwires *softwires;
	unsigned count;
	uint32_t numbers[SOFTWIRE_NEIGHBOURS];
};

static struct softwire_path *find(const struct afbr *a, uint32_t number)
{
	const struct mesh_path *row =
		number && a->softwires ? mesh_path_find(a->softwires->table, number) : NULL;

	return row ? row->owner : NULL;
}

/* ---- neighbour entries ---- */

static void tell_refused(struct softwires *s, uint32_t number, int error)
{
	struct log_line l;

	if (!limit_ok(&s->path_lines, loop_clock(), 1, 5) ||
		!log_begin(s->afbr->log, &l, LEVEL_ERROR, "path-failed"))
		return;
	log_uint(&l, "path", number);
	log_format(&l, "reason", "the kernel does not take its neighbor entry on %s: %s", AFBR_DEVICE,
		strerror(-error));
	log_end(&l);
}

static void refused(struct softwires *s, uint32_t number, int error)
{
	struct softwire_path *p = find(s->afbr, number);

	if (!p || p->error)
		return;
	p->error = error;
	p->refs++; /* until `retry` */
	tell_refused(s, number, error);
	choice_moved(s, NULL);
	if (!wheel_armed(&s->retry))
		wheel_arm(&s->afbr->loop->wheel, &s->retry, loop_now(s->afbr->loop) + RETRY_MS);
}

static void ask(struct softwires *s, const uint32_t *numbers, unsigned count);

/* Which of many was refused is not said: they are asked for one by one then. */
static void answered(void *owner, int result, int fd)
{
	struct softwire_asked *q = owner;
	struct softwires *s = q->softwires;

	*q->link = q->next;
	if (q->next)
		q->next->link = q->link;
	if (result && q->count == 1)
		refused(s, q->numbers[0], result);
	for (unsigned i = 0; result && q->count > 1 && i < q->count; i++)
		if (find(s->afbr, q->numbers[i]))
			ask(s, &q->numbers[i], 1);
	free(q);
}

static void ask(struct softwires *s, const uint32_t *numbers, unsigned count)
{
	struct softwire_asked *q = calloc(1, sizeof(*q));

	if (!q) {
		for (unsigned i = 0; i < count; i++)
			refused(s, numbers[i], -ENOMEM);
		return;
	}
	q->softwires = s;
	q->count = count;
	memcpy(q->numbers, numbers, count * sizeof(*numbers));
	q->next = s->asked;
	q->link = &s->asked;
	if (q->next)
		q->next->link = &q->next;
	s->asked = q;
	keeper_neighbours(s->afbr->keeper, true, AFBR_DEVICE, q->numbers, count, answered, q);
}

/* First those that go: a number may have come back. */
void path_flush(struct afbr *a)
{
	struct softwires *s = a->softwires;
	unsigned count;

	if (!s)
		return;
	count = s->letting_count;
	s->letting_count = 0;
	if (count)
		keeper_neighbours(a->keeper, false, AFBR_DEVICE, s->letting, count, NULL, NULL);
	count = s->asking_count;
	s->asking_count = 0;
	if (count)
		ask(s, s->asking, count);
}

void path_renew(struct afbr *a)
{
	struct softwires *s = a->softwires;
	uint32_t numbers[SOFTWIRE_NEIGHBOURS], number = 0;
	const struct mesh_path *row;
	unsigned count = 0;

	path_flush(a);
	while (s && (row = mesh_path_next(s->table, number))) {
		number = row->number;
		numbers[count++] = number;
		if (count < SOFTWIRE_NEIGHBOURS)
			continue;
		ask(s, numbers, count);
		count = 0;
	}
	if (count)
		ask(s, numbers, count);
}

static void want_neighbour(struct softwires *s, uint32_t number)
{
	if (s->asking_count == SOFTWIRE_NEIGHBOURS)
		path_flush(s->afbr);
	s->asking[s->asking_count++] = number;
}

static void flush_soon(struct softwires *s)
{
	if (!wheel_armed(&s->tidy))
		wheel_arm(&s->afbr->loop->wheel, &s->tidy, loop_now(s->afbr->loop));
}

static void let_neighbour_go(struct softwires *s, uint32_t number)
{
	for (unsigned i = 0; i < s->asking_count; i++)
		if (s->asking[i] == number) {
			s->asking[i] = s->asking[--s->asking_count];
			return;
		}
	if (s->letting_count == SOFTWIRE_NEIGHBOURS)
		path_flush(s->afbr);
	s->letting[s->letting_count++] = number;
	flush_soon(s);
}

/* ---- rows ---- */

static bool has_key(const void *item, const void *key)
{
	return !memcmp(&((const struct softwire_path *)item)->key, key, sizeof(struct path_key));
}

static void put_endpoints(struct softwires *s, const struct path_key *key)
{
	for (unsigned i = 0; i < MESH_SLOTS; i++)
		for (unsigned k = 0; k < 2; k++)
			if (key->leg[i][k].endpoint)
				endpoint_put(s, key->leg[i][k].endpoint);
}

static void hold_endpoints(const struct path_key *key)
{
	for (unsigned i = 0; i < MESH_SLOTS; i++)
		for (unsigned k = 0; k < 2; k++)
			if (key->leg[i][k].endpoint)
				endpoint_hold(key->leg[i][k].endpoint);
}

static struct mesh_leg leg_of(const struct path_key *key, unsigned slot, unsigned which)
{
	const struct softwire_endpoint *e = key->leg[slot][which].endpoint;

	return (struct mesh_leg){
		.endpoint = e ? e->row : NULL, .label = (uint32_t)key->leg[slot][which].label};
}

static int make_row(struct softwires *s, uint32_t number, struct softwire_path *p)
{
	struct mesh_slot slots[MESH_SLOTS];
	int r;

	for (unsigned i = 0; i < MESH_SLOTS; i++)
		slots[i] = (struct mesh_slot){leg_of(&p->key, i, 0), leg_of(&p->key, i, 1)};
	r = mesh_path_new(s->table, number, slots, &p->row);
	if (!r)
		p->row->owner = p;
	return r;
}

static int make(struct softwires *s, uint32_t number, const struct path_key *key, uint32_t hash,
	struct softwire_path **ret)
{
	struct softwire_path *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->softwires = s;
	p->key = *key;
	p->hash = hash;
	r = make_row(s, number, p);
	if (!r && hash_insert(&s->paths, hash, p)) {
		mesh_path_unref(s->table, p->row);
		r = -ENOMEM;
	}
	if (r) {
		free(p);
		return r;
	}
	hold_endpoints(&p->key);
	want_neighbour(s, p->row->number);
	*ret = p;
	return 0;
}

static void discard(struct softwires *s, struct softwire_path *p)
{
	(void)hash_remove(&s->paths, p->hash, p);
	p->row->owner = NULL;
	mesh_path_unref(s->table, p->row);
	put_endpoints(s, &p->key);
	free(p);
}

static void release(struct softwires *s, struct softwire_path *p)
{
	if (--p->refs)
		return;
	mesh_plane_drain(s->plane); /* packets by it may still be in the device */
	let_neighbour_go(s, p->row->number);
	adopt_drop(s, &p->record);
	discard(s, p);
}

static int get(struct softwires *s, const struct path_key *key, struct softwire_path **ret)
{
	uint32_t hash = hash_bytes(key, sizeof(*key), s->table->seed);
	int r;

	*ret = hash_find(&s->paths, hash, has_key, key);
	if (*ret)
		return 0;
	r = make(s, 0, key, hash, ret);
	if (!r)
		adopt_save_path(s, *ret);
	return r;
}

int path_adopt(struct softwires *s, uint32_t number, const struct path_key *key, uint32_t record)
{
	uint32_t hash = hash_bytes(key, sizeof(*key), s->table->seed);
	struct softwire_path *p;
	int r = hash_find(&s->paths, hash, has_key, key) ? -EEXIST : make(s, number, key, hash, &p);

	if (r)
		return r;
	p->adopted = true;
	p->refs = 1;
	p->record = record;
	flush_soon(s);
	return 0;
}

unsigned path_settle(struct softwires *s)
{
	unsigned count = 0;
	uint32_t number = 0;
	struct mesh_path *row;

	while ((row = mesh_path_next(s->table, number))) {
		struct softwire_path *p = row->owner;

		number = row->number;
		if (!p->adopted)
			continue;
		p->adopted = false;
		count += p->refs == 1;
		release(s, p);
	}
	return count;
}

static void retry(struct wheel_timer *t, msec now)
{
	struct softwires *s = container_of(t, struct softwires, retry);
	uint32_t number = 0;
	struct mesh_path *row;

	while ((row = mesh_path_next(s->table, number))) {
		struct softwire_path *p = row->owner;

		number = row->number;
		if (!p->error)
			continue;
		p->error = 0;
		if (p->refs > 1)
			want_neighbour(s, number);
		release(s, p);
	}
	path_flush(s->afbr);
	choice_moved(s, NULL);
}

/* ---- for a route ---- */

static void add_legs(struct path_key *key, unsigned which, const struct softwire_choice *choice,
	const struct rib_path *path)
{
	for (unsigned i = 0; i < MESH_SLOTS; i++) {
		struct softwire_endpoint *e = choice->endpoint[i];

		key->leg[i][which].endpoint = e;
		key->leg[i][which].label = e && e->key.how.mpls ? path->label : 0;
	}
}

static unsigned gather_others(const struct rib *rib, rib_id net, const struct rib_path *best,
	const struct rib_path *ret[DECISION_PATHS])
{
	unsigned count = 0;

	for (const struct rib_path *p = rib_first_path(rib, net); p && count < DECISION_PATHS;
		p = rib_next_path(rib, p))
		if (p->source && p->set->next_hop &&
			!addr_equal(&p->set->next_hop->value.global, &best->set->next_hop->value.global))
			ret[count++] = p;
	return count;
}

static bool is_wanted(
	struct afbr *a, enum bgp_family family, const struct prefix *prefix, const struct rib_path *path)
{
	struct keeper_bgp_route way = {.dst = *prefix};
	bool is_native = nexthop_route(a, path->set->next_hop, prefix->addr.family, &way) == NEXTHOP_NATIVE;
	const char *why;

	return softwire_wants(a, family, prefix, path, way.ifindex, is_native, &why);
}

__attribute__((noinline)) static void add_backup(struct softwires *s, enum bgp_family family, rib_id net,
	const struct prefix *prefix, const struct rib_path *best, struct path_key *key)
{
	const struct rib *rib = bgp_rib(s->afbr->bgp, family);
	const struct rib_path *others[DECISION_PATHS];
	unsigned count = gather_others(rib, net, best, others);

	for (unsigned i = 0; count && i < BACKUPS_TRIED; i++) {
		struct softwire_choice choice;
		int next = decision_choose(rib->decision, others, count, NULL);

		if (next < 0)
			return;
		if (is_wanted(s->afbr, family, prefix, others[next])) {
			choice_path(s, family, prefix, others[next], &choice);
			if (choice.usable) {
				add_legs(key, 1, &choice, others[next]);
				return;
			}
		}
		others[next] = others[--count];
	}
}

uint32_t path_for(struct afbr *a, enum bgp_family family, rib_id net, char *why, size_t size)
{
	struct softwires *s = a->softwires;
	const struct rib *rib = bgp_rib(a->bgp, family);
	const struct rib_path *best = rib_best(rib, net);
	struct prefix prefix = rib_prefix(rib, net);
	struct softwire_choice choice;
	struct softwire_path *p;
	struct path_key key;
	int r;

	if (!s || !s->up) {
		snprintf(why, size, "the softwires are not up");
		return 0;
	}
	choice_path(s, family, &prefix, best, &choice);
	snprintf(why, size, "%s", choice.why);
	if (!choice.usable && !choice.rejects)
		return 0;
	memset(&key, 0, sizeof(key));
	add_legs(&key, 0, &choice, best);
	if (choice.usable && rib_first_path(rib, net)->next)
		add_backup(s, family, net, &prefix, best, &key);
	r = get(s, &key, &p);
	if (r || p->error) {
		snprintf(why, size, "%s: %s",
			r ? "there can be no other path" : "the kernel does not take its neighbor entry",
			strerror(r ? -r : -p->error));
		return 0;
	}
	p->refs++;
	return p->row->number;
}

bool path_rejects(struct afbr *a, uint32_t number)
{
	static const struct path_key nothing;
	const struct softwire_path *p = find(a, number);

	return p && !memcmp(&p->key, &nothing, sizeof(nothing));
}

void path_keep(struct afbr *a, uint32_t number)
{
	struct softwire_path *p = find(a, number);

	if (p)
		p->refs++;
}

void path_release(struct afbr *a, uint32_t number)
{
	struct softwire_path *p = find(a, number);

	if (p)
		release(a->softwires, p);
}

void path_route(const struct afbr *a, uint32_t number, struct keeper_bgp_route *ret)
{
	ret->gateway = mesh_path_gateway(number);
	ret->ifindex = a->softwires->ifindex;
	ret->on_link = 0;
}

/* ---- life ---- */

void path_start(struct softwires *s)
{
	s->retry.fire = retry;
}

void path_free_all(struct softwires *s)
{
	struct mesh_path *row;

	wheel_disarm(&s->afbr->loop->wheel, &s->retry);
	while ((row = mesh_path_next(s->table, 0)))
		discard(s, row->owner);
	while (s->asked) {
		struct softwire_asked *q = s->asked;

		s->asked = q->next;
		if (q->next)
			q->next->link = &s->asked;
		keeper_forget(s->afbr->keeper, q);
		free(q);
	}
	s->asking_count = s->letting_count = 0;
	hash_free(&s->paths);
}

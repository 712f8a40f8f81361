/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may send to us (SEC-MESH-4): the AFBRs that routes name, as next hops or in routes of the Encapsulation SAFI, and whom the operator names. Of the first
 * only those of the core's family and within the core's endpoints, if it says which these are (SEC-MESH-6); the data plane drops all others (SEC-MESH-7).
 *
 * Restart. BGP needs a moment until it has told all of it again, and the others go on sending meanwhile: so addresses are written down, some in each record, and
 * those of the process before count until the restart is over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/accept.h"

enum {
	SLICE = 256,
	REFUSED_RATE = 1,
	REFUSED_BURST = 5,
	SAVE_MS = 1000,
};

/* ---- by address ---- */

static uint32_t hash_of(const struct transmitters *t, const struct addr *a)
{
	return hash_bytes(a, sizeof(*a), t->softwires->table->seed);
}

static bool has_address(const void *item, const void *key)
{
	return addr_equal(&((const struct sender *)item)->address, key);
}

struct sender *transmitter_find(const struct transmitters *t, const struct addr *address)
{
	return hash_find(&t->senders, hash_of(t, address), has_address, address);
}

static struct sender *get(struct transmitters *t, const struct addr *address)
{
	struct sender *s = transmitter_find(t, address);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->address = *address;
	if (hash_insert(&t->senders, hash_of(t, address), s)) {
		free(s);
		return NULL;
	}
	s->next = t->all;
	s->link = &t->all;
	if (s->next)
		s->next->link = &s->next;
	t->all = s;
	return s;
}

/* ---- may it? ---- */

static bool is_endpoint(const struct afbr_config *c, const struct addr *a)
{
	for (unsigned i = 0; i < c->endpoint_count; i++)
		if (prefix_contains_addr(&c->endpoints[i], a))
			return true;
	return !c->endpoint_count;
}

static bool may_send(const struct transmitters *t, const struct sender *s)
{
	const struct afbr_config *c = t->softwires->afbr->config;
	const struct addr *a = &s->address;

	if (!s->next_hops && !s->endpoint && !s->kept)
		return false;
	return a->family == t->softwires->core_family && !addr_equal(a, &c->core) && !addr_is_multicast(a) &&
	       !addr_is_link_local(a) && !addr_is_unspecified(a) && is_endpoint(c, a);
}

static void save_soon(struct transmitters *t)
{
	struct loop *loop = t->softwires->afbr->loop;

	if (t->softwires->store && !wheel_armed(&t->saving))
		wheel_arm(&loop->wheel, &t->saving, loop_now(loop) + SAVE_MS);
}

static void admit(struct transmitters *t, struct sender *s)
{
	struct mesh_table *table = t->softwires->table;
	bool may = may_send(t, s);

	if (may == s->admitted)
		return;
	if (!may)
		mesh_transmitter_remove(table, &s->address);
	else if (mesh_transmitter_add(table, &s->address)) {
		log_message(t->softwires->afbr->log, LEVEL_ERROR, "mesh-transmitters",
			"not enough memory for another transmitter: what it sends is dropped");
		return;
	}
	s->admitted = may;
	save_soon(t);
}

/* Something about it is new. It may be gone afterwards. */
static void judge(struct transmitters *t, struct sender *s)
{
	admit(t, s);
	if (s->next_hops || s->endpoint || s->kept)
		return;
	hash_remove(&t->senders, hash_of(t, &s->address), s);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	free(s);
}

/* ---- next hops ---- */

void transmitter_next_hop(struct afbr *a, const struct addr *address, bool wanted)
{
	struct transmitters *t = a->softwires ? a->softwires->transmitters : NULL;
	struct sender *s = t ? wanted ? get(t, address) : transmitter_find(t, address) : NULL;

	if (!s)
		return;
	if (wanted)
		s->next_hops++;
	else if (s->next_hops)
		s->next_hops--;
	judge(t, s);
}

/* ---- routes of the Encapsulation SAFI ---- */

static enum bgp_family family_of(const struct softwires *s)
{
	return s->core_family == AF_INET ? BGP_IPV4_ENCAP : BGP_IPV6_ENCAP;
}

/* False: no memory, and it is to come again. */
static bool read_route(struct transmitters *t, rib_id net)
{
	const struct rib_path *best = rib_best(t->feed.rib, net);
	struct prefix p = rib_prefix(t->feed.rib, net);
	bool there = best && best->source && p.len == addr_bits(p.addr.family);
	struct sender *s = there ? get(t, &p.addr) : transmitter_find(t, &p.addr);

	if (there && (!s || rib_feed_set(&t->feed, net, true)))
		return false;
	if (!there)
		(void)rib_feed_set(&t->feed, net, false);
	if (s) {
		s->endpoint = there;
		judge(t, s);
	}
	return true;
}

static void read_routes(struct wheel_timer *timer, msec now)
{
	struct transmitters *t = container_of(timer, struct transmitters, timer);
	rib_id net = 0;

	for (unsigned i = 0; i < SLICE && t->fed && (net = rib_feed_next(&t->feed)); i++)
		if (!read_route(t, net)) {
			rib_feed_again(&t->feed, net);
			wheel_arm(&t->softwires->afbr->loop->wheel, timer, now + SAVE_MS);
			return;
		}
	if (net)
		wheel_arm(&t->softwires->afbr->loop->wheel, timer, now);
}

void transmitter_routes(struct afbr *a, enum bgp_family family)
{
	struct transmitters *t = a->softwires ? a->softwires->transmitters : NULL;

	if (t && t->fed && family == family_of(a->softwires) && !wheel_armed(&t->timer))
		wheel_arm(&a->loop->wheel, &t->timer, loop_now(a->loop));
}

int transmitter_begin(struct softwires *s)
{
	struct transmitters *t = s->transmitters;
	int r = rib_feed_add(bgp_rib(s->afbr->bgp, family_of(s)), &t->feed);

	t->fed = !r;
	transmitter_routes(s->afbr, family_of(s));
	return r;
}

/* ---- over a restart ---- */

/* Those that may send, from *AT on, as far as they fit. */
static struct transmitter_record fill(const struct sender **at)
{
	struct transmitter_record r = {0};

	for (; *at && r.count < TRANSMITTERS_IN_RECORD; *at = (*at)->next)
		if ((*at)->admitted)
			r.addresses[r.count++] = (*at)->address;
	return r;
}

static void save(struct wheel_timer *timer, msec now)
{
	struct transmitters *t = container_of(timer, struct transmitters, saving);
	struct store *store = t->softwires->store;
	const struct sender *at = t->all;

	for (unsigned i = 0; i < TRANSMITTER_RECORDS; i++) {
		struct transmitter_record record = fill(&at);
		uint8_t bytes[TRANSMITTER_RECORD];
		struct writer w = writer_of(bytes, sizeof(bytes));
		int r = 0;

		transmitter_record_write(&w, &record);
		if (record.count)
			r = store_put(
				store, &t->at[i], SOFTWIRE_RECORD_TRANSMITTERS + i, bytes, writer_len(&w));
		else
			store_remove(store, &t->at[i]);
		if (r) {
			log_message(t->softwires->afbr->log, LEVEL_WARN, "mesh-transmitters",
				"not all transmitters would be known after a restart: %s", strerror(-r));
			return;
		}
	}
}

static void keep(struct transmitters *t, const struct transmitter_record *record)
{
	for (unsigned i = 0; i < record->count; i++) {
		struct sender *s = get(t, &record->addresses[i]);

		if (!s)
			return;
		s->kept = true;
		judge(t, s);
	}
}

static void load(struct transmitters *t)
{
	struct softwires *s = t->softwires;
	struct store_record found;
	uint32_t cursor = 0;

	while (s->store && store_next(s->store, &cursor, &found)) {
		struct transmitter_record record;
		uint32_t i = found.id - SOFTWIRE_RECORD_TRANSMITTERS;

		if (i >= TRANSMITTER_RECORDS)
			continue;
		t->at[i] = found.at;
		if (!transmitter_record_read(reader_of(found.data, found.len), &record))
			keep(t, &record);
		else
			log_message(s->afbr->log, LEVEL_WARN, "mesh-transmitters",
				"who may send cannot be read: it is known again when routes tell it");
	}
}

/* Who is sent to may send: egresses are written down as they come, senders somewhat later. */
static void keep_endpoints(struct transmitters *t)
{
	for (const struct softwire_endpoint *e = t->softwires->endpoints; e; e = e->next) {
		struct sender *s = get(t, &e->key.address);

		if (!s)
			return;
		s->kept = true;
		judge(t, s);
	}
}

void transmitter_settle(struct softwires *s)
{
	struct sender *next;

	for (struct sender *i = s->transmitters->all; i; i = next) {
		next = i->next;
		i->kept = false;
		judge(s->transmitters, i);
	}
}

/* ---- packets that are refused ---- */

void transmitter_refused(struct softwires *s, const struct addr *from, const char *reason)
{
	struct limit *limit = &s->refused_lines;
	struct log_line l;

	if (!limit_ok(limit, loop_now(s->afbr->loop), REFUSED_RATE, REFUSED_BURST) ||
		!log_begin(s->afbr->log, &l, LEVEL_WARN, "mesh-refused"))
		return;
	log_addr(&l, "from", from);
	log_text(&l, "reason", reason);
	if (limit->suppressed)
		log_uint(&l, "suppressed", limit->suppressed);
	log_end(&l);
	limit->suppressed = 0;
}

/* ---- life ---- */

static int set_prefixes(struct softwires *s)
{
	const struct afbr_config *c = s->afbr->config;

	return mesh_transmitter_set_prefixes(s->table, c->transmitters, c->transmitter_count);
}

int transmitter_start(struct softwires *s)
{
	struct transmitters *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->softwires = s;
	t->timer.fire = read_routes;
	t->saving.fire = save;
	s->transmitters = t;
	load(t);
	keep_endpoints(t);
	return set_prefixes(s);
}

void transmitter_change(struct softwires *s, const struct afbr_config *old)
{
	struct sender *next;

	if (set_prefixes(s))
		log_message(s->afbr->log, LEVEL_ERROR, "mesh-transmitters",
			"not enough memory for `transmitters`: those before are still let in");
	for (struct sender *i = s->transmitters->all; i; i = next) {
		next = i->next;
		judge(s->transmitters, i);
	}
}

void transmitter_free(struct softwires *s)
{
	struct transmitters *t = s->transmitters;

	if (!t)
		return;
	if (t->fed)
		rib_feed_remove(&t->feed);
	wheel_disarm(&s->afbr->loop->wheel, &t->timer);
	wheel_disarm(&s->afbr->loop->wheel, &t->saving);
	while (t->all) {
		struct sender *i = t->all;

		t->all = i->next;
		free(i);
	}
	hash_free(&t->senders);
	free(t);
	s->transmitters = NULL;
}

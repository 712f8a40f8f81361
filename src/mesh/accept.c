/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What we decapsulate: table.h. A handful of rows, which a packet looks through from end to end; during a roll the old ones stand beside the new ones.
 */
#include <errno.h>

#include "mesh/table.h"

/* Would a packet that is meant for A be taken for one of B? */
static bool collides(const struct mesh_encapsulation *a, const struct mesh_encapsulation *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case MESH_GRE:
		return a->mpls == b->mpls && a->has_key == b->has_key && (!a->has_key || a->key == b->key);
	case MESH_L2TPV3: /* the session alone says what the payload is */
		return a->session == b->session;
	default:
		return a->mpls == b->mpls;
	}
}

int mesh_accept_add(struct mesh_table *t, const struct mesh_encapsulation *how, struct mesh_acceptance **ret)
{
	struct mesh_acceptance *place = NULL;

	if (!mesh_encapsulation_valid(how))
		return -EINVAL;
	for (unsigned i = MESH_ACCEPTS; i-- > 0;) {
		struct mesh_acceptance *a = &t->accept[i];

		if (!a->in_use)
			place = a;
		else if (collides(&a->how, how))
			return -EEXIST;
	}
	if (!place)
		return -ENOSPC;
	*place = (struct mesh_acceptance){.how = *how, .in_use = true};
	*ret = place;
	return 0;
}

void mesh_accept_remove(struct mesh_table *t, struct mesh_acceptance *a)
{
	(void)t;
	*a = (struct mesh_acceptance){0};
}

/* Is the row of the packet's kind and, as far as the packet says it, for its payload? */
static bool is_of_kind(const struct mesh_acceptance *a, const struct mesh_heading *h)
{
	if (!a->in_use || a->how.kind != h->kind)
		return false;
	return h->kind == MESH_L2TPV3 || a->how.mpls == (h->payload == MESH_MPLS);
}

/* And does it have its key or session? */
static bool is_meant(const struct mesh_acceptance *a, const struct mesh_heading *h)
{
	switch (h->kind) {
	case MESH_GRE:
		return a->how.has_key == h->has_key && (!h->has_key || a->how.key == h->key);
	case MESH_L2TPV3:
		return a->how.session == h->session;
	default:
		return true;
	}
}

/* Each octet is looked at, whatever those before it were: how long it takes tells a guesser nothing. */
static bool cookie_is_right(const struct mesh_encapsulation *how, struct reader *r)
{
	const uint8_t *cookie = reader_bytes(r, how->cookie_len);
	unsigned difference = 0;

	if (!reader_ok(r))
		return false;
	for (unsigned i = 0; i < how->cookie_len; i++)
		difference |= (unsigned)(cookie[i] ^ how->cookie[i]);
	return !difference;
}

static uint64_t *reason(struct mesh_counters *c, uint8_t kind, bool known)
{
	if (known && kind == MESH_GRE)
		return &c->drop_key;
	return known && kind == MESH_L2TPV3 ? &c->drop_session : &c->drop_encapsulation;
}

struct mesh_acceptance *mesh_accept_find(
	struct mesh_table *t, const struct mesh_heading *h, struct reader *r, struct mesh_counters *c)
{
	bool known = false;

	for (unsigned i = 0; i < MESH_ACCEPTS; i++) {
		struct mesh_acceptance *a = &t->accept[i];

		if (!is_of_kind(a, h))
			continue;
		known = true;
		if (!is_meant(a, h))
			continue;
		if (cookie_is_right(&a->how, r))
			return a;
		a->drop_cookie++;
		c->drop_cookie++;
		return NULL;
	}
	++*reason(c, h->kind, known);
	return NULL;
}

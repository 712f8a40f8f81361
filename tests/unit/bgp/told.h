/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes that a hand tells its speaker, and what became of them. */
#ifndef TESTS_BGP_TOLD_H
#define TESTS_BGP_TOLD_H

#include "hand.h"

static inline struct prefix told_prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static inline enum bgp_family told_family(const struct prefix *p)
{
	return p->addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;
}

/* A route with the least that it needs, and the hand as next hop. */
static inline void told_announce(struct hand *t, const char *prefix)
{
	uint8_t set[64], buf[BGP_MESSAGE_MAX];
	struct writer s = writer_of(set, sizeof(set)), w = writer_of(buf, sizeof(buf));
	struct bgp_form form = {.as4 = true, .families = 3, .max_message = BGP_MESSAGE_MAX};
	struct bgp_nlri n = {.prefix = told_prefix(prefix)};
	struct bgp_next_hop_value next_hop = {.global = t->h->address};
	struct bgp_update_writer u;

	if (n.prefix.addr.family == AF_INET6)
		assert_int_equal(addr_parse("2001:db8::1", &next_hop.global), 0);
	bgp_attribute_put(&s, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, "\0", 1);
	bgp_attribute_put(&s, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, NULL, 0);
	bgp_attribute_put(&s, BGP_FLAG_TRANSITIVE, BGP_LOCAL_PREFERENCE, "\0\0\0\x64", 4);
	assert_int_equal(bgp_update_begin(&u, &w, &form, told_family(&n.prefix),
				 reader_of(set, writer_len(&s)), &next_hop),
		0);
	assert_true(bgp_update_add(&u, &n));
	bgp_update_end(&u);
	wire_send(t->e, buf, writer_len(&w));
}

static inline void told_withdraw(struct hand *t, const char *prefix)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_form form = {.as4 = true, .families = 3, .max_message = BGP_MESSAGE_MAX};
	struct bgp_nlri n = {.prefix = told_prefix(prefix)};
	struct bgp_update_writer u;

	assert_int_equal(bgp_update_begin_withdraw(&u, &w, &form, told_family(&n.prefix)), 0);
	assert_true(bgp_update_add(&u, &n));
	bgp_update_end(&u);
	wire_send(t->e, buf, writer_len(&w));
}

static inline void told_end_of_rib(struct hand *t, enum bgp_family f)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	bgp_end_of_rib_write(&w, f);
	wire_send(t->e, buf, writer_len(&w));
}

static inline void told_refresh(struct hand *t, enum bgp_family f, enum bgp_refresh_kind kind)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	bgp_refresh_write(&w, f, kind);
	wire_send(t->e, buf, writer_len(&w));
}

/* The path of neighbour N for PREFIX in B, or NULL. */
static inline struct rib_path *told_path(struct bgp *b, const char *prefix, uint16_t source)
{
	struct prefix p = told_prefix(prefix);
	struct rib *r = bgp_rib(b, told_family(&p));
	rib_id net = rib_find(r, &p);

	for (struct rib_path *path = net ? rib_first_path(r, net) : NULL; path; path = rib_next_path(r, path))
		if (path->source == source)
			return path;
	return NULL;
}

/* "there", "stale", "gone" */
static inline const char *told_fate(struct hand *t, const char *text)
{
	const struct rib_path *p = told_path(t->s->bgp, text, t->n->source);
	struct prefix prefix = told_prefix(text);

	return !p ? "gone" : rib_is_stale(bgp_rib(t->s->bgp, told_family(&prefix)), p) ? "stale" : "there";
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UPDATE, written: RFC 4271 section 4.3, RFC 4760, RFC 8950, RFC 4798, RFC 6793 section 4.2.2, RFC 7606 section 5.1. */
#include <errno.h>
#include <string.h>

#include "bgp/attributes.h"

enum { OPTIONAL_TRANSITIVE = BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE };

/* ---- attributes ---- */

static void write_head(struct writer *w, uint8_t flags, uint8_t type, size_t len)
{
	bool extended = len > UINT8_MAX;

	writer_u8(w, flags | (extended ? BGP_FLAG_EXTENDED : 0));
	writer_u8(w, type);
	if (extended)
		writer_u16(w, (uint16_t)len);
	else
		writer_u8(w, (uint8_t)len);
}

static void write_plainly(struct writer *w, const struct bgp_attribute *a)
{
	write_head(w, a->flags, a->type, reader_left(&a->value));
	writer_bytes(w, a->value.pos, reader_left(&a->value));
}

/* A path in its wire form; what is to be left out or shortened makes its length known only afterwards. */
static void write_path(
	struct writer *w, uint8_t flags, uint8_t type, struct reader path, unsigned width, bool plain)
{
	struct writer probe = *w;
	size_t len;

	bgp_path_write(&probe, path, width, plain);
	len = (size_t)(probe.pos - w->pos);
	if (probe.overflow)
		w->overflow = true;
	write_head(w, flags, type, len);
	bgp_path_write(w, path, width, plain);
}

/* What a peer with AS numbers of two octets is told beside them (RFC 6793 section 4.2.2). */
struct beside {
	struct bgp_attribute path, aggregator; /* type 0: nothing */
};

static void write_as_path(
	struct writer *w, const struct bgp_form *form, const struct bgp_attribute *a, struct beside *b)
{
	/* Segments of a confederation stay inside: RFC 5065 section 5. */
	bool plain = form->external && bgp_path_has_confederation(a->value);

	if (form->as4 && !plain) {
		write_plainly(w, a);
		return;
	}
	write_path(w, a->flags, a->type, a->value, form->as4 ? 4 : 2, plain);
	if (!form->as4 && bgp_path_has_large(a->value))
		b->path = *a;
}

static void write_aggregator(
	struct writer *w, const struct bgp_form *form, const struct bgp_attribute *a, struct beside *b)
{
	struct reader value = a->value;
	uint32_t as = reader_u32(&value);

	if (form->as4) {
		write_plainly(w, a);
		return;
	}
	write_head(w, a->flags, a->type, 6);
	writer_u16(w, as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)as);
	writer_u32(w, reader_u32(&value));
	if (as > UINT16_MAX)
		b->aggregator = *a;
}

/* Those whose place is in front of TYPE. */
static void write_beside(struct writer *w, struct beside *b, unsigned type)
{
	if (b->path.type && type > BGP_AS4_PATH) {
		write_path(w, OPTIONAL_TRANSITIVE, BGP_AS4_PATH, b->path.value, 4, true);
		b->path.type = 0;
	}
	if (b->aggregator.type && type > BGP_AS4_AGGREGATOR) {
		b->aggregator.type = BGP_AS4_AGGREGATOR;
		write_plainly(w, &b->aggregator);
		b->aggregator.type = 0;
	}
}

void bgp_attributes_write(
	struct writer *w, const struct bgp_form *form, struct reader set, const struct addr *next_hop)
{
	struct beside beside = {0};
	struct bgp_attribute a;

	while (bgp_attribute_next(&set, &a)) {
		if (next_hop && a.type > BGP_NEXT_HOP) {
			write_head(w, BGP_FLAG_TRANSITIVE, BGP_NEXT_HOP, 4);
			writer_bytes(w, next_hop->bytes, 4);
			next_hop = NULL;
		}
		write_beside(w, &beside, a.type);
		if (a.type == BGP_AS_PATH)
			write_as_path(w, form, &a, &beside);
		else if (a.type == BGP_AGGREGATOR)
			write_aggregator(w, form, &a, &beside);
		else
			write_plainly(w, &a);
	}
	if (next_hop) {
		write_head(w, BGP_FLAG_TRANSITIVE, BGP_NEXT_HOP, 4);
		writer_bytes(w, next_hop->bytes, 4);
	}
	write_beside(w, &beside, UINT8_MAX + 1);
}

/* ---- next hops ---- */

bool bgp_next_hop_fits(
	const struct bgp_form *form, enum bgp_family family, const struct bgp_next_hop_value *next_hop)
{
	if (addr_is_none(&next_hop->global) && addr_is_none(&next_hop->link_local))
		return false;
	return bgp_family_af(family) == AF_INET6 || next_hop->global.family == AF_INET ||
	       (form->extended_next_hop & BGP_FAMILY_BIT(family));
}

void bgp_next_hop_write(struct writer *w, enum bgp_family family, const struct bgp_next_hop_value *n)
{
	bool has_global = !addr_is_none(&n->global), has_local = !addr_is_none(&n->link_local);

	if (n->global.family == AF_INET) {
		bool mapped = bgp_family_af(family) == AF_INET6; /* RFC 4798 */

		writer_u8(w, mapped ? 16 : 4);
		if (mapped) {
			writer_zeros(w, 10);
			writer_u16(w, 0xffff);
		}
		writer_bytes(w, n->global.bytes, 4);
		return;
	}
	writer_u8(w, has_global && has_local ? 32 : 16);
	if (has_global)
		writer_bytes(w, n->global.bytes, 16);
	if (has_local)
		writer_bytes(w, n->link_local.bytes, 16);
}

/* ---- messages ---- */

/* The head of MP_REACH or MP_UNREACH; its length is at *ret_list. */
static void begin_multiprotocol(struct writer *w, uint8_t type, enum bgp_family family, size_t *ret_list)
{
	writer_u8(w, BGP_FLAG_OPTIONAL | BGP_FLAG_EXTENDED);
	writer_u8(w, type);
	*ret_list = writer_begin16(w);
	writer_u16(w, bgp_family_afi(family));
	writer_u8(w, bgp_family_safi(family));
}

/* A writer that ends where the message has to. */
static struct writer message_writer(const struct writer *w, uint16_t max)
{
	struct writer m = *w;

	if ((size_t)(m.end - m.pos) > max)
		m.end = m.pos + max;
	return m;
}

/* U has to have room for one prefix behind what M has written. */
static int commit(struct bgp_update_writer *u, const struct writer *m)
{
	bool whole = (size_t)(m->end - (u->w->start + u->message)) >= u->form->max_message;

	u->limit = m->end - u->attributes;
	if (!writer_ok(m) || (size_t)(m->end - m->pos) < u->attributes + bgp_nlri_max(u->family))
		return whole ? -EMSGSIZE : -ENOBUFS;
	u->w->pos = m->pos;
	return 0;
}

int bgp_update_begin(struct bgp_update_writer *u, struct writer *w, const struct bgp_form *form,
	enum bgp_family family, struct reader set, const struct bgp_next_hop_value *next_hop)
{
	struct bgp_update_writer v = {.w = w, .family = family, .set = set, .form = form};
	struct writer m = message_writer(w, form->max_message);
	int r;

	if (!bgp_next_hop_fits(form, family, next_hop))
		return -EAFNOSUPPORT;
	v.classic = family == BGP_IPV4 && next_hop->global.family == AF_INET;
	v.message = bgp_message_begin(&m, BGP_UPDATE);
	writer_u16(&m, 0);
	v.list = writer_begin16(&m);
	if (v.classic) {
		bgp_attributes_write(&m, form, set, &next_hop->global);
		writer_end16(&m, v.list, 0);
	} else {
		struct writer probe;

		v.total = v.list;
		begin_multiprotocol(&m, BGP_MP_REACH, family, &v.list);
		bgp_next_hop_write(&m, family, next_hop);
		writer_u8(&m, 0);
		/* The other attributes come behind the prefixes: how long are they? */
		probe = m;
		bgp_attributes_write(&probe, form, set, NULL);
		v.attributes = (size_t)(probe.pos - m.pos);
		m.overflow |= probe.overflow;
	}
	r = commit(&v, &m);
	if (r == 0)
		*u = v;
	return r;
}

int bgp_update_begin_withdraw(
	struct bgp_update_writer *u, struct writer *w, const struct bgp_form *form, enum bgp_family family)
{
	struct bgp_update_writer v = {.w = w, .family = family, .withdraw = true, .form = form};
	struct writer m = message_writer(w, form->max_message);
	int r;

	v.message = bgp_message_begin(&m, BGP_UPDATE);
	v.list = writer_begin16(&m);
	v.classic = family == BGP_IPV4 && !(form->extended_next_hop & BGP_FAMILY_BIT(family));
	if (v.classic) {
		v.attributes = 2; /* their length, 0, is behind the list */
	} else {
		v.total = writer_begin16(&m);
		begin_multiprotocol(&m, BGP_MP_UNREACH, family, &v.list);
	}
	r = commit(&v, &m);
	if (r == 0)
		*u = v;
	return r;
}

bool bgp_update_add(struct bgp_update_writer *u, const struct bgp_nlri *n)
{
	if ((size_t)(u->limit - u->w->pos) < bgp_nlri_size(u->family, n))
		return false;
	bgp_nlri_write(u->w, u->family, u->withdraw, n);
	u->count++;
	return true;
}

void bgp_update_end(struct bgp_update_writer *u)
{
	struct writer *w = u->w;

	if (!u->count) { /* it would say nothing; and an empty MP_UNREACH says that all is told */
		w->pos = w->start + u->message;
		return;
	}
	if (u->classic && u->withdraw) {
		writer_end16(w, u->list, 0);
		writer_u16(w, 0);
	} else if (!u->classic) {
		writer_end16(w, u->list, 0);
		if (!u->withdraw)
			bgp_attributes_write(w, u->form, u->set, NULL);
		writer_end16(w, u->total, 0);
	}
	bgp_message_end(w, u->message);
}

void bgp_end_of_rib_write(struct writer *w, enum bgp_family family)
{
	size_t message = bgp_message_begin(w, BGP_UPDATE);

	writer_u16(w, 0);
	if (family == BGP_IPV4) {
		writer_u16(w, 0);
	} else {
		size_t total = writer_begin16(w), list;

		begin_multiprotocol(w, BGP_MP_UNREACH, family, &list);
		writer_end16(w, list, 0);
		writer_end16(w, total, 0);
	}
	bgp_message_end(w, message);
}

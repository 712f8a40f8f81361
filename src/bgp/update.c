/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UPDATE, read and judged as RFC 7606 has it. RFC 4271 sections 4.3 and 6.3, RFC 4760, RFC 8950, RFC 6793; writing: update_write.c */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/attributes.h"

static const struct reader nothing;

/* What is kept while a message is being read. */
struct reading {
	const struct bgp_form *form;
	struct writer set;
	struct bgp_update u;
	struct bgp_complaints c;
	uint64_t seen[4]; /* types */
	unsigned count;   /* attributes */
	uint8_t highest;  /* type in the set */
	bool reachable;   /* there are prefixes that are announced, be it of families that are ignored */
	struct bgp_raw path, path4, aggregator, aggregator4; /* from a peer with AS numbers of two octets */
};

static bool seen(const struct reading *r, uint8_t type)
{
	return r->seen[type / 64] >> type % 64 & 1;
}

static bool agreed(const struct reading *r, enum bgp_family family)
{
	return r->form->families & BGP_FAMILY_BIT(family);
}

/* ---- next hops ---- */

static bool is_host(const struct addr *a)
{
	if (a->family == AF_INET6 && a->bytes[0] && a->bytes[0] != 0xff)
		return true; /* nearly always */
	if (addr_is_unspecified(a) || addr_is_multicast(a) || addr_is_loopback(a))
		return false;
	return a->family != AF_INET || (a->bytes[0] != 0 && a->bytes[0] < 240);
}

static bool is_mapped(const uint8_t *bytes)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(bytes, prefix, sizeof(prefix)) == 0;
}

/* RFC 2545 section 3: the global address, and perhaps the link-local one. There are peers that have only the latter, alone or in both places. */
static void read_next_hop6(struct reader value, enum bgp_family family, struct bgp_next_hop_value *ret)
{
	const uint8_t *p = reader_bytes(&value, 16);

	if (bgp_family_af(family) == AF_INET6 && is_mapped(p))
		ret->global = addr4_of(p + 12); /* RFC 4798 */
	else
		ret->global = addr6_of(p);
	if (reader_left(&value)) {
		struct addr second = addr6_of(reader_bytes(&value, 16));

		if (addr_is_link_local(&second))
			ret->link_local = second;
	}
	if (ret->global.family == AF_INET6 && addr_is_link_local(&ret->global)) {
		ret->link_local = ret->global;
		ret->global = (struct addr){0};
	} else if (addr_is_unspecified(&ret->global) && !addr_is_none(&ret->link_local)) {
		ret->global = (struct addr){0};
	}
}

/* False: of a length that FAMILY does not have, and so it is not known where the prefixes begin (RFC 7606 section 7.11). */
static bool read_next_hop(const struct bgp_form *form, enum bgp_family family, struct reader value,
	struct bgp_next_hop_value *ret)
{
	size_t len = reader_left(&value);
	bool is6 = bgp_family_af(family) == AF_INET6;

	if (len == 4 && !is6) {
		ret->global = addr4_of(reader_bytes(&value, 4));
		return true;
	}
	if ((len != 16 && len != 32) || !(is6 || (form->extended_next_hop & BGP_FAMILY_BIT(family))))
		return false;
	read_next_hop6(value, family, ret);
	return true;
}

static bool next_hop_is_sound(const struct bgp_next_hop_value *n)
{
	return addr_is_none(&n->global) ? !addr_is_none(&n->link_local) : is_host(&n->global);
}

/* ---- MP_REACH and MP_UNREACH ---- */

static bool read_family(
	struct reading *r, const struct bgp_raw *raw, struct reader *value, enum bgp_family *ret)
{
	uint16_t afi = reader_u16(value);
	uint8_t safi = reader_u8(value);

	if (bgp_family_of(afi, safi, ret) == 0 && agreed(r, *ret))
		return true;
	return bgp_complain(
		&r->c, BGP_DISCARD, raw->type, 0, raw->whole, "family %u/%u was not agreed on", afi, safi);
}

static void read_reach(struct reading *r, const struct bgp_raw *raw)
{
	struct reader value = raw->value, next_hop;
	enum bgp_family family;
	uint8_t len;
	const char *fault;

	if (!read_family(r, raw, &value, &family)) {
		r->reachable = true;
		return;
	}
	len = reader_u8(&value);
	next_hop = reader_sub(&value, len);
	reader_u8(&value); /* reserved */
	if (!reader_ok(&value)) {
		bgp_malformed(&r->c, raw, "a next hop of %u octets does not fit", len);
		return;
	}
	if (!read_next_hop(r->form, family, next_hop, &r->u.reach_next_hop)) {
		bgp_malformed(&r->c, raw, "a next hop of %u octets for %s", len, bgp_family_name(family));
		return;
	}
	fault = bgp_nlri_fault(value, family);
	if (fault) {
		bgp_malformed(&r->c, raw, "%s, %s", bgp_family_name(family), fault);
		return;
	}
	if (!next_hop_is_sound(&r->u.reach_next_hop)) {
		char text[ADDR_TEXT];

		bgp_complain(&r->c, BGP_WITHDRAW, raw->type, BGP_UPDATE_OPTIONAL, raw->whole,
			"next hop %s is no host's address", addr_print(&r->u.reach_next_hop.global, text));
	}
	r->u.has_reach = true;
	r->u.reach_family = family;
	r->u.reach = value;
	r->reachable |= reader_left(&value) != 0;
}

static void read_unreach(struct reading *r, const struct bgp_raw *raw)
{
	struct reader value = raw->value;
	enum bgp_family family;
	const char *fault;

	if (!read_family(r, raw, &value, &family))
		return;
	fault = bgp_nlri_fault(value, family);
	if (fault) {
		bgp_malformed(&r->c, raw, "%s, %s", bgp_family_name(family), fault);
		return;
	}
	r->u.has_unreach = true;
	r->u.unreach_family = family;
	r->u.unreach = value;
}

/* ---- attributes ---- */

static void read_classic_next_hop(struct reading *r, const struct bgp_raw *raw)
{
	struct reader value = raw->value;
	char text[ADDR_TEXT];

	if (!bgp_attribute_check(raw, bgp_attribute_rule(raw->type), r->form, &r->c))
		return;
	r->u.next_hop.global = addr4_of(reader_bytes(&value, 4));
	/* Without prefixes in the places of RFC 4271 it has no meaning: RFC 4760 section 3. */
	if (reader_left(&r->u.announced) && !is_host(&r->u.next_hop.global))
		bgp_malformed(&r->c, raw, "%s is no host's address", addr_print(&r->u.next_hop.global, text));
}

/* Of a peer with AS numbers of two octets four attributes are kept until all are known (RFC 6793 section 4.2.3); NULL: not this one. */
static struct bgp_raw *place(struct reading *r, uint8_t type)
{
	if (r->form->as4)
		return NULL;
	return type == BGP_AS_PATH          ? &r->path
	       : type == BGP_AS4_PATH       ? &r->path4
	       : type == BGP_AGGREGATOR     ? &r->aggregator
	       : type == BGP_AS4_AGGREGATOR ? &r->aggregator4
					    : NULL;
}

static void keep(struct reading *r, const struct bgp_raw *raw)
{
	struct bgp_raw *apart = place(r, raw->type);
	size_t at = writer_len(&r->set);

	if (!bgp_attribute_take(raw, r->form, &r->set, &r->c))
		return;
	if (apart) {
		*apart = *raw;
		r->set.pos = r->set.start + at;
	} else if (raw->type < r->highest) {
		bgp_attribute_settle(&r->set, at);
	} else {
		r->highest = raw->type;
	}
}

static void read_one(struct reading *r, const struct bgp_raw *raw)
{
	switch (raw->type) {
	case BGP_NEXT_HOP:
		read_classic_next_hop(r, raw);
		break;
	case BGP_MP_REACH:
		if (bgp_attribute_check(raw, bgp_attribute_rule(raw->type), r->form, &r->c))
			read_reach(r, raw);
		break;
	case BGP_MP_UNREACH:
		if (bgp_attribute_check(raw, bgp_attribute_rule(raw->type), r->form, &r->c))
			read_unreach(r, raw);
		break;
	case BGP_AS4_PATH:
	case BGP_AS4_AGGREGATOR:
		if (r->form->as4)
			bgp_complain(&r->c, BGP_DISCARD, raw->type, 0, raw->whole,
				"from a peer with AS numbers of four octets");
		else
			keep(r, raw);
		break;
	default:
		keep(r, raw);
		break;
	}
}

/* False: it does not fit into what is left (RFC 7606 section 4); *ret->type may be known all the same. */
static bool next_raw(struct reader *attributes, struct bgp_raw *ret)
{
	const uint8_t *start = attributes->pos;
	size_t left = reader_left(attributes), len;

	ret->flags = reader_u8(attributes);
	ret->type = reader_u8(attributes);
	len = ret->flags & BGP_FLAG_EXTENDED ? reader_u16(attributes) : reader_u8(attributes);
	ret->value = reader_sub(attributes, len);
	ret->whole = reader_of(start, reader_ok(attributes) ? (size_t)(attributes->pos - start) : left);
	return reader_ok(attributes);
}

static void read_attributes(struct reading *r, struct reader attributes)
{
	struct bgp_raw raw;

	for (; reader_left(&attributes) && r->c.outcome < BGP_FATAL; r->count++) {
		if (!next_raw(&attributes, &raw)) {
			/* If it is the one with the prefixes, they are not known: section 3 j. */
			bool prefixes = raw.type == BGP_MP_REACH || raw.type == BGP_MP_UNREACH;

			bgp_complain(&r->c, prefixes ? BGP_FATAL : BGP_WITHDRAW, raw.type,
				BGP_UPDATE_ATTRIBUTES, nothing,
				"the last %zu octets of the attributes are not one", reader_left(&raw.whole));
			continue;
		}
		if (!seen(r, raw.type)) {
			r->seen[raw.type / 64] |= UINT64_C(1) << raw.type % 64;
			read_one(r, &raw);
		} else if (raw.type == BGP_MP_REACH || raw.type == BGP_MP_UNREACH) {
			bgp_complain(&r->c, BGP_FATAL, raw.type, BGP_UPDATE_ATTRIBUTES, nothing,
				"more than once in one UPDATE");
		} else {
			bgp_complain(
				&r->c, BGP_DISCARD, raw.type, 0, nothing, "more than once in one UPDATE");
		}
	}
}

/* ---- AS numbers of two octets: RFC 6793 section 4.2.3 ---- */

static bool is_there(const struct bgp_raw *raw)
{
	return raw->type;
}

/* A row of VALUE that came as RAW; PATH4 is merged into a path. */
static void put_wide(struct reading *r, const struct bgp_raw *raw, struct reader value, struct reader path4)
{
	uint8_t partial = raw->type == BGP_AGGREGATOR ? raw->flags & BGP_FLAG_PARTIAL : 0;
	size_t row = writer_len(&r->set);
	size_t at = bgp_attribute_begin(&r->set, bgp_attribute_flags(raw->type) | partial, raw->type);

	if (raw->type == BGP_AS_PATH) {
		bgp_path_merge(&r->set, value, path4);
	} else {
		writer_u32(&r->set, reader_left(&value) == 6 ? reader_u16(&value) : reader_u32(&value));
		writer_u32(&r->set, reader_u32(&value));
	}
	bgp_attribute_end(&r->set, at);
	bgp_attribute_settle(&r->set, row);
}

static void merge(struct reading *r)
{
	struct reader aggregator = r->aggregator.value, path4 = r->path4.value;

	if (is_there(&r->aggregator) && is_there(&r->aggregator4)) {
		struct reader as = aggregator;

		if (reader_u16(&as) == BGP_AS_TRANS)
			aggregator = r->aggregator4.value;
		else
			path4 = nothing; /* somebody who does not know AS4_PATH aggregated: it is about another route */
	}
	if (is_there(&r->path))
		put_wide(r, &r->path, r->path.value, path4);
	if (is_there(&r->aggregator))
		put_wide(r, &r->aggregator, aggregator, nothing);
}

/* ---- the whole ---- */

/* RFC 4271 section 5, RFC 4760 section 3, RFC 7606 section 3 d. LOCAL_PREF is not mandatory: without it a route has the default. */
static void check_mandatory(struct reading *r)
{
	static const uint8_t mandatory[] = {BGP_ORIGIN, BGP_AS_PATH, BGP_NEXT_HOP};
	bool classic = reader_left(&r->u.announced) != 0;

	if (!classic && !(r->u.has_reach && reader_left(&r->u.reach)))
		return;
	for (unsigned i = 0; i < sizeof(mandatory); i++)
		if (!seen(r, mandatory[i]) && (mandatory[i] != BGP_NEXT_HOP || classic))
			bgp_complain(&r->c, BGP_WITHDRAW, mandatory[i], BGP_UPDATE_MISSING,
				reader_of(&mandatory[i], 1), "missing");
}

/* Prefixes in the places of RFC 4271. */
static bool check_classic(struct reading *r)
{
	const char *fault = bgp_nlri_fault(r->u.withdrawn, BGP_IPV4);

	if (!reader_left(&r->u.withdrawn) && !reader_left(&r->u.announced))
		return true;
	if (!agreed(r, BGP_IPV4)) {
		bgp_complain(&r->c, BGP_DISCARD, 0, 0, nothing, "prefixes of ipv4, which was not agreed on");
		r->u.withdrawn = r->u.announced = nothing;
		return true;
	}
	if (fault)
		return bgp_complain(
			&r->c, BGP_FATAL, 0, BGP_UPDATE_NETWORK, nothing, "withdrawn routes: %s", fault);
	fault = bgp_nlri_fault(r->u.announced, BGP_IPV4);
	return !fault || bgp_complain(&r->c, BGP_FATAL, 0, BGP_UPDATE_NETWORK, nothing, "NLRI: %s", fault);
}

/* RFC 4724 section 2 */
static void find_end_of_rib(struct reading *r)
{
	bool nothing_classic = !reader_left(&r->u.withdrawn) && !reader_left(&r->u.announced);

	if (!nothing_classic || r->c.outcome != BGP_ACCEPT)
		return;
	if (!r->count && agreed(r, BGP_IPV4)) {
		r->u.end_of_rib = true;
		r->u.end_family = BGP_IPV4;
	} else if (r->count == 1 && r->u.has_unreach && !reader_left(&r->u.unreach)) {
		r->u.end_of_rib = true;
		r->u.end_family = r->u.unreach_family;
	}
}

/* Into the three parts. */
static bool split(struct reading *r, struct reader body, struct reader *ret_attributes)
{
	uint16_t withdrawn = reader_u16(&body), attributes;

	r->u.withdrawn = reader_sub(&body, withdrawn);
	attributes = reader_u16(&body);
	*ret_attributes = reader_sub(&body, attributes);
	if (!reader_ok(&body))
		return bgp_complain(&r->c, BGP_FATAL, 0, BGP_UPDATE_ATTRIBUTES, nothing,
			"withdrawn routes (%u octets) and attributes (%u) are longer than the message",
			withdrawn, attributes);
	r->u.announced = body;
	r->reachable = reader_left(&body) != 0;
	return true;
}

static void read_parts(struct reading *r, struct reader attributes)
{
	read_attributes(r, attributes);
	if (r->c.outcome == BGP_FATAL || !check_classic(r))
		return;
	if (!r->form->as4)
		merge(r);
	if (!writer_ok(&r->set))
		bgp_complain(&r->c, BGP_WITHDRAW, 0, BGP_UPDATE_ATTRIBUTES, nothing,
			"attributes are longer than %u octets with AS numbers of four", BGP_SET_MAX);
	check_mandatory(r);
	/* RFC 7606 section 5.2: the prefixes that these attributes are of may be what could not be read. */
	if (r->c.outcome == BGP_WITHDRAW && !r->reachable)
		r->c.outcome = BGP_FATAL;
}

int bgp_update_read(struct reader body, const struct bgp_form *form, uint8_t *scratch, size_t size,
	struct bgp_update *ret, struct bgp_error *error)
{
	struct reading r = {.form = form};
	struct reader attributes;

	r.set = writer_of(scratch, size < BGP_SET_MAX ? size : BGP_SET_MAX);
	if (split(&r, body, &attributes))
		read_parts(&r, attributes);
	if (r.c.outcome == BGP_FATAL)
		return bgp_error_set(error, BGP_ERROR_UPDATE, r.c.subcode, r.c.data.pos,
			reader_left(&r.c.data), "%s", r.c.reason);
	find_end_of_rib(&r);
	r.u.outcome = r.c.outcome;
	r.u.bad_attribute = r.c.type;
	memcpy(r.u.reason, r.c.reason, sizeof(r.u.reason));
	r.u.discarded = r.c.discarded;
	r.u.set = reader_of(scratch, writer_ok(&r.set) ? writer_len(&r.set) : 0);
	bgp_facts_of(r.u.set, &r.u.facts);
	*ret = r.u;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Path attributes: the table of what each has to be like, and canonical sets of them. RFC 4271 section 5, RFC 7606 section 7. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bgp/attributes.h"
#include "bgp/tunnel.h"

enum {
	WELL_KNOWN = BGP_FLAG_TRANSITIVE,
	OPTIONAL = BGP_FLAG_OPTIONAL,
	OPTIONAL_TRANSITIVE = BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE,
	ANY = UINT16_MAX,
	ROW = 4, /* octets in front of a value */
};

/* ---- complaints ---- */

static void __attribute__((format(printf, 6, 0))) complain(struct bgp_complaints *c, enum bgp_outcome outcome,
	uint8_t type, uint8_t subcode, struct reader data, const char *format, va_list args)
{
	const char *name = bgp_attribute_name(type);
	int len = 0;

	if (outcome == BGP_DISCARD && type && c->discarded < UINT8_MAX)
		c->discarded++;
	if (outcome <= c->outcome)
		return;
	c->outcome = outcome;
	c->type = type;
	c->subcode = subcode;
	c->data = data;
	if (name)
		len = snprintf(c->reason, sizeof(c->reason), "%s: ", name);
	else if (type)
		len = snprintf(c->reason, sizeof(c->reason), "attribute %u: ", type);
	vsnprintf(c->reason + len, sizeof(c->reason) - (size_t)len, format, args);
}

bool bgp_complain(struct bgp_complaints *c, enum bgp_outcome outcome, uint8_t type, uint8_t subcode,
	struct reader data, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(c, outcome, type, subcode, data, format, args);
	va_end(args);
	return false;
}

bool bgp_malformed(struct bgp_complaints *c, const struct bgp_raw *raw, const char *format, ...)
{
	const struct bgp_attribute_rule *rule = bgp_attribute_rule(raw->type);
	/* RFC 4271 section 6.3 has no data for a malformed AS_PATH. */
	struct reader data = rule->subcode == BGP_UPDATE_AS_PATH ? reader_of(NULL, 0) : raw->whole;
	va_list args;

	va_start(args, format);
	complain(c, rule->malformed, raw->type, rule->subcode, data, format, args);
	va_end(args);
	return false;
}

/* ---- what is in each ---- */

static bool take_origin(
	const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set, struct bgp_complaints *c)
{
	struct reader value = raw->value;
	uint8_t origin = reader_u8(&value);

	(void)form;
	writer_u8(set, origin);
	return origin <= BGP_ORIGIN_INCOMPLETE ||
	       bgp_malformed(c, raw, "value %u, 2 is the last one", origin);
}

static bool take_path(
	const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set, struct bgp_complaints *c)
{
	/* Nobody outside is of our confederation, for we are in none; an internal peer may be in one with us behind it. */
	if (!bgp_path_check(raw, form->as4 ? 4 : 2, !form->external, c))
		return false;
	if (form->as4)
		writer_bytes(set, raw->value.pos, reader_left(&raw->value));
	else
		bgp_path_widen(set, raw->value);
	return true;
}

static bool take_path4(
	const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set, struct bgp_complaints *c)
{
	(void)form;
	(void)set;
	if (!bgp_path_check(raw, 4, true, c))
		return false;
	if (bgp_path_has_confederation(raw->value)) /* RFC 6793 section 6 */
		bgp_complain(c, BGP_DISCARD, raw->type, 0, raw->whole,
			"segments of a confederation were left out");
	return true;
}

static bool take_aggregator(
	const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set, struct bgp_complaints *c)
{
	bool wide = form->as4 || raw->type == BGP_AS4_AGGREGATOR;
	size_t len = reader_left(&raw->value), wanted = wide ? 8 : 6;
	struct reader value = raw->value;
	uint32_t as;

	if (len != wanted)
		return bgp_malformed(c, raw, "length %zu, not %zu", len, wanted);
	as = wide ? reader_u32(&value) : reader_u16(&value);
	writer_u32(set, as);
	writer_u32(set, reader_u32(&value));
	return as || bgp_malformed(c, raw, "AS 0"); /* RFC 7607 */
}

static bool take_values(
	const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set, struct bgp_complaints *c)
{
	size_t len = reader_left(&raw->value);
	uint8_t *p = writer_reserve(set, len);

	(void)form;
	(void)c;
	if (p) {
		memcpy(p, raw->value.pos, len);
		set->pos -= len - bgp_values_canonical(p, len, bgp_attribute_rule(raw->type)->multiple);
	}
	return true;
}

/* RFC 9012 section 13: TLVs and sub-TLVs have to fit; a TLV with a malformed endpoint goes; one has to be left. */
static bool take_tunnels(
	const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set, struct bgp_complaints *c)
{
	struct reader value = raw->value;
	unsigned kept = 0;

	(void)form;
	while (reader_left(&value)) {
		const uint8_t *whole = value.pos;
		uint16_t type = reader_u16(&value), len = reader_u16(&value);
		struct reader tlv = reader_sub(&value, len);
		const char *why;
		int r;

		if (!reader_ok(&value))
			return bgp_malformed(c, raw, "tunnel type %u is cut short", type);
		r = bgp_tunnel_check(type, tlv, &why);
		if (r == -EPROTO)
			return bgp_malformed(
				c, raw, "sub-TLVs of tunnel type %u do not fit its length of %u", type, len);
		if (!r) {
			writer_bytes(set, whole, (size_t)len + 4);
			kept++;
		} else {
			bgp_complain(c, BGP_DISCARD, raw->type, BGP_UPDATE_OPTIONAL, raw->whole,
				"tunnel type %u was left out: %s", type, why);
		}
	}
	return kept || bgp_malformed(c, raw, "no tunnel is left of those in it");
}

/*
 * ATOMIC_AGGREGATE and AGGREGATOR are discarded when their flags are wrong, too: of RFC 7606 section 3, c) says that wrong flags make an attribute malformed, and
 * f) what follows from that for these two.
 */
static const struct bgp_attribute_rule rules[] = {
	[BGP_ORIGIN] = {"ORIGIN", WELL_KNOWN, 1, 1, 1, BGP_UPDATE_ORIGIN, BGP_WITHDRAW, false, take_origin},
	[BGP_AS_PATH] = {"AS_PATH", WELL_KNOWN, 1, 0, ANY, BGP_UPDATE_AS_PATH, BGP_WITHDRAW, false,
		take_path},
	[BGP_NEXT_HOP] = {"NEXT_HOP", WELL_KNOWN, 1, 4, 4, BGP_UPDATE_NEXT_HOP, BGP_WITHDRAW, false, NULL},
	[BGP_MED] = {"MED", OPTIONAL, 1, 4, 4, BGP_UPDATE_OPTIONAL, BGP_WITHDRAW, false, NULL},
	[BGP_LOCAL_PREFERENCE] = {"LOCAL_PREF", WELL_KNOWN, 1, 4, 4, BGP_UPDATE_ATTRIBUTES, BGP_WITHDRAW,
		true, NULL},
	[BGP_ATOMIC_AGGREGATE] = {"ATOMIC_AGGREGATE", WELL_KNOWN, 1, 0, 0, BGP_UPDATE_ATTRIBUTES, BGP_DISCARD,
		false, NULL},
	[BGP_AGGREGATOR] = {"AGGREGATOR", OPTIONAL_TRANSITIVE, 1, 6, 8, BGP_UPDATE_OPTIONAL, BGP_DISCARD,
		false, take_aggregator},
	[BGP_COMMUNITIES] = {"COMMUNITIES", OPTIONAL_TRANSITIVE, 4, 4, ANY, BGP_UPDATE_OPTIONAL, BGP_WITHDRAW,
		false, take_values},
	[BGP_ORIGINATOR_ID] = {"ORIGINATOR_ID", OPTIONAL, 1, 4, 4, BGP_UPDATE_OPTIONAL, BGP_WITHDRAW, true,
		NULL},
	[BGP_CLUSTER_LIST] = {"CLUSTER_LIST", OPTIONAL, 4, 4, ANY, BGP_UPDATE_OPTIONAL, BGP_WITHDRAW, true,
		NULL},
	[BGP_MP_REACH] = {"MP_REACH", OPTIONAL, 1, 5, ANY, BGP_UPDATE_OPTIONAL, BGP_FATAL, false, NULL},
	[BGP_MP_UNREACH] = {"MP_UNREACH", OPTIONAL, 1, 3, ANY, BGP_UPDATE_OPTIONAL, BGP_FATAL, false, NULL},
	[BGP_EXTENDED_COMMUNITIES] = {"EXTENDED_COMMUNITIES", OPTIONAL_TRANSITIVE, 8, 8, ANY,
		BGP_UPDATE_OPTIONAL, BGP_WITHDRAW, false, take_values},
	[BGP_AS4_PATH] = {"AS4_PATH", OPTIONAL_TRANSITIVE, 2, 6, ANY, BGP_UPDATE_OPTIONAL, BGP_DISCARD, false,
		take_path4},
	[BGP_AS4_AGGREGATOR] = {"AS4_AGGREGATOR", OPTIONAL_TRANSITIVE, 1, 8, 8, BGP_UPDATE_OPTIONAL,
		BGP_DISCARD, false, take_aggregator},
	[BGP_TUNNEL_ENCAP] = {"TUNNEL_ENCAP", OPTIONAL_TRANSITIVE, 1, 4, ANY, BGP_UPDATE_OPTIONAL,
		BGP_WITHDRAW, false, take_tunnels},
	[BGP_IPV6_COMMUNITIES] = {"IPV6_EXTENDED_COMMUNITIES", OPTIONAL_TRANSITIVE, 20, 20, ANY,
		BGP_UPDATE_OPTIONAL, BGP_WITHDRAW, false, take_values},
	[BGP_LARGE_COMMUNITIES] = {"LARGE_COMMUNITIES", OPTIONAL_TRANSITIVE, 12, 12, ANY, BGP_UPDATE_OPTIONAL,
		BGP_WITHDRAW, false, take_values},
};

const struct bgp_attribute_rule *bgp_attribute_rule(uint8_t type)
{
	return type < sizeof(rules) / sizeof(rules[0]) && rules[type].name ? &rules[type] : NULL;
}

const char *bgp_attribute_name(uint8_t type)
{
	const struct bgp_attribute_rule *rule = bgp_attribute_rule(type);

	return rule ? rule->name : NULL;
}

uint8_t bgp_attribute_flags(enum bgp_attribute_type type)
{
	const struct bgp_attribute_rule *rule = bgp_attribute_rule((uint8_t)type);

	return rule ? rule->flags : OPTIONAL_TRANSITIVE;
}

bool bgp_attribute_check(const struct bgp_raw *raw, const struct bgp_attribute_rule *rule,
	const struct bgp_form *form, struct bgp_complaints *c)
{
	const uint8_t checked = OPTIONAL_TRANSITIVE;
	size_t len = reader_left(&raw->value);
	/* RFC 4760 section 7 has one subcode for everything that is wrong with its attributes. */
	uint8_t flags_code = rule->malformed == BGP_FATAL ? BGP_UPDATE_OPTIONAL : BGP_UPDATE_FLAGS;
	uint8_t length_code = rule->malformed == BGP_FATAL ? BGP_UPDATE_OPTIONAL : BGP_UPDATE_LENGTH;

	if (rule->internal && form->external)
		return bgp_complain(c, BGP_DISCARD, raw->type, 0, raw->whole, "from an external peer");
	if ((raw->flags ^ rule->flags) & checked)
		return bgp_complain(c, rule->malformed, raw->type, flags_code, raw->whole,
			"flags 0x%02x, where 0x%02x has to be", raw->flags & checked, rule->flags);
	if (len >= rule->min && len <= rule->max && (rule->multiple == 1 || len % rule->multiple == 0))
		return true;
	if (rule->multiple > 1 && (len >= rule->min || rule->min == rule->multiple))
		return bgp_complain(c, rule->malformed, raw->type, length_code, raw->whole,
			"length %zu, a multiple of %u has to be%s", len, rule->multiple,
			rule->min == rule->multiple ? ", and not 0" : "");
	return bgp_complain(c, rule->malformed, raw->type, length_code, raw->whole, "length %zu, %s %u", len,
		len < rule->min ? "at least" : "at most", len < rule->min ? rule->min : rule->max);
}

/* RFC 4271 sections 5 and 6.3. */
static bool take_unknown(const struct bgp_raw *raw, struct writer *set, struct bgp_complaints *c)
{
	size_t at;

	if (!(raw->flags & BGP_FLAG_OPTIONAL))
		return bgp_complain(c, BGP_FATAL, raw->type, BGP_UPDATE_WELL_KNOWN_UNKNOWN, raw->whole,
			"said to be well-known (flags 0x%02x), but it is not", raw->flags);
	if (!(raw->flags & BGP_FLAG_TRANSITIVE))
		return false;
	at = bgp_attribute_begin(set, OPTIONAL_TRANSITIVE | BGP_FLAG_PARTIAL, raw->type);
	writer_bytes(set, raw->value.pos, reader_left(&raw->value));
	bgp_attribute_end(set, at);
	return true;
}

bool bgp_attribute_take(
	const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set, struct bgp_complaints *c)
{
	const struct bgp_attribute_rule *rule = bgp_attribute_rule(raw->type);
	uint8_t *before = set->pos;
	uint8_t partial;
	size_t at;

	if (!rule)
		return take_unknown(raw, set, c);
	if (!bgp_attribute_check(raw, rule, form, c))
		return false;
	/* Who knows an attribute does not take the mark away that somebody did not. */
	partial = rule->flags == OPTIONAL_TRANSITIVE ? raw->flags & BGP_FLAG_PARTIAL : 0;
	at = bgp_attribute_begin(set, rule->flags | partial, raw->type);
	if (!rule->take)
		writer_bytes(set, raw->value.pos, reader_left(&raw->value));
	else if (!rule->take(raw, form, set, c)) {
		set->pos = before;
		return false;
	}
	bgp_attribute_end(set, at);
	return true;
}

/* ---- canonical sets ---- */

size_t bgp_attribute_begin(struct writer *set, uint8_t flags, uint8_t type)
{
	writer_u8(set, flags);
	writer_u8(set, type);
	return writer_begin16(set);
}

void bgp_attribute_end(struct writer *set, size_t at)
{
	writer_end16(set, at, 0);
}

void bgp_attribute_put(struct writer *set, uint8_t flags, uint8_t type, const void *value, size_t len)
{
	uint8_t *p = len <= UINT16_MAX ? writer_reserve(set, ROW + len) : NULL;

	if (!p) {
		set->overflow = true;
		return;
	}
	p[0] = flags;
	p[1] = type;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	if (len)
		memcpy(p + ROW, value, len);
}

bool bgp_attribute_next(struct reader *set, struct bgp_attribute *ret)
{
	const uint8_t *row = reader_left(set) ? reader_bytes(set, ROW) : NULL;
	const uint8_t *value;
	size_t len;

	if (!row)
		return false;
	len = (size_t)(row[2] << 8 | row[3]);
	value = reader_bytes(set, len);
	if (!reader_ok(set))
		return false;
	/* Member by member: this is walked for every route, and a whole struct would be read back before it is written. */
	ret->flags = row[0];
	ret->type = row[1];
	ret->value.pos = value;
	ret->value.end = value + len;
	ret->value.error = NULL;
	return true;
}

bool bgp_attribute_find(struct reader set, enum bgp_attribute_type type, struct bgp_attribute *ret)
{
	struct bgp_attribute a;

	while (bgp_attribute_next(&set, &a) && a.type <= type)
		if (a.type == type) {
			*ret = a;
			return true;
		}
	return false;
}

static void reverse(uint8_t *from, uint8_t *to)
{
	while (from < to) {
		uint8_t b = *from;

		*from++ = *--to;
		*to = b;
	}
}

void bgp_attribute_settle(struct writer *set, size_t at)
{
	struct reader rows = reader_of(set->start, at);
	uint8_t *row = set->start + at, *place = set->start;
	struct bgp_attribute a;

	if (!writer_ok(set))
		return;
	while (bgp_attribute_next(&rows, &a) && a.type < row[1])
		place += ROW + reader_left(&a.value);
	/* The two parts change places, without room beside them. */
	reverse(place, row);
	reverse(row, set->pos);
	reverse(place, set->pos);
}

static uint32_t number(const struct bgp_attribute *a)
{
	struct reader value = a->value;

	return reader_u32(&value);
}

static uint8_t clusters(const struct bgp_attribute *a)
{
	size_t n = reader_left(&a->value) / 4;

	return (uint8_t)(n < UINT8_MAX ? n : UINT8_MAX);
}

void bgp_facts_of(struct reader set, struct bgp_facts *ret)
{
	struct bgp_attribute a;

	*ret = (struct bgp_facts){.local_pref = BGP_LOCAL_PREF};
	while (bgp_attribute_next(&set, &a)) {
		switch (a.type) {
		case BGP_ORIGIN:
			ret->origin = reader_u8(&a.value);
			break;
		case BGP_AS_PATH:
			bgp_path_facts(a.value, ret);
			break;
		case BGP_MED:
			ret->med = number(&a);
			ret->has_med = true;
			break;
		case BGP_LOCAL_PREFERENCE:
			ret->local_pref = number(&a);
			ret->has_local_pref = true;
			break;
		case BGP_ORIGINATOR_ID:
			ret->originator_id = number(&a);
			break;
		case BGP_CLUSTER_LIST:
			ret->cluster_length = clusters(&a);
			break;
		case BGP_TUNNEL_ENCAP:
			ret->has_tunnel = true;
			break;
		default:
			break;
		}
	}
}

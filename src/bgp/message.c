/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every message but UPDATE, and the header of all (RFC 4271 section 4). */
#include "bgp/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/capability.h"
#include "lib/text.h"

enum {
	MARKER = 16,
	LENGTH_AT = 16, /* in the header */
	OPEN_FIXED = 10,
	PARAMETER_CAPABILITIES = 2,
	PARAMETER_EXTENDED = 255, /* RFC 9072 */
	HOLD_TIME_LEAST = 3,
};

/* ---- header ---- */

static const struct {
	const char *name;
	uint16_t min, max; /* of the whole message; max 0: what was agreed on */
} types[] = {
	[BGP_OPEN] = {"OPEN", BGP_HEADER + OPEN_FIXED, BGP_MESSAGE_MAX},
	[BGP_UPDATE] = {"UPDATE", BGP_HEADER + 4, 0},
	[BGP_NOTIFICATION] = {"NOTIFICATION", BGP_HEADER + 2, 0},
	[BGP_KEEPALIVE] = {"KEEPALIVE", BGP_HEADER, BGP_HEADER},
	[BGP_REFRESH] = {"ROUTE-REFRESH", BGP_HEADER + 4, 0},
};

static int bad_length(struct bgp_error *error, uint16_t length, const char *name, unsigned min, unsigned max)
{
	const uint8_t data[] = {(uint8_t)(length >> 8), (uint8_t)length};

	if (min == max)
		return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_LENGTH, data, sizeof(data),
			"%s of %u octets, it has to have %u", name, length, min);
	return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_LENGTH, data, sizeof(data),
		"%s of %u octets, it has to have %u to %u", name, length, min, max);
}

int bgp_header_read(
	const uint8_t *data, size_t len, uint16_t max, struct bgp_header *ret, struct bgp_error *error)
{
	static const uint8_t marker[MARKER] = {
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	struct reader r = reader_of(data, len);
	const uint8_t *start = reader_bytes(&r, MARKER);
	struct bgp_header h = {.length = reader_u16(&r), .type = reader_u8(&r)};

	if (!reader_ok(&r))
		return 0;
	if (memcmp(start, marker, MARKER) != 0)
		return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_SYNC, NULL, 0,
			"a message that does not begin with the marker");
	if (h.length < BGP_HEADER || h.length > max)
		return bad_length(error, h.length, "a message", BGP_HEADER, max);
	if (h.type >= sizeof(types) / sizeof(types[0]) || !types[h.type].name)
		return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_TYPE, &h.type, 1,
			"a message of type %u, which is unknown", h.type);
	if (types[h.type].max && types[h.type].max < max)
		max = types[h.type].max;
	if (h.length < types[h.type].min || h.length > max)
		return bad_length(error, h.length, types[h.type].name, types[h.type].min, max);
	*ret = h;
	return 1;
}

size_t bgp_message_begin(struct writer *w, enum bgp_type type)
{
	size_t at = writer_len(w);

	for (unsigned i = 0; i < MARKER; i++)
		writer_u8(w, 0xff);
	writer_u16(w, 0);
	writer_u8(w, (uint8_t)type);
	return at;
}

void bgp_message_end(struct writer *w, size_t at)
{
	writer_patch16(w, at + LENGTH_AT, (uint16_t)(writer_len(w) - at));
}

/* ---- OPEN ---- */

/* RFC 4271 section 6.2: a parameter that is recognized but malformed has no subcode of its own. */
static int bad_parameters(struct bgp_error *error, const char *what, size_t said, size_t there)
{
	return bgp_error_set(
		error, BGP_ERROR_OPEN, 0, NULL, 0, "%s of %zu octets, where %zu are", what, said, there);
}

/* What follows the length octet LEN, in RFC 4271's form or, where the first type is 255, in that of RFC 9072 section 2. */
static int read_parameters(
	struct reader body, size_t len, struct bgp_open *open, bool *families_said, struct bgp_error *error)
{
	struct reader after = body;
	bool extended = len && reader_u8(&after) == PARAMETER_EXTENDED;

	if (extended) {
		len = reader_u16(&after);
		body = after;
	}
	if (!reader_ok(&body) || reader_left(&body) != len)
		return bad_parameters(error, "optional parameters", len, reader_left(&body));
	while (reader_left(&body)) {
		uint8_t type = reader_u8(&body);
		size_t length = extended ? reader_u16(&body) : reader_u8(&body);
		size_t left = reader_left(&body);
		struct reader value = reader_sub(&body, length);

		if (!reader_ok(&body))
			return bad_parameters(error, "an optional parameter", length, left);
		if (type != PARAMETER_CAPABILITIES)
			return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_PARAMETER, NULL, 0,
				"optional parameter %u, which is unknown", type);
		if (bgp_capabilities_read(value, open, families_said, error))
			return -EPROTO;
	}
	return 0;
}

/* RFC 6793 section 4.2.1: who has a larger number shows AS_TRANS in the old field. RFC 7607: AS 0 is nobody's. */
static int check_as(uint16_t as2, uint32_t as, struct bgp_error *error)
{
	if (!as2 || !as)
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_AS, NULL, 0, "AS 0, which is nobody's");
	if (as2 != as && as2 != BGP_AS_TRANS)
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_AS, NULL, 0,
			"AS %u, but its four-octet AS number is %u", as2, as);
	return 0;
}

int bgp_open_read(struct reader body, struct bgp_open *ret, struct bgp_error *error)
{
	static const uint8_t version_data[] = {0, BGP_VERSION};
	size_t size = reader_left(&body);
	uint8_t version = reader_u8(&body);
	uint16_t as2 = reader_u16(&body);
	struct bgp_open open = {.as = as2, .hold_time = reader_u16(&body), .id = reader_u32(&body)};
	uint8_t len = reader_u8(&body);
	bool families_said = false;

	if (!reader_ok(&body))
		return bad_length(
			error, (uint16_t)(BGP_HEADER + size), "OPEN", types[BGP_OPEN].min, BGP_MESSAGE_MAX);
	if (version != BGP_VERSION)
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_VERSION, version_data,
			sizeof(version_data), "BGP version %u, only %u is spoken here", version, BGP_VERSION);
	if (read_parameters(body, len, &open, &families_said, error) || check_as(as2, open.as, error))
		return -EPROTO;
	if (open.hold_time && open.hold_time < HOLD_TIME_LEAST)
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_HOLD_TIME, NULL, 0,
			"hold time %u s, 0 or at least %u are needed", open.hold_time, HOLD_TIME_LEAST);
	if (!open.id)
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_ID, NULL, 0, "BGP identifier 0.0.0.0");
	if (!families_said)
		open.capabilities.families = BGP_FAMILY_BIT(BGP_IPV4);
	*ret = open;
	return 0;
}

void bgp_open_write(struct writer *w, const struct bgp_open *open)
{
	uint8_t list[BGP_CAPABILITIES];
	struct writer capabilities = writer_of(list, sizeof(list));
	size_t at = bgp_message_begin(w, BGP_OPEN), len;

	bgp_capabilities_write(&capabilities, open);
	len = writer_len(&capabilities);
	writer_u8(w, BGP_VERSION);
	writer_u16(w, open->as <= UINT16_MAX ? (uint16_t)open->as : BGP_AS_TRANS);
	writer_u16(w, open->hold_time);
	writer_u32(w, open->id);
	writer_u8(w, (uint8_t)(len ? len + 2 : 0));
	if (len) {
		writer_u8(w, PARAMETER_CAPABILITIES);
		writer_u8(w, (uint8_t)len);
		writer_bytes(w, list, len);
	}
	bgp_message_end(w, at);
}

/* ---- NOTIFICATION ---- */

/* RFC 9003 section 2: a length, and so much UTF-8. */
static void add_shutdown(struct text *t, struct reader data)
{
	struct reader words;

	if (!reader_left(&data))
		return;
	words = reader_sub(&data, reader_u8(&data));
	if (!reader_ok(&words))
		text_add(t, ", with words that do not fit their length");
	else if (reader_left(&words)) {
		text_add(t, ": ");
		text_add_words(t, words);
	}
}

/* RFC 4486 section 4: AFI, SAFI, the limit. */
static void add_max_prefix(struct text *t, struct reader data)
{
	uint16_t afi = reader_u16(&data);
	uint8_t safi = reader_u8(&data);
	uint32_t limit = reader_u32(&data);
	enum bgp_family f;

	if (!reader_ok(&data))
		return;
	if (bgp_family_of(afi, safi, &f) == 0)
		text_add(t, ": %s, at most %u", bgp_family_name(f), limit);
	else
		text_add(t, ": family %u/%u, at most %u", afi, safi, limit);
}

/* INSIDE: of a Hard Reset (RFC 8538 section 3.1), which is not unpacked twice. */
static void add_reason(struct text *t, uint8_t code, uint8_t subcode, struct reader data, bool inside)
{
	char name[64];
	uint8_t inner_code, inner_subcode;

	text_add(t, "%s", bgp_error_name(code, subcode, name));
	if (code != BGP_ERROR_CEASE)
		return;
	if (subcode == BGP_CEASE_SHUTDOWN || subcode == BGP_CEASE_RESET)
		add_shutdown(t, data);
	else if (subcode == BGP_CEASE_MAX_PREFIX)
		add_max_prefix(t, data);
	else if (subcode == BGP_CEASE_HARD_RESET && !inside && reader_left(&data) >= 2) {
		inner_code = reader_u8(&data);
		inner_subcode = reader_u8(&data);
		text_add(t, ": ");
		add_reason(t, inner_code, inner_subcode, data, true);
	}
}

void bgp_notification_read(struct reader body, struct bgp_error *ret)
{
	uint8_t code = reader_u8(&body), subcode = reader_u8(&body);
	struct reader data = body;
	size_t len = reader_left(&data);
	struct text reason;

	if (!reader_ok(&body)) {
		bgp_error_set(ret, 0, 0, NULL, 0, "a NOTIFICATION too short to say why");
		return;
	}
	bgp_error_set(ret, code, subcode, reader_bytes(&data, len), len, "%s", "");
	reason = (struct text){.buf = ret->reason, .size = sizeof(ret->reason)};
	add_reason(&reason, code, subcode, body, false);
}

void bgp_notification_write(struct writer *w, const struct bgp_error *error)
{
	size_t at = bgp_message_begin(w, BGP_NOTIFICATION);

	writer_u8(w, error->code);
	writer_u8(w, error->subcode);
	writer_bytes(w, error->data, error->data_len);
	bgp_message_end(w, at);
}

void bgp_cease(struct bgp_error *e, enum bgp_cease subcode, const char *words)
{
	uint8_t data[1 + BGP_SHUTDOWN_TEXT];
	struct writer w = writer_of(data, sizeof(data));
	size_t len = words ? strlen(words) : 0;
	struct text reason;

	if (len > BGP_SHUTDOWN_TEXT) {
		len = BGP_SHUTDOWN_TEXT;
		while (len && ((uint8_t)words[len] & 0xc0) == 0x80)
			len--;
	}
	if (len) {
		writer_u8(&w, (uint8_t)len);
		writer_bytes(&w, words, len);
	}
	bgp_error_set(e, BGP_ERROR_CEASE, (uint8_t)subcode, data, writer_len(&w), "%s", "");
	reason = (struct text){.buf = e->reason, .size = sizeof(e->reason)};
	add_reason(&reason, e->code, e->subcode, reader_of(e->data, e->data_len), false);
}

/* ---- KEEPALIVE, ROUTE-REFRESH ---- */

void bgp_keepalive_write(struct writer *w)
{
	bgp_message_end(w, bgp_message_begin(w, BGP_KEEPALIVE));
}

/* RFC 7313 section 5: the whole message goes back. */
static int bad_refresh(struct bgp_error *error, struct reader body, const char *what)
{
	uint8_t message[BGP_ERROR_DATA];
	struct writer w = writer_of(message, sizeof(message));
	size_t len = reader_left(&body), at = bgp_message_begin(&w, BGP_REFRESH);
	size_t fits = len < BGP_ERROR_DATA - BGP_HEADER ? len : BGP_ERROR_DATA - BGP_HEADER;

	writer_bytes(&w, reader_bytes(&body, fits), fits);
	writer_patch16(&w, at + LENGTH_AT, (uint16_t)(BGP_HEADER + len));
	return bgp_error_set(error, BGP_ERROR_REFRESH, BGP_REFRESH_LENGTH, message, writer_len(&w),
		"%s of %zu octets, it has to have %u", what, BGP_HEADER + len, BGP_HEADER + 4);
}

int bgp_refresh_read(
	struct reader body, enum bgp_family *ret, enum bgp_refresh_kind *ret_kind, struct bgp_error *error)
{
	static const char *const kinds[] = {"ROUTE-REFRESH", "Begin-of-RR", "End-of-RR"};
	struct reader r = body;
	uint16_t afi = reader_u16(&r);
	uint8_t kind = reader_u8(&r), safi = reader_u8(&r);
	enum bgp_family family;

	if (!reader_ok(&r))
		return bad_refresh(error, body, kinds[BGP_REFRESH_REQUEST]);
	if (kind > BGP_REFRESH_END)
		return -EAFNOSUPPORT;
	/* Behind a request there may be filters (RFC 5291), which we never offer to apply. */
	if (kind != BGP_REFRESH_REQUEST && reader_left(&r))
		return bad_refresh(error, body, kinds[kind]);
	if (bgp_family_of(afi, safi, &family))
		return -EAFNOSUPPORT;
	*ret = family;
	*ret_kind = (enum bgp_refresh_kind)kind;
	return 0;
}

void bgp_refresh_write(struct writer *w, enum bgp_family family, enum bgp_refresh_kind kind)
{
	size_t at = bgp_message_begin(w, BGP_REFRESH);

	writer_u16(w, bgp_family_afi(family));
	writer_u8(w, (uint8_t)kind);
	writer_u8(w, bgp_family_safi(family));
	bgp_message_end(w, at);
}

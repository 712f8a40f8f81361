/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of codes, and a control packet as one line for people. Challenges, responses and hidden values are left out. */

#include "l2tp/avp.h"
#include "l2tp/message.h"
#include "lib/text.h"

#define NAME(table, value)                                                                                   \
	((value) < sizeof(table) / sizeof((table)[0]) && (table)[value] ? (table)[value] : "unknown")

static const char *const stop_results[] = {
	[L2TP_STOP_CLEAR] = "general request to clear",
	[L2TP_STOP_ERROR] = "general error",
	[L2TP_STOP_EXISTS] = "control channel already exists",
	[L2TP_STOP_UNAUTHORIZED] = "not authorized",
	[L2TP_STOP_VERSION] = "protocol version not supported",
	[L2TP_STOP_SHUTDOWN] = "being shut down",
	[L2TP_STOP_FSM] = "state machine error",
};

static const char *const cdn_results[] = {
	[L2TP_CDN_CARRIER] = "loss of carrier",
	[L2TP_CDN_ERROR] = "general error",
	[L2TP_CDN_ADMIN] = "administrative reasons",
	[L2TP_CDN_RESOURCES_TEMPORARY] = "no facilities, temporary",
	[L2TP_CDN_RESOURCES_PERMANENT] = "no facilities, permanent",
	[L2TP_CDN_INVALID_DESTINATION] = "invalid destination",
	[L2TP_CDN_NO_ANSWER_CARRIER] = "no carrier",
	[8] = "busy signal",
	[9] = "no dial tone",
	[L2TP_CDN_TIMEOUT] = "not established in time",
	[11] = "no appropriate framing",
};

static const char *const errors[] = {
	[L2TP_ERROR_NONE] = "no general error",
	[L2TP_ERROR_NO_CONTROL] = "no control connection exists",
	[L2TP_ERROR_LENGTH] = "wrong length",
	[L2TP_ERROR_VALUE] = "value out of range",
	[L2TP_ERROR_RESOURCES] = "insufficient resources",
	[L2TP_ERROR_SESSION] = "invalid session id",
	[L2TP_ERROR_VENDOR] = "vendor-specific error",
	[L2TP_ERROR_TRY_ANOTHER] = "try another",
	[L2TP_ERROR_MANDATORY] = "unknown mandatory AVP",
};

const char *l2tp_stop_result_name(uint16_t result)
{
	return NAME(stop_results, result);
}

const char *l2tp_cdn_result_name(uint16_t result)
{
	return NAME(cdn_results, result);
}

const char *l2tp_error_name(uint16_t error)
{
	return NAME(errors, error);
}

const char *l2tp_text_print(const struct l2tp_text *t, char *buf, size_t size)
{
	size_t n = 0;

	if (!size)
		return buf;
	for (; n < t->len && n + 1 < size; n++)
		buf[n] = t->data[n] >= 0x20 && t->data[n] < 0x7f ? (char)t->data[n] : '?';
	buf[n] = '\0';
	return buf;
}

/* A peer's text, so that it can neither end the line nor look like another key. */
static void put_text(struct text *t, struct reader value)
{
	bool quote = !reader_left(&value);
	struct reader look = value;

	while (reader_left(&look)) {
		uint8_t c = reader_u8(&look);

		quote |= c <= ' ' || c == '"' || c >= 0x7f;
	}
	text_add(t, quote ? "\"" : "");
	while (reader_left(&value)) {
		uint8_t c = reader_u8(&value);

		text_add(t, "%c", c == '"' ? '\'' : c >= 0x20 && c < 0x7f ? c : '?');
	}
	text_add(t, quote ? "\"" : "");
}

static void put_result(struct text *t, struct reader value)
{
	text_add(t, "%u", reader_u16(&value));
	if (!reader_left(&value))
		return;
	text_add(t, " error=%u", reader_u16(&value));
	if (!reader_left(&value))
		return;
	text_add(t, " message=");
	put_text(t, value);
}

static void put_value(struct text *t, const struct avp_row *row, struct reader value)
{
	size_t len = reader_left(&value);

	if (row->kind != AVP_KIND_IRRELEVANT && (len < row->min || len > row->max)) {
		text_add(t, "(malformed, %zu bytes)", len);
		return;
	}
	switch (row->kind) {
	case AVP_KIND_U16:
		text_add(t, "%u", reader_u16(&value));
		break;
	case AVP_KIND_U32:
		text_add(t, "%u", reader_u32(&value));
		break;
	case AVP_KIND_TEXT:
		put_text(t, value);
		break;
	case AVP_KIND_RESULT:
		put_result(t, value);
		break;
	default:
		text_add(t, "(%zu bytes)", len);
		break;
	}
}

static void put_avp(struct text *t, const struct avp *a)
{
	const struct avp_row *row = avp_row(a->type);

	if (!avp_is_recognized(a))
		text_add(t, " avp-%u-%u", a->vendor, a->type);
	else
		text_add(t, " %s", row->key);
	text_add(t, "=");
	if (a->bits & AVP_H)
		text_add(t, "(hidden, %zu bytes)", reader_left(&a->value));
	else if (!avp_is_recognized(a))
		text_add(t, "(%zu bytes%s)", reader_left(&a->value), a->bits & AVP_M ? ", mandatory" : "");
	else if (a->type == AVP_PROTOCOL_VERSION && reader_left(&a->value) == 2)
		text_add(t, "%u.%u", a->value.pos[0], a->value.pos[1]);
	else
		put_value(t, row, a->value);
}

/* The message's name, from its first AVP, which R then is behind. */
static void put_name(struct text *t, struct reader *r)
{
	struct reader look = *r;
	struct avp a;
	uint16_t type;

	if (!reader_left(r)) {
		text_add(t, "ZLB");
		return;
	}
	a = avp_read(&look);
	if (!reader_ok(&look) || a.vendor || a.type != AVP_MESSAGE_TYPE || a.bits & AVP_H ||
		reader_left(&a.value) != 2) {
		text_add(t, "malformed");
		return;
	}
	type = reader_u16(&a.value);
	if (message_is_known(type))
		text_add(t, "%s", l2tp_message_name((enum l2tp_message_type)type));
	else
		text_add(t, "message-%u", type);
	*r = look;
}

void l2tp_packet_print(const uint8_t *packet, size_t len, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};
	struct reader r = reader_of(packet, len);
	struct l2tp_header h;

	if (size)
		buf[0] = '\0';
	l2tp_header_read(&r, &h);
	if (!reader_ok(&r)) {
		text_add(&t, "malformed: %s (%zu bytes)", r.error, len);
		return;
	}
	if (!h.control) {
		text_add(&t, "data tunnel=%u session=%u (%zu bytes)", h.tunnel_id, h.session_id,
			reader_left(&r));
		return;
	}
	put_name(&t, &r);
	text_add(&t, " tunnel=%u session=%u ns=%u nr=%u", h.tunnel_id, h.session_id, h.ns, h.nr);
	while (reader_left(&r)) {
		struct avp a = avp_read(&r);

		if (reader_ok(&r))
			put_avp(&t, &a);
	}
	if (!reader_ok(&r))
		text_add(&t, " malformed: %s", r.error);
}

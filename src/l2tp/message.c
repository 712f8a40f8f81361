/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control messages as a whole: what each must carry (RFC 2661 section 6), decoding, and the encoders.
 *
 * Encoders send the required AVPs and those that RFC 5571 figures 11 and 12 call optional, nothing else, and hide none.
 */
#include "l2tp/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "l2tp/avp.h"

#define HAS(type) (1ull << (type))

enum { FRAMING_SYNC = 1, FRAMING_ASYNC = 2, VERSION_1_0 = 0x0100, DEFAULT_WINDOW = 4 };

static const struct {
	const char *name;
	uint64_t required;
} kinds[] = {
	[L2TP_ZLB] = {"ZLB", 0},
	[L2TP_SCCRQ] = {"SCCRQ", HAS(AVP_PROTOCOL_VERSION) | HAS(AVP_HOST_NAME) |
					 HAS(AVP_FRAMING_CAPABILITIES) | HAS(AVP_ASSIGNED_TUNNEL)},
	[L2TP_SCCRP] = {"SCCRP", HAS(AVP_PROTOCOL_VERSION) | HAS(AVP_HOST_NAME) |
					 HAS(AVP_FRAMING_CAPABILITIES) | HAS(AVP_ASSIGNED_TUNNEL)},
	[L2TP_SCCCN] = {"SCCCN", 0},
	[L2TP_STOPCCN] = {"StopCCN", HAS(AVP_ASSIGNED_TUNNEL) | HAS(AVP_RESULT_CODE)},
	[L2TP_HELLO] = {"HELLO", 0},
	[L2TP_OCRQ] = {"OCRQ", 0}, /* refused whatever it carries */
	[L2TP_OCRP] = {"OCRP", 0},
	[L2TP_OCCN] = {"OCCN", 0},
	[L2TP_ICRQ] = {"ICRQ", HAS(AVP_ASSIGNED_SESSION) | HAS(AVP_CALL_SERIAL)},
	[L2TP_ICRP] = {"ICRP", HAS(AVP_ASSIGNED_SESSION)},
	[L2TP_ICCN] = {"ICCN", HAS(AVP_TX_SPEED) | HAS(AVP_FRAMING_TYPE)},
	[L2TP_CDN] = {"CDN", HAS(AVP_RESULT_CODE) | HAS(AVP_ASSIGNED_SESSION)},
	[L2TP_WEN] = {"WEN", 0},
	[L2TP_SLI] = {"SLI", 0},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

bool message_is_known(uint16_t type)
{
	return type != L2TP_ZLB && type < KINDS && kinds[type].name;
}

const char *l2tp_message_name(enum l2tp_message_type type)
{
	return (unsigned)type < KINDS && kinds[type].name ? kinds[type].name : "unknown";
}

/* ---- decoding ---- */

struct decoder {
	struct l2tp_message m;
	struct l2tp_fault fault;
	const struct l2tp_text *secret;
	struct l2tp_text vector; /* the last Random Vector */
	struct writer scratch;
};

/* The first fault counts. */
static void fault(struct decoder *d, enum l2tp_error error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void fault(struct decoder *d, enum l2tp_error error, const char *format, ...)
{
	va_list args;

	if (d->fault.result)
		return;
	d->fault.result = L2TP_STOP_ERROR;
	d->fault.error = (uint16_t)error;
	va_start(args, format);
	vsnprintf(d->fault.text, sizeof(d->fault.text), format, args);
	va_end(args);
}

/* A malformed AVP is fatal with the M bit and as good as absent without (section 7.1). */
static void malformed(struct decoder *d, const struct avp *a, enum l2tp_error error, const char *why)
{
	if (a->bits & AVP_M)
		fault(d, error, "AVP %u (%s) in %s: %s", a->type, l2tp_avp_name(a->type),
			l2tp_message_name(d->m.type), why);
	d->m.ignored++;
}

static void store_result(struct decoder *d, struct reader value)
{
	d->m.result = reader_u16(&value);
	if (!reader_left(&value))
		return;
	d->m.error = reader_u16(&value);
	d->m.error_message = (struct l2tp_text){value.pos, reader_left(&value)};
}

static void store(struct decoder *d, const struct avp_row *row, struct reader value)
{
	uint8_t *field = (uint8_t *)&d->m + row->field;
	uint16_t v16;
	uint32_t v32;
	struct l2tp_text text;

	switch (row->kind) {
	case AVP_KIND_U16:
		v16 = reader_u16(&value);
		memcpy(field, &v16, sizeof(v16));
		break;
	case AVP_KIND_U32:
		v32 = reader_u32(&value);
		memcpy(field, &v32, sizeof(v32));
		break;
	case AVP_KIND_TEXT:
	case AVP_KIND_BYTES:
		text = (struct l2tp_text){value.pos, reader_left(&value)};
		memcpy(field, &text, sizeof(text));
		break;
	case AVP_KIND_RESPONSE:
		reader_copy(&value, field, sizeof(d->m.challenge_response));
		break;
	case AVP_KIND_RESULT:
		store_result(d, value);
		break;
	default:
		break;
	}
}

/* An AVP of the table: reveal, check, store. */
static void take(struct decoder *d, const struct avp *a, const struct avp_row *row)
{
	struct reader value = a->value;
	size_t len;

	if (a->bits & AVP_H) {
		if (!row->hideable) {
			malformed(d, a, L2TP_ERROR_VALUE, "must not be hidden");
			return;
		}
		value = avp_reveal(a, d->secret, &d->vector, &d->scratch);
		if (!reader_ok(&value)) {
			malformed(d, a, L2TP_ERROR_VALUE, value.error);
			return;
		}
	}
	len = reader_left(&value);
	if (len < row->min || len > row->max || (row->kind == AVP_KIND_RESULT && len == 3)) {
		malformed(d, a, L2TP_ERROR_LENGTH, "wrong length");
		return;
	}
	if (row->kind == AVP_KIND_VECTOR) {
		d->vector = (struct l2tp_text){value.pos, len};
		return;
	}
	store(d, row, value);
	d->m.seen |= HAS(a->type);
}

static void decode_avp(struct decoder *d, const struct avp *a)
{
	const struct avp_row *row;

	if (!avp_is_recognized(a)) {
		d->m.ignored++;
		if (a->bits & AVP_M)
			fault(d, L2TP_ERROR_MANDATORY, "unknown mandatory AVP %u of vendor %u in %s%s",
				a->type, a->vendor, l2tp_message_name(d->m.type),
				a->bits & AVP_RESERVED ? " (reserved bits set)" : "");
		return;
	}
	row = avp_row(a->type);
	/* Irrelevant to softwires, or out of place, or said before: the first one counts. */
	if (!(row->messages & 1u << d->m.type) || d->m.seen & HAS(a->type)) {
		d->m.ignored++;
		return;
	}
	take(d, a, row);
}

/* Section 4.4.1: the Message Type comes first and is never hidden. False: nothing more can be said about the message. */
static bool decode_type(struct decoder *d, struct reader *body)
{
	struct avp a = avp_read(body);
	uint16_t type;

	if (!reader_ok(body)) {
		fault(d, L2TP_ERROR_LENGTH, "Message Type: %s", body->error);
		return false;
	}
	if (a.vendor || a.type != AVP_MESSAGE_TYPE || a.bits & (AVP_RESERVED | AVP_H)) {
		fault(d, L2TP_ERROR_VALUE, "the first AVP is not Message Type");
		return false;
	}
	if (reader_left(&a.value) != 2) {
		fault(d, L2TP_ERROR_LENGTH, "AVP 0 (Message Type): wrong length");
		return false;
	}
	type = reader_u16(&a.value);
	d->m.type = (enum l2tp_message_type)type;
	d->m.type_mandatory = a.bits & AVP_M;
	d->m.seen = HAS(AVP_MESSAGE_TYPE);
	if (!type) {
		fault(d, L2TP_ERROR_VALUE, "AVP 0 (Message Type): type 0 is reserved");
		return false;
	}
	return message_is_known(type);
}

static void check_required(struct decoder *d)
{
	uint64_t missing = kinds[d->m.type].required & ~d->m.seen;

	for (unsigned type = 0; type < AVP_TYPES; type++)
		if (missing & HAS(type))
			fault(d, L2TP_ERROR_VALUE, "%s lacks AVP %u (%s)", l2tp_message_name(d->m.type), type,
				l2tp_avp_name((uint16_t)type));
}

/* A StopCCN or CDN may carry a zero id: its sender may have none to name. */
static void check_values(struct decoder *d)
{
	const struct l2tp_message *m = &d->m;

	if ((m->type == L2TP_SCCRQ || m->type == L2TP_SCCRP) && !m->assigned_tunnel)
		fault(d, L2TP_ERROR_VALUE, "AVP 9 (Assigned Tunnel ID) in %s: zero",
			l2tp_message_name(m->type));
	if ((m->type == L2TP_SCCRQ || m->type == L2TP_SCCRP) && !m->window)
		fault(d, L2TP_ERROR_VALUE, "AVP 10 (Receive Window Size) in %s: zero",
			l2tp_message_name(m->type));
	if ((m->type == L2TP_ICRQ || m->type == L2TP_ICRP) && !m->assigned_session)
		fault(d, L2TP_ERROR_VALUE, "AVP 14 (Assigned Session ID) in %s: zero",
			l2tp_message_name(m->type));
}

static void decode_body(struct decoder *d, struct reader *body)
{
	while (reader_left(body)) {
		struct avp a = avp_read(body);

		if (!reader_ok(body)) {
			fault(d, L2TP_ERROR_LENGTH, "%s: AVP list is %s", l2tp_message_name(d->m.type),
				body->error);
			return;
		}
		decode_avp(d, &a);
	}
	check_required(d);
	check_values(d);
}

int l2tp_message_read(struct reader body, const struct l2tp_text *secret, uint8_t scratch[L2TP_PACKET_MAX],
	struct l2tp_message *ret, struct l2tp_fault *ret_fault)
{
	struct decoder d = {
		.m = {.type = L2TP_ZLB, .window = DEFAULT_WINDOW},
		.secret = secret,
		.scratch = writer_of(scratch, L2TP_PACKET_MAX),
	};

	if (!reader_ok(&body))
		fault(&d, L2TP_ERROR_LENGTH, "%s", body.error);
	else if (reader_left(&body) && decode_type(&d, &body))
		decode_body(&d, &body);
	*ret = d.m;
	if (!d.fault.result)
		return 0;
	*ret_fault = d.fault;
	return -EBADMSG;
}

/* ---- encoding ---- */

static size_t begin(struct writer *w, uint16_t tunnel, uint16_t session, enum l2tp_message_type type)
{
	struct l2tp_header h = {.control = true,
		.has_length = true,
		.has_sequence = true,
		.tunnel_id = tunnel,
		.session_id = session};
	size_t at = l2tp_header_begin(w, &h);

	avp_write_u16(w, AVP_MESSAGE_TYPE, (uint16_t)type);
	return at;
}

void message_write_zlb(struct writer *w, uint16_t tunnel, uint16_t ns, uint16_t nr)
{
	struct l2tp_header h = {.control = true,
		.has_length = true,
		.has_sequence = true,
		.tunnel_id = tunnel,
		.ns = ns,
		.nr = nr};

	l2tp_header_finish(w, l2tp_header_begin(w, &h));
}

static void write_text(struct writer *w, enum avp_type type, const char *text)
{
	avp_write_bytes(w, type, text, strnlen(text, L2TP_HOST_NAME_MAX));
}

static void write_optional(struct writer *w, enum avp_type type, const struct l2tp_text *value)
{
	if (value->len)
		avp_write_bytes(w, type, value->data, value->len);
}

static void write_opening(
	struct writer *w, uint16_t tunnel, enum l2tp_message_type type, const struct message_hello *m)
{
	size_t at = begin(w, tunnel, 0, type);

	avp_write_u16(w, AVP_PROTOCOL_VERSION, VERSION_1_0);
	write_text(w, AVP_HOST_NAME, m->host_name);
	avp_write_u32(w, AVP_FRAMING_CAPABILITIES, FRAMING_SYNC | (m->framing_async ? FRAMING_ASYNC : 0));
	avp_write_u16(w, AVP_ASSIGNED_TUNNEL, m->assigned_tunnel);
	avp_write_u16(w, AVP_RECEIVE_WINDOW, m->window);
	write_optional(w, AVP_CHALLENGE, &m->challenge);
	write_optional(w, AVP_CHALLENGE_RESPONSE, &m->response);
	avp_write_u16(w, AVP_FIRMWARE_REVISION, m->firmware);
	if (m->vendor_name)
		write_text(w, AVP_VENDOR_NAME, m->vendor_name);
	l2tp_header_finish(w, at);
}

void message_write_sccrq(struct writer *w, const struct message_hello *m)
{
	write_opening(w, 0, L2TP_SCCRQ, m);
}

void message_write_sccrp(struct writer *w, uint16_t tunnel, const struct message_hello *m)
{
	write_opening(w, tunnel, L2TP_SCCRP, m);
}

void message_write_scccn(struct writer *w, uint16_t tunnel, const struct l2tp_text *response)
{
	size_t at = begin(w, tunnel, 0, L2TP_SCCCN);

	write_optional(w, AVP_CHALLENGE_RESPONSE, response);
	l2tp_header_finish(w, at);
}

void message_write_stopccn(struct writer *w, uint16_t tunnel, uint16_t assigned_tunnel, uint16_t result,
	uint16_t error, const char *text)
{
	size_t at = begin(w, tunnel, 0, L2TP_STOPCCN);

	avp_write_u16(w, AVP_ASSIGNED_TUNNEL, assigned_tunnel);
	avp_write_result(w, result, error, text);
	l2tp_header_finish(w, at);
}

void message_write_hello(struct writer *w, uint16_t tunnel)
{
	l2tp_header_finish(w, begin(w, tunnel, 0, L2TP_HELLO));
}

void message_write_icrq(struct writer *w, uint16_t tunnel, uint16_t assigned_session, uint32_t call_serial)
{
	size_t at = begin(w, tunnel, 0, L2TP_ICRQ);

	avp_write_u16(w, AVP_ASSIGNED_SESSION, assigned_session);
	avp_write_u32(w, AVP_CALL_SERIAL, call_serial);
	l2tp_header_finish(w, at);
}

void message_write_icrp(struct writer *w, uint16_t tunnel, uint16_t session, uint16_t assigned_session)
{
	size_t at = begin(w, tunnel, session, L2TP_ICRP);

	avp_write_u16(w, AVP_ASSIGNED_SESSION, assigned_session);
	l2tp_header_finish(w, at);
}

void message_write_iccn(struct writer *w, uint16_t tunnel, uint16_t session)
{
	size_t at = begin(w, tunnel, session, L2TP_ICCN);

	avp_write_u32(w, AVP_TX_SPEED, 0);
	avp_write_u32(w, AVP_FRAMING_TYPE, FRAMING_SYNC);
	l2tp_header_finish(w, at);
}

void message_write_cdn(struct writer *w, uint16_t tunnel, uint16_t session, uint16_t assigned_session,
	uint16_t result, uint16_t error, const char *text)
{
	size_t at = begin(w, tunnel, session, L2TP_CDN);

	avp_write_result(w, result, error, text);
	avp_write_u16(w, AVP_ASSIGNED_SESSION, assigned_session);
	l2tp_header_finish(w, at);
}

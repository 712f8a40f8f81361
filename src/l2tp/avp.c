/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The AVP table of RFC 2661 section 4.4, and the reading, revealing and writing of single AVPs.
 *
 * Rows of kind AVP_KIND_IRRELEVANT are known to RFC 2661 but mean nothing to a softwire: they are skipped whatever their
 * M bit, length or hiding (RFC 5571 section 5.1.1.3). All the others are checked against their row.
 */
#include "l2tp/avp.h"

#include <string.h>

#include "l2tp/auth.h"

#define IN(type)   (1u << L2TP_##type)
#define FIELD(f)   offsetof(struct l2tp_message, f)
#define OPENING    (IN(SCCRQ) | IN(SCCRP))
#define EVERYWHERE 0xffffffffu

enum { VALUE_MAX = AVP_LENGTH - AVP_HEADER };

static const struct avp_row rows[AVP_TYPES] = {
	[AVP_MESSAGE_TYPE] = {"Message Type", "type", EVERYWHERE, 2, 2, 0, AVP_KIND_U16, true, false},
	[AVP_RESULT_CODE] = {"Result Code", "result", IN(STOPCCN) | IN(CDN), 2, VALUE_MAX, FIELD(result),
		AVP_KIND_RESULT, true, false},
	[AVP_PROTOCOL_VERSION] = {"Protocol Version", "version", OPENING, 2, 2, FIELD(protocol_version),
		AVP_KIND_U16, true, false},
	[AVP_FRAMING_CAPABILITIES] = {"Framing Capabilities", "framing", OPENING, 4, 4,
		FIELD(framing_capabilities), AVP_KIND_U32, true, true},
	[AVP_BEARER_CAPABILITIES] = {"Bearer Capabilities", "bearer", .mandatory = true},
	[AVP_TIE_BREAKER] = {"Tie Breaker", "tie-breaker"},
	[AVP_FIRMWARE_REVISION] = {"Firmware Revision", "firmware", OPENING, 2, 2, FIELD(firmware),
		AVP_KIND_U16, false, true},
	[AVP_HOST_NAME] = {"Host Name", "host", OPENING, 1, VALUE_MAX, FIELD(host_name), AVP_KIND_TEXT, true,
		false},
	[AVP_VENDOR_NAME] = {"Vendor Name", "vendor", OPENING, 0, VALUE_MAX, FIELD(vendor_name),
		AVP_KIND_TEXT, false, true},
	[AVP_ASSIGNED_TUNNEL] = {"Assigned Tunnel ID", "assigned-tunnel", OPENING | IN(STOPCCN), 2, 2,
		FIELD(assigned_tunnel), AVP_KIND_U16, true, true},
	[AVP_RECEIVE_WINDOW] = {"Receive Window Size", "window", OPENING, 2, 2, FIELD(window), AVP_KIND_U16,
		true, false},
	[AVP_CHALLENGE] = {"Challenge", "challenge", OPENING, 1, L2TP_CHALLENGE_MAX, FIELD(challenge),
		AVP_KIND_BYTES, true, true},
	[AVP_CAUSE_CODE] = {"Q.931 Cause Code", "cause-code", .mandatory = true},
	[AVP_CHALLENGE_RESPONSE] = {"Challenge Response", "response", IN(SCCRP) | IN(SCCCN), 16, 16,
		FIELD(challenge_response), AVP_KIND_RESPONSE, true, true},
	[AVP_ASSIGNED_SESSION] = {"Assigned Session ID", "assigned-session",
		IN(ICRQ) | IN(ICRP) | IN(CDN) | IN(OCRQ) | IN(OCRP), 2, 2, FIELD(assigned_session),
		AVP_KIND_U16, true, true},
	[AVP_CALL_SERIAL] = {"Call Serial Number", "call-serial", IN(ICRQ), 4, 4, FIELD(call_serial),
		AVP_KIND_U32, true, true},
	[AVP_MINIMUM_BPS] = {"Minimum BPS", "minimum-bps", .mandatory = true},
	[AVP_MAXIMUM_BPS] = {"Maximum BPS", "maximum-bps", .mandatory = true},
	[AVP_BEARER_TYPE] = {"Bearer Type", "bearer-type", .mandatory = true},
	[AVP_FRAMING_TYPE] = {"Framing Type", "framing-type", IN(ICCN), 4, 4, FIELD(framing_type),
		AVP_KIND_U32, true, true},
	[AVP_CALLED_NUMBER] = {"Called Number", "called-number", .mandatory = true},
	[AVP_CALLING_NUMBER] = {"Calling Number", "calling-number", .mandatory = true},
	[AVP_SUB_ADDRESS] = {"Sub-Address", "sub-address", .mandatory = true},
	[AVP_TX_SPEED] = {"(Tx) Connect Speed", "tx-speed", IN(ICCN), 4, 4, FIELD(tx_speed), AVP_KIND_U32,
		true, true},
	[AVP_PHYSICAL_CHANNEL] = {"Physical Channel ID", "physical-channel"},
	[AVP_INITIAL_CONFREQ] = {"Initial Received LCP CONFREQ", "initial-confreq"},
	[AVP_LAST_SENT_CONFREQ] = {"Last Sent LCP CONFREQ", "last-sent-confreq"},
	[AVP_LAST_RECEIVED_CONFREQ] = {"Last Received LCP CONFREQ", "last-received-confreq"},
	[AVP_PROXY_AUTHEN_TYPE] = {"Proxy Authen Type", "proxy-authen-type"},
	[AVP_PROXY_AUTHEN_NAME] = {"Proxy Authen Name", "proxy-authen-name"},
	[AVP_PROXY_AUTHEN_CHALLENGE] = {"Proxy Authen Challenge", "proxy-authen-challenge"},
	[AVP_PROXY_AUTHEN_ID] = {"Proxy Authen ID", "proxy-authen-id"},
	[AVP_PROXY_AUTHEN_RESPONSE] = {"Proxy Authen Response", "proxy-authen-response"},
	[AVP_CALL_ERRORS] = {"Call Errors", "call-errors", .mandatory = true},
	[AVP_ACCM] = {"ACCM", "accm", .mandatory = true},
	[AVP_RANDOM_VECTOR] = {"Random Vector", "random-vector", EVERYWHERE, 1, VALUE_MAX, 0, AVP_KIND_VECTOR,
		true, false},
	[AVP_PRIVATE_GROUP] = {"Private Group ID", "private-group"},
	[AVP_RX_SPEED] = {"Rx Connect Speed", "rx-speed"},
	[AVP_SEQUENCING_REQUIRED] = {"Sequencing Required", "sequencing-required", .mandatory = true},
};

const struct avp_row *avp_row(uint16_t type)
{
	return type < AVP_TYPES && rows[type].name ? &rows[type] : NULL;
}

const char *l2tp_avp_name(uint16_t type)
{
	const struct avp_row *row = avp_row(type);

	return row ? row->name : "unknown";
}

bool avp_is_recognized(const struct avp *a)
{
	return !a->vendor && !(a->bits & AVP_RESERVED) && avp_row(a->type);
}

struct avp avp_read(struct reader *r)
{
	struct avp a = {.bits = reader_u16(r)};
	size_t len = a.bits & AVP_LENGTH;
	struct reader rest;

	if (reader_ok(r) && len < AVP_HEADER)
		reader_fail(r, "AVP shorter than its header");
	rest = reader_sub(r, reader_ok(r) ? len - 2 : 0);
	if (!reader_ok(r)) {
		a.value = rest;
		return a;
	}
	a.vendor = reader_u16(&rest);
	a.type = reader_u16(&rest);
	a.value = reader_rest(&rest);
	return a;
}

/* Block by block: p(i) = c(i) xor b(i), b(1) = MD5(type + secret + vector), b(i) = MD5(secret + c(i-1)). */
static bool decipher(
	const struct avp *a, const struct l2tp_text *secret, const struct l2tp_text *vector, uint8_t *plain)
{
	uint8_t type[2] = {(uint8_t)(a->type >> 8), (uint8_t)a->type};
	const uint8_t *cipher = a->value.pos;
	size_t len = reader_left(&a->value);
	struct l2tp_text none = {0}, number = {type, sizeof(type)};
	uint8_t pad[AUTH_DIGEST];
	bool ok = auth_digest(pad, &number, secret, vector);

	for (size_t at = 0; ok && at < len; at += AUTH_DIGEST) {
		size_t n = len - at < AUTH_DIGEST ? len - at : AUTH_DIGEST;
		struct l2tp_text block = {cipher + at, n};

		for (size_t i = 0; i < n; i++)
			plain[at + i] = cipher[at + i] ^ pad[i];
		if (at + n < len)
			ok = auth_digest(pad, secret, &block, &none);
	}
	explicit_bzero(pad, sizeof(pad));
	return ok;
}

struct reader avp_reveal(const struct avp *a, const struct l2tp_text *secret, const struct l2tp_text *vector,
	struct writer *scratch)
{
	size_t len = reader_left(&a->value);
	struct reader plain = {0};
	uint8_t *space;

	if (!secret || !secret->len)
		reader_fail(&plain, "hidden, but no secret is shared");
	else if (!vector->len)
		reader_fail(&plain, "hidden, but no Random Vector precedes");
	else if (len < 2)
		reader_fail(&plain, "hidden, but too short for its length");
	if (!reader_ok(&plain))
		return plain;

	space = writer_reserve(scratch, len);
	if (!space || !decipher(a, secret, vector, space)) {
		reader_fail(&plain, "hidden, and cannot be deciphered");
		return plain;
	}
	/* What comes out is whatever the sender (or a wrong secret) made it: its length is checked like any other. */
	plain = reader_of(space, len);
	len = reader_u16(&plain);
	if (len > reader_left(&plain)) {
		reader_fail(&plain, "hidden, and its inner length is wrong (another secret?)");
		return plain;
	}
	return reader_sub(&plain, len);
}

static size_t avp_begin(struct writer *w, enum avp_type type, size_t len)
{
	size_t at = writer_len(w);

	writer_u16(w, (uint16_t)((rows[type].mandatory ? AVP_M : 0) | (AVP_HEADER + len)));
	writer_u16(w, 0);
	writer_u16(w, (uint16_t)type);
	return at;
}

void avp_write_u16(struct writer *w, enum avp_type type, uint16_t value)
{
	avp_begin(w, type, 2);
	writer_u16(w, value);
}

void avp_write_u32(struct writer *w, enum avp_type type, uint32_t value)
{
	avp_begin(w, type, 4);
	writer_u32(w, value);
}

void avp_write_bytes(struct writer *w, enum avp_type type, const void *data, size_t len)
{
	if (len > VALUE_MAX) {
		w->overflow = true;
		return;
	}
	avp_begin(w, type, len);
	writer_bytes(w, data, len);
}

void avp_write_result(struct writer *w, uint16_t result, uint16_t error, const char *text)
{
	size_t len = text ? strnlen(text, L2TP_MESSAGE_MAX) : 0;
	bool more = error || len;

	avp_begin(w, AVP_RESULT_CODE, (more ? 4 : 2) + len);
	writer_u16(w, result);
	if (!more)
		return;
	writer_u16(w, error);
	if (len)
		writer_bytes(w, text, len);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format of EAP packets, RFC 3748 section 4. */
#include <stdarg.h>
#include <stdio.h>

#include "eap/method.h"

enum { HEADER = 4 };

const char *eap_packet_read(const uint8_t *packet, size_t len, struct eap_packet *ret)
{
	struct reader r = reader_of(packet, len);
	struct eap_packet p = {.code = reader_u8(&r), .id = reader_u8(&r)};
	uint16_t length = reader_u16(&r);

	if (!reader_ok(&r))
		return "shorter than an EAP header";
	if (length < HEADER)
		return "the length is less than that of an EAP header";
	p.data = reader_sub(&r, (size_t)length - HEADER);
	if (!reader_ok(&r))
		return "the length is more than has come";
	switch (p.code) {
	case EAP_REQUEST:
	case EAP_RESPONSE:
		p.type = reader_u8(&p.data);
		if (!reader_ok(&p.data))
			return "a request or response without a type";
		break;
	case EAP_SUCCESS:
	case EAP_FAILURE:
		if (reader_left(&p.data))
			return "Success or Failure with data";
		break;
	default:
		return "an unknown code";
	}
	*ret = p;
	return NULL;
}

struct writer eap_reply_begin(struct eap_reply *ret, uint8_t code, uint8_t id, uint8_t type)
{
	struct writer w = writer_of(ret->packet, sizeof(ret->packet));

	writer_u8(&w, code);
	writer_u8(&w, id);
	writer_u16(&w, 0);
	writer_u8(&w, type);
	return w;
}

void eap_reply_finish(struct eap_reply *ret, struct writer *w)
{
	writer_patch16(w, 2, (uint16_t)writer_len(w));
	ret->len = writer_ok(w) ? writer_len(w) : 0;
}

void eap_printable(struct reader text, char *ret, size_t size)
{
	size_t n = reader_left(&text), i;

	for (i = 0; i < n && i + 1 < size; i++) {
		uint8_t c = reader_u8(&text);

		ret[i] = (char)(c >= ' ' && c <= '~' ? c : '?');
	}
	ret[i] = '\0';
}

void eap_say(char why[EAP_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, EAP_WHY, format, args);
	va_end(args);
}

const char *eap_method_name(uint8_t type)
{
	switch (type) {
	case EAP_IDENTITY:
		return "Identity";
	case EAP_NOTIFICATION:
		return "Notification";
	case EAP_NAK:
		return "Nak";
	case EAP_MD5:
		return "MD5-Challenge";
	case EAP_TLS:
		return "TLS";
	default:
		return "unknown";
	}
}

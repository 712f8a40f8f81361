/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PPP frames and control packets as bytes (RFC 1661 sections 2 and 5), and the names of what is in them.
 */
#include "ppp/packet.h"

#include "ppp/protocol.h"

uint16_t ppp_frame_read(struct reader *r)
{
	uint16_t protocol;

	if (reader_left(r) >= 2 && r->pos[0] == 0xff && r->pos[1] == 0x03)
		reader_skip(r, 2);
	protocol = reader_u8(r);
	if (!(protocol & 1)) /* section 6.5: an odd first octet is the whole field */
		protocol = (uint16_t)(protocol << 8 | reader_u8(r));
	if (!reader_ok(r))
		return 0;
	if (!protocol)
		reader_fail(r, "reserved protocol 0");
	return protocol;
}

void ppp_packet_read(struct reader *r, struct ppp_packet *ret)
{
	struct ppp_packet p = {.code = reader_u8(r), .id = reader_u8(r)};
	uint16_t length = reader_u16(r);

	if (reader_ok(r) && length < PPP_HEADER)
		reader_fail(r, "length below 4");
	p.data = reader_sub(r, (size_t)length - PPP_HEADER);
	*ret = p;
}

size_t ppp_packet_begin(struct writer *w, uint16_t protocol, uint8_t code, uint8_t id)
{
	writer_u16(w, 0xff03);
	writer_u16(w, protocol);
	writer_u8(w, code);
	writer_u8(w, id);
	return writer_begin16(w);
}

void ppp_packet_finish(struct writer *w, size_t at)
{
	writer_end16(w, at, PPP_HEADER);
}

const char *ppp_protocol_name(uint16_t protocol)
{
	switch (protocol) {
	case PPP_IP:
		return "IP";
	case PPP_IPV6:
		return "IPv6";
	case PPP_IPCP:
		return "IPCP";
	case PPP_IPV6CP:
		return "IPV6CP";
	case PPP_LCP:
		return "LCP";
	case PPP_PAP:
		return "PAP";
	case PPP_LQR:
		return "LQR";
	case PPP_CHAP:
		return "CHAP";
	case PPP_EAP:
		return "EAP";
	}
	return "unknown";
}

const char *ppp_code_name(uint16_t protocol, uint8_t code)
{
	static const char *const codes[] = {
		[PPP_CONFIGURE_REQUEST] = "Configure-Request",
		[PPP_CONFIGURE_ACK] = "Configure-Ack",
		[PPP_CONFIGURE_NAK] = "Configure-Nak",
		[PPP_CONFIGURE_REJECT] = "Configure-Reject",
		[PPP_TERMINATE_REQUEST] = "Terminate-Request",
		[PPP_TERMINATE_ACK] = "Terminate-Ack",
		[PPP_CODE_REJECT] = "Code-Reject",
		[PPP_PROTOCOL_REJECT] = "Protocol-Reject",
		[PPP_ECHO_REQUEST] = "Echo-Request",
		[PPP_ECHO_REPLY] = "Echo-Reply",
		[PPP_DISCARD_REQUEST] = "Discard-Request",
	};
	static const char *const chap[] = {
		[CHAP_CHALLENGE] = "Challenge",
		[CHAP_RESPONSE] = "Response",
		[CHAP_SUCCESS] = "Success",
		[CHAP_FAILURE] = "Failure",
	};
	static const char *const pap[] = {
		[PAP_REQUEST] = "Authenticate-Request",
		[PAP_ACK] = "Authenticate-Ack",
		[PAP_NAK] = "Authenticate-Nak",
	};
	static const char *const eap[] = {
		[PPP_EAP_REQUEST] = "Request",
		[PPP_EAP_RESPONSE] = "Response",
		[PPP_EAP_SUCCESS] = "Success",
		[PPP_EAP_FAILURE] = "Failure",
	};

	if (protocol == PPP_PAP)
		return code >= PAP_REQUEST && code <= PAP_NAK ? pap[code] : "unknown";
	if (protocol == PPP_EAP)
		return code >= PPP_EAP_REQUEST && code <= PPP_EAP_FAILURE ? eap[code] : "unknown";
	if (protocol == PPP_CHAP)
		return code >= CHAP_CHALLENGE && code <= CHAP_FAILURE ? chap[code] : "unknown";
	if (protocol != PPP_LCP && code > PPP_CODE_REJECT)
		return "unknown";
	return code >= PPP_CONFIGURE_REQUEST && code <= PPP_DISCARD_REQUEST ? codes[code] : "unknown";
}

const char *ppp_printable(struct reader text, char *buf, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && reader_left(&text)) {
		uint8_t c = reader_u8(&text);

		buf[n++] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	buf[n] = '\0';
	return buf;
}

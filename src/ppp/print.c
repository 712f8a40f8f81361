/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per control frame, for trace: "LCP Configure-Request id=1 mru=1460 magic=0x1a2b3c4d
 * auth=CHAP-MD5".
 *
 * Everything that comes from the peer is bounded and printable. Challenges and responses are left out (only
 * their length is told): together they are all that guessing a secret needs. So are PAP's passwords and what EAP's methods say.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "ppp/packet.h"
#include "ppp/protocol.h"

struct text {
	char *pos;
	size_t left; /* with the terminator */
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->pos, t->left, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= t->left)
		n = (int)t->left - 1;
	t->pos += n;
	t->left -= (size_t)n;
}

static void put_words(struct text *t, const char *key, struct reader words)
{
	char buf[128];

	if (reader_left(&words))
		put(t, " %s=\"%s\"", key, ppp_printable(words, buf, sizeof(buf)));
}

static void put_auth(struct text *t, struct reader data)
{
	enum ppp_method method = ppp_auth_option_read(data);
	uint16_t protocol = reader_u16(&data);

	if (method == PPP_METHOD_CHAP_MD5)
		put(t, " auth=CHAP-MD5");
	else if (method == PPP_METHOD_MSCHAPV2)
		put(t, " auth=MS-CHAPv2");
	else if (protocol == PPP_CHAP && reader_left(&data))
		put(t, " auth=CHAP-%u", *data.pos);
	else
		put(t, " auth=%s(0x%04x)", ppp_protocol_name(protocol), protocol);
}

static void put_lcp_option(struct text *t, uint8_t type, struct reader data)
{
	size_t len = reader_left(&data);

	if (type == LCP_MRU && len == 2)
		put(t, " mru=%u", reader_u16(&data));
	else if (type == LCP_MAGIC && len == 4)
		put(t, " magic=0x%08" PRIx32, reader_u32(&data));
	else if (type == LCP_AUTH && len >= 2)
		put_auth(t, data);
	else if (type == LCP_QUALITY && len >= 2)
		put(t, " quality=0x%04x", reader_u16(&data));
	else if (type == LCP_PFC && !len)
		put(t, " pfc");
	else if (type == LCP_ACFC && !len)
		put(t, " acfc");
	else
		put(t, " option-%u(%zu)", type, len);
}

static void put_ipv6cp_option(struct text *t, uint8_t type, struct reader data)
{
	size_t len = reader_left(&data);

	if (type == IPV6CP_IID && len == 8) {
		uint16_t word[4];

		for (int i = 0; i < 4; i++)
			word[i] = reader_u16(&data);
		put(t, " iid=%x:%x:%x:%x", word[0], word[1], word[2], word[3]);
	} else {
		put(t, " option-%u(%zu)", type, len);
	}
}

static void put_ipcp_option(struct text *t, uint8_t type, struct reader data)
{
	const char *name = type == IPCP_ADDRESS ? "address"
			   : type == IPCP_DNS1  ? "dns1"
			   : type == IPCP_DNS2  ? "dns2"
			   : type == IPCP_NBNS1 ? "nbns1"
			   : type == IPCP_NBNS2 ? "nbns2"
						: NULL;
	uint8_t a[4];

	if (type == IPCP_COMPRESSION && reader_left(&data) >= 2)
		put(t, " compression=0x%04x", reader_u16(&data));
	else if (name && reader_left(&data) == 4 && reader_copy(&data, a, 4))
		put(t, " %s=%u.%u.%u.%u", name, a[0], a[1], a[2], a[3]);
	else
		put(t, " option-%u(%zu)", type, reader_left(&data));
}

static void put_options(struct text *t, uint16_t protocol, struct reader r)
{
	while (reader_left(&r)) {
		uint8_t type = reader_u8(&r), len = reader_u8(&r);
		struct reader data;

		if (reader_ok(&r) && len < 2)
			reader_fail(&r, "option length below 2");
		data = reader_sub(&r, (size_t)len - 2);
		if (!reader_ok(&r)) {
			put(t, " malformed: %s", r.error);
			return;
		}
		if (protocol == PPP_LCP)
			put_lcp_option(t, type, data);
		else if (protocol == PPP_IPV6CP)
			put_ipv6cp_option(t, type, data);
		else if (protocol == PPP_IPCP)
			put_ipcp_option(t, type, data);
		else
			put(t, " option-%u(%zu)", type, reader_left(&data));
	}
}

static void put_control(struct text *t, uint16_t protocol, uint8_t code, struct reader r)
{
	uint16_t rejected;

	switch (code) {
	case PPP_CONFIGURE_REQUEST:
	case PPP_CONFIGURE_ACK:
	case PPP_CONFIGURE_NAK:
	case PPP_CONFIGURE_REJECT:
		put_options(t, protocol, r);
		break;
	case PPP_TERMINATE_REQUEST:
	case PPP_TERMINATE_ACK:
		put_words(t, "text", r);
		break;
	case PPP_CODE_REJECT:
		put(t, " code=%s", ppp_code_name(protocol, reader_u8(&r)));
		break;
	case PPP_PROTOCOL_REJECT:
		rejected = reader_u16(&r);
		put(t, " protocol=%s(0x%04x)", ppp_protocol_name(rejected), rejected);
		break;
	case PPP_ECHO_REQUEST:
	case PPP_ECHO_REPLY:
	case PPP_DISCARD_REQUEST:
		put(t, " magic=0x%08" PRIx32, reader_u32(&r));
		break;
	default:
		break;
	}
}

static void put_chap(struct text *t, uint8_t code, struct reader r)
{
	uint8_t size;

	switch (code) {
	case CHAP_CHALLENGE:
	case CHAP_RESPONSE:
		size = reader_u8(&r);
		reader_skip(&r, size);
		if (!reader_ok(&r)) {
			put(t, " malformed: %s", r.error);
			return;
		}
		put(t, " value=%u bytes", size);
		put_words(t, "name", r);
		break;
	case CHAP_SUCCESS:
	case CHAP_FAILURE:
		if (reader_left(&r) >= MSCHAP_SUCCESS && r.pos[0] == 'S' &&
			r.pos[1] == '=') { /* RFC 2759 section 5 */
			put(t, " value=%u bytes", MSCHAP_SUCCESS - 2);
			reader_skip(&r, MSCHAP_SUCCESS);
			reader_skip(&r, reader_left(&r) && *r.pos == ' ');
		}
		put_words(t, "message", r);
		break;
	default:
		break;
	}
}

static void put_pap(struct text *t, uint8_t code, struct reader r)
{
	struct reader first = {0};

	if (code < PAP_REQUEST || code > PAP_NAK || (code != PAP_REQUEST && !reader_left(&r)))
		return;
	first = reader_sub(&r, reader_u8(&r));
	if (code == PAP_REQUEST)
		reader_skip(&r, reader_u8(&r));
	if (!reader_ok(&r))
		put(t, " malformed: %s", r.error);
	else
		put_words(t, code == PAP_REQUEST ? "name" : "message", first);
}

/* RFC 3748 section 5. */
static void put_eap(struct text *t, uint8_t code, struct reader r)
{
	uint8_t type;

	if (code != PPP_EAP_REQUEST && code != PPP_EAP_RESPONSE)
		return;
	type = reader_u8(&r);
	if (!reader_ok(&r))
		put(t, " malformed: %s", r.error);
	else if (type == 1)
		put(t, " Identity");
	else if (type == 2)
		put(t, " Notification");
	else if (type == 3)
		put(t, " Nak");
	else
		put(t, " type=%u %zu bytes", type, reader_left(&r));
	if (type == 1 || type == 2)
		put_words(t, "text", r);
	while (type == 3 && reader_left(&r))
		put(t, " %u", reader_u8(&r));
}

static bool is_control(uint16_t protocol)
{
	return protocol == PPP_LCP || protocol == PPP_CHAP || protocol == PPP_PAP || protocol == PPP_EAP ||
	       (protocol >= 0x8000 && protocol < 0xc000);
}

void ppp_frame_print(const uint8_t *frame, size_t len, char *buf, size_t size)
{
	struct text t = {.pos = buf, .left = size};
	struct reader r = reader_of(frame, len);
	uint16_t protocol = ppp_frame_read(&r);
	struct ppp_packet p;

	if (!size)
		return;
	buf[0] = '\0';
	if (!reader_ok(&r)) {
		put(&t, "malformed: %s", r.error);
		return;
	}
	put(&t, "%s", ppp_protocol_name(protocol));
	if (ppp_protocol_name(protocol)[0] == 'u')
		put(&t, "(0x%04x)", protocol);
	if (!is_control(protocol)) {
		put(&t, " %zu bytes", reader_left(&r));
		return;
	}
	ppp_packet_read(&r, &p);
	if (!reader_ok(&r)) {
		put(&t, " malformed: %s", r.error);
		return;
	}
	put(&t, " %s id=%u", ppp_code_name(protocol, p.code), p.id);
	if (protocol == PPP_CHAP)
		put_chap(&t, p.code, p.data);
	else if (protocol == PPP_PAP)
		put_pap(&t, p.code, p.data);
	else if (protocol == PPP_EAP)
		put_eap(&t, p.code, p.data);
	else
		put_control(&t, protocol, p.code, p.data);
}

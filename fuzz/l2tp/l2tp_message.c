/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a control message's body, with and without a secret: what is accepted has what its type requires. */
#include <stdlib.h>
#include <string.h>

#include "l2tp/avp.h"
#include "l2tp/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static bool inside(const struct l2tp_text *t, const uint8_t *data, size_t size)
{
	return t->data >= data && t->data + t->len <= data + size;
}

static void check_text(const struct l2tp_text *t, const uint8_t *data, size_t size, const uint8_t *scratch)
{
	char text[64];

	require(!t->len || inside(t, data, size) || inside(t, scratch, L2TP_PACKET_MAX));
	l2tp_text_print(t, text, sizeof(text));
	require(strlen(text) < sizeof(text));
}

static void check(const struct l2tp_message *m)
{
	switch (m->type) {
	case L2TP_SCCRQ:
	case L2TP_SCCRP:
		require(m->assigned_tunnel && m->window && m->host_name.len &&
			m->seen & 1 << AVP_PROTOCOL_VERSION);
		require(m->challenge.len <= L2TP_CHALLENGE_MAX);
		break;
	case L2TP_STOPCCN:
		require(m->seen & 1 << AVP_RESULT_CODE && m->seen & 1 << AVP_ASSIGNED_TUNNEL);
		break;
	case L2TP_ICRQ:
	case L2TP_ICRP:
		require(m->assigned_session);
		break;
	case L2TP_ICCN:
		require(m->seen & 1 << AVP_FRAMING_TYPE && m->seen & 1 << AVP_TX_SPEED);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct l2tp_text secret = {(const uint8_t *)"sesame", 6};
	uint8_t scratch[L2TP_PACKET_MAX];

	for (int i = 0; i < 2; i++) {
		struct l2tp_message m;
		struct l2tp_fault f = {0};
		int err = l2tp_message_read(reader_of(data, size), i ? &secret : NULL, scratch, &m, &f);

		require(!err == !f.result);
		require(!err == !f.text[0]);
		require(memchr(f.text, '\0', sizeof(f.text)) != NULL);
		check_text(&m.host_name, data, size, scratch);
		check_text(&m.vendor_name, data, size, scratch);
		check_text(&m.challenge, data, size, scratch);
		check_text(&m.error_message, data, size, scratch);
		if (!err)
			check(&m);
	}
	return 0;
}

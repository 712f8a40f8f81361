/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * StopCCNs without a tunnel: what an end says that has lost its state, and how the other end recognises it.
 *
 * Nobody can check such a packet, so it ends nothing: its receiver probes the peer.
 */
#include <string.h>

#include "l2tp/message.h"
#include "l2tp/tunnel.h"

void l2tp_stray_reply(
	struct writer *w, uint16_t stray_tunnel_id, uint16_t peer_tunnel, uint16_t result, const char *text)
{
	size_t at = writer_len(w);
	uint16_t error = L2TP_ERROR_NONE;

	if (result == L2TP_STOP_ERROR)
		error = peer_tunnel ? L2TP_ERROR_RESOURCES : L2TP_ERROR_NO_CONTROL;
	/* A refused SCCRQ has been given no id of ours, and zero is none; the peer finds its tunnel by the header. */
	if (peer_tunnel && !stray_tunnel_id)
		stray_tunnel_id = 1;
	message_write_stopccn(w, peer_tunnel, stray_tunnel_id, result, error, text);
	/* A peer whose id we know has sent us its first message, an SCCRQ; nobody else listens to Nr here. */
	writer_patch16(w, at + MESSAGE_NR_AT, peer_tunnel ? 1 : 0);
}

void l2tp_refusal(struct writer *w, uint16_t peer_tunnel, uint16_t result, uint16_t error, const char *text)
{
	size_t at = writer_len(w);

	message_write_stopccn(w, peer_tunnel, 1, result, error, text); /* no id of ours was given; zero is none */
	writer_patch16(w, at + MESSAGE_NR_AT, peer_tunnel ? 1 : 0);
}

bool l2tp_stray_matches(const struct l2tp_tunnel *t, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_fault fault;
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r) || !h.control || h.tunnel_id || !t->peer_tunnel)
		return false;
	if (l2tp_message_read(r, NULL, scratch, &m, &fault))
		return false;
	return m.type == L2TP_STOPCCN && m.assigned_tunnel == t->peer_tunnel;
}

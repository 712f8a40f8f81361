/*
 * l2tp/channel: reliable delivery of control messages (RFC 2661 section 5.8 and appendix A). Private to l2tp/.
 *
 * Works on the channel's fields of struct l2tp_tunnel: ns, nr, the windows, the queues. The outgoing list is in order of
 * Ns; its first in_flight messages are under way, the others wait for the window. After a timeout only
 * the head counts as under way (cwnd 1). Early messages are kept in order of Ns, within our receive window.
 */
#ifndef L2TP_CHANNEL_H
#define L2TP_CHANNEL_H

#include "l2tp/tunnel.h"

struct l2tp_queued {
	struct l2tp_queued *next;
	uint16_t ns;
	uint16_t session_id; /* early ones */
	uint16_t len;
	uint8_t type; /* outgoing: enum l2tp_message_type */
	bool sent;
	uint8_t data[]; /* outgoing: the packet; early: the body */
};

enum channel_verdict {
	CHANNEL_DONE, /* nothing for the upper level: acknowledgement, duplicate, early or refused */
	CHANNEL_NEXT, /* the message expected next */
};

void channel_init(struct l2tp_tunnel *t, msec now);
void channel_set_peer_window(struct l2tp_tunnel *t, uint16_t window);
/* Queues a packet made by message_write_...(). 0 or -ENOMEM. */
int channel_queue(struct l2tp_tunnel *t, enum l2tp_message_type type, const uint8_t *packet, size_t len);
/* The peer's tunnel id is known after all: what is still to be sent, or sent again, names it. */
void channel_readdress(struct l2tp_tunnel *t, uint16_t peer_tunnel);
/* Sends what the windows allow, then an acknowledgement if one is still due. */
void channel_flush(struct l2tp_tunnel *t, msec now);
/* Lets N more messages through than the congestion window would. */
void channel_widen(struct l2tp_tunnel *t, uint16_t n);
/* Forgets what was never sent. */
void channel_drop_unsent(struct l2tp_tunnel *t);
void channel_drop_outgoing(struct l2tp_tunnel *t);
/* Acknowledgement and sequence number of an incoming message. */
enum channel_verdict channel_receive(
	struct l2tp_tunnel *t, const struct l2tp_header *h, struct reader body, msec now);
/* The message expected next is taken: it will be acknowledged. */
void channel_accept(struct l2tp_tunnel *t);
/* The early message that is expected next, if it is here; the caller frees it. */
struct l2tp_queued *channel_early(struct l2tp_tunnel *t);
/* Retransmits what is due. False: the peer is dead. */
bool channel_tick(struct l2tp_tunnel *t, msec now);
/* Sends the first message that is under way once more; the schedule of retransmissions stays. */
void channel_repeat(struct l2tp_tunnel *t, msec now);
/* Checks at once whether the peer lives, for what is in flight. */
void channel_hurry(struct l2tp_tunnel *t, msec now);
/* A concentrator that has heard nothing but an SCCRQ: the initiator's address may be forged. */
bool channel_is_unproven(const struct l2tp_tunnel *t);
unsigned channel_limit(const struct l2tp_tunnel *t); /* retransmissions before the peer is dead */
void channel_done(struct l2tp_tunnel *t);

/* Formats and tells the owner. */
void tunnel_note(struct l2tp_tunnel *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

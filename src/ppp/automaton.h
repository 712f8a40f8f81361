/*
 * ppp/automaton: RFC 1661 section 4.1's option negotiation automaton, once, as a table of (event, state) ->
 * (actions, next state).
 *
 * Each control protocol (LCP, IPV6CP, IPCP) embeds one and supplies its options through
 * ppp_protocol_ops. The automaton owns the restart counter, the identifiers and the restart timer; it
 * builds and reads all codes that every protocol shares.
 *
 * What the RFC leaves open, or where we go beyond it:
 * - A reply counts once. After a valid Configure-Ack, -Nak or -Reject the Identifier has to change (section
 *   5.1), so another reply with the old one is not valid any more: it is dropped and counted as bad_id. A
 *   packet that the network doubled thus never takes an open link down (the table's crossed-connection
 *   cells [x] stay in the table, but no packet leads there).
 * - A Configure-Request that repeats, byte for byte, the one that we have acknowledged last is the
 *   retransmission of a peer that missed our Ack: while we are Opened it is acknowledged again (three times
 *   at most per opening) and nothing else happens. Anything else renegotiates. A short digest tells which; a
 *   peer that finds another request with the same one gets an Ack for options that are never in force.
 * - A peer that asks for something acceptable after our Configure-Nak or -Reject, and has not answered the
 *   Configure-Request that we sent before that, has not got it: the Restart timer ends at once. pppd, which
 *   begins to listen a moment after its L2TP session is there, is thus up in a tenth of 3 seconds.
 * - Stopping after the peer's Terminate-Request lasts a third of the Restart timer (section 4.4,
 *   Zero-Restart-Count: "an appropriate value").
 * - A peer that refuses our requests without end is given up after PPP_MAX_REFUSALS.
 */
#ifndef PPP_AUTOMATON_H
#define PPP_AUTOMATON_H

#include "lib/wheel.h"
#include "ppp/packet.h"

/* Section 4.2; the numbers are those of the table in section 4.1. */
enum ppp_state {
	PPP_INITIAL,
	PPP_STARTING,
	PPP_CLOSED,
	PPP_STOPPED,
	PPP_CLOSING,
	PPP_STOPPING,
	PPP_REQ_SENT,
	PPP_ACK_RCVD,
	PPP_ACK_SENT,
	PPP_OPENED,
};

/* Section 4.3, in the order of the table's rows. */
enum ppp_event {
	PPP_EVENT_UP,
	PPP_EVENT_DOWN,
	PPP_EVENT_OPEN,
	PPP_EVENT_CLOSE,
	PPP_EVENT_TO_PLUS,
	PPP_EVENT_TO_MINUS,
	PPP_EVENT_RCR_PLUS,
	PPP_EVENT_RCR_MINUS,
	PPP_EVENT_RCA,
	PPP_EVENT_RCN,
	PPP_EVENT_RTR,
	PPP_EVENT_RTA,
	PPP_EVENT_RUC,
	PPP_EVENT_RXJ_PLUS,
	PPP_EVENT_RXJ_MINUS,
	PPP_EVENT_RXR,
};

enum {
	PPP_STATES = PPP_OPENED + 1,
	PPP_EVENTS = PPP_EVENT_RXR + 1,
	PPP_ILLEGAL = 0xff,
	PPP_MAX_REFUSALS = 20,
	PPP_MAX_COUNT = 63, /* of restarts and failures, whatever the configuration says */
	PPP_MAX_OPTIONS = 4, /* of one protocol that we know */
};

/* Section 4.4, in the order in which they are done, and the table's notes. */
enum ppp_action {
	PPP_TLD = 1 << 0,
	PPP_IRC = 1 << 1,
	PPP_ZRC = 1 << 2,
	PPP_SCR = 1 << 3,
	PPP_STR = 1 << 4,
	PPP_SCA = 1 << 5,
	PPP_SCN = 1 << 6,
	PPP_STA = 1 << 7,
	PPP_SCJ = 1 << 8,
	PPP_SER = 1 << 9,
	PPP_TLU = 1 << 10,
	PPP_TLS = 1 << 11,
	PPP_TLF = 1 << 12,
	PPP_NOTE_R = 1 << 13, /* [r]: restart option: ppp_automaton_restart() */
	PPP_NOTE_P = 1 << 14, /* [p]: passive option: not used, tlf is done */
	PPP_NOTE_X = 1 << 15, /* [x]: crossed connection */
};

struct ppp_cell {
	uint16_t actions; /* enum ppp_action */
	uint8_t next; /* enum ppp_state; PPP_ILLEGAL: the event cannot happen in this state, and nothing is done */
};

struct ppp_automaton;
struct ppp_config;
struct ppp_protocol_ops; /* private to the folder (ppp/protocol.h): options of one control protocol */

struct ppp_automaton {
	const struct ppp_protocol_ops *ops;
	msec restart_at;
	uint32_t state : 4;	/* enum ppp_state */
	uint32_t restarts : 6;	/* the Restart counter */
	uint32_t failures : 6;	/* Configure-Naks sent without Ack: Max-Failure */
	uint32_t refusals : 5;	/* Configure-Naks and -Rejects got without Ack */
	uint32_t rejected : 4;	/* bits of our options that the peer has rejected, by their place in the protocol's table */
	uint32_t answered : 1;	/* the last request has had its reply */
	uint32_t repeats : 2;	/* see above */
	uint32_t objected : 1;	/* we have sent a Configure-Nak or -Reject after our last Configure-Request */
	uint8_t request_id;	/* of the last Configure- or Terminate-Request sent */
	uint8_t next_id;
	uint16_t acked;		/* digest of the Configure-Request that we have acknowledged last */
};

struct ppp_cell ppp_automaton_cell(enum ppp_event event, enum ppp_state state);
const char *ppp_state_name(enum ppp_state state); /* "Req-Sent" */

/* In Initial state. */
void ppp_automaton_init(struct ppp_automaton *a, const struct ppp_protocol_ops *ops);
/* Administrative and lower-layer events. REASON goes to ops->down() and ops->finished() when the event
 * leads there. */
void ppp_automaton_up(struct ppp_automaton *a, msec now);
void ppp_automaton_down(struct ppp_automaton *a, const char *reason, msec now);
void ppp_automaton_open(struct ppp_automaton *a, msec now);
void ppp_automaton_close(struct ppp_automaton *a, const char *reason, msec now);
/* The restart option of section 4.3, Open event: Down and Up, which negotiates anew from any state in
 * which the layer below is there. */
void ppp_automaton_restart(struct ppp_automaton *a, const char *reason, msec now);
/* The peer does not know this protocol, or a code that it needs; or we give up. In Stopped the peer may begin again. */
void ppp_automaton_refused(struct ppp_automaton *a, const char *reason, msec now);
/* PACKET is what follows the protocol field. */
void ppp_automaton_input(struct ppp_automaton *a, struct reader packet, msec now);
void ppp_automaton_tick(struct ppp_automaton *a, msec now);

#endif

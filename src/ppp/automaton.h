/*
 * ppp/automaton: RFC 1661 section 4.1's option negotiation automaton, once, as a table of (event, state) -> (actions, next state).
 *
 * Each control protocol (LCP, IPV6CP, later IPCP) embeds one and supplies its options through ppp_protocol_ops. The automaton
 * owns the restart counter, the identifiers and the restart timer; it builds and reads all codes that every protocol shares.
 */
#ifndef PPP_AUTOMATON_H
#define PPP_AUTOMATON_H

#include "lib/wheel.h"
#include "ppp/packet.h"

/* Section 4.2; the numbers are those of the table in section 4.1. */
enum ppp_state {
	PPP_INITIAL, PPP_STARTING, PPP_CLOSED, PPP_STOPPED, PPP_CLOSING, PPP_STOPPING, PPP_REQ_SENT, PPP_ACK_RCVD, PPP_ACK_SENT, PPP_OPENED,
};

/* Section 4.3, in the order of the table's rows. */
enum ppp_event {
	PPP_EVENT_UP, PPP_EVENT_DOWN, PPP_EVENT_OPEN, PPP_EVENT_CLOSE, PPP_EVENT_TO_PLUS, PPP_EVENT_TO_MINUS, PPP_EVENT_RCR_PLUS, PPP_EVENT_RCR_MINUS,
	PPP_EVENT_RCA, PPP_EVENT_RCN, PPP_EVENT_RTR, PPP_EVENT_RTA, PPP_EVENT_RUC, PPP_EVENT_RXJ_PLUS, PPP_EVENT_RXJ_MINUS, PPP_EVENT_RXR,
};

struct ppp_automaton;
struct ppp_protocol_ops; /* private to the folder: options of one control protocol */

struct ppp_automaton {
	const struct ppp_protocol_ops *ops;
	uint8_t state;
	uint8_t restarts;   /* the Restart counter */
	uint8_t failures;   /* Configure-Naks sent without Ack: Max-Failure */
	uint8_t request_id; /* of the last Configure- or Terminate-Request sent */
	uint8_t next_id;
	uint8_t rejected;   /* bits of our options that the peer has rejected */
	msec restart_at;
};

#endif

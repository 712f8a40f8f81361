/*
 * hub/engine: what the files of this folder share. Not for other folders.
 *
 *   softwire.c  entry, exit, life, input and answers of either end
 *   tunnel.c    L2TP below
 *   link.c      PPP below, and what it brings: each payload family comes and goes by itself
 *   payload.c   IPv6 packets that end here: Neighbor Discovery, DHCPv6, echo; payload4.c: IPv4 ones: DHCPv4
 *   sc.c        the concentrator's end: tunnel, lease, IPv6; sc4.c: its IPv4
 *   si.c        the initiator's end: tunnel, IPv6; si4.c: its IPv4
 *   save.c      a softwire as bytes, and back (hub/save.h); sc_save.c and si_save.c: what only one end has
 *   trace.c     words for trace events
 */
#ifndef HUB_ENGINE_H
#define HUB_ENGINE_H

#include "hub/save.h"
#include "hub/softwire.h"
#include "lib/record.h"

static inline struct softwire_sc *softwire_as_sc(struct softwire *s)
{
	return (struct softwire_sc *)s;
}

static inline struct softwire_si *softwire_as_si(struct softwire *s)
{
	return (struct softwire_si *)s;
}

/* softwire.c */

/* Every public function stands between these two: leave() tells the deadline to the wheel, or that all is over. */
void softwire_enter(struct softwire *s, msec now);
void softwire_leave(struct softwire *s);
/* Tells the wheel when something is due next. */
void softwire_rearm(struct softwire *s);
/* Starts the engine's shared part; the tunnel comes next. */
void softwire_begin(struct softwire *s, const struct softwire_config *c, uint16_t mtu, msec now);
void softwire_note(struct softwire *s, const char *text);
void softwire_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len);
/* Remembers why it ends, unless something was remembered before. */
void softwire_blame(
	struct softwire *s, enum softwire_cause cause, uint16_t result, uint16_t error, const char *text);
/* The same, with what the tunnel's peer has said. */
void softwire_blame_peer(struct softwire *s, enum softwire_cause cause, const struct l2tp_why *why);
/* A PPP frame of ours, with FF 03. */
void softwire_send_frame(struct softwire *s, const uint8_t *frame, size_t len);
/* A packet of ours for the peer, PROTOCOL PPP_IPV6 or PPP_IP. */
void softwire_send_packet(struct softwire *s, uint16_t protocol, const void *packet, size_t len);

/* save.c, sc_save.c, si_save.c */
enum { /* tags of sections: never used again for anything else */
	SECTION_HUB = 1,
	SECTION_L2TP,
	SECTION_PPP,
	SECTION_NODE,
	SECTION_ROUTER,
	SECTION_HOST,
	SECTION_DHCP6,
	SECTION_DHCP4,
	SECTION_LEASE,
	SECTION_STATE,
	SECTION_ACTIVITY,
};
/* ops->changed(), if a record written now would be another one. */
void softwire_tell_changed(struct softwire *s);
/* Either end, but for what the initiator's owner adds. */
int softwire_resume(struct softwire *s, const struct softwire_config *c, struct reader *r, msec now,
	char why[SOFTWIRE_RESUME_WHY]);
/* Says what is wrong with the section that R reads (no error there: memory); returns the error. */
int softwire_refuse_section(const char *name, const struct reader *r, char why[SOFTWIRE_RESUME_WHY]);
/* The sections of one end. */
void softwire_sc_put(const struct softwire_sc *sc, struct writer *w);
int softwire_sc_take(struct softwire_sc *sc, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY]);
void softwire_si_put(const struct softwire_si *si, struct writer *w);
int softwire_si_take(struct softwire_si *si, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY]);

/* tunnel.c */
extern const struct l2tp_ops softwire_tunnel_ops;
/* Stops everything above L2TP without a word to anybody. */
void softwire_drop_network(struct softwire *s);

/* link.c */
extern const struct ppp_ops softwire_link_ops;
/* Our interface identifier: what it was before, what is configured, or a random one; never OTHER. */
uint64_t softwire_own_iid(const struct softwire *s, uint64_t other);
/* The user is known, and the SC has its lease: the NCPs of what is configured and leased begin. */
void softwire_start_network(struct softwire *s);
/* Once more for the families that are missing; the one that is up is left alone. */
void softwire_try_network(struct softwire *s);
/* Data may flow. False: the owner has closed the softwire from inside ops->up(). */
bool softwire_family_up(struct softwire *s, uint8_t family);
/* It was up. */
void softwire_family_down(struct softwire *s, uint8_t family, const char *why);
/* Is IPv6 up, or is it still to be expected? */
bool softwire_may_have_ipv6(const struct softwire *s);
/* It never came up: the softwire ends if there is no other one. */
void softwire_family_refused(struct softwire *s, uint8_t family, const char *why);

/* payload.c */
extern const struct nd_node_ops softwire_node_ops;
/* A DHCPv6 message of ours, to the peer's (or the servers') address. */
void softwire_send_dhcp6(struct softwire *s, const struct addr *dst, uint16_t src_port, uint16_t dst_port,
	const void *message, size_t len);
/* An IPv6 packet that the peer sent to us. */
void softwire_input_ip6(struct softwire *s, const uint8_t *packet, size_t len);
/* Counts a packet that is nothing to us; WHY may be NULL. */
void softwire_drop_payload(struct softwire *s, const char *why);

/* payload4.c */
/* SRC and DST none: 0.0.0.0, 255.255.255.255. */
void softwire_send_dhcp4(struct softwire *s, const struct addr *src, const struct addr *dst,
	uint16_t src_port, uint16_t dst_port, const void *message, size_t len);
void softwire_input_ip4(struct softwire *s, const uint8_t *packet, size_t len);

/* sc.c: IPV6CP is open or closed, time, messages. */
void softwire_sc_config(struct softwire_config *c);
void softwire_sc_network(struct softwire_sc *sc);
void softwire_sc_network_down(struct softwire_sc *sc);
void softwire_sc_tick(struct softwire_sc *sc, msec now);
msec softwire_sc_deadline(const struct softwire_sc *sc);
void softwire_sc_dhcp6(struct softwire_sc *sc, const uint8_t *message, size_t len, const struct addr *from);
void softwire_sc_done(struct softwire_sc *sc);
/* A copy of what the engine keeps of it; NULL: no memory. */
struct softwire_lease *softwire_lease_copy(const struct softwire_lease *lease);
/* What the lease lets the NCPs agree on. */
void softwire_sc_plan(const struct softwire_sc *sc, struct ppp_network *ret);
void softwire_sc_renewed(struct softwire_sc *sc, uint8_t family);
/* FAMILY went down: what was delegated is not routed any more. */
void softwire_sc_withdraw(struct softwire_sc *sc, uint8_t family);

/* sc4.c: the same for IPCP. */
void softwire_sc4_config(struct softwire_config *c);
void softwire_sc4_network(struct softwire_sc *sc);
void softwire_sc4_dhcp(struct softwire_sc *sc, const struct ip4 *h, const uint8_t *message, size_t len);
void softwire_sc4_plan(const struct softwire_sc *sc, struct ppp_network *ret);

/* si.c */
enum { SOFTWIRE_AGAIN_MAX_MS = 3600000 }; /* pause before a family that is missing is tried again */
void softwire_si_config(struct softwire_config *c);
void softwire_si_network(struct softwire_si *si);
void softwire_si_network_down(struct softwire_si *si);
/* A family came to nothing, or went, while the other one stays: the initiator tries it again later. */
void softwire_si_again(struct softwire_si *si);
void softwire_si_tick(struct softwire_si *si, msec now);
msec softwire_si_deadline(const struct softwire_si *si);
/* Gives back what DHCP gave, of either family. */
void softwire_si_release(struct softwire_si *si, msec now);
void softwire_si_dhcp6(struct softwire_si *si, const uint8_t *message, size_t len);

/* si4.c */
void softwire_si4_config(struct softwire_config *c);
void softwire_si4_network(struct softwire_si *si);
/* Also when IPv4 was never up. */
void softwire_si4_network_down(struct softwire_si *si);
/* The peer does not know IPCP: DHCPv4 is asked all the same. False: that is not wanted. */
bool softwire_si4_without_ipcp(struct softwire_si *si);
/* PPP has had a frame: is the link still there without IPCP? */
void softwire_si4_check_link(struct softwire_si *si);
void softwire_si4_tick(struct softwire_si *si, msec now);
msec softwire_si4_deadline(const struct softwire_si *si);
void softwire_si4_dhcp(struct softwire_si *si, const uint8_t *message, size_t len);

#endif

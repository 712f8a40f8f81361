/* hub/engine: what the files of this folder share. Not for other folders. */
#ifndef HUB_ENGINE_H
#define HUB_ENGINE_H

#include "hub/softwire.h"

static inline struct softwire_sc *softwire_as_sc(struct softwire *s)
{
	return (struct softwire_sc *)s;
}

static inline struct softwire_si *softwire_as_si(struct softwire *s)
{
	return (struct softwire_si *)s;
}

/* Every public function stands between these two: leave() tells the deadline to the wheel, or that all is over. */
void softwire_enter(struct softwire *s, msec now);
void softwire_leave(struct softwire *s);

/* Starts the engine's shared part; the tunnel comes next. */
void softwire_begin(struct softwire *s, const struct softwire_config *c, uint16_t mtu, msec now);
void softwire_note(struct softwire *s, const char *text);
/* Our interface identifier: what it was before, what is configured, or a random one; never OTHER. */
uint64_t softwire_own_iid(const struct softwire *s, uint64_t other);
void softwire_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len);
/* Remembers why it ends, unless something was remembered before. */
void softwire_blame(
	struct softwire *s, enum softwire_cause cause, uint16_t result, uint16_t error, const char *text);

/* An IPv6 packet of ours for the peer: ND, DHCPv6, echo replies. */
void softwire_send_ip6(struct softwire *s, const void *packet, size_t len);
/* A DHCPv6 message of ours, to the peer's (or the servers') address. */
void softwire_send_dhcp6(struct softwire *s, const struct addr *dst, uint16_t src_port, uint16_t dst_port,
	const void *message, size_t len);
/* An IPv6 packet that the peer sent to us. */
void softwire_input_ip6(struct softwire *s, const uint8_t *packet, size_t len);

/* What only one end does; called from softwire.c. */
void softwire_sc_network(struct softwire_sc *sc); /* IPV6CP is open */
void softwire_sc_network_down(struct softwire_sc *sc);
void softwire_sc_tick(struct softwire_sc *sc, msec now);
msec softwire_sc_deadline(const struct softwire_sc *sc);
void softwire_sc_dhcp6(struct softwire_sc *sc, const uint8_t *message, size_t len, const struct addr *from);
void softwire_sc_done(struct softwire_sc *sc);
void softwire_sc_config(struct softwire_config *c);

void softwire_si_network(struct softwire_si *si);
void softwire_si_network_down(struct softwire_si *si);
void softwire_si_tick(struct softwire_si *si, msec now);
msec softwire_si_deadline(const struct softwire_si *si);
void softwire_si_dhcp6(struct softwire_si *si, const uint8_t *message, size_t len);
void softwire_si_done(struct softwire_si *si);
void softwire_si_config(struct softwire_config *c);

#endif

/* l2tp/message: encoders, one per control message that a softwire sends. Private to l2tp/.
 * Each writes a whole packet with Ns and Nr zero; the channel patches them. */
#ifndef L2TP_MESSAGE_H
#define L2TP_MESSAGE_H

#include "l2tp/packet.h"

/* Where the channel patches. */
enum { MESSAGE_TUNNEL_AT = 4, MESSAGE_NS_AT = 8, MESSAGE_NR_AT = 10 };

/* What SCCRQ and SCCRP say about their sender. */
struct message_hello {
	const char *host_name, *vendor_name; /* vendor_name may be NULL */
	uint16_t firmware, window, assigned_tunnel;
	bool framing_async;
	struct l2tp_text challenge, response; /* empty: left out */
};

/* A type that RFC 2661 defines. */
bool message_is_known(uint16_t type);

void message_write_zlb(struct writer *w, uint16_t tunnel, uint16_t ns, uint16_t nr);
void message_write_sccrq(struct writer *w, const struct message_hello *m);
void message_write_sccrp(struct writer *w, uint16_t tunnel, const struct message_hello *m);
void message_write_scccn(struct writer *w, uint16_t tunnel, const struct l2tp_text *response);
void message_write_stopccn(struct writer *w, uint16_t tunnel, uint16_t assigned_tunnel, uint16_t result,
	uint16_t error, const char *text);
void message_write_hello(struct writer *w, uint16_t tunnel);
void message_write_icrq(struct writer *w, uint16_t tunnel, uint16_t assigned_session, uint32_t call_serial);
void message_write_icrp(struct writer *w, uint16_t tunnel, uint16_t session, uint16_t assigned_session);
void message_write_iccn(struct writer *w, uint16_t tunnel, uint16_t session);
void message_write_cdn(struct writer *w, uint16_t tunnel, uint16_t session, uint16_t assigned_session,
	uint16_t result, uint16_t error, const char *text);

#endif

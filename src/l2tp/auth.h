/* l2tp/auth: MD5 as RFC 2661 uses it: tunnel authentication (section 5.1.1) and AVP hiding (section 4.3). Private to l2tp/. */
#ifndef L2TP_AUTH_H
#define L2TP_AUTH_H

#include "l2tp/packet.h"

enum { AUTH_DIGEST = 16, AUTH_CHALLENGE = 16, AUTH_SECRET_MAX = 255 };

/* MD5 over three pieces in a row; false when they are too long or the library refuses MD5. */
bool auth_digest(uint8_t ret[AUTH_DIGEST], const struct l2tp_text *a, const struct l2tp_text *b,
	const struct l2tp_text *c);
/* The Challenge Response that a message of type ID carries. */
bool auth_response(uint8_t ret[AUTH_DIGEST], uint8_t id, const struct l2tp_text *secret,
	const struct l2tp_text *challenge);
/* Is RESPONSE the right one? In constant time. */
bool auth_verify(const uint8_t response[AUTH_DIGEST], uint8_t id, const struct l2tp_text *secret,
	const struct l2tp_text *challenge);

#endif

/* l2tp/avp: the one table of AVPs, and what reads, writes, deciphers a single one. Private to l2tp/. */
#ifndef L2TP_AVP_H
#define L2TP_AVP_H

#include "l2tp/packet.h"

/* RFC 2661 section 4.4; 20 was never assigned. */
enum avp_type {
	AVP_MESSAGE_TYPE = 0,
	AVP_RESULT_CODE = 1,
	AVP_PROTOCOL_VERSION = 2,
	AVP_FRAMING_CAPABILITIES = 3,
	AVP_BEARER_CAPABILITIES = 4,
	AVP_TIE_BREAKER = 5,
	AVP_FIRMWARE_REVISION = 6,
	AVP_HOST_NAME = 7,
	AVP_VENDOR_NAME = 8,
	AVP_ASSIGNED_TUNNEL = 9,
	AVP_RECEIVE_WINDOW = 10,
	AVP_CHALLENGE = 11,
	AVP_CAUSE_CODE = 12,
	AVP_CHALLENGE_RESPONSE = 13,
	AVP_ASSIGNED_SESSION = 14,
	AVP_CALL_SERIAL = 15,
	AVP_MINIMUM_BPS = 16,
	AVP_MAXIMUM_BPS = 17,
	AVP_BEARER_TYPE = 18,
	AVP_FRAMING_TYPE = 19,
	AVP_CALLED_NUMBER = 21,
	AVP_CALLING_NUMBER = 22,
	AVP_SUB_ADDRESS = 23,
	AVP_TX_SPEED = 24,
	AVP_PHYSICAL_CHANNEL = 25,
	AVP_INITIAL_CONFREQ = 26,
	AVP_LAST_SENT_CONFREQ = 27,
	AVP_LAST_RECEIVED_CONFREQ = 28,
	AVP_PROXY_AUTHEN_TYPE = 29,
	AVP_PROXY_AUTHEN_NAME = 30,
	AVP_PROXY_AUTHEN_CHALLENGE = 31,
	AVP_PROXY_AUTHEN_ID = 32,
	AVP_PROXY_AUTHEN_RESPONSE = 33,
	AVP_CALL_ERRORS = 34,
	AVP_ACCM = 35,
	AVP_RANDOM_VECTOR = 36,
	AVP_PRIVATE_GROUP = 37,
	AVP_RX_SPEED = 38,
	AVP_SEQUENCING_REQUIRED = 39,
	AVP_TYPES = 40,
};

/* Section 4.1: M, H, reserved bits, 10 bits of length. */
enum { AVP_M = 0x8000, AVP_H = 0x4000, AVP_RESERVED = 0x3c00, AVP_LENGTH = 0x03ff, AVP_HEADER = 6 };

enum avp_kind {
	AVP_KIND_IRRELEVANT, /* known, but softwires have no use for it (RFC 5571 section 5.1.1.3) */
	AVP_KIND_U16,
	AVP_KIND_U32,
	AVP_KIND_TEXT,     /* for people */
	AVP_KIND_BYTES,    /* never printed */
	AVP_KIND_RESPONSE, /* 16 bytes, never printed */
	AVP_KIND_RESULT,
	AVP_KIND_VECTOR,
};

struct avp_row {
	const char *name;  /* RFC 2661's */
	const char *key;   /* in printed lines */
	uint32_t messages; /* where it means something: bits 1 << message type */
	uint16_t min, max; /* of the value; min 0, max 0 for irrelevant ones: not looked at */
	uint16_t field;    /* offset in struct l2tp_message */
	uint8_t kind;      /* enum avp_kind */
	bool mandatory;    /* the M bit we send */
	bool hideable;     /* the H bit may be set */
};

/* One AVP on the wire. */
struct avp {
	uint16_t bits, vendor, type;
	struct reader value;
};

/* NULL when RFC 2661 does not define TYPE. */
const struct avp_row *avp_row(uint16_t type);
/* The next AVP; fails R when it is shorter than its header or longer than what is left. */
struct avp avp_read(struct reader *r);
/* RFC 2661 knows it and may change nothing about it: vendor 0, no reserved bit (section 4.1). */
bool avp_is_recognized(const struct avp *a);
/* Section 4.3. The plain value, in SCRATCH's space; failed with a reason when it cannot be had. VECTOR may be empty. */
struct reader avp_reveal(const struct avp *a, const struct l2tp_text *secret, const struct l2tp_text *vector,
	struct writer *scratch);

void avp_write_u16(struct writer *w, enum avp_type type, uint16_t value);
void avp_write_u32(struct writer *w, enum avp_type type, uint32_t value);
void avp_write_bytes(struct writer *w, enum avp_type type, const void *data, size_t len);
/* Error code and text go along when there is either (section 4.4.2). */
void avp_write_result(struct writer *w, uint16_t result, uint16_t error, const char *text);

#endif

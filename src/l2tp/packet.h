/*
 * l2tp/packet: the wire format of L2TPv2 (RFC 2661 section 3 and 4, narrowed by RFC 5571).
 *
 * Pure functions between bytes and structs. A decoded message borrows its byte strings from the packet.
 * AVPs are rows of one table (avp.c): type, name, length bounds, whether hiding is allowed, which messages carry
 * it, how it is read and printed. Unknown AVPs without the M bit are skipped; with it the message is unacceptable
 * (section 4.2), and the error names the AVP. AVPs that RFC 2661 knows but softwires do not need are ignored
 * (RFC 5571 section 5.1.1.3). A hidden AVP is deciphered when a secret is given (section 4.3), and what
 * comes out is checked like any other input.
 */
#ifndef L2TP_PACKET_H
#define L2TP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/reader.h"
#include "lib/writer.h"

enum {
	L2TP_PORT = 1701,
	L2TP_CHALLENGE_MAX = 64,
	L2TP_HOST_NAME_MAX = 128,
	L2TP_MESSAGE_MAX = 128,
	L2TP_PACKET_MAX = 1024
};

/* Section 3.1. */
struct l2tp_header {
	bool control;
	bool has_length, has_sequence, has_offset, priority;
	uint16_t length;
	uint16_t tunnel_id, session_id;
	uint16_t ns, nr;
};

/* Message types, section 3.2 and 4.4.1. */
enum l2tp_message_type {
	L2TP_ZLB = 0, /* not on the wire: an empty body */
	L2TP_SCCRQ = 1,
	L2TP_SCCRP = 2,
	L2TP_SCCCN = 3,
	L2TP_STOPCCN = 4,
	L2TP_HELLO = 6,
	L2TP_OCRQ = 7,
	L2TP_OCRP = 8,
	L2TP_OCCN = 9,
	L2TP_ICRQ = 10,
	L2TP_ICRP = 11,
	L2TP_ICCN = 12,
	L2TP_CDN = 14,
	L2TP_WEN = 15,
	L2TP_SLI = 16,
};

/* Result codes of StopCCN and CDN and general error codes, section 4.4.2. */
enum l2tp_stop_result {
	L2TP_STOP_CLEAR = 1,
	L2TP_STOP_ERROR = 2,
	L2TP_STOP_EXISTS = 3,
	L2TP_STOP_UNAUTHORIZED = 4,
	L2TP_STOP_VERSION = 5,
	L2TP_STOP_SHUTDOWN = 6,
	L2TP_STOP_FSM = 7,
};
enum l2tp_cdn_result {
	L2TP_CDN_CARRIER = 1,
	L2TP_CDN_ERROR = 2,
	L2TP_CDN_ADMIN = 3,
	L2TP_CDN_RESOURCES_TEMPORARY = 4,
	L2TP_CDN_RESOURCES_PERMANENT = 5,
	L2TP_CDN_INVALID_DESTINATION = 6,
	L2TP_CDN_NO_ANSWER_CARRIER = 7,
	L2TP_CDN_TIMEOUT = 10,
};
enum l2tp_error {
	L2TP_ERROR_NONE = 0,
	L2TP_ERROR_NO_CONTROL = 1,
	L2TP_ERROR_LENGTH = 2,
	L2TP_ERROR_VALUE = 3,
	L2TP_ERROR_RESOURCES = 4,
	L2TP_ERROR_SESSION = 5,
	L2TP_ERROR_VENDOR = 6,
	L2TP_ERROR_TRY_ANOTHER = 7,
	L2TP_ERROR_MANDATORY = 8,
};

struct l2tp_text {
	const uint8_t *data;
	size_t len;
};

/* A control message: which AVPs were there (bit 1 << attribute type in seen) and their values. */
struct l2tp_message {
	enum l2tp_message_type type;
	bool type_mandatory;
	uint64_t seen;
	uint16_t protocol_version;
	uint32_t framing_capabilities;
	uint16_t firmware;
	struct l2tp_text host_name, vendor_name;
	uint16_t assigned_tunnel, assigned_session;
	uint16_t window; /* 4, RFC 2661's default, when the AVP is absent */
	struct l2tp_text challenge;
	uint8_t challenge_response[16];
	uint16_t result, error;
	struct l2tp_text error_message;
	uint32_t call_serial, framing_type, tx_speed;
	uint16_t ignored; /* AVPs that were known but not used, or unknown and not mandatory */
};

/* Why a message was refused: goes to the log, the counter, and into StopCCN or CDN. */
struct l2tp_fault {
	uint16_t result; /* StopCCN result code, normally L2TP_STOP_ERROR */
	uint16_t error;  /* general error code */
	char text[L2TP_MESSAGE_MAX];
};

/* Reads the header and leaves R at the body, cut to the Length field and behind the offset padding. R fails with a reason. */
void l2tp_header_read(struct reader *r, struct l2tp_header *ret);
/* A header with all optional fields that H asks for; length is patched by l2tp_header_finish(). Returns its offset. */
size_t l2tp_header_begin(struct writer *w, const struct l2tp_header *h);
void l2tp_header_finish(struct writer *w, size_t at);

/* Decodes the AVPs of a control message's body. An empty body gives L2TP_ZLB. 0, or -EBADMSG with *fault filled in;
 * *ret then holds what could be read, so that a refusal finds the peer's ids. A message of unknown type is no error here:
 * its type and type_mandatory are set and its AVPs are left alone. SECRET (may be NULL) deciphers hidden AVPs; SCRATCH holds
 * what was deciphered and must live as long as *ret, and be wiped after. */
int l2tp_message_read(struct reader body, const struct l2tp_text *secret, uint8_t scratch[L2TP_PACKET_MAX],
	struct l2tp_message *ret, struct l2tp_fault *fault);

const char *l2tp_message_name(enum l2tp_message_type type); /* "SCCRQ"; "unknown" */
const char *l2tp_avp_name(uint16_t type);
const char *l2tp_stop_result_name(uint16_t result);
const char *l2tp_cdn_result_name(uint16_t result);
const char *l2tp_error_name(uint16_t error);
/* Copies a peer's text as printable ASCII, other bytes as '?', cut to SIZE; returns BUF. */
const char *l2tp_text_print(const struct l2tp_text *t, char *buf, size_t size);

/* One line that decodes a whole control packet, for trace and debug logs; secrets and challenges are left out. */
void l2tp_packet_print(const uint8_t *packet, size_t len, char *buf, size_t size);

#endif

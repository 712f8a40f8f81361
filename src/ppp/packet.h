/*
 * ppp/packet: the wire format of PPP control protocols (RFC 1661 sections 2, 5, 6; RFC 1994; RFC 5072; RFC 1332;
 * RFC 1877; RFC 1334; RFC 3748).
 */
#ifndef PPP_PACKET_H
#define PPP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/reader.h"
#include "lib/writer.h"

enum ppp_protocol {
	PPP_IP = 0x0021, PPP_IPV6 = 0x0057, PPP_IPCP = 0x8021, PPP_IPV6CP = 0x8057,
	PPP_LCP = 0xc021, PPP_PAP = 0xc023, PPP_LQR = 0xc025, PPP_CHAP = 0xc223, PPP_EAP = 0xc227,
};

enum ppp_code {
	PPP_CONFIGURE_REQUEST = 1, PPP_CONFIGURE_ACK, PPP_CONFIGURE_NAK, PPP_CONFIGURE_REJECT, PPP_TERMINATE_REQUEST,
	PPP_TERMINATE_ACK, PPP_CODE_REJECT, PPP_PROTOCOL_REJECT, PPP_ECHO_REQUEST, PPP_ECHO_REPLY, PPP_DISCARD_REQUEST,
};

enum { CHAP_CHALLENGE = 1, CHAP_RESPONSE, CHAP_SUCCESS, CHAP_FAILURE, CHAP_MD5 = 5, CHAP_MSCHAPV2 = 0x81 };

enum { PAP_REQUEST = 1, PAP_ACK, PAP_NAK };

enum { PPP_EAP_REQUEST = 1, PPP_EAP_RESPONSE, PPP_EAP_SUCCESS, PPP_EAP_FAILURE };

enum { LCP_MRU = 1, LCP_AUTH = 3, LCP_QUALITY = 4, LCP_MAGIC = 5, LCP_PFC = 7, LCP_ACFC = 8, IPV6CP_IID = 1 };

/* RFC 1332 section 3, RFC 1877 section 1. */
enum {
	IPCP_ADDRESSES = 1, IPCP_COMPRESSION, IPCP_ADDRESS,
	IPCP_DNS1 = 129, IPCP_NBNS1, IPCP_DNS2, IPCP_NBNS2,
};

enum { PPP_HEADER = 4, PPP_DEFAULT_MRU = 1500, PPP_FRAME_MAX = 1600 };

/* Code, identifier and data of a control packet (RFC 1661 section 5); padding behind Length is dropped. */
struct ppp_packet {
	uint8_t code, id;
	struct reader data;
};

/* Reads the optional FF 03 and the protocol field, also compressed to one byte. 0 (and R failed) when
 * there is none. */
uint16_t ppp_frame_read(struct reader *r);
void ppp_packet_read(struct reader *r, struct ppp_packet *ret);

/* Starts a frame FF 03 PROTOCOL CODE ID LENGTH; returns the offset for ppp_packet_finish(). */
size_t ppp_packet_begin(struct writer *w, uint16_t protocol, uint8_t code, uint8_t id);
void ppp_packet_finish(struct writer *w, size_t at);

const char *ppp_protocol_name(uint16_t protocol); /* "IPV6CP"; "unknown" */
const char *ppp_code_name(uint16_t protocol, uint8_t code);
/* One line that decodes a control frame, for trace and debug logs; secrets, challenges and responses
 * are left out. */
void ppp_frame_print(const uint8_t *frame, size_t len, char *buf, size_t size);

#endif

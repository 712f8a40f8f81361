/*
 * dhcp4/packet: the wire format of DHCP for IPv4 (RFC 2131, RFC 2132) with the Subnet Allocation option (RFC 6656), as far as a softwire
 * needs it: an address, DNS servers, subnets to be routed to the client.
 *
 * Options are rows of one table: code, length bounds, how they are read. Unknown options are skipped; options that overflow into file
 * and sname are read (RFC 2131 section 4.1), options that come in several parts are joined (RFC 3396), but for Subnet Allocation options,
 * of which RFC 6656 section 4.1 allows several.
 * On a softwire there are no hardware addresses: a client of ours says htype 20 (serial line), hlen 0, and has a Client Identifier
 * (RFC 4361). Whatever else a client says there is given back to it.
 */
#ifndef DHCP4_PACKET_H
#define DHCP4_PACKET_H

#include "lib/addr.h"
#include "lib/reader.h"
#include "lib/writer.h"

enum { DHCP4_CLIENT_PORT = 68, DHCP4_SERVER_PORT = 67, DHCP4_INFINITE = 0xffffffff };
enum { DHCP4_HTYPE_SERIAL = 20, DHCP4_CHADDR = 16 };

enum dhcp4_type {
	DHCP4_DISCOVER = 1,
	DHCP4_OFFER,
	DHCP4_REQUEST,
	DHCP4_DECLINE,
	DHCP4_ACK,
	DHCP4_NAK,
	DHCP4_RELEASE,
	DHCP4_INFORM,
	DHCP4_TYPES,
};

enum {
	DHCP4_OPTION_MASK = 1,
	DHCP4_OPTION_ROUTER = 3,
	DHCP4_OPTION_DNS = 6,
	DHCP4_OPTION_MTU = 26,
	DHCP4_OPTION_ADDRESS = 50,
	DHCP4_OPTION_LEASE = 51,
	DHCP4_OPTION_OVERLOAD = 52,
	DHCP4_OPTION_TYPE = 53,
	DHCP4_OPTION_SERVER = 54,
	DHCP4_OPTION_PARAMETERS = 55,
	DHCP4_OPTION_MESSAGE = 56,
	DHCP4_OPTION_MAX_SIZE = 57,
	DHCP4_OPTION_T1 = 58,
	DHCP4_OPTION_T2 = 59,
	DHCP4_OPTION_CLIENT = 61,
	DHCP4_OPTION_RAPID_COMMIT = 80,
	DHCP4_OPTION_SUBNET = 220,
};

/* The longest identifier of RFC 4361: type, IAID, and a DUID of 130 bytes. The longest message is what everybody takes: 576 bytes of IPv4. */
enum {
	DHCP4_SUBNET_MAX = 2,
	DHCP4_DNS_MAX = 4,
	DHCP4_CLIENT_ID_MAX = 135,
	DHCP4_TEXT_MAX = 56,
	DHCP4_MESSAGE_MAX = 576 - 28
};

/* A block of a Subnet-Information suboption, RFC 6656 section 3.2.1. Statistics are skipped. */
struct dhcp4_subnet {
	struct prefix prefix; /* IPv4, /1 to /30 */
	bool hierarchical;    /* h: the client hands out its addresses */
	bool deprecated;      /* d: the client is to give it up */
};

struct dhcp4_message {
	uint8_t type; /* enum dhcp4_type */
	bool reply;   /* op: BOOTREPLY */
	uint32_t xid;
	uint16_t secs;
	bool broadcast;
	bool relayed; /* giaddr is not 0; never written */
	uint8_t htype, hlen, chaddr[DHCP4_CHADDR];
	struct addr ciaddr, yiaddr; /* none where 0.0.0.0 */
	struct addr requested;      /* option 50, or none */
	struct addr server;         /* option 54, or none */
	struct addr router;         /* the first of option 3, or none */
	uint8_t mask_len;           /* of option 1; 0: absent */
	uint32_t lease, t1, t2;     /* seconds; 0: absent */
	uint16_t mtu, max_size;     /* 0: absent */
	bool rapid_commit;
	size_t client_id_len; /* 0: absent */
	uint8_t client_id[DHCP4_CLIENT_ID_MAX];
	unsigned dns_count;
	struct addr dns[DHCP4_DNS_MAX];
	bool parameters; /* there is a Parameter Request List; what it has (router: that or the mask) */
	bool wants_dns, wants_subnet, wants_mtu, wants_router;
	char text[DHCP4_TEXT_MAX]; /* option 56, printable */
	/* Subnet Allocation option */
	bool subnet_request;                            /* a Subnet-Request suboption is there */
	bool request_hierarchical, request_information; /* its h and i bits */
	uint8_t request_len;                            /* its prefix length; 0: any */
	bool subnet_information;                        /* a Subnet-Information suboption is there */
	bool information_c, information_s;              /* its c and s bits */
	unsigned subnet_count;
	struct dhcp4_subnet subnets[DHCP4_SUBNET_MAX]; /* more than fit are ignored */
};

/*
 * Decodes a UDP payload: 0, or -EBADMSG with *why a static text. Subnets with host bits, or of no length from 1 to 30, and types that do
 * not fit op are malformed; DNS servers that are no unicast addresses and MTUs below 68 (RFC 2132) are ignored. Whether identifiers are
 * there and right is for client and server.
 */
int dhcp4_message_read(const void *data, size_t len, struct dhcp4_message *ret, const char **why);
/* At least 300 bytes (RFC 1542 section 2.1), at most DHCP4_MESSAGE_MAX. Options that are absent in M are not written; op follows from the type. */
void dhcp4_message_write(struct writer *w, const struct dhcp4_message *m);
const char *dhcp4_type_name(uint8_t type);
/* One line for trace and debug logs. */
void dhcp4_packet_print(const void *data, size_t len, char *buf, size_t size);

#endif

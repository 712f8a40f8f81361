/*
 * dhcp6/packet: the wire format of DHCPv6 (RFC 8415), as far as prefix delegation, addresses, DNS and stateless service need it.
 *
 * Options are rows of one table: code, name, length bounds, messages they belong to, how they are read. Unknown
 * options are skipped. A decoded message borrows DUIDs from the packet.
 */
#ifndef DHCP6_PACKET_H
#define DHCP6_PACKET_H

#include "lib/addr.h"
#include "lib/reader.h"
#include "lib/writer.h"

enum { DHCP6_CLIENT_PORT = 546, DHCP6_SERVER_PORT = 547, DHCP6_DUID_MAX = 130, DHCP6_INFINITE = 0xffffffff };

enum dhcp6_type {
	DHCP6_SOLICIT = 1,
	DHCP6_ADVERTISE,
	DHCP6_REQUEST,
	DHCP6_CONFIRM,
	DHCP6_RENEW,
	DHCP6_REBIND,
	DHCP6_REPLY,
	DHCP6_RELEASE,
	DHCP6_DECLINE,
	DHCP6_RECONFIGURE,
	DHCP6_INFORMATION_REQUEST,
	DHCP6_RELAY_FORW,
	DHCP6_RELAY_REPL,
};

enum dhcp6_status {
	DHCP6_SUCCESS = 0,
	DHCP6_UNSPEC_FAIL,
	DHCP6_NO_ADDRS,
	DHCP6_NO_BINDING,
	DHCP6_NOT_ON_LINK,
	DHCP6_USE_MULTICAST,
	DHCP6_NO_PREFIX,
	DHCP6_NO_STATUS = 0xffff, /* no Status Code option */
};

enum {
	DHCP6_OPTION_CLIENTID = 1,
	DHCP6_OPTION_SERVERID = 2,
	DHCP6_OPTION_IA_NA = 3,
	DHCP6_OPTION_DNS = 23,
	DHCP6_OPTION_DOMAINS = 24,
	DHCP6_OPTION_IA_PD = 25,
	DHCP6_OPTION_INFO_REFRESH = 32,
	DHCP6_OPTION_SOL_MAX_RT = 82,
	DHCP6_OPTION_INF_MAX_RT = 83
};

enum { DHCP6_PREFIX_MAX = 4, DHCP6_IA_MAX = 4, DHCP6_DNS_MAX = 4, DHCP6_TEXT_MAX = 56 };

/* No message that we write is longer: a client's IPv6 minimum MTU less IPv6 and UDP headers. */
enum { DHCP6_MESSAGE_MAX = 1232 };

struct dhcp6_duid {
	const uint8_t *data;
	size_t len; /* 0: absent */
};

struct dhcp6_prefix {
	struct prefix prefix;      /* in a Solicit also a hint: ::/56 */
	uint32_t preferred, valid; /* seconds */
	uint16_t status;           /* as received; never written */
};

/* One IA_PD or IA_NA; for IA_NA the prefixes are /128. */
struct dhcp6_ia {
	bool pd;
	uint32_t iaid, t1, t2;
	uint16_t status; /* DHCP6_NO_STATUS when absent */
	char status_text[DHCP6_TEXT_MAX];
	unsigned prefix_count;
	struct dhcp6_prefix prefixes[DHCP6_PREFIX_MAX];
};

struct dhcp6_message {
	uint8_t type;
	uint32_t xid; /* 24 bits */
	struct dhcp6_duid client, server;
	unsigned ia_count;
	struct dhcp6_ia ias[DHCP6_IA_MAX];
	bool rapid_commit;
	bool has_preference;
	uint8_t preference;
	uint16_t elapsed;
	uint16_t status;
	char status_text[DHCP6_TEXT_MAX];
	bool wants_dns, wants_sol_max_rt, wants_inf_max_rt, wants_refresh; /* in the Option Request option */
	unsigned dns_count;
	struct addr dns[DHCP6_DNS_MAX];
	uint32_t refresh;    /* seconds; 0 absent */
	uint32_t sol_max_rt; /* seconds, 60 to 86400; 0: absent, or out of that range */
	uint32_t inf_max_rt; /* the same */
};

/*
 * Decodes the UDP payload. 0 or -EBADMSG with *why a static text. More IAs or prefixes than fit are ignored, not an error; so is
 * a second IA of the same kind and IAID. Options that do not belong to the message are ignored, but for an IA in an
 * Information-request (RFC 8415 section 16.12). Relay messages are refused: on a softwire the client is on the link.
 * Whether the identifiers are there and right is for client and server to check.
 */
int dhcp6_message_read(const void *data, size_t len, struct dhcp6_message *ret, const char **why);
/* An empty message: no status, nothing else. */
void dhcp6_message_init(struct dhcp6_message *m, uint8_t type, uint32_t xid);
/* The next IA of M, empty; NULL when DHCP6_IA_MAX are there. */
struct dhcp6_ia *dhcp6_message_add_ia(struct dhcp6_message *m, bool pd, uint32_t iaid);
/* Elapsed Time is written into every message of a client, status where it is not DHCP6_NO_STATUS. */
void dhcp6_message_write(struct writer *w, const struct dhcp6_message *m);
bool dhcp6_duid_equal(const struct dhcp6_duid *d, const uint8_t *data, size_t len);
const char *dhcp6_type_name(uint8_t type);
const char *dhcp6_status_name(uint16_t status);
/* One line for trace and debug logs. */
void dhcp6_packet_print(const void *data, size_t len, char *buf, size_t size);

#endif

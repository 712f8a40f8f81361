/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/message: the wire format of everything but UPDATE's contents. Pure functions.
 *
 * A decoder that refuses says which NOTIFICATION the peer is to get: struct bgp_error. Its reason is what log, counter and `show` tell;
 * its code, subcode and data are what the peer hears. RFC 4271 sections 4 and 6, RFC 5492, RFC 6793, RFC 8654, RFC 9003, RFC 9072, RFC 7313.
 */
#ifndef BGP_MESSAGE_H
#define BGP_MESSAGE_H

#include "lib/addr.h"
#include "lib/reader.h"
#include "lib/writer.h"

#include "bgp/protocol.h"

/* The longest data that we send are the operator's words with their length (RFC 9003) within a Hard Reset (RFC 8538). */
enum { BGP_SHUTDOWN_TEXT = 255, BGP_ERROR_DATA = 2 + 1 + BGP_SHUTDOWN_TEXT, BGP_ERROR_TEXT = 320 };

/* Why a session ends, or could not begin. */
struct bgp_error {
	uint8_t code, subcode; /* of the NOTIFICATION; code 0: none can be sent (the connection broke) */
	uint16_t data_len;
	uint8_t data[BGP_ERROR_DATA]; /* what the RFC wants sent along, cut to fit */
	char reason
		[BGP_ERROR_TEXT]; /* one clause for people, with the offending value: "hold time 2 s, at least 3 are needed" */
};

/* Sets *E; REASON is a printf format. Returns -EPROTO, for `return bgp_error_set(...)`. E may be NULL. */
int bgp_error_set(struct bgp_error *e, uint8_t code, uint8_t subcode, const void *data, size_t len,
	const char *reason, ...) __attribute__((format(printf, 6, 7)));
/* "Cease/Administrative Shutdown", "UPDATE Message Error/Malformed AS_PATH"; "Cease/subcode 77", "code 99/3" for what has no name. Returns BUF. */
const char *bgp_error_name(uint8_t code, uint8_t subcode, char buf[64]);

/* "ipv4", "ipv6", "ipv4-labeled", "ipv6-labeled", "ipv4-encap", "ipv6-encap". */
const char *bgp_family_name(enum bgp_family f);
int bgp_family_parse(const char *name, enum bgp_family *ret);        /* 0 or -EINVAL */
int bgp_family_of(uint16_t afi, uint8_t safi, enum bgp_family *ret); /* 0 or -EAFNOSUPPORT */
uint16_t bgp_family_afi(enum bgp_family f);
uint8_t bgp_family_safi(enum bgp_family f);
static inline uint8_t bgp_family_af(enum bgp_family f) /* AF_INET or AF_INET6, of the prefixes */
{
	return f == BGP_IPV4 || f == BGP_IPV4_LABELED || f == BGP_IPV4_ENCAP ? AF_INET : AF_INET6;
}
static inline bool bgp_family_labeled(enum bgp_family f)
{
	return f == BGP_IPV4_LABELED || f == BGP_IPV6_LABELED;
}
static inline bool bgp_family_encap(enum bgp_family f)
{
	return f == BGP_IPV4_ENCAP || f == BGP_IPV6_ENCAP;
}

/* ---- header ---- */

struct bgp_header {
	uint16_t length; /* of the whole message */
	uint8_t type;
};
/*
 * The header at the start of DATA, of which LEN bytes have come: 1 and *ret when there are BGP_HEADER bytes and they are sound, 0 when more
 * have to come, -EPROTO and *error else. MAX: the longest message that was agreed on (OPEN and KEEPALIVE are never longer than BGP_MESSAGE_MAX).
 */
int bgp_header_read(
	const uint8_t *data, size_t len, uint16_t max, struct bgp_header *ret, struct bgp_error *error);
/* Begins a message of TYPE in W; returns what bgp_message_end() wants, which sets the length. */
size_t bgp_message_begin(struct writer *w, enum bgp_type type);
void bgp_message_end(struct writer *w, size_t at);

/* ---- OPEN ---- */

struct bgp_capabilities {
	bgp_families families;          /* a peer that says nothing of families: BGP_IPV4 */
	bgp_families extended_next_hop; /* of these, IPv4 prefixes may have IPv6 next hops (RFC 8950) */
	bool as4, refresh, enhanced_refresh, extended_message;
	bool graceful;                             /* Graceful Restart is there, be it without families */
	bool restarted, notification;              /* its flags: R (4724), N (8538) */
	uint16_t restart_time;                     /* seconds */
	bgp_families graceful_families, preserved; /* listed; with the F bit */
	uint16_t unknown;                          /* how many others there were */
};

struct bgp_open {
	uint32_t as;        /* four octets, from the capability where there is one */
	uint16_t hold_time; /* seconds; 0: no keepalives */
	uint32_t id;
	struct bgp_capabilities capabilities;
};

/*
 * BODY is what follows the header. Judges what can be judged without configuration: version, hold time 1 and 2, identifier 0, AS 0 (RFC 7607),
 * AS2 that does not fit AS4, parameters that do not fit. 0 or -EPROTO and *error. Capabilities with wrong lengths are passed over and counted
 * among the unknown; the same one twice is merged (of Graceful Restart and AS number the last one counts). Both forms of optional parameters
 * are understood, RFC 4271's and RFC 9072's.
 */
int bgp_open_read(struct reader body, struct bgp_open *ret, struct bgp_error *error);
/*
 * A whole message; what we can offer always fits RFC 4271's form of optional parameters. Extended next hops only for the families that RFC 8950
 * section 4 names (IPv4 and IPv4 labeled). Nothing set: no Capabilities parameter at all, for peers that refuse it (RFC 5492 section 3).
 */
void bgp_open_write(struct writer *w, const struct bgp_open *open);

/* ---- NOTIFICATION ---- */

/*
 * *ret gets code, subcode, data (cut to fit); its reason is the name and, of a Cease, what it says: the peer's words, printable (RFC 9003), the family and
 * its limit (RFC 4486), the error within a Hard Reset (RFC 8538).
 */
void bgp_notification_read(struct reader body, struct bgp_error *ret);
void bgp_notification_write(struct writer *w, const struct bgp_error *error);
/* A Cease with SUBCODE (shutdown, reset) and the operator's WORDS (UTF-8, cut at a character to BGP_SHUTDOWN_TEXT bytes; NULL: none). */
void bgp_cease(struct bgp_error *e, enum bgp_cease subcode, const char *words);

/* ---- KEEPALIVE, ROUTE-REFRESH ---- */

void bgp_keepalive_write(struct writer *w);
/* 0; -EAFNOSUPPORT for a family or a kind that we do not know (to be ignored: RFC 2918 section 4, RFC 7313 section 5); -EPROTO and *error. */
int bgp_refresh_read(
	struct reader body, enum bgp_family *ret, enum bgp_refresh_kind *ret_kind, struct bgp_error *error);
void bgp_refresh_write(struct writer *w, enum bgp_family family, enum bgp_refresh_kind kind);

#endif

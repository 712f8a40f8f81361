/*
 * addr: addresses, prefixes and transport endpoints of both families, as plain values.
 *
 * family is AF_INET, AF_INET6, or 0 for "none". Unused bytes are zero, so values compare with memcmp.
 * Printing follows RFC 5952 for IPv6. Parsing accepts exactly what inet_pton accepts.
 */
#ifndef LIB_ADDR_H
#define LIB_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	uint8_t family;
	uint8_t bytes[16];
};

struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t len;
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host byte order */
};

enum { ADDR_TEXT = 46, PREFIX_TEXT = 50, ENDPOINT_TEXT = 56 };

struct addr addr4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
struct addr addr6_of(const uint8_t bytes[16]);
struct addr addr4_of(const uint8_t bytes[4]);

/* An IPv6 address from the high 64 bits of PREFIX and an interface identifier (RFC 4291 section 2.5.1). */
struct addr addr6_with_iid(const struct addr *prefix, uint64_t iid);
/* The low 64 bits of an IPv6 address. */
uint64_t addr6_iid(const struct addr *a);

/* Number of bits and bytes of the family: 32/128 and 4/16; 0 for "none". */
unsigned addr_bits(uint8_t family);
static inline unsigned addr_size(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

/* 0, or -EINVAL when TEXT is not an address; *ret is untouched then. */
int addr_parse(const char *text, struct addr *ret);
/* Writes at most ADDR_TEXT bytes; returns BUF. "none" for the none family. */
const char *addr_print(const struct addr *a, char buf[ADDR_TEXT]);
/* How many leading bits A and B have in common; 0 when the families differ. */
unsigned addr_common_bits(const struct addr *a, const struct addr *b);
int addr_compare(const struct addr *a, const struct addr *b);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_none(const struct addr *a);
bool addr_is_unspecified(const struct addr *a); /* all zero, of either family */
bool addr_is_link_local(const struct addr *a);  /* fe80::/10 or 169.254.0.0/16 */
bool addr_is_multicast(const struct addr *a);
bool addr_is_loopback(const struct addr *a);

/* PREFIX/LEN. -EINVAL when malformed or when host bits are set (*ret untouched then). */
int prefix_parse(const char *text, struct prefix *ret);
const char *prefix_print(const struct prefix *p, char buf[PREFIX_TEXT]);
struct prefix prefix_of(const struct addr *a, unsigned len); /* clears the host bits; len is capped */
bool prefix_contains_addr(const struct prefix *p, const struct addr *a);
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
int prefix_compare(const struct prefix *a, const struct prefix *b);
bool prefix_is_none(const struct prefix *p);

/* The INDEX-th prefix of length LEN inside P (0 is the first). -ERANGE when there are fewer or LEN < p->len. */
int prefix_nth(const struct prefix *p, unsigned len, uint64_t index, struct prefix *ret);
/* How many prefixes of length LEN fit into P, at most 2^63; 0 when LEN is shorter than P. */
uint64_t prefix_count(const struct prefix *p, unsigned len);
/* The inverse of prefix_nth: the index of INNER among P's prefixes of INNER's length. -ERANGE when outside. */
int prefix_index(const struct prefix *p, const struct prefix *inner, uint64_t *ret);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/* "192.0.2.1:1701" or "[2001:db8::1]:1701". */
const char *endpoint_print(const struct endpoint *e, char buf[ENDPOINT_TEXT]);
/*
 * "ADDR", "ADDR:PORT" (IPv4), "[ADDR]:PORT" or "[ADDR]" (IPv6); PORT is decimal, 0 to 65535, and defaults to default_port.
 * 0 or -EINVAL (*ret untouched then).
 */
int endpoint_parse(const char *text, uint16_t default_port, struct endpoint *ret);
/* Converts from and to the kernel's form; the length is the result. from: -EAFNOSUPPORT; v4-mapped becomes IPv4. */
int endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *ret);
/* to: 0 for the none family. */
socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret);

#endif

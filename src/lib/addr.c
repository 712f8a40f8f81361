/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr: addresses and prefixes as numbers. Both families are handled as one 128-bit number with the first bit
 * of the address on top, so that a prefix is a mask and the n-th prefix an addition.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"

typedef unsigned __int128 bits128;

static bits128 load(const struct addr *a)
{
	bits128 v = 0;

	for (unsigned i = 0; i < 16; i++)
		v = v << 8 | a->bytes[i];
	return v;
}

static struct addr store(uint8_t family, bits128 v)
{
	struct addr a = {.family = family};

	for (unsigned i = 16; i-- > 0; v >>= 8)
		a.bytes[i] = (uint8_t)v;
	return a;
}

static bits128 mask(unsigned len)
{
	return len ? ~(bits128)0 << (128 - len) : 0;
}

struct addr addr4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct addr){.family = AF_INET, .bytes = {a, b, c, d}};
}

struct addr addr6_of(const uint8_t bytes[16])
{
	struct addr a = {.family = AF_INET6};

	memcpy(a.bytes, bytes, 16);
	return a;
}

struct addr addr4_of(const uint8_t bytes[4])
{
	return addr4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

struct addr addr6_with_iid(const struct addr *prefix, uint64_t iid)
{
	return store(AF_INET6, (load(prefix) & mask(64)) | iid);
}

uint64_t addr6_iid(const struct addr *a)
{
	return (uint64_t)load(a);
}

unsigned addr_bits(uint8_t family)
{
	return addr_size(family) * 8;
}

int addr_parse(const char *text, struct addr *ret)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = AF_INET6;
	else
		return -EINVAL;
	*ret = a;
	return 0;
}

const char *addr_print(const struct addr *a, char buf[ADDR_TEXT])
{
	/* glibc's form for IPv6 is that of RFC 5952: lower case, longest run of two or more zero groups, first of equals. */
	if (addr_is_none(a) || !inet_ntop(a->family, a->bytes, buf, ADDR_TEXT))
		snprintf(buf, ADDR_TEXT, "none");
	return buf;
}

unsigned addr_common_bits(const struct addr *a, const struct addr *b)
{
	unsigned bits = addr_bits(a->family), common = 0;

	if (a->family != b->family)
		return 0;
	while (common < bits && a->bytes[common / 8] == b->bytes[common / 8])
		common += 8;
	if (common < bits)
		common +=
			(unsigned)__builtin_clz((unsigned)(a->bytes[common / 8] ^ b->bytes[common / 8])) - 24;
	return common;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool addr_is_none(const struct addr *a)
{
	return a->family != AF_INET && a->family != AF_INET6;
}

bool addr_is_unspecified(const struct addr *a)
{
	return !addr_is_none(a) && load(a) == 0;
}

bool addr_is_link_local(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *a)
{
	if (a->family == AF_INET)
		return (a->bytes[0] & 0xf0) == 0xe0;
	return a->family == AF_INET6 && a->bytes[0] == 0xff;
}

bool addr_is_loopback(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 127;
	return a->family == AF_INET6 && load(a) == 1;
}

/* A decimal number without sign, space or leading zero, at most MAX; false otherwise. */
static bool parse_number(const char *text, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (unsigned)(*text - '0');
		if (v > max)
			return false;
	}
	*ret = v;
	return true;
}

/* Parses the LEN characters at TEXT as an address. */
static int parse_part(const char *text, size_t len, struct addr *ret)
{
	char buf[ADDR_TEXT];

	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return addr_parse(buf, ret);
}

int prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	struct addr a;
	struct prefix p;
	unsigned len;

	if (!slash || parse_part(text, (size_t)(slash - text), &a))
		return -EINVAL;
	if (!parse_number(slash + 1, addr_bits(a.family), &len))
		return -EINVAL;
	p = prefix_of(&a, len);
	if (!addr_equal(&p.addr, &a))
		return -EINVAL;
	*ret = p;
	return 0;
}

const char *prefix_print(const struct prefix *p, char buf[PREFIX_TEXT])
{
	char text[ADDR_TEXT];

	if (prefix_is_none(p))
		snprintf(buf, PREFIX_TEXT, "none");
	else
		snprintf(buf, PREFIX_TEXT, "%s/%u", addr_print(&p->addr, text), p->len);
	return buf;
}

struct prefix prefix_of(const struct addr *a, unsigned len)
{
	unsigned bits = addr_bits(a->family);

	if (len > bits)
		len = bits;
	return (struct prefix){.addr = store(a->family, load(a) & mask(len)), .len = (uint8_t)len};
}

bool prefix_contains_addr(const struct prefix *p, const struct addr *a)
{
	return !prefix_is_none(p) && p->addr.family == a->family &&
	       ((load(a) ^ load(&p->addr)) & mask(p->len)) == 0;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains_addr(outer, &inner->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, b) || prefix_contains(b, a);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : (int)a->len - (int)b->len;
}

bool prefix_is_none(const struct prefix *p)
{
	return addr_is_none(&p->addr);
}

int prefix_nth(const struct prefix *p, unsigned len, uint64_t index, struct prefix *ret)
{
	unsigned bits = addr_bits(p->addr.family);

	if (prefix_is_none(p) || len > bits || len < p->len)
		return -ERANGE;
	if (len - p->len < 64 && index >> (len - p->len))
		return -ERANGE;
	*ret = (struct prefix){
		.addr = store(p->addr.family, load(&p->addr) | (len ? (bits128)index << (128 - len) : 0)),
		.len = (uint8_t)len};
	return 0;
}

uint64_t prefix_count(const struct prefix *p, unsigned len)
{
	if (prefix_is_none(p) || len > addr_bits(p->addr.family) || len < p->len)
		return 0;
	return UINT64_C(1) << (len - p->len < 63 ? len - p->len : 63);
}

int prefix_index(const struct prefix *p, const struct prefix *inner, uint64_t *ret)
{
	bits128 index;

	if (!prefix_contains(p, inner))
		return -ERANGE;
	index = inner->len ? (load(&inner->addr) & ~mask(p->len)) >> (128 - inner->len) : 0;
	if (index > UINT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)index;
	return 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

const char *endpoint_print(const struct endpoint *e, char buf[ENDPOINT_TEXT])
{
	char text[ADDR_TEXT];

	addr_print(&e->addr, text);
	if (addr_is_none(&e->addr))
		snprintf(buf, ENDPOINT_TEXT, "none");
	else
		snprintf(buf, ENDPOINT_TEXT, e->addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, e->port);
	return buf;
}

int endpoint_parse(const char *text, uint16_t default_port, struct endpoint *ret)
{
	bool bracket = text[0] == '[';
	const char *start = bracket ? text + 1 : text;
	const char *end = strchr(start, bracket ? ']' : ':'), *rest;
	unsigned port = default_port;
	struct addr a;

	if (!bracket && !addr_parse(text, &a)) { /* a bare address; IPv6 has colons of its own */
		*ret = (struct endpoint){.addr = a, .port = default_port};
		return 0;
	}
	if (!end || parse_part(start, (size_t)(end - start), &a) ||
		a.family != (bracket ? AF_INET6 : AF_INET))
		return -EINVAL;
	rest = bracket ? end + 1 : end;
	if (*rest && (*rest != ':' || !parse_number(rest + 1, UINT16_MAX, &port)))
		return -EINVAL;
	*ret = (struct endpoint){.addr = a, .port = (uint16_t)port};
	return 0;
}

int endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *ret)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		*ret = (struct endpoint){
			.addr = addr4_of((const uint8_t *)&in.sin_addr), .port = ntohs(in.sin_port)};
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		*ret = (struct endpoint){
			.addr = addr6_of(in6.sin6_addr.s6_addr), .port = ntohs(in6.sin6_port)};
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			ret->addr = addr4_of(in6.sin6_addr.s6_addr + 12);
		return 0;
	}
	return -EAFNOSUPPORT;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){.ss_family = e->addr.family};
	if (e->addr.family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		in->sin_port = htons(e->port);
		memcpy(&in->sin_addr, e->addr.bytes, 4);
		return sizeof(*in);
	}
	if (e->addr.family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

		in6->sin6_port = htons(e->port);
		memcpy(&in6->sin6_addr, e->addr.bytes, 16);
		return sizeof(*in6);
	}
	return 0;
}

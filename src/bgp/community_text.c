/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Communities of all kinds as text (RFC 1997, RFC 4360, RFC 5668, RFC 8092, RFC 9012 section 4). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/tunnel.h"

/* The two octets of an extended community's type (RFC 4360 section 2) */
enum {
	TWO_OCTET_AS = 0x00,
	IPV4_ADDRESS = 0x01,
	FOUR_OCTET_AS = 0x02,
	OPAQUE = 0x03,
	ROUTE_TARGET = 0x02,
	ROUTE_ORIGIN = 0x03,
	COLOR = 0x0b,
	ENCAPSULATION = 0x0c,
};

/* ---- parsing ---- */

/* A decimal number up to MAX at *TEXT, which moves behind it. */
static bool take_number(const char **text, uint32_t max, uint32_t *ret)
{
	const char *start = *text, *p = start;
	uint64_t n = 0;

	while (*p >= '0' && *p <= '9' && n <= max)
		n = 10 * n + (uint64_t)(*p++ - '0');
	if (p == start || (*start == '0' && p > start + 1) || n > max)
		return false;
	*text = p;
	*ret = (uint32_t)n;
	return true;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	++*text;
	return true;
}

static bool take_word(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len) != 0)
		return false;
	*text += len;
	return true;
}

/* A number that is the whole of TEXT. */
static bool is_number(const char *text, uint32_t max, uint32_t *ret)
{
	return take_number(&text, max, ret) && !*text;
}

/* ---- RFC 1997 ---- */

static const struct {
	uint32_t community;
	const char *name;
} well_known[] = {
	{BGP_NO_EXPORT, "no-export"},
	{BGP_NO_ADVERTISE, "no-advertise"},
	{BGP_NO_EXPORT_SUBCONFED, "no-export-subconfed"},
};

enum { WELL_KNOWN = sizeof(well_known) / sizeof(well_known[0]) };

const char *bgp_community_print(uint32_t c, char buf[24])
{
	for (unsigned i = 0; i < WELL_KNOWN; i++)
		if (well_known[i].community == c) {
			snprintf(buf, 24, "%s", well_known[i].name);
			return buf;
		}
	snprintf(buf, 24, "%u:%u", c >> 16, c & 0xffff);
	return buf;
}

int bgp_community_parse(const char *text, uint32_t *ret)
{
	uint32_t as, value;

	for (unsigned i = 0; i < WELL_KNOWN; i++)
		if (!strcmp(text, well_known[i].name)) {
			*ret = well_known[i].community;
			return 0;
		}
	if (!take_number(&text, UINT16_MAX, &as) || !take_char(&text, ':') ||
		!is_number(text, UINT16_MAX, &value))
		return -EINVAL;
	*ret = as << 16 | value;
	return 0;
}

/* ---- RFC 8092 ---- */

const char *bgp_large_community_print(const uint32_t c[3], char buf[36])
{
	snprintf(buf, 36, "%u:%u:%u", c[0], c[1], c[2]);
	return buf;
}

int bgp_large_community_parse(const char *text, uint32_t ret[3])
{
	uint32_t global, local1, local2;

	if (!take_number(&text, UINT32_MAX, &global) || !take_char(&text, ':') ||
		!take_number(&text, UINT32_MAX, &local1) || !take_char(&text, ':') ||
		!is_number(text, UINT32_MAX, &local2))
		return -EINVAL;
	ret[0] = global;
	ret[1] = local1;
	ret[2] = local2;
	return 0;
}

/* ---- extended communities ---- */

static uint64_t community_of(uint8_t type, uint8_t subtype)
{
	return (uint64_t)type << 56 | (uint64_t)subtype << 48;
}

static bool has_type(uint64_t c, uint8_t type, uint8_t subtype)
{
	return c >> 48 == (unsigned)(type << 8 | subtype);
}

uint64_t bgp_encapsulation_community(uint16_t tunnel_type)
{
	return community_of(OPAQUE, ENCAPSULATION) | tunnel_type;
}

bool bgp_is_encapsulation_community(uint64_t c, uint16_t *ret_tunnel_type)
{
	if (!has_type(c, OPAQUE, ENCAPSULATION))
		return false;
	*ret_tunnel_type = (uint16_t)c;
	return true;
}

uint64_t bgp_color_community(uint16_t flags, uint32_t color)
{
	return community_of(OPAQUE, COLOR) | (uint64_t)flags << 32 | color;
}

bool bgp_is_color_community(uint64_t c, uint16_t *ret_flags, uint32_t *ret_color)
{
	if (!has_type(c, OPAQUE, COLOR))
		return false;
	*ret_flags = (uint16_t)(c >> 32);
	*ret_color = (uint32_t)c;
	return true;
}

static bool print_opaque(uint64_t c, char buf[48])
{
	uint32_t color;
	uint16_t flags, tunnel_type;

	if (bgp_is_color_community(c, &flags, &color) && !flags) {
		snprintf(buf, 48, "color:%u", color);
		return true;
	}
	if (!bgp_is_encapsulation_community(c, &tunnel_type) || c != bgp_encapsulation_community(tunnel_type))
		return false;
	if (bgp_tunnel_type_name(tunnel_type))
		snprintf(buf, 48, "encapsulation:%s", bgp_tunnel_type_name(tunnel_type));
	else
		snprintf(buf, 48, "encapsulation:%u", tunnel_type);
	return true;
}

/* Route targets and origins. An AS number that two octets can hold, but that stands in four, has no text of its own. */
static bool print_administered(uint64_t c, char buf[48])
{
	const char *name = (uint8_t)(c >> 48) == ROUTE_TARGET ? "rt" : "soo";
	uint32_t high = (uint32_t)(c >> 16), local = (uint32_t)(c & 0xffff);
	char text[ADDR_TEXT];
	struct addr a;

	if ((uint8_t)(c >> 48) != ROUTE_TARGET && (uint8_t)(c >> 48) != ROUTE_ORIGIN)
		return false;
	switch (c >> 56) {
	case TWO_OCTET_AS:
		snprintf(buf, 48, "%s:%u:%u", name, (unsigned)(c >> 32 & 0xffff), (uint32_t)c);
		return true;
	case FOUR_OCTET_AS:
		snprintf(buf, 48, "%s:%u:%u", name, high, local);
		return high > UINT16_MAX;
	case IPV4_ADDRESS:
		a = addr4((uint8_t)(high >> 24), (uint8_t)(high >> 16), (uint8_t)(high >> 8), (uint8_t)high);
		snprintf(buf, 48, "%s:%s:%u", name, addr_print(&a, text), local);
		return true;
	default:
		return false;
	}
}

const char *bgp_extended_community_print(uint64_t c, char buf[48])
{
	if (!print_opaque(c, buf) && !print_administered(c, buf))
		snprintf(buf, 48, "0x%016llx", (unsigned long long)c);
	return buf;
}

static bool parse_hex(const char *text, uint64_t *ret)
{
	uint64_t n = 0;
	unsigned digits = 0;

	for (; *text && digits < 17; text++, digits++) {
		unsigned c = (unsigned char)*text, digit = c >= '0' && c <= '9'   ? c - '0'
							   : c >= 'a' && c <= 'f' ? c - 'a' + 10
							   : c >= 'A' && c <= 'F' ? c - 'A' + 10
										  : 16;

		if (digit > 15)
			return false;
		n = n << 4 | digit;
	}
	*ret = n;
	return digits == 16;
}

static bool parse_encapsulation(const char *text, uint64_t *ret)
{
	uint32_t number;
	uint16_t type;

	if (is_number(text, UINT16_MAX, &number))
		type = (uint16_t)number;
	else if (bgp_tunnel_type_parse(text, &type))
		return false;
	*ret = bgp_encapsulation_community(type);
	return true;
}

/* "ADDRESS:LOCAL" or "AS:LOCAL" */
static bool parse_administered(const char *text, uint8_t subtype, uint64_t *ret)
{
	const char *colon = strchr(text, ':');
	char address[ADDR_TEXT];
	uint32_t as, local;
	struct addr a;

	if (!colon)
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(colon - text < ADDR_TEXT ? colon - text : ADDR_TEXT),
		text);
	if (addr_parse(address, &a) == 0) {
		if (a.family != AF_INET || !is_number(colon + 1, UINT16_MAX, &local))
			return false;
		*ret = community_of(IPV4_ADDRESS, subtype) | (uint64_t)a.bytes[0] << 40 |
		       (uint64_t)a.bytes[1] << 32 | (uint64_t)a.bytes[2] << 24 | (uint64_t)a.bytes[3] << 16 |
		       local;
		return true;
	}
	if (!take_number(&text, UINT32_MAX, &as) || text != colon ||
		!is_number(colon + 1, as > UINT16_MAX ? UINT16_MAX : UINT32_MAX, &local))
		return false;
	*ret = as > UINT16_MAX ? community_of(FOUR_OCTET_AS, subtype) | (uint64_t)as << 16 | local
			       : community_of(TWO_OCTET_AS, subtype) | (uint64_t)as << 32 | local;
	return true;
}

int bgp_extended_community_parse(const char *text, uint64_t *ret)
{
	uint64_t c = 0;
	uint32_t color = 0;
	bool ok = false;

	if (take_word(&text, "0x"))
		ok = parse_hex(text, &c);
	else if (take_word(&text, "rt:"))
		ok = parse_administered(text, ROUTE_TARGET, &c);
	else if (take_word(&text, "soo:"))
		ok = parse_administered(text, ROUTE_ORIGIN, &c);
	else if (take_word(&text, "encapsulation:"))
		ok = parse_encapsulation(text, &c);
	else if (take_word(&text, "color:")) {
		ok = is_number(text, UINT32_MAX, &color);
		c = bgp_color_community(0, color);
	}
	if (!ok)
		return -EINVAL;
	*ret = c;
	return 0;
}

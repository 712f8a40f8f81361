/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reverse zones: RFC 1034 section 4.2 delegates at labels, and a label of ip6.arpa is a nibble (RFC 3596 section 2.5), one of
 * in-addr.arpa an octet (RFC 1035 section 3.5). A prefix that ends inside a label is several zones.
 */
#include "concentrator/reverse.h"

#include <stdio.h>

static unsigned label_bits(const struct prefix *p)
{
	return p->addr.family == AF_INET6 ? 4 : 8;
}

/* The length of the zones: the prefix's own, or the next one at which a label ends. */
static unsigned zone_len(const struct prefix *p)
{
	unsigned bits = label_bits(p);

	return (p->len + bits - 1) / bits * bits;
}

unsigned reverse_zone_count(const struct prefix *p)
{
	return !prefix_is_none(p) && p->len ? 1U << (zone_len(p) - p->len) : 0;
}

/* Label N of the address, counted from its beginning, in the way it is written. */
static size_t label_print(const struct addr *a, unsigned n, char *buf, size_t size)
{
	if (a->family == AF_INET)
		return (size_t)snprintf(buf, size, "%u.", a->bytes[n]);
	return (size_t)snprintf(buf, size, "%x.", n % 2 ? a->bytes[n / 2] & 15 : a->bytes[n / 2] >> 4);
}

const char *reverse_zone(const struct prefix *p, unsigned n, char buf[REVERSE_ZONE_TEXT])
{
	struct prefix zone = *p;
	size_t at = 0;

	(void)prefix_nth(p, zone_len(p), n, &zone);
	for (unsigned labels = zone_len(p) / label_bits(p); labels; labels--)
		at += label_print(&zone.addr, labels - 1, buf + at, REVERSE_ZONE_TEXT - at);
	snprintf(buf + at, REVERSE_ZONE_TEXT - at, "%s",
		p->addr.family == AF_INET6 ? "ip6.arpa" : "in-addr.arpa");
	return buf;
}

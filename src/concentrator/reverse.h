/* concentrator/reverse: the zones under ip6.arpa and in-addr.arpa that make up a prefix (HS-PROV-12). Pure functions; not for other folders. */
#ifndef CONCENTRATOR_REVERSE_H
#define CONCENTRATOR_REVERSE_H

#include "lib/addr.h"

enum { REVERSE_ZONE_TEXT = 80, REVERSE_ZONES_MAX = 128 };

/*
 * How many zones are to be delegated. IPv6: 1 at a nibble boundary, else 2, 4 or 8 at the next one. IPv4: 1 at an octet boundary, else 2, 4 ... 128
 * at the next one, which behind /24 is one for each address. 0 for "none" and for a whole address family.
 */
unsigned reverse_zone_count(const struct prefix *p);
/* Zone N of them, without a dot at the end. */
const char *reverse_zone(const struct prefix *p, unsigned n, char buf[REVERSE_ZONE_TEXT]);

#endif

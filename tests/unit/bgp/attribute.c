/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each attribute, good and bad, alone in an otherwise sound UPDATE: what RFC 7606 wants done about it, and what is said of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/update.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define NONE       NULL, 0

enum { EVERY = (1 << BGP_FAMILIES) - 1 };

/* From whom: a bit each. */
enum { IBGP = 1, EBGP = 2, EITHER = 3, AS2 = 4 };

/* Of a kept one: its canonical form, flags and all, or KEPT = NONE for one that is nowhere in the set. */
struct row {
	const char *name;
	int from;
	const uint8_t *wire;
	size_t len;
	enum bgp_outcome outcome;
	uint8_t subcode; /* should the session end over it */
	const char *reason;
	const uint8_t *kept;
	size_t kept_len;
};

static const struct row rows[] = {
	/* 7.1 */
	{"ORIGIN INCOMPLETE", EITHER, BYTES(0x40, 1, 1, 2), BGP_ACCEPT, 0, "", BYTES(0x40, 1, 0, 1, 2)},
	{"ORIGIN with an extended length", EITHER, BYTES(0x50, 1, 0, 1, 1), BGP_ACCEPT, 0, "",
		BYTES(0x40, 1, 0, 1, 1)},
	{"ORIGIN with low flag bits", EITHER, BYTES(0x4f, 1, 1, 1), BGP_ACCEPT, 0, "",
		BYTES(0x40, 1, 0, 1, 1)},
	{"ORIGIN marked partial", EITHER, BYTES(0x60, 1, 1, 1), BGP_ACCEPT, 0, "", BYTES(0x40, 1, 0, 1, 1)},
	{"ORIGIN 3", EITHER, BYTES(0x40, 1, 1, 3), BGP_WITHDRAW, BGP_UPDATE_ORIGIN,
		"ORIGIN: value 3, 2 is the last one", NONE},
	{"ORIGIN 255", EITHER, BYTES(0x40, 1, 1, 255), BGP_WITHDRAW, BGP_UPDATE_ORIGIN,
		"ORIGIN: value 255, 2 is the last one", NONE},
	{"ORIGIN of no octet", EITHER, BYTES(0x40, 1, 0), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"ORIGIN: length 0, at least 1", NONE},
	{"ORIGIN of two octets", EITHER, BYTES(0x40, 1, 2, 0, 0), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"ORIGIN: length 2, at most 1", NONE},
	{"ORIGIN said to be optional", EITHER, BYTES(0xc0, 1, 1, 0), BGP_WITHDRAW, BGP_UPDATE_FLAGS,
		"ORIGIN: flags 0xc0, where 0x40 has to be", NONE},
	{"ORIGIN said to be non-transitive", EITHER, BYTES(0, 1, 1, 0), BGP_WITHDRAW, BGP_UPDATE_FLAGS,
		"ORIGIN: flags 0x00, where 0x40 has to be", NONE},
	/* 7.2; RFC 7607; RFC 5065 */
	{"AS_PATH empty", EITHER, BYTES(0x40, 2, 0), BGP_ACCEPT, 0, "", BYTES(0x40, 2, 0, 0)},
	{"AS_PATH of two segments", EITHER,
		BYTES(0x40, 2, 16, 2, 2, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9, 1, 1, 0, 0, 0xfd, 0xea),
		BGP_ACCEPT, 0, "",
		BYTES(0x40, 2, 0, 16, 2, 2, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9, 1, 1, 0, 0, 0xfd, 0xea)},
	{"AS_PATH of two octets", EITHER | AS2, BYTES(0x40, 2, 6, 2, 2, 0xfd, 0xe8, 0xfd, 0xe9), BGP_ACCEPT,
		0, "", BYTES(0x40, 2, 0, 10, 2, 2, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9)},
	{"AS_PATH of a confederation, inside", IBGP,
		BYTES(0x40, 2, 12, 3, 1, 0, 0, 0xfd, 0xe8, 4, 1, 0, 0, 0xfd, 0xe9), BGP_ACCEPT, 0, "",
		BYTES(0x40, 2, 0, 12, 3, 1, 0, 0, 0xfd, 0xe8, 4, 1, 0, 0, 0xfd, 0xe9)},
	{"AS_PATH of a confederation, from outside", EBGP, BYTES(0x40, 2, 6, 3, 1, 0, 0, 0xfd, 0xe8),
		BGP_WITHDRAW, BGP_UPDATE_AS_PATH, "AS_PATH: segment type 3, a confederation's, from outside",
		NONE},
	{"AS_PATH with a confederation's set, from outside", EBGP, BYTES(0x40, 2, 6, 4, 1, 0, 0, 0xfd, 0xe8),
		BGP_WITHDRAW, BGP_UPDATE_AS_PATH, "AS_PATH: segment type 4, a confederation's, from outside",
		NONE},
	{"AS_PATH with segment type 5", EITHER, BYTES(0x40, 2, 6, 5, 1, 0, 0, 0xfd, 0xe8), BGP_WITHDRAW,
		BGP_UPDATE_AS_PATH, "AS_PATH: segment type 5", NONE},
	{"AS_PATH with segment type 0", EITHER, BYTES(0x40, 2, 6, 0, 1, 0, 0, 0xfd, 0xe8), BGP_WITHDRAW,
		BGP_UPDATE_AS_PATH, "AS_PATH: segment type 0", NONE},
	{"AS_PATH with an overrun", EITHER, BYTES(0x40, 2, 6, 2, 2, 0, 0, 0xfd, 0xe8), BGP_WITHDRAW,
		BGP_UPDATE_AS_PATH, "AS_PATH: a segment of 2 AS numbers is cut short", NONE},
	{"AS_PATH of two octets with an overrun", EITHER | AS2, BYTES(0x40, 2, 4, 2, 2, 0xfd, 0xe8),
		BGP_WITHDRAW, BGP_UPDATE_AS_PATH, "AS_PATH: a segment of 2 AS numbers is cut short", NONE},
	{"AS_PATH of two octets where four were agreed on", EITHER,
		BYTES(0x40, 2, 6, 2, 2, 0xfd, 0xe8, 0xfd, 0xe9), BGP_WITHDRAW, BGP_UPDATE_AS_PATH,
		"AS_PATH: a segment of 2 AS numbers is cut short", NONE},
	{"AS_PATH with an underrun", EITHER, BYTES(0x40, 2, 7, 2, 1, 0, 0, 0xfd, 0xe8, 2), BGP_WITHDRAW,
		BGP_UPDATE_AS_PATH, "AS_PATH: a segment of 0 AS numbers is cut short", NONE},
	{"AS_PATH with an empty segment", EITHER, BYTES(0x40, 2, 2, 2, 0), BGP_WITHDRAW, BGP_UPDATE_AS_PATH,
		"AS_PATH: a segment of 0 AS numbers", NONE},
	{"AS_PATH with AS 0", EITHER, BYTES(0x40, 2, 10, 2, 2, 0, 0, 0xfd, 0xe8, 0, 0, 0, 0), BGP_WITHDRAW,
		BGP_UPDATE_AS_PATH, "AS_PATH: AS 0", NONE},
	{"AS_PATH of two octets with AS 0", EITHER | AS2, BYTES(0x40, 2, 4, 2, 1, 0, 0), BGP_WITHDRAW,
		BGP_UPDATE_AS_PATH, "AS_PATH: AS 0", NONE},
	{"AS_PATH said to be optional", EITHER, BYTES(0xc0, 2, 0), BGP_WITHDRAW, BGP_UPDATE_FLAGS,
		"AS_PATH: flags 0xc0, where 0x40 has to be", NONE},
	/* 7.3 */
	{"NEXT_HOP of three octets", EITHER, BYTES(0x40, 3, 3, 192, 0, 2), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"NEXT_HOP: length 3, at least 4", NONE},
	{"NEXT_HOP of sixteen octets", EITHER,
		BYTES(0x40, 3, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), BGP_WITHDRAW,
		BGP_UPDATE_LENGTH, "NEXT_HOP: length 16, at most 4", NONE},
	{"NEXT_HOP 0.0.0.0", EITHER, BYTES(0x40, 3, 4, 0, 0, 0, 0), BGP_WITHDRAW, BGP_UPDATE_NEXT_HOP,
		"NEXT_HOP: 0.0.0.0 is no host's address", NONE},
	{"NEXT_HOP that is a group", EITHER, BYTES(0x40, 3, 4, 224, 0, 0, 1), BGP_WITHDRAW,
		BGP_UPDATE_NEXT_HOP, "NEXT_HOP: 224.0.0.1 is no host's address", NONE},
	{"NEXT_HOP 127.0.0.1", EITHER, BYTES(0x40, 3, 4, 127, 0, 0, 1), BGP_WITHDRAW, BGP_UPDATE_NEXT_HOP,
		"NEXT_HOP: 127.0.0.1 is no host's address", NONE},
	{"NEXT_HOP 255.255.255.255", EITHER, BYTES(0x40, 3, 4, 255, 255, 255, 255), BGP_WITHDRAW,
		BGP_UPDATE_NEXT_HOP, "NEXT_HOP: 255.255.255.255 is no host's address", NONE},
	{"NEXT_HOP said to be optional", EITHER, BYTES(0x80, 3, 4, 192, 0, 2, 1), BGP_WITHDRAW,
		BGP_UPDATE_FLAGS, "NEXT_HOP: flags 0x80, where 0x40 has to be", NONE},
	/* 7.4 */
	{"MED", EITHER, BYTES(0x80, 4, 4, 0, 0, 0, 9), BGP_ACCEPT, 0, "", BYTES(0x80, 4, 0, 4, 0, 0, 0, 9)},
	{"MED of three octets", EITHER, BYTES(0x80, 4, 3, 0, 0, 9), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"MED: length 3, at least 4", NONE},
	{"MED said to be transitive", EITHER, BYTES(0xc0, 4, 4, 0, 0, 0, 9), BGP_WITHDRAW, BGP_UPDATE_FLAGS,
		"MED: flags 0xc0, where 0x80 has to be", NONE},
	/* 7.5 */
	{"LOCAL_PREF", IBGP, BYTES(0x40, 5, 4, 0, 0, 0, 9), BGP_ACCEPT, 0, "",
		BYTES(0x40, 5, 0, 4, 0, 0, 0, 9)},
	{"LOCAL_PREF from outside", EBGP, BYTES(0x40, 5, 4, 0, 0, 0, 9), BGP_DISCARD, 0,
		"LOCAL_PREF: from an external peer", NONE},
	{"LOCAL_PREF of five octets", IBGP, BYTES(0x40, 5, 5, 0, 0, 0, 9, 9), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"LOCAL_PREF: length 5, at most 4", NONE},
	{"LOCAL_PREF of five octets from outside", EBGP, BYTES(0x40, 5, 5, 0, 0, 0, 9, 9), BGP_DISCARD, 0,
		"LOCAL_PREF: from an external peer", NONE},
	{"LOCAL_PREF said to be optional", IBGP, BYTES(0xc0, 5, 4, 0, 0, 0, 9), BGP_WITHDRAW,
		BGP_UPDATE_FLAGS, "LOCAL_PREF: flags 0xc0, where 0x40 has to be", NONE},
	/* 7.6 */
	{"ATOMIC_AGGREGATE", EITHER, BYTES(0x40, 6, 0), BGP_ACCEPT, 0, "", BYTES(0x40, 6, 0, 0)},
	{"ATOMIC_AGGREGATE of one octet", EITHER, BYTES(0x40, 6, 1, 0), BGP_DISCARD, 0,
		"ATOMIC_AGGREGATE: length 1, at most 0", NONE},
	{"ATOMIC_AGGREGATE said to be optional", EITHER, BYTES(0xc0, 6, 0), BGP_DISCARD, 0,
		"ATOMIC_AGGREGATE: flags 0xc0, where 0x40 has to be", NONE},
	/* 7.7; RFC 7607 */
	{"AGGREGATOR", EITHER, BYTES(0xc0, 7, 8, 0xfa, 0x56, 0xea, 0, 192, 0, 2, 1), BGP_ACCEPT, 0, "",
		BYTES(0xc0, 7, 0, 8, 0xfa, 0x56, 0xea, 0, 192, 0, 2, 1)},
	{"AGGREGATOR, partial", EITHER, BYTES(0xe0, 7, 8, 0, 0, 0xfd, 0xe8, 192, 0, 2, 1), BGP_ACCEPT, 0, "",
		BYTES(0xe0, 7, 0, 8, 0, 0, 0xfd, 0xe8, 192, 0, 2, 1)},
	{"AGGREGATOR of two octets", EITHER | AS2, BYTES(0xc0, 7, 6, 0xfd, 0xe8, 192, 0, 2, 1), BGP_ACCEPT, 0,
		"", BYTES(0xc0, 7, 0, 8, 0, 0, 0xfd, 0xe8, 192, 0, 2, 1)},
	{"AGGREGATOR of two octets where four were agreed on", EITHER,
		BYTES(0xc0, 7, 6, 0xfd, 0xe8, 192, 0, 2, 1), BGP_DISCARD, 0, "AGGREGATOR: length 6, not 8",
		NONE},
	{"AGGREGATOR of four octets where two were agreed on", EITHER | AS2,
		BYTES(0xc0, 7, 8, 0, 0, 0xfd, 0xe8, 192, 0, 2, 1), BGP_DISCARD, 0,
		"AGGREGATOR: length 8, not 6", NONE},
	{"AGGREGATOR of seven octets", EITHER, BYTES(0xc0, 7, 7, 0, 0, 0xfd, 0xe8, 192, 0, 2), BGP_DISCARD, 0,
		"AGGREGATOR: length 7, not 8", NONE},
	{"AGGREGATOR of no octet", EITHER, BYTES(0xc0, 7, 0), BGP_DISCARD, 0,
		"AGGREGATOR: length 0, at least 6", NONE},
	{"AGGREGATOR with AS 0", EITHER, BYTES(0xc0, 7, 8, 0, 0, 0, 0, 192, 0, 2, 1), BGP_DISCARD, 0,
		"AGGREGATOR: AS 0", NONE},
	{"AGGREGATOR said to be well-known", EITHER, BYTES(0x40, 7, 8, 0, 0, 0xfd, 0xe8, 192, 0, 2, 1),
		BGP_DISCARD, 0, "AGGREGATOR: flags 0x40, where 0xc0 has to be", NONE},
	/* 7.8 */
	{"COMMUNITIES", EITHER, BYTES(0xc0, 8, 8, 0, 1, 0, 1, 0, 1, 0, 2), BGP_ACCEPT, 0, "",
		BYTES(0xc0, 8, 0, 8, 0, 1, 0, 1, 0, 1, 0, 2)},
	{"COMMUNITIES not sorted, one twice", EITHER, BYTES(0xc0, 8, 12, 0, 1, 0, 2, 0, 1, 0, 1, 0, 1, 0, 2),
		BGP_ACCEPT, 0, "", BYTES(0xc0, 8, 0, 8, 0, 1, 0, 1, 0, 1, 0, 2)},
	{"COMMUNITIES of no octet", EITHER, BYTES(0xc0, 8, 0), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"COMMUNITIES: length 0, a multiple of 4 has to be, and not 0", NONE},
	{"COMMUNITIES of seven octets", EITHER, BYTES(0xc0, 8, 7, 0, 1, 0, 1, 0, 1, 0), BGP_WITHDRAW,
		BGP_UPDATE_LENGTH, "COMMUNITIES: length 7, a multiple of 4 has to be, and not 0", NONE},
	{"COMMUNITIES said to be non-transitive", EITHER, BYTES(0x80, 8, 4, 0, 1, 0, 1), BGP_WITHDRAW,
		BGP_UPDATE_FLAGS, "COMMUNITIES: flags 0x80, where 0xc0 has to be", NONE},
	/* 7.9 */
	{"ORIGINATOR_ID", IBGP, BYTES(0x80, 9, 4, 192, 0, 2, 1), BGP_ACCEPT, 0, "",
		BYTES(0x80, 9, 0, 4, 192, 0, 2, 1)},
	{"ORIGINATOR_ID from outside", EBGP, BYTES(0x80, 9, 4, 192, 0, 2, 1), BGP_DISCARD, 0,
		"ORIGINATOR_ID: from an external peer", NONE},
	{"ORIGINATOR_ID of no octet from outside", EBGP, BYTES(0x80, 9, 0), BGP_DISCARD, 0,
		"ORIGINATOR_ID: from an external peer", NONE},
	{"ORIGINATOR_ID of eight octets", IBGP, BYTES(0x80, 9, 8, 192, 0, 2, 1, 192, 0, 2, 1), BGP_WITHDRAW,
		BGP_UPDATE_LENGTH, "ORIGINATOR_ID: length 8, at most 4", NONE},
	/* 7.10 */
	{"CLUSTER_LIST", IBGP, BYTES(0x80, 10, 8, 192, 0, 2, 2, 192, 0, 2, 1), BGP_ACCEPT, 0, "",
		BYTES(0x80, 10, 0, 8, 192, 0, 2, 2, 192, 0, 2, 1)},
	{"CLUSTER_LIST from outside", EBGP, BYTES(0x80, 10, 4, 192, 0, 2, 1), BGP_DISCARD, 0,
		"CLUSTER_LIST: from an external peer", NONE},
	{"CLUSTER_LIST of six octets", IBGP, BYTES(0x80, 10, 6, 192, 0, 2, 1, 192, 0), BGP_WITHDRAW,
		BGP_UPDATE_LENGTH, "CLUSTER_LIST: length 6, a multiple of 4 has to be, and not 0", NONE},
	{"CLUSTER_LIST of no octet", IBGP, BYTES(0x80, 10, 0), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"CLUSTER_LIST: length 0, a multiple of 4 has to be, and not 0", NONE},
	/* 7.14 */
	{"EXTENDED_COMMUNITIES of types nobody knows", EITHER,
		BYTES(0xc0, 16, 8, 0x3f, 0xff, 0, 1, 0, 1, 0, 1), BGP_ACCEPT, 0, "",
		BYTES(0xc0, 16, 0, 8, 0x3f, 0xff, 0, 1, 0, 1, 0, 1)},
	{"EXTENDED_COMMUNITIES of twelve octets", EITHER,
		BYTES(0xc0, 16, 12, 3, 0x0c, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"EXTENDED_COMMUNITIES: length 12, a multiple of 8 has to be, and not 0", NONE},
	{"EXTENDED_COMMUNITIES of no octet", EITHER, BYTES(0xc0, 16, 0), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"EXTENDED_COMMUNITIES: length 0, a multiple of 8 has to be, and not 0", NONE},
	/* RFC 6793 section 6 */
	{"AS4_PATH from one who knows better", EITHER, BYTES(0xc0, 17, 6, 2, 1, 0xfa, 0x56, 0xea, 0),
		BGP_DISCARD, 0, "AS4_PATH: from a peer with AS numbers of four octets", NONE},
	{"AS4_PATH too short", EITHER | AS2, BYTES(0xc0, 17, 4, 2, 1, 0xfa, 0x56), BGP_DISCARD, 0,
		"AS4_PATH: length 4, at least 6", NONE},
	{"AS4_PATH of no octet", EITHER | AS2, BYTES(0xc0, 17, 0), BGP_DISCARD, 0,
		"AS4_PATH: length 0, at least 6", NONE},
	{"AS4_PATH of seven octets", EITHER | AS2, BYTES(0xc0, 17, 7, 2, 1, 0xfa, 0x56, 0xea, 0, 0),
		BGP_DISCARD, 0, "AS4_PATH: length 7, a multiple of 2 has to be", NONE},
	{"AS4_PATH with an overrun", EITHER | AS2, BYTES(0xc0, 17, 6, 2, 2, 0xfa, 0x56, 0xea, 0), BGP_DISCARD,
		0, "AS4_PATH: a segment of 2 AS numbers is cut short", NONE},
	{"AS4_PATH with segment type 9", EITHER | AS2, BYTES(0xc0, 17, 6, 9, 1, 0xfa, 0x56, 0xea, 0),
		BGP_DISCARD, 0, "AS4_PATH: segment type 9", NONE},
	{"AS4_PATH with AS 0", EITHER | AS2, BYTES(0xc0, 17, 6, 2, 1, 0, 0, 0, 0), BGP_DISCARD, 0,
		"AS4_PATH: AS 0", NONE},
	{"AS4_PATH of a confederation", EITHER | AS2, BYTES(0xc0, 17, 6, 3, 1, 0xfa, 0x56, 0xea, 0),
		BGP_DISCARD, 0, "AS4_PATH: segments of a confederation were left out", NONE},
	{"AS4_PATH said to be well-known", EITHER | AS2, BYTES(0x40, 17, 6, 2, 1, 0xfa, 0x56, 0xea, 0),
		BGP_DISCARD, 0, "AS4_PATH: flags 0x40, where 0xc0 has to be", NONE},
	{"AS4_AGGREGATOR from one who knows better", EITHER,
		BYTES(0xc0, 18, 8, 0xfa, 0x56, 0xea, 0, 192, 0, 2, 1), BGP_DISCARD, 0,
		"AS4_AGGREGATOR: from a peer with AS numbers of four octets", NONE},
	{"AS4_AGGREGATOR of six octets", EITHER | AS2, BYTES(0xc0, 18, 6, 0xfd, 0xe8, 192, 0, 2, 1),
		BGP_DISCARD, 0, "AS4_AGGREGATOR: length 6, at least 8", NONE},
	{"AS4_AGGREGATOR with AS 0", EITHER | AS2, BYTES(0xc0, 18, 8, 0, 0, 0, 0, 192, 0, 2, 1), BGP_DISCARD,
		0, "AS4_AGGREGATOR: AS 0", NONE},
	/* RFC 9012 section 13 */
	{"TUNNEL_ENCAP of RFC 5512", EITHER, BYTES(0xc0, 23, 10, 0, 2, 0, 6, 1, 4, 0, 0, 0, 7), BGP_ACCEPT, 0,
		"", BYTES(0xc0, 23, 0, 10, 0, 2, 0, 6, 1, 4, 0, 0, 0, 7)},
	{"TUNNEL_ENCAP of a type and with sub-TLVs nobody knows", EITHER,
		BYTES(0xe0, 23, 12, 0xff, 0, 0, 8, 77, 1, 9, 200, 0, 2, 1, 2), BGP_ACCEPT, 0, "",
		BYTES(0xe0, 23, 0, 12, 0xff, 0, 0, 8, 77, 1, 9, 200, 0, 2, 1, 2)},
	{"TUNNEL_ENCAP with nothing but a type", EITHER, BYTES(0xc0, 23, 4, 0, 7, 0, 0), BGP_ACCEPT, 0, "",
		BYTES(0xc0, 23, 0, 4, 0, 7, 0, 0)},
	{"TUNNEL_ENCAP with endpoints of all kinds", EITHER,
		BYTES(0xc0, 23, 32, 0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 2, 0, 8, 6, 6, 0,
			0, 0, 0, 0, 0, 0, 1, 0, 0),
		BGP_ACCEPT, 0, "",
		BYTES(0xc0, 23, 0, 32, 0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 2, 0, 8, 6, 6,
			0, 0, 0, 0, 0, 0, 0, 1, 0, 0)},
	{"TUNNEL_ENCAP of no octet", EITHER, BYTES(0xc0, 23, 0), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"TUNNEL_ENCAP: length 0, at least 4", NONE},
	{"TUNNEL_ENCAP with a TLV that is too long", EITHER, BYTES(0xc0, 23, 6, 0, 2, 0, 3, 1, 0),
		BGP_WITHDRAW, BGP_UPDATE_OPTIONAL, "TUNNEL_ENCAP: tunnel type 2 is cut short", NONE},
	{"TUNNEL_ENCAP with a sub-TLV that is too long", EITHER, BYTES(0xc0, 23, 7, 0, 2, 0, 3, 1, 4, 0),
		BGP_WITHDRAW, BGP_UPDATE_OPTIONAL,
		"TUNNEL_ENCAP: sub-TLVs of tunnel type 2 do not fit its length of 3", NONE},
	{"TUNNEL_ENCAP with half a sub-TLV", EITHER, BYTES(0xc0, 23, 5, 0, 2, 0, 1, 1), BGP_WITHDRAW,
		BGP_UPDATE_OPTIONAL, "TUNNEL_ENCAP: sub-TLVs of tunnel type 2 do not fit its length of 1",
		NONE},
	{"TUNNEL_ENCAP with an octet left over", EITHER, BYTES(0xc0, 23, 5, 0, 2, 0, 0, 1), BGP_WITHDRAW,
		BGP_UPDATE_OPTIONAL, "TUNNEL_ENCAP: tunnel type 0 is cut short", NONE},
	{"TUNNEL_ENCAP not transitive", EITHER, BYTES(0x80, 23, 4, 0, 7, 0, 0), BGP_WITHDRAW,
		BGP_UPDATE_FLAGS, "TUNNEL_ENCAP: flags 0x80, where 0xc0 has to be", NONE},
	{"TUNNEL_ENCAP with one malformed endpoint of two", EITHER,
		BYTES(0xc0, 23, 20, 0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 2, 192, 0, 2, 1, 0, 2, 0, 0),
		BGP_DISCARD, 0,
		"TUNNEL_ENCAP: tunnel type 7 was left out: the length of its endpoint is not that of its "
		"address family",
		BYTES(0xc0, 23, 0, 4, 0, 2, 0, 0)},
	{"TUNNEL_ENCAP with two endpoints in one of two", EITHER,
		BYTES(0xc0, 23, 24, 0, 7, 0, 16, 6, 6, 0, 0, 0, 0, 0, 0, 6, 6, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0),
		BGP_DISCARD, 0, "TUNNEL_ENCAP: tunnel type 7 was left out: it has two endpoints",
		BYTES(0xc0, 23, 0, 4, 0, 2, 0, 0)},
	{"TUNNEL_ENCAP with the endpoint 127.0.0.1", EITHER,
		BYTES(0xc0, 23, 20, 0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 1, 127, 0, 0, 1, 0, 2, 0, 0),
		BGP_DISCARD, 0,
		"TUNNEL_ENCAP: tunnel type 7 was left out: its endpoint is an address that nothing is "
		"forwarded to",
		BYTES(0xc0, 23, 0, 4, 0, 2, 0, 0)},
	{"TUNNEL_ENCAP with malformed endpoints only", EITHER, BYTES(0xc0, 23, 9, 0, 7, 0, 5, 6, 3, 0, 0, 0),
		BGP_WITHDRAW, BGP_UPDATE_OPTIONAL, "TUNNEL_ENCAP: no tunnel is left of those in it", NONE},
	/* 7.15 */
	{"IPV6_EXTENDED_COMMUNITIES", EITHER,
		BYTES(0xc0, 25, 20, 0, 2, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1),
		BGP_ACCEPT, 0, "",
		BYTES(0xc0, 25, 0, 20, 0, 2, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1)},
	{"IPV6_EXTENDED_COMMUNITIES of eight octets", EITHER, BYTES(0xc0, 25, 8, 0, 2, 0, 0, 0, 0, 0, 1),
		BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"IPV6_EXTENDED_COMMUNITIES: length 8, a multiple of 20 has to be, and not 0", NONE},
	/* RFC 8092 section 6 */
	{"LARGE_COMMUNITIES, one twice", EITHER,
		BYTES(0xc0, 32, 24, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3),
		BGP_ACCEPT, 0, "", BYTES(0xc0, 32, 0, 12, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3)},
	{"LARGE_COMMUNITIES of eight octets", EITHER, BYTES(0xc0, 32, 8, 0, 0, 0, 1, 0, 0, 0, 2),
		BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"LARGE_COMMUNITIES: length 8, a multiple of 12 has to be, and not 0", NONE},
	{"LARGE_COMMUNITIES of no octet", EITHER, BYTES(0xc0, 32, 0), BGP_WITHDRAW, BGP_UPDATE_LENGTH,
		"LARGE_COMMUNITIES: length 0, a multiple of 12 has to be, and not 0", NONE},
	/* RFC 4271 section 5 */
	{"unknown, transitive", EITHER, BYTES(0xc0, 99, 2, 1, 2), BGP_ACCEPT, 0, "",
		BYTES(0xe0, 99, 0, 2, 1, 2)},
	{"unknown, transitive, empty", EITHER, BYTES(0xc0, 254, 0), BGP_ACCEPT, 0, "",
		BYTES(0xe0, 254, 0, 0)},
	{"unknown, not transitive", EITHER, BYTES(0x80, 99, 2, 1, 2), BGP_ACCEPT, 0, "", NONE},
	{"unknown, said to be well-known", EITHER, BYTES(0x40, 99, 2, 1, 2), BGP_FATAL,
		BGP_UPDATE_WELL_KNOWN_UNKNOWN,
		"attribute 99: said to be well-known (flags 0x40), but it is not", NONE},
	/* 7.11, 7.12, 5.3; RFC 4760 section 7 */
	{"MP_REACH of four octets", EITHER, BYTES(0x80, 14, 4, 0, 2, 1, 0), BGP_FATAL, BGP_UPDATE_OPTIONAL,
		"MP_REACH: length 4, at least 5", NONE},
	{"MP_REACH said to be transitive", EITHER, BYTES(0xc0, 14, 5, 0, 2, 1, 0, 0), BGP_FATAL,
		BGP_UPDATE_OPTIONAL, "MP_REACH: flags 0xc0, where 0x80 has to be", NONE},
	{"MP_REACH with a next hop of 4 octets for IPv6", EITHER,
		BYTES(0x80, 14, 9, 0, 2, 1, 4, 192, 0, 2, 1, 0), BGP_FATAL, BGP_UPDATE_OPTIONAL,
		"MP_REACH: a next hop of 4 octets for ipv6", NONE},
	{"MP_REACH with a next hop of 16 octets for IPv4, though not agreed on", EITHER,
		BYTES(0x80, 14, 21, 0, 1, 1, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0),
		BGP_FATAL, BGP_UPDATE_OPTIONAL, "MP_REACH: a next hop of 16 octets for ipv4", NONE},
	{"MP_REACH with a next hop of 0 octets", EITHER, BYTES(0x80, 14, 5, 0, 2, 1, 0, 0), BGP_FATAL,
		BGP_UPDATE_OPTIONAL, "MP_REACH: a next hop of 0 octets for ipv6", NONE},
	{"MP_REACH with a next hop that is longer than it", EITHER, BYTES(0x80, 14, 6, 0, 2, 1, 16, 0, 0),
		BGP_FATAL, BGP_UPDATE_OPTIONAL, "MP_REACH: a next hop of 16 octets does not fit", NONE},
	{"MP_REACH with a prefix of 129 bits", EITHER,
		BYTES(0x80, 14, 22, 0, 2, 1, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
			129),
		BGP_FATAL, BGP_UPDATE_OPTIONAL, "MP_REACH: ipv6, a prefix is longer than an address", NONE},
	{"MP_REACH with a prefix that is cut short", EITHER,
		BYTES(0x80, 14, 23, 0, 2, 1, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
			16, 0x20),
		BGP_FATAL, BGP_UPDATE_OPTIONAL, "MP_REACH: ipv6, the last prefix is cut short", NONE},
	{"MP_REACH with a next hop that is nobody's", EITHER,
		BYTES(0x80, 14, 24, 0, 2, 1, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0x20,
			1),
		BGP_WITHDRAW, BGP_UPDATE_OPTIONAL, "MP_REACH: next hop :: is no host's address", NONE},
	{"MP_REACH of a family that nobody knows", EITHER, BYTES(0x80, 14, 6, 0, 25, 65, 0, 0, 1),
		BGP_DISCARD, 0, "MP_REACH: family 25/65 was not agreed on", NONE},
	{"MP_UNREACH of two octets", EITHER, BYTES(0x80, 15, 2, 0, 2), BGP_FATAL, BGP_UPDATE_OPTIONAL,
		"MP_UNREACH: length 2, at least 3", NONE},
	{"MP_UNREACH said to be well-known", EITHER, BYTES(0x40, 15, 3, 0, 2, 1), BGP_FATAL,
		BGP_UPDATE_OPTIONAL, "MP_UNREACH: flags 0x40, where 0x80 has to be", NONE},
	{"MP_UNREACH with an IPv4 prefix of 33 bits", EITHER, BYTES(0x80, 15, 9, 0, 1, 1, 33, 1, 2, 3, 4, 5),
		BGP_FATAL, BGP_UPDATE_OPTIONAL, "MP_UNREACH: ipv4, a prefix is longer than an address", NONE},
	{"MP_UNREACH with an endpoint that is a network", EITHER, BYTES(0x80, 15, 7, 0, 1, 7, 24, 192, 0, 2),
		BGP_FATAL, BGP_UPDATE_OPTIONAL,
		"MP_UNREACH: ipv4-encap, an endpoint's length is not that of an address", NONE},
	{"MP_UNREACH of a family that nobody knows", EITHER, BYTES(0x80, 15, 4, 0, 1, 128, 99), BGP_DISCARD,
		0, "MP_UNREACH: family 1/128 was not agreed on", NONE},
};

static uint8_t scratch[BGP_SET_MAX];

/* ORIGIN, AS_PATH and NEXT_HOP as they should be, but for the type under test, that one behind them, and then a prefix or none. */
static struct reader compose(struct writer *w, const struct row *row, bool as4, bool prefix)
{
	static const uint8_t origin[] = {0x40, 1, 1, 0}, path4[] = {0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe8},
			     path2[] = {0x40, 2, 4, 2, 1, 0xfd, 0xe8}, hop[] = {0x40, 3, 4, 192, 0, 2, 1};
	uint8_t type = row->wire[1];
	size_t at;

	writer_u16(w, 0);
	at = writer_begin16(w);
	if (type != BGP_ORIGIN)
		writer_bytes(w, origin, sizeof(origin));
	if (type != BGP_AS_PATH)
		writer_bytes(w, as4 ? path4 : path2, as4 ? sizeof(path4) : sizeof(path2));
	if (type != BGP_NEXT_HOP)
		writer_bytes(w, hop, sizeof(hop));
	writer_bytes(w, row->wire, row->len);
	writer_end16(w, at, 0);
	if (prefix) {
		writer_u8(w, 24);
		writer_u8(w, 198);
		writer_u16(w, 51 << 8 | 100);
	}
	assert_true(writer_ok(w));
	return reader_of(w->start, writer_len(w));
}

static struct bgp_form form_of(const struct row *row, bool external)
{
	return (struct bgp_form){.as4 = !(row->from & AS2),
		.external = external,
		.families = EVERY,
		.max_message = BGP_MESSAGE_MAX};
}

static void check_set(const struct row *row, const struct bgp_update *u)
{
	struct bgp_attribute a;
	struct reader set = u->set;
	uint8_t last = 0;

	if (bgp_attribute_find(u->set, row->wire[1], &a)) {
		if (row->kept_len != 4 + reader_left(&a.value) ||
			memcmp(row->kept, a.value.pos - 4, row->kept_len) != 0)
			fail_msg("%s: it is in the set with %zu octets", row->name, reader_left(&a.value));
	} else if (row->kept_len) {
		fail_msg("%s: it is not in the set", row->name);
	}
	while (bgp_attribute_next(&set, &a)) {
		assert_true(a.type > last);
		last = a.type;
	}
	assert_true(reader_ok(&set));
}

/* As the peer's NOTIFICATION has to be. */
static void check_error(const struct row *row, const struct bgp_error *e)
{
	bool bare = row->subcode == BGP_UPDATE_AS_PATH; /* no data: RFC 4271 section 6.3 */

	if (e->code != BGP_ERROR_UPDATE || e->subcode != row->subcode || strcmp(e->reason, row->reason) != 0)
		fail_msg("%s: %u/%u %s", row->name, e->code, e->subcode, e->reason);
	if (e->data_len != (bare ? 0 : row->len))
		fail_msg("%s: %u octets of data", row->name, e->data_len);
	assert_memory_equal(e->data, row->wire, e->data_len);
}

static void check_row(const struct row *row, bool external)
{
	struct bgp_form form = form_of(row, external);
	struct bgp_error e = {0};
	struct bgp_update u = {.discarded = 99};
	uint8_t buf[512];
	struct writer w = writer_of(buf, sizeof(buf));
	int r = bgp_update_read(compose(&w, row, form.as4, true), &form, scratch, sizeof(scratch), &u, &e);

	if (row->outcome == BGP_FATAL) {
		assert_int_equal(r, -EPROTO);
		assert_int_equal(u.discarded, 99);
		check_error(row, &e);
		return;
	}
	if (r || u.outcome != row->outcome || strcmp(u.reason, row->reason) != 0)
		fail_msg("%s: %d, outcome %d, %s%s", row->name, r, u.outcome, u.reason, e.reason);
	assert_int_equal(u.bad_attribute, row->outcome == BGP_ACCEPT ? 0 : row->wire[1]);
	if (row->outcome < BGP_WITHDRAW)
		assert_int_equal(u.discarded, row->outcome == BGP_DISCARD);
	assert_int_equal(reader_left(&u.announced), 4);
	if (row->outcome < BGP_WITHDRAW)
		check_set(row, &u);
}

static void each_is_accepted_discarded_withdraws_the_routes_or_ends_the_session(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].from & IBGP)
			check_row(&rows[i], false);
		if (rows[i].from & EBGP)
			check_row(&rows[i], true);
	}
}

/* RFC 7606 section 5.2: what cannot be treated as withdrawn ends the session, with what RFC 4271 section 6.3 wants said. */
static void without_a_route_that_could_be_withdrawn_the_session_ends(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct bgp_form form = form_of(row, !(row->from & IBGP));
		struct bgp_error e = {0};
		struct bgp_update u;
		uint8_t buf[512];
		struct writer w = writer_of(buf, sizeof(buf));
		struct reader body = compose(&w, row, form.as4, false);
		int r = bgp_update_read(body, &form, scratch, sizeof(scratch), &u, &e);
		/* A NEXT_HOP without a prefix has no meaning, be it nobody's; MP_REACH may bring prefixes of its own. */
		bool pointless = row->subcode == BGP_UPDATE_NEXT_HOP ||
				 (row->wire[1] == BGP_MP_REACH && row->outcome == BGP_WITHDRAW);

		if (row->outcome >= BGP_WITHDRAW && !pointless) {
			assert_int_equal(r, -EPROTO);
			check_error(row, &e);
		} else if (r || u.outcome != (pointless && row->wire[1] == BGP_NEXT_HOP ? BGP_ACCEPT
											: row->outcome)) {
			fail_msg("%s: %d %s%s", row->name, r, r ? e.reason : "", r ? "" : u.reason);
		}
	}
}

static const struct row twice[] = {
	{"MED", EITHER, BYTES(0x80, 4, 4, 0, 0, 0, 1, 0x80, 4, 4, 0, 0, 0, 2), BGP_DISCARD, 0,
		"MED: more than once in one UPDATE", BYTES(0x80, 4, 0, 4, 0, 0, 0, 1)},
	{"MED, bad the second time", EITHER, BYTES(0x80, 4, 4, 0, 0, 0, 1, 0xc0, 4, 1, 0), BGP_DISCARD, 0,
		"MED: more than once in one UPDATE", BYTES(0x80, 4, 0, 4, 0, 0, 0, 1)},
	{"unknown", EITHER, BYTES(0xc0, 99, 1, 1, 0xc0, 99, 1, 2), BGP_DISCARD, 0,
		"attribute 99: more than once in one UPDATE", BYTES(0xe0, 99, 0, 1, 1)},
};
static const struct row fatal[] = {
	{"MP_UNREACH", EITHER, BYTES(0x80, 15, 3, 0, 2, 1, 0x80, 15, 3, 0, 2, 1), BGP_FATAL,
		BGP_UPDATE_ATTRIBUTES, "MP_UNREACH: more than once in one UPDATE", NONE},
	{"MP_REACH", EITHER, BYTES(0x80, 14, 5, 0, 25, 65, 0, 0, 0x80, 14, 5, 0, 25, 65, 0, 0), BGP_FATAL,
		BGP_UPDATE_ATTRIBUTES, "MP_REACH: more than once in one UPDATE", NONE},
};

/* RFC 7606 section 3 g: of any attribute that comes twice the first one counts, but of two. */
static void of_two_of_a_kind_the_first_one_counts(void **state)
{
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++)
		check_row(&twice[i], false);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
		struct bgp_form form = form_of(&fatal[i], false);
		struct bgp_error e = {0};
		struct bgp_update u;
		uint8_t buf[512];
		struct writer w = writer_of(buf, sizeof(buf));

		assert_int_equal(bgp_update_read(compose(&w, &fatal[i], true, true), &form, scratch,
					 sizeof(scratch), &u, &e),
			-EPROTO);
		assert_int_equal(e.subcode, fatal[i].subcode);
		assert_string_equal(e.reason, fatal[i].reason);
	}
}

static void every_attribute_has_the_flags_and_the_name_of_its_rfc(void **state)
{
	static const struct {
		enum bgp_attribute_type type;
		uint8_t flags;
		const char *name;
	} known[] = {
		{BGP_ORIGIN, 0x40, "ORIGIN"},
		{BGP_AS_PATH, 0x40, "AS_PATH"},
		{BGP_NEXT_HOP, 0x40, "NEXT_HOP"},
		{BGP_MED, 0x80, "MED"},
		{BGP_LOCAL_PREFERENCE, 0x40, "LOCAL_PREF"},
		{BGP_ATOMIC_AGGREGATE, 0x40, "ATOMIC_AGGREGATE"},
		{BGP_AGGREGATOR, 0xc0, "AGGREGATOR"},
		{BGP_COMMUNITIES, 0xc0, "COMMUNITIES"},
		{BGP_ORIGINATOR_ID, 0x80, "ORIGINATOR_ID"},
		{BGP_CLUSTER_LIST, 0x80, "CLUSTER_LIST"},
		{BGP_MP_REACH, 0x80, "MP_REACH"},
		{BGP_MP_UNREACH, 0x80, "MP_UNREACH"},
		{BGP_EXTENDED_COMMUNITIES, 0xc0, "EXTENDED_COMMUNITIES"},
		{BGP_AS4_PATH, 0xc0, "AS4_PATH"},
		{BGP_AS4_AGGREGATOR, 0xc0, "AS4_AGGREGATOR"},
		{BGP_TUNNEL_ENCAP, 0xc0, "TUNNEL_ENCAP"},
		{BGP_IPV6_COMMUNITIES, 0xc0, "IPV6_EXTENDED_COMMUNITIES"},
		{BGP_LARGE_COMMUNITIES, 0xc0, "LARGE_COMMUNITIES"},
	};
	unsigned names = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(bgp_attribute_flags(known[i].type), known[i].flags);
		assert_string_equal(bgp_attribute_name((uint8_t)known[i].type), known[i].name);
	}
	for (unsigned type = 0; type <= UINT8_MAX; type++)
		names += bgp_attribute_name((uint8_t)type) != NULL;
	assert_int_equal(names, sizeof(known) / sizeof(known[0]));
}

static void facts_are_those_of_the_set(void **state)
{
	static const uint8_t origin[] = {2}, five[] = {0, 0, 0, 5}, clusters[12] = {1}, many[4 * 300] = {1},
			     tunnel[4] = {0, 7};
	static const uint8_t path[] = {
		2, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0, 0, 0, 3, 0, 0, 0, 4, 2, 1, 0, 0, 0, 5};
	uint8_t buf[2048];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_facts f;

	bgp_facts_of(reader_of(NULL, 0), &f);
	assert_int_equal(f.local_pref, BGP_LOCAL_PREF);
	assert_false(f.has_local_pref || f.has_med || f.has_tunnel);
	bgp_attribute_put(&w, 0x40, BGP_ORIGIN, origin, sizeof(origin));
	bgp_attribute_put(&w, 0x40, BGP_AS_PATH, path, sizeof(path));
	bgp_attribute_put(&w, 0x80, BGP_MED, five, sizeof(five));
	bgp_attribute_put(&w, 0x40, BGP_LOCAL_PREFERENCE, five, sizeof(five));
	bgp_attribute_put(&w, 0x80, BGP_ORIGINATOR_ID, five, sizeof(five));
	bgp_attribute_put(&w, 0x80, BGP_CLUSTER_LIST, clusters, sizeof(clusters));
	bgp_attribute_put(&w, 0xc0, BGP_TUNNEL_ENCAP, tunnel, sizeof(tunnel));
	bgp_facts_of(reader_of(buf, writer_len(&w)), &f);
	assert_int_equal(f.origin, 2);
	assert_int_equal(f.med, 5);
	assert_int_equal(f.local_pref, 5);
	assert_int_equal(f.originator_id, 5);
	assert_int_equal(f.cluster_length, 3);
	assert_int_equal(f.path_length, 4);
	assert_int_equal(f.neighbor_as, 1);
	assert_int_equal(f.origin_as, 5);
	assert_true(f.has_local_pref && f.has_med && f.has_tunnel);

	w = writer_of(buf, sizeof(buf));
	bgp_attribute_put(&w, 0x80, BGP_CLUSTER_LIST, many, sizeof(many));
	bgp_facts_of(reader_of(buf, writer_len(&w)), &f);
	assert_int_equal(f.cluster_length, 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_accepted_discarded_withdraws_the_routes_or_ends_the_session),
		cmocka_unit_test(without_a_route_that_could_be_withdrawn_the_session_ends),
		cmocka_unit_test(of_two_of_a_kind_the_first_one_counts),
		cmocka_unit_test(every_attribute_has_the_flags_and_the_name_of_its_rfc),
		cmocka_unit_test(facts_are_those_of_the_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

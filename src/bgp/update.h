/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/update: the wire format of UPDATE. Pure functions, in nlri.c, attribute.c, aspath.c, community.c, edit.c, update.c (reading) and update_write.c.
 *
 * Two forms of path attributes. On the wire they are as RFC 4271 and the peer's capabilities have them. In here they are canonical: a row of
 *     flags (1)  type (1)  length (2)  value
 * sorted by type, each type once; flags as the type wants them (an unknown transitive one has the Partial bit); AS numbers of four octets everywhere;
 * without NEXT_HOP, MP_REACH and MP_UNREACH (struct bgp_next_hop_value and the NLRI are kept apart), AS4_PATH and AS4_AGGREGATOR (merged),
 * without what RFC 7606 discards, without LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST of an external peer, and without unknown non-transitive ones.
 * Equal sets are equal bytes. A set is at most BGP_SET_MAX long.
 *
 * Errors are graded as RFC 7606 has it: an attribute is discarded, or all routes of the UPDATE are treated as withdrawn, or the session is reset
 * because it is not even known which routes are meant.
 */
#ifndef BGP_UPDATE_H
#define BGP_UPDATE_H

#include "bgp/message.h"

enum { BGP_SET_MAX = 65535 };

/* How the messages of a session are formed, as negotiated. */
struct bgp_form {
	bool as4;                       /* AS numbers of four octets */
	bool external;                  /* the peer is in another AS */
	bgp_families families;          /* agreed on */
	bgp_families extended_next_hop; /* of these, IPv4 prefixes may have IPv6 next hops */
	uint16_t max_message;           /* BGP_MESSAGE_MAX or BGP_EXTENDED_MAX; what we send */
};

/* ---- next hops ---- */

struct bgp_next_hop_value {
	struct addr
		global; /* an IPv4-mapped IPv6 next hop of an IPv6 prefix (RFC 4798) is the IPv4 address */
	struct addr
		link_local; /* or none: RFC 2545. There are peers that tell this one only: then `global` is none */
};

/* ---- NLRI ---- */

struct bgp_nlri {
	struct prefix prefix; /* of BGP_..._ENCAP: the endpoint, as a host prefix */
	uint32_t label;       /* the top one, 20 bits; 0 where the family has none */
};

/*
 * The next of a list; FAMILY says what it looks like. 1 and *ret; 0 at the end; -EPROTO and *why (a static text) for one that cannot be read:
 * the rest of the list is lost then. Host bits that are set are cleared, as everybody does. WITHDRAWN: labels may be anything (RFC 8277 section 2.4).
 */
int bgp_nlri_read(
	struct reader *list, enum bgp_family family, bool withdrawn, struct bgp_nlri *ret, const char **why);
/* Can there be packets to it? Not where it is multicast, loopback, link-local or reserved: RFC 4271 section 6.3 wants such a one ignored. */
bool bgp_nlri_is_routable(const struct bgp_nlri *n);
/* How many bytes it takes. */
size_t bgp_nlri_size(enum bgp_family family, const struct bgp_nlri *n);
/* WITHDRAWN: with the label 0x800000. */
void bgp_nlri_write(struct writer *w, enum bgp_family family, bool withdrawn, const struct bgp_nlri *n);

/* ---- canonical sets ---- */

struct bgp_attribute {
	uint8_t flags, type;
	struct reader value;
};
/* Walks over a canonical set: true and *ret, or false at the end. */
bool bgp_attribute_next(struct reader *set, struct bgp_attribute *ret);
/* False: there is none. */
bool bgp_attribute_find(struct reader set, enum bgp_attribute_type type, struct bgp_attribute *ret);
/* Appends to a canonical set under construction; types have to come in ascending order. */
void bgp_attribute_put(struct writer *set, uint8_t flags, uint8_t type, const void *value, size_t len);
/* "ORIGIN", "TUNNEL_ENCAP"; NULL for what we do not know. */
const char *bgp_attribute_name(uint8_t type);
/* The flags (without Partial and Extended Length) that the attributes table gives TYPE. */
uint8_t bgp_attribute_flags(enum bgp_attribute_type type);

/* What route selection and policy ask about most, taken from a set once (RFC 4271 section 9.1, RFC 4456 section 9). */
struct bgp_facts {
	uint32_t local_pref; /* BGP_LOCAL_PREF where there is none */
	uint32_t med;        /* 0 where there is none */
	uint32_t
		neighbor_as; /* the leftmost of the path, 0 for a path that begins with a set or is empty (RFC 4271 section 9.1.2.2 c) */
	uint32_t origin_as;     /* the rightmost; 0: none, or a set */
	uint32_t originator_id; /* 0: none */
	uint16_t path_length;   /* an AS_SET counts 1, confederation segments 0 */
	uint8_t cluster_length; /* of CLUSTER_LIST, in identifiers; at most 255 */
	uint8_t origin;
	bool has_local_pref, has_med, has_tunnel;
};
void bgp_facts_of(struct reader set, struct bgp_facts *ret);

/* How often AS occurs in the path, confederation segments and sets included. */
unsigned bgp_path_count(struct reader set, uint32_t as);
bool bgp_cluster_list_has(struct reader set, uint32_t cluster_id);
bool bgp_community_has(struct reader set, uint32_t community);
bool bgp_extended_community_has(struct reader set, uint64_t community);
bool bgp_large_community_has(struct reader set, uint32_t global, uint32_t local1, uint32_t local2);
/* "65000 65001 {65002 65003}"; cut with "..." where it does not fit. Returns BUF. */
const char *bgp_path_print(struct reader set, char *buf, size_t size);

/* Changes to a set; what is zero or NULL changes nothing. The order of the members is the order in which they apply. */
struct bgp_edit {
	bool drop_local_pref, drop_med, drop_reflection; /* the last: ORIGINATOR_ID and CLUSTER_LIST */
	bool drop_nontransitive; /* extended communities that are not to leave the AS (RFC 4360 section 6) */
	bool drop_tunnel;        /* the attribute TUNNEL_ENCAP */
	bool drop_encapsulation; /* Encapsulation extended communities, Color ones stay (RFC 9012 section 11) */
	bool clear_communities, clear_extended, clear_large;
	bool set_local_pref, set_med, set_origin;
	uint32_t local_pref, med;
	uint8_t origin;
	uint8_t prepend_count;
	uint32_t prepend_as;
	bool reflect; /* originator_id where there is none, cluster_id in front of the list */
	uint32_t originator_id, cluster_id;
	const uint32_t *communities;
	size_t community_count; /* added where they are missing; kept sorted */
	const uint32_t *remove_communities;
	size_t remove_community_count;
	const uint64_t *extended;
	size_t extended_count;
	const uint32_t (*large)[3];
	size_t large_count;
	const uint8_t *tunnel; /* the value of TUNNEL_ENCAP from now on */
	size_t tunnel_len;
};
/* From one canonical set to another: 0, or -EMSGSIZE. */
int bgp_set_edit(struct reader set, const struct bgp_edit *edit, struct writer *ret);

/* ---- UPDATE ---- */

enum bgp_outcome {
	BGP_ACCEPT,
	BGP_DISCARD,  /* an attribute was left out */
	BGP_WITHDRAW, /* treat-as-withdraw */
	BGP_FATAL,    /* session reset: struct bgp_error */
};

struct bgp_update {
	enum bgp_outcome outcome; /* the worst of all that was found */
	uint8_t bad_attribute;    /* the type that the reason is about; 0: none */
	char reason
		[BGP_ERROR_TEXT]; /* for BGP_DISCARD and BGP_WITHDRAW: one clause, the first worst; else "" */
	uint8_t discarded;        /* how many attributes were left out, whole or in part */
	struct reader withdrawn, announced; /* of IPv4 unicast, in the places of RFC 4271 */
	struct bgp_next_hop_value next_hop; /* theirs; none where there is no NEXT_HOP */
	bool has_reach,
		has_unreach; /* MP_REACH and MP_UNREACH of families that were agreed on; others are ignored (RFC 4760 section 7) */
	enum bgp_family reach_family, unreach_family;
	struct bgp_next_hop_value reach_next_hop;
	struct reader reach,
		unreach;   /* their NLRI, not yet decoded, but checked: bgp_nlri_read() will not fail */
	struct reader set; /* canonical, in SCRATCH */
	struct bgp_facts facts;
	bool end_of_rib; /* of FAMILY below: RFC 4724 section 2 */
	enum bgp_family end_family;
};

/*
 * BODY is what follows the header; SCRATCH (at least BGP_SET_MAX long) takes the canonical set. 0, with ret->outcome at most BGP_WITHDRAW; or -EPROTO and
 * *error. The readers in *ret point into BODY and SCRATCH. With BGP_WITHDRAW the caller withdraws what is announced, too.
 */
int bgp_update_read(struct reader body, const struct bgp_form *form, uint8_t *scratch, size_t size,
	struct bgp_update *ret, struct bgp_error *error);

/*
 * Writing: a message is begun with a set and a next hop and takes prefixes until it is full.
 *     bgp_update_begin(&u, &w, form, family, set, next_hop);   // or bgp_update_begin_withdraw()
 *     while (bgp_update_add(&u, nlri)) ...
 *     bgp_update_end(&u);
 * IPv4 unicast with an IPv4 next hop stands in the places of RFC 4271, all else in MP_REACH (first of the attributes: RFC 7606 section 5.1) and MP_UNREACH.
 * For peers without AS4, AS_PATH and AGGREGATOR are of two octets, with AS4_PATH and AS4_AGGREGATOR beside them where something is lost.
 */
struct bgp_update_writer {
	struct writer *w;
	uint8_t *limit; /* no prefix may reach behind it */
	enum bgp_family family;
	bool withdraw;
	size_t message, list; /* offsets of lengths that are patched */
	unsigned count;       /* prefixes so far */
	/* the rest is update_write.c's own */
	size_t attributes, total;
	struct reader set;
	const struct bgp_form *form;
	bool classic;
};
/*
 * -EMSGSIZE: with this set there would be no room for a prefix in the longest message; -ENOBUFS: there may be in the longest one, but W has less room than that;
 * -EAFNOSUPPORT: the next hop cannot be told to this peer. Nothing is written then.
 */
int bgp_update_begin(struct bgp_update_writer *u, struct writer *w, const struct bgp_form *form,
	enum bgp_family family, struct reader set, const struct bgp_next_hop_value *next_hop);
int bgp_update_begin_withdraw(
	struct bgp_update_writer *u, struct writer *w, const struct bgp_form *form, enum bgp_family family);
/* False: it does not fit any more; end this message, and begin another. */
bool bgp_update_add(struct bgp_update_writer *u, const struct bgp_nlri *n);
/* Without a prefix nothing is written at all. */
void bgp_update_end(struct bgp_update_writer *u);
/* End-of-RIB of FAMILY (RFC 4724 section 2): a whole message. */
void bgp_end_of_rib_write(struct writer *w, enum bgp_family family);
/* May prefixes of FAMILY have this next hop in messages of this form (MESH-BGP-14)? */
bool bgp_next_hop_fits(
	const struct bgp_form *form, enum bgp_family family, const struct bgp_next_hop_value *next_hop);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/attributes: what nlri.c, attribute.c, aspath.c, community.c, edit.c, update.c, update_write.c and mrt.c share. Not for others: they have bgp/update.h.
 */
#ifndef BGP_ATTRIBUTES_H
#define BGP_ATTRIBUTES_H

#include "bgp/update.h"

/* ---- what is wrong with an UPDATE: of several complaints the first of the worst is kept (RFC 7606 section 3 h) ---- */

struct bgp_complaints {
	enum bgp_outcome outcome;
	uint8_t type;       /* the attribute; 0: none */
	uint8_t subcode;    /* of UPDATE Message Error, should the session end over it */
	struct reader data; /* and what goes with it; on the wire */
	uint8_t discarded;  /* attributes, whole or in part */
	char reason[BGP_ERROR_TEXT];
};
/* The reason begins with the name of TYPE, if that is not 0. Returns false, for `return bgp_complain(...)`. */
bool bgp_complain(struct bgp_complaints *c, enum bgp_outcome outcome, uint8_t type, uint8_t subcode,
	struct reader data, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* ---- attribute.c ---- */

/* An attribute as it came. */
struct bgp_raw {
	uint8_t flags, type;
	struct reader value, whole;
};
/* RAW is malformed: what follows from that, and what the peer would hear, stands in the table. Returns false. */
bool bgp_malformed(struct bgp_complaints *c, const struct bgp_raw *raw, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The table's row of an attribute that is known. */
struct bgp_attribute_rule {
	const char *name;
	uint8_t flags;     /* Optional and Transitive have to be so */
	uint8_t multiple;  /* the length is one of it */
	uint16_t min, max; /* length */
	uint8_t subcode;   /* RFC 4271 section 6.3: of a bad value */
	enum bgp_outcome malformed;
	bool internal; /* means something between internal peers only; discarded, whatever it says, where it comes from an external one */
	/* What is in VALUE is sound, and its canonical form goes to SET. NULL: any value is, and it is its own canonical form. */
	bool (*take)(const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set,
		struct bgp_complaints *c);
};
const struct bgp_attribute_rule *bgp_attribute_rule(uint8_t type); /* NULL: not known */
/* Is RAW what the table says: whose it is, flags, length? False: it has been complained about. */
bool bgp_attribute_check(const struct bgp_raw *raw, const struct bgp_attribute_rule *rule,
	const struct bgp_form *form, struct bgp_complaints *c);
/* One from the wire goes to the end of SET in its canonical form, if it is sound, and is to be kept. False: it was not. */
bool bgp_attribute_take(
	const struct bgp_raw *raw, const struct bgp_form *form, struct writer *set, struct bgp_complaints *c);
/* Of a row that is being written: its head; then the value; then its length is set. */
size_t bgp_attribute_begin(struct writer *set, uint8_t flags, uint8_t type);
void bgp_attribute_end(struct writer *set, size_t at);
/* The row at AT, the last one, is moved in front of those with greater types. */
void bgp_attribute_settle(struct writer *set, size_t at);

/* ---- nlri.c ---- */

/* Will bgp_nlri_read() be able to read all of LIST? NULL, or why not. */
const char *bgp_nlri_fault(struct reader list, enum bgp_family family);
/* How many bytes the longest takes. */
size_t bgp_nlri_max(enum bgp_family family);

/* ---- aspath.c: paths with numbers of WIDTH octets, 2 or 4 ---- */

/* RFC 7606 section 7.2, RFC 7607, of AS_PATH or AS4_PATH. CONFEDERATION: such segments are in order (RFC 5065). */
bool bgp_path_check(const struct bgp_raw *raw, unsigned width, bool confederation, struct bgp_complaints *c);
/* How many numbers it has, for a comparison (RFC 4271 section 9.1.2.2 a, RFC 5065 section 5.3). */
unsigned bgp_path_hops(struct reader path, unsigned width);
/* Sound paths only: */
void bgp_path_widen(struct writer *w, struct reader path);
/* PATH of two octets, with the numbers that PATH4 knows better (RFC 6793 section 4.2.3). */
void bgp_path_merge(struct writer *w, struct reader path, struct reader path4);
/* In WIDTH octets, AS_TRANS for what does not fit; PLAIN: without confederation segments. */
void bgp_path_write(struct writer *w, struct reader path, unsigned width, bool plain);
/* Is there a number that two octets cannot say outside of confederation segments; are there confederation segments? */
bool bgp_path_has_large(struct reader path);
bool bgp_path_has_confederation(struct reader path);
void bgp_path_prepend(struct writer *w, struct reader path, uint32_t as, unsigned count);
void bgp_path_facts(struct reader path, struct bgp_facts *ret);

/* ---- update_write.c ---- */

/* SET as the peer reads it, with NEXT_HOP between AS_PATH and MED where it is not NULL. */
void bgp_attributes_write(
	struct writer *w, const struct bgp_form *form, struct reader set, const struct addr *next_hop);
/* The next hop of MP_REACH: length and addresses. */
void bgp_next_hop_write(struct writer *w, enum bgp_family family, const struct bgp_next_hop_value *n);

/* ---- community.c ---- */

/* The values, WIDTH octets each, at DATA are sorted, each there once afterwards. Returns how long they are now. */
size_t bgp_values_canonical(uint8_t *data, size_t len, size_t width);
/* VALUE is taken out. Returns how long the rest is. */
size_t bgp_values_remove(uint8_t *data, size_t len, const void *value, size_t width);
bool bgp_values_has(struct reader values, const void *value, size_t width);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/accept: what comes out of softwires here. What accept.c (how others may send), accept_record.c (the same for the next process), transmitters.c (who may)
 * and show_mesh.c share. Not for others.
 *
 * An item is a way of packing that we take: a word of the configuration's `accept` with parameters that were made at random, or a row of `tunnels`, by hand.
 * Current items come first, in the egress's order of preference, which is how they are told; behind them old ones: replaced by a roll or left out of the
 * configuration, not told any more, but others still use them until they have heard. Each has a row in the table of the data plane.
 */
#ifndef AFBR_ACCEPT_H
#define AFBR_ACCEPT_H

#include "afbr/softwires.h"
#include "lib/writer.h"

enum { ACCEPT_BY_HAND = 0xff, ACCEPT_RECORD = 1024, ACCEPT_TOLD = 1024 };

struct accept_item {
	uint8_t word; /* enum afbr_accept, or ACCEPT_BY_HAND */
	bool old;
	msec until; /* of an old one: when it is not taken any more; else 0 */
	struct mesh_encapsulation how;
	struct mesh_acceptance *row; /* NULL: not in the table yet */
};

struct accept_list {
	msec made; /* the last roll, or the beginning */
	unsigned count;
	struct accept_item items[MESH_ACCEPTS];
};

struct acceptor {
	struct softwires *softwires;
	struct accept_list list;
	uint32_t at; /* of the record */
	struct wheel_timer roll, expiry;
	uint64_t rolls;
	size_t told_len; /* what BGP was told last; 0: nothing yet */
	uint8_t told[ACCEPT_TOLD];
};

/* ---- accept.c ---- */

/* "ipip", "gre", "gre-key", "l2tpv3", "mpls-in-ip" ...; "by hand". */
const char *accept_word_name(uint8_t word);
/* Are there parameters that WORD's are made of? */
bool accept_word_rolls(uint8_t word);

/* ---- accept_record.c ---- */

void accept_record_write(struct writer *w, const struct accept_list *l);
/* 0, or -EBADMSG and *why: a static clause. Rows are NULL. */
int accept_record_read(struct reader r, msec now, struct accept_list *ret, const char **why);
/* Can A and B not be in the table at once? One of the two would never be found. */
bool accept_is_same_place(const struct mesh_encapsulation *a, const struct mesh_encapsulation *b);

/* Some of those who may send, in a record. */
enum {
	TRANSMITTER_RECORDS = 64,
	TRANSMITTERS_IN_RECORD = 128,
	TRANSMITTER_RECORD = 2 + TRANSMITTERS_IN_RECORD * (1 + 16),
};
struct transmitter_record {
	unsigned count;
	struct addr addresses[TRANSMITTERS_IN_RECORD];
};
void transmitter_record_write(struct writer *w, const struct transmitter_record *r);
/* 0 or -EBADMSG */
int transmitter_record_read(struct reader r, struct transmitter_record *ret);

/* ---- transmitters.c ---- */

/* Somebody who may send, because a route says so. */
struct sender {
	struct sender *next, **link;
	struct addr address;
	uint32_t next_hops; /* how often it is a next hop of routes */
	bool endpoint;      /* a route of the Encapsulation SAFI tells what it takes */
	bool kept;          /* the process before knew it, and BGP has not told everything again yet */
	bool admitted;      /* it is in the table of the data plane */
};

struct transmitters {
	struct softwires *softwires;
	struct hash senders; /* by address */
	struct sender *all;
	struct rib_feed feed; /* of the Encapsulation SAFI */
	bool fed;
	struct wheel_timer timer;  /* the feed has something */
	struct wheel_timer saving; /* there are others than the records have */
	uint32_t at[TRANSMITTER_RECORDS];
};

struct sender *transmitter_find(const struct transmitters *t, const struct addr *address); /* NULL: none */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/adopt: rows as records for the next process: adopt_record.c (bytes <-> structs, pure), for adopt.c. Not for others.
 *
 * A record: version (1), then a section (lib/record.h).
 *   endpoint  flags, MTU of the core, addresses, encapsulations of both levels, hop limit, DSCP; and why it was chosen
 *   path      for each slot the primary and the backup: number of the endpoint's record, or 0; label
 */
#ifndef AFBR_ADOPT_H
#define AFBR_ADOPT_H

#include "afbr/softwires.h"
#include "lib/reader.h"
#include "lib/writer.h"

enum { ADOPT_RECORD = 512 }; /* octets that are enough for either */

struct adopt_endpoint {
	struct endpoint_key key;
	enum endpoint_state state; /* up, unreached or shut */
	uint32_t path_mtu;
	char why[192];
};

struct adopt_path {
	struct {
		uint32_t endpoint; /* 0: none */
		uint32_t label;
	} leg[MESH_SLOTS][2];
};

void adopt_endpoint_write(struct writer *w, const struct adopt_endpoint *e);
/* 0 or -EBADMSG: addresses are of one family, and packets can be packed like that. */
int adopt_endpoint_read(struct reader record, struct adopt_endpoint *ret);
void adopt_path_write(struct writer *w, const struct adopt_path *p);
/* 0 or -EBADMSG */
int adopt_path_read(struct reader record, struct adopt_path *ret);

#endif

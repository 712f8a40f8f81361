/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "afbr/adopt.h"

#include <errno.h>
#include <string.h>

#include "lib/record.h"

enum { RECORD_VERSION = 1, SECTION = 1, LABEL_MAX = 0xfffff };
enum { FLAG_SET_DSCP = 1, FLAG_COPY_ECN = 2, FLAG_UP = 4, FLAG_SHUT = 8, FLAGS = 15 };
enum { FLAG_MPLS = 1, FLAG_KEY = 2, HOW_FLAGS = 3 };

static size_t begin(struct writer *w)
{
	writer_u8(w, RECORD_VERSION);
	return record_begin(w, SECTION);
}

static struct reader section_of(struct reader record)
{
	if (reader_u8(&record) != RECORD_VERSION)
		reader_fail(&record, "of another version");
	return reader_ok(&record) ? record_section(record, SECTION) : record;
}

/* ---- endpoints ---- */

static void put_how(struct writer *w, const struct mesh_encapsulation *e)
{
	writer_u8(w, e->kind);
	writer_u8(w, (uint8_t)((e->mpls ? FLAG_MPLS : 0) | (e->has_key ? FLAG_KEY : 0)));
	writer_u32(w, e->key);
	writer_u32(w, e->session);
	writer_u8(w, e->cookie_len);
	writer_bytes(w, e->cookie, e->cookie_len);
}

static struct mesh_encapsulation take_how(struct reader *r)
{
	struct mesh_encapsulation e = {.kind = record_u8(r, 0, MESH_KINDS - 1)};
	uint8_t flags = record_flags(r, HOW_FLAGS);

	e.mpls = flags & FLAG_MPLS;
	e.has_key = flags & FLAG_KEY;
	e.key = reader_u32(r);
	e.session = reader_u32(r);
	e.cookie_len = record_u8(r, 0, MESH_COOKIE);
	(void)reader_copy(r, e.cookie, e.cookie_len);
	return e;
}

void adopt_endpoint_write(struct writer *w, const struct adopt_endpoint *e)
{
	const struct endpoint_key *k = &e->key;
	size_t at = begin(w), len = strlen(e->why);

	writer_u8(w, (uint8_t)((k->set_dscp ? FLAG_SET_DSCP : 0) | (k->copy_ecn ? FLAG_COPY_ECN : 0) |
			       (e->state == ENDPOINT_UP ? FLAG_UP : 0) |
			       (e->state == ENDPOINT_SHUT ? FLAG_SHUT : 0)));
	writer_u32(w, e->path_mtu);
	record_put_addr(w, &k->address);
	record_put_addr(w, &k->outer);
	put_how(w, &k->how);
	put_how(w, &k->outer_how);
	writer_u8(w, k->hop_limit);
	writer_u8(w, k->outer_dscp);
	writer_u8(w, (uint8_t)len);
	writer_bytes(w, e->why, len);
	record_end(w, at);
}

static bool is_possible(const struct endpoint_key *k)
{
	bool stacked = !addr_is_none(&k->outer);

	return k->address.family && k->hop_limit && mesh_encapsulation_valid(&k->how) &&
	       (!stacked ||
		       (k->outer.family == k->address.family && mesh_encapsulation_valid(&k->outer_how)));
}

int adopt_endpoint_read(struct reader record, struct adopt_endpoint *ret)
{
	struct reader r = section_of(record);
	uint8_t flags = record_flags(&r, FLAGS);
	struct adopt_endpoint e = {.state = flags & FLAG_SHUT ? ENDPOINT_SHUT
					    : flags & FLAG_UP ? ENDPOINT_UP
							      : ENDPOINT_UNREACHED};
	uint8_t len;

	e.key.set_dscp = flags & FLAG_SET_DSCP;
	e.key.copy_ecn = flags & FLAG_COPY_ECN;
	e.path_mtu = reader_u32(&r);
	e.key.address = record_addr(&r);
	e.key.outer = record_addr(&r);
	e.key.how = take_how(&r);
	e.key.outer_how = take_how(&r);
	e.key.hop_limit = reader_u8(&r);
	e.key.outer_dscp = record_u8(&r, 0, MESH_DSCPS - 1);
	len = record_u8(&r, 0, sizeof(e.why) - 1);
	(void)reader_copy(&r, e.why, len);
	if (!reader_ok(&r) || strlen(e.why) != len || !is_possible(&e.key))
		return -EBADMSG;
	*ret = e;
	return 0;
}

/* ---- paths ---- */

void adopt_path_write(struct writer *w, const struct adopt_path *p)
{
	size_t at = begin(w);

	for (unsigned i = 0; i < MESH_SLOTS; i++)
		for (unsigned k = 0; k < 2; k++) {
			writer_u32(w, p->leg[i][k].endpoint);
			writer_u32(w, p->leg[i][k].label);
		}
	record_end(w, at);
}

int adopt_path_read(struct reader record, struct adopt_path *ret)
{
	struct reader r = section_of(record);
	struct adopt_path p = {0};

	for (unsigned i = 0; i < MESH_SLOTS; i++)
		for (unsigned k = 0; k < 2; k++) {
			p.leg[i][k].endpoint = reader_u32(&r);
			p.leg[i][k].label = reader_u32(&r);
			if (p.leg[i][k].label > LABEL_MAX)
				reader_fail(&r, "no label");
		}
	if (!reader_ok(&r))
		return -EBADMSG;
	*ret = p;
	return 0;
}

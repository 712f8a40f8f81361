/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parameters that others were told, as they are written down for the next process: others go on sending with them.
 *
 * A version, then a section: when they were made, how many there are, and of each its word, flags, kind, numbers and cookie, and how long an old one is still taken.
 * And who may send: a version, how many addresses, and these.
 */
#include "afbr/accept.h"

#include <errno.h>
#include <string.h>

#include "lib/record.h"

enum { VERSION = 1, SECTION_ITEMS = 1 };
enum { FLAG_OLD = 1, FLAG_MPLS = 2, FLAG_KEY = 4, FLAGS = 7 };

bool accept_is_same_place(const struct mesh_encapsulation *a, const struct mesh_encapsulation *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == MESH_L2TPV3)
		return a->session == b->session;
	return a->mpls == b->mpls && a->has_key == b->has_key && a->key == b->key;
}

/* ---- writing ---- */

static void put_item(struct writer *w, const struct accept_item *i)
{
	const struct mesh_encapsulation *e = &i->how;

	writer_u8(w, i->word);
	writer_u8(w,
		(uint8_t)((i->old ? FLAG_OLD : 0) | (e->mpls ? FLAG_MPLS : 0) | (e->has_key ? FLAG_KEY : 0)));
	writer_u8(w, e->kind);
	writer_u32(w, e->kind == MESH_L2TPV3 ? e->session : e->key);
	writer_u8(w, e->cookie_len);
	writer_bytes(w, e->cookie, e->cookie_len);
	writer_u64(w, i->until);
}

void accept_record_write(struct writer *w, const struct accept_list *l)
{
	size_t at;

	writer_u8(w, VERSION);
	at = record_begin(w, SECTION_ITEMS);
	writer_u64(w, l->made);
	writer_u8(w, (uint8_t)l->count);
	for (unsigned i = 0; i < l->count; i++)
		put_item(w, &l->items[i]);
	record_end(w, at);
}

/* ---- reading ---- */

/* Members that its kind does not have. */
static bool has_foreign(const struct mesh_encapsulation *e)
{
	return (e->kind != MESH_GRE && e->has_key) || (!e->has_key && e->key) ||
	       (e->kind != MESH_L2TPV3 && e->cookie_len);
}

/* What a word stands for, apart from the values of parameters. */
static bool suits(uint8_t word, const struct mesh_encapsulation *e)
{
	static const struct {
		uint8_t kind;
		bool mpls, has_key;
	} rows[] = {
		[AFBR_ACCEPT_IPIP] = {MESH_IPIP, false, false},
		[AFBR_ACCEPT_GRE] = {MESH_GRE, false, false},
		[AFBR_ACCEPT_GRE_KEY] = {MESH_GRE, false, true},
		[AFBR_ACCEPT_L2TPV3] = {MESH_L2TPV3, false, false},
		[AFBR_ACCEPT_MPLS_IN_IP] = {MESH_IPIP, true, false},
		[AFBR_ACCEPT_MPLS_IN_GRE] = {MESH_GRE, true, false},
		[AFBR_ACCEPT_MPLS_IN_L2TPV3] = {MESH_L2TPV3, true, false},
	};

	if (word == ACCEPT_BY_HAND)
		return true;
	return word < sizeof(rows) / sizeof(rows[0]) && rows[word].kind == e->kind &&
	       rows[word].mpls == e->mpls && rows[word].has_key == e->has_key &&
	       (e->kind != MESH_L2TPV3 || e->cookie_len == MESH_COOKIE);
}

static struct accept_item take_item(struct reader *r, msec now)
{
	struct accept_item i = {.word = reader_u8(r)};
	uint8_t flags = record_flags(r, FLAGS);
	uint32_t number;

	i.old = flags & FLAG_OLD;
	i.how.mpls = flags & FLAG_MPLS;
	i.how.has_key = flags & FLAG_KEY;
	i.how.kind = record_u8(r, 0, MESH_KINDS - 1);
	number = reader_u32(r);
	if (i.how.kind == MESH_L2TPV3)
		i.how.session = number;
	else
		i.how.key = number;
	i.how.cookie_len = record_u8(r, 0, MESH_COOKIE);
	reader_copy(r, i.how.cookie, i.how.cookie_len);
	i.until = record_deadline(r, now, UINT32_MAX);
	if (!mesh_encapsulation_valid(&i.how) || has_foreign(&i.how))
		reader_fail(r, "parameters that there cannot be");
	if (!suits(i.word, &i.how))
		reader_fail(r, "parameters that do not suit their word");
	if (i.old ? i.until == MSEC_NEVER : i.until != 0)
		reader_fail(r, "a time that does not suit it");
	return i;
}

/* Current ones come first, a word once; and no two are in each other's way. */
static const char *misfit(const struct accept_list *l, const struct accept_item *i)
{
	for (unsigned j = 0; j < l->count; j++) {
		const struct accept_item *before = &l->items[j];

		if (before->old && !i->old)
			return "an old one before one that is not";
		if (accept_is_same_place(&before->how, &i->how))
			return "the same number twice";
		if (!i->old && i->word != ACCEPT_BY_HAND && i->word == before->word)
			return "the same word twice";
	}
	return NULL;
}

static void take_items(struct reader *r, msec now, struct accept_list *ret)
{
	unsigned count;

	ret->made = record_past(r, now);
	count = record_u8(r, 0, MESH_ACCEPTS);
	while (ret->count < count && reader_ok(r)) {
		struct accept_item i = take_item(r, now);
		const char *why = misfit(ret, &i);

		if (why)
			reader_fail(r, why);
		ret->items[ret->count++] = i;
	}
}

int accept_record_read(struct reader r, msec now, struct accept_list *ret, const char **why)
{
	struct accept_list l = {0};
	uint8_t version = reader_u8(&r);
	struct reader items;

	if (reader_ok(&r) && version != VERSION) {
		*why = "it is of another version";
		return -EBADMSG;
	}
	items = reader_ok(&r) ? record_section(r, SECTION_ITEMS) : r;
	if (reader_ok(&items))
		take_items(&items, now, &l);
	if (!reader_ok(&items)) {
		*why = items.error;
		return -EBADMSG;
	}
	*ret = l;
	return 0;
}

/* ---- transmitters ---- */

void transmitter_record_write(struct writer *w, const struct transmitter_record *r)
{
	writer_u8(w, VERSION);
	writer_u8(w, (uint8_t)r->count);
	for (unsigned i = 0; i < r->count; i++)
		record_put_addr(w, &r->addresses[i]);
}

int transmitter_record_read(struct reader r, struct transmitter_record *ret)
{
	struct transmitter_record read = {0};
	bool known = reader_u8(&r) == VERSION;
	unsigned count = record_u8(&r, 0, TRANSMITTERS_IN_RECORD);

	while (read.count < count && reader_ok(&r)) {
		read.addresses[read.count] = record_addr(&r);
		if (reader_ok(&r) && addr_is_none(&read.addresses[read.count++]))
			reader_fail(&r, "no address");
	}
	if (!known || !reader_ok(&r))
		return -EBADMSG;
	*ret = read;
	return 0;
}

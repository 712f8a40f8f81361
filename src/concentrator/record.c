/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written down of each softwire, so that the next process can go on with it (adopt.c reads it).
 *
 * Whenever an engine says that its record has changed, before what it has to send leaves: so no peer has ever seen more than the state says. Counters
 * go along, and are as old as the record: some seconds, a HELLO's period at most; in a planned hand-over they are exact.
 *   version (1), where: our address and port, the peer's, the address that it talks to
 *   the engine's record (hub/save.h), whose head is enough for a farewell
 *   sections: whose it is; counters
 */
#include "concentrator/record.h"

#include <errno.h>
#include <string.h>

#include "hub/save.h"
#include "lib/record.h"

enum { SECTION_OWNER = 1, SECTION_COUNTERS = 2 };
enum { FLAG_ANONYMOUS = 1, FLAG_HOOKED = 2, FLAG_LEASED = 4, FLAGS = 7 };

/* ---- writing ---- */

static void put_endpoint(struct writer *w, const struct endpoint *e)
{
	record_put_addr(w, &e->addr);
	writer_u16(w, e->port);
}

static void put_owner(const struct subscriber *sub, struct writer *w)
{
	size_t at = record_begin(w, SECTION_OWNER), len = sub->user ? strlen(sub->user) : 0;

	writer_u16(w, sub->slot);
	writer_u16(w, sub->peer_tunnel);
	writer_u16(w, subscriber_open_mtu(sub));
	writer_u8(w, sub->method);
	writer_u8(w, (uint8_t)((sub->anonymous ? FLAG_ANONYMOUS : 0) | (sub->hooked ? FLAG_HOOKED : 0) |
			       (sub->leased ? FLAG_LEASED : 0)));
	writer_u8(w, (uint8_t)len);
	writer_bytes(w, sub->user, len);
	record_end(w, at);
}

static void put_counters(const struct dp_row *row, struct writer *w)
{
	size_t at = record_begin(w, SECTION_COUNTERS);

	dp_row_save_counters(row, w);
	record_end(w, at);
}

void subscriber_put_record(const struct subscriber *sub, struct writer *w)
{
	struct endpoint local = sub->role->listeners[sub->row->listener].at;
	size_t engine;
	int err;

	writer_u8(w, RECORD_VERSION);
	put_endpoint(w, &local);
	put_endpoint(w, &sub->row->peer);
	record_put_addr(w, &sub->row->local);
	engine = writer_len(w);
	err = softwire_sc_save(&sub->engine, w);
	if (err == -EAGAIN && writer_len(w) == engine) {
		*w = writer_of(w->start, (size_t)(w->end - w->start)); /* nobody would have to be told */
		return;
	}
	put_owner(sub, w);
	put_counters(sub->row, w);
}

void subscriber_record(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));
	int err;

	if (!c->state)
		return;
	subscriber_put_record(sub, &w);
	if (!writer_len(&w)) {
		store_remove(c->state, &sub->record);
		return;
	}
	err = writer_ok(&w) ? store_put(c->state, &sub->record, sub->id, bytes, writer_len(&w)) : -EMSGSIZE;
	if (!err)
		return;
	store_remove(c->state, &sub->record);
	c->role_counters.not_recorded++;
	if (concentrator_may_log(c))
		log_message(c->log, LEVEL_WARN, "state", "softwire %u would not survive a restart: %s",
			sub->id, strerror(-err));
}

void subscriber_record_end(struct subscriber *sub)
{
	if (sub->role->state && !sub->role->leaving)
		store_remove(sub->role->state, &sub->record);
}

void subscriber_changed(struct softwire *s)
{
	subscriber_record(subscriber_of(s));
}

/* ---- reading ---- */

static struct endpoint take_endpoint(struct reader *r)
{
	struct endpoint e = {.addr = record_addr(r)};

	e.port = reader_u16(r);
	if (!e.addr.family)
		reader_fail(r, "endpoint without an address");
	return e;
}

static void take_owner(struct record *ret, struct reader r)
{
	uint8_t flags, len;

	ret->slot = reader_u16(&r);
	ret->peer_tunnel = reader_u16(&r);
	ret->open_mtu = reader_u16(&r);
	ret->method = record_u8(&r, AUTH_NONE, AUTH_METHODS - 1);
	flags = record_flags(&r, FLAGS);
	ret->anonymous = flags & FLAG_ANONYMOUS;
	ret->hooked = flags & FLAG_HOOKED;
	ret->leased = flags & FLAG_LEASED;
	len = reader_u8(&r);
	(void)reader_copy(&r, ret->user, len);
	if (strlen(ret->user) != len)
		reader_fail(&r, "zero in a user's name");
	if (!reader_ok(&r))
		ret->why = r.error;
}

int record_read(struct reader r, struct record *ret)
{
	struct record read = {0};

	if (reader_u8(&r) != RECORD_VERSION)
		return -EBADMSG;
	read.local = take_endpoint(&r);
	read.peer = take_endpoint(&r);
	read.at = record_addr(&r);
	if (!reader_ok(&r) || softwire_peek(r, &read.peek))
		return -EBADMSG;
	read.engine = reader_sub(&r, read.peek.len);
	if (!read.peek.resumable)
		read.why = "it was being set up, or ended";
	take_owner(&read, record_section(r, SECTION_OWNER));
	read.counters = record_section(r, SECTION_COUNTERS);
	if (!reader_ok(&read.counters))
		read.why = read.counters.error;
	*ret = read;
	return 0;
}

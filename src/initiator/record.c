/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The current softwire as bytes, as far as the role knows more than the engine (hub/save.h).
 *   version (1), the server, our port
 *   the engine's record
 *   sections: how it came about and what hooks know; held prefixes; counters
 */
#include "initiator/record.h"

#include <string.h>

#include "lib/record.h"

enum { SECTION_OWN = 1, SECTION_HELD = 2, SECTION_COUNTERS = 3 };
enum { HELD_CURRENT = 1, HELD_FLAGS = 1 };

/* ---- writing ---- */

static void put_endpoint(struct writer *w, const struct endpoint *e)
{
	record_put_addr(w, &e->addr);
	writer_u16(w, e->port);
}

static void put_own(const struct initiator *i, const struct attempt *a, struct writer *w)
{
	size_t at = record_begin(w, SECTION_OWN);

	writer_u8(w, (uint8_t)((i->hooks_up ? RECORD_HOOKS_UP : 0) | (i->hook_due ? RECORD_HOOK_DUE : 0) |
			       (a->mtu_again_at ? RECORD_LOWERED : 0)));
	writer_u32(w, i->reconnects);
	writer_u8(w, a->server_index);
	writer_u8(w, a->below);
	writer_u8(w, a->eap_method);
	writer_u16(w, a->up_mtu);
	writer_u32(w, a->pinned);
	writer_u32(w, i->uplink_index);
	record_put_addr(w, &a->local.addr);
	put_endpoint(w, &a->redirect.by);
	writer_bytes(w, a->redirect.text, sizeof(a->redirect.text));
	record_end(w, at);
}

static void put_held(const struct initiator *i, struct writer *w)
{
	size_t at = record_begin(w, SECTION_HELD);

	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		const struct held_prefix *h = &i->held[n];

		if (prefix_is_none(&h->prefix))
			continue;
		record_put_prefix(w, &h->prefix);
		writer_u64(w, h->preferred_until);
		writer_u64(w, h->valid_until);
		writer_u8(w, h->current ? HELD_CURRENT : 0);
	}
	record_end(w, at);
}

void initiator_record_put(const struct initiator *i, const struct attempt *a, struct writer *w)
{
	size_t at;

	writer_u8(w, RECORD_VERSION);
	put_endpoint(w, &a->server);
	writer_u16(w, a->local.port);
	if (softwire_si_save(&a->engine, w)) {
		*w = writer_of(w->start, (size_t)(w->end - w->start));
		return;
	}
	put_own(i, a, w);
	put_held(i, w);
	at = record_begin(w, SECTION_COUNTERS);
	dp_row_save_counters(a->row, w);
	record_end(w, at);
}

/* ---- reading ---- */

static struct endpoint take_endpoint(struct reader *r)
{
	struct endpoint e = {.addr = record_addr(r)};

	e.port = reader_u16(r);
	return e;
}

static const char *take_own(const struct initiator *i, struct record *ret, struct reader r)
{
	ret->flags = record_flags(&r, RECORD_FLAGS);
	ret->reconnects = reader_u32(&r);
	ret->server_index = record_u8(&r, 0, INITIATOR_SERVERS - 1);
	ret->below = reader_u8(&r);
	ret->eap_method = reader_u8(&r);
	ret->up_mtu = reader_u16(&r);
	ret->pinned = reader_u32(&r);
	ret->uplink = reader_u32(&r);
	ret->local = record_addr(&r);
	ret->redirect.by = take_endpoint(&r);
	(void)reader_copy(&r, ret->redirect.text, sizeof(ret->redirect.text));
	ret->redirect.text[sizeof(ret->redirect.text) - 1] = '\0';
	if (reader_ok(&r) && ret->server_index >= i->config.server_count)
		return "its server is not configured any more";
	return r.error;
}

static const char *take_held(struct record *ret, struct reader r)
{
	for (unsigned n = 0; n < HELD_PREFIXES && reader_left(&r); n++) {
		struct held_prefix *h = &ret->held[n];

		h->prefix = record_prefix(&r);
		h->preferred_until = reader_u64(&r);
		h->valid_until = reader_u64(&r);
		h->current = record_flags(&r, HELD_FLAGS) & HELD_CURRENT;
		if (h->prefix.addr.family != AF_INET6 || !h->prefix.len || h->prefix.len > 64)
			return "a prefix that nobody delegates";
	}
	return r.error;
}

bool initiator_record_read(
	const struct initiator *i, struct reader r, struct record *ret, const char **ret_why)
{
	const char *why;

	*ret = (struct record){0};
	if (reader_u8(&r) != RECORD_VERSION)
		return false;
	ret->server = take_endpoint(&r);
	ret->port = reader_u16(&r);
	if (!reader_ok(&r) || addr_is_none(&ret->server.addr) || softwire_peek(r, &ret->peek))
		return false;
	ret->engine = reader_sub(&r, ret->peek.len);
	ret->counters = record_section(r, SECTION_COUNTERS);
	why = take_own(i, ret, record_section(r, SECTION_OWN));
	if (!why)
		why = take_held(ret, record_section(r, SECTION_HELD));
	*ret_why = why ? why : ret->counters.error;
	return true;
}

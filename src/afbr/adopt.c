/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the process before. What routes of the kernel point to has to go on leading somewhere while this process learns from BGP what it is (RFC 4724), so
 * endpoints and paths are written down as they come and go, and made again, with their numbers, before the first packet is read.
 *
 * A record: version (1), then a section (lib/record.h).
 *   endpoint  flags, MTU of the core, addresses, encapsulations of both levels, hop limit, DSCP; and why it was chosen
 *   path      for each slot the primary and the backup: number of the endpoint's record, or 0; label
 *
 * Nothing is taken up by a process that follows several which did not last: whatever ended them may stand there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "afbr/softwires.h"
#include "lib/record.h"

enum { RECORD_VERSION = 1, SECTION = 1, WHY = 191, SETTLE_MS = 30000, STARTS_MAX = 5, LABEL_MAX = 0xfffff };
enum { FLAG_SET_DSCP = 1, FLAG_COPY_ECN = 2, FLAG_UP = 4, FLAG_SHUT = 8, FLAGS = 15 };
enum { FLAG_MPLS = 1, FLAG_KEY = 2, HOW_FLAGS = 3 };
static const size_t store_max = sizeof(void *) >= 8 ? (size_t)1 << 30 : (size_t)64 << 20;

/* ---- writing ---- */

static void put_how(struct writer *w, const struct mesh_encapsulation *e)
{
	writer_u8(w, e->kind);
	writer_u8(w, (uint8_t)((e->mpls ? FLAG_MPLS : 0) | (e->has_key ? FLAG_KEY : 0)));
	writer_u32(w, e->key);
	writer_u32(w, e->session);
	writer_u8(w, e->cookie_len);
	writer_bytes(w, e->cookie, e->cookie_len);
}

static void put(struct softwires *s, uint32_t *record, uint32_t id, struct writer *w)
{
	int r = writer_ok(w) ? store_put(s->store, record, id, w->start, writer_len(w)) : -EMSGSIZE;
	struct log_line l;

	if (!r)
		return;
	*record = 0;
	if (!limit_ok(&s->store_lines, loop_clock(), 1, 3) ||
		!log_begin(s->afbr->log, &l, LEVEL_WARN, "state"))
		return;
	log_format(&l, "message", "softwires would not all survive a restart: %s", strerror(-r));
	if (s->store_lines.suppressed)
		log_uint(&l, "suppressed", s->store_lines.suppressed);
	s->store_lines.suppressed = 0;
	log_end(&l);
}

void adopt_save_endpoint(struct softwires *s, struct softwire_endpoint *e)
{
	const struct endpoint_key *k = &e->key;
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));
	size_t at;

	if (!s->store)
		return;
	writer_u8(&w, RECORD_VERSION);
	at = record_begin(&w, SECTION);
	writer_u8(
		&w, (uint8_t)((k->set_dscp ? FLAG_SET_DSCP : 0) | (k->copy_ecn ? FLAG_COPY_ECN : 0) |
			      (e->row->usable ? FLAG_UP : 0) | (e->state == ENDPOINT_SHUT ? FLAG_SHUT : 0)));
	writer_u32(&w, e->path_mtu);
	record_put_addr(&w, &k->address);
	record_put_addr(&w, &k->outer);
	put_how(&w, &k->how);
	put_how(&w, &k->outer_how);
	writer_u8(&w, k->hop_limit);
	writer_u8(&w, k->outer_dscp);
	writer_u8(&w, (uint8_t)strlen(e->why));
	writer_bytes(&w, e->why, strlen(e->why));
	record_end(&w, at);
	put(s, &e->record, SOFTWIRE_RECORD_ENDPOINT | e->number, &w);
}

void adopt_save_path(struct softwires *s, struct softwire_path *p)
{
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));
	size_t at;

	if (!s->store)
		return;
	writer_u8(&w, RECORD_VERSION);
	at = record_begin(&w, SECTION);
	for (unsigned i = 0; i < 2 * MESH_SLOTS; i++) {
		const struct softwire_endpoint *e = p->key.leg[i / 2][i % 2].endpoint;

		writer_u32(&w, e ? e->number : 0);
		writer_u32(&w, (uint32_t)p->key.leg[i / 2][i % 2].label);
	}
	record_end(&w, at);
	put(s, &p->record, (uint32_t)SOFTWIRE_RECORD_PATH | p->row->number, &w);
}

void adopt_drop(struct softwires *s, uint32_t *record)
{
	if (s->store)
		store_remove(s->store, record);
}

/* ---- reading ---- */

struct adoption {
	struct softwires *softwires;
	struct hash endpoints; /* by number */
	unsigned adopted, refused;
};

static bool has_number(const void *item, const void *key)
{
	return ((const struct softwire_endpoint *)item)->number == *(const uint32_t *)key;
}

static struct softwire_endpoint *endpoint_at(const struct adoption *a, uint32_t number)
{
	return hash_find(&a->endpoints, hash_u64(number, 0), has_number, &number);
}

static bool is_path(uint32_t id)
{
	return id & (uint32_t)SOFTWIRE_RECORD_PATH;
}

static bool is_endpoint(uint32_t id)
{
	return !is_path(id) && id & SOFTWIRE_RECORD_ENDPOINT;
}

static struct reader section_of(const struct store_record *record)
{
	struct reader r = reader_of(record->data, record->len);

	if (reader_u8(&r) != RECORD_VERSION)
		reader_fail(&r, "of another version");
	return reader_ok(&r) ? record_section(r, SECTION) : r;
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

static bool adopt_endpoint(struct adoption *a, const struct store_record *record)
{
	struct softwires *s = a->softwires;
	struct reader r = section_of(record);
	uint8_t flags = record_flags(&r, FLAGS), why_len;
	uint32_t mtu = reader_u32(&r), number = record->id & ~(uint32_t)SOFTWIRE_RECORD_ENDPOINT;
	struct endpoint_key key = {.set_dscp = flags & FLAG_SET_DSCP, .copy_ecn = flags & FLAG_COPY_ECN};
	struct softwire_endpoint *e;
	char why[WHY + 1] = "";

	key.address = record_addr(&r);
	key.outer = record_addr(&r);
	key.how = take_how(&r);
	key.outer_how = take_how(&r);
	key.hop_limit = reader_u8(&r);
	key.outer_dscp = record_u8(&r, 0, MESH_DSCPS - 1);
	why_len = record_u8(&r, 0, WHY);
	(void)reader_copy(&r, why, why_len);
	if (!reader_ok(&r) || !number || key.address.family != s->core_family ||
		(!addr_is_none(&key.outer) && key.outer.family != s->core_family))
		return false;
	e = endpoint_adopt(s, &key, why,
		flags & FLAG_SHUT ? ENDPOINT_SHUT
		: flags & FLAG_UP ? ENDPOINT_UP
				  : ENDPOINT_UNREACHED,
		mtu);
	if (!e || hash_insert(&a->endpoints, hash_u64(number, 0), e))
		return false; /* nobody holds it, so it goes */
	e->number = number;
	e->record = record->at;
	s->next_endpoint = s->next_endpoint < number ? number : s->next_endpoint;
	return true;
}

/* Endpoints that are not there any more leave a leg empty: packets are rejected then, and BGP will say more. */
static bool adopt_path(struct adoption *a, const struct store_record *record)
{
	struct reader r = section_of(record);
	struct path_key key;
	uint32_t number = record->id & MESH_PATH_MAX;

	memset(&key, 0, sizeof(key));
	for (unsigned i = 0; i < 2 * MESH_SLOTS; i++) {
		struct softwire_endpoint *e = endpoint_at(a, reader_u32(&r));
		uint32_t label = reader_u32(&r);

		if (label > LABEL_MAX)
			reader_fail(&r, "no label");
		key.leg[i / 2][i % 2].endpoint = e;
		key.leg[i / 2][i % 2].label = e ? label : 0;
	}
	return reader_ok(&r) && number && !path_adopt(a->softwires, number, &key, record->at);
}

static void adopt_record(struct adoption *a, struct store_record *record,
	bool (*adopt)(struct adoption *a, const struct store_record *record))
{
	struct softwires *s = a->softwires;
	bool ok;

	if (store_is_poison(s->store, record->id) || store_starts(s->store) > STARTS_MAX) {
		ok = false;
	} else {
		store_work(s->store, record->id);
		ok = adopt(a, record);
	}
	a->adopted += ok;
	a->refused += !ok;
	if (!ok)
		store_remove(s->store, &record->at);
}

static void adopt_all(struct adoption *a, bool (*is_one)(uint32_t id),
	bool (*adopt)(struct adoption *a, const struct store_record *record))
{
	struct store_record record;
	uint32_t cursor = 0;

	while (store_next(a->softwires->store, &cursor, &record))
		if (is_one(record.id))
			adopt_record(a, &record, adopt);
	store_work(a->softwires->store, 0);
}

static void tell(struct softwires *s, const struct adoption *a)
{
	struct log_line l;

	if ((!a->adopted && !a->refused) ||
		!log_begin(s->afbr->log, &l, a->refused ? LEVEL_WARN : LEVEL_INFO, "mesh-adopted"))
		return;
	log_uint(&l, "endpoints", s->endpoint_count);
	log_uint(&l, "paths", s->paths.count);
	if (a->refused)
		log_uint(&l, "refused", a->refused);
	log_end(&l);
}

static void lasted(struct wheel_timer *t, msec now)
{
	store_settle(container_of(t, struct softwires, settle)->store);
}

int adopt_rows(struct softwires *s)
{
	struct adoption a = {.softwires = s};

	if (!s->store)
		return 0;
	adopt_all(&a, is_endpoint, adopt_endpoint);
	adopt_all(&a, is_path, adopt_path);
	hash_free(&a.endpoints);
	tell(s, &a);
	s->kept = s->kept && !a.refused;
	s->settle.fire = lasted;
	wheel_arm(&s->afbr->loop->wheel, &s->settle, loop_now(s->afbr->loop) + SETTLE_MS);
	return 0;
}

void adopt_settle(struct softwires *s)
{
	unsigned count;
	struct log_line l;

	if (!s || s->settled)
		return;
	s->settled = true;
	transmitter_settle(s);
	count = path_settle(s);
	if (!count || !log_begin(s->afbr->log, &l, LEVEL_INFO, "mesh-stale-removed"))
		return;
	log_uint(&l, "paths", count);
	log_end(&l);
}

bool adopt_kept(const struct afbr *a)
{
	return !a->softwires || a->softwires->kept;
}

/* ---- life ---- */

void adopt_open(struct softwires *s, int fd)
{
	struct store_found found = {0};
	int r = store_open(fd, store_max, &s->store, &found);

	if (r) {
		s->store = NULL;
		log_message(s->afbr->log, LEVEL_WARN, "state", "softwires would not survive a restart: %s",
			strerror(-r));
		close(fd);
		return;
	}
	s->store_fd = fd;
	s->kept = !found.fresh && !found.foreign && !found.damaged;
	if (found.damaged || found.foreign)
		log_message(s->afbr->log, LEVEL_WARN, "state", "%u records of softwires are damaged%s",
			found.damaged,
			found.foreign ? ": they were written by a program that is not known here" : "");
}

void adopt_clear(struct softwires *s)
{
	if (s->store)
		store_clear(s->store);
}

void adopt_close(struct softwires *s)
{
	if (!s->store)
		return;
	wheel_disarm(&s->afbr->loop->wheel, &s->settle);
	store_close(s->store);
	s->store = NULL;
	close(s->store_fd);
}

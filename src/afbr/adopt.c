/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the process before. What routes of the kernel point to has to go on leading somewhere while this process learns from BGP what it is (RFC 4724), so
 * endpoints and paths are written down as they come and go, and made again, with their numbers, before the first packet is read.
 *
 * Nothing is taken up by a process that follows several which did not last: whatever ended them may stand there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "afbr/adopt.h"

enum { SETTLE_MS = 30000, STARTS_MAX = 5 };
static const size_t store_max = sizeof(void *) >= 8 ? (size_t)1 << 30 : (size_t)64 << 20;

/* ---- writing ---- */

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
	struct adopt_endpoint record = {.key = e->key, .path_mtu = e->path_mtu};
	uint8_t bytes[ADOPT_RECORD];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (!s->store)
		return;
	record.state = e->row->usable              ? ENDPOINT_UP
		       : e->state == ENDPOINT_SHUT ? ENDPOINT_SHUT
						   : ENDPOINT_UNREACHED;
	memcpy(record.why, e->why, sizeof(record.why));
	adopt_endpoint_write(&w, &record);
	put(s, &e->record, SOFTWIRE_RECORD_ENDPOINT | e->number, &w);
}

void adopt_save_path(struct softwires *s, struct softwire_path *p)
{
	struct adopt_path record = {0};
	uint8_t bytes[ADOPT_RECORD];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (!s->store)
		return;
	for (unsigned i = 0; i < 2 * MESH_SLOTS; i++) {
		const struct softwire_endpoint *e = p->key.leg[i / 2][i % 2].endpoint;

		record.leg[i / 2][i % 2].endpoint = e ? e->number : 0;
		record.leg[i / 2][i % 2].label = (uint32_t)p->key.leg[i / 2][i % 2].label;
	}
	adopt_path_write(&w, &record);
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

static bool adopt_endpoint(struct adoption *a, const struct store_record *record)
{
	struct softwires *s = a->softwires;
	uint32_t number = record->id & ~(uint32_t)SOFTWIRE_RECORD_ENDPOINT;
	struct softwire_endpoint *e;
	struct adopt_endpoint r;

	if (!number || adopt_endpoint_read(reader_of(record->data, record->len), &r) ||
		r.key.address.family != s->core_family)
		return false;
	e = endpoint_adopt(s, &r.key, r.why, r.state, r.path_mtu);
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
	uint32_t number = record->id & MESH_PATH_MAX;
	struct adopt_path r;
	struct path_key key;

	if (!number || adopt_path_read(reader_of(record->data, record->len), &r))
		return false;
	memset(&key, 0, sizeof(key));
	for (unsigned i = 0; i < 2 * MESH_SLOTS; i++) {
		struct softwire_endpoint *e = endpoint_at(a, r.leg[i / 2][i % 2].endpoint);

		key.leg[i / 2][i % 2].endpoint = e;
		key.leg[i / 2][i % 2].label = e ? r.leg[i / 2][i % 2].label : 0;
	}
	return !path_adopt(a->softwires, number, &key, record->at);
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

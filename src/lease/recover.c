/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a database, whatever has happened to it. What is sound is loaded as it is. What is damaged, empty or gone is put together
 * again from the rows that can still be read of it and from the backup; the store then writes a new file from memory.
 *
 * The file's rows come first, and win: it is never older than its backup. A lease that is in both as it was granted once gets back
 * from the backup the prefixes that the file has lost; one that was granted anew since then gets nothing from there, for what it had
 * before may be somebody else's. So no address is ever given to two. If nothing can be read at all the store starts without leases: a
 * concentrator that serves users, most of whom the allocation gives the same addresses again, is better than none; it is said loudly.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease/file.h"
#include "lease/store.h"

enum salvaged {
	FROM_NOWHERE,
	FROM_FILE,
	FROM_BACKUP,
	FROM_PREFIX /* only a prefix tells of it */,
	SUPERSEDED
};

enum { TOLD_MAX = 20 };

struct salvage {
	struct lease_store *s;
	enum salvaged source;
	unsigned lost, told;
};

static void bad_row(void *owner, const char *why)
{
	struct salvage *v = owner;

	if (v->source != FROM_FILE) /* it may only have changed hands since the backup */
		return;
	v->lost++;
	if (v->told++ < TOLD_MAX)
		log_message(v->s->log, LEVEL_ERROR, "lease-lost", "%s", why);
}

static struct row *present_row(const struct lease_store *s, const char *user, uint16_t slot)
{
	struct row *row = row_find(s, user, slot);

	return row && row->now.present ? row : NULL;
}

static int add_lease(struct salvage *v, const struct db_lease *l, enum salvaged source, char why[256])
{
	int rc = table_add_lease(v->s, l, why);

	if (!rc)
		row_find(v->s, l->user, l->slot)->salvaged = source;
	return rc;
}

static int salvage_lease(void *owner, const struct db_lease *l, char why[256])
{
	struct salvage *v = owner;
	struct row *row = present_row(v->s, l->user, l->slot);

	if (!row)
		return add_lease(v, l, v->source, why);
	if (row->salvaged == FROM_PREFIX) {
		row->now.present = false; /* once more, with all that is known of it */
		v->s->count--;
		return add_lease(v, l, v->source, why);
	}
	if (row->salvaged == FROM_FILE && v->source == FROM_BACKUP && row->now.granted_at != l->granted_at)
		row->salvaged = SUPERSEDED;
	return 0;
}

static bool has_prefix(const struct row *row, const struct db_prefix *p)
{
	for (unsigned i = 0; i < row->now.span_count; i++) {
		struct prefix q = span_prefix(row->now.spans[i]);

		if (prefix_equal(&q, &p->prefix))
			return true;
	}
	return false;
}

static int salvage_prefix(void *owner, const struct db_prefix *p, char why[256])
{
	struct salvage *v = owner;
	struct row *row = present_row(v->s, p->user, p->slot);
	int rc = 0;

	if (!row) {
		struct db_lease l = {.user = p->user, .slot = p->slot, .pool = ""};

		rc = add_lease(v, &l, FROM_PREFIX, why);
	} else if (row->salvaged == SUPERSEDED || has_prefix(row, p)) {
		return 0;
	}
	return rc ? rc : table_add_prefix(v->s, p, why);
}

/* A lease without anything left is none, and there are no gaps between prefixes. */
static void close_gaps(struct lease_store *s)
{
	uint32_t cursor = 0;
	struct row *row;

	while ((row = hash_next(&s->rows, &cursor))) {
		unsigned position = 0;

		for (unsigned i = 0; i < row->now.span_count; i++, position++) {
			if (i && row->now.spans[i]->part != row->now.spans[i - 1]->part)
				position = 0;
			row->now.spans[i]->position = (uint8_t)position;
		}
		if (row->now.present && !row->now.span_count) {
			free(row->now.duid);
			row->now = (struct state){0};
			s->count--;
		}
	}
}

static size_t salvage_from(struct salvage *v, const char *path, enum salvaged source)
{
	size_t before = v->s->count;
	char why[256] = "";

	v->source = source;
	if (file_has_content(path) && db_salvage(path, salvage_lease, salvage_prefix, bad_row, v, why))
		log_message(
			v->s->log, LEVEL_ERROR, "leases-damaged", "not all of %s can be read: %s", path, why);
	return v->s->count - before;
}

/* WHY: says what is wrong with it, and what went wrong here. */
static int recover(struct lease_store *s, const char *path, char why[256])
{
	struct salvage v = {.s = s};
	char backup[FILE_NAME];
	size_t read, added;
	int rc;

	log_message(s->log, LEVEL_ERROR, "leases-damaged",
		"%s; it is put together again from what can be read and from its backup", why);
	table_clear(s);
	read = salvage_from(&v, path, FROM_FILE);
	added = salvage_from(&v, file_name(backup, path, ".backup"), FROM_BACKUP);
	close_gaps(s);
	rc = table_finish(s, why);
	if (rc)
		return rc;
	log_message(s->log, LEVEL_ERROR, "leases-recovered",
		"%zu leases: %zu from the damaged file, %zu more from the backup; %u things in the file made "
		"no sense%s",
		s->count, read, added, v.lost,
		s->count ? ""
			 : "; nobody is known any more, and most users will get the addresses that they had");
	return 0;
}

/* Emptied, or gone although there is a backup of it: what we would make there would look like a first start. */
static bool is_lost(const char *path)
{
	char backup[FILE_NAME];

	return !file_has_content(path) && file_has_content(file_name(backup, path, ".backup"));
}

/* Another daemon is at work on it. */
static bool is_taken(const char *path, char why[256])
{
	if (!db_is_in_use(path))
		return false;
	snprintf(why, 256, "%.180s: another process is using it", path);
	return true;
}

static int load(struct lease_store *s, struct db *db, const char *path, char why[256])
{
	char problem[256] = "";
	int rc = db_is_sound(db, problem) ? table_load(s, db, problem) : -EIO;

	if (rc)
		snprintf(why, 256, "%.100s: %.150s", path, problem);
	return rc;
}

int recover_open(struct lease_store *s, const char *path, struct db **ret_db, char why[256])
{
	bool is_file = strcmp(path, ":memory:") != 0;
	enum db_trouble trouble = DB_DAMAGED;
	struct db *db;
	int rc;

	*ret_db = NULL;
	if (is_file && (is_taken(path, why) || file_finish(path, why)))
		return -EIO;
	if (is_file && is_lost(path)) {
		snprintf(why, 256, "%.180s is missing or empty, though there is a backup of it", path);
		return recover(s, path, why);
	}
	db = db_open(path, &trouble, why);
	rc = db ? load(s, db, path, why) : -EIO;
	if (!rc) {
		*ret_db = db;
		return 0;
	}
	if (db)
		db_abandon(db);
	if (!is_file || rc == -ENOMEM || (!db && trouble != DB_DAMAGED) || is_taken(path, why))
		return rc;
	return recover(s, path, why);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files for others' tools (RFC 6396), in one directory: updates.DATE.TIME.mrt, messages and states as they come, another file now and then; and
 * rib.DATE.TIME.mrt, all tables at a time. How they are written: mrt_file.h.
 *
 * BGP does not wait for the disk, and nothing is sent or received differently because of it: where the disk is full or slow, messages are missing in the files, and
 * the log says so when it begins and how many when it is over. A dump goes no faster than the disk, a slice at a time, while the tables go on changing.
 */
#include "bgp/mrt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "afbr/mrt_file.h"
#include "afbr/parts.h"

enum {
	FLUSH_MS = 1000,
	RETRY_MS = 1000,
	AROUND = MRT_MESSAGE - BGP_EXTENDED_MAX, /* of a record, what is not the message */
	STATES = 4,
	DUMP_GATHER = 1 << 18,
	LINES_BURST = 10,
	WHY = 128
};

struct mrt_files {
	struct afbr *role; /* not to be used when we are FREED */
	int directory;     /* -1: not open (yet) */
	bool opening, freed;
	uint32_t keep;
	bool wanted; /* updates */
	struct mrt_file updates, rib;
	struct wheel_timer flush, rotate, dump_at;
	/* updates, since the disk failed or was too slow */
	bool troubled;
	uint64_t lost_told;
	struct limit lines;
	/* tables: a dump is under way */
	struct mrt_dump *dump;
	char why[WHY]; /* it has failed */
	void (*done)(void *owner, const char *path, const char *why);
	void *owner;
};

static const struct afbr_mrt *config_of(const struct mrt_files *m)
{
	return &m->role->config->mrt;
}

static void arm(struct mrt_files *m, struct wheel_timer *t, uint32_t ms)
{
	wheel_arm(&m->role->loop->wheel, t, loop_now(m->role->loop) + ms);
}

static void open_directory(struct mrt_files *m);

static void go(struct mrt_files *m, struct mrt_file *f)
{
	if (m->directory >= 0)
		mrt_file_go(f, m->directory, m->keep);
	else
		open_directory(m);
}

/* ---- trouble with the disk ---- */

/* Once until it is over. WHAT is a clause. */
static void tell_trouble(struct mrt_files *m, const char *what)
{
	if (m->troubled)
		return;
	m->troubled = true;
	if (limit_ok(&m->lines, loop_now(m->role->loop), 1, LINES_BURST))
		log_message(m->role->log, LEVEL_WARN, "mrt",
			"%s/%s: %s: messages wait in memory, and those that do not fit there will be missing",
			m->role->config->directory, *m->updates.job.name ? m->updates.job.name : "updates",
			what);
}

static void tell_trouble_is_over(struct mrt_files *m)
{
	unsigned long long lost = m->updates.lost - m->lost_told;

	if (!m->troubled)
		return;
	m->troubled = false;
	m->lost_told = m->updates.lost;
	if (limit_ok(&m->lines, loop_now(m->role->loop), 1, LINES_BURST))
		log_message(m->role->log, lost ? LEVEL_WARN : LEVEL_INFO, "mrt",
			"messages are written again, into %s/%s: %llu %s missing", m->role->config->directory,
			m->updates.job.name, lost, lost == 1 ? "is" : "are");
}

static void count(struct mrt_files *m)
{
	m->role->counters.mrt_written = m->updates.written;
	m->role->counters.mrt_lost = m->updates.lost;
}

/* If F could not be made because somebody has removed the directory, that is made again for the next one. */
static void look_for_directory(struct mrt_files *m, const struct mrt_file *f)
{
	if (f->job.error != -ENOENT || m->updates.busy || m->updates.job.fd >= 0 || m->rib.busy ||
		m->rib.job.fd >= 0)
		return;
	close(m->directory);
	m->directory = -1;
}

/* ---- messages and states ---- */

static void updates_answered(struct mrt_files *m)
{
	struct mrt_file *f = &m->updates;

	count(m);
	if (f->job.error) {
		tell_trouble(m, strerror(-f->job.error));
		look_for_directory(m, f);
		arm(m, &m->flush, RETRY_MS);
		return;
	}
	tell_trouble_is_over(m);
	if (f->len >= MRT_FLUSH || f->end != MRT_GOES_ON || (m->wanted && f->job.fd < 0))
		go(m, f);
	else if (f->len && !wheel_armed(&m->flush))
		arm(m, &m->flush, FLUSH_MS);
}

static void flush(struct wheel_timer *t, msec now)
{
	struct mrt_files *m = container_of(t, struct mrt_files, flush);

	if (m->wanted || !mrt_file_is_idle(&m->updates))
		go(m, &m->updates);
}

static void rotate(struct wheel_timer *t, msec now)
{
	struct mrt_files *m = container_of(t, struct mrt_files, rotate);

	m->updates.end = MRT_ENDS;
	go(m, &m->updates);
	arm(m, t, config_of(m)->rotate);
}

/* NULL: it is not wanted, or lost. */
static uint8_t *begin_record(struct mrt_files *m, size_t len)
{
	uint8_t *at = m && m->wanted ? mrt_file_room(&m->updates, len) : NULL;

	if (m && m->wanted && !at) {
		tell_trouble(m, "the disk is too slow, and memory for them is full");
		count(m);
	}
	return at;
}

static void end_record(struct mrt_files *m, const struct writer *w)
{
	if (!writer_ok(w))
		return;
	mrt_file_add(&m->updates, writer_len(w));
	if (m->updates.len >= MRT_FLUSH && !m->troubled && m->directory >= 0)
		go(m, &m->updates);
	else if (!wheel_armed(&m->flush))
		arm(m, &m->flush, FLUSH_MS);
}

void mrt_message(struct bgp *b, const struct bgp_connection *c, bool sent, const uint8_t *message, size_t len)
{
	struct mrt_files *m = afbr_of(b)->mrt;
	size_t size = AROUND + len;
	uint8_t *at = begin_record(m, size);
	struct mrt_session s;
	struct writer w;

	if (!at)
		return;
	w = writer_of(at, size);
	mrt_session_of(c, &s);
	mrt_message_write(&w, (uint32_t)time(NULL), &s, sent, message, len);
	end_record(m, &w);
}

void mrt_state(struct afbr *a, const struct bgp_event *e)
{
	uint8_t *at = begin_record(a->mrt, AROUND + STATES);
	struct mrt_session s;
	struct writer w;

	if (!at)
		return;
	w = writer_of(at, AROUND + STATES);
	mrt_session_of_neighbor(e->neighbor, &s);
	mrt_state_write(&w, (uint32_t)time(NULL), &s, e->from, e->to);
	end_record(a->mrt, &w);
}

/* ---- tables ---- */

static void dump_failed(struct mrt_files *m, const char *why)
{
	if (!*m->why)
		snprintf(m->why, sizeof(m->why), "%s", why);
}

static void dump_end(struct mrt_files *m)
{
	void (*done)(void *, const char *, const char *) = m->done;
	unsigned long long left_out = m->dump->left_out;
	char path[sizeof(m->role->config->directory) + MRT_NAME], why[WHY];

	snprintf(path, sizeof(path), "%s/%s", m->role->config->directory, m->rib.job.name);
	snprintf(why, sizeof(why), "%s", m->why);
	free(m->dump);
	m->dump = NULL;
	m->done = NULL;
	if (*why)
		log_message(m->role->log, LEVEL_ERROR, "mrt", "no dump of the tables in %s: %s",
			m->role->config->directory, why);
	else if (left_out)
		log_message(m->role->log, LEVEL_WARN, "mrt",
			"the tables are in %s, without %llu paths whose attributes are too long", path,
			left_out);
	else
		log_message(m->role->log, LEVEL_INFO, "mrt", "the tables are in %s", path);
	if (done)
		done(m->owner, *why ? NULL : path, *why ? why : NULL);
}

/* A slice of records, and then the disk's turn. */
static void dump_some(struct mrt_files *m)
{
	struct mrt_file *f = &m->rib;
	uint64_t begun = uv_hrtime();

	while (!m->dump->done && f->len < DUMP_GATHER && (uv_hrtime() - begun) / 1000 < AFBR_SLICE_US) {
		uint8_t *at = mrt_file_room(f, MRT_RECORD);

		if (!at) {
			dump_failed(m, strerror(ENOMEM));
			break;
		}
		mrt_file_add(f, mrt_dump_next(m->dump, at, MRT_RECORD));
	}
	f->end = *m->why ? MRT_VANISHES : m->dump->done ? MRT_ENDS : MRT_GOES_ON;
	go(m, f);
}

static void rib_answered(struct mrt_files *m)
{
	struct mrt_file *f = &m->rib;

	if (f->job.error)
		dump_failed(m, strerror(-f->job.error));
	if (f->job.end != MRT_GOES_ON) {
		look_for_directory(m, f);
		dump_end(m);
	} else if (*m->why) {
		mrt_file_drop(f);
		f->end = MRT_VANISHES;
		go(m, f);
	} else {
		dump_some(m);
	}
}

static void dump_go(struct mrt_files *m)
{
	mrt_dump_begin(m->dump, m->role->bgp, (uint32_t)time(NULL), loop_clock());
	dump_some(m);
}

/* Not while one is under way. */
static void dump_begin(struct mrt_files *m)
{
	m->dump = calloc(1, sizeof(*m->dump));
	*m->why = '\0';
	if (!m->dump) {
		log_message(m->role->log, LEVEL_ERROR, "mrt", "no dump of the tables: out of memory");
		if (m->done)
			m->done(m->owner, NULL, strerror(ENOMEM));
		m->done = NULL;
	} else if (m->directory >= 0) {
		dump_go(m);
	} else {
		open_directory(m);
	}
}

static void dump_again(struct wheel_timer *t, msec now)
{
	struct mrt_files *m = container_of(t, struct mrt_files, dump_at);

	arm(m, t, config_of(m)->table_interval);
	if (!m->dump)
		dump_begin(m);
}

void afbr_dump(struct afbr *a, void (*done)(void *owner, const char *path, const char *why), void *owner)
{
	struct mrt_files *m = a->mrt;

	if (!a->running || m->dump) {
		done(owner, NULL, a->running ? "a dump is under way already" : "the mesh is not up yet");
		return;
	}
	m->done = done;
	m->owner = owner;
	dump_begin(m);
}

/* ---- the directory ---- */

static void opened(void *owner, int result, int fd)
{
	struct mrt_files *m = owner;

	m->opening = false;
	if (!result) {
		m->directory = fd;
		if (m->wanted)
			go(m, &m->updates);
		if (m->dump)
			dump_go(m);
		return;
	}
	if (m->wanted) {
		tell_trouble(m, strerror(-result));
		arm(m, &m->flush, RETRY_MS);
	}
	if (m->dump) {
		dump_failed(m, strerror(-result));
		dump_end(m);
	}
}

/* The one above it may be missing, too. */
static void parent_opened(void *owner, int result, int fd)
{
	struct mrt_files *m = owner;

	if (fd >= 0)
		close(fd);
	keeper_open_directory(m->role->keeper, m->role->config->directory, opened, m);
}

static void open_directory(struct mrt_files *m)
{
	char parent[sizeof(m->role->config->directory)];
	char *slash;

	if (m->opening)
		return;
	m->opening = true;
	snprintf(parent, sizeof(parent), "%s", m->role->config->directory);
	slash = strrchr(parent, '/');
	if (slash && slash != parent)
		*slash = '\0';
	keeper_open_directory(m->role->keeper, parent, parent_opened, m);
}

/* ---- life ---- */

static void set_timer(struct mrt_files *m, struct wheel_timer *t, uint32_t ms)
{
	if (ms)
		arm(m, t, ms);
	else
		wheel_disarm(&m->role->loop->wheel, t);
}

/* From what was wanted to what is. */
static void configure(struct mrt_files *m, const struct afbr_mrt *old)
{
	const struct afbr_mrt *now = config_of(m);

	m->keep = now->keep;
	m->wanted = now->updates;
	if (old->table_interval != now->table_interval)
		set_timer(m, &m->dump_at, now->table_interval);
	if (old->updates != now->updates || old->rotate != now->rotate)
		set_timer(m, &m->rotate, now->updates ? now->rotate : 0);
	if (old->updates == now->updates)
		return;
	if (!now->updates)
		m->updates.end = MRT_ENDS;
	go(m, &m->updates);
}

static void files_free(struct mrt_files *m)
{
	if (m->directory >= 0)
		close(m->directory);
	free(m);
}

/* What is under way ends; what is gathered is written, as far as it can be. */
static void leave(struct mrt_files *m)
{
	if (m->directory < 0)
		mrt_file_drop(&m->updates);
	if (!m->updates.busy && !mrt_file_is_idle(&m->updates)) {
		m->updates.end = MRT_ENDS;
		mrt_file_go(&m->updates, m->directory, m->keep);
	}
	if (!m->rib.busy && !mrt_file_is_idle(&m->rib)) {
		mrt_file_drop(&m->rib);
		m->rib.end = MRT_VANISHES;
		mrt_file_go(&m->rib, m->directory, m->keep);
	}
	if (mrt_file_is_idle(&m->updates) && mrt_file_is_idle(&m->rib))
		files_free(m);
}

static void answered_updates(struct mrt_file *f)
{
	struct mrt_files *m = container_of(f, struct mrt_files, updates);

	if (m->freed)
		leave(m);
	else
		updates_answered(m);
}

static void answered_rib(struct mrt_file *f)
{
	struct mrt_files *m = container_of(f, struct mrt_files, rib);

	if (m->freed)
		leave(m);
	else
		rib_answered(m);
}

int mrt_start(struct afbr *a)
{
	static const struct afbr_mrt nothing;
	struct mrt_files *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->role = a;
	m->directory = -1;
	m->flush.fire = flush;
	m->rotate.fire = rotate;
	m->dump_at.fire = dump_again;
	mrt_file_init(&m->updates, a->loop, "updates", false, answered_updates);
	mrt_file_init(&m->rib, a->loop, "rib", true, answered_rib);
	a->mrt = m;
	configure(m, &nothing);
	return 0;
}

void mrt_change(struct afbr *a, const struct afbr_config *old)
{
	configure(a->mrt, &old->mrt);
}

void mrt_free(struct afbr *a)
{
	struct mrt_files *m = a->mrt;

	if (!m)
		return;
	a->mrt = NULL;
	keeper_forget(a->keeper, m);
	wheel_disarm(&a->loop->wheel, &m->flush);
	wheel_disarm(&a->loop->wheel, &m->rotate);
	wheel_disarm(&a->loop->wheel, &m->dump_at);
	if (m->dump) {
		dump_failed(m, "the daemon ends");
		dump_end(m);
	}
	if (m->updates.lost > m->lost_told)
		log_message(a->log, LEVEL_WARN, "mrt", "%llu messages are missing in the files of %s",
			(unsigned long long)(m->updates.lost - m->lost_told), a->config->directory);
	m->freed = true;
	leave(m);
}

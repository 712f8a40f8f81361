/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files for others' tools (RFC 6396), in one directory: updates.DATE.TIME.mrt, messages and states as they come, another one now and then; and
 * rib.DATE.TIME.mrt, all tables at a time, which has its name when it is whole. Times are UTC, so that names stand in their order; the oldest go.
 *
 * The disk is never waited for: libuv's threads write, while the next records gather. Where a disk is too slow for what comes, records are left out, and the
 * log says how many. A dump goes no faster than the disk, a slice at a time, while the tables go on changing.
 */
#include "bgp/mrt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "afbr/parts.h"

enum { NAME = 64, GATHER = 1 << 18, GATHER_MAX = 8 << 20, FLUSH_MS = 200, NAMES_MAX = 4096 };

struct mrt_file {
	struct mrt_files *all;
	int fd; /* -1: not open */
	char name[NAME];
	uint8_t *bytes; /* gathered */
	size_t len, size;
	uint8_t *writing; /* handed to libuv */
	size_t writing_len;
	uv_fs_t request;
	uint64_t lost; /* records */
	int error;     /* of a write */
};

struct mrt_files {
	struct afbr *role;
	int directory; /* -1: not open (yet) */
	bool opening, freed;
	struct mrt_file updates, rib;
	struct wheel_timer flush, rotate, dump_at;
	struct mrt_dump *dump; /* under way */
	bool dump_wanted;
	void (*done)(void *owner, const char *path, const char *why);
	void *owner;
};

static const struct afbr_mrt *wanted(const struct mrt_files *m)
{
	return &m->role->config->mrt;
}

/* ---- one file ---- */

static void file_written(uv_fs_t *request);

/* Unless libuv is still busy with what came before. */
static void file_flush(struct mrt_file *f)
{
	uv_buf_t buf;

	if (f->writing || !f->len || f->fd < 0)
		return;
	f->writing = f->bytes;
	f->writing_len = f->len;
	f->bytes = NULL;
	f->len = f->size = 0;
	buf = uv_buf_init((char *)f->writing, (unsigned)f->writing_len);
	f->request.data = f;
	if (!uv_fs_write(&f->all->role->loop->uv, &f->request, f->fd, &buf, 1, -1, file_written))
		return;
	free(f->writing);
	f->writing = NULL;
	f->error = -EIO;
}

/* Room for LEN more, or NULL: it is lost. */
static uint8_t *file_room(struct mrt_file *f, size_t len)
{
	size_t size = f->size ? f->size : GATHER;
	uint8_t *grown;

	while (size < f->len + len)
		size *= 2;
	grown = size == f->size ? f->bytes : size > GATHER_MAX ? NULL : realloc(f->bytes, size);
	if (!grown) {
		f->lost++;
		return NULL;
	}
	f->bytes = grown;
	f->size = size;
	return f->bytes + f->len;
}

static void name_now(char name[NAME], const char *kind)
{
	time_t now = time(NULL);
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	snprintf(name, NAME, "%s.%04d%02d%02d.%02d%02d%02d.mrt", kind, (tm.tm_year + 1900) % 10000,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* TAIL: behind the name until it is whole; "". */
static int file_open(struct mrt_file *f, const char *kind, const char *tail)
{
	char name[NAME + 8];

	name_now(f->name, kind);
	snprintf(name, sizeof(name), "%s%s", f->name, tail);
	f->error = 0;
	f->fd = openat(f->all->directory, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	return f->fd < 0 ? -errno : 0;
}

/* What was gathered goes out now; libuv must be done with it. */
static void file_close(struct mrt_file *f)
{
	size_t at = 0;

	while (f->fd >= 0 && at < f->len) {
		ssize_t n = write(f->fd, f->bytes + at, f->len - at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	free(f->bytes);
	f->bytes = NULL;
	f->len = f->size = 0;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* ---- the oldest go ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void remove_oldest(const struct mrt_files *m, const char *kind)
{
	char *names[NAMES_MAX];
	unsigned count = 0, keep = wanted(m)->keep;
	int fd = openat(m->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d && fd >= 0)
		close(fd);
	while (d && count < NAMES_MAX && (e = readdir(d))) {
		size_t len = strlen(kind);

		if (strncmp(e->d_name, kind, len) != 0 || e->d_name[len] != '.' || !strstr(e->d_name, ".mrt"))
			continue;
		names[count] = strdup(e->d_name);
		count += names[count] != NULL;
	}
	if (d)
		closedir(d);
	qsort(names, count, sizeof(*names), by_name);
	for (unsigned i = 0; i < count; i++) {
		if (keep && i + keep < count)
			(void)unlinkat(m->directory, names[i], 0);
		free(names[i]);
	}
}

/* ---- tables ---- */

static void tell_done(struct mrt_files *m, const char *path, const char *why)
{
	void (*done)(void *, const char *, const char *) = m->done;

	m->done = NULL;
	if (why)
		log_message(m->role->log, LEVEL_ERROR, "mrt", "no dump of the tables: %s", why);
	else
		log_message(m->role->log, LEVEL_INFO, "mrt", "the tables are in %s", path);
	if (done)
		done(m->owner, path, why);
}

static void dump_end(struct mrt_files *m, const char *why)
{
	struct mrt_file *f = &m->rib;
	char part[NAME + 8], path[4096 + NAME + 2];

	file_close(f);
	free(m->dump);
	m->dump = NULL;
	snprintf(part, sizeof(part), "%s.part", f->name);
	snprintf(path, sizeof(path), "%s/%s", m->role->config->directory, f->name);
	if (!why && renameat(m->directory, part, m->directory, f->name))
		why = strerror(errno);
	if (why)
		(void)unlinkat(m->directory, part, 0);
	remove_oldest(m, "rib");
	tell_done(m, why ? NULL : path, why);
}

/* A slice of records, and then the disk's turn. */
static void dump_some(struct mrt_files *m)
{
	struct mrt_file *f = &m->rib;
	uint64_t begun = uv_hrtime();
	size_t n = 1;

	if (f->error) {
		dump_end(m, strerror(-f->error));
		return;
	}
	while (n && f->len < GATHER && (uv_hrtime() - begun) / 1000 < AFBR_SLICE_US) {
		uint8_t *at = file_room(f, MRT_RECORD);

		n = at ? mrt_dump_next(m->dump, at, MRT_RECORD) : 0;
		f->len += n;
		if (!at) {
			dump_end(m, "out of memory");
			return;
		}
	}
	if (f->len)
		file_flush(f);
	else
		dump_end(m, NULL);
}

static void dump_begin(struct mrt_files *m)
{
	int r = m->directory < 0 ? -ENOENT : 0;

	m->dump_wanted = false;
	if (!r)
		r = file_open(&m->rib, "rib", ".part");
	m->dump = r ? NULL : malloc(sizeof(*m->dump));
	if (!m->dump) {
		if (!r)
			file_close(&m->rib);
		tell_done(m, NULL, strerror(r ? -r : ENOMEM));
		return;
	}
	mrt_dump_begin(m->dump, m->role->bgp, (uint32_t)time(NULL), loop_clock());
	dump_some(m);
}

/* ---- messages ---- */

static void say_lost(struct mrt_files *m)
{
	if (m->updates.lost)
		log_message(m->role->log, LEVEL_WARN, "mrt",
			"%llu messages are missing in %s: the disk is too slow",
			(unsigned long long)m->updates.lost, m->updates.name);
	m->updates.lost = 0;
}

static void updates_stop(struct mrt_files *m)
{
	wheel_disarm(&m->role->loop->wheel, &m->rotate);
	wheel_disarm(&m->role->loop->wheel, &m->flush);
	if (!m->updates.writing)
		file_close(&m->updates);
}

static void updates_open(struct mrt_files *m)
{
	int r = file_open(&m->updates, "updates", "");

	if (r)
		log_message(m->role->log, LEVEL_ERROR, "mrt", "%s/%s: %s", m->role->config->directory,
			m->updates.name, strerror(-r));
	remove_oldest(m, "updates");
	wheel_arm(&m->role->loop->wheel, &m->rotate, loop_now(m->role->loop) + wanted(m)->rotate);
}

static void rotate(struct wheel_timer *t, msec now)
{
	struct mrt_files *m = container_of(t, struct mrt_files, rotate);

	say_lost(m);
	if (m->updates.writing) { /* in a moment */
		wheel_arm(&m->role->loop->wheel, t, now + FLUSH_MS);
		return;
	}
	file_close(&m->updates);
	updates_open(m);
}

static void flush(struct wheel_timer *t, msec now)
{
	struct mrt_files *m = container_of(t, struct mrt_files, flush);

	file_flush(&m->updates);
}

static void gathered(struct mrt_files *m, size_t len)
{
	m->updates.len += len;
	if (m->updates.len >= GATHER)
		file_flush(&m->updates);
	else if (!wheel_armed(&m->flush))
		wheel_arm(&m->role->loop->wheel, &m->flush, loop_now(m->role->loop) + FLUSH_MS);
}

void mrt_message(struct bgp *b, const struct bgp_connection *c, bool sent, const uint8_t *message, size_t len)
{
	struct mrt_files *m = afbr_of(b)->mrt;
	struct mrt_session s;
	struct writer w;
	uint8_t *at;

	if (!m || m->updates.fd < 0)
		return;
	at = file_room(&m->updates, MRT_MESSAGE);
	if (!at)
		return;
	w = writer_of(at, MRT_MESSAGE);
	mrt_session_of(c, &s);
	mrt_message_write(&w, (uint32_t)time(NULL), &s, sent, message, len);
	if (writer_ok(&w))
		gathered(m, writer_len(&w));
}

void mrt_state(struct afbr *a, const struct bgp_event *e)
{
	struct mrt_files *m = a->mrt;
	struct mrt_session s;
	struct writer w;
	uint8_t *at = m && m->updates.fd >= 0 ? file_room(&m->updates, MRT_MESSAGE) : NULL;

	if (!at)
		return;
	w = writer_of(at, MRT_MESSAGE);
	mrt_session_of_neighbor(e->neighbor, &s);
	mrt_state_write(&w, (uint32_t)time(NULL), &s, e->from, e->to);
	if (writer_ok(&w))
		gathered(m, writer_len(&w));
}

/* ---- life ---- */

static void files_free(struct mrt_files *m)
{
	if (m->updates.writing || m->rib.writing)
		return; /* when libuv is done with it */
	file_close(&m->updates);
	file_close(&m->rib);
	if (m->directory >= 0)
		close(m->directory);
	free(m);
}

static void file_written(uv_fs_t *request)
{
	struct mrt_file *f = request->data;
	struct mrt_files *m = f->all;
	ssize_t result = request->result;

	uv_fs_req_cleanup(request);
	if (result < 0 || (size_t)result < f->writing_len)
		f->error = result < 0 ? (int)result : -ENOSPC;
	free(f->writing);
	f->writing = NULL;
	if (m->freed) {
		files_free(m);
	} else if (f == &m->rib) {
		dump_some(m);
	} else if (f->error) {
		log_message(m->role->log, LEVEL_ERROR, "mrt", "%s/%s: %s", m->role->config->directory,
			f->name, strerror(-f->error));
		file_close(f); /* the next one may fare better */
	} else if (!wanted(m)->updates) {
		file_close(f);
	} else if (f->len >= GATHER) {
		file_flush(f);
	}
}

static void opened(void *owner, int result, int fd)
{
	struct mrt_files *m = owner;

	m->opening = false;
	m->directory = fd;
	if (result)
		log_message(m->role->log, LEVEL_ERROR, "mrt", "%s: %s", m->role->config->directory,
			strerror(-result));
	if (!result && wanted(m)->updates)
		updates_open(m);
	if (m->dump_wanted)
		dump_begin(m);
}

/* The one above may be missing, too. */
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

	if (m->opening || m->directory >= 0)
		return;
	m->opening = true;
	snprintf(parent, sizeof(parent), "%s", m->role->config->directory);
	slash = strrchr(parent, '/');
	if (slash && slash != parent)
		*slash = '\0';
	keeper_open_directory(m->role->keeper, parent, parent_opened, m);
}

static void begin_dump(struct mrt_files *m)
{
	m->dump_wanted = true;
	if (m->directory >= 0)
		dump_begin(m);
	else
		open_directory(m);
}

static void dump_again(struct wheel_timer *t, msec now)
{
	struct mrt_files *m = container_of(t, struct mrt_files, dump_at);

	wheel_arm(&m->role->loop->wheel, t, now + wanted(m)->table_interval);
	if (!m->dump && !m->dump_wanted)
		begin_dump(m);
}

static void set_timers(struct mrt_files *m)
{
	struct loop *loop = m->role->loop;

	wheel_arm(&loop->wheel, &m->dump_at,
		wanted(m)->table_interval ? loop_now(loop) + wanted(m)->table_interval : MSEC_NEVER);
	if (wanted(m)->updates)
		open_directory(m);
}

int mrt_start(struct afbr *a)
{
	struct mrt_files *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	*m = (struct mrt_files){.role = a,
		.directory = -1,
		.updates = {.all = m, .fd = -1},
		.rib = {.all = m, .fd = -1},
		.flush.fire = flush,
		.rotate.fire = rotate,
		.dump_at.fire = dump_again};
	a->mrt = m;
	set_timers(m);
	return 0;
}

void mrt_change(struct afbr *a, const struct afbr_config *old)
{
	struct mrt_files *m = a->mrt;

	if (old->mrt.updates == wanted(m)->updates && old->mrt.table_interval == wanted(m)->table_interval &&
		old->mrt.rotate == wanted(m)->rotate)
		return;
	set_timers(m);
	if (!wanted(m)->updates)
		updates_stop(m);
	else if (m->directory >= 0 && m->updates.fd < 0)
		updates_open(m);
}

void afbr_dump(struct afbr *a, void (*done)(void *owner, const char *path, const char *why), void *owner)
{
	struct mrt_files *m = a->mrt;

	if (!a->running || m->dump || m->dump_wanted) {
		done(owner, NULL, a->running ? "a dump is under way already" : "the mesh is not up yet");
		return;
	}
	m->done = done;
	m->owner = owner;
	begin_dump(m);
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
		char part[NAME + 8];

		snprintf(part, sizeof(part), "%s.part", m->rib.name);
		(void)unlinkat(m->directory, part, 0);
		free(m->dump);
		m->dump = NULL;
		m->rib.len = 0;
	}
	if (m->done)
		tell_done(m, NULL, "the daemon ends");
	say_lost(m);
	m->freed = true;
	files_free(m);
}

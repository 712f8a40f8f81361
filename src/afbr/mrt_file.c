/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See mrt_file.h. */
#include "afbr/mrt_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/reader.h"

enum { GATHER = 2 * MRT_FLUSH, HEADER = 12, NAMES = 64, SECONDS = 1000 };

/* Where the last record ends that is whole in the first LEN of BYTES, which begin with one; and how many there are until there. */
static size_t count_records(const uint8_t *bytes, size_t len, uint64_t *ret_count)
{
	struct reader r = reader_of(bytes, len);
	uint64_t count = 0;
	size_t end = 0;

	while (reader_left(&r) >= HEADER) {
		reader_skip(&r, HEADER - 4);
		reader_skip(&r, reader_u32(&r));
		if (!reader_ok(&r))
			break;
		end = len - reader_left(&r);
		count++;
	}
	*ret_count = count;
	return end;
}

/* ---- in the thread: names ---- */

static void print_name(char ret[MRT_NAME], const char *kind, time_t second)
{
	struct tm tm;

	(void)gmtime_r(&second, &tm);
	snprintf(ret, MRT_NAME, "%s.%04d%02d%02d.%02d%02d%02d.mrt", kind, (tm.tm_year + 1900) % 10000,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Is NAME one of ours, of this kind? */
static bool is_of(const char *name, const char *kind, const char *tail)
{
	char pattern[MRT_NAME];
	size_t i = 0;

	snprintf(pattern, sizeof(pattern), "%s.########.######.mrt%s", kind, tail);
	while (name[i] && (pattern[i] == '#' ? name[i] >= '0' && name[i] <= '9' : name[i] == pattern[i]))
		i++;
	return !name[i] && !pattern[i];
}

struct names {
	char (*list)[MRT_NAME];
	size_t count, size;
};

/* NAME is_of(). */
static bool add_name(struct names *n, const char *name)
{
	if (n->count == n->size) {
		size_t size = n->size ? 2 * n->size : NAMES;
		void *grown = realloc(n->list, size * sizeof(*n->list));

		if (!grown)
			return false;
		n->list = grown;
		n->size = size;
	}
	memcpy(n->list[n->count++], name, strlen(name) + 1);
	return true;
}

/* As many as there is memory for. */
static void read_names(int directory, const char *kind, const char *tail, struct names *ret)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	*ret = (struct names){0};
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	do
		e = readdir(d);
	while (e && (!is_of(e->d_name, kind, tail) || add_name(ret, e->d_name)));
	closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The newest stay, and j->name, also where the clock was set back. */
static void remove_oldest(const struct mrt_job *j)
{
	struct names names;
	size_t left;

	read_names(j->directory, j->kind, "", &names);
	left = names.count;
	if (left)
		qsort(names.list, left, sizeof(*names.list), by_name);
	for (size_t i = 0; i < names.count && left > j->keep; i++)
		if (strcmp(names.list[i], j->name) != 0 && !unlinkat(j->directory, names.list[i], 0))
			left--;
	free(names.list);
}

/* What a process has left that was killed. */
static void remove_unfinished(const struct mrt_job *j)
{
	struct names names;

	read_names(j->directory, j->kind, ".tmp", &names);
	for (size_t i = 0; i < names.count; i++)
		(void)unlinkat(j->directory, names.list[i], 0);
	free(names.list);
}

/* ---- in the thread: a file ---- */

static void hidden_name(const struct mrt_job *j, char ret[MRT_NAME + 4])
{
	snprintf(ret, MRT_NAME + 4, "%s%s", j->name, j->hidden ? ".tmp" : "");
}

/* A new file of j->name; -EEXIST: there is one. */
static int make_file(struct mrt_job *j)
{
	char name[MRT_NAME + 4];

	if (j->hidden && !faccessat(j->directory, j->name, F_OK, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	hidden_name(j, name);
	j->fd = openat(
		j->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	return j->fd < 0 ? -errno : 0;
}

static int open_file(struct mrt_job *j)
{
	time_t now = time(NULL);
	int r = -EEXIST;

	if (j->hidden)
		remove_unfinished(j);
	for (unsigned later = 0; later < SECONDS && r == -EEXIST; later++) {
		print_name(j->name, j->kind, now + later);
		r = make_file(j);
	}
	j->size = 0;
	if (!r && !j->hidden)
		remove_oldest(j);
	return r;
}

/* What stands behind the last whole record is cut off; a file that cannot be cut gets nothing more. */
static void cut_file(struct mrt_job *j)
{
	if (!ftruncate(j->fd, j->size))
		return;
	close(j->fd);
	j->fd = -1;
}

static int write_file(struct mrt_job *j)
{
	size_t at = j->done, whole;
	uint64_t count;
	int error = 0;

	while (at < j->len && !error) {
		ssize_t n = write(j->fd, j->bytes + at, j->len - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			error = n ? -errno : -ENOSPC;
	}
	whole = error ? count_records(j->bytes + j->done, at - j->done, &count) : at - j->done;
	j->done += whole;
	j->size += (off_t)whole;
	if (error)
		cut_file(j);
	return error;
}

/* It gets its name, which it keeps when the machine fails. */
static int show_file(const struct mrt_job *j)
{
	char hidden[MRT_NAME + 4];

	hidden_name(j, hidden);
	if (fdatasync(j->fd) || renameat(j->directory, hidden, j->directory, j->name))
		return -errno;
	remove_oldest(j);
	return 0;
}

static void end_file(struct mrt_job *j)
{
	char name[MRT_NAME + 4];

	if (j->hidden && j->end == MRT_ENDS && !j->error)
		j->error = show_file(j);
	if (j->end == MRT_VANISHES || (j->hidden && j->error)) {
		hidden_name(j, name);
		(void)unlinkat(j->directory, name, 0);
	}
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

/* A file that ends at once would be empty: there is no use for one with messages, but tables may be. */
static bool needs_file(const struct mrt_job *j)
{
	return j->end == MRT_GOES_ON || (j->end == MRT_ENDS && (j->hidden || j->done < j->len));
}

static void run(uv_work_t *work)
{
	struct mrt_job *j = &container_of(work, struct mrt_file, work)->job;

	j->error = 0;
	if (j->fd < 0 && needs_file(j))
		j->error = open_file(j);
	if (j->fd >= 0 && j->end != MRT_VANISHES)
		j->error = write_file(j);
	if (j->end != MRT_GOES_ON)
		end_file(j);
}

/* ---- in the loop ---- */

void mrt_file_init(struct mrt_file *f, struct loop *loop, const char *kind, bool hidden,
	void (*answered)(struct mrt_file *f))
{
	*f = (struct mrt_file){.loop = loop,
		.job = {.kind = kind, .hidden = hidden, .directory = -1, .fd = -1},
		.answered = answered};
}

/* The job's bytes are written, or never will be. */
static void settle(struct mrt_file *f)
{
	struct mrt_job *j = &f->job;
	uint64_t written, left;

	if (!j->bytes)
		return;
	(void)count_records(j->bytes, j->done, &written);
	(void)count_records(j->bytes + j->done, j->len - j->done, &left);
	f->written += written;
	f->lost += left;
	free(j->bytes);
	j->bytes = NULL;
	j->len = j->done = 0;
}

static void ran(uv_work_t *work, int status)
{
	struct mrt_file *f = container_of(work, struct mrt_file, work);

	f->busy = false;
	if (f->job.done == f->job.len || f->job.end != MRT_GOES_ON)
		settle(f);
	f->answered(f);
}

void mrt_file_go(struct mrt_file *f, int directory, uint32_t keep)
{
	struct mrt_job *j = &f->job;

	if (f->busy)
		return;
	if (!j->bytes) {
		j->bytes = f->bytes;
		j->len = f->len;
		f->bytes = NULL;
		f->len = f->size = 0;
	}
	j->directory = directory;
	j->keep = keep;
	j->end = f->end;
	f->end = MRT_GOES_ON;
	f->busy = true;
	(void)uv_queue_work(&f->loop->uv, &f->work, run, ran); /* fails without a function only */
}

uint8_t *mrt_file_room(struct mrt_file *f, size_t len)
{
	size_t size = f->size ? f->size : GATHER;
	uint8_t *grown;

	while (size < f->len + len)
		size *= 2;
	grown = size == f->size ? f->bytes : size > MRT_GATHER_MAX ? NULL : realloc(f->bytes, size);
	if (!grown) {
		f->lost++;
		return NULL;
	}
	f->bytes = grown;
	f->size = size;
	return f->bytes + f->len;
}

void mrt_file_add(struct mrt_file *f, size_t len)
{
	f->len += len;
}

bool mrt_file_is_idle(const struct mrt_file *f)
{
	return !f->busy && f->job.fd < 0 && !f->job.bytes && !f->len;
}

void mrt_file_drop(struct mrt_file *f)
{
	uint64_t gathered;

	settle(f);
	(void)count_records(f->bytes, f->len, &gathered);
	f->lost += gathered;
	free(f->bytes);
	f->bytes = NULL;
	f->len = f->size = 0;
}

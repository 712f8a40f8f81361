/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct disk *disk;

/* ---- what is not lasting yet ---- */

/* A write or a truncation: what was there, and what came. */
struct change {
	struct change *older, *newer;
	ino_t inode;
	int fd; /* our own */
	off_t size_before, size_after, at;
	size_t had, len;
	uint8_t *before, *after;
};

/* A name that was changed: TO had another file, or there was none of it. */
struct naming {
	struct naming *older;
	char from[200], to[200], kept[200]; /* "": none */
	unsigned order;
};

static struct change *newest;
static struct naming *newest_name;
static unsigned names;

static uint32_t draw(void)
{
	disk->seed = disk->seed * 1103515245U + 12345U;
	return disk->seed >> 16;
}

static bool is_ours(int fd)
{
	char link[40], path[300] = "";

	if (!disk)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, path, sizeof(path) - 1) > 0 &&
	       !strncmp(path, disk->folder, strlen(disk->folder));
}

static bool is_our_path(const char *path)
{
	return disk && !strncmp(path, disk->folder, strlen(disk->folder));
}

static int reopen(int fd)
{
	char link[40];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return (int)syscall(SYS_openat, AT_FDCWD, link, O_RDWR | O_CLOEXEC, 0);
}

static void note_change(int fd, off_t at, const void *data, size_t len, bool cut)
{
	struct change *c = calloc(1, sizeof(*c));
	struct stat st;

	fstat(fd, &st);
	c->inode = st.st_ino;
	c->fd = reopen(fd);
	c->at = at;
	c->len = len;
	c->size_before = st.st_size;
	c->size_after = cut || at + (off_t)len > st.st_size ? at + (off_t)len : st.st_size;
	c->had = cut && at < st.st_size ? (size_t)(st.st_size - at) : len;
	c->before = calloc(1, c->had + 1);
	c->after = calloc(1, len + 1);
	if (pread(c->fd, c->before, c->had, at) < 0)
		c->had = 0;
	if (len)
		memcpy(c->after, data, len);
	c->older = newest;
	if (newest)
		newest->newer = c;
	newest = c;
}

static void forget_change(struct change *c)
{
	if (c->older)
		c->older->newer = c->newer;
	*(c->newer ? &c->newer->older : &newest) = c->older;
	close(c->fd);
	free(c->before);
	free(c->after);
	free(c);
}

static void made_lasting(int fd)
{
	struct change *older;
	struct stat st;

	fstat(fd, &st);
	if (S_ISDIR(st.st_mode)) {
		newest_name = NULL;
		return;
	}
	for (struct change *c = newest; c; c = older) {
		older = c->older;
		if (c->inode == st.st_ino)
			forget_change(c);
	}
}

static void note_name(const char *from, const char *to)
{
	struct naming *n = calloc(1, sizeof(*n));

	snprintf(n->from, sizeof(n->from), "%s", from);
	snprintf(n->to, sizeof(n->to), "%s", to);
	n->order = names++;
	snprintf(n->kept, sizeof(n->kept), "%s/undo/%u", disk->folder, n->order);
	if (link(to, n->kept))
		n->kept[0] = '\0';
	n->older = newest_name;
	newest_name = n;
}

/* ---- the power is cut ---- */

static void write_back(const struct change *c, const uint8_t *data, size_t len, off_t size)
{
	(void)!syscall(SYS_pwrite64, c->fd, data, len, c->at);
	(void)!syscall(SYS_ftruncate, c->fd, size);
}

/* All is undone, then what had come to the disk by chance is done again. */
static void lose_changes(void)
{
	struct change *c = newest, *oldest = NULL;

	for (; c; oldest = c, c = c->older)
		write_back(c, c->before, c->had, c->size_before);
	for (c = oldest; c; c = c->newer)
		if (draw() % 2)
			write_back(c, c->after, draw() % 4 ? c->len : c->len / 2, c->size_after);
}

static void lose_names(void)
{
	unsigned count = 0, lost;

	for (struct naming *n = newest_name; n; n = n->older)
		count++;
	lost = count ? draw() % (count + 1) : 0;
	for (struct naming *n = newest_name; n && lost; n = n->older, lost--) {
		if (n->from[0])
			(void)!syscall(SYS_rename, n->to, n->from);
		else
			(void)!syscall(SYS_unlink, n->to);
		if (n->kept[0])
			(void)!syscall(SYS_rename, n->kept, n->to);
	}
}

/* ---- the calls ---- */

/* Counts one. Whether it shall fail, and errno. */
static bool fails(bool lasting)
{
	unsigned call = disk->calls++;

	if (call < sizeof(disk->syncs))
		disk->syncs[call] = lasting;
	if (disk->fault == DISK_FINE || call < disk->at || call - disk->at >= disk->count)
		return false;
	if (disk->fault == DISK_POWER_CUT) {
		lose_changes();
		lose_names();
		_exit(0);
	}
	errno = disk->fault == DISK_IO_ERROR ? EIO : ENOSPC;
	return true;
}

static ssize_t write_at(int fd, const void *data, size_t len, off_t at)
{
	if (fails(false)) {
		if (disk->fault != DISK_SHORT_WRITE || len < 2)
			return -1;
		len /= 2;
	}
	note_change(fd, at, data, len, false);
	return syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, __off64_t at)
{
	return is_ours(fd) ? write_at(fd, data, len, at) : syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t write(int fd, const void *data, size_t len)
{
	off_t at = is_ours(fd) ? lseek(fd, 0, SEEK_CUR) : -1;
	ssize_t n;

	if (at < 0)
		return syscall(SYS_write, fd, data, len);
	n = write_at(fd, data, len, at);
	if (n > 0)
		lseek(fd, at + n, SEEK_SET);
	return n;
}

int ftruncate64(int fd, __off64_t size)
{
	if (is_ours(fd)) {
		if (fails(false))
			return -1;
		note_change(fd, size, NULL, 0, true);
	}
	return (int)syscall(SYS_ftruncate, fd, size);
}

static int sync_fd(int fd, long call)
{
	if (is_ours(fd)) {
		if (fails(true))
			return -1;
		made_lasting(fd);
	}
	return (int)syscall(call, fd);
}

int fsync(int fd)
{
	return sync_fd(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_fd(fd, SYS_fdatasync);
}

int rename(const char *from, const char *to)
{
	if (is_our_path(to)) {
		if (fails(true))
			return -1;
		if (!access(from, F_OK))
			note_name(from, to);
	}
	return (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
	if (is_our_path(path) && !access(path, F_OK)) {
		if (fails(true))
			return -1;
		note_name("", path);
	}
	return (int)syscall(SYS_unlink, path);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (is_our_path(path) && flags & O_CREAT && access(path, F_OK)) {
		if (fails(true))
			return -1;
		note_name("", path);
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

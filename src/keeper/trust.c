/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path is walked name by name, as the kernel does, and everything on the way looked at. Once nobody but root can change what the path leads to,
 * the time between looking and running does not matter.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/trust.h"

enum { LINKS_MAX = 20 };

static const char not_trusted[] = "a directory or link on its path can be changed by others than root";

struct walk {
	int at; /* the directory that was reached */
	unsigned links;
	char left[PATH_MAX]; /* of the path */
	bool arrived;
	int error;
};

static bool is_roots(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static bool others_may_write(const struct stat *st)
{
	return st->st_mode & (S_IWGRP | S_IWOTH);
}

static const char *fail(struct walk *w, int error, const char *why)
{
	w->error = error;
	return why;
}

static const char *look_at_program(struct walk *w, const struct stat *st)
{
	w->arrived = true;
	if (!S_ISREG(st->st_mode))
		return fail(w, -EINVAL, "not a regular file");
	if (!is_roots(st))
		return fail(w, -EACCES, "belongs to somebody else than root");
	if (others_may_write(st))
		return fail(w, -EACCES, "can be changed by others than root");
	return st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) ? NULL : fail(w, -ENOEXEC, "not executable");
}

/* In a sticky directory (/tmp) others can make files, but not replace root's. */
static const char *look_at_directory(struct walk *w, const struct stat *st)
{
	if (!is_roots(st) || (others_may_write(st) && !(st->st_mode & S_ISVTX)))
		return fail(w, -EACCES, not_trusted);
	return NULL;
}

static void go_to(struct walk *w, int directory)
{
	close(w->at);
	w->at = directory;
}

static const char *follow_link(struct walk *w, int link, const struct stat *st)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t len = readlinkat(link, "", target, sizeof(target));
	int root;

	if (!is_roots(st))
		return fail(w, -EACCES, not_trusted);
	if (++w->links > LINKS_MAX)
		return fail(w, -ELOOP, "too many symbolic links on its path");
	if (len <= 0 || (size_t)len + strlen(w->left) + 2 > sizeof(joined))
		return fail(w, -ENAMETOOLONG, "path too long");
	snprintf(joined, sizeof(joined), "%.*s/%s", (int)len, target, w->left);
	memcpy(w->left, joined, sizeof(joined));
	if (target[0] != '/')
		return NULL;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail(w, -errno, "cannot be found");
	go_to(w, root);
	return NULL;
}

/* Cuts the first name off what is left; "" at the end. */
static void next_name(struct walk *w, char name[NAME_MAX + 1])
{
	const char *start = w->left + strspn(w->left, "/");
	size_t len = strcspn(start, "/");

	if (len > NAME_MAX)
		len = NAME_MAX; /* and will not be found */
	memcpy(name, start, len);
	name[len] = '\0';
	memmove(w->left, start + len, strlen(start + len) + 1);
}

static const char *step(struct walk *w, const char *name)
{
	int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const char *why;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		w->error = -errno;
		if (fd >= 0)
			close(fd);
		return "not there";
	}
	if (S_ISDIR(st.st_mode)) {
		go_to(w, fd);
		return look_at_directory(w, &st);
	}
	if (S_ISLNK(st.st_mode))
		why = follow_link(w, fd, &st);
	else
		why = w->left[strspn(w->left, "/")] ? fail(w, -ENOTDIR, "not there")
						    : look_at_program(w, &st);
	close(fd);
	return why;
}

const char *trust_program(const char *path, int *ret_error)
{
	struct walk w = {.at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	char name[NAME_MAX + 1] = ".";
	const char *why = NULL;

	snprintf(w.left, sizeof(w.left), "%s", path);
	while (!why && !w.arrived && *name) {
		why = step(&w, name); /* the first one is the root directory itself */
		if (!why && !w.arrived)
			next_name(&w, name);
	}
	if (!why && !w.arrived)
		why = fail(&w, -EISDIR, "not a regular file");
	if (w.at >= 0)
		close(w.at);
	if (why)
		*ret_error = w.error;
	return why;
}

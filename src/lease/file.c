/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Renames in the right order, each on the disk before the next one matters. */
#include "lease/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *file_name(char ret[FILE_NAME], const char *path, const char *suffix)
{
	snprintf(ret, FILE_NAME, "%.4095s%s", path, suffix);
	return ret;
}

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

bool file_has_content(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_size > 0;
}

static int sync_fd(int fd)
{
	int rc = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

int file_sync(const char *path)
{
	return sync_fd(open(path, O_RDONLY | O_CLOEXEC));
}

static const char *directory_of(char ret[FILE_NAME], const char *path)
{
	char *slash;

	file_name(ret, path, "");
	slash = strrchr(ret, '/');
	if (!slash)
		return file_name(ret, ".", "");
	slash[slash == ret] = '\0';
	return ret;
}

int file_sync_directory(const char *path)
{
	char directory[FILE_NAME];

	return sync_fd(open(directory_of(directory, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int failed(const char *doing, const char *path, int err, char why[256])
{
	snprintf(why, 256, "cannot %s %.180s: %s", doing, path, strerror(err));
	return -err;
}

/* ---- what was replaced ---- */

static const char damaged[] = ".damaged-";

static bool is_log(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, "-wal");
}

/* The one of PATH's that was kept first: dates sort. False: there are no more than may be. */
static bool oldest_damaged(const char *path, char ret[FILE_NAME])
{
	char directory[FILE_NAME], stem[FILE_NAME];
	const char *base = strrchr(path, '/');
	DIR *dir = opendir(directory_of(directory, path));
	const struct dirent *entry;
	char oldest[sizeof(entry->d_name)] = "";
	unsigned count = 0;

	file_name(stem, base ? base + 1 : path, damaged);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, stem, strlen(stem)) != 0 || is_log(entry->d_name))
			continue;
		count++;
		if (!oldest[0] || strcmp(entry->d_name, oldest) < 0)
			memcpy(oldest, entry->d_name, sizeof(oldest));
	}
	if (dir)
		closedir(dir);
	snprintf(ret, FILE_NAME, "%.*s%s", (int)(base ? base + 1 - path : 0), path, oldest);
	return count > FILE_DAMAGED_MAX;
}

static void forget_oldest(const char *path)
{
	char name[FILE_NAME], log[FILE_NAME];

	while (oldest_damaged(path, name)) {
		(void)unlink(file_name(log, name, "-wal"));
		if (unlink(name))
			return;
	}
}

static void damaged_name(const char *path, char ret[FILE_NAME])
{
	time_t now = time(NULL);
	char date[48] = "", suffix[80];
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned n = 0; n < 1000; n++) {
		snprintf(suffix, sizeof(suffix), "%s%s-%03u", damaged, date, n);
		if (!exists(file_name(ret, path, suffix)))
			return;
	}
}

/* ---- taking the place ---- */

/* Made a moment ago, by us: who owns the directory may have put something else in its place since, a link to somebody's secrets for one. */
static bool is_our_own(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1;
}

/* The new one belongs to whom the old one, or the directory, belongs: who heals may be root, and who goes on is not. */
static void inherit_owner(const char *path, const char *old)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	char directory[FILE_NAME];
	struct stat st;
	bool has_old = !stat(old, &st), ours = is_our_own(fd);

	if (ours && geteuid() == 0 && (has_old || !stat(directory_of(directory, path), &st)))
		(void)!fchown(fd, st.st_uid, st.st_gid);
	if (ours && has_old && S_ISREG(st.st_mode))
		(void)fchmod(fd, st.st_mode & 0777);
	if (fd >= 0)
		close(fd);
}

/* The file before its log: without PATH the log is nobody's, whatever happens next. */
static int put_away(const char *path, char why[256])
{
	char log[FILE_NAME], kept[FILE_NAME], kept_log[FILE_NAME];

	file_name(log, path, "-wal");
	if (!exists(path) && !exists(log))
		return 0;
	damaged_name(path, kept);
	if (rename(path, kept) && errno != ENOENT)
		return failed("rename", path, errno, why);
	if (rename(log, file_name(kept_log, kept, "-wal")) && errno != ENOENT)
		return failed("rename", log, errno, why);
	return 0;
}

int file_finish(const char *path, char why[256])
{
	char complete[FILE_NAME];
	int rc;

	if (!exists(file_name(complete, path, ".new")))
		return 0;
	rc = put_away(path, why);
	if (rc)
		return rc;
	if (rename(complete, path))
		return failed("rename", complete, errno, why);
	rc = file_sync_directory(path);
	if (rc)
		return failed("sync the directory of", path, -rc, why);
	forget_oldest(path);
	return 0;
}

int file_replace(const char *path, char why[256])
{
	char tmp[FILE_NAME], complete[FILE_NAME];
	int rc;

	inherit_owner(file_name(tmp, path, ".tmp"), path);
	rc = file_sync(tmp);
	if (rc)
		return failed("sync", tmp, -rc, why);
	if (rename(tmp, file_name(complete, path, ".new")))
		return failed("rename", tmp, errno, why);
	rc = file_sync_directory(path);
	if (rc)
		return failed("sync the directory of", path, -rc, why);
	return file_finish(path, why);
}

int file_keep_backup(const char *path, char why[256])
{
	char tmp[FILE_NAME], backup[FILE_NAME];
	int rc;

	inherit_owner(file_name(tmp, path, ".backup.tmp"), path);
	if (rename(tmp, file_name(backup, path, ".backup")))
		return failed("rename", tmp, errno, why);
	rc = file_sync_directory(path);
	return rc ? failed("sync the directory of", path, -rc, why) : 0;
}

/*
 * file: the files around a database, and how one takes the place of another so that a power cut at any moment leaves either.
 *
 *   PATH, PATH-wal        the database and its log
 *   PATH.backup           a copy that is kept current; PATH.backup.tmp while it is being made
 *   PATH.tmp              a new database, while it is being written; begun anew by whoever finds it
 *   PATH.new              the same, complete: from the moment it has this name it is the database, and PATH is not
 *   PATH.damaged-DATE     what a new database has replaced, with its log; the last FILE_DAMAGED_MAX are kept
 */
#ifndef LEASE_FILE_H
#define LEASE_FILE_H

#include <stdbool.h>

enum { FILE_NAME = 4096 + 64, FILE_DAMAGED_MAX = 3 };

/* PATH with SUFFIX; cut when it is longer than any path can be. */
const char *file_name(char ret[FILE_NAME], const char *path, const char *suffix);
/* Whether there is a file with something in it. */
bool file_has_content(const char *path);
int file_sync(const char *path);           /* 0 or -errno */
int file_sync_directory(const char *path); /* the directory that PATH is in */
/* PATH.tmp, whose writer has closed it, becomes PATH.new, then PATH. 0, or -errno and WHY: then it is PATH.tmp or PATH.new still. */
int file_replace(const char *path, char why[256]);
/* At start: a PATH.new becomes PATH. 0, or -errno and WHY. */
int file_finish(const char *path, char why[256]);
/* PATH.backup.tmp becomes PATH.backup. 0, or -errno and WHY. */
int file_keep_backup(const char *path, char why[256]);

#endif

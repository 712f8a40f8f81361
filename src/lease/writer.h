/*
 * writer: what the committing thread does: batches of operations into the database, a new file in the place of a damaged one, the
 * backup. One owner at a time: the thread, or before it starts and after it has ended the loop.
 *
 * Without a database (it could not be opened, or was given up) everything fails until a rewrite has succeeded.
 */
#ifndef LEASE_WRITER_H
#define LEASE_WRITER_H

#include "lease/store.h"

enum { BACKUP_STEP_PAGES = 64 };

struct op_list {
	struct op *head, *tail;
	size_t count;
};

struct failure {
	enum db_trouble trouble;
	char why[256];
};

enum backup_state {
	BACKUP_NONE,
	BACKUP_RUNNING,
	BACKUP_DONE,
	BACKUP_FAILED,
	BACKUP_DAMAGED /* the database is */
};

struct writer {
	struct db *db;    /* NULL: there is none */
	char *path;       /* NULL: in memory: there are no files */
	uint64_t commits; /* that changed something */
	bool has_backup;  /* made since we run, and not given up */
	uint64_t saved;   /* commits that it has */
	struct db_copy *copy;
	struct failure failure; /* of the last call that failed */
};

/* PATH is copied; ":memory:" has no file. DB may be NULL, and is the writer's. 0 or -ENOMEM. */
int writer_init(struct writer *w, struct db *db, const char *path);
void writer_done(struct writer *w);
/* All of BATCH in one transaction. 0, or -EIO and w->failure, and nothing of it is written. */
int writer_run(struct writer *w, const struct op_list *batch);
/* The operation stands for itself: it is a batch alone. */
bool writer_wants_alone(const struct op *op);
/* Whether the files are still where they belong. 0, or -EIO and w->failure. */
int writer_look(struct writer *w);
/* Whether there is anything that the last backup has not. */
bool writer_backup_is_old(const struct writer *w);
/* Begins a backup, or goes on with it for a few pages: BACKUP_RUNNING until it has come to an end (then w->failure tells more). */
enum backup_state writer_backup_step(struct writer *w);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/mrt_file: a file of MRT records that grows without the loop ever waiting for the disk; when it has ended, another one begins.
 *
 * Records gather in memory, and a thread of libuv's carries them away: it opens, writes, closes, gives names and removes the oldest files, one job at a time.
 * Names are KIND.YYYYMMDD.HHMMSS.mrt, of the second (UTC) in which the file begins, or of the next one that no file has; so they stand in their order.
 *
 * A file ends with a whole record, always: what was written of the next one when the disk was full is cut off again, and stays in memory for another try. There
 * is room for two times MRT_GATHER_MAX; records beyond are lost, and counted.
 */
#ifndef AFBR_MRT_FILE_H
#define AFBR_MRT_FILE_H

#include <sys/types.h>

#include "lib/loop.h"

enum { MRT_NAME = 64, MRT_FLUSH = 65536, MRT_GATHER_MAX = 8 << 20 };

enum mrt_end {
	MRT_GOES_ON,
	MRT_ENDS,     /* closed; what cannot be written then is lost */
	MRT_VANISHES, /* closed and removed */
};

/* What a thread is given to do, and what has come of it. Nobody else looks at it meanwhile. */
struct mrt_job {
	const char *kind;
	bool hidden; /* the file's name has .tmp at its end until it is whole; what is not whole at its end vanishes */
	uint32_t keep; /* as many files of this kind stay */
	int directory;
	int fd;              /* -1: not open */
	char name[MRT_NAME]; /* of the file, also of one that has ended; without .tmp */
	off_t size;
	uint8_t *bytes; /* LEN of whole records; those before DONE are written */
	size_t len, done;
	enum mrt_end end; /* when they are written */
	int error;        /* 0 or -errno */
};

struct mrt_file {
	struct loop *loop;
	struct mrt_job job;
	uv_work_t work;
	bool busy;      /* the job is under way */
	uint8_t *bytes; /* gathered meanwhile */
	size_t len, size;
	enum mrt_end end; /* of the file, behind what is gathered, or what could not be written so far */
	uint64_t written, lost; /* records, of all files */
	/* The job is done, or has failed: job.error. */
	void (*answered)(struct mrt_file *f);
};

/* KIND is a static word. DIRECTORY may be -1 at first: then mrt_file_go() is not called before it is another. */
void mrt_file_init(struct mrt_file *f, struct loop *loop, const char *kind, bool hidden,
	void (*answered)(struct mrt_file *f));
/* Room for a record of LEN octets; NULL: there is none, and the record is lost. */
uint8_t *mrt_file_room(struct mrt_file *f, size_t len);
/* A record of LEN octets was put there. */
void mrt_file_add(struct mrt_file *f, size_t len);
/* What is gathered goes to the disk, in files of DIRECTORY, unless a job is under way; where there is no file, it is made. */
void mrt_file_go(struct mrt_file *f, int directory, uint32_t keep);
/* Nothing is open, gathered, or under way. */
bool mrt_file_is_idle(const struct mrt_file *f);
/* All that is not written is lost. Not while a job is under way. */
void mrt_file_drop(struct mrt_file *f);

#endif

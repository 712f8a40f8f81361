/*
 * disk: the disk under a test, with faults: takes the place of the C library's calls that change files, for everything in a folder.
 *
 * Calls are counted. From one on they may fail; or at one of them the power is cut: of what was written and not synced any part is lost,
 * a write may be torn, of names that were changed and not synced the last ones are as before; and the process ends.
 */
#ifndef TEST_LEASE_DISK_H
#define TEST_LEASE_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum disk_fault { DISK_FINE, DISK_FULL, DISK_IO_ERROR, DISK_SHORT_WRITE, DISK_POWER_CUT };

/* Shared with the process that forked us. */
struct disk {
	char folder[64]; /* what is in it; undone names are kept in its folder "undo" */
	enum disk_fault fault;
	unsigned at, count;  /* the first call that fails, and how many do */
	unsigned calls;      /* until now */
	uint8_t syncs[8192]; /* whether the call was one that makes something lasting, or changes a name */
	unsigned seed;
};

extern struct disk *disk; /* NULL: everything is as it is without us */

#endif

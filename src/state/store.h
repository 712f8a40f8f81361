/*
 * state: records in shared memory that outlive the process which writes them.
 *
 * A store lies over a memory file (memfd) whose descriptor somebody else holds, too: the keeper for the engine process, the service manager for
 * the keeper. Its one writer keeps it current; when that process dies, at whatever instruction, the next one opens the same memory and finds of each
 * record either what was put last or what was there before: never half of both.
 *
 * How: a record has an id and some bytes. put() writes it to a free place first, with a checksum, then marks that place as valid, by one aligned
 * word, and then the old place as free. Who dies between the last two leaves both, and the newer one counts (a sequence number tells). No order of
 * memory accesses needs more than the compiler's: the next reader begins after the writer's death.
 *
 * Where: pages of 4 KiB, in granules of 64 bytes. The first page is the head; each other page belongs to one size of records (in granules) as long
 * as one of them is in it, and begins with a granule that says so. Free lists are links in free places, made anew at each open.
 * A record of n bytes costs n + 20, rounded up to 64, at most 4,032. The file grows by a thirty-second at a time, up to the bound that open() was given,
 * and never shrinks (the holder has sealed that: whoever maps a file that others may shrink can be killed by them). Memory is reserved when it
 * grows (fallocate), so that being short of it is an error of put() instead of a signal.
 *
 * One writer: open() takes a lock that goes with the process, so that the next one never begins before the last one has ended.
 *
 * The bytes found at open are somebody's last words: nothing about them is believed. What has no right checksum is dropped and counted. (That keeps
 * out what a crash has torn, not a liar: whoever decodes a record must be as careful as with any packet.)
 *
 * Crash loops: the writer says which record it works on (store_work()). Who dies twice in a row at the same one leaves it poisoned. And
 * store_starts() counts the opens since somebody last said that all is well.
 */
#ifndef STATE_STORE_H
#define STATE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STORE_PAGE = 4096,
	STORE_GRANULE = 64,
	STORE_HEAD = 20,
	STORE_RECORD_MAX = STORE_PAGE - STORE_GRANULE - STORE_HEAD
};
enum { STORE_POISON = 2 }; /* deaths in a row */

struct store;

/* What open() has met. */
struct store_found {
	bool fresh;   /* nobody had written to it */
	bool foreign; /* not ours, or of a version that we do not know: emptied */
	uint32_t records, damaged;
};

/* FD stays the caller's and is needed as long as the store is (closing any descriptor of the same memory ends the lock); MAX is the bound in bytes. 0,
 * or -errno (-EINVAL: not a memory file of this kind; -EBUSY: another process still has it open). */
int store_open(int fd, size_t max, struct store **ret, struct store_found *ret_found);
/* What is in the memory stays. */
void store_close(struct store *s);

/*
 * *AT is where the record is, 0 if it is not there yet; it is the caller's to keep. 0; -EMSGSIZE, -ENOSPC (the bound), -ENOMEM: the record
 * is not there any more then, for one that is behind the truth is worse than none. Ids are not 0, and each is there once.
 */
int store_put(struct store *s, uint32_t *at, uint32_t id, const void *data, size_t len);
/* Nothing for 0. */
void store_remove(struct store *s, uint32_t *at);

struct store_record {
	uint32_t at, id;
	const uint8_t *data; /* valid until the record is put again or removed */
	size_t len;
};
/* Walks all records: start with *cursor = 0. The one that it has just told may be removed or put again; one that was put meanwhile may come, too. */
bool store_next(const struct store *s, uint32_t *cursor, struct store_record *ret);
void store_clear(struct store *s);

/* ID is worked on from now on; 0: none is. */
void store_work(struct store *s, uint32_t id);
/* The last STORE_POISON writers died while they worked on it. */
bool store_is_poison(const struct store *s, uint32_t id);
/* How often it has been opened since store_settle(), this time included. */
uint32_t store_starts(const struct store *s);
void store_settle(struct store *s);

struct store_use {
	uint32_t records;
	size_t bytes; /* of the file */
};
struct store_use store_use(const struct store *s);

#endif

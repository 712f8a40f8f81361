/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store over hostile memory: whatever stands there, it opens, walks, and works as a store afterwards.
 *
 * The first byte chooses: bit 0: the head is ours (else the input's); bit 1: what says that it is a record gets a right checksum, so that the
 * fuzzer gets behind it. The rest is the memory, zeros behind it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/hash.h"
#include "state/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGES = 6, HEAD_BYTES = 24, IDS = 64 };

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			abort();                                                                             \
	} while (0)

static uint32_t word(const uint8_t *at)
{
	uint32_t w;

	memcpy(&w, at, sizeof(w));
	return w;
}

static void put_word(uint8_t *at, uint32_t w)
{
	memcpy(at, &w, sizeof(w));
}

/* As a fresh store writes it. */
static void own_head(uint8_t *map)
{
	struct store_found found;
	struct store *s;
	int fd = memfd_create("head", MFD_CLOEXEC);

	CHECK(fd >= 0 && !store_open(fd, STORE_PAGE, &s, &found) && found.fresh);
	store_close(s);
	CHECK(pread(fd, map, HEAD_BYTES, 0) == HEAD_BYTES);
	close(fd);
}

static void mend_slot(uint8_t *slot, size_t room)
{
	uint32_t len = word(slot + 12);

	if (word(slot) != 0x4c697665 || len > room)
		return;
	put_word(slot + 16,
		hash_bytes(slot + STORE_HEAD, len, (uint64_t)word(slot + 4) << 32 | word(slot + 8)));
}

static void mend(uint8_t *map)
{
	for (unsigned page = 1; page < PAGES; page++) {
		uint8_t *start = map + page * STORE_PAGE;
		uint32_t class = word(start) - 0x50670000;

		if (!class || class >= STORE_PAGE / STORE_GRANULE)
			continue;
		for (size_t at = STORE_GRANULE; at + class * STORE_GRANULE <= STORE_PAGE;
			at += class * STORE_GRANULE)
			mend_slot(start + at, class * STORE_GRANULE - STORE_HEAD);
	}
}

/* Every record is there once, within the map, and as many as are told. */
static void check_walk(const struct store *s)
{
	uint32_t cursor = 0, seen[(PAGES * 2) * 63], count = 0;
	struct store_record r;

	while (store_next(s, &cursor, &r)) {
		CHECK(r.id && r.len <= STORE_RECORD_MAX && count < sizeof(seen) / sizeof(*seen));
		for (uint32_t i = 0; i < count; i++)
			CHECK(seen[i] != r.id);
		seen[count++] = r.id;
		for (size_t i = 0; i < r.len; i++)
			CHECK(r.data[i] <= 255);
	}
	CHECK(count == store_use(s).records);
}

static void use(struct store *s)
{
	static const uint8_t bytes[600];
	struct store_record r;
	uint32_t cursor = 0, places[IDS] = {0};

	while (store_next(s, &cursor, &r))
		if (r.len % 2)
			store_remove(s, &r.at);
	check_walk(s);
	store_clear(s);
	for (uint32_t id = 1; id < IDS; id++)
		(void)store_put(s, &places[id], id, bytes, id * 9);
	check_walk(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("store", MFD_CLOEXEC);
	struct store_found found;
	struct store *s;
	uint8_t *map;

	CHECK(fd >= 0 && !ftruncate(fd, (off_t)PAGES * STORE_PAGE));
	map = mmap(NULL, (size_t)PAGES * STORE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	if (size > 1)
		memcpy(map, data + 1,
			size - 1 < (size_t)PAGES * STORE_PAGE ? size - 1 : (size_t)PAGES * STORE_PAGE);
	if (size && data[0] & 1)
		own_head(map);
	if (size && data[0] & 2)
		mend(map);
	CHECK(!store_open(fd, (size_t)2 * PAGES * STORE_PAGE, &s, &found));
	CHECK(found.records == store_use(s).records);
	check_walk(s);
	use(s);
	store_close(s);
	munmap(map, (size_t)PAGES * STORE_PAGE);
	close(fd);
	return 0;
}

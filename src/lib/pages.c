/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <sys/mman.h>

#include "lib/pages.h"

static size_t mapped_size(size_t size)
{
	return size < PAGES_HUGE ? size : (size + PAGES_HUGE - 1) / PAGES_HUGE * PAGES_HUGE;
}

static void *map(size_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Too much is mapped, and what stands over on both sides is given back. */
static void *map_huge(size_t size)
{
	uint8_t *p = map(size + PAGES_HUGE, 0);
	size_t before = -(uintptr_t)p % PAGES_HUGE;

	if (!p)
		return NULL;
	if (before)
		(void)munmap(p, before);
	(void)munmap(p + before + size, PAGES_HUGE - before);
	(void)madvise(p + before, size, MADV_HUGEPAGE); /* a wish: not every kernel has them */
	return p + before;
}

void *pages_map(size_t size)
{
	if (size >= PAGES_HUGE)
		return map_huge(mapped_size(size));
	/* A few pages come with one call: one by one they would cost more than what is written into them. */
	return map(size, size <= PAGES_FEW ? MAP_POPULATE : 0);
}

void pages_unmap(void *p, size_t size)
{
	if (p)
		(void)munmap(p, mapped_size(size));
}

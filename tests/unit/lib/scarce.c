/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "scarce.h"

static unsigned left;
static bool happened;

void scarce_at(unsigned n)
{
	left = n;
	happened = false;
}

bool scarce_happened(void)
{
	left = 0;
	return happened;
}

static bool refuses(void)
{
	if (!left || --left)
		return false;
	happened = true;
	return true;
}

#define WRAP(name, parameters, arguments, failure)                                                           \
	void *__real_##name parameters;                                                                      \
	void *__wrap_##name parameters;                                                                      \
	void *__wrap_##name parameters                                                                       \
	{                                                                                                    \
		return refuses() ? (failure) : __real_##name arguments;                                      \
	}

WRAP(malloc, (size_t size), (size), NULL)
WRAP(calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(realloc, (void *old, size_t size), (old, size), NULL)
WRAP(reallocarray, (void *old, size_t n, size_t size), (old, n, size), NULL)
WRAP(mmap64, (void *at, size_t len, int protection, int flags, int fd, off_t offset),
	(at, len, protection, flags, fd, offset), MAP_FAILED)

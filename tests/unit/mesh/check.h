/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what the unit tests of this folder share: cmocka with the headers it needs before it, bytes written as hexadecimal digits, addresses as text. */
#ifndef UNIT_MESH_CHECK_H
#define UNIT_MESH_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/addr.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static inline unsigned digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The bytes that TEXT (lower-case digits; spaces do not count) stands for, in memory of exactly that size, so that a sanitizer sees a read beyond them. */
static inline uint8_t *bytes_of(const char *text, size_t *ret_len)
{
	uint8_t *bytes = malloc(strlen(text) / 2 + 1), *exact;
	size_t n = 0;

	assert_non_null(bytes);
	for (; *text; text++) {
		if (*text == ' ')
			continue;
		bytes[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text++;
	}
	exact = malloc(n ? n : 1);
	assert_non_null(exact);
	memcpy(exact, bytes, n);
	free(bytes);
	*ret_len = n;
	return exact;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for people in a buffer of the caller's: what does not fit is cut, never overrun. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/reader.h"

struct text {
	char *buf;
	size_t size, len; /* len < size, unless size is 0 */
};

/* Behind what is there already; always ends with a 0, if size is not 0. */
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * What somebody else wrote: UTF-8 as it is; control characters, those that turn the direction of writing, and bytes that are no UTF-8 as "\x1b". Cut at
 * a character.
 */
void text_add_words(struct text *t, struct reader words);
/* The code point at BYTES in well-formed UTF-8 (RFC 3629 section 4), and its length; 0 when it is none, or LEFT is 0. */
unsigned text_utf8(const uint8_t *bytes, size_t left, uint32_t *ret);

#endif

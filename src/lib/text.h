/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for people in a buffer of the caller's: what does not fit is cut, never overrun. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stddef.h>

struct text {
	char *buf;
	size_t size, len; /* len < size, unless size is 0 */
};

/* Behind what is there already; always ends with a 0, if size is not 0. */
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reader: the parts of the input cursor that are not worth inlining. */
#include <string.h>

#include "lib/reader.h"

bool reader_copy(struct reader *r, void *dst, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);

	if (!n)
		return reader_ok(r);
	if (!p) {
		memset(dst, 0, n);
		return false;
	}
	memcpy(dst, p, n);
	return true;
}

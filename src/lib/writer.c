/* SPDX-License-Identifier: GPL-2.0-or-later */
/* writer: the parts of the output cursor that are not worth inlining. */
#include <string.h>

#include "lib/writer.h"

void writer_bytes(struct writer *w, const void *data, size_t n)
{
	uint8_t *p = writer_reserve(w, n);

	if (p && n)
		memcpy(p, data, n);
}

void writer_zeros(struct writer *w, size_t n)
{
	uint8_t *p = writer_reserve(w, n);

	if (p && n)
		memset(p, 0, n);
}

void writer_patch16(struct writer *w, size_t offset, uint16_t v)
{
	size_t len = writer_len(w);

	if (w->overflow || len < 2 || offset > len - 2)
		return;
	w->start[offset] = (uint8_t)(v >> 8);
	w->start[offset + 1] = (uint8_t)v;
}

void writer_end16(struct writer *w, size_t at, size_t extra)
{
	size_t len = writer_len(w);

	if (w->overflow || len < 2 || at > len - 2)
		return;
	len = len - at - 2 + extra;
	if (len > UINT16_MAX) { /* a length that the field cannot say must not leave as another one */
		w->overflow = true;
		return;
	}
	writer_patch16(w, at, (uint16_t)len);
}

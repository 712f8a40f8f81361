/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

void text_add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	if (t->len + 1 >= t->size)
		return;
	va_start(args, format);
	n = vsnprintf(t->buf + t->len, t->size - t->len, format, args);
	va_end(args);
	if (n > 0)
		t->len = t->len + (size_t)n < t->size ? t->len + (size_t)n : t->size - 1;
}

unsigned text_utf8(const uint8_t *bytes, size_t left, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = left ? bytes[0] : 0x80;
	unsigned len = first < 0x80   ? 1
		       : first < 0xc0 ? 0
		       : first < 0xe0 ? 2
		       : first < 0xf0 ? 3
		       : first < 0xf8 ? 4
				      : 0;
	uint32_t point = len == 1 ? first : first & (0x7f >> len);

	if (len > left)
		return 0;
	for (unsigned i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (bytes[i] & 0x3f);
	}
	if (len && (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)))
		return 0;
	*ret = point;
	return len;
}

/* Would it change lines, colours, or the order of what stands around it? */
static bool is_unprintable(uint32_t point)
{
	return point < ' ' || (point >= 0x7f && point < 0xa0) || point == 0x061c ||
	       (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

void text_add_words(struct text *t, struct reader words)
{
	while (reader_left(&words)) {
		uint32_t point = 0;
		unsigned len = text_utf8(words.pos, reader_left(&words), &point);
		bool plain = len && !is_unprintable(point);

		len = len ? len : 1;
		if (t->len + (plain ? len : 4 * (size_t)len) >= t->size)
			return;
		for (unsigned i = 0; i < len; i++)
			text_add(t, plain ? "%c" : "\\x%02x", reader_u8(&words));
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors about the configuration: counting, places, and guesses at what was meant. */
#include "control/problem.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void plain_text(char *text)
{
	size_t len = strlen(text);
	json_t *probe = json_stringn(text, len);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 127 || (!probe && (text[i] & 0x80)))
			text[i] = '?';
	json_decref(probe);
}

static void tell(
	struct problems *r, bool fatal, const char *file, unsigned line, const char *format, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	plain_text(text);
	if (fatal)
		r->errors++;
	else
		r->warnings++;
	if (r->error)
		r->error(r->owner, fatal, file, line, text);
}

void problem_line(struct problems *r, bool fatal, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(r, fatal, file, line, format, args);
	va_end(args);
}

void problem_at(struct problems *r, bool fatal, const config_setting_t *where, const char *format, ...)
{
	struct source_place place = source_place(r->source, config_setting_source_line(where));
	va_list args;

	va_start(args, format);
	tell(r, fatal, place.file, place.line, format, args);
	va_end(args);
}

struct quoted quoted(const char *text)
{
	struct quoted q;
	size_t n = 0;

	for (; text[n] && n < 60; n++)
		q.text[n] = (unsigned char)text[n] < ' ' || text[n] == 127 ? '?' : text[n];
	snprintf(q.text + n, sizeof(q.text) - n, "%s", text[n] ? "..." : "");
	return q;
}

enum { WORD_MAX = 64 };

/* Edit distance (insert, delete, replace, swap of neighbours), of words shorter than WORD_MAX. */
static unsigned edit_distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][WORD_MAX];
	unsigned *old = rows[0], *prev = rows[1], *row = rows[2];

	for (unsigned j = 0; j <= blen; j++)
		row[j] = j;
	for (size_t i = 1; i <= alen; i++) {
		unsigned *spare = old;

		old = prev;
		prev = row;
		row = spare;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			unsigned best = prev[j - 1] + (a[i - 1] != b[j - 1]);

			if (prev[j] + 1 < best)
				best = prev[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				old[j - 2] + 1 < best)
				best = old[j - 2] + 1;
			row[j] = best;
		}
	}
	return row[blen];
}

const char *nearest_word(const char *text, const char *const *words)
{
	size_t len = strlen(text);
	unsigned best =
		(unsigned)(len < 4 ? 1 : len / 3 + 1); /* more mistakes than that, and it is another word */
	const char *found = NULL;

	if (len >= WORD_MAX)
		return NULL;
	for (; *words; words++) {
		size_t n = strlen(*words);
		unsigned d = n < WORD_MAX ? edit_distance(text, len, *words, n) : best + 1;

		/* "delegate-length" for "length", "hello-interval" for "hello" */
		if (d > best && n >= 4 && (strstr(text, *words) || (len >= 4 && strstr(*words, text))))
			d = best;
		if (d < best || (d == best && !found)) {
			best = d;
			found = *words;
		}
	}
	return found;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/sentences.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sentences_add(struct sentences *s, const char *format, ...)
{
	char **more = s->count < SENTENCES_MAX ? reallocarray(s->text, s->count + 2, sizeof(char *)) : NULL;
	va_list args;

	s->untold++;
	if (!more)
		return;
	s->text = more;
	va_start(args, format);
	if (vasprintf(&more[s->count], format, args) >= 0) {
		s->count++;
		s->untold--;
	}
	va_end(args);
}

void sentences_finish(struct sentences *s)
{
	/* There is room for one more than are taken. */
	if (s->untold && s->text && asprintf(&s->text[s->count], "... and %zu more", s->untold) >= 0)
		s->count++;
	s->untold = 0;
}

void sentences_free(struct sentences *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->text[i]);
	free(s->text);
	*s = (struct sentences){0};
}

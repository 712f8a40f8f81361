/* problem: where errors about the configuration go, with file and line. */
#ifndef CONTROL_PROBLEM_H
#define CONTROL_PROBLEM_H

#include <libconfig.h>

#include "control/config.h"
#include "control/source.h"

struct problems {
	config_error *error;
	void *owner;
	const struct source *source;
	unsigned errors, warnings;
};

/* About a place in a file; LINE 0: about the whole of it. */
void problem_line(struct problems *r, bool fatal, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* About a setting of the parsed file. */
void problem_at(struct problems *r, bool fatal, const config_setting_t *where, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* TEXT fit for a message: at most 60 bytes of it, no control bytes. */
struct quoted {
	char text[64];
};
struct quoted quoted(const char *text);

/* Replaces control bytes, and whatever is not UTF-8, by '?': files and requests may hold anything. */
void plain_text(char *text);

/* The word of WORDS (NULL at the end) that is nearest to TEXT, or NULL when none is near enough to be what was meant. */
const char *nearest_word(const char *text, const char *const *words);

#endif

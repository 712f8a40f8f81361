/*
 * source: the text of a configuration file, its @include lines replaced by what they name, and where each line came from.
 *
 * libconfig could include by itself, but it resolves relative names against the working directory, ends the process
 * when the name is a directory, and accepts an unclosed comment, a number that does not fit, or a zero byte without a word.
 * So the text is read and looked over here first; libconfig then parses one string.
 */
#ifndef CONTROL_SOURCE_H
#define CONTROL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

enum { SOURCE_MAX = 4 << 20, SOURCE_INCLUDES = 64, SOURCE_DEPTH = 8, SOURCE_NESTING = 32 };

struct problems;

struct source_place {
	const char *file;
	unsigned line;
};

/* From line FIRST of the joined text on, lines are those of FILE from LINE on. */
struct source_segment {
	unsigned first;
	const char *file;
	unsigned line;
};

struct source {
	char *text; /* terminated */
	size_t len, size;
	unsigned lines; /* begun so far */
	char *files[SOURCE_INCLUDES + 1];
	unsigned file_count;
	struct source_segment segments[2 * SOURCE_INCLUDES + 2];
	unsigned segment_count;
	struct {
		char bracket;
		struct source_place place;
	} open[SOURCE_NESTING]; /* brackets that are not closed yet */
	unsigned open_count;
};

/* Reads PATH (or FD, when not negative) and what it includes. Errors go to PROBLEMS; false after the first of them. */
bool source_read(struct source *s, const char *path, int fd, struct problems *problems);
void source_free(struct source *s);
struct source_place source_place(const struct source *s, unsigned line);
/* The text of line LINE, cut to SIZE. */
void source_line(const struct source *s, unsigned line, char *buf, size_t size);

#endif

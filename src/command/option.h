/*
 * command/option: options as rows of a table, from which parsing, help, the manual page (a unit test compares them) and completion follow.
 *
 * Options and words may stand in any order; "--" ends the options. "--name=VALUE" and "--name VALUE" are the same, and so are, where there is a
 * row, -h and --help, -j and --json, as everywhere behind softwire.
 */
#ifndef COMMAND_OPTION_H
#define COMMAND_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char *; NULL: not given */
	OPTION_NUMBER, /* struct option_number */
	OPTION_LIST,   /* struct option_list: may be given several times */
};

enum { OPTION_LIST_MAX = 8 };

struct option_number {
	bool given;
	uint32_t value;
};

struct option_list {
	unsigned count;
	const char *items[OPTION_LIST_MAX];
};

struct option_row {
	const char *name;
	const char *argument; /* NULL: a flag */
	enum option_kind kind;
	size_t offset;
	uint32_t min, max; /* OPTION_NUMBER */
	const char *help;
};

struct option_table {
	const struct option_row *rows;
	unsigned count;
};

/*
 * Reads ARGC words at ARGV into the struct INTO, which the caller has zeroed. What is no option goes to WORDS, *ret_words of them, at most MOST.
 * False, with WHY for the user.
 */
bool option_parse(const struct option_table *t, int argc, char **argv, void *into, const char **words,
	unsigned most, unsigned *ret_words, char why[160]);
/* Two columns. */
void option_help(const struct option_table *t, FILE *out);

#endif

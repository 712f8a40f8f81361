/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines by tables. */
#include "command/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WHY = 160, HELP_COLUMN = 24 };

static const struct option_row *find(const struct option_table *t, const char *name, size_t len)
{
	for (unsigned n = 0; n < t->count; n++)
		if (strlen(t->rows[n].name) == len && !memcmp(t->rows[n].name, name, len))
			return &t->rows[n];
	return NULL;
}

/* "-h": the row's; NULL. */
static const struct option_row *find_letter(const struct option_table *t, const char *word)
{
	static const struct {
		const char *letter, *name;
	} letters[] = {{"-h", "help"}, {"-j", "json"}};

	for (size_t n = 0; n < sizeof(letters) / sizeof(*letters); n++)
		if (!strcmp(letters[n].letter, word))
			return find(t, letters[n].name, strlen(letters[n].name));
	return NULL;
}

static bool take_number(
	const struct option_row *row, struct option_number *into, const char *value, char why[WHY])
{
	char *end = NULL;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || number < row->min || number > row->max) {
		snprintf(why, WHY, "--%s is \"%.40s\": it must be a whole number, %u to %u", row->name, value,
			row->min, row->max);
		return false;
	}
	*into = (struct option_number){.given = true, .value = (uint32_t)number};
	return true;
}

static bool take_item(
	const struct option_row *row, struct option_list *into, const char *value, char why[WHY])
{
	if (into->count == OPTION_LIST_MAX) {
		snprintf(why, WHY, "--%s may be given %d times at most", row->name, OPTION_LIST_MAX);
		return false;
	}
	into->items[into->count++] = value;
	return true;
}

static bool take(const struct option_row *row, void *into, const char *value, char why[WHY])
{
	void *field = (char *)into + row->offset;

	if (row->kind != OPTION_FLAG && !value)
		return false;
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return true;
	case OPTION_TEXT:
		*(const char **)field = value;
		return true;
	case OPTION_NUMBER:
		return take_number(row, field, value, why);
	case OPTION_LIST:
		return take_item(row, field, value, why);
	}
	return false;
}

/* argv[*at] begins with "--". */
static bool take_option(
	const struct option_table *t, int argc, char **argv, int *at, void *into, char why[WHY])
{
	const char *name = argv[*at] + 2, *equals = strchr(name, '='), *value = equals ? equals + 1 : NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find(t, name, len);

	if (!row) {
		snprintf(why, WHY, "there is no option --%.*s", (int)(len < 60 ? len : 60), name);
		return false;
	}
	if (!row->argument && value) {
		snprintf(why, WHY, "--%s takes no value", row->name);
		return false;
	}
	if (row->argument && !value) {
		if (*at + 1 == argc) {
			snprintf(why, WHY, "--%s lacks its %s", row->name, row->argument);
			return false;
		}
		value = argv[++*at];
	}
	return take(row, into, value, why);
}

bool option_parse(const struct option_table *t, int argc, char **argv, void *into, const char **words,
	unsigned most, unsigned *ret_words, char why[WHY])
{
	const struct option_row *letter;
	unsigned count = 0;
	bool options = true;

	for (int n = 0; n < argc; n++) {
		if (options && !strcmp(argv[n], "--")) {
			options = false;
		} else if (options && !strncmp(argv[n], "--", 2)) {
			if (!take_option(t, argc, argv, &n, into, why))
				return false;
		} else if (options && (letter = find_letter(t, argv[n]))) {
			(void)take(letter, into, NULL, why); /* a flag */
		} else if (options && argv[n][0] == '-' && argv[n][1]) {
			snprintf(why, WHY, "there is no option %.40s", argv[n]);
			return false;
		} else if (count == most) {
			snprintf(why, WHY, "\"%.60s\" is too much", argv[n]);
			return false;
		} else {
			words[count++] = argv[n];
		}
	}
	*ret_words = count;
	return true;
}

void option_help(const struct option_table *t, FILE *out)
{
	for (unsigned n = 0; n < t->count; n++) {
		const struct option_row *row = &t->rows[n];
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", row->name, row->argument ? " " : "",
			row->argument ? row->argument : "");
		fprintf(out, "  %-*s  %s\n", HELP_COLUMN, left, row->help);
	}
}

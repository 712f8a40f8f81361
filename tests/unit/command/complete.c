/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion follows from the words of a table, whatever is in it. No daemon answers here. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/command.h"
#include "command/option.h"

static const struct option_row own[] = {{"deep", NULL, OPTION_FLAG}, {"map", "FILE", OPTION_TEXT}, {"depth", "METRES", OPTION_NUMBER}};
static const struct option_table own_options = {own, 3};
static const struct command commands[] = {
	{.name = "paint", .arguments = "red|green|blue [FILE]"},
	{.name = "print", .arguments = "wall NAME | door left|right | all"},
	{.name = "export", .arguments = "[--format text|json] [--all] [FILE]"},
	{.name = "join", .arguments = "FILE..."},
	{.name = "stop", .arguments = ""},
	{.name = "dig", .arguments = "[OPTION...] here|there", .most = -1, .options = &own_options},
};

static const struct option options[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{NULL, 0, NULL, 0},
};

/* LINE is split at its blanks; a blank at its end makes an empty last word. What comes out, in one line. */
static char *complete(const char *line)
{
	static char text[1024];
	char copy[256], *words[16], *rest = copy, *out = NULL;
	FILE *before = stdout;
	size_t size = 0;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	while (rest)
		words[n++] = strsep(&rest, " ");
	stdout = open_memstream(&out, &size);
	assert_non_null(stdout);
	assert_int_equal(complete_words(commands, sizeof(commands) / sizeof(commands[0]), options, n, words), DONE);
	fclose(stdout);
	stdout = before;
	snprintf(text, sizeof(text), "%s", out);
	free(out);
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = p[1] ? ' ' : 0;
	return text;
}

static void every_position_offers_what_can_stand_there(void **state)
{
	static const struct {
		const char *line, *offers;
	} cases[] = {
		{"", "paint print export join stop dig"},
		{"p", "paint print"},
		{"x", ""},
		{"paint ", "red green blue"},
		{"paint g", "green"},
		{"paint red ", ":file"},
		{"paint pink ", ""},
		{"paint red x ", ""},
		{"print ", "wall door all"},
		{"print door ", "left right"},
		{"print all ", ""},
		{"--socket /nonexistent print wall ", ""}, /* nobody is there who would know */
		{"export ", ":file"},
		{"export --", "--socket --json --format --all"},
		{"export --a", "--all"},
		{"export --all ", ":file"},
		{"export --format json ", ":file"},
		{"export --format json x ", ""},
		{"join a b ", ":file"},
		{"stop ", ""},
		{"stop --", "--socket --json"},
		{"stranger ", ""},
		{"dig ", "here there"},
		{"dig --", "--deep --map --depth"},
		{"dig --map ", ":file"},
		{"dig --depth ", ""},
		{"dig --depth 3 t", "there"},
		{"dig --deep here --m", "--map"},
		{"--json dig --json", ""},
		{"dig --socket ", "here there"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(complete(cases[i].line), cases[i].offers) != 0)
			fail_msg("\"%s\" offers \"%s\", not \"%s\"", cases[i].line, complete(cases[i].line),
				cases[i].offers);
}

static void options_may_stand_anywhere(void **state)
{
	assert_string_equal(complete("-"), "--socket --json");
	assert_string_equal(complete("--socket "), ":file");
	assert_string_equal(complete("--socket=/x"), ":file");
	assert_string_equal(complete("--socket /x paint "), "red green blue");
	assert_string_equal(complete("--socket=/x --json paint b"), "blue");
	assert_string_equal(complete("paint --json --socket /x r"), "red");
	assert_string_equal(complete("paint --json red "), ":file");
}

static void options_arguments_are_completed(void **state)
{
	assert_string_equal(complete("export --format "), "text json");
	assert_string_equal(complete("export --format j"), "json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_position_offers_what_can_stand_there),
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(options_arguments_are_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

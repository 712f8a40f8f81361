/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwired.conf(5) and the tables of settings say the same: every key of a table stands in its section of the page, with type, bounds
 * and default, in the same order, and the page has no others. Run with an argument, it prints the entries as they must be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/keys.h"

#define PAGE SOURCE_ROOT "/doc/man/softwired.conf.5"

/* The lines of an entry that follow from the table. */
static void entry(const struct config_section *section, const struct config_key *k, char *text, size_t size)
{
	static const char *const effects[] = {[EFFECT_LIVE] = "at once",
		[EFFECT_NEW] = "for new softwires",
		[EFFECT_RESET] = "at once; the session is reset",
		[EFFECT_SESSION] = "for the next session",
		[EFFECT_RESTART] = "needs a restart"};
	char list[128] = "";
	const char *preset = k->preset     ? k->preset
			     : k->derived  ? k->derived
			     : k->required ? "none: it must be given"
					   : "none";

	if (k->type == TYPE_SET)
		snprintf(list, sizeof(list), ", or a list of them");
	else if (k->count_max)
		snprintf(list, sizeof(list), ", or a list of up to %u%s", k->count_max,
			k->beside_offset ? ", in which lists are groups of equal rank" : "");
	if (k->section)
		snprintf(text, size, ".It Ic %s\nType: %s.\n", k->name, config_expectation(k).text);
	else
		snprintf(text, size, ".It Ic %s\nType: %s%s.\nDefault: %s.\nReload: %s.\n", k->name,
			config_expectation(k).text, list, preset, effects[config_effect_of(section, k)]);
}

static char *read_page(void)
{
	static char page[262144];
	FILE *f = fopen(PAGE, "r");
	size_t n;

	if (!f)
		fail_msg("%s cannot be read", PAGE);
	n = fread(page, 1, sizeof(page) - 1, f);
	fclose(f);
	page[n] = 0;
	return page;
}

/* ".Ss Keys of `concentrator`" */
static void heading(const struct config_section *section, char *text, size_t size)
{
	snprintf(text, size, ".Ss Keys of %s\n", section->title);
}

static void check_section(char *page, const struct config_section *section)
{
	char text[2048], *from, *end, *at;
	unsigned documented = 0, known = 0;

	heading(section, text, sizeof(text));
	from = strstr(page, text);
	if (!from)
		fail_msg("the page has no section \"%s\"", text);
	end = strstr(from + 1, "\n.S");
	assert_non_null(end);
	at = from;
	for (unsigned i = 0; i < section->count; i++) {
		const struct config_key *k = &section->keys[i];
		char *found;

		if (k->section)
			check_section(page, k->section);
		if (k->type == TYPE_ABSENT)
			continue;
		known++;
		entry(section, k, text, sizeof(text));
		found = strstr(at, text);
		if (!found || found > end)
			fail_msg("the page lacks this, in its place in the section on %s:\n%s",
				section->title, text);
		at = found + 1;
	}
	for (at = from; (at = strstr(at, "\n.It Ic ")) && at < end; at++)
		documented++;
	if (documented != known)
		fail_msg(
			"the section on %s has %u keys, the table has %u", section->title, documented, known);
}

static void page_and_tables_agree(void **state)
{
	check_section(read_page(), &config_file_section);
}

static void print_section(const struct config_section *section)
{
	char text[2048];

	heading(section, text, sizeof(text));
	printf("%s.Bl -tag -width Ds\n", text);
	for (unsigned i = 0; i < section->count; i++) {
		if (section->keys[i].type == TYPE_ABSENT)
			continue;
		entry(section, &section->keys[i], text, sizeof(text));
		printf("%s.Pp\n%c%s.\n", text, section->keys[i].help[0] & ~0x20, section->keys[i].help + 1);
	}
	printf(".El\n");
	for (unsigned i = 0; i < section->count; i++)
		if (section->keys[i].section)
			print_section(section->keys[i].section);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_and_tables_agree),
	};

	if (argc > 1) {
		print_section(&config_file_section);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

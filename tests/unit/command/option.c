/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options by tables; and softwire(1) says the same as the tables of `softwire connect` and `softwire lease`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/bgp.h"
#include "command/command.h"
#include "command/connect.h"
#include "command/drain.h"

static bool parse(struct connect_options *o, const char **word, unsigned *words, char why[160], int argc, ...)
{
	char *argv[8];
	va_list args;

	va_start(args, argc);
	for (int n = 0; n < argc; n++)
		argv[n] = va_arg(args, char *);
	va_end(args);
	*o = (struct connect_options){0};
	why[0] = '\0';
	return option_parse(&connect_options, argc, argv, o, word, 1, words, why);
}

static void options_and_words_may_stand_anywhere(void **state)
{
	struct connect_options o;
	const char *word = NULL;
	unsigned words = 0;
	char why[160];

	assert_true(parse(&o, &word, &words, why, 6, "--ipv6", "alice@sc", "--mtu=1400", "--lan", "eth1", "--lan=eth2"));
	assert_true(o.ipv6 && !o.ipv4 && o.mtu.given && o.mtu.value == 1400 && !o.port.given);
	assert_int_equal(o.lan.count, 2);
	assert_string_equal(o.lan.items[0], "eth1");
	assert_string_equal(o.lan.items[1], "eth2");
	assert_int_equal(words, 1);
	assert_string_equal(word, "alice@sc");
	assert_true(parse(&o, &word, &words, why, 2, "--", "--odd@sc"));
	assert_string_equal(word, "--odd@sc");
	assert_true(parse(&o, &word, &words, why, 2, "--password-fd", "0"));
	assert_true(o.password_fd.given && !o.password_fd.value && !words);
	assert_true(parse(&o, &word, &words, why, 2, "-j", "-h"));
	assert_true(o.json && o.help && !words);
	assert_true(parse(&o, &word, &words, why, 2, "--", "-h"));
	assert_true(!o.help && words == 1);
}

static void mistakes_are_told(void **state)
{
	static const struct {
		const char *first, *second, *says;
	} rows[] = {
		{"--ipv5", "x", "no option --ipv5"},
		{"--ipv6=yes", "x", "takes no value"},
		{"x", "--mtu", "lacks its BYTES"},
		{"--mtu", "many", "whole number"},
		{"--mtu", "-1", "whole number"},
		{"--mtu", "99999", "0 to 9216"},
		{"--port", "0", "1 to 65535"},
		{"--port", "99999999999999999999", "1 to 65535"},
		{"--for", "1x", "whole number"},
		{"--for", "", "whole number"},
		{"-q", "x", "no option -q"},
		{"x", "y", "too much"},
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++) {
		struct connect_options o;
		const char *word;
		unsigned words;
		char why[160];

		if (parse(&o, &word, &words, why, 2, rows[n].first, rows[n].second) || !strstr(why, rows[n].says))
			fail_msg("%s %s: %s", rows[n].first, rows[n].second, why);
	}
}

static void a_list_has_an_end(void **state)
{
	char *argv[OPTION_LIST_MAX + 1], item[] = "--lan=eth1", why[160] = "";
	struct connect_options o = {0};
	const char *word;
	unsigned words;

	for (int n = 0; n <= OPTION_LIST_MAX; n++)
		argv[n] = item;
	assert_true(option_parse(&connect_options, OPTION_LIST_MAX, argv, &o, &word, 1, &words, why));
	o = (struct connect_options){0};
	assert_false(option_parse(&connect_options, OPTION_LIST_MAX + 1, argv, &o, &word, 1, &words, why));
	assert_non_null(strstr(why, "8 times"));
}

static void help_has_a_line_for_each(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	option_help(&connect_options, f);
	fclose(f);
	for (unsigned n = 0; n < connect_options.count; n++) {
		char line[200];

		snprintf(line, sizeof(line), "  --%s", connect_options.rows[n].name);
		assert_non_null(strstr(text, line));
		assert_non_null(strstr(text, connect_options.rows[n].help));
	}
	free(text);
}

/* All of them in the order of the table, and no others, in the list behind HEADING. */
static void assert_documented(const struct option_table *t, const char *heading)
{
	FILE *f = fopen(SOURCE_ROOT "/doc/man/softwire.1", "r");
	static char page[131072];
	char *at, *end;
	unsigned documented = 0;

	assert_non_null(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	at = strstr(page, heading);
	assert_non_null(at);
	end = strstr(at, "\n.El\n");
	assert_non_null(end);
	for (char *p = at; (p = strstr(p + 1, "\n.It Fl -")) && p < end;)
		documented++;
	assert_int_equal(documented, t->count);
	for (unsigned n = 0; n < t->count; n++) {
		const struct option_row *row = &t->rows[n];
		char entry[80];

		snprintf(entry, sizeof(entry), "\n.It Fl -%s%s%s\n", row->name, row->argument ? " Ar " : "",
			row->argument ? row->argument : "");
		at = strstr(at, entry);
		if (!at || at > end)
			fail_msg("the page lacks this, in its place:%s", entry);
	}
}

static void manual_page_and_tables_agree(void **state)
{
	assert_documented(&connect_options, "\n.Ss Options of connect\n");
	assert_documented(&lease_options, "\n.Ss Options of lease\n");
	assert_documented(&drain_options, "\n.Ss Options of drain\n");
	assert_documented(&bgp_options, "\n.Ss Options of bgp\n");
}

static void drain_says_how_far_it_is(void **state)
{
	static const struct {
		const char *drain, *line;
	} cases[] = {
		{"{\"state\":\"off\",\"left\":3}", "Not draining: new softwires are taken."},
		{"{\"state\":\"draining\",\"left\":12,\"staying\":0,\"moved\":40,\"closed\":0,\"refused\":0}",
			"12 left, 40 moved."},
		{"{\"state\":\"draining\",\"left\":12,\"staying\":2,\"moved\":40,\"closed\":1,\"refused\":5}",
			"12 left (2 stay until they end by themselves), 40 moved, 1 closed, 5 new ones "
			"refused."},
		{"{\"state\":\"draining\",\"left\":1,\"staying\":1,\"moved\":0,\"closed\":0,\"refused\":0}",
			"1 left (1 stays until it ends by itself), 0 moved."},
		{"{}", "Not draining: new softwires are taken."},
	};
	char buf[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *drain = json_loads(cases[i].drain, 0, NULL);

		assert_string_equal(drain_line(drain, buf), cases[i].line);
		json_decref(drain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_words_may_stand_anywhere),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(help_has_a_line_for_each),
		cmocka_unit_test(manual_page_and_tables_agree),
		cmocka_unit_test(drain_says_how_far_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

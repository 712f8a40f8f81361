/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can stand at the end of a command line. It follows from the table of commands, by the grammar that their help is written in:
 *
 *   "user NAME | all"        alternatives, with blanks around the bar; words one behind the other
 *   "softwires|tunnels"      one word, which is one of these
 *   "[NAME]"                 may be left out
 *   "[--format FORMAT]"      an option of this command, with its argument; anywhere
 *   "[OPTION...]"            options of this command, which has a table of them
 *   "NAME..."                it may come again
 *
 * A word in capitals stands for others: what they are is kinds[]'s matter.
 */
#include <ctype.h>
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "bgp/message.h"
#include "command/command.h"
#include "command/option.h"
#include "control/client.h"
#include "control/instance.h"

enum { TOKENS = 32, TOKEN = 64, PATIENCE_MS = 1000 };

struct completion {
	const struct command *commands;
	unsigned count;
	const struct option *options;
	const char *word; /* is to be completed */
	char socket[128];
};

static void offer(const struct completion *c, const char *text)
{
	if (text && !strncmp(text, c->word, strlen(c->word)) && !strpbrk(text, "\n"))
		puts(text);
}

/* ---- what the daemon knows ---- */

/* The rows of WHAT, which the answer calls NAME; NULL. */
static json_t *ask(const struct completion *c, const char *what, const char *name)
{
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	struct control_client client;
	char why[256], request[64];
	json_t *answer = NULL, *rows = NULL;
	const char *line;
	size_t len;

	if (control_client_open(&client, c->socket, why))
		return NULL;
	(void)setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	snprintf(request, sizeof(request), "show %s", what);
	if (!control_client_send(&client, json_pack("{s:s}", "do", request)) && (line = control_client_line(&client, &len)))
		answer = json_loadb(line, len, 0, NULL);
	control_client_close(&client);
	rows = json_incref(json_object_get(answer, name));
	json_decref(answer);
	return rows;
}

static void offer_rows(const struct completion *c, json_t *rows, const char *member)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const json_t *value = json_object_get(row, member);
		char number[32];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		offer(c, json_is_integer(value) ? number : json_string_value(value));
	}
	json_decref(rows);
}

static void offer_members(const struct completion *c, const char *what, const char *member)
{
	offer_rows(c, ask(c, what, what), member);
}

static void offer_neighbors(const struct completion *c)
{
	offer_rows(c, ask(c, "bgp neighbors", "neighbors"), "name");
}

static void offer_all_or_neighbors(const struct completion *c)
{
	offer(c, "all");
	offer_neighbors(c);
}

static void offer_endpoints(const struct completion *c)
{
	offer_rows(c, ask(c, "endpoints", "endpoints"), "address");
}

static void offer_families(const struct completion *c)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		offer(c, bgp_family_name((enum bgp_family)f));
}

static void offer_users(const struct completion *c)
{
	offer_members(c, "softwires", "user");
	offer_members(c, "leases", "user");
}

static void offer_initiators(const struct completion *c)
{
	offer_members(c, "softwires", "name");
}

static void offer_both(const struct completion *c)
{
	offer_users(c);
	offer_initiators(c);
}

static void offer_ids(const struct completion *c)
{
	offer_members(c, "softwires", "id");
}

/* ---- what this machine knows ---- */

/* Names in DIRECTORY behind PREFIX. */
static void offer_entries(const struct completion *c, const char *directory, const char *prefix)
{
	DIR *d = opendir(directory);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)) && *e->d_name != '.')
			offer(c, e->d_name + strlen(prefix));
	if (d)
		closedir(d);
}

static void offer_instances(const struct completion *c)
{
	offer_entries(c, "/run", "softwired-");
}

static void offer_interfaces(const struct completion *c)
{
	offer_entries(c, "/sys/class/net", "");
}

static void offer_files(const struct completion *c)
{
	puts(":file");
}

/* What a word in capitals stands for, BEFORE being the word in front of it (NULL: any). The first row that fits counts. */
static const struct {
	const char *before, *name;
	void (*offer)(const struct completion *c);
} kinds[] = {
	{"--instance", "NAME", offer_instances},
	{"user", "NAME", offer_users},
	{"initiator", "NAME", offer_initiators},
	{"counters", "NAME", NULL},
	{"clear", "NEIGHBOR", offer_all_or_neighbors},
	{"refresh", "NEIGHBOR", offer_all_or_neighbors},
	{NULL, "NEIGHBOR", offer_neighbors},
	{NULL, "FAMILY", offer_families},
	{NULL, "ENDPOINT", offer_endpoints},
	{NULL, "NAME", offer_both},
	{NULL, "USER", offer_users},
	{"id", "NUMBER", offer_ids},
	{NULL, "FILE", offer_files},
	{NULL, "PATH", offer_files},
	{NULL, "INTERFACE", offer_interfaces},
};

static void offer_kind(const struct completion *c, const char *before, const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) != 0 || (kinds[i].before && strcmp(kinds[i].before, before) != 0))
			continue;
		if (kinds[i].offer)
			kinds[i].offer(c);
		return;
	}
}

/* ---- the grammar ---- */

struct token {
	char text[TOKEN];
	bool option, again;
	char argument[TOKEN]; /* the option's; "" */
};

static bool is_blank_or_end(char c)
{
	return c == ' ' || !c;
}

/* Takes a word of AT, without its brackets, into TEXT: where it ends. */
static const char *take_word(const char *at, char text[TOKEN], bool *ret_closed)
{
	size_t n = 0;

	for (*ret_closed = false; !is_blank_or_end(*at); at++) {
		if (*at == ']')
			*ret_closed = true;
		else if (*at != '[' && n + 1 < TOKEN)
			text[n++] = *at;
	}
	text[n] = 0;
	return at;
}

static bool cut_tail(char *text, const char *tail)
{
	size_t len = strlen(text), cut = strlen(tail);

	if (len < cut || strcmp(text + len - cut, tail) != 0)
		return false;
	text[len - cut] = 0;
	return true;
}

/* The words of one alternative at *AT, which goes behind it. False: there is none. */
static bool take_alternative(const char **at, struct token tokens[TOKENS], unsigned *ret_count)
{
	const char *p = *at;
	unsigned n = 0;
	bool closed;

	if (!p)
		return false;
	for (*at = NULL; *p && n < TOKENS; p += *p == ' ') {
		struct token *t = &tokens[n];

		*t = (struct token){0};
		p = take_word(p, t->text, &closed);
		if (!strcmp(t->text, "|")) {
			*at = p + 1;
			break;
		}
		t->option = !strncmp(t->text, "--", 2);
		t->again = cut_tail(t->text, "...");
		if (!strcmp(t->text, "OPTION"))
			continue;
		if (t->option && !closed && *p)
			p = take_word(p + 1, t->argument, &closed);
		n++;
	}
	*ret_count = n;
	return true;
}

static bool is_capital(const char *text)
{
	return isupper((unsigned char)*text);
}

/* Calls EACH for "a|b|c", until it says true. */
static bool any_choice(const char *choices, bool (*each)(void *arg, const char *choice), void *arg)
{
	char text[TOKEN], *rest = text, *choice;

	snprintf(text, sizeof(text), "%s", choices);
	while ((choice = strsep(&rest, "|")))
		if (each(arg, choice))
			return true;
	return false;
}

static bool is_same(void *arg, const char *choice)
{
	return !strcmp(arg, choice);
}

static bool offer_choice(void *arg, const char *choice)
{
	offer(arg, choice);
	return false;
}

static bool fits(const struct token *t, char *word)
{
	return is_capital(t->text) || any_choice(t->text, is_same, word);
}

/* The alternative that is looked at, and the command's options. */
struct alternative {
	struct token tokens[TOKENS];
	unsigned count;
	const struct option_table *options; /* NULL: none but those among the tokens */
};

/* What the option WORD takes; "". */
static const char *argument_of(const struct alternative *a, const char *word)
{
	for (unsigned i = 0; i < a->count; i++)
		if (a->tokens[i].option && !strcmp(a->tokens[i].text, word))
			return a->tokens[i].argument;
	for (unsigned i = 0; a->options && i < a->options->count && !strncmp(word, "--", 2); i++)
		if (!strcmp(a->options->rows[i].name, word + 2))
			return a->options->rows[i].argument ? a->options->rows[i].argument : "";
	return "";
}

static void offer_word(const struct completion *c, const char *before, const char *text)
{
	if (is_capital(text))
		offer_kind(c, before, text);
	else
		any_choice(text, offer_choice, (void *)c);
}

/* The token at POSITION among those that are no options; NULL. */
static const struct token *token_at(const struct alternative *a, unsigned position)
{
	const struct token *last = NULL;

	for (unsigned i = 0; i < a->count; i++) {
		if (a->tokens[i].option)
			continue;
		if (position-- == 0)
			return &a->tokens[i];
		last = &a->tokens[i];
	}
	return last && last->again ? last : NULL;
}

static void offer_option(const struct completion *c, const char *name)
{
	char text[TOKEN];

	snprintf(text, sizeof(text), "--%s", name);
	offer(c, text);
}

static void offer_options(const struct completion *c, const struct alternative *a)
{
	for (unsigned i = 0; i < a->count; i++)
		if (a->tokens[i].option)
			offer(c, a->tokens[i].text);
	for (unsigned i = 0; a->options && i < a->options->count; i++)
		offer_option(c, a->options->rows[i].name);
}

/* WORDS are those behind the command, without what belongs to options of softwire itself; the last is to be completed. */
static void complete_alternative(const struct completion *c, const struct alternative *a, int argc, char **words)
{
	const struct token *t;
	const char *before = argc > 1 ? words[argc - 2] : "", *argument;
	unsigned position = 0;

	for (int i = 0; i < argc - 1; i++) {
		argument = argument_of(a, words[i]);
		if (*argument && i == argc - 2) {
			offer_word(c, before, argument);
			return;
		}
		if (!strncmp(words[i], "--", 2)) {
			i += *argument != 0;
			continue;
		}
		t = token_at(a, position++);
		if (!t || !fits(t, words[i]))
			return;
	}
	t = token_at(a, position);
	if (*c->word == '-')
		offer_options(c, a);
	else if (t)
		offer_word(c, before, t->text);
}

static void complete_command(const struct completion *c, const struct command *command, int argc, char **words)
{
	struct alternative a = {.options = command->options};
	const char *at = command->arguments;

	while (take_alternative(&at, a.tokens, &a.count))
		complete_alternative(c, &a, argc, words);
}

static const struct command *find_command(const struct completion *c, const char *name)
{
	for (unsigned i = 0; i < c->count; i++)
		if (!strcmp(c->commands[i].name, name))
			return &c->commands[i];
	return NULL;
}

/* Are options behind the command NAME its own alone? */
static bool has_own_options(const struct completion *c, const char *name)
{
	const struct command *command = find_command(c, name);

	return command && command->most < 0;
}

/* ---- options of softwire itself ---- */

/* WORD is one: its row, and the value behind its "=" or NULL. */
static const struct option *find_option(const struct option *options, const char *word, const char **ret_value)
{
	size_t len = strcspn(word, "=");

	*ret_value = word[len] ? word + len + 1 : NULL;
	for (; options->name && !strncmp(word, "--", 2); options++)
		if (strlen(options->name) + 2 == len && !strncmp(options->name, word + 2, len - 2))
			return options;
	return NULL;
}

/* For the daemon that is to be asked. */
static void take_option(struct completion *c, const char *name, const char *value)
{
	if (!strcmp(name, "instance") && instance_is_name(value))
		instance_path(INSTANCE_RUNTIME, value, INSTANCE_SOCKET, c->socket, sizeof(c->socket));
	else if (!strcmp(name, "socket"))
		snprintf(c->socket, sizeof(c->socket), "%s", value);
}

static void complete_option(struct completion *c, const char *name)
{
	if (!strcmp(name, "instance"))
		offer_instances(c);
	else
		offer_files(c);
}

/* Takes options out of WORDS: how many are left. -1: the last word was an option's value, and is complete. */
static int take_options(struct completion *c, int argc, char **words)
{
	const struct option *o;
	const char *value;
	int left = 0;

	for (int i = 0; i < argc; i++) {
		o = left > 0 && has_own_options(c, words[0]) ? NULL : find_option(c->options, words[i], &value);
		if (!o || (i == argc - 1 && !value)) {
			words[left++] = words[i];
			continue;
		}
		if (o->has_arg != required_argument)
			continue;
		if (!value)
			value = words[++i];
		if (i == argc - 1) {
			c->word = value;
			complete_option(c, o->name);
			return -1;
		}
		take_option(c, o->name, value);
	}
	return left;
}

int complete_words(const struct command *commands, unsigned count, const struct option *options, int argc, char **words)
{
	struct completion c = {.commands = commands, .count = count, .options = options};
	const struct command *command;

	if (argc < 1)
		return USAGE;
	c.word = words[argc - 1];
	instance_path(INSTANCE_RUNTIME, "", INSTANCE_SOCKET, c.socket, sizeof(c.socket));
	argc = take_options(&c, argc, words);
	if (argc > 0 && *c.word == '-' && !(argc > 1 && has_own_options(&c, words[0])))
		for (; options->name; options++)
			offer_option(&c, options->name);
	for (unsigned i = 0; argc == 1 && i < count; i++)
		offer(&c, commands[i].name);
	command = argc > 1 ? find_command(&c, words[0]) : NULL;
	if (command)
		complete_command(&c, command, argc - 1, words + 1);
	return DONE;
}

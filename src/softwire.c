/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwire: the operator's command. It asks the daemon over its control socket and prints what comes back; only `check` works alone.
 * Subcommands and options are rows of tables, from which the help follows. Exit status: 0 done, 1 not done, 2 wrong usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/client.h"
#include "control/config.h"
#include "control/print.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

struct call {
	const char *socket;
	bool json;
	int argc; /* words behind the subcommand */
	char **argv;
};

struct command {
	const char *name, *arguments;
	int least, most; /* words */
	int (*run)(const struct call *c);
	const char *help;
};

static int usage(const char *text, const char *word)
{
	fprintf(stderr, "softwire: %s%s%s\nsoftwire --help tells what there is.\n", text, word ? ": " : "",
		word ? word : "");
	return USAGE;
}

/* ---- asking ---- */

/* Sends REQUEST (its reference is taken over) and gives the answer, or NULL after having said why there is none. */
static json_t *ask(const struct call *call, struct control_client *client, json_t *request)
{
	char why[256] = "";
	const char *line;
	json_t *answer;
	size_t len;

	if (control_client_open(client, call->socket, why)) {
		fprintf(stderr, "softwire: %s\n", why);
		json_decref(request);
		return NULL;
	}
	if (control_client_send(client, request) || !(line = control_client_line(client, &len))) {
		fprintf(stderr, "softwire: the daemon hung up\n");
		return NULL;
	}
	answer = json_loadb(line, len, 0, NULL);
	if (!answer)
		fprintf(stderr, "softwire: the daemon's answer makes no sense\n");
	else if (call->json)
		puts(line);
	return answer;
}

static bool agreed(const struct call *call, const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	if (answer && !call->json)
		fprintf(stderr, "softwire: %s\n", error ? error : "refused");
	return false;
}

static void print_sentences(FILE *out, const json_t *sentences)
{
	const json_t *s;
	size_t i;

	json_array_foreach(sentences, i, s)
		fprintf(out, "%s\n", json_string_value(s) ? json_string_value(s) : "?");
}

/* Asks, and prints the answer by PRINT unless it went out as JSON. */
static int ask_once(const struct call *call, json_t *request,
	void (*print)(const struct call *call, const json_t *answer))
{
	struct control_client client = {.fd = -1};
	json_t *answer = ask(call, &client, request);
	bool ok = agreed(call, answer);

	if (answer && !call->json) {
		if (!ok)
			print_sentences(stderr, json_object_get(answer, "errors"));
		else
			print(call, answer);
	}
	json_decref(answer);
	control_client_close(&client);
	return ok ? DONE : FAILED;
}

/* ---- show ---- */

static void print_show(const struct call *call, const json_t *answer)
{
	const char *what = call->argv[0];
	const json_t *rows = json_object_get(answer, !strcmp(what, "reverse-zone") ? "reverse_zones" : what);

	if (!strcmp(what, "softwires"))
		print_softwires(stdout, rows);
	else if (!strcmp(what, "tunnels"))
		print_tunnels(stdout, rows);
	else if (!strcmp(what, "leases"))
		print_leases(stdout, rows, time(NULL));
	else if (!strcmp(what, "reverse-zone"))
		print_reverse_zones(stdout, rows);
	else
		print_counters(stdout, rows, call->argc > 1 ? call->argv[1] : NULL);
}

static int run_show(const struct call *call)
{
	static const char *const things[] = {
		"softwires", "tunnels", "leases", "reverse-zone", "counters", NULL};
	const char *what = call->argv[0];
	char words[64];
	json_t *request;
	unsigned i = 0;

	while (things[i] && strcmp(things[i], what) != 0)
		i++;
	if (!things[i])
		return usage("there is nothing to show by this name", what);
	snprintf(words, sizeof(words), "show %s", what);
	request = json_pack("{s:s}", "do", words);
	if (call->argc > 1 && strcmp(what, "counters") != 0)
		json_object_set_new(request, "filter", json_string(call->argv[1]));
	return ask_once(call, request, print_show);
}

/* ---- change ---- */

static void print_cleared(const struct call *call, const json_t *answer)
{
	json_int_t n = json_integer_value(json_object_get(answer, "cleared"));

	printf("%lld softwire%s cleared.\n", (long long)n, n == 1 ? "" : "s");
}

static int run_clear(const struct call *call)
{
	const char *what = call->argv[0], *which = call->argc > 1 ? call->argv[1] : NULL;
	json_t *request = json_pack("{s:s}", "do", "clear");
	char *end = NULL;

	if (!strcmp(what, "all") && !which) {
		json_object_set_new(request, "all", json_true());
	} else if ((!strcmp(what, "user") || !strcmp(what, "initiator")) && which) {
		json_object_set_new(request, what, json_string(which));
	} else if (!strcmp(what, "id") && which && strtoul(which, &end, 10) > 0 && !*end) {
		json_object_set_new(request, "id", json_integer((json_int_t)strtoul(which, NULL, 10)));
	} else {
		json_decref(request);
		return usage("clear what? user NAME, initiator NAME, id NUMBER, or all", NULL);
	}
	return ask_once(call, request, print_cleared);
}

static void print_forgotten(const struct call *call, const json_t *answer)
{
	json_int_t n = json_integer_value(json_object_get(answer, "forgotten"));

	if (n)
		printf("%lld lease%s of %s forgotten.\n", (long long)n, n == 1 ? "" : "s", call->argv[0]);
	else
		printf("%s has no lease.\n", call->argv[0]);
}

static int run_forget(const struct call *call)
{
	return ask_once(
		call, json_pack("{s:s, s:s}", "do", "forget", "user", call->argv[0]), print_forgotten);
}

static void print_reloaded(const struct call *call, const json_t *answer)
{
	const json_t *say = json_object_get(answer, "say");

	if (json_array_size(say))
		print_sentences(stdout, say);
	else
		printf("Reloaded: nothing has changed.\n");
}

static int run_reload(const struct call *call)
{
	return ask_once(call, json_pack("{s:s}", "do", "reload"), print_reloaded);
}

static int run_trace(const struct call *call)
{
	struct control_client client = {.fd = -1};
	json_t *answer = ask(call, &client, json_pack("{s:s, s:s}", "do", "trace", "name", call->argv[0]));
	bool ok = agreed(call, answer);
	const char *line;
	size_t len;

	json_decref(answer);
	fflush(stdout);
	while (ok && (line = control_client_line(&client, &len))) {
		json_t *event = call->json ? NULL : json_loadb(line, len, 0, NULL);

		if (call->json)
			puts(line);
		else if (event)
			print_trace(stdout, event);
		json_decref(event);
		if (fflush(stdout))
			break;
	}
	control_client_close(&client);
	if (ok)
		fprintf(stderr, "softwire: the daemon hung up\n");
	return FAILED;
}

/* ---- alone ---- */

struct checking {
	unsigned errors, warnings;
	json_t *problems; /* NULL: print */
};

static void told(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct checking *k = owner;
	char where[32] = "";

	if (fatal)
		k->errors++;
	else
		k->warnings++;
	if (line)
		snprintf(where, sizeof(where), "%u:", line);
	if (k->problems)
		json_array_append_new(
			k->problems, json_pack("{s:b, s:s+, s:I, s:s+}", "fatal", (int)fatal, "file", file,
					     "", "line", (json_int_t)line, "text", text, ""));
	else
		printf("%s:%s %s%s\n", file, where, fatal ? "" : "warning: ", text);
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static int run_check(const struct call *call)
{
	struct checking k = {.problems = call->json ? json_array() : NULL};
	struct config *config = calloc(1, sizeof(*config));
	int result = -ENOMEM;

	if (config)
		result = config_file_read(call->argv[0], -1, true, told, &k, config);
	free(config);
	if (call->json) {
		json_t *all = json_pack("{s:b, s:o}", "ok", result == 0, "problems", k.problems);

		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(all);
	} else if (k.errors || k.warnings) {
		printf("%s: %u error%s, %u warning%s\n", call->argv[0], k.errors, plural(k.errors),
			k.warnings, plural(k.warnings));
	} else {
		printf("%s: ok\n", call->argv[0]);
	}
	return result ? FAILED : DONE;
}

static int run_version(const struct call *call)
{
	printf(call->json ? "{\"version\":\"%s\"}\n" : "softwire %s\n", SOFTWIRE_VERSION);
	return DONE;
}

/* ---- what there is ---- */

static const struct command commands[] = {
	{"show", "softwires|tunnels|leases|reverse-zone|counters [NAME]", 1, 2, run_show,
		"what there is; of this user or initiator only"},
	{"trace", "NAME", 1, 1, run_trace,
		"packets of a user's or initiator's set-up and upkeep, as they come and go"},
	{"clear", "user NAME | initiator NAME | id NUMBER | all", 1, 2, run_clear,
		"end softwires; initiators connect again at once"},
	{"forget", "USER", 1, 1, run_forget,
		"end a user's softwires and give the addresses back to the pool"},
	{"reload", "", 0, 0, run_reload, "read the configuration again, and apply what can change"},
	{"check", "FILE", 1, 1, run_check, "check a configuration file and the files that it names"},
	{"version", "", 0, 0, run_version, "the version of this program"},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct option options[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	printf("usage: softwire [OPTION...] COMMAND\n\n");
	for (unsigned i = 0; i < COMMANDS; i++)
		printf("  %s%s%s\n        %s\n", commands[i].name, *commands[i].arguments ? " " : "",
			commands[i].arguments, commands[i].help);
	printf("\n  --json         print the daemon's answer as it is (doc/control.md)\n"
	       "  --socket PATH  the control socket; /run/softwired/control.sock\n"
	       "  --help, --version\n");
	return DONE;
}

int main(int argc, char **argv)
{
	struct call call = {.socket = "/run/softwired/control.sock"};
	const struct command *command = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "hj", options, NULL)) != -1) {
		switch (option) {
		case 's':
			call.socket = optarg;
			break;
		case 'j':
			call.json = true;
			break;
		case 'h':
			return help();
		case 'V':
			return run_version(&call);
		default:
			return usage("this is no option of it", NULL);
		}
	}
	if (optind == argc)
		return usage("what shall it do?", NULL);
	for (unsigned i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, argv[optind]))
			command = &commands[i];
	if (!command)
		return usage("there is no such command", argv[optind]);
	call.argc = argc - optind - 1;
	call.argv = argv + optind + 1;
	if (call.argc < command->least || call.argc > command->most) {
		fprintf(stderr, "usage: softwire %s %s\n", command->name, command->arguments);
		return USAGE;
	}
	return command->run(&call);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* softwire show. */
#include <string.h>
#include <time.h>

#include "command/bgp.h"
#include "command/command.h"
#include "command/drain.h"
#include "control/client.h"
#include "control/print.h"

/* Above the table: it concerns all of it. */
static void print_database(const json_t *database)
{
	const char *why = json_string_value(json_object_get(database, "why"));

	if (json_is_false(json_object_get(database, "writable")))
		printf("The leases are read-only, for %lld s: %s.\nUsers who come back for an unchanged "
		       "lease get in, new ones do not.\n\n",
			(long long)json_integer_value(json_object_get(database, "seconds")), why ? why : "?");
}

/* Above the table, too: whoever looks at softwires that vanish sees why. */
static void print_drain(const json_t *drain)
{
	char text[200];

	if (drain)
		printf("This concentrator is %s: %s\n\n", json_string_value(json_object_get(drain, "state")),
			drain_line(drain, text));
}

/* All of it: where to, how fast. */
static void print_whole_drain(const json_t *drain)
{
	const json_t *to = json_object_get(drain, "to"), *target,
		     *grace = json_object_get(drain, "grace_seconds");
	char text[200];
	size_t i;

	puts(drain_line(drain, text));
	if (!json_object_get(drain, "rate"))
		return;
	printf("%s since %lld s, %lld a second", json_string_value(json_object_get(drain, "state")),
		(long long)json_integer_value(json_object_get(drain, "since_seconds")),
		(long long)json_integer_value(json_object_get(drain, "rate")));
	json_array_foreach(to, i, target) printf("%s %s", i ? "," : ", to", json_string_value(target));
	if (json_is_integer(grace))
		printf(", grace %lld s", (long long)json_integer_value(grace));
	putchar('\n');
}

static const char *rows_of(const char *what)
{
	return !strcmp(what, "reverse-zone") ? "reverse_zones" : what;
}

static void print_show(const struct call *call, const json_t *answer)
{
	const char *what = call->argv[0];
	const json_t *rows = json_object_get(answer, rows_of(what));

	print_database(json_object_get(answer, "database"));
	if (!strcmp(what, "softwires"))
		print_drain(json_object_get(answer, "drain"));
	if (!strcmp(what, "drain"))
		print_whole_drain(rows);
	else if (!strcmp(what, "softwires"))
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

/* Whoever asks for one that is not there has mistyped it, or wants to know. */
static int show_one(const struct call *call, json_t *request)
{
	static const char *const ones[][2] = {{"softwires", "softwire"}, {"tunnels", "tunnel"},
		{"leases", "lease"}, {"reverse-zone", "zone"}};
	struct control_client client = {.fd = -1};
	json_t *answer = command_ask(call, &client, request);
	bool ok = command_agreed(call, answer),
	     any = json_array_size(json_object_get(answer, rows_of(call->argv[0])));

	if (ok && any && !call->json)
		print_show(call, answer);
	for (unsigned i = 0; ok && !any && i < sizeof(ones) / sizeof(*ones); i++)
		if (!strcmp(ones[i][0], call->argv[0]))
			fprintf(stderr, "softwire: no %s of %s\n", ones[i][1], call->argv[1]);
	json_decref(answer);
	control_client_close(&client);
	return ok && any ? DONE : FAILED;
}

int run_show(const struct call *call)
{
	static const char *const things[] = {
		"softwires", "tunnels", "leases", "reverse-zone", "counters", "drain", NULL};
	const char *what = call->argv[0];
	char words[64];
	json_t *request;
	unsigned i = 0;
	int status;

	if (show_mesh(call, &status))
		return status;
	if (!strcmp(what, "bgp"))
		return show_bgp(call);
	if (!strcmp(what, "route"))
		return show_route(call);
	while (things[i] && strcmp(things[i], what) != 0)
		i++;
	if (!things[i])
		return command_usage("there is nothing to show by this name", what);
	if (call->argc > 2)
		return command_usage("one name at most", call->argv[2]);
	snprintf(words, sizeof(words), "show %s", what);
	request = json_pack("{s:s}", "do", words);
	if (call->argc > 1 && !strcmp(what, "drain")) {
		json_decref(request);
		return command_usage("there is one drain, without a name", call->argv[1]);
	}
	if (call->argc > 1 && strcmp(what, "counters") != 0)
		json_object_set_new(request, "filter", json_string(call->argv[1]));
	if (call->argc > 1 && strcmp(what, "counters") != 0)
		return show_one(call, request);
	return command_ask_once(call, request, print_show);
}

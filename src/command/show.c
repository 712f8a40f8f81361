/* SPDX-License-Identifier: GPL-2.0-or-later */
/* softwire show. */
#include <string.h>
#include <time.h>

#include "command/command.h"
#include "control/print.h"

/* Above the table: it concerns all of it. */
static void print_database(const json_t *database)
{
	const char *why = json_string_value(json_object_get(database, "why"));

	if (json_is_false(json_object_get(database, "writable")))
		printf("The leases are read-only, for %lld s: %s.\nUsers who come back for an unchanged lease get in, new ones do not.\n\n",
			(long long)json_integer_value(json_object_get(database, "seconds")), why ? why : "?");
}

static void print_show(const struct call *call, const json_t *answer)
{
	const char *what = call->argv[0];
	const json_t *rows = json_object_get(answer, !strcmp(what, "reverse-zone") ? "reverse_zones" : what);

	print_database(json_object_get(answer, "database"));
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

int run_show(const struct call *call)
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
		return command_usage("there is nothing to show by this name", what);
	snprintf(words, sizeof(words), "show %s", what);
	request = json_pack("{s:s}", "do", words);
	if (call->argc > 1 && strcmp(what, "counters") != 0)
		json_object_set_new(request, "filter", json_string(call->argv[1]));
	return command_ask_once(call, request, print_show);
}

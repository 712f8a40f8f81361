/* SPDX-License-Identifier: GPL-2.0-or-later */
/* softwire show paths, endpoints, acceptance and fib, and softwire mesh: softwires of the mesh. */
#include <stdio.h>
#include <string.h>

#include "bgp/message.h"
#include "command/bgp.h"
#include "control/print.h"

/* ---- show ---- */

static int show_paths(const struct call *call)
{
	if (call->argc > 1)
		return command_usage("show paths takes nothing more", call->argv[1]);
	return command_ask_pages(call, json_pack("{s:s}", "do", "show paths"), "paths", print_mesh_paths);
}

static void print_endpoints(const struct call *call, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "endpoints"), *row;
	size_t i;

	if (call->argc == 1)
		print_mesh_endpoints(stdout, rows);
	else
		json_array_foreach(rows, i, row) print_mesh_endpoint(stdout, row);
}

static int show_endpoints(const struct call *call)
{
	json_t *request;

	if (call->argc > 2)
		return command_usage("one address, or none for all", call->argv[2]);
	request = json_pack("{s:s}", "do", "show endpoints");
	if (call->argc == 2)
		json_object_set_new(request, "address", json_string(call->argv[1]));
	return command_ask_once(call, request, print_endpoints);
}

static void print_acceptance(const struct call *call, const json_t *answer)
{
	print_mesh_acceptance(stdout, json_object_get(answer, "acceptance"));
}

static int show_acceptance(const struct call *call)
{
	if (call->argc > 1)
		return command_usage("show acceptance takes nothing more", call->argv[1]);
	return command_ask_once(call, json_pack("{s:s}", "do", "show acceptance"), print_acceptance);
}

static int show_fib(const struct call *call)
{
	json_t *request = json_pack("{s:s}", "do", "show fib");
	const char *wrong = NULL, *word = NULL;

	for (int i = 1; i < call->argc && !wrong; i++) {
		enum bgp_family family;

		word = call->argv[i];
		if (strchr(word, '/'))
			json_object_set_new(request, "within", json_string(word));
		else if (!bgp_family_parse(word, &family))
			json_object_set_new(request, "family", json_string(word));
		else if (strpbrk(word, ":."))
			wrong = "`show fib` takes prefixes, `show route` finds addresses";
		else
			wrong = "show fib takes a family (ipv4, ipv6, ipv4-labeled, ipv6-labeled) or a "
				"prefix";
	}
	if (!wrong)
		return command_ask_pages(call, request, "fib", print_mesh_fib);
	json_decref(request);
	return command_usage(wrong, word);
}

bool show_mesh(const struct call *call, int *ret_status)
{
	static const struct {
		const char *what;
		int (*show)(const struct call *call);
	} rows[] = {{"paths", show_paths}, {"endpoints", show_endpoints}, {"acceptance", show_acceptance},
		{"fib", show_fib}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].what, call->argv[0])) {
			*ret_status = rows[i].show(call);
			return true;
		}
	return false;
}

/* ---- what an operator does ---- */

static void print_rolled(const struct call *call, const json_t *answer)
{
	printf("%lld new; the old ones are taken for a while (softwire show acceptance)\n",
		(long long)json_integer_value(json_object_get(answer, "rolled")));
}

static void print_shut(const struct call *call, const json_t *answer)
{
	long long count = json_integer_value(json_object_get(answer, "endpoints"));

	printf("%lld endpoint%s %s\n", count, count == 1 ? "" : "s",
		strcmp(call->argv[0], "start") != 0 ? "shut down" : "started");
}

int run_mesh(const struct call *call)
{
	const char *what = call->argv[0];
	bool shutdown = !strcmp(what, "shutdown");

	if (!strcmp(what, "roll") && call->argc == 1)
		return command_ask_once(call, json_pack("{s:s}", "do", "mesh roll"), print_rolled);
	if (!strcmp(what, "roll"))
		return command_usage("mesh roll takes nothing more", call->argv[1]);
	if (!shutdown && strcmp(what, "start") != 0)
		return command_usage(
			"mesh roll, shutdown or start; `softwire show paths` and others show", what);
	if (call->argc != 2)
		return command_usage("of which endpoint?", NULL);
	return command_ask_once(call,
		json_pack("{s:s, s:s}", "do", shutdown ? "mesh shutdown" : "mesh start", "address",
			call->argv[1]),
		print_shut);
}

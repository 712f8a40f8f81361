/* SPDX-License-Identifier: GPL-2.0-or-later */
/* softwire show bgp, show route, and softwire bgp: the mesh. */
#include <stdio.h>
#include <string.h>

#include "bgp/message.h"
#include "command/bgp.h"
#include "command/option.h"
#include "control/client.h"
#include "control/print.h"

/* ---- show ---- */

static void print_neighbors(const struct call *call, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "neighbors");

	if (call->argc > 2)
		print_bgp_neighbor(stdout, json_array_get(rows, 0));
	else
		print_bgp_neighbors(stdout, rows);
}

static void print_summary(const struct call *call, const json_t *answer)
{
	print_bgp_speaker(stdout, json_object_get(answer, "speaker"));
	print_bgp_neighbors(stdout, json_object_get(answer, "neighbors"));
}

static void print_attributes(const struct call *call, const json_t *answer)
{
	print_bgp_attributes(stdout, json_object_get(answer, "attributes"));
}

static int show_neighbors(const struct call *call)
{
	json_t *request;

	if (call->argc > 3)
		return command_usage("one neighbor, or none for all", call->argv[3]);
	request = json_pack("{s:s}", "do", "show bgp neighbors");
	if (call->argc == 3)
		json_object_set_new(request, "filter", json_string(call->argv[2]));
	return command_ask_once(call, request, print_neighbors);
}

static bool is_family(const char *word)
{
	enum bgp_family f;

	return !bgp_family_parse(word, &f);
}

/* NULL, or what is wrong with WORDS; *ret_word is the one where it is. */
static const char *route_words(json_t *request, int argc, char **words, const char **ret_word)
{
	static const char *const keys[] = {"received", "advertised", "within", NULL};

	for (int i = 0; i < argc; i++) {
		unsigned k = 0;

		*ret_word = words[i];
		while (keys[k] && strcmp(keys[k], words[i]) != 0)
			k++;
		if (keys[k] && i + 1 == argc)
			return k < 2 ? "a neighbor must follow" : "a prefix must follow";
		if (keys[k])
			json_object_set_new(request, keys[k], json_string(words[++i]));
		else if (strchr(words[i], '/'))
			json_object_set_new(request, "within", json_string(words[i]));
		else if (is_family(words[i]))
			json_object_set_new(request, "family", json_string(words[i]));
		else if (strpbrk(words[i], ":.")) /* an address */
			return "`show bgp routes` takes prefixes, `show route` finds addresses";
		else
			return "show bgp routes takes a family (ipv4, ipv6, ipv4-labeled, ipv6-labeled, "
			       "ipv4-encap, ipv6-encap), received NEIGHBOR, advertised NEIGHBOR or within "
			       "PREFIX";
	}
	return NULL;
}

enum { IN_ORDER = 2000 };

/* Rows are kept back until it is known whether they are all, and few enough to be put in order. */
struct table {
	command_print_page *print;
	struct print_shape shape;
	json_t *rows; /* NULL: those before have been printed */
};

static void add_page(struct table *t, json_t *rows, bool last)
{
	if (t->rows) {
		json_array_extend(t->rows, rows);
		if (!last && json_array_size(t->rows) < IN_ORDER)
			return;
		rows = t->rows;
	}
	t->print(stdout, rows, &t->shape, t->rows && last);
	json_decref(t->rows);
	t->rows = NULL;
}

/* A page, and then the next one. */
int command_ask_pages(const struct call *call, json_t *request, const char *name, command_print_page *print)
{
	struct table table = {.print = print, .rows = json_array()};
	bool ok = true, more = true;

	while (ok && more) {
		struct control_client client = {.fd = -1};
		json_t *answer = command_ask(call, &client, json_deep_copy(request));
		json_t *next = json_object_get(answer, "next");

		ok = command_agreed(call, answer);
		if (ok && !call->json)
			add_page(&table, json_object_get(answer, name), !json_is_string(next));
		more = json_is_string(next) && !ferror(stdout);
		if (more)
			json_object_set(request, "after", next);
		json_decref(answer);
		control_client_close(&client);
	}
	json_decref(request);
	json_decref(table.rows);
	return ok ? DONE : FAILED;
}

static int show_routes(const struct call *call)
{
	json_t *request = json_pack("{s:s}", "do", "show bgp routes");
	const char *word = NULL, *wrong = route_words(request, call->argc - 2, call->argv + 2, &word);

	if (!wrong)
		return command_ask_pages(call, request, "routes", print_bgp_routes);
	json_decref(request);
	return command_usage(wrong, word);
}

static void print_route(const struct call *call, const json_t *answer)
{
	const json_t *route;
	size_t i;

	json_array_foreach(json_object_get(answer, "routes"), i, route) print_bgp_route(stdout, route);
}

int show_route(const struct call *call)
{
	if (call->argc != 2)
		return command_usage(
			"show route: to which address, or for which prefix? `show bgp routes` shows all",
			NULL);
	return command_ask_once(
		call, json_pack("{s:s, s:s}", "do", "show route", "to", call->argv[1]), print_route);
}

int show_bgp(const struct call *call)
{
	const char *what = call->argc > 1 ? call->argv[1] : "";

	if (call->argc == 1 || (!strcmp(what, "summary") && call->argc == 2))
		return command_ask_once(call, json_pack("{s:s}", "do", "show bgp neighbors"), print_summary);
	if (!strcmp(what, "neighbors"))
		return show_neighbors(call);
	if (!strcmp(what, "routes"))
		return show_routes(call);
	if (!strcmp(what, "attributes") && call->argc > 2)
		return command_usage("show bgp attributes takes nothing more", call->argv[2]);
	if (!strcmp(what, "attributes"))
		return command_ask_once(
			call, json_pack("{s:s}", "do", "show bgp attributes"), print_attributes);
	return command_usage("show bgp takes neighbors, routes or attributes, or nothing", what);
}

/* ---- what an operator does ---- */

struct options {
	const char *words;
	bool in, out, json, help;
};

#define FIELD(field) .offset = offsetof(struct options, field)

static const struct option_row rows[] = {
	{"words", "TEXT", .kind = OPTION_TEXT, FIELD(words),
		.help = "clear: tell the neighbor why (RFC 9003)"},
	{"in", NULL, .kind = OPTION_FLAG, FIELD(in), .help = "refresh: ask for its routes again"},
	{"out", NULL, .kind = OPTION_FLAG, FIELD(out), .help = "refresh: send ours again"},
	{"json", NULL, .kind = OPTION_FLAG, FIELD(json), .help = "print the daemon's answer as it is"},
	{"help", NULL, .kind = OPTION_FLAG, FIELD(help), .help = "print this"},
};
const struct option_table bgp_options = {rows, sizeof(rows) / sizeof(*rows)};

static int help(void)
{
	printf("usage: softwire bgp clear NEIGHBOR|all [--words TEXT]\n"
	       "       softwire bgp refresh NEIGHBOR|all [--in] [--out]\n"
	       "       softwire bgp dump\n\n"
	       "clear ends sessions, which begin again at once; refresh has the routes of a session told "
	       "again,\n"
	       "both ways without an option; dump writes all tables to a file (MRT, RFC 6396).\n\n");
	option_help(&bgp_options, stdout);
	return DONE;
}

static void print_done(const struct call *call, const json_t *answer)
{
	const json_t *cleared = json_object_get(answer, "cleared"),
		     *refreshed = json_object_get(answer, "refreshed");
	const char *file = json_string_value(json_object_get(answer, "file"));
	long long count = json_integer_value(cleared ? cleared : refreshed);

	if (file)
		puts(file);
	else
		printf("%lld neighbor%s %s\n", count, count == 1 ? "" : "s",
			cleared ? "cleared" : "refreshed");
}

static json_t *request_for(const char *words, const char *neighbor)
{
	json_t *request = json_pack("{s:s}", "do", words);

	if (!strcmp(neighbor, "all"))
		json_object_set_new(request, "all", json_true());
	else
		json_object_set_new(request, "neighbor", json_string(neighbor));
	return request;
}

static int run(const struct call *call, const struct options *o, const char *const words[2], unsigned count)
{
	bool clear = count && !strcmp(words[0], "clear"), refresh = count && !strcmp(words[0], "refresh");
	json_t *request;

	if (count == 2 && !strcmp(words[0], "dump"))
		return command_usage("bgp dump takes nothing more", words[1]);
	if (count && !strcmp(words[0], "dump"))
		return command_ask_once(call, json_pack("{s:s}", "do", "bgp dump"), print_done);
	if (!clear && !refresh)
		return command_usage(
			"bgp clear, refresh or dump; `softwire show bgp` shows sessions and routes",
			count ? words[0] : NULL);
	if (count != 2)
		return command_usage("of which neighbor, or of all?", NULL);
	if ((o->words && !clear) || ((o->in || o->out) && !refresh))
		return command_usage("--words is of clear, --in and --out are of refresh", NULL);
	request = request_for(clear ? "bgp clear" : "bgp refresh", words[1]);
	if (o->words)
		json_object_set_new(request, "words", json_string(o->words));
	if (o->in)
		json_object_set_new(request, "in", json_true());
	if (o->out)
		json_object_set_new(request, "out", json_true());
	return command_ask_once(call, request, print_done);
}

int run_bgp(const struct call *call)
{
	struct options o = {0};
	struct call own = *call;
	const char *words[2];
	unsigned count = 0;
	char why[160];

	if (!option_parse(&bgp_options, call->argc, call->argv, &o, words, 2, &count, why)) {
		fprintf(stderr, "softwire: bgp: %s\nsoftwire bgp --help tells what there is.\n", why);
		return USAGE;
	}
	if (o.help)
		return help();
	own.json |= o.json;
	return run(&own, &o, words, count);
}

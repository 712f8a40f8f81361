/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changes something in the daemon, and following what it does. */
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "control/client.h"
#include "control/print.h"

static void print_cleared(const struct call *call, const json_t *answer)
{
	json_int_t n = json_integer_value(json_object_get(answer, "cleared"));

	printf("%lld softwire%s cleared.\n", (long long)n, n == 1 ? "" : "s");
}

int run_clear(const struct call *call)
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
		return command_usage("clear what? user NAME, initiator NAME, id NUMBER, or all", NULL);
	}
	return command_ask_once(call, request, print_cleared);
}

static void print_forgotten(const struct call *call, const json_t *answer)
{
	json_int_t n = json_integer_value(json_object_get(answer, "forgotten"));

	if (n)
		printf("%lld lease%s of %s forgotten.\n", (long long)n, n == 1 ? "" : "s", call->argv[0]);
	else
		printf("%s has no lease.\n", call->argv[0]);
}

int run_forget(const struct call *call)
{
	return command_ask_once(
		call, json_pack("{s:s, s:s}", "do", "forget", "user", call->argv[0]), print_forgotten);
}

static void print_reloaded(const struct call *call, const json_t *answer)
{
	const json_t *say = json_object_get(answer, "say"), *warning;
	size_t i;

	json_array_foreach(json_object_get(answer, "warnings"), i, warning)
		fprintf(stderr, "softwire: warning: %s\n", json_string_value(warning));
	if (json_array_size(say))
		command_sentences(stdout, say);
	else
		printf("Nothing has changed.\n");
}

int run_reload(const struct call *call)
{
	return command_ask_once(call, json_pack("{s:s}", "do", "reload"), print_reloaded);
}

/* The version of whoever listens at the socket now; NULL: nobody does, or it makes no sense. The result is to be released. */
static json_t *ask_version(const struct call *call)
{
	struct control_client client;
	const char *line = NULL;
	char why[256];
	json_t *answer;
	size_t len = 0;

	if (control_client_open(&client, call->socket, why))
		return NULL;
	if (!control_client_send(&client, json_pack("{s:s}", "do", "version")))
		line = control_client_line(&client, &len);
	answer = line ? json_loadb(line, len, 0, NULL) : NULL;
	control_client_close(&client);
	return answer;
}

/* The socket is the same one for both programs: whoever connects while none of them listens waits. */
static bool wait_for_version(const struct call *call, const char *version)
{
	json_t *answer = ask_version(call);
	const char *is = json_string_value(json_object_get(answer, "version"));
	bool same = is && !strcmp(is, version);

	if (!is)
		fprintf(stderr, "softwire: nobody listens any more: the daemon's log says why\n");
	else if (!same)
		fprintf(stderr, "softwire: softwired %s goes on: its log says why\n", is);
	else if (!call->json)
		printf("softwired %s has taken over; softwires stay up.\n", version);
	json_decref(answer);
	return same;
}

int run_upgrade(const struct call *call)
{
	struct control_client client = {.fd = -1};
	json_t *answer = command_ask(call, &client, json_pack("{s:s}", "do", "upgrade"));
	const char *version = json_string_value(json_object_get(answer, "version"));
	bool ok = command_agreed(call, answer) && version;
	size_t len;

	if (answer && !ok && !call->json)
		command_sentences(stderr, json_object_get(answer, "errors"));
	while (ok && control_client_line(&client, &len)) /* until it hangs up */
		continue;
	control_client_close(&client);
	if (ok)
		ok = wait_for_version(call, version);
	json_decref(answer);
	return ok ? DONE : FAILED;
}

int run_trace(const struct call *call)
{
	struct control_client client = {.fd = -1};
	json_t *answer =
		command_ask(call, &client, json_pack("{s:s, s:s}", "do", "trace", "name", call->argv[0]));
	bool ok = command_agreed(call, answer);
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

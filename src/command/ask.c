/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question to the daemon, and its answer. */
#include <stdio.h>

#include "command/command.h"
#include "control/client.h"

int command_usage(const char *text, const char *word)
{
	fprintf(stderr, "softwire: %s%s%s\nsoftwire --help tells what there is.\n", text, word ? ": " : "",
		word ? word : "");
	return USAGE;
}

json_t *command_ask(const struct call *call, struct control_client *client, json_t *request)
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

bool command_agreed(const struct call *call, const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	if (answer && !call->json)
		fprintf(stderr, "softwire: %s\n", error ? error : "refused");
	return false;
}

void command_sentences(FILE *out, const json_t *sentences)
{
	const json_t *s;
	size_t i;

	json_array_foreach(sentences, i, s)
		fprintf(out, "%s\n", json_string_value(s) ? json_string_value(s) : "?");
}

int command_ask_once(const struct call *call, json_t *request,
	void (*print)(const struct call *call, const json_t *answer))
{
	struct control_client client = {.fd = -1};
	json_t *answer = command_ask(call, &client, request);
	bool ok = command_agreed(call, answer);

	if (answer && !call->json) {
		if (!ok)
			command_sentences(stderr, json_object_get(answer, "errors"));
		else
			print(call, answer);
	}
	json_decref(answer);
	control_client_close(&client);
	return ok ? DONE : FAILED;
}

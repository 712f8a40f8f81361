/*
 * command: the subcommands of softwire(1), one function each; the table that names them is in softwire.c.
 *
 * Parts: ask.c (a question to the daemon, and its answer), show.c, change.c (clear, forget, reload, trace), check.c (what works without a
 * daemon); the quick client: connect.h and the files that it names.
 * Every run_*() gives the exit status: 0 done, 1 not done (the reason went to stderr), 2 wrong usage.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { DONE = 0, FAILED = 1, USAGE = 2 };

struct call {
	const char *socket;
	bool json;
	int argc; /* words behind the subcommand */
	char **argv;
};

/* ask.c */
struct control_client;
/* Complains about TEXT (and WORD, where there is one); gives USAGE. */
int command_usage(const char *text, const char *word);
/* Sends REQUEST (its reference is taken over) and gives the answer, or NULL after having said why there is none. */
json_t *command_ask(const struct call *call, struct control_client *client, json_t *request);
/* Whether the answer says ok; why not goes to stderr. */
bool command_agreed(const struct call *call, const json_t *answer);
void command_sentences(FILE *out, const json_t *sentences);
/* Asks, and prints the answer by PRINT unless it went out as JSON. */
int command_ask_once(const struct call *call, json_t *request, void (*print)(const struct call *call, const json_t *answer));

int run_show(const struct call *call);

/* connect.c: reads its options itself */
int run_connect(const struct call *call);

/* change.c */
int run_clear(const struct call *call);
int run_forget(const struct call *call);
int run_reload(const struct call *call);
int run_trace(const struct call *call);

/* check.c */
int run_check(const struct call *call);
int run_version(const struct call *call);

#endif

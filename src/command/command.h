/*
 * command: the subcommands of softwire(1), one function each; the table that names them is in softwire.c.
 *
 * Parts: ask.c (a question to the daemon, and its answer), show.c, drain.c, change.c (clear, forget, reload, upgrade, trace), lease.c
 * (export, import, check of leases), bgp.c and mesh.c (the mesh), check.c (what works without a daemon), complete.c (what shells offer for the word at the end of a
 * command line); the quick client: connect.h and the files that it names.
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

/* A row of the table. ARGUMENTS is what the help shows, and what completion is made from: complete.c tells its grammar. */
struct option_table;
struct command {
	const char *name, *arguments;
	int least, most; /* words; MOST -1: what follows is the subcommand's own business, options too */
	int (*run)(const struct call *c);
	const char *help;
	const struct option_table *options; /* of its own; NULL: none */
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

/* drain.c: reads its options itself */
int run_drain(const struct call *call);

/* change.c */
int run_clear(const struct call *call);
int run_forget(const struct call *call);
int run_reload(const struct call *call);
/* Waits until the new program answers. */
int run_upgrade(const struct call *call);
int run_trace(const struct call *call);

/* lease.c: reads its options itself */
extern const struct option_table lease_options;
int run_lease(const struct call *call);

/* complete.c */
struct option;
/*
 * Prints what can stand in the place of the last of WORDS, which stand behind "softwire": one candidate on a line, those that begin as the word does. A
 * line ":file" alone says that it is a file's name. Options of the table that ends with zeros. Silent where there is nothing to say, or nobody to ask.
 */
int complete_words(const struct command *commands, unsigned count, const struct option *options, int argc, char **words);

/* check.c */
int run_check(const struct call *call);
int run_version(const struct call *call);

#endif

/*
 * control/server: the control socket: one JSON object per line, {"v":1,"do":"show softwires",...} -> {"ok":true,...}.
 *
 * Verbs are rows of a table: words, whether they change something (root only, by SO_PEERCRED), arguments, handler. Requests and lines are bounded;
 * a slow reader of a trace loses events (and is told how many), never stalls the daemon. doc/control.md documents every field.
 */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include "afbr/afbr.h"
#include "control/config.h"

/* What the verbs work on: the worker. */
struct control_targets {
	struct concentrator *concentrator; /* NULL: none */
	struct afbr *afbr;                 /* NULL: none */
	unsigned initiator_count;
	struct initiator *initiators[CONFIG_INITIATORS];
	struct log *log;
	/* Reads the file again and applies it; answers through control_reload_done(). */
	void (*reload)(void *owner);
	/* Has another program take our place; answers through control_upgrade_done(). */
	void (*upgrade)(void *owner);
	void *owner;
};

struct control_server;
struct control_server *control_server_new(struct loop *loop, int fd, struct control_targets *targets);
void control_server_free(struct control_server *s);
struct json_t;
/* RESULT 0: it will, and its VERSION is that; -EINVAL: it is not fit, and SAY (array of strings; the reference is taken over) is what it said; -EBUSY,
 * -EOPNOTSUPP. */
void control_upgrade_done(struct control_server *s, int result, const char *version, struct json_t *say);
/* How a reload has ended: arrays of strings, whose references are taken over. ERRORS: none when it was applied; NULL: there was no memory for
 * any. WARNINGS: about the configuration. SAY: what has changed, and what needs a restart. */
void control_reload_done(
	struct control_server *s, struct json_t *errors, struct json_t *warnings, struct json_t *say);
/* I is about to go: whoever traces it hears no more. */
void control_forget_initiator(struct control_server *s, const struct initiator *i);

#endif

/*
 * keeper/upgrade: may another program take our place? It is asked for its version, and whether it takes the configuration (-V, then -t), as a child.
 * What it says becomes the answer, as a file: the first line is its version, the others are for people.
 */
#ifndef KEEPER_UPGRADE_H
#define KEEPER_UPGRADE_H

#include "keeper/child.h"
#include "keeper/message.h"
#include "lib/log.h"

enum upgrade_step { UPGRADE_NONE, UPGRADE_VERSION, UPGRADE_TEST, UPGRADE_ANSWER, UPGRADE_READY };

/* Zeroed, but for the log: nothing is going on. */
struct upgrade {
	struct log *log;
	enum upgrade_step step;
	const char *const *command;
	struct child child;
	uint32_t id; /* of the request */
	int result;
	int output; /* what the program says; counts while something is going on */
};

/* COMMAND (NULL: none is known) is what would be run. 0: the answer to the request ID will come. */
int upgrade_begin(struct upgrade *u, uint32_t id, const char *const *command, msec now);
/* A child has ended, maybe ours. */
void upgrade_reap(struct upgrade *u, msec now);
msec upgrade_deadline(const struct upgrade *u);
void upgrade_expire(struct upgrade *u, msec now);
/* The answer, with a descriptor that is the caller's then; false: none is due. Afterwards the upgrade is ready, if the answer is 0. */
bool upgrade_answer(struct upgrade *u, struct message_answer *ret, int *ret_fd);
/* Whoever asked is gone, or it is over. */
void upgrade_forget(struct upgrade *u);

#endif

/*
 * keeper/child: a program that the keeper runs: in a session of its own, with nothing of ours, killed with its process group when its time is
 * over. Whoever runs programs (resolver.c, hook.c) has a struct child for each, and is told by the keeper of SIGCHLD and of the time.
 */
#ifndef KEEPER_CHILD_H
#define KEEPER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/wheel.h"

enum { CHILD_VERDICT = 64 };

/* Zeroed: none runs. */
struct child {
	pid_t pid;    /* 0: none */
	bool killed;  /* its time was over */
	msec kill_at; /* counts while it runs */
};

struct child_program {
	const char *const *arguments; /* the first is the program's path; NULL behind the last */
	const char *const *environment;
	int input;  /* its stdin; -1: /dev/null */
	int output; /* its stdout and stderr; -1: /dev/null */
};

/*
 * 0 or -errno. What goes wrong in the child before the program runs ends it with status 127 after a line on its stderr. The descriptors stay the
 * caller's, who also has all signals blocked that must not reach the child before it is another program.
 */
int child_start(struct child *c, const struct child_program *p, msec until);
/* Has it ended? Then none runs any more, and *ret_status is what waitpid() said. */
bool child_reap(struct child *c, int *ret_status);
/* When child_expire() is to be called; MSEC_NEVER. */
msec child_deadline(const struct child *c);
void child_expire(struct child *c, msec now);
/* Kills it with its process group, now. It must still be reaped. */
void child_kill(struct child *c);
/* How a child that was reaped has ended, in words; NULL when it was well (status 0). */
const char *child_verdict(const struct child *c, int status, char text[CHILD_VERDICT]);

#endif

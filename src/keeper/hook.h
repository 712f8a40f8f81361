/*
 * keeper/hook: runs the operator's programs, of each key one after the other, of different keys some at a time, and writes what they say to the log.
 *
 * Nothing here waits: the keeper polls what hooks_poll() names, and calls hooks_read() after that, hooks_reap() after SIGCHLD and hooks_expire()
 * at hooks_deadline(). Answers wait in hooks_answer() until the keeper can send them.
 */
#ifndef KEEPER_HOOK_H
#define KEEPER_HOOK_H

#include <poll.h>

#include "keeper/child.h"
#include "keeper/handover.h"
#include "keeper/ledger.h"
#include "keeper/message.h"
#include "lib/log.h"

enum { HOOKS_RUNNING = 4, HOOKS_WAITING = 10000, HOOK_PATIENCE = 30000, HOOK_LINE = 256 };

struct hook_job;

/* A hook that runs. */
struct hook_run {
	struct hook_job *job; /* NULL: none */
	struct child child;
	int output;              /* the end of its stdout and stderr to read from; -1: it has closed them */
	unsigned lines, dropped; /* in the log, and not */
	size_t len;              /* of LINE */
	char line[HOOK_LINE];    /* what it has not finished yet */
};

struct hooks {
	struct log *log;
	msec patience; /* with one hook */
	struct hook_run runs[HOOKS_RUNNING];
	struct hook_job *first,
		**end; /* they wait: each for one of its key that runs, or all runs are taken */
	size_t waiting;
	struct hook_job *ended, **ended_end; /* their answers wait */
	struct limit lines, failures;
	bool paused; /* none is started any more */
};

void hooks_init(struct hooks *h, struct log *log);
/* M has been decoded. 0: the answer to the request ID will come; -ENOBUFS when too many wait, -ENOMEM. */
int hooks_add(struct hooks *h, uint32_t id, const struct message_hook *m, msec now);
/* Whoever asked is gone: its hooks are run, but not answered. */
void hooks_forget(struct hooks *h);
/* The next answer that is due; false: none. */
bool hooks_answer(struct hooks *h, struct message_answer *ret);

/* Some run or wait. */
bool hooks_busy(const struct hooks *h);
/* Fills P; how many. */
unsigned hooks_poll(const struct hooks *h, struct pollfd p[HOOKS_RUNNING]);
void hooks_read(struct hooks *h, msec now);
/* A child has ended, maybe one of ours. */
void hooks_reap(struct hooks *h, msec now);
msec hooks_deadline(const struct hooks *h);
void hooks_expire(struct hooks *h, msec now);
/* Some run. */
bool hooks_run(const struct hooks *h);
/*
 * The keeper becomes another program. Hooks are written down for it: those that run, which stay its children, with the descriptor that they are heard
 * by, then those that wait.
 */
void hooks_hand_over(struct hooks *h, struct ledger *l, struct handover *to);
/* One that was written down and runs: it is heard, reaped, and killed in time, and others of its key wait for it. False: it is none. */
bool hooks_inherit_run(struct hooks *h, struct reader fields, struct handover *from, msec now);
/* One that was written down and waits; it is run, but not answered. False: it is none. */
bool hooks_inherit(struct hooks *h, struct reader fields, msec now);
/* Kills what runs, drops what waits. */
void hooks_done(struct hooks *h);

#endif

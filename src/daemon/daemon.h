/*
 * daemon: softwired without its command line: the engine process around one worker, and the keeper's side of the configuration.
 *
 * The engine process is one worker: a loop, a client of the keeper, and the roles hanging off it. It ends in good order on SIGTERM: roles
 * first (peers are told), then the handles, then the loop.
 *
 * Parts: worker.c (start, stop, signals), reload.c (applying a new configuration), leave.c (initiators that it removes), boot.c (the
 * configuration in the keeper: what follows from it for the policy, and reading it again), upgrade.c (another program takes our place).
 *
 * Softwires outlive the engine process: each role writes them down in memory that the keeper holds, and adopts what it finds there when it
 * starts (concentrator/adopt.c, initiator/adopt.c).
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "control/allow.h"
#include "control/config.h"
#include "keeper/keeper.h"

struct worker;

/* Somebody who looks on in the engine process, and may end it: `softwire connect`. */
struct worker_observer {
	/* The initiators are about to start: from now on they may be shown and traced, and LOOP's wheel and LOG be used. */
	void (*begun)(struct worker_observer *o, struct worker *w, struct loop *loop, struct log *log,
		struct initiator *const *initiators, unsigned count);
	/* The roles are about to say goodbye. */
	void (*stopping)(struct worker_observer *o);
	/* All is over; STATUS and the result are what worker_run() returns. Also when nothing has begun. */
	int (*ended)(struct worker_observer *o, int status);
};

/* What lives in the keeper: the configuration as it was read last, and what follows from it. */
struct boot {
	struct config *config;
	struct config *before; /* the last reload; or NULL */
	struct allow_lists lists;
	struct keeper_policy policy;
	struct log log;
	enum keeper_hangup hangup;
	const char *const *command; /* that starts us, for upgrades: an absolute path and arguments; NULL: none */
	struct worker_observer *observer; /* NULL: nobody */
};

/* With room for a configuration at boot->config, which the caller fills. NULL: no memory. */
struct boot *boot_new(void);
void boot_free(struct boot *boot); /* NULL: nothing */
/* Runs keeper and engine with boot->config until the daemon ends; its exit status. */
int boot_run(struct boot *boot);

/* The engine process: keeper_run()'s ENGINE; FD leads to the keeper. OBSERVER may be NULL. */
int worker_run(const struct config *config, struct worker_observer *observer, int fd);
/* Ends the engine process in good order, with STATUS. Not from inside an engine, such as a trace event. */
void worker_stop(struct worker *w, int status);

#endif

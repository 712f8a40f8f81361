/* daemon/parts: what the files of this folder share. Not for others. */
#ifndef DAEMON_PARTS_H
#define DAEMON_PARTS_H

#include "control/server.h"
#include "daemon/daemon.h"

struct netlink_monitor;

struct worker {
	struct loop loop;
	struct log *log;
	struct rng rng;
	struct keeper_client *keeper;
	const struct config *config;
	struct worker_observer *observer;
	struct concentrator *concentrator;
	struct initiator *initiators[CONFIG_INITIATORS];
	unsigned initiator_count;
	struct control_targets targets;
	struct control_server *control;
	struct netlink_monitor *monitor;
	uv_signal_t terminate, interrupt, hangup;
	struct wheel_timer control_timer; /* the control socket was busy */
	unsigned control_tries;
	unsigned starting, stopping_roles;
	bool stopping, reload_asked;
	int status;
	pid_t parent; /* the keeper */
};

/* reload.c: everything is read and judged before anything changes. ASKED: a client of the control socket waits for the answer. */
void worker_reload(struct worker *w, bool asked);

/* worker.c: could another process go on with all softwires? */
bool worker_may_leave(const struct worker *w);
/* Ends the engine process at once, with STATUS, and leaves the softwires to the next one. */
void worker_leave(struct worker *w, int status);

/* upgrade.c: asks whether another program may take our place, answers whoever asked for it, and leaves. */
void worker_upgrade(void *owner);

#endif

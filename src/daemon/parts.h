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
};

/* reload.c: everything is read and judged before anything changes. ASKED: a client of the control socket waits for the answer. */
void worker_reload(struct worker *w, bool asked);

#endif

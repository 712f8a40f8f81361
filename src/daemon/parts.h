/* daemon/parts: what the files of this folder share. Not for others. */
#ifndef DAEMON_PARTS_H
#define DAEMON_PARTS_H

#include "control/server.h"
#include "daemon/daemon.h"

struct netlink_monitor;
struct reload;
struct leaving;

struct worker {
	struct loop loop;
	struct log *log;
	struct rng rng;
	struct keeper_client *keeper;
	const struct config *config; /* that we have started with */
	struct config *now;	     /* what is in force, after reloads */
	struct worker_observer *observer;
	struct concentrator *concentrator;
	struct afbr *afbr; /* NULL: none */
	struct initiator *initiators[CONFIG_INITIATORS];
	unsigned initiator_count;
	struct control_targets targets;
	struct control_server *control;
	struct netlink_monitor *monitor;
	uv_signal_t terminate, interrupt, hangup;
	struct wheel_timer control_timer; /* the control socket was busy */
	unsigned control_tries;
	unsigned starting, stopping_roles;
	struct reload *reload; /* under way, or NULL */
	bool reload_again, reload_again_asked;
	struct leaving *leaving; /* initiators that a reload has removed */
	bool stopping;
	int status;
	pid_t parent; /* the keeper */
};

/* worker.c */
/* One of the roles that the end waits for has stopped. */
void worker_role_stopped(struct worker *w);
/* Whether changes of the host's network are to be told to the initiators. */
void worker_watch_network(struct worker *w, bool wanted);
/* The control socket shows the roles that there are now. */
void worker_show_roles(struct worker *w);

/* leave.c: initiators that go while the daemon stays. */
struct leaving *leaving_new(struct worker *w); /* NULL: no memory; free() is enough for one that has not begun */
void leaving_begin(struct leaving *l, struct initiator *i);
bool leaving_has(const struct worker *w, const char *name);
unsigned leaving_count(const struct worker *w);
void leaving_free_all(struct worker *w);

/* reload.c: everything is read and judged before anything changes. ASKED: a client of the control socket waits for the answer. */
void worker_reload(struct worker *w, bool asked);
/* The one that had to wait, if there is one. */
void worker_reload_next(struct worker *w);
/* The one that is under way is forgotten. */
void worker_reload_free(struct worker *w);

/* worker.c: could another process go on with all softwires? */
bool worker_may_leave(const struct worker *w);
/* Ends the engine process at once, with STATUS, and leaves the softwires to the next one. */
void worker_leave(struct worker *w, int status);

/* upgrade.c: asks whether another program may take our place, answers whoever asked for it, and leaves. */
void worker_upgrade(void *owner);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine process: a loop, the keeper's client, and the roles. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/parts.h"
#include "netlink/route.h"

enum { BUSY_MS = 200, BUSY_TRIES = 25 };

/* ---- stop ---- */

void worker_role_stopped(struct worker *w)
{
	if (--w->stopping_roles == 0)
		loop_stop(&w->loop);
}

static void role_stopped(void *owner)
{
	worker_role_stopped(owner);
}

void worker_stop(struct worker *w, int status)
{
	if (w->stopping)
		return;

	w->stopping = true;
	if (w->observer)
		w->observer->stopping(w->observer);
	wheel_disarm(&w->loop.wheel, &w->control_timer);
	if (w->control)
		control_server_free(w->control); /* roles that are going have nothing to show any more */
	w->control = NULL;
	w->status = status;
	log_message(w->log, LEVEL_INFO, "stopping", "softwires are closed");
	w->stopping_roles = w->initiator_count + leaving_count(w) + (w->concentrator ? 1 : 0) + (w->afbr ? 1 : 0);
	if (!w->stopping_roles)
		loop_stop(&w->loop);
	if (w->concentrator)
		concentrator_stop(w->concentrator, role_stopped, w);
	if (w->afbr)
		afbr_stop(w->afbr, role_stopped, w);
	for (unsigned n = 0; n < w->initiator_count; n++)
		initiator_stop(w->initiators[n], role_stopped, w);
}

/* ---- leaving ---- */

bool worker_may_leave(const struct worker *w)
{
	if (w->stopping || w->starting || w->leaving || w->reload || (w->concentrator && !concentrator_may_leave(w->concentrator)) ||
		(w->afbr && !afbr_may_leave(w->afbr)))
		return false;
	for (unsigned n = 0; n < w->initiator_count; n++)
		if (!initiator_may_leave(w->initiators[n]))
			return false;
	return true;
}

void worker_leave(struct worker *w, int status)
{
	if (w->stopping)
		return;
	w->stopping = true;
	w->status = status;
	log_message(w->log, LEVEL_INFO, "leaving", "softwires stay up for the next process");
	if (w->concentrator)
		concentrator_leave(w->concentrator);
	if (w->afbr)
		afbr_leave(w->afbr);
	for (unsigned n = 0; n < w->initiator_count; n++)
		initiator_leave(w->initiators[n]);
	loop_stop(&w->loop);
}

/* ---- start ---- */

/* One of the roles, or the control socket, is there. */
static void part_started(struct worker *w)
{
	if (--w->starting || w->stopping)
		return;
	log_message(w->log, LEVEL_INFO, "ready", "softwired %s", SOFTWIRE_VERSION);
	keeper_ready(w->keeper);
	worker_reload_next(w);
}

static void role_started(void *owner, int result)
{
	struct worker *w = owner;

	if (result)
		worker_stop(w, KEEPER_GIVE_UP); /* the reason is logged; starting again would not help */
	else
		part_started(w);
}

void worker_show_roles(struct worker *w)
{
	w->targets.concentrator = w->concentrator;
	w->targets.afbr = w->afbr;
	w->targets.initiator_count = w->initiator_count;
	memcpy(w->targets.initiators, w->initiators, sizeof(w->initiators));
}

static void reload(void *owner)
{
	worker_reload(owner, true);
}

static void control_again(struct wheel_timer *t, msec now);

static void control_opened(void *owner, int result, int fd)
{
	struct worker *w = owner;

	if (w->stopping) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (result == -EADDRINUSE && w->control_tries++ < BUSY_TRIES) { /* of a daemon that was just killed */
		w->control_timer.fire = control_again;
		wheel_arm(&w->loop.wheel, &w->control_timer, loop_now(&w->loop) + BUSY_MS);
		return;
	}
	if (result) {
		log_message(w->log, LEVEL_ERROR, "control", "no control socket at %s: %s",
			w->config->control_socket, strerror(-result));
		part_started(w); /* softwires matter more */
		return;
	}
	w->targets = (struct control_targets){.log = w->log, .reload = reload, .upgrade = worker_upgrade, .owner = w};
	worker_show_roles(w);
	w->control = control_server_new(&w->loop, fd, &w->targets);
	part_started(w);
}

static void control_again(struct wheel_timer *t, msec now)
{
	struct worker *w = container_of(t, struct worker, control_timer);

	keeper_open_control(w->keeper, control_opened, w);
}

static void network_changed(void *owner, const char *what)
{
	struct worker *w = owner;
	char text[64];

	snprintf(text, sizeof(text), "the host's %s changed", what);
	for (unsigned n = 0; n < w->initiator_count; n++)
		initiator_hint(w->initiators[n], text);
}

void worker_watch_network(struct worker *w, bool wanted)
{
	if (!w->monitor == !wanted)
		return;
	if (!wanted)
		netlink_monitor_free(w->monitor);
	w->monitor = wanted ? netlink_monitor_new(&w->loop, network_changed, w) : NULL;
	if (w->monitor && w->concentrator)
		netlink_monitor_ignore(w->monitor, w->config->concentrator.device);
}

static void start_roles(struct worker *w)
{
	const struct config *config = w->config;

	if (config->concentrator.present)
		w->concentrator =
			concentrator_new(&w->loop, w->log, w->keeper, &w->rng, &config->concentrator);
	if (config->afbr)
		w->afbr = afbr_new(&w->loop, w->log, w->keeper, &w->rng, config->afbr);
	worker_watch_network(w, config->initiator_count > 0);
	for (unsigned n = 0; n < config->initiator_count; n++) {
		struct initiator *i =
			initiator_new(&w->loop, w->log, w->keeper, &w->rng, &config->initiators[n]);
		char device[32];

		if (!i)
			continue;
		w->initiators[w->initiator_count++] = i;
		snprintf(device, sizeof(device), "si-%s", config->initiators[n].name);
		if (w->monitor)
			netlink_monitor_ignore(w->monitor, device);
	}
	w->starting = w->initiator_count + (w->concentrator ? 1 : 0) + (w->afbr ? 1 : 0);
	if (w->starting != config->initiator_count + (config->concentrator.present ? 1u : 0u) + (config->afbr ? 1u : 0u)) {
		worker_stop(w, KEEPER_GIVE_UP);
		return;
	}
	if (w->observer)
		w->observer->begun(w->observer, w, &w->loop, w->log, w->initiators, w->initiator_count);
	w->starting++; /* the control socket */
	if (w->concentrator)
		concentrator_start(w->concentrator, role_started, w);
	if (w->afbr)
		afbr_start(w->afbr, role_started, w);
	for (unsigned n = 0; n < w->initiator_count; n++)
		initiator_start(w->initiators[n], role_started, w);
	if (*config->control_socket)
		keeper_open_control(w->keeper, control_opened, w);
	else
		part_started(w);
}

/* ---- life ---- */

/* Where somebody keeps what it held, there will be another one, whose engine process goes on with our softwires. */
static void keeper_lost(void *owner)
{
	struct worker *w = owner;

	log_message(w->log, LEVEL_ERROR, "keeper-lost", "the keeper is gone");
	if (keeper_is_kept() && worker_may_leave(w))
		worker_leave(w, 1);
	else
		worker_stop(w, 1);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct worker *w = handle->data;

	if (number == SIGHUP) /* from the keeper, whose verdict only an answer tells */
		worker_reload(w, false);
	else if (getppid() != w->parent) /* the signal comes from the kernel, and the keeper is dead */
		keeper_lost(w);
	else
		worker_stop(w, 0);
}

static void watch_signal(struct worker *w, uv_signal_t *handle, int number)
{
	uv_signal_init(&w->loop.uv, handle);
	handle->data = w;
	uv_signal_start(handle, on_signal, number);
}

static void worker_free(struct worker *w)
{
	if (w->control)
		control_server_free(w->control);
	if (w->monitor)
		netlink_monitor_free(w->monitor);
	worker_reload_free(w);
	leaving_free_all(w);
	for (unsigned n = 0; n < w->initiator_count; n++)
		initiator_free(w->initiators[n]);
	concentrator_free(w->concentrator);
	afbr_free(w->afbr);
	keeper_client_free(w->keeper);
	uv_close((uv_handle_t *)&w->terminate, NULL);
	uv_close((uv_handle_t *)&w->interrupt, NULL);
	uv_close((uv_handle_t *)&w->hangup, NULL);
	loop_done(&w->loop);
	config_free(w->now);
}

int worker_run(const struct config *config, struct worker_observer *observer, int fd)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct log log;
	int status;

	if (w)
		w->now = malloc(sizeof(*w->now));
	if (!w || !w->now) {
		free(w);
		return 1;
	}
	config_copy(w->now, config);
	w->config = config;
	w->observer = observer;
	w->parent = getppid();
	log_init(&log, STDERR_FILENO, w->config->log_level);
	w->log = &log;
	rng_init_system(&w->rng);
	if (loop_init(&w->loop)) {
		config_free(w->now);
		free(w);
		return 1;
	}
	w->keeper = keeper_client_new(&w->loop, fd, keeper_lost, w);
	watch_signal(w, &w->terminate, SIGTERM);
	watch_signal(w, &w->interrupt, SIGINT);
	watch_signal(w, &w->hangup, SIGHUP);
	start_roles(w);
	loop_run(&w->loop);
	status = observer ? observer->ended(observer, w->status) : w->status;
	worker_free(w);
	free(w);
	return status;
}

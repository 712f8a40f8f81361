/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwired: the daemon. Reads the configuration, becomes the keeper, and runs the roles in the engine process.
 *
 * The engine process is one worker: a loop, a client of the keeper, and the roles hanging off it. It ends in good order on SIGTERM: roles
 * first (peers are told), then the handles, then the loop.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "control/allow.h"
#include "control/config.h"
#include "control/server.h"
#include "netlink/route.h"

struct boot;
static const struct config *boot_config(const struct boot *boot);

static const char default_config[] = "/etc/softwire/softwired.conf";

enum { BUSY_MS = 200, BUSY_TRIES = 25 };

struct worker {
	struct loop loop;
	struct log *log;
	struct rng rng;
	struct keeper_client *keeper;
	const struct config *config;
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

/* ---- stop ---- */

static void role_stopped(void *owner)
{
	struct worker *w = owner;

	if (--w->stopping_roles == 0)
		loop_stop(&w->loop);
}

static void worker_stop(struct worker *w, int status)
{
	if (w->stopping)
		return;

	w->stopping = true;
	wheel_disarm(&w->loop.wheel, &w->control_timer);
	if (w->control)
		control_server_free(w->control); /* roles that are going have nothing to show any more */
	w->control = NULL;
	w->status = status;
	log_message(w->log, LEVEL_INFO, "stopping", "softwires are closed");
	w->stopping_roles = w->initiator_count + (w->concentrator ? 1 : 0);
	if (!w->stopping_roles)
		loop_stop(&w->loop);
	if (w->concentrator)
		concentrator_stop(w->concentrator, role_stopped, w);
	for (unsigned n = 0; n < w->initiator_count; n++)
		initiator_stop(w->initiators[n], role_stopped, w);
}

/* ---- start ---- */

/* One of the roles, or the control socket, is there. */
static void part_started(struct worker *w)
{
	if (--w->starting == 0 && !w->stopping)
		log_message(w->log, LEVEL_INFO, "ready", "softwired %s", SOFTWIRE_VERSION);
}

static void role_started(void *owner, int result)
{
	struct worker *w = owner;

	if (result)
		worker_stop(w, KEEPER_GIVE_UP); /* the reason is logged; starting again would not help */
	else
		part_started(w);
}

static void reload(void *owner);

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
		log_message(w->log, LEVEL_ERROR, "control", "no control socket at %s: %s", w->config->control_socket, strerror(-result));
		part_started(w); /* softwires matter more */
		return;
	}
	w->targets = (struct control_targets){.concentrator = w->concentrator,
		.initiator_count = w->initiator_count,
		.log = w->log,
		.reload = reload,
		.owner = w};
	memcpy(w->targets.initiators, w->initiators, sizeof(w->initiators));
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

static void start_roles(struct worker *w)
{
	const struct config *config = w->config;

	if (config->concentrator.present)
		w->concentrator = concentrator_new(&w->loop, w->log, w->keeper, &w->rng, &config->concentrator);
	for (unsigned n = 0; n < config->initiator_count; n++) {
		struct initiator *i = initiator_new(&w->loop, w->log, w->keeper, &w->rng, &config->initiators[n]);
		char device[32];

		if (!i)
			continue;
		w->initiators[w->initiator_count++] = i;
		snprintf(device, sizeof(device), "si-%s", config->initiators[n].name);
		if (w->monitor)
			netlink_monitor_ignore(w->monitor, device);
	}
	if (w->monitor && w->concentrator)
		netlink_monitor_ignore(w->monitor, config->concentrator.device);

	w->starting = w->initiator_count + (w->concentrator ? 1 : 0);
	if (w->starting != config->initiator_count + (config->concentrator.present ? 1u : 0u)) {
		worker_stop(w, KEEPER_GIVE_UP);
		return;
	}
	w->starting++; /* the control socket */
	if (w->concentrator)
		concentrator_start(w->concentrator, role_started, w);
	for (unsigned n = 0; n < w->initiator_count; n++)
		initiator_start(w->initiators[n], role_started, w);
	keeper_open_control(w->keeper, control_opened, w);
}

/* ---- reload ---- */

/* One reload: nothing changes before all files are known to be good. */
struct reload {
	struct worker *w;
	int verdict; /* the keeper's, who sees what we may not read: 0 or -errno */
	struct config *config;
	json_t *errors, *say;
};

static void reload_error(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct reload *e = owner;
	char message[1024];

	if (line)
		snprintf(message, sizeof(message), "%s:%u: %s", file, line, text);
	else
		snprintf(message, sizeof(message), "%s: %s", file, text);
	log_message(e->w->log, fatal ? LEVEL_ERROR : LEVEL_WARN, "config", "%s", message);
	json_array_append_new(fatal ? e->errors : e->say, json_string(message));
}

static void reload_initiator(struct worker *w, const struct initiator_config *config, json_t *say)
{
	char text[128];

	for (unsigned n = 0; n < w->initiator_count; n++) {
		if (strcmp(initiator_name(w->initiators[n]), config->name) != 0)
			continue;
		if (!initiator_reload(w->initiators[n], config)) {
			snprintf(text, sizeof(text), "initiator %s: its changes need a restart", config->name);
			json_array_append_new(say, json_string(text));
		}
		return;
	}
	snprintf(text, sizeof(text), "initiator %s: new initiators start with a restart", config->name);
	json_array_append_new(say, json_string(text));
}

static bool has_initiator(const struct config *config, const char *name)
{
	for (unsigned n = 0; n < config->initiator_count; n++)
		if (!strcmp(config->initiators[n].name, name))
			return true;
	return false;
}

static void reload_removed(struct worker *w, const struct config *config, json_t *say)
{
	char text[128];

	for (unsigned n = 0; n < w->initiator_count; n++) {
		if (has_initiator(config, initiator_name(w->initiators[n])))
			continue;
		snprintf(text, sizeof(text), "initiator %s: it goes with a restart", initiator_name(w->initiators[n]));
		json_array_append_new(say, json_string(text));
	}
}

static void reload_apply(struct worker *w, const struct config *config, json_t *errors, json_t *say)
{
	w->log->level = config->log_level;
	if (config->concentrator.present != (w->concentrator != NULL))
		json_array_append_new(say, json_string("the concentrator comes or goes with a restart"));
	else if (w->concentrator && concentrator_reload(w->concentrator, &config->concentrator, say))
		json_array_append_new(errors, json_string("the concentrator's pools could not be applied"));
	for (unsigned n = 0; n < config->initiator_count; n++)
		reload_initiator(w, &config->initiators[n], say);
	reload_removed(w, config, say);
}

static const char refused_by_keeper[] =
	"refused for what it names: the log says why, and `softwire check FILE` tells all of it";

/* What the keeper alone has found: keys and passwords that it cannot read, programs that are not there. Its log names them. */
static void reload_verdict(struct reload *r)
{
	if (!r->verdict || json_array_size(r->errors))
		return;
	reload_error(r, true, r->w->config->path, 0,
		r->verdict == -EINVAL ? refused_by_keeper : strerror(-r->verdict));
}

static void reload_finish(struct reload *r)
{
	struct worker *w = r->w;

	reload_verdict(r);
	if (w->stopping) {
		log_message(w->log, LEVEL_INFO, "reload", "too late: the daemon ends");
	} else if (!json_array_size(r->errors)) {
		reload_apply(w, r->config, r->errors, r->say);
		log_message(w->log, LEVEL_INFO, "reload", "applied");
	} else {
		log_message(w->log, LEVEL_ERROR, "reload", "nothing was changed");
	}
	if (w->control && w->reload_asked) {
		w->reload_asked = false;
		control_reload_done(w->control, r->errors, r->say);
	} else {
		json_decref(r->errors);
		json_decref(r->say);
	}
	free(r->config);
	free(r);
}

static void reload_user_error(void *owner, const char *file, unsigned line, const char *text)
{
	reload_error(owner, true, file, line, text);
}

/* Only looked at: the concentrator reads it again when it applies the rest. */
static void reload_users_opened(void *owner, int result, int fd)
{
	struct reload *r = owner;
	const char *path = r->config->concentrator.users_path;
	struct aaa *a = result ? NULL : aaa_new(NULL);

	if (a)
		aaa_load_users(a, fd, path, reload_user_error, r);
	else if (!r->verdict) /* else we may not open a path that is new, and that is not what is wrong */
		reload_error(r, true, path, 0, result ? strerror(-result) : "not enough memory");
	if (a)
		aaa_free(a);
	if (fd >= 0)
		close(fd);
	reload_finish(r);
}

/* Also of a file that the keeper refuses: what is wrong with it is said with file and line. */
static void reload_opened(void *owner, int result, int fd)
{
	struct reload *r = owner;
	struct worker *w = r->w;

	if (result)
		reload_error(r, true, w->config->path, 0, strerror(-result));
	else
		config_file_read(w->config->path, fd, false, reload_error, r, r->config);
	if (fd >= 0)
		close(fd);
	if (!json_array_size(r->errors) && w->concentrator && *r->config->concentrator.users_path)
		keeper_open_file(w->keeper, r->config->concentrator.users_path, reload_users_opened, r);
	else
		reload_finish(r);
}

/* The keeper has read the file, too: files and interfaces that are new in it may be asked for now, unless it refuses the whole. */
static void policy_reloaded(void *owner, int result, int fd)
{
	struct worker *w = owner;
	struct reload *r = calloc(1, sizeof(*r));
	struct config *config = calloc(1, sizeof(*config));

	if (!r || !config) {
		log_message(w->log, LEVEL_ERROR, "reload", "out of memory: nothing was changed");
		free(r);
		free(config);
		return;
	}
	*r = (struct reload){
		.w = w, .verdict = result, .config = config, .errors = json_array(), .say = json_array()};
	keeper_open_file(w->keeper, w->config->path, reload_opened, r);
}

static void reload(void *owner)
{
	struct worker *w = owner;

	w->reload_asked = true;
	keeper_reload(w->keeper, policy_reloaded, w);
}

/* ---- the worker ---- */

static void on_signal(uv_signal_t *handle, int number)
{
	struct worker *w = handle->data;

	if (number == SIGHUP) /* from the keeper, whose verdict only an answer tells */
		keeper_reload(w->keeper, policy_reloaded, w);
	else
		worker_stop(w, 0);
}

static void watch_signal(struct worker *w, uv_signal_t *handle, int number)
{
	uv_signal_init(&w->loop.uv, handle);
	handle->data = w;
	uv_signal_start(handle, on_signal, number);
}

static void keeper_lost(void *owner)
{
	struct worker *w = owner;

	log_message(w->log, LEVEL_ERROR, "keeper-lost", "the keeper is gone");
	worker_stop(w, 1);
}

static void worker_free(struct worker *w)
{
	if (w->control)
		control_server_free(w->control);
	if (w->monitor)
		netlink_monitor_free(w->monitor);
	for (unsigned n = 0; n < w->initiator_count; n++)
		initiator_free(w->initiators[n]);
	concentrator_free(w->concentrator);
	keeper_client_free(w->keeper);
	uv_close((uv_handle_t *)&w->terminate, NULL);
	uv_close((uv_handle_t *)&w->interrupt, NULL);
	uv_close((uv_handle_t *)&w->hangup, NULL);
	loop_done(&w->loop);
}

static int engine_main(void *arg, int fd)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct log log;
	int status;

	if (!w)
		return 1;
	w->config = boot_config(arg);
	log_init(&log, STDERR_FILENO, w->config->log_level);
	w->log = &log;
	rng_init_system(&w->rng);
	if (loop_init(&w->loop)) {
		free(w);
		return 1;
	}
	w->keeper = keeper_client_new(&w->loop, fd, keeper_lost, w);
	w->monitor = w->config->initiator_count ? netlink_monitor_new(&w->loop, network_changed, w) : NULL;
	watch_signal(w, &w->terminate, SIGTERM);
	watch_signal(w, &w->interrupt, SIGINT);
	watch_signal(w, &w->hangup, SIGHUP);
	start_roles(w);
	loop_run(&w->loop);
	status = w->status;
	worker_free(w);
	free(w);
	return status;
}

/* ---- the keeper ---- */

/* What lives in the keeper: the configuration as it was read last, and what follows from it. */
struct boot {
	struct config *config;
	struct allow_lists lists;
	struct keeper_policy policy;
	struct log log;
};

static const struct config *boot_config(const struct boot *boot)
{
	return boot->config;
}

static const struct keeper_policy *reload_policy(void *arg);

static void make_policy(struct boot *boot)
{
	allow_policy(boot->config, &boot->lists, &boot->policy);
	boot->policy.reload = reload_policy;
}

static void log_config_error(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct boot *boot = owner;

	if (fatal && line)
		log_message(&boot->log, LEVEL_ERROR, "config", "%s:%u: %s", file, line, text);
	else if (fatal)
		log_message(&boot->log, LEVEL_ERROR, "config", "%s: %s", file, text);
}

/* In the keeper: a file with errors changes nothing. */
static const struct keeper_policy *reload_policy(void *arg)
{
	struct boot *boot = arg;
	struct config *config = calloc(1, sizeof(*config));

	if (!config || config_file_read(boot->config->path, -1, true, log_config_error, boot, config)) {
		free(config);
		return NULL;
	}
	*boot->config = *config;
	free(config);
	make_policy(boot);
	return &boot->policy;
}

/* ---- main ---- */

static void print_config_error(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	if (line)
		fprintf(stderr, "%s:%u: %s%s\n", file, line, fatal ? "" : "warning: ", text);
	else /* about the whole file */
		fprintf(stderr, "%s: %s%s\n", file, fatal ? "" : "warning: ", text);
}

static void usage(FILE *out)
{
	fprintf(out,
		"usage: softwired [-c FILE] [-t]\n"
		"  -c, --config FILE  the configuration (default %s)\n"
		"  -t, --test         check the configuration and exit\n"
		"  -V, --version      print the version\n"
		"  -h, --help         print this\n"
		"It stays in the foreground and logs to standard error. See softwired(8), softwired.conf(5).\n",
		default_config);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"test", no_argument, NULL, 't'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *path = default_config;
	struct boot *boot;
	char *real;
	bool test = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 't':
			test = true;
			break;
		case 'V':
			printf("softwired %s\n", SOFTWIRE_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}

	boot = calloc(1, sizeof(*boot) + sizeof(*boot->config));
	if (!boot)
		return 1;
	boot->config = (struct config *)(boot + 1);
	real = realpath(path, NULL); /* the daemon asks for it again by this name */
	status = config_file_read(real ? real : path, -1, true, print_config_error, NULL, boot->config) ? 1 : 0;
	if (status && geteuid() != 0)
		fprintf(stderr, "softwired: not root: start it as root; what meets the network then works as a user without privileges\n");
	if (!status && !test) {
		log_init(&boot->log, STDERR_FILENO, boot->config->log_level);
		make_policy(boot);
		status = keeper_run(&boot->policy, &boot->log, engine_main, boot);
	}
	free(real);
	free(boot);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reload: another configuration, all of it or nothing.
 *
 * The keeper reads the file first, as root: what is new in it may be asked for from then on. Then we read it, see what is different (control/change.h),
 * make what is new (initiators) and have the concentrator open and check what it will need. Only when all of that is there is anything
 * applied. Where something is missing the keeper goes back to what was before. One reload at a time, and none before
 * all roles have started; who asks meanwhile gets the next one.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "control/change.h"
#include "daemon/parts.h"
#include "netlink/route.h"

struct reload {
	struct worker *w;
	bool asked;            /* a client waits for the answer */
	int verdict;           /* the keeper's, who sees what we may not read: 0 or -errno */
	struct config *config; /* as it is to be: without what needs a restart */
	json_t *errors, *warnings, *say;
	struct concentrator_change *change; /* ready to be applied */
	struct initiator *new[CONFIG_INITIATORS];
	unsigned new_count;
	struct leaving *leaving[CONFIG_INITIATORS]; /* room, for as many as there are */
};

static bool is_failed(const struct reload *r)
{
	return json_array_size(r->errors) > 0;
}

/* What the keeper refuses it has logged, with what is wrong. */
static void tell_error(struct reload *r, const char *text)
{
	if (!r->verdict)
		log_message(r->w->log, LEVEL_ERROR, "config", "%s", text);
	json_array_append_new(r->errors, json_string(text));
}

static void reload_problem(void *owner, const char *text)
{
	tell_error(owner, text);
}

static void file_problem(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct reload *r = owner;
	char message[1024];

	if (line)
		snprintf(message, sizeof(message), "%s:%u: %s", file, line, text);
	else
		snprintf(message, sizeof(message), "%s: %s", file, text);
	if (fatal) {
		tell_error(r, message);
		return;
	}
	log_message(r->w->log, LEVEL_WARN, "config", "%s", message);
	json_array_append_new(r->warnings, json_string(message));
}

static void reload_free(struct reload *r)
{
	keeper_forget(r->w->keeper, r);
	for (unsigned n = 0; n < r->new_count; n++)
		initiator_free(r->new[n]);
	for (unsigned n = 0; n < CONFIG_INITIATORS; n++)
		free(r->leaving[n]);
	json_decref(r->errors);
	json_decref(r->warnings);
	json_decref(r->say);
	config_free(r->config);
	free(r);
}

void worker_reload_free(struct worker *w)
{
	if (w->reload)
		reload_free(w->reload);
	w->reload = NULL;
}

/* ---- the end ---- */

static void log_said(struct worker *w, const json_t *say)
{
	const json_t *sentence;
	size_t i;

	json_array_foreach(say, i, sentence)
		log_message(w->log, LEVEL_INFO, "reload", "%s", json_string_value(sentence));
	if (json_array_size(say))
		log_message(w->log, LEVEL_INFO, "reload", "applied");
	else
		log_message(w->log, LEVEL_INFO, "reload", "nothing has changed");
}

static void finish(struct reload *r)
{
	struct worker *w = r->w;

	w->reload = NULL;
	if (w->stopping) {
		log_message(w->log, LEVEL_INFO, "reload", "too late: the daemon ends");
	} else if (is_failed(r)) {
		log_message(w->log, LEVEL_ERROR, "reload", "nothing was changed");
		json_array_clear(r->say);
		if (!r->verdict)
			keeper_reload_back(w->keeper);
	} else {
		log_said(w, r->say);
	}
	if (w->control && r->asked)
		control_reload_done(
			w->control, json_incref(r->errors), json_incref(r->warnings), json_incref(r->say));
	reload_free(r);
	worker_reload_next(w);
}

/* ---- the second step: applying ---- */

static void initiator_started(void *owner, int result)
{
	struct worker *w = owner;

	if (result) /* its own log line says why; the others have nothing to do with it */
		log_message(w->log, LEVEL_ERROR, "reload", "a new initiator could not start: %s",
			strerror(-result));
}

static const struct initiator_config *find_config(const struct config *config, const char *name)
{
	for (unsigned n = 0; n < config->initiator_count; n++)
		if (!strcmp(config->initiators[n].name, name))
			return &config->initiators[n];
	return NULL;
}

static void remove_initiator(struct worker *w, unsigned n)
{
	if (w->control)
		control_forget_initiator(w->control, w->initiators[n]);
	w->initiator_count--;
	for (unsigned i = n; i < w->initiator_count; i++)
		w->initiators[i] = w->initiators[i + 1];
}

/* Those that are gone stop, those that stay change. */
static void apply_initiators(struct reload *r)
{
	struct worker *w = r->w;
	unsigned leaving = 0;

	for (unsigned n = 0; n < w->initiator_count;) {
		struct initiator *i = w->initiators[n];
		const struct initiator_config *config = find_config(r->config, initiator_name(i));
		char text[128];

		if (!config) {
			struct leaving *l = r->leaving[leaving];

			r->leaving[leaving++] = NULL;
			remove_initiator(w, n);
			leaving_begin(l, i);
			continue;
		}
		if (!initiator_reload(i, config)) {
			snprintf(
				text, sizeof(text), "initiator %s: its changes need a restart", config->name);
			json_array_append_new(r->say, json_string(text));
		}
		n++;
	}
}

static void start_initiators(struct reload *r)
{
	struct worker *w = r->w;

	for (unsigned n = 0; n < r->new_count; n++) {
		char device[32];

		snprintf(device, sizeof(device), "si-%s", initiator_name(r->new[n]));
		if (w->monitor)
			netlink_monitor_ignore(w->monitor, device);
		w->initiators[w->initiator_count++] = r->new[n];
		initiator_start(r->new[n], initiator_started, w);
	}
	r->new_count = 0;
}

static void apply(struct reload *r)
{
	struct worker *w = r->w;

	w->log->level = r->config->log_level;
	apply_initiators(r);
	worker_watch_network(w, r->config->initiator_count > 0);
	start_initiators(r);
	worker_show_roles(w);
	config_free(w->now);
	w->now = r->config;
	r->config = NULL;
}

/* ---- the first step: everything is made and checked ---- */

/* Everything is there, or something is wrong. What can fail goes first. */
static void mesh_prepared(void *owner, struct afbr_change *mesh)
{
	struct reload *r = owner;
	struct concentrator_change *change = r->change;
	bool wanted = !r->w->stopping && !is_failed(r);

	r->change = NULL;
	if (change && !wanted)
		concentrator_discard(change);
	else if (change && concentrator_apply(change, r->say))
		wanted = false; /* it has said why */
	if (mesh && !wanted)
		afbr_discard(mesh);
	else if (mesh)
		afbr_apply(mesh, r->say);
	if (wanted)
		apply(r);
	finish(r);
}

/* What is wrong with either of them is told together. */
static void prepared(void *owner, struct concentrator_change *change)
{
	struct reload *r = owner;
	struct worker *w = r->w;

	r->change = change;
	if (w->afbr && r->config->afbr && !w->stopping)
		afbr_prepare(w->afbr, r->config->afbr, reload_problem, mesh_prepared, r);
	else
		mesh_prepared(r, NULL);
}

static void make_initiators(struct reload *r)
{
	struct worker *w = r->w;
	char text[128];

	for (unsigned n = 0; n < r->config->initiator_count; n++) {
		const struct initiator_config *config = &r->config->initiators[n];
		struct initiator *i = NULL;

		if (find_config(w->now, config->name))
			continue;
		if (leaving_has(w, config->name)) {
			snprintf(text, sizeof(text),
				"initiator %s: the one of this name is still saying goodbye: try again in "
				"some seconds",
				config->name);
			tell_error(r, text);
			continue;
		}
		i = initiator_new(&w->loop, w->log, w->keeper, &w->rng, config);
		if (i)
			r->new[r->new_count++] = i;
		else
			tell_error(r, "not enough memory for another initiator");
	}
	for (unsigned n = 0; n < w->initiator_count; n++) {
		r->leaving[n] = leaving_new(w);
		if (!r->leaving[n])
			tell_error(r, "not enough memory");
	}
}

static const char refused_by_keeper[] =
	"refused for what it names: the log says why, and `softwire check FILE` tells all of it";

/* What the keeper alone has found: keys and passwords that it cannot read, programs that are not there. Its log names them. */
static void take_verdict(struct reload *r)
{
	char message[4096 + 128];

	if (!r->verdict || is_failed(r))
		return;
	snprintf(message, sizeof(message), "%s: %s", r->w->config->path,
		r->verdict == -EINVAL ? refused_by_keeper : strerror(-r->verdict));
	tell_error(r, message);
}

static void users_problem(void *owner, const char *file, unsigned line, const char *text)
{
	file_problem(owner, true, file, line, text);
}

/* Refused by the keeper: maybe for its users, which we may look at, too, unless the path is new. */
static void users_opened(void *owner, int result, int fd)
{
	struct reload *r = owner;
	struct aaa *a = result ? NULL : aaa_new(NULL);

	if (a)
		aaa_load_users(a, fd, r->config->concentrator.users_path, users_problem, r);
	aaa_free(a);
	if (fd >= 0)
		close(fd);
	take_verdict(r);
	finish(r);
}

static void say_change(void *owner, const char *sentence)
{
	struct reload *r = owner;

	json_array_append_new(r->say, json_string(sentence));
}

/* The keeper has nothing against it. */
static void prepare(struct reload *r)
{
	struct worker *w = r->w;

	config_change(w->now, r->config, say_change, r);
	make_initiators(r);
	if (is_failed(r) || w->stopping) {
		finish(r);
	} else if (w->concentrator) {
		concentrator_prepare(w->concentrator, &r->config->concentrator, reload_problem, prepared, r);
	} else {
		prepared(r, NULL);
	}
}

/* Also of a file that the keeper refuses: what is wrong with it is said with file and line. */
static void file_opened(void *owner, int result, int fd)
{
	struct reload *r = owner;
	const char *path = r->w->config->path, *users = r->config->concentrator.users_path;

	if (result)
		file_problem(r, true, path, 0, strerror(-result));
	else
		config_file_read(path, fd, false, file_problem, r, r->config);
	if (fd >= 0)
		close(fd);
	if (!is_failed(r) && r->verdict && r->w->concentrator && *users) {
		keeper_open_file(r->w->keeper, users, users_opened, r);
		return;
	}
	take_verdict(r);
	if (is_failed(r))
		finish(r);
	else
		prepare(r);
}

static void policy_reloaded(void *owner, int result, int fd)
{
	struct reload *r = owner;

	r->verdict = result;
	keeper_open_file(r->w->keeper, r->w->config->path, file_opened, r);
}

static struct reload *reload_new(struct worker *w, bool asked)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->w = w;
	r->asked = asked;
	r->config = calloc(1, sizeof(*r->config));
	r->errors = json_array();
	r->warnings = json_array();
	r->say = json_array();
	if (r->config && r->errors && r->warnings && r->say) {
		memcpy(r->config->instance, w->config->instance, sizeof(r->config->instance));
		return r;
	}
	reload_free(r);
	return NULL;
}

void worker_reload_next(struct worker *w)
{
	if (!w->reload_again || w->stopping)
		return;
	w->reload_again = false;
	worker_reload(w, w->reload_again_asked);
}

void worker_reload(struct worker *w, bool asked)
{
	if (w->reload || w->starting) {
		w->reload_again_asked = (w->reload_again && w->reload_again_asked) || asked;
		w->reload_again = true;
		return;
	}
	w->reload = reload_new(w, asked);
	if (w->reload) {
		keeper_reload(w->keeper, policy_reloaded, w->reload);
		return;
	}
	log_message(w->log, LEVEL_ERROR, "reload", "out of memory: nothing was changed");
	if (w->control && asked)
		control_reload_done(w->control, NULL, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reload: the keeper and we read the file again; nothing changes before all of it is known to be good. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "daemon/parts.h"

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
	memcpy(config->instance, w->config->instance, sizeof(config->instance));
	*r = (struct reload){
		.w = w, .verdict = result, .config = config, .errors = json_array(), .say = json_array()};
	keeper_open_file(w->keeper, w->config->path, reload_opened, r);
}

void worker_reload(struct worker *w, bool asked)
{
	if (asked)
		w->reload_asked = true;
	keeper_reload(w->keeper, policy_reloaded, w);
}

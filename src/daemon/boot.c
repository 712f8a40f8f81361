/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration in the keeper, and what the keeper may do because of it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"

static const struct keeper_policy *reload_policy(void *arg);
static const struct keeper_policy *reload_back(void *arg);

static void make_policy(struct boot *boot)
{
	allow_policy(boot->config, &boot->lists, &boot->policy);
	boot->policy.reload = reload_policy;
	boot->policy.reload_back = reload_back;
	boot->policy.hangup = boot->hangup;
	boot->policy.command = boot->command;
}

static void log_config_error(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct boot *boot = owner;

	if (fatal && line)
		log_message(&boot->log, LEVEL_ERROR, "config", "%s:%u: %s", file, line, text);
	else if (fatal)
		log_message(&boot->log, LEVEL_ERROR, "config", "%s: %s", file, text);
}

/* From now on; what was before is kept. False: no memory. */
static bool take(struct boot *boot, const struct config *config)
{
	struct config *before = malloc(sizeof(*before));

	if (!before)
		return false;
	*before = *boot->config;
	config_copy(boot->config, config);
	config_free(boot->before);
	boot->before = before;
	boot->log.level = boot->config->log_level;
	make_policy(boot);
	return true;
}

/* In the keeper: a file with errors changes nothing. */
static const struct keeper_policy *reload_policy(void *arg)
{
	struct boot *boot = arg;
	struct config *config = calloc(1, sizeof(*config));
	bool ok;

	if (config)
		memcpy(config->instance, boot->config->instance, sizeof(config->instance));
	ok = config && !config_file_read(boot->config->path, -1, true, log_config_error, boot, config) &&
	     take(boot, config);

	config_free(config);
	return ok ? &boot->policy : NULL;
}

/* The engine could not do with it: it has to be as if it had never been read. */
static const struct keeper_policy *reload_back(void *arg)
{
	struct boot *boot = arg;

	if (!boot->before)
		return NULL;
	config_done(boot->config);
	*boot->config = *boot->before;
	free(boot->before);
	boot->before = NULL;
	boot->log.level = boot->config->log_level;
	make_policy(boot);
	return &boot->policy;
}

struct boot *boot_new(void)
{
	struct boot *boot = calloc(1, sizeof(*boot) + sizeof(*boot->config));

	if (boot)
		boot->config = (struct config *)(boot + 1);
	return boot;
}

void boot_free(struct boot *boot)
{
	if (boot)
		config_done(boot->config);
	free(boot);
}

static int engine(void *arg, int fd)
{
	const struct boot *boot = arg;

	return worker_run(boot->config, boot->observer, fd);
}

int boot_run(struct boot *boot)
{
	int status;

	log_init(&boot->log, STDERR_FILENO, boot->config->log_level);
	make_policy(boot);
	status = keeper_run(&boot->policy, &boot->log, engine, boot);
	config_free(boot->before);
	boot->before = NULL;
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* softwired: the daemon: its command line. What it does is in daemon/. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"

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
		"usage: softwired [-i NAME] [-c FILE] [-t]\n"
		"  -i, --instance NAME  one of several daemons on this machine, with files of its own\n"
		"  -c, --config FILE    the configuration; /etc/softwire/softwired.conf, or /etc/softwire/NAME.conf\n"
		"  -t, --test           check the configuration and exit\n"
		"  -V, --version        print the version\n"
		"  -h, --help           print this\n"
		"It stays in the foreground and logs to standard error. See softwired(8), softwired.conf(5).\n");
}

struct arguments {
	const char *config, *instance; /* NULL: none */
	bool test;
};

/* The exit status, or -1: go on. */
static int read_arguments(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{"instance", required_argument, NULL, 'i'},
		{"config", required_argument, NULL, 'c'},
		{"test", no_argument, NULL, 't'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "i:c:tVh", options, NULL)) != -1) {
		switch (option) {
		case 'i':
			a->instance = optarg;
			break;
		case 'c':
			a->config = optarg;
			break;
		case 't':
			a->test = true;
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
	if (a->instance && !instance_is_name(a->instance)) {
		fprintf(stderr, "softwired: --instance is \"%s\": it must be " INSTANCE_WORDS "\n", a->instance);
		return 2;
	}
	return -1;
}

/*
 * How to start us again, after an upgrade has put another program in our place: by the name that we were started with, for /proc/self/exe leads to
 * the old file, "(deleted)". NULL: no memory. To be freed.
 */
static char *find_program(const char *name)
{
	char *directory, *path = NULL;
	char self[4096];
	ssize_t len;

	if (name[0] == '/')
		return strdup(name);
	if (strchr(name, '/')) {
		directory = getcwd(NULL, 0);
		if (directory && asprintf(&path, "%s/%s", directory, name) < 0)
			path = NULL;
		free(directory);
		return path;
	}
	len = readlink("/proc/self/exe", self, sizeof(self) - 1); /* found in PATH, and not replaced yet */
	self[len < 0 ? 0 : len] = '\0';
	return *self ? strdup(self) : NULL;
}

/* The keeper's and the engine's life; the exit status. */
static int run(struct boot *boot, const char *name)
{
	char *program = find_program(name);
	const char *const config[] = {program, "-c", boot->config->path, NULL};
	const char *const instance[] = {program, "-i", boot->config->instance, "-c", boot->config->path, NULL};
	int status;

	boot->command = !program ? NULL : *boot->config->instance ? instance : config;
	status = boot_run(boot);
	free(program);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	int status = read_arguments(argc, argv, &a);
	struct boot *boot;
	char usual[64], *real;

	if (status >= 0)
		return status;
	boot = boot_new();
	if (!boot)
		return 1;
	if (a.instance)
		memcpy(boot->config->instance, a.instance, strlen(a.instance) + 1);
	instance_config(boot->config->instance, usual);
	if (!a.config)
		a.config = usual;
	real = realpath(a.config, NULL); /* the daemon asks for it again by this name */
	status = config_file_read(real ? real : a.config, -1, true, print_config_error, NULL, boot->config) ? 1 : 0;
	if (status && geteuid() != 0)
		fprintf(stderr, "softwired: not root: start it as root; what meets the network then works as a user without privileges\n");
	if (!status && !a.test)
		status = run(boot, argv[0]);
	free(real);
	boot_free(boot);
	return status;
}

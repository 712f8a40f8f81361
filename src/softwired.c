/* SPDX-License-Identifier: GPL-2.0-or-later */
/* softwired: the daemon: its command line. What it does is in daemon/. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/daemon.h"

static const char default_config[] = "/etc/softwire/softwired.conf";

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

	boot = boot_new();
	if (!boot)
		return 1;
	real = realpath(path, NULL); /* the daemon asks for it again by this name */
	status = config_file_read(real ? real : path, -1, true, print_config_error, NULL, boot->config) ? 1 : 0;
	if (status && geteuid() != 0)
		fprintf(stderr, "softwired: not root: start it as root; what meets the network then works as a user without privileges\n");
	if (!status && !test)
		status = boot_run(boot);
	free(real);
	free(boot);
	return status;
}

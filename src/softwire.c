/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwire: the operator's command: its command line. What its subcommands do is in command/.
 * Subcommands and options are rows of tables, from which the help follows. Exit status: 0 done, 1 not done, 2 wrong usage.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "control/instance.h"

struct command {
	const char *name, *arguments;
	int least, most; /* words */
	int (*run)(const struct call *c);
	const char *help;
};

static const struct command commands[] = {
	{"show", "softwires|tunnels|leases|reverse-zone|counters [NAME]", 1, 2, run_show,
		"what there is; of this user or initiator only"},
	{"trace", "NAME", 1, 1, run_trace,
		"packets of a user's or initiator's set-up and upkeep, as they come and go"},
	{"clear", "user NAME | initiator NAME | id NUMBER | all", 1, 2, run_clear,
		"end softwires; initiators connect again at once"},
	{"forget", "USER", 1, 1, run_forget,
		"end a user's softwires and give the addresses back to the pool"},
	{"reload", "", 0, 0, run_reload, "read the configuration again, and apply what can change"},
	{"check", "FILE", 1, 1, run_check, "check a configuration file and the files that it names"},
	{"version", "", 0, 0, run_version, "the version of this program"},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct option options[] = {
	{"instance", required_argument, NULL, 'i'},
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	printf("usage: softwire [OPTION...] COMMAND\n\n");
	for (unsigned i = 0; i < COMMANDS; i++)
		printf("  %s%s%s\n        %s\n", commands[i].name, *commands[i].arguments ? " " : "",
			commands[i].arguments, commands[i].help);
	printf("\n  --json           print the daemon's answer as it is (doc/control.md)\n"
	       "  --instance NAME  the daemon that was started with this name\n"
	       "  --socket PATH    the control socket; /run/softwired/control.sock, or that of the instance\n"
	       "  --help, --version\n");
	return DONE;
}

int main(int argc, char **argv)
{
	char socket[128];
	struct call call = {.socket = socket};
	const struct command *command = NULL;
	int option;

	instance_path(INSTANCE_RUNTIME, "", INSTANCE_SOCKET, socket, sizeof(socket));
	while ((option = getopt_long(argc, argv, "hj", options, NULL)) != -1) {
		switch (option) {
		case 'i':
			if (!instance_is_name(optarg))
				return command_usage("--instance must be " INSTANCE_WORDS, optarg);
			instance_path(INSTANCE_RUNTIME, optarg, INSTANCE_SOCKET, socket, sizeof(socket));
			break;
		case 's':
			call.socket = optarg;
			break;
		case 'j':
			call.json = true;
			break;
		case 'h':
			return help();
		case 'V':
			return run_version(&call);
		default:
			return command_usage("this is no option of it", NULL);
		}
	}
	if (optind == argc)
		return command_usage("what shall it do?", NULL);
	for (unsigned i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, argv[optind]))
			command = &commands[i];
	if (!command)
		return command_usage("there is no such command", argv[optind]);
	call.argc = argc - optind - 1;
	call.argv = argv + optind + 1;
	if (call.argc < command->least || call.argc > command->most) {
		fprintf(stderr, "usage: softwire %s %s\n", command->name, command->arguments);
		return USAGE;
	}
	return command->run(&call);
}

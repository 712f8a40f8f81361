/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwire: the operator's command: its command line. What its subcommands do is in command/.
 * Subcommands and options are rows of tables, from which the help follows. Exit status: 0 done, 1 not done, 2 wrong usage.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command/bgp.h"
#include "command/command.h"
#include "command/connect.h"
#include "command/drain.h"
#include "control/instance.h"

static const struct command commands[] = {
	{"connect", "[OPTION...] USER@SERVER", 0, -1, run_connect,
		"bring up a softwire without any configuration, or test a server: connect --help", &connect_options},
	{"show",
		"softwires|tunnels|leases|reverse-zone|counters|drain [NAME] | bgp neighbors [NEIGHBOR] | "
		"bgp routes [FAMILY] | bgp routes received|advertised NEIGHBOR | bgp routes within PREFIX | "
		"bgp attributes | bgp summary | route ADDRESS | paths | endpoints [ENDPOINT] | acceptance | "
		"fib [FAMILY] [PREFIX]",
		1, 8, run_show, "what there is; of this user, initiator or neighbor only"},
	{"trace", "NAME", 1, 1, run_trace,
		"packets of a user's or initiator's set-up and upkeep, as they come and go"},
	{"clear", "user NAME | initiator NAME | id NUMBER | all", 1, 2, run_clear,
		"end softwires; initiators connect again at once"},
	{"forget", "USER", 1, 1, run_forget,
		"end a user's softwires and give the addresses back to the pool"},
	{"drain", "[OPTION...]", 0, -1, run_drain,
		"send all softwires to another concentrator, and take no new ones: drain --help", &drain_options},
	{"reload", "", 0, 0, run_reload, "read the configuration again, and apply what can change"},
	{"upgrade", "", 0, 0, run_upgrade,
		"start the installed program in place of the one that runs; softwires stay up"},
	{"bgp", "clear NEIGHBOR [OPTION...] | refresh NEIGHBOR [OPTION...] | dump", 0, -1, run_bgp,
		"reset sessions of the mesh, have routes told again, write the tables to a file: bgp --help", &bgp_options},
	{"mesh", "roll | shutdown ENDPOINT | start ENDPOINT", 1, 2, run_mesh,
		"have others send with other keys and cookies; send nothing to an endpoint for a while"},
	{"lease", "export [FILE] [OPTION...] | import FILE [OPTION...] | check [OPTION...]", 0, -1, run_lease,
		"write the lease database as text, read it, check it: lease --help", &lease_options},
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

enum { HELP_WIDTH = 90 };

/* Behind AT letters of a line. Alternatives that it has no room for stand on the next one, behind a bar. */
static void print_arguments(const char *arguments, size_t at)
{
	const char *separator = " ";

	while (*arguments) {
		const char *bar = strstr(arguments, " | ");
		size_t len = bar ? (size_t)(bar - arguments) : strlen(arguments);

		if (separator[1] && at + len > HELP_WIDTH) {
			separator = "\n      | ";
			at = 8;
		}
		printf("%s%.*s", separator, (int)len, arguments);
		at += len + 3;
		separator = " | ";
		arguments += len + (bar ? 3 : 0);
	}
	putchar('\n');
}

static int help(void)
{
	printf("usage: softwire [OPTION...] COMMAND\n\n");
	for (unsigned i = 0; i < COMMANDS; i++) {
		printf("  %s", commands[i].name);
		print_arguments(commands[i].arguments, 2 + strlen(commands[i].name));
		printf("        %s\n", commands[i].help);
	}
	printf("\n  --json           print the daemon's answer as it is (doc/control.md, or\n"
	       "                   /usr/share/doc/softwired/control.md)\n"
	       "  --instance NAME  the daemon that was started with this name\n"
	       "  --socket PATH    the control socket; /run/softwired/control.sock, or that of the instance\n"
	       "  --help, --version\n");
	return DONE;
}

/* The call, and room for what it points to. */
struct command_line {
	struct call call;
	char socket[128];
};

static void use_instance(struct command_line *l, const char *name)
{
	instance_path(INSTANCE_RUNTIME, name, INSTANCE_SOCKET, l->socket, sizeof(l->socket));
	l->call.socket = l->socket;
}

/* FORMAT as for getopt(). False: *ret_status is what to end with. */
static bool read_options(struct command_line *l, int argc, char **argv, const char *format, int *ret_status)
{
	int option;

	while ((option = getopt_long(argc, argv, format, options, NULL)) != -1) {
		switch (option) {
		case 'i':
			if (!instance_is_name(optarg)) {
				*ret_status = command_usage("--instance must be " INSTANCE_WORDS, optarg);
				return false;
			}
			use_instance(l, optarg);
			break;
		case 's':
			l->call.socket = optarg;
			break;
		case 'j':
			l->call.json = true;
			break;
		case 'h':
			*ret_status = help();
			return false;
		case 'V':
			*ret_status = run_version(&l->call);
			return false;
		default:
			*ret_status = command_usage("this is no option of it", NULL);
			return false;
		}
	}
	return true;
}

static const struct command *find_command(const char *name)
{
	for (unsigned i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* ARGV begins with the subcommand. */
static int run_command(struct command_line *l, int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);
	bool own = command && command->most < 0;
	int status = DONE;

	if (!command)
		return command_usage("there is no such command", argv[0]);
	optind = 0; /* begin anew: options may stand behind the command, too */
	if (!own && !read_options(l, argc, argv, "hj", &status))
		return status;
	l->call.argc = own ? argc - 1 : argc - optind;
	l->call.argv = argv + argc - l->call.argc;
	if (!own && (l->call.argc < command->least || l->call.argc > command->most)) {
		fprintf(stderr, "usage: softwire %s %s\n", command->name, command->arguments);
		return USAGE;
	}
	return command->run(&l->call);
}

int main(int argc, char **argv)
{
	struct command_line line = {0};
	int status = DONE;

	if (argc > 1 && !strcmp(argv[1], "--complete")) /* for shells: what follows is not to be understood, but to be completed */
		return complete_words(commands, COMMANDS, options, argc - 2, argv + 2);
	use_instance(&line, "");
	if (!read_options(&line, argc, argv, "+hj", &status))
		return status;
	if (optind == argc)
		return command_usage("what shall it do?", NULL);
	return run_command(&line, argc - optind, argv + optind);
}

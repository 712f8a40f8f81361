/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwire connect: the daemon's own code for one softwire, in this process and its child, without a configuration file.
 *
 * This process becomes the keeper (root), its child the engine process, which has no privileges and holds watch.c. Exit status: 0 when it was
 * up and its user ended it; 1 with the reason in the last line; 2 for wrong usage.
 */
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/connect.h"
#include "command/probe.h"

#define FIELD(field)               .offset = offsetof(struct connect_options, field)
#define FLAG(field)                .kind = OPTION_FLAG, FIELD(field)
#define TEXT(field)                .kind = OPTION_TEXT, FIELD(field)
#define LIST(field)                .kind = OPTION_LIST, FIELD(field)
#define NUMBER(field, least, most) .kind = OPTION_NUMBER, FIELD(field), .min = (least), .max = (most)

static const struct option_row rows[] = {
	{"ipv6", NULL, FLAG(ipv6), .help = "carry IPv6; otherwise what this host has no default route of"},
	{"ipv4", NULL, FLAG(ipv4), .help = "carry IPv4"},
	{"route", NULL, FLAG(route),
		.help = "take the default route over, too, where this host has one of its own"},
	{"no-route", NULL, FLAG(no_route), .help = "set no default route"},
	{"lan", "INTERFACE", LIST(lan), .help = "share it there: a part of a delegated prefix or subnet"},
	{"no-dns", NULL, FLAG(no_dns), .help = "leave the host's DNS servers as they are"},
	{"mtu", "BYTES", NUMBER(mtu, 0, 9216),
		.help = "MTU of the softwire; otherwise what the path carries"},
	{"port", "PORT", NUMBER(port, 1, 65535), .help = "the server's UDP port, 1701"},
	{"password-file", "FILE", TEXT(password_file), .help = "the password is this file's only line"},
	{"password-fd", "NUMBER", NUMBER(password_fd, 0, 1023),
		.help = "read the password from this descriptor"},
	{"trusted", NULL, FLAG(trusted), .help = "nobody else listens on the way: no warning about that"},
	{"once", NULL, FLAG(once), .help = "end when it fails or is lost, instead of trying again"},
	{"for", "SECONDS", NUMBER(seconds, 1, 1000000000), .help = "end after this time"},
	{"stateless", NULL, FLAG(stateless), .help = "remember nothing in /var/lib/softwired"},
	{"json", NULL, FLAG(json), .help = "one JSON object for each event"},
	{"verbose", NULL, FLAG(verbose), .help = "the log, too, on standard error"},
	{"probe", NULL, FLAG(probe), .help = "only test the server, step by step; this host stays as it is"},
	{"wait", "SECONDS", NUMBER(wait, 1, 60), .help = "with --probe: how long to wait for each step, 7"},
	{"help", NULL, FLAG(help), .help = "print this"},
};
const struct option_table connect_options = {rows, sizeof(rows) / sizeof(*rows)};

static int help(void)
{
	printf("usage: softwire connect [OPTION...] USER@SERVER\n"
	       "       softwire connect --probe [OPTION...] [USER@]SERVER\n\n"
	       "Brings up a softwire until it is interrupted. The password is asked for.\n\n");
	option_help(&connect_options, stdout);
	return DONE;
}

static int failed(const char *why)
{
	fprintf(stderr, "softwire: %s\n", why);
	return FAILED;
}

static int misused(const char *why)
{
	fprintf(stderr, "softwire: %s\nsoftwire connect --help tells what there is.\n", why);
	return USAGE;
}

/* What would otherwise fail later, and less clearly. */
static bool look_at_host(const struct connect_options *o, char why[256])
{
	for (unsigned n = 0; n < o->lan.count; n++)
		if (!if_nametoindex(o->lan.items[n])) {
			snprintf(
				why, 256, "--lan %.20s: there is no interface of this name", o->lan.items[n]);
			return false;
		}
	if (access("/dev/net/tun", R_OK | W_OK)) {
		snprintf(why, 256, "/dev/net/tun: %s: the kernel's TUN driver is needed (modprobe tun)",
			strerror(errno));
		return false;
	}
	return true;
}

/* The password goes into a file without a name, which the keeper opens for its engine. False, with WHY. */
static bool keep_password(
	const struct connect_options *o, const struct target *t, struct plan *p, int *ret_fd, char why[256])
{
	char secret[PASSWORD_MAX + 1], reason[160] = "";
	size_t len = 0;
	bool ok = password_get(o, t, secret, &len, reason);
	int fd = ok ? password_keep(secret, len) : -1;

	explicit_bzero(secret, sizeof(secret));
	if (ok && fd < 0)
		snprintf(reason, sizeof(reason), "no memory for the password: %s", strerror(-fd));
	snprintf(why, 256, "%s", reason);
	if (fd < 0)
		return false;
	snprintf(p->password, sizeof(p->password), "/proc/self/fd/%d", fd);
	*ret_fd = fd;
	return true;
}

/* Before anything else is to be seen. */
static void print_notes(struct watch *w, const struct connect_options *o, const struct plan *p)
{
	static const char warning[] =
		"without IPsec: who listens on the way can read what is inside, and try passwords (RFC 5619)";
	static const char *const kinds[] = {"warning", "note"};
	const char *const texts[] = {!o->trusted && *p->password ? warning : "", p->note};

	for (unsigned n = 0; n < 2; n++)
		if (*texts[n])
			screen_event(&w->screen,
				json_pack("{s:s, s:I, s:s}", "event", kinds[n], "t_ms", (json_int_t)0, "text",
					texts[n]),
				"%s: %s", kinds[n], texts[n]);
}

static enum keeper_hangup on_hangup(void)
{
	struct sigaction now;

	if (sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_IGN) /* nohup(1) */
		return KEEPER_HANGUP_IGNORED;
	return KEEPER_HANGUP_ENDS;
}

static int run(const struct connect_options *o, const struct target *t, struct plan *p, struct boot *boot)
{
	struct watch watch;
	char why[256];
	int status;

	if (!plan_config(o, t, p, boot->config, why))
		return failed(why);
	watch_init(&watch, o, t, p);
	print_notes(&watch, o, p);
	(void)signal(SIGPIPE, SIG_IGN);
	boot->observer = &watch.observer;
	boot->hangup = on_hangup();
	status = boot_run(boot);
	return status ? FAILED : DONE;
}

static int run_plan(const struct connect_options *o, const struct target *t, struct plan *p)
{
	struct boot *boot;
	int fd = -1, status;
	char why[256];

	if (*t->user && !keep_password(o, t, p, &fd, why))
		return failed(why);
	boot = boot_new();
	status = boot ? run(o, t, p, boot) : failed("not enough memory");
	boot_free(boot);
	if (fd >= 0)
		close(fd);
	return status;
}

static int run_target(const struct connect_options *o, const struct target *t)
{
	struct plan plan = {0};
	struct native native;
	char why[256];

	if (geteuid() != 0)
		return failed("a network device and routes take root: sudo softwire connect ... (--probe "
			      "does without)");
	native_find(&native);
	if (!plan_families(o, &native, &plan, why))
		return misused(why);
	if (!look_at_host(o, why))
		return failed(why);
	plan_name(&plan);
	return run_plan(o, t, &plan);
}

int run_connect(const struct call *call)
{
	struct connect_options o = {.json = call->json};
	struct target target;
	const char *word = NULL;
	unsigned words = 0;
	char why[256];

	if (!option_parse(&connect_options, call->argc, call->argv, &o, &word, 1, &words, why))
		return misused(why);
	if (o.help)
		return help();
	if (!words)
		return misused("connect to whom? USER@SERVER");
	if (!target_parse(word, &o.port, &target, why))
		return misused(why);
	if (!plan_options(&o, why))
		return misused(why);
	return o.probe ? run_probe(&o, &target) : run_target(&o, &target);
}

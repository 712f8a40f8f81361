/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the command line, and from what the host has, to a configuration with one initiator.
 *
 * Families: those that were asked for; else those that the host has no default route of; else (it has both) IPv6. Default routes: of the
 * families that are carried, unless the host has one of its own, which stays unless --route says otherwise.
 *
 * The configuration is written as a file would be, and read like one, so that defaults and rules are those of softwired.conf(5).
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "command/connect.h"
#include "control/instance.h"

enum { MTU_LEAST = 576, WHY = 256, TAKEN_METRIC = 1, NAME_TRIES = 100 };

/* ---- families ---- */

/* Does the default route of this family lead through the softwire? */
static bool takes_route(const struct connect_options *o, const struct native_route *native, bool carried)
{
	return carried && !o->no_route && (!native->present || o->route);
}

static bool can_be_beaten(const char *family, const struct native_route *native, bool taken, char why[WHY])
{
	if (!taken || !native->present || native->metric > TAKEN_METRIC)
		return true;
	snprintf(why, WHY,
		"--route: the default route of %s by %s has metric %u, which no other can be better than: "
		"give it "
		"a greater one first",
		family, native->device, native->metric);
	return false;
}

static void add_note(
	struct plan *p, const char *family, const struct native_route *native, bool carried, bool taken)
{
	size_t len = strlen(p->note);

	if (carried && native->present && !taken)
		snprintf(p->note + len, sizeof(p->note) - len, "%sthe default route of %s stays with %s",
			len ? "; " : "", family, native->device);
}

static bool fits_ipv6(const struct connect_options *o, char why[WHY])
{
	if (!o->mtu.value || o->mtu.value >= IP6_MIN_MTU)
		return true;
	snprintf(why, WHY, "--mtu %u: IPv6 needs 1280 at least", o->mtu.value);
	return false;
}

bool plan_options(const struct connect_options *o, char why[WHY])
{
	if (o->password_file && o->password_fd.given)
		snprintf(why, WHY, "--password-file and --password-fd: which of them?");
	else if (o->wait.given && !o->probe)
		snprintf(why, WHY, "--wait is for --probe");
	else if (o->mtu.value && o->mtu.value < MTU_LEAST)
		snprintf(why, WHY, "--mtu %u: it must be 576 to 9216, and 1280 at least for IPv6",
			o->mtu.value);
	else
		return !o->ipv6 || fits_ipv6(o, why);
	return false;
}

bool plan_families(const struct connect_options *o, const struct native *n, struct plan *p, char why[WHY])
{
	if (o->route && o->no_route) {
		snprintf(why, WHY, "--route and --no-route: which of them?");
		return false;
	}
	p->ipv6 = o->ipv6;
	p->ipv4 = o->ipv4;
	if (!o->ipv6 && !o->ipv4) {
		p->ipv4 = !n->ipv4.present;
		p->ipv6 = !n->ipv6.present || !p->ipv4;
	}
	if (p->ipv6 && !fits_ipv6(o, why))
		return false;
	p->route6 = takes_route(o, &n->ipv6, p->ipv6);
	p->route4 = takes_route(o, &n->ipv4, p->ipv4);
	if (!can_be_beaten("IPv6", &n->ipv6, p->route6, why) ||
		!can_be_beaten("IPv4", &n->ipv4, p->route4, why))
		return false;
	p->note[0] = '\0';
	if (!o->no_route) {
		add_note(p, "IPv6", &n->ipv6, p->ipv6, p->route6);
		add_note(p, "IPv4", &n->ipv4, p->ipv4, p->route4);
	}
	if (*p->note)
		snprintf(p->note + strlen(p->note), sizeof(p->note) - strlen(p->note),
			" (--route takes it over)");
	return true;
}

void plan_name(struct plan *p)
{
	char device[IF_NAMESIZE];

	for (unsigned tries = 0; tries < NAME_TRIES; tries++) {
		uint16_t number = (uint16_t)(getpid() + (int)tries); /* should there be no randomness */

		if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0 && tries == NAME_TRIES - 1)
			number = 0;
		snprintf(p->name, sizeof(p->name), "c-%04x", number);
		snprintf(device, sizeof(device), "si-%s", p->name);
		if (!if_nametoindex(device))
			return;
	}
}

/* ---- the text of a configuration ---- */

static void put_text(FILE *f, const char *key, const char *text)
{
	fprintf(f, "%s = \"", key);
	for (; *text; text++)
		fprintf(f, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	fprintf(f, "\";\n");
}

static void put_bool(FILE *f, const char *key, bool value)
{
	fprintf(f, "%s = %s;\n", key, value ? "true" : "false");
}

/* One user at one server has one DUID, whatever the device is called this time. */
static void put_state(FILE *f, const struct target *t)
{
	char name[128];

	snprintf(name, sizeof(name), "connect-%.50s@%.60s", t->user, t->host);
	for (char *p = name; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')) &&
			!strchr("-.@_", *p))
			*p = '_';
	fprintf(f, "state-file = \"" INSTANCE_STATE "/%s.json\";\n", name);
}

static void put_lans(FILE *f, const struct option_list *lans)
{
	if (!lans->count)
		return;
	fprintf(f, "lan = [ ");
	for (unsigned n = 0; n < lans->count; n++) {
		fprintf(f, "%s\"", n ? ", " : "");
		for (const char *p = lans->items[n]; *p; p++)
			fputc(*p == '"' || *p == '\\' ? '?' : *p, f);
		fprintf(f, "\"");
	}
	fprintf(f, " ];\n");
}

static void put_initiator(
	FILE *f, const struct connect_options *o, const struct target *t, const struct plan *p)
{
	char server[300];

	put_text(f, "server", target_server(t, server));
	if (*t->user)
		put_text(f, "user", t->user);
	if (*p->password)
		put_text(f, "password-file", p->password);
	put_text(f, "network", o->trusted ? "trusted" : "public");
	put_bool(f, "unprotected-chap", !o->trusted);
	put_bool(f, "ipv6", p->ipv6);
	put_bool(f, "ipv4", p->ipv4);
	put_bool(f, "default-route", p->route6 || p->route4);
	if (o->route)
		fprintf(f, "metric = %d;\n", TAKEN_METRIC);
	put_text(f, "dns", o->no_dns ? "none" : "auto");
	if (o->mtu.given)
		fprintf(f, "mtu = %u;\n", o->mtu.value);
	put_lans(f, &o->lan);
	put_state(f, t);
}

/* A descriptor with it, or -1. */
static int write_text(const struct connect_options *o, const struct target *t, const struct plan *p)
{
	int fd = memfd_create("softwire-connect", MFD_CLOEXEC), copy = fd < 0 ? -1 : dup(fd);
	FILE *f = copy < 0 ? NULL : fdopen(copy, "w");
	bool ok;

	if (!f) {
		if (copy >= 0)
			close(copy);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	fprintf(f, "log = \"%s\";\ninitiator = { %s = {\n", o->verbose ? "info" : "error", p->name);
	put_initiator(f, o, t, p);
	fprintf(f, "}; };\n");
	ok = !ferror(f);
	ok &= fclose(f) == 0;
	if (ok && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

/* ---- reading it ---- */

static void take_error(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	char *why = owner;

	if (fatal && !*why)
		snprintf(why, WHY, "%s", text);
}

bool plan_config(const struct connect_options *o, const struct target *t, const struct plan *p,
	struct config *ret, char why[WHY])
{
	int fd = write_text(o, t, p), result;

	why[0] = '\0';
	if (fd < 0) {
		snprintf(why, WHY, "not enough memory for a configuration");
		return false;
	}
	result = config_file_read("softwire connect", fd, false, take_error, why, ret);
	close(fd);
	if (result)
		return false;
	/* Nobody else is to talk to us, and nothing of ours is to stay in /run. */
	ret->control_socket[0] = ret->runtime_directory[0] = '\0';
	ret->initiators[0].native6 = !p->route6;
	ret->initiators[0].native4 = !p->route4;
	if (o->stateless)
		ret->state_directory[0] = ret->initiators[0].state_path[0] = '\0';
	return true;
}

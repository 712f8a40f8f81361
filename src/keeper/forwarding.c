/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The router switch. Linux: Documentation/networking/ip-sysctl.rst.
 *
 * Writing conf/all/forwarding sets every interface's, and IPv6 interfaces with accept_ra 1 then stop taking RAs and lose the default
 * routes that they had from them; accept_ra 2 says "even as a router" and is therefore set first. To go back, the order is
 * reversed, and interfaces that had been forwarding before are told so again.
 *
 * The IPv4 switch also sets conf/all/accept_redirects to what suits a router (0) and, on its way back, a host (1), whatever the administrator had
 * wanted; the rest of conf/ it leaves alone (send_redirects stays on).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/descriptor.h"
#include "keeper/forwarding.h"

enum { ACCEPT_RA_HOST = 1, ACCEPT_RA_ROUTER = 2 };

struct forwarding_change {
	struct forwarding_change *next;
	int before,
		now; /* NOW: what it will be when its turn to be undone comes, if nobody else has touched it */
	struct ledger_entry entry;
	char path[512];
};

static const char *conf_of(uint8_t family)
{
	return family == AF_INET6 ? "/proc/sys/net/ipv6/conf" : "/proc/sys/net/ipv4/conf";
}

static int write_digit(const char *path, int digit)
{
	const char text[2] = {(char)('0' + digit), 0};

	return sysctl_write(path, text);
}

static int enter(struct forwarding *f, struct forwarding_change *c)
{
	uint8_t bytes[sizeof(c->path) + 8];
	struct writer w = writer_of(bytes, sizeof(bytes));

	writer_u8(&w, (uint8_t)c->before);
	writer_u8(&w, (uint8_t)c->now);
	ledger_put_text(&w, c->path);
	return ledger_write(f->ledger, &c->entry, LEDGER_FORWARDING, &w);
}

static int remember(struct forwarding *f, const char *path, int before, int now)
{
	struct forwarding_change *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->before = before;
	c->now = now;
	c->next = f->changes;
	f->changes = c;
	(void)enter(f, c); /* short of memory: it is undone by us, or not at all */
	return 0;
}

static bool is_switch(const char *path)
{
	const char *roots[] = {conf_of(AF_INET), conf_of(AF_INET6)};

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++)
		if (!strncmp(path, roots[i], strlen(roots[i])) && path[strlen(roots[i])] == '/')
			return !strstr(path, "/../");
	return false;
}

bool forwarding_inherit(struct forwarding *f, struct ledger_item *item)
{
	struct forwarding_change *c = calloc(1, sizeof(*c));
	struct reader r = item->fields;

	if (!c)
		return false;
	c->before = reader_u8(&r);
	c->now = reader_u8(&r);
	ledger_take_text(&r, c->path, sizeof(c->path));
	if (!reader_ok(&r) || c->before > 9 || c->now > 9 || !is_switch(c->path)) {
		free(c);
		return false;
	}
	c->entry = item->entry;
	c->next = f->changes;
	f->changes = c;
	return true;
}

static int change(struct forwarding *f, const char *path, int before, int now)
{
	int r = remember(f, path, before, now);

	return r ? r : write_digit(path, now);
}

/* What must be said of one interface (or of "default") before the switch. */
static int prepare_interface(struct forwarding *f, uint8_t family, const char *name, struct log *log)
{
	char path[512];
	int r = 0;

	snprintf(path, sizeof(path), "%s/%s/forwarding", conf_of(family), name);
	if (sysctl_read(path) == 1)
		return remember(f, path, 1, 0); /* the switch's way back will take it down */
	if (family != AF_INET6)
		return 0;
	snprintf(path, sizeof(path), "%s/%s/accept_ra", conf_of(family), name);
	if (sysctl_read(path) != ACCEPT_RA_HOST)
		return 0;
	r = change(f, path, ACCEPT_RA_HOST, ACCEPT_RA_ROUTER);
	if (!r)
		log_message(log, LEVEL_INFO, "forwarding",
			"%s takes router advertisements as before (accept_ra 2)", name);
	return r == -ENOENT ? 0 : r; /* it went away meanwhile */
}

/* What the switch's way back would set anew. */
static int prepare_redirects(struct forwarding *f)
{
	static const char path[] = "/proc/sys/net/ipv4/conf/all/accept_redirects";

	return sysctl_read(path) == 0 ? remember(f, path, 0, 1) : 0;
}

int forwarding_enable(struct forwarding *f, uint8_t family, struct log *log)
{
	char path[512];
	const struct dirent *e;
	DIR *d;
	int r = 0;

	snprintf(path, sizeof(path), "%s/all/forwarding", conf_of(family));
	r = sysctl_read(path);
	if (r)
		return r < 0 ? r : 0;
	d = opendir(conf_of(family));
	if (!d)
		return -errno;
	while (!r && (e = readdir(d)))
		if (e->d_name[0] != '.' && strcmp(e->d_name, "all") != 0)
			r = prepare_interface(f, family, e->d_name, log);
	closedir(d);
	if (!r && family == AF_INET)
		r = prepare_redirects(f);
	if (!r)
		r = change(f, path, 0, 1);
	if (!r)
		log_message(log, LEVEL_INFO, "forwarding", "forwarding enabled for %s",
			family == AF_INET6 ? "IPv6" : "IPv4");
	return r;
}

void forwarding_restore(struct forwarding *f, struct log *log)
{
	if (f->changes)
		log_message(log, LEVEL_INFO, "forwarding", "forwarding as it was before");
	while (f->changes) {
		struct forwarding_change *c = f->changes;

		if (sysctl_read(c->path) == c->now)
			(void)write_digit(c->path, c->before);
		f->changes = c->next;
		ledger_drop(f->ledger, &c->entry);
		free(c);
	}
}

void forwarding_forget(struct forwarding *f)
{
	while (f->changes) {
		struct forwarding_change *c = f->changes;

		f->changes = c->next;
		free(c);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS servers for the host. Who is told: systemd-resolved where it runs, else resolvconf (Debian's or openresolv: both take the same
 * words). /etc/resolv.conf itself is never written, because whoever manages it would not know.
 *
 * systemd-resolved gets the servers for the device alone, and "default-route": names that no other link claims may be asked there.
 * The domain "~." would claim every name and take the local network's own ones from the servers that know them.
 *
 * The programs get no shell, no descriptor of ours but /dev/null (and their standard input), and an environment of two words. A program that
 * has not ended after PATIENCE is killed with its process group.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keeper/child.h"
#include "keeper/resolver.h"

enum { PATIENCE = 10000, LAST_PATIENCE = 3000 };
enum { ARGUMENTS = 3 + KEEPER_DNS_MAX, TEXT = KEEPER_DNS_MAX * (ADDR_TEXT + IFNAMSIZ + 16) };

enum method { METHOD_NONE, METHOD_RESOLVED, METHOD_RESOLVCONF };

struct resolver_job {
	struct resolver_job *next;
	char device[IFNAMSIZ];
	struct addr servers[KEEPER_DNS_MAX]; /* what is wanted */
	unsigned count;
	bool dirty;           /* it is not what was told last */
	bool more;            /* systemd-resolved: "default-route" is still to come */
	enum method in_force; /* who has been told, and must be told when it is over */
	struct child child;   /* the program that runs */
	char command[128];    /* for the log */
	struct ledger_entry entry;
};

/* ---- programs ---- */

static const struct keeper_resolvers this_system = {
	.resolved = "/run/systemd/resolve/resolv.conf",
	.resolvectl = {"/usr/bin/resolvectl", "/bin/resolvectl"},
	.resolvconf = {"/sbin/resolvconf", "/usr/sbin/resolvconf"},
	.patience_ms = PATIENCE,
};

static const char *find_program(const char *const paths[KEEPER_RESOLVER_PATHS])
{
	for (unsigned i = 0; i < KEEPER_RESOLVER_PATHS; i++) {
		struct stat st;

		if (paths[i] && !stat(paths[i], &st) && S_ISREG(st.st_mode) && !access(paths[i], X_OK))
			return paths[i];
	}
	return NULL;
}

static enum method find_method(const struct resolver *r)
{
	const struct keeper_resolvers *p = r->programs;

	if (p->resolved && !access(p->resolved, F_OK) && find_program(p->resolvectl))
		return METHOD_RESOLVED;
	return find_program(p->resolvconf) ? METHOD_RESOLVCONF : METHOD_NONE;
}

/* The end of a pipe to read TEXT from, -1 when there is none; -errno otherwise. A pipe has room for much more. */
static int input_of(const char *text)
{
	int pair[2];
	ssize_t n;

	if (!text)
		return -1;
	if (pipe2(pair, O_CLOEXEC))
		return -errno;
	n = write(pair[1], text, strlen(text));
	close(pair[1]);
	if (n == (ssize_t)strlen(text))
		return pair[0];
	close(pair[0]);
	return -EIO;
}

static void log_failure(const struct resolver *r, const struct resolver_job *j, const char *reason)
{
	struct log_line l;

	if (!log_begin(r->log, &l, LEVEL_WARN, "resolver-failed"))
		return;
	log_text(&l, "device", j->device);
	log_text(&l, "command", j->command);
	log_text(&l, "reason", reason);
	log_end(&l);
}

static void describe(struct resolver_job *j, const char *const *arguments)
{
	size_t len = 0;

	for (; *arguments && len < sizeof(j->command); arguments++)
		len += (size_t)snprintf(
			j->command + len, sizeof(j->command) - len, "%s%s", len ? " " : "", *arguments);
}

/* Starts a program; TEXT, or NULL, is its standard input. When it cannot be started that is logged, and no program runs. */
static void start(
	struct resolver *r, struct resolver_job *j, const char *const *arguments, const char *text, msec now)
{
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
	int input = input_of(text), error;

	describe(j, arguments);
	if (text && input < 0) {
		log_failure(r, j, strerror(-input));
		return;
	}
	error = child_start(&j->child,
		&(struct child_program){
			.arguments = arguments, .environment = environment, .input = input, .output = -1},
		now + r->patience);
	if (error)
		log_failure(r, j, strerror(-error));
	if (input >= 0)
		close(input);
}

/* ---- the words of each ---- */

static void tell_resolved(struct resolver *r, struct resolver_job *j, msec now)
{
	const char *arguments[ARGUMENTS + 1] = {find_program(r->programs->resolvectl), "dns", j->device};
	char text[KEEPER_DNS_MAX][ADDR_TEXT];

	for (unsigned i = 0; i < j->count; i++)
		arguments[3 + i] = addr_print(&j->servers[i], text[i]);
	if (arguments[0])
		start(r, j, arguments, NULL, now);
}

static void tell_resolved_route(struct resolver *r, struct resolver_job *j, msec now)
{
	const char *arguments[] = {
		find_program(r->programs->resolvectl), "default-route", j->device, "yes", NULL};

	if (arguments[0])
		start(r, j, arguments, NULL, now);
}

static void withdraw_resolved(struct resolver *r, struct resolver_job *j, msec now)
{
	const char *arguments[] = {find_program(r->programs->resolvectl), "revert", j->device, NULL};

	if (arguments[0])
		start(r, j, arguments, NULL, now);
}

static void run_resolvconf(
	struct resolver *r, struct resolver_job *j, const char *option, const char *text, msec now)
{
	char record[IFNAMSIZ + sizeof(".softwired")];
	const char *arguments[] = {find_program(r->programs->resolvconf), option, record, NULL};

	snprintf(record, sizeof(record), "%s.softwired", j->device);
	if (arguments[0])
		start(r, j, arguments, text, now);
}

static void tell_resolvconf(struct resolver *r, struct resolver_job *j, msec now)
{
	char text[TEXT] = "", server[ADDR_TEXT];
	size_t len = 0;

	for (unsigned i = 0; i < j->count; i++) {
		bool scoped = addr_is_link_local(&j->servers[i]); /* resolv.conf is for all links */

		len += (size_t)snprintf(text + len, sizeof(text) - len, "nameserver %s%s%s\n",
			addr_print(&j->servers[i], server), scoped ? "%" : "", scoped ? j->device : "");
	}
	run_resolvconf(r, j, "-a", text, now);
}

static void tell(struct resolver *r, struct resolver_job *j, enum method m, msec now)
{
	if (m == METHOD_RESOLVED)
		tell_resolved(r, j, now);
	else
		tell_resolvconf(r, j, now);
}

static void withdraw(struct resolver *r, struct resolver_job *j, msec now)
{
	if (j->in_force == METHOD_RESOLVED)
		withdraw_resolved(r, j, now);
	else
		run_resolvconf(r, j, "-d", NULL, now);
}

/* ---- the ledger ---- */

static void enter(struct resolver *r, struct resolver_job *j)
{
	uint8_t bytes[IFNAMSIZ + KEEPER_DNS_MAX * sizeof(struct addr) + 8];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ledger_put_text(&w, j->device);
	writer_u8(&w, (uint8_t)j->in_force);
	writer_u8(&w, (uint8_t)j->count);
	for (unsigned i = 0; i < j->count; i++)
		ledger_put_addr(&w, &j->servers[i]);
	(void)ledger_write(r->ledger, &j->entry, LEDGER_DNS, &w);
}

static bool read_entry(struct resolver_job *j, struct reader r)
{
	ledger_take_text(&r, j->device, sizeof(j->device));
	j->in_force = reader_u8(&r);
	j->count = reader_u8(&r);
	if (j->count > KEEPER_DNS_MAX || j->in_force > METHOD_RESOLVCONF)
		return false;
	for (unsigned i = 0; i < j->count; i++)
		j->servers[i] = ledger_take_addr(&r);
	return reader_ok(&r) && j->device[0];
}

/* ---- jobs ---- */

/* The next program, if one is due. What cannot be started counts as done. */
static void step(struct resolver *r, struct resolver_job *j, msec now)
{
	enum method m = j->count ? find_method(r) : METHOD_NONE;

	if (!j->dirty) {
		j->more = false;
		tell_resolved_route(r, j, now);
	} else if (j->in_force != METHOD_NONE && j->in_force != m) {
		withdraw(r, j, now);
		j->in_force = METHOD_NONE;
		j->dirty = m != METHOD_NONE;
	} else {
		j->dirty = false;
		j->in_force = m;
		j->more = m == METHOD_RESOLVED;
		if (m != METHOD_NONE)
			tell(r, j, m, now);
	}
}

static bool is_idle(const struct resolver_job *j)
{
	return !j->child.pid && !j->dirty && !j->more;
}

static void advance(struct resolver *r, msec now)
{
	struct resolver_job **link = &r->jobs;

	while (*link) {
		struct resolver_job *j = *link;

		while (!j->child.pid && !is_idle(j))
			step(r, j, now);
		if (is_idle(j) && j->in_force == METHOD_NONE) {
			*link = j->next;
			ledger_drop(r->ledger, &j->entry);
			free(j);
		} else {
			enter(r, j);
			link = &j->next;
		}
	}
}

static struct resolver_job *find_job(const struct resolver *r, const char *device)
{
	struct resolver_job *j = r->jobs;

	while (j && strcmp(j->device, device) != 0)
		j = j->next;
	return j;
}

static struct resolver_job *new_job(struct resolver *r, const char *device)
{
	struct resolver_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	snprintf(j->device, sizeof(j->device), "%s", device);
	j->next = r->jobs;
	r->jobs = j;
	return j;
}

void resolver_init(struct resolver *r, const struct keeper_resolvers *programs, struct log *log)
{
	const struct keeper_resolvers *p = programs ? programs : &this_system;

	*r = (struct resolver){.programs = p, .log = log, .patience = p->patience_ms};
}

int resolver_set(struct resolver *r, const char *device, const struct addr *servers, unsigned count, msec now)
{
	struct resolver_job *j = find_job(r, device);

	if (count && find_method(r) == METHOD_NONE)
		return -ENOENT;
	if (!j && !count)
		return 0;
	if (!j)
		j = new_job(r, device);
	if (!j)
		return -ENOMEM;
	if (count)
		memcpy(j->servers, servers, count * sizeof(*servers));
	j->count = count;
	j->dirty = true;
	advance(r, now);
	return 0;
}

bool resolver_inherit(struct resolver *r, struct ledger_item *item, msec now)
{
	struct resolver_job read = {0}, *j;

	if (!read_entry(&read, item->fields) || find_job(r, read.device))
		return false;
	j = new_job(r, read.device);
	if (!j)
		return false;
	read.next = j->next;
	*j = read;
	j->entry = item->entry;
	j->dirty = true; /* whoever was to tell it may have died over it */
	advance(r, now);
	return true;
}

/* ---- ends ---- */

static void ended(const struct resolver *r, struct resolver_job *j, int status)
{
	char text[CHILD_VERDICT];
	const char *reason = child_verdict(&j->child, status, text);
	struct log_line l;

	if (reason) {
		j->more = false;
		log_failure(r, j, reason);
		return;
	}
	if (!log_begin(r->log, &l, LEVEL_DEBUG, "resolver-told"))
		return;
	log_text(&l, "device", j->device);
	log_text(&l, "command", j->command);
	log_end(&l);
}

void resolver_reap(struct resolver *r, msec now)
{
	int status;

	for (struct resolver_job *j = r->jobs; j; j = j->next)
		if (child_reap(&j->child, &status))
			ended(r, j, status);
	advance(r, now);
}

msec resolver_deadline(const struct resolver *r)
{
	msec next = MSEC_NEVER;

	for (const struct resolver_job *j = r->jobs; j; j = j->next)
		next = msec_min(next, child_deadline(&j->child));
	return next;
}

void resolver_expire(struct resolver *r, msec now)
{
	for (struct resolver_job *j = r->jobs; j; j = j->next)
		child_expire(&j->child, now);
}

static void wait_for_child(msec until, msec now)
{
	msec left = until <= now ? 0 : until - now;
	struct timespec t = {.tv_sec = (time_t)(left / 1000), .tv_nsec = (long)(left % 1000) * 1000000};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	(void)sigtimedwait(&child, NULL, &t);
}

void resolver_done(struct resolver *r)
{
	msec now = loop_clock(),
	     end = now + 3 * LAST_PATIENCE; /* one that runs, its withdrawal, and its death */

	r->patience = msec_min(r->patience, LAST_PATIENCE);
	for (struct resolver_job *j = r->jobs; j; j = j->next) {
		j->count = 0;
		j->dirty = true;
		j->more = false;
		j->child.kill_at = msec_min(j->child.kill_at, now + r->patience);
	}
	for (resolver_reap(r, now); r->jobs && now < end; resolver_reap(r, now)) {
		wait_for_child(msec_min(resolver_deadline(r), end), now);
		now = loop_clock();
		resolver_expire(r, now);
	}
	while (r->jobs) { /* its program cannot even be killed */
		struct resolver_job *j = r->jobs;

		r->jobs = j->next;
		ledger_drop(r->ledger, &j->entry);
		free(j);
	}
}

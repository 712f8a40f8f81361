/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwire connect --probe: name, then every address that it has, then a verdict. As lines that fit into a mail, or as one JSON object.
 *
 * The report has no secret in it. It needs no root, and changes nothing on this host; at the server it is a softwire of this user like any other,
 * so one that is up may be replaced by it.
 */
#include "command/probe.h"

#include <errno.h>
#include <jansson.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "command/command.h"
#include "control/problem.h"

enum { WAIT_MS = 7000 };

struct probe {
	const struct connect_options *options;
	const struct target *target;
	json_t *steps;       /* NULL: lines for people */
	const char *address; /* that the lines are about; NULL: none */
	unsigned count;
	struct endpoint servers[PROBE_SERVERS];
	struct trial_result results[PROBE_SERVERS];
};

/* ---- lines ---- */

static const char *const status_words[] = {
	[TRIAL_OK] = "ok", [TRIAL_FAILED] = "failed", [TRIAL_NONE] = "none"};

static void told(void *owner, const struct trial_line *line)
{
	struct probe *p = owner;
	char detail[sizeof(line->detail)];

	snprintf(detail, sizeof(detail), "%s", line->detail);
	plain_text(detail);
	if (p->steps) {
		json_array_append_new(
			p->steps, json_pack("{s:s, s:s?, s:s, s:I, s:s}", "step", line->step, "address",
					  p->address, "result", status_words[line->status], "ms",
					  (json_int_t)line->ms, "detail", detail));
		return;
	}
	printf("%s%-8s %-7s %5u ms  %s\n", p->address ? "  " : "", line->step, status_words[line->status],
		line->ms, detail);
	(void)fflush(stdout);
}

/* Who tests, where, and when: for who reads it elsewhere. */
static void print_head(const struct probe *p)
{
	char when[32] = "", server[300];
	struct utsname host = {0};
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &utc);
	(void)uname(&host);
	printf("softwire %s, %s %s, %s: probing %s%s%s\n", SOFTWIRE_VERSION, host.sysname, host.release, when,
		p->target->user, *p->target->user ? "@" : "", target_server(p->target, server));
}

static json_t *head(const struct probe *p)
{
	struct utsname host = {0};
	char server[300];

	(void)uname(&host);
	return json_pack("{s:s, s:s, s:I, s:s, s:s}", "version", SOFTWIRE_VERSION, "system", host.release,
		"time", (json_int_t)time(NULL), "server", target_server(p->target, server), "user",
		p->target->user);
}

/* ---- the name ---- */

static bool is_known(const struct probe *p, const struct endpoint *e)
{
	for (unsigned n = 0; n < p->count; n++)
		if (endpoint_equal(&p->servers[n], e))
			return true;
	return false;
}

static void take_addresses(struct probe *p, const struct addrinfo *list, struct trial_line *line)
{
	struct text text = {.buf = line->detail, .size = sizeof(line->detail)};
	char buf[ADDR_TEXT];

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		struct endpoint e;

		if (endpoint_from_sockaddr(ai->ai_addr, &e))
			continue;
		e.port = p->target->port;
		if (p->count == PROBE_SERVERS || is_known(p, &e))
			continue;
		p->servers[p->count++] = e;
		text_add(&text, "%s%s", text.len ? ", " : "", addr_print(&e.addr, buf));
	}
}

/* False, with the VERDICT. */
static bool look_up(struct probe *p, char *verdict, size_t size)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM}, *list = NULL;
	struct trial_line line = {.step = "name"};
	msec before = loop_clock();
	int error = getaddrinfo(p->target->host, NULL, &hints, &list);

	line.ms = (uint32_t)(loop_clock() - before);
	if (!error) {
		take_addresses(p, list, &line);
		freeaddrinfo(list);
	}
	if (!p->count) {
		line.status = TRIAL_FAILED;
		snprintf(line.detail, sizeof(line.detail), "%s",
			error ? gai_strerror(error) : "it has no address");
		snprintf(verdict, size,
			error == EAI_AGAIN || error == EAI_FAIL || error == EAI_SYSTEM
				? "It fails at the step \"name\": %s cannot be looked up: is this host's "
				  "network up, and its DNS right?"
				: "It fails at the step \"name\": %s does not exist, or has no address: is "
				  "the name right?",
			p->target->host);
	}
	told(p, &line);
	return p->count;
}

/* ---- the verdict ---- */

static void add_where(struct text *t, const struct trial_result *r)
{
	char buf[ADDR_TEXT];

	text_add(t, "over %s (%s)", r->server.addr.family == AF_INET6 ? "IPv6" : "IPv4",
		addr_print(&r->server.addr, buf));
}

static void add_sentence(struct text *t, const char *sentence)
{
	size_t len = strlen(sentence);

	text_add(t, "%s%s", sentence, len && sentence[len - 1] == '?' ? "" : ".");
}

bool probe_verdict(const struct target *target, const struct trial_result *results, unsigned count, char *buf,
	size_t size)
{
	struct text t = {.buf = buf, .size = size};
	const struct trial_result *bad = NULL, *good = NULL;

	buf[0] = '\0';
	for (unsigned n = 0; n < count; n++) {
		if (results[n].failed && !bad)
			bad = &results[n];
		else if (!results[n].failed && results[n].tested && !good)
			good = &results[n];
	}
	if (good && bad) {
		text_add(&t, "It works ");
		add_where(&t, good);
		text_add(&t, ", but not ");
		add_where(&t, bad);
		text_add(&t, ": it fails at the step \"%s\": ", bad->step);
		add_sentence(&t, bad->sentence);
	} else if (bad) {
		text_add(&t, "It fails at the step \"%s\" ", bad->step);
		add_where(&t, bad);
		text_add(&t, ": ");
		add_sentence(&t, bad->sentence);
	} else if (!good) {
		text_add(&t, "This host has no way to any address of %s: is its network up?", target->host);
	} else {
		text_add(&t, *target->user ? "All is well."
					   : "All is well, up to the tunnel. Authentication was not tested: "
					     "with USER@ it is, and all behind it.");
	}
	return good && !bad;
}

/* ---- all of it ---- */

/* ^C ends the test in good order, or the server would go on waiting for us. */
static int catch_interrupts(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void test_addresses(struct probe *p, struct trial_plan *plan)
{
	char address[ADDR_TEXT];

	plan->interrupts = catch_interrupts();
	plan->fallback = p->count > 1;
	for (unsigned n = 0; n < p->count; n++) {
		p->address = addr_print(&p->servers[n].addr, address);
		if (!p->steps) {
			printf("%s\n", address);
			(void)fflush(stdout);
		}
		trial_run(plan, &p->servers[n], &p->results[n]);
		if (p->results[n].interrupted)
			break;
	}
	p->address = NULL;
	if (plan->interrupts >= 0)
		close(plan->interrupts);
}

/* The verdict, and the whole as JSON. */
static int conclude(struct probe *p, bool ok, char *verdict)
{
	json_t *o;

	plain_text(verdict);
	if (!p->steps) {
		printf("%s\n", verdict);
		return ok ? DONE : FAILED;
	}
	o = head(p);
	json_object_set(o, "steps", p->steps);
	json_object_set_new(o, "ok", json_boolean(ok));
	json_object_set_new(o, "verdict", json_string(verdict));
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
	return ok ? DONE : FAILED;
}

static int probe(struct probe *p, struct trial_plan *plan)
{
	char verdict[800];
	bool ok;

	if (!p->steps)
		print_head(p);
	ok = look_up(p, verdict, sizeof(verdict));
	if (ok) {
		test_addresses(p, plan);
		ok = probe_verdict(p->target, p->results, p->count, verdict, sizeof(verdict));
	}
	return conclude(p, ok, verdict);
}

int run_probe(const struct connect_options *o, const struct target *t)
{
	struct probe p = {.options = o, .target = t, .steps = o->json ? json_array() : NULL};
	char secret[PASSWORD_MAX + 1] = "", why[160] = "";
	bool both = o->ipv6 == o->ipv4;
	struct trial_plan plan = {.target = t,
		.secret = secret,
		.ipv6 = o->ipv6 || both,
		.ipv4 = o->ipv4 || both,
		.need6 = o->ipv6,
		.need4 = o->ipv4,
		.wait_ms = o->wait.given ? o->wait.value * 1000 : WAIT_MS,
		.mtu = (uint16_t)o->mtu.value,
		.told = told,
		.owner = &p};
	int status = FAILED;

	if (*t->user && !password_get(o, t, secret, &plan.secret_len, why)) {
		fprintf(stderr, "softwire: %s\n", why);
	} else {
		status = probe(&p, &plan);
	}
	explicit_bzero(secret, sizeof(secret));
	json_decref(p.steps);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another configuration, without dropping a softwire: all of it, or nothing.
 *
 * The first step is a chain of requests to the keeper, each begun by the answer to the one before: users, certificates, sockets of new
 * addresses. It goes on when something is wrong, so that everything that is wrong is told. What may fail in the second step comes first
 * there, and is taken back.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct opened {
	struct endpoint at;
	int fd; /* -1: the plane's */
};

struct concentrator_change {
	struct concentrator *role;
	struct concentrator_config config;
	concentrator_problem *problem;
	concentrator_prepared *prepared;
	void *owner;
	struct aaa *users; /* without one: nobody */
	struct certificates *certificates;
	struct opened sockets[CONCENTRATOR_LISTEN_MAX];
	unsigned socket_count, listen_next;
	bool failed;
	json_t *say;
};

__attribute__((format(printf, 2, 3))) static void tell_wrong(
	struct concentrator_change *h, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	h->failed = true;
	h->problem(h->owner, text);
}

static void change_free(struct concentrator_change *h)
{
	h->role->changing = NULL;
	keeper_forget(h->role->keeper, h);
	certificates_free(h->certificates);
	aaa_free(h->users);
	for (unsigned i = 0; i < h->socket_count; i++) {
		if (h->sockets[i].fd < 0)
			continue;
		close(h->sockets[i].fd);
		keeper_close_udp(h->role->keeper, &h->sockets[i].at, NULL, NULL);
	}
	free(h);
}

void concentrator_discard(struct concentrator_change *h)
{
	change_free(h);
}

/* ---- the first step ---- */

static void finish(struct concentrator_change *h)
{
	concentrator_prepared *prepared = h->prepared;
	void *owner = h->owner;
	bool failed = h->failed;

	if (failed)
		change_free(h);
	prepared(owner, failed ? NULL : h);
}

static void open_next(struct concentrator_change *h);

static void socket_opened(void *owner, int result, int fd)
{
	struct concentrator_change *h = owner;
	const struct endpoint *e = concentrator_listen(&h->config, h->listen_next++);
	char buf[ENDPOINT_TEXT];

	if (result)
		tell_wrong(h, "concentrator: cannot listen on %s: %s", endpoint_print(e, buf),
			result == -EADDRNOTAVAIL ? "no interface has this address"
			: result == -EADDRINUSE  ? "another program has this port"
						 : strerror(-result));
	else
		h->sockets[h->socket_count++] = (struct opened){.at = *e, .fd = fd};
	open_next(h);
}

static void open_next(struct concentrator_change *h)
{
	const struct endpoint *e;

	while ((e = concentrator_listen(&h->config, h->listen_next)) &&
		concentrator_find_listener(h->role, e))
		h->listen_next++;
	if (e)
		keeper_open_udp(h->role->keeper, e, socket_opened, h);
	else
		finish(h);
}

static void tell_problem(void *owner, const char *text)
{
	tell_wrong(owner, "%s", text);
}

static void certificates_are_read(void *owner, int result)
{
	struct concentrator_change *h = owner;

	if (result)
		h->failed = true; /* told */
	open_next(h);
}

static void read_certificates(struct concentrator_change *h)
{
	h->certificates = certificates_new(h->role, &h->config, tell_problem, h);
	if (h->certificates) {
		certificates_read(h->certificates, certificates_are_read);
		return;
	}
	tell_wrong(h, "concentrator: out of memory");
	finish(h);
}

static void tell_user_error(void *owner, const char *file, unsigned line, const char *text)
{
	if (line)
		tell_wrong(owner, "%s:%u: %s", file, line, text);
	else
		tell_wrong(owner, "%s: %s", file, text);
}

static void users_opened(void *owner, int result, int fd)
{
	struct concentrator_change *h = owner;

	if (result)
		tell_wrong(h, "%s: %s", h->config.users_path, strerror(-result));
	else if (aaa_load_users(h->users, fd, h->config.users_path, tell_user_error, h))
		h->failed = true; /* told */
	if (fd >= 0)
		close(fd);
	read_certificates(h);
}

void concentrator_prepare(struct concentrator *c, const struct concentrator_config *config,
	concentrator_problem *problem, concentrator_prepared *prepared, void *owner)
{
	struct concentrator_change *h = calloc(1, sizeof(*h));

	if (h)
		h->users = aaa_new(NULL);
	if (!h || !h->users) {
		free(h);
		problem(owner, "concentrator: out of memory");
		prepared(owner, NULL);
		return;
	}
	h->role = c;
	h->config = *config;
	h->problem = problem;
	h->prepared = prepared;
	h->owner = owner;
	c->changing = h;
	if (config->users_path[0])
		keeper_open_file(c->keeper, config->users_path, users_opened, h);
	else
		read_certificates(h);
}

/* ---- the second step ---- */

__attribute__((format(printf, 2, 3))) static void say(struct concentrator_change *h, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!h->say)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(h->say, json_string(text));
}

static void take_sockets_back(struct concentrator_change *h)
{
	for (unsigned i = 0; i < h->socket_count; i++)
		if (h->sockets[i].fd < 0)
			concentrator_drop_listener(h->role, &h->sockets[i].at);
}

/* What can fail. */
static int begin(struct concentrator_change *h)
{
	char why[256] = "", buf[ENDPOINT_TEXT];
	int result;

	for (unsigned i = 0; i < h->socket_count; i++) {
		result = concentrator_add_listener(h->role, h->sockets[i].fd, &h->sockets[i].at);
		if (result) {
			tell_wrong(h, "concentrator: cannot listen on %s: %s",
				endpoint_print(&h->sockets[i].at, buf),
				result == -ENOSPC ? "too many addresses, with those that are still in use"
						  : strerror(-result));
			take_sockets_back(h);
			return result;
		}
		h->sockets[i].fd = -1;
	}
	result = concentrator_set_pools(h->role, &h->config, why);
	if (result) {
		tell_wrong(h, "concentrator: %s", why);
		take_sockets_back(h);
	}
	return result;
}

static void say_users(struct concentrator_change *h, const struct aaa_difference *d)
{
	if (d->added + d->changed + d->gone)
		say(h, "concentrator: users: %zu new, %zu changed, %zu gone", d->added, d->changed, d->gone);
	if (d->peers)
		say(h, "concentrator: tunnel secrets of peers have changed");
}

/* Why the softwire may not go on, or NULL. */
static const char *has_lost(struct concentrator *c, const struct subscriber *sub)
{
	if (!sub->user || sub->engine.softwire.step >= STEP_CLOSING)
		return NULL;
	if (sub->anonymous)
		return c->config.anonymous_pool[0] ? NULL : "the service without a user has ended";
	return aaa_find_user(c->aaa, sub->user) ? NULL : "the user is not allowed any more";
}

static void apply_users(struct concentrator_change *h)
{
	struct concentrator *c = h->role;
	struct aaa_difference d = aaa_compare(c->aaa, h->users);
	struct subscriber *next;
	unsigned ended = 0;

	aaa_take_users(c->aaa, h->users);
	say_users(h, &d);
	concentrator_reserve_fixed(c);
	concentrator_forward(c);
	for (struct subscriber *sub = c->all; sub; sub = next) {
		const char *why = has_lost(c, sub);

		next = sub->next;
		ended += why != NULL;
		if (why)
			subscriber_close(sub, CAUSE_LOCAL, L2TP_STOP_UNAUTHORIZED, 0, why);
	}
	if (ended)
		say(h, "concentrator: %u softwire%s of users who are gone %s closed", ended,
			ended == 1 ? "" : "s", ended == 1 ? "is" : "are");
}

static void say_retired(void *owner, const struct listener *l)
{
	struct concentrator_change *h = owner;
	char buf[ENDPOINT_TEXT];

	if (l->count)
		say(h,
			"concentrator: %s takes no new softwires; it is closed when the %u that %s there %s "
			"gone",
			endpoint_print(&l->at, buf), l->count, l->count == 1 ? "is" : "are",
			l->count == 1 ? "is" : "are");
}

int concentrator_apply(struct concentrator_change *h, struct json_t *sentences)
{
	struct concentrator *c = h->role;
	struct concentrator_config old = c->config;
	int result;

	h->say = sentences;
	result = begin(h);
	if (result) {
		change_free(h);
		return result;
	}
	c->config = h->config;
	c->config.redirect_count = concentrator_others(c, c->config.redirect, c->config.redirect_count);
	concentrator_apply_timers(c);
	concentrator_admission_change(c);
	apply_users(h);
	if (concentrator_take_certificates(c, h->certificates))
		say(h, "concentrator: certificates and methods of EAP have changed");
	h->certificates = NULL;
	concentrator_change_network(c, &old);
	concentrator_change_rows(c);
	concentrator_change_listeners(c, say_retired, h);
	log_message(c->log, LEVEL_INFO, "reloaded", "%zu users", aaa_user_count(c->aaa));
	change_free(h);
	return 0;
}

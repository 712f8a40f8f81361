/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one configuration to another; the first one, too.
 *
 * The first step is a chain of requests to the keeper, each begun by the answer to the one before: the neighbours' passwords, the sockets of new addresses. It
 * goes on when something is wrong, so that everything that is wrong is told. In the second step little can fail, and what does is told of the neighbour that it
 * concerns.
 *
 * Order there: listening sockets and keys before neighbours begin to connect; those that go before those that come, for the new one may have the
 * old one's address.
 */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "afbr/parts.h"

enum { BUSY_MS = 200, BUSY_TRIES = 5 }; /* each takes twice as long as the one before: six seconds */

struct opened {
	struct endpoint at;
	int fd; /* -1: the role's */
};

struct afbr_change {
	struct afbr *role;
	struct afbr_config *config; /* a reference */
	afbr_problem *problem;
	afbr_prepared *prepared;
	void *owner;
	struct afbr_key *keys; /* of config->neighbors */
	unsigned key_next;
	struct opened sockets[AFBR_LISTEN + 2];
	unsigned socket_count, listen_next, tries;
	struct wheel_timer timer; /* somebody has the port, and may be about to go */
	bool failed;
	json_t *say;
};

__attribute__((format(printf, 2, 3))) static void tell_wrong(struct afbr_change *h, const char *format, ...)
{
	char text[4096 + 256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	h->failed = true;
	h->problem(h->owner, text);
}

static void change_free(struct afbr_change *h)
{
	struct afbr *a = h->role;

	a->changing = NULL;
	keeper_forget(a->keeper, h);
	wheel_disarm(&a->loop->wheel, &h->timer);
	for (unsigned i = 0; h->keys && i < h->config->neighbor_count; i++)
		key_wipe(&h->keys[i]);
	free(h->keys);
	for (unsigned i = 0; i < h->socket_count; i++) {
		if (h->sockets[i].fd < 0)
			continue;
		close(h->sockets[i].fd);
		keeper_close_tcp(a->keeper, &h->sockets[i].at, NULL, NULL);
	}
	afbr_config_unref(h->config);
	free(h);
}

struct afbr *change_role(const struct afbr_change *h)
{
	return h->role;
}

void afbr_discard(struct afbr_change *h)
{
	change_free(h);
}

/* ---- the first step ---- */

static void finish(struct afbr_change *h)
{
	afbr_prepared *prepared = h->prepared;
	void *owner = h->owner;
	bool failed = h->failed;

	if (failed)
		change_free(h);
	prepared(owner, failed ? NULL : h);
}

static void open_next(struct afbr_change *h);

static void open_again(struct wheel_timer *t, msec now)
{
	open_next(container_of(t, struct afbr_change, timer));
}

static void socket_opened(void *owner, int result, int fd)
{
	struct afbr_change *h = owner;
	struct endpoint e = {0};
	char buf[ENDPOINT_TEXT];

	(void)listen_wanted(h->config, h->listen_next, &e);
	if (result == -EADDRINUSE && h->tries++ < BUSY_TRIES) { /* of a daemon that was just killed */
		h->timer.fire = open_again;
		wheel_arm(&h->role->loop->wheel, &h->timer,
			loop_now(h->role->loop) + ((msec)BUSY_MS << (h->tries - 1)));
		return;
	}
	h->listen_next++;
	if (result == -EAFNOSUPPORT && !h->config->listen_count)
		log_message(h->role->log, LEVEL_WARN, "bgp-listen", "not on %s: %s", endpoint_print(&e, buf),
			strerror(-result));
	else if (result)
		tell_wrong(h, "afbr: cannot listen on %s: %s", endpoint_print(&e, buf),
			result == -EADDRINUSE ? "another program has this port: stop it, or set bgp.port here"
					      : strerror(-result));
	else
		h->sockets[h->socket_count++] = (struct opened){.at = e, .fd = fd};
	open_next(h);
}

static void open_next(struct afbr_change *h)
{
	struct endpoint e;

	while (listen_wanted(h->config, h->listen_next, &e) && listen_find(h->role, &e))
		h->listen_next++;
	if (listen_wanted(h->config, h->listen_next, &e))
		keeper_open_tcp(h->role->keeper, &e, socket_opened, h);
	else
		finish(h);
}

static void read_next_key(struct afbr_change *h);

/* Whether the kernel takes it is found out with a socket of no further use. */
static int try_key(const struct bgp_neighbor_config *n, const struct afbr_key *key, char why[128])
{
	int fd = socket(n->address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? 0 : key_set(fd, &n->address, key, why);

	if (fd >= 0)
		close(fd);
	return r;
}

static void password_opened(void *owner, int result, int fd)
{
	struct afbr_change *h = owner;
	const struct bgp_neighbor_config *n = &h->config->neighbors[h->key_next];
	struct afbr_key *key = &h->keys[h->key_next++];
	char why[128] = "";

	if (!result)
		result = key_read(fd, key, why);
	if (result)
		tell_wrong(h, "afbr: neighbor %s: %s: %s", n->name, n->password_file,
			*why ? why : strerror(-result));
	else if (try_key(n, key, why))
		tell_wrong(h, "afbr: neighbor %s: %s", n->name, why);
	read_next_key(h);
}

static void read_next_key(struct afbr_change *h)
{
	const struct afbr_config *c = h->config;

	while (h->key_next < c->neighbor_count && !*c->neighbors[h->key_next].password_file)
		h->key_next++;
	if (h->key_next < c->neighbor_count)
		keeper_open_file(
			h->role->keeper, c->neighbors[h->key_next].password_file, password_opened, h);
	else
		open_next(h);
}

void change_begin(struct afbr *a, const struct afbr_config *config, afbr_problem *problem,
	afbr_prepared *prepared, void *owner)
{
	struct afbr_change *h = calloc(1, sizeof(*h));

	if (h)
		h->keys = calloc(config->neighbor_count + 1, sizeof(*h->keys));
	if (!h || !h->keys) {
		free(h);
		problem(owner, "afbr: out of memory");
		prepared(owner, NULL);
		return;
	}
	h->role = a;
	h->config = afbr_config_ref(config);
	h->problem = problem;
	h->prepared = prepared;
	h->owner = owner;
	a->changing = h;
	read_next_key(h);
}

/* ---- the second step ---- */

__attribute__((format(printf, 2, 3))) static void say(struct afbr_change *h, const char *format, ...)
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

/* What concerns one neighbour, and does not keep the others from theirs. */
__attribute__((format(printf, 2, 3))) static void tell_failure(struct afbr_change *h, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_message(h->role->log, LEVEL_ERROR, "bgp-neighbor", "%s", text);
	if (h->say)
		json_array_append_new(h->say, json_string(text));
}

static void apply_sockets(struct afbr_change *h)
{
	char buf[ENDPOINT_TEXT];

	for (unsigned i = 0; i < h->socket_count; i++) {
		int r = listen_add(h->role, h->sockets[i].fd, &h->sockets[i].at);

		h->sockets[i].fd = -1;
		if (r)
			tell_failure(h, "afbr: cannot listen on %s: %s",
				endpoint_print(&h->sockets[i].at, buf), strerror(-r));
		else
			say(h, "afbr: listens on %s", endpoint_print(&h->sockets[i].at, buf));
	}
	listen_tidy(h->role);
}

/* Keys of addresses that have none now: of neighbours that are gone, and of those that an earlier process had. */
static void take_keys_away(struct afbr_change *h, const struct afbr_config *config)
{
	static const struct afbr_key none;
	char why[128];

	for (unsigned i = 0; config && i < config->neighbor_count; i++)
		(void)listen_set_key(h->role, &config->neighbors[i].address, &none, why);
}

static const struct bgp_neighbor_config *find_config(const struct afbr_config *config, const char *name)
{
	for (unsigned i = 0; i < config->neighbor_count; i++)
		if (!strcmp(config->neighbors[i].name, name))
			return &config->neighbors[i];
	return NULL;
}

static void remove_neighbors(struct afbr_change *h)
{
	struct bgp *b = h->role->bgp;
	struct bgp_neighbor *next;

	for (struct bgp_neighbor *n = bgp_neighbor_next(b, NULL); n; n = next) {
		next = bgp_neighbor_next(b, n);
		if (find_config(h->config, bgp_neighbor_name(n)))
			continue;
		say(h, "afbr: neighbor %s is gone", bgp_neighbor_name(n));
		bgp_neighbor_remove(n);
	}
}

static const char *explain(int error)
{
	return error == -EEXIST   ? "another neighbor has its address"
	       : error == -ENOSPC ? "too many neighbors"
				  : strerror(-error);
}

static void protect(struct afbr_change *h, struct bgp_neighbor *n, const struct bgp_neighbor_config *c,
	const struct afbr_key *key)
{
	struct afbr_peer *peer = &h->role->peers[bgp_neighbor_source(n)];
	char why[128];

	peer->unprotected = false;
	if (!key->len)
		return;
	if (listen_set_key(h->role, &c->address, key, why)) {
		peer->unprotected = true;
		tell_failure(h, "afbr: neighbor %s: %s: it cannot connect to us", c->name, why);
	}
	connection_set_key(h->role, n, key);
}

static void add_neighbor(
	struct afbr_change *h, const struct bgp_neighbor_config *c, const struct afbr_key *key)
{
	struct afbr *a = h->role;
	struct bgp_neighbor *n;
	int r = bgp_neighbor_add(a->bgp, c, &n);

	if (r) {
		tell_failure(h, "afbr: neighbor %s: %s", c->name, explain(r));
		return;
	}
	a->peers[bgp_neighbor_source(n)] = (struct afbr_peer){0};
	protect(h, n, c, key);
	say(h, "afbr: neighbor %s is new", c->name);
	bgp_neighbor_start(n);
}

static void change_neighbor(struct afbr_change *h, struct bgp_neighbor *n,
	const struct bgp_neighbor_config *c, const struct afbr_key *key)
{
	int r;

	protect(h, n, c, key);
	r = bgp_neighbor_change(n, c);
	if (r < 0)
		tell_failure(h, "afbr: neighbor %s: unchanged: %s", c->name, explain(r));
	else if (r)
		say(h, "afbr: neighbor %s was reset: what has changed cannot change while its session is up",
			c->name);
}

static void apply_neighbors(struct afbr_change *h)
{
	const struct afbr_config *config = h->config;

	for (unsigned i = 0; i < config->neighbor_count; i++) {
		struct bgp_neighbor_config c = config->neighbors[i];
		struct bgp_neighbor *n = bgp_neighbor_find(h->role->bgp, c.name);

		c.interface_index = socket_interface(&c);
		if (n)
			change_neighbor(h, n, &c, &h->keys[i]);
		else
			add_neighbor(h, &c, &h->keys[i]);
	}
}

void change_apply(struct afbr_change *h, struct json_t *sentences)
{
	struct afbr *a = h->role;
	struct afbr_config *old = a->config;

	h->say = sentences;
	a->config = afbr_config_ref(h->config);
	apply_sockets(h);
	take_keys_away(h, old);
	take_keys_away(h, a->config);
	remove_neighbors(h);
	apply_neighbors(h);
	afbr_config_unref(old);
	change_free(h);
}

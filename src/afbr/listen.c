/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who connects to us. The sockets are the keeper's, so that nobody is turned away while one engine process follows another; what is set on them here
 * may be an earlier process's already, and is set again.
 *
 * Strangers cost an accept() and a close(). GTSM is looked at in the first packet, which the kernel keeps for us: what came before we could tell the socket how
 * many hops are allowed has been looked at, too, in this way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "afbr/parts.h"

enum { ACCEPT_BATCH = 64, NO_DESCRIPTORS_MS = 1000 };

struct afbr_listener {
	struct afbr_listener *next;
	struct afbr *role;
	struct endpoint at;
	int fd;
	struct loop_watch watch;
	struct wheel_timer timer; /* there were no descriptors left */
};

bool listen_wanted(const struct afbr_config *config, unsigned i, struct endpoint *ret)
{
	static const struct addr all[] = {{.family = AF_INET6}, {.family = AF_INET}};
	const struct addr *list = config->listen_count ? config->listen : all;
	unsigned count = config->listen_count ? config->listen_count : 2;

	if (!config->port || i >= count)
		return false;
	*ret = (struct endpoint){.addr = list[i], .port = config->port};
	return true;
}

struct afbr_listener *listen_find(const struct afbr *a, const struct endpoint *at)
{
	for (struct afbr_listener *l = a->listeners; l; l = l->next)
		if (endpoint_equal(&l->at, at))
			return l;
	return NULL;
}

/* ---- who comes ---- */

/* Of whom FD comes; NULL: it is closed. */
static struct bgp_neighbor *judge(
	struct afbr_listener *l, int fd, struct endpoint *ret_remote, unsigned *ret_interface)
{
	struct afbr *a = l->role;
	struct endpoint local;
	struct bgp_neighbor *n;
	struct bgp_neighbor_view view;
	struct socket_plan plan;
	const char *refusal;
	uint8_t ttl;

	if (socket_ends(fd, &local, ret_remote, ret_interface))
		return NULL; /* it has gone again */
	n = bgp_neighbor_by_address(a->bgp, &ret_remote->addr, *ret_interface);
	if (!n) {
		a->counters.strangers++;
		event_stranger(a, ret_remote, &local, *ret_interface);
		return NULL;
	}
	bgp_neighbor_view(n, &view);
	refusal = nexthop_session_refusal(a, &ret_remote->addr, *ret_interface);
	if (refusal) {
		a->counters.unwanted++;
		event_refused(a, n, ret_remote, refusal);
		return NULL;
	}
	if (a->peers[bgp_neighbor_source(n)].unprotected) {
		a->counters.unprotected++;
		event_refused(a, n, ret_remote, "its password could not be set where it connects to");
		return NULL;
	}
	plan = socket_plan_of(view.config, bgp_config(a->bgp)->as);
	ttl = socket_first_ttl(fd);
	if (ttl && ttl < plan.min_ttl) {
		a->counters.too_far++;
		event_refused(a, n, ret_remote, "more hops away than `ttl-security` allows (RFC 5082)");
		return NULL;
	}
	return n;
}

static void listen_again(struct wheel_timer *t, msec now)
{
	struct afbr_listener *l = container_of(t, struct afbr_listener, timer);

	(void)loop_watch_change(&l->watch, UV_READABLE);
}

/* They wait in the queue; the loop must not spin meanwhile. */
static void pause_listening(struct afbr_listener *l)
{
	log_message(l->role->log, LEVEL_WARN, "bgp-listen", "cannot accept connections: %s", strerror(errno));
	(void)loop_watch_change(&l->watch, 0);
	l->timer.fire = listen_again;
	wheel_arm(&l->role->loop->wheel, &l->timer, loop_now(l->role->loop) + NO_DESCRIPTORS_MS);
}

static void listener_ready(struct loop_watch *w, int events)
{
	struct afbr_listener *l = container_of(w, struct afbr_listener, watch);

	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct endpoint remote;
		unsigned interface;
		struct bgp_neighbor *n;

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			pause_listening(l);
			return;
		}
		if (fd < 0 && errno == ECONNABORTED)
			continue;
		if (fd < 0)
			return;
		n = judge(l, fd, &remote, &interface);
		if (n)
			connection_accepted(l->role, n, fd);
		else
			close(fd);
	}
}

/* ---- life ---- */

static void listener_closed(struct loop_watch *w)
{
	struct afbr_listener *l = container_of(w, struct afbr_listener, watch);

	close(l->fd);
	free(l);
}

static void listener_stop(struct afbr_listener *l)
{
	wheel_disarm(&l->role->loop->wheel, &l->timer);
	loop_watch_stop(&l->watch);
}

int listen_add(struct afbr *a, int fd, const struct endpoint *at)
{
	struct afbr_listener *l = calloc(1, sizeof(*l));
	int r = l ? socket_tune_listener(fd, at->addr.family) : -ENOMEM;

	if (r) {
		free(l);
		close(fd);
		return r;
	}
	*l = (struct afbr_listener){.role = a,
		.at = *at,
		.fd = fd,
		.watch = {.ready = listener_ready, .closed = listener_closed}};
	r = loop_watch_start(a->loop, &l->watch, fd, UV_READABLE);
	if (r) {
		close(fd);
		free(l);
		return r;
	}
	l->next = a->listeners;
	a->listeners = l;
	return 0;
}

static bool is_wanted(const struct afbr_config *config, const struct endpoint *at)
{
	struct endpoint e;

	for (unsigned i = 0; listen_wanted(config, i, &e); i++)
		if (endpoint_equal(&e, at))
			return true;
	return false;
}

void listen_tidy(struct afbr *a)
{
	struct afbr_listener **link = &a->listeners;

	while (*link) {
		struct afbr_listener *l = *link;

		if (is_wanted(a->config, &l->at)) {
			link = &l->next;
			continue;
		}
		*link = l->next;
		keeper_close_tcp(a->keeper, &l->at, NULL, NULL);
		listener_stop(l);
	}
}

int listen_set_key(struct afbr *a, const struct addr *peer, const struct afbr_key *key, char why[128])
{
	int result = 0;

	for (struct afbr_listener *l = a->listeners; l; l = l->next) {
		int r = l->at.addr.family == peer->family ? key_set(l->fd, peer, key, why) : 0;

		if (r)
			result = r;
	}
	return result;
}

void listen_free(struct afbr *a)
{
	while (a->listeners) {
		struct afbr_listener *l = a->listeners;

		a->listeners = l->next;
		listener_stop(l);
	}
}

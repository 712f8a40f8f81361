/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The addresses that initiators connect to: one socket each, opened by the keeper.
 *
 * An address that a reload removes stays open for the softwires that have come over it, and takes no new ones: who asks for one there is told
 * another address of ours. It is closed when the last of them is gone, or with this process: the next one opens what is configured
 * (known limit: softwires of an address that was removed do not survive a crash or an upgrade). From a list to all addresses, or back, leads only a restart:
 * a socket of one address would take the packets of softwires that came over the one of all, or the other way round.
 */
#include "concentrator/redirect.h"
#include "concentrator/role.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 200, BUSY_TRIES = 25, SWEEP_MS = 1000 };

static const struct endpoint any_endpoints[] = {
	{{.family = AF_INET}, L2TP_PORT},
	{{.family = AF_INET6}, L2TP_PORT},
};

const struct endpoint *concentrator_listen(const struct concentrator_config *config, unsigned i)
{
	if (config->listen_count)
		return i < config->listen_count ? &config->listen[i] : NULL;
	return i < 2 ? &any_endpoints[i] : NULL;
}

const struct listener *concentrator_find_listener(const struct concentrator *c, const struct endpoint *e)
{
	for (unsigned i = 0; i < DP_LISTENERS_MAX; i++)
		if (c->listeners[i].open && endpoint_equal(&c->listeners[i].at, e))
			return &c->listeners[i];
	return NULL;
}

int concentrator_add_listener(struct concentrator *c, int fd, const struct endpoint *at)
{
	uint8_t listener;
	int result = tun_plane_add_socket(c->plane, fd, &listener);

	if (!result)
		c->listeners[listener] = (struct listener){.open = true, .at = *at};
	return result;
}

static void listener_close(struct concentrator *c, struct listener *l)
{
	tun_plane_remove_socket(c->plane, (uint8_t)(l - c->listeners));
	keeper_close_udp(c->keeper, &l->at, NULL, NULL);
	*l = (struct listener){.open = false};
}

void concentrator_drop_listener(struct concentrator *c, const struct endpoint *at)
{
	const struct listener *l = concentrator_find_listener(c, at);

	if (l)
		listener_close(c, &c->listeners[l - c->listeners]);
}

/* ---- a reload ---- */

bool concentrator_listens_on(const struct concentrator *c, const struct endpoint *e)
{
	const struct endpoint *listed;

	for (unsigned i = 0; (listed = concentrator_listen(&c->config, i)); i++)
		if (endpoint_equal(listed, e))
			return true;
	return false;
}

static bool is_of_this_host(const struct addr *a)
{
	struct ifaddrs *list;
	bool found = false;

	if (getifaddrs(&list))
		return false;
	for (const struct ifaddrs *ifa = list; ifa && !found; ifa = ifa->ifa_next) {
		struct endpoint e;

		found = ifa->ifa_addr && endpoint_from_sockaddr(ifa->ifa_addr, &e) == 0 &&
			addr_equal(&e.addr, a);
	}
	freeifaddrs(list);
	return found;
}

bool concentrator_is_reached_at(const struct concentrator *c, const struct endpoint *e)
{
	const struct endpoint any = {.addr = {.family = e->addr.family}, .port = e->port};

	return concentrator_listens_on(c, e) ||
	       (concentrator_listens_on(c, &any) && is_of_this_host(&e->addr));
}

unsigned concentrator_others(const struct concentrator *c, struct endpoint *list, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		if (!concentrator_is_reached_at(c, &list[i]))
			list[n++] = list[i];
	return n;
}

static void log_listener(struct concentrator *c, const struct listener *at, const char *event)
{
	struct log_line l;

	if (!log_begin(c->log, &l, LEVEL_INFO, event))
		return;
	log_endpoint(&l, "local", &at->at);
	log_uint(&l, "softwires", at->count);
	log_end(&l);
}

static void sweep(struct wheel_timer *t, msec now)
{
	struct concentrator *c = container_of(t, struct concentrator, listen_timer);
	bool more = c->changing; /* a reload that may have it served again */

	for (unsigned i = 0; i < DP_LISTENERS_MAX && !c->changing; i++) {
		struct listener *l = &c->listeners[i];

		if (!l->retired)
			continue;
		more |= l->count > 0;
		if (l->count)
			continue;
		log_listener(c, l, "listener-closed");
		listener_close(c, l);
	}
	if (more)
		wheel_arm(&c->loop->wheel, t, now + SWEEP_MS);
}

void concentrator_change_listeners(
	struct concentrator *c, void (*retired)(void *owner, const struct listener *l), void *owner)
{
	bool any = false;

	for (unsigned i = 0; i < DP_LISTENERS_MAX; i++) {
		struct listener *l = &c->listeners[i];
		bool listed = l->open && concentrator_listens_on(c, &l->at);

		if (l->open && !listed && !l->retired) {
			log_listener(c, l, "listener-retired");
			retired(owner, l);
		}
		l->retired = l->open && !listed;
		any |= l->retired;
	}
	if (!any)
		return;
	c->listen_timer.fire = sweep;
	wheel_arm(&c->loop->wheel, &c->listen_timer, loop_now(c->loop));
}

const struct endpoint *concentrator_other_address(struct concentrator *c, uint8_t family)
{
	return redirect_choose(c->config.listen, c->config.listen_count, family, c->rng);
}

/* ---- the start ---- */

static void open_next(struct concentrator *c);

static void open_again(struct wheel_timer *t, msec now)
{
	open_next(container_of(t, struct concentrator, retry_timer));
}

static void opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;
	const struct endpoint *e = concentrator_listen(&c->config, c->next_listen);
	char text[ENDPOINT_TEXT + 32], buf[ENDPOINT_TEXT];

	if (concentrator_try_again(c, result, open_again))
		return;
	if (!result) {
		result = concentrator_add_listener(c, fd, e);
		if (result)
			close(fd);
	}
	if (result) {
		snprintf(text, sizeof(text), "cannot listen on %s", endpoint_print(e, buf));
		c->listening(c, result, text);
		return;
	}
	c->next_listen++;
	open_next(c);
}

static void open_next(struct concentrator *c)
{
	const struct endpoint *e = concentrator_listen(&c->config, c->next_listen);

	if (e)
		keeper_open_udp(c->keeper, e, opened, c);
	else
		c->listening(c, 0, NULL);
}

void concentrator_open_listeners(
	struct concentrator *c, void (*done)(struct concentrator *c, int result, const char *what))
{
	c->listening = done;
	open_next(c);
}

bool concentrator_try_again(struct concentrator *c, int result, void (*fire)(struct wheel_timer *t, msec now))
{
	if ((result != -EADDRINUSE && result != -EBUSY) || c->retries >= BUSY_TRIES || c->stopping)
		return false;

	c->retries++;
	c->retry_timer.fire = fire;
	wheel_arm(&c->loop->wheel, &c->retry_timer, loop_now(c->loop) + BUSY_MS);
	return true;
}

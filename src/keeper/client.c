/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's side: requests go out when the socket takes them, answers find their request by its number.
 *
 * The keeper answers in order (but for hooks, which take their time), so the request that is looked for is mostly among the first in the list. What goes wrong with the
 * socket while sending is left for the loop to find when it reads, so that lost() never comes from inside a request.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/keeper.h"
#include "keeper/message.h"

struct request {
	struct request *next;
	uint32_t id;
	int fd; /* to be sent along, ours; -1: none */
	size_t len;
	keeper_answer *answer; /* NULL: nobody waits, or: */
	keeper_bgp_answer *bgp_answer;
	void *owner;
	uint8_t data[]; /* struct message_request, only as long as its type */
};

struct keeper_client {
	struct loop *loop;
	struct loop_watch watch;
	int fd;
	bool gone;  /* the keeper is */
	bool freed; /* we are, but for the handle */
	uint32_t last_id;
	struct request *first, **end;
	struct request *unsent; /* the first that has not gone out; all behind it have not either */
	void (*lost)(void *owner);
	void *owner;
};

/* ---- answers ---- */

static const uint64_t none_failed[2];

static void close_fd(struct request *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void finish(struct request *r, int result, int fd, const uint64_t failed[2])
{
	close_fd(r);
	if (r->answer)
		r->answer(r->owner, result, fd);
	else if (fd >= 0)
		close(fd);
	if (r->bgp_answer)
		r->bgp_answer(r->owner, result, failed);
	free(r);
}

static struct request *take_request(struct keeper_client *c, uint32_t id)
{
	struct request **link = &c->first;
	struct request *r;

	/* An answer to what has not been asked yet is none. */
	while (*link != c->unsent && (*link)->id != id)
		link = &(*link)->next;
	r = *link;
	if (r == c->unsent)
		return NULL;
	*link = r->next;
	if (c->end == &r->next)
		c->end = link;
	return r;
}

static void lose(struct keeper_client *c)
{
	c->gone = true;
	(void)loop_watch_change(&c->watch, 0);
	c->unsent = NULL;
	while (c->first && !c->freed) {
		struct request *r = c->first;

		c->first = r->next;
		if (!c->first)
			c->end = &c->first;
		finish(r, -EPIPE, -1, none_failed);
	}
	if (!c->freed)
		c->lost(c->owner);
}

/* False at the end of what is there. */
static bool receive(struct keeper_client *c)
{
	struct message_answer a;
	struct request *r;
	int fd = -1;
	ssize_t n = message_receive(c->fd, &a, sizeof(a), &fd);

	if (n == -EAGAIN)
		return false;
	if (n != (ssize_t)sizeof(a)) {
		if (n > 0 && fd >= 0)
			close(fd);
		lose(c);
		return false;
	}
	r = take_request(c, a.id);
	if (r)
		finish(r, a.result, fd, a.failed);
	else if (fd >= 0)
		close(fd);
	return true;
}

/* ---- requests ---- */

static void send_unsent(struct keeper_client *c)
{
	while (c->unsent) {
		int r = message_send(c->fd, c->unsent->data, c->unsent->len, c->unsent->fd);

		if (r == -EAGAIN || r == -ENOBUFS)
			break;
		close_fd(c->unsent);
		c->unsent = c->unsent->next; /* after any other error the loop reads the end */
	}
}

static void watch_again(struct keeper_client *c)
{
	if (!c->gone && !c->freed)
		(void)loop_watch_change(&c->watch, UV_READABLE | (c->unsent ? UV_WRITABLE : 0));
}

static void ready(struct loop_watch *w, int events)
{
	struct keeper_client *c = container_of(w, struct keeper_client, watch);

	if (events < 0) {
		lose(c);
		return;
	}
	while (!c->gone && !c->freed && receive(c))
		continue;
	if (c->gone || c->freed)
		return;
	send_unsent(c);
	watch_again(c);
}

/* FD goes along, and is not the caller's any more; -1: none. 0, or -errno, when there is no request. */
static int enqueue(struct keeper_client *c, struct message_request *m, int fd, struct request **ret)
{
	size_t len = message_size(m->type);
	int error = c->gone ? -EPIPE : message_check(m) ? -EINVAL : 0;
	struct request *r = error ? NULL : malloc(sizeof(*r) + len);

	if (!r) {
		if (fd >= 0)
			close(fd);
		return error ? error : -ENOMEM;
	}
	m->id = ++c->last_id;
	*r = (struct request){.id = m->id, .fd = fd, .len = len};
	memcpy(r->data, m, len);
	*c->end = r;
	c->end = &r->next;
	*ret = r;
	return 0;
}

static void push(struct keeper_client *c, struct request *r)
{
	if (c->unsent)
		return;
	c->unsent = r;
	send_unsent(c);
	if (c->unsent)
		watch_again(c);
}

static void submit_with(struct keeper_client *c, struct message_request *m, int fd, keeper_answer *answer, void *owner)
{
	struct request *r;
	int error = enqueue(c, m, fd, &r);

	if (error && answer)
		answer(owner, error, -1);
	if (error)
		return;
	r->answer = answer;
	r->owner = owner;
	push(c, r);
}

static void submit(struct keeper_client *c, struct message_request *m, keeper_answer *answer, void *owner)
{
	submit_with(c, m, -1, answer, owner);
}

/* One that does not fit stays empty, which no request accepts. */
static void put_text(char *to, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len < size)
		memcpy(to, text, len + 1);
}

static void submit_path(
	struct keeper_client *c, uint32_t type, const char *path, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = type};

	put_text(m.body.path, sizeof(m.body.path), path);
	submit(c, &m, answer, owner);
}

static void submit_link(struct keeper_client *c, uint32_t type, const char *device, uint32_t mtu,
	keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = type, .body.link = {.mtu = mtu}};

	put_text(m.body.link.name, sizeof(m.body.link.name), device);
	submit(c, &m, answer, owner);
}

static void submit_endpoint(
	struct keeper_client *c, uint32_t type, const struct endpoint *e, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = type, .body.endpoint = *e};

	submit(c, &m, answer, owner);
}

void keeper_open_udp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner)
{
	submit_endpoint(c, MESSAGE_OPEN_UDP, local, answer, owner);
}

void keeper_close_udp(
	struct keeper_client *c, const struct endpoint *bound, keeper_answer *answer, void *owner)
{
	submit_endpoint(c, MESSAGE_CLOSE_UDP, bound, answer, owner);
}

void keeper_open_tcp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner)
{
	submit_endpoint(c, MESSAGE_OPEN_TCP, local, answer, owner);
}

void keeper_close_tcp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner)
{
	submit_endpoint(c, MESSAGE_CLOSE_TCP, local, answer, owner);
}

void keeper_open_tun(
	struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner)
{
	submit_link(c, MESSAGE_OPEN_TUN, name, mtu, answer, owner);
}

void keeper_open_tap(
	struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner)
{
	submit_link(c, MESSAGE_OPEN_TAP, name, mtu, answer, owner);
}

void keeper_neighbours(struct keeper_client *c, bool add, const char *device, const uint32_t *numbers, unsigned count,
	keeper_answer *answer, void *owner)
{
	struct message_request m = {
		.type = MESSAGE_NEIGHBOURS, .body.neighbours = {.add = add, .count = count}};

	put_text(m.body.neighbours.device, sizeof(m.body.neighbours.device), device);
	/* More than fits is a count that no request accepts. */
	for (unsigned i = 0; count <= KEEPER_NEIGHBOURS && i < count; i++)
		m.body.neighbours.numbers[i] = numbers[i];
	submit(c, &m, answer, owner);
}

void keeper_open_raw(
	struct keeper_client *c, const struct addr *local, uint8_t protocol, keeper_answer *answer, void *owner)
{
	struct message_request m = {
		.type = MESSAGE_OPEN_RAW, .body.raw = {.local = *local, .protocol = protocol}};

	submit(c, &m, answer, owner);
}

void keeper_borders(struct keeper_client *c, const char *const *interfaces, unsigned interface_count, const struct prefix *sets,
	unsigned set_count, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_BORDERS,
		.body.borders = {.interface_count = interface_count, .set_count = set_count}};
	struct message_borders *b = &m.body.borders;

	for (unsigned i = 0; interface_count <= KEEPER_BORDERS && i < interface_count; i++)
		put_text(b->interfaces[i], sizeof(b->interfaces[i]), interfaces[i]);
	for (unsigned i = 0; set_count <= KEEPER_BORDERS && i < set_count; i++)
		b->sets[i] = sets[i];
	submit(c, &m, answer, owner);
}

void keeper_link_mtu(
	struct keeper_client *c, const char *device, uint32_t mtu, keeper_answer *answer, void *owner)
{
	submit_link(c, MESSAGE_LINK_MTU, device, mtu, answer, owner);
}

void keeper_close_tun(struct keeper_client *c, const char *name, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_CLOSE_TUN};

	put_text(m.body.name, sizeof(m.body.name), name);
	submit(c, &m, answer, owner);
}

void keeper_open_icmp6(struct keeper_client *c, const char *interface, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_OPEN_ICMP6};

	put_text(m.body.name, sizeof(m.body.name), interface);
	submit(c, &m, answer, owner);
}

void keeper_open_file(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner)
{
	submit_path(c, MESSAGE_OPEN_FILE, path, answer, owner);
}

void keeper_open_directory(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner)
{
	submit_path(c, MESSAGE_OPEN_DIRECTORY, path, answer, owner);
}

void keeper_open_control(struct keeper_client *c, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_OPEN_CONTROL};

	submit(c, &m, answer, owner);
}

void keeper_open_state(struct keeper_client *c, const char *device, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_OPEN_STATE};

	put_text(m.body.name, sizeof(m.body.name), device);
	submit(c, &m, answer, owner);
}

void keeper_hold_udp(struct keeper_client *c, const char *device, int fd, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_HOLD_UDP};
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	put_text(m.body.name, sizeof(m.body.name), device);
	if (fd >= 0 && copy < 0) {
		if (answer)
			answer(owner, -errno, -1);
		return;
	}
	submit_with(c, &m, copy, answer, owner);
}

void keeper_held_udp(struct keeper_client *c, const char *device, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_HELD_UDP};

	put_text(m.body.name, sizeof(m.body.name), device);
	submit(c, &m, answer, owner);
}

void keeper_route(struct keeper_client *c, bool add, const struct prefix *dst, enum keeper_route_kind kind,
	const char *device, const struct addr *source, uint32_t metric, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_ROUTE,
		.body.route = {.dst = *dst, .metric = metric, .add = add, .kind = (uint8_t)kind}};

	if (kind == KEEPER_ROUTE_DEVICE && device)
		put_text(m.body.route.device, sizeof(m.body.route.device), device);
	if (kind == KEEPER_ROUTE_DEVICE && source)
		m.body.route.source = *source;
	submit(c, &m, answer, owner);
}

void keeper_address(struct keeper_client *c, bool add, const char *device, const struct addr *address,
	uint8_t prefix_len, uint32_t valid, uint32_t preferred, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_ADDRESS,
		.body.address = {.address = *address,
			.valid = valid,
			.preferred = preferred,
			.prefix_len = prefix_len,
			.add = add}};

	put_text(m.body.address.device, sizeof(m.body.address.device), device);
	submit(c, &m, answer, owner);
}

void keeper_forwarding(struct keeper_client *c, uint8_t family, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_FORWARDING, .body.family = family};

	submit(c, &m, answer, owner);
}

void keeper_dns(struct keeper_client *c, const char *device, const struct addr *servers, unsigned count,
	keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_DNS, .body.dns = {.count = count}};

	put_text(m.body.dns.device, sizeof(m.body.dns.device), device);
	for (unsigned i = 0; i < count && i < KEEPER_DNS_MAX; i++)
		m.body.dns.servers[i] = servers[i];
	submit(c, &m, answer, owner);
}

/* More than fits becomes a count that no request accepts. */
static void put_variables(struct message_hook *m, const char *const *variables, unsigned count)
{
	size_t used = 0;

	m->count = count;
	for (unsigned i = 0; i < count && m->count == count; i++) {
		size_t len = strlen(variables[i]) + 1;

		if (len > sizeof(m->variables) - used)
			m->count = KEEPER_HOOK_VARIABLES + 1;
		else
			memcpy(m->variables + used, variables[i], len);
		used += len;
	}
}

void keeper_hook(struct keeper_client *c, const char *path, const char *event, const char *key,
	const char *const *variables, unsigned count, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_HOOK};

	put_text(m.body.hook.path, sizeof(m.body.hook.path), path);
	put_text(m.body.hook.event, sizeof(m.body.hook.event), event);
	put_text(m.body.hook.key, sizeof(m.body.hook.key), key);
	put_variables(&m.body.hook, variables, count);
	submit(c, &m, answer, owner);
}

void keeper_bgp_routes(struct keeper_client *c, uint32_t table, uint32_t metric,
	const struct keeper_bgp_route *routes, unsigned count, keeper_bgp_answer *answer, void *owner)
{
	struct message_request m = {
		.type = MESSAGE_BGP_ROUTES, .body.bgp_routes = {.table = {table, metric}, .count = count}};
	struct request *r;
	int error;

	/* More than fits is a count that no request accepts. */
	for (unsigned i = 0; count <= KEEPER_BGP_ROUTES && i < count; i++)
		m.body.bgp_routes.routes[i] = routes[i];
	error = enqueue(c, &m, -1, &r);
	if (error) {
		if (answer)
			answer(owner, error, none_failed);
		return;
	}
	r->bgp_answer = answer;
	r->owner = owner;
	push(c, r);
}

void keeper_bgp_flush(
	struct keeper_client *c, uint32_t table, uint32_t metric, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_BGP_FLUSH, .body.table = {table, metric}};

	submit(c, &m, answer, owner);
}

void keeper_bridge(struct keeper_client *c, const char *bridge, const char *const *ports, unsigned count,
	keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_BRIDGE, .body.bridge = {.count = count}};

	put_text(m.body.bridge.bridge, sizeof(m.body.bridge.bridge), bridge);
	for (unsigned i = 0; i < count && i < KEEPER_BRIDGE_PORTS; i++)
		put_text(m.body.bridge.ports[i], sizeof(m.body.bridge.ports[i]), ports[i]);
	submit(c, &m, answer, owner);
}

void keeper_reload(struct keeper_client *c, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_RELOAD};

	submit(c, &m, answer, owner);
}

void keeper_reload_back(struct keeper_client *c)
{
	struct message_request m = {.type = MESSAGE_RELOAD_BACK};

	submit(c, &m, NULL, NULL);
}

void keeper_ready(struct keeper_client *c)
{
	struct message_request m = {.type = MESSAGE_READY};

	submit(c, &m, NULL, NULL);
}

void keeper_upgrade(struct keeper_client *c, keeper_answer *answer, void *owner)
{
	struct message_request m = {.type = MESSAGE_UPGRADE};

	submit(c, &m, answer, owner);
}

/* ---- life ---- */

struct keeper_client *keeper_client_new(struct loop *loop, int fd, void (*lost)(void *owner), void *owner)
{
	struct keeper_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->loop = loop;
	c->fd = fd;
	c->lost = lost;
	c->owner = owner;
	c->end = &c->first;
	c->watch.ready = ready;
	if (loop_watch_start(loop, &c->watch, fd, UV_READABLE)) {
		close(fd);
		free(c);
		return NULL;
	}
	return c;
}

void keeper_forget(struct keeper_client *c, const void *owner)
{
	for (struct request *r = c->first; r; r = r->next)
		if (r->owner == owner) {
			r->answer = NULL;
			r->bgp_answer = NULL;
		}
}

static void closed(struct loop_watch *w)
{
	struct keeper_client *c = container_of(w, struct keeper_client, watch);

	close(c->fd);
	free(c);
}

void keeper_client_free(struct keeper_client *c)
{
	if (!c || c->freed)
		return;
	c->freed = true;
	c->unsent = NULL;
	while (c->first) {
		struct request *r = c->first;

		c->first = r->next;
		close_fd(r);
		free(r);
	}
	c->watch.closed = closed;
	loop_watch_stop(&c->watch);
}

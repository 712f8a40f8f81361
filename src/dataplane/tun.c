/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plane itself: its life, its device, its sockets as listeners, and what wakes it up. */
#include "dataplane/plane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH_ROUNDS = 16, READ_ROUNDS = 16, READ_NS = 1000000 };

static struct tun_plane *plane_of_flush(struct loop_flush *f)
{
	return container_of(f, struct tun_plane, flush);
}

static void send_queues(struct tun_plane *p)
{
	for (unsigned i = 0; i < p->socket_end; i++)
		if (p->sockets[i])
			dp_socket_send(p->sockets[i]);
}

static void plane_flush(struct loop_flush *f)
{
	struct tun_plane *p = plane_of_flush(f);

	p->busy = true;
	send_queues(p);
	p->busy = false;
	p->behind = false;
}

static int plane_allocate(struct tun_plane *p)
{
	p->rx = calloc(1, sizeof(*p->rx));
	p->slots = calloc(DP_SLOTS, sizeof(*p->slots));
	if (!p->rx || !p->slots)
		return -ENOMEM;
	for (unsigned i = 0; i < DP_SLOTS; i++)
		dp_slot_give(p, &p->slots[DP_SLOTS - 1 - i]);
	return 0;
}

static void plane_free(struct tun_plane *p)
{
	free(p->rx);
	dp_late_free(&p->late);
	free(p->slots);
	free(p);
}

struct tun_plane *tun_plane_new(
	struct loop *loop, struct log *log, const struct tun_ops *ops, void *owner, uint64_t seed)
{
	struct tun_plane *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->loop = loop;
	p->log = log;
	p->ops = ops;
	p->owner = owner;
	p->device_fd = -1;
	if (plane_allocate(p) < 0 || dp_table_init(&p->table, seed) < 0 ||
		uv_idle_init(&loop->uv, &p->idle)) {
		plane_free(p);
		return NULL;
	}
	p->handles = 1;
	p->flush.run = plane_flush;
	loop_flush_add(loop, &p->flush);
	return p;
}

void *tun_plane_owner(const struct tun_plane *p)
{
	return p->owner;
}

struct dp_table *tun_plane_table(struct tun_plane *p)
{
	return &p->table;
}

struct dp_counters *tun_plane_counters(struct tun_plane *p)
{
	return &p->counters;
}

bool tun_plane_is_behind(const struct tun_plane *p)
{
	return p->behind || p->late.used;
}

void tun_plane_set_sources(struct tun_plane *p, const struct addr *local6, const struct addr *local4)
{
	p->local6 = local6 ? *local6 : (struct addr){0};
	p->local4 = local4 ? *local4 : (struct addr){0};
}

/* The loop has let go of a handle; the last one, which exists only once the plane is closing, takes the plane
 * along. */
static void handle_gone(struct tun_plane *p)
{
	void (*freed)(void *owner) = p->freed;
	void *owner = p->owner;

	if (--p->handles)
		return;
	dp_table_done(&p->table);
	plane_free(p);
	if (freed)
		freed(owner);
}

/* --- device --- */

static void device_closed(struct loop_watch *w)
{
	w->ready = NULL; /* there may be another device */
	handle_gone(container_of(w, struct tun_plane, device));
}

static void device_stop(struct tun_plane *p)
{
	if (p->device_fd < 0)
		return;
	loop_watch_stop(&p->device);
	close(p->device_fd);
	p->device_fd = -1;
}

void dp_device_lost(struct tun_plane *p, int error)
{
	log_message(p->log, LEVEL_ERROR, "device-lost", "the tunnel device is gone: %s", strerror(error));
	device_stop(p);
}

static void device_ready(struct loop_watch *w, int events)
{
	struct tun_plane *p = container_of(w, struct tun_plane, device);

	if (p->closing)
		return;
	if (events < 0)
		return dp_device_lost(p, EBADFD);
	p->busy = true;
	if (dp_down_batch(p) == DP_BATCH)
		p->behind = true;
	p->busy = false;
}

int tun_plane_set_device(struct tun_plane *p, int fd)
{
	int r;

	if (p->device.ready) /* the loop may still hold the one that was lost */
		return -EBUSY;
	p->device.ready = device_ready;
	p->device.closed = device_closed;
	r = loop_watch_start(p->loop, &p->device, fd, UV_READABLE);
	if (r < 0) {
		p->device.ready = NULL;
		return r;
	}
	p->device_fd = fd;
	p->handles++;
	return 0;
}

bool dp_device_write(struct tun_plane *p, const uint8_t *packet, size_t len)
{
	struct log_line l;

	if (p->device_fd >= 0 && write(p->device_fd, packet, len) == (ssize_t)len)
		return true;
	p->counters.drop_device++;
	if (p->device_fd >= 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR &&
		limit_ok(&p->device_log, loop_now(p->loop), 1, 1) &&
		log_begin(p->log, &l, LEVEL_WARN, "device-write")) {
		log_text(&l, "error", strerror(errno));
		log_uint(&l, "drop_device", p->counters.drop_device);
		log_end(&l);
	}
	return false;
}

/* --- sockets --- */

static void socket_closed(struct loop_watch *w)
{
	struct dp_socket *s = container_of(w, struct dp_socket, watch);
	struct tun_plane *p = s->plane;

	free(s);
	handle_gone(p);
}

/* libuv stops a handle whose descriptor has an error; with one that can be read it goes on. */
static void socket_error(struct dp_socket *s)
{
	if (dp_socket_errors(s) || s->closing) {
		if (!s->closing)
			dp_socket_watch(s);
		return;
	}
	s->plane->counters.socket_errors++;
	log_message(s->plane->log, LEVEL_ERROR, "socket-lost", "listener %u cannot be watched any more",
		s->listener);
}

static void late_ready(uv_idle_t *idle)
{
	struct tun_plane *p = container_of(idle, struct tun_plane, idle);

	p->busy = true;
	dp_late_work(p, false);
	p->busy = false;
	if (!p->closing && !p->late.used)
		uv_idle_stop(idle);
}

/* A batch as it comes; when it was full, the next ones quickly: who is up first, the others later. */
static void socket_read(struct dp_socket *s)
{
	struct tun_plane *p = s->plane;
	uint64_t began = 0;

	p->deferring = p->crowded || p->late.used;
	p->crowded = false;
	for (unsigned round = 0; round < READ_ROUNDS && !s->closing; round++) {
		if (dp_socket_receive(s) < DP_BATCH)
			break;
		p->deferring = p->crowded = p->behind = true;
		if (!began)
			began = uv_hrtime();
		else if (uv_hrtime() - began > READ_NS)
			break;
	}
	p->deferring = false;
	if (p->late.used && !p->closing)
		uv_idle_start(&p->idle, late_ready);
}

static void socket_ready(struct loop_watch *w, int events)
{
	struct dp_socket *s = container_of(w, struct dp_socket, watch);
	struct tun_plane *p = s->plane;

	if (s->closing)
		return;
	p->busy = true;
	if (events < 0)
		socket_error(s);
	else if (events & UV_PRIORITIZED)
		dp_socket_errors(s);
	if (!s->closing && events > 0 && events & UV_READABLE)
		socket_read(s);
	if (!s->closing && events > 0 && events & UV_WRITABLE) {
		s->blocked = false;
		dp_socket_send(s);
		if (!s->closing)
			dp_socket_watch(s);
	}
	p->busy = false;
}

static int listener_free(const struct tun_plane *p)
{
	for (int i = 0; i < DP_LISTENERS_MAX; i++)
		if (!p->sockets[i])
			return i;
	return -ENOSPC;
}

static int socket_start(struct tun_plane *p, struct dp_socket *s, int fd)
{
	int r = dp_socket_open(s, fd);

	if (r < 0)
		return r;
	r = dp_table_add_listener(&p->table, s->listener);
	if (r < 0)
		return r;
	s->watch.ready = socket_ready;
	s->watch.closed = socket_closed;
	return loop_watch_start(p->loop, &s->watch, fd, UV_READABLE | UV_PRIORITIZED);
}

int tun_plane_add_socket(struct tun_plane *p, int fd, uint8_t *ret_listener)
{
	int listener = listener_free(p), r;
	struct dp_socket *s;

	if (listener < 0)
		return listener;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->plane = p;
	s->listener = (uint8_t)listener;
	r = socket_start(p, s, fd);
	if (r < 0) {
		free(s);
		return r;
	}
	p->handles++;
	p->sockets[listener] = s;
	if (p->socket_end <= (unsigned)listener)
		p->socket_end = (unsigned)listener + 1;
	*ret_listener = (uint8_t)listener;
	return 0;
}

void tun_plane_remove_socket(struct tun_plane *p, uint8_t listener)
{
	struct dp_socket *s = listener < DP_LISTENERS_MAX ? p->sockets[listener] : NULL;

	if (!s)
		return;
	p->sockets[listener] = NULL;
	s->closing = true;
	dp_queue_clear(s);
	loop_watch_stop(&s->watch);
	close(s->fd);
	s->fd = -1;
}

int tun_plane_send(struct tun_plane *p, uint8_t listener, const struct addr *local, const struct endpoint *to,
	const uint8_t *payload, size_t len)
{
	struct dp_socket *s = listener < DP_LISTENERS_MAX ? p->sockets[listener] : NULL;
	struct dp_slot *slot;

	if (!s)
		return -ENOENT;
	if (len > sizeof(slot->bytes))
		return -EMSGSIZE;
	if (s->queued >= DP_BATCH)
		dp_socket_push(s);
	slot = dp_slot_take(p);
	if (!slot) {
		p->counters.drop_send_queue++;
		return -ENOBUFS;
	}
	slot->at = 0;
	slot->len = (uint32_t)len;
	slot->local = local ? *local : (struct addr){0};
	slot->tos = TOS_CS6;
	slot->to_len = endpoint_to_sockaddr(to, &slot->to);
	memcpy(slot->bytes, payload, len);
	if (dp_queue_control(s, slot))
		return 0;
	dp_slot_give(p, slot);
	return -ENOBUFS;
}

/* --- everything at once --- */

static unsigned flush_round(struct tun_plane *p)
{
	unsigned work = dp_late_work(p, true) + dp_down_batch(p);

	for (unsigned i = 0; i < p->socket_end && !p->closing; i++) {
		if (p->sockets[i])
			work += dp_socket_errors(p->sockets[i]);
		if (p->sockets[i])
			work += dp_socket_receive(p->sockets[i]);
	}
	send_queues(p);
	return work;
}

void tun_plane_flush(struct tun_plane *p)
{
	if (p->busy) {
		for (unsigned i = 0; i < p->socket_end; i++)
			if (p->sockets[i])
				dp_socket_push(p->sockets[i]);
		return;
	}
	p->busy = true;
	for (unsigned round = 0; round < FLUSH_ROUNDS && !p->closing; round++)
		if (!flush_round(p))
			break;
	p->busy = false;
}

static void idle_closed(uv_handle_t *h)
{
	handle_gone(container_of((uv_idle_t *)h, struct tun_plane, idle));
}

void tun_plane_close(struct tun_plane *p, void (*freed)(void *owner))
{
	p->closing = true;
	p->freed = freed;
	loop_flush_remove(p->loop, &p->flush);
	for (unsigned i = 0; i < p->socket_end; i++)
		tun_plane_remove_socket(p, (uint8_t)i);
	device_stop(p);
	uv_close((uv_handle_t *)&p->idle, idle_closed);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plane itself: its life, its device, its sockets, and what wakes it up. */
#include "mesh/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_ROUNDS = 16, READ_NS = 1000000, DRAIN_BATCHES = 8 };

static void plane_flush(struct loop_flush *f)
{
	struct mesh_plane *p = container_of(f, struct mesh_plane, flush);

	for (unsigned i = 0; i < 2; i++)
		if (p->senders[i])
			mesh_socket_send(p->senders[i]);
}

static int plane_allocate(struct mesh_plane *p)
{
	p->rx = calloc(1, sizeof(*p->rx));
	p->parcels = calloc(MESH_PARCELS, sizeof(*p->parcels));
	if (!p->rx || !p->parcels)
		return -ENOMEM;
	for (unsigned i = 0; i < MESH_PARCELS; i++)
		mesh_parcel_give(p, &p->parcels[MESH_PARCELS - 1 - i]);
	return mesh_table_init(&p->table, p->seed);
}

static void plane_free(struct mesh_plane *p)
{
	free(p->rx);
	free(p->parcels);
	free(p);
}

struct mesh_plane *mesh_plane_new(
	struct loop *loop, struct log *log, const struct mesh_ops *ops, void *owner, uint64_t seed)
{
	struct mesh_plane *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->loop = loop;
	p->log = log;
	p->ops = ops;
	p->owner = owner;
	p->seed = seed;
	p->last_id = (uint32_t)(seed >> 32);
	p->device_fd = -1;
	if (plane_allocate(p) < 0) {
		plane_free(p);
		return NULL;
	}
	if (uv_idle_init(&loop->uv, &p->idle)) {
		mesh_table_done(&p->table);
		plane_free(p);
		return NULL;
	}
	p->handles = 1;
	p->flush.run = plane_flush;
	loop_flush_add(loop, &p->flush);
	return p;
}

void *mesh_plane_owner(const struct mesh_plane *p)
{
	return p->owner;
}

struct mesh_table *mesh_plane_table(struct mesh_plane *p)
{
	return &p->table;
}

struct mesh_counters *mesh_plane_counters(struct mesh_plane *p)
{
	return &p->counters;
}

void mesh_plane_set_sources(struct mesh_plane *p, const struct addr *local6, const struct addr *local4)
{
	p->local6 = local6 ? *local6 : (struct addr){0};
	p->local4 = local4 ? *local4 : (struct addr){0};
}

void mesh_plane_set_interfaces(struct mesh_plane *p, const unsigned *indexes, unsigned count)
{
	p->interface_count = count < MESH_INTERFACES ? count : MESH_INTERFACES;
	if (p->interface_count)
		memcpy(p->interfaces, indexes, p->interface_count * sizeof(*indexes));
}

/* The loop has let go of a handle; the last one, which exists only once the plane is closing, takes the plane along. */
static void handle_gone(struct mesh_plane *p)
{
	void (*freed)(void *owner) = p->freed;
	void *owner = p->owner;

	if (--p->handles)
		return;
	mesh_table_done(&p->table);
	plane_free(p);
	if (freed)
		freed(owner);
}

/* --- device --- */

static void device_closed(struct loop_watch *w)
{
	w->ready = NULL; /* there may be another device */
	handle_gone(container_of(w, struct mesh_plane, device));
}

static void device_stop(struct mesh_plane *p)
{
	if (p->device_fd < 0)
		return;
	loop_watch_stop(&p->device);
	close(p->device_fd);
	p->device_fd = -1;
}

void mesh_device_lost(struct mesh_plane *p, int error)
{
	log_message(p->log, LEVEL_ERROR, "device-lost", "the mesh's device is gone: %s", strerror(error));
	device_stop(p);
	p->ops->device_lost(p);
}

static void device_ready(struct loop_watch *w, int events)
{
	struct mesh_plane *p = container_of(w, struct mesh_plane, device);

	if (p->closing)
		return;
	if (events < 0)
		mesh_device_lost(p, EBADFD);
	else {
		p->draining = true;
		mesh_out_batch(p);
		p->draining = false;
	}
}

void mesh_plane_drain(struct mesh_plane *p)
{
	if (p->draining || p->closing)
		return;
	p->draining = true; /* an op may let a path go */
	for (unsigned i = 0; i < DRAIN_BATCHES && mesh_out_batch(p) == MESH_BATCH; i++)
		;
	p->draining = false;
}

int mesh_plane_set_device(struct mesh_plane *p, int fd, const uint8_t lladdr[6])
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
	memcpy(p->lladdr, lladdr, sizeof(p->lladdr));
	p->device_fd = fd;
	p->handles++;
	return 0;
}

static void log_write_error(struct mesh_plane *p, int error)
{
	struct log_line l;

	if (error == EAGAIN || error == ENOBUFS || error == EINTR ||
		!limit_ok(&p->device_log, loop_now(p->loop), 1, 1) ||
		!log_begin(p->log, &l, LEVEL_WARN, "device-write"))
		return;
	log_text(&l, "error", strerror(error));
	log_uint(&l, "drop_device", p->counters.drop_device);
	log_end(&l);
}

bool mesh_device_write(struct mesh_plane *p, uint8_t family, uint8_t *packet, size_t len)
{
	static const uint8_t source[6] = {2, 0, 0, 0xff, 0xff, 0xff}; /* any that is not the device's own */
	uint16_t type = family == AF_INET6 ? MESH_IP6 : MESH_IP4;
	uint8_t *frame = packet - MESH_FRAME;
	ssize_t size = (ssize_t)(MESH_FRAME + len);

	memcpy(frame, p->lladdr, 6);
	memcpy(frame + 6, source, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	if (p->device_fd >= 0 && write(p->device_fd, frame, (size_t)size) == size)
		return true;
	p->counters.drop_device++;
	if (p->device_fd >= 0)
		log_write_error(p, errno);
	return false;
}

/* --- sockets --- */

static void socket_closed(struct loop_watch *w)
{
	struct mesh_socket *s = container_of(w, struct mesh_socket, watch);
	struct mesh_plane *p = s->plane;

	free(s);
	handle_gone(p);
}

/* libuv stops a handle whose descriptor has an error; with one that can be read it goes on. */
static void socket_error(struct mesh_socket *s)
{
	unsigned errors = mesh_socket_errors(s);

	if (s->closing)
		return;
	if (errors)
		return mesh_socket_watch(s);
	s->plane->counters.socket_errors++;
	log_message(s->plane->log, LEVEL_ERROR, "socket-lost",
		"the raw socket of protocol %u cannot be watched any more", s->protocol);
}

/* A batch as it comes; when it was full, the next ones quickly. */
static void socket_read(struct mesh_socket *s)
{
	uint64_t began = 0;

	for (unsigned round = 0; round < READ_ROUNDS && !s->closing; round++) {
		if (mesh_socket_receive(s) < MESH_BATCH)
			break;
		if (!began)
			began = uv_hrtime();
		else if (uv_hrtime() - began > READ_NS)
			break;
	}
}

static void socket_ready(struct loop_watch *w, int events)
{
	struct mesh_socket *s = container_of(w, struct mesh_socket, watch);

	if (s->closing)
		return;
	if (events < 0)
		return socket_error(s);
	if (events & UV_PRIORITIZED)
		mesh_socket_errors(s);
	if (!s->closing && events & UV_READABLE)
		socket_read(s);
	if (!s->closing && events & UV_WRITABLE) {
		s->blocked = false;
		mesh_socket_send(s);
		if (!s->closing)
			mesh_socket_watch(s);
	}
}

static int socket_start(struct mesh_plane *p, struct mesh_socket *s, int events)
{
	int r;

	s->plane = p;
	s->watch.ready = socket_ready;
	s->watch.closed = socket_closed;
	r = loop_watch_start(p->loop, &s->watch, s->fd, events);
	if (r < 0)
		return r;
	p->handles++;
	return 0;
}

static void socket_stop(struct mesh_socket *s)
{
	s->closing = true;
	mesh_queue_clear(s);
	loop_watch_stop(&s->watch);
	close(s->fd);
	s->fd = -1;
}

/* Where a receiver of FAMILY and PROTOCOL has its place. */
static int receiver_place(const struct mesh_plane *p, uint8_t family, uint8_t protocol)
{
	int place = -ENOSPC;

	for (int i = 0; i < MESH_RECEIVERS; i++) {
		const struct mesh_socket *s = p->receivers[i];

		if (s && s->family == family && s->protocol == protocol)
			return -EEXIST;
		if (!s && place < 0)
			place = i;
	}
	return place;
}

int mesh_plane_add_receiver(struct mesh_plane *p, int fd, uint8_t protocol)
{
	struct mesh_socket *s = calloc(1, sizeof(*s));
	int r, place = -ENOMEM;

	if (!s)
		return -ENOMEM;
	r = mesh_socket_open_receiver(s, fd, protocol);
	if (r == 0)
		r = place = receiver_place(p, s->family, protocol);
	if (r >= 0)
		r = socket_start(p, s, UV_READABLE | UV_PRIORITIZED);
	if (r < 0) {
		free(s);
		return r;
	}
	p->receivers[place] = s;
	return 0;
}

void mesh_plane_remove_receivers(struct mesh_plane *p)
{
	for (unsigned i = 0; i < MESH_RECEIVERS; i++) {
		if (p->receivers[i])
			socket_stop(p->receivers[i]);
		p->receivers[i] = NULL;
	}
}

/* What waits in the queue goes by the new one. */
static void sender_replace(struct mesh_socket *old, struct mesh_socket *s)
{
	while (old->head) {
		struct mesh_parcel *parcel = mesh_queue_pop(old);

		parcel->next = NULL;
		*s->tail = parcel;
		s->tail = &parcel->next;
		s->queued++;
	}
	socket_stop(old);
}

int mesh_plane_set_sender(struct mesh_plane *p, int fd, uint8_t family)
{
	struct mesh_socket *s, **place = &p->senders[mesh_family_index(family)];
	int r;

	if (family != AF_INET && family != AF_INET6)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = mesh_socket_open_sender(s, fd, family);
	if (r == 0)
		r = socket_start(p, s, UV_PRIORITIZED);
	if (r < 0) {
		free(s);
		return r;
	}
	if (*place)
		sender_replace(*place, s);
	*place = s;
	return 0;
}

/* --- the end --- */

static void idle_closed(uv_handle_t *h)
{
	handle_gone(container_of((uv_idle_t *)h, struct mesh_plane, idle));
}

void mesh_plane_close(struct mesh_plane *p, void (*freed)(void *owner))
{
	p->closing = true;
	p->freed = freed;
	loop_flush_remove(p->loop, &p->flush);
	mesh_plane_remove_receivers(p);
	for (unsigned i = 0; i < 2; i++) {
		if (p->senders[i])
			socket_stop(p->senders[i]);
		p->senders[i] = NULL;
	}
	device_stop(p);
	uv_close((uv_handle_t *)&p->idle, idle_closed);
}

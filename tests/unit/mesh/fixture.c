/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static const uint8_t lladdr[6] = {2, 0, 0, 0, 0, 0};

/* --- what the role is told --- */

static void record(struct fixture *f, struct told *t, const struct addr *a, struct told what)
{
	what.count = t->count + 1;
	what.addr = *a;
	*t = what;
	if (f->on_call)
		f->on_call(f);
}

static void on_path_mtu(struct mesh_plane *p, const struct addr *outer, uint32_t mtu)
{
	struct fixture *f = mesh_plane_owner(p);

	record(f, &f->path_mtu, outer, (struct told){.mtu = mtu});
}

static void on_unreachable(struct mesh_plane *p, const struct addr *outer, int error)
{
	struct fixture *f = mesh_plane_owner(p);

	record(f, &f->unreachable, outer, (struct told){.error = error});
}

static void on_refused(struct mesh_plane *p, const struct addr *from, const char *reason)
{
	struct fixture *f = mesh_plane_owner(p);

	record(f, &f->refused, from, (struct told){.reason = reason});
}

static void on_device_lost(struct mesh_plane *p)
{
}

static const struct mesh_ops ops = {.path_mtu = on_path_mtu,
	.unreachable = on_unreachable,
	.refused = on_refused,
	.device_lost = on_device_lost};

/* --- life --- */

static struct fixture *start(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct addr local6 = address("2001:db8:e::1"), local4 = address("198.51.100.1");

	assert_non_null(f);
	assert_int_equal(loop_init(&f->loop), 0);
	f->plane = mesh_plane_new(&f->loop, NULL, &ops, f, 42);
	assert_non_null(f->plane);
	f->table = mesh_plane_table(f->plane);
	f->table->take4 = f->table->take6 = true;
	f->counters = mesh_plane_counters(f->plane);
	mesh_plane_set_sources(f->plane, &local6, &local4);
	f->device = -1;
	return f;
}

void fixture_device(struct fixture *f)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	f->device = pair[1];
	assert_int_equal(mesh_plane_set_device(f->plane, pair[0], lladdr), 0);
}

int fixture_setup(void **state)
{
	struct fixture *f = start();

	fixture_device(f);
	for (unsigned i = 0; i < 2; i++) {
		struct mesh_socket *s = &f->senders[i];

		*s = (struct mesh_socket){.plane = f->plane,
			.fd = -1,
			.family = i ? AF_INET6 : AF_INET,
			.blocked = true,
			.tail = &s->head};
		s->protocol = MESH_ANY_PROTOCOL;
		f->plane->senders[i] = s;
	}
	*state = f;
	return 0;
}

int fixture_setup_sockets(void **state)
{
	struct fixture *f = start();

	fixture_device(f);
	*state = f;
	return 0;
}

int fixture_setup_bare(void **state)
{
	*state = start();
	return 0;
}

static void on_freed(void *owner)
{
	((struct fixture *)owner)->freed = true;
}

void fixture_close(struct fixture *f)
{
	for (unsigned i = 0; i < 2; i++)
		if (f->plane->senders[i] == &f->senders[i]) {
			mesh_queue_clear(&f->senders[i]);
			f->plane->senders[i] = NULL;
		}
	mesh_plane_close(f->plane, on_freed);
	f->plane = NULL;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	if (f->plane)
		fixture_close(f);
	for (unsigned i = 0; i < 10 && !f->freed; i++)
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_true(f->freed);
	loop_done(&f->loop);
	if (f->device >= 0)
		close(f->device);
	free(f);
	return 0;
}

void fixture_run(struct fixture *f)
{
	for (unsigned i = 0; i < 4; i++)
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
}

void fixture_wait(struct fixture *f)
{
	struct pollfd p = {.fd = uv_backend_fd(&f->loop.uv), .events = POLLIN};

	poll(&p, 1, 10);
	fixture_run(f);
}

/* --- rows --- */

struct mesh_endpoint *fixture_endpoint(
	struct fixture *f, const char *src, const char *dst, const struct mesh_encapsulation *how)
{
	struct mesh_level level = {.src = address(src), .dst = address(dst), .how = *how, .hop_limit = 77};
	struct mesh_template template;
	struct mesh_endpoint *e;

	assert_int_equal(mesh_template_make(&template, &level, 1), 0);
	e = mesh_endpoint_new(f->table, &level.dst, &level.dst, &template);
	assert_non_null(e);
	e->mtu = 1400;
	e->usable = e->copy_ecn = true;
	return e;
}

struct mesh_path *fixture_path(
	struct fixture *f, struct mesh_endpoint *primary, struct mesh_endpoint *backup, uint32_t label)
{
	struct mesh_slot slots[MESH_SLOTS];
	struct mesh_path *path;

	for (unsigned i = 0; i < MESH_SLOTS; i++)
		slots[i] = (struct mesh_slot){.primary = {primary, label}, .backup = {backup, label + 1}};
	assert_int_equal(mesh_path_new(f->table, 0, slots, &path), 0);
	mesh_endpoint_unref(f->table, primary);
	mesh_endpoint_unref(f->table, backup);
	return path;
}

/* --- moving packets --- */

void device_sends_frame(struct fixture *f, const void *frame, size_t len)
{
	assert_int_equal(write(f->device, frame, len), (ssize_t)len);
	fixture_run(f);
}

void device_sends(struct fixture *f, uint32_t path, const void *packet, size_t len)
{
	static uint8_t frame[FRAME + 16384];
	bool six = *(const uint8_t *)packet >> 4 == 6;

	assert_true(len <= sizeof(frame) - FRAME);
	memset(frame, 0, FRAME);
	mesh_path_lladdr(path, frame);
	frame[12] = six ? 0x86 : 0x08;
	frame[13] = six ? 0xdd : 0x00;
	memcpy(frame + FRAME, packet, len);
	device_sends_frame(f, frame, FRAME + len);
}

size_t device_gets(struct fixture *f, uint8_t *buf, size_t size)
{
	static uint8_t frame[FRAME + 0x10000];
	ssize_t n = recv(f->device, frame, sizeof(frame), MSG_DONTWAIT);

	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return 0;
	}
	assert_true(n > FRAME && (size_t)n - FRAME <= size);
	assert_memory_equal(frame, lladdr, 6);
	assert_int_equal(frame[6], 2);
	assert_memory_equal(frame + 12, frame[FRAME] >> 4 == 6 ? "\x86\xdd" : "\x08\x00", 2);
	memcpy(buf, frame + FRAME, (size_t)n - FRAME);
	return (size_t)n - FRAME;
}

size_t core_gets(struct fixture *f, uint8_t family, uint8_t *buf, size_t size, struct addr *ret_to)
{
	struct mesh_socket *s = &f->senders[mesh_family_index(family)];
	struct mesh_parcel *parcel;
	size_t len;

	if (!s->head)
		return 0;
	parcel = mesh_queue_pop(s);
	len = parcel->len;
	assert_true(len <= size);
	memcpy(buf, parcel->bytes + parcel->at, len);
	if (ret_to)
		*ret_to = parcel->to;
	mesh_parcel_give(f->plane, parcel);
	return len;
}

void core_sends(
	struct fixture *f, const char *from, uint8_t protocol, uint8_t tos, const void *packet, size_t len)
{
	struct mesh_arrival a = {.from = address(from), .ifindex = CORE, .protocol = protocol, .tos = tos};
	uint8_t *bytes =
		malloc(MESH_MARGIN + len); /* as much as there is, so that a read past the end is seen */

	assert_non_null(bytes);
	a.family = a.from.family;
	if (len)
		memcpy(bytes + MESH_MARGIN, packet, len);
	mesh_in_packet(f->plane, &a, bytes + MESH_MARGIN, len);
	free(bytes);
}

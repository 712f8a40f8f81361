/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Life of the softwires: what they need of the kernel is asked for one after the other: memory that outlives us, a socket that sends, the device (with it the
 * rows of the process before, and what we accept, so that the first packet finds them), sockets that receive.
 *
 * Which sockets: whatever may come for us, also what we accept in no form: then the data plane counts it, instead of the kernel telling strangers about it; and
 * the core's ICMP errors about what we send come to the socket of that protocol.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "afbr/softwires.h"

enum { BUSY_MS = 200, BUSY_TRIES = 25, LOST_MS = 2000, SENDS = 255, PROTOCOLS = 5 };

static const uint8_t lladdr[6] = {2};

/* ---- the plane ---- */

static void refused(struct mesh_plane *p, const struct addr *from, const char *reason)
{
	transmitter_refused(mesh_plane_owner(p), from, reason);
}

/* Somebody has deleted it. The kernel has deleted the routes by it, too. */
static void device_lost(struct mesh_plane *p)
{
	struct softwires *s = mesh_plane_owner(p);

	if (s->afbr->stopping)
		return;
	s->lost = true;
	s->lost_told = false;
	s->tries = 0;
	wheel_arm(&s->afbr->loop->wheel, &s->again, loop_now(s->afbr->loop) + BUSY_MS);
}

static const struct mesh_ops ops = {.path_mtu = endpoint_path_mtu,
	.unreachable = endpoint_unreachable,
	.refused = refused,
	.device_lost = device_lost};

static void set_table(struct softwires *s)
{
	const struct afbr_config *c = s->afbr->config;

	s->table->take4 = s->core_family != AF_INET || c->transit;
	s->table->take6 = s->core_family != AF_INET6 || c->transit;
	memcpy(s->table->slot_of, c->slot_of, sizeof(s->table->slot_of));
}

/* ---- the host's network ---- */

static void forward_answer(void *owner, int result, int fd)
{
	const struct softwires *s = owner;

	if (result)
		log_message(s->afbr->log, LEVEL_ERROR, "forwarding",
			"this host does not forward what comes out of softwires: %s", strerror(-result));
}

static void forward(struct softwires *s)
{
	const struct afbr *a = s->afbr;
	uint8_t other = s->core_family == AF_INET ? AF_INET6 : AF_INET;

	keeper_forwarding(a->keeper, other, forward_answer, s);
	if (a->config->transit)
		keeper_forwarding(a->keeper, s->core_family, forward_answer, s);
}

static void borders_answer(void *owner, int result, int fd)
{
	const struct softwires *s = owner;

	if (result)
		log_message(s->afbr->log, LEVEL_ERROR, "border-filter",
			"addresses of the core are not filtered on client interfaces: %s", strerror(-result));
}

/* What clients send to or from addresses of the core is no packet of the core's: SEC-MESH-5, SEC-MESH-6. */
static void filter(struct softwires *s, bool wanted)
{
	const struct afbr_config *c = s->afbr->config;
	const char *interfaces[AFBR_INTERFACES];
	struct prefix sets[AFBR_SETS + 1];
	unsigned count = 0;

	for (unsigned i = 0; i < c->client_interface_count; i++)
		interfaces[i] = c->client_interfaces[i];
	sets[count++] = prefix_of(&c->core, addr_bits(c->core.family));
	for (unsigned i = 0; i < c->endpoint_count; i++)
		sets[count++] = c->endpoints[i];
	wanted = wanted && c->filter && c->client_interface_count;
	if (wanted || s->filters)
		keeper_borders(s->afbr->keeper, interfaces, wanted ? c->client_interface_count : 0, sets,
			wanted ? count : 0, borders_answer, s);
	s->filters = wanted;
}

/* True: they are others than before. */
static bool set_interfaces(struct softwires *s)
{
	const struct afbr_config *c = s->afbr->config;
	unsigned before[AFBR_INTERFACES], count = s->interface_count;

	memcpy(before, s->interfaces, sizeof(before));
	s->interface_count = 0;
	for (unsigned i = 0; i < c->core_interface_count; i++) {
		unsigned index = if_nametoindex(c->core_interfaces[i]);

		if (index)
			s->interfaces[s->interface_count++] = index;
	}
	if (c->core_interface_count && !s->interface_count)
		s->interfaces[s->interface_count++] = UINT32_MAX; /* none is there: nothing is taken */
	mesh_plane_set_interfaces(s->plane, s->interfaces, s->interface_count);
	return count != s->interface_count || memcmp(before, s->interfaces, count * sizeof(*before)) != 0;
}

/* Likewise, as far as it matters which interfaces have addresses of which family. */
static bool look_at_families(struct softwires *s)
{
	uint32_t before = s->families;

	s->families = s->afbr->config->tunnel & AFBR_TUNNEL_CORE_ONLY ? softwire_families(s->afbr) : 0;
	return s->families != before;
}

static bool is_client_interface(const struct afbr *a, unsigned index)
{
	char name[IF_NAMESIZE] = "";

	if (!if_indextoname(index, name))
		return false;
	for (unsigned i = 0; i < a->config->client_interface_count; i++)
		if (!strcmp(a->config->client_interfaces[i], name))
			return true;
	return false;
}

static const struct addr *find_own(const struct afbr *a, uint8_t family, bool of_client)
{
	for (unsigned i = 0; a->own && i < a->own_count; i++) {
		const struct afbr_own *o = &a->own[i];

		if (o->addr.family == family && !addr_is_link_local(&o->addr) &&
			!addr_is_loopback(&o->addr) && (!of_client || is_client_interface(a, o->interface)))
			return &o->addr;
	}
	return NULL;
}

/* Where ICMP errors of FAMILY come from: an address that those who get them can ask about, if there is one. */
static const struct addr *source_of(const struct afbr *a, const struct addr *configured, uint8_t family)
{
	const struct addr *found;

	if (!addr_is_none(configured))
		return configured;
	if (a->config->core.family == family)
		return &a->config->core;
	found = find_own(a, family, true);
	return found ? found : find_own(a, family, false);
}

/* With its neighbour entries and routes: those are asked for first. */
static void refill_device(struct softwires *s)
{
	s->device_up = true;
	s->device_forgot = false;
	path_renew(s->afbr);
	export_scan(s->afbr);
}

static bool is_device_up(void)
{
	struct ifreq request = {.ifr_name = AFBR_DEVICE};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && !ioctl(fd, SIOCGIFFLAGS, &request) && request.ifr_flags & IFF_UP;

	if (fd >= 0)
		close(fd);
	return up;
}

/* Whoever sets it down may want that; but with it the kernel has forgotten what led to it. */
static void look_at_device(struct softwires *s)
{
	bool up = is_device_up(), forgot = s->device_forgot;

	if (!s->up || s->lost || (up == s->device_up && !(up && forgot)))
		return;
	s->device_up = up;
	s->device_forgot = !up;
	if (up)
		log_message(s->afbr->log, LEVEL_WARN, "device-up",
			"the kernel has forgotten what led to " AFBR_DEVICE ": it is told again");
	else
		log_message(s->afbr->log, LEVEL_WARN, "device-down",
			"somebody has set " AFBR_DEVICE " down: no packet goes through a softwire");
	if (up)
		refill_device(s);
}

void softwire_link_down(struct afbr *a, unsigned index)
{
	struct softwires *s = a->softwires;

	if (s && (!index || index == s->ifindex))
		s->device_forgot = true;
}

void softwire_look_at_network(struct afbr *a)
{
	struct softwires *s = a->softwires;
	bool changed;

	if (!s)
		return;
	look_at_device(s);
	changed = set_interfaces(s);
	changed |= look_at_families(s);
	mesh_plane_set_sources(s->plane, source_of(a, &a->config->local6, AF_INET6),
		source_of(a, &a->config->local4, AF_INET));
	if (changed)
		export_restart(a);
}

/* ---- start ---- */

static void finish(struct softwires *s, int result)
{
	void (*started)(struct afbr * a, int result) = s->started;

	s->started = NULL;
	s->up = !result;
	if (started)
		started(s->afbr, result);
}

static void fail(struct softwires *s, int result, const char *what)
{
	log_message(s->afbr->log, LEVEL_ERROR, "start-failed", "afbr: %s: %s", what, strerror(-result));
	finish(s, result);
}

static unsigned protocols_of(const struct softwires *s, uint8_t ret[PROTOCOLS])
{
	bool transit = s->afbr->config->transit;
	unsigned count = 0;

	if (s->core_family == AF_INET6 || transit)
		ret[count++] = MESH_PROTO_IP4;
	if (s->core_family == AF_INET || transit)
		ret[count++] = MESH_PROTO_IP6;
	ret[count++] = MESH_PROTO_GRE;
	ret[count++] = MESH_PROTO_L2TP;
	ret[count++] = MESH_PROTO_MPLS;
	return count;
}

static void open_receivers(struct softwires *s);
static void open_next_receiver(struct softwires *s);

static int take_receiver(struct softwires *s, int fd)
{
	uint8_t protocols[PROTOCOLS];
	int r = s->next_protocol < protocols_of(s, protocols)
			? mesh_plane_add_receiver(s->plane, fd, protocols[s->next_protocol])
			: -EINVAL;

	if (r)
		close(fd);
	return r;
}

static void receivers_failed(struct softwires *s, int result)
{
	if (s->started) {
		fail(s, result, "cannot receive packets of softwires");
		return;
	}
	log_message(s->afbr->log, LEVEL_ERROR, "receive-failed",
		"not all packets of softwires can be received: %s; tried again in %u seconds",
		strerror(-result), LOST_MS / 1000);
	wheel_arm(&s->afbr->loop->wheel, &s->receive, loop_now(s->afbr->loop) + LOST_MS);
}

/* Nobody waits for those that a reload opens. */
static void receiver_opened(void *owner, int result, int fd)
{
	struct softwires *s = owner;

	s->opening = false;
	if (s->afbr->stopping || s->open_again) {
		if (fd >= 0)
			close(fd);
		if (!s->afbr->stopping)
			open_receivers(s);
		return;
	}
	if (!result)
		result = take_receiver(s, fd);
	if (result) {
		receivers_failed(s, result);
		return;
	}
	s->next_protocol++;
	open_next_receiver(s);
}

static void open_next_receiver(struct softwires *s)
{
	uint8_t protocols[PROTOCOLS];

	s->opening = s->next_protocol < protocols_of(s, protocols);
	if (s->opening)
		keeper_open_raw(s->afbr->keeper, &s->afbr->config->core, protocols[s->next_protocol],
			receiver_opened, s);
	else if (s->started)
		finish(s, 0);
}

/* One row of requests at a time: which protocol an answer is for follows from the configuration. */
static void open_receivers(struct softwires *s)
{
	wheel_disarm(&s->afbr->loop->wheel, &s->receive);
	mesh_plane_remove_receivers(s->plane);
	s->next_protocol = 0;
	s->open_again = s->opening;
	if (!s->opening)
		open_next_receiver(s);
}

static void receive_again(struct wheel_timer *t, msec now)
{
	open_receivers(container_of(t, struct softwires, receive));
}

/* Before the loop can read a packet from the device. */
static int fill_tables(struct softwires *s)
{
	int r = adopt_rows(s);

	if (!r)
		r = accept_start(s);
	if (!r)
		r = transmitter_start(s);
	return r;
}

static void open_device(struct softwires *s);

static void device_again(struct wheel_timer *t, msec now)
{
	open_device(container_of(t, struct softwires, again));
}

static void device_found(struct softwires *s, int result)
{
	if (result) {
		if (!s->lost_told)
			log_message(s->afbr->log, LEVEL_ERROR, "device-lost",
				"cannot make the device " AFBR_DEVICE " again: %s; tried every %u seconds",
				strerror(-result), LOST_MS / 1000);
		s->lost_told = true;
		wheel_arm(&s->afbr->loop->wheel, &s->again, loop_now(s->afbr->loop) + LOST_MS);
		return;
	}
	s->lost = false;
	log_message(s->afbr->log, LEVEL_WARN, "device-back",
		"the device " AFBR_DEVICE " has been made again: its routes follow");
	refill_device(s);
}

static void device_opened(void *owner, int result, int fd)
{
	struct softwires *s = owner;
	struct afbr *a = s->afbr;

	if (a->stopping) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (s->tries++ < BUSY_TRIES && result == -EBUSY) { /* of a daemon that was just killed */
		wheel_arm(&a->loop->wheel, &s->again, loop_now(a->loop) + BUSY_MS);
		return;
	}
	if (!result) {
		result = mesh_plane_set_device(s->plane, fd, lladdr);
		if (result)
			close(fd);
	}
	s->ifindex = if_nametoindex(AFBR_DEVICE);
	if (!result && !s->ifindex)
		result = -ENODEV;
	if (s->lost) {
		device_found(s, result);
		return;
	}
	s->device_up = true;
	if (!result)
		result = fill_tables(s);
	if (result) {
		fail(s, result, "cannot open the device " AFBR_DEVICE);
		return;
	}
	forward(s);
	filter(s, true);
	open_receivers(s);
}

static void open_device(struct softwires *s)
{
	keeper_open_tap(s->afbr->keeper, AFBR_DEVICE, SOFTWIRE_MTU, device_opened, s);
}

static void sender_opened(void *owner, int result, int fd)
{
	struct softwires *s = owner;

	if (!result) {
		result = mesh_plane_set_sender(s->plane, fd, s->core_family);
		if (result)
			close(fd);
	}
	if (s->afbr->stopping)
		return;
	if (result)
		fail(s, result, "cannot send packets into the core");
	else
		open_device(s);
}

static void state_opened(void *owner, int result, int fd)
{
	struct softwires *s = owner;

	if (!result)
		adopt_open(s, fd);
	else
		log_message(s->afbr->log, LEVEL_WARN, "state", "softwires would not survive a restart: %s",
			strerror(-result));
	if (!s->afbr->stopping)
		keeper_open_raw(s->afbr->keeper, &s->afbr->config->core, SENDS, sender_opened, s);
}

void softwire_start(struct afbr *a, void (*done)(struct afbr *a, int result))
{
	struct softwires *s;

	if (addr_is_none(&a->config->core)) {
		done(a, 0);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (s)
		s->plane = mesh_plane_new(a->loop, a->log, &ops, s, rng_u64(a->rng));
	if (!s || !s->plane) {
		free(s);
		log_message(a->log, LEVEL_ERROR, "start-failed", "afbr: not enough memory for softwires");
		done(a, -ENOMEM);
		return;
	}
	s->afbr = a;
	s->table = mesh_plane_table(s->plane);
	s->core_family = a->config->core.family;
	s->started = done;
	s->again.fire = device_again;
	s->receive.fire = receive_again;
	endpoint_start(s);
	path_start(s);
	set_table(s);
	a->softwires = s;
	keeper_open_state(a->keeper, AFBR_DEVICE, state_opened, s);
}

int softwire_with_engine(struct afbr *a)
{
	struct softwires *s = a->softwires;
	int r = s ? choice_begin(s) : 0;

	return r || !s ? r : transmitter_begin(s);
}

/* ---- another configuration ---- */

void softwire_change(struct afbr *a, const struct afbr_config *old)
{
	struct softwires *s = a->softwires;

	if (!s)
		return;
	set_table(s);
	forward(s);
	filter(s, true);
	softwire_look_at_network(a);
	choice_change(s);
	endpoint_change(s);
	accept_change(s, old);
	transmitter_change(s, old);
	if (old->transit != a->config->transit)
		open_receivers(s);
	export_restart(a);
}

/* ---- the end ---- */

static void device_closed(void *owner, int result, int fd)
{
	struct softwires *s = owner;
	struct afbr *a = s->afbr;
	void (*stopped)(struct afbr * a) = s->stopped;

	softwire_free(a);
	stopped(a);
}

void softwire_stop(struct afbr *a, void (*done)(struct afbr *a))
{
	struct softwires *s = a->softwires;

	if (!s) {
		done(a);
		return;
	}
	s->stopped = done;
	wheel_disarm(&a->loop->wheel, &s->again);
	wheel_disarm(&a->loop->wheel, &s->receive);
	filter(s, false);
	adopt_clear(s);
	keeper_close_tun(a->keeper, AFBR_DEVICE, device_closed, s);
}

void softwire_hand_over(struct afbr *a)
{
	struct softwires *s = a->softwires;

	if (s && s->store) {
		store_work(s->store, 0);
		store_settle(s->store);
	}
}

void softwire_free(struct afbr *a)
{
	struct softwires *s = a->softwires;

	if (!s)
		return;
	keeper_forget(a->keeper, s);
	wheel_disarm(&a->loop->wheel, &s->again);
	wheel_disarm(&a->loop->wheel, &s->receive);
	adopt_close(s); /* first: what goes now is there for the next process */
	choice_free(s);
	path_free_all(s);
	endpoint_free_all(s);
	accept_free(s);
	transmitter_free(s);
	mesh_plane_close(s->plane, NULL);
	a->softwires = NULL;
	free(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one process to the next: the current softwire, if it is up, is written down whenever it changes, in memory that the keeper holds beside its
 * socket; the next process goes on with it (HS-PROV-1, PS-2). See concentrator/adopt.c, of which this is the other end.
 *
 * What is in the kernel because of us stays there, and is asked for again, which changes nothing: addresses and default routes on the device,
 * addresses and advertisements on the LAN. Deprecated prefixes are written down, for nothing else would tell of them. A softwire that is still being
 * set up, and one that was only beside the current one, are not: they begin anew.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "initiator/record.h"

enum {
	STATE_MAX = 1 << 20,
	SETTLE_MS = 30000,
	STARTS_MAX = 5,
	UNACKNOWLEDGED_MAX = 16,
	WIDER_MS = 600000,
	BUSY_MS = 200,
	BUSY_TRIES = 25
};

/* ---- writing ---- */

void initiator_record(struct initiator *i)
{
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (!i->state_store || i->leaving)
		return;
	if (i->current)
		initiator_record_put(i, i->current, &w);
	if (!i->current || !writer_len(&w) || !writer_ok(&w))
		store_remove(i->state_store, &i->record);
	else if (store_put(i->state_store, &i->record, i->current->id, bytes, writer_len(&w)))
		log_message(i->log, LEVEL_WARN, "state",
			"initiator %s: its softwire would not survive a restart", i->config.name);
}

void initiator_record_leads(struct initiator *i)
{
	if (i->state_store && !i->leaving)
		keeper_hold_udp(i->keeper, i->device, i->current ? i->current->fd : -1, NULL, NULL);
	initiator_record(i);
}

void initiator_work(struct initiator *i, uint32_t id)
{
	if (i->state_store)
		store_work(i->state_store, id);
}

/* ---- adopting ---- */

static uint16_t port_of(int fd)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	struct endpoint e = {0};

	if (getsockname(fd, (struct sockaddr *)&sa, &len) ||
		endpoint_from_sockaddr((struct sockaddr *)&sa, &e))
		return 0;
	return e.port;
}

/* From the right port, or it would mean nothing. */
static void say_farewell(int fd, const struct record *r)
{
	unsigned last = r->peek.at.unacknowledged < UNACKNOWLEDGED_MAX ? r->peek.at.unacknowledged
								       : UNACKNOWLEDGED_MAX;
	struct sockaddr_storage sa;
	struct msghdr m = {
		.msg_name = &sa, .msg_namelen = endpoint_to_sockaddr(&r->server, &sa), .msg_iovlen = 1};
	uint8_t buf[L2TP_PACKET_MAX];

	for (unsigned n = 0; n <= last; n++) {
		struct writer w = writer_of(buf, sizeof(buf));
		struct iovec iov = {buf, 0};

		l2tp_farewell(&w, &r->peek.at, n, L2TP_STOP_CLEAR, 0, "started again without this softwire");
		iov.iov_len = writer_len(&w);
		m.msg_iov = &iov;
		if (writer_ok(&w))
			(void)sendmsg(fd, &m, MSG_DONTWAIT);
	}
}

static struct attempt *new_attempt(struct initiator *i, uint32_t id, const struct record *r)
{
	struct attempt *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->role = i;
	a->id = id;
	a->stage = ATTEMPT_LEADS;
	a->purpose = RACE_CONNECT;
	a->server = r->server;
	a->local = (struct endpoint){r->local, r->port};
	a->server_index = r->server_index;
	a->below = r->below;
	a->redirect = r->redirect;
	a->eap_method = r->eap_method;
	a->pinned = r->pinned;
	a->up_mtu = r->up_mtu;
	if (r->flags & RECORD_LOWERED)
		a->mtu_again_at = loop_now(i->loop) + WIDER_MS;
	return a;
}

/* What is not the engine's; then the kernel is asked for all of it again. */
static void go_on(struct initiator *i, struct attempt *a, const struct record *r)
{
	struct reader counters = r->counters;

	(void)dp_row_resume_counters(a->row, &counters);
	attempt_set_up(a);
	a->engine.softwire.tracing = i->trace_emit != NULL;
	i->current = a;
	i->state = INITIATOR_UP;
	i->reconnects = r->reconnects;
	i->uplink_index = r->uplink;
	if (!if_indextoname(r->uplink, i->uplink))
		i->uplink[0] = '\0';
	memcpy(i->held, r->held,
		sizeof(i->held)); /* none of them `routed`: their routes are asked for again */
	dp_table_set_default(tun_plane_table(i->plane), a->row);
	initiator_network_apply(i, &a->engine);
	initiator_hooks_resume(i, r->flags & RECORD_HOOKS_UP, r->flags & RECORD_HOOK_DUE);
}

/* NULL, or why not; FD is ours unless it is. */
static const char *adopt(
	struct initiator *i, int fd, uint32_t id, const struct record *r, char why[SOFTWIRE_RESUME_WHY])
{
	struct attempt *a = new_attempt(i, id, r);
	struct reader engine = r->engine;
	int copy = a ? dup(fd) : -1;

	if (copy < 0 || attempt_resume(a, copy, r->peek.at.local_tunnel, r->peek.at.local_session)) {
		free(a);
		return "memory is short";
	}
	if (softwire_si_resume(
		    &a->engine, &i->softwire, &engine, &i->hint, &i->hint4, loop_now(i->loop), why)) {
		dp_row_remove(tun_plane_table(i->plane), a->row);
		tun_plane_remove_socket(i->plane, a->listener);
		free(a);
		return why;
	}
	go_on(i, a, r);
	return NULL;
}

static const char *look_at_start(const struct initiator *i, uint32_t id)
{
	if (store_is_poison(i->state_store, id))
		return "the process has died twice while it worked on this softwire";
	return store_starts(i->state_store) > STARTS_MAX
		       ? "the process has died too often since it started well"
		       : NULL;
}

static void log_adopted(struct initiator *i, const char *event, enum log_level level, const char *why)
{
	struct log_line l;

	if (!initiator_log(i, &l, level, event))
		return;
	if (why)
		log_text(&l, "reason", why);
	log_end(&l);
}

static void look_at_record(struct initiator *i, int fd, const struct store_record *found)
{
	char buf[SOFTWIRE_RESUME_WHY];
	const char *why = NULL, *start = look_at_start(i, found->id);
	struct record r;

	i->next_id = found->id;
	initiator_work(i, found->id);
	if (!initiator_record_read(i, reader_of(found->data, found->len), &r, &why))
		why = "its record is damaged";
	else if (port_of(fd) != r.port)
		why = "its socket is gone";
	else if (start || why || (why = adopt(i, fd, found->id, &r, buf)))
		say_farewell(fd, &r);
	if (start)
		why = start;
	initiator_work(i, 0);
	if (why)
		i->not_adopted++;
	else
		i->adopted++;
	i->record = why ? 0 : found->at;
	log_adopted(i, why ? "not-adopted" : "adopted", why ? LEVEL_WARN : LEVEL_INFO, why);
}

/* There is at most one: of a process that died while one took the place of another there may be two, and the newer one counts. */
static bool find_record(struct initiator *i, struct store_record *ret)
{
	struct store_record r;
	uint32_t cursor = 0;
	bool found = false;

	while (store_next(i->state_store, &cursor, &r)) {
		if (found && r.id < ret->id)
			continue;
		found = true;
		*ret = r;
	}
	return found;
}

static void work_done(struct loop_flush *f)
{
	initiator_work(container_of(f, struct initiator, work), 0);
}

static void settled(struct wheel_timer *t, msec now)
{
	store_settle(container_of(t, struct initiator, settle_timer)->state_store);
}

/* What did not go on. */
static void forget_others(struct initiator *i)
{
	struct store_record r;
	uint32_t cursor = 0;

	while (store_next(i->state_store, &cursor, &r))
		if (r.at != i->record)
			store_remove(i->state_store, &r.at);
}

/* The socket of the softwire that was current; or none was, or the keeper is a new one. */
static void socket_given(void *owner, int result, int fd)
{
	struct initiator *i = owner;
	struct store_record r;

	if (!i->stopping && find_record(i, &r))
		look_at_record(i, fd, &r);
	if (fd >= 0)
		close(fd);
	if (i->stopping)
		return;
	forget_others(i);
	initiator_record_leads(i);
	i->adoption_done(i);
}

static void open_state(struct initiator *i);

static void state_again(struct wheel_timer *t, msec now)
{
	open_state(container_of(t, struct initiator, settle_timer));
}

static void with_state(struct initiator *i, int fd)
{
	i->state_fd = fd;
	i->work.run = work_done;
	loop_flush_add(i->loop, &i->work);
	i->settle_timer.fire = settled;
	wheel_arm(&i->loop->wheel, &i->settle_timer, loop_now(i->loop) + SETTLE_MS);
	keeper_held_udp(i->keeper, i->device, socket_given, i);
}

static void state_opened(void *owner, int result, int fd)
{
	struct initiator *i = owner;
	struct store_found found;

	if (!result)
		result = store_open(fd, STATE_MAX, &i->state_store, &found);
	if (!result) {
		with_state(i, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (i->stopping)
		return;
	if (result == -EBUSY && i->state_tries++ < BUSY_TRIES) { /* of a process that is just leaving */
		i->settle_timer.fire = state_again;
		wheel_arm(&i->loop->wheel, &i->settle_timer, loop_now(i->loop) + BUSY_MS);
		return;
	}
	log_message(i->log, LEVEL_WARN, "state",
		"initiator %s: its softwire will not survive a crash or an upgrade: %s", i->config.name,
		strerror(-result));
	i->adoption_done(i);
}

static void open_state(struct initiator *i)
{
	keeper_open_state(i->keeper, i->device, state_opened, i);
}

void initiator_adopt(struct initiator *i, void (*done)(struct initiator *i))
{
	i->adoption_done = done;
	open_state(i);
}

void initiator_adopt_end(struct initiator *i)
{
	wheel_disarm(&i->loop->wheel, &i->settle_timer);
	if (i->state_store)
		loop_flush_remove(i->loop, &i->work);
	store_close(i->state_store);
	i->state_store = NULL;
	if (i->state_fd >= 0)
		close(i->state_fd);
	i->state_fd = -1;
}

/* ---- leaving ---- */

bool initiator_may_leave(const struct initiator *i)
{
	return i->running && !i->stopping && i->state_store && !initiator_server_resolving(i);
}

void initiator_leave(struct initiator *i)
{
	struct attempt *a;

	if (i->current && i->current->row->last_rx)
		softwire_heard(&i->current->engine.softwire, i->current->row->last_rx);
	initiator_record(i);
	i->leaving = i->stopping = true;
	wheel_disarm(&i->loop->wheel, &i->timer);
	initiator_roam_stop(i);
	initiator_lan_leave(i);
	tun_plane_flush(i->plane); /* acknowledgements that wait */
	initiator_race_stop(i, "the initiator leaves");
	while ((a = i->current    ? i->current
		    : i->follower ? i->follower
		    : i->racing   ? i->racing
				  : i->lingering))
		attempt_free(a);
	if (i->state_store) {
		store_work(i->state_store, 0);
		store_settle(i->state_store);
	}
}

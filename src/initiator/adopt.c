/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one process to the next: the current softwire, if it is up, is written down whenever it changes, in memory that the keeper holds beside its
 * socket; the next process goes on with it (HS-PROV-1, PS-2). See concentrator/adopt.c, of which this is the other end.
 *
 * What is in the kernel because of us stays there, and is asked for again, which changes nothing: addresses and default routes on the device,
 * addresses and advertisements on the LAN. Deprecated prefixes are written down, for nothing else would tell of them. A softwire that is still being
 * set up, and one that was only beside the current one, are not: they begin anew.
 *   version (1), the server, our port
 *   the engine's record (hub/save.h)
 *   sections: how it came about and what hooks know; held prefixes; counters
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/save.h"
#include "initiator/role.h"
#include "lib/record.h"

enum { RECORD_VERSION = 1, SECTION_OWN = 1, SECTION_HELD = 2, SECTION_COUNTERS = 3 };
enum { FLAG_HOOKS_UP = 1, FLAG_HOOK_DUE = 2, FLAG_LOWERED = 4, FLAGS = 7 };
enum { HELD_CURRENT = 1, HELD_FLAGS = 1 };
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

static void put_endpoint(struct writer *w, const struct endpoint *e)
{
	record_put_addr(w, &e->addr);
	writer_u16(w, e->port);
}

static void put_own(const struct initiator *i, const struct attempt *a, struct writer *w)
{
	size_t at = record_begin(w, SECTION_OWN);

	writer_u8(w, (uint8_t)((i->hooks_up ? FLAG_HOOKS_UP : 0) | (i->hook_due ? FLAG_HOOK_DUE : 0) |
			       (a->mtu_again_at ? FLAG_LOWERED : 0)));
	writer_u32(w, i->reconnects);
	writer_u8(w, a->server_index);
	writer_u8(w, a->below);
	writer_u8(w, a->eap_method);
	writer_u16(w, a->up_mtu);
	writer_u32(w, a->pinned);
	writer_u32(w, i->uplink_index);
	record_put_addr(w, &a->local.addr);
	put_endpoint(w, &a->redirect.by);
	writer_bytes(w, a->redirect.text, sizeof(a->redirect.text));
	record_end(w, at);
}

static void put_held(const struct initiator *i, struct writer *w)
{
	size_t at = record_begin(w, SECTION_HELD);

	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		const struct held_prefix *h = &i->held[n];

		if (prefix_is_none(&h->prefix))
			continue;
		record_put_prefix(w, &h->prefix);
		writer_u64(w, h->preferred_until);
		writer_u64(w, h->valid_until);
		writer_u8(w, h->current ? HELD_CURRENT : 0);
	}
	record_end(w, at);
}

/* Nothing, where it could not go on. */
static void put_record(const struct initiator *i, const struct attempt *a, struct writer *w)
{
	size_t at;

	writer_u8(w, RECORD_VERSION);
	put_endpoint(w, &a->server);
	writer_u16(w, a->local.port);
	if (softwire_si_save(&a->engine, w)) {
		*w = writer_of(w->start, (size_t)(w->end - w->start));
		return;
	}
	put_own(i, a, w);
	put_held(i, w);
	at = record_begin(w, SECTION_COUNTERS);
	dp_row_save_counters(a->row, w);
	record_end(w, at);
}

void initiator_record(struct initiator *i)
{
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (!i->state_store || i->leaving)
		return;
	if (i->current)
		put_record(i, i->current, &w);
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

/* ---- reading ---- */

struct record {
	struct endpoint server;
	uint16_t port;
	struct softwire_peek peek;
	struct reader engine, counters;
	uint8_t flags, server_index, below, eap_method;
	uint32_t reconnects, pinned, uplink;
	uint16_t up_mtu;
	struct addr local;
	struct redirect redirect;
	struct held_prefix held[HELD_PREFIXES];
};

static struct endpoint take_endpoint(struct reader *r)
{
	struct endpoint e = {.addr = record_addr(r)};

	e.port = reader_u16(r);
	return e;
}

static const char *take_own(const struct initiator *i, struct record *ret, struct reader r)
{
	ret->flags = record_flags(&r, FLAGS);
	ret->reconnects = reader_u32(&r);
	ret->server_index = record_u8(&r, 0, INITIATOR_SERVERS - 1);
	ret->below = reader_u8(&r);
	ret->eap_method = reader_u8(&r);
	ret->up_mtu = reader_u16(&r);
	ret->pinned = reader_u32(&r);
	ret->uplink = reader_u32(&r);
	ret->local = record_addr(&r);
	ret->redirect.by = take_endpoint(&r);
	(void)reader_copy(&r, ret->redirect.text, sizeof(ret->redirect.text));
	ret->redirect.text[sizeof(ret->redirect.text) - 1] = '\0';
	if (reader_ok(&r) && ret->server_index >= i->config.server_count)
		return "its server is not configured any more";
	return r.error;
}

static const char *take_held(struct record *ret, struct reader r)
{
	for (unsigned n = 0; n < HELD_PREFIXES && reader_left(&r); n++) {
		struct held_prefix *h = &ret->held[n];

		h->prefix = record_prefix(&r);
		h->preferred_until = reader_u64(&r);
		h->valid_until = reader_u64(&r);
		h->current = record_flags(&r, HELD_FLAGS) & HELD_CURRENT;
		if (h->prefix.addr.family != AF_INET6 || !h->prefix.len || h->prefix.len > 64)
			return "a prefix that nobody delegates";
	}
	return r.error;
}

/* False: not even who it was connected with is known. *ret_why: it cannot go on, but its peer can be told; NULL: it can. */
static bool read_record(const struct initiator *i, struct reader r, struct record *ret, const char **ret_why)
{
	const char *why;

	*ret = (struct record){0};
	if (reader_u8(&r) != RECORD_VERSION)
		return false;
	ret->server = take_endpoint(&r);
	ret->port = reader_u16(&r);
	if (!reader_ok(&r) || addr_is_none(&ret->server.addr) || softwire_peek(r, &ret->peek))
		return false;
	ret->engine = reader_sub(&r, ret->peek.len);
	ret->counters = record_section(r, SECTION_COUNTERS);
	why = take_own(i, ret, record_section(r, SECTION_OWN));
	if (!why)
		why = take_held(ret, record_section(r, SECTION_HELD));
	*ret_why = why ? why : ret->counters.error;
	return true;
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
	if (r->flags & FLAG_LOWERED)
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
	initiator_hooks_resume(i, r->flags & FLAG_HOOKS_UP, r->flags & FLAG_HOOK_DUE);
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
	if (!read_record(i, reader_of(found->data, found->len), &r, &why))
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

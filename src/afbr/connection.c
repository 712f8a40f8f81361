/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TCP connection: opening, reading, writing, its end.
 *
 * Reading. All connections share one buffer; a connection keeps only what has come of a message that is not whole yet. Each is read from in every turn of the
 * loop, which is what the engine's hold timer counts on. How much, and for how long, they share: the more of them had something to say in the turn before, the
 * less each gets. So neither a neighbour with a million routes, nor a hundred of them after our start, hold up the data plane and the timers.
 *
 * Writing. The engine makes messages when the socket takes them. What the socket did not take of them is kept; nothing else is. Those who have something to
 * write stand in a row (`due`), and have their turns until one slice for all of them is over; the next turn of the loop goes on with the first that waits.
 *
 * The end. A NOTIFICATION has to be read by the peer, who may just be sending: a socket that is closed with input in it says RST, and the peer never sees
 * our last words. So we say that we are done (shutdown(2)), and read until the peer is, for two seconds at most. Before that we do not connect to it again.
 *
 * What fails while the engine is asking for something is told when it has its turn again (`due`), never from inside its call.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "afbr/parts.h"

enum { READ = 65536, READ_LEAST = 4096, DRAIN_MS = 2000 };
_Static_assert((int)AFBR_INPUT >= (int)READ + (int)BGP_EXTENDED_MAX, "what is left of a message, and more");

enum connection_state {
	WAITING,    /* for the end of an older one */
	OPENING,    /* its password is being read */
	CONNECTING, /* TCP is */
	UP,
	FAILED,   /* the engine is to be told why */
	DRAINING, /* the engine is done with it */
	CLOSED,   /* memory that libuv still knows */
};

struct afbr_connection {
	struct afbr *role;
	struct afbr_connection *next, **link; /* all but CLOSED ones */
	struct afbr_connection *next_due;
	bool due;
	enum connection_state state;
	struct bgp_connection *bgp; /* NULL: the engine is done with it */
	int fd;
	unsigned interface; /* UP: the link that the peer is on, too; 0: there is none */
	uint16_t source;    /* bgp_neighbor_source() */
	bool heard;         /* hear_out() */
	int events;         /* that are watched */
	struct loop_watch watch;
	uint8_t *rest; /* of the input: the beginning of a message */
	size_t rest_len;
	uint8_t *out; /* that the socket did not take */
	size_t out_len, out_at;
	struct wheel_timer timer; /* DRAINING */
	char why[128];
};

/* ---- life ---- */

static void listed(struct afbr *a, struct afbr_connection *c)
{
	c->next = a->connections;
	c->link = &a->connections;
	if (c->next)
		c->next->link = &c->next;
	a->connections = c;
}

static void unlist(struct afbr_connection *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	if (!c->due)
		return;
	for (struct afbr_connection **at = &c->role->due; *at; at = &(*at)->next_due)
		if (*at == c) {
			*at = c->next_due;
			if (!*at)
				c->role->due_end = at;
			break;
		}
	c->due = false;
}

static void make_due(struct afbr_connection *c)
{
	struct afbr *a = c->role;

	if (c->due)
		return;
	c->due = true;
	c->next_due = NULL;
	if (!a->due)
		a->due_end = &a->due;
	*a->due_end = c;
	a->due_end = &c->next_due;
}

static void closed(struct loop_watch *w)
{
	free(container_of(w, struct afbr_connection, watch));
}

/* Nothing but its memory is left behind it, for libuv and for callers that are still inside. */
static void dispose(struct afbr_connection *c)
{
	struct afbr *a = c->role;

	keeper_forget(a->keeper, c);
	wheel_disarm(&a->loop->wheel, &c->timer);
	unlist(c);
	for (struct afbr_connection *o = a->connections; c->state == DRAINING && o; o = o->next)
		if (o->state == WAITING && o->source == c->source)
			make_due(o);
	c->state = CLOSED;
	free(c->rest);
	free(c->out);
	c->rest = c->out = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->watch.closed = closed;
	if (c->watch.poll.loop)
		loop_watch_stop(&c->watch);
	else
		free(c);
	if (!a->connections && a->drained) {
		void (*drained)(struct afbr *) = a->drained;

		a->drained = NULL;
		drained(a);
	}
}

static void ready(struct loop_watch *w, int events);

static int watch(struct afbr_connection *c, int events)
{
	int r = 0;

	if (!c->watch.ready) {
		c->watch.ready = ready;
		r = loop_watch_start(c->role->loop, &c->watch, c->fd, events);
	} else if (c->events != events) {
		r = loop_watch_change(&c->watch, events);
	}
	c->events = events;
	return r;
}

static struct afbr_connection *connection_new(struct afbr *a, struct bgp_connection *bgp, int fd)
{
	struct afbr_connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->role = a;
	c->bgp = bgp;
	c->fd = fd;
	c->source = bgp_neighbor_source(bgp_connection_neighbor(bgp));
	listed(a, c);
	return c;
}

/* ---- reading ---- */

static uint64_t microseconds(void)
{
	return uv_hrtime() / 1000;
}

/* Out of the shared buffer, which somebody else needs next. */
static bool keep_rest(struct afbr_connection *c, const uint8_t *data, size_t len)
{
	if (len != c->rest_len) {
		free(c->rest);
		c->rest = len ? malloc(len) : NULL;
		c->rest_len = c->rest ? len : 0;
	}
	if (len && !c->rest)
		return false;
	if (len)
		memcpy(c->rest, data, len);
	return true;
}

/* What one of COUNT may read at a time. */
static size_t read_share(unsigned count)
{
	size_t share = READ / (count ? count : 1);

	return share > READ_LEAST ? share : READ_LEAST;
}

/*
 * Hands in what is there until the socket is empty, SLICE is over (but one read of SIZE is always done), or the connection ends. False: it has; *ret_why is
 * then NULL when the engine ended it.
 */
static bool read_input(struct afbr_connection *c, size_t size, uint64_t slice, const char **ret_why)
{
	struct afbr *a = c->role;
	uint64_t begun = microseconds();
	size_t left = c->rest_len;
	ssize_t n = 0;

	*ret_why = NULL;
	if (left)
		memcpy(a->input, c->rest, left);
	do {
		size_t taken;

		n = recv(c->fd, a->input + left, size, 0);
		if (n <= 0)
			break;
		a->counters.bytes_in += (uint64_t)n;
		left += (size_t)n;
		taken = bgp_input(c->bgp, a->input, left, loop_clock());
		if (c->state != UP)
			return false;
		left -= taken;
		memmove(a->input, a->input + taken, left);
	} while ((size_t)n == size && microseconds() - begun < slice);
	if (n == 0)
		*ret_why = "the peer closed the connection";
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		*ret_why = strerror(errno);
	else if (!keep_rest(c, a->input, left))
		*ret_why = "out of memory";
	return !*ret_why;
}

static void tell_end(struct afbr_connection *c, const char *why)
{
	bgp_disconnected(c->bgp, why, loop_clock());
}

static void read_some(struct afbr_connection *c)
{
	const struct afbr *a = c->role;
	const char *why;

	if (!read_input(c, read_share(a->busy_before), AFBR_SLICE_US / (a->busy_before + 1), &why) && why)
		tell_end(c, why);
}

/* Writing has failed: what came before that, maybe a NOTIFICATION, says more. */
static void lost(struct afbr_connection *c, int error)
{
	const char *why;

	if (read_input(c, READ, UINT64_MAX, &why))
		tell_end(c, strerror(error));
	else if (why)
		tell_end(c, why);
}

/* ---- writing ---- */

/* As much as the socket takes: how much that was, or -errno. */
static ssize_t write_out(struct afbr_connection *c, const uint8_t *data, size_t len)
{
	ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->role->counters.bytes_out += (uint64_t)n;
	return n;
}

/* What was kept: 1 when all of it has gone, 0, or -errno. */
static int write_kept(struct afbr_connection *c)
{
	ssize_t n;

	if (!c->out)
		return 1;
	n = write_out(c, c->out + c->out_at, c->out_len - c->out_at);
	if (n < 0)
		return (int)n;
	c->out_at += (size_t)n;
	if (c->out_at < c->out_len)
		return 0;
	free(c->out);
	c->out = NULL;
	return 1;
}

/* DATA behind what is kept already. */
static int keep_out(struct afbr_connection *c, const uint8_t *data, size_t len)
{
	size_t before = c->out ? c->out_len - c->out_at : 0;
	uint8_t *all = len ? malloc(before + len) : NULL;

	if (!len)
		return 0;
	if (!all)
		return -ENOMEM;
	if (before)
		memcpy(all, c->out + c->out_at, before);
	memcpy(all + before, data, len);
	free(c->out);
	c->out = all;
	c->out_len = before + len;
	c->out_at = 0;
	return 0;
}

/* 1: the engine has nothing more; 0: the socket, or the slice, has had enough; -errno. */
static int write_output(struct afbr_connection *c, uint64_t slice)
{
	uint64_t begun = microseconds();
	uint8_t *buf = c->role->output;
	int r = write_kept(c);

	while (r == 1) {
		size_t len = bgp_output(c->bgp, buf, AFBR_OUTPUT, loop_clock());
		ssize_t n;

		if (!len)
			return 1;
		n = write_out(c, buf, len);
		if (n < 0)
			return (int)n;
		if ((size_t)n < len)
			return keep_out(c, buf + n, len - (size_t)n);
		if (microseconds() - begun > slice)
			return 0;
	}
	return r;
}

static void write_some(struct afbr_connection *c, uint64_t slice)
{
	int r = write_output(c, slice);

	if (c->state != UP)
		return;
	if (r >= 0)
		r = watch(c, r ? UV_READABLE : UV_READABLE | UV_WRITABLE);
	if (r < 0)
		lost(c, -r);
}

/* ---- opening ---- */

/* The address of a link that the peer is on, too: where link-local next hops make sense. */
static const struct afbr_own *common_link(const struct afbr *a, const struct bgp_neighbor_config *n,
	const struct endpoint *local, const struct endpoint *remote, unsigned interface)
{
	if (n->multihop)
		return NULL;
	for (unsigned i = 0; i < a->own_count; i++) {
		const struct afbr_own *o = &a->own[i];
		struct prefix p = prefix_of(&o->addr, o->prefix_len);

		if (addr_equal(&o->addr, &local->addr) && prefix_contains_addr(&p, &remote->addr) &&
			(!interface || o->interface == interface))
			return o;
	}
	return NULL;
}

static void tell_link_local(struct afbr_connection *c, unsigned interface)
{
	const struct afbr *a = c->role;

	for (unsigned i = 0; i < a->own_count; i++)
		if (a->own[i].interface == interface && a->own[i].addr.family == AF_INET6 &&
			addr_is_link_local(&a->own[i].addr)) {
			bgp_connection_set_link_local(c->bgp, &a->own[i].addr);
			return;
		}
}

static void come_up(struct afbr_connection *c)
{
	struct bgp_neighbor_view view;
	const struct afbr_own *own;
	struct endpoint local, remote;
	unsigned interface;
	int r = socket_ends(c->fd, &local, &remote, &interface);

	if (!r)
		r = watch(c, UV_READABLE);
	if (r) {
		tell_end(c, strerror(-r));
		return;
	}
	c->state = UP;
	bgp_neighbor_view(bgp_connection_neighbor(c->bgp), &view);
	own = common_link(c->role, view.config, &local, &remote, interface);
	if (own)
		interface = own->interface;
	c->interface = interface;
	if (interface)
		tell_link_local(c, interface);
	bgp_connected(c->bgp, &local, &remote, interface, loop_clock());
}

static void connecting(struct afbr_connection *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (!error) {
		come_up(c);
		return;
	}
	c->role->counters.connects_failed++;
	tell_end(c, strerror(error));
}

static void fail(struct afbr_connection *c)
{
	c->role->counters.connects_failed++;
	c->state = FAILED;
	make_due(c);
}

static void begin(struct afbr_connection *c, const struct afbr_key *key)
{
	struct afbr *a = c->role;
	struct bgp_neighbor_view view;
	struct bgp_neighbor *n = bgp_connection_neighbor(c->bgp);
	const char *refusal;
	int r;

	bgp_neighbor_view(n, &view);
	refusal = nexthop_session_refusal(a, &view.config->address, view.config->interface_index);
	if (refusal) {
		snprintf(c->why, sizeof(c->why), "%s", refusal);
		fail(c);
		return;
	}
	r = socket_connect(
		view.config, socket_plan_of(view.config, bgp_config(a->bgp)->as), key, &c->fd, c->why);
	c->state = CONNECTING;
	if (!r && watch(c, UV_WRITABLE)) {
		snprintf(c->why, sizeof(c->why), "it cannot be watched");
		r = -EIO;
	}
	if (r)
		fail(c);
}

static void password_opened(void *owner, int result, int fd)
{
	struct afbr_connection *c = owner;
	struct bgp_neighbor_view view;
	struct afbr_key key = {0};
	char why[128] = "";

	if (!result)
		result = key_read(fd, &key, why);
	if (result) {
		snprintf(c->why, sizeof(c->why), "its password-file: %.100s", *why ? why : strerror(-result));
		fail(c);
		return;
	}
	bgp_neighbor_view(bgp_connection_neighbor(c->bgp), &view);
	(void)listen_set_key(
		c->role, &view.config->address, &key, why); /* the file may have another one now */
	begin(c, &key);
	key_wipe(&key);
}

/* Is the peer yet to read our last words on an older connection? One with graceful restart might throw them away when it sees a new one. */
static bool is_early(const struct afbr_connection *c)
{
	for (const struct afbr_connection *o = c->role->connections; o; o = o->next)
		if (o->state == DRAINING && o->source == c->source)
			return true;
	return false;
}

static void begin_waiting(struct afbr_connection *c)
{
	static const struct afbr_key none;
	struct bgp_neighbor_view view;

	if (is_early(c))
		return;
	c->role->counters.connects++;
	c->state = OPENING;
	bgp_neighbor_view(bgp_connection_neighbor(c->bgp), &view);
	if (*view.config->password_file)
		keeper_open_file(c->role->keeper, view.config->password_file, password_opened, c);
	else
		begin(c, &none);
}

void connection_connect(struct bgp *b, struct bgp_connection *bgp)
{
	struct afbr_connection *c = connection_new(afbr_of(b), bgp, -1);

	if (!c)
		return; /* it is given up when its time is over */
	bgp_connection_set_owner(bgp, c);
	begin_waiting(c);
}

/* What the peer has said on older connections comes first: maybe that this is why it connects again. */
static void hear_out(struct afbr *a, const struct bgp_neighbor *n)
{
	struct afbr_connection *c = a->connections;

	while (c) {
		if (c->heard || c->state != UP || bgp_connection_neighbor(c->bgp) != n) {
			c = c->next;
			continue;
		}
		c->heard = true;
		read_some(c);
		c = a->connections; /* any of them may have gone */
	}
	for (c = a->connections; c; c = c->next)
		c->heard = false;
}

void connection_accepted(struct afbr *a, struct bgp_neighbor *n, int fd)
{
	struct bgp_neighbor_view view;
	struct afbr_connection *c;
	struct bgp_connection *bgp = NULL;

	hear_out(a, n);
	bgp_neighbor_view(n, &view);
	if (!socket_tune(
		    fd, view.config->address.family, socket_plan_of(view.config, bgp_config(a->bgp)->as)))
		bgp = bgp_accept(n, loop_clock());
	if (!bgp) {
		a->counters.unwanted++;
		close(fd);
		return;
	}
	a->counters.accepts++;
	c = connection_new(a, bgp, fd);
	if (!c) {
		close(fd);
		bgp_disconnected(bgp, "out of memory", loop_clock());
		return;
	}
	bgp_connection_set_owner(bgp, c);
	come_up(c);
}

/* ---- the end ---- */

static struct afbr_connection *without_link(const struct afbr *a)
{
	char name[IF_NAMESIZE];
	struct afbr_connection *c = a->connections;

	while (c && (c->state != UP || !c->interface || if_indextoname(c->interface, name)))
		c = c->next;
	return c;
}

void connection_look_at_links(struct afbr *a)
{
	struct afbr_connection *c;

	while ((c = without_link(a))) {
		c->interface = 0;
		tell_end(c, "the interface to the neighbor is gone");
	}
}

static void drain_over(struct wheel_timer *t, msec now)
{
	dispose(container_of(t, struct afbr_connection, timer));
}

/* Last words first; then the peer's. */
static void drain_some(struct afbr_connection *c)
{
	struct afbr *a = c->role;
	int r = write_kept(c);
	ssize_t n;

	if (r == 1 && !(c->events & UV_DISCONNECT)) {
		(void)shutdown(c->fd, SHUT_WR);
		r = watch(c, UV_READABLE | UV_DISCONNECT);
	}
	n = recv(c->fd, a->input, READ, 0);
	if (r < 0 || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		dispose(c);
}

void connection_close(struct bgp *b, struct bgp_connection *bgp, const uint8_t *last, size_t len)
{
	struct afbr_connection *c = bgp_connection_owner(bgp);
	struct afbr *a = afbr_of(b);

	if (!c)
		return;
	c->bgp = NULL;
	if (c->state != UP || !len || keep_out(c, last, len) || watch(c, UV_READABLE | UV_WRITABLE)) {
		dispose(c);
		return;
	}
	/* At once: if a new connection follows, its first packet must not arrive before these words. */
	(void)write_kept(c);
	c->state = DRAINING;
	c->timer.fire = drain_over;
	wheel_arm(&a->loop->wheel, &c->timer, loop_now(a->loop) + DRAIN_MS);
	make_due(c);
}

void connection_wake(struct bgp *b, struct bgp_connection *bgp)
{
	struct afbr_connection *c = bgp_connection_owner(bgp);

	if (c)
		make_due(c);
}

/* ---- turns ---- */

static void ready(struct loop_watch *w, int events)
{
	struct afbr_connection *c = container_of(w, struct afbr_connection, watch);

	switch (c->state) {
	case CONNECTING:
		connecting(c);
		break;
	case UP:
		if (events < 0 || events & UV_READABLE) {
			c->role->busy++;
			read_some(c);
		}
		if (c->state == UP && events > 0 && events & UV_WRITABLE)
			make_due(c);
		break;
	case DRAINING:
		drain_some(c);
		break;
	case WAITING:
	case OPENING:
	case FAILED:
	case CLOSED:
		break;
	}
}

static void have_turn(struct afbr_connection *c, uint64_t slice)
{
	if (c->state == UP)
		write_some(c, slice);
	else if (c->state == DRAINING)
		drain_some(c);
	else if (c->state == WAITING)
		begin_waiting(c);
	else if (c->state == FAILED)
		tell_end(c, c->why);
}

void connection_flush(struct loop_flush *f)
{
	struct afbr *a = container_of(f, struct afbr, flush);
	uint64_t begun = microseconds(), spent = 0;

	a->busy_before = a->busy;
	a->busy = 0;
	for (; a->due && spent < AFBR_SLICE_US; spent = microseconds() - begun) {
		struct afbr_connection *c = a->due;

		a->due = c->next_due;
		c->due = false;
		have_turn(c, AFBR_SLICE_US - spent);
	}
	/* The loop must not sleep meanwhile. */
	if (a->due)
		afbr_work(a->bgp);
}

void connection_drain(struct afbr *a, void (*done)(struct afbr *a))
{
	if (a->connections)
		a->drained = done;
	else
		done(a);
}

void connection_set_key(struct afbr *a, const struct bgp_neighbor *n, const struct afbr_key *key)
{
	struct bgp_neighbor_view view;
	char why[128];

	bgp_neighbor_view(n, &view);
	for (const struct afbr_connection *c = a->connections; c; c = c->next)
		if (c->state == UP && bgp_connection_neighbor(c->bgp) == n)
			(void)key_set(c->fd, &view.config->address, key, why);
}

void connection_free_all(struct afbr *a)
{
	struct afbr_connection *next;

	a->drained = NULL;
	for (struct afbr_connection *c = a->connections; c; c = next) {
		next = c->next;
		if (c->bgp)
			bgp_connection_set_owner(c->bgp, NULL);
		dispose(c);
	}
}

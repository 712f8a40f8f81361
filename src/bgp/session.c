/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TCP connection with a neighbour: the state machine of RFC 4271 section 8.2.2 from Connect to Established.
 *
 * Timers, each a deadline in struct bgp_connection:
 *   hold       nothing was heard for so long: the session ends. Large until OPEN has come
 *   keepalive  a third of the hold time, with jitter, after the last bytes that we gave: then KEEPALIVE is due
 *   send hold  there was something to send, and the socket took nothing of it for so long (RFC 9687)
 * When hold or send hold is reached the owner gets one more chance to hand in what may lie in the socket, or to ask for what is to be sent (HOLD_GRACE), for
 * it may be us who were busy.
 *
 * What an event does in which state, where section 8.2.2 sends Finite State Machine Error (5, with the subcode of the state: RFC 6608):
 *               OPEN            KEEPALIVE      UPDATE      ROUTE-REFRESH   NOTIFICATION
 *   OpenSent    judged          5/1            5/1         5/1             the end
 *   OpenConfirm 5/2             Established    5/2         5/2             the end
 *   Established 5/3             heard          received    received        the end
 * A NOTIFICATION is never answered by another one, whatever the state: section 6.4 knows no way to report errors in one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/parts.h"
#include "lib/text.h"

enum { SECOND = 1000, HOLD_GRACE = 100, SEND_HOLD = 480 * SECOND, LAST = BGP_PENDING + BGP_MESSAGE_MAX };

/* ---- life ---- */

struct bgp_connection *session_new(struct bgp_neighbor *n, bool incoming)
{
	struct bgp_connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->neighbor = n;
	c->incoming = incoming;
	c->state = BGP_CONNECT;
	c->hold_at = c->keepalive_at = c->send_hold_at = MSEC_NEVER;
	n->connections[incoming] = c;
	return c;
}

struct bgp_neighbor *bgp_connection_neighbor(const struct bgp_connection *c)
{
	return c->neighbor;
}

bool bgp_connection_incoming(const struct bgp_connection *c)
{
	return c->incoming;
}

void *bgp_connection_owner(const struct bgp_connection *c)
{
	return c->owner;
}

void bgp_connection_set_owner(struct bgp_connection *c, void *owner)
{
	c->owner = owner;
}

void bgp_connection_set_link_local(struct bgp_connection *c, const struct addr *link_local)
{
	c->link_local = *link_local;
}

/* RFC 9687 section 6 */
static msec send_hold(const struct bgp_connection *c)
{
	msec twice = 2 * (msec)c->hold_time * SECOND;

	return twice > SEND_HOLD ? twice : SEND_HOLD;
}

void session_wake(struct bgp_connection *c)
{
	if (!c->up || c->awake || c->closing)
		return;
	c->awake = true;
	if (c->state == BGP_ESTABLISHED && c->hold_time)
		c->send_hold_at = c->neighbor->bgp->wheel->now + send_hold(c);
	c->neighbor->bgp->ops->wake(c->neighbor->bgp, c);
}

/* Counts the messages in BYTES, and shows them to who watches. */
static void count_sent(struct bgp_connection *c, const uint8_t *bytes, size_t len)
{
	struct bgp_neighbor *n = c->neighbor;
	struct reader r = reader_of(bytes, len);

	while (reader_left(&r)) {
		const uint8_t *message = r.pos;
		uint16_t length;
		uint8_t type;

		reader_skip(&r, BGP_HEADER - 3);
		length = reader_u16(&r);
		type = reader_u8(&r);
		reader_skip(&r, (size_t)length - BGP_HEADER);
		n->messages_out++;
		n->updates_out += type == BGP_UPDATE;
		if (n->bgp->ops->message)
			n->bgp->ops->message(n->bgp, c, true, message, length);
	}
}

/* What the peer gets as the last: what it has not had yet, and the NOTIFICATION. */
static size_t write_last(struct bgp_connection *c, const struct bgp_error *error, uint8_t last[LAST])
{
	struct writer w = writer_of(last, LAST);
	struct bgp_error told = *error;

	if (!c->up || !error->code)
		return 0;
	restart_harden(c, &told);
	writer_bytes(&w, c->pending.bytes, c->pending.len);
	bgp_notification_write(&w, &told);
	count_sent(c, last, writer_len(&w));
	return writer_len(&w);
}

void session_end(struct bgp_connection *c, const struct bgp_error *error, bool sent, msec now)
{
	struct bgp *b = c->neighbor->bgp;
	struct bgp_error why = *error;
	uint8_t last[LAST];
	size_t len;

	if (c->closing)
		return;
	c->closing = true;
	len = sent ? write_last(c, &why, last) : 0;
	neighbor_lost(c, &why, sent, now);
	b->ops->close(b, c, last, len);
	free(c);
}

/* Ends C with a NOTIFICATION; false, for who has to say whether C is still there. */
static bool refuse(struct bgp_connection *c, const struct bgp_error *error, msec now)
{
	session_end(c, error, true, now);
	return false;
}

/* ---- OPEN ---- */

static void describe_restart(const struct bgp_neighbor *n, struct bgp_capabilities *ret)
{
	const struct bgp *b = n->bgp;

	if (!n->config.graceful_restart)
		return;
	ret->graceful = ret->notification = true;
	ret->restarted = b->deferring;
	ret->restart_time = (uint16_t)(n->config.restart_time < 4095 ? n->config.restart_time : 4095);
	ret->graceful_families = ret->families;
	/* A process that had a session with this neighbour before has been here ever since, and so has what it forwards by. */
	if (n->established || b->config.preserved)
		ret->preserved = ret->families;
}

static void describe(const struct bgp_neighbor *n, struct bgp_open *ret)
{
	struct bgp_capabilities *c = &ret->capabilities;

	*ret = (struct bgp_open){.as = n->config.local_as ? n->config.local_as : n->bgp->config.as,
		.hold_time = (uint16_t)(n->config.hold_time / SECOND),
		.id = n->bgp->config.id};
	c->families = n->config.families;
	if (n->config.extended_next_hop)
		c->extended_next_hop =
			c->families & (BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV4_LABELED));
	c->as4 = n->config.as4;
	c->refresh = c->enhanced_refresh = n->config.refresh;
	c->extended_message = n->config.extended_messages;
	describe_restart(n, c);
}

void session_begin(struct bgp_connection *c, msec now)
{
	struct writer w = writer_of(c->pending.bytes, sizeof(c->pending.bytes));

	c->up = true;
	c->state = BGP_OPEN_SENT;
	describe(c->neighbor, &c->sent);
	c->max_in = c->sent.capabilities.extended_message ? BGP_EXTENDED_MAX : BGP_MESSAGE_MAX;
	bgp_open_write(&w, &c->sent);
	c->pending.len = (uint16_t)writer_len(&w);
	c->hold_at = now + BGP_HOLD_LARGE * SECOND;
	neighbor_progress(c->neighbor, now);
	session_wake(c);
}

void bgp_connected(struct bgp_connection *c, const struct endpoint *local, const struct endpoint *remote,
	unsigned interface, msec now)
{
	c->local = *local;
	c->remote = *remote;
	c->interface = interface;
	session_begin(c, now);
}

void bgp_disconnected(struct bgp_connection *c, const char *why, msec now)
{
	struct bgp_error e = {0};

	bgp_error_set(&e, 0, 0, NULL, 0, "the connection %s: %s", c->up ? "ended" : "failed", why);
	session_end(c, &e, false, now);
}

static const char *family_names(bgp_families families, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};

	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (families & BGP_FAMILY_BIT(f))
			text_add(&t, "%s%s", t.len ? " " : "", bgp_family_name((enum bgp_family)f));
	return families ? buf : "none that we know";
}

/* With the capabilities that we would have needed, as RFC 5492 section 5 wants them told. */
static int no_common_family(const struct bgp_connection *c, struct bgp_error *ret)
{
	uint8_t data[BGP_ERROR_DATA];
	struct writer w = writer_of(data, sizeof(data));
	bgp_families ours = c->sent.capabilities.families, theirs = c->received.capabilities.families;
	char names[2][80];

	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		if (!(ours & BGP_FAMILY_BIT(f)))
			continue;
		writer_u16(&w, BGP_CAP_MULTIPROTOCOL << 8 | 4);
		writer_u16(&w, bgp_family_afi((enum bgp_family)f));
		writer_u16(&w, bgp_family_safi((enum bgp_family)f));
	}
	return bgp_error_set(ret, BGP_ERROR_OPEN, BGP_OPEN_CAPABILITY, data, writer_len(&w),
		"no family in common: it has %s, we have %s",
		family_names(theirs, names[0], sizeof(names[0])),
		family_names(ours, names[1], sizeof(names[1])));
}

/* What bgp_open_read() cannot know: is this the peer that is configured? (RFC 4271 section 6.2, RFC 6286 section 2.2) */
static int judge_open(const struct bgp_connection *c, struct bgp_error *ret)
{
	const struct bgp_neighbor *n = c->neighbor;
	const struct bgp_open *o = &c->received;

	if (o->as != n->config.as)
		return bgp_error_set(ret, BGP_ERROR_OPEN, BGP_OPEN_AS, NULL, 0,
			"it is in AS %u, configured is AS %u", o->as, n->config.as);
	if (!neighbor_is_external(n) && o->id == n->bgp->config.id)
		return bgp_error_set(ret, BGP_ERROR_OPEN, BGP_OPEN_ID, NULL, 0,
			"it has our own BGP identifier %u.%u.%u.%u", o->id >> 24, o->id >> 16 & 255,
			o->id >> 8 & 255, o->id & 255);
	if (!(o->capabilities.families & c->sent.capabilities.families))
		return no_common_family(c, ret);
	return 0;
}

static void agree(struct bgp_connection *c)
{
	const struct bgp_capabilities *ours = &c->sent.capabilities, *theirs = &c->received.capabilities;
	bgp_families families = ours->families & theirs->families;

	c->form = (struct bgp_form){.as4 = ours->as4 && theirs->as4,
		.external = neighbor_is_external(c->neighbor),
		.families = families,
		.extended_next_hop = families & ours->extended_next_hop & theirs->extended_next_hop,
		.max_message = ours->extended_message && theirs->extended_message ? BGP_EXTENDED_MAX
										  : BGP_MESSAGE_MAX};
	c->hold_time = c->received.hold_time < c->sent.hold_time ? c->received.hold_time : c->sent.hold_time;
}

static void heard(struct bgp_connection *c, msec now)
{
	c->hold_over = false;
	if (c->hold_time)
		c->hold_at = now + (msec)c->hold_time * SECOND;
	else if (c->state == BGP_ESTABLISHED)
		c->hold_at = MSEC_NEVER; /* not before: without any timer OpenConfirm could last for ever */
}

static bool take_open(struct bgp_connection *c, struct reader body, msec now)
{
	struct bgp_error e = {0};

	if (bgp_open_read(body, &c->received, &e) || judge_open(c, &e))
		return refuse(c, &e, now);
	if (!neighbor_collide(c, now))
		return false;
	agree(c);
	c->state = BGP_OPEN_CONFIRM;
	heard(c, now);
	c->keepalive_at = now; /* it is the answer to OPEN, also without a hold time */
	neighbor_progress(c->neighbor, now);
	session_wake(c);
	return true;
}

/* ---- messages ---- */

static const char *type_name(uint8_t type)
{
	static const char *const names[] = {
		"", "OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH"};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "a message";
}

/* A message that does not belong into this state (RFC 6608). */
static bool misplaced(struct bgp_connection *c, uint8_t type, msec now)
{
	struct bgp_error e = {0};
	uint8_t subcode = c->state == BGP_OPEN_SENT      ? BGP_FSM_OPEN_SENT
			  : c->state == BGP_OPEN_CONFIRM ? BGP_FSM_OPEN_CONFIRM
							 : BGP_FSM_ESTABLISHED;

	bgp_error_set(&e, BGP_ERROR_FSM, subcode, &type, 1, "%s came in state %s", type_name(type),
		bgp_state_name(c->state));
	return refuse(c, &e, now);
}

static bool take_notification(struct bgp_connection *c, struct reader body, msec now)
{
	struct bgp_error e = {0};

	bgp_notification_read(body, &e);
	session_end(c, &e, false, now);
	return false;
}

static bool take_refresh(struct bgp_connection *c, const struct bgp_header *h, struct reader body, msec now)
{
	enum bgp_family f;
	enum bgp_refresh_kind kind;
	struct bgp_error e = {0};
	int r = bgp_refresh_read(body, &f, &kind, &e);
	bool enhanced = c->sent.capabilities.enhanced_refresh && c->received.capabilities.enhanced_refresh;

	if (r == -EPROTO && !enhanced) /* error code 7 is not known to it: RFC 7313 section 5 */
		bgp_error_set(&e, BGP_ERROR_HEADER, BGP_HEADER_LENGTH,
			(uint8_t[]){(uint8_t)(h->length >> 8), (uint8_t)h->length}, 2,
			"ROUTE-REFRESH of %u bytes", h->length);
	if (r == -EPROTO)
		return refuse(c, &e, now);
	heard(c, now);
	/* Who was not told that we know it, or asks for what is not exchanged, is not answered (RFC 2918 section 4). */
	if (r || !c->sent.capabilities.refresh || !(c->form.families & BGP_FAMILY_BIT(f)))
		return true;
	restart_refresh(c->neighbor, f, kind, now);
	return true;
}

static bool take_established(
	struct bgp_connection *c, const struct bgp_header *h, struct reader body, msec now)
{
	switch (h->type) {
	case BGP_KEEPALIVE:
		heard(c, now);
		return true;
	case BGP_UPDATE:
		heard(c, now);
		c->neighbor->updates_in++;
		return receive_update(c, body, now);
	case BGP_REFRESH:
		return take_refresh(c, h, body, now);
	default:
		return misplaced(c, h->type, now);
	}
}

bool session_message(struct bgp_connection *c, const struct bgp_header *h, const uint8_t *message, msec now)
{
	struct bgp *b = c->neighbor->bgp;
	struct reader body = reader_of(message + BGP_HEADER, h->length - (size_t)BGP_HEADER);

	c->neighbor->messages_in++;
	if (b->ops->message)
		b->ops->message(b, c, false, message, h->length);
	if (h->type == BGP_NOTIFICATION)
		return take_notification(c, body, now);
	if (c->state == BGP_ESTABLISHED)
		return take_established(c, h, body, now);
	if (c->state == BGP_OPEN_SENT && h->type == BGP_OPEN)
		return take_open(c, body, now);
	if (c->state == BGP_OPEN_CONFIRM && h->type == BGP_KEEPALIVE) {
		c->state = BGP_ESTABLISHED;
		heard(c, now);
		return neighbor_established(c, now);
	}
	return misplaced(c, h->type, now);
}

size_t bgp_input(struct bgp_connection *c, const uint8_t *data, size_t len, msec now)
{
	struct bgp_header h;
	struct bgp_error e = {0};
	size_t used = 0;
	int r;

	while (c->up) {
		r = bgp_header_read(data + used, len - used, c->max_in, &h, &e);
		if (r < 0) {
			refuse(c, &e, now);
			return len;
		}
		if (r == 0 || len - used < h.length)
			return used;
		if (!session_message(c, &h, data + used, now))
			return len;
		used += h.length;
	}
	return used;
}

/* ---- output ---- */

static void write_asked(struct bgp_neighbor *n, struct writer *w)
{
	for (unsigned f = 0; f < BGP_FAMILIES && n->ask; f++)
		if (n->ask & BGP_FAMILY_BIT(f))
			bgp_refresh_write(w, (enum bgp_family)f, BGP_REFRESH_REQUEST);
	n->ask = 0;
}

size_t bgp_output(struct bgp_connection *c, uint8_t *buf, size_t size, msec now)
{
	struct bgp_neighbor *n = c->neighbor;
	struct writer w = writer_of(buf, size);

	writer_bytes(&w, c->pending.bytes, c->pending.len);
	c->pending.len = 0;
	if (c->keepalive_at <= now)
		bgp_keepalive_write(&w);
	if (c == n->up) {
		write_asked(n, &w);
		send_updates(n, &w, now);
	}
	if (writer_len(&w) && c->keepalive_at != MSEC_NEVER)
		c->keepalive_at =
			c->hold_time ? now + bgp_jitter(n->bgp, (msec)c->hold_time * SECOND / 3) : MSEC_NEVER;
	count_sent(c, buf, writer_len(&w));
	c->awake = writer_len(&w) != 0;
	c->send_over = false;
	c->send_hold_at = c->awake && c == n->up && c->hold_time ? now + send_hold(c) : MSEC_NEVER;
	if (!c->awake)
		neighbor_schedule(n);
	return writer_len(&w);
}

/* ---- time ---- */

msec session_deadline(const struct bgp_connection *c)
{
	msec at = msec_min(c->hold_at, c->send_hold_at);

	/* Who is awake is asked anyway, as soon as the socket takes something. */
	return c->awake ? at : msec_min(at, c->keepalive_at);
}

static void hold_expired(struct bgp_connection *c, msec now)
{
	struct bgp_error e = {0};

	if (!c->hold_over) {
		c->hold_over = true;
		c->hold_at = now + HOLD_GRACE;
		return;
	}
	if (c->state == BGP_OPEN_SENT)
		bgp_error_set(
			&e, BGP_ERROR_HOLD_TIMER, 0, NULL, 0, "no OPEN came within %u s", BGP_HOLD_LARGE);
	else
		bgp_error_set(&e, BGP_ERROR_HOLD_TIMER, 0, NULL, 0, "nothing was heard for %u s",
			c->hold_time ? c->hold_time : (unsigned)BGP_HOLD_LARGE);
	session_end(c, &e, true, now);
}

static void send_hold_expired(struct bgp_connection *c, msec now)
{
	struct bgp_error e = {0};

	if (!c->send_over) {
		c->send_over = true;
		c->send_hold_at = now + HOLD_GRACE;
		return;
	}
	bgp_error_set(&e, BGP_ERROR_SEND_HOLD_TIMER, 0, NULL, 0,
		"it does not read: the socket took nothing for %u s", (unsigned)(send_hold(c) / SECOND));
	session_end(c, &e, true, now);
}

void session_time(struct bgp_connection *c, msec now)
{
	if (c->keepalive_at <= now)
		session_wake(c);
	if (c->hold_at <= now)
		hold_expired(c, now);
	else if (c->send_hold_at <= now)
		send_hold_expired(c, now);
}

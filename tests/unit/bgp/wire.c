/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See wire.h. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

void *(*wire_memory)(void *old, size_t size) = realloc;

static void *fresh(size_t size)
{
	void *p = wire_memory(NULL, size);

	must(p);
	return memset(p, 0, size);
}

/* ---- bytes on their way ---- */

static struct wire_end *peer_of(struct wire_end *e)
{
	return &e->tcp->end[e == e->tcp->end];
}

/* To E's peer. */
static void push(struct wire_end *e, const void *bytes, size_t len, bool fin)
{
	struct wire_end *to = peer_of(e);
	struct wire_segment *s = fresh(sizeof(*s) + len);

	s->at = e->tcp->wire->now + e->tcp->wire->latency;
	s->fin = fin;
	s->len = len;
	if (len)
		memcpy(s->bytes, bytes, len);
	*to->last = s;
	to->last = &s->next;
	e->tcp->wire->bytes += len;
}

static void shut(struct wire_end *e)
{
	if (e->open && !e->dead)
		push(e, NULL, 0, true);
	e->open = false;
	e->c = NULL;
	e->wants = false;
}

/* The connection is over for E, and it hears so. */
static void broke(struct wire_end *e, const char *why)
{
	struct bgp_connection *c = e->c;

	e->open = false;
	if (c)
		bgp_disconnected(c, why, e->tcp->wire->now);
}

/* More of what lies there is handed in. */
static void hand_in(struct wire_end *e, size_t upto)
{
	size_t taken;

	if (!e->c || !upto)
		return;
	taken = bgp_input(e->c, e->in, upto, e->tcp->wire->now);
	must(taken <= upto);
	memmove(e->in, e->in + taken, e->in_len - taken);
	e->in_len -= taken;
}

static void arrive(struct wire_end *e, const struct wire_segment *s)
{
	size_t piece = e->tcp->wire->piece, done = 0;

	while (done < s->len && e->open) {
		size_t n = piece && piece < s->len - done ? piece : s->len - done;

		e->in = wire_memory(e->in, e->in_len + n + 1);
		must(e->in);
		memcpy(e->in + e->in_len, s->bytes + done, n);
		e->in_len += n;
		done += n;
		hand_in(e, e->in_len);
	}
	if (s->fin && e->open)
		broke(e, "closed by the peer");
}

/* ---- what the engine asks for ---- */

static struct wire_node *node_of(const struct bgp *b)
{
	return bgp_owner(b);
}

static struct wire_tcp *new_tcp(struct wire_node *from, struct wire_node *to)
{
	struct wire_tcp *t = fresh(sizeof(*t));

	t->wire = from->wire;
	t->at = from->wire->now + from->wire->latency;
	t->next = from->wire->tcps;
	from->wire->tcps = t;
	for (unsigned i = 0; i < 2; i++) {
		t->end[i].tcp = t;
		t->end[i].last = &t->end[i].first;
		t->end[i].node = i ? to : from;
	}
	t->end[0].open = true;
	return t;
}

static struct wire_node *node_at(struct wire *w, const struct addr *a)
{
	for (unsigned i = 0; i < w->node_count; i++)
		if (addr_equal(&w->nodes[i]->address, a))
			return w->nodes[i];
	return NULL;
}

static void op_connect(struct bgp *b, struct bgp_connection *c)
{
	struct wire_node *n = node_of(b);
	const struct addr *a = &bgp_connection_neighbor(c)->config.address;
	struct wire_tcp *t = new_tcp(n, node_at(n->wire, a));

	must(!bgp_connection_incoming(c) && !bgp_connection_owner(c));
	t->end[0].c = c;
	bgp_connection_set_owner(c, &t->end[0]);
}

static void op_wake(struct bgp *b, struct bgp_connection *c)
{
	struct wire_end *e = bgp_connection_owner(c);

	(void)b;
	must(e->c == c && !e->wants);
	e->wants = true;
}

static void op_close(struct bgp *b, struct bgp_connection *c, const uint8_t *last, size_t len)
{
	struct wire_end *e = bgp_connection_owner(c);

	(void)b;
	if (!e) /* its node has crashed: nobody hears of it */
		return;
	must(e->c == c);
	if (len && e->open && !e->blocked)
		push(e, last, len, false);
	shut(e);
}

static void op_next_hop(struct bgp *b, struct bgp_next_hop *h, bool wanted)
{
	struct wire_node *n = node_of(b);

	if (wanted)
		n->next_hops++;
	else
		must(n->next_hops-- > 0);
	if (n->next_hop)
		n->next_hop(n, h, wanted);
	else if (wanted)
		bgp_next_hop_answer(b, h, true, 10, NULL);
}

static void note_families(struct wire_node *n, const struct bgp_neighbor *neighbor)
{
	struct bgp_neighbor_view v;

	bgp_neighbor_view(neighbor, &v);
	n->families_when_up = 0;
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		n->families_when_up |= v.family[f].on ? BGP_FAMILY_BIT(f) : 0;
}

static void op_event(struct bgp *b, const struct bgp_event *e)
{
	struct wire_node *n = node_of(b);
	struct wire_event *to = &n->events[n->event_count++ % WIRE_EVENTS];

	*to = (struct wire_event){
		n->wire->now, e->kind, e->from, e->to, e->family, e->count, e->sent, e->final, 0, 0, ""};
	if (e->error) {
		to->code = e->error->code;
		to->subcode = e->error->subcode;
		memcpy(to->reason, e->error->reason, sizeof(to->reason));
	}
	if (e->kind == BGP_EVENT_STATE && e->to == BGP_ESTABLISHED)
		note_families(n, e->neighbor);
}

static void op_routes(struct bgp *b, enum bgp_family family)
{
	node_of(b)->routes[family]++;
}

static void op_work(struct bgp *b)
{
	must(!node_of(b)->works);
	node_of(b)->works = true;
}

static void op_message(
	struct bgp *b, const struct bgp_connection *c, bool sent, const uint8_t *message, size_t len)
{
	(void)c;
	must(len >= BGP_HEADER && (size_t)(message[16] << 8 | message[17]) == len &&
		message[18] <= BGP_REFRESH);
	node_of(b)->seen[sent][message[18]]++;
}

static const struct bgp_ops ops = {.connect = op_connect,
	.wake = op_wake,
	.close = op_close,
	.next_hop = op_next_hop,
	.event = op_event,
	.routes = op_routes,
	.work = op_work,
	.message = op_message};

/* ---- nodes ---- */

void wire_init(struct wire *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->now = 1000000;
	w->latency = 1;
	wheel_init(&w->wheel, w->now);
	rng_init_seed(&w->rng, seed);
}

struct wire_node *wire_hand(struct wire *w, unsigned number)
{
	struct wire_node *n = fresh(sizeof(*n));

	must(w->node_count < WIRE_NODES);
	w->nodes[w->node_count++] = n;
	n->wire = w;
	n->number = number;
	n->address = addr4(192, 0, 2, (uint8_t)number);
	n->slice = 1000;
	return n;
}

void wire_boot(struct wire_node *n)
{
	must(!n->bgp);
	n->works = false;
	n->next_hops = 0;
	n->bgp = bgp_new(&n->config, &ops, &n->wire->wheel, &n->wire->rng, n);
	must(n->bgp);
}

struct wire_node *wire_speaker(struct wire *w, uint32_t as, unsigned number)
{
	struct wire_node *n = wire_hand(w, number);

	n->config = (struct bgp_config){
		.as = as, .id = 10u << 24 | number, .restart_wait = 60000, .check_next_hops = true};
	wire_boot(n);
	return n;
}

static void forget_node(struct wire_node *n, bool dead)
{
	for (struct wire_tcp *t = n->wire->tcps; t; t = t->next)
		for (unsigned i = 0; i < 2; i++)
			if (t->end[i].node == n && t->end[i].open) {
				t->end[i].dead = dead;
				t->end[i].c = NULL;
				t->end[i].wants = false;
			}
}

void wire_crash(struct wire_node *n)
{
	struct bgp *b = n->bgp;

	/* Its end goes on to exist for the others, until they send something; it hears of nothing any more. */
	for (struct wire_tcp *t = n->wire->tcps; t; t = t->next)
		for (unsigned i = 0; i < 2; i++)
			if (t->end[i].node == n && t->end[i].c)
				bgp_connection_set_owner(t->end[i].c, NULL);
	forget_node(n, true);
	n->bgp = NULL;
	n->works = false;
	bgp_free(b);
}

void wire_stop(struct wire_node *n, const char *words)
{
	struct bgp *b = n->bgp;

	if (words)
		bgp_shutdown(b, words);
	else
		bgp_leave(b);
	bgp_free(b);
	n->bgp = NULL;
	n->works = false;
}

void wire_free(struct wire *w)
{
	for (unsigned i = 0; i < w->node_count; i++)
		if (w->nodes[i]->bgp)
			wire_stop(w->nodes[i], NULL);
	while (w->tcps) {
		struct wire_tcp *t = w->tcps;

		w->tcps = t->next;
		for (unsigned i = 0; i < 2; i++) {
			while (t->end[i].first) {
				struct wire_segment *s = t->end[i].first;

				t->end[i].first = s->next;
				free(s);
			}
			free(t->end[i].in);
		}
		free(t);
	}
	must(w->wheel.armed == 0);
	for (unsigned i = 0; i < w->node_count; i++)
		free(w->nodes[i]);
}

struct bgp_neighbor_config wire_config(const struct wire_node *of, const struct wire_node *to, uint32_t as)
{
	struct bgp_neighbor_config c = {.address = to->address,
		.port = BGP_PORT,
		.as = as,
		.families = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6),
		.hold_time = 90000,
		.connect_retry = 5000,
		.idle_hold = 1000,
		.extended_messages = true,
		.graceful_restart = true,
		.extended_next_hop = true,
		.refresh = true,
		.as4 = true,
		.restart_time = 120};

	(void)of;
	snprintf(c.name, sizeof(c.name), "n%u", to->number);
	return c;
}

void wire_meet(struct wire_node *a, struct wire_node *b,
	void (*tweak)(struct wire_node *of, struct bgp_neighbor_config *config))
{
	struct wire_node *sides[2] = {a, b};
	struct bgp_neighbor *n;

	for (unsigned i = 0; i < 2; i++) {
		struct bgp_neighbor_config c = wire_config(sides[i], sides[!i], sides[!i]->config.as);

		if (!sides[i]->bgp)
			continue;
		if (tweak)
			tweak(sides[i], &c);
		must(bgp_neighbor_add(sides[i]->bgp, &c, &n) == 0);
		bgp_neighbor_start(n);
	}
}

struct bgp_neighbor *wire_neighbor(const struct wire_node *of, const struct wire_node *to)
{
	return of->bgp ? bgp_neighbor_by_address(of->bgp, &to->address, 0) : NULL;
}

enum bgp_state wire_state(const struct wire_node *of, const struct wire_node *to)
{
	struct bgp_neighbor *n = wire_neighbor(of, to);

	return n ? n->state : BGP_IDLE;
}

/* ---- time ---- */

static struct endpoint endpoint_at(const struct wire_node *n, uint16_t port)
{
	return (struct endpoint){n->address, port};
}

static void tell_connected(struct wire_end *e, bool incoming)
{
	struct wire_end *peer = peer_of(e);
	struct endpoint local = endpoint_at(e->node, incoming ? BGP_PORT : 40000);
	struct endpoint remote = endpoint_at(peer->node, incoming ? 40000 : BGP_PORT);

	if (e->c)
		bgp_connected(e->c, &local, &remote, 0, e->tcp->wire->now);
}

static void shake(struct wire_tcp *t)
{
	struct wire_end *from = &t->end[0], *to = &t->end[1];
	struct bgp_neighbor *n;

	if (to->node && to->node->silent)
		return;
	t->shaken = true;
	if (!from->open)
		return;
	if (!to->node || to->node->refuses || (!to->node->bgp && to->node->config.as)) {
		broke(from, "Connection refused");
		return;
	}
	to->open = true;
	if (to->node->bgp) {
		n = wire_neighbor(to->node, from->node);
		to->c = n ? bgp_accept(n, t->wire->now) : NULL;
		if (!to->c)
			shut(to);
		else
			bgp_connection_set_owner(to->c, to);
	}
	tell_connected(to, true);
	tell_connected(from, false);
}

/* Has something happened? */
static bool pump_end(struct wire_end *e)
{
	static uint8_t buf[BGP_OUTPUT];
	struct wire_segment *s = e->first;
	size_t n;

	if (s && s->at <= e->tcp->wire->now) {
		e->first = s->next;
		if (!e->first)
			e->last = &e->first;
		if (e->dead && !s->fin && peer_of(e)->open)
			broke(peer_of(e), "Connection reset by peer");
		else if (!e->dead)
			arrive(e, s);
		free(s);
		return true;
	}
	if (!e->wants || e->blocked || !e->c)
		return false;
	n = bgp_output(e->c, buf, sizeof(buf), e->tcp->wire->now);
	must(n <= sizeof(buf));
	if (n)
		push(e, buf, n, false);
	else
		e->wants = false;
	return true;
}

static bool pump(struct wire *w)
{
	bool more = false;

	for (struct wire_tcp *t = w->tcps; t; t = t->next) {
		if (!t->shaken && t->at <= w->now && !(t->end[1].node && t->end[1].node->silent)) {
			shake(t);
			more = true;
		}
		for (unsigned i = 0; i < 2; i++)
			more |= pump_end(&t->end[i]);
	}
	for (unsigned i = 0; i < w->node_count; i++) {
		struct wire_node *n = w->nodes[i];

		if (!n->works || !n->slice)
			continue;
		n->works = bgp_work(n->bgp, n->slice, w->now);
		more = true;
	}
	return more;
}

static msec next_time(const struct wire *w)
{
	msec at = wheel_next(&w->wheel);

	for (const struct wire_tcp *t = w->tcps; t; t = t->next) {
		if (!t->shaken && t->at > w->now)
			at = msec_min(at, t->at);
		for (unsigned i = 0; i < 2; i++)
			if (t->end[i].first)
				at = msec_min(at, t->end[i].first->at);
	}
	return at;
}

static bool never(struct wire *w)
{
	(void)w;
	return false;
}

bool wire_until(struct wire *w, msec ms, bool (*done)(struct wire *w))
{
	msec end = w->now + ms;
	unsigned idle;

	for (;;) {
		for (idle = 0; pump(w); idle++)
			must(idle < 10000000);
		if (done(w))
			return true;
		if (w->now >= end)
			return false;
		w->now = msec_min(end, next_time(w));
		wheel_advance(&w->wheel, w->now);
	}
}

void wire_run(struct wire *w, msec ms)
{
	wire_until(w, ms, never);
}

/* ---- hands ---- */

struct wire_end *wire_end_of(struct wire_node *x, struct wire_node *y)
{
	for (struct wire_tcp *t = x->wire->tcps; t; t = t->next)
		for (unsigned i = 0; i < 2; i++)
			if (t->shaken && t->end[i].node == x && t->end[!i].node == y && t->end[i].open &&
				!t->end[i].dead)
				return &t->end[i];
	return NULL;
}

struct wire_end *wire_connect(struct wire_node *hand, struct wire_node *to)
{
	return &new_tcp(hand, to)->end[0];
}

void wire_send(struct wire_end *e, const void *bytes, size_t len)
{
	push(e, bytes, len, false);
}

void wire_close(struct wire_end *e)
{
	if (!e->c) {
		shut(e);
		return;
	}
	push(e, NULL, 0, true);
	broke(e, "Connection reset");
}

size_t wire_take(struct wire_end *e, uint8_t *ret_type, uint8_t message[BGP_EXTENDED_MAX])
{
	size_t len;

	if (e->in_len < BGP_HEADER)
		return 0;
	len = (size_t)(e->in[16] << 8 | e->in[17]);
	if (len > e->in_len)
		return 0;
	*ret_type = e->in[18];
	memcpy(message, e->in, len);
	memmove(e->in, e->in + len, e->in_len - len);
	e->in_len -= len;
	return len;
}

/* ---- events ---- */

const struct wire_event *wire_last(const struct wire_node *n, enum bgp_event_kind kind)
{
	unsigned oldest = n->event_count > WIRE_EVENTS ? n->event_count - WIRE_EVENTS : 0;

	for (unsigned i = n->event_count; i > oldest; i--)
		if (n->events[(i - 1) % WIRE_EVENTS].kind == kind)
			return &n->events[(i - 1) % WIRE_EVENTS];
	return NULL;
}

bool wire_said(const struct wire_node *n, const char *text)
{
	for (unsigned i = 0; i < n->event_count && i < WIRE_EVENTS; i++)
		if (strstr(n->events[i].reason, text))
			return true;
	return false;
}

unsigned wire_count(const struct wire_node *n, enum bgp_event_kind kind)
{
	unsigned oldest = n->event_count > WIRE_EVENTS ? n->event_count - WIRE_EVENTS : 0, count = 0;

	for (unsigned i = n->event_count; i > oldest; i--)
		count += n->events[(i - 1) % WIRE_EVENTS].kind == kind;
	return count;
}

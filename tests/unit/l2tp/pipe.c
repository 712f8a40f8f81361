/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pipe.h. */
#include "pipe.h"

#include <stdio.h>
#include <string.h>

static struct end *other(struct end *e)
{
	return e == &e->pipe->si ? &e->pipe->sc : &e->pipe->si;
}

static void on_send(struct l2tp_tunnel *t, const uint8_t *packet, size_t len)
{
	struct end *e = container_of(t, struct end, t);
	bool lost = e->lose >> (e->sent < 63 ? e->sent : 63) & 1 || other(e)->deaf;
	char line[256], *end;

	assert_false(e->released);
	assert_in_range(len, 12, L2TP_PACKET_MAX);
	l2tp_packet_print(packet, len, line, sizeof(line));
	assert_null(strstr(line, "malformed"));
	end = strchr(line, ' ');
	*end = '\0';
	snprintf(e->pipe->trace + strlen(e->pipe->trace), sizeof(e->pipe->trace) - strlen(e->pipe->trace),
		"%s%c%s%s", e->pipe->trace[0] ? " " : "", e == &e->pipe->si ? '>' : '<', line,
		lost ? "x" : "");
	e->sent++;
	e->last.len = len;
	memcpy(e->last.data, packet, len);
	if (lost)
		return;
	assert_in_range(e->queued, 0, 31);
	e->queue[e->queued++] = e->last;
}

static void answer(struct end *e)
{
	l2tp_tunnel_secret(&e->t, e->secret, e->secret ? strlen(e->secret) : 0, e->pipe->now);
}

static void on_want_secret(struct l2tp_tunnel *t, const char *host_name)
{
	struct end *e = container_of(t, struct end, t);

	snprintf(e->host_name, sizeof(e->host_name), "%s", host_name);
	if (!e->wait_secret)
		answer(e);
}

static void on_established(struct l2tp_tunnel *t)
{
	struct end *e = container_of(t, struct end, t);

	assert_false(e->closed);
	assert_true(l2tp_tunnel_is_established(t));
	e->established++;
	snprintf(e->up_after, sizeof(e->up_after), "%s", strrchr(e->pipe->trace, ' ') + 1);
	if (e->close_when_up)
		l2tp_tunnel_close(t, L2TP_STOP_CLEAR, 0, "changed my mind", e->pipe->now);
}

static void on_closed(struct l2tp_tunnel *t, const struct l2tp_why *why)
{
	struct end *e = container_of(t, struct end, t);

	assert_false(l2tp_tunnel_is_established(t));
	e->closed++;
	e->why = *why;
}

static void on_released(struct l2tp_tunnel *t)
{
	struct end *e = container_of(t, struct end, t);

	assert_int_equal(e->closed, 1);
	e->released++;
	l2tp_tunnel_done(t);
	memset(t, 0xee, sizeof(*t)); /* the engine must not look at it again */
	e->live = false;
}

static void on_note(struct l2tp_tunnel *t, const char *text)
{
	struct end *e = container_of(t, struct end, t);

	e->notes++;
	snprintf(e->note, sizeof(e->note), "%s", text);
}

static void end_init(struct end *e, struct pipe *p, enum l2tp_end end, uint64_t seed)
{
	e->pipe = p;
	rng_init_seed(&e->rng, seed);
	e->ops = (struct l2tp_ops){.send = on_send,
		.want_secret = on_want_secret,
		.established = on_established,
		.closed = on_closed,
		.released = on_released,
		.note = on_note};
	e->config = (struct l2tp_config){.end = end,
		.ops = &e->ops,
		.rng = &e->rng,
		.counters = &e->counters,
		.host_name = end == L2TP_LAC ? "alice@si.example" : "sc.example",
		.firmware = 1,
		.window = 4,
		.framing_async = true,
		.hello_ms = 60000,
		.retransmit_ms = 1000,
		.retransmit_max_ms = 8000,
		.retransmit_tries = 5,
		.probe_tries = 3,
		.setup_ms = 60000,
		.linger_ms = 31000};
}

void pipe_init(struct pipe *p)
{
	memset(p, 0, sizeof(*p));
	p->now = 1000000;
	end_init(&p->si, p, L2TP_LAC, 1);
	end_init(&p->sc, p, L2TP_LNS, 2);
}

static void accept_packet(struct end *e, const struct packet *packet)
{
	struct reader r = reader_of(packet->data, packet->len);
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_header h;
	struct l2tp_message m;
	struct l2tp_fault f;

	l2tp_header_read(&r, &h);
	assert_true(reader_ok(&r));
	if (h.tunnel_id || l2tp_message_read(r, NULL, scratch, &m, &f) || m.type != L2TP_SCCRQ)
		return;
	e->live = !l2tp_tunnel_accept(&e->t, &e->config, 0x2222, 0x4444, &h, &m, e->pipe->now);
}

static void deliver(struct end *from)
{
	struct end *to = other(from);
	struct packet packet = from->queue[0];

	from->queued--;
	memmove(from->queue, from->queue + 1, from->queued * sizeof(packet));
	if (to->live)
		l2tp_tunnel_input(&to->t, packet.data, packet.len, to->pipe->now);
	else if (to == &to->pipe->sc && !to->established && !to->closed)
		accept_packet(to, &packet);
}

static msec deadline(const struct end *e)
{
	return e->live ? l2tp_tunnel_deadline(&e->t) : MSEC_NEVER;
}

void pipe_run(struct pipe *p, msec until)
{
	for (;;) {
		msec next;

		while (p->si.queued || p->sc.queued)
			deliver(p->si.queued ? &p->si : &p->sc);
		next = msec_min(deadline(&p->si), deadline(&p->sc));
		if (next > until)
			break;
		if (next > p->now)
			p->now = next;
		if (deadline(&p->si) <= p->now)
			l2tp_tunnel_tick(&p->si.t, p->now);
		else
			l2tp_tunnel_tick(&p->sc.t, p->now);
	}
	p->now = until;
}

void pipe_open(struct pipe *p)
{
	p->si.live = true;
	assert_int_equal(l2tp_tunnel_open(&p->si.t, &p->si.config, 0x1111, 0x3333, 7, p->now), 0);
}

void pipe_up(struct pipe *p)
{
	pipe_open(p);
	pipe_run(p, p->now);
	assert_true(l2tp_tunnel_is_established(&p->si.t));
	assert_true(l2tp_tunnel_is_established(&p->sc.t));
	p->trace[0] = '\0';
}

void pipe_done(struct pipe *p)
{
	if (p->si.live)
		l2tp_tunnel_done(&p->si.t);
	if (p->sc.live)
		l2tp_tunnel_done(&p->sc.t);
}

void pipe_inject(struct end *to, uint16_t session, uint16_t ns, uint16_t nr, const uint8_t *body, size_t len)
{
	struct l2tp_header h = {.control = true,
		.has_length = true,
		.has_sequence = true,
		.tunnel_id = to->t.local_tunnel,
		.session_id = session,
		.ns = ns,
		.nr = nr};
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t at = l2tp_header_begin(&w, &h);

	if (len)
		writer_bytes(&w, body, len);
	l2tp_header_finish(&w, at);
	l2tp_tunnel_input(&to->t, buf, writer_len(&w), to->pipe->now);
}

void pipe_forge(struct end *from, uint16_t session, const uint8_t *body, size_t len)
{
	pipe_inject(other(from), session, from->t.ns++, from->t.nr, body, len);
}

void pipe_expect(struct pipe *p, const char *trace)
{
	assert_string_equal(p->trace, trace);
	p->trace[0] = '\0';
}

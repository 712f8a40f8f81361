/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of the engine at once, and somebody between them who loses, repeats, reorders, changes and forges packets,
 * lets time pass and makes the owners act. The input is a list of steps: one byte of what, one of detail, then its bytes.
 *
 * Whatever happens: events come in their order and once, every packet sent is well formed, queues stay bounded, a
 * teardown ends, and nothing is left allocated (the sanitizers see to that).
 */
#include <stdlib.h>
#include <string.h>

#include "l2tp/avp.h"
#include "l2tp/channel.h"
#include "l2tp/tunnel.h"
#include "lib/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUEUE = 16, WINDOW = 4 };

struct end {
	struct l2tp_tunnel t;
	struct l2tp_config config;
	struct l2tp_counters counters;
	struct rng rng;
	struct end *other;
	const char *secret;
	bool live, quiet_secret;
	unsigned established, closed, released;
	size_t queued;
	struct {
		size_t len;
		uint8_t data[L2TP_PACKET_MAX];
	} queue[QUEUE];
};

static msec now;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void on_send(struct l2tp_tunnel *t, const uint8_t *packet, size_t len)
{
	struct end *e = container_of(t, struct end, t);
	struct reader r = reader_of(packet, len);
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_fault f;
	struct l2tp_header h;

	require(!e->released);
	l2tp_header_read(&r, &h);
	require(reader_ok(&r) && h.control && len <= L2TP_PACKET_MAX && h.length == len);
	require(!l2tp_message_read(r, NULL, scratch, &m, &f) && !m.ignored);
	if (e->queued == QUEUE)
		return;
	memcpy(e->queue[e->queued].data, packet, len);
	e->queue[e->queued++].len = len;
}

static void on_want_secret(struct l2tp_tunnel *t, const char *host_name)
{
	struct end *e = container_of(t, struct end, t);

	require(host_name != NULL);
	if (!e->quiet_secret)
		l2tp_tunnel_secret(t, e->secret, strlen(e->secret), now);
}

static void on_established(struct l2tp_tunnel *t)
{
	struct end *e = container_of(t, struct end, t);

	require(!e->closed && !e->established++ && l2tp_tunnel_is_established(t) && !t->setup);
}

static void on_closed(struct l2tp_tunnel *t, const struct l2tp_why *why)
{
	struct end *e = container_of(t, struct end, t);

	require(!e->closed++ && !e->released && !l2tp_tunnel_is_established(t));
	require(memchr(why->text, '\0', sizeof(why->text)) != NULL);
}

static void on_released(struct l2tp_tunnel *t)
{
	struct end *e = container_of(t, struct end, t);

	require(e->closed == 1 && !e->released++);
	l2tp_tunnel_done(t);
	memset(t, 0xee, sizeof(*t));
	e->live = false;
}

static void on_note(struct l2tp_tunnel *t, const char *text)
{
	require(text[0] != '\0');
}

static const struct l2tp_ops ops = {on_send, on_want_secret, on_established, on_closed, on_released, on_note};

static void check(const struct end *e)
{
	unsigned early = 0, flight = 0, all = 0;

	if (!e->live)
		return;
	for (const struct l2tp_queued *q = e->t.early; q; q = q->next)
		early++;
	for (const struct l2tp_queued *q = e->t.outgoing; q; q = q->next) {
		all++;
		flight += q->sent;
	}
	require(early < WINDOW && e->t.in_flight <= flight && flight <= e->t.peer_window && all < 4096);
	require(e->t.cwnd >= 1 && e->t.cwnd <= e->t.peer_window);
	require((e->t.retransmit_at == MSEC_NEVER) == !e->t.in_flight);
	require(l2tp_tunnel_state(&e->t) != NULL);
}

static void accept_packet(struct end *e, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_fault f;
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r) || !h.control || l2tp_message_read(r, NULL, scratch, &m, &f))
		return;
	e->established = e->closed = e->released = 0;
	e->live = !l2tp_tunnel_accept(&e->t, &e->config, 0x2222, 0x4444, &h, &m, now);
}

static void give(struct end *e, const uint8_t *packet, size_t len)
{
	if (e->live) {
		l2tp_stray_matches(&e->t, packet, len);
		l2tp_tunnel_input(&e->t, packet, len, now);
	} else if (e->config.end == L2TP_LNS) {
		accept_packet(e, packet, len);
	}
}

/* Delivers the packet AT of E's queue, changed by the bytes of CHANGE (pairs of place and value). */
static void deliver(struct end *e, size_t at, bool keep, struct reader change)
{
	uint8_t packet[L2TP_PACKET_MAX];
	size_t len;

	if (!e->queued)
		return;
	at %= e->queued;
	len = e->queue[at].len;
	memcpy(packet, e->queue[at].data, len);
	if (!keep)
		e->queue[at] = e->queue[--e->queued];
	while (reader_left(&change) >= 2) {
		size_t place = reader_u8(&change) % len;

		packet[place] = reader_u8(&change);
	}
	give(e->other, packet, len);
}

/* A control packet with right ids and numbers as far as E knows, and a body from the input. */
static void forge(struct end *e, struct reader body, uint8_t detail)
{
	uint8_t packet[L2TP_PACKET_MAX];
	struct writer w = writer_of(packet, sizeof(packet));
	struct l2tp_header h = {.control = true,
		.has_length = true,
		.has_sequence = true,
		.tunnel_id = e->t.local_tunnel,
		.session_id = detail & 1 ? e->t.local_session : 0,
		.ns = (uint16_t)(e->t.nr + (detail >> 1 & 3)),
		.nr = (uint16_t)(e->t.ns - (detail >> 3 & 3))};
	size_t at = l2tp_header_begin(&w, &h), len = reader_left(&body);

	if (len)
		writer_bytes(&w, body.pos, len);
	l2tp_header_finish(&w, at);
	if (e->live && writer_ok(&w))
		l2tp_tunnel_input(&e->t, packet, writer_len(&w), now);
}

static void pass_time(struct end *si, struct end *sc, msec until)
{
	for (unsigned i = 0; i < 4096; i++) {
		msec a = si->live ? l2tp_tunnel_deadline(&si->t) : MSEC_NEVER;
		msec b = sc->live ? l2tp_tunnel_deadline(&sc->t) : MSEC_NEVER;

		if (msec_min(a, b) > until)
			break;
		if (msec_min(a, b) > now)
			now = msec_min(a, b);
		require(i < 4095); /* a deadline that a tick does not move would spin for ever */
		if (a <= now)
			l2tp_tunnel_tick(&si->t, now);
		else
			l2tp_tunnel_tick(&sc->t, now);
		check(si);
		check(sc);
	}
	now = until;
}

static void act(struct end *e, uint8_t detail)
{
	if (!e->live)
		return;
	switch (detail & 3) {
	case 0:
		l2tp_tunnel_probe(&e->t, now);
		break;
	case 1:
		l2tp_tunnel_close(&e->t, detail >> 2 & 7, detail >> 5, "closed", now);
		break;
	case 2:
		l2tp_tunnel_secret(&e->t, e->secret, strlen(e->secret), now);
		break;
	default:
		l2tp_tunnel_heard(&e->t, now);
		break;
	}
}

static void step(struct end *si, struct end *sc, struct reader *in)
{
	uint8_t what = reader_u8(in), detail = reader_u8(in);
	struct end *e = what & 0x80 ? sc : si;
	size_t len = what >> 3 & 15;

	switch (what & 7) {
	case 0:
	case 1:
		deliver(e, detail & 15, false,
			reader_sub(in, detail >> 4 < reader_left(in) ? detail >> 4 : 0));
		break;
	case 2:
		deliver(e, detail & 15, true, reader_sub(in, 0));
		break;
	case 3:
		if (e->queued)
			e->queued--;
		break;
	case 4:
		pass_time(si, sc, now + (msec)detail * detail);
		break;
	case 5:
		act(e, detail);
		break;
	case 6:
		len = len * 8 < reader_left(in) ? len * 8 : reader_left(in);
		forge(e, reader_sub(in, len), detail);
		break;
	default:
		while (si->queued || sc->queued)
			deliver(si->queued ? si : sc, 0, false, reader_of("", 0));
		break;
	}
	check(si);
	check(sc);
}

static void end_init(struct end *e, enum l2tp_end end, uint8_t flags)
{
	static const char *const secrets[] = {"", "sesame", "sesame", "wrong"};

	memset(e, 0, sizeof(*e));
	rng_init_seed(&e->rng, end + 1);
	e->secret = secrets[flags & 3];
	e->quiet_secret = flags & 4;
	e->config = (struct l2tp_config){.end = end,
		.ops = &ops,
		.rng = &e->rng,
		.counters = &e->counters,
		.host_name = "host",
		.vendor_name = "vendor",
		.window = WINDOW,
		.framing_async = true,
		.require_secret = flags & 8,
		.hello_ms = 60000,
		.retransmit_ms = 1000,
		.retransmit_max_ms = 8000,
		.retransmit_tries = 5,
		.probe_tries = 3,
		.setup_ms = 60000,
		.linger_ms = 31000};
}

static void finish(struct end *e)
{
	if (e->live)
		l2tp_tunnel_close(&e->t, L2TP_STOP_CLEAR, 0, "the end", now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct end si, sc;
	struct reader in = reader_of(data, size);
	uint8_t flags = reader_u8(&in);

	now = 1000;
	end_init(&si, L2TP_LAC, flags & 15);
	end_init(&sc, L2TP_LNS, flags >> 4);
	si.other = &sc;
	sc.other = &si;
	si.live = true;
	require(!l2tp_tunnel_open(&si.t, &si.config, 0x1111, 0x3333, 1, now));
	for (unsigned i = 0; i < 500 && reader_left(&in); i++)
		step(&si, &sc, &in);

	/* A teardown ends by itself, whatever the peer does (it does nothing now). */
	finish(&si);
	finish(&sc);
	pass_time(&si, &sc, now + 200000);
	require(!si.live && !sc.live && si.closed == 1 && si.released == 1);
	return 0;
}

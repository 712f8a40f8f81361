/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load: N home routers in one process: N initiator engines of hub/ against a concentrator.
 *
 * A set-up lasts from the SCCRQ until DHCPv6 has bound a prefix and the Router Advertisement has given an address. At most
 * --window of them are under way; a new one begins with each that ends. User number i is called "user0000i", and its
 * secret is "secret of user0000i". Each engine has a tunnel id of its own; they share --sockets sockets, as behind a NAT.
 *
 * --storm MS: all of them begin at random moments within so many milliseconds instead, and do as initiators do that want to be
 * in again (src/initiator/initiator.c): an attempt without an answer ends after 7 s, and is followed by the next one after a
 * back-off of 1 s doubling to 8 s, with jitter, the first one at once. A set-up then lasts from a user's first SCCRQ of all.
 * --sources N: only the first --nat users are behind the local address; the others share N addresses, which are 256 apart
 * from it and from each other (IPv4), each with a socket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/softwire.h"
#include "port.h"
#include "tally.h"

enum {
	ANSWER_MS = 7000,
	SOON_MS = 250,
	BACKOFF_MS = 1000,
	BACKOFF_MAX_MS = 8000,
	ID_ROUNDS = 3 /* a new attempt has another tunnel id */
};

struct load;

struct user {
	struct softwire_si engine; /* first */
	struct softwire_config config;
	struct load *load;
	struct port *port;
	struct wheel_timer timer; /* storms: the next attempt, or the end of patience with this one */
	uint64_t began;
	unsigned attempts;
	bool running, bound;
	char name[16];
};

struct load {
	struct options options;
	struct tally tally;
	struct loop loop;
	struct loop_flush start;
	struct rng rng;
	struct softwire_counters counters;
	struct port *ports;
	unsigned port_count, attempts;
	struct user *users;
	char why[160]; /* the first failure */
};

static struct user *user_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct user, engine);
}

/* ---- what the engine asks for ---- */

static void user_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct user *u = user_of(s);

	port_send(u->port, &u->load->options.server, payload, len);
}

static void no_tunnel_secret(struct softwire *s, const char *host)
{
	softwire_tunnel_secret(s, NULL, 0, s->now);
}

static void user_secret(struct softwire *s, const char *peer)
{
	char secret[32];
	int len = snprintf(secret, sizeof(secret), "secret of %s", user_of(s)->name);

	softwire_ppp_secret(s, secret, (size_t)len, s->now);
}

static void nobody_asked(struct softwire *s, const struct ppp_claim *claim)
{
	softwire_verified(s, false, "nobody asked", s->now);
}

static void user_configured(struct softwire *s)
{
	struct user *u = user_of(s);

	if (u->bound || !u->engine.state.has_binding || !u->engine.state.has_address)
		return;
	u->bound = true;
	wheel_disarm(&u->load->loop.wheel, &u->timer);
	tally_done(&u->load->tally, u->began);
}

static void user_up(struct softwire *s, uint8_t family)
{
}

static void user_family_down(struct softwire *s, uint8_t family, const char *why)
{
}

static msec backoff(struct user *u)
{
	struct rng *rng = &u->load->rng;
	msec delay = BACKOFF_MS;

	if (u->attempts == 1)
		return rng_below(rng, SOON_MS);
	for (unsigned n = 2; n < u->attempts && delay < BACKOFF_MAX_MS; n++)
		delay *= 2;
	return delay / 2 + rng_below(rng, (uint32_t)delay / 2 + 1);
}

static void user_down(struct softwire *s, const struct softwire_why *why)
{
	struct user *u = user_of(s);
	struct load *l = u->load;

	if (!*l->why)
		snprintf(l->why, sizeof(l->why), "%s: %s: %.100s", u->name, softwire_step_name(why->step),
			why->text);
	if (l->options.storm_ms)
		wheel_arm(&l->loop.wheel, &u->timer, loop_now(&l->loop) + backoff(u));
	else if (!u->bound)
		tally_failed(&l->tally);
}

static void user_released(struct softwire *s)
{
	user_of(s)->running = false;
	softwire_done(s);
}

static void user_note(struct softwire *s, const char *text)
{
}

static const struct softwire_ops ops = {
	.send = user_send,
	.want_tunnel_secret = no_tunnel_secret,
	.authenticate = nobody_asked,
	.want_ppp_secret = user_secret,
	.up = user_up,
	.family_down = user_family_down,
	.configured = user_configured,
	.down = user_down,
	.released = user_released,
	.note = user_note,
};

/* ---- users ---- */

static void user_try(struct user *u)
{
	struct load *l = u->load;
	unsigned i = (unsigned)(u - l->users);
	unsigned id = 1 + i + u->attempts % ID_ROUNDS * l->options.count;

	if (u->running)
		softwire_done(&u->engine.softwire);
	memset(&u->engine, 0, sizeof(u->engine));
	u->running = true;
	u->attempts++;
	l->attempts++;
	if (softwire_si_open(&u->engine, &u->config, (uint16_t)id, 1, i + 1, 1460, NULL, NULL, loop_now(&l->loop)))
		abort();
}

static void user_start(struct load *l, unsigned i)
{
	struct user *u = &l->users[i];

	u->began = tally_begin(&l->tally);
	user_try(u);
}

/* ---- storms ---- */

static bool has_heard(const struct softwire *s)
{
	return s->step != STEP_TUNNEL || s->tunnel.last_heard > s->started_at;
}

static void user_due(struct wheel_timer *t, msec now)
{
	struct user *u = container_of(t, struct user, timer);
	struct softwire *s = &u->engine.softwire;

	if (u->running && !s->down_told) {
		if (!has_heard(s)) /* user_down() makes the next attempt */
			softwire_close(s, CAUSE_NO_ANSWER, L2TP_STOP_CLEAR, 0, "no answer", now);
		return;
	}
	if (u->attempts)
		user_try(u);
	else
		user_start(u->load, (unsigned)(u - u->load->users));
	wheel_arm(&u->load->loop.wheel, t, now + ANSWER_MS);
}

/* ---- all ---- */

/* The first of the ports of user I's address; where there are several, users take turns. */
static struct port *port_of(struct load *l, unsigned i)
{
	const struct options *o = &l->options;

	if (!o->sources || i < o->nat)
		return &l->ports[i % o->sockets];
	return &l->ports[o->sockets + (i - o->nat) % o->sources];
}

static void user_init(struct load *l, unsigned i)
{
	struct user *u = &l->users[i];
	struct dhcp6_client_config *d = &u->config.dhcp6_client;

	u->load = l;
	u->port = port_of(l, i);
	u->timer.fire = user_due;
	snprintf(u->name, sizeof(u->name), "user%05u", i);
	softwire_config_init(&u->config, L2TP_LAC, &ops, &l->loop.wheel, &l->rng, &l->counters);
	u->config.l2tp.host_name = u->name;
	u->config.ppp.name = u->name;
	d->want_prefix = true;
	d->duid_len = 18;
	rng_bytes(&l->rng, d->duid, d->duid_len);
	d->duid[0] = 0;
	d->duid[1] = 4; /* DUID-UUID, RFC 6355 */
	if (l->options.storm_ms)
		wheel_arm(&l->loop.wheel, &u->timer,
			loop_now(&l->loop) + 1 + rng_below(&l->rng, l->options.storm_ms));
}

/* New set-ups begin before the loop sleeps, when all answers have been read; added last, this runs before the ports' flushes. */
static void start_more(struct loop_flush *f)
{
	struct load *l = container_of(f, struct load, start);

	while (!l->options.storm_ms && tally_room(&l->tally))
		user_start(l, l->tally.begun);
}

static void load_input(struct port *p, const struct endpoint *from, const uint8_t *data, size_t len)
{
	struct load *l = p->owner;
	struct reader r = reader_of(data, len);
	struct l2tp_header h = {0};
	struct user *u;

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r) || !h.tunnel_id)
		return;
	u = &l->users[(h.tunnel_id - 1) % l->options.count];
	if (u->running && u->engine.softwire.tunnel.local_tunnel == h.tunnel_id) /* or of an attempt before */
		softwire_input(&u->engine.softwire, data, len, loop_now(&l->loop));
}

static bool ports_open(struct load *l)
{
	const struct options *o = &l->options;
	struct endpoint local = o->local;
	uint32_t base = (uint32_t)local.addr.bytes[1] << 8 | local.addr.bytes[2];

	l->port_count = o->sockets + o->sources;
	l->ports = calloc(l->port_count, sizeof(*l->ports));
	for (unsigned i = 0; l->ports && i < l->port_count; i++) {
		uint32_t at = i < o->sockets ? base : base + 1 + i - o->sockets;

		local.addr.bytes[1] = (uint8_t)(at >> 8);
		local.addr.bytes[2] = (uint8_t)at;
		l->ports[i].input = load_input;
		l->ports[i].owner = l;
		if (!port_open(&l->ports[i], &l->loop, o->sources ? &local : &o->local))
			return false;
	}
	return l->ports;
}

int main(int argc, char **argv)
{
	struct load *l = calloc(1, sizeof(*l));
	int status;

	if (!l)
		return 2;
	options_read(&l->options, argc, argv);
	tally_init(&l->tally, &l->options);
	rng_init_system(&l->rng);
	l->users = calloc(l->options.count, sizeof(*l->users));
	if (!l->users || loop_init(&l->loop) || !ports_open(l))
		return 2;
	for (unsigned i = 0; i < l->options.count; i++)
		user_init(l, i);
	l->start.run = start_more;
	loop_flush_add(&l->loop, &l->start);
	status = tally_run(&l->tally, &l->loop);
	if (*l->why)
		fprintf(stderr, "first failure: %s\n", l->why);
	fprintf(stderr, "%u attempts; control: %llu sent, %llu retransmitted; PPP: %llu sent\n", l->attempts,
		(unsigned long long)l->counters.l2tp.control_tx,
		(unsigned long long)l->counters.l2tp.retransmits, (unsigned long long)l->counters.ppp.tx);
	return status;
}

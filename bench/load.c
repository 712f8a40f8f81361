/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load: N home routers in one process: N initiator engines of hub/ against a concentrator.
 *
 * A set-up lasts from the SCCRQ until DHCPv6 has bound a prefix and the Router Advertisement has given an address. At most
 * --window of them are under way; a new one begins with each that ends. User number i is called "user0000i", and its
 * secret is "secret of user0000i". Each engine has a tunnel id of its own; they share --sockets sockets, as behind a NAT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/softwire.h"
#include "port.h"
#include "tally.h"

struct load;

struct user {
	struct softwire_si engine; /* first */
	struct softwire_config config;
	struct load *load;
	struct port *port;
	uint64_t began;
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
	tally_done(&u->load->tally, u->began);
}

static void user_up(struct softwire *s, uint8_t family)
{
}

static void user_family_down(struct softwire *s, uint8_t family, const char *why)
{
}

static void user_down(struct softwire *s, const struct softwire_why *why)
{
	struct user *u = user_of(s);
	struct load *l = u->load;

	if (!*l->why)
		snprintf(l->why, sizeof(l->why), "%s: %s: %.100s", u->name, softwire_step_name(why->step),
			why->text);
	if (!u->bound)
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

static void user_init(struct load *l, unsigned i)
{
	struct user *u = &l->users[i];
	struct dhcp6_client_config *d = &u->config.dhcp6_client;

	u->load = l;
	u->port = &l->ports[i % l->options.sockets];
	snprintf(u->name, sizeof(u->name), "user%05u", i);
	softwire_config_init(&u->config, L2TP_LAC, &ops, &l->loop.wheel, &l->rng, &l->counters);
	u->config.l2tp.host_name = u->name;
	u->config.ppp.name = u->name;
	d->want_prefix = true;
	d->duid_len = 18;
	rng_bytes(&l->rng, d->duid, d->duid_len);
	d->duid[0] = 0;
	d->duid[1] = 4; /* DUID-UUID, RFC 6355 */
}

static void user_start(struct load *l, unsigned i)
{
	struct user *u = &l->users[i];

	u->running = true;
	u->began = tally_begin(&l->tally);
	if (softwire_si_open(
		    &u->engine, &u->config, (uint16_t)(i + 1), 1, i + 1, 1460, NULL, NULL, loop_now(&l->loop)))
		abort();
}

/* New set-ups begin before the loop sleeps, when all answers have been read; added last, this runs before the ports' flushes. */
static void start_more(struct loop_flush *f)
{
	struct load *l = container_of(f, struct load, start);

	while (tally_room(&l->tally))
		user_start(l, l->tally.begun);
}

static void load_input(struct port *p, const struct endpoint *from, const uint8_t *data, size_t len)
{
	struct load *l = p->owner;
	struct reader r = reader_of(data, len);
	struct l2tp_header h = {0};

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r) || !h.tunnel_id || h.tunnel_id > l->options.count ||
		!l->users[h.tunnel_id - 1].running)
		return;
	softwire_input(&l->users[h.tunnel_id - 1].engine.softwire, data, len, loop_now(&l->loop));
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
	l->ports = calloc(l->options.sockets, sizeof(*l->ports));
	if (!l->users || !l->ports || loop_init(&l->loop))
		return 2;
	for (unsigned i = 0; i < l->options.sockets; i++) {
		l->ports[i].input = load_input;
		l->ports[i].owner = l;
		if (!port_open(&l->ports[i], &l->loop, &l->options.local))
			return 2;
	}
	for (unsigned i = 0; i < l->options.count; i++)
		user_init(l, i);
	l->start.run = start_more;
	loop_flush_add(&l->loop, &l->start);
	status = tally_run(&l->tally, &l->loop);
	if (*l->why)
		fprintf(stderr, "first failure: %s\n", l->why);
	fprintf(stderr, "control: %llu sent, %llu retransmitted; PPP: %llu sent\n",
		(unsigned long long)l->counters.l2tp.control_tx,
		(unsigned long long)l->counters.l2tp.retransmits, (unsigned long long)l->counters.ppp.tx);
	return status;
}

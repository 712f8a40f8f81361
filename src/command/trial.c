/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One address, from the first packet to the goodbye. The engine keeps its own timers in a wheel; poll(2) waits for the rest.
 *
 * Whatever the engine says only sets fields here; advance() looks at them outside of it, and goes from step to step. Each step has its own
 * time; ms in the report is what it took.
 */
#include "command/trial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/sounding.h"
#include "command/wire.h"
#include "hub/softwire.h"

enum {
	LOOK_MS = 20,
	COMPLAINT_MS = 400, /* a complaint may be about the first packet alone */
	PREFIX_MS = 3000,
	DHCP4_MS = 1000, /* where IPCP is not known to the server */
	SOUND_MS = 500,  /* between echoes of one size */
	SOUND_ROUNDS = 4,
	GOODBYE_MS = 1500,
	PACKET = 10000,
	DUID_UUID_LEN = 18,
};

enum step { REACH, TUNNEL, AUTH, ADDRESS, PREFIX, MTU, DONE };
static const char *const step_names[] = {"reach", "tunnel", "auth", "address", "prefix", "mtu"};

struct trial {
	struct softwire_si engine; /* first */
	const struct trial_plan *plan;
	struct trial_result *result;
	struct wire wire;
	struct wheel wheel;
	struct rng rng;
	struct softwire_config config;
	struct softwire_counters counters;

	enum step step;
	msec step_at, complained_at;
	bool heard, down, released, tunnel_secret, interrupted;
	struct softwire_why why;
	char peer[160];                    /* its name and vendor */
	char refused6[160], refused4[160]; /* "": not */

	struct sounding sounding;
	unsigned rounds;
	msec round_at;
};

static struct trial *trial_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct trial, engine);
}

/* ---- what the engine says ---- */

static void engine_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	wire_send(&trial_of(s)->wire, payload, len, true);
}

static void engine_want_tunnel_secret(struct softwire *s, const char *host_name)
{
	softwire_tunnel_secret(s, NULL, 0, s->now);
}

static void engine_want_ppp_secret(struct softwire *s, const char *peer_name)
{
	const struct trial_plan *p = trial_of(s)->plan;

	softwire_ppp_secret(s, p->secret, p->secret_len, s->now);
}

static void engine_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	softwire_verified(s, false, "not asked for", s->now);
}

static void engine_family(struct softwire *s, uint8_t family)
{
}

static void engine_refused(struct softwire *s, uint8_t family, const char *why)
{
	struct trial *t = trial_of(s);

	snprintf(family == AF_INET6 ? t->refused6 : t->refused4, sizeof(t->refused6), "%s", why);
}

static void engine_nothing(struct softwire *s)
{
}

static void engine_down(struct softwire *s, const struct softwire_why *why)
{
	struct trial *t = trial_of(s);

	t->down = true;
	t->why = *why;
}

static void engine_released(struct softwire *s)
{
	trial_of(s)->released = true;
}

static void engine_note(struct softwire *s, const char *text)
{
}

/* Who it is, from its SCCRP. */
static void look_at_control(struct trial *t, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_header h;
	struct l2tp_message m;
	struct l2tp_fault fault;
	char name[64], vendor[64];

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r) || !h.control || l2tp_message_read(r, NULL, scratch, &m, &fault) ||
		m.type != L2TP_SCCRP)
		return;
	l2tp_text_print(&m.host_name, name, sizeof(name));
	l2tp_text_print(&m.vendor_name, vendor, sizeof(vendor));
	snprintf(t->peer, sizeof(t->peer), "\"%s\"%s%s", name, *vendor ? " by " : "", vendor);
	t->tunnel_secret = m.challenge.len > 0;
}

static void engine_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len)
{
	struct trial *t = trial_of(s);

	if (what == TRACE_RX_CONTROL)
		look_at_control(t, data, len);
	else if (t->step == MTU && (what == TRACE_RX_IP6 || what == TRACE_RX_IP4))
		sounding_read(&t->sounding, data, len);
}

static const struct softwire_ops ops = {
	.send = engine_send,
	.want_tunnel_secret = engine_want_tunnel_secret,
	.authenticate = engine_authenticate,
	.want_ppp_secret = engine_want_ppp_secret,
	.up = engine_family,
	.family_down = engine_refused,
	.family_refused = engine_refused,
	.configured = engine_nothing,
	.down = engine_down,
	.released = engine_released,
	.trace = engine_trace,
	.note = engine_note,
};

/* ---- the report ---- */

/* Tells a line, and goes to the next step. */
static void conclude(struct trial *t, enum trial_status status, msec now, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void conclude(struct trial *t, enum trial_status status, msec now, const char *format, ...)
{
	struct trial_line line = {
		.step = step_names[t->step], .status = status, .ms = (uint32_t)(now - t->step_at)};
	va_list args;

	va_start(args, format);
	vsnprintf(line.detail, sizeof(line.detail), format, args);
	va_end(args);
	t->plan->told(t->plan->owner, &line);
	t->step++;
	t->step_at = now;
}

/* It ends here, for the reason SENTENCE, which goes into the last sentence of the report, too. */
static void fail(struct trial *t, msec now, const char *detail, const char *sentence)
{
	t->result->failed = true;
	t->result->step = step_names[t->step];
	snprintf(t->result->sentence, sizeof(t->result->sentence), "%s", sentence);
	conclude(t, TRIAL_FAILED, now, "%s", detail);
	t->step = DONE;
}

/* How far PPP and what is below came, or has come. */
static enum softwire_step reached(const struct trial *t)
{
	return t->down ? t->why.step : (enum softwire_step)t->engine.softwire.step;
}

/* It has no room, is drained, or sends us on. (That an address is lacking comes later, by a CDN.) */
static bool is_full(const struct trial *t)
{
	return t->step == TUNNEL && t->why.cause != CAUSE_LOCAL && t->why.result == L2TP_STOP_ERROR &&
	       (t->why.error == L2TP_ERROR_RESOURCES || t->why.error == L2TP_ERROR_TRY_ANOTHER);
}

/* What to do. The server's own words stand in the line of the step, where they are enough. */
static void advise(const struct trial *t, const struct failure *f, char *sentence, size_t size)
{
	if (t->step == ADDRESS && (t->why.cause == CAUSE_PEER || t->why.cause == CAUSE_NO_ADDRESS))
		snprintf(sentence, size, "signed in, but the server gives no address (%s): ask its operator",
			t->why.text);
	else if (is_full(t))
		snprintf(sentence, size,
			"the server takes no new softwires now: try later, or another server");
	else if (t->why.cause == CAUSE_SHUTDOWN)
		snprintf(sentence, size, "the server shuts down: try later, or another server");
	else if (t->step == AUTH && t->why.cause == CAUSE_USER_AUTH && strstr(t->why.text, "wrong user name"))
		snprintf(sentence, size,
			"wrong user name or password: type both again, and if it stays so ask the server's "
			"operator");
	else
		failure_print(f, sentence, size);
}

/* The engine's own reason. */
static void fail_by_engine(struct trial *t, msec now)
{
	char address[ENDPOINT_TEXT], sentence[400];
	struct failure f = {.target = t->plan->target,
		.address = endpoint_print(&t->result->server, address),
		.step = softwire_step_name(t->why.step),
		.cause = softwire_cause_name(t->why.cause),
		.text = t->why.text};

	advise(t, &f, sentence, sizeof(sentence));
	fail(t, now, t->why.text, sentence);
}

static bool is_late(const struct trial *t, msec now, uint32_t limit)
{
	return now - t->step_at >= limit;
}

/* ---- steps ---- */

static void look_at_reach(struct trial *t, msec now)
{
	char address[ENDPOINT_TEXT], sentence[400];
	const char *server = endpoint_print(&t->result->server, address);

	if (t->heard) {
		conclude(t, TRIAL_OK, now, "something answers at UDP port %u", t->result->server.port);
		return;
	}
	if (*t->wire.complaint && !t->complained_at)
		t->complained_at = now;
	if (t->complained_at && now - t->complained_at >= COMPLAINT_MS) {
		snprintf(sentence, sizeof(sentence),
			t->wire.error == ECONNREFUSED ? "no concentrator listens at %s (%s): is that the "
							"right server, and the right port?"
						      : "packets do not get to %s (%s): the network there, "
							"or a firewall on the way",
			server, t->wire.complaint);
		fail(t, now, t->wire.complaint, sentence);
	} else if (!t->complained_at && is_late(t, now, t->plan->wait_ms)) {
		snprintf(sentence, sizeof(sentence),
			"nobody answers at %s, not even to say no: a firewall on the way, or no concentrator "
			"there",
			server);
		fail(t, now, "no answer at all", sentence);
	}
}

/* Without a user there is nothing to be had behind the server's SCCRP. */
static bool is_enough(const struct trial *t)
{
	return !*t->plan->target->user && t->step <= TUNNEL && *t->peer;
}

static void look_at_tunnel(struct trial *t, msec now)
{
	if (reached(t) > STEP_TUNNEL || is_enough(t)) {
		conclude(t, TRIAL_OK, now, "%s; %s", *t->peer ? t->peer : "a nameless one",
			t->tunnel_secret ? "it wants tunnel authentication, too"
					 : "no tunnel authentication");
		if (!*t->plan->target->user)
			t->step = DONE;
	} else if (is_late(t, now, t->plan->wait_ms)) {
		fail(t, now, "the tunnel was begun, and not finished",
			"the server begins a tunnel and falls silent: it may be overloaded, or packets get "
			"lost on the way");
	}
}

static void look_at_auth(struct trial *t, msec now)
{
	static const char *const methods[PPP_METHODS] = {[PPP_METHOD_CHAP_MD5] = "CHAP",
		[PPP_METHOD_MSCHAPV2] = "MS-CHAPv2",
		[PPP_METHOD_EAP] = "EAP",
		[PPP_METHOD_PAP] = "PAP"};
	const struct softwire *s = &t->engine.softwire;
	const char *method = s->ppp.self_method < PPP_METHODS ? methods[s->ppp.self_method] : NULL;

	if (reached(t) >= STEP_LEASE && reached(t) <= STEP_UP)
		conclude(t, TRIAL_OK, now, method ? "%s, as %s" : "the server lets everybody in", method,
			t->plan->target->user);
	else if (is_late(t, now, t->plan->wait_ms))
		fail(t, now, "no end of it",
			"the tunnel is there, but PPP does not come to an end: packets get lost, or the "
			"server waits for "
			"something (its log may say what)");
}

static bool has6(const struct trial *t)
{
	return t->engine.softwire.up6 && (t->engine.state.has_address || t->engine.state.router_known);
}

static bool has4(const struct trial *t)
{
	return !addr_is_none(&t->engine.state.address4);
}

/* What one family has come to. */
static void print_family(
	struct text *to, const char *family, bool wanted, const struct addr *a, const char *refused)
{
	char buf[ADDR_TEXT];

	if (!wanted)
		return;
	text_add(to, "%s%s ", to->len ? "; " : "", family);
	if (!addr_is_none(a))
		text_add(to, "%s", addr_print(a, buf));
	else
		text_add(to, "none%s%s", *refused ? ": " : "", refused);
}

static void conclude_address(struct trial *t, msec now)
{
	const struct trial_plan *p = t->plan;
	const struct softwire_si_state *state = &t->engine.state;
	struct addr none = {0}, link = has6(t) ? state->link_local : none;
	char detail[320] = "", sentence[400];
	struct text text = {.buf = detail, .size = sizeof(detail)};

	print_family(&text, "IPv6", p->ipv6, state->has_address ? &state->address : &link, t->refused6);
	print_family(&text, "IPv4", p->ipv4, &state->address4, t->refused4);
	if ((p->need6 && !has6(t)) || (p->need4 && !has4(t)) || (!has6(t) && !has4(t))) {
		snprintf(sentence, sizeof(sentence),
			"signed in, but the server has no address to give (%s): ask its operator", detail);
		fail(t, now, detail, sentence);
	} else {
		conclude(t, TRIAL_OK, now, "%s", detail);
	}
}

static void look_at_address(struct trial *t, msec now)
{
	const struct trial_plan *p = t->plan;
	bool settled6 = !p->ipv6 || *t->refused6 || (has6(t) && t->engine.state.has_address);
	bool settled4 = !p->ipv4 || *t->refused4 || has4(t);

	if ((settled6 && settled4) || is_late(t, now, p->wait_ms))
		conclude_address(t, now);
}

static void look_at_prefix(struct trial *t, msec now)
{
	const struct softwire_si_state *state = &t->engine.state;
	uint32_t limit = t->plan->wait_ms < PREFIX_MS ? t->plan->wait_ms : PREFIX_MS;
	char buf[PREFIX_TEXT];

	if (state->has_binding && state->binding.prefix_count)
		conclude(t, TRIAL_OK, now, "%s", prefix_print(&state->binding.prefixes[0].prefix, buf));
	else if (!t->engine.softwire.up6)
		conclude(t, TRIAL_NONE, now, "no IPv6");
	else if (state->has_binding || is_late(t, now, limit))
		conclude(
			t, TRIAL_NONE, now, "none is delegated: a host needs none, a network behind it does");
}

/* ---- MTU ---- */

static void begin_sounding(struct trial *t)
{
	const struct softwire_si_state *state = &t->engine.state;
	uint16_t id = (uint16_t)rng_u32(&t->rng);

	if (t->engine.softwire.up6)
		sounding_begin(&t->sounding, &state->link_local, &state->peer_link_local, id,
			t->engine.softwire.mtu);
	else
		sounding_begin(&t->sounding, &state->address4, &state->peer4, id, t->engine.softwire.mtu);
}

/* What even IPv6 may need fragments for is sent in them. */
static void send_echo(struct trial *t, unsigned n)
{
	const struct softwire *s = &t->engine.softwire;
	bool six = t->sounding.to.family == AF_INET6;
	uint8_t buf[SOFTWIRE_DATA_HEADER + SOUNDING_PACKET];
	size_t head = softwire_data_header(
		buf, s->tunnel.peer_tunnel, s->tunnel.peer_session, six ? PPP_IPV6 : PPP_IP);
	size_t len = sounding_write(&t->sounding, n, buf + head, sizeof(buf) - head);

	if (len)
		wire_send(&t->wire, buf, head + len, t->sounding.sizes[n] <= IP6_MIN_MTU);
}

static void send_round(struct trial *t, msec now)
{
	t->rounds++;
	t->round_at = now + SOUND_MS;
	for (unsigned n = 0; n < t->sounding.count; n++)
		if (!t->sounding.back[n])
			send_echo(t, n);
}

static void conclude_mtu(struct trial *t, msec now)
{
	uint16_t best = sounding_best(&t->sounding), full = t->engine.softwire.mtu;
	uint32_t outside = wire_mtu(&t->wire);
	char detail[160], sentence[400];

	if (best == full) {
		conclude(t, TRIAL_OK, now, "%u inside %u: the largest packet comes back", full, outside);
	} else if (!best) {
		conclude(t, TRIAL_NONE, now,
			"%u inside %u; the server answers no pings, so this is not tested", full, outside);
	} else if (t->wire.narrow && best >= softwire_inner_mtu(t->wire.family, outside)) {
		conclude(t, TRIAL_OK, now,
			"%u inside %u: narrower than it looks (%u), and the network says so", best, outside,
			full);
	} else {
		snprintf(detail, sizeof(detail), "%u bytes come back, %u do not, and nobody says why", best,
			full);
		snprintf(sentence, sizeof(sentence),
			"packets of more than %u bytes get lost without a word (a black hole on the way): "
			"until that is "
			"mended, connect with --mtu %u",
			best, best < IP6_MIN_MTU ? IP6_MIN_MTU : best);
		fail(t, now, detail, sentence);
	}
	t->step = DONE;
}

static void look_at_mtu(struct trial *t, msec now)
{
	uint16_t inner;

	if (!t->rounds) {
		begin_sounding(t);
		if (addr_is_none(&t->sounding.to)) {
			conclude(t, TRIAL_NONE, now, "%u; the server's end has no address to ping",
				t->engine.softwire.mtu);
			return;
		}
		send_round(t, now);
	}
	inner = t->engine.softwire.mtu;
	if (t->wire.narrow) {
		inner = softwire_inner_mtu(t->wire.family, wire_mtu(&t->wire));
		if (inner < t->engine.softwire.mtu)
			sounding_add(&t->sounding, inner);
	}
	if (sounding_best(&t->sounding) >= inner || (now >= t->round_at && t->rounds == SOUND_ROUNDS))
		conclude_mtu(t, now);
	else if (now >= t->round_at)
		send_round(t, now);
}

/* ---- from step to step ---- */

/* The softwire has ended, and not behind the step that is looked at. */
static bool is_stuck(const struct trial *t)
{
	if (!t->down || t->step == REACH || t->step == DONE || is_enough(t))
		return false;
	if (t->step == TUNNEL)
		return reached(t) <= STEP_TUNNEL;
	return t->step > AUTH || reached(t) < STEP_LEASE;
}

static void advance(struct trial *t, msec now)
{
	static void (*const looks[])(struct trial * t, msec now) = {
		look_at_reach, look_at_tunnel, look_at_auth, look_at_address, look_at_prefix, look_at_mtu};
	enum step before;

	do {
		before = t->step;
		if (is_stuck(t))
			fail_by_engine(t, now);
		else if (before < DONE)
			looks[before](t, now);
	} while (t->step != before && t->step < DONE);
}

/* ---- time and packets ---- */

/* One round: until something comes, or a timer is due. */
static void turn(struct trial *t)
{
	struct pollfd p[2] = {
		{.fd = t->wire.fd, .events = POLLIN}, {.fd = t->plan->interrupts, .events = POLLIN}};
	msec now = loop_clock(), next = wheel_next(&t->wheel);
	uint8_t packet[PACKET];
	size_t len;

	(void)poll(p, t->interrupted ? 1 : 2, next <= now ? 0 : (int)msec_min(next - now, LOOK_MS));
	now = loop_clock();
	t->interrupted |= (p[1].revents & POLLIN) != 0;
	while ((len = wire_receive(&t->wire, packet, sizeof(packet)))) {
		t->heard = true;
		if (!t->released)
			softwire_input(&t->engine.softwire, packet, len, now);
	}
	(void)wheel_advance(&t->wheel, now);
}

static void say_goodbye(struct trial *t)
{
	struct softwire *s = &t->engine.softwire;
	msec until = loop_clock() + (t->heard ? GOODBYE_MS : 0);

	if (!t->down && !t->released)
		softwire_close(s, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "the test is over", loop_clock());
	while (!t->released && !softwire_is_quiet(s) && loop_clock() < until)
		turn(t);
	softwire_done(s);
}

static void configure(struct trial *t)
{
	const struct trial_plan *p = t->plan;
	struct softwire_config *c = &t->config;
	struct dhcp6_client_config *d = &c->dhcp6_client;

	softwire_config_init(c, L2TP_LAC, &ops, &t->wheel, &t->rng, &t->counters);
	c->l2tp.host_name = "softwire-probe";
	c->l2tp.vendor_name = "softwired";
	c->ppp.name = p->target->user;
	c->ppp.give = 1 << PPP_METHOD_CHAP_MD5 | 1 << PPP_METHOD_MSCHAPV2;
	c->ppp.give_auth = *p->target->user != '\0';
	c->ppp.ipv6 = p->ipv6;
	c->ppp.ipv4 = p->ipv4;
	c->nd.dad_transmits = 0;
	c->dhcp4_wait_ms = p->wait_ms < DHCP4_MS ? p->wait_ms : DHCP4_MS;
	d->want_prefix = true;
	d->duid_len = DUID_UUID_LEN;
	rng_bytes(&t->rng, d->duid, d->duid_len);
	d->duid[0] = 0;
	d->duid[1] = 4; /* DUID-UUID, RFC 6355 */
}

static int open_engine(struct trial *t, msec now)
{
	uint16_t mtu = t->plan->mtu ? t->plan->mtu : softwire_inner_mtu(t->wire.family, wire_mtu(&t->wire));
	uint16_t tunnel = (uint16_t)(1 + rng_below(&t->rng, UINT16_MAX)),
		 session = (uint16_t)(1 + rng_below(&t->rng, UINT16_MAX));

	configure(t);
	t->engine.softwire.tracing = true;
	t->step_at = now;
	return softwire_si_open(&t->engine, &t->config, tunnel, session, 1, mtu, NULL, NULL, now);
}

/* This host cannot send there. */
static void fail_here(struct trial *t, int error)
{
	char address[ENDPOINT_TEXT], sentence[400];
	msec now = loop_clock();

	t->step_at = now;
	snprintf(sentence, sizeof(sentence), "this host has no way to %s (%s): is its network up?",
		endpoint_print(&t->result->server, address), strerror(-error));
	if (t->plan->fallback) {
		t->result->tested = false;
		conclude(t, TRIAL_NONE, now, "this host cannot send there: %s", strerror(-error));
	} else {
		fail(t, now, strerror(-error), sentence);
	}
}

static void run(struct trial *t)
{
	msec now = loop_clock();
	int error = open_engine(t, now);

	if (error) {
		fail(t, now, strerror(-error), "this host has no memory for that");
	} else {
		while (t->step < DONE && !t->interrupted) {
			turn(t);
			advance(t, loop_clock());
		}
		t->result->interrupted = t->interrupted;
		if (t->interrupted && t->step < DONE)
			fail(t, loop_clock(), "interrupted", "it was interrupted");
		say_goodbye(t);
	}
}

void trial_run(const struct trial_plan *p, const struct endpoint *server, struct trial_result *ret)
{
	struct trial *t = calloc(1, sizeof(*t));
	int error;

	*ret = (struct trial_result){.server = *server, .tested = true, .failed = t == NULL};
	if (!t)
		return;
	t->plan = p;
	t->result = ret;
	rng_init_system(&t->rng);
	wheel_init(&t->wheel, loop_clock());
	error = wire_open(&t->wire, server);
	if (error)
		fail_here(t, error);
	else
		run(t);
	wire_close(&t->wire);
	free(t);
}

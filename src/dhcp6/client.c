/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp6/client: the machine.
 *
 * One exchange is going on at a time: SOLICITING, REQUESTING, RENEWING, REBINDING or ASKING, with a row of
 * exchanges[] for its message and timing. Timers: retransmit_at, the next (re)transmission of the exchange (in
 * INFORMED: the refresh); renew_at and rebind_at, T1 and T2; expires_at, the end of the first lease in the binding.
 */
#include "dhcp6/client.h"

#include <stdio.h>
#include <string.h>

#include "dhcp6/state.h"

enum {
	SOL_MAX_RT = 3600,
	INF_MAX_RT = 3600,
	INF_MAX_DELAY = 1000, /* ms */
	IRT_DEFAULT = 86400,
	IRT_MINIMUM = 600,
	LIMIT_RATE = 1, /* 20 messages in 20 seconds, section 14.1 */
	LIMIT_BURST = 20,
	RETRY_MS = 1000, /* after an exchange that gave nothing; doubles */
	T1_MIN = 1,
};

/* RFC 8415 section 7.6, table 1. */
static const struct exchange {
	uint32_t irt_ms, mrt_s; /* mrt_s 0: what the server has set, or the default */
	uint16_t mrc;
	uint8_t type;
} exchanges[] = {
	[SOLICITING] = {1000, 0, 0, DHCP6_SOLICIT},
	[REQUESTING] = {1000, 30, 10, DHCP6_REQUEST},
	[RENEWING] = {10000, 600, 0, DHCP6_RENEW},
	[REBINDING] = {10000, 600, 0, DHCP6_REBIND},
	[ASKING] = {1000, 0, 0, DHCP6_INFORMATION_REQUEST},
	[INFORMED] = {0},
};

static void note(struct dhcp6_client *c, const char *text)
{
	if (c->config->ops->note)
		c->config->ops->note(c, text);
}

/* X with RAND of -10 to +10 per cent added to BASE. */
static uint32_t jitter(struct dhcp6_client *c, uint32_t base, uint32_t x)
{
	return base + x - x / 10 + rng_below(c->config->rng, x / 5 + 1);
}

static msec seconds_after(msec from, uint32_t seconds)
{
	return seconds == DHCP6_INFINITE ? MSEC_NEVER : from + seconds * 1000ull;
}

static bool holds_anything(const struct dhcp6_binding *b)
{
	return b->prefix_count || b->has_address;
}

/* Is an exchange going on that waits for an answer? */
static bool exchanging(const struct dhcp6_client *c)
{
	return c->state == SOLICITING || c->state == REQUESTING || c->state == RENEWING ||
	       c->state == REBINDING || c->state == ASKING;
}

static void add_lease(struct dhcp6_ia *ia, const struct prefix *p)
{
	if (ia->prefix_count < DHCP6_PREFIX_MAX) /* lifetimes 0: section 21.22 */
		ia->prefixes[ia->prefix_count++] = (struct dhcp6_prefix){.prefix = *p};
}

/* IA_PD and IA_NA with what B has; a length hint where B has no prefix. WANTED: also what B lacks. */
static void add_ias(
	const struct dhcp6_client *c, struct dhcp6_message *m, const struct dhcp6_binding *b, bool wanted)
{
	const struct dhcp6_client_config *config = c->config;
	struct dhcp6_ia *ia;

	if (b->prefix_count || (wanted && config->want_prefix)) {
		ia = dhcp6_message_add_ia(m, true, config->iaid);
		for (unsigned i = 0; ia && i < b->prefix_count; i++)
			add_lease(ia, &b->prefixes[i].prefix);
		if (ia && !b->prefix_count && config->prefix_hint)
			add_lease(ia, &(struct prefix){.addr.family = AF_INET6, .len = config->prefix_hint});
	}
	if (b->has_address || (wanted && c->want_address)) {
		ia = dhcp6_message_add_ia(m, false, config->iaid);
		if (ia && b->has_address)
			add_lease(ia, &b->address.prefix);
	}
}

static void emit(struct dhcp6_client *c, struct dhcp6_message *m, msec now)
{
	uint8_t buf[DHCP6_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	m->client = (struct dhcp6_duid){c->config->duid, c->config->duid_len};
	dhcp6_message_write(&w, m);
	if (!writer_ok(&w))
		return;
	if (!limit_ok(&c->limit, now, LIMIT_RATE, LIMIT_BURST)) {
		note(c, "too many messages: one is held back");
		return;
	}
	c->config->counters->tx++;
	c->config->ops->send(c, buf, writer_len(&w));
}

static uint16_t elapsed(const struct dhcp6_client *c, msec now)
{
	msec hundredths = (now - c->started_at) / 10;

	return (uint16_t)(hundredths > 0xffff ? 0xffff : hundredths);
}

static void build(const struct dhcp6_client *c, struct dhcp6_message *m, msec now)
{
	struct dhcp6_duid server = {c->server, c->server_len};

	dhcp6_message_init(m, exchanges[c->state].type, c->xid);
	m->elapsed = elapsed(c, now);
	m->wants_dns = true;
	if (c->state == ASKING) {
		m->wants_refresh = m->wants_inf_max_rt = true;
		return;
	}
	m->wants_sol_max_rt = true;
	m->rapid_commit = c->state == SOLICITING && c->config->rapid_commit;
	if (c->state == REQUESTING || c->state == RENEWING)
		m->server = server;
	add_ias(c, m, c->state == SOLICITING || c->state == REQUESTING ? &c->hint : &c->binding, true);
}

/* RT, section 15. The first of a Solicit is strictly greater than IRT (section 18.2.1). */
static uint32_t next_rt(struct dhcp6_client *c)
{
	const struct exchange *e = &exchanges[c->state];
	uint32_t max = (e->mrt_s ? e->mrt_s : c->state == ASKING ? c->inf_max_rt_s : c->max_rt_s) * 1000;
	uint32_t rt;

	if (c->tries == 0 && c->state == SOLICITING)
		return e->irt_ms + 1 + rng_below(c->config->rng, e->irt_ms / 10);
	rt = c->tries ? jitter(c, c->rt_ms, c->rt_ms) : jitter(c, 0, e->irt_ms);
	return rt > max ? jitter(c, 0, max) : rt;
}

static void transmit(struct dhcp6_client *c, msec now)
{
	struct dhcp6_message m;

	if (c->tries == 0)
		c->started_at = now;
	else
		c->config->counters->retransmits++;
	c->rt_ms = next_rt(c);
	c->retransmit_at = now + c->rt_ms;
	if (c->tries < UINT16_MAX)
		c->tries++;
	build(c, &m, now);
	emit(c, &m, now);
}

/* A new exchange, whose first message is sent at AT: by the caller if that is now, else by the timer. */
static void begin(struct dhcp6_client *c, enum state state, msec at)
{
	c->state = (uint8_t)state;
	c->xid = rng_u32(c->config->rng) & 0xffffff;
	c->tries = 0;
	c->rt_ms = 0;
	c->started_at = at;
	c->retransmit_at = at;
}

static void start(struct dhcp6_client *c, enum state state, msec now)
{
	begin(c, state, now);
	transmit(c, now);
}

static void forget_binding(struct dhcp6_client *c)
{
	c->binding = (struct dhcp6_binding){0};
	c->renew_at = c->rebind_at = c->expires_at = MSEC_NEVER;
}

/* Solicits again, the later the more often it was in vain: 1 s, 2 s ... SOL_MAX_RT. */
static void solicit_later(struct dhcp6_client *c, msec now)
{
	uint64_t wait = (uint64_t)RETRY_MS << c->failures;
	uint32_t max = c->max_rt_s * 1000;

	if (c->failures < CLIENT_FAILURES_MAX)
		c->failures++;
	forget_binding(c);
	begin(c, SOLICITING, now + jitter(c, 0, wait < max ? (uint32_t)wait : max));
}

static void lose(struct dhcp6_client *c, const char *why, msec now)
{
	solicit_later(c, now);
	c->config->ops->lost(c, why);
}

void dhcp6_client_open(struct dhcp6_client *c, const struct dhcp6_client_config *config, bool stateful,
	bool address, const struct dhcp6_binding *hint, msec now)
{
	struct dhcp6_binding earlier = hint ? *hint : (struct dhcp6_binding){0}; /* HINT may be part of *c */

	*c = (struct dhcp6_client){.config = config,
		.want_address = address,
		.stateful = stateful,
		.hint = earlier,
		.max_rt_s = SOL_MAX_RT,
		.inf_max_rt_s = INF_MAX_RT};
	if (!address)
		c->hint.has_address = false;
	if (!config->want_prefix)
		c->hint.prefix_count = 0;
	forget_binding(c);
	/* No SOL_MAX_DELAY: nobody else is on this link. INF_MAX_DELAY is a MUST (section 18.2.6). */
	if (stateful)
		start(c, SOLICITING, now);
	else
		begin(c, ASKING, now + rng_below(config->rng, INF_MAX_DELAY));
}

/* Why a prefix cannot be used, or NULL. */
static const char *prefix_fault(const struct dhcp6_prefix *p)
{
	static const struct prefix reserved[] = {
		{{AF_INET6, {0xfe, 0x80}}, 10}, /* link-local */
		{{AF_INET6, {0xff}}, 8},        /* multicast */
		{{AF_INET6, {0}}, 127},         /* unspecified and loopback */
	};

	if (p->preferred > p->valid)
		return "preferred lifetime beyond the valid one";
	if (p->prefix.len < 1 || p->prefix.len > 64)
		return "prefix length is not 1 to 64";
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (prefix_overlaps(&p->prefix, &reserved[i]))
			return "not a unicast prefix";
	return NULL;
}

static const char *address_fault(const struct dhcp6_prefix *p)
{
	const struct addr *a = &p->prefix.addr;

	if (p->preferred > p->valid)
		return "preferred lifetime beyond the valid one";
	if (addr_is_multicast(a) || addr_is_link_local(a) || addr_is_unspecified(a) || addr_is_loopback(a))
		return "not a global unicast address";
	return NULL;
}

static void note_lease(struct dhcp6_client *c, const struct dhcp6_prefix *p, const char *what)
{
	char text[160], prefix[PREFIX_TEXT];

	snprintf(text, sizeof(text), "%s: %s", prefix_print(&p->prefix, prefix), what);
	note(c, text);
}

static bool usable(struct dhcp6_client *c, const struct dhcp6_prefix *p, bool pd)
{
	const char *fault = pd ? prefix_fault(p) : address_fault(p);

	if (p->status != DHCP6_NO_STATUS && p->status != DHCP6_SUCCESS)
		fault = dhcp6_status_name(p->status);
	if (!fault) {
		if (pd && p->prefix.len < 48 && p->valid)
			note_lease(c, p, "shorter than the usual /48 to /64");
		return true;
	}
	c->config->counters->refused++;
	note_lease(c, p, fault);
	return false;
}

static bool set_prefix(struct dhcp6_binding *b, const struct dhcp6_prefix *p)
{
	unsigned i;

	for (i = 0; i < b->prefix_count; i++)
		if (prefix_equal(&b->prefixes[i].prefix, &p->prefix))
			break;
	if (p->valid == 0) {
		if (i == b->prefix_count)
			return false;
		memmove(&b->prefixes[i], &b->prefixes[i + 1],
			(b->prefix_count - i - 1) * sizeof(b->prefixes[0]));
		b->prefix_count--;
		return true;
	}
	if (i == DHCP6_PREFIX_MAX)
		return false;
	if (i == b->prefix_count)
		b->prefix_count++;
	b->prefixes[i] = *p;
	return true;
}

static bool set_address(struct dhcp6_binding *b, const struct dhcp6_prefix *p)
{
	bool same = b->has_address && prefix_equal(&b->address.prefix, &p->prefix);

	if (p->valid == 0 && !same)
		return false;
	b->has_address = p->valid != 0;
	b->address = b->has_address ? *p : (struct dhcp6_prefix){0};
	return true;
}

static bool is_ours(const struct dhcp6_client *c, const struct dhcp6_ia *ia)
{
	return ia->iaid == c->config->iaid && (ia->pd ? c->config->want_prefix : c->want_address);
}

/* T1 and T2 of several IAs: the earliest (section 18.2.4); 0 is none. */
static void earliest(uint32_t *t, uint32_t other)
{
	if (other && (!*t || other < *t))
		*t = other;
}

/* What a message says about our IAs, put into a binding. */
struct gain {
	struct dhcp6_binding binding;
	uint32_t t1, t2;
	bool changed;    /* at least one lease was given, extended or taken away */
	bool no_binding; /* the server does not know an IA of ours */
};

static void note_status(struct dhcp6_client *c, const char *what, uint16_t status, const char *text)
{
	char line[160];

	snprintf(line, sizeof(line), "%s: %s%s%s", what, dhcp6_status_name(status), *text ? ": " : "", text);
	note(c, line);
}

static void take_ia(struct dhcp6_client *c, const struct dhcp6_ia *ia, struct gain *g)
{
	bool took = false;

	if (!is_ours(c, ia))
		return;
	if (ia->t1 && ia->t2 && ia->t1 > ia->t2) {
		c->config->counters->refused++;
		note(c, "IA refused: T1 is greater than T2");
		return;
	}
	if (ia->status != DHCP6_NO_STATUS && ia->status != DHCP6_SUCCESS) {
		note_status(c, ia->pd ? "IA_PD" : "IA_NA", ia->status, ia->status_text);
		g->no_binding |= ia->status == DHCP6_NO_BINDING;
		return;
	}
	for (unsigned i = 0; i < ia->prefix_count; i++) {
		const struct dhcp6_prefix *p = &ia->prefixes[i];

		if (usable(c, p, ia->pd))
			took |= ia->pd ? set_prefix(&g->binding, p) : set_address(&g->binding, p);
	}
	g->changed |= took;
	if (took) {
		earliest(&g->t1, ia->t1);
		earliest(&g->t2, ia->t2);
	}
}

static void take_ias(struct dhcp6_client *c, const struct dhcp6_message *m, struct gain *g)
{
	for (unsigned i = 0; i < m->ia_count; i++)
		take_ia(c, &m->ias[i], g);
}

/* Counts the lifetimes of B from NOW instead of *FROM, in whole seconds. */
static void age_lease(struct dhcp6_prefix *p, uint64_t by)
{
	if (p->valid != DHCP6_INFINITE)
		p->valid = p->valid > by ? p->valid - (uint32_t)by : 0;
	if (p->preferred != DHCP6_INFINITE)
		p->preferred = p->preferred > by ? p->preferred - (uint32_t)by : 0;
}

static void age(struct dhcp6_binding *b, msec *from, msec now)
{
	uint64_t by = (now - *from) / 1000;

	for (unsigned i = 0; i < b->prefix_count; i++)
		age_lease(&b->prefixes[i], by);
	if (b->has_address)
		age_lease(&b->address, by);
	*from += by * 1000;
}

static void drop_expired(struct dhcp6_binding *b)
{
	unsigned count = 0;

	for (unsigned i = 0; i < b->prefix_count; i++)
		if (b->prefixes[i].valid)
			b->prefixes[count++] = b->prefixes[i];
	b->prefix_count = count;
	if (b->has_address && !b->address.valid)
		b->has_address = false;
}

/* The shortest valid lifetime, and the shortest preferred one that is not over. Infinite when there is none. */
static void shortest(const struct dhcp6_binding *b, uint32_t *ret_preferred, uint32_t *ret_valid)
{
	uint32_t preferred = DHCP6_INFINITE, valid = DHCP6_INFINITE;

	for (unsigned i = 0; i <= b->prefix_count; i++) {
		const struct dhcp6_prefix *p = i < b->prefix_count ? &b->prefixes[i] : &b->address;

		if (p == &b->address && !b->has_address)
			continue;
		if (p->valid < valid)
			valid = p->valid;
		if (p->preferred && p->preferred < preferred)
			preferred = p->preferred;
	}
	*ret_preferred = preferred;
	*ret_valid = valid;
}

static uint32_t part(uint32_t of, uint32_t tenths)
{
	return of == DHCP6_INFINITE ? DHCP6_INFINITE : (uint32_t)((uint64_t)of * tenths / 10);
}

/* T1 and T2 that the server has left to us (section 14.2): 0.5 and 0.8 of the shortest preferred lifetime. */
static void set_times(struct dhcp6_client *c, uint32_t t1, uint32_t t2)
{
	uint32_t preferred, valid, base;

	shortest(&c->binding, &preferred, &valid);
	base = preferred < valid ? preferred : valid;
	if (!t2)
		t2 = t1 > part(base, 8) ? t1 : part(base, 8);
	if (!t1)
		t1 = part(base, 5) < t2 ? part(base, 5) : t2;
	c->t1 = t1 < T1_MIN ? T1_MIN : t1;
	c->t2 = t2 < c->t1 ? c->t1 : t2;
	c->renew_at = seconds_after(c->bound_at, c->t1);
	c->rebind_at = seconds_after(c->bound_at, c->t2);
	c->expires_at = seconds_after(c->bound_at, valid);
}

static void take_dns(struct dhcp6_binding *b, const struct dhcp6_message *m)
{
	b->dns_count = m->dns_count;
	memcpy(b->dns, m->dns, sizeof(b->dns));
}

static void tell_bound(struct dhcp6_client *c, msec now)
{
	struct dhcp6_binding b = c->binding;

	c->config->ops->bound(c, &b, now);
}

static void bound(struct dhcp6_client *c, const struct dhcp6_message *m, struct gain *g, msec now)
{
	c->binding = g->binding;
	take_dns(&c->binding, m);
	c->bound_at = now;
	c->failures = 0;
	c->state = BOUND;
	c->retransmit_at = MSEC_NEVER;
	set_times(c, g->t1, g->t2);
	c->hint = c->binding;
	tell_bound(c, now);
}

static void remember_server(struct dhcp6_client *c, const struct dhcp6_message *m)
{
	memcpy(c->server, m->server.data, m->server.len);
	c->server_len = m->server.len;
}

static bool failed(uint16_t status)
{
	return status != DHCP6_NO_STATUS && status != DHCP6_SUCCESS;
}

static void advertised(struct dhcp6_client *c, const struct dhcp6_message *m, msec now)
{
	struct gain g = {0};

	if (c->state != SOLICITING || !c->tries) {
		c->config->counters->unexpected++;
		return;
	}
	if (failed(m->status)) {
		note_status(c, "Advertise", m->status, m->status_text);
		c->config->counters->refused++;
		return;
	}
	take_ias(c, m, &g);
	if (!holds_anything(&g.binding)) { /* section 18.2.9: ignored, and the timer goes on */
		c->config->counters->refused++;
		return;
	}
	remember_server(c, m);
	c->hint = g.binding;
	start(c, REQUESTING, now);
}

/* The answer to an exchange that asks for leases. */
static void granted(struct dhcp6_client *c, const struct dhcp6_message *m, msec now)
{
	bool extending = c->state == RENEWING || c->state == REBINDING;
	struct gain g = {.binding = c->binding};
	msec from = c->bound_at;

	if (holds_anything(&g.binding)) {
		age(&g.binding, &from, now);
		drop_expired(&g.binding);
	}
	take_ias(c, m, &g);
	if (extending && g.no_binding) {
		remember_server(c, m);
		c->hint = c->binding;
		start(c, REQUESTING, now);
		return;
	}
	if (g.changed && holds_anything(&g.binding)) {
		remember_server(c, m);
		bound(c, m, &g, now);
		return;
	}
	c->config->counters->refused++;
	if (g.changed && holds_anything(&c->binding))
		lose(c, "the server has withdrawn everything", now);
	else if (c->state == REQUESTING && !holds_anything(&c->binding))
		solicit_later(c, now);
	/* else nothing was said that helps: the exchange goes on as if unanswered (section 18.2.10.1) */
}

static void informed(struct dhcp6_client *c, const struct dhcp6_message *m, msec now)
{
	uint32_t refresh = m->refresh ? m->refresh : IRT_DEFAULT;

	take_dns(&c->binding, m);
	c->state = INFORMED;
	c->bound_at = now;
	c->retransmit_at = seconds_after(now, refresh < IRT_MINIMUM ? IRT_MINIMUM : refresh);
	tell_bound(c, now);
}

static void replied(struct dhcp6_client *c, const struct dhcp6_message *m, msec now)
{
	struct dhcp6_counters *counters = c->config->counters;
	bool to_one = c->state == REQUESTING || c->state == RENEWING;

	if (!exchanging(c) || !c->tries ||
		(c->state == SOLICITING && !(m->rapid_commit && c->config->rapid_commit))) {
		counters->unexpected++;
		return;
	}
	if (to_one && !dhcp6_duid_equal(&m->server, c->server, c->server_len)) {
		counters->bad_server++;
		return;
	}
	if (failed(m->status)) {
		note_status(c, "Reply", m->status, m->status_text);
		counters->refused++;
		/* NotOnLink, and RFC 3633's NoPrefixAvail of old servers: what was advertised is not to be had. */
		if (c->state == REQUESTING && m->status != DHCP6_UNSPEC_FAIL && !holds_anything(&c->binding))
			solicit_later(c, now);
		return;
	}
	if (c->state == ASKING)
		informed(c, m, now);
	else
		granted(c, m, now);
}

/* Sections 16.3 and 16.10. */
static bool acceptable(struct dhcp6_client *c, const struct dhcp6_message *m)
{
	struct dhcp6_counters *counters = c->config->counters;

	if (m->type != DHCP6_ADVERTISE && m->type != DHCP6_REPLY)
		counters->unexpected++; /* also Reconfigure: we never offer to take one */
	else if (!m->server.len)
		counters->bad_server++;
	else if (!dhcp6_duid_equal(&m->client, c->config->duid, c->config->duid_len))
		counters->bad_duid++;
	else if (m->xid != c->xid || c->state == STOPPED)
		counters->bad_xid++;
	else
		return true;
	return false;
}

void dhcp6_client_input(struct dhcp6_client *c, const uint8_t *message, size_t len, msec now)
{
	struct dhcp6_counters *counters = c->config->counters;
	struct dhcp6_message m;
	const char *why = NULL;

	counters->rx++;
	if (dhcp6_message_read(message, len, &m, &why)) {
		counters->bad_message++;
		note(c, why);
		return;
	}
	counters->by_type[m.type]++;
	if (!acceptable(c, &m))
		return;
	if (m.sol_max_rt)
		c->max_rt_s = m.sol_max_rt;
	if (m.inf_max_rt)
		c->inf_max_rt_s = m.inf_max_rt;
	if (m.type == DHCP6_ADVERTISE)
		advertised(c, &m, now);
	else
		replied(c, &m, now);
}

/* Leases are over; true when the owner was told that all are. */
static void expire(struct dhcp6_client *c, msec now)
{
	uint32_t preferred, valid;

	age(&c->binding, &c->bound_at, now);
	drop_expired(&c->binding);
	if (!holds_anything(&c->binding)) {
		lose(c, "the valid lifetime is over", now);
		return;
	}
	shortest(&c->binding, &preferred, &valid);
	c->expires_at = seconds_after(c->bound_at, valid);
	tell_bound(c, now);
}

static msec earlier(msec at, msec by)
{
	if (at == MSEC_NEVER)
		return at;
	return at > by ? at - by : 0;
}

void dhcp6_client_slept(struct dhcp6_client *c, msec slept, msec now)
{
	if (c->state == STOPPED || !holds_anything(&c->binding))
		return;
	age(&c->binding, &c->bound_at, now);
	for (unsigned i = 0; i < c->binding.prefix_count; i++)
		age_lease(&c->binding.prefixes[i], slept / 1000);
	if (c->binding.has_address)
		age_lease(&c->binding.address, slept / 1000);
	c->renew_at = earlier(c->renew_at, slept);
	c->rebind_at = earlier(c->rebind_at, slept);
	expire(c, now); /* which tells */
}

static void retransmit(struct dhcp6_client *c, msec now)
{
	const struct exchange *e = &exchanges[c->state];

	if (c->state == INFORMED) {
		begin(c, ASKING, now + rng_below(c->config->rng, INF_MAX_DELAY));
	} else if (e->mrc && c->tries >= e->mrc) {
		note(c, "the server does not answer requests");
		if (holds_anything(
			    &c->binding)) /* after NoBinding: what we have is still valid until it expires */
			start(c, REBINDING, now);
		else
			solicit_later(c, now);
	} else {
		transmit(c, now);
	}
}

void dhcp6_client_tick(struct dhcp6_client *c, msec now)
{
	if (c->state == STOPPED)
		return;
	if (now >= c->expires_at) {
		expire(c, now);
		return;
	}
	if (now >= c->rebind_at && (c->state == BOUND || c->state == RENEWING))
		start(c, REBINDING, now);
	else if (now >= c->renew_at && c->state == BOUND)
		start(c, RENEWING, now);
	else if (now >= c->retransmit_at)
		retransmit(c, now);
}

msec dhcp6_client_deadline(const struct dhcp6_client *c)
{
	msec at = MSEC_NEVER;

	if (c->state == STOPPED)
		return at;
	at = msec_min(c->retransmit_at, c->expires_at);
	if (c->state == BOUND)
		at = msec_min(at, c->renew_at);
	if (c->state == BOUND || c->state == RENEWING)
		at = msec_min(at, c->rebind_at);
	return at;
}

void dhcp6_client_release(struct dhcp6_client *c, msec now)
{
	struct dhcp6_message m;
	bool held = c->state != STOPPED && holds_anything(&c->binding);

	if (held) {
		begin(c, STOPPED, now);
		dhcp6_message_init(&m, DHCP6_RELEASE, c->xid);
		m.server = (struct dhcp6_duid){c->server, c->server_len};
		add_ias(c, &m, &c->binding, false);
	}
	c->state = STOPPED;
	c->retransmit_at = MSEC_NEVER;
	forget_binding(c);
	if (held)
		emit(c, &m, now);
}

const char *dhcp6_client_state(const struct dhcp6_client *c)
{
	static const char *const names[] = {[STOPPED] = "stopped",
		[SOLICITING] = "soliciting",
		[REQUESTING] = "requesting",
		[BOUND] = "bound",
		[RENEWING] = "renewing",
		[REBINDING] = "rebinding",
		[ASKING] = "asking",
		[INFORMED] = "informed"};

	return names[c->state];
}

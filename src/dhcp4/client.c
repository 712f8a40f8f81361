/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp4/client: the machine.
 *
 * Two exchanges of the same kind, c->address and c->subnets, each with its own state, transaction and lease; every function that gets one
 * as X serves both. c->address also does INFORM. Timers of an exchange: retransmit_at, the next (re)transmission of its message; renew_at and
 * rebind_at, T1 and T2; expires_at, the end of its lease. c->drop_at: when deprecated subnets are released. A subnet exchange that
 * waits for an address, or for its renewal, is SELECTING with no tries and no retransmit_at.
 */
#include "dhcp4/client.h"

#include <stdio.h>
#include <string.h>

#include "dhcp4/fault.h"
#include "dhcp4/state.h"

enum {
	FIRST_MS = 2000, /* doubles; +-1 s */
	MAX_MS = 64000,  /* RFC 2131 section 4.1 */
	SUBNET_MAX_MS = 3600000,
	JITTER_MS = 1000,
	EXTEND_MIN_MS = 60000, /* section 4.4.5 */
	ANSWERS_WANTED = 5,    /* REQUEST and INFORM: about a minute */
	QUERIES = 2,           /* with i = 1, before it is tried without */
	RETRY_MS = 1000,       /* after an exchange that gave nothing; doubles */
	LIMIT_RATE = 1,        /* 20 messages in 20 seconds */
	LIMIT_BURST = 20,
};

static const uint8_t types[] = {
	[SELECTING] = DHCP4_DISCOVER,
	[REQUESTING] = DHCP4_REQUEST,
	[RENEWING] = DHCP4_REQUEST,
	[REBINDING] = DHCP4_REQUEST,
	[INFORMING] = DHCP4_INFORM,
	[INFORMED] = 0,
};

static void note(struct dhcp4_client *c, const char *text)
{
	if (c->config->ops->note)
		c->config->ops->note(c, text);
}

static void note_prefix(struct dhcp4_client *c, const struct prefix *p, const char *what)
{
	char text[160], prefix[PREFIX_TEXT];

	snprintf(text, sizeof(text), "%s: %s", prefix_print(p, prefix), what);
	note(c, text);
}

static void note_addr(struct dhcp4_client *c, const struct addr *a, const char *what)
{
	char text[160], addr[ADDR_TEXT];

	snprintf(text, sizeof(text), "%s: %s", addr_print(a, addr), what);
	note(c, text);
}

static bool gets_address(const struct dhcp4_client *c, const struct dhcp4_exchange *x)
{
	return x == &c->address;
}

/* Our end of the softwire, or none. */
static struct addr own_address(const struct dhcp4_client *c)
{
	return addr_is_none(&c->own) && c->binding.has_address ? c->binding.address : c->own;
}

static bool is_held(const struct dhcp4_client *c, const struct dhcp4_exchange *x)
{
	return gets_address(c, x) ? c->binding.has_address : c->binding.subnet_count > 0;
}

static bool is_parked(const struct dhcp4_exchange *x)
{
	return x->state == SELECTING && !x->tries && x->retransmit_at == MSEC_NEVER;
}

/* FROM: our address, or none; it is also ciaddr. DST: the server, or none. */
static void emit(struct dhcp4_client *c, struct dhcp4_message *m, const struct addr *from,
	const struct addr *dst, msec now)
{
	uint8_t buf[DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	/*
	 * There is no hardware address: hlen 0, and the type that the link resembles most, serial line. A server whose kernel would
	 * have to know such an address cannot send to us before we have ours, so that we ask for broadcasts until then.
	 */
	m->htype = DHCP4_HTYPE_SERIAL;
	m->ciaddr = *from;
	m->broadcast = addr_is_none(from);
	m->client_id_len = c->config->client_id_len;
	memcpy(m->client_id, c->config->client_id, m->client_id_len);
	dhcp4_message_write(&w, m);
	if (!writer_ok(&w))
		return;
	if (!limit_ok(&c->limit, now, LIMIT_RATE, LIMIT_BURST)) {
		note(c, "too many messages: one is held back");
		return;
	}
	c->config->counters->tx++;
	c->config->ops->send(c, from, dst, buf, writer_len(&w));
}

static void put_subnets(struct dhcp4_message *m, const struct dhcp4_subnet *subnets, unsigned count)
{
	m->subnet_information = count > 0; /* c and s stay 0 */
	m->subnet_count = count;
	memcpy(m->subnets, subnets, count * sizeof(subnets[0]));
	for (unsigned i = 0; i < count; i++)
		m->subnets[i].deprecated = false;
}

static void build_address(const struct dhcp4_client *c, struct dhcp4_message *m)
{
	const struct dhcp4_exchange *x = &c->address;

	m->wants_router = x->state != INFORMING;
	if ((x->state == SELECTING || x->state == REQUESTING) && c->hint.has_address)
		m->requested = c->hint.address;
	m->rapid_commit = x->state == SELECTING && c->config->rapid_commit;
}

static void build_subnets(const struct dhcp4_client *c, struct dhcp4_message *m)
{
	const struct dhcp4_exchange *x = &c->subnets;
	const struct dhcp4_binding *b =
		x->state == SELECTING || x->state == REQUESTING ? &c->hint : &c->binding;

	m->wants_subnet = true;
	put_subnets(m, b->subnets, b->subnet_count);
	if (x->state != SELECTING) /* RFC 6656 section 4.3: no Subnet-Request in a REQUEST */
		return;
	m->subnet_request = m->request_hierarchical = true;
	m->request_information = x->querying;
	m->request_len = x->querying ? 0 : c->config->subnet_len;
	m->rapid_commit = c->config->rapid_commit && !x->querying;
}

static uint16_t elapsed(const struct dhcp4_exchange *x, msec now)
{
	msec seconds = (now - x->started_at) / 1000;

	return (uint16_t)(seconds > 0xffff ? 0xffff : seconds);
}

static void build(
	const struct dhcp4_client *c, const struct dhcp4_exchange *x, struct dhcp4_message *m, msec now)
{
	*m = (struct dhcp4_message){.type = types[x->state],
		.xid = x->xid,
		.secs = elapsed(x, now),
		.wants_dns = true,
		.wants_mtu = true};
	if (x->state == REQUESTING)
		m->server = x->server;
	if (gets_address(c, x))
		build_address(c, m);
	else
		build_subnets(c, m);
}

static msec half_of(msec until, msec now)
{
	msec half = until > now ? (until - now) / 2 : 0;

	return half > EXTEND_MIN_MS ? half : EXTEND_MIN_MS;
}

/* How long to wait for an answer to the message that is being sent. */
static msec patience(struct dhcp4_client *c, const struct dhcp4_exchange *x, msec now)
{
	uint32_t max = x->state == SELECTING && !gets_address(c, x) ? SUBNET_MAX_MS : MAX_MS;
	uint32_t wait = x->tries < 11 ? (uint32_t)FIRST_MS << x->tries : max;

	if (x->state == RENEWING)
		return half_of(x->rebind_at, now);
	if (x->state == REBINDING)
		return half_of(x->expires_at, now);
	return (wait < max ? wait : max) - JITTER_MS + rng_below(c->config->rng, 2 * JITTER_MS + 1);
}

static void transmit(struct dhcp4_client *c, struct dhcp4_exchange *x, msec now)
{
	struct addr from = own_address(c), dst = x->state == RENEWING ? x->server : (struct addr){0};
	struct dhcp4_message m;

	if (x->tries)
		c->config->counters->retransmits++;
	else
		x->asked_at = now;
	if (!x->tries && x->state != REQUESTING)
		x->started_at = now;
	x->retransmit_at = now + patience(c, x, now);
	if (x->tries < UINT16_MAX)
		x->tries++;
	build(c, x, &m, now);
	emit(c, &m, &from, &dst, now);
}

/* A new exchange, whose first message is sent at AT: by the caller if that is now, else by the timer. */
static void begin(struct dhcp4_client *c, struct dhcp4_exchange *x, enum state state, msec at)
{
	x->state = (uint8_t)state;
	x->xid = rng_u32(c->config->rng);
	x->tries = 0;
	x->retransmit_at = at;
	x->querying = state == SELECTING && !gets_address(c, x) && x->known && c->hint.subnet_count;
}

static void start(struct dhcp4_client *c, struct dhcp4_exchange *x, enum state state, msec now)
{
	begin(c, x, state, now);
	transmit(c, x, now);
}

/* An OFFER is taken: its transaction goes on. */
static void request(
	struct dhcp4_client *c, struct dhcp4_exchange *x, const struct dhcp4_message *offer, msec now)
{
	x->server = offer->server;
	x->state = REQUESTING;
	x->tries = 0;
	transmit(c, x, now);
}

/* Asks again, the later the more often it was in vain. */
static void start_later(struct dhcp4_client *c, struct dhcp4_exchange *x, msec now)
{
	uint32_t max = gets_address(c, x) ? MAX_MS : SUBNET_MAX_MS, wait = max;

	if (x->failures < CLIENT_FAILURES_MAX) {
		wait = (uint32_t)RETRY_MS << x->failures;
		x->failures++;
	}
	wait = wait < max ? wait : max;
	begin(c, x, SELECTING, now + wait + rng_below(c->config->rng, wait / 10 + 1));
}

/* What the exchange gave is no longer there. It stays what will be asked for, but where the server has refused it. */
static void forget(struct dhcp4_client *c, struct dhcp4_exchange *x, bool refused)
{
	struct dhcp4_binding *b = &c->binding;

	if (gets_address(c, x)) {
		if (b->has_address)
			c->hint.address = b->address;
		c->hint.has_address = !refused && (b->has_address || c->hint.has_address);
		b->has_address = false;
		b->address = b->router = (struct addr){0};
		b->mask_len = 0;
	} else {
		if (b->subnet_count) {
			c->hint.subnet_count = b->subnet_count;
			memcpy(c->hint.subnets, b->subnets, sizeof(b->subnets));
		}
		if (refused)
			c->hint.subnet_count = 0;
		b->subnet_count = 0;
	}
	x->known = x->known && !refused;
	x->dns_count = 0;
	x->mtu = 0;
	x->renew_at = x->rebind_at = x->expires_at = MSEC_NEVER;
}

static void lease_left(
	const struct dhcp4_client *c, const struct dhcp4_exchange *x, msec now, uint32_t *lease)
{
	msec left = x->expires_at > now ? (x->expires_at - now) / 1000 : 0;

	if (is_held(c, x) && x->expires_at != MSEC_NEVER && left < *lease)
		*lease = (uint32_t)left;
}

static void tell_bound(struct dhcp4_client *c, msec now)
{
	const struct dhcp4_exchange *first = &c->address, *second = &c->subnets;
	const struct dhcp4_exchange *dns = first->dns_count ? first : second;
	struct dhcp4_binding b = c->binding;

	b.server = is_held(c, second) && !is_held(c, first) ? second->server : first->server;
	b.mtu = first->mtu ? first->mtu : second->mtu;
	b.dns_count = dns->dns_count;
	memcpy(b.dns, dns->dns, sizeof(b.dns));
	b.lease = DHCP4_INFINITE;
	lease_left(c, first, now, &b.lease);
	lease_left(c, second, now, &b.lease);
	c->config->ops->bound(c, &b, now);
}

/* The lease of X is over. Without the address there are no subnets either. */
static void lose(struct dhcp4_client *c, struct dhcp4_exchange *x, bool refused, const char *why, msec now)
{
	forget(c, x, refused);
	start_later(c, x, now);
	if (gets_address(c, x) && c->config->want_subnet) {
		forget(c, &c->subnets, false);
		begin(c, &c->subnets, SELECTING, MSEC_NEVER);
		c->drop_at = MSEC_NEVER;
	}
	if (c->binding.has_address) {
		note(c, why);
		tell_bound(c, now);
	} else {
		c->config->ops->lost(c, why);
	}
}

void dhcp4_client_open(struct dhcp4_client *c, const struct dhcp4_client_config *config,
	const struct addr *own, const struct dhcp4_binding *hint, msec now)
{
	struct dhcp4_binding earlier = hint ? *hint : (struct dhcp4_binding){0}; /* HINT may be part of *c */
	struct addr address = *own;

	*c = (struct dhcp4_client){.config = config, .own = address, .hint = earlier, .drop_at = MSEC_NEVER};
	if (!config->want_subnet)
		c->hint.subnet_count = 0;
	c->subnets.known = c->hint.subnet_count > 0;
	c->address.retransmit_at = c->subnets.retransmit_at = MSEC_NEVER;
	c->address.renew_at = c->address.rebind_at = c->address.expires_at = MSEC_NEVER;
	c->subnets.renew_at = c->subnets.rebind_at = c->subnets.expires_at = MSEC_NEVER;
	if (config->want_subnet)
		begin(c, &c->subnets, SELECTING, MSEC_NEVER);
	/* Section 4.4.1 would wait for 1 to 10 seconds first, so as not to ask together with others: nobody else is on this link. */
	if (addr_is_none(&address))
		start(c, &c->address, SELECTING, now);
	else if (config->want_subnet)
		start(c, &c->subnets, SELECTING, now);
	else
		start(c, &c->address, INFORMING, now);
}

static bool has_usable_address(struct dhcp4_client *c, const struct dhcp4_message *m)
{
	const char *fault = dhcp4_address_fault(m);

	if (!fault)
		return true;
	c->config->counters->refused++;
	note_addr(c, &m->yiaddr, fault);
	return false;
}

static struct dhcp4_gain usable_subnets(struct dhcp4_client *c, const struct dhcp4_message *m)
{
	struct addr own = own_address(c);
	struct dhcp4_gain g = {0};

	for (unsigned i = 0; i < m->subnet_count; i++) {
		const struct dhcp4_subnet *s = &m->subnets[i];
		const char *fault = dhcp4_subnet_fault(&s->prefix, m, &own, c->config->subnet_len, &g);

		if (!fault && s->deprecated) {
			note_prefix(c, &s->prefix, "to be given up, says the server");
		} else if (!fault) {
			g.subnets[g.count++] = *s;
		} else {
			c->config->counters->refused++;
			note_prefix(c, &s->prefix, fault);
		}
	}
	if (m->information_s)
		note(c, "the server has more subnets");
	return g;
}

/* Subnets that we held, or have asked for, and that M deprecates, are released: by the timer, because this is no time to send. */
static void drop_deprecated(struct dhcp4_client *c, const struct dhcp4_message *m, msec now)
{
	c->dropped_count = 0;
	for (unsigned i = 0; i < m->subnet_count; i++)
		if (m->subnets[i].deprecated)
			c->dropped[c->dropped_count++] = m->subnets[i];
	if (c->dropped_count)
		c->drop_at = now;
}

/* T1 and T2, section 4.4.5: 0.5 and 0.875 of the lease, unless the server says something that is possible. */
static void set_times(struct dhcp4_client *c, struct dhcp4_exchange *x, const struct dhcp4_message *m)
{
	msec lease = m->lease * 1000ull, t1 = m->t1 ? m->t1 * 1000ull : lease / 2;
	msec t2 = m->t2 ? m->t2 * 1000ull : lease / 8 * 7;

	x->renew_at = x->rebind_at = x->expires_at = MSEC_NEVER;
	if (m->lease == DHCP4_INFINITE)
		return;
	if (t1 >= t2 || t2 >= lease) {
		note(c, "T1, T2 and lease time are not in this order: T1 and T2 are ignored");
		t1 = lease / 2;
		t2 = lease / 8 * 7;
	}
	/* Some fuzz, so that not all clients of a server that was restarted come at once for ever. */
	t1 -= t1 / 10000 * rng_below(c->config->rng, 1001);
	x->renew_at = x->asked_at + t1;
	x->rebind_at = x->asked_at + t2;
	x->expires_at = x->asked_at + lease;
}

static void take_parameters(struct dhcp4_exchange *x, const struct dhcp4_message *m)
{
	x->server = m->server;
	x->mtu = m->mtu;
	x->dns_count = m->dns_count;
	memcpy(x->dns, m->dns, sizeof(x->dns));
}

static void settle(struct dhcp4_client *c, struct dhcp4_exchange *x, const struct dhcp4_message *m)
{
	take_parameters(x, m);
	set_times(c, x, m);
	x->failures = 0;
	x->known = true;
	x->state = BOUND;
	x->retransmit_at = MSEC_NEVER;
}

/* An ACK that gives the address, or goes on giving it. */
static void take_address(struct dhcp4_client *c, const struct dhcp4_message *m, msec now)
{
	struct dhcp4_binding *b = &c->binding;

	if (!has_usable_address(c, m))
		return;
	if (b->has_address && !addr_equal(&b->address, &m->yiaddr))
		note_addr(c, &m->yiaddr, "the server has changed our address");
	b->has_address = true;
	b->address = m->yiaddr;
	b->mask_len = m->mask_len ? m->mask_len : 32;
	b->router = dhcp4_is_unicast(&m->router) ? m->router : (struct addr){0};
	c->hint.has_address = true;
	c->hint.address = b->address;
	settle(c, &c->address, m);
	if (is_parked(&c->subnets))
		begin(c, &c->subnets, SELECTING, now); /* the timer sends: this is no time to */
	tell_bound(c, now);
}

/* The server gives none, or knows no such option. DNS servers may be had all the same. */
static void no_subnets(struct dhcp4_client *c, msec now)
{
	c->config->counters->refused++;
	note(c, "the server offers no subnet");
	if (addr_is_none(&c->own)) {
		begin(c, &c->subnets, SELECTING, MSEC_NEVER);
		return;
	}
	begin(c, &c->subnets, SELECTING, now + SUBNET_MAX_MS + rng_below(c->config->rng, SUBNET_MAX_MS / 10));
	if (c->address.state == STOPPED)
		start(c, &c->address, INFORMING, now);
}

static void take_subnets(struct dhcp4_client *c, const struct dhcp4_message *m, msec now)
{
	struct dhcp4_exchange *x = &c->subnets;
	struct dhcp4_gain g;

	if (!m->lease) {
		c->config->counters->refused++;
		note(c, "ACK without a lease time");
		return;
	}
	g = usable_subnets(c, m);
	if (!g.count && !is_held(c, x) && x->state == SELECTING) {
		no_subnets(c, now);
		return;
	}
	take_parameters(x, m);
	drop_deprecated(c, m, now);
	if (g.count) {
		c->binding.subnet_count = c->hint.subnet_count = g.count;
		memcpy(c->binding.subnets, g.subnets, sizeof(g.subnets));
		memcpy(c->hint.subnets, g.subnets, sizeof(g.subnets));
		settle(c, x, m);
		tell_bound(c, now);
	} else if (is_held(c, x)) {
		c->config->counters->refused++;
		lose(c, x, true, "the server has withdrawn the subnets", now);
	} else {
		c->config->counters->refused++;
		forget(c, x, true);
		start_later(c, x, now);
	}
}

static void offered(struct dhcp4_client *c, struct dhcp4_exchange *x, const struct dhcp4_message *m, msec now)
{
	struct dhcp4_gain g;

	if (x->state != SELECTING) {
		c->config->counters->unexpected++;
		return;
	}
	if (gets_address(c, x)) {
		if (!has_usable_address(c, m))
			return;
		c->hint.has_address = true;
		c->hint.address = m->yiaddr;
		request(c, x, m, now);
		return;
	}
	g = usable_subnets(c, m);
	if (g.count) {
		c->hint.subnet_count = g.count;
		memcpy(c->hint.subnets, g.subnets, sizeof(g.subnets));
		request(c, x, m, now);
	} else if (x->querying) {
		begin(c, x, SELECTING, now);
		x->querying = false;
		transmit(c, x, now);
	} else {
		no_subnets(c, now);
	}
}

static void informed(struct dhcp4_client *c, const struct dhcp4_message *m, msec now)
{
	take_parameters(&c->address, m);
	c->address.state = INFORMED;
	c->address.retransmit_at = MSEC_NEVER;
	tell_bound(c, now);
}

/* May this ACK or NAK come in this state, from this server? */
static bool is_awaited(struct dhcp4_client *c, const struct dhcp4_exchange *x, const struct dhcp4_message *m)
{
	bool rapid = x->state == SELECTING && m->type == DHCP4_ACK && m->rapid_commit &&
		     c->config->rapid_commit && !x->querying;
	bool to_one = x->state == REQUESTING || x->state == RENEWING;

	if (!to_one && !rapid && x->state != REBINDING && !(x->state == INFORMING && m->type == DHCP4_ACK)) {
		c->config->counters->unexpected++;
		return false;
	}
	if (to_one && !addr_equal(&m->server, &x->server)) {
		c->config->counters->bad_server++;
		return false;
	}
	return true;
}

static void acknowledged(
	struct dhcp4_client *c, struct dhcp4_exchange *x, const struct dhcp4_message *m, msec now)
{
	if (!is_awaited(c, x, m))
		return;
	if (x->state == INFORMING)
		informed(c, m, now);
	else if (gets_address(c, x))
		take_address(c, m, now);
	else
		take_subnets(c, m, now);
}

static void refused(struct dhcp4_client *c, struct dhcp4_exchange *x, const struct dhcp4_message *m, msec now)
{
	char why[DHCP4_TEXT_MAX + 40];

	if (!is_awaited(c, x, m))
		return;
	snprintf(why, sizeof(why), "refused by the server%s%s", m->text[0] ? ": " : "", m->text);
	c->config->counters->refused++;
	if (is_held(c, x)) {
		lose(c, x, true, why, now);
		return;
	}
	note(c, why);
	forget(c, x, true);
	start_later(c, x, now);
}

static bool is_asking(const struct dhcp4_exchange *x, uint32_t xid)
{
	return x->state != STOPPED && x->tries && x->xid == xid;
}

/* The exchange that M belongs to, or NULL. */
static struct dhcp4_exchange *exchange_of(struct dhcp4_client *c, const struct dhcp4_message *m)
{
	struct dhcp4_counters *counters = c->config->counters;

	/* RFC 6842: servers give back the client identifier; those before it do not. */
	bool ours = !m->client_id_len ||
		    (m->client_id_len == c->config->client_id_len &&
			    memcmp(m->client_id, c->config->client_id, m->client_id_len) == 0);

	if (!m->reply)
		counters->unexpected++;
	else if (!ours)
		counters->bad_client++;
	else if (!dhcp4_is_unicast(&m->server))
		counters->bad_server++;
	else if (is_asking(&c->address, m->xid))
		return &c->address;
	else if (is_asking(&c->subnets, m->xid))
		return &c->subnets;
	else
		counters->bad_xid++;
	return NULL;
}

void dhcp4_client_input(struct dhcp4_client *c, const uint8_t *message, size_t len, msec now)
{
	struct dhcp4_counters *counters = c->config->counters;
	struct dhcp4_exchange *x;
	struct dhcp4_message m;
	const char *why = NULL;

	counters->rx++;
	if (dhcp4_message_read(message, len, &m, &why)) {
		counters->bad_message++;
		note(c, why);
		return;
	}
	counters->by_type[m.type]++;
	x = exchange_of(c, &m);
	if (!x)
		return;
	if (m.type == DHCP4_OFFER)
		offered(c, x, &m, now);
	else if (m.type == DHCP4_ACK)
		acknowledged(c, x, &m, now);
	else
		refused(c, x, &m, now);
}

/* Nobody has answered in time. */
static void repeat(struct dhcp4_client *c, struct dhcp4_exchange *x, msec now)
{
	if (x->state == REQUESTING && x->tries >= ANSWERS_WANTED) {
		note(c, "the server does not answer requests");
		start_later(c, x, now);
	} else if (x->state == INFORMING && x->tries >= ANSWERS_WANTED) {
		note(c, "no server answers");
		x->state = STOPPED;
		x->retransmit_at = MSEC_NEVER;
	} else if (x->querying && x->tries >= QUERIES) {
		begin(c, x, SELECTING, now);
		x->querying = false;
		transmit(c, x, now);
	} else {
		transmit(c, x, now);
	}
}

/* One thing that is due; false: none. */
static bool tick(struct dhcp4_client *c, struct dhcp4_exchange *x, msec now)
{
	if (now >= x->expires_at)
		lose(c, x, false, "the lease is over", now);
	else if (now >= x->rebind_at && (x->state == BOUND || x->state == RENEWING))
		start(c, x, REBINDING, now);
	else if (now >= x->renew_at && x->state == BOUND)
		start(c, x, RENEWING, now);
	else if (now >= x->retransmit_at)
		repeat(c, x, now);
	else
		return false;
	return true;
}

static void send_release(struct dhcp4_client *c, const struct addr *from, const struct addr *server,
	const struct dhcp4_subnet *subnets, unsigned count, msec now)
{
	struct dhcp4_message m = {.type = DHCP4_RELEASE, .xid = rng_u32(c->config->rng), .server = *server};

	put_subnets(&m, subnets, count);
	emit(c, &m, from, server, now);
}

static void release_dropped(struct dhcp4_client *c, msec now)
{
	struct addr from = own_address(c);

	c->drop_at = MSEC_NEVER;
	send_release(c, &from, &c->subnets.server, c->dropped, c->dropped_count, now);
}

void dhcp4_client_tick(struct dhcp4_client *c, msec now)
{
	if (now >= c->drop_at)
		release_dropped(c, now);
	else if (!tick(c, &c->address, now))
		tick(c, &c->subnets, now);
}

static msec earlier(msec at, msec by)
{
	if (at == MSEC_NEVER)
		return at;
	return at > by ? at - by : 0;
}

static void age(struct dhcp4_exchange *x, msec by)
{
	x->renew_at = earlier(x->renew_at, by);
	x->rebind_at = earlier(x->rebind_at, by);
	x->expires_at = earlier(x->expires_at, by);
}

void dhcp4_client_slept(struct dhcp4_client *c, msec slept, msec now)
{
	bool held = is_held(c, &c->address) || is_held(c, &c->subnets);

	age(&c->address, slept);
	age(&c->subnets, slept);
	if (held && now < c->address.expires_at && now < c->subnets.expires_at)
		tell_bound(c, now);
}

static msec deadline(const struct dhcp4_exchange *x)
{
	msec at = msec_min(x->retransmit_at, x->expires_at);

	if (x->state == BOUND)
		at = msec_min(at, x->renew_at);
	if (x->state == BOUND || x->state == RENEWING)
		at = msec_min(at, x->rebind_at);
	return at;
}

msec dhcp4_client_deadline(const struct dhcp4_client *c)
{
	return msec_min(c->drop_at, msec_min(deadline(&c->address), deadline(&c->subnets)));
}

void dhcp4_client_release(struct dhcp4_client *c, msec now)
{
	struct dhcp4_binding b = c->binding;
	struct addr from = own_address(c), server = c->address.server, subnet_server = c->subnets.server;

	forget(c, &c->address, false);
	forget(c, &c->subnets, false);
	c->address.state = c->subnets.state = STOPPED;
	c->address.retransmit_at = c->subnets.retransmit_at = c->drop_at = MSEC_NEVER;
	if (b.subnet_count)
		send_release(c, &from, &subnet_server, b.subnets, b.subnet_count, now);
	if (b.has_address)
		send_release(c, &from, &server, b.subnets, 0, now);
}

const char *dhcp4_client_state(const struct dhcp4_client *c)
{
	static const char *const names[] = {[STOPPED] = "stopped",
		[SELECTING] = "selecting",
		[REQUESTING] = "requesting",
		[BOUND] = "bound",
		[RENEWING] = "renewing",
		[REBINDING] = "rebinding",
		[INFORMING] = "informing",
		[INFORMED] = "informed"};

	return names[c->address.state == STOPPED ? c->subnets.state : c->address.state];
}

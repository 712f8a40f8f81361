/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole engine. A speaker has a well-behaved neighbour, with which it exchanges routes, and one that says what the fuzzer wants. The first two bytes choose
 * what is configured and what the fuzzer's OPEN offers; each step is a byte and its operand:
 *   0 bytes as they are (1 byte length)          1 a message: type, 1 byte length, body
 *   2 time passes (2 bytes, 1/16 s)              3 the connection ends, and there is another one; its OPEN and KEEPALIVE are in order if the byte is odd
 *   4 it stops reading, or goes on               5 pieces of at most so many bytes
 *   6 the operator: clear, refresh, another policy, shut down and up, another next hop, own addresses
 *   7 an UPDATE whose frame is in order: 1 byte length of attributes, attributes; 1 byte length of prefixes, prefixes
 * Whatever comes: the other neighbour's session stays, what is kept is bounded, and who is thrown out hears why.
 */
#include <stdlib.h>
#include <string.h>

#include "../../tests/unit/bgp/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 20, HOLD = 90 };

struct scene {
	struct wire w;
	struct wire_node *s, *friend, *h;
	struct bgp_neighbor *n;
	struct wire_end *e;
	struct bgp_open open;
	bool asked, blocked,
		notified; /* of this connection: the operator did something; it is not read; NOTIFICATION came */
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void keep_alive(struct scene *t)
{
	wire_run(&t->w, 20);
	check(wire_state(t->s, t->friend) == BGP_ESTABLISHED);
	check(wire_neighbor(t->s, t->friend)->established == 1);
	check(wire_neighbor(t->friend, t->s)->established == 1);
}

static void originate(struct wire_node *n, const char *text)
{
	struct bgp_nlri nlri = {0};
	struct bgp_next_hop_value ourselves = {0};

	check(prefix_parse(text, &nlri.prefix) == 0);
	check(bgp_originate(n->bgp, BGP_IPV4, &nlri, reader_of(NULL, 0), &ourselves, BGP_NETWORK,
		      n->wire->now) == 0);
}

static void send_message(struct scene *t, uint8_t type, const uint8_t *body, size_t len)
{
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t at = bgp_message_begin(&w, (enum bgp_type)type);

	writer_bytes(&w, body, len);
	bgp_message_end(&w, at);
	if (t->e && t->e->open)
		wire_send(t->e, buf, writer_len(&w));
}

static void reconnect(struct scene *t, bool in_order)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	if (t->e && t->e->open)
		wire_close(t->e);
	wire_run(&t->w, 3000);
	t->asked = t->blocked = t->notified = false;
	t->e = wire_connect(t->h, t->s);
	wire_run(&t->w, 5);
	t->asked = !t->e->open; /* it was not let in */
	if (!in_order || t->asked)
		return;
	bgp_open_write(&w, &t->open);
	wire_send(t->e, buf, writer_len(&w));
	send_message(t, BGP_KEEPALIVE, NULL, 0);
	wire_run(&t->w, 5);
}

static void operate(struct scene *t, uint8_t what)
{
	struct bgp_neighbor_config c = t->n->config;
	struct policy_rule rule = {.then = POLICY_ACCEPT, .set_med = true, .med = what};
	struct policy p = {.name = "p", .rule_count = 1, .rules = &rule};

	switch (what % 6) {
	case 0:
		bgp_neighbor_clear(t->n, "fuzzed");
		break;
	case 1:
		(void)bgp_neighbor_refresh(t->n, what & 8, what & 16);
		break;
	case 2:
		c.import_policy = c.export_policy = &p;
		c.has_import = c.has_export = true;
		check(bgp_neighbor_change(t->n, &c) >= 0);
		break;
	case 3:
		c.shutdown = !c.shutdown;
		check(bgp_neighbor_change(t->n, &c) >= 0);
		break;
	case 4:
		c.client = !c.client;
		c.next_hop_self = what & 8;
		check(bgp_neighbor_change(t->n, &c) >= 0);
		break;
	default:
		check(bgp_set_own_addresses(t->s->bgp, &t->h->address, what & 1) == 0);
		break;
	}
}

static void update(struct scene *t, struct reader *r)
{
	uint8_t body[600];
	struct writer w = writer_of(body, sizeof(body));
	size_t len = reader_u8(r);

	writer_u16(&w, 0);
	len = reader_left(r) < len ? reader_left(r) : len;
	writer_u16(&w, (uint16_t)len);
	writer_bytes(&w, reader_bytes(r, len), len);
	len = reader_u8(r);
	len = reader_left(r) < len ? reader_left(r) : len;
	writer_bytes(&w, reader_bytes(r, len), len);
	send_message(t, BGP_UPDATE, body, writer_len(&w));
}

static void step(struct scene *t, struct reader *r)
{
	uint8_t what = reader_u8(r), type = 0;
	size_t len;

	switch (what % 8) {
	case 0:
	case 1:
		type = what % 8 ? reader_u8(r) : 0;
		len = reader_u8(r);
		len = reader_left(r) < len ? reader_left(r) : len;
		if (what % 8)
			send_message(t, type, reader_bytes(r, len), len);
		else if (t->e && t->e->open)
			wire_send(t->e, reader_bytes(r, len), len);
		break;
	case 2:
		wire_run(&t->w, reader_u16(r) * 1000u / 16);
		break;
	case 3:
		reconnect(t, reader_u8(r) & 1);
		break;
	case 4:
		if (t->n->up)
			((struct wire_end *)t->n->up->owner)->blocked ^= true;
		t->blocked = true;
		break;
	case 5:
		t->w.piece = reader_u8(r);
		break;
	case 6:
		operate(t, reader_u8(r));
		t->asked = true;
		break;
	default:
		update(t, r);
		break;
	}
}

/* Who is thrown out has been told why, and so have we. */
static void check_end(struct scene *t)
{
	static uint8_t message[BGP_EXTENDED_MAX];
	uint8_t type = 0;

	if (!t->e)
		return;
	while (wire_take(t->e, &type, message)) {
		check(!t->notified); /* it is the last */
		t->notified = type == BGP_NOTIFICATION;
	}
	check(!t->notified || !t->e->open);
	if (t->e->open || t->asked || t->blocked)
		return;
	check(t->n->last_error.reason[0]);
	if (t->n->last_error.code && t->n->last_error_sent)
		check(t->notified);
}

static void check_bounds(const struct scene *t)
{
	unsigned paths = 0;

	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		const struct bgp_neighbor_table *tab = &t->n->table[f];
		const struct rib *r = &t->s->bgp->ribs[f];

		check(tab->received <= MOST + 1 && tab->accepted <= tab->received &&
			tab->stale <= tab->received);
		paths += r->path_count;
		check(r->net_count <= r->path_count);
	}
	check(paths <= BGP_FAMILIES * (MOST + 1) + 4);
	check(t->s->bgp->sets.bytes <= (paths + 2) * (BGP_SET_MAX + sizeof(struct bgp_set)));
}

static void configure(struct scene *t, uint8_t config, uint8_t offer)
{
	struct bgp_neighbor_config c = wire_config(t->s, t->h, config & 1 ? 65001 : 65000);

	c.families = config & 2 ? (1u << BGP_FAMILIES) - 1 : c.families;
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		c.limits[f] = (struct bgp_family_limits){MOST, 80};
	c.max_prefix_restart = 1000;
	c.passive = true;
	c.client = config & 4;
	c.tunnels = config & 8;
	c.min_interval = config & 16 ? 1000 : 0;
	c.idle_hold = 100;
	check(bgp_neighbor_add(t->s->bgp, &c, &t->n) == 0);
	bgp_neighbor_start(t->n);
	t->open = (struct bgp_open){.as = c.as, .hold_time = offer & 128 ? 3 : HOLD, .id = 77};
	t->open.capabilities = (struct bgp_capabilities){.families = c.families,
		.extended_next_hop = offer & 1 ? BGP_FAMILY_BIT(BGP_IPV4) : 0,
		.as4 = offer & 2,
		.refresh = offer & 4,
		.enhanced_refresh = offer & 8,
		.extended_message = offer & 16,
		.graceful = offer & 32,
		.graceful_families = offer & 32 ? c.families : 0,
		.preserved = offer & 32 ? BGP_FAMILY_BIT(BGP_IPV4) : 0,
		.restart_time = 5,
		.notification = offer & 64};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scene t;
	struct reader r = reader_of(data, size);
	uint8_t config = reader_u8(&r), offer = reader_u8(&r);

	memset(&t, 0, sizeof(t));
	wire_init(&t.w, 1);
	t.s = wire_speaker(&t.w, 65000, 1);
	t.friend = wire_speaker(&t.w, 65000, 2);
	t.h = wire_hand(&t.w, 3);
	wire_meet(t.s, t.friend, NULL);
	originate(t.s, "198.51.100.0/24");
	originate(t.friend, "203.0.113.0/24");
	wire_run(&t.w, 100);
	configure(&t, config, offer);
	reconnect(&t, true);
	while (reader_left(&r)) {
		step(&t, &r);
		keep_alive(&t);
		check_end(&t);
		check_bounds(&t);
	}
	wire_run(&t.w, 600000);
	keep_alive(&t);
	check_bounds(&t);
	wire_free(&t.w);
	return 0;
}

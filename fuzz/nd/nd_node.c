/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Node, router and host as on one link, driven by a script of steps. Each step is a byte that says what happens, and its operand:
 *   0 time passes (2 bytes, in 10 ms)      1 a packet comes (1 byte length; length and checksum are mended)
 *   2 an address is added (1 byte)         3 it is removed (1 byte)
 *   4 the router's data change             5 what was sent last comes back
 *   6 everything starts anew
 * Whatever happens: what is sent decodes, nobody spins, and nobody sends more than a few packets per step.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/container.h"
#include "nd/host.h"
#include "nd/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct nd_node node;
	struct nd_router router;
	struct nd_host host;
	struct nd_counters counters;
	struct rng rng;
	struct nd_node_config node_config;
	struct nd_router_config router_config;
	struct nd_host_config host_config;
	msec now;
	unsigned sent, advertised;
	uint8_t last[2048];
	size_t last_len;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void sent(struct end *e, const uint8_t *packet, size_t len)
{
	struct nd_message m;
	const char *why;
	int err = nd_packet_read(packet, len, &m, &why);

	check(err == 0 || (err == -ENOMSG && len >= 48 && packet[40] == ICMP6_ECHO_REPLY_T));
	if (err) {
		struct addr src = addr6_of(packet + 8), dst = addr6_of(packet + 24);

		check(ip6_checksum(&src, &dst, PROTO_ICMP6, packet + 40, len - 40) == 0);
	}
	e->sent++;
	if (len <= sizeof(e->last)) {
		memcpy(e->last, packet, len);
		e->last_len = len;
	}
}

static void node_send(struct nd_node *n, const uint8_t *packet, size_t len)
{
	sent(container_of(n, struct end, node), packet, len);
}

static void duplicate(struct nd_node *n, const struct addr *a)
{
	check(!nd_node_tentative(n, a));
	nd_node_remove(n, a);
}

static void router_send(struct nd_router *r, const uint8_t *packet, size_t len)
{
	sent(container_of(r, struct end, router), packet, len);
}

static bool describe(struct nd_router *r, msec now, struct nd_advert *ret)
{
	(void)r;
	ret->router_lifetime = (uint16_t)(now / 1000 % 2000);
	ret->prefix_count = 1;
	ret->prefixes[0] = (struct nd_prefix){.valid = 1000, .preferred = (uint32_t)(now % 1000)};
	ret->prefixes[0].prefix = (struct prefix){{AF_INET6, {0x20, 0x01, 0x0d, 0xb8}}, 64};
	return now % 7 != 0;
}

static void host_send(struct nd_host *h, const uint8_t *packet, size_t len)
{
	sent(container_of(h, struct end, host), packet, len);
}

static void advertised(struct nd_host *h, const struct nd_advert *a, msec now)
{
	(void)now;
	container_of(h, struct end, host)->advertised++;
	for (unsigned i = 0; i < a->prefix_count; i++)
		check(a->prefixes[i].preferred <= a->prefixes[i].valid &&
			!addr_is_link_local(&a->prefixes[i].prefix.addr));
	check(a->mtu == 0 || a->mtu >= IP6_MIN_MTU);
}

static void router_lost(struct nd_host *h)
{
	check(addr_is_none(&h->router));
}

static const struct nd_node_ops node_ops = {.send = node_send, .duplicate = duplicate};
static const struct nd_router_ops router_ops = {.send = router_send, .describe = describe};
static const struct nd_host_ops host_ops = {
	.send = host_send, .advertised = advertised, .router_lost = router_lost};

static void start(struct end *e)
{
	struct addr a = nd_link_local(1), b = nd_link_local(2);

	e->node_config = (struct nd_node_config){.ops = &node_ops,
		.rng = &e->rng,
		.counters = &e->counters,
		.dad_transmits = 1,
		.retrans_ms = 1000};
	e->router_config = (struct nd_router_config){.ops = &router_ops,
		.rng = &e->rng,
		.counters = &e->counters,
		.min_interval_ms = 200000,
		.max_interval_ms = 600000,
		.initial = 3,
		.initial_interval_ms = 16000,
		.min_delay_ms = 3000,
		.answer_delay_ms = 500,
		.reply_unicast = 1};
	e->host_config = (struct nd_host_config){.ops = &host_ops,
		.rng = &e->rng,
		.counters = &e->counters,
		.solicit_ms = 4000,
		.solicit_max_ms = 3600000};
	nd_node_open(&e->node, &e->node_config);
	nd_node_add(&e->node, &a, e->now);
	nd_router_open(&e->router, &e->router_config, &a, e->now);
	nd_host_open(&e->host, &e->host_config, &b, e->now);
}

static void feed(struct end *e, const uint8_t *packet, size_t len)
{
	struct nd_message m;
	const char *why = NULL;
	int err = nd_packet_read(packet, len, &m, &why);

	if (err == -EBADMSG)
		return;
	if (nd_node_input(&e->node, err ? NULL : &m, packet, len, e->now) || err)
		return;
	if (m.type == ND_RS)
		nd_router_input(&e->router, &m, e->now);
	if (m.type == ND_RA)
		nd_host_input(&e->host, &m, e->now);
}

static void feed_mended(struct end *e, struct reader *r)
{
	uint8_t buf[256];
	size_t len = reader_u8(r);
	struct addr src, dst;
	uint16_t sum;

	if (reader_left(r) < len)
		len = reader_left(r);
	reader_copy(r, buf, len);
	if (len >= 44) {
		src = addr6_of(buf + 8);
		dst = addr6_of(buf + 24);
		buf[4] = 0;
		buf[5] = (uint8_t)(len - 40);
		buf[42] = buf[43] = 0;
		sum = ip6_checksum(&src, &dst, PROTO_ICMP6, buf + 40, len - 40);
		buf[42] = (uint8_t)(sum >> 8);
		buf[43] = (uint8_t)sum;
	}
	feed(e, buf, len);
}

static void pass_time(struct end *e, msec until)
{
	unsigned steps = 0;

	for (;;) {
		msec at = msec_min(nd_node_deadline(&e->node), nd_router_deadline(&e->router));

		at = msec_min(at, nd_host_deadline(&e->host));
		if (at > until)
			break;
		check(++steps < 2000); /* 650 s, and no timer of less than a second but the answer's */
		e->now = at > e->now ? at : e->now;
		nd_node_tick(&e->node, e->now);
		nd_router_tick(&e->router, e->now);
		nd_host_tick(&e->host, e->now);
	}
	e->now = until;
}

static void step(struct end *e, struct reader *r)
{
	uint8_t copy[sizeof(e->last)];
	struct addr a;

	switch (reader_u8(r) % 7) {
	case 0:
		pass_time(e, e->now + reader_u16(r) * 10u);
		break;
	case 1:
		feed_mended(e, r);
		break;
	case 2:
		a = nd_link_local(reader_u8(r));
		nd_node_add(&e->node, &a, e->now);
		break;
	case 3:
		a = nd_link_local(reader_u8(r));
		nd_node_remove(&e->node, &a);
		break;
	case 4:
		nd_router_changed(&e->router, e->now);
		break;
	case 5:
		memcpy(copy, e->last, e->last_len);
		feed(e, copy, e->last_len);
		break;
	default:
		nd_router_close(&e->router, e->now);
		start(e);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct end e;
	struct reader r = reader_of(data, size);

	memset(&e, 0, sizeof(e));
	rng_init_seed(&e.rng, 1);
	start(&e);
	while (reader_left(&r)) {
		bool timed = r.pos[0] % 7 == 0;
		unsigned before = e.sent;

		step(&e, &r);
		check(timed || e.sent - before <= 3);
	}
	return 0;
}

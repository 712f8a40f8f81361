/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client, driven by a script of steps. The first byte holds the options it is opened with; each step is a byte and its operand:
 *   0 time passes (2 bytes, in seconds)     1 a message comes (1 byte length)
 *   2 an answer comes: type, 1 byte length, options; transaction id and identifiers are those it expects
 *   3 it releases                           4 it is opened again (1 byte options)
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp6/client.h"
#include "lib/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct dhcp6_client client;
	struct dhcp6_client_config config;
	struct dhcp6_counters counters;
	struct rng rng;
	struct dhcp6_binding binding;
	bool holds;
	msec now, opened_at;
	unsigned sent;
};

static const uint8_t our_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 2};
static const uint8_t server_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 1};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void sent(struct dhcp6_client *c, const uint8_t *message, size_t len)
{
	struct end *e = container_of(c, struct end, client);
	struct dhcp6_message m;
	const char *why;

	check(dhcp6_message_read(message, len, &m, &why) == 0);
	check(dhcp6_duid_equal(&m.client, our_duid, sizeof(our_duid)));
	check((m.server.len != 0) ==
		(m.type == DHCP6_REQUEST || m.type == DHCP6_RENEW || m.type == DHCP6_RELEASE));
	/* 20 in 20 seconds, section 14.1 */
	check(++e->sent <= 21 + (e->now - e->opened_at) / 1000);
}

static void bound(struct dhcp6_client *c, const struct dhcp6_binding *b, msec now)
{
	struct end *e = container_of(c, struct end, client);

	(void)now;
	check(b->prefix_count <= DHCP6_PREFIX_MAX && b->dns_count <= DHCP6_DNS_MAX);
	for (unsigned i = 0; i < b->prefix_count; i++) {
		const struct dhcp6_prefix *p = &b->prefixes[i];

		check(p->valid && p->preferred <= p->valid && p->prefix.len >= 1 && p->prefix.len <= 64);
		check(!addr_is_multicast(&p->prefix.addr) && !addr_is_link_local(&p->prefix.addr));
	}
	check(!b->has_address || b->address.valid);
	e->holds = b->prefix_count || b->has_address;
}

static void lost(struct dhcp6_client *c, const char *why)
{
	struct end *e = container_of(c, struct end, client);

	check(why && e->holds);
	e->holds = false;
}

static void note(struct dhcp6_client *c, const char *text)
{
	(void)c;
	check(text && strlen(text) < 200);
}

static const struct dhcp6_client_ops ops = {.send = sent, .bound = bound, .lost = lost, .note = note};

static void open_client(struct end *e, uint8_t options)
{
	e->config = (struct dhcp6_client_config){.ops = &ops,
		.rng = &e->rng,
		.counters = &e->counters,
		.duid_len = sizeof(our_duid),
		.iaid = 1,
		.want_prefix = !(options & 1),
		.prefix_hint = options & 2 ? 56 : 0,
		.rapid_commit = options & 4};
	memcpy(e->config.duid, our_duid, sizeof(our_duid));
	e->opened_at = e->now;
	e->sent = 0;
	e->holds = false;
	dhcp6_client_open(&e->client, &e->config, !(options & 8), options & 16,
		options & 32 ? &e->client.binding : NULL, e->now);
}

static void pass_time(struct end *e, msec until)
{
	unsigned steps = 0;

	while (dhcp6_client_deadline(&e->client) <= until) {
		msec at = dhcp6_client_deadline(&e->client);

		check(++steps < 70000);
		e->now = at > e->now ? at : e->now;
		dhcp6_client_tick(&e->client, e->now);
	}
	e->now = until;
}

static void feed(struct end *e, struct reader *r)
{
	size_t len = reader_u8(r);

	len = reader_left(r) < len ? reader_left(r) : len;
	dhcp6_client_input(&e->client, reader_bytes(r, len), len, e->now);
}

static void feed_answer(struct end *e, struct reader *r)
{
	uint8_t buf[512];
	struct writer w = writer_of(buf, sizeof(buf));
	struct dhcp6_message m;
	size_t len;

	dhcp6_message_init(&m, reader_u8(r) & 1 ? DHCP6_REPLY : DHCP6_ADVERTISE, e->client.xid);
	m.client = (struct dhcp6_duid){our_duid, sizeof(our_duid)};
	m.server = (struct dhcp6_duid){server_duid, sizeof(server_duid)};
	dhcp6_message_write(&w, &m);
	len = reader_u8(r);
	len = reader_left(r) < len ? reader_left(r) : len;
	writer_bytes(&w, reader_bytes(r, len), len);
	dhcp6_client_input(&e->client, buf, writer_len(&w), e->now);
}

static void step(struct end *e, struct reader *r)
{
	switch (reader_u8(r) % 5) {
	case 0:
		pass_time(e, e->now + reader_u16(r) * 1000u);
		break;
	case 1:
		feed(e, r);
		break;
	case 2:
		feed_answer(e, r);
		break;
	case 3:
		dhcp6_client_release(&e->client, e->now);
		e->holds = false;
		check(dhcp6_client_deadline(&e->client) == MSEC_NEVER);
		break;
	default:
		open_client(e, reader_u8(r));
		break;
	}
	check(dhcp6_client_state(&e->client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct end e;
	struct reader r = reader_of(data, size);

	memset(&e, 0, sizeof(e));
	rng_init_seed(&e.rng, 1);
	e.now = 1000;
	open_client(&e, reader_u8(&r));
	while (reader_left(&r))
		step(&e, &r);
	return 0;
}

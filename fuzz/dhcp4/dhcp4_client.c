/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client, driven by a script of steps. The first byte holds the options it is opened with; each step is a byte and its operand:
 *   0 time passes (2 bytes, in seconds)     1 a message comes (2 bytes length)
 *   2 an answer comes: type (see feed_answer), last byte of yiaddr, 1 byte length, options; transaction and identifiers are what it expects
 *   3 it releases                           4 it is opened again (1 byte options)
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp4/client.h"
#include "lib/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct dhcp4_client client;
	struct dhcp4_client_config config;
	struct dhcp4_counters counters;
	struct rng rng;
	bool holds, ipcp;
	msec now, opened_at;
	unsigned sent, ticks;
};

static const struct addr own = {AF_INET, {198, 51, 100, 7}}, server = {AF_INET, {198, 51, 100, 1}};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void sent(struct dhcp4_client *c, const struct addr *src, const struct addr *dst,
	const uint8_t *message, size_t len)
{
	struct end *e = container_of(c, struct end, client);
	struct dhcp4_message m;
	const char *why;

	check(dhcp4_message_read(message, len, &m, &why) == 0);
	check(!m.reply && m.client_id_len == 2 && m.htype == DHCP4_HTYPE_SERIAL && m.hlen == 0);
	check(addr_equal(src, &m.ciaddr) || (addr_is_none(src) && addr_is_none(&m.ciaddr)));
	check(m.broadcast == addr_is_none(src));
	check(!m.subnet_request || (m.type == DHCP4_DISCOVER && m.request_hierarchical));
	check(!m.information_c && !m.information_s);
	check(addr_is_none(dst) || m.type == DHCP4_REQUEST || m.type == DHCP4_RELEASE);
	check(!e->ipcp || addr_equal(src, &own));
	/* 20 in 20 seconds */
	check(++e->sent <= 21 + (e->now - e->opened_at) / 1000);
}

static void check_subnet(const struct end *e, const struct dhcp4_subnet *s)
{
	struct prefix loopback = {{AF_INET, {127}}, 8}, groups = {{AF_INET, {224}}, 3};

	check(!s->deprecated && s->prefix.len >= 8 && s->prefix.len <= 30);
	check(!e->config.subnet_len || s->prefix.len <= e->config.subnet_len);
	check(!prefix_overlaps(&s->prefix, &loopback) && !prefix_overlaps(&s->prefix, &groups));
	check(!e->ipcp || !prefix_contains_addr(&s->prefix, &own));
}

static void bound(struct dhcp4_client *c, const struct dhcp4_binding *b, msec now)
{
	struct end *e = container_of(c, struct end, client);

	check(now == e->now);
	check(b->subnet_count <= DHCP4_SUBNET_MAX && b->dns_count <= DHCP4_DNS_MAX);
	check(!b->has_address || !e->ipcp);
	check(!b->has_address || (b->address.bytes[0] && b->address.bytes[0] < 224 && b->mask_len));
	check(b->subnet_count == 0 || e->config.want_subnet);
	for (unsigned i = 0; i < b->subnet_count; i++)
		check_subnet(e, &b->subnets[i]);
	check(b->subnet_count < 2 || !prefix_overlaps(&b->subnets[0].prefix, &b->subnets[1].prefix));
	e->holds = b->subnet_count || b->has_address;
}

static void lost(struct dhcp4_client *c, const char *why)
{
	struct end *e = container_of(c, struct end, client);

	check(why && e->holds);
	e->holds = false;
}

static void note(struct dhcp4_client *c, const char *text)
{
	(void)c;
	check(text && strlen(text) < 200);
}

static const struct dhcp4_client_ops ops = {.send = sent, .bound = bound, .lost = lost, .note = note};

static void open_client(struct end *e, uint8_t options)
{
	struct addr none = {0};

	e->config = (struct dhcp4_client_config){.ops = &ops,
		.rng = &e->rng,
		.counters = &e->counters,
		.client_id = {255, 1},
		.client_id_len = 2,
		.want_subnet = !(options & 1),
		.subnet_len = options & 2 ? 28 : 0,
		.rapid_commit = options & 4};
	e->ipcp = options & 8;
	e->opened_at = e->now;
	e->sent = 0;
	e->holds = false;
	dhcp4_client_open(&e->client, &e->config, e->ipcp ? &own : &none,
		options & 16 ? &e->client.binding : NULL, e->now);
}

/* A client that nobody answers goes on for ever: it is watched for so many ticks in all. */
enum { TICKS = 250 };

static void pass_time(struct end *e, msec until)
{
	while (dhcp4_client_deadline(&e->client) <= until && e->ticks++ < TICKS) {
		msec at = dhcp4_client_deadline(&e->client);

		e->now = at > e->now ? at : e->now;
		dhcp4_client_tick(&e->client, e->now);
	}
	if (e->ticks < TICKS)
		e->now = until;
}

static void feed(struct end *e, struct reader *r)
{
	size_t len = reader_u16(r);

	len = reader_left(r) < len ? reader_left(r) : len;
	dhcp4_client_input(&e->client, reader_bytes(r, len), len, e->now);
}

/* Type: two bits OFFER, ACK or NAK; bit 2: for subnets; bit 3: no lease; bit 4: Rapid Commit. */
static void feed_answer(struct end *e, struct reader *r)
{
	static const uint8_t types[] = {DHCP4_OFFER, DHCP4_ACK, DHCP4_NAK, DHCP4_ACK};
	uint8_t buf[600], kind = reader_u8(r), last = reader_u8(r);
	struct writer w = writer_of(buf, sizeof(buf));
	struct dhcp4_message m = {.type = types[kind & 3],
		.xid = kind & 4 ? e->client.subnets.xid : e->client.address.xid,
		.server = server,
		.yiaddr = addr4(198, 51, 100, last),
		.lease = kind & 8 ? 0 : 600,
		.rapid_commit = kind & 16};
	size_t len = reader_u8(r), end;

	dhcp4_message_write(&w, &m);
	for (end = writer_len(&w); buf[end - 1] != 255; end--)
		;
	w.pos = buf + end - 1; /* in place of the end */
	len = reader_left(r) < len ? reader_left(r) : len;
	writer_bytes(&w, reader_bytes(r, len), len);
	dhcp4_client_input(&e->client, buf, writer_len(&w), e->now);
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
		dhcp4_client_release(&e->client, e->now);
		e->holds = false;
		check(dhcp4_client_deadline(&e->client) == MSEC_NEVER);
		break;
	default:
		open_client(e, reader_u8(r));
		break;
	}
	check(dhcp4_client_state(&e->client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct end e;
	struct reader r = reader_of(data, size);

	memset(&e, 0, sizeof(e));
	rng_init_seed(&e.rng, 1);
	e.now = 1000;
	open_client(&e, reader_u8(&r));
	while (reader_left(&r) && e.ticks < TICKS)
		step(&e, &r);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "lib/container.h"

const struct addr none = {0};

static void on_send(struct dhcp4_client *c, const struct addr *src, const struct addr *dst,
	const uint8_t *message, size_t len)
{
	struct bench *b = container_of(c, struct bench, client);
	const char *why = NULL;

	assert_int_equal(dhcp4_message_read(message, len, &b->sent, &why), 0);
	assert_false(b->sent.reply);
	memcpy(b->raw, message, len);
	b->raw_len = len;
	b->src = *src;
	b->dst = *dst;
	b->sends++;
}

static void on_bound(struct dhcp4_client *c, const struct dhcp4_binding *binding, msec now)
{
	struct bench *b = container_of(c, struct bench, client);

	assert_int_equal(now, b->now);
	b->binding = *binding;
	b->bounds++;
	if (b->from_bound)
		b->from_bound(b);
}

static void on_lost(struct dhcp4_client *c, const char *why)
{
	struct bench *b = container_of(c, struct bench, client);

	snprintf(b->why, sizeof(b->why), "%s", why);
	b->losses++;
	if (b->from_lost)
		b->from_lost(b);
}

static void on_note(struct dhcp4_client *c, const char *text)
{
	struct bench *b = container_of(c, struct bench, client);

	snprintf(b->note, sizeof(b->note), "%s", text);
	b->notes++;
}

static const struct dhcp4_client_ops ops = {
	.send = on_send, .bound = on_bound, .lost = on_lost, .note = on_note};

const struct addr server = {AF_INET, {198, 51, 100, 1}}, address = {AF_INET, {198, 51, 100, 7}};

void setup(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	rng_init_seed(&b->rng, 1);
	b->now = START;
	b->config = (struct dhcp4_client_config){.ops = &ops,
		.rng = &b->rng,
		.counters = &b->counters,
		.client_id = {255, 1, 2, 3},
		.client_id_len = 4};
}

void open_client(struct bench *b)
{
	dhcp4_client_open(&b->client, &b->config, &none, NULL, b->now);
}

void open_router(struct bench *b)
{
	b->config.want_subnet = true;
	dhcp4_client_open(&b->client, &b->config, &address, NULL, b->now);
}

void give(struct bench *b, const struct dhcp4_message *m)
{
	uint8_t buf[DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp4_message_write(&w, m);
	assert_true(writer_ok(&w));
	dhcp4_client_input(&b->client, buf, writer_len(&w), b->now);
}

struct dhcp4_message answer(const struct bench *b, uint8_t type)
{
	struct dhcp4_message m = {.type = type, .xid = b->sent.xid, .server = server};

	if (type == DHCP4_NAK)
		return m;
	m.yiaddr = address;
	m.lease = 3600;
	return m;
}

void add_subnet(struct dhcp4_message *m, uint8_t third, uint8_t len)
{
	m->subnet_information = true;
	m->yiaddr = none;
	m->subnets[m->subnet_count++] =
		(struct dhcp4_subnet){.prefix = {addr4(10, 0, third, 0), len}, .hierarchical = true};
}

void reply(struct bench *b, uint8_t type)
{
	struct dhcp4_message m = answer(b, type);

	give(b, &m);
}

void reply_subnet(struct bench *b, uint8_t type, uint8_t third, uint8_t len)
{
	struct dhcp4_message m = answer(b, type);

	add_subnet(&m, third, len);
	give(b, &m);
}

void bind_address(struct bench *b)
{
	open_client(b);
	reply(b, DHCP4_OFFER);
	reply(b, DHCP4_ACK);
	assert_string_equal(dhcp4_client_state(&b->client), "bound");
}

void bind_subnet(struct bench *b)
{
	open_router(b);
	reply_subnet(b, DHCP4_OFFER, 0, 24);
	reply_subnet(b, DHCP4_ACK, 0, 24);
	assert_string_equal(dhcp4_client_state(&b->client), "bound");
	assert_int_equal(b->binding.subnet_count, 1);
}

void step(struct bench *b)
{
	msec at = dhcp4_client_deadline(&b->client);

	assert_true(at != MSEC_NEVER);
	if (at > b->now)
		b->now = at;
	dhcp4_client_tick(&b->client, b->now);
}

void step_until_sent(struct bench *b)
{
	unsigned before = b->sends;

	for (int i = 0; i < 100 && b->sends == before; i++)
		step(b);
	assert_int_equal(b->sends, before + 1);
}

void assert_addr(const struct addr *a, const struct addr *expected)
{
	assert_true(addr_equal(a, expected));
}

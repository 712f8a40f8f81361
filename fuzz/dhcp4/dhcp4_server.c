/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server, driven by a script of steps. Each step is a byte and its operand:
 *   0 a message comes (2 bytes length)
 *   1 a message comes whose head is right: type, addresses (see feed_proper), 1 byte length, options
 *   2 the lease changes (1 byte: bit 0 an address, bit 1 of IPCP, bit 2 a subnet, bit 3 another, bit 4 one that cannot be delegated,
 *     bit 5 no address of ours)
 * Whatever comes: nothing is given that is not offered, nor before it is in use, and there is one answer at most.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp4/server.h"
#include "lib/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct dhcp4_server server;
	struct dhcp4_server_config config;
	struct dhcp4_counters counters;
	uint8_t lease;
	bool address, subnets; /* in use */
	unsigned sent;
};

static const struct addr client = {AF_INET, {198, 51, 100, 7}}, ours = {AF_INET, {198, 51, 100, 1}};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void describe(struct dhcp4_server *s, struct dhcp4_offer *ret)
{
	struct end *e = container_of(s, struct end, server);

	*ret = (struct dhcp4_offer){
		.ipcp = e->lease & 2, .lease = 600, .mtu = 1400, .dns_count = 1, .dns = {ours}};
	if (e->lease & 1)
		ret->address = client;
	if (!(e->lease & 32))
		ret->server = ours;
	if (e->lease & 4)
		ret->subnets[ret->subnet_count++] = (struct prefix){addr4(203, 0, 113, 0), 24};
	if (e->lease & 8)
		ret->subnets[ret->subnet_count++] = (struct prefix){addr4(10, 0, 0, 0), 8};
	else if (e->lease & 16)
		ret->subnets[ret->subnet_count++] = (struct prefix){addr4(10, 0, 0, 0), 31};
}

static bool is_offered(const struct dhcp4_offer *o, const struct prefix *p)
{
	for (unsigned i = 0; i < o->subnet_count; i++)
		if (prefix_equal(&o->subnets[i], p))
			return p->len != 31;
	return false;
}

static void sent(struct dhcp4_server *s, const struct addr *dst, const uint8_t *message, size_t len)
{
	struct end *e = container_of(s, struct end, server);
	struct dhcp4_message m;
	struct dhcp4_offer o;
	const char *why;

	describe(s, &o);
	check(dhcp4_message_read(message, len, &m, &why) == 0);
	check(m.reply && addr_equal(&m.server, &ours));
	check(addr_is_none(dst) || addr_equal(dst, &client));
	check(addr_is_none(&m.yiaddr) || addr_equal(&m.yiaddr, &o.address));
	check(m.type != DHCP4_NAK || (addr_is_none(&m.yiaddr) && !m.lease && !m.subnet_count && m.text[0]));
	check(!m.subnet_request && (!m.information_c || m.type == DHCP4_OFFER));
	check(!m.subnet_count || addr_is_none(&m.yiaddr));
	check(m.lease || (addr_is_none(&m.yiaddr) && !m.subnet_count));
	if (m.type == DHCP4_ACK) {
		check(addr_is_none(&m.yiaddr) || o.ipcp || e->address);
		check(!m.subnet_count || e->subnets);
	}
	for (unsigned i = 0; i < m.subnet_count; i++)
		check(m.subnets[i].hierarchical && !m.subnets[i].deprecated &&
			is_offered(&o, &m.subnets[i].prefix));
	e->sent++;
}

static void in_use(struct dhcp4_server *s, bool address, bool subnets)
{
	struct end *e = container_of(s, struct end, server);

	check(address != e->address || subnets != e->subnets);
	e->address = address;
	e->subnets = subnets;
}

static void note(struct dhcp4_server *s, const char *text)
{
	(void)s;
	check(text);
}

static const struct dhcp4_server_ops ops = {
	.send = sent, .describe = describe, .in_use = in_use, .note = note};

static void feed(struct end *e, struct reader *r)
{
	size_t len = reader_u16(r);

	len = reader_left(r) < len ? reader_left(r) : len;
	dhcp4_server_input(&e->server, reader_bytes(r, len), len, 0);
}

/* Addresses: bit 0 ciaddr, bit 1 option 50, bit 2 server identifier, bit 3 Rapid Commit, bit 4: they are wrong. */
static void feed_proper(struct end *e, struct reader *r)
{
	uint8_t buf[600], type = reader_u8(r) % DHCP4_TYPES, has = reader_u8(r);
	struct writer w = writer_of(buf, sizeof(buf));
	struct addr named = has & 16 ? addr4(192, 0, 2, 1) : client;
	struct dhcp4_message m = {.type = type, .xid = 1, .broadcast = has & 32, .rapid_commit = has & 8};
	size_t len = reader_u8(r), end;

	if (has & 1)
		m.ciaddr = named;
	if (has & 2)
		m.requested = named;
	if (has & 4)
		m.server = ours;
	dhcp4_message_write(&w, &m);
	for (end = writer_len(&w); buf[end - 1] != 255; end--)
		;
	w.pos = buf + end - 1; /* in place of the end */
	len = reader_left(r) < len ? reader_left(r) : len;
	writer_bytes(&w, reader_bytes(r, len), len);
	dhcp4_server_input(&e->server, buf, writer_len(&w), 0);
}

static void step(struct end *e, struct reader *r)
{
	switch (reader_u8(r) % 3) {
	case 0:
		feed(e, r);
		break;
	case 1:
		feed_proper(e, r);
		break;
	default:
		e->lease = reader_u8(r);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct end e;
	struct reader r = reader_of(data, size);

	memset(&e, 0, sizeof(e));
	e.lease = 5;
	e.config = (struct dhcp4_server_config){.ops = &ops, .counters = &e.counters, .rapid_commit = true};
	dhcp4_server_open(&e.server, &e.config);
	while (reader_left(&r)) {
		unsigned before = e.sent;

		step(&e, &r);
		check(e.sent <= before + 1);
	}
	return 0;
}

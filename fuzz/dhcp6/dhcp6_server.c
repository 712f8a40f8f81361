/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server, driven by a script of steps. Each step is a byte and its operand:
 *   0 a message comes (1 byte length)
 *   1 a message comes with the identifiers in place: type, client (low bit), 1 byte length, options
 *   2 what was asked to be recorded is    3 or is refused
 *   4 the lease changes (1 byte: bit 0 a prefix, bit 1 two, bit 2 an address; bit 3 answer at once)
 * Whatever comes: nothing is granted that is not offered, nor before it is recorded, and in_use and released alternate.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp6/server.h"
#include "lib/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct dhcp6_server server;
	struct dhcp6_server_config config;
	struct dhcp6_counters counters;
	uint8_t lease;
	bool routed, recorded;
	unsigned sent, asked, answered;
};

static const uint8_t server_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 1};
static const uint8_t client_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 2};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void describe(struct dhcp6_server *s, struct dhcp6_offer *ret)
{
	struct end *e = container_of(s, struct end, server);

	memset(ret, 0, sizeof(*ret));
	ret->prefix_count = e->lease & 1 ? e->lease & 2 ? 2 : 1 : 0;
	for (unsigned i = 0; i < ret->prefix_count; i++)
		ret->prefixes[i] = (struct dhcp6_prefix){
			{{AF_INET6, {0x20, 0x01, 0x0d, 0xb8, 0x80, (uint8_t)i}}, 56}, 3600, 7200, 0};
	ret->has_address = e->lease & 4;
	if (ret->has_address)
		ret->address = (struct dhcp6_prefix){
			{{AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 2}}, 128}, 3600, 7200, 0};
	ret->dns_count = 1;
	ret->dns[0] = (struct addr){AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 0x53}};
}

static bool offered(const struct dhcp6_offer *o, const struct dhcp6_ia *ia, const struct dhcp6_prefix *p)
{
	for (unsigned i = 0; ia->pd && i < o->prefix_count; i++)
		if (prefix_equal(&o->prefixes[i].prefix, &p->prefix))
			return true;
	return !ia->pd && o->has_address && prefix_equal(&o->address.prefix, &p->prefix);
}

static void sent(struct dhcp6_server *s, const uint8_t *message, size_t len)
{
	struct end *e = container_of(s, struct end, server);
	struct dhcp6_message m;
	struct dhcp6_offer o;
	const char *why;

	check(dhcp6_message_read(message, len, &m, &why) == 0);
	check(m.type == DHCP6_ADVERTISE || m.type == DHCP6_REPLY);
	check(dhcp6_duid_equal(&m.server, server_duid, sizeof(server_duid)));
	describe(s, &o);
	for (unsigned i = 0; i < m.ia_count; i++)
		for (unsigned k = 0; k < m.ias[i].prefix_count; k++) {
			const struct dhcp6_prefix *p = &m.ias[i].prefixes[k];

			check(m.ias[i].status == DHCP6_NO_STATUS);
			check(!p->valid || offered(&o, &m.ias[i], p));
			check(!p->valid || m.type == DHCP6_ADVERTISE || e->recorded);
			check(!p->valid || !m.ias[i].pd || m.type == DHCP6_ADVERTISE || e->routed);
		}
	e->sent++;
}

static void bind_duid(struct dhcp6_server *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	struct end *e = container_of(s, struct end, server);

	(void)iaid;
	check(duid->len >= 3 && s->pending);
	e->asked++;
	check(e->asked == e->answered + 1);
	if (e->lease & 8) {
		e->answered++;
		e->recorded = true;
		dhcp6_server_bound(s, true, NULL, 0);
	}
}

static void released(struct dhcp6_server *s)
{
	struct end *e = container_of(s, struct end, server);

	check(e->routed);
	e->routed = false;
}

static void in_use(struct dhcp6_server *s)
{
	struct end *e = container_of(s, struct end, server);

	check(!e->routed && e->recorded);
	e->routed = true;
}

static void note(struct dhcp6_server *s, const char *text)
{
	(void)s;
	check(text);
}

static const struct dhcp6_server_ops ops = {.send = sent,
	.describe = describe,
	.bind = bind_duid,
	.released = released,
	.in_use = in_use,
	.note = note};

static void feed(struct end *e, struct reader *r)
{
	size_t len = reader_u8(r);

	len = reader_left(r) < len ? reader_left(r) : len;
	dhcp6_server_input(&e->server, reader_bytes(r, len), len, 0);
}

static void feed_proper(struct end *e, struct reader *r)
{
	uint8_t buf[512], duid[sizeof(client_duid)], type = reader_u8(r) % 12;
	struct writer w = writer_of(buf, sizeof(buf));
	size_t len;

	memcpy(duid, client_duid, sizeof(duid));
	duid[9] = reader_u8(r) & 1;
	writer_u32(&w, (uint32_t)type << 24 | 0x123456);
	writer_u32(&w, (uint32_t)DHCP6_OPTION_CLIENTID << 16 | sizeof(duid));
	writer_bytes(&w, duid, sizeof(duid));
	if (type == DHCP6_REQUEST || type == DHCP6_RENEW || type == DHCP6_RELEASE || type == DHCP6_DECLINE) {
		writer_u32(&w, (uint32_t)DHCP6_OPTION_SERVERID << 16 | sizeof(server_duid));
		writer_bytes(&w, server_duid, sizeof(server_duid));
	}
	len = reader_u8(r);
	len = reader_left(r) < len ? reader_left(r) : len;
	writer_bytes(&w, reader_bytes(r, len), len);
	dhcp6_server_input(&e->server, buf, writer_len(&w), 0);
}

static void answer(struct end *e, bool ok)
{
	if (e->asked == e->answered)
		return;
	e->answered++;
	e->recorded |= ok;
	dhcp6_server_bound(&e->server, ok, ok ? NULL : "no", 0);
}

static void step(struct end *e, struct reader *r)
{
	switch (reader_u8(r) % 5) {
	case 0:
		feed(e, r);
		break;
	case 1:
		feed_proper(e, r);
		break;
	case 2:
		answer(e, true);
		break;
	case 3:
		answer(e, false);
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
	e.lease = 9;
	e.config = (struct dhcp6_server_config){
		.ops = &ops, .counters = &e.counters, .duid_len = sizeof(server_duid), .rapid_commit = true};
	memcpy(e.config.duid, server_duid, sizeof(server_duid));
	dhcp6_server_open(&e.server, &e.config);
	while (reader_left(&r)) {
		unsigned before = e.sent;

		step(&e, &r);
		check(e.sent - before <= 1);
	}
	dhcp6_server_done(&e.server);
	return 0;
}

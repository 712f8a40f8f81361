/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder of Neighbor Discovery, with the packet as it comes and once more with length and checksum mended, so that the
 * fuzzer gets behind them. What is accepted keeps the promises of nd/packet.h and survives a round trip.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nd/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void again(const struct nd_message *m)
{
	static uint8_t buf[4096];
	struct writer w = writer_of(buf, sizeof(buf));
	struct nd_message n;
	const char *why;

	switch (m->type) {
	case ND_RA:
		nd_ra_write(&w, &m->src, &m->dst, &m->advert);
		break;
	case ND_NS:
		nd_ns_write(&w, &m->src, &m->dst, &m->target, m->has_nonce ? m->nonce : NULL);
		break;
	case ND_NA:
		nd_na_write(&w, &m->src, &m->dst, &m->target, m->router, m->solicited, m->override);
		break;
	default:
		return;
	}
	check(writer_ok(&w));
	check(nd_packet_read(buf, writer_len(&w), &n, &why) == 0);
	check(n.type == m->type && addr_equal(&n.src, &m->src) && addr_equal(&n.dst, &m->dst));
	check(addr_equal(&n.target, &m->target) && n.has_nonce == m->has_nonce);
	check(m->type != ND_RA || memcmp(&n.advert, &m->advert, sizeof(n.advert)) == 0);
}

static void promises(const struct nd_message *m)
{
	check(m->type >= ND_RS && m->type <= ND_REDIRECT);
	check(!addr_is_multicast(&m->src));
	check(m->advert.prefix_count <= ND_PREFIX_MAX && m->advert.dns_count <= ND_DNS_MAX);
	if (m->type == ND_RA)
		check(addr_is_link_local(&m->src));
	if (m->type == ND_NS || m->type == ND_NA)
		check(!addr_is_multicast(&m->target));
	for (unsigned i = 0; i < m->advert.prefix_count; i++)
		check(m->advert.prefixes[i].prefix.len <= 128);
}

static void decode(const uint8_t *data, size_t size)
{
	struct nd_message m;
	const char *why = NULL;
	char line[200];
	int err = nd_packet_read(data, size, &m, &why);

	check(err == 0 || err == -ENOMSG || (err == -EBADMSG && why));
	if (!err) {
		promises(&m);
		again(&m);
	}
	nd_packet_print(data, size, line, sizeof(line));
	check(strlen(line) < sizeof(line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[2048];

	decode(data, size);
	if (size < 44 || size > sizeof(buf))
		return 0;
	memcpy(buf, data, size);
	struct addr src = addr6_of(buf + 8), dst = addr6_of(buf + 24);

	buf[4] = (uint8_t)((size - 40) >> 8);
	buf[5] = (uint8_t)(size - 40);
	buf[42] = buf[43] = 0;
	uint16_t sum = ip6_checksum(&src, &dst, PROTO_ICMP6, buf + 40, size - 40);

	buf[42] = (uint8_t)(sum >> 8);
	buf[43] = (uint8_t)sum;
	decode(buf, size);
	return 0;
}

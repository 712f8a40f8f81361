/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nd/node: our addresses on the link.
 *
 * Timer: dad_at of each tentative address: the next probe, and after the last one the end of its DAD
 * (RetransTimer later, RFC 4862 section 5.4). An address is used and answered for from the beginning (RFC 4429), with the
 * override flag clear while it is tentative.
 */
#include "nd/node.h"

#include <errno.h>
#include <string.h>

enum { ECHO_MAX = 9216 }; /* the largest echo that is answered: a jumbo frame */

static struct nd_node_addr *find(struct nd_node *n, const struct addr *a)
{
	for (size_t i = 0; i < ND_NODE_ADDRS; i++)
		if (!addr_is_none(&n->addrs[i].addr) && addr_equal(&n->addrs[i].addr, a))
			return &n->addrs[i];
	return NULL;
}

static void emit(struct nd_node *n, const struct writer *w, uint64_t *counter)
{
	if (!writer_ok(w))
		return;
	n->config->counters->tx++;
	if (counter)
		(*counter)++;
	n->config->ops->send(n, w->start, writer_len(w));
}

void nd_node_open(struct nd_node *n, const struct nd_node_config *c)
{
	*n = (struct nd_node){.config = c};
}

/* Sends the next probe or, RetransTimer after the last one, ends DAD. */
static void dad_step(struct nd_node *n, struct nd_node_addr *a, msec now)
{
	static const struct addr unspecified = {.family = AF_INET6};
	struct addr dst = nd_solicited_node(&a->addr);
	uint8_t buf[128];
	struct writer w = writer_of(buf, sizeof(buf));

	if (!a->probes_left) {
		a->tentative = false;
		return;
	}
	a->probes_left--;
	a->dad_at = now + n->config->retrans_ms;
	rng_bytes(n->config->rng, a->nonce, sizeof(a->nonce));
	nd_ns_write(&w, &unspecified, &dst, &a->addr, a->nonce);
	emit(n, &w, &n->config->counters->ns_tx);
}

int nd_node_add(struct nd_node *n, const struct addr *a, msec now)
{
	uint8_t probes = n->config->dad_transmits;

	if (find(n, a))
		return 0;
	for (size_t i = 0; i < ND_NODE_ADDRS; i++) {
		struct nd_node_addr *slot = &n->addrs[i];

		if (!addr_is_none(&slot->addr))
			continue;
		*slot = (struct nd_node_addr){.addr = *a, .probes_left = probes, .tentative = probes > 0};
		if (slot->tentative)
			dad_step(n, slot, now);
		return 0;
	}
	return -ENOSPC;
}

void nd_node_remove(struct nd_node *n, const struct addr *a)
{
	struct nd_node_addr *slot = find(n, a);

	if (slot)
		*slot = (struct nd_node_addr){0};
}

bool nd_node_tentative(const struct nd_node *n, const struct addr *a)
{
	for (size_t i = 0; i < ND_NODE_ADDRS; i++)
		if (n->addrs[i].tentative && addr_equal(&n->addrs[i].addr, a))
			return true;
	return false;
}

static void duplicate(struct nd_node *n, struct nd_node_addr *a)
{
	struct addr addr = a->addr; /* a copy: the owner may remove it */

	a->duplicate = true;
	a->tentative = false;
	n->config->counters->duplicates++;
	n->config->ops->duplicate(n, &addr);
}

/* SOLICITOR NULL: a DAD probe, to be answered to everybody (RFC 4861 section 7.2.4). */
static void advertise(struct nd_node *n, const struct nd_node_addr *a, const struct addr *solicitor)
{
	struct addr dst = solicitor ? *solicitor : nd_all_nodes();
	uint8_t buf[128];
	struct writer w = writer_of(buf, sizeof(buf));

	nd_na_write(&w, &a->addr, &dst, &a->addr, n->config->router, solicitor != NULL, !a->tentative);
	emit(n, &w, &n->config->counters->na_tx);
}

static void solicited(struct nd_node *n, const struct nd_message *m)
{
	struct nd_counters *counters = n->config->counters;
	struct nd_node_addr *a = find(n, &m->target);

	counters->ns_rx++;
	if (!a || a->duplicate) {
		counters->ignored++;
		return;
	}
	if (addr_is_unspecified(&m->src)) {
		if (m->has_nonce && memcmp(m->nonce, a->nonce, sizeof(a->nonce)) == 0)
			counters->ignored++; /* our own probe, looped back: RFC 7527 */
		else if (a->tentative)
			duplicate(n,
				a); /* two nodes try the same address: neither gets it, RFC 4862 section 5.4.3 */
		else
			advertise(n, a, NULL);
		return;
	}
	if (find(n, &m->src)) {
		counters->bad_source++;
		return;
	}
	advertise(n, a, &m->src);
}

static void advertised(struct nd_node *n, const struct nd_message *m)
{
	struct nd_node_addr *a = find(n, &m->target);

	n->config->counters->na_rx++;
	/* After DAD an advertisement is no proof (RFC 4862 section 5.4.4), and may be our own come back. */
	if (a && a->tentative)
		duplicate(n, a);
	else
		n->config->counters->ignored++;
}

/* Answers an echo request to one of our addresses or to all nodes (RFC 4443 section 4.2). */
static bool echo(struct nd_node *n, const void *packet, size_t len)
{
	struct nd_counters *counters = n->config->counters;
	struct addr all_nodes = nd_all_nodes(), src;
	struct reader r = reader_of(packet, len);
	struct ip6 h = {0};
	uint8_t buf[ECHO_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	ip6_read(&r, &h);
	if (!reader_ok(&r) || h.next_header != PROTO_ICMP6 || !reader_left(&r) ||
		r.pos[0] != ICMP6_ECHO_REQUEST_T)
		return false;
	const struct nd_node_addr *a = addr_equal(&h.dst, &all_nodes) ? &n->addrs[0] : find(n, &h.dst);

	if (!a || addr_is_none(&a->addr) || a->duplicate)
		return false;
	src = a->addr;
	counters->rx++;
	counters->echo_rx++;
	if (reader_left(&r) < 8 || r.pos[1] != 0 ||
		ip6_checksum(&h.src, &h.dst, PROTO_ICMP6, r.pos, reader_left(&r)) != 0) {
		counters->bad_packet++;
		return true;
	}
	if (addr_is_multicast(&h.src) || addr_is_unspecified(&h.src) || find(n, &h.src)) {
		counters->bad_source++;
		return true;
	}
	struct ip6 reply = {.src = src, .dst = h.src, .next_header = PROTO_ICMP6, .hop_limit = 64};
	size_t at = ip6_begin(&w, &reply);

	writer_u8(&w, ICMP6_ECHO_REPLY_T);
	writer_zeros(&w, 3);
	reader_skip(&r, 4);
	size_t rest = reader_left(&r); /* identifier, sequence number and data */

	writer_bytes(&w, reader_bytes(&r, rest), rest);
	ip6_finish(&w, at);
	emit(n, &w, NULL);
	return true;
}

bool nd_node_input(struct nd_node *n, const struct nd_message *m, const void *packet, size_t len, msec now)
{
	(void)now;
	if (!m)
		return echo(n, packet, len);
	if (m->type != ND_NS && m->type != ND_NA)
		return false;
	n->config->counters->rx++;
	if (m->type == ND_NS)
		solicited(n, m);
	else
		advertised(n, m);
	return true;
}

void nd_node_tick(struct nd_node *n, msec now)
{
	for (size_t i = 0; i < ND_NODE_ADDRS; i++)
		if (n->addrs[i].tentative && now >= n->addrs[i].dad_at)
			dad_step(n, &n->addrs[i], now);
}

msec nd_node_deadline(const struct nd_node *n)
{
	msec at = MSEC_NEVER;

	for (size_t i = 0; i < ND_NODE_ADDRS; i++)
		if (n->addrs[i].tentative)
			at = msec_min(at, n->addrs[i].dad_at);
	return at;
}

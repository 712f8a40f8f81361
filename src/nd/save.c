/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Node, router and host as bytes, and back.
 *
 * Addresses that are being probed go on being probed. The link-local address of router and host is the owner's to know. The bucket that
 * bounds answers to solicitations begins full again.
 */
#include <errno.h>

#include "lib/record.h"
#include "nd/host.h"
#include "nd/node.h"
#include "nd/router.h"

enum { FLAG_TENTATIVE = 1, FLAG_DUPLICATE = 2, NODE_FLAGS = 3 };
enum { FLAG_ANSWER_PENDING = 1, ROUTER_FLAGS = 1 };

static int result(const struct reader *r)
{
	return reader_ok(r) ? 0 : -EBADMSG;
}

/* ---- node ---- */

static void put_address(const struct nd_node_addr *a, struct writer *w)
{
	record_put_addr(w, &a->addr);
	if (addr_is_none(&a->addr))
		return;
	writer_u8(w, (uint8_t)((a->tentative ? FLAG_TENTATIVE : 0) | (a->duplicate ? FLAG_DUPLICATE : 0)));
	if (!a->tentative)
		return;
	writer_bytes(w, a->nonce, sizeof(a->nonce));
	writer_u8(w, a->probes_left);
	writer_u64(w, a->dad_at);
}

void nd_node_save(const struct nd_node *n, struct writer *w)
{
	for (size_t i = 0; i < ND_NODE_ADDRS; i++)
		put_address(&n->addrs[i], w);
}

static void take_address(struct nd_node *n, struct nd_node_addr *a, struct reader *r, msec now)
{
	uint8_t flags;

	a->addr = record_addr(r);
	if (addr_is_none(&a->addr))
		return;
	if (a->addr.family != AF_INET6 || addr_is_multicast(&a->addr) || addr_is_unspecified(&a->addr))
		reader_fail(r, "not an IPv6 unicast address");
	flags = record_flags(r, NODE_FLAGS);
	a->tentative = (flags & FLAG_TENTATIVE) != 0;
	a->duplicate = (flags & FLAG_DUPLICATE) != 0;
	if (!a->tentative)
		return;
	reader_copy(r, a->nonce, sizeof(a->nonce));
	a->probes_left = record_u8(r, 0, 63) & 63;
	a->dad_at = msec_min(reader_u64(r), now + n->config->retrans_ms);
}

int nd_node_resume(struct nd_node *n, const struct nd_node_config *c, struct reader *r, msec now)
{
	nd_node_open(n, c);
	for (size_t i = 0; i < ND_NODE_ADDRS; i++)
		take_address(n, &n->addrs[i], r, now);
	return result(r);
}

/* ---- router ---- */

void nd_router_save(const struct nd_router *t, struct writer *w)
{
	writer_u8(w, t->answer_pending ? FLAG_ANSWER_PENDING : 0);
	writer_u8(w, t->initial_left);
	writer_u64(w, t->next_at);
	writer_u64(w, t->last_at);
}

/* Intervals may have become shorter; unsolicited advertisements may have been switched on or off. */
int nd_router_resume(struct nd_router *t, const struct nd_router_config *c, const struct addr *link_local,
	struct reader *r, msec now)
{
	msec last;

	*t = (struct nd_router){.config = c, .link_local = *link_local};
	t->answer_pending = record_flags(r, ROUTER_FLAGS) & FLAG_ANSWER_PENDING;
	t->initial_left = reader_u8(r);
	t->next_at = reader_u64(r);
	if (!c->max_interval_ms && !t->answer_pending)
		t->next_at = MSEC_NEVER;
	else
		t->next_at = msec_min(
			t->next_at, now + (c->max_interval_ms ? c->max_interval_ms : c->min_delay_ms));
	last = reader_u64(r);
	if (last != MSEC_NEVER && last > now)
		reader_fail(r, "time that has not come yet");
	t->last_at = last;
	return result(r);
}

/* ---- host ---- */

void nd_host_save(const struct nd_host *h, struct writer *w)
{
	record_put_addr(w, &h->router);
	writer_u64(w, h->solicit_at);
	writer_u64(w, h->router_until);
	writer_u32(w, h->interval_ms);
}

int nd_host_resume(struct nd_host *h, const struct nd_host_config *c, const struct addr *link_local,
	struct reader *r, msec now)
{
	enum { LIFETIME_MAX_MS = UINT16_MAX * 1000 };

	*h = (struct nd_host){.config = c, .link_local = *link_local};
	h->router = record_addr(r);
	if (!addr_is_none(&h->router) && (h->router.family != AF_INET6 || !addr_is_link_local(&h->router)))
		reader_fail(r, "router without a link-local address");
	h->solicit_at = record_deadline(r, now, 2 * (msec)c->solicit_max_ms);
	h->router_until = record_deadline(r, now, LIFETIME_MAX_MS);
	h->interval_ms = reader_u32(r);
	if (h->interval_ms > 2 * (msec)c->solicit_max_ms)
		reader_fail(r, "value out of range");
	/* One of the two must run: a host without a router asks for ever. */
	if (addr_is_none(&h->router) ? h->solicit_at == MSEC_NEVER : h->router_until == MSEC_NEVER)
		reader_fail(r, "neither a router nor a solicitation");
	return result(r);
}

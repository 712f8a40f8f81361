/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The concentrator's end: accepts a tunnel, keeps the lease, advertises the softwire's /64, serves DHCPv6 from the lease.
 */
#include "hub/engine.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- router: what the peer is told about the link ---- */

static void router_send(struct nd_router *r, const uint8_t *packet, size_t len)
{
	softwire_send_packet(&container_of(r, struct softwire_sc, router)->softwire, PPP_IPV6, packet, len);
}

static bool router_describe(struct nd_router *r, msec now, struct nd_advert *ret)
{
	struct softwire_sc *sc = container_of(r, struct softwire_sc, router);
	const struct softwire_lease *lease = sc->lease;

	ret->hop_limit = 64;
	ret->managed = lease->managed;
	ret->other = true; /* DNS and prefixes by DHCPv6 */
	ret->router_lifetime = (uint16_t)sc->softwire.config->router_lifetime;
	ret->mtu = sc->softwire.mtu;
	if (!prefix_is_none(&lease->link6)) {
		ret->prefix_count = 1;
		ret->prefixes[0] = (struct nd_prefix){
			.prefix = lease->link6,
			.valid = lease->valid,
			.preferred = lease->preferred,
			.on_link = true,
			.autonomous = !lease->managed,
		};
	}
	for (unsigned i = 0; i < lease->dns_count && i < ND_DNS_MAX; i++)
		if (lease->dns[i].family == AF_INET6)
			ret->dns[ret->dns_count++] = lease->dns[i];
	ret->dns_lifetime = ret->router_lifetime;
	return true;
}

static const struct nd_router_ops router_ops = {.send = router_send, .describe = router_describe};

/* ---- DHCPv6 server ---- */

static void server_send(struct dhcp6_server *d, const uint8_t *message, size_t len)
{
	struct softwire_sc *sc = container_of(d, struct softwire_sc, dhcp6);
	struct addr dst = nd_link_local(sc->softwire.ppp.peer_iid);

	softwire_send_dhcp6(&sc->softwire, &dst, DHCP6_SERVER_PORT, DHCP6_CLIENT_PORT, message, len);
}

static void server_describe(struct dhcp6_server *d, struct dhcp6_offer *ret)
{
	struct softwire_sc *sc = container_of(d, struct softwire_sc, dhcp6);
	const struct softwire_lease *lease = sc->lease;

	for (unsigned i = 0; i < lease->prefix_count; i++)
		ret->prefixes[ret->prefix_count++] = (struct dhcp6_prefix){
			.prefix = lease->delegated[i],
			.preferred = lease->preferred,
			.valid = lease->valid,
			.status = DHCP6_NO_STATUS,
		};
	if (lease->managed && !prefix_is_none(&lease->link6)) {
		struct addr a = addr6_with_iid(&lease->link6.addr, sc->softwire.ppp.peer_iid);

		ret->has_address = true;
		ret->address = (struct dhcp6_prefix){.prefix = prefix_of(&a, 128),
			.preferred = lease->preferred,
			.valid = lease->valid,
			.status = DHCP6_NO_STATUS};
	}
	for (unsigned i = 0; i < lease->dns_count; i++)
		if (lease->dns[i].family == AF_INET6)
			ret->dns[ret->dns_count++] = lease->dns[i];
}

static void server_bind(struct dhcp6_server *d, const struct dhcp6_duid *duid, uint32_t iaid)
{
	struct softwire *s = &container_of(d, struct softwire_sc, dhcp6)->softwire;

	s->config->ops->bind_duid(s, duid, iaid);
}

static void server_released(struct dhcp6_server *d)
{
	struct softwire *s = &container_of(d, struct softwire_sc, dhcp6)->softwire;

	s->config->ops->delegated(s, AF_INET6, false);
}

static void server_in_use(struct dhcp6_server *d)
{
	struct softwire *s = &container_of(d, struct softwire_sc, dhcp6)->softwire;

	s->config->ops->delegated(s, AF_INET6, true);
}

static void server_renewed(struct dhcp6_server *d)
{
	softwire_sc_renewed(container_of(d, struct softwire_sc, dhcp6), AF_INET6);
}

static void server_note(struct dhcp6_server *d, const char *text)
{
	softwire_note(&container_of(d, struct softwire_sc, dhcp6)->softwire, text);
}

static const struct dhcp6_server_ops server_ops = {
	.send = server_send,
	.describe = server_describe,
	.bind = server_bind,
	.released = server_released,
	.in_use = server_in_use,
	.renewed = server_renewed,
	.note = server_note,
};

/* ---- wiring ---- */

void softwire_sc_config(struct softwire_config *c)
{
	c->router = (struct nd_router_config){
		.ops = &router_ops,
		.rng = c->rng,
		.counters = &c->counters->nd,
		/* Before a third of the Router Lifetime of 9000 s is over, so that two may be lost. */
		.min_interval_ms = 2000000,
		.max_interval_ms = 3000000,
		.initial_interval_ms = 16000,
		.min_delay_ms = 3000, /* however often the path's MTU changes */
		.reply_unicast = 1,
	};
	c->dhcp6_server = (struct dhcp6_server_config){
		.ops = &server_ops,
		.counters = &c->counters->dhcp6,
		.rapid_commit = true,
		.preference = 255,
		.refresh = 86400,
	};
	softwire_sc4_config(c);
}

void softwire_sc_plan(const struct softwire_sc *sc, struct ppp_network *ret)
{
	ret->ipv6 = ret->ipv6 && !sc->lease->no_ipv6;
	ret->assign_iid = sc->lease->iid;
	softwire_sc4_plan(sc, ret);
}

void softwire_sc_renewed(struct softwire_sc *sc, uint8_t family)
{
	struct softwire *s = &sc->softwire;

	if (s->config->ops->renewed)
		s->config->ops->renewed(s, family);
}

void softwire_sc_withdraw(struct softwire_sc *sc, uint8_t family)
{
	bool *in_use = family == AF_INET6 ? &sc->dhcp6.using_prefixes : &sc->softwire.delegated4;

	if (*in_use)
		sc->softwire.config->ops->delegated(&sc->softwire, family, false);
	*in_use = false;
}

void softwire_sc_network(struct softwire_sc *sc)
{
	struct softwire *s = &sc->softwire;
	struct addr link_local = nd_link_local(s->ppp.iid);

	nd_router_open(&sc->router, &s->config->router, &link_local, s->now);
	dhcp6_server_open(&sc->dhcp6, &s->config->dhcp6_server);
}

void softwire_sc_network_down(struct softwire_sc *sc)
{
	dhcp6_server_done(&sc->dhcp6);
}

void softwire_sc_tick(struct softwire_sc *sc, msec now)
{
	if (sc->softwire.up6 && nd_router_deadline(&sc->router) <= now)
		nd_router_tick(&sc->router, now);
}

msec softwire_sc_deadline(const struct softwire_sc *sc)
{
	return sc->softwire.up6 ? nd_router_deadline(&sc->router) : MSEC_NEVER;
}

void softwire_sc_dhcp6(struct softwire_sc *sc, const uint8_t *message, size_t len, const struct addr *from)
{
	struct addr peer = nd_link_local(sc->softwire.ppp.peer_iid);

	/* The DUID is tied to this softwire and its user (HS-AAA-9); the far end is the only client on it. */
	if (!addr_equal(from, &peer)) {
		sc->softwire.config->counters->nd.bad_source++;
		softwire_note(&sc->softwire, "DHCPv6 from another address than the peer's link-local one");
		return;
	}
	dhcp6_server_input(&sc->dhcp6, message, len, sc->softwire.now);
}

void softwire_sc_done(struct softwire_sc *sc)
{
	free(sc->lease);
	sc->lease = NULL;
}

/* Says no to an SCCRQ that is not acceptable; PEER_TUNNEL is 0 where even that could not be read. */
static void refuse(struct softwire *s, uint16_t peer_tunnel, const struct l2tp_fault *fault)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	softwire_note(s, fault->text);
	l2tp_refusal(&w, peer_tunnel, fault->result, fault->error, fault->text);
	if (writer_ok(&w))
		s->config->ops->send(s, buf, writer_len(&w));
}

int softwire_sc_accept(struct softwire_sc *sc, const struct softwire_config *c, uint16_t tunnel_id,
	uint16_t session_id, const uint8_t *packet, size_t len, uint16_t mtu, msec now)
{
	struct softwire *s = &sc->softwire;
	struct reader r = reader_of(packet, len);
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m = {0};
	struct l2tp_fault fault;
	struct l2tp_header h;
	int err;

	softwire_begin(s, c, mtu, now);
	l2tp_header_read(&r, &h);
	if (!reader_ok(&r) || !h.control) {
		c->counters->l2tp.bad_header++;
		softwire_note(s, reader_ok(&r) ? "not a control message" : r.error);
		return -EBADMSG;
	}
	err = l2tp_message_read(reader_rest(&r), NULL, scratch, &m, &fault);
	if (err) {
		c->counters->l2tp.bad_avp++;
		refuse(s, m.assigned_tunnel, &fault);
		return -EBADMSG;
	}

	softwire_enter(s, now);
	softwire_trace(s, TRACE_RX_CONTROL, packet, len);
	err = l2tp_tunnel_accept(&s->tunnel, &c->l2tp, tunnel_id, session_id, &h, &m, now);
	if (err) {
		s->depth = 0;
		return err;
	}
	softwire_leave(s);
	return 0;
}

/* Most leases have few prefixes: the rest of the array is not kept. */
struct softwire_lease *softwire_lease_copy(const struct softwire_lease *lease)
{
	size_t size =
		offsetof(struct softwire_lease, delegated) + lease->prefix_count * sizeof(*lease->delegated);
	struct softwire_lease *copy = malloc(size);

	if (copy)
		memcpy(copy, lease, size);
	return copy;
}

void softwire_sc_lease(struct softwire_sc *sc, const struct softwire_lease *lease, const char *why, msec now)
{
	struct softwire *s = &sc->softwire;

	softwire_enter(s, now);
	if (s->step == STEP_LEASE && !lease) {
		softwire_close(s, CAUSE_NO_ADDRESS, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES, why, now);
	} else if (s->step == STEP_LEASE) {
		sc->lease = softwire_lease_copy(lease);
		if (!sc->lease) {
			softwire_close(s, CAUSE_RESOURCES, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES,
				"out of memory", now);
		} else {
			s->step = STEP_NCP;
			softwire_start_network(s);
		}
	}
	softwire_leave(s);
}

void softwire_sc_bound(struct softwire_sc *sc, bool ok, const char *why, msec now)
{
	struct softwire *s = &sc->softwire;

	softwire_enter(s, now);
	if (s->up6)
		dhcp6_server_bound(&sc->dhcp6, ok, why, now);
	softwire_leave(s);
}

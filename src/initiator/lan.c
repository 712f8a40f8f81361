/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LAN interfaces: each gets a /64 of every delegated prefix and Router Advertisements for it, where the softwire brings IPv6.
 *
 * The nd/router engine makes whole IPv6 packets. A raw ICMPv6 socket, opened by the keeper and bound to the interface, carries
 * the ICMPv6 part: the kernel chooses the link-local source and computes the checksum. On receipt it is the other way round: the header
 * is put back in front with what the kernel says (source, destination, hop limit), so that nd/packet checks everything.
 */
#include "initiator/role.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LAN_PACKET = 2048, LAN_ROUTER_LIFETIME = 1800 };

static void lan_arm(struct lan *lan)
{
	wheel_arm(&lan->role->loop->wheel, &lan->timer, nd_router_deadline(&lan->router));
}

static void lan_fire(struct wheel_timer *t, msec now)
{
	struct lan *lan = container_of(t, struct lan, timer);

	nd_router_tick(&lan->router, now);
	lan_arm(lan);
}

/* ---- what is advertised ---- */

static uint32_t left(msec until, msec now)
{
	return until == MSEC_NEVER ? ND_INFINITE : until <= now ? 0 : (uint32_t)((until - now) / 1000);
}

static bool describe(struct nd_router *r, msec now, struct nd_advert *ret)
{
	struct lan *lan = container_of(r, struct lan, router);
	const struct initiator *i = lan->role;
	bool any = false;

	ret->hop_limit = 64;
	for (unsigned n = 0; n < HELD_PREFIXES && ret->prefix_count < ND_PREFIX_MAX; n++) {
		const struct held_prefix *h = &i->held[n];
		struct prefix p = initiator_lan_prefix(i, &h->prefix, lan->index);

		if (prefix_is_none(&h->prefix) || prefix_is_none(&p))
			continue;
		ret->prefixes[ret->prefix_count++] = (struct nd_prefix){.prefix = p,
			.valid = left(h->valid_until, now),
			.preferred = left(h->preferred_until, now),
			.on_link = true,
			.autonomous = true};
		any |= h->current;
	}
	/* RFC 7084 L-3, G-4: a default router only while there is a default route and a prefix to use it with. */
	ret->router_lifetime = any && i->route6.on ? LAN_ROUTER_LIFETIME : 0;
	for (unsigned n = 0; n < i->lan_dns.count && n < ND_DNS_MAX; n++)
		ret->dns[ret->dns_count++] = i->lan_dns.list[n];
	ret->dns_lifetime =
		i->dns6.count ? ret->router_lifetime : 0; /* those that are withdrawn are told with 0 */
	return ret->prefix_count > 0;
}

static void lan_send(struct nd_router *r, const uint8_t *packet, size_t len)
{
	struct lan *lan = container_of(r, struct lan, router);
	struct reader in = reader_of(packet, len);
	struct endpoint dst = {0};
	struct sockaddr_storage ss;
	struct log_line l;
	struct ip6 h;
	socklen_t n;

	ip6_read(&in, &h);
	if (!reader_ok(&in))
		return;
	dst.addr = h.dst;
	n = endpoint_to_sockaddr(&dst, &ss);
	if (sendto(lan->fd, in.pos, reader_left(&in), MSG_DONTWAIT, (struct sockaddr *)&ss, n) >= 0)
		return;
	lan->resend = lan->role->kernel_changed = true;
	if (log_begin(lan->role->log, &l, LEVEL_DEBUG, "lan-send")) {
		log_text(&l, "device", lan->device);
		log_text(&l, "reason", strerror(errno));
		log_end(&l);
	}
}

static const struct nd_router_ops router_ops = {.send = lan_send, .describe = describe};

/* ---- solicitations ---- */

/* Source, destination and hop limit of a received message, from its control data. */
static bool read_header(struct msghdr *m, const struct sockaddr_in6 *from, struct ip6 *ret)
{
	*ret = (struct ip6){.src = addr6_of(from->sin6_addr.s6_addr), .next_header = PROTO_ICMP6};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ret->dst = addr6_of(info.ipi6_addr.s6_addr);
		} else if (c->cmsg_type == IPV6_HOPLIMIT) {
			int hops;

			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
			ret->hop_limit = (uint8_t)hops;
		}
	}
	return !addr_is_none(&ret->dst);
}

static void lan_input(struct lan *lan, const struct ip6 *h, const uint8_t *data, size_t len)
{
	uint8_t packet[LAN_PACKET + IP6_HEADER];
	struct writer w = writer_of(packet, sizeof(packet));
	size_t at = ip6_begin(&w, h);
	struct nd_message m;
	const char *why;

	writer_bytes(&w, data, len);
	ip6_finish(&w, at);
	if (!writer_ok(&w))
		return;
	if (nd_packet_read(packet, writer_len(&w), &m, &why)) {
		lan->role->lan_counters.bad_packet++;
		return;
	}
	if (m.type == ND_RS)
		nd_router_input(&lan->router, &m, loop_now(lan->role->loop));
	lan_arm(lan);
}

static void lan_ready(struct loop_watch *w, int events)
{
	struct lan *lan = container_of(w, struct lan, watch);
	uint8_t data[LAN_PACKET];
	char control[256];
	struct sockaddr_in6 from;
	struct iovec iov = {data, sizeof(data)};

	for (int batch = 0; batch < 16; batch++) {
		struct msghdr m = {.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(lan->fd, &m, MSG_DONTWAIT);
		struct ip6 h;

		if (n < 0)
			return;
		if (n >= 8 && read_header(&m, &from, &h))
			lan_input(lan, &h, data, (size_t)n);
	}
}

/* ---- start and stop ---- */

static void tell_missing(struct lan *lan, const char *why)
{
	struct log_line l;

	if (lan->missing_told || !log_begin(lan->role->log, &l, LEVEL_WARN, "lan-missing"))
		return;
	lan->missing_told = true;
	log_text(&l, "initiator", lan->role->config.name);
	log_text(&l, "device", lan->device);
	log_text(&l, "reason", why);
	log_text(&l, "advice", "it is served as soon as it is there");
	log_end(&l);
}

static void socket_opened(void *owner, int result, int fd)
{
	struct lan *lan = owner;
	struct initiator *i = lan->role;
	struct addr link_local = nd_link_local(1); /* the kernel puts the interface's own in its place */

	lan->opening = false;
	if (result || i->stopping || lan->retired) {
		if (fd >= 0)
			close(fd);
		if (result && !lan->retired)
			tell_missing(lan, strerror(-result));
		return;
	}
	lan->fd = fd;
	lan->watch.ready = lan_ready;
	if (loop_watch_start(i->loop, &lan->watch, fd, UV_READABLE)) {
		close(fd);
		lan->fd = -1;
		return;
	}
	lan->watching = true;
	lan->missing_told = false;
	nd_router_open(&lan->router, &i->lan_config, &link_local, loop_now(i->loop));
	nd_router_changed(&lan->router, loop_now(i->loop)); /* hosts may have been waiting */
	lan_arm(lan);
}

void initiator_lan_open(struct lan *lan)
{
	lan->ifindex = if_nametoindex(lan->device);
	if (!lan->ifindex) {
		tell_missing(lan, "no such interface");
		return;
	}
	if (!lan->role->config.ipv6) { /* nothing to advertise */
		lan->missing_told = false;
		return;
	}
	lan->opening = true;
	keeper_open_icmp6(lan->role->keeper, lan->device, socket_opened, lan);
}

static void watch_closed(struct loop_watch *w)
{
	struct lan *lan = container_of(w, struct lan, watch);

	close(lan->fd);
	lan->fd = -1;
	if (!lan->role->stopping && !lan->retired && !lan->watching && !lan->opening)
		initiator_lan_open(lan); /* the interface was made anew */
}

static void lan_close(struct lan *lan)
{
	wheel_disarm(&lan->role->loop->wheel, &lan->timer);
	lan->watching = false;
	lan->watch.closed = watch_closed;
	loop_watch_stop(&lan->watch);
}

static void name(struct initiator *i, struct lan *lan, const char device[16], unsigned index)
{
	lan->role = i;
	lan->index = index;
	lan->fd = -1;
	lan->timer.fire = lan_fire;
	memcpy(lan->device, device, sizeof(lan->device));
}

void initiator_lan_init(struct initiator *i)
{
	for (unsigned n = 0; n < i->config.lan_count; n++)
		name(i, &i->lans[n], i->config.lans[n], n);
	name(i, &i->bridge, i->config.lan_bridge, 0);
}

void initiator_lan_retire(struct initiator *i, struct lan *lan)
{
	lan->retired = true;
	if (!lan->watching)
		return;
	nd_router_close(&lan->router, loop_now(i->loop));
	lan_close(lan);
}

struct lan *initiator_lans(struct initiator *i, unsigned *ret_count)
{
	*ret_count = initiator_lan_count(i);
	return i->bridge_state == BRIDGE_MADE ? &i->bridge : i->lans;
}

unsigned initiator_lan_count(const struct initiator *i)
{
	return i->bridge_state == BRIDGE_MADE ? 1 : i->config.lan_count;
}

static void refresh(struct initiator *i, struct lan *lan)
{
	unsigned ifindex = if_nametoindex(lan->device);
	unsigned restored;
	struct log_line l;

	if (lan->watching && ifindex != lan->ifindex) {
		lan_close(lan); /* watch_closed() opens it again */
		return;
	}
	if (!lan->watching && !lan->opening && lan->fd < 0 && ifindex)
		initiator_lan_open(lan);
	restored = ifindex ? initiator_network_restore(i, lan) : 0;
	if (lan->watching && (restored || lan->resend)) {
		lan->resend = false;
		nd_router_changed(&lan->router, loop_now(i->loop));
		lan_arm(lan);
	}
	if (restored && initiator_log(i, &l, LEVEL_INFO, "lan-restored")) {
		log_text(&l, "device", lan->device);
		log_uint(&l, "addresses", restored);
		log_end(&l);
	}
}

void initiator_lan_refresh(struct initiator *i)
{
	unsigned count;
	struct lan *lans;

	initiator_bridge_refresh(i);
	lans = initiator_lans(i, &count);
	for (unsigned n = 0; n < count; n++)
		refresh(i, &lans[n]);
}

void initiator_lan_start(struct initiator *i)
{
	i->lan_config = (struct nd_router_config){
		.ops = &router_ops,
		.rng = i->rng,
		.counters = &i->lan_counters,
		.min_interval_ms = 200000,
		.max_interval_ms = 600000,
		.initial = 3,
		.initial_interval_ms = 16000,
		.min_delay_ms = 3000,
		.answer_delay_ms = 500,
	};
	initiator_bridge_start(i);
	for (unsigned n = 0; n < i->config.lan_count; n++)
		initiator_lan_open(&i->lans[n]);
}

void initiator_lan_changed(struct initiator *i)
{
	unsigned count;
	struct lan *lans = initiator_lans(i, &count);

	for (unsigned n = 0; n < count; n++) {
		if (!lans[n].watching)
			continue;
		nd_router_changed(&lans[n].router, loop_now(i->loop));
		lan_arm(&lans[n]);
	}
}

/* i->stopping keeps watch_closed() from opening it again. */
void initiator_lan_leave(struct initiator *i)
{
	for (unsigned n = 0; n < i->config.lan_count; n++)
		if (i->lans[n].watching)
			lan_close(&i->lans[n]);
	if (i->bridge.watching)
		lan_close(&i->bridge);
}

void initiator_lan_stop(struct initiator *i)
{
	unsigned count;
	struct lan *lans = initiator_lans(i, &count);

	for (unsigned n = 0; n < count; n++)
		initiator_lan_retire(i, &lans[n]);
	initiator_bridge_stop(i);
}

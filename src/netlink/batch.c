/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many routes in one message. Only the last one is acknowledged; of the others the kernel says something only when they fail.
 *
 * A route that is there already is looked up before it is replaced: by an address that only the most unlucky longer prefix has, its last. What the look
 * does not find is deleted, for which the kernel compares the protocol, and added again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/fib.h"
#include "netlink/request.h"

/* Header, rtmsg, and attributes: destination, table, metric, device, gateway. */
enum { ROUTE_BYTES = 16 + 12 + 20 + 8 + 8 + 8 + 24 };

struct batch {
	struct netlink *netlink;
	uint32_t table, metric;
	struct netlink_bgp_route *routes;
	uint32_t first; /* sequence number of the first */
	unsigned count;
	uint32_t len;
	struct netlink_bgp_route *rows[NETLINK_BATCH];
	char bytes[NETLINK_BATCH * ROUTE_BYTES] __attribute__((aligned(8)));
};

/* ---- one message ---- */

static void put_gateway(struct nlmsghdr *h, uint8_t family, const struct addr *gateway)
{
	char bytes[sizeof(struct rtvia) + sizeof(gateway->bytes)] __attribute__((aligned(8)));
	struct rtvia *via = (struct rtvia *)bytes;

	if (gateway->family == family) {
		request_put_addr(h, RTA_GATEWAY, gateway);
		return;
	}
	via->rtvia_family = gateway->family;
	memcpy(via->rtvia_addr, gateway->bytes, addr_size(gateway->family));
	mnl_attr_put(h, RTA_VIA, sizeof(*via) + addr_size(gateway->family), via);
}

static void put_route(struct batch *b, uint16_t type, uint16_t flags, struct netlink_bgp_route *row)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(b->bytes + b->len);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	bool add = type == RTM_NEWROUTE;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = b->first + b->count;
	m->rtm_family = row->dst.addr.family;
	m->rtm_dst_len = row->dst.len;
	m->rtm_table = b->table < 256 ? (uint8_t)b->table : RT_TABLE_UNSPEC;
	m->rtm_protocol = NETLINK_BGP;
	m->rtm_type = add ? RTN_UNICAST : RTN_UNSPEC;
	m->rtm_scope = add ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE;
	m->rtm_flags = add && row->on_link ? RTNH_F_ONLINK : 0;
	if (row->dst.len)
		request_put_addr(h, RTA_DST, &row->dst.addr);
	mnl_attr_put_u32(h, RTA_TABLE, b->table);
	mnl_attr_put_u32(h, RTA_PRIORITY, b->metric);
	if (add) {
		mnl_attr_put_u32(h, RTA_OIF, row->ifindex);
		put_gateway(h, row->dst.addr.family, &row->gateway);
	}
	b->rows[b->count++] = row;
	b->len += h->nlmsg_len;
}

static void begin(struct batch *b)
{
	b->first = b->netlink->sequence + 1;
	b->count = 0;
	b->len = 0;
}

/* ---- all of them ---- */

static int run(struct batch *b)
{
	int errors[NETLINK_BATCH] = {0};
	int r = b->count ? request_run_many(b->netlink, b->bytes, b->len, b->count, errors) : 0;

	for (unsigned i = 0; i < b->count && !r; i++)
		if (errors[i])
			b->rows[i]->error = errors[i];
	return r;
}

/* ---- what is there already ---- */

static struct addr last_address(const struct prefix *p)
{
	struct addr a = p->addr;

	for (unsigned bit = p->len; bit < addr_bits(a.family); bit++)
		a.bytes[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
	return a;
}

enum place { PLACE_UNKNOWN, PLACE_OURS, PLACE_DONE };

static enum place look(struct batch *b, const struct netlink_bgp_route *row)
{
	struct addr a = last_address(&row->dst);
	struct netlink_way way;

	if (netlink_way(b->netlink, &a, 0, &way) || !prefix_equal(&way.route, &row->dst) ||
		way.table != b->table || way.metric != b->metric || way.protocol != NETLINK_BGP)
		return PLACE_UNKNOWN;
	return addr_equal(&way.gateway, &row->gateway) && way.ifindex == row->ifindex ? PLACE_DONE
										      : PLACE_OURS;
}

/* Ours goes, if it is ours, and the new one comes. */
static int delete_and_add(struct batch *b, struct netlink_bgp_route **rows, unsigned count)
{
	unsigned left = 0;
	int r;

	begin(b);
	for (unsigned i = 0; i < count; i++) {
		rows[i]->error = 0;
		put_route(b, RTM_DELROUTE, 0, rows[i]);
	}
	r = run(b);
	begin(b);
	for (unsigned i = 0; i < count; i++)
		if (rows[i]->error)
			rows[i]->error = -EEXIST; /* what has the place is not ours */
		else
			rows[left++] = rows[i];
	for (unsigned i = 0; i < left; i++)
		put_route(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, rows[i]);
	return r ? r : run(b);
}

static int put_in_place(struct batch *b, struct netlink_bgp_route **rows, unsigned count)
{
	struct netlink_bgp_route *unknown[NETLINK_BATCH], *ours[NETLINK_BATCH];
	unsigned unknown_count = 0, our_count = 0;
	int r;

	for (unsigned i = 0; i < count; i++) {
		rows[i]->error = 0;
		switch (look(b, rows[i])) {
		case PLACE_UNKNOWN:
			unknown[unknown_count++] = rows[i];
			break;
		case PLACE_OURS:
			ours[our_count++] = rows[i];
			break;
		case PLACE_DONE:
			break;
		}
	}
	begin(b); /* the looks have had sequence numbers, too */
	for (unsigned i = 0; i < our_count; i++)
		put_route(b, RTM_NEWROUTE, NLM_F_REPLACE, ours[i]);
	r = run(b);
	return r || !unknown_count ? r : delete_and_add(b, unknown, unknown_count);
}

int netlink_bgp_routes(
	struct netlink *n, uint32_t table, uint32_t metric, struct netlink_bgp_route *routes, unsigned count)
{
	struct batch b = {.netlink = n, .table = table, .metric = metric};
	struct netlink_bgp_route *taken[NETLINK_BATCH];
	unsigned taken_count = 0;
	int r;

	if (count > NETLINK_BATCH || !metric)
		return -EINVAL;
	n->error[0] = 0;
	begin(&b);
	for (unsigned i = 0; i < count; i++) {
		bool add = routes[i].add;

		routes[i].error = 0;
		put_route(&b, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_EXCL : 0,
			&routes[i]);
	}
	r = run(&b);
	for (unsigned i = 0; i < count && !r; i++) {
		if (routes[i].add && routes[i].error == -EEXIST)
			taken[taken_count++] = &routes[i];
		else if (!routes[i].add && routes[i].error == -ESRCH)
			routes[i].error = 0;
	}
	return r || !taken_count ? r : put_in_place(&b, taken, taken_count);
}

/* ---- all of ours ---- */

struct flush {
	uint32_t metric, table;
	uint8_t family;
	unsigned count, most;
	struct netlink_bgp_route *routes;
};

struct key {
	struct addr dst;
	uint32_t table, metric;
};

static int take_key(const struct nlattr *a, void *arg)
{
	struct key *k = arg;

	switch (mnl_attr_get_type(a)) {
	case RTA_DST:
		if (mnl_attr_get_payload_len(a) == addr_size(k->dst.family))
			memcpy(k->dst.bytes, mnl_attr_get_payload(a), addr_size(k->dst.family));
		break;
	case RTA_TABLE:
		k->table = mnl_attr_validate(a, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(a);
		break;
	case RTA_PRIORITY:
		k->metric = mnl_attr_validate(a, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(a);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

/* -ECANCELED ends the reading: there is no room for more. */
static int take_ours(const struct nlmsghdr *h, void *arg)
{
	struct flush *f = arg;
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct key k = {.dst.family = f->family};

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*m) ||
		m->rtm_family != f->family)
		return 0;
	k.table = m->rtm_table;
	if (mnl_attr_parse(h, sizeof(*m), take_key, &k) < 0)
		return -EBADMSG;
	/* One for some packets only (TOS, source) is none of ours, whatever it says, and our request would not find it. */
	if (m->rtm_protocol != NETLINK_BGP || k.table != f->table || k.metric != f->metric ||
		m->rtm_flags & RTM_F_CLONED || m->rtm_tos || m->rtm_src_len)
		return 0;
	if (f->count == f->most)
		return -ECANCELED;
	f->routes[f->count++] = (struct netlink_bgp_route){.dst = {.addr = k.dst, .len = m->rtm_dst_len}};
	return 0;
}

/* By a socket of its own, which is closed where it has told enough. */
static int find_ours(struct flush *f, uint8_t family)
{
	struct netlink *n = netlink_open();
	struct nlmsghdr *h;
	struct rtmsg *m;
	void *header;
	int on = 1, r;

	if (!n)
		return -errno;
	/* Or the kernel tells all that it has, and take_ours() chooses. */
	(void)setsockopt(mnl_socket_get_fd(n->socket), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	h = request_begin(n, RTM_GETROUTE, NLM_F_DUMP, sizeof(*m), &header);
	m = header;
	m->rtm_family = f->family = family;
	m->rtm_protocol = NETLINK_BGP;
	mnl_attr_put_u32(h, RTA_TABLE, f->table);
	r = request_run(n, h, take_ours, f);
	netlink_close(n);
	/* A table that was never used is not there; a list that changed is read again by whoever asks for what is left. */
	return r == -ENOENT || r == -EAGAIN || r == -ECANCELED ? 0 : r;
}

/* An error where none could be deleted: whoever wants the rest would ask for ever. */
static int delete_all(struct netlink *n, struct flush *f)
{
	unsigned failed = 0;
	int r = 0, first = 0;

	for (unsigned done = 0; done < f->count && !r; done += NETLINK_BATCH) {
		unsigned count = f->count - done < NETLINK_BATCH ? f->count - done : NETLINK_BATCH;

		r = netlink_bgp_routes(n, f->table, f->metric, f->routes + done, count);
		for (unsigned i = done; i < done + count; i++) {
			failed += f->routes[i].error != 0;
			first = first ? first : f->routes[i].error;
		}
	}
	return r || failed < f->count ? r : first;
}

int netlink_bgp_flush(struct netlink *n, uint32_t table, uint32_t metric, unsigned most, unsigned *ret_count)
{
	struct flush f = {.table = table, .metric = metric, .most = most};
	int r;

	f.routes = calloc(most, sizeof(*f.routes));
	if (!f.routes)
		return -ENOMEM;
	r = find_ours(&f, AF_INET);
	if (!r && f.count < most)
		r = find_ours(&f, AF_INET6);
	if (!r)
		r = delete_all(n, &f);
	if (!r)
		*ret_count = f.count;
	free(f.routes);
	return r;
}

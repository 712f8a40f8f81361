/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses: whose one is that is there, adding and deleting ours.
 *
 * The kernel replaces and deletes addresses without asking whose they are, so we look first (and when nobody has one yet, insist that
 * this is still so). Kernels before 5.18 keep no protocol with an address: there nobody can tell.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if_arp.h>
#include <string.h>

#include "netlink/link.h"

#ifndef IFA_PROTO /* Linux 5.18; older kernels ignore it */
#define IFA_PROTO 11
#endif

enum { PREFIX_WITHOUT_BROADCAST = 31, TRIES = 5 };

/* ---- whose ---- */

struct search {
	const struct addr *address;
	uint8_t prefix_len;
	unsigned ifindex;
	bool found;
	uint8_t protocol; /* of what was found */
	bool tells;       /* some address has a protocol: this kernel knows what that is */
};

/* What one message says. */
struct facts {
	uint8_t family, protocol;
	struct addr local, address;
};

static struct addr to_addr(const struct nlattr *a, uint8_t family)
{
	struct addr r = {0};

	if (mnl_attr_get_payload_len(a) == addr_size(family)) {
		r.family = family;
		memcpy(r.bytes, mnl_attr_get_payload(a), addr_size(family));
	}
	return r;
}

static int take_attribute(const struct nlattr *a, void *arg)
{
	struct facts *f = arg;

	if (mnl_attr_get_type(a) == IFA_LOCAL)
		f->local = to_addr(a, f->family);
	else if (mnl_attr_get_type(a) == IFA_ADDRESS)
		f->address = to_addr(a, f->family);
	else if (mnl_attr_get_type(a) == IFA_PROTO && mnl_attr_validate(a, MNL_TYPE_U8) >= 0)
		f->protocol = mnl_attr_get_u8(a);
	return MNL_CB_OK;
}

/* IPv6 has an address but once on a device, IPv4 once for each prefix length. */
static bool is_wanted(const struct search *s, const struct ifaddrmsg *m, const struct facts *f)
{
	const struct addr *a = addr_is_none(&f->local) ? &f->address : &f->local; /* IPv6 leaves LOCAL out */

	return m->ifa_index == s->ifindex && addr_equal(a, s->address) &&
	       (m->ifa_family == AF_INET6 || m->ifa_prefixlen == s->prefix_len);
}

static int take_address(const struct nlmsghdr *h, void *arg)
{
	struct search *s = arg;
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct facts f = {0};

	if (h->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return -EBADMSG;
	f.family = m->ifa_family;
	if (mnl_attr_parse(h, sizeof(*m), take_attribute, &f) < 0)
		return -EBADMSG;
	s->tells = s->tells || f.protocol;
	if (is_wanted(s, m, &f)) {
		s->found = true;
		s->protocol = f.protocol;
	}
	return 0;
}

static enum netlink_owner owner_of(const struct search *s)
{
	if (!s->found)
		return NETLINK_NOBODY;
	if (s->protocol == NETLINK_PROTOCOL)
		return NETLINK_OURS;
	return s->tells ? NETLINK_OTHERS : NETLINK_UNKNOWN;
}

static int find_owner(struct netlink *n, unsigned ifindex, const struct addr *a, uint8_t prefix_len,
	enum netlink_owner *ret)
{
	int r = -EAGAIN;

	/* A list that changed while it was read may lack what had been there all the time. */
	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		struct search s = {.address = a, .prefix_len = prefix_len, .ifindex = ifindex};
		void *family;
		struct nlmsghdr *h =
			request_begin(n, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg), &family);

		((struct ifaddrmsg *)family)->ifa_family = a->family;
		r = request_run(n, h, take_address, &s);
		n->tells_protocol = n->tells_protocol || s.tells;
		s.tells = n->tells_protocol;
		if (!r)
			*ret = owner_of(&s);
	}
	return r;
}

int netlink_address_owner(struct netlink *n, const char *device, const struct addr *a, uint8_t prefix_len,
	enum netlink_owner *ret)
{
	struct link_info link;
	int r = link_get(n, device, 0, &link);

	return r ? r : find_owner(n, link.index, a, prefix_len, ret);
}

/* ---- adding and deleting ---- */

struct change {
	const struct link_info *link;
	const struct addr *address;
	uint8_t prefix_len;
	uint32_t valid, preferred;
};

static uint32_t flags_of(const struct change *c)
{
	bool link_local = c->address->family == AF_INET6 && addr_is_link_local(c->address);
	uint32_t flags = 0;

	if (c->link->type != ARPHRD_NONE)
		return 0;
	if (c->address->family == AF_INET6)
		flags |= IFA_F_NODAD;
	if (!link_local)
		flags |= IFA_F_NOPREFIXROUTE;
	return flags;
}

/* The kernel takes the broadcast address as it is told, and without one has none. RFC 3021: a /31 has no room for it. */
static void put_broadcast(struct nlmsghdr *h, const struct change *c)
{
	struct addr b = *c->address;

	if (b.family != AF_INET || c->link->type == ARPHRD_NONE || c->prefix_len >= PREFIX_WITHOUT_BROADCAST)
		return;
	for (unsigned bit = c->prefix_len; bit < addr_bits(AF_INET); bit++)
		b.bytes[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
	request_put_addr(h, IFA_BROADCAST, &b);
}

/* An address of the host's own, even on a device that leads elsewhere, is no source for what leaves. */
static uint8_t scope_of(const struct addr *a)
{
	if (addr_is_loopback(a))
		return RT_SCOPE_HOST;
	return a->family == AF_INET6 && addr_is_link_local(a) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static struct nlmsghdr *put_change(struct netlink *n, uint16_t type, uint16_t flags, const struct change *c)
{
	const struct addr *a = c->address;
	struct ifaddrmsg *m;
	struct nlmsghdr *h;
	void *family;

	h = request_begin(n, type, flags, sizeof(*m), &family);
	m = family;
	m->ifa_family = a->family;
	m->ifa_prefixlen = c->prefix_len;
	m->ifa_index = c->link->index;
	m->ifa_scope = scope_of(a);
	request_put_addr(h, IFA_LOCAL, a);
	request_put_addr(h, IFA_ADDRESS, a);
	return h;
}

static int add_address(struct netlink *n, enum netlink_owner owner, const struct change *c)
{
	struct ifa_cacheinfo life = {.ifa_valid = c->valid, .ifa_prefered = c->preferred};
	struct nlmsghdr *h = put_change(
		n, RTM_NEWADDR, NLM_F_CREATE | (owner == NETLINK_NOBODY ? NLM_F_EXCL : NLM_F_REPLACE), c);

	put_broadcast(h, c);
	mnl_attr_put_u32(h, IFA_FLAGS, flags_of(c));
	mnl_attr_put_u8(h, IFA_PROTO, NETLINK_PROTOCOL);
	mnl_attr_put(h, IFA_CACHEINFO, sizeof(life), &life);
	return request_run(n, h, NULL, NULL);
}

/* The kernel takes the on-link route of an IPv6 address away only with a permanent one; else it stays for what the lifetime was. */
static int make_permanent(struct netlink *n, const struct change *c)
{
	struct change forever = *c;

	if (c->address->family != AF_INET6 || c->link->type == ARPHRD_NONE)
		return 0;
	forever.valid = forever.preferred = UINT32_MAX;
	return add_address(n, NETLINK_OURS, &forever);
}

static int delete_address(struct netlink *n, const struct change *c)
{
	int r = make_permanent(n, c);

	if (!r)
		r = request_run(n, put_change(n, RTM_DELADDR, 0, c), NULL, NULL);
	return r == -EADDRNOTAVAIL || r == -ENODEV ? 0 : r;
}

int netlink_address(struct netlink *n, bool add, const char *device, const struct addr *a, uint8_t prefix_len,
	uint32_t valid, uint32_t preferred)
{
	enum netlink_owner owner = NETLINK_NOBODY;
	struct link_info link;
	struct change c = {&link, a, prefix_len, valid, preferred};
	int r;

	if (addr_is_none(a) || prefix_len > addr_bits(a->family) || (add && (!valid || preferred > valid)))
		return -EINVAL;
	r = link_get(n, device, 0, &link);
	if (!r)
		r = find_owner(n, link.index, a, prefix_len, &owner);
	if (r)
		return r == -ENODEV && !add ? 0 : r;
	if (owner == NETLINK_OTHERS)
		return -EEXIST;
	if (add)
		return add_address(n, owner, &c);
	return owner == NETLINK_NOBODY ? 0 : delete_address(n, &c);
}

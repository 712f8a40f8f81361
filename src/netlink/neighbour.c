/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Permanent neighbours, many in one message. */
#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>

#include "netlink/link.h"

/* Header, ndmsg, address, link-layer address. As many errors must fit into a socket's buffer. */
enum { NEIGHBOUR_BYTES = 16 + 12 + 20 + 12, NEIGHBOURS_AT_ONCE = 128 };

_Static_assert(NEIGHBOURS_AT_ONCE *NEIGHBOUR_BYTES <= NETLINK_BUFFER, "they are built where requests are");

static size_t put(
	void *at, uint32_t sequence, bool add, unsigned ifindex, const struct netlink_neighbour *row)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	h->nlmsg_type = add ? RTM_NEWNEIGH : RTM_DELNEIGH;
	h->nlmsg_flags = NLM_F_REQUEST | (add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	h->nlmsg_seq = sequence;
	m->ndm_family = row->address.family;
	m->ndm_ifindex = (int)ifindex;
	m->ndm_state = NUD_PERMANENT;
	request_put_addr(h, NDA_DST, &row->address);
	if (add)
		mnl_attr_put(h, NDA_LLADDR, sizeof(row->lladdr), row->lladdr);
	return h->nlmsg_len;
}

static int change_some(
	struct netlink *n, bool add, unsigned ifindex, const struct netlink_neighbour *list, unsigned count)
{
	int errors[NEIGHBOURS_AT_ONCE] = {0}, r, first = 0;
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += put(n->buffer + len, n->sequence + 1 + i, add, ifindex, &list[i]);
	r = request_run_many(n, n->buffer, len, count, errors);
	for (unsigned i = 0; i < count && !r; i++)
		if (!first && (add || errors[i] != -ENOENT))
			first = errors[i];
	return r ? r : first;
}

int netlink_neighbours(
	struct netlink *n, bool add, const char *device, const struct netlink_neighbour *list, unsigned count)
{
	struct link_info link;
	int r = link_get(n, device, 0, &link), first = 0;

	if (r)
		return r == -ENODEV && !add ? 0 : r;
	for (unsigned i = 0; i < count; i++)
		if (addr_is_none(&list[i].address))
			return -EINVAL;
	for (unsigned done = 0; done < count; done += NEIGHBOURS_AT_ONCE) {
		unsigned some = count - done < NEIGHBOURS_AT_ONCE ? count - done : NEIGHBOURS_AT_ONCE;

		r = change_some(n, add, link.index, list + done, some);
		first = first ? first : r;
	}
	return first;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of our own: networks and the kernel's, and the Encapsulation SAFI's route to where we decapsulate.
 */
#include "bgp/parts.h"

#include <errno.h>
#include <string.h>

/* ORIGIN IGP and an empty path: what every route has. */
static void plain_set(struct writer *w)
{
	uint8_t origin = BGP_ORIGIN_IGP;

	bgp_attribute_put(w, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, &origin, 1);
	bgp_attribute_put(w, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, NULL, 0);
}

static struct rib_path *own_path(struct bgp *b, enum bgp_family f, const struct prefix *prefix)
{
	struct rib *r = &b->ribs[f];
	rib_id net = rib_find(r, prefix);
	struct rib_path *p = net ? rib_first_path(r, net) : NULL;

	while (p && p->source)
		p = rib_next_path(r, p);
	return p;
}

int bgp_originate(struct bgp *b, enum bgp_family family, const struct bgp_nlri *nlri, struct reader set,
	const struct bgp_next_hop_value *next_hop, enum bgp_origin_kind kind, msec now)
{
	static const struct bgp_next_hop_value ourselves;
	const struct rib_path *old = own_path(b, family, &nlri->prefix);
	const struct bgp_set *interned;
	uint8_t plain[16];
	struct writer w = writer_of(plain, sizeof plain);
	int err;

	if (old && old->origin == BGP_NETWORK && kind == BGP_KERNEL)
		return 0;
	if (!reader_left(&set)) {
		plain_set(&w);
		set = reader_of(plain, writer_len(&w));
	}
	interned = bgp_set_get(&b->sets, set, NULL, next_hop ? next_hop : &ourselves, 0);
	if (!interned)
		return -ENOMEM;
	/* Policies ask where it comes from: with another origin it is another route, also where nothing else is different. */
	if (old && old->origin != (uint32_t)kind)
		(void)rib_withdraw(&b->ribs[family], &nlri->prefix, 0, NULL);
	err = rib_update(&b->ribs[family], nlri, 0, interned, BGP_BAR_NONE, (uint32_t)(now / 1000), NULL);
	if (err < 0)
		return -ENOMEM;
	own_path(b, family, &nlri->prefix)->origin = (uint32_t)kind & 3;
	return 0;
}

void bgp_unoriginate(
	struct bgp *b, enum bgp_family family, const struct prefix *prefix, enum bgp_origin_kind kind)
{
	const struct rib_path *old = own_path(b, family, prefix);

	if (old && old->origin == (uint32_t)kind)
		(void)rib_withdraw(&b->ribs[family], prefix, 0, NULL);
}

/* ---- what we decapsulate ---- */

static enum bgp_family encap_family(const struct addr *endpoint)
{
	return endpoint->family == AF_INET ? BGP_IPV4_ENCAP : BGP_IPV6_ENCAP;
}

/* The route of the Encapsulation SAFI, in the form of RFC 5512, which is all that those know who ask for it. */
static int originate_endpoint(struct bgp *b, msec now)
{
	struct bgp_nlri nlri = {
		.prefix = prefix_of(&b->tunnel_endpoint, addr_bits(b->tunnel_endpoint.family))};
	struct bgp_next_hop_value next_hop = {.global = b->tunnel_endpoint};
	uint8_t plain[16], value[768], set[1024];
	struct writer p = writer_of(plain, sizeof plain), v = writer_of(value, sizeof value),
		      w = writer_of(set, sizeof set);
	struct bgp_edit edit = {
		.communities = b->classes.communities,
		.community_count = b->classes.community_count,
		.extended = b->classes.colors,
		.extended_count = b->classes.color_count,
		.tunnel = value,
	};

	bgp_tunnels_write(&v, b->tunnels, b->tunnel_count, true);
	edit.tunnel_len = writer_len(&v);
	plain_set(&p);
	if (!writer_ok(&v) || bgp_set_edit(reader_of(plain, writer_len(&p)), &edit, &w))
		return -ENOMEM;
	return bgp_originate(b, encap_family(&b->tunnel_endpoint), &nlri, reader_of(set, writer_len(&w)),
		&next_hop, BGP_TUNNEL_ENDPOINT, now);
}

static void unoriginate_endpoint(struct bgp *b)
{
	struct prefix prefix = prefix_of(&b->tunnel_endpoint, addr_bits(b->tunnel_endpoint.family));

	if (b->tunnel_count)
		bgp_unoriginate(b, encap_family(&b->tunnel_endpoint), &prefix, BGP_TUNNEL_ENDPOINT);
}

int bgp_set_tunnels(struct bgp *b, const struct addr *endpoint, const struct bgp_tunnel *tunnels,
	unsigned count, const struct bgp_classes *classes, msec now)
{
	int err = 0;

	count = count < BGP_TUNNELS ? count : BGP_TUNNELS;
	if (b->tunnel_count && (!count || !addr_equal(endpoint, &b->tunnel_endpoint)))
		unoriginate_endpoint(b);
	b->tunnel_endpoint = count ? *endpoint : (struct addr){0};
	if (count)
		memcpy(b->tunnels, tunnels, count * sizeof *tunnels);
	b->tunnel_count = count;
	b->classes = *classes;
	if (count)
		err = originate_endpoint(b, now);
	for (unsigned i = 1; i <= BGP_NEIGHBORS; i++)
		if (b->neighbors[i] && b->neighbors[i]->up)
			send_own(b->neighbors[i], now);
	return err;
}

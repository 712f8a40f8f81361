/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tunnels for people. */
#include <errno.h>
#include <string.h>

#include "bgp/tunnel.h"
#include "lib/text.h"

static const struct {
	uint16_t type;
	const char *name;
} names[] = {
	{BGP_TUNNEL_L2TPV3, "l2tpv3"},
	{BGP_TUNNEL_GRE, "gre"},
	{BGP_TUNNEL_IPSEC_TUNNEL, "ipsec"},
	{BGP_TUNNEL_IPIP_IPSEC, "ipip-ipsec"},
	{BGP_TUNNEL_MPLS_IPSEC, "mpls-ipsec"},
	{BGP_TUNNEL_IPIP, "ipip"},
	{BGP_TUNNEL_MPLS, "mpls"},
	{BGP_TUNNEL_MPLS_GRE, "mpls-in-gre"},
	{BGP_TUNNEL_MPLS_UDP, "mpls-in-udp"},
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

const char *bgp_tunnel_type_name(uint16_t type)
{
	for (unsigned i = 0; i < NAMES; i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}

int bgp_tunnel_type_parse(const char *name, uint16_t *ret)
{
	for (unsigned i = 0; i < NAMES; i++)
		if (!strcmp(names[i].name, name)) {
			*ret = names[i].type;
			return 0;
		}
	return -EINVAL;
}

static void add_protocol(struct text *out, const struct bgp_tunnel *t)
{
	if (!t->protocol || bgp_tunnel_is_for_mpls(t->type))
		return;
	switch (t->protocol) {
	case 0x0800:
		text_add(out, " protocol ipv4");
		break;
	case 0x86dd:
		text_add(out, " protocol ipv6");
		break;
	case 0x8847:
		text_add(out, " protocol mpls");
		break;
	default:
		text_add(out, " protocol 0x%04x", t->protocol);
	}
}

static void add_endpoint(struct text *out, const struct bgp_tunnel *t)
{
	char address[ADDR_TEXT];

	if (!t->has_endpoint)
		return;
	text_add(out, " endpoint %s",
		addr_is_none(&t->endpoint) ? "next-hop" : addr_print(&t->endpoint, address));
}

const char *bgp_tunnel_print(const struct bgp_tunnel *t, char *buf, size_t size)
{
	struct text out = {.buf = buf, .size = size};
	const char *name = bgp_tunnel_type_name(t->type);

	if (size)
		*buf = '\0';
	if (name)
		text_add(&out, "%s", name);
	else
		text_add(&out, "type %u", t->type);
	if (t->has_encapsulation && t->type == BGP_TUNNEL_L2TPV3)
		text_add(&out, " session %u", t->session);
	if (t->cookie_len)
		text_add(&out, " cookie of %u octets", t->cookie_len);
	if (t->has_key)
		text_add(&out, " key %u", t->key);
	add_protocol(&out, t);
	add_endpoint(&out, t);
	for (unsigned i = 0; i < t->color_count; i++)
		text_add(&out, " color %u", t->colors[i]);
	if (t->has_ds)
		text_add(&out, " ds 0x%02x", t->ds);
	if (t->udp_port)
		text_add(&out, " port %u", t->udp_port);
	if (t->embedded_label)
		text_add(&out, " embedded-label %u", t->embedded_label);
	for (unsigned i = 0; i < t->label_count; i++)
		text_add(&out, " label %u", t->labels[i] >> 12);
	if (t->key_count)
		text_add(&out, " %u public keys", t->key_count);
	return buf;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Tunnel Encapsulation attribute, a row for each type of tunnel and each sub-TLV (RFC 9012 sections 2, 3 and 13). */
#include "bgp/tunnel.h"

#include <errno.h>
#include <string.h>

enum {
	LONG_LENGTH = 128, /* from this sub-TLV type on, the length has two octets */
	ETHERTYPE_MPLS = 0x8847,
	PROTOCOL_RESERVED = 0xffff,
	COLOR_COMMUNITY = 0x030b,
	AUTHENTICATOR_SHA1 = 1, /* RFC 5566 section 4 */
	PROTOCOLS = 4,
};

/* ---- types ---- */

enum {
	OVER_IP = 1,
	OVER_UDP = 2,
	FOR_MPLS = 4, /* X-in-Y: section 3.4.1 */
	WITH_SESSION = 8,
	WITH_KEY = 16,
	WITH_IPSEC = 32,
};

/* RFC 5566's "transmit tunnel endpoint" is none of them: nobody sends there. */
static const struct {
	uint16_t type;
	uint8_t traits;
} types[] = {
	{BGP_TUNNEL_L2TPV3, OVER_IP | WITH_SESSION},
	{BGP_TUNNEL_GRE, OVER_IP | WITH_KEY},
	{BGP_TUNNEL_IPSEC_TUNNEL, OVER_IP | WITH_IPSEC},
	{BGP_TUNNEL_IPIP_IPSEC, OVER_IP | WITH_IPSEC},
	{BGP_TUNNEL_MPLS_IPSEC, OVER_IP | WITH_IPSEC | FOR_MPLS},
	{BGP_TUNNEL_IPIP, OVER_IP},
	{BGP_TUNNEL_MPLS, 0},
	{BGP_TUNNEL_MPLS_GRE, OVER_IP | WITH_KEY | FOR_MPLS},
	{BGP_TUNNEL_MPLS_UDP, OVER_IP | OVER_UDP | FOR_MPLS},
};

static bool find_type(uint16_t type, uint8_t *ret_traits)
{
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type) {
			*ret_traits = types[i].traits;
			return true;
		}
	return false;
}

bool bgp_tunnel_is_for_mpls(uint16_t type)
{
	uint8_t traits;

	return find_type(type, &traits) && traits & FOR_MPLS;
}

/* ---- sub-TLVs ---- */

/* A TLV that is being read. */
struct draft {
	struct bgp_tunnel tunnel;
	uint8_t traits;
	uint16_t seen; /* sub-TLVs of types below 16: a bit for each */
	unsigned protocol_count;
	uint16_t protocols[PROTOCOLS];
	const char *unusable; /* why nothing can be sent; or NULL */
	const char *invalid;  /* why the TLV counts as not being there (section 3.1); or NULL */
};

/*
 * Decoders find a VALUE whose length is within their row. One that is malformed, or means nothing to the type of tunnel, changes nothing: it is to be
 * treated like one that is unknown. Section 13.
 */

static void read_encapsulation(struct draft *d, struct reader value)
{
	struct bgp_tunnel *t = &d->tunnel;
	size_t cookie = reader_left(&value) - 4;
	uint32_t number = reader_u32(&value);

	if (d->traits & WITH_SESSION && number &&
		(cookie == 0 || cookie == 4 || cookie == 8)) { /* RFC 3931 section 5.4.4 */
		t->has_encapsulation = true;
		t->session = number;
		t->cookie_len = (uint8_t)cookie;
		reader_copy(&value, t->cookie, cookie);
	} else if (d->traits & WITH_KEY && cookie == 0) {
		t->has_encapsulation = t->has_key = true;
		t->key = number;
	}
}

static void write_encapsulation(struct writer *w, const struct bgp_tunnel *t)
{
	if (t->has_encapsulation && t->type == BGP_TUNNEL_L2TPV3) {
		writer_u8(w, BGP_SUB_ENCAPSULATION);
		writer_u8(w, (uint8_t)(4 + t->cookie_len));
		writer_u32(w, t->session);
		writer_bytes(w, t->cookie, t->cookie_len);
	} else if (t->has_key && (t->type == BGP_TUNNEL_GRE || t->type == BGP_TUNNEL_MPLS_GRE)) {
		writer_u8(w, BGP_SUB_ENCAPSULATION);
		writer_u8(w, 4);
		writer_u32(w, t->key);
	}
}

static void read_protocol(struct draft *d, struct reader value)
{
	uint16_t protocol = reader_u16(&value);

	if (d->traits & FOR_MPLS || protocol == PROTOCOL_RESERVED)
		return;
	if (d->protocol_count < PROTOCOLS)
		d->protocols[d->protocol_count++] = protocol;
	if (!protocol)
		d->unusable = "it is for payload of EtherType 0";
}

static void write_protocol(struct writer *w, const struct bgp_tunnel *t)
{
	if (!t->protocol || bgp_tunnel_is_for_mpls(t->type))
		return;
	writer_u8(w, BGP_SUB_PROTOCOL);
	writer_u8(w, 2);
	writer_u16(w, t->protocol);
}

static void read_authenticator(struct draft *d, struct reader value)
{
	struct bgp_tunnel *t = &d->tunnel;

	if (d->traits & WITH_IPSEC && reader_u16(&value) == AUTHENTICATOR_SHA1 &&
		reader_left(&value) == BGP_KEY_HASH && t->key_count < BGP_TUNNEL_KEYS)
		reader_copy(&value, t->keys[t->key_count++], BGP_KEY_HASH);
}

static void write_authenticator(struct writer *w, const struct bgp_tunnel *t)
{
	for (unsigned i = 0; i < t->key_count; i++) {
		writer_u8(w, BGP_SUB_IPSEC_AUTHENTICATOR);
		writer_u8(w, 2 + BGP_KEY_HASH);
		writer_u16(w, AUTHENTICATOR_SHA1);
		writer_bytes(w, t->keys[i], BGP_KEY_HASH);
	}
}

static void read_color(struct draft *d, struct reader value)
{
	struct bgp_tunnel *t = &d->tunnel;

	if (reader_u16(&value) != COLOR_COMMUNITY || t->color_count == BGP_TUNNEL_COLORS)
		return;
	reader_u16(&value); /* flags: to be ignored, section 4.3 */
	t->colors[t->color_count++] = reader_u32(&value);
}

static void write_color(struct writer *w, const struct bgp_tunnel *t)
{
	for (unsigned i = 0; i < t->color_count; i++) {
		writer_u8(w, BGP_SUB_COLOR);
		writer_u8(w, 8);
		writer_u64(w, bgp_color_community(0, t->colors[i]));
	}
}

/* Blocks of RFC 6890's registries that are no destination or are not forwarded, without those for documentation; and multicast. */
static const struct prefix martians[] = {
	{{AF_INET, {0}}, 8},
	{{AF_INET, {127}}, 8},
	{{AF_INET, {169, 254}}, 16},
	{{AF_INET, {224}}, 3},
	{{AF_INET6, {0}}, 127}, /* :: and ::1 */
	{{AF_INET6, {[10] = 0xff, 0xff}}, 96},
	{{AF_INET6, {0xfe, 0x80}}, 10},
	{{AF_INET6, {0xff}}, 8},
};

static bool is_martian(const struct addr *a)
{
	for (unsigned i = 0; i < sizeof(martians) / sizeof(martians[0]); i++)
		if (prefix_contains_addr(&martians[i], a))
			return true;
	return false;
}

static void read_endpoint(struct draft *d, struct reader value)
{
	struct bgp_tunnel *t = &d->tunnel;
	uint16_t afi;

	reader_u32(&value); /* reserved */
	afi = reader_u16(&value);
	if (afi && afi != BGP_AFI_IPV4 && afi != BGP_AFI_IPV6) {
		d->unusable = "its endpoint is neither IPv4 nor IPv6";
		return;
	}
	t->has_endpoint = true;
	if (!reader_ok(&value) || reader_left(&value) != (afi == 0 ? 0 : afi == BGP_AFI_IPV4 ? 4 : 16)) {
		d->invalid = "the length of its endpoint is not that of its address family";
		return;
	}
	if (!afi)
		return;
	t->endpoint.family = afi == BGP_AFI_IPV4 ? AF_INET : AF_INET6;
	reader_copy(&value, t->endpoint.bytes, reader_left(&value));
	if (is_martian(&t->endpoint))
		d->invalid = "its endpoint is an address that nothing is forwarded to";
}

static void write_endpoint(struct writer *w, const struct bgp_tunnel *t)
{
	if (!t->has_endpoint)
		return;
	writer_u8(w, BGP_SUB_ENDPOINT);
	writer_u8(w, (uint8_t)(6 + addr_size(t->endpoint.family)));
	writer_u32(w, 0);
	writer_u16(w, t->endpoint.family == AF_INET    ? BGP_AFI_IPV4
		      : t->endpoint.family == AF_INET6 ? BGP_AFI_IPV6
						       : 0);
	writer_bytes(w, t->endpoint.bytes, addr_size(t->endpoint.family));
}

static void read_ds(struct draft *d, struct reader value)
{
	d->tunnel.has_ds = d->traits & OVER_IP;
	d->tunnel.ds = d->tunnel.has_ds ? reader_u8(&value) : 0;
}

static void write_ds(struct writer *w, const struct bgp_tunnel *t)
{
	if (!t->has_ds)
		return;
	writer_u8(w, BGP_SUB_DS);
	writer_u8(w, 1);
	writer_u8(w, t->ds);
}

static void read_udp_port(struct draft *d, struct reader value)
{
	if (d->traits & OVER_UDP)
		d->tunnel.udp_port = reader_u16(&value); /* 0 is malformed, and as if there were none */
}

static void write_udp_port(struct writer *w, const struct bgp_tunnel *t)
{
	if (!t->udp_port)
		return;
	writer_u8(w, BGP_SUB_UDP_PORT);
	writer_u8(w, 2);
	writer_u16(w, t->udp_port);
}

static void read_embedded_label(struct draft *d, struct reader value)
{
	uint8_t handling = reader_u8(&value);

	if (handling == 1 || handling == 2)
		d->tunnel.embedded_label = handling;
}

static void write_embedded_label(struct writer *w, const struct bgp_tunnel *t)
{
	if (!t->embedded_label)
		return;
	writer_u8(w, BGP_SUB_EMBEDDED_LABEL);
	writer_u8(w, 1);
	writer_u8(w, t->embedded_label);
}

static void read_labels(struct draft *d, struct reader value)
{
	struct bgp_tunnel *t = &d->tunnel;

	if (reader_left(&value) % 4)
		return;
	if (reader_left(&value) / 4 > BGP_TUNNEL_LABELS) {
		d->unusable = "its label stack has more labels than are supported";
		return;
	}
	while (reader_left(&value))
		t->labels[t->label_count++] = reader_u32(&value);
}

static void write_labels(struct writer *w, const struct bgp_tunnel *t)
{
	if (!t->label_count)
		return;
	writer_u8(w, BGP_SUB_LABEL_STACK);
	writer_u8(w, (uint8_t)(4 * t->label_count));
	for (unsigned i = 0; i < t->label_count; i++)
		writer_u32(w, t->labels[i]);
}

static const struct row {
	uint8_t type, min, max; /* octets of the value */
	bool often;             /* may come more than once */
	bool legacy;            /* RFC 5512 and RFC 5566 know it */
	void (*read)(struct draft *d, struct reader value);
	void (*write)(struct writer *w, const struct bgp_tunnel *t); /* the whole sub-TLV, or nothing */
} rows[] = {
	{BGP_SUB_ENCAPSULATION, 4, 4 + BGP_COOKIE, false, true, read_encapsulation, write_encapsulation},
	{BGP_SUB_PROTOCOL, 2, 2, true, true, read_protocol, write_protocol},
	{BGP_SUB_IPSEC_AUTHENTICATOR, 2, 255, true, true, read_authenticator, write_authenticator},
	{BGP_SUB_COLOR, 8, 8, true, true, read_color, write_color},
	{BGP_SUB_ENDPOINT, 0, 255, false, false, read_endpoint, write_endpoint},
	{BGP_SUB_DS, 1, 1, false, false, read_ds, write_ds},
	{BGP_SUB_UDP_PORT, 2, 2, false, false, read_udp_port, write_udp_port},
	{BGP_SUB_EMBEDDED_LABEL, 1, 1, false, false, read_embedded_label, write_embedded_label},
	{BGP_SUB_LABEL_STACK, 0, 255, false, false, read_labels, write_labels},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct row *find_row(uint8_t type)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

/* ---- reading ---- */

static void read_subtlv(struct draft *d, uint8_t type, struct reader value)
{
	const struct row *row = find_row(type);
	bool again;

	if (!row)
		return;
	again = d->seen & 1u << type;
	d->seen |= (uint16_t)(1u << type);
	if (again && type == BGP_SUB_ENDPOINT)
		d->invalid = "it has two endpoints";
	if ((!again || row->often) && reader_left(&value) >= row->min && reader_left(&value) <= row->max)
		row->read(d, value);
}

/* False: sub-TLVs do not end where the TLV does. */
static bool read_subtlvs(struct draft *d, struct reader tlv)
{
	while (reader_left(&tlv)) {
		uint8_t type = reader_u8(&tlv);
		size_t len = type < LONG_LENGTH ? reader_u8(&tlv) : reader_u16(&tlv);
		struct reader value = reader_sub(&tlv, len);

		if (!reader_ok(&tlv))
			return false;
		read_subtlv(d, type, value);
	}
	return true;
}

/* Why the tunnel cannot be used, or NULL. */
static const char *judge(const struct draft *d, bool known)
{
	if (!known)
		return "its type is unknown";
	if (d->unusable)
		return d->unusable;
	if (d->traits & WITH_SESSION && !d->tunnel.has_encapsulation)
		return "it has no session";
	return NULL;
}

/* One tunnel for each payload that is named. */
static const char *add_tunnel(struct bgp_tunnels *all, struct draft *d)
{
	if (d->traits & FOR_MPLS)
		d->protocols[d->protocol_count++] = ETHERTYPE_MPLS;
	if (!d->protocol_count)
		d->protocols[d->protocol_count++] = 0;
	for (unsigned i = 0; i < d->protocol_count; i++) {
		if (all->count == BGP_TUNNELS)
			return "there are too many";
		d->tunnel.protocol = d->protocols[i];
		all->tunnel[all->count++] = d->tunnel;
	}
	return NULL;
}

/* Into *ret; 0, -EINVAL or -EPROTO. */
static int read_tunnel(uint16_t type, struct reader tlv, struct draft *ret, bool *ret_known, const char **why)
{
	*ret = (struct draft){.tunnel.type = type};
	*ret_known = find_type(type, &ret->traits);
	if (!read_subtlvs(ret, tlv)) {
		*why = "the parts of a tunnel do not fit its length";
		return -EPROTO;
	}
	if (!ret->invalid)
		return 0;
	*why = ret->invalid;
	return -EINVAL;
}

int bgp_tunnel_check(uint16_t type, struct reader tlv, const char **why)
{
	struct draft d;
	bool known;

	return read_tunnel(type, tlv, &d, &known, why);
}

int bgp_tunnels_read(struct reader value, struct bgp_tunnels *ret, const char **why)
{
	struct bgp_tunnels all = {0};
	bool valid = false;

	while (reader_left(&value)) {
		uint16_t type = reader_u16(&value), len = reader_u16(&value);
		struct reader tlv = reader_sub(&value, len);
		struct draft d;
		const char *bad = NULL;
		bool known;
		int r;

		if (!reader_ok(&value)) {
			*why = "a tunnel does not fit";
			return -EPROTO;
		}
		r = read_tunnel(type, tlv, &d, &known, &bad);
		if (r == -EPROTO) {
			*why = bad;
			return r;
		}
		valid |= !r;
		if (!bad)
			bad = judge(&d, known);
		if (!bad)
			bad = add_tunnel(&all, &d);
		if (bad) {
			all.ignored++;
			all.why = bad;
		}
	}
	if (!valid) {
		*why = all.why ? all.why : "no tunnel is in it";
		return -EPROTO;
	}
	*ret = all;
	return 0;
}

/* ---- writing ---- */

void bgp_tunnels_write(struct writer *w, const struct bgp_tunnel *tunnels, unsigned count, bool legacy)
{
	for (unsigned i = 0; i < count; i++) {
		size_t at;

		writer_u16(w, tunnels[i].type);
		at = writer_begin16(w);
		for (unsigned r = 0; r < ROWS; r++)
			if (rows[r].legacy || !legacy)
				rows[r].write(w, &tunnels[i]);
		writer_end16(w, at, 0);
	}
}

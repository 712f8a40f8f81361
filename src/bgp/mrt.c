/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bgp/mrt.h"

#include "bgp/attributes.h"
#include "bgp/parts.h"

/* RFC 6396 sections 2 and 5 */
enum {
	TABLE_DUMP_V2 = 13,
	PEER_INDEX_TABLE = 1,
	RIB_IPV4_UNICAST = 2,
	RIB_IPV6_UNICAST = 4,
	RIB_GENERIC = 6,
	BGP4MP = 16,
	MESSAGE = 1,
	MESSAGE_AS4 = 4,
	STATE_CHANGE_AS4 = 5,
	MESSAGE_LOCAL = 6,
	MESSAGE_AS4_LOCAL = 7,
	LENGTH_AT = 8, /* in the header: four octets */
	PEER_IPV6 = 1,
	PEER_AS4 = 2,
};

static size_t begin_record(struct writer *w, uint32_t time, uint16_t type, uint16_t subtype)
{
	writer_u32(w, time);
	writer_u16(w, type);
	writer_u16(w, subtype);
	writer_u32(w, 0);
	return writer_len(w);
}

/* AT is where the record begins behind its header. */
static void end_record(struct writer *w, size_t at)
{
	size_t len = writer_len(w) - at;

	writer_patch16(w, at - 4, (uint16_t)(len >> 16));
	writer_patch16(w, at - 2, (uint16_t)len);
}

/* ---- BGP4MP: section 4.4 ---- */

void mrt_session_of(const struct bgp_connection *c, struct mrt_session *ret)
{
	const struct bgp_neighbor_config *config = &c->neighbor->config;

	*ret = (struct mrt_session){
		.peer_as = config->as,
		.local_as = config->local_as ? config->local_as : c->neighbor->bgp->config.as,
		.interface = c->interface,
		.peer = c->remote.addr,
		.local = c->local.addr,
		.as4 = c->form.as4,
	};
}

void mrt_session_of_neighbor(const struct bgp_neighbor *n, struct mrt_session *ret)
{
	if (n->up) {
		mrt_session_of(n->up, ret);
		return;
	}
	*ret = (struct mrt_session){
		.peer_as = n->config.as,
		.local_as = n->config.local_as ? n->config.local_as : n->bgp->config.as,
		.peer = n->config.address,
		.local = n->config.local_address,
		.as4 = true,
	};
}

static void write_address(struct writer *w, const struct addr *a, uint8_t family)
{
	if (a->family == family)
		writer_bytes(w, a->bytes, addr_size(family));
	else
		writer_zeros(w, addr_size(family));
}

static void write_as(struct writer *w, uint32_t as, bool wide)
{
	if (wide)
		writer_u32(w, as);
	else
		writer_u16(w, as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)as);
}

static void write_session(struct writer *w, const struct mrt_session *s, bool wide)
{
	uint8_t family = s->peer.family == AF_INET6 ? AF_INET6 : AF_INET;

	write_as(w, s->peer_as, wide);
	write_as(w, s->local_as, wide);
	writer_u16(w, s->interface <= UINT16_MAX ? (uint16_t)s->interface : 0); /* 0: unknown */
	writer_u16(w, family == AF_INET6 ? BGP_AFI_IPV6 : BGP_AFI_IPV4);
	write_address(w, &s->peer, family);
	write_address(w, &s->local, family);
}

void mrt_message_write(struct writer *w, uint32_t time, const struct mrt_session *s, bool sent,
	const uint8_t *message, size_t len)
{
	bool wide = s->as4 || len < BGP_HEADER || message[BGP_HEADER - 1] != BGP_UPDATE;
	size_t at = begin_record(w, time, BGP4MP,
		wide ? (sent ? MESSAGE_AS4_LOCAL : MESSAGE_AS4) : (sent ? MESSAGE_LOCAL : MESSAGE));

	write_session(w, s, wide);
	writer_bytes(w, message, len);
	end_record(w, at);
}

void mrt_state_write(
	struct writer *w, uint32_t time, const struct mrt_session *s, enum bgp_state from, enum bgp_state to)
{
	size_t at = begin_record(w, time, BGP4MP, STATE_CHANGE_AS4);

	write_session(w, s, true);
	writer_u16(w, (uint16_t)(from + 1)); /* 1: Idle */
	writer_u16(w, (uint16_t)(to + 1));
	end_record(w, at);
}

/* ---- TABLE_DUMP_V2: section 4.3 ---- */

/* Our own routes have a peer, too: the speaker itself, at no address. */
static struct mrt_peer find_peer(const struct bgp *b, unsigned source)
{
	const struct bgp_neighbor *n = b->neighbors[source];

	if (!source)
		return (struct mrt_peer){.there = true, .id = b->config.id, .as = b->config.as};
	if (!n)
		return (struct mrt_peer){0};
	return (struct mrt_peer){
		.there = true, .id = n->facts.id, .as = n->config.as, .address = n->config.address};
}

void mrt_dump_begin(struct mrt_dump *d, struct bgp *b, uint32_t time, msec now)
{
	uint16_t index = 0;

	*d = (struct mrt_dump){.bgp = b, .time = time, .now = now};
	for (unsigned source = 0; source <= BGP_NEIGHBORS; source++) {
		d->peers[source] = find_peer(b, source);
		if (d->peers[source].there)
			d->peers[source].index = index++;
	}
}

/* Section 4.3.1 */
static void write_peers(const struct mrt_dump *d, struct writer *w)
{
	size_t at = begin_record(w, d->time, TABLE_DUMP_V2, PEER_INDEX_TABLE), count_at;
	uint16_t count = 0;

	writer_u32(w, d->bgp->config.id);
	writer_u16(w, 0); /* no view name */
	count_at = writer_begin16(w);
	for (unsigned source = 0; source <= BGP_NEIGHBORS; source++) {
		const struct mrt_peer *p = &d->peers[source];
		bool v6 = p->address.family == AF_INET6;

		if (!p->there)
			continue;
		writer_u8(w, PEER_AS4 | (v6 ? PEER_IPV6 : 0));
		writer_u32(w, p->id);
		write_address(w, &p->address, v6 ? AF_INET6 : AF_INET);
		writer_u32(w, p->as);
		count++;
	}
	writer_patch16(w, count_at, count);
	end_record(w, at);
}

/* The place of a path's source in the index; false: it is another neighbour than at the beginning. */
static bool find_index(const struct mrt_dump *d, uint16_t source, uint16_t *ret)
{
	const struct mrt_peer *p = &d->peers[source];
	struct mrt_peer now = find_peer(d->bgp, source);

	*ret = p->index;
	return p->there && now.there && now.as == p->as && addr_equal(&now.address, &p->address);
}

/* What a path's next hop is when it is told that of a route of our own: nobody's address. */
static struct bgp_next_hop_value next_hop_of(const struct bgp_set *set, enum bgp_family family)
{
	struct bgp_next_hop_value v = set->next_hop->value;

	if (addr_is_none(&v.global) && addr_is_none(&v.link_local))
		v.global.family = bgp_family_af(family);
	return v;
}

/* Section 4.3.4: AS numbers of four octets; of MP_REACH only the next hop. */
static void write_attributes(struct writer *w, enum bgp_family family, const struct bgp_set *set)
{
	static const struct bgp_form form = {.as4 = true};
	struct bgp_next_hop_value next_hop = next_hop_of(set, family);
	bool classic = family == BGP_IPV4 && next_hop.global.family == AF_INET;
	size_t at = writer_begin16(w), length_at;
	uint8_t *length;

	bgp_attributes_write(w, &form, bgp_set_reader(set), classic ? &next_hop.global : NULL);
	if (!classic) {
		writer_u8(w, BGP_FLAG_OPTIONAL);
		writer_u8(w, BGP_MP_REACH);
		length = writer_reserve(w, 1);
		length_at = writer_len(w);
		bgp_next_hop_write(w, family, &next_hop);
		if (length)
			*length = (uint8_t)(writer_len(w) - length_at);
	}
	writer_end16(w, at, 0);
}

/* False: it does not fit behind what is there, and nothing was written. */
static bool write_entry(const struct mrt_dump *d, struct writer *w, const struct rib_path *p, uint16_t index)
{
	struct writer e = *w;
	uint32_t age = (uint32_t)(d->now / 1000) - p->since;

	writer_u16(&e, index);
	writer_u32(&e, d->time - age);
	write_attributes(&e, d->family, p->set);
	if (!writer_ok(&e))
		return false;
	*w = e;
	return true;
}

/* Sections 4.3.2 and 4.3.3. */
static size_t begin_net(const struct mrt_dump *d, struct writer *w, uint32_t label)
{
	bool generic = d->family != BGP_IPV4 && d->family != BGP_IPV6;
	struct bgp_nlri nlri = {.prefix = d->prefix, .label = label};
	size_t at = begin_record(w, d->time, TABLE_DUMP_V2,
		generic                 ? RIB_GENERIC
		: d->family == BGP_IPV4 ? RIB_IPV4_UNICAST
					: RIB_IPV6_UNICAST);

	writer_u32(w, d->sequence);
	if (generic) {
		writer_u16(w, bgp_family_afi(d->family));
		writer_u8(w, bgp_family_safi(d->family));
	}
	bgp_nlri_write(w, d->family, false, &nlri);
	return at;
}

/* As many paths of d->net as go into one record, behind those that were told. Its length; 0: there are no more. */
static size_t write_net(struct mrt_dump *d, uint8_t *buf, size_t size)
{
	const struct rib *rib = &d->bgp->ribs[d->family];
	const struct rib_path *p = rib_first_path(rib, d->net);
	struct writer w = writer_of(buf, size);
	size_t at = 0, count_at = 0;
	uint16_t count = 0, index;
	unsigned seen = 0;

	for (; p; p = rib_next_path(rib, p), seen++) {
		if (seen < d->told || !find_index(d, p->source, &index))
			continue;
		if (count && bgp_family_labeled(d->family))
			break;
		if (!count) {
			w = writer_of(buf, size);
			at = begin_net(d, &w, p->label);
			count_at = writer_begin16(&w);
		}
		if (write_entry(d, &w, p, index))
			count++;
		else if (count)
			break;
		else
			d->left_out++;
	}
	d->told = p ? seen : 0;
	if (!count)
		return 0;
	writer_patch16(&w, count_at, count);
	end_record(&w, at);
	d->sequence++;
	return writer_len(&w);
}

/*
 * The next net; while there are more paths of the last one to tell, that one, if it is still there. Looks at *NETS more. False: that was all, or there is none
 * among those.
 */
static bool next_net(struct mrt_dump *d, unsigned *nets)
{
	const struct rib *rib = &d->bgp->ribs[d->family];

	if (d->told && rib_find(rib, &d->prefix) == d->net)
		return true;
	d->told = 0;
	while (!rib_walk_some(rib, &d->net, nets)) {
		d->done = !d->net && d->family + 1 == BGP_FAMILIES;
		if (d->net || d->done)
			return false;
		d->family = (enum bgp_family)(d->family + 1);
		rib = &d->bgp->ribs[d->family];
	}
	d->prefix = rib_prefix(rib, d->net);
	return true;
}

size_t mrt_dump_next(struct mrt_dump *d, uint8_t *buf, size_t size)
{
	unsigned nets = MRT_LOOKED_AT;
	size_t len = 0;

	if (!d->begun) {
		struct writer w = writer_of(buf, size);

		d->begun = true;
		write_peers(d, &w);
		return writer_len(&w);
	}
	while (!len && !d->done && next_net(d, &nets))
		len = write_net(d, buf, size);
	return len;
}

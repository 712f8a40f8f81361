/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of the core: is the packet for us at all? Cheapest question first, and nothing of the payload is looked at before all of them have been answered (SEC-MESH-11):
 * by which interface, from whom, header, encapsulation, key or Session ID, cookie, label. Then the inner packet, a checksum of GRE's, ECN, the device.
 *
 * The packet is forwarded on the header directly inside the softwire, whatever is inside that.
 */
#include "mesh/parts.h"

#include <net/if.h>

#include "inet/offload.h"
#include "inet/packet.h"

static bool is_core_interface(const struct mesh_plane *p, unsigned ifindex)
{
	for (unsigned i = 0; i < p->interface_count; i++)
		if (p->interfaces[i] == ifindex)
			return true;
	return !p->interface_count;
}

static void refuse(struct mesh_plane *p, const struct mesh_arrival *a, uint64_t *counter, const char *why)
{
	++*counter;
	p->ops->refused(p, &a->from, why);
}

/* The clause for what mesh_accept_find() has counted since BEFORE. */
static const char *unaccepted(const struct mesh_counters *before, const struct mesh_counters *now)
{
	if (now->drop_cookie != before->drop_cookie)
		return "a cookie that is not the one that we have told";
	if (now->drop_session != before->drop_session)
		return "a Session ID that we have told nobody";
	if (now->drop_key != before->drop_key)
		return "a GRE key that we have told nobody, or none";
	return "an encapsulation that we do not accept";
}

/* What the headers around it say of the inner packet. */
struct opened {
	uint16_t payload; /* as payload_read() wants it */
	bool has_checksum;
	uint8_t ttl; /* of labels; without them the greatest there is */
};

/* NULL: dropped. R is behind the outer header, and then at the payload. */
static struct mesh_acceptance *accept_packet(
	struct mesh_plane *p, const struct mesh_arrival *a, struct reader *r, struct opened *ret)
{
	struct mesh_counters before;
	struct mesh_acceptance *accepted;
	struct mesh_heading h = {0};
	const char *why = mesh_heading_read(r, a->protocol, &h);

	if (why) {
		refuse(p, a, &p->counters.drop_header, why);
		return NULL;
	}
	before = p->counters;
	accepted = mesh_accept_find(&p->table, &h, r, &p->counters);
	if (!accepted) {
		p->ops->refused(p, &a->from, unaccepted(&before, &p->counters));
		return NULL;
	}
	*ret = (struct opened){h.payload, h.has_checksum, UINT8_MAX};
	if (!accepted->how.mpls)
		return accepted;
	why = mesh_labels_read(r, &ret->payload, &ret->ttl);
	if (!why)
		return accepted;
	refuse(p, a, &p->counters.drop_label, why);
	return NULL;
}

/* RFC 6040 section 4.2: SHOULD be logged, and limited. */
static void log_unexpected(struct mesh_plane *p, const struct addr *from, uint8_t inner, uint8_t outer)
{
	struct log_line l;

	if (!limit_ok(&p->ecn_log, loop_now(p->loop), 1, 1) ||
		!log_begin(p->log, &l, LEVEL_DEBUG, "ecn-unexpected"))
		return;
	log_addr(&l, "from", from);
	log_text(&l, "inner", ecn_name(inner));
	log_text(&l, "outer", ecn_name(outer));
	log_uint(&l, "suppressed", p->ecn_log.suppressed);
	log_end(&l);
	p->ecn_log.suppressed = 0;
}

static bool merge_ecn(struct mesh_plane *p, const struct mesh_arrival *a, uint8_t *packet)
{
	uint8_t inner = tos_read(packet);
	bool unexpected = false;
	enum ecn_result result = ecn_decapsulate(packet, a->tos, &unexpected);

	if (unexpected)
		log_unexpected(p, &a->from, inner, a->tos);
	if (result == ECN_MARKED)
		p->counters.ecn_ce++;
	if (result == ECN_DROP)
		p->counters.drop_ecn++;
	return result != ECN_DROP;
}

/* PAYLOAD: EtherType; 0: the packet's first nibble says. NULL, or why it is none that goes on. */
static const char *payload_read(
	const struct mesh_plane *p, const uint8_t *packet, size_t len, uint16_t payload, struct inner *ret)
{
	uint8_t family = inner_family(packet, len);
	uint8_t said = payload == MESH_IP4 ? AF_INET : payload == MESH_IP6 ? AF_INET6 : family;

	if (!family || family != said || !inner_read(family, packet, len, ret))
		return "what is inside is not a whole packet";
	if (family == AF_INET6 ? !p->table.take6 : !p->table.take4)
		return "what is inside is of the core's own family";
	if (inner_is_local(ret))
		return "what is inside belongs to one link: multicast, broadcast or link-local";
	return NULL;
}

/*
 * GRE's checksum, the only question that all octets have to be read for. An inner packet whose own checksum is only begun has not been on a wire like this: the kernel has
 * merged it, after it had looked at GRE's checksum itself, or it has never left the machine.
 */
static bool is_intact(const struct inner *inner, const uint8_t *packet, const struct reader *gre)
{
	return mesh_checksum_ok(gre->pos, reader_left(gre)) || transport_is_begun(packet, inner);
}

static void log_merged(struct mesh_plane *p, unsigned ifindex)
{
	char name[IF_NAMESIZE] = "";
	struct log_line l;

	if (p->merged || !log_begin(p->log, &l, LEVEL_WARN, "packets-merged"))
		return;
	p->merged = true;
	if (if_indextoname(ifindex, name))
		log_text(&l, "interface", name);
	log_format(&l, "message",
		"it merges TCP segments inside softwires (GRO), which are cut again here: "
		"`ethtool -K %s gro off` spares both",
		*name ? name : "INTERFACE");
	log_end(&l);
}

/*
 * The last step before the device. Segments that were merged on their way up (inet/offload.h) would be too large for any interface behind us, and how large they were nobody
 * can tell any more: they are cut to what every path takes.
 */
static void hand_over(struct mesh_plane *p, unsigned ifindex, const struct inner *inner, uint8_t *packet)
{
	uint8_t family = inner->src.family;
	struct tcp_segments s;
	size_t len;

	if (!transport_is_begun(packet, inner)) {
		mesh_device_write(p, family, packet, inner->len);
		return;
	}
	if (inner->len <= IP6_MIN_MTU || !tcp_segments_begin(&s, packet, inner, IP6_MIN_MTU)) {
		transport_complete(packet, inner);
		mesh_device_write(p, family, packet, inner->len);
		return;
	}
	p->counters.rx_merged++;
	log_merged(p, ifindex);
	while ((packet = tcp_segments_next(&s, &len)))
		mesh_device_write(p, family, packet, len);
}

/* It is for us, from one who may. */
static void deliver(struct mesh_plane *p, const struct mesh_arrival *a, struct mesh_acceptance *accepted,
	struct mesh_transmitter *sender, const struct inner *inner, uint8_t *packet)
{
	bool six = inner->src.family == AF_INET6;

	if (!merge_ecn(p, a, packet))
		return;
	mesh_count(six ? &accepted->rx6 : &accepted->rx4, inner->len);
	if (sender)
		mesh_count(six ? &sender->rx6 : &sender->rx4, inner->len);
	hand_over(p, a->ifindex, inner, packet);
}

/* The header of IPv4 comes with the packet, and the kernel has looked at it. */
static struct reader behind_header(struct mesh_arrival *a, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);

	if (a->family == AF_INET) {
		uint8_t words = reader_u8(&r) & 15;

		a->tos = reader_u8(&r);
		reader_skip(&r, words < IP4_HEADER / 4 ? IP4_HEADER - 2U : words * 4U - 2U);
	}
	return r;
}

void mesh_in_packet(struct mesh_plane *p, const struct mesh_arrival *arrival, uint8_t *packet, size_t len)
{
	struct mesh_arrival a = *arrival;
	struct mesh_transmitter *sender = NULL;
	struct mesh_acceptance *accepted;
	struct opened opened = {0};
	struct reader r, heading;
	struct inner inner;
	const char *why;

	p->counters.rx_packets++;
	if (!is_core_interface(p, a.ifindex))
		return refuse(p, &a, &p->counters.drop_interface,
			"it came by an interface that is not of the core");
	if (!mesh_transmitter_find(&p->table, &a.from, &sender))
		return refuse(p, &a, &p->counters.drop_transmitter, "it is from nobody who may send to us");
	r = heading = behind_header(&a, packet, len);
	accepted = accept_packet(p, &a, &r, &opened);
	if (!accepted)
		return;
	why = a.cut ? "it is longer than what we take"
		    : payload_read(p, r.pos, reader_left(&r), opened.payload, &inner);
	if (why)
		return refuse(p, &a, &p->counters.drop_payload, why);
	if (opened.has_checksum && !is_intact(&inner, r.pos, &heading))
		return refuse(p, &a, &p->counters.drop_checksum, "a GRE checksum that is wrong");
	packet += r.pos - packet;
	inner_lower_ttl(packet, opened.ttl);
	deliver(p, &a, accepted, sender, &inner, packet);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into the core: a frame is read from the device behind a headroom, its destination address is the number of its path, its DSCP chooses the slot; the leg that
 * can be used gives endpoint and label. It gets its headers in front of it and waits in the queue of the core's family. It is not copied, unless it is cut.
 */
#include "mesh/parts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "inet/fragment.h"
#include "inet/packet.h"

/* A packet on its way, from when it is known to be one that may go. */
struct out {
	uint8_t family;
	uint8_t *packet; /* in a parcel, behind its headroom */
	struct inner inner;
	struct mesh_path *path;
	struct mesh_endpoint *endpoint;
	uint32_t label;
};

static uint16_t payload_of(uint8_t family)
{
	return family == AF_INET6 ? MESH_IP6 : MESH_IP4;
}

/* Outer DSCP and ECN: RFC 2983 section 4, RFC 6040 section 4.1. */
static uint8_t outer_tos(const struct mesh_endpoint *e, uint8_t inner)
{
	uint8_t dscp = e->set_dscp ? (uint8_t)(e->dscp << 2) : inner & (uint8_t)~TOS_ECN;

	return dscp | (e->copy_ecn ? inner & TOS_ECN : 0);
}

/* RFC 6438 section 3: not 0, which would mean none. */
static uint32_t outer_flow(const struct mesh_plane *p, const struct out *o)
{
	uint32_t flow = inner_flow(o->packet, &o->inner, p->seed) & 0xfffff;

	return flow ? flow : 1;
}

/* The headers before the LEN octets of an inner packet (o's own, or a piece of it) that are behind the headroom of PARCEL. */
static void pack(struct mesh_plane *p, const struct out *o, struct mesh_parcel *parcel, size_t len)
{
	const struct mesh_template *t = &o->endpoint->template;
	uint8_t *packet = parcel->bytes + MESH_HEADROOM;
	struct mesh_cargo cargo = {
		.payload = payload_of(o->family),
		.len = (uint16_t)len,
		.tos = outer_tos(o->endpoint, tos_read(packet)),
		.flow = t->family == AF_INET6 ? outer_flow(p, o) : 0,
		.label = o->label,
		.ttl = inner_ttl(packet),
	};

	mesh_template_write(t, &cargo, packet);
	parcel->at = MESH_HEADROOM - t->len;
	parcel->len = (uint32_t)(t->len + len);
	parcel->to = o->endpoint->outer;
}

static void count_sent(const struct out *o)
{
	bool six = o->family == AF_INET6;

	mesh_count(six ? &o->path->tx6 : &o->path->tx4, o->inner.len);
	mesh_count(six ? &o->endpoint->tx6 : &o->endpoint->tx4, o->inner.len);
}

/* True: PARCEL, which has o's packet, is in the queue. */
static bool send_whole(struct mesh_plane *p, const struct out *o, struct mesh_parcel *parcel)
{
	pack(p, o, parcel, o->inner.len);
	if (!mesh_queue_put(p, o->endpoint->template.family, parcel)) {
		o->endpoint->drop_queue++;
		return false;
	}
	count_sent(o);
	return true;
}

/* An inner IPv4 packet that may be cut. */
static bool send_inner_pieces(struct mesh_plane *p, const struct out *o)
{
	struct mesh_parcel *parcel;
	struct ip_pieces f;

	if (!ip4_pieces_begin(&f, o->packet, o->inner.header, o->inner.len, o->endpoint->mtu))
		return false;
	while ((parcel = mesh_parcel_take(p))) {
		size_t len = ip_pieces_next(&f, parcel->bytes + MESH_HEADROOM);

		if (!len) {
			mesh_parcel_give(p, parcel);
			p->counters.inner_fragmented++;
			count_sent(o);
			return true;
		}
		pack(p, o, parcel, len);
		if (mesh_queue_put(p, o->endpoint->template.family, parcel))
			continue;
		mesh_parcel_give(p, parcel);
		o->endpoint->drop_queue++;
		return true; /* some of it is on its way, and the rest is counted */
	}
	p->counters.drop_send_queue++;
	o->endpoint->drop_queue++;
	return true;
}

/* RFC 2473 section 7.1 (b): nobody sends IPv6 packets that are smaller than this because we say so. */
static void send_outer_pieces(struct mesh_plane *p, const struct out *o, struct mesh_parcel *parcel)
{
	const struct mesh_template *t = &o->endpoint->template;

	pack(p, o, parcel, o->inner.len);
	if (mesh_queue_pieces(p, t->family, parcel, (size_t)o->endpoint->mtu + t->len))
		count_sent(o);
	else
		o->endpoint->drop_queue++;
}

static void too_big(struct mesh_plane *p, const struct out *o)
{
	uint32_t mtu = o->endpoint->mtu;

	if (o->family == AF_INET6 && mtu < IP6_MIN_MTU)
		mtu = IP6_MIN_MTU;
	p->counters.drop_too_big++;
	o->endpoint->drop_too_big++;
	mesh_error_send(p, MESH_ERROR_TOO_BIG, mtu, o->path, o->endpoint, o->packet, o->inner.len);
}

/* Larger than the endpoint's MTU. PARCEL stays the caller's. */
static void send_large(struct mesh_plane *p, const struct out *o, struct mesh_parcel *parcel)
{
	if (o->family == AF_INET6 && o->inner.len <= IP6_MIN_MTU)
		send_outer_pieces(p, o, parcel);
	else if (o->family == AF_INET6 || !ip4_may_fragment(o->packet) || !send_inner_pieces(p, o))
		too_big(p, o);
}

/* Path and leg of the packet; false: there is none, which has been counted and answered. */
static bool choose(struct mesh_plane *p, struct out *o, uint32_t number)
{
	const struct mesh_leg *leg = NULL;
	bool backup = false;

	o->path = number ? mesh_path_find(&p->table, number) : NULL;
	if (o->path)
		leg = mesh_path_leg(&p->table, o->path, tos_read(o->packet) >> 2, &backup);
	if (!leg) {
		if (o->path) {
			o->path->rejected++;
			p->counters.drop_rejected++;
		} else {
			p->counters.drop_no_path++;
		}
		mesh_error_send(p, MESH_ERROR_NO_ROUTE, 0, o->path, NULL, o->packet, o->inner.len);
		return false;
	}
	if (backup)
		p->counters.failed_over++;
	o->endpoint = leg->endpoint;
	o->label = leg->label;
	return true;
}

/* Behind a header of IPv4 or IPv6, or of an IPv6 fragment. */
static uint8_t carried(const struct out *o)
{
	enum { FRAGMENT = 44 };

	if (o->family == AF_INET)
		return o->packet[9];
	return o->packet[6] == FRAGMENT && o->inner.len > IP6_HEADER ? o->packet[IP6_HEADER] : o->packet[6];
}

/*
 * Is it what came out of a softwire's entry here? Each turn would put another header around it, with a hop limit of its own, so nothing else would ever end
 * it (RFC 2473 section 4.1.3).
 */
static bool is_packed_here(const struct out *o)
{
	const uint8_t *outer = o->endpoint->template.bytes;
	bool six = o->family == AF_INET6;

	if (o->endpoint->template.family != o->family ||
		memcmp(o->packet + (six ? 8 : 12), outer + (six ? 8 : 12), six ? 16 : 4) != 0)
		return false;
	switch (carried(o)) {
	case MESH_PROTO_IP4:
	case MESH_PROTO_IP6:
	case MESH_PROTO_GRE:
	case MESH_PROTO_L2TP:
	case MESH_PROTO_MPLS:
		return true;
	default:
		return false;
	}
}

/* 0 for what is never forwarded: what is not IP, or is said to everybody on the link. */
static uint8_t frame_family(const uint8_t *frame)
{
	unsigned type = (unsigned)frame[12] << 8 | frame[13];

	if (frame[0] & 1)
		return 0;
	return type == MESH_IP6 ? AF_INET6 : type == MESH_IP4 ? AF_INET : 0;
}

/* True when PARCEL, with a frame of LEN octets in it, is now in a queue. */
static bool out_frame(struct mesh_plane *p, struct mesh_parcel *parcel, size_t len)
{
	struct out o = {.packet = parcel->bytes + MESH_HEADROOM};
	const uint8_t *frame = o.packet - MESH_FRAME;

	if (len < MESH_FRAME) {
		p->counters.drop_bad_inner++;
		return false;
	}
	o.family = frame_family(frame);
	if (!o.family) {
		p->counters.drop_local_scope++;
		return false;
	}
	if (!inner_read(o.family, o.packet, len - MESH_FRAME, &o.inner)) {
		p->counters.drop_bad_inner++;
		return false;
	}
	if (inner_is_local(
		    &o.inner)) { /* the kernel's own chatter, or a routing protocol: nothing is answered */
		p->counters.drop_local_scope++;
		return false;
	}
	if (!choose(p, &o, mesh_lladdr_path(frame)))
		return false;
	if (is_packed_here(&o)) {
		p->counters.drop_loop++;
		return false;
	}
	if (o.endpoint->clamp_mss && tcp_mss_clamp(o.packet, o.inner.len, o.endpoint->mtu))
		p->counters.mss_clamped++;
	if (o.inner.len <= o.endpoint->mtu)
		return send_whole(p, &o, parcel);
	send_large(p, &o, parcel);
	return false;
}

/* A device that is gone reads as an error or as its end for ever, and would keep the loop awake. */
static void read_failed(struct mesh_plane *p, int error)
{
	if (error != EAGAIN && error != EINTR && error != ENOMEM && error != ENOBUFS)
		mesh_device_lost(p, error);
}

unsigned mesh_out_batch(struct mesh_plane *p)
{
	struct mesh_parcel *parcel = NULL;
	unsigned count = 0;

	while (count < MESH_BATCH && p->device_fd >= 0) {
		ssize_t n;

		if (!parcel)
			parcel = mesh_parcel_take(
				p); /* there always is one: the queues cannot hold them all */
		n = read(p->device_fd, parcel->bytes + MESH_HEADROOM - MESH_FRAME,
			MESH_FRAME + MESH_PACKET_MAX);
		if (n <= 0) {
			read_failed(p, n < 0 ? errno : ENODEV);
			break;
		}
		count++;
		if (out_frame(p, parcel, (size_t)n))
			parcel = NULL;
	}
	if (parcel)
		mesh_parcel_give(p, parcel);
	return count;
}

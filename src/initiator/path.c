/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The path outside the softwire (HS-OAM-3): what the network says of our outer packets, whether the host has a route to the concentrator, and how large
 * a packet the path takes.
 *
 * ICMP errors can be forged, so they end nothing: they are shown and logged, and make the engine probe (initiator_hint()). A complaint is over
 * when the concentrator was heard since and nothing was said for ten seconds.
 * A path that was too narrow may have become wider: RFC 8201 section 4 has us ask again after ten minutes, which is when the kernel forgets, too.
 */
#include "initiator/role.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { QUIET_MS = 10000, WIDER_MS = 600000, WIDER_AGAIN_MS = 60000 };

/* ---- where does it lead? ---- */

/* By interface IFINDEX, whatever better routes say. */
static bool find_by(struct initiator *i, const struct addr *server, unsigned ifindex, struct way *ret)
{
	struct way way;

	if (netlink_path_mtu_by(i->routes, server, ifindex, &way.mtu, &way.source, &way.ifindex))
		return false;
	*ret = way;
	return true;
}

static void note_uplink(struct initiator *i, const char device[IF_NAMESIZE], unsigned ifindex)
{
	memcpy(i->uplink, device, sizeof(i->uplink));
	i->uplink_index = ifindex;
}

/* A native route that is worse than ours does not show, but the kernel knows it. */
static bool find_hidden(struct initiator *i, const struct addr *server, struct way *ret)
{
	struct if_nameindex *list = if_nameindex();
	bool found = false;

	for (const struct if_nameindex *n = list; n && n->if_index && !found; n++) {
		char device[IF_NAMESIZE] = "";

		if (strcmp(n->if_name, i->device) == 0 || !find_by(i, server, n->if_index, ret))
			continue;
		snprintf(device, sizeof(device), "%s", n->if_name);
		note_uplink(i, device, n->if_index);
		found = true;
	}
	if (list)
		if_freenameindex(list);
	return found;
}

/*
 * Never through ourselves. Native routes may be worse than ours: then those of the interface that was used last count, and then any. Where there
 * is none at all what we have brought stays: the host is between two networks, and the LAN must not see it.
 */
bool initiator_path_find(struct initiator *i, const struct addr *server, struct way *ret)
{
	char device[IF_NAMESIZE] = "";
	struct way way;

	if (netlink_path_mtu(i->routes, server, &way.mtu, &way.source, &way.ifindex))
		return false;
	if (if_indextoname(way.ifindex, device) && strcmp(device, i->device) != 0) {
		note_uplink(i, device, way.ifindex);
		*ret = way;
		return true;
	}
	if ((server->family == AF_INET6 ? i->config.ipv6 : i->config.ipv4) &&
		!initiator_network_has(i, server->family)) /* of an earlier process: nothing of ours is there */
		initiator_network_clear_route(i, server->family);
	return (i->uplink_index && find_by(i, server, i->uplink_index, ret)) || find_hidden(i, server, ret);
}

/* ---- is it there? ---- */

void initiator_path_bad(struct initiator *i, const char *why)
{
	bool was_bad = *i->path_why;
	struct log_line l;

	i->path_last = loop_now(i->loop);
	snprintf(i->path_why, sizeof(i->path_why), "%s", why);
	if (was_bad)
		return;
	i->path_since = i->path_last;
	if (initiator_log(i, &l, LEVEL_WARN, "path")) {
		log_text(&l, "reason", why);
		log_end(&l);
	}
}

static void path_ok(struct initiator *i, msec now)
{
	struct log_line l;

	if (initiator_log(i, &l, LEVEL_INFO, "path-ok")) {
		log_uint(&l, "after_seconds", (now - i->path_since) / 1000);
		log_end(&l);
	}
	i->path_why[0] = '\0';
}

void initiator_path_look(struct initiator *i)
{
	char text[128], server[ADDR_TEXT];
	const struct attempt *a = i->current;

	if (!a ||
		netlink_path_mtu_by(i->routes, &a->server.addr, a->pinned, NULL, NULL, NULL) != -ENETUNREACH)
		return;
	snprintf(text, sizeof(text), "no route to the concentrator %s", addr_print(&a->server.addr, server));
	initiator_path_bad(i, text);
}

static msec heard_at(const struct attempt *a)
{
	msec control = a->engine.softwire.tunnel.last_heard;

	return a->row->last_rx > control ? a->row->last_rx : control;
}

void initiator_path_print(const struct initiator *i, char *buf, size_t size)
{
	if (*i->path_why)
		snprintf(buf, size, "%s, for %llu s", i->path_why,
			(unsigned long long)(loop_now(i->loop) - i->path_since) / 1000);
	else
		snprintf(buf, size, "ok");
}

/* ---- how large? ---- */

static void set_mtu(struct attempt *a, uint16_t mtu, const char *reason)
{
	struct initiator *i = a->role;
	struct log_line l;

	a->row->mtu = mtu;
	a->row->mss_mtu = i->config.mss_clamp ? mtu : 0;
	if (initiator_log(i, &l, LEVEL_INFO, "mtu")) {
		log_uint(&l, "mtu", mtu);
		log_text(&l, "reason", reason);
		log_end(&l);
	}
	if (a == i->current)
		initiator_network_apply(i, &a->engine);
}

/* The path takes no outer packet larger than OUTER (RFC 5571 section 5.1.4). Never below what IPv6 needs: those are fragmented. */
static void narrower(struct attempt *a, uint32_t outer)
{
	msec now = loop_now(a->role->loop);
	uint16_t mtu = softwire_inner_mtu(a->server.addr.family, outer);

	if (!outer || !softwire_lower_mtu(&a->engine.softwire, mtu, now))
		return;
	a->mtu_again_at = now + WIDER_MS;
	set_mtu(a, a->engine.softwire.mtu, "the path to the server takes no larger packets");
}

static void look_for_wider(struct attempt *a, msec now)
{
	struct softwire *s = &a->engine.softwire;
	uint32_t outer;
	uint16_t mtu;

	if (!a->mtu_again_at || now < a->mtu_again_at)
		return;
	a->mtu_again_at = now + WIDER_AGAIN_MS; /* the kernel may remember for a moment longer */
	if (netlink_path_mtu_by(a->role->routes, &a->server.addr, a->pinned, &outer, NULL, NULL))
		return;
	mtu = softwire_inner_mtu(a->server.addr.family, outer);
	if (mtu > a->up_mtu)
		mtu = a->up_mtu;
	if (mtu <= s->mtu)
		return;
	s->mtu = mtu;
	if (mtu == a->up_mtu)
		a->mtu_again_at = 0;
	set_mtu(a, mtu, "the path to the server takes larger packets again");
}

/* ---- what the network says ---- */

static struct attempt *find_attempt(const struct initiator *i, uint8_t listener)
{
	if (i->current && i->current->listener == listener)
		return i->current;
	if (i->follower && i->follower->listener == listener)
		return i->follower;
	for (struct attempt *a = i->racing; a; a = a->next)
		if (a->listener == listener)
			return a;
	return NULL;
}

void initiator_path_error(
	struct tun_plane *plane, uint8_t listener, const struct endpoint *peer, int error, uint32_t mtu)
{
	struct initiator *i = tun_plane_owner(plane);
	struct attempt *a = find_attempt(i, listener);
	char text[128];

	if (!a)
		return;
	if (error == EMSGSIZE) {
		narrower(a, mtu);
		return;
	}
	snprintf(text, sizeof(text), "the network says of packets to the concentrator: %s", strerror(error));
	if (a == i->current || !i->current)
		initiator_path_bad(i, text);
	if (a->stage == ATTEMPT_RACES) {
		a->refused |= error == ECONNREFUSED; /* that one is over; the others say that it is the next one's turn */
		initiator_race_hurry(i);
	} else if (a == i->current && i->state == INITIATOR_UP) {
		initiator_hint(i, strerror(error));
	}
}

void initiator_path_tick(struct initiator *i, msec now)
{
	if (!i->current)
		return;
	if (*i->path_why && heard_at(i->current) > i->path_last && now - i->path_last >= QUIET_MS)
		path_ok(i, now);
	look_for_wider(i->current, now);
}

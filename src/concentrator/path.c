/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to the peer: how large packets may be, and whether it is there at all (HS-OAM-3).
 *
 * What ICMP says may be forged. So it is a hint: a path that is narrower lowers the MTU, never below what IPv6 needs, and ten minutes later
 * the kernel is asked what it believes by then (RFC 1191 section 6.3, RFC 8201 section 4); a path that is broken is noted, and the peer is
 * probed: only its silence ends the softwire.
 * A report names the peer's address and port, where behind one NAT several softwires may be: it is told to a few of them, and the next one
 * goes on with the others.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOFTWIRES_PER_REPORT = 16, WIDER_MS = 600000, LOG_AGAIN_MS = 30000, PROBE_AGAIN_MS = 5000 };

/* Of few softwires: of those that the network has said something about. */
struct path {
	struct wheel_timer wider; /* armed while the MTU is lowered */
	struct subscriber *sub;
	uint16_t open_mtu; /* before it was lowered; 0: it is not */
	int error;         /* what was said last; 0: nothing */
	msec at, logged_at, probed_at;
};

uint16_t concentrator_path_mtu(struct concentrator *c, const struct endpoint *peer)
{
	uint32_t path = 0; /* unknown: the least that IPv6 needs */
	unsigned ifindex;
	struct addr source;

	(void)netlink_path_mtu(c->routes, &peer->addr, &path, &source, &ifindex);
	return softwire_inner_mtu(peer->addr.family, path);
}

/* ---- who is at a peer ---- */

static uint32_t peer_hash(const struct concentrator *c, const struct endpoint *peer)
{
	return hash_bytes(peer->addr.bytes, sizeof(peer->addr.bytes), c->seed ^ peer->port);
}

static bool peer_match(const void *item, const void *key)
{
	return endpoint_equal(&((const struct subscriber *)item)->row->peer, key);
}

int subscriber_path_begin(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	const struct endpoint *peer = &sub->row->peer;
	struct subscriber *other = hash_find(&c->by_peer, peer_hash(c, peer), peer_match, peer);

	if (!other) {
		if (hash_insert(&c->by_peer, peer_hash(c, peer), sub))
			return -ENOMEM;
		sub->next_at_peer = sub->last_at_peer = sub;
		return 0;
	}
	sub->next_at_peer = other->next_at_peer;
	sub->last_at_peer = other;
	sub->next_at_peer->last_at_peer = sub;
	other->next_at_peer = sub;
	return 0;
}

/* The hash knows NEXT instead of SUB, if it knew SUB. */
static void hand_over(struct subscriber *sub, struct subscriber *next)
{
	struct concentrator *c = sub->role;
	uint32_t hash = peer_hash(c, &sub->row->peer);

	if (hash_remove(&c->by_peer, hash, sub) && next != sub)
		hash_insert(&c->by_peer, hash, next); /* room was just made */
}

static void path_free(struct subscriber *sub)
{
	if (!sub->path)
		return;
	wheel_disarm(&sub->role->loop->wheel, &sub->path->wider);
	free(sub->path);
	sub->path = NULL;
}

void subscriber_path_end(struct subscriber *sub)
{
	path_free(sub);
	if (!sub->next_at_peer)
		return;
	hand_over(sub, sub->next_at_peer);
	sub->next_at_peer->last_at_peer = sub->last_at_peer;
	sub->last_at_peer->next_at_peer = sub->next_at_peer;
	sub->next_at_peer = sub->last_at_peer = NULL;
}

static struct path *path_get(struct subscriber *sub)
{
	if (!sub->path)
		sub->path = calloc(1, sizeof(*sub->path));
	if (sub->path)
		sub->path->sub = sub;
	return sub->path;
}

/* ---- a narrow path ---- */

static void set_mtu(struct subscriber *sub, const char *why)
{
	uint16_t mtu = sub->engine.softwire.mtu;
	struct log_line l;

	sub->row->mtu = mtu;
	if (sub->row->mss_mtu)
		sub->row->mss_mtu = mtu;
	if (subscriber_log_limited(sub, &l, LEVEL_INFO, "mtu")) {
		log_uint(&l, "mtu", mtu);
		log_text(&l, "reason", why);
		log_end(&l);
	}
}

/* The kernel has forgotten by now what ICMP has told it (mtu_expires), or has heard it again. */
static void wider(struct wheel_timer *t, msec now)
{
	struct path *p = container_of(t, struct path, wider);
	struct subscriber *sub = p->sub;
	struct softwire *s = &sub->engine.softwire;
	uint16_t mtu = concentrator_path_mtu(sub->role, &sub->row->peer);
	uint16_t limit = s->ppp.peer_mru < p->open_mtu ? s->ppp.peer_mru : p->open_mtu;

	if (mtu > limit)
		mtu = limit;
	if (mtu > s->mtu) {
		s->mtu = mtu; /* the next Router Advertisement says so, too */
		set_mtu(sub, "the path to the peer may take larger packets again");
	}
	if (s->mtu < limit)
		wheel_arm(&sub->role->loop->wheel, t, now + WIDER_MS);
	else
		p->open_mtu = 0;
}

static void narrower(struct subscriber *sub, uint32_t outer, msec now)
{
	struct softwire *s = &sub->engine.softwire;
	uint16_t before = s->mtu;
	struct path *p;

	if (!outer || !softwire_lower_mtu(s, softwire_inner_mtu(sub->row->peer.addr.family, outer), now))
		return;
	sub->role->role_counters.path_narrower++;
	set_mtu(sub, "the path to the peer takes no larger packets");
	p = path_get(sub);
	if (!p)
		return;
	if (!p->open_mtu)
		p->open_mtu = before;
	p->wider.fire = wider;
	wheel_arm(&sub->role->loop->wheel, &p->wider, now + WIDER_MS);
}

uint16_t subscriber_open_mtu(const struct subscriber *sub)
{
	return sub->path ? sub->path->open_mtu : 0;
}

void subscriber_restore_mtu(struct subscriber *sub, uint16_t open_mtu)
{
	struct path *p = open_mtu ? path_get(sub) : NULL;

	if (!p)
		return;
	p->open_mtu = open_mtu;
	p->wider.fire = wider;
	wheel_arm(&sub->role->loop->wheel, &p->wider, loop_now(sub->role->loop) + WIDER_MS);
}

/* ---- a broken path ---- */

static const char *error_text(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "nobody listens at the peer's port";
	case EHOSTUNREACH:
		return "the peer cannot be reached";
	case ENETUNREACH:
		return "the peer's network cannot be reached";
	default:
		return strerror(error);
	}
}

static void broken(struct subscriber *sub, int error, msec now)
{
	struct path *p = path_get(sub);
	struct log_line l;

	if (!p)
		return;
	if ((p->error != error || now - p->logged_at >= LOG_AGAIN_MS) &&
		subscriber_log_limited(sub, &l, LEVEL_WARN, "path")) {
		p->logged_at = now;
		log_text(&l, "reason", error_text(error));
		log_end(&l);
	}
	p->error = error;
	p->at = now;
	if (p->probed_at && now - p->probed_at < PROBE_AGAIN_MS)
		return;
	p->probed_at = now;
	softwire_probe(&sub->engine.softwire, now);
}

const char *subscriber_path_text(const struct subscriber *sub, char *buf, size_t size)
{
	const struct path *p = sub->path;

	/* Whoever is heard is there, whatever was said before. */
	if (!p || !p->error || sub->row->last_rx > p->at || sub->engine.softwire.tunnel.last_heard > p->at)
		return "ok";
	snprintf(buf, size, "the network says: %s, %u s ago", error_text(p->error),
		(unsigned)((subscriber_now(sub) - p->at) / 1000));
	return buf;
}

/* ---- reports ---- */

void concentrator_outer_error(
	struct tun_plane *plane, uint8_t listener, const struct endpoint *peer, int error, uint32_t mtu)
{
	struct concentrator *c = tun_plane_owner(plane);
	struct subscriber *first = hash_find(&c->by_peer, peer_hash(c, peer), peer_match, peer), *sub = first;
	msec now = loop_now(c->loop);

	c->role_counters.path_errors++;
	for (unsigned n = 0; sub && n < SOFTWIRES_PER_REPORT; n++) {
		struct subscriber *next = sub->next_at_peer;

		if (sub->row->listener != listener || sub->engine.softwire.step >= STEP_CLOSING)
			; /* not about this one */
		else if (error == EMSGSIZE)
			narrower(sub, mtu, now);
		else
			broken(sub, error, now);
		sub = next;
		if (sub == first)
			return;
	}
	if (sub)
		hand_over(first, sub);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host that moves: to another network, to another address, behind another mapping of a NAT, into sleep and out of it.
 *
 * No concentrator follows a peer to a new address (RFC 2661 section 8.1), so every move means a new softwire; what it gave stays meanwhile, and
 * most times the same comes back. What counts is how soon the old one is given up:
 *   - its own address is gone from the host: it cannot work any more. It is left without a word, because that would come from somewhere else,
 *     and the next one begins at once. (For 150 ms the address may be missing: some DHCP clients set it anew.)
 *   - it is being probed, for whatever hint, and has not answered for 1.5 s, two HELLOs: another one is set up beside it (RACE_SUSPECT), which leads when it
 *     is up. If the old one is heard before the new one has got as far as authentication, it is the new one that goes. So a forged hint costs
 *     one HELLO, and a true one two seconds instead of eight.
 *   - the way to the server has changed and the old address is still there: the same, without the wait.
 *   - the machine has slept (its two clocks say so), or this process has not run: probe, or connect, now; lifetimes are counted as if we had been awake.
 */
#include "initiator/role.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { SUSPECT_MS = 1500, MOVED_MS = 100, GONE_MS = 150, LATE_MS = 4000, SLEPT_MS = 1000 };

/* ---- our own address ---- */

static bool is_ours(const struct addr *a)
{
	struct ifaddrs *list;
	bool found = false;

	if (addr_is_none(a) || getifaddrs(&list))
		return true; /* nobody knows */
	for (const struct ifaddrs *ifa = list; ifa && !found; ifa = ifa->ifa_next) {
		struct endpoint e;

		found = ifa->ifa_addr && endpoint_from_sockaddr(ifa->ifa_addr, &e) == 0 &&
			addr_equal(&e.addr, a);
	}
	freeifaddrs(list);
	return found;
}

static bool any_gone(const struct initiator *i)
{
	if ((i->current && !is_ours(&i->current->local.addr)) ||
		(i->follower && !is_ours(&i->follower->local.addr)))
		return true;
	for (const struct attempt *a = i->racing; a; a = a->next)
		if (!is_ours(&a->local.addr))
			return true;
	return false;
}

/* Racers from an address that is gone; true: there were some. */
static bool drop_racers(struct initiator *i)
{
	bool any = false;

	for (struct attempt *a = i->racing, *next; a; a = next) {
		next = a->next;
		if (is_ours(&a->local.addr))
			continue;
		attempt_free(a);
		any = true;
	}
	return any;
}

static void lose_current(struct initiator *i)
{
	struct attempt *a = i->current;
	char text[ADDR_TEXT + 32], address[ADDR_TEXT];

	snprintf(text, sizeof(text), "our address %s is gone", addr_print(&a->local.addr, address));
	a->mute = true;
	softwire_close(&a->engine.softwire, CAUSE_DEAD_PEER, L2TP_STOP_CLEAR, 0, text, loop_now(i->loop));
	attempt_free(a); /* it has nothing to wait for */
}

static void gone(struct wheel_timer *t, msec now)
{
	struct initiator *i = container_of(container_of(t, struct roam, gone), struct initiator, roam);
	uint8_t purpose = i->race.purpose;

	if (i->follower && !is_ours(&i->follower->local.addr))
		attempt_free(i->follower);
	if (drop_racers(i) && purpose) { /* once more from the beginning, from where we are now */
		initiator_race_stop(i, "we have moved");
		if (purpose == RACE_CONNECT)
			initiator_connect(i);
	}
	if (i->current && !is_ours(&i->current->local.addr))
		lose_current(i);
}

/* ---- the way to the server ---- */

/* New packets would go another way, or come from another address, than those of the current softwire. */
static bool has_moved(const struct initiator *i)
{
	const struct attempt *a = i->current;
	char device[IF_NAMESIZE];
	struct addr source;
	unsigned ifindex;

	if (netlink_path_mtu(i->routes, &a->server.addr, NULL, &source, &ifindex))
		return false;
	if (if_indextoname(ifindex, device) && !strncmp(device, i->device, sizeof(i->device)))
		return false; /* our own route, which we do not use */
	return !addr_is_none(&source) && !addr_is_none(&a->local.addr) &&
	       !addr_equal(&source, &a->local.addr);
}

static void suspect_at(struct initiator *i, msec at)
{
	if (!wheel_armed(&i->roam.suspicion) || at < i->roam.suspicion.deadline)
		wheel_arm(&i->loop->wheel, &i->roam.suspicion, at);
}

bool initiator_roam_changed(struct initiator *i)
{
	if (any_gone(i)) {
		if (!wheel_armed(&i->roam.gone))
			wheel_arm(&i->loop->wheel, &i->roam.gone, loop_now(i->loop) + GONE_MS);
		return i->current != NULL;
	}
	if (i->state == INITIATOR_UP && i->current && has_moved(i))
		suspect_at(i, loop_now(i->loop) + MOVED_MS);
	return false;
}

/* ---- suspicion ---- */

void initiator_roam_probing(struct initiator *i)
{
	if (i->current && i->current->engine.softwire.tunnel.probing)
		suspect_at(i, loop_now(i->loop) + SUSPECT_MS);
}

static void suspect(struct wheel_timer *t, msec now)
{
	struct initiator *i = container_of(container_of(t, struct roam, suspicion), struct initiator, roam);
	struct log_line l;

	if (i->state != INITIATOR_UP || !i->current || !i->current->engine.softwire.tunnel.probing)
		return;
	if (i->race.purpose == RACE_HOME)
		i->race.purpose = RACE_NONE; /* its racers stay, and all servers are asked */
	if (!i->race.purpose && !i->follower && initiator_log(i, &l, LEVEL_INFO, "suspect")) {
		log_text(&l, "reason", "the softwire does not answer: another one is set up beside it");
		log_end(&l);
	}
	initiator_race_start(i, RACE_SUSPECT);
}

void initiator_roam_heard(struct initiator *i)
{
	struct attempt *f = i->follower;

	if (i->current->engine.softwire.tunnel.probing)
		return;
	wheel_disarm(&i->loop->wheel, &i->roam.suspicion);
	if (i->race.purpose == RACE_SUSPECT)
		initiator_race_stop(i, "the softwire answers after all");
	if (f && f->purpose == RACE_SUSPECT && f->engine.softwire.step < STEP_AUTH)
		attempt_drop(f, CAUSE_LOCAL, "the softwire answers after all");
}

/* ---- sleep ---- */

static int64_t clock_ahead(void)
{
	return (int64_t)loop_boottime() - (int64_t)loop_clock();
}

/* SLEPT by the machine, LATE by this process alone. */
static void resumed(struct initiator *i, msec slept, msec late, msec now)
{
	struct log_line l;

	if (initiator_log(i, &l, LEVEL_INFO, "resumed")) {
		log_uint(&l, "asleep_seconds", (slept + late) / 1000);
		log_end(&l);
	}
	if (slept)
		initiator_network_slept(i, slept);
	if (slept && i->current)
		softwire_si_slept(&i->current->engine, slept, now);
	i->failures = 0;
	i->unanswered_since = 0;
	initiator_servers_forget(i);
	if (i->down_since) /* the outage begins now: nobody could have done anything about it */
		i->down_since = now;
	if (i->race.purpose == RACE_CONNECT && !i->current) {
		initiator_race_stop(i, "the machine was asleep");
		initiator_connect(i);
	} else if (i->state == INITIATOR_WAITING) {
		initiator_connect(i);
	} else {
		initiator_hint(i, "the machine was asleep");
	}
}

void initiator_roam_tick(struct initiator *i, msec now)
{
	struct roam *r = &i->roam;
	int64_t ahead = clock_ahead();
	msec slept = ahead > r->ahead ? (msec)(ahead - r->ahead) : 0;
	msec late = now > r->tick_at ? now - r->tick_at : 0;
	bool first = !r->tick_at;

	r->tick_at = now;
	r->ahead = ahead;
	if (!first && (slept >= SLEPT_MS || late >= LATE_MS))
		resumed(i, slept >= SLEPT_MS ? slept : 0, late >= LATE_MS ? late : 0, now);
}

void initiator_roam_init(struct initiator *i)
{
	i->roam.suspicion.fire = suspect;
	i->roam.gone.fire = gone;
}

void initiator_roam_stop(struct initiator *i)
{
	wheel_disarm(&i->loop->wheel, &i->roam.suspicion);
	wheel_disarm(&i->loop->wheel, &i->roam.gone);
}

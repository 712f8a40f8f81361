/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HS-PROV-10: a delegated prefix with fewer /64s than LAN interfaces cannot be shared out, so the interfaces become ports of one bridge, where the
 * configuration names one, and the bridge is the LAN: for the /64 and its advertisements, and for IPv4 subnets, too.
 *
 * A shorter prefix that comes later does not undo it before a restart: hosts on the bridge know each other by then, and which of them should
 * lose the others is not ours to say.
 * An interface that leads to the concentrator is never made a port: the host would lose its addresses there.
 */
#include "initiator/role.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

static void tell(struct initiator *i, const char *reason, const char *advice)
{
	struct log_line l;

	if (i->bridge_told || !initiator_log(i, &l, LEVEL_WARN, "bridge-failed"))
		return;
	i->bridge_told = true;
	log_text(&l, "bridge", i->config.lan_bridge);
	log_text(&l, "reason", reason);
	log_text(&l, "advice", advice);
	log_end(&l);
}

static void bridge_made(struct initiator *i)
{
	struct log_line l;

	initiator_network_lans_change(i, false);
	for (unsigned n = 0; n < i->config.lan_count; n++)
		initiator_lan_retire(i, &i->lans[n]);
	i->bridge_state = BRIDGE_MADE;
	if (initiator_log(i, &l, LEVEL_INFO, "bridge")) {
		log_text(&l, "bridge", i->config.lan_bridge);
		log_uint(&l, "ports", i->config.lan_count);
		log_end(&l);
	}
	initiator_lan_open(&i->bridge);
	initiator_network_lans_change(i, true);
	initiator_hooks_changed(i);
}

/* The keeper has made what it could of it. */
static bool is_partial(int result)
{
	return result == -EBUSY || result == -ENODEV;
}

static void bridge_answer(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (i->stopping)
		return;
	if (!result)
		i->bridge_told = false;
	else /* the next refresh tries again */
		memset(i->bridge_ports, 0, sizeof(i->bridge_ports));
	if (is_partial(result))
		tell(i, strerror(-result),
			"an interface of lan that is a port of another bridge is left there: take it out of "
			"one of them");
	else if (result)
		tell(i, strerror(-result), "until it works, only the first LAN interface has IPv6");
	if (i->bridge_state != BRIDGE_ASKED)
		return;
	if (!result || is_partial(result))
		bridge_made(i);
	else
		i->bridge_state = BRIDGE_WANTED;
}

/* Those LAN interfaces that are there. False: they are the ports that were asked for last. */
static bool list_ports(struct initiator *i, const char *ports[INITIATOR_LANS], unsigned *ret_count)
{
	unsigned now[INITIATOR_LANS] = {0}, count = 0;
	bool same;

	for (unsigned n = 0; n < i->config.lan_count; n++) {
		now[n] = if_nametoindex(i->config.lans[n]);
		if (now[n])
			ports[count++] = i->config.lans[n];
	}
	same = memcmp(now, i->bridge_ports, sizeof(now)) == 0;
	memcpy(i->bridge_ports, now, sizeof(now));
	*ret_count = count;
	return count && !same;
}

static void ask(struct initiator *i)
{
	const char *ports[INITIATOR_LANS];
	unsigned count;

	if (!list_ports(i, ports, &count))
		return;
	if (i->bridge_state == BRIDGE_WANTED)
		i->bridge_state = BRIDGE_ASKED;
	keeper_bridge(i->keeper, i->config.lan_bridge, ports, count, bridge_answer, i);
}

bool initiator_bridge_want(struct initiator *i)
{
	if (!*i->config.lan_bridge)
		return false;
	for (unsigned n = 0; n < i->config.lan_count; n++) {
		if (strcmp(i->config.lans[n], i->uplink) == 0) {
			tell(i, "one of the LAN interfaces leads to the concentrator",
				"no bridge is made; take it out of lan");
			return false;
		}
	}
	if (i->bridge_state == BRIDGE_NONE) {
		i->bridge_state = BRIDGE_WANTED;
		ask(i);
	}
	return true;
}

void initiator_bridge_start(struct initiator *i)
{
	bool needed = false;

	if (!*i->config.lan_bridge)
		return;
	for (unsigned n = 0; n < i->hint.prefix_count; n++)
		needed |= prefix_count(&i->hint.prefixes[n].prefix, 64) < i->config.lan_count;
	if (!needed) /* one that is left of an engine process that crashed */
		keeper_bridge(i->keeper, i->config.lan_bridge, NULL, 0, NULL, NULL);
}

void initiator_bridge_refresh(struct initiator *i)
{
	if (i->bridge_state == BRIDGE_WANTED || i->bridge_state == BRIDGE_MADE)
		ask(i);
}

void initiator_bridge_stop(struct initiator *i)
{
	if (i->bridge_state != BRIDGE_NONE)
		keeper_bridge(i->keeper, i->config.lan_bridge, NULL, 0, initiator_network_done, i);
}

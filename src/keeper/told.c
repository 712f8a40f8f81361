/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the log says about requests of the engine. It can provoke any number of them, so these lines are limited. */
#include <string.h>

#include "keeper/grant.h"

enum { REFUSALS_PER_SECOND = 5, REFUSALS_BURST = 20 };

/* What the request was about, as far as it has been decoded. */
static void log_object(struct log_line *l, const struct message_request *r)
{
	const union message_body *b = &r->body;

	switch ((enum message_type)r->type) {
	case MESSAGE_OPEN_UDP:
	case MESSAGE_CLOSE_UDP:
	case MESSAGE_OPEN_TCP:
	case MESSAGE_CLOSE_TCP:
		log_endpoint(l, "local", &b->endpoint);
		break;
	case MESSAGE_OPEN_TUN:
	case MESSAGE_OPEN_TAP:
	case MESSAGE_LINK_MTU:
		log_text(l, "device", b->link.name);
		log_uint(l, "mtu", b->link.mtu);
		break;
	case MESSAGE_OPEN_ICMP6:
	case MESSAGE_CLOSE_TUN:
		log_text(l, "device", b->name);
		break;
	case MESSAGE_OPEN_FILE:
	case MESSAGE_OPEN_DIRECTORY:
		log_text(l, "path", b->path);
		break;
	case MESSAGE_ROUTE:
		log_text(l, "do", b->route.add ? "add" : "delete");
		log_prefix(l, "dst", &b->route.dst);
		log_text(l, "device",
			b->route.kind == KEEPER_ROUTE_UNREACHABLE ? "unreachable" : b->route.device);
		break;
	case MESSAGE_ADDRESS:
		log_text(l, "do", b->address.add ? "add" : "delete");
		log_addr(l, "address", &b->address.address);
		log_text(l, "device", b->address.device);
		break;
	case MESSAGE_DNS:
		log_text(l, "device", b->dns.device);
		log_uint(l, "servers", b->dns.count);
		break;
	case MESSAGE_BGP_ROUTES:
		log_uint(l, "table", b->bgp_routes.table.table);
		log_uint(l, "metric", b->bgp_routes.table.metric);
		log_uint(l, "routes", b->bgp_routes.count);
		break;
	case MESSAGE_BGP_FLUSH:
		log_uint(l, "table", b->table.table);
		log_uint(l, "metric", b->table.metric);
		break;
	case MESSAGE_NEIGHBOURS:
		log_text(l, "do", b->neighbours.add ? "add" : "delete");
		log_text(l, "device", b->neighbours.device);
		log_uint(l, "neighbours", b->neighbours.count);
		break;
	case MESSAGE_OPEN_RAW:
		log_addr(l, "local", &b->raw.local);
		log_uint(l, "protocol", b->raw.protocol);
		break;
	case MESSAGE_BORDERS:
		log_uint(l, "interfaces", b->borders.interface_count);
		log_uint(l, "sets", b->borders.set_count);
		break;
	case MESSAGE_BRIDGE:
		log_text(l, "device", b->bridge.bridge);
		log_uint(l, "ports", b->bridge.count);
		break;
	case MESSAGE_HOOK:
		log_text(l, "path", b->hook.path);
		log_text(l, "key", b->hook.key);
		log_text(l, "on", b->hook.event);
		break;
	default:
		break;
	}
}

/* Begins a line that the engine can provoke. */
static bool begin_limited(struct grant *g, struct log_line *l, const char *event, uint32_t type)
{
	if (!limit_ok(&g->refusals, loop_clock(), REFUSALS_PER_SECOND, REFUSALS_BURST) ||
		!log_begin(g->log, l, LEVEL_WARN, event))
		return false;
	log_text(l, "request", message_name(type));
	return true;
}

static void end_limited(struct grant *g, struct log_line *l)
{
	if (g->refusals.suppressed)
		log_uint(l, "suppressed", g->refusals.suppressed);
	g->refusals.suppressed = 0;
	log_end(l);
}

/* R is NULL when it could not be decoded. */
void told_refusal(struct grant *g, uint32_t type, const struct message_request *r, const char *reason)
{
	struct log_line l;

	if (!begin_limited(g, &l, "keeper-refused", type))
		return;
	if (r)
		log_object(&l, r);
	else
		log_uint(&l, "type", type);
	log_text(&l, "reason", reason);
	end_limited(g, &l);
}

/* What an error means here, where strerror() alone would leave the operator guessing. */
static const char *explain(uint32_t type, int result)
{
	static const struct {
		uint32_t type;
		int result;
		const char *text;
	} known[] = {
		{MESSAGE_OPEN_UDP, -EADDRINUSE, "another program has this port"},
		{MESSAGE_OPEN_UDP, -EADDRNOTAVAIL, "no interface has this address"},
		{MESSAGE_OPEN_TCP, -EADDRINUSE, "another program listens there"},
		{MESSAGE_OPEN_TUN, -EBUSY, "somebody else has a device of this name"},
		{MESSAGE_OPEN_TUN, -ENOENT, "the kernel has no TUN driver (modprobe tun)"},
		{MESSAGE_OPEN_TAP, -EBUSY, "somebody else has a device of this name"},
		{MESSAGE_OPEN_TAP, -ENOENT, "the kernel has no TAP driver (modprobe tun)"},
		{MESSAGE_NEIGHBOURS, -ENODEV, "the device has not been opened"},
		{MESSAGE_BORDERS, -EAFNOSUPPORT, "the kernel has no routing policy for this family"},
		{MESSAGE_BORDERS, -EOPNOTSUPP, "the kernel has no routing policy for this family"},
		{MESSAGE_OPEN_FILE, -EINVAL, "not a regular file"},
		{MESSAGE_OPEN_FILE, -ELOOP, "symbolic link where the engine itself may write"},
		{MESSAGE_OPEN_DIRECTORY, -EACCES,
			"in use, and not the engine's: give it to its user by chown"},
		{MESSAGE_OPEN_CONTROL, -EADDRINUSE, "another daemon listens there"},
		{MESSAGE_OPEN_CONTROL, -EEXIST, "there is a file, and it is not a socket"},
		{MESSAGE_ROUTE, -EEXIST, "somebody else has a route with this destination and metric"},
		{MESSAGE_ROUTE, -ENODEV, "the device has not been opened"},
		{MESSAGE_ADDRESS, -EEXIST, "the device has this address already, and not from us"},
		{MESSAGE_ADDRESS, -ENODEV, "the device is not there or has not been opened"},
		{MESSAGE_BRIDGE, -EEXIST, "there is a device of this name, and it is not a bridge"},
		{MESSAGE_BRIDGE, -EOPNOTSUPP, "the kernel has no bridges (modprobe bridge)"},
		{MESSAGE_BRIDGE, -EBUSY, "an interface is a port of something else already"},
		{MESSAGE_BRIDGE, -ENODEV, "an interface is not there"},
		{MESSAGE_HOOK, -ENOBUFS, "too many hooks wait"},
		{MESSAGE_DNS, -ENODEV, "the device has not been opened"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == type && known[i].result == result)
			return known[i].text;
	return NULL;
}

void told_failure(struct grant *g, const struct message_request *r, int result)
{
	const char *reason = explain(r->type, result);
	struct log_line l;

	if ((r->type == MESSAGE_DNS || r->type == MESSAGE_HELD_UDP) && result == -ENOENT)
		return; /* an answer rather than a failure: many hosts have no such resolver; there was no process before */
	if (r->type == MESSAGE_BGP_FLUSH && result == -EAGAIN)
		return; /* there is more to do */
	if (r->type == MESSAGE_RELOAD && result == -EINVAL)
		return; /* an orderly refusal, too: what is wrong with the configuration is in the log already */
	if (!begin_limited(g, &l, "keeper-failed", r->type))
		return;
	log_object(&l, r);
	log_text(&l, "error", strerror(-result));
	if (reason)
		log_text(&l, "reason", reason);
	else if (g->netlink && *netlink_error(g->netlink) &&
		 (r->type == MESSAGE_ROUTE || r->type == MESSAGE_ADDRESS || r->type == MESSAGE_LINK_MTU ||
			 r->type == MESSAGE_BRIDGE || r->type == MESSAGE_BGP_ROUTES ||
			 r->type == MESSAGE_NEIGHBOURS || r->type == MESSAGE_BORDERS))
		log_text(&l, "kernel", netlink_error(g->netlink));
	end_limited(g, &l);
}

void told_success(struct grant *g, const struct message_request *r)
{
	struct log_line l;

	if (!log_begin(g->log, &l, LEVEL_DEBUG, "keeper-done"))
		return;
	log_text(&l, "request", message_name(r->type));
	log_object(&l, r);
	log_end(&l);
}

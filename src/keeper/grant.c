/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doing what the engine asks for, within the policy.
 *
 * Held (held.c) are descriptors whose loss would be felt (UDP ports behind a NAT, listening TCP sockets, TUN and TAP devices with their addresses, neighbours and routes, the control
 * socket with its queue). Remembered are the changes that do not vanish with a descriptor: unreachable routes and addresses on LANs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/descriptor.h"
#include "keeper/grant.h"
#include "keeper/notify.h"
#include "keeper/policy.h"

void grant_init(struct grant *g, const struct keeper_policy *policy, struct log *log, void *reload_arg)
{
	*g = (struct grant){.policy = policy,
		.newest = policy,
		.log = log,
		.reload_arg = reload_arg,
		.execute = grant_execute};
	resolver_init(&g->resolver, policy->resolvers, log);
	hooks_init(&g->hooks, log);
	g->upgrade.log = log;
	g->offered = -1;
	g->ledger.fd = -1;
	g->forwarding.ledger = g->bridges.ledger = g->borders.ledger = g->hush.ledger = g->tables.ledger = g->resolver.ledger = &g->ledger;
}

/* ---- what is remembered ---- */

static bool is_same(const struct grant_added *a, const struct message_request *r)
{
	if (a->type != r->type)
		return false;
	if (a->type == MESSAGE_ROUTE)
		return prefix_equal(&a->route.dst, &r->body.route.dst) &&
		       a->route.metric == r->body.route.metric;
	return !strcmp(a->address.device, r->body.address.device) &&
	       addr_equal(&a->address.address, &r->body.address.address) &&
	       a->address.prefix_len == r->body.address.prefix_len;
}

static struct grant_added **find_added(struct grant *g, const struct message_request *r)
{
	struct grant_added **link = &g->added;

	while (*link && !is_same(*link, r))
		link = &(*link)->next;
	return link;
}

static bool outlives_us(const struct grant *g, const struct message_request *r)
{
	if (r->type == MESSAGE_ROUTE)
		return r->body.route.kind == KEEPER_ROUTE_UNREACHABLE;
	return policy_has_lan(g->policy, r->body.address.device);
}

/* Before the change, so that none is made that could not be undone. */
static int remember(struct grant *g, const struct message_request *r)
{
	struct grant_added **link = find_added(g, r);
	struct grant_added *a;

	if (*link)
		return 0;
	a = g->added_count < GRANT_ADDED_MAX ? calloc(1, sizeof(*a)) : NULL;
	if (!a)
		return -ENOBUFS;
	a->type = r->type;
	if (r->type == MESSAGE_ROUTE)
		a->route = r->body.route;
	else
		a->address = r->body.address;
	a->next = NULL;
	*link = a;
	g->added_count++;
	grant_enter_added(g, a);
	return 0;
}

static void forget(struct grant *g, const struct message_request *r)
{
	struct grant_added **link = find_added(g, r);
	struct grant_added *a = *link;

	if (!a)
		return;
	*link = a->next;
	g->added_count--;
	ledger_drop(&g->ledger, &a->entry);
	free(a);
}

static int apply_route(struct grant *g, bool add, const struct message_route *r)
{
	return netlink_route(g->netlink, add, &r->dst, r->kind == KEEPER_ROUTE_UNREACHABLE, r->device,
		&r->source, r->metric);
}

static int apply_address(struct grant *g, bool add, const struct message_address *a)
{
	return netlink_address(
		g->netlink, add, a->device, &a->address, a->prefix_len, a->valid, a->preferred);
}

static int apply(struct grant *g, bool add, const struct message_request *r)
{
	return r->type == MESSAGE_ROUTE ? apply_route(g, add, &r->body.route)
					: apply_address(g, add, &r->body.address);
}

/*
 * May an address on a LAN be added? -EEXIST when it is the administrator's. Where the kernel cannot tell, ours is what we have added; deleting
 * needs no look, for what is not KNOWN is not deleted.
 */
static int look_at_address(struct grant *g, bool known, const struct message_address *a)
{
	enum netlink_owner owner = NETLINK_NOBODY;
	int r = netlink_address_owner(g->netlink, a->device, &a->address, a->prefix_len, &owner);

	if (r)
		return r;
	return owner == NETLINK_OTHERS || (owner == NETLINK_UNKNOWN && !known) ? -EEXIST : 0;
}

/* Somebody's: an engine may think of an address that an earlier keeper has taken away. */
static bool is_there(struct grant *g, const struct message_address *a)
{
	enum netlink_owner owner = NETLINK_NOBODY;

	return netlink_address_owner(g->netlink, a->device, &a->address, a->prefix_len, &owner) || owner != NETLINK_NOBODY;
}

/* A route or address, added or deleted. */
static int change(struct grant *g, bool add, const struct message_request *r)
{
	bool known = *find_added(g, r) != NULL;
	int result = 0;

	if (!outlives_us(g, r))
		return apply(g, add, r);
	if (!add && !known && r->type == MESSAGE_ADDRESS)
		return is_there(g, &r->body.address) ? -EPERM : 0; /* the administrator's */
	if (add && r->type == MESSAGE_ADDRESS)
		result = look_at_address(g, known, &r->body.address);
	if (!result && add)
		result = remember(g, r);
	if (!result)
		result = apply(g, add, r);
	/* A failed change of what had been there before leaves it there. */
	if (add ? result && !known : !result)
		forget(g, r);
	return result;
}

/* ---- the requests ---- */

/* Port 0 stands for a socket of one's own, so the same one is not given twice to the same engine process. */
static struct grant_held *find_udp(const struct grant *g, const struct endpoint *asked)
{
	for (struct grant_held *h = g->held; h; h = h->next)
		if (h->type == MESSAGE_OPEN_UDP && endpoint_equal(&h->asked, asked) &&
			!(asked->port == 0 && h->handed))
			return h;
	return NULL;
}

static int do_open_udp(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct endpoint *asked = &r->body.endpoint;
	struct grant_held *h = find_udp(g, asked);
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	int error;

	if (!h) {
		h = held_add(g, r->type, descriptor_udp(asked), &error);
		if (!h)
			return error;
		h->asked = h->bound = *asked;
		if (!getsockname(h->fd, (struct sockaddr *)&sa, &len))
			(void)endpoint_from_sockaddr((const struct sockaddr *)&sa, &h->bound);
		return held_enter(g, h, ret_fd);
	}
	return held_copy(h, ret_fd);
}

static int let_go_bound(struct grant *g, uint32_t type, const struct endpoint *bound)
{
	for (struct grant_held **link = &g->held; *link; link = &(*link)->next) {
		if ((*link)->type != type || !endpoint_equal(&(*link)->bound, bound))
			continue;
		held_drop(g, link);
		return 0;
	}
	return -ENOENT;
}

static int do_close_udp(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return let_go_bound(g, MESSAGE_OPEN_UDP, &r->body.endpoint);
}

static int do_open_tcp(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct endpoint *asked = &r->body.endpoint;
	struct grant_held *h = g->held;
	int error;

	while (h && (h->type != r->type || !endpoint_equal(&h->asked, asked)))
		h = h->next;
	if (h)
		return held_copy(h, ret_fd);
	h = held_add(g, r->type, descriptor_tcp(asked), &error);
	if (!h)
		return error;
	h->asked = h->bound = *asked;
	return held_enter(g, h, ret_fd);
}

static int do_close_tcp(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return let_go_bound(g, MESSAGE_OPEN_TCP, &r->body.endpoint);
}

/* TUN or TAP. */
static int do_open_device(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct message_link *l = &r->body.link;
	struct grant_held *h = held_find(g, r->type, l->name), **link = &g->held;
	int error = h ? netlink_link_mtu(g->netlink, l->name, l->mtu) : -ENODEV;

	if (!error)
		return held_copy(h, ret_fd);
	if (h && error != -ENODEV)
		return error;
	if (h) { /* somebody has deleted it: it is made again */
		while (*link != h)
			link = &(*link)->next;
		held_drop(g, link);
	}
	h = held_add(g, r->type,
		r->type == MESSAGE_OPEN_TUN ? descriptor_tun(g->netlink, l->name, l->mtu)
					    : descriptor_tap(g->netlink, l->name, l->mtu, g->log),
		&error);
	if (!h)
		return error;
	memcpy(h->name, l->name, sizeof(h->name));
	return held_enter(g, h, ret_fd);
}

/* The device goes when the engine has closed its own descriptor, too; and what was kept beside it. */
static int do_close_tun(struct grant *g, const struct message_request *r, int *ret_fd)
{
	int result = -ENOENT;

	for (struct grant_held **link = &g->held; *link;) {
		uint32_t type = (*link)->type;

		if ((type == MESSAGE_OPEN_TUN || type == MESSAGE_OPEN_TAP || type == MESSAGE_OPEN_STATE ||
			    type == MESSAGE_HOLD_UDP) &&
			!strcmp((*link)->name, r->body.name)) {
			held_drop(g, link);
			result = 0;
		} else {
			link = &(*link)->next;
		}
	}
	return result;
}

/* Gives FD to the engine alone. */
static int give(int fd, int *ret_fd)
{
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static int do_open_icmp6(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return give(descriptor_icmp6(r->body.name), ret_fd);
}

static int do_open_file(struct grant *g, const struct message_request *r, int *ret_fd)
{
	/* Where the engine may write, it could have put a symbolic link to somebody's secrets. */
	return give(descriptor_file(r->body.path, policy_in_directory(g->policy, r->body.path)), ret_fd);
}

static int do_open_directory(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return give(descriptor_directory(r->body.path, &g->engine), ret_fd);
}

static int do_open_control(struct grant *g, const struct message_request *r, int *ret_fd)
{
	struct grant_held *h = g->held;
	int error;

	while (h && h->type != MESSAGE_OPEN_CONTROL)
		h = h->next;
	if (!h) {
		h = held_add(g, r->type,
			descriptor_control(g->policy->control_socket, g->policy->control_group, g->log),
			&error);
		if (!h)
			return error;
		snprintf(h->path, sizeof(h->path), "%s", g->policy->control_socket);
		return held_enter(g, h, ret_fd);
	}
	return held_copy(h, ret_fd);
}

static int do_open_state(struct grant *g, const struct message_request *r, int *ret_fd)
{
	struct grant_held *h = held_find(g, r->type, r->body.name);
	int error;

	if (h)
		return held_copy(h, ret_fd);
	h = held_add(g, r->type, descriptor_memory("softwired-state"), &error);
	if (!h)
		return error;
	memcpy(h->name, r->body.name, sizeof(h->name));
	return held_enter(g, h, ret_fd);
}

static void let_go_udp(struct grant *g, const char *device)
{
	struct grant_held **link = &g->held;

	while (*link && ((*link)->type != MESSAGE_HOLD_UDP || strcmp((*link)->name, device) != 0))
		link = &(*link)->next;
	if (*link)
		held_drop(g, link);
}

/* What the engine gives us is never read or written, only given back. It takes the place of what it gave before. */
static int do_hold_udp(struct grant *g, const struct message_request *r, int *ret_fd)
{
	struct grant_held *h;
	int fd = g->offered, error;

	if (fd >= 0 && !descriptor_is_udp(fd))
		return -EINVAL;
	let_go_udp(g, r->body.name);
	if (fd < 0)
		return 0;
	g->offered = -1;
	h = held_add(g, r->type, fd, &error);
	if (!h)
		return error;
	memcpy(h->name, r->body.name, sizeof(h->name));
	(void)held_enter(g, h, ret_fd);
	close(*ret_fd);
	*ret_fd = -1;
	return 0;
}

static int do_held_udp(struct grant *g, const struct message_request *r, int *ret_fd)
{
	struct grant_held *h = held_find(g, MESSAGE_HOLD_UDP, r->body.name);

	return h ? held_copy(h, ret_fd) : -ENOENT;
}

static int do_route(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct message_route *m = &r->body.route;

	/* A name of the policy is ours only from the moment that we have made the device. */
	if (m->kind == KEEPER_ROUTE_DEVICE && !held_find(g, MESSAGE_OPEN_TUN, m->device))
		return m->add ? -ENODEV : 0;
	return change(g, m->add, r);
}

static int do_address(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct message_address *m = &r->body.address;

	if (!policy_has_lan(g->policy, m->device) && !held_find(g, MESSAGE_OPEN_TUN, m->device))
		return m->add ? -ENODEV : 0;
	return change(g, m->add, r);
}

static int do_link_mtu(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct message_link *l = &r->body.link;

	return held_find_device(g, l->name) ? netlink_link_mtu(g->netlink, l->name, l->mtu) : -ENODEV;
}

static int do_forwarding(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return forwarding_enable(&g->forwarding, r->body.family, g->log);
}

static int do_dns(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct message_dns *m = &r->body.dns;

	if (!held_find(g, MESSAGE_OPEN_TUN, m->device))
		return m->count ? -ENODEV : 0;
	return resolver_set(&g->resolver, m->device, m->servers, m->count, loop_clock());
}

static int do_bridge(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return bridges_set(&g->bridges, g->netlink, &r->body.bridge);
}

static int do_bgp_routes(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return tables_put(&g->tables, g->netlink, &r->body.bgp_routes, g->routes_failed);
}

static int do_bgp_flush(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return tables_flush(&g->tables, g->netlink, &r->body.table);
}

/* Number N is fe80::N, and 02:00:00 and N on the link. */
static struct netlink_neighbour to_neighbour(uint32_t number)
{
	const uint8_t low[] = {(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
	struct netlink_neighbour n = {{AF_INET6, {0xfe, 0x80}}, {2}};

	memcpy(n.address.bytes + sizeof(n.address.bytes) - sizeof(low), low, sizeof(low));
	memcpy(n.lladdr + sizeof(n.lladdr) - sizeof(low), low, sizeof(low));
	return n;
}

static int do_neighbours(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct message_neighbours *m = &r->body.neighbours;
	struct netlink_neighbour list[KEEPER_NEIGHBOURS];

	if (!held_find(g, MESSAGE_OPEN_TAP, m->device))
		return m->add ? -ENODEV : 0;
	for (uint32_t i = 0; i < m->count; i++)
		list[i] = to_neighbour(m->numbers[i]);
	return netlink_neighbours(g->netlink, m->add, m->device, list, m->count);
}

static int do_open_raw(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct message_raw *m = &r->body.raw;
	int result = give(descriptor_raw(&m->local, m->protocol), ret_fd);
	int hushed = result || m->protocol == IPPROTO_RAW ? 0 : hush_add(&g->hush, g->netlink, &m->local);
	char text[ADDR_TEXT];

	if (hushed)
		log_message(g->log, LEVEL_WARN, "mesh-hush",
			"where a tunnel driver of the kernel is loaded (ip6_tunnel, ip_gre, sit, ipip) it will tell senders that %s takes no softwires: "
			"this cannot be forbidden here: %s",
			addr_print(&m->local, text), strerror(-hushed));
	return result;
}

static int do_borders(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return borders_set(&g->borders, g->netlink, &r->body.borders);
}

static int do_hook(struct grant *g, const struct message_request *r, int *ret_fd)
{
	int result = hooks_add(&g->hooks, r->id, &r->body.hook, loop_clock());

	return result ? result : GRANT_LATER;
}

static int do_reload(struct grant *g, const struct message_request *r, int *ret_fd)
{
	return grant_reload(g);
}

static int do_ready(struct grant *g, const struct message_request *r, int *ret_fd)
{
	g->ready = true;
	notify_tell("READY=1");
	return 0;
}

static int do_upgrade(struct grant *g, const struct message_request *r, int *ret_fd)
{
	int result = g->ledger.store ? upgrade_begin(&g->upgrade, r->id, g->newest->command, loop_clock()) : -EOPNOTSUPP;

	return result ? result : GRANT_LATER;
}

static int do_reload_back(struct grant *g, const struct message_request *r, int *ret_fd)
{
	const struct keeper_policy *before =
		g->newest->reload_back ? g->newest->reload_back(g->reload_arg) : NULL;

	if (before)
		g->newest = before; /* what was allowed meanwhile stays so for the engine that runs, as with any other */
	return 0;
}

int grant_execute(struct grant *g, const struct message_request *r, int *ret_fd)
{
	static int (*const actions[MESSAGE_TYPES])(struct grant *, const struct message_request *, int *) = {
		[MESSAGE_OPEN_UDP] = do_open_udp,
		[MESSAGE_CLOSE_UDP] = do_close_udp,
		[MESSAGE_OPEN_TUN] = do_open_device,
		[MESSAGE_OPEN_ICMP6] = do_open_icmp6,
		[MESSAGE_OPEN_FILE] = do_open_file,
		[MESSAGE_OPEN_DIRECTORY] = do_open_directory,
		[MESSAGE_OPEN_CONTROL] = do_open_control,
		[MESSAGE_ROUTE] = do_route,
		[MESSAGE_ADDRESS] = do_address,
		[MESSAGE_LINK_MTU] = do_link_mtu,
		[MESSAGE_FORWARDING] = do_forwarding,
		[MESSAGE_RELOAD] = do_reload,
		[MESSAGE_DNS] = do_dns,
		[MESSAGE_HOOK] = do_hook,
		[MESSAGE_BRIDGE] = do_bridge,
		[MESSAGE_OPEN_STATE] = do_open_state,
		[MESSAGE_HOLD_UDP] = do_hold_udp,
		[MESSAGE_HELD_UDP] = do_held_udp,
		[MESSAGE_READY] = do_ready,
		[MESSAGE_UPGRADE] = do_upgrade,
		[MESSAGE_CLOSE_TUN] = do_close_tun,
		[MESSAGE_RELOAD_BACK] = do_reload_back,
		[MESSAGE_OPEN_TCP] = do_open_tcp,
		[MESSAGE_CLOSE_TCP] = do_close_tcp,
		[MESSAGE_BGP_ROUTES] = do_bgp_routes,
		[MESSAGE_BGP_FLUSH] = do_bgp_flush,
		[MESSAGE_OPEN_TAP] = do_open_device,
		[MESSAGE_NEIGHBOURS] = do_neighbours,
		[MESSAGE_OPEN_RAW] = do_open_raw,
		[MESSAGE_BORDERS] = do_borders,
	};

	return actions[r->type](g, r, ret_fd);
}

/* ---- one message ---- */

bool grant_handle(struct grant *g, const void *data, size_t len, struct message_answer *ret, int *ret_fd)
{
	struct message_request r;
	uint32_t id, type = 0;
	const char *why = message_decode(data, len, &r);

	*ret_fd = -1;
	if (why) {
		bool answer = message_peek(data, len, &id, &type);

		g->malformed++;
		told_refusal(g, type, NULL, why);
		if (answer)
			*ret = (struct message_answer){.id = id, .result = -EINVAL};
		return answer;
	}
	*ret = (struct message_answer){.id = r.id, .result = -EPERM};
	why = policy_check(g->policy, &r);
	if (why) {
		g->refused++;
		told_refusal(g, r.type, &r, why);
		return true;
	}
	memset(g->routes_failed, 0, sizeof(g->routes_failed));
	ret->result = g->execute(g, &r, ret_fd);
	memcpy(ret->failed, g->routes_failed, sizeof(ret->failed));
	if (ret->result == GRANT_LATER) {
		g->done++;
		return false;
	}
	if (ret->result) {
		g->failed++;
		told_failure(g, &r, ret->result);
	} else {
		g->done++;
		told_success(g, &r);
	}
	return true;
}

/* ---- life ---- */

static bool is_allowed(const struct keeper_policy *p, const struct grant_held *h)
{
	if (h->type == MESSAGE_OPEN_UDP)
		return policy_has_udp(p, &h->asked);
	if (h->type == MESSAGE_OPEN_TCP)
		return policy_has_tcp(p, &h->asked);
	if (h->type == MESSAGE_OPEN_TUN || h->type == MESSAGE_HOLD_UDP)
		return policy_has_tun(p, h->name);
	if (h->type == MESSAGE_OPEN_TAP)
		return policy_has_tap(p, h->name);
	if (h->type == MESSAGE_OPEN_STATE)
		return policy_has_device(p, h->name);
	return p->control_socket && !strcmp(p->control_socket, h->path);
}

static void undo(struct grant *g, struct grant_added **link)
{
	struct grant_added *a = *link;

	if (a->type == MESSAGE_ROUTE)
		(void)apply_route(g, false, &a->route);
	else
		(void)apply_address(g, false, &a->address);
	*link = a->next;
	g->added_count--;
	ledger_drop(&g->ledger, &a->entry);
	free(a);
}

/* What only an earlier engine process was allowed. */
static void undo_disallowed(struct grant *g)
{
	struct grant_held **held = &g->held;
	struct grant_added **added = &g->added;

	while (*held) {
		if (is_allowed(g->policy, *held))
			held = &(*held)->next;
		else
			held_drop(g, held);
	}
	while (*added) {
		if ((*added)->type == MESSAGE_ROUTE || policy_has_lan(g->policy, (*added)->address.device))
			added = &(*added)->next;
		else
			undo(g, added);
	}
	bridges_limit(&g->bridges, g->netlink, g->policy);
	tables_limit(&g->tables, g->netlink, g->policy);
	borders_limit(&g->borders, g->netlink, g->policy);
	hush_limit(&g->hush, g->netlink, g->policy);
}

void grant_engine_started(struct grant *g)
{
	if (g->joined) {
		g->policy = g->newest;
		policy_joined_free(g->joined);
		g->joined = NULL;
	}
	undo_disallowed(g); /* of what an earlier keeper was allowed, too */
	for (struct grant_held *h = g->held; h; h = h->next)
		h->handed = false;
	hooks_forget(&g->hooks);
	upgrade_forget(&g->upgrade);
}

int grant_reload(struct grant *g)
{
	const struct keeper_policy *newest;
	struct keeper_policy *before, *joined;

	if (!g->newest->reload)
		return 0;
	before = policy_join(g->policy, NULL); /* reload() may write over what it returned last time */
	newest = before ? g->newest->reload(g->reload_arg) : NULL;
	joined = newest ? policy_join(before, newest) : NULL;
	if (!before || (newest && !joined))
		log_message(g->log, LEVEL_ERROR, "keeper", "not enough memory for another policy");
	if (!newest) {
		policy_joined_free(before);
		return before ? -EINVAL : -ENOMEM;
	}
	g->newest = newest;
	policy_joined_free(g->joined);
	g->joined = joined ? joined : before;
	g->policy = g->joined;
	if (joined)
		policy_joined_free(before);
	return joined ? 0 : -ENOMEM;
}

void grant_done(struct grant *g)
{
	hooks_done(&g->hooks);
	resolver_done(&g->resolver); /* while the devices are still there */
	while (g->added)
		undo(g, &g->added);
	tables_done(&g->tables, g->netlink);
	borders_done(&g->borders, g->netlink);
	hush_done(&g->hush, g->netlink);
	bridges_done(&g->bridges, g->netlink);
	forwarding_restore(&g->forwarding, g->log);
	while (g->held)
		held_drop(g, &g->held);
	upgrade_forget(&g->upgrade);
	if (g->ledger.store)
		notify_discard("ledger");
	ledger_close(&g->ledger);
	g->policy = g->newest;
	policy_joined_free(g->joined);
	g->joined = NULL;
}

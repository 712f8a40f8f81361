/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine process may ask for: comparisons with lists, nothing clever. Names are compared whole, paths as they were written
 * in the configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "keeper/policy.h"

static bool has_text(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

bool policy_has_tun(const struct keeper_policy *p, const char *name)
{
	return has_text(p->tuns, p->tun_count, name);
}

bool policy_has_tap(const struct keeper_policy *p, const char *name)
{
	return has_text(p->taps, p->tap_count, name);
}

bool policy_has_device(const struct keeper_policy *p, const char *name)
{
	return policy_has_tun(p, name) || policy_has_tap(p, name);
}

bool policy_has_bridge(const struct keeper_policy *p, const char *name)
{
	return has_text(p->bridges, p->bridge_count, name);
}

bool policy_has_lan(const struct keeper_policy *p, const char *name)
{
	return has_text(p->lans, p->lan_count, name) || policy_has_bridge(p, name);
}

bool policy_has_port(const struct keeper_policy *p, const char *port)
{
	return has_text(p->lans, p->lan_count, port) && !policy_has_bridge(p, port);
}

static bool has_endpoint(const struct endpoint *list, size_t count, const struct endpoint *e)
{
	for (size_t i = 0; i < count; i++)
		if (endpoint_equal(&list[i], e))
			return true;
	return false;
}

static struct keeper_export *find_export(
	const struct keeper_export *list, size_t count, const struct keeper_table *t)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].table.table == t->table && list[i].table.metric == t->metric)
			return (struct keeper_export *)&list[i];
	return NULL;
}

bool policy_has_table(const struct keeper_policy *p, const struct keeper_table *t)
{
	return find_export(p->exports, p->export_count, t);
}

bool policy_has_udp(const struct keeper_policy *p, const struct endpoint *e)
{
	return has_endpoint(p->udp, p->udp_count, e);
}

bool policy_has_tcp(const struct keeper_policy *p, const struct endpoint *e)
{
	return has_endpoint(p->tcp, p->tcp_count, e);
}

bool policy_in_directory(const struct keeper_policy *p, const char *path)
{
	for (size_t i = 0; i < p->directory_count; i++) {
		size_t len = strlen(p->directories[i]);

		while (len > 1 && p->directories[i][len - 1] == '/')
			len--;
		if (!strncmp(path, p->directories[i], len) && (!path[len] || path[len] == '/'))
			return true;
	}
	return false;
}

/*
 * What may be delegated to us, and nothing that would cut off the host: of IPv6 a global or unique local prefix of a site (RFC 4291 section 2.4,
 * RFC 4193), of IPv4 a network of unicast addresses (RFC 1122 section 3.2.1.3, RFC 3927, RFC 1112).
 */
static bool may_be_unreachable(const struct prefix *p)
{
	const uint8_t *b = p->addr.bytes;

	if (p->addr.family == AF_INET)
		return p->len >= 8 && p->len <= 30 && b[0] != 0 && b[0] != 127 && b[0] < 224 &&
		       !addr_is_link_local(&p->addr);
	return p->len >= 48 && p->len <= 64 && ((b[0] & 0xe0) == 0x20 || (b[0] & 0xfe) == 0xfc);
}

static const char *check_route(const struct keeper_policy *p, const struct message_route *r)
{
	if (r->kind == KEEPER_ROUTE_UNREACHABLE)
		return may_be_unreachable(&r->dst) ? NULL : "unreachable route for what is never delegated";
	return policy_has_tun(p, r->device) ? NULL : "route over a device that is not ours";
}

/* An address on a LAN brings a route for its prefix, before which the host's own ones must not pale. */
static const char *check_address(const struct keeper_policy *p, const struct message_address *a)
{
	if (policy_has_tun(p, a->device))
		return NULL;
	if (!policy_has_lan(p, a->device))
		return "address on a device that is not ours";
	return a->prefix_len >= (a->address.family == AF_INET ? 8 : 64) ? NULL : "prefix too short for a LAN";
}

static const char *check_bridge(const struct keeper_policy *p, const struct message_bridge *m)
{
	if (!policy_has_bridge(p, m->bridge))
		return "bridge that is not configured";
	for (uint32_t i = 0; i < m->count; i++)
		if (!policy_has_port(p, m->ports[i]))
			return "port that is not a configured LAN";
	return NULL;
}

/* What is there may always go. */
static const char *check_bgp_routes(const struct keeper_policy *p, const struct message_bgp_routes *m)
{
	const struct keeper_export *e = find_export(p->exports, p->export_count, &m->table);

	if (!e)
		return "table or metric that is not configured";
	for (uint32_t i = 0; i < m->count; i++)
		if (m->routes[i].add && !(m->routes[i].dst.addr.family == AF_INET ? e->ipv4 : e->ipv6))
			return "route of a family that is not configured";
	return NULL;
}

static bool has_addr(const struct addr *list, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (addr_equal(&list[i], a))
			return true;
	return false;
}

static bool has_prefix(const struct prefix *list, size_t count, const struct prefix *p)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_equal(&list[i], p))
			return true;
	return false;
}

/* None at all may always be. */
static const char *check_borders(const struct keeper_policy *p, const struct message_borders *m)
{
	for (uint32_t i = 0; i < m->interface_count; i++)
		if (!has_text(p->borders, p->border_count, m->interfaces[i]))
			return "interface that is not a configured client link";
	for (uint32_t i = 0; i < m->set_count; i++)
		if (!has_prefix(p->border_sets, p->border_set_count, &m->sets[i]))
			return "addresses that are not configured as the core's";
	return NULL;
}

const char *policy_check(const struct keeper_policy *p, const struct message_request *r)
{
	const union message_body *b = &r->body;

	switch ((enum message_type)r->type) {
	case MESSAGE_OPEN_UDP:
		return policy_has_udp(p, &b->endpoint) ? NULL : "address or port that is not configured";
	case MESSAGE_OPEN_TCP:
		return policy_has_tcp(p, &b->endpoint) ? NULL : "address or port that is not configured";
	case MESSAGE_OPEN_TUN:
		return policy_has_tun(p, b->link.name) ? NULL : "device that is not ours";
	case MESSAGE_OPEN_TAP:
		return policy_has_tap(p, b->link.name) ? NULL : "device that is not ours";
	case MESSAGE_LINK_MTU:
		return policy_has_device(p, b->link.name) ? NULL : "device that is not ours";
	case MESSAGE_NEIGHBOURS:
		return policy_has_tap(p, b->neighbours.device) ? NULL : "neighbours on a device that is not ours";
	case MESSAGE_OPEN_RAW:
		return has_addr(p->raws, p->raw_count, &b->raw.local) ? NULL : "address that is not configured";
	case MESSAGE_BORDERS:
		return check_borders(p, &b->borders);
	case MESSAGE_OPEN_ICMP6:
		return policy_has_lan(p, b->name) ? NULL : "interface that is not a configured LAN";
	case MESSAGE_OPEN_FILE:
		return has_text(p->files, p->file_count, b->path) ? NULL : "file that is not configured";
	case MESSAGE_OPEN_DIRECTORY:
		return has_text(p->directories, p->directory_count, b->path)
			       ? NULL
			       : "directory that is not configured";
	case MESSAGE_OPEN_CONTROL:
		return p->control_socket ? NULL : "no control socket is configured";
	case MESSAGE_ROUTE:
		return check_route(p, &b->route);
	case MESSAGE_ADDRESS:
		return check_address(p, &b->address);
	case MESSAGE_FORWARDING:
		return p->may_forward ? NULL : "this host is not configured as a router";
	case MESSAGE_DNS:
		return policy_has_tun(p, b->dns.device) ? NULL : "DNS servers for a device that is not ours";
	case MESSAGE_HOOK:
		return has_text(p->hooks, p->hook_count, b->hook.path) ? NULL : "hook that is not configured";
	case MESSAGE_BRIDGE:
		return check_bridge(p, &b->bridge);
	case MESSAGE_OPEN_STATE:
	case MESSAGE_CLOSE_TUN:
		return policy_has_device(p, b->name) ? NULL : "for a device that is not ours";
	case MESSAGE_HOLD_UDP:
	case MESSAGE_HELD_UDP:
		return policy_has_tun(p, b->name) ? NULL : "for a device that is not ours";
	case MESSAGE_BGP_ROUTES:
		return check_bgp_routes(p, &b->bgp_routes);
	case MESSAGE_BGP_FLUSH:
		return policy_has_table(p, &b->table) ? NULL : "table or metric that is not configured";
	case MESSAGE_CLOSE_UDP: /* finds only what is held */
	case MESSAGE_CLOSE_TCP:
	case MESSAGE_RELOAD:    /* reads root's own file */
	case MESSAGE_RELOAD_BACK: /* takes back what that has allowed */
	case MESSAGE_READY:     /* tells no secret */
	case MESSAGE_UPGRADE:   /* runs the program that we are */
		return NULL;
	case MESSAGE_TYPES:
		break;
	}
	return "unknown type of request";
}

/* ---- copies ---- */

static void free_texts(const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((char *)list[i]);
	free((void *)list);
}

/* Copies what TO does not have yet behind its first *COUNT; there is room. */
static bool add_texts(const char **to, size_t *count, const char *const *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (has_text(to, *count, from[i]))
			continue;
		to[*count] = strdup(from[i]);
		if (!to[*count])
			return false;
		++*count;
	}
	return true;
}

static bool join_texts(const char *const *a, size_t a_count, const char *const *b, size_t b_count,
	const char *const **ret, size_t *ret_count)
{
	const char **list = calloc(a_count + b_count + 1, sizeof(*list));

	*ret = list;
	*ret_count = 0;
	return list && add_texts(list, ret_count, a, a_count) && add_texts(list, ret_count, b, b_count);
}

static bool join_endpoints(const struct endpoint *a, size_t a_count, const struct endpoint *b, size_t b_count,
	const struct endpoint **ret, size_t *ret_count)
{
	struct endpoint *list = calloc(a_count + b_count + 1, sizeof(*list));

	*ret = list;
	*ret_count = 0;
	if (!list)
		return false;
	for (size_t i = 0; i < a_count + b_count; i++) {
		const struct endpoint *e = i < a_count ? &a[i] : &b[i - a_count];

		if (!has_endpoint(list, *ret_count, e))
			list[(*ret_count)++] = *e;
	}
	return true;
}

static bool join_addrs(struct keeper_policy *ret, const struct keeper_policy *a, const struct keeper_policy *b)
{
	struct addr *list = calloc(a->raw_count + b->raw_count + 1, sizeof(*list));

	ret->raws = list;
	for (size_t i = 0; list && i < a->raw_count + b->raw_count; i++) {
		const struct addr *from = i < a->raw_count ? &a->raws[i] : &b->raws[i - a->raw_count];

		if (!has_addr(list, ret->raw_count, from))
			list[ret->raw_count++] = *from;
	}
	return list;
}

static bool join_prefixes(struct keeper_policy *ret, const struct keeper_policy *a, const struct keeper_policy *b)
{
	struct prefix *list = calloc(a->border_set_count + b->border_set_count + 1, sizeof(*list));

	ret->border_sets = list;
	for (size_t i = 0; list && i < a->border_set_count + b->border_set_count; i++) {
		const struct prefix *from =
			i < a->border_set_count ? &a->border_sets[i] : &b->border_sets[i - a->border_set_count];

		if (!has_prefix(list, ret->border_set_count, from))
			list[ret->border_set_count++] = *from;
	}
	return list;
}

static bool join_exports(struct keeper_policy *ret, const struct keeper_policy *a, const struct keeper_policy *b)
{
	struct keeper_export *list = calloc(a->export_count + b->export_count + 1, sizeof(*list));

	ret->exports = list;
	if (!list)
		return false;
	for (size_t i = 0; i < a->export_count + b->export_count; i++) {
		const struct keeper_export *from =
			i < a->export_count ? &a->exports[i] : &b->exports[i - a->export_count];
		struct keeper_export *to = find_export(list, ret->export_count, &from->table);

		if (!to) {
			to = &list[ret->export_count++];
			to->table = from->table;
		}
		to->ipv4 = to->ipv4 || from->ipv4;
		to->ipv6 = to->ipv6 || from->ipv6;
	}
	return true;
}

static bool join_one(const char *a, const char *b, const char **ret)
{
	const char *one = b ? b : a;

	*ret = one ? strdup(one) : NULL;
	return !one || *ret;
}

struct keeper_policy *policy_join(const struct keeper_policy *a, const struct keeper_policy *b)
{
	static const struct keeper_policy nothing;
	struct keeper_policy *p = calloc(1, sizeof(*p));
	const struct keeper_policy *last = b ? b : a;

	if (!b)
		b = &nothing;
	if (!p)
		return NULL;
	p->may_forward = a->may_forward || b->may_forward;
	if (join_texts(a->files, a->file_count, b->files, b->file_count, &p->files, &p->file_count) &&
		join_texts(a->directories, a->directory_count, b->directories, b->directory_count,
			&p->directories, &p->directory_count) &&
		join_texts(a->tuns, a->tun_count, b->tuns, b->tun_count, &p->tuns, &p->tun_count) &&
		join_texts(a->taps, a->tap_count, b->taps, b->tap_count, &p->taps, &p->tap_count) &&
		join_texts(a->borders, a->border_count, b->borders, b->border_count, &p->borders,
			&p->border_count) &&
		join_addrs(p, a, b) && join_prefixes(p, a, b) &&
		join_texts(a->lans, a->lan_count, b->lans, b->lan_count, &p->lans, &p->lan_count) &&
		join_texts(a->hooks, a->hook_count, b->hooks, b->hook_count, &p->hooks, &p->hook_count) &&
		join_texts(a->bridges, a->bridge_count, b->bridges, b->bridge_count, &p->bridges,
			&p->bridge_count) &&
		join_endpoints(a->udp, a->udp_count, b->udp, b->udp_count, &p->udp, &p->udp_count) &&
		join_exports(p, a, b) &&
		join_endpoints(a->tcp, a->tcp_count, b->tcp, b->tcp_count, &p->tcp, &p->tcp_count) &&
		join_one(a->control_socket, b->control_socket, &p->control_socket) &&
		join_one(NULL, last->control_group, &p->control_group))
		return p;
	policy_joined_free(p);
	return NULL;
}

void policy_joined_free(struct keeper_policy *p)
{
	if (!p)
		return;
	free_texts(p->files, p->file_count);
	free_texts(p->directories, p->directory_count);
	free_texts(p->tuns, p->tun_count);
	free_texts(p->taps, p->tap_count);
	free_texts(p->borders, p->border_count);
	free_texts(p->lans, p->lan_count);
	free_texts(p->hooks, p->hook_count);
	free_texts(p->bridges, p->bridge_count);
	free((void *)p->udp);
	free((void *)p->tcp);
	free((void *)p->raws);
	free((void *)p->border_sets);
	free((void *)p->exports);
	free((char *)p->control_socket);
	free((char *)p->control_group);
	free(p);
}

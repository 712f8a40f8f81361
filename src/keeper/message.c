/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a request must look like before anybody asks whether it may be made. One row per type in kinds[].
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "keeper/keeper.h"
#include "keeper/message.h"

enum { MTU_MIN = 68, MTU_MAX = 65535 }; /* RFC 791: the least that a link must carry */
enum { HOOK_NAME_MAX = 63, HOOK_VALUE_MAX = 255 };

/* ---- values ---- */

static bool is_zero(const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len && !*p) {
		p++;
		len--;
	}
	return !len;
}

static bool is_addr(const struct addr *a)
{
	unsigned size = addr_size(a->family);

	return size && is_zero(a->bytes + size, sizeof(a->bytes) - size);
}

static bool is_prefix(const struct prefix *p)
{
	struct prefix clean;

	if (!is_addr(&p->addr) || p->len > addr_bits(p->addr.family))
		return false;
	clean = prefix_of(&p->addr, p->len);
	return addr_equal(&clean.addr, &p->addr);
}

/* The kernel's dev_valid_name(), and nothing but printable ASCII: the name becomes part of paths and log lines. */
static bool is_device(const char name[IFNAMSIZ])
{
	size_t len = strnlen(name, IFNAMSIZ);

	if (!len || len == IFNAMSIZ || !is_zero(name + len, IFNAMSIZ - len))
		return false;
	if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "all") || !strcmp(name, "default"))
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '/' || name[i] == ':' || name[i] == '%')
			return false;
	return true;
}

static bool is_broadcast(const struct addr *a)
{
	static const uint8_t everybody[] = {255, 255, 255, 255};

	return a->family == AF_INET && !memcmp(a->bytes, everybody, sizeof(everybody));
}

/* RFC 1122 section 3.2.1.3: the first and the last address of a subnet are nobody's, where there are others (RFC 3021). */
static bool is_subnets_own(const struct addr *a, uint8_t prefix_len)
{
	uint32_t host = 0, ones;

	if (a->family != AF_INET || prefix_len > 30)
		return false;
	for (unsigned i = 0; i < 4; i++)
		host = host << 8 | a->bytes[i];
	ones = UINT32_MAX >> prefix_len;
	host &= ones;
	return host == 0 || host == ones;
}

/* A text in SIZE bytes, with zeros behind it. */
static bool has_end(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	return len < size && is_zero(text + len, size - len);
}

static bool is_bool(uint8_t v)
{
	return v <= 1;
}

/* ---- messages: NULL, or what is wrong ---- */

static const char *check_endpoint(const union message_body *b)
{
	if (!is_addr(&b->endpoint.addr))
		return "not an address";
	if (addr_is_multicast(&b->endpoint.addr))
		return "multicast address";
	return NULL;
}

/* Others have to find it. */
static const char *check_listener(const union message_body *b)
{
	return b->endpoint.port ? check_endpoint(b) : "no port to listen on";
}

static const char *check_link(const union message_body *b)
{
	if (!is_device(b->link.name))
		return "not a device name";
	if (b->link.mtu < MTU_MIN || b->link.mtu > MTU_MAX)
		return "MTU out of range";
	return NULL;
}

static const char *check_name(const union message_body *b)
{
	return is_device(b->name) ? NULL : "not a device name";
}

static const char *check_path(const union message_body *b)
{
	if (!has_end(b->path, sizeof(b->path)))
		return "path without an end";
	return b->path[0] == '/' ? NULL : "not an absolute path";
}

static const char *check_route(const union message_body *b)
{
	const struct message_route *r = &b->route;

	if (!is_bool(r->add))
		return "neither add nor delete";
	if (!is_prefix(&r->dst))
		return "not a prefix";
	if (addr_is_multicast(&r->dst.addr) || addr_is_loopback(&r->dst.addr) || is_broadcast(&r->dst.addr))
		return "no destination for a unicast route";
	if (r->kind == KEEPER_ROUTE_UNREACHABLE)
		return is_zero(r->device, sizeof(r->device)) && is_zero(&r->source, sizeof(r->source))
			       ? NULL
			       : "unreachable routes have no device and no source";
	if (r->kind != KEEPER_ROUTE_DEVICE)
		return "unknown kind of route";
	if (!is_device(r->device))
		return "not a device name";
	if (r->source.family == 0)
		return is_zero(&r->source, sizeof(r->source)) ? NULL : "not a source address";
	if (!is_addr(&r->source) || r->source.family != r->dst.addr.family)
		return "not a source address";
	return NULL;
}

static const char *check_address(const union message_body *b)
{
	const struct message_address *a = &b->address;

	if (!is_bool(a->add))
		return "neither add nor delete";
	if (!is_device(a->device))
		return "not a device name";
	if (!is_addr(&a->address))
		return "not an address";
	if (a->prefix_len > addr_bits(a->address.family))
		return "prefix length out of range";
	if (addr_is_multicast(&a->address) || addr_is_loopback(&a->address) ||
		addr_is_unspecified(&a->address) || is_broadcast(&a->address) ||
		is_subnets_own(&a->address, a->prefix_len))
		return "not an interface's address";
	if (a->add && (!a->valid || a->preferred > a->valid))
		return "lifetimes out of order";
	return NULL;
}

static const char *check_family(const union message_body *b)
{
	return addr_size(b->family) ? NULL : "unknown address family";
}

/* Of one host that is not this one alone. */
static bool is_unicast(const struct addr *a)
{
	return is_addr(a) && !addr_is_unspecified(a) && !addr_is_multicast(a) && !addr_is_loopback(a) &&
	       !is_broadcast(a);
}

static const char *check_dns(const union message_body *b)
{
	const struct message_dns *d = &b->dns;

	if (!is_device(d->device) || d->device[0] == '-') /* it becomes an argument */
		return "not a device name";
	if (d->count > KEEPER_DNS_MAX)
		return "too many servers";
	for (uint32_t i = 0; i < d->count; i++)
		if (!is_unicast(&d->servers[i]))
			return "not a server's address";
	return is_zero(d->servers + d->count, (KEEPER_DNS_MAX - d->count) * sizeof(d->servers[0]))
		       ? NULL
		       : "more servers than were counted";
}

/* A word of small letters, digits and '-': it becomes an argument. */
static bool is_event(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len && !text[len] && text[0] != '-';
}

/* SOFTWIRE_NAME=value */
static bool is_variable(const char *text)
{
	static const char start[] = "SOFTWIRE_";
	size_t prefix = strlen(start), name = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	const char *value = text + name + 1;

	if (strncmp(text, start, prefix) != 0 || name == prefix || name > HOOK_NAME_MAX || text[name] != '=')
		return false;
	for (const char *c = value; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return strlen(value) <= HOOK_VALUE_MAX;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=") + 1;

	return !strncmp(a, b, len);
}

static const char *check_variables(const struct message_hook *m)
{
	const char *all[KEEPER_HOOK_VARIABLES];
	size_t used = 0;

	if (m->count > KEEPER_HOOK_VARIABLES)
		return "too many variables";
	for (uint32_t i = 0; i < m->count; i++) {
		size_t left = sizeof(m->variables) - used;

		all[i] = m->variables + used;
		used += strnlen(all[i], left) + 1;
		if (used > sizeof(m->variables))
			return "variable without an end";
		if (!is_variable(all[i]))
			return "not a variable for hooks";
		for (uint32_t k = 0; k < i; k++)
			if (same_name(all[k], all[i]))
				return "variable that is there twice";
	}
	return is_zero(m->variables + used, sizeof(m->variables) - used) ? NULL
									 : "more variables than were counted";
}

static const char *check_hook(const union message_body *b)
{
	const struct message_hook *m = &b->hook;

	if (!has_end(m->path, sizeof(m->path)) || m->path[0] != '/')
		return "not an absolute path";
	if (!has_end(m->event, sizeof(m->event)) || !is_event(m->event))
		return "not a word for an event";
	if (!has_end(m->key, sizeof(m->key)) || !m->key[0])
		return "not a key";
	return check_variables(m);
}

static const char *check_bridge(const union message_body *b)
{
	const struct message_bridge *m = &b->bridge;

	if (!is_device(m->bridge))
		return "not a device name";
	if (m->count > KEEPER_BRIDGE_PORTS)
		return "too many ports";
	for (uint32_t i = 0; i < m->count; i++) {
		if (!is_device(m->ports[i]))
			return "not a device name";
		if (!strcmp(m->ports[i], m->bridge))
			return "bridge that is its own port";
		for (uint32_t k = 0; k < i; k++)
			if (!strcmp(m->ports[i], m->ports[k]))
				return "port that is there twice";
	}
	return is_zero(m->ports + m->count, (KEEPER_BRIDGE_PORTS - m->count) * sizeof(m->ports[0]))
		       ? NULL
		       : "more ports than were counted";
}

static const char *check_table(const struct keeper_table *t)
{
	if (t->table == RT_TABLE_UNSPEC || t->table == RT_TABLE_LOCAL)
		return "not a table for routes";
	return t->metric ? NULL : "no metric"; /* the kernel would take it for any */
}

static const char *check_gateway(const struct keeper_bgp_route *r)
{
	const struct addr *a = &r->gateway;

	if (!r->add)
		return is_zero(a, sizeof(*a)) && !r->ifindex && !r->on_link ? NULL : "gateway of a route that goes";
	if (!is_addr(a) || addr_is_unspecified(a) || addr_is_multicast(a) || addr_is_loopback(a) || is_broadcast(a))
		return "not a gateway";
	if (r->dst.addr.family == AF_INET6 && a->family != AF_INET6)
		return "IPv4 gateway of an IPv6 route"; /* the kernel has no such thing */
	return r->ifindex && r->ifindex <= INT32_MAX ? NULL : "not an interface";
}

const char *keeper_bgp_route_check(const struct keeper_bgp_route *r)
{
	if (!is_bool(r->add) || !is_bool(r->on_link))
		return "neither add nor delete";
	if (!is_prefix(&r->dst))
		return "not a prefix";
	if (addr_is_multicast(&r->dst.addr) || addr_is_loopback(&r->dst.addr) || is_broadcast(&r->dst.addr) ||
		addr_is_link_local(&r->dst.addr))
		return "no destination for a route of BGP";
	return check_gateway(r);
}

static const char *check_bgp_routes(const union message_body *b)
{
	const struct message_bgp_routes *m = &b->bgp_routes;
	const char *why = check_table(&m->table);

	if (why)
		return why;
	if (!m->count || m->count > KEEPER_BGP_ROUTES)
		return "no routes, or too many";
	for (uint32_t i = 0; i < m->count && !why; i++)
		why = keeper_bgp_route_check(&m->routes[i]);
	if (!why && !is_zero(m->routes + m->count, (KEEPER_BGP_ROUTES - m->count) * sizeof(m->routes[0])))
		return "more routes than were counted";
	return why;
}

static const char *check_bgp_flush(const union message_body *b)
{
	return check_table(&b->table);
}

enum { NUMBER_MAX = 0xffffff, PROTOCOL_L2TP = 115 };

static const char *check_neighbours(const union message_body *b)
{
	const struct message_neighbours *m = &b->neighbours;

	if (m->add > 1)
		return "neither add nor delete";
	if (!is_device(m->device))
		return "not a device name";
	if (!m->count || m->count > KEEPER_NEIGHBOURS)
		return "no neighbours, or too many";
	for (uint32_t i = 0; i < m->count; i++)
		if (!m->numbers[i] || m->numbers[i] > NUMBER_MAX)
			return "number out of range";
	return is_zero(m->numbers + m->count, (KEEPER_NEIGHBOURS - m->count) * sizeof(m->numbers[0]))
		       ? NULL
		       : "more neighbours than were counted";
}

/* IP in IP, GRE, L2TPv3, MPLS; and what sends them all. */
static bool is_encapsulation(uint8_t protocol)
{
	static const uint8_t known[] = {IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE, PROTOCOL_L2TP, IPPROTO_MPLS, IPPROTO_RAW};

	return memchr(known, protocol, sizeof(known));
}

static const char *check_raw(const union message_body *b)
{
	if (!is_unicast(&b->raw.local))
		return "not an address of ours";
	return is_encapsulation(b->raw.protocol) ? NULL : "no protocol of an encapsulation";
}

static const char *check_border_interfaces(const struct message_borders *m)
{
	if (m->interface_count > KEEPER_BORDERS)
		return "too many interfaces";
	for (uint32_t i = 0; i < m->interface_count; i++)
		if (!is_device(m->interfaces[i]))
			return "not a device name";
	return is_zero(m->interfaces + m->interface_count,
		       (KEEPER_BORDERS - m->interface_count) * sizeof(m->interfaces[0]))
		       ? NULL
		       : "more interfaces than were counted";
}

static const char *check_borders(const union message_body *b)
{
	const struct message_borders *m = &b->borders;
	const char *why = check_border_interfaces(m);

	if (why)
		return why;
	if (m->set_count > KEEPER_BORDERS)
		return "too many sets of addresses";
	for (uint32_t i = 0; i < m->set_count; i++)
		if (!is_prefix(&m->sets[i]) || !m->sets[i].len)
			return "not a set of addresses";
	return is_zero(m->sets + m->set_count, (KEEPER_BORDERS - m->set_count) * sizeof(m->sets[0]))
		       ? NULL
		       : "more sets than were counted";
}

static const char *check_nothing(const union message_body *b)
{
	return NULL;
}

static const struct kind {
	const char *name;
	size_t size; /* of the body */
	const char *(*check)(const union message_body *b);
} kinds[MESSAGE_TYPES] = {
	[MESSAGE_OPEN_UDP] = {"open-udp", sizeof(struct endpoint), check_endpoint},
	[MESSAGE_CLOSE_UDP] = {"close-udp", sizeof(struct endpoint), check_endpoint},
	[MESSAGE_OPEN_TUN] = {"open-tun", sizeof(struct message_link), check_link},
	[MESSAGE_OPEN_ICMP6] = {"open-icmp6", IFNAMSIZ, check_name},
	[MESSAGE_OPEN_FILE] = {"open-file", PATH_MAX, check_path},
	[MESSAGE_OPEN_DIRECTORY] = {"open-directory", PATH_MAX, check_path},
	[MESSAGE_OPEN_CONTROL] = {"open-control", 0, check_nothing},
	[MESSAGE_ROUTE] = {"route", sizeof(struct message_route), check_route},
	[MESSAGE_ADDRESS] = {"address", sizeof(struct message_address), check_address},
	[MESSAGE_LINK_MTU] = {"link-mtu", sizeof(struct message_link), check_link},
	[MESSAGE_FORWARDING] = {"forwarding", sizeof(uint8_t), check_family},
	[MESSAGE_RELOAD] = {"reload", 0, check_nothing},
	[MESSAGE_DNS] = {"dns", sizeof(struct message_dns), check_dns},
	[MESSAGE_HOOK] = {"hook", sizeof(struct message_hook), check_hook},
	[MESSAGE_BRIDGE] = {"bridge", sizeof(struct message_bridge), check_bridge},
	[MESSAGE_OPEN_STATE] = {"open-state", IFNAMSIZ, check_name},
	[MESSAGE_HOLD_UDP] = {"hold-udp", IFNAMSIZ, check_name},
	[MESSAGE_HELD_UDP] = {"held-udp", IFNAMSIZ, check_name},
	[MESSAGE_READY] = {"ready", 0, check_nothing},
	[MESSAGE_UPGRADE] = {"upgrade", 0, check_nothing},
	[MESSAGE_CLOSE_TUN] = {"close-tun", IFNAMSIZ, check_name},
	[MESSAGE_RELOAD_BACK] = {"reload-back", 0, check_nothing},
	[MESSAGE_OPEN_TCP] = {"open-tcp", sizeof(struct endpoint), check_listener},
	[MESSAGE_CLOSE_TCP] = {"close-tcp", sizeof(struct endpoint), check_listener},
	[MESSAGE_BGP_ROUTES] = {"bgp-routes", sizeof(struct message_bgp_routes), check_bgp_routes},
	[MESSAGE_BGP_FLUSH] = {"bgp-flush", sizeof(struct keeper_table), check_bgp_flush},
	[MESSAGE_OPEN_TAP] = {"open-tap", sizeof(struct message_link), check_link},
	[MESSAGE_NEIGHBOURS] = {"neighbours", sizeof(struct message_neighbours), check_neighbours},
	[MESSAGE_OPEN_RAW] = {"open-raw", sizeof(struct message_raw), check_raw},
	[MESSAGE_BORDERS] = {"borders", sizeof(struct message_borders), check_borders},
};

static const struct kind *find_kind(uint32_t type)
{
	return type < MESSAGE_TYPES && kinds[type].name ? &kinds[type] : NULL;
}

const char *message_name(uint32_t type)
{
	const struct kind *k = find_kind(type);

	return k ? k->name : "unknown";
}

size_t message_size(uint32_t type)
{
	const struct kind *k = find_kind(type);

	return k ? MESSAGE_HEADER + k->size : 0;
}

const char *message_check(const struct message_request *r)
{
	const struct kind *k = find_kind(r->type);

	return k ? k->check(&r->body) : "unknown type of request";
}

bool message_peek(const void *data, size_t len, uint32_t *ret_id, uint32_t *ret_type)
{
	if (len < MESSAGE_HEADER)
		return false;
	memcpy(ret_id, data, sizeof(*ret_id));
	memcpy(ret_type, (const uint8_t *)data + sizeof(*ret_id), sizeof(*ret_type));
	return true;
}

const char *message_decode(const void *data, size_t len, struct message_request *ret)
{
	struct message_request r = {0};
	const char *why;

	if (!message_peek(data, len, &r.id, &r.type))
		return "too short for a request";
	if (!message_size(r.type))
		return "unknown type of request";
	if (len != message_size(r.type))
		return "size does not fit the type of request";
	memcpy(&r, data, len);
	why = message_check(&r);
	if (!why)
		*ret = r;
	return why;
}

/* ---- transport ---- */

union ancillary {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int message_send(int channel, const void *data, size_t len, int fd)
{
	union ancillary control = {0};
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	do
		n = sendmsg(channel, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The first descriptor; any others (the kernel has room for one, two after padding) are closed. */
static int take_descriptor(struct msghdr *m)
{
	int first = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (first < 0)
				first = fd;
			else
				close(fd);
		}
	}
	return first;
}

ssize_t message_receive(int channel, void *data, size_t size, int *ret_fd)
{
	union ancillary control;
	struct iovec iov = {.iov_base = data, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (ret_fd) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
	} /* else the kernel discards descriptors */
	do
		n = recvmsg(channel, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (ret_fd)
		*ret_fd = take_descriptor(&m);
	return n;
}

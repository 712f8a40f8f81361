/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's side of the channel: decoder, policy, answer, with an executor that does nothing but look whether it should have been asked.
 *
 * The input is a sequence of messages, each behind two bytes of length (little-endian). A length with the top bit set takes the
 * message's own bytes up to its header and fills it with zeros to the size of its type, so that the fuzzer need not write 4 KiB of path.
 */
#include <stdlib.h>
#include <string.h>

#include "keeper/grant.h"
#include "keeper/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			abort();                                                                             \
	} while (0)

static const char *const files[] = {"/f"};
static const char *const directories[] = {"/d"};
static const char *const tuns[] = {"sc0", "si-home"};
static const char *const lans[] = {"eth1"};
static const char *const taps[] = {"softwire0"};
static const char *const borders[] = {"eth2"};

static const char *const hooks[] = {"/h"};
static const char *const bridges[] = {"br0"};

static const struct keeper_export exports[] = {{{254, 20}, true, true}, {{1000, 7}, true, false}};

static unsigned executed;

static bool is_lan(const char *name)
{
	return !strcmp(name, "eth1") || !strcmp(name, "br0");
}

static bool is_tun(const char *name)
{
	return !strcmp(name, "sc0") || !strcmp(name, "si-home");
}

/* What becomes an environment: COUNT texts, each SOFTWIRE_ and what a shell cannot take for anything else. */
static void check_hook(const struct message_hook *m)
{
	const char *v = m->variables, *limit = m->variables + sizeof(m->variables);

	CHECK(!strcmp(m->path, "/h") && m->event[0] && m->event[0] != '-' &&
		!m->event[MESSAGE_HOOK_EVENT - 1]);
	for (const char *c = m->event; *c; c++)
		CHECK((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-');
	CHECK(m->key[0] && memchr(m->key, 0, sizeof(m->key)) && m->count <= KEEPER_HOOK_VARIABLES);
	for (uint32_t i = 0; i < m->count; i++) {
		CHECK(v < limit && memchr(v, 0, (size_t)(limit - v)));
		CHECK(!strncmp(v, "SOFTWIRE_", 9) && strchr(v, '=') && strlen(v) <= 63 + 1 + 255);
		for (; *v; v++)
			CHECK(*v >= ' ' && *v <= '~');
		v++;
	}
}

/* What the kernel is told: unicast destinations, by a gateway that it can take. */
static void check_bgp_route(const struct keeper_bgp_route *r)
{
	const struct addr *to = &r->dst.addr, *via = &r->gateway;

	CHECK(to->family == AF_INET || to->family == AF_INET6);
	CHECK(r->dst.len <= addr_bits(to->family));
	CHECK(to->family == AF_INET ? to->bytes[0] < 224 || to->bytes[0] > 239 : to->bytes[0] != 0xff);
	CHECK(r->add <= 1 && r->on_link <= 1);
	if (!r->add) {
		CHECK(!via->family && !r->ifindex && !r->on_link);
		return;
	}
	CHECK(via->family == AF_INET6 || (via->family == AF_INET && to->family == AF_INET));
	CHECK(r->ifindex && r->ifindex <= INT32_MAX && !addr_is_unspecified(via) && !addr_is_multicast(via));
}

static bool is_table(const struct keeper_table *t)
{
	return (t->table == 254 && t->metric == 20) || (t->table == 1000 && t->metric == 7);
}

static bool is_tap(const char *name)
{
	return !strcmp(name, "softwire0");
}

/* There is one of each. */
static void check_borders(const struct message_borders *m)
{
	CHECK(m->interface_count <= KEEPER_BORDERS && m->set_count <= KEEPER_BORDERS);
	for (uint32_t i = 0; i < m->interface_count; i++)
		CHECK(!strcmp(m->interfaces[i], "eth2"));
	for (uint32_t i = 0; i < m->set_count; i++)
		CHECK(m->sets[i].len == 24 && m->sets[i].addr.family == AF_INET &&
			!memcmp(m->sets[i].addr.bytes, "\xc0\0\2\0", 4));
}

/* What reaches this may be done as root: everything about it is looked at again, by other means. */
static void check_request(const struct message_request *r)
{
	const union message_body *b = &r->body;

	switch ((enum message_type)r->type) {
	case MESSAGE_OPEN_UDP:
		CHECK(b->endpoint.port == 1701 || b->endpoint.port == 0);
		break;
	case MESSAGE_OPEN_TCP:
		CHECK(b->endpoint.port == 179 && b->endpoint.addr.family == AF_INET6 &&
			addr_is_unspecified(&b->endpoint.addr));
		break;
	case MESSAGE_CLOSE_TCP:
		CHECK(b->endpoint.port && addr_size(b->endpoint.addr.family));
		break;
	case MESSAGE_OPEN_TUN:
	case MESSAGE_OPEN_TAP:
	case MESSAGE_LINK_MTU:
		CHECK(r->type == MESSAGE_OPEN_TUN ? is_tun(b->link.name) : is_tap(b->link.name) || r->type == MESSAGE_LINK_MTU);
		CHECK(is_tun(b->link.name) || is_tap(b->link.name));
		CHECK(b->link.mtu >= 68 && b->link.mtu <= 65535);
		break;
	case MESSAGE_NEIGHBOURS:
		CHECK(is_tap(b->neighbours.device) && b->neighbours.count && b->neighbours.count <= KEEPER_NEIGHBOURS);
		for (uint32_t i = 0; i < b->neighbours.count; i++)
			CHECK(b->neighbours.numbers[i] && b->neighbours.numbers[i] < 1U << 24);
		break;
	case MESSAGE_OPEN_RAW:
		CHECK(b->raw.local.family == AF_INET && !memcmp(b->raw.local.bytes, "\xc0\0\2\1", 4));
		CHECK(b->raw.protocol == 4 || b->raw.protocol == 41 || b->raw.protocol == 47 || b->raw.protocol == 115 ||
			b->raw.protocol == 137 || b->raw.protocol == 255);
		break;
	case MESSAGE_BORDERS:
		check_borders(&b->borders);
		break;
	case MESSAGE_OPEN_ICMP6:
		CHECK(is_lan(b->name));
		break;
	case MESSAGE_OPEN_STATE:
	case MESSAGE_CLOSE_TUN:
		CHECK(is_tun(b->name) || is_tap(b->name));
		break;
	case MESSAGE_HOLD_UDP:
	case MESSAGE_HELD_UDP:
		CHECK(is_tun(b->name));
		break;
	case MESSAGE_OPEN_FILE:
		CHECK(!strcmp(b->path, "/f"));
		break;
	case MESSAGE_OPEN_DIRECTORY:
		CHECK(!strcmp(b->path, "/d"));
		break;
	case MESSAGE_ROUTE:
		CHECK(b->route.kind == KEEPER_ROUTE_UNREACHABLE ? !b->route.device[0]
								: is_tun(b->route.device));
		CHECK(b->route.dst.len <= addr_bits(b->route.dst.addr.family));
		break;
	case MESSAGE_ADDRESS:
		CHECK(is_tun(b->address.device) || is_lan(b->address.device));
		CHECK(b->address.prefix_len <= addr_bits(b->address.address.family));
		CHECK(is_tun(b->address.device) ||
			b->address.prefix_len >= (b->address.address.family == AF_INET ? 8 : 64));
		break;
	case MESSAGE_FORWARDING:
		CHECK(b->family == AF_INET || b->family == AF_INET6);
		break;
	case MESSAGE_DNS:
		CHECK(is_tun(b->dns.device) && b->dns.count <= KEEPER_DNS_MAX);
		for (uint32_t i = 0; i < b->dns.count; i++)
			CHECK(addr_size(b->dns.servers[i].family) && !addr_is_multicast(&b->dns.servers[i]) &&
				!addr_is_loopback(&b->dns.servers[i]) &&
				!addr_is_unspecified(&b->dns.servers[i]));
		break;
	case MESSAGE_BRIDGE:
		CHECK(!strcmp(b->bridge.bridge, "br0") && b->bridge.count <= 1); /* there is but one LAN */
		CHECK(!strcmp(b->bridge.ports[0], b->bridge.count ? "eth1" : ""));
		break;
	case MESSAGE_BGP_ROUTES:
		CHECK(is_table(&b->bgp_routes.table) && b->bgp_routes.count && b->bgp_routes.count <= KEEPER_BGP_ROUTES);
		for (uint32_t i = 0; i < b->bgp_routes.count; i++)
			check_bgp_route(&b->bgp_routes.routes[i]);
		break;
	case MESSAGE_BGP_FLUSH:
		CHECK(is_table(&b->table));
		break;
	case MESSAGE_HOOK:
		check_hook(&b->hook);
		break;
	case MESSAGE_OPEN_CONTROL:
	case MESSAGE_CLOSE_UDP:
	case MESSAGE_RELOAD:
	case MESSAGE_RELOAD_BACK:
	case MESSAGE_READY:
	case MESSAGE_UPGRADE:
		break;
	case MESSAGE_TYPES:
		abort();
	}
}

static int look_only(struct grant *g, const struct message_request *r, int *ret_fd)
{
	CHECK(*ret_fd == -1);
	check_request(r);
	executed++;
	return -((int)r->id & 0xff);
}

static void one_message(struct grant *g, const uint8_t *data, size_t len)
{
	struct message_answer answer = {0};
	uint64_t before = g->done + g->failed + g->refused + g->malformed;
	int fd = -2;
	bool answered;

	executed = 0;
	answered = grant_handle(g, data, len, &answer, &fd);
	CHECK(fd == -1);
	CHECK(answered == (len >= MESSAGE_HEADER));
	CHECK(answered ? !memcmp(&answer.id, data, sizeof(answer.id)) : answer.id == 0);
	CHECK(answer.result <= 0);
	CHECK(g->done + g->failed + g->refused + g->malformed == before + 1);
	CHECK(executed <= 1);
	CHECK(!answer.failed[0] && !answer.failed[1]);
}

/* A message that is written short and stands for its full size. */
static void padded_message(struct grant *g, const uint8_t *data, size_t len)
{
	uint8_t *full = calloc(1, MESSAGE_MAX);
	uint32_t id, type;

	CHECK(full);
	memcpy(full, data, len < MESSAGE_MAX ? len : MESSAGE_MAX);
	if (message_peek(data, len, &id, &type) && message_size(type))
		one_message(g, full, message_size(type));
	free(full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct endpoint udp[] = {{addr4(192, 0, 2, 1), 1701}, {{AF_INET6, {0}}, 0}};
	const struct addr raws[] = {addr4(192, 0, 2, 1)};
	const struct prefix border_sets[] = {{addr4(192, 0, 2, 0), 24}};
	const struct endpoint tcp[] = {{{AF_INET6, {0}}, 179}};
	const struct keeper_policy policy = {.files = files,
		.file_count = 1,
		.directories = directories,
		.directory_count = 1,
		.tuns = tuns,
		.tun_count = 2,
		.taps = taps,
		.tap_count = 1,
		.raws = raws,
		.raw_count = 1,
		.borders = borders,
		.border_count = 1,
		.border_sets = border_sets,
		.border_set_count = 1,
		.lans = lans,
		.lan_count = 1,
		.udp = udp,
		.udp_count = 2,
		.tcp = tcp,
		.tcp_count = 1,
		.hooks = hooks,
		.hook_count = 1,
		.bridges = bridges,
		.bridge_count = 1,
		.exports = exports,
		.export_count = 2,
		.control_socket = "/c",
		.may_forward = true};
	struct grant g;

	grant_init(&g, &policy, NULL, NULL);
	g.execute = look_only;
	while (size >= 2) {
		size_t len = (size_t)data[0] | (size_t)(data[1] & 0x7f) << 8;
		bool padded = data[1] & 0x80;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		if (padded)
			padded_message(&g, data, len);
		else
			one_message(&g, data, len);
		data += len;
		size -= len;
	}
	return 0;
}

/* A request of each type as it should be, to be spoilt by tests. */
#ifndef TESTS_KEEPER_GOOD_H
#define TESTS_KEEPER_GOOD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "keeper/keeper.h"
#include "keeper/message.h"

static inline struct message_request good(uint32_t type)
{
	struct message_request r = {.id = 5, .type = type};
	struct addr v6 = {AF_INET6, {0x20, 1, 0xd, 0xb8, [15] = 1}};

	switch ((enum message_type)type) {
	case MESSAGE_OPEN_UDP:
	case MESSAGE_CLOSE_UDP:
	case MESSAGE_OPEN_TCP:
	case MESSAGE_CLOSE_TCP:
		r.body.endpoint = (struct endpoint){addr4(192, 0, 2, 1), 1701};
		break;
	case MESSAGE_OPEN_TUN:
	case MESSAGE_OPEN_TAP:
	case MESSAGE_LINK_MTU:
		r.body.link = (struct message_link){"si-home", 1400};
		break;
	case MESSAGE_OPEN_STATE:
	case MESSAGE_HOLD_UDP:
	case MESSAGE_HELD_UDP:
	case MESSAGE_CLOSE_TUN:
	case MESSAGE_OPEN_ICMP6:
		strcpy(r.body.name, "eth1.100");
		break;
	case MESSAGE_OPEN_FILE:
	case MESSAGE_OPEN_DIRECTORY:
		strcpy(r.body.path, "/etc/softwire/users.conf");
		break;
	case MESSAGE_ROUTE:
		r.body.route = (struct message_route){.dst = prefix_of(&v6, 48),
			.source = v6,
			.device = "si-home",
			.metric = 1024,
			.add = 1};
		break;
	case MESSAGE_ADDRESS:
		r.body.address = (struct message_address){.address = v6,
			.device = "eth1",
			.valid = 7200,
			.preferred = 3600,
			.prefix_len = 64,
			.add = 1};
		break;
	case MESSAGE_FORWARDING:
		r.body.family = AF_INET6;
		break;
	case MESSAGE_DNS:
		r.body.dns = (struct message_dns){
			.device = "si-home", .count = 2, .servers = {v6, addr4(192, 0, 2, 53)}};
		break;
	case MESSAGE_HOOK:
		strcpy(r.body.hook.path, "/etc/softwire/hook");
		strcpy(r.body.hook.event, "softwire-up");
		strcpy(r.body.hook.key, "alice/0");
		r.body.hook.count = 2;
		memcpy(r.body.hook.variables, "SOFTWIRE_USER=alice\0SOFTWIRE_MTU=1404", 38);
		break;
	case MESSAGE_BRIDGE:
		r.body.bridge = (struct message_bridge){"br-home", 2, {"eth1", "eth2"}};
		break;
	case MESSAGE_BGP_ROUTES:
		r.body.bgp_routes.table = (struct keeper_table){254, 20};
		r.body.bgp_routes.count = 2;
		r.body.bgp_routes.routes[0] = (struct keeper_bgp_route){
			.add = 1, .ifindex = 2, .dst = prefix_of(&v6, 48), .gateway = v6};
		r.body.bgp_routes.routes[1] = (struct keeper_bgp_route){.dst = {addr4(192, 0, 2, 0), 24}};
		break;
	case MESSAGE_BGP_FLUSH:
		r.body.table = (struct keeper_table){254, 20};
		break;
	case MESSAGE_NEIGHBOURS:
		r.body.neighbours =
			(struct message_neighbours){.device = "softwire0", .add = 1, .count = 2, .numbers = {1, 0xffffff}};
		break;
	case MESSAGE_OPEN_RAW:
		r.body.raw = (struct message_raw){v6, 47};
		break;
	case MESSAGE_BORDERS:
		r.body.borders = (struct message_borders){.interface_count = 2,
			.set_count = 1,
			.interfaces = {"eth1", "eth2.7"},
			.sets = {prefix_of(&v6, 48)}};
		break;
	default:
		break;
	}
	return r;
}

/* A good request of TYPE, and who makes nonsense of it. */
struct spoilt {
	const char *name;
	uint32_t type;
	void (*spoil)(struct message_request *r);
};

#define SPOILT(type, how)                                                                                    \
	{                                                                                                    \
#how, type, how                                                                              \
	}

static inline void refuse_all(const struct spoilt *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct message_request r = good(cases[i].type), ret;

		cases[i].spoil(&r);
		if (!message_decode(&r, message_size(r.type), &ret))
			fail_msg("%s was taken", cases[i].name);
	}
}

#endif

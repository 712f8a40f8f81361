/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy: what is named is allowed, what is not is not, and an empty policy allows next to nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "keeper/policy.h"

static const char *const files[] = {"/etc/softwire/users.conf"};
static const char *const directories[] = {"/var/lib/softwired/", "/var/spool/x"};
static const char *const tuns[] = {"sc0", "si-home"};
static const char *const taps[] = {"softwire0"};
static const char *const lans[] = {"eth1", "br-odd"};
static const char *const bridges[] = {"br-home", "br-odd"};

static struct keeper_policy policy(struct endpoint udp[2])
{
	udp[0] = (struct endpoint){addr4(192, 0, 2, 1), 1701};
	udp[1] = (struct endpoint){{AF_INET6, {0}}, 0};
	return (struct keeper_policy){.files = files,
		.file_count = 1,
		.directories = directories,
		.directory_count = 2,
		.tuns = tuns,
		.tun_count = 2,
		.taps = taps,
		.tap_count = 1,
		.lans = lans,
		.lan_count = 2,
		.bridges = bridges,
		.bridge_count = 2,
		.udp = udp,
		.udp_count = 2,
		.control_socket = "/run/softwired/control.sock"};
}

static bool path_allowed(const struct keeper_policy *p, uint32_t type, const char *path)
{
	struct message_request r = {.type = type};

	strcpy(r.body.path, path);
	return !policy_check(p, &r);
}

static void paths_are_compared_whole(void **state)
{
	struct endpoint udp[2];
	struct keeper_policy p = policy(udp);

	assert_true(path_allowed(&p, MESSAGE_OPEN_FILE, "/etc/softwire/users.conf"));
	assert_false(path_allowed(&p, MESSAGE_OPEN_FILE, "/etc/softwire/users.conf.bak"));
	assert_false(path_allowed(&p, MESSAGE_OPEN_FILE, "/etc/softwire/users.con"));
	assert_false(path_allowed(&p, MESSAGE_OPEN_FILE, "/etc/softwire/../softwire/users.conf"));
	assert_false(path_allowed(&p, MESSAGE_OPEN_FILE, "/var/lib/softwired/"));
	assert_true(path_allowed(&p, MESSAGE_OPEN_DIRECTORY, "/var/lib/softwired/"));
	assert_false(path_allowed(&p, MESSAGE_OPEN_DIRECTORY, "/var/lib/softwired/sub"));
	assert_false(path_allowed(&p, MESSAGE_OPEN_DIRECTORY, "/etc/softwire/users.conf"));
}

static void hooks_are_compared_whole(void **state)
{
	static const char *const hooks[] = {"/etc/softwire/hook", "/usr/local/sbin/notify"};
	struct keeper_policy p = {.hooks = hooks, .hook_count = 2},
			     other = {.hooks = hooks + 1, .hook_count = 1};
	struct keeper_policy *joined = policy_join(&other, &p);
	static const struct {
		const char *path;
		bool allowed;
	} cases[] = {{"/etc/softwire/hook", true}, {"/usr/local/sbin/notify", true},
		{"/etc/softwire/hook2", false}, {"/etc/softwire/hoo", false}, {"/etc//softwire/hook", false},
		{"/bin/sh", false}};

	assert_non_null(joined);
	assert_int_equal(joined->hook_count, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message_request r = {.type = MESSAGE_HOOK};

		strcpy(r.body.hook.path, cases[i].path);
		assert_int_equal(!policy_check(&p, &r), cases[i].allowed);
		assert_int_equal(!policy_check(joined, &r), cases[i].allowed);
	}
	policy_joined_free(joined);
}

static void knows_what_lies_in_the_engines_directories(void **state)
{
	struct endpoint udp[2];
	struct keeper_policy p = policy(udp);

	assert_true(policy_in_directory(&p, "/var/lib/softwired/state.json"));
	assert_true(policy_in_directory(&p, "/var/lib/softwired"));
	assert_true(policy_in_directory(&p, "/var/spool/x/y/z"));
	assert_false(policy_in_directory(&p, "/var/lib/softwired-other/state.json"));
	assert_false(policy_in_directory(&p, "/var/spool"));
}

static bool device_allowed(const struct keeper_policy *p, uint32_t type, const char *device)
{
	struct message_request r = {.type = type};

	r.body.address.prefix_len = type == MESSAGE_ADDRESS ? 64 : 0;
	if (type == MESSAGE_DNS)
		strcpy(r.body.dns.device, device);
	else if (type == MESSAGE_ROUTE)
		strcpy(r.body.route.device, device);
	else if (type == MESSAGE_ADDRESS)
		strcpy(r.body.address.device, device);
	else
		strcpy(r.body.name, device); /* struct message_link begins with the name, too */
	return !policy_check(p, &r);
}

static void devices_are_allowed_by_purpose(void **state)
{
	static const struct {
		uint32_t type;
		bool tun, tap, lan;
	} cases[] = {
		{MESSAGE_OPEN_TUN, true, false, false},
		{MESSAGE_OPEN_TAP, false, true, false},
		{MESSAGE_LINK_MTU, true, true, false},
		{MESSAGE_OPEN_ICMP6, false, false, true},
		{MESSAGE_OPEN_STATE, true, true, false},
		{MESSAGE_HOLD_UDP, true, false, false},
		{MESSAGE_HELD_UDP, true, false, false},
		{MESSAGE_CLOSE_TUN, true, true, false},
		{MESSAGE_ROUTE, true, false, false},
		{MESSAGE_ADDRESS, true, false, true},
		{MESSAGE_DNS, true, false, false},
		{MESSAGE_NEIGHBOURS, false, true, false},
	};
	struct endpoint udp[2];
	struct keeper_policy p = policy(udp);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(device_allowed(&p, cases[i].type, "si-home"), cases[i].tun);
		assert_int_equal(device_allowed(&p, cases[i].type, "softwire0"), cases[i].tap);
		assert_int_equal(device_allowed(&p, cases[i].type, "eth1"), cases[i].lan);
		assert_int_equal(device_allowed(&p, cases[i].type, "br-home"), cases[i].lan);
		assert_false(device_allowed(&p, cases[i].type, "eth0"));
		assert_false(device_allowed(&p, cases[i].type, "si-hom"));
		assert_false(device_allowed(&p, cases[i].type, "si-home2"));
	}
}

static void bridges_are_made_of_lans_only(void **state)
{
	static const struct {
		const char *bridge, *port;
		bool allowed;
	} cases[] = {{"br-home", "eth1", true}, {"br-home", NULL, true}, {"br-home", "eth0", false},
		{"br-home", "sc0", false}, {"br-home", "br-odd", false}, {"br-home2", "eth1", false},
		{"br-hom", NULL, false}, {"eth1", "eth1", false}};
	struct endpoint udp[2];
	struct keeper_policy p = policy(udp), nothing = {0};
	struct keeper_policy *joined = policy_join(&nothing, &p);

	assert_non_null(joined);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message_request r = {
			.type = MESSAGE_BRIDGE, .body.bridge.count = cases[i].port ? 2 : 0};

		strcpy(r.body.bridge.bridge, cases[i].bridge);
		if (cases[i].port) {
			strcpy(r.body.bridge.ports[0], "eth1");
			strcpy(r.body.bridge.ports[1], cases[i].port);
		}
		assert_int_equal(!policy_check(&p, &r), cases[i].allowed);
		assert_int_equal(!policy_check(joined, &r), cases[i].allowed);
	}
	policy_joined_free(joined);
}

static void sockets_are_allowed_by_address_and_port(void **state)
{
	struct endpoint udp[2];
	struct keeper_policy p = policy(udp);
	struct message_request r = {.type = MESSAGE_OPEN_UDP};

	r.body.endpoint = udp[0];
	assert_null(policy_check(&p, &r));
	r.body.endpoint.port = 1702;
	assert_non_null(policy_check(&p, &r));
	r.body.endpoint = udp[1];
	assert_null(policy_check(&p, &r));
	r.body.endpoint.addr.family = AF_INET;
	assert_non_null(policy_check(&p, &r));
	r.body.endpoint = (struct endpoint){addr4(0, 0, 0, 0), 1701};
	assert_non_null(policy_check(&p, &r));
}

static void listening_sockets_are_allowed_by_address_and_port(void **state)
{
	struct endpoint tcp[] = {{addr4(192, 0, 2, 1), 179}, {{.family = AF_INET6}, 179}};
	struct keeper_policy p = {.tcp = tcp, .tcp_count = 1}, other = {.tcp = tcp, .tcp_count = 2},
			     udp = {.udp = tcp, .udp_count = 2};
	struct keeper_policy *joined = policy_join(&other, &p);
	struct message_request r = {.type = MESSAGE_OPEN_TCP, .body.endpoint = tcp[0]};

	assert_non_null(joined);
	assert_int_equal(joined->tcp_count, 2);
	assert_null(policy_check(&p, &r));
	assert_null(policy_check(joined, &r));
	assert_non_null(policy_check(&udp, &r)); /* one list is not the other */
	r.body.endpoint.port = 178;
	assert_non_null(policy_check(&p, &r));
	assert_non_null(policy_check(joined, &r));
	r.body.endpoint = tcp[1];
	assert_non_null(policy_check(&p, &r));
	assert_null(policy_check(joined, &r));
	r.type = MESSAGE_OPEN_UDP;
	assert_non_null(policy_check(joined, &r));
	policy_joined_free(joined);
}

static bool borders_allowed(const struct keeper_policy *p, const char *interface, const char *set)
{
	struct message_request r = {.type = MESSAGE_BORDERS, .body.borders = {1, 1, {""}}};

	strcpy(r.body.borders.interfaces[0], interface);
	assert_int_equal(prefix_parse(set, &r.body.borders.sets[0]), 0);
	return !policy_check(p, &r);
}

static bool raw_allowed(const struct keeper_policy *p, const char *local)
{
	struct message_request r = {.type = MESSAGE_OPEN_RAW, .body.raw.protocol = 47};

	assert_int_equal(addr_parse(local, &r.body.raw.local), 0);
	return !policy_check(p, &r);
}

/* After a reload what was allowed stays allowed, for the engine that runs. */
static void the_mesh_gets_its_own_addresses_and_links(void **state)
{
	static const char *const clients[] = {"ce0", "ce1"};
	const struct addr raws[] = {addr4(192, 0, 2, 1), addr4(192, 0, 2, 9)};
	const struct prefix sets[] = {{addr4(192, 0, 2, 0), 24}, {addr4(198, 51, 100, 0), 24}};
	struct keeper_policy a = {.raws = raws,
		.raw_count = 1,
		.taps = taps,
		.tap_count = 1,
		.borders = clients,
		.border_count = 1,
		.border_sets = sets,
		.border_set_count = 1};
	struct keeper_policy b = a, nothing = {0}, *joined;

	b.raws++;
	b.borders++;
	b.border_sets++;
	joined = policy_join(&a, &b);
	assert_non_null(joined);
	assert_int_equal(joined->tap_count, 1);
	assert_int_equal(joined->raw_count, 2);
	assert_true(raw_allowed(&a, "192.0.2.1") && raw_allowed(joined, "192.0.2.1"));
	assert_true(!raw_allowed(&a, "192.0.2.9") && raw_allowed(joined, "192.0.2.9"));
	assert_false(raw_allowed(joined, "192.0.2.2"));
	assert_false(raw_allowed(&nothing, "192.0.2.1"));
	assert_true(borders_allowed(&a, "ce0", "192.0.2.0/24"));
	assert_false(borders_allowed(&a, "ce1", "192.0.2.0/24"));
	assert_false(borders_allowed(&a, "ce0", "198.51.100.0/24"));
	assert_false(borders_allowed(&a, "ce0", "192.0.2.0/25"));
	assert_true(borders_allowed(joined, "ce1", "192.0.2.0/24") && borders_allowed(joined, "ce0", "198.51.100.0/24"));
	assert_false(borders_allowed(joined, "eth0", "192.0.2.0/24"));
	policy_joined_free(joined);
}

static void only_what_is_delegated_may_be_unreachable(void **state)
{
	static const struct {
		const char *prefix;
		bool allowed;
	} cases[] = {{"2001:db8:1::/48", true}, {"fd00:1:2:3::/64", true}, {"10.0.0.0/8", true},
		{"192.0.2.0/30", true}, {"::/0", false}, {"2000::/3", false}, {"2001:db8::/47", false},
		{"2001:db8::1/128", false}, {"fe80::/64", false}, {"0.0.0.0/1", false},
		{"192.0.2.1/32", false}, {"192.0.2.0/31", false}, {"10.0.0.0/7", false}, {"0.0.0.0/8", false},
		{"127.0.0.0/8", false}, {"169.254.0.0/16", false}, {"240.0.0.0/8", false},
		{"223.255.255.0/24", true}};
	struct endpoint udp[2];
	struct keeper_policy p = policy(udp);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message_request r = {
			.type = MESSAGE_ROUTE, .body.route.kind = KEEPER_ROUTE_UNREACHABLE};

		assert_int_equal(prefix_parse(cases[i].prefix, &r.body.route.dst), 0);
		assert_int_equal(!policy_check(&p, &r), cases[i].allowed);
	}
}

static void addresses_on_a_lan_take_no_more_than_a_lan(void **state)
{
	static const struct {
		const char *device;
		uint8_t family, len;
		bool allowed;
	} cases[] = {{"eth1", AF_INET6, 64, true}, {"eth1", AF_INET6, 128, true},
		{"eth1", AF_INET6, 63, false}, {"eth1", AF_INET6, 0, false}, {"eth1", AF_INET, 24, true},
		{"eth1", AF_INET, 8, true}, {"eth1", AF_INET, 7, false}, {"sc0", AF_INET6, 48, true},
		{"sc0", AF_INET, 0, true}};
	struct endpoint udp[2];
	struct keeper_policy p = policy(udp);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message_request r = {.type = MESSAGE_ADDRESS,
			.body.address = {.prefix_len = cases[i].len, .address.family = cases[i].family}};

		strcpy(r.body.address.device, cases[i].device);
		assert_int_equal(!policy_check(&p, &r), cases[i].allowed);
	}
}

static void an_empty_policy_allows_next_to_nothing(void **state)
{
	struct keeper_policy p = {0};

	for (uint32_t type = 0; type <= MESSAGE_TYPES; type++) {
		struct message_request r = {.type = type};

		/* closing what is held, no border filters at all, reading root's own configuration again, saying that all is well, becoming the program that we are */
		assert_int_equal(!policy_check(&p, &r), type == MESSAGE_CLOSE_UDP || type == MESSAGE_CLOSE_TCP ||
								type == MESSAGE_RELOAD ||
								type == MESSAGE_RELOAD_BACK ||
								type == MESSAGE_READY || type == MESSAGE_UPGRADE ||
								type == MESSAGE_BORDERS);
	}
}

static void forwarding_needs_leave(void **state)
{
	struct message_request r = {.type = MESSAGE_FORWARDING, .body.family = AF_INET};
	struct keeper_policy p = {0};

	assert_non_null(policy_check(&p, &r));
	p.may_forward = true;
	assert_null(policy_check(&p, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_compared_whole),
		cmocka_unit_test(hooks_are_compared_whole),
		cmocka_unit_test(knows_what_lies_in_the_engines_directories),
		cmocka_unit_test(devices_are_allowed_by_purpose),
		cmocka_unit_test(bridges_are_made_of_lans_only),
		cmocka_unit_test(sockets_are_allowed_by_address_and_port),
		cmocka_unit_test(listening_sockets_are_allowed_by_address_and_port),
		cmocka_unit_test(the_mesh_gets_its_own_addresses_and_links),
		cmocka_unit_test(only_what_is_delegated_may_be_unreachable),
		cmocka_unit_test(addresses_on_a_lan_take_no_more_than_a_lan),
		cmocka_unit_test(an_empty_policy_allows_next_to_nothing),
		cmocka_unit_test(forwarding_needs_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

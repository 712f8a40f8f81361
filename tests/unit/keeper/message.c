/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The form of requests: each type once as it should be, and many times not. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "good.h"

static void takes_each_type_in_its_exact_size(void **state)
{
	for (uint32_t type = 1; type < MESSAGE_TYPES; type++) {
		struct message_request r = good(type), ret = {0};
		size_t size = message_size(type);

		assert_true(size >= MESSAGE_HEADER && size <= MESSAGE_MAX);
		assert_null(message_decode(&r, size, &ret));
		assert_memory_equal(&r, &ret, sizeof(r));
		assert_string_not_equal(message_name(type), "unknown");
	}
}

static void refuses_every_other_size_and_leaves_the_result_alone(void **state)
{
	uint8_t data[MESSAGE_MAX + 1];

	for (uint32_t type = 1; type < MESSAGE_TYPES; type++) {
		struct message_request r = good(type), ret = {.id = 77};

		memset(data, 0, sizeof(data));
		memcpy(data, &r, sizeof(r));
		for (size_t len = 0; len <= sizeof(data); len++)
			if (len != message_size(type))
				assert_non_null(message_decode(data, len, &ret));
		assert_int_equal(ret.id, 77);
	}
}

static void refuses_types_that_do_not_exist(void **state)
{
	static const uint32_t types[] = {0, MESSAGE_TYPES, 0x10001, 0xffffffff};
	struct message_request r = {0}, ret;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		r.type = types[i];
		assert_int_equal(message_size(types[i]), 0);
		assert_string_equal(message_name(types[i]), "unknown");
		assert_string_equal(message_decode(&r, MESSAGE_HEADER, &ret), "unknown type of request");
	}
}

/* ---- values: each spoils a good message ---- */

static void no_family(struct message_request *r)
{
	r->body.endpoint.addr.family = 0;
}

static void unix_family(struct message_request *r)
{
	r->body.endpoint.addr.family = AF_UNIX;
}

static void dirty_address(struct message_request *r)
{
	r->body.endpoint.addr.bytes[4] = 1;
}

static void multicast_endpoint(struct message_request *r)
{
	r->body.endpoint.addr = addr4(224, 0, 0, 1);
}

static void no_port(struct message_request *r)
{
	r->body.endpoint.port = 0;
}

static void empty_name(struct message_request *r)
{
	memset(r->body.link.name, 0, IFNAMSIZ);
}

static void endless_name(struct message_request *r)
{
	memset(r->body.link.name, 'x', IFNAMSIZ);
}

static void name_with_slash(struct message_request *r)
{
	memcpy(r->body.link.name, "a/b", 4);
}

static void name_of_parent(struct message_request *r)
{
	memcpy(r->body.link.name, "..\0\0\0\0\0", 8);
}

static void name_with_newline(struct message_request *r)
{
	r->body.link.name[2] = '\n';
}

static void name_with_template(struct message_request *r)
{
	r->body.link.name[2] = '%';
}

static void name_of_all(struct message_request *r)
{
	memcpy(r->body.link.name, "all\0\0\0\0", 8);
}

static void name_with_hidden_tail(struct message_request *r)
{
	r->body.link.name[IFNAMSIZ - 1] = 'x';
}

static void tiny_mtu(struct message_request *r)
{
	r->body.link.mtu = 67;
}

static void huge_mtu(struct message_request *r)
{
	r->body.link.mtu = 65536;
}

static void relative_path(struct message_request *r)
{
	r->body.path[0] = 'x';
}

static void empty_path(struct message_request *r)
{
	memset(r->body.path, 0, sizeof(r->body.path));
}

static void endless_path(struct message_request *r)
{
	memset(r->body.path, '/', sizeof(r->body.path));
}

static void path_with_hidden_tail(struct message_request *r)
{
	r->body.path[100] = 'x';
}

static void route_of_no_kind(struct message_request *r)
{
	r->body.route.kind = 2;
}

static void route_neither_way(struct message_request *r)
{
	r->body.route.add = 2;
}

static void route_with_host_bits(struct message_request *r)
{
	r->body.route.dst.addr.bytes[15] = 1;
}

static void route_beyond_family(struct message_request *r)
{
	r->body.route.dst.len = 129;
}

static void route_to_multicast(struct message_request *r)
{
	r->body.route.dst = (struct prefix){{AF_INET6, {0xff}}, 8};
}

static void route_to_loopback(struct message_request *r)
{
	r->body.route.dst = (struct prefix){addr4(127, 0, 0, 0), 8};
	r->body.route.source = (struct addr){0};
}

static void route_with_foreign_source(struct message_request *r)
{
	r->body.route.source = addr4(192, 0, 2, 1);
}

static void route_with_half_a_source(struct message_request *r)
{
	r->body.route.source.family = 0;
}

static void unreachable_with_device(struct message_request *r)
{
	r->body.route.kind = KEEPER_ROUTE_UNREACHABLE;
	r->body.route.source = (struct addr){0};
}

static void unreachable_with_source(struct message_request *r)
{
	r->body.route.kind = KEEPER_ROUTE_UNREACHABLE;
	memset(r->body.route.device, 0, IFNAMSIZ);
}

static void address_unspecified(struct message_request *r)
{
	memset(r->body.address.address.bytes, 0, 16);
}

static void address_multicast(struct message_request *r)
{
	r->body.address.address.bytes[0] = 0xff;
}

static void address_loopback(struct message_request *r)
{
	r->body.address.address = addr4(127, 0, 0, 2);
}

static void route_to_everybody(struct message_request *r)
{
	r->body.route.dst = (struct prefix){addr4(255, 255, 255, 255), 32};
	r->body.route.source = (struct addr){0};
}

static void address_of_a_subnet(struct message_request *r)
{
	r->body.address.address = addr4(192, 168, 7, 0);
	r->body.address.prefix_len = 24;
}

static void address_of_a_subnets_broadcast(struct message_request *r)
{
	r->body.address.address = addr4(192, 168, 7, 3);
	r->body.address.prefix_len = 30;
}

static void address_of_everybody(struct message_request *r)
{
	r->body.address.address = addr4(255, 255, 255, 255);
	r->body.address.prefix_len = 32;
}

static void address4_beyond_family(struct message_request *r)
{
	r->body.address.address = addr4(192, 168, 7, 1);
	r->body.address.prefix_len = 33;
}

static void address_beyond_family(struct message_request *r)
{
	r->body.address.prefix_len = 129;
}

static void address_never_valid(struct message_request *r)
{
	r->body.address.valid = r->body.address.preferred = 0;
}

static void address_preferred_longer(struct message_request *r)
{
	r->body.address.preferred = 7201;
}

static void address_neither_way(struct message_request *r)
{
	r->body.address.add = 255;
}

static void family_of_nothing(struct message_request *r)
{
	r->body.family = 0;
}

static void too_many_servers(struct message_request *r)
{
	r->body.dns.count = KEEPER_DNS_MAX + 1;
}

static void billions_of_servers(struct message_request *r)
{
	r->body.dns.count = 0xffffffff;
}

static void servers_that_are_missing(struct message_request *r)
{
	r->body.dns.count = 3;
}

static void servers_that_are_not_counted(struct message_request *r)
{
	r->body.dns.count = 1;
}

static void servers_withdrawn_and_named(struct message_request *r)
{
	r->body.dns.count = 0;
}

static void server_of_no_family(struct message_request *r)
{
	r->body.dns.servers[1].family = AF_UNIX;
}

static void server_with_hidden_tail(struct message_request *r)
{
	r->body.dns.servers[1].bytes[15] = 1;
}

static void server_multicast(struct message_request *r)
{
	r->body.dns.servers[0].bytes[0] = 0xff;
}

static void server_multicast4(struct message_request *r)
{
	r->body.dns.servers[1] = addr4(224, 0, 0, 251);
}

static void server_broadcast(struct message_request *r)
{
	r->body.dns.servers[1] = addr4(255, 255, 255, 255);
}

static void server_unspecified(struct message_request *r)
{
	memset(r->body.dns.servers[0].bytes, 0, 16);
}

static void server_loopback(struct message_request *r)
{
	r->body.dns.servers[1] = addr4(127, 0, 0, 53);
}

static void servers_for_an_option(struct message_request *r)
{
	r->body.dns.device[0] = '-';
}

static void servers_for_no_device(struct message_request *r)
{
	memset(r->body.dns.device, 0, IFNAMSIZ);
}

static void refuses_values_that_make_no_sense(void **state)
{
	static const struct spoilt cases[] = {
		SPOILT(MESSAGE_OPEN_UDP, no_family),
		SPOILT(MESSAGE_OPEN_UDP, unix_family),
		SPOILT(MESSAGE_OPEN_UDP, dirty_address),
		SPOILT(MESSAGE_CLOSE_UDP, multicast_endpoint),
		SPOILT(MESSAGE_OPEN_TCP, no_family),
		SPOILT(MESSAGE_OPEN_TCP, dirty_address),
		SPOILT(MESSAGE_OPEN_TCP, multicast_endpoint),
		SPOILT(MESSAGE_OPEN_TCP, no_port),
		SPOILT(MESSAGE_CLOSE_TCP, no_port),
		SPOILT(MESSAGE_OPEN_TUN, empty_name),
		SPOILT(MESSAGE_OPEN_TUN, endless_name),
		SPOILT(MESSAGE_OPEN_TUN, name_with_slash),
		SPOILT(MESSAGE_OPEN_TUN, name_of_parent),
		SPOILT(MESSAGE_OPEN_TUN, name_with_newline),
		SPOILT(MESSAGE_OPEN_TUN, name_with_template),
		SPOILT(MESSAGE_OPEN_TUN, name_of_all),
		SPOILT(MESSAGE_OPEN_TUN, name_with_hidden_tail),
		SPOILT(MESSAGE_OPEN_ICMP6, name_with_slash),
		SPOILT(MESSAGE_LINK_MTU, tiny_mtu),
		SPOILT(MESSAGE_LINK_MTU, huge_mtu),
		SPOILT(MESSAGE_OPEN_FILE, relative_path),
		SPOILT(MESSAGE_OPEN_FILE, empty_path),
		SPOILT(MESSAGE_OPEN_FILE, endless_path),
		SPOILT(MESSAGE_OPEN_DIRECTORY, path_with_hidden_tail),
		SPOILT(MESSAGE_ROUTE, route_of_no_kind),
		SPOILT(MESSAGE_ROUTE, route_neither_way),
		SPOILT(MESSAGE_ROUTE, route_with_host_bits),
		SPOILT(MESSAGE_ROUTE, route_beyond_family),
		SPOILT(MESSAGE_ROUTE, route_to_multicast),
		SPOILT(MESSAGE_ROUTE, route_to_loopback),
		SPOILT(MESSAGE_ROUTE, route_with_foreign_source),
		SPOILT(MESSAGE_ROUTE, route_with_half_a_source),
		SPOILT(MESSAGE_ROUTE, unreachable_with_device),
		SPOILT(MESSAGE_ROUTE, unreachable_with_source),
		SPOILT(MESSAGE_ROUTE, route_to_everybody),
		SPOILT(MESSAGE_ADDRESS, address_of_a_subnet),
		SPOILT(MESSAGE_ADDRESS, address_of_a_subnets_broadcast),
		SPOILT(MESSAGE_ADDRESS, address_of_everybody),
		SPOILT(MESSAGE_ADDRESS, address4_beyond_family),
		SPOILT(MESSAGE_ADDRESS, address_unspecified),
		SPOILT(MESSAGE_ADDRESS, address_multicast),
		SPOILT(MESSAGE_ADDRESS, address_loopback),
		SPOILT(MESSAGE_ADDRESS, address_beyond_family),
		SPOILT(MESSAGE_ADDRESS, address_never_valid),
		SPOILT(MESSAGE_ADDRESS, address_preferred_longer),
		SPOILT(MESSAGE_ADDRESS, address_neither_way),
		SPOILT(MESSAGE_FORWARDING, family_of_nothing),
		SPOILT(MESSAGE_DNS, too_many_servers),
		SPOILT(MESSAGE_DNS, billions_of_servers),
		SPOILT(MESSAGE_DNS, servers_that_are_missing),
		SPOILT(MESSAGE_DNS, servers_that_are_not_counted),
		SPOILT(MESSAGE_DNS, servers_withdrawn_and_named),
		SPOILT(MESSAGE_DNS, server_of_no_family),
		SPOILT(MESSAGE_DNS, server_with_hidden_tail),
		SPOILT(MESSAGE_DNS, server_multicast),
		SPOILT(MESSAGE_DNS, server_multicast4),
		SPOILT(MESSAGE_DNS, server_broadcast),
		SPOILT(MESSAGE_DNS, server_unspecified),
		SPOILT(MESSAGE_DNS, server_loopback),
		SPOILT(MESSAGE_DNS, servers_for_an_option),
		SPOILT(MESSAGE_DNS, servers_for_no_device),
	};

	refuse_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void takes_ipv4_as_it_is_used(void **state)
{
	static const struct {
		uint8_t last, len;
	} cases[] = {{1, 24}, {254, 24}, {1, 30}, {0, 31}, {255, 31}, {0, 32}, {255, 32}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message_request r = good(MESSAGE_ADDRESS), ret;

		r.body.address.address = addr4(192, 168, 7, cases[i].last);
		r.body.address.prefix_len = cases[i].len;
		assert_null(message_decode(&r, message_size(r.type), &ret));
	}
}

/* ---- transport ---- */

static void carries_one_descriptor(void **state)
{
	struct message_answer a = {.id = 3, .result = 0}, got;
	int pair[2], fd = -1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(message_receive(pair[1], &got, sizeof(got), &fd), -EAGAIN);
	assert_int_equal(message_send(pair[0], &a, sizeof(a), pair[0]), 0);
	assert_int_equal(message_receive(pair[1], &got, sizeof(got), &fd), sizeof(got));
	assert_memory_equal(&a, &got, sizeof(a));
	assert_true(fd > 2);
	close(fd);
	assert_int_equal(message_send(pair[0], &a, sizeof(a), -1), 0);
	assert_int_equal(message_receive(pair[1], &got, sizeof(got), &fd), sizeof(got));
	assert_int_equal(fd, -1);
	close(pair[0]);
	assert_int_equal(message_receive(pair[1], &got, sizeof(got), &fd), 0);
	assert_int_equal(message_send(pair[1], &a, sizeof(a), -1), -EPIPE);
	close(pair[1]);
}

static void unwanted_descriptors_do_not_pile_up(void **state)
{
	struct message_answer a = {0};
	int pair[2], before = dup(0), after;

	close(before);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(message_send(pair[0], &a, sizeof(a), pair[0]), 0);
		assert_int_equal(message_receive(pair[1], &a, sizeof(a), NULL), sizeof(a));
	}
	close(pair[0]);
	close(pair[1]);
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_each_type_in_its_exact_size),
		cmocka_unit_test(refuses_every_other_size_and_leaves_the_result_alone),
		cmocka_unit_test(refuses_types_that_do_not_exist),
		cmocka_unit_test(refuses_values_that_make_no_sense),
		cmocka_unit_test(takes_ipv4_as_it_is_used),
		cmocka_unit_test(carries_one_descriptor),
		cmocka_unit_test(unwanted_descriptors_do_not_pile_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

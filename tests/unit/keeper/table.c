/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of BGP: what can be asked for at all, what the policy allows, what the kernel has afterwards, and who takes them away.
 */
#include <errno.h>
#include <signal.h>

#include "good.h"
#include "keeper/policy.h"
#include "keeper/table.h"
#include "stage.h"

enum { MAIN = 254, METRIC = 20 };

/* ---- what makes no sense: each spoils a good message ---- */

static struct message_bgp_routes *body(struct message_request *r)
{
	return &r->body.bgp_routes;
}

static void into_no_table(struct message_request *r)
{
	body(r)->table.table = 0;
}

static void into_the_local_table(struct message_request *r)
{
	body(r)->table.table = 255;
}

static void with_any_metric(struct message_request *r)
{
	body(r)->table.metric = 0;
}

static void no_routes(struct message_request *r)
{
	body(r)->count = 0;
}

static void too_many_routes(struct message_request *r)
{
	body(r)->count = KEEPER_BGP_ROUTES + 1;
}

static void billions_of_routes(struct message_request *r)
{
	body(r)->count = UINT32_MAX;
}

static void routes_that_are_missing(struct message_request *r)
{
	body(r)->count = 3;
}

static void routes_that_are_not_counted(struct message_request *r)
{
	body(r)->count = 1;
}

static void neither_add_nor_delete(struct message_request *r)
{
	body(r)->routes[0].add = 2;
}

static void half_on_link(struct message_request *r)
{
	body(r)->routes[0].on_link = 2;
}

static void to_no_prefix(struct message_request *r)
{
	body(r)->routes[0].dst.addr.family = 0;
}

static void to_host_bits(struct message_request *r)
{
	body(r)->routes[1].dst.len = 16;
}

static void to_more_bits_than_there_are(struct message_request *r)
{
	body(r)->routes[1].dst.len = 33;
}

static void to_multicast(struct message_request *r)
{
	body(r)->routes[1].dst = (struct prefix){addr4(224, 0, 0, 0), 4};
}

static void to_ourselves(struct message_request *r)
{
	body(r)->routes[1].dst = (struct prefix){addr4(127, 0, 0, 0), 8};
}

static void to_everybody(struct message_request *r)
{
	body(r)->routes[1].dst = (struct prefix){addr4(255, 255, 255, 255), 32};
}

static void to_the_link(struct message_request *r)
{
	body(r)->routes[0].dst = (struct prefix){{AF_INET6, {0xfe, 0x80}}, 64};
}

static void by_no_gateway(struct message_request *r)
{
	body(r)->routes[0].gateway = (struct addr){0};
}

static void by_an_unspecified_gateway(struct message_request *r)
{
	body(r)->routes[0].gateway = (struct addr){.family = AF_INET6};
}

static void by_a_group(struct message_request *r)
{
	body(r)->routes[0].gateway.bytes[0] = 0xff;
}

static void by_ourselves(struct message_request *r)
{
	body(r)->routes[0].gateway = (struct addr){AF_INET6, {[15] = 1}};
}

static void by_an_ipv4_gateway(struct message_request *r)
{
	body(r)->routes[0].gateway = addr4(192, 0, 2, 1);
}

static void by_a_gateway_with_a_tail(struct message_request *r)
{
	body(r)->routes[0].dst = (struct prefix){addr4(192, 0, 2, 0), 24};
	body(r)->routes[0].gateway = addr4(192, 0, 2, 1);
	body(r)->routes[0].gateway.bytes[9] = 1;
}

static void by_no_interface(struct message_request *r)
{
	body(r)->routes[0].ifindex = 0;
}

static void by_an_interface_that_cannot_be(struct message_request *r)
{
	body(r)->routes[0].ifindex = 0x80000000U;
}

static void away_with_a_gateway(struct message_request *r)
{
	body(r)->routes[1].gateway = addr4(192, 0, 2, 1);
}

static void away_with_an_interface(struct message_request *r)
{
	body(r)->routes[1].ifindex = 1;
}

static void away_on_link(struct message_request *r)
{
	body(r)->routes[1].on_link = 1;
}

static void flush_of_the_local_table(struct message_request *r)
{
	r->body.table.table = 255;
}

static void flush_of_any_metric(struct message_request *r)
{
	r->body.table.metric = 0;
}

static void refuses_what_makes_no_sense(void **state)
{
	static const struct spoilt cases[] = {
		SPOILT(MESSAGE_BGP_ROUTES, into_no_table),
		SPOILT(MESSAGE_BGP_ROUTES, into_the_local_table),
		SPOILT(MESSAGE_BGP_ROUTES, with_any_metric),
		SPOILT(MESSAGE_BGP_ROUTES, no_routes),
		SPOILT(MESSAGE_BGP_ROUTES, too_many_routes),
		SPOILT(MESSAGE_BGP_ROUTES, billions_of_routes),
		SPOILT(MESSAGE_BGP_ROUTES, routes_that_are_missing),
		SPOILT(MESSAGE_BGP_ROUTES, routes_that_are_not_counted),
		SPOILT(MESSAGE_BGP_ROUTES, neither_add_nor_delete),
		SPOILT(MESSAGE_BGP_ROUTES, half_on_link),
		SPOILT(MESSAGE_BGP_ROUTES, to_no_prefix),
		SPOILT(MESSAGE_BGP_ROUTES, to_host_bits),
		SPOILT(MESSAGE_BGP_ROUTES, to_more_bits_than_there_are),
		SPOILT(MESSAGE_BGP_ROUTES, to_multicast),
		SPOILT(MESSAGE_BGP_ROUTES, to_ourselves),
		SPOILT(MESSAGE_BGP_ROUTES, to_everybody),
		SPOILT(MESSAGE_BGP_ROUTES, to_the_link),
		SPOILT(MESSAGE_BGP_ROUTES, by_no_gateway),
		SPOILT(MESSAGE_BGP_ROUTES, by_an_unspecified_gateway),
		SPOILT(MESSAGE_BGP_ROUTES, by_a_group),
		SPOILT(MESSAGE_BGP_ROUTES, by_ourselves),
		SPOILT(MESSAGE_BGP_ROUTES, by_an_ipv4_gateway),
		SPOILT(MESSAGE_BGP_ROUTES, by_a_gateway_with_a_tail),
		SPOILT(MESSAGE_BGP_ROUTES, by_no_interface),
		SPOILT(MESSAGE_BGP_ROUTES, by_an_interface_that_cannot_be),
		SPOILT(MESSAGE_BGP_ROUTES, away_with_a_gateway),
		SPOILT(MESSAGE_BGP_ROUTES, away_with_an_interface),
		SPOILT(MESSAGE_BGP_ROUTES, away_on_link),
		SPOILT(MESSAGE_BGP_FLUSH, flush_of_the_local_table),
		SPOILT(MESSAGE_BGP_FLUSH, flush_of_any_metric),
	};

	refuse_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void default_routes_and_full_requests_are_fine(void **state)
{
	struct message_request r = good(MESSAGE_BGP_ROUTES), ret;

	r.body.bgp_routes.count = KEEPER_BGP_ROUTES;
	for (unsigned i = 0; i < KEEPER_BGP_ROUTES; i++)
		r.body.bgp_routes.routes[i] = (struct keeper_bgp_route){.add = 1,
			.ifindex = 3,
			.dst = {addr4(0, 0, 0, 0), 0},
			.gateway = {AF_INET6, {0xfe, 0x80, [15] = 9}}};
	assert_null(message_decode(&r, message_size(r.type), &ret));
}

/* ---- the policy ---- */

static void tables_are_allowed_by_number_and_metric(void **state)
{
	static const struct keeper_export tables[] = {{{254, 20}, true, true}, {{1000, 7}, true, true}};
	struct keeper_policy p = {.exports = tables, .export_count = 1},
			     other = {.exports = tables, .export_count = 2};
	struct keeper_policy *joined = policy_join(&p, &other);
	static const uint32_t types[] = {MESSAGE_BGP_ROUTES, MESSAGE_BGP_FLUSH};

	assert_non_null(joined);
	assert_int_equal(joined->export_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct message_request r = good(types[i]); /* both begin with the table */

		assert_null(policy_check(&p, &r));
		r.body.table = tables[1].table;
		assert_non_null(policy_check(&p, &r));
		assert_null(policy_check(joined, &r));
		r.body.table.table = 254;
		assert_non_null(policy_check(joined, &r));
		r.body.table = (struct keeper_table){1000, 20};
		assert_non_null(policy_check(joined, &r));
	}
	policy_joined_free(joined);
}

/* A route that is there may always go: the family may have been configured a moment ago. */
static void families_that_are_not_configured_are_refused(void **state)
{
	static const struct keeper_export six = {{254, 20}, false, true}, four = {{254, 20}, true, false};
	struct keeper_policy p6 = {.exports = &six, .export_count = 1}, p4 = {.exports = &four, .export_count = 1};
	struct keeper_policy *joined = policy_join(&p6, &p4);
	struct message_request r = good(MESSAGE_BGP_ROUTES); /* adds an IPv6 one, and deletes an IPv4 one */

	assert_non_null(joined);
	assert_int_equal(joined->export_count, 1);
	assert_null(policy_check(&p6, &r));
	assert_null(policy_check(joined, &r));
	assert_string_equal(policy_check(&p4, &r), "route of a family that is not configured");
	r.body.bgp_routes.routes[1].add = 1;
	assert_string_equal(policy_check(&p6, &r), "route of a family that is not configured");
	assert_null(policy_check(joined, &r));
	policy_joined_free(joined);
}

/* ---- through a real engine process ---- */

struct bgp_actor {
	struct actor actor;
	uint64_t failed[2];
};

static void answered(void *owner, int result, const uint64_t failed[2])
{
	struct bgp_actor *a = owner;

	memcpy(a->failed, failed, sizeof(a->failed));
	actor_answer(&a->actor, result, -1);
}

static int put(struct bgp_actor *a, uint32_t table, uint32_t metric, const struct keeper_bgp_route *routes,
	unsigned count)
{
	keeper_bgp_routes(a->actor.client, table, metric, routes, count, answered, a);
	return actor_wait(&a->actor);
}

static struct keeper_bgp_route to(const char *dst, const char *gateway)
{
	struct keeper_bgp_route r = {.dst = to_prefix(dst)};

	if (gateway) {
		r.add = 1;
		r.gateway = to_addr(gateway);
		r.ifindex = if_nametoindex("lan0");
	}
	return r;
}

static const struct keeper_export allowed[] = {{{MAIN, METRIC}, true, true}, {{1000, METRIC}, true, true}};

static struct stage *stage_with_tables(void)
{
	struct stage *s = stage_new(true);

	s->policy.exports = allowed;
	s->policy.export_count = 2;
	administer("ip addr add 192.0.2.1/24 dev lan0 && ip addr add 2001:db8::1/64 dev lan0 nodad");
	return s;
}

static int shown_main(const char *a)
{
	return shown("ip -4 route show table main", a, "") + shown("ip -6 route show table main", a, "");
}

static int ask_for_routes(struct stage *s, int fd)
{
	struct keeper_bgp_route routes[] = {to("198.51.100.0/24", "192.0.2.9"),
		to("198.51.101.0/24", "fe80::9"), to("2001:db8:100::/40", "2001:db8::9"),
		to("198.51.102.0/24", "10.9.9.9"), to("198.51.103.0/24", "192.0.2.9")};
	struct bgp_actor a;

	actor_init(&a.actor, fd);
	note(s, put(&a, MAIN, METRIC, routes, 5));
	note(s, (int)a.failed[0] | (int)a.failed[1]);
	note(s, put(&a, MAIN, METRIC + 1, routes, 1));
	note(s, put(&a, 255, METRIC, routes, 1));
	note(s, put(&a, 1000, METRIC, routes, 1));
	reach(s, 1);
	routes[0] = to("198.51.100.0/24", NULL);
	note(s, put(&a, MAIN, METRIC, routes, 1));
	note(s, ASK(&a.actor, keeper_bgp_flush, 1000, METRIC));
	note(s, ASK(&a.actor, keeper_bgp_flush, 1000, METRIC));
	note(s, ASK(&a.actor, keeper_bgp_flush, MAIN, METRIC + 1));
	note(s, put(&a, MAIN, METRIC, routes, KEEPER_BGP_ROUTES + 1));
	reach(s, 2);
	actor_done(&a.actor);
	return 0;
}

static void routes_come_go_and_end_with_the_keeper(void **state)
{
	static const int expected[] = {
		-ENETUNREACH, 1 << 3 | 1 << 4, -EPERM, -EINVAL, 0, 0, -EAGAIN, 0, -EPERM, -EINVAL};
	struct stage *s = stage_with_tables();

	administer("ip route add 198.51.103.0/24 via 192.0.2.8 proto static metric 20");
	stage_start(s, ask_for_routes);
	let_reach(s, 1);
	assert_int_equal(shown_main("198.51.100.0/24 via 192.0.2.9 dev lan0 proto 172 metric 20"), 1);
	assert_int_equal(shown_main("198.51.101.0/24 via inet6 fe80::9 dev lan0 proto 172 metric 20"), 1);
	assert_int_equal(shown_main("2001:db8:100::/40 via 2001:db8::9 dev lan0 proto 172 metric 20"), 1);
	assert_int_equal(shown("ip -4 route show table 1000", "proto 172", ""), 1);
	let_reach(s, 2);
	assert_int_equal(shown_main("proto 172"), 2);
	assert_int_equal(shown("ip -4 route show table 1000", "proto 172", ""), 0);
	s->notes->go = 3;
	assert_int_equal(stage_end(s), 0);
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (s->notes->results[i] != expected[i])
			fail_msg("step %u: %d", i, s->notes->results[i]);
	assert_int_equal(shown_main("proto 172"), 0);
	assert_int_equal(shown_main("198.51.103.0/24 via 192.0.2.8"), 1); /* somebody else's */
	stage_free(s);
}

static int ask_once(struct stage *s, int fd)
{
	struct keeper_bgp_route route = to("198.51.100.0/24", "192.0.2.9");
	struct bgp_actor a;

	actor_init(&a.actor, fd);
	if (s->notes->lives == 1) {
		note(s, put(&a, MAIN, METRIC, &route, 1));
		s->notes->ready = 1;
		sleep_for_ever();
	}
	reach(s, 2);
	actor_done(&a.actor);
	return 0;
}

static void routes_survive_the_engine_process(void **state)
{
	struct stage *s = stage_with_tables();

	stage_start(s, ask_once);
	assert_true(stage_wait(&s->notes->ready, 1));
	kill(s->notes->engine, SIGKILL);
	assert_true(stage_wait(&s->notes->ready, 2));
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(shown_main("198.51.100.0/24 via 192.0.2.9 dev lan0 proto 172"), 1);
	s->notes->go = 2;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(shown_main("proto 172"), 0);
	stage_free(s);
}

/* ---- from one keeper to the next ---- */

static void what_is_written_down_is_the_table(void **state)
{
	static const struct keeper_policy others = {.exports = allowed + 1, .export_count = 1};
	struct message_request m = good(MESSAGE_BGP_ROUTES);
	struct tables before = {0}, after = {0};
	struct ledger_item *items;
	struct netlink *n;
	struct ledger l;
	uint64_t failed[2] = {0};
	size_t count;
	int lan;

	NAMESPACE_OR_SKIP();
	lan = namespace_device("lan0", IFF_TAP);
	assert_true(lan >= 0 && namespace_up("lan0") && namespace_up("lo"));
	administer("ip addr add 192.0.2.1/24 dev lan0");
	n = netlink_open();
	assert_non_null(n);
	assert_int_equal(ledger_open(&l, -1), 0);
	before.ledger = after.ledger = &l;
	m.body.bgp_routes.routes[0] = to("198.51.100.0/24", "192.0.2.9");
	m.body.bgp_routes.routes[1] = to("198.51.101.0/24", "192.0.2.9");
	assert_int_equal(tables_put(&before, n, &m.body.bgp_routes, failed), 0);
	assert_int_equal(tables_put(&before, n, &m.body.bgp_routes, failed), 0);
	tables_forget(&before);
	items = ledger_items(&l, &count);
	assert_int_equal(count, 1);
	assert_int_equal(items[0].kind, LEDGER_TABLE);
	assert_true(tables_inherit(&after, &items[0]));
	free(items);
	assert_int_equal(shown_main("proto 172"), 2);
	tables_limit(&after, n, &others); /* the new configuration has another table */
	assert_int_equal(shown_main("proto 172"), 0);
	assert_null(after.used);
	free(ledger_items(&l, &count));
	assert_int_equal(count, 0);
	ledger_close(&l);
	netlink_close(n);
	close(lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(default_routes_and_full_requests_are_fine),
		cmocka_unit_test(tables_are_allowed_by_number_and_metric),
		cmocka_unit_test(families_that_are_not_configured_are_refused),
		cmocka_unit_test(routes_come_go_and_end_with_the_keeper),
		cmocka_unit_test(routes_survive_the_engine_process),
		cmocka_unit_test(what_is_written_down_is_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbours are added, found, changed, removed and shown. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "hand.h"

static void names_and_addresses_are_unique(void **state)
{
	struct bgp_neighbor_config c;
	struct bgp_neighbor *n = NULL, *first;
	struct hand t;

	(void)state;
	hand_init(&t);
	c = t.config;
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &first), 0);
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &n), -EEXIST);
	c.address = addr4(192, 0, 2, 77);
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &n), -EEXIST);
	c = t.config;
	strcpy(c.name, "other");
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &n), -EEXIST);
	assert_null(n);
	c.address = addr4(192, 0, 2, 77);
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &n), 0);
	assert_ptr_equal(bgp_neighbor_find(t.s->bgp, "other"), n);
	assert_ptr_equal(bgp_neighbor_find(t.s->bgp, "n1"), first);
	assert_null(bgp_neighbor_find(t.s->bgp, "nobody"));
	assert_ptr_equal(bgp_neighbor_next(t.s->bgp, NULL), first);
	assert_ptr_equal(bgp_neighbor_next(t.s->bgp, first), n);
	assert_null(bgp_neighbor_next(t.s->bgp, n));
	assert_ptr_equal(bgp_source_neighbor(t.s->bgp, bgp_neighbor_source(n)), n);
	assert_null(bgp_source_neighbor(t.s->bgp, 0));
	assert_null(bgp_source_neighbor(t.s->bgp, 1000));
	assert_string_equal(bgp_neighbor_name(n), "other");
	hand_done(&t);
}

static void link_local_addresses_are_unique_on_their_interface(void **state)
{
	struct bgp_neighbor_config c;
	struct bgp_neighbor *a, *b;
	struct hand t;

	(void)state;
	hand_init(&t);
	c = t.config;
	assert_int_equal(addr_parse("fe80::1", &c.address), 0);
	strcpy(c.interface, "eth0");
	c.interface_index = 2;
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &a), 0);
	strcpy(c.name, "other");
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &b), -EEXIST);
	strcpy(c.interface, "eth1");
	c.interface_index = 3;
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &b), 0);
	assert_ptr_equal(bgp_neighbor_by_address(t.s->bgp, &c.address, 2), a);
	assert_ptr_equal(bgp_neighbor_by_address(t.s->bgp, &c.address, 3), b);
	assert_null(bgp_neighbor_by_address(t.s->bgp, &c.address, 4));
	c.interface_index = 4;
	assert_int_equal(bgp_neighbor_change(b, &c), 0);
	assert_ptr_equal(bgp_neighbor_by_address(t.s->bgp, &c.address, 4), b);
	hand_done(&t);
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
	struct bgp_neighbor *n = NULL, *first = NULL;
	struct bgp_neighbor_config c;
	struct hand t;

	(void)state;
	hand_init(&t);
	c = t.config;
	for (unsigned i = 0; i <= BGP_NEIGHBORS; i++) {
		snprintf(c.name, sizeof(c.name), "n%u", i);
		c.address = addr4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);
		assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &n), i < BGP_NEIGHBORS ? 0 : -ENOSPC);
		first = first ? first : n;
	}
	bgp_neighbor_remove(first);
	wire_run(&t.w, 1);
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &n), 0);
	hand_done(&t);
}

static void a_removed_neighbour_is_gone_at_once(void **state)
{
	struct bgp_neighbor_config c;
	struct bgp_neighbor *again;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	c = t.config;
	bgp_neighbor_remove(t.n);
	assert_null(bgp_neighbor_find(t.s->bgp, c.name));
	assert_null(bgp_neighbor_next(t.s->bgp, NULL));
	assert_null(bgp_neighbor_by_address(t.s->bgp, &c.address, 0));
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &c, &again), 0);
	wire_run(&t.w, 10);
	hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_UNCONFIGURED, "", 0);
	assert_ptr_equal(bgp_neighbor_find(t.s->bgp, c.name), again);
	bgp_neighbor_start(again);
	wire_run(&t.w, 10);
	assert_int_equal(again->state, BGP_OPEN_SENT);
	hand_done(&t);
}

/* ---- changes ---- */

static struct policy *policy_one, *policy_two;

static struct policy *a_policy(const char *name, uint32_t med)
{
	struct policy_rule rule = {.then = POLICY_ACCEPT, .set_med = true, .med = med};
	struct policy p = {.rule_count = 1, .rules = &rule};

	snprintf(p.name, sizeof(p.name), "%s", name);
	return policy_copy(&p);
}

static void change_nothing(struct bgp_neighbor_config *c)
{
	(void)c;
}
static void change_address(struct bgp_neighbor_config *c)
{
	c->address = addr4(192, 0, 2, 88);
}
static void change_local_address(struct bgp_neighbor_config *c)
{
	c->local_address = addr4(192, 0, 2, 2);
}
static void change_port(struct bgp_neighbor_config *c)
{
	c->port = 1179;
}
static void change_as(struct bgp_neighbor_config *c)
{
	c->as = 65001;
}
static void change_local_as(struct bgp_neighbor_config *c)
{
	c->local_as = 65002;
}
static void change_families(struct bgp_neighbor_config *c)
{
	c->families = BGP_FAMILY_BIT(BGP_IPV4);
}
static void change_ttl(struct bgp_neighbor_config *c)
{
	c->ttl_security = 1;
}
static void change_password(struct bgp_neighbor_config *c)
{
	strcpy(c->password_file, "/etc/softwire/secret");
}
static void change_messages(struct bgp_neighbor_config *c)
{
	c->extended_messages = false;
}
static void change_restart(struct bgp_neighbor_config *c)
{
	c->graceful_restart = false;
}
static void change_limits(struct bgp_neighbor_config *c)
{
	c->limits[BGP_IPV4].max_prefix = 5;
}
static void change_timers(struct bgp_neighbor_config *c)
{
	c->hold_time = 30000;
	c->connect_retry = 1000;
	c->idle_hold = 7000;
	c->min_interval = 100;
	c->restart_time = 5;
}
static void change_client(struct bgp_neighbor_config *c)
{
	c->client = true;
}
static void change_next_hop(struct bgp_neighbor_config *c)
{
	c->next_hop_self = true;
}
static void change_import(struct bgp_neighbor_config *c)
{
	c->has_import = true;
	c->import_policy = policy_two;
}
static void change_export(struct bgp_neighbor_config *c)
{
	c->has_export = true;
	c->export_policy = policy_two;
}

static const struct {
	const char *name;
	void (*change)(struct bgp_neighbor_config *c);
	bool reset, asks;
} changes[] = {
	{"nothing", change_nothing, false, false},
	{"address", change_address, true, false},
	{"local address", change_local_address, true, false},
	{"port", change_port, true, false},
	{"as", change_as, true, false},
	{"local as", change_local_as, true, false},
	{"families", change_families, true, false},
	{"ttl", change_ttl, true, false},
	{"password", change_password, true, false},
	{"messages", change_messages, true, false},
	{"restart", change_restart, true, false},
	{"limits", change_limits, false, false},
	{"timers", change_timers, false, false},
	{"client", change_client, false, false},
	{"next hop", change_next_hop, false, false},
	{"import", change_import, false, true},
	{"export", change_export, false, false},
};

static unsigned asked(struct hand *t)
{
	unsigned count = 0;

	while (wire_take(t->e, &t->type, t->message))
		count += t->type == BGP_REFRESH && t->message[BGP_HEADER + 2] == BGP_REFRESH_REQUEST;
	return count;
}

static void a_change_resets_the_session_only_where_it_must(void **state)
{
	(void)state;
	policy_one = a_policy("p", 1);
	policy_two = a_policy("p", 2);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct bgp_neighbor_config c;
		struct hand t;

		hand_init(&t);
		t.config.import_policy = t.config.export_policy = policy_one;
		t.config.has_import = t.config.has_export = true;
		hand_reach(&t, BGP_ESTABLISHED);
		assert_int_equal(asked(&t), 0);
		c = t.config;
		changes[i].change(&c);
		assert_int_equal(bgp_neighbor_change(t.n, &c), changes[i].reset);
		wire_run(&t.w, 5);
		if (changes[i].reset) {
			assert_int_equal(t.n->state == BGP_ESTABLISHED, false);
			hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_CHANGED, "", 0);
			assert_true(wire_said(t.s, "configuration changed: other") ||
				    wire_said(t.s, "configuration changed: another"));
		} else {
			assert_int_equal(t.n->state, BGP_ESTABLISHED);
			assert_int_equal(t.n->established, 1);
		}
		assert_int_equal(asked(&t), changes[i].asks ? 2 : 0);
		hand_done(&t);
	}
	policy_free(policy_one);
	policy_free(policy_two);
}

static void another_import_policy_resets_who_cannot_tell_again(void **state)
{
	struct bgp_neighbor_config c;
	struct hand t;

	(void)state;
	policy_two = a_policy("p", 2);
	hand_init(&t);
	t.open.capabilities.refresh = t.open.capabilities.enhanced_refresh = false;
	hand_reach(&t, BGP_ESTABLISHED);
	c = t.config;
	change_import(&c);
	assert_int_equal(bgp_neighbor_change(t.n, &c), 1);
	wire_run(&t.w, 5);
	hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_CHANGED, "", 0);
	assert_true(wire_said(t.s, "cannot tell its routes again"));
	hand_done(&t);
	policy_free(policy_two);
}

static void an_address_that_is_taken_changes_nothing(void **state)
{
	struct bgp_neighbor_config c, other;
	struct bgp_neighbor *n;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	other = t.config;
	strcpy(other.name, "other");
	other.address = addr4(192, 0, 2, 9);
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &other, &n), 0);
	c = t.config;
	c.address = other.address;
	assert_int_equal(bgp_neighbor_change(t.n, &c), -EEXIST);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	assert_true(addr_equal(&t.n->config.address, &t.config.address));
	hand_done(&t);
}

static void shutdown_by_configuration_tells_words_and_lasts(void **state)
{
	struct bgp_neighbor_view v;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	t.config.shutdown = true;
	strcpy(t.config.shutdown_text, "until Monday");
	assert_int_equal(bgp_neighbor_change(t.n, &t.config), 1);
	wire_run(&t.w, 5);
	hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_SHUTDOWN, "\x0cuntil Monday", 13);
	wire_run(&t.w, 600000);
	bgp_neighbor_clear(t.n, NULL); /* not what the operator meant, either */
	wire_run(&t.w, 600000);
	bgp_neighbor_view(t.n, &v);
	assert_int_equal(v.state, BGP_IDLE);
	assert_string_equal(v.waiting, "the configuration shuts it down");
	t.config.shutdown = false;
	assert_int_equal(bgp_neighbor_change(t.n, &t.config), 0);
	wire_run(&t.w, 5);
	assert_int_equal(t.n->state, BGP_OPEN_SENT);
	hand_done(&t);
}

/* ---- asking ---- */

static void refresh_asks_for_every_family(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_OPEN_CONFIRM);
	assert_int_equal(bgp_neighbor_refresh(t.n, true, true), -ENOTCONN);
	hand_send_keepalive(&t);
	wire_run(&t.w, 10);
	while (wire_take(t.e, &t.type, t.message))
		;
	for (unsigned i = 0; i < 100; i++) /* once, for one who does not read yet */
		assert_int_equal(bgp_neighbor_refresh(t.n, true, false), 0);
	wire_run(&t.w, 10);
	hand_expect(&t, BGP_REFRESH);
	assert_memory_equal(t.message + BGP_HEADER, "\0\1\0\1", 4);
	hand_expect(&t, BGP_REFRESH);
	assert_memory_equal(t.message + BGP_HEADER, "\0\2\0\1", 4);
	hand_expect_nothing(&t);
	hand_done(&t);
}

static void who_cannot_refresh_is_not_asked(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.open.capabilities.refresh = false;
	hand_reach(&t, BGP_ESTABLISHED);
	assert_int_equal(bgp_neighbor_refresh(t.n, true, false), -EOPNOTSUPP);
	assert_int_equal(bgp_neighbor_refresh(t.n, false, true), 0);
	hand_done(&t);
}

/* ---- shown ---- */

static void what_is_shown_is_what_is(void **state)
{
	struct bgp_neighbor_view v;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	bgp_neighbor_view(t.n, &v);
	assert_int_equal(v.state, BGP_ESTABLISHED);
	assert_null(v.waiting);
	assert_int_equal(v.next_try, MSEC_NEVER);
	assert_int_equal(v.remote_id, 0x0a000001);
	assert_int_equal(v.hold_time, 90);
	assert_true(addr_equal(&v.remote.addr, &t.h->address) && addr_equal(&v.local.addr, &t.s->address));
	assert_int_equal(v.form.families, 3);
	assert_true(v.theirs.enhanced_refresh && !v.theirs.graceful);
	assert_true(v.family[BGP_IPV4].on && v.family[BGP_IPV6].on && !v.family[BGP_IPV4_ENCAP].on);
	assert_int_equal(v.messages_in, 2);
	assert_int_equal(v.established, 1);
	assert_int_equal(v.last_error.reason[0], 0);
	hand_send_keepalive(&t);
	hand_send_open(&t);
	wire_run(&t.w, 10);
	bgp_neighbor_view(t.n, &v);
	assert_int_equal(v.state, BGP_IDLE);
	assert_non_null(strstr(v.waiting, "there was an error"));
	assert_in_range(v.next_try, t.w.now + 700, t.w.now + 1000);
	assert_string_equal(v.last_error.reason, "OPEN came in state established");
	assert_true(v.last_error_sent);
	assert_int_equal(v.flaps, 1);
	assert_int_equal(v.hold_time, 0);
	assert_false(v.family[BGP_IPV4].on);
	hand_done(&t);
}

/* A peer that rests closes what comes meanwhile: that says less than the NOTIFICATION before it. */
static void the_last_notification_outlives_failed_connections_until_there_is_a_session(void **state)
{
	struct bgp_neighbor_view v;
	struct hand t;
	msec failed;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	hand_send_open(&t);
	wire_run(&t.w, 10);
	t.h->refuses = true;
	wire_run(&t.w, 5000);
	bgp_neighbor_view(t.n, &v);
	assert_string_equal(v.last_error.reason, "the connection failed: Connection refused");
	assert_int_equal(v.last_error.code, 0);
	failed = v.last_error_at;
	assert_in_range(failed, t.w.now - 5000, t.w.now);
	assert_string_equal(v.last_notification.reason, "OPEN came in state established");
	assert_true(v.last_notification_sent && v.last_notification.code);
	t.h->refuses = false;
	wire_run(&t.w, 5000);
	t.e = wire_end_of(t.h, t.s);
	assert_non_null(t.e);
	hand_send_open(&t);
	hand_send_keepalive(&t);
	wire_run(&t.w, 10);
	bgp_neighbor_view(t.n, &v);
	assert_int_equal(v.state, BGP_ESTABLISHED);
	assert_int_equal(v.last_notification.code, 0);
	assert_int_equal(v.last_error_at, failed);
	hand_done(&t);
}

static void a_neighbour_says_what_it_waits_for(void **state)
{
	struct bgp_neighbor_view v;
	struct hand t;

	(void)state;
	hand_init(&t);
	t.config.passive = true;
	assert_int_equal(bgp_neighbor_add(t.s->bgp, &t.config, &t.n), 0);
	bgp_neighbor_view(t.n, &v);
	assert_string_equal(v.waiting, "the speaker is not running");
	bgp_neighbor_start(t.n);
	bgp_neighbor_view(t.n, &v);
	assert_string_equal(v.waiting, "it is to connect to us");
	hand_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_addresses_are_unique),
		cmocka_unit_test(link_local_addresses_are_unique_on_their_interface),
		cmocka_unit_test(there_is_room_for_so_many_and_no_more),
		cmocka_unit_test(a_removed_neighbour_is_gone_at_once),
		cmocka_unit_test(a_change_resets_the_session_only_where_it_must),
		cmocka_unit_test(another_import_policy_resets_who_cannot_tell_again),
		cmocka_unit_test(an_address_that_is_taken_changes_nothing),
		cmocka_unit_test(shutdown_by_configuration_tells_words_and_lasts),
		cmocka_unit_test(refresh_asks_for_every_family),
		cmocka_unit_test(who_cannot_refresh_is_not_asked),
		cmocka_unit_test(what_is_shown_is_what_is),
		cmocka_unit_test(the_last_notification_outlives_failed_connections_until_there_is_a_session),
		cmocka_unit_test(a_neighbour_says_what_it_waits_for),
	};

	return cmocka_run_group_tests_name("bgp neighbors", tests, NULL, NULL);
}

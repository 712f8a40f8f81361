/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initiators are sent to another concentrator: when there is no room, and when this one is drained. */
#include "fixture.h"

#include <jansson.h>
#include <unistd.h>

static void redirect_to(struct fixture *f, const char *text)
{
	assert_int_equal(endpoint_parse(text, L2TP_PORT, &f->config.redirect[f->config.redirect_count++]), 0);
}

static struct drain_order order_to(const char *text)
{
	struct drain_order order = {.rate = DRAIN_RATE};

	if (text)
		assert_int_equal(endpoint_parse(text, L2TP_PORT, &order.targets[order.target_count++]), 0);
	return order;
}

static json_int_t shown(struct fixture *f, const char *name)
{
	json_t *drain = concentrator_show_drain(f->c);
	json_int_t n = json_integer_value(json_object_get(drain, name));

	json_decref(drain);
	return n;
}

static bool is_state(struct fixture *f, const char *state)
{
	json_t *drain = concentrator_show_drain(f->c);
	bool is = !strcmp(json_string_value(json_object_get(drain, "state")), state);

	json_decref(drain);
	return is;
}

/* The StopCCN that answers the SCCRQ of P. */
static void expect_stopccn(struct peer *p, uint16_t error, const char *text)
{
	uint8_t buf[2048], scratch[L2TP_PACKET_MAX];
	struct l2tp_fault fault;
	struct l2tp_header h;
	struct l2tp_message m;
	struct reader r;
	size_t len = 0;

	fixture_until(p->fixture, (len = peer_get(p, buf, sizeof(buf))));
	r = reader_of(buf, len);
	l2tp_header_read(&r, &h);
	assert_int_equal(l2tp_message_read(r, NULL, scratch, &m, &fault), 0);
	assert_int_equal(m.type, L2TP_STOPCCN);
	assert_int_equal(h.tunnel_id, p->engine.softwire.tunnel.local_tunnel);
	assert_int_equal(m.result, L2TP_STOP_ERROR);
	assert_int_equal(m.error, error);
	assert_int_equal(m.error_message.len, strlen(text));
	assert_memory_equal(m.error_message.data, text, strlen(text));
}

static struct peer *knock(struct fixture *f, uint8_t host)
{
	struct peer *p = peer_new(f, host, "bob");

	p->mute = true;
	peer_open(p);
	return p;
}

/* proves: SEC-IPSEC-14 partial, SEC-IPSEC-13 partial */
static void no_room_here_is_there(void **state)
{
	struct fixture *f = fixture_new();

	f->config.max_softwires = 1;
	redirect_to(f, "2001:db8::2");
	redirect_to(f, "192.0.2.2");
	fixture_start(f);
	peer_up(f, 2, "alice");
	expect_stopccn(knock(f, 3), L2TP_ERROR_TRY_ANOTHER, "192.0.2.2");
	assert_int_equal(f->c->role_counters.redirected, 1);
	assert_true(fixture_logged(f, "reason=\"too many softwires\" to=192.0.2.2"));
	fixture_free(f);
}

static void too_many_in_set_up_are_sent_on_too(void **state)
{
	struct fixture *f = fixture_new();

	f->config.max_half_open = f->config.max_waiting = 1;
	redirect_to(f, "192.0.2.2");
	fixture_start(f);
	knock(f, 2);
	fixture_until(f, concentrator_half_open(f->c) == 1);
	knock(f, 4);
	fixture_until(f, waiting_count(&f->c->admission.waiting) == 1);
	expect_stopccn(knock(f, 3), L2TP_ERROR_TRY_ANOTHER, "192.0.2.2");
	fixture_free(f);
}

/* proves: SEC-HS-22 partial */
static void one_source_that_floods_is_never_sent_on(void **state)
{
	struct fixture *f = fixture_new();
	struct drain_order order = order_to("192.0.2.2");

	f->config.half_open_per_source = f->config.waiting_per_source = 1;
	f->config.request_rate = 1000;
	redirect_to(f, "192.0.2.2");
	fixture_start(f);
	knock(f, 2);
	fixture_until(f, concentrator_half_open(f->c) == 1);
	knock(f, 2);
	fixture_until(f, waiting_count(&f->c->admission.waiting) == 1);
	expect_stopccn(
		knock(f, 2), L2TP_ERROR_RESOURCES, "too many tunnels are being set up from this address");
	concentrator_drain(f->c, &order);
	expect_stopccn(
		knock(f, 2), L2TP_ERROR_RESOURCES, "too many tunnels are being set up from this address");
	assert_int_equal(f->c->role_counters.redirected, 0);
	fixture_free(f);
}

static void without_another_of_its_family_it_is_refused_with_the_reason(void **state)
{
	struct fixture *f = fixture_new();
	struct drain_order order = order_to(NULL);

	f->config.max_softwires = 1;
	redirect_to(f, "2001:db8::2");
	fixture_start(f);
	peer_up(f, 2, "alice");
	expect_stopccn(knock(f, 3), L2TP_ERROR_RESOURCES, "too many softwires");
	concentrator_drain(f->c, &order);
	expect_stopccn(
		knock(f, 4), L2TP_ERROR_RESOURCES, "no new softwires: this concentrator is being drained");
	assert_int_equal(shown(f, "refused"), 1);
	fixture_free(f);
}

/* proves: PS-7 partial, SEC-IPSEC-14 partial */
static void the_established_leave_in_good_order(void **state)
{
	struct fixture *f = fixture_new();
	struct drain_order order = order_to("192.0.2.9:1702");
	struct peer *carol;
	uint64_t heard;

	snprintf(f->config.hooks[HOOK_DOWN], sizeof(f->config.hooks[HOOK_DOWN]), "/etc/softwire/down");
	fixture_start(f);
	carol = peer_up(f, 2, "carol");
	assert_true(fixture_routed(f, "2001:db8:ffff:100::/56"));
	heard = carol->counters.ppp.rx;
	concentrator_drain(f->c, &order);
	assert_true(is_state(f, "draining"));
	assert_true(fixture_logged(
		f, "event=drain left=1 moved=0 closed=0 refused=0 to=192.0.2.9:1702 rate=100"));
	fixture_until(f, carol->downs);
	assert_int_equal(carol->why.result, L2TP_STOP_ERROR);
	assert_int_equal(carol->why.error, L2TP_ERROR_TRY_ANOTHER);
	assert_non_null(strstr(carol->why.text, "192.0.2.9:1702"));
	assert_int_equal(carol->counters.ppp.rx, heard); /* no Terminate-Request, after which nobody may read on */
	fixture_pass(f, 1000);
	assert_true(is_state(f, "drained"));
	assert_int_equal(shown(f, "left"), 0);
	assert_int_equal(shown(f, "moved"), 1);
	assert_int_equal(f->routes_removed, 1);
	assert_false(fixture_routed(f, "2001:db8:ffff:100::/56"));
	assert_false(lease_find(f->c->leases, "carol", 0)->active);
	assert_true(fixture_logged(f, "cause=moved reason=\"moved to 192.0.2.9:1702\""));
	assert_true(fixture_logged(f, "event=drained left=0 moved=1"));
	assert_string_equal(fixture_hook(f, 0, "down", "SOFTWIRE_REASON"), "moved to 192.0.2.9:1702");
	assert_int_equal(f->hook_count, 1);
	fixture_free(f);
}

static void it_takes_new_ones_again_when_it_is_told_to(void **state)
{
	struct fixture *f = fixture_new();
	struct drain_order order = order_to("192.0.2.9");

	fixture_start(f);
	concentrator_drain(f->c, &order);
	expect_stopccn(knock(f, 2), L2TP_ERROR_TRY_ANOTHER, "192.0.2.9");
	assert_true(concentrator_is_draining(f->c));
	concentrator_drain(f->c, NULL);
	concentrator_drain(f->c, NULL);
	assert_false(concentrator_is_draining(f->c));
	assert_true(is_state(f, "off"));
	assert_true(fixture_logged(f, "event=drain-stopped"));
	peer_up(f, 3, "alice");
	fixture_free(f);
}

/* No target: nobody new, and the others until grace is over. */
static void without_a_target_they_stay_or_get_a_grace(void **state)
{
	struct fixture *f = fixture_new();
	struct drain_order order = order_to(NULL);
	struct peer *alice;

	redirect_to(f, "2001:db8::2"); /* not for her, who has come over IPv4 */
	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	concentrator_drain(f->c, &order);
	fixture_pass(f, 60000);
	assert_int_equal(alice->downs, 0);
	assert_int_equal(shown(f, "left"), 1);
	assert_int_equal(shown(f, "staying"), 1);
	assert_true(fixture_logged(f, "event=drain-progress left=1"));
	order.has_grace = true;
	order.grace_ms = 5000;
	concentrator_drain(f->c, &order);
	fixture_pass(f, 4000);
	assert_int_equal(alice->downs, 0);
	assert_int_equal(shown(f, "staying"), 0);
	fixture_pass(f, 2000);
	assert_int_equal(alice->downs, 1);
	assert_int_equal(alice->why.result, L2TP_STOP_CLEAR);
	assert_non_null(strstr(alice->why.text, "drained"));
	assert_int_equal(shown(f, "closed"), 1);
	assert_true(is_state(f, "drained"));
	fixture_free(f);
}

/* Who is being set up comes up first, and then leaves like the others. */
static void who_is_on_the_way_in_leaves_afterwards(void **state)
{
	struct fixture *f = fixture_new();
	struct drain_order order = order_to("192.0.2.9");
	struct peer *alice;

	fixture_start(f);
	alice = peer_new(f, 2, "alice");
	peer_open(alice);
	fixture_until(f, f->c->count == 1);
	concentrator_drain(f->c, &order);
	fixture_until(f, alice->ups);
	for (int n = 0; n < 100 && !alice->downs; n++)
		fixture_pass(f, 100);
	assert_int_equal(alice->why.error, L2TP_ERROR_TRY_ANOTHER);
	fixture_free(f);
}

static void they_leave_one_after_the_other(void **state)
{
	struct fixture *f = fixture_new();
	struct drain_order order = order_to("192.0.2.9");
	static const char *const users[] = {"alice", "bob", "carol"};

	order.rate = 1;
	fixture_start(f);
	for (int i = 0; i < 3; i++)
		peer_up(f, (uint8_t)(2 + i), users[i]);
	concentrator_drain(f->c, &order);
	fixture_pass(f, 300);
	assert_int_equal(shown(f, "moved"), 1);
	fixture_pass(f, 1000);
	assert_int_equal(shown(f, "moved"), 2);
	fixture_pass(f, 1000);
	assert_int_equal(shown(f, "moved"), 3);
	fixture_pass(f, 40000); /* also their memory */
	assert_int_equal(f->c->count, 0);
	fixture_free(f);
}

static bool reached_at(struct fixture *f, const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, L2TP_PORT, &e), 0);
	return concentrator_is_reached_at(f->c, &e);
}

static void where_it_listens_on_all_addresses_those_of_the_host_are_its_own(void **state)
{
	struct fixture *f = fixture_new();

	fixture_start(f);
	f->c->config.listen_count = 1;
	assert_int_equal(endpoint_parse("192.0.2.1", L2TP_PORT, &f->c->config.listen[0]), 0);
	assert_true(reached_at(f, "192.0.2.1"));
	assert_false(reached_at(f, "192.0.2.1:1702"));
	assert_false(reached_at(f, "127.0.0.1"));
	f->c->config.listen_count = 0;
	assert_true(reached_at(f, "127.0.0.1"));
	assert_false(reached_at(f, "127.0.0.1:1702"));
	assert_false(reached_at(f, "192.0.2.1"));
	fixture_free(f);
}

/* All concentrators may have the same list, and listen on all addresses. */
static void an_address_of_the_host_is_left_out_of_the_redirects(void **state)
{
	struct fixture *f = fixture_new();
	char text[ENDPOINT_TEXT];

	snprintf(text, sizeof(text), "127.0.0.1:%d", 20000 + getpid() % 10000);
	redirect_to(f, text);
	redirect_to(f, "192.0.2.2");
	f->config.listen[0] =
		(struct endpoint){.addr = {.family = AF_INET}, .port = f->config.redirect[0].port};
	fixture_start(f);
	assert_int_equal(f->c->config.redirect_count, 1);
	assert_int_equal(f->c->config.redirect[0].port, L2TP_PORT);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_room_here_is_there),
		cmocka_unit_test(too_many_in_set_up_are_sent_on_too),
		cmocka_unit_test(one_source_that_floods_is_never_sent_on),
		cmocka_unit_test(without_another_of_its_family_it_is_refused_with_the_reason),
		cmocka_unit_test(the_established_leave_in_good_order),
		cmocka_unit_test(it_takes_new_ones_again_when_it_is_told_to),
		cmocka_unit_test(without_a_target_they_stay_or_get_a_grace),
		cmocka_unit_test(who_is_on_the_way_in_leaves_afterwards),
		cmocka_unit_test(they_leave_one_after_the_other),
		cmocka_unit_test(an_address_of_the_host_is_left_out_of_the_redirects),
		cmocka_unit_test(where_it_listens_on_all_addresses_those_of_the_host_are_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

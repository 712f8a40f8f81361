/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The concentrator's policy: who gets in, how many, what strangers hear, and how it ends. */
#include "fixture.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

static unsigned drain(struct peer *p)
{
	uint8_t buf[2048];
	unsigned n = 0;

	while (peer_get(p, buf, sizeof(buf)))
		n++;
	return n;
}

/* ---- coming up ---- */

/* proves: HS-DHCP-5 partial, HS-AAA-9 partial, HS-OAM-4 */
static void a_user_comes_up_with_what_is_hers(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *alice, *liar;
	struct subscriber *sub;

	fixture_start(f);
	assert_int_equal(f->result, 0);
	alice = peer_up(f, 2, "alice");
	sub = f->c->all;
	assert_non_null(sub);
	assert_string_equal(sub->user, "alice");
	assert_true(sub->row->up6 && sub->routed6 && !sub->half_open);
	assert_int_equal(concentrator_half_open(f->c), 0);
	assert_ptr_equal(dp_find_inner(tun_plane_table(f->c->plane), &alice->engine.state.address), sub->row);
	assert_ptr_equal(dp_find_inner(tun_plane_table(f->c->plane),
				 &alice->engine.state.binding.prefixes[0].prefix.addr),
		sub->row);
	assert_true(fixture_logged(f, "event=auth-ok"));
	assert_true(fixture_logged(f, "event=up"));
	assert_true(fixture_logged(f, "event=delegated"));
	liar = peer_new(f, 3, "alice");
	liar->password = "looking-glass";
	peer_open(liar);
	fixture_until(f, fixture_logged(f, "event=auth-failed"));
	softwire_close(alice->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, fixture_logged(f, "event=down"));
	assert_false(fixture_logged(f, "wonderland"));
	fixture_free(f);
}

/* proves: HS-AAA-8 partial, HS-AAA-3 partial, HS-SCEN-11, HS-DHCP-5 partial */
static void a_fixed_prefix_outside_the_pools_gets_a_route_of_its_own(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *carol;
	unsigned routes;
	struct prefix fixed;

	fixture_start(f);
	routes = f->routes_added;
	carol = peer_up(f, 2, "carol");
	assert_int_equal(prefix_parse("2001:db8:ffff:100::/56", &fixed), 0);
	assert_true(prefix_equal(&carol->engine.state.binding.prefixes[0].prefix, &fixed));
	assert_true(carol->engine.softwire.ppp.iid == 0xc);
	assert_int_equal(f->routes_added, routes + 1);
	assert_int_equal(f->routes_removed, 0);
	softwire_close(carol->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, f->routes_removed == 1);
	fixture_until(f, !f->c->all || f->c->all->engine.softwire.step == STEP_CLOSED);
	assert_null(dp_find_inner(tun_plane_table(f->c->plane), &fixed.addr));
	fixture_free(f);
}

static const char *const softwire_fields[] = {"id", "role", "name", "user", "state", "peer", "local", "link6",
	"address6", "delegated", "dns", "families", "mtu", "up_seconds", "setup_ms", "rx6_packets",
	"rx6_bytes", "tx6_packets", "tx6_bytes", "rx4_packets", "rx4_bytes", "tx4_packets", "tx4_bytes",
	"drop_spoofed", "drop_too_big", "drop_other"};
static const char *const tunnel_fields[] = {"id", "role", "name", "user", "peer", "local", "state",
	"local_tunnel", "peer_tunnel", "local_session", "peer_session", "ns", "nr", "window", "in_flight",
	"last_heard_seconds"};
static const char *const lease_fields[] = {"role", "user", "slot", "pool", "link6", "delegated", "duid",
	"iaid", "active", "granted_at", "used_at"};

static void check_shown(json_t *array, const char *const *fields, size_t count)
{
	assert_int_equal(json_array_size(array), 1);
	for (size_t i = 0; i < count; i++)
		if (!json_object_get(json_array_get(array, 0), fields[i]))
			fail_msg("field %s is missing", fields[i]);
	json_decref(array);
}

#define CHECK_SHOWN(array, fields) check_shown(array, fields, sizeof(fields) / sizeof(*(fields)))

static void what_is_shown_has_every_field(void **state)
{
	struct fixture *f = fixture_new();
	json_t *counters;

	fixture_start(f);
	peer_up(f, 2, "alice");
	CHECK_SHOWN(concentrator_show_softwires(f->c, NULL), softwire_fields);
	CHECK_SHOWN(concentrator_show_softwires(f->c, "alice"), softwire_fields);
	CHECK_SHOWN(concentrator_show_tunnels(f->c, "alice"), tunnel_fields);
	CHECK_SHOWN(concentrator_show_leases(f->c, "alice"), lease_fields);
	json_t *nobody = concentrator_show_softwires(f->c, "bob");

	assert_int_equal(json_array_size(nobody), 0);
	json_decref(nobody);
	counters = concentrator_show_counters(f->c);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(counters, "now"), "softwires")), 1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(counters, "concentrator"), "auth_ok")), 1);
	json_decref(counters);
	fixture_free(f);
}

/* proves: HS-PPP-10 partial, HS-OAM-4 partial */
static void the_peer_is_not_told_which_of_name_and_password_was_wrong(void **state)
{
	static const char *const users[] = {"alice", "nobody"};
	char texts[2][160];

	for (int n = 0; n < 2; n++) {
		struct fixture *f = fixture_new();
		struct peer *p;

		fixture_start(f);
		p = peer_new(f, 2, users[n]);
		p->password = "looking-glass";
		peer_open(p);
		fixture_until(f, p->downs);
		fixture_until(f, fixture_logged(f, "event=setup-failed"));
		assert_int_equal(p->why.cause, CAUSE_USER_AUTH);
		snprintf(texts[n], sizeof(texts[n]), "%s", p->why.text);
		assert_int_equal(f->c->role_counters.auth_failed, 1);
		assert_int_equal(lease_count(f->c->leases, NULL), 0);
		assert_true(fixture_logged(f, n ? "unknown user" : "wrong password"));
		assert_false(fixture_logged(f, "looking-glass"));
		fixture_free(f);
	}
	assert_string_equal(texts[0], texts[1]);
}

/* ---- requests ---- */

static void a_repeated_sccrq_makes_no_second_softwire(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = peer_new(f, 2, "alice");
	peer_open(p);
	peer_send(p, p->first, p->first_len);
	peer_send(p, p->first, p->first_len);
	fixture_until(f, p->engine.state.has_binding);
	peer_send(p, p->first, p->first_len);
	fixture_pass(f, 1000);
	assert_int_equal(f->c->count, 1);
	assert_int_equal(f->c->role_counters.sccrq, 1);
	assert_int_equal(p->downs, 0);
	fixture_free(f);
}

/* The same tunnel id from another port is another initiator. */
static void the_same_id_from_elsewhere_is_somebody_else(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p, *q;

	fixture_start(f);
	p = peer_new(f, 2, "alice");
	q = peer_new(f, 2, "bob");
	peer_open(p);
	peer_send(q, p->first, p->first_len);
	fixture_until(f, f->c->count == 2);
	fixture_free(f);
}

struct limit_case {
	const char *text;
	uint32_t softwires, half_open, per_source, waiting, waiting_per_source;
	uint8_t hosts[3];
	unsigned welcome, waits; /* how many of the three */
	uint64_t refused_source;
};

/* proves: SEC-HS-22 partial, HS-L2TP-25 partial */
static void limits_refuse_with_a_reason(void **state)
{
	static const struct limit_case cases[] = {
		{"too many softwires", 1, 100, 100, 100, 100, {2, 3, 4}, 1, 0, 0},
		{"too many tunnels are being set up", 100, 1, 100, 1, 1, {2, 3, 4}, 1, 1, 0},
		{"too many tunnels are being set up from this address", 100, 100, 1, 10, 1, {2, 2, 2}, 1, 1, 1},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();
		struct peer *peers[3];
		unsigned refused = 3 - cases[n].welcome - cases[n].waits;

		f->config.max_softwires = cases[n].softwires;
		f->config.max_half_open = cases[n].half_open;
		f->config.half_open_per_source = cases[n].per_source;
		f->config.max_waiting = cases[n].waiting;
		f->config.waiting_per_source = cases[n].waiting_per_source;
		fixture_start(f);
		for (unsigned i = 0; i < 3; i++) {
			peers[i] = peer_new(f, cases[n].hosts[i], "alice");
			peers[i]->mute = true; /* stays half open */
			peer_open(peers[i]);
			fixture_until(f, f->c->role_counters.sccrq == i + 1);
			fixture_pass(f, 200);
			fixture_pass(f, 200);
		}
		assert_int_equal(f->c->count, cases[n].welcome);
		assert_int_equal(waiting_count(&f->c->admission.waiting), cases[n].waits);
		assert_int_equal(f->c->role_counters.refused_limit, refused);
		assert_int_equal(f->c->role_counters.refused_source, cases[n].refused_source);
		assert_true(fixture_logged(f, cases[n].text));
		peers[2]->mute = false; /* who was refused hears it in its own tunnel */
		fixture_until(f, peers[2]->downs);
		assert_non_null(strstr(peers[2]->why.text, cases[n].text));
		assert_int_equal(peers[2]->why.error, L2TP_ERROR_RESOURCES);
		fixture_free(f);
	}
}

/* Set-up that is never finished is over after a time, and its place is free again. */
static void half_open_tunnels_go_away(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	f->config.half_open_per_source = 1;
	fixture_start(f);
	p = peer_new(f, 2, "alice");
	p->mute = true;
	peer_open(p);
	fixture_until(f, concentrator_half_open(f->c) == 1);
	softwire_done(p->softwire);
	p->softwire = NULL;
	fixture_pass(f, 120000);
	assert_int_equal(concentrator_half_open(f->c), 0);
	assert_int_equal(f->c->count, 0);
	peer_up(f, 2, "bob");
	fixture_free(f);
}

/* ---- strays ---- */

static const uint8_t stray_hello[] = {
	0xc8, 2, 0, 20, 0x7a, 0x7a, 0, 0, 0, 5, 0, 5, 0x80, 8, 0, 0, 0, 0, 0, 6};
static const uint8_t stray_zlb[] = {0xc8, 2, 0, 12, 0x7a, 0x7a, 0, 0, 0, 5, 0, 5};
static const uint8_t stray_data[] = {0, 2, 0x7a, 0x7a, 0, 1, 0xff, 3, 0, 0x57, 0x60};
static const uint8_t stray_stop[] = {0xc8, 2, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 4, 0x80,
	8, 0, 0, 0, 9, 0x12, 0x34, 0x80, 8, 0, 0, 0, 1, 0, 1};

/* proves: SEC-HS-22 partial */
static void strays_are_answered_a_few_times(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = peer_new(f, 2, "nobody");
	for (int n = 0; n < 50; n++)
		peer_send(p, stray_hello, sizeof(stray_hello));
	fixture_until(f, f->c->role_counters.strays == 50);
	fixture_pass(f, 0);
	assert_in_range(f->c->role_counters.stray_replies, 1, 7);
	assert_int_equal(f->c->role_counters.strays_suppressed, 50 - f->c->role_counters.stray_replies);
	fixture_round(f);
	assert_int_equal(peer_reply_type(p), L2TP_STOPCCN);
	assert_int_equal(drain(p) + 1, f->c->role_counters.stray_replies);
	fixture_pass(f, 10000); /* and again later */
	peer_send(p, stray_data, sizeof(stray_data));
	fixture_until(f, f->c->role_counters.strays == 51);
	fixture_pass(f, 10);
	assert_int_equal(peer_reply_type(p), L2TP_STOPCCN);
	fixture_free(f);
}

/* Two ends that answered these would talk for ever. */
static void acknowledgements_and_stopccns_are_never_answered(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = peer_new(f, 2, "nobody");
	peer_send(p, stray_zlb, sizeof(stray_zlb));
	peer_send(p, stray_stop, sizeof(stray_stop));
	peer_send(p, stray_stop, 7);
	peer_send(p, "", 0);
	fixture_pass(f, 1000);
	assert_int_equal(drain(p), 0);
	assert_int_equal(f->c->role_counters.strays, 0);
	assert_int_equal(f->c->count, 0);
	fixture_free(f);
}

/* A peer that has moved gets a hint; its softwire does not follow it (RFC 2661 section 8.1). */
static void a_softwire_does_not_follow_a_new_address(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p, *thief;
	uint8_t hello[sizeof(stray_hello)];
	uint16_t id;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	thief = peer_new(f, 3, "alice");
	memcpy(hello, stray_hello, sizeof(hello));
	id = f->c->all->row->local_tunnel;
	hello[4] = (uint8_t)(id >> 8);
	hello[5] = (uint8_t)id;
	peer_send(thief, hello, sizeof(hello));
	fixture_until(f, f->c->role_counters.strays == 1);
	fixture_pass(f, 10);
	assert_int_equal(peer_reply_type(thief), L2TP_STOPCCN);
	fixture_pass(f, 1000);
	assert_int_equal(p->downs, 0);
	assert_int_equal(f->c->all->row->peer.addr.bytes[3], 2);
	fixture_free(f);
}

/* ---- how many a user may have ---- */

/* proves: HS-PROV-1 partial */
static void a_new_softwire_replaces_the_old_one_and_keeps_its_prefix(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *old, *new;
	struct prefix before;

	fixture_start(f);
	old = peer_up(f, 2, "alice");
	before = old->engine.state.binding.prefixes[0].prefix;
	new = peer_up(f, 3, "alice");
	fixture_until(f, old->downs);
	assert_non_null(strstr(old->why.text, "replaced"));
	assert_true(prefix_equal(&before, &new->engine.state.binding.prefixes[0].prefix));
	assert_int_equal(f->c->role_counters.replaced, 1);
	assert_int_equal(lease_count(f->c->leases, NULL), 1);
	assert_int_equal(new->downs, 0);
	fixture_free(f);
}

static void or_is_refused_where_that_is_configured(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *old, *new;

	f->config.replace_softwires = false;
	fixture_start(f);
	old = peer_up(f, 2, "alice");
	new = peer_new(f, 3, "alice");
	peer_open(new);
	fixture_until(f, new->downs);
	assert_non_null(strstr(new->why.text, "as many softwires as it may"));
	assert_int_equal(old->downs, 0);
	assert_int_equal(f->c->role_counters.replaced, 0);
	fixture_free(f);
}

static void a_user_with_two_slots_has_two_prefixes(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *a, *b, *c;

	fixture_start(f);
	a = peer_up(f, 2, "bob");
	b = peer_up(f, 3, "bob");
	assert_int_equal(a->downs + b->downs, 0);
	assert_false(prefix_equal(
		&a->engine.state.binding.prefixes[0].prefix, &b->engine.state.binding.prefixes[0].prefix));
	c = peer_up(f, 4, "bob");
	fixture_until(f, a->downs); /* the oldest */
	assert_int_equal(b->downs + c->downs, 0);
	assert_int_equal(lease_count(f->c->leases, NULL), 2);
	fixture_free(f);
}

/* LCP again while the lease is on its way: the user must not replace herself. */
static void a_new_lcp_does_not_replace_ones_own_softwire(void **state)
{
	static const uint8_t lcp[] = {1, 99, 0, 14, 1, 4, 5, 0xb4, 5, 6, 1, 2, 3, 4};

	for (int n = 0; n < 2; n++) {
		struct fixture *f = fixture_new();
		struct peer *p;
		uint8_t frame[SOFTWIRE_DATA_HEADER + sizeof(lcp)];

		fixture_start(f);
		if (n) {
			p = peer_up(f, 2, "alice");
		} else {
			p = peer_new(f, 2, "alice");
			peer_open(p);
			fixture_until(f, f->c->all && f->c->all->engine.softwire.step >= STEP_LEASE);
		}
		softwire_data_header(
			frame, p->softwire->tunnel.peer_tunnel, p->softwire->tunnel.peer_session, PPP_LCP);
		memcpy(frame + SOFTWIRE_DATA_HEADER, lcp, sizeof(lcp));
		peer_send(p, frame, sizeof(frame));
		fixture_pass(f, 20000);
		fixture_until(f, p->engine.state.has_binding);
		assert_int_equal(p->downs, 0);
		assert_int_equal(f->c->role_counters.replaced, 0);
		assert_int_equal(f->c->count, 1);
		fixture_free(f);
	}
}

/* ---- operation ---- */

static void a_user_that_is_gone_loses_the_softwire_at_reload(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *alice, *bob;
	struct concentrator_config config;

	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	bob = peer_up(f, 3, "bob");
	fixture_users(f, "users = { bob = { secret = \"wonderland\"; softwires = 2; }; };\n");
	config = f->config;
	assert_int_equal(fixture_reload(f, &config), 0);
	fixture_until(f, alice->downs);
	fixture_pass(f, 1000);
	assert_int_equal(bob->downs, 0);
	assert_true(fixture_logged(f, "event=reloaded"));
	fixture_free(f);
}

static void a_users_file_with_errors_changes_nothing(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *alice;
	struct concentrator_config config;

	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	fixture_users(f, "users = { bob = { sekret = \"x\"; }; };\n");
	config = f->config;
	assert_int_equal(fixture_reload(f, &config), -EINVAL);
	fixture_pass(f, 1000);
	assert_int_equal(alice->downs, 0);
	assert_true(fixture_logged(f, "users.conf:1: "));
	fixture_free(f);
}

static void limits_change_with_a_reload(void **state)
{
	struct fixture *f = fixture_new();
	struct concentrator_config config;
	struct peer *p;

	fixture_start(f);
	peer_up(f, 2, "alice");
	config = f->config;
	config.max_softwires = 1;
	assert_int_equal(fixture_reload(f, &config), 0);
	p = peer_new(f, 3, "bob");
	peer_open(p);
	fixture_until(f, p->downs);
	assert_non_null(strstr(p->why.text, "too many softwires"));
	fixture_free(f);
}

static void clear_and_forget(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *alice;

	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	assert_int_equal(concentrator_clear(f->c, "bob", 0), 0);
	assert_int_equal(concentrator_clear(f->c, "alice", 0), 1);
	assert_int_equal(concentrator_clear(f->c, "alice", 0), 0);
	fixture_until(f, alice->downs);
	assert_non_null(strstr(alice->why.text, "cleared by the operator"));
	alice = peer_up(f, 3, "alice");
	assert_int_equal(concentrator_forget(f->c, "alice"), 1);
	fixture_until(f, alice->downs);
	fixture_until(f, lease_count(f->c->leases, NULL) == 0);
	fixture_free(f);
}

/* As before the database is open, when the control socket may be there already. */
static void without_leases_there_is_none_to_forget(void **state)
{
	struct fixture *f = fixture_new();

	snprintf(f->config.lease_path, sizeof(f->config.lease_path), "/nonexistent/leases.db");
	fixture_start(f);
	assert_true(f->result < 0);
	assert_int_equal(concentrator_forget(f->c, "alice"), 0);
	fixture_free(f);
}

static unsigned events;

static void count_event(void *owner, json_t *event)
{
	assert_string_equal(json_string_value(json_object_get(event, "event")), "trace");
	events++;
	json_decref(event);
}

static void a_trace_shows_one_user(void **state)
{
	struct fixture *f = fixture_new();

	events = 0;
	fixture_start(f);
	concentrator_trace(f->c, "alice", count_event, NULL);
	peer_up(f, 2, "bob");
	assert_int_equal(events, 0);
	peer_up(f, 3, "alice");
	assert_true(events > 5);
	concentrator_trace(f->c, NULL, NULL, NULL);
	events = 0;
	fixture_pass(f, 200000);
	assert_int_equal(events, 0);
	fixture_free(f);
}

/* ---- the end ---- */

/* proves: HS-L2TP-33 partial */
static void stop_says_goodbye_to_everybody(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *alice, *bob;
	msec start;

	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	bob = peer_up(f, 3, "bob");
	start = loop_now(&f->loop);
	fixture_stop(f);
	assert_true(loop_now(&f->loop) - start < 1500); /* both have acknowledged: nobody waits for 2 s */
	fixture_pass(f, 100);
	assert_int_equal(alice->downs, 1);
	assert_int_equal(bob->downs, 1);
	assert_non_null(strstr(alice->why.text, "shuts down"));
	fixture_free(f);
}

static void stop_does_not_wait_for_the_dead(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *alice;
	msec start;

	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	alice->mute = true;
	start = loop_now(&f->loop);
	fixture_stop(f);
	assert_in_range(loop_now(&f->loop) - start, 1900, 4000);
	fixture_free(f);
}

/* Answers of users and leases are on their way when everything ends, at whatever step: nothing is left, nothing is touched afterwards. */
static void it_may_end_at_any_moment(void **state)
{
	for (int rounds = 0; rounds < 40; rounds++) {
		struct fixture *f = fixture_new();
		struct peer *p;

		fixture_start(f);
		p = peer_new(f, 2, "alice");
		peer_open(p);
		peer_open(peer_new(f, 3, "alice"));
		for (int n = 0; n < rounds; n++)
			fixture_round(f);
		if (rounds % 2) {
			size_t active = 1;

			while (waiting_count(&f->c->admission.waiting)) /* softwires are cleared, not wishes */
				fixture_round(f);
			concentrator_clear(f->c, NULL, 0);
			for (int n = 0; n < 100; n++)
				fixture_round(f);
			lease_count(f->c->leases, &active);
			assert_int_equal(active, 0); /* whatever was on its way: no lease stays with somebody who is gone */
		}
		fixture_stop(f);
		fixture_free(f);
	}
}

static void a_socket_that_cannot_be_had_fails_the_start(void **state)
{
	struct fixture *f = fixture_new();

	f->fail_udp = -EACCES;
	fixture_start(f);
	assert_int_equal(f->result, -EACCES);
	assert_true(fixture_logged(f, "event=start-failed"));
	fixture_free(f);
}

/* A daemon that was killed a moment ago may still hold the port. */
static void a_socket_that_somebody_has_is_asked_for_again(void **state)
{
	struct fixture *f = fixture_new();

	f->fail_udp = -EADDRINUSE;
	fixture_begin(f);
	fixture_pass(f, 500);
	assert_false(f->started && f->result == 0);
	f->fail_udp = 0;
	fixture_pass(f, 3000);
	assert_true(f->started);
	assert_int_equal(f->result, 0);
	fixture_free(f);
}

static void a_users_file_with_errors_fails_the_start(void **state)
{
	struct fixture *f = fixture_new();

	fixture_users(f, "users = {");
	fixture_start(f);
	assert_true(f->result < 0);
	assert_true(fixture_logged(f, "event=users-error"));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_comes_up_with_what_is_hers),
		cmocka_unit_test(a_fixed_prefix_outside_the_pools_gets_a_route_of_its_own),
		cmocka_unit_test(what_is_shown_has_every_field),
		cmocka_unit_test(the_peer_is_not_told_which_of_name_and_password_was_wrong),
		cmocka_unit_test(a_repeated_sccrq_makes_no_second_softwire),
		cmocka_unit_test(the_same_id_from_elsewhere_is_somebody_else),
		cmocka_unit_test(limits_refuse_with_a_reason),
		cmocka_unit_test(half_open_tunnels_go_away),
		cmocka_unit_test(strays_are_answered_a_few_times),
		cmocka_unit_test(acknowledgements_and_stopccns_are_never_answered),
		cmocka_unit_test(a_softwire_does_not_follow_a_new_address),
		cmocka_unit_test(a_new_softwire_replaces_the_old_one_and_keeps_its_prefix),
		cmocka_unit_test(or_is_refused_where_that_is_configured),
		cmocka_unit_test(a_user_with_two_slots_has_two_prefixes),
		cmocka_unit_test(a_new_lcp_does_not_replace_ones_own_softwire),
		cmocka_unit_test(a_user_that_is_gone_loses_the_softwire_at_reload),
		cmocka_unit_test(a_users_file_with_errors_changes_nothing),
		cmocka_unit_test(limits_change_with_a_reload),
		cmocka_unit_test(clear_and_forget),
		cmocka_unit_test(without_leases_there_is_none_to_forget),
		cmocka_unit_test(a_trace_shows_one_user),
		cmocka_unit_test(stop_says_goodbye_to_everybody),
		cmocka_unit_test(stop_does_not_wait_for_the_dead),
		cmocka_unit_test(it_may_end_at_any_moment),
		cmocka_unit_test(a_socket_that_cannot_be_had_fails_the_start),
		cmocka_unit_test(a_socket_that_somebody_has_is_asked_for_again),
		cmocka_unit_test(a_users_file_with_errors_fails_the_start),
	};

	return cmocka_run_group_tests_name("concentrator", tests, NULL, NULL);
}

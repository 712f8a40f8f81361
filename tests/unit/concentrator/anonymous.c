/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Service for those who do not say who they are: off unless it is switched on, apart from users, filtered and logged. */
#include "fixture.h"

#include <jansson.h>

static struct fixture *with_guests(void)
{
	struct fixture *f = fixture_new();
	struct concentrator_pool_config *pool = &f->config.pools[f->config.pool_count++];

	*pool = (struct concentrator_pool_config){.preferred = 600, .valid = 1200};
	snprintf(pool->lease.name, sizeof(pool->lease.name), "guests");
	pool->lease.link6 = fixture_prefix("2001:db8:6e57::/48");
	pool->lease.temporary = true;
	snprintf(f->config.anonymous_pool, sizeof(f->config.anonymous_pool), "guests");
	return f;
}

/* Refuses to authenticate, and asks for no prefix. */
static struct peer *guest_new(struct fixture *f, uint8_t host)
{
	struct peer *p = peer_new(f, host, "guest");

	p->config.ppp.give_auth = false;
	p->config.dhcp6_client.want_prefix = false;
	return p;
}

static struct peer *guest_up(struct fixture *f, uint8_t host)
{
	struct peer *p = guest_new(f, host);

	peer_open(p);
	fixture_until(f, p->downs || p->engine.state.has_address);
	assert_int_equal(p->downs, 0);
	return p;
}

static json_int_t counter(struct fixture *f, const char *group, const char *name)
{
	json_t *all = concentrator_show_counters(f->c),
	       *one = json_object_get(json_object_get(all, group), name);
	json_int_t value = json_integer_value(one);

	assert_true(json_is_integer(one));
	json_decref(all);
	return value;
}

/* ---- the switch ---- */

/* proves: HS-PPP-14 partial, SEC-HS-14 partial, HS-PPP-13 partial */
static void nobody_comes_in_without_a_name_unless_that_is_switched_on(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = guest_new(f, 2);
	peer_open(p);
	fixture_until(f, p->downs);
	assert_int_equal(p->ups, 0);
	fixture_until(f, fixture_logged(f, "event=setup-failed"));
	assert_int_equal(lease_count(f->c->leases, NULL), 0);
	fixture_free(f);
}

/* proves: HS-PPP-14 partial, HS-PROV-2 partial */
static void who_refuses_to_authenticate_gets_the_guests_pool(void **state)
{
	struct fixture *f = with_guests();
	struct prefix guests = fixture_prefix("2001:db8:6e57::/48");
	struct peer *p;
	struct subscriber *sub;

	fixture_start(f);
	p = guest_up(f, 2);
	sub = f->c->all;
	assert_string_equal(sub->user, "anonymous/1");
	assert_true(sub->anonymous);
	assert_true(prefix_contains_addr(&guests, &p->engine.state.address));
	assert_int_equal(counter(f, "concentrator", "anonymous"), 1);
	assert_int_equal(counter(f, "now", "anonymous"), 1);
	assert_int_equal(counter(f, "concentrator", "auth_ok"), 0);
	fixture_free(f);
}

/* proves: HS-PPP-14 partial */
static void users_are_asked_all_the_same_and_get_what_is_theirs(void **state)
{
	struct fixture *f = with_guests();
	struct prefix theirs = fixture_prefix("2001:db8:100::/48");
	struct peer *p, *liar;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	assert_string_equal(f->c->all->user, "alice");
	assert_false(f->c->all->anonymous);
	assert_true(prefix_contains_addr(&theirs, &p->engine.state.address));
	liar = peer_new(f, 3, "alice"); /* who claims a name has to prove it */
	liar->password = "looking-glass";
	peer_open(liar);
	fixture_until(f, liar->downs);
	assert_int_equal(liar->ups, 0);
	assert_int_equal(counter(f, "concentrator", "anonymous"), 0);
	fixture_free(f);
}

/* The names of softwires without a user are ours. */
static void a_user_cannot_be_called_like_a_guest(void **state)
{
	struct fixture *f = with_guests();
	struct peer *p;

	fixture_users(f, "users = ( { name = \"anonymous/1\"; secret = \"wonderland\"; } );\n");
	fixture_start(f);
	assert_true(f->result < 0);
	fixture_free(f);

	f = with_guests();
	fixture_start(f);
	guest_up(f, 2);
	p = peer_new(f, 3, "anonymous/1");
	peer_open(p);
	fixture_until(f, p->downs);
	assert_int_equal(f->c->anonymous_count, 1);
	fixture_free(f);
}

/* proves: SEC-HS-15 */
static void with_authentication_off_nobody_is_asked(void **state)
{
	struct fixture *f = with_guests();

	f->config.auth[0] = 0;
	f->config.users_path[0] = '\0';
	fixture_start(f);
	assert_int_equal(f->result, 0);
	assert_true(fixture_logged(f, "nobody is asked who it is"));
	guest_up(f, 2);
	peer_new(f, 3, "alice"); /* would authenticate, if asked */
	f->peers->config.dhcp6_client.want_prefix = false;
	peer_open(f->peers);
	fixture_until(f, f->peers->engine.state.has_address);
	assert_int_equal(f->c->anonymous_count, 2);
	assert_int_equal(counter(f, "concentrator", "auth_ok"), 0);
	fixture_free(f);
}

static void expect_refusal(struct fixture *f, uint8_t host)
{
	struct peer *p = guest_new(f, host);

	peer_open(p);
	fixture_until(f, p->downs);
	assert_int_equal(p->ups, 0);
}

/* proves: HS-PPP-14 */
static void a_reload_switches_it_on_and_off(void **state)
{
	struct fixture *f = with_guests();
	struct concentrator_config config = f->config;
	struct peer *guest, *alice;

	f->config.anonymous_pool[0] = '\0';
	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	expect_refusal(f, 3);
	fixture_reload(f, &config);
	guest = guest_up(f, 4);
	fixture_reload(f, &f->config);
	fixture_until(f, guest->downs);
	assert_non_null(strstr(guest->why.text, "without a user has ended"));
	expect_refusal(f, 5);
	assert_int_equal(alice->downs, 0);
	assert_int_equal(f->c->anonymous_count, 0);
	fixture_free(f);
}

/* ---- how many, and what stays ---- */

static void there_are_as_many_as_the_operator_allows(void **state)
{
	struct fixture *f = with_guests();
	struct peer *first, *second;

	f->config.anonymous_max = 1;
	fixture_start(f);
	first = guest_up(f, 2);
	second = guest_new(f, 3);
	peer_open(second);
	fixture_until(f, second->downs);
	assert_non_null(strstr(second->why.text, "too many softwires without a user"));
	assert_int_equal(counter(f, "concentrator", "refused_anonymous"), 1);
	peer_up(f, 4, "alice"); /* users do not count */
	softwire_close(first->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, f->c->anonymous_count == 0);
	guest_up(f, 5);
	fixture_free(f);
}

/* proves: HS-PROV-2 partial */
static void nothing_stays_of_a_guest(void **state)
{
	for (int temporary = 0; temporary < 2; temporary++) {
		struct fixture *f = with_guests();
		struct peer *p;

		f->config.pools[1].lease.temporary = temporary;
		fixture_start(f);
		p = guest_up(f, 2);
		assert_int_equal(lease_count(f->c->leases, NULL), 1);
		softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
		fixture_until(f, lease_count(f->c->leases, NULL) == 0);
		fixture_free(f);
	}
}

static unsigned events;

static void count_event(void *owner, json_t *event)
{
	events++;
	json_decref(event);
}

static void a_guest_can_be_cleared_and_traced_by_its_name(void **state)
{
	struct fixture *f = with_guests();
	struct peer *p;

	events = 0;
	fixture_start(f);
	concentrator_trace(f->c, "anonymous/1", count_event, NULL);
	p = guest_up(f, 2);
	assert_true(events > 10); /* from the first packet on */
	fixture_pass(f, 2000);
	events = 0;
	guest_up(f, 3);
	assert_int_equal(events, 0);
	assert_int_equal(concentrator_clear(f->c, "anonymous/1", 0), 1);
	fixture_until(f, p->downs);
	concentrator_trace(f->c, NULL, NULL, NULL);
	fixture_free(f);
}

/* ---- security ---- */

/* A packet of P from SOURCE, to somewhere. */
static void send_inner(struct peer *p, const struct addr *source)
{
	uint8_t packet[SOFTWIRE_DATA_HEADER + 48] = {0};
	uint8_t *ip = packet + SOFTWIRE_DATA_HEADER;
	struct addr to = fixture_addr("2001:db8:7777::1");

	softwire_data_header(
		packet, p->softwire->tunnel.peer_tunnel, p->softwire->tunnel.peer_session, PPP_IPV6);
	ip[0] = 0x60;
	ip[5] = 8;
	ip[6] = 59; /* no next header */
	ip[7] = 64;
	memcpy(ip + 8, source->bytes, 16);
	memcpy(ip + 24, to.bytes, 16);
	peer_send(p, packet, sizeof(packet));
}

/* proves: SEC-HS-17 partial, SEC-HS-20 partial */
static void guests_are_filtered_also_where_the_filter_is_off(void **state)
{
	struct fixture *f = with_guests();
	struct addr foreign = fixture_addr("2001:db8:dead::1");
	struct peer *guest, *alice;
	struct dp_counters *counters;

	f->config.ingress_filter = false;
	fixture_start(f);
	guest = guest_up(f, 2);
	alice = peer_up(f, 3, "alice");
	counters = tun_plane_counters(f->c->plane);
	send_inner(alice, &foreign);
	fixture_pass(f, 10);
	assert_int_equal(counters->drop_spoofed, 0);
	send_inner(guest, &guest->engine.state.address);
	fixture_pass(f, 10);
	assert_int_equal(counters->drop_spoofed, 0);
	send_inner(guest, &foreign);
	fixture_until(f, counters->drop_spoofed == 1);
	fixture_free(f);
}

/* proves: SEC-HS-17, HS-OAM-4 partial */
static void guests_are_filtered_and_all_they_get_is_logged(void **state)
{
	struct fixture *f = with_guests();
	struct addr foreign = fixture_addr("2001:db8:dead::1");
	char up[256], down[256], link[PREFIX_TEXT], peer[ENDPOINT_TEXT];
	struct peer *p;

	f->config.ingress_filter = false;
	f->config.pools[1].lease.delegate_from = fixture_prefix("2001:db8:9000::/40");
	f->config.pools[1].lease.delegate_len = 64;
	f->log.level = LEVEL_INFO;
	fixture_start(f);
	assert_true(fixture_logged(f, "who refuses to authenticate gets addresses"));
	p = guest_up(f, 2);
	prefix_print(&f->c->all->engine.lease->link6, link);
	endpoint_print(&f->c->all->row->peer, peer);
	snprintf(up, sizeof(up),
		"event=up softwire=1 user=anonymous/1 peer=%s family=ipv6 link6=%s delegated=2001:db8:90",
		peer, link);
	assert_true(fixture_logged(f, "event=anonymous softwire=1"));
	assert_true(fixture_logged(f, up));
	send_inner(p, &foreign);
	fixture_until(f, f->c->all->row->drop_spoofed == 1);
	softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	snprintf(down, sizeof(down), "event=down softwire=1 user=anonymous/1 peer=%s ", peer);
	fixture_until(f, fixture_logged(f, down));
	assert_non_null(strstr(strstr(f->lines, down), link));
	fixture_free(f);
}

/* LCP once more, but this time without a name: the addresses are the user's. */
/* proves: SEC-HS-21 partial */
static void nobody_takes_over_the_softwire_of_a_user(void **state)
{
	static const uint8_t lcp[] = {1, 99, 0, 14, 1, 4, 5, 0xb4, 5, 6, 1, 2, 3, 4};
	uint8_t frame[SOFTWIRE_DATA_HEADER + sizeof(lcp)];
	struct fixture *f = with_guests();
	struct peer *p;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	p->config.ppp.give_auth = false;
	softwire_data_header(
		frame, p->softwire->tunnel.peer_tunnel, p->softwire->tunnel.peer_session, PPP_LCP);
	memcpy(frame + SOFTWIRE_DATA_HEADER, lcp, sizeof(lcp));
	peer_send(p, frame, sizeof(frame));
	for (int n = 0; n < 100 && !p->downs; n++)
		fixture_pass(f, 250);
	assert_int_equal(p->downs, 1);
	assert_true(fixture_logged(f, "the peer refuses to authenticate again"));
	assert_false(f->c->all && (f->c->all->row->up6 || f->c->all->row->up4));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_comes_in_without_a_name_unless_that_is_switched_on),
		cmocka_unit_test(who_refuses_to_authenticate_gets_the_guests_pool),
		cmocka_unit_test(users_are_asked_all_the_same_and_get_what_is_theirs),
		cmocka_unit_test(a_user_cannot_be_called_like_a_guest),
		cmocka_unit_test(with_authentication_off_nobody_is_asked),
		cmocka_unit_test(a_reload_switches_it_on_and_off),
		cmocka_unit_test(there_are_as_many_as_the_operator_allows),
		cmocka_unit_test(nothing_stays_of_a_guest),
		cmocka_unit_test(a_guest_can_be_cleared_and_traced_by_its_name),
		cmocka_unit_test(guests_are_filtered_also_where_the_filter_is_off),
		cmocka_unit_test(guests_are_filtered_and_all_they_get_is_logged),
		cmocka_unit_test(nobody_takes_over_the_softwire_of_a_user),
	};

	return cmocka_run_group_tests_name("anonymous", tests, NULL, NULL);
}

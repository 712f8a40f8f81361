/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes that outlive their session (RFC 4724, RFC 8538), and routes that are told again (RFC 2918, RFC 7313). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "told.h"

static const char *const four = "198.51.100.0/24", *const other_four = "203.0.113.0/24",
			 *const six = "2001:db8:6::/48";

/* A hand that knows graceful restart, for what it says; with two routes of IPv4 and one of IPv6, and through with telling. */
static void tell_all(struct hand *t)
{
	told_announce(t, four);
	told_announce(t, other_four);
	told_announce(t, six);
	told_end_of_rib(t, BGP_IPV4);
	told_end_of_rib(t, BGP_IPV6);
	wire_run(&t->w, 10);
	assert_string_equal(told_fate(t, four), "there");
	assert_string_equal(told_fate(t, six), "there");
}

static void begin(struct hand *t, bgp_families graceful, bool notification)
{
	hand_init(t);
	t->open.capabilities.graceful = graceful != 0;
	t->open.capabilities.graceful_families = graceful;
	t->open.capabilities.notification = notification;
	t->open.capabilities.restart_time = 60;
	hand_reach(t, BGP_ESTABLISHED);
	tell_all(t);
}

/* It comes back as the speaker's attempt finds it, and says OPEN and KEEPALIVE. */
static void come_back(struct hand *t, bgp_families preserved)
{
	for (unsigned i = 0; i < 1000 && !(t->e = wire_end_of(t->h, t->s)); i++)
		wire_run(&t->w, 10);
	assert_non_null(t->e);
	t->open.capabilities.restarted = true;
	t->open.capabilities.preserved = preserved;
	hand_send_open(t);
	hand_send_keepalive(t);
	wire_run(&t->w, 10);
	assert_int_equal(t->n->state, BGP_ESTABLISHED);
}

/* It goes away and does nothing: where the speaker connects to, nobody answers. */
static void go_away(struct hand *t)
{
	wire_close(t->e);
	t->h->refuses = true;
	wire_run(&t->w, 10);
	assert_int_not_equal(t->n->state, BGP_ESTABLISHED);
}

enum { BOTH = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6) };

static void routes_of_a_peer_that_restarts_stay_for_the_time_that_it_named(void **state)
{
	struct hand t;
	const struct wire_event *e;

	(void)state;
	begin(&t, BOTH, false);
	go_away(&t);
	assert_string_equal(told_fate(&t, four), "stale");
	assert_string_equal(told_fate(&t, six), "stale");
	assert_int_equal(wire_count(t.s, BGP_EVENT_STALE), 2);
	assert_non_null(rib_best(bgp_rib(t.s->bgp, BGP_IPV4),
		rib_find(bgp_rib(t.s->bgp, BGP_IPV4),
			&(struct prefix){addr4(198, 51, 100, 0), 24}))); /* and are in use */
	wire_run(&t.w, 59900);
	assert_string_equal(told_fate(&t, four), "stale");
	wire_run(&t.w, 200);
	assert_string_equal(told_fate(&t, four), "gone");
	assert_string_equal(told_fate(&t, six), "gone");
	e = wire_last(t.s, BGP_EVENT_STALE);
	assert_true(e->final && e->family == BGP_IPV6 && e->count == 1);
	hand_done(&t);
}

static void without_graceful_restart_they_go_at_once_and_before_it_comes_again(void **state)
{
	struct hand t;
	struct bgp_neighbor_view v;

	(void)state;
	begin(&t, 0, false);
	t.s->slice = 0; /* the work waits */
	wire_close(t.e);
	wire_run(&t.w, 2);
	assert_string_equal(told_fate(&t, four), "there");
	bgp_neighbor_view(t.n, &v);
	assert_true(v.flushing);
	assert_string_equal(v.waiting, "its old routes are being removed");
	assert_null(bgp_accept(t.n, t.w.now));
	t.s->slice = 2;
	wire_run(&t.w, 2);
	assert_string_equal(told_fate(&t, four), "gone");
	assert_string_equal(told_fate(&t, six), "gone");
	assert_int_equal(t.n->table[BGP_IPV4].received, 0);
	assert_int_equal(t.n->state, BGP_ACTIVE);
	hand_done(&t);
}

static void what_is_not_told_again_goes_with_end_of_rib(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BOTH, false);
	wire_close(t.e);
	wire_run(&t.w, 5);
	come_back(&t, BOTH);
	assert_string_equal(told_fate(&t, four), "stale");
	told_announce(&t, four);
	wire_run(&t.w, 10);
	assert_string_equal(told_fate(&t, four), "there");
	assert_string_equal(told_fate(&t, other_four), "stale");
	told_end_of_rib(&t, BGP_IPV4);
	wire_run(&t.w, 10);
	assert_string_equal(told_fate(&t, four), "there");
	assert_string_equal(told_fate(&t, other_four), "gone");
	assert_string_equal(told_fate(&t, six), "stale"); /* each family by itself */
	told_end_of_rib(&t, BGP_IPV6);
	wire_run(&t.w, 10);
	assert_string_equal(told_fate(&t, six), "gone");
	assert_int_equal(t.n->table[BGP_IPV4].received, 1);
	assert_int_equal(t.n->table[BGP_IPV4].stale, 0);
	hand_done(&t);
}

static void who_forgot_how_to_forward_loses_its_routes_when_it_is_back(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BOTH, false);
	wire_close(t.e);
	wire_run(&t.w, 5);
	come_back(&t, BGP_FAMILY_BIT(BGP_IPV6));
	assert_string_equal(told_fate(&t, four), "gone");
	assert_string_equal(told_fate(&t, six), "stale");
	hand_done(&t);
}

static void who_comes_back_without_the_capability_or_a_family_too(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		struct hand t;

		begin(&t, BOTH, false);
		wire_close(t.e);
		wire_run(&t.w, 5);
		if (way == 0)
			t.open.capabilities.graceful = false, t.open.capabilities.graceful_families = 0;
		if (way == 1)
			t.open.capabilities.graceful_families = BGP_FAMILY_BIT(BGP_IPV6);
		if (way == 2)
			t.open.capabilities.families = BGP_FAMILY_BIT(BGP_IPV6);
		come_back(&t, way == 0 ? 0 : BGP_FAMILY_BIT(BGP_IPV6));
		assert_string_equal(told_fate(&t, four), "gone");
		assert_string_equal(told_fate(&t, six), way == 0 ? "gone" : "stale");
		hand_done(&t);
	}
}

static void stale_routes_are_not_kept_for_ever(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BOTH, false);
	wire_close(t.e);
	wire_run(&t.w, 5);
	come_back(&t, BOTH);
	told_announce(&t, four);
	for (unsigned i = 0; i < 179; i++) {
		hand_send_keepalive(&t);
		wire_run(&t.w, 1000);
	}
	assert_string_equal(told_fate(&t, other_four), "stale");
	wire_run(&t.w, 1500);
	assert_string_equal(told_fate(&t, other_four), "gone");
	assert_string_equal(told_fate(&t, four), "there");
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	hand_done(&t);
}

static void of_families_that_are_not_listed_nothing_stays(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BGP_FAMILY_BIT(BGP_IPV6), false);
	go_away(&t);
	assert_string_equal(told_fate(&t, four), "gone");
	assert_string_equal(told_fate(&t, six), "stale");
	hand_done(&t);
}

/* RFC 4724 section 4.2: what was stale already goes; RFC 8538 section 4.1: where that was agreed on, it stays. */
static void a_second_restart_deletes_what_the_first_left_stale(void **state)
{
	(void)state;
	for (unsigned notification = 0; notification < 2; notification++) {
		struct hand t;

		begin(&t, BOTH, notification);
		wire_close(t.e);
		wire_run(&t.w, 5);
		come_back(&t, BOTH);
		told_announce(&t, four);
		wire_run(&t.w, 5);
		go_away(&t);
		assert_string_equal(told_fate(&t, four), "stale");
		assert_string_equal(told_fate(&t, other_four), notification ? "stale" : "gone");
		hand_done(&t);
	}
}

/* Others were told its routes with its identifier (RFC 4456): they have to hear of them again, though nothing else is different. */
static void who_comes_back_with_another_identifier_begins_anew(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BOTH, true);
	wire_close(t.e);
	wire_run(&t.w, 5);
	t.open.id += 7;
	come_back(&t, BOTH);
	assert_string_equal(told_fate(&t, four), "gone");
	assert_string_equal(told_fate(&t, six), "gone");
	told_announce(&t, four);
	wire_run(&t.w, 5);
	assert_string_equal(told_fate(&t, four), "there");
	hand_done(&t);
}

/* RFC 8538 sections 4.1 and 9: it comes back again and again, tells one of its routes, and breaks off before it is through. */
static void restarts_without_end_keep_nothing_for_ever(void **state)
{
	struct hand t;
	msec start;

	(void)state;
	begin(&t, BOTH, true);
	start = t.w.now;
	while (t.w.now < start + 240000) {
		const struct bgp_neighbor_table *table = &t.n->table[BGP_IPV4];

		wire_close(t.e);
		wire_run(&t.w, 5);
		assert_int_equal(table->stale, table->received);
		if (t.w.now < start + 170000)
			assert_string_equal(told_fate(&t, other_four), "stale");
		t.e = wire_connect(t.h, t.s);
		come_back(&t, BOTH);
		told_announce(&t, four);
		wire_run(&t.w, 20000);
	}
	assert_string_equal(told_fate(&t, other_four), "gone");
	assert_string_equal(told_fate(&t, four), "there");
	hand_done(&t);
}

/* More of them in a short time than there are rounds (RIB_ROUNDS). */
static void many_restarts_mix_up_nothing(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BOTH, true);
	t.n->last_open.capabilities.restart_time = 4000;
	t.open.capabilities.restart_time = 4000;
	for (unsigned i = 0; i < 2 * RIB_ROUNDS; i++) {
		const struct bgp_neighbor_table *table = &t.n->table[BGP_IPV4];

		wire_close(t.e);
		wire_run(&t.w, 5);
		assert_int_equal(table->stale, table->received);
		assert_string_equal(told_fate(&t, four), "stale");
		t.n->young = 0; /* else it would have to wait */
		t.e = wire_connect(t.h, t.s);
		come_back(&t, BOTH);
		told_announce(&t, four);
		wire_run(&t.w, 5);
		assert_int_equal(table->received, 1 + (table->stale != 0));
		assert_string_equal(told_fate(&t, other_four), table->stale ? "stale" : "gone");
	}
	told_end_of_rib(&t, BGP_IPV4);
	wire_run(&t.w, 5);
	assert_int_equal(t.n->table[BGP_IPV4].received, 1);
	assert_int_equal(t.n->table[BGP_IPV4].stale, 0);
	hand_done(&t);
}

/* ---- NOTIFICATION ---- */

static void a_notification_ends_the_routes_unless_rfc_8538_was_agreed_on(void **state)
{
	static const struct {
		bool notification;
		uint8_t message[4];
		size_t len;
		const char *fate;
	} rows[] = {
		{false, {6, 4}, 2, "gone"},
		{false, {6, 9}, 2, "gone"},
		{true, {6, 4}, 2, "stale"},
		{true, {6, 8}, 2, "stale"},
		{true, {4, 0}, 2, "stale"},
		{true, {3, 1}, 2, "stale"},
		{true, {6, 9}, 2, "gone"},
		{true, {6, 9, 6, 2}, 4, "gone"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hand t;

		begin(&t, BOTH, rows[i].notification);
		t.h->refuses = true;
		hand_send(&t, BGP_NOTIFICATION, rows[i].message, rows[i].len);
		wire_run(&t.w, 10);
		assert_string_equal(told_fate(&t, four), rows[i].fate);
		hand_done(&t);
	}
}

static void the_hold_timer_ends_no_routes_of_who_knows_rfc_8538(void **state)
{
	(void)state;
	for (unsigned notification = 0; notification < 2; notification++) {
		struct hand t;

		begin(&t, BOTH, notification);
		t.h->refuses = true;
		wire_run(&t.w, 91000);
		hand_expect_end(&t, BGP_ERROR_HOLD_TIMER, 0, "", 0);
		assert_string_equal(told_fate(&t, four), notification ? "stale" : "gone");
		hand_done(&t);
	}
}

/* What is to end the routes, too, goes as a Hard Reset, with what it is about inside. */
static void what_we_mean_for_good_is_a_hard_reset(void **state)
{
	(void)state;
	for (unsigned notification = 0; notification < 2; notification++) {
		struct hand t;

		begin(&t, BOTH, notification);
		bgp_neighbor_clear(t.n, "x\xc3\xa4");
		wire_run(&t.w, 10);
		if (notification)
			hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_HARD_RESET, "\6\4\3x\xc3\xa4", 6);
		else
			hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_RESET, "\3x\xc3\xa4", 4);
		assert_string_equal(told_fate(&t, four), "gone");
		hand_done(&t);
	}
}

/* RFC 9003, within RFC 8538 */
static void the_longest_words_go_whole_in_a_hard_reset(void **state)
{
	uint8_t data[2 + 1 + BGP_SHUTDOWN_TEXT] = {BGP_ERROR_CEASE, BGP_CEASE_RESET, BGP_SHUTDOWN_TEXT};
	char words[BGP_SHUTDOWN_TEXT + 1] = "";
	struct bgp_error e;
	struct hand t;

	(void)state;
	memset(words, 'w', BGP_SHUTDOWN_TEXT);
	memcpy(data + 3, words, BGP_SHUTDOWN_TEXT);
	begin(&t, BOTH, true);
	bgp_neighbor_clear(t.n, words);
	wire_run(&t.w, 10);
	hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_HARD_RESET, data, sizeof(data));
	bgp_notification_read(reader_of(t.message + BGP_HEADER, t.len - BGP_HEADER), &e);
	assert_non_null(strstr(e.reason, words));
	hand_done(&t);
}

/* RFC 8538 section 5.1 */
static void our_own_errors_end_routes_only_where_they_are_for_good(void **state)
{
	static const struct {
		uint8_t code, subcode;
		bool hard;
	} rows[] = {
		{BGP_ERROR_CEASE, BGP_CEASE_MAX_PREFIX, true},
		{BGP_ERROR_CEASE, BGP_CEASE_SHUTDOWN, true},
		{BGP_ERROR_CEASE, BGP_CEASE_UNCONFIGURED, true},
		{BGP_ERROR_CEASE, BGP_CEASE_RESET, true},
		{BGP_ERROR_CEASE, BGP_CEASE_REJECTED, false},
		{BGP_ERROR_CEASE, BGP_CEASE_CHANGED, true},
		{BGP_ERROR_CEASE, BGP_CEASE_COLLISION, false},
		{BGP_ERROR_CEASE, BGP_CEASE_RESOURCES, false},
		{BGP_ERROR_UPDATE, BGP_UPDATE_ATTRIBUTES, false},
		{BGP_ERROR_FSM, BGP_FSM_ESTABLISHED, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bgp_error e = {0};
		struct hand t;

		begin(&t, BOTH, true);
		t.h->refuses = true;
		bgp_error_set(&e, rows[i].code, rows[i].subcode, NULL, 0, "a test");
		session_end(t.n->up, &e, true, t.w.now);
		wire_run(&t.w, 10);
		if (rows[i].hard)
			hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_HARD_RESET,
				(uint8_t[]){rows[i].code, rows[i].subcode}, 2);
		else
			hand_expect_end(&t, rows[i].code, rows[i].subcode, "", 0);
		assert_string_equal(told_fate(&t, four), rows[i].hard ? "gone" : "stale");
		hand_done(&t);
	}
}

static void an_operators_clear_ends_stale_routes_as_well(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BOTH, true);
	go_away(&t);
	bgp_neighbor_clear(t.n, NULL);
	wire_run(&t.w, 10);
	assert_string_equal(told_fate(&t, four), "gone");
	hand_done(&t);
}

/* An End-of-RR that belongs to nothing is no End-of-RIB. */
static void a_stray_end_of_refresh_ends_no_restart(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BOTH, false);
	wire_close(t.e);
	wire_run(&t.w, 5);
	come_back(&t, BOTH);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_END);
	wire_run(&t.w, 5);
	assert_string_equal(told_fate(&t, four), "stale");
	hand_done(&t);
}

/* A second connection is under way when the session breaks whose routes do not stay: it would mix old ones and new ones. */
static void nobody_comes_in_while_old_routes_are_being_removed(void **state)
{
	struct wire_end *session;
	struct hand t;

	(void)state;
	begin(&t, 0, false);
	session = t.e;
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 5);
	assert_non_null(t.n->connections[1]);
	t.s->slice = 0;
	wire_close(session);
	wire_run(&t.w, 5);
	assert_null(t.n->connections[1]);
	hand_expect(&t, BGP_OPEN);
	hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_REJECTED, "", 0);
	/* What the operator hears of is why the session ended. */
	assert_string_equal(
		wire_last(t.s, BGP_EVENT_STATE)->reason, "the connection ended: closed by the peer");
	assert_int_equal(wire_last(t.s, BGP_EVENT_STATE)->from, BGP_ESTABLISHED);
	assert_int_equal(wire_last(t.s, BGP_EVENT_STATE)->to, BGP_IDLE);
	assert_string_equal(t.n->last_error.reason, "the connection ended: closed by the peer");
	assert_int_equal(t.n->idle_until, MSEC_NEVER); /* it has made no error */
	t.s->slice = 1000;
	hand_done(&t);
}

/* ---- we restart ---- */

struct restarting {
	struct wire w;
	struct wire_node *s, *b, *c;
	struct bgp_nlri nlri;
};

static void originate(struct wire_node *n, const char *prefix)
{
	struct bgp_nlri nlri = {.prefix = told_prefix(prefix)};
	struct bgp_next_hop_value ourselves = {0};

	assert_int_equal(bgp_originate(n->bgp, told_family(&nlri.prefix), &nlri, reader_of(NULL, 0),
				 &ourselves, BGP_NETWORK, n->wire->now),
		0);
}

static bool has(struct wire_node *n, const char *prefix)
{
	struct prefix p = told_prefix(prefix);
	struct rib *r = bgp_rib(n->bgp, told_family(&p));
	rib_id net = rib_find(r, &p);

	return net && rib_best(r, net);
}

static void client(struct wire_node *of, struct bgp_neighbor_config *c)
{
	(void)of;
	c->client = true;
}

/* S is a reflector between B and C; B tells a route. */
static void restarting_init(struct restarting *t)
{
	memset(t, 0, sizeof(*t));
	wire_init(&t->w, 1);
	t->s = wire_speaker(&t->w, 65000, 1);
	t->b = wire_speaker(&t->w, 65000, 2);
	t->c = wire_speaker(&t->w, 65000, 3);
	wire_meet(t->s, t->b, client);
	wire_meet(t->s, t->c, client);
	originate(t->b, four);
	wire_run(&t->w, 5000);
	assert_true(has(t->c, four));
}

static void boot_again(struct restarting *t, bool preserved, uint32_t wait)
{
	struct wire_node *others[2] = {t->b, t->c};

	t->s->config.restarting = true;
	t->s->config.preserved = preserved;
	t->s->config.restart_wait = wait;
	wire_boot(t->s);
	for (unsigned i = 0; i < 2; i++) {
		struct bgp_neighbor_config c = wire_config(t->s, others[i], 65000);
		struct bgp_neighbor *n;

		c.client = true;
		assert_int_equal(bgp_neighbor_add(t->s->bgp, &c, &n), 0);
		bgp_neighbor_start(n);
	}
}

static unsigned best_changes(const struct wire_node *n)
{
	return n->routes[BGP_IPV4];
}

static void a_planned_restart_is_not_noticed_by_others(void **state)
{
	(void)state;
	for (unsigned crash = 0; crash < 2; crash++) {
		struct restarting t;
		unsigned changes;

		restarting_init(&t);
		changes = best_changes(t.c);
		if (crash)
			wire_crash(t.s);
		else
			wire_stop(t.s, NULL);
		wire_run(&t.w, 3000);
		boot_again(&t, true, 60000);
		wire_run(&t.w, 30000);
		assert_int_equal(wire_state(t.c, t.s), BGP_ESTABLISHED);
		assert_int_equal(wire_state(t.b, t.s), BGP_ESTABLISHED);
		assert_true(has(t.c, four));
		assert_int_equal(best_changes(t.c), changes);
		assert_false(rib_is_stale(bgp_rib(t.c->bgp, BGP_IPV4),
			told_path(t.c->bgp, four, wire_neighbor(t.c, t.s)->source)));
		assert_true(wire_neighbor(t.c, t.s)->last_open.capabilities.restarted);
		assert_int_equal(wire_neighbor(t.c, t.s)->last_open.capabilities.preserved, BOTH);
		assert_false(t.s->bgp->deferring);
		wire_free(&t.w);
	}
}

/* Both are there, and what they forward by: only TCP is gone for a moment (RFC 8538 section 4: the F bit is set). */
static void a_connection_that_breaks_is_not_noticed_by_others(void **state)
{
	struct restarting t;
	unsigned changes;

	(void)state;
	restarting_init(&t);
	changes = best_changes(t.c);
	wire_close(wire_end_of(t.b, t.s));
	wire_run(&t.w, 30000);
	assert_int_equal(wire_neighbor(t.s, t.b)->established, 2);
	assert_int_equal(wire_neighbor(t.s, t.b)->last_open.capabilities.preserved, BOTH);
	assert_int_equal(best_changes(t.c), changes);
	assert_true(has(t.c, four));
	assert_int_equal(wire_neighbor(t.s, t.b)->table[BGP_IPV4].stale, 0);
	wire_free(&t.w);
}

static void a_restart_that_forgot_says_so(void **state)
{
	struct restarting t;

	(void)state;
	restarting_init(&t);
	wire_stop(t.s, NULL);
	wire_run(&t.w, 10);
	boot_again(&t, false, 60000);
	wire_run(&t.w, 30000);
	assert_int_equal(wire_neighbor(t.c, t.s)->last_open.capabilities.preserved, 0);
	assert_true(best_changes(t.c) > 1); /* it was removed, and told again */
	assert_true(has(t.c, four));
	wire_free(&t.w);
}

/* B does not come: nothing is told before the time is over. */
static void selection_waits_for_everybody_but_not_for_ever(void **state)
{
	struct rib_feed feed = {0};
	struct restarting t;
	unsigned told;

	(void)state;
	restarting_init(&t);
	told = t.s->routes[BGP_IPV4];
	wire_stop(t.s, NULL);
	wire_crash(t.b);
	wire_run(&t.w, 10);
	boot_again(&t, true, 20000);
	assert_int_equal(rib_feed_add(bgp_rib(t.s->bgp, BGP_IPV4), &feed), 0);
	assert_true(rib_feed_at_end(&feed));
	originate(t.s, other_four);
	wire_run(&t.w, 19000);
	assert_int_equal(wire_state(t.s, t.c), BGP_ESTABLISHED);
	assert_true(t.s->bgp->deferring);
	assert_int_equal(t.s->routes[BGP_IPV4], told);
	assert_false(has(t.c, other_four));
	assert_false(wire_neighbor(t.c, t.s)->table[BGP_IPV4].end_of_rib_in);
	wire_run(&t.w, 2000);
	assert_false(t.s->bgp->deferring);
	assert_true(t.s->routes[BGP_IPV4] > told);
	assert_true(has(t.c, other_four));
	assert_true(wire_neighbor(t.c, t.s)->table[BGP_IPV4].end_of_rib_in);
	assert_false(has(t.c, four)); /* nobody told it again */
	rib_feed_remove(&feed);
	wire_free(&t.w);
}

static void nobody_waits_for_who_is_down_or_never_says_end_of_rib(void **state)
{
	struct restarting t;
	struct bgp_neighbor_config c;

	(void)state;
	restarting_init(&t);
	wire_stop(t.s, NULL);
	wire_crash(t.b);
	wire_run(&t.w, 10);
	c = wire_neighbor(t.c, t.s)->config;
	c.graceful_restart = false;
	assert_int_equal(bgp_neighbor_change(wire_neighbor(t.c, t.s), &c), 1);
	boot_again(&t, true, 3600000);
	wire_run(&t.w, 20000);
	assert_true(t.s->bgp->deferring); /* for B */
	c = wire_neighbor(t.s, t.b)->config;
	c.shutdown = true;
	bgp_neighbor_change(wire_neighbor(t.s, t.b), &c);
	wire_run(&t.w, 10);
	assert_false(t.s->bgp->deferring);
	wire_free(&t.w);
}

/* Two that restart at once do not wait for each other: the R bit. */
static void two_that_restart_do_not_wait_for_each_other(void **state)
{
	struct restarting t;
	struct bgp_neighbor *n;
	struct bgp_neighbor_config c;

	(void)state;
	restarting_init(&t);
	wire_stop(t.c, "out of this test");
	bgp_neighbor_remove(wire_neighbor(t.s, t.c));
	c = wire_neighbor(t.b, t.s)->config;
	wire_stop(t.s, NULL);
	wire_stop(t.b, NULL);
	boot_again(&t, true, 3600000);
	bgp_neighbor_remove(wire_neighbor(t.s, t.c));
	t.b->config.restarting = true;
	t.b->config.restart_wait = 3600000;
	wire_boot(t.b);
	assert_int_equal(bgp_neighbor_add(t.b->bgp, &c, &n), 0);
	bgp_neighbor_start(n);
	wire_run(&t.w, 20000);
	assert_int_equal(wire_state(t.s, t.b), BGP_ESTABLISHED);
	assert_false(t.s->bgp->deferring);
	assert_false(t.b->bgp->deferring);
	wire_free(&t.w);
}

/* After the restart is over, a new session is an ordinary one; but what we forward by is still there (RFC 8538 section 4). */
static void the_restart_bit_goes_when_the_restart_is_over(void **state)
{
	struct restarting t;

	(void)state;
	restarting_init(&t);
	wire_stop(t.s, NULL);
	boot_again(&t, true, 60000);
	wire_run(&t.w, 30000);
	bgp_neighbor_clear(wire_neighbor(t.b, t.s), NULL);
	wire_run(&t.w, 10000);
	assert_int_equal(wire_state(t.b, t.s), BGP_ESTABLISHED);
	assert_false(wire_neighbor(t.b, t.s)->last_open.capabilities.restarted);
	assert_int_equal(wire_neighbor(t.b, t.s)->last_open.capabilities.preserved, BOTH);
	wire_free(&t.w);
}

/* ---- route refresh ---- */

static void what_the_peer_does_not_tell_again_in_a_refresh_goes(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, 0, false);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_BEGIN);
	wire_run(&t.w, 5);
	assert_string_equal(told_fate(&t, four), "stale");
	assert_string_equal(told_fate(&t, six), "there");
	told_announce(&t, four);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_END);
	wire_run(&t.w, 5);
	assert_string_equal(told_fate(&t, four), "there");
	assert_string_equal(told_fate(&t, other_four), "gone");
	assert_string_equal(told_fate(&t, six), "there");
	assert_true(wire_last(t.s, BGP_EVENT_STALE)->final);
	assert_int_equal(wire_last(t.s, BGP_EVENT_STALE)->count, 1);
	hand_done(&t);
}

static void a_refresh_that_never_ends_is_ended(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, 0, false);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_BEGIN);
	told_announce(&t, four);
	for (unsigned i = 0; i < 179; i++) {
		hand_send_keepalive(&t);
		wire_run(&t.w, 1000);
	}
	assert_string_equal(told_fate(&t, other_four), "stale");
	wire_run(&t.w, 1100);
	assert_string_equal(told_fate(&t, other_four), "gone");
	assert_string_equal(told_fate(&t, four), "there");
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	hand_done(&t);
}

/* A session that breaks in the middle of a refresh. */
static void a_refresh_ends_with_its_session(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, BOTH, false);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_BEGIN);
	told_announce(&t, four);
	wire_run(&t.w, 5);
	go_away(&t);
	assert_string_equal(told_fate(&t, four), "stale");
	wire_run(&t.w, 61000);
	assert_string_equal(told_fate(&t, four), "gone");
	hand_done(&t);
}

static void marks_of_a_refresh_that_do_not_belong_are_passed_over(void **state)
{
	struct hand t;

	(void)state;
	begin(&t, 0, false);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_END); /* without a beginning */
	wire_run(&t.w, 5);
	assert_string_equal(told_fate(&t, four), "there");
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_BEGIN);
	told_announce(&t, four);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_BEGIN); /* in the middle of one */
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_END);
	wire_run(&t.w, 5);
	assert_string_equal(told_fate(&t, four), "there");
	assert_string_equal(told_fate(&t, other_four), "gone");
	told_refresh(&t, BGP_IPV4_ENCAP, BGP_REFRESH_BEGIN); /* not agreed on */
	told_refresh(&t, BGP_IPV4_ENCAP, BGP_REFRESH_REQUEST);
	wire_run(&t.w, 5);
	assert_int_equal(wire_count(t.s, BGP_EVENT_REFRESH), 0);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	hand_done(&t);
}

/* How long the speaker is busy with refreshes without end, in which one route is told again each time, beside a table of COUNT routes. */
static clock_t refresh_without_end(uint32_t count)
{
	static const struct reader plain;
	struct bgp_nlri n = {.prefix = {addr4(10, 0, 0, 0), 32}};
	struct hand t;
	clock_t start;

	begin(&t, 0, false);
	for (uint32_t i = 0; i < count; i++) {
		n.prefix.addr.bytes[1] = (uint8_t)(i >> 16);
		n.prefix.addr.bytes[2] = (uint8_t)(i >> 8);
		n.prefix.addr.bytes[3] = (uint8_t)i;
		assert_int_equal(bgp_originate(t.s->bgp, BGP_IPV4, &n, plain, NULL, BGP_NETWORK, t.w.now), 0);
	}
	wire_run(&t.w, 5);
	for (unsigned i = 0; i < 1000; i++) {
		told_refresh(&t, BGP_IPV4, BGP_REFRESH_BEGIN);
		told_announce(&t, four);
		told_announce(&t, other_four);
		told_refresh(&t, BGP_IPV4, BGP_REFRESH_END);
	}
	start = clock();
	wire_run(&t.w, 1);
	start = clock() - start;
	assert_string_equal(told_fate(&t, four), "there");
	assert_string_equal(told_fate(&t, other_four), "there");
	assert_int_equal(t.n->table[BGP_IPV4].stale, 0);
	hand_done(&t);
	return start;
}

static void a_neighbour_cannot_keep_us_busy_with_refreshes(void **state)
{
	clock_t alone = refresh_without_end(0), beside_many = refresh_without_end(60000);

	(void)state;
	assert_true(beside_many < 10 * alone + CLOCKS_PER_SEC / 20);
}

static void who_does_not_know_enhanced_refresh_means_nothing_by_its_marks(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.open.capabilities.enhanced_refresh = false;
	hand_reach(&t, BGP_ESTABLISHED);
	tell_all(&t);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_BEGIN);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_END);
	wire_run(&t.w, 5);
	assert_string_equal(told_fate(&t, four), "there");
	hand_done(&t);
}

/* RFC 7313 section 4: so that the first telling and a refresh are not mixed. */
static void a_refresh_before_end_of_rib_is_ignored_and_told(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.open.capabilities.graceful = true;
	hand_reach(&t, BGP_ESTABLISHED);
	told_announce(&t, four);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_BEGIN);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_END);
	wire_run(&t.w, 5);
	assert_string_equal(told_fate(&t, four), "there");
	assert_true(wire_said(t.s, "Begin-of-RR of ipv4 came before End-of-RIB"));
	hand_done(&t);
}

/* Counts messages by type that have come to the hand; ROUTE-REFRESH by kind, UPDATE by whether it is End-of-RIB. */
static void count_come(struct hand *t, unsigned count[4])
{
	memset(count, 0, 4 * sizeof(*count));
	while ((t->len = wire_take(t->e, &t->type, t->message))) {
		if (t->type == BGP_REFRESH)
			count[t->message[BGP_HEADER + 2]]++;
		if (t->type == BGP_UPDATE && t->len > BGP_HEADER + 14)
			count[3]++;
	}
}

static void who_asks_is_told_everything_again_between_marks(void **state)
{
	(void)state;
	for (unsigned enhanced = 0; enhanced < 2; enhanced++) {
		struct hand t;
		unsigned count[4];

		hand_init(&t);
		t.open.capabilities.enhanced_refresh = enhanced;
		originate(t.s, four);
		hand_reach(&t, BGP_ESTABLISHED);
		wire_run(&t.w, 10);
		count_come(&t, count);
		assert_int_equal(count[3], 1);
		assert_int_equal(count[BGP_REFRESH_BEGIN] + count[BGP_REFRESH_END], 0);
		told_refresh(&t, BGP_IPV4, BGP_REFRESH_REQUEST);
		wire_run(&t.w, 10);
		count_come(&t, count);
		assert_int_equal(count[3], 1);
		assert_int_equal(count[BGP_REFRESH_BEGIN], enhanced);
		assert_int_equal(count[BGP_REFRESH_END], enhanced);
		assert_int_equal(wire_count(t.s, BGP_EVENT_REFRESH), 1);
		hand_done(&t);
	}
}

static void who_was_not_offered_it_is_not_answered(void **state)
{
	struct hand t;
	unsigned count[4];

	(void)state;
	hand_init(&t);
	t.config.refresh = false;
	originate(t.s, four);
	hand_reach(&t, BGP_ESTABLISHED);
	wire_run(&t.w, 10);
	count_come(&t, count);
	told_refresh(&t, BGP_IPV4, BGP_REFRESH_REQUEST);
	wire_run(&t.w, 10);
	count_come(&t, count);
	assert_int_equal(count[3], 0);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	hand_done(&t);
}

/* Ours: a route that the peer had lost without our hearing of it. */
static void an_operators_refresh_finds_what_was_lost(void **state)
{
	struct restarting t;
	struct rib_was was;
	struct prefix p = told_prefix(four);

	(void)state;
	restarting_init(&t);
	rib_withdraw(bgp_rib(t.s->bgp, BGP_IPV4), &p, wire_neighbor(t.s, t.b)->source, &was);
	wire_neighbor(t.s, t.b)->table[BGP_IPV4].received--;
	wire_neighbor(t.s, t.b)->table[BGP_IPV4].accepted--;
	wire_run(&t.w, 1000);
	assert_false(has(t.c, four));
	assert_int_equal(bgp_neighbor_refresh(wire_neighbor(t.s, t.b), true, false), 0);
	wire_run(&t.w, 1000);
	assert_true(has(t.s, four) && has(t.c, four));
	assert_int_equal(t.b->seen[1][BGP_REFRESH], 4); /* begin and end, of two families */
	wire_free(&t.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_of_a_peer_that_restarts_stay_for_the_time_that_it_named),
		cmocka_unit_test(without_graceful_restart_they_go_at_once_and_before_it_comes_again),
		cmocka_unit_test(what_is_not_told_again_goes_with_end_of_rib),
		cmocka_unit_test(who_forgot_how_to_forward_loses_its_routes_when_it_is_back),
		cmocka_unit_test(who_comes_back_without_the_capability_or_a_family_too),
		cmocka_unit_test(stale_routes_are_not_kept_for_ever),
		cmocka_unit_test(of_families_that_are_not_listed_nothing_stays),
		cmocka_unit_test(a_second_restart_deletes_what_the_first_left_stale),
		cmocka_unit_test(who_comes_back_with_another_identifier_begins_anew),
		cmocka_unit_test(restarts_without_end_keep_nothing_for_ever),
		cmocka_unit_test(many_restarts_mix_up_nothing),
		cmocka_unit_test(a_notification_ends_the_routes_unless_rfc_8538_was_agreed_on),
		cmocka_unit_test(the_hold_timer_ends_no_routes_of_who_knows_rfc_8538),
		cmocka_unit_test(what_we_mean_for_good_is_a_hard_reset),
		cmocka_unit_test(the_longest_words_go_whole_in_a_hard_reset),
		cmocka_unit_test(our_own_errors_end_routes_only_where_they_are_for_good),
		cmocka_unit_test(a_stray_end_of_refresh_ends_no_restart),
		cmocka_unit_test(nobody_comes_in_while_old_routes_are_being_removed),
		cmocka_unit_test(a_connection_that_breaks_is_not_noticed_by_others),
		cmocka_unit_test(an_operators_clear_ends_stale_routes_as_well),
		cmocka_unit_test(a_planned_restart_is_not_noticed_by_others),
		cmocka_unit_test(a_restart_that_forgot_says_so),
		cmocka_unit_test(selection_waits_for_everybody_but_not_for_ever),
		cmocka_unit_test(nobody_waits_for_who_is_down_or_never_says_end_of_rib),
		cmocka_unit_test(two_that_restart_do_not_wait_for_each_other),
		cmocka_unit_test(the_restart_bit_goes_when_the_restart_is_over),
		cmocka_unit_test(what_the_peer_does_not_tell_again_in_a_refresh_goes),
		cmocka_unit_test(a_refresh_that_never_ends_is_ended),
		cmocka_unit_test(a_refresh_ends_with_its_session),
		cmocka_unit_test(marks_of_a_refresh_that_do_not_belong_are_passed_over),
		cmocka_unit_test(a_neighbour_cannot_keep_us_busy_with_refreshes),
		cmocka_unit_test(who_does_not_know_enhanced_refresh_means_nothing_by_its_marks),
		cmocka_unit_test(a_refresh_before_end_of_rib_is_ignored_and_told),
		cmocka_unit_test(who_asks_is_told_everything_again_between_marks),
		cmocka_unit_test(who_was_not_offered_it_is_not_answered),
		cmocka_unit_test(an_operators_refresh_finds_what_was_lost),
	};

	return cmocka_run_group_tests_name("bgp restart", tests, NULL, NULL);
}

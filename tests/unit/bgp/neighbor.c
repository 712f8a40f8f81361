/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A neighbour in time: attempts, rests, and which of its connections stays. */
#include <stdlib.h>

#include "hand.h"

/* ---- attempts ---- */

/* When the hand was connected to, measured from START, in milliseconds. */
static msec next_attempt(struct hand *t, msec most)
{
	const struct wire_tcp *before = t->w.tcps;
	msec start = t->w.now;

	while (t->w.tcps == before && t->w.now < start + most)
		wire_run(&t->w, 1);
	return t->w.now - start;
}

static void attempts_come_in_the_retry_time_with_jitter(void **state)
{
	msec least = MSEC_NEVER, most = 0;
	struct hand t;

	(void)state;
	hand_init(&t);
	t.h->refuses = true;
	hand_start(&t);
	wire_run(&t.w, 10);
	for (unsigned i = 0; i < 60; i++) {
		msec at = next_attempt(&t, 20000);

		least = msec_min(least, at);
		most = at > most ? at : most;
	}
	assert_in_range(least, 3740, 3900);
	assert_in_range(most, 4850, 5010);
	assert_string_equal(t.n->last_error.reason, "the connection failed: Connection refused");
	assert_int_equal(wire_last(t.s, BGP_EVENT_CONNECTION)->code, 0);
	hand_done(&t);
}

static void an_attempt_without_an_answer_is_given_up_for_another(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_CONNECT);
	for (unsigned i = 0; i < 5; i++)
		assert_in_range(next_attempt(&t, 20000), 3740, 5010);
	assert_string_equal(t.n->last_error.reason, "the connection failed: no answer");
	assert_int_equal(t.n->state, BGP_CONNECT);
	t.h->silent = false;
	wire_run(&t.w, 10);
	assert_int_equal(t.n->state, BGP_OPEN_SENT);
	hand_done(&t);
}

static void a_passive_neighbour_is_never_connected_to(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.config.passive = true;
	hand_start(&t);
	assert_true(next_attempt(&t, 600000) == 600000);
	assert_int_equal(t.n->state, BGP_ACTIVE);
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 10);
	assert_int_equal(t.n->state, BGP_OPEN_SENT);
	wire_close(t.e);
	assert_true(next_attempt(&t, 600000) == 600000);
	assert_int_equal(t.n->state, BGP_ACTIVE);
	hand_done(&t);
}

static void who_has_come_itself_is_not_connected_to_as_well(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.h->refuses = true;
	hand_start(&t);
	wire_run(&t.w, 10);
	t.e = wire_connect(t.h, t.s);
	assert_true(next_attempt(&t, 60000) == 60000);
	assert_int_equal(t.n->state, BGP_OPEN_SENT);
	hand_done(&t);
}

/* Errors: nothing is tried, and nothing accepted, for twice as long each time. */
static void the_rest_after_errors_doubles_up_to_two_minutes(void **state)
{
	static const msec rests[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 120000, 120000};
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_start(&t);
	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		wire_run(&t.w, 10);
		t.e = wire_end_of(t.h, t.s);
		assert_non_null(t.e);
		hand_send_keepalive(&t);
		wire_run(&t.w, 10);
		assert_int_equal(t.n->state, BGP_IDLE);
		assert_null(bgp_accept(t.n, t.w.now));
		assert_in_range(next_attempt(&t, 600000), rests[i] * 3 / 4 - 20, rests[i] + 10);
	}
	hand_done(&t);
}

/* Also where an attempt of ours is under way: errors in quick succession do not become possible by that. */
static void who_rests_does_not_try_at_the_same_time(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.config.connect_retry = 60000;
	hand_reach(&t, BGP_CONNECT);
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 10);
	hand_send_keepalive(&t);
	wire_run(&t.w, 10);
	assert_int_equal(t.n->state, BGP_IDLE);
	assert_null(t.n->connections[0]);
	assert_null(bgp_accept(t.n, t.w.now));
	assert_string_equal(t.n->last_error.reason, "KEEPALIVE came in state open-sent");
	assert_in_range(next_attempt(&t, 60000), 700, 1010);
	hand_done(&t);
}

static void a_long_session_is_a_new_beginning(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	t.n->idle_ms = 64000;
	for (unsigned i = 0; i < 13; i++) {
		hand_send_keepalive(&t);
		wire_run(&t.w, 10000);
	}
	hand_send(&t, BGP_NOTIFICATION, (uint8_t[]){6, 4}, 2);
	assert_in_range(next_attempt(&t, 600000), 740, 1010);
	hand_done(&t);
}

/* A peer that merely went away may come back before we try. */
static void a_connection_that_breaks_makes_nobody_wait_outside(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	wire_close(t.e);
	wire_run(&t.w, 5);
	assert_int_equal(t.n->state, BGP_ACTIVE);
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 5);
	assert_int_equal(t.n->state, BGP_OPEN_SENT);
	hand_done(&t);
}

/* A session costs both ends something: who ends one after the other as soon as it is there has to wait like after an error. */
static void who_breaks_off_again_and_again_waits_outside(void **state)
{
	struct hand t;
	unsigned sessions;

	(void)state;
	hand_init(&t);
	t.config.passive = true;
	hand_start(&t);
	for (sessions = 0; sessions < 100; sessions++) {
		t.e = wire_connect(t.h, t.s);
		wire_run(&t.w, 5);
		if (!t.n->connections[1])
			break;
		hand_send_open(&t);
		hand_send_keepalive(&t);
		wire_run(&t.w, 5);
		assert_int_equal(t.n->state, BGP_ESTABLISHED);
		wire_close(t.e);
		wire_run(&t.w, 5);
	}
	assert_in_range(sessions, 3, 10);
	assert_int_equal(t.n->state, BGP_IDLE);
	wire_run(&t.w, 1010);
	assert_int_equal(t.n->state, BGP_ACTIVE);
	bgp_neighbor_clear(t.n, NULL);
	for (unsigned i = 0; i < 2;
		i++) { /* the operator gives it another chance; and a session that lasts does */
		t.e = wire_connect(t.h, t.s);
		wire_run(&t.w, 5);
		hand_send_open(&t);
		hand_send_keepalive(&t);
		wire_run(&t.w, 6000);
		assert_int_equal(t.n->state, BGP_ESTABLISHED);
		wire_close(t.e);
		wire_run(&t.w, 5);
		assert_int_equal(t.n->state, BGP_ACTIVE);
	}
	hand_done(&t);
}

/* ---- collisions ---- */

/* A hand with a connection of each direction, both in OpenSent at the speaker. */
static void two_connections(struct hand *t, uint32_t id, struct wire_end *ends[2])
{
	hand_init(t);
	t->open.id = id;
	hand_start(t);
	wire_run(&t->w, 10);
	ends[0] = wire_end_of(t->h, t->s); /* the speaker's */
	ends[1] = wire_connect(t->h, t->s);
	wire_run(&t->w, 10);
	assert_int_equal(t->n->connections[0]->state, BGP_OPEN_SENT);
	assert_int_equal(t->n->connections[1]->state, BGP_OPEN_SENT);
}

/* RFC 4271 section 6.8: the connection of the higher identifier stays, whichever OPEN comes first, however far the other one is. */
static void of_two_connections_that_of_the_higher_identifier_stays(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 8; way++) {
		unsigned first = way & 1;
		bool theirs_higher = way & 2, confirmed = way & 4;
		struct wire_end *ends[2];
		struct hand t;

		two_connections(&t, theirs_higher ? 0x0a000003 : 0x0a000001, ends);
		if (confirmed) /* as the RFC's own procedure sees it: the other is in OpenConfirm */
			t.n->connections[!first]->state = BGP_OPEN_CONFIRM,
			t.n->connections[!first]->received = t.open;
		t.e = ends[first];
		hand_send_open(&t);
		wire_run(&t.w, 10);
		assert_int_equal(ends[theirs_higher]->open, true);
		assert_int_equal(ends[!theirs_higher]->open, false);
		t.e = ends[!theirs_higher];
		hand_expect(&t, BGP_OPEN);
		hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_COLLISION, "", 0);
		t.e = ends[theirs_higher];
		if (first != theirs_higher && !confirmed)
			hand_send_open(&t);
		hand_send_keepalive(&t);
		wire_run(&t.w, 10);
		assert_int_equal(t.n->state, BGP_ESTABLISHED);
		hand_done(&t);
	}
}

/* An attempt that is still under way then is no error of the session, which is told when its families are known. */
static void a_session_begins_without_the_error_of_an_attempt_that_it_ends(void **state)
{
	const struct wire_event *e;
	struct hand t;

	(void)state;
	hand_init(&t);
	t.config.connect_retry = 60000;
	hand_reach(&t, BGP_CONNECT);
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 10);
	hand_send_open(&t);
	hand_send_keepalive(&t);
	wire_run(&t.w, 10);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	assert_null(t.n->connections[0]);
	e = wire_last(t.s, BGP_EVENT_STATE);
	assert_int_equal(e->to, BGP_ESTABLISHED);
	assert_int_equal(e->code, 0);
	assert_string_equal(e->reason, "");
	assert_int_equal(t.s->families_when_up, BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6));
	assert_string_equal(wire_last(t.s, BGP_EVENT_CONNECTION)->reason, "there is a session already");
	assert_string_equal(t.n->last_error.reason, "");
	hand_done(&t);
}

/* RFC 6286 section 2.3 */
static void of_equal_identifiers_the_larger_as_decides(void **state)
{
	(void)state;
	for (unsigned larger = 0; larger < 2; larger++) {
		struct wire_end *ends[2];
		struct bgp_neighbor_config config;
		struct hand t;

		two_connections(&t, 0x0a000002, ends);
		config = t.config;
		config.as = t.open.as = larger ? 65001 : 64999;
		t.n->config.as = config.as;
		t.e = ends[1];
		hand_send_open(&t);
		wire_run(&t.w, 10);
		assert_int_equal(ends[larger]->open, true);
		assert_int_equal(ends[!larger]->open, false);
		hand_done(&t);
	}
}

/* Whoever begins first, whatever the wires do: one session, and the same one at both ends. */
static void simultaneous_opens_end_in_one_session(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 400; seed++) {
		struct wire w;
		struct wire_node *a, *b;

		wire_init(&w, seed);
		w.latency = seed % 7;
		w.piece = seed % 3 ? 0 : 10;
		a = wire_speaker(&w, 65000, seed & 1 ? 1 : 3);
		b = wire_speaker(&w, seed & 2 ? 65000 : 65001, 2);
		for (unsigned i = 0; i < 2; i++) {
			struct wire_node *of = i ? b : a, *to = i ? a : b;
			struct bgp_neighbor_config c = wire_config(of, to, to->config.as);
			struct bgp_neighbor *n;

			assert_int_equal(bgp_neighbor_add(of->bgp, &c, &n), 0);
			bgp_neighbor_start(n);
			wire_run(&w, rng_below(&w.rng, 10));
		}
		wire_run(&w, 60000);
		assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
		assert_int_equal(wire_state(b, a), BGP_ESTABLISHED);
		assert_ptr_equal(((struct wire_end *)wire_neighbor(a, b)->up->owner)->tcp,
			((struct wire_end *)wire_neighbor(b, a)->up->owner)->tcp);
		wire_free(&w);
	}
}

static void a_second_connection_takes_the_place_of_the_first(void **state)
{
	struct wire_end *first;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ACTIVE);
	first = t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 10);
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 10);
	assert_false(first->open);
	hand_send_open(&t);
	wire_run(&t.w, 5);
	hand_send_keepalive(&t);
	wire_run(&t.w, 5);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	hand_done(&t);
}

/* Its own attempt is not left to itself. */
static void when_a_session_begins_other_attempts_end(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_CONNECT);
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 10);
	assert_non_null(t.n->connections[0]);
	hand_send_open(&t);
	hand_send_keepalive(&t);
	wire_run(&t.w, 10);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	assert_null(t.n->connections[0]);
	t.h->silent = false;
	wire_run(&t.w, 60000);
	assert_int_equal(t.n->established, 1);
	hand_done(&t);
}

/* Our own attempt, which has no answer yet, ends with a connection of the peer's that is refused: the state changes once, for that reason. */
static void what_ends_with_another_is_not_its_reason(void **state)
{
	const struct wire_event *e;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_CONNECT);
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 10);
	assert_non_null(t.n->connections[0]);
	t.open.as = 65007;
	hand_send_open(&t);
	wire_run(&t.w, 10);
	assert_null(t.n->connections[0]);
	e = wire_last(t.s, BGP_EVENT_STATE);
	assert_int_equal(e->from, BGP_OPEN_SENT);
	assert_int_equal(e->to, BGP_IDLE);
	assert_string_equal(e->reason, "it is in AS 65007, configured is AS 65000");
	assert_string_equal(t.n->last_error.reason, e->reason);
	hand_done(&t);
}

static void another_open(struct hand *t)
{
	t->e = wire_connect(t->h, t->s);
	wire_run(&t->w, 5);
	hand_expect(t, BGP_OPEN);
	hand_send_open(t);
	wire_run(&t->w, 5);
}

static void a_session_survives_another_connection(void **state)
{
	struct wire_end *session;
	uint64_t keepalives;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	session = t.e;
	wire_run(&t.w, 6000);
	keepalives = t.s->seen[1][BGP_KEEPALIVE];
	another_open(&t);
	hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_COLLISION, "", 0);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	assert_int_equal(t.n->established, 1);
	assert_true(session->open);
	assert_int_equal(t.s->seen[1][BGP_KEEPALIVE], keepalives + 1); /* is the session still alive? */
	hand_done(&t);
}

/* RFC 4724 section 5: it is the same peer, which is back. But a mere connection ends nothing, nor does a twin of a session that has just begun. */
static void with_graceful_restart_the_new_connection_replaces_the_old(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 4; way++) {
		bool old = way & 1, restarted = way & 2;
		struct wire_end *session;
		struct hand t;

		hand_init(&t);
		t.open.capabilities.graceful = true;
		t.open.capabilities.graceful_families = BGP_FAMILY_BIT(BGP_IPV4);
		t.open.capabilities.restart_time = 60;
		hand_reach(&t, BGP_ESTABLISHED);
		session = t.e;
		wire_run(&t.w, old ? 6000 : 100);
		t.open.capabilities.restarted = restarted;
		t.e = wire_connect(t.h, t.s);
		wire_run(&t.w, 5);
		assert_true(session->open);
		hand_expect(&t, BGP_OPEN);
		hand_send_open(&t);
		wire_run(&t.w, 5);
		if (!old && !restarted) {
			assert_true(session->open);
			hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_COLLISION, "", 0);
		} else {
			assert_false(session->open);
			assert_string_equal(t.n->last_error.reason, "it has come back on another connection");
			hand_expect(&t, BGP_KEEPALIVE);
			hand_send_keepalive(&t);
			wire_run(&t.w, 5);
			assert_int_equal(t.n->state, BGP_ESTABLISHED);
			assert_int_equal(t.n->established, 2);
			t.e = session;
			while (wire_take(t.e, &t.type, t.message))
				assert_int_not_equal(t.type, BGP_NOTIFICATION);
		}
		hand_done(&t);
	}
}

static void no_graceful_restart(struct wire_node *of, struct bgp_neighbor_config *c)
{
	(void)of;
	c->graceful_restart = false;
}

/* Without graceful restart the hold time need not be waited for, either. */
static void a_peer_that_crashed_is_back_within_seconds(void **state)
{
	(void)state;
	for (unsigned graceful = 0; graceful < 2; graceful++) {
		struct wire w;
		struct wire_node *a, *b;
		struct bgp_neighbor_config config;
		struct bgp_neighbor *n;

		wire_init(&w, 1);
		a = wire_speaker(&w, 65000, 1);
		b = wire_speaker(&w, 65000, 2);
		wire_meet(a, b, graceful ? NULL : no_graceful_restart);
		wire_run(&w, 60000);
		config = wire_neighbor(b, a)->config;
		wire_crash(b);
		assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
		wire_boot(b);
		assert_int_equal(bgp_neighbor_add(b->bgp, &config, &n), 0);
		bgp_neighbor_start(n);
		wire_run(&w, 10000);
		assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
		assert_int_equal(wire_state(b, a), BGP_ESTABLISHED);
		assert_int_equal(wire_neighbor(a, b)->established, 2);
		wire_free(&w);
	}
}

/* ---- the way down ---- */

/* What receive.c does when a limit is exceeded. */
static void exceed(struct hand *t)
{
	struct bgp_error e = {0};

	bgp_error_set(
		&e, BGP_ERROR_CEASE, BGP_CEASE_MAX_PREFIX, NULL, 0, "101 prefixes of ipv4, at most 100");
	session_end(t->n->up, &e, true, t->w.now);
	wire_run(&t->w, 5);
}

static void who_tells_too_much_stays_away_until_it_is_cleared(void **state)
{
	struct bgp_neighbor_view v;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	exceed(&t);
	hand_expect_end(&t, BGP_ERROR_CEASE, BGP_CEASE_MAX_PREFIX, "", 0);
	assert_true(next_attempt(&t, 3600000) == 3600000);
	assert_null(bgp_accept(t.n, t.w.now));
	bgp_neighbor_view(t.n, &v);
	assert_int_equal(v.state, BGP_IDLE);
	assert_non_null(strstr(v.waiting, "softwire bgp clear"));
	assert_int_equal(v.next_try, MSEC_NEVER);
	bgp_neighbor_clear(t.n, NULL);
	assert_true(next_attempt(&t, 1000) < 10);
	hand_done(&t);
}

static void or_for_the_time_that_is_configured(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.config.max_prefix_restart = 300000;
	hand_reach(&t, BGP_ESTABLISHED);
	exceed(&t);
	assert_int_equal(t.n->state, BGP_IDLE);
	assert_in_range(next_attempt(&t, 3600000), 299000, 300010);
	hand_done(&t);
}

static void clear_resets_with_words_and_begins_again_at_once(void **state)
{
	struct wire w;
	struct wire_node *a, *b;
	const struct wire_event *e;

	(void)state;
	wire_init(&w, 1);
	a = wire_speaker(&w, 65000, 1);
	b = wire_speaker(&w, 65000, 2);
	wire_meet(a, b, no_graceful_restart);
	wire_run(&w, 10000);
	bgp_neighbor_clear(wire_neighbor(a, b), "new fibre");
	wire_run(&w, 5);
	e = wire_last(b, BGP_EVENT_STATE);
	assert_int_equal(e->code, BGP_ERROR_CEASE);
	assert_int_equal(e->subcode, BGP_CEASE_RESET);
	assert_false(e->sent);
	assert_non_null(strstr(e->reason, "new fibre"));
	wire_run(&w, 5000);
	assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
	assert_int_equal(wire_neighbor(a, b)->established, 2);
	assert_int_equal(wire_neighbor(a, b)->flaps, 1);
	wire_free(&w);
}

static void clear_of_one_that_rests_ends_the_rest(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.config.idle_hold = 100000;
	hand_reach(&t, BGP_OPEN_SENT);
	hand_send_keepalive(&t);
	wire_run(&t.w, 10);
	assert_int_equal(t.n->state, BGP_IDLE);
	bgp_neighbor_clear(t.n, NULL);
	wire_run(&t.w, 10);
	assert_int_equal(t.n->state, BGP_OPEN_SENT);
	hand_done(&t);
}

static void the_whole_speaker_says_goodbye_with_words(void **state)
{
	struct wire w;
	struct wire_node *a, *b, *c;

	(void)state;
	wire_init(&w, 1);
	a = wire_speaker(&w, 65000, 1);
	b = wire_speaker(&w, 65000, 2);
	c = wire_speaker(&w, 65001, 3);
	wire_meet(a, b, NULL);
	{
		struct bgp_neighbor_config config = wire_config(a, c, 65001);
		struct bgp_neighbor *n;

		assert_int_equal(bgp_neighbor_add(a->bgp, &config, &n), 0);
		bgp_neighbor_start(n);
		config = wire_config(c, a, 65000);
		assert_int_equal(bgp_neighbor_add(c->bgp, &config, &n), 0);
		bgp_neighbor_start(n);
	}
	wire_run(&w, 10000);
	assert_int_equal(wire_state(a, c), BGP_ESTABLISHED);
	bgp_shutdown(a->bgp, "moving house");
	assert_int_equal(wire_state(a, b), BGP_IDLE);
	wire_run(&w, 5);
	for (unsigned i = 0; i < 2; i++) {
		const struct wire_event *e = wire_last(i ? c : b, BGP_EVENT_STATE);

		assert_int_equal(e->code, BGP_ERROR_CEASE);
		assert_int_equal(e->subcode, BGP_CEASE_HARD_RESET); /* both know RFC 8538 */
		assert_non_null(strstr(e->reason, "Administrative Shutdown"));
		assert_non_null(strstr(e->reason, "moving house"));
	}
	wire_run(&w, 60000);
	assert_int_equal(wire_state(b, a), BGP_ACTIVE);
	wire_free(&w);
}

/* So that a peer that knows graceful restart keeps our routes. */
static void leaving_is_silent(void **state)
{
	struct wire w;
	struct wire_node *a, *b;

	(void)state;
	wire_init(&w, 1);
	a = wire_speaker(&w, 65000, 1);
	b = wire_speaker(&w, 65000, 2);
	wire_meet(a, b, NULL);
	wire_run(&w, 10000);
	wire_stop(a, NULL);
	wire_run(&w, 10);
	assert_int_equal(b->seen[0][BGP_NOTIFICATION], 0);
	assert_int_equal(wire_last(b, BGP_EVENT_STATE)->from, BGP_ESTABLISHED);
	assert_int_equal(wire_last(b, BGP_EVENT_STATE)->code, 0);
	wire_free(&w);
}

/* What peers do to their own session is their own affair. */
static void errors_of_one_neighbour_are_not_felt_by_another(void **state)
{
	struct wire_node *b;
	struct hand t;

	(void)state;
	hand_init(&t);
	b = wire_speaker(&t.w, 65000, 3);
	wire_meet(t.s, b, NULL);
	hand_reach(&t, BGP_ESTABLISHED);
	wire_run(&t.w, 1000);
	for (unsigned i = 0; i < 20; i++) {
		hand_send(&t, (enum bgp_type)(i % 6), "x", i % 3);
		wire_run(&t.w, 30000);
		t.e = wire_end_of(t.h, t.s);
		if (!t.e)
			t.e = wire_connect(t.h, t.s);
		wire_run(&t.w, 10);
	}
	assert_int_equal(wire_state(t.s, b), BGP_ESTABLISHED);
	assert_int_equal(wire_neighbor(t.s, b)->established, 1);
	hand_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_come_in_the_retry_time_with_jitter),
		cmocka_unit_test(an_attempt_without_an_answer_is_given_up_for_another),
		cmocka_unit_test(a_passive_neighbour_is_never_connected_to),
		cmocka_unit_test(who_has_come_itself_is_not_connected_to_as_well),
		cmocka_unit_test(the_rest_after_errors_doubles_up_to_two_minutes),
		cmocka_unit_test(who_rests_does_not_try_at_the_same_time),
		cmocka_unit_test(a_long_session_is_a_new_beginning),
		cmocka_unit_test(a_connection_that_breaks_makes_nobody_wait_outside),
		cmocka_unit_test(who_breaks_off_again_and_again_waits_outside),
		cmocka_unit_test(of_two_connections_that_of_the_higher_identifier_stays),
		cmocka_unit_test(a_session_begins_without_the_error_of_an_attempt_that_it_ends),
		cmocka_unit_test(of_equal_identifiers_the_larger_as_decides),
		cmocka_unit_test(simultaneous_opens_end_in_one_session),
		cmocka_unit_test(a_second_connection_takes_the_place_of_the_first),
		cmocka_unit_test(when_a_session_begins_other_attempts_end),
		cmocka_unit_test(what_ends_with_another_is_not_its_reason),
		cmocka_unit_test(a_session_survives_another_connection),
		cmocka_unit_test(with_graceful_restart_the_new_connection_replaces_the_old),
		cmocka_unit_test(a_peer_that_crashed_is_back_within_seconds),
		cmocka_unit_test(who_tells_too_much_stays_away_until_it_is_cleared),
		cmocka_unit_test(or_for_the_time_that_is_configured),
		cmocka_unit_test(clear_resets_with_words_and_begins_again_at_once),
		cmocka_unit_test(clear_of_one_that_rests_ends_the_rest),
		cmocka_unit_test(the_whole_speaker_says_goodbye_with_words),
		cmocka_unit_test(leaving_is_silent),
		cmocka_unit_test(errors_of_one_neighbour_are_not_felt_by_another),
	};

	return cmocka_run_group_tests_name("bgp neighbor", tests, NULL, NULL);
}

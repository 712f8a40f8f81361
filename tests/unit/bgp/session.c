/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions begin, live and end as RFC 4271 section 8 has it. */
#include <stdio.h>
#include <stdlib.h>

#include "hand.h"

static void two_speakers_establish_a_session_and_keep_it(void **state)
{
	struct wire w;
	struct wire_node *a, *b;

	(void)state;
	wire_init(&w, 1);
	a = wire_speaker(&w, 65000, 1);
	b = wire_speaker(&w, 65000, 2);
	wire_meet(a, b, NULL);
	wire_run(&w, 1000);
	assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
	assert_int_equal(wire_state(b, a), BGP_ESTABLISHED);
	wire_run(&w, 3600000);
	assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
	assert_int_equal(wire_neighbor(a, b)->established, 1);
	wire_free(&w);
}

/* ---- the table of states and events ---- */

enum event {
	STOP,          /* ManualStop: the configuration shuts it down */
	TCP_FAILS,     /* 18 */
	SILENCE,       /* hold timer, 10; ConnectRetryTimer, 9 */
	OPEN,          /* 19 */
	OPEN_BAD,      /* 22: version 5 */
	HEADER_BAD,    /* 21 */
	NOTIFICATION,  /* 25 */
	VERSION_ERROR, /* 24 */
	KEEPALIVE,     /* 26 */
	UPDATE,        /* 27 */
	REFRESH,
	TYPE_BAD,
	EVENTS
};
static const char *const event_names[EVENTS] = {"stop", "tcp fails", "silence", "open", "bad open",
	"bad header", "notification", "version error", "keepalive", "update", "refresh", "bad type"};

static const struct row {
	enum bgp_state from;
	enum event event;
	enum bgp_state to;
	uint8_t code, subcode; /* what the peer hears; 0: nothing */
	int data;              /* of one octet, or -1 */
} rows[] = {
	{BGP_IDLE, STOP, BGP_IDLE, 0, 0, -1},
	{BGP_CONNECT, STOP, BGP_IDLE, 0, 0, -1},
	{BGP_CONNECT, TCP_FAILS, BGP_ACTIVE, 0, 0, -1},
	{BGP_CONNECT, SILENCE, BGP_CONNECT, 0, 0, -1},
	{BGP_ACTIVE, STOP, BGP_IDLE, 0, 0, -1},
	{BGP_ACTIVE, SILENCE, BGP_ACTIVE, 0, 0, -1},
	{BGP_OPEN_SENT, STOP, BGP_IDLE, 6, 2, -1},
	{BGP_OPEN_SENT, TCP_FAILS, BGP_ACTIVE, 0, 0, -1},
	{BGP_OPEN_SENT, SILENCE, BGP_IDLE, 4, 0, -1},
	{BGP_OPEN_SENT, OPEN, BGP_OPEN_CONFIRM, 0, 0, -1},
	{BGP_OPEN_SENT, OPEN_BAD, BGP_IDLE, 2, 1, -1},
	{BGP_OPEN_SENT, HEADER_BAD, BGP_IDLE, 1, 1, -1},
	{BGP_OPEN_SENT, TYPE_BAD, BGP_IDLE, 1, 3, 77},
	{BGP_OPEN_SENT, NOTIFICATION, BGP_IDLE, 0, 0, -1},
	{BGP_OPEN_SENT, VERSION_ERROR, BGP_IDLE, 0, 0, -1},
	{BGP_OPEN_SENT, KEEPALIVE, BGP_IDLE, 5, 1, BGP_KEEPALIVE},
	{BGP_OPEN_SENT, UPDATE, BGP_IDLE, 5, 1, BGP_UPDATE},
	{BGP_OPEN_SENT, REFRESH, BGP_IDLE, 5, 1, BGP_REFRESH},
	{BGP_OPEN_CONFIRM, STOP, BGP_IDLE, 6, 2, -1},
	{BGP_OPEN_CONFIRM, TCP_FAILS, BGP_ACTIVE, 0, 0, -1},
	{BGP_OPEN_CONFIRM, SILENCE, BGP_IDLE, 4, 0, -1},
	{BGP_OPEN_CONFIRM, OPEN, BGP_IDLE, 5, 2, BGP_OPEN},
	{BGP_OPEN_CONFIRM, OPEN_BAD, BGP_IDLE, 5, 2, BGP_OPEN},
	{BGP_OPEN_CONFIRM, HEADER_BAD, BGP_IDLE, 1, 1, -1},
	{BGP_OPEN_CONFIRM, TYPE_BAD, BGP_IDLE, 1, 3, 77},
	{BGP_OPEN_CONFIRM, NOTIFICATION, BGP_IDLE, 0, 0, -1},
	{BGP_OPEN_CONFIRM, VERSION_ERROR, BGP_IDLE, 0, 0, -1},
	{BGP_OPEN_CONFIRM, KEEPALIVE, BGP_ESTABLISHED, 0, 0, -1},
	{BGP_OPEN_CONFIRM, UPDATE, BGP_IDLE, 5, 2, BGP_UPDATE},
	{BGP_OPEN_CONFIRM, REFRESH, BGP_IDLE, 5, 2, BGP_REFRESH},
	{BGP_ESTABLISHED, STOP, BGP_IDLE, 6, 2, -1},
	{BGP_ESTABLISHED, TCP_FAILS, BGP_ACTIVE, 0, 0, -1},
	{BGP_ESTABLISHED, SILENCE, BGP_IDLE, 4, 0, -1},
	{BGP_ESTABLISHED, OPEN, BGP_IDLE, 5, 3, BGP_OPEN},
	{BGP_ESTABLISHED, OPEN_BAD, BGP_IDLE, 5, 3, BGP_OPEN},
	{BGP_ESTABLISHED, HEADER_BAD, BGP_IDLE, 1, 1, -1},
	{BGP_ESTABLISHED, TYPE_BAD, BGP_IDLE, 1, 3, 77},
	{BGP_ESTABLISHED, NOTIFICATION, BGP_IDLE, 0, 0, -1},
	{BGP_ESTABLISHED, VERSION_ERROR, BGP_IDLE, 0, 0, -1},
	{BGP_ESTABLISHED, KEEPALIVE, BGP_ESTABLISHED, 0, 0, -1},
	{BGP_ESTABLISHED, UPDATE, BGP_ESTABLISHED, 0, 0, -1},
	{BGP_ESTABLISHED, REFRESH, BGP_ESTABLISHED, 0, 0, -1},
};

static void happen(struct hand *t, enum event event)
{
	static const uint8_t zeros[BGP_HEADER];
	static const uint8_t bad_open[] = {5, 0xfd, 0xe8, 0, 90, 10, 0, 0, 1, 0};

	switch (event) {
	case STOP:
		t->config.shutdown = true;
		bgp_neighbor_change(t->n, &t->config);
		break;
	case TCP_FAILS:
		if (t->e) {
			wire_close(t->e);
		} else {
			t->h->silent = false;
			t->h->refuses = true;
		}
		break;
	case SILENCE: /* until something happens, or for longer than any timer of a connection */
		for (unsigned i = 0; i < 3000 && (!t->e || t->e->open); i++)
			wire_run(&t->w, 100);
		break;
	case OPEN:
		hand_send_open(t);
		break;
	case OPEN_BAD:
		hand_send(t, BGP_OPEN, bad_open, sizeof(bad_open));
		break;
	case HEADER_BAD:
		wire_send(t->e, zeros, sizeof(zeros));
		break;
	case TYPE_BAD:
		hand_send(t, (enum bgp_type)77, NULL, 0);
		break;
	case NOTIFICATION:
		hand_send(t, BGP_NOTIFICATION, (uint8_t[]){6, 4}, 2);
		break;
	case VERSION_ERROR:
		hand_send(t, BGP_NOTIFICATION, (uint8_t[]){2, 1, 0, 4}, 4);
		break;
	case KEEPALIVE:
		hand_send_keepalive(t);
		break;
	case UPDATE: /* End-of-RIB */
		hand_send(t, BGP_UPDATE, (uint8_t[]){0, 0, 0, 0}, 4);
		break;
	case REFRESH:
		hand_send(t, BGP_REFRESH, (uint8_t[]){0, 1, 0, 1}, 4);
		break;
	case EVENTS:
		break;
	}
}

static void check_row(const struct row *r)
{
	struct hand t;
	uint8_t data = (uint8_t)r->data;

	hand_init(&t);
	hand_reach(&t, r->from);
	happen(&t, r->event);
	wire_run(&t.w, 10);
	if (t.n->state != r->to)
		fail_msg("%s in %s: %s", event_names[r->event], bgp_state_name(r->from),
			bgp_state_name(t.n->state));
	if (r->code)
		hand_expect_end(&t, r->code, r->subcode, r->data < 0 ? NULL : &data, 1);
	else if (t.e)
		for (size_t i = 0; i + BGP_HEADER <= t.e->in_len;
			i += (size_t)(t.e->in[i + 16] << 8 | t.e->in[i + 17]))
			assert_int_not_equal(t.e->in[i + 18], BGP_NOTIFICATION);
	/* What goes down says why. */
	if (r->to < r->from && r->from >= BGP_OPEN_SENT) {
		const struct wire_event *e = wire_last(t.s, BGP_EVENT_STATE);
		struct bgp_neighbor_view v;

		bgp_neighbor_view(t.n, &v);
		assert_true(v.last_error.reason[0] != 0);
		assert_string_equal(e->reason, v.last_error.reason);
		assert_int_equal(v.last_error.code, r->code ? r->code : v.last_error.code);
		assert_int_equal(v.last_error_sent, r->code != 0);
		assert_int_equal(e->from, r->from);
	}
	hand_done(&t);
}

static void every_event_in_every_state_has_its_consequence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* ---- OPEN ---- */

/* proves: MESH-BGP-13 partial */
static void the_open_of_a_speaker_says_what_is_configured(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.s->config.as = 4200000000u;
	wire_stop(t.s, NULL);
	wire_boot(t.s);
	t.config.as = 65000;
	t.config.families =
		BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6) | BGP_FAMILY_BIT(BGP_IPV4_ENCAP);
	t.config.hold_time = 30000;
	hand_reach(&t, BGP_OPEN_SENT);
	assert_int_equal(t.said.as, 4200000000u);
	assert_int_equal(t.said.hold_time, 30);
	assert_int_equal(t.said.id, 0x0a000002);
	assert_int_equal(t.said.capabilities.families, t.config.families);
	assert_int_equal(t.said.capabilities.extended_next_hop, BGP_FAMILY_BIT(BGP_IPV4));
	assert_true(t.said.capabilities.as4 && t.said.capabilities.refresh &&
		    t.said.capabilities.enhanced_refresh);
	assert_true(t.said.capabilities.extended_message && t.said.capabilities.graceful &&
		    t.said.capabilities.notification);
	assert_false(t.said.capabilities.restarted);
	assert_int_equal(t.said.capabilities.restart_time, 120);
	assert_int_equal(t.said.capabilities.graceful_families, t.config.families);
	assert_int_equal(t.said.capabilities.preserved, 0);
	hand_done(&t);
}

static void what_is_switched_off_is_not_offered(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.config.extended_messages = t.config.graceful_restart = t.config.extended_next_hop = false;
	t.config.refresh = t.config.as4 = false;
	hand_reach(&t, BGP_OPEN_SENT);
	assert_int_equal(t.said.capabilities.extended_next_hop, 0);
	assert_false(t.said.capabilities.as4 || t.said.capabilities.refresh ||
		     t.said.capabilities.enhanced_refresh);
	assert_false(t.said.capabilities.extended_message || t.said.capabilities.graceful);
	hand_done(&t);
}

static const struct {
	const char *name;
	uint32_t as, id;
	uint16_t hold;
	bgp_families families;
	uint8_t subcode;
	const char *data; /* hexadecimal; NULL: any */
	const char *reason;
} refused[] = {
	{"another AS", 65001, 1, 90, 3, BGP_OPEN_AS, "", "it is in AS 65001, configured is AS 65000"},
	{"AS 0", 0, 1, 90, 3, BGP_OPEN_AS, NULL, "AS 0"},
	{"AS_TRANS without being meant", BGP_AS_TRANS, 1, 90, 3, BGP_OPEN_AS, NULL, "23456"},
	{"a large AS that is another one", 4200000000u, 1, 90, 3, BGP_OPEN_AS, NULL, "4200000000"},
	{"identifier 0", 65000, 0, 90, 3, BGP_OPEN_ID, NULL, "0.0.0.0"},
	{"our own identifier", 65000, 0x0a000002, 90, 3, BGP_OPEN_ID, "", "our own BGP identifier 10.0.0.2"},
	{"hold time 1", 65000, 1, 1, 3, BGP_OPEN_HOLD_TIME, NULL, "hold time 1 s"},
	{"hold time 2", 65000, 1, 2, 3, BGP_OPEN_HOLD_TIME, NULL, "hold time 2 s"},
	{"no family in common", 65000, 1, 90, BGP_FAMILY_BIT(BGP_IPV6_LABELED), BGP_OPEN_CAPABILITY,
		"010400010001010400020001", "it has ipv6-labeled, we have ipv4 ipv6"},
};

static size_t bytes_of(const char *hex, uint8_t *ret)
{
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		unsigned v;

		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		ret[n++] = (uint8_t)v;
	}
	return n;
}

static void an_open_of_the_wrong_peer_is_refused_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct hand t;
		uint8_t data[64];
		size_t len = refused[i].data ? bytes_of(refused[i].data, data) : 0;

		hand_init(&t);
		t.open.as = refused[i].as;
		t.open.id = refused[i].id;
		t.open.hold_time = refused[i].hold;
		t.open.capabilities.families = refused[i].families;
		hand_reach(&t, BGP_OPEN_SENT);
		hand_send_open(&t);
		wire_run(&t.w, 10);
		hand_expect_end(&t, BGP_ERROR_OPEN, refused[i].subcode, refused[i].data ? data : NULL, len);
		if (!strstr(t.n->last_error.reason, refused[i].reason))
			fail_msg("%s: %s", refused[i].name, t.n->last_error.reason);
		assert_string_equal(wire_last(t.s, BGP_EVENT_CONNECTION)->reason, t.n->last_error.reason);
		hand_done(&t);
	}
}

/* RFC 6286: only inside an AS has an identifier to be unique. */
static void an_external_peer_may_have_our_identifier(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.config.as = t.open.as = 65001;
	t.open.id = 0x0a000002;
	hand_reach(&t, BGP_ESTABLISHED);
	assert_true(t.n->up->form.external && t.n->facts.external);
	hand_done(&t);
}

/* What is agreed on is what both said, whatever one of them leaves out */
/* proves: MESH-BGP-14 partial */
static void only_what_both_offer_is_agreed_on(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct hand t;
		const struct bgp_form *f;

		hand_init(&t);
		t.config.as4 = bits & 1;
		t.open.capabilities.as4 = bits & 2;
		t.config.extended_messages = bits & 4;
		t.open.capabilities.extended_message = bits & 8;
		t.config.extended_next_hop = bits & 16;
		t.open.capabilities.extended_next_hop = bits & 32 ? BGP_FAMILY_BIT(BGP_IPV4) : 0;
		t.open.capabilities.families = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV4_ENCAP);
		hand_reach(&t, BGP_ESTABLISHED);
		f = &t.n->up->form;
		assert_int_equal(f->as4, (bits & 3) == 3);
		assert_int_equal(f->max_message, (bits & 12) == 12 ? BGP_EXTENDED_MAX : BGP_MESSAGE_MAX);
		assert_int_equal(t.n->up->max_in, bits & 4 ? BGP_EXTENDED_MAX : BGP_MESSAGE_MAX);
		assert_int_equal(f->extended_next_hop, (bits & 48) == 48 ? BGP_FAMILY_BIT(BGP_IPV4) : 0);
		assert_int_equal(f->families, BGP_FAMILY_BIT(BGP_IPV4));
		assert_true(t.n->table[BGP_IPV4].on && !t.n->table[BGP_IPV6].on);
		hand_done(&t);
	}
}

static void the_smaller_hold_time_counts(void **state)
{
	static const struct {
		uint16_t ours, theirs, agreed;
	} holds[] = {{90, 30, 30}, {30, 90, 30}, {3, 240, 3}, {90, 0, 0}, {0, 90, 0}, {0, 0, 0},
		{65535, 65535, 65535}};

	(void)state;
	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		struct hand t;
		struct bgp_neighbor_view v;

		hand_init(&t);
		t.config.hold_time = holds[i].ours * 1000u;
		t.open.hold_time = holds[i].theirs;
		hand_reach(&t, BGP_ESTABLISHED);
		bgp_neighbor_view(t.n, &v);
		assert_int_equal(v.hold_time, holds[i].agreed);
		hand_done(&t);
	}
}

/* ---- timers ---- */

static void without_a_hold_time_there_is_neither_keepalive_nor_end(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.open.hold_time = 0;
	hand_reach(&t, BGP_ESTABLISHED);
	while (wire_take(t.e, &t.type, t.message))
		;
	wire_run(&t.w, 86400000);
	hand_expect_nothing(&t);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	hand_done(&t);
}

static void keepalives_come_in_a_third_of_the_hold_time_with_jitter(void **state)
{
	struct hand t;
	msec last, least = MSEC_NEVER, most = 0;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	while (wire_take(t.e, &t.type, t.message))
		;
	last = 0;
	for (unsigned i = 0; i < 400000; i++) {
		wire_run(&t.w, 10);
		if (i % 1000 == 0)
			hand_send_keepalive(&t);
		if (!wire_take(t.e, &t.type, t.message))
			continue;
		assert_int_equal(t.type, BGP_KEEPALIVE);
		if (last) {
			least = msec_min(least, t.w.now - last);
			most = t.w.now - last > most ? t.w.now - last : most;
		}
		last = t.w.now;
	}
	assert_in_range(least, 22500 - 10, 23500);
	assert_in_range(most, 29000, 30000 + 10);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	hand_done(&t);
}

static void silence_for_the_hold_time_ends_the_session_and_not_earlier(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	t.open.hold_time = 3;
	hand_reach(&t, BGP_ESTABLISHED);
	wire_run(&t.w, 2900);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	hand_send(&t, BGP_UPDATE, (uint8_t[]){0, 0, 0, 0}, 4); /* counts like KEEPALIVE */
	wire_run(&t.w, 2990);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	wire_run(&t.w, 200);
	assert_int_equal(t.n->state, BGP_IDLE);
	assert_string_equal(t.n->last_error.reason, "nothing was heard for 3 s");
	hand_expect_end(&t, BGP_ERROR_HOLD_TIMER, 0, "", 0);
	hand_done(&t);
}

/* We were busy, or stopped, for longer than the hold time; what came meanwhile lies in the socket. */
static void a_peer_is_not_blamed_for_our_own_silence(void **state)
{
	struct hand t;
	struct bgp_connection *c;
	uint8_t keepalive[BGP_HEADER];
	struct writer w = writer_of(keepalive, sizeof(keepalive));

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	bgp_keepalive_write(&w);
	c = t.n->up;
	t.w.now += 500000;
	wheel_advance(&t.w.wheel, t.w.now);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	assert_int_equal(bgp_input(c, keepalive, sizeof(keepalive), t.w.now), sizeof(keepalive));
	wire_run(&t.w, 85000);
	assert_int_equal(t.n->state, BGP_ESTABLISHED);
	/* But the second time is the last. */
	t.w.now += 500000;
	wheel_advance(&t.w.wheel, t.w.now);
	wire_run(&t.w, 1000);
	assert_int_equal(t.n->last_error.code, BGP_ERROR_HOLD_TIMER);
	hand_done(&t);
}

/* RFC 9687: our KEEPALIVEs are not taken, but the peer's come. */
static void a_peer_that_does_not_read_is_left(void **state)
{
	static const struct {
		uint16_t hold;
		msec after;
	} cases[] = {{90, 480000}, {300, 600000}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hand t;
		msec since;

		hand_init(&t);
		t.config.hold_time = 300000;
		t.open.hold_time = cases[i].hold;
		hand_reach(&t, BGP_ESTABLISHED);
		since = t.w.now;
		((struct wire_end *)t.n->up->owner)->blocked = true;
		while (t.n->state == BGP_ESTABLISHED && t.w.now < since + 2 * cases[i].after) {
			hand_send_keepalive(&t);
			wire_run(&t.w, 10000);
		}
		/* From the first KEEPALIVE on that is not taken. */
		assert_in_range(
			t.w.now - since, cases[i].after, cases[i].after + cases[i].hold * 1000u / 3 + 10000);
		assert_int_equal(t.n->last_error.code, BGP_ERROR_SEND_HOLD_TIMER);
		assert_non_null(strstr(t.n->last_error.reason, "does not read"));
		hand_done(&t);
	}
}

/* Who waits for the socket is not woken by timers: a KEEPALIVE that is due goes when something can go. */
static void a_blocked_peer_costs_no_time(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	((struct wire_end *)t.n->up->owner)->blocked = true;
	hand_send_keepalive(&t);
	wire_run(&t.w, 40000);
	assert_true(t.n->up->awake && t.n->up->keepalive_at < t.w.now);
	assert_true(session_deadline(t.n->up) > t.w.now + 1000);
	hand_done(&t);
}

/* ---- bytes ---- */

static void messages_may_be_split_anywhere(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 140; piece++) {
		struct wire w;
		struct wire_node *a, *b;

		wire_init(&w, piece);
		w.piece = piece;
		a = wire_speaker(&w, 65000, 1);
		b = wire_speaker(&w, 65000, 2);
		wire_meet(a, b, NULL);
		wire_run(&w, 200000);
		assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
		assert_int_equal(wire_neighbor(b, a)->established, 1);
		wire_free(&w);
	}
}

/* One bad message in each state, and noise: the peer hears a header error, or nothing while it may go on to be a message. */
static void garbage_is_answered_with_a_header_error(void **state)
{
	static const enum bgp_state states[] = {BGP_OPEN_SENT, BGP_OPEN_CONFIRM, BGP_ESTABLISHED};
	static const struct {
		uint8_t header[BGP_HEADER];
		uint8_t subcode;
		const char *data;
	} bad[] = {
		{{0}, BGP_HEADER_SYNC, ""},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 254, 0, 19, 4},
			BGP_HEADER_SYNC, ""},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 18, 4},
			BGP_HEADER_LENGTH, "0012"},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 2},
			BGP_HEADER_LENGTH, "0000"},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 20, 4},
			BGP_HEADER_LENGTH, "0014"},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 22, 2},
			BGP_HEADER_LENGTH, "0016"},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 28, 1},
			BGP_HEADER_LENGTH, "001c"},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 20, 3},
			BGP_HEADER_LENGTH, "0014"},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0x10, 1, 2},
			BGP_HEADER_LENGTH, "1001"},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 19, 0},
			BGP_HEADER_TYPE, "00"},
		{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 19, 6},
			BGP_HEADER_TYPE, "06"},
	};

	(void)state;
	for (size_t s = 0; s < 3; s++)
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			struct hand t;
			uint8_t data[8];
			size_t len = bytes_of(bad[i].data, data);

			hand_init(&t);
			t.config.extended_messages = false;
			t.w.piece = i % 5;
			hand_reach(&t, states[s]);
			wire_send(t.e, bad[i].header, BGP_HEADER);
			wire_run(&t.w, 10);
			hand_expect_end(&t, BGP_ERROR_HEADER, bad[i].subcode, data, len);
			hand_done(&t);
		}
}

static void noise_of_any_kind_ends_only_its_own_session(void **state)
{
	struct wire w;
	struct wire_node *a, *b, *h;
	struct bgp_neighbor *n;
	struct bgp_neighbor_config config;

	(void)state;
	wire_init(&w, 7);
	a = wire_speaker(&w, 65000, 1);
	b = wire_speaker(&w, 65000, 2);
	h = wire_hand(&w, 3);
	wire_meet(a, b, NULL);
	config = wire_config(a, h, 65000);
	config.passive = true;
	assert_int_equal(bgp_neighbor_add(a->bgp, &config, &n), 0);
	bgp_neighbor_start(n);
	wire_run(&w, 1000);
	for (unsigned i = 0; i < 200; i++) {
		struct wire_end *e = wire_connect(h, a);
		uint8_t noise[400];
		size_t len = 1 + rng_below(&w.rng, sizeof(noise));

		rng_bytes(&w.rng, noise, len);
		if (i % 2)
			memset(noise, 255, len < 16 ? len : 16);
		wire_run(&w, 5);
		if (e->open)
			wire_send(e, noise, len);
		wire_run(&w, rng_below(&w.rng, 5000));
		wire_close(e);
	}
	assert_int_equal(wire_state(a, b), BGP_ESTABLISHED);
	assert_int_equal(wire_neighbor(a, b)->established, 1);
	wire_free(&w);
}

static void what_is_not_agreed_on_is_too_long(void **state)
{
	static uint8_t update[5000];
	struct hand t;

	(void)state;
	hand_init(&t);
	memset(update, 255, 16);
	update[16] = sizeof(update) >> 8;
	update[17] = sizeof(update) & 255;
	update[18] = BGP_UPDATE;
	t.config.extended_messages = false;
	t.open.capabilities.extended_message =
		true; /* its own business: we did not say that we can read them */
	hand_reach(&t, BGP_ESTABLISHED);
	wire_send(t.e, update, sizeof(update));
	wire_run(&t.w, 10);
	hand_expect_end(&t, BGP_ERROR_HEADER, BGP_HEADER_LENGTH, "\x13\x88", 2);
	hand_done(&t);
}

static void input_before_tcp_is_there_is_left_alone(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_CONNECT);
	assert_int_equal(bgp_input(t.n->connections[0], (const uint8_t *)"x", 1, t.w.now), 0);
	assert_int_equal(t.n->state, BGP_CONNECT);
	hand_done(&t);
}

/* What is wrong is noticed before the socket took our OPEN. */
static void the_notification_goes_behind_an_open_that_was_not_sent_yet(void **state)
{
	struct endpoint local, remote;
	struct bgp_connection *c;
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ACTIVE);
	t.e = wire_connect(t.h, t.s);
	wire_run(&t.w, 10);
	c = t.n->connections[1];
	local = c->local;
	remote = c->remote;
	c->awake = true;
	bgp_connected(c, &local, &remote, 0, t.w.now); /* once more, without asking for output */
	assert_int_equal(bgp_input(c, (const uint8_t[BGP_HEADER]){0}, BGP_HEADER, t.w.now), BGP_HEADER);
	wire_run(&t.w, 10);
	hand_expect(&t, BGP_OPEN);
	hand_expect(&t, BGP_OPEN);
	hand_expect_end(&t, BGP_ERROR_HEADER, BGP_HEADER_SYNC, "", 0);
	hand_done(&t);
}

/* ---- ROUTE-REFRESH of the wrong length: whose error it is depends on what was agreed on ---- */

static void a_refresh_of_the_wrong_length_ends_the_session(void **state)
{
	static const uint8_t begin[] = {0, 1, 1, 1, 0};

	(void)state;
	for (unsigned enhanced = 0; enhanced < 2; enhanced++) {
		struct hand t;

		hand_init(&t);
		t.open.capabilities.enhanced_refresh = enhanced;
		hand_reach(&t, BGP_ESTABLISHED);
		hand_send(&t, BGP_REFRESH, begin, sizeof(begin));
		wire_run(&t.w, 10);
		if (enhanced) {
			hand_expect_end(&t, BGP_ERROR_REFRESH, BGP_REFRESH_LENGTH, NULL, 0);
			assert_int_equal(t.len, BGP_HEADER + 2 + BGP_HEADER + sizeof(begin));
		} else {
			hand_expect_end(&t, BGP_ERROR_HEADER, BGP_HEADER_LENGTH, "\0\x18", 2);
		}
		hand_done(&t);
	}
}

static void messages_are_counted_and_shown_once_each(void **state)
{
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_reach(&t, BGP_ESTABLISHED);
	hand_send_keepalive(&t);
	hand_send(&t, BGP_NOTIFICATION, (uint8_t[]){6, 4}, 2);
	wire_run(&t.w, 10);
	assert_int_equal(t.s->seen[0][BGP_OPEN], 1);
	assert_int_equal(t.s->seen[0][BGP_KEEPALIVE], 2);
	assert_int_equal(t.s->seen[0][BGP_NOTIFICATION], 1);
	assert_int_equal(t.n->messages_in, 4);
	assert_int_equal(t.s->seen[1][BGP_OPEN], 1);
	assert_true(t.s->seen[1][BGP_KEEPALIVE] >= 1);
	assert_int_equal(t.n->messages_out,
		t.s->seen[1][BGP_OPEN] + t.s->seen[1][BGP_KEEPALIVE] + t.s->seen[1][BGP_UPDATE]);
	hand_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_speakers_establish_a_session_and_keep_it),
		cmocka_unit_test(every_event_in_every_state_has_its_consequence),
		cmocka_unit_test(the_open_of_a_speaker_says_what_is_configured),
		cmocka_unit_test(what_is_switched_off_is_not_offered),
		cmocka_unit_test(an_open_of_the_wrong_peer_is_refused_with_the_reason),
		cmocka_unit_test(an_external_peer_may_have_our_identifier),
		cmocka_unit_test(only_what_both_offer_is_agreed_on),
		cmocka_unit_test(the_smaller_hold_time_counts),
		cmocka_unit_test(without_a_hold_time_there_is_neither_keepalive_nor_end),
		cmocka_unit_test(keepalives_come_in_a_third_of_the_hold_time_with_jitter),
		cmocka_unit_test(silence_for_the_hold_time_ends_the_session_and_not_earlier),
		cmocka_unit_test(a_peer_is_not_blamed_for_our_own_silence),
		cmocka_unit_test(a_peer_that_does_not_read_is_left),
		cmocka_unit_test(a_blocked_peer_costs_no_time),
		cmocka_unit_test(messages_may_be_split_anywhere),
		cmocka_unit_test(garbage_is_answered_with_a_header_error),
		cmocka_unit_test(noise_of_any_kind_ends_only_its_own_session),
		cmocka_unit_test(what_is_not_agreed_on_is_too_long),
		cmocka_unit_test(input_before_tcp_is_there_is_left_alone),
		cmocka_unit_test(the_notification_goes_behind_an_open_that_was_not_sent_yet),
		cmocka_unit_test(a_refresh_of_the_wrong_length_ends_the_session),
		cmocka_unit_test(messages_are_counted_and_shown_once_each),
	};

	return cmocka_run_group_tests_name("bgp session", tests, NULL, NULL);
}

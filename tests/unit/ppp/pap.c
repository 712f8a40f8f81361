/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PAP, each direction alone: the test plays the peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"
#include "ppp/protocol.h"

static int setup(void **state)
{
	static struct pair p;

	pair_init(&p, 1);
	p.alone = true;
	p.sc.config.demand[0] = PPP_METHOD_PAP;
	p.sc.config.give = 1 << PPP_METHOD_PAP;
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

static struct end *authenticator(struct pair *p)
{
	pair_open(p);
	end_lcp_open(&p->sc, false);
	return &p->sc;
}

static void request(struct end *e, uint8_t id, const char *name, const char *password)
{
	uint8_t data[64];
	struct writer w = writer_of(data, sizeof(data));

	writer_u8(&w, (uint8_t)strlen(name));
	writer_bytes(&w, name, strlen(name));
	writer_u8(&w, (uint8_t)strlen(password));
	writer_bytes(&w, password, strlen(password));
	end_packet(e, PPP_PAP, PAP_REQUEST, id, data, writer_len(&w));
}

static struct end *authenticatee(struct pair *p)
{
	p->sc.config.demand_auth = false;
	p->sc.config.give_auth = true;
	p->sc.config.name = "alice";
	p->sc.own_secret = "secret";
	pair_open(p);
	end_lcp_open_by(&p->sc, PPP_METHOD_PAP);
	return &p->sc;
}

#define REQUEST(id)                                                                                          \
	0xff, 0x03, 0xc0, 0x23, 1, id, 0, 17, 5, 'a', 'l', 'i', 'c', 'e', 6, 's', 'e', 'c', 'r', 'e', 't'

/* ---- the authenticator ---- */

/* proves: HS-PPP-11 partial */
static void right_password_gets_ack(void **state)
{
	struct end *e = authenticator(*state);

	assert_null(end_last(e, PPP_PAP, 0)); /* the peer begins */
	request(e, 9, "alice", "secret");
	ASSERT_FRAME(end_last(e, PPP_PAP, 0), 0xff, 0x03, 0xc0, 0x23, 2, 9, 0, 12, 7, 'w', 'e', 'l', 'c', 'o',
		'm', 'e');
	assert_true(e->claim_ok);
	assert_int_equal(e->claim.protocol, PPP_PAP);
	assert_int_equal(e->claim.id, 9);
	assert_int_equal(e->authenticated, 1);
}

static void wrong_password_gets_nak_and_ends_the_link(void **state)
{
	static const struct {
		const char *name, *password;
	} table[] = {{"alice", "guess"}, {"alice", ""}, {"", ""}, {"bob", "secret"}, {"alice", "secretx"}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pair *p = *state;
		struct end *e;

		teardown(state);
		setup(state);
		e = authenticator(p);
		request(e, 9, table[i].name, table[i].password);
		assert_int_equal(end_last(e, PPP_PAP, 0)->bytes[4], PAP_NAK);
		assert_int_equal(end_last(e, PPP_PAP, 0)->bytes[8], strlen("wrong password"));
		assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_TERMINATE_REQUEST);
		request(e, 10, "alice", "secret"); /* no second try */
		pair_run(p, 10000);
		assert_int_equal(e->verifies, 1);
		assert_int_equal(e->authenticated, 0);
		assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_PEER);
		assert_string_equal(e->why.text, "PAP: we refused the peer: wrong password");
	}
}

static void repeated_request_after_ack_gets_ack_without_verifying(void **state)
{
	struct end *e = authenticator(*state);

	request(e, 9, "alice", "secret");
	request(e, 10, "alice", "secret");
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0xc0, 0x23, 2, 10, 0, 5, 0);
	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 9);
	end_ack(e, PPP_IPV6CP);
	assert_null(e->link.auth);
	request(e, 11, "alice", "nonsense"); /* the same reply code, whatever it says */
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0xc0, 0x23, 2, 11, 0, 5, 0);
	assert_int_equal(e->verifies, 1);
	assert_int_equal(e->authenticated, 1);
}

static void pending_verification_is_not_asked_twice_and_answers_the_newest(void **state)
{
	struct pair *p = *state;
	struct end *e = authenticator(p);

	e->later = true;
	for (uint8_t id = 5; id < 8; id++)
		request(e, id, "alice", "secret");
	assert_int_equal(e->verifies, 1);
	assert_null(end_last(e, PPP_PAP, 0));
	ppp_link_verified(&e->link, true, NULL, p->now);
	ASSERT_FRAME(end_last(e, PPP_PAP, 0), 0xff, 0x03, 0xc0, 0x23, 2, 7, 0, 5, 0);
	ppp_link_verified(&e->link, false, "twice", p->now);
	assert_int_equal(e->authenticated, 1);
	assert_false(e->link.failing);
}

static void long_names_and_passwords_are_taken_whole(void **state)
{
	struct end *e = authenticator(*state);
	uint8_t data[512];

	memset(data, 'x', sizeof(data));
	data[0] = data[256] = 255;
	end_packet(e, PPP_PAP, PAP_REQUEST, 9, data, sizeof(data));
	assert_int_equal(e->claim.name_len, 255);
	assert_int_equal(e->claim.response_len, 255);
}

static void malformed_packets_are_dropped(void **state)
{
	static const struct {
		const char *name;
		uint8_t frame[32];
		size_t len;
	} table[] = {
		{"no header", {0xc0, 0x23}, 2},
		{"half a header", {0xc0, 0x23, 1, 1, 0}, 5},
		{"length below the header", {0xc0, 0x23, 1, 1, 0, 3}, 6},
		{"length beyond the frame", {0xc0, 0x23, 1, 1, 0, 40, 1, 'a', 1, 'b'}, 10},
		{"code 0", {0xc0, 0x23, 0, 1, 0, 4}, 6},
		{"code 4", {0xc0, 0x23, 4, 1, 0, 4}, 6},
		{"request without anything", {0xc0, 0x23, 1, 1, 0, 4}, 6},
		{"name beyond the packet", {0xc0, 0x23, 1, 1, 0, 8, 9, 'a', 1, 'b'}, 10},
		{"name that takes all", {0xc0, 0x23, 1, 1, 0, 8, 3, 'a', 1, 'b'}, 10},
		{"password beyond the packet", {0xc0, 0x23, 1, 1, 0, 8, 1, 'a', 2, 'b'}, 10},
		{"password beyond the packet, into the padding", {0xc0, 0x23, 1, 1, 0, 7, 1, 'a', 1, 'b'},
			10},
		{"Ack that nobody waits for", {0xc0, 0x23, 2, 1, 0, 5, 0}, 7},
		{"Nak that nobody waits for", {0xc0, 0x23, 3, 1, 0, 5, 0}, 7},
	};
	struct end *e = authenticator(*state);
	struct ppp_counters *c = &e->counters;
	size_t sent = e->sent_count;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		end_frame(e, table[i].frame, table[i].len);
		if (e->sent_count != sent || c->bad_frame + c->bad_code + c->bad_auth + c->bad_phase != i + 1)
			fail_msg("%s", table[i].name);
	}
	assert_int_equal(e->verifies, 0);
	request(e, 9, "alice", "secret");
	assert_int_equal(e->authenticated, 1);
}

/* ---- the peer ---- */

/* proves: HS-PPP-11 partial */
static void says_name_and_password(void **state)
{
	struct end *e = authenticatee(*state);
	uint8_t id = end_last(e, 0, 0)->bytes[5];

	ASSERT_FRAME(end_last(e, 0, 0), REQUEST(id));
	assert_string_equal(e->peer_name, "");
	assert_int_equal(e->authenticated, 0);
	end_packet_of(e, PPP_PAP, PAP_ACK, id, 2, 'h', 'i');
	assert_int_equal(e->authenticated, 1);
	end_packet_of(e, PPP_PAP, PAP_NAK, id, 0); /* too late */
	assert_int_equal(e->counters.bad_phase, 1);
	pair_run(e->pair, 10000);
	assert_int_equal(end_count(e, PPP_PAP, 0), 1);
}

static void a_request_that_nobody_demands_is_dropped(void **state)
{
	struct end *e = authenticatee(*state);

	request(e, 9, "alice", "secret");
	assert_int_equal(e->counters.bad_phase, 1);
	assert_int_equal(e->verifies, 0);
	assert_null(end_last(e, PPP_PAP, PAP_ACK));
}

static void request_is_repeated_with_new_identifiers_until_there_is_a_verdict(void **state)
{
	struct end *e = authenticatee(*state);
	uint8_t id = end_last(e, 0, 0)->bytes[5];

	e->config.auth_ms = 100000;
	e->link.auth->phase_at = MSEC_NEVER;
	pair_run(e->pair, 7000);
	assert_int_equal(end_count(e, PPP_PAP, PAP_REQUEST), 3);
	ASSERT_FRAME(end_last(e, 0, 0), REQUEST((uint8_t)(id + 2)));
	assert_int_equal(e->secrets, 1);
	end_packet_of(e, PPP_PAP, PAP_ACK, (uint8_t)(id + 3), 0);
	end_packet_of(e, PPP_PAP, PAP_ACK, (uint8_t)(id - 1), 0);
	assert_int_equal(e->counters.bad_id, 2);
	pair_run(e->pair, 60000);
	assert_int_equal(end_count(e, PPP_PAP, PAP_REQUEST), 10);
	assert_int_equal(e->why.cause, PPP_CAUSE_TIMEOUT);
	assert_string_equal(e->why.text, "PAP: no verdict after 10 requests");
}

/* The verifier behind the peer takes longer than our patience with a request. */
static void a_late_answer_to_an_earlier_request_counts(void **state)
{
	struct end *e = authenticatee(*state);
	uint8_t id = end_last(e, 0, 0)->bytes[5];

	pair_run(e->pair, 7000);
	end_packet_of(e, PPP_PAP, PAP_ACK, id, 0);
	assert_int_equal(e->authenticated, 1);
}

static void the_message_does_not_matter(void **state)
{
	static const struct {
		const char *name;
		uint8_t data[8];
		size_t len;
		const char *text; /* of a Nak */
	} table[] = {
		{"a message", {2, 'n', 'o'}, 3, "PAP: peer says: no"},
		{"what does not print", {4, 'n', 0, 0x1b, 0xff}, 5, "PAP: peer says: n???"},
		{"none", {0}, 1, "PAP: peer says: (nothing)"},
		{"not even a length", {0}, 0, "PAP: peer says: (nothing)"},
		{"too long", {200, 'n', 'o'}, 3, "PAP: peer says: no"},
		{"too short", {1, 'n', 'o'}, 3, "PAP: peer says: no"},
	};

	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		struct pair *p = *state;
		struct end *e;

		teardown(state);
		setup(state);
		e = authenticatee(p);
		end_packet(e, PPP_PAP, i & 1 ? PAP_NAK : PAP_ACK, end_last(e, 0, 0)->bytes[5],
			table[i / 2].data, table[i / 2].len);
		if (e->authenticated != !(i & 1))
			fail_msg("%s", table[i / 2].name);
		pair_run(p, 10000);
		if (i & 1) {
			assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_SELF);
			assert_string_equal(e->why.text, table[i / 2].text);
		}
	}
}

static void secret_that_comes_late_is_sent_when_it_comes(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->later = true;
	authenticatee(p);
	assert_null(end_last(e, PPP_PAP, 0));
	pair_run(p, 5000);
	assert_null(end_last(e, PPP_PAP, 0));
	ppp_link_secret(&e->link, "secret", 6, p->now);
	assert_int_equal(end_count(e, PPP_PAP, PAP_REQUEST), 1);
}

static void no_secret_or_one_too_long_ends_the_link(void **state)
{
	static const char *const texts[] = {
		"PAP: we have no secret for this peer", "PAP: our password is too long"};
	static const char password[256] = {0};

	for (int i = 0; i < 2; i++) {
		struct pair *p = *state;

		teardown(state);
		setup(state);
		p->sc.later = true;
		authenticatee(p);
		ppp_link_secret(&p->sc.link, password, i ? sizeof(password) : 0, p->now);
		pair_run(p, 10000);
		assert_int_equal(p->sc.why.cause, PPP_CAUSE_AUTH_SELF);
		assert_string_equal(p->sc.why.text, texts[i]);
	}
}

/* proves: SEC-HS-16 partial */
static void the_password_is_held_until_the_peer_has_proven_itself(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->config.give_auth = e->config.prove_last = true;
	e->own_secret = "ours";
	pair_open(p);
	end_lcp_open_by(e, PPP_METHOD_PAP);
	pair_run(p, 10000);
	assert_int_equal(e->secrets, 0);
	assert_null(end_last(e, PPP_PAP, PAP_REQUEST));
	request(e, 9, "alice", "secret");
	assert_int_equal(e->secrets, 1);
	assert_int_equal(end_count(e, PPP_PAP, PAP_REQUEST), 1);
	assert_int_equal(e->authenticated, 0);
	end_packet_of(e, PPP_PAP, PAP_ACK, end_last(e, PPP_PAP, PAP_REQUEST)->bytes[5], 0);
	assert_int_equal(e->authenticated, 1);
}

static void the_password_is_wiped_with_the_verdict(void **state)
{
	struct end *e = authenticatee(*state);

	assert_memory_equal(e->link.auth->in.value, "secret", 6);
	end_packet_of(e, PPP_PAP, PAP_ACK, end_last(e, 0, 0)->bytes[5], 0);
	assert_memory_equal(e->link.auth->in.value, "\0\0\0\0\0\0", 6);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(right_password_gets_ack),
		TEST(wrong_password_gets_nak_and_ends_the_link),
		TEST(repeated_request_after_ack_gets_ack_without_verifying),
		TEST(pending_verification_is_not_asked_twice_and_answers_the_newest),
		TEST(long_names_and_passwords_are_taken_whole),
		TEST(malformed_packets_are_dropped),
		TEST(says_name_and_password),
		TEST(a_request_that_nobody_demands_is_dropped),
		TEST(request_is_repeated_with_new_identifiers_until_there_is_a_verdict),
		TEST(a_late_answer_to_an_earlier_request_counts),
		TEST(the_message_does_not_matter),
		TEST(secret_that_comes_late_is_sent_when_it_comes),
		TEST(no_secret_or_one_too_long_ends_the_link),
		TEST(the_password_is_held_until_the_peer_has_proven_itself),
		TEST(the_password_is_wiped_with_the_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

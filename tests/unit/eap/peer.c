/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The peer alone: the test plays the server, also a bad one. */
#include "certs.h"
#include "pair.h"

#define BYTES(...)  (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define REPEAT16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x

struct lone {
	struct eap_peer_config config;
	struct eap_peer *peer;
	struct eap_tls *tls;
	struct eap_reply reply;
	char why[EAP_WHY];
};

static struct lone lone;

static int setup_tls(void **state)
{
	struct ca ca = ca_make("CA");
	char why[EAP_WHY];

	lone.tls = eap_tls_new(false, NULL, NULL, ca.pem, NULL, why);
	ca_free(&ca);
	return lone.tls ? 0 : -1;
}

static int done_tls(void **state)
{
	eap_tls_free(lone.tls);
	return 0;
}

static void renew(void)
{
	eap_peer_free(lone.peer);
	lone.peer = eap_peer_new(&lone.config);
	assert_non_null(lone.peer);
}

static int setup(void **state)
{
	struct eap_tls *tls = lone.tls;

	lone = (struct lone){.tls = tls};
	lone.config = (struct eap_peer_config){
		.identity = "alice", .secret = "secret", .secret_len = 6, .tls = tls};
	renew();
	return 0;
}

static int teardown(void **state)
{
	eap_peer_free(lone.peer);
	lone.peer = NULL;
	return 0;
}

static enum eap_verdict give(const uint8_t *packet, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	enum eap_verdict v;

	if (len)
		memcpy(exact, packet, len);
	v = eap_peer_input(lone.peer, exact, len, &lone.reply, lone.why);
	free(exact);
	return v;
}

#define GIVE(...) give(BYTES(__VA_ARGS__))

/* That the last packet was answered by these bytes. */
static void assert_reply(const uint8_t *bytes, size_t len)
{
	assert_int_equal(lone.reply.len, len);
	assert_memory_equal(lone.reply.packet, bytes, len);
}

static void assert_ignored(enum eap_verdict v, const char *why)
{
	assert_int_equal(v, EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 0);
	assert_string_equal(lone.why, why);
}

static void answers_identity_as_often_as_it_is_asked_before_the_method(void **state)
{
	assert_int_equal(GIVE(1, 7, 0, 11, 1, 'L', 'o', 'g', 'i', 'n', ':'), EAP_CONTINUE);
	assert_reply(BYTES(2, 7, 0, 10, 1, 'a', 'l', 'i', 'c', 'e'));
	assert_string_equal(lone.why, "");
	assert_int_equal(GIVE(1, 8, 0, 5, 1), EAP_CONTINUE);
	assert_reply(BYTES(2, 8, 0, 10, 1, 'a', 'l', 'i', 'c', 'e'));
	assert_int_equal(GIVE(1, 9, 0, 22, 4, 16, REPEAT16(1)), EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 27);
	assert_ignored(GIVE(1, 10, 0, 5, 1), "a request of a type that cannot be here");
}

static void naks_what_it_cannot_do_with_what_it_would_rather_do(void **state)
{
	assert_int_equal(GIVE(1, 1, 0, 6, 25, 0x20), EAP_CONTINUE); /* PEAP */
	assert_reply(BYTES(2, 1, 0, 7, 3, 13, 4));
	assert_int_equal(GIVE(1, 2, 0, 12, 254, 0, 0, 0, 0, 0, 0, 5), EAP_CONTINUE); /* an expanded type */
	assert_reply(BYTES(2, 2, 0, 7, 3, 13, 4));
	lone.config.tls = NULL;
	assert_int_equal(GIVE(1, 3, 0, 6, 13, 0x20), EAP_CONTINUE);
	assert_reply(BYTES(2, 3, 0, 6, 3, 4));
	lone.config.secret_len = 0;
	assert_int_equal(GIVE(1, 4, 0, 6, 13, 0x20), EAP_CONTINUE);
	assert_reply(BYTES(2, 4, 0, 6, 3, 0));
	lone.config.tls = lone.tls;
	assert_int_equal(GIVE(1, 5, 0, 22, 4, 16, REPEAT16(1)), EAP_CONTINUE);
	assert_reply(BYTES(2, 5, 0, 6, 3, 13));
	/* A Nak has begun nothing. */
	assert_int_equal(GIVE(1, 6, 0, 6, 13, 0x20), EAP_CONTINUE);
	assert_int_equal(lone.reply.packet[4], EAP_TLS);
	assert_ignored(GIVE(1, 7, 0, 6, 25, 0x20), "a request of a type that cannot be here");
}

static void shows_notifications(void **state)
{
	assert_int_equal(GIVE(1, 1, 0, 13, 2, 'G', 'o', 'o', 'd', ' ', '\n', 'd', 'a'), EAP_CONTINUE);
	assert_reply(BYTES(2, 1, 0, 5, 2));
	assert_string_equal(lone.why, "Good ?da");
	GIVE(1, 2, 0, 22, 4, 16, REPEAT16(1));
	assert_int_equal(GIVE(1, 3, 0, 6, 2, 'x'), EAP_CONTINUE);
	assert_reply(BYTES(2, 3, 0, 5, 2));
	assert_string_equal(lone.why, "x");
	assert_int_equal(GIVE(3, 3, 0, 4), EAP_OK); /* it does not change the state */
}

static void a_request_is_answered_once(void **state)
{
	assert_int_equal(GIVE(1, 0, 0, 5, 1), EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 10);
	assert_ignored(GIVE(1, 0, 0, 5, 1), "a request that was answered before");
	assert_ignored(GIVE(1, 0, 0, 22, 4, 16, REPEAT16(1)), "a request that was answered before");
}

/* RFC 3748 section 4.2: a canned Success gets nobody anywhere. */
static void success_must_be_earned(void **state)
{
	assert_ignored(GIVE(3, 0, 0, 4), "a result that is not for our last response");
	GIVE(1, 1, 0, 5, 1);
	assert_ignored(GIVE(3, 1, 0, 4), "Success before the end of a method");
	GIVE(1, 2, 0, 6, 25, 0x20);
	assert_ignored(GIVE(3, 2, 0, 4), "Success before the end of a method");
	GIVE(1, 3, 0, 6, 2, 'x');
	assert_ignored(GIVE(3, 3, 0, 4), "Success before the end of a method");
	GIVE(1, 4, 0, 22, 4, 16, REPEAT16(1));
	assert_ignored(GIVE(3, 9, 0, 4), "a result that is not for our last response");
	assert_int_equal(GIVE(3, 4, 0, 4), EAP_OK);
	assert_int_equal(GIVE(3, 4, 0, 4), EAP_REFUSED);
	assert_string_equal(lone.why, "the exchange is over");
}

/* proves: SEC-HS-16 partial */
static void tls_is_not_over_before_the_server_has_proven_itself(void **state)
{
	GIVE(1, 1, 0, 6, 13, 0x20);
	assert_int_equal(lone.reply.packet[4], EAP_TLS);
	assert_true(lone.reply.len > 100); /* ClientHello */
	assert_ignored(GIVE(3, 1, 0, 4), "Success before the end of a method");
	assert_int_equal(GIVE(1, 2, 0, 6, 13, 0), EAP_REFUSED);
	assert_string_equal(lone.why, "EAP-TLS: the server sends nothing where a message is due");
}

static void failure_ends_it(void **state)
{
	assert_ignored(GIVE(4, 0, 0, 4), "a result that is not for our last response");
	GIVE(1, 1, 0, 5, 1);
	assert_ignored(GIVE(4, 7, 0, 4), "a result that is not for our last response");
	assert_int_equal(GIVE(4, 1, 0, 4), EAP_REFUSED);
	assert_string_equal(lone.why, "the server refuses us before a method was agreed on");
	assert_int_equal(GIVE(1, 2, 0, 5, 1), EAP_REFUSED);
	assert_string_equal(lone.why, "the exchange is over");
	renew();
	GIVE(1, 255, 0, 22, 4, 16, REPEAT16(1));
	assert_int_equal(GIVE(4, 0, 0, 4), EAP_REFUSED); /* one more than our response: some servers do */
	assert_string_equal(lone.why, "the server refuses us: wrong user name or password");
	renew();
	GIVE(1, 1, 0, 6, 13, 0x20);
	assert_int_equal(GIVE(4, 1, 0, 4), EAP_REFUSED);
	assert_string_equal(lone.why, "the server refuses us");
}

static void another_challenge_is_answered_too(void **state)
{
	uint8_t first[16];

	GIVE(1, 1, 0, 22, 4, 16, REPEAT16(1));
	memcpy(first, lone.reply.packet + 6, 16);
	assert_int_equal(GIVE(1, 2, 0, 22, 4, 16, REPEAT16(2)), EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 27);
	assert_memory_not_equal(first, lone.reply.packet + 6, 16);
}

static const struct bad {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	enum eap_verdict verdict;
	const char *why;
} bad[] = {
	{"nothing", NULL, 0, EAP_CONTINUE, "shorter than an EAP header"},
	{"a lying length", BYTES(1, 1, 1, 0, 1), EAP_CONTINUE, "the length is more than has come"},
	{"no type", BYTES(1, 1, 0, 4, 1), EAP_CONTINUE, "a request or response without a type"},
	{"a response", BYTES(2, 1, 0, 5, 1), EAP_CONTINUE, "not a request"},
	{"a Nak as a request", BYTES(1, 1, 0, 6, 3, 4), EAP_CONTINUE,
		"a request of a type that cannot be here"},
	{"Success with data", BYTES(3, 1, 0, 5, 1), EAP_CONTINUE, "Success or Failure with data"},
	{"code 6", BYTES(6, 1, 0, 5, 1), EAP_CONTINUE, "an unknown code"},
	{"MD5 without a value", BYTES(1, 1, 0, 5, 4), EAP_REFUSED, "the server's MD5 challenge is malformed"},
	{"MD5 with an empty value", BYTES(1, 1, 0, 6, 4, 0), EAP_REFUSED,
		"the server's MD5 challenge is malformed"},
	{"MD5 with less than it says", BYTES(1, 1, 0, 8, 4, 3, 1, 2), EAP_REFUSED,
		"the server's MD5 challenge is malformed"},
	{"TLS without flags", BYTES(1, 1, 0, 5, 13), EAP_REFUSED,
		"EAP-TLS: the server does not begin with Start"},
	{"TLS without Start", BYTES(1, 1, 0, 6, 13, 0), EAP_REFUSED,
		"EAP-TLS: the server does not begin with Start"},
	{"TLS Start with data", BYTES(1, 1, 0, 7, 13, 0x20, 22), EAP_REFUSED,
		"EAP-TLS: the server does not begin with Start"},
};

static void ignores_or_refuses_bad_input_with_a_reason(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum eap_verdict v;

		renew();
		v = give(bad[i].bytes, bad[i].len);
		if (v != bad[i].verdict || strcmp(lone.why, bad[i].why) != 0 || lone.reply.len)
			fail_msg("%s: %d \"%s\"", bad[i].name, v, lone.why);
		assert_int_equal(GIVE(1, 1, 0, 5, 1), bad[i].verdict);
		assert_int_equal(lone.reply.len, bad[i].verdict == EAP_CONTINUE ? 10 : 0);
	}
}

static void nobody_takes_more_than_64_round_trips(void **state)
{
	for (unsigned i = 1; i <= EAP_TRIPS_MAX; i++)
		assert_int_equal(GIVE(1, (uint8_t)i, 0, 5, 1), EAP_CONTINUE);
	assert_int_equal(GIVE(1, EAP_TRIPS_MAX + 1, 0, 5, 1), EAP_REFUSED);
	assert_string_equal(lone.why, "more than 64 round trips");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_identity_as_often_as_it_is_asked_before_the_method),
		TEST(naks_what_it_cannot_do_with_what_it_would_rather_do),
		TEST(shows_notifications),
		TEST(a_request_is_answered_once),
		TEST(success_must_be_earned),
		TEST(tls_is_not_over_before_the_server_has_proven_itself),
		TEST(failure_ends_it),
		TEST(another_challenge_is_answered_too),
		TEST(ignores_or_refuses_bad_input_with_a_reason),
		TEST(nobody_takes_more_than_64_round_trips),
	};

	return cmocka_run_group_tests(tests, setup_tls, done_tls);
}

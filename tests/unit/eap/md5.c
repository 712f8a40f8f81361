/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MD5-Challenge: the computation, and both ends of it. */
#include "pair.h"

/* MD5 over 07 "secret-of-alice" 01..10, made with openssl dgst -md5 (RFC 1994 section 4.1). */
static const uint8_t challenge[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t golden[16] = {
	0x23, 0x54, 0x5c, 0xb2, 0x31, 0x28, 0xfa, 0x27, 0x70, 0x02, 0xc0, 0x75, 0xb0, 0x3b, 0xf4, 0x7d};

static int setup(void **state)
{
	static struct pair p;

	pair_init(&p);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

static void agrees_with_a_response_made_by_hand(void **state)
{
	uint8_t value[16];

	assert_true(eap_md5(7, "secret-of-alice", 15, challenge, sizeof(challenge), value));
	assert_memory_equal(value, golden, sizeof(golden));
	assert_true(eap_md5(8, "secret-of-alice", 15, challenge, sizeof(challenge), value));
	assert_memory_not_equal(value, golden, sizeof(golden));
}

static void run(struct pair *p, const char *identity, const char *theirs, const char *ours)
{
	p->peer_config.identity = identity;
	p->peer_config.secret = theirs;
	p->peer_config.secret_len = strlen(theirs);
	p->secret = ours;
	pair_run(p);
}

/* proves: HS-PPP-11 partial, SEC-HS-14 partial */
static void lets_in_who_knows_the_secret(void **state)
{
	struct pair *p = *state;

	run(p, "alice", "secret-of-alice", "secret-of-alice");
	assert_int_equal(p->server_verdict, EAP_OK);
	assert_int_equal(p->peer_verdict, EAP_OK);
	assert_string_equal(eap_server_name(p->server), "alice");
	assert_int_equal(eap_server_method(p->server), EAP_MD5);
	assert_int_equal(p->trips, 2);
	assert_int_equal(p->secrets, 1);
	/* The challenge carries our name, the response theirs. */
	assert_memory_equal(p->packets[2].packet + 4, ((uint8_t[]){EAP_MD5, 16}), 2);
	assert_memory_equal(p->packets[2].packet + 22, "sc.example.net", 14);
	assert_memory_equal(p->packets[3].packet + 22, "alice", 5);
	assert_int_equal(p->packets[3].len, 27);
}

static void refuses_everybody_else(void **state)
{
	struct pair *p = *state;
	uint8_t first[16];

	run(p, "alice", "secret-of-alicE", "secret-of-alice");
	assert_int_equal(p->server_verdict, EAP_REFUSED);
	assert_string_equal(p->server_why, "wrong password");
	assert_int_equal(p->peer_verdict, EAP_REFUSED);
	assert_string_equal(p->peer_why, "the server refuses us: wrong user name or password");
	memcpy(first, p->packets[2].packet + 6, 16);
	run(p, "bob", "secret-of-bob", NULL);
	assert_int_equal(p->server_verdict, EAP_REFUSED);
	assert_string_equal(p->server_why, "unknown user");
	assert_string_equal(p->peer_why, "the server refuses us: wrong user name or password");
	assert_int_equal(p->secrets, 1);
	assert_memory_not_equal(first, p->packets[2].packet + 6, 16); /* no challenge is used twice */
	/* The zeros that stand for nobody's secret are nobody's. */
	p->peer_config.secret = (uint8_t[16]){0};
	p->peer_config.secret_len = 16;
	pair_run(p);
	assert_int_equal(p->server_verdict, EAP_REFUSED);
	assert_string_equal(p->server_why, "unknown user");
}

static void values_without_bytes_are_malformed(void **state)
{
	static const uint8_t bad[][4] = {{0}, {0, 'a', 'b', 'c'}, {4, 1, 2, 3}, {255, 1, 2, 3}};
	struct reader r = reader_of(NULL, 0);
	size_t len = 99;

	assert_null(eap_md5_value(&r, &len));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = reader_of(bad[i], 4);
		assert_null(eap_md5_value(&r, &len));
	}
	assert_int_equal(len, 99);
	r = reader_of((uint8_t[]){3, 1, 2, 3}, 4);
	assert_non_null(eap_md5_value(&r, &len));
	assert_int_equal(len, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(agrees_with_a_response_made_by_hand),
		TEST(lets_in_who_knows_the_secret),
		TEST(refuses_everybody_else),
		TEST(values_without_bytes_are_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims of each protocol: who gets in, and what the log and the peer are told. */
#include "fixture.h"

#include "aaa/verify.h"
#include "ppp/packet.h"

/* RFC 2759 section 9.2. */
static const uint8_t challenge[16] = {
	0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
static const uint8_t golden[49] = {0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f, 0x2b,
	0x3a, 0x33, 0x7c, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70, 0x8b, 0x5e, 0xa0,
	0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d, 0x85, 0xd6, 0xdf, 0};
/* MD5 over 07 "clientPass" and the challenge, by another implementation. */
static const uint8_t golden_md5[16] = {
	0x94, 0x06, 0xa3, 0x6e, 0xca, 0xc6, 0xd6, 0x7a, 0xac, 0xb4, 0x5a, 0xc2, 0x6b, 0x09, 0x1e, 0x11};

static const char users_text[] = "users = ( { name = \"User\"; secret = \"clientPass\"; softwires = 3; },\n"
				 "  { name = \"BIGCO\\\\User\"; secret = \"clientPass\"; },\n"
				 "  { name = \"card\"; server-secret = \"s\"; },\n"
				 "  { name = \"long\"; secret = \""
				 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"; } );\n";

struct answer {
	unsigned count;
	bool ok;
	char name[AAA_NAME_MAX + 1], why[128], message[256];
};

static void verified(void *owner, bool ok, const struct aaa_user *user, const char *why, const char *message)
{
	struct answer *v = owner;

	v->count++;
	v->ok = ok;
	assert_int_equal(user != NULL, ok);
	snprintf(v->name, sizeof(v->name), "%s", user ? user->name : "");
	snprintf(v->why, sizeof(v->why), "%s", why);
	snprintf(v->message, sizeof(v->message), "%s", message);
}

static int setup(void **state)
{
	*state = aaa_new(NULL);
	assert_non_null(*state);
	load_good(*state, users_text);
	return 0;
}

static int teardown(void **state)
{
	aaa_free(*state);
	return 0;
}

static struct aaa_claim claim_of(
	uint16_t protocol, uint8_t algorithm, const char *name, const void *response, size_t len)
{
	return (struct aaa_claim){
		.protocol = protocol,
		.algorithm = algorithm,
		.id = 7,
		.name = (const uint8_t *)name,
		.name_len = strlen(name),
		.challenge = protocol == PPP_PAP ? NULL : challenge,
		.challenge_len = protocol == PPP_PAP ? 0 : sizeof(challenge),
		.response = response,
		.response_len = len,
	};
}

static struct answer verify(struct aaa *a, const struct aaa_claim *claim)
{
	struct answer v = {0};

	aaa_verify(a, claim, verified, &v);
	assert_int_equal(v.count, 1);
	return v;
}

static struct answer verify_mschap(struct aaa *a, const char *name, const void *response, size_t len)
{
	struct aaa_claim claim = claim_of(PPP_CHAP, CHAP_MSCHAPV2, name, response, len);

	return verify(a, &claim);
}

static struct answer verify_pap(struct aaa *a, const char *name, const char *password)
{
	struct aaa_claim claim = claim_of(PPP_PAP, 0, name, password, strlen(password));

	return verify(a, &claim);
}

/* "E=691 R=0 C=<32 hexadecimal digits> V=3 M=...": RFC 2759 section 6. */
static void assert_mschap_refusal(const char *message)
{
	static const char text[] = " V=3 M=wrong user name or password";

	assert_memory_equal(message, "E=691 R=0 C=", 12);
	assert_int_equal(strspn(message + 12, "0123456789ABCDEF"), 32);
	assert_string_equal(message + 44, text);
}

/* proves: HS-PPP-11 partial, SEC-HS-14 partial */
static void mschap_lets_in_who_knows_the_secret_and_proves_ours(void **state)
{
	struct answer v = verify_mschap(*state, "User", golden, sizeof(golden));

	assert_true(v.ok);
	assert_string_equal(v.why, "");
	assert_string_equal(v.name, "User");
	assert_string_equal(v.message, "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=welcome");
	/* Another user, by the whole name, with the same response. */
	v = verify_mschap(*state, "BIGCO\\User", golden, sizeof(golden));
	assert_true(v.ok);
	assert_string_equal(v.name, "BIGCO\\User");
}

static void mschap_refuses_everything_else(void **state)
{
	uint8_t response[sizeof(golden)];
	struct answer v, w;

	for (unsigned i = 0; i < sizeof(golden); i++) {
		if ((i >= 16 && i < 24) || i == 48)
			continue; /* reserved */
		memcpy(response, golden, sizeof(response));
		response[i] ^= 1;
		v = verify_mschap(*state, "User", response, sizeof(response));
		assert_false(v.ok);
		assert_string_equal(v.why, "wrong password");
		assert_mschap_refusal(v.message);
	}
	v = verify_mschap(*state, "user", golden, sizeof(golden));
	assert_false(v.ok);
	assert_string_equal(v.why, "unknown user");
	assert_mschap_refusal(v.message);
	w = verify_mschap(*state, "user", golden, sizeof(golden));
	assert_string_not_equal(v.message, w.message); /* a challenge is used once */
	v = verify_mschap(*state, "card", golden, sizeof(golden));
	assert_false(v.ok);
	assert_string_equal(v.why, "the user has no secret, only a certificate can do");
	assert_mschap_refusal(v.message);
	v = verify_mschap(*state, "BIGCO\\card", golden, sizeof(golden));
	assert_string_equal(v.why, "unknown user");
}

static void pap_compares_the_whole_password(void **state)
{
	static const char *const wrong[] = {"", "clientPas", "clientPass ", "clientPasS", "ClientPass",
		"clientPassclientPassclientPassclientPassclientPassclientPassclientPassclientPassclientPasscl"
		"ientPass"
		"clientPassclientPassclientPassclientPassclientPassclientPassclientPassclientPassclientPasscl"
		"ientPass"
		"clientPassclientPassclientPassclientPassclientPassclientPassclientPassclientPassclientPasscl"
		"ientPass"};
	struct answer v = verify_pap(*state, "User", "clientPass");
	struct aaa_claim claim;
	char x[257];

	assert_true(v.ok);
	assert_string_equal(v.name, "User");
	assert_string_equal(v.message, "welcome");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		v = verify_pap(*state, "User", wrong[i]);
		assert_false(v.ok);
		assert_string_equal(v.why, "wrong password");
		assert_string_equal(v.message, "wrong user name or password");
	}
	claim = claim_of(PPP_PAP, 0, "User", "clientPass\0", 11);
	assert_false(verify(*state, &claim).ok);
	claim = claim_of(PPP_PAP, 0, "User", NULL, 0);
	assert_false(verify(*state, &claim).ok);
	memset(x, 'x', sizeof(x));
	for (size_t len = 254; len <= 257; len++) {
		claim = claim_of(PPP_PAP, 0, "long", x, len);
		assert_int_equal(verify(*state, &claim).ok, len == 255);
	}
	v = verify_pap(*state, "nobody", "clientPass");
	assert_string_equal(v.why, "unknown user");
	v = verify_pap(*state, "card", "");
	assert_string_equal(v.why, "the user has no secret, only a certificate can do");
	v = verify_pap(*state, "card", "s");
	assert_false(v.ok);
}

/* Whatever stands in for a secret that is not there: the right answer to it is wrong. */
static void nobodys_secret_verifies_nobody(void **state)
{
	struct aaa_claim claim = claim_of(PPP_CHAP, CHAP_MSCHAPV2, "User", golden, sizeof(golden));
	struct verdict v;
	struct rng rng;

	rng_init_seed(&rng, 1);
	verify_claim(&claim, "clientPass", 10, NULL, &rng, &v);
	assert_true(v.ok);
	verify_claim(&claim, "clientPass", 10, "unknown user", &rng, &v);
	assert_false(v.ok);
	assert_string_equal(v.why, "unknown user");
	assert_mschap_refusal(v.message);
	claim = claim_of(PPP_CHAP, CHAP_MD5, "User", golden_md5, sizeof(golden_md5));
	verify_claim(&claim, "clientPass", 10, "unknown user", &rng, &v);
	assert_false(v.ok);
	claim = claim_of(PPP_PAP, 0, "User", "clientPass", 10);
	verify_claim(&claim, "clientPass", 10, "unknown user", &rng, &v);
	assert_false(v.ok);
	assert_string_equal(v.message, "wrong user name or password");
}

static void md5_still_does(void **state)
{
	struct aaa_claim claim = claim_of(PPP_CHAP, CHAP_MD5, "User", golden_md5, sizeof(golden_md5));
	struct answer v = verify(*state, &claim);

	assert_true(v.ok);
	assert_string_equal(v.message, "welcome");
	claim.name = (const uint8_t *)"card";
	v = verify(*state, &claim);
	assert_string_equal(v.why, "the user has no secret, only a certificate can do");
	assert_string_equal(v.message, "wrong user name or password");
}

/* Whatever was agreed on in LCP, a claim in another form is refused, and it is said why. */
static void refuses_claims_that_it_does_not_know(void **state)
{
	static const struct {
		const char *name;
		uint16_t protocol;
		uint8_t algorithm;
		size_t challenge_len, response_len;
		const char *why;
	} bad[] = {
		{"no protocol", 0, CHAP_MD5, 16, 16,
			"the peer used an authentication protocol other than CHAP and PAP"},
		{"EAP", PPP_EAP, 0, 16, 16,
			"the peer used an authentication protocol other than CHAP and PAP"},
		{"MS-CHAPv1", PPP_CHAP, 0x80, 8, 49,
			"the peer used a CHAP algorithm other than MD5 and MS-CHAPv2"},
		{"no algorithm", PPP_CHAP, 0, 16, 16,
			"the peer used a CHAP algorithm other than MD5 and MS-CHAPv2"},
		{"SHA-1", PPP_CHAP, 6, 16, 20, "the peer used a CHAP algorithm other than MD5 and MS-CHAPv2"},
		{"MS-CHAPv2, no response", PPP_CHAP, CHAP_MSCHAPV2, 16, 0,
			"the MS-CHAPv2 challenge or response has a wrong length"},
		{"MS-CHAPv2, short response", PPP_CHAP, CHAP_MSCHAPV2, 16, 48,
			"the MS-CHAPv2 challenge or response has a wrong length"},
		{"MS-CHAPv2, long response", PPP_CHAP, CHAP_MSCHAPV2, 16, 50,
			"the MS-CHAPv2 challenge or response has a wrong length"},
		{"MS-CHAPv2, MD5's response", PPP_CHAP, CHAP_MSCHAPV2, 16, 16,
			"the MS-CHAPv2 challenge or response has a wrong length"},
		{"MS-CHAPv2, short challenge", PPP_CHAP, CHAP_MSCHAPV2, 8, 49,
			"the MS-CHAPv2 challenge or response has a wrong length"},
		{"MD5, MS-CHAPv2's response", PPP_CHAP, CHAP_MD5, 16, 49, "wrong password"},
		{"MD5, no response", PPP_CHAP, CHAP_MD5, 16, 0, "wrong password"},
		{"MD5, short response", PPP_CHAP, CHAP_MD5, 16, 15, "wrong password"},
	};
	uint8_t response[64] = {0};

	memcpy(response, golden, sizeof(golden));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct aaa_claim claim =
			claim_of(bad[i].protocol, bad[i].algorithm, "User", response, bad[i].response_len);
		struct answer v;

		claim.challenge_len = bad[i].challenge_len;
		v = verify(*state, &claim);
		if (v.ok || strcmp(v.why, bad[i].why) != 0)
			fail_msg("%s: %d \"%s\"", bad[i].name, v.ok, v.why);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mschap_lets_in_who_knows_the_secret_and_proves_ours),
		TEST(mschap_refuses_everything_else),
		TEST(pap_compares_the_whole_password),
		TEST(nobodys_secret_verifies_nobody),
		TEST(md5_still_does),
		TEST(refuses_claims_that_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CHAP responses, secrets from files, and answers that come in the loop's next iteration. */
#include "fixture.h"

#include "ppp/packet.h"

/* MD5 over 07 "secret-of-alice" 01..10, made with openssl dgst -md5 (RFC 1994 section 4.1). */
static const uint8_t challenge[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t golden[16] = {
	0x23, 0x54, 0x5c, 0xb2, 0x31, 0x28, 0xfa, 0x27, 0x70, 0x02, 0xc0, 0x75, 0xb0, 0x3b, 0xf4, 0x7d};
static const char users_text[] =
	"users = { alice = { secret = \"secret-of-alice\"; server-secret = \"of-sc\"; softwires = 3; }; };\n"
	"peers = ( { address = \"192.0.2.1\"; tunnel-secret = \"tunnel\"; } );";

struct verdict {
	unsigned count, *order, mine;
	bool ok;
	struct aaa_user user;
	char why[64], secret[64];
	struct aaa *again; /* asks once more from inside the answer */
};

static void verified(void *owner, bool ok, const struct aaa_user *user, const char *why, const char *message)
{
	struct verdict *v = owner;

	v->count++;
	v->ok = ok;
	assert_int_equal(user != NULL, ok);
	if (user)
		v->user = *user;
	snprintf(v->why, sizeof(v->why), "%s", why);
	if (v->order)
		v->mine = ++*v->order;
}

static void got_secret(void *owner, const void *secret, size_t len)
{
	struct verdict *v = owner;

	v->count++;
	snprintf(v->secret, sizeof(v->secret), "%.*s", (int)len, (const char *)secret);
	if (v->order)
		v->mine = ++*v->order;
	if (v->again)
		aaa_server_secret(v->again, "alice", got_secret, v);
	v->again = NULL;
}

static struct aaa_claim chap_of(const char *name)
{
	return (struct aaa_claim){
		.name = (const uint8_t *)name,
		.name_len = strlen(name),
		.id = 7,
		.protocol = PPP_CHAP,
		.algorithm = CHAP_MD5,
		.challenge = challenge,
		.challenge_len = sizeof(challenge),
		.response = golden,
		.response_len = sizeof(golden),
	};
}

static struct aaa *aaa_with_alice(struct loop *loop)
{
	struct aaa *a = aaa_new(loop);

	assert_non_null(a);
	load_good(a, users_text);
	return a;
}

static struct verdict verify(struct aaa *a, const struct aaa_claim *chap)
{
	struct verdict v = {0};

	aaa_verify(a, chap, verified, &v);
	assert_int_equal(v.count, 1);
	return v;
}

static void agrees_with_a_response_made_by_hand(void **state)
{
	static const uint8_t one[16] = {0x40, 0x9a, 0xbe, 0x90, 0xf6, 0x13, 0x6e, 0x29, 0xfc, 0xf6, 0xaf,
		0x41, 0x69, 0x50, 0xcd, 0x6a};

	assert_true(aaa_chap_md5_ok(7, "secret-of-alice", 15, challenge, 16, golden, 16));
	assert_false(aaa_chap_md5_ok(8, "secret-of-alice", 15, challenge, 16, golden, 16));
	assert_false(aaa_chap_md5_ok(7, "secret-of-alicf", 15, challenge, 16, golden, 16));
	assert_false(aaa_chap_md5_ok(7, "secret-of-alice", 15, challenge, 15, golden, 16));
	assert_false(aaa_chap_md5_ok(7, "secret-of-alice", 15, challenge, 16, golden, 15));
	assert_false(aaa_chap_md5_ok(7, "secret-of-alice", 15, challenge, 16, golden, 0));
	assert_true(aaa_chap_md5_ok(0, "x", 1, NULL, 0, one, 16));
}

static void lets_in_who_knows_the_secret_and_nobody_else(void **state)
{
	struct aaa *a = aaa_with_alice(NULL);
	struct aaa_claim chap = chap_of("alice");
	struct verdict v = verify(a, &chap);
	uint8_t wrong[16];

	assert_true(v.ok);
	assert_string_equal(v.why, "");
	assert_string_equal(v.user.name, "alice");
	assert_int_equal(v.user.softwires, 3);
	for (unsigned i = 0; i < 16; i++) {
		memcpy(wrong, golden, 16);
		wrong[i] ^= 1;
		chap.response = wrong;
		v = verify(a, &chap);
		assert_false(v.ok);
		assert_string_equal(v.why, "wrong password");
	}
	chap = chap_of("alice");
	chap.response_len = 0;
	assert_string_equal(verify(a, &chap).why, "wrong password");
	chap = chap_of("mallory");
	assert_string_equal(verify(a, &chap).why, "unknown user");
	chap = chap_of("");
	assert_string_equal(verify(a, &chap).why, "unknown user");
	chap = chap_of("alice");
	chap.name_len = 4;
	assert_string_equal(verify(a, &chap).why, "unknown user");
	chap = chap_of("alice");
	aaa_free(a);
}

static void a_name_with_a_nul_byte_is_another_name(void **state)
{
	struct aaa *a = aaa_with_alice(NULL);
	struct aaa_claim chap = chap_of("alice");

	chap.name = (const uint8_t *)"alice\0x";
	chap.name_len = 7;
	assert_string_equal(verify(a, &chap).why, "unknown user");
	aaa_free(a);
}

static void answers_come_in_the_next_iteration_and_in_order(void **state)
{
	struct loop loop;
	struct aaa *a;
	struct aaa_claim chap = chap_of("alice");
	unsigned order = 0;
	struct verdict v[4] = {{.order = &order}, {.order = &order}, {.order = &order}, {.order = &order}};
	struct addr peer = addr4(192, 0, 2, 1);

	assert_int_equal(loop_init(&loop), 0);
	a = aaa_with_alice(&loop);
	v[1].again = a;
	aaa_verify(a, &chap, verified, &v[0]);
	aaa_server_secret(a, "alice", got_secret, &v[1]);
	aaa_tunnel_secret(a, &peer, NULL, got_secret, &v[2]);
	aaa_verify(a, &chap, verified, &v[3]);
	assert_int_equal(order, 0);
	aaa_cancel(a, &v[2]);
	load_good(a, "users = { };"); /* a reload in between: what was asked was asked before */
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(v[0].mine, 1);
	assert_true(v[0].ok);
	assert_int_equal(v[1].count, 1);
	assert_string_equal(v[1].secret, "of-sc");
	assert_int_equal(v[2].count, 0);
	assert_int_equal(v[3].mine, 3);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(v[1].count, 2); /* what an answer asked came one iteration later */
	assert_string_equal(v[1].secret, "");
	aaa_verify(a, &chap, verified, &v[2]);
	aaa_free(a); /* with an answer on its way */
	loop_done(&loop);
	assert_int_equal(v[2].count, 0);
}

static int read_secret(const char *text, size_t len, mode_t mode, char secret[AAA_SECRET_MAX + 1],
	size_t *ret_len, char why[128])
{
	int fd = file_of(text, len), rc;

	fchmod(fd, mode);
	rc = aaa_read_secret(fd, secret, ret_len, why);
	close(fd);
	return rc;
}

static void reads_a_secret_of_one_line(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *why;
	} bad[] = {
		{"", 0, "is empty: the secret must be its only line"},
		{"\n", 1, "is empty: the secret must be its only line"},
		{"a\nb\n", 4, "has more than one line: the secret must be its only line"},
		{"a\0b", 3, "has a NUL byte: the secret must be one line of text"},
	};
	char secret[AAA_SECRET_MAX + 1] = "untouched", why[128], text[300];
	size_t len = 99;

	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(read_secret(bad[i].text, bad[i].len, 0600, secret, &len, why), -EINVAL);
		assert_string_equal(why, bad[i].why);
	}
	assert_int_equal(read_secret("a\n", 2, 0604, secret, &len, why), -EPERM);
	assert_string_equal(why, "mode 0604: others can read secrets; chmod 600 FILE");
	memset(text, 'x', sizeof(text));
	assert_int_equal(read_secret(text, 256, 0600, secret, &len, why), -EINVAL);
	assert_string_equal(secret, "untouched");
	assert_int_equal(len, 99);
	assert_int_equal(read_secret(text, 255, 0600, secret, &len, why), 0);
	assert_int_equal(len, 255);
	assert_int_equal(read_secret("two words \r\n", 12, 0600, secret, &len, why), 0);
	assert_string_equal(secret, "two words ");
	assert_int_equal(len, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_response_made_by_hand),
		cmocka_unit_test(lets_in_who_knows_the_secret_and_nobody_else),
		cmocka_unit_test(a_name_with_a_nul_byte_is_another_name),
		cmocka_unit_test(answers_come_in_the_next_iteration_and_in_order),
		cmocka_unit_test(reads_a_secret_of_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server alone: the test plays the peer, also a bad one. */
#include "certs.h"
#include "pair.h"

#define BYTES(...)  (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define REPEAT16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x

enum { ID = 0xff }; /* in tables: stands for the id of the outstanding request */

struct lone {
	struct rng rng;
	struct eap_server_config config;
	struct eap_server *server;
	struct eap_tls *tls;
	struct eap_reply reply;
	char why[EAP_WHY];
};

static struct lone lone;

static int setup_tls(void **state)
{
	struct ca ca = ca_make("CA");
	struct cert cert = cert_make(&ca, &(struct cert_request){.common_name = "server"});
	char why[EAP_WHY];

	lone.tls = eap_tls_new(true, cert.certificate, cert.key, ca.pem, NULL, why);
	cert_free(&cert);
	ca_free(&ca);
	return lone.tls ? 0 : -1;
}

static int done_tls(void **state)
{
	eap_tls_free(lone.tls);
	return 0;
}

static int setup(void **state)
{
	struct eap_tls *tls = lone.tls;

	lone = (struct lone){.tls = tls};
	rng_init_seed(&lone.rng, 7);
	lone.config = (struct eap_server_config){
		.methods = {EAP_MD5, EAP_TLS}, .tls = tls, .rng = &lone.rng, .name = "sc"};
	return 0;
}

static int teardown(void **state)
{
	eap_server_free(lone.server);
	lone.server = NULL;
	return 0;
}

static enum eap_verdict give(const uint8_t *packet, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	enum eap_verdict v;

	if (len)
		memcpy(exact, packet, len);
	v = eap_server_input(lone.server, exact, len, &lone.reply, lone.why);
	free(exact);
	return v;
}

/* Type and data as the response to what is outstanding. */
static enum eap_verdict respond(uint8_t id, const uint8_t *data, size_t len)
{
	uint8_t packet[1000] = {EAP_RESPONSE, id, (uint8_t)((len + 4) >> 8), (uint8_t)(len + 4)};

	memcpy(packet + 4, data, len);
	return give(packet, len + 4);
}

static uint8_t begin(void)
{
	eap_server_free(lone.server);
	lone.server = eap_server_new(&lone.config);
	assert_non_null(lone.server);
	assert_int_equal(eap_server_input(lone.server, NULL, 0, &lone.reply, lone.why), EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 5);
	assert_int_equal(lone.reply.packet[0], EAP_REQUEST);
	assert_int_equal(lone.reply.packet[4], EAP_IDENTITY);
	return lone.reply.packet[1];
}

/* Up to the first method. */
static uint8_t identify(void)
{
	uint8_t id = begin();

	assert_int_equal(respond(id, BYTES(EAP_IDENTITY, 'b', 'o', 'b')), EAP_CONTINUE);
	assert_int_equal(lone.reply.packet[0], EAP_REQUEST);
	assert_int_equal(lone.reply.packet[1], (uint8_t)(id + 1));
	return lone.reply.packet[1];
}

static void begins_with_an_id_of_its_own(void **state)
{
	uint8_t first = begin(), second = begin();

	assert_int_not_equal(first, second); /* RFC 3748 section 4.1: a random number is recommended */
	assert_string_equal(eap_server_name(lone.server), "");
	assert_int_equal(eap_server_input(lone.server, NULL, 0, &lone.reply, lone.why), EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 0);
	assert_string_equal(lone.why, "it has begun already");
	assert_int_equal(eap_server_method(lone.server), 0);
}

static const struct nak {
	const char *name;
	uint8_t methods[4];
	bool tls;
	uint8_t wanted[6];
	size_t wanted_len;
	uint8_t proposed; /* afterwards; 0: refused */
	const char *why;
} naks[] = {
	{"TLS instead of MD5", {EAP_MD5, EAP_TLS}, true, {EAP_TLS}, 1, EAP_TLS, ""},
	{"MD5 instead of TLS", {EAP_TLS, EAP_MD5}, true, {EAP_MD5}, 1, EAP_MD5, ""},
	{"the second wish", {EAP_TLS, EAP_MD5}, true, {25, EAP_MD5}, 2, EAP_MD5, ""},
	{"the last wish", {EAP_TLS, EAP_MD5}, true, {25, 21, 0, 254, EAP_MD5}, 5, EAP_MD5, ""},
	{"nothing", {EAP_MD5, EAP_TLS}, true, {0}, 1, 0,
		"the peer does not do EAP method MD5-Challenge, and wants no other one"},
	{"empty", {EAP_MD5, EAP_TLS}, true, {0}, 0, 0,
		"the peer does not do EAP method MD5-Challenge, and wants no other one"},
	{"PEAP, and there is something left to try", {EAP_TLS, EAP_MD5}, true, {25}, 1, EAP_MD5, ""},
	{"PEAP", {EAP_TLS}, true, {25}, 1, 0,
		"the peer does not do EAP method TLS, but wants unknown (25), which we do not"},
	{"TLS, which is not configured", {EAP_MD5}, true, {EAP_TLS}, 1, 0,
		"the peer does not do EAP method MD5-Challenge, but wants TLS (13), which we do not"},
	{"TLS, for which there is no certificate", {EAP_MD5, EAP_TLS}, false, {EAP_TLS}, 1, 0,
		"the peer does not do EAP method MD5-Challenge, but wants TLS (13), which we do not"},
	{"what was proposed", {EAP_MD5}, true, {EAP_MD5}, 1, 0,
		"the peer does not do EAP method MD5-Challenge, but wants MD5-Challenge (4), which we do "
		"not"},
	{"Identity, which is none", {EAP_MD5}, true, {EAP_IDENTITY}, 1, 0,
		"the peer does not do EAP method MD5-Challenge, but wants Identity (1), which we do not"},
};

/* proves: HS-PPP-11 partial */
static void a_nak_chooses_another_configured_method(void **state)
{
	for (size_t i = 0; i < sizeof(naks) / sizeof(naks[0]); i++) {
		const struct nak *n = &naks[i];
		uint8_t data[8] = {EAP_NAK}, id;
		enum eap_verdict v;

		memcpy(lone.config.methods, n->methods, 4);
		lone.config.tls = n->tls ? lone.tls : NULL;
		id = identify();
		assert_int_equal(lone.reply.packet[4], n->methods[0]);
		memcpy(data + 1, n->wanted, n->wanted_len);
		v = respond(id, data, 1 + n->wanted_len);
		if (v != (n->proposed ? EAP_CONTINUE : EAP_REFUSED) || strcmp(lone.why, n->why) != 0)
			fail_msg("%s: %d \"%s\"", n->name, v, lone.why);
		if (!n->proposed)
			continue;
		assert_int_equal(lone.reply.packet[4], n->proposed);
		assert_int_equal(lone.reply.packet[1], (uint8_t)(id + 1));
		assert_int_equal(eap_server_method(lone.server), n->proposed);
		/* And back: no method is proposed twice. */
		data[1] = n->methods[0];
		assert_int_equal(respond((uint8_t)(id + 1), data, 2), EAP_REFUSED);
	}
}

static void without_a_method_that_can_be_done_it_is_over(void **state)
{
	uint8_t id;

	memcpy(lone.config.methods, (uint8_t[]){EAP_TLS, 25, 0, 0}, 4);
	lone.config.tls = NULL;
	id = begin();
	assert_int_equal(respond(id, BYTES(EAP_IDENTITY, 'b')), EAP_REFUSED);
	assert_string_equal(lone.why, "no EAP method is configured");
	assert_int_equal(respond(id, BYTES(EAP_IDENTITY, 'b')), EAP_REFUSED);
	assert_string_equal(lone.why, "the exchange is over");
}

static const struct bad {
	const char *name;
	bool identified;
	const uint8_t *bytes; /* a packet */
	size_t len;
	enum eap_verdict verdict;
	const char *why;
} bad[] = {
	{"nothing", false, NULL, 0, EAP_CONTINUE, "shorter than an EAP header"},
	{"a lying length", false, BYTES(2, ID, 0, 200, 1, 'b'), EAP_CONTINUE,
		"the length is more than has come"},
	{"a request", false, BYTES(1, ID, 0, 5, 1), EAP_CONTINUE, "not a response"},
	{"Success", false, BYTES(3, ID, 0, 4), EAP_CONTINUE, "not a response"},
	{"Failure", true, BYTES(4, ID, 0, 4), EAP_CONTINUE, "not a response"},
	{"another id", false, BYTES(2, 3, 0, 6, 1, 'b'), EAP_CONTINUE, "a response to nothing that is asked"},
	{"another id in a method", true, BYTES(2, 3, 0, 6, 3, 0), EAP_CONTINUE,
		"a response to nothing that is asked"},
	{"a Nak to Identity", false, BYTES(2, ID, 0, 6, 3, 13), EAP_CONTINUE,
		"a response that is not an Identity"},
	{"MD5 to Identity", false, BYTES(2, ID, 0, 6, 4, 0), EAP_CONTINUE,
		"a response that is not an Identity"},
	{"a Notification to Identity", false, BYTES(2, ID, 0, 5, 2), EAP_CONTINUE,
		"a response that is not an Identity"},
	{"a NUL in the identity", false, BYTES(2, ID, 0, 8, 1, 'a', 0, 'b'), EAP_REFUSED,
		"the identity has control characters"},
	{"a newline in the identity", false, BYTES(2, ID, 0, 7, 1, 'a', '\n'), EAP_REFUSED,
		"the identity has control characters"},
	{"DEL in the identity", false, BYTES(2, ID, 0, 7, 1, 'a', 0x7f), EAP_REFUSED,
		"the identity has control characters"},
	{"Identity again", true, BYTES(2, ID, 0, 6, 1, 'b'), EAP_CONTINUE, "a response of another type"},
	{"TLS to MD5", true, BYTES(2, ID, 0, 6, 13, 0), EAP_CONTINUE, "a response of another type"},
	{"an expanded Nak", true, BYTES(2, ID, 0, 20, 254, 0, 0, 0, 0, 0, 0, 3, 254, 0, 0, 0, 0, 0, 0, 0),
		EAP_CONTINUE, "a response of another type"},
	{"MD5 without a value", true, BYTES(2, ID, 0, 5, 4), EAP_REFUSED, "the MD5 response is malformed"},
	{"MD5 with an empty value", true, BYTES(2, ID, 0, 6, 4, 0), EAP_REFUSED,
		"the MD5 response is malformed"},
	{"MD5 with less than it says", true, BYTES(2, ID, 0, 8, 4, 16, 1, 2), EAP_REFUSED,
		"the MD5 response is malformed"},
	{"MD5 of 17 bytes", true, BYTES(2, ID, 0, 23, 4, 17, REPEAT16(1), 1), EAP_REFUSED,
		"the MD5 response is malformed"},
	{"MD5 of 8 bytes", true, BYTES(2, ID, 0, 14, 4, 8, 1, 2, 3, 4, 5, 6, 7, 8), EAP_REFUSED,
		"the MD5 response is malformed"},
};

static void ignores_or_refuses_bad_input_with_a_reason(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct bad *b = &bad[i];
		uint8_t packet[64], id = b->identified ? identify() : begin();
		enum eap_verdict v;

		if (b->len)
			memcpy(packet, b->bytes, b->len);
		if (b->len > 1)
			packet[1] = packet[1] == ID ? id : (uint8_t)(id + packet[1]);
		v = give(packet, b->len);
		if (v != b->verdict || strcmp(lone.why, b->why) != 0 || lone.reply.len)
			fail_msg("%s: %d \"%s\"", b->name, v, lone.why);
		/* What was ignored has changed nothing. */
		v = respond(id,
			b->identified ? (const uint8_t[]){EAP_NAK, EAP_TLS}
				      : (const uint8_t[]){EAP_IDENTITY, 'x'},
			2);
		assert_int_equal(v, b->verdict);
		assert_int_equal(lone.reply.len > 0, v == EAP_CONTINUE);
	}
}

static void long_identities(void **state)
{
	uint8_t data[257], id = begin();
	char name[256];

	memset(data, 'x', sizeof(data));
	data[0] = EAP_IDENTITY;
	assert_int_equal(respond(id, data, 256), EAP_CONTINUE);
	memset(name, 'x', 255);
	name[255] = '\0';
	assert_string_equal(eap_server_name(lone.server), name);
	id = begin();
	assert_int_equal(respond(id, data, 257), EAP_REFUSED);
	assert_string_equal(lone.why, "the identity has more than 255 bytes");
	id = begin();
	assert_int_equal(respond(id, data, 1), EAP_CONTINUE); /* nobody: section 5.1 */
	assert_string_equal(eap_server_name(lone.server), "");
}

static void a_response_is_verified_once(void **state)
{
	uint8_t id = identify();
	static const uint8_t md5[] = {EAP_MD5, 16, REPEAT16(1)};

	assert_int_equal(respond(id, md5, sizeof(md5)), EAP_WANT_SECRET);
	assert_string_equal(eap_server_name(lone.server), "bob");
	assert_int_equal(respond(id, md5, sizeof(md5)), EAP_CONTINUE);
	assert_string_equal(lone.why, "a response to nothing that is asked");
	assert_int_equal(respond(id, BYTES(EAP_NAK, EAP_TLS)), EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 0);
	assert_int_equal(eap_server_secret(lone.server, "x", 1, &lone.reply, lone.why), EAP_REFUSED);
	assert_string_equal(lone.why, "wrong password");
	assert_int_equal(eap_server_secret(lone.server, "x", 1, &lone.reply, lone.why), EAP_REFUSED);
	assert_string_equal(lone.why, "no secret was asked for");
}

static void a_nak_after_the_method_has_begun_is_ignored(void **state)
{
	static const uint8_t hello[] = {EAP_TLS, 0x40, 22};
	uint8_t id;

	memcpy(lone.config.methods, (uint8_t[]){EAP_TLS, EAP_MD5, 0, 0}, 4);
	id = identify();
	assert_int_equal(respond(id, hello, sizeof(hello)), EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 6); /* the fragment is acknowledged */
	assert_int_equal(respond((uint8_t)(id + 1), BYTES(EAP_NAK, EAP_MD5)), EAP_CONTINUE);
	assert_int_equal(lone.reply.len, 0);
	assert_string_equal(lone.why, "a Nak where it cannot be");
}

static void nobody_takes_more_than_64_round_trips(void **state)
{
	uint8_t id;
	unsigned requests = 2;

	memcpy(lone.config.methods, (uint8_t[]){EAP_TLS, 0, 0, 0}, 4);
	id = identify();
	while (respond(id, BYTES(EAP_TLS, 0x40, 22)) == EAP_CONTINUE) {
		assert_int_equal(lone.reply.len, 6);
		id++;
		requests++;
	}
	assert_int_equal(requests, EAP_TRIPS_MAX);
	assert_string_equal(lone.why, "more than 64 round trips");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_with_an_id_of_its_own),
		TEST(a_nak_chooses_another_configured_method),
		TEST(without_a_method_that_can_be_done_it_is_over),
		TEST(ignores_or_refuses_bad_input_with_a_reason),
		TEST(long_identities),
		TEST(a_response_is_verified_once),
		TEST(a_nak_after_the_method_has_begun_is_ignored),
		TEST(nobody_takes_more_than_64_round_trips),
	};

	return cmocka_run_group_tests(tests, setup_tls, done_tls);
}

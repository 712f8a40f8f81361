/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EAP against a users file: a peer of eap/ talks to what aaa.h offers. */
#include "eap/eap.h"
#include "../eap/certs.h"
#include "fixture.h"

static const char users_text[] =
	"users = ( { name = \"alice\"; secret = \"secret-of-alice\"; softwires = 3; },\n"
	"  { name = \"card\"; ipv4 = \"192.0.2.1\"; } );\n";

struct world {
	struct aaa *aaa;
	struct eap_tls *server_tls, *alice_tls, *card_tls, *stranger_tls;
	struct aaa_eap_config config;
};

static struct world w;

/* One peer, and the last answer of the other side. */
struct client {
	struct eap_peer_config config;
	struct eap_peer *peer;
	struct aaa_eap *eap;
	unsigned answers, *order, mine;
	bool ok, over;
	struct aaa_user user;
	char why[EAP_WHY], peer_why[EAP_WHY];
	struct eap_reply request;
};

static struct eap_tls *tls_of(const struct ca *ca, const char *name, bool server)
{
	struct cert cert = cert_make(ca, &(struct cert_request){.common_name = name});
	char why[EAP_WHY];
	struct eap_tls *t = eap_tls_new(server, cert.certificate, cert.key, ca->pem, NULL, why);

	if (!t)
		fail_msg("%s", why);
	cert_free(&cert);
	return t;
}

static int make_world(void **state)
{
	struct ca ca = ca_make("CA");

	w.server_tls = tls_of(&ca, "sc.example.net", true);
	w.alice_tls = tls_of(&ca, "alice", false);
	w.card_tls = tls_of(&ca, "card", false);
	w.stranger_tls = tls_of(&ca, "bob", false);
	ca_free(&ca);
	return 0;
}

static int end_world(void **state)
{
	eap_tls_free(w.server_tls);
	eap_tls_free(w.alice_tls);
	eap_tls_free(w.card_tls);
	eap_tls_free(w.stranger_tls);
	return 0;
}

static void start(struct loop *loop)
{
	w.aaa = aaa_new(loop);
	assert_non_null(w.aaa);
	load_good(w.aaa, users_text);
	w.config = (struct aaa_eap_config){
		.methods = {EAP_MD5, EAP_TLS}, .tls = w.server_tls, .name = "sc.example.net"};
	assert_int_equal(aaa_set_eap(w.aaa, &w.config), 0);
}

static int setup(void **state)
{
	start(NULL);
	return 0;
}

static int teardown(void **state)
{
	aaa_free(w.aaa);
	return 0;
}

static void answered(
	void *owner, const uint8_t *packet, size_t len, bool ok, const struct aaa_user *user, const char *why)
{
	struct client *c = owner;

	c->answers++;
	if (c->order)
		c->mine = ++*c->order;
	assert_int_equal(user != NULL, ok);
	assert_true(!packet || !ok);
	assert_int_equal(packet != NULL, len > 0);
	c->ok = ok;
	c->over = !packet;
	if (user)
		c->user = *user;
	snprintf(c->why, sizeof(c->why), "%s", why);
	c->request.len = len;
	if (packet)
		memcpy(c->request.packet, packet, len);
}

static void begin(struct client *c)
{
	c->peer = eap_peer_new(&c->config);
	c->eap = aaa_eap_new(w.aaa);
	assert_non_null(c->peer);
	assert_non_null(c->eap);
	assert_string_equal(aaa_eap_name(c->eap), "");
	aaa_eap_input(c->eap, NULL, 0, answered, c);
}

static void end(struct client *c)
{
	eap_peer_free(c->peer);
	aaa_eap_free(c->eap);
	*c = (struct client){.config = c->config};
}

/* The peer's response to the last request goes in. */
static void proceed(struct client *c)
{
	struct eap_reply response;

	eap_peer_input(c->peer, c->request.packet, c->request.len, &response, c->peer_why);
	assert_true(response.len);
	aaa_eap_input(c->eap, response.packet, response.len, answered, c);
}

static void play(struct client *c)
{
	begin(c);
	for (unsigned i = 1; !c->over; i++) {
		assert_int_equal(c->answers, i);
		proceed(c);
	}
}

static struct client client(const char *identity, const char *secret, struct eap_tls *tls)
{
	return (struct client){.config = {.identity = identity,
				       .secret = secret,
				       .secret_len = secret ? strlen(secret) : 0,
				       .tls = tls}};
}

/* proves: HS-PPP-11 partial, SEC-HS-14 partial */
static void md5_is_verified_against_the_users_secret(void **state)
{
	struct client c = client("alice", "secret-of-alice", NULL);

	play(&c);
	assert_true(c.ok);
	assert_string_equal(c.why, "");
	assert_string_equal(c.user.name, "alice");
	assert_int_equal(c.user.softwires, 3);
	assert_string_equal(aaa_eap_name(c.eap), "alice");
	assert_int_equal(aaa_eap_method(c.eap), EAP_MD5);
	end(&c);

	c = client("alice", "secret-of-bob", NULL);
	play(&c);
	assert_false(c.ok);
	assert_string_equal(c.why, "wrong password");
	end(&c);
	c = client("bob", "secret-of-bob", NULL);
	play(&c);
	assert_string_equal(c.why, "unknown user");
	assert_string_equal(aaa_eap_name(c.eap), "bob");
	end(&c);
	c = client("card", "secret-of-alice", NULL);
	play(&c);
	assert_string_equal(c.why, "the user has no secret, only a certificate can do");
	end(&c);
}

/* proves: HS-PPP-11 partial, SEC-HS-14 partial */
static void tls_is_for_users_of_the_file_with_a_certificate(void **state)
{
	struct client c = client("card", NULL, w.card_tls);

	play(&c);
	assert_true(c.ok);
	assert_string_equal(c.user.name, "card");
	assert_int_equal(c.user.address4.family, AF_INET);
	assert_int_equal(aaa_eap_method(c.eap), EAP_TLS);
	end(&c);
	c = client("alice", NULL, w.alice_tls);
	play(&c);
	assert_true(c.ok);
	end(&c);
	c = client("@example.net", NULL, w.card_tls); /* who it is stands in the certificate only */
	play(&c);
	assert_true(c.ok);
	assert_string_equal(c.user.name, "card");
	assert_string_equal(aaa_eap_name(c.eap), "card");
	end(&c);

	c = client("bob", NULL, w.stranger_tls);
	play(&c);
	assert_false(c.ok);
	assert_string_equal(c.why, "\"bob\", for whom the peer has a certificate, is an unknown user");
	end(&c);
	c = client("alice", NULL, w.card_tls);
	play(&c);
	assert_false(c.ok);
	assert_string_equal(c.why, "the peer claims to be \"alice\", but its certificate is for \"card\"");
	end(&c);
}

static void a_user_who_is_gone_meanwhile_is_unknown(void **state)
{
	struct client c = client("alice", NULL, w.alice_tls);
	unsigned answers;

	play(&c);
	answers = c.answers;
	end(&c);
	begin(&c);
	while (c.answers < answers - 1)
		proceed(&c);
	load_good(w.aaa, "users = { bob = { secret = \"b\"; }; };");
	proceed(&c);
	assert_true(c.over);
	assert_false(c.ok);
	assert_string_equal(c.why, "unknown user");
	end(&c);
	c = client("alice", "secret-of-alice", NULL);
	play(&c);
	assert_string_equal(c.why, "unknown user");
	end(&c);
}

static void eap_can_be_off(void **state)
{
	assert_int_equal(aaa_set_eap(w.aaa, NULL), 0);
	assert_null(aaa_eap_new(w.aaa));
	w.config.methods[0] = 0;
	assert_int_equal(aaa_set_eap(w.aaa, &w.config), 0);
	assert_null(aaa_eap_new(w.aaa));
	aaa_eap_free(NULL);
	w.config.methods[0] = EAP_MD5;
	w.config.tls = NULL;
	assert_int_equal(aaa_set_eap(w.aaa, &w.config), 0);
	assert_int_equal(aaa_set_eap(w.aaa, &w.config), 0);
}

static void what_is_no_response_gets_the_request_again(void **state)
{
	struct client c = client("alice", "secret-of-alice", NULL);
	struct eap_reply request;

	begin(&c);
	request = c.request;
	aaa_eap_input(c.eap, (const uint8_t *)"\2\0\0\5\1", 3, answered, &c);
	assert_string_equal(c.why, "shorter than an EAP header");
	assert_int_equal(c.request.len, request.len);
	assert_memory_equal(c.request.packet, request.packet, request.len);
	aaa_eap_input(c.eap, NULL, 0, answered, &c);
	assert_string_equal(c.why, "it has begun already");
	assert_int_equal(c.request.len, request.len);
	proceed(&c);
	assert_string_equal(c.why, "");
	proceed(&c);
	assert_true(c.ok);
	/* It is over: nothing more can be had. */
	aaa_eap_input(c.eap, NULL, 0, answered, &c);
	assert_false(c.ok);
	assert_string_equal(c.why, "the exchange is over");
	end(&c);
}

/* A response before anything was asked. */
static void what_comes_first_must_be_the_beginning(void **state)
{
	struct client c = client("alice", "x", NULL);

	c.eap = aaa_eap_new(w.aaa);
	aaa_eap_input(c.eap, (const uint8_t *)"\2\0\0\5\1", 5, answered, &c);
	assert_true(c.over);
	assert_false(c.ok);
	assert_string_equal(c.why, "a response to nothing that is asked");
	end(&c);
}

static void run_loop(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_NOWAIT);
}

static void answers_come_in_the_next_iteration_and_in_order(void **state)
{
	struct client c[3] = {client("alice", "secret-of-alice", NULL), client("alice", "x", NULL),
		client("card", NULL, w.card_tls)};
	unsigned order = 0;
	struct loop loop;

	aaa_free(w.aaa);
	assert_int_equal(loop_init(&loop), 0);
	start(&loop);
	for (unsigned i = 0; i < 3; i++) {
		c[i].order = &order;
		begin(&c[i]);
	}
	assert_int_equal(order, 0);
	aaa_cancel(w.aaa, &c[1]);
	run_loop(&loop);
	assert_int_equal(c[0].mine, 1);
	assert_int_equal(c[1].mine, 0);
	assert_int_equal(c[2].mine, 2);

	/* An exchange that is gone has no answers; its neighbour's come. */
	proceed(&c[0]);
	proceed(&c[2]);
	aaa_eap_free(c[2].eap);
	c[2].eap = NULL;
	run_loop(&loop);
	assert_int_equal(c[0].answers, 2);
	assert_int_equal(c[2].answers, 1);
	proceed(&c[0]);
	load_good(w.aaa, "users = { };"); /* a reload in between: what was asked was asked before */
	assert_false(c[0].over);
	run_loop(&loop);
	assert_true(c[0].ok);
	assert_string_equal(c[0].user.name, "alice");

	end(&c[0]);
	end(&c[1]);
	end(&c[2]);
	begin(&c[0]);
	end(&c[0]); /* with an answer on its way */
	aaa_free(w.aaa);
	loop_done(&loop);
	start(NULL);
}

static void freed(
	void *owner, const uint8_t *packet, size_t len, bool ok, const struct aaa_user *user, const char *why)
{
	struct client *c = owner;

	aaa_eap_free(c->eap);
	c->eap = NULL;
}

static void an_exchange_may_end_in_its_own_answer(void **state)
{
	struct client c = client("alice", "x", NULL);
	struct loop loop;

	c.eap = aaa_eap_new(w.aaa);
	aaa_eap_input(c.eap, NULL, 0, freed, &c);
	assert_null(c.eap);
	aaa_free(w.aaa);
	assert_int_equal(loop_init(&loop), 0);
	start(&loop);
	c.eap = aaa_eap_new(w.aaa);
	aaa_eap_input(c.eap, NULL, 0, freed, &c);
	run_loop(&loop);
	assert_null(c.eap);
	aaa_free(w.aaa);
	loop_done(&loop);
	start(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(md5_is_verified_against_the_users_secret),
		TEST(tls_is_for_users_of_the_file_with_a_certificate),
		TEST(a_user_who_is_gone_meanwhile_is_unknown),
		TEST(eap_can_be_off),
		TEST(what_is_no_response_gets_the_request_again),
		TEST(what_comes_first_must_be_the_beginning),
		TEST(answers_come_in_the_next_iteration_and_in_order),
		TEST(an_exchange_may_end_in_its_own_answer),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}

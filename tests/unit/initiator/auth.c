/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What we prove who we are with, and when we do not. */
#include "fixture.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../eap/certs.h"

#define GIVE(method) (1 << PPP_METHOD_##method)

static void expect_auth(const struct fixture *f, const char *word)
{
	json_t *o = initiator_show(f->i);
	const char *auth = json_string_value(json_object_get(o, "auth"));

	if (word ? !auth || strcmp(auth, word) != 0 : auth != NULL)
		fail_msg("auth is %s, not %s", auth ? auth : "null", word ? word : "null");
	json_decref(o);
}

/* proves: HS-PPP-10 partial, HS-PPP-11 partial */
static void what_is_named_is_given_and_nothing_else(void **state)
{
	static const struct {
		uint8_t demand[PPP_METHODS];
		uint8_t give;
		const char *word; /* NULL: it does not come up */
	} cases[] = {
		{{PPP_METHOD_CHAP_MD5}, GIVE(CHAP_MD5) | GIVE(MSCHAPV2), "chap"},
		{{PPP_METHOD_MSCHAPV2}, GIVE(CHAP_MD5) | GIVE(MSCHAPV2), "ms-chap-v2"},
		{{PPP_METHOD_MSCHAPV2, PPP_METHOD_CHAP_MD5}, GIVE(CHAP_MD5), "chap"},
		{{PPP_METHOD_MSCHAPV2}, GIVE(CHAP_MD5), NULL},
		{{PPP_METHOD_PAP}, GIVE(PAP), "pap"},
		/* Only where the operator has named it does a password go out as it is. */
		{{PPP_METHOD_PAP}, GIVE(CHAP_MD5) | GIVE(MSCHAPV2), NULL},
		{{PPP_METHOD_PAP, PPP_METHOD_CHAP_MD5}, GIVE(CHAP_MD5), "chap"},
		/* There are no certificates, and EAP's MD5 is not named. */
		{{PPP_METHOD_EAP, PPP_METHOD_CHAP_MD5}, GIVE(CHAP_MD5) | GIVE(EAP), "chap"},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();
		struct server *server = &f->servers[0];

		memcpy(server->config.ppp.demand, cases[n].demand, sizeof(cases[n].demand));
		f->config.auth = cases[n].give;
		if (cases[n].word)
			fixture_up(f);
		else
			fixture_start(f);
		fixture_pass(f, 20000);
		if (cases[n].word) {
			expect_auth(f, cases[n].word);
		} else {
			assert_int_equal(server->ups, 0);
			assert_non_null(strstr(f->i->last_error, "lcp"));
		}
		assert_int_equal(server->saw_pap, cases[n].word && strcmp(cases[n].word, "pap") == 0);
		fixture_free(f);
	}
}

/* proves: HS-PPP-14 partial, SEC-HS-15 partial */
static void without_a_user_nothing_is_proven(void **state)
{
	static const struct {
		bool demand, optional, up;
	} cases[] = {
		{false, false, true},
		{true, true, true},
		{true, false, false},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();
		struct server *server = &f->servers[0];

		f->config.user[0] = f->config.password_path[0] = '\0';
		server->config.ppp.demand_auth = cases[n].demand;
		server->config.ppp.demand_optional = cases[n].optional;
		if (cases[n].up)
			fixture_up(f);
		else
			fixture_start(f);
		fixture_pass(f, 20000);
		assert_int_equal(f->i->state == INITIATOR_UP, cases[n].up);
		expect_auth(f, NULL);
		assert_int_equal(f->i->counters.ppp.bad_auth, 0);
		fixture_free(f);
	}
}

/* HS-PPP-5: a concentrator that asks nobody serves us, too, unless we insist. */
static void a_concentrator_that_does_not_ask_will_do_unless_we_insist(void **state)
{
	for (int insist = 0; insist < 2; insist++) {
		struct fixture *f = fixture_new();

		f->servers[0].config.ppp.demand_auth = false;
		f->config.insist_auth = insist;
		fixture_start(f);
		fixture_pass(f, 20000);
		assert_int_equal(f->i->state == INITIATOR_UP, !insist);
		expect_auth(f, NULL);
		fixture_free(f);
	}
}

/* ---- files ---- */

static void write_to(struct fixture *f, char *path, const char *name, const char *text, mode_t mode)
{
	FILE *file;

	snprintf(path, 4096, "%s/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fchmod(fileno(file), mode), 0);
	fclose(file);
}

static const char nonsense[] = "-----BEGIN NONSENSE-----\n";

static void unsafe_or_useless_certificates_fail_the_start(void **state)
{
	static const struct {
		mode_t key;
		const char *said;
	} cases[] = {
		{0644, "others can read secrets"}, {0660, "others can"},
		{0600, "certificate: "}, /* the file can be read, but it is none */
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();

		f->config.auth = GIVE(EAP);
		write_to(f, f->config.eap_certificate_path, "certificate", nonsense, 0644);
		write_to(f, f->config.eap_key_path, "key", nonsense, cases[n].key);
		write_to(f, f->config.eap_ca_path, "ca", nonsense, 0644);
		fixture_start(f);
		assert_true(f->result < 0);
		assert_true(fixture_logged(f, "event=start-failed"));
		if (!fixture_logged(f, cases[n].said))
			fail_msg("key mode %o: %s", cases[n].key, f->lines);
		initiator_free(f->i);
		f->i = NULL;
		fixture_free(f);
	}
}

/* ---- EAP ---- */

static void demand_eap(struct fixture *f, uint8_t method, struct eap_tls *tls)
{
	const struct aaa_eap_config c = {.methods = {method}, .tls = tls, .name = "sc.example.net"};

	assert_int_equal(aaa_set_eap(f->aaa, &c), 0);
	f->servers[0].config.ppp.demand[0] = PPP_METHOD_EAP;
	f->config.auth = GIVE(EAP);
}

/* proves: HS-PPP-11 partial */
static void eap_md5_uses_the_password(void **state)
{
	for (int wrong = 0; wrong < 2; wrong++) {
		struct fixture *f = fixture_new();

		demand_eap(f, EAP_MD5, NULL);
		f->config.eap_md5 = true;
		if (wrong)
			write_to(f, f->config.password_path, "password", "looking-glass\n", 0600);
		if (wrong)
			fixture_start(f);
		else
			fixture_up(f);
		fixture_pass(f, 20000);
		assert_int_equal(f->i->state == INITIATOR_UP, !wrong);
		expect_auth(f, wrong ? NULL : "eap-md5");
		assert_int_equal(strstr(f->i->last_error, "auth") != NULL, wrong);
		if (!wrong) { /* and again */
			initiator_clear(f->i);
			fixture_pass(f, 5000);
			assert_int_equal(f->servers[0].ups, 2);
		}
		fixture_free(f);
	}
}

struct tls_case {
	const char *server_name; /* in the concentrator's certificate */
	const char *wanted;      /* in our configuration; "": any */
	const char *client;      /* in our certificate */
	bool other_ca;           /* the concentrator's is of another CA than we believe */
	bool up;
};

static void try_tls(const struct tls_case *t)
{
	struct ca ca = ca_make("softwire test CA"), other = ca_make("another CA");
	struct cert_request server_request = {.common_name = t->server_name, .usage = "serverAuth"};
	struct cert_request client_request = {.common_name = t->client, .usage = "clientAuth"};
	struct fixture *f = fixture_new();
	char alternative[128], why[EAP_WHY] = "";
	struct cert server, client;
	struct eap_tls *tls;

	snprintf(alternative, sizeof(alternative), "DNS:%s", t->server_name);
	server_request.alternative = alternative;
	server = cert_make(t->other_ca ? &other : &ca, &server_request);
	client = cert_make(&ca, &client_request);
	tls = eap_tls_new(true, server.certificate, server.key, ca.pem, "", why);
	assert_non_null(tls);
	demand_eap(f, EAP_TLS, tls);
	f->config.password_path[0] = '\0'; /* none is needed */
	write_to(f, f->config.eap_certificate_path, "certificate", client.certificate, 0644);
	write_to(f, f->config.eap_key_path, "key", client.key, 0600);
	write_to(f, f->config.eap_ca_path, "ca", ca.pem, 0644);
	snprintf(f->config.eap_server_name, sizeof(f->config.eap_server_name), "%s", t->wanted);
	if (t->up)
		fixture_up(f);
	else
		fixture_start(f);
	fixture_pass(f, 20000);
	if ((f->i->state == INITIATOR_UP) != t->up)
		fail_msg("%s as %s, %s: %s", t->server_name, t->wanted, t->client, f->i->last_error);
	expect_auth(f, t->up ? "eap-tls" : NULL);
	fixture_free(f);
	eap_tls_free(tls);
	cert_free(&server);
	cert_free(&client);
	ca_free(&ca);
	ca_free(&other);
}

/* Both ends prove who they are. */
/* proves: HS-PPP-11 partial, HS-PPP-12 partial, SEC-HS-16 partial */
static void eap_tls_uses_the_certificate_and_checks_the_servers(void **state)
{
	static const struct tls_case cases[] = {
		{"sc.example.net", "sc.example.net", "alice", false, true},
		{"sc.example.net", "", "alice", false, true},
		{"rogue.example.org", "sc.example.net", "alice", false, false},
		{"sc.example.net", "sc.example.net", "alice", true, false},
		{"sc.example.net", "sc.example.net", "bob", false, false}, /* we say that we are alice */
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++)
		try_tls(&cases[n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_named_is_given_and_nothing_else),
		cmocka_unit_test(without_a_user_nothing_is_proven),
		cmocka_unit_test(a_concentrator_that_does_not_ask_will_do_unless_we_insist),
		cmocka_unit_test(eap_md5_uses_the_password),
		cmocka_unit_test(eap_tls_uses_the_certificate_and_checks_the_servers),
		cmocka_unit_test(unsafe_or_useless_certificates_fail_the_start),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}

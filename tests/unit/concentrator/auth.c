/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How users prove who they are, and that it stays so. */
#include "fixture.h"

#include <errno.h>

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../eap/certs.h"
#include "ppp/mschap.h"

#define GIVE(method) (1 << PPP_METHOD_##method)

static const char *shown_auth(struct fixture *f, char buf[32])
{
	json_t *all = concentrator_show_softwires(f->c, NULL);
	const char *text = json_string_value(json_object_get(json_array_get(all, 0), "auth"));

	snprintf(buf, 32, "%s", text ? text : "none");
	json_decref(all);
	return buf;
}

static struct peer *peer_giving(struct fixture *f, uint8_t host, const char *user, uint8_t give)
{
	struct peer *p = peer_new(f, host, user);

	p->config.ppp.give = give;
	p->eap_config.secret = p->password;
	p->eap_config.secret_len = strlen(p->password);
	return p;
}

static void open_and_wait(struct fixture *f, struct peer *p)
{
	peer_open(p);
	fixture_until(f, p->downs || p->engine.state.has_binding);
}

/* ---- methods ---- */

struct method_case {
	uint8_t demand[PPP_METHODS];
	uint8_t give;
	const char *auth; /* NULL: no agreement */
};

static const struct method_case methods[] = {
	{{PPP_METHOD_CHAP_MD5}, GIVE(CHAP_MD5), "chap"},
	{{PPP_METHOD_MSCHAPV2}, GIVE(MSCHAPV2), "ms-chap-v2"},
	{{PPP_METHOD_PAP}, GIVE(PAP), "pap"},
	{{PPP_METHOD_EAP}, GIVE(EAP), "eap-md5"},
	{{PPP_METHOD_EAP, PPP_METHOD_MSCHAPV2, PPP_METHOD_CHAP_MD5}, GIVE(CHAP_MD5), "chap"},
	{{PPP_METHOD_EAP, PPP_METHOD_MSCHAPV2, PPP_METHOD_CHAP_MD5}, GIVE(CHAP_MD5) | GIVE(EAP), "eap-md5"},
	{{PPP_METHOD_CHAP_MD5}, GIVE(PAP), NULL},
	{{PPP_METHOD_MSCHAPV2, PPP_METHOD_EAP}, GIVE(CHAP_MD5) | GIVE(PAP), NULL},
};

static struct fixture *with_methods(const uint8_t demand[PPP_METHODS])
{
	struct fixture *f = fixture_new();

	memcpy(f->config.auth, demand, PPP_METHODS);
	f->config.eap_methods[0] = EAP_MD5;
	fixture_start(f);
	assert_int_equal(f->result, 0);
	return f;
}

static bool can_play(const struct method_case *m)
{
	return mschap_available() || m->demand[0] != PPP_METHOD_MSCHAPV2;
}

/* proves: HS-PPP-10 partial, HS-PPP-11 partial, SEC-HS-14 */
static void users_come_in_by_every_method(void **state)
{
	for (size_t n = 0; n < sizeof(methods) / sizeof(*methods); n++) {
		struct fixture *f;
		struct peer *p;
		char buf[32];

		if (!can_play(&methods[n]))
			continue;
		f = with_methods(methods[n].demand);
		p = peer_giving(f, 2, "alice", methods[n].give);
		open_and_wait(f, p);
		if (!methods[n].auth) {
			assert_int_equal(p->ups, 0);
			assert_int_equal(lease_count(f->c->leases, NULL), 0);
		} else {
			assert_int_equal(p->downs, 0);
			assert_string_equal(f->c->all->user, "alice");
			assert_string_equal(shown_auth(f, buf), methods[n].auth);
			assert_true(fixture_logged(f, "event=auth-ok softwire=1 user=alice"));
			assert_true(fixture_logged(f, "event=up softwire=1 user=alice"));
			assert_null(f->c->all->setup); /* nothing is kept of it */
		}
		assert_false(fixture_logged(f, "wonderland"));
		fixture_free(f);
	}
}

/* proves: HS-PPP-11 partial, HS-OAM-4 partial, SEC-HS-14 partial */
static void a_wrong_password_is_refused_by_every_method(void **state)
{
	for (size_t n = 0; n < sizeof(methods) / sizeof(*methods); n++) {
		char texts[2][160];

		for (int unknown = 0; unknown < 2 && methods[n].auth && can_play(&methods[n]); unknown++) {
			struct fixture *f = with_methods(methods[n].demand);
			struct peer *p = peer_giving(f, 2, unknown ? "nobody" : "alice", methods[n].give);

			p->password = "looking-glass";
			p->eap_config.secret = p->password;
			p->eap_config.secret_len = strlen(p->password);
			open_and_wait(f, p);
			assert_int_equal(p->ups, 0);
			fixture_until(f, fixture_logged(f, "event=auth-failed"));
			assert_true(fixture_logged(f, unknown ? "user=nobody" : "user=alice"));
			assert_int_equal(f->c->role_counters.auth_failed, 1);
			assert_int_equal(f->c->role_counters.auth_ok, 0);
			assert_int_equal(lease_count(f->c->leases, NULL), 0);
			assert_false(fixture_logged(f, "looking-glass"));
			snprintf(texts[unknown], sizeof(texts[unknown]), "%.60s", p->why.text);
			fixture_free(f);
			if (unknown) /* the peer is not told which of the two was wrong */
				assert_string_equal(texts[0], texts[1]);
		}
	}
}

static void lcp_again(struct peer *p)
{
	static const uint8_t lcp[] = {1, 99, 0, 14, 1, 4, 5, 0xb4, 5, 6, 1, 2, 3, 4};
	uint8_t frame[SOFTWIRE_DATA_HEADER + sizeof(lcp)];

	softwire_data_header(
		frame, p->softwire->tunnel.peer_tunnel, p->softwire->tunnel.peer_session, PPP_LCP);
	memcpy(frame + SOFTWIRE_DATA_HEADER, lcp, sizeof(lcp));
	peer_send(p, frame, sizeof(frame));
}

/* Whose softwire it is does not change: also somebody who may connect gets one of his own (RFC 1994 section 4 lets the peer be asked
 * again at any time). */
/* proves: SEC-HS-21 partial */
static void another_user_on_the_same_softwire_is_refused(void **state)
{
	for (size_t n = 0; n < 4; n++) {
		for (int other = 0; other < 2; other++) {
			struct fixture *f;
			struct peer *p;

			if (!can_play(&methods[n]))
				continue;
			f = with_methods(methods[n].demand);
			p = peer_giving(f, 2, "alice", methods[n].give);
			open_and_wait(f, p);
			assert_int_equal(p->downs, 0);
			p->config.ppp.name = p->eap_config.identity = other ? "bob" : "alice";
			lcp_again(p);
			for (int i = 0;
				i < 80 && f->c->role_counters.auth_ok + f->c->role_counters.auth_failed < 2;
				i++)
				fixture_pass(f, 250);
			fixture_pass(f, 10000);
			assert_int_equal(p->downs, other);
			assert_int_equal(f->c->role_counters.auth_failed, other);
			if (other)
				assert_true(
					fixture_logged(f, "another user than before on the same softwire"));
			else
				assert_true(f->c->all->row->up6);
			fixture_free(f);
		}
	}
}

/* Its own proof, with another secret: proven before anything is given. */
/* proves: SEC-HS-16 partial, HS-PPP-12 partial */
static void the_concentrator_proves_itself_to_who_asks(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_users(f,
		"users = { alice = { secret = \"wonderland\"; server-secret = \"queen of hearts\"; };"
		" bob = { secret = \"wonderland\"; }; };\n");
	fixture_start(f);
	for (int n = 0; n < 2; n++) { /* for bob there is no secret to prove it with */
		p = peer_new(f, (uint8_t)(2 + n), n ? "bob" : "alice");
		p->server_password = "queen of hearts";
		p->config.ppp.demand_auth = true;
		p->config.ppp.demand[0] = PPP_METHOD_CHAP_MD5;
		p->config.ppp.demand[1] = 0;
		p->config.ppp.prove_last = false;
		open_and_wait(f, p);
		assert_int_equal(p->downs, n);
		assert_int_equal(p->proven, !n);
	}
	fixture_free(f);
}

static unsigned events;

static void count_event(void *owner, json_t *event)
{
	events++;
	json_decref(event);
}

/* From the first packet on, though the name comes late; and nothing of others. */
static void a_trace_shows_its_user_with_every_method(void **state)
{
	for (size_t n = 0; n < 4; n++) {
		struct fixture *f;

		if (!can_play(&methods[n]))
			continue;
		f = with_methods(methods[n].demand);
		events = 0;
		concentrator_trace(f->c, "alice", count_event, NULL);
		open_and_wait(f, peer_giving(f, 2, "bob", methods[n].give));
		assert_int_equal(events, 0);
		open_and_wait(f, peer_giving(f, 3, "alice", methods[n].give));
		assert_true(events > 15);
		concentrator_trace(f->c, NULL, NULL, NULL);
		fixture_free(f);
	}
}

/* Whatever is on its way when everything ends, at whatever step. */
static void it_may_end_in_the_middle_of_eap(void **state)
{
	static const uint8_t eap[PPP_METHODS] = {PPP_METHOD_EAP};

	for (int rounds = 0; rounds < 25; rounds++) {
		struct fixture *f = with_methods(eap);
		struct peer *p = peer_giving(f, 2, "alice", GIVE(EAP));

		peer_open(p);
		for (int n = 0; n < rounds; n++)
			fixture_round(f);
		if (rounds % 2) {
			concentrator_clear(f->c, NULL, 0);
			for (int n = 0; n < 50; n++)
				fixture_round(f);
		}
		fixture_stop(f);
		fixture_free(f);
	}
}

/* ---- certificates ---- */

struct pki {
	struct ca ca, other;
	struct cert server, alice;
	struct eap_tls *tls; /* alice's */
};

static struct pki pki_new(void)
{
	struct pki p = {.ca = ca_make("Test CA"), .other = ca_make("Other CA")};
	char why[EAP_WHY] = "";

	p.server = cert_make(&p.ca,
		&(struct cert_request){
			.common_name = "sc.example", .alternative = "DNS:sc.example", .usage = "serverAuth"});
	p.alice = cert_make(&p.ca, &(struct cert_request){.common_name = "alice", .usage = "clientAuth"});
	p.tls = eap_tls_new(false, p.alice.certificate, p.alice.key, p.ca.pem, "sc.example", why);
	assert_non_null(p.tls);
	return p;
}

static void pki_free(struct pki *p)
{
	eap_tls_free(p->tls);
	cert_free(&p->server);
	cert_free(&p->alice);
	ca_free(&p->ca);
	ca_free(&p->other);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fchmod(fileno(file), mode), 0);
	fclose(file);
}

static struct fixture *with_certificates(const struct pki *p)
{
	struct fixture *f = fixture_new();

	f->config.auth[0] = PPP_METHOD_EAP;
	f->config.eap_methods[0] = EAP_TLS;
	snprintf(f->config.eap_certificate_path, sizeof(f->config.eap_certificate_path), "%s/cert.pem",
		f->dir);
	snprintf(f->config.eap_key_path, sizeof(f->config.eap_key_path), "%s/key.pem", f->dir);
	snprintf(f->config.eap_ca_path, sizeof(f->config.eap_ca_path), "%s/ca.pem", f->dir);
	put_file(f->config.eap_certificate_path, p->server.certificate, 0644);
	put_file(f->config.eap_key_path, p->server.key, 0600);
	put_file(f->config.eap_ca_path, p->ca.pem, 0644);
	fixture_users(f, "users = { alice = { }; };\n");
	return f;
}

static struct peer *peer_with_certificate(struct fixture *f, struct pki *p, uint8_t host)
{
	struct peer *peer = peer_giving(f, host, "alice", GIVE(EAP));

	peer->eap_config.secret = NULL;
	peer->eap_config.secret_len = 0;
	peer->eap_config.tls = p->tls;
	return peer;
}

/* proves: HS-PPP-11 partial, SEC-HS-16 partial */
static void a_certificate_does_without_a_secret(void **state)
{
	struct pki pki = pki_new();
	struct fixture *f = with_certificates(&pki);
	struct peer *p;
	char buf[32];

	fixture_start(f);
	assert_int_equal(f->result, 0);
	p = peer_with_certificate(f, &pki, 2);
	open_and_wait(f, p);
	assert_int_equal(p->downs, 0);
	assert_string_equal(f->c->all->user, "alice");
	assert_string_equal(shown_auth(f, buf), "eap-tls");
	assert_true(fixture_logged(f, "method=eap-tls"));
	fixture_free(f);
	pki_free(&pki);
}

static void a_certificate_of_another_authority_is_refused(void **state)
{
	struct pki pki = pki_new();
	struct fixture *f = with_certificates(&pki);
	struct cert mallory =
		cert_make(&pki.other, &(struct cert_request){.common_name = "alice", .usage = "clientAuth"});
	char why[EAP_WHY] = "";
	struct eap_tls *tls = eap_tls_new(false, mallory.certificate, mallory.key, pki.ca.pem, "", why);
	struct peer *p;

	fixture_start(f);
	p = peer_with_certificate(f, &pki, 2);
	p->eap_config.tls = tls;
	open_and_wait(f, p);
	assert_int_equal(p->ups, 0);
	fixture_until(f, fixture_logged(f, "event=auth-failed"));
	assert_int_equal(lease_count(f->c->leases, NULL), 0);
	fixture_free(f);
	eap_tls_free(tls);
	cert_free(&mallory);
	pki_free(&pki);
}

struct file_case {
	const char *name; /* of the file that is wrong */
	const char *text; /* NULL: it is not there */
	mode_t mode;
	const char *why;
};

static const struct file_case file_cases[] = {
	{"cert.pem", NULL, 0, "cert.pem: No such file or directory"},
	{"key.pem", NULL, 0, "key.pem: No such file or directory"},
	{"ca.pem", NULL, 0, "ca.pem: No such file or directory"},
	{"cert.pem", "", 0644, "cert.pem: "},
	{"cert.pem", "nothing", 0644, "cert.pem: "},
	{"key.pem", "nothing", 0600, "key.pem: "},
	{"ca.pem", "nothing", 0644, "ca.pem: "},
	{"key.pem", "OTHER", 0600, "key.pem: "}, /* of another certificate */
	{"key.pem", "OURS", 0640, "key.pem: others can read or change the key"},
	{"key.pem", "OURS", 0602, "key.pem: others can read or change the key"},
};

static void spoil(struct fixture *f, const struct pki *p, const struct file_case *c)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->dir, c->name);
	unlink(path);
	if (!c->text)
		return;
	put_file(path,
		strcmp(c->text, "OTHER") == 0  ? p->alice.key
		: strcmp(c->text, "OURS") == 0 ? p->server.key
					       : c->text,
		c->mode);
}

static void a_file_that_cannot_be_used_fails_the_start_and_is_named(void **state)
{
	struct pki pki = pki_new();

	for (size_t n = 0; n < sizeof(file_cases) / sizeof(*file_cases); n++) {
		struct fixture *f = with_certificates(&pki);

		spoil(f, &pki, &file_cases[n]);
		fixture_start(f);
		if (f->result >= 0 || !fixture_logged(f, file_cases[n].why))
			fail_msg("case %zu (%s): %d\n%s", n, file_cases[n].why, f->result, f->lines);
		fixture_free(f);
	}
	pki_free(&pki);
}

static void and_changes_nothing_at_a_reload(void **state)
{
	struct pki pki = pki_new();

	for (size_t n = 0; n < sizeof(file_cases) / sizeof(*file_cases); n++) {
		struct fixture *f = with_certificates(&pki);
		struct peer *p;

		fixture_start(f);
		spoil(f, &pki, &file_cases[n]);
		assert_int_equal(fixture_reload(f, &f->config), -EINVAL);
		assert_true(fixture_logged(f, file_cases[n].why));
		p = peer_with_certificate(f, &pki, 2);
		open_and_wait(f, p);
		assert_int_equal(p->downs, 0);
		fixture_free(f);
	}
	pki_free(&pki);
}

/* With the new ones from now on; who is in the middle of it has to begin again, who is up stays up. */
static void a_reload_takes_new_certificates(void **state)
{
	struct pki old = pki_new(), new = pki_new();
	struct fixture *f = with_certificates(&old);
	struct peer *up, *half, *late;

	fixture_users(f, "users = { alice = { softwires = 3; }; };\n");
	fixture_start(f);
	up = peer_with_certificate(f, &old, 2);
	open_and_wait(f, up);
	half = peer_with_certificate(f, &old, 3);
	peer_open(half);
	fixture_until(f, f->c->all->setup && f->c->all->setup->eap);
	assert_int_equal(
		fixture_reload(f, &f->config), 0); /* nothing is new: nobody is disturbed */
	assert_non_null(f->c->all->setup->eap);
	put_file(f->config.eap_certificate_path, new.server.certificate, 0644);
	put_file(f->config.eap_key_path, new.server.key, 0600);
	put_file(f->config.eap_ca_path, new.ca.pem, 0644);
	assert_int_equal(fixture_reload(f, &f->config), 0);
	fixture_until(f, half->downs);
	assert_non_null(strstr(half->why.text, "authentication has changed: connect again"));
	late = peer_with_certificate(f, &new, 4);
	open_and_wait(f, late);
	assert_int_equal(late->downs, 0);
	assert_int_equal(up->downs, 0);
	half = peer_with_certificate(f, &old, 5);
	open_and_wait(f, half);
	assert_int_equal(half->ups, 0);
	fixture_free(f);
	pki_free(&old);
	pki_free(&new);
}

/* ... and other methods. */
static void a_reload_switches_methods(void **state)
{
	struct pki pki = pki_new();
	struct fixture *f = with_certificates(&pki);
	struct concentrator_config config;
	struct peer *p;
	char buf[32];

	fixture_users(f, "users = { alice = { secret = \"wonderland\"; }; };\n");
	f->config.auth[0] = PPP_METHOD_CHAP_MD5;
	fixture_start(f);
	config = f->config;
	config.auth[0] = PPP_METHOD_EAP;
	assert_int_equal(fixture_reload(f, &config), 0);
	p = peer_with_certificate(f, &pki, 2);
	open_and_wait(f, p);
	assert_string_equal(shown_auth(f, buf), "eap-tls");
	config.eap_methods[0] = EAP_MD5;
	assert_int_equal(fixture_reload(f, &config), 0);
	p = peer_giving(f, 3, "alice", GIVE(EAP));
	open_and_wait(f, p);
	assert_string_equal(shown_auth(f, buf), "eap-md5");
	config.auth[0] = PPP_METHOD_CHAP_MD5;
	assert_int_equal(fixture_reload(f, &config), 0);
	p = peer_giving(f, 4, "alice", GIVE(EAP) | GIVE(CHAP_MD5));
	open_and_wait(f, p);
	assert_string_equal(shown_auth(f, buf), "chap");
	fixture_free(f);
	pki_free(&pki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_come_in_by_every_method),
		cmocka_unit_test(a_wrong_password_is_refused_by_every_method),
		cmocka_unit_test(another_user_on_the_same_softwire_is_refused),
		cmocka_unit_test(the_concentrator_proves_itself_to_who_asks),
		cmocka_unit_test(a_trace_shows_its_user_with_every_method),
		cmocka_unit_test(it_may_end_in_the_middle_of_eap),
		cmocka_unit_test(a_certificate_does_without_a_secret),
		cmocka_unit_test(a_certificate_of_another_authority_is_refused),
		cmocka_unit_test(a_file_that_cannot_be_used_fails_the_start_and_is_named),
		cmocka_unit_test(and_changes_nothing_at_a_reload),
		cmocka_unit_test(a_reload_takes_new_certificates),
		cmocka_unit_test(a_reload_switches_methods),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}

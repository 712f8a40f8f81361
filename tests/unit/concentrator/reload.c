/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another configuration: all of it, or nothing; and the addresses that are listened on. */
#include "fixture.h"

#include <errno.h>
#include <unistd.h>

/* A port of 127.0.0.HOST that is free now. */
static struct endpoint free_port(uint8_t host)
{
	struct endpoint e = {.addr = addr4(127, 0, 0, host)};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&e, &ss);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &e), 0);
	close(fd);
	return e;
}

static unsigned open_listeners(const struct fixture *f, bool retired)
{
	unsigned n = 0;

	for (unsigned i = 0; i < DP_LISTENERS_MAX; i++)
		n += f->c->listeners[i].open && f->c->listeners[i].retired == retired;
	return n;
}

/* Listens on ONE, then on OTHER. */
static struct concentrator_config moved(
	struct fixture *f, const struct endpoint *one, const struct endpoint *other)
{
	struct concentrator_config config;

	f->config.listen[0] = *one;
	config = f->config;
	config.listen[0] = *other;
	return config;
}

static void a_new_address_takes_new_ones_and_the_old_one_keeps_its_own(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);
	struct peer *alice, *bob;

	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	alice->server = one;
	assert_int_equal(fixture_reload(f, &config), 0);
	assert_non_null(
		strstr(f->said, "takes no new softwires; it is closed when the 1 that is there is gone"));
	assert_int_equal(open_listeners(f, false), 1);
	assert_int_equal(open_listeners(f, true), 1);
	assert_true(endpoint_equal(&f->server, &other));
	bob = peer_up(f, 3, "bob");
	fixture_pass(f, 200000); /* HELLOs over either */
	assert_int_equal(alice->downs + bob->downs, 0);
	assert_int_equal(f->sockets_closed, 0);
	concentrator_clear(f->c, "alice", 0);
	fixture_until(f, alice->downs);
	fixture_pass(f, 60000);
	assert_int_equal(f->sockets_closed, 1);
	assert_true(endpoint_equal(&f->closed, &one));
	assert_int_equal(open_listeners(f, true), 0);
	assert_true(fixture_logged(f, "event=listener-closed"));
	fixture_free(f);
}

/* proves: SEC-IPSEC-14 partial */
static void who_comes_to_the_old_address_hears_the_new_one(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);
	char text[ENDPOINT_TEXT];
	struct peer *late;

	fixture_start(f);
	peer_up(f, 2, "alice");
	assert_int_equal(fixture_reload(f, &config), 0);
	f->server = one;
	late = peer_new(f, 3, "bob");
	peer_open(late);
	fixture_until(f, late->downs);
	assert_int_equal(late->why.error, L2TP_ERROR_TRY_ANOTHER);
	assert_non_null(strstr(late->why.text, endpoint_print(&other, text)));
	fixture_free(f);
}

static void an_address_without_softwires_goes_at_once(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);

	fixture_start(f);
	assert_int_equal(fixture_reload(f, &config), 0);
	assert_string_equal(f->said, "");
	fixture_pass(f, 10);
	assert_int_equal(f->sockets_closed, 1);
	peer_up(f, 2, "alice");
	fixture_free(f);
}

static void an_address_that_comes_back_was_never_away(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);
	struct peer *alice;

	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	assert_int_equal(fixture_reload(f, &config), 0);
	assert_int_equal(fixture_reload(f, &f->config), 0);
	assert_int_equal(open_listeners(f, false), 1);
	f->server = one;
	peer_up(f, 3, "bob");
	fixture_pass(f, 5000);
	assert_int_equal(alice->downs, 0);
	assert_int_equal(f->sockets_closed, 1);
	assert_true(endpoint_equal(&f->closed, &other));
	fixture_free(f);
}

static void an_address_that_cannot_be_had_changes_nothing(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);
	struct peer *alice;

	config.listen[1] = free_port(1);
	config.listen_count = 2;
	config.max_softwires = 1;
	config.pools[0].lease.link6 = fixture_prefix("2001:db8:200::/48");
	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	fixture_users(f, "users = { bob = { secret = \"wonderland\"; }; };\n");
	f->fail_udp = -EADDRNOTAVAIL;
	assert_int_equal(fixture_reload(f, &config), -EINVAL);
	f->fail_udp = 0;
	assert_true(fixture_logged(f, "no interface has this address"));
	fixture_pass(f, 1000);
	assert_int_equal(alice->downs, 0);
	assert_non_null(aaa_find_user(f->c->aaa, "carol"));
	assert_int_equal(f->c->config.max_softwires, 60000);
	assert_true(fixture_routed(f, "2001:db8:100::/48"));
	assert_int_equal(open_listeners(f, false), 1);
	f->server = one;
	peer_up(f, 3, "carol");
	fixture_free(f);
}

/* Everything was opened by then. */
static void impossible_pools_change_nothing(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);
	struct peer *alice;

	config.pools[0].lease.delegate_len = 40;
	config.pools[0].lease.delegate_from = fixture_prefix("2001:db8:8000::/48");
	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	fixture_users(f, "users = { bob = { secret = \"wonderland\"; }; };\n");
	assert_true(fixture_reload(f, &config) < 0);
	assert_int_equal(open_listeners(f, false), 1);
	assert_int_equal(open_listeners(f, true), 0);
	assert_int_equal(f->sockets_closed, 1);
	assert_true(endpoint_equal(&f->closed, &other));
	f->server = one;
	fixture_pass(f, 1000);
	assert_int_equal(alice->downs, 0);
	assert_non_null(aaa_find_user(f->c->aaa, "carol"));
	peer_up(f, 3, "carol");
	fixture_free(f);
}

/* Everything that is wrong is told in one run. */
static void all_that_is_wrong_is_told(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);

	config.auth[0] = PPP_METHOD_EAP;
	config.eap_methods[0] = EAP_TLS;
	snprintf(config.eap_certificate_path, sizeof(config.eap_certificate_path), "%s/none.pem", f->dir);
	fixture_start(f);
	fixture_users(f, "users = { bob = { sekret = \"x\"; }; };\n");
	f->fail_udp = -EADDRINUSE;
	assert_int_equal(fixture_reload(f, &config), -EINVAL);
	f->fail_udp = 0;
	assert_true(fixture_logged(f, "users.conf:1: "));
	assert_true(fixture_logged(f, "none.pem: No such file"));
	assert_true(fixture_logged(f, "another program has this port"));
	assert_int_equal(f->c->config.auth[0], PPP_METHOD_CHAP_MD5);
	f->server = one;
	peer_up(f, 2, "alice");
	fixture_free(f);
}

static void what_has_changed_is_told(void **state)
{
	struct fixture *f = fixture_new();

	fixture_start(f);
	peer_up(f, 2, "alice");
	assert_int_equal(fixture_reload(f, &f->config), 0);
	assert_string_equal(f->said, "");
	fixture_users(f, "users = {\n"
			 "  dave = { secret = \"x\"; };\n"
			 "  carol = { secret = \"wonderland\"; delegate = [ \"2001:db8:ffff:100::/56\" ]; "
			 "iid = \"::c\"; };\n"
			 "  bob = { secret = \"wonderland\"; softwires = 3; };\n"
			 "};\npeers = ( { address = \"203.0.113.0/24\"; tunnel-secret = \"x\"; } );\n");
	assert_int_equal(fixture_reload(f, &f->config), 0);
	assert_string_equal(f->said, "concentrator: users: 1 new, 1 changed, 1 gone\n"
				     "concentrator: tunnel secrets of peers have changed\n"
				     "concentrator: 1 softwire of users who are gone is closed\n");
	assert_int_equal(fixture_reload(f, &f->config), 0);
	assert_string_equal(f->said, "");
	fixture_free(f);
}

/* It is configured again, and its last softwire goes before that is applied. */
static void an_address_that_is_to_come_back_is_not_closed_meanwhile(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);
	struct peer *alice;

	fixture_start(f);
	alice = peer_up(f, 2, "alice");
	assert_int_equal(fixture_reload(f, &config), 0);
	f->hold_change = true;
	assert_int_equal(fixture_reload(f, &f->config), 0);
	concentrator_clear(f->c, "alice", 0);
	fixture_until(f, alice->downs);
	fixture_pass(f, 60000);
	assert_int_equal(concentrator_apply(f->change, NULL), 0);
	f->server = one;
	peer_up(f, 3, "bob");
	fixture_pass(f, 5000);
	assert_int_equal(open_listeners(f, false), 1);
	assert_int_equal(f->sockets_closed, 1);
	assert_true(endpoint_equal(&f->closed, &other));
	fixture_free(f);
}

/* Sent to the keeper, and forgotten before it has answered. */
static void the_end_comes_between_the_steps(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint one = free_port(1), other = free_port(1);
	struct concentrator_config config = moved(f, &one, &other);

	fixture_start(f);
	f->hold_change = true;
	assert_int_equal(fixture_reload(f, &config), 0);
	assert_non_null(f->change);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_address_takes_new_ones_and_the_old_one_keeps_its_own),
		cmocka_unit_test(who_comes_to_the_old_address_hears_the_new_one),
		cmocka_unit_test(an_address_without_softwires_goes_at_once),
		cmocka_unit_test(an_address_that_comes_back_was_never_away),
		cmocka_unit_test(an_address_that_cannot_be_had_changes_nothing),
		cmocka_unit_test(impossible_pools_change_nothing),
		cmocka_unit_test(all_that_is_wrong_is_told),
		cmocka_unit_test(what_has_changed_is_told),
		cmocka_unit_test(an_address_that_is_to_come_back_is_not_closed_meanwhile),
		cmocka_unit_test(the_end_comes_between_the_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

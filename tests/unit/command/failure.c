/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sentences about failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/connect.h"

static const struct target alice = {.user = "alice", .host = "sc.example.net", .port = 1701}, nobody = {.host = "sc.example.net", .port = 1701};

static const struct target nobody_there = {.host = "2001:db8::1", .literal = true, .address.family = AF_INET6, .port = 1702};

struct row {
	const char *error, *cause, *says;
	bool final, final_when_up; /* would trying again be vain? */
};

static const struct row rows[] = {
	{"resolve: sc.example.net: unknown node or service", NULL, "sc.example.net does not exist, or has no address: is the name right?", true, false},
	{"resolve: sc.example.net: temporary failure", NULL,
		"sc.example.net cannot be looked up (temporary failure): is this host's network up, and its DNS right?", false, false},
	{"no route to sc.example.net", NULL, "this host has no route to sc.example.net: is its network up?", false, false},
	{"tunnel: no answer from the server", "no-answer", "nobody answers at 192.0.2.1:1701: a firewall on the way, or no concentrator there", false, false},
	{"tunnel: nobody listens at the server's address", "no-answer",
		"nobody answers at 192.0.2.1:1701: the host is there, and says that no concentrator listens there", false, false},
	{"lcp: set-up took too long", "no-answer", "the server 192.0.2.1:1701 fell silent at the step \"lcp\": set-up took too long", false, false},
	{"tunnel: the peer demands a secret", "tunnel-auth",
		"the server wants a tunnel secret (the peer demands a secret): that takes a configuration file with tunnel-secret-file, see softwired.conf(5)",
		true, true},
	{"auth: CHAP: peer says: wrong user name or password", "user-auth", "wrong user name or password", true, true},
	{"auth: CHAP: peer says: Access denied", "user-auth",
		"the server does not let alice in (it says: Access denied): is the password right, and the account good?", true, true},
	{"ncp: no address", "no-address", "signed in, but the server has no address to give (no address): ask its operator", true, false},
	{"up: HELLO not answered", "dead-peer", "the server does not answer any more (HELLO not answered)", false, false},
	{"up: CDN", "replaced", "another softwire of this user has taken the place of this one (CDN)", false, false},
	{"up: maintenance", "shutdown", "the server shuts down (maintenance)", false, false},
	{"up: cleared", "peer", "the server ended it: cleared", false, false},
	{"lcp: not by PAP", "peer",
		"the server ended it before anybody had signed in: not by PAP (here CHAP and MS-CHAPv2 are known; other ways to sign in take a configuration "
		"file, see softwired.conf(5))",
		false, false},
	{"up: out of memory", "resources", "up: out of memory", false, false},
	{"something else", NULL, "something else", false, false},
};

static void each_failure_has_its_sentence(void **state)
{
	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++) {
		char error[256], text[400];
		struct failure f = {0};

		snprintf(error, sizeof(error), "%s", rows[n].error);
		failure_of(error, rows[n].cause, &f);
		f.target = &alice;
		f.address = "192.0.2.1:1701";
		failure_print(&f, text, sizeof(text));
		assert_string_equal(text, rows[n].says);
		assert_int_equal(failure_is_final(&f, false), rows[n].final);
		assert_int_equal(failure_is_final(&f, true), rows[n].final_when_up);
	}
}

static void who_has_no_name_is_asked_for_one(void **state)
{
	char error[] = "auth: CHAP: we have no secret for this peer", text[400];
	struct failure f = {0};

	failure_of(error, "user-auth", &f);
	f.target = &nobody;
	failure_print(&f, text, sizeof(text));
	assert_string_equal(text, "this server wants to know who you are: softwire connect USER@sc.example.net");
	assert_true(failure_is_final(&f, false));
	f.target = &nobody_there;
	f.cause = "peer";
	f.text = "peer: CDN result 2 (general error), error 6 (vendor-specific error): LCP: peer refuses to authenticate";
	failure_print(&f, text, sizeof(text));
	assert_string_equal(text, "this server wants to know who you are: softwire connect USER@[2001:db8::1]:1702");
	assert_true(failure_is_final(&f, false));
	f.target = &alice; /* who has said who she is */
	failure_print(&f, text, sizeof(text));
	assert_null(strstr(text, "who you are"));
	assert_false(failure_is_final(&f, false));
}

static void without_an_address_the_name_stands_for_it(void **state)
{
	char error[] = "tunnel: no answer from the server", text[400];
	struct failure f = {0};

	failure_of(error, "no-answer", &f);
	f.target = &alice;
	failure_print(&f, text, sizeof(text));
	assert_non_null(strstr(text, "at sc.example.net:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_has_its_sentence),
		cmocka_unit_test(who_has_no_name_is_asked_for_one),
		cmocka_unit_test(without_an_address_the_name_stands_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

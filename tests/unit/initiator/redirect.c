/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Try another": which words name a server, and when they are followed. */
#include "fixture.h"

#include <jansson.h>
#include <sys/stat.h>

/* ---- the words ---- */

static const struct endpoint from = {.addr = {.family = AF_INET, .bytes = {192, 0, 2, 1}}, .port = L2TP_PORT};

static void addresses_are_read(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"192.0.2.2", "192.0.2.2:1701"},
		{"192.0.2.2:1702", "192.0.2.2:1702"},
		{"2001:db8::2", "[2001:db8::2]:1701"},
		{"[2001:db8::2]", "[2001:db8::2]:1701"},
		{"[2001:db8::2]:1701", "[2001:db8::2]:1701"},
		{"2001:db8::", "[2001:db8::]:1701"},
		{"  192.0.2.2", "192.0.2.2:1701"},
		{"192.0.2.2 this server is being drained", "192.0.2.2:1701"},
		{"192.0.2.2: draining", "192.0.2.2:1701"},
		{"192.0.2.2, please", "192.0.2.2:1701"},
		{"192.0.2.2; draining", "192.0.2.2:1701"},
		{"192.0.2.2.", "192.0.2.2:1701"},
		{"2001:db8::2: draining", "[2001:db8::2]:1701"},
		{"[2001:db8:1111:2222:3333:4444:5555:6666]:65535 x",
			"[2001:db8:1111:2222:3333:4444:5555:6666]:65535"},
		{"10.0.0.1", "10.0.0.1:1701"}, /* of a provider's own network */
		{"fd00::1", "[fd00::1]:1701"},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct endpoint at = {0};
		char text[ENDPOINT_TEXT];

		if (!initiator_redirect_parse(cases[n].text, &from, &at))
			fail_msg("\"%s\" was not read", cases[n].text);
		assert_string_equal(endpoint_print(&at, text), cases[n].expected);
	}
}

/* proves: SEC-IPSEC-14 partial */
static void what_is_no_address_of_a_server_is_not_followed(void **state)
{
	static const char *const cases[] = {"", " ", ".", ":", "sc2.example.net", "localhost", "draining 192.0.2.2",
		"192.0.2.999", "192.0.2", "192.0.2.2/32", "192.0.2.2:0", "192.0.2.2:65536", "192.0.2.2:17x",
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "255.255.255.255", "224.0.0.1", "240.0.0.1", "169.254.1.1", "::",
		"::1", "ff02::1", "fe80::1", "fe80::1%eth0", "::ffff:192.0.2.2", "[2001:db8::2", "2001:db8::2]",
		"[192.0.2.2]", "[]", "[]:1701", "2001:db8:::2", "192.0.2.2?", "\"192.0.2.2\"", "0x7f.1", "3232235521",
		"2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct endpoint at = {.port = 7};

		if (initiator_redirect_parse(cases[n], &from, &at))
			fail_msg("\"%s\" was taken for an address", cases[n]);
		assert_int_equal(at.port, 7); /* untouched */
	}
}

/* ---- following them ---- */

static char words[4][64];

/* Server N names the server TO. */
static void point(struct fixture *f, unsigned n, unsigned to)
{
	char text[ENDPOINT_TEXT];

	snprintf(words[n], sizeof(words[n]), "%s being drained", endpoint_print(&f->servers[to].at, text));
	f->servers[n].refusal = words[n];
}

static void expect(struct fixture *f, const char *field, const char *text)
{
	json_t *o = initiator_show(f->i);
	const char *value = json_string_value(json_object_get(o, field));

	if (text ? !value || !strstr(value, text) : value != NULL)
		fail_msg("%s is %s, not %s", field, value ? value : "null", text ? text : "null");
	json_decref(o);
}

/* proves: SEC-IPSEC-14 partial, PS-7 partial */
static void a_refusal_that_names_another_is_followed_at_once(void **state)
{
	struct fixture *f = fixture_new();
	msec start = loop_now(&f->loop);
	char text[ENDPOINT_TEXT];

	point(f, 0, 1);
	fixture_start(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 500);
	assert_true(loop_now(&f->loop) - start < 600);
	assert_int_equal(f->servers[1].ups, 1);
	assert_int_equal(f->i->failures, 0);
	assert_true(fixture_logged(f, "event=redirected"));
	expect(f, "server", endpoint_print(&f->servers[0].at, text));
	expect(f, "peer", endpoint_print(&f->servers[1].at, text));
	expect(f, "redirected_by", endpoint_print(&f->servers[0].at, text));
	expect(f, "redirect_text", "being drained");
	fixture_free(f);
}

/* proves: SEC-IPSEC-14 partial, PS-7 partial */
static void a_softwire_that_is_up_is_moved(void **state)
{
	struct fixture *f = fixture_new();
	char text[ENDPOINT_TEXT + 16];
	msec start;

	fixture_up(f);
	expect(f, "redirected_by", NULL);
	endpoint_print(&f->servers[1].at, text);
	strcat(text, " maintenance");
	start = loop_now(&f->loop);
	f->servers[0].mute = true; /* for whoever comes again */
	softwire_close(f->servers[0].softwire, CAUSE_LOCAL, L2TP_STOP_ERROR, L2TP_ERROR_TRY_ANOTHER, text, start);
	fixture_pass_until(f, f->servers[1].ups == 1, 500);
	fixture_pass(f, 2000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->default_metric, 1024);
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_false(fixture_logged(f, "event=waiting"));
	fixture_free(f);
}

static void it_can_be_forbidden(void **state)
{
	struct fixture *f = fixture_new();

	f->config.redirect = false;
	point(f, 0, 1);
	fixture_start(f);
	fixture_pass(f, 3000);
	assert_int_equal(f->servers[1].requests, 0);
	assert_true(fixture_logged(f, "`redirect` is false"));
	assert_true(f->i->failures > 0);
	fixture_free(f);
}

static void names_are_not_followed(void **state)
{
	struct fixture *f = fixture_new();

	f->servers[0].refusal = "both.example";
	f->names = "4 4";
	fixture_start(f);
	fixture_pass(f, 3000);
	assert_null(f->asked);
	assert_true(fixture_logged(f, "it names no address of another server"));
	assert_true(f->i->failures > 0);
	fixture_free(f);
}

static void circles_are_seen(void **state)
{
	struct fixture *f = fixture_new();

	point(f, 0, 1);
	point(f, 1, 0);
	fixture_start(f);
	fixture_pass(f, 400);
	assert_true(fixture_logged(f, "it leads in a circle"));
	assert_int_equal(f->i->state, INITIATOR_WAITING);
	assert_int_equal(f->servers[1].requests, 1);
	point(f, 0, 0); /* a circle of one */
	fixture_pass_until(f, f->i->failures == 2, 3000);
	fixture_free(f);
}

static void three_in_a_row_are_enough(void **state)
{
	struct fixture *f = fixture_new();

	f->config.server_count = 1;
	point(f, 0, 1);
	point(f, 1, 3);
	fixture_start(f);
	fixture_pass_until(f, f->servers[3].ups == 1, 500);
	server_restart(&f->servers[3]);
	/* One more is the fourth server that names a fifth. */
	f->servers[3].refusal = "192.0.2.9";
	f->servers[2].refusal = NULL;
	initiator_clear(f->i);
	fixture_pass(f, 300);
	assert_false(fixture_logged(f, "too many"));
	snprintf(words[3], sizeof(words[3]), "%s", endpoint_print(&f->servers[2].at, (char[ENDPOINT_TEXT]){0}));
	f->servers[3].refusal = words[3];
	f->servers[2].refusal = "192.0.2.10";
	fixture_pass_until(f, fixture_logged(f, "there were too many in a row"), 20000);
	fixture_free(f);
}

/* proves: PS-7 partial */
static void one_that_leads_nowhere_is_followed_by_the_list(void **state)
{
	struct fixture *f = fixture_new();
	msec start = loop_now(&f->loop);

	f->config.server_count = 2;
	point(f, 0, 3);
	f->servers[3].mute = true;
	fixture_start(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 5000);
	assert_in_range(loop_now(&f->loop) - start, 2900, 4500);
	assert_int_equal(f->servers[1].ups, 1);
	expect(f, "redirected_by", NULL);
	fixture_free(f);
}

/* The server that knows the tunnel secret names one that does not: that one sees nothing of ours. */
/* proves: SEC-IPSEC-14 partial */
static void the_other_one_must_prove_the_same(void **state)
{
	struct fixture *f = fixture_new();
	FILE *file;

	snprintf(f->config.tunnel_secret_path, sizeof(f->config.tunnel_secret_path), "%s/key", f->dir);
	file = fopen(f->config.tunnel_secret_path, "w");
	fputs("a secret\n", file);
	fclose(file);
	chmod(f->config.tunnel_secret_path, 0600);
	point(f, 0, 1); /* which answers without a Challenge Response */
	fixture_start(f);
	fixture_pass(f, 3000);
	assert_true(f->servers[1].requests > 0);
	assert_int_equal(f->servers[1].packets, 0);
	assert_int_equal(f->servers[1].ups, 0);
	fixture_free(f);
}

static void it_is_forgotten_with_the_softwire(void **state)
{
	struct fixture *f = fixture_new();

	point(f, 0, 1);
	fixture_start(f);
	fixture_pass_until(f, f->servers[1].ups == 1, 500);
	f->servers[0].refusal = NULL;
	fixture_pass(f, 2000);
	server_restart(&f->servers[1]);
	initiator_clear(f->i);
	fixture_pass_until(f, f->servers[0].ups == 1, 3000);
	expect(f, "redirected_by", NULL);
	fixture_free(f);
}

/* The one that sent us away takes us again. */
static void home_from_a_redirection(void **state)
{
	struct fixture *f = fixture_new();

	f->config.come_home = true;
	f->config.come_home_ms = 20000;
	point(f, 0, 1);
	fixture_start(f);
	fixture_pass_until(f, f->servers[1].ups == 1, 500);
	fixture_pass(f, 100000); /* still the same answer: stay */
	assert_true(f->servers[0].requests > 3);
	assert_int_equal(f->servers[1].requests, 1);
	assert_int_equal(f->servers[1].downs, 0);
	f->servers[0].refusal = NULL;
	fixture_pass_until(f, f->servers[0].ups == 1, 31000);
	fixture_pass_until(f, f->servers[1].downs == 1, 6000);
	expect(f, "redirected_by", NULL);
	fixture_free(f);
}

/* What was set up beside the softwire is for the next one when that is sent away; and where nobody answers, all are asked again. */
static void expect_no_end(struct fixture *f, struct server *old, struct server *to)
{
	char text[ENDPOINT_TEXT];

	to->mute = true;
	softwire_close(old->softwire, CAUSE_LOCAL, L2TP_STOP_ERROR, L2TP_ERROR_TRY_ANOTHER,
		endpoint_print(&to->at, text), loop_now(&f->loop));
	fixture_pass_until(f, to->requests > 0, 500);
	assert_null(f->i->current);
	assert_true(f->i->state != INITIATOR_UP);
	old->mute = true;
	fixture_pass_until(f, f->i->state == INITIATOR_WAITING, 40000);
	old->mute = to->mute = false;
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 20000);
	fixture_free(f);
}

/* proves: PS-7 partial */
static void sent_away_on_the_way_home(void **state)
{
	struct fixture *f = fixture_new();

	f->config.server_count = 2;
	f->config.come_home = true;
	f->config.come_home_ms = 60000;
	f->servers[0].mute = true;
	fixture_start(f);
	fixture_pass_until(f, f->servers[1].ups == 1, 6000);
	fixture_pass_until(f, f->i->race.purpose == RACE_HOME, 100000);
	expect_no_end(f, &f->servers[1], &f->servers[3]);
}

static void sent_away_under_suspicion(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	f->servers[0].mute = true;
	initiator_hint(f->i, "a change");
	fixture_pass_until(f, f->i->race.purpose == RACE_SUSPECT, 2500);
	expect_no_end(f, &f->servers[0], &f->servers[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(what_is_no_address_of_a_server_is_not_followed),
		cmocka_unit_test(a_refusal_that_names_another_is_followed_at_once),
		cmocka_unit_test(a_softwire_that_is_up_is_moved),
		cmocka_unit_test(it_can_be_forbidden),
		cmocka_unit_test(names_are_not_followed),
		cmocka_unit_test(circles_are_seen),
		cmocka_unit_test(three_in_a_row_are_enough),
		cmocka_unit_test(one_that_leads_nowhere_is_followed_by_the_list),
		cmocka_unit_test(the_other_one_must_prove_the_same),
		cmocka_unit_test(it_is_forgotten_with_the_softwire),
		cmocka_unit_test(home_from_a_redirection),
		cmocka_unit_test(sent_away_on_the_way_home),
		cmocka_unit_test(sent_away_under_suspicion),
	};

	return cmocka_run_group_tests_name("redirect", tests, NULL, NULL);
}

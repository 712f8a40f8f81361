/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The initiator's policy: connecting and staying connected, what goes into the kernel and comes out of it, and the LAN. */
#include "fixture.h"

#include <jansson.h>
#include <unistd.h>

static msec now(const struct fixture *f)
{
	return loop_now(&f->loop);
}

/* ---- what a softwire brings ---- */

/* proves: HS-SCEN-2 partial, HS-SCEN-4 partial, HS-SCEN-9 partial, HS-DHCP-4 partial */
static void a_softwire_brings_address_route_and_lan_prefix(void **state)
{
	struct fixture *f = fixture_new();
	const struct installed *a;
	char text[ADDR_TEXT];

	fixture_up(f);
	assert_int_equal(f->i->state, INITIATOR_UP);
	a = fixture_address(f, "si-home", addr_print(&f->i->current->engine.state.address, text));
	assert_non_null(a);
	assert_int_equal(a->len, 128);
	assert_int_equal(f->default_metric, 1024);
	assert_true(fixture_unreachable(f, "2001:db8:8000:700::/56"));
	a = fixture_address(f, "lan0", "2001:db8:8000:700::1");
	assert_non_null(a);
	assert_int_equal(a->len, 64);
	assert_in_range(a->preferred, 3590, 3600);
	assert_in_range(a->valid, 10790, 10800);
	assert_in_range(f->mtu, 1280, 1460);
	fixture_free(f);
}

/* proves: HS-DHCP-6 partial */
static void the_lan_is_told(void **state)
{
	struct fixture *f = fixture_new();
	const struct nd_advert *a = &f->advert.advert;
	struct prefix p;

	fixture_up(f);
	fixture_pass(f, 20000);
	assert_true(f->adverts > 0);
	assert_int_equal(a->prefix_count, 1);
	assert_int_equal(prefix_parse("2001:db8:8000:700::/64", &p), 0);
	assert_true(prefix_equal(&a->prefixes[0].prefix, &p));
	assert_true(a->prefixes[0].autonomous && a->prefixes[0].on_link);
	assert_true(a->router_lifetime > 0);
	assert_int_equal(a->dns_count, 1);
	fixture_free(f);
}

static void each_lan_has_a_64_of_its_own(void **state)
{
	static const struct {
		const char *delegated;
		unsigned lan;
		const char *expected; /* NULL: none is left */
	} cases[] = {
		{"2001:db8:8000:700::/56", 0, "2001:db8:8000:700::/64"},
		{"2001:db8:8000:700::/56", 1, "2001:db8:8000:701::/64"},
		{"2001:db8:8000:700::/56", 7, "2001:db8:8000:707::/64"},
		{"2001:db8:8000::/48", 3, "2001:db8:8000:3::/64"},
		{"2001:db8:8000:700::/63", 1, "2001:db8:8000:701::/64"},
		{"2001:db8:8000:700::/63", 2, NULL},
		{"2001:db8:8000:700::/64", 0, "2001:db8:8000:700::/64"},
		{"2001:db8:8000:700::/64", 1, NULL},
		{"2001:db8:8000:700::/65", 0, NULL},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct prefix delegated, expected = {0}, got;

		assert_int_equal(prefix_parse(cases[n].delegated, &delegated), 0);
		if (cases[n].expected)
			assert_int_equal(prefix_parse(cases[n].expected, &expected), 0);
		got = initiator_lan_prefix(NULL, &delegated, cases[n].lan);
		if (cases[n].expected ? !prefix_equal(&got, &expected) : !prefix_is_none(&got))
			fail_msg("LAN %u of %s", cases[n].lan, cases[n].delegated);
	}
}

/* Somebody else's default route has the metric: ours comes behind it. */
static void a_metric_that_is_taken_is_stepped_over(void **state)
{
	struct fixture *f = fixture_new();

	f->taken_metrics = 3;
	fixture_up(f);
	assert_int_equal(f->default_metric, 1027);
	fixture_stop(f);
	assert_int_equal(f->default_metric, 0);
	fixture_free(f);
}

static void check_fields(json_t *o, const char *const *fields, size_t count)
{
	for (size_t n = 0; n < count; n++)
		if (!json_object_get(o, fields[n]))
			fail_msg("field %s is missing", fields[n]);
	json_decref(o);
}

static void what_is_shown_has_every_field(void **state)
{
	static const char *const softwire[] = {"id", "role", "name", "user", "state", "peer", "local",
		"link6", "address6", "delegated", "address4", "peer4", "subnets", "dns", "auth", "path",
		"families", "mtu", "up_seconds", "setup_ms", "rx6_packets", "tx6_bytes", "drop_other",
		"last_error", "reconnects", "next_attempt_seconds", "server", "redirected_by",
		"redirect_text"};
	static const char *const tunnel[] = {"id", "role", "name", "user", "peer", "local", "state"};
	static const char *const lease[] = {"role", "name", "prefix", "kind", "preferred", "valid", "dns"};

	for (int up = 0; up < 2; up++) {
		struct fixture *f = fixture_new();
		json_t *leases;

		f->servers[0].mute = !up;
		if (up)
			fixture_up(f);
		else
			fixture_start(f);
		check_fields(initiator_show(f->i), softwire, sizeof(softwire) / sizeof(*softwire));
		check_fields(initiator_show_tunnel(f->i), tunnel, sizeof(tunnel) / sizeof(*tunnel));
		leases = initiator_show_leases(f->i);
		assert_int_equal(json_array_size(leases), up ? 2 : 0);
		for (size_t n = 0; n < json_array_size(leases); n++)
			check_fields(json_incref(json_array_get(leases, n)), lease,
				sizeof(lease) / sizeof(*lease));
		json_decref(leases);
		fixture_free(f);
	}
}

/* ---- attempts ---- */

static void a_silent_server_is_left_after_7_seconds(void **state)
{
	struct fixture *f = fixture_new();
	msec start;

	f->servers[0].mute = true;
	fixture_start(f);
	fixture_until(f, f->servers[0].requests == 1);
	start = now(f);
	while (f->i->state == INITIATOR_CONNECTING && now(f) - start < 60000)
		fixture_pass(f, 100);
	assert_in_range(now(f) - start, 6500, 8600);
	assert_in_range(f->servers[0].requests, 3, 4); /* at 0, 1 and 3 s, and maybe at 7 */
	assert_int_equal(f->i->failures, 1);
	assert_non_null(strstr(f->i->last_error, "no answer from the server"));
	f->servers[0].mute = false;
	for (int n = 0; n < 100 && f->i->state != INITIATOR_UP; n++)
		fixture_pass(f, 100);
	assert_int_equal(f->servers[0].ups, 1);
	/* Only a softwire that stays up for 30 s ends the back-off. */
	assert_int_equal(f->i->failures, 1);
	for (int n = 0; n < 310; n++)
		fixture_pass(f, 100);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->i->failures, 0);
	fixture_free(f);
}

/* ICMP says that nobody listens: no need to wait for 7 s. */
static void a_refused_attempt_ends_soon(void **state)
{
	struct fixture *f = fixture_new();
	struct endpoint gone = f->servers[0].at;
	msec start;

	close(f->servers[0].fd);
	f->servers[0].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(gone.port, f->servers[0].at.port);
	fixture_start(f);
	fixture_until(f, f->i->state == INITIATOR_CONNECTING);
	start = now(f);
	while (!f->i->failures && now(f) - start < 20000)
		fixture_pass(f, 100);
	assert_true(now(f) - start < 2500);
	assert_non_null(strstr(f->i->last_error, "nobody listens"));
	fixture_free(f);
}

/* Waits for the next failure and tells how long the initiator means to wait then. */
static msec next_delay(struct fixture *f)
{
	uint32_t failures = f->i->failures;

	for (int n = 0; n < 100000 && f->i->failures == failures; n++)
		fixture_pass(f, 50);
	assert_int_equal(f->i->state, INITIATOR_WAITING);
	return f->i->attempt_at > now(f) ? f->i->attempt_at - now(f) : 0;
}

/* Doubling with jitter of a half, at most 8 s in the first five minutes, then 60 s. Up to 60 ms pass until this test looks. */
static void attempts_back_off(void **state)
{
	struct fixture *f = fixture_new();
	msec start, base = 1000;
	unsigned long_waits = 0;

	close(f->servers[0].fd);
	f->servers[0].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	fixture_start(f);
	start = now(f);
	for (int n = 0; n < 8; n++) {
		msec delay = next_delay(f);

		assert_in_range(delay, base / 2 - 120, base);
		base = base < 8000 ? 2 * base : 8000;
	}
	while (now(f) - start < 1200000) {
		msec delay = next_delay(f);

		if (now(f) - start < 290000)
			assert_in_range(delay, 3880, 8000);
		long_waits += delay > 30000;
		assert_true(delay <= 60000);
	}
	assert_true(long_waits > 3);
	fixture_free(f);
}

static void a_hint_while_waiting_is_an_attempt_now(void **state)
{
	struct fixture *f = fixture_new();

	f->servers[0].mute = true;
	fixture_start(f);
	while (f->i->failures < 5)
		next_delay(f);
	f->servers[0].mute = false;
	initiator_hint(f->i, "address");
	fixture_pass(f, 1100); /* the timer looks once a second */
	fixture_until(f, f->i->state == INITIATOR_UP);
	fixture_free(f);
}

static void a_wrong_password_is_tried_again_with_back_off(void **state)
{
	struct fixture *f = fixture_new();
	FILE *file = fopen(f->config.password_path, "w");

	fputs("looking-glass\n", file);
	fclose(file);
	fixture_start(f);
	next_delay(f);
	assert_non_null(strstr(f->i->last_error, "auth"));
	assert_non_null(strstr(f->i->last_error, "wrong user name or password"));
	assert_false(fixture_logged(f, "looking-glass"));
	assert_int_equal(f->default_metric, 0);
	fixture_free(f);
}

static void a_missing_password_file_fails_the_start(void **state)
{
	struct fixture *f = fixture_new();

	unlink(f->config.password_path);
	fixture_start(f);
	assert_true(f->result < 0);
	assert_true(fixture_logged(f, "event=start-failed"));
	initiator_free(f->i);
	f->i = NULL;
	fixture_free(f);
}

/* ---- hints ---- */

static void hints_probe_and_never_end(void **state)
{
	struct fixture *f = fixture_new();
	uint64_t hellos;

	fixture_up(f);
	hellos = f->i->counters.l2tp.hello_tx;
	for (int n = 0; n < 30; n++) {
		initiator_hint(f->i, "a forged ICMP error");
		fixture_pass(f, 200);
	}
	assert_true(f->i->counters.l2tp.hello_tx > hellos + 10);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->i->reconnects, 0);
	assert_int_equal(f->servers[0].downs, 0);
	fixture_free(f);
}

static void a_hint_about_a_dead_server_finds_it_out(void **state)
{
	struct fixture *f = fixture_new();
	msec start;

	fixture_up(f);
	f->servers[0].mute = true;
	start = now(f);
	initiator_hint(f->i, "route");
	while (f->i->state == INITIATOR_UP && now(f) - start < 60000)
		fixture_pass(f, 100);
	assert_in_range(now(f) - start, 6900, 8600);
	/* What we had stays for a while: the same prefix may come back. */
	assert_int_equal(f->default_metric, 1024);
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	fixture_free(f);
}

/* A server that restarted does not know us: our HELLO finds out, and we are back with the same prefix. */
static void a_restarted_server_is_found_again(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	server_restart(&f->servers[0]);
	initiator_hint(f->i, "the server does not know this tunnel");
	for (int n = 0; n < 300 && f->servers[0].ups < 2; n++)
		fixture_pass(f, 100);
	assert_int_equal(f->servers[0].ups, 2);
	fixture_pass(f, 2000);
	assert_int_equal(f->i->reconnects, 1);
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_false(fixture_logged(f, "prefix-deprecated"));
	fixture_free(f);
}

static void a_long_outage_withdraws_the_default_route(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	f->servers[0].mute = true;
	initiator_hint(f->i, "route");
	fixture_pass(f, 20000);
	assert_true(f->i->state != INITIATOR_UP);
	assert_int_equal(f->default_metric, 1024);
	fixture_pass(f, 40000);
	assert_int_equal(f->default_metric, 0);
	assert_true(fixture_logged(f, "event=withdrawn"));
	assert_int_equal(f->advert.advert.router_lifetime, 0);
	f->servers[0].mute = false;
	for (int n = 0; n < 300 && f->i->state != INITIATOR_UP; n++)
		fixture_pass(f, 100);
	fixture_pass(f, 20000);
	assert_int_equal(f->default_metric, 1024);
	assert_true(f->advert.advert.router_lifetime > 0);
	fixture_free(f);
}

static void clear_connects_again(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	initiator_clear(f->i);
	for (int n = 0; n < 100 && f->servers[0].ups < 2; n++)
		fixture_pass(f, 100);
	assert_int_equal(f->servers[0].ups, 2);
	fixture_free(f);
}

/* ---- prefixes that come and go ---- */

static void new_prefix(struct fixture *f)
{
	assert_int_equal(prefix_parse("2001:db8:9000:900::/56", &f->servers[0].lease.delegated[0]), 0);
	server_restart(&f->servers[0]);
	initiator_clear(f->i);
	for (int n = 0; n < 200 && !fixture_address(f, "lan0", "2001:db8:9000:900::1"); n++)
		fixture_pass(f, 100);
	assert_non_null(fixture_address(f, "lan0", "2001:db8:9000:900::1"));
}

static void a_prefix_that_does_not_come_back_is_deprecated(void **state)
{
	struct fixture *f = fixture_new();
	const struct installed *old;
	const struct nd_advert *a = &f->advert.advert;
	struct prefix lan_old;

	fixture_up(f);
	new_prefix(f);
	old = fixture_address(f, "lan0", "2001:db8:8000:700::1");
	assert_non_null(old);
	assert_int_equal(old->preferred, 0);
	assert_in_range(old->valid, 7100, 7200); /* RFC 7084 L-13: two hours at most */
	assert_false(fixture_unreachable(f, "2001:db8:8000:700::/56"));
	assert_true(fixture_unreachable(f, "2001:db8:9000:900::/56"));
	fixture_pass(f, 20000);
	assert_int_equal(a->prefix_count, 2);
	assert_int_equal(prefix_parse("2001:db8:8000:700::/64", &lan_old), 0);
	for (unsigned n = 0; n < 2; n++)
		assert_true(
			(a->prefixes[n].preferred == 0) == prefix_equal(&a->prefixes[n].prefix, &lan_old));
	fixture_free(f);
}

/* The user's pool delegates no more: there is no binding to compare with. */
static void a_prefix_is_deprecated_when_nothing_is_delegated_any_more(void **state)
{
	struct fixture *f = fixture_new();
	const struct nd_advert *a = &f->advert.advert;

	snprintf(f->config.hooks[INITIATOR_HOOK_CHANGE], sizeof(f->config.hooks[0]), "/hooks/change");
	fixture_up(f);
	f->servers[0].lease.prefix_count = 0;
	fixture_again(f);
	assert_int_equal(f->i->state, INITIATOR_UP);
	fixture_pass(f, 15000); /* it may still come */
	assert_true(fixture_address(f, "lan0", "2001:db8:8000:700::1")->preferred > 0);
	fixture_pass(f, 25000);
	assert_true(fixture_logged(f, "event=prefix-deprecated"));
	assert_int_equal(fixture_address(f, "lan0", "2001:db8:8000:700::1")->preferred, 0);
	assert_in_range(fixture_address(f, "lan0", "2001:db8:8000:700::1")->valid, 7100, 7200);
	assert_false(fixture_unreachable(f, "2001:db8:8000:700::/56"));
	assert_int_equal(f->default_metric, 1024);
	assert_string_equal(fixture_hook(f, "change", "SOFTWIRE_DELEGATED6"), "");
	assert_string_equal(fixture_hook(f, "change", "SOFTWIRE_LAN6"), "");
	fixture_pass(f, 20000);
	assert_int_equal(a->prefix_count, 1);
	assert_int_equal(a->prefixes[0].preferred, 0);

	f->servers[0].lease.prefix_count = 1;
	fixture_again(f);
	assert_true(fixture_address(f, "lan0", "2001:db8:8000:700::1")->preferred > 0);
	assert_true(fixture_unreachable(f, "2001:db8:8000:700::/56"));
	fixture_free(f);
}

static void a_prefix_stays_while_the_softwire_reconnects(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	f->servers[0].mute = true;
	initiator_clear(f->i);
	fixture_pass(f, 120000);
	assert_true(f->i->state != INITIATOR_UP);
	f->servers[0].mute = false;
	fixture_again(f);
	fixture_pass(f, 40000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_false(fixture_logged(f, "event=prefix-deprecated"));
	assert_true(fixture_unreachable(f, "2001:db8:8000:700::/56"));
	fixture_free(f);
}

static void a_deprecated_prefix_is_gone_after_two_hours(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	new_prefix(f);
	fixture_pass(f, 7100000);
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	fixture_pass(f, 200000);
	assert_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_non_null(fixture_address(f, "lan0", "2001:db8:9000:900::1"));
	assert_true(fixture_logged(f, "prefix-expired"));
	fixture_free(f);
}

static void a_prefix_that_comes_back_is_current_again(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	new_prefix(f);
	assert_int_equal(prefix_parse("2001:db8:8000:700::/56", &f->servers[0].lease.delegated[0]), 0);
	server_restart(&f->servers[0]);
	initiator_clear(f->i);
	for (int n = 0; n < 200 && !fixture_unreachable(f, "2001:db8:8000:700::/56"); n++)
		fixture_pass(f, 100);
	assert_true(fixture_address(f, "lan0", "2001:db8:8000:700::1")->preferred > 0);
	assert_int_equal(fixture_address(f, "lan0", "2001:db8:9000:900::1")->preferred, 0);
	fixture_free(f);
}

/* ---- stop ---- */

static unsigned installed(const struct installed *list)
{
	unsigned n = 0;

	for (int i = 0; i < ADDRESSES; i++)
		n += list[i].there;
	return n;
}

static void stop_leaves_nothing_in_the_kernel(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	fixture_pass(f, 20000);
	fixture_stop(f);
	assert_int_equal(installed(f->addresses), 0);
	assert_int_equal(installed(f->unreachable), 0);
	assert_int_equal(f->default_metric, 0);
	assert_int_equal(f->advert.advert.router_lifetime, 0);
	assert_int_equal(f->advert.advert.prefixes[0].preferred, 0);
	fixture_pass(f, 100);
	assert_int_equal(f->servers[0].downs, 1);
	assert_non_null(strstr(f->servers[0].why.text, "the initiator shuts down"));
	fixture_free(f);
}

static void it_may_stop_at_any_moment(void **state)
{
	for (int rounds = 0; rounds < 40; rounds++) {
		struct fixture *f = fixture_new();

		fixture_start(f);
		for (int n = 0; n < rounds; n++)
			fixture_round(f);
		fixture_free(f);
	}
}

/* ---- the state file ---- */

static void duid_and_prefix_survive_a_restart(void **state)
{
	struct fixture *f = fixture_new();
	struct dhcp6_client_config before;

	fixture_up(f);
	before = f->i->softwire.dhcp6_client;
	fixture_stop(f);
	server_restart(&f->servers[0]);
	fixture_start(f);
	assert_int_equal(f->i->softwire.dhcp6_client.duid_len, before.duid_len);
	assert_memory_equal(f->i->softwire.dhcp6_client.duid, before.duid, before.duid_len);
	assert_int_equal(f->i->hint.prefix_count, 1);
	assert_true(prefix_equal(&f->i->hint.prefixes[0].prefix, &f->servers[0].lease.delegated[0]));
	fixture_free(f);
}

/* The prefix of the last run does not come back: LAN hosts may still use it, so they are told. */
static void a_prefix_of_the_last_run_is_deprecated(void **state)
{
	struct fixture *f = fixture_new();
	const struct installed *old;

	fixture_state_file(f, "{\"duid\":\"00040102030405060708090a0b0c0d0e0f10\",\"prefixes\":[\"2001:db8:"
			      "7000:100::/56\"]}");
	fixture_up(f);
	old = fixture_address(f, "lan0", "2001:db8:7000:100::1");
	assert_non_null(old);
	assert_int_equal(old->preferred, 0);
	assert_int_equal(fixture_address(f, "lan0", "2001:db8:8000:700::1")->len, 64);
	fixture_free(f);
}

static void garbage_in_the_state_file_is_survived(void **state)
{
	static const struct {
		const char *text;
		bool keeps_duid;
		unsigned prefixes;
	} cases[] = {
		{"", false, 0},
		{"{", false, 0},
		{"[]", false, 0},
		{"null", false, 0},
		{"{\"duid\":7}", false, 0},
		{"{\"duid\":\"\"}", false, 0},
		{"{\"duid\":\"000\"}", false, 0},
		{"{\"duid\":\"0004zz\"}", false, 0},
		{"{\"duid\":\"0004 1 2 3\"}", false, 0},
		{"{\"duid\":\"00041111111111111111\"}", true, 0},
		{"{\"duid\":\"00041111111111111111\",\"prefixes\":7}", true, 0},
		{"{\"duid\":\"00041111111111111111\",\"prefixes\":[7,null,\"nonsense\",\"192.0.2.0/"
		 "24\",\"2001:db8::/200\"]}",
			true, 0},
		{"{\"duid\":\"00041111111111111111\",\"prefixes\":[\"fe80::/64\",\"ff00::/8\",\"::/0\"]}",
			true, 0},
		{"{\"duid\":\"00041111111111111111\",\"prefixes\":[\"2001:db8:1::/56\",\"2001:db8:1::/56\"]}",
			true, 1},
		{"{\"duid\":\"00041111111111111111\",\"prefixes\":[\"2001:db8:1::/56\",\"2001:db8:2::/"
		 "56\",\"2001:db8:3::/56\","
		 "\"2001:db8:4::/56\",\"2001:db8:5::/56\",\"2001:db8:6::/56\",\"2001:db8:7::/"
		 "56\",\"2001:db8:8::/56\","
		 "\"2001:db8:9::/56\"]}",
			true, 4},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();
		static const uint8_t duid[] = {0, 4, 0x11, 0x11};
		const struct dhcp6_client_config *d;

		fixture_state_file(f, cases[n].text);
		f->servers[0].mute = true;
		fixture_start(f);
		d = &f->i->softwire.dhcp6_client;
		if ((d->duid_len == 10 && memcmp(d->duid, duid, sizeof(duid)) == 0) != cases[n].keeps_duid)
			fail_msg("%s: the DUID", cases[n].text);
		assert_in_range(d->duid_len, 4, DHCP6_DUID_MAX);
		if (f->i->hint.prefix_count != cases[n].prefixes)
			fail_msg("%s: %u prefixes", cases[n].text, f->i->hint.prefix_count);
		fixture_free(f);
	}
}

static void a_folder_that_is_not_there_is_no_obstacle(void **state)
{
	struct fixture *f = fixture_new();

	snprintf(f->config.state_path, sizeof(f->config.state_path), "%s/none/state.json", f->dir);
	fixture_up(f);
	assert_true(fixture_logged(f, "will not survive a restart"));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_softwire_brings_address_route_and_lan_prefix),
		cmocka_unit_test(the_lan_is_told),
		cmocka_unit_test(each_lan_has_a_64_of_its_own),
		cmocka_unit_test(a_metric_that_is_taken_is_stepped_over),
		cmocka_unit_test(what_is_shown_has_every_field),
		cmocka_unit_test(a_silent_server_is_left_after_7_seconds),
		cmocka_unit_test(a_refused_attempt_ends_soon),
		cmocka_unit_test(attempts_back_off),
		cmocka_unit_test(a_hint_while_waiting_is_an_attempt_now),
		cmocka_unit_test(a_wrong_password_is_tried_again_with_back_off),
		cmocka_unit_test(a_missing_password_file_fails_the_start),
		cmocka_unit_test(hints_probe_and_never_end),
		cmocka_unit_test(a_hint_about_a_dead_server_finds_it_out),
		cmocka_unit_test(a_restarted_server_is_found_again),
		cmocka_unit_test(a_long_outage_withdraws_the_default_route),
		cmocka_unit_test(clear_connects_again),
		cmocka_unit_test(a_prefix_that_does_not_come_back_is_deprecated),
		cmocka_unit_test(a_prefix_is_deprecated_when_nothing_is_delegated_any_more),
		cmocka_unit_test(a_prefix_stays_while_the_softwire_reconnects),
		cmocka_unit_test(a_deprecated_prefix_is_gone_after_two_hours),
		cmocka_unit_test(a_prefix_that_comes_back_is_current_again),
		cmocka_unit_test(stop_leaves_nothing_in_the_kernel),
		cmocka_unit_test(it_may_stop_at_any_moment),
		cmocka_unit_test(duid_and_prefix_survive_a_restart),
		cmocka_unit_test(a_prefix_of_the_last_run_is_deprecated),
		cmocka_unit_test(garbage_in_the_state_file_is_survived),
		cmocka_unit_test(a_folder_that_is_not_there_is_no_obstacle),
	};

	return cmocka_run_group_tests_name("initiator", tests, NULL, NULL);
}

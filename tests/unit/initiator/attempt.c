/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which server, by which way, and that the way never leads through the softwire itself. */
#include "fixture.h"

#include <net/if.h>
#include <sys/socket.h>

/* ---- which address of a server ---- */

/* proves: PS-12 partial, HS-SCEN-9 partial */
static void the_family_that_is_not_brought_comes_first(void **state)
{
	static const struct {
		bool ipv6, ipv4;
		const char *names;
		int first;
	} cases[] = {
		{true, false, "6 4", AF_INET},
		{true, false, "4 6", AF_INET},
		{false, true, "4 6", AF_INET6},
		{false, true, "6 4", AF_INET6},
		{true, true, "6 4", AF_INET6}, /* the resolver knows best */
		{true, true, "4 6", AF_INET},
		/* None of the other kind: better than nothing. */
		{true, false, "6 6", AF_INET6},
		{false, true, "4 4", AF_INET},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();

		f->config.ipv6 = f->config.want_prefix = cases[n].ipv6;
		f->config.ipv4 = cases[n].ipv4;
		f->names = cases[n].names;
		snprintf(f->config.servers[0], sizeof(f->config.servers[0]), "both.example:%u",
			f->servers[0].at.port);
		f->servers[0].mute = true;
		fixture_start(f);
		fixture_until(f, f->i->race.next);
		if (f->i->race.candidates[0].at.addr.family != cases[n].first)
			fail_msg("%s for IPv6 %d, IPv4 %d: family %d", cases[n].names, cases[n].ipv6,
				cases[n].ipv4, f->i->race.candidates[0].at.addr.family);
		fixture_free(f);
	}
}

/* ---- the way there ---- */

/* A softwire that brings the family that carries it: its own default route must not carry it. */
static void packets_stay_on_the_interface_that_led_to_the_server(void **state)
{
	static const struct {
		bool ipv6, ipv4;
		const char *names;
		bool pinned4, pinned6;
	} cases[] = {
		{true, true, "4 4", true, false},
		{false, true, "4 4", true, false},
		{true, false, "4 4", false, false}, /* IPv4 may follow the host's routes */
		{true, true, "6 6", false, true},
		{true, false, "6 6", false, true},
		{false, true, "6 6", false, true},
	};
	const unsigned lo = 1;

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();

		f->config.ipv6 = f->config.want_prefix = cases[n].ipv6;
		f->config.ipv4 = cases[n].ipv4;
		f->names = cases[n].names;
		snprintf(f->config.servers[0], sizeof(f->config.servers[0]), "both.example:%u",
			f->servers[0].at.port);
		f->servers[0].mute = true;
		fixture_start(f);
		fixture_until(f, f->i->next_id);
		assert_int_equal(f->pinned[0], cases[n].pinned4 ? lo : 0);
		assert_int_equal(f->pinned[1], cases[n].pinned6 ? lo : 0);
		fixture_free(f);
	}
}

static void connect_again(struct fixture *f)
{
	server_restart(&f->servers[0]);
	initiator_clear(f->i);
	fixture_pass(f, 5000);
}

/* Ours is the only default route left: no way at all, and the LAN is not told before 30 s. */
/* proves: PS-12 partial */
static void never_through_the_softwire_itself(void **state)
{
	struct fixture *f = fixture_new();

	fixture_ipv4(f, NULL);
	f->config.want_subnet = false;
	fixture_up(f);
	snprintf(f->way_out, sizeof(f->way_out), "si-home");
	f->no_native_route = true;
	connect_again(f);
	assert_null(attempt_shown(f->i));
	assert_int_equal(f->default4_metric, 1024); /* the host may be between two networks */
	assert_non_null(strstr(f->i->last_error, "no route to"));
	fixture_pass(f, 30000);
	assert_int_equal(f->default4_metric, 0);
	f->way_out[0] = '\0';
	f->no_native_route = false;
	for (int n = 0; n < 300 && f->i->state != INITIATOR_UP; n++)
		fixture_pass(f, 100);
	fixture_pass(f, 5000);
	assert_int_equal(f->default4_metric, 1024);
	fixture_free(f);
}

/* Ours is only the better one: the native one still leads to the server. */
static void a_native_route_that_is_worse_is_found(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	snprintf(f->way_out, sizeof(f->way_out), "si-home");
	connect_again(f);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->servers[0].ups, 2);
	assert_int_equal(f->default_metric, 1024);
	assert_false(fixture_logged(f, "event=withdrawn"));
	fixture_free(f);
}

/* Of a process that crashed; the keeper has held its device. */
static void a_default_route_that_was_left_over_is_removed(void **state)
{
	struct fixture *f = fixture_new();

	fixture_ipv4(f, NULL);
	f->config.want_subnet = false;
	f->default4_metric = 1024;
	snprintf(f->way_out, sizeof(f->way_out), "si-home");
	fixture_start(f);
	assert_int_equal(f->default4_metric, 0);
	f->way_out[0] = '\0';
	for (int n = 0; n < 300 && f->i->state != INITIATOR_UP; n++)
		fixture_pass(f, 100);
	assert_int_equal(f->i->state, INITIATOR_UP);
	fixture_free(f);
}

/* proves: PS-17 partial */
static void one_interface_for_both_sides_will_do(void **state)
{
	struct fixture *f = fixture_new();

	snprintf(f->way_out, sizeof(f->way_out), "lan0");
	fixture_up(f);
	fixture_pass(f, 20000);
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_true(f->adverts > 0);
	assert_true(f->advert.advert.router_lifetime > 0);
	assert_true(fixture_logged(f, "event=lan-is-uplink"));
	fixture_free(f);
}

/* ---- the interface identifier ---- */

/* proves: HS-SCEN-11 */
static void the_concentrator_assigns_the_identifier_or_takes_ours(void **state)
{
	for (int assigned = 0; assigned < 2; assigned++) {
		struct fixture *f = fixture_new();
		uint64_t iid;

		f->servers[0].lease.iid = assigned ? 0x0123456789abcdef : 0;
		fixture_up(f);
		iid = addr6_iid(&f->i->address);
		if (assigned)
			assert_int_equal(iid, 0x0123456789abcdef);
		else
			assert_true(iid && iid != f->servers[0].engine.softwire.ppp.iid);
		assert_non_null(
			fixture_address(f, "si-home", addr_print(&f->i->address, (char[ADDR_TEXT]){0})));
		fixture_free(f);
	}
}

/* ---- hosts behind us ---- */

static void write_packet(struct writer *w, const char *src, const char *dst)
{
	struct ip6 h = {.next_header = 59, .hop_limit = 64}; /* no next header */
	size_t at;

	assert_int_equal(addr_parse(src, &h.src), 0);
	assert_int_equal(addr_parse(dst, &h.dst), 0);
	at = ip6_begin(w, &h);
	ip6_finish(w, at);
	assert_true(writer_ok(w));
}

/* What comes out of the device next; 0: nothing. */
static size_t read_device(struct fixture *f, uint8_t *packet, size_t size)
{
	for (int tries = 0; tries < 1000; tries++) {
		ssize_t len = read(f->device, packet, size);

		if (len > 0)
			return (size_t)len;
		usleep(50);
		fixture_round(f);
	}
	return 0;
}

static void from_host(struct fixture *f, const char *host)
{
	unsigned before = f->servers[0].packets;
	uint8_t packet[128];
	struct writer w = writer_of(packet, sizeof(packet));

	write_packet(&w, host, "2001:db8:ffff::1");
	assert_int_equal(write(f->device, packet, writer_len(&w)), (ssize_t)writer_len(&w));
	fixture_until(f, f->servers[0].packets > before);
	assert_int_equal(f->servers[0].packet_len, 4 + writer_len(&w)); /* FF 03, protocol */
	assert_memory_equal(f->servers[0].packet + 4, packet, writer_len(&w));
}

static void to_host(struct fixture *f, const char *host)
{
	const struct l2tp_tunnel *t = &f->i->current->engine.softwire.tunnel;
	uint8_t packet[128], got[128], header[SOFTWIRE_DATA_HEADER];
	struct writer w = writer_of(packet, sizeof(packet));
	char text[ADDR_TEXT];
	struct reader r;
	struct ip6 h;

	writer_bytes(&w, header, softwire_data_header(header, t->local_tunnel, t->local_session, PPP_IPV6));
	write_packet(&w, "2001:db8:ffff::1", host);
	server_send(&f->servers[0], packet, writer_len(&w));
	r = reader_of(got, read_device(f, got, sizeof(got)));
	ip6_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_string_equal(addr_print(&h.dst, text), host);
}

/* proves: PS-26 partial */
static void hosts_may_choose_any_identifier(void **state)
{
	static const char *const hosts[] = {
		"2001:db8:8000:700::2",                  /* by hand, in the DNS */
		"2001:db8:8000:700:211:22ff:fe33:4455",  /* EUI-64 */
		"2001:db8:8000:700:9d3a:1c42:77e1:1b5f", /* of today, for privacy */
		"2001:db8:8000:700:3c00:9f1b:52aa:e7d3", /* made from a key */
		"2001:db8:8000:700:ffff:ffff:ffff:ffff",
	};
	struct fixture *f = fixture_new();

	fixture_up(f);
	for (size_t n = 0; n < sizeof(hosts) / sizeof(*hosts); n++) {
		from_host(f, hosts[n]);
		to_host(f, hosts[n]);
	}
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_family_that_is_not_brought_comes_first),
		cmocka_unit_test(packets_stay_on_the_interface_that_led_to_the_server),
		cmocka_unit_test(never_through_the_softwire_itself),
		cmocka_unit_test(a_native_route_that_is_worse_is_found),
		cmocka_unit_test(a_default_route_that_was_left_over_is_removed),
		cmocka_unit_test(one_interface_for_both_sides_will_do),
		cmocka_unit_test(the_concentrator_assigns_the_identifier_or_takes_ours),
		cmocka_unit_test(hosts_may_choose_any_identifier),
	};

	return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}

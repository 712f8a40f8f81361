/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which DNS servers the host's resolver and the LAN are told. */
#include "fixture.h"

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void both_families_are_merged_ipv6_first(void **state)
{
	static const struct {
		const char *six[5], *four[5];
		const char *told[KEEPER_DNS_MAX + 1];
	} cases[] = {
		{{"2001:db8::53"}, {NULL}, {"2001:db8::53"}},
		{{NULL}, {"198.51.100.53"}, {"198.51.100.53"}},
		{{"2001:db8::53"}, {"198.51.100.53"}, {"2001:db8::53", "198.51.100.53"}},
		{{"2001:db8::1", "2001:db8::2", "2001:db8::3"}, {"198.51.100.1", "198.51.100.2"},
			{"2001:db8::1", "2001:db8::2", "2001:db8::3", "198.51.100.1"}},
		{{"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"}, {"198.51.100.1"},
			{"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"}},
		/* What can be none, whoever says so. */
		{{"::", "::1", "ff02::fb", "2001:db8::53"},
			{"0.0.0.0", "127.0.0.53", "224.0.0.251", "198.51.100.53"},
			{"2001:db8::53", "198.51.100.53"}},
		{{NULL}, {NULL}, {NULL}},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();
		struct addr six[4], four[4];
		unsigned six_count = 0, four_count = 0, told = 0;

		f->servers[0].mute = true;
		fixture_start(f);
		while (cases[n].six[six_count])
			six[six_count] = addr(cases[n].six[six_count]), six_count++;
		while (cases[n].four[four_count])
			four[four_count] = addr(cases[n].four[four_count]), four_count++;
		initiator_dns_set(f->i, AF_INET, four, four_count);
		initiator_dns_set(f->i, AF_INET6, six, six_count);
		while (cases[n].told[told])
			told++;
		assert_int_equal(f->dns_count, told);
		for (unsigned k = 0; k < told; k++) {
			struct addr expected = addr(cases[n].told[k]);

			if (!addr_equal(&f->dns[k], &expected))
				fail_msg("case %zu: server %u is not %s", n, k, cases[n].told[k]);
		}
		fixture_free(f);
	}
}

static void nobody_is_told_where_the_operator_says_so(void **state)
{
	struct fixture *f = fixture_new();
	struct initiator_config config;

	snprintf(f->config.dns, sizeof(f->config.dns), "none");
	fixture_ipv4(f, NULL);
	f->config.want_subnet = false;
	fixture_up(f);
	assert_int_equal(f->dns_count, 0);
	config = f->config; /* changed while it runs */
	snprintf(config.dns, sizeof(config.dns), "auto");
	assert_true(initiator_reload(f->i, &config));
	assert_int_equal(f->dns_count, 2);
	assert_true(initiator_reload(f->i, &f->config));
	assert_int_equal(f->dns_count, 0);
	fixture_free(f);
}

static void advertise(struct fixture *f, const char *server, uint32_t lifetime)
{
	const struct softwire *s = &f->i->current->engine.softwire;
	struct nd_advert a = {
		.hop_limit = 64, .router_lifetime = 9000, .dns_count = 1, .dns_lifetime = lifetime};
	struct addr src = nd_link_local(f->servers[0].engine.softwire.ppp.iid), dst = nd_all_nodes();
	uint8_t packet[512], header[SOFTWIRE_DATA_HEADER];
	struct writer w = writer_of(packet, sizeof(packet));

	a.dns[0] = addr(server);
	writer_bytes(&w, header,
		softwire_data_header(header, s->tunnel.local_tunnel, s->tunnel.local_session, PPP_IPV6));
	nd_ra_write(&w, &src, &dst, &a);
	assert_true(writer_ok(&w));
	server_send(&f->servers[0], packet, writer_len(&w));
	fixture_pass(f, 20000);
}

/* A server that a Router Advertisement withdraws is forgotten here and on the LAN (RFC 8106 section 5.1). */
static void a_server_that_is_withdrawn_is_forgotten(void **state)
{
	struct fixture *f = fixture_new();

	f->servers[0].lease.dns_count = 0; /* DHCPv6 says nothing about servers */
	fixture_up(f);
	advertise(f, "2001:db8::53", 600);
	assert_int_equal(f->dns_count, 1);
	assert_int_equal(f->advert.advert.dns_count, 1);
	advertise(f, "2001:db8::54", 0); /* another one */
	assert_int_equal(f->dns_count, 1);
	advertise(f, "2001:db8::53", 0);
	assert_int_equal(f->dns_count, 0);
	assert_true(fixture_logged(f, "event=dns-withdrawn"));
	assert_int_equal(f->advert.advert.dns_count, 0);
	assert_int_equal(f->advert.advert.dns_withdrawn_count, 1);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_are_merged_ipv6_first),
		cmocka_unit_test(nobody_is_told_where_the_operator_says_so),
		cmocka_unit_test(a_server_that_is_withdrawn_is_forgotten),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}

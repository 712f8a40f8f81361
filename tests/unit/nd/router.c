/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nd/router: when it advertises, to whom, and how often at most. Both profiles: softwire and LAN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/container.h"
#include "nd/router.h"

enum { SENT_MAX = 256 };

struct fixture {
	struct nd_router router;
	struct nd_router_config config;
	struct nd_counters counters;
	struct rng rng;
	struct nd_advert advert;
	bool nothing;
	msec now;
	unsigned sent;
	struct {
		msec at;
		struct nd_message m;
	} out[SENT_MAX];
};

static void keep(struct nd_router *r, const uint8_t *packet, size_t len)
{
	struct fixture *f = container_of(r, struct fixture, router);
	const char *why = NULL;

	assert_true(f->sent < SENT_MAX);
	f->out[f->sent].at = f->now;
	assert_int_equal(nd_packet_read(packet, len, &f->out[f->sent].m, &why), 0);
	f->sent++;
}

static bool describe(struct nd_router *r, msec now, struct nd_advert *ret)
{
	struct fixture *f = container_of(r, struct fixture, router);

	(void)now;
	*ret = f->advert;
	return !f->nothing;
}

static const struct nd_router_ops ops = {.send = keep, .describe = describe};

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void prepare(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	rng_init_seed(&f->rng, 7);
	f->config = (struct nd_router_config){.ops = &ops, .rng = &f->rng, .counters = &f->counters};
	f->advert = (struct nd_advert){.hop_limit = 64, .router_lifetime = 9000};
	f->advert.prefixes[0] = (struct nd_prefix){.valid = 86400, .preferred = 43200, .autonomous = true};
	assert_int_equal(prefix_parse("2001:db8:100::/64", &f->advert.prefixes[0].prefix), 0);
	f->advert.prefix_count = 1;
}

static void open_softwire(struct fixture *f)
{
	struct addr a = address("fe80::1");

	prepare(f);
	f->config.min_interval_ms = 1800000;
	f->config.max_interval_ms = 2700000;
	f->config.reply_unicast = 1;
	nd_router_open(&f->router, &f->config, &a, 0);
}

static void open_lan(struct fixture *f)
{
	struct addr a = address("fe80::1");

	prepare(f);
	f->advert.router_lifetime = 1800;
	f->advert.has_lladdr = true;
	memcpy(f->advert.lladdr, "\2\0\0\0\0\7", 6);
	f->config.min_interval_ms = 200000;
	f->config.max_interval_ms = 600000;
	f->config.initial = 3;
	f->config.initial_interval_ms = 16000;
	f->config.min_delay_ms = 3000;
	f->config.answer_delay_ms = 500;
	nd_router_open(&f->router, &f->config, &a, 0);
}

/* Lets the clock run until UNTIL, firing at each deadline. */
static void run(struct fixture *f, msec until)
{
	while (nd_router_deadline(&f->router) <= until) {
		if (nd_router_deadline(&f->router) > f->now)
			f->now = nd_router_deadline(&f->router);
		nd_router_tick(&f->router, f->now);
	}
	f->now = until;
}

static void solicit(struct fixture *f, const char *src)
{
	struct nd_message m = {.type = ND_RS, .src = address(src), .dst = nd_all_routers()};

	nd_router_input(&f->router, &m, f->now);
}

/* proves: HS-ND-2 partial */
static void answers_at_once_and_to_the_solicitor_on_a_softwire(void **state)
{
	struct addr host = address("fe80::2"), router = address("fe80::1");
	struct fixture f;

	(void)state;
	open_softwire(&f);
	solicit(&f, "fe80::2");
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.out[0].m.type, ND_RA);
	assert_true(addr_equal(&f.out[0].m.dst, &host));
	assert_true(addr_equal(&f.out[0].m.src, &router));
	assert_int_equal(f.out[0].m.advert.prefix_count, 1);
	assert_true(prefix_equal(&f.out[0].m.advert.prefixes[0].prefix, &f.advert.prefixes[0].prefix));
	assert_false(f.out[0].m.advert.has_lladdr); /* a PPP link has none */
	assert_int_equal(f.counters.rs_rx, 1);
	assert_int_equal(f.counters.ra_tx, 1);
}

/* proves: HS-ND-6 partial */
static void says_that_addresses_come_by_dhcp(void **state)
{
	struct fixture f;

	(void)state;
	open_softwire(&f);
	f.advert.managed = true;
	solicit(&f, "fe80::2");
	assert_true(f.out[0].m.advert.managed);
}

static void answers_everybody_when_the_solicitor_has_no_address(void **state)
{
	struct addr all = nd_all_nodes();
	struct fixture f;

	(void)state;
	open_softwire(&f);
	solicit(&f, "::");
	assert_int_equal(f.sent, 1);
	assert_true(addr_equal(&f.out[0].m.dst, &all));
}

static void answers_are_bounded(void **state)
{
	struct fixture f;

	(void)state;
	open_softwire(&f);
	for (unsigned i = 0; i < 1000; i++)
		solicit(&f, "fe80::2");
	assert_int_equal(f.sent, 5);
	assert_int_equal(f.counters.ignored, 995);
	f.now = 10000;
	for (unsigned i = 0; i < 100; i++, f.now += 100)
		solicit(&f, "fe80::2");
	assert_in_range(f.sent, 5 + 50, 5 + 56);
}

static void does_not_answer_itself(void **state)
{
	struct fixture f;

	(void)state;
	open_softwire(&f);
	solicit(&f, "fe80::1");
	assert_int_equal(f.sent, 0);
	assert_int_equal(f.counters.bad_source, 1);
}

static void has_nothing_to_say_at_the_moment(void **state)
{
	struct fixture f;

	(void)state;
	open_softwire(&f);
	f.nothing = true;
	solicit(&f, "fe80::2");
	run(&f, 9000000);
	nd_router_close(&f.router, f.now);
	assert_int_equal(f.sent, 0);
	f.nothing = false;
	nd_router_open(&f.router, &f.config, &f.router.link_local, f.now);
	run(&f, f.now + 2700000);
	assert_int_equal(f.sent, 1);
}

static void refreshes_before_the_router_lifetime_runs_out(void **state)
{
	struct addr all = nd_all_nodes();
	struct fixture f;

	(void)state;
	open_softwire(&f);
	run(&f, 100 * 3600000ull);
	assert_true(f.sent > 100);
	assert_true(addr_equal(&f.out[0].m.dst, &all));
	for (unsigned i = 1; i < f.sent; i++)
		assert_in_range(f.out[i].at - f.out[i - 1].at, 1800000, 2700000);
}

static void refreshes_sooner_when_a_lifetime_is_shorter_than_the_interval(void **state)
{
	struct fixture f;

	(void)state;
	open_softwire(&f);
	f.advert.router_lifetime = 600;
	solicit(&f, "fe80::2");
	run(&f, 3600000);
	assert_true(f.sent >= 18);
	for (unsigned i = 1; i < f.sent; i++)
		assert_true(f.out[i].at - f.out[i - 1].at <= 200000);
	open_softwire(&f);
	f.advert.prefixes[0].preferred = 900; /* or a prefix's */
	solicit(&f, "fe80::2");
	run(&f, 3600000);
	assert_true(f.sent >= 12);
	open_softwire(&f);
	f.advert.router_lifetime = 1; /* but never as a flood */
	solicit(&f, "fe80::2");
	run(&f, 60000);
	assert_in_range(f.sent, 20, 21);
}

static void unsolicited_ones_can_be_off(void **state)
{
	struct fixture f;
	struct addr a = address("fe80::1");

	(void)state;
	open_softwire(&f);
	f.config.max_interval_ms = f.config.min_interval_ms = 0;
	nd_router_open(&f.router, &f.config, &a, 0);
	assert_int_equal(nd_router_deadline(&f.router), MSEC_NEVER);
	solicit(&f, "fe80::2");
	assert_int_equal(nd_router_deadline(&f.router), MSEC_NEVER);
	nd_router_changed(&f.router, 5);
	run(&f, 10);
	assert_int_equal(f.sent, 2);
	assert_int_equal(nd_router_deadline(&f.router), MSEC_NEVER);
}

static void tells_changes_soon(void **state)
{
	struct fixture f;

	(void)state;
	open_softwire(&f);
	f.now = 1000;
	f.advert.prefixes[0].preferred = 0;
	nd_router_changed(&f.router, f.now);
	run(&f, 1000);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.out[0].m.advert.prefixes[0].preferred, 0);
	run(&f, 1000000);
	assert_int_equal(f.sent, 1);
}

static void says_farewell(void **state)
{
	struct fixture f;

	(void)state;
	open_softwire(&f);
	nd_router_close(&f.router, 0);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.out[0].m.advert.router_lifetime, 0);
	assert_int_equal(nd_router_deadline(&f.router), MSEC_NEVER);
}

static void starts_with_three_on_a_lan(void **state)
{
	struct addr all = nd_all_nodes();
	struct fixture f;

	(void)state;
	open_lan(&f);
	run(&f, 3600000);
	assert_true(addr_equal(&f.out[0].m.dst, &all));
	assert_int_equal(f.out[0].at, 0);
	assert_int_equal(f.out[1].at, 16000);
	assert_int_equal(f.out[2].at, 32000);
	for (unsigned i = 3; i < f.sent; i++)
		assert_in_range(f.out[i].at - f.out[i - 1].at, 200000, 600000);
	assert_in_range(f.sent, 3 + 5, 3 + 18);
	assert_true(f.out[0].m.advert.has_lladdr);
	assert_memory_equal(f.out[0].m.advert.lladdr, "\2\0\0\0\0\7", 6);
}

static void one_multicast_answers_many_on_a_lan(void **state)
{
	struct addr all = nd_all_nodes();
	struct fixture f;
	unsigned before;

	(void)state;
	open_lan(&f);
	run(&f, 100000);
	before = f.sent;
	for (unsigned i = 0; i < 4; i++)
		solicit(&f, "fe80::2");
	assert_int_equal(f.sent, before); /* not at once */
	run(&f, 100500);
	assert_int_equal(f.sent, before + 1);
	assert_true(addr_equal(&f.out[before].m.dst, &all));
	/* the next one waits for MIN_DELAY_BETWEEN_RAS after it */
	solicit(&f, "fe80::3");
	run(&f, 110000);
	assert_int_equal(f.sent, before + 2);
	assert_in_range(f.out[before + 1].at - f.out[before].at, 3000, 3500);
}

static void changes_are_repeated_on_a_lan_but_not_too_fast(void **state)
{
	struct fixture f;

	(void)state;
	open_lan(&f);
	run(&f, 150000);
	assert_int_equal(f.sent, 3);
	nd_router_changed(&f.router, f.now);
	run(&f, 150000);
	assert_int_equal(f.sent, 4);
	nd_router_changed(&f.router, f.now);
	run(&f, 150000);
	assert_int_equal(f.sent, 4);
	run(&f, 153000);
	assert_int_equal(f.sent, 5);
	run(&f, 153000 + 32000);
	assert_int_equal(f.sent, 7);
	for (unsigned i = 1; i < f.sent; i++)
		assert_true(f.out[i].at - f.out[i - 1].at >= 3000);
}

static void is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct nd_router) <= 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_at_once_and_to_the_solicitor_on_a_softwire),
		cmocka_unit_test(says_that_addresses_come_by_dhcp),
		cmocka_unit_test(answers_everybody_when_the_solicitor_has_no_address),
		cmocka_unit_test(answers_are_bounded),
		cmocka_unit_test(does_not_answer_itself),
		cmocka_unit_test(has_nothing_to_say_at_the_moment),
		cmocka_unit_test(refreshes_before_the_router_lifetime_runs_out),
		cmocka_unit_test(refreshes_sooner_when_a_lifetime_is_shorter_than_the_interval),
		cmocka_unit_test(unsolicited_ones_can_be_off),
		cmocka_unit_test(tells_changes_soon),
		cmocka_unit_test(says_farewell),
		cmocka_unit_test(starts_with_three_on_a_lan),
		cmocka_unit_test(one_multicast_answers_many_on_a_lan),
		cmocka_unit_test(changes_are_repeated_on_a_lan_but_not_too_fast),
		cmocka_unit_test(is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

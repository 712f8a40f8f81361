/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nd/host: soliciting for as long as it takes, and what is believed. At the end router and host are wired together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/container.h"
#include "nd/host.h"
#include "nd/router.h"

enum { SENT_MAX = 128 };

struct fixture {
	struct nd_host host;
	struct nd_host_config config;
	struct nd_counters counters;
	struct rng rng;
	msec now, sent_at[SENT_MAX];
	unsigned sent, advertised, lost;
	struct nd_message last;
	struct nd_advert advert;
	/* the other end, in the wired tests */
	struct nd_router router;
	struct nd_router_config router_config;
	bool wired;
	unsigned drop; /* packets that the link loses */
};

static void deliver(struct fixture *f, const struct nd_message *m)
{
	if (!f->wired)
		return;
	if (f->drop) {
		f->drop--;
		return;
	}
	if (m->type == ND_RS)
		nd_router_input(&f->router, m, f->now);
	else
		nd_host_input(&f->host, m, f->now);
}

static void host_send(struct nd_host *h, const uint8_t *packet, size_t len)
{
	struct fixture *f = container_of(h, struct fixture, host);
	const char *why = NULL;

	assert_int_equal(nd_packet_read(packet, len, &f->last, &why), 0);
	assert_true(f->sent < SENT_MAX);
	f->sent_at[f->sent++] = f->now;
	deliver(f, &f->last);
}

static void note_advertised(struct nd_host *h, const struct nd_advert *a, msec now)
{
	struct fixture *f = container_of(h, struct fixture, host);

	(void)now;
	f->advertised++;
	f->advert = *a;
}

static void note_lost(struct nd_host *h)
{
	container_of(h, struct fixture, host)->lost++;
}

static const struct nd_host_ops ops = {
	.send = host_send, .advertised = note_advertised, .router_lost = note_lost};

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void prepare(struct fixture *f, uint64_t seed)
{
	memset(f, 0, sizeof(*f));
	rng_init_seed(&f->rng, seed);
	f->config = (struct nd_host_config){.ops = &ops,
		.rng = &f->rng,
		.counters = &f->counters,
		.solicit_ms = 4000,
		.solicit_max_ms = 3600000};
}

static void open_host(struct fixture *f)
{
	struct addr a = address("fe80::2");

	nd_host_open(&f->host, &f->config, &a, f->now);
}

static void run(struct fixture *f, msec until)
{
	for (;;) {
		msec at = nd_host_deadline(&f->host);

		if (f->wired)
			at = msec_min(at, nd_router_deadline(&f->router));
		if (at > until)
			break;
		f->now = at > f->now ? at : f->now;
		nd_host_tick(&f->host, f->now);
		if (f->wired)
			nd_router_tick(&f->router, f->now);
	}
	f->now = until;
}

static struct nd_message advertisement(const char *src, uint16_t lifetime)
{
	return (struct nd_message){.type = ND_RA,
		.src = address(src),
		.dst = nd_all_nodes(),
		.advert = {.router_lifetime = lifetime, .mtu = 1400}};
}

/* proves: HS-ND-1 partial */
static void solicits_at_once(void **state)
{
	struct addr src = address("fe80::2"), dst = nd_all_routers();
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.last.type, ND_RS);
	assert_true(addr_equal(&f.last.src, &src));
	assert_true(addr_equal(&f.last.dst, &dst));
	assert_int_equal(f.counters.rs_tx, 1);
}

static void solicits_for_ever_with_longer_and_longer_breaks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fixture f;
		msec last = 0;

		prepare(&f, seed);
		open_host(&f);
		run(&f, 48 * 3600000ull);
		assert_in_range(f.sent, 50, 70);
		for (unsigned i = 1; i < f.sent; i++) {
			msec wait = f.sent_at[i] - f.sent_at[i - 1];

			if (i == 1)
				assert_in_range(wait, 3600, 4400);
			else if (i < 10) /* RT = 2*RTprev + RAND*RTprev */
				assert_in_range(wait, last * 19 / 10 - 1, last * 21 / 10 + 1);
			else
				assert_in_range(wait, 1500000, 3960000);
			last = wait;
		}
	}
}

static void is_silent_once_a_router_has_answered(void **state)
{
	struct nd_message m = advertisement("fe80::1", 9000);
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	nd_host_input(&f.host, &m, 30);
	assert_int_equal(f.advertised, 1);
	assert_int_equal(f.advert.mtu, 1400);
	assert_true(addr_equal(&f.host.router, &m.src));
	assert_int_equal(nd_host_deadline(&f.host), 30 + 9000000);
	run(&f, 8000000);
	assert_int_equal(f.sent, 1);
}

static void loses_the_router_when_its_lifetime_is_over_and_solicits_again(void **state)
{
	struct nd_message m = advertisement("fe80::1", 1800);
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	nd_host_input(&f.host, &m, 0);
	f.now = 1000000;
	nd_host_input(&f.host, &m, f.now); /* refreshed */
	run(&f, 2799999);
	assert_int_equal(f.lost, 0);
	run(&f, 2800000);
	assert_int_equal(f.lost, 1);
	assert_true(addr_is_none(&f.host.router));
	assert_int_equal(f.sent, 2); /* at once */
	run(&f, 2800000 + 4400);
	assert_int_equal(f.sent, 3); /* from the first interval on */
	assert_int_equal(f.lost, 1);
}

static void after_sleep_the_router_is_asked_at_once(void **state)
{
	struct nd_message m = advertisement("fe80::1", 1800);
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	nd_host_input(&f.host, &m, 0);
	nd_host_slept(&f.host, 1000000, f.now);
	assert_int_equal(nd_host_deadline(&f.host), f.now);
	nd_host_tick(&f.host, f.now);
	assert_int_equal(f.sent, 2);
	run(&f, 799999);
	assert_int_equal(f.lost, 0);
	run(&f, 800000);
	assert_int_equal(f.lost, 1);
	nd_host_slept(&f.host, 1000, f.now); /* no router */
	assert_int_equal(nd_host_deadline(&f.host), f.now);
}

static void a_router_that_leaves_is_lost_at_once(void **state)
{
	struct nd_message m = advertisement("fe80::1", 1800), bye = advertisement("fe80::1", 0);
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	nd_host_input(&f.host, &m, 0);
	nd_host_input(&f.host, &bye, 10);
	assert_int_equal(f.advertised, 2); /* its prefixes may still be good */
	assert_int_equal(f.lost, 1);
	assert_int_equal(f.sent, 1);
	run(&f, 10 + 4400);
	assert_int_equal(f.sent, 2);
}

static void goes_on_soliciting_for_a_default_router(void **state)
{
	struct nd_message m = advertisement("fe80::1", 0);
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	nd_host_input(&f.host, &m, 10);
	assert_int_equal(f.advertised, 1);
	assert_int_equal(f.lost, 0);
	run(&f, 4400);
	assert_int_equal(f.sent, 2);
}

static void believes_link_local_sources_only(void **state)
{
	struct nd_message global = advertisement("2001:db8::1", 1800), own = advertisement("fe80::2", 1800);
	struct nd_message rs = {.type = ND_RS, .src = address("fe80::1")};
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	nd_host_input(&f.host, &global, 10);
	nd_host_input(&f.host, &own, 10);
	nd_host_input(&f.host, &rs, 10);
	assert_int_equal(f.advertised, 0);
	assert_int_equal(f.counters.bad_source, 2);
	assert_true(addr_is_none(&f.host.router));
}

static void a_strangers_farewell_changes_nothing(void **state)
{
	struct nd_message m = advertisement("fe80::1", 1800), bye = advertisement("fe80::9", 0);
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	nd_host_input(&f.host, &m, 0);
	nd_host_input(&f.host, &bye, 10);
	assert_int_equal(f.advertised, 1);
	assert_int_equal(f.lost, 0);
	assert_int_equal(f.counters.ignored, 1);
}

static void a_new_router_replaces_the_old(void **state)
{
	struct nd_message m = advertisement("fe80::1", 1800), other = advertisement("fe80::9", 600);
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	nd_host_input(&f.host, &m, 0);
	nd_host_input(&f.host, &other, 10);
	assert_true(addr_equal(&f.host.router, &other.src));
	assert_int_equal(nd_host_deadline(&f.host), 600010);
}

/* proves: HS-ND-3 partial */
static void passes_on_only_prefixes_that_a_host_may_use(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t preferred, valid;
		bool good;
	} prefixes[] = {
		{"2001:db8::/64", 100, 200, true},
		{"fe80::/64", 100, 200, false},       /* RFC 4861 section 6.3.4 */
		{"2001:db8:1::/64", 201, 200, false}, /* RFC 4862 section 5.5.3 c) */
		{"ff0e::/64", 100, 200, false},
		{"2001:db8:2::/64", 0, 0, true}, /* withdrawn: it must be told */
	};
	struct nd_message m = advertisement("fe80::1", 1800);
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	open_host(&f);
	for (unsigned i = 0; i < 5; i++) {
		struct nd_prefix *p = &m.advert.prefixes[i];

		assert_int_equal(prefix_parse(prefixes[i].prefix, &p->prefix), 0);
		p->preferred = prefixes[i].preferred;
		p->valid = prefixes[i].valid;
	}
	m.advert.prefix_count = 5;
	m.advert.mtu = 1279;
	nd_host_input(&f.host, &m, 0);
	assert_int_equal(f.advert.prefix_count, 2);
	assert_true(prefix_equal(&f.advert.prefixes[0].prefix, &m.advert.prefixes[0].prefix));
	assert_true(prefix_equal(&f.advert.prefixes[1].prefix, &m.advert.prefixes[4].prefix));
	assert_int_equal(f.advert.mtu, 0);
}

static void router_send(struct nd_router *r, const uint8_t *packet, size_t len)
{
	struct fixture *f = container_of(r, struct fixture, router);
	struct nd_message m;
	const char *why = NULL;

	assert_int_equal(nd_packet_read(packet, len, &m, &why), 0);
	deliver(f, &m);
}

static bool describe(struct nd_router *r, msec now, struct nd_advert *ret)
{
	(void)r;
	(void)now;
	ret->router_lifetime = 9000;
	ret->prefix_count = 1;
	ret->prefixes[0] = (struct nd_prefix){.valid = 86400, .preferred = 43200, .autonomous = true};
	assert_int_equal(prefix_parse("2001:db8:100::/64", &ret->prefixes[0].prefix), 0);
	return true;
}

static const struct nd_router_ops router_ops = {.send = router_send, .describe = describe};

static void wire(struct fixture *f, unsigned drop)
{
	struct addr a = address("fe80::1");

	prepare(f, 3);
	f->wired = true;
	f->drop = drop;
	f->router_config = (struct nd_router_config){.ops = &router_ops,
		.rng = &f->rng,
		.counters = &f->counters,
		.min_interval_ms = 1800000,
		.max_interval_ms = 2700000,
		.reply_unicast = 1};
	nd_router_open(&f->router, &f->router_config, &a, 0);
	open_host(f);
}

/* proves: HS-ND-1 partial, HS-ND-2 partial */
static void host_and_router_find_each_other_in_one_round_trip(void **state)
{
	struct fixture f;

	(void)state;
	wire(&f, 0);
	assert_int_equal(f.advertised, 1);
	assert_int_equal(f.advert.prefix_count, 1);
	run(&f, 1000 * 3600000ull);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.lost, 0);
}

static void they_find_each_other_over_a_link_that_loses(void **state)
{
	struct fixture f;

	(void)state;
	wire(&f, 5);
	assert_int_equal(f.advertised, 0);
	run(&f, 200000);
	assert_int_equal(f.advertised, 1);
	f.drop = 2; /* two unsolicited ones in a row: the third comes in time */
	run(&f, 9000000);
	assert_int_equal(f.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(solicits_at_once),
		cmocka_unit_test(solicits_for_ever_with_longer_and_longer_breaks),
		cmocka_unit_test(is_silent_once_a_router_has_answered),
		cmocka_unit_test(loses_the_router_when_its_lifetime_is_over_and_solicits_again),
		cmocka_unit_test(after_sleep_the_router_is_asked_at_once),
		cmocka_unit_test(a_router_that_leaves_is_lost_at_once),
		cmocka_unit_test(goes_on_soliciting_for_a_default_router),
		cmocka_unit_test(believes_link_local_sources_only),
		cmocka_unit_test(a_strangers_farewell_changes_nothing),
		cmocka_unit_test(a_new_router_replaces_the_old),
		cmocka_unit_test(passes_on_only_prefixes_that_a_host_may_use),
		cmocka_unit_test(host_and_router_find_each_other_in_one_round_trip),
		cmocka_unit_test(they_find_each_other_over_a_link_that_loses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp6/client: every state and every refusal, against answers that the test writes itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dhcp6/client.h"
#include "lib/container.h"

enum { SENT_MAX = 4096, IAID = 7 };

static const uint8_t our_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 2};
static const uint8_t server_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 1};
static const uint8_t other_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 9};

struct fixture {
	struct dhcp6_client client;
	struct dhcp6_client_config config;
	struct dhcp6_counters counters;
	struct rng rng;
	msec now, sent_at[SENT_MAX];
	unsigned sent, bound, lost, notes;
	uint8_t raw[DHCP6_MESSAGE_MAX];
	struct dhcp6_message last; /* sent by the client */
	struct dhcp6_binding binding;
	char why[64], note[200];
};

static void keep(struct dhcp6_client *c, const uint8_t *message, size_t len)
{
	struct fixture *f = container_of(c, struct fixture, client);
	const char *why = NULL;

	memcpy(f->raw, message, len);
	assert_int_equal(dhcp6_message_read(f->raw, len, &f->last, &why), 0);
	f->sent_at[f->sent++ % SENT_MAX] = f->now;
}

static void note_bound(struct dhcp6_client *c, const struct dhcp6_binding *binding, msec now)
{
	struct fixture *f = container_of(c, struct fixture, client);

	(void)now;
	f->binding = *binding;
	f->bound++;
}

static void note_lost(struct dhcp6_client *c, const char *why)
{
	struct fixture *f = container_of(c, struct fixture, client);

	snprintf(f->why, sizeof(f->why), "%s", why);
	f->lost++;
}

static void note_text(struct dhcp6_client *c, const char *text)
{
	struct fixture *f = container_of(c, struct fixture, client);

	snprintf(f->note, sizeof(f->note), "%s", text);
	f->notes++;
}

static const struct dhcp6_client_ops ops = {
	.send = keep, .bound = note_bound, .lost = note_lost, .note = note_text};

static void prepare(struct fixture *f, uint64_t seed)
{
	memset(f, 0, sizeof(*f));
	rng_init_seed(&f->rng, seed);
	f->config = (struct dhcp6_client_config){.ops = &ops,
		.rng = &f->rng,
		.counters = &f->counters,
		.duid_len = sizeof(our_duid),
		.iaid = IAID,
		.want_prefix = true};
	memcpy(f->config.duid, our_duid, sizeof(our_duid));
	f->now = 1000;
}

static void run(struct fixture *f, msec until)
{
	while (dhcp6_client_deadline(&f->client) <= until) {
		if (dhcp6_client_deadline(&f->client) > f->now)
			f->now = dhcp6_client_deadline(&f->client);
		dhcp6_client_tick(&f->client, f->now);
	}
	f->now = until;
}

static struct prefix prefix(const char *text)
{
	struct prefix p = {0};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* An answer to what the client has sent last. */
static struct dhcp6_message answer(const struct fixture *f, uint8_t type)
{
	struct dhcp6_message m;

	dhcp6_message_init(&m, type, f->last.xid);
	m.client = (struct dhcp6_duid){our_duid, sizeof(our_duid)};
	m.server = (struct dhcp6_duid){server_duid, sizeof(server_duid)};
	return m;
}

static struct dhcp6_ia *add(struct dhcp6_message *m, const char *text, uint32_t preferred, uint32_t valid)
{
	bool pd = !strstr(text, "/128");
	struct dhcp6_ia *ia = NULL;

	for (unsigned i = 0; i < m->ia_count; i++)
		if (m->ias[i].pd == pd)
			ia = &m->ias[i];
	if (!ia)
		ia = dhcp6_message_add_ia(m, pd, IAID);
	ia->prefixes[ia->prefix_count++] =
		(struct dhcp6_prefix){prefix(text), preferred, valid, DHCP6_NO_STATUS};
	return ia;
}

static void feed(struct fixture *f, const struct dhcp6_message *m)
{
	uint8_t buf[DHCP6_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp6_message_write(&w, m);
	assert_true(writer_ok(&w));
	dhcp6_client_input(&f->client, buf, writer_len(&w), f->now);
}

static void expect_state(const struct fixture *f, const char *state)
{
	assert_string_equal(dhcp6_client_state(&f->client), state);
}

/* Solicit, Advertise, Request, Reply: bound to 2001:db8:8000:100::/56 with these times. */
static void bind_with(struct fixture *f, uint32_t t1, uint32_t t2, uint32_t preferred, uint32_t valid)
{
	struct dhcp6_message m;
	struct dhcp6_ia *ia;

	dhcp6_client_open(&f->client, &f->config, true, f->client.want_address, NULL, f->now);
	m = answer(f, DHCP6_ADVERTISE);
	add(&m, "2001:db8:8000:100::/56", preferred, valid);
	feed(f, &m);
	m = answer(f, DHCP6_REPLY);
	ia = add(&m, "2001:db8:8000:100::/56", preferred, valid);
	ia->t1 = t1;
	ia->t2 = t2;
	feed(f, &m);
	expect_state(f, "bound");
	assert_int_equal(f->bound, 1);
}

/* proves: HS-DHCP-2 partial, HS-DHCP-4 partial */
static void a_router_solicits_a_prefix(void **state)
{
	struct prefix hint = prefix("::/56");
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	f.config.rapid_commit = true;
	f.config.prefix_hint = 56;
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.last.type, DHCP6_SOLICIT);
	assert_true(dhcp6_duid_equal(&f.last.client, our_duid, sizeof(our_duid)));
	assert_int_equal(f.last.server.len, 0);
	assert_int_equal(f.last.elapsed, 0);
	assert_true(f.last.rapid_commit);
	assert_true(f.last.wants_dns);
	assert_true(f.last.wants_sol_max_rt);
	assert_false(f.last.wants_refresh); /* only in Information-requests: section 21.23 */
	assert_int_equal(f.last.ia_count, 1);
	assert_true(f.last.ias[0].pd);
	assert_int_equal(f.last.ias[0].iaid, IAID);
	assert_int_equal(f.last.ias[0].prefix_count, 1);
	assert_true(prefix_equal(&f.last.ias[0].prefixes[0].prefix, &hint));
	expect_state(&f, "soliciting");
}

static void an_earlier_prefix_is_asked_for_again(void **state)
{
	struct dhcp6_binding earlier = {.prefix_count = 1};
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	earlier.prefixes[0] = (struct dhcp6_prefix){prefix("2001:db8:8000:100::/56"), 3600, 7200, 0};
	dhcp6_client_open(&f.client, &f.config, true, false, &earlier, f.now);
	assert_true(prefix_equal(&f.last.ias[0].prefixes[0].prefix, &earlier.prefixes[0].prefix));
	assert_int_equal(f.last.ias[0].prefixes[0].valid, 0); /* section 21.22 */
	assert_int_equal(f.bound, 0);
}

/* proves: HS-ND-6 partial */
static void asks_for_its_address_when_told_to(void **state)
{
	struct prefix want = prefix("2001:db8:100::2/128");
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, true, NULL, f.now);
	assert_int_equal(f.last.ia_count, 2);
	assert_true(f.last.ias[0].pd);
	assert_false(f.last.ias[1].pd);
	m = answer(&f, DHCP6_ADVERTISE);
	add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	add(&m, "2001:db8:100::2/128", 3600, 7200);
	feed(&f, &m);
	assert_int_equal(f.last.type, DHCP6_REQUEST);
	assert_true(prefix_equal(&f.last.ias[1].prefixes[0].prefix, &want));
	m.type = DHCP6_REPLY;
	m.xid = f.last.xid;
	feed(&f, &m);
	assert_true(f.binding.has_address);
	assert_true(prefix_equal(&f.binding.address.prefix, &want));
	assert_int_equal(f.binding.prefix_count, 1);
}

static void solicits_with_the_timing_of_section_15(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fixture f;
		msec last = 0;
		uint32_t xid;

		prepare(&f, seed);
		dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
		xid = f.last.xid;
		run(&f, 48 * 3600000ull);
		assert_int_equal(f.last.xid, xid); /* the same exchange */
		assert_int_equal(f.last.elapsed, 0xffff);
		assert_in_range(f.sent, 55, 65);
		assert_int_equal(f.counters.retransmits, f.sent - 1);
		for (unsigned i = 1; i < f.sent; i++) {
			msec wait = f.sent_at[i] - f.sent_at[i - 1];

			if (i == 1) /* RAND strictly greater than 0 */
				assert_in_range(wait, 1001, 1100);
			else if (last < 1700000)
				assert_in_range(wait, last * 19 / 10 - 1, last * 21 / 10 + 1);
			else /* SOL_MAX_RT */
				assert_in_range(wait, 3200000, 3960000);
			last = wait;
		}
	}
}

static void tells_how_long_it_has_been_trying(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	run(&f, 1000 + 1100);
	assert_int_equal(f.sent, 2);
	assert_int_equal(f.last.elapsed, (f.sent_at[1] - 1000) / 10);
}

static void obeys_sol_max_rt_even_from_a_server_that_has_nothing(void **state)
{
	struct dhcp6_message m;
	struct fixture f;
	unsigned before;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	m = answer(&f, DHCP6_ADVERTISE);
	m.sol_max_rt = 60;
	m.status = DHCP6_NO_PREFIX;
	feed(&f, &m);
	run(&f, 3600000);
	before = f.sent;
	run(&f, 2 * 3600000);
	assert_in_range(f.sent - before, 54, 67);
}

/* proves: HS-DHCP-3 partial */
static void takes_the_first_advertise_that_offers_something(void **state)
{
	struct prefix offered = prefix("2001:db8:8000:100::/56");
	struct dhcp6_message m;
	struct fixture f;
	uint32_t xid;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	xid = f.last.xid;
	m = answer(&f, DHCP6_ADVERTISE);
	add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	feed(&f, &m);
	expect_state(&f, "requesting");
	assert_int_equal(f.last.type, DHCP6_REQUEST);
	assert_true(dhcp6_duid_equal(&f.last.server, server_duid, sizeof(server_duid)));
	assert_true(prefix_equal(&f.last.ias[0].prefixes[0].prefix, &offered));
	assert_false(f.last.rapid_commit);
	assert_int_not_equal(f.last.xid, xid);
	feed(&f, &m); /* a late copy */
	assert_int_equal(f.counters.bad_xid, 1);
	assert_int_equal(f.bound, 0);
}

static void notes_that_there_is_no_prefix_and_goes_on(void **state)
{
	struct dhcp6_message m;
	struct dhcp6_ia *ia;
	struct fixture f;
	msec deadline;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	deadline = dhcp6_client_deadline(&f.client);
	m = answer(&f, DHCP6_ADVERTISE);
	ia = dhcp6_message_add_ia(&m, true, IAID);
	ia->status = DHCP6_NO_PREFIX;
	strcpy(ia->status_text, "pool is empty");
	feed(&f, &m);
	expect_state(&f, "soliciting");
	assert_string_equal(f.note, "IA_PD: NoPrefixAvail: pool is empty");
	assert_int_equal(dhcp6_client_deadline(&f.client), deadline); /* section 18.2.9 */
	assert_int_equal(f.sent, 1);
}

static void a_rapid_reply_binds_at_once(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	f.config.rapid_commit = true;
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	m = answer(&f, DHCP6_REPLY);
	add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	feed(&f, &m); /* without the option: section 18.2.1 */
	assert_int_equal(f.bound, 0);
	assert_int_equal(f.counters.unexpected, 1);
	m.rapid_commit = true;
	feed(&f, &m);
	assert_int_equal(f.bound, 1);
	expect_state(&f, "bound");
	assert_int_equal(f.sent, 1);
}

static void a_rapid_reply_that_nobody_asked_for_is_ignored(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	m = answer(&f, DHCP6_REPLY);
	m.rapid_commit = true;
	add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	feed(&f, &m);
	assert_int_equal(f.bound, 0);
}

static void drops_what_is_not_for_it(void **state)
{
	struct dhcp6_message good, m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	good = answer(&f, DHCP6_ADVERTISE);
	add(&good, "2001:db8:8000:100::/56", 3600, 7200);
	m = good;
	m.xid ^= 1;
	feed(&f, &m);
	assert_int_equal(f.counters.bad_xid, 1);
	m = good;
	m.client.len = 0;
	feed(&f, &m);
	m.client = (struct dhcp6_duid){other_duid, sizeof(other_duid)};
	feed(&f, &m);
	assert_int_equal(f.counters.bad_duid, 2);
	m = good;
	m.server.len = 0;
	feed(&f, &m);
	assert_int_equal(f.counters.bad_server, 1);
	for (uint8_t type = 1; type <= DHCP6_INFORMATION_REQUEST; type++) {
		m = good;
		m.type = type;
		m.ia_count = 0;
		if (type != DHCP6_ADVERTISE && type != DHCP6_REPLY)
			feed(&f, &m);
	}
	assert_int_equal(f.counters.unexpected, 9);
	dhcp6_client_input(&f.client, (const uint8_t *)"\2", 1, f.now);
	assert_int_equal(f.counters.bad_message, 1);
	expect_state(&f, "soliciting");
	assert_int_equal(f.sent, 1);
	feed(&f, &good);
	expect_state(&f, "requesting");
}

static void a_request_goes_to_one_server_only(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	m = answer(&f, DHCP6_ADVERTISE);
	add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	feed(&f, &m);
	m = answer(&f, DHCP6_REPLY);
	add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	m.server = (struct dhcp6_duid){other_duid, sizeof(other_duid)};
	feed(&f, &m);
	assert_int_equal(f.bound, 0);
	assert_int_equal(f.counters.bad_server, 1);
}

static void gives_up_a_request_after_ten_and_solicits(void **state)
{
	struct dhcp6_message m;
	struct fixture f;
	unsigned requests = 0;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	m = answer(&f, DHCP6_ADVERTISE);
	add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	feed(&f, &m);
	while (f.last.type == DHCP6_REQUEST) {
		requests++;
		run(&f, dhcp6_client_deadline(&f.client));
		if (strcmp(dhcp6_client_state(&f.client), "requesting") != 0)
			break;
	}
	assert_int_equal(requests, 10);
	run(&f, f.now + 2000);
	assert_int_equal(f.last.type, DHCP6_SOLICIT);
}

static void a_refused_request_is_not_repeated_in_a_loop(void **state)
{
	struct fixture f;
	unsigned requests = 0;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	while (f.now < 3600000) {
		struct dhcp6_message m = answer(&f, DHCP6_ADVERTISE);

		add(&m, "2001:db8:8000:100::/56", 3600, 7200);
		feed(&f, &m);
		assert_int_equal(f.last.type, DHCP6_REQUEST);
		m = answer(&f, DHCP6_REPLY);
		dhcp6_message_add_ia(&m, true, IAID)->status = DHCP6_NO_PREFIX;
		feed(&f, &m);
		expect_state(&f, "soliciting");
		requests++;
		run(&f, dhcp6_client_deadline(&f.client));
		assert_int_equal(f.last.type, DHCP6_SOLICIT);
	}
	assert_in_range(requests, 10, 14);
	assert_int_equal(f.lost, 0);
}

static void t1_and_t2_of_the_server_are_used(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	assert_int_equal(dhcp6_client_deadline(&f.client), 1000 + 100000);
	run(&f, 1000 + 99999);
	assert_int_equal(f.sent, 2);
	run(&f, 1000 + 100000);
	expect_state(&f, "renewing");
	assert_int_equal(f.last.type, DHCP6_RENEW);
	assert_true(dhcp6_duid_equal(&f.last.server, server_duid, sizeof(server_duid)));
	assert_int_equal(f.last.ias[0].prefix_count, 1);
	run(&f, 1000 + 200000);
	expect_state(&f, "rebinding");
	assert_int_equal(f.last.type, DHCP6_REBIND);
	assert_int_equal(f.last.server.len, 0);
}

static void t1_and_t2_default_to_parts_of_the_preferred_lifetime(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 0, 0, 1000, 7200);
	assert_int_equal(f.client.t1, 500);
	assert_int_equal(f.client.t2, 800);
	prepare(&f, 1);
	bind_with(&f, 300, 0, 1000, 7200);
	assert_int_equal(f.client.t1, 300);
	assert_int_equal(f.client.t2, 800);
	prepare(&f, 1);
	bind_with(&f, 0, 400, 1000, 7200);
	assert_int_equal(f.client.t1, 400);
	assert_int_equal(f.client.t2, 400);
	prepare(&f, 1);
	bind_with(&f, 0, 0, 0,
		7200); /* deprecated already: the valid lifetime decides, and nothing is sent at once */
	assert_int_equal(f.client.t1, 3600);
	assert_int_equal(f.sent, 2);
}

static void infinite_lifetimes_need_nothing(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 0, 0, DHCP6_INFINITE, DHCP6_INFINITE);
	assert_int_equal(dhcp6_client_deadline(&f.client), MSEC_NEVER);
}

static void t1_beyond_t2_is_refused(void **state)
{
	struct dhcp6_message m;
	struct dhcp6_ia *ia;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	m = answer(&f, DHCP6_ADVERTISE);
	ia = add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	ia->t1 = 200;
	ia->t2 = 100;
	feed(&f, &m);
	expect_state(&f, "soliciting");
	assert_int_equal(f.counters.refused, 2); /* the IA, and so the Advertise */
}

static void renewing_extends_the_lifetimes(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	run(&f, 1000 + 100000);
	m = answer(&f, DHCP6_REPLY);
	add(&m, "2001:db8:8000:100::/56", 1800, 3600);
	feed(&f, &m);
	expect_state(&f, "bound");
	assert_int_equal(f.bound, 2);
	assert_int_equal(f.binding.prefixes[0].valid, 3600);
	assert_int_equal(f.client.t1, 900);
	assert_int_equal(f.lost, 0);
}

static void renew_and_rebind_are_repeated_until_the_end_of_the_valid_lifetime(void **state)
{
	struct fixture f;
	unsigned renews = 0, rebinds = 0;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 1800, 2880, 3600, 7200);
	while (dhcp6_client_deadline(&f.client) < 1000 + 7200000) {
		unsigned before = f.sent;

		run(&f, dhcp6_client_deadline(&f.client));
		renews += f.sent > before && f.last.type == DHCP6_RENEW;
		rebinds += f.sent > before && f.last.type == DHCP6_REBIND;
	}
	assert_in_range(renews, 6, 9); /* 10 s doubling to 600 s in 1,080 s */
	assert_in_range(rebinds, 10, 16);
	assert_int_equal(f.lost, 0);
	run(&f, 1000 + 7199999);
	assert_int_equal(f.lost, 0);
	run(&f, 1000 + 7200000);
	assert_int_equal(f.lost, 1);
	assert_string_equal(f.why, "the valid lifetime is over");
	expect_state(&f, "soliciting");
	run(&f, f.now + 1100);
	assert_int_equal(f.last.type, DHCP6_SOLICIT);
	assert_int_equal(f.last.ias[0].prefix_count, 1); /* the same prefix, please */
}

static void a_rebind_may_be_answered_by_another_server(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	run(&f, 1000 + 200000);
	m = answer(&f, DHCP6_REPLY);
	m.server = (struct dhcp6_duid){other_duid, sizeof(other_duid)};
	add(&m, "2001:db8:8000:100::/56", 200, 300)->t1 = 10;
	feed(&f, &m);
	expect_state(&f, "bound");
	run(&f, f.now + 10000);
	assert_int_equal(f.last.type, DHCP6_RENEW);
	assert_true(dhcp6_duid_equal(&f.last.server, other_duid, sizeof(other_duid)));
}

static void no_binding_on_renew_leads_to_a_request(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	run(&f, 1000 + 100000);
	m = answer(&f, DHCP6_REPLY);
	dhcp6_message_add_ia(&m, true, IAID)->status = DHCP6_NO_BINDING;
	feed(&f, &m);
	assert_int_equal(f.last.type, DHCP6_REQUEST);
	assert_true(dhcp6_duid_equal(&f.last.server, server_duid, sizeof(server_duid)));
	assert_int_equal(f.last.ias[0].prefix_count, 1);
	assert_int_equal(f.lost, 0); /* what is valid stays in use */
	m = answer(&f, DHCP6_REPLY);
	add(&m, "2001:db8:8000:100::/56", 3600, 7200);
	feed(&f, &m);
	expect_state(&f, "bound");
	assert_int_equal(f.bound, 2);
}

static void a_server_that_gives_no_answer_to_that_request_does_not_cost_the_prefix(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	run(&f, 1000 + 100000);
	m = answer(&f, DHCP6_REPLY);
	dhcp6_message_add_ia(&m, true, IAID)->status = DHCP6_NO_BINDING;
	feed(&f, &m);
	run(&f, 1000 + 1000000);
	expect_state(&f, "rebinding");
	assert_int_equal(f.lost, 0);
}

static void lifetimes_of_0_take_the_prefix_away(void **state)
{
	struct prefix other = prefix("2001:db8:9000::/56");
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	run(&f, 1000 + 100000);
	m = answer(&f, DHCP6_REPLY); /* another one instead */
	add(&m, "2001:db8:8000:100::/56", 0, 0);
	add(&m, "2001:db8:9000::/56", 3600, 7200)->t1 = 100;
	feed(&f, &m);
	assert_int_equal(f.bound, 2);
	assert_int_equal(f.binding.prefix_count, 1);
	assert_true(prefix_equal(&f.binding.prefixes[0].prefix, &other));
	run(&f, 1000 + 200000);
	m = answer(&f, DHCP6_REPLY); /* and then none */
	add(&m, "2001:db8:9000::/56", 0, 0);
	feed(&f, &m);
	assert_int_equal(f.lost, 1);
	assert_string_equal(f.why, "the server has withdrawn everything");
	expect_state(&f, "soliciting");
}

static void what_a_reply_does_not_name_stays_as_it_was(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	run(&f, 1000 + 100000);
	m = answer(&f, DHCP6_REPLY);
	add(&m, "2001:db8:9000::/56", 3600, 7200)->t1 = 3000;
	feed(&f, &m);
	assert_int_equal(f.binding.prefix_count, 2);
	assert_int_equal(f.binding.prefixes[0].valid, 7100); /* a hundred seconds are gone */
	assert_int_equal(f.binding.prefixes[0].preferred, 3500);
	assert_int_equal(f.binding.prefixes[1].valid, 7200);
	/* and each ends at its own time; renewing goes on meanwhile, unanswered */
	run(&f, 1000 + 7200000);
	assert_int_equal(f.lost, 0);
	assert_int_equal(f.binding.prefix_count, 1);
	assert_int_equal(f.binding.prefixes[0].valid, 100);
	run(&f, 1000 + 7300000);
	assert_int_equal(f.lost, 1);
}

static void a_reply_without_our_ia_counts_as_no_answer(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	run(&f, 1000 + 100000);
	m = answer(&f, DHCP6_REPLY);
	dhcp6_message_add_ia(&m, true, IAID + 1);
	feed(&f, &m);
	expect_state(&f, "renewing");
	m = answer(&f, DHCP6_REPLY);
	m.status = DHCP6_UNSPEC_FAIL;
	feed(&f, &m);
	expect_state(&f, "renewing");
	assert_string_equal(f.note, "Reply: UnspecFail");
	run(&f, 1000 + 112000);
	assert_int_equal(f.sent, 4);
	assert_int_equal(f.bound, 1);
}

static void refuses_prefixes_that_make_no_sense(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t preferred, valid;
		const char *why;
	} bad[] = {
		{"2001:db8::/56", 7201, 7200, "preferred lifetime beyond the valid one"},
		{"2001:db8::/65", 3600, 7200, "prefix length is not 1 to 64"},
		{"::/0", 3600, 7200, "prefix length is not 1 to 64"},
		{"fe80::/64", 3600, 7200, "not a unicast prefix"},
		{"ff00::/56", 3600, 7200, "not a unicast prefix"},
		{"::/56", 3600, 7200, "not a unicast prefix"},
		{"8000::/1", 3600, 7200, "not a unicast prefix"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dhcp6_message m;
		struct fixture f;

		prepare(&f, 1);
		dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
		m = answer(&f, DHCP6_ADVERTISE);
		add(&m, bad[i].prefix, bad[i].preferred, bad[i].valid);
		feed(&f, &m);
		expect_state(&f, "soliciting");
		assert_non_null(strstr(f.note, bad[i].why));
	}
}

/* proves: HS-PROV-9 partial */
static void accepts_every_length_to_64(void **state)
{
	static const char *const good[] = {
		"2001:db8::/64", "2001:db8::/63", "2001:db8::/56", "2001:db8::/48", "2001:db8::/32"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct dhcp6_message m;
		struct fixture f;

		prepare(&f, 1);
		dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
		m = answer(&f, DHCP6_ADVERTISE);
		add(&m, good[i], 3600, 7200);
		feed(&f, &m);
		expect_state(&f, "requesting");
		assert_int_equal(f.notes, i == 4); /* a remark about the /32 */
	}
}

static void refuses_addresses_that_make_no_sense(void **state)
{
	static const char *const bad[] = {"fe80::1/128", "ff02::1/128", "::1/128", "::/128"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dhcp6_message m;
		struct fixture f;

		prepare(&f, 1);
		f.config.want_prefix = false;
		dhcp6_client_open(&f.client, &f.config, true, true, NULL, f.now);
		m = answer(&f, DHCP6_ADVERTISE);
		add(&m, bad[i], 3600, 7200);
		feed(&f, &m);
		expect_state(&f, "soliciting");
	}
}

/* proves: HS-DHCP-6 partial */
static void asks_for_dns_alone_and_again_when_the_refresh_time_is_over(void **state)
{
	struct dhcp6_message m;
	struct fixture f;
	msec at;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, false, false, NULL, f.now);
	assert_int_equal(f.sent, 0); /* INF_MAX_DELAY */
	run(&f, f.now + 1000);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.last.type, DHCP6_INFORMATION_REQUEST);
	assert_int_equal(f.last.ia_count, 0);
	assert_true(f.last.wants_dns);
	assert_true(f.last.wants_refresh);
	assert_true(f.last.wants_inf_max_rt);
	m = answer(&f, DHCP6_REPLY);
	m.dns_count = 1;
	assert_int_equal(addr_parse("2001:db8::53", &m.dns[0]), 0);
	m.refresh = 1000;
	feed(&f, &m);
	expect_state(&f, "informed");
	assert_int_equal(f.bound, 1);
	assert_int_equal(f.binding.dns_count, 1);
	assert_true(addr_equal(&f.binding.dns[0], &m.dns[0]));
	at = f.now;
	run(&f, at + 999999);
	assert_int_equal(f.sent, 1);
	run(&f, at + 1001000);
	assert_int_equal(f.sent, 2);
	m = answer(&f, DHCP6_REPLY);
	m.refresh = 5; /* IRT_MINIMUM */
	feed(&f, &m);
	assert_int_equal(f.binding.dns_count, 0); /* withdrawn */
	assert_int_equal(dhcp6_client_deadline(&f.client), f.now + 600000);
	run(&f, f.now + 601000);
	m = answer(&f, DHCP6_REPLY);
	feed(&f, &m); /* no option: IRT_DEFAULT */
	assert_int_equal(dhcp6_client_deadline(&f.client), f.now + 86400000);
	run(&f, f.now + 86401000);
	m = answer(&f, DHCP6_REPLY);
	m.refresh = DHCP6_INFINITE;
	feed(&f, &m);
	assert_int_equal(dhcp6_client_deadline(&f.client), MSEC_NEVER);
}

static void an_information_request_is_repeated(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, false, false, NULL, f.now);
	run(&f, 60000);
	assert_in_range(f.sent, 5, 7);
	expect_state(&f, "asking");
}

static void a_release_names_what_is_given_back_and_ends_it(void **state)
{
	struct prefix held = prefix("2001:db8:8000:100::/56");
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	dhcp6_client_release(&f.client, f.now);
	assert_int_equal(f.last.type, DHCP6_RELEASE);
	assert_true(dhcp6_duid_equal(&f.last.server, server_duid, sizeof(server_duid)));
	assert_int_equal(f.last.ia_count, 1);
	assert_true(prefix_equal(&f.last.ias[0].prefixes[0].prefix, &held));
	expect_state(&f, "stopped");
	assert_int_equal(dhcp6_client_deadline(&f.client), MSEC_NEVER);
	m = answer(&f, DHCP6_REPLY);
	m.status = DHCP6_SUCCESS;
	feed(&f, &m);
	dhcp6_client_tick(&f.client, f.now + 10000000);
	assert_int_equal(f.sent, 3);
	assert_int_equal(f.lost, 0);
	dhcp6_client_release(&f.client, f.now);
	assert_int_equal(f.sent, 3);
}

static void there_is_nothing_to_release_before_it_is_bound(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_open(&f.client, &f.config, true, false, NULL, f.now);
	dhcp6_client_release(&f.client, f.now);
	assert_int_equal(f.sent, 1);
	expect_state(&f, "stopped");
}

static void never_sends_more_than_20_messages_in_20_seconds(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 1, 1000, 3600, 7200);
	while (f.now < 21000) { /* a server that says NoBinding to everything, with T1 of a second */
		m = answer(&f, DHCP6_REPLY);
		if (f.last.type == DHCP6_REQUEST)
			add(&m, "2001:db8:8000:100::/56", 3600, 7200)->t1 = 1;
		else
			dhcp6_message_add_ia(&m, true, IAID)->status = DHCP6_NO_BINDING;
		feed(&f, &m);
		if (f.last.type != DHCP6_REQUEST || f.client.state == 3)
			run(&f, f.now + 250);
	}
	assert_true(f.sent <= 40);
}

static void a_reply_after_the_end_is_ignored(void **state)
{
	struct dhcp6_message m;
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 100, 200, 3600, 7200);
	m = answer(&f, DHCP6_REPLY);
	add(&m, "2001:db8:9000::/56", 3600, 7200);
	feed(&f, &m); /* a duplicate, changed on the way: the exchange is over */
	assert_int_equal(f.bound, 1);
	assert_int_equal(f.counters.unexpected, 1);
}

/* Bound at 3600/7200 s with T1 1000 s; the machine sleeps. */
static void lifetimes_go_on_while_the_machine_sleeps(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	dhcp6_client_slept(&f.client, 500000, f.now); /* nothing is held */
	assert_int_equal(f.bound + f.lost, 0);
	bind_with(&f, 1000, 2000, 3600, 7200);
	f.now += 100000;
	dhcp6_client_slept(&f.client, 500000, f.now);
	assert_int_equal(f.bound, 2);
	assert_int_equal(f.binding.prefixes[0].preferred, 3000);
	assert_int_equal(f.binding.prefixes[0].valid, 6600);
	assert_int_equal(dhcp6_client_deadline(&f.client), f.now + 400000);
	dhcp6_client_slept(&f.client, 1000000, f.now); /* T1 has gone by */
	run(&f, f.now + 1);
	expect_state(&f, "renewing");
	dhcp6_client_slept(&f.client, 3600000, f.now); /* and T2 */
	run(&f, f.now + 1);
	expect_state(&f, "rebinding");
	dhcp6_client_slept(&f.client, MSEC_NEVER / 2, f.now);
	assert_int_equal(f.lost, 1);
	assert_string_equal(f.why, "the valid lifetime is over");
}

static void what_never_ends_does_not_end_in_sleep(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f, 1);
	bind_with(&f, 0, 0, DHCP6_INFINITE, DHCP6_INFINITE);
	dhcp6_client_slept(&f.client, 1000000000000, f.now);
	assert_int_equal(f.binding.prefixes[0].valid, DHCP6_INFINITE);
	assert_int_equal(dhcp6_client_deadline(&f.client), MSEC_NEVER);
	assert_int_equal(f.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_router_solicits_a_prefix),
		cmocka_unit_test(an_earlier_prefix_is_asked_for_again),
		cmocka_unit_test(asks_for_its_address_when_told_to),
		cmocka_unit_test(solicits_with_the_timing_of_section_15),
		cmocka_unit_test(tells_how_long_it_has_been_trying),
		cmocka_unit_test(obeys_sol_max_rt_even_from_a_server_that_has_nothing),
		cmocka_unit_test(takes_the_first_advertise_that_offers_something),
		cmocka_unit_test(notes_that_there_is_no_prefix_and_goes_on),
		cmocka_unit_test(a_rapid_reply_binds_at_once),
		cmocka_unit_test(a_rapid_reply_that_nobody_asked_for_is_ignored),
		cmocka_unit_test(drops_what_is_not_for_it),
		cmocka_unit_test(a_request_goes_to_one_server_only),
		cmocka_unit_test(gives_up_a_request_after_ten_and_solicits),
		cmocka_unit_test(a_refused_request_is_not_repeated_in_a_loop),
		cmocka_unit_test(t1_and_t2_of_the_server_are_used),
		cmocka_unit_test(t1_and_t2_default_to_parts_of_the_preferred_lifetime),
		cmocka_unit_test(infinite_lifetimes_need_nothing),
		cmocka_unit_test(t1_beyond_t2_is_refused),
		cmocka_unit_test(renewing_extends_the_lifetimes),
		cmocka_unit_test(renew_and_rebind_are_repeated_until_the_end_of_the_valid_lifetime),
		cmocka_unit_test(a_rebind_may_be_answered_by_another_server),
		cmocka_unit_test(no_binding_on_renew_leads_to_a_request),
		cmocka_unit_test(a_server_that_gives_no_answer_to_that_request_does_not_cost_the_prefix),
		cmocka_unit_test(lifetimes_of_0_take_the_prefix_away),
		cmocka_unit_test(what_a_reply_does_not_name_stays_as_it_was),
		cmocka_unit_test(a_reply_without_our_ia_counts_as_no_answer),
		cmocka_unit_test(refuses_prefixes_that_make_no_sense),
		cmocka_unit_test(accepts_every_length_to_64),
		cmocka_unit_test(refuses_addresses_that_make_no_sense),
		cmocka_unit_test(asks_for_dns_alone_and_again_when_the_refresh_time_is_over),
		cmocka_unit_test(an_information_request_is_repeated),
		cmocka_unit_test(a_release_names_what_is_given_back_and_ends_it),
		cmocka_unit_test(there_is_nothing_to_release_before_it_is_bound),
		cmocka_unit_test(never_sends_more_than_20_messages_in_20_seconds),
		cmocka_unit_test(a_reply_after_the_end_is_ignored),
		cmocka_unit_test(lifetimes_go_on_while_the_machine_sleeps),
		cmocka_unit_test(what_never_ends_does_not_end_in_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

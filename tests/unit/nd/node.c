/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nd/node: DAD, solicitations and echoes, with a clock of our own and packets kept in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "lib/container.h"
#include "nd/node.h"

struct fixture {
	struct nd_node node;
	struct nd_node_config config;
	struct nd_counters counters;
	struct rng rng;
	unsigned sent, duplicates;
	uint8_t last[2048];
	size_t last_len;
	struct addr duplicate;
};

static void keep(struct nd_node *n, const uint8_t *packet, size_t len)
{
	struct fixture *f = container_of(n, struct fixture, node);

	assert_true(len <= sizeof(f->last));
	memcpy(f->last, packet, len);
	f->last_len = len;
	f->sent++;
}

static void note_duplicate(struct nd_node *n, const struct addr *a)
{
	struct fixture *f = container_of(n, struct fixture, node);

	f->duplicate = *a;
	f->duplicates++;
}

static const struct nd_node_ops ops = {.send = keep, .duplicate = note_duplicate};

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void open_node(struct fixture *f, uint8_t transmits)
{
	memset(f, 0, sizeof(*f));
	rng_init_seed(&f->rng, 1);
	f->config = (struct nd_node_config){.ops = &ops,
		.rng = &f->rng,
		.counters = &f->counters,
		.dad_transmits = transmits,
		.retrans_ms = 1000};
	nd_node_open(&f->node, &f->config);
}

static struct nd_message last_message(const struct fixture *f)
{
	struct nd_message m = {0};
	const char *why = NULL;

	assert_int_equal(nd_packet_read(f->last, f->last_len, &m, &why), 0);
	return m;
}

static bool feed(struct fixture *f, const uint8_t *packet, size_t len, msec now)
{
	struct nd_message m;
	const char *why;
	int err = nd_packet_read(packet, len, &m, &why);

	assert_true(err == 0 || err == -ENOMSG);
	return nd_node_input(&f->node, err ? NULL : &m, packet, len, now);
}

static bool feed_solicitation(struct fixture *f, const char *src, const char *dst, const char *target,
	const uint8_t *nonce, msec now)
{
	struct addr s = address(src), d = address(dst), t = address(target);
	uint8_t buf[128];
	struct writer w = writer_of(buf, sizeof(buf));

	nd_ns_write(&w, &s, &d, &t, nonce);
	return feed(f, buf, writer_len(&w), now);
}

static bool feed_advertisement(struct fixture *f, const char *src, const char *target, msec now)
{
	struct addr s = address(src), d = nd_all_nodes(), t = address(target);
	uint8_t buf[128];
	struct writer w = writer_of(buf, sizeof(buf));

	nd_na_write(&w, &s, &d, &t, false, false, true);
	return feed(f, buf, writer_len(&w), now);
}

/* proves: HS-ND-4 partial */
static void probes_its_address_before_it_is_sure_of_it(void **state)
{
	struct addr a = address("fe80::2"), group = nd_solicited_node(&a);
	struct nd_message m;
	struct fixture f;

	(void)state;
	open_node(&f, 1);
	assert_int_equal(nd_node_add(&f.node, &a, 5000), 0);
	assert_int_equal(f.sent, 1);
	m = last_message(&f);
	assert_int_equal(m.type, ND_NS);
	assert_true(addr_is_unspecified(&m.src));
	assert_true(addr_equal(&m.dst, &group));
	assert_true(addr_equal(&m.target, &a));
	assert_true(m.has_nonce);
	assert_int_equal(nd_node_deadline(&f.node), 6000);
	nd_node_tick(&f.node, 5999);
	assert_true(nd_node_tentative(&f.node, &a));
	nd_node_tick(&f.node, 6000);
	assert_false(nd_node_tentative(&f.node, &a));
	assert_int_equal(nd_node_deadline(&f.node), MSEC_NEVER);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.duplicates, 0);
}

static void probes_as_often_as_configured_with_new_nonces(void **state)
{
	struct addr a = address("fe80::2");
	uint8_t nonce[6];
	struct fixture f;

	(void)state;
	open_node(&f, 3);
	nd_node_add(&f.node, &a, 0);
	memcpy(nonce, last_message(&f).nonce, 6);
	nd_node_tick(&f.node, 1000);
	assert_int_equal(f.sent, 2);
	assert_memory_not_equal(nonce, last_message(&f).nonce, 6);
	nd_node_tick(&f.node, 2000);
	assert_int_equal(f.sent, 3);
	assert_true(nd_node_tentative(&f.node, &a));
	nd_node_tick(&f.node, 3000);
	assert_int_equal(f.sent, 3);
	assert_false(nd_node_tentative(&f.node, &a));
}

/* proves: HS-ND-5 partial */
static void dad_can_be_switched_off(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;

	(void)state;
	open_node(&f, 0);
	nd_node_add(&f.node, &a, 0);
	assert_int_equal(f.sent, 0);
	assert_false(nd_node_tentative(&f.node, &a));
	assert_int_equal(nd_node_deadline(&f.node), MSEC_NEVER);
}

/* proves: HS-ND-4 partial */
static void learns_of_a_duplicate_from_the_other_node(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;

	(void)state;
	open_node(&f, 1);
	nd_node_add(&f.node, &a, 0);
	assert_true(feed_advertisement(&f, "fe80::2", "fe80::2", 500));
	assert_int_equal(f.duplicates, 1);
	assert_true(addr_equal(&f.duplicate, &a));
	assert_int_equal(f.counters.duplicates, 1);
	assert_int_equal(nd_node_deadline(&f.node), MSEC_NEVER);
	/* and no longer stands up for the address */
	assert_true(feed_solicitation(&f, "fe80::9", "fe80::2", "fe80::2", NULL, 600));
	assert_int_equal(f.sent, 1);
}

static void two_nodes_that_probe_at_once_both_give_way(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;

	(void)state;
	open_node(&f, 1);
	nd_node_add(&f.node, &a, 0);
	feed_solicitation(&f, "::", "ff02::1:ff00:2", "fe80::2", (const uint8_t *)"abcdef", 10);
	assert_int_equal(f.duplicates, 1);
}

static void a_probe_without_nonce_is_a_duplicate_too(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;

	(void)state;
	open_node(&f, 1);
	nd_node_add(&f.node, &a, 0);
	feed_solicitation(&f, "::", "ff02::1:ff00:2", "fe80::2", NULL, 10);
	assert_int_equal(f.duplicates, 1);
}

static void its_own_probe_come_back_is_no_duplicate(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;
	uint8_t copy[128];

	(void)state;
	open_node(&f, 1);
	nd_node_add(&f.node, &a, 0);
	memcpy(copy, f.last, f.last_len);
	feed(&f, copy, f.last_len, 10);
	assert_int_equal(f.duplicates, 0);
	assert_true(nd_node_tentative(&f.node, &a));
	nd_node_tick(&f.node, 1000);
	feed(&f, copy, f.last_len, 1010); /* late, and no defence either */
	assert_int_equal(f.sent, 1);
}

static void defends_its_address_against_probes(void **state)
{
	struct addr a = address("fe80::2"), all = nd_all_nodes();
	struct nd_message m;
	struct fixture f;

	(void)state;
	open_node(&f, 0);
	f.config.router = true;
	nd_node_add(&f.node, &a, 0);
	feed_solicitation(&f, "::", "ff02::1:ff00:2", "fe80::2", (const uint8_t *)"abcdef", 10);
	m = last_message(&f);
	assert_int_equal(m.type, ND_NA);
	assert_true(addr_equal(&m.dst, &all));
	assert_true(addr_equal(&m.src, &a));
	assert_true(addr_equal(&m.target, &a));
	assert_true(m.router);
	assert_false(m.solicited);
	assert_true(m.override);
	assert_int_equal(f.duplicates, 0);
}

static void answers_solicitations_to_the_one_who_asks(void **state)
{
	struct addr a = address("2001:db8::2"), asker = address("fe80::1");
	struct nd_message m;
	struct fixture f;

	(void)state;
	open_node(&f, 1);
	nd_node_add(&f.node, &a, 0);
	feed_solicitation(&f, "fe80::1", "ff02::1:ff00:2", "2001:db8::2", NULL, 10);
	m = last_message(&f);
	assert_int_equal(m.type, ND_NA);
	assert_true(addr_equal(&m.dst, &asker));
	assert_true(m.solicited);
	assert_false(m.router);
	assert_false(m.override); /* tentative: RFC 4429 section 3.3 */
	nd_node_tick(&f.node, 1000);
	feed_solicitation(&f, "fe80::1", "2001:db8::2", "2001:db8::2", NULL, 1010);
	assert_true(last_message(&f).override);
}

static void is_silent_about_what_is_not_its_own(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;

	(void)state;
	open_node(&f, 0);
	nd_node_add(&f.node, &a, 0);
	assert_true(feed_solicitation(&f, "fe80::1", "ff02::1:ff00:3", "fe80::3", NULL, 0));
	assert_true(feed_advertisement(&f, "fe80::3", "fe80::3", 0));
	assert_true(feed_advertisement(&f, "fe80::2", "fe80::2", 0)); /* after DAD: RFC 4862 section 5.4.4 */
	assert_true(feed_solicitation(&f, "fe80::2", "ff02::1:ff00:2", "fe80::2", NULL, 0));
	assert_int_equal(f.sent, 0);
	assert_int_equal(f.duplicates, 0);
	assert_int_equal(f.counters.ignored, 3);
	assert_int_equal(f.counters.bad_source, 1);
}

static void has_room_for_two_addresses_each_with_its_own_dad(void **state)
{
	struct addr a = address("fe80::2"), b = address("2001:db8::2"), c = address("2001:db8::3");
	struct fixture f;

	(void)state;
	open_node(&f, 1);
	assert_int_equal(nd_node_add(&f.node, &a, 0), 0);
	assert_int_equal(nd_node_add(&f.node, &b, 600), 0);
	assert_int_equal(nd_node_add(&f.node, &a, 700), 0);
	assert_int_equal(nd_node_add(&f.node, &c, 700), -ENOSPC);
	assert_int_equal(f.sent, 2);
	nd_node_tick(&f.node, 1000);
	assert_false(nd_node_tentative(&f.node, &a));
	assert_true(nd_node_tentative(&f.node, &b));
	assert_int_equal(nd_node_deadline(&f.node), 1600);
	nd_node_remove(&f.node, &b);
	assert_int_equal(nd_node_deadline(&f.node), MSEC_NEVER);
	assert_int_equal(nd_node_add(&f.node, &c, 1700), 0);
}

static size_t make_echo(
	uint8_t *buf, size_t size, const char *src, const char *dst, uint8_t type, size_t data)
{
	struct ip6 h = {
		.src = address(src), .dst = address(dst), .next_header = PROTO_ICMP6, .hop_limit = 64};
	struct writer w = writer_of(buf, size);
	size_t at = ip6_begin(&w, &h);

	writer_u8(&w, type);
	writer_zeros(&w, 3);
	writer_u32(&w, 0x12340001);
	for (size_t i = 0; i < data; i++)
		writer_u8(&w, (uint8_t)i);
	ip6_finish(&w, at);
	assert_true(writer_ok(&w));
	return writer_len(&w);
}

/* proves: PS-25 partial */
static void answers_pings_on_a_link_with_link_local_addresses_only(void **state)
{
	struct addr a = address("fe80::2"), asker = address("fe80::1");
	struct fixture f;
	uint8_t buf[2048];
	size_t len;
	struct reader r;
	struct ip6 h;

	(void)state;
	open_node(&f, 1);
	nd_node_add(&f.node, &a, 0);
	len = make_echo(buf, sizeof(buf), "fe80::1", "fe80::2", ICMP6_ECHO_REQUEST_T, 56);
	assert_true(feed(&f, buf, len, 0));
	assert_int_equal(f.sent, 2);
	assert_int_equal(f.last_len, len);
	r = reader_of(f.last, f.last_len);
	ip6_read(&r, &h);
	assert_true(addr_equal(&h.src, &a));
	assert_true(addr_equal(&h.dst, &asker));
	assert_int_equal(r.pos[0], ICMP6_ECHO_REPLY_T);
	assert_int_equal(ip6_checksum(&h.src, &h.dst, PROTO_ICMP6, r.pos, reader_left(&r)), 0);
	assert_memory_equal(r.pos + 4, buf + 44, 60);
	assert_int_equal(f.counters.echo_rx, 1);
}

static void answers_pings_to_all_nodes_from_its_first_address(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;
	uint8_t buf[256];
	size_t len;
	struct reader r;
	struct ip6 h;

	(void)state;
	open_node(&f, 0);
	nd_node_add(&f.node, &a, 0);
	len = make_echo(buf, sizeof(buf), "fe80::1", "ff02::1", ICMP6_ECHO_REQUEST_T, 8);
	assert_true(feed(&f, buf, len, 0));
	r = reader_of(f.last, f.last_len);
	ip6_read(&r, &h);
	assert_true(addr_equal(&h.src, &a));
}

static void drops_pings_that_are_wrong(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;
	uint8_t buf[256];
	size_t len;

	(void)state;
	open_node(&f, 0);
	nd_node_add(&f.node, &a, 0);
	len = make_echo(buf, sizeof(buf), "fe80::1", "fe80::2", ICMP6_ECHO_REQUEST_T, 8);
	buf[len - 1] ^= 1;
	assert_true(feed(&f, buf, len, 0)); /* checksum */
	assert_int_equal(f.counters.bad_packet, 1);
	len = make_echo(buf, sizeof(buf), "ff02::1", "fe80::2", ICMP6_ECHO_REQUEST_T, 8);
	assert_true(feed(&f, buf, len, 0));
	len = make_echo(buf, sizeof(buf), "::", "fe80::2", ICMP6_ECHO_REQUEST_T, 8);
	assert_true(feed(&f, buf, len, 0));
	len = make_echo(buf, sizeof(buf), "fe80::2", "fe80::2", ICMP6_ECHO_REQUEST_T, 8);
	assert_true(feed(&f, buf, len, 0));
	assert_int_equal(f.counters.bad_source, 3);
	assert_int_equal(f.sent, 0);
}

static void leaves_other_packets_to_the_data_plane(void **state)
{
	struct addr a = address("fe80::2");
	struct fixture f;
	uint8_t buf[256];
	size_t len;

	(void)state;
	open_node(&f, 0);
	nd_node_add(&f.node, &a, 0);
	len = make_echo(buf, sizeof(buf), "fe80::1", "fe80::2", ICMP6_ECHO_REPLY_T, 8);
	assert_false(feed(&f, buf, len, 0));
	len = make_echo(buf, sizeof(buf), "2001:db8::1", "2001:db8::2", ICMP6_ECHO_REQUEST_T, 8);
	assert_false(feed(&f, buf, len, 0));
	assert_false(nd_node_input(&f.node, NULL, buf, 10, 0));
	assert_int_equal(f.sent, 0);
}

static void is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct nd_node) <= 104);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_its_address_before_it_is_sure_of_it),
		cmocka_unit_test(probes_as_often_as_configured_with_new_nonces),
		cmocka_unit_test(dad_can_be_switched_off),
		cmocka_unit_test(learns_of_a_duplicate_from_the_other_node),
		cmocka_unit_test(two_nodes_that_probe_at_once_both_give_way),
		cmocka_unit_test(a_probe_without_nonce_is_a_duplicate_too),
		cmocka_unit_test(its_own_probe_come_back_is_no_duplicate),
		cmocka_unit_test(defends_its_address_against_probes),
		cmocka_unit_test(answers_solicitations_to_the_one_who_asks),
		cmocka_unit_test(is_silent_about_what_is_not_its_own),
		cmocka_unit_test(has_room_for_two_addresses_each_with_its_own_dad),
		cmocka_unit_test(answers_pings_on_a_link_with_link_local_addresses_only),
		cmocka_unit_test(answers_pings_to_all_nodes_from_its_first_address),
		cmocka_unit_test(drops_pings_that_are_wrong),
		cmocka_unit_test(leaves_other_packets_to_the_data_plane),
		cmocka_unit_test(is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

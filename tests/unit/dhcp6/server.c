/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp6/server: the validity rules of RFC 8415 section 16, and what is answered (section 18.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dhcp6/server.h"
#include "lib/container.h"

enum { IAID = 7, XID = 0xabcdef };

static const uint8_t client_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 2};
static const uint8_t server_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 1};
static const uint8_t other_duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 9};

enum bind { BIND_AT_ONCE, BIND_LATER, BIND_REFUSED };

struct fixture {
	struct dhcp6_server server;
	struct dhcp6_server_config config;
	struct dhcp6_counters counters;
	struct dhcp6_offer offer;
	enum bind bind;
	unsigned sent, binds, in_use, released, renewed, notes;
	uint8_t raw[DHCP6_MESSAGE_MAX];
	struct dhcp6_message last; /* sent by the server */
	uint8_t bound_duid[DHCP6_DUID_MAX];
	size_t bound_len;
	uint32_t bound_iaid;
	char note[200];
};

static void keep(struct dhcp6_server *s, const uint8_t *message, size_t len)
{
	struct fixture *f = container_of(s, struct fixture, server);
	const char *why = NULL;

	memcpy(f->raw, message, len);
	assert_int_equal(dhcp6_message_read(f->raw, len, &f->last, &why), 0);
	f->sent++;
}

static void describe(struct dhcp6_server *s, struct dhcp6_offer *ret)
{
	*ret = container_of(s, struct fixture, server)->offer;
}

static void bind_duid(struct dhcp6_server *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	struct fixture *f = container_of(s, struct fixture, server);

	memcpy(f->bound_duid, duid->data, duid->len);
	f->bound_len = duid->len;
	f->bound_iaid = iaid;
	f->binds++;
	if (f->bind == BIND_AT_ONCE)
		dhcp6_server_bound(s, true, NULL, 0);
	else if (f->bind == BIND_REFUSED)
		dhcp6_server_bound(s, false, "another device has this lease", 0);
}

static void note_released(struct dhcp6_server *s)
{
	container_of(s, struct fixture, server)->released++;
}

static void note_in_use(struct dhcp6_server *s)
{
	struct fixture *f = container_of(s, struct fixture, server);

	f->in_use++;
	assert_int_equal(f->server.using_prefixes, true);
}

static void note_renewed(struct dhcp6_server *s)
{
	container_of(s, struct fixture, server)->renewed++;
}

static void note_text(struct dhcp6_server *s, const char *text)
{
	struct fixture *f = container_of(s, struct fixture, server);

	snprintf(f->note, sizeof(f->note), "%s", text);
	f->notes++;
}

static const struct dhcp6_server_ops ops = {.send = keep,
	.describe = describe,
	.bind = bind_duid,
	.released = note_released,
	.in_use = note_in_use,
	.renewed = note_renewed,
	.note = note_text};

static struct prefix prefix(const char *text)
{
	struct prefix p = {0};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void open_server(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->config = (struct dhcp6_server_config){
		.ops = &ops, .counters = &f->counters, .duid_len = sizeof(server_duid), .rapid_commit = true};
	memcpy(f->config.duid, server_duid, sizeof(server_duid));
	f->offer.prefix_count = 1;
	f->offer.prefixes[0] = (struct dhcp6_prefix){prefix("2001:db8:8000:100::/56"), 3600, 7200, 0};
	f->offer.dns_count = 1;
	assert_int_equal(addr_parse("2001:db8::53", &f->offer.dns[0]), 0);
	dhcp6_server_open(&f->server, &f->config);
}

/* A message as its type demands it, with an IA_PD. */
static struct dhcp6_message message(uint8_t type)
{
	struct dhcp6_message m;

	dhcp6_message_init(&m, type, XID);
	m.client = (struct dhcp6_duid){client_duid, sizeof(client_duid)};
	if (type == DHCP6_REQUEST || type == DHCP6_RENEW || type == DHCP6_RELEASE || type == DHCP6_DECLINE)
		m.server = (struct dhcp6_duid){server_duid, sizeof(server_duid)};
	if (type != DHCP6_INFORMATION_REQUEST && type != DHCP6_CONFIRM && type != DHCP6_DECLINE)
		dhcp6_message_add_ia(&m, true, IAID);
	m.wants_dns = type != DHCP6_CONFIRM && type != DHCP6_DECLINE && type != DHCP6_RELEASE;
	return m;
}

static void hold(struct dhcp6_message *m, unsigned ia, const char *text)
{
	m->ias[ia].prefixes[m->ias[ia].prefix_count++] = (struct dhcp6_prefix){.prefix = prefix(text)};
}

static void feed(struct fixture *f, const struct dhcp6_message *m)
{
	uint8_t buf[DHCP6_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp6_message_write(&w, m);
	assert_true(writer_ok(&w));
	dhcp6_server_input(&f->server, buf, writer_len(&w), 0);
}

static void feed_type(struct fixture *f, uint8_t type)
{
	struct dhcp6_message m = message(type);

	feed(f, &m);
}

/* The last answer is of this type, to this client, and gives the prefix. */
static void expect_grant(const struct fixture *f, uint8_t type)
{
	assert_int_equal(f->last.type, type);
	assert_int_equal(f->last.xid, XID);
	assert_true(dhcp6_duid_equal(&f->last.client, client_duid, sizeof(client_duid)));
	assert_true(dhcp6_duid_equal(&f->last.server, server_duid, sizeof(server_duid)));
	assert_int_equal(f->last.ia_count, 1);
	assert_true(f->last.ias[0].pd);
	assert_int_equal(f->last.ias[0].iaid, IAID);
	assert_int_equal(f->last.ias[0].status, DHCP6_NO_STATUS);
	assert_int_equal(f->last.ias[0].prefix_count, 1);
	assert_true(prefix_equal(&f->last.ias[0].prefixes[0].prefix, &f->offer.prefixes[0].prefix));
	assert_int_equal(f->last.ias[0].prefixes[0].preferred, 3600);
	assert_int_equal(f->last.ias[0].prefixes[0].valid, 7200);
}

/* proves: HS-DHCP-3 partial */
static void advertises_without_committing(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	feed_type(&f, DHCP6_SOLICIT);
	assert_int_equal(f.sent, 1);
	expect_grant(&f, DHCP6_ADVERTISE);
	assert_int_equal(f.last.ias[0].t1, 1800);
	assert_int_equal(f.last.ias[0].t2, 2880);
	assert_false(f.last.has_preference);
	assert_int_equal(f.binds, 0);
	assert_int_equal(f.in_use, 0);
	f.config.preference = 255;
	feed_type(&f, DHCP6_SOLICIT);
	assert_int_equal(f.last.preference, 255);
}

/* proves: HS-DHCP-3 partial, HS-DHCP-5 partial, HS-AAA-9 partial */
static void a_request_is_recorded_then_granted_and_routed(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	feed_type(&f, DHCP6_REQUEST);
	assert_int_equal(f.binds, 1);
	assert_int_equal(f.bound_iaid, IAID);
	assert_int_equal(f.bound_len, sizeof(client_duid));
	assert_memory_equal(f.bound_duid, client_duid, sizeof(client_duid));
	expect_grant(&f, DHCP6_REPLY);
	assert_false(f.last.rapid_commit);
	assert_int_equal(f.in_use, 1);
	feed_type(&f, DHCP6_RENEW);
	expect_grant(&f, DHCP6_REPLY);
	feed_type(&f, DHCP6_REBIND);
	expect_grant(&f, DHCP6_REPLY);
	assert_int_equal(f.binds, 1); /* recorded already */
	assert_int_equal(f.in_use, 1);
}

static void rapid_commit_replies_at_once(void **state)
{
	struct dhcp6_message m = message(DHCP6_SOLICIT);
	struct fixture f;

	(void)state;
	open_server(&f);
	m.rapid_commit = true;
	feed(&f, &m);
	expect_grant(&f, DHCP6_REPLY);
	assert_true(f.last.rapid_commit);
	assert_int_equal(f.binds, 1);
	assert_int_equal(f.in_use, 1);
	open_server(&f);
	f.config.rapid_commit = false;
	feed(&f, &m);
	expect_grant(&f, DHCP6_ADVERTISE);
	assert_int_equal(f.binds, 0);
}

/* proves: HS-AAA-9 partial */
static void recording_may_take_its_time(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	f.bind = BIND_LATER;
	feed_type(&f, DHCP6_REQUEST);
	feed_type(&f, DHCP6_REQUEST); /* retransmitted */
	feed_type(&f, DHCP6_RENEW);
	assert_int_equal(f.binds, 1);
	assert_int_equal(f.sent, 0);
	assert_int_equal(f.in_use, 0);
	feed_type(&f, DHCP6_INFORMATION_REQUEST); /* nobody has to wait for that */
	assert_int_equal(f.sent, 1);
	dhcp6_server_bound(&f.server, true, NULL, 50);
	assert_int_equal(f.sent, 2);
	expect_grant(&f, DHCP6_REPLY);
	assert_int_equal(f.in_use, 1);
	dhcp6_server_bound(&f.server, true, NULL, 60); /* nothing is pending */
	assert_int_equal(f.sent, 2);
}

static void what_is_pending_goes_with_the_server(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	f.bind = BIND_LATER;
	feed_type(&f, DHCP6_REQUEST);
	dhcp6_server_done(&f.server); /* a leak would be seen by the sanitizer */
	dhcp6_server_bound(&f.server, true, NULL, 0);
	assert_int_equal(f.sent, 0);
}

static void who_renews_is_told_if_it_was_granted(void **state)
{
	static const struct {
		uint8_t type;
		bool offered;
		unsigned renewed;
	} cases[] = {{DHCP6_REQUEST, true, 0}, {DHCP6_SOLICIT, true, 0}, {DHCP6_INFORMATION_REQUEST, true, 0},
		{DHCP6_RENEW, true, 1}, {DHCP6_REBIND, true, 1}, {DHCP6_RENEW, false, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;

		open_server(&f);
		feed_type(&f, DHCP6_REQUEST);
		f.offer.prefix_count = cases[i].offered;
		feed_type(&f, cases[i].type);
		assert_int_equal(f.sent, 2);
		assert_int_equal(f.renewed, cases[i].renewed);
	}
}

/* proves: HS-AAA-9 partial */
static void a_refused_duid_gets_no_prefix_and_the_reason(void **state)
{
	static const uint8_t types[] = {DHCP6_REQUEST, DHCP6_RENEW, DHCP6_REBIND, DHCP6_SOLICIT};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct dhcp6_message m = message(types[i]);
		struct fixture f;

		open_server(&f);
		f.bind = BIND_REFUSED;
		m.rapid_commit = true;
		hold(&m, 0, "2001:db8:8000:100::/56");
		feed(&f, &m);
		assert_int_equal(f.sent, 1);
		assert_int_equal(f.last.type, types[i] == DHCP6_SOLICIT ? DHCP6_ADVERTISE : DHCP6_REPLY);
		assert_int_equal(f.last.ias[0].status, DHCP6_NO_PREFIX);
		assert_string_equal(f.last.ias[0].status_text, "another device has this lease");
		assert_int_equal(f.last.ias[0].prefix_count, 0);
		assert_int_equal(f.in_use, 0);
		assert_int_equal(f.counters.refused, 1);
		assert_false(f.server.bound);
	}
}

/* proves: HS-AAA-9 partial */
static void another_duid_or_iaid_is_told_to_the_role(void **state)
{
	struct dhcp6_message m = message(DHCP6_REQUEST);
	struct fixture f;

	(void)state;
	open_server(&f);
	feed(&f, &m);
	m.client = (struct dhcp6_duid){other_duid, sizeof(other_duid)};
	feed(&f, &m);
	assert_int_equal(f.binds, 2);
	assert_memory_equal(f.bound_duid, other_duid, sizeof(other_duid));
	m.ias[0].iaid = IAID + 1;
	feed(&f, &m);
	assert_int_equal(f.binds, 3);
	assert_int_equal(f.bound_iaid, IAID + 1);
	f.bind = BIND_REFUSED; /* the first client is still served afterwards only if the role wants it */
	feed_type(&f, DHCP6_REQUEST);
	assert_int_equal(f.last.ias[0].status, DHCP6_NO_PREFIX);
	m.client = (struct dhcp6_duid){other_duid, sizeof(other_duid)};
	feed(&f, &m);
	assert_int_equal(f.last.ias[0].prefix_count, 1);
}

/* RFC 8415 section 16.2 to 16.12: what each message must and must not carry. */
static void drops_messages_that_break_the_rules(void **state)
{
	enum { NONE, OURS, THEIRS };
	static const struct {
		const char *name;
		uint8_t type;
		bool client;
		uint8_t server;
		bool answered;
	} rules[] = {
		{"Solicit", DHCP6_SOLICIT, true, NONE, true},
		{"Solicit without client", DHCP6_SOLICIT, false, NONE, false},
		{"Solicit with server", DHCP6_SOLICIT, true, OURS, false},
		{"Request", DHCP6_REQUEST, true, OURS, true},
		{"Request without client", DHCP6_REQUEST, false, OURS, false},
		{"Request without server", DHCP6_REQUEST, true, NONE, false},
		{"Request for another server", DHCP6_REQUEST, true, THEIRS, false},
		{"Confirm without client", DHCP6_CONFIRM, false, NONE, false},
		{"Confirm with server", DHCP6_CONFIRM, true, OURS, false},
		{"Renew", DHCP6_RENEW, true, OURS, true},
		{"Renew without client", DHCP6_RENEW, false, OURS, false},
		{"Renew without server", DHCP6_RENEW, true, NONE, false},
		{"Renew for another server", DHCP6_RENEW, true, THEIRS, false},
		{"Rebind", DHCP6_REBIND, true, NONE, true},
		{"Rebind without client", DHCP6_REBIND, false, NONE, false},
		{"Rebind with server", DHCP6_REBIND, true, OURS, false},
		{"Release", DHCP6_RELEASE, true, OURS, true},
		{"Release without client", DHCP6_RELEASE, false, OURS, false},
		{"Release without server", DHCP6_RELEASE, true, NONE, false},
		{"Release for another server", DHCP6_RELEASE, true, THEIRS, false},
		{"Decline", DHCP6_DECLINE, true, OURS, true},
		{"Decline without client", DHCP6_DECLINE, false, OURS, false},
		{"Decline without server", DHCP6_DECLINE, true, NONE, false},
		{"Decline for another server", DHCP6_DECLINE, true, THEIRS, false},
		{"Information-request", DHCP6_INFORMATION_REQUEST, true, NONE, true},
		{"Information-request without client", DHCP6_INFORMATION_REQUEST, false, NONE, true},
		{"Information-request with server", DHCP6_INFORMATION_REQUEST, true, OURS, true},
		{"Information-request for another server", DHCP6_INFORMATION_REQUEST, true, THEIRS, false},
		{"Advertise", DHCP6_ADVERTISE, true, OURS, false},
		{"Reply", DHCP6_REPLY, true, OURS, false},
		{"Reconfigure", DHCP6_RECONFIGURE, true, OURS, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct dhcp6_message m = message(rules[i].type);
		struct fixture f;

		open_server(&f);
		if (!rules[i].client)
			m.client.len = 0;
		m.server = (struct dhcp6_duid){rules[i].server == THEIRS ? other_duid : server_duid,
			rules[i].server == NONE ? 0 : sizeof(server_duid)};
		feed(&f, &m);
		if (f.sent != rules[i].answered)
			fail_msg("%s", rules[i].name);
		if (f.counters.bad_duid + f.counters.bad_server + f.counters.unexpected != !rules[i].answered)
			fail_msg("%s: not counted", rules[i].name);
		assert_int_equal(f.counters.by_type[rules[i].type], 1);
	}
}

static void drops_malformed_messages_with_the_reason(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	dhcp6_server_input(&f.server, (const uint8_t *)"\1\2", 2, 0);
	assert_int_equal(f.counters.bad_message, 1);
	assert_string_equal(f.note, "shorter than a message");
	assert_int_equal(f.sent, 0);
}

static void a_user_without_prefix_gets_no_prefix_avail(void **state)
{
	struct dhcp6_message m = message(DHCP6_SOLICIT);
	struct fixture f;

	(void)state;
	open_server(&f);
	f.offer.prefix_count = 0;
	m.rapid_commit = true; /* nothing to commit: an Advertise says so */
	feed(&f, &m);
	assert_int_equal(f.last.type, DHCP6_ADVERTISE);
	assert_int_equal(f.last.ias[0].status, DHCP6_NO_PREFIX);
	feed_type(&f, DHCP6_REQUEST);
	assert_int_equal(f.last.type, DHCP6_REPLY);
	assert_int_equal(f.last.ias[0].status, DHCP6_NO_PREFIX);
	assert_int_equal(f.last.ias[0].prefix_count, 0);
	assert_int_equal(f.last.ias[0].t1, 0);
	m = message(DHCP6_REQUEST);
	m.ias[0].pd = false;
	feed(&f, &m);
	assert_int_equal(f.last.ias[0].status, DHCP6_NO_ADDRS);
	assert_int_equal(f.binds, 0);
	assert_int_equal(f.in_use, 0);
}

/* proves: HS-ND-6 partial */
static void assigns_the_address_to_the_first_ia_na(void **state)
{
	struct dhcp6_message m = message(DHCP6_REQUEST);
	struct fixture f;

	(void)state;
	open_server(&f);
	f.offer.has_address = true;
	f.offer.address = (struct dhcp6_prefix){prefix("2001:db8:100::2/128"), 1000, 2000, 0};
	dhcp6_message_add_ia(&m, false, 1);
	dhcp6_message_add_ia(&m, false, 2);
	feed(&f, &m);
	assert_int_equal(f.last.ia_count, 3);
	assert_true(prefix_equal(&f.last.ias[1].prefixes[0].prefix, &f.offer.address.prefix));
	assert_int_equal(f.last.ias[1].prefixes[0].valid, 2000);
	assert_int_equal(f.last.ias[2].status, DHCP6_NO_ADDRS);
	assert_int_equal(f.last.ias[0].t1, 500); /* the same in all IAs: section 18.3.2 */
	assert_int_equal(f.last.ias[1].t1, 500);
	assert_int_equal(f.last.ias[0].t2, 800);
	assert_int_equal(f.last.ias[1].t2, 800);
}

static void several_ia_pds_share_nothing(void **state)
{
	struct dhcp6_message m = message(DHCP6_REQUEST);
	struct fixture f;

	(void)state;
	open_server(&f);
	f.offer.prefix_count = 2;
	f.offer.prefixes[1] = (struct dhcp6_prefix){prefix("2001:db8:9000::/56"), 3600, 7200, 0};
	dhcp6_message_add_ia(&m, true, IAID + 1);
	feed(&f, &m);
	assert_int_equal(f.last.ias[0].prefix_count, 2);
	assert_int_equal(f.last.ias[1].iaid, IAID + 1);
	assert_int_equal(f.last.ias[1].status, DHCP6_NO_PREFIX);
	assert_int_equal(f.last.ias[1].prefix_count, 0);
}

static void hints_change_nothing(void **state)
{
	struct dhcp6_message m = message(DHCP6_SOLICIT);
	struct fixture f;

	(void)state;
	open_server(&f);
	hold(&m, 0, "::/48");
	hold(&m, 0, "2001:db8:7777::/48");
	feed(&f, &m);
	expect_grant(&f, DHCP6_ADVERTISE);
	m.type = DHCP6_REQUEST; /* nor may a Request get what is not theirs: section 18.3.2 */
	m.server = (struct dhcp6_duid){server_duid, sizeof(server_duid)};
	feed(&f, &m);
	expect_grant(&f, DHCP6_REPLY);
}

static void renewing_what_is_not_theirs_takes_it_away(void **state)
{
	static const uint8_t types[] = {DHCP6_RENEW, DHCP6_REBIND};
	struct prefix foreign = prefix("2001:db8:7777::/48");

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct dhcp6_message m = message(types[i]);
		struct fixture f;

		open_server(&f);
		hold(&m, 0, "2001:db8:7777::/48");
		hold(&m, 0, "2001:db8:8000:100::/56");
		hold(&m, 0, "::/56");
		feed(&f, &m);
		assert_int_equal(f.last.ias[0].prefix_count, 2);
		assert_true(prefix_equal(&f.last.ias[0].prefixes[0].prefix, &f.offer.prefixes[0].prefix));
		assert_int_equal(f.last.ias[0].prefixes[0].valid, 7200);
		assert_true(prefix_equal(&f.last.ias[0].prefixes[1].prefix, &foreign));
		assert_int_equal(f.last.ias[0].prefixes[1].valid, 0);
		assert_int_equal(f.last.ias[0].prefixes[1].preferred, 0);
		assert_int_equal(f.last.ias[0].t1, 1800);
		f.offer.prefix_count = 0; /* and if the user has lost everything */
		feed(&f, &m);
		assert_int_equal(f.last.ias[0].prefix_count, 2);
		assert_int_equal(f.last.ias[0].prefixes[0].valid, 0);
		assert_int_equal(f.last.ias[0].prefixes[1].valid, 0);
		assert_int_equal(f.last.ias[0].status, DHCP6_NO_STATUS);
		assert_int_equal(f.last.ias[0].t1, 0);
	}
}

static void lifetimes_make_t1_and_t2(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	f.offer.prefixes[0].preferred = f.offer.prefixes[0].valid = DHCP6_INFINITE;
	feed_type(&f, DHCP6_REQUEST);
	assert_int_equal(f.last.ias[0].t1, DHCP6_INFINITE);
	assert_int_equal(f.last.ias[0].t2, DHCP6_INFINITE);
	f.offer.prefixes[0].preferred = 0; /* going away: no use in asking */
	f.offer.prefixes[0].valid = 1000;
	feed_type(&f, DHCP6_REQUEST);
	assert_int_equal(f.last.ias[0].t1, 1000);
	assert_int_equal(f.last.ias[0].t2, 1000);
	f.offer.prefixes[0].preferred = 0xfffffffe; /* no overflow */
	f.offer.prefixes[0].valid = 0xfffffffe;
	feed_type(&f, DHCP6_REQUEST);
	assert_int_equal(f.last.ias[0].t2, 3435973835u);
}

/* proves: HS-DHCP-6 partial */
static void dns_is_for_who_asks(void **state)
{
	static const uint8_t types[] = {
		DHCP6_SOLICIT, DHCP6_REQUEST, DHCP6_RENEW, DHCP6_REBIND, DHCP6_INFORMATION_REQUEST};

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		struct dhcp6_message m = message(types[i]);
		struct fixture f;

		open_server(&f);
		feed(&f, &m);
		assert_int_equal(f.last.dns_count, 1);
		assert_true(addr_equal(&f.last.dns[0], &f.offer.dns[0]));
		m.wants_dns = false;
		feed(&f, &m);
		assert_int_equal(f.last.dns_count, 0);
	}
}

/* proves: HS-DHCP-6 partial */
static void serves_the_stateless(void **state)
{
	struct dhcp6_message m = message(DHCP6_INFORMATION_REQUEST);
	struct fixture f;

	(void)state;
	open_server(&f);
	f.config.refresh = 60;
	feed(&f, &m);
	assert_int_equal(f.last.type, DHCP6_REPLY);
	assert_int_equal(f.last.refresh, 0); /* not asked for */
	assert_int_equal(f.binds, 0);
	m.wants_refresh = true;
	m.client.len = 0;
	feed(&f, &m);
	assert_int_equal(f.last.refresh, 600); /* IRT_MINIMUM */
	assert_int_equal(f.last.client.len, 0);
	assert_true(dhcp6_duid_equal(&f.last.server, server_duid, sizeof(server_duid)));
}

/* proves: HS-DHCP-5 partial */
static void a_release_ends_the_route_and_a_request_brings_it_back(void **state)
{
	struct dhcp6_message m = message(DHCP6_RELEASE);
	struct fixture f;

	(void)state;
	open_server(&f);
	feed_type(&f, DHCP6_REQUEST);
	hold(&m, 0, "2001:db8:8000:100::/56");
	feed(&f, &m);
	assert_int_equal(f.last.type, DHCP6_REPLY);
	assert_int_equal(f.last.status, DHCP6_SUCCESS);
	assert_int_equal(f.last.ia_count, 0);
	assert_int_equal(f.released, 1);
	feed(&f, &m); /* the Reply was lost */
	assert_int_equal(f.last.status, DHCP6_SUCCESS);
	assert_int_equal(f.released, 1);
	feed_type(&f, DHCP6_REQUEST);
	assert_int_equal(f.in_use, 2);
	assert_int_equal(f.binds, 1);
}

static void a_release_of_something_else_changes_nothing(void **state)
{
	struct dhcp6_message m = message(DHCP6_RELEASE);
	struct fixture f;

	(void)state;
	open_server(&f);
	feed_type(&f, DHCP6_REQUEST);
	hold(&m, 0, "2001:db8:7777::/48");
	feed(&f, &m);
	m = message(DHCP6_RELEASE);
	feed(&f, &m); /* names nothing */
	assert_int_equal(f.released, 0);
	hold(&m, 0, "2001:db8:8000:100::/56");
	dhcp6_message_add_ia(&m, true, IAID + 1);
	m.client = (struct dhcp6_duid){other_duid, sizeof(other_duid)};
	feed(&f, &m); /* a stranger */
	assert_int_equal(f.released, 0);
	assert_int_equal(f.last.status, DHCP6_SUCCESS);
	assert_int_equal(f.last.ia_count, 2);
	assert_int_equal(f.last.ias[0].status, DHCP6_NO_BINDING);
	assert_int_equal(f.last.ias[1].status, DHCP6_NO_BINDING);
	m.client = (struct dhcp6_duid){client_duid, sizeof(client_duid)};
	feed(&f, &m); /* the right one, with an IA too many */
	assert_int_equal(f.released, 1);
	assert_int_equal(f.last.ia_count, 1);
	assert_int_equal(f.last.ias[0].iaid, IAID + 1);
}

static void a_declined_address_is_noted(void **state)
{
	struct dhcp6_message m = message(DHCP6_REQUEST);
	struct fixture f;

	(void)state;
	open_server(&f);
	f.offer.prefix_count = 0;
	f.offer.has_address = true;
	f.offer.address = (struct dhcp6_prefix){prefix("2001:db8:100::2/128"), 1000, 2000, 0};
	m.ias[0].pd = false;
	feed(&f, &m);
	assert_int_equal(f.in_use, 0); /* no prefix, no route */
	m = message(DHCP6_DECLINE);
	dhcp6_message_add_ia(&m, false, IAID);
	hold(&m, 0, "2001:db8:100::2/128");
	feed(&f, &m);
	assert_int_equal(f.last.status, DHCP6_SUCCESS);
	assert_int_equal(f.last.ia_count, 0);
	assert_non_null(strstr(f.note, "in use by another node"));
}

static void confirms_addresses_only(void **state)
{
	struct dhcp6_message m = message(DHCP6_CONFIRM);
	struct fixture f;

	(void)state;
	open_server(&f);
	feed(&f, &m); /* no address */
	dhcp6_message_add_ia(&m, true, IAID);
	hold(&m, 0, "2001:db8:8000:100::/56");
	feed(&f, &m); /* a prefix */
	dhcp6_message_add_ia(&m, false, IAID);
	hold(&m, 1, "2001:db8:100::2/128");
	feed(&f, &m); /* an address, but we know of none */
	assert_int_equal(f.sent, 0);
	f.offer.has_address = true;
	f.offer.address = (struct dhcp6_prefix){prefix("2001:db8:100::2/128"), 1000, 2000, 0};
	feed(&f, &m);
	assert_int_equal(f.last.status, DHCP6_SUCCESS);
	hold(&m, 1, "2001:db8:666::2/128");
	feed(&f, &m);
	assert_int_equal(f.last.status, DHCP6_NOT_ON_LINK);
}

static void a_rebind_about_nothing_is_not_answered(void **state)
{
	struct dhcp6_message m = message(DHCP6_REBIND);
	struct fixture f;

	(void)state;
	open_server(&f);
	m.ia_count = 0;
	feed(&f, &m);
	assert_int_equal(f.sent, 0);
	assert_int_equal(f.counters.unexpected, 1);
}

static void is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct dhcp6_server) <= 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advertises_without_committing),
		cmocka_unit_test(a_request_is_recorded_then_granted_and_routed),
		cmocka_unit_test(rapid_commit_replies_at_once),
		cmocka_unit_test(recording_may_take_its_time),
		cmocka_unit_test(what_is_pending_goes_with_the_server),
		cmocka_unit_test(who_renews_is_told_if_it_was_granted),
		cmocka_unit_test(a_refused_duid_gets_no_prefix_and_the_reason),
		cmocka_unit_test(another_duid_or_iaid_is_told_to_the_role),
		cmocka_unit_test(drops_messages_that_break_the_rules),
		cmocka_unit_test(drops_malformed_messages_with_the_reason),
		cmocka_unit_test(a_user_without_prefix_gets_no_prefix_avail),
		cmocka_unit_test(assigns_the_address_to_the_first_ia_na),
		cmocka_unit_test(several_ia_pds_share_nothing),
		cmocka_unit_test(hints_change_nothing),
		cmocka_unit_test(renewing_what_is_not_theirs_takes_it_away),
		cmocka_unit_test(lifetimes_make_t1_and_t2),
		cmocka_unit_test(dns_is_for_who_asks),
		cmocka_unit_test(serves_the_stateless),
		cmocka_unit_test(a_release_ends_the_route_and_a_request_brings_it_back),
		cmocka_unit_test(a_release_of_something_else_changes_nothing),
		cmocka_unit_test(a_declined_address_is_noted),
		cmocka_unit_test(confirms_addresses_only),
		cmocka_unit_test(a_rebind_about_nothing_is_not_answered),
		cmocka_unit_test(is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

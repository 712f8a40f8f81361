/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A softwire that is taken up again, by a process that has nothing but its last record, goes on as if nothing had happened. */
#include "pair.h"

#include <errno.h>

enum { ACTIVITY = 3 + 16 }; /* the section at the end of a record that changes with every packet */

/* ---- the record is always the newest ---- */

static int save(const struct side *side, struct writer *w)
{
	return side == &side->pair->sc ? softwire_sc_save(&side->pair->sc_engine, w)
				       : softwire_si_save(&side->pair->si_engine, w);
}

static size_t lasting(const uint8_t *record, size_t len)
{
	struct softwire_peek peek;

	return !softwire_peek(reader_of(record, len), &peek) && peek.resumable ? len - ACTIVITY : len;
}

/* changed() was told about everything that a record has, but for activity. */
static void check_record(const struct side *side)
{
	uint8_t buf[SOFTWIRE_RECORD_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t len;

	if (!side->softwire)
		return;
	save(side, &w);
	assert_true(writer_ok(&w));
	len = lasting(buf, writer_len(&w));
	assert_int_equal(len, lasting(side->record, side->record_len));
	assert_memory_equal(buf, side->record, len);
}

/* Whoever is taken up again would write the very same record, and nobody is told. */
static void crash(struct side *side)
{
	uint8_t buf[SOFTWIRE_RECORD_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	unsigned changes = side->changes;

	check_record(side);
	save(side, &w); /* with what the data plane knows about activity */
	if (side->softwire) {
		memcpy(side->record, buf, writer_len(&w));
		side->record_len = writer_len(&w);
	}
	if (!pair_resume(side))
		return;
	w = writer_of(buf, sizeof(buf));
	assert_int_equal(save(side, &w), 0);
	assert_int_equal(writer_len(&w), side->record_len);
	assert_memory_equal(
		buf, side->record, lasting(buf, writer_len(&w))); /* an overdue HELLO is put off */
	assert_int_equal(side->changes, changes);
}

/* ---- who crashes ---- */

static void sc_crashes(struct pair *p)
{
	crash(&p->sc);
	check_record(&p->si);
}

static void si_crashes(struct pair *p)
{
	crash(&p->si);
	check_record(&p->sc);
}

static void both_crash(struct pair *p)
{
	crash(&p->sc);
	crash(&p->si);
}

static void (*const who[])(struct pair *p) = {sc_crashes, si_crashes, both_crash};

/* ---- what there is on the softwire ---- */

static void nothing_more(struct pair *p)
{
}

static void both_families(struct pair *p)
{
	pair_ipv4(p);
	pair_subnet(p, "203.0.113.0/28");
}

static void ipv4_by_dhcp(struct pair *p)
{
	pair_ipv4(p);
	p->lease.dhcp4 = true;
}

static void managed_address(struct pair *p)
{
	p->lease.managed = true;
}

static void mutual_authentication_with_echo(struct pair *p)
{
	pair_ipv4(p);
	p->si.config.ppp.demand_auth = p->sc.config.ppp.give_auth = true;
	p->sc.config.ppp.echo_ms = p->si.config.ppp.echo_ms = 20000;
	p->sc.tunnel_secret = p->si.tunnel_secret = "rabbit";
}

static void eap(struct pair *p)
{
	pair_eap(p);
}

static void host_without_prefix(struct pair *p)
{
	p->si.config.dhcp6_client.want_prefix = false;
}

static void (*const with[])(struct pair *p) = {nothing_more, both_families, ipv4_by_dhcp, pair_ipv4_only,
	managed_address, mutual_authentication_with_echo, eap, host_without_prefix};

static bool lose_every_tenth(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	return ++p->hooked % 10 != 0;
}

static void check_unharmed(const struct pair *p)
{
	for (int n = 0; n < 2; n++) {
		const struct side *side = n ? &p->si : &p->sc;

		if (side->downs)
			fail_msg("%s is down: %s", side->name, side->why.text);
		assert_int_equal(side->ups, side->config.ppp.ipv6);
		assert_int_equal(side->ups4, side->config.ppp.ipv4);
		assert_int_equal(side->family_downs + side->family_downs4, 0);
		assert_int_equal(side->counters.up, 1);
	}
	/* Who has sent what: the other end expects the next. */
	assert_int_equal(p->sc.softwire->tunnel.ns, p->si.softwire->tunnel.nr);
	assert_int_equal(p->si.softwire->tunnel.ns, p->sc.softwire->tunnel.nr);
	assert_int_equal(p->sc.counters.l2tp.bad_sequence + p->si.counters.l2tp.bad_sequence, 0);
	assert_int_equal(p->si.counters.dhcp6.bad_xid + p->si.counters.dhcp4.bad_xid, 0);
}

/* Setting up, 3 hours of keepalives and renewals, every tenth packet lost, and a crash after every single event. */
static void live(void (*set)(struct pair *p), void (*each)(struct pair *p))
{
	struct pair *p = pair_new();

	set(p);
	p->lease.preferred = p->lease.valid = 1800;
	p->each = each;
	pair_open(p);
	pair_run(p, 5000);
	p->hook = lose_every_tenth;
	pair_run(p, 3 * 3600 * 1000);
	p->hook = NULL;
	pair_run(p, 60000);
	check_unharmed(p);
	assert_true(p->sc.resumed + p->si.resumed > 300);
	if (p->si.state.has_binding && p->si.state.binding.prefix_count)
		assert_in_range(p->sc.renewed, 9, 24); /* some Replies are lost */
	if (p->si.state.has_binding4 && p->si.state.binding4.has_address)
		assert_true(p->sc.renewed4 >= 9);
	pair_free(p);
}

/* proves: PS-2 partial */
static void a_crash_after_every_event_is_not_noticed(void **state)
{
	for (size_t n = 0; n < sizeof(with) / sizeof(*with); n++)
		for (size_t k = 0; k < sizeof(who) / sizeof(*who); k++)
			live(with[n], who[k]);
}

/* ---- what happens to a softwire while it is taken up again and again ---- */

static struct pair *pair_that_crashes(void (*each)(struct pair *p))
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	p->each = each;
	pair_open(p);
	pair_run(p, 5000);
	assert_int_equal(p->si.ups + p->si.ups4, 2);
	return p;
}

/* As if its owner had done it from inside: each call stands between two that enter the engine. */
static void close_ncp(struct side *side, uint16_t protocol)
{
	ppp_link_close_ncp(&side->softwire->ppp, protocol, "enough", side->pair->now);
	softwire_probe(side->softwire, side->pair->now);
}

/* proves: PS-2 partial */
static void a_family_may_go_and_come_across_crashes(void **state)
{
	for (size_t k = 0; k < sizeof(who) / sizeof(*who); k++) {
		for (int family = 0; family < 2; family++) {
			struct pair *p = pair_that_crashes(who[k]);

			close_ncp(&p->si, family ? PPP_IPCP : PPP_IPV6CP);
			pair_run(p, 20000);
			for (int end = 0; end < 2; end++) {
				const struct side *side = end ? &p->si : &p->sc;

				assert_int_equal(side->softwire->up6, family);
				assert_int_equal(side->softwire->up4, !family);
				assert_int_equal(side->family_downs, !family);
				assert_int_equal(side->family_downs4, family);
			}
			pair_run(p, 100000); /* the initiator tries again after a minute */
			assert_true(p->si.softwire->up6 && p->si.softwire->up4);
			assert_true(p->sc.softwire->up6 && p->sc.softwire->up4);
			assert_int_equal(p->sc.downs + p->si.downs, 0);
			assert_true(p->si.state.has_binding || family);
			pair_free(p);
		}
	}
}

static void a_lowered_mtu_stays_lowered(void **state)
{
	for (size_t k = 0; k < sizeof(who) / sizeof(*who); k++) {
		struct pair *p = pair_that_crashes(who[k]);

		assert_true(softwire_lower_mtu(p->sc.softwire, 1400, p->now));
		pair_run(p, 10000);
		assert_true(softwire_lower_mtu(p->sc.softwire, 1300, p->now));
		pair_run(p, 10000);
		assert_int_equal(p->sc.softwire->mtu, 1300);
		assert_int_equal(p->si.state.mtu, 1300); /* an RA says so */
		assert_int_equal(p->sc.downs + p->si.downs, 0);
		pair_free(p);
	}
}

/* proves: HS-L2TP-32 partial */
static void a_dead_peer_is_found_in_time_across_crashes(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_that_crashes(n ? si_crashes : sc_crashes);
		struct side *alive = n ? &p->si : &p->sc;
		msec start;

		alive->peer->dead = true;
		start = p->now;
		while (!alive->downs && p->now - start < 200000)
			pair_run(p, 100);
		assert_in_range(p->now - start, 55000, 105000); /* a HELLO may be put off by 15 s, once */
		assert_int_equal(alive->why.cause, CAUSE_DEAD_PEER);
		pair_run(p, 60000);
		assert_int_equal(alive->released, 1);
		pair_free(p);
	}
}

/* Ns and Nr come round after weeks of HELLOs: 0 and 1 then mean no beginning. */
static void numbers_that_come_round_are_no_beginning(void **state)
{
	for (size_t k = 0; k < sizeof(who) / sizeof(*who); k++) {
		struct pair *p = pair_that_crashes(who[k]);
		unsigned resumed;

		p->each = NULL;
		p->sc_engine.softwire.tunnel.ns = p->si_engine.softwire.tunnel.nr = 0xfffd;
		p->si_engine.softwire.tunnel.ns = p->sc_engine.softwire.tunnel.nr = 0xfffd;
		p->sc.config.l2tp.hello_ms = p->si.config.l2tp.hello_ms = 10000;
		softwire_probe(p->sc.softwire, p->now);
		softwire_probe(p->si.softwire, p->now);
		p->each = who[k];
		pair_run(p, 1000);
		while (p->sc_engine.softwire.tunnel.nr > 100 || p->sc_engine.softwire.tunnel.nr < 5) {
			resumed = p->sc.resumed + p->si.resumed;
			p->sc.dead = true;
			pair_run(p, 8000);
			p->sc.dead = false;
			pair_run(p, 20000);
			assert_true(p->sc.resumed + p->si.resumed > resumed);
		}
		assert_int_equal(p->sc.downs + p->si.downs, 0);
		pair_free(p);
	}
}

/* A process that was away for an hour: what is overdue is done, and nothing is lost that the peer still has. */
static void an_hour_without_a_process_is_survived_if_the_peer_waits(void **state)
{
	struct pair *p = pair_new();
	uint64_t renewals;

	pair_ipv4(p);
	p->si.config.l2tp.hello_ms = 0; /* it does not ask whether we live */
	p->lease.preferred = 7200;
	pair_up(p);
	renewals = p->sc.renewed;
	p->sc.dead = true;
	p->now += 3600 * 1000;
	wheel_disarm(&p->wheel, &p->sc_engine.softwire.timer);
	assert_true(pair_resume(&p->sc));
	p->sc.dead = false;
	pair_run(p, 3600 * 1000);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	assert_true(p->sc.renewed > renewals);
	pair_free(p);
}

/* Lifetimes went on while the machine slept, and go on from there. */
static void a_sleep_is_not_forgotten(void **state)
{
	struct pair *p = pair_that_crashes(si_crashes);
	msec expires = p->si_engine.dhcp6.expires_at, until = p->si_engine.host.router_until;
	uint64_t renewals = p->sc.renewed;

	softwire_si_slept(&p->si_engine, 2000 * 1000, p->now);
	pair_run(p, 10);
	assert_in_range(p->si_engine.dhcp6.expires_at, expires - 2001000, expires - 1999000);
	assert_int_equal(p->si_engine.host.router_until, until - 2000000);
	pair_run(p, 10000);
	assert_true(p->sc.renewed > renewals); /* T1 was after 1800 s */
	assert_true(p->si.resumed > 3);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	pair_free(p);
}

/* Without a word in between, HELLOs of many softwires would all be due together. */
static void overdue_hellos_are_spread(void **state)
{
	struct pair *p = pair_new();
	msec first = MSEC_NEVER, last = 0;

	pair_up(p);
	p->si.dead = true;
	p->now += 100000;
	for (int n = 0; n < 50; n++) {
		msec at;

		assert_true(pair_resume(&p->sc));
		at = l2tp_tunnel_deadline(&p->sc_engine.softwire.tunnel);
		first = msec_min(first, at);
		last = at > last ? at : last;
	}
	assert_in_range(first, p->now, p->now + 3000);
	assert_in_range(last, p->now + 10000, p->now + 15000);
	pair_free(p);
}

/* ---- what is in a record, and what is not ---- */

static bool contains(const struct side *side, const char *text)
{
	return memmem(side->record, side->record_len, text, strlen(text)) != NULL;
}

static void look_for_secrets(struct pair *p)
{
	for (int n = 0; n < 2; n++) {
		const struct side *side = n ? &p->si : &p->sc;

		assert_false(contains(side, "rabbit") || contains(side, "wonderland"));
		assert_true(side->record_len <= (side == &p->sc ? 400 : 1000));
	}
}

static void a_record_is_small_and_has_no_secrets(void **state)
{
	struct pair *p = pair_new();

	both_families(p);
	mutual_authentication_with_echo(p);
	p->each = look_for_secrets;
	pair_open(p);
	pair_run(p, 200000);
	assert_true(p->sc.record_len > 200 && p->si.record_len > 200);
	pair_free(p);
}

/* HELLOs and renewals, but no packet, and no time that goes by. */
static void changed_is_told_when_something_has_changed(void **state)
{
	struct pair *p = pair_new();
	unsigned changes;

	pair_up(p);
	pair_run(p, 20000);
	changes = p->sc.changes + p->si.changes;
	for (int n = 0; n < 10; n++) {
		softwire_heard(p->sc.softwire, p->now);
		pair_frame_of(&p->sc, PPP_IPV6, 0x60); /* malformed */
		pair_run(p, 1000);
	}
	assert_int_equal(p->sc.changes + p->si.changes, changes);
	pair_run(p, 60000); /* HELLO is sent and acknowledged */
	assert_in_range(p->sc.changes + p->si.changes, changes + 3, changes + 6);
	pair_free(p);
}

/* ---- peers that must be told ---- */

/* A new process that has nothing but this record says that it does not go on; repeated, because packets get lost. */
static void say_farewell(struct side *side)
{
	struct softwire_peek peek;
	uint8_t buf[L2TP_PACKET_MAX];

	if (softwire_peek(reader_of(side->record, side->record_len), &peek))
		return;
	for (unsigned n = 0; n <= peek.at.unacknowledged; n++) {
		struct writer w = writer_of(buf, sizeof(buf));

		l2tp_farewell(&w, &peek.at, n, L2TP_STOP_SHUTDOWN, 0, "the softwire is not taken up again");
		assert_true(writer_ok(&w));
		pair_payload(side->peer, buf, writer_len(&w));
	}
}

/* Crashes after EVENTS packets and timers. True: there was something to say. */
static bool crash_for_good(struct side *side, unsigned events)
{
	struct pair *p = side->pair;
	bool known;

	p->sc.answer_ms = p->si.answer_ms = 35;
	pair_open(p);
	pair_run(p, events * 5);
	side->dead = true;
	known = side->record_len > 0;
	say_farewell(side);
	if (known && side->peer->softwire) {
		assert_int_equal(side->peer->downs, 1);
		assert_int_equal(side->peer->why.cause, CAUSE_SHUTDOWN);
		assert_non_null(strstr(side->peer->why.text, "the softwire is not taken up again"));
	}
	return known;
}

static void a_peer_is_told_at_once_at_whatever_step(void **state)
{
	for (int n = 0; n < 2; n++) {
		unsigned told = 0;

		for (unsigned events = 0; events < 150; events++) {
			struct pair *p = pair_new();

			told += crash_for_good(n ? &p->si : &p->sc, events);
			pair_free(p);
		}
		assert_true(told >= 125);
	}
}

/* With HELLOs that did, and did not, arrive. */
static void a_farewell_has_the_number_that_the_peer_expects(void **state)
{
	for (int n = 0; n < 4; n++) {
		struct pair *p = pair_new();
		struct side *side = n % 2 ? &p->si : &p->sc;

		pair_up(p);
		pair_run(p, 10000);
		side->peer->dead = true; /* its acknowledgement does not come */
		softwire_probe(side->softwire, p->now);
		if (n < 2)
			p->head = p->tail; /* and it has not even heard it */
		pair_run(p, 100);
		side->peer->dead = false;
		if (n >= 2)
			pair_control(side->peer, 0, "\x80\x08\0\0\0\0\0\6", 8);
		side->dead = true;
		say_farewell(side);
		assert_int_equal(side->peer->downs, 1);
		assert_int_equal(side->peer->why.cause, CAUSE_SHUTDOWN);
		pair_free(p);
	}
}

/* An address that has never answered may be forged; and who knows of the end need not hear of it again. */
static void nobody_is_told_who_does_not_know_of_it(void **state)
{
	struct pair *p = pair_new();

	p->si.dead = false;
	p->sc.never[ASK_TUNNEL_SECRET] = true;
	pair_open(p);
	pair_run(p, 100);
	assert_non_null(p->sc.softwire);
	assert_int_equal(p->sc.record_len, 0);
	assert_int_equal(p->si.record_len, 0);
	pair_free(p);

	p = pair_new();
	pair_up(p);
	softwire_close(p->si.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
	assert_int_equal(
		p->si.record_len, SOFTWIRE_RECORD_HEAD); /* whether the peer has heard is not known yet */
	pair_run(p, 1000);
	assert_int_equal(p->si.record_len, 0);
	assert_int_equal(p->sc.record_len, 0);
	pair_free(p);
}

/* An ICRQ from a peer that has ACKNOWLEDGED what is before that number. */
static void ask_for_session(struct pair *p, uint16_t acknowledged)
{
	static const uint8_t message_type[] = {0x80, 8, 0, 0, 0, 0, 0, L2TP_ICRQ};
	static const uint8_t assigned_session[] = {0x80, 8, 0, 0, 0, 14, 0, 77};
	static const uint8_t call_serial[] = {0x80, 10, 0, 0, 0, 15, 0, 0, 0, 7};
	const struct l2tp_tunnel *t = &p->sc_engine.softwire.tunnel;
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u16(&w, 0xc802);
	writer_u16(&w, 12 + sizeof(message_type) + sizeof(assigned_session) + sizeof(call_serial));
	writer_u16(&w, t->local_tunnel);
	writer_u16(&w, 0);
	writer_u16(&w, t->nr);
	writer_u16(&w, acknowledged);
	writer_bytes(&w, message_type, sizeof(message_type));
	writer_bytes(&w, assigned_session, sizeof(assigned_session));
	writer_bytes(&w, call_serial, sizeof(call_serial));
	pair_payload(&p->sc, buf, writer_len(&w));
}

/* A peer that asks for session after session, and acknowledges no refusal, costs us no more than the end of its own softwire. */
static void too_much_that_waits_is_not_saved(void **state)
{
	struct pair *p = pair_new();
	uint16_t acknowledged;

	pair_up(p);
	p->si.dead = true;
	acknowledged = p->sc_engine.softwire.tunnel.ns;
	for (int n = 1; n < 12; n++) {
		uint16_t ns = p->sc_engine.softwire.tunnel.ns;
		struct softwire_peek peek;

		ask_for_session(p, acknowledged);
		assert_int_equal(p->sc_engine.softwire.tunnel.ns, ns + 1);
		assert_int_equal(softwire_peek(reader_of(p->sc.record, p->sc.record_len), &peek), 0);
		assert_int_equal(peek.resumable, n <= 8);
		assert_int_equal(p->sc.record_len == SOFTWIRE_RECORD_HEAD, n > 8);
		if (peek.resumable)
			assert_true(pair_resume(&p->sc));
	}
	pair_free(p);
}

static void what_does_not_fit_is_not_written(void **state)
{
	struct pair *p = pair_new();
	uint8_t buf[SOFTWIRE_RECORD_MAX];

	pair_up(p);
	for (size_t size = 0; size < p->sc.record_len; size++) {
		struct writer w = writer_of(buf, size);

		assert_int_equal(softwire_sc_save(&p->sc_engine, &w), -ENOBUFS);
	}
	pair_free(p);
}

/* Records in a row, one of them spoilt: those behind it are found. */
static void records_follow_one_another(void **state)
{
	struct pair *p = pair_new();
	uint8_t buf[3 * SOFTWIRE_RECORD_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	char why[SOFTWIRE_RESUME_WHY];
	struct softwire_sc sc = {0};
	struct softwire_peek peek;
	struct reader r;

	pair_up(p);
	for (int n = 0; n < 3; n++)
		assert_int_equal(softwire_sc_save(&p->sc_engine, &w), 0);
	buf[SOFTWIRE_RECORD_HEAD + 3] = 0xff; /* flags of the first section */
	r = reader_of(buf, writer_len(&w));
	assert_int_equal(softwire_peek(r, &peek), 0);
	assert_int_equal(3 * peek.len, writer_len(&w));
	assert_int_equal(peek.version, SOFTWIRE_RECORD_VERSION);
	assert_true(peek.resumable && !peek.initiator);
	assert_int_equal(peek.at.local_tunnel, 0x5c01);
	assert_int_equal(peek.at.peer_tunnel, 0x5101);
	assert_int_equal(peek.at.ns, p->sc_engine.softwire.tunnel.ns);
	assert_int_equal(peek.at.nr, p->sc_engine.softwire.tunnel.nr);
	assert_int_equal(softwire_sc_resume(&sc, &p->sc.config, &r, p->now, why), -EBADMSG);
	for (int n = 0; n < 2; n++) {
		memset(&sc, 0, sizeof(sc));
		assert_int_equal(softwire_sc_resume(&sc, &p->sc.config, &r, p->now, why), 0);
		softwire_done(&sc.softwire);
	}
	assert_int_equal(reader_left(&r), 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_after_every_event_is_not_noticed),
		cmocka_unit_test(a_family_may_go_and_come_across_crashes),
		cmocka_unit_test(a_lowered_mtu_stays_lowered),
		cmocka_unit_test(a_dead_peer_is_found_in_time_across_crashes),
		cmocka_unit_test(numbers_that_come_round_are_no_beginning),
		cmocka_unit_test(an_hour_without_a_process_is_survived_if_the_peer_waits),
		cmocka_unit_test(a_sleep_is_not_forgotten),
		cmocka_unit_test(overdue_hellos_are_spread),
		cmocka_unit_test(a_record_is_small_and_has_no_secrets),
		cmocka_unit_test(changed_is_told_when_something_has_changed),
		cmocka_unit_test(a_peer_is_told_at_once_at_whatever_step),
		cmocka_unit_test(a_farewell_has_the_number_that_the_peer_expects),
		cmocka_unit_test(nobody_is_told_who_does_not_know_of_it),
		cmocka_unit_test(too_much_that_waits_is_not_saved),
		cmocka_unit_test(what_does_not_fit_is_not_written),
		cmocka_unit_test(records_follow_one_another),
	};

	return cmocka_run_group_tests_name("hub save", tests, NULL, NULL);
}

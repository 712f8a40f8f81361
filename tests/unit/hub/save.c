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

/* proves: PS-15 partial */
static void a_crash_after_every_event_is_not_noticed(void **state)
{
	for (size_t n = 0; n < sizeof(with) / sizeof(*with); n++)
		for (size_t k = 0; k < sizeof(who) / sizeof(*who); k++)
			live(with[n], who[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_after_every_event_is_not_noticed),
	};

	return cmocka_run_group_tests_name("hub save", tests, NULL, NULL);
}

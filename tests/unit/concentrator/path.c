/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the network says about the way to a peer: believed as far as it does no harm. */
#include "fixture.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

static struct subscriber *of(struct fixture *f, const char *user)
{
	struct subscriber *sub = concentrator_first_of_user(f->c, user);

	assert_non_null(sub);
	return sub;
}

static void report(struct fixture *f, const struct subscriber *sub, int error, uint32_t mtu)
{
	struct endpoint peer = sub->row->peer;

	concentrator_tun_ops.outer_error(f->c->plane, sub->row->listener, &peer, error, mtu);
}

static const char *path_of(const struct subscriber *sub)
{
	static char buf[160];

	return subscriber_path_text(sub, buf, sizeof(buf));
}

/* ---- narrow paths ---- */

/* proves: HS-PPP-1 partial, HS-PPP-2 partial */
static void a_narrow_path_lowers_the_mtu_for_ten_minutes(void **state)
{
	struct fixture *f = fixture_new();
	struct subscriber *alice;

	fixture_start(f);
	peer_up(f, 2, "alice");
	alice = of(f, "alice");
	assert_int_equal(alice->row->mtu, 1460);
	report(f, alice, EMSGSIZE, 1400);
	assert_int_equal(alice->row->mtu, 1360); /* less IP 20, UDP 8, L2TP 8, PPP 4 */
	assert_int_equal(alice->row->mss_mtu, 1360);
	assert_int_equal(alice->engine.softwire.mtu, 1360);
	assert_true(fixture_logged(f, "event=mtu"));
	fixture_pass(f, 595000);
	assert_int_equal(alice->row->mtu, 1360);
	fixture_pass(f, 10000); /* the kernel knows of no narrow path */
	assert_int_equal(alice->row->mtu, 1460);
	assert_int_equal(alice->row->mss_mtu, 1460);
	assert_int_equal(alice->engine.softwire.mtu, 1460);
	report(f, alice, EMSGSIZE, 1400); /* and again */
	assert_int_equal(alice->row->mtu, 1360);
	fixture_free(f);
}

/* proves: HS-PPP-2 partial, SEC-HS-22 partial */
static void a_forged_report_lowers_the_mtu_to_the_minimum_at_most(void **state)
{
	static const struct {
		uint32_t outer;
		uint16_t inner;
	} cases[] = {{0, 1460}, {1, 1280}, {68, 1280}, {1319, 1280}, {1320, 1280}, {1321, 1281}, {1500, 1460},
		{9000, 1460}, {UINT32_MAX, 1460}};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();
		struct peer *p;

		fixture_start(f);
		p = peer_up(f, 2, "alice");
		report(f, of(f, "alice"), EMSGSIZE, cases[n].outer);
		assert_int_equal(of(f, "alice")->row->mtu, cases[n].inner);
		assert_int_equal(f->c->role_counters.path_narrower, cases[n].inner < 1460);
		fixture_pass(f, 5000);
		assert_int_equal(p->downs, 0);
		fixture_free(f);
	}
}

static void without_mss_clamping_a_narrow_path_clamps_nothing(void **state)
{
	struct fixture *f = fixture_new();

	f->config.mss_clamp = false;
	fixture_start(f);
	peer_up(f, 2, "alice");
	report(f, of(f, "alice"), EMSGSIZE, 1400);
	assert_int_equal(of(f, "alice")->row->mtu, 1360);
	assert_int_equal(of(f, "alice")->row->mss_mtu, 0);
	fixture_free(f);
}

/* A report is about one address and port. */
static void others_are_not_concerned(void **state)
{
	struct fixture *f = fixture_new();
	struct subscriber *alice;
	struct endpoint peer;

	fixture_start(f);
	peer_up(f, 2, "alice");
	peer_up(f, 3, "bob");
	alice = of(f, "alice");
	report(f, of(f, "bob"), EMSGSIZE, 1400);
	report(f, of(f, "bob"), EHOSTUNREACH, 0);
	peer = alice->row->peer;
	peer.port++;
	concentrator_tun_ops.outer_error(f->c->plane, alice->row->listener, &peer, EMSGSIZE, 1400);
	concentrator_tun_ops.outer_error(
		f->c->plane, (uint8_t)(alice->row->listener + 1), &alice->row->peer, EMSGSIZE, 1400);
	assert_int_equal(alice->row->mtu, 1460);
	assert_string_equal(path_of(alice), "ok");
	assert_null(alice->path);
	assert_int_equal(f->c->role_counters.path_errors, 4);
	fixture_free(f);
}

enum { CROWD = 20 };

static unsigned count_mtu(struct fixture *f, uint16_t mtu)
{
	unsigned n = 0;

	for (struct subscriber *sub = f->c->all; sub; sub = sub->next)
		n += sub->row->mtu == mtu;
	return n;
}

/* The cost of a report is bounded; the next one goes on with the others. */
static void softwires_behind_one_nat_are_told_in_turns(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p[CROWD];

	fixture_users(f, "users = { bob = { secret = \"wonderland\"; softwires = 20; }; };\n");
	fixture_start(f);
	p[0] = peer_new(f, 2, "bob");
	for (unsigned n = 1; n < CROWD; n++)
		p[n] = peer_beside(p[0], "bob");
	for (unsigned n = 0; n < CROWD; n++) {
		peer_open(p[n]);
		fixture_until(f, p[n]->engine.state.has_binding);
	}
	report(f, f->c->all, EMSGSIZE, 1400);
	assert_int_equal(count_mtu(f, 1360), 16);
	report(f, f->c->all, EMSGSIZE, 1400);
	assert_int_equal(count_mtu(f, 1360), CROWD);
	report(f, f->c->all, EMSGSIZE, 1390);
	assert_int_equal(count_mtu(f, 1350), 16);
	/* Some of them go, also those whose turn it would be. */
	for (unsigned n = 0; n < CROWD; n += 3)
		softwire_close(p[n]->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_pass(f, 60000); /* for as long as their last words may have to be said again */
	assert_int_equal(f->c->count, CROWD - 7);
	report(f, f->c->all, EMSGSIZE, 1380);
	assert_int_equal(count_mtu(f, 1340), CROWD - 7);
	assert_int_equal(f->c->by_peer.count, 1);
	concentrator_clear(f->c, NULL, 0);
	fixture_pass(f, 60000);
	assert_int_equal(f->c->count, 0);
	assert_int_equal(f->c->by_peer.count, 0);
	fixture_free(f);
}

/* ---- broken paths ---- */

struct error_case {
	int error;
	const char *text;
};

/* proves: HS-OAM-3 partial, SEC-HS-22 partial */
static void a_broken_path_is_noted_and_the_peer_is_asked(void **state)
{
	static const struct error_case cases[] = {
		{ECONNREFUSED, "the network says: nobody listens at the peer's port, 0 s ago"},
		{EHOSTUNREACH, "the network says: the peer cannot be reached, 0 s ago"},
		{ENETUNREACH, "the network says: the peer's network cannot be reached, 0 s ago"},
		{EACCES, "the network says: Permission denied, 0 s ago"},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();
		struct peer *p;
		struct subscriber *alice;
		uint64_t hellos;

		fixture_start(f);
		p = peer_up(f, 2, "alice");
		alice = of(f, "alice");
		hellos = f->c->counters.l2tp.hello_tx;
		fixture_pass(f, 10);
		for (int times = 0; times < 50; times++)
			report(f, alice, cases[n].error, 0);
		assert_string_equal(path_of(alice), cases[n].text);
		assert_true(fixture_logged(f, "event=path"));
		assert_int_equal(f->c->counters.l2tp.hello_tx, hellos + 1);
		fixture_pass(f, 1000); /* it was forged: the peer answers */
		assert_string_equal(path_of(alice), "ok");
		report(f, alice, cases[n].error, 0);
		assert_int_equal(
			f->c->counters.l2tp.hello_tx, hellos + 1); /* and is not asked all the time */
		fixture_pass(f, 5000);
		report(f, alice, cases[n].error, 0);
		assert_int_equal(f->c->counters.l2tp.hello_tx, hellos + 2);
		fixture_pass(f, 30000);
		assert_int_equal(p->downs, 0);
		assert_string_equal(path_of(alice), "ok");
		fixture_free(f);
	}
}

/* proves: HS-OAM-3 partial */
static void the_seconds_are_shown_until_the_peer_is_heard(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;
	json_t *shown;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	p->mute = true;
	fixture_pass(f, 10);
	report(f, of(f, "alice"), EHOSTUNREACH, 0);
	fixture_pass(f, 3000);
	shown = concentrator_show_softwires(f->c, "alice");
	assert_string_equal(json_string_value(json_object_get(json_array_get(shown, 0), "path")),
		"the network says: the peer cannot be reached, 3 s ago");
	json_decref(shown);
	p->mute = false;
	fixture_pass(f, 3000);
	assert_string_equal(path_of(of(f, "alice")), "ok");
	fixture_free(f);
}

/* A real one: the initiator is gone, and its host says so. */
/* proves: HS-OAM-3 partial */
static void a_host_that_refuses_ends_the_softwire_soon(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;
	msec start;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	softwire_done(p->softwire);
	p->softwire = NULL;
	close(p->fd);
	p->fd = -1;
	start = loop_now(&f->loop);
	while (!f->c->role_counters.path_errors && loop_now(&f->loop) - start < 120000)
		fixture_pass(f, 250); /* until a HELLO is due */
	assert_true(fixture_logged(f, "nobody listens at the peer's port"));
	start = loop_now(&f->loop);
	while (!fixture_logged(f, "event=down") && loop_now(&f->loop) - start < 60000)
		fixture_pass(f, 250);
	assert_true(fixture_logged(f, "cause=dead-peer"));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_narrow_path_lowers_the_mtu_for_ten_minutes),
		cmocka_unit_test(a_forged_report_lowers_the_mtu_to_the_minimum_at_most),
		cmocka_unit_test(without_mss_clamping_a_narrow_path_clamps_nothing),
		cmocka_unit_test(others_are_not_concerned),
		cmocka_unit_test(softwires_behind_one_nat_are_told_in_turns),
		cmocka_unit_test(a_broken_path_is_noted_and_the_peer_is_asked),
		cmocka_unit_test(the_seconds_are_shown_until_the_peer_is_heard),
		cmocka_unit_test(a_host_that_refuses_ends_the_softwire_soon),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}

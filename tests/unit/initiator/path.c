/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the network outside the softwire says: shown, logged once, a hint for probing, and nothing more. */
#include "fixture.h"

#include <errno.h>
#include <jansson.h>

static void say(struct fixture *f, int error, uint32_t mtu)
{
	initiator_tun_ops.outer_error(
		f->i->plane, f->i->current->listener, &f->i->current->server, error, mtu);
}

static unsigned count(const struct fixture *f, const char *text)
{
	unsigned n = 0;

	for (const char *p = f->lines; (p = strstr(p, text)); p += strlen(text))
		n++;
	return n;
}

static void expect_path(const struct fixture *f, const char *text)
{
	json_t *o = initiator_show(f->i);
	const char *path = json_string_value(json_object_get(o, "path"));

	if (!path || !strstr(path, text))
		fail_msg("path is \"%s\", not \"%s\"", path ? path : "", text);
	json_decref(o);
}

/* proves: HS-OAM-3 */
static void a_route_that_goes_is_a_broken_path(void **state)
{
	struct fixture *f = fixture_new();
	uint64_t hellos;

	fixture_up(f);
	expect_path(f, "ok");
	hellos = f->i->counters.l2tp.hello_tx;
	f->no_route = true;
	initiator_hint(f->i, "the host's route changed");
	expect_path(f, "no route to the concentrator 127.0.0.1, for 0 s");
	assert_true(f->i->counters.l2tp.hello_tx > hellos); /* it is asked whether it is there */
	fixture_pass(f, 3000);
	initiator_hint(f->i, "the host's route changed");
	expect_path(f, "for 3 s");
	assert_int_equal(count(f, "event=path "), 1);
	assert_int_equal(f->i->state, INITIATOR_UP); /* a hint ends nothing */

	f->no_route = false;
	initiator_hint(f->i, "the host's route changed");
	fixture_pass(f, 12000);
	expect_path(f, "ok");
	assert_int_equal(count(f, "event=path-ok "), 1);
	fixture_free(f);
}

/* proves: HS-OAM-3 partial */
static void icmp_errors_are_shown_and_logged_once(void **state)
{
	static const int errors[] = {EHOSTUNREACH, ENETUNREACH, ECONNREFUSED, EACCES};

	for (size_t n = 0; n < sizeof(errors) / sizeof(*errors); n++) {
		struct fixture *f = fixture_new();

		fixture_up(f);
		for (int times = 0; times < 30; times++) {
			say(f, errors[n], 0);
			fixture_pass(f, 500);
		}
		expect_path(f, strerror(errors[n]));
		assert_int_equal(count(f, "event=path "), 1);
		assert_int_equal(f->i->state, INITIATOR_UP);
		assert_int_equal(f->i->reconnects, 0);
		fixture_pass(f, 70000); /* a HELLO is answered */
		expect_path(f, "ok");
		fixture_free(f);
	}
}

/* It says so also while it cannot even begin. */
static void no_route_from_the_start_is_shown(void **state)
{
	struct fixture *f = fixture_new();

	f->no_route = true;
	fixture_start(f);
	fixture_until(f, f->i->state == INITIATOR_WAITING);
	expect_path(f, "no route to 127.0.0.1");
	fixture_pass(f, 20000);
	assert_int_equal(count(f, "event=path "), 1);
	f->no_route = false;
	for (int n = 0; n < 300 && f->i->state != INITIATOR_UP; n++)
		fixture_pass(f, 100);
	assert_int_equal(f->i->state, INITIATOR_UP);
	fixture_pass(f, 70000);
	expect_path(f, "ok");
	fixture_free(f);
}

/* ---- how large? ---- */

static void a_narrow_path_lowers_the_mtu_and_is_tried_again_after_ten_minutes(void **state)
{
	struct fixture *f = fixture_new();
	uint32_t before;

	fixture_up(f);
	before = f->mtu;
	assert_in_range(before, 1401, 1460);
	f->path_mtu = 1400;
	say(f, EMSGSIZE, 1400);
	assert_int_equal(f->mtu, 1360);
	assert_int_equal(f->i->current->row->mtu, 1360);
	assert_int_equal(f->i->current->row->mss_mtu, 1360);
	say(f, EMSGSIZE, 1450); /* more than that is nothing new */
	assert_int_equal(f->mtu, 1360);

	f->path_mtu = 65536;
	fixture_pass(f, 595000);
	assert_int_equal(f->mtu, 1360);
	fixture_pass(f, 10000);
	assert_int_equal(f->mtu, before);
	assert_int_equal(f->i->current->row->mtu, before);
	fixture_free(f);
}

static void the_kernel_may_remember_for_longer(void **state)
{
	struct fixture *f = fixture_new();
	uint32_t before;

	fixture_up(f);
	before = f->mtu;
	f->path_mtu = 1400;
	say(f, EMSGSIZE, 1400);
	fixture_pass(f, 700000);
	assert_int_equal(f->mtu, 1360);
	f->path_mtu = 1420; /* wider, but not as wide as it was */
	fixture_pass(f, 70000);
	assert_int_equal(f->mtu, 1380);
	f->path_mtu = 0;
	fixture_pass(f, 70000);
	assert_int_equal(f->mtu, before);
	fixture_free(f);
}

/* Forged or not: IPv6 needs 1280, and packets of that size go out in fragments. */
static void a_path_of_no_size_leaves_1280(void **state)
{
	static const uint32_t sizes[] = {0, 1, 68, 576, 1280, 1319};

	for (size_t n = 0; n < sizeof(sizes) / sizeof(*sizes); n++) {
		struct fixture *f = fixture_new();
		uint32_t before;

		fixture_up(f);
		before = f->mtu;
		say(f, EMSGSIZE, sizes[n]);
		assert_int_equal(f->mtu, sizes[n] ? 1280 : before);
		fixture_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_that_goes_is_a_broken_path),
		cmocka_unit_test(icmp_errors_are_shown_and_logged_once),
		cmocka_unit_test(no_route_from_the_start_is_shown),
		cmocka_unit_test(a_narrow_path_lowers_the_mtu_and_is_tried_again_after_ten_minutes),
		cmocka_unit_test(the_kernel_may_remember_for_longer),
		cmocka_unit_test(a_path_of_no_size_leaves_1280),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}

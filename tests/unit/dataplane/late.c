/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dataplane/late: when more comes than can be worked on, softwires that are up go first, and nobody else is forgotten. */
#include "fixture.h"

#include <unistd.h>

#define US    "2001:db8:1::5"
#define WORLD "2001:db8:ffff::9"

enum { MANY = 220, LARGE = 1200, CONTROL = 14, AT_NUMBER = 12 };

static unsigned next_stray, next_input; /* their numbers */

static unsigned number_of(const struct call *c)
{
	return (unsigned)c->payload[AT_NUMBER] << 8 | c->payload[AT_NUMBER + 1];
}

/* What comes is in order. */
static void expect_order(struct fixture *f)
{
	if (f->stray.count > next_stray)
		assert_int_equal(number_of(&f->stray), next_stray++);
	if (f->input.count > next_input)
		assert_int_equal(number_of(&f->input), next_input++);
}

static int setup(void **state)
{
	int r = fixture_setup(state);

	next_stray = next_input = 0;
	((struct fixture *)*state)->on_call = expect_order;
	return r;
}

/* A control message for TUNNEL, LEN bytes, with NUMBER in it; the plane does not work yet. */
static void put(struct fixture *f, uint16_t tunnel, unsigned number, size_t len)
{
	uint8_t packet[2048] = {0xc8, 2, (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)(tunnel >> 8), (uint8_t)tunnel};
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(&f->listen, &ss);

	packet[AT_NUMBER] = (uint8_t)(number >> 8);
	packet[AT_NUMBER + 1] = (uint8_t)number;
	assert_int_equal(sendto(f->peer, packet, len, 0, (struct sockaddr *)&ss, ss_len), (ssize_t)len);
}

static void put_inner(struct fixture *f)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(&f->listen, &ss);
	uint8_t packet[256];
	size_t len = data_header(packet, LOCAL_TUNNEL, LOCAL_SESSION, 0x57);

	len += packet_build(packet + len, US, WORLD, 59, "hello", 5);
	assert_int_equal(sendto(f->peer, packet, len, 0, (struct sockaddr *)&ss, ss_len), (ssize_t)len);
}

static void round_of(struct fixture *f)
{
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
}

/* proves: SEC-HS-22 partial */
static void who_is_up_goes_before_strangers(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[256];

	for (unsigned n = 0; n < MANY; n++)
		put(f, 0, n, CONTROL);
	put_inner(f);
	for (int i = 0; i < 10 && !device_gets(f, buf, sizeof(buf)); i++)
		round_of(f);
	assert_in_range(f->stray.count, DP_BATCH, MANY - 1); /* the first batch comes before it is known that there is more */
	assert_true(tun_plane_is_behind(f->plane));
	for (int i = 0; i < 10; i++)
		round_of(f);
	assert_int_equal(f->stray.count, MANY);
	assert_int_equal(f->counters->rx_packets, MANY + 1);
	assert_int_equal(f->counters->drop_late, 0);
	assert_false(tun_plane_is_behind(f->plane));
}

static void control_messages_of_who_is_up_go_first_too(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 0; n < MANY; n++)
		put(f, 0, n, CONTROL);
	put(f, LOCAL_TUNNEL, 0, CONTROL);
	for (int i = 0; i < 10 && !f->input.count; i++)
		round_of(f);
	assert_int_equal(f->input.count, 1);
	assert_true(f->stray.count < MANY);
}

static void set_ups_wait_with_the_strangers_in_order(void **state)
{
	struct fixture *f = *state;

	f->row->up6 = f->row->up4 = false;
	for (unsigned n = 0; n < MANY / 2; n++) {
		put(f, 0, n, CONTROL);
		put(f, LOCAL_TUNNEL, n, CONTROL);
	}
	for (int i = 0; i < 10; i++)
		round_of(f);
	assert_int_equal(f->stray.count, MANY / 2);
	assert_int_equal(f->input.count, MANY / 2);
}

static void take_time(struct fixture *f)
{
	usleep(50);
}

/* More than there is room for, for a long time: strangers are dropped, those who are on their way in are not, and the sums are right. */
/* proves: SEC-HS-22 partial */
static void a_flood_fills_the_room_of_strangers_only(void **state)
{
	struct fixture *f = *state;
	unsigned sent = 0, wanted = 0;

	f->on_call = take_time;
	f->row->up6 = f->row->up4 = false;
	for (int i = 0; i < 25; i++) {
		for (unsigned n = 0; n < MANY; n++, sent++)
			put(f, 0, n, LARGE);
		put(f, LOCAL_TUNNEL, wanted++, CONTROL);
		round_of(f);
	}
	assert_true(f->counters->drop_late > 1000);
	for (int i = 0; i < 500 && tun_plane_is_behind(f->plane); i++)
		round_of(f);
	assert_int_equal(f->input.count, wanted);
	assert_int_equal(f->stray.count + f->counters->drop_late, sent);
	assert_false(tun_plane_is_behind(f->plane));
}

static void flush_works_on_everything(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 0; n < MANY; n++)
		put(f, 0, n, CONTROL);
	round_of(f);
	tun_plane_flush(f->plane);
	assert_int_equal(f->stray.count, MANY);
}

static void close_plane(struct fixture *f)
{
	if (f->stray.count == DP_BATCH + 5)
		fixture_close(f);
}

static void it_may_be_closed_while_packets_wait(void **state)
{
	struct fixture *f = *state;

	f->on_call = close_plane;
	for (unsigned n = 0; n < MANY; n++)
		put(f, 0, n, CONTROL);
	for (int i = 0; i < 10; i++)
		round_of(f);
	assert_int_equal(f->stray.count, DP_BATCH + 5);
	assert_true(f->freed);
}

static void what_waits_for_a_socket_that_is_removed_is_dropped(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 0; n < MANY; n++)
		put(f, 0, n, CONTROL);
	round_of(f);
	tun_plane_remove_socket(f->plane, f->listener);
	for (int i = 0; i < 10; i++)
		round_of(f);
	assert_int_equal(f->stray.count, DP_BATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_is_up_goes_before_strangers, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(control_messages_of_who_is_up_go_first_too, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(set_ups_wait_with_the_strangers_in_order, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_flood_fills_the_room_of_strangers_only, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(flush_works_on_everything, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(it_may_be_closed_while_packets_wait, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(what_waits_for_a_socket_that_is_removed_is_dropped, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bridges of LANs, through a keeper: frames cross them, they count as LANs, and what the administrator had made stays.
 */
#include <errno.h>
#include <poll.h>

#include "stage.h"

struct yard {
	struct stage *stage;
	int taps[2]; /* lan0, lan1 */
};

static struct yard open_yard(void)
{
	struct yard y = {.stage = stage_new(true)};
	struct stage *s = y.stage;

	y.taps[0] = s->lan;
	y.taps[1] = namespace_device("lan1", IFF_TAP);
	assert_true(y.taps[1] >= 0 && namespace_up("lan1"));
	s->lans[1] = "lan1";
	s->lans[2] = "later";
	s->policy.lan_count = 3;
	s->bridges[0] = "br-home";
	s->policy.bridges = s->bridges;
	s->policy.bridge_count = 1;
	return y;
}

static void close_yard(struct yard *y)
{
	close(y->taps[1]);
	stage_free(y->stage);
}

static void see_results(const struct stage *s, const int *expected, int count)
{
	assert_int_equal(s->notes->count, count);
	for (int i = 0; i < count; i++)
		if (s->notes->results[i] != expected[i])
			fail_msg("step %d: %d", i, s->notes->results[i]);
}

static const char *const both[] = {"lan0", "lan1"};

/* ---- what it is for ---- */

static int bridge_both(struct stage *s, int fd)
{
	struct addr a6 = to_addr("2001:db8:1:2::1"), a4 = to_addr("192.168.7.1");
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_address, true, "br-home", &a6, 64, FOREVER, FOREVER)); /* not there yet */
	note(s, ASK(&a, keeper_bridge, "br-home", both, 2));
	note(s, ASK(&a, keeper_bridge, "br-home", both, 2)); /* and again */
	note(s, ASK(&a, keeper_address, true, "br-home", &a6, 64, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_address, true, "br-home", &a4, 24, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_open_icmp6, "br-home"));
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

/* A frame of one neighbour to everybody: does another hear it within 2 s? */
static bool crosses(int from, int to)
{
	uint8_t f[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5, 'h', 'i'},
		got[2048];
	struct pollfd p = {.fd = to, .events = POLLIN};

	assert_int_equal(write(from, f, sizeof(f)), (int)sizeof(f));
	while (poll(&p, 1, 2000) > 0) {
		ssize_t n = read(to, got, sizeof(got));

		if (n >= 16 && !memcmp(got + 6, f + 6, 10))
			return true;
	}
	return false;
}

/* proves: HS-PROV-10 partial */
static void several_lans_become_one_and_are_several_again(void **state)
{
	static const int expected[] = {-ENODEV, 0, 0, 0, 0, 0};
	struct yard y = open_yard();
	struct stage *s = y.stage;

	stage_start(s, bridge_both);
	assert_true(stage_wait(&s->notes->ready, 1));
	see_results(s, expected, 6);
	assert_int_equal(shown("ip -d link show br-home", "bridge forward_delay 0 ", "stp_state 0"), 1);
	assert_int_equal(shown("ip link show br-home", "<BROADCAST,MULTICAST,UP,LOWER_UP>", ""), 1);
	assert_true(crosses(y.taps[0], y.taps[1]));
	assert_true(crosses(y.taps[1], y.taps[0]));
	assert_int_equal(shown("ip -o addr show dev br-home", "2001:db8:1:2::1/64", ""), 1);
	assert_int_equal(shown("ip -o addr show dev br-home", "192.168.7.1/24 brd 192.168.7.255", ""), 1);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(if_nametoindex("br-home"), 0);
	assert_int_equal(shown("ip link", "master", ""), 0);
	close_yard(&y);
}

/* ---- ports that come and go ---- */

static int change_ports(struct stage *s, int fd)
{
	static const char *const with_later[] = {"lan0", "later", "lan1"};
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_bridge, "br-home", with_later, 3));
	pause_for_test(s); /* "later" comes */
	note(s, ASK(&a, keeper_bridge, "br-home", with_later, 3));
	s->notes->values[0] = shown("ip link show master br-home", "mtu", "");
	note(s, ASK(&a, keeper_bridge, "br-home", both + 1, 1));
	s->notes->values[1] = shown("ip link show master br-home", "mtu", "");
	note(s, ASK(&a, keeper_bridge, "br-home", NULL, 0));
	s->notes->values[2] = (int)if_nametoindex("br-home");
	note(s, ASK(&a, keeper_bridge, "br-home", NULL, 0));
	actor_done(&a);
	return 0;
}

static void ports_come_when_they_are_there(void **state)
{
	static const int expected[] = {-ENODEV, 0, 0, 0, 0};
	struct yard y = open_yard();
	struct stage *s = y.stage;
	int later;

	stage_start(s, change_ports);
	assert_true(stage_wait(&s->notes->ready, 1));
	assert_int_equal(shown("ip link show master br-home", "mtu", ""), 2); /* the others are in */
	assert_true(crosses(y.taps[0], y.taps[1]));
	later = namespace_device("later", IFF_TAP);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	see_results(s, expected, 5);
	assert_int_equal(s->notes->values[0], 3);
	assert_int_equal(s->notes->values[1], 1);
	assert_int_equal(s->notes->values[2], 0);
	close(later);
	close_yard(&y);
}

/* ---- the administrator's ---- */

static int bridge_once(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_bridge, "br-home", both, 2));
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

static void a_port_of_another_bridge_is_left_there(void **state)
{
	static const int expected[] = {-EBUSY};
	struct yard y = open_yard();
	struct stage *s = y.stage;

	administer("ip link add br1 type bridge && ip link set lan0 master br1");
	stage_start(s, bridge_once);
	assert_true(stage_wait(&s->notes->ready, 1));
	see_results(s, expected, 1);
	assert_int_equal(shown("ip link show lan0", "master br1", ""), 1);
	assert_int_equal(shown("ip link show lan1", "master br-home", ""), 1);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(shown("ip link", "master br1", "lan0"), 1);
	assert_int_equal(shown("ip link", "master", ""), 1);
	close_yard(&y);
}

static void the_administrators_bridge_keeps_what_was_his(void **state)
{
	static const int expected[] = {0};
	struct yard y = open_yard();
	struct stage *s = y.stage;

	administer("ip link add br-home type bridge forward_delay 400 && ip link set lan1 master br-home");
	stage_start(s, bridge_once);
	assert_true(stage_wait(&s->notes->ready, 1));
	see_results(s, expected, 1);
	assert_int_equal(shown("ip link show master br-home", "lan", ""), 2);
	assert_int_equal(shown("ip -d link show br-home", "forward_delay 400", ""), 1);
	assert_int_equal(shown("ip link show br-home", "state DOWN", ""), 1);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_not_equal(if_nametoindex("br-home"), 0);
	assert_int_equal(shown("ip link show lan0", "master", ""), 0);
	assert_int_equal(shown("ip link show lan1", "master br-home", ""), 1);
	close_yard(&y);
}

static void a_bridge_that_was_made_anew_is_not_removed(void **state)
{
	struct yard y = open_yard();
	struct stage *s = y.stage;

	stage_start(s, bridge_once);
	assert_true(stage_wait(&s->notes->ready, 1));
	administer("ip link del br-home && ip link add br-home type bridge");
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_not_equal(if_nametoindex("br-home"), 0);
	close_yard(&y);
}

static void what_is_no_bridge_does_not_become_one(void **state)
{
	static const int expected[] = {-EEXIST};
	struct yard y = open_yard();
	struct stage *s = y.stage;
	int tun = namespace_device("br-home", IFF_TUN);

	s->notes->go = 1;
	stage_start(s, bridge_once);
	assert_int_equal(stage_end(s), 0);
	see_results(s, expected, 1);
	assert_int_not_equal(if_nametoindex("br-home"), 0);
	close(tun);
	close_yard(&y);
}

/* ---- what is refused ---- */

static int ask_hostile(struct stage *s, int fd)
{
	static const char *const foreign[] = {"lan0", "uplink"}, *const lo[] = {"lo"},
				 *const itself[] = {"br-home"}, *const twice[] = {"lan0", "lan0"},
				 *const bad[] = {"../lan0"}, *const none[] = {""};
	static const char *many[KEEPER_BRIDGE_PORTS + 1];
	struct actor a;

	for (int i = 0; i <= KEEPER_BRIDGE_PORTS; i++)
		many[i] = "lan0";
	actor_init(&a, fd);
	note(s, ASK(&a, keeper_bridge, "br-other", both, 2));
	note(s, ASK(&a, keeper_bridge, "lan0", both + 1, 1));
	note(s, ASK(&a, keeper_bridge, "si-test", both, 2));
	note(s, ASK(&a, keeper_bridge, "br-home", foreign, 2));
	note(s, ASK(&a, keeper_bridge, "br-home", lo, 1));
	note(s, ASK(&a, keeper_bridge, "br-other", NULL, 0));
	note(s, ASK(&a, keeper_bridge, "br-home", itself, 1));
	note(s, ASK(&a, keeper_bridge, "br-home", twice, 2));
	note(s, ASK(&a, keeper_bridge, "br-home", bad, 1));
	note(s, ASK(&a, keeper_bridge, "br-home", none, 1));
	note(s, ASK(&a, keeper_bridge, "br/home", both, 2));
	note(s, ASK(&a, keeper_bridge, "a-bridge-whose-name-is-too-long", both, 2));
	note(s, ASK(&a, keeper_bridge, "br-home", many, KEEPER_BRIDGE_PORTS + 1));
	actor_done(&a);
	return 0;
}

static void hostile_requests_bridge_nothing(void **state)
{
	static const int expected[] = {-EPERM, -EPERM, -EPERM, -EPERM, -EPERM, -EPERM, -EINVAL, -EINVAL,
		-EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL};
	struct yard y = open_yard();
	struct stage *s = y.stage;

	stage_start(s, ask_hostile);
	assert_int_equal(stage_end(s), 0);
	see_results(s, expected, 13);
	assert_int_equal(shown("ip -d link", "bridge", ""), 0);
	close_yard(&y);
}

/* ---- with the engine's life ---- */

static int crash_with_a_bridge(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	s->notes->values[2 * s->notes->lives] = (int)if_nametoindex("br-home");
	note(s, ASK(&a, keeper_bridge, "br-home", both, 2));
	s->notes->values[2 * s->notes->lives + 1] = (int)if_nametoindex("br-home");
	if (s->notes->lives == 1)
		abort();
	actor_done(&a);
	return 0;
}

static void a_crashed_engine_leaves_the_bridge_to_the_next(void **state)
{
	static const int expected[] = {0, 0};
	struct yard y = open_yard();
	struct stage *s = y.stage;

	stage_start(s, crash_with_a_bridge);
	assert_int_equal(stage_end(s), 0);
	see_results(s, expected, 2);
	assert_int_equal(s->notes->values[2], 0);
	assert_true(s->notes->values[3] > 0);
	assert_int_equal(s->notes->values[4], s->notes->values[3]);
	assert_int_equal(s->notes->values[5], s->notes->values[3]);
	assert_int_equal(if_nametoindex("br-home"), 0);
	close_yard(&y);
}

static const struct keeper_policy *without_bridges(void *arg)
{
	struct stage *s = arg;

	s->policy.bridge_count = 0;
	return &s->policy;
}

static int bridge_and_reload(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	if (s->notes->lives == 1) {
		note(s, ASK(&a, keeper_reload));
		note(s, ASK(&a, keeper_bridge, "br-home", both, 2)); /* as long as it lives */
	} else {
		note(s, ASK(&a, keeper_bridge, "br-home", both, 2));
		s->notes->values[0] = (int)if_nametoindex("br-home");
	}
	actor_done(&a);
	return s->notes->lives == 1 ? 1 : 0;
}

static void reload_takes_the_bridge_from_the_next_engine(void **state)
{
	static const int expected[] = {0, 0, -EPERM};
	struct yard y = open_yard();
	struct stage *s = y.stage;

	s->policy.reload = without_bridges;
	stage_start(s, bridge_and_reload);
	assert_int_equal(stage_end(s), 0);
	see_results(s, expected, 3);
	assert_int_equal(s->notes->values[0], 0);
	close_yard(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_lans_become_one_and_are_several_again),
		cmocka_unit_test(ports_come_when_they_are_there),
		cmocka_unit_test(a_port_of_another_bridge_is_left_there),
		cmocka_unit_test(the_administrators_bridge_keeps_what_was_his),
		cmocka_unit_test(a_bridge_that_was_made_anew_is_not_removed),
		cmocka_unit_test(what_is_no_bridge_does_not_become_one),
		cmocka_unit_test(hostile_requests_bridge_nothing),
		cmocka_unit_test(a_crashed_engine_leaves_the_bridge_to_the_next),
		cmocka_unit_test(reload_takes_the_bridge_from_the_next_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The router switch of both families, and the way back. */
#include "stage.h"

static int digit_of(const char *path)
{
	char c = '?';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &c, 1) != 1)
		c = '?';
	close(fd);
	return c - '0';
}

static int become_router(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_forwarding, AF_INET6));
	note(s, ASK(&a, keeper_forwarding, AF_INET6));
	note(s, ASK(&a, keeper_forwarding, AF_INET));
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

static void put_digit(const char *path, const char *digit)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, digit, 1), 1);
	close(fd);
}

static void routers_keep_their_own_uplink_and_go_back(void **state)
{
	static const char all6[] = "/proc/sys/net/ipv6/conf/all/forwarding",
			  all4[] = "/proc/sys/net/ipv4/ip_forward",
			  ra[] = "/proc/sys/net/ipv6/conf/lan0/accept_ra",
			  ra_up1[] = "/proc/sys/net/ipv6/conf/up1/accept_ra",
			  on[] = "/proc/sys/net/ipv6/conf/up1/forwarding",
			  later[] = "/proc/sys/net/ipv6/conf/default/accept_ra";
	struct stage *s = stage_new(true);
	int other = namespace_device("up1", IFF_TAP);

	put_digit(ra_up1, "0");
	put_digit(on, "1"); /* the administrator's own */
	put_digit(ra, "1");
	stage_start(s, become_router);
	assert_true(stage_wait(&s->notes->ready, 1));
	for (int i = 0; i < 3; i++)
		assert_int_equal(s->notes->results[i], 0);
	assert_int_equal(digit_of(all6), 1);
	assert_int_equal(digit_of(all4), 1);
	assert_int_equal(digit_of(ra), 2);
	assert_int_equal(digit_of(ra_up1), 0);
	assert_int_equal(digit_of(later), 2);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(digit_of(all6), 0);
	assert_int_equal(digit_of(all4), 0);
	assert_int_equal(digit_of(ra), 1);
	assert_int_equal(digit_of(ra_up1), 0);
	assert_int_equal(digit_of(later), 1);
	assert_int_equal(digit_of(on), 1);
	close(other);
	stage_free(s);
}

static void forwarding_that_was_on_stays_on(void **state)
{
	static const char all6[] = "/proc/sys/net/ipv6/conf/all/forwarding",
			  ra[] = "/proc/sys/net/ipv6/conf/lan0/accept_ra";
	struct stage *s = stage_new(true);

	put_digit(all6, "1");
	stage_start(s, become_router);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(digit_of(all6), 1);
	assert_int_equal(digit_of(ra), 1);
	stage_free(s);
}

static int become_ipv4_router(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_forwarding, AF_INET));
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

/* The switch takes what the administrator had said about redirects along; and interfaces that forwarded before still do. */
static void ipv4_routers_go_back_to_what_they_were(void **state)
{
	static const char all4[] = "/proc/sys/net/ipv4/ip_forward",
			  all6[] = "/proc/sys/net/ipv6/conf/all/forwarding",
			  redirects[] = "/proc/sys/net/ipv4/conf/all/accept_redirects",
			  lan_redirects[] = "/proc/sys/net/ipv4/conf/lan0/accept_redirects",
			  send[] = "/proc/sys/net/ipv4/conf/all/send_redirects",
			  on[] = "/proc/sys/net/ipv4/conf/lan0/forwarding",
			  later[] = "/proc/sys/net/ipv4/conf/default/forwarding";

	for (int accepts = 0; accepts < 2; accepts++) {
		struct stage *s = stage_new(true);

		put_digit(redirects, accepts ? "1" : "0");
		put_digit(lan_redirects, "1");
		put_digit(on, "1");
		stage_start(s, become_ipv4_router);
		assert_true(stage_wait(&s->notes->ready, 1));
		assert_int_equal(s->notes->results[0], 0);
		assert_int_equal(digit_of(all4), 1);
		assert_int_equal(digit_of(later), 1);
		assert_int_equal(digit_of(redirects), 0);
		assert_int_equal(digit_of(send), 1);
		assert_int_equal(digit_of(all6), 0);
		s->notes->go = 1;
		assert_int_equal(stage_end(s), 0);
		assert_int_equal(digit_of(all4), 0);
		assert_int_equal(digit_of(later), 0);
		assert_int_equal(digit_of(redirects), accepts);
		assert_int_equal(digit_of(lan_redirects), 1);
		assert_int_equal(digit_of(on), 1);
		stage_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routers_keep_their_own_uplink_and_go_back),
		cmocka_unit_test(forwarding_that_was_on_stays_on),
		cmocka_unit_test(ipv4_routers_go_back_to_what_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS servers for the host, with resolvectl and resolvconf of our own that write down what they are told.
 */
#include <errno.h>
#include <unistd.h>

#include "stage.h"

/* Writes down its arguments and, after -a, its standard input; a dot ends it. */
#define RESOLVCONF "{ echo \"$*\"; if [ \"$1\" = -a ]; then cat; fi; echo .; } >> $DIR/told\n"
#define RESOLVECTL "echo \"$*\" >> $DIR/told\n"

static struct stage *resolvconf_stage(const char *script)
{
	struct stage *s = stage_new(false);

	s->resolvers.resolvconf[1] = program(s, "resolvconf", script);
	s->resolvers.patience_ms = 10000;
	return s;
}

static void resolvconf_stage_free(struct stage *s)
{
	for (int i = 0; i < KEEPER_RESOLVER_PATHS; i++) {
		free((char *)s->resolvers.resolvectl[i]);
		free((char *)s->resolvers.resolvconf[i]);
	}
	stage_free(s);
}

static void see_results(const struct stage *s, int count)
{
	assert_int_equal(s->notes->count, count);
	for (int i = 0; i < count; i++)
		if (s->notes->results[i])
			fail_msg("step %d: %d", i, s->notes->results[i]);
}

static int tell_one(struct stage *s, struct actor *a, const char *server)
{
	struct addr address = to_addr(server);

	return ASK(a, keeper_dns, "si-test", &address, 1);
}

static int withdraw(struct actor *a)
{
	return ASK(a, keeper_dns, "si-test", NULL, 0);
}

/* ---- who is told what ---- */

static int tell_twice(struct stage *s, int fd)
{
	struct addr servers[] = {to_addr("2001:db8::53"), to_addr("fe80::1")};
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	note(s, ASK(&a, keeper_dns, "si-test", servers, 2));
	reach(s, 1);
	note(s, withdraw(&a));
	note(s, withdraw(&a));
	reach(s, 2);
	note(s, tell_one(s, &a, "192.0.2.53"));
	actor_done(&a);
	return 0;
}

static void resolvconf_is_told_and_told_when_it_is_over(void **state)
{
	struct stage *s = resolvconf_stage(RESOLVCONF);

	stage_start(s, tell_twice);
	let_reach(s, 1);
	wait_told(s, "-a si-test.softwired\nnameserver 2001:db8::53\nnameserver fe80::1%si-test\n.\n");
	let_reach(s, 2);
	wait_told(s, "-a si-test.softwired\nnameserver 2001:db8::53\nnameserver fe80::1%si-test\n.\n"
		     "-d si-test.softwired\n.\n");
	s->notes->go = 2;
	assert_int_equal(stage_end(s), 0);
	wait_told(s, "-a si-test.softwired\nnameserver 2001:db8::53\nnameserver fe80::1%si-test\n.\n"
		     "-d si-test.softwired\n.\n"
		     "-a si-test.softwired\nnameserver 192.0.2.53\n.\n"
		     "-d si-test.softwired\n.\n");
	see_results(s, 5);
	resolvconf_stage_free(s);
}

static int tell_and_wait(struct stage *s, int fd)
{
	struct addr servers[] = {to_addr("2001:db8::53"), to_addr("192.0.2.53")};
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	note(s, ASK(&a, keeper_dns, "si-test", servers, 2));
	reach(s, 1);
	actor_done(&a);
	return 0;
}

static void systemd_resolved_comes_first_where_it_runs(void **state)
{
	struct stage *s = resolvconf_stage(RESOLVCONF);
	char mark[64];

	snprintf(mark, sizeof(mark), "%s/resolved", s->folder);
	s->resolvers.resolved = mark;
	s->resolvers.resolvectl[0] = program(s, "resolvectl", RESOLVECTL);
	touch(s, "resolved");
	stage_start(s, tell_and_wait);
	let_reach(s, 1);
	wait_told(s, "dns si-test 2001:db8::53 192.0.2.53\ndefault-route si-test yes\n");
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	wait_told(s, "dns si-test 2001:db8::53 192.0.2.53\ndefault-route si-test yes\nrevert si-test\n");
	see_results(s, 2);
	resolvconf_stage_free(s);
}

static void resolvectl_without_systemd_resolved_is_not_asked(void **state)
{
	struct stage *s = resolvconf_stage(RESOLVCONF);

	s->resolvers.resolved = "/nonexistent";
	s->resolvers.resolvectl[0] = program(s, "resolvectl", RESOLVECTL);
	s->notes->go = 1;
	stage_start(s, tell_and_wait);
	assert_int_equal(stage_end(s), 0);
	wait_told(s, "-a si-test.softwired\nnameserver 2001:db8::53\nnameserver 192.0.2.53\n.\n"
		     "-d si-test.softwired\n.\n");
	resolvconf_stage_free(s);
}

static void where_nobody_manages_it_the_answer_says_so(void **state)
{
	struct stage *s = stage_new(false);
	char plain[64];

	snprintf(plain, sizeof(plain), "%s/plain", s->folder);
	touch(s, "plain"); /* not a program */
	s->resolvers.resolvconf[0] = plain;
	s->resolvers.resolvconf[1] = s->folder;
	stage_start(s, tell_twice);
	let_reach(s, 2);
	s->notes->go = 2;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[1], -ENOENT);
	assert_int_equal(s->notes->results[2], 0);
	assert_int_equal(s->notes->results[4], -ENOENT);
	stage_free(s);
}

/* ---- what is refused ---- */

static int ask_hostile(struct stage *s, int fd)
{
	struct addr good[KEEPER_DNS_MAX + 1], multicast = to_addr("ff02::fb"), here = to_addr("127.0.0.1");
	struct actor a;

	for (int i = 0; i <= KEEPER_DNS_MAX; i++)
		good[i] = to_addr("2001:db8::53");
	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	note(s, ASK(&a, keeper_dns, "lo", good, 1));
	note(s, ASK(&a, keeper_dns, "lan0", good, 1));
	note(s, ASK(&a, keeper_dns, "si-test;x", good, 1));
	note(s, ASK(&a, keeper_dns, "-f", good, 1));
	note(s, ASK(&a, keeper_dns, "si-test", good, KEEPER_DNS_MAX + 1));
	note(s, ASK(&a, keeper_dns, "si-test", &multicast, 1));
	note(s, ASK(&a, keeper_dns, "si-test", &here, 1));
	note(s, ASK(&a, keeper_dns, "sc0", good, 1)); /* in the policy, but not open */
	actor_done(&a);
	return 0;
}

static void hostile_requests_start_no_program(void **state)
{
	static const int expected[] = {
		0, -EPERM, -EPERM, -EPERM, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -ENODEV};
	struct stage *s = resolvconf_stage(RESOLVCONF);
	char text[TOLD];

	stage_start(s, ask_hostile);
	assert_int_equal(stage_end(s), 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (s->notes->results[i] != expected[i])
			fail_msg("step %zu: %d", i, s->notes->results[i]);
	assert_string_equal(told(s, text), "");
	resolvconf_stage_free(s);
}

/* ---- programs that take their time ---- */

static int tell_in_a_hurry(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	note(s, tell_one(s, &a, "2001:db8::1"));
	note(s, tell_one(s, &a, "2001:db8::2"));
	note(s, withdraw(&a));
	note(s, tell_one(s, &a, "2001:db8::3"));
	reach(s, 1);
	actor_done(&a);
	return 0;
}

static void one_program_at_a_time_and_the_last_request_wins(void **state)
{
	struct stage *s = resolvconf_stage("while [ ! -e $DIR/go ]; do sleep 0.01; done\n" RESOLVCONF);

	stage_start(s, tell_in_a_hurry);
	let_reach(s, 1); /* all answered although the first program has not ended */
	touch(s, "go");
	wait_told(s, "-a si-test.softwired\nnameserver 2001:db8::1\n.\n"
		     "-a si-test.softwired\nnameserver 2001:db8::3\n.\n");
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	see_results(s, 5);
	resolvconf_stage_free(s);
}

/* Says its number, which is its group's too, and hangs as -a with a child of its own. */
#define HANG_UNLESS_WITHDRAWN "echo $$ > $DIR/group; if [ \"$1\" = -a ]; then sleep 1000; fi\n"
#define HANG                  "echo $$ > $DIR/group; sleep 1000\n"

static void a_program_that_hangs_is_killed_with_its_children(void **state)
{
	struct stage *s = resolvconf_stage(HANG_UNLESS_WITHDRAWN RESOLVCONF);
	pid_t group;

	s->resolvers.patience_ms = 400;
	stage_start(s, tell_and_wait);
	let_reach(s, 1);
	for (int i = 0; i < 2000 && !group_of(s); i++)
		usleep(1000);
	group = group_of(s);
	assert_true(group > 0);
	for (int i = 0; i < 100 && group_lives(group); i++)
		usleep(20000);
	assert_false(group_lives(group));
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	see_results(s, 2);
	wait_told(s, "-d si-test.softwired\n.\n"); /* who knows how far it had come */
	resolvconf_stage_free(s);
}

static void the_keeper_ends_though_programs_hang(void **state)
{
	struct stage *s = resolvconf_stage(HANG RESOLVCONF);
	int64_t begin = milliseconds();
	char text[TOLD];

	s->resolvers.patience_ms = 600000; /* at the end there is less of it */
	s->notes->go = 1;
	stage_start(s, tell_and_wait);
	assert_int_equal(stage_end(s), 0);
	assert_in_range(milliseconds() - begin, 5000, 9500);
	assert_string_equal(told(s, text), "");
	assert_false(group_lives(group_of(s)));
	resolvconf_stage_free(s);
}

static void a_program_that_fails_is_not_asked_for_more(void **state)
{
	struct stage *s = resolvconf_stage(RESOLVCONF);
	char mark[64];

	snprintf(mark, sizeof(mark), "%s/resolved", s->folder);
	s->resolvers.resolved = mark;
	s->resolvers.resolvectl[0] = program(s, "resolvectl", RESOLVECTL "test $1 = revert\n");
	touch(s, "resolved");
	s->notes->go = 1;
	stage_start(s, tell_and_wait);
	assert_int_equal(stage_end(s), 0);
	wait_told(s, "dns si-test 2001:db8::53 192.0.2.53\nrevert si-test\n");
	see_results(s, 2);
	resolvconf_stage_free(s);
}

/* ---- what programs get ---- */

static void programs_get_nothing_of_ours(void **state)
{
	struct stage *s =
		resolvconf_stage("{ tr '\\0' '\\n' < /proc/$$/environ; pwd; umask\n"
				 "grep SigBlk /proc/$$/status | tr -d '\\t'\n"
				 "for i in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$i ] && echo $i; done\n"
				 "readlink /proc/$$/fd/1 /proc/$$/fd/2; } > $DIR/note\n"
				 "cat $DIR/note >> $DIR/told\n");
	static const char expected[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n/\n0022\n"
				       "SigBlk:0000000000000000\n";
	char text[TOLD];

	assert_int_equal(setenv("LD_PRELOAD_OF_OURS", "secret", 1), 0);
	s->notes->go = 1;
	stage_start(s, tell_and_wait);
	assert_int_equal(stage_end(s), 0);
	assert_memory_equal(told(s, text), expected, strlen(expected));
	assert_null(strstr(text, "\n3\n"));
	assert_null(strstr(text, "secret"));
	assert_non_null(strstr(text, "/dev/null"));
	resolvconf_stage_free(s);
}

/* ---- with the keeper's life ---- */

static int crash_after_telling(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	note(s, tell_one(s, &a, "2001:db8::53"));
	reach(s, s->notes->lives);
	if (s->notes->lives == 1)
		abort();
	actor_done(&a);
	return 0;
}

static void a_crashed_engine_leaves_the_servers_in_force(void **state)
{
	struct stage *s = resolvconf_stage(RESOLVCONF);

	stage_start(s, crash_after_telling);
	let_reach(s, 1);
	wait_told(s, "-a si-test.softwired\nnameserver 2001:db8::53\n.\n");
	let_reach(s, 2);
	wait_told(s, "-a si-test.softwired\nnameserver 2001:db8::53\n.\n"
		     "-a si-test.softwired\nnameserver 2001:db8::53\n.\n");
	s->notes->go = 2;
	assert_int_equal(stage_end(s), 0);
	see_results(s, 4);
	resolvconf_stage_free(s);
}

static const struct keeper_policy *without_sc0(void *arg)
{
	struct stage *s = arg;

	s->policy.tun_count = 1;
	return &s->policy;
}

static int tell_and_reload(struct stage *s, int fd)
{
	struct addr server = to_addr("2001:db8::53");
	struct actor a;

	actor_init(&a, fd);
	if (s->notes->lives == 1) {
		note(s, ASK(&a, keeper_open_tun, "sc0", 1400));
		note(s, ASK(&a, keeper_dns, "sc0", &server, 1));
		note(s, ASK(&a, keeper_reload));
		actor_done(&a);
		return 1; /* the next one begins without sc0 */
	}
	reach(s, 1);
	actor_done(&a);
	return 0;
}

static void a_device_that_is_given_up_takes_its_servers_along(void **state)
{
	struct stage *s = resolvconf_stage(RESOLVCONF);

	s->policy.reload = without_sc0;
	stage_start(s, tell_and_reload);
	let_reach(s, 1);
	wait_told(s, "-a sc0.softwired\nnameserver 2001:db8::53\n.\n-d sc0.softwired\n.\n");
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	see_results(s, 3);
	resolvconf_stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolvconf_is_told_and_told_when_it_is_over),
		cmocka_unit_test(systemd_resolved_comes_first_where_it_runs),
		cmocka_unit_test(resolvectl_without_systemd_resolved_is_not_asked),
		cmocka_unit_test(where_nobody_manages_it_the_answer_says_so),
		cmocka_unit_test(hostile_requests_start_no_program),
		cmocka_unit_test(one_program_at_a_time_and_the_last_request_wins),
		cmocka_unit_test(a_program_that_hangs_is_killed_with_its_children),
		cmocka_unit_test(the_keeper_ends_though_programs_hang),
		cmocka_unit_test(a_program_that_fails_is_not_asked_for_more),
		cmocka_unit_test(programs_get_nothing_of_ours),
		cmocka_unit_test(a_crashed_engine_leaves_the_servers_in_force),
		cmocka_unit_test(a_device_that_is_given_up_takes_its_servers_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

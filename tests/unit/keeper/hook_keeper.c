/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks through a keeper and its engine: what they get and what not, what is refused, and what becomes of them when the engine or the keeper ends.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper/message.h"
#include "stage.h"

enum { MANY = 200 };

static struct stage *hook_stage(const char *script)
{
	struct stage *s = stage_new(false);

	s->hooks[0] = program(s, "hook", script);
	s->policy.hooks = s->hooks;
	s->policy.hook_count = 1;
	return s;
}

static void hook_stage_free(struct stage *s)
{
	free((char *)s->hooks[0]);
	stage_free(s);
}

static int run(struct stage *s, struct actor *a, const char *event, const char *key)
{
	return ASK(a, keeper_hook, s->hooks[0], event, key, NULL, 0);
}

/* Asks and does not wait. */
static void ask_for(struct stage *s, struct actor *a, const char *event, const char *key)
{
	keeper_hook(a->client, s->hooks[0], event, key, NULL, 0, NULL, NULL);
}

/* ---- what they get ---- */

static int run_with_variables(struct stage *s, int fd)
{
	static const char *const variables[] = {"SOFTWIRE_USER=alice",
		"SOFTWIRE_ADDRESS=2001:db8::1 and more; `id` $(id)", "SOFTWIRE_EMPTY="};
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_hook, s->hooks[0], "softwire-up", "alice/0", variables, 3));
	actor_done(&a);
	return 0;
}

static void ignore_by_system_call(int number)
{
	/* The kernel's struct sigaction: handler, flags, restorer, mask. */
	const unsigned long ignored[4] = {1};

	assert_int_equal(syscall(SYS_rt_sigaction, number, ignored, NULL, 8), 0);
}

static void hooks_get_what_was_given_and_nothing_of_ours(void **state)
{
	struct stage *s = hook_stage(
		"{ echo \"$0 $# $1\"; tr '\\0' '\\n' < /proc/$$/environ | sort; pwd; umask; id -u\n"
		"grep -E 'Sig(Blk|Ign)' /proc/$$/status | tr -d '\\t'\n"
		"for i in 3 4 5 6 7 8 9; do [ $i -ne 10 ] && [ -e /proc/$$/fd/$i ] && readlink "
		"/proc/$$/fd/$i; done\n"
		"readlink /proc/$$/fd/0; echo $(($(ps -o sid= -p $$) - $$)) $(($(ps -o pgid= -p $$) - $$))\n"
		"} > $DIR/note; cat $DIR/note >> $DIR/told\n");
	char text[TOLD], expected[TOLD], own[96];

	/* The shell itself has the script open. */
	snprintf(own, sizeof(own), "%s", s->hooks[0]);
	snprintf(expected, sizeof(expected),
		"%s 1 softwire-up\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
		"SOFTWIRE_ADDRESS=2001:db8::1 and more; `id` $(id)\nSOFTWIRE_EMPTY=\nSOFTWIRE_USER=alice\n"
		"/\n0022\n0\nSigBlk:0000000000000000\nSigIgn:0000000000000000\n/dev/null\n0 0\n",
		s->hooks[0]);
	assert_int_equal(setenv("SECRET_OF_OURS", "secret", 1), 0);
	signal(SIGPIPE, SIG_IGN);
	ignore_by_system_call(32); /* one that signal() does not touch */
	stage_start(s, run_with_variables);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], 0);
	assert_string_equal(told(s, text), expected);
	hook_stage_free(s);
}

/* ---- what is refused ---- */

static int ask_hostile(struct stage *s, int fd)
{
	char long_value[300] = "SOFTWIRE_X=", long_key[300], big[KEEPER_HOOK_VARIABLES + 1][256];
	const char *hook = s->hooks[0], *list[KEEPER_HOOK_VARIABLES + 1];
	static const char *const bad[] = {"SOFTWIRE_X=a\nb", "SOFTWIRE_X=\x7f", "SOFTWIRE_X=\xc3\xa4",
		"SOFTWIRE_X", "SOFTWIRE_=x", "SOFTWIRE_x=x", "PATH=/tmp", "LD_PRELOAD=/tmp/x.so", "", "=",
		"XSOFTWIRE_X=1"};
	static const char *const twice[] = {"SOFTWIRE_X=1", "SOFTWIRE_Y=1", "SOFTWIRE_X=2"};
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_hook, "/bin/sh", "up", "k", NULL, 0));
	note(s, ASK(&a, keeper_hook, "/etc/softwire/../softwire/hook", "up", "k", NULL, 0));
	note(s, ASK(&a, keeper_hook, "hook", "up", "k", NULL, 0));
	note(s, ASK(&a, keeper_hook, "", "up", "k", NULL, 0));
	note(s, ASK(&a, keeper_hook, hook, "", "k", NULL, 0));
	note(s, ASK(&a, keeper_hook, hook, "-c", "k", NULL, 0));
	note(s, ASK(&a, keeper_hook, hook, "up; id", "k", NULL, 0));
	note(s, ASK(&a, keeper_hook, hook, "a-word-that-is-just-too-long-for-it", "k", NULL, 0));
	note(s, ASK(&a, keeper_hook, hook, "up", "", NULL, 0));
	memset(long_key, 'k', sizeof(long_key));
	long_key[288] = '\0';
	note(s, ASK(&a, keeper_hook, hook, "up", long_key, NULL, 0));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		note(s, ASK(&a, keeper_hook, hook, "up", "k", &bad[i], 1));
	note(s, ASK(&a, keeper_hook, hook, "up", "k", twice, 3));
	memset(long_value + 11, 'x', 256);
	list[0] = long_value;
	note(s, ASK(&a, keeper_hook, hook, "up", "k", list, 1));
	for (int i = 0; i <= KEEPER_HOOK_VARIABLES; i++) {
		snprintf(big[i], sizeof(big[i]), "SOFTWIRE_V%d=1", i);
		list[i] = big[i];
	}
	note(s, ASK(&a, keeper_hook, hook, "up", "k", list, KEEPER_HOOK_VARIABLES + 1));
	for (int i = 0; i < 13; i++) /* 13 of 250 bytes are more than 3072 */
		snprintf(big[i], sizeof(big[i]), "SOFTWIRE_V%02d=%0237d", i, i);
	note(s, ASK(&a, keeper_hook, hook, "up", "k", list, 13));
	s->notes->values[0] = s->notes->count;
	note(s, ASK(&a, keeper_hook, hook, "up", "k", list, 12));
	actor_done(&a);
	return 0;
}

static void hostile_requests_run_nothing(void **state)
{
	struct stage *s = hook_stage("echo $1 >> $DIR/told\n");

	stage_start(s, ask_hostile);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->values[0], 25);
	for (int i = 0; i < 25; i++)
		if (s->notes->results[i] != (i < 2 ? -EPERM : -EINVAL))
			fail_msg("step %d: %d", i, s->notes->results[i]);
	assert_int_equal(s->notes->results[25], 0); /* just enough */
	wait_told(s, "up\n");
	hook_stage_free(s);
}

static void a_hook_that_others_can_change_is_not_run(void **state)
{
	struct stage *s = hook_stage("echo $1 >> $DIR/told\n");
	char text[TOLD], command[96];

	snprintf(command, sizeof(command), "chmod o+w %s", s->hooks[0]);
	administer(command);
	stage_start(s, run_with_variables);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], -EACCES);
	assert_string_equal(told(s, text), "");
	hook_stage_free(s);
}

/* ---- answers ---- */

struct tally {
	struct actor *actor;
	int answers, bad, expected;
};

static void count_answer(void *owner, int result, int fd)
{
	struct tally *t = owner;

	t->answers++;
	t->bad += result != 0 || fd >= 0;
	if (t->answers == t->expected)
		loop_stop(&t->actor->loop);
}

static int overtake(struct stage *s, int fd)
{
	struct endpoint any = to_endpoint("0.0.0.0:0");
	struct tally t = {.expected = MANY};
	struct actor a;

	actor_init(&a, fd);
	t.actor = &a;
	for (int i = 0; i < MANY; i++) {
		char key[16];

		snprintf(key, sizeof(key), "key%d", i % 7);
		keeper_hook(a.client, s->hooks[0], "up", key, NULL, 0, count_answer, &t);
	}
	note(s, ASK(&a, keeper_open_udp, &any)); /* is not held up */
	s->notes->values[0] = t.answers;
	reach(s, 1);
	while (t.answers < MANY && !a.lost)
		(void)loop_run(&a.loop);
	s->notes->values[1] = t.answers;
	s->notes->values[2] = t.bad;
	actor_done(&a);
	return 0;
}

static void each_is_answered_once_and_others_do_not_wait(void **state)
{
	struct stage *s = hook_stage("while [ ! -e $DIR/go ]; do sleep 0.01; done\n");

	stage_start(s, overtake);
	let_reach(s, 1);
	touch(s, "go");
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->values[0], 0);
	assert_int_equal(s->notes->values[1], MANY);
	assert_int_equal(s->notes->values[2], 0);
	hook_stage_free(s);
}

/* ---- the engine's end ---- */

#define WAIT_FOR_GO                                                                                          \
	"echo start $1 >> $DIR/told; while [ ! -e $DIR/go ]; do sleep 0.01; done; echo end $1 >> "           \
	"$DIR/told\n"

static int die_while_it_runs(struct stage *s, int fd)
{
	struct actor a;
	char text[TOLD];

	actor_init(&a, fd);
	if (s->notes->lives == 1) {
		ask_for(s, &a, "first", "k");
		ask_for(s, &a, "second", "k");
		wait_told(s, "start first\n");
		abort();
	}
	s->notes->values[0] = strstr(told(s, text), "end") != NULL;
	reach(s, 1);
	note(s, run(s, &a, "third", "k")); /* behind those of its predecessor; and the answers are its own */
	s->notes->values[1] = strstr(told(s, text), "end third") != NULL;
	actor_done(&a);
	return 0;
}

static void hooks_survive_the_engine_that_asked(void **state)
{
	struct stage *s = hook_stage(WAIT_FOR_GO);

	stage_start(s, die_while_it_runs);
	let_reach(s, 1);
	touch(s, "go");
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 2);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->values[0], 0);
	assert_int_equal(s->notes->values[1], 1);
	wait_told(s, "start first\nend first\nstart second\nend second\nstart third\nend third\n");
	hook_stage_free(s);
}

/* ---- the keeper's end ---- */

static int ask_at_the_end(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1404));
	for (int i = 0; i < 3; i++)
		ask_for(s, &a, "down", "k");
	actor_done(&a); /* does not wait */
	return 0;
}

static void what_waits_is_run_before_the_keeper_ends(void **state)
{
	/* And the devices are still there. */
	struct stage *s = hook_stage("sleep 0.2; echo $1 $(test -d /sys/class/net && grep -c si-test "
				     "/proc/net/dev) >> $DIR/told\n");

	stage_start(s, ask_at_the_end);
	assert_int_equal(stage_end(s), 0);
	wait_told(s, "down 1\ndown 1\ndown 1\n");
	hook_stage_free(s);
}

static void five_seconds_and_no_more(void **state)
{
	struct stage *s = hook_stage("echo $$ > $DIR/group; echo $1 >> $DIR/told; sleep 1000\n");
	int64_t begin = milliseconds();

	stage_start(s, ask_at_the_end);
	assert_int_equal(stage_end(s), 0);
	assert_in_range(milliseconds() - begin, 4900, 8000);
	wait_told(s, "down\n"); /* the first, and not the others */
	for (int i = 0; i < 100 && group_lives(group_of(s)); i++)
		usleep(10000);
	assert_false(group_lives(group_of(s)));
	hook_stage_free(s);
}

static void a_second_sigterm_does_not_wait_for_hooks(void **state)
{
	struct stage *s = hook_stage("echo $1 >> $DIR/told; sleep 1000\n");
	int64_t begin = milliseconds();

	stage_start(s, ask_at_the_end);
	wait_told(s, "down\n");
	usleep(300000); /* the engine has ended */
	kill(s->keeper, SIGTERM);
	assert_int_equal(stage_end(s), 0);
	assert_in_range(milliseconds() - begin, 0, 3000);
	hook_stage_free(s);
}

static const struct keeper_policy *without_hooks(void *arg)
{
	static struct keeper_policy none;

	none = (struct keeper_policy){.user = "nobody", .reload = without_hooks};
	return &none;
}

static int reload_and_run(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	if (s->notes->lives == 1)
		note(s, ASK(&a, keeper_reload));
	note(s, run(s, &a, "up", "k"));
	actor_done(&a);
	return s->notes->lives == 1 ? 1 : 0;
}

static void reload_takes_hooks_from_the_next_engine_only(void **state)
{
	struct stage *s = hook_stage("exit 0\n");

	s->policy.reload = without_hooks;
	stage_start(s, reload_and_run);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->results[1], 0);
	assert_int_equal(s->notes->results[2], -EPERM);
	hook_stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hooks_get_what_was_given_and_nothing_of_ours),
		cmocka_unit_test(hostile_requests_run_nothing),
		cmocka_unit_test(a_hook_that_others_can_change_is_not_run),
		cmocka_unit_test(each_is_answered_once_and_others_do_not_wait),
		cmocka_unit_test(hooks_survive_the_engine_that_asked),
		cmocka_unit_test(what_waits_is_run_before_the_keeper_ends),
		cmocka_unit_test(five_seconds_and_no_more),
		cmocka_unit_test(a_second_sigterm_does_not_wait_for_hooks),
		cmocka_unit_test(reload_takes_hooks_from_the_next_engine_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another program takes the keeper's place: what it is asked before, what it is handed, and what happens when it is not fit for it. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "keeper/hook.h"
#include "stage.h"

/* What the next program finds: its number, the names, what each descriptor is, and its own arguments. */
#define NEXT                                                                                                 \
	"case $1 in\n"                                                                                       \
	"-V) echo 'softwired 9.9'; exit 0;;\n"                                                               \
	"-t) [ \"$2 $3\" = '-c /conf' ]; exit $?;;\n"                                                        \
	"esac\n"                                                                                             \
	"set -- \"$@\" ${SOFTWIRED_DESCRIPTORS#* }\n"                                                        \
	"for d in ${SOFTWIRED_DESCRIPTORS#* }; do readlink /proc/$$/fd/${d#*=}; done | sort > $DIR/kinds\n"  \
	"ls /proc/$$/fd | wc -l > $DIR/open\n"                                                               \
	"echo $$ ${SOFTWIRED_DESCRIPTORS%% *} $1 $2 > $DIR/told\n"

static void note_text(struct stage *s, struct actor *a, const char *expected)
{
	char text[256] = "";

	note(s, a->fd >= 0 && read(a->fd, text, sizeof(text) - 1) > 0 && strstr(text, expected) ? 1 : 0);
	if (a->fd >= 0)
		close(a->fd);
}

static int ask_and_leave(struct stage *s, int fd)
{
	struct endpoint any = to_endpoint("0.0.0.0:0");
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	note(s, ASK(&a, keeper_open_udp, &any));
	note(s, ASK(&a, keeper_open_state, "si-test"));
	note(s, ASK(&a, keeper_upgrade));
	note_text(s, &a, s->more);
	actor_done(&a);
	return s->notes->lives > 1 ? 0 : KEEPER_LEAVE;
}

static const char *command[4] = {NULL, "-c", "/conf", NULL};

static struct stage *stage_with(const char *script, const char *expected)
{
	struct stage *s = stage_new(false);

	command[0] = program(s, "next", script);
	s->policy.command = command;
	s->more = (void *)expected;
	return s;
}

static void done(struct stage *s)
{
	free((void *)command[0]);
	stage_free(s);
}

/* Lines of FILE in the stage's folder that begin with TEXT. */
static int lines(const struct stage *s, const char *file, const char *text)
{
	char command_line[128];

	snprintf(command_line, sizeof(command_line), "cat %s/%s", s->folder, file);
	return shown(command_line, text, "");
}

static void the_next_program_gets_number_arguments_and_descriptors(void **state)
{
	struct stage *s = stage_with(NEXT, "softwired 9.9\n");
	char expected[64], text[TOLD];

	stage_start(s, ask_and_leave);
	assert_int_equal(stage_end(s), 0); /* the script's own */
	assert_int_equal(s->notes->lives, 1);
	assert_int_equal(s->notes->results[3], 0);
	assert_int_equal(s->notes->results[4], 1);
	snprintf(expected, sizeof(expected), "%d %d -c /conf\n", s->keeper, s->keeper);
	assert_string_equal(told(s, text), expected);
	assert_int_equal(lines(s, "kinds", "/dev/net/tun"), 1);
	assert_int_equal(lines(s, "kinds", "socket:"), 1);
	assert_int_equal(lines(s, "kinds", "softwired-state"), 1);
	assert_int_equal(lines(s, "kinds", "softwired-ledger"), 1);
	done(s);
}

static void a_program_that_is_not_fit_changes_nothing(void **state)
{
	static const struct {
		const char *script, *says;
		int mode;
	} cases[] = {
		{"[ $1 = -V ] && echo softwired 9.9 && exit 0\necho '/conf:7: no such key'; exit 1\n",
			"/conf:7: no such key", 0755},
		{"exit 1\n", "exit status 1", 0755},
		{"kill -SEGV $$\n", "signal 11", 0755},
		{"exit 0\n", "not executable", 0644},
		{"exit 0\n", "can be changed by others", 0777},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stage *s = stage_with(cases[i].script, cases[i].says);

		assert_int_equal(chmod(command[0], (mode_t)cases[i].mode), 0);
		stage_start(s, ask_and_leave);
		assert_int_equal(stage_end(s), 0);
		/* Whoever leaves all the same is started again by the same keeper, with what it had. */
		assert_int_equal(s->notes->lives, 2);
		assert_int_equal(s->notes->results[3], -EINVAL);
		if (!s->notes->results[4])
			fail_msg("it was not said that: %s", cases[i].says);
		done(s);
	}
}

static void a_program_that_has_gone_meanwhile_leaves_the_old_one(void **state)
{
	struct stage *s = stage_with("[ $1 = -t ] && rm $DIR/next\necho softwired 9.9\n", "softwired 9.9");

	stage_start(s, ask_and_leave);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 2);
	assert_int_equal(s->notes->results[3], 0);
	for (int i = 5; i < 8; i++)
		assert_int_equal(s->notes->results[i], 0);
	assert_int_equal(s->notes->results[8], -EINVAL); /* it is still not there */
	done(s);
}

static int ask_only(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_upgrade));
	actor_done(&a);
	return 0;
}

static void a_keeper_that_does_not_know_its_program_refuses(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, ask_only);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], -EOPNOTSUPP);
	stage_free(s);
}

static int leave_with_hooks(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	keeper_hook(a.client, s->hooks[0], "up", "k", NULL, 0, NULL, NULL);
	keeper_hook(a.client, s->hooks[0], "down", "k", NULL, 0, NULL, NULL);
	note(s, ASK(&a, keeper_upgrade));
	if (a.fd >= 0)
		close(a.fd);
	actor_done(&a);
	return s->notes->lives > 1 ? 0 : KEEPER_LEAVE;
}

/* One runs and goes on running, one waits and is written down: "down" is not run by a keeper that is on its way out. */
static void hooks_survive(void **state)
{
	struct stage *s = stage_with("case $1 in -V) echo v; exit;; -t) exit;; esac\n"
				     "echo next >> $DIR/told; sleep 0.1; touch $DIR/go\n"
				     "while [ ! -e $DIR/end ]; do sleep 0.02; done\n",
		"");

	s->hooks[0] = program(s, "hook",
		"while [ ! -e $DIR/go ]; do sleep 0.02; done; echo $1; echo $1 >> $DIR/told; touch "
		"$DIR/end\n");
	s->policy.hooks = s->hooks;
	s->policy.hook_count = 1;
	stage_start(s, leave_with_hooks);
	wait_told(s, "next\nup\n");
	assert_int_equal(stage_end(s), 0);
	free((void *)s->hooks[0]);
	done(s);
}

static void hand_on(struct hooks *from, struct hooks *to)
{
	struct handover over = {0};
	struct ledger_item *items;
	struct ledger l;
	size_t count;

	assert_int_equal(ledger_open(&l, -1), 0);
	hooks_hand_over(from, &l, &over);
	assert_int_equal(over.count, 1);
	items = ledger_items(&l, &count);
	assert_int_equal(count, 2);
	assert_int_equal(items[0].kind, LEDGER_HOOK_RUN);
	assert_true(hooks_inherit_run(to, items[0].fields, &over, 0));
	assert_true(hooks_inherit(to, items[1].fields, 0));
	assert_int_equal(handover_find(&over, over.list[0].name), -1);
	free(items);
	handover_free(&over);
	ledger_close(&l);
}

/* Of two of a key: over an upgrade, too, one runs after the other, and what the first one says, and how it ends, is known. */
static void a_hook_that_runs_is_waited_for_by_the_next_keeper(void **state)
{
	struct stage *s = stage_new(false);
	const char *path = program(s, "hook",
		"while [ $1 = up ] && [ ! -e $DIR/go ]; do sleep 0.02; done\necho said; echo $1 >> $DIR/told\n");
	struct message_hook m = {.event = "up", .key = "k"};
	struct hooks old, next;
	char text[TOLD];

	snprintf(m.path, sizeof(m.path), "%s", path);
	hooks_init(&old, NULL);
	hooks_init(&next, NULL);
	assert_int_equal(hooks_add(&old, 1, &m, 0), 0);
	strcpy(m.event, "down");
	assert_int_equal(hooks_add(&old, 2, &m, 0), 0);
	hand_on(&old, &next);
	assert_true(hooks_run(&next));
	assert_int_equal(next.waiting, 1); /* not beside the other */
	assert_int_equal(hooks_deadline(&next), HOOK_PATIENCE);
	touch(s, "go");
	while (hooks_busy(&next)) {
		hooks_read(&next, 0);
		hooks_reap(&next, 0);
		(void)poll(NULL, 0, 5);
	}
	assert_string_equal(told(s, text), "up\ndown\n");
	hooks_done(&next);
	/* In life all of it went with the old program; here child and descriptor are the other's. */
	old.runs[0].child.pid = 0;
	old.runs[0].output = -1;
	hooks_done(&old);
	free((void *)path);
	stage_free(s);
}

/* The first hook, whose keeper waits for it before it becomes another program, has the keeper told to end. Nothing is held back any more then. */
static void an_end_comes_before_the_next_program(void **state)
{
	struct stage *s = stage_with("case $1 in -V) echo v; exit;; -t) exit;; esac\necho next >> $DIR/told\n", "");

	s->hooks[0] = program(s, "hook",
		"[ $1 = down ] && echo down >> $DIR/told && exit\n"
		"until [ \"$(cat /proc/$PPID/task/$PPID/children)\" = \"$$ \" ]; do sleep 0.02; done\n"
		"kill -TERM $PPID; echo up >> $DIR/told\n");
	s->policy.hooks = s->hooks;
	s->policy.hook_count = 1;
	stage_start(s, leave_with_hooks);
	assert_int_equal(stage_end(s), 0);
	wait_told(s, "up\ndown\n");
	free((void *)s->hooks[0]);
	done(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_program_gets_number_arguments_and_descriptors),
		cmocka_unit_test(a_program_that_is_not_fit_changes_nothing),
		cmocka_unit_test(a_program_that_has_gone_meanwhile_leaves_the_old_one),
		cmocka_unit_test(a_keeper_that_does_not_know_its_program_refuses),
		cmocka_unit_test(hooks_survive),
		cmocka_unit_test(a_hook_that_runs_is_waited_for_by_the_next_keeper),
		cmocka_unit_test(an_end_comes_before_the_next_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

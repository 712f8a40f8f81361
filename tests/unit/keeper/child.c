/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that the keeper runs: their ends, and that nobody is taken for somebody else. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "keeper/child.h"
#include "stage.h"

static void start(struct child *c, const char *script, int output, msec until)
{
	const char *arguments[] = {"/bin/sh", "-c", script, NULL}, *environment[] = {"X=1", NULL};

	assert_int_equal(child_start(c,
				 &(struct child_program){.arguments = arguments,
					 .environment = environment,
					 .input = -1,
					 .output = output},
				 until),
		0);
}

static int end_of(struct child *c)
{
	int status = -1;

	for (int i = 0; i < 5000 && !child_reap(c, &status); i++)
		usleep(1000);
	return status;
}

static void verdicts_are_words(void **state)
{
	static const struct {
		const char *script, *verdict; /* NULL: well */
	} cases[] = {
		{"exit 0", NULL},
		{"exit 1", "exit status 1"},
		{"exit 255", "exit status 255"},
		{"kill -KILL $$", "ended by signal 9"},
		{"test \"$X\" = 1", NULL},
		{"test -z \"$PATH_OF_OURS\"", NULL},
		{"test \"$(readlink /proc/$$/fd/0)\" = /dev/null", NULL},
		{"test \"$(pwd)\" = /", NULL},
	};
	char text[CHILD_VERDICT];

	(void)setenv("PATH_OF_OURS", "1", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct child c = {0};
		const char *verdict;
		int status;

		start(&c, cases[i].script, -1, MSEC_NEVER);
		status = end_of(&c);
		assert_int_equal(c.pid, 0);
		verdict = child_verdict(&c, status, text);
		if (!verdict != !cases[i].verdict || (verdict && strcmp(verdict, cases[i].verdict) != 0))
			fail_msg("%s: %s", cases[i].script, verdict ? verdict : "well");
	}
}

static void a_program_that_is_not_there_says_so(void **state)
{
	const char *arguments[] = {"/nonexistent", NULL}, *environment[] = {NULL};
	struct child c = {0};
	char text[128] = "";
	int pair[2];

	assert_int_equal(pipe(pair), 0);
	assert_int_equal(child_start(&c,
				 &(struct child_program){.arguments = arguments,
					 .environment = environment,
					 .input = -1,
					 .output = pair[1]},
				 MSEC_NEVER),
		0);
	assert_int_equal(WEXITSTATUS(end_of(&c)), 127);
	assert_true(read(pair[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "cannot be run: No such file or directory\n");
	close(pair[0]);
	close(pair[1]);
}

static void only_its_own_child_is_reaped(void **state)
{
	struct child a = {0}, b = {0}, none = {0};
	int status;

	start(&a, "exit 7", -1, MSEC_NEVER);
	start(&b, "sleep 1000", -1, MSEC_NEVER);
	assert_false(child_reap(&none, &status));
	assert_false(child_reap(&b, &status));
	assert_int_equal(WEXITSTATUS(end_of(&a)), 7);
	assert_false(child_reap(&a, &status)); /* but once */
	child_kill(&b);
	assert_int_equal(WTERMSIG(end_of(&b)), SIGKILL);
	child_kill(&b); /* nobody, and certainly not the process group 0 */
}

static void time_is_over_when_it_is_over(void **state)
{
	struct child c = {0};
	char text[CHILD_VERDICT];
	int status;

	assert_int_equal(child_deadline(&c), MSEC_NEVER);
	child_expire(&c, MSEC_NEVER - 1);
	start(&c, "sleep 1000", -1, 5000);
	assert_int_equal(child_deadline(&c), 5000);
	child_expire(&c, 4999);
	assert_false(c.killed);
	child_expire(&c, 5000);
	assert_true(c.killed);
	assert_int_equal(child_deadline(&c), MSEC_NEVER);
	status = end_of(&c);
	assert_string_equal(child_verdict(&c, status, text), "does not end: killed");
	/* The next one is another. */
	start(&c, "exit 0", -1, 5000);
	status = end_of(&c);
	assert_null(child_verdict(&c, status, text));
}

/* Right after fork(), before the child has a process group of its own. */
static void a_child_is_killed_however_early(void **state)
{
	for (int i = 0; i < 200; i++) {
		struct child c = {0};

		start(&c, "sleep 1000", -1, MSEC_NEVER);
		child_kill(&c);
		assert_int_equal(WTERMSIG(end_of(&c)), SIGKILL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_are_words),
		cmocka_unit_test(a_program_that_is_not_there_says_so),
		cmocka_unit_test(only_its_own_child_is_reaped),
		cmocka_unit_test(time_is_over_when_it_is_over),
		cmocka_unit_test(a_child_is_killed_however_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

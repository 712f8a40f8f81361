/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks: in what order they run, how long, what becomes of what they say. Small shell scripts, a log that is caught, and the queue itself without a
 * keeper around it; hook_keeper.c has that.
 */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "keeper/hook.h"
#include "stage.h"

enum { ANSWERS = 16, LOGGED = 1 << 16 };

struct bench {
	struct stage stage; /* for its folder */
	struct hooks hooks;
	struct log log;
	char logged[LOGGED];
	size_t logged_len;
	struct message_answer answers[ANSWERS];
	int answer_count;
};

static void tap(struct log *log, const char *line, size_t len)
{
	struct bench *b = log->tap_owner;

	if (len + 1 >= sizeof(b->logged) - b->logged_len)
		return;
	memcpy(b->logged + b->logged_len, line, len);
	b->logged_len += len;
	b->logged[b->logged_len++] = '\n';
	b->logged[b->logged_len] = '\0';
}

static int begin(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	strcpy(b->stage.folder, "/tmp/keeper-XXXXXX");
	if (!mkdtemp(b->stage.folder) || chmod(b->stage.folder, 0755))
		return -1;
	log_init(&b->log, -1, LEVEL_DEBUG);
	b->log.tap = tap;
	b->log.tap_owner = b;
	hooks_init(&b->hooks, &b->log);
	*state = b;
	return 0;
}

static int end(void **state)
{
	struct bench *b = *state;
	char command[64];

	hooks_done(&b->hooks);
	snprintf(command, sizeof(command), "rm -rf %s", b->stage.folder);
	administer(command);
	free(b);
	return 0;
}

/* A script in the bench's folder; NAME is its file. */
static void script(struct bench *b, const char *name, const char *text)
{
	free((char *)program(&b->stage, name, text));
}

static int ask(struct bench *b, uint32_t id, const char *name, const char *event, const char *key)
{
	struct message_hook m = {.count = 0};

	snprintf(m.path, sizeof(m.path), "%s/%s", b->stage.folder, name);
	snprintf(m.event, sizeof(m.event), "%s", event);
	snprintf(m.key, sizeof(m.key), "%s", key);
	return hooks_add(&b->hooks, id, &m, loop_clock());
}

/* What the keeper's loop does, once, for up to 5 ms. */
static void turn(struct bench *b)
{
	struct pollfd p[HOOKS_RUNNING];

	(void)poll(p, hooks_poll(&b->hooks, p), 5);
	hooks_read(&b->hooks, loop_clock());
	hooks_reap(&b->hooks, loop_clock());
	hooks_expire(&b->hooks, loop_clock());
	while (b->answer_count < ANSWERS && hooks_answer(&b->hooks, &b->answers[b->answer_count]))
		b->answer_count++;
}

/* Until there are COUNT answers, or for 5 s. */
static void wait_answers(struct bench *b, int count)
{
	for (int64_t begin = milliseconds(); b->answer_count < count && milliseconds() - begin < 5000;)
		turn(b);
	assert_int_equal(b->answer_count, count);
}

static void wait_until_idle(struct bench *b)
{
	for (int64_t begin = milliseconds(); hooks_busy(&b->hooks) && milliseconds() - begin < 5000;)
		turn(b);
	assert_false(hooks_busy(&b->hooks));
}

static int lines_told(const struct bench *b, const char *word)
{
	char command[96];

	snprintf(command, sizeof(command), "cat %s/told 2>/dev/null", b->stage.folder);
	return shown(command, word, "");
}

/* Until the scripts have written COUNT lines with WORD. */
static void turn_until_told(struct bench *b, const char *word, int count)
{
	for (int64_t begin = milliseconds(); lines_told(b, word) < count && milliseconds() - begin < 5000;)
		turn(b);
	assert_int_equal(lines_told(b, word), count);
}

static int lines_logged(const struct bench *b, const char *first, const char *second)
{
	int count = 0;

	for (const char *line = b->logged; *line; line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, "\n");
		char copy[LOG_LINE + 1];

		snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
		if (strstr(copy, first) && strstr(copy, second))
			count++;
	}
	return count;
}

/* ---- order ---- */

#define TELL_TWICE "echo start $1 >> $DIR/told; sleep 0.05; echo end $1 >> $DIR/told\n"

static void hooks_of_one_key_run_in_order(void **state)
{
	struct bench *b = *state;
	char text[TOLD];

	script(b, "hook", TELL_TWICE);
	assert_int_equal(ask(b, 1, "hook", "up", "alice/0"), 0);
	assert_int_equal(ask(b, 2, "hook", "update", "alice/0"), 0);
	assert_int_equal(ask(b, 3, "hook", "down", "alice/0"), 0);
	wait_answers(b, 3);
	assert_string_equal(
		told(&b->stage, text), "start up\nend up\nstart update\nend update\nstart down\nend down\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(b->answers[i].id, i + 1);
		assert_int_equal(b->answers[i].result, 0);
	}
}

#define WAIT_FOR_GO                                                                                          \
	"echo start $1 >> $DIR/told; while [ ! -e $DIR/go ]; do sleep 0.01; done; echo end $1 >> "           \
	"$DIR/told\n"

static void four_keys_at_a_time(void **state)
{
	static const char *const events[] = {"a", "b", "c", "d", "e", "f"};
	struct bench *b = *state;

	script(b, "hook", WAIT_FOR_GO);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(ask(b, i, "hook", events[i], events[i]), 0);
	turn_until_told(b, "start", 4);
	for (int i = 0; i < 40; i++)
		turn(b);
	assert_int_equal(lines_told(b, "start"), 4);
	assert_int_equal(lines_told(b, "start e"), 0); /* the last ones wait */
	assert_int_equal(lines_told(b, "start f"), 0);
	touch(&b->stage, "go");
	wait_answers(b, 6);
	assert_int_equal(lines_told(b, "end"), 6);
}

static void a_slow_key_holds_up_no_other(void **state)
{
	struct bench *b = *state;

	script(b, "slow", WAIT_FOR_GO);
	script(b, "hook", TELL_TWICE);
	assert_int_equal(ask(b, 1, "slow", "slow", "alice/0"), 0);
	for (unsigned i = 2; i < 8; i++)
		assert_int_equal(ask(b, i, "hook", "later", "alice/0"), 0);
	assert_int_equal(ask(b, 8, "hook", "other", "alice/1"), 0);
	wait_answers(b, 1);
	assert_int_equal(b->answers[0].id, 8);
	assert_int_equal(lines_told(b, "later"), 0);
	touch(&b->stage, "go");
	wait_answers(b, 8);
	assert_int_equal(b->answers[1].id, 1);
	assert_int_equal(b->answers[7].id, 7);
}

/* Some that cannot be run, before, between and behind others of their key and of other keys. */
static void those_that_cannot_be_run_hold_up_nobody(void **state)
{
	static const char *const names[] = {"hook", "none", "none", "hook", "none", "hook", "none"};
	struct bench *b = *state;

	script(b, "hook", TELL_TWICE);
	assert_int_equal(ask(b, 0, "none", "up", "bob"), 0);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(ask(b, 1 + i, names[i], "up", "alice"), 0);
	assert_int_equal(ask(b, 8, "none", "up", "carol"), 0);
	wait_answers(b, 9);
	assert_int_equal(lines_told(b, "end"), 3);
	for (int i = 0; i < 9; i++)
		assert_int_equal(b->answers[i].result,
			b->answers[i].id && b->answers[i].id < 8 && names[b->answers[i].id - 1][0] == 'h'
				? 0
				: -EIO);
	wait_until_idle(b);
}

static void ten_thousand_wait_and_no_more(void **state)
{
	struct bench *b = *state;

	script(b, "slow", WAIT_FOR_GO);
	for (uint32_t i = 0; i < 1 + HOOKS_WAITING; i++)
		assert_int_equal(ask(b, i, "slow", "up", "alice"), 0);
	assert_int_equal(ask(b, 9, "slow", "up", "alice"), -ENOBUFS);
	assert_int_equal(ask(b, 9, "slow", "up", "bob"), -ENOBUFS);
	assert_int_equal(b->hooks.waiting, HOOKS_WAITING);
	hooks_done(&b->hooks);
	assert_false(hooks_busy(&b->hooks));
	assert_int_equal(lines_logged(b, "10000 hooks are not run", ""), 1);
	assert_int_equal(lines_logged(b, "killed: the keeper ends", ""), 1);
}

/* ---- how they end ---- */

static void results_tell_how_it_ended(void **state)
{
	static const struct {
		const char *name, *text;
		int result;
		const char *logged;
	} cases[] = {
		{"well", "exit 0\n", 0, "level=debug event=hook key=k on=up path=/tmp"},
		{"badly", "exit 3\n", -EIO, "ended=\"exit status 3\""},
		{"signal", "kill -TERM $$\n", -EIO, "ended=\"ended by signal 15\""},
		{"pipe", "kill -PIPE $$\n", -EIO,
			"ended=\"ended by signal 13\""}, /* not ignored by what we have ignored */
	};
	struct bench *b = *state;

	signal(SIGPIPE, SIG_IGN);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		script(b, cases[i].name, cases[i].text);
		assert_int_equal(ask(b, i, cases[i].name, "up", "k"), 0);
		wait_answers(b, (int)i + 1);
		assert_int_equal(b->answers[i].result, cases[i].result);
		assert_int_equal(lines_logged(b, cases[i].logged, cases[i].name), 1);
	}
}

static void a_file_that_is_no_program_says_why(void **state)
{
	struct bench *b = *state;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/noise", b->stage.folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	dprintf(fd, "#!/nonexistent/interpreter\n");
	close(fd);
	assert_int_equal(ask(b, 1, "noise", "up", "k"), 0);
	wait_answers(b, 1);
	assert_int_equal(b->answers[0].result, -EIO);
	assert_int_equal(lines_logged(b, "says=\"cannot be run: No such file or directory\"", ""), 1);
	assert_int_equal(lines_logged(b, "ended=\"exit status 127\"", ""), 1);
}

static void only_what_is_roots_alone_is_run(void **state)
{
	struct bench *b = *state;
	char path[64];

	if (geteuid() != 0)
		skip();
	script(b, "open", TELL_TWICE);
	script(b, "theirs", TELL_TWICE);
	snprintf(path, sizeof(path), "%s/open", b->stage.folder);
	assert_int_equal(chmod(path, 0775), 0);
	snprintf(path, sizeof(path), "%s/theirs", b->stage.folder);
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_int_equal(ask(b, 1, "open", "up", "k"), 0);
	assert_int_equal(ask(b, 2, "theirs", "up", "k"), 0);
	assert_int_equal(ask(b, 3, "missing", "up", "k"), 0);
	wait_answers(b, 3);
	assert_int_equal(b->answers[0].result, -EACCES);
	assert_int_equal(b->answers[1].result, -EACCES);
	assert_int_equal(b->answers[2].result, -EIO);
	assert_int_equal(lines_logged(b, "ended=\"can be changed by others than root\"", ""), 1);
	assert_int_equal(lines_logged(b, "ended=\"belongs to somebody else than root\"", ""), 1);
	assert_int_equal(lines_logged(b, "ended=\"not there\"", ""), 1);
	assert_int_equal(lines_told(b, ""), 0);
	/* The directory counts, too. */
	assert_int_equal(chmod(b->stage.folder, 0777), 0);
	script(b, "hook", TELL_TWICE);
	assert_int_equal(ask(b, 4, "hook", "up", "k"), 0);
	wait_answers(b, 4);
	assert_int_equal(b->answers[3].result, -EACCES);
	assert_int_equal(lines_told(b, ""), 0);
}

/* It is looked at when its turn has come, not when it was asked for. */
static void a_file_that_changed_while_it_waited_is_not_run(void **state)
{
	struct bench *b = *state;
	char path[64];

	if (geteuid() != 0)
		skip();
	script(b, "slow", WAIT_FOR_GO);
	script(b, "hook", TELL_TWICE);
	assert_int_equal(ask(b, 1, "slow", "slow", "k"), 0);
	assert_int_equal(ask(b, 2, "hook", "up", "k"), 0);
	snprintf(path, sizeof(path), "%s/hook", b->stage.folder);
	assert_int_equal(chmod(path, 0757), 0);
	touch(&b->stage, "go");
	wait_answers(b, 2);
	assert_int_equal(b->answers[1].result, -EACCES);
	assert_int_equal(lines_told(b, "start up"), 0);
}

static void one_that_hangs_is_killed_with_its_children(void **state)
{
	struct bench *b = *state;
	pid_t group;

	b->hooks.patience = 300;
	script(b, "hang", "trap '' TERM; echo $$ > $DIR/group; sleep 1000 & sleep 1000\n");
	script(b, "hook", TELL_TWICE);
	assert_int_equal(ask(b, 1, "hang", "up", "k"), 0);
	assert_int_equal(ask(b, 2, "hook", "down", "k"), 0);
	wait_answers(b, 1);
	assert_int_equal(b->answers[0].result, -EIO);
	assert_int_equal(lines_logged(b, "level=warn", "ended=\"does not end: killed\""), 1);
	group = group_of(&b->stage);
	assert_true(group > 0);
	for (int i = 0; i < 100 && group_lives(group); i++)
		usleep(10000);
	assert_false(group_lives(group));
	b->hooks.patience = HOOK_PATIENCE;
	wait_answers(b, 2);
	assert_int_equal(lines_told(b, "end down"), 1);
}

static void thirty_seconds_are_given(void **state)
{
	struct bench *b = *state;
	msec before = loop_clock();

	script(b, "slow", WAIT_FOR_GO);
	assert_int_equal(hooks_deadline(&b->hooks), MSEC_NEVER);
	assert_int_equal(ask(b, 1, "slow", "up", "k"), 0);
	assert_in_range(hooks_deadline(&b->hooks), before + 30000, loop_clock() + 30000);
	hooks_expire(&b->hooks, before + 29999);
	touch(&b->stage, "go");
	wait_answers(b, 1);
	assert_int_equal(b->answers[0].result, 0);
}

static void what_it_leaves_in_the_background_goes_on(void **state)
{
	struct bench *b = *state;

	script(b, "hook",
		"echo $$ > $DIR/group; (while [ ! -e $DIR/go ]; do sleep 0.01; done; echo later >> "
		"$DIR/told) & echo now\n");
	assert_int_equal(ask(b, 1, "hook", "up", "k"), 0);
	wait_answers(b, 1); /* though somebody still holds its stdout */
	assert_int_equal(b->answers[0].result, 0);
	assert_true(group_lives(group_of(&b->stage)));
	assert_int_equal(lines_logged(b, "says=now", ""), 1);
	touch(&b->stage, "go");
	turn_until_told(b, "later", 1);
}

static void nobody_is_answered_who_is_gone(void **state)
{
	struct bench *b = *state;

	script(b, "hook", TELL_TWICE);
	assert_int_equal(ask(b, 1, "none", "up", "j"), 0); /* has ended */
	assert_int_equal(ask(b, 2, "hook", "up", "k"), 0); /* runs */
	assert_int_equal(ask(b, 3, "hook", "up", "k"), 0); /* waits */
	hooks_forget(&b->hooks);
	wait_until_idle(b);
	assert_int_equal(b->answer_count, 0);
	assert_int_equal(lines_told(b, "end up"), 2);
}

/* ---- what they say ---- */

static void lines_go_to_the_log(void **state)
{
	struct bench *b = *state;

	script(b, "hook", "echo added route; echo; echo oops >&2; printf 'crlf\\r\\n'; printf 'no\\tend'\n");
	assert_int_equal(ask(b, 1, "hook", "up", "alice/0"), 0);
	wait_answers(b, 1);
	assert_int_equal(
		lines_logged(b, "level=info event=hook key=alice/0 on=up path=/tmp", "says=\"added route\""),
		1);
	assert_int_equal(lines_logged(b, "event=hook", "says=oops"), 1);
	assert_int_equal(lines_logged(b, "event=hook", "says=crlf"), 1);
	assert_int_equal(lines_logged(b, "event=hook", "says=\"no"), 1);
	assert_int_equal(lines_logged(b, "says=", ""), 4);
}

static void lines_cannot_forge_the_log(void **state)
{
	struct bench *b = *state;

	script(b, "hook", "printf 'x level=error event=panic \\033[2J\\000 \"quoted\"\\n'\n");
	assert_int_equal(ask(b, 1, "hook", "up", "two words\n\"x\""), 0);
	wait_answers(b, 1);
	assert_int_equal(lines_logged(b, "says=\"x level=error event=panic ", ""), 1);
	assert_null(strchr(b->logged, '\033'));
	assert_int_equal(lines_logged(b, "\nx", ""), 0);
	for (size_t i = 0; i < b->logged_len; i++)
		assert_true(b->logged[i]);
}

static void long_lines_are_broken(void **state)
{
	struct bench *b = *state;

	script(b, "hook", "head -c 600 /dev/zero | tr '\\0' x; echo; echo short\n");
	assert_int_equal(ask(b, 1, "hook", "up", "k"), 0);
	wait_answers(b, 1);
	assert_int_equal(lines_logged(b, "says=xxx", ""), 3);
	assert_int_equal(lines_logged(b, "says=short", ""), 1);
}

static void a_flood_is_limited_and_does_not_block(void **state)
{
	struct bench *b = *state;

	script(b, "hook", "seq 1 50000; echo end >> $DIR/told\n");
	assert_int_equal(ask(b, 1, "hook", "up", "k"), 0);
	wait_answers(b, 1);
	assert_int_equal(b->answers[0].result, 0);
	assert_int_equal(lines_told(b, "end"), 1);
	assert_int_equal(lines_logged(b, "says=", ""), 100);
	assert_int_equal(lines_logged(b, "ended=well lines-not-logged=49900", ""), 1);
}

static void many_hooks_share_the_limit(void **state)
{
	struct bench *b = *state;

	script(b, "hook", "seq 1 100\n");
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(ask(b, i, "hook", "up", "k"), 0);
	wait_answers(b, 10);
	assert_in_range(lines_logged(b, "says=", ""), 200, 300);
}

static void complaints_are_limited(void **state)
{
	struct bench *b = *state;

	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(ask(b, i, "none", "up", "k"), 0);
	assert_in_range(lines_logged(b, "ended=\"not there\"", ""), 50, 60);
	hooks_forget(&b->hooks);
}

static void one_that_closes_its_output_is_not_lost(void **state)
{
	struct bench *b = *state;

	script(b, "hook", "exec >&- 2>&-; while [ ! -e $DIR/go ]; do sleep 0.01; done; exit 5\n");
	assert_int_equal(ask(b, 1, "hook", "up", "k"), 0);
	for (int i = 0; i < 20; i++)
		turn(b);
	assert_int_equal(b->answer_count, 0);
	assert_int_equal(
		hooks_poll(&b->hooks, (struct pollfd[HOOKS_RUNNING]){{0}}), 0); /* the keeper sleeps */
	touch(&b->stage, "go");
	wait_answers(b, 1);
	assert_int_equal(b->answers[0].result, -EIO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hooks_of_one_key_run_in_order),
		TEST(four_keys_at_a_time),
		TEST(a_slow_key_holds_up_no_other),
		TEST(those_that_cannot_be_run_hold_up_nobody),
		TEST(ten_thousand_wait_and_no_more),
		TEST(results_tell_how_it_ended),
		TEST(a_file_that_is_no_program_says_why),
		TEST(only_what_is_roots_alone_is_run),
		TEST(a_file_that_changed_while_it_waited_is_not_run),
		TEST(one_that_hangs_is_killed_with_its_children),
		TEST(thirty_seconds_are_given),
		TEST(what_it_leaves_in_the_background_goes_on),
		TEST(nobody_is_answered_who_is_gone),
		TEST(lines_go_to_the_log),
		TEST(lines_cannot_forge_the_log),
		TEST(long_lines_are_broken),
		TEST(a_flood_is_limited_and_does_not_block),
		TEST(many_hooks_share_the_limit),
		TEST(complaints_are_limited),
		TEST(one_that_closes_its_output_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/log: what arrives in a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/log.h"

/* A log into a pipe, without time stamps, and what was read from it. */
struct fixture {
	struct log log;
	int pipe[2];
	char text[8192];
	char tapped[2048];
};

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	unsetenv("JOURNAL_STREAM");
	if (pipe2(f.pipe, O_NONBLOCK))
		return -1;
	log_init(&f.log, f.pipe[1], LEVEL_INFO);
	f.log.timestamps = false;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->pipe[0]);
	close(f->pipe[1]);
	return 0;
}

/* Everything that was logged since the last call. */
static const char *logged(struct fixture *f)
{
	ssize_t n = read(f->pipe[0], f->text, sizeof(f->text) - 1);

	f->text[n > 0 ? n : 0] = '\0';
	return f->text;
}

static const char *logged_text(struct fixture *f, const void *value, size_t len)
{
	struct log_line l;

	assert_true(log_begin(&f->log, &l, LEVEL_INFO, "up"));
	log_textn(&l, "t", value, len);
	log_end(&l);
	assert_memory_equal(logged(f), "level=info event=up t=", 22);
	return f->text + 22;
}

static void line_has_level_event_and_keys(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr4(192, 0, 2, 1);
	struct prefix p = prefix_of(&a, 24);
	struct endpoint e = {.addr = a, .port = 1701};
	struct log_line l;

	assert_true(log_begin(&f->log, &l, LEVEL_INFO, "up"));
	log_uint(&l, "softwire", UINT64_MAX);
	log_int(&l, "delta", INT64_MIN);
	log_text(&l, "user", "alice");
	log_addr(&l, "inner4", &a);
	log_prefix(&l, "net", &p);
	log_endpoint(&l, "peer", &e);
	log_format(&l, "reason", "%d of %s", 2, "3");
	log_end(&l);
	assert_string_equal(logged(f),
		"level=info event=up softwire=18446744073709551615 delta=-9223372036854775808 user=alice "
		"inner4=192.0.2.1 net=192.0.2.0/24 peer=192.0.2.1:1701 reason=\"2 of 3\"\n");
}

static void level_that_is_off_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct log_line l;

	assert_false(log_begin(&f->log, &l, LEVEL_DEBUG, "up"));
	assert_false(log_begin(NULL, &l, LEVEL_ERROR, "up"));
	log_message(&f->log, LEVEL_DEBUG, "up", "hidden");
	log_message(NULL, LEVEL_ERROR, "up", "hidden");
	assert_string_equal(logged(f), "");
	log_message(&f->log, LEVEL_ERROR, "config", "no such file: %s", "x");
	assert_string_equal(logged(f), "level=error event=config message=\"no such file: x\"\n");
}

static void text_of_peers_is_quoted_and_escaped(void **state)
{
	static const struct {
		const char *value;
		size_t len;
		const char *expected;
	} cases[] = {
		{"alice@example.net", 17, "alice@example.net\n"},
		{"", 0, "\"\"\n"},
		{"a b", 3, "\"a b\"\n"},
		{"a=b", 3, "\"a=b\"\n"},
		{"x event=up user=root", 20, "\"x event=up user=root\"\n"},
		{"\" forged=\"1", 11, "\"\\\" forged=\\\"1\"\n"},
		{"back\\slash", 10, "\"back\\\\slash\"\n"},
		{"line\nlevel=error", 16, "\"line\\nlevel=error\"\n"},
		{"\r\t\33[2J", 6, "\"\\r\\t\\x1b[2J\"\n"},
		{"nul\0nul", 7, "\"nul\\x00nul\"\n"},
		{"\x7f\x80\x9b\xff", 4, "\"\\x7f\\x80\\x9b\\xff\"\n"},
		{"\xc3\xa4", 2, "\"\\xc3\\xa4\"\n"},
		{NULL, 0, "\"\"\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(logged_text(*state, cases[i].value, cases[i].len), cases[i].expected);
}

static void long_text_is_cut_at_256_bytes(void **state)
{
	char value[300], expected[300];

	memset(value, 'x', sizeof(value));
	snprintf(expected, sizeof(expected), "%.256s\n", value);
	assert_string_equal(logged_text(*state, value, 256), expected);
	snprintf(expected, sizeof(expected), "\"%.256s...\"\n", value);
	assert_string_equal(logged_text(*state, value, 257), expected);
}

static void long_line_ends_in_dots_and_newline(void **state)
{
	struct fixture *f = *state;
	struct log_line l;
	uint8_t binary[256];

	memset(binary, 0xff, sizeof(binary)); /* four characters each */
	assert_true(log_begin(&f->log, &l, LEVEL_INFO, "up"));
	log_text(&l, "first", "kept");
	log_textn(&l, "binary", binary, sizeof(binary));
	log_text(&l, "last", "dropped");
	log_end(&l);
	logged(f);
	assert_int_equal(strlen(f->text), LOG_LINE);
	assert_non_null(strstr(f->text, " first=kept "));
	assert_null(strstr(f->text, "last"));
	assert_string_equal(f->text + LOG_LINE - 4, "...\n");
}

static void long_sentence_is_cut(void **state)
{
	struct fixture *f = *state;
	char value[2000];

	memset(value, 'y', sizeof(value));
	log_message(&f->log, LEVEL_INFO, "up", "%.*s", 768, value);
	assert_int_equal(strlen(logged(f)), strlen("level=info event=up message=\n") + 768);
	log_message(&f->log, LEVEL_INFO, "up", "%.*s", 2000, value);
	assert_int_equal(strlen(logged(f)), strlen("level=info event=up message=\"...\"\n") + 768);
}

static void errno_survives(void **state)
{
	struct fixture *f = *state;

	errno = ENOENT;
	log_message(&f->log, LEVEL_INFO, "up", "%m");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(logged(f), "level=info event=up message=\"No such file or directory\"\n");
	close(f->pipe[1]);
	errno = ENOENT;
	log_message(&f->log, LEVEL_INFO, "up", "nobody reads");
	assert_int_equal(errno, ENOENT);
	f->pipe[1] = -1;
}

static void tap(struct log *log, const char *line, size_t len)
{
	struct fixture *f = log->tap_owner;

	snprintf(f->tapped, sizeof(f->tapped), "%.*s", (int)len, line);
	errno = EIO;
}

static void tap_gets_the_line_without_priority_and_newline(void **state)
{
	struct fixture *f = *state;

	f->log.tap = tap;
	f->log.tap_owner = f;
	f->log.priority = true;
	log_message(&f->log, LEVEL_WARN, "up", "x");
	assert_string_equal(f->tapped, "level=warn event=up message=x");
	assert_string_equal(logged(f), "<4>level=warn event=up message=x\n");
	f->log.fd = -1;
	log_message(&f->log, LEVEL_INFO, "down", "y");
	assert_string_equal(f->tapped, "level=info event=down message=y");
	assert_string_equal(logged(f), "");
}

static void journal_gets_priorities_and_no_time(void **state)
{
	struct fixture *f = *state;
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(f->pipe[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init(&f->log, f->pipe[1], LEVEL_DEBUG);
	log_message(&f->log, LEVEL_ERROR, "a", "x");
	log_message(&f->log, LEVEL_DEBUG, "b", "x");
	assert_string_equal(
		logged(f), "<3>level=error event=a message=x\n<7>level=debug event=b message=x\n");

	setenv("JOURNAL_STREAM", "1:2", 1); /* of our parent, but this descriptor was redirected */
	log_init(&f->log, f->pipe[1], LEVEL_DEBUG);
	assert_false(f->log.priority);
	assert_true(f->log.timestamps);
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_init(&f->log, f->pipe[1], LEVEL_DEBUG);
	assert_false(f->log.priority);
}

static void time_comes_first_and_is_utc(void **state)
{
	struct fixture *f = *state;
	int year, month, day, hour, minute, second, ms, end = 0;

	f->log.timestamps = true;
	log_message(&f->log, LEVEL_INFO, "up", "x");
	sscanf(logged(f), "time=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour, &minute,
		&second, &ms, &end);
	assert_int_equal(end, 30);
	assert_string_equal(f->text + end, "level=info event=up message=x\n");
}

static void levels_have_names(void **state)
{
	enum log_level level = LEVEL_WARN;

	for (int i = LEVEL_ERROR; i <= LEVEL_DEBUG; i++) {
		assert_int_equal(log_level_parse(log_level_name((enum log_level)i), &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_level_parse("verbose", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(level, LEVEL_DEBUG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(line_has_level_event_and_keys),
		TEST(level_that_is_off_writes_nothing),
		TEST(text_of_peers_is_quoted_and_escaped),
		TEST(long_text_is_cut_at_256_bytes),
		TEST(long_line_ends_in_dots_and_newline),
		TEST(long_sentence_is_cut),
		TEST(errno_survives),
		TEST(tap_gets_the_line_without_priority_and_newline),
		TEST(journal_gets_priorities_and_no_time),
		TEST(time_comes_first_and_is_utc),
		TEST(levels_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

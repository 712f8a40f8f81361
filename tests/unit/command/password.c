/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords from files and descriptors. (From the terminal: the lab.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/connect.h"

static const struct target alice = {.user = "alice", .host = "sc"};

static bool from_pipe(const char *text, size_t len, char secret[PASSWORD_MAX + 1], size_t *ret_len, char why[160])
{
	struct connect_options o = {.password_fd = {.given = true}};
	int ends[2];
	bool ok;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, len), len);
	close(ends[1]);
	o.password_fd.value = (uint32_t)ends[0];
	ok = password_get(&o, &alice, secret, ret_len, why);
	close(ends[0]);
	return ok;
}

static void a_descriptor_gives_one_line(void **state)
{
	static const char *const rows[][2] = {{"secret\n", "secret"}, {"secret", "secret"}, {"se cret\r\n", "se cret"}, {"one\ntwo\n", "one"}};
	char secret[PASSWORD_MAX + 1], why[160] = "", full[PASSWORD_MAX + 2];
	size_t len;

	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++) {
		assert_true(from_pipe(rows[n][0], strlen(rows[n][0]), secret, &len, why));
		assert_string_equal(secret, rows[n][1]);
		assert_int_equal(len, strlen(rows[n][1]));
	}
	memset(full, 'x', sizeof(full));
	assert_true(from_pipe(full, PASSWORD_MAX, secret, &len, why));
	assert_int_equal(len, PASSWORD_MAX);
	assert_false(from_pipe(full, PASSWORD_MAX + 1, secret, &len, why));
	assert_non_null(strstr(why, "more than 255"));
	assert_false(from_pipe("\n", 1, secret, &len, why));
	assert_non_null(strstr(why, "no password"));
	assert_false(from_pipe("\r\n", 2, secret, &len, why));
	assert_false(from_pipe("", 0, secret, &len, why));
}

static void a_closed_descriptor_gives_a_reason(void **state)
{
	struct connect_options o = {.password_fd = {.given = true, .value = 999}};
	char secret[PASSWORD_MAX + 1], why[160] = "";
	size_t len;

	assert_false(password_get(&o, &alice, secret, &len, why));
	assert_non_null(strstr(why, "cannot be read"));
}

static void a_file_that_others_can_read_is_refused(void **state)
{
	char path[] = "/tmp/unit-password-XXXXXX", secret[PASSWORD_MAX + 1], why[160] = "";
	struct connect_options o = {.password_file = path};
	int fd = mkstemp(path);
	size_t len;

	assert_int_equal(write(fd, "secret\n", 7), 7);
	assert_true(password_get(&o, &alice, secret, &len, why));
	assert_string_equal(secret, "secret");
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_false(password_get(&o, &alice, secret, &len, why));
	assert_non_null(strstr(why, "0644"));
	unlink(path);
	close(fd);
	assert_false(password_get(&o, &alice, secret, &len, why));
	assert_non_null(strstr(why, "No such file"));
}

static void what_is_kept_can_be_opened_again_and_again(void **state)
{
	int fd = password_keep("secret", 6);
	char path[32], buf[16];
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int n = 0; n < 2; n++) {
		FILE *f = fopen(path, "r");

		assert_non_null(f);
		assert_int_equal(fread(buf, 1, sizeof(buf), f), 6);
		assert_memory_equal(buf, "secret", 6);
		fclose(f);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_descriptor_gives_one_line),
		cmocka_unit_test(a_closed_descriptor_gives_a_reason),
		cmocka_unit_test(a_file_that_others_can_read_is_refused),
		cmocka_unit_test(what_is_kept_can_be_opened_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of instances, and where their files are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "control/instance.h"

static void names_cannot_leave_their_directory(void **state)
{
	static const char *const good[] = {"a", "concentrator", "sc-2", "_x", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"};
	static const char *const bad[] = {"", "-a", "a/b", "..", "a.b", "a b", "a\n", "\xc3\xa4", "a%i",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"};

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(instance_is_name(good[i]));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(instance_is_name(bad[i]));
}

static void paths_of_the_only_one_and_of_others(void **state)
{
	char path[64];

	assert_true(instance_path(INSTANCE_RUNTIME, "", INSTANCE_SOCKET, path, sizeof(path)));
	assert_string_equal(path, "/run/softwired/control.sock");
	assert_true(instance_path(INSTANCE_RUNTIME, "east", INSTANCE_SOCKET, path, sizeof(path)));
	assert_string_equal(path, "/run/softwired-east/control.sock");
	assert_true(instance_path(INSTANCE_STATE, "east", "", path, sizeof(path)));
	assert_string_equal(path, "/var/lib/softwired-east");
	assert_false(instance_path(INSTANCE_STATE, "east", "", path, 23));
	assert_true(instance_path(INSTANCE_STATE, "east", "", path, 24));
	instance_config("", path);
	assert_string_equal(path, "/etc/softwire/softwired.conf");
	instance_config("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", path);
	assert_string_equal(path, "/etc/softwire/ABCDEFGHIJKLMNOPQRSTUVWXYZ012345.conf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_cannot_leave_their_directory),
		cmocka_unit_test(paths_of_the_only_one_and_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

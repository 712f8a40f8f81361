/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files may be run as root: everything on the way to them counts. */
#include <errno.h>
#include <sys/stat.h>

#include "keeper/trust.h"
#include "stage.h"

enum { SOMEBODY = 12345 };

struct tree {
	char top[32]; /* /tmp/trust-XXXXXX */
	char program[64], folder[64], link[64], path[128];
};

static void make_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(path, mode), 0);
}

/* top/folder/program, and top/link -> folder; what is looked at is PATH. */
static struct tree *grow(void **state)
{
	struct tree *t = *state;

	*t = (struct tree){.top = "/tmp/trust-XXXXXX"};
	assert_non_null(mkdtemp(t->top));
	assert_int_equal(chmod(t->top, 0755), 0);
	snprintf(t->folder, sizeof(t->folder), "%s/folder", t->top);
	snprintf(t->link, sizeof(t->link), "%s/link", t->top);
	snprintf(t->program, sizeof(t->program), "%s/folder/program", t->top);
	assert_int_equal(mkdir(t->folder, 0755), 0);
	make_file(t->program, 0755);
	assert_int_equal(symlink("folder", t->link), 0);
	snprintf(t->path, sizeof(t->path), "%s", t->program);
	return t;
}

static void fell(const struct tree *t)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", t->top);
	administer(command);
}

/* ---- what is done to the tree ---- */

static void nothing(struct tree *t)
{
}

static void program_of_somebody(struct tree *t)
{
	assert_int_equal(chown(t->program, SOMEBODY, 0), 0);
}

static void program_for_its_group(struct tree *t)
{
	assert_int_equal(chmod(t->program, 0775), 0);
}

static void program_for_everybody(struct tree *t)
{
	assert_int_equal(chmod(t->program, 0757), 0);
}

static void program_not_executable(struct tree *t)
{
	assert_int_equal(chmod(t->program, 0644), 0);
}

static void program_missing(struct tree *t)
{
	assert_int_equal(unlink(t->program), 0);
}

static void program_is_a_fifo(struct tree *t)
{
	program_missing(t);
	assert_int_equal(mkfifo(t->program, 0755), 0);
}

static void program_is_a_directory(struct tree *t)
{
	snprintf(t->path, sizeof(t->path), "%s", t->folder);
}

static void program_is_the_root(struct tree *t)
{
	snprintf(t->path, sizeof(t->path), "/");
}

static void program_with_a_slash(struct tree *t)
{
	snprintf(t->path, sizeof(t->path), "%s/", t->program);
}

static void program_below_a_program(struct tree *t)
{
	snprintf(t->path, sizeof(t->path), "%s/x", t->program);
}

static void folder_of_somebody(struct tree *t)
{
	assert_int_equal(chown(t->folder, SOMEBODY, 0), 0);
}

static void folder_for_its_group(struct tree *t)
{
	assert_int_equal(chmod(t->folder, 0775), 0);
}

static void folder_for_everybody(struct tree *t)
{
	assert_int_equal(chmod(t->folder, 0777), 0);
}

static void folder_like_tmp(struct tree *t)
{
	assert_int_equal(chmod(t->folder, 01777), 0);
}

static void top_for_everybody(struct tree *t)
{
	assert_int_equal(chmod(t->top, 0777), 0);
}

static void over_a_link(struct tree *t)
{
	snprintf(t->path, sizeof(t->path), "%s/program", t->link);
}

static void over_a_link_of_somebody(struct tree *t)
{
	over_a_link(t);
	assert_int_equal(lchown(t->link, SOMEBODY, 0), 0);
}

static void over_a_link_to_a_folder_for_everybody(struct tree *t)
{
	over_a_link(t);
	folder_for_everybody(t);
}

/* top/folder/program -> /usr/bin/env, which is a file of root's wherever that really is. */
static void is_a_link_to_elsewhere(struct tree *t)
{
	program_missing(t);
	assert_int_equal(symlink("/usr/bin/env", t->program), 0);
}

static void is_a_link_in_a_folder_for_everybody(struct tree *t)
{
	is_a_link_to_elsewhere(t);
	folder_for_everybody(t);
}

static void is_a_link_to_itself(struct tree *t)
{
	program_missing(t);
	assert_int_equal(symlink("program", t->program), 0);
}

static void dots_on_the_way(struct tree *t)
{
	snprintf(t->path, sizeof(t->path), "/..//%s/./link/../folder/program", t->top + 1);
}

static void name_that_is_too_long(struct tree *t)
{
	memset(t->path, 'x', 100);
	t->path[0] = '/';
}

/* ---- */

static void trusts_what_nobody_but_root_can_change(void **state)
{
	static const struct {
		void (*change)(struct tree *t);
		const char *name;
		int error; /* 0: trusted */
	} cases[] = {
#define CASE(what, error) {what, #what, error}
		CASE(nothing, 0),
		CASE(program_of_somebody, -EACCES),
		CASE(program_for_its_group, -EACCES),
		CASE(program_for_everybody, -EACCES),
		CASE(program_not_executable, -ENOEXEC),
		CASE(program_missing, -ENOENT),
		CASE(program_is_a_fifo, -EINVAL),
		CASE(program_is_a_directory, -EISDIR),
		CASE(program_is_the_root, -EISDIR),
		CASE(program_with_a_slash, 0),
		CASE(program_below_a_program, -ENOTDIR),
		CASE(folder_of_somebody, -EACCES),
		CASE(folder_for_its_group, -EACCES),
		CASE(folder_for_everybody, -EACCES),
		CASE(folder_like_tmp, 0),
		CASE(top_for_everybody, -EACCES),
		CASE(over_a_link, 0),
		CASE(over_a_link_of_somebody, -EACCES),
		CASE(over_a_link_to_a_folder_for_everybody, -EACCES),
		CASE(is_a_link_to_elsewhere, 0),
		CASE(is_a_link_in_a_folder_for_everybody, -EACCES),
		CASE(is_a_link_to_itself, -ELOOP),
		CASE(dots_on_the_way, 0),
		CASE(name_that_is_too_long, -ENOENT),
	};

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree *t = grow(state);
		const char *why;
		int error = 0;

		cases[i].change(t);
		why = trust_program(t->path, &error);
		fell(t);
		if (error != cases[i].error || !why != !cases[i].error)
			fail_msg("%s: %s (%d)", cases[i].name, why ? why : "trusted", error);
	}
}

/* Walking loses no descriptor, however it ends. */
static void closes_what_it_opens(void **state)
{
	int before = dup(0), error, after;

	close(before);
	for (int i = 0; i < 20; i++) {
		(void)trust_program("/usr/bin/env", &error);
		(void)trust_program("/usr/bin/nothing-like-this", &error);
		(void)trust_program("/usr/bin", &error);
	}
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

int main(void)
{
	struct tree tree;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(trusts_what_nobody_but_root_can_change, &tree),
		cmocka_unit_test(closes_what_it_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the tests of aaa share: users files that exist in memory only, and what was told about them. */
#ifndef TEST_AAA_FIXTURE_H
#define TEST_AAA_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aaa/aaa.h"

/* All errors of one file, a line each, as they were told. */
struct told {
	unsigned count;
	char text[8192];
};

static inline void tell(void *owner, const char *file, unsigned line, const char *text)
{
	struct told *t = owner;
	size_t used = strlen(t->text);

	t->count++;
	snprintf(t->text + used, sizeof(t->text) - used, "%s:%u: %s\n", file, line, text);
}

static inline int file_of(const void *data, size_t len)
{
	int fd = memfd_create("users", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, 0600), 0);
	return fd;
}

static inline int load(struct aaa *a, const char *text, struct told *told)
{
	int fd = file_of(text, strlen(text));
	int rc = aaa_load_users(a, fd, "users.conf", tell, told);

	close(fd);
	return rc;
}

static inline void load_good(struct aaa *a, const char *text)
{
	struct told told = {0};

	if (load(a, text, &told))
		fail_msg("%s", told.text);
	assert_int_equal(told.count, 0);
}

#endif

/* What the administrator does with iproute2, and sees: a view that is not our own. */
#ifndef TESTS_NETLINK_LOOK_H
#define TESTS_NETLINK_LOOK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOREVER 0xffffffffU

/* Runs a command of the administrator's. */
static inline void administer(const char *command)
{
	if (system(command) != 0) /* NOLINT(cert-env33-c) */
		fail_msg("failed: %s", command);
}

/* How many lines of COMMAND's output have both; "" matches all. */
static inline int shown(const char *command, const char *a, const char *b)
{
	char line[512];
	int count = 0;
	FILE *f = popen(command, "re"); /* NOLINT(cert-env33-c) */

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, a) && strstr(line, b))
			count++;
	pclose(f);
	return count;
}

#endif

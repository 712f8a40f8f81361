/*
 * What a role does in a test's process, apart from what the test does itself: only that may fail (inject.h).
 *
 * Armed, everything that runs in the role's loop may fail, and what the test runs between inject_on(true) and inject_on(false). The keeper is the
 * test's: its own calls do not fail, but it may refuse as a whole, and what its answers lead to may fail.
 */
#ifndef TESTS_FAULT_ROLE_H
#define TESTS_FAULT_ROLE_H

#include <errno.h>

#include "inject.h"
#include "keeper/keeper.h"
#include "lib/loop.h"

/* L: the role's loop; NULL: nothing fails any more. */
void role_arm(struct loop *l);
bool role_is_armed(void);

struct role_answer {
	int result, fd;
};

/* A keeper_answer that keeps what OWNER, a struct role_answer, is told. */
void role_keep_answer(void *owner, int result, int fd);

/* Wraps a function of the fixture's keeper; the arguments are those before ANSWER. */
#define KEEPER(name, parameters, ...)                                         \
	void __real_##name parameters;                                        \
	void __wrap_##name parameters;                                        \
	void __wrap_##name parameters                                         \
	{                                                                     \
		struct role_answer a = {0, -1};                               \
		bool before;                                                  \
                                                                              \
		if (inject_system(#name)) {                                   \
			if (answer)                                           \
				answer(owner, -ENOBUFS, -1);                  \
			return;                                               \
		}                                                             \
		before = inject_on(false);                                    \
		__real_##name(__VA_ARGS__, role_keep_answer, &a);             \
		inject_on(before);                                            \
		if (answer)                                                   \
			answer(owner, a.result, a.fd);                        \
	}

#endif

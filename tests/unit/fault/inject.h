/*
 * Failure injection: the N-th allocation, or the N-th system call, of a role fails, for every N that a scene has.
 *
 * A program of this folder is linked with wrappers (--wrap) around what the daemon's folders call: fault_calls in meson.build. They
 * fail only in the main thread and only while inject_on() is in force, which the wrappers of the keeper and of the test's loop see to: what the
 * test itself, its peers and its keeper do never fails. (The thread that commits leases has failures of its own in tests/unit/lease.)
 *
 * A sweep runs a scene in a child process: once to count, then once for each N. A child must end with status 0: nothing has crashed,
 * and everything that the scene asserts about the time after the failure was true.
 *
 *   INJECT_AT=memory:17 unit_fault_concentrator    only that one, in a child all the same
 *   INJECT_VERBOSE=1                               tells what failed where
 */
#ifndef TESTS_FAULT_INJECT_H
#define TESTS_FAULT_INJECT_H

#include <stdbool.h>

enum inject_kind { INJECT_MEMORY, INJECT_SYSTEM, INJECT_KINDS };

/* Between two calls of the test: from now on calls may fail, or not any more. Returns what was in force before. */
bool inject_on(bool on);
/* For wrappers that a fixture has anyway: shall this system call fail? */
bool inject_system(const char *what);
/* Has the failure of this run happened? */
bool inject_happened(void);
struct inject_scene {
	const char *name; /* what is promised */
	void (*run)(void);
	bool no_memory; /* it allocates nothing */
};
/* Runs each scene for every call of each kind, as tests; those that went wrong are told with their numbers. What main() returns. */
int inject_main(const char *name, const struct inject_scene *scenes, unsigned count);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See inject.h. */
#include "inject.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

enum { CHILD_SECONDS = 60, DEPTH = 12, AT_ONCE = 4, SCENES = 8, NAME = 96 };

static const char *const kind_names[INJECT_KINDS] = {"memory", "system"};

/* What parent and child both see. */
struct shared {
	unsigned count; /* calls of the kind so far */
	char what[64];	/* what failed */
	void *where[DEPTH];
	int depth;
};

static struct shared *slots; /* of AT_ONCE children */
static struct shared *shared; /* in a child: its own */
static enum inject_kind chosen;
static unsigned fail_at; /* 0: only count */
static _Thread_local bool on;

bool inject_on(bool now)
{
	bool before = on;

	on = now;
	return before;
}

bool inject_happened(void)
{
	return fail_at && shared->count >= fail_at;
}

/* Is it this call's turn? */
static bool fails(enum inject_kind kind, const char *what)
{
	if (!on || !shared || kind != chosen || ++shared->count != fail_at)
		return false;
	on = false;
	snprintf(shared->what, sizeof(shared->what), "%s", what);
	shared->depth = backtrace(shared->where, DEPTH);
	on = true;
	return true;
}

bool inject_system(const char *what)
{
	return fails(INJECT_SYSTEM, what);
}

/* ---- what may fail ---- */

#define WRAP(type, name, parameters) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

#define MEMORY(type, name, parameters, arguments) \
	WRAP(type, name, parameters) \
	{ \
		return fails(INJECT_MEMORY, #name) ? NULL : __real_##name arguments; \
	}

MEMORY(void *, malloc, (size_t size), (size))
MEMORY(void *, calloc, (size_t n, size_t size), (n, size))
MEMORY(void *, realloc, (void *old, size_t size), (old, size))
MEMORY(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size))
MEMORY(char *, strdup, (const char *s), (s))
MEMORY(char *, strndup, (const char *s, size_t n), (s, n))

#define SYSTEM(type, error, failure, name, parameters, arguments) \
	WRAP(type, name, parameters) \
	{ \
		if (!fails(INJECT_SYSTEM, #name)) \
			return __real_##name arguments; \
		errno = error; \
		return failure; \
	}

SYSTEM(int, EMFILE, -1, socket, (int family, int type, int protocol), (family, type, protocol))
SYSTEM(int, EADDRINUSE, -1, bind, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len))
SYSTEM(int, ENETUNREACH, -1, connect, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len))
SYSTEM(int, ENOBUFS, -1, getsockname, (int fd, struct sockaddr *ret, socklen_t *len), (fd, ret, len))
SYSTEM(int, EINVAL, -1, getsockopt, (int fd, int level, int option, void *ret, socklen_t *len), (fd, level, option, ret, len))
SYSTEM(ssize_t, ENOBUFS, -1, send, (int fd, const void *data, size_t len, int flags), (fd, data, len, flags))
SYSTEM(ssize_t, ENOBUFS, -1, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
SYSTEM(int, EPERM, -1, sendmmsg, (int fd, struct mmsghdr *m, unsigned n, int flags), (fd, m, n, flags))
SYSTEM(ssize_t, ENOBUFS, -1, recv, (int fd, void *data, size_t len, int flags), (fd, data, len, flags))
SYSTEM(ssize_t, ENOMEM, -1, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
SYSTEM(int, ENOMEM, -1, recvmmsg, (int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *t), (fd, m, n, flags, t))
SYSTEM(ssize_t, EINTR, -1, read, (int fd, void *data, size_t len), (fd, data, len))
SYSTEM(ssize_t, ENOBUFS, -1, write, (int fd, const void *data, size_t len), (fd, data, len))
SYSTEM(int, EMFILE, -1, dup, (int fd), (fd))
SYSTEM(int, ENOSPC, -1, rename, (const char *from, const char *to), (from, to))
SYSTEM(FILE *, ENOMEM, NULL, fdopen, (int fd, const char *mode), (fd, mode))
/* With 64-bit offsets the C library's headers give these other names, and the linker knows them by those. */
SYSTEM(ssize_t, EIO, -1, pread64, (int fd, void *data, size_t len, off_t at), (fd, data, len, at))
SYSTEM(int, EIO, -1, fstat64, (int fd, struct stat *ret), (fd, ret))
SYSTEM(int, ENOSPC, -1, fallocate64, (int fd, int mode, off_t at, off_t len), (fd, mode, at, len))
SYSTEM(FILE *, EMFILE, NULL, fopen64, (const char *path, const char *mode), (path, mode))
SYSTEM(void *, ENOMEM, MAP_FAILED, mmap64, (void *at, size_t len, int protection, int flags, int fd, off_t offset),
	(at, len, protection, flags, fd, offset))

/* libuv answers with -errno. (uv_poll_start() cannot fail: it only notes what is wanted.) */
#define LOOP(name, parameters, arguments) \
	WRAP(int, name, parameters) \
	{ \
		return fails(INJECT_SYSTEM, #name) ? UV_ENOMEM : __real_##name arguments; \
	}

LOOP(uv_poll_init, (uv_loop_t *loop, uv_poll_t *h, int fd), (loop, h, fd))
LOOP(uv_async_init, (uv_loop_t *loop, uv_async_t *h, uv_async_cb cb), (loop, h, cb))
LOOP(uv_mutex_init, (uv_mutex_t *m), (m))
LOOP(uv_cond_init, (uv_cond_t *c), (c))
LOOP(uv_thread_create, (uv_thread_t *t, uv_thread_cb entry, void *arg), (t, entry, arg))

/* jansson's memory is ours, too. */
static void *json_memory(size_t size)
{
	return fails(INJECT_MEMORY, "json") ? NULL : __real_malloc(size);
}

/* ---- sweeping ---- */

/* A child whose asserts end it: there is no test in it that could go on. */
static void be_child(enum inject_kind kind, unsigned at, void (*scene)(void))
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

	for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_DFL);
	prctl(PR_SET_TIMERSLACK, 1); /* short naps are short */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	alarm(CHILD_SECONDS);
	chosen = kind;
	fail_at = at;
	json_set_alloc_funcs(json_memory, free);
	scene();
	exit(0);
}

/* What runs. */
struct child {
	pid_t pid; /* 0: nothing */
	unsigned at;
};

static void child_start(struct child *c, struct shared *slot, enum inject_kind kind, unsigned at, void (*scene)(void))
{
	memset(slot, 0, sizeof(*slot));
	fflush(NULL);
	c->at = at;
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (c->pid)
		return;
	shared = slot;
	be_child(kind, at, scene);
}

static bool child_end(struct child *c, struct shared *slot, enum inject_kind kind, int status)
{
	bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	c->pid = 0;
	if (ok && !getenv("INJECT_VERBOSE"))
		return true;
	fprintf(stderr, "%s:%u %s, status %#x\n", kind_names[kind], c->at, *slot->what ? slot->what : "(nothing failed)",
		(unsigned)status);
	backtrace_symbols_fd(slot->where, slot->depth, STDERR_FILENO);
	return ok;
}

/* INJECT_AT names another one than this. */
static bool is_unwanted(enum inject_kind kind, unsigned at)
{
	const char *only = getenv("INJECT_AT");
	char text[32];

	snprintf(text, sizeof(text), "%s:%u", kind_names[kind], at);
	return only && strcmp(only, text) != 0;
}

/* Waits for one of them. False: it went wrong. */
static bool wait_for_one(struct child children[AT_ONCE], enum inject_kind kind)
{
	int status;
	pid_t pid = wait(&status);

	for (unsigned i = 0; i < AT_ONCE; i++)
		if (children[i].pid == pid)
			return child_end(&children[i], &slots[i], kind, status);
	fail_msg("a stranger's child");
	return false;
}

static unsigned count_calls(enum inject_kind kind, void (*scene)(void))
{
	struct child children[AT_ONCE] = {0};

	child_start(&children[0], &slots[0], kind, 0, scene);
	if (!wait_for_one(children, kind))
		fail_msg("the scene fails by itself");
	return slots[0].count;
}

static void sweep(enum inject_kind kind, void (*scene)(void))
{
	struct child children[AT_ONCE] = {0};
	unsigned total, at = 1, running = 0, bad = 0;

	slots = mmap(NULL, AT_ONCE * sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(slots != MAP_FAILED);
	total = count_calls(kind, scene);
	assert_true(total > 0);
	while (at <= total || running) {
		unsigned i = 0;

		while (i < AT_ONCE && children[i].pid)
			i++;
		if (at <= total && is_unwanted(kind, at)) {
			at++;
		} else if (at <= total && i < AT_ONCE) {
			child_start(&children[i], &slots[i], kind, at++, scene);
			running++;
		} else {
			bad += !wait_for_one(children, kind);
			running--;
		}
	}
	munmap(slots, AT_ONCE * sizeof(*slots));
	printf("%u calls of %s\n", total, kind_names[kind]);
	if (bad)
		fail_msg("%u of %u failures of %s were not survived", bad, total, kind_names[kind]);
}

/* ---- as tests ---- */

struct sweep {
	enum inject_kind kind;
	const struct inject_scene *scene;
};

static void run_sweep(void **state)
{
	const struct sweep *s = *state;

	sweep(s->kind, s->scene->run);
}

int inject_main(const char *name, const struct inject_scene *scenes, unsigned count)
{
	struct sweep sweeps[SCENES * INJECT_KINDS];
	struct CMUnitTest tests[SCENES * INJECT_KINDS];
	char names[SCENES * INJECT_KINDS][NAME];
	size_t n = 0;

	assert_true(count <= SCENES);
	for (unsigned i = 0; i < count; i++)
		for (unsigned kind = 0; kind < INJECT_KINDS; kind++) {
			if (kind == INJECT_MEMORY && scenes[i].no_memory)
				continue;
			snprintf(names[n], NAME, "%s (%s)", scenes[i].name, kind_names[kind]);
			sweeps[n] = (struct sweep){(enum inject_kind)kind, &scenes[i]};
			tests[n] = (struct CMUnitTest){.name = names[n], .test_func = run_sweep, .initial_state = &sweeps[n]};
			n++;
		}
	return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}

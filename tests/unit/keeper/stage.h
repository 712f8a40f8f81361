/*
 * A stage for the keeper: it runs in a child process in a fresh network namespace, with an engine that the test wrote, a policy and
 * a folder of its own. Engine and test share memory; asserts belong to the test, the engine only notes down.
 */
#ifndef TESTS_KEEPER_STAGE_H
#define TESTS_KEEPER_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#include <cmocka.h>

#include "../netlink/look.h"
#include "../netlink/namespace.h"
#include "keeper/keeper.h"

enum { STAGE_NOTES = 64 };

/* Shared by all processes of a test. */
struct notes {
	volatile int lives;     /* engine processes so far */
	volatile int ready, go; /* the engine waits for GO after setting READY */
	volatile int count;
	volatile int results[STAGE_NOTES];
	volatile int values[STAGE_NOTES];
	volatile pid_t engine;
};

struct stage {
	struct notes *notes;
	char folder[32]; /* /tmp/keeper-XXXXXX, root's */
	char file[64], directory[64], control[64], runtime[64];
	struct keeper_resolvers resolvers; /* none: the machine's own is not for tests */
	const char *files[4];
	const char *directories[1];
	const char *tuns[2];
	const char *lans[3];
	const char *bridges[1];
	const char *hooks[2];
	struct endpoint udp[4];
	struct endpoint tcp[2];
	struct keeper_policy policy;
	struct log log;
	pid_t keeper;
	bool as_nobody; /* the keeper itself is not root */
	int (*engine)(struct stage *s, int fd);
	void (*enter)(struct stage *s); /* in the keeper's process, before it begins; or NULL */
	void *more;			/* the test's own */
	int lan; /* a TAP, lan0, up; -1 where it is not wanted */
};

/* Skips the test where there is no root. */
struct stage *stage_new(bool with_lan);
void stage_free(struct stage *s);
/* Starts the keeper with ENGINE. */
void stage_start(struct stage *s, int (*engine)(struct stage *s, int fd));
/* Waits for its end: the exit status, or minus the signal. */
int stage_end(struct stage *s);
/* Waits up to 5 s for *WHAT to be at least VALUE. */
bool stage_wait(volatile int *what, int value);

/* ---- in the engine: requests that wait for their answer ---- */

struct actor {
	struct loop loop;
	struct keeper_client *client;
	bool answered, lost;
	int result, fd;
};

void actor_init(struct actor *a, int fd);
void actor_done(struct actor *a);
/* To be handed to a request with A as its owner. */
void actor_answer(void *owner, int result, int fd);
/* Runs the loop until that was called; the result, and the descriptor in a->fd. */
int actor_wait(struct actor *a);
/* Notes RESULT down as the next one. */
void note(struct stage *s, int result);
/* Sets READY and waits for GO. */
void pause_for_test(struct stage *s);
int sleep_for_ever(void);

#define ASK(actor, request, ...)                                                                             \
	(request((actor)->client, ##__VA_ARGS__, actor_answer, (actor)), actor_wait(actor))

/* Says in the engine that it has come to N, and waits for the test to let it go on. */
void reach(struct stage *s, int n);
/* In the test: what the engine does up to N is done when it returns. */
void let_reach(struct stage *s, int n);

/* ---- programs that the keeper runs, and what they write to the file "told" in the stage's folder ---- */

enum { TOLD = 4096 };

/* A shell script in the stage's folder that knows it as $DIR: its path, to be freed. */
const char *program(struct stage *s, const char *name, const char *script);
const char *told(const struct stage *s, char text[TOLD]);
/* Waits up to 5 s for exactly that. */
void wait_told(const struct stage *s, const char *expected);
/* An empty file in the stage's folder. */
void touch(const struct stage *s, const char *name);
int64_t milliseconds(void);
/* The number in the file "group"; 0. */
pid_t group_of(const struct stage *s);
/* Somebody in it lives. (Whoever is the reaper here may leave an orphan as a zombie: that is dead enough.) */
bool group_lives(pid_t group);

struct addr to_addr(const char *text);
struct prefix to_prefix(const char *text);
struct endpoint to_endpoint(const char *text);

#endif

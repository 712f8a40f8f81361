/*
 * loop: libuv glue. One loop per worker; it drives the worker's timer wheel with the monotonic clock.
 *
 * A worker's wheel advances once per loop iteration and once when its next deadline is due. Descriptors are
 * watched with loop_watch (uv_poll); their sockets are read and written in batches by their owners. Before the
 * loop sleeps, the owners' flush functions run (loop_flush_add), so that what an iteration produced goes out
 * in one batch.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <uv.h>

#include "lib/container.h"
#include "lib/wheel.h"

struct loop_flush {
	struct loop_flush *next;
	void (*run)(struct loop_flush *f);
};

struct loop {
	uv_loop_t uv;
	uv_timer_t tick;
	uv_prepare_t prepare;
	uv_check_t check;
	struct wheel wheel;
	struct loop_flush *flushes;
	struct loop_flush *flush_next; /* where the running round of flushes goes on */
};

/* A descriptor that is being watched. The owner embeds it and must loop_watch_stop() and wait for closed() before freeing. */
struct loop_watch {
	uv_poll_t poll;
	void (*ready)(
		struct loop_watch *w, int events); /* UV_READABLE | UV_WRITABLE | UV_DISCONNECT; <0: -errno */
	void (*closed)(struct loop_watch *w);      /* may be NULL */
};

int loop_init(struct loop *l);       /* 0 or -errno */
int loop_run(struct loop *l);        /* until loop_stop(); 0 */
void loop_stop(struct loop *l);      /* from the loop's own thread: a callback, a timer, a flush */
msec loop_now(const struct loop *l); /* monotonic milliseconds of this iteration */
msec loop_clock(void);               /* monotonic milliseconds right now */
msec loop_boottime(void);            /* the same, with those that the machine has slept */
/*
 * Closes every handle that is left, watches included (their closed() runs), and waits for pending requests of libuv.
 * Timers still armed do not fire. Handles that others put on l->uv are closed without a callback.
 */
void loop_done(struct loop *l);

/* EVENTS: UV_READABLE | UV_WRITABLE | UV_DISCONNECT. The descriptor becomes non-blocking and stays its owner's. 0 or -errno. */
int loop_watch_start(struct loop *l, struct loop_watch *w, int fd, int events);
int loop_watch_change(struct loop_watch *w, int events); /* EVENTS may be 0: paused */
/* Asynchronous: closed() tells when the memory may go; the descriptor may be closed at once. Nothing for a zeroed watch. */
void loop_watch_stop(struct loop_watch *w);

/*
 * Flush functions run in every iteration before the loop sleeps, the last added first. They may add and remove
 * any, themselves included.
 */
void loop_flush_add(struct loop *l, struct loop_flush *f);
void loop_flush_remove(struct loop *l, struct loop_flush *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop: three libuv handles drive a worker. prepare (before the loop sleeps) runs the flush functions and sets
 * tick to the wheel's next deadline; tick and check (after it slept) advance the wheel. So a timer fires at its
 * millisecond, and after a burst of packets still before the next sleep.
 */
#include <time.h>
#include <uv.h>

#include "lib/loop.h"

msec loop_now(const struct loop *l)
{
	return uv_now(&l->uv);
}

msec loop_clock(void)
{
	return uv_hrtime() / 1000000;
}

msec loop_boottime(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (msec)t.tv_sec * 1000 + (msec)t.tv_nsec / 1000000;
}

static void on_tick(uv_timer_t *handle)
{
	struct loop *l = container_of(handle, struct loop, tick);

	wheel_advance(&l->wheel, loop_now(l));
}

static void on_check(uv_check_t *handle)
{
	struct loop *l = container_of(handle, struct loop, check);

	wheel_advance(&l->wheel, loop_now(l));
}

static void run_flushes(struct loop *l)
{
	for (struct loop_flush *f = l->flushes; f; f = l->flush_next) {
		l->flush_next = f->next;
		f->run(f);
	}
	l->flush_next = NULL;
}

static void on_prepare(uv_prepare_t *handle)
{
	struct loop *l = container_of(handle, struct loop, prepare);
	msec next;

	run_flushes(l);
	next = wheel_next(&l->wheel);
	if (next == MSEC_NEVER) {
		uv_timer_stop(&l->tick);
		return;
	}
	/* The time that this iteration took so far must not make the sleep longer. */
	uv_update_time(&l->uv);
	uv_timer_start(&l->tick, on_tick, next > loop_now(l) ? next - loop_now(l) : 0, 0);
}

int loop_init(struct loop *l)
{
	int rc;

	*l = (struct loop){0};
	rc = uv_loop_init(&l->uv);
	if (rc)
		return rc;
	/* These three cannot fail. */
	uv_timer_init(&l->uv, &l->tick);
	uv_prepare_init(&l->uv, &l->prepare);
	uv_prepare_start(&l->prepare, on_prepare);
	uv_check_init(&l->uv, &l->check);
	uv_check_start(&l->check, on_check);
	wheel_init(&l->wheel, loop_now(l));
	return 0;
}

int loop_run(struct loop *l)
{
	/* What was set up before may have taken a while. */
	uv_update_time(&l->uv);
	wheel_advance(&l->wheel, loop_now(l));
	uv_run(&l->uv, UV_RUN_DEFAULT);
	return 0;
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct loop_watch *w = container_of(handle, struct loop_watch, poll);

	w->ready(w, status < 0 ? status : events);
}

static void on_closed(uv_handle_t *handle)
{
	struct loop_watch *w = handle->data;

	if (w->closed)
		w->closed(w);
}

int loop_watch_start(struct loop *l, struct loop_watch *w, int fd, int events)
{
	int rc = uv_poll_init(&l->uv, &w->poll, fd);

	if (rc) {
		w->poll.loop = NULL; /* for loop_watch_stop(): not started */
		return rc;
	}
	w->poll.data = w;
	return loop_watch_change(w, events);
}

int loop_watch_change(struct loop_watch *w, int events)
{
	return events ? uv_poll_start(&w->poll, events, on_poll) : uv_poll_stop(&w->poll);
}

void loop_watch_stop(struct loop_watch *w)
{
	uv_handle_t *handle = (uv_handle_t *)&w->poll;

	if (w->poll.loop && !uv_is_closing(handle))
		uv_close(handle, on_closed);
}

void loop_flush_add(struct loop *l, struct loop_flush *f)
{
	f->next = l->flushes;
	l->flushes = f;
}

void loop_flush_remove(struct loop *l, struct loop_flush *f)
{
	if (l->flush_next == f)
		l->flush_next = f->next;
	for (struct loop_flush **link = &l->flushes; *link; link = &(*link)->next)
		if (*link == f) {
			*link = f->next;
			f->next = NULL;
			return;
		}
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	if (uv_is_closing(handle))
		return;
	/* A watch is a poll handle whose data is its own watch; its poll is the first member. */
	if (handle->type == UV_POLL &&
		handle->data == container_of((uv_poll_t *)handle, struct loop_watch, poll))
		uv_close(handle, on_closed);
	else
		uv_close(handle, NULL);
}

void loop_done(struct loop *l)
{
	l->flushes = NULL;
	/* A closed() or the end of a request may open another handle, hence the loop. */
	do {
		uv_walk(&l->uv, close_handle, NULL);
		uv_run(&l->uv, UV_RUN_DEFAULT);
	} while (uv_loop_close(&l->uv) == UV_EBUSY);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/loop: a real loop with pipes and timers of a few milliseconds. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "lib/loop.h"

/* A loop with one timer, one watch and one flush function, each of which counts. */
struct fixture {
	struct loop loop;
	struct wheel_timer timer;
	struct loop_watch watch;
	struct loop_flush flush, other;
	int pipe[2];
	unsigned fired, ready, flushed, closed, stop_after;
	msec fired_at, wanted;
	char got;
};

static void on_timer(struct wheel_timer *t, msec now)
{
	struct fixture *f = container_of(t, struct fixture, timer);

	f->fired++;
	f->fired_at = now;
	assert_true(now == loop_now(&f->loop));
	assert_true(now >= f->wanted);
	if (f->fired >= f->stop_after) {
		loop_stop(&f->loop);
		return;
	}
	f->wanted = now + 3;
	wheel_arm(&f->loop.wheel, t, f->wanted);
}

static void on_ready(struct loop_watch *w, int events)
{
	struct fixture *f = container_of(w, struct fixture, watch);

	f->ready++;
	assert_int_equal(events, UV_READABLE);
	assert_int_equal(read(f->pipe[0], &f->got, 1), 1);
	loop_stop(&f->loop);
}

static void on_closed(struct loop_watch *w)
{
	container_of(w, struct fixture, watch)->closed++;
}

static void on_flush(struct loop_flush *flush)
{
	container_of(flush, struct fixture, flush)->flushed++;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || pipe2(f->pipe, O_CLOEXEC) || loop_init(&f->loop))
		return -1;
	f->timer.fire = on_timer;
	f->watch.ready = on_ready;
	f->watch.closed = on_closed;
	f->flush.run = on_flush;
	f->stop_after = 1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	loop_done(&f->loop);
	close(f->pipe[0]);
	close(f->pipe[1]);
	free(f);
	return 0;
}

static void timers_fire_when_due_and_not_before(void **state)
{
	struct fixture *f = *state;
	msec start = loop_clock();

	f->stop_after = 10;
	f->wanted = loop_now(&f->loop) + 3;
	wheel_arm(&f->loop.wheel, &f->timer, f->wanted);
	assert_int_equal(loop_run(&f->loop), 0);
	assert_int_equal(f->fired, 10);
	assert_in_range(loop_clock() - start, 29, 3000); /* generous: the machine may be busy */
}

static void timer_for_the_past_fires_at_once(void **state)
{
	struct fixture *f = *state;

	wheel_arm(&f->loop.wheel, &f->timer, 0);
	loop_run(&f->loop);
	assert_int_equal(f->fired, 1);
}

static void timer_of_an_hour_does_not_fire(void **state)
{
	struct fixture *f = *state;
	struct fixture far = {.timer.fire = on_timer};

	wheel_arm(&f->loop.wheel, &far.timer, loop_now(&f->loop) + 3600000);
	f->wanted = loop_now(&f->loop) + 2;
	wheel_arm(&f->loop.wheel, &f->timer, f->wanted);
	loop_run(&f->loop);
	assert_int_equal(f->fired, 1);
	assert_int_equal(far.fired, 0);
	assert_true(wheel_armed(&far.timer));
	wheel_disarm(&f->loop.wheel, &far.timer);
}

static void time_spent_before_run_counts(void **state)
{
	struct fixture *f = *state;

	wheel_arm(&f->loop.wheel, &f->timer, loop_now(&f->loop) + 5);
	usleep(20000);
	loop_run(&f->loop);
	assert_int_equal(f->fired, 1);
}

static void descriptor_wakes_its_watch(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_watch_start(&f->loop, &f->watch, f->pipe[0], UV_READABLE), 0);
	assert_true(fcntl(f->pipe[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	loop_run(&f->loop);
	assert_int_equal(f->ready, 1);
	assert_int_equal(f->got, 'x');
	assert_int_equal(f->closed, 0);
	loop_watch_stop(&f->watch);
	loop_watch_stop(&f->watch);
	assert_int_equal(f->closed, 0); /* only later */
	wheel_arm(&f->loop.wheel, &f->timer, loop_now(&f->loop) + 1);
	loop_run(&f->loop);
	assert_int_equal(f->closed, 1);
	loop_watch_stop(&f->watch);
}

static void paused_watch_is_silent(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_watch_start(&f->loop, &f->watch, f->pipe[0], 0), 0);
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	wheel_arm(&f->loop.wheel, &f->timer, loop_now(&f->loop) + 3);
	loop_run(&f->loop);
	assert_int_equal(f->ready, 0);
	assert_int_equal(loop_watch_change(&f->watch, UV_READABLE), 0);
	loop_run(&f->loop);
	assert_int_equal(f->ready, 1);
}

static void bad_descriptor_is_refused_and_may_be_stopped(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_watch_start(&f->loop, &f->watch, 9999, UV_READABLE), -EBADF);
	loop_watch_stop(&f->watch);
	f->watch = (struct loop_watch){0};
	loop_watch_stop(&f->watch);
}

static void done_closes_watches_that_are_left(void **state)
{
	struct fixture f = {.watch = {.ready = on_ready, .closed = on_closed}};
	struct loop_watch silent = {.ready = on_ready};
	int other[2];

	assert_int_equal(pipe2(f.pipe, O_CLOEXEC), 0);
	assert_int_equal(pipe2(other, O_CLOEXEC), 0);
	assert_int_equal(loop_init(&f.loop), 0);
	assert_int_equal(loop_watch_start(&f.loop, &f.watch, f.pipe[0], UV_READABLE), 0);
	assert_int_equal(loop_watch_start(&f.loop, &silent, other[0], UV_READABLE), 0);
	loop_done(&f.loop);
	assert_int_equal(f.closed, 1);
	for (int i = 0; i < 2; i++) {
		close(f.pipe[i]);
		close(other[i]);
	}
}

/* What a callback arms is served without another event: flushes run before the sleep, and the sleep heeds the wheel. */
static void flush_runs_before_each_sleep(void **state)
{
	struct fixture *f = *state;

	loop_flush_add(&f->loop, &f->flush);
	f->stop_after = 4;
	wheel_arm(&f->loop.wheel, &f->timer, loop_now(&f->loop) + 1);
	loop_run(&f->loop);
	assert_in_range(f->flushed, 4, 1000);
	loop_flush_remove(&f->loop, &f->flush);
	f->flushed = f->fired = 0;
	wheel_arm(&f->loop.wheel, &f->timer, loop_now(&f->loop) + 1);
	loop_run(&f->loop);
	assert_int_equal(f->flushed, 0);
	loop_flush_remove(&f->loop, &f->flush); /* not there any more: nothing */
}

static void flush_that_arms(struct loop_flush *flush)
{
	struct fixture *f = container_of(flush, struct fixture, flush);

	if (!f->flushed++)
		wheel_arm(&f->loop.wheel, &f->timer, loop_now(&f->loop) + 2);
}

static void timer_armed_by_a_flush_is_heeded(void **state)
{
	struct fixture *f = *state;

	f->flush.run = flush_that_arms;
	loop_flush_add(&f->loop, &f->flush);
	loop_run(&f->loop);
	assert_int_equal(f->fired, 1);
}

/* Runs first; takes itself and the next one out. */
static void flush_that_removes(struct loop_flush *flush)
{
	struct fixture *f = container_of(flush, struct fixture, other);

	loop_flush_remove(&f->loop, &f->other);
	loop_flush_remove(&f->loop, &f->flush);
	loop_stop(&f->loop);
}

static void flush_may_remove_itself_and_its_neighbour(void **state)
{
	struct fixture *f = *state;

	f->other.run = flush_that_removes;
	loop_flush_add(&f->loop, &f->flush);
	loop_flush_add(&f->loop, &f->other);
	wheel_arm(&f->loop.wheel, &f->timer, loop_now(&f->loop) + 10000); /* a guard: the flush ends the loop */
	loop_run(&f->loop);
	assert_int_equal(f->flushed, 0);
	assert_null(f->loop.flushes);
}

static void clocks_agree(void **state)
{
	struct fixture *f = *state;

	uv_update_time(&f->loop.uv);
	/* The loop's clock may be a coarse one (a tick behind). */
	assert_in_range(loop_clock() - loop_now(&f->loop) + 10, 0, 1000);
	assert_in_range(loop_boottime() - loop_clock() + 10, 0, (msec)10 * 365 * 86400 * 1000); /* it may have slept */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timers_fire_when_due_and_not_before),
		TEST(timer_for_the_past_fires_at_once),
		TEST(timer_of_an_hour_does_not_fire),
		TEST(time_spent_before_run_counts),
		TEST(descriptor_wakes_its_watch),
		TEST(paused_watch_is_silent),
		TEST(bad_descriptor_is_refused_and_may_be_stopped),
		TEST(done_closes_watches_that_are_left),
		TEST(flush_runs_before_each_sleep),
		TEST(timer_armed_by_a_flush_is_heeded),
		TEST(flush_may_remove_itself_and_its_neighbour),
		TEST(clocks_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/wheel: mostly a comparison at random with an array that is searched from end to end. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "lib/container.h"
#include "lib/rng.h"
#include "lib/wheel.h"

enum { TIMERS = 300 };

#define MINUTE UINT64_C(60000)
#define YEAR   (UINT64_C(365) * 24 * 60 * MINUTE)

/* A timer together with what the model expects of it. */
struct model_timer {
	struct wheel_timer timer;
	struct model *model;
	bool armed;
	bool overdue; /* was armed for a time that had passed */
	msec deadline;
};

struct model {
	struct wheel wheel;
	struct rng rng;
	msec now;
	msec fired_last; /* deadline of the timer that fired last in this advance */
	size_t fired, armed;
	struct model_timer timers[TIMERS];
};

static msec random_span(struct rng *rng)
{
	/* Any magnitude is as likely: 1 ms to more than the wheel's range. */
	unsigned bits = rng_below(rng, 44);
	uint64_t v = rng_u64(rng) & ((UINT64_C(2) << bits) - 1);

	/* Round numbers hit the borders between slots. */
	return rng_below(rng, 4) ? v : v & ~UINT64_C(0xff);
}

static void model_arm(struct model *m, struct model_timer *t, msec deadline)
{
	m->armed -= t->armed;
	t->armed = deadline != MSEC_NEVER;
	m->armed += t->armed;
	t->deadline = deadline;
	t->overdue = deadline <= m->now;
	wheel_arm(&m->wheel, &t->timer, deadline);
}

static void change_one(struct model *m)
{
	struct model_timer *t = &m->timers[rng_below(&m->rng, TIMERS)];
	msec span = random_span(&m->rng);

	switch (rng_below(&m->rng, 10)) {
	case 0:
		m->armed -= t->armed;
		t->armed = false;
		wheel_disarm(&m->wheel, &t->timer);
		break;
	case 1:
		model_arm(m, t, MSEC_NEVER);
		break;
	case 2: /* past or present */
		model_arm(m, t, m->now - (rng_below(&m->rng, 2) ? 0 : span < m->now ? span : m->now));
		break;
	default:
		model_arm(m, t, m->now + span);
	}
	assert_int_equal(wheel_armed(&t->timer), t->armed);
}

static void on_fire(struct wheel_timer *timer, msec now)
{
	struct model_timer *t = container_of(timer, struct model_timer, timer);
	struct model *m = t->model;

	assert_true(t->armed);
	assert_false(wheel_armed(timer));
	assert_true(now == m->now);
	assert_true(t->deadline <= now);
	if (!t->overdue) { /* in order of deadline */
		assert_true(t->deadline >= m->fired_last);
		m->fired_last = t->deadline;
	}
	t->armed = false;
	m->armed--;
	m->fired++;
	for (unsigned n = rng_below(&m->rng, 3); n > 0; n--) /* any timer, its own included */
		change_one(m);
	if (rng_below(&m->rng, 8) == 0)
		model_arm(m, t, now);
}

static void check(const struct model *m)
{
	msec next = wheel_next(&m->wheel), first = MSEC_NEVER;

	for (size_t i = 0; i < TIMERS; i++) {
		const struct model_timer *t = &m->timers[i];

		if (t->armed)
			first = msec_min(first, t->overdue ? m->now + 1 : t->deadline);
	}
	assert_int_equal(m->wheel.armed, m->armed);
	assert_true(next <= first);
	assert_true(next > m->now);
	assert_int_equal(next == MSEC_NEVER, m->armed == 0);
}

static void model_advance(struct model *m, msec now)
{
	size_t fired;

	m->now = now;
	m->fired = 0;
	m->fired_last = 0;
	fired = wheel_advance(&m->wheel, now);
	assert_int_equal(fired, m->fired);
	for (size_t i = 0; i < TIMERS; i++) /* nothing due was left, but what a callback armed for the past */
		if (m->timers[i].armed && m->timers[i].deadline <= now)
			assert_true(m->timers[i].overdue);
	check(m);
}

static struct model *model_new(uint64_t seed, msec now)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	rng_init_seed(&m->rng, seed);
	wheel_init(&m->wheel, now);
	m->now = now;
	for (size_t i = 0; i < TIMERS; i++) {
		m->timers[i].timer.fire = on_fire;
		m->timers[i].model = m;
	}
	return m;
}

static void agree_with_model(uint64_t seed, msec start)
{
	struct model *m = model_new(seed, start);

	for (int step = 0; step < 15000 && m->now < UINT64_MAX - (UINT64_C(1) << 46); step++) {
		for (unsigned n = rng_below(&m->rng, 4); n > 0; n--)
			change_one(m);
		check(m);
		switch (rng_below(&m->rng, 8)) {
		case 0: /* a big jump */
			model_advance(m, m->now + random_span(&m->rng));
			break;
		case 1: /* not at all */
			model_advance(m, m->now);
			break;
		case 2: /* exactly to a border */
			model_advance(m, (m->now | ((UINT64_C(1) << rng_below(&m->rng, 42)) - 1)) + 1);
			break;
		default: /* as the loop does */
			if (wheel_next(&m->wheel) != MSEC_NEVER)
				model_advance(m, wheel_next(&m->wheel));
		}
	}
	free(m);
}

static void agrees_with_a_list(void **state)
{
	agree_with_model(1, 0);
	agree_with_model(2, 0xfffffffff0); /* the top level wraps soon */
	agree_with_model(3, UINT64_C(1) << 40);
	agree_with_model(4, 1767225600000);                    /* a wall clock */
	agree_with_model(5, UINT64_C(0xffff000000000000) - 5); /* almost the end of time */
}

struct counter {
	struct wheel_timer timer;
	unsigned fired;
	msec at;
};

static void count(struct wheel_timer *t, msec now)
{
	struct counter *c = container_of(t, struct counter, timer);

	c->fired++;
	c->at = now;
}

static void never_fires_early_and_is_exact(void **state)
{
	static const msec spans[] = {1, 2, 255, 256, 257, 511, 512, 65535, 65536, 65537, 16777215, 16777216,
		16777217, UINT64_C(0xffffffff), UINT64_C(0x100000000), UINT64_C(0xffffffffff),
		UINT64_C(0x10000000000), UINT64_C(0x30000000001)};
	static const msec starts[] = {0, 1, 255, 256, 65535, 0xfffffe, UINT64_C(0xfffffffffe)};
	struct wheel w;

	for (size_t s = 0; s < ARRAY_SIZE(starts); s++)
		for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
			struct counter c = {.timer.fire = count};
			msec deadline = starts[s] + spans[i];
			unsigned steps = 0;

			wheel_init(&w, starts[s]);
			wheel_arm(&w, &c.timer, deadline);
			wheel_advance(&w, deadline - 1);
			assert_int_equal(c.fired, 0);
			assert_int_equal(wheel_next(&w), deadline);
			wheel_advance(&w, deadline);
			assert_int_equal(c.fired, 1);
			assert_true(wheel_next(&w) == MSEC_NEVER);

			/* The same from one wheel_next() to the next: few steps. */
			wheel_init(&w, starts[s]);
			wheel_arm(&w, &c.timer, deadline);
			for (; c.fired == 1; steps++)
				wheel_advance(&w, wheel_next(&w));
			assert_true(c.at == deadline);
			assert_in_range(steps, 1, 12);
		}
}

static void past_deadline_fires_in_the_next_advance(void **state)
{
	struct counter c = {.timer.fire = count};
	struct wheel w;

	wheel_init(&w, 1000);
	wheel_arm(&w, &c.timer, 1000);
	assert_true(wheel_next(&w) == 1001);
	assert_int_equal(wheel_advance(&w, 1000), 1);
	wheel_arm(&w, &c.timer, 3);
	assert_int_equal(wheel_advance(&w, 500), 1); /* the clock does not go back */
	assert_true(c.at == 1000);
	assert_int_equal(w.armed, 0);
}

static void rearm(struct wheel_timer *t, msec now)
{
	struct counter *c = container_of(t, struct counter, timer);
	struct wheel *w = *(struct wheel **)(c + 1);

	c->fired++;
	wheel_arm(w, t, c->fired > 100 ? MSEC_NEVER : now); /* for now, again and again */
}

static void callback_that_rearms_for_now_does_not_hang(void **state)
{
	struct wheel w;
	struct {
		struct counter c;
		struct wheel *wheel;
	} t = {.c.timer.fire = rearm, .wheel = &w};

	wheel_init(&w, 0);
	wheel_arm(&w, &t.c.timer, 5);
	wheel_advance(&w, 5);
	assert_int_equal(t.c.fired, 1);
	wheel_advance(&w, 5);
	assert_int_equal(t.c.fired, 2);
	wheel_advance(&w, 500);
	assert_int_equal(t.c.fired, 3);
}

/* Owners in a ring: when one fires it frees itself and its neighbours. */
struct owner {
	struct wheel_timer timer;
	struct wheel *wheel;
	struct owner **self, **neighbour;
};

static void free_owner(struct owner *o)
{
	wheel_disarm(o->wheel, &o->timer);
	*o->self = NULL;
	free(o);
}

static void fire_and_free(struct wheel_timer *t, msec now)
{
	struct owner *o = container_of(t, struct owner, timer);
	struct owner **neighbour = o->neighbour;

	free_owner(o);
	if (*neighbour)
		free_owner(*neighbour);
}

static void callback_may_free_its_owner_and_others(void **state)
{
	enum { OWNERS = 64 };
	struct owner *owners[OWNERS];
	struct wheel w;
	struct rng rng;

	rng_init_seed(&rng, 8);
	for (int round = 0; round < 50; round++) {
		wheel_init(&w, 12345);
		for (size_t i = 0; i < OWNERS; i++) {
			owners[i] = calloc(1, sizeof(*owners[i]));
			assert_non_null(owners[i]);
			*owners[i] = (struct owner){.timer.fire = fire_and_free,
				.wheel = &w,
				.self = &owners[i],
				.neighbour = &owners[rng_below(&rng, OWNERS)]};
			/* Few distinct deadlines, so that neighbours are often in the same batch. */
			wheel_arm(&w, &owners[i]->timer, 12340 + rng_below(&rng, 4) * 10);
		}
		wheel_advance(&w, 20000);
		assert_int_equal(w.armed, 0);
		assert_true(wheel_next(&w) == MSEC_NEVER);
		for (size_t i = 0; i < OWNERS; i++)
			assert_null(owners[i]);
	}
}

/* Steps of a millisecond would be 10^15 here: the test would not end. */
static void long_gaps_cost_nothing(void **state)
{
	struct counter c[3] = {{.timer.fire = count}, {.timer.fire = count}, {.timer.fire = count}};
	struct wheel w;

	wheel_init(&w, 0);
	wheel_advance(&w, 10000 * YEAR);
	wheel_arm(&w, &c[0].timer, 10000 * YEAR + 1);
	wheel_arm(&w, &c[1].timer, 10500 * YEAR);
	wheel_arm(&w, &c[2].timer, 30000 * YEAR);
	assert_int_equal(wheel_advance(&w, 20000 * YEAR), 2);
	assert_true(c[0].at == 20000 * YEAR); /* callbacks see the clock, not their deadline */
	assert_int_equal(wheel_advance(&w, 30000 * YEAR), 1);
}

static void arming_for_never_and_disarming_twice_are_fine(void **state)
{
	struct counter c = {.timer.fire = count};
	struct wheel w;

	wheel_init(&w, 0);
	wheel_disarm(&w, &c.timer);
	wheel_arm(&w, &c.timer, MSEC_NEVER);
	assert_false(wheel_armed(&c.timer));
	wheel_arm(&w, &c.timer, 10);
	wheel_arm(&w, &c.timer, 10);
	wheel_arm(&w, &c.timer, 20);
	assert_int_equal(w.armed, 1);
	wheel_arm(&w, &c.timer, MSEC_NEVER);
	wheel_disarm(&w, &c.timer);
	assert_int_equal(w.armed, 0);
	assert_true(wheel_next(&w) == MSEC_NEVER);
	wheel_arm(&w, &c.timer, MSEC_NEVER - 1);
	assert_true(wheel_next(&w) < MSEC_NEVER);
	wheel_disarm(&w, &c.timer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_list),
		cmocka_unit_test(never_fires_early_and_is_exact),
		cmocka_unit_test(past_deadline_fires_in_the_next_advance),
		cmocka_unit_test(callback_that_rearms_for_now_does_not_hang),
		cmocka_unit_test(callback_may_free_its_owner_and_others),
		cmocka_unit_test(long_gaps_cost_nothing),
		cmocka_unit_test(arming_for_never_and_disarming_twice_are_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

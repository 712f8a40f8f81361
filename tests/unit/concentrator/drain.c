/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a softwire's time has come: the order of `softwire drain`, and virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "concentrator/drain.h"

static struct drain_order order(uint32_t rate)
{
	return (struct drain_order){.rate = rate};
}

static struct drain_order order_with_grace(uint32_t rate, msec grace)
{
	return (struct drain_order){.rate = rate, .has_grace = true, .grace_ms = grace};
}

static struct drain begun(struct drain_order o, msec now)
{
	struct drain d = {0};

	drain_begin(&d, &o, now);
	return d;
}

static void without_an_order_everybody_stays(void **state)
{
	struct drain d = {0};

	assert_int_equal(drain_judge(&d, true, 1000000), DRAIN_STAYS);
	assert_int_equal(drain_leave_at(&d, true), MSEC_NEVER);
	d = begun(order(5), 1000);
	drain_end(&d);
	assert_int_equal(drain_judge(&d, true, 1000000), DRAIN_STAYS);
}

static void who_has_somewhere_to_go_goes_and_the_others_stay(void **state)
{
	struct drain d = begun(order(5), 1000);

	assert_int_equal(drain_judge(&d, true, 1000), DRAIN_GOES);
	assert_int_equal(drain_judge(&d, false, 1000), DRAIN_STAYS);
	assert_int_equal(drain_judge(&d, false, 1000 + (msec)365 * 86400000), DRAIN_STAYS);
}

static void grace_is_for_everybody_and_then_all_go(void **state)
{
	struct drain d = begun(order_with_grace(1000, 60000), 1000);

	assert_int_equal(drain_judge(&d, true, 60999), DRAIN_STAYS);
	assert_int_equal(drain_judge(&d, false, 60999), DRAIN_STAYS);
	assert_int_equal(drain_judge(&d, true, 61000), DRAIN_GOES);
	assert_int_equal(drain_judge(&d, false, 61000), DRAIN_GOES);
	d = begun(order_with_grace(1000, 0), 1000);
	assert_int_equal(drain_judge(&d, false, 1000), DRAIN_GOES);
}

/* How many of very many go until UNTIL, looked at every 100 ms as the role does. */
static unsigned gone(struct drain *d, msec from, msec until)
{
	unsigned n = 0;

	for (msec now = from; now < until; now += 100)
		while (drain_judge(d, true, now) == DRAIN_GOES)
			n++;
	return n;
}

static void the_rate_is_kept_over_any_time(void **state)
{
	static const uint32_t rates[] = {1, 7, 10, 100, 1000, 10000};

	for (unsigned i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		struct drain d = begun(order(rates[i]), 1000);
		unsigned n = gone(&d, 1000, 11000), burst = rates[i] / 5 + 1;

		assert_in_range(n, 99 * rates[i] / 10, 10 * rates[i] + 1);
		n = gone(&d, 3600000, 3601000); /* nobody saves up an hour's worth */
		assert_in_range(n, rates[i] * 9 / 10, rates[i] + burst);
	}
}

static void another_order_takes_the_place_of_the_first(void **state)
{
	struct drain d = begun(order(1), 1000);
	struct drain_order faster = order_with_grace(1000, 500);

	assert_int_equal(drain_judge(&d, true, 1000), DRAIN_GOES);
	assert_int_equal(drain_judge(&d, true, 1000), DRAIN_WAITS);
	drain_begin(&d, &faster, 5000);
	assert_int_equal(d.began, 1000);
	assert_int_equal(drain_judge(&d, true, 5499), DRAIN_STAYS);
	assert_int_equal(drain_judge(&d, true, 5500), DRAIN_GOES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_an_order_everybody_stays),
		cmocka_unit_test(who_has_somewhere_to_go_goes_and_the_others_stay),
		cmocka_unit_test(grace_is_for_everybody_and_then_all_go),
		cmocka_unit_test(the_rate_is_kept_over_any_time),
		cmocka_unit_test(another_order_takes_the_place_of_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

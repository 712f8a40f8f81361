/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a softwire's time has come: the order of `softwire drain`, and virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

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

/* ---- for the next process ---- */

enum {
	NOW = 100000,
	AT_GRACE = 5,
	AT_RATE = 6,
	AT_GRACE_MS = 10,
	AT_BEGAN = 18,
	AT_ORDERED = 26,
	AT_MOVED = 34
};
enum { AT_COUNT = 58, AT_FIRST = 59 };

/* Two targets, five seconds of grace; ordered twice. */
static struct drain whole(void)
{
	struct drain_order o = order_with_grace(7, 5000);
	struct drain d = begun(o, 90000);

	o.target_count = 2;
	assert_int_equal(endpoint_parse("192.0.2.2", 1701, &o.targets[0]), 0);
	assert_int_equal(endpoint_parse("[2001:db8::2]:1702", 1701, &o.targets[1]), 0);
	drain_begin(&d, &o, 95000);
	d.moved = 3;
	d.closed = 4;
	d.refused = 5;
	return d;
}

static size_t save(const struct drain *d, uint8_t bytes[512])
{
	struct writer w = writer_of(bytes, 512);

	drain_save(d, &w);
	assert_true(writer_ok(&w));
	return writer_len(&w);
}

static void it_goes_on_in_the_next_process(void **state)
{
	struct drain before = whole(), after = {0}, least = begun(order(DRAIN_RATE), 5);
	uint8_t bytes[512];
	size_t len = save(&before, bytes);

	assert_true(drain_is_record(reader_of(bytes, len)));
	assert_int_equal(drain_resume(&after, reader_of(bytes, len), NOW), 0);
	assert_true(after.on && after.order.has_grace);
	assert_int_equal(after.order.rate, 7);
	assert_int_equal(after.order.target_count, 2);
	assert_true(endpoint_equal(&after.order.targets[0], &before.order.targets[0]));
	assert_true(endpoint_equal(&after.order.targets[1], &before.order.targets[1]));
	assert_int_equal(after.began, 90000);
	assert_int_equal(drain_leave_at(&after, false), 100000); /* grace does not begin anew */
	assert_int_equal(after.moved, 3);
	assert_int_equal(after.closed, 4);
	assert_int_equal(after.refused, 5);
	assert_int_equal(drain_judge(&after, false, NOW), DRAIN_GOES);
	assert_int_equal(drain_judge(&after, false, NOW), DRAIN_WAITS);
	assert_int_equal(drain_resume(&after, reader_of(bytes, save(&least, bytes)), NOW), 0);
	assert_false(after.order.has_grace);
	assert_int_equal(after.order.target_count, 0);
	bytes[0] = 1; /* as a softwire's begins */
	assert_false(drain_is_record(reader_of(bytes, len)));
	assert_false(drain_is_record(reader_of(bytes, 0)));
}

static void what_nobody_can_have_ordered_is_not_taken_up(void **state)
{
	static const struct {
		const char *name;
		unsigned at;
		uint8_t byte;
	} cases[] = {
		{"another kind", 0, 1},
		{"another version", 1, 2},
		{"no section", 2, 2},
		{"a section that ends after the record", 3, 1},
		{"a section that ends before the targets do", 4, AT_FIRST - AT_GRACE + 3},
		{"an unknown flag", AT_GRACE, 3},
		{"a grace without its flag", AT_GRACE, 0},
		{"a rate of 0", AT_RATE + 3, 0},
		{"a rate above the bound", AT_RATE, 1},
		{"a grace above the bound", AT_GRACE_MS, 1},
		{"begun in the future", AT_BEGAN, 1},
		{"ordered in the future", AT_ORDERED, 1},
		{"ordered before it began", AT_ORDERED + 5, 0},
		{"more moved than can be said", AT_MOVED, 0x80},
		{"more closed than can be said", AT_MOVED + 8, 0x80},
		{"more refused than can be said", AT_MOVED + 16, 0xff},
		{"too many targets", AT_COUNT, CONCENTRATOR_REDIRECTS_MAX + 1},
		{"a target more than there is", AT_COUNT, 3},
		{"a target of no family", AT_FIRST, 5},
		{"a target that is a group", AT_FIRST + 1, 224},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct drain before = whole(), after, untouched;
		uint8_t bytes[512];
		size_t len = save(&before, bytes);

		memset(&after, 0x5a, sizeof(after));
		memcpy(&untouched, &after, sizeof(after));
		assert_int_not_equal(bytes[cases[i].at], cases[i].byte);
		bytes[cases[i].at] = cases[i].byte;
		if (drain_resume(&after, reader_of(bytes, len), NOW) != -EBADMSG)
			fail_msg("%s is taken up", cases[i].name);
		assert_memory_equal(&after, &untouched, sizeof(after));
	}
}

static void half_a_record_is_not_taken_up(void **state)
{
	struct drain before = whole(), after = {0};
	uint8_t bytes[512];
	size_t len = save(&before, bytes);

	for (size_t n = 0; n < len; n++)
		assert_int_equal(drain_resume(&after, reader_of(bytes, n), NOW), -EBADMSG);
	assert_false(after.on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_an_order_everybody_stays),
		cmocka_unit_test(who_has_somewhere_to_go_goes_and_the_others_stay),
		cmocka_unit_test(grace_is_for_everybody_and_then_all_go),
		cmocka_unit_test(the_rate_is_kept_over_any_time),
		cmocka_unit_test(another_order_takes_the_place_of_the_first),
		cmocka_unit_test(it_goes_on_in_the_next_process),
		cmocka_unit_test(what_nobody_can_have_ordered_is_not_taken_up),
		cmocka_unit_test(half_a_record_is_not_taken_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

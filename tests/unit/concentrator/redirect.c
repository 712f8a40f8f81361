/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which other concentrator, and how that is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "concentrator/drain.h"
#include "concentrator/redirect.h"

static struct endpoint at(const char *text)
{
	struct endpoint e = {0};

	assert_int_equal(endpoint_parse(text, L2TP_PORT, &e), 0);
	return e;
}

static void the_family_that_it_has_come_over_decides(void **state)
{
	struct endpoint all[] = {at("192.0.2.2"), at("2001:db8::2"), at("192.0.2.3")};
	struct rng rng;

	rng_init_seed(&rng, 7);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(redirect_choose(all, 3, AF_INET, &rng)->addr.family, AF_INET);
		assert_ptr_equal(redirect_choose(all, 3, AF_INET6, &rng), &all[1]);
	}
	assert_null(redirect_choose(all, 1, AF_INET6, &rng));
	assert_null(redirect_choose(all, 0, AF_INET, &rng));
}

static void they_are_spread_over_all_of_them(void **state)
{
	struct endpoint all[] = {at("192.0.2.2"), at("2001:db8::2"), at("192.0.2.3"), at("192.0.2.4")};
	unsigned count[4] = {0};
	struct rng rng;

	rng_init_seed(&rng, 7);
	for (int i = 0; i < 3000; i++)
		count[redirect_choose(all, 4, AF_INET, &rng) - all]++;
	assert_int_equal(count[1], 0);
	for (int i = 0; i < 4; i++)
		assert_true(i == 1 || (count[i] > 900 && count[i] < 1100));
}

/* RFC 3193 section 4: only the address. */
static void the_word_is_the_address_alone(void **state)
{
	static const char *const texts[][2] = {
		{"192.0.2.2", "192.0.2.2"},
		{"192.0.2.2:1701", "192.0.2.2"},
		{"2001:DB8:0::2", "2001:db8::2"},
		{"[2001:db8::2]:1701", "2001:db8::2"},
		{"192.0.2.2:1702", "192.0.2.2:1702"},
		{"[2001:db8::2]:1702", "[2001:db8::2]:1702"},
	};
	char buf[ENDPOINT_TEXT];

	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct endpoint e = at(texts[i][0]);

		assert_string_equal(redirect_print(&e, buf), texts[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_family_that_it_has_come_over_decides),
		cmocka_unit_test(they_are_spread_over_all_of_them),
		cmocka_unit_test(the_word_is_the_address_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

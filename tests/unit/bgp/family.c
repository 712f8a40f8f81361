/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bgp/message.h"

static void every_family_is_found_by_its_name_and_by_its_numbers(void **state)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		enum bgp_family by_name, by_numbers;

		assert_int_equal(bgp_family_parse(bgp_family_name((enum bgp_family)f), &by_name), 0);
		assert_int_equal(by_name, f);
		assert_int_equal(bgp_family_of(bgp_family_afi((enum bgp_family)f), bgp_family_safi((enum bgp_family)f), &by_numbers), 0);
		assert_int_equal(by_numbers, f);
	}
}

static void unknown_families_are_refused(void **state)
{
	enum bgp_family f = BGP_IPV6_ENCAP;

	assert_int_equal(bgp_family_parse("ipv5", &f), -EINVAL);
	assert_int_equal(bgp_family_of(1, 128, &f), -EAFNOSUPPORT);
	assert_int_equal(bgp_family_of(25, 1, &f), -EAFNOSUPPORT);
	assert_int_equal(f, BGP_IPV6_ENCAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_family_is_found_by_its_name_and_by_its_numbers),
		cmocka_unit_test(unknown_families_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

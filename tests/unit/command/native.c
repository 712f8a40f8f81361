/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Default routes from the kernel's lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/connect.h"

#define HEAD4 "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define ALL "00000000000000000000000000000000"

static struct native read_texts(const char *four, const char *six)
{
	FILE *f4 = four ? fmemopen((void *)four, strlen(four), "r") : NULL;
	FILE *f6 = six ? fmemopen((void *)six, strlen(six), "r") : NULL;
	struct native n;

	native_read(f4, f6, &n);
	if (f4)
		fclose(f4);
	if (f6)
		fclose(f6);
	return n;
}

static void the_best_default_route_counts(void **state)
{
	struct native n = read_texts(HEAD4 "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
					   "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
					   "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n",
		ALL " 00 " ALL " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n");

	assert_true(n.ipv4.present && n.ipv4.metric == 100);
	assert_string_equal(n.ipv4.device, "eth0");
	assert_true(n.ipv6.present && n.ipv6.metric == 1024);
	assert_string_equal(n.ipv6.device, "eth0");
}

static void other_routes_do_not_count(void **state)
{
	struct native n = read_texts(HEAD4 "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
					   "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000080\t0\t0\t0\n" /* half of all */
					   "*\t00000000\t00000000\t0200\t0\t0\t5\t00000000\t0\t0\t0\n",
		ALL " 00 " ALL " 00 " ALL " ffffffff 00000001 00000000 00200200       lo\n" /* the kernel's own "none" */
		"20010db8000000000000000000000000 20 " ALL " 00 " ALL " 00000100 00000001 00000000 00000001     eth0\n"
		ALL " 00 20010db8000000000000000000000000 38 " ALL " 00000100 00000001 00000000 00000003     eth0\n" /* of some sources */);

	assert_false(n.ipv4.present);
	assert_false(n.ipv6.present);
}

static void a_family_may_be_missing(void **state)
{
	struct native n = read_texts(NULL, NULL);

	assert_false(n.ipv4.present || n.ipv6.present);
	n = read_texts("nonsense\n\n", "more of it\n");
	assert_false(n.ipv4.present || n.ipv6.present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_default_route_counts),
		cmocka_unit_test(other_routes_do_not_count),
		cmocka_unit_test(a_family_may_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

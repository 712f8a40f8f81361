/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What softwire(1) prints of the mesh, from the JSON that doc/control.md describes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/print.h"

static void prints(void (*print)(FILE *out, const json_t *json), const char *json, const char *expected)
{
	json_t *value = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(value);
	assert_non_null(out);
	print(out, value);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	json_decref(value);
}

static void neighbours_say_how_many_routes_and_why_they_are_down(void **state)
{
	prints(print_bgp_neighbors,
		"[{\"name\":\"rr1\",\"address\":\"2001:db8::1\",\"as\":65000,\"state\":\"established\","
		"\"since_seconds\":61,"
		"\"families\":[{\"received\":7,\"accepted\":6,\"advertised\":3},{\"received\":1,\"accepted\":"
		"1,\"advertised\":0}],"
		"\"last_error\":{\"code\":\"old\",\"reason\":\"old\"}},"
		"{\"name\":\"ce1\",\"address\":\"203.0.113.2\",\"as\":64512,\"state\":\"idle\",\"since_"
		"seconds\":2,\"families\":[],"
		"\"last_error\":{\"code\":\"Cease/Administrative Reset\",\"reason\":\"new "
		"\\u001bcable\"},\"next_try_seconds\":3}]",
		"NAME  ADDRESS         AS  STATE         SINCE  RECEIVED  ACCEPTED  ADVERTISED  NOTE\n"
		"rr1   2001:db8::1  65000  established  1m 01s         8         7           3\n"
		"ce1   203.0.113.2  64512  idle             2s         0         0           0  new ?cable; "
		"next try in 3s\n");
	prints(print_bgp_neighbors, "[]", "There are no neighbors.\n");
}

static void first_page(FILE *out, const json_t *rows)
{
	print_bgp_routes(out, rows, true);
}

static void next_page(FILE *out, const json_t *rows)
{
	print_bgp_routes(out, rows, false);
}

static void pages_of_routes_have_one_heading(void **state)
{
	static const char rows[] =
		"[{\"prefix\":\"198.51.100.0/"
		"24\",\"from\":\"ce1\",\"next_hop\":\"203.0.113.2\",\"local_pref\":null,\"med\":5,"
		"\"as_path\":\"64512\",\"communities\":[\"65000:1\",\"no-export\"],\"barred\":null,"
		"\"reached\":true},"
		"{\"prefix\":\"192.0.2.0/"
		"24\",\"from\":\"kernel\",\"next_hop\":null,\"as_path\":\"\",\"reached\":false,"
		"\"unreached_because\":\"no route\"}]";

	prints(first_page, rows,
		"PREFIX           FROM    NEXT HOP     MED  AS PATH  COMMUNITIES  NOTE\n"
		"198.51.100.0/24  ce1     203.0.113.2    5  64512    65000:1 +1\n"
		"192.0.2.0/24     kernel                                          next hop: no route\n");
	prints(next_page, rows,
		"198.51.100.0/24  ce1     203.0.113.2    5  64512    65000:1 +1\n"
		"192.0.2.0/24     kernel                                          next hop: no route\n");
	prints(first_page, "[]", "There are no routes.\n");
	prints(next_page, "[]", "");
}

static void attribute_sets_say_how_many_routes_share_them(void **state)
{
	prints(print_bgp_attributes,
		"[{\"routes\":900,\"bytes\":31,\"next_hop\":\"2001:db8::2\",\"local_pref\":200,\"as_path\":"
		"\"64512 64513\","
		"\"tunnels\":[\"gre key 7\"]}]",
		"ROUTES  BYTES  NEXT HOP     LOCAL PREF  AS PATH      TUNNELS\n"
		"   900     31  2001:db8::2         200  64512 64513  gre key 7\n");
}

static void a_route_says_why_and_who_is_told(void **state)
{
	prints(print_bgp_route,
		"{\"prefix\":\"198.51.100.0/24\",\"family\":\"ipv4\",\"paths\":["
		"{\"from\":\"ce1\",\"best\":true,\"next_hop\":\"203.0.113.2\",\"as_path\":\"64512\",\"local_"
		"pref\":200,"
		"\"communities\":[\"65000:1\"],\"tunnels\":[\"gre key 7\"],\"why\":\"the best: a higher "
		"local preference\"},"
		"{\"from\":\"rr1\",\"best\":false,\"next_hop\":null,\"as_path\":\"\",\"med\":9,"
		"\"why\":\"left behind: the best one has a higher local preference (200 against 100)\"}],"
		"\"neighbors\":[{\"neighbor\":\"rr1\",\"told\":true,\"because\":null},"
		"{\"neighbor\":\"ce1\",\"told\":false,\"because\":\"it came from there\"}]}",
		"198.51.100.0/24 (ipv4)\n"
		"  * from ce1, next hop 203.0.113.2, AS path 64512, local preference 200, community 65000:1\n"
		"    tunnel gre key 7\n"
		"    the best: a higher local preference\n"
		"    from rr1, next hop ourselves, AS path empty, MED 9\n"
		"    left behind: the best one has a higher local preference (200 against 100)\n"
		"  rr1 is told\n"
		"  ce1 is not told: it came from there\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_say_how_many_routes_and_why_they_are_down),
		cmocka_unit_test(pages_of_routes_have_one_heading),
		cmocka_unit_test(attribute_sets_say_how_many_routes_share_them),
		cmocka_unit_test(a_route_says_why_and_who_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

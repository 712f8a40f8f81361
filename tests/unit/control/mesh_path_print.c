/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What softwire(1) prints of softwires of the mesh, from the JSON that doc/control.md describes. */
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
	json_error_t error;
	json_t *value = json_loads(json, 0, &error);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!value)
		fail_msg("%s at %d", error.text, error.position);
	assert_non_null(out);
	print(out, value);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	json_decref(value);
}

static void all_paths(FILE *out, const json_t *rows)
{
	struct print_shape shape = {0};

	print_mesh_paths(out, rows, &shape, true);
}

static void whole_fib(FILE *out, const json_t *rows)
{
	struct print_shape shape = {0};

	print_mesh_fib(out, rows, &shape, true);
}

#define LEG(address, how, state)                                                                             \
	"{\"address\":\"" address "\",\"encapsulation\":\"" how "\",\"state\":\"" state "\",\"label\":null}"

static void a_path_says_where_it_leads_and_by_which_of_its_two(void **state)
{
	prints(all_paths,
		"[{\"path\":7,\"routes\":1000,\"tx4_packets\":5,\"tx6_packets\":1,\"tx4_bytes\":1200,\"tx6_"
		"bytes\":100,"
		"\"rejected\":0,\"slots\":[{\"dscp\":null,\"primary\":" LEG(
			"2001:db8::2", "ipip", "up") ",\"backup\":" LEG("2001:db8::3", "gre key 7",
			"up") ",\"goes_by\":\"primary\"}]},"
			      "{\"path\":9,\"routes\":1,\"rejected\":3,\"adopted\":true,\"slots\":[{\"dscp\":"
			      "null,\"primary\":" LEG("2001:db8::4", "ipip", "unreached") ",\"backup\":" LEG(
				      "2001:db8::3", "gre key 7",
				      "up") ",\"goes_by\":\"backup\"}]},"
					    "{\"path\":12,\"routes\":2,\"rejected\":8,\"error\":\"No buffer "
					    "space available\","
					    "\"slots\":[{\"dscp\":null,\"primary\":" LEG("2001:db8::4",
						    "ipip",
						    "shut") ",\"backup\":null,\"goes_by\":\"none\"}]}]",
		"PATH  ENDPOINT     BY    BACKUP       ROUTES  TX PACKETS  TX BYTES  REJECTED  NOTE\n"
		"   7  2001:db8::2  ipip  2001:db8::3    1000           6      1.3k\n"
		"   9  2001:db8::4  ipip  2001:db8::3       1           0         0         3  goes by the "
		"backup: the "
		"endpoint is unreached; of the process before\n"
		"  12  2001:db8::4  ipip                    2           0         0         8  packets are "
		"rejected: the "
		"endpoint is shut; the kernel does not take it: No buffer space available\n");
	prints(all_paths, "[]", "There are no paths.\n");
}

static void classes_of_traffic_stand_below_each_other(void **state)
{
	prints(all_paths,
		"[{\"path\":7,\"routes\":3,\"tx4_packets\":5,\"tx4_bytes\":120,\"rejected\":0,\"slots\":["
		"{\"dscp\":[0,1,2,10],\"primary\":" LEG("2001:db8::2", "ipip",
			"up") ",\"backup\":null,\"goes_by\":\"primary\"},"
			      "{\"dscp\":[46,48,49],\"primary\":" LEG("2001:db8::2", "gre",
				      "up") ",\"backup\":null,\"goes_by\":\"primary\"}]}]",
		"PATH  DSCP      ENDPOINT     BY    ROUTES  TX PACKETS  TX BYTES\n"
		"   7  0-2,10    2001:db8::2  ipip       3           5       120\n"
		"      46,48-49  2001:db8::2  gre\n");
}

#define ENDPOINT                                                                                             \
	"{\"endpoint\":3,\"address\":\"2001:db8::2\",\"encapsulation\":\"l2tpv3 session 0x1234 cookie of 8 " \
	"octets\","                                                                                          \
	"\"through\":null,\"because\":\"rule 1 wants "                                                       \
	"it\",\"state\":\"up\",\"state_because\":null,\"since_seconds\":61,"                                 \
	"\"paths\":2,\"mtu\":1448,\"overhead\":52,\"path_mtu\":1500,\"learned_mtu\":null,\"hop_limit\":64,"  \
	"\"dscp\":null,"                                                                                     \
	"\"ecn\":true,\"flaps\":0,\"hints\":0,\"tx4_packets\":5,\"tx4_bytes\":1200,\"tx6_packets\":0,\"tx6_" \
	"bytes\":0}"

static void an_endpoint_says_why_it_is_so(void **state)
{
	prints(print_mesh_endpoints,
		"[" ENDPOINT
		",{\"address\":\"2001:db8::4\",\"encapsulation\":\"ipip\",\"through\":\"2001:db8::9\","
		"\"because\":\"it tells nothing\",\"state\":\"unreached\",\"state_because\":\"there is no "
		"route to it\","
		"\"since_seconds\":1,\"paths\":1,\"mtu\":1280}]",
		"ENDPOINT     BY                                        THROUGH      STATE       SINCE   MTU "
		" PATHS  TX "
		"PACKETS  TX BYTES  BECAUSE\n"
		"2001:db8::2  l2tpv3 session 0x1234 cookie of 8 octets               up         1m 01s  1448 "
		"     2           "
		"5      1.2k  rule 1 wants it\n"
		"2001:db8::4  ipip                                      2001:db8::9  unreached      1s  1280 "
		"     1           "
		"0         0  there is no route to it\n");
	prints(print_mesh_endpoints, "[]", "There are no endpoints.\n");
}

static void one_endpoint_is_told_in_full(void **state)
{
	prints(print_mesh_endpoint, ENDPOINT,
		"2001:db8::2 by l2tpv3 session 0x1234 cookie of 8 octets\n"
		"  state      up for 1m 01s\n"
		"  because    rule 1 wants it\n"
		"  outside    hop limit 64, DSCP that of the packet, ECN that of the packet\n"
		"  MTU        inner packets of up to 1448 octets, and 52 of headers; the core takes 1500\n"
		"  used by    2 paths\n"
		"  sent       5 IPv4 packets (1.2k), 0 IPv6 packets (0)\n");
	prints(print_mesh_endpoint,
		"{\"address\":\"2001:db8::4\",\"encapsulation\":\"ipip\",\"through\":\"2001:db8::9\","
		"\"outer_encapsulation\":\"gre\",\"because\":\"it \\u001btells nothing\",\"state\":\"shut\","
		"\"state_because\":\"the operator has shut it "
		"down\",\"since_seconds\":1,\"paths\":1,\"mtu\":1280,"
		"\"overhead\":84,\"learned_mtu\":1300,\"learned_seconds_left\":9,\"hop_limit\":7,\"dscp\":46,"
		"\"ecn\":false,"
		"\"flaps\":2,\"hints\":3,\"drop_too_big\":4,\"adopted\":true}",
		"2001:db8::4 by ipip\n"
		"  state      shut for 1s: the operator has shut it down (of the process before)\n"
		"  before     down 2 times; the core has said 3 times that it cannot be reached\n"
		"  because    it ?tells nothing\n"
		"  outside    hop limit 7, DSCP 46, ECN none\n"
		"  through    2001:db8::9 by gre\n"
		"  MTU        inner packets of up to 1280 octets, and 84 of headers; a router of it has said "
		"1300, which counts "
		"for another 9 s\n"
		"  used by    1 path\n"
		"  sent       0 IPv4 packets (0), 0 IPv6 packets (0)\n"
		"  dropped    4 too big, 0 while the queue was full\n");
}

static void what_is_taken_from_whom_and_what_is_dropped(void **state)
{
	prints(print_mesh_acceptance,
		"{\"address\":\"2001:db8::1\",\"interfaces\":[\"core0\",\"core1\"],\"families\":[\"ipv4\"],"
		"\"accept\":[{\"accept\":\"gre-key\",\"encapsulation\":\"gre key "
		"7\",\"payload\":\"ipv4\",\"old\":false,"
		"\"rx4_packets\":5,\"rx4_bytes\":100},{\"accept\":\"gre-key\",\"encapsulation\":\"gre key "
		"6\",\"payload\":\"ipv4\","
		"\"old\":true,\"seconds_left\":61,\"drop_cookie\":2}],"
		"\"roll\":{\"last_seconds\":62,\"next_seconds\":5},"
		"\"transmitters\":[{\"address\":\"2001:db8::2\",\"because\":[\"next-hop\",\"endpoint\"],"
		"\"rx4_packets\":5,"
		"\"rx4_bytes\":100}],\"drops\":{\"interface\":0,\"transmitter\":12,\"cookie\":1}}",
		"Taken at 2001:db8::1, from core0, core1; what comes out is ipv4\n"
		"Keys, sessions and cookies are 1m 02s old; others are made in 5s.\n\n"
		"ACCEPT   AS         PAYLOAD  RX PACKETS  RX BYTES  WRONG COOKIES  NOTE\n"
		"gre-key  gre key 7  ipv4              5       100\n"
		"gre-key  gre key 6  ipv4              0         0              2  old, taken for another 1m "
		"01s\n\n"
		"TRANSMITTER  BECAUSE             RX PACKETS  RX BYTES\n"
		"2001:db8::2  next-hop, endpoint           5       100\n\n"
		"Dropped packets:\n"
		"        12 came from somebody who is no transmitter\n"
		"         1 had the wrong cookie\n");
	prints(print_mesh_acceptance,
		"{\"address\":\"2001:db8::1\",\"interfaces\":[],\"families\":[\"ipv4\",\"ipv6\"],\"accept\":["
		"],"
		"\"roll\":{\"last_seconds\":62,\"next_seconds\":null},\"transmitters\":[],\"drops\":{}}",
		"Taken at 2001:db8::1; what comes out is ipv4, ipv6\n"
		"Keys, sessions and cookies are 1m 02s old.\n\n"
		"Nothing is accepted: `accept` names nothing.\n\n"
		"Nobody may send.\n\n"
		"Nothing was dropped.\n");
}

static void routes_say_why_they_are_not_in_the_kernel(void **state)
{
	prints(whole_fib,
		"[{\"family\":\"ipv4\",\"prefix\":\"198.51.100.0/"
		"24\",\"from\":\"rr1\",\"next_hop\":\"2001:db8::2\",\"told\":true,"
		"\"path\":7,\"gateway\":\"fe80::7\",\"device\":\"softwire0\",\"kernel\":\"in the kernel's "
		"table 254, by path 7\"},"
		"{\"family\":\"ipv4\",\"prefix\":\"192.0.2.0/"
		"24\",\"from\":\"rr1\",\"next_hop\":\"2001:db8::4\",\"told\":false,"
		"\"path\":null,\"gateway\":null,\"device\":null,\"kernel\":\"not in the kernel: no path can "
		"be chosen\"},"
		"{\"family\":\"ipv4\",\"prefix\":\"203.0.113.0/"
		"24\",\"from\":\"ce1\",\"next_hop\":\"192.0.2.9\",\"told\":true,"
		"\"refused\":\"no "
		"room\",\"path\":null,\"gateway\":\"192.0.2.9\",\"device\":\"ce0\",\"kernel\":\"the kernel "
		"refuses it\"}]",
		"PREFIX           FROM  NEXT HOP     PATH  GATEWAY    DEVICE     NOTE\n"
		"192.0.2.0/24     rr1   2001:db8::4                              not in the kernel: no path "
		"can be chosen\n"
		"198.51.100.0/24  rr1   2001:db8::2     7  fe80::7    softwire0\n"
		"203.0.113.0/24   ce1   192.0.2.9          192.0.2.9  ce0        the kernel refuses it\n");
	prints(whole_fib, "[]", "There are no routes.\n");
}

static void a_route_goes_on_to_the_headers_of_its_packets(void **state)
{
	prints(print_bgp_route,
		"{\"prefix\":\"198.51.100.0/24\",\"family\":\"ipv4\",\"paths\":[],\"kernel\":\"in the "
		"kernel\",\"forwarding\":"
		"[\"198.51.100.0/24 -> path 7 -> endpoint 2001:db8::2 by ipip\"],\"neighbors\":[]}",
		"198.51.100.0/24 (ipv4)\n"
		"  in the kernel\n"
		"  198.51.100.0/24 -> path 7 -> endpoint 2001:db8::2 by ipip\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_says_where_it_leads_and_by_which_of_its_two),
		cmocka_unit_test(classes_of_traffic_stand_below_each_other),
		cmocka_unit_test(an_endpoint_says_why_it_is_so),
		cmocka_unit_test(one_endpoint_is_told_in_full),
		cmocka_unit_test(what_is_taken_from_whom_and_what_is_dropped),
		cmocka_unit_test(routes_say_why_they_are_not_in_the_kernel),
		cmocka_unit_test(a_route_goes_on_to_the_headers_of_its_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

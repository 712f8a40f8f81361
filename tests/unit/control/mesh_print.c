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

static void a_whole_table(FILE *out, const json_t *rows)
{
	struct print_shape shape = {0};

	print_bgp_routes(out, rows, &shape, true);
}

/* Each row is a page. */
static void pages(FILE *out, const json_t *rows)
{
	struct print_shape shape = {0};
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *page = json_pack("[O]", row);

		print_bgp_routes(out, page, &shape, false);
		json_decref(page);
	}
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

	prints(pages, rows,
		"PREFIX           FROM  NEXT HOP     MED  AS PATH  COMMUNITIES\n"
		"198.51.100.0/24  ce1   203.0.113.2    5  64512    65000:1 +1\n"
		"PREFIX           FROM    NEXT HOP     MED  AS PATH  COMMUNITIES  NOTE\n"
		"192.0.2.0/24     kernel                                          next hop: no route\n");
	prints(pages, "[]", "");
	prints(a_whole_table, "[]", "There are no routes.\n");
	/* What is narrower stays in the columns of the page before, without another heading. */
	prints(pages,
		"[{\"prefix\":\"198.51.100.0/24\",\"from\":\"customer1\"},{\"prefix\":\"10.0.0.0/"
		"8\",\"from\":\"ce1\"}]",
		"PREFIX           FROM\n"
		"198.51.100.0/24  customer1\n"
		"10.0.0.0/8       ce1\n");
}

static void a_table_of_one_page_is_in_order_and_names_what_prefixes_do_not_tell(void **state)
{
	prints(a_whole_table,
		"[{\"family\":\"ipv6\",\"prefix\":\"2001:db8::/32\",\"from\":\"ce1\"},"
		"{\"family\":\"ipv4\",\"prefix\":\"198.51.100.0/24\",\"from\":\"ce1\"},"
		"{\"family\":\"ipv4\",\"prefix\":\"9.0.0.0/8\",\"from\":\"ce2\"},"
		"{\"family\":\"ipv6-encap\",\"prefix\":\"2001:db8::1/128\",\"from\":\"tunnel\"},"
		"{\"family\":\"ipv4\",\"prefix\":\"198.51.0.0/16\",\"from\":\"ce1\"},"
		"{\"family\":\"ipv4\",\"prefix\":\"198.51.100.0/25\",\"from\":\"ce1\"}]",
		"FAMILY      PREFIX           FROM\n"
		"            9.0.0.0/8        ce2\n"
		"            198.51.0.0/16    ce1\n"
		"            198.51.100.0/24  ce1\n"
		"            198.51.100.0/25  ce1\n"
		"            2001:db8::/32    ce1\n"
		"ipv6-encap  2001:db8::1/128  tunnel\n");
}

/* A session that is up may still not do what was wanted. */
static void neighbours_that_are_up_say_what_was_not_agreed_on(void **state)
{
	prints(print_bgp_neighbors,
		"[{\"name\":\"a\",\"address\":\"2001:db8::1\",\"as\":1,\"state\":\"established\",\"since_"
		"seconds\":1,"
		"\"families\":[{\"family\":\"ipv4\",\"agreed\":true},{\"family\":\"ipv6\",\"agreed\":false}],"
		"\"capabilities\":{\"extended_next_hop\":[]}},"
		"{\"name\":\"b\",\"address\":\"2001:db8::2\",\"as\":1,\"state\":\"established\",\"since_"
		"seconds\":1,"
		"\"families\":[{\"family\":\"ipv4\",\"agreed\":true},{\"family\":\"ipv4-encap\",\"agreed\":"
		"true}],"
		"\"capabilities\":{\"extended_next_hop\":[\"ipv4\"]}},"
		"{\"name\":\"c\",\"address\":\"192.0.2.1\",\"as\":1,\"state\":\"established\",\"since_"
		"seconds\":1,"
		"\"families\":[{\"family\":\"ipv4\",\"agreed\":true}],\"capabilities\":{\"extended_next_"
		"hop\":[]}}]",
		"NAME  ADDRESS      AS  STATE        SINCE  RECEIVED  ACCEPTED  ADVERTISED  NOTE\n"
		"a     2001:db8::1   1  established     1s         0         0           0  it takes no IPv6 "
		"next hops of ipv4 (RFC 8950); "
		"it does not speak ipv6\n"
		"b     2001:db8::2   1  established     1s         0         0           0\n"
		"c     192.0.2.1     1  established     1s         0         0           0\n");
}

/* The other end rests after its NOTIFICATION, and closes what comes: that is not why. */
static void what_was_said_before_a_connection_failed_is_not_forgotten(void **state)
{
	prints(print_bgp_neighbors,
		"[{\"name\":\"ce1\",\"address\":\"203.0.113.2\",\"as\":64513,\"state\":\"active\",\"since_"
		"seconds\":3,\"families\":[],"
		"\"last_error\":{\"code\":null,\"reason\":\"the connection ended\"},"
		"\"last_notification\":{\"code\":\"OPEN Message Error/Bad Peer AS\",\"reason\":\"it is in AS "
		"64512\"}},"
		"{\"name\":\"ce3\",\"address\":\"203.0.113.4\",\"as\":64513,\"state\":\"connect\",\"since_"
		"seconds\":3,\"families\":[],\"password\":true,"
		"\"last_error\":{\"code\":null,\"reason\":\"the connection failed: no answer\"}},"
		"{\"name\":\"ce2\",\"address\":\"203.0.113.3\",\"as\":64513,\"state\":\"idle\",\"since_"
		"seconds\":3,\"families\":[],"
		"\"waiting\":\"there was an error\","
		"\"last_error\":{\"code\":\"Cease/Administrative Reset\",\"reason\":null},"
		"\"last_notification\":{\"code\":\"Cease/Administrative Reset\",\"reason\":null}}]",
		"NAME  ADDRESS         AS  STATE    SINCE  RECEIVED  ACCEPTED  ADVERTISED  NOTE\n"
		"ce1   203.0.113.2  64513  active      3s         0         0           0  it is in AS "
		"64512; "
		"the connection ended\n"
		"ce3   203.0.113.4  64513  connect     3s         0         0           0  the connection "
		"failed: no "
		"answer (have both ends the same password?)\n"
		"ce2   203.0.113.3  64513  idle        3s         0         0           0  there was an "
		"error; Cease/Administrative Reset\n");
}

static void one_neighbour_is_told_in_full(void **state)
{
	prints(print_bgp_neighbor,
		"{\"name\":\"ce1\",\"description\":\"customer\\u001b "
		"1\",\"address\":\"fe80::2\",\"interface\":\"eth1\",\"as\":64512,"
		"\"local_as\":65000,\"internal\":false,\"client\":false,\"password\":true,\"ttl_security\":1,"
		"\"import\":\"from-ce1\","
		"\"export\":null,\"state\":\"established\",\"since_seconds\":61,\"waiting\":null,\"next_try_"
		"seconds\":null,"
		"\"flushing\":false,\"router_id\":\"10.0.0.9\",\"hold_time\":90,\"local\":\"[fe80::1]:179\","
		"\"remote\":\"[fe80::2]:40000\","
		"\"families\":[{\"family\":\"ipv4\",\"agreed\":true,\"received\":3,\"accepted\":2,"
		"\"advertised\":1,\"stale\":1,"
		"\"max_prefix\":100,\"end_of_rib_in\":false,\"end_of_rib_out\":true},{\"family\":\"ipv6\","
		"\"agreed\":false}],"
		"\"capabilities\":{\"families\":[\"ipv4\"],\"extended_next_hop\":[\"ipv4\"],\"as4\":true,"
		"\"refresh\":true,"
		"\"enhanced_refresh\":false,\"extended_message\":false,\"graceful_restart\":true,\"graceful_"
		"notification\":false,"
		"\"restart_time\":120,\"graceful_families\":[\"ipv4\"],\"preserved\":[],\"unknown\":2},"
		"\"counters\":{\"messages_in\":6,\"messages_out\":5,\"updates_in\":2,\"updates_out\":1,"
		"\"withdrawn_updates\":0,"
		"\"discarded_attributes\":0,\"established\":2,\"flaps\":1},"
		"\"last_error\":{\"code\":null,\"reason\":\"the connection "
		"ended\",\"sent\":false,\"ago_seconds\":70},"
		"\"last_notification\":{\"code\":\"Cease/Administrative "
		"Reset\",\"reason\":\"Cease/Administrative Reset: new "
		"cable\",\"sent\":false}}",
		"ce1: customer? 1\n"
		"  address     fe80::2%eth1\n"
		"  AS          64512, external; ours is 65000; router ID 10.0.0.9\n"
		"  state       established for 1m 01s, from [fe80::1]:179 to [fe80::2]:40000, hold time 90 "
		"s\n"
		"  before      Cease/Administrative Reset: new cable (received)\n"
		"  last error  the connection ended, 1m 10s ago\n"
		"  policies    import from-ce1, export nothing (RFC 8212)\n"
		"  protection  TCP MD5, at most 1 hop away\n"
		"  family      ipv4: 3 received, 2 accepted, 1 advertised, 1 stale, limit 100; it has not "
		"told all yet\n"
		"  family      ipv6: not agreed on\n"
		"  it can      families ipv4; IPv6 next hops of ipv4; AS numbers of four octets; route "
		"refresh; graceful restart "
		"(120 s, of ipv4); 2 that we do not know\n"
		"  messages    6 in, 5 out; of these 2 and 1 updates\n"
		"  since start 2 sessions, 1 that broke; updates with errors: 0 treated as withdrawn, 0 with "
		"attributes left out\n");
}

static void we_tell_who_we_are_and_how_much_we_have(void **state)
{
	prints(print_bgp_speaker,
		"{\"as\":65000,\"router_id\":\"10.0.0.1\",\"cluster_id\":\"10.0.0.9\",\"restarting\":true,"
		"\"tables\":[{\"family\":\"ipv4\",\"prefixes\":3,\"paths\":5}]}",
		"AS 65000, router ID 10.0.0.1, cluster ID 10.0.0.9\n"
		"After our restart: nothing is told before the neighbors have told all of theirs.\n"
		"ipv4: 3 prefixes, 5 paths\n\n");
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
		"{\"from\":\"ce1\",\"from_address\":\"203.0.113.2\",\"best\":true,\"next_hop\":\"203.0.113."
		"2\",\"as_path\":\"64512\","
		"\"origin\":\"igp\",\"local_pref\":200,\"age_seconds\":61,\"stale\":true,"
		"\"communities\":[\"65000:1\",\"no-export\"],\"extended_communities\":[\"color:100\"],"
		"\"originator_id\":\"10.0.0.2\",\"cluster_list\":[\"10.0.0.3\",\"10.0.0.4\"],\"tunnels\":["
		"\"gre key 7\"],\"why\":\"the best: a higher "
		"local preference\"},"
		"{\"from\":\"rr1\",\"best\":false,\"next_hop\":null,\"as_path\":\"\",\"med\":9,"
		"\"why\":\"left behind: the best one has a higher local preference (200 against 100)\"}],"
		"\"neighbors\":[{\"neighbor\":\"rr1\",\"told\":true,\"because\":null},"
		"{\"neighbor\":\"ce1\",\"told\":false,\"because\":\"it came from there\"}]}",
		"198.51.100.0/24 (ipv4)\n"
		"  * from ce1 (203.0.113.2), next hop 203.0.113.2, AS path 64512, origin igp, local "
		"preference 200, for 1m 01s, stale\n"
		"    communities 65000:1, no-export\n"
		"    extended communities color:100\n"
		"    originator 10.0.0.2\n"
		"    clusters 10.0.0.3, 10.0.0.4\n"
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
		cmocka_unit_test(a_table_of_one_page_is_in_order_and_names_what_prefixes_do_not_tell),
		cmocka_unit_test(neighbours_that_are_up_say_what_was_not_agreed_on),
		cmocka_unit_test(what_was_said_before_a_connection_failed_is_not_forgotten),
		cmocka_unit_test(one_neighbour_is_told_in_full),
		cmocka_unit_test(we_tell_who_we_are_and_how_much_we_have),
		cmocka_unit_test(attribute_sets_say_how_many_routes_share_them),
		cmocka_unit_test(a_route_says_why_and_who_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What softwire(1) prints, from the JSON that doc/control.md describes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/print.h"

struct page {
	char *text;
	size_t len;
	FILE *out;
	json_t *rows;
};

/* There is one at a time, and it stays where it is. */
static struct page *page_open(const char *json)
{
	static struct page p;

	p = (struct page){.rows = json_loads(json, 0, NULL)};
	assert_non_null(p.rows);
	p.out = open_memstream(&p.text, &p.len);
	assert_non_null(p.out);
	return &p;
}

static void page_is(struct page *p, const char *expected)
{
	fclose(p->out);
	assert_string_equal(p->text, expected);
	free(p->text);
	json_decref(p->rows);
}

static const char up[] =
	"{\"id\":17,\"role\":\"concentrator\",\"name\":null,\"user\":\"alice\",\"state\":\"up\",\"peer\":"
	"\"203.0.113.7:40001\","
	"\"link6\":\"2001:db8:100:7::/64\",\"delegated\":[\"2001:db8:8000:100::/"
	"56\"],\"mtu\":1452,\"up_seconds\":7384,"
	"\"rx6_bytes\":123456,\"rx4_bytes\":0,\"tx6_bytes\":98765432,\"tx4_bytes\":0,\"drop_spoofed\":0}";

static void softwires_are_aligned_and_empty_columns_left_out(void **state)
{
	char json[2048];
	struct page *p;

	snprintf(json, sizeof(json),
		"[%s,{\"id\":9,\"role\":\"concentrator\",\"name\":null,\"user\":\"bob\",\"state\":\"auth\","
		"\"peer\":\"198.51.100.20:1701\","
		"\"delegated\":[],\"rx6_bytes\":0,\"tx6_bytes\":0}]",
		up);
	p = page_open(json);
	print_softwires(p->out, p->rows);
	page_is(p, "ID  USER   STATE  PEER                LINK                 DELEGATED                MTU  "
		   "    UP    RX   TX\n"
		   "17  alice  up     203.0.113.7:40001   2001:db8:100:7::/64  2001:db8:8000:100::/56  1452  "
		   "2h 03m  123k  99M\n"
		   " 9  bob    auth   198.51.100.20:1701                                                     "
		   "           0    0\n");
}

static void an_initiator_says_why_it_is_down(void **state)
{
	struct page *p =
		page_open("[{\"id\":1,\"role\":\"initiator\",\"name\":\"home\",\"user\":\"alice\",\"state\":"
			  "\"waiting\",\"delegated\":[],"
			  "\"last_error\":\"sc.example.net did not answer\",\"next_attempt_seconds\":32}]");

	print_softwires(p->out, p->rows);
	page_is(p, "ID  NAME  USER   STATE    RX  TX  NOTE\n"
		   " 1  home  alice  waiting   0   0  sc.example.net did not answer; next attempt in 32s\n");
}

static void an_initiator_says_who_has_sent_it_there(void **state)
{
	struct page *p = page_open("[{\"id\":1,\"role\":\"initiator\",\"name\":\"home\",\"user\":\"alice\",\"state\":"
				   "\"up\",\"delegated\":[],\"peer\":\"192.0.2.2:1701\",\"path\":\"ok\",\"redirected_by\":"
				   "\"192.0.2.1:1701\",\"redirect_text\":\"192.0.2.2 maintenance\"}]");

	print_softwires(p->out, p->rows);
	page_is(p, "ID  NAME  USER   STATE  PEER            RX  TX  NOTE\n"
		   " 1  home  alice  up     192.0.2.2:1701   0   0  sent by 192.0.2.1:1701: 192.0.2.2 maintenance\n");
}

static void empty_tables_say_so(void **state)
{
	struct page *p = page_open("[]");

	print_softwires(p->out, p->rows);
	print_tunnels(p->out, p->rows);
	print_leases(p->out, p->rows, 0);
	print_counters(p->out, p->rows, NULL);
	page_is(p, "There are no softwires.\nThere are no tunnels.\nThere are no leases.\nThere are no such "
		   "counters.\n");
}

static void tunnels(void **state)
{
	struct page *p = page_open(
		"[{\"id\":17,\"user\":\"alice\",\"state\":\"established\",\"peer\":\"203.0.113.7:40001\","
		"\"peer_host_name\":\"alice@router\",\"local_tunnel\":4711,\"local_session\":1,\"peer_"
		"tunnel\":52,"
		"\"peer_session\":60001,\"ns\":4,\"nr\":6,\"window\":4,\"in_flight\":1,\"last_heard_"
		"seconds\":12}]");

	print_tunnels(p->out, p->rows);
	page_is(p, "ID  USER   STATE        PEER               HOST          OUR IDS  THEIR IDS  NS  NR  IN "
		   "FLIGHT  HEARD\n"
		   "17  alice  established  203.0.113.7:40001  alice@router  4711/1   52/60001    4   6  1 "
		   "of 4       12s\n");
}

static void leases_of_both_roles(void **state)
{
	struct page *p = page_open("[{\"role\":\"concentrator\",\"user\":\"alice\",\"slot\":0,\"pool\":"
				   "\"default\",\"link6\":\"2001:db8:100:7::/64\","
				   "\"delegated\":[\"2001:db8:8000:100::/56\",\"2001:db8:9000::/"
				   "56\"],\"active\":true,\"granted_at\":1000000,\"used_at\":1000100},"
				   "{\"role\":\"concentrator\",\"user\":\"bob\",\"slot\":1,\"pool\":"
				   "\"default\",\"link6\":null,\"delegated\":[],\"active\":false,"
				   "\"granted_at\":1000000,\"used_at\":1086400},"
				   "{\"role\":\"initiator\",\"name\":\"home\",\"kind\":\"delegated\","
				   "\"prefix\":\"2001:db8:8000::/56\",\"preferred\":86000,"
				   "\"valid\":4294967295,\"dns\":[\"2001:db8::53\"]}]");

	print_leases(p->out, p->rows, 1090000);
	page_is(p,
		"USER   SLOT  POOL     LINK                 DELEGATED                  ACTIVE     GRANTED   "
		"LAST USED\n"
		"alice        default  2001:db8:100:7::/64  2001:db8:8000:100::/56 +1  yes     1d 01h ago\n"
		"bob       1  default                                                  no      1d 01h ago  "
		"1h 00m ago\n"
		"\n"
		"NAME  KIND       PREFIX              PREFERRED     VALID  DNS\n"
		"home  delegated  2001:db8:8000::/56    23h 53m  for ever  2001:db8::53\n");
}

static void what_is_ipv4_has_its_columns(void **state)
{
	struct page *p = page_open(
		"[{\"id\":3,\"role\":\"initiator\",\"name\":\"home\",\"user\":\"alice\",\"state\":\"up\","
		"\"address4\":\"198.51.100.7\",\"delegated\":[\"2001:db8:8000::/56\"],"
		"\"subnets\":[\"203.0.113.8/29\"],\"path\":\"no route to the concentrator, for 3 s\"}]");

	print_softwires(p->out, p->rows);
	page_is(p, "ID  NAME  USER   STATE  IPV4          DELEGATED           SUBNET          RX  TX  NOTE\n"
		   " 3  home  alice  up     198.51.100.7  2001:db8:8000::/56  203.0.113.8/29   0   0  no route to the "
		   "concentrator, for 3 s\n");
}

/* proves: HS-PROV-12 partial */
static void reverse_zones_are_lines_of_a_zone_file(void **state)
{
	struct page *p = page_open(
		"[{\"user\":\"alice\",\"prefix\":\"2001:db8:8000:100::/56\","
		"\"zones\":[\"1.0.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa\"],\"nameservers\":[\"ns1.example.net\","
		"\"ns2.example.net.\"]},"
		"{\"user\":\"bob\\n\",\"prefix\":\"203.0.113.8/29\",\"zones\":[\"8.113.0.203.in-addr.arpa\"],"
		"\"nameservers\":[]}]");

	print_reverse_zones(p->out, p->rows);
	page_is(p, "; alice 2001:db8:8000:100::/56\n"
		   "1.0.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa. IN NS ns1.example.net.\n"
		   "1.0.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa. IN NS ns2.example.net.\n"
		   "; bob? 203.0.113.8/29: no nameservers, for the user or the pool\n");
}

static void counters(void **state)
{
	static const char json[] =
		"{\"concentrator\":{\"l2tp\":{\"control_rx\":70,\"bad_avp\":0},\"ppp\":{\"rx\":3}},"
		"\"initiators\":{\"home\":{\"l2tp\":{\"control_rx\":5}}}}";
	struct page *p = page_open(json);

	print_counters(p->out, p->rows, NULL);
	page_is(p, "concentrator l2tp control_rx     70\n"
		   "concentrator ppp rx              3\n"
		   "initiators home l2tp control_rx  5\n"
		   "Others: 1 counter is 0.\n");
	p = page_open(json);
	print_counters(p->out, p->rows, "home");
	page_is(p, "initiators home l2tp control_rx  5\n");
	p = page_open(json);
	print_counters(p->out, p->rows, "bad_avp");
	page_is(p, "1 counter is 0.\n");
}

static void names_of_peers_cannot_move_the_cursor(void **state)
{
	struct page *p = page_open(
		"[{\"id\":1,\"user\":\"a\\u001b[2J\\u009b1m\\nb\",\"state\":\"auth\",\"rx6_bytes\":0}]");

	print_softwires(p->out, p->rows);
	page_is(p, "ID  USER         STATE  RX  TX\n"
		   " 1  a?[2J??1m?b  auth    0   0\n");
	p = page_open("{\"event\":\"trace\",\"softwire\":1,\"user\":\"a\\rb\",\"t_ms\":12,\"dir\":\"rx\","
		      "\"layer\":\"l2tp\",\"text\":\"\\u0007x\"}");
	print_trace(p->out, p->rows);
	page_is(p, "     0.012  1 a?b  rx   l2tp      ?x\n");
}

static void trace_events(void **state)
{
	struct page *p = page_open("{\"event\":\"trace\",\"softwire\":17,\"name\":\"home\",\"user\":"
				   "\"alice\",\"t_ms\":4123,\"dir\":\"note\","
				   "\"layer\":\"softwire\",\"text\":\"up\"}");

	print_trace(p->out, p->rows);
	page_is(p, "     4.123  17 home  note softwire  up\n");
	p = page_open("{\"event\":\"lost\",\"lost\":42}");
	print_trace(p->out, p->rows);
	page_is(p, "... 42 events were lost here\n");
}

static void long_cells_are_cut_between_characters(void **state)
{
	char json[1024] = "[{\"id\":1,\"user\":\"", expected[512] = " 1  ";
	struct page *p;

	for (unsigned i = 0; i < 200; i++)
		strcat(json, "\u00e4"); /* two bytes each; a cell has 319 at most */
	strcat(json, "\",\"state\":\"up\"}]");
	for (unsigned i = 0; i < 159; i++)
		strcat(expected, "\u00e4");
	strcat(expected, "  up      0   0\n");
	p = page_open(json);
	print_softwires(p->out, p->rows);
	fclose(p->out);
	assert_string_equal(strchr(p->text, '\n') + 1, expected);
	free(p->text);
	json_decref(p->rows);
}

static void units(void **state)
{
	static const struct {
		double bytes;
		const char *text;
	} sizes[] = {{0, "0"}, {999, "999"}, {1000, "1.0k"}, {9949, "9.9k"}, {9960, "10k"}, {999499, "999k"},
		{999500, "1.0M"}, {1234567890, "1.2G"}, {1.8e19, "18E"}};
	static const struct {
		double seconds;
		const char *text;
	} times[] = {{-5, "0s"}, {0, "0s"}, {59, "59s"}, {60, "1m 00s"}, {3599, "59m 59s"}, {3600, "1h 00m"},
		{86399, "23h 59m"}, {86400, "1d 00h"}, {8640000, "100d 00h"}};
	char buf[16];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_string_equal(print_bytes(sizes[i].bytes, buf), sizes[i].text);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_string_equal(print_seconds(times[i].seconds, buf), times[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(softwires_are_aligned_and_empty_columns_left_out),
		cmocka_unit_test(an_initiator_says_why_it_is_down),
		cmocka_unit_test(an_initiator_says_who_has_sent_it_there),
		cmocka_unit_test(empty_tables_say_so),
		cmocka_unit_test(tunnels),
		cmocka_unit_test(leases_of_both_roles),
		cmocka_unit_test(what_is_ipv4_has_its_columns),
		cmocka_unit_test(reverse_zones_are_lines_of_a_zone_file),
		cmocka_unit_test(counters),
		cmocka_unit_test(names_of_peers_cannot_move_the_cursor),
		cmocka_unit_test(trace_events),
		cmocka_unit_test(long_cells_are_cut_between_characters),
		cmocka_unit_test(units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

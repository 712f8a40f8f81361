/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users files, good and bad: what they give, and what people are told. */
#include "fixture.h"

#include <time.h>

/* libconfig 1.5 loses the string at which a syntax error is found: 64 bytes for each, when a broken file is read. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static int setup(void **state)
{
	*state = aaa_new(NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	aaa_free(*state);
	return 0;
}

struct got {
	unsigned count;
	char text[AAA_SECRET_MAX + 1];
	size_t len;
};

static void got_secret(void *owner, const void *secret, size_t len)
{
	struct got *g = owner;

	g->count++;
	g->len = len;
	memcpy(g->text, secret, len);
	g->text[len] = '\0';
}

static const char *server_secret(struct aaa *a, const char *user)
{
	static struct got g;

	g.count = 0;
	aaa_server_secret(a, user, got_secret, &g);
	assert_int_equal(g.count, 1);
	return g.text;
}

static const char *tunnel_secret(struct aaa *a, const char *peer, const char *host)
{
	static struct got g;
	struct addr addr;

	g.count = 0;
	assert_int_equal(addr_parse(peer, &addr), 0);
	aaa_tunnel_secret(a, &addr, host, got_secret, &g);
	assert_int_equal(g.count, 1);
	return g.text;
}

static void reads_everything_a_user_can_have(void **state)
{
	struct aaa *a = *state;
	const struct aaa_user *u;
	uint32_t cursor = 0;
	char text[PREFIX_TEXT];

	load_good(a, "# users of a small ISP: { not a bracket\n"
		     "users = {\n"
		     "    alice = { secret = \"s}ecret\\\"; \"; server-secret = \"other\"; // }\n"
		     "              delegate = [ \"2001:db8:8000:100::/56\",\n"
		     "                           \"2001:db8:7000::/48\" ]; link = \"2001:db8:100:7::/64\";\n"
		     "              pool = \"default\"; softwires = 2; iid = \"::1\"; };\n"
		     "    bob : { secret : \"b\"; delegate = \"2001:db8:6000::/48\"; } /* no semicolons }} */ carol = { secret = \"two \" "
		     "\"strings\"; }, };\n");
	assert_int_equal(aaa_user_count(a), 3);
	u = aaa_next_user(a, &cursor);
	assert_string_equal(u->name, "alice");
	assert_string_equal(u->pool, "default");
	assert_int_equal(u->delegate_count, 2);
	assert_string_equal(prefix_print(&u->delegate[0], text), "2001:db8:8000:100::/56");
	assert_string_equal(prefix_print(&u->delegate[1], text), "2001:db8:7000::/48");
	assert_string_equal(prefix_print(&u->link, text), "2001:db8:100:7::/64");
	assert_int_equal(u->iid, 1);
	assert_int_equal(u->softwires, 2);
	u = aaa_next_user(a, &cursor);
	assert_string_equal(u->name, "bob");
	assert_string_equal(u->pool, "");
	assert_int_equal(u->delegate_count, 1);
	assert_string_equal(prefix_print(&u->delegate[0], text), "2001:db8:6000::/48");
	assert_true(prefix_is_none(&u->link));
	assert_int_equal(u->softwires, 1);
	u = aaa_next_user(a, &cursor);
	assert_string_equal(u->name, "carol");
	assert_int_equal(u->delegate_count, 0);
	assert_null(aaa_next_user(a, &cursor));
	assert_string_equal(aaa_find_user(a, "bob")->name, "bob");
	assert_null(aaa_find_user(a, "bo"));
	assert_null(aaa_find_user(a, ""));
	assert_string_equal(server_secret(a, "alice"), "other");
	assert_string_equal(server_secret(a, "bob"), "");
	assert_string_equal(server_secret(a, "nobody"), "");
}

static void reads_what_a_user_can_have_of_ipv4(void **state)
{
	struct aaa *a = *state;
	const struct aaa_user *u;
	char text[PREFIX_TEXT];

	load_good(a, "users = {\n"
		     "  alice = { secret = \"a\"; ipv4 = \"198.51.100.7\"; ipv6 = false; at-limit = \"refuse\";\n"
		     "            delegate4 = [ \"198.51.100.64/29\", \"10.0.0.0/8\" ]; delegate = \"2001:db8::/48\";\n"
		     "            nameservers = ( \"ns1.alice.example\", \"NS-2.example\", \"x\", \"4.example\" ); };\n"
		     "  bob = { secret = \"b\"; delegate4 = \"192.0.2.4/30\"; nameservers = \"ns.bob.example\";\n"
		     "          at-limit = \"replace\"; ipv6 = true; };\n"
		     "  carol = { secret = \"c\"; };\n};\n");
	u = aaa_find_user(a, "alice");
	assert_string_equal(addr_print(&u->address4, text), "198.51.100.7");
	assert_int_equal(u->subnet_count, 2);
	assert_string_equal(prefix_print(&u->subnets[0], text), "198.51.100.64/29");
	assert_string_equal(prefix_print(&u->subnets[1], text), "10.0.0.0/8");
	assert_int_equal(u->delegate_count, 1);
	assert_string_equal(prefix_print(&u->delegate[0], text), "2001:db8::/48");
	assert_true(u->no_ipv6);
	assert_int_equal(u->at_limit, AAA_AT_LIMIT_REFUSE);
	assert_int_equal(u->nameserver_count, 4);
	assert_string_equal(u->nameservers[0], "ns1.alice.example");
	assert_string_equal(u->nameservers[1], "NS-2.example");
	assert_string_equal(u->nameservers[3], "4.example");
	u = aaa_find_user(a, "bob");
	assert_true(addr_is_none(&u->address4));
	assert_int_equal(u->subnet_count, 1);
	assert_string_equal(prefix_print(&u->subnets[0], text), "192.0.2.4/30");
	assert_false(u->no_ipv6);
	assert_int_equal(u->at_limit, AAA_AT_LIMIT_REPLACE);
	assert_int_equal(u->nameserver_count, 1);
	assert_string_equal(u->nameservers[0], "ns.bob.example");
	u = aaa_find_user(a, "carol");
	assert_int_equal(u->at_limit, AAA_AT_LIMIT_DEFAULT);
	assert_int_equal(u->subnet_count + u->nameserver_count, 0);
	/* The same bits in both families are no overlap. */
	load_good(a, "users = { dave = { ipv4 = \"32.1.13.184\"; delegate = \"2001:db8::/48\"; }; };");
}

static void reads_names_that_libconfig_cannot_spell(void **state)
{
	struct aaa *a = *state;

	load_good(a, "users = ( { name = \"alice@example.net\"; secret = \"a\"; }, # {\n"
		     "  { secret = \"b\"; name = \"b\\xc3\\xb6rje\"; softwires = 3; } )");
	assert_int_equal(aaa_user_count(a), 2);
	assert_non_null(aaa_find_user(a, "alice@example.net"));
	assert_int_equal(aaa_find_user(a, "b\xc3\xb6rje")->softwires, 3);
}

static void an_empty_group_of_users_is_fine(void **state)
{
	load_good(*state, "users = { };");
	load_good(*state, "users = ( );");
	load_good(*state, "peers = ( );");
	assert_int_equal(aaa_user_count(*state), 0);
}

static void finds_the_longest_prefix_of_a_peer_and_its_host_name(void **state)
{
	struct aaa *a = *state;

	load_good(a, "peers = (\n"
		     "  { address = \"0.0.0.0/0\"; tunnel-secret = \"any4\"; },\n"
		     "  { address = \"203.0.113.0/24\"; tunnel-secret = \"net\"; },\n"
		     "  { address = \"203.0.113.0/24\"; host-name = \"Gold.example.net\"; tunnel-secret = "
		     "\"gold\"; },\n"
		     "  { address = \"203.0.113.7\"; host-name = \"seven\"; tunnel-secret = \"seven\"; },\n"
		     "  { address = \"2001:db8::/32\"; tunnel-secret = \"six\"; } );");
	assert_string_equal(tunnel_secret(a, "198.51.100.1", NULL), "any4");
	assert_string_equal(tunnel_secret(a, "203.0.113.1", "somebody"), "net");
	assert_string_equal(tunnel_secret(a, "203.0.113.1", NULL), "net");
	assert_string_equal(tunnel_secret(a, "203.0.113.1", "gold.example.net"), "gold");
	assert_string_equal(tunnel_secret(a, "203.0.113.7", "seven"), "seven");
	assert_string_equal(tunnel_secret(a, "203.0.113.7", "eight"), "net");
	assert_string_equal(tunnel_secret(a, "203.0.113.7", "GOLD.example.net"), "gold");
	assert_string_equal(tunnel_secret(a, "2001:db8::1", NULL), "six");
	assert_string_equal(tunnel_secret(a, "2001:db9::1", NULL), "");
}

/* Files with errors: what is told, to the letter. */
static const struct bad_file {
	const char *name, *text, *told;
} bad_files[] = {
	{"empty", "", "users.conf:0: neither users nor peers: users = { NAME = { secret = \"...\"; }; };\n"},
	{"unknown key",
		"users = {\n alice = {\n  secert = \"a\";\n };\n bob = { secret = \"b\"; colour = 3; "
		"};\n};\nuser = 1;\n",
		"users.conf:3: user alice: unknown key \"secert\": did you mean \"secret\"?\n"
		"users.conf:5: user bob: unknown key \"colour\": known are secret, server-secret, delegate, "
		"link, ipv4, delegate4, pool, softwires, at-limit, iid, ipv6, nameservers\n"
		"users.conf:7: unknown key \"user\": did you mean \"users\"?\n"},
	{"user twice", "users = {\n alice = { secret = \"a\"; };\n\n alice = { secret = \"b\"; };\n};",
		"users.conf:4: user alice is there already, in line 2\n"},
	{"key twice",
		"users = {\n alice = { secret = \"a\";\n secret = \"b\"; };\n bob = { secret = \"\"; };\n};",
		"users.conf:3: a key is there twice\n"
		"users.conf:4: user bob: secret is empty\n"},
	{"host bits",
		"users = { alice = { secret = \"a\";\n delegate = [ \"2001:db8:8000:101::/56\" ]; }; };",
		"users.conf:2: user alice: delegate \"2001:db8:8000:101::/56\" has host bits set: did you "
		"mean "
		"\"2001:db8:8000:100::/56\"?\n"},
	{"impossible prefixes",
		"users = {\n a = { secret = \"a\"; delegate = [\n \"2001:db8::/129\",\n \"2001:db8::\",\n "
		"\"hello/48\",\n"
		" \"2001:db8::/32\" ]; };\n b = { secret = \"b\"; delegate = [ \"192.0.2.0/24\" ]; };\n"
		" c = { secret = \"c\"; link = \"2001:db8::/63\"; };\n d = { secret = \"d\"; delegate = [ "
		"\"ff02::/64\" ]; };\n};",
		"users.conf:3: user a: delegate \"2001:db8::/129\" has an impossible length: 0 to 128\n"
		"users.conf:4: user a: delegate \"2001:db8::\" is not a prefix: write it like "
		"\"2001:db8:8000:100::/56\"\n"
		"users.conf:5: user a: delegate \"hello/48\" is not a prefix: write it like "
		"\"2001:db8:8000:100::/56\"\n"
		"users.conf:6: user a: delegate \"2001:db8::/32\" must be of /48 to /64 (RFC 5571 section "
		"6.2.1)\n"
		"users.conf:7: user b: delegate \"192.0.2.0/24\" is not IPv6\n"
		"users.conf:8: user c: link \"2001:db8::/63\" must be a /64\n"
		"users.conf:9: user d: delegate \"ff02::/64\" is not global unicast or unique local\n"},
	{"wrong types",
		"users = {\n a = { secret = 5; };\n b = { secret = \"b\"; delegate = 5; };\n"
		" c = { secret = \"c\"; softwires = \"2\"; };\n d = { secret = \"d\"; delegate = [ 1 ]; };\n "
		"e = 3;\n"
		" f = { secret = \"f\"; delegate = [ ]; };\n};\npeers = { };",
		"users.conf:2: user a: secret must be a string: secret = \"...\";\n"
		"users.conf:3: user b: delegate must be a string or an array: delegate = [ \"2001:db8:8000:100::/56\" "
		"];\n"
		"users.conf:4: user c: softwires must be a number: softwires = 1;\n"
		"users.conf:5: user d: delegate must hold strings: delegate = [ \"2001:db8:8000:100::/56\" "
		"];\n"
		"users.conf:6: users: every user must be a group: NAME = { secret = \"...\"; };\n"
		"users.conf:7: user f: delegate has 0 prefixes: 1 to 4 are possible\n"
		"users.conf:9: peers must be a list: peers = ( { address = \"203.0.113.0/24\"; tunnel-secret "
		"= \"...\"; } );\n"},
	{"impossible values",
		"users = {\n a = { secret = \"a\"; softwires = 0; };\n b = { secret = \"b\"; iid = "
		"\"2001:db8::1\"; };\n"
		" c = { secret = \"c\"; iid = \"::\"; };\n d = { secret = \"d\"; pool = \"\"; };\n};",
		"users.conf:2: user a: softwires = 0 is impossible: 1 to 1024\n"
		"users.conf:3: user b: iid \"2001:db8::1\" is not an interface identifier: write its lower "
		"half like \"::1\"\n"
		"users.conf:4: user c: iid \"::\" is not an interface identifier: write its lower half like "
		"\"::1\"\n"
		"users.conf:5: user d: pool is empty\n"},
	{"one secret for both directions",
		"users = {\n a = { secret = \"same\";\n server-secret = \"same\"; };\n};",
		"users.conf:3: user a: server-secret must differ from secret: with one secret a response can "
		"be reflected\n"},
	{"overlaps",
		"users = {\n a = { secret = \"a\"; delegate = [ \"2001:db8:1::/48\" ]; };\n"
		" b = { secret = \"b\"; delegate = [ \"2001:db8:2:100::/56\", \"2001:db8:1:ff00::/56\" ]; "
		"};\n"
		" c = { secret = \"c\"; link = \"2001:db8:2:1ff::/64\"; };\n"
		" d = { secret = \"d\"; delegate = [ \"2001:db8:3::/48\" ]; link = \"2001:db8:3::/64\"; "
		"};\n};",
		"users.conf:3: user b: 2001:db8:1:ff00::/56 overlaps 2001:db8:1::/48 of user a in line 2\n"
		"users.conf:4: user c: 2001:db8:2:1ff::/64 overlaps 2001:db8:2:100::/56 of user b in line 3\n"
		"users.conf:5: user d: 2001:db8:3::/64 overlaps 2001:db8:3::/48 of user d in line 5\n"},
	{"impossible IPv4",
		"users = {\n a = { ipv4 = \"198.51.100\"; };\n b = { ipv4 = \"2001:db8::1\"; };\n"
		" c = { ipv4 = \"224.0.0.1\"; };\n d = { ipv4 = \"127.0.0.1\"; };\n"
		" e = { delegate4 = \"198.51.100.0/31\"; };\n f = { delegate4 = \"0.0.0.0/7\"; };\n"
		" g = { delegate4 = [ \"198.51.100.1/29\",\n \"2001:db8::/48\", \"192.0.2.0/29\" ]; };\n"
		" h = { delegate4 = [ \"198.51.100.1/29\",\n \"2001:db8::/48\" ]; };\n"
		" i = { delegate4 = \"240.0.0.0/8\"; };\n j = { delegate4 = { }; };\n k = { ipv4 = 5; };\n};",
		"users.conf:2: user a: ipv4 \"198.51.100\" is not an IPv4 address: write it like \"198.51.100.7\"\n"
		"users.conf:3: user b: ipv4 \"2001:db8::1\" is not an IPv4 address: write it like \"198.51.100.7\"\n"
		"users.conf:4: user c: ipv4 \"224.0.0.1\" is not a unicast address\n"
		"users.conf:5: user d: ipv4 \"127.0.0.1\" is not a unicast address\n"
		"users.conf:6: user e: delegate4 \"198.51.100.0/31\" must be of /8 to /30: a single address is `ipv4`\n"
		"users.conf:7: user f: delegate4 \"0.0.0.0/7\" must be of /8 to /30\n"
		"users.conf:8: user g: delegate4 has 3 subnets: 1 to 2 are possible\n"
		"users.conf:10: user h: delegate4 \"198.51.100.1/29\" has host bits set: did you mean "
		"\"198.51.100.0/29\"?\n"
		"users.conf:11: user h: delegate4 \"2001:db8::/48\" is not IPv4: IPv6 prefixes are `delegate`\n"
		"users.conf:12: user i: delegate4 \"240.0.0.0/8\" is not unicast\n"
		"users.conf:13: user j: delegate4 must be a string or an array: delegate4 = [ \"198.51.100.64/29\" ];\n"
		"users.conf:14: user k: ipv4 must be a string: ipv4 = \"...\";\n"},
	{"impossible words",
		"users = {\n a = { at-limit = \"drop\"; };\n b = { at-limit = true; };\n c = { ipv6 = \"no\"; };\n"
		" d = { nameservers = [ \"192.0.2.1\" ]; };\n e = { nameservers = [ \"-a.example\" ]; };\n"
		" f = { nameservers = [ \"a..example\" ]; };\n g = { nameservers = [ \"a_b.example\" ]; };\n"
		" h = { nameservers = [ \"a\", \"b\", \"c\", \"d\", \"e\" ]; };\n"
		" i = { nameservers = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example\"; };\n"
		" j = { nameservers = \"a.example.\"; };\n k = { nameservers = \"a-.example\"; };\n};",
		"users.conf:2: user a: at-limit \"drop\" is unknown: \"replace\" or \"refuse\"\n"
		"users.conf:3: user b: at-limit must be a string: at-limit = \"...\";\n"
		"users.conf:4: user c: ipv6 must be true or false: ipv6 = false;\n"
		"users.conf:5: user d: nameservers \"192.0.2.1\" is not a host name: write it like "
		"\"ns1.alice.example\"\n"
		"users.conf:6: user e: nameservers \"-a.example\" is not a host name: write it like "
		"\"ns1.alice.example\"\n"
		"users.conf:7: user f: nameservers \"a..example\" is not a host name: write it like "
		"\"ns1.alice.example\"\n"
		"users.conf:8: user g: nameservers \"a_b.example\" is not a host name: write it like "
		"\"ns1.alice.example\"\n"
		"users.conf:9: user h: nameservers has 5 names: 1 to 4 are possible\n"
		"users.conf:10: user i: nameservers \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" "
		"is not a host name: write it like \"ns1.alice.example\"\n"
		"users.conf:11: user j: nameservers \"a.example.\" is not a host name: write it like "
		"\"ns1.alice.example\"\n"
		"users.conf:12: user k: nameservers \"a-.example\" is not a host name: write it like "
		"\"ns1.alice.example\"\n"},
	{"overlaps of IPv4",
		"users = {\n a = { ipv4 = \"198.51.100.66\"; };\n b = { delegate4 = \"198.51.100.64/29\"; };\n"
		" c = { ipv4 = \"198.51.100.66\"; };\n d = { delegate4 = [ \"10.1.0.0/16\" ]; };\n"
		" e = { delegate4 = [ \"10.0.0.0/8\" ]; ipv4 = \"11.0.0.1\"; };\n"
		" f = { ipv4 = \"192.0.2.1\"; delegate4 = \"192.0.2.0/30\"; };\n"
		"};",
		"users.conf:3: user b: 198.51.100.64/29 overlaps 198.51.100.66 of user a in line 2\n"
		"users.conf:4: user c: 198.51.100.66 overlaps 198.51.100.64/29 of user b in line 3\n"
		"users.conf:6: user e: 10.0.0.0/8 overlaps 10.1.0.0/16 of user d in line 5\n"
		"users.conf:7: user f: 192.0.2.1 overlaps 192.0.2.0/30 of user f in line 7\n"},
	{"names that are ours", "users = (\n { name = \"anonymous/1\"; secret = \"a\"; },\n { name = \"anonymous/\"; } );",
		"users.conf:2: user anonymous/1: names that begin with \"anonymous/\" are for users without a name\n"
		"users.conf:3: user anonymous/: names that begin with \"anonymous/\" are for users without a name\n"},
	{"names that cannot stand there",
		"users = {\n alice@example.net = { secret = \"a\"; };\n # bob\n /* and\n more */ \"bob\" = { };\n"
		" 7up: { }, carol.smith { }; dave = { };\n e@include.example = { }\n};",
		"users.conf:2: the name \"alice@example.net\" cannot stand here: write users = ( { name = "
		"\"alice@example.net\"; secret = \"...\"; }, ... );\n"
		"users.conf:5: the name \"bob\" cannot stand here: write users = ( { name = \"bob\"; secret = "
		"\"...\"; }, ... );\n"
		"users.conf:6: the name \"7up\" cannot stand here: write users = ( { name = \"7up\"; secret = "
		"\"...\"; }, ... );\n"
		"users.conf:6: the name \"carol.smith\" cannot stand here: write users = ( { name = "
		"\"carol.smith\"; secret = \"...\"; }, ... );\n"
		"users.conf:7: the name \"e@include.example\" cannot stand here: write users = ( { name = "
		"\"e@include.example\"; secret = \"...\"; }, ... );\n"},
	{"include", "users = {\n @include \"more.conf\"\n};\n",
		"users.conf:2: @include is not possible here: put all users into one file\n"},
	{"bracket missing", "users = {\n alice = { secret = \"a\"; \n bob = { secret = \"b\"; };\n};\n",
		"users.conf:1: the '{' that opens here is never closed: '}' is missing\n"
		"users.conf:3: user alice: \"bob\" lies inside of it: '}' is missing before\n"},
	{"wrong bracket", "users = {\n alice = { secret = \"a\"; delegate = [ \"2001:db8::/56\" }; };\n};\n",
		"users.conf:2: '}' does not close the '[' of line 2: ']' is missing\n"},
	{"bracket too many", "users = { };\n};\n", "users.conf:2: '}' closes nothing\n"},
	{"string not closed", "users = {\n alice = { secret = \"a; };\n};\n",
		"users.conf:2: the string that begins here is never closed: \" is missing\n"},
	{"comment not closed", "users = { };\n/* hello\n",
		"users.conf:2: the comment that begins here is never closed: */ is missing\n"},
	{"syntax, in two users and outside",
		"users = {\n a = { secret \"a\"; };\n b = { secret = b; };\n c = { secret = \"c\"; "
		"};\n};\npeers ( );\n",
		"users.conf:2: syntax error: expected NAME = VALUE; with strings in double quotes\n"
		"users.conf:3: syntax error: expected NAME = VALUE; with strings in double quotes\n"
		"users.conf:6: syntax error: expected NAME = VALUE; with strings in double quotes\n"},
	{"a zero in a string", "users = {\n a = { secret = \"a\\x00b\"; }; };",
		"users.conf:2: \\x00 cannot be part of a string\n"},
	{"too deep", "a = ((((((((((((((((( 1 )))))))))))))))));",
		"users.conf:1: brackets are nested too deeply\n"},
	{"list without names",
		"users = (\n { secret = \"a\"; },\n { name = \"\"; secret = \"b\"; },\n 7, { nmae = \"c\"; "
		"secret = \"c\"; } )",
		"users.conf:2: a user in a list needs a name: name = \"...\";\n"
		"users.conf:3: a user's name is empty\n"
		"users.conf:4: users: every member of the list must be a group: { name = \"...\"; secret = "
		"\"...\"; }\n"
		"users.conf:4: a user in a list needs a name: name = \"...\";\n"},
	{"users is no group", "users = \"alice\";\n",
		"users.conf:1: users must be a group or a list: users = { NAME = { secret = \"...\"; }; "
		"};\n"},
	{"users twice", "users = { };\nusers = { a = { secret = \"a\"; }; };\n",
		"users.conf:2: a key is there twice\n"},
	{"bad peers",
		"peers = (\n { address = \"203.0.113.1/24\"; tunnel-secret = \"a\"; },\n { address = "
		"\"home\"; tunnel-secret = \"\"; },\n"
		" { address = \"192.0.2.1\"; },\n { tunnel-secret = \"a\"; },\n { adress = \"192.0.2.1\"; "
		"tunnel-secret = \"a\"; },\n"
		" { address = \"192.0.2.2\"; tunnel-secret = \"a\"; host-name = \"h\"; },\n"
		" { address = \"192.0.2.2/32\"; tunnel-secret = \"b\"; host-name = \"H\"; }, 5 );",
		"users.conf:2: peer: address \"203.0.113.1/24\" has host bits set: did you mean "
		"\"203.0.113.0/24\"?\n"
		"users.conf:3: peer: address \"home\" is not an address or prefix: write it like "
		"\"203.0.113.0/24\"\n"
		"users.conf:3: peer: tunnel-secret is empty\n"
		"users.conf:4: peer: has no tunnel-secret: tunnel-secret = \"...\";\n"
		"users.conf:5: peer: has no address: address = \"203.0.113.0/24\";\n"
		"users.conf:6: peer: unknown key \"adress\": did you mean \"address\"?\n"
		"users.conf:8: peer 192.0.2.2/32 with host-name H is there already, in line 7\n"
		"users.conf:8: peers: every member must be a group: { address = \"203.0.113.0/24\"; "
		"tunnel-secret = \"...\"; }\n"},
};

static void tells_all_errors_with_their_lines(void **state)
{
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
		struct told told = {0};
		int rc = load(*state, bad_files[i].text, &told);

		if (rc != -EINVAL || strcmp(told.text, bad_files[i].told) != 0)
			fail_msg(
				"%s: %d\n%sbut not\n%s", bad_files[i].name, rc, told.text, bad_files[i].told);
		assert_int_equal(aaa_user_count(*state), 0);
	}
}

static void refuses_a_nul_byte_and_long_values(void **state)
{
	struct told told = {0};
	char text[1024], secret[257];
	int fd = file_of("users = {\n\0};", 13);

	assert_int_equal(aaa_load_users(*state, fd, "users.conf", tell, &told), -EINVAL);
	assert_string_equal(told.text, "users.conf:2: a NUL byte: this is not a text file\n");
	close(fd);
	memset(secret, 'x', 256);
	secret[256] = '\0';
	snprintf(text, sizeof(text), "users = { a = { secret = \"%s\"; };\n%s = { secret = \"a\"; }; };",
		secret, secret);
	told = (struct told){0};
	assert_int_equal(load(*state, text, &told), -EINVAL);
	assert_non_null(
		strstr(told.text, "users.conf:1: user a: secret has 256 bytes: at most 255 are possible\n"));
	assert_non_null(strstr(told.text, ": the name has 256 bytes: at most 255 are possible\n"));
	assert_int_equal(told.count, 2);
	secret[255] = '\0';
	snprintf(text, sizeof(text), "users = { a = { secret = \"%s\"; };\n%s = { secret = \"a\"; }; };",
		secret, secret);
	load_good(*state, text);
	assert_non_null(aaa_find_user(*state, secret));
}

static void a_file_with_errors_changes_nothing(void **state)
{
	struct told told = {0};

	load_good(*state, "users = { alice = { secret = \"a\"; server-secret = \"s\"; }; };");
	assert_int_equal(
		load(*state, "users = { bob = { secret = \"b\"; }; carol = { pool = \"\"; }; };", &told), -EINVAL);
	assert_int_equal(aaa_user_count(*state), 1);
	assert_string_equal(server_secret(*state, "alice"), "s");
	load_good(*state, "users = { bob = { secret = \"b\"; }; };");
	assert_null(aaa_find_user(*state, "alice"));
	assert_non_null(aaa_find_user(*state, "bob"));
}

static void refuses_files_that_others_can_read_or_change(void **state)
{
	static const struct {
		mode_t mode;
		const char *told;
	} unsafe[] = {
		{0644, "users.conf:0: mode 0644: others can read secrets; chmod 600 FILE\n"},
		{0640, "users.conf:0: mode 0640: others can read secrets; chmod 600 FILE\n"},
		{0602, "users.conf:0: mode 0602: others can change secrets; chmod 600 FILE\n"},
	};
	int fd = file_of("users = { a = { secret = \"a\"; }; };", 35), pipes[2];
	struct told told;

	for (unsigned i = 0; i < 3; i++) {
		told = (struct told){0};
		fchmod(fd, unsafe[i].mode);
		assert_int_equal(aaa_load_users(*state, fd, "users.conf", tell, &told), -EPERM);
		assert_string_equal(told.text, unsafe[i].told);
	}
	fchmod(fd, 0400);
	assert_int_equal(aaa_load_users(*state, fd, "users.conf", tell, &told), 0);
	assert_int_equal(aaa_load_users(*state, fd, "users.conf", tell, &told), 0); /* from the start again */
	if (geteuid() == 0) {
		assert_int_equal(fchown(fd, 12345, 0), 0);
		told = (struct told){0};
		assert_int_equal(aaa_load_users(*state, fd, "users.conf", tell, &told), -EPERM);
		assert_string_equal(told.text, "users.conf:0: belongs to user id 12345, who can read and "
					       "change secrets; chown root FILE\n");
	}
	close(fd);
	told = (struct told){0};
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(aaa_load_users(*state, pipes[0], "users.conf", tell, &told), -EINVAL);
	assert_string_equal(told.text, "users.conf:0: is not a regular file\n");
	close(pipes[0]);
	close(pipes[1]);
	told = (struct told){0};
	assert_int_equal(aaa_load_users(*state, -1, "users.conf", tell, &told), -EINVAL);
	assert_string_equal(told.text, "users.conf:0: cannot be read: Bad file descriptor\n");
}

/* libconfig alone would take minutes: the time is generous, so that only a quadratic one is caught. */
static void loads_a_hundred_thousand_users(void **state)
{
	enum { MANY = 100000 };
	char *text = malloc(MANY * 100 + 100), *at = text, name[32];
	struct timespec before, after;

	at += sprintf(at, "users = {\n");
	for (unsigned i = 0; i < MANY; i++)
		at += sprintf(at,
			"user%u = { secret = \"secret%u\"; delegate = [ \"2001:db8:%x:%x::/64\" ]; };\n", i,
			i, i / 60000, i % 60000);
	sprintf(at, "};\n");
	clock_gettime(CLOCK_MONOTONIC, &before);
	load_good(*state, text);
	clock_gettime(CLOCK_MONOTONIC, &after);
	print_message("100000 users in %ld ms\n",
		(long)((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000));
	assert_in_range(after.tv_sec - before.tv_sec, 0, 20);
	assert_int_equal(aaa_user_count(*state), MANY);
	snprintf(name, sizeof(name), "user%u", MANY - 1);
	assert_int_equal(aaa_find_user(*state, name)->delegate_count, 1);
	free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_everything_a_user_can_have),
		TEST(reads_what_a_user_can_have_of_ipv4),
		TEST(reads_names_that_libconfig_cannot_spell),
		TEST(an_empty_group_of_users_is_fine),
		TEST(finds_the_longest_prefix_of_a_peer_and_its_host_name),
		TEST(tells_all_errors_with_their_lines),
		TEST(refuses_a_nul_byte_and_long_values),
		TEST(a_file_with_errors_changes_nothing),
		TEST(refuses_files_that_others_can_read_or_change),
		TEST(loads_a_hundred_thousand_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

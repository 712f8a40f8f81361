/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `afbr` group of the configuration file, good and broken, with the exact words that people get to read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/allow.h"
#include "control/config.h"

struct told {
	char text[16384];
	unsigned errors, warnings;
};

static void tell(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct told *t = owner;
	size_t n = strlen(t->text);
	char where[32] = "";

	if (line)
		snprintf(where, sizeof(where), "%u", line);
	snprintf(t->text + n, sizeof(t->text) - n, "%s: %s%s\n", where, fatal ? "" : "warning: ", text);
	if (fatal)
		t->errors++;
	else
		t->warnings++;
}

static int read_text(const char *text, bool check_files, struct told *told, struct config *c)
{
	int fd = memfd_create("test", MFD_CLOEXEC), result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	*told = (struct told){0};
	result = config_file_read("test.conf", fd, check_files, tell, told, c);
	close(fd);
	return result;
}

static struct config *new_config(void)
{
	struct config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	return c;
}

/* What is tried stands on line 2. */
#define AFBR(text)                                                                                           \
	"afbr = { core = { address = \"2001:db8::1\"; }; bgp = { as = 65000; router-id = \"192.0.2.1\"; "    \
	"neighbors = { }; };\n" text "\n};"
#define BGP(text)                                                                                            \
	"afbr = { core = { address = \"2001:db8::1\"; }; bgp = { as = 65000; router-id = "                   \
	"\"192.0.2.1\";\n" text "\n}; };"
#define NONE           "1: warning: `neighbors` is empty: there is nobody to speak to\n"
#define INTERNAL(text) BGP("neighbors = { rr = { address = \"2001:db8::2\"; " text " }; };")
#define EXTERNAL(text)                                                                                       \
	BGP("neighbors = { ce = { address = \"203.0.113.2\"; as = 64512; import = \"all\"; export = "        \
	    "\"all\"; " text " }; }; policies = { all = ( { then = \"accept\"; } ); };")
#define POLICY(text)                                                                                         \
	BGP("policies = { p = ( " text                                                                       \
	    " ); }; neighbors = { rr = { address = \"2001:db8::2\"; import = \"p\"; }; };")

static const struct {
	const char *name, *text, *told;
} broken[] = {
	{"nothing in it", "afbr = { };", "1: `afbr` lacks `bgp`: the BGP speaker\n"},
	{"not a group", "afbr = 7;", "1: `afbr` must be a group { ... }\n"},
	{"no AS, no neighbors", "afbr = { bgp = {\nrouter-id = \"192.0.2.1\"; }; };",
		"1: `bgp` lacks `as`: our AS number\n1: `bgp` lacks `neighbors`: whom we speak to, by "
		"name\n"},
	{"AS 0", "afbr = { bgp = {\nas = 0; router-id = \"192.0.2.1\"; neighbors = { }; }; };",
		"2: `as` is 0: it must be a whole number, 1 to 4294967295\n"
		"2: warning: `neighbors` is empty: there is nobody to speak to\n"},
	{"AS_TRANS", "afbr = { bgp = {\nas = 23456; router-id = \"192.0.2.1\"; neighbors = { }; }; };",
		"2: `as` is 23456, which stands for AS numbers of four octets and is nobody's: it must be "
		"your own\n"
		"2: warning: `neighbors` is empty: there is nobody to speak to\n"},
	{"the last AS",
		"afbr = { bgp = {\nas = 4294967295; router-id = \"192.0.2.1\"; neighbors = { }; }; };",
		"2: `as` is 4294967295, which is reserved (RFC 7300): private ones are 64512 to 65534 and "
		"4200000000 to 4294967294\n"
		"2: warning: `neighbors` is empty: there is nobody to speak to\n"},
	{"no router-id in an IPv6 core",
		"afbr = { core = { address = \"2001:db8::1\"; };\nbgp = { as = 65000; neighbors = { }; }; };",
		"2: `bgp` lacks `router-id`, and `core` has no IPv4 address to take it from: it must be "
		"written like "
		"an IPv4 address, and differ from every other speaker's\n"
		"2: warning: `neighbors` is empty: there is nobody to speak to\n"},
	{"router-id of zeros",
		"afbr = { bgp = { as = 65000;\nrouter-id = \"0.0.0.0\"; neighbors = { }; }; };",
		"2: `router-id` is \"0.0.0.0\": it must be a number written like an IPv4 address\n"
		"2: warning: `neighbors` is empty: there is nobody to speak to\n"},
	{"a reflector's client by another name", INTERNAL("route-reflector-client = true;"),
		"2: `route-reflector-client`: the key is called `client`\n"},
	{"keys by other programs' names",
		INTERNAL("remote-as = 65000; peer-as = 65000; update-source = \"lo\";"),
		"2: `remote-as`: the key is called `as`\n2: `peer-as`: the key is called `as`\n"
		"2: `update-source`: the key is called `local-address`\n"},
	{"misspelt key of a neighbor", INTERNAL("next-hop-selv = true;"),
		"2: there is no key `next-hop-selv` in a neighbor: did you mean `next-hop-self`?\n"},
	{"two neighbors with one address",
		BGP("neighbors = { a = { address = \"192.0.2.7\"; }; b = {\naddress = \"192.0.2.7\"; }; };"),
		"3: `address` is also that of the neighbor `a`: each must have its own\n"},
	{"no address", BGP("neighbors = { a = { }; };"), "2: a neighbor lacks `address`: its address\n"},
	{"ourselves", BGP("neighbors = { a = { address = \"2001:db8::1\"; }; };"),
		"2: `address` is 2001:db8::1, which is our own: it must be the neighbor's\n"},
	{"a multicast address", BGP("neighbors = { a = { address = \"ff02::1\"; }; };"),
		"2: `address` is \"ff02::1\": it must be an address\n"},
	{"a link-local address without its interface",
		BGP("neighbors = { a = { address = \"fe80::7\"; }; };"),
		"2: `address` is a link-local address: `interface` must say where it is\n"},
	{"local address of the other family", INTERNAL("local-address = \"192.0.2.1\";"),
		"2: `local-address` is an IPv4 address: it must be of the family of `address`\n"},
	{"names of our own routes' sources", BGP("neighbors = { kernel = { address = \"192.0.2.7\"; }; };"),
		"2: a neighbor cannot be called `kernel`: that is where our own routes come from\n"},
	{"a policy that is not there",
		BGP("neighbors = { a = { address = \"192.0.2.7\"; import = \"from-ce\"; export = \"x\"; }; "
		    "}; policies = "
		    "{ from-cd = ( { then = \"accept\"; } ); };"),
		"2: `import` is \"from-ce\", and there is no such policy: `policies` must have it; did you "
		"mean "
		"\"from-cd\"?\n"
		"2: `export` is \"x\", and there is no such policy: `policies` must have it\n"},
	{"an external client", EXTERNAL("client = true;"),
		"2: `client` is true, but the neighbor is external: route reflection is for internal ones "
		"(RFC 4456)\n"},
	{"hold time of 2 s", INTERNAL("hold-time = 2;"),
		"2: `hold-time` is 2: it must be 0 (never), or a whole number from 3 to 65535\n"},
	{"hold time of 3.5 s", INTERNAL("hold-time = 3.5;"),
		"2: `hold-time` is 3.5: it must be 0 (never), or a whole number from 3 to 65535\n"},
	{"GTSM and multihop", EXTERNAL("multihop = true; ttl-security = 3;"),
		"2: `ttl-security` and `multihop` exclude each other: ttl-security = 3 says already how far "
		"away the "
		"neighbor may be\n"},
	{"another AS without theirs", INTERNAL("local-as = 64999;"),
		"2: `local-as` needs `as`: it is for external neighbors\n"},
	{"labels and ourselves as next hop",
		INTERNAL("families = [ \"ipv4-labeled\" ]; next-hop-self = true;"),
		"2: we do not switch labels, so routes with labels must keep their next hops: leave "
		"`next-hop-self` "
		"out, or ipv4-labeled and ipv6-labeled of `families`\n"},
	{"labels and an external neighbor", EXTERNAL("families = [ \"ipv4\", \"ipv6-labeled\" ];"),
		"2: we do not switch labels, so an external neighbor with ipv4-labeled or ipv6-labeled needs "
		"next-hop-unchanged = true\n"},
	{"next hops of two kinds", EXTERNAL("next-hop-unchanged = true; next-hop-self = true;"),
		"2: `next-hop-unchanged` and `next-hop-self` exclude each other\n"},
	{"nobody ever connects",
		BGP("port = 0; neighbors = { a = { address = \"192.0.2.7\"; passive = true; }; };"),
		"2: `passive` is true, but `port` of `bgp` is 0: nobody would ever connect\n"},
	{"an unknown family", INTERNAL("families = [ \"ipv4\", \"vpnv4\" ];"),
		"2: `families` has \"vpnv4\": it must be \"ipv4\", \"ipv6\", \"ipv4-labeled\", "
		"\"ipv6-labeled\", "
		"\"ipv4-encap\" or \"ipv6-encap\"\n"},
	{"no families", INTERNAL("families = [ ];"), "2: `families` is empty: it must have at least 1\n"},
	{"max-prefix as a number", INTERNAL("max-prefix = 1000;"),
		"2: `max-prefix` must be a group { ... }\n"},

	{"a rule without a verdict", POLICY("{ prefixes = \"192.0.2.0/24\"; }"),
		"2: a rule lacks `then`: what is done with a route that meets all conditions of the rule; "
		"\"next\": "
		"it is changed as `set` says, and the rules behind this one decide\n"},
	{"no such verdict", POLICY("{ then = \"permit\"; }"),
		"2: `then` is \"permit\": it must be \"next\", \"accept\" or \"reject\"\n"},
	{"a bad prefix", POLICY("{ prefixes = [ \"192.0.2.1/24+\" ]; then = \"accept\"; }"),
		"2: `prefixes` is \"192.0.2.1/24+\": it must be a prefix like 198.51.100.0/22, with + for "
		"all inside "
		"it or {23,24} for lengths, without bits set behind its length\n"},
	{"a prefix twice",
		POLICY("{ prefixes = [ \"192.0.2.0/24\", \"192.0.2.0/24{24}\" ]; then = \"accept\"; }"),
		"2: \"192.0.2.0/24{24}\" stands in `prefixes` twice: once is enough\n"},
	{"no prefix at all", POLICY("{ prefixes = [ ]; then = \"accept\"; }"),
		"2: `prefixes` is empty: it must have at least 1\n"},
	{"a bad AS pattern", POLICY("{ as-path = [ \"65001 65002\" ]; then = \"accept\"; }"),
		"2: `as-path` is \"65001 65002\": it must be an AS number in quotes, with ^ before it for "
		"the "
		"neighbor's, with $ behind it for the origin's; or ^$ for an empty path\n"},
	{"a bad community", POLICY("{ communities = [ \"65000\" ]; then = \"accept\"; }"),
		"2: `communities` is \"65000\": it must be a community like 65000:1, no-export, no-advertise "
		"or "
		"no-export-subconfed\n"},
	{"a route from nowhere", POLICY("{ from = [ \"rr\", \"ce9\" ]; then = \"accept\"; }"),
		"2: `from` has \"ce9\": it must be the name of a neighbor, \"network\" or \"kernel\"\n"},
	{"communities in place of all, and more",
		POLICY("{ then = \"accept\"; set = { communities = \"1:1\"; add-communities = \"1:2\"; }; }"),
		"2: `communities` replaces all that there are, so `add-communities` cannot stand beside it: "
		"put them "
		"into one\n"},
	{"a community that comes and goes",
		POLICY("{ then = \"accept\"; set = { add-communities = \"1:1\"; remove-communities = "
		       "\"1:1\"; }; }"),
		"2: `remove-communities` has 1:1, which the same rule adds: leave it out of one of them\n"},
	{"changes without end",
		POLICY("{ then = \"next\"; set = { med = 1; }; }, { then = \"next\"; set = { med = 2; }; }, "
		       "{ then = "
		       "\"next\"; set = { med = 3; }; }, { then = \"next\"; set = { med = 4; }; }, { then = "
		       "\"next\"; set = { med = 5; }; }, { then = \"next\"; set = { med = 6; }; }, { then = "
		       "\"next\"; set = { med = 7; }; }, { then = \"next\"; set = { med = 8; }; }, { then = "
		       "\"accept\"; },\n{ then = \"accept\"; set = { med = 9; }; }"),
		"3: warning: no route comes as far as this rule: one before it, without a condition, decides "
		"about "
		"all\n"
		"3: 8 rules before this one of the policy `p` change a route and say \"next\": at most 8 "
		"rules in all "
		"may change it\n"},
	{"a policy that is no list",
		BGP("policies = { p = 7; }; neighbors = { a = { address = \"192.0.2.7\"; }; };"),
		"2: `p` in `policies` must be a list ( { ... }, ... ) of groups\n"},
	{"a rule that is no group",
		BGP("policies = { p = ( \"accept\" ); }; neighbors = { a = { address = \"192.0.2.7\"; }; };"),
		"2: `policy` must be a list of groups ( { ... }, ... )\n"},

	{"a class of no kind", AFBR("classes = [ \"rt:65000:1\", \"blue\" ];"),
		"2: `classes` is \"rt:65000:1\": it must be a color like color:100, or a community like "
		"65000:100\n"
		"2: `classes` is \"blue\": it must be a color like color:100, or a community like "
		"65000:100\n" NONE},

	{"import of nobody's routes",
		BGP("kernel = { import = { }; }; neighbors = { a = { address = \"192.0.2.7\"; }; };"),
		"2: `import` of `kernel` lacks `protocols`: who put the route into the kernel, as `ip route` "
		"tells it "
		"behind `proto`\n"},
	{"import of our own routes",
		BGP("kernel = { import = { protocols = [ \"171\" ]; }; }; neighbors = { a = { address = "
		    "\"192.0.2.7\"; }; };"),
		"2: `protocols` is \"171\": it must be \"kernel\", \"boot\", \"static\", \"ra\", \"zebra\", "
		"\"bird\", "
		"\"dhcp\", \"babel\", \"bgp\", \"isis\", \"ospf\", \"rip\", \"eigrp\", \"zstatic\", or "
		"another one's "
		"number in quotes\n"},
	{"import of what we have put there",
		BGP("kernel = { import = { protocols = [ \"172\" ]; }; }; neighbors = { a = { address = "
		    "\"192.0.2.7\"; }; };"),
		"2: `protocols` is \"172\": it must be \"kernel\", \"boot\", \"static\", \"ra\", \"zebra\", "
		"\"bird\", "
		"\"dhcp\", \"babel\", \"bgp\", \"isis\", \"ospf\", \"rip\", \"eigrp\", \"zstatic\", or "
		"another one's "
		"number in quotes\n"},
	{"policies of the kernel",
		BGP("kernel = { import = { protocols = \"static\"; policy = \"x\"; }; export = { table = "
		    "255; policy = "
		    "\"y\"; }; }; neighbors = { a = { address = \"192.0.2.7\"; }; };"),
		"2: `policy` is \"x\", and there is no such policy: `policies` must have it\n"
		"2: `table` is 255, where the kernel keeps its own addresses: 254 is the main table\n"
		"2: `policy` is \"y\", and there is no such policy: `policies` must have it\n"},
	{"networks that are not for others",
		BGP("networks = [ \"224.0.0.0/8\", \"198.51.100.0/24\" ]; neighbors = { a = { address = "
		    "\"192.0.2.7\"; }; };"),
		"2: `networks` has 224.0.0.0/8: multicast, link-local and loopback addresses are not for "
		"others\n"},
	{"to listen where nobody can be sure of",
		BGP("listen = [ \"fe80::1\" ]; neighbors = { a = { address = \"192.0.2.7\"; }; };"),
		"2: `listen` has a link-local address: leave `listen` out to be reached there\n"},
};

static void says_what_is_wrong_and_what_would_be_right(void **state)
{
	struct config *c = new_config();

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct told told;

		if (read_text(broken[i].text, false, &told, c) != -EINVAL ||
			strcmp(told.text, broken[i].told) != 0)
			fail_msg("%s:\n%sinstead of\n%s", broken[i].name, told.text, broken[i].told);
	}
	free(c);
}

static const struct {
	const char *name, *text, *told;
} doubtful[] = {
	{"nobody there", BGP("neighbors = { };"),
		"2: warning: `neighbors` is empty: there is nobody to speak to\n"},
	{"an external neighbor without policies",
		BGP("neighbors = { ce = {\naddress = \"203.0.113.2\"; as = 64512; }; };"),
		"2: warning: `import` is left out, so no route is taken from this external neighbor (RFC "
		"8212): write "
		"import = \"all\"; with  all = ( { then = \"accept\"; } );  in `policies` for everything, or "
		"name what "
		"may pass\n"
		"2: warning: `export` is left out, so no route is told this external neighbor (RFC 8212): "
		"write export "
		"= \"all\"; with  all = ( { then = \"accept\"; } );  in `policies` for everything, or name "
		"what may "
		"pass\n"},
	{"IPv4 over IPv6 without RFC 8950", INTERNAL("families = \"ipv4\"; extended-next-hop = false;"),
		"2: warning: `extended-next-hop` is false, and `address` is an IPv6 address: IPv4 routes "
		"that lead to "
		"us cannot be told to this neighbor (RFC 8950)\n"},
	{"endpoints of the other family", INTERNAL("families = [ \"ipv4-encap\", \"ipv6-encap\" ];"),
		"2: warning: `families` has \"ipv4-encap\", but `address` of `core` is an IPv6 address: we "
		"have "
		"nothing to tell there\n"},
	{"a reflector in the way", INTERNAL("next-hop-self-all = true;"),
		"2: warning: `next-hop-self-all` is true: reflected routes lead to us instead of to the "
		"border router "
		"where their softwires end\n"},
	{"what is for external neighbors", INTERNAL("multihop = true; next-hop-unchanged = true;"),
		"2: warning: `multihop` has no effect with an internal neighbor: `as` is ours, or left out\n"
		"2: warning: `next-hop-unchanged` has no effect with an internal neighbor: `as` is ours, or "
		"left out\n"},
	{"a limit for nothing", INTERNAL("max-prefix = { ipv4 = 1000; };"),
		"2: warning: `ipv4` of `max-prefix` has no effect: `families` does not have it\n"},
	{"a limit of nothing", INTERNAL("max-prefix = { warning = 80; };"),
		"2: warning: `max-prefix` limits nothing: it must have a limit for a family, like ipv4 = "
		"1000;\n"},
	{"no hold timer", INTERNAL("hold-time = 0;"),
		"2: warning: `hold-time` is 0: a neighbor that died silently is not noticed\n"},
	{"an interface for nothing", INTERNAL("interface = \"eth0\";"),
		"2: warning: `interface` has no effect: `address` is not link-local\n"},
	{"changes of nothing", POLICY("{ then = \"reject\"; set = { med = 7; }; }"),
		"2: warning: `set` has no effect in a rule that rejects: there is nothing left to be "
		"changed\n"},
};

static void warns_of_what_may_not_be_meant(void **state)
{
	struct config *c = new_config();

	for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++) {
		struct told told;

		if (read_text(doubtful[i].text, false, &told, c) || strcmp(told.text, doubtful[i].told) != 0)
			fail_msg("%s:\n%sinstead of\n%s", doubtful[i].name, told.text, doubtful[i].told);
		config_done(c);
	}
	config_free(c);
}

static const struct afbr_config *good(const char *text, struct config *c, const char *warnings)
{
	struct told told;

	if (read_text(text, false, &told, c) || strcmp(told.text, warnings) != 0)
		fail_msg("%s", told.text);
	assert_non_null(c->afbr);
	assert_int_equal(c->afbr->refs, 1);
	return c->afbr;
}

static void expect_addr(const struct addr *a, const char *text)
{
	char printed[ADDR_TEXT];

	assert_string_equal(addr_print(a, printed), text);
}

static void defaults_are_safe_and_right(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a =
		good("afbr = { core = { address = \"192.0.2.1\"; }; bgp = { as = 4200000000; "
		     "neighbors = { rr = { address = \"2001:db8::2\"; }; }; }; };",
			c, "");
	const struct bgp_neighbor_config *n = a->neighbors;

	assert_int_equal(a->as, 4200000000);
	assert_int_equal(a->id, 0xc0000201);
	assert_int_equal(a->cluster_id, a->id);
	assert_int_equal(a->port, 179);
	assert_int_equal(a->listen_count, 0);
	assert_int_equal(a->restart_wait, 120000);
	assert_true(a->check_next_hops);
	assert_false(a->import.present || a->export.present || a->mrt.updates);
	assert_int_equal(a->mrt.rotate, 3600000);
	assert_int_equal(a->mrt.keep, 24);
	assert_string_equal(a->directory, "/var/lib/softwired/mrt");
	assert_int_equal(a->neighbor_count, 1);
	assert_string_equal(n->name, "rr");
	assert_int_equal(n->as, 4200000000);
	assert_int_equal(n->port, 179);
	assert_int_equal(n->families, BGP_FAMILY_BIT(BGP_IPV6));
	assert_true(n->default_local);
	assert_false(n->has_import || n->has_export || n->client || n->next_hop_self || n->passive ||
		     n->shutdown || n->multihop || n->tunnels);
	assert_int_equal(n->hold_time, 90000);
	assert_int_equal(n->min_interval, 0);
	assert_int_equal(n->limits[BGP_IPV6].max_prefix, 0);
	assert_true(
		n->extended_messages && n->graceful_restart && n->extended_next_hop && n->refresh && n->as4);
	assert_int_equal(n->tunnel_way, BGP_TUNNEL_FULL);
	assert_int_equal(n->restart_time, 120);
	config_free(c);
}

/* Routes to us lead to the core's address, so sessions across the core come from there. */
/* proves: MESH-BGP-15 partial */
static void sessions_across_the_core_come_from_its_address(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a = good(
		BGP("policies = { all = { then = \"accept\"; }; }; neighbors = { rr = { address = "
		    "\"2001:db8::2\"; }; "
		    "far = { address = \"2001:db8::3\"; as = 64512; multihop = true; import = \"all\"; "
		    "export = \"all\"; }; "
		    "ce = { address = \"2001:db8::4\"; as = 64512; import = \"all\"; export = \"all\"; }; "
		    "old = { address = \"192.0.2.9\"; }; near = { address = \"fe80::1\"; interface = "
		    "\"core0\"; }; "
		    "own = { address = \"2001:db8::5\"; local-address = \"2001:db8::6\"; }; };"),
		c, "");

	expect_addr(&a->neighbors[0].local_address, "2001:db8::1");
	expect_addr(&a->neighbors[1].local_address, "2001:db8::1");
	for (unsigned i = 2; i < 5; i++)
		assert_true(addr_is_none(&a->neighbors[i].local_address));
	expect_addr(&a->neighbors[5].local_address, "2001:db8::6");
	config_free(c);
}

static void neighbors_get_what_they_are_given(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a = good(
		BGP("cluster-id = \"10.0.0.7\"; listen = [ \"2001:db8::1\", \"127.0.0.1\" ]; port = 1179; "
		    "restart-wait = 7; check-next-hops = false; neighbors = { "
		    "ce = { description = \"the customer\"; address = \"fe80::7\"; interface = \"ce0\"; as = "
		    "64512; "
		    "local-as = 64999; local-address = \"fe80::1\"; port = 1790; families = [ \"ipv4\", "
		    "\"ipv6\" ]; import "
		    "= \"in\"; export = \"out\"; passive = true; shutdown = true; shutdown-text = \"later\"; "
		    "ttl-security = 1; password-file = \"/etc/softwire/ce.secret\"; hold-time = 9; "
		    "connect-retry = 3; "
		    "idle-hold = 0.5; advertisement-interval = 2; max-prefix = { ipv4 = 100; ipv6 = 50; "
		    "warning = 80; "
		    "restart = 60; }; graceful-restart = false; extended-next-hop = false; extended-messages "
		    "= false; "
		    "route-refresh = false; four-octet-as = false; tunnels = \"one\"; }; "
		    "far = { address = \"203.0.113.9\"; as = 64513; multihop = true; ttl = 9; "
		    "next-hop-unchanged = true; "
		    "import = \"out\"; export = \"in\"; }; "
		    "cl = { address = \"2001:db8::7\"; client = true; next-hop-self = true; tunnels = "
		    "\"none\"; }; }; "
		    "policies = { in = ( ); out = { then = \"accept\"; }; };"),
		c,
		"2: warning: `extended-next-hop` is false, and `address` is an IPv6 address: IPv4 routes "
		"that lead to "
		"us cannot be told to this neighbor (RFC 8950)\n");
	const struct bgp_neighbor_config *ce = a->neighbors, *far = ce + 1, *cl = ce + 2;

	assert_int_equal(a->cluster_id, 0x0a000007);
	assert_int_equal(a->listen_count, 2);
	expect_addr(&a->listen[1], "127.0.0.1");
	assert_int_equal(a->port, 1179);
	assert_int_equal(a->restart_wait, 7000);
	assert_false(a->check_next_hops);
	assert_int_equal(a->neighbor_count, 3);
	assert_string_equal(ce->description, "the customer");
	expect_addr(&ce->address, "fe80::7");
	assert_string_equal(ce->interface, "ce0");
	expect_addr(&ce->local_address, "fe80::1");
	assert_int_equal(ce->as, 64512);
	assert_int_equal(ce->local_as, 64999);
	assert_int_equal(ce->port, 1790);
	assert_int_equal(ce->families, BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6));
	assert_true(ce->has_import && ce->has_export && ce->default_local && ce->passive && ce->shutdown);
	assert_ptr_equal(ce->import_policy, &a->policies[0]);
	assert_ptr_equal(ce->export_policy, &a->policies[1]);
	assert_string_equal(ce->shutdown_text, "later");
	assert_int_equal(ce->ttl_security, 1);
	assert_string_equal(ce->password_file, "/etc/softwire/ce.secret");
	assert_int_equal(ce->hold_time, 9000);
	assert_int_equal(ce->connect_retry, 3000);
	assert_int_equal(ce->idle_hold, 500);
	assert_int_equal(ce->min_interval, 2000);
	assert_int_equal(ce->limits[BGP_IPV4].max_prefix, 100);
	assert_int_equal(ce->limits[BGP_IPV6].max_prefix, 50);
	assert_int_equal(ce->limits[BGP_IPV6].warn_percent, 80);
	assert_int_equal(ce->max_prefix_restart, 60000);
	assert_false(ce->graceful_restart || ce->extended_next_hop || ce->extended_messages || ce->refresh ||
		     ce->as4);
	assert_int_equal(ce->tunnel_way, BGP_TUNNEL_ONE);
	assert_true(ce->tunnels);
	assert_true(far->multihop && far->next_hop_unchanged && !far->tunnels);
	assert_int_equal(far->ttl, 9);
	assert_int_equal(far->min_interval, 5000);
	assert_true(cl->client && cl->next_hop_self && !cl->next_hop_self_all && !cl->tunnels);
	assert_int_equal(cl->tunnel_way, BGP_TUNNEL_NONE);
	config_free(c);
}

static void policies_are_what_was_written(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a = good(
		BGP("neighbors = { ce1 = { address = \"2001:db8::2\"; }; }; policies = { empty = ( ); p = ( "
		    "{ prefixes = [ \"198.51.100.0/22+\", \"2001:db8::/32{40,48}\" ]; as-path = [ "
		    "\"^65001\", \"^$\" ]; "
		    "communities = [ \"65000:1\", \"no-export\" ]; extended-communities = \"color:7\"; "
		    "large-communities "
		    "= [ \"1:2:3\" ]; families = [ \"ipv4\", \"ipv6\" ]; next-hops = \"2001:db8::/32\"; from "
		    "= [ "
		    "\"ce1\", \"kernel\" ]; then = \"next\"; }, "
		    "{ then = \"accept\"; set = { local-pref = 0; med = 7; origin = \"incomplete\"; prepend "
		    "= 3; next-hop "
		    "= \"self\"; communities = [ ]; remove-communities = \"1:1\"; add-extended-communities = "
		    "\"color:100\"; large-communities = \"1:2:3\"; }; }, "
		    "{ prefixes = [ \"10.0.0.0/8\", \"10.1.0.0/16\", \"10.2.0.0/16\", \"10.3.0.0/16\", "
		    "\"10.4.0.0/16\", "
		    "\"10.5.0.0/16\", \"10.6.0.0/16\", \"10.7.0.0/16\", \"10.8.0.0/16\", \"10.9.0.0/16\" ]; "
		    "then = "
		    "\"reject\"; } ); };"),
		c,
		"2: warning: no route comes as far as this rule: one before it, without a condition, decides "
		"about all\n");
	const struct policy *p = afbr_config_policy(a, "p");
	const struct policy_rule *match = p->rules, *set = match + 1;

	assert_int_equal(a->policy_count, 2);
	assert_int_equal(afbr_config_policy(a, "empty")->rule_count, 0);
	assert_int_equal(p->rule_count, 3);
	assert_int_equal(match->prefix_count, 2);
	assert_int_equal(match->prefixes[0].max, 32);
	assert_int_equal(match->prefixes[1].min, 40);
	assert_int_equal(match->as_count, 2);
	assert_true(match->as_path[0].as == 65001 && match->as_path[0].first && !match->as_path[0].last);
	assert_int_equal(match->community_count, 2);
	assert_int_equal(match->communities[1], BGP_NO_EXPORT);
	assert_int_equal(match->extended[0], bgp_color_community(0, 7));
	assert_int_equal(match->large[0][2], 3);
	assert_int_equal(match->families, 3);
	assert_int_equal(match->next_hops[0].len, 32);
	assert_int_equal(match->source_count, 2);
	assert_string_equal(match->sources[1], "kernel");
	assert_int_equal(match->then, POLICY_NEXT);
	assert_false(policy_rule_changes(match));
	assert_true(set->set_local_pref && set->set_med && set->set_origin && set->clear_communities &&
		    !set->clear_extended && set->clear_large);
	assert_int_equal(set->local_pref, 0);
	assert_int_equal(set->med, 7);
	assert_int_equal(set->origin, BGP_ORIGIN_INCOMPLETE);
	assert_int_equal(set->prepend, 3);
	assert_int_equal(set->next_hop, POLICY_NEXT_HOP_SELF);
	assert_int_equal(set->add_count, 0);
	assert_int_equal(set->remove[0], 0x10001);
	assert_int_equal(set->add_extended[0], bgp_color_community(0, 100));
	assert_int_equal(set->add_large[0][0], 1);
	assert_int_equal(match[2].then, POLICY_REJECT);
	assert_non_null(match[2].index); /* ten prefixes */
	config_free(c);
}

/* proves: MESH-SIG-9 partial */
static void classes_and_tunnels_are_told_as_communities(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a =
		good("afbr = { core = { address = \"2001:db8::1\"; };\n"
		     "classes = [ \"65000:100\", \"color:100\", \"color:4294967295\" ];\n"
		     "tunnels = ( { type = \"l2tpv3\"; session = 1234; cookie = \"00112233445566fF\"; "
		     "}, { type = \"gre\"; key = 0; payload = \"ipv4\"; }, { type = \"ipip\"; }, { type = "
		     "\"l2tpv3\"; session = 4294967295; cookie = \"01020304\"; } );\n"
		     "bgp = { as = 65000; router-id = \"192.0.2.1\"; neighbors = { rr = { address = "
		     "\"2001:db8::2\"; }; }; }; };",
			c, "");
	const uint8_t cookie[] = {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xff};

	assert_int_equal(a->classes.community_count, 1);
	assert_int_equal(a->classes.communities[0], 65000u << 16 | 100);
	assert_int_equal(a->classes.color_count, 2);
	assert_int_equal(a->classes.colors[0], bgp_color_community(0, 100));
	assert_int_equal(a->classes.colors[1], bgp_color_community(0, UINT32_MAX));
	assert_int_equal(a->tunnel_count, 4);
	assert_int_equal(a->tunnels[0].type, BGP_TUNNEL_L2TPV3);
	assert_true(a->tunnels[0].has_encapsulation && a->tunnels[3].has_encapsulation);
	assert_int_equal(a->tunnels[0].session, 1234);
	assert_int_equal(a->tunnels[0].cookie_len, 8);
	assert_memory_equal(a->tunnels[0].cookie, cookie, 8);
	assert_true(a->tunnels[1].has_encapsulation && a->tunnels[1].has_key);
	assert_int_equal(a->tunnels[1].protocol, 0x0800);
	assert_false(a->tunnels[2].has_encapsulation || a->tunnels[2].has_key);
	assert_int_equal(a->tunnels[3].cookie_len, 4);
	config_free(c);
}

static void the_kernel_and_networks(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a =
		good(BGP("neighbors = { rr = { address = \"2001:db8::2\"; }; }; networks = [ "
			 "\"198.51.100.0/24\", \"::/0\" ]; "
			 "kernel = { import = { protocols = [ \"static\", \"bird\", \"zstatic\", \"99\" ]; "
			 "}; export = { metric "
			 "= 77; table = 100; families = \"ipv4\"; policy = \"p\"; }; }; policies = { p = { "
			 "then = \"accept\"; "
			 "}; }; mrt = { updates = true; rotate = 60; keep = 3; table-interval = 300; };"),
			c, "");

	assert_int_equal(a->network_count, 2);
	assert_int_equal(a->networks[0].prefix.len, 24);
	assert_true(a->import.present && a->export.present);
	assert_int_equal(a->import.protocol_count, 4);
	assert_int_equal(a->import.protocols[1], 12);
	assert_int_equal(a->import.protocols[2], 196);
	assert_int_equal(a->import.protocols[3], 99);
	assert_int_equal(a->import.table_count, 1);
	assert_int_equal(a->import.tables[0], 254);
	assert_int_equal(a->export.table, 100);
	assert_int_equal(a->export.metric, 77);
	assert_int_equal(a->export.families, BGP_FAMILY_BIT(BGP_IPV4));
	assert_string_equal(a->export.policy, "p");
	assert_true(a->mrt.updates);
	assert_int_equal(a->mrt.rotate, 60000);
	assert_int_equal(a->mrt.table_interval, 300000);
	assert_int_equal(a->mrt.keep, 3);
	config_free(c);
}

/* As many as there may be, and one more. */
static void many_neighbors_and_prefixes(void **state)
{
	struct config *c = new_config();
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct told told;

	assert_non_null(f);
	fprintf(f, "afbr = { bgp = { as = 65000; router-id = \"192.0.2.1\"; neighbors = {\n");
	for (unsigned i = 0; i < BGP_NEIGHBORS + 1; i++)
		fprintf(f, "n%u = { address = \"10.0.%u.%u\"; };\n", i, i >> 8, i & 255);
	fprintf(f, "}; policies = { p = { then = \"accept\"; prefixes = [\n");
	for (unsigned i = 0; i < POLICY_PREFIXES + 1; i++)
		fprintf(f, "%s\"10.%u.%u.0/24\"", i ? ",\n" : "", i >> 8, i & 255);
	fprintf(f, "]; }; }; }; };\n");
	assert_int_equal(fclose(f), 0);
	assert_int_equal(read_text(text, false, &told, c), -EINVAL);
	assert_string_equal(told.text, "1026: `neighbors` has more than 1024 groups\n"
				       "5124: `prefixes` has 4097 values: it must have at most 4096\n");
	free(text);
	config_free(c);
}

/* proves: SEC-CTRL-4 partial */
static void a_password_file_is_a_secret_that_fits(void **state)
{
	static const struct {
		mode_t mode;
		size_t len;
		const char *told;
	} rows[] = {
		{0600, 8, ""},
		{0600, 80, ""},
		{0600, 81,
			"2: `password-file` names %s: has a secret of 81 bytes, and this one can have 80 at "
			"most\n"},
		{0600, 0, "2: `password-file` names %s: is empty: the secret must be its only line\n"},
		{0644, 8, "can be read"},
	};
	char path[] = "/tmp/softwire-test-XXXXXX", text[600], expected[400];
	struct config *c = new_config();
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	snprintf(text, sizeof(text), INTERNAL("password-file = \"%s\";"), path);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct told told;

		assert_int_equal(ftruncate(fd, 0), 0);
		for (size_t n = 0; n < rows[i].len; n++)
			assert_int_equal(pwrite(fd, "x", 1, (off_t)n), 1);
		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		read_text(text, true, &told, c);
		config_done(c);
		snprintf(expected, sizeof(expected), rows[i].told,
			path); /* NOLINT(clang-diagnostic-format-nonliteral) */
		if (rows[i].mode == 0600)
			assert_string_equal(told.text, expected);
		else
			assert_int_equal(told.errors, 1);
	}
	unlink(path);
	close(fd);
	config_free(c);
}

static bool has_text(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

/* The engine may ask for what the configuration names, and for no more. */
static void the_keeper_allows_what_is_named(void **state)
{
	struct allow_lists *lists = calloc(1, sizeof(*lists));
	struct config *c = new_config();
	struct keeper_policy p;

	assert_non_null(lists);
	good(BGP("neighbors = { a = { address = \"2001:db8::2\"; password-file = \"/a\"; }; b = { address = "
		 "\"2001:db8::3\"; }; c = { address = \"2001:db8::4\"; password-file = \"/c\"; }; }; listen "
		 "= [ "
		 "\"192.0.2.1\" ]; port = 1179;"),
		c, "");
	allow_policy(c, lists, &p);
	assert_int_equal(p.file_count, 3);
	assert_true(has_text(p.files, p.file_count, "/a") && has_text(p.files, p.file_count, "/c"));
	assert_true(has_text(p.directories, p.directory_count, "/var/lib/softwired/mrt"));
	assert_int_equal(p.tcp_count, 1);
	expect_addr(&p.tcp[0].addr, "192.0.2.1");
	assert_int_equal(p.tcp[0].port, 1179);
	config_done(c);
	good(INTERNAL(""), c, "");
	allow_policy(c, lists, &p);
	assert_int_equal(p.tcp_count, 2);
	assert_int_equal(p.tcp[1].addr.family, AF_INET6);
	assert_int_equal(p.tcp[1].port, 179);
	config_done(c);
	good("afbr = { bgp = { as = 65000; router-id = \"192.0.2.1\"; port = 0; neighbors = { a = { address = "
	     "\"2001:db8::2\"; }; }; }; };",
		c, "");
	allow_policy(c, lists, &p);
	assert_int_equal(p.tcp_count, 0);
	assert_int_equal(p.export_count, 0);
	assert_int_equal(p.tap_count + p.raw_count + p.border_count + p.border_set_count, 0);
	assert_false(p.may_forward);
	config_done(c);
	good(BGP("kernel = { export = { table = 100; metric = 7; }; }; neighbors = { a = { address = "
		 "\"2001:db8::2\"; }; };"),
		c, "");
	allow_policy(c, lists, &p);
	assert_int_equal(p.export_count, 1);
	assert_int_equal(p.exports[0].table.table, 100);
	assert_int_equal(p.exports[0].table.metric, 7);
	assert_true(p.exports[0].ipv4 && p.exports[0].ipv6);
	assert_true(p.may_forward); /* a router: what is put there is to be followed */
	config_done(c);
	good(BGP("kernel = { export = { families = \"ipv6\"; }; }; neighbors = { a = { address = "
		 "\"2001:db8::2\"; }; };"),
		c, "");
	allow_policy(c, lists, &p);
	assert_true(p.exports[0].ipv6);
	assert_false(p.exports[0].ipv4);
	config_free(c);
	free(lists);
}

/* An address in the core is what makes a mesh of it. */
static void the_keeper_allows_what_softwires_need(void **state)
{
	struct allow_lists *lists = calloc(1, sizeof(*lists));
	struct config *c = new_config();
	struct afbr_config *a;
	struct keeper_policy p;

	assert_non_null(lists);
	good(INTERNAL(""), c, "");
	a = (struct afbr_config *)c->afbr;
	a->client_interface_count = a->endpoint_count = 1;
	strcpy(a->client_interfaces[0], "ce0");
	a->endpoints[0] = (struct prefix){.addr = {AF_INET6, {0x20, 1, 0xd, 0xb8}}, .len = 32};
	a->filter = true;
	allow_policy(c, lists, &p);
	assert_int_equal(p.tap_count, 1);
	assert_string_equal(p.taps[0], "softwire0");
	assert_int_equal(p.raw_count, 1);
	expect_addr(&p.raws[0], "2001:db8::1");
	assert_true(p.may_forward);
	assert_int_equal(p.border_count, 1);
	assert_string_equal(p.borders[0], "ce0");
	assert_int_equal(p.border_set_count, 2);
	assert_int_equal(p.border_sets[0].len, 32);
	expect_addr(&p.border_sets[1].addr, "2001:db8::1");
	assert_int_equal(p.border_sets[1].len, 128);
	a->filter = false;
	allow_policy(c, lists, &p);
	assert_int_equal(p.border_count + p.border_set_count, 0);
	config_free(c);
	free(lists);
}

/* No next hop is reached through them. */
static void our_other_softwires_are_known_by_name(void **state)
{
	struct config *c = new_config();

	good(BGP("neighbors = { a = { address = \"2001:db8::2\"; }; };") "initiator = { home = { server = "
									 "[ \"192.0.2.9\" ]; user = "
									 "\"alice\"; password-file = \"/p\"; "
									 "network = \"trusted\"; }; };",
		c, "");
	assert_int_equal(c->afbr->device_count, 1);
	assert_string_equal(c->afbr->devices[0], "si-home");
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_wrong_and_what_would_be_right),
		cmocka_unit_test(warns_of_what_may_not_be_meant),
		cmocka_unit_test(defaults_are_safe_and_right),
		cmocka_unit_test(sessions_across_the_core_come_from_its_address),
		cmocka_unit_test(neighbors_get_what_they_are_given),
		cmocka_unit_test(policies_are_what_was_written),
		cmocka_unit_test(classes_and_tunnels_are_told_as_communities),
		cmocka_unit_test(the_kernel_and_networks),
		cmocka_unit_test(many_neighbors_and_prefixes),
		cmocka_unit_test(a_password_file_is_a_secret_that_fits),
		cmocka_unit_test(the_keeper_allows_what_is_named),
		cmocka_unit_test(the_keeper_allows_what_softwires_need),
		cmocka_unit_test(our_other_softwires_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

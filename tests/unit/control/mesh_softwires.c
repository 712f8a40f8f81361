/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core, client, accept, tunnels and encapsulate of the `afbr` group, good and broken, with the exact words that people get to read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/change.h"
#include "control/config.h"

struct told {
	char text[8192];
};

static void tell(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct told *t = owner;
	size_t n = strlen(t->text);

	snprintf(t->text + n, sizeof(t->text) - n, "%u: %s%s\n", line, fatal ? "" : "warning: ", text);
}

static int read_text(const char *text, struct told *told, struct config *c)
{
	int fd = memfd_create("test", MFD_CLOEXEC), result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	*told = (struct told){0};
	result = config_file_read("test.conf", fd, false, tell, told, c);
	close(fd);
	return result;
}

static struct config *new_config(void)
{
	struct config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	return c;
}

#define SPEAKER                                                                                              \
	"bgp = { as = 65000; router-id = \"192.0.2.1\"; neighbors = { rr = { address = \"2001:db8::2\"; "    \
	"families = \"ipv4\"; }; }; };"
/* What is tried stands on line 2. */
#define BARE(text) "afbr = { " SPEAKER "\n" text "\n};"
#define AFBR(text) BARE("core = { address = \"2001:db8::1\"; }; " text)
#define CORE(text) BARE("core = { address = \"2001:db8::1\"; " text " };")
#define CORE4(text)                                                                                          \
	"afbr = { bgp = { as = 65000; neighbors = { rr = { address = \"192.0.2.2\"; }; }; };\ncore = { "     \
	"address = \"192.0.2.1\"; " text "\n};"
#define CLIENT(text)                                                                                         \
	BARE("core = { address = \"2001:db8::1\"; interfaces = \"core0\"; }; client = { " text " };")
#define RULES(text) AFBR("encapsulate = ( " text " );")
#define NEVER                                                                                                \
	"nothing comes as far as this rule of `encapsulate`: whatever meets its conditions meets those of "  \
	"one before it, which decides\n"

/* The first that is wrong, or doubtful: those that begin with "2: warning" let it pass. */
static const struct {
	const char *name, *text, *told;
} rows[] = {
	{"customers, and no routes of theirs from the core",
		"afbr = { bgp = { as = 65000; router-id = \"192.0.2.1\";\nneighbors = { rr = { address = "
		"\"2001:db8::2\"; }; }; };\ncore = { address = \"2001:db8::1\"; }; client = { }; };",
		"2: warning: no neighbor has \"ipv4\" in `families`, so no route leads through a softwire: "
		"over "
		"sessions of the core's family it must be written, families = [ \"ipv4\" ];\n"},
	{"customers' routes with next hops of their own",
		"afbr = { bgp = { as = 65000; router-id = \"192.0.2.1\"; policies = { all = { then = "
		"\"accept\"; }; }; neighbors = {\nrr = { address = \"2001:db8::2\"; families = \"ipv4\"; };\n"
		"ce = { address = \"192.0.2.9\"; as = 65001; import = \"all\"; export = \"all\"; }; }; }; "
		"core = { address = \"2001:db8::1\"; }; client = { }; };",
		"2: warning: `next-hop-self` is not true: routes of `ce` are told this neighbor with a next "
		"hop "
		"that is no end of a softwire\n"},
	{"a core without an address", BARE("core = { interfaces = [ \"core0\" ]; };"),
		"2: `core` lacks `address`: our address there, where softwires end\n"},
	{"accept without a core", BARE("accept = [ \"gre\" ];"),
		"2: `accept` needs `address` of `core`: it is where they end\n"},
	{"tunnels without a core", BARE("tunnels = ( { type = \"ipip\"; } );"),
		"2: `tunnels` needs `address` of `core`: it is where they end\n"},
	{"all without a core",
		BARE("client = { interfaces = \"ce0\"; }; encapsulate = { use = \"gre\"; }; tunnel-when = "
		     "\"bgp\"; roll-interval = 7;"),
		"2: `client` needs `address` of `core`: there are no softwires without it\n"
		"2: `encapsulate` needs `address` of `core`: there are no softwires without it\n"
		"2: `tunnel-when` needs `address` of `core`: there are no softwires without it\n"
		"2: `roll-interval` needs `address` of `core`: there are no softwires without it\n"},
	{"an address that is none is told once",
		BARE("core = { address = \"fe80::1\"; }; accept = [ \"gre\" ];"),
		"2: `address` is \"fe80::1\": it must be an address\n"},
	{"no interface of the core", CORE("interfaces = [ ];"),
		"2: `interfaces` is empty: it must have at least 1\n"},
	{"not an interface", CORE("interfaces = [ \"a/b\" ];"),
		"2: `interfaces` is \"a/b\": it must be the name of a network interface\n"},
	{"endpoints nowhere", CORE("endpoints = [ ];"), "2: `endpoints` is empty: it must have at least 1\n"},
	{"sets of the other family",
		CORE("endpoints = [ \"2001:db8::/64\", \"192.0.2.0/24\" ]; transmitters = \"10.0.0.0/8\";"),
		"2: `endpoints` has 192.0.2.0/24, but `address` of `core` is an IPv6 address: outer headers "
		"have addresses of that family only\n"
		"2: `transmitters` has 10.0.0.0/8, but `address` of `core` is an IPv6 address: outer headers "
		"have addresses of that family only\n"},
	{"an IPv4 core", CORE4("transmitters = \"2001:db8::/32\"; };"),
		"2: `transmitters` has 2001:db8::/32, but `address` of `core` is an IPv4 address: outer "
		"headers have addresses of that family only\n"},
	{"ourselves outside", CORE("endpoints = \"2001:db8:1::/64\";"),
		"2: warning: `endpoints` does not have our own `address`, 2001:db8::1: border routers with "
		"the same `endpoints` will not send to us\n"},
	{"sets of everything", CORE("endpoints = \"::/0\"; transmitters = \"::/0\";"),
		"2: `endpoints` has ::/0, which is everything: leave `endpoints` out\n"
		"2: `transmitters` has ::/0, which is everything: it must say who may send to us\n"},
	{"the device of softwires",
		BARE("core = { address = \"2001:db8::1\"; interfaces = \"softwire0\"; }; client = { "
		     "interfaces = [ "
		     "\"ce0\", \"softwire0\" ]; };"),
		"2: `interfaces` of `core` has softwire0, the device of softwires itself: it must have those "
		"of "
		"links\n"
		"2: `interfaces` of `client` has softwire0, the device of softwires itself: it must have "
		"those of "
		"links\n"
		"2: `interfaces` of `client` has softwire0, which is an interface of `core`: it must be one "
		"or the "
		"other\n"},
	{"bits behind the length", CORE("endpoints = \"2001:db8::1/64\";"),
		"2: `endpoints` is \"2001:db8::1/64\": it must be a prefix like 198.51.100.0/24, without "
		"bits "
		"set behind its length\n"},
	{"too many sets",
		CORE("transmitters = [ \"::/17\", \"::/18\", \"::/19\", \"::/20\", \"::/21\", \"::/22\", "
		     "\"::/23\", \"::/24\", \"::/25\", \"::/26\", \"::/27\", \"::/28\", \"::/29\", "
		     "\"::/30\", \"::/31\", \"::/32\", \"::/33\" ];"),
		"2: `transmitters` has 17 values: it must have at most 16\n"},
	{"an interface on both sides",
		BARE("core = { address = \"2001:db8::1\"; interfaces = [ \"eth0\", \"eth1\" ]; }; client = { "
		     "interfaces = [ \"eth2\", \"eth1\" ]; };"),
		"2: `interfaces` of `client` has eth1, which is an interface of `core`: it must be one or "
		"the "
		"other\n"},
	{"a core that is everywhere", AFBR("client = { interfaces = \"ce0\"; };"),
		"2: warning: `core` has no `interfaces`: packets of softwires are taken from any, be it one "
		"of "
		"`client`\n"},
	{"a filter without a place", AFBR("client = { filter = true; };"),
		"2: `filter` needs `interfaces`: what comes in there is looked at\n"},
	{"errors that nobody gets", AFBR("client = { local6 = \"2001:db8::9\"; };"),
		"2: warning: `local6` has no effect: packets in softwires are IPv4 ones, as long as "
		"`transit` "
		"of `core` is false\n"},
	{"a source of the wrong family", AFBR("client = { local4 = \"2001:db8::9\"; };"),
		"2: `local4` is \"2001:db8::9\": it must be an IPv4 address\n"},

	{"nothing that we know", AFBR("accept = [ \"ipip\", \"vxlan\" ];"),
		"2: `accept` is \"vxlan\": it must be \"ipip\", \"gre\", \"gre-key\", \"l2tpv3\", "
		"\"mpls-in-ip\", \"mpls-in-gre\" or \"mpls-in-l2tpv3\"\n"},
	{"twice", AFBR("accept = [ \"gre\", \"gre\" ];"),
		"2: \"gre\" stands in `accept` twice: once is enough\n"},
	{"at random and by hand", AFBR("accept = \"gre\"; tunnels = ( { type = \"ipip\"; } );"),
		"2: `tunnels` and `accept` exclude each other: `accept` makes its parameters at random and "
		"replaces them, in `tunnels` they are yours\n"},
	{"rolls nothing", AFBR("accept = [ \"gre\", \"ipip\" ]; roll-interval = 3600;"),
		"2: warning: `roll-interval` has no effect: `accept` has nothing with parameters, like "
		"\"gre-key\" or \"l2tpv3\"\n"},
	{"never ends", AFBR("accept = \"l2tpv3\"; roll-interval = 300;"),
		"2: `roll-interval` is 300, and `roll-overlap` is 300: it must be longer, or old parameters "
		"would never end\n"},
	{"too long", AFBR("roll-interval = 9999999;"),
		"2: `roll-interval` is 9999999: it must be a number of seconds, 0 to 2592000\n"},

	{"no such tunnel", AFBR("tunnels = { type = \"vxlan\"; };"),
		"2: `type` is \"vxlan\": it must be \"ipip\", \"gre\", \"mpls-in-gre\" or \"l2tpv3\"\n"},
	{"parameters of other tunnels",
		AFBR("tunnels = ( { type = \"ipip\"; key = 7; }, { type = \"gre\"; session = 7; } );"),
		"2: `key` is for \"gre\" and \"mpls-in-gre\" alone: leave it out\n"
		"2: `session` and `cookie` are for \"l2tpv3\" alone: leave them out\n"},
	{"L2TPv3 without a session", AFBR("tunnels = { type = \"l2tpv3\"; cookie = \"00112233\"; };"),
		"2: \"l2tpv3\" needs `session`: the Session ID that others are to write into each packet\n"},
	{"a cookie of 5 bytes",
		AFBR("tunnels = { type = \"l2tpv3\"; session = 1; cookie = \"0011223344\"; };"),
		"2: `cookie` is \"0011223344\": it must be 8 or 16 hexadecimal digits\n"},
	{"a cookie is better", AFBR("tunnels = { type = \"l2tpv3\"; session = 1; };"),
		"2: warning: \"l2tpv3\" without a `cookie`: whoever can send packets to us can send them "
		"into "
		"the tunnel (RFC 3931 section 4.1.1)\n"},
	{"one session twice",
		AFBR("tunnels = ( { type = \"l2tpv3\"; session = 7; cookie = \"00112233\"; },\n{ type = "
		     "\"l2tpv3\"; session = 7; cookie = \"44556677\"; } );"),
		"3: this tunnel cannot be told from the one of line 2: it needs another `session`\n"},
	{"one key twice", AFBR("tunnels = ( { type = \"gre\"; key = 7; },\n{ type = \"gre\"; key = 7; } );"),
		"3: this tunnel cannot be told from the one of line 2: it needs another `key`, or "
		"`payload`\n"},
	{"one without anything twice",
		AFBR("tunnels = ( { type = \"ipip\"; },\n{ type = \"ipip\"; payload = \"ipv4\"; } );"),
		"3: this tunnel cannot be told from the one of line 2: it needs another `payload`\n"},
	{"MPLS in GRE twice",
		AFBR("tunnels = ( { type = \"gre\"; payload = \"mpls\"; },\n{ type = \"mpls-in-gre\"; } );"),
		"3: this tunnel cannot be told from the one of line 2: it needs another `key`, or "
		"`payload`\n"},
	{"MPLS in GRE, but not MPLS", AFBR("tunnels = { type = \"mpls-in-gre\"; payload = \"ipv4\"; };"),
		"2: `payload` of \"mpls-in-gre\" is MPLS, as its name says: leave it out\n"},
	{"no such payload", AFBR("tunnels = { type = \"gre\"; payload = \"ethernet\"; };"),
		"2: `payload` is \"ethernet\": it must be \"ipv4\", \"ipv6\" or \"mpls\"\n"},
	{"what needs no tunnel", AFBR("tunnels = { type = \"ipip\"; payload = \"ipv6\"; };"),
		"2: warning: `payload` is \"ipv6\", which the core carries as it is: packets of this tunnel "
		"are "
		"dropped, unless `transit` of `core` is true\n"},

	{"a rule that uses nothing", RULES("{ class = \"color:1\"; }"),
		"2: a rule of `encapsulate` lacks `use`: of these encapsulations the first that the egress "
		"takes; where it takes none of them, and with \"none\", packets are rejected\n"},
	{"nothing to use", RULES("{ use = [ ]; }"), "2: `use` is empty: it must have at least 1\n"},
	{"what cannot be asked for", RULES("{ use = \"gre-key\"; }"),
		"2: `use` is \"gre-key\": it must be \"ipip\", \"gre\", \"l2tpv3\" or \"none\"\n"},
	{"none, and more", RULES("{ use = [ \"gre\", \"none\", \"ipip\" ]; }"),
		"2: `use` has \"none\" before others, which are never tried then: put it at the end, or "
		"leave "
		"it out\n"},
	{"outer headers of none", RULES("{ use = \"none\"; ttl = 7; outer-dscp = 0; ecn = true; }"),
		"2: warning: `ttl` has no effect where `use` is \"none\"\n"
		"2: warning: `outer-dscp` has no effect where `use` is \"none\"\n"
		"2: warning: `ecn` has no effect where `use` is \"none\"\n"},
	{"a class of no kind", RULES("{ class = \"blue\"; use = \"gre\"; }"),
		"2: `class` is \"blue\": it must be a color like color:100, or a community like 65000:100\n"},
	{"no such code point", RULES("{ dscp = [ \"ef\", \"af44\", \"64\" ]; use = \"gre\"; }"),
		"2: `dscp` is \"af44\": it must be a name like \"ef\", \"af41\", \"cs6\", \"le\" or "
		"\"default\", or a number, 0 to 63\n"
		"2: `dscp` is \"64\": it must be a name like \"ef\", \"af41\", \"cs6\", \"le\" or "
		"\"default\", or a number, 0 to 63\n"},
	{"a number that is none", RULES("{ dscp = 64; use = \"gre\"; }"),
		"2: `dscp` is 64: it must be a name like \"ef\", \"af41\", \"cs6\", \"le\" or \"default\", "
		"or "
		"a number, 0 to 63\n"},
	{"less than a number", RULES("{ dscp = 4.6; use = \"gre\"; }"),
		"2: `dscp` is a number: it must be a name like \"ef\", \"af41\", \"cs6\", \"le\" or "
		"\"default\", or a number, 0 to 63\n"},
	{"one code point by two names", RULES("{ dscp = ( \"ef\", 46 ); use = \"gre\"; }"),
		"2: \"46\" stands in `dscp` twice: once is enough\n"},
	{"no such outer code point", RULES("{ use = \"gre\"; outer-dscp = \"inner\"; }"),
		"2: `outer-dscp` is \"inner\": it must be \"copy\", a name like \"ef\", \"af41\", \"cs6\", "
		"\"le\" or \"default\", or a number, 0 to 63\n"},
	{"a packet that gets nowhere", RULES("{ use = \"gre\"; ttl = 0; }"),
		"2: `ttl` is 0: it must be a whole number, 1 to 255\n"},
	{"by another name", RULES("{ use = \"gre\"; hop-limit = 9; }"),
		"2: `hop-limit`: the key is called `ttl`\n"},
	{"next hops of the other family", RULES("{ next-hops = \"192.0.2.0/24\"; use = \"gre\"; }"),
		"2: `next-hops` has 192.0.2.0/24, but `address` of `core` is an IPv6 address: outer headers "
		"have addresses of that family only\n"},
	{"next hops where no softwire ends",
		BARE("core = { address = \"2001:db8::1\"; endpoints = \"2001:db8::/64\"; }; encapsulate = { "
		     "next-hops = [ \"2001:db8::/48\", \"2001:db8:1::/48\" ]; use = \"gre\"; };"),
		"2: warning: `next-hops` has 2001:db8:1::/48, which is outside `endpoints` of `core`: no "
		"softwire ends there\n"},
	{"routes of the core's family", RULES("{ prefixes = [ \"::/0\" ]; use = \"gre\"; }"),
		"2: warning: `prefixes` has ::/0, which the core carries as it is: routes for softwires are "
		"IPv4 ones, as long as `transit` of `core` is false\n"},
	{"behind one without conditions",
		RULES("{ use = \"gre\"; },\n{ class = \"color:1\"; use = \"ipip\"; }"), "3: " NEVER},
	{"behind one with fewer conditions",
		RULES("{ class = [ \"color:1\", \"color:2\" ]; prefixes = \"10.0.0.0/8\"; use = \"gre\"; "
		      "},\n{ "
		      "class = \"color:2\"; prefixes = [ \"10.1.0.0/16\", \"10.0.0.0/8\" ]; next-hops = "
		      "\"2001:db8::/64\"; use = \"ipip\"; }"),
		"3: " NEVER},
	{"behind several, of which each takes some packets",
		RULES("{ dscp = \"ef\"; use = \"gre\"; }, { dscp = \"cs6\"; use = \"gre\"; },\n{ class = "
		      "\"color:2\"; dscp = [ \"cs6\", \"ef\" ]; use = \"ipip\"; }"),
		"3: " NEVER},
	{"more classes of traffic than there may be",
		RULES("{ dscp = \"ef\"; use = \"gre\"; }, { dscp = \"cs6\"; use = \"gre\"; }, { dscp = "
		      "\"af41\"; use = \"gre\"; },\n{ dscp = \"af42\"; use = \"gre\"; }, { dscp = \"af43\"; "
		      "use "
		      "= \"gre\"; }"),
		"3: with this `dscp` the rules of `encapsulate` tell more than 4 classes of traffic apart: "
		"give several rules the same `dscp`\n"},
	{"a rule that is none", AFBR("encapsulate = ( 7 );"),
		"2: `encapsulate` must be a list of groups ( { ... }, ... )\n"},

	{"never", AFBR("tunnel-when = [ ];"), "2: `tunnel-when` is empty: it must have at least 1\n"},
	{"no such time", AFBR("tunnel-when = [ \"always\" ];"),
		"2: `tunnel-when` has \"always\": it must be \"core-interface\", \"core-only-interface\", "
		"\"core-next-hop\" or \"bgp\"\n"},
	{"interfaces without names", AFBR("tunnel-when = [ \"core-interface\", \"bgp\" ];"),
		"2: `tunnel-when` has \"core-interface\", and `core` has no `interfaces`: they must be "
		"named\n"},
};

/* proves: MGMT-8 partial */
static void says_what_is_wrong_and_what_would_be_right(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool passes = !strncmp(rows[i].told, "2: warning", 10);
		struct config *c = new_config();
		struct told told;

		if (read_text(rows[i].text, &told, c) != (passes ? 0 : -EINVAL) ||
			strcmp(told.text, rows[i].told) != 0)
			fail_msg("%s:\n%sinstead of\n%s", rows[i].name, told.text, rows[i].told);
		config_free(c);
	}
}

static const struct afbr_config *good(const char *text, struct config *c)
{
	struct told told;

	if (read_text(text, &told, c) || told.text[0])
		fail_msg("%s", told.text);
	return c->afbr;
}

static void expect_prefix(const struct prefix *p, const char *text)
{
	char printed[PREFIX_TEXT];

	assert_string_equal(prefix_print(p, printed), text);
}

static void expect_addr(const struct addr *a, const char *text)
{
	char printed[ADDR_TEXT];

	assert_string_equal(addr_print(a, printed), text);
}

/* proves: MGMT-8, MESH-FWD-5 partial, MESH-ENC-1 partial */
static void everything_is_what_was_written(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a = good(
		BARE("core = { address = \"2001:db8::1\"; interfaces = [ \"core0\", \"core1\" ]; endpoints = "
		     "[ "
		     "\"2001:db8::/64\", \"2001:db8:1::/64\" ]; transmitters = [ \"2001:db8:2::/64\" ]; "
		     "transit "
		     "= true; };\n"
		     "client = { interfaces = [ \"ce0\" ]; filter = false; local4 = \"192.0.2.7\"; local6 = "
		     "\"2001:db8::7\"; };\n"
		     "accept = [ \"mpls-in-l2tpv3\", \"mpls-in-gre\", \"mpls-in-ip\", \"l2tpv3\", "
		     "\"gre-key\", "
		     "\"gre\", \"ipip\" ];\n"
		     "encapsulate = ( { class = [ \"65000:100\", \"color:7\" ]; prefixes = [ "
		     "\"198.51.100.0/24\" ]; next-hops = [ \"2001:db8::/64\" ]; dscp = ( \"ef\", 44, \"45\" "
		     "); "
		     "use = [ \"l2tpv3\", \"gre\", \"ipip\", \"none\" ]; ttl = 9; outer-dscp = \"cs5\"; ecn "
		     "= "
		     "true; }, { use = \"none\"; } );\n"
		     "tunnel-when = [ \"core-interface\", \"core-only-interface\", \"bgp\" ]; mss-clamp = "
		     "false; roll-interval = 60; roll-overlap = 0.5;"),
		c);
	const struct afbr_rule *r = a->rules;
	const uint8_t accept[] = {AFBR_ACCEPT_MPLS_IN_L2TPV3, AFBR_ACCEPT_MPLS_IN_GRE, AFBR_ACCEPT_MPLS_IN_IP,
		AFBR_ACCEPT_L2TPV3, AFBR_ACCEPT_GRE_KEY, AFBR_ACCEPT_GRE, AFBR_ACCEPT_IPIP};
	const uint8_t use[] = {AFBR_USE_L2TPV3, AFBR_USE_GRE, AFBR_USE_IPIP, AFBR_USE_NONE};

	assert_int_equal(a->core_interface_count, 2);
	assert_string_equal(a->core_interfaces[1], "core1");
	assert_int_equal(a->endpoint_count, 2);
	expect_prefix(&a->endpoints[1], "2001:db8:1::/64");
	assert_int_equal(a->transmitter_count, 1);
	expect_prefix(&a->transmitters[0], "2001:db8:2::/64");
	assert_true(a->transit);
	assert_int_equal(a->client_interface_count, 1);
	assert_string_equal(a->client_interfaces[0], "ce0");
	assert_false(a->filter);
	expect_addr(&a->local4, "192.0.2.7");
	expect_addr(&a->local6, "2001:db8::7");
	assert_int_equal(a->accept_count, sizeof(accept));
	assert_memory_equal(a->accept, accept, sizeof(accept));
	assert_int_equal(a->tunnel, AFBR_TUNNEL_CORE_INTERFACE | AFBR_TUNNEL_CORE_ONLY | AFBR_TUNNEL_BGP);
	assert_false(a->mss_clamp);
	assert_int_equal(a->roll_interval, 60000);
	assert_int_equal(a->roll_overlap, 500);

	assert_int_equal(a->rule_count, 2);
	assert_int_equal(r->class_count, 2);
	assert_true(!r->classes[0].is_color && r->classes[0].value == (65000u << 16 | 100));
	assert_true(r->classes[1].is_color && r->classes[1].value == 7);
	assert_int_equal(r->prefix_count, 1);
	expect_prefix(&r->prefixes[0], "198.51.100.0/24");
	assert_int_equal(r->next_hop_count, 1);
	expect_prefix(&r->next_hops[0], "2001:db8::/64");
	assert_true(r->dscp == (uint64_t)7 << 44);
	assert_int_equal(r->use_count, sizeof(use));
	assert_memory_equal(r->use, use, sizeof(use));
	assert_int_equal(r->hop_limit, 9);
	assert_true(r->set_dscp && r->outer_dscp == 40 && r->copy_ecn);
	assert_true(r[1].dscp == UINT64_MAX && r[1].use[0] == AFBR_USE_NONE && r[1].hop_limit == 64);
	assert_false(r[1].set_dscp || r[1].copy_ecn);
	assert_int_equal(a->slot_count, 2);
	assert_true(a->slot_of[44] == 1 && a->slot_of[46] == 1 && a->slot_of[0] == 0 && a->slot_of[47] == 0);
	assert_true(a->slot_dscp[1] == (uint64_t)7 << 44 && a->slot_dscp[0] == ~((uint64_t)7 << 44));
	assert_true(a->export.present);
	config_free(c);
}

static void defaults_are_safe_and_right(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a = good(AFBR(""), c);

	assert_int_equal(a->accept_count, 1);
	assert_int_equal(a->accept[0], AFBR_ACCEPT_IPIP);
	assert_true(a->filter && a->mss_clamp);
	assert_false(a->transit || a->core_interface_count || a->endpoint_count || a->transmitter_count ||
		     a->rule_count || a->roll_interval || a->export.present);
	assert_int_equal(a->tunnel, AFBR_TUNNEL_NEXT_HOP);
	assert_int_equal(a->roll_overlap, 300000);
	assert_int_equal(a->slot_count, 1);
	assert_true(a->slot_dscp[0] == UINT64_MAX);
	config_done(c);

	a = good(BARE(""), c); /* a reflector */
	assert_int_equal(a->accept_count, 0);
	assert_int_equal(a->slot_count, 1);
	config_done(c);

	a = good(AFBR("tunnels = ( { type = \"ipip\"; }, { type = \"ipip\"; payload = \"mpls\"; }, { type = "
		      "\"mpls-in-gre\"; key = 7; }, { type = \"gre\"; key = 7; } );"),
		c);
	assert_int_equal(a->accept_count, 0);
	assert_int_equal(a->tunnel_count, 4);
	assert_int_equal(a->tunnels[1].protocol, 0x8847);
	assert_true(a->tunnels[2].type == BGP_TUNNEL_MPLS_GRE && a->tunnels[2].has_encapsulation);
	config_done(c);

	a = good(AFBR("accept = [ ];"), c); /* only sends */
	assert_int_equal(a->accept_count, 0);
	config_free(c);
}

/* Whoever has customers forwards: `export` of `kernel` goes without saying. */
static void customers_bring_routes_into_the_kernel(void **state)
{
	struct config *c = new_config();
	const struct afbr_config *a = good(CLIENT("interfaces = \"ce0\";"), c);

	assert_true(a->export.present);
	assert_int_equal(a->export.table, 254);
	assert_int_equal(a->export.metric, 20);
	assert_int_equal(a->export.scan, 60000);
	assert_int_equal(a->export.families, BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6));
	config_done(c);

	a = good("afbr = { core = { address = \"2001:db8::1\"; interfaces = \"core0\"; }; client = { "
		 "interfaces = \"ce0\"; }; bgp = "
		 "{ as "
		 "= 65000; router-id = \"192.0.2.1\"; neighbors = { rr = { address = \"2001:db8::2\"; "
		 "families = \"ipv4\"; }; }; "
		 "kernel = { export = { metric = 7; families = \"ipv4\"; }; }; }; };",
		c);
	assert_int_equal(a->export.metric, 7);
	assert_int_equal(a->export.families, BGP_FAMILY_BIT(BGP_IPV4));
	config_free(c);
}

/* ---- reload ---- */

struct sentences {
	char text[4096];
};

static void collect(void *owner, const char *sentence)
{
	struct sentences *s = owner;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%s\n", sentence);
}

static const struct {
	const char *name, *before, *after, *told;
} changes[] = {
	{"nothing", RULES("{ class = \"color:1\"; dscp = \"ef\"; use = \"gre\"; }"),
		RULES("{ class = \"color:1\"; dscp = 46; use = [ \"gre\" ]; outer-dscp = \"copy\"; }"), ""},
	{"a rule's prefix", RULES("{ prefixes = \"10.0.0.0/8\"; use = \"gre\"; }"),
		RULES("{ prefixes = \"10.0.0.0/9\"; use = \"gre\"; }"), "afbr: encapsulate has changed\n"},
	{"a rule's class", RULES("{ class = \"color:1\"; use = \"gre\"; }"),
		RULES("{ class = \"65000:1\"; use = \"gre\"; }"), "afbr: encapsulate has changed\n"},
	{"a rule's next hop", RULES("{ next-hops = \"2001:db8::/64\"; use = \"gre\"; }"),
		RULES("{ next-hops = \"2001:db8::/65\"; use = \"gre\"; }"),
		"afbr: encapsulate has changed\n"},
	{"a rule's outer header", RULES("{ use = \"gre\"; }"), RULES("{ use = \"gre\"; outer-dscp = 0; }"),
		"afbr: encapsulate has changed\n"},
	{"what a rule uses", RULES("{ use = [ \"gre\", \"ipip\" ]; }"),
		RULES("{ use = [ \"ipip\", \"gre\" ]; }"), "afbr: encapsulate has changed\n"},
	{"another rule", RULES("{ class = \"color:1\"; use = \"gre\"; }"),
		RULES("{ class = \"color:1\"; use = \"gre\"; }, { use = \"ipip\"; }"),
		"afbr: encapsulate has changed\n"},
	{"what is liked best", AFBR("accept = [ \"gre\", \"ipip\" ];"),
		AFBR("accept = [ \"ipip\", \"gre\" ];"), "afbr: accept gre, ipip -> ipip, gre\n"},
	{"sets", CORE("endpoints = \"2001:db8::/64\"; interfaces = \"core0\";"),
		CORE("transmitters = \"2001:db8:2::/64\"; interfaces = [ \"core0\", \"core1\" ];"),
		"afbr: core: interfaces core0 -> core0, core1\n"
		"afbr: core: endpoints 2001:db8::/64 -> none\n"
		"afbr: core: transmitters none -> 2001:db8:2::/64\n"},
	{"the client's side", CLIENT("interfaces = \"ce0\";"),
		CLIENT("interfaces = \"ce1\"; filter = false; local4 = \"192.0.2.7\";"),
		"afbr: client: interfaces ce0 -> ce1\nafbr: client: filter true -> false\nafbr: client: "
		"local4 none "
		"-> 192.0.2.7\n"},
	{"when", AFBR(""), AFBR("tunnel-when = [ \"core-next-hop\", \"bgp\" ]; mss-clamp = false;"),
		"afbr: tunnel-when core-next-hop -> core-next-hop, bgp\nafbr: mss-clamp true -> false\n"},
	{"our address", CORE(""), BARE("core = { address = \"2001:db8::9\"; transit = true; };"),
		"afbr: core: address 2001:db8::1 -> 2001:db8::9: this needs a restart\n"
		"afbr: core: transit false -> true\n"
		"afbr: bgp: neighbor rr: local-address 2001:db8::1 -> 2001:db8::9 (the session is reset)\n"
		"afbr stays as it was, all of it, until that restart\n"},
};

static void a_reload_tells_what_has_changed(void **state)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct config *before = new_config(), *after = new_config();
		struct sentences told = {""};

		good(changes[i].before, before);
		good(changes[i].after, after);
		config_change(before, after, collect, &told);
		if (strcmp(told.text, changes[i].told) != 0)
			fail_msg("%s:\n%sinstead of\n%s", changes[i].name, told.text, changes[i].told);
		config_free(before);
		config_free(after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_wrong_and_what_would_be_right),
		cmocka_unit_test(everything_is_what_was_written),
		cmocka_unit_test(defaults_are_safe_and_right),
		cmocka_unit_test(customers_bring_routes_into_the_kernel),
		cmocka_unit_test(a_reload_tells_what_has_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

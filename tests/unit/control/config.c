/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration files, good and broken, with the exact words that people get to read. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/config.h"
#include "control/problem.h"
#include "eap/eap.h"

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
		snprintf(where, sizeof(where), ":%u", line);
	snprintf(t->text + n, sizeof(t->text) - n, "%s%s: %s%s\n", file, where,
		fatal ? "" : "warning: ", text);
	if (fatal)
		t->errors++;
	else
		t->warnings++;
}

static int read_text(const char *text, size_t len, struct told *told, struct config *c)
{
	int fd = memfd_create("test", MFD_CLOEXEC), result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
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

/* A good concentrator and a good initiator on line 1, with one more thing on line 2. */
#define POOL "pools = { default = { link6 = \"2001:db8:100::/48\"; }; }; "
#define MOST                                                                                                 \
	"concentrator = { network = \"trusted\"; listen = \"192.0.2.1\"; local6 = \"2001:db8::1\"; users = " \
	"\"/u\"; "
#define CONCENTRATOR(text) MOST POOL "\n" text "\n};\n"
#define POOLS(text)        MOST "\n" text "\n};\n"
#define INITIATOR(text)                                                                                      \
	"initiator = { home = { network = \"trusted\"; server = \"sc.example.net\"; user = \"alice\"; "      \
	"password-file = \"/p\";\n" text "\n}; };\n"

#define POOLS4(pool)                                                                                         \
	"concentrator = { network = \"trusted\"; listen = \"192.0.2.1\"; local4 = \"198.51.100.1\"; users "  \
	"= "                                                                                                 \
	"\"/u\"; pools = { default = {\n" pool "\n}; }; };\n"

/* A file as people break it, and everything that they are told. */
static const struct {
	const char *name, *text, *told;
} broken[] = {
	{"empty file", "",
		"test.conf: there is nothing to do: it must have one or more of `concentrator`, `initiator` and `afbr`\n"},
	{"users file", "users = { alice = { secret = \"s\"; }; };\npeers = ( );",
		"test.conf: this looks like a users file: check the configuration that names it\n"},
	{"users file with tunnel secrets alone", "peers = ( );",
		"test.conf: this looks like a users file: check the configuration that names it\n"},
	{"users in the wrong place", "users = { };\n" INITIATOR(""),
		"test.conf:1: `users` does not belong into the file but into `concentrator`\n"},
	{"misspelt key", CONCENTRATOR("helo = 60;"),
		"test.conf:2: there is no key `helo` in `concentrator`: did you mean `hello`?\n"},
	{"misspelt section", "concentrater = { };",
		"test.conf:1: there is no key `concentrater` in the file: did you mean `concentrator`?\n"
		"test.conf: there is nothing to do: it must have one or more of `concentrator`, `initiator` and `afbr`\n"},
	{"key that nobody knows", CONCENTRATOR("frobnicate = 1;"),
		"test.conf:2: there is no key `frobnicate` in `concentrator`: softwired.conf(5) lists them "
		"all\n"},
	{"key of another section", CONCENTRATOR("lan = \"eth0\";"),
		"test.conf:2: `lan` does not belong into `concentrator` but into an initiator\n"},
	{"key of a later version", CONCENTRATOR("radius = { };"),
		"test.conf:2: `radius`: RADIUS is not available in this version: use `users`\n"},
	{"number too large", CONCENTRATOR("hello = 5000;"),
		"test.conf:2: `hello` is 5000: it must be a number of seconds, 0 to 3600\n"},
	{"negative number", CONCENTRATOR("half-open = -1;"),
		"test.conf:2: `half-open` is -1: it must be a whole number, 1 to 1000000\n"},
	{"fraction of a count", CONCENTRATOR("retransmit-tries = 2.5;"),
		"test.conf:2: `retransmit-tries` is 2.5: it must be a whole number, 1 to 20\n"},
	{"router lifetime beyond RFC 4861", CONCENTRATOR("router-lifetime = 9001;"),
		"test.conf:2: `router-lifetime` is 9001: it must be a whole number, 0 to 9000\n"},
	{"text for a number", CONCENTRATOR("hello = \"60\";"),
		"test.conf:2: `hello` is a text in quotes: it must be a number of seconds, 0 to 3600\n"},
	{"number for a boolean", CONCENTRATOR("mss-clamp = 1;"),
		"test.conf:2: `mss-clamp` is a number: it must be true or false\n"},
	{"group for a text", CONCENTRATOR("device = { };"),
		"test.conf:2: `device` is a group: it must be the name of a network interface\n"},
	{"interface name too long", CONCENTRATOR("device = \"abcdefghijklmnop\";"),
		"test.conf:2: `device` is \"abcdefghijklmnop\": it must be the name of a network "
		"interface\n"},
	{"device of an initiator", CONCENTRATOR("device = \"si-home\";") INITIATOR(""),
		"test.conf:2: `device` is \"si-home\", which is the initiator home's: choose another\n"},
	{"no such word", CONCENTRATOR("") "log = \"verbose\";",
		"test.conf:4: `log` is \"verbose\": it must be \"error\", \"warn\", \"info\" or \"debug\"\n"},
	{"relative path", CONCENTRATOR("leases = \"leases.db\";"),
		"test.conf:2: `leases` is \"leases.db\": it must be a whole path, beginning with /\n"},
	{"address of the other family", CONCENTRATOR("local4 = \"2001:db8::2\";"),
		"test.conf:2: `local4` is \"2001:db8::2\": it must be an IPv4 address\n"},
	{"number that does not fit", CONCENTRATOR("max-softwires = 99999999999999999999;"),
		"test.conf:2: this number is too large\n"},
	{"numbers beyond 32 bits",
		CONCENTRATOR("half-open = 0x100000001; half-open-per-source = 4294967297;"),
		"test.conf:2: `half-open` is 4294967297: it must be a whole number, 1 to 1000000\n"
		"test.conf:2: `half-open-per-source` is 4294967297: it must be a whole number, 1 to "
		"1000000\n"},

	{"duplicate", CONCENTRATOR("hello = 1;\n\nhello = 2;"),
		"test.conf:4: `hello` is set twice: it may stand only once\n"},
	{"unclosed brace", "log = \"info\";\nconcentrator = {\n    hello = 60;\n",
		"test.conf:2: this bracket is not closed: `}` is missing\n"},
	{"wrong bracket", "concentrator = {\n  listen = [ \"192.0.2.1\" );\n};\n",
		"test.conf:2: `)` where `]` is due, for the bracket opened on line 2\n"},
	{"one brace too many", "log = \"info\";\n};\n",
		"test.conf:2: `}` closes nothing: there is one too many\n"},
	{"unclosed text", "log = \"info;\nuser = 1;\n",
		"test.conf:1: this text is not closed: end it with \"\n"},
	{"unclosed comment", "log = \"info\";\n/* initiator = {\n};\n",
		"test.conf:2: this comment is not closed: end it with */\n"},
	{"no value", "log = ;\n",
		"test.conf:1: syntax error: settings are written NAME = VALUE; with texts in quotes; look "
		"here and just "
		"before\n"},
	{"array of two types", "log = [ 1, \"x\" ];\n",
		"test.conf:1: the values of an array [ ... ] must be of one type\n"},
	{"brackets without end", "a = ((((((((((((((((((((((((((((((((((((((((",
		"test.conf:1: brackets are nested more deeply than anything here needs\n"},
	{"include of nothing", "@include \"missing.conf\"\n",
		"test.conf:1: cannot include missing.conf: No such file or directory\n"},
	{"include of a directory", "# first\n  @include \"/\"\n",
		"test.conf:2: cannot include /: it is a directory, not a file\n"},
	{"include of a device", "@include \"/dev/zero\"\n",
		"test.conf:1: cannot include /dev/zero: it is not a regular file\n"},
	{"include without quotes", "@include users.conf\n",
		"test.conf:1: an include is written @include \"FILE\"\n"},

	{"CHAP on a public network",
		"initiator = { home = {\n server = \"sc.example.net\"; user = \"alice\"; password-file = "
		"\"/p\";\n}; };\n",
		"test.conf:1: `network` is \"public\" (the default), and CHAP must not cross a public "
		"network unprotected "
		"(RFC 5619 section 3.4.1). There are three ways out: IPsec, which is not available in this "
		"version; "
		"network = \"trusted\" if no stranger can listen or send on the way; unprotected-chap = true "
		"to accept "
		"the risk\n"},
	{"tunnel secret on a public network",
		"initiator = { home = {\n server = \"sc.example.net\"; user = \"alice\"; password-file = "
		"\"/p\";\n"
		"network = \"public\"; tunnel-secret-file = \"/t\";\n}; };\n",
		"test.conf:3: `network` is \"public\", and CHAP and tunnel secrets must not cross a public "
		"network "
		"unprotected (RFC 5619 section 3.4.1). There are three ways out: IPsec, which is not "
		"available in this "
		"version; network = \"trusted\" if no stranger can listen or send on the way; "
		"unprotected-chap = true to "
		"accept the risk\n"},
	{"echo above hello", CONCENTRATOR("hello = 30; echo = 40;"),
		"test.conf:2: `echo` is 40: it must be 0 (none), or 10 to 30 (RFC 5571 section 5.1.2)\n"},
	{"echo too often", CONCENTRATOR("echo = 5;"),
		"test.conf:2: `echo` is 5: it must be 0 (none), or 10 to 60 (RFC 5571 section 5.1.2)\n"},
	{"echo instead of hello", CONCENTRATOR("echo = 30; hello = 0;"),
		"test.conf:2: warning: `hello` is 0: a peer that died silently is not noticed, and a NAT on "
		"the way forgets "
		"the softwire\n"
		"test.conf:2: `echo` needs `hello`: LCP Echo comes in addition to HELLO, never instead (RFC "
		"5571 section "
		"5.1.2)\n"},

	{"no pools, no users",
		"concentrator = { network = \"trusted\"; listen = \"192.0.2.1\"; local6 = \"2001:db8::1\"; "
		"};\n",
		"test.conf:1: `concentrator` lacks `pools`: where addresses come from, by name; users "
		"without a pool of "
		"their own get theirs from `default`\n"
		"test.conf:1: `concentrator` lacks `users`: the users file, see softwire-users(5)\n"},
	{"no default pool", POOLS("pools = { other = { link6 = \"2001:db8:100::/48\"; }; };"),
		"test.conf:2: there is no pool `default`: users without a pool of their own get their "
		"addresses from it\n"},
	{"pool with nothing", POOLS("pools = { default = { }; };"),
		"test.conf:2: the pool `default` has nothing to give: it must have `link6`, `delegate` or "
		"`ipv4`\n"},
	{"host bits", POOLS("pools = { default = { link6 = \"2001:db8:100::1/48\"; }; };"),
		"test.conf:2: `link6` is \"2001:db8:100::1/48\", which has bits set behind its length: it "
		"must be "
		"\"2001:db8:100::/48\", or longer\n"},
	{"IPv4 pool for IPv6", POOLS("pools = { default = { link6 = \"192.0.2.0/24\"; }; };"),
		"test.conf:2: `link6` is \"192.0.2.0/24\": it must be an IPv6 prefix like 2001:db8::/48\n"},
	{"link prefix longer than /64", POOLS("pools = { default = { link6 = \"2001:db8:100::/65\"; }; };"),
		"test.conf:2: `link6` is a /65: it must be a /64 or shorter, for each softwire gets a /64\n"},
	{"delegated length outside 48 to 64",
		POOLS("pools = { default = {\n delegate = { from = \"2001:db8::/32\"; length = 65; }; }; };"),
		"test.conf:3: `length` is 65: it must be a whole number, 48 to 64\n"
		"test.conf:1: `local6` lies in `delegate` of the pool `default`: it must be an address that "
		"no "
		"user gets\n"},
	{"delegated length shorter than from",
		POOLS("pools = { default = {\n delegate = {\n from = \"2001:db8:8000::/56\";\n length = 48; "
		      "}; }; };"),
		"test.conf:5: `length` is 48, but `from` is only a /56: it must be 56 to 64\n"},
	{"pools that overlap",
		POOLS("pools = { default = { link6 = \"2001:db8:100::/48\"; };\n"
		      "more = { delegate = { from = \"2001:db8:100:8000::/52\"; length = 56; }; }; };"),
		"test.conf:3: `delegate` of the pool `more` overlaps `link6` of the pool `default`: pools "
		"must "
		"not share "
		"addresses\n"},
	{"our address in a pool", POOLS("pools = { default = { link6 = \"2001:db8::/48\"; }; };"),
		"test.conf:1: `local6` lies in `link6` of the pool `default`: it must be an address that no "
		"user gets\n"},
	{"multicast pool", POOLS("pools = { default = { link6 = \"ff00::/16\"; }; };"),
		"test.conf:2: `link6` holds multicast, link-local or reserved addresses: it must be global "
		"unicast (or ULA, "
		"fd00::/8)\n"},
	{"lifetimes the wrong way round",
		POOLS("pools = { default = { link6 = \"2001:db8:100::/48\"; preferred-lifetime = 3600; "
		      "valid-lifetime = 600; "
		      "}; };"),
		"test.conf:2: `preferred-lifetime` is 3600, which is longer than `valid-lifetime` (600): it "
		"must not be\n"},
	{"too many DNS servers",
		POOLS("pools = { default = { link6 = \"2001:db8:100::/48\"; dns = [ \"2001:db8::a\", "
		      "\"2001:db8::b\", "
		      "\"2001:db8::c\", \"2001:db8::d\", \"2001:db8::e\" ]; }; };"),
		"test.conf:2: `dns` has 5 values: it must have at most 4\n"},
	{"IPv6 pool for IPv4", POOLS4("ipv4 = \"2001:db8::/64\";"),
		"test.conf:2: `ipv4` is \"2001:db8::/64\": it must be an IPv4 prefix like 198.51.100.0/24\n"},
	{"host bits in an IPv4 pool", POOLS4("ipv4 = \"198.51.100.1/24\";"),
		"test.conf:2: `ipv4` is \"198.51.100.1/24\", which has bits set behind its length: it must "
		"be "
		"\"198.51.100.0/24\", or longer\n"},
	{"loopback pool", POOLS4("ipv4 = \"127.1.0.0/16\";"),
		"test.conf:2: `ipv4` holds addresses that are not for hosts (this network, loopback, "
		"link-local, "
		"multicast or reserved ones)\n"},
	{"pool of all IPv4", POOLS4("ipv4 = \"0.0.0.0/0\";"),
		"test.conf:2: `ipv4` holds addresses that are not for hosts (this network, loopback, "
		"link-local, "
		"multicast or reserved ones)\n"},
	{"IPv4 pool without our address",
		POOLS("pools = { default = { link6 = \"2001:db8:100::/48\"; ipv4 = \"198.51.100.0/24\"; }; "
		      "};"),
		"test.conf:1: `local4` is left out, but pools have `ipv4`: it is our end of every softwire "
		"that "
		"carries IPv4\n"},
	{"subnet longer than /30",
		POOLS4("ipv4 = \"198.51.100.0/24\"; delegate4 = { from = \"203.0.113.0/24\"; length = 31; "
		       "};"),
		"test.conf:2: `length` is 31: it must be a whole number, 8 to 30\n"},
	{"subnet larger than what it is taken from",
		POOLS4("ipv4 = \"198.51.100.0/24\"; delegate4 = { from = \"203.0.113.0/24\"; length = 20; "
		       "};"),
		"test.conf:2: `length` is 20, but `from` is only a /24: it must be 24 to 30\n"},
	{"subnets without addresses",
		POOLS4("link6 = \"2001:db8:100::/48\"; delegate4 = { from = \"203.0.113.0/24\"; length = 29; "
		       "};"),
		"test.conf:1: warning: `local6` is left out: no ICMPv6 errors are sent, so Path MTU "
		"Discovery fails "
		"through softwires\n"
		"test.conf:2: `delegate4` needs `ipv4`: an initiator has an address before it has a "
		"subnet\n"},
	{"subnets that overlap addresses",
		POOLS4("ipv4 = \"198.51.100.0/24\"; delegate4 = { from = \"198.51.100.128/25\"; length = 29; "
		       "};"),
		"test.conf:2: `delegate4` of the pool `default` overlaps `ipv4` of the pool `default`: pools "
		"must "
		"not share addresses\n"},
	{"our address among subnets",
		POOLS4("ipv4 = \"203.0.113.0/24\"; delegate4 = { from = \"198.51.100.0/24\"; length = 29; "
		       "};"),
		"test.conf:1: `local4` lies in `delegate4` of the pool `default`: it must be an address that "
		"no "
		"user gets\n"},
	{"method that nobody knows", CONCENTRATOR("auth = [ \"ms-chap\" ];"),
		"test.conf:2: `auth` is \"ms-chap\": it must be \"chap\", \"ms-chap-v2\", \"eap-tls\", "
		"\"eap-md5\" or "
		"\"pap\"\n"},
	{"nobody is asked, and nothing said", CONCENTRATOR("auth = [ ];"),
		"test.conf:2: `auth` is empty, so nobody is asked who they are: `anonymous` must say which "
		"pool "
		"everybody gets addresses from\n"},
	{"certificates that are not named", CONCENTRATOR("auth = [ \"eap-tls\", \"chap\" ];"),
		"test.conf:2: `auth` has \"eap-tls\", which needs certificates: `eap` must name them\n"},
	{"half of the certificates",
		CONCENTRATOR("auth = \"eap-tls\"; eap = { certificate = \"/c\"; ca = \"/a\"; };"),
		"test.conf:2: `eap` of `concentrator` lacks `key`: its private key, PEM, readable by root "
		"only\n"},
	{"anonymous pool that is not there", CONCENTRATOR("anonymous = { pool = \"guests\"; };"),
		"test.conf:2: `pool` of `anonymous` is \"guests\", and there is no such pool\n"},
	{"hook without a whole path", CONCENTRATOR("hooks = { up = \"./up\"; };"),
		"test.conf:2: `up` is \"./up\": it must be a whole path, beginning with /\n"},
	{"hook for what does not happen", CONCENTRATOR("hooks = { upp = \"/up\"; };"),
		"test.conf:2: there is no key `upp` in `hooks` of `concentrator`: did you mean `up`?\n"},
	{"name server that is no name",
		POOLS("pools = { default = { link6 = \"2001:db8:100::/48\"; nameservers = \"ns 1\"; }; };"),
		"test.conf:2: `nameservers` is \"ns 1\": it must be a DNS name\n"},
	{"no address for DNS",
		POOLS("pools = { default = { link6 = \"2001:db8:100::/48\"; dns = \"ns.example.net\"; }; };"),
		"test.conf:2: `dns` is \"ns.example.net\": it must be an address\n"},
	{"the same address twice",
		"concentrator = { network = \"trusted\"; local6 = \"2001:db8::1\"; users = \"/u\"; " POOL
		"\nlisten = [ \"192.0.2.1\",\n\"192.0.2.1:1701\" ]; };\n",
		"test.conf:3: \"192.0.2.1:1701\" stands in `listen` twice: once is enough\n"},

	{"no server",
		"initiator = { home = { network = \"trusted\"; user = \"alice\"; password-file = \"/p\"; "
		"server = []; }; };",
		"test.conf:1: `server` is empty: it must have at least 1\n"},
	{"server that is no address",
		"initiator = { home = { network = \"trusted\"; user = \"alice\"; password-file = \"/p\"; "
		"server = \"192.0.2.999\"; }; };",
		"test.conf:1: `server` is \"192.0.2.999\": it must be a name or an address, with :PORT or "
		"without\n"},
	{"group of servers that is empty",
		"initiator = { home = { network = \"trusted\"; user = \"alice\"; password-file = \"/p\";\n"
		"server = ( \"sc\", [] ); }; };",
		"test.conf:2: a group in `server` is empty: it must have at least 1\n"},
	{"server twice, in different groups",
		"initiator = { home = { network = \"trusted\"; user = \"alice\"; password-file = \"/p\";\n"
		"server = ( [ \"sc\", \"sc2\" ], [ \"sc\" ] ); }; };",
		"test.conf:2: \"sc\" stands in `server` twice: once is enough\n"},
	{"groups of servers in groups",
		"initiator = { home = { network = \"trusted\"; user = \"alice\"; password-file = \"/p\";\n"
		"server = ( ( \"sc\", [ \"sc2\" ] ) ); }; };",
		"test.conf:2: `server` is a list: it must be a name or an address, with :PORT or without\n"},
	{"too many servers in groups",
		"initiator = { home = { network = \"trusted\"; user = \"alice\"; password-file = \"/p\";\n"
		"server = ( [ \"a\", \"b\", \"c\", \"d\" ], [ \"e\", \"f\", \"g\", \"h\", \"i\" ], \"j\" ); }; };",
		"test.conf:2: `server` has 10 values: it must have at most 8\n"},
	{"groups where there are none", INITIATOR("lan = ( [ \"eth1\" ] );"),
		"test.conf:2: `lan` is a list: it must be the name of a network interface\n"},
	{"initiator without a name", "initiator = { server = \"sc.example.net\"; };",
		"test.conf:1: `server` in `initiator` must be a group { ... }: each has a name and its "
		"settings\n"},
	{"initiator with a long name",
		"initiator = { my-old-house = { network = \"trusted\"; server = \"sc\"; user = \"a\"; "
		"password-file = \"/p\"; }; };",
		"test.conf:1: the name `my-old-house` in `initiator` must have at most 11 characters, "
		"letters, digits, - and _\n"},
	{"no initiators", "initiator = { };",
		"test.conf:1: `initiator` is empty: it must have a group for each softwire, initiator = { "
		"home = { ... }; };\n"},
	{"prefix shorter than /48", INITIATOR("lan = \"eth1\"; prefix-length = 32;"),
		"test.conf:2: `prefix-length` is 32: it must be 0 (any), or 48 to 64\n"},
	{"LAN without a prefix", INITIATOR("lan = \"eth1\"; prefix = false;"),
		"test.conf:2: `prefix` is false, but `lan` needs a delegated prefix: leave one of them "
		"out\n"},
	{"MTU below IPv6's", INITIATOR("mtu = 1279;"),
		"test.conf:2: `mtu` is 1279: it must be 0 (what the path carries), or 1280 to 9216, for IPv6 "
		"needs 1280\n"},
	{"nothing to carry", INITIATOR("ipv6 = false;"),
		"test.conf:2: `ipv6` is false, and so is `ipv4`: there is nothing to carry\n"},
	{"prefix of what is not carried", INITIATOR("ipv6 = false; ipv4 = true; prefix = true;"),
		"test.conf:2: `prefix` is true, but `ipv6` is false: leave one of them out\n"},
	{"subnet of what is not carried", INITIATOR("subnet = true;"),
		"test.conf:2: `subnet` is true, but `ipv4` is not: leave one of them out\n"},
	{"subnet larger than a /8", INITIATOR("ipv4 = true; subnet = true; subnet-length = 7;"),
		"test.conf:2: `subnet-length` is 7: it must be 0 (any), or 8 to 30\n"},
	{"MTU below any", INITIATOR("ipv6 = false; ipv4 = true; mtu = 575;"),
		"test.conf:2: `mtu` is 575: it must be 0 (what the path carries), or 576 to 9216\n"},
	{"user without a way to prove it",
		"initiator = { home = { network = \"trusted\"; server = \"sc\"; user = \"alice\"; }; };",
		"test.conf:1: `user` is set, but there is no way to prove it: it needs `password-file` or "
		"`eap`\n"},
	{"password without a user",
		"initiator = { home = { network = \"trusted\"; server = \"sc\"; password-file = \"/p\"; }; "
		"};",
		"test.conf:1: an initiator lacks `user`: it is needed with `password-file` and `eap`\n"},
	{"method without its password",
		"initiator = { home = { network = \"trusted\"; server = \"sc\"; user = \"a\"; auth = "
		"\"chap\"; }; };",
		"test.conf:1: `auth` has methods that need `password-file`\n"},
	{"method without its certificate", INITIATOR("auth = [ \"chap\", \"eap-tls\" ];"),
		"test.conf:2: `auth` has \"eap-tls\", which needs certificates: `eap` must name them\n"},
	{"bridge with a name that is none", INITIATOR("lan = [ \"a\", \"b\" ]; lan-bridge = \"br/0\";"),
		"test.conf:2: `lan-bridge` is \"br/0\": it must be the name of a network interface\n"},
	{"back-off the wrong way round", INITIATOR("backoff-first = 90;"),
		"test.conf:2: `backoff-first` is 90, above `backoff-max` (60): it must not be\n"},
	{"one password for both ends", INITIATOR("server-password-file = \"/p\";"),
		"test.conf:2: `server-password-file` is `password-file`: the two ends must have different "
		"passwords, or "
		"answers can be played back\n"},

	{"many at once",
		"log = 3;\n"
		"concentrator = {\n"
		"    listn = \"192.0.2.1\";\n"
		"    network = \"trusted\";\n"
		"    hello = -1;\n"
		"    local6 = \"fe80::1\";\n"
		"    pools = {\n"
		"        default = { link = \"2001:db8:100::/48\"; };\n"
		"    };\n"
		"};\n",
		"test.conf:1: `log` is a number: it must be \"error\", \"warn\", \"info\" or \"debug\"\n"
		"test.conf:3: there is no key `listn` in `concentrator`: did you mean `listen`?\n"
		"test.conf:5: `hello` is -1: it must be a number of seconds, 0 to 3600\n"
		"test.conf:6: `local6` is \"fe80::1\": it must be an IPv6 address\n"
		"test.conf:8: there is no key `link` in a pool: did you mean `link6`?\n"
		"test.conf:2: warning: `listen` is left out: all addresses of this machine are listened on\n"
		"test.conf:2: `concentrator` lacks `users`: the users file, see softwire-users(5)\n"
		"test.conf:8: the pool `default` has nothing to give: it must have `link6`, `delegate` or "
		"`ipv4`\n"},
};

/* proves: HS-PROV-9 partial, HS-PROV-14 partial, HS-PPP-14 partial, SEC-HS-15 partial, HS-L2TP-31 partial, SEC-HS-18 partial, SEC-HS-19 partial */
static void says_what_is_wrong_and_what_would_be_right(void **state)
{
	struct config *c = new_config();
	struct told told;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		int result = read_text(broken[i].text, strlen(broken[i].text), &told, c);

		if (strcmp(told.text, broken[i].told))
			print_error("%s:\n", broken[i].name);
		assert_string_equal(told.text, broken[i].told);
		assert_int_equal(result, -EINVAL);
	}
	free(c);
}

static void good(const char *text, const char *warnings, struct config *c)
{
	struct told told;
	int result = read_text(text, strlen(text), &told, c);

	assert_string_equal(told.text, warnings);
	assert_int_equal(result, 0);
}

/* Risky, but said so, or at least possible. */
static const struct {
	const char *name, *text, *told;
} risky[] = {
	{"nothing to tell", CONCENTRATOR(""), ""},
	{"all addresses",
		"concentrator = { network = \"trusted\"; local6 = \"2001:db8::1\"; users = \"/u\"; " POOL
		"};",
		"test.conf:1: warning: `listen` is left out: all addresses of this machine are listened "
		"on\n"},
	{"no source of errors",
		"concentrator = { network = \"trusted\"; listen = \"192.0.2.1\"; users = \"/u\"; " POOL "};",
		"test.conf:1: warning: `local6` is left out: no ICMPv6 errors are sent, so Path MTU "
		"Discovery fails through "
		"softwires\n"},
	{"unprotected on purpose",
		"initiator = { home = { server = \"sc\"; user = \"a\"; password-file = "
		"\"/p\";\nunprotected-chap = true; }; };",
		"test.conf:2: warning: CHAP crosses a public network unprotected, because unprotected-chap = "
		"true says so: who "
		"listens on the way can try passwords at leisure, and who sends on it can end softwires\n"},
	{"unprotected tunnel secrets on purpose",
		"concentrator = { listen = \"192.0.2.1\"; local6 = \"2001:db8::1\"; users = \"/u\"; " POOL
		"\nunprotected-chap = true; require-tunnel-secret = true; };",
		"test.conf:2: warning: CHAP and tunnel secrets cross a public network unprotected, because "
		"unprotected-chap = "
		"true says so: who listens on the way can try passwords at leisure, and who sends on it can "
		"end softwires\n"},
	{"length that is no multiple of 4",
		POOLS("pools = { default = { delegate = { from = \"2001:db8:8000::/36\"; length = 57; }; }; "
		      "};"),
		"test.conf:2: warning: `length` is 57: a multiple of 4 keeps the delegation of reverse DNS "
		"simple\n"},
	{"ULA", POOLS("pools = { default = { link6 = \"fd00:1:2::/48\"; }; };"),
		"test.conf:2: warning: `link6` is a ULA prefix: who gets addresses from it cannot be reached "
		"from the Internet\n"},
	{"IPv4 DNS server",
		POOLS("pools = { default = { link6 = \"2001:db8:100::/48\"; dns = [ \"198.51.100.1\", "
		      "\"2001:db8::53\" ]; }; };"),
		"test.conf:2: warning: `dns`: 198.51.100.1 is not told to anybody, because this pool has no "
		"`ipv4`\n"},
	{"IPv6 DNS server", POOLS4("ipv4 = \"198.51.100.0/24\"; dns = \"2001:db8::53\";"),
		"test.conf:2: warning: `dns`: 2001:db8::53 is not told to anybody, because this pool has no "
		"IPv6\n"},
	{"our own address in the pool", POOLS4("ipv4 = \"198.51.100.0/24\"; dns = \"198.51.100.1\";"), ""},
	{"private subnets",
		POOLS4("ipv4 = \"198.51.100.0/24\"; delegate4 = { from = \"10.0.0.0/16\"; length = 29; };"),
		"test.conf:2: warning: `from` holds private addresses: initiators can use such addresses on "
		"their "
		"LANs without being given any, and will translate them twice\n"},
	{"global subnets behind private addresses",
		POOLS4("ipv4 = \"100.64.0.0/16\"; delegate4 = { from = \"203.0.113.0/24\"; length = 29; };"),
		"test.conf:2: warning: `from` is global, but `ipv4` of the same pool is private: both must "
		"be "
		"routable in the same network\n"},
	{"passwords in the clear", CONCENTRATOR("auth = [ \"chap\", \"pap\" ];"),
		"test.conf:2: warning: `auth` has \"pap\": passwords are sent as they are, to whoever "
		"answers and past "
		"whoever listens\n"},
	{"certificates without use",
		CONCENTRATOR("eap = { certificate = \"/c\"; key = \"/k\"; ca = \"/a\"; };"),
		"test.conf:2: warning: `eap` has no effect without \"eap-tls\" in `auth`\n"},
	{"guests with leases", CONCENTRATOR("anonymous = { pool = \"default\"; };"),
		"test.conf:2: warning: `pool` of `anonymous` is `default`, which is not temporary: everybody "
		"who "
		"comes and goes leaves a lease behind\n"},
	{"any concentrator of the authority",
		INITIATOR("eap = { ca = \"/a\"; certificate = \"/c\"; key = \"/k\"; };"),
		"test.conf:2: warning: `eap` has no `server-name`: whoever has a certificate of this "
		"authority can "
		"pose as the concentrator\n"},
	{"bridge for one", INITIATOR("lan = \"eth1\"; lan-bridge = \"br-lan\";"),
		"test.conf:2: warning: `lan-bridge` has no effect unless `lan` names several interfaces\n"},
	{"subnet without effect", INITIATOR("ipv4 = true; subnet-length = 29;"),
		"test.conf:2: warning: `subnet-length` has no effect without `ipv4`, and `lan` or subnet = "
		"true\n"},
	{"no HELLO", CONCENTRATOR("hello = 0;"),
		"test.conf:2: warning: `hello` is 0: a peer that died silently is not noticed, and a NAT on "
		"the way forgets the "
		"softwire\n"},
	{"no ingress filter", CONCENTRATOR("ingress-filter = false;"),
		"test.conf:2: warning: `ingress-filter` is false: users can send under addresses of "
		"others\n"},
	{"no default router", CONCENTRATOR("router-lifetime = 0;"),
		"test.conf:2: warning: `router-lifetime` is 0: initiators do not take us as their default "
		"router\n"},
	{"another limit that limits nothing", CONCENTRATOR("waiting = 10; waiting-per-source = 20;"),
		"test.conf:2: warning: `waiting-per-source` is 20, above `waiting` (10), so it limits "
		"nothing\n"},
	{"limit that limits nothing", CONCENTRATOR("half-open = 10; half-open-per-source = 20;"),
		"test.conf:2: warning: `half-open-per-source` is 20, above `half-open` (10), so it limits "
		"nothing\n"},
	{"wish without effect", INITIATOR("prefix-length = 56;"),
		"test.conf:2: warning: `prefix-length` has no effect without `lan` or prefix = true\n"},
};

/* proves: HS-PROV-4 partial, HS-PROV-7, HS-PROV-11, HS-PROV-13 partial, SEC-HS-18 partial, SEC-HS-19 partial */
static void warns_of_what_is_risky_but_said(void **state)
{
	struct config *c = new_config();

	for (size_t i = 0; i < sizeof(risky) / sizeof(risky[0]); i++)
		good(risky[i].text, risky[i].told, c);
	free(c);
}

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void an_instance_has_directories_of_its_own(void **state)
{
	struct config *c = new_config();

	strcpy(c->instance, "east");
	good(CONCENTRATOR("") INITIATOR(""), "", c);
	assert_string_equal(c->instance, "east");
	assert_string_equal(c->control_socket, "/run/softwired-east/control.sock");
	assert_string_equal(c->runtime_directory, "/run/softwired-east");
	assert_string_equal(c->state_directory, "/var/lib/softwired-east");
	assert_string_equal(c->concentrator.lease_path, "/var/lib/softwired-east/leases.db");
	assert_string_equal(c->initiators[0].state_path, "/var/lib/softwired-east/initiator-home.json");
	/* What the file says counts. */
	good("runtime-directory = \"/tmp/r\";" CONCENTRATOR(""), "", c);
	assert_string_equal(c->control_socket, "/tmp/r/control.sock");
	free(c);
}

/* proves: HS-L2TP-19 partial, HS-L2TP-30 partial */
static void defaults_are_those_of_the_page(void **state)
{
	struct config *c = new_config();
	char host[128];

	good(CONCENTRATOR("") INITIATOR(""), "", c);
	assert_string_equal(c->path, "test.conf");
	assert_string_equal(c->user, "");
	assert_string_equal(c->control_socket, "/run/softwired/control.sock");
	assert_string_equal(c->control_group, "softwire");
	assert_string_equal(c->runtime_directory, "/run/softwired");
	assert_string_equal(c->state_directory, "/var/lib/softwired");
	assert_int_equal(c->log_level, LEVEL_INFO);

	const struct concentrator_config *con = &c->concentrator;

	assert_true(con->present && con->trusted_network && !con->allow_unprotected);
	assert_int_equal(con->listen_count, 1);
	assert_int_equal(con->listen[0].port, 1701);
	assert_string_equal(con->device, "sc0");
	assert_string_equal(con->lease_path, "/var/lib/softwired/leases.db");
	assert_true(con->ingress_filter && con->mss_clamp && con->replace_softwires && con->rapid_commit);
	assert_false(con->managed || con->require_tunnel_secret || con->dhcp4);
	assert_int_equal(con->auth[0], PPP_METHOD_CHAP_MD5);
	assert_int_equal(con->auth[1], 0);
	assert_string_equal(con->anonymous_pool, "");
	assert_true(con->framing_async);
	assert_int_equal(con->dad_transmits, 1);
	assert_int_equal(con->hello_ms, 60000);
	assert_int_equal(con->echo_ms, 0);
	assert_int_equal(con->retransmit_ms, 1000);
	assert_int_equal(con->retransmit_tries, 5);
	assert_int_equal(con->max_softwires, 60000);
	assert_int_equal(con->max_half_open, 10000);
	assert_int_equal(con->half_open_per_source, 1000);
	assert_int_equal(con->setup_window, 2000);
	assert_int_equal(con->max_waiting, 50000);
	assert_int_equal(con->waiting_per_source, 5000);
	assert_int_equal(con->request_rate, 1000);
	assert_int_equal(con->source_prefix4, 32);
	assert_int_equal(con->source_prefix6, 56);
	assert_int_equal(con->router_lifetime, 9000);
	assert_int_equal(con->pool_count, 1);
	assert_string_equal(con->pools[0].lease.name, "default");
	assert_int_equal(con->pools[0].preferred, 86400);
	assert_int_equal(con->pools[0].valid, 172800);
	assert_true(prefix_is_none(&con->pools[0].lease.delegate_from));
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	assert_string_equal(con->host_name, host);

	const struct initiator_config *i = &c->initiators[0];
	char expected[300];

	assert_int_equal(c->initiator_count, 1);
	assert_string_equal(i->name, "home");
	assert_string_equal(i->state_path, "/var/lib/softwired/initiator-home.json");
	assert_true(i->ipv6 && i->default_route && i->mss_clamp && i->rapid_commit && i->framing_async);
	assert_false(i->want_prefix || i->insist_auth || i->ipv4 || i->want_subnet || i->eap_md5);
	assert_int_equal(i->auth, 1 << PPP_METHOD_CHAP_MD5 | 1 << PPP_METHOD_MSCHAPV2);
	assert_int_equal(i->metric, 1024);
	assert_string_equal(i->dns, "auto");
	assert_int_equal(i->mtu, 0);
	assert_int_equal(i->backoff_first_ms, 1000);
	assert_int_equal(i->backoff_max_ms, 60000);
	snprintf(expected, sizeof(expected), "alice@%s", host);
	assert_string_equal(i->host_name, expected);
	free(c);
}

/* proves: HS-OAM-1 partial, HS-L2TP-20 partial, HS-L2TP-31 partial */
static void values_arrive_where_they_belong(void **state)
{
	struct config *c = new_config();

	good("log = \"debug\"; user = \"nobody\"; runtime-directory = \"/tmp/r\"; state-directory = "
	     "\"/tmp/s\";\n"
	     "concentrator = { network = \"trusted\"; listen = [ \"192.0.2.1\", \"192.0.2.2:1702\", "
	     "\"[2001:db8::9]:1703\" ];\n"
	     "  local6 = \"2001:db8::1\"; local4 = \"198.51.100.1\"; users = \"/u\"; host-name = "
	     "\"sc.example.net\"; hello = 20; echo = 10.5;\n"
	     "  retransmit = 0.5; framing-async = false; managed = true; half-open = 7; half-open-per-source "
	     "= 3;\n"
	     "  setup-window = 5; waiting = 60; waiting-per-source = 30; request-rate = 9; source-prefix4 = "
	     "24; source-prefix6 = 48;\n"
	     "  pools = { a = { delegate = { from = \"2001:db8:8000::/36\"; length = 56; }; dns = ( "
	     "\"2001:db8::53\" ); };\n"
	     "            default = { link6 = \"2001:db8:100::/64\"; preferred-lifetime = 100; "
	     "valid-lifetime = 4294967295; }; };\n"
	     "};\n"
	     "initiator = { a = { network = \"trusted\"; server = [ \"sc\", \"[2001:db8::7]:1702\" ]; user = "
	     "\"u@example.net\"; password-file = \"/p\";\n"
	     "  lan = [ \"eth1\", \"br-lan\" ]; prefix-length = 60; mtu = 1400; metric = 4294967295; "
	     "default-route = false; dns = \"none\"; };\n"
	     "  b = { network = \"trusted\"; server = \"192.0.2.7\"; user = \"x\"; password-file = \"/q\"; "
	     "prefix = true; }; };\n",
		"", c);
	assert_int_equal(c->log_level, LEVEL_DEBUG);
	assert_string_equal(c->user, "nobody");
	assert_string_equal(c->control_socket, "/tmp/r/control.sock");
	assert_string_equal(c->concentrator.lease_path, "/tmp/s/leases.db");
	assert_int_equal(c->concentrator.listen_count, 3);
	assert_int_equal(c->concentrator.listen[1].port, 1702);
	assert_int_equal(c->concentrator.listen[2].port, 1703);
	assert_int_equal(c->concentrator.listen[2].addr.family, AF_INET6);
	assert_true(addr_equal(&c->concentrator.local4, &(struct addr){AF_INET, {198, 51, 100, 1}}));
	assert_string_equal(c->concentrator.host_name, "sc.example.net");
	assert_int_equal(c->concentrator.max_softwires, 180000);
	assert_int_equal(c->concentrator.hello_ms, 20000);
	assert_int_equal(c->concentrator.echo_ms, 10500);
	assert_int_equal(c->concentrator.retransmit_ms, 500);
	assert_true(c->concentrator.managed && !c->concentrator.framing_async);
	assert_int_equal(c->concentrator.max_half_open, 7);
	assert_int_equal(c->concentrator.half_open_per_source, 3);
	assert_int_equal(c->concentrator.setup_window, 5);
	assert_int_equal(c->concentrator.max_waiting, 60);
	assert_int_equal(c->concentrator.waiting_per_source, 30);
	assert_int_equal(c->concentrator.request_rate, 9);
	assert_int_equal(c->concentrator.source_prefix4, 24);
	assert_int_equal(c->concentrator.source_prefix6, 48);

	const struct concentrator_pool_config *pools = c->concentrator.pools;
	struct prefix from = prefix("2001:db8:8000::/36"), link6 = prefix("2001:db8:100::/64");
	struct addr dns = address("2001:db8::53");

	assert_int_equal(c->concentrator.pool_count, 2);
	assert_string_equal(pools[0].lease.name, "a");
	assert_true(prefix_equal(&pools[0].lease.delegate_from, &from));
	assert_int_equal(pools[0].lease.delegate_len, 56);
	assert_int_equal(pools[0].dns_count, 1);
	assert_true(addr_equal(&pools[0].dns[0], &dns));
	assert_true(prefix_equal(&pools[1].lease.link6, &link6));
	assert_int_equal(pools[1].preferred, 100);
	assert_int_equal(pools[1].valid, UINT32_MAX);

	const struct initiator_config *i = c->initiators;

	assert_int_equal(c->initiator_count, 2);
	assert_int_equal(i[0].server_count, 2);
	assert_string_equal(i[0].servers[1], "[2001:db8::7]:1702");
	assert_true(i[0].want_prefix && !i[0].default_route);
	assert_int_equal(i[0].lan_count, 2);
	assert_string_equal(i[0].lans[1], "br-lan");
	assert_int_equal(i[0].prefix_length, 60);
	assert_int_equal(i[0].mtu, 1400);
	assert_int_equal(i[0].metric, UINT32_MAX);
	assert_string_equal(i[0].dns, "none");
	assert_true(i[1].want_prefix && !i[1].lan_count);
	free(c);
}

/* proves: PS-21 partial, PS-22 partial */
static void servers_stand_in_order_or_in_groups(void **state)
{
	static const struct {
		const char *text;
		unsigned count;
		bool beside[INITIATOR_SERVERS];
	} cases[] = {
		{"\"a\"", 1, {false}},
		{"[ \"a\", \"b\", \"c\" ]", 3, {false, false, false}},
		{"( \"a\", \"b\" )", 2, {false, false}},
		{"( [ \"a\", \"b\" ], [ \"c\" ] )", 3, {false, true, false}},
		{"( \"a\", [ \"b\", \"c\", \"d\" ], [ \"e\", \"f\" ] )", 6, {false, false, true, true, false, true}},
		{"( ( \"192.0.2.1:1702\", \"[2001:db8::1]\" ) )", 2, {false, true}},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct config *c = new_config();
		char text[512];

		snprintf(text, sizeof(text),
			"initiator = { a = { network = \"trusted\"; user = \"u\"; password-file = \"/p\"; "
			"server = %s; come-home = false; come-home-interval = 2.5; redirect = false; }; };\n",
			cases[n].text);
		good(text, "", c);
		assert_int_equal(c->initiators[0].server_count, cases[n].count);
		assert_memory_equal(c->initiators[0].server_beside, cases[n].beside, sizeof(cases[n].beside));
		assert_false(c->initiators[0].come_home || c->initiators[0].redirect);
		assert_int_equal(c->initiators[0].come_home_ms, 2500);
		free(c);
	}
}

/* proves: HS-PPP-11 partial, HS-PPP-14 partial, HS-PROV-6 partial, HS-PROV-14 partial */
static void values_for_ipv4_and_authentication_arrive(void **state)
{
	struct config *c = new_config();

	good("concentrator = { network = \"trusted\"; listen = \"192.0.2.1\"; local4 = \"198.51.100.1\"; "
	     "local6 = "
	     "\"2001:db8::1\"; users = \"/u\";\n"
	     "  auth = [ \"eap-tls\", \"eap-md5\", \"ms-chap-v2\", \"chap\" ]; address4 = \"dhcp\";\n"
	     "  eap = { certificate = \"/c\"; key = \"/k\"; ca = \"/a\"; };\n"
	     "  anonymous = { pool = \"guests\"; limit = 7; };\n"
	     "  hooks = { up = \"/etc/softwire/up\"; renew = \"/etc/softwire/renew\"; };\n"
	     "  pools = { default = { ipv4 = \"198.51.100.0/24\"; delegate4 = { from = \"203.0.113.0/24\"; "
	     "length = 29; "
	     "};\n"
	     "              nameservers = [ \"ns1.example.net\", \"ns2.example.net\" ]; };\n"
	     "            guests = { link6 = \"2001:db8:200::/48\"; temporary = true; }; };\n"
	     "};\n"
	     "initiator = { a = { network = \"trusted\"; server = \"sc\"; user = \"u\"; ipv4 = true; ipv6 = "
	     "false;\n"
	     "  eap = { ca = \"/a\"; certificate = \"/c\"; key = \"/k\"; server-name = \"sc.example.net\"; "
	     "};\n"
	     "  lan = [ \"eth1\", \"eth2\" ]; lan-bridge = \"br-lan\"; subnet-length = 28; hooks = { change "
	     "= \"/h\"; }; };\n"
	     "  b = { network = \"trusted\"; server = \"sc\"; }; };\n",
		"", c);

	const struct concentrator_config *con = &c->concentrator;
	struct prefix ipv4 = prefix("198.51.100.0/24"), from = prefix("203.0.113.0/24");

	assert_int_equal(con->auth[0], PPP_METHOD_EAP);
	assert_int_equal(con->auth[1], PPP_METHOD_MSCHAPV2);
	assert_int_equal(con->auth[2], PPP_METHOD_CHAP_MD5);
	assert_int_equal(con->auth[3], 0);
	assert_int_equal(con->eap_methods[0], EAP_TLS);
	assert_int_equal(con->eap_methods[1], EAP_MD5);
	assert_string_equal(con->eap_key_path, "/k");
	assert_true(con->dhcp4);
	assert_string_equal(con->anonymous_pool, "guests");
	assert_int_equal(con->anonymous_max, 7);
	assert_string_equal(con->hooks[HOOK_UP], "/etc/softwire/up");
	assert_string_equal(con->hooks[HOOK_RENEW], "/etc/softwire/renew");
	assert_string_equal(con->hooks[HOOK_DOWN], "");
	assert_true(prefix_equal(&con->pools[0].lease.ipv4, &ipv4));
	assert_true(prefix_equal(&con->pools[0].lease.delegate4_from, &from));
	assert_int_equal(con->pools[0].lease.delegate4_len, 29);
	assert_int_equal(con->pools[0].nameserver_count, 2);
	assert_string_equal(con->pools[0].nameservers[1], "ns2.example.net");
	assert_true(con->pools[1].lease.temporary && !con->pools[0].lease.temporary);

	const struct initiator_config *i = c->initiators;

	assert_true(i[0].ipv4 && !i[0].ipv6 && i[0].want_subnet && !i[0].want_prefix);
	assert_int_equal(i[0].auth, 1 << PPP_METHOD_EAP);
	assert_false(i[0].eap_md5);
	assert_string_equal(i[0].eap_server_name, "sc.example.net");
	assert_string_equal(i[0].lan_bridge, "br-lan");
	assert_int_equal(i[0].subnet_length, 28);
	assert_string_equal(i[0].hooks[INITIATOR_HOOK_CHANGE], "/h");
	assert_int_equal(i[1].auth, 0);
	assert_string_equal(i[1].user, "");
	assert_memory_equal(i[1].host_name, "Softwires@", 10);
	free(c);
}

static void leaves_the_result_alone_after_an_error(void **state)
{
	struct config *c = new_config();
	struct told told;

	strcpy(c->path, "untouched");
	assert_int_equal(read_text("log = 1;", 8, &told, c), -EINVAL);
	assert_string_equal(c->path, "untouched");
	free(c);
}

static void write_file(const char *directory, const char *name, const char *text, mode_t mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

/* Messages about files in DIRECTORY, without it. */
static void read_in(const char *directory, const char *name, bool check, struct told *ret, int expected)
{
	struct config *c = new_config();
	struct told *told = calloc(1, sizeof(*told));
	size_t n = strlen(directory);
	char path[4096];

	assert_non_null(told);
	*ret = (struct told){0};
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(config_file_read(path, -1, check, tell, told, c), expected);
	for (char *p = told->text, *to = ret->text; *p;) {
		if (!strncmp(p, directory, n) && p[n] == '/')
			p += n + 1;
		else
			*to++ = *p++;
	}
	ret->errors = told->errors;
	free(told);
	free(c);
}

static void remove_directory(const char *directory, const char *const *names)
{
	char path[4096];

	for (; *names; names++) {
		snprintf(path, sizeof(path), "%s/%s", directory, *names);
		unlink(path);
	}
	assert_int_equal(rmdir(directory), 0);
}

static void tells_lines_of_included_files(void **state)
{
	static const char *const names[] = {
		"main.conf", "pools.conf", "more.conf", "loop.conf", "dup.conf", NULL};
	char directory[] = "/tmp/softwire-test-XXXXXX";
	struct told told;

	assert_non_null(mkdtemp(directory));
	write_file(directory, "main.conf",
		"concentrator = {\n  network = \"trusted\"; users = \"/u\"; local6 = \"2001:db8::1\"; listen "
		"= \"192.0.2.1\";\n"
		"# @include \"nothing\"\n/*\n@include \"nothing\"\n*/\n  @include \"pools.conf\" # ours\n  "
		"hello = \"x\";\n};\n",
		0644);
	write_file(directory, "pools.conf",
		"pools = {\n@include \"more.conf\"\nother = { lnk6 = \"2001:db8:1::/48\"; }; };", 0644);
	write_file(directory, "more.conf", "default = {\n  link6 = \"2001:db8:100::/99\";\n};", 0644);
	read_in(directory, "main.conf", false, &told, -EINVAL);
	assert_string_equal(told.text,
		"pools.conf:3: there is no key `lnk6` in a pool: did you mean `link6`?\n"
		"main.conf:8: `hello` is a text in quotes: it must be a number of seconds, 0 to 3600\n"
		"more.conf:2: `link6` is a /99: it must be a /64 or shorter, for each softwire gets a /64\n"
		"pools.conf:3: the pool `other` has nothing to give: it must have `link6`, `delegate` or "
		"`ipv4`\n");

	write_file(directory, "loop.conf", "log = \"info\";\n@include \"loop.conf\"\n", 0644);
	read_in(directory, "loop.conf", false, &told, -EINVAL);
	assert_string_equal(
		told.text, "loop.conf:2: too many files include each other here: does one include itself?\n");

	write_file(directory, "more.conf", "\nlog = \"info\";\n", 0644);
	write_file(directory, "dup.conf", "log = \"info\";\n@include \"more.conf\"\n", 0644);
	read_in(directory, "dup.conf", false, &told, -EINVAL);
	assert_string_equal(told.text, "more.conf:2: `log` is set twice: it may stand only once\n");
	remove_directory(directory, names);
}

static void refused(const char *path, const char *why)
{
	struct config *c = new_config();
	struct told told = {0};
	char expected[512];

	snprintf(expected, sizeof(expected), "%s: cannot read this file: %s\n", path, why);
	assert_int_equal(config_file_read(path, -1, false, tell, &told, c), -EINVAL);
	assert_string_equal(told.text, expected);
	free(c);
}

static void refuses_what_is_no_configuration(void **state)
{
	struct config *c = new_config();
	struct told told;
	size_t size = (4 << 20) + 1;
	char *text = malloc(size);

	assert_non_null(text);
	memset(text, '\n', size);
	refused("/", "it is a directory, not a file");
	refused("/nonexistent/softwired.conf", "No such file or directory");
	assert_int_equal(read_text(text, size, &told, c), -EINVAL);
	assert_string_equal(told.text,
		"test.conf: cannot read this file: it is larger than 4 MiB, which no configuration is\n");
	assert_int_equal(read_text("log = \0;", 8, &told, c), -EINVAL);
	assert_string_equal(
		told.text, "test.conf: cannot read this file: it has zero bytes, so it is not a text file\n");
	free(text);
	free(c);
}

/* Users and passwords are looked at as they will be read: contents and modes. */
static void checks_the_files_that_are_named(void **state)
{
	static const char *const names[] = {"sc.conf", "si.conf", "users.conf", "alice.secret", NULL};
	char directory[] = "/tmp/softwire-test-XXXXXX", text[1024];
	struct told told;

	assert_non_null(mkdtemp(directory));
	snprintf(text, sizeof(text),
		"concentrator = { network = \"trusted\"; listen = \"192.0.2.1\"; local6 = "
		"\"2001:db8::1\"; " POOL "\nusers = \"%s/users.conf\"; };",
		directory);
	write_file(directory, "sc.conf", text, 0644);
	snprintf(text, sizeof(text),
		"initiator = { home = { network = \"trusted\"; server = \"sc\"; user = "
		"\"alice\";\npassword-file = \"%s/alice.secret\"; }; };",
		directory);
	write_file(directory, "si.conf", text, 0644);

	read_in(directory, "sc.conf", false, &told, 0);
	read_in(directory, "sc.conf", true, &told, -EINVAL);
	assert_string_equal(told.text,
		"sc.conf:2: `users` names users.conf, which cannot be read: No such file or directory\n");
	write_file(directory, "users.conf", "users = { alice = { secret = \"x\"; }; };\n", 0644);
	read_in(directory, "sc.conf", true, &told, -EINVAL); /* others can read it */
	write_file(directory, "users.conf", "users = { alice = { secret = \"x\"; }; };\n", 0600);
	read_in(directory, "sc.conf", true, &told, 0);
	assert_string_equal(told.text, "");
	write_file(directory, "users.conf", "users = {\n alice = { secrt = \"x\"; }; };\n", 0600);
	read_in(directory, "sc.conf", true, &told, -EINVAL);
	assert_non_null(strstr(told.text, "users.conf:2: "));

	write_file(directory, "users.conf", "users = { alice = { secret = \"x\"; pool = \"gold\"; }; };\n",
		0600);
	read_in(directory, "sc.conf", true, &told, -EINVAL);
	assert_non_null(strstr(told.text, "users.conf: the user `alice` has the pool `gold`, and the "
					  "configuration has none of that name"));

	read_in(directory, "si.conf", true, &told, -EINVAL);
	assert_string_equal(told.text, "si.conf:2: `password-file` names alice.secret, which cannot be read: "
				       "No such file or directory\n");
	write_file(directory, "alice.secret", "geheim\n", 0640);
	read_in(directory, "si.conf", true, &told, -EINVAL);
	assert_null(strstr(told.text, "geheim"));
	write_file(directory, "alice.secret", "geheim\n", 0600);
	read_in(directory, "si.conf", true, &told, 0);
	assert_string_equal(told.text, "");
	remove_directory(directory, names);
}

/* What would only fail when somebody connects, or at the start. */
static void checks_what_the_files_say_together(void **state)
{
	static const char *const names[] = {"sc.conf", "users.conf", "c.pem", NULL};
	char directory[] = "/tmp/softwire-test-XXXXXX", text[2048];
	struct told told;

	assert_non_null(mkdtemp(directory));
	snprintf(text, sizeof(text),
		"concentrator = { network = \"trusted\"; listen = \"192.0.2.1\"; local4 = \"198.51.100.1\"; "
		"users = "
		"\"%s/users.conf\"; pools = { default = { ipv4 = \"198.51.100.0/24\"; }; };\nauth = "
		"\"eap-tls\";\neap = { "
		"certificate = \"%s/c.pem\"; key = \"%s/c.pem\"; ca = \"%s/c.pem\"; };\n};",
		directory, directory, directory, directory);
	write_file(directory, "sc.conf", text, 0644);
	write_file(directory, "c.pem", "no certificate\n", 0600);
	write_file(directory, "users.conf", "users = { alice = { }; };\n", 0600);
	read_in(directory, "sc.conf", true, &told, -EINVAL);
	assert_non_null(strstr(told.text, "sc.conf:3: `eap`: "));
	write_file(directory, "users.conf", "users = { alice = { ipv4 = \"198.51.100.1\"; }; };\n", 0600);
	read_in(directory, "sc.conf", true, &told, -EINVAL);
	assert_non_null(
		strstr(told.text, "the user `alice` has a fixed address or subnet with `local4` in it"));
	write_file(directory, "users.conf", "users = { alice = { delegate4 = \"198.51.100.0/29\"; }; };\n",
		0600);
	read_in(directory, "sc.conf", true, &told, -EINVAL);
	assert_non_null(
		strstr(told.text, "the user `alice` has a fixed address or subnet with `local4` in it"));
	remove_directory(directory, names);
}

static void guesses_what_was_meant(void **state)
{
	static const char *const words[] = {"hello", "listen", "local4", "local6", "pools", NULL};
	static const struct {
		const char *text, *meant;
	} guesses[] = {
		{"helo", "hello"},
		{"hlelo", "hello"},
		{"hello-interval", "hello"},
		{"pool", "pools"},
		{"locl6", "local6"},
		{"Listen", "listen"},
		{"completely-different", NULL},
		{"x", NULL},
		{"", NULL},
	};
	char large[5000];

	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
		const char *near = nearest_word(guesses[i].text, words);

		if (guesses[i].meant)
			assert_string_equal(near ? near : "", guesses[i].meant);
		else
			assert_null(near);
	}
	memset(large, 'a', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	assert_null(nearest_word(large, words));
}

/* So that several concentrators may have the same list. */
static void our_own_addresses_are_no_redirect(void **state)
{
	static const char text[] = CONCENTRATOR(
		"redirect = [ \"192.0.2.9\", \"192.0.2.1\", \"2001:db8::9\", \"192.0.2.1:1702\" ];");
	struct config *c = new_config();
	struct told told;
	char buf[ENDPOINT_TEXT];

	assert_int_equal(read_text(text, strlen(text), &told, c), 0);
	assert_int_equal(c->concentrator.redirect_count, 3);
	assert_string_equal(endpoint_print(&c->concentrator.redirect[0], buf), "192.0.2.9:1701");
	assert_string_equal(endpoint_print(&c->concentrator.redirect[1], buf), "[2001:db8::9]:1701");
	assert_string_equal(endpoint_print(&c->concentrator.redirect[2], buf), "192.0.2.1:1702");
	assert_string_equal(told.text, "test.conf:2: warning: `redirect` has 192.0.2.1:1702: initiators that go by RFC 3193 "
				       "understand an address without a port\n");
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_addresses_are_no_redirect),
		cmocka_unit_test(says_what_is_wrong_and_what_would_be_right),
		cmocka_unit_test(warns_of_what_is_risky_but_said),
		cmocka_unit_test(defaults_are_those_of_the_page),
		cmocka_unit_test(an_instance_has_directories_of_its_own),
		cmocka_unit_test(values_arrive_where_they_belong),
		cmocka_unit_test(servers_stand_in_order_or_in_groups),
		cmocka_unit_test(values_for_ipv4_and_authentication_arrive),
		cmocka_unit_test(leaves_the_result_alone_after_an_error),
		cmocka_unit_test(tells_lines_of_included_files),
		cmocka_unit_test(refuses_what_is_no_configuration),
		cmocka_unit_test(checks_the_files_that_are_named),
		cmocka_unit_test(checks_what_the_files_say_together),
		cmocka_unit_test(guesses_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

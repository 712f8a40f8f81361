/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reload tells, and what it takes over: two files side by side, and every key of the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/change.h"
#include "control/keys.h"

struct told {
	char text[8192];
	unsigned count;
};

static void told(void *owner, const char *sentence)
{
	struct told *t = owner;
	size_t n = strlen(t->text);

	snprintf(t->text + n, sizeof(t->text) - n, "%s\n", sentence);
	t->count++;
}

static void error(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	if (fatal)
		fail_msg("%s:%u: %s", file, line, text);
}

static struct config *read_text(const char *text)
{
	struct config *c = calloc(1, sizeof(*c));
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_non_null(c);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(config_file_read("test.conf", fd, false, error, NULL, c), 0);
	close(fd);
	return c;
}

#define SC_REST        "network = \"trusted\"; users = \"/u\"; local6 = \"2001:db8::1\"; local4 = \"198.51.100.1\"; "
#define POOL           "pools = { default = { link6 = \"2001:db8:100::/48\"; ipv4 = \"198.51.100.0/24\"; }; }; "
#define SC(text)       "concentrator = { listen = \"192.0.2.1\"; " SC_REST POOL text " };\n"
#define SC_AT(listen)  "concentrator = { " listen SC_REST POOL " };\n"
#define SC_POOLS(text) "concentrator = { listen = \"192.0.2.1\"; " SC_REST "pools = { " text " }; };\n"
#define SI(name, text)                                                                                       \
	name " = { network = \"trusted\"; server = \"sc.example.net\"; user = \"alice\"; password-file = "   \
	     "\"/p\"; " text " }; "

#define AFBR(bgp)                                                                                            \
	"afbr = { core = { address = \"2001:db8::1\"; }; bgp = { as = 65000; router-id = \"192.0.2.1\"; "    \
	"kernel = { import = { protocols = \"static\"; }; export = { }; }; " bgp " }; };"
#define NEIGHBORS(text) "neighbors = { " text " }; "
#define RR(text)        "rr = { address = \"2001:db8::2\"; " text " }; "

static const struct {
	const char *name, *old, *new, *told;
} pairs[] = {
	{"nothing", SC(""), SC("/* but words */"), ""},
	{"a default that is written", SC(""), SC("hello = 60;"), ""},
	{"one value instead of a list", SC_AT("listen = \"192.0.2.1\";"),
		SC_AT("listen = [ \"192.0.2.1:1701\" ];"), ""},
	{"a number", SC(""), SC("max-softwires = 100;"),
		"concentrator: max-softwires 60000 -> 100 (for new softwires)\n"},
	{"what counts at once", SC("hello = 0.5;"), SC("hello = 90;"), "concentrator: hello 0.5 -> 90\n"},
	{"a word of the file", SC(""), "log = \"debug\"; " SC(""), "log info -> debug\n"},
	{"addresses", SC_AT("listen = [ \"192.0.2.1\", \"2001:db8::1\" ]; max-softwires = 9;"),
		SC_AT("listen = [ \"2001:db8::1\", \"192.0.2.9:1702\" ]; max-softwires = 9;"),
		"concentrator: listen 192.0.2.1, 2001:db8::1 -> 2001:db8::1, 192.0.2.9:1702\n"},
	{"from some addresses to all", SC(""), SC_AT(""),
		"concentrator: listen 192.0.2.1 -> none: this needs a restart\n"},
	{"what needs a restart", SC(""), SC("device = \"sc7\";"),
		"concentrator: device sc0 -> sc7: this needs a restart\n"},
	{"a list of words", SC(""), SC("auth = [ \"ms-chap-v2\", \"chap\" ];"),
		"concentrator: auth chap -> ms-chap-v2, chap (for new softwires)\n"},
	{"a group", SC("hooks = { up = \"/bin/true\"; };"), SC("hooks = { down = \"/bin/true\"; };"),
		"concentrator: hooks: up /bin/true -> none\nconcentrator: hooks: down none -> /bin/true\n"},
	{"pools",
		SC_POOLS("default = { link6 = \"2001:db8:100::/48\"; }; a = { link6 = \"2001:db8:200::/48\"; "
			 "};"),
		SC_POOLS("b = { link6 = \"2001:db8:300::/48\"; }; default = { dns = \"2001:db8::5\"; link6 = "
			 "\"2001:db8:100::/48\"; };"),
		"concentrator: pool b is new\nconcentrator: pool default: dns none -> 2001:db8::5 (for new "
		"softwires)\n"
		"concentrator: pool a is gone\n"},
	{"part of a pool", SC_POOLS("default = { link6 = \"2001:db8:100::/48\"; };"),
		SC_POOLS("default = { delegate = { from = \"2001:db8:8000::/36\"; length = 56; }; };"),
		"concentrator: pool default: link6 2001:db8:100::/48 -> none (for new softwires)\n"
		"concentrator: pool default: delegate: from none -> 2001:db8:8000::/36 (for new softwires)\n"
		"concentrator: pool default: delegate: length 0 -> 56 (for new softwires)\n"},
	{"initiators", "initiator = { " SI("home", "") SI("old", "") "};",
		"initiator = { " SI("new", "") SI("home", "metric = 7; hello = 5;") "};",
		"initiator new is new\ninitiator home: metric 1024 -> 7: this needs a restart\ninitiator "
		"home: hello 60 -> 5\n"
		"initiator old is gone\n"},
	{"servers that share the load",
		"initiator = { home = { network = \"trusted\"; server = [ \"a\", \"b\", \"c\" ]; user = \"u\"; password-file = \"/p\"; }; };",
		"initiator = { home = { network = \"trusted\"; server = ( [ \"a\", \"b\" ], \"c\" ); user = \"u\"; password-file = \"/p\"; }; };",
		"initiator home: server a, b, c -> a + b, c: this needs a restart\n"},
	{"a role", SC(""), SC("") "initiator = { " SI("home", "") "};", "initiator home is new\n"},
	{"a third role", SC(""), SC("") AFBR(NEIGHBORS(RR(""))), "afbr is new: this needs a restart\n"},
	{"no third role", SC("") AFBR(NEIGHBORS(RR(""))), SC(""), "afbr is gone: this needs a restart\n"},
	{"neighbors",
		AFBR(NEIGHBORS(RR("hold-time = 30; families = [ \"ipv4\", \"ipv6\" ];") "old = { address = "
			       "\"192.0.2.7\"; };")),
		AFBR(NEIGHBORS("new = { address = \"192.0.2.7\"; };" RR("families = \"ipv4\"; import = \"a\";"))
			"policies = { a = ( { then = \"accept\"; } ); };"),
		"afbr: bgp: neighbor new is new\n"
		"afbr: bgp: neighbor rr: families ipv4, ipv6 -> ipv4 (the session is reset)\n"
		"afbr: bgp: neighbor rr: import none -> a\n"
		"afbr: bgp: neighbor rr: hold-time 30 -> 90 (for the next session)\n"
		"afbr: bgp: neighbor old is gone\n"
		"afbr: bgp: policy a is new\n"},
	{"policies",
		AFBR(NEIGHBORS(RR("")) "policies = { a = ( { then = \"accept\"; } ); b = ( { then = \"reject\"; "
				       "} ); c = ( ); };"),
		AFBR(NEIGHBORS(RR("")) "policies = { b = ( { then = \"accept\"; } ); a = { then = \"accept\"; "
				       "}; };"),
		"afbr: bgp: policy b has changed\nafbr: bgp: policy c is gone\n"},
	{"networks", AFBR(NEIGHBORS(RR("")) "networks = [ \"192.0.2.0/24\" ];"),
		AFBR(NEIGHBORS(RR("")) "networks = [ \"192.0.2.0/24\", \"2001:db8::/32\" ];"),
		"afbr: bgp: networks 192.0.2.0/24 -> 192.0.2.0/24, 2001:db8::/32\n"},
	{"tunnels, with cookies that are nobody's business",
		AFBR(NEIGHBORS(RR("")) "}; tunnels = { type = \"l2tpv3\"; session = 7; cookie = "
				       "\"00112233\"; "),
		AFBR(NEIGHBORS(RR("")) "}; tunnels = { type = \"l2tpv3\"; session = 7; cookie = "
				       "\"00112234\"; "),
		"afbr: tunnels has changed\n"},
	{"classes", AFBR(NEIGHBORS(RR("")) "}; classes = [ \"color:7\" ]; tunnels = { type = \"ipip\"; ") ,
		AFBR(NEIGHBORS(RR("")) "}; classes = [ \"65000:7\", \"color:7\" ]; tunnels = { type = \"ipip\"; "),
		"afbr: classes color:7 -> 65000:7, color:7\n"},
	{"from the kernel, into the kernel, into files",
		"afbr = { bgp = { as = 65000; router-id = \"192.0.2.1\"; neighbors = { }; kernel = { import = { "
		"protocols = [ \"static\", \"bird\" ]; }; }; }; };",
		"afbr = { bgp = { as = 65000; router-id = \"192.0.2.1\"; neighbors = { }; kernel = { import = { "
		"protocols = \"77\"; tables = [ 254, 100 ]; }; export = { }; }; mrt = { updates = true; }; }; };",
		"afbr: bgp: kernel: import: protocols static, bird -> 77\n"
		"afbr: bgp: kernel: import: tables 254 -> 254, 100\n"
		"afbr: bgp: kernel: export is new\n"
		"afbr: bgp: mrt: updates false -> true\n"},
	{"the other role", SC("") "initiator = { " SI("home", "") "};", "initiator = { " SI("home", "") "};",
		"concentrator is gone: this needs a restart\n"},
};

static void differences_are_told_one_by_one(void **state)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct config *old = read_text(pairs[i].old), *new = read_text(pairs[i].new);
		struct told t = {0};

		assert_int_equal(config_change(old, new, told, &t), *pairs[i].told != '\0');
		if (strcmp(t.text, pairs[i].told) != 0)
			fail_msg("%s:\n%sinstead of\n%s", pairs[i].name, t.text, pairs[i].told);
		config_free(old);
		config_free(new);
	}
}

static void what_needs_a_restart_is_taken_back(void **state)
{
	struct config *old = read_text(SC("") "initiator = { " SI("home", "") "};");
	struct config *new =
		read_text(SC("device = \"sc7\"; hello = 7;") "user = \"daemon\"; initiator = { " SI(
			"home", "auth = [ \"ms-chap-v2\" ]; lan = [ \"eth1\", \"eth2\" ]; hello = 8;") "};");
	struct told t = {0};

	assert_true(config_change(old, new, told, &t));
	assert_string_equal(new->concentrator.device, "sc0");
	assert_int_equal(new->concentrator.hello_ms, 7000);
	assert_string_equal(new->user, "");
	assert_int_equal(new->initiators[0].auth, old->initiators[0].auth);
	assert_int_equal(new->initiators[0].lan_count, 0);
	assert_int_equal(new->initiators[0].hello_ms, 8000);
	t = (struct told){0};
	assert_true(config_change(old, new, told, &t));
	assert_string_equal(t.text, "concentrator: hello 60 -> 7\ninitiator home: hello 60 -> 8\n");
	assert_false(config_change(new, new, told, &t));
	free(old);
	free(new);
}

/* It goes, and there is nothing left that could be stopped. */
static void a_role_that_needs_a_restart_stays_as_it_was(void **state)
{
	struct config *old = read_text(SC("") "initiator = { " SI("home", "") "};"),
		      *new = read_text("initiator = { " SI("home", "") "};");
	struct told t = {0};

	assert_true(config_change(old, new, told, &t));
	assert_true(new->concentrator.present);
	assert_string_equal(new->concentrator.device, "sc0");
	free(old);
	free(new);
}

/* Who is internal follows from our AS, and so on: of the mesh nothing is taken over then. */
static void a_mesh_that_needs_a_restart_stays_as_it_was(void **state)
{
	struct config *old = read_text(AFBR(NEIGHBORS(RR("")))),
		      *new = read_text("afbr = { bgp = { as = 65001; router-id = \"192.0.2.1\"; neighbors = { "
				       "ce = { address = \"192.0.2.7\"; }; }; }; };"),
		      *gone = read_text(SC(""));
	struct told t = {0};

	assert_true(config_change(old, new, told, &t));
	assert_non_null(strstr(t.text, "afbr: bgp: as 65000 -> 65001: this needs a restart\n"));
	assert_non_null(strstr(t.text, "afbr stays as it was, all of it, until that restart\n"));
	assert_ptr_equal(new->afbr, old->afbr);
	assert_int_equal(old->afbr->refs, 2);
	assert_true(config_change(old, gone, told, &t));
	assert_ptr_equal(gone->afbr, old->afbr);
	assert_false(config_change(gone, new, told, &t));
	config_free(old);
	assert_string_equal(new->afbr->neighbors[0].name, "rr");
	config_free(new);
	config_free(gone);
}

/* ---- every key ---- */

static const char everything[] =
	SC("redirect = \"192.0.2.9\";") "initiator = { " SI("home", "") "}; " AFBR(NEIGHBORS(RR("")));

/* The way from the file to a section: groups, and of named ones the first member. */
struct way {
	const struct way *before;
	const struct config_key *through;
};

static char *follow(const struct way *w, const struct config *c)
{
	return w ? config_place(w->through, follow(w->before, c)) : (char *)c;
}

/* Another value of its type. */
static void alter(const struct config_key *k, char *into)
{
	bool is_addr = k->type == TYPE_PARSED && k->size >= sizeof(struct addr);
	char *at = config_place(k, into);
	unsigned one = 1;
	uint8_t byte;

	if (k->heap && !at) {
		at = calloc(1, k->size);
		assert_non_null(at);
		memcpy(into + k->offset, (const void *)&at, sizeof(at));
	}
	memcpy(&byte, at, 1);
	switch (is_addr ? TYPE_ADDR : k->type) {
	case TYPE_BOOL:
	case TYPE_WORD:
		byte = !byte;
		memcpy(at, &byte, 1);
		break;
	case TYPE_UINT:
	case TYPE_PARSED:
		byte++;
		memcpy(at, &byte, 1);
		break;
	case TYPE_SET:
		byte ^= 3;
		memcpy(at, &byte, 1);
		break;
	case TYPE_SECONDS:
		byte ^= 0xff;
		memcpy(at, &byte, 1);
		break;
	case TYPE_ADDR:
	case TYPE_ADDR4:
	case TYPE_ADDR6:
	case TYPE_ENDPOINT:
	case TYPE_PREFIX4:
	case TYPE_PREFIX6:
		at[0] = AF_INET6;
		at[1] ^= 0x20;
		break;
	default:
		snprintf(at, k->size, "%s", strcmp(at, "x") ? "x" : "y");
	}
	if (k->count_max)
		memcpy(into + k->count_offset, &one, sizeof(one));
}

static bool says(const struct told *t, const char *what)
{
	return strstr(t->text, what) != NULL;
}

static void check_key(const struct config *base, const struct config_section *section,
	const struct config_key *k, const struct way *way)
{
	struct config *new = read_text(everything);
	enum config_effect effect = config_effect_of(section, k);
	size_t elements = k->count_max ? k->count_max : 1;
	unsigned sentences = 1;
	struct told t = {0};

	alter(k, follow(way, new));
	if (!config_change(base, new, told, &t))
		fail_msg("`%s` of %s is not told", k->name, section->title);
	if (effect == EFFECT_RESTART && says(&t, "afbr: "))
		sentences++; /* that it stays as it was */
	if (t.count != sentences || !says(&t, k->name))
		fail_msg("`%s` of %s: \"%s\"", k->name, section->title, t.text);
	assert_int_equal(says(&t, "needs a restart"), effect == EFFECT_RESTART);
	assert_int_equal(says(&t, "for new softwires"), effect == EFFECT_NEW);
	assert_int_equal(says(&t, "the session is reset"), effect == EFFECT_RESET);
	assert_int_equal(says(&t, "for the next session"), effect == EFFECT_SESSION);
	if (effect == EFFECT_RESTART) {
		assert_false(k->heap);
		assert_memory_equal(
			follow(way, new) + k->offset, follow(way, base) + k->offset, elements * k->size);
	}
	config_free(new);
}

static void check_section(const struct config *base, const struct config_section *section,
	const struct way *way, unsigned *count)
{
	for (unsigned i = 0; i < section->count; i++) {
		const struct config_key *k = &section->keys[i];
		struct way further = {way, k};

		if (k->type == TYPE_ROWS || k->type == TYPE_TABLES)
			continue; /* told as a whole: pairs[] */
		if (k->section)
			check_section(base, k->section, &further, count);
		else if (k->type != TYPE_ABSENT) {
			check_key(base, section, k, way);
			++*count;
		}
	}
}

static void no_key_is_forgotten(void **state)
{
	struct config *base = read_text(everything);
	unsigned count = 0;

	check_section(base, &config_file_section, NULL, &count);
	assert_true(count > 160);
	config_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_are_told_one_by_one),
		cmocka_unit_test(what_needs_a_restart_is_taken_back),
		cmocka_unit_test(a_role_that_needs_a_restart_stays_as_it_was),
		cmocka_unit_test(a_mesh_that_needs_a_restart_stays_as_it_was),
		cmocka_unit_test(no_key_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

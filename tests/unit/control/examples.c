/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files in examples/, and the examples of the manual and of README.md, are good, without a warning, and mean what their comments say. */
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

#include "aaa/aaa.h"
#include "control/config.h"

static void tell(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	fail_msg("%s:%u: %s", file, line, text);
}

static struct config *read_example(const char *name)
{
	struct config *c = calloc(1, sizeof(*c));
	char path[4096];

	assert_non_null(c);
	snprintf(path, sizeof(path), "%s/examples/%s", SOURCE_ROOT, name);
	assert_int_equal(config_file_read(path, -1, false, tell, NULL, c), 0);
	return c;
}

static void expect_addr(const struct addr *a, const char *text)
{
	char printed[ADDR_TEXT];

	assert_string_equal(addr_print(a, printed), text);
}

static void expect_prefix(const struct prefix *p, const char *text)
{
	char printed[PREFIX_TEXT];

	assert_string_equal(prefix_print(p, printed), text);
}

static void concentrator_example(void **state)
{
	struct config *c = read_example("concentrator.conf");
	const struct concentrator_config *con = &c->concentrator;
	const struct concentrator_pool_config *pool = con->pools;

	assert_true(con->present);
	assert_int_equal(c->initiator_count, 0);
	assert_int_equal(con->listen_count, 1);
	expect_addr(&con->listen[0].addr, "192.0.2.1");
	assert_true(con->trusted_network);
	expect_addr(&con->local6, "2001:db8::1");
	assert_string_equal(con->users_path, "/etc/softwire/users.conf");
	assert_int_equal(con->pool_count, 2);
	assert_string_equal(pool[0].lease.name, "default");
	expect_prefix(&pool[0].lease.link6, "2001:db8:100::/48");
	expect_prefix(&pool[0].lease.delegate_from, "2001:db8:8000::/36");
	assert_int_equal(pool[0].lease.delegate_len, 56);
	assert_int_equal(pool[0].dns_count, 2);
	expect_addr(&pool[0].dns[1], "198.51.100.53");
	expect_addr(&con->local4, "198.51.100.1");
	expect_prefix(&pool[0].lease.ipv4, "198.51.100.0/24");
	expect_prefix(&pool[0].lease.delegate4_from, "203.0.113.0/24");
	assert_int_equal(pool[0].lease.delegate4_len, 29);
	assert_int_equal(con->auth[1], PPP_METHOD_MSCHAPV2);
	assert_string_equal(pool[1].lease.name, "hosts");
	assert_true(prefix_is_none(&pool[1].lease.delegate_from));
	assert_int_equal(pool[1].dns_count, 1);
	config_free(c);
}

static void initiator_example(void **state)
{
	struct config *c = read_example("initiator.conf");
	const struct initiator_config *i = c->initiators;

	assert_false(c->concentrator.present);
	assert_int_equal(c->initiator_count, 1);
	assert_string_equal(i->name, "home");
	assert_int_equal(i->server_count, 2);
	assert_string_equal(i->servers[1], "sc2.example.net");
	assert_string_equal(i->user, "alice");
	assert_string_equal(i->password_path, "/etc/softwire/alice.secret");
	assert_true(i->trusted_network && i->want_prefix && i->default_route);
	assert_string_equal(i->lans[0], "eth1");
	assert_int_equal(i->metric, 1024);
	config_free(c);
}

static void mesh_example(void **state)
{
	struct config *c = read_example("mesh.conf");
	const struct afbr_config *a = c->afbr;
	const struct bgp_neighbor_config *ce;
	const struct policy_rule *rule;

	assert_non_null(a);
	assert_false(c->concentrator.present);
	expect_addr(&a->core, "2001:db8:ffff::1");
	assert_int_equal(a->core_interface_count, 2);
	expect_prefix(&a->endpoints[0], "2001:db8:ffff::/64");
	assert_string_equal(a->client_interfaces[1], "ce1");
	assert_true(a->filter);
	expect_addr(&a->local4, "203.0.113.1");
	assert_int_equal(a->accept_count, 3);
	assert_int_equal(a->accept[0], AFBR_ACCEPT_L2TPV3);
	assert_int_equal(a->roll_interval, 86400000);
	assert_int_equal(a->rule_count, 3);
	assert_true(a->rules[0].classes[0].is_color && a->rules[0].use[0] == AFBR_USE_L2TPV3);
	assert_true(a->rules[1].dscp == (1ull << 46 | 1ull << 44) && a->rules[1].outer_dscp == 46);
	assert_int_equal(a->rules[2].use_count, 3);
	assert_int_equal(a->slot_count, 2);
	assert_int_equal(a->classes.color_count, 1);
	assert_int_equal(a->id, 0x0a000001);
	assert_int_equal(a->neighbor_count, 3);
	assert_true(a->neighbors[0].next_hop_self && a->neighbors[0].as == 65000);
	assert_int_equal(a->neighbors[1].families, BGP_FAMILY_BIT(BGP_IPV4));
	ce = &a->neighbors[2];
	assert_string_equal(ce->name, "ce1");
	assert_int_equal(ce->ttl_security, 1);
	assert_int_equal(ce->limits[BGP_IPV4].max_prefix, 100);
	assert_int_equal(ce->max_prefix_restart, 300000);
	assert_string_equal(ce->import_policy->name, "from-ce1");
	rule = ce->import_policy->rules;
	assert_int_equal(ce->import_policy->rule_count, 1);
	assert_true(rule->prefixes[0].min == 22 && rule->prefixes[0].max == 24);
	assert_true(rule->as_path[0].first && rule->as_path[0].last && rule->as_path[0].as == 64512);
	assert_true(rule->clear_communities && rule->add[0] == (65000u << 16 | 1) && rule->local_pref == 200);
	assert_int_equal(a->import.protocols[0], 4);
	assert_string_equal(a->import.policy, "static");
	assert_int_equal(a->export.families, BGP_FAMILY_BIT(BGP_IPV4));
	assert_true(a->mrt.updates && a->mrt.keep == 48);
	config_free(c);
}

static void reflector_example(void **state)
{
	struct config *c = read_example("reflector.conf");
	const struct afbr_config *a = c->afbr;

	assert_non_null(a);
	assert_int_equal(a->cluster_id, 0x0a0000ff);
	assert_false(a->check_next_hops);
	assert_int_equal(a->neighbor_count, 3);
	assert_true(a->neighbors[0].client && a->neighbors[1].client && !a->neighbors[2].client);
	assert_int_equal(a->neighbors[0].families, BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6_ENCAP));
	assert_int_equal(a->neighbors[1].tunnel_way, BGP_TUNNEL_ONE);
	assert_false(a->neighbors[0].next_hop_self || a->neighbors[0].next_hop_self_all);
	config_free(c);
}

/* ---- in documents ---- */

static void tell_where(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	fail_msg("%s, line %u of the example that begins \"%.40s\": %s", file, line, (const char *)owner,
		text);
}

static bool is_configuration(const char *text)
{
	static const char *const groups[] = {"afbr = {", "concentrator = {", "initiator = {"};

	for (unsigned i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (!strncmp(text, groups[i], strlen(groups[i])))
			return true;
	return false;
}

/* Each example of FILE, which stand between lines BEGIN and END; how many. */
static unsigned check_document(const char *file, const char *begin, const char *end)
{
	static char text[262144];
	char path[4096], *at = text, *rest;
	unsigned count = 0;
	FILE *f;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", SOURCE_ROOT, file);
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = 0;
	while ((at = strstr(at, begin))) {
		struct config *c = calloc(1, sizeof(*c));
		int fd = memfd_create("example", MFD_CLOEXEC);

		at += strlen(begin);
		rest = strstr(at, end);
		assert_non_null(rest);
		assert_non_null(c);
		if (is_configuration(at)) {
			assert_int_equal(write(fd, at, (size_t)(rest - at)), rest - at);
			assert_int_equal(config_file_read(file, fd, false, tell_where, at, c), 0);
			count++;
		}
		config_free(c);
		close(fd);
		at = rest + 1;
	}
	return count;
}

static void examples_in_documents(void **state)
{
	assert_true(
		check_document("doc/man/softwired.conf.5", ".Bd -literal -offset indent\n", "\n.Ed") >= 6);
	assert_int_equal(check_document("README.md", "\n```\n", "\n```\n"), 4);
	assert_int_equal(check_document("doc/mesh.md", "\n```\n", "\n```\n"), 1);
}

static void users_error(void *owner, const char *file, unsigned line, const char *text)
{
	fail_msg("%s:%u: %s", file, line, text);
}

/* In the tree everybody can read it, as an example may be; in use that would be an error. */
static void users_example(void **state)
{
	int fd = memfd_create("users", MFD_CLOEXEC);
	struct aaa *a = aaa_new(NULL);
	FILE *f = fopen(SOURCE_ROOT "/examples/users.conf", "r");
	char text[8192];
	size_t len;

	assert_non_null(f);
	assert_true(fd >= 0);
	assert_non_null(a);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(aaa_load_users(a, fd, "examples/users.conf", users_error, NULL), 0);
	assert_int_equal(aaa_user_count(a), 4);
	aaa_free(a);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(concentrator_example),
		cmocka_unit_test(initiator_example),
		cmocka_unit_test(mesh_example),
		cmocka_unit_test(reflector_example),
		cmocka_unit_test(examples_in_documents),
		cmocka_unit_test(users_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files in examples/ are good, without a warning, and mean what their comments say. */
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
	free(c);
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
	free(c);
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
		cmocka_unit_test(users_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

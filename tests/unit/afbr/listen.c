/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is let in, and what the log says of the others. */
#include "engine.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void the_sockets_are_those_of_the_configuration(void **state)
{
	struct afbr_config *c = afbr_config_new();
	struct endpoint e;

	assert_false(listen_wanted(c, 0, &e)); /* port 0: it does not listen */
	c->port = 179;
	assert_true(listen_wanted(c, 0, &e));
	assert_true(e.addr.family == AF_INET6 && addr_is_unspecified(&e.addr) && e.port == 179);
	assert_true(listen_wanted(c, 1, &e));
	assert_true(e.addr.family == AF_INET && addr_is_unspecified(&e.addr) && e.port == 179);
	assert_false(listen_wanted(c, 2, &e));
	c->listen_count = 1;
	c->listen[0] = addr4(192, 0, 2, 1);
	assert_true(listen_wanted(c, 0, &e));
	assert_true(addr_equal(&e.addr, &c->listen[0]));
	assert_false(listen_wanted(c, 1, &e));
	afbr_config_unref(c);
}

/* The peer sees the end of a connection that was closed at once. */
static bool is_ended(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

static int dial(struct stage *s, const struct endpoint *at, const char *from, int ttl)
{
	int fd = stage_dial(at, from, ttl);

	assert_true(fd >= 0);
	stage_turns(s, 3);
	return fd;
}

static void strangers_are_closed_at_once_and_told_with_what_would_be_right(void **state)
{
	struct stage *s = stage_new();
	struct endpoint at;
	char text[LOGGED];
	int fd;

	stage_listen(s, "127.0.0.1", &at);
	stage_neighbor(s, "ce1", "127.0.0.2", 65001);
	stage_neighbor(s, "ce2", "2001:db8::2", 65002);
	fd = dial(s, &at, "127.0.0.3", 0);
	assert_true(is_ended(fd));
	close(fd);
	assert_int_equal(s->role.counters.strangers, 1);
	assert_int_equal(s->bgp.connection_count, 0);
	assert_non_null(
		strstr(stage_log(s, text), "event=bgp-stranger address=127.0.0.3 local=127.0.0.1 reason="));
	assert_non_null(strstr(text, "neighbors=\"127.0.0.2 (ce1)\""));
	for (int i = 0; i < 20; i++)
		close(dial(s, &at, "127.0.0.3", 0));
	assert_int_equal(s->role.counters.strangers, 21);
	stage_log(s, text);
	for (int lines = 0; lines < 7; lines++) { /* a few, and then no more */
		char *line = strstr(text, "bgp-stranger");

		if (!line)
			break;
		*line = '-';
		assert_true(lines < 6);
	}
	stage_free(s);
}

static void a_neighbour_is_let_in_if_the_engine_wants_it(void **state)
{
	struct stage *s = stage_new();
	struct endpoint at;
	struct bgp_neighbor *n;
	int fd;

	stage_listen(s, "::1", &at);
	n = stage_neighbor(s, "ce1", "::1", 65001);
	n->refuses = true;
	fd = dial(s, &at, "::1", 0);
	assert_true(is_ended(fd));
	close(fd);
	assert_int_equal(s->role.counters.unwanted, 1);
	n->refuses = false;
	fd = dial(s, &at, "::1", 0);
	assert_false(is_ended(fd));
	assert_int_equal(s->role.counters.accepts, 1);
	assert_true(s->bgp.connections[0].up && s->bgp.connections[0].incoming);
	assert_true(addr_equal(&s->bgp.connections[0].remote.addr, &n->config.address));
	close(fd);
	stage_free(s);
}

/* proves: SEC-CTRL-3 partial */
static void who_comes_from_farther_than_it_may_is_refused(void **state)
{
	struct stage *s = stage_new();
	struct endpoint at;
	struct bgp_neighbor *n;
	char text[LOGGED];
	int fd;

	stage_listen(s, "127.0.0.1", &at);
	n = stage_neighbor(s, "ce1", "127.0.0.2", 65001);
	n->config.ttl_security = 2;
	fd = dial(s, &at, "127.0.0.2", 253);
	assert_true(is_ended(fd));
	close(fd);
	assert_int_equal(s->role.counters.too_far, 1);
	assert_non_null(strstr(
		stage_log(s, text), "event=bgp-refused neighbor=ce1 address=127.0.0.2 from=127.0.0.2:"));
	assert_non_null(strstr(text, "ttl-security"));
	fd = dial(s, &at, "127.0.0.2", 254);
	assert_false(is_ended(fd));
	assert_int_equal(s->role.counters.accepts, 1);
	close(fd);
	stage_free(s);
}

static void without_its_key_a_neighbour_with_a_password_is_refused(void **state)
{
	struct stage *s = stage_new();
	struct endpoint at;
	struct bgp_neighbor *n;
	int fd;

	stage_listen(s, "127.0.0.1", &at);
	n = stage_neighbor(s, "ce1", "127.0.0.2", 65001);
	s->role.peers[bgp_neighbor_source(n)].unprotected = true;
	fd = dial(s, &at, "127.0.0.2", 0);
	assert_true(is_ended(fd));
	close(fd);
	assert_int_equal(s->role.counters.unprotected, 1);
	assert_int_equal(s->bgp.connection_count, 0);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sockets_are_those_of_the_configuration),
		cmocka_unit_test(strangers_are_closed_at_once_and_told_with_what_would_be_right),
		cmocka_unit_test(a_neighbour_is_let_in_if_the_engine_wants_it),
		cmocka_unit_test(who_comes_from_farther_than_it_may_is_refused),
		cmocka_unit_test(without_its_key_a_neighbour_with_a_password_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

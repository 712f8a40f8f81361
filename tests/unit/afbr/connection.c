/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP connections under an engine that only notes down: what comes, what goes, how they end. */
#include "engine.h"

#include "../netlink/namespace.h"
#include "afbr/nexthops.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
	struct stage *s;
	struct endpoint at;
	struct bgp_neighbor *n;
	struct bgp_connection *c;
	int peer; /* the other end */
};

static bool is_up(void *arg)
{
	const struct scene *x = arg;

	return x->s->bgp.connection_count && x->s->bgp.connections[x->s->bgp.connection_count - 1].up;
}

/* A neighbour that has connected. */
static struct scene scene_new(const char *address)
{
	struct scene x = {.s = stage_new()};

	stage_listen(x.s, address, &x.at);
	x.n = stage_neighbor(x.s, "ce1", address, 65000);
	x.peer = stage_dial(&x.at, address, 0);
	assert_true(x.peer >= 0);
	assert_true(stage_run(x.s, is_up, &x));
	x.c = &x.s->bgp.connections[0];
	return x;
}

static void scene_end(struct scene *x)
{
	close(x->peer);
	stage_free(x->s);
}

static bool is_closed(void *arg)
{
	return ((struct scene *)arg)->c->closed;
}

static bool role_is_empty(void *arg)
{
	return !((struct scene *)arg)->s->role.connections;
}

/* ---- reading ---- */

static bool has_all(void *arg)
{
	return ((struct scene *)arg)->c->got_len == 3 * (size_t)MESSAGE;
}

static void messages_are_put_together_wherever_they_are_split(void **state)
{
	for (size_t at = 1; at < 3 * MESSAGE; at += 13) {
		struct scene x = scene_new("127.0.0.1");
		uint8_t bytes[3 * MESSAGE];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = stage_byte(i);
		assert_int_equal(send(x.peer, bytes, at, 0), at);
		stage_turns(x.s, 3);
		assert_int_equal(x.c->got_len, at / MESSAGE * MESSAGE);
		assert_int_equal(send(x.peer, bytes + at, sizeof(bytes) - at, 0), sizeof(bytes) - at);
		assert_true(stage_run(x.s, has_all, &x));
		assert_memory_equal(x.c->got, bytes, sizeof(bytes));
		scene_end(&x);
	}
}

static void what_came_before_the_end_is_handed_in_before_it(void **state)
{
	struct scene x = scene_new("127.0.0.1");
	uint8_t bytes[2 * MESSAGE + 7] = {1};

	assert_int_equal(send(x.peer, bytes, sizeof(bytes), 0), sizeof(bytes));
	shutdown(x.peer, SHUT_WR);
	assert_true(stage_run(x.s, is_closed, &x));
	assert_int_equal(x.c->got_len, 2 * MESSAGE);
	assert_string_equal(x.c->why, "the peer closed the connection");
	assert_true(stage_run(x.s, role_is_empty, &x));
	scene_end(&x);
}

/* The socket refuses our bytes, and has the peer's last ones still in it. */
static void a_connection_that_cannot_be_written_to_is_read_to_its_end(void **state)
{
	struct scene x = scene_new("127.0.0.1");
	struct linger now = {1, 0};
	uint8_t bytes[MESSAGE] = {1};

	assert_int_equal(send(x.peer, bytes, sizeof(bytes), 0), sizeof(bytes));
	setsockopt(x.peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(x.peer); /* a reset */
	x.c->to_send = 10;
	connection_wake(&x.s->bgp, x.c);
	assert_true(stage_run(x.s, is_closed, &x));
	assert_true(*x.c->why);
	x.peer = -1;
	assert_true(stage_run(x.s, role_is_empty, &x));
	scene_end(&x);
}

static void fill(int fd)
{
	static const uint8_t bytes[65536];

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (send(fd, bytes, sizeof(bytes), 0) > 0)
		continue;
}

/* A neighbour whose messages take us long sends more of them than we can take; another one sends one. */
static void one_neighbour_with_a_million_routes_leaves_the_others_their_turns(void **state)
{
	struct scene x = scene_new("127.0.0.1");
	struct bgp_connection *other;
	uint8_t bytes[MESSAGE] = {1};
	uint64_t begun;
	int quiet;

	stage_neighbor(x.s, "ce2", "127.0.0.2", 65000);
	quiet = stage_dial(&x.at, "127.0.0.2", 0);
	assert_true(stage_run(x.s, is_up, &x));
	other = &x.s->bgp.connections[1];
	x.c->input_us = 3000; /* more than a slice */
	fill(x.peer);
	assert_int_equal(send(quiet, bytes, sizeof(bytes), 0), sizeof(bytes));
	begun = x.s->bgp.inputs;
	while (!other->got_len && x.s->bgp.inputs < begun + 10)
		stage_turns(x.s, 1);
	assert_int_equal(other->got_len, MESSAGE);
	assert_true(other->first_input <= begun + 3);
	close(quiet);
	scene_end(&x);
}

/* The engine's hold timer counts on it. */
static void every_connection_is_read_from_in_every_turn(void **state)
{
	struct scene x = scene_new("127.0.0.1");
	uint64_t before;

	x.c->input_us = 3000;
	fill(x.peer);
	stage_turns(x.s, 1);
	for (int i = 0; i < 5; i++) {
		before = x.c->last_input;
		stage_turns(x.s, 1);
		assert_true(x.c->last_input == before + 1);
	}
	scene_end(&x);
}

enum { CROWD = 8 };

/* As many neighbours as there is room for, all connected. */
static struct scene crowd_new(int peers[CROWD])
{
	struct scene x = {.s = stage_new(), .peer = -1};
	char address[32], name[16];

	stage_listen(x.s, "127.0.0.1", &x.at);
	for (unsigned i = 0; i < CROWD; i++) {
		snprintf(address, sizeof(address), "127.0.0.%u", i + 1);
		snprintf(name, sizeof(name), "ce%u", i + 1);
		stage_neighbor(x.s, name, address, 65000);
		peers[i] = stage_dial(&x.at, address, 0);
		assert_true(peers[i] >= 0);
		assert_true(stage_run(x.s, is_up, &x));
	}
	assert_int_equal(x.s->bgp.connection_count, CROWD);
	return x;
}

static void crowd_end(struct scene *x, const int peers[CROWD])
{
	for (unsigned i = 0; i < CROWD; i++)
		close(peers[i]);
	scene_end(x);
}

/* After a start all of them tell their tables at once; the rest of the daemon wants its turns, too. */
static void many_neighbours_that_tell_much_share_a_turn(void **state)
{
	int peers[CROWD];
	struct scene x = crowd_new(peers);
	size_t before = 0, after = 0;

	for (unsigned i = 0; i < CROWD; i++) {
		x.s->bgp.connections[i].input_us = 300;
		fill(peers[i]);
	}
	stage_turns(x.s, 1); /* now it is known how many they are */
	for (unsigned i = 0; i < CROWD; i++)
		before += x.s->bgp.connections[i].got_len;
	stage_turns(x.s, 1);
	for (unsigned i = 0; i < CROWD; i++) {
		after += x.s->bgp.connections[i].got_len;
		assert_true(x.s->bgp.connections[i].last_input > x.s->bgp.inputs - CROWD);
	}
	assert_in_range(after - before, CROWD * 4000, 65536 + CROWD * MESSAGE);
	crowd_end(&x, peers);
}

static void many_neighbours_that_are_told_much_take_turns(void **state)
{
	int peers[CROWD];
	struct scene x = crowd_new(peers);
	unsigned outputs = 0;

	for (unsigned i = 0; i < CROWD; i++) {
		x.s->bgp.connections[i].output_us = 3000; /* more than a slice */
		x.s->bgp.connections[i].to_send = 100 << 10;
		connection_wake(&x.s->bgp, &x.s->bgp.connections[i]);
	}
	for (unsigned turn = 1; turn <= CROWD; turn++) {
		stage_turns(x.s, 1);
		outputs = 0;
		for (unsigned i = 0; i < CROWD; i++)
			outputs += x.s->bgp.connections[i].outputs;
		assert_int_equal(outputs, turn);
	}
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(x.s->bgp.connections[i].outputs, 1);
	crowd_end(&x, peers);
}

/* It was there before the connection, but the loop hears of the new one first. */
static void what_was_said_on_an_older_connection_comes_before_a_new_one(void **state)
{
	struct scene x = scene_new("127.0.0.1");
	uint8_t bytes[MESSAGE] = {1};
	int again = stage_dial(&x.at, "127.0.0.1", 0);

	assert_true(again >= 0);
	assert_int_equal(send(x.peer, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_true(stage_run(x.s, is_up, &x));
	stage_turns(x.s, 2);
	assert_int_equal(x.s->bgp.connection_count, 2);
	assert_int_equal(x.s->bgp.connections[1].inputs_before, 1);
	close(again);
	scene_end(&x);
}

/* ---- writing ---- */

static size_t read_and_compare(int fd, size_t at, size_t max)
{
	uint8_t bytes[65536];
	ssize_t n = recv(fd, bytes, max < sizeof(bytes) ? max : sizeof(bytes), MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(bytes[i], stage_byte(at + (size_t)i));
	return n < 0 ? 0 : (size_t)n;
}

static void a_slow_reader_gets_every_byte_and_costs_one_buffer(void **state)
{
	enum { ALL = 20 << 20 };
	struct scene x = scene_new("127.0.0.1");
	size_t got = 0, made;

	x.c->to_send = ALL;
	connection_wake(&x.s->bgp, x.c);
	stage_turns(x.s, 200);
	made = x.c->sent;
	assert_true(made < ALL); /* it is made when the socket takes it */
	stage_turns(x.s, 50);
	assert_int_equal(x.c->sent, made);
	for (unsigned i = 0; i < 1000000 && got < ALL; i++) {
		got += read_and_compare(x.peer, got, 50000);
		stage_turns(x.s, 1);
	}
	assert_int_equal(got, ALL);
	assert_int_equal(x.s->role.counters.bytes_out, ALL);
	scene_end(&x);
}

/* ---- the end ---- */

static void say_x(int fd)
{
	uint8_t bytes[MESSAGE] = {'x'};

	assert_int_equal(send(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
}

static size_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < size) {
		n = recv(fd, text + len, size - len, 0);
		if (n > 0)
			len += (size_t)n;
	}
	assert_int_equal(n, 0); /* an end, and no reset */
	return len;
}

static void set_timeout(int fd)
{
	struct timeval t = {5, 0};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
}

/* Bytes of the peer that nobody reads would make a reset of the end, which destroys what is on its way. */
static void last_words_arrive_at_a_peer_that_is_still_sending(void **state)
{
	struct scene x = scene_new("127.0.0.1");
	uint8_t more[4 * MESSAGE] = {1};
	char text[64] = "";

	x.c->last_words = "because";
	say_x(x.peer);
	assert_int_equal(send(x.peer, more, sizeof(more), 0), sizeof(more));
	assert_true(stage_run(x.s, is_closed, &x));
	assert_int_equal(send(x.peer, more, sizeof(more), MSG_NOSIGNAL), sizeof(more));
	stage_turns(x.s, 5);
	set_timeout(x.peer);
	assert_int_equal(read_all(x.peer, text, sizeof(text)), 7);
	assert_memory_equal(text, "because", 7);
	close(x.peer);
	x.peer = -1;
	assert_true(stage_run(x.s, role_is_empty, &x));
	scene_end(&x);
}

/* In the middle of what it was being told. */
static void last_words_stand_behind_what_was_begun(void **state)
{
	enum { ALL = 8 << 20 };
	struct scene x = scene_new("127.0.0.1");
	char last[64] = "";
	size_t got = 0, n, all;

	x.c->to_send = ALL;
	x.c->last_words = "because";
	connection_wake(&x.s->bgp, x.c);
	stage_turns(x.s, 100);
	say_x(x.peer);
	assert_true(stage_run(x.s, is_closed, &x));
	all = x.c->sent;
	for (unsigned i = 0; i < 100000 && got < all; i++) {
		n = read_and_compare(x.peer, got, all - got);
		got += n;
		stage_turns(x.s, 1);
	}
	assert_int_equal(got, all);
	stage_turns(x.s, 5);
	set_timeout(x.peer);
	assert_int_equal(read_all(x.peer, last, sizeof(last)), 7);
	assert_memory_equal(last, "because", 7);
	scene_end(&x);
}

static bool gone;

static void note_gone(struct afbr *a)
{
	gone = true;
}

static bool is_gone(void *arg)
{
	return gone;
}

static void a_peer_that_never_ends_is_waited_for_two_seconds(void **state)
{
	struct scene x = scene_new("127.0.0.1");
	msec begun = loop_clock();

	gone = false;
	x.c->last_words = "because";
	say_x(x.peer);
	assert_true(stage_run(x.s, is_closed, &x));
	connection_drain(&x.s->role, note_gone);
	assert_false(gone);
	assert_true(stage_run(x.s, is_gone, NULL));
	assert_true(loop_clock() - begun >= 1900);
	gone = false;
	connection_drain(&x.s->role, note_gone);
	assert_true(gone);
	scene_end(&x);
}

/* ---- connecting ---- */

static void dial(struct scene *x, uint16_t port)
{
	x->n->config.port = port;
	x->c = stage_connection(x->n);
	x->s->bgp.inside = true;
	connection_connect(&x->s->bgp, x->c);
	x->s->bgp.inside = false;
}

static bool tried(void *arg)
{
	const struct scene *x = arg;

	return x->c->up || x->c->closed;
}

static void connects_from_the_local_address_and_marks_its_packets(void **state)
{
	struct scene x = {.s = stage_new(), .peer = -1};
	struct endpoint at, nowhere = {0};
	struct sockaddr_in sa = {0};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd,
				 (struct sockaddr *)&(struct sockaddr_in){
					 .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)},
				 sizeof(sa)),
		0);
	listen(fd, 1);
	getsockname(fd, (struct sockaddr *)&sa, &len);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&sa, &at), 0);
	x.n = stage_neighbor(x.s, "ce1", "127.0.0.1", 65001);
	assert_int_equal(addr_parse("127.0.0.7", &x.n->config.local_address), 0);
	dial(&x, at.port);
	assert_true(stage_run(x.s, tried, &x));
	assert_true(x.c->up);
	assert_true(addr_equal(&x.c->local.addr, &x.n->config.local_address));
	assert_true(endpoint_equal(&x.c->remote, &at));
	/* Nobody is there. */
	close(fd);
	dial(&x, 1);
	assert_true(stage_run(x.s, tried, &x));
	assert_string_equal(x.c->why, strerror(ECONNREFUSED));
	/* An address that is not ours. */
	assert_int_equal(addr_parse("192.0.2.77", &x.n->config.local_address), 0);
	dial(&x, at.port);
	assert_false(x.c->closed); /* not from inside */
	assert_true(stage_run(x.s, tried, &x));
	assert_string_equal(x.c->why, "no interface has the local address 192.0.2.77");
	/* No such interface. */
	x.n->config.local_address = nowhere.addr;
	strcpy(x.n->config.interface, "ce-none");
	dial(&x, at.port);
	assert_true(stage_run(x.s, tried, &x));
	assert_string_equal(x.c->why, "there is no interface ce-none");
	assert_int_equal(x.s->role.counters.connects, 4);
	assert_int_equal(x.s->role.counters.connects_failed, 3);
	scene_end(&x);
}

static void write_password(char path[64], const char *text, mode_t mode)
{
	int fd;

	strcpy(path, "/tmp/afbr-password-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* proves: SEC-CTRL-1 partial */
/* Not even a SYN goes there. */
/* proves: MESH-BGP-7 partial */
static void nobody_is_connected_to_through_a_softwire(void **state)
{
	struct scene x = {0};
	struct nexthops h = {0};
	int tap;

	NAMESPACE_OR_SKIP();
	x.s = stage_new();
	tap = namespace_device(AFBR_DEVICE, IFF_TAP);
	h.afbr = &x.s->role;
	h.netlink = netlink_open();
	assert_true(tap >= 0 && h.netlink && namespace_up(AFBR_DEVICE));
	assert_int_equal(netlink_route(h.netlink, true, &(struct prefix){.addr = addr4(198, 51, 100, 0), .len = 24}, false,
				 AFBR_DEVICE, NULL, 0),
		0);
	x.s->role.nexthops = &h;
	x.n = stage_neighbor(x.s, "far", "198.51.100.9", 65000);
	dial(&x, 179);
	assert_true(stage_run(x.s, tried, &x));
	assert_string_equal(x.c->why,
		"only a softwire leads to it, and BGP does not go through softwires (RFC 5565 section 4.2)");
	assert_int_equal(x.s->role.counters.connects_failed, 1);
	x.s->role.nexthops = NULL;
	netlink_close(h.netlink);
	close(tap);
	stage_free(x.s);
}

static void a_password_that_cannot_be_read_keeps_it_from_connecting_without(void **state)
{
	struct scene x = {.s = stage_new(), .peer = -1};
	char path[64];

	x.n = stage_neighbor(x.s, "ce1", "127.0.0.1", 65001);
	strcpy(x.n->config.password_file, "/nowhere/password");
	dial(&x, 1);
	assert_false(x.c->closed);
	assert_true(stage_run(x.s, tried, &x));
	assert_non_null(strstr(x.c->why, "No such file"));
	write_password(path, "everybody knows\n", 0644);
	strcpy(x.n->config.password_file, path);
	dial(&x, 1);
	assert_true(stage_run(x.s, tried, &x));
	assert_non_null(strstr(x.c->why, "others can read secrets"));
	assert_null(strstr(x.c->why, "everybody knows"));
	unlink(path);
	scene_end(&x);
}

/* A peer with graceful restart that sees a new connection throws away what it has not read on the old one. */
static void a_peer_that_has_last_words_to_read_is_connected_to_when_it_has(void **state)
{
	for (unsigned given_up = 0; given_up < 2; given_up++) {
		struct scene x = scene_new("127.0.0.1"), other;

		x.c->last_words = "because";
		say_x(x.peer);
		assert_true(stage_run(x.s, is_closed, &x));
		dial(&x, 1);
		stage_turns(x.s, 10);
		assert_false(tried(&x));
		assert_int_equal(x.s->role.counters.connects, 0);
		/* Nobody else waits for that. */
		other = x;
		other.n = stage_neighbor(x.s, "ce2", "127.0.0.2", 65000);
		dial(&other, 1);
		assert_true(stage_run(x.s, tried, &other));
		if (given_up) {
			x.c->closed = true;
			connection_close(&x.s->bgp, x.c, NULL, 0);
		}
		close(x.peer);
		x.peer = -1;
		assert_true(stage_run(x.s, given_up ? role_is_empty : tried, &x));
		assert_int_equal(x.s->role.counters.connects, 2 - given_up);
		scene_end(&x);
	}
}

static void the_engine_may_give_up_at_any_time(void **state)
{
	struct scene x = {.s = stage_new(), .peer = -1};

	x.n = stage_neighbor(x.s, "ce1", "127.0.0.1", 65001);
	strcpy(x.n->config.interface, "ce-none");
	dial(&x, 1); /* has failed, and is about to say so */
	x.c->closed = true;
	connection_close(&x.s->bgp, x.c, NULL, 0);
	*x.n->config.interface = '\0';
	dial(&x, 1); /* is under way */
	x.c->closed = true;
	connection_close(&x.s->bgp, x.c, (const uint8_t *)"bye", 3);
	stage_turns(x.s, 5);
	assert_null(x.s->role.connections);
	scene_end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_put_together_wherever_they_are_split),
		cmocka_unit_test(what_came_before_the_end_is_handed_in_before_it),
		cmocka_unit_test(a_connection_that_cannot_be_written_to_is_read_to_its_end),
		cmocka_unit_test(one_neighbour_with_a_million_routes_leaves_the_others_their_turns),
		cmocka_unit_test(every_connection_is_read_from_in_every_turn),
		cmocka_unit_test(many_neighbours_that_tell_much_share_a_turn),
		cmocka_unit_test(many_neighbours_that_are_told_much_take_turns),
		cmocka_unit_test(what_was_said_on_an_older_connection_comes_before_a_new_one),
		cmocka_unit_test(a_slow_reader_gets_every_byte_and_costs_one_buffer),
		cmocka_unit_test(last_words_arrive_at_a_peer_that_is_still_sending),
		cmocka_unit_test(last_words_stand_behind_what_was_begun),
		cmocka_unit_test(a_peer_that_never_ends_is_waited_for_two_seconds),
		cmocka_unit_test(connects_from_the_local_address_and_marks_its_packets),
		cmocka_unit_test(a_password_that_cannot_be_read_keeps_it_from_connecting_without),
		cmocka_unit_test(a_peer_that_has_last_words_to_read_is_connected_to_when_it_has),
		cmocka_unit_test(the_engine_may_give_up_at_any_time),
		cmocka_unit_test(nobody_is_connected_to_through_a_softwire), /* in a network namespace from here on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

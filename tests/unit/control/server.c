/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket with roles made of paper: who may do what, what is refused and how, many clients, slow ones, traces.
 * The clients run in the same loop and thread as the server: each sends what it has and then turns the loop until its answer is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "control/server.h"
#include "paper.h"

/* ---- the roles ---- */

struct concentrator {
	unsigned rows; /* what it shows */
	char cleared_user[64], forgotten[64];
	uint32_t cleared_id;
	unsigned clears;
	concentrator_trace_emit *emit;
	void *emit_owner;
	char traced[64];
	unsigned stops;
	struct drain_order drain;
	unsigned drains;
	bool draining;
};

struct initiator {
	const char *name;
	unsigned clears;
	initiator_trace_emit *emit;
	void *emit_owner;
};

json_t *concentrator_show_softwires(struct concentrator *c, const char *filter)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < c->rows; i++) {
		char user[32];

		snprintf(user, sizeof(user), "user%u", i);
		if (!filter || !strcmp(filter, user))
			json_array_append_new(array, json_pack("{s:i, s:s, s:s, s:n}", "id", (int)i + 1,
							     "role", "concentrator", "user", user, "name"));
	}
	return array;
}

json_t *concentrator_show_tunnels(struct concentrator *c, const char *filter)
{
	return json_array();
}

json_t *concentrator_export_leases(struct concentrator *c)
{
	return json_pack("[{s:s}, {s:s}]", "user", "alice", "user", "bob");
}

void concentrator_check_leases(struct concentrator *c, concentrator_answered *done, void *owner)
{
	done(owner,
		json_pack("{s:b, s:[s], s:[s]}", "ok", 1, "problems", "alice has too much", "notes", "bob has less"));
}

/* An import counts its lines; one without a user is wrong. */
struct concentrator_import {
	unsigned lines;
};

struct concentrator_import *concentrator_import_new(struct concentrator *c)
{
	return calloc(1, sizeof(struct concentrator_import));
}

void concentrator_import_free(struct concentrator_import *i)
{
	free(i);
}

int concentrator_import_add(struct concentrator_import *i, const struct json_t *line, char why[256])
{
	snprintf(why, 256, "it has no user");
	i->lines++;
	return json_object_get(line, "user") ? 0 : -EINVAL;
}

int concentrator_import_run(struct concentrator_import *i, const char *rule, concentrator_answered *done, void *owner)
{
	if (strcmp(rule, "strict") != 0 && strcmp(rule, "merge") != 0)
		return -EINVAL;
	done(owner, json_pack("{s:b, s:i, s:s}", "ok", 1, "added", (int)i->lines, "rule", rule));
	free(i);
	return 0;
}

json_t *concentrator_show_lease_store(const struct concentrator *c)
{
	return json_pack("{s:b}", "writable", 1);
}

json_t *concentrator_show_leases(struct concentrator *c, const char *filter)
{
	return NULL; /* memory was short */
}

json_t *concentrator_show_counters(struct concentrator *c)
{
	return json_pack("{s:{s:i}}", "l2tp", "control_rx", 7);
}

json_t *concentrator_show_reverse_zones(struct concentrator *c, const char *filter)
{
	return json_pack("[{s:s}]", "user", filter ? filter : "all");
}

unsigned concentrator_clear(struct concentrator *c, const char *user, uint32_t id)
{
	snprintf(c->cleared_user, sizeof(c->cleared_user), "%s", user ? user : "");
	c->cleared_id = id;
	c->clears++;
	return user && !strcmp(user, "nobody") ? 0 : id == 99 ? 0 : 2;
}

void concentrator_drain(struct concentrator *c, const struct drain_order *order)
{
	c->drains++;
	c->draining = order != NULL;
	if (order)
		c->drain = *order;
}

bool concentrator_is_reached_at(const struct concentrator *c, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT];

	return !strcmp(endpoint_print(e, text), "192.0.2.1:1701");
}

bool concentrator_is_draining(const struct concentrator *c)
{
	return c->draining;
}

json_t *concentrator_show_drain(struct concentrator *c)
{
	return json_pack("{s:s}", "state", c->draining ? "draining" : "off");
}

unsigned concentrator_forget(struct concentrator *c, const char *user)
{
	snprintf(c->forgotten, sizeof(c->forgotten), "%s", user);
	return 1;
}

void concentrator_trace(struct concentrator *c, const char *user, concentrator_trace_emit *emit, void *owner)
{
	c->stops += !emit;
	c->emit = emit;
	c->emit_owner = owner;
	snprintf(c->traced, sizeof(c->traced), "%s", emit ? user : "");
}

const char *initiator_name(const struct initiator *i)
{
	return i->name;
}

json_t *initiator_show(struct initiator *i)
{
	return json_pack(
		"{s:i, s:s, s:s, s:s}", "id", 1, "role", "initiator", "name", i->name, "user", "alice");
}

json_t *initiator_show_tunnel(struct initiator *i)
{
	return initiator_show(i);
}

json_t *initiator_show_leases(struct initiator *i)
{
	return json_pack("[{s:s, s:s}]", "name", i->name, "prefix", "2001:db8::/56");
}

json_t *initiator_show_counters(struct initiator *i)
{
	return json_pack("{s:{s:i}}", "ppp", "rx", 1);
}

void initiator_clear(struct initiator *i)
{
	i->clears++;
}

void initiator_trace(struct initiator *i, initiator_trace_emit *emit, void *owner)
{
	i->emit = emit;
	i->emit_owner = owner;
}

/* ---- the world around ---- */

struct world {
	struct loop loop;
	struct control_server *server;
	struct control_targets targets;
	struct concentrator concentrator;
	struct initiator home, office;
	struct sockaddr_un where;
	char directory[64];
	unsigned reloads;
	bool reload_at_once;
};

static void reload(void *owner)
{
	struct world *w = owner;

	w->reloads++;
	if (w->reload_at_once)
		control_reload_done(w->server, json_array(), json_array(), json_pack("[s]", "nothing new"));
}

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_non_null(w);
	assert_true(fd >= 0);
	strcpy(w->directory, "/tmp/softwire-test-XXXXXX");
	assert_non_null(mkdtemp(w->directory));
	assert_int_equal(chmod(w->directory, 0755), 0);
	w->where.sun_family = AF_UNIX;
	snprintf(w->where.sun_path, sizeof(w->where.sun_path), "%.60s/control.sock", w->directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&w->where, sizeof(w->where)), 0);
	assert_int_equal(chmod(w->where.sun_path, 0666), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(loop_init(&w->loop), 0);
	w->home.name = "home";
	w->office.name = "office";
	w->concentrator.rows = 3;
	w->targets = (struct control_targets){.concentrator = &w->concentrator,
		.initiator_count = 2,
		.initiators = {&w->home, &w->office},
		.reload = reload,
		.owner = w};
	w->server = control_server_new(&w->loop, fd, &w->targets);
	assert_non_null(w->server);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	control_server_free(w->server);
	loop_done(&w->loop);
	unlink(w->where.sun_path);
	rmdir(w->directory);
	free(w);
	return 0;
}

static void turn(struct world *w)
{
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
}

static int client_new(struct world *w)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&w->where, sizeof(w->where)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void send_text(struct world *w, int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EPIPE)
			return; /* it has hung up before the end */
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
		turn(w);
	}
}

static void send_lines(struct world *w, int fd, const char *text)
{
	send_text(w, fd, text, strlen(text));
}

/* A line without its newline in a buffer of its own; NULL when the server hangs up first. */
static char *receive_line(struct world *w, int fd)
{
	size_t len = 0, size = 256;
	char *line = malloc(size);

	assert_non_null(line);
	for (unsigned idle = 0; idle < 100000;) {
		ssize_t n = recv(fd, line + len, 1, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			free(line);
			return NULL;
		}
		if (n < 0) {
			turn(w);
			idle++;
			continue;
		}
		if (line[len] == '\n') {
			line[len] = 0;
			return line;
		}
		if (++len == size) {
			line = realloc(line, size *= 2);
			assert_non_null(line);
		}
	}
	fail_msg("no answer");
	return NULL;
}

static void expect_line(struct world *w, int fd, const char *expected)
{
	char *line = receive_line(w, fd);

	assert_non_null(line);
	assert_string_equal(line, expected);
	free(line);
}

static void expect_end(struct world *w, int fd)
{
	char *line = receive_line(w, fd);

	if (line)
		fail_msg("a line where the end was due: %s", line);
}

static void expect(struct world *w, const char *request, const char *answer)
{
	int fd = client_new(w);

	send_text(w, fd, request, strlen(request));
	send_lines(w, fd, "\n");
	expect_line(w, fd, answer);
	close(fd);
}

/* ---- requests ---- */

static void shows_both_roles(void **state)
{
	struct world *w = *state;

	expect(w, "{\"v\":1,\"do\":\"show softwires\",\"filter\":\"user1\"}",
		"{\"ok\":true,\"softwires\":[{\"id\":2,\"role\":\"concentrator\",\"user\":\"user1\",\"name\":"
		"null}]}");
	expect(w, "{\"v\":1,\"do\":\"show softwires\",\"filter\":\"home\"}",
		"{\"ok\":true,\"softwires\":[{\"id\":1,\"role\":\"initiator\",\"name\":\"home\",\"user\":"
		"\"alice\"}]}");
	expect(w, "{\"v\":1,\"do\":\"show tunnels\",\"filter\":\"alice\"}",
		"{\"ok\":true,\"tunnels\":[{\"id\":1,\"role\":\"initiator\",\"name\":\"home\",\"user\":"
		"\"alice\"},"
		"{\"id\":1,\"role\":\"initiator\",\"name\":\"office\",\"user\":\"alice\"}]}");
	expect(w, "{\"v\":1,\"do\":\"show softwires\",\"filter\":\"nobody\"}",
		"{\"ok\":true,\"softwires\":[]}");
	expect(w, "{\"v\":1,\"do\":\"show leases\"}",
		"{\"ok\":true,\"database\":{\"writable\":true},\"leases\":[{\"name\":\"home\",\"prefix\":\"2001:db8::/56\"},"
		"{\"name\":\"office\",\"prefix\":\"2001:db8::/56\"}]}");
	expect(w, "{\"v\":1,\"do\":\"show counters\"}",
		"{\"ok\":true,\"counters\":{\"concentrator\":{\"l2tp\":{\"control_rx\":7}},"
		"\"initiators\":{\"home\":{\"ppp\":{\"rx\":1}},\"office\":{\"ppp\":{\"rx\":1}}}}}");
	expect(w, "{\"v\":1,\"do\":\"show reverse-zone\",\"filter\":\"alice\"}",
		"{\"ok\":true,\"reverse_zones\":[{\"user\":\"alice\"}]}");
	expect(w, "{\"v\":1,\"do\":\"version\"}", "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
}

static void where_the_tables_were_written_is_told_when_they_are(void **state)
{
	struct world *w = *state;
	struct afbr mesh = {0};
	int fd = client_new(w);
	char *line;

	w->targets.afbr = &mesh;
	send_lines(w, fd, "{\"v\":1,\"do\":\"bgp dump\"}\n{\"v\":1,\"do\":\"bgp dump\"}\n");
	for (int i = 0; i < 100 && !mesh.dumped; i++)
		turn(w);
	assert_int_equal(mesh.changes, 1); /* the next one waits */
	mesh.dumped(mesh.owner, "/var/lib/softwired/mrt/rib.1", NULL);
	line = receive_line(w, fd);
	assert_string_equal(line, "{\"ok\":true,\"file\":\"/var/lib/softwired/mrt/rib.1\"}");
	free(line);
	for (int i = 0; i < 100 && mesh.changes < 2; i++)
		turn(w);
	mesh.dumped(mesh.owner, NULL, "the disk is full");
	line = receive_line(w, fd);
	assert_string_equal(line, "{\"ok\":false,\"error\":\"the disk is full\"}");
	free(line);
	/* Who has left hears nothing. */
	send_lines(w, fd, "{\"v\":1,\"do\":\"bgp dump\"}\n");
	for (int i = 0; i < 100 && mesh.changes < 3; i++)
		turn(w);
	close(fd);
	for (int i = 0; i < 10; i++)
		turn(w);
	mesh.dumped(mesh.owner, "x", NULL);
	w->targets.afbr = NULL;
}

static void leases_go_out_and_are_checked(void **state)
{
	struct world *w = *state;

	expect(w, "{\"v\":1,\"do\":\"lease export\"}", "{\"ok\":true,\"leases\":[{\"user\":\"alice\"},{\"user\":\"bob\"}]}");
	expect(w, "{\"v\":1,\"do\":\"lease check\"}", "{\"ok\":true,\"problems\":[\"alice has too much\"],\"notes\":[\"bob has less\"]}");
	w->targets.concentrator = NULL;
	expect(w, "{\"v\":1,\"do\":\"show reverse-zone\"}",
		"{\"ok\":false,\"error\":\"there is no concentrator here, so there are no reverse zones\"}");
	expect(w, "{\"v\":1,\"do\":\"lease check\"}",
		"{\"ok\":false,\"error\":\"there is no concentrator here, so there are no leases\"}");
	w->targets.concentrator = &w->concentrator;
}

/* Lines in any pieces, more of them than a request may have bytes, and a request behind them. */
static void leases_come_in_line_by_line(void **state)
{
	enum { LINES = 3000 };
	struct world *w = *state;
	int fd = client_new(w);
	char line[80];

	send_lines(w, fd, "{\"v\":1,\"do\":\"lease import\",\"leases\":3000,\"rule\":\"merge\"}\n{\"user\":");
	expect_line(w, fd, "{\"ok\":true,\"send\":3000}");
	for (unsigned i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "\"u%u\"}\n%s", i, i + 1 < LINES ? "{\"user\":" : "{\"v\":1,");
		send_lines(w, fd, line);
	}
	send_lines(w, fd, "\"do\":\"version\"}\n");
	expect_line(w, fd, "{\"ok\":true,\"added\":3000,\"rule\":\"merge\"}");
	expect_line(w, fd, "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
	close(fd);
	expect(w, "{\"v\":1,\"do\":\"lease import\",\"leases\":0}", "{\"ok\":true,\"send\":0}");
}

static void an_import_that_is_wrong_or_ends_early_changes_nothing(void **state)
{
	struct world *w = *state;
	int fd = client_new(w);

	send_lines(w, fd, "{\"v\":1,\"do\":\"lease import\",\"leases\":3}\n{\"user\":1}\n{\"pool\":1}\nhello\n");
	expect_line(w, fd, "{\"ok\":true,\"send\":3}");
	expect_line(w, fd,
		"{\"ok\":false,\"error\":\"2 lines are wrong, and nothing was changed\",\"errors\":[\"line 3: it has no user\","
		"\"line 4: '[' or '{' expected near 'hello'\"]}");
	send_lines(w, fd, "{\"v\":1,\"do\":\"lease import\",\"leases\":1,\"rule\":\"take\"}\n{\"user\":1}\n");
	expect_line(w, fd, "{\"ok\":true,\"send\":1}");
	expect_line(w, fd, "{\"ok\":false,\"error\":\"\\\"rule\\\" must be \\\"strict\\\", \\\"merge\\\" or \\\"force\\\"\"}");
	send_lines(w, fd, "{\"v\":1,\"do\":\"lease import\",\"leases\":2}\n{\"user\":1}\n");
	expect_line(w, fd, "{\"ok\":true,\"send\":2}");
	shutdown(fd, SHUT_WR);
	expect_end(w, fd);
	close(fd);
}

static void who_is_not_there_cannot_be_cleared(void **state)
{
	struct world *w = *state;

	expect(w, "{\"v\":1,\"do\":\"clear\",\"user\":\"nobody\"}",
		"{\"ok\":false,\"error\":\"no softwire of nobody\"}");
	expect(w, "{\"v\":1,\"do\":\"clear\",\"id\":99}",
		"{\"ok\":false,\"error\":\"no softwire with the id 99\"}");
}

static void drains_as_it_is_told(void **state)
{
	struct world *w = *state;
	struct drain_order *order = &w->concentrator.drain;
	char text[ENDPOINT_TEXT];

	w->concentrator.rows = 0;
	expect(w, "{\"v\":1,\"do\":\"show drain\"}", "{\"ok\":true,\"drain\":{\"state\":\"off\"}}");
	expect(w, "{\"v\":1,\"do\":\"drain\"}", "{\"ok\":true,\"drain\":{\"state\":\"draining\"}}");
	assert_int_equal(order->target_count, 0);
	assert_int_equal(order->rate, DRAIN_RATE);
	assert_false(order->has_grace);
	expect(w, "{\"v\":1,\"do\":\"drain\",\"to\":[\"192.0.2.2\",\"[2001:db8::2]:1702\"],\"rate\":7,\"grace\":0}",
		"{\"ok\":true,\"drain\":{\"state\":\"draining\"}}");
	assert_int_equal(order->target_count, 2);
	assert_string_equal(endpoint_print(&order->targets[0], text), "192.0.2.2:1701");
	assert_string_equal(endpoint_print(&order->targets[1], text), "[2001:db8::2]:1702");
	assert_int_equal(order->rate, 7);
	assert_true(order->has_grace && !order->grace_ms);
	expect(w, "{\"v\":1,\"do\":\"show softwires\",\"filter\":\"home\"}",
		"{\"ok\":true,\"drain\":{\"state\":\"draining\"},\"softwires\":[{\"id\":1,\"role\":\"initiator\","
		"\"name\":\"home\",\"user\":\"alice\"}]}");
	expect(w, "{\"v\":1,\"do\":\"drain stop\"}", "{\"ok\":true,\"drain\":{\"state\":\"off\"}}");
	assert_int_equal(w->concentrator.drains, 3);
}

static const struct {
	const char *name, *request, *answer;
} refusals[] = {
	{"drain to a name", "{\"v\":1,\"do\":\"drain\",\"to\":[\"192.0.2.2\",\"sc.example\"]}",
		"\"to\" has \"sc.example\": it must be the address of another concentrator, with :PORT or without"},
	{"drain to port 0", "{\"v\":1,\"do\":\"drain\",\"to\":[\"192.0.2.2:0\"]}",
		"\"to\" has \"192.0.2.2:0\": it must be the address of another concentrator, with :PORT or without"},
	{"drain to itself", "{\"v\":1,\"do\":\"drain\",\"to\":[\"192.0.2.2\",\"192.0.2.1:1701\"]}",
		"192.0.2.1:1701 is this concentrator: \"to\" must be the address of another one"},
	{"drain to nobody", "{\"v\":1,\"do\":\"drain\",\"to\":[]}", "\"to\" must be an array of 1 to 16 texts"},
	{"drain to a number", "{\"v\":1,\"do\":\"drain\",\"to\":[1]}", "\"to\" must be an array of 1 to 16 texts"},
	{"drain to a text", "{\"v\":1,\"do\":\"drain\",\"to\":\"192.0.2.2\"}",
		"\"to\" must be an array of 1 to 16 texts"},
	{"drain at rate 0", "{\"v\":1,\"do\":\"drain\",\"rate\":0}", "\"rate\" must be a number from 1 to 10000"},
	{"drain with a long grace", "{\"v\":1,\"do\":\"drain\",\"grace\":2592001}",
		"\"grace\" must be a number from 0 to 2592000"},
	{"no version", "{\"do\":\"version\"}", "\"v\" must be 1: this is version 1 of the protocol"},
	{"another version", "{\"v\":2,\"do\":\"version\"}",
		"\"v\" must be 1: this is version 1 of the protocol"},
	{"version as text", "{\"v\":\"1\",\"do\":\"version\"}",
		"\"v\" must be 1: this is version 1 of the protocol"},
	{"no verb", "{\"v\":1}", "\"do\" is missing: it says what to do, like \"show softwires\""},
	{"misspelt verb", "{\"v\":1,\"do\":\"show sofwires\"}",
		"there is no verb \"show sofwires\"; did you mean \"show softwires\"?"},
	{"strange verb", "{\"v\":1,\"do\":\"make coffee\"}",
		"there is no verb \"make coffee\"; doc/control.md lists them"},
	{"control bytes in a verb", "{\"v\":1,\"do\":\"\\u001b[31mgo\"}",
		"there is no verb \"?[31mgo\"; doc/control.md lists them"},
	{"member that the verb has not", "{\"v\":1,\"do\":\"show softwires\",\"user\":\"alice\"}",
		"\"show softwires\" has no member \"user\""},
	{"filter of another type", "{\"v\":1,\"do\":\"show softwires\",\"filter\":7}",
		"\"filter\" must be a text that is not empty"},
	{"nothing to clear", "{\"v\":1,\"do\":\"clear\"}",
		"\"clear\" needs exactly one of \"user\", \"initiator\", \"id\" and \"all\""},
	{"two things to clear", "{\"v\":1,\"do\":\"clear\",\"id\":1,\"user\":\"alice\"}",
		"\"clear\" needs exactly one of \"user\", \"initiator\", \"id\" and \"all\""},
	{"empty user", "{\"v\":1,\"do\":\"clear\",\"user\":\"\"}",
		"\"user\" must be a text that is not empty"},
	{"id 0, which would be all", "{\"v\":1,\"do\":\"clear\",\"id\":0}",
		"\"id\" must be a number from 1 to 4294967295"},
	{"id of 33 bits", "{\"v\":1,\"do\":\"clear\",\"id\":4294967297}",
		"\"id\" must be a number from 1 to 4294967295"},
	{"not all", "{\"v\":1,\"do\":\"clear\",\"all\":false}", "\"all\" must be true"},
	{"no such initiator", "{\"v\":1,\"do\":\"clear\",\"initiator\":\"cellar\"}",
		"there is no initiator \"cellar\""},
	{"nobody to forget", "{\"v\":1,\"do\":\"forget\"}", "\"forget\" needs \"user\""},
};

static void refuses_in_words(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		json_t *answer = json_pack("{s:b, s:s}", "ok", 0, "error", refusals[i].answer);
		char *text = json_dumps(answer, JSON_COMPACT);

		expect(w, refusals[i].request, text);
		free(text);
		json_decref(answer);
	}
	assert_int_equal(w->concentrator.clears, 0);
}

/* One clear error, and the connection ends; the daemon lives. */
static void hangs_up_on_what_is_no_request(void **state)
{
	static const char *const bad[] = {"show softwires", "[]", "{\"v\":1,", "\"x\"",
		"{\"v\":1,\"v\":1,\"do\":\"version\"}", "{\"v\":1,\"do\":\"\\u0000\"}",
		"{\"v\":1,\"do\":\"\xff\"}", "1", "nul"};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = client_new(w);
		char *line;

		send_text(w, fd, bad[i], strlen(bad[i]));
		send_lines(w, fd, "\n");
		line = receive_line(w, fd);
		assert_non_null(line);
		assert_non_null(strstr(line, "{\"ok\":false,\"error\":\""));
		free(line);
		expect_end(w, fd);
		close(fd);
	}
	expect(w, "{\"v\":1,\"do\":\"version\"}", "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
}

static void bounds_a_request(void **state)
{
	struct world *w = *state;
	size_t len = 70000;
	char *text = malloc(len);
	int fd = client_new(w);

	assert_non_null(text);
	memset(text, 'x', len);
	send_text(w, fd, text, len);
	expect_line(w, fd, "{\"ok\":false,\"error\":\"a request may have at most 65536 bytes\"}");
	close(fd);
	free(text);
}

static void answers_in_order_also_what_came_at_once(void **state)
{
	struct world *w = *state;
	int fd = client_new(w);
	const char *text = "{\"v\":1,\"do\":\"version\"}\n{\"v\":1,\"do\":\"nothing\"}\n{\"v\":1,\"do\":"
			   "\"show tunnels\",\"filter\":\"x\"}";

	send_lines(w, fd, text);
	shutdown(fd, SHUT_WR); /* the last line has no newline, and is answered all the same */
	expect_line(w, fd, "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
	expect_line(w, fd,
		"{\"ok\":false,\"error\":\"there is no verb \\\"nothing\\\"; doc/control.md lists them\"}");
	expect_line(w, fd, "{\"ok\":true,\"tunnels\":[]}");
	expect_end(w, fd);
	close(fd);
}

static void changes_what_it_was_asked_to(void **state)
{
	struct world *w = *state;

	expect(w, "{\"v\":1,\"do\":\"clear\",\"user\":\"bob\"}", "{\"ok\":true,\"cleared\":2}");
	assert_string_equal(w->concentrator.cleared_user, "bob");
	assert_int_equal(w->concentrator.cleared_id, 0);
	expect(w, "{\"v\":1,\"do\":\"clear\",\"id\":17}", "{\"ok\":true,\"cleared\":2}");
	assert_string_equal(w->concentrator.cleared_user, "");
	assert_int_equal(w->concentrator.cleared_id, 17);
	assert_int_equal(w->home.clears + w->office.clears, 0);
	assert_int_equal(w->concentrator.clears, 2);
	expect(w, "{\"v\":1,\"do\":\"clear\",\"initiator\":\"office\"}", "{\"ok\":true,\"cleared\":1}");
	assert_int_equal(w->concentrator.clears, 2);
	assert_int_equal(w->home.clears, 0);
	assert_int_equal(w->office.clears, 1);
	expect(w, "{\"v\":1,\"do\":\"clear\",\"all\":true}", "{\"ok\":true,\"cleared\":4}");
	assert_int_equal(w->home.clears, 1);
	expect(w, "{\"v\":1,\"do\":\"forget\",\"user\":\"carol\"}", "{\"ok\":true,\"forgotten\":1}");
	assert_string_equal(w->concentrator.forgotten, "carol");
	w->targets.concentrator = NULL;
	expect(w, "{\"v\":1,\"do\":\"forget\",\"user\":\"carol\"}",
		"{\"ok\":false,\"error\":\"there is no concentrator here, so there are no leases to "
		"forget\"}");
	expect(w, "{\"v\":1,\"do\":\"trace\",\"name\":\"carol\"}",
		"{\"ok\":false,\"error\":\"there is no initiator \\\"carol\\\", and no concentrator here "
		"with such a user\"}");
}

/* Somebody else than root and the daemon may look, and nothing more. */
static void strangers_may_only_look(void **state)
{
	static const char request[] =
		"{\"v\":1,\"do\":\"clear\",\"all\":true}\n{\"v\":1,\"do\":\"trace\",\"name\":\"a\"}\n"
		"{\"v\":1,\"do\":\"reload\"}\n{\"v\":1,\"do\":\"forget\",\"user\":\"a\"}\n"
		"{\"v\":1,\"do\":\"drain\"}\n{\"v\":1,\"do\":\"drain stop\"}\n"
		"{\"v\":1,\"do\":\"show tunnels\",\"filter\":\"x\"}\n";
	static const char *const verbs[] = {"clear", "trace", "reload", "forget", "drain", "drain stop"};
	struct world *w = *state;
	char line[128];
	int fd;

	if (geteuid() != 0) {
		print_message("skipped: not root, so there is no second user to be\n");
		skip();
	}
	assert_int_equal(seteuid(65534), 0);
	fd = client_new(w);
	assert_int_equal(seteuid(0), 0);
	send_lines(w, fd, request);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(line, sizeof(line), "{\"ok\":false,\"error\":\"\\\"%s\\\" is for root only\"}",
			verbs[i]);
		expect_line(w, fd, line);
	}
	expect_line(w, fd, "{\"ok\":true,\"tunnels\":[]}");
	assert_int_equal(w->concentrator.clears + w->concentrator.drains + w->reloads, 0);
	close(fd);
}

/* ---- many, long, slow ---- */

static void refuses_the_thirty_third_client(void **state)
{
	struct world *w = *state;
	int fds[33];

	for (unsigned i = 0; i < 33; i++) {
		fds[i] = client_new(w);
		turn(w);
	}
	expect_line(
		w, fds[32], "{\"ok\":false,\"error\":\"32 clients are connected already: try again later\"}");
	expect_end(w, fds[32]);
	for (unsigned i = 0; i < 32; i++)
		send_lines(w, fds[i], "{\"v\":1,\"do\":\"version\"}\n");
	for (unsigned i = 0; i < 32; i++)
		expect_line(w, fds[i], "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
	for (unsigned i = 0; i < 33; i++)
		close(fds[i]);
	for (unsigned i = 0; i < 10; i++)
		turn(w);
	expect(w, "{\"v\":1,\"do\":\"version\"}", "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
}

/* 20,000 softwires are more than a socket takes at once; another client is served meanwhile. */
static void long_answers_do_not_stop_the_others(void **state)
{
	struct world *w = *state;
	int fd = client_new(w);
	json_t *answer;
	char *line;

	w->concentrator.rows = 20000;
	send_lines(w, fd, "{\"v\":1,\"do\":\"show softwires\"}\n");
	for (unsigned i = 0; i < 10; i++)
		turn(w);
	w->concentrator.rows = 1;
	expect(w, "{\"v\":1,\"do\":\"show softwires\",\"filter\":\"user0\"}",
		"{\"ok\":true,\"softwires\":[{\"id\":1,\"role\":\"concentrator\",\"user\":\"user0\",\"name\":"
		"null}]}");
	line = receive_line(w, fd);
	assert_non_null(line);
	answer = json_loads(line, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(answer, "softwires")), 20002);
	json_decref(answer);
	free(line);
	send_lines(w, fd, "{\"v\":1,\"do\":\"version\"}\n");
	expect_line(w, fd, "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
	close(fd);
}

static void survives_clients_that_leave_in_the_middle(void **state)
{
	struct world *w = *state;

	w->concentrator.rows = 20000;
	for (unsigned i = 0; i < 5; i++) {
		int fd = client_new(w);

		send_lines(w, fd, "{\"v\":1,\"do\":\"show softwires\"}\n{\"v\":1,\"do\":\"reload\"}\n");
		for (unsigned k = 0; k < i; k++)
			turn(w);
		close(fd);
	}
	for (unsigned i = 0; i < 20; i++)
		turn(w);
	expect(w, "{\"v\":1,\"do\":\"version\"}", "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
}

static void many_reload_once(void **state)
{
	struct world *w = *state;
	int a = client_new(w), b = client_new(w);

	send_lines(w, a, "{\"v\":1,\"do\":\"reload\"}\n{\"v\":1,\"do\":\"version\"}\n");
	send_lines(w, b, "{\"v\":1,\"do\":\"reload\"}\n");
	for (unsigned i = 0; i < 10; i++)
		turn(w);
	assert_int_equal(w->reloads, 1);
	control_reload_done(w->server, json_array(), json_pack("[s]", "f:3: odd"), json_pack("[s]", "pools changed"));
	expect_line(w, a, "{\"ok\":true,\"warnings\":[\"f:3: odd\"],\"say\":[\"pools changed\"]}");
	expect_line(w, a, "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
	expect_line(w, b, "{\"ok\":true,\"warnings\":[\"f:3: odd\"],\"say\":[\"pools changed\"]}");
	send_lines(w, b, "{\"v\":1,\"do\":\"reload\"}\n");
	for (unsigned i = 0; i < 10; i++)
		turn(w);
	control_reload_done(w->server, json_pack("[s, s]", "f:1: x", "f:2: y"), json_array(), json_array());
	expect_line(w, b,
		"{\"ok\":false,\"error\":\"the configuration was not applied, for it has 2 errors\","
		"\"errors\":[\"f:1: x\",\"f:2: y\"],\"say\":[]}");
	w->reload_at_once = true;
	send_lines(w, b, "{\"v\":1,\"do\":\"reload\"}\n");
	expect_line(w, b, "{\"ok\":true,\"say\":[\"nothing new\"]}");
	w->reload_at_once = false;
	send_lines(w, b, "{\"v\":1,\"do\":\"reload\"}\n");
	for (unsigned i = 0; i < 10; i++)
		turn(w);
	control_reload_done(w->server, NULL, NULL, NULL);
	expect_line(w, b, "{\"ok\":false,\"error\":\"there is not enough memory for a reload: nothing was changed\"}");
	control_reload_done(w->server, json_array(), json_array(), json_array()); /* a reload by signal: nobody asked */
	close(a);
	close(b);
}

/* ---- traces ---- */

static void silence_ends_a_client_unless_it_traces(void **state)
{
	struct world *w = *state;
	int idle = client_new(w), tracing = client_new(w);

	send_lines(w, tracing, "{\"v\":1,\"do\":\"trace\",\"name\":\"home\"}\n");
	expect_line(w, tracing, "{\"ok\":true,\"trace\":\"home\"}");
	turn(w);
	wheel_advance(&w->loop.wheel, loop_clock() + 59000);
	send_lines(w, idle, "{\"v\":1,\"do\":\"version\"}\n");
	expect_line(w, idle, "{\"ok\":true,\"version\":\"" SOFTWIRE_VERSION "\"}");
	wheel_advance(&w->loop.wheel, loop_clock() + 61000);
	expect_end(w, idle);
	w->home.emit(w->home.emit_owner, json_pack("{s:s}", "text", "HELLO"));
	expect_line(w, tracing, "{\"text\":\"HELLO\"}");
	close(idle);
	close(tracing);
}

static void whoever_traces_what_goes_hears_the_end(void **state)
{
	struct world *w = *state;
	int a = client_new(w), b = client_new(w), c = client_new(w);

	send_lines(w, a, "{\"v\":1,\"do\":\"trace\",\"name\":\"home\"}\n");
	expect_line(w, a, "{\"ok\":true,\"trace\":\"home\"}");
	send_lines(w, b, "{\"v\":1,\"do\":\"trace\",\"name\":\"home\"}\n");
	expect_line(w, b, "{\"ok\":true,\"trace\":\"home\"}");
	send_lines(w, c, "{\"v\":1,\"do\":\"trace\",\"name\":\"office\"}\n");
	expect_line(w, c, "{\"ok\":true,\"trace\":\"office\"}");
	control_forget_initiator(w->server, &w->home);
	control_forget_initiator(w->server, &w->home);
	assert_null(w->home.emit);
	expect_end(w, a);
	expect_end(w, b);
	w->office.emit(w->office.emit_owner, json_pack("{s:s}", "text", "HELLO"));
	expect_line(w, c, "{\"text\":\"HELLO\"}");
	close(a);
	close(b);
	close(c);
}

static void trace_both_ends(void **state)
{
	struct world *w = *state;
	int a = client_new(w), b = client_new(w), c = client_new(w);

	send_lines(w, a, "{\"v\":1,\"do\":\"trace\",\"name\":\"bob\"}\n");
	expect_line(w, a, "{\"ok\":true,\"trace\":\"bob\"}");
	send_lines(w, b, "{\"v\":1,\"do\":\"trace\",\"name\":\"bob\"}\n");
	expect_line(w, b, "{\"ok\":true,\"trace\":\"bob\"}");
	assert_string_equal(w->concentrator.traced, "bob");
	send_lines(w, c, "{\"v\":1,\"do\":\"trace\",\"name\":\"eve\"}\n");
	expect_line(
		w, c, "{\"ok\":false,\"error\":\"bob is being traced, and only one user at a time can be\"}");
	send_lines(w, c, "{\"v\":1,\"do\":\"trace\",\"name\":\"home\"}\n");
	expect_line(w, c, "{\"ok\":true,\"trace\":\"home\"}");

	w->concentrator.emit(w->concentrator.emit_owner, json_pack("{s:s}", "text", "SCCRQ"));
	w->home.emit(w->home.emit_owner, json_pack("{s:s}", "text", "SCCRP"));
	expect_line(w, a, "{\"text\":\"SCCRQ\"}");
	expect_line(w, b, "{\"text\":\"SCCRQ\"}");
	expect_line(w, c, "{\"text\":\"SCCRP\"}");

	close(a);
	for (unsigned i = 0; i < 10; i++)
		turn(w);
	assert_string_equal(w->concentrator.traced, "bob");
	close(b);
	for (unsigned i = 0; i < 10; i++)
		turn(w);
	assert_null(w->concentrator.emit); /* the last one has left */
	assert_int_equal(w->concentrator.stops, 1);
	assert_non_null(w->home.emit);
	close(c);
}

/* A reader that sleeps loses events, is told how many, and keeps nobody waiting. */
static void slow_reader_is_told_what_it_lost(void **state)
{
	struct world *w = *state;
	int slow = client_new(w), quick = client_new(w);
	unsigned got = 0, lost = 0, sent = 60000, quick_got = 0;
	char text[128];

	send_lines(w, slow, "{\"v\":1,\"do\":\"trace\",\"name\":\"home\"}\n");
	expect_line(w, slow, "{\"ok\":true,\"trace\":\"home\"}");
	send_lines(w, quick, "{\"v\":1,\"do\":\"trace\",\"name\":\"home\"}\n");
	expect_line(w, quick, "{\"ok\":true,\"trace\":\"home\"}");
	for (unsigned i = 0; i < sent; i++) {
		w->home.emit(w->home.emit_owner,
			json_pack("{s:i, s:s}", "n", (int)i, "text", "an event of some length, as they are"));
		if (i % 500 != 499)
			continue;
		turn(w);
		for (unsigned k = 0; k < 500; k++, quick_got++)
			free(receive_line(w, quick));
	}
	assert_int_equal(quick_got, sent);
	while (got + lost < sent) {
		char *line = receive_line(w, slow);
		unsigned n;

		assert_non_null(line);
		if (sscanf(line, "{\"event\":\"lost\",\"lost\":%u}", &n) == 1) {
			lost += n;
		} else {
			/* what is told as lost here are exactly those that are missing */
			snprintf(text, sizeof(text), "{\"n\":%u,", got + lost);
			assert_int_equal(strncmp(line, text, strlen(text)), 0);
			got++;
		}
		free(line);
	}
	assert_true(lost > 0);
	assert_true(got > 0);
	close(slow);
	close(quick);
}

static void stop_ends_traces_and_answers(void **state)
{
	struct world *w = *state;
	int a = client_new(w), b = client_new(w);

	w->concentrator.rows = 20000;
	send_lines(w, a, "{\"v\":1,\"do\":\"trace\",\"name\":\"bob\"}\n");
	send_lines(w, b, "{\"v\":1,\"do\":\"show softwires\"}\n");
	for (unsigned i = 0; i < 10; i++)
		turn(w);
	control_server_free(w->server);
	w->server = NULL;
	assert_null(w->concentrator.emit);
	close(a);
	close(b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	const struct CMUnitTest tests[] = {
		TEST(shows_both_roles),
		TEST(refuses_in_words),
		TEST(where_the_tables_were_written_is_told_when_they_are),
		TEST(leases_go_out_and_are_checked),
		TEST(leases_come_in_line_by_line),
		TEST(an_import_that_is_wrong_or_ends_early_changes_nothing),
		TEST(hangs_up_on_what_is_no_request),
		TEST(bounds_a_request),
		TEST(answers_in_order_also_what_came_at_once),
		TEST(changes_what_it_was_asked_to),
		TEST(strangers_may_only_look),
		TEST(refuses_the_thirty_third_client),
		TEST(long_answers_do_not_stop_the_others),
		TEST(survives_clients_that_leave_in_the_middle),
		TEST(who_is_not_there_cannot_be_cleared),
		TEST(drains_as_it_is_told),
		TEST(many_reload_once),
		TEST(silence_ends_a_client_unless_it_traces),
		TEST(trace_both_ends),
		TEST(whoever_traces_what_goes_hears_the_end),
		TEST(slow_reader_is_told_what_it_lost),
		TEST(stop_ends_traces_and_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

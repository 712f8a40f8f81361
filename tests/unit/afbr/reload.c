/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one configuration to another: all of what it needs, or nothing, and nobody is touched whom it does not concern. */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../netlink/namespace.h"

struct outcome {
	bool answered;
	struct afbr_change *change;
	char problems[2048];
};

static void note_problem(void *owner, const char *text)
{
	struct outcome *o = owner;

	snprintf(o->problems + strlen(o->problems), sizeof(o->problems) - strlen(o->problems), "%s\n", text);
}

static void note_prepared(void *owner, struct afbr_change *change)
{
	struct outcome *o = owner;

	assert_false(o->answered);
	o->answered = true;
	o->change = change;
}

static bool is_answered(void *arg)
{
	return ((struct outcome *)arg)->answered;
}

/* With room for some neighbours. */
static struct afbr_config *config_new(void)
{
	struct afbr_config *c = afbr_config_new();

	c->as = 65000;
	c->neighbors = calloc(ENGINE_NEIGHBORS, sizeof(*c->neighbors));
	c->port = 179;
	c->listen_count = 1;
	c->listen[0] = addr4(127, 0, 0, 1);
	return c;
}

static struct bgp_neighbor_config *add(
	struct afbr_config *c, const char *name, const char *address, uint32_t as)
{
	struct bgp_neighbor_config *n = &c->neighbors[c->neighbor_count++];

	snprintf(n->name, sizeof(n->name), "%s", name);
	assert_int_equal(addr_parse(address, &n->address), 0);
	n->as = as;
	return n;
}

static struct outcome prepare(struct stage *s, struct afbr_config *c)
{
	struct outcome o = {0};

	change_begin(&s->role, c, note_problem, note_prepared, &o);
	assert_true(stage_run(s, is_answered, &o));
	afbr_config_unref(c);
	return o;
}

/* What was said, a line each. */
static const char *apply(struct stage *s, struct afbr_config *c, char said[2048])
{
	struct outcome o = prepare(s, c);
	json_t *say = json_array(), *sentence;
	size_t i;

	assert_string_equal(o.problems, "");
	assert_non_null(o.change);
	change_apply(o.change, say);
	assert_null(s->role.changing);
	*said = '\0';
	json_array_foreach(say, i, sentence)
		snprintf(said + strlen(said), 2048 - strlen(said), "%s\n", json_string_value(sentence));
	json_decref(say);
	return said;
}

static void neighbours_come_change_and_go_by_themselves(void **state)
{
	struct stage *s;
	struct afbr_config *c;
	struct bgp_neighbor *stays;
	char said[2048];

	NAMESPACE_OR_SKIP();
	assert_true(namespace_up("lo"));
	s = stage_new();
	c = config_new();
	add(c, "a", "127.0.0.2", 65001);
	add(c, "b", "127.0.0.3", 65002);
	assert_string_equal(apply(s, c, said),
		"afbr: listens on 127.0.0.1:179\nafbr: neighbor a is new\nafbr: neighbor b is new\n");
	stays = bgp_neighbor_find(&s->bgp, "a");
	assert_true(stays->started);

	/* One goes, and another one has its address; one changes; one stays as it is. */
	c = config_new();
	add(c, "a", "127.0.0.2", 65001);
	add(c, "c", "127.0.0.3", 65003);
	assert_string_equal(apply(s, c, said), "afbr: neighbor b is gone\nafbr: neighbor c is new\n");
	assert_ptr_equal(bgp_neighbor_find(&s->bgp, "a"), stays);
	assert_null(bgp_neighbor_find(&s->bgp, "b"));

	c = config_new();
	add(c, "a", "127.0.0.2", 65001);
	add(c, "c", "127.0.0.3", 65004);
	assert_string_equal(apply(s, c, said),
		"afbr: neighbor c was reset: what has changed cannot change while its session is up\n");
	stage_free(s);
}

static int connect_to(uint8_t last)
{
	struct endpoint at = {.addr = addr4(127, 0, 0, last), .port = 179};

	return stage_dial(&at, "127.0.0.9", 0);
}

static void addresses_to_listen_on_come_and_go(void **state)
{
	struct stage *s;
	struct afbr_config *c;
	char said[2048];
	int fd;

	NAMESPACE_OR_SKIP();
	assert_true(namespace_up("lo"));
	s = stage_new();
	apply(s, config_new(), said);
	fd = connect_to(1);
	assert_true(fd >= 0);
	close(fd);
	c = config_new();
	c->listen[0] = addr4(127, 0, 0, 5);
	assert_string_equal(apply(s, c, said), "afbr: listens on 127.0.0.5:179\n");
	stage_turns(s, 3);
	assert_int_equal(connect_to(1), -1);
	fd = connect_to(5);
	assert_true(fd >= 0);
	close(fd);
	stage_free(s);
}

static void everything_that_is_wrong_is_told_and_nothing_is_done(void **state)
{
	struct stage *s;
	struct afbr_config *c;
	struct outcome o;
	char said[2048];

	NAMESPACE_OR_SKIP();
	assert_true(namespace_up("lo"));
	s = stage_new();
	c = config_new();
	add(c, "a", "127.0.0.2", 65001);
	apply(s, c, said);
	c = config_new();
	c->listen_count = 2;
	c->listen[0] = addr4(127, 0, 0, 5);
	c->listen[1] = addr4(192, 0, 2, 77);
	strcpy(add(c, "b", "127.0.0.3", 65001)->password_file, "/nowhere/b");
	strcpy(add(c, "c", "127.0.0.4", 65001)->password_file, "/nowhere/c");
	o = prepare(s, c);
	assert_null(o.change);
	assert_null(s->role.changing);
	assert_string_equal(o.problems,
		"afbr: neighbor b: /nowhere/b: No such file or directory\n"
		"afbr: neighbor c: /nowhere/c: No such file or directory\n"
		"afbr: cannot listen on 192.0.2.77:179: Cannot assign requested address\n");
	assert_non_null(bgp_neighbor_find(&s->bgp, "a"));
	assert_null(bgp_neighbor_find(&s->bgp, "b"));
	assert_int_equal(connect_to(5), -1); /* what was opened is closed again */
	stage_free(s);
}

static void write_password(char path[64], const char *text)
{
	int fd;

	strcpy(path, "/tmp/afbr-reload-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static bool gets_through(struct stage *s, const char *password)
{
	struct bgp_neighbor_config n = {.address = addr4(127, 0, 0, 1),
		.port = 179,
		.as = 65000,
		.local_address = addr4(127, 0, 0, 2)};
	struct afbr_key key = {.len = (uint8_t)strlen(password)};
	uint64_t before = s->role.counters.accepts;
	char why[128];
	int fd = -1;

	memcpy(key.text, password, key.len);
	assert_int_equal(socket_connect(&n, socket_plan_of(&n, 65000), &key, &fd, why), 0);
	for (int i = 0; i < 20 && s->role.counters.accepts == before; i++) {
		stage_turns(s, 1);
		usleep(1000);
	}
	close(fd);
	return s->role.counters.accepts > before;
}

/* proves: SEC-CTRL-2 partial, SEC-CTRL-4 partial */
static void a_reload_changes_gives_and_takes_away_passwords(void **state)
{
	struct stage *s;
	struct afbr_config *c;
	char said[2048], path[64], other[64];

	NAMESPACE_OR_SKIP();
	assert_true(namespace_up("lo"));
	s = stage_new();
	write_password(path, "first\n");
	write_password(other, "second\n");
	c = config_new();
	strcpy(add(c, "a", "127.0.0.2", 65000)->password_file, path);
	apply(s, c, said);
	assert_true(gets_through(s, "first"));
	assert_false(gets_through(s, "second"));
	c = config_new();
	strcpy(add(c, "a", "127.0.0.2", 65000)->password_file, other);
	apply(s, c, said);
	assert_true(gets_through(s, "second"));
	assert_false(gets_through(s, "first"));
	c = config_new();
	add(c, "a", "127.0.0.2", 65000);
	apply(s, c, said);
	assert_true(gets_through(s, ""));
	assert_false(gets_through(s, "second"));
	unlink(path);
	unlink(other);
	stage_free(s);
}

static void a_change_that_is_not_wanted_leaves_nothing(void **state)
{
	struct stage *s;
	struct afbr_config *c;
	struct outcome o;

	NAMESPACE_OR_SKIP();
	assert_true(namespace_up("lo"));
	s = stage_new();
	c = config_new();
	add(c, "a", "127.0.0.2", 65001);
	o = prepare(s, c);
	assert_non_null(o.change);
	assert_ptr_equal(s->role.changing, o.change);
	afbr_discard(o.change);
	assert_null(s->role.changing);
	assert_null(bgp_neighbor_find(&s->bgp, "a"));
	assert_int_equal(connect_to(1), -1);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_come_change_and_go_by_themselves),
		cmocka_unit_test(addresses_to_listen_on_come_and_go),
		cmocka_unit_test(everything_that_is_wrong_is_told_and_nothing_is_done),
		cmocka_unit_test(a_reload_changes_gives_and_takes_away_passwords),
		cmocka_unit_test(a_change_that_is_not_wanted_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

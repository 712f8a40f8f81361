/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which hooks are run, when, and with what: softwired-hooks(7). */
#include "fixture.h"

#include <errno.h>

static struct fixture *with_hooks(void)
{
	static const char *const paths[HOOK_EVENTS] = {
		[HOOK_UP] = "/up", [HOOK_DOWN] = "/down", [HOOK_CHANGE] = "/change", [HOOK_RENEW] = "/renew"};
	struct fixture *f = fixture_new();

	for (unsigned i = 0; i < HOOK_EVENTS; i++)
		snprintf(f->config.hooks[i], sizeof(f->config.hooks[i]), "%s", paths[i]);
	f->config.pools[0].preferred = 120;
	f->config.pools[0].valid = 240;
	return f;
}

static void check(struct fixture *f, unsigned n, const char *event, const char *variable, const char *value)
{
	assert_string_equal(fixture_hook(f, n, event, variable), value);
}

static char *text_of(const struct prefix *p)
{
	static char buf[PREFIX_TEXT];

	prefix_print(p, buf);
	return buf;
}

/* Up, the prefix in use, renewed, given back, down: each with what is so then. */
static void a_softwire_tells_its_life(void **state)
{
	struct fixture *f = with_hooks();
	struct subscriber *sub;
	struct peer *p;
	char buf[ENDPOINT_TEXT], delegated[PREFIX_TEXT];

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	sub = f->c->all;
	snprintf(delegated, sizeof(delegated), "%s", text_of(&sub->engine.lease->delegated[0]));
	assert_int_equal(f->hook_count, 2);
	check(f, 0, "up", "SOFTWIRE_EVENT", "up");
	check(f, 0, "up", "SOFTWIRE_ROLE", "concentrator");
	check(f, 0, "up", "SOFTWIRE_NAME", "");
	check(f, 0, "up", "SOFTWIRE_USER", "alice");
	check(f, 0, "up", "SOFTWIRE_ID", "1");
	check(f, 0, "up", "SOFTWIRE_DEVICE", "sc0");
	check(f, 0, "up", "SOFTWIRE_PEER", endpoint_print(&sub->row->peer, buf));
	check(f, 0, "up", "SOFTWIRE_FAMILIES", "ipv6");
	check(f, 0, "up", "SOFTWIRE_MTU", "1460");
	check(f, 0, "up", "SOFTWIRE_LINK6", text_of(&sub->engine.lease->link6));
	check(f, 0, "up", "SOFTWIRE_ADDRESS6", addr_print(&p->engine.state.address, buf));
	check(f, 0, "up", "SOFTWIRE_DELEGATED6", "");
	check(f, 0, "up", "SOFTWIRE_ADDRESS4", "");
	check(f, 0, "up", "SOFTWIRE_LAN", "");
	check(f, 0, "up", "SOFTWIRE_REASON", "");
	assert_string_equal(f->hooks[0].path, "/up");
	assert_string_equal(f->hooks[0].key, "alice/0");
	assert_string_equal(f->hooks[1].path, "/change");
	check(f, 1, "change", "SOFTWIRE_DELEGATED6", delegated);
	check(f, 1, "change", "SOFTWIRE_OLD_DELEGATED6", "");
	fixture_pass(f, 65000); /* beyond T1 */
	assert_int_equal(f->hook_count, 3);
	check(f, 2, "renew", "SOFTWIRE_DELEGATED6", delegated);
	softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, f->hook_count == 6);
	check(f, 3, "change", "SOFTWIRE_DELEGATED6", ""); /* the initiator releases first */
	check(f, 3, "change", "SOFTWIRE_OLD_DELEGATED6", delegated);
	check(f, 3, "change", "SOFTWIRE_FAMILIES", "ipv6");
	check(f, 4, "change", "SOFTWIRE_FAMILIES", ""); /* then terminates PPP */
	check(f, 5, "down", "SOFTWIRE_LINK6", text_of(&sub->engine.lease->link6));
	check(f, 5, "down", "SOFTWIRE_FAMILIES", "");
	assert_non_null(strstr(fixture_hook(f, 5, "down", "SOFTWIRE_REASON"), "enough"));
	assert_int_equal(f->c->role_counters.hooks, 6);
	fixture_free(f);
}

/* One up, and a change for each thing that follows. */
static void ipv4_is_told_beside_ipv6(void **state)
{
	struct fixture *f = with_hooks();
	struct peer *p;
	char address[ADDR_TEXT], subnet[PREFIX_TEXT];
	unsigned last;

	fixture_ipv4(f);
	f->config.pools[0].dns_count = 1;
	f->config.pools[0].dns[0] = fixture_addr("192.0.2.53");
	fixture_start(f);
	p = peer_new(f, 2, "alice");
	peer_wants(p, true, true, true);
	peer_open(p);
	fixture_until(f, p->engine.state.has_binding && p->engine.state.binding4.subnet_count);
	last = f->hook_count - 1;
	assert_int_equal(f->hook_count, 4); /* a family, the other one, prefixes, subnets */
	addr_print(&p->engine.state.address4, address);
	prefix_print(&p->engine.state.binding4.subnets[0].prefix, subnet);
	check(f, 0, "up", "SOFTWIRE_DELEGATED4", "");
	check(f, 1, "change", "SOFTWIRE_FAMILIES", "ipv6 ipv4");
	check(f, last, "change", "SOFTWIRE_ADDRESS4", address);
	check(f, last, "change", "SOFTWIRE_PEER4", "192.0.2.1");
	check(f, last, "change", "SOFTWIRE_DELEGATED4", subnet);
	check(f, last, "change", "SOFTWIRE_DELEGATED6", text_of(&p->engine.state.binding.prefixes[0].prefix));
	check(f, last, "change", "SOFTWIRE_DNS", "192.0.2.53");
	f->hook_count = 0;
	fixture_pass(f, 130000); /* T1 of both */
	for (unsigned n = 0; n < f->hook_count; n++)
		assert_string_equal(f->hooks[n].event, "renew");
	assert_true(f->hook_count >= 2);
	f->hook_count = 0;
	softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, f->hook_count && strcmp(f->hooks[f->hook_count - 1].event, "down") == 0);
	check(f, f->hook_count - 1, "down", "SOFTWIRE_ADDRESS4", address);
	fixture_free(f);
}

/* Whoever is cut off has not released anything. */
static void down_tells_what_was_still_in_use(void **state)
{
	struct fixture *f = with_hooks();
	struct peer *p;
	char delegated[PREFIX_TEXT];

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	snprintf(delegated, sizeof(delegated), "%s", text_of(&p->engine.state.binding.prefixes[0].prefix));
	concentrator_clear(f->c, "alice", 0);
	fixture_until(f, p->downs);
	fixture_until(f, f->hook_count == 3);
	check(f, 2, "down", "SOFTWIRE_DELEGATED6", delegated);
	check(f, 2, "down", "SOFTWIRE_REASON", "cleared by the operator");
	fixture_free(f);
}

/* Each up has its down, also when the peer does not live to see it. */
static void a_stop_tells_everybody_down_once(void **state)
{
	for (int dead = 0; dead < 2; dead++) {
		struct fixture *f = with_hooks();
		struct peer *p;
		unsigned downs = 0;

		fixture_start(f);
		p = peer_up(f, 2, "alice");
		peer_up(f, 3, "bob");
		p->mute = dead;
		fixture_stop(f);
		for (unsigned n = 0; n < f->hook_count; n++)
			if (strcmp(f->hooks[n].event, "down") == 0) {
				check(f, n, "down", "SOFTWIRE_REASON", "the concentrator shuts down");
				downs++;
			}
		assert_int_equal(downs, 2);
		assert_true(f->forgotten); /* hooks may take longer than we live */
		fixture_free(f);
	}
}

static void who_never_came_up_is_not_told(void **state)
{
	struct fixture *f = with_hooks();
	struct peer *p;

	fixture_start(f);
	p = peer_new(f, 2, "alice");
	p->password = "looking-glass";
	peer_open(p);
	fixture_until(f, p->downs);
	fixture_pass(f, 1000);
	assert_int_equal(f->hook_count, 0);
	fixture_free(f);
}

static void only_what_is_configured_is_run(void **state)
{
	struct fixture *f = with_hooks();
	struct concentrator_config config;
	struct peer *p;

	f->config.hooks[HOOK_UP][0] = f->config.hooks[HOOK_CHANGE][0] = '\0';
	fixture_start(f);
	p = peer_up(f, 2, "alice");
	assert_int_equal(f->hook_count, 0);
	concentrator_clear(f->c, NULL, 0);
	fixture_until(f, p->downs);
	fixture_until(f, f->hook_count == 1);
	check(f, 0, "down", "SOFTWIRE_USER", "alice");
	config = f->config; /* a reload switches it on */
	snprintf(config.hooks[HOOK_UP], sizeof(config.hooks[HOOK_UP]), "/other");
	fixture_reload(f, &config);
	peer_up(f, 3, "alice");
	check(f, 1, "up", "SOFTWIRE_USER", "alice");
	assert_string_equal(f->hooks[1].path, "/other");
	fixture_free(f);
}

static void the_slot_is_in_the_key(void **state)
{
	struct fixture *f = with_hooks();

	fixture_start(f);
	peer_up(f, 2, "bob");
	peer_up(f, 3, "bob");
	assert_string_equal(f->hooks[0].key, "bob/0");
	assert_string_equal(f->hooks[2].key, "bob/1");
	fixture_free(f);
}

/* Nothing waits for a hook, and nothing depends on it. */
static void a_hook_that_fails_is_counted_and_logged(void **state)
{
	struct fixture *f = with_hooks();
	struct peer *p;

	f->hook_result = -ENOBUFS;
	fixture_start(f);
	p = peer_up(f, 2, "alice");
	assert_int_equal(p->downs, 0);
	assert_int_equal(f->c->role_counters.hooks_failed, 2);
	assert_true(fixture_logged(f, "event=hook-failed"));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_softwire_tells_its_life),
		cmocka_unit_test(ipv4_is_told_beside_ipv6),
		cmocka_unit_test(down_tells_what_was_still_in_use),
		cmocka_unit_test(a_stop_tells_everybody_down_once),
		cmocka_unit_test(who_never_came_up_is_not_told),
		cmocka_unit_test(only_what_is_configured_is_run),
		cmocka_unit_test(the_slot_is_in_the_key),
		cmocka_unit_test(a_hook_that_fails_is_counted_and_logged),
	};

	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}

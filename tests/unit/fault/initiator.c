/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initiator while memory is short and system calls fail, one at a time.
 *
 * Whatever fails: nothing crashes, a start that comes to nothing says why, a softwire that could not come up comes up by trying again, and one
 * that is up stays up.
 */
#include "../initiator/fixture.h"

#include <jansson.h>

#include "role.h"

enum { STEP_MS = 250, PATIENCE_STEPS = 1200 };

/* ---- the keeper ---- */

KEEPER(keeper_open_icmp6, (struct keeper_client *c, const char *interface, keeper_answer *answer, void *owner), c, interface)
KEEPER(keeper_link_mtu, (struct keeper_client *c, const char *device, uint32_t mtu, keeper_answer *answer, void *owner), c, device, mtu)
KEEPER(keeper_dns,
	(struct keeper_client *c, const char *device, const struct addr *servers, unsigned count, keeper_answer *answer, void *owner), c,
	device, servers, count)
KEEPER(keeper_bridge,
	(struct keeper_client *c, const char *bridge, const char *const *ports, unsigned count, keeper_answer *answer, void *owner), c,
	bridge, ports, count)

static struct fixture *f;

/* ---- what happens in the scenes ---- */

static void on_started(void *owner, int result)
{
	f->started = true;
	f->result = result;
}

static void start(bool arm)
{
	f = fixture_new();
	fixture_ipv4(f, "203.0.113.248/29");
	f->config.hello_ms = 5000;
	snprintf(f->config.hooks[INITIATOR_HOOK_UP], sizeof(f->config.hooks[INITIATOR_HOOK_UP]), "/bin/true");
	role_arm(arm ? &f->loop : NULL);
	inject_on(arm);
	f->i = initiator_new(&f->loop, &f->log, (struct keeper_client *)(void *)f, &f->rng, &f->config);
	if (f->i)
		initiator_start(f->i, on_started, NULL);
	inject_on(false);
	if (f->i)
		fixture_until(f, f->started);
}

static bool is_up(void)
{
	const struct softwire_si_state *s = f->i->current ? &f->i->current->engine.state : NULL;

	return s && f->i->state == INITIATOR_UP && s->has_address && s->has_binding && !addr_is_none(&s->address4) && s->has_binding4;
}

static bool is_in_the_kernel(void)
{
	return f->default_metric && f->default4_metric && f->dns_count;
}

/* As long as a user would wait. */
static void assert_up(void)
{
	for (unsigned n = 0; n < PATIENCE_STEPS && !(is_up() && is_in_the_kernel()); n++)
		fixture_pass(f, STEP_MS);
	if (!is_up() || !is_in_the_kernel())
		fail_msg("the softwire does not come up any more (%s)", f->i->last_error);
}

static void end(void)
{
	role_arm(NULL);
	fixture_free(f);
}

/* ---- the scenes ---- */

static void starting(void)
{
	start(true);
	role_arm(NULL);
	if (!f->i || f->result) {
		assert_true(inject_happened());
		assert_true(!f->i || fixture_logged(f, "level=error"));
	} else {
		assert_up();
	}
	end();
}

static void connecting(void)
{
	start(false);
	role_arm(&f->loop);
	assert_up();
	fixture_pass(f, 5000);
	role_arm(NULL);
	assert_up();
	end();
}

/* What keeps it up, and what the operator does meanwhile. */
static void keeping(void)
{
	start(false);
	assert_up();
	role_arm(&f->loop);
	fixture_pass(f, 20000);
	inject_on(true);
	json_decref(initiator_show(f->i));
	json_decref(initiator_show_tunnel(f->i));
	json_decref(initiator_show_leases(f->i));
	json_decref(initiator_show_counters(f->i));
	initiator_hint(f->i, "the host's address changed");
	initiator_reload(f->i, &f->config);
	inject_on(false);
	fixture_pass(f, 10000);
	role_arm(NULL);
	assert_up();
	if (f->i->reconnects)
		fail_msg("what was up went down: %s", f->i->last_error);
	end();
}

/* The server forgets it, and it finds back. */
static void coming_back(void)
{
	start(false);
	assert_up();
	role_arm(&f->loop);
	fixture_again(f);
	role_arm(NULL);
	assert_up();
	end();
}

static void stopping(void)
{
	start(false);
	assert_up();
	role_arm(&f->loop);
	fixture_stop(f);
	end();
}

int main(void)
{
	static const struct inject_scene scenes[] = {
		{"a start that fails says why", starting},
		{"it connects by trying again", connecting},
		{"upkeep and questions harm nobody", keeping},
		{"it finds back", coming_back},
		{"an end is an end", stopping, .no_memory = true},
	};

	return inject_main("initiator under failures", scenes, sizeof(scenes) / sizeof(*scenes));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The concentrator while memory is short and system calls fail, one at a time.
 *
 * Whatever fails: nothing crashes, a start that comes to nothing says why, who was up stays up, and who could not come in for the failure
 * comes in by trying again.
 */
#include "../concentrator/fixture.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "concentrator/role.h"
#include "lease/store.h"
#include "role.h"

enum { STEP_MS = 250, ATTEMPT_STEPS = 480, ATTEMPTS = 4, DISK_ROUNDS = 30000 };

/* ---- the keeper ---- */

KEEPER(keeper_open_udp, (struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner), c, local)

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
	role_arm(arm ? &f->loop : NULL);
	fixture_ipv4(f);
	f->config.hello_ms = 5000;
	f->config.router_lifetime = 30;
	f->config.pools[0].preferred = 20;
	f->config.pools[0].valid = 40;
	snprintf(f->config.hooks[HOOK_UP], sizeof(f->config.hooks[HOOK_UP]), "/bin/true");
	inject_on(role_is_armed());
	f->c = concentrator_new(&f->loop, &f->log, (struct keeper_client *)(void *)f, &f->rng, &f->config);
	if (f->c)
		concentrator_start(f->c, on_started, NULL);
	inject_on(false);
	if (f->c)
		fixture_until(f, f->started);
}

/*
 * The thread that commits leases lives in real time, and on a busy machine it is slow: made time waits for it, or a second of the disk's would be hours of the
 * users'. What has failed may never be answered, so not for ever.
 */
static void wait_for_disk(void)
{
	static unsigned rounds;

	while (f->c && f->c->leases && !committer_is_idle(f->c->leases->committer) && rounds++ < DISK_ROUNDS)
		fixture_round(f);
}

static void pass(msec ms)
{
	for (msec part = 0; ms; ms -= part) {
		part = ms < STEP_MS ? ms : STEP_MS;
		wait_for_disk();
		fixture_pass(f, part);
	}
}

static bool is_complete(const struct peer *p)
{
	return p->engine.state.has_binding && p->engine.state.has_address && !addr_is_none(&p->engine.state.address4);
}

/* Tries as long as a user's router would. */
static struct peer *connect_user(uint8_t host, const char *user)
{
	for (unsigned n = 0; n < ATTEMPTS; n++) {
		struct peer *p = peer_new(f, (uint8_t)(host + n), user);

		peer_wants(p, true, true, true);
		peer_open(p);
		for (unsigned step = 0; step < ATTEMPT_STEPS && !p->downs && !is_complete(p); step++)
			pass(STEP_MS);
		if (!p->downs && is_complete(p))
			return p;
	}
	fail_msg("%s does not come up any more:\n%s", user, f->lines);
	return NULL;
}

static void assert_alive(struct peer *p)
{
	if (p->softwire)
		softwire_probe(p->softwire, loop_now(&f->loop));
	pass(8000);
	if (p->downs || !p->up6 || !p->up4)
		fail_msg("somebody who was up is down: %s\n%s", p->why.text, f->lines);
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
	if (!f->c || f->result) {
		assert_true(inject_happened());
		assert_true(!f->c || fixture_logged(f, "level=error"));
	} else {
		connect_user(2, "alice");
	}
	end();
}

static void connecting(void)
{
	struct peer *alice;

	start(false);
	alice = connect_user(2, "alice");
	role_arm(&f->loop);
	connect_user(10, "bob");
	role_arm(NULL);
	assert_alive(alice);
	end();
}

/* What keeps a softwire up, and what the operator does meanwhile. */
static void keeping(void)
{
	struct peer *alice;

	start(false);
	alice = connect_user(2, "alice");
	role_arm(&f->loop);
	pass(40000); /* HELLO, advertisements, renewals */
	inject_on(true);
	json_decref(concentrator_show_softwires(f->c, NULL));
	json_decref(concentrator_show_tunnels(f->c, NULL));
	json_decref(concentrator_show_leases(f->c, NULL));
	json_decref(concentrator_show_counters(f->c));
	(void)fixture_reload(f, &f->config);
	inject_on(false);
	pass(1000);
	role_arm(NULL);
	assert_alive(alice);
	connect_user(10, "bob");
	end();
}

static void stopping(void)
{
	struct peer *alice;

	start(false);
	alice = connect_user(2, "alice");
	connect_user(10, "bob");
	role_arm(&f->loop);
	inject_on(true);
	concentrator_clear(f->c, "bob", 0);
	inject_on(false);
	pass(2000);
	fixture_stop(f);
	role_arm(NULL);
	pass(20000);
	assert_int_equal(alice->downs, 1);
	end();
}

int main(void)
{
	static const struct inject_scene scenes[] = {
		{"a start that fails says why", starting},
		{"who cannot come in tries again, and who is up stays up", connecting},
		{"upkeep and questions harm nobody", keeping},
		{"an end is an end", stopping},
	};

	return inject_main("concentrator under failures", scenes, sizeof(scenes) / sizeof(*scenes));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's life with its engine: becoming nobody, dying and coming back, signals, and what is left behind (nothing).
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <net/route.h>

#include "stage.h"

/* ---- an engine that looks at itself ---- */

enum {
	LOOK_UID,
	LOOK_EUID,
	LOOK_GID,
	LOOK_GROUPS,
	LOOK_CAPS,
	LOOK_PRIVS,
	LOOK_DUMP,
	LOOK_CORE,
	LOOK_FDS,
	LOOK_OPEN
};

/* Sum of the capability sets in /proc/self/status. */
static unsigned long long capabilities(void)
{
	static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};
	unsigned long long all = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	if (!f)
		return ~0ULL;
	while (fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
			if (!strncmp(line, sets[i], strlen(sets[i])))
				all |= strtoull(line + strlen(sets[i]), NULL, 16);
	fclose(f);
	return all;
}

static int look_at_yourself(struct stage *s, int fd)
{
	struct rlimit core;
	int open_fds = 0;

	for (int i = 3; i < 1024; i++)
		if (i != fd && fcntl(i, F_GETFD) >= 0)
			open_fds++;
	getrlimit(RLIMIT_CORE, &core);
	s->notes->values[LOOK_UID] = (int)getuid();
	s->notes->values[LOOK_EUID] = (int)geteuid();
	s->notes->values[LOOK_GID] = (int)getegid();
	s->notes->values[LOOK_GROUPS] = getgroups(0, NULL);
	s->notes->values[LOOK_CAPS] = capabilities() == 0;
	s->notes->values[LOOK_PRIVS] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	s->notes->values[LOOK_DUMP] = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	s->notes->values[LOOK_CORE] = (int)core.rlim_max;
	s->notes->values[LOOK_FDS] = open_fds;
	s->notes->values[LOOK_OPEN] = open(s->file, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
	return 0;
}

static void see_that_it_is_nobody(const struct stage *s)
{
	assert_int_equal(s->notes->lives, 1);
	assert_int_equal(s->notes->values[LOOK_UID], 65534);
	assert_int_equal(s->notes->values[LOOK_EUID], 65534);
	assert_int_equal(s->notes->values[LOOK_GID], 65534);
	assert_int_equal(s->notes->values[LOOK_PRIVS], 1);
	assert_int_equal(s->notes->values[LOOK_DUMP], 0);
	assert_int_equal(s->notes->values[LOOK_CORE], 0);
	assert_int_equal(s->notes->values[LOOK_FDS], 0);
	assert_int_equal(s->notes->values[LOOK_OPEN], EACCES);
}

static void engine_is_nobody_and_has_nothing(void **state)
{
	static const char *const users[] = {"nobody", "a-user-who-does-not-exist"};

	for (size_t i = 0; i < 2; i++) {
		struct stage *s = stage_new(false);

		s->policy.user = users[i];
		stage_start(s, look_at_yourself);
		assert_int_equal(stage_end(s), 0);
		see_that_it_is_nobody(s);
		assert_int_equal(s->notes->values[LOOK_GROUPS], 0);
		assert_true(s->notes->values[LOOK_CAPS]);
		stage_free(s);
	}
}

/* A developer without root: nothing to drop, and the rest is as it is. */
static int run_as_developer(struct stage *s, int fd)
{
	struct endpoint any = to_endpoint("0.0.0.0:0");
	struct actor a;

	look_at_yourself(s, fd);
	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_udp, &any));
	note(s, ASK(&a, keeper_open_file, s->file));
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	actor_done(&a);
	return 0;
}

static void a_keeper_without_root_does_what_it_can(void **state)
{
	struct stage *s = stage_new(false);

	s->as_nobody = true;
	s->policy.runtime_directory = NULL;
	stage_start(s, run_as_developer);
	assert_int_equal(stage_end(s), 0);
	see_that_it_is_nobody(s);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->results[1], -EACCES);
	assert_true(s->notes->results[2] < 0);
	stage_free(s);
}

/* ---- dying and coming back ---- */

static int crash_once(struct stage *s, int fd)
{
	struct endpoint any = to_endpoint("0.0.0.0:0"), bound;
	struct prefix pool = to_prefix("2001:db8:100::/48");
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	int life = s->notes->lives;
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	s->notes->values[2 * life] = (int)if_nametoindex("si-test");
	note(s, ASK(&a, keeper_open_udp, &any));
	getsockname(a.fd, (struct sockaddr *)&sa, &len);
	endpoint_from_sockaddr((struct sockaddr *)&sa, &bound);
	s->notes->values[2 * life + 1] = bound.port;
	note(s, ASK(&a, keeper_route, true, &pool, KEEPER_ROUTE_DEVICE, "si-test", NULL, 9));
	note(s, ASK(&a, keeper_route, true, &pool, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 10));
	if (life == 1)
		abort();
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

static const char pool6[] = "20010db8010000000000000000000000";

static void crashed_engine_comes_back_to_its_devices_and_ports(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, crash_once);
	assert_true(stage_wait(&s->notes->ready, 1));
	assert_int_equal(namespace_routes6(pool6, 48, "si-test", RTF_UP), 1);
	assert_int_equal(namespace_routes6(pool6, 48, "lo", RTF_REJECT), 1);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 2);
	assert_int_equal(s->notes->count, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(s->notes->results[i], 0);
	assert_true(s->notes->values[2] > 0);
	assert_int_equal(s->notes->values[2], s->notes->values[4]); /* the same device */
	assert_true(s->notes->values[3] > 0);
	assert_int_equal(s->notes->values[3], s->notes->values[5]); /* the same port */
	/* And then nothing is left. */
	assert_int_equal(if_nametoindex("si-test"), 0);
	assert_int_equal(namespace_routes6(pool6, 48, "lo", RTF_REJECT), 0);
	stage_free(s);
}

static int fail_thrice(struct stage *s, int fd)
{
	s->notes->values[s->notes->lives] = (int)milliseconds();
	return s->notes->lives <= 3 ? 1 : 0;
}

static void restarts_wait_longer_and_longer(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, fail_thrice);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 4);
	/* Not earlier; later as far as the machine is busy. */
	assert_in_range(s->notes->values[2] - s->notes->values[1], 200, 3000);
	assert_in_range(s->notes->values[3] - s->notes->values[2], 400, 3000);
	assert_in_range(s->notes->values[4] - s->notes->values[3], 800, 3000);
	stage_free(s);
}

static int give_up(struct stage *s, int fd)
{
	return KEEPER_GIVE_UP;
}

static void an_engine_that_gives_up_is_not_tried_again(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, give_up);
	assert_int_equal(stage_end(s), KEEPER_GIVE_UP);
	assert_int_equal(s->notes->lives, 1);
	stage_free(s);
}

/* It was there, dies, and its successor finds a file that is wrong for a moment. */
static int give_up_in_the_middle(struct stage *s, int fd)
{
	struct actor a;

	if (s->notes->lives > 1)
		return s->notes->lives == 2 ? KEEPER_GIVE_UP : 0;
	actor_init(&a, fd);
	keeper_ready(a.client);
	note(s, ASK(&a, keeper_open_file, s->file));
	return 1;
}

static void an_engine_that_was_ready_once_is_tried_again(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, give_up_in_the_middle);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 3);
	stage_free(s);
}

static int close_channel(struct stage *s, int fd)
{
	if (s->notes->lives > 1)
		return 0;
	close(fd);
	return sleep_for_ever();
}

static void an_engine_that_closes_its_channel_is_replaced(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, close_channel);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 2);
	stage_free(s);
}

/* ---- signals ---- */

static volatile sig_atomic_t signals_seen;

static void on_signal(int number)
{
	signals_seen++;
}

/* Adds a route, and deletes it when told to end: the keeper must still listen then. */
static int end_in_order(struct stage *s, int fd)
{
	struct prefix pool = to_prefix("2001:db8:100::/48");
	struct actor a;

	signal(SIGTERM, on_signal);
	actor_init(&a, fd);
	note(s, ASK(&a, keeper_route, true, &pool, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 10));
	s->notes->ready = 1;
	while (!signals_seen)
		usleep(1000);
	note(s, ASK(&a, keeper_route, false, &pool, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 10));
	s->notes->values[0] = namespace_routes6(pool6, 48, "lo", RTF_REJECT);
	actor_done(&a);
	return 0;
}

static void sigterm_lets_the_engine_end_first(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT};

	for (size_t i = 0; i < 2; i++) {
		struct stage *s = stage_new(false);

		stage_start(s, end_in_order);
		assert_true(stage_wait(&s->notes->ready, 1));
		kill(s->keeper, signals[i]);
		assert_int_equal(stage_end(s), 0);
		assert_int_equal(s->notes->lives, 1);
		assert_int_equal(s->notes->results[0], 0);
		assert_int_equal(s->notes->results[1], 0);
		assert_int_equal(s->notes->values[0], 0);
		stage_free(s);
	}
}

/* Asks at the last moment and does not wait: what was sent is still done. */
static int ask_and_leave(struct stage *s, int fd)
{
	struct prefix pool = to_prefix("2001:db8:100::/48");
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_forwarding, AF_INET));
	keeper_route(a.client, true, &pool, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 10, NULL, NULL);
	if (s->notes->lives == 1)
		abort();
	s->notes->values[0] = namespace_routes6(pool6, 48, "lo", RTF_REJECT);
	_exit(0); /* as it is: nothing is freed */
}

static void requests_of_a_dead_engine_are_still_done(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, ask_and_leave);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 2);
	assert_int_equal(s->notes->values[0], 1);
	stage_free(s);
}

static int ignore_sigterm(struct stage *s, int fd)
{
	signal(SIGTERM, SIG_IGN);
	s->notes->ready = 1;
	return sleep_for_ever();
}

static void a_second_sigterm_kills(void **state)
{
	struct stage *s = stage_new(false);
	int64_t begin = milliseconds();

	stage_start(s, ignore_sigterm);
	assert_true(stage_wait(&s->notes->ready, 1));
	kill(s->keeper, SIGTERM);
	usleep(100000);
	assert_int_equal(waitpid(s->keeper, NULL, WNOHANG), 0);
	kill(s->keeper, SIGTERM);
	assert_int_equal(stage_end(s), 1);
	assert_true(milliseconds() - begin < 4000);
	stage_free(s);
}

static void five_seconds_kill(void **state)
{
	struct stage *s = stage_new(false);
	int64_t begin;

	stage_start(s, ignore_sigterm);
	assert_true(stage_wait(&s->notes->ready, 1));
	begin = milliseconds();
	kill(s->keeper, SIGTERM);
	assert_int_equal(stage_end(s), 1);
	assert_in_range(milliseconds() - begin, 4900, 7000);
	stage_free(s);
}

static const struct keeper_policy *read_again(void *arg)
{
	struct stage *s = arg;

	s->tuns[1] = "sc1"; /* sc0 is gone from the configuration, and here is another */
	s->lans[0] = "lan1";
	return &s->policy; /* the same one, written over */
}

static const struct keeper_policy *read_errors(void *arg)
{
	struct stage *s = arg;

	return s->notes->go ? &s->policy : NULL;
}

static int reload_twice(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_reload));
	s->notes->go = 1; /* the file is repaired */
	note(s, ASK(&a, keeper_reload));
	note(s, ASK(&a, keeper_open_tun, "sc0", 1400));
	actor_done(&a);
	return 0;
}

static void the_engine_learns_that_a_configuration_was_refused(void **state)
{
	struct stage *s = stage_new(true);

	s->policy.reload = read_errors;
	stage_start(s, reload_twice);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], -EINVAL);
	assert_int_equal(s->notes->results[1], 0);
	assert_int_equal(s->notes->results[2], 0);
	stage_free(s);
}

static const char lan6[] = "20010db8000100020000000000000001";

/* The first one is told of another configuration while it works with the old one; the second one begins with the new. */
static int reload_policy(struct stage *s, int fd)
{
	struct addr lan = to_addr("2001:db8:1:2::1");
	struct actor a;

	signal(SIGHUP, on_signal);
	actor_init(&a, fd);
	if (s->notes->lives == 1) {
		note(s, ASK(&a, keeper_open_tun, "sc0", 1400));
		close(a.fd);
		note(s, ASK(&a, keeper_address, true, "lan0", &lan, 64, 7200, 3600));
		s->notes->ready = 1;
		while (!s->notes->go && !signals_seen)
			usleep(1000);
		note(s, ASK(&a, keeper_reload));
	}
	s->notes->values[s->notes->lives] = if_nametoindex("sc0") != 0; /* the keeper holds it */
	s->notes->values[10 + s->notes->lives] = namespace_address6(lan6, "lan0") >= 0;
	note(s, ASK(&a, keeper_open_tun, "sc0", 1400));
	note(s, ASK(&a, keeper_address, true, "lan0", &lan, 64, 7200, 3600));
	note(s, ASK(&a, keeper_open_tun, "sc1", 1400));
	actor_done(&a);
	return s->notes->lives == 1 ? 1 : 0;
}

static void reload_takes_nothing_from_the_engine_that_runs(void **state)
{
	for (int by_signal = 0; by_signal < 2; by_signal++) {
		struct stage *s = stage_new(true);

		s->policy.reload = read_again;
		stage_start(s, reload_policy);
		assert_true(stage_wait(&s->notes->ready, 1));
		if (by_signal)
			kill(s->keeper, SIGHUP); /* is passed on */
		else
			s->notes->go = 1;
		assert_int_equal(stage_end(s), 0);
		assert_int_equal(s->notes->lives, 2);
		for (int i = 0; i < 6; i++)
			if (s->notes->results[i])
				fail_msg("step %d: %d", i, s->notes->results[i]);
		assert_int_equal(s->notes->values[1], 1);
		assert_int_equal(s->notes->values[11], 1);
		/* The next one has the new names only. */
		assert_int_equal(s->notes->values[2], 0);
		assert_int_equal(s->notes->values[12], 0);
		assert_int_equal(s->notes->results[6], -EPERM);
		assert_int_equal(s->notes->results[7], -EPERM);
		assert_int_equal(s->notes->results[8], 0);
		stage_free(s);
	}
}

static const struct keeper_policy *go_back(void *arg)
{
	struct stage *s = arg;

	s->tuns[1] = "sc0";
	s->lans[0] = "lan0";
	return &s->policy;
}

/* The first one reads another configuration and has no use for it; the second one gets the one before. */
static int reload_in_vain(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	if (s->notes->lives == 1) {
		note(s, ASK(&a, keeper_reload));
		keeper_reload_back(a.client);
	}
	note(s, ASK(&a, keeper_open_tun, "sc0", 1400));
	note(s, ASK(&a, keeper_open_tun, "sc1", 1400));
	actor_done(&a);
	return s->notes->lives == 1 ? 1 : 0;
}

static void a_reload_in_vain_is_taken_back(void **state)
{
	struct stage *s = stage_new(true);

	s->policy.reload = read_again;
	s->policy.reload_back = go_back;
	stage_start(s, reload_in_vain);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 2);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->results[1], 0);
	assert_int_equal(s->notes->results[2], 0); /* what was allowed meanwhile stays so while it runs */
	assert_int_equal(s->notes->results[3], 0);
	assert_int_equal(s->notes->results[4], -EPERM);
	stage_free(s);
}

static int close_device(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "sc0", 1400));
	close(a.fd);
	s->notes->values[0] = if_nametoindex("sc0") != 0; /* the keeper holds it */
	note(s, ASK(&a, keeper_close_tun, "sc0"));
	s->notes->values[1] = if_nametoindex("sc0") != 0;
	note(s, ASK(&a, keeper_close_tun, "sc0"));
	note(s, ASK(&a, keeper_close_tun, "lo"));
	note(s, ASK(&a, keeper_open_tun, "sc0", 1400));
	actor_done(&a);
	return 0;
}

static void a_device_that_is_closed_vanishes(void **state)
{
	struct stage *s = stage_new(true);

	stage_start(s, close_device);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->values[0], 1);
	assert_int_equal(s->notes->results[1], 0);
	assert_int_equal(s->notes->values[1], 0);
	assert_int_equal(s->notes->results[2], -ENOENT);
	assert_int_equal(s->notes->results[3], -EPERM);
	assert_int_equal(s->notes->results[4], 0);
	stage_free(s);
}

/* ---- leaks, where somebody counts ---- */

#if defined(__SANITIZE_ADDRESS__)
#define COUNTS_LEAKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTS_LEAKS 1
#endif
#endif
#ifndef COUNTS_LEAKS
#define COUNTS_LEAKS 0
#endif

static int leak_once(struct stage *s, int fd)
{
	void *volatile lost;

	if (s->notes->lives > 1)
		return 0;
	lost = malloc(77);
	lost = NULL;
	return lost != NULL;
}

static void an_engine_that_leaks_does_not_end_well_under_asan(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, leak_once);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(
		s->notes->lives, COUNTS_LEAKS ? 2 : 1); /* a status that is not 0: it is started again */
	stage_free(s);
}

/* ---- the keeper's own death ---- */

static int outlive_keeper(struct stage *s, int fd)
{
	struct actor a;

	signal(SIGTERM, SIG_IGN);
	actor_init(&a, fd);
	s->notes->ready = 1;
	while (!a.lost)
		(void)loop_run(&a.loop);
	keeper_link_mtu(a.client, "si-test", 1400, actor_answer, &a);
	s->notes->values[0] = a.answered;
	s->notes->values[1] = a.result;
	actor_done(&a);
	s->notes->go = 1;
	return 0;
}

static void engine_learns_of_the_keepers_death(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, outlive_keeper);
	assert_true(stage_wait(&s->notes->ready, 1));
	kill(s->keeper, SIGKILL);
	assert_int_equal(stage_end(s), -SIGKILL);
	assert_true(stage_wait(&s->notes->go, 1));
	assert_int_equal(s->notes->values[0], 1);
	assert_int_equal(s->notes->values[1], -EPIPE);
	stage_free(s);
}

static int just_sleep(struct stage *s, int fd)
{
	s->notes->ready = 1;
	return sleep_for_ever();
}

static void engine_does_not_outlive_the_keeper(void **state)
{
	struct stage *s = stage_new(false);
	bool gone = false;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	stage_start(s, just_sleep);
	assert_true(stage_wait(&s->notes->ready, 1));
	kill(s->keeper, SIGKILL);
	assert_int_equal(stage_end(s), -SIGKILL);
	for (int i = 0; i < 5000 && !gone; i++) {
		gone = waitpid(s->notes->engine, NULL, WNOHANG) == s->notes->engine;
		usleep(1000);
	}
	assert_true(gone);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_is_nobody_and_has_nothing),
		cmocka_unit_test(a_keeper_without_root_does_what_it_can),
		cmocka_unit_test(crashed_engine_comes_back_to_its_devices_and_ports),
		cmocka_unit_test(restarts_wait_longer_and_longer),
		cmocka_unit_test(an_engine_that_gives_up_is_not_tried_again),
		cmocka_unit_test(an_engine_that_was_ready_once_is_tried_again),
		cmocka_unit_test(an_engine_that_closes_its_channel_is_replaced),
		cmocka_unit_test(sigterm_lets_the_engine_end_first),
		cmocka_unit_test(requests_of_a_dead_engine_are_still_done),
		cmocka_unit_test(a_second_sigterm_kills),
		cmocka_unit_test(five_seconds_kill),
		cmocka_unit_test(the_engine_learns_that_a_configuration_was_refused),
		cmocka_unit_test(reload_takes_nothing_from_the_engine_that_runs),
		cmocka_unit_test(a_reload_in_vain_is_taken_back),
		cmocka_unit_test(a_device_that_is_closed_vanishes),
		cmocka_unit_test(an_engine_that_leaks_does_not_end_well_under_asan),
		cmocka_unit_test(engine_learns_of_the_keepers_death),
		cmocka_unit_test(engine_does_not_outlive_the_keeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

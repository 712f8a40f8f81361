/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one keeper to the next. The test plays the service manager: it listens where the keeper notifies, keeps the descriptors that it is given, kills
 * the keeper, and starts another one with them.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <net/route.h>

#include "stage.h"

enum { KEPT_MAX = 32, FIRST = 3 };

struct manager {
	int socket;
	char path[80];
	char names[KEPT_MAX][32];
	int fds[KEPT_MAX];
	unsigned count;
	bool ready, stopping;
};

static struct manager *manager_new(struct stage *s)
{
	struct manager *m = calloc(1, sizeof(*m));
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	assert_non_null(m);
	snprintf(m->path, sizeof(m->path), "%s/notify", s->folder);
	strcpy(sa.sun_path, m->path);
	m->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(m->socket, (struct sockaddr *)&sa, sizeof(sa)), 0);
	s->more = m;
	return m;
}

static void forget(struct manager *m, const char *name)
{
	for (unsigned i = 0; i < m->count; i++) {
		if (strcmp(m->names[i], name) != 0)
			continue;
		close(m->fds[i]);
		m->count--;
		m->fds[i] = m->fds[m->count];
		memcpy(m->names[i], m->names[m->count], sizeof(m->names[i]));
		i--;
	}
}

static void one_message(struct manager *m)
{
	char text[512] = "", ancillary[CMSG_SPACE(sizeof(int))], *name;
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ancillary,
		.msg_controllen = sizeof(ancillary)};
	const struct cmsghdr *c;

	assert_true(recvmsg(m->socket, &msg, MSG_CMSG_CLOEXEC) > 0);
	m->ready |= strstr(text, "READY=1") != NULL;
	m->stopping |= strstr(text, "STOPPING=1") != NULL;
	name = strstr(text, "FDNAME=");
	if (!name)
		return;
	name += strlen("FDNAME=");
	assert_null(strchr(name, ':'));
	if (strstr(text, "FDSTOREREMOVE=1")) {
		forget(m, name);
		return;
	}
	assert_non_null(strstr(text, "FDPOLL=0"));
	c = CMSG_FIRSTHDR(&msg);
	assert_non_null(c);
	assert_true(m->count < KEPT_MAX);
	memcpy(&m->fds[m->count], CMSG_DATA(c), sizeof(int));
	snprintf(m->names[m->count++], sizeof(m->names[0]), "%s", name);
}

static void hear(struct manager *m)
{
	struct pollfd p = {.fd = m->socket, .events = POLLIN};

	while (poll(&p, 1, 0) > 0)
		one_message(m);
}

/* As sd_listen_fds(3) says, in the keeper's process. */
static void give_all(struct stage *s)
{
	const struct manager *m = s->more;
	char text[KEPT_MAX * 33] = "";
	int copies[KEPT_MAX];
	size_t len = 0;

	setenv("NOTIFY_SOCKET", m->path, 1);
	for (unsigned i = 0; i < m->count; i++)
		copies[i] = fcntl(m->fds[i], F_DUPFD, 200);
	for (unsigned i = 0; i < m->count; i++) {
		dup2(copies[i], FIRST + (int)i);
		close(copies[i]);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? ":" : "", m->names[i]);
	}
	if (!m->count)
		return;
	setenv("LISTEN_FDNAMES", text, 1);
	snprintf(text, sizeof(text), "%u", m->count);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
}

static void manager_free(struct manager *m)
{
	while (m->count)
		forget(m, m->names[0]);
	close(m->socket);
	free(m);
}

/* ---- an engine that asks for everything ---- */

static int port_of(int fd)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	struct endpoint e = {0};

	getsockname(fd, (struct sockaddr *)&sa, &len);
	endpoint_from_sockaddr((struct sockaddr *)&sa, &e);
	return e.port;
}

enum { DEVICE, PORT, OWN_PORT, TAP, LISTENER, WORD, FORWARDING, STORED, VALUES };

static const char *const taps[] = {"softwire0"}, *const clients[] = {"lan0"};
static const char core6[] = "2001:db8:c::/48", raw6[] = "2001:db8:c::1";

/* With a LAN, too. */
static struct stage *stage_with_mesh(void)
{
	static struct prefix core;
	static struct addr raw;
	struct stage *s = stage_new(true);

	core = to_prefix(core6);
	raw = to_addr(raw6);
	s->policy.raws = &raw;
	s->policy.raw_count = 1;
	s->policy.taps = taps;
	s->policy.borders = clients;
	s->policy.border_sets = &core;
	s->policy.tap_count = s->policy.border_count = s->policy.border_set_count = 1;
	return s;
}

static int ask_for_everything(struct stage *s, int fd)
{
	struct endpoint any = to_endpoint("0.0.0.0:0"), bgp = to_endpoint("[::1]:179");
	struct stat listener;
	uint32_t number = 7;
	struct prefix pool = to_prefix("2001:db8:100::/48"), core = to_prefix(core6);
	struct addr lan = to_addr("2001:db8:1:2::1"), raw = to_addr(raw6);
	volatile int *values = s->notes->values + VALUES * s->notes->lives;
	int own = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET};
	char word[8] = "";
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1400));
	values[DEVICE] = (int)if_nametoindex("si-test");
	note(s, ASK(&a, keeper_open_udp, &any));
	values[PORT] = port_of(a.fd);
	note(s, ASK(&a, keeper_open_state, "si-test"));
	if (pread(a.fd, word, 4, 0) == 4)
		values[WORD] = strcmp(word, "word") == 0;
	else if (pwrite(a.fd, "word", 4, 0) != 4)
		return 1;
	note(s, ASK(&a, keeper_held_udp, "si-test"));
	if (a.result) {
		(void)bind(own, (struct sockaddr *)&sa, sizeof(sa));
		values[OWN_PORT] = port_of(own);
		note(s, ASK(&a, keeper_hold_udp, "si-test", own));
	} else {
		values[OWN_PORT] = port_of(a.fd);
		note(s, 0);
	}
	note(s, ASK(&a, keeper_address, true, "lan0", &lan, 64, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_route, true, &pool, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 10));
	note(s, ASK(&a, keeper_forwarding, AF_INET6));
	note(s, ASK(&a, keeper_open_control));
	note(s, ASK(&a, keeper_open_tcp, &bgp));
	values[LISTENER] = fstat(a.fd, &listener) ? 0 : (int)listener.st_ino;
	note(s, ASK(&a, keeper_open_tap, "softwire0", 9000));
	values[TAP] = (int)if_nametoindex("softwire0");
	note(s, s->notes->lives == 1 ? ASK(&a, keeper_neighbours, true, "softwire0", &number, 1) : 0);
	note(s, ASK(&a, keeper_borders, clients, 1, &core, 1));
	note(s, ASK(&a, keeper_open_raw, &raw, 47));
	values[STORED] = keeper_is_kept();
	keeper_ready(a.client);
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

enum { STEPS = 14 };

static const char pool6[] = "20010db8010000000000000000000000", lan6[] = "20010db8000100020000000000000001";

static bool forwards(void)
{
	return shown("cat /proc/sys/net/ipv6/conf/all/forwarding", "1", "") == 1;
}

static void hear_until_ready(struct stage *s, struct manager *m)
{
	assert_true(stage_wait(&s->notes->ready, 1));
	for (int i = 0; i < 5000 && !m->ready; i++) {
		hear(m);
		usleep(1000);
	}
	assert_true(m->ready);
}

static void start(struct stage *s)
{
	s->notes->ready = s->notes->go = 0;
	s->enter = give_all;
	stage_start(s, ask_for_everything);
}

/* Kills it, and waits until its engine is gone, too. */
static void kill_keeper(struct stage *s)
{
	pid_t engine = s->notes->engine;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	kill(s->keeper, SIGKILL);
	assert_int_equal(stage_end(s), -SIGKILL);
	assert_int_equal(waitpid(engine, NULL, 0), engine);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static void see_everything(const struct stage *s, bool there)
{
	assert_int_equal(if_nametoindex("si-test") != 0, there);
	assert_int_equal(namespace_address6(lan6, "lan0") >= 0, there);
	assert_int_equal(namespace_routes6(pool6, 48, "lo", RTF_REJECT), there);
	assert_int_equal(forwards(), there);
	assert_int_equal(access(s->control, F_OK) == 0, there);
	assert_int_equal(shown("ip -6 neigh show nud permanent", "fe80::7 dev softwire0", "02:00:00:00:00:07"), there);
	assert_int_equal(shown("ip -6 rule show", "171:", "iif lan0"), there ? 2 : 0);
	assert_int_equal(shown("ip -6 rule show", "171:", "iif lo"), there ? 1 : 0);
}

/* proves: PS-2 partial */
static void what_a_killed_keeper_held_and_changed_is_the_next_ones(void **state)
{
	struct stage *s = stage_with_mesh();
	struct manager *m = manager_new(s);
	const volatile int *values = s->notes->values;

	start(s);
	hear_until_ready(s, m);
	assert_true(m->count >= 8); /* devices, three sockets, state, control socket, ledger */
	kill_keeper(s);
	see_everything(s, true);

	m->ready = false;
	start(s);
	hear_until_ready(s, m);
	assert_int_equal(s->notes->lives, 2);
	for (int i = 0; i < 2 * STEPS; i++)
		if (s->notes->results[i] && i != 3)
			fail_msg("step %d: %d", i, s->notes->results[i]);
	assert_int_equal(s->notes->results[3], -ENOENT);
	for (int v = DEVICE; v <= LISTENER; v++) {
		assert_true(values[VALUES + v] > 0);
		assert_int_equal(values[2 * VALUES + v], values[VALUES + v]);
	}
	assert_int_equal(values[2 * VALUES + WORD], 1);
	assert_int_equal(values[VALUES + STORED], 1);

	/* And it undoes what the first one has done. */
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	hear(m);
	assert_true(m->stopping);
	assert_int_equal(m->count, 0);
	see_everything(s, false);
	manager_free(m);
	stage_free(s);
}

static void what_is_not_allowed_any_more_is_undone(void **state)
{
	struct stage *s = stage_with_mesh();
	struct manager *m = manager_new(s);

	start(s);
	hear_until_ready(s, m);
	kill_keeper(s);
	s->policy.lan_count = s->policy.border_count = s->policy.raw_count = 0; /* the configuration has changed meanwhile */
	m->ready = false;
	start(s);
	hear_until_ready(s, m);
	assert_true(namespace_address6(lan6, "lan0") < 0);
	assert_int_equal(s->notes->results[STEPS + 5], -EPERM);
	assert_int_equal(shown("ip -6 rule show", "171:", ""), 0);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	manager_free(m);
	stage_free(s);
}

static void descriptors_without_a_ledger_are_closed(void **state)
{
	struct stage *s = stage_with_mesh();
	struct manager *m = manager_new(s);
	int port;

	start(s);
	hear_until_ready(s, m);
	kill_keeper(s);
	port = s->notes->values[VALUES + PORT];
	forget(m, "ledger");
	strcpy(m->names[0], "somebody-elses");
	m->ready = false;
	start(s);
	hear_until_ready(s, m);
	/* The device could not be had again if the old one were still open, and the manager was told to let all go. */
	assert_int_equal(s->notes->values[2 * VALUES + WORD], 0);
	assert_true(s->notes->values[2 * VALUES + PORT] != port || s->notes->values[2 * VALUES + PORT] > 0);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	hear(m);
	assert_int_equal(m->count, 0);
	manager_free(m);
	stage_free(s);
}

static void a_ledger_that_is_damaged_gives_what_is_left_of_it(void **state)
{
	struct stage *s = stage_with_mesh();
	struct manager *m = manager_new(s);

	start(s);
	hear_until_ready(s, m);
	kill_keeper(s);
	for (unsigned i = 0; i < m->count; i++) {
		uint8_t byte = 0xff;

		if (strcmp(m->names[i], "ledger") != 0)
			continue;
		/* In the bytes of every record of the first two pages of records. */
		for (off_t at = 4096 + 64 + 30; at < 3 * 4096; at += 128)
			assert_int_equal(pwrite(m->fds[i], &byte, 1, at), 1);
	}
	m->ready = false;
	start(s);
	hear_until_ready(s, m);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	hear(m);
	assert_int_equal(m->count, 0);
	manager_free(m);
	stage_free(s);
}

static void without_a_manager_nobody_is_told(void **state)
{
	struct stage *s = stage_with_mesh();

	stage_start(s, ask_for_everything);
	assert_true(stage_wait(&s->notes->ready, 1));
	assert_int_equal(s->notes->values[VALUES + STORED], 0);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	see_everything(s, false);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_killed_keeper_held_and_changed_is_the_next_ones),
		cmocka_unit_test(what_is_not_allowed_any_more_is_undone),
		cmocka_unit_test(descriptors_without_a_ledger_are_closed),
		cmocka_unit_test(a_ledger_that_is_damaged_gives_what_is_left_of_it),
		cmocka_unit_test(without_a_manager_nobody_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

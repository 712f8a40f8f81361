/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stage: folders, policy, processes. */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "netlink/route.h"
#include "stage.h"

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

static void make_folder(struct stage *s)
{
	strcpy(s->folder, "/tmp/keeper-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	assert_int_equal(chmod(s->folder, 0755), 0);
	snprintf(s->file, sizeof(s->file), "%s/secret", s->folder);
	snprintf(s->directory, sizeof(s->directory), "%s/state", s->folder);
	snprintf(s->control, sizeof(s->control), "%s/run/control.sock", s->folder);
	snprintf(s->runtime, sizeof(s->runtime), "%s/run", s->folder);
	write_file(s->file, "open sesame");
}

static void make_policy(struct stage *s)
{
	s->files[0] = s->file;
	s->directories[0] = s->directory;
	s->tuns[0] = "si-test";
	s->tuns[1] = "sc0";
	s->lans[0] = "lan0";
	s->udp[0] = to_endpoint("127.0.0.1:1701");
	s->udp[1] = to_endpoint("0.0.0.0:0");
	s->udp[2] = to_endpoint("[::]:0");
	s->udp[3] = to_endpoint("[::1]:1701");
	s->tcp[0] = to_endpoint("[::1]:179");
	s->tcp[1] = to_endpoint("192.0.2.1:179");
	s->policy = (struct keeper_policy){.files = s->files,
		.file_count = 1,
		.directories = s->directories,
		.directory_count = 1,
		.tuns = s->tuns,
		.tun_count = 2,
		.lans = s->lans,
		.lan_count = 1,
		.udp = s->udp,
		.udp_count = 4,
		.tcp = s->tcp,
		.tcp_count = 2,
		.control_socket = s->control,
		.user = "nobody",
		.runtime_directory = s->runtime,
		.may_forward = true,
		.resolvers = &s->resolvers};
}

static void bring_up_lo(void)
{
	assert_true(namespace_up("lo"));
}

struct stage *stage_new(bool with_lan)
{
	struct stage *s;

	NAMESPACE_OR_SKIP();
	s = calloc(1, sizeof(*s));
	assert_non_null(s);
	s->notes = mmap(NULL, sizeof(*s->notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s->notes != MAP_FAILED);
	bring_up_lo();
	s->lan = -1;
	if (with_lan) {
		s->lan = namespace_device("lan0", IFF_TAP);
		assert_true(s->lan >= 0 && namespace_up("lan0"));
	}
	make_folder(s);
	make_policy(s);
	log_init(&s->log, getenv("KEEPER_LOG") ? 2 : -1, LEVEL_DEBUG);
	return s;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

void stage_free(struct stage *s)
{
	(void)nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	munmap(s->notes, sizeof(*s->notes));
	if (s->lan >= 0)
		close(s->lan);
	free(s);
}

static int enter_engine(void *arg, int fd)
{
	struct stage *s = arg;

	s->notes->engine = getpid();
	s->notes->lives++;
	return s->engine(s, fd);
}

void stage_start(struct stage *s, int (*engine)(struct stage *s, int fd))
{
	s->engine = engine;
	(void)fflush(NULL);
	s->keeper = fork();
	assert_true(s->keeper >= 0);
	if (s->keeper)
		return;
	if (s->as_nobody && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		_exit(99);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* a failed assertion leaves nobody behind */
	if (s->enter)
		s->enter(s);
	_exit(keeper_run(&s->policy, getenv("KEEPER_LOG") ? &s->log : NULL, enter_engine, s));
}

int stage_end(struct stage *s)
{
	int status;

	assert_int_equal(waitpid(s->keeper, &status, 0), s->keeper);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool stage_wait(volatile int *what, int value)
{
	for (int i = 0; i < 5000 && *what < value; i++)
		usleep(1000);
	return *what >= value;
}

/* ---- in the engine ---- */

static void lost(void *owner)
{
	struct actor *a = owner;

	a->lost = true;
	loop_stop(&a->loop);
}

void actor_init(struct actor *a, int fd)
{
	*a = (struct actor){.fd = -1};
	(void)loop_init(&a->loop);
	a->client = keeper_client_new(&a->loop, fd, lost, a);
}

void actor_done(struct actor *a)
{
	keeper_client_free(a->client);
	loop_done(&a->loop);
}

void actor_answer(void *owner, int result, int fd)
{
	struct actor *a = owner;

	a->answered = true;
	a->result = result;
	a->fd = fd;
	loop_stop(&a->loop);
}

int actor_wait(struct actor *a)
{
	while (!a->answered && !a->lost)
		(void)loop_run(&a->loop);
	a->answered = false;
	return a->result;
}

void note(struct stage *s, int result)
{
	if (s->notes->count < STAGE_NOTES)
		s->notes->results[s->notes->count++] = result;
}

void pause_for_test(struct stage *s)
{
	s->notes->ready = 1;
	(void)stage_wait(&s->notes->go, 1);
}

int sleep_for_ever(void)
{
	for (;;)
		pause();
}

struct addr to_addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct prefix to_prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

struct endpoint to_endpoint(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, 0, &e), 0);
	return e;
}

/* ---- programs ---- */

const char *program(struct stage *s, const char *name, const char *script)
{
	char *path = malloc(64);
	int fd;

	snprintf(path, 64, "%s/%s", s->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	dprintf(fd, "#!/bin/sh\nDIR=%s\n%s", s->folder, script);
	close(fd);
	return path;
}

const char *told(const struct stage *s, char text[TOLD])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/told", s->folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, TOLD - 1);
	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

void wait_told(const struct stage *s, const char *expected)
{
	char text[TOLD];

	for (int i = 0; i < 5000 && strcmp(told(s, text), expected) != 0; i++)
		usleep(1000);
	assert_string_equal(told(s, text), expected);
}

void touch(const struct stage *s, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
}

int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void reach(struct stage *s, int n)
{
	s->notes->ready = n;
	(void)stage_wait(&s->notes->go, n);
}

void let_reach(struct stage *s, int n)
{
	if (n > 1)
		s->notes->go = n - 1;
	assert_true(stage_wait(&s->notes->ready, n));
}

pid_t group_of(const struct stage *s)
{
	char path[64], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/group", s->folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return atoi(text);
}

bool group_lives(pid_t group)
{
	char command[96];

	snprintf(command, sizeof(command), "ps -eo pgid=,stat= | grep -q '^ *%d [^Z]'", (int)group);
	return system(command) == 0; /* NOLINT(cert-env33-c) */
}

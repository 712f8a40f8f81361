/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MRT files: when they are written, how they are called, which of them go. What is in them is bgp/mrt's. */
#include "bgp/mrt.h"

#include "engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- records made of paper ---- */

static unsigned records_left, nets_left; /* nets without a record come first */
static uint64_t left_out, nap_us;
static unsigned calls; /* of mrt_dump_next() */
enum { RECORD = 1000, HEADER = 12 };

static void write_record(struct writer *w, const void *bytes, size_t len)
{
	writer_zeros(w, HEADER - 4);
	writer_u32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

void mrt_session_of(const struct bgp_connection *c, struct mrt_session *ret)
{
	*ret = (struct mrt_session){0};
}

void mrt_session_of_neighbor(const struct bgp_neighbor *n, struct mrt_session *ret)
{
	*ret = (struct mrt_session){0};
}

void mrt_message_write(struct writer *w, uint32_t time, const struct mrt_session *s, bool sent,
	const uint8_t *message, size_t len)
{
	write_record(w, message, len);
}

void mrt_state_write(
	struct writer *w, uint32_t time, const struct mrt_session *s, enum bgp_state from, enum bgp_state to)
{
	const uint8_t bytes[48] = {(uint8_t)to};

	write_record(w, bytes, sizeof(bytes)); /* as long as a real one */
}

void mrt_dump_begin(struct mrt_dump *d, struct bgp *b, uint32_t time, msec now)
{
	*d = (struct mrt_dump){.bgp = b, .left_out = left_out};
}

size_t mrt_dump_next(struct mrt_dump *d, uint8_t *buf, size_t size)
{
	static const uint8_t bytes[RECORD - HEADER];
	struct writer w = writer_of(buf, size);
	uint64_t end = uv_hrtime() + nap_us * 1000;

	assert_true(size >= MRT_RECORD && !d->done);
	calls++;
	while (nap_us && uv_hrtime() < end)
		continue;
	if (nets_left) {
		nets_left--;
	} else if (records_left) {
		records_left--;
		write_record(&w, bytes, sizeof(bytes));
	} else {
		d->done = true;
	}
	return writer_len(&w);
}

/* ---- the scene ---- */

struct scene {
	struct stage *s;
	char parent[32];
	unsigned dumps;
	char path[4200], why[200];
};

static struct scene *scene_new(void)
{
	struct scene *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	records_left = nets_left = 0;
	left_out = nap_us = 0;
	x->s = stage_new();
	strcpy(x->parent, "/tmp/afbr-mrt-XXXXXX");
	assert_non_null(mkdtemp(x->parent));
	snprintf(x->s->config->directory, sizeof(x->s->config->directory), "%s/mrt", x->parent);
	x->s->config->mrt = (struct afbr_mrt){.rotate = 3600000, .keep = 2};
	x->s->role.running = true;
	return x;
}

static void scene_end(struct scene *x)
{
	char command[64];

	mrt_free(&x->s->role);
	stage_free(x->s);
	snprintf(command, sizeof(command), "rm -r %s", x->parent);
	assert_int_equal(system(command), 0);
	free(x);
}

/* How many files begin with KIND; the size of the last one. */
static unsigned files(const struct scene *x, const char *kind, off_t *ret_size)
{
	DIR *d = opendir(x->s->config->directory);
	const struct dirent *e;
	unsigned count = 0;
	struct stat st;

	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, kind, strlen(kind)) != 0)
			continue;
		count++;
		if (ret_size && !fstatat(dirfd(d), e->d_name, &st, 0))
			*ret_size = st.st_size;
	}
	if (d)
		closedir(d);
	return count;
}

static void make_file(const struct scene *x, const char *name)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", x->s->config->directory, name);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void note_dump(void *owner, const char *path, const char *why)
{
	struct scene *x = owner;

	x->dumps++;
	snprintf(x->path, sizeof(x->path), "%s", path ? path : "");
	snprintf(x->why, sizeof(x->why), "%s", why ? why : "");
}

static bool has_dump(void *arg)
{
	return ((struct scene *)arg)->dumps > 0;
}

static bool is_logged(const struct scene *x, const char *text)
{
	static char log[LOGGED];

	return strstr(stage_log(x->s, log), text);
}

/* A message of LEN octets of the only connection. */
static void tell(struct scene *x, size_t len)
{
	static const uint8_t bytes[BGP_EXTENDED_MAX];
	struct bgp_connection *c =
		x->s->bgp.connection_count
			? &x->s->bgp.connections[0]
			: stage_connection(stage_neighbor(x->s, "ce1", "127.0.0.1", 65001));

	mrt_message(&x->s->bgp, c, true, bytes, len);
}

static void start(struct scene *x, bool updates)
{
	x->s->config->mrt.updates = updates;
	assert_int_equal(mrt_start(&x->s->role), 0);
}

/* Another configuration. */
static void change(struct scene *x, struct afbr_mrt mrt)
{
	struct afbr_config old = *x->s->config;

	x->s->config->mrt = mrt;
	mrt_change(&x->s->role, &old);
}

static void dump(struct scene *x)
{
	x->dumps = 0;
	afbr_dump(&x->s->role, note_dump, x);
	assert_true(stage_run(x->s, has_dump, x));
}

/* ---- tables ---- */

static void a_dump_has_its_name_when_it_is_whole(void **state)
{
	struct scene *x = scene_new();
	off_t size = 0;

	records_left = 3000; /* more than one piece */
	start(x, false);
	afbr_dump(&x->s->role, note_dump, x);
	assert_int_equal(x->dumps, 0);
	afbr_dump(&x->s->role, note_dump, x); /* one at a time */
	assert_string_equal(x->why, "a dump is under way already");
	x->dumps = 0;
	assert_true(stage_run(x->s, has_dump, x));
	assert_string_equal(x->why, "");
	assert_int_equal(strncmp(x->path, x->s->config->directory, strlen(x->s->config->directory)), 0);
	assert_string_equal(x->path + strlen(x->path) - 4, ".mrt");
	assert_int_equal(access(x->path, R_OK), 0);
	assert_int_equal(files(x, "rib.", &size), 1);
	assert_int_equal(size, 3000 * RECORD);
	assert_true(is_logged(x, x->path));
	assert_int_equal(x->s->role.counters.mrt_written, 0);
	scene_end(x);
}

/* However long the tables are, and however slow the machine is. */
static void the_loop_has_its_turn_during_a_dump(void **state)
{
	struct scene *x = scene_new();
	unsigned most = 0;

	records_left = 500;
	nets_left = 500; /* these have nothing to tell */
	nap_us = 200;
	start(x, false);
	calls = 0;
	afbr_dump(&x->s->role, note_dump, x);
	while (!x->dumps) {
		most = calls > most ? calls : most;
		calls = 0;
		uv_run(&x->s->loop.uv, UV_RUN_ONCE);
	}
	assert_string_equal(x->why, "");
	assert_in_range(most, 1, AFBR_SLICE_US / nap_us + 1);
	scene_end(x);
}

static void where_nothing_can_be_written_that_is_the_answer(void **state)
{
	struct scene *x = scene_new();

	snprintf(x->s->config->directory, sizeof(x->s->config->directory), "%s/a/b/mrt", x->parent);
	start(x, false);
	dump(x);
	assert_string_equal(x->why, strerror(ENOENT));
	assert_string_equal(x->path, "");
	assert_true(is_logged(x, "no dump of the tables"));
	/* Somebody has made room for it. */
	snprintf(x->s->config->directory, sizeof(x->s->config->directory), "%s/mrt", x->parent);
	dump(x);
	assert_string_equal(x->why, "");
	/* The directory is removed: it fails once. */
	records_left = 1;
	assert_int_equal(unlink(x->path) | rmdir(x->s->config->directory), 0);
	dump(x);
	assert_string_equal(x->why, strerror(ENOENT));
	records_left = 1;
	dump(x);
	assert_string_equal(x->why, "");
	scene_end(x);
}

static void a_dump_that_is_cut_short_leaves_nothing_and_says_so(void **state)
{
	struct scene *x = scene_new();

	records_left = 1000000;
	start(x, false);
	afbr_dump(&x->s->role, note_dump, x);
	stage_turns(x->s, 20);
	mrt_free(&x->s->role);
	assert_int_equal(x->dumps, 1);
	assert_string_equal(x->why, "the daemon ends");
	loop_done(&x->s->loop);
	assert_int_equal(files(x, "rib.", NULL), 0);
	assert_int_equal(loop_init(&x->s->loop), 0);
	loop_flush_add(&x->s->loop, &x->s->role.flush);
	scene_end(x);
}

static void paths_that_do_not_fit_are_told(void **state)
{
	struct scene *x = scene_new();

	records_left = 1;
	left_out = 7;
	start(x, false);
	dump(x);
	assert_true(is_logged(x, "without 7 paths"));
	scene_end(x);
}

static bool has_two(void *arg)
{
	return files(arg, "rib.20", NULL) == 2 && is_logged(arg, "rib.20");
}

static void dumps_come_again_and_the_oldest_go(void **state)
{
	struct scene *x = scene_new();

	assert_int_equal(mkdir(x->s->config->directory, 0700), 0);
	make_file(x, "rib.20100101.000000.mrt");
	make_file(x, "rib.20100102.000000.mrt");
	make_file(x, "updates.20100101.000000.mrt");
	x->s->config->mrt.table_interval = 50;
	start(x, false);
	assert_true(stage_run(x->s, has_two, x));
	assert_int_equal(files(x, "rib.201001", NULL), 1);
	/* The old ones are all gone after another one, and nothing else is. */
	for (unsigned i = 0; i < 1000 && files(x, "rib.201001", NULL); i++) {
		stage_turns(x->s, 1);
		usleep(1000);
	}
	assert_int_equal(files(x, "rib.201001", NULL), 0);
	assert_int_equal(files(x, "updates.", NULL), 1);
	/* Not wanted any more. */
	change(x, (struct afbr_mrt){.rotate = 3600000, .keep = 2});
	for (unsigned i = 0; i < 100; i++) {
		stage_turns(x->s, 1);
		usleep(1000);
	}
	assert_int_equal(ftruncate(x->s->log_fd, 0), 0);
	for (unsigned i = 0; i < 100; i++) {
		stage_turns(x->s, 1);
		usleep(1000);
	}
	assert_false(is_logged(x, "the tables are in"));
	scene_end(x);
}

/* ---- messages ---- */

static off_t wanted_bytes;

static bool is_written(void *arg)
{
	off_t size = -1;

	return files(arg, "updates.", &size) == 1 && size == wanted_bytes;
}

static void messages_and_states_are_written_soon(void **state)
{
	struct scene *x = scene_new();
	const struct bgp_event e = {.kind = BGP_EVENT_STATE, .to = BGP_ESTABLISHED};

	start(x, false);
	tell(x, 100); /* not wanted */
	mrt_state(&x->s->role, &e);
	change(x, (struct afbr_mrt){.updates = true, .rotate = 3600000, .keep = 2});
	wanted_bytes = 0; /* the file is there before the first message */
	assert_true(stage_run(x->s, is_written, x));
	tell(x, 100);
	mrt_state(&x->s->role, &e);
	wanted_bytes = 100 + 48 + 2 * HEADER;
	assert_true(stage_run(x->s, is_written, x));
	/* Many are written at once; they do not wait for their second. */
	for (int i = 0; i < 70; i++)
		tell(x, 1000);
	wanted_bytes += 65 * (1000 + HEADER);
	assert_true(stage_run(x->s, is_written, x));
	for (int i = 0; i < 10; i++)
		tell(x, BGP_EXTENDED_MAX);
	wanted_bytes += 5 * (1000 + HEADER) + 10 * (off_t)(BGP_EXTENDED_MAX + HEADER);
	/* What was gathered when it ends is not lost. */
	mrt_free(&x->s->role);
	assert_true(stage_run(x->s, is_written, x));
	assert_false(is_logged(x, "missing"));
	scene_end(x);
}

static bool has_three(void *arg)
{
	return files(arg, "updates.2", NULL) == 3;
}

static void another_file_begins_in_time_and_as_many_stay_as_are_wanted(void **state)
{
	struct scene *x = scene_new();
	off_t size = -1;

	x->s->config->mrt = (struct afbr_mrt){.rotate = 20, .keep = 3};
	start(x, true);
	assert_true(stage_run(x->s, has_three, x));
	for (unsigned i = 0; i < 100; i++) {
		stage_turns(x->s, 1);
		assert_true(files(x, "updates.2", NULL) <= 4); /* one is made before one goes */
		usleep(1000);
	}
	change(x, (struct afbr_mrt){.updates = true, .rotate = 3600000, .keep = 3});
	stage_turns(x->s, 10);
	assert_int_equal(files(x, "updates.2", NULL), 3);
	tell(x, 100);
	change(x, (struct afbr_mrt){.rotate = 3600000, .keep = 10});
	tell(x, 100); /* not wanted any more */
	for (unsigned i = 0; i < 5000 && x->s->role.counters.mrt_written < 1; i++) {
		stage_turns(x->s, 1);
		usleep(1000);
	}
	for (unsigned i = 0; i < 1100; i++) { /* also not when the time comes to write */
		stage_turns(x->s, 1);
		usleep(1000);
	}
	assert_int_equal(x->s->role.counters.mrt_written, 1);
	assert_int_equal(files(x, "updates.2", &size), 3);
	scene_end(x);
}

/* ---- a disk that is full ---- */

static void limit_files(rlim_t len)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = len;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static bool says_trouble(void *arg)
{
	return is_logged(arg, strerror(EFBIG));
}

static bool says_over(void *arg)
{
	return is_logged(arg, "are missing");
}

static unsigned times_logged(struct scene *x, const char *text)
{
	static char log[LOGGED];
	unsigned count = 0;

	for (const char *at = strstr(stage_log(x->s, log), text); at; at = strstr(at + 1, text))
		count++;
	return count;
}

static void a_full_disk_is_told_once_and_bgp_goes_on(void **state)
{
	struct scene *x = scene_new();
	struct afbr_counters *c = &x->s->role.counters;
	const unsigned fit = 2 * (8 << 20) / 65536;

	start(x, true);
	wanted_bytes = 0;
	assert_true(stage_run(x->s, is_written, x));
	/* The log is in memory, but a file for that. */
	limit_files(LOGGED);
	for (unsigned i = 0; i < 100; i++)
		tell(x, BGP_EXTENDED_MAX - 300);
	assert_true(stage_run(x->s, says_trouble, x));
	for (unsigned i = 0; i < 3 * fit; i++) {
		tell(x, BGP_EXTENDED_MAX - 300);
		stage_turns(x->s, 1);
	}
	assert_int_equal(times_logged(x, "wait in memory"), 1);
	assert_true(c->mrt_lost > fit / 2 && c->mrt_lost < 3 * fit);
	limit_files(RLIM_INFINITY);
	assert_true(stage_run(x->s, says_over, x));
	assert_int_equal(times_logged(x, "messages are written again"), 1);
	/* From here on all is as before. */
	for (unsigned i = 0; i < 3000 && c->mrt_written + c->mrt_lost < 100 + 3 * fit; i++) {
		stage_turns(x->s, 1);
		usleep(1000);
	}
	assert_int_equal(c->mrt_written + c->mrt_lost, 100 + 3 * fit);
	wanted_bytes = (off_t)c->mrt_written * (BGP_EXTENDED_MAX - 300 + HEADER);
	assert_true(is_written(x));
	scene_end(x);
}

static void the_end_on_a_full_disk_tells_what_is_missing(void **state)
{
	struct scene *x = scene_new();

	start(x, true);
	wanted_bytes = 0;
	assert_true(stage_run(x->s, is_written, x));
	limit_files(LOGGED);
	for (unsigned i = 0; i < 1000; i++)
		tell(x, BGP_EXTENDED_MAX - 300);
	assert_int_equal(times_logged(x, "wait in memory"), 1);
	mrt_free(&x->s->role);
	assert_true(is_logged(x, "are missing in the files"));
	limit_files(RLIM_INFINITY);
	scene_end(x);
}

static void without_a_directory_messages_wait_until_there_is_one(void **state)
{
	struct scene *x = scene_new();

	snprintf(x->s->config->directory, sizeof(x->s->config->directory), "%s/a/b/mrt", x->parent);
	start(x, true);
	assert_int_equal(times_logged(x, "wait in memory"), 1);
	for (unsigned i = 0; i < 100; i++)
		tell(x, 1000);
	snprintf(x->s->config->directory, sizeof(x->s->config->directory), "%s/mrt", x->parent);
	wanted_bytes = 100 * (1000 + HEADER);
	assert_true(stage_run(x->s, is_written, x));
	stage_turns(x->s, 5);
	assert_int_equal(times_logged(x, "messages are written again"), 1);
	assert_int_equal(x->s->role.counters.mrt_lost, 0);
	scene_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_has_its_name_when_it_is_whole),
		cmocka_unit_test(the_loop_has_its_turn_during_a_dump),
		cmocka_unit_test(where_nothing_can_be_written_that_is_the_answer),
		cmocka_unit_test(a_dump_that_is_cut_short_leaves_nothing_and_says_so),
		cmocka_unit_test(paths_that_do_not_fit_are_told),
		cmocka_unit_test(dumps_come_again_and_the_oldest_go),
		cmocka_unit_test(messages_and_states_are_written_soon),
		cmocka_unit_test(another_file_begins_in_time_and_as_many_stay_as_are_wanted),
		cmocka_unit_test(a_full_disk_is_told_once_and_bgp_goes_on),
		cmocka_unit_test(the_end_on_a_full_disk_tells_what_is_missing),
		cmocka_unit_test(without_a_directory_messages_wait_until_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MRT files: when they are written, how they are called, which of them go. What is in them is bgp/mrt's. */
#include "bgp/mrt.h"

#include "engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- records made of paper ---- */

static unsigned records_left;
enum { RECORD = 1000 };

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
	writer_bytes(w, message, len);
}

void mrt_state_write(
	struct writer *w, uint32_t time, const struct mrt_session *s, enum bgp_state from, enum bgp_state to)
{
	writer_u8(w, (uint8_t)to);
}

void mrt_dump_begin(struct mrt_dump *d, struct bgp *b, uint32_t time, msec now)
{
	d->bgp = b;
}

size_t mrt_dump_next(struct mrt_dump *d, uint8_t *buf, size_t size)
{
	assert_true(size >= MRT_RECORD);
	if (!records_left)
		return 0;
	records_left--;
	memset(buf, 'r', RECORD);
	return RECORD;
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

/* ---- tables ---- */

static void a_dump_has_its_name_when_it_is_whole(void **state)
{
	struct scene *x = scene_new();
	off_t size = 0;

	records_left = 3000; /* more than one piece */
	assert_int_equal(mrt_start(&x->s->role), 0);
	afbr_dump(&x->s->role, note_dump, x);
	assert_int_equal(x->dumps, 0);
	assert_int_equal(files(x, "rib.", NULL), 1);
	assert_int_equal(files(x, "rib.", NULL), 1);
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
	scene_end(x);
}

static void where_nothing_can_be_written_that_is_the_answer(void **state)
{
	struct scene *x = scene_new();

	snprintf(x->s->config->directory, sizeof(x->s->config->directory), "%s/a/b/mrt", x->parent);
	assert_int_equal(mrt_start(&x->s->role), 0);
	afbr_dump(&x->s->role, note_dump, x);
	assert_true(stage_run(x->s, has_dump, x));
	assert_string_equal(x->why, strerror(ENOENT));
	assert_string_equal(x->path, "");
	scene_end(x);
}

static void a_dump_that_is_cut_short_leaves_nothing_and_says_so(void **state)
{
	struct scene *x = scene_new();

	records_left = 1000000;
	assert_int_equal(mrt_start(&x->s->role), 0);
	afbr_dump(&x->s->role, note_dump, x);
	stage_turns(x->s, 2);
	mrt_free(&x->s->role);
	assert_int_equal(x->dumps, 1);
	assert_string_equal(x->why, "the daemon ends");
	assert_int_equal(files(x, "rib.", NULL), 0);
	scene_end(x);
}

static void the_oldest_go(void **state)
{
	struct scene *x = scene_new();

	assert_int_equal(mrt_start(&x->s->role), 0);
	assert_int_equal(mkdir(x->s->config->directory, 0700), 0);
	make_file(x, "rib.20200101.000000.mrt");
	make_file(x, "rib.20200102.000000.mrt");
	make_file(x, "updates.20200101.000000.mrt");
	make_file(x, "notes.20200101.mrt");
	records_left = 1;
	afbr_dump(&x->s->role, note_dump, x);
	assert_true(stage_run(x->s, has_dump, x));
	assert_int_equal(files(x, "rib.", NULL), 2);
	assert_int_equal(files(x, "rib.20200101", NULL), 0);
	assert_int_equal(files(x, "updates.", NULL), 1);
	assert_int_equal(files(x, "notes.", NULL), 1);
	scene_end(x);
}

/* ---- messages ---- */

static off_t written_bytes;

static bool is_written(void *arg)
{
	off_t size = 0;

	return files(arg, "updates.", &size) == 1 && size == written_bytes;
}

static void messages_and_states_are_written_soon(void **state)
{
	struct scene *x = scene_new();
	struct bgp_neighbor *n = stage_neighbor(x->s, "ce1", "127.0.0.1", 65001);
	struct bgp_connection *c = stage_connection(n);
	const struct bgp_event e = {.kind = BGP_EVENT_STATE, .neighbor = n, .to = BGP_ESTABLISHED};
	const uint8_t message[100] = {1};

	assert_int_equal(mrt_start(&x->s->role), 0);
	mrt_message(&x->s->bgp, c, true, message, sizeof(message)); /* not wanted */
	assert_int_equal(files(x, "updates.", NULL), 0);
	x->s->config->mrt.updates = true;
	mrt_change(&x->s->role, &(struct afbr_config){.mrt = {.rotate = 1}});
	stage_turns(x->s, 2);
	for (int i = 0; i < 1000; i++)
		mrt_message(&x->s->bgp, c, i % 2, message, sizeof(message));
	mrt_state(&x->s->role, &e);
	written_bytes = 1000 * 100 + 1;
	assert_true(stage_run(x->s, is_written, x));
	/* What was gathered when it ends is not lost. */
	mrt_message(&x->s->bgp, c, true, message, sizeof(message));
	mrt_free(&x->s->role);
	written_bytes += 100;
	assert_true(is_written(x));
	scene_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_has_its_name_when_it_is_whole),
		cmocka_unit_test(where_nothing_can_be_written_that_is_the_answer),
		cmocka_unit_test(a_dump_that_is_cut_short_leaves_nothing_and_says_so),
		cmocka_unit_test(the_oldest_go),
		cmocka_unit_test(messages_and_states_are_written_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of records, on disks that are good, full, or slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "afbr/mrt_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/reader.h"
#include "lib/writer.h"

enum { KEEP = 3, RECORD = 1000, HEADER = 12 };

struct scene {
	struct loop loop;
	struct mrt_file file;
	char path[32];
	int directory;
	unsigned answers;
	uint32_t next; /* record */
};

static void note_answer(struct mrt_file *f)
{
	container_of(f, struct scene, file)->answers++;
}

static struct scene *scene_new(const char *kind, bool hidden)
{
	struct scene *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	assert_int_equal(loop_init(&x->loop), 0);
	mrt_file_init(&x->file, &x->loop, kind, hidden, note_answer);
	strcpy(x->path, "/tmp/mrt-file-XXXXXX");
	assert_non_null(mkdtemp(x->path));
	x->directory = open(x->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return x;
}

/* Numbered, of LEN octets. */
static bool put(struct scene *x, size_t len)
{
	uint8_t *at = mrt_file_room(&x->file, len);
	struct writer w = writer_of(at, at ? len : 0);

	if (!at)
		return false;
	writer_u32(&w, x->next++);
	writer_u32(&w, 0);
	writer_u32(&w, (uint32_t)(len - HEADER));
	memset(at + HEADER, 'm', len - HEADER);
	mrt_file_add(&x->file, len);
	return true;
}

/* A job, to its end. */
static void go(struct scene *x, enum mrt_end end)
{
	unsigned before = x->answers;

	assert_false(x->file.busy);
	x->file.end = end;
	mrt_file_go(&x->file, x->directory, KEEP);
	for (unsigned i = 0; i < 5000 && x->answers == before; i++) {
		uv_run(&x->loop.uv, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(x->answers, before + 1);
}

static void scene_end(struct scene *x)
{
	char command[64];

	if (!mrt_file_is_idle(&x->file))
		go(x, MRT_ENDS);
	assert_true(mrt_file_is_idle(&x->file));
	loop_done(&x->loop);
	close(x->directory);
	snprintf(command, sizeof(command), "rm -r %s", x->path);
	assert_int_equal(system(command), 0);
	free(x);
}

/* How many begin with START; the name of the first. */
static unsigned files(const struct scene *x, const char *start, char ret_first[256])
{
	DIR *d = opendir(x->path);
	const struct dirent *e;
	unsigned count = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, start, strlen(start))) {
			if (ret_first && (!count || strcmp(e->d_name, ret_first) < 0))
				snprintf(ret_first, 256, "%s", e->d_name);
			count++;
		}
	closedir(d);
	return count;
}

static void make(const struct scene *x, const char *name)
{
	int fd = openat(x->directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool is_there(const struct scene *x, const char *name)
{
	return !faccessat(x->directory, name, F_OK, 0);
}

/* NAME has whole records, COUNT of them, from number FIRST on, each one higher. */
static void check_records(const struct scene *x, const char *name, uint32_t first, unsigned count)
{
	static uint8_t bytes[20 << 20];
	int fd = openat(x->directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	struct reader r = reader_of(bytes, len < 0 ? 0 : (size_t)len);
	unsigned found = 0;

	assert_true(len >= 0);
	close(fd);
	for (; reader_left(&r); found++) {
		assert_int_equal(reader_u32(&r), first + found);
		(void)reader_u32(&r);
		reader_skip(&r, reader_u32(&r));
	}
	assert_true(reader_ok(&r));
	assert_int_equal(found, count);
}

/* ---- names ---- */

static void names_say_when_and_files_follow_one_another(void **state)
{
	struct scene *x = scene_new("updates", false);
	char names[3][256], expected[3][64];
	time_t now = time(NULL);

	for (int i = 0; i < 3; i++) {
		put(x, RECORD);
		go(x, MRT_GOES_ON);
		snprintf(names[i], sizeof(names[i]), "%s", x->file.job.name);
		put(x, RECORD);
		go(x, MRT_ENDS);
		check_records(x, names[i], (uint32_t)i * 2, 2);
	}
	/* Of the same second they would have the same name: each has the next one. */
	for (int i = 0; i < 3; i++) {
		time_t t = now + i;
		struct tm tm;

		strftime(expected[i], sizeof(expected[i]), "updates.%Y%m%d.%H%M%S.mrt", gmtime_r(&t, &tm));
		assert_true(strcmp(names[i], expected[i]) >= 0);
		assert_true(!i || strcmp(names[i], names[i - 1]) > 0);
		assert_int_equal(strlen(names[i]), strlen(expected[i]));
	}
	assert_int_equal(x->file.written, 6);
	assert_int_equal(x->file.lost, 0);
	scene_end(x);
}

static void the_oldest_go_and_nothing_else(void **state)
{
	static const char *const others[] = {"rib.20200101.000000.mrt", "updates.20200101.000000.mrt.gz",
		"updates.20200101.000000", "updates.notes.mrt", "my-updates.20200101.000000.mrt",
		"updates.2020010a.000000.mrt", "updates.20200101.0000000.mrt"};
	struct scene *x = scene_new("updates", false);
	const unsigned count = sizeof(others) / sizeof(others[0]);
	char name[64];

	for (unsigned i = 0; i < count; i++)
		make(x, others[i]);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "updates.20210101.000%03d.mrt", i);
		make(x, name);
	}
	go(x, MRT_GOES_ON);
	assert_int_equal(files(x, "updates.2021", NULL), KEEP - 1);
	assert_true(is_there(x, "updates.20210101.000199.mrt") && is_there(x, "updates.20210101.000198.mrt"));
	assert_true(is_there(x, x->file.job.name));
	for (unsigned i = 0; i < count; i++)
		assert_true(is_there(x, others[i]));
	scene_end(x);
}

static void a_clock_that_was_set_back_does_not_remove_the_newest(void **state)
{
	struct scene *x = scene_new("updates", false);

	make(x, "updates.29990101.000000.mrt");
	make(x, "updates.29990101.000001.mrt");
	make(x, "updates.29990101.000002.mrt");
	put(x, RECORD);
	go(x, MRT_GOES_ON);
	check_records(x, x->file.job.name, 0, 1);
	assert_false(is_there(x, "updates.29990101.000000.mrt"));
	assert_true(is_there(x, "updates.29990101.000002.mrt"));
	scene_end(x);
}

static void a_hidden_file_has_its_name_when_it_is_whole(void **state)
{
	struct scene *x = scene_new("rib", true);
	char name[MRT_NAME + 4], first[256];

	make(x, "rib.20200101.000000.mrt.tmp"); /* of a process that was killed */
	put(x, RECORD);
	go(x, MRT_GOES_ON);
	assert_int_equal(files(x, "rib.", first), 1);
	snprintf(name, sizeof(name), "%s.tmp", x->file.job.name);
	assert_string_equal(first, name);
	put(x, RECORD);
	go(x, MRT_ENDS);
	assert_int_equal(files(x, "rib.", first), 1);
	assert_string_equal(first, x->file.job.name);
	check_records(x, first, 0, 2);
	/* One that nobody wants any more leaves nothing. */
	put(x, RECORD);
	go(x, MRT_GOES_ON);
	assert_int_equal(files(x, "rib.", NULL), 2);
	go(x, MRT_VANISHES);
	assert_int_equal(files(x, "rib.", NULL), 1);
	assert_true(is_there(x, first));
	scene_end(x);
}

static void links_are_not_followed(void **state)
{
	struct scene *x = scene_new("updates", false);
	time_t now = time(NULL);

	/* Somebody has guessed the names. */
	make(x, "precious");
	for (int i = 0; i < 20; i++) {
		time_t t = now + i;
		char name[64];
		struct tm tm;

		strftime(name, sizeof(name), "updates.%Y%m%d.%H%M%S.mrt", gmtime_r(&t, &tm));
		assert_int_equal(symlinkat("precious", x->directory, name), 0);
	}
	put(x, RECORD);
	go(x, MRT_GOES_ON);
	assert_int_equal(x->file.job.error, 0);
	check_records(x, "precious", 0, 0);
	check_records(x, x->file.job.name, 0, 1);
	scene_end(x);
}

/* ---- a disk that is full ---- */

/* No file of this process may be longer: write() fails as it does when there is no more room. */
static void limit_files(rlim_t len)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = len;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void a_full_disk_leaves_whole_records_and_the_rest_comes_later(void **state)
{
	struct scene *x = scene_new("updates", false);

	for (int i = 0; i < 10; i++)
		put(x, RECORD);
	limit_files(3 * RECORD + 500); /* in the middle of the fourth */
	go(x, MRT_GOES_ON);
	assert_int_equal(x->file.job.error, -EFBIG);
	check_records(x, x->file.job.name, 0, 3);
	go(x, MRT_GOES_ON);
	check_records(x, x->file.job.name, 0, 3);
	limit_files(5 * RECORD + 5); /* in the middle of a header */
	put(x, RECORD);
	go(x, MRT_GOES_ON);
	check_records(x, x->file.job.name, 0, 5);
	limit_files(RLIM_INFINITY);
	go(x, MRT_GOES_ON);
	assert_int_equal(x->file.job.error, 0);
	check_records(x, x->file.job.name, 0, 10);
	go(x, MRT_GOES_ON);
	check_records(x, x->file.job.name, 0, 11);
	assert_int_equal(x->file.written, 11);
	assert_int_equal(x->file.lost, 0);
	scene_end(x);
}

static void what_does_not_fit_into_memory_is_lost_and_counted(void **state)
{
	struct scene *x = scene_new("updates", false);
	const unsigned fit = MRT_GATHER_MAX / 65536;
	unsigned lost = 0;

	limit_files(0);
	for (unsigned i = 0; i < fit; i++)
		assert_true(put(x, 65536));
	assert_false(put(x, 65536));
	go(x, MRT_GOES_ON); /* these wait */
	for (unsigned i = 0; i < fit + 10; i++)
		lost += !put(x, 65536);
	assert_int_equal(lost, 10);
	assert_int_equal(x->file.lost, 11);
	assert_true(x->file.size <= MRT_GATHER_MAX);
	/* The file ends, and could not have them: the next one is for those that came later. */
	go(x, MRT_ENDS);
	assert_int_equal(x->file.lost, 11 + fit);
	assert_int_equal(x->file.job.fd, -1);
	limit_files(RLIM_INFINITY);
	go(x, MRT_GOES_ON);
	check_records(x, x->file.job.name, fit, fit);
	assert_int_equal(x->file.written, fit);
	scene_end(x);
}

static void a_hidden_file_that_cannot_be_whole_vanishes(void **state)
{
	struct scene *x = scene_new("rib", true);

	limit_files(RECORD);
	put(x, RECORD);
	put(x, RECORD);
	go(x, MRT_ENDS);
	assert_int_equal(x->file.job.error, -EFBIG);
	assert_int_equal(files(x, "rib.", NULL), 0);
	assert_true(mrt_file_is_idle(&x->file));
	limit_files(RLIM_INFINITY);
	scene_end(x);
}

static void a_directory_that_is_gone_is_an_error_that_passes(void **state)
{
	struct scene *x = scene_new("updates", false);

	assert_int_equal(rmdir(x->path), 0);
	put(x, RECORD);
	go(x, MRT_GOES_ON);
	assert_int_equal(x->file.job.error, -ENOENT);
	assert_int_equal(x->file.job.fd, -1);
	assert_int_equal(mkdir(x->path, 0700), 0);
	close(x->directory);
	x->directory = open(x->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	go(x, MRT_GOES_ON);
	assert_int_equal(x->file.job.error, 0);
	check_records(x, x->file.job.name, 0, 1);
	scene_end(x);
}

/* ---- a disk that is slow ---- */

static pthread_mutex_t slow = PTHREAD_MUTEX_INITIALIZER;

static void wait_for_disk(uv_work_t *work)
{
	pthread_mutex_lock(&slow);
	pthread_mutex_unlock(&slow);
}

static void waited(uv_work_t *work, int status)
{
}

static void a_slow_disk_is_not_waited_for(void **state)
{
	struct scene *x = scene_new("updates", false);
	const unsigned fit = MRT_GATHER_MAX / 65536;
	uv_work_t others[4]; /* all threads that there are */
	uint64_t begun = uv_hrtime();
	unsigned lost = 0;

	pthread_mutex_lock(&slow);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(uv_queue_work(&x->loop.uv, &others[i], wait_for_disk, waited), 0);
	put(x, 65536);
	mrt_file_go(&x->file, x->directory, KEEP);
	for (unsigned i = 0; i < 10 * fit; i++) {
		lost += !put(x, 65536);
		mrt_file_go(&x->file, x->directory, KEEP);
		uv_run(&x->loop.uv, UV_RUN_NOWAIT);
	}
	assert_int_equal(x->answers, 0);
	assert_int_equal(lost, 9 * fit);
	assert_int_equal(files(x, "updates.", NULL), 0);
	assert_true(uv_hrtime() - begun < 4000000000U);
	pthread_mutex_unlock(&slow);
	while (!x->answers)
		uv_run(&x->loop.uv, UV_RUN_ONCE);
	go(x, MRT_GOES_ON);
	check_records(x, x->file.job.name, 0, 1 + fit);
	assert_int_equal(x->file.written, 1 + fit);
	assert_int_equal(x->file.lost, 9 * fit);
	scene_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_say_when_and_files_follow_one_another),
		cmocka_unit_test(the_oldest_go_and_nothing_else),
		cmocka_unit_test(a_clock_that_was_set_back_does_not_remove_the_newest),
		cmocka_unit_test(a_hidden_file_has_its_name_when_it_is_whole),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(a_full_disk_leaves_whole_records_and_the_rest_comes_later),
		cmocka_unit_test(what_does_not_fit_into_memory_is_lost_and_counted),
		cmocka_unit_test(a_hidden_file_that_cannot_be_whole_vanishes),
		cmocka_unit_test(a_directory_that_is_gone_is_an_error_that_passes),
		cmocka_unit_test(a_slow_disk_is_not_waited_for),
	};

	setenv("UV_THREADPOOL_SIZE", "4", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

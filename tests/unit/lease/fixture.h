/* What the tests of the lease store share: a folder of their own, pools, requests, an answer that is remembered. */
#ifndef TEST_LEASE_FIXTURE_H
#define TEST_LEASE_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lease/lease.h"

struct answered {
	unsigned count;
	int result;
	bool granted; /* LEASE was given */
	struct lease lease;
	char why[256];
};

static inline void remember(void *owner, int result, const struct lease *lease, const char *why)
{
	struct answered *a = owner;

	a->count++;
	a->result = result;
	a->granted = lease != NULL;
	assert_non_null(why);
	if (lease)
		a->lease = *lease;
	snprintf(a->why, sizeof(a->why), "%s", why);
}

static inline struct prefix p(const char *text)
{
	struct prefix ret = {0};

	if (text && prefix_parse(text, &ret))
		fail_msg("%s is no prefix", text);
	return ret;
}

static inline struct lease_pool_config pool_of(
	const char *name, const char *link6, const char *from, uint8_t len)
{
	struct lease_pool_config c = {.link6 = p(link6), .delegate_from = p(from), .delegate_len = len};

	snprintf(c.name, sizeof(c.name), "%s", name);
	return c;
}

static inline void pool_set4(struct lease_pool_config *c, const char *ipv4, const char *from, uint8_t len)
{
	c->ipv4 = p(ipv4);
	c->delegate4_from = p(from);
	c->delegate4_len = len;
}

static inline struct lease_request want(const char *user, uint16_t slot)
{
	struct lease_request r = {.slot = slot, .want_link = true, .want_delegated = true};

	snprintf(r.user, sizeof(r.user), "%s", user);
	return r;
}

static inline struct lease_request want_all(const char *user, uint16_t slot)
{
	struct lease_request r = want(user, slot);

	r.want_ipv4 = r.want_subnet = true;
	return r;
}

static inline struct answered acquire(struct lease_store *s, const struct lease_request *r)
{
	struct answered a = {0};

	lease_acquire(s, r, remember, &a);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.granted, a.result == 0);
	return a;
}

static inline struct answered acquire_user(struct lease_store *s, const char *user)
{
	struct lease_request r = want(user, 0);

	return acquire(s, &r);
}

/* Asserts that TEXT, a result and its reason, contains WORDS. */
static inline void assert_says(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" does not say \"%s\"", text, words);
}

/* Files cannot grow any more: what SQLite sees is a failing write, as on a full disk. */
static inline void fill_disk(bool full)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = full ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The database, and its backup. */
static inline void remove_database(const char *path)
{
	char backup[200];

	snprintf(backup, sizeof(backup), "%.180s.backup", path);
	unlink(path);
	unlink(backup);
}

static inline char *make_folder(char path[64])
{
	const char *base = getenv("TMPDIR"), *memory = "/dev/shm"; /* where syncing costs nothing */

	if (!base)
		base = access(memory, W_OK) ? P_tmpdir : memory;
	snprintf(path, 64, "%.40s/lease-XXXXXX", base);
	assert_non_null(mkdtemp(path));
	return path;
}

static inline void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char file[400];

	while (dir && (entry = readdir(dir))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(file);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

#endif

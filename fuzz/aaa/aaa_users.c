/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a users file. Whatever it is: no error means users that keep every promise of aaa.h, an error changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aaa/aaa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig 1.5 loses the string at which a syntax error is found. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

struct errors {
	unsigned count, last_line;
};

static void on_error(void *owner, const char *file, unsigned line, const char *text)
{
	struct errors *e = owner;

	if (!text[0] || line < e->last_line)
		abort();
	e->last_line = line;
	e->count++;
}

static int load(struct aaa *a, const void *data, size_t size, struct errors *e)
{
	int fd = memfd_create("users", MFD_CLOEXEC), rc;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || fchmod(fd, 0600))
		abort();
	rc = aaa_load_users(a, fd, "fuzz", on_error, e);
	close(fd);
	return rc;
}

static void on_secret(void *owner, const void *secret, size_t len)
{
	if (len > AAA_SECRET_MAX)
		abort();
	(*(unsigned *)owner)++;
}

static void on_verified(void *owner, bool ok, const struct aaa_user *user, const char *why, const char *message)
{
	if (ok || user || strcmp(why, "wrong password") != 0)
		abort();
	(*(unsigned *)owner)++;
}

static void check_prefix(const struct prefix *p, unsigned min)
{
	struct prefix masked = prefix_of(&p->addr, p->len);

	if (p->addr.family != AF_INET6 || p->len < min || p->len > 64 || !prefix_equal(p, &masked))
		abort();
}

static void check_user(struct aaa *a, const struct aaa_user *u)
{
	uint8_t response[16] = {0};
	struct aaa_claim chap = {.name = (const uint8_t *)u->name,
		.name_len = strlen(u->name),
		.algorithm = 5,
		.challenge = response,
		.challenge_len = 16,
		.response = response,
		.response_len = 16};
	unsigned answers = 0;

	if (!u->name[0] || !u->softwires || u->delegate_count > AAA_PREFIXES)
		abort();
	for (unsigned i = 0; i < u->delegate_count; i++)
		check_prefix(&u->delegate[i], 48);
	if (!prefix_is_none(&u->link))
		check_prefix(&u->link, 64);
	aaa_verify(a, &chap, on_verified, &answers);
	aaa_server_secret(a, u->name, on_secret, &answers);
	if (answers != 2)
		abort();
}

static bool overlap(const struct aaa_user *a, const struct aaa_user *b)
{
	for (unsigned i = 0; i <= a->delegate_count; i++) {
		const struct prefix *p = i < a->delegate_count ? &a->delegate[i] : &a->link;

		for (unsigned j = 0; j <= b->delegate_count; j++) {
			const struct prefix *q = j < b->delegate_count ? &b->delegate[j] : &b->link;

			if (!prefix_is_none(p) && !prefix_is_none(q) && prefix_overlaps(p, q))
				return true;
		}
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char before[] = "users = { before = { secret = \"x\"; }; };";
	struct aaa *a = aaa_new(NULL);
	struct errors e = {0};
	struct aaa_user users[8];
	uint32_t cursor = 0;
	unsigned count = 0;
	const struct aaa_user *u;
	struct addr peer = addr4(192, 0, 2, 1);
	int rc;

	if (!a || load(a, before, sizeof(before) - 1, &e))
		abort();
	rc = load(a, data, size, &e);
	if ((rc == 0) != (e.count == 0))
		abort();
	if (rc && (aaa_user_count(a) != 1 || !aaa_find_user(a, "before")))
		abort();
	while ((u = aaa_next_user(a, &cursor)) && count < 8)
		users[count++] = *u;
	for (unsigned i = 0; i < count; i++) {
		check_user(a, &users[i]);
		for (unsigned j = 0; j < i; j++)
			if (overlap(&users[i], &users[j]) || !strcmp(users[i].name, users[j].name))
				abort();
	}
	count = 0;
	aaa_tunnel_secret(a, &peer, "host", on_secret, &count);
	if (count != 1)
		abort();
	aaa_free(a);
	return 0;
}

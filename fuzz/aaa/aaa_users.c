/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a users file. Whatever it is: no error means users that keep every promise of aaa.h, an error changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "ppp/packet.h"

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

static void on_verified(
	void *owner, bool ok, const struct aaa_user *user, const char *why, const char *message)
{
	if (ok || user || (strcmp(why, "wrong password") != 0 && !strstr(why, "no secret")) || !message[0])
		abort();
	(*(unsigned *)owner)++;
}

static void check_prefix(const struct prefix *p, unsigned min)
{
	struct prefix masked = prefix_of(&p->addr, p->len);

	if (p->addr.family != AF_INET6 || p->len < min || p->len > 64 || !prefix_equal(p, &masked))
		abort();
}

static void check_ipv4(const struct aaa_user *u)
{
	if (u->address4.family && (u->address4.family != AF_INET || !u->address4.bytes[0]))
		abort();
	if (u->subnet_count > AAA_SUBNETS)
		abort();
	for (unsigned i = 0; i < u->subnet_count; i++) {
		const struct prefix *p = &u->subnets[i];
		struct prefix masked = prefix_of(&p->addr, p->len);

		if (p->addr.family != AF_INET || p->len < 8 || p->len > 30 || !prefix_equal(p, &masked))
			abort();
	}
}

static void check_words(const struct aaa_user *u)
{
	if (!strncmp(u->name, "anonymous/", 10) || u->at_limit > AAA_AT_LIMIT_REFUSE ||
		u->nameserver_count > AAA_NAMESERVERS)
		abort();
	for (unsigned i = 0; i < u->nameserver_count; i++)
		if (!u->nameservers[i][0] || strpbrk(u->nameservers[i], " _\\/:") ||
			strstr(u->nameservers[i], ".."))
			abort();
}

static void check_user(struct aaa *a, const struct aaa_user *u)
{
	uint8_t response[16] = {0};
	struct aaa_claim chap = {.name = (const uint8_t *)u->name,
		.name_len = strlen(u->name),
		.protocol = PPP_CHAP,
		.algorithm = CHAP_MD5,
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
	check_ipv4(u);
	check_words(u);
	aaa_verify(a, &chap, on_verified, &answers);
	chap.protocol = PPP_PAP; /* 16 zeros: no secret has any */
	aaa_verify(a, &chap, on_verified, &answers);
	aaa_server_secret(a, u->name, on_secret, &answers);
	if (answers != 3)
		abort();
}

/* Everything of both families that is fixed for U; returns how many. */
static unsigned fixed_of(const struct aaa_user *u, struct prefix ret[AAA_PREFIXES + AAA_SUBNETS + 2])
{
	unsigned n = 0;

	for (unsigned i = 0; i < u->delegate_count; i++)
		ret[n++] = u->delegate[i];
	for (unsigned i = 0; i < u->subnet_count; i++)
		ret[n++] = u->subnets[i];
	if (!prefix_is_none(&u->link))
		ret[n++] = u->link;
	if (!addr_is_none(&u->address4))
		ret[n++] = prefix_of(&u->address4, 32);
	return n;
}

static bool overlap(const struct aaa_user *a, const struct aaa_user *b)
{
	struct prefix p[AAA_PREFIXES + AAA_SUBNETS + 2], q[AAA_PREFIXES + AAA_SUBNETS + 2];
	unsigned n = fixed_of(a, p), m = fixed_of(b, q);

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < m; j++)
			if (prefix_overlaps(&p[i], &q[j]))
				return true;
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

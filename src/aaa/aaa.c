/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls of aaa.h, but for EAP: look up at once; answer.c answers later. */
#include "aaa/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aaa/secret.h"

enum { FILE_MAX = 256 << 20 };

struct aaa *aaa_new(struct loop *loop)
{
	struct aaa *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	rng_init_system(&a->rng);
	a->seed = rng_u64(&a->rng);
	rng_bytes(&a->rng, a->dummy, sizeof(a->dummy));
	a->users = users_new(a->seed);
	if (!a->users || answers_init(a, loop)) {
		users_free(a->users);
		free(a);
		return NULL;
	}
	return a;
}

void aaa_free(struct aaa *a)
{
	if (!a)
		return;
	answers_done(a);
	users_free(a->users);
	free(a->eap_name);
	free(a);
}

int aaa_load_users(struct aaa *a, int fd, const char *path, aaa_error *error, void *owner)
{
	struct users *users;
	char why[128], *text;
	size_t len;
	int rc = secret_file_read(fd, FILE_MAX, &text, &len, why);

	if (rc) {
		error(owner, path, 0, why);
		return rc == -EPERM ? rc : -EINVAL;
	}
	users = users_new(a->seed);
	rc = users ? users_read(users, text, len, path, error, owner) : -EINVAL;
	if (!users)
		error(owner, path, 0, "out of memory");
	explicit_bzero(text, len);
	free(text);
	if (rc) {
		users_free(users);
		return rc;
	}
	users_free(a->users);
	a->users = users;
	return 0;
}

struct aaa_difference aaa_compare(const struct aaa *old, const struct aaa *new)
{
	struct aaa_difference d = {.peers = !users_equal_peers(old->users, new->users)};

	for (size_t i = 0; i < new->users->count; i++) {
		const struct user_row *now = new->users->rows[i];
		const struct user_row *before = users_find(old->users, user_name(now), now->name_len);

		d.added += !before;
		d.changed += before && !user_row_equal(before, now);
	}
	d.gone = old->users->count + d.added - new->users->count;
	return d;
}

void aaa_take_users(struct aaa *a, struct aaa *from)
{
	users_free(a->users);
	a->users = from->users;
	from->users = NULL;
}

size_t aaa_user_count(const struct aaa *a)
{
	return a->users->count;
}

static const struct aaa_user *show(const struct aaa *a, const struct user_row *row)
{
	/* The scratch is no part of what we know. */
	struct aaa_user *scratch = (struct aaa_user *)&a->scratch;

	user_present(row, scratch);
	return scratch;
}

const struct aaa_user *aaa_next_user(const struct aaa *a, uint32_t *cursor)
{
	return *cursor < a->users->count ? show(a, a->users->rows[(*cursor)++]) : NULL;
}

const struct aaa_user *aaa_find_user(const struct aaa *a, const char *name)
{
	const struct user_row *row = users_find(a->users, name, strlen(name));

	return row ? show(a, row) : NULL;
}

bool aaa_is_anonymous(const char *name)
{
	static const char prefix[] = "anonymous/";

	return !strncmp(name, prefix, sizeof(prefix) - 1);
}

const char *why_no_secret(const struct user_row *row)
{
	if (!row)
		return "unknown user";
	return row->secret_len ? NULL : "the user has no secret, only a certificate can do";
}

void aaa_verify(struct aaa *a, const struct aaa_claim *claim, aaa_verified *answer, void *owner)
{
	struct answer n = {.owner = owner, .verified = answer};
	const struct user_row *row = users_find(a->users, claim->name, claim->name_len);
	const char *why_not = why_no_secret(row);

	if (why_not)
		verify_claim(claim, a->dummy, sizeof(a->dummy), why_not, &a->rng, &n.verdict);
	else
		verify_claim(claim, user_secret(row), row->secret_len, NULL, &a->rng, &n.verdict);
	if (n.verdict.ok)
		user_present(row, &n.user);
	answer_send(a, &n);
}

static void send_secret(struct aaa *a, const char *bytes, uint8_t len, aaa_secret *answer, void *owner)
{
	struct answer n = {.owner = owner, .secret = answer, .len = len};

	memcpy(n.bytes, bytes, len);
	answer_send(a, &n);
	explicit_bzero(&n, sizeof(n));
}

void aaa_server_secret(struct aaa *a, const char *user, aaa_secret *answer, void *owner)
{
	const struct user_row *row = users_find(a->users, user, strlen(user));

	send_secret(a, row ? user_server_secret(row) : "", row ? row->server_len : 0, answer, owner);
}

void aaa_tunnel_secret(
	struct aaa *a, const struct addr *peer, const char *host_name, aaa_secret *answer, void *owner)
{
	const struct peer_row *p = users_find_peer(a->users, peer, host_name);

	send_secret(a, p ? p->tail + p->host_len : "", p ? p->secret_len : 0, answer, owner);
}

void aaa_cancel(struct aaa *a, void *owner)
{
	answers_cancel(a, owner, NULL);
}

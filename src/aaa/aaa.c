/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls of aaa.h: look up at once, answer in the loop's next iteration, in order. */
#include "aaa/aaa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aaa/secret.h"
#include "aaa/users.h"
#include "aaa/verify.h"

enum { FILE_MAX = 256 << 20, DUMMY_SECRET = 16 };

/* An answer on its way. It holds copies: the table may be another one when it is delivered. */
struct answer {
	struct answer *next;
	void *owner;
	aaa_verified *verified; /* at most one of the two; none when it was cancelled */
	aaa_secret *secret;
	struct verdict verdict;
	struct aaa_user user;
	uint8_t len;
	char bytes[AAA_SECRET_MAX];
};

struct aaa {
	uv_idle_t *
		idle; /* runs while answers wait; apart, because it outlives us until the loop has closed it */
	struct users *users;
	uint64_t seed;
	struct answer *first, *last;
	struct aaa_user scratch;
	struct rng rng;
	uint8_t dummy[DUMMY_SECRET]; /* for users that do not exist: they take as long as others */
};

static void answer_free(struct answer *n)
{
	explicit_bzero(n, sizeof(*n));
	free(n);
}

static void answer_give(const struct answer *n)
{
	if (n->verified)
		n->verified(n->owner, n->verdict.ok, n->verdict.ok ? &n->user : NULL, n->verdict.why,
			n->verdict.message);
	else if (n->secret)
		n->secret(n->owner, n->bytes, n->len);
}

/* Those that are there now: what they cause to be asked is for the next iteration. */
static void on_idle(uv_idle_t *idle)
{
	struct aaa *a = idle->data;
	struct answer *last = a->last, *n;
	bool more = true;

	while (more && (n = a->first)) {
		more = n != last;
		a->first = n->next;
		if (!a->first)
			a->last = NULL;
		answer_give(n);
		answer_free(n);
	}
	if (!a->first)
		uv_idle_stop(idle);
}

/* Delivers a copy of N later, or N itself at once: without a loop, and when there is no memory. */
static void answer_send(struct aaa *a, const struct answer *n)
{
	struct answer *copy = a->idle ? malloc(sizeof(*copy)) : NULL;

	if (!copy) {
		answer_give(n);
		return;
	}
	*copy = *n;
	copy->next = NULL;
	if (a->last)
		a->last->next = copy;
	else
		a->first = copy;
	a->last = copy;
	uv_idle_start(a->idle, on_idle);
}

static void idle_closed(uv_handle_t *h)
{
	free(h);
}

struct aaa *aaa_new(struct loop *loop)
{
	struct aaa *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	rng_init_system(&a->rng);
	a->seed = rng_u64(&a->rng);
	rng_bytes(&a->rng, a->dummy, sizeof(a->dummy));
	a->users = users_new(a->seed);
	if (loop && a->users) {
		a->idle = malloc(sizeof(*a->idle));
		if (a->idle) {
			uv_idle_init(&loop->uv, a->idle);
			a->idle->data = a;
		}
	}
	if (!a->users || (loop && !a->idle)) {
		users_free(a->users);
		free(a);
		return NULL;
	}
	return a;
}

void aaa_free(struct aaa *a)
{
	struct answer *n;

	if (!a)
		return;
	while ((n = a->first)) {
		a->first = n->next;
		answer_free(n);
	}
	if (a->idle)
		uv_close((uv_handle_t *)a->idle, idle_closed);
	users_free(a->users);
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

void aaa_verify(struct aaa *a, const struct aaa_claim *claim, aaa_verified *answer, void *owner)
{
	struct answer n = {.owner = owner, .verified = answer};
	const struct user_row *row = users_find(a->users, claim->name, claim->name_len);
	const char *why_not = !row              ? "unknown user"
			      : row->secret_len ? NULL
						: "the user has no secret, only a certificate can do";

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
	for (struct answer *n = a->first; n; n = n->next) {
		if (n->owner != owner)
			continue;
		n->verified = NULL;
		n->secret = NULL;
	}
}

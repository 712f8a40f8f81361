/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers: delivered in the loop's next iteration, in order. */
#include "aaa/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void answer_free(struct answer *n)
{
	explicit_bzero(n, sizeof(*n));
	free(n);
}

static void answer_give(const struct answer *n)
{
	const struct aaa_user *user = n->verdict.ok ? &n->user : NULL;

	if (n->verified)
		n->verified(n->owner, n->verdict.ok, user, n->verdict.why, n->verdict.message);
	else if (n->secret)
		n->secret(n->owner, n->bytes, n->len);
	else if (n->eap)
		n->eap(n->owner, n->len ? n->bytes : NULL, n->len, n->verdict.ok, user, n->eap_why);
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

void answer_send(struct aaa *a, const struct answer *n)
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

void answers_cancel(struct aaa *a, const void *owner, const struct aaa_eap *exchange)
{
	for (struct answer *n = a->first; n; n = n->next) {
		if (exchange ? n->exchange != exchange : n->owner != owner)
			continue;
		n->verified = NULL;
		n->secret = NULL;
		n->eap = NULL;
	}
}

int answers_init(struct aaa *a, struct loop *loop)
{
	if (!loop)
		return 0;
	a->idle = malloc(sizeof(*a->idle));
	if (!a->idle)
		return -ENOMEM;
	uv_idle_init(&loop->uv, a->idle);
	a->idle->data = a;
	return 0;
}

static void idle_closed(uv_handle_t *h)
{
	free(h);
}

void answers_done(struct aaa *a)
{
	struct answer *n;

	while ((n = a->first)) {
		a->first = n->next;
		answer_free(n);
	}
	if (a->idle)
		uv_close((uv_handle_t *)a->idle, idle_closed);
}

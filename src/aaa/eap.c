/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EAP played here: eap/ knows the methods, the table knows the users. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aaa/answer.h"

struct aaa_eap {
	struct aaa *aaa;
	struct eap_server *server;
	struct eap_reply request; /* the outstanding one */
};

static bool admits(void *owner, const char *name)
{
	const struct aaa *a = owner;

	return users_find(a->users, name, strlen(name));
}

int aaa_set_eap(struct aaa *a, const struct aaa_eap_config *c)
{
	char *name = c ? strdup(c->name) : NULL;

	if (c && !name)
		return -ENOMEM;
	free(a->eap_name);
	a->eap_name = name;
	a->eap = (struct eap_server_config){.rng = &a->rng, .name = name, .admits = admits, .owner = a};
	if (c) {
		memcpy(a->eap.methods, c->methods, sizeof(a->eap.methods));
		a->eap.tls = c->tls;
	}
	return 0;
}

struct aaa_eap *aaa_eap_new(struct aaa *a)
{
	struct aaa_eap *e = a->eap.methods[0] ? calloc(1, sizeof(*e)) : NULL;

	if (!e)
		return NULL;
	e->aaa = a;
	e->server = eap_server_new(&a->eap);
	if (!e->server) {
		free(e);
		return NULL;
	}
	return e;
}

void aaa_eap_free(struct aaa_eap *e)
{
	if (!e)
		return;
	answers_cancel(e->aaa, NULL, e);
	eap_server_free(e->server);
	free(e);
}

const char *aaa_eap_name(const struct aaa_eap *e)
{
	return eap_server_name(e->server);
}

uint8_t aaa_eap_method(const struct aaa_eap *e)
{
	return eap_server_method(e->server);
}

static enum eap_verdict give_secret(struct aaa_eap *e, const struct user_row *row, struct answer *n)
{
	const char *why = why_no_secret(row);
	struct eap_reply none;
	enum eap_verdict v = eap_server_secret(
		e->server, why ? "" : user_secret(row), why ? 0 : row->secret_len, &none, n->eap_why);

	if (why)
		snprintf(n->eap_why, sizeof(n->eap_why), "%s", why);
	return v;
}

/* The outstanding request goes out again when what came was no response to it: the lower layer waits for an answer. */
static void answer_continue(struct aaa_eap *e, const struct eap_reply *reply, struct answer *n)
{
	if (reply->len)
		e->request = *reply;
	n->len = e->request.len;
	memcpy(n->bytes, e->request.packet, n->len);
}

static const struct user_row *find(const struct aaa_eap *e)
{
	const char *name = eap_server_name(e->server);

	return users_find(e->aaa->users, name, strlen(name));
}

void aaa_eap_input(struct aaa_eap *e, const uint8_t *packet, size_t len, aaa_eap_answer *answer, void *owner)
{
	struct answer n = {.owner = owner, .exchange = e, .eap = answer};
	struct eap_reply reply;
	enum eap_verdict v = eap_server_input(e->server, packet, len, &reply, n.eap_why);
	const struct user_row *row;

	if (v == EAP_WANT_SECRET)
		v = give_secret(e, find(e), &n);
	if (v == EAP_CONTINUE) {
		answer_continue(e, &reply, &n);
	} else if (v == EAP_OK) {
		row = find(e); /* there may have been a reload */
		n.verdict.ok = row;
		if (row)
			user_present(row, &n.user);
		else
			snprintf(n.eap_why, sizeof(n.eap_why), "%s", why_no_secret(NULL));
	}
	answer_send(e->aaa, &n);
}

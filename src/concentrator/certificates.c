/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What EAP needs: methods, and for TLS our certificate, its key and the authorities that we believe.
 *
 * The keeper opens the files, at the start and at each reload, one after the other. What was in use stays until everything that is new
 * has proven good, and the rest of the configuration, too. An exchange that is going on then cannot be finished with other certificates: its
 * softwire is ended with a word that says so, and the initiator connects again.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eap/eap.h"

enum { PEM_MAX = 256 << 10, PEM_FILES = 3 };
enum { PEM_CERTIFICATE, PEM_KEY, PEM_CA };

struct certificates {
	struct concentrator *role;
	const struct concentrator_config *config; /* until it is read */
	concentrator_problem *problem;
	void (*done)(void *owner, int result);
	void *owner;
	uint8_t methods[4];     /* none: EAP is off */
	char name[128];         /* ours, in MD5 challenges */
	struct eap_tls *tls;    /* or NULL */
	uint64_t sum;           /* of the texts that it was made of; 0: none */
	char *texts[PEM_FILES]; /* what was read so far */
	unsigned next;
};

/* ---- reading ---- */

static const char *pem_path(const struct certificates *t, unsigned n)
{
	const struct concentrator_config *config = t->config;

	return n == PEM_CERTIFICATE ? config->eap_certificate_path
	       : n == PEM_KEY       ? config->eap_key_path
				    : config->eap_ca_path;
}

static void tell_pem(struct certificates *t, unsigned n, const char *why)
{
	char text[4096 + EAP_WHY];

	snprintf(text, sizeof(text), "%s: %s", pem_path(t, n), why);
	t->problem(t->owner, text);
}

static void wipe_texts(struct certificates *t)
{
	for (unsigned n = 0; n < PEM_FILES; n++) {
		if (t->texts[n])
			explicit_bzero(t->texts[n], strlen(t->texts[n]));
		free(t->texts[n]);
		t->texts[n] = NULL;
	}
}

/* What is wrong with the file before anything is read, or NULL. */
static const char *pem_objection(const struct stat *st, bool secret)
{
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (st->st_size > PEM_MAX)
		return "has more than 262144 bytes";
	if (secret && ((st->st_mode & 077) || (st->st_uid != 0 && st->st_uid != geteuid())))
		return "others can read or change the key; chown root FILE, chmod 600 FILE";
	return NULL;
}

/* The whole of FD as text; NULL and *ret_why. */
static char *pem_read(int fd, bool secret, const char **ret_why)
{
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;
	char *text;

	*ret_why = fstat(fd, &st) ? strerror(errno) : pem_objection(&st, secret);
	if (*ret_why)
		return NULL;
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text) {
		*ret_why = "out of memory";
		return NULL;
	}
	while (n > 0 && len < (size_t)st.st_size) {
		n = pread(fd, text + len, (size_t)st.st_size - len, (off_t)len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n >= 0)
		return text;
	*ret_why = strerror(errno);
	explicit_bzero(text, len);
	free(text);
	return NULL;
}

static void finish(struct certificates *t, int result)
{
	wipe_texts(t);
	t->config = NULL;
	t->done(t->owner, result);
}

static uint64_t sum_texts(const struct certificates *t)
{
	uint64_t sum = t->role->seed;

	for (unsigned n = 0; n < PEM_FILES; n++)
		sum = (uint64_t)hash_bytes(t->texts[n], strlen(t->texts[n]), sum) << 32 |
		      hash_bytes(t->texts[n], strlen(t->texts[n]), ~sum);
	return sum;
}

/* WHY begins with what it is about. */
static void tell_unusable(struct certificates *t, const char *why)
{
	tell_pem(t,
		strncmp(why, "the key", 7) == 0  ? PEM_KEY
		: strncmp(why, "the CA", 6) == 0 ? PEM_CA
						 : PEM_CERTIFICATE,
		why);
}

static void make_tls(struct certificates *t)
{
	char why[EAP_WHY] = "";

	t->sum = sum_texts(t);
	t->tls = eap_tls_new(true, t->texts[PEM_CERTIFICATE], t->texts[PEM_KEY], t->texts[PEM_CA], NULL, why);
	if (!t->tls)
		tell_unusable(t, why);
	finish(t, t->tls ? 0 : -EINVAL);
}

static void pem_opened(void *owner, int result, int fd)
{
	struct certificates *t = owner;
	const char *why = result ? strerror(-result) : NULL;

	if (!why) {
		t->texts[t->next] = pem_read(fd, t->next == PEM_KEY, &why);
		close(fd);
	}
	if (why) {
		tell_pem(t, t->next, why);
		finish(t, result ? result : -EINVAL);
	} else if (++t->next < PEM_FILES) {
		keeper_open_file(t->role->keeper, pem_path(t, t->next), pem_opened, t);
	} else {
		make_tls(t);
	}
}

static bool has_method(const uint8_t *list, size_t size, uint8_t method)
{
	for (size_t i = 0; i < size && list[i]; i++)
		if (list[i] == method)
			return true;
	return false;
}

struct certificates *certificates_new(struct concentrator *c, const struct concentrator_config *config,
	concentrator_problem *problem, void *owner)
{
	struct certificates *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->role = c;
	t->config = config;
	t->problem = problem;
	t->owner = owner;
	snprintf(t->name, sizeof(t->name), "%s", config->host_name);
	if (has_method(config->auth, sizeof(config->auth), PPP_METHOD_EAP))
		memcpy(t->methods, config->eap_methods, sizeof(t->methods));
	return t;
}

void certificates_read(struct certificates *t, void (*done)(void *owner, int result))
{
	t->done = done;
	if (has_method(t->methods, sizeof(t->methods), EAP_TLS))
		keeper_open_file(t->role->keeper, pem_path(t, 0), pem_opened, t);
	else
		finish(t, 0);
}

void certificates_free(struct certificates *t)
{
	if (!t)
		return;
	keeper_forget(t->role->keeper, t);
	wipe_texts(t);
	eap_tls_free(t->tls);
	free(t);
}

/* ---- taking it into use ---- */

/* They could not be finished. */
static void end_exchanges(struct concentrator *c)
{
	struct subscriber *next;

	for (struct subscriber *sub = c->all; sub; sub = next) {
		next = sub->next;
		if (!sub->setup || !sub->setup->eap)
			continue;
		subscriber_eap_end(sub);
		subscriber_close(
			sub, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "authentication has changed: connect again");
	}
}

static bool is_same(const struct certificates *a, const struct certificates *b)
{
	return a->sum == b->sum && memcmp(a->methods, b->methods, sizeof(a->methods)) == 0 &&
	       (!a->methods[0] || strcmp(a->name, b->name) == 0);
}

bool concentrator_take_certificates(struct concentrator *c, struct certificates *t)
{
	struct aaa_eap_config config = {.tls = t->tls, .name = t->name};
	int err;

	if (c->certificates && is_same(c->certificates, t)) {
		certificates_free(t);
		return false;
	}
	end_exchanges(c);
	memcpy(config.methods, t->methods, sizeof(config.methods));
	err = aaa_set_eap(c->aaa, t->methods[0] ? &config : NULL);
	if (err) {
		log_message(c->log, LEVEL_ERROR, "eap-error", "EAP cannot be set up: %s", strerror(-err));
		aaa_set_eap(c->aaa, NULL);
	}
	certificates_free(c->certificates);
	c->certificates = t;
	return true;
}

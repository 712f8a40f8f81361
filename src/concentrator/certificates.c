/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What EAP needs: methods, and for TLS our certificate, its key and the authorities that we believe.
 *
 * The keeper opens the files, at the start and at each reload, one after the other. What was in use stays until everything that is new
 * has proven good. An exchange that is going on then cannot be finished with other certificates: its softwire is ended with a word
 * that says so, and the initiator connects again.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eap/eap.h"

enum { PEM_MAX = 256 << 10, PEM_FILES = 3 };
enum { PEM_CERTIFICATE, PEM_KEY, PEM_CA };

struct certificates {
	uint8_t methods[4];     /* in use; none: EAP is off */
	struct eap_tls *tls;    /* in use, or NULL */
	uint64_t sum;           /* of the texts that it was made of */
	bool busy, again;       /* files are being read; and will have to be once more */
	char *texts[PEM_FILES]; /* what was read so far */
	unsigned next;
	void (*done)(struct concentrator *c, int result);
};

/* ---- reading ---- */

static const char *pem_path(const struct concentrator *c, unsigned n)
{
	const struct concentrator_config *config = &c->config;

	return n == PEM_CERTIFICATE ? config->eap_certificate_path
	       : n == PEM_KEY       ? config->eap_key_path
				    : config->eap_ca_path;
}

static void log_pem(struct concentrator *c, unsigned n, const char *why)
{
	log_message(c->log, LEVEL_ERROR, "eap-error", "%s: %s", pem_path(c, n), why);
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

/* ---- taking it into use ---- */

static void begin(struct concentrator *c);

static void finish(struct concentrator *c, int result)
{
	struct certificates *t = c->certificates;

	wipe_texts(t);
	t->busy = false;
	if (t->again)
		begin(c);
	else
		t->done(c, result);
}

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

/* From now on these METHODS, with TLS, which is ours then; what was in use goes. */
static void take(struct concentrator *c, const uint8_t methods[4], struct eap_tls *tls)
{
	struct certificates *t = c->certificates;
	struct aaa_eap_config config = {.tls = tls, .name = c->config.host_name};
	int err;

	if (tls == t->tls && memcmp(methods, t->methods, sizeof(t->methods)) == 0) {
		finish(c, 0);
		return;
	}
	end_exchanges(c);
	memcpy(config.methods, methods, sizeof(config.methods));
	err = aaa_set_eap(c->aaa, methods[0] ? &config : NULL);
	if (err) {
		log_message(c->log, LEVEL_ERROR, "eap-error", "EAP cannot be set up: %s", strerror(-err));
		aaa_set_eap(c->aaa, NULL);
		tls = NULL;
	}
	if (t->tls != tls)
		eap_tls_free(t->tls);
	t->tls = tls;
	memcpy(t->methods, methods, sizeof(t->methods));
	finish(c, err);
}

static uint64_t sum_texts(const struct concentrator *c)
{
	uint64_t sum = c->seed;

	for (unsigned n = 0; n < PEM_FILES; n++) {
		const char *text = c->certificates->texts[n];

		sum = (uint64_t)hash_bytes(text, strlen(text), sum) << 32 |
		      hash_bytes(text, strlen(text), ~sum);
	}
	return sum;
}

/* WHY begins with what it is about. */
static void log_unusable(struct concentrator *c, const char *why)
{
	log_pem(c,
		strncmp(why, "the key", 7) == 0  ? PEM_KEY
		: strncmp(why, "the CA", 6) == 0 ? PEM_CA
						 : PEM_CERTIFICATE,
		why);
}

static void make_tls(struct concentrator *c)
{
	struct certificates *t = c->certificates;
	uint64_t sum = sum_texts(c);
	char why[EAP_WHY] = "";
	struct eap_tls *tls;

	if (t->tls && sum == t->sum) {
		take(c, c->config.eap_methods, t->tls);
		return;
	}
	tls = eap_tls_new(true, t->texts[PEM_CERTIFICATE], t->texts[PEM_KEY], t->texts[PEM_CA], NULL, why);
	if (!tls) {
		log_unusable(c, why);
		finish(c, -EINVAL);
		return;
	}
	t->sum = sum;
	take(c, c->config.eap_methods, tls);
}

static void pem_opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;
	struct certificates *t = c->certificates;
	const char *why = result ? strerror(-result) : NULL;

	if (!why) {
		t->texts[t->next] = pem_read(fd, t->next == PEM_KEY, &why);
		close(fd);
	}
	if (why) {
		log_pem(c, t->next, why);
		finish(c, result ? result : -EINVAL);
	} else if (++t->next < PEM_FILES) {
		keeper_open_file(c->keeper, pem_path(c, t->next), pem_opened, c);
	} else {
		make_tls(c);
	}
}

static bool has_method(const uint8_t *list, size_t size, uint8_t method)
{
	for (size_t i = 0; i < size && list[i]; i++)
		if (list[i] == method)
			return true;
	return false;
}

static void begin(struct concentrator *c)
{
	static const uint8_t none[4];
	struct certificates *t = c->certificates;
	const struct concentrator_config *config = &c->config;

	t->busy = true;
	t->again = false;
	t->next = 0;
	if (!has_method(config->auth, sizeof(config->auth), PPP_METHOD_EAP))
		take(c, none, NULL);
	else if (!has_method(config->eap_methods, sizeof(config->eap_methods), EAP_TLS))
		take(c, config->eap_methods, NULL);
	else
		keeper_open_file(c->keeper, pem_path(c, 0), pem_opened, c);
}

void concentrator_load_certificates(struct concentrator *c, void (*done)(struct concentrator *c, int result))
{
	if (!c->certificates)
		c->certificates = calloc(1, sizeof(*c->certificates));
	if (!c->certificates) {
		done(c, -ENOMEM);
		return;
	}
	c->certificates->done = done;
	c->certificates->again = c->certificates->busy;
	if (!c->certificates->busy)
		begin(c);
}

void concentrator_free_certificates(struct concentrator *c)
{
	if (!c->certificates)
		return;
	wipe_texts(c->certificates);
	eap_tls_free(c->certificates->tls);
	free(c->certificates);
	c->certificates = NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A certificate configuration: texts in, an SSL context out. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap/method.h"

static const char *library_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason ? reason : "unknown error";
}

static BIO *text_bio(const char *text)
{
	return BIO_new_mem_buf(text, -1);
}

/* Nobody sits at a terminal who could be asked for it. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	return -1;
}

static bool use_certificate(SSL_CTX *ctx, const char *text, char why[EAP_WHY])
{
	BIO *bio = text_bio(text);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
	bool ok = x && SSL_CTX_use_certificate(ctx, x) == 1;

	if (!x)
		eap_say(why, "the certificate cannot be read: %s", library_reason());
	else if (!ok)
		eap_say(why, "the certificate cannot be used: %s", library_reason());
	X509_free(x);
	while (ok && (x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) { /* the chain */
		ok = SSL_CTX_add0_chain_cert(ctx, x) == 1;
		if (!ok) {
			eap_say(why, "the certificate's chain cannot be used: %s", library_reason());
			X509_free(x);
		}
	}
	BIO_free(bio);
	return ok;
}

static bool use_key(SSL_CTX *ctx, const char *text, char why[EAP_WHY])
{
	BIO *bio = text_bio(text);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;

	if (!key && strstr(text, "ENCRYPTED"))
		eap_say(why, "the key is encrypted: it must be one without a passphrase");
	else if (!key)
		eap_say(why, "the key cannot be read: %s", library_reason());
	else if (!ok)
		eap_say(why, "the key does not belong to the certificate: %s", library_reason());
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

/* Each certificate in TEXT is one that we believe, also when another one has signed it. */
static bool use_ca(SSL_CTX *ctx, bool server, const char *text, char why[EAP_WHY])
{
	BIO *bio = text_bio(text);
	STACK_OF(X509_INFO) *all = bio ? PEM_X509_INFO_read_bio(bio, NULL, no_passphrase, NULL) : NULL;
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	unsigned certificates = 0, lists = 0;
	bool ok = all;

	for (int i = 0; ok && i < sk_X509_INFO_num(all); i++) {
		const X509_INFO *info = sk_X509_INFO_value(all, i);

		if (info->x509) {
			certificates++;
			ok = X509_STORE_add_cert(store, info->x509) == 1 &&
			     (!server || SSL_CTX_add_client_CA(ctx, info->x509) == 1);
		}
		if (info->crl) {
			lists++;
			ok = ok && X509_STORE_add_crl(store, info->crl) == 1;
		}
	}
	X509_STORE_set_flags(store,
		X509_V_FLAG_PARTIAL_CHAIN | (lists ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL : 0));
	if (!ok)
		eap_say(why, "the CA cannot be read: %s", library_reason());
	else if (!certificates)
		eap_say(why, "the CA has no certificate in it");
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	BIO_free(bio);
	return ok && certificates;
}

static bool use_name(struct eap_tls *t, const char *name, char why[EAP_WHY])
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(t->ctx);

	if (!name || !name[0])
		return true;
	snprintf(t->name, sizeof(t->name), "%s", name);
	/* RFC 6125 section 6.4.3: a wildcard is a whole label; section 6.4.4: names are in subjectAltName. */
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (strlen(name) < sizeof(t->name) && (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ||
						      X509_VERIFY_PARAM_set1_host(param, name, 0) == 1))
		return true;
	eap_say(why, "the server's name cannot be used");
	return false;
}

/* No resumption, no renegotiation, no tickets: RFC 9190 section 2.1.2 asks for tickets only from whom wants to resume. */
static bool set_up(SSL_CTX *ctx, bool server)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* Who needs our root has it. */
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1;
}

static bool fill(struct eap_tls *t, const char *certificate, const char *key, const char *ca,
	const char *name, char why[EAP_WHY])
{
	bool has_certificate = certificate && certificate[0], has_key = key && key[0];

	if (!ca || !ca[0]) {
		eap_say(why, "there is no CA: nobody could be believed");
		return false;
	}
	if (has_certificate != has_key || (t->server && !has_certificate)) {
		eap_say(why,
			!has_certificate ? "there is no certificate" : "there is no key for the certificate");
		return false;
	}
	return (!has_certificate ||
		       (use_certificate(t->ctx, certificate, why) && use_key(t->ctx, key, why))) &&
	       use_ca(t->ctx, t->server, ca, why) && (t->server || use_name(t, name, why));
}

struct eap_tls *eap_tls_new(bool server, const char *certificate, const char *key, const char *ca,
	const char *name, char why[EAP_WHY])
{
	struct eap_tls *t = calloc(1, sizeof(*t));

	ERR_clear_error();
	if (t) {
		t->server = server;
		t->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	}
	if (!t || !t->ctx || !set_up(t->ctx, server)) {
		eap_say(why, "TLS cannot be set up: %s", t ? library_reason() : "out of memory");
		eap_tls_free(t);
		t = NULL;
	} else if (!fill(t, certificate, key, ca, name, why)) {
		eap_tls_free(t);
		t = NULL;
	}
	ERR_clear_error();
	return t;
}

void eap_tls_free(struct eap_tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

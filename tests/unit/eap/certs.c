/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "certs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 24 * 3600 };

static unsigned next_serial = 1;

static void need(bool ok)
{
	if (!ok) {
		fputs("certificates cannot be made\n", stderr);
		abort();
	}
}

static char *text_of(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = strndup(data, (size_t)len);
	need(text);
	BIO_free(bio);
	return text;
}

static char *pem_of(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	need(bio && PEM_write_bio_X509(bio, certificate) == 1);
	return text_of(bio);
}

static char *pem_of_key(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	need(bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	return text_of(bio);
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	need(extension && X509_add_ext(x, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static X509 *make(const struct ca *ca, const struct cert_request *r, EVP_PKEY *key, unsigned serial)
{
	X509 *x = X509_new(), *issuer = ca ? ca->certificate : x;
	bool usual = !r->begins && !r->ends;

	need(x && X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), serial) == 1);
	X509_gmtime_adj(X509_getm_notBefore(x), (usual ? -1 : r->begins) * (long)DAY);
	X509_gmtime_adj(X509_getm_notAfter(x), (usual ? 365 : r->ends) * (long)DAY);
	need(X509_set_pubkey(x, key) == 1);
	if (r->common_name)
		need(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
			     (const unsigned char *)r->common_name, -1, -1, 0) == 1);
	need(X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1);
	extend(x, issuer, NID_basic_constraints, r->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (r->is_ca)
		extend(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (r->usage)
		extend(x, issuer, NID_ext_key_usage, r->usage);
	if (r->alternative)
		extend(x, issuer, NID_subject_alt_name, r->alternative);
	need(X509_sign(x, ca ? ca->key : key, EVP_sha256()) > 0);
	return x;
}

static struct ca make_ca(const struct ca *above, const char *common_name)
{
	struct ca ca = {.key = EVP_EC_gen("P-256"), .serial = next_serial++};

	need(ca.key);
	ca.certificate = make(
		above, &(struct cert_request){.common_name = common_name, .is_ca = true}, ca.key, ca.serial);
	ca.pem = pem_of(ca.certificate);
	return ca;
}

struct ca ca_make(const char *common_name)
{
	return make_ca(NULL, common_name);
}

struct ca ca_below(const struct ca *ca, const char *common_name)
{
	return make_ca(ca, common_name);
}

void ca_free(struct ca *ca)
{
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
	free(ca->pem);
}

struct cert cert_make(const struct ca *ca, const struct cert_request *request)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct cert c = {.serial = next_serial++};
	X509 *x;

	need(key);
	x = make(ca, request, key, c.serial);
	c.certificate = pem_of(x);
	c.key = pem_of_key(key);
	X509_free(x);
	EVP_PKEY_free(key);
	return c;
}

void cert_free(struct cert *c)
{
	free(c->certificate);
	free(c->key);
}

char *crl_make(const struct ca *ca, unsigned serial, bool expired)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = X509_gmtime_adj(NULL, -2 * (long)DAY),
		  *to = X509_gmtime_adj(NULL, (expired ? -1 : 30) * (long)DAY);
	BIO *bio = BIO_new(BIO_s_mem());

	need(crl && from && to && bio && X509_CRL_set_version(crl, 1) == 1);
	need(X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->certificate)) == 1);
	need(X509_CRL_set1_lastUpdate(crl, from) == 1 && X509_CRL_set1_nextUpdate(crl, to) == 1);
	if (serial) {
		X509_REVOKED *revoked = X509_REVOKED_new();
		ASN1_INTEGER *number = ASN1_INTEGER_new();

		need(revoked && number && ASN1_INTEGER_set(number, serial) == 1);
		need(X509_REVOKED_set_serialNumber(revoked, number) == 1 &&
			X509_REVOKED_set_revocationDate(revoked, from) == 1 &&
			X509_CRL_add0_revoked(crl, revoked) == 1);
		ASN1_INTEGER_free(number);
	}
	need(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0 && PEM_write_bio_X509_CRL(bio, crl) == 1);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	X509_CRL_free(crl);
	return text_of(bio);
}

char *texts_join(const char *a, const char *b)
{
	char *text;

	need(asprintf(&text, "%s%s", a, b) >= 0);
	return text;
}

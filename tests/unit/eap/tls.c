/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificate configurations: what can be used, and what people are told when it cannot. */
#include "certs.h"
#include "pair.h"

#include <openssl/pem.h>

struct texts {
	struct ca ca;
	struct cert one, two;
	char *encrypted, *chain, *crl;
};

static struct texts t;

static char *encrypt(const char *key)
{
	BIO *in = BIO_new_mem_buf(key, -1), *out = BIO_new(BIO_s_mem());
	EVP_PKEY *k = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	char *data, *text;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(
				 out, k, EVP_aes_256_cbc(), (const unsigned char *)"pw", 2, NULL, NULL),
		1);
	len = BIO_get_mem_data(out, &data);
	text = strndup(data, (size_t)len);
	EVP_PKEY_free(k);
	BIO_free(in);
	BIO_free(out);
	return text;
}

static int setup(void **state)
{
	struct ca below;

	t.ca = ca_make("CA");
	t.one = cert_make(&t.ca, &(struct cert_request){.common_name = "one"});
	t.two = cert_make(&t.ca, &(struct cert_request){.common_name = "two"});
	t.encrypted = encrypt(t.one.key);
	below = ca_below(&t.ca, "below");
	t.chain = texts_join(t.one.certificate, below.pem);
	ca_free(&below);
	t.crl = crl_make(&t.ca, 0, false);
	return 0;
}

static int teardown(void **state)
{
	ca_free(&t.ca);
	cert_free(&t.one);
	cert_free(&t.two);
	free(t.encrypted);
	free(t.chain);
	free(t.crl);
	return 0;
}

static void assert_usable(
	bool server, const char *certificate, const char *key, const char *ca, const char *name)
{
	char why[EAP_WHY] = "";
	struct eap_tls *tls = eap_tls_new(server, certificate, key, ca, name, why);

	if (!tls)
		fail_msg("%s", why);
	eap_tls_free(tls);
}

static void takes_what_can_be_used(void **state)
{
	char *bundle = texts_join(t.ca.pem, t.two.certificate), *with_crl = texts_join(t.crl, t.ca.pem);

	assert_usable(true, t.one.certificate, t.one.key, t.ca.pem, NULL);
	assert_usable(true, t.chain, t.one.key, bundle, "");
	assert_usable(true, t.one.certificate, t.one.key, with_crl, "");
	assert_usable(false, t.one.certificate, t.one.key, t.ca.pem, "sc.example.net");
	assert_usable(false, NULL, NULL, t.ca.pem, "2001:db8::1");
	assert_usable(false, "", "", t.ca.pem, "");
	free(bundle);
	free(with_crl);
	eap_tls_free(NULL);
}

static void refuse(const char *name, bool server, const char *certificate, const char *key, const char *ca,
	const char *server_name, const char *should)
{
	char why[EAP_WHY] = "";
	struct eap_tls *tls = eap_tls_new(server, certificate, key, ca, server_name, why);

	if (tls || strncmp(why, should, strlen(should)) != 0)
		fail_msg("%s: \"%s\"", name, why);
}

static void says_why_something_cannot_be_used(void **state)
{
	static const char garbage[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	char *broken = strdup(t.one.certificate), *no_end = strndup(t.one.key, strlen(t.one.key) - 10);
	char *bad_ca = texts_join(t.ca.pem, garbage), long_name[300];
	const char *c = t.one.certificate, *k = t.one.key, *ca = t.ca.pem;

	broken[60] = '*';
	memset(long_name, 'x', sizeof(long_name));
	long_name[299] = '\0';
	refuse("no CA", true, c, k, NULL, NULL, "there is no CA: nobody could be believed");
	refuse("no CA, peer", false, NULL, NULL, "", NULL, "there is no CA: nobody could be believed");
	refuse("empty CA", false, c, k, "nothing", NULL, "the CA ");
	refuse("only a CRL", false, c, k, t.crl, NULL, "the CA has no certificate in it");
	refuse("only a key", false, c, k, k, NULL, "the CA has no certificate in it");
	refuse("half a CA", false, c, k, bad_ca, NULL, "the CA cannot be read: ");
	refuse("garbage", false, c, k, garbage, NULL, "the CA cannot be read: ");
	refuse("no certificate", true, NULL, NULL, ca, NULL, "there is no certificate");
	refuse("no certificate but a key", false, "", k, ca, NULL, "there is no certificate");
	refuse("no key", true, c, "", ca, NULL, "there is no key for the certificate");
	refuse("no key, peer", false, c, NULL, ca, NULL, "there is no key for the certificate");
	refuse("certificate is text", true, "hello", k, ca, NULL, "the certificate cannot be read: ");
	refuse("certificate is garbage", true, garbage, k, ca, NULL, "the certificate cannot be read: ");
	refuse("certificate is a key", true, k, k, ca, NULL, "the certificate cannot be read: ");
	refuse("certificate is broken", true, broken, k, ca, NULL, "the ");
	refuse("key is text", true, c, "hello", ca, NULL, "the key cannot be read: ");
	refuse("key is cut off", true, c, no_end, ca, NULL, "the key cannot be read: ");
	refuse("key is a certificate", true, c, c, ca, NULL, "the key cannot be read: ");
	refuse("key is another one", true, c, t.two.key, ca, NULL,
		"the key does not belong to the certificate: ");
	refuse("key is encrypted", true, c, t.encrypted, ca, NULL,
		"the key is encrypted: it must be one without a passphrase");
	refuse("a long name", false, c, k, ca, long_name, "the server's name cannot be used");
	free(broken);
	free(no_end);
	free(bad_ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_can_be_used),
		cmocka_unit_test(says_why_something_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

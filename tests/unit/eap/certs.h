/* Certificates for tests, made at run time: nothing expires in the tree. All failures end the program. */
#ifndef TEST_EAP_CERTS_H
#define TEST_EAP_CERTS_H

#include <openssl/x509.h>
#include <stdbool.h>

struct ca {
	X509 *certificate;
	EVP_PKEY *key;
	char *pem;
	unsigned serial;
};

/* A PEM text of each; free() by cert_free(). */
struct cert {
	char *certificate, *key;
	unsigned serial;
};

struct cert_request {
	const char *common_name;
	const char *
		alternative; /* as in openssl.cnf: "DNS:sc.example.net,email:alice@example.net"; NULL: none */
	const char *usage;   /* "serverAuth", "clientAuth"; NULL: no extended key usage */
	bool is_ca;
	int begins, ends; /* days from now; 0, 0: from yesterday to next year */
};

struct ca ca_make(const char *common_name);
void ca_free(struct ca *ca);
struct cert cert_make(const struct ca *ca, const struct cert_request *request);
void cert_free(struct cert *c);
/* A CA below CA. */
struct ca ca_below(const struct ca *ca, const char *common_name);
/* The CRL of CA with SERIAL in it, 0: empty; PEM, to be freed. */
char *crl_make(const struct ca *ca, unsigned serial, bool expired);
/* Both texts one behind the other, to be freed. */
char *texts_join(const char *a, const char *b);

#endif

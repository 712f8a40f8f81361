/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MD5-Challenge, RFC 3748 section 5.4: CHAP's computation (RFC 1994 section 4.1) with the Identifier of the EAP packet. */
#include <openssl/evp.h>
#include <string.h>

#include "eap/method.h"

bool eap_md5(uint8_t id, const void *secret, size_t secret_len, const uint8_t *challenge,
	size_t challenge_len, uint8_t ret[EAP_MD5_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) && EVP_DigestUpdate(ctx, &id, 1) &&
		  EVP_DigestUpdate(ctx, secret, secret_len) &&
		  EVP_DigestUpdate(ctx, challenge, challenge_len) && EVP_DigestFinal_ex(ctx, digest, &len) &&
		  len == EAP_MD5_LEN;

	EVP_MD_CTX_free(ctx); /* wipes its state */
	if (ok)
		memcpy(ret, digest, EAP_MD5_LEN);
	explicit_bzero(digest, sizeof(digest));
	return ok;
}

const uint8_t *eap_md5_value(struct reader *data, size_t *ret_len)
{
	uint8_t len = reader_u8(data);
	const uint8_t *value = reader_bytes(data, len);

	if (!reader_ok(data) || !len)
		return NULL;
	*ret_len = len;
	return value;
}

void eap_md5_write(struct writer *w, const uint8_t value[EAP_MD5_LEN], const char *name)
{
	writer_u8(w, EAP_MD5_LEN);
	writer_bytes(w, value, EAP_MD5_LEN);
	writer_bytes(w, name, strnlen(name, EAP_NAME_MAX));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MD5 as RFC 2661 uses it. The pieces are joined in a buffer of bounded size, which is wiped: the secret is among them. */
#include "l2tp/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "l2tp/avp.h"

bool auth_digest(uint8_t ret[AUTH_DIGEST], const struct l2tp_text *a, const struct l2tp_text *b,
	const struct l2tp_text *c)
{
	uint8_t joined[AUTH_SECRET_MAX + AVP_LENGTH + AUTH_DIGEST];
	struct writer w = writer_of(joined, sizeof(joined));
	const struct l2tp_text *pieces[] = {a, b, c};
	bool ok;

	for (int i = 0; i < 3; i++)
		if (pieces[i]->len)
			writer_bytes(&w, pieces[i]->data, pieces[i]->len);
	ok = writer_ok(&w) && EVP_Digest(joined, writer_len(&w), ret, NULL, EVP_md5(), NULL) == 1;
	explicit_bzero(joined, sizeof(joined));
	return ok;
}

bool auth_response(uint8_t ret[AUTH_DIGEST], uint8_t id, const struct l2tp_text *secret,
	const struct l2tp_text *challenge)
{
	struct l2tp_text first = {&id, 1};

	return auth_digest(ret, &first, secret, challenge);
}

bool auth_verify(const uint8_t response[AUTH_DIGEST], uint8_t id, const struct l2tp_text *secret,
	const struct l2tp_text *challenge)
{
	uint8_t expected[AUTH_DIGEST];
	bool ok = auth_response(expected, id, secret, challenge) &&
		  !CRYPTO_memcmp(expected, response, AUTH_DIGEST);

	explicit_bzero(expected, sizeof(expected));
	return ok;
}

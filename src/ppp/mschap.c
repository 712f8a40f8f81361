/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of RFC 2759 section 8, by their names there. */
#include "ppp/mschap.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

enum { CHALLENGE_HASH = 8, PASSWORD_HASH = 16, SHA1 = 20, DES_BLOCK = 8, DES_KEY = 7 };

/* Made once, then only read. Fetching an algorithm costs more than using it. */
static struct {
	pthread_once_t once;
	EVP_MD *md4, *sha1;
	EVP_CIPHER *des;
} algorithms = {.once = PTHREAD_ONCE_INIT};

static void load(void)
{
	OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();

	if (!context)
		return;
	if (OSSL_PROVIDER_load(context, "legacy") && OSSL_PROVIDER_load(context, "default")) {
		algorithms.md4 = EVP_MD_fetch(context, "MD4", NULL);
		algorithms.sha1 = EVP_MD_fetch(context, "SHA1", NULL);
		algorithms.des = EVP_CIPHER_fetch(context, "DES-ECB", NULL);
	}
	if (algorithms.md4 && algorithms.sha1 && algorithms.des)
		return;
	EVP_MD_free(algorithms.md4);
	EVP_MD_free(algorithms.sha1);
	EVP_CIPHER_free(algorithms.des);
	algorithms.md4 = algorithms.sha1 = NULL;
	algorithms.des = NULL;
	OSSL_LIB_CTX_free(context); /* and its providers */
}

bool mschap_available(void)
{
	pthread_once(&algorithms.once, load);
	return algorithms.des;
}

/* One part of what is hashed. */
struct part {
	const void *bytes;
	size_t len;
};

static bool hash(const EVP_MD *algorithm, const struct part *parts, size_t count, uint8_t *ret, unsigned len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	bool ok = ctx && EVP_DigestInit_ex2(ctx, algorithm, NULL);

	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].bytes, parts[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, digest, &digest_len) && digest_len >= len;
	EVP_MD_CTX_free(ctx); /* wipes its state */
	if (ok)
		memcpy(ret, digest, len);
	explicit_bzero(digest, sizeof(digest));
	return ok;
}

#define HASH(algorithm, ret, len, ...)                                                                       \
	hash(algorithm, (const struct part[]){__VA_ARGS__},                                                  \
		sizeof((const struct part[]){__VA_ARGS__}) / sizeof(struct part), ret, len)

/* Only the user name, without the domain in front of it, is hashed. */
static bool challenge_hash(const uint8_t *peer_challenge, const uint8_t *auth_challenge,
	const void *user_name, size_t name_len, uint8_t ret[CHALLENGE_HASH])
{
	const uint8_t *name = user_name, *backslash = name_len ? memrchr(name, '\\', name_len) : NULL;

	if (backslash) {
		name_len -= (size_t)(backslash + 1 - name);
		name = backslash + 1;
	}
	return HASH(algorithms.sha1, ret, CHALLENGE_HASH, {peer_challenge, MSCHAP_CHALLENGE},
		{auth_challenge, MSCHAP_CHALLENGE}, {name, name_len});
}

static bool is_utf8(const uint8_t *text, size_t len)
{
	uint32_t point;
	unsigned n = 1;

	for (size_t i = 0; n && i < len; i += n)
		n = text_utf8(text + i, len - i, &point);
	return n;
}

static void put_unit(uint8_t *to, uint32_t unit)
{
	to[0] = (uint8_t)unit;
	to[1] = (uint8_t)(unit >> 8);
}

/* UTF-16, little-endian. Its length in bytes, or -1 when it is too long. */
static int to_unicode(const uint8_t *password, size_t len, uint8_t ret[2 * MSCHAP_PASSWORD_MAX])
{
	bool utf8 = is_utf8(password, len);
	uint32_t point;
	int units = 0;

	for (size_t i = 0; i < len;) {
		point = password[i];
		i += utf8 ? text_utf8(password + i, len - i, &point) : 1;
		if (units + (point > 0xffff) >= MSCHAP_PASSWORD_MAX)
			return -1;
		if (point > 0xffff) {
			put_unit(ret + 2 * (ptrdiff_t)units++, 0xd800 + ((point - 0x10000) >> 10));
			point = 0xdc00 + ((point - 0x10000) & 0x3ff);
		}
		put_unit(ret + 2 * (ptrdiff_t)units++, point);
	}
	return 2 * units;
}

static bool nt_password_hash(const void *password, size_t len, uint8_t ret[PASSWORD_HASH])
{
	uint8_t unicode[2 * MSCHAP_PASSWORD_MAX];
	int unicode_len = to_unicode(password, len, unicode);
	bool ok =
		unicode_len >= 0 && HASH(algorithms.md4, ret, PASSWORD_HASH, {unicode, (size_t)unicode_len});

	explicit_bzero(unicode, sizeof(unicode));
	return ok;
}

/* 56 bits are spread over eight octets; the parity bit of each is ignored (section 8.6). */
static bool des_encrypt(
	EVP_CIPHER_CTX *ctx, const uint8_t *clear, const uint8_t raw[DES_KEY], uint8_t ret[DES_BLOCK])
{
	uint8_t key[DES_BLOCK];
	uint64_t bits = 0;
	int len = 0;
	bool ok;

	for (unsigned i = 0; i < DES_KEY; i++)
		bits = bits << 8 | raw[i];
	for (unsigned i = 0; i < DES_BLOCK; i++)
		key[i] = (uint8_t)(bits >> (49 - 7 * i) << 1);
	ok = EVP_EncryptInit_ex2(ctx, algorithms.des, key, NULL, NULL) &&
	     EVP_CIPHER_CTX_set_padding(ctx, 0) && EVP_EncryptUpdate(ctx, ret, &len, clear, DES_BLOCK) &&
	     len == DES_BLOCK;
	explicit_bzero(key, sizeof(key));
	explicit_bzero(&bits, sizeof(bits));
	return ok;
}

static bool challenge_response(const uint8_t challenge[CHALLENGE_HASH],
	const uint8_t password_hash[PASSWORD_HASH], uint8_t ret[MSCHAP_NT_RESPONSE])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t keys[3 * DES_KEY] = {0}, response[MSCHAP_NT_RESPONSE];
	bool ok = ctx;

	memcpy(keys, password_hash, PASSWORD_HASH);
	for (size_t i = 0; ok && i < 3; i++)
		ok = des_encrypt(ctx, challenge, keys + i * DES_KEY, response + i * DES_BLOCK);
	EVP_CIPHER_CTX_free(ctx); /* wipes the key schedule */
	if (ok)
		memcpy(ret, response, sizeof(response));
	explicit_bzero(keys, sizeof(keys));
	explicit_bzero(response, sizeof(response));
	return ok;
}

bool mschap_v2_response(const uint8_t auth_challenge[MSCHAP_CHALLENGE],
	const uint8_t peer_challenge[MSCHAP_CHALLENGE], const void *user_name, size_t name_len,
	const void *password, size_t password_len, uint8_t ret[MSCHAP_NT_RESPONSE])
{
	uint8_t challenge[CHALLENGE_HASH], password_hash[PASSWORD_HASH];
	bool ok = mschap_available() &&
		  challenge_hash(peer_challenge, auth_challenge, user_name, name_len, challenge) &&
		  nt_password_hash(password, password_len, password_hash) &&
		  challenge_response(challenge, password_hash, ret);

	explicit_bzero(password_hash, sizeof(password_hash));
	return ok;
}

static bool authenticator_digest(const uint8_t password_hash[PASSWORD_HASH], const uint8_t *nt_response,
	const uint8_t challenge[CHALLENGE_HASH], uint8_t ret[SHA1])
{
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] = "Pad to make it do more than one iteration";
	uint8_t password_hash_hash[PASSWORD_HASH], digest[SHA1];
	bool ok = HASH(algorithms.md4, password_hash_hash, PASSWORD_HASH, {password_hash, PASSWORD_HASH}) &&
		  HASH(algorithms.sha1, digest, SHA1, {password_hash_hash, PASSWORD_HASH},
			  {nt_response, MSCHAP_NT_RESPONSE}, {magic1, sizeof(magic1) - 1}) &&
		  HASH(algorithms.sha1, ret, SHA1, {digest, SHA1}, {challenge, CHALLENGE_HASH},
			  {magic2, sizeof(magic2) - 1});

	explicit_bzero(password_hash_hash, sizeof(password_hash_hash));
	explicit_bzero(digest, sizeof(digest));
	return ok;
}

bool mschap_v2_success(const uint8_t auth_challenge[MSCHAP_CHALLENGE],
	const uint8_t peer_challenge[MSCHAP_CHALLENGE], const void *user_name, size_t name_len,
	const void *password, size_t password_len, const uint8_t nt_response[MSCHAP_NT_RESPONSE],
	char ret[MSCHAP_SUCCESS + 1])
{
	uint8_t challenge[CHALLENGE_HASH], password_hash[PASSWORD_HASH], digest[SHA1];
	bool ok = mschap_available() &&
		  challenge_hash(peer_challenge, auth_challenge, user_name, name_len, challenge) &&
		  nt_password_hash(password, password_len, password_hash) &&
		  authenticator_digest(password_hash, nt_response, challenge, digest);

	explicit_bzero(password_hash, sizeof(password_hash));
	if (!ok)
		return false;
	ret[0] = 'S';
	ret[1] = '=';
	for (size_t i = 0; i < SHA1; i++)
		snprintf(ret + 2 + 2 * i, 3, "%02X", digest[i]);
	return true;
}

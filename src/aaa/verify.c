/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CHAP with MD5 (RFC 1994), MS-CHAPv2 (RFC 2759) and PAP (RFC 1334), each against a secret that we know. */
#include "aaa/verify.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "lib/reader.h"
#include "ppp/mschap.h"
#include "ppp/packet.h"

/* NULL when the claim is true; otherwise why not. */
typedef const char *check_function(
	const struct aaa_claim *claim, const void *secret, size_t len, struct verdict *ret);

static const char wrong[] = "wrong password";

static const char *check_md5(
	const struct aaa_claim *claim, const void *secret, size_t len, struct verdict *ret)
{
	bool ok = aaa_chap_md5_ok(claim->id, secret, len, claim->challenge, claim->challenge_len,
		claim->response, claim->response_len);

	return ok ? NULL : wrong;
}

/* Section 4: Peer-Challenge, eight octets and a flag that are reserved, NT-Response in between. */
static const char *check_mschap(
	const struct aaa_claim *claim, const void *secret, size_t len, struct verdict *ret)
{
	struct reader r = reader_of(claim->response, claim->response_len);
	const uint8_t *peer_challenge = reader_bytes(&r, MSCHAP_CHALLENGE), *response;
	uint8_t expected[MSCHAP_NT_RESPONSE];
	char success[MSCHAP_SUCCESS + 1];
	bool ok;

	reader_bytes(&r, 8);
	response = reader_bytes(&r, MSCHAP_NT_RESPONSE);
	reader_u8(&r);
	if (!mschap_available())
		return "MS-CHAPv2 is not possible here: libcrypto has no legacy provider";
	if (claim->challenge_len != MSCHAP_CHALLENGE || !reader_ok(&r) || reader_left(&r))
		return "the MS-CHAPv2 challenge or response has a wrong length";
	ok = mschap_v2_response(
		     claim->challenge, peer_challenge, claim->name, claim->name_len, secret, len, expected) &&
	     mschap_v2_success(claim->challenge, peer_challenge, claim->name, claim->name_len, secret, len,
		     response, success) &&
	     !CRYPTO_memcmp(expected, response, sizeof(expected));
	explicit_bzero(expected, sizeof(expected));
	if (ok)
		snprintf(ret->message, sizeof(ret->message), "%s M=welcome", success);
	explicit_bzero(success, sizeof(success));
	return ok ? NULL : wrong;
}

/* Padded, so that neither length nor content of the secret shows in the time. */
static const char *check_pap(
	const struct aaa_claim *claim, const void *secret, size_t len, struct verdict *ret)
{
	char is[AAA_SECRET_MAX + 1] = {0}, should[AAA_SECRET_MAX + 1] = {0};
	bool fits = claim->response_len <= AAA_SECRET_MAX, same;

	if (fits && claim->response_len)
		memcpy(is, claim->response, claim->response_len);
	memcpy(should, secret, len);
	same = !CRYPTO_memcmp(is, should, sizeof(is));
	explicit_bzero(is, sizeof(is));
	explicit_bzero(should, sizeof(should));
	return same && fits && claim->response_len == len ? NULL : wrong;
}

static check_function *check_for(const struct aaa_claim *claim, const char **ret_why)
{
	if (claim->protocol == PPP_PAP)
		return check_pap;
	if (claim->protocol == PPP_CHAP && claim->algorithm == CHAP_MD5)
		return check_md5;
	if (claim->protocol == PPP_CHAP && claim->algorithm == CHAP_MSCHAPV2)
		return check_mschap;
	*ret_why = claim->protocol == PPP_CHAP
			   ? "the peer used a CHAP algorithm other than MD5 and MS-CHAPv2"
			   : "the peer used an authentication protocol other than CHAP and PAP";
	return NULL;
}

/* RFC 2759 section 6: ERROR_AUTHENTICATION_FAILURE, no retry. The challenge must be there, also when nobody may use it. */
static void refuse_mschap(struct rng *rng, struct verdict *ret)
{
	uint8_t challenge[MSCHAP_CHALLENGE];
	char hex[2 * MSCHAP_CHALLENGE + 1];

	rng_bytes(rng, challenge, sizeof(challenge));
	for (size_t i = 0; i < sizeof(challenge); i++)
		snprintf(hex + 2 * i, 3, "%02X", challenge[i]);
	snprintf(ret->message, sizeof(ret->message), "E=691 R=0 C=%s V=3 M=wrong user name or password", hex);
}

void verify_claim(const struct aaa_claim *claim, const void *secret, size_t len, const char *why_not,
	struct rng *rng, struct verdict *ret)
{
	const char *why = NULL;
	check_function *check = check_for(claim, &why);

	*ret = (struct verdict){.message = "welcome"};
	if (check) {
		why = check(claim, secret, len, ret);
		if (why_not && (!why || why == wrong))
			why = why_not;
	}
	ret->ok = !why;
	ret->why = why ? why : "";
	if (ret->ok)
		return;
	if (claim->protocol == PPP_CHAP && claim->algorithm == CHAP_MSCHAPV2)
		refuse_mschap(rng, ret);
	else
		snprintf(ret->message, sizeof(ret->message), "wrong user name or password");
}

/*
 * ppp/mschap: what MS-CHAPv2 computes, RFC 2759 section 8. Pure functions: the packets are chap.c's, the
 * verdict is aaa/'s.
 *
 * The peer answers the authenticator's challenge with a challenge of its own and the NT-Response; the
 * authenticator proves in the text of its Success that it knows the password, too ("S=..."). The peer must
 * check that text (section 5).
 *
 * MD4 and DES are in libcrypto's legacy provider only. It is loaded once, at the first call, into a library
 * context of its own, so that nothing else in the process gets to see old algorithms. Where the provider is
 * not installed (a package of its own in some distributions), all of these say so by false; a configuration
 * that wants MS-CHAPv2 asks mschap_available() first.
 *
 * Challenges and response travel in the clear, and the response is only as strong as one DES key (2^56):
 * MS-CHAPv2 is for peers that have nothing better, on networks that are protected otherwise. RFC 2759.
 */
#ifndef PPP_MSCHAP_H
#define PPP_MSCHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MSCHAP_CHALLENGE = 16,
	MSCHAP_NT_RESPONSE = 24,
	MSCHAP_SUCCESS = 42,
	MSCHAP_PASSWORD_MAX = 256 /* UTF-16 units */
};

bool mschap_available(void);
/*
 * GenerateNTResponse(). USER_NAME may begin with a domain ("BIGCO\johndoe"), which is no part of the
 * computation. PASSWORD is UTF-8; one that is not is taken byte by byte as ISO 8859-1. False, and RET is
 * untouched: no legacy provider, no memory, or a password that is too long.
 */
bool mschap_v2_response(const uint8_t auth_challenge[MSCHAP_CHALLENGE],
	const uint8_t peer_challenge[MSCHAP_CHALLENGE], const void *user_name, size_t name_len,
	const void *password, size_t password_len, uint8_t ret[MSCHAP_NT_RESPONSE]);
/* GenerateAuthenticatorResponse(): "S=", 40 hexadecimal digits, NUL. */
bool mschap_v2_success(const uint8_t auth_challenge[MSCHAP_CHALLENGE],
	const uint8_t peer_challenge[MSCHAP_CHALLENGE], const void *user_name, size_t name_len,
	const void *password, size_t password_len, const uint8_t nt_response[MSCHAP_NT_RESPONSE],
	char ret[MSCHAP_SUCCESS + 1]);

#endif

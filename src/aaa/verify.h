/*
 * verify: is a claim true? What aaa.c looks up comes in, a verdict goes out; nothing is kept.
 */
#ifndef AAA_VERIFY_H
#define AAA_VERIFY_H

#include "aaa/aaa.h"
#include "lib/rng.h"

enum { VERIFY_MESSAGE = 128 };

struct verdict {
	bool ok;
	const char *why;              /* for the log; "" when OK */
	char message[VERIFY_MESSAGE]; /* for the peer, in the form that its protocol wants */
};

/*
 * SECRET is the user's. For users that do not exist, or have none, it is another one, and WHY_NOT says which of the two: then the same work
 * is done, and the verdict is never OK.
 */
void verify_claim(const struct aaa_claim *claim, const void *secret, size_t len, const char *why_not,
	struct rng *rng, struct verdict *ret);

#endif

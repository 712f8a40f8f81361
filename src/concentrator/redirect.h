/*
 * concentrator/redirect: which other concentrator an initiator is sent to, and how that is said. Sans-I/O.
 *
 * RFC 2661 section 4.4.2 has the code for it, "try another" (StopCCN, result 2, error 7); RFC 3193 section 4 has the address: it alone is the
 * Error Message, as text.
 *
 * Where an initiator's trust in that word comes from: not from the word. Whoever can guess the ids and the port of a tunnel, or sits on
 * the way, can say it; RFC 2661 authenticates a tunnel's ends when it begins, and no message before or after that. So a redirect must change
 * nothing but the address that is tried next: the initiator demands of whoever is there the same proofs as of us, its tunnel secret
 * (SCCRP's Challenge Response), its server password or the authority of the certificate, and who cannot give them gets neither softwire
 * nor password. That is why concentrators that send initiators to each other share users and tunnel secrets; a forged redirect then costs an
 * attempt, as a forged refusal does. Under IPsec the word came from the authenticated peer, and the address gets an SA of its own (RFC 3193 section 4.2.3).
 */
#ifndef CONCENTRATOR_REDIRECT_H
#define CONCENTRATOR_REDIRECT_H

#include "lib/addr.h"
#include "lib/rng.h"

/* One of TARGETS, each as likely as the others, for an initiator that has come over FAMILY and may have no other; NULL: there is none. */
const struct endpoint *redirect_choose(
	const struct endpoint *targets, unsigned count, uint8_t family, struct rng *rng);
/* "192.0.2.2", "2001:db8::2": RFC 3193 allows nothing beside the address. Only a port that is not L2TP's is told with it, as
 * "192.0.2.2:1702", which others' initiators will not understand. */
const char *redirect_print(const struct endpoint *target, char buf[ENDPOINT_TEXT]);

#endif

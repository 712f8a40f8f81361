/*
 * answer: what the files behind aaa.h share: the state, and the queue of answers on their way.
 *
 * An answer holds copies: the table may be another one when it is delivered, and the exchange further on.
 */
#ifndef AAA_ANSWER_H
#define AAA_ANSWER_H

#include "aaa/aaa.h"
#include "aaa/users.h"
#include "aaa/verify.h"
#include "eap/eap.h"

enum { DUMMY_SECRET = 16 };

struct answer {
	struct answer *next;
	void *owner;
	const struct aaa_eap *exchange; /* of an EAP answer */
	aaa_verified *verified;         /* at most one of the three; none when it was cancelled */
	aaa_secret *secret;
	aaa_eap_answer *eap;
	struct verdict verdict;
	char eap_why[EAP_WHY];
	struct aaa_user user;
	size_t len; /* of a secret, or of a request for the EAP peer */
	uint8_t bytes[EAP_PACKET_MAX];
};

struct aaa {
	uv_idle_t *
		idle; /* runs while answers wait; apart, because it outlives us until the loop has closed it */
	struct users *users;
	uint64_t seed;
	struct answer *first, *last;
	struct aaa_user scratch;
	struct rng rng;
	uint8_t dummy[DUMMY_SECRET];  /* for users that do not exist: they take as long as others */
	struct eap_server_config eap; /* without methods: EAP is off */
	char *eap_name;
};

/* The idle handle, or none without a loop. 0 or -ENOMEM. */
int answers_init(struct aaa *a, struct loop *loop);
void answers_done(struct aaa *a);
/* Delivers a copy of N later, or N itself at once: without a loop, and when there is no memory. */
void answer_send(struct aaa *a, const struct answer *n);
/* Those to OWNER, or of EXCHANGE, are not wanted any more. */
void answers_cancel(struct aaa *a, const void *owner, const struct aaa_eap *exchange);

/* Why a user cannot prove to be ROW (may be NULL) by a secret, or NULL. */
const char *why_no_secret(const struct user_row *row);

#endif

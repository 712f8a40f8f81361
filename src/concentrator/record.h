/* concentrator/record: a softwire as bytes in the state that outlives the process, as far as the role knows more than the engine (hub/save.h). */
#ifndef CONCENTRATOR_RECORD_H
#define CONCENTRATOR_RECORD_H

#include "concentrator/role.h"
#include "hub/save.h"

/* Another version is for what an older program must not take up; sections may grow without. */
enum { RECORD_VERSION = 1, RECORD_USER_MAX = 255 };

struct record {
	const char
		*why; /* it cannot be adopted, but its peer can be told; NULL: nothing is against it here */
	struct endpoint local; /* as it was listened on */
	struct endpoint peer;
	struct addr at; /* that the peer talks to, where the socket has many; else none */
	struct softwire_peek peek;
	struct reader engine;
	char user[RECORD_USER_MAX + 1]; /* "": not known yet */
	uint16_t slot, peer_tunnel, open_mtu;
	uint8_t method;
	bool anonymous, hooked, leased;
	struct reader counters;
};

/* Nothing is written when nobody would have to be told of its end. */
void subscriber_put_record(const struct subscriber *sub, struct writer *w);
/* 0, or -EBADMSG: not even its peer is known. */
int record_read(struct reader r, struct record *ret);

#endif

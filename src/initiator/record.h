/* initiator/record: what is written down of the current softwire for the next process. Pure. */
#ifndef INITIATOR_RECORD_H
#define INITIATOR_RECORD_H

#include "hub/save.h"
#include "initiator/role.h"

/* Another version is for what an older program must not take up; sections may grow without. */
enum { RECORD_VERSION = 1 };
enum { RECORD_HOOKS_UP = 1, RECORD_HOOK_DUE = 2, RECORD_LOWERED = 4, RECORD_FLAGS = 7 };

struct record {
	struct endpoint server;
	uint16_t port;
	struct softwire_peek peek;
	struct reader engine, counters;
	uint8_t flags, server_index, below, eap_method;
	uint32_t reconnects, pinned, uplink;
	uint16_t up_mtu;
	struct addr local;
	struct redirect redirect;
	struct held_prefix held[HELD_PREFIXES];
};

/* Nothing, where it could not go on. */
void initiator_record_put(const struct initiator *i, const struct attempt *a, struct writer *w);
/* False: not even who it was connected with is known. *ret_why: it cannot go on, but its peer can be told; NULL: it can. */
bool initiator_record_read(
	const struct initiator *i, struct reader r, struct record *ret, const char **ret_why);

#endif

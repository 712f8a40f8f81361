/*
 * keeper/resolver: tells whatever manages the host's resolv.conf which DNS servers a device has brought.
 *
 * Programs run as children of the keeper, one at a time per device, and never hold it up: the keeper calls resolver_reap() after
 * SIGCHLD and resolver_expire() at resolver_deadline(). Of requests that come meanwhile only the last one is carried out.
 */
#ifndef KEEPER_RESOLVER_H
#define KEEPER_RESOLVER_H

#include "keeper/keeper.h"
#include "keeper/ledger.h"

struct resolver_job;

struct resolver {
	struct resolver_job *jobs; /* one for each device with servers told, being told or being withdrawn */
	const struct keeper_resolvers *programs;
	struct log *log;
	struct ledger *ledger; /* or NULL */
	msec patience; /* with one program */
};

/* PROGRAMS may be NULL: this system's. */
void resolver_init(struct resolver *r, const struct keeper_resolvers *programs, struct log *log);
/* COUNT 0 withdraws. 0; -ENOENT when there is nobody to tell, -ENOMEM. */
int resolver_set(
	struct resolver *r, const char *device, const struct addr *servers, unsigned count, msec now);
/* What an earlier keeper has told; it is told again. False: it is nothing. */
bool resolver_inherit(struct resolver *r, struct ledger_item *item, msec now);
/* A child has ended, maybe one of ours. */
void resolver_reap(struct resolver *r, msec now);
/* When resolver_expire() is to be called; MSEC_NEVER. */
msec resolver_deadline(const struct resolver *r);
/* Kills what has had its time. */
void resolver_expire(struct resolver *r, msec now);
/* Withdraws everything and waits for it, some seconds at most. SIGCHLD must be blocked. */
void resolver_done(struct resolver *r);

#endif

/*
 * keeper/grant: decodes a request, asks the policy, does it, remembers what must be held and what must be undone.
 */
#ifndef KEEPER_GRANT_H
#define KEEPER_GRANT_H

#include "keeper/bridge.h"
#include "keeper/forwarding.h"
#include "keeper/hook.h"
#include "keeper/identity.h"
#include "keeper/keeper.h"
#include "keeper/message.h"
#include "keeper/resolver.h"
#include "netlink/route.h"

enum { GRANT_HELD_MAX = 1024, GRANT_ADDED_MAX = 4096 };
enum { GRANT_LATER = 1 }; /* the result of a request whose answer will come from elsewhere: hooks_answer() */

struct grant_held;
struct grant_added;

struct grant {
	const struct keeper_policy *policy; /* in force: joined, or newest */
	const struct keeper_policy *newest; /* the caller's */
	struct keeper_policy *joined; /* what this engine process has been allowed since its start; or NULL */
	void *reload_arg;
	struct log *log;
	struct netlink *netlink;
	struct identity engine;
	struct grant_held *held;
	size_t held_count;
	struct grant_added *added; /* what would outlive us */
	size_t added_count;
	struct forwarding forwarding;
	struct bridges bridges;
	struct resolver resolver;
	struct hooks hooks;
	struct limit refusals; /* log lines that the engine can provoke */
	uint64_t done, failed, refused, malformed;
	/* Does a request that is allowed: 0, -errno or GRANT_LATER; *ret_fd is -1 before. grant_execute(), or a fuzzer's. */
	int (*execute)(struct grant *g, const struct message_request *r, int *ret_fd);
};

/* The netlink socket and the engine's identity are the caller's to set. */
void grant_init(struct grant *g, const struct keeper_policy *policy, struct log *log, void *reload_arg);
int grant_execute(struct grant *g, const struct message_request *r, int *ret_fd);
/* Handles one message of the engine. False: no answer (yet), or not even a request that could be answered. *ret_fd is -1 or the caller's to close. */
bool grant_handle(struct grant *g, const void *data, size_t len, struct message_answer *ret, int *ret_fd);
/* A new engine process begins under the newest policy: what is held may be asked for again, and what is not allowed any more is let go. */
void grant_engine_started(struct grant *g);
/*
 * Calls the policy's reload(). What it allows is allowed from now on, and what was allowed before stays so until another engine process
 * begins: the running one has the old devices, interfaces and ports in use. 0; -EINVAL when reload() gave none, or -ENOMEM.
 */
int grant_reload(struct grant *g);
/* The keeper ends: undoes what was done and closes what is held. */
void grant_done(struct grant *g);

#endif

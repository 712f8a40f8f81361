/*
 * keeper/grant: decodes a request, asks the policy, does it, remembers what must be held and what must be undone.
 */
#ifndef KEEPER_GRANT_H
#define KEEPER_GRANT_H

#include "keeper/border.h"
#include "keeper/bridge.h"
#include "keeper/forwarding.h"
#include "keeper/hook.h"
#include "keeper/handover.h"
#include "keeper/hush.h"
#include "keeper/identity.h"
#include "keeper/keeper.h"
#include "keeper/message.h"
#include "keeper/resolver.h"
#include "keeper/table.h"
#include "keeper/upgrade.h"
#include "netlink/route.h"

enum { GRANT_HELD_MAX = 1024, GRANT_ADDED_MAX = 4096 };
enum { GRANT_LATER = 1 }; /* the result of a request whose answer will come from elsewhere: hooks_answer(), upgrade_answer() */

/* A descriptor whose loss would be felt. */
struct grant_held {
	struct grant_held *next;
	uint32_t type; /* MESSAGE_OPEN_UDP, OPEN_TCP, OPEN_TUN, OPEN_TAP, OPEN_CONTROL, OPEN_STATE, HOLD_UDP */
	int fd;
	struct ledger_entry entry;
	bool handed;                  /* this engine process has it */
	struct endpoint asked, bound; /* OPEN_UDP, OPEN_TCP */
	char name[IFNAMSIZ];          /* OPEN_TUN, OPEN_TAP; OPEN_STATE and HOLD_UDP: of the device that it belongs to */
	char path[108];               /* OPEN_CONTROL: where the socket's file is */
};

/* A change that does not vanish with a descriptor. */
struct grant_added {
	struct grant_added *next;
	uint32_t type; /* MESSAGE_ROUTE, MESSAGE_ADDRESS */
	struct ledger_entry entry;
	union {
		struct message_route route;
		struct message_address address;
	};
};

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
	struct tables tables;
	struct borders borders;
	struct hush hush;
	struct resolver resolver;
	struct hooks hooks;
	struct upgrade upgrade;
	struct ledger ledger;    /* all of that, for the next keeper */
	bool ready; /* an engine process of this keeper, or of the one before it, has been ready */
	struct limit refusals; /* log lines that the engine can provoke */
	uint64_t routes_failed[2]; /* of the request that is being done: for its answer */
	int offered; /* a descriptor that came with the request, or -1; whoever wants it sets it to -1 */
	uint64_t done, failed, refused, malformed;
	/* Does a request that is allowed: 0, -errno or GRANT_LATER; *ret_fd is -1 before. grant_execute(), or a fuzzer's. */
	int (*execute)(struct grant *g, const struct message_request *r, int *ret_fd);
};

/* The netlink socket and the engine's identity are the caller's to set. */
void grant_init(struct grant *g, const struct keeper_policy *policy, struct log *log, void *reload_arg);
int grant_execute(struct grant *g, const struct message_request *r, int *ret_fd);
/* Handles one message of the engine. False: no answer (yet), or not even a request that could be answered. *ret_fd is -1 or the caller's to close. */
bool grant_handle(struct grant *g, const void *data, size_t len, struct message_answer *ret, int *ret_fd);
/* A new engine process is about to begin, under the newest policy: what is held may be asked for again, and what is not allowed any more is let go. */
void grant_engine_started(struct grant *g);
/*
 * Calls the policy's reload(). What it allows is allowed from now on, and what was allowed before stays so until another engine process
 * begins: the running one has the old devices, interfaces and ports in use. 0; -EINVAL when reload() gave none, or -ENOMEM.
 */
int grant_reload(struct grant *g);
/*
 * What an earlier keeper has held and changed becomes ours: LEDGER_FD is its ledger (-1: there was none, and a new one begins), and what it held is
 * looked for in FROM.
 */
void grant_inherit(struct grant *g, struct handover *from, int ledger_fd);
/* Everything that the next keeper needs, for handover_exec(): 0 or -errno. */
int grant_hand_over(struct grant *g, struct handover *to);
/* Nothing came of it: we go on. */
void grant_hand_back(struct grant *g);
/* The keeper ends: undoes what was done and closes what is held. */
void grant_done(struct grant *g);

/* held.c */
/* Takes FD, also when there is no room for it: NULL then, and where FD is an error. */
struct grant_held *held_add(struct grant *g, uint32_t type, int fd, int *ret_error);
/* It is known now what H is: the next keeper may have it, too. A copy is the engine's. */
int held_enter(struct grant *g, struct grant_held *h, int *ret_fd);
int held_copy(struct grant_held *h, int *ret_fd);
struct grant_held *held_find(const struct grant *g, uint32_t type, const char *name);
/* One of our devices, of either kind. */
struct grant_held *held_find_device(const struct grant *g, const char *name);
void held_drop(struct grant *g, struct grant_held **link);

/* told.c */
/* R is NULL when it could not be decoded. */
void told_refusal(struct grant *g, uint32_t type, const struct message_request *r, const char *reason);
void told_failure(struct grant *g, const struct message_request *r, int result);
void told_success(struct grant *g, const struct message_request *r);

/* inherit.c */
/* The ledger's entry of what is held, or has been added, is made anew. */
void grant_enter_held(struct grant *g, struct grant_held *h);
void grant_enter_added(struct grant *g, struct grant_added *a);
/* Under which the service manager keeps it. */
enum { GRANT_NAME = HANDOVER_NAME };
const char *grant_held_name(const struct grant_held *h, char name[GRANT_NAME]);

#endif

/*
 * sim/carrier: a concentrator of the simulation: softwire engines, a lease store, and its misfortunes.
 *
 * It answers at once what engines ask for: CHAP against the accounts' secrets, leases from a store without a loop. Whatever happens, no two of its
 * softwires hold the same address or prefix at a time; that is checked with each lease.
 * It may be killed (the lease store is all that is left), crash and take its softwires up from the records that they wrote with each change
 * (carrier_restart.c), or shut down in good order.
 */
#ifndef SIM_CARRIER_H
#define SIM_CARRIER_H

#include "lease/lease.h"
#include "lib/hash.h"
#include "lib/pool.h"
#include "stage.h"

enum { HELD_MAX = 4 }; /* the link's prefix, a delegated one, an address, a subnet */

struct carrier;

struct side {
	struct softwire_sc engine;
	struct carrier *carrier;
	struct side *next, **link; /* of the same user */
	uint32_t user, account, port;
	uint16_t peer_tunnel, local_tunnel;
	bool known;
	unsigned held_count;
	struct held *held[HELD_MAX];
	uint8_t record[1024]; /* what it saved last */
	size_t record_len;
};

/* What a softwire holds, in a hash of all of it. */
struct held {
	struct prefix prefix;
	struct side *side;
};

struct carrier_config {
	uint32_t users;
	uint32_t per_account;	   /* users that share an account; 0: 1 */
	const char *path;	   /* of the lease database; NULL: in memory */
	struct lease_pool_config pool;
	bool ipv4, no_ipv6, dhcp4; /* payload; IPv4 addresses come by DHCP */
	bool may_refuse;	   /* it may have no lease to give: the pool is too small, or the disk full */
	uint32_t lifetime_s;	   /* valid lifetime, and DHCP's lease; 0: 7200 */
	bool record;		   /* softwires write records, for carrier_come_back() */
};

struct carrier {
	struct stage *stage;
	struct carrier_config config;
	struct softwire_config softwire;
	struct softwire_counters counters;
	struct lease_store *leases;
	struct side *by_tunnel[65536];
	struct side **of_user;	  /* all of a user's, by next */
	struct side **by_account; /* who holds the account's slot */
	uint32_t count;
	struct hash held;
	struct pool sides;
	bool dead; /* nothing is heard, sent or done */
	uint64_t replaced, no_address;
	uint64_t cut_off, resumed, told; /* softwires lost by a kill, taken up after a crash, and peers told that theirs are not */
};

/* False: the lease store cannot be opened. */
bool carrier_open(struct carrier *c, struct stage *stage, const struct carrier_config *config);
void carrier_input(struct carrier *c, const struct packet *p);
/* Frees everything at once; false, and told as a broken promise, when memory was leaked. */
void carrier_done(struct carrier *c);
/* All softwires that are up are ended with a word to the peer. */
void carrier_shut_down(struct carrier *c);

/* carrier_restart.c */
/* The process is gone with everything but the lease store, and another one is there. */
void carrier_kill(struct carrier *c);
/* The process is gone; records stay. */
void carrier_crash(struct carrier *c);
/* Another one takes up what the records tell. */
void carrier_come_back(struct carrier *c);

/* For carrier_restart.c. */
bool carrier_open_leases(struct carrier *c);
void carrier_acquire(struct side *side, lease_answer *answer);
void carrier_forget(struct softwire *s);
void carrier_save(struct softwire *s);
struct side *side_of(struct softwire *s);

#endif

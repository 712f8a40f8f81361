/* concentrator/role: what the files of this folder share. Not for other folders. */
#ifndef CONCENTRATOR_ROLE_H
#define CONCENTRATOR_ROLE_H

#include "concentrator/concentrator.h"
#include "lib/hash.h"
#include "lib/pool.h"
#include "netlink/route.h"

/* One softwire at the concentrator: engine, data-plane row, and whose it is. */
struct subscriber {
	struct softwire_sc engine; /* first */
	struct concentrator *role;
	struct dp_row *row;
	struct subscriber *next, **link; /* all of them, newest first */
	struct subscriber *next_of_user; /* same user */
	char *user;			 /* NULL until authenticated */
	char *claimed;			 /* the name that is being verified: for the log */
	struct json_t *early;		 /* while somebody is traced, until it is known who this is: what would have been told */
	struct lease_request *request;	 /* what the user is entitled to, until the lease is there */
	uint32_t id;
	uint16_t slot;
	uint16_t softwires; /* how many the user may have */
	uint16_t peer_tunnel; /* as the SCCRQ assigned it: finds retransmissions */
	bool half_open, leased, routed, accepting;
};

/* Half-open tunnels per source: an IPv4 address or an IPv6 /64. */
struct source {
	struct addr addr;
	uint32_t count;
};

struct concentrator {
	struct loop *loop;
	struct log *log;
	struct keeper_client *keeper;
	struct rng *rng;
	struct concentrator_config config;
	struct softwire_config softwire;
	struct softwire_counters counters;
	struct {
		uint64_t sccrq, refused_limit, refused_source, strays, stray_replies, strays_suppressed, auth_ok, auth_failed,
			replaced, no_address;
	} role_counters;

	struct aaa *aaa;
	struct lease_store *leases;
	struct tun_plane *plane;
	uint8_t listeners[CONCENTRATOR_LISTEN_MAX];
	struct endpoint local[DP_LISTENERS_MAX]; /* by listener index */
	/* What strangers can provoke is limited per source, and in all, because sources can be forged. */
	struct limit_table *stray_limit, *log_limit;
	struct limit stray_all, log_all;
	struct netlink *routes; /* asks for path MTUs */

	struct pool subscribers;
	struct subscriber *all;
	struct hash by_request; /* (peer, its tunnel id) -> subscriber: an SCCRQ that comes again */
	struct hash by_user;	/* user name -> first subscriber of next_of_user */
	struct hash sources;	/* struct source */
	uint32_t half_open, count, next_id;
	uint64_t seed;

	char trace_user[AAA_NAME_MAX + 1];
	concentrator_trace_emit *trace_emit;
	void *trace_owner;
	uint32_t early_count; /* softwires with events that are held back */

	/* start and stop */
	void (*started)(void *owner, int result);
	void *started_owner;
	unsigned next_listen, retries;
	struct wheel_timer retry_timer; /* something was busy */
	void (*stopped)(void *owner);
	void *stopped_owner;
	struct wheel_timer stop_timer;
	msec stop_at;
	bool stopping, running;
};

/* tunnels.c */
extern const struct tun_ops concentrator_tun_ops;
extern const struct softwire_ops concentrator_softwire_ops;
void subscriber_close(struct subscriber *sub, enum softwire_cause cause, uint16_t result, uint16_t error, const char *text);
/* Frees it at once, without a word to the peer. */
void subscriber_free(struct subscriber *sub);
bool subscriber_log(struct subscriber *sub, struct log_line *l, enum log_level level, const char *event);
/* For what a stranger can provoke: limited in rate; what was left out is counted in the next line. */
bool subscriber_log_limited(struct subscriber *sub, struct log_line *l, enum log_level level, const char *event);
/* The largest inner packet of a softwire to PEER. */
uint16_t concentrator_path_mtu(struct concentrator *c, const struct endpoint *peer);

/* trace.c */
/* A new softwire: its events are held back if somebody is traced. */
void subscriber_trace_begin(struct subscriber *sub);
/* It claims to be NAME: what was held back is told, or thrown away if it is not NAME that is traced. */
void subscriber_trace_claimed(struct subscriber *sub, const void *name, size_t len);
void subscriber_trace_end(struct subscriber *sub);
void subscriber_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len);

/* users.c */
void subscriber_want_tunnel_secret(struct softwire *s, const char *host_name);
void subscriber_authenticate(struct softwire *s, const struct ppp_claim *claim);
void subscriber_want_ppp_secret(struct softwire *s, const char *peer_name);
void subscriber_want_lease(struct softwire *s);
void subscriber_bind_duid(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid);
void subscriber_delegated(struct softwire *s, uint8_t family, bool in_use);
/* The softwire is down: its lease is idle, its prefixes lead nowhere. */
void subscriber_leave(struct subscriber *sub);
struct subscriber *concentrator_first_of_user(struct concentrator *c, const char *user);
const struct concentrator_pool_config *concentrator_pool(const struct concentrator *c, const char *name);
bool concentrator_pools_cover(const struct concentrator *c, const struct prefix *p);

#endif

/* concentrator/role: what the files of this folder share. Not for other folders. */
#ifndef CONCENTRATOR_ROLE_H
#define CONCENTRATOR_ROLE_H

#include "concentrator/concentrator.h"
#include "concentrator/drain.h"
#include "concentrator/waiting.h"
#include "lib/hash.h"
#include "lib/pool.h"
#include "netlink/route.h"
#include "state/store.h"

struct path; /* path.c: what the network has said about the way to a peer */

/* What only set-up needs, and authentication that is done again; made when it is needed, gone when the softwire is up. */
struct setup {
	char *claimed;		       /* the name that is being verified: for the log */
	struct aaa_eap *eap;	       /* the exchange that is going on */
	struct json_t *early;	       /* while somebody is traced, until it is known who this is: what would have been told */
	struct lease_request *request; /* what the user is entitled to, until the lease is there */
	uint16_t softwires;	       /* how many the user may have */
	uint8_t at_limit;	       /* enum aaa_at_limit */
	bool no_ipv6;
	/* While a pool is short, grant.c asks for less and less: */
	uint8_t wants, lacks; /* what would be had, and what the pool has not */
	uint8_t tries;
};

/* One softwire at the concentrator: engine, data-plane row, and whose it is. */
struct subscriber {
	struct softwire_sc engine; /* first */
	struct concentrator *role;
	struct dp_row *row;
	struct subscriber *next, **link; /* all of them, newest first */
	struct subscriber *next_of_user; /* same user */
	struct subscriber *next_at_peer, *last_at_peer; /* a circle of those with the same peer address and port */
	char *user;			 /* NULL until authenticated */
	struct setup *setup;		 /* NULL: not needed now */
	struct path *path;		 /* NULL: nothing was said */
	struct half_open *half_open;	 /* NULL: it is up, or was */
	uint32_t id;
	uint32_t record; /* where it is written down, or 0 */
	uint16_t slot;
	uint16_t peer_tunnel; /* as the SCCRQ assigned it: finds retransmissions */
	uint8_t method;	      /* enum auth_method: how the user has proven who it is */
	bool accepting : 1, hooked : 1;
	bool anonymous : 1;
	bool leased : 1, routed6 : 1, routed4 : 1; /* routed: delegated prefixes, subnets are in use */
	bool unheld : 1; /* it was adopted, and its lease could not be held yet */
};

/* A tunnel that is not up yet, in its crowd; see admission.c. */
struct half_open {
	struct half_open *next, *previous;
	struct subscriber *sub;
	struct source *source;
	msec since; /* the SCCRQ, or the first answer */
	uint8_t crowd;
};

enum crowd_name { CROWD_ASKED, CROWD_SILENT, CROWD_BUSY, CROWD_SLOW, CROWDS };

/* In order of time. */
struct crowd {
	struct half_open *first, *last;
	uint32_t count;
};

struct role_counters {
	/* SCCRQs: new ones, copies of those that wait; what became of them */
	uint64_t sccrq, sccrq_again, admitted, withdrawn;
	uint64_t refused_limit; /* all that were refused; some by reason: */
	uint64_t refused_source, refused_rate, refused_waiting;
	uint64_t abandoned; /* half-open tunnels that others needed */
	uint64_t strays, stray_replies, strays_suppressed, auth_ok, auth_failed, replaced, refused_user, no_address, anonymous,
		refused_anonymous, path_errors, path_narrower, hooks, hooks_failed, redirected, moved, adopted, not_adopted, not_recorded;
};

struct admission {
	struct waiting waiting;
	struct crowd crowds[CROWDS];
	struct limit_table *rate; /* of new requests by source */
	uint32_t answer_time, setup_time; /* what initiators have needed of late; see learn() */
	struct loop_flush flush;
	struct wheel_timer timer; /* while somebody waits */
	bool storm;
	msec storm_began, storm_last, longest_wait;
	struct role_counters before; /* the storm */
	uint64_t lost, lost_before; /* requests that were thrown away; before the storm */
};

/* An address that we listen on. */
struct listener {
	bool open;
	bool retired; /* not configured any more: kept for the softwires that are there */
	struct endpoint at;
	uint32_t count; /* softwires */
};

struct concentrator {
	struct loop *loop;
	struct log *log;
	struct keeper_client *keeper;
	struct rng *rng;
	struct concentrator_config config;
	struct softwire_config softwire;
	struct softwire_counters counters;
	struct role_counters role_counters;
	struct admission admission;

	struct aaa *aaa;
	struct certificates *certificates; /* for EAP: in use, or NULL before the start */
	struct certificates *loading;	   /* while we start */
	struct lease_store *leases;
	bool fixed4; /* a user has a fixed IPv4 address */
	struct tun_plane *plane;
	struct listener listeners[DP_LISTENERS_MAX]; /* by the plane's index */
	struct wheel_timer listen_timer; /* closes those that have served */
	struct concentrator_change *changing; /* a reload that is being prepared, or NULL */
	/* What strangers can provoke is limited per source, and in all, because sources can be forged. */
	struct limit_table *stray_limit, *log_limit;
	struct limit stray_all, log_all, stranger_log;
	struct netlink *routes; /* asks for path MTUs */

	struct pool subscribers;
	struct subscriber *all;
	struct hash by_request; /* (peer, its tunnel id) -> subscriber: an SCCRQ that comes again */
	struct hash by_user;	/* user name -> first subscriber of next_of_user */
	struct hash by_peer;	/* peer address and port -> one subscriber of its circle */
	uint32_t count, next_id;
	uint32_t anonymous_count;
	uint64_t seed;

	/* What outlives us, and what came from the process before. */
	struct store *state; /* NULL: nothing outlives us */
	int state_fd;
	struct store_found state_found;
	struct loop_flush work; /* nothing is worked on while the loop sleeps */
	struct wheel_timer settle_timer, farewell_timer, hold_timer;
	struct farewell *farewells;
	unsigned farewell_rounds;

	char trace_user[AAA_NAME_MAX + 1];
	concentrator_trace_emit *trace_emit;
	void *trace_owner;
	uint32_t early_count; /* softwires with events that are held back */

	/* softwire drain */
	struct drain drain;
	struct subscriber *drain_next; /* who is looked at next; NULL: the newest */
	struct wheel_timer drain_timer;
	msec drain_told; /* in the log */
	uint32_t drain_id, drain_record; /* where it is written down; 0: it is not */
	uint64_t drain_recorded;         /* of moved, closed and refused together */
	bool drained; /* and that was told */

	/* start and stop */
	void (*started)(void *owner, int result);
	void *started_owner;
	void (*listening)(struct concentrator *c, int result, const char *what);
	unsigned next_listen, retries;
	struct wheel_timer retry_timer; /* something was busy */
	void (*stopped)(void *owner);
	void *stopped_owner;
	struct wheel_timer stop_timer;
	msec stop_at;
	bool stopping, running, leaving;
};

static inline struct subscriber *subscriber_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_sc, softwire), struct subscriber, engine);
}

static inline msec subscriber_now(const struct subscriber *sub)
{
	return loop_now(sub->role->loop);
}

/* subscriber.c: the life of one, and what its engine tells. */
extern const struct softwire_ops concentrator_softwire_ops;
struct subscriber *subscriber_new(struct concentrator *c, uint8_t listener, const struct endpoint *peer,
	const struct addr *local, uint16_t peer_tunnel);
/* ID and L2TP's ids of a new one, or of one that was there before. */
struct subscriber_ids {
	uint32_t id;
	uint16_t peer_tunnel, tunnel, session;
};
/* As subscriber_new(), half open, with these ids and without a trace. */
struct subscriber *subscriber_make(struct concentrator *c, uint8_t listener, const struct endpoint *peer,
	const struct addr *local, const struct subscriber_ids *ids);
/* The engine's families are up: so is its row. */
void subscriber_set_up(struct subscriber *sub);
/* Frees its memory; nobody is told, its lease and its record stay. */
void subscriber_discard(struct subscriber *sub);
/* Undoes subscriber_new() for a tunnel that was refused at once: there is no engine to end. */
void subscriber_undo(struct subscriber *sub);
void subscriber_close(struct subscriber *sub, enum softwire_cause cause, uint16_t result, uint16_t error, const char *text);
/* Frees it at once, without a word to the peer. */
void subscriber_free(struct subscriber *sub);
/* NULL: no memory. */
struct setup *subscriber_setup(struct subscriber *sub);
void subscriber_setup_end(struct subscriber *sub);
bool subscriber_log(struct subscriber *sub, struct log_line *l, enum log_level level, const char *event);
/* Our address and port of it. */
struct endpoint subscriber_local(const struct subscriber *sub);
/* After a reload: the rows of those that are up follow what is configured now. */
void concentrator_change_rows(struct concentrator *c);
/* For what a stranger can provoke: limited in rate; what was left out is counted in the next line. */
bool subscriber_log_limited(struct subscriber *sub, struct log_line *l, enum log_level level, const char *event);

/* tunnels.c: packets that belong to no softwire yet. */
extern const struct tun_ops concentrator_tun_ops;
/* May a stranger at PEER be answered now? *ret_suppressed: how many were not, before. */
bool concentrator_may_answer(struct concentrator *c, const struct addr *peer, uint32_t *ret_suppressed);
/* One line more that strangers can provoke? */
bool concentrator_may_log(struct concentrator *c);
/* One about somebody whose address is not proven? *ret_suppressed: how many were not. */
bool concentrator_may_log_stranger(struct concentrator *c, uint32_t *ret_suppressed);
/* Its SCCRQ is known, and it is half open; -ENOMEM. */
int subscriber_enter(struct subscriber *sub);
/* An SCCRQ that comes again from there is a new one: the peer has started again. */
void subscriber_forget_request(struct subscriber *sub);
/* A packet of no softwire. */
struct stray {
	uint8_t listener;
	const struct endpoint *from;
	const struct addr *local;
	const uint8_t *payload;
	size_t len;
	struct l2tp_header header;
	uint16_t assigned;	 /* the peer's tunnel id, where it is known */
	struct l2tp_fault fault; /* what is wrong with it */
	const char *why;	 /* for the log, where the peer hears something else; else NULL */
};
/* Answers P with a StopCCN, as far as strangers may be answered now, and logs it. P->fault.error goes with it where there is one. */
void concentrator_stray_reply(struct concentrator *c, const struct stray *p, uint16_t result, const char *text);

/* What came of an SCCRQ that was welcome: a softwire, or a refusal by the engine. */
void concentrator_accept(struct concentrator *c, const struct stray *p);

/* admission.c: which SCCRQs become tunnels, and when. */
int concentrator_admission_begin(struct concentrator *c); /* 0 or -ENOMEM */
void concentrator_admission_change(struct concentrator *c); /* the configuration has changed */
void concentrator_admission_end(struct concentrator *c);
/* A new SCCRQ, or a copy of one that waits. */
void concentrator_request(struct concentrator *c, const struct stray *p);
/* Its initiator gives up. False: there is none that waits. */
bool concentrator_withdraw_request(struct concentrator *c, const struct stray *p);
/* True: the SCCRQ P is not welcome. It was counted, logged and answered with the reason. */
bool concentrator_refuse_request(struct concentrator *c, const struct stray *p);
uint32_t concentrator_half_open(const struct concentrator *c);
int subscriber_half_open(struct subscriber *sub); /* from now on; 0 or -ENOMEM */
void subscriber_no_longer_half_open(struct subscriber *sub);
/* It has sent something that only who hears us can send. */
void subscriber_answered(struct subscriber *sub);
bool subscriber_is_proven(const struct subscriber *sub);

/* trace.c */
/* A new softwire: its events are held back if somebody is traced. */
void subscriber_trace_begin(struct subscriber *sub);
/* It claims to be NAME: what was held back is told, or thrown away if it is not NAME that is traced. */
void subscriber_trace_claimed(struct subscriber *sub, const void *name, size_t len);
void subscriber_trace_end(struct subscriber *sub);
void subscriber_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len);

/* auth.c: who somebody is. */
enum auth_method { AUTH_NONE, AUTH_CHAP, AUTH_MSCHAPV2, AUTH_PAP, AUTH_EAP, AUTH_EAP_TLS, AUTH_EAP_MD5, AUTH_METHODS };
void subscriber_want_tunnel_secret(struct softwire *s, const char *host_name);
void subscriber_authenticate(struct softwire *s, const struct ppp_claim *claim);
void subscriber_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len);
void subscriber_want_ppp_secret(struct softwire *s, const char *peer_name);
/* Nobody has said who this is, and nobody has to: it gets a name and a claim on addresses. False, and *ret_why: it is not welcome. */
bool subscriber_take_anonymous(struct subscriber *sub, const char **ret_why);
/* The peer has refused to say again who it is: what was given belongs to somebody who has. */
bool subscriber_is_impostor(const struct subscriber *sub);
/* What its user is entitled to, in its setup, for a softwire whose user is known. False: not any more, or no memory. */
bool subscriber_entitle(struct subscriber *sub);
/* The exchange that is going on is not wanted any more. */
void subscriber_eap_end(struct subscriber *sub);
const char *auth_method_name(enum auth_method method);

/* grant.c: what it gets. */
void subscriber_want_lease(struct softwire *s);
void subscriber_bind_duid(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid);
void subscriber_delegated(struct softwire *s, uint8_t family, bool in_use);
/* The softwire is down: its lease is idle, its prefixes lead nowhere. */
void subscriber_leave(struct subscriber *sub);
struct subscriber *concentrator_first_of_user(struct concentrator *c, const char *user);
const struct concentrator_pool_config *concentrator_pool(const struct concentrator *c, const char *name);
/* Where IPV6CP has told it: the address that the peer makes of the link's prefix. */
struct addr subscriber_address6(const struct subscriber *sub);

/* For one that goes on where it was: its user (NULL, or why not), and afterwards its lease, which must be what it has. */
const char *subscriber_resume_user(struct subscriber *sub, const char *user, bool anonymous);
void subscriber_hold_again(struct subscriber *sub);
/* It is its user's no more, and keeps the lease. */
void subscriber_forget_user(struct subscriber *sub);

/* record.c: what is written down of it */
void subscriber_changed(struct softwire *s);
void subscriber_record(struct subscriber *sub);
void subscriber_record_end(struct subscriber *sub);

/* adopt.c: from one process to the next */
/* FD is ours, also when it cannot be used: 0 or -errno. */
int concentrator_open_state(struct concentrator *c, int fd);
void concentrator_close_state(struct concentrator *c);
void concentrator_adopt(struct concentrator *c);
void concentrator_adopt_end(struct concentrator *c); /* no more farewells */
/* SUB's engine is at work; NULL: none is. */
void concentrator_work(struct concentrator *c, const struct subscriber *sub);

/* listeners.c: takes addresses of this concentrator out of LIST; how many are left. */
unsigned concentrator_others(const struct concentrator *c, struct endpoint *list, unsigned count);

/* evacuate.c: softwire drain. */
/* Where an initiator that has come over FAMILY is sent; NULL: it has to go without another address. */
const struct endpoint *concentrator_redirect(struct concentrator *c, uint8_t family);
/* SUB is about to go. */
void concentrator_drain_forget(struct concentrator *c, const struct subscriber *sub);
/* What the next process is to go on with; not any more. */
void concentrator_drain_record(struct concentrator *c);
void concentrator_drain_record_end(struct concentrator *c);
/* The process before was draining: RECORD is taken over, or removed, which is logged, as is WHY it cannot be (else NULL). */
void concentrator_drain_resume(struct concentrator *c, const struct store_record *record, const char *why);

/* network.c: what is the kernel's: aggregates of pools, our own addresses, forwarding, routes of single prefixes. */
void concentrator_install_network(struct concentrator *c);
/* Makes this host a router for the families that are served. */
void concentrator_forward(struct concentrator *c);
/* After a reload: the pools are no longer those of OLD. */
void concentrator_change_network(struct concentrator *c, const struct concentrator_config *old);
/* P leads to this softwire, in the data plane and in the kernel; 0, or -errno: two softwires may never share a prefix. */
int subscriber_route(struct subscriber *sub, const struct prefix *p);
void subscriber_unroute(struct subscriber *sub, const struct prefix *p);

/* concentrator.c: parts of the start that a reload does again. */
void concentrator_apply_timers(struct concentrator *c);
int concentrator_set_pools(struct concentrator *c, const struct concentrator_config *config, char why[256]);
void concentrator_reserve_fixed(struct concentrator *c);

/* listeners.c: the addresses that initiators connect to. */
/* Number I of CONFIG, or NULL. */
const struct endpoint *concentrator_listen(const struct concentrator_config *config, unsigned i);
void concentrator_open_listeners(
	struct concentrator *c, void (*done)(struct concentrator *c, int result, const char *what));
/*
 * A daemon that was killed a moment ago may still hold its sockets and its device while the kernel takes it apart: what is busy
 * is asked for again for a while, by FIRE.
 */
bool concentrator_try_again(struct concentrator *c, int result, void (*fire)(struct wheel_timer *t, msec now));
const struct listener *concentrator_find_listener(const struct concentrator *c, const struct endpoint *e);
/* FD is the plane's from now on, unless this fails: -errno. */
int concentrator_add_listener(struct concentrator *c, int fd, const struct endpoint *at);
/* Takes back what concentrator_add_listener() has done. */
void concentrator_drop_listener(struct concentrator *c, const struct endpoint *at);
/* After a reload: what is not configured any more takes no new softwires, and ends with the last that is there. RETIRED is told each. */
void concentrator_change_listeners(
	struct concentrator *c, void (*retired)(void *owner, const struct listener *l), void *owner);
/* Where somebody may go who has come to a retired address; NULL: we have none of that family any more. */
const struct endpoint *concentrator_other_address(struct concentrator *c, uint8_t family);

/* certificates.c: what EAP needs, read and proven, but not in use before it is taken. */
struct certificates *certificates_new(struct concentrator *c, const struct concentrator_config *config,
	concentrator_problem *problem, void *owner); /* CONFIG must stay until it is read; NULL: no memory */
/* DONE gets the OWNER from above: 0, or -errno after PROBLEM has been told. */
void certificates_read(struct certificates *t, void (*done)(void *owner, int result));
/* T, which has been read, is C's; false: it is what was in use already, and nobody is disturbed. */
bool concentrator_take_certificates(struct concentrator *c, struct certificates *t);
void certificates_free(struct certificates *t);

/* hooks.c: programs of the operator. */
/* A family came, or went; what is delegated changed. */
void subscriber_hook_up(struct subscriber *sub);
void subscriber_hook_change(struct subscriber *sub);
/* The prefixes of FAMILY came into use or went, all of them. */
void subscriber_hook_delegated(struct subscriber *sub, uint8_t family, bool in_use);
void subscriber_hook_renewed(struct softwire *s, uint8_t family);
/* Once, if it was up. */
void subscriber_hook_down(struct subscriber *sub, const char *reason);

/* path.c: the way to the peer, as the network tells it. */
/* The largest inner packet of a softwire to PEER. */
uint16_t concentrator_path_mtu(struct concentrator *c, const struct endpoint *peer);
int subscriber_path_begin(struct subscriber *sub); /* 0 or -ENOMEM */
void subscriber_path_end(struct subscriber *sub);
void concentrator_outer_error(
	struct tun_plane *plane, uint8_t listener, const struct endpoint *peer, int error, uint32_t mtu);
/* The MTU before ICMP lowered it, or 0; and again for one that goes on. */
uint16_t subscriber_open_mtu(const struct subscriber *sub);
void subscriber_restore_mtu(struct subscriber *sub, uint16_t open_mtu);
/* "ok", or a sentence. */
const char *subscriber_path_text(const struct subscriber *sub, char *buf, size_t size);

#endif

/*
 * concentrator: the SC role: policy around many softwire_sc engines, one TUN device, users, leases and filters.
 *
 * Parts: concentrator.c (start, stop), listeners.c (addresses that we listen on), reload.c (another configuration, all of it or nothing),
 * certificates.c (what EAP needs), network.c (addresses and routes in the kernel), tunnels.c (packets of no softwire), admission.c and
 * waiting.c (which requests become tunnels, and when), subscriber.c (the life of a softwire), auth.c (whose it is), grant.c (what it
 * gets, softwires per user), path.c (what the network says about the peer), hooks.c (programs of the operator), evacuate.c (softwire
 * drain) by the engines drain.c (when who leaves) and redirect.c (where to), record.c (what is written down of each softwire, for the
 * process that comes after this one) and adopt.c (going on with what the process before has written down), show.c, leases.c and
 * reverse.c (snapshots for the control socket), trace.c.
 * RFC 5571; design.md section 6 ("Settled").
 */
#ifndef CONCENTRATOR_CONCENTRATOR_H
#define CONCENTRATOR_CONCENTRATOR_H

#include "aaa/aaa.h"
#include "dataplane/tun.h"
#include "hub/softwire.h"
#include "keeper/keeper.h"
#include "lease/lease.h"

enum { CONCENTRATOR_LISTEN_MAX = 64, CONCENTRATOR_POOLS_MAX = 64, CONCENTRATOR_REDIRECTS_MAX = 16 };

struct concentrator_pool_config {
	struct lease_pool_config lease;
	unsigned dns_count;
	struct addr dns[DHCP6_DNS_MAX];
	uint32_t preferred, valid; /* lifetimes of delegated prefixes, seconds: 86,400 and 172,800; `valid` is DHCPv4's lease, too */
	unsigned nameserver_count; /* of users without their own: for softwire show reverse-zone */
	char nameservers[AAA_NAMESERVERS][AAA_HOST_MAX + 1];
};

/* Programs that the operator wants to be run, "": none. Their environment is documented in softwired-hooks(7). */
enum hook_event { HOOK_UP, HOOK_DOWN, HOOK_CHANGE, HOOK_RENEW, HOOK_EVENTS };

struct concentrator_config {
	bool present;
	unsigned listen_count; /* 0: all addresses, with a warning */
	struct endpoint listen[CONCENTRATOR_LISTEN_MAX];
	bool trusted_network;	 /* network = "trusted" */
	bool allow_unprotected;	 /* network = "public" and unprotected-chap = true: said explicitly, warned about at every start */
	struct addr local4, local6;
	char host_name[128];
	char users_path[4096];
	char lease_path[4096];
	unsigned pool_count;
	struct concentrator_pool_config pools[CONCENTRATOR_POOLS_MAX];
	char device[16];	 /* sc0 */
	bool require_tunnel_secret;
	bool ingress_filter;	 /* true */
	bool mss_clamp;		 /* true */
	bool replace_softwires;	 /* a user at its limit: the new softwire replaces the oldest (true) or is refused */
	bool rapid_commit;	 /* true */
	bool managed;		 /* M flag: addresses by DHCPv6 */
	uint8_t dad_transmits;	 /* 1 */
	unsigned auth_word_count;
	uint8_t auth_words[5];	   /* as configured; what follows from them is in the next two */
	uint8_t auth[PPP_METHODS]; /* enum ppp_method, best first, 0 behind the last; none: nobody is asked (SEC-HS-15), which needs `anonymous` */
	uint8_t eap_methods[4];	   /* EAP_TLS, EAP_MD5 */
	char eap_certificate_path[4096], eap_key_path[4096], eap_ca_path[4096];
	char anonymous_pool[64]; /* "": no anonymous service (HS-PPP-14); who refuses to authenticate gets addresses from this pool */
	uint32_t anonymous_max;	 /* softwires without a user at a time; 1,000 */
	bool dhcp4;		 /* IPv4 addresses by DHCP instead of IPCP */
	char hooks[HOOK_EVENTS][4096];
	uint32_t hello_ms, echo_ms, retransmit_ms;
	uint8_t retransmit_tries;
	bool framing_async;
	uint32_t max_softwires;	 /* 60,000 per listening address */
	uint32_t max_half_open;	 /* 10,000 */
	uint32_t half_open_per_source; /* 1,000: generous to carrier NATs */
	unsigned redirect_count; /* where initiators are sent that are not welcome here now; 0: nowhere */
	struct endpoint redirect[CONCENTRATOR_REDIRECTS_MAX];
	uint32_t setup_window;	 /* set-ups under way at a time; 2,000 */
	uint32_t max_waiting, waiting_per_source; /* requests that wait, in places of 256 bytes; 50,000 and 5,000 */
	uint32_t request_rate;	 /* new requests per second and source; 1,000 */
	uint8_t source_prefix4, source_prefix6; /* what counts as one source: 32, 56 */
	uint32_t router_lifetime;
};

/* `softwire drain`. */
enum { DRAIN_RATE = 100, DRAIN_RATE_MAX = 10000, DRAIN_GRACE_MAX = 30 * 86400 };
struct drain_order {
	unsigned target_count; /* 0: those of `redirect` */
	struct endpoint targets[CONCENTRATOR_REDIRECTS_MAX];
	uint32_t rate;		/* softwires that leave in a second, at most */
	bool has_grace;
	msec grace_ms;		/* how long the established ones are left alone; else see drain.h */
};

struct concentrator;

struct concentrator *concentrator_new(struct loop *loop, struct log *log, struct keeper_client *keeper, struct rng *rng,
	const struct concentrator_config *config);
/* STARTED is called once: RESULT 0, or -errno after a logged reason. */
void concentrator_start(struct concentrator *c, void (*started)(void *owner, int result), void *owner);
/* StopCCN "shutting down" to everybody, wait at most 2 s for acknowledgements; then STOPPED. */
void concentrator_stop(struct concentrator *c, void (*stopped)(void *owner), void *owner);
/* Another process is to go on with the softwires: can it? */
bool concentrator_may_leave(const struct concentrator *c);
/* Leaves them as they are, written down in memory that the keeper holds; nobody is told. Afterwards nothing but concentrator_free(). Also when the
 * keeper has gone, and somebody keeps that memory. */
void concentrator_leave(struct concentrator *c);
/*
 * A reload has two steps. The first opens, reads and checks everything that CONFIG needs (users, certificates, sockets), and changes nothing:
 * PREPARED gets the change, or NULL after PROBLEM has been told all that is wrong; it may come from inside. The second step applies
 * the whole, or nothing: -errno after PROBLEM was told. The change is gone then; one that is not wanted is to be discarded. One at a time.
 * SAY gets sentences about what the keys of CONFIG do not tell (control/change.h): users, certificates, addresses that are not served any more.
 */
struct json_t;
struct concentrator_change;
typedef void concentrator_problem(void *owner, const char *text);
typedef void concentrator_prepared(void *owner, struct concentrator_change *change);
void concentrator_prepare(struct concentrator *c, const struct concentrator_config *config, concentrator_problem *problem,
	concentrator_prepared *prepared, void *owner);
int concentrator_apply(struct concentrator_change *change, struct json_t *say);
void concentrator_discard(struct concentrator_change *change);
void concentrator_free(struct concentrator *c);

/* For the control socket: JSON arrays/objects, documented in doc/control.md. FILTER: a user name, or NULL. New references. */
struct json_t *concentrator_show_softwires(struct concentrator *c, const char *filter);
struct json_t *concentrator_show_tunnels(struct concentrator *c, const char *filter);
struct json_t *concentrator_show_leases(struct concentrator *c, const char *filter);
/* Whether new leases can be given: writable, why not, for how many seconds. */
struct json_t *concentrator_show_lease_store(const struct concentrator *c);
/* Pools never hand out what is fixed for one of USERS (NULL: there are none), nor what is ours. True: somebody has a fixed IPv4 address. */
bool concentrator_reserve(struct lease_store *s, const struct addr *local4, const struct aaa *users);
/* All leases as lines of an export (report/leases.h). */
struct json_t *concentrator_export_leases(struct concentrator *c);
/* ANSWER is a new reference, for the control socket; NULL: memory is short, or there are no leases yet. It comes later, or from inside the call;
 * at the latest when the concentrator is freed. */
typedef void concentrator_answered(void *owner, struct json_t *answer);
void concentrator_check_leases(struct concentrator *c, concentrator_answered *done, void *owner);
/* An import: lines of an export, all of them or none. NULL: memory is short, or there are no leases yet. */
struct concentrator_import;
struct concentrator_import *concentrator_import_new(struct concentrator *c);
int concentrator_import_add(struct concentrator_import *i, const struct json_t *line, char why[256]); /* 0 or -errno */
/* RULE: strict, merge, force; otherwise -EINVAL, and I is the caller's still. 0: DONE will come, and I is gone. */
int concentrator_import_run(struct concentrator_import *i, const char *rule, concentrator_answered *done, void *owner);
void concentrator_import_free(struct concentrator_import *i);
struct json_t *concentrator_show_counters(struct concentrator *c);
/* The records that delegate the reverse zones of users' prefixes to their name servers (HS-PROV-12): objects with user, prefix, zone, nameservers. */
struct json_t *concentrator_show_reverse_zones(struct concentrator *c, const char *filter);
/* Closes the softwires of USER (NULL: all); returns how many. */
unsigned concentrator_clear(struct concentrator *c, const char *user, uint32_t softwire_id);
/* Is E one of the addresses that it is configured to listen on? */
bool concentrator_listens_on(const struct concentrator *c, const struct endpoint *e);
/* The same, and where it listens on all addresses: one of this host. */
bool concentrator_is_reached_at(const struct concentrator *c, const struct endpoint *e);
/* Takes no new softwires any more, and sends the established ones away. NULL: takes them again. */
void concentrator_drain(struct concentrator *c, const struct drain_order *order);
bool concentrator_is_draining(const struct concentrator *c);
/* How far that is: doc/control.md. */
struct json_t *concentrator_show_drain(struct concentrator *c);
/* Forgets leases; the softwire, if there is one, is closed first. */
unsigned concentrator_forget(struct concentrator *c, const char *user);
/* Live trace of USER's softwires (also while they authenticate): EMIT gets one object per event, new reference. EMIT NULL: stop. */
typedef void concentrator_trace_emit(void *owner, struct json_t *event);
void concentrator_trace(struct concentrator *c, const char *user, concentrator_trace_emit *emit, void *owner);

#endif

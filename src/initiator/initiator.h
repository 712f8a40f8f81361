/*
 * initiator: the SI role: one softwire_si engine that is kept up, its TUN device, addresses, routes and LAN, for IPv6, IPv4 or both.
 *
 * Parts: initiator.c (life: connect, back-off, hints), race.c (which server and address is asked when, and who wins), server.c (order of the servers,
 * their names), redirect.c (a server that names another one), attempt.c (one softwire: socket, row, engine), roam.c (other
 * addresses and networks, sleep), auth.c (secrets and
 * certificates, and what PPP asks of us), path.c (the way to the server outside the softwire: where, how wide, broken), network.c and
 * network4.c (what the softwire gave goes into the kernel: addresses, default routes, LAN addresses, unreachable routes), dns.c (DNS
 * servers for the host), lan.c (a /64 of the delegated prefix on each LAN interface, with RAs; old prefixes deprecated), bridge.c (one
 * bridge of all LAN interfaces where a prefix has too few /64s), hooks.c (the operator's programs: softwired-hooks(7)), state.c (what survives a
 * restart), record.c and adopt.c (going on with the softwire of the process before), show.c.
 *
 * While the softwire reconnects, all that it gave stays, because most times the same comes back: prefixes and subnets until they are over or
 * others have come, default routes and DNS servers for 30 s. Of one family all goes after 30 s while the other one goes on; prefixes also
 * when the new softwire delegates none.
 * Known limits: a bridge stays until the restart, also when a shorter prefix comes; packets with a source in a delegated subnet follow the host's
 * default route, which may be a native one with a better metric.
 * RFC 5571; RFC 7084 L- and W-requirements; design.md section 6 ("Settled").
 */
#ifndef INITIATOR_INITIATOR_H
#define INITIATOR_INITIATOR_H

#include "dataplane/tun.h"
#include "hub/softwire.h"
#include "keeper/keeper.h"
#include "netlink/route.h"

enum { INITIATOR_SERVERS = 8, INITIATOR_LANS = 8 };

struct initiator_config {
	char name[12];		 /* si-NAME is the device */
	unsigned server_count;
	char servers[INITIATOR_SERVERS][256]; /* name, address, [address]:port, name:port; the best first */
	bool server_beside[INITIATOR_SERVERS]; /* of the same priority as the one before it: they share the load */
	bool come_home;		 /* a better server that is back is preferred to one that works */
	uint32_t come_home_ms;	 /* on average, between looks at those that are better */
	bool redirect;		 /* "try another" with an address is followed */
	char user[256];
	char password_path[4096];
	char server_password_path[4096]; /* mutual CHAP: what the SC must prove; "": not demanded */
	char tunnel_secret_path[4096];	 /* "": none */
	char state_path[4096];		 /* where DUID and last prefixes are kept: /var/lib/softwired/initiator-NAME.json; "": nowhere */
	bool ipv6;
	bool ipv4;
	bool want_subnet;	 /* IPv4: lan is not empty, or subnet = true */
	uint8_t subnet_length;	 /* the longest that will do; 0: any */
	unsigned auth_word_count;
	uint8_t auth_words[5];	 /* as configured; what follows from them is in the next two */
	uint8_t auth;		 /* bits 1 << enum ppp_method: what we are willing to prove ourselves with */
	bool eap_md5;		 /* of EAP's methods; TLS where there is a certificate */
	char eap_certificate_path[4096], eap_key_path[4096], eap_ca_path[4096];
	char eap_server_name[256]; /* what the concentrator's certificate must name; "": any of the CA */
	char hooks[4][4096];	 /* by enum initiator_hook; "": none */
	char lan_bridge[16];	 /* made of the LAN interfaces when the prefix has too few /64s for them (HS-PROV-10); "": never */
	bool want_prefix;	 /* lan is not empty, or prefix = true */
	uint8_t prefix_length;	 /* hint; 0: any */
	unsigned lan_count;
	char lans[INITIATOR_LANS][16];
	bool default_route;	 /* true */
	bool native6, native4;	 /* but not of this family: it stays the host's own (no key: `softwire connect` sets it) */
	uint32_t metric;	 /* 1024 */
	char dns[16];		 /* "auto" (resolvconf or systemd-resolved when there), "none" */
	bool mss_clamp;
	uint16_t mtu;		 /* 0: from the path */
	uint32_t hello_ms, echo_ms, retransmit_ms;
	uint8_t retransmit_tries;
	uint32_t backoff_first_ms, backoff_max_ms; /* 1,000 and 60,000 */
	bool insist_auth;
	bool framing_async;
	uint8_t dad_transmits;
	bool trusted_network, allow_unprotected;
	bool rapid_commit;
	char host_name[128];	 /* HS-L2TP-19: user-id@name.fqdn by default */
};

/* Programs that the operator wants to be run; their environment is documented in softwired-hooks(7). */
enum initiator_hook { INITIATOR_HOOK_UP, INITIATOR_HOOK_DOWN, INITIATOR_HOOK_CHANGE, INITIATOR_HOOK_RENEW, INITIATOR_HOOKS };

struct initiator;

struct initiator *initiator_new(struct loop *loop, struct log *log, struct keeper_client *keeper, struct rng *rng,
	const struct initiator_config *config);
/* Opens the device and begins to connect; failures that time can heal are retried. STARTED: the device is there, or -errno. */
void initiator_start(struct initiator *i, void (*started)(void *owner, int result), void *owner);
/* Releases, terminates, removes what was put into the kernel (LAN prefixes are deprecated first); then STOPPED. */
void initiator_stop(struct initiator *i, void (*stopped)(void *owner), void *owner);
/* As concentrator_may_leave() and concentrator_leave(). */
bool initiator_may_leave(const struct initiator *i);
void initiator_leave(struct initiator *i);
void initiator_free(struct initiator *i);
const char *initiator_name(const struct initiator *i);
/* An address, route or link of the host changed: a hint. */
void initiator_hint(struct initiator *i, const char *what);
/* Same, but compare configurations: true when CONFIG can be applied without reconnecting (then it has been). */
bool initiator_reload(struct initiator *i, const struct initiator_config *config);

struct json_t;
struct json_t *initiator_show(struct initiator *i);	     /* as in show softwires */
struct json_t *initiator_show_tunnel(struct initiator *i);   /* as in show tunnels */
struct json_t *initiator_show_leases(struct initiator *i);   /* what we hold: prefixes, DNS, lifetimes */
struct json_t *initiator_show_counters(struct initiator *i);
void initiator_clear(struct initiator *i); /* reconnect now */
typedef void initiator_trace_emit(void *owner, struct json_t *event);
void initiator_trace(struct initiator *i, initiator_trace_emit *emit, void *owner);

#endif

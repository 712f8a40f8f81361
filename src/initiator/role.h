/* initiator/role: what the files of this folder share. Not for other folders. */
#ifndef INITIATOR_ROLE_H
#define INITIATOR_ROLE_H

#include <netdb.h>

#include "aaa/aaa.h"
#include "eap/eap.h"
#include "initiator/initiator.h"
#include "nd/router.h"
#include "report/hook.h"
#include "state/store.h"

enum {
	SERVER_ADDRESSES = 8,	/* of one name that are tried */
	RACE_CANDIDATES = 32,
	REDIRECT_HOPS = 3,	/* in a row */
	REDIRECT_TEXT = 64,
};

/* Where an attempt stands. */
enum attempt_stage {
	ATTEMPT_RACES,	 /* its SCCRQ is not answered yet; others may be on their way as well */
	ATTEMPT_FOLLOWS, /* the server has answered: it sets itself up beside the current one */
	ATTEMPT_LEADS,	 /* the current one */
	ATTEMPT_LINGERS, /* over; what was said last is still acknowledged or repeated */
};

enum race_purpose {
	RACE_NONE,
	RACE_CONNECT, /* there is no softwire */
	RACE_SUSPECT, /* there is one, which does not answer */
	RACE_HOME,    /* there is one, at a server that is not the best */
};

/* An address that may be asked. */
struct candidate {
	struct endpoint at;
	uint8_t server; /* whose it is, or who has named it: its place in the configuration */
	uint8_t below;	/* servers of a rank below this are better */
	bool redirected;
};

/* How we were sent to where an attempt goes: who named its address last, and in which words; by.addr none: nobody. */
struct redirect {
	struct endpoint by;
	char text[REDIRECT_TEXT];
};

/* One softwire, from its SCCRQ until the engine has let go of it. */
struct attempt {
	struct softwire_si engine; /* first */
	struct initiator *role;
	struct dp_row *row;
	struct attempt *next; /* of those that race, or linger */
	uint32_t id;	      /* in logs */
	uint8_t stage;	      /* enum attempt_stage */
	uint8_t purpose;      /* enum race_purpose: why it was begun */
	uint8_t listener;
	uint8_t server_index; /* the configured server that it is for */
	uint8_t below;	      /* as in the candidate */
	struct redirect redirect;
	struct endpoint server, local;
	bool mute;	      /* its address is gone: whatever it said would come from another one */
	bool refused;	      /* the path says that nobody listens */
	struct eap_peer *eap; /* the exchange that is on, or was last; NULL: none yet */
	bool eap_over;
	uint8_t eap_method;
	int fd;		   /* its socket, which is the plane's */
	unsigned pinned;   /* the interface that outer packets leave by, whatever routes say; 0: any */
	uint16_t up_mtu;   /* what both ends have agreed on: never more than that */
	msec mtu_again_at; /* the MTU was lowered: when to ask the kernel whether the path takes more again; 0: it was not */
};

/* A delegated prefix that the LAN knows: in use, or deprecated until its hosts have forgotten it. */
struct held_prefix {
	struct prefix prefix; /* none: free */
	msec preferred_until, valid_until;
	bool current;
	bool routed; /* its unreachable route is in the kernel */
};

/* An IPv4 subnet of ours. IPv4 knows no deprecation: it is in use, or gone. */
struct held_subnet {
	struct prefix prefix; /* none: free */
	msec valid_until;
	bool confirmed; /* by a concentrator in this run; what the state file says is only asked for */
};

/* Our IPv4 address on a LAN, as it is in the kernel. */
struct lan_address4 {
	struct addr address; /* none: free */
	uint8_t len;
	char device[16];
};

enum { HELD_PREFIXES = 8, HELD_SUBNETS = DHCP4_SUBNET_MAX, LAN_ADDRESSES4 = HELD_SUBNETS * INITIATOR_LANS };

/* Of one family; only the families that the softwire brings have one (HS-SCEN-9). */
struct default_route {
	struct initiator *role;
	struct prefix dst;
	bool on;
	bool missing;	 /* it could not be installed: again soon */
	uint32_t metric; /* the configured one, or the next that is free */
};

struct dns_servers {
	unsigned count;
	struct addr list[KEEPER_DNS_MAX];
};

/* One LAN interface, or the bridge whose ports they are. */
struct lan {
	struct initiator *role;
	struct nd_router router;
	struct loop_watch watch;
	struct wheel_timer timer;
	char device[16];
	unsigned index;	  /* which part of a prefix or subnet is its own */
	unsigned ifindex; /* 0: the interface is not there (yet) */
	int fd;
	bool watching, opening, missing_told;
	bool retired; /* it is a port of the bridge now */
	bool resend;  /* an advertisement could not be sent (no link-local address yet): again soon */
};

/* A configured server: how it fared, and where it is. */
struct known_server {
	struct initiator *role;
	uint8_t rank;	   /* 0: the best; those with the same share the load */
	uint32_t failures; /* in a row */
	msec again_at;	   /* until then others come first */
	unsigned address_count;
	struct addr addresses[SERVER_ADDRESSES]; /* of its name, as the resolver has said last */
	uint16_t port;
	uv_getaddrinfo_t resolver;
	bool resolving; /* libuv has not answered yet */
};

/* Servers are asked one after the other, their addresses too; the first answer counts. See race.c. */
struct race {
	uint8_t purpose; /* enum race_purpose */
	uint8_t order[INITIATOR_SERVERS], order_count, order_next;
	int waiting_for; /* the server whose name is being resolved; -1: none */
	msec resolve_until;
	struct candidate candidates[RACE_CANDIDATES];
	unsigned count, next; /* candidates known, and begun */
	msec next_at;	      /* when the next address may be asked */
	msec next_server_at;  /* when the next server may be asked although there is no answer yet */
	bool stepping;
	struct wheel_timer timer;
	/* The chain of redirections that led here. */
	unsigned hops;
	struct endpoint visited[REDIRECT_HOPS + 1];
	unsigned visited_count;
	struct redirect redirect; /* the last one: of the candidates that are `redirected` */
};

/* What a host that moves goes through; see roam.c. */
struct roam {
	struct wheel_timer suspicion; /* the softwire is being probed: when to set up another one beside it */
	struct wheel_timer gone;      /* an address that we use has gone: when to believe it */
	msec tick_at;		      /* when the clock was looked at last; 0: never */
	int64_t ahead;		      /* of the monotonic clock: what the machine had slept until then */
};

enum bridge_state { BRIDGE_NONE, BRIDGE_WANTED, BRIDGE_ASKED, BRIDGE_MADE };

enum initiator_state { INITIATOR_IDLE, INITIATOR_WAITING, INITIATOR_RESOLVING, INITIATOR_CONNECTING, INITIATOR_UP, INITIATOR_STOPPED };

struct initiator {
	struct loop *loop;
	struct log *log;
	struct keeper_client *keeper;
	struct rng *rng;
	struct initiator_config config;
	struct softwire_config softwire;
	struct softwire_counters counters;
	struct nd_counters lan_counters;
	struct tun_plane *plane;
	struct netlink *routes;
	char device[16];

	enum initiator_state state;
	struct attempt *current, *follower; /* one ATTEMPT_LEADS, one ATTEMPT_FOLLOWS */
	struct attempt *racing, *lingering;
	struct known_server servers[INITIATOR_SERVERS]; /* as in the configuration */
	struct race race;
	struct wheel_timer timer; /* once a second: hints, back-off, withdrawing */
	struct roam roam;
	msec attempt_at;	  /* while waiting */
	msec home_at;		  /* when to look for a better server; 0: not planned */
	msec down_since;	  /* 0 while up */
	msec down6_since, down4_since; /* one payload family is closed on a link that is up; 0: it is open */
	msec unbound_since;	  /* the router is known, and DHCPv6 has not bound anything; 0: otherwise */
	msec unanswered_since;	  /* data was sent and nothing heard; 0: all is well */
	uint32_t failures;	  /* rounds in a row, over all servers */
	uint32_t next_id, reconnects;
	char last_error[256];
	const char *last_cause; /* the word for it, where an engine gave one; NULL: none */
	char uplink[16]; /* the interface that leads to the server, or did last */
	unsigned uplink_index;

	/* HS-OAM-3: what the network says about the path outside the softwire. */
	char path_why[160]; /* "": nothing is wrong that we know of */
	msec path_since;    /* it is wrong */
	msec path_last;	    /* it was said last */

	uint8_t password[AAA_SECRET_MAX + 1], server_password[AAA_SECRET_MAX + 1], tunnel_secret[AAA_SECRET_MAX + 1];
	size_t password_len, server_password_len, tunnel_secret_len;
	unsigned file_step; /* at the start: which of the configured files is read */
	void (*files_read)(struct initiator *i, int result);
	char *pem[3];	     /* certificate, key, CA: only at the start */
	struct eap_tls *tls; /* NULL: no certificate */
	struct eap_peer_config eap;

	/* What is in the kernel because of us. */
	struct addr address, address4;
	msec address4_until; /* when the kernel lets go of it by itself */
	struct default_route route6, route4;
	struct dns_servers dns6, dns4; /* that we know */
	struct dns_servers dns_told;   /* of both, what the host's resolver was told */
	struct dns_servers lan_dns;    /* what LAN hosts were told */
	bool dns_unmanaged;	       /* nobody manages resolv.conf here, and that has been logged */
	struct held_prefix held[HELD_PREFIXES];
	struct held_subnet subnets[HELD_SUBNETS];
	struct lan_address4 lan_addresses4[LAN_ADDRESSES4];
	struct dhcp6_binding hint;
	struct dhcp4_binding hint4;
	uint16_t device_mtu;
	struct nd_router_config lan_config;
	struct lan lans[INITIATOR_LANS];
	struct lan bridge;
	enum bridge_state bridge_state;
	unsigned bridge_ports[INITIATOR_LANS]; /* interface indexes when it was asked for */
	bool bridge_told;

	/* Hooks. */
	bool hooks_up;		  /* they were told `up`, and not `down` since */
	bool hook_due;		  /* something is to be told at hook_at */
	msec hook_at, hook_by;	  /* when it has been quiet for a moment; at the latest */
	struct hook_facts told;	  /* what they know; only while hooks_up */
	msec bound_at, bound4_at; /* of the leases, to see that they were renewed */

	/* What outlives us, and what came from the process before. */
	struct store *state_store; /* NULL: nothing outlives us */
	int state_fd;
	uint32_t record; /* where the current softwire is written down, or 0 */
	uint64_t adopted, not_adopted;
	struct loop_flush work; /* nothing is worked on while the loop sleeps */
	struct wheel_timer settle_timer;
	void (*adoption_done)(struct initiator *i);
	unsigned state_tries;

	initiator_trace_emit *trace_emit;
	void *trace_owner;

	void (*started)(void *owner, int result);
	void *started_owner;
	void (*stopped)(void *owner);
	void *stopped_owner;
	msec stop_at;
	bool kernel_changed; /* look at the LAN interfaces with the next tick */
	msec refresh_at;     /* and at the latest then */
	bool shared_told;
	unsigned device_tries;
	bool stopping, leaving, running;
};

/* initiator.c */
bool initiator_log(struct initiator *i, struct log_line *l, enum log_level level, const char *event);
/* CAUSE: a word for it, or NULL. */
void initiator_note_error(struct initiator *i, const char *why, const char *cause);
void initiator_fail(struct initiator *i, const char *why); /* waits, and connects again; WHY may be i->last_error */
void initiator_wait(struct initiator *i, msec delay);
msec initiator_backoff(struct initiator *i, uint32_t failures, msec max);

/* attempt.c: one softwire */
extern const struct tun_ops initiator_tun_ops;
extern const struct softwire_ops initiator_softwire_ops;
/* Engine, row and socket for one address; ATTEMPT_RACES. False: try the next one; i->last_error says why. */
bool attempt_begin(struct initiator *i, const struct candidate *c);
void attempt_free(struct attempt *a); /* at once, without a word */
/* It becomes the current one; what was current is closed in good order. */
void attempt_lead(struct attempt *a, const char *why);
/* Has it brought all that we want, or is it time to do without? */
bool attempt_is_complete(const struct attempt *a, msec now);
/* It is of no use any more. It lingers from now on; nobody else is told. */
void attempt_drop(struct attempt *a, enum softwire_cause cause, const char *why);
/* The one to be shown: the current one, or the first that races. NULL: none. */
const struct attempt *attempt_shown(const struct initiator *i);
/* Socket and row of a softwire that goes on over FD, which is closed when that fails: 0 or -errno. */
int attempt_resume(struct attempt *a, int fd, uint16_t tunnel, uint16_t session);
/* The engine's families are up: so is its row. */
void attempt_set_up(struct attempt *a);
bool attempt_log(const struct attempt *a, struct log_line *l, enum log_level level, const char *event);

/* race.c: who is asked, and who wins */
void initiator_connect(struct initiator *i); /* a race, from the best server on, unless one is on */
void initiator_race_start(struct initiator *i, enum race_purpose purpose);
void initiator_race_stop(struct initiator *i, const char *why); /* with all that race */
/* Servers that were not asked yet are asked now. False: there is none. */
bool initiator_race_go_on(struct initiator *i, enum race_purpose purpose);
void initiator_race_answered(struct attempt *a);	      /* it has won */
void initiator_race_lost(struct attempt *a, const char *why, const char *cause); /* it ended without an answer that helps */
void initiator_race_hurry(struct initiator *i);		      /* something is wrong with who was asked last: ask the next */
void initiator_race_resolved(struct initiator *i, unsigned server, const char *why); /* WHY: no address is known */
void initiator_race_step(struct initiator *i);

/* C is asked at once, before all that still are to be; in a race of this PURPOSE, unless one is on. */
void initiator_race_redirect(struct initiator *i, const struct candidate *c, enum race_purpose purpose);

/* redirect.c: a server that names another one */
/* The address at the beginning of a peer's TEXT. BY: who says so. False: there is none that could be a server's. */
bool initiator_redirect_parse(const char *text, const struct endpoint *by, struct endpoint *ret);
/* A, which was at STAGE, has ended for this reason. True: it was a redirection, and is followed. */
bool initiator_redirect_follow(struct attempt *a, enum attempt_stage stage, const struct softwire_why *why);

/* server.c: the configured servers */
void initiator_servers_init(struct initiator *i);
/* Those of a rank better than BELOW, the best first, those that have failed lately last; returns how many. */
unsigned initiator_servers_order(struct initiator *i, unsigned below, uint8_t order[INITIATOR_SERVERS]);
/* Finds its addresses. True: they are known now; else initiator_race_resolved() says so later. */
bool initiator_server_resolve(struct initiator *i, unsigned n);
bool initiator_server_resolving(const struct initiator *i); /* any of them */
void initiator_servers_cancel(struct initiator *i);	    /* their resolvers */
/* The configured server whose address this is, as far as is known; -1: none. */
int initiator_server_find(const struct initiator *i, const struct endpoint *at);
void initiator_server_failed(struct initiator *i, unsigned n);
void initiator_server_works(struct initiator *i, unsigned n);
void initiator_servers_forget(struct initiator *i); /* who has failed */

/* roam.c: other addresses, other networks, and sleep */
void initiator_roam_init(struct initiator *i);
/* Addresses or routes may have changed. True: the current softwire cannot work any more, and that is being dealt with. */
bool initiator_roam_changed(struct initiator *i);
void initiator_roam_probing(struct initiator *i); /* the current softwire is being probed */
void initiator_roam_heard(struct initiator *i);	  /* it has said something */
void initiator_roam_tick(struct initiator *i, msec now);
void initiator_roam_stop(struct initiator *i);

/* auth.c: proving who we are */
void initiator_auth_config(struct initiator *i);
/* Reads the configured secrets and certificates one after the other; then DONE, with 0 or -errno (what is wrong has been logged). */
void initiator_auth_read(struct initiator *i, void (*done)(struct initiator *i, int result));
void initiator_auth_free(struct initiator *i); /* wipes */
void initiator_auth_authenticate(struct softwire *s, const struct ppp_claim *claim);
void initiator_auth_want_ppp_secret(struct softwire *s, const char *peer_name);
void initiator_auth_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len);
/* How we have proven who we are on the current softwire, in the words of `auth`; NULL: not, or not yet. */
const char *initiator_auth_name(const struct initiator *i);

/* path.c: what happens to outer packets */
struct way {
	unsigned ifindex;
	uint32_t mtu; /* of outer packets */
	struct addr source;
};
/* How packets get to SERVER from now on, though not through the softwire itself. False: they do not. */
bool initiator_path_find(struct initiator *i, const struct addr *server, struct way *ret);
void initiator_path_bad(struct initiator *i, const char *why);
void initiator_path_look(struct initiator *i); /* the host's routes may have changed */
void initiator_path_tick(struct initiator *i, msec now);
void initiator_path_print(const struct initiator *i, char *buf, size_t size); /* "ok", or what is wrong, and for how long */
void initiator_path_error(struct tun_plane *plane, uint8_t listener, const struct endpoint *peer, int error, uint32_t mtu);

/* network.c: the kernel */
void initiator_network_apply(struct initiator *i, const struct softwire_si *s);
/* Default routes and DNS servers go; LAN hosts are told. */
void initiator_network_withdraw(struct initiator *i);
/* For a family that went while the other one stays: also its address; subnets leave the LAN, prefixes are deprecated there. */
void initiator_network_withdraw_family(struct initiator *i, uint8_t family);
/* What the kernel has not taken is asked for again. */
void initiator_network_again(struct initiator *i);
/* A default route over our device that an earlier process has left: it leads nowhere, and hides the others. */
void initiator_network_clear_route(struct initiator *i, uint8_t family);
bool initiator_network_has(const struct initiator *i, uint8_t family);	 /* anything that the first one withdraws */
bool initiator_network_holds(const struct initiator *i, uint8_t family); /* and the second one */
/* A prefix of an earlier run: held, so that it is deprecated if another one comes. False: it is there already, or there is no room. */
bool initiator_network_load(struct initiator *i, const struct prefix *p);
void initiator_network_clear(struct initiator *i);
void initiator_network_tick(struct initiator *i, msec now);
/* The machine has slept: lifetimes went on. */
void initiator_network_slept(struct initiator *i, msec slept);
/* Adds the addresses that LAN interface LAN should have and has not; returns how many those were. */
unsigned initiator_network_restore(struct initiator *i, const struct lan *lan);
/* The interfaces that prefixes are spread over have become others: BEFORE, nothing is on them; AFTER, all that should be. */
void initiator_network_lans_change(struct initiator *i, bool after);
void initiator_default_route(struct initiator *i, struct default_route *route, bool on);
void initiator_network_sources(struct initiator *i);
void initiator_network_done(void *owner, int result, int fd); /* a keeper_answer: logs failures */
uint32_t initiator_seconds_left(msec until, msec now); /* "for ever" stays for ever */
bool initiator_lost_address(const char *device, const struct addr *a); /* DEVICE is up and has no address A */

/* network4.c: the same for IPv4 */
void initiator_network4_apply(struct initiator *i, const struct softwire_si *s);
void initiator_network4_remove_address(struct initiator *i);
void initiator_network4_clear(struct initiator *i);
void initiator_network4_tick(struct initiator *i, msec now);
unsigned initiator_network4_restore(struct initiator *i, const struct lan *lan);
void initiator_network4_lans(struct initiator *i, bool on); /* our addresses on the LANs become what they should be, or go */
/* The part of subnet N that interface LAN has; none: it has none. */
struct prefix initiator_lan_subnet(const struct initiator *i, unsigned n, unsigned lan);
bool initiator_network4_load(struct initiator *i, const struct prefix *subnet); /* as initiator_network_load() */
void initiator_network4_loaded(struct initiator *i);				/* they were all */

/* dns.c: DNS servers for the host */
void initiator_dns_set(struct initiator *i, uint8_t family, const struct addr *servers, unsigned count);
void initiator_dns_tell(struct initiator *i); /* `dns` may have another value now */
void initiator_dns_apply(struct initiator *i, const struct softwire_si *s);

/* state.c: DUID, prefixes, address and subnets of earlier runs */
void initiator_state_load(struct initiator *i);
void initiator_state_save(struct initiator *i);

/* lan.c: the LAN interfaces */
void initiator_lan_init(struct initiator *i); /* their names */
void initiator_lan_start(struct initiator *i);
void initiator_lan_stop(struct initiator *i);
void initiator_lan_leave(struct initiator *i); /* without a word */
void initiator_lan_changed(struct initiator *i);
/* Interfaces may have come, gone, or lost our addresses: what is ours is put back. */
void initiator_lan_refresh(struct initiator *i);
struct prefix initiator_lan_prefix(const struct initiator *i, const struct prefix *delegated, unsigned lan);
/* The interfaces that prefixes and subnets are spread over: the configured ones, or the bridge. */
struct lan *initiator_lans(struct initiator *i, unsigned *ret_count);
unsigned initiator_lan_count(const struct initiator *i);
void initiator_lan_open(struct lan *lan);
void initiator_lan_retire(struct initiator *i, struct lan *lan);

/* bridge.c: one bridge of all LAN interfaces */
void initiator_bridge_start(struct initiator *i);
/* The prefix has fewer /64s than there are LAN interfaces. False: no bridge is (or will be) made. */
bool initiator_bridge_want(struct initiator *i);
void initiator_bridge_refresh(struct initiator *i);
void initiator_bridge_stop(struct initiator *i);

/* adopt.c: from one process to the next */
/* Looks for what the process before has left; then DONE, with what could be adopted in place. */
void initiator_adopt(struct initiator *i, void (*done)(struct initiator *i));
void initiator_adopt_end(struct initiator *i); /* closes the state, and leaves in it what is there */
/* The current softwire is another one: the keeper holds its socket, too. */
void initiator_record_leads(struct initiator *i);
/* What is written down of the current softwire becomes what it is now; nothing, where it could not go on. */
void initiator_record(struct initiator *i);
/* The current softwire's engine is at work; 0: none is. */
void initiator_work(struct initiator *i, uint32_t id);

/* hooks.c: the operator's programs */
/* For a softwire that goes on: they were told `up`; and if DUE, they did not know all yet. */
void initiator_hooks_resume(struct initiator *i, bool up, bool due);
void initiator_hooks_changed(struct initiator *i);	      /* what they should know may have changed */
void initiator_hooks_down(struct initiator *i, const char *why); /* the softwire is gone */
void initiator_hooks_tick(struct initiator *i, msec now);

#endif

/* initiator/role: what the files of this folder share. Not for other folders. */
#ifndef INITIATOR_ROLE_H
#define INITIATOR_ROLE_H

#include <netdb.h>

#include "aaa/aaa.h"
#include "initiator/initiator.h"
#include "nd/router.h"

/* One softwire, from its SCCRQ until the engine has let go of it. An old one lingers while a new one connects. */
struct attempt {
	struct softwire_si engine; /* first */
	struct initiator *role;
	struct dp_row *row;
	struct attempt *next; /* of those that linger */
	uint8_t listener;
	struct endpoint server;
	bool refused; /* the path says that nobody listens */
};

/* A delegated prefix that the LAN knows: in use, or deprecated until its hosts have forgotten it. */
struct held_prefix {
	struct prefix prefix; /* none: free */
	msec preferred_until, valid_until;
	bool current;
	bool routed; /* its unreachable route is in the kernel */
};

enum { HELD_PREFIXES = 8 };

/* One LAN interface. */
struct lan {
	struct initiator *role;
	struct nd_router router;
	struct loop_watch watch;
	struct wheel_timer timer;
	char device[16];
	unsigned ifindex; /* 0: the interface is not there (yet) */
	int fd;
	bool watching, opening, missing_told;
	bool resend; /* an advertisement could not be sent (no link-local address yet): again soon */
};

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
	struct attempt *current, *lingering;
	struct wheel_timer timer; /* once a second: hints, back-off, withdrawing */
	msec attempt_at;	  /* while waiting */
	msec down_since;	  /* 0 while up */
	msec family_down_since;	  /* the payload family was closed on a link that stays; 0: it is open */
	msec unanswered_since;	  /* data was sent and nothing heard; 0: all is well */
	uint32_t failures;	  /* attempts in a row */
	unsigned server_index;
	uint32_t next_id, reconnects;
	char last_error[256];

	uv_getaddrinfo_t resolver;
	bool resolver_busy;

	uint8_t password[AAA_SECRET_MAX + 1], server_password[AAA_SECRET_MAX + 1], tunnel_secret[AAA_SECRET_MAX + 1];
	size_t password_len, server_password_len, tunnel_secret_len;

	/* What is in the kernel because of us. */
	struct addr address;
	bool default_route;
	uint32_t route_metric; /* of the default route: the configured one, or the next that is free */
	unsigned dns_count;    /* servers that the host's resolver was told */
	struct addr dns[KEEPER_DNS_MAX];
	bool dns_unmanaged; /* nobody manages resolv.conf here, and that has been logged */
	struct held_prefix held[HELD_PREFIXES];
	struct dhcp6_binding hint;
	uint16_t device_mtu;
	struct nd_router_config lan_config;
	struct lan lans[INITIATOR_LANS];

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
	bool stopping;
};

/* initiator.c */
bool initiator_log(struct initiator *i, struct log_line *l, enum log_level level, const char *event);
void initiator_fail(struct initiator *i, const char *why);
void initiator_wait(struct initiator *i, msec delay);

/* attempt.c: connecting */
extern const struct tun_ops initiator_tun_ops;
extern const struct softwire_ops initiator_softwire_ops;
void initiator_connect(struct initiator *i); /* resolves the next server and sends SCCRQ */
void attempt_free(struct attempt *a);	     /* at once, without a word */
void initiator_resolver_cancel(struct initiator *i);

/* network.c: the kernel */
void initiator_network_apply(struct initiator *i, const struct softwire_si *s);
void initiator_network_withdraw(struct initiator *i); /* default route and DNS servers go; LAN hosts are told */
void initiator_network_dns(struct initiator *i);      /* `dns` may have another value now */
void initiator_network_clear(struct initiator *i);
void initiator_network_tick(struct initiator *i, msec now);
/* Adds the addresses that LAN interface LAN should have and has not; returns how many those were. */
unsigned initiator_network_restore(struct initiator *i, unsigned lan);
/* DUID and prefixes of earlier runs. */
void initiator_state_load(struct initiator *i);
void initiator_state_save(struct initiator *i);

/* lan.c: the LAN interfaces */
void initiator_lan_start(struct initiator *i);
void initiator_lan_stop(struct initiator *i);
void initiator_lan_changed(struct initiator *i);
/* Interfaces may have come, gone, or lost our addresses: what is ours is put back. */
void initiator_lan_refresh(struct initiator *i);
struct prefix initiator_lan_prefix(const struct initiator *i, const struct prefix *delegated, unsigned lan);

#endif

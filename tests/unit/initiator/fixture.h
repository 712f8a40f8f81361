/*
 * A whole initiator in one process: real sockets on 127.0.0.1, a socket pair for the TUN device, others for the LANs, a keeper that
 * grants everything and remembers it, and concentrators (hub engines) to connect to.
 *
 * The clock is the loop's plus what fixture_pass() has let go by.
 */
#ifndef TESTS_INITIATOR_FIXTURE_H
#define TESTS_INITIATOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "initiator/role.h"

enum { SERVERS = 4, /* the first two and the last on 127.0.0.1, the third at ::1 with the first one's port */
	 ADDRESSES = 32, LANS = 16, HOOKS = 16 };

struct fixture;

/* One concentrator; it serves one softwire at a time, to anybody with the password "wonderland". */
struct server {
	struct softwire_sc engine;
	struct softwire_config config;
	struct softwire_counters counters;
	struct fixture *fixture;
	struct softwire *softwire; /* NULL: none */
	struct softwire_lease lease;
	struct aaa_eap *eap;
	struct endpoint at, peer;
	int fd;
	bool mute;         /* hears nothing */
	bool deaf_to_requests; /* does not hear SCCRQs, but StopCCNs and what belongs to its softwire */
	const char *refusal; /* what it says to every SCCRQ: "try another" */
	unsigned stops;	     /* StopCCNs that came */
	unsigned requests; /* SCCRQs, mute or not */
	bool saw_pap;      /* a PAP packet came */
	unsigned packets;  /* data messages, and the last inner packet with its PPP header */
	uint8_t packet[1500];
	size_t packet_len;
	unsigned ups, downs;
	struct softwire_why why;
};

/* An address or route that is in the kernel. */
struct installed {
	bool there;
	char device[16];
	struct addr addr;
	uint8_t len;
	uint32_t valid, preferred;
};

/* A hook that was run. */
struct hook_run {
	char path[64], event[16], key[16];
	struct hook_environment e; /* its variables point into its own text */
};

struct fixture {
	struct loop loop;
	struct log log;
	struct rng rng;
	struct initiator_config config;
	struct initiator *i;
	struct wheel wheel; /* of the servers */
	struct server servers[SERVERS];
	struct aaa *aaa; /* of the servers: alice, "wonderland" */
	char dir[64];
	int device; /* ours: the kernel's side of the TUN */
	int state, held; /* what outlives an initiator: its state, and its socket; -1: nothing */
	int lan_near[LANS], lan_far[LANS];
	char lan_names[LANS][16]; /* by the socket */
	unsigned lan_count;
	bool started, stopped;
	int result;

	struct installed addresses[ADDRESSES], unreachable[ADDRESSES];
	uint32_t default_metric, default4_metric; /* 0: no default route */
	uint32_t taken_metrics; /* how many metrics from the configured one on are somebody else's */
	uint32_t mtu;
	unsigned dns_count;
	struct addr dns[KEEPER_DNS_MAX];
	bool forwarding6, forwarding4;
	char absent[16]; /* a LAN interface that is not there */
	char bridge[16]; /* made, and its ports */
	char ports[64];
	unsigned bridge_requests;
	int fail_bridge; /* what the keeper says to the next ones */
	struct hook_run hooks[HOOKS];
	unsigned hook_count;
	struct nd_message advert; /* the last one on a LAN */
	char advert_device[16];
	unsigned adverts, withdrawals; /* of these, such that take something back */
	bool moved;              /* the addresses that softwires come from are not ours any more */
	const char *source;      /* that packets to the servers would come from; NULL: what the machine says */
	bool no_route;           /* to the servers */
	bool no_native_route;    /* but one through the softwire itself, perhaps */
	uint32_t path_mtu;       /* of the way there; 0: what the machine says */
	char way_out[16];        /* the interface that leads there; "": what the machine says */
	unsigned pinned[2];      /* interface that packets must leave by: IP_UNICAST_IF, IPV6_UNICAST_IF */
	const char *names;       /* what the resolver says of both.example: "6 4" is ::1, then 127.0.0.1 */
	bool silent_resolver;	 /* it does not answer, or: */
	int resolver_error;	 /* it says this instead */
	uv_getaddrinfo_t *asked; /* and who waits for that */
	uv_getaddrinfo_cb answer;
	char lines[65536]; /* the log */
	size_t line_len;
};

/* What host.c and fixture.c share. */
extern struct fixture *fixture_current;
extern msec fixture_skipped;                 /* what fixture_pass() has let go by */
extern msec fixture_slept;                   /* how long the machine was asleep */
void fixture_answer_name(struct fixture *f); /* what the resolver was asked for */
/* sendto() as it is. */
ssize_t __real_sendto(
	int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len);

struct fixture *fixture_new(void);
void fixture_start(struct fixture *f);
void fixture_stop(struct fixture *f);
/* The process ends, and leaves its softwire as it is. */
void fixture_leave(struct fixture *f);
void fixture_free(struct fixture *f);
void fixture_pass(struct fixture *f, msec ms);
void fixture_round(struct fixture *f);
/* Until CONDITION, in real time (names are resolved by a thread), at most 5 s. */
#define fixture_until(f, condition)                                                                          \
	do {                                                                                                 \
		for (int tries_ = 0; !(condition); tries_++) {                                               \
			if (tries_ > 10000)                                                                  \
				fail_msg("never: %s", #condition);                                           \
			usleep(50);                                                                          \
			fixture_round(f);                                                                    \
		}                                                                                            \
	} while (0)
/* IPv4, too: 198.51.100.7, a DNS server, and SUBNET (may be NULL) for the LANs. */
void fixture_ipv4(struct fixture *f, const char *subnet);
/* Starts, and waits until all is there that was asked for. */
void fixture_up(struct fixture *f);
/* Until CONDITION, letting time go by, at most FOR ms of it. */
#define fixture_pass_until(f, condition, limit)                                                              \
	do {                                                                                                 \
		for (msec passed_ = 0; !(condition); passed_ += 20) {                                        \
			if (passed_ > (limit))                                                               \
				fail_msg("not within %u ms: %s", (unsigned)(limit), #condition);             \
			fixture_pass(f, 20);                                                                 \
		}                                                                                            \
	} while (0)
/* The server has forgotten us, and gives what its lease says now. */
void fixture_again(struct fixture *f);
/* The value of a variable of the last hook, which was EVENT. */
const char *fixture_hook(const struct fixture *f, const char *event, const char *name);
bool fixture_logged(const struct fixture *f, const char *text);
void fixture_state_file(struct fixture *f, const char *text);
const struct installed *fixture_address(const struct fixture *f, const char *device, const char *address);
bool fixture_unreachable(const struct fixture *f, const char *prefix);

/* The server forgets everything without a word, as a machine that restarts does. */
void server_restart(struct server *s);
/* A UDP payload for its peer. */
void server_send(struct server *s, const void *payload, size_t len);

#endif

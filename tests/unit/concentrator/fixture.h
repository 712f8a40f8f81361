/*
 * A whole concentrator in one process: real sockets on 127.0.0.0/8, a socket pair for the TUN device, users and leases in a temporary
 * folder, a keeper that grants everything and remembers what it was asked for, and initiators (hub engines) as peers.
 *
 * The clock is the loop's plus what fixture_pass() has let go by, so that a minute takes no time.
 */
#ifndef TESTS_CONCENTRATOR_FIXTURE_H
#define TESTS_CONCENTRATOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "concentrator/role.h"
#include "eap/eap.h"

struct fixture;

/* An initiator with a socket of its own. */
struct peer {
	struct softwire_si engine;
	struct softwire_config config;
	struct softwire_counters counters;
	struct fixture *fixture;
	struct peer *next;
	struct softwire *softwire; /* NULL once it is released */
	const char *password;
	const char *server_password; /* what the concentrator has to know, if asked */
	bool proven;		     /* it does */
	struct eap_peer_config eap_config; /* identity and secret are its user and password, unless they are set */
	struct eap_peer *eap;
	struct peer *socket; /* whose socket it is; mostly its own */
	struct endpoint server; /* where the concentrator listens for it; none: at the newest socket */
	int fd;
	bool mute; /* reads nothing any more */
	unsigned ups, downs;
	bool up6, up4;
	struct softwire_why why;
	uint8_t first[2048]; /* the SCCRQ */
	size_t first_len;
};

enum { FIXTURE_ROUTES = 32, FIXTURE_HOOKS = 32 };

/* What a hook was run with. */
struct hook_run {
	char event[16], path[64], key[300];
	char variables[KEEPER_HOOK_BYTES]; /* each followed by a newline */
};

struct fixture {
	struct loop loop;
	struct log log;
	struct rng rng;
	struct concentrator_config config;
	struct concentrator *c;
	struct endpoint server; /* where the concentrator listens */
	struct wheel wheel;     /* of the peers */
	struct peer *peers;
	int device; /* the kernel's side of the TUN */
	char dir[64];
	bool started, stopped;
	bool forgotten; /* the keeper answers no more */
	int result;
	unsigned routes_added, routes_removed;
	struct prefix routes[FIXTURE_ROUTES]; /* to the device, now */
	struct addr addresses[4];	      /* of the device */
	unsigned address_count;
	bool forwards6, forwards4;
	struct hook_run hooks[FIXTURE_HOOKS];
	unsigned hook_count;
	int hook_result; /* what the keeper says to the next one */
	int fail_udp;      /* what the keeper says to the next request for a socket */
	int state;         /* what outlives a concentrator; -1: nothing yet */
	struct endpoint closed; /* what it was told last to close */
	unsigned sockets_closed;
	struct concentrator_change *change; /* what was prepared */
	bool hold_change; /* and is not applied */
	char said[4096]; /* by the last reload, a line each */
	char lines[65536]; /* the log */
	size_t line_len;
};

/* Users alice, bob (two softwires) and carol (a fixed /56 and interface identifier), all with the password "wonderland". */
struct fixture *fixture_new(void);
void fixture_users(struct fixture *f, const char *text);
void fixture_begin(struct fixture *f);
/* The same, and waits for the answer. */
void fixture_start(struct fixture *f);
/* 0, or -EINVAL: then what is wrong is in the log. */
int fixture_reload(struct fixture *f, const struct concentrator_config *config);
void fixture_stop(struct fixture *f);
/* The process ends, and leaves its softwires as they are. */
void fixture_leave(struct fixture *f);
void fixture_free(struct fixture *f);
/* Lets MS go by, with all that is due then. */
void fixture_pass(struct fixture *f, msec ms);
/* One round of the loop, and of the peers. */
void fixture_round(struct fixture *f);
/* Until CONDITION, in real time (threads write to the database), at most 5 s. */
#define fixture_until(f, condition)                                                                          \
	do {                                                                                                 \
		for (int tries_ = 0; !(condition); tries_++) {                                               \
			if (tries_ > 10000)                                                                  \
				fail_msg("never: %s", #condition);                                           \
			fixture_round(f);                                                                    \
		}                                                                                            \
	} while (0)
bool fixture_logged(const struct fixture *f, const char *text);
/* Serves IPv4: 198.51.100.0/24 for addresses, 203.0.113.0/24 for subnets of /29, ours is 192.0.2.1. */
void fixture_ipv4(struct fixture *f);
/* Is there a route to PREFIX? */
bool fixture_routed(const struct fixture *f, const char *prefix);
/* Hook number N (from 0) was run for EVENT: the value of VARIABLE. Fails where there is none. */
const char *fixture_hook(struct fixture *f, unsigned n, const char *event, const char *variable);
struct prefix fixture_prefix(const char *text);
struct addr fixture_addr(const char *text);

/* From address 127.0.0.HOST, as USER. */
struct peer *peer_new(struct fixture *f, uint8_t host, const char *user);
/* Another one at the address and port of P. */
struct peer *peer_beside(struct peer *p, const char *user);
void peer_open(struct peer *p);
/* P wants these families, and of IPv4 subnets, too. */
void peer_wants(struct peer *p, bool ipv6, bool ipv4, bool subnet);
/* Opens it and waits until it is up with an address and its prefix. */
struct peer *peer_up(struct fixture *f, uint8_t host, const char *user);
void peer_send(struct peer *p, const void *payload, size_t len);
/* What came for a peer that has no engine; 0: nothing. */
size_t peer_get(struct peer *p, uint8_t *buf, size_t size);
uint16_t peer_reply_type(struct peer *p); /* message type of the next control message; 0: none */

#endif

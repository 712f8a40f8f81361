/*
 * A whole initiator in one process: real sockets on 127.0.0.1, a socket pair for the TUN device, another for the LAN, a keeper that
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

enum { SERVERS = 2, ADDRESSES = 32 };

struct fixture;

/* One concentrator; it serves one softwire at a time, to anybody with the password "wonderland". */
struct server {
	struct softwire_sc engine;
	struct softwire_config config;
	struct softwire_counters counters;
	struct fixture *fixture;
	struct softwire *softwire; /* NULL: none */
	struct softwire_lease lease;
	struct endpoint at, peer;
	int fd;
	bool mute;         /* hears nothing */
	unsigned requests; /* SCCRQs, mute or not */
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

struct fixture {
	struct loop loop;
	struct log log;
	struct rng rng;
	struct initiator_config config;
	struct initiator *i;
	struct wheel wheel; /* of the servers */
	struct server servers[SERVERS];
	char dir[64];
	int device, lan, lan_far; /* ours: the kernel's side of the TUN and of the LAN socket */
	bool started, stopped;
	int result;

	struct installed addresses[ADDRESSES], unreachable[ADDRESSES];
	uint32_t default_metric; /* 0: no default route */
	uint32_t taken_metrics;  /* how many metrics from the configured one on are somebody else's */
	uint32_t mtu;
	unsigned dns_count;
	struct nd_message advert; /* the last one on the LAN */
	unsigned adverts;
	char lines[65536]; /* the log */
	size_t line_len;
};

struct fixture *fixture_new(void);
void fixture_start(struct fixture *f);
void fixture_stop(struct fixture *f);
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
/* Starts, and waits until address and prefix are there. */
void fixture_up(struct fixture *f);
bool fixture_logged(const struct fixture *f, const char *text);
void fixture_state_file(struct fixture *f, const char *text);
const struct installed *fixture_address(const struct fixture *f, const char *device, const char *address);
bool fixture_unreachable(const struct fixture *f, const char *prefix);

/* The server forgets everything without a word, as a machine that restarts does. */
void server_restart(struct server *s);

#endif

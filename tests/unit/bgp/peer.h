/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer: neighbours of an engine, played by a script in memory.
 *
 * A stage has one engine and some peers. A peer says what the test wants it to say, and remembers what it was told: the routes that it has now, how many
 * messages and prefixes came, and in which order. Time passes only when a test says so.
 */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include "bgp/parts.h"

enum { STAGE_PEERS = 8, STAGE_EVENTS = 64, PEER_SET = 2048, PEER_LOG = 64 };

struct stage_event {
	enum bgp_event_kind kind;
	const struct bgp_neighbor *neighbor;
	enum bgp_family family;
	enum bgp_outcome outcome;
	uint64_t count;
	bool final;
	struct bgp_error error;
	struct prefix prefix;
};

/* A route as the peer was told it. */
struct told {
	enum bgp_family family;
	struct bgp_nlri nlri;
	struct bgp_next_hop_value next_hop;
	struct bgp_facts facts;
	size_t set_len;
	uint8_t set[PEER_SET];
	msec at; /* the last time */
	unsigned times;
};

/* What came, in order: 'u'PDATE with prefixes, 'w'ithdrawals, 'e'nd of RIB, 'b'egin of RR, end of 'R'R, 'k'eepalive, 'n'otification, 'r'equest to refresh. */
struct peer_log {
	char what;
	enum bgp_family family;
};

struct peer {
	struct stage *stage;
	struct bgp_neighbor *neighbor;
	struct bgp_connection *connection; /* NULL: closed */
	struct bgp_open open;
	struct bgp_form form;
	struct endpoint local, remote; /* as the engine sees it */
	bool awake, deaf;              /* deaf: does not read */
	bool counts;                   /* only counters, for very many routes */
	struct told *told;
	unsigned told_count, told_room;
	uint64_t messages, updates, prefixes, withdrawn;
	size_t longest; /* message */
	unsigned log_count;
	struct peer_log log[PEER_LOG];
	struct bgp_error notification; /* code 0: none came */
	size_t kept;                   /* of a message that has come in part */
	uint8_t bytes[2 * BGP_OUTPUT];
};

struct stage {
	struct bgp *b;
	struct bgp_ops ops;
	struct wheel wheel;
	struct rng rng;
	msec now;
	bool work;
	unsigned peer_count;
	struct peer *peers[STAGE_PEERS];
	unsigned event_count;
	struct stage_event events[STAGE_EVENTS];
};

/* AS 65000, identifier 10.0.0.1; next hops count as reached. */
void stage_open(struct stage *s);
void stage_close(struct stage *s); /* asserts that nothing is left behind */
/* Work and output until there is nothing more to do. */
void stage_run(struct stage *s);
void stage_pass(struct stage *s, msec ms);
const struct stage_event *stage_find(
	const struct stage *s, enum bgp_event_kind kind); /* the last one; NULL */
void stage_forget_events(struct stage *s);

/* A configuration that offers everything: peer AS, address 192.0.2.N or 2001:db8::N. */
struct bgp_neighbor_config peer_config(const char *name, uint32_t as, const char *address);
/* The same of AS 64512, with policies that accept everything. */
struct bgp_neighbor_config peer_external_config(const char *name, const char *address);
const struct policy *policy_all(void);
/* Comes up: bgp_established. With NULL the peer offers all that the engine does. */
struct peer *peer_up(
	struct stage *s, const struct bgp_neighbor_config *config, const struct bgp_capabilities *offers);
/* Of our AS, a client; and an external one as above. */
struct peer *peer_internal(struct stage *s, const char *name, const char *address);
struct peer *peer_external(struct stage *s, const char *name, const char *address);
/* The same neighbour again, after its session ended. */
void peer_again(struct peer *p);
void peer_says(struct peer *p, const void *bytes, size_t len);

/* Attributes for what peers say: a canonical set in a buffer of its own. */
struct attributes {
	struct writer w;
	uint8_t bytes[BGP_SET_MAX];
};
/* ORIGIN IGP, the path (count 0: empty); for internal peers LOCAL_PREF 100. */
struct reader peer_set(
	const struct peer *p, const uint32_t *path, unsigned count, const struct bgp_edit *more);
struct reader attributes_of(struct attributes *a, const uint32_t *path, unsigned count, bool local_pref);

struct prefix prefix_from(const char *text);
struct addr addr_from(const char *text);
/* UPDATEs with all PREFIXES (texts, up to NULL), next hop TEXT. */
void peer_tells(struct peer *p, enum bgp_family f, struct reader set, const char *next_hop,
	const char *const *prefixes);
void peer_tells_one(
	struct peer *p, enum bgp_family f, struct reader set, const char *next_hop, const char *prefix);
void peer_withdraws(struct peer *p, enum bgp_family f, const char *prefix);
void peer_ends_rib(struct peer *p, enum bgp_family f);
void peer_refreshes(struct peer *p, enum bgp_family f, enum bgp_refresh_kind kind);
/* What the peer has been told of PREFIX; NULL: nothing, or it was withdrawn. */
const struct told *peer_has(const struct peer *p, enum bgp_family f, const char *prefix);
void peer_forget(struct peer *p); /* counters and log, not routes */
/* Of a route that was told. */
struct reader told_set(const struct told *t);
/* The engine's path for PREFIX from this peer; NULL. */
const struct rib_path *peer_path(const struct peer *p, enum bgp_family f, const char *prefix);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Speakers in memory, wired together: TCP without sockets, and a virtual clock.
 *
 *     wire_init(&w, 1);
 *     a = wire_speaker(&w, 65000, 1);             // "n1", 192.0.2.1, identifier 10.0.0.1
 *     b = wire_speaker(&w, 65000, 2);
 *     wire_meet(a, b, NULL);                      // each the other's neighbour, and started
 *     wire_run(&w, 5000);                         // five seconds
 *     wire_free(&w);
 *
 * A node is a speaker (struct bgp), or a hand that the test plays itself: what comes to it piles up in its end of the connection, as does what others send it.
 * Bytes take w->latency milliseconds, and are handed in in pieces of at most w->piece. A node can refuse connections, be silent, crash (its peers hear
 * nothing of it until they send something), and boot again; an end can stop reading.
 *
 * Knows neither a test framework nor what is tested: what must never happen aborts.
 */
#ifndef TESTS_BGP_WIRE_H
#define TESTS_BGP_WIRE_H

#include "bgp/bgp.h"
#include "bgp/parts.h"

enum { WIRE_NODES = 40, WIRE_EVENTS = 512 };

struct wire;
struct wire_node;

struct wire_segment {
	struct wire_segment *next;
	msec at;
	bool fin;
	size_t len;
	uint8_t bytes[];
};

/* One end of a TCP connection. */
struct wire_end {
	struct wire_tcp *tcp;
	struct wire_node *node;
	struct bgp_connection *c;           /* of a speaker; NULL when it has closed */
	bool wants, open, dead;             /* bgp_output() has something; not closed; its node crashed */
	bool blocked;                       /* what it sends is not taken: the peer does not read */
	struct wire_segment *first, **last; /* on their way to it */
	uint8_t *in;                        /* come, not yet taken */
	size_t in_len;
};

struct wire_tcp {
	struct wire_tcp *next;
	struct wire *wire;
	msec at; /* the handshake is over then */
	bool shaken;
	struct wire_end end[2]; /* [0]: who connected */
};

/* What ops->event() told. */
struct wire_event {
	msec at;
	enum bgp_event_kind kind;
	enum bgp_state from, to;
	enum bgp_family family;
	uint64_t count;
	bool sent, final;
	uint8_t code, subcode;
	char reason[BGP_ERROR_TEXT];
};

struct wire_node {
	struct wire *wire;
	unsigned number;
	struct addr address;
	struct bgp_config config;
	struct bgp *bgp; /* NULL: a hand, or crashed */
	bool refuses, silent;
	bool works;     /* bgp_work() is wanted */
	unsigned slice; /* its budget; 1000. 0: it has to wait */
	struct wire_event events[WIRE_EVENTS];
	unsigned event_count;          /* may be larger: the last WIRE_EVENTS are there */
	uint64_t seen[2][6];           /* messages by direction ([1]: sent) and type */
	unsigned routes[BGP_FAMILIES]; /* calls of ops->routes() */
	bgp_families families_when_up; /* that the neighbour had when the last session was told */
	unsigned next_hops;            /* wanted now */
	bool connected_wrongly;
	void *owner; /* the test's */
	/* Called by ops->next_hop(), if there is something: else every next hop is reached at metric 10. */
	void (*next_hop)(struct wire_node *n, struct bgp_next_hop *h, bool wanted);
};

struct wire {
	struct wheel wheel;
	struct rng rng;
	msec now, latency; /* 1 ms */
	size_t piece;      /* 0: as it comes */
	unsigned node_count;
	struct wire_node *nodes[WIRE_NODES];
	struct wire_tcp *tcps;
	uint64_t bytes; /* that went over all wires */
};

/* Where its own memory comes from: realloc(), which a test of shortage replaces by the real one. */
extern void *(*wire_memory)(void *old, size_t size);

void wire_init(struct wire *w, uint64_t seed);
void wire_free(struct wire *w);
/* Number N: 192.0.2.N, identifier 10.0.0.N. */
struct wire_node *wire_speaker(struct wire *w, uint32_t as, unsigned number);
struct wire_node *wire_hand(struct wire *w, unsigned number);
/* As CONFIG has it, with another struct bgp; neighbours have to be added again. */
void wire_boot(struct wire_node *n);
void wire_crash(struct wire_node *n);
/* It ends as it should: WORDS: bgp_shutdown(), NULL: bgp_leave(). */
void wire_stop(struct wire_node *n, const char *words);

/* What a neighbour is by default: ipv4 and ipv6, hold time 90 s, connect retry 5 s, idle hold 1 s, everything offered, no policies needed. */
struct bgp_neighbor_config wire_config(const struct wire_node *of, const struct wire_node *to, uint32_t as);
/* Both get the other as neighbour, changed by TWEAK (may be NULL), and are started. */
void wire_meet(struct wire_node *a, struct wire_node *b,
	void (*tweak)(struct wire_node *of, struct bgp_neighbor_config *config));
/* OF's neighbour TO. */
struct bgp_neighbor *wire_neighbor(const struct wire_node *of, const struct wire_node *to);
enum bgp_state wire_state(const struct wire_node *of, const struct wire_node *to);

/* Time passes; whatever is due happens. */
void wire_run(struct wire *w, msec ms);
/* Until DONE() says so or MS are over: then false. */
bool wire_until(struct wire *w, msec ms, bool (*done)(struct wire *w));

/* The newest connection between the two that is open at X's end; X's end. NULL: none. */
struct wire_end *wire_end_of(struct wire_node *x, struct wire_node *y);
/* A hand connects to a speaker: its end; the handshake takes the time that it takes. */
struct wire_end *wire_connect(struct wire_node *hand, struct wire_node *to);
void wire_send(struct wire_end *e, const void *bytes, size_t len);
void wire_close(struct wire_end *e); /* of a speaker: it breaks */
/* The next message that has come to a hand's end: 0 when there is none, or its length; its type and a copy. */
size_t wire_take(struct wire_end *e, uint8_t *ret_type, uint8_t message[BGP_EXTENDED_MAX]);

/* The newest event of KIND, or NULL. */
const struct wire_event *wire_last(const struct wire_node *n, enum bgp_event_kind kind);
/* Has any event had TEXT in its reason? */
bool wire_said(const struct wire_node *n, const char *text);
unsigned wire_count(const struct wire_node *n, enum bgp_event_kind kind);

#endif

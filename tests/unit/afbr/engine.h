/*
 * A stand-in for the BGP engine and for the keeper: it notes down what it is told, and says what the test wants, so that sockets are all that is tested.
 * Its messages are of MESSAGE bytes.
 */
#ifndef TESTS_AFBR_ENGINE_H
#define TESTS_AFBR_ENGINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "afbr/parts.h"

enum { ENGINE_NEIGHBORS = 8, ENGINE_CONNECTIONS = 16, ENGINE_KEPT = 1 << 20, MESSAGE = 100, LOGGED = 65536 };

struct bgp_connection {
	struct bgp_neighbor *neighbor;
	void *owner;
	bool incoming, up, closed;
	struct endpoint local, remote;
	unsigned interface;
	uint8_t *got; /* what was handed in and taken */
	size_t got_len;
	uint64_t first_input, last_input; /* when, among the inputs of all */
	size_t to_send;                   /* how much bgp_output() still has */
	size_t sent;
	char why[128]; /* bgp_disconnected() */
	struct addr link_local;
	const char *last_words; /* said when a message begins with 'x' */
	uint64_t inputs_before; /* of all, when it was made */
	unsigned input_us, output_us; /* how long the engine takes over an input, and over what it gives */
	unsigned outputs;             /* how often it was asked for some, and had it */
};

struct bgp_neighbor {
	struct bgp *bgp;
	bool used, started;
	struct bgp_neighbor_config config;
	enum bgp_state state;
	bool refuses; /* bgp_accept() */
	bool flushing;
};

struct bgp {
	void *owner;
	struct bgp_config config;
	struct bgp_neighbor neighbors[ENGINE_NEIGHBORS];
	struct bgp_connection connections[ENGINE_CONNECTIONS];
	unsigned connection_count;
	uint64_t inputs;
	bool inside; /* a call of the engine */
};

struct stage {
	struct loop loop;
	struct log log;
	int log_fd;
	struct bgp bgp;
	struct afbr role;
	struct afbr_config *config;
	unsigned peers_told; /* endpoint_peer() */
	struct addr peer_told;
	bool peer_up;
};

struct stage *stage_new(void);
void stage_free(struct stage *s);
/* ADDRESS as a neighbour of another AS, unless as 65000. */
struct bgp_neighbor *stage_neighbor(struct stage *s, const char *name, const char *address, uint32_t as);
struct bgp_connection *stage_connection(struct bgp_neighbor *n);
/* Turns of the loop until DONE(arg), or 5 s: false. */
bool stage_run(struct stage *s, bool (*done)(void *arg), void *arg);
/* N turns that do not wait. */
void stage_turns(struct stage *s, unsigned n);
/* All that was logged. */
const char *stage_log(struct stage *s, char text[LOGGED]);
/* A listening socket for the role; *ret is where. */
void stage_listen(struct stage *s, const char *address, struct endpoint *ret);
int stage_dial(const struct endpoint *to, const char *from, int ttl);
/* The byte that stands at AT of what a connection sends. */
static inline uint8_t stage_byte(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8));
}

#endif

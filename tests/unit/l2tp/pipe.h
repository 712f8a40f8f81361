/*
 * A lossy pipe between an initiator's and a concentrator's tunnel, with a clock of its own.
 *
 * pipe_run() delivers packets and lets time pass. What both sent stands in the trace, one word each:
 * ">SCCRQ" from the initiator, "<SCCRP" from the concentrator, "x" behind it when it was lost.
 */
#ifndef TEST_PIPE_H
#define TEST_PIPE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "l2tp/tunnel.h"
#include "lib/container.h"

struct pipe;

struct packet {
	size_t len;
	uint8_t data[L2TP_PACKET_MAX];
};

struct end {
	struct l2tp_tunnel t;
	struct l2tp_config config;
	struct l2tp_counters counters;
	struct l2tp_ops ops;
	struct rng rng;
	struct pipe *pipe;
	bool live;          /* open or accepted, and not released */
	const char *secret; /* answers want_secret; NULL: none */
	bool wait_secret;   /* do not answer at once */
	bool close_when_up; /* l2tp_tunnel_close() from inside established() */
	bool deaf;          /* packets to it are lost */
	uint64_t lose;      /* bit N: its Nth packet is lost */
	unsigned sent, established, closed, released, notes;
	char host_name[64]; /* asked for */
	char note[256];     /* the last one */
	char up_after[16];  /* the last word of the trace when established() was told */
	struct l2tp_why why;
	struct packet last;      /* what it sent last */
	struct packet queue[32]; /* under way */
	size_t queued;
};

struct pipe {
	struct end si, sc;
	msec now;
	char trace[2048];
};

void pipe_init(struct pipe *p);
/* SCCRQ leaves; run on to see more. */
void pipe_open(struct pipe *p);
/* Delivers and waits until UNTIL. */
void pipe_run(struct pipe *p, msec until);
/* Opens and runs until both are established, the trace is then empty. */
void pipe_up(struct pipe *p);
/* Forgets everything; after it the pipe may go. */
void pipe_done(struct pipe *p);
/* A packet as if from the other end: header with the right ids, NS and NR, and BODY. */
void pipe_inject(struct end *to, uint16_t session, uint16_t ns, uint16_t nr, const uint8_t *body, size_t len);
/* The next control message with BODY that the other end would send, and takes its number. */
void pipe_forge(struct end *from, uint16_t session, const uint8_t *body, size_t len);
void pipe_expect(struct pipe *p, const char *trace); /* and empties it */

#endif

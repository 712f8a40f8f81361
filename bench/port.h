/*
 * bench/port: a generator's UDP socket: big buffers, batches in both directions, on the loop of lib/loop.h.
 *
 * What is sent waits until the loop is about to sleep, or until a batch is full.
 */
#ifndef BENCH_PORT_H
#define BENCH_PORT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/addr.h"
#include "lib/loop.h"

enum { PORT_BATCH = 64, PORT_BYTES = 2048 };

struct port_batch {
	struct mmsghdr headers[PORT_BATCH];
	struct iovec vectors[PORT_BATCH];
	struct sockaddr_storage addresses[PORT_BATCH];
	uint8_t bytes[PORT_BATCH][PORT_BYTES];
};

struct port {
	struct loop_watch watch;
	struct loop_flush flush;
	int fd;
	unsigned queued;
	struct port_batch *rx, *tx;
	/* The owner sets both before port_open(). */
	void (*input)(struct port *p, const struct endpoint *from, const uint8_t *data, size_t len);
	void *owner;
};

/* LOCAL's port may be 0. False, and errno's text on stderr, when it cannot be had. */
bool port_open(struct port *p, struct loop *l, const struct endpoint *local);
void port_send(struct port *p, const struct endpoint *to, const void *data, size_t len);

#endif

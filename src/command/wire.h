/* command/wire: the UDP socket of a trial, and what the network says about its packets. */
#ifndef COMMAND_WIRE_H
#define COMMAND_WIRE_H

#include "lib/addr.h"

struct wire {
	int fd;
	uint8_t family;
	/* The last complaint. */
	int error;	       /* an errno; 0: none */
	bool here;	       /* it is this host's own */
	char complaint[160];   /* "port unreachable, says 192.0.2.1"; "" */
	uint32_t narrow;       /* the largest outer packet that a router takes, as it has said; 0: nobody has said anything */
};

/* Connected. 0 or -errno. */
int wire_open(struct wire *w, const struct endpoint *server);
void wire_close(struct wire *w);
/* FRAGMENTS: may it be cut on the way? */
void wire_send(struct wire *w, const void *data, size_t len, bool fragments);
/* The next packet, or 0. Complaints of the network are taken by the way. */
size_t wire_receive(struct wire *w, uint8_t *buf, size_t size);
/* What the path takes, as far as the kernel knows; 0: nothing is known. */
uint32_t wire_mtu(const struct wire *w);

#endif

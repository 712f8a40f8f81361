/*
 * A plane without sockets: packets of the core go in by function call and come out of a socket pair; frames of the device wait in a queue that nobody sends. Acceptance:
 * IP-in-IP, GRE with key 0x01020304, MPLS in GRE, L2TPv3 with session 0x0a0b0c0d and cookie "12345678".
 */
#ifndef FUZZ_MESH_HARNESS_H
#define FUZZ_MESH_HARNESS_H

#include "mesh/parts.h"

struct harness {
	struct loop loop;
	struct mesh_plane *plane;
	struct mesh_socket sender;
	struct mesh_endpoint *endpoint; /* of an IPv6 core, keyed GRE */
	struct mesh_path *path;
	int device; /* the kernel's side of the TAP */
	struct addr transmitter6, transmitter4, local6, local4;
	unsigned refused;
};

/* Made once and kept: the state that packets leave behind is reset by harness_reset(). */
struct harness *harness_get(void);
void harness_reset(struct harness *h);
/* Takes the next packet that reached the device, whose frame is looked at; its length, or 0. */
size_t harness_device(struct harness *h, uint8_t *buf, size_t size);
/* Makes a packet plausible: version, and lengths that fit. */
void harness_mend(uint8_t *packet, size_t len, uint8_t family);
/* A whole packet; aborts when it is none. */
struct inner harness_inner(const uint8_t *packet, size_t len);

#define MUST(condition)                                                                                      \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			__builtin_trap();                                                                    \
	} while (0)

#endif

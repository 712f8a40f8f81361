/* A plane with one softwire, without a far end: packets go in by function call, and come out of a socket pair and of the send queue. */
#ifndef FUZZ_DATAPLANE_HARNESS_H
#define FUZZ_DATAPLANE_HARNESS_H

#include "dataplane/plane.h"

struct harness {
	struct loop loop;
	struct tun_plane *plane;
	struct dp_socket *socket;
	struct dp_row *row; /* 2001:db8:1::/64 and 192.0.2.8/30 */
	int device;         /* the kernel's side of the TUN */
	struct endpoint peer, other;
	struct addr local6, local4;
	unsigned inputs, strays;
};

/* Made once and kept: the state that packets leave behind is reset by harness_reset(). */
struct harness *harness_get(void);
void harness_reset(struct harness *h);
/* Takes the next packet that reached the device; its length, or 0. */
size_t harness_device(struct harness *h, uint8_t *buf, size_t size);
/* Makes a packet plausible: version, and lengths that fit. */
void harness_mend(uint8_t *packet, size_t len, uint8_t family);
/* The addresses of a whole packet; aborts when it is none. */
struct inner harness_inner(const uint8_t *packet, size_t len);

#define MUST(condition)                                                                                      \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			__builtin_trap();                                                                    \
	} while (0)

#endif

/*
 * A plane for tests, with a table: a socket pair (SEQPACKET: one frame per call, as with a TAP) stands for the device, and queues that nobody sends from for the
 * raw sockets; what waits there is what would go out. Those that need the kernel's sockets are in socket.c. What the plane tells its role is recorded.
 */
#ifndef TESTS_UNIT_MESH_FIXTURE_H
#define TESTS_UNIT_MESH_FIXTURE_H

#include "../inet/build.h"
#include "mesh/parts.h"

#define INGRESS6 "2001:db8:c::1" /* addresses in the core: ours, the others' */
#define EGRESS6  "2001:db8:c::2"
#define BACKUP6  "2001:db8:c::3"
#define INGRESS4 "192.0.2.1"
#define EGRESS4  "192.0.2.2"
#define BACKUP4  "192.0.2.3"

enum { FRAME = 14, CORE = 3 }; /* an Ethernet header; the interface of the core */

struct told {
	unsigned count;
	struct addr addr;
	uint32_t mtu;
	int error;
	const char *reason;
};

struct fixture {
	struct loop loop;
	struct mesh_plane *plane;
	struct mesh_table *table;
	struct mesh_counters *counters;
	int device; /* the kernel's side of the TAP */
	struct mesh_socket senders[2];
	struct told path_mtu, unreachable, refused;
	void (*on_call)(struct fixture *f); /* what the role does in any op; may be NULL */
	bool freed;
};

int fixture_setup(void **state);         /* with queues instead of senders */
int fixture_setup_sockets(void **state); /* without */
int fixture_setup_bare(void **state);    /* without a device, either */
void fixture_device(struct fixture *f);
int fixture_teardown(void **state); /* closes the plane and sees it freed */
void fixture_close(struct fixture *f);
void fixture_run(struct fixture *f);  /* some rounds of the loop */
void fixture_wait(struct fixture *f); /* until something happens, for a while at most; then some rounds */
#define UNTIL(f, condition)                                                                                  \
	for (unsigned turns_ = 0; !(condition); turns_++) {                                                  \
		assert_true(turns_ < 500);                                                                   \
		fixture_wait(f);                                                                             \
	}

/* A usable endpoint, MTU 1400, ECN copied; the fixture holds no reference that a path does not: it goes with its path. */
struct mesh_endpoint *fixture_endpoint(
	struct fixture *f, const char *src, const char *dst, const struct mesh_encapsulation *how);
/* A path with the same legs in every slot; BACKUP may be NULL. Takes the endpoints' references. */
struct mesh_path *fixture_path(
	struct fixture *f, struct mesh_endpoint *primary, struct mesh_endpoint *backup, uint32_t label);

/* The kernel sends PACKET to the path; the plane works. */
void device_sends(struct fixture *f, uint32_t path, const void *packet, size_t len);
void device_sends_frame(struct fixture *f, const void *frame, size_t len);
/* The next packet that came out of the device, without the frame's header, which is looked at; its length, or 0. */
size_t device_gets(struct fixture *f, uint8_t *buf, size_t size);
/* The next outer packet that waits to be sent to the core of FAMILY, or 0; *ret_to, if not NULL, is where to. */
size_t core_gets(struct fixture *f, uint8_t family, uint8_t *buf, size_t size, struct addr *ret_to);
/* PACKET (as a raw socket gives it: IPv4 with its outer header) comes from FROM, with PROTOCOL and TOS (IPv6). */
void core_sends(
	struct fixture *f, const char *from, uint8_t protocol, uint8_t tos, const void *packet, size_t len);

#endif

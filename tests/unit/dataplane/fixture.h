/*
 * A plane with one listener and one softwire, for tests: real UDP sockets on the loopback address stand for the listener and the peer,
 * a socket pair (SEQPACKET: one packet per call, as with a TUN) for the device. What the plane tells its role is recorded.
 */
#ifndef TESTS_UNIT_DATAPLANE_FIXTURE_H
#define TESTS_UNIT_DATAPLANE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../inet/build.h"
#include "dataplane/tun.h"

enum { LOCAL_TUNNEL = 0x0102, LOCAL_SESSION = 0x0304, PEER_TUNNEL = 0x1112, PEER_SESSION = 0x1314 };

struct call {
	unsigned count;
	struct dp_row *row;
	uint8_t listener;
	struct endpoint from;
	struct addr local;
	int error;
	uint32_t mtu;
	size_t len;
	uint8_t payload[2048];
};

struct fixture {
	struct loop loop;
	struct tun_plane *plane;
	struct dp_table *table;
	struct dp_counters *counters;
	struct dp_row *row; /* 2001:db8:1::/64 and 192.0.2.8/32, both families up, MTU 1460 */
	uint8_t listener;
	struct endpoint listen; /* where the listener is */
	struct endpoint peer_at;
	int peer;   /* the softwire's far end */
	int device; /* the kernel's side of the TUN */
	struct call input, stray, outer_error;
	void (*on_call)(struct fixture *f); /* what the role does in any op; may be NULL */
	bool freed;
};

int fixture_setup(void **state);      /* IPv4 outside */
int fixture_setup6(void **state);     /* IPv6 outside */
int fixture_setup_any4(void **state); /* the listener is bound to all addresses */
int fixture_setup_any6(void **state);
int fixture_teardown(void **state); /* closes the plane and sees it freed */
void fixture_close(struct fixture *f);

int udp_socket(const char *address, struct endpoint *ret_at);
/* The data header towards us with the ids of the fixture, and PROTOCOL; returns 10. */
size_t data_header(uint8_t *buf, uint16_t tunnel, uint16_t session, uint16_t protocol);

/* The peer sends to the listener; the plane works. */
void peer_sends(struct fixture *f, const void *payload, size_t len);
void peer_sends_inner(struct fixture *f, uint16_t protocol, const void *packet, size_t len);
/* What the peer got, or 0. */
size_t peer_gets(struct fixture *f, uint8_t *buf, size_t size);
void device_sends(struct fixture *f, const void *packet, size_t len);
size_t device_gets(struct fixture *f, uint8_t *buf, size_t size);

#endif

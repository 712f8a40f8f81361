/* netlink/request: one request to rtnetlink and its answer. Internal to this folder. */
#ifndef NETLINK_REQUEST_H
#define NETLINK_REQUEST_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "netlink/route.h"

enum { NETLINK_BUFFER = 8192 };

struct netlink {
	struct mnl_socket *socket;
	uint32_t sequence;
	bool tells_protocol; /* this kernel keeps protocols with addresses (IFA_PROTO) */
	char error[160];
	char buffer[NETLINK_BUFFER] __attribute__((aligned(8))); /* the request while it is built */
	char answer[4 * NETLINK_BUFFER] __attribute__((aligned(8)));
};

/* Starts a request in n->buffer: a header with a zeroed family header of SIZE bytes behind it (*ret_family_header). */
struct nlmsghdr *request_begin(
	struct netlink *n, uint16_t type, uint16_t flags, size_t size, void **ret_family_header);
void request_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a);
/*
 * Sends what was begun, with NLM_F_ACK, and waits for the acknowledgement (or the end of a list): 0 or the kernel's -errno.
 * TAKE (may be NULL) sees the messages that answer a GET before that; non-zero from it is the result. -EAGAIN: a list changed while it was read.
 */
int request_run(
	struct netlink *n, struct nlmsghdr *h, int (*take)(const struct nlmsghdr *h, void *arg), void *arg);
/*
 * Sends COUNT requests at once, which stand in LEN bytes at MESSAGES with the sequence numbers n->sequence + 1 and so on, without NLM_F_ACK. 0: all are done, and
 * in RET_ERRORS (zeroed by the caller) stands what the kernel said of those that failed. -errno: nothing is known of any.
 */
int request_run_many(struct netlink *n, void *messages, size_t len, unsigned count, int *ret_errors);
/* Of an NLMSG_ERROR: 0 or the kernel's -errno; its text, when it sent one, goes into n->error. */
int request_error(struct netlink *n, const struct nlmsghdr *h);
/* Routes of our own BGP that come and go are not told to this socket. 0 or -errno. */
int request_mute_bgp(struct mnl_socket *s);

#endif

/*
 * datagram: what sockets of packets (UDP, raw IP) that carry much have in common: options, large buffers, what the kernel says beside a packet that has come, and
 * what the network says of those that went.
 *
 * An error waits in the socket's error queue (IP_RECVERR, IPV6_RECVERR), and also makes the next call on the socket fail, whatever that call was about: such a
 * call is repeated once the queue has been read. With SO_SELECT_ERR_QUEUE the queue is seen as UV_PRIORITIZED; without it libuv takes POLLERR for a broken
 * descriptor.
 */
#ifndef LIB_DATAGRAM_H
#define LIB_DATAGRAM_H

#include <netinet/in.h>

#include "lib/addr.h"

/* For msg_control of a packet: an address, and TOS or Traffic Class (an int, or a byte). */
enum { DATAGRAM_CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) };

struct datagram_option {
	int level, name, value;
};
/* 0 or -errno of the first that is refused. */
int datagram_set(int fd, const struct datagram_option *options, size_t count);
/*
 * At least 4 MiB each: whoever opened the socket may have had the right to more, which is not taken away. The kernel caps what it gives without privilege; a
 * small buffer is not a failure.
 */
void datagram_enlarge_receive(int fd);
void datagram_enlarge_send(int fd);

/* What the control messages say; what they do not say is 0. */
struct datagram_arrival {
	struct addr local; /* that it was sent to */
	unsigned ifindex;  /* by which it came */
	uint8_t tos;       /* TOS or Traffic Class */
};
void datagram_arrival_read(struct msghdr *m, struct datagram_arrival *ret);

struct datagram_error {
	struct endpoint to; /* where the packet was sent that it is about; none: not known */
	int error;          /* errno; 0: nothing that we know */
	uint32_t mtu;       /* of EMSGSIZE, the largest IP packet */
	bool local;         /* the kernel's own, about the call that has just failed */
};
/* Takes the next one from the queue; false: there is none. */
bool datagram_error_next(int fd, struct datagram_error *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request to rtnetlink at a time, or many at once: sequence number, acknowledgement, and the kernel's own words about a refusal.
 *
 * Of many only the last one is acknowledged; of the others the kernel says something only when they fail.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "netlink/fib.h"
#include "netlink/request.h"

static int set_option(struct mnl_socket *s, int option)
{
	int on = 1;

	return mnl_socket_setsockopt(s, option, &on, sizeof(on));
}

struct netlink *netlink_open(void)
{
	struct netlink *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!n->socket)
		goto failed;
	if (mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		goto failed;
	/* Both are comfort (Linux 4.12): without them errors have no text. */
	(void)set_option(n->socket, NETLINK_EXT_ACK);
	(void)set_option(n->socket, NETLINK_CAP_ACK);
	return n;
failed:;
	int error = errno;
	netlink_close(n);
	errno = error;
	return NULL;
}

void netlink_close(struct netlink *n)
{
	if (!n)
		return;
	if (n->socket)
		mnl_socket_close(n->socket);
	free(n);
}

const char *netlink_error(const struct netlink *n)
{
	return n->error;
}

struct nlmsghdr *request_begin(
	struct netlink *n, uint16_t type, uint16_t flags, size_t size, void **ret_family_header)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(n->buffer);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = ++n->sequence;
	*ret_family_header = mnl_nlmsg_put_extra_header(h, size);
	return h;
}

void request_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a)
{
	mnl_attr_put(h, type, addr_size(a->family), a->bytes);
}

struct ack_text {
	char *text;
	size_t size;
};

static int take_ack_attribute(const struct nlattr *a, void *arg)
{
	struct ack_text *t = arg;

	if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG) {
		size_t len = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));

		if (len >= t->size)
			len = t->size - 1;
		memcpy(t->text, mnl_attr_get_payload(a), len);
		t->text[len] = 0;
	}
	return MNL_CB_OK;
}

int request_error(struct netlink *n, const struct nlmsghdr *h)
{
	struct ack_text text = {n->error, sizeof(n->error)};
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t skip = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*e))
		return -EBADMSG;
	/* The attributes stand behind the copy of the request, which NLM_F_CAPPED leaves out. */
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof(e->msg))
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) && skip <= mnl_nlmsg_get_payload_len(h))
		(void)mnl_attr_parse(h, (unsigned)skip, take_ack_attribute, &text);
	return e->error > 0 ? -e->error : e->error;
}

/*
 * A million routes of our own are no news to us. The kernel asks this for every message: is it a route (nlmsg_type), told because it changed and not because
 * we have asked (nlmsg_flags), of that protocol (rtm_protocol)? Loads are big-endian, and the header is not.
 */
int request_mute_bgp(struct mnl_socket *s)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_flags)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, htons(NLM_F_MULTI), 3, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_BGP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))
		       ? -errno
		       : 0;
}

/* How a list ended. */
static int read_done(const struct nlmsghdr *h)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(h) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
	return error > 0 ? -error : error;
}

/* 1: more must come. */
static int read_answer(struct netlink *n, const struct nlmsghdr *h, int left,
	int (*take)(const struct nlmsghdr *h, void *arg), void *arg, int *result)
{
	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (!mnl_nlmsg_seq_ok(h, n->sequence) ||
			!mnl_nlmsg_portid_ok(h, mnl_socket_get_portid(n->socket)))
			continue; /* the tail of an earlier request */
		if ((h->nlmsg_flags & NLM_F_DUMP_INTR) && !*result)
			*result = -EAGAIN;
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
			int error = h->nlmsg_type == NLMSG_DONE ? read_done(h) : request_error(n, h);

			return *result ? *result : error;
		}
		if (take && h->nlmsg_type >= NLMSG_MIN_TYPE && !*result)
			*result = take(h, arg);
	}
	return 1;
}

int request_run(
	struct netlink *n, struct nlmsghdr *h, int (*take)(const struct nlmsghdr *h, void *arg), void *arg)
{
	int result = 0, state;

	n->error[0] = 0;
	if (mnl_socket_sendto(n->socket, h, h->nlmsg_len) < 0)
		return -errno;
	do {
		ssize_t len = mnl_socket_recvfrom(n->socket, n->answer, sizeof(n->answer));

		if (len < 0 && errno == EINTR)
			state = 1;
		else if (len < 0)
			return -errno;
		else
			state = read_answer(
				n, (const struct nlmsghdr *)n->answer, (int)len, take, arg, &result);
	} while (state == 1);
	return state;
}

/* ---- many at once ---- */

/* They are of different lengths. */
static struct nlmsghdr *last_of(void *messages, unsigned count)
{
	struct nlmsghdr *h = messages;

	while (--count)
		h = (struct nlmsghdr *)((char *)h + MNL_ALIGN(h->nlmsg_len));
	return h;
}

/* 1: more must come. */
static int take_errors(struct netlink *n, const struct nlmsghdr *h, int left, uint32_t first, unsigned count, int *errors)
{
	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		uint32_t index = h->nlmsg_seq - first;

		if (h->nlmsg_type != NLMSG_ERROR || index >= count ||
			!mnl_nlmsg_portid_ok(h, mnl_socket_get_portid(n->socket)))
			continue;
		errors[index] = request_error(n, h);
		if (index == count - 1)
			return 0;
	}
	return 1;
}

int request_run_many(struct netlink *n, void *messages, size_t len, unsigned count, int *ret_errors)
{
	uint32_t first = n->sequence + 1;
	int state = 1;

	n->sequence += count;
	last_of(messages, count)->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(n->socket, messages, len) < 0)
		return -errno;
	while (state == 1) {
		ssize_t got = mnl_socket_recvfrom(n->socket, n->answer, sizeof(n->answer));

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got >= 0)
			state = take_errors(n, (const struct nlmsghdr *)n->answer, (int)got, first, count, ret_errors);
	}
	return state;
}

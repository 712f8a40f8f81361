/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nd/packet: bytes to messages and back.
 *
 * Options are rows of a table: which length they must have and which messages they belong to. An option that
 * does not belong, is unknown, or has another length than its type demands is skipped (RFC 4861 section 6.1: only
 * an option of length 0 spoils the whole message); everything else that the RFC demands of a message is a refusal.
 */
#include "nd/packet.h"

#include <errno.h>
#include <string.h>

#include "lib/text.h"

enum {
	OPTION_SOURCE_LLADDR = 1,
	OPTION_PREFIX = 3,
	OPTION_MTU = 5,
	OPTION_NONCE = 14, /* RFC 3971 section 5.3.2 */
	OPTION_RDNSS = 25, /* RFC 8106 section 5.1 */
};

enum { PREFIX_ON_LINK = 0x80, PREFIX_AUTONOMOUS = 0x40 };
enum { RA_MANAGED = 0x80, RA_OTHER = 0x40 };
enum { NA_ROUTER = 0x80, NA_SOLICITED = 0x40, NA_OVERRIDE = 0x20 };

#define IN(type) (1u << ((type)-ND_RS))

/* What an option leaves behind for the checks of the message as a whole. */
struct seen {
	bool source_lladdr;
};

static void read_source_lladdr(struct reader *o, struct nd_message *m, struct seen *seen)
{
	seen->source_lladdr = true;
	m->advert.has_lladdr = reader_copy(o, m->advert.lladdr, sizeof(m->advert.lladdr));
}

static void read_prefix(struct reader *o, struct nd_message *m, struct seen *seen)
{
	struct nd_prefix p = {0};
	uint8_t len = reader_u8(o), flags = reader_u8(o);
	uint8_t bytes[16];

	(void)seen;
	p.valid = reader_u32(o);
	p.preferred = reader_u32(o);
	reader_skip(o, 4);
	reader_copy(o, bytes, sizeof(bytes));
	if (!reader_ok(o) || len > 128 || m->advert.prefix_count == ND_PREFIX_MAX)
		return;
	struct addr a = addr6_of(bytes);

	p.prefix = prefix_of(&a, len); /* bits beyond the length are to be ignored, section 4.6.2 */
	p.on_link = flags & PREFIX_ON_LINK;
	p.autonomous = flags & PREFIX_AUTONOMOUS;
	m->advert.prefixes[m->advert.prefix_count++] = p;
}

static void read_mtu(struct reader *o, struct nd_message *m, struct seen *seen)
{
	(void)seen;
	reader_skip(o, 2);
	m->advert.mtu = reader_u32(o);
}

static void read_nonce(struct reader *o, struct nd_message *m, struct seen *seen)
{
	(void)seen;
	m->has_nonce = reader_copy(o, m->nonce, sizeof(m->nonce));
}

static void add_dns(struct nd_advert *a, const struct addr *dns, uint32_t lifetime)
{
	if (a->dns_count == ND_DNS_MAX)
		return;
	/* One lifetime is kept for all: the shortest, so that no address is used for too long. */
	a->dns_lifetime = a->dns_count && a->dns_lifetime < lifetime ? a->dns_lifetime : lifetime;
	a->dns[a->dns_count++] = *dns;
}

static void read_rdnss(struct reader *o, struct nd_message *m, struct seen *seen)
{
	struct nd_advert *a = &m->advert;
	uint32_t lifetime;
	uint8_t bytes[16];

	(void)seen;
	if (reader_left(o) % 16 != 6) /* an address is cut: discard the option, RFC 8106 section 5.3.1 */
		return;
	reader_skip(o, 2);
	lifetime = reader_u32(o);
	while (reader_left(o)) {
		reader_copy(o, bytes, sizeof(bytes));
		struct addr dns = addr6_of(bytes);

		if (addr_is_multicast(&dns) || addr_is_unspecified(&dns))
			continue;
		if (lifetime)
			add_dns(a, &dns, lifetime);
		else if (a->dns_withdrawn_count < ND_DNS_MAX)
			a->dns_withdrawn[a->dns_withdrawn_count++] = dns;
	}
}

static const struct option {
	uint8_t type;
	uint8_t min, max; /* length in units of 8 bytes */
	uint8_t in;       /* messages that it belongs to */
	void (*read)(struct reader *o, struct nd_message *m, struct seen *seen);
} options[] = {
	/* An Ethernet address; others are only noticed, but noticed for the checks of 6.1.1 and 7.1.1. */
	{OPTION_SOURCE_LLADDR, 1, 255, IN(ND_RS) | IN(ND_RA) | IN(ND_NS), read_source_lladdr},
	{OPTION_PREFIX, 4, 4, IN(ND_RA), read_prefix},
	{OPTION_MTU, 1, 1, IN(ND_RA), read_mtu},
	{OPTION_NONCE, 1, 1, IN(ND_NS), read_nonce},
	{OPTION_RDNSS, 3, 255, IN(ND_RA), read_rdnss},
};

static const struct option *option_find(uint8_t type)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].type == type)
			return &options[i];
	return NULL;
}

static void read_options(struct reader *r, struct nd_message *m, struct seen *seen)
{
	while (reader_left(r)) {
		uint8_t type = reader_u8(r), len = reader_u8(r);
		const struct option *o = option_find(type);

		if (!reader_ok(r)) {
			r->error = "truncated option header";
			return;
		}
		if (len == 0) {
			reader_fail(r, "option of length 0");
			return;
		}
		struct reader body = reader_sub(r, len * 8u - 2);

		if (!reader_ok(r)) {
			r->error = "option longer than the message";
			return;
		}
		if (o && (o->in & IN(m->type)) && len >= o->min && len <= o->max)
			o->read(&body, m, seen);
	}
}

static void read_address(struct reader *r, struct addr *ret)
{
	uint8_t bytes[16];

	if (reader_copy(r, bytes, sizeof(bytes)))
		*ret = addr6_of(bytes);
}

/* The fixed part after type, code and checksum, section 4.1 to 4.5. */
static void read_body(struct reader *r, struct nd_message *m)
{
	struct addr destination = {0};
	uint8_t flags;

	switch (m->type) {
	case ND_RS:
		reader_skip(r, 4);
		break;
	case ND_RA:
		m->advert.hop_limit = reader_u8(r);
		flags = reader_u8(r);
		m->advert.managed = flags & RA_MANAGED;
		m->advert.other = flags & RA_OTHER;
		m->advert.router_lifetime = reader_u16(r);
		m->advert.reachable_ms = reader_u32(r);
		m->advert.retrans_ms = reader_u32(r);
		break;
	case ND_NS:
		reader_skip(r, 4);
		read_address(r, &m->target);
		break;
	case ND_NA:
		flags = reader_u8(r);
		m->router = flags & NA_ROUTER;
		m->solicited = flags & NA_SOLICITED;
		m->override = flags & NA_OVERRIDE;
		reader_skip(r, 3);
		read_address(r, &m->target);
		break;
	case ND_REDIRECT:
		reader_skip(r, 4);
		read_address(r, &m->target);
		read_address(r, &destination);
		if (reader_ok(r) && addr_is_multicast(&destination))
			reader_fail(r, "redirect of a multicast destination");
		else if (reader_ok(r) && !addr_is_link_local(&m->target) &&
			 !addr_equal(&m->target, &destination))
			reader_fail(r, "redirect to neither a link-local address nor the destination");
		break;
	}
}

static bool is_solicited_node(const struct addr *a)
{
	static const uint8_t group[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

	return a->family == AF_INET6 && memcmp(a->bytes, group, sizeof(group)) == 0;
}

/* The checks between fields, sections 6.1, 7.1 and 8.1. The reason, or NULL. */
static const char *check_message(const struct nd_message *m, const struct seen *seen)
{
	bool unspecified = addr_is_unspecified(&m->src);

	if ((m->type == ND_RA || m->type == ND_REDIRECT) && !addr_is_link_local(&m->src))
		return "source is not link-local";
	if ((m->type == ND_NS || m->type == ND_NA) && addr_is_multicast(&m->target))
		return "target is multicast";
	if (m->type == ND_NA && m->solicited && addr_is_multicast(&m->dst))
		return "solicited flag in a multicast advertisement";
	if (m->type == ND_NS && unspecified && !is_solicited_node(&m->dst))
		return "DAD probe to other than a solicited-node group";
	if (unspecified && seen->source_lladdr)
		return "source link-layer address without a source";
	return NULL;
}

static const size_t min_length[] = {
	[ND_RS - ND_RS] = 8,
	[ND_RA - ND_RS] = 16,
	[ND_NS - ND_RS] = 24,
	[ND_NA - ND_RS] = 24,
	[ND_REDIRECT - ND_RS] = 40,
};

/* The checks that every ND message must pass before its fields mean anything. */
static const char *check_packet(const struct ip6 *h, const uint8_t *icmp, size_t len)
{
	if (h->hop_limit != 255)
		return "hop limit is not 255";
	if (len < 4)
		return "shorter than its type demands";
	if (ip6_checksum(&h->src, &h->dst, PROTO_ICMP6, icmp, len) != 0)
		return "wrong checksum";
	if (icmp[1] != 0)
		return "code is not 0";
	if (len < min_length[icmp[0] - ND_RS])
		return "shorter than its type demands";
	if (addr_is_multicast(&h->src))
		return "source is multicast";
	return NULL;
}

int nd_packet_read(const void *packet, size_t len, struct nd_message *ret, const char **why)
{
	struct reader r = reader_of(packet, len);
	struct nd_message m = {0};
	struct seen seen = {0};
	struct ip6 h = {0};

	ip6_read(&r, &h);
	if (!reader_ok(&r)) {
		*why = r.error;
		return -EBADMSG;
	}
	const uint8_t *icmp = r.pos;
	size_t icmp_len = reader_left(&r);

	if (h.next_header != PROTO_ICMP6 || icmp_len == 0 || icmp[0] < ND_RS || icmp[0] > ND_REDIRECT)
		return -ENOMSG;
	const char *wrong = check_packet(&h, icmp, icmp_len);

	if (wrong) {
		*why = wrong;
		return -EBADMSG;
	}
	m.type = icmp[0];
	m.src = h.src;
	m.dst = h.dst;
	reader_skip(&r, 4);
	read_body(&r, &m);
	read_options(&r, &m, &seen);
	wrong = reader_ok(&r) ? check_message(&m, &seen) : r.error;
	if (wrong) {
		*why = wrong;
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

static size_t begin(struct writer *w, const struct addr *src, const struct addr *dst, uint8_t type)
{
	struct ip6 h = {.src = *src, .dst = *dst, .next_header = PROTO_ICMP6, .hop_limit = 255};
	size_t at = ip6_begin(w, &h);

	writer_u8(w, type);
	writer_u8(w, 0);
	writer_u16(w, 0); /* the checksum, by ip6_finish() */
	return at;
}

static void write_option(struct writer *w, uint8_t type, size_t units)
{
	writer_u8(w, type);
	writer_u8(w, (uint8_t)units);
}

void nd_rs_write(struct writer *w, const struct addr *src)
{
	struct addr dst = nd_all_routers();
	size_t at = begin(w, src, &dst, ND_RS);

	writer_u32(w, 0);
	ip6_finish(w, at);
}

static void write_prefix(struct writer *w, const struct nd_prefix *p)
{
	write_option(w, OPTION_PREFIX, 4);
	writer_u8(w, p->prefix.len);
	writer_u8(w, (uint8_t)((p->on_link ? PREFIX_ON_LINK : 0) | (p->autonomous ? PREFIX_AUTONOMOUS : 0)));
	writer_u32(w, p->valid);
	writer_u32(w, p->preferred);
	writer_u32(w, 0);
	writer_bytes(w, p->prefix.addr.bytes, 16);
}

static void write_rdnss(struct writer *w, const struct addr *dns, unsigned count, uint32_t lifetime)
{
	if (!count)
		return;
	write_option(w, OPTION_RDNSS, 1 + 2 * (size_t)count);
	writer_u16(w, 0);
	writer_u32(w, lifetime);
	for (unsigned i = 0; i < count; i++)
		writer_bytes(w, dns[i].bytes, 16);
}

void nd_ra_write(struct writer *w, const struct addr *src, const struct addr *dst, const struct nd_advert *a)
{
	size_t at = begin(w, src, dst, ND_RA);

	writer_u8(w, a->hop_limit);
	writer_u8(w, (uint8_t)((a->managed ? RA_MANAGED : 0) | (a->other ? RA_OTHER : 0)));
	writer_u16(w, a->router_lifetime);
	writer_u32(w, a->reachable_ms);
	writer_u32(w, a->retrans_ms);
	if (a->has_lladdr) {
		write_option(w, OPTION_SOURCE_LLADDR, 1);
		writer_bytes(w, a->lladdr, sizeof(a->lladdr));
	}
	if (a->mtu) {
		write_option(w, OPTION_MTU, 1);
		writer_u16(w, 0);
		writer_u32(w, a->mtu);
	}
	for (unsigned i = 0; i < a->prefix_count; i++)
		write_prefix(w, &a->prefixes[i]);
	write_rdnss(w, a->dns, a->dns_count, a->dns_lifetime);
	write_rdnss(w, a->dns_withdrawn, a->dns_withdrawn_count, 0);
	ip6_finish(w, at);
}

void nd_ns_write(struct writer *w, const struct addr *src, const struct addr *dst, const struct addr *target,
	const uint8_t nonce[6])
{
	size_t at = begin(w, src, dst, ND_NS);

	writer_u32(w, 0);
	writer_bytes(w, target->bytes, 16);
	if (nonce) {
		write_option(w, OPTION_NONCE, 1);
		writer_bytes(w, nonce, 6);
	}
	ip6_finish(w, at);
}

void nd_na_write(struct writer *w, const struct addr *src, const struct addr *dst, const struct addr *target,
	bool router, bool solicited, bool override)
{
	size_t at = begin(w, src, dst, ND_NA);

	writer_u8(w, (uint8_t)((router ? NA_ROUTER : 0) | (solicited ? NA_SOLICITED : 0) |
			       (override ? NA_OVERRIDE : 0)));
	writer_zeros(w, 3);
	writer_bytes(w, target->bytes, 16);
	ip6_finish(w, at);
}

struct addr nd_all_nodes(void)
{
	return (struct addr){AF_INET6, {0xff, 0x02, [15] = 0x01}};
}

struct addr nd_all_routers(void)
{
	return (struct addr){AF_INET6, {0xff, 0x02, [15] = 0x02}};
}

struct addr nd_solicited_node(const struct addr *target)
{
	struct addr a = {AF_INET6, {0xff, 0x02, [11] = 0x01, [12] = 0xff}};

	memcpy(a.bytes + 13, target->bytes + 13, 3);
	return a;
}

struct addr nd_link_local(uint64_t iid)
{
	static const struct addr network = {AF_INET6, {0xfe, 0x80}};

	return addr6_with_iid(&network, iid);
}

static void print_advert(struct text *t, const struct nd_advert *a)
{
	char buf[PREFIX_TEXT];

	text_add(t, " lifetime %u", a->router_lifetime);
	if (a->managed)
		text_add(t, " managed");
	if (a->other)
		text_add(t, " other");
	if (a->mtu)
		text_add(t, " mtu %u", a->mtu);
	for (unsigned i = 0; i < a->prefix_count; i++) {
		const struct nd_prefix *p = &a->prefixes[i];

		text_add(t, " prefix %s", prefix_print(&p->prefix, buf));
		text_add(t, " (%s%s%u/%u)", p->on_link ? "on-link " : "", p->autonomous ? "autonomous " : "",
			p->preferred, p->valid);
	}
	for (unsigned i = 0; i < a->dns_count; i++)
		text_add(t, " dns %s", addr_print(&a->dns[i], buf));
}

static void print_message(struct text *t, const struct nd_message *m)
{
	static const char *const names[] = {"RS", "RA", "NS", "NA", "Redirect"};
	char src[ADDR_TEXT], dst[ADDR_TEXT], target[ADDR_TEXT];

	text_add(t, "%s %s > %s", names[m->type - ND_RS], addr_print(&m->src, src), addr_print(&m->dst, dst));
	if (m->type == ND_RA)
		print_advert(t, &m->advert);
	if (m->type == ND_NS || m->type == ND_NA || m->type == ND_REDIRECT)
		text_add(t, " target %s", addr_print(&m->target, target));
	if (m->type == ND_NA)
		text_add(t, "%s%s%s", m->router ? " router" : "", m->solicited ? " solicited" : "",
			m->override ? " override" : "");
	if (m->has_nonce)
		text_add(t, " nonce");
}

void nd_packet_print(const void *packet, size_t len, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};
	struct reader r = reader_of(packet, len);
	struct nd_message m;
	struct ip6 h = {0};
	const char *why = NULL;
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	int err = nd_packet_read(packet, len, &m, &why);

	if (size)
		buf[0] = '\0';
	if (!err) {
		print_message(&t, &m);
		return;
	}
	ip6_read(&r, &h);
	if (!reader_ok(&r)) {
		text_add(&t, "malformed: %s", why);
		return;
	}
	text_add(&t, "IPv6 %s > %s next header %u", addr_print(&h.src, src), addr_print(&h.dst, dst),
		h.next_header);
	if (h.next_header == PROTO_ICMP6 && reader_left(&r))
		text_add(&t, " type %u", reader_u8(&r));
	text_add(&t, " %zu bytes", len);
	if (err == -EBADMSG)
		text_add(&t, " malformed: %s", why);
}

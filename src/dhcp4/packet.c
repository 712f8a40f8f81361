/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp4/packet: bytes to messages and back.
 *
 * Options stand in up to three fields: options, and, where option 52 says so, file and sname. They are read by the rows of a
 * table: for each row its parts are gathered from all fields (RFC 3396), checked, and read. The Subnet Allocation option has suboptions, which
 * have a loop of their own.
 */
#include "dhcp4/packet.h"

#include <errno.h>
#include <string.h>

enum { BOOTREQUEST = 1, BOOTREPLY = 2, SNAME = 64, FILE_NAME = 128, SMALLEST = 300, MTU_LOW = 68 };
enum { OPTION_PAD = 0, OPTION_END = 255, IN_FILE = 1, IN_SNAME = 2, JOINED_MAX = 512 };
enum { SUBNET_REQUEST = 1, SUBNET_INFORMATION = 2, SUBNET_LEN_MAX = 30, BLOCK = 7 };
enum { FLAG_BROADCAST = 0x8000, BIT_0 = 1, BIT_1 = 2 };
#define COOKIE 0x63825363u

/* Sets of message types: those that a server sends. */
#define TYPE(t) (1u << (t))
#define ANSWERS (TYPE(DHCP4_OFFER) | TYPE(DHCP4_ACK) | TYPE(DHCP4_NAK))

struct option {
	uint8_t code;
	bool each; /* every part is an option of its own */
	uint8_t unit;
	uint16_t min, max; /* bounds of the length, in which it is a multiple of unit */
	void (*read)(struct reader *body, struct dhcp4_message *m);
	const char *bad_length;
};

static void read_mask(struct reader *o, struct dhcp4_message *m);
static void read_router(struct reader *o, struct dhcp4_message *m);
static void read_dns(struct reader *o, struct dhcp4_message *m);
static void read_mtu(struct reader *o, struct dhcp4_message *m);
static void read_requested(struct reader *o, struct dhcp4_message *m);
static void read_lease(struct reader *o, struct dhcp4_message *m);
static void read_type(struct reader *o, struct dhcp4_message *m);
static void read_server(struct reader *o, struct dhcp4_message *m);
static void read_parameters(struct reader *o, struct dhcp4_message *m);
static void read_text(struct reader *o, struct dhcp4_message *m);
static void read_max_size(struct reader *o, struct dhcp4_message *m);
static void read_t1(struct reader *o, struct dhcp4_message *m);
static void read_t2(struct reader *o, struct dhcp4_message *m);
static void read_client(struct reader *o, struct dhcp4_message *m);
static void read_rapid_commit(struct reader *o, struct dhcp4_message *m);
static void read_subnet(struct reader *o, struct dhcp4_message *m);

static const struct option options[] = {
	{DHCP4_OPTION_MASK, false, 4, 4, 4, read_mask, "bad length of Subnet Mask"},
	{DHCP4_OPTION_ROUTER, false, 4, 4, JOINED_MAX, read_router, "bad length of Router"},
	{DHCP4_OPTION_DNS, false, 4, 4, JOINED_MAX, read_dns, "bad length of Domain Name Server"},
	{DHCP4_OPTION_MTU, false, 2, 2, 2, read_mtu, "bad length of Interface MTU"},
	{DHCP4_OPTION_ADDRESS, false, 4, 4, 4, read_requested, "bad length of Requested IP Address"},
	{DHCP4_OPTION_LEASE, false, 4, 4, 4, read_lease, "bad length of IP Address Lease Time"},
	{DHCP4_OPTION_TYPE, false, 1, 1, 1, read_type, "bad length of DHCP Message Type"},
	{DHCP4_OPTION_SERVER, false, 4, 4, 4, read_server, "bad length of Server Identifier"},
	{DHCP4_OPTION_PARAMETERS, false, 1, 1, JOINED_MAX, read_parameters,
		"bad length of Parameter Request List"},
	{DHCP4_OPTION_MESSAGE, false, 1, 1, JOINED_MAX, read_text, "bad length of Message"},
	{DHCP4_OPTION_MAX_SIZE, false, 2, 2, 2, read_max_size, "bad length of Maximum DHCP Message Size"},
	{DHCP4_OPTION_T1, false, 4, 4, 4, read_t1, "bad length of Renewal (T1) Time Value"},
	{DHCP4_OPTION_T2, false, 4, 4, 4, read_t2, "bad length of Rebinding (T2) Time Value"},
	{DHCP4_OPTION_CLIENT, false, 1, 2, DHCP4_CLIENT_ID_MAX, read_client,
		"bad length of Client Identifier"},
	{DHCP4_OPTION_RAPID_COMMIT, false, 1, 0, 0, read_rapid_commit, "bad length of Rapid Commit"},
	{DHCP4_OPTION_SUBNET, true, 1, 1, 255, read_subnet, "bad length of Subnet Allocation"},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/* The fields that options stand in, in the order in which they are joined (RFC 3396 section 5). */
enum { FIELDS = 3 };
struct fields {
	struct reader in[FIELDS];
};

/* The next option of a field; false at its end, or when R has failed. */
static bool next_option(struct reader *r, uint8_t *ret_code, struct reader *ret_body)
{
	while (reader_left(r)) {
		uint8_t code = reader_u8(r), len;

		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END)
			return false;
		len = reader_u8(r);
		if (!reader_ok(r)) {
			r->error = "truncated option header";
			return false;
		}
		*ret_body = reader_sub(r, len);
		if (!reader_ok(r)) {
			r->error = "option longer than what holds it";
			return false;
		}
		*ret_code = code;
		return true;
	}
	return false;
}

/* Are the options of a field well-formed? *OVERLOAD becomes what option 52 says, if it is there. */
static const char *check_field(struct reader field, uint8_t *overload)
{
	struct reader body;
	uint8_t code;

	while (next_option(&field, &code, &body)) {
		if (code != DHCP4_OPTION_OVERLOAD)
			continue;
		if (reader_left(&body) != 1)
			return "bad length of Option Overload";
		*overload = reader_u8(&body);
		if (*overload < IN_FILE || *overload > (IN_FILE | IN_SNAME))
			return "Option Overload is not 1 to 3";
	}
	return field.error;
}

/* Which fields hold options: those that do not become empty. */
static const char *find_fields(struct fields *f)
{
	uint8_t overload = 0, ignored;
	const char *error = check_field(f->in[0], &overload);

	if (!(overload & IN_FILE))
		f->in[1] = reader_of(NULL, 0);
	if (!(overload & IN_SNAME))
		f->in[2] = reader_of(NULL, 0);
	for (int i = 1; i < FIELDS && !error; i++)
		error = check_field(f->in[i], &ignored);
	return error;
}

static const char *read_body(const struct option *o, struct reader body, struct dhcp4_message *m)
{
	size_t len = reader_left(&body);

	if (len < o->min || len > o->max || len % o->unit)
		return o->bad_length;
	o->read(&body, m);
	return body.error;
}

/* Reads what the fields have of option O, if anything. */
static const char *read_option(const struct option *o, const struct fields *f, struct dhcp4_message *m)
{
	uint8_t joined[JOINED_MAX], code;
	struct writer w = writer_of(joined, sizeof(joined));
	const char *error = NULL;
	bool found = false;

	for (int i = 0; i < FIELDS; i++) {
		struct reader field = f->in[i], body;

		while (!error && next_option(&field, &code, &body)) {
			if (code != o->code)
				continue;
			found = true;
			if (o->each)
				error = read_body(o, body, m);
			else
				writer_bytes(&w, body.pos, reader_left(&body));
		}
	}
	if (!found || o->each)
		return error;
	return writer_ok(&w) ? read_body(o, reader_of(joined, writer_len(&w)), m) : o->bad_length;
}

/* 0.0.0.0 is none. */
static struct addr read_addr(struct reader *r)
{
	uint8_t bytes[4];
	struct addr a;

	reader_copy(r, bytes, sizeof(bytes));
	a = addr4_of(bytes);
	return addr_is_unspecified(&a) ? (struct addr){0} : a;
}

static void read_mask(struct reader *o, struct dhcp4_message *m)
{
	uint32_t inverse = ~reader_u32(o);

	if (inverse & (inverse + 1))
		reader_fail(o, "mask with a hole");
	for (m->mask_len = 32; inverse; inverse >>= 1)
		m->mask_len--;
}

static void read_router(struct reader *o, struct dhcp4_message *m)
{
	m->router = read_addr(o);
}

/* RFC 1122 section 3.2.1.3: what is the address of one host, somewhere else. */
static bool is_host(const struct addr *a)
{
	return !addr_is_none(a) && a->bytes[0] != 0 && a->bytes[0] < 224 && !addr_is_loopback(a);
}

static void read_dns(struct reader *o, struct dhcp4_message *m)
{
	while (reader_left(o) && m->dns_count < DHCP4_DNS_MAX) {
		struct addr a = read_addr(o);

		if (is_host(&a))
			m->dns[m->dns_count++] = a;
	}
}

static void read_mtu(struct reader *o, struct dhcp4_message *m)
{
	uint16_t mtu = reader_u16(o);

	m->mtu = mtu < MTU_LOW ? 0 : mtu;
}

static void read_requested(struct reader *o, struct dhcp4_message *m)
{
	m->requested = read_addr(o);
}

static void read_lease(struct reader *o, struct dhcp4_message *m)
{
	m->lease = reader_u32(o);
}

static void read_type(struct reader *o, struct dhcp4_message *m)
{
	m->type = reader_u8(o);
	if (m->type < DHCP4_DISCOVER || m->type >= DHCP4_TYPES)
		reader_fail(o, "unknown message type");
	else if (m->reply != !!(ANSWERS & TYPE(m->type)))
		reader_fail(o, "op does not fit the message type");
}

static void read_server(struct reader *o, struct dhcp4_message *m)
{
	m->server = read_addr(o);
}

static void read_parameters(struct reader *o, struct dhcp4_message *m)
{
	m->parameters = true;
	while (reader_left(o)) {
		switch (reader_u8(o)) {
		case DHCP4_OPTION_MASK:
		case DHCP4_OPTION_ROUTER:
			m->wants_router = true;
			break;
		case DHCP4_OPTION_DNS:
			m->wants_dns = true;
			break;
		case DHCP4_OPTION_MTU:
			m->wants_mtu = true;
			break;
		case DHCP4_OPTION_SUBNET:
			m->wants_subnet = true;
			break;
		default:
			break;
		}
	}
}

/* Cut to what we keep, at its first NUL at the latest; what is not printable becomes a dot. */
static void read_text(struct reader *o, struct dhcp4_message *m)
{
	for (size_t i = 0; i < DHCP4_TEXT_MAX - 1 && reader_left(o); i++) {
		uint8_t c = reader_u8(o);

		if (!c)
			break;
		m->text[i] = (char)(c >= 0x20 && c < 0x7f ? c : '.');
	}
}

static void read_max_size(struct reader *o, struct dhcp4_message *m)
{
	m->max_size = reader_u16(o);
}

static void read_t1(struct reader *o, struct dhcp4_message *m)
{
	m->t1 = reader_u32(o);
}

static void read_t2(struct reader *o, struct dhcp4_message *m)
{
	m->t2 = reader_u32(o);
}

static void read_client(struct reader *o, struct dhcp4_message *m)
{
	m->client_id_len = reader_left(o);
	reader_copy(o, m->client_id, m->client_id_len);
}

static void read_rapid_commit(struct reader *o, struct dhcp4_message *m)
{
	(void)o;
	m->rapid_commit = true;
}

/* Several of them ask for several subnets; the first is what we have an answer for. */
static void read_subnet_request(struct reader *o, struct dhcp4_message *m)
{
	uint8_t flags, len;

	if (reader_left(o) != 2)
		return reader_fail(o, "bad length of Subnet-Request");
	flags = reader_u8(o);
	len = reader_u8(o);
	if (len > SUBNET_LEN_MAX)
		return reader_fail(o, "Subnet-Request for a prefix longer than 30");
	if (m->subnet_request)
		return;
	m->subnet_request = true;
	m->request_hierarchical = flags & BIT_0;
	m->request_information = flags & BIT_1;
	m->request_len = len;
}

static void read_block(struct reader *o, struct dhcp4_message *m)
{
	struct dhcp4_subnet s = {0};
	uint8_t bytes[4], len, flags;
	struct addr a;

	reader_copy(o, bytes, sizeof(bytes));
	len = reader_u8(o);
	flags = reader_u8(o);
	reader_skip(o, reader_u8(o)); /* statistics */
	if (!reader_ok(o)) {
		o->error = "truncated subnet";
		return;
	}
	if (len < 1 || len > SUBNET_LEN_MAX)
		return reader_fail(o, "subnet whose length is not 1 to 30");
	a = addr4_of(bytes);
	s.prefix = prefix_of(&a, len);
	if (!addr_equal(&s.prefix.addr, &a))
		return reader_fail(o, "subnet with host bits");
	s.hierarchical = flags & BIT_1;
	s.deprecated = flags & BIT_0;
	if (m->subnet_count < DHCP4_SUBNET_MAX)
		m->subnets[m->subnet_count++] = s;
}

/* Several of them are as good as one: c and s of the last are what tells whether there is more (RFC 6656 section 6.3). */
static void read_subnet_information(struct reader *o, struct dhcp4_message *m)
{
	uint8_t flags;

	if (reader_left(o) < 1 + BLOCK)
		return reader_fail(o, "bad length of Subnet-Information");
	flags = reader_u8(o);
	m->subnet_information = true;
	m->information_c = flags & BIT_1;
	m->information_s = flags & BIT_0;
	while (reader_left(o))
		read_block(o, m);
}

static void read_subnet(struct reader *o, struct dhcp4_message *m)
{
	reader_skip(o, 1); /* flags: none are defined */
	while (reader_left(o)) {
		uint8_t code = reader_u8(o), len = reader_u8(o);
		struct reader body;

		if (!reader_ok(o)) {
			o->error = "truncated suboption header";
			return;
		}
		body = reader_sub(o, len);
		if (!reader_ok(o)) {
			o->error = "suboption longer than what holds it";
			return;
		}
		if (code == SUBNET_REQUEST)
			read_subnet_request(&body, m);
		else if (code == SUBNET_INFORMATION)
			read_subnet_information(&body, m);
		if (!reader_ok(&body))
			reader_fail(o, body.error);
	}
}

/* What stands before the options, RFC 2131 section 2. */
static const char *read_fixed(struct reader *r, struct dhcp4_message *m, struct fields *f)
{
	uint8_t op = reader_u8(r);
	struct addr giaddr;

	m->htype = reader_u8(r);
	m->hlen = reader_u8(r);
	reader_skip(r, 1); /* hops */
	m->xid = reader_u32(r);
	m->secs = reader_u16(r);
	m->broadcast = reader_u16(r) & FLAG_BROADCAST;
	m->ciaddr = read_addr(r);
	m->yiaddr = read_addr(r);
	reader_skip(r, 4); /* siaddr */
	giaddr = read_addr(r);
	m->relayed = !addr_is_none(&giaddr);
	reader_copy(r, m->chaddr, sizeof(m->chaddr));
	f->in[2] = reader_sub(r, SNAME);
	f->in[1] = reader_sub(r, FILE_NAME);
	if (reader_u32(r) != COOKIE && reader_ok(r))
		return "no DHCP message: the cookie is missing";
	f->in[0] = reader_rest(r);
	m->reply = op == BOOTREPLY;
	if (!reader_ok(r))
		return "shorter than a message";
	if (op != BOOTREQUEST && op != BOOTREPLY)
		return "unknown op";
	return m->hlen > DHCP4_CHADDR ? "hardware address longer than its field" : NULL;
}

int dhcp4_message_read(const void *data, size_t len, struct dhcp4_message *ret, const char **why)
{
	struct reader r = reader_of(data, len);
	struct dhcp4_message m = {0};
	struct fields f;
	const char *error = read_fixed(&r, &m, &f);

	if (!error)
		error = find_fields(&f);
	for (size_t i = 0; i < OPTIONS && !error; i++)
		error = read_option(&options[i], &f, &m);
	if (!error && !m.type)
		error = "no message type";
	if (error) {
		*why = error;
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

static void write_addr(struct writer *w, const struct addr *a)
{
	writer_bytes(w, a->bytes, 4); /* of none they are 0 */
}

static void write_addr_option(struct writer *w, uint8_t code, const struct addr *a)
{
	if (addr_is_none(a))
		return;
	writer_u8(w, code);
	writer_u8(w, 4);
	write_addr(w, a);
}

static void write_u32_option(struct writer *w, uint8_t code, uint32_t v)
{
	if (!v)
		return;
	writer_u8(w, code);
	writer_u8(w, 4);
	writer_u32(w, v);
}

static void write_u16_option(struct writer *w, uint8_t code, uint16_t v)
{
	if (!v)
		return;
	writer_u8(w, code);
	writer_u8(w, 2);
	writer_u16(w, v);
}

static void write_bytes_option(struct writer *w, uint8_t code, const void *data, size_t len)
{
	if (!len)
		return;
	writer_u8(w, code);
	writer_u8(w, (uint8_t)len);
	writer_bytes(w, data, len);
}

static void write_mask(struct writer *w, uint8_t len)
{
	if (len)
		write_u32_option(w, DHCP4_OPTION_MASK, UINT32_MAX << (32 - len));
}

static void write_dns(struct writer *w, const struct dhcp4_message *m)
{
	if (!m->dns_count)
		return;
	writer_u8(w, DHCP4_OPTION_DNS);
	writer_u8(w, (uint8_t)(4 * m->dns_count));
	for (unsigned i = 0; i < m->dns_count; i++)
		write_addr(w, &m->dns[i]);
}

static void write_parameters(struct writer *w, const struct dhcp4_message *m)
{
	uint8_t list[5];
	size_t n = 0;

	if (m->wants_router) {
		list[n++] = DHCP4_OPTION_MASK;
		list[n++] = DHCP4_OPTION_ROUTER;
	}
	if (m->wants_dns)
		list[n++] = DHCP4_OPTION_DNS;
	if (m->wants_mtu)
		list[n++] = DHCP4_OPTION_MTU;
	if (m->wants_subnet)
		list[n++] = DHCP4_OPTION_SUBNET;
	write_bytes_option(w, DHCP4_OPTION_PARAMETERS, list, n);
}

static void write_subnet(struct writer *w, const struct dhcp4_message *m)
{
	size_t blocks = m->subnet_information ? m->subnet_count : 0;
	size_t request = m->subnet_request ? 4 : 0, information = blocks ? 3 + BLOCK * blocks : 0;

	if (!request && !information)
		return;
	writer_u8(w, DHCP4_OPTION_SUBNET);
	writer_u8(w, (uint8_t)(1 + request + information));
	writer_u8(w, 0);
	if (request) {
		writer_u8(w, SUBNET_REQUEST);
		writer_u8(w, 2);
		writer_u8(w, (uint8_t)((m->request_hierarchical ? BIT_0 : 0) |
				       (m->request_information ? BIT_1 : 0)));
		writer_u8(w, m->request_len);
	}
	if (!information)
		return;
	writer_u8(w, SUBNET_INFORMATION);
	writer_u8(w, (uint8_t)(1 + BLOCK * blocks));
	writer_u8(w, (uint8_t)((m->information_c ? BIT_1 : 0) | (m->information_s ? BIT_0 : 0)));
	for (size_t i = 0; i < blocks; i++) {
		const struct dhcp4_subnet *s = &m->subnets[i];

		write_addr(w, &s->prefix.addr);
		writer_u8(w, s->prefix.len);
		writer_u8(w, (uint8_t)((s->hierarchical ? BIT_1 : 0) | (s->deprecated ? BIT_0 : 0)));
		writer_u8(w, 0);
	}
}

static void write_fixed(struct writer *w, const struct dhcp4_message *m)
{
	writer_u8(w, ANSWERS & TYPE(m->type) ? BOOTREPLY : BOOTREQUEST);
	writer_u8(w, m->htype);
	writer_u8(w, m->hlen);
	writer_u8(w, 0);
	writer_u32(w, m->xid);
	writer_u16(w, m->secs);
	writer_u16(w, m->broadcast ? FLAG_BROADCAST : 0);
	write_addr(w, &m->ciaddr);
	write_addr(w, &m->yiaddr);
	writer_zeros(w, 8); /* siaddr, giaddr */
	writer_bytes(w, m->chaddr, sizeof(m->chaddr));
	writer_zeros(w, SNAME + FILE_NAME);
	writer_u32(w, COOKIE);
}

void dhcp4_message_write(struct writer *w, const struct dhcp4_message *m)
{
	size_t start = writer_len(w), len;

	write_fixed(w, m);
	write_bytes_option(w, DHCP4_OPTION_TYPE, &m->type, 1);
	write_addr_option(w, DHCP4_OPTION_SERVER, &m->server);
	write_bytes_option(w, DHCP4_OPTION_CLIENT, m->client_id, m->client_id_len);
	write_addr_option(w, DHCP4_OPTION_ADDRESS, &m->requested);
	write_u32_option(w, DHCP4_OPTION_LEASE, m->lease);
	write_u32_option(w, DHCP4_OPTION_T1, m->t1);
	write_u32_option(w, DHCP4_OPTION_T2, m->t2);
	write_mask(w, m->mask_len); /* before the router: RFC 2132 section 3.3 */
	write_addr_option(w, DHCP4_OPTION_ROUTER, &m->router);
	write_dns(w, m);
	write_u16_option(w, DHCP4_OPTION_MTU, m->mtu);
	write_parameters(w, m);
	write_u16_option(w, DHCP4_OPTION_MAX_SIZE, m->max_size);
	write_bytes_option(w, DHCP4_OPTION_MESSAGE, m->text, strnlen(m->text, DHCP4_TEXT_MAX));
	if (m->rapid_commit)
		writer_u16(w, DHCP4_OPTION_RAPID_COMMIT << 8);
	write_subnet(w, m);
	writer_u8(w, OPTION_END);
	len = writer_len(w) - start;
	if (len < SMALLEST)
		writer_zeros(w, SMALLEST - len);
}

const char *dhcp4_type_name(uint8_t type)
{
	static const char *const names[DHCP4_TYPES] = {
		[DHCP4_DISCOVER] = "DISCOVER",
		[DHCP4_OFFER] = "OFFER",
		[DHCP4_REQUEST] = "REQUEST",
		[DHCP4_DECLINE] = "DECLINE",
		[DHCP4_ACK] = "ACK",
		[DHCP4_NAK] = "NAK",
		[DHCP4_RELEASE] = "RELEASE",
		[DHCP4_INFORM] = "INFORM",
	};

	return type < DHCP4_TYPES && names[type] ? names[type] : "unknown";
}

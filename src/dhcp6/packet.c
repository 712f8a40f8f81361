/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp6/packet: bytes to messages and back.
 *
 * Options nest at most three deep (message, IA, lease), and each level has its own loop over the same table: a row says
 * where an option may stand, how long it may be and whether it may be repeated.
 */
#include "dhcp6/packet.h"

#include <errno.h>
#include <string.h>

#include "lib/text.h"

enum {
	OPTION_IAADDR = 5,
	OPTION_ORO = 6,
	OPTION_PREFERENCE = 7,
	OPTION_ELAPSED = 8,
	OPTION_STATUS = 13,
	OPTION_RAPID_COMMIT = 14,
	OPTION_IAPREFIX = 26,
};

enum { MAX_RT_LOW = 60, MAX_RT_HIGH = 86400 }; /* RFC 8415 sections 21.24 and 21.25 */

/* Sets of message types (Appendix B). */
#define TYPE(t) (1u << (t))
#define FROM_CLIENT                                                                                          \
	(TYPE(DHCP6_SOLICIT) | TYPE(DHCP6_REQUEST) | TYPE(DHCP6_CONFIRM) | TYPE(DHCP6_RENEW) |               \
		TYPE(DHCP6_REBIND) | TYPE(DHCP6_RELEASE) | TYPE(DHCP6_DECLINE) |                             \
		TYPE(DHCP6_INFORMATION_REQUEST))
#define ANSWERS  (TYPE(DHCP6_ADVERTISE) | TYPE(DHCP6_REPLY))
#define ANY      (FROM_CLIENT | ANSWERS | TYPE(DHCP6_RECONFIGURE))
#define WITH_IA  ((FROM_CLIENT & ~TYPE(DHCP6_INFORMATION_REQUEST)) | ANSWERS)
#define WITH_ORO (FROM_CLIENT & ~(TYPE(DHCP6_CONFIRM) | TYPE(DHCP6_RELEASE) | TYPE(DHCP6_DECLINE)))

enum place { IN_MESSAGE, IN_IA_NA, IN_IA_PD, IN_LEASE };

struct option {
	uint16_t code;
	uint8_t in; /* set of enum place */
	uint8_t once;
	uint16_t min, max; /* bounds of option-len */
	uint32_t types;    /* messages that it belongs to, for IN_MESSAGE */
	void (*read)(struct reader *body, struct dhcp6_message *m); /* for IN_MESSAGE */
	const char *bad_length;
};

static void read_client(struct reader *o, struct dhcp6_message *m);
static void read_server(struct reader *o, struct dhcp6_message *m);
static void read_ia_na(struct reader *o, struct dhcp6_message *m);
static void read_ia_pd(struct reader *o, struct dhcp6_message *m);
static void read_oro(struct reader *o, struct dhcp6_message *m);
static void read_preference(struct reader *o, struct dhcp6_message *m);
static void read_elapsed(struct reader *o, struct dhcp6_message *m);
static void read_status(struct reader *o, struct dhcp6_message *m);
static void read_rapid_commit(struct reader *o, struct dhcp6_message *m);
static void read_dns(struct reader *o, struct dhcp6_message *m);
static void read_refresh(struct reader *o, struct dhcp6_message *m);
static void read_sol_max_rt(struct reader *o, struct dhcp6_message *m);
static void read_inf_max_rt(struct reader *o, struct dhcp6_message *m);

#define AT(place) (1u << (place))
/* A DUID has a type and 1 to 128 bytes, section 11.1. */
static const struct option options[] = {
	{DHCP6_OPTION_CLIENTID, AT(IN_MESSAGE), 1, 3, DHCP6_DUID_MAX, ANY, read_client,
		"bad length of Client Identifier"},
	{DHCP6_OPTION_SERVERID, AT(IN_MESSAGE), 1, 3, DHCP6_DUID_MAX, ANY, read_server,
		"bad length of Server Identifier"},
	{DHCP6_OPTION_IA_NA, AT(IN_MESSAGE), 0, 12, 0xffff, WITH_IA, read_ia_na, "bad length of IA_NA"},
	{OPTION_IAADDR, AT(IN_IA_NA), 0, 24, 0xffff, 0, NULL, "bad length of IA Address"},
	{OPTION_ORO, AT(IN_MESSAGE), 1, 0, 0xffff, WITH_ORO, read_oro, "bad length of Option Request"},
	{OPTION_PREFERENCE, AT(IN_MESSAGE), 1, 1, 1, TYPE(DHCP6_ADVERTISE), read_preference,
		"bad length of Preference"},
	{OPTION_ELAPSED, AT(IN_MESSAGE), 1, 2, 2, FROM_CLIENT, read_elapsed, "bad length of Elapsed Time"},
	{OPTION_STATUS, AT(IN_MESSAGE) | AT(IN_IA_NA) | AT(IN_IA_PD) | AT(IN_LEASE), 1, 2, 0xffff, ANSWERS,
		read_status, "bad length of Status Code"},
	{OPTION_RAPID_COMMIT, AT(IN_MESSAGE), 1, 0, 0, TYPE(DHCP6_SOLICIT) | TYPE(DHCP6_REPLY),
		read_rapid_commit, "bad length of Rapid Commit"},
	{DHCP6_OPTION_DNS, AT(IN_MESSAGE), 1, 16, 0xffff, ANSWERS, read_dns,
		"bad length of DNS Recursive Name Server"},
	{DHCP6_OPTION_IA_PD, AT(IN_MESSAGE), 0, 12, 0xffff, WITH_IA, read_ia_pd, "bad length of IA_PD"},
	{OPTION_IAPREFIX, AT(IN_IA_PD), 0, 25, 0xffff, 0, NULL, "bad length of IA Prefix"},
	{DHCP6_OPTION_INFO_REFRESH, AT(IN_MESSAGE), 1, 4, 4, TYPE(DHCP6_REPLY), read_refresh,
		"bad length of Information Refresh Time"},
	{DHCP6_OPTION_SOL_MAX_RT, AT(IN_MESSAGE), 1, 4, 4, ANSWERS, read_sol_max_rt,
		"bad length of SOL_MAX_RT"},
	{DHCP6_OPTION_INF_MAX_RT, AT(IN_MESSAGE), 1, 4, 4, TYPE(DHCP6_REPLY), read_inf_max_rt,
		"bad length of INF_MAX_RT"},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/*
 * The next option at PLACE that we know, with its body; NULL at the end or when R has failed. SEEN (a set of rows)
 * finds repetitions.
 */
static const struct option *next_option(
	struct reader *r, enum place place, uint32_t *seen, struct reader *ret_body)
{
	while (reader_left(r)) {
		uint16_t code = reader_u16(r), len = reader_u16(r);
		struct reader body;

		if (!reader_ok(r)) {
			r->error = "truncated option header";
			return NULL;
		}
		body = reader_sub(r, len);
		if (!reader_ok(r)) {
			r->error = "option longer than what holds it";
			return NULL;
		}
		for (size_t i = 0; i < OPTIONS; i++) {
			const struct option *o = &options[i];

			if (o->code != code || !(o->in & AT(place)))
				continue;
			if (len < o->min || len > o->max) {
				reader_fail(r, o->bad_length);
				return NULL;
			}
			if (o->once && (*seen & 1u << i)) {
				reader_fail(r, "option appears twice");
				return NULL;
			}
			*seen |= 1u << i;
			*ret_body = body;
			return o;
		}
	}
	return NULL;
}

static void read_client(struct reader *o, struct dhcp6_message *m)
{
	m->client.len = reader_left(o);
	m->client.data = reader_bytes(o, m->client.len);
}

static void read_server(struct reader *o, struct dhcp6_message *m)
{
	m->server.len = reader_left(o);
	m->server.data = reader_bytes(o, m->server.len);
}

/* The text ends at its first NUL, and is cut to what we keep. */
static void read_status_text(struct reader *o, uint16_t *status, char text[DHCP6_TEXT_MAX])
{
	const char *bytes;
	size_t n;

	*status = reader_u16(o);
	if (*status == DHCP6_NO_STATUS) /* our word for "absent" */
		*status = DHCP6_UNSPEC_FAIL;
	n = reader_left(o) < DHCP6_TEXT_MAX - 1 ? reader_left(o) : DHCP6_TEXT_MAX - 1;
	bytes = (const char *)reader_bytes(o, n);
	n = bytes ? strnlen(bytes, n) : 0;
	memset(text, 0, DHCP6_TEXT_MAX);
	memcpy(text, bytes ? bytes : "", n);
}

/* IAADDR or IAPREFIX into IA; ones that do not fit are read and forgotten. */
static void read_lease(struct reader *o, bool pd, struct dhcp6_ia *ia)
{
	struct dhcp6_prefix p = {.status = DHCP6_NO_STATUS};
	uint8_t bytes[16], len = 128;
	char text[DHCP6_TEXT_MAX];
	uint32_t seen = 0;
	struct reader body;
	struct addr a;

	if (!pd)
		reader_copy(o, bytes, sizeof(bytes));
	p.preferred = reader_u32(o);
	p.valid = reader_u32(o);
	if (pd) {
		len = reader_u8(o);
		reader_copy(o, bytes, sizeof(bytes));
	}
	if (len > 128)
		reader_fail(o, "prefix length over 128");
	a = addr6_of(bytes);
	p.prefix = prefix_of(&a, len);
	while (next_option(o, IN_LEASE, &seen, &body))
		read_status_text(&body, &p.status, text);
	if (reader_ok(o) && ia->prefix_count < DHCP6_PREFIX_MAX)
		ia->prefixes[ia->prefix_count++] = p;
}

struct dhcp6_ia *dhcp6_message_add_ia(struct dhcp6_message *m, bool pd, uint32_t iaid)
{
	struct dhcp6_ia *ia = &m->ias[m->ia_count];

	if (m->ia_count == DHCP6_IA_MAX)
		return NULL;
	m->ia_count++;
	*ia = (struct dhcp6_ia){.pd = pd, .iaid = iaid, .status = DHCP6_NO_STATUS};
	return ia;
}

static bool has_ia(const struct dhcp6_message *m, bool pd, uint32_t iaid)
{
	for (unsigned i = 0; i < m->ia_count; i++)
		if (m->ias[i].pd == pd && m->ias[i].iaid == iaid)
			return true;
	return false;
}

static void read_ia(struct reader *o, struct dhcp6_message *m, bool pd)
{
	struct dhcp6_ia ia = {.pd = pd, .status = DHCP6_NO_STATUS}, *place;
	const struct option *option;
	uint32_t seen = 0;
	struct reader body;

	ia.iaid = reader_u32(o);
	ia.t1 = reader_u32(o);
	ia.t2 = reader_u32(o);
	while ((option = next_option(o, pd ? IN_IA_PD : IN_IA_NA, &seen, &body))) {
		if (option->code == OPTION_STATUS)
			read_status_text(&body, &ia.status, ia.status_text);
		else
			read_lease(&body, pd, &ia);
		if (!reader_ok(&body))
			reader_fail(o, body.error);
	}
	if (!reader_ok(o) || has_ia(m, pd, ia.iaid))
		return;
	place = dhcp6_message_add_ia(m, pd, ia.iaid);
	if (place)
		*place = ia;
}

static void read_ia_na(struct reader *o, struct dhcp6_message *m)
{
	read_ia(o, m, false);
}

static void read_ia_pd(struct reader *o, struct dhcp6_message *m)
{
	read_ia(o, m, true);
}

static void read_oro(struct reader *o, struct dhcp6_message *m)
{
	if (reader_left(o) % 2)
		reader_fail(o, "bad length of Option Request");
	while (reader_left(o)) {
		switch (reader_u16(o)) {
		case DHCP6_OPTION_DNS:
			m->wants_dns = true;
			break;
		case DHCP6_OPTION_SOL_MAX_RT:
			m->wants_sol_max_rt = true;
			break;
		case DHCP6_OPTION_INF_MAX_RT:
			m->wants_inf_max_rt = true;
			break;
		case DHCP6_OPTION_INFO_REFRESH:
			m->wants_refresh = true;
			break;
		default:
			break;
		}
	}
}

static void read_preference(struct reader *o, struct dhcp6_message *m)
{
	m->has_preference = true;
	m->preference = reader_u8(o);
}

static void read_elapsed(struct reader *o, struct dhcp6_message *m)
{
	m->elapsed = reader_u16(o);
}

static void read_status(struct reader *o, struct dhcp6_message *m)
{
	read_status_text(o, &m->status, m->status_text);
}

static void read_rapid_commit(struct reader *o, struct dhcp6_message *m)
{
	(void)o;
	m->rapid_commit = true;
}

static void read_dns(struct reader *o, struct dhcp6_message *m)
{
	uint8_t bytes[16];

	if (reader_left(o) % 16)
		reader_fail(o, "bad length of DNS Recursive Name Server");
	while (reader_left(o) && m->dns_count < DHCP6_DNS_MAX) {
		reader_copy(o, bytes, sizeof(bytes));
		struct addr a = addr6_of(bytes);

		if (!addr_is_multicast(&a) && !addr_is_unspecified(&a))
			m->dns[m->dns_count++] = a;
	}
}

static void read_refresh(struct reader *o, struct dhcp6_message *m)
{
	uint32_t v = reader_u32(o);

	m->refresh = v ? v : 1; /* 0 stands for absent; any value so small means IRT_MINIMUM, section 21.23 */
}

static uint32_t read_max_rt(struct reader *o)
{
	uint32_t v = reader_u32(o);

	return v >= MAX_RT_LOW && v <= MAX_RT_HIGH ? v : 0;
}

static void read_sol_max_rt(struct reader *o, struct dhcp6_message *m)
{
	m->sol_max_rt = read_max_rt(o);
}

static void read_inf_max_rt(struct reader *o, struct dhcp6_message *m)
{
	m->inf_max_rt = read_max_rt(o);
}

void dhcp6_message_init(struct dhcp6_message *m, uint8_t type, uint32_t xid)
{
	*m = (struct dhcp6_message){.type = type, .xid = xid, .status = DHCP6_NO_STATUS};
}

int dhcp6_message_read(const void *data, size_t len, struct dhcp6_message *ret, const char **why)
{
	struct reader r = reader_of(data, len), body;
	uint32_t head = reader_u32(&r), seen = 0;
	const struct option *o;
	struct dhcp6_message m;

	dhcp6_message_init(&m, (uint8_t)(head >> 24), head & 0xffffff);
	if (!reader_ok(&r))
		r.error = "shorter than a message";
	else if (m.type == DHCP6_RELAY_FORW || m.type == DHCP6_RELAY_REPL)
		reader_fail(&r, "relay message");
	else if (m.type < DHCP6_SOLICIT || m.type > DHCP6_INFORMATION_REQUEST)
		reader_fail(&r, "unknown message type");
	while ((o = next_option(&r, IN_MESSAGE, &seen, &body))) {
		bool ia = o->code == DHCP6_OPTION_IA_NA || o->code == DHCP6_OPTION_IA_PD;

		if (o->types & TYPE(m.type))
			o->read(&body, &m);
		else if (ia && m.type == DHCP6_INFORMATION_REQUEST)
			reader_fail(&r, "IA in an Information-request");
		if (!reader_ok(&body))
			reader_fail(&r, body.error);
	}
	if (!reader_ok(&r)) {
		*why = r.error;
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

static size_t begin(struct writer *w, uint16_t code)
{
	writer_u16(w, code);
	return writer_begin16(w);
}

static void write_duid(struct writer *w, uint16_t code, const struct dhcp6_duid *d)
{
	size_t at;

	if (!d->len)
		return;
	at = begin(w, code);
	writer_bytes(w, d->data, d->len);
	writer_end16(w, at, 0);
}

static void write_status(struct writer *w, uint16_t status, const char *text)
{
	size_t at;

	if (status == DHCP6_NO_STATUS)
		return;
	at = begin(w, OPTION_STATUS);
	writer_u16(w, status);
	writer_bytes(w, text, strnlen(text, DHCP6_TEXT_MAX));
	writer_end16(w, at, 0);
}

static void write_lease(struct writer *w, bool pd, const struct dhcp6_prefix *p)
{
	size_t at = begin(w, pd ? OPTION_IAPREFIX : OPTION_IAADDR);

	if (!pd)
		writer_bytes(w, p->prefix.addr.bytes, 16);
	writer_u32(w, p->preferred);
	writer_u32(w, p->valid);
	if (pd) {
		writer_u8(w, p->prefix.len);
		writer_bytes(w, p->prefix.addr.bytes, 16);
	}
	writer_end16(w, at, 0);
}

static void write_ia(struct writer *w, const struct dhcp6_ia *ia)
{
	size_t at = begin(w, ia->pd ? DHCP6_OPTION_IA_PD : DHCP6_OPTION_IA_NA);

	writer_u32(w, ia->iaid);
	writer_u32(w, ia->t1);
	writer_u32(w, ia->t2);
	for (unsigned i = 0; i < ia->prefix_count; i++)
		write_lease(w, ia->pd, &ia->prefixes[i]);
	write_status(w, ia->status, ia->status_text);
	writer_end16(w, at, 0);
}

static void write_oro(struct writer *w, const struct dhcp6_message *m)
{
	size_t at;

	if (!m->wants_dns && !m->wants_sol_max_rt && !m->wants_inf_max_rt && !m->wants_refresh)
		return;
	at = begin(w, OPTION_ORO);
	if (m->wants_dns)
		writer_u16(w, DHCP6_OPTION_DNS);
	if (m->wants_refresh)
		writer_u16(w, DHCP6_OPTION_INFO_REFRESH);
	if (m->wants_sol_max_rt)
		writer_u16(w, DHCP6_OPTION_SOL_MAX_RT);
	if (m->wants_inf_max_rt)
		writer_u16(w, DHCP6_OPTION_INF_MAX_RT);
	writer_end16(w, at, 0);
}

static void write_u32(struct writer *w, uint16_t code, uint32_t v)
{
	if (!v)
		return;
	writer_u16(w, code);
	writer_u16(w, 4);
	writer_u32(w, v);
}

static void write_dns(struct writer *w, const struct dhcp6_message *m)
{
	size_t at;

	if (!m->dns_count)
		return;
	at = begin(w, DHCP6_OPTION_DNS);
	for (unsigned i = 0; i < m->dns_count; i++)
		writer_bytes(w, m->dns[i].bytes, 16);
	writer_end16(w, at, 0);
}

void dhcp6_message_write(struct writer *w, const struct dhcp6_message *m)
{
	writer_u32(w, (uint32_t)m->type << 24 | (m->xid & 0xffffff));
	write_duid(w, DHCP6_OPTION_CLIENTID, &m->client);
	write_duid(w, DHCP6_OPTION_SERVERID, &m->server);
	if (FROM_CLIENT & TYPE(m->type)) {
		writer_u16(w, OPTION_ELAPSED);
		writer_u16(w, 2);
		writer_u16(w, m->elapsed);
	}
	write_oro(w, m);
	if (m->rapid_commit) {
		writer_u16(w, OPTION_RAPID_COMMIT);
		writer_u16(w, 0);
	}
	if (m->has_preference) {
		writer_u16(w, OPTION_PREFERENCE);
		writer_u16(w, 1);
		writer_u8(w, m->preference);
	}
	for (unsigned i = 0; i < m->ia_count; i++)
		write_ia(w, &m->ias[i]);
	write_status(w, m->status, m->status_text);
	write_dns(w, m);
	write_u32(w, DHCP6_OPTION_INFO_REFRESH, m->refresh);
	write_u32(w, DHCP6_OPTION_SOL_MAX_RT, m->sol_max_rt);
	write_u32(w, DHCP6_OPTION_INF_MAX_RT, m->inf_max_rt);
}

bool dhcp6_duid_equal(const struct dhcp6_duid *d, const uint8_t *data, size_t len)
{
	return d->len == len && len && memcmp(d->data, data, len) == 0;
}

const char *dhcp6_type_name(uint8_t type)
{
	static const char *const names[] = {NULL, "Solicit", "Advertise", "Request", "Confirm", "Renew",
		"Rebind", "Reply", "Release", "Decline", "Reconfigure", "Information-request",
		"Relay-forward", "Relay-reply"};

	return type && type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

const char *dhcp6_status_name(uint16_t status)
{
	static const char *const names[] = {"Success", "UnspecFail", "NoAddrsAvail", "NoBinding", "NotOnLink",
		"UseMulticast", "NoPrefixAvail"};

	if (status == DHCP6_NO_STATUS)
		return "none";
	return status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}

static void print_duid(struct text *t, const char *name, const struct dhcp6_duid *d)
{
	if (!d->len)
		return;
	text_add(t, " %s ", name);
	for (size_t i = 0; i < d->len; i++)
		text_add(t, "%02x", d->data[i]);
}

static void print_ia(struct text *t, const struct dhcp6_ia *ia)
{
	char buf[PREFIX_TEXT];

	text_add(t, " %s %u", ia->pd ? "IA_PD" : "IA_NA", ia->iaid);
	if (ia->t1 || ia->t2)
		text_add(t, " T1 %u T2 %u", ia->t1, ia->t2);
	for (unsigned i = 0; i < ia->prefix_count; i++)
		text_add(t, " %s (%u/%u)", prefix_print(&ia->prefixes[i].prefix, buf),
			ia->prefixes[i].preferred, ia->prefixes[i].valid);
	if (ia->status != DHCP6_NO_STATUS)
		text_add(t, " %s", dhcp6_status_name(ia->status));
}

void dhcp6_packet_print(const void *data, size_t len, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};
	struct dhcp6_message m;
	const char *why = NULL;
	char addr[ADDR_TEXT];

	if (size)
		buf[0] = '\0';
	if (dhcp6_message_read(data, len, &m, &why)) {
		uint8_t type = len ? *(const uint8_t *)data : 0;

		text_add(&t, "%s %zu bytes malformed: %s", dhcp6_type_name(type), len, why);
		return;
	}
	text_add(&t, "%s xid %06x", dhcp6_type_name(m.type), m.xid);
	print_duid(&t, "client", &m.client);
	print_duid(&t, "server", &m.server);
	if (m.rapid_commit)
		text_add(&t, " rapid-commit");
	if (m.has_preference)
		text_add(&t, " preference %u", m.preference);
	for (unsigned i = 0; i < m.ia_count; i++)
		print_ia(&t, &m.ias[i]);
	if (m.status != DHCP6_NO_STATUS)
		text_add(&t, " %s", dhcp6_status_name(m.status));
	for (unsigned i = 0; i < m.dns_count; i++)
		text_add(&t, " dns %s", addr_print(&m.dns[i], addr));
	if (m.refresh)
		text_add(&t, " refresh %u", m.refresh);
}

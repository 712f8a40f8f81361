/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Server and client as bytes, and back.
 *
 * Of the client everything goes along but its rate limit. What follows from something else is computed again, so that no file can make them
 * disagree: the end of the first lease, and T1 and T2 where nothing is held.
 */
#include <errno.h>
#include <string.h>

#include "dhcp6/server.h"
#include "dhcp6/state.h"
#include "lib/record.h"

enum { FLAG_BOUND = 1, FLAG_USING_PREFIXES = 2, SERVER_FLAGS = 3 };
enum { FLAG_WANT_ADDRESS = 1, FLAG_STATEFUL = 2, CLIENT_FLAGS = 3 };
enum { FLAG_HAS_ADDRESS = 1, BINDING_FLAGS = 1 };
enum {
	RT_MAX_MS = 100000000,
	MAX_RT_MIN_S = 60,
	MAX_RT_MAX_S = 86400
}; /* SOL_MAX_RT and INF_MAX_RT: a minute to a day */

static const msec longest = (msec)UINT32_MAX * 1000; /* that a lifetime in seconds can be */

static int result(const struct reader *r)
{
	return reader_ok(r) ? 0 : -EBADMSG;
}

/* ---- server ---- */

void dhcp6_server_save(const struct dhcp6_server *s, struct writer *w)
{
	writer_u8(w, (uint8_t)((s->bound ? FLAG_BOUND : 0) | (s->using_prefixes ? FLAG_USING_PREFIXES : 0)));
	writer_u32(w, s->duid_hash);
}

int dhcp6_server_resume(struct dhcp6_server *s, const struct dhcp6_server_config *c, struct reader *r)
{
	uint8_t flags = record_flags(r, SERVER_FLAGS);

	dhcp6_server_open(s, c);
	s->bound = flags & FLAG_BOUND;
	s->using_prefixes = flags & FLAG_USING_PREFIXES;
	s->duid_hash = reader_u32(r);
	return result(r);
}

/* ---- binding ---- */

static void put_lease(const struct dhcp6_prefix *p, struct writer *w)
{
	record_put_prefix(w, &p->prefix);
	writer_u32(w, p->preferred);
	writer_u32(w, p->valid);
}

static struct dhcp6_prefix take_lease(struct reader *r)
{
	struct dhcp6_prefix p = {.prefix = record_prefix(r), .status = DHCP6_NO_STATUS};

	p.preferred = reader_u32(r);
	p.valid = reader_u32(r);
	if (p.prefix.addr.family != AF_INET6)
		reader_fail(r, "lease of another family");
	if (p.preferred > p.valid)
		reader_fail(r, "preferred lifetime beyond the valid one");
	return p;
}

void dhcp6_binding_save(const struct dhcp6_binding *b, struct writer *w)
{
	writer_u8(w, b->has_address ? FLAG_HAS_ADDRESS : 0);
	if (b->has_address)
		put_lease(&b->address, w);
	writer_u8(w, (uint8_t)b->prefix_count);
	for (unsigned i = 0; i < b->prefix_count; i++)
		put_lease(&b->prefixes[i], w);
	writer_u8(w, (uint8_t)b->dns_count);
	for (unsigned i = 0; i < b->dns_count; i++)
		record_put_addr(w, &b->dns[i]);
}

int dhcp6_binding_resume(struct dhcp6_binding *b, struct reader *r)
{
	*b = (struct dhcp6_binding){.has_address = record_flags(r, BINDING_FLAGS) & FLAG_HAS_ADDRESS};
	if (b->has_address)
		b->address = take_lease(r);
	if (b->has_address && b->address.prefix.len != 128)
		reader_fail(r, "address that is a prefix");
	b->prefix_count = record_u8(r, 0, DHCP6_PREFIX_MAX);
	for (unsigned i = 0; i < b->prefix_count; i++)
		b->prefixes[i] = take_lease(r);
	b->dns_count = record_u8(r, 0, DHCP6_DNS_MAX);
	for (unsigned i = 0; i < b->dns_count; i++) {
		b->dns[i] = record_addr(r);
		if (b->dns[i].family != AF_INET6)
			reader_fail(r, "DNS server of another family");
	}
	return result(r);
}

/* ---- client ---- */

static bool holds_anything(const struct dhcp6_binding *b)
{
	return b->prefix_count || b->has_address;
}

void dhcp6_client_save(const struct dhcp6_client *c, struct writer *w)
{
	writer_u8(w, c->state);
	writer_u8(
		w, (uint8_t)((c->want_address ? FLAG_WANT_ADDRESS : 0) | (c->stateful ? FLAG_STATEFUL : 0)));
	writer_u32(w, c->xid);
	writer_u8(w, (uint8_t)c->server_len);
	writer_bytes(w, c->server, c->server_len);
	dhcp6_binding_save(&c->binding, w);
	dhcp6_binding_save(&c->hint, w);
	writer_u32(w, c->t1);
	writer_u32(w, c->t2);
	writer_u32(w, c->rt_ms);
	writer_u32(w, c->max_rt_s);
	writer_u32(w, c->inf_max_rt_s);
	writer_u16(w, c->tries);
	writer_u8(w, c->failures);
	writer_u64(w, c->started_at);
	writer_u64(w, c->retransmit_at);
	writer_u64(w, c->bound_at);
	writer_u64(w, c->renew_at);
	writer_u64(w, c->rebind_at);
}

static uint32_t shortest_valid(const struct dhcp6_binding *b)
{
	uint32_t valid = b->has_address ? b->address.valid : DHCP6_INFINITE;

	for (unsigned i = 0; i < b->prefix_count; i++)
		if (b->prefixes[i].valid < valid)
			valid = b->prefixes[i].valid;
	return valid;
}

static void take_times(struct dhcp6_client *c, struct reader *r, msec now)
{
	uint32_t valid = shortest_valid(&c->binding);

	c->started_at = reader_u64(r);
	c->retransmit_at = record_deadline(r, now, longest);
	c->bound_at = record_past(r, now);
	c->renew_at = record_deadline(r, now, longest);
	c->rebind_at = record_deadline(r, now, longest);
	c->expires_at = MSEC_NEVER;
	if (!c->tries) /* an exchange that begins later */
		c->started_at = c->retransmit_at;
	else if (c->started_at > now)
		reader_fail(r, "time that has not come yet");
	if (!holds_anything(&c->binding))
		c->renew_at = c->rebind_at = MSEC_NEVER;
	else if (valid != DHCP6_INFINITE)
		c->expires_at = c->bound_at + valid * 1000ull;
}

/* A client that waits for something that never comes would be the end of it. */
static void check_client(const struct dhcp6_client *c, struct reader *r)
{
	bool held = holds_anything(&c->binding);

	if (!c->server_len && (c->state == REQUESTING || c->state == RENEWING))
		reader_fail(r, "exchange with an unknown server");
	if (!held && (c->state == BOUND || c->state == RENEWING || c->state == REBINDING))
		reader_fail(r, "no lease in a state that needs one");
	if (held && (c->state == SOLICITING || c->state == ASKING || c->state == INFORMED))
		reader_fail(r, "a lease in a state that has none");
	if (c->retransmit_at == MSEC_NEVER && c->state != BOUND && c->state != INFORMED)
		reader_fail(r, "exchange that never goes on");
	if (c->retransmit_at != MSEC_NEVER && c->state == BOUND)
		reader_fail(r, "exchange that is over goes on");
}

int dhcp6_client_resume(
	struct dhcp6_client *c, const struct dhcp6_client_config *config, struct reader *r, msec now)
{
	uint8_t flags;

	*c = (struct dhcp6_client){.config = config};
	c->state = record_u8(r, SOLICITING, INFORMED);
	flags = record_flags(r, CLIENT_FLAGS);
	c->want_address = flags & FLAG_WANT_ADDRESS;
	c->stateful = flags & FLAG_STATEFUL;
	c->xid = reader_u32(r) & 0xffffff;
	c->server_len = record_u8(r, 0, DHCP6_DUID_MAX);
	reader_copy(r, c->server, c->server_len);
	dhcp6_binding_resume(&c->binding, r);
	dhcp6_binding_resume(&c->hint, r);
	c->t1 = reader_u32(r);
	c->t2 = reader_u32(r);
	c->rt_ms = reader_u32(r);
	c->max_rt_s = reader_u32(r);
	c->inf_max_rt_s = reader_u32(r);
	if (c->rt_ms > RT_MAX_MS || c->max_rt_s < MAX_RT_MIN_S || c->max_rt_s > MAX_RT_MAX_S ||
		c->inf_max_rt_s < MAX_RT_MIN_S || c->inf_max_rt_s > MAX_RT_MAX_S)
		reader_fail(r, "value out of range");
	c->tries = reader_u16(r);
	c->failures = record_u8(r, 0, CLIENT_FAILURES_MAX);
	take_times(c, r, now);
	if (reader_ok(r))
		check_client(c, r);
	if (!reader_ok(r))
		c->state = STOPPED;
	return result(r);
}

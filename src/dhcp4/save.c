/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Server and client as bytes, and back. Of the client everything goes along but its rate limit. */
#include <errno.h>

#include "dhcp4/fault.h"
#include "dhcp4/server.h"
#include "dhcp4/state.h"
#include "lib/record.h"

enum { FLAG_USING_ADDRESS = 1, FLAG_USING_SUBNETS = 2, SERVER_FLAGS = 3 };
enum { FLAG_HAS_ADDRESS = 1, BINDING_FLAGS = 1 };
enum { FLAG_HIERARCHICAL = 1, FLAG_DEPRECATED = 2, SUBNET_FLAGS = 3 };
enum { FLAG_QUERYING = 1, FLAG_KNOWN = 2, EXCHANGE_FLAGS = 3 };

static const msec longest = (msec)UINT32_MAX * 1000; /* that a lease in seconds can be */

static int result(const struct reader *r)
{
	return reader_ok(r) ? 0 : -EBADMSG;
}

/* ---- server ---- */

void dhcp4_server_save(const struct dhcp4_server *s, struct writer *w)
{
	writer_u8(w, (uint8_t)((s->using_address ? FLAG_USING_ADDRESS : 0) |
			       (s->using_subnets ? FLAG_USING_SUBNETS : 0)));
}

int dhcp4_server_resume(struct dhcp4_server *s, const struct dhcp4_server_config *c, struct reader *r)
{
	uint8_t flags = record_flags(r, SERVER_FLAGS);

	dhcp4_server_open(s, c);
	s->using_address = flags & FLAG_USING_ADDRESS;
	s->using_subnets = flags & FLAG_USING_SUBNETS;
	return result(r);
}

/* ---- parts ---- */

/* None, or IPv4. */
static struct addr take_addr4(struct reader *r)
{
	struct addr a = record_addr(r);

	if (!addr_is_none(&a) && a.family != AF_INET)
		reader_fail(r, "address of another family");
	return a;
}

static void put_subnets(const struct dhcp4_subnet *subnets, unsigned count, struct writer *w)
{
	writer_u8(w, (uint8_t)count);
	for (unsigned i = 0; i < count; i++) {
		record_put_prefix(w, &subnets[i].prefix);
		writer_u8(w, (uint8_t)((subnets[i].hierarchical ? FLAG_HIERARCHICAL : 0) |
				       (subnets[i].deprecated ? FLAG_DEPRECATED : 0)));
	}
}

static unsigned take_subnets(struct dhcp4_subnet *subnets, struct reader *r)
{
	unsigned count = record_u8(r, 0, DHCP4_SUBNET_MAX);

	for (unsigned i = 0; i < count; i++) {
		uint8_t flags;

		subnets[i].prefix = record_prefix(r);
		if (subnets[i].prefix.addr.family != AF_INET || subnets[i].prefix.len < 1 ||
			subnets[i].prefix.len > 30)
			reader_fail(r, "a subnet that is none");
		flags = record_flags(r, SUBNET_FLAGS);
		subnets[i].hierarchical = flags & FLAG_HIERARCHICAL;
		subnets[i].deprecated = flags & FLAG_DEPRECATED;
	}
	return count;
}

static void put_dns(const struct addr *dns, unsigned count, struct writer *w)
{
	writer_u8(w, (uint8_t)count);
	for (unsigned i = 0; i < count; i++)
		record_put_addr(w, &dns[i]);
}

static unsigned take_dns(struct addr *dns, struct reader *r)
{
	unsigned count = record_u8(r, 0, DHCP4_DNS_MAX);

	for (unsigned i = 0; i < count; i++) {
		dns[i] = record_addr(r);
		if (dns[i].family != AF_INET)
			reader_fail(r, "DNS server of another family");
	}
	return count;
}

/* ---- binding ---- */

void dhcp4_binding_save(const struct dhcp4_binding *b, struct writer *w)
{
	writer_u8(w, b->has_address ? FLAG_HAS_ADDRESS : 0);
	record_put_addr(w, &b->address);
	writer_u8(w, b->mask_len);
	record_put_addr(w, &b->server);
	record_put_addr(w, &b->router);
	writer_u32(w, b->lease);
	writer_u16(w, b->mtu);
	put_subnets(b->subnets, b->subnet_count, w);
	put_dns(b->dns, b->dns_count, w);
}

int dhcp4_binding_resume(struct dhcp4_binding *b, struct reader *r)
{
	*b = (struct dhcp4_binding){.has_address = record_flags(r, BINDING_FLAGS) & FLAG_HAS_ADDRESS};
	b->address = take_addr4(r);
	if (b->has_address && !dhcp4_is_unicast(&b->address))
		reader_fail(r, "not the address of a host");
	b->mask_len = record_u8(r, 0, 32);
	b->server = take_addr4(r);
	b->router = take_addr4(r);
	b->lease = reader_u32(r);
	b->mtu = reader_u16(r);
	b->subnet_count = take_subnets(b->subnets, r);
	b->dns_count = take_dns(b->dns, r);
	return result(r);
}

/* ---- client ---- */

static void put_exchange(const struct dhcp4_exchange *x, struct writer *w)
{
	writer_u8(w, x->state);
	writer_u8(w, (uint8_t)((x->querying ? FLAG_QUERYING : 0) | (x->known ? FLAG_KNOWN : 0)));
	writer_u8(w, x->failures);
	writer_u16(w, x->tries);
	writer_u32(w, x->xid);
	record_put_addr(w, &x->server);
	writer_u16(w, x->mtu);
	put_dns(x->dns, x->dns_count, w);
	writer_u64(w, x->started_at);
	writer_u64(w, x->asked_at);
	writer_u64(w, x->retransmit_at);
	writer_u64(w, x->renew_at);
	writer_u64(w, x->rebind_at);
	writer_u64(w, x->expires_at);
}

void dhcp4_client_save(const struct dhcp4_client *c, struct writer *w)
{
	record_put_addr(w, &c->own);
	put_exchange(&c->address, w);
	put_exchange(&c->subnets, w);
	dhcp4_binding_save(&c->binding, w);
	dhcp4_binding_save(&c->hint, w);
	put_subnets(c->dropped, c->dropped_count, w);
	writer_u64(w, c->drop_at);
}

static void take_exchange(struct dhcp4_exchange *x, struct reader *r, msec now)
{
	uint8_t flags;

	x->state = record_u8(r, STOPPED, INFORMED);
	flags = record_flags(r, EXCHANGE_FLAGS);
	x->querying = flags & FLAG_QUERYING;
	x->known = flags & FLAG_KNOWN;
	x->failures = record_u8(r, 0, CLIENT_FAILURES_MAX);
	x->tries = reader_u16(r);
	x->xid = reader_u32(r);
	x->server = take_addr4(r);
	x->mtu = reader_u16(r);
	x->dns_count = take_dns(x->dns, r);
	x->started_at = record_past(r, now);
	x->asked_at = record_past(r, now);
	x->retransmit_at = record_deadline(r, now, longest);
	x->renew_at = record_deadline(r, now, longest);
	x->rebind_at = record_deadline(r, now, longest);
	x->expires_at = record_deadline(r, now, longest);
}

/* PARKED: SELECTING that waits for another exchange. */
static void check_exchange(const struct dhcp4_exchange *x, bool held, bool may_park, struct reader *r)
{
	bool bound = x->state == BOUND || x->state == RENEWING || x->state == REBINDING;
	bool asking = x->state != STOPPED && x->state != BOUND && x->state != INFORMED;
	bool parked = may_park && x->state == SELECTING && !x->tries;

	if (held != bound)
		reader_fail(
			r, held ? "a lease in a state that has none" : "no lease in a state that needs one");
	if (!bound && (x->renew_at & x->rebind_at & x->expires_at) != MSEC_NEVER)
		reader_fail(r, "lease of nothing");
	if (bound && x->expires_at == MSEC_NEVER && (x->renew_at & x->rebind_at) != MSEC_NEVER)
		reader_fail(r, "lease that never ends is renewed");
	if (bound && x->expires_at != MSEC_NEVER &&
		(x->renew_at > x->rebind_at || x->rebind_at > x->expires_at))
		reader_fail(r, "T1, T2 and the end of the lease are not in this order");
	if ((x->state == RENEWING || x->state == REBINDING) && x->expires_at == MSEC_NEVER)
		reader_fail(r, "lease that never ends is renewed");
	if (asking ? x->retransmit_at == MSEC_NEVER && !parked : x->retransmit_at != MSEC_NEVER)
		reader_fail(r, "exchange that never goes on");
	if ((x->state == REQUESTING || bound) && addr_is_none(&x->server))
		reader_fail(r, "exchange with an unknown server");
}

static void check_client(const struct dhcp4_client *c, struct reader *r)
{
	const struct dhcp4_binding *b = &c->binding;

	check_exchange(&c->address, b->has_address, false, r);
	check_exchange(&c->subnets, b->subnet_count > 0, true, r);
	if (c->subnets.state == INFORMING || c->subnets.state == INFORMED ||
		(c->subnets.state != STOPPED && !c->config->want_subnet))
		reader_fail(r, "value out of range");
	if (b->has_address && !addr_is_none(&c->own))
		reader_fail(r, "address of DHCP beside that of IPCP");
}

static void stop_exchange(struct dhcp4_exchange *x)
{
	*x = (struct dhcp4_exchange){.state = STOPPED,
		.retransmit_at = MSEC_NEVER,
		.renew_at = MSEC_NEVER,
		.rebind_at = MSEC_NEVER,
		.expires_at = MSEC_NEVER};
}

static void stop(struct dhcp4_client *c)
{
	stop_exchange(&c->address);
	stop_exchange(&c->subnets);
	c->drop_at = MSEC_NEVER;
}

int dhcp4_client_resume(
	struct dhcp4_client *c, const struct dhcp4_client_config *config, struct reader *r, msec now)
{
	*c = (struct dhcp4_client){.config = config};
	c->own = take_addr4(r);
	take_exchange(&c->address, r, now);
	take_exchange(&c->subnets, r, now);
	dhcp4_binding_resume(&c->binding, r);
	dhcp4_binding_resume(&c->hint, r);
	c->dropped_count = take_subnets(c->dropped, r);
	c->drop_at = record_deadline(r, now, longest);
	if (reader_ok(r))
		check_client(c, r);
	if (!reader_ok(r))
		stop(c);
	return result(r);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp4/server: answers.
 *
 * A message is decoded, checked, and answered from what ops->describe says at that moment. Messages about subnets are told from
 * messages about the address by their Subnet Allocation option. No timers, and no state but what is in use.
 */
#include "dhcp4/server.h"

#include <stdio.h>
#include <string.h>

#include "dhcp4/fault.h"

enum { SHORTEST_WITH_TIMES = 3 };

/* One message on its way to an answer. */
struct answer {
	struct dhcp4_message m, reply;
	struct dhcp4_offer offer;
};

static void note(struct dhcp4_server *s, const char *text)
{
	if (s->config->ops->note)
		s->config->ops->note(s, text);
}

void dhcp4_server_open(struct dhcp4_server *s, const struct dhcp4_server_config *c)
{
	*s = (struct dhcp4_server){.config = c};
}

static void set_use(struct dhcp4_server *s, bool address, bool subnets)
{
	if (address == s->using_address && subnets == s->using_subnets)
		return;
	s->using_address = address;
	s->using_subnets = subnets;
	s->config->ops->in_use(s, address, subnets);
}

static void begin_reply(struct answer *a, uint8_t type)
{
	const struct dhcp4_message *m = &a->m;

	/* RFC 2131 table 3; RFC 6842 for the identifier. */
	a->reply = (struct dhcp4_message){.type = type,
		.xid = m->xid,
		.broadcast = m->broadcast,
		.htype = m->htype,
		.hlen = m->hlen,
		.client_id_len = m->client_id_len,
		.server = a->offer.server};
	memcpy(a->reply.chaddr, m->chaddr, sizeof(m->chaddr));
	memcpy(a->reply.client_id, m->client_id, m->client_id_len);
	if (type == DHCP4_ACK)
		a->reply.ciaddr = m->ciaddr;
}

static bool is_wanted(const struct answer *a, bool listed)
{
	return listed || !a->m.parameters;
}

static void add_parameters(struct answer *a)
{
	const struct dhcp4_offer *o = &a->offer;

	if (is_wanted(a, a->m.wants_dns)) {
		a->reply.dns_count = o->dns_count;
		memcpy(a->reply.dns, o->dns, sizeof(a->reply.dns));
	}
	if (is_wanted(a, a->m.wants_mtu))
		a->reply.mtu = o->mtu;
	if (is_wanted(a, a->m.wants_router) && !addr_is_none(&o->address)) {
		a->reply.mask_len = 32;
		a->reply.router = o->server;
	}
}

static void add_lease(struct answer *a)
{
	uint32_t lease = a->offer.lease ? a->offer.lease : DHCP4_INFINITE;

	a->reply.lease = lease;
	if (lease == DHCP4_INFINITE || lease < SHORTEST_WITH_TIMES)
		return;
	a->reply.t1 = lease / 2;
	a->reply.t2 = (uint32_t)((uint64_t)lease * 7 / 8);
}

/* Section 4.1. The hardware address of a client is never needed here, so unicast is always possible. */
static struct addr destination(const struct answer *a)
{
	struct addr everybody = {0};

	if (a->reply.type == DHCP4_NAK)
		return everybody;
	if (!addr_is_none(&a->m.ciaddr) && addr_equal(&a->m.ciaddr, &a->offer.address))
		return a->m.ciaddr;
	return a->m.broadcast ? everybody : a->reply.yiaddr;
}

static void finish_reply(struct dhcp4_server *s, const struct answer *a)
{
	uint8_t buf[DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct addr dst = destination(a);

	dhcp4_message_write(&w, &a->reply);
	if (!writer_ok(&w)) {
		note(s, "reply does not fit");
		return;
	}
	s->config->counters->tx++;
	s->config->ops->send(s, &dst, buf, writer_len(&w));
}

static void refuse(struct dhcp4_server *s, struct answer *a, const char *why)
{
	s->config->counters->refused++;
	note(s, why);
	begin_reply(a, DHCP4_NAK);
	snprintf(a->reply.text, sizeof(a->reply.text), "%s", why);
	finish_reply(s, a);
}

/* OFFER or ACK of the address; an ACK says that it is in use. */
static void give_address(struct dhcp4_server *s, struct answer *a, uint8_t type)
{
	begin_reply(a, type);
	a->reply.yiaddr = a->offer.address;
	a->reply.rapid_commit = type == DHCP4_ACK && a->m.type == DHCP4_DISCOVER;
	add_parameters(a);
	add_lease(a);
	if (type == DHCP4_ACK && !a->offer.ipcp)
		set_use(s, true, s->using_subnets); /* first the route, then the news */
	finish_reply(s, a);
}

static const struct prefix *find_subnet(const struct dhcp4_offer *o, const struct prefix *p)
{
	for (unsigned i = 0; i < o->subnet_count; i++)
		if (prefix_equal(&o->subnets[i], p))
			return &o->subnets[i];
	return NULL;
}

/* Is P among what the client names? */
static bool is_named(const struct dhcp4_message *m, const struct prefix *p)
{
	for (unsigned i = 0; i < m->subnet_count; i++)
		if (prefix_equal(&m->subnets[i].prefix, p))
			return true;
	return false;
}

static void add_subnet(struct answer *a, const struct prefix *p)
{
	a->reply.subnet_information = true;
	a->reply.subnets[a->reply.subnet_count++] = (struct dhcp4_subnet){.prefix = *p, .hierarchical = true};
}

/* OFFER or ACK of subnets, without an address (RFC 6656 section 4.2): all, or those that the client NAMES. */
static void give_subnets(struct dhcp4_server *s, struct answer *a, uint8_t type, bool named)
{
	begin_reply(a, type);
	a->reply.rapid_commit = type == DHCP4_ACK && a->m.type == DHCP4_DISCOVER;
	a->reply.information_c = a->m.request_information && type == DHCP4_OFFER;
	for (unsigned i = 0; i < a->offer.subnet_count; i++)
		if (!named || is_named(&a->m, &a->offer.subnets[i]))
			add_subnet(a, &a->offer.subnets[i]);
	add_parameters(a);
	add_lease(a);
	if (type == DHCP4_ACK)
		set_use(s, s->using_address, true);
	finish_reply(s, a);
}

static void note_wishes(struct dhcp4_server *s, const struct answer *a)
{
	bool enough = !a->m.request_len || a->m.request_information;

	for (unsigned i = 0; i < a->offer.subnet_count; i++)
		enough |= a->offer.subnets[i].len <= a->m.request_len;
	if (!enough)
		note(s, "the client has asked for a larger subnet");
	if (a->m.subnet_request && !a->m.request_hierarchical)
		note(s, "the client wants addresses of its subnet to be handed out here: it has to do that "
			"itself");
}

static void answer_discover(struct dhcp4_server *s, struct answer *a)
{
	bool subnets = (a->m.subnet_request || a->m.subnet_information) && a->offer.subnet_count;
	bool commit = a->m.rapid_commit && s->config->rapid_commit && !a->m.request_information;

	if (subnets) {
		note_wishes(s, a);
		give_subnets(s, a, commit ? DHCP4_ACK : DHCP4_OFFER, false);
	} else if (!addr_is_none(&a->offer.address)) {
		give_address(s, a, commit ? DHCP4_ACK : DHCP4_OFFER);
	} else {
		s->config->counters->refused++;
		note(s, "no address for this client");
	}
}

/* Section 4.3.2, table 4: in RENEWING and REBINDING there is ciaddr, but neither server identifier nor requested address. */
static void tell_renewed(struct dhcp4_server *s, const struct answer *a)
{
	if (s->config->ops->renewed && !addr_is_none(&a->m.ciaddr) && addr_is_none(&a->m.server) &&
		addr_is_none(&a->m.requested))
		s->config->ops->renewed(s);
}

static void request_subnets(struct dhcp4_server *s, struct answer *a)
{
	bool any = false;

	for (unsigned i = 0; i < a->m.subnet_count; i++)
		any |= find_subnet(&a->offer, &a->m.subnets[i].prefix) != NULL;
	if (!any) {
		refuse(s, a, "not a subnet of this client");
		return;
	}
	give_subnets(s, a, DHCP4_ACK, true);
	tell_renewed(s, a);
}

/* Section 4.3.2: SELECTING and INIT-REBOOT name the address in option 50, RENEWING and REBINDING in ciaddr. */
static void answer_request(struct dhcp4_server *s, struct answer *a)
{
	const struct addr *wanted = addr_is_none(&a->m.requested) ? &a->m.ciaddr : &a->m.requested;

	if (a->m.subnet_information) {
		request_subnets(s, a);
	} else if (!addr_is_none(wanted) && addr_equal(wanted, &a->offer.address)) {
		give_address(s, a, DHCP4_ACK);
		tell_renewed(s, a);
	} else {
		refuse(s, a, "not the address of this client");
	}
}

static void answer_inform(struct dhcp4_server *s, struct answer *a)
{
	begin_reply(a, DHCP4_ACK);
	add_parameters(a);
	finish_reply(s, a);
}

static void answer_decline(struct dhcp4_server *s, struct answer *a)
{
	if (addr_is_none(&a->m.requested) || !addr_equal(&a->m.requested, &a->offer.address)) {
		s->config->counters->unexpected++;
		return;
	}
	note(s, "the client says that its address is in use by another node");
	set_use(s, false, s->using_subnets);
}

/* Does the client name all its subnets? */
static bool names_all(const struct answer *a)
{
	for (unsigned i = 0; i < a->offer.subnet_count; i++)
		if (!is_named(&a->m, &a->offer.subnets[i]))
			return false;
	return a->offer.subnet_count > 0;
}

static void answer_release(struct dhcp4_server *s, struct answer *a)
{
	if (a->m.subnet_information) {
		if (names_all(a))
			set_use(s, s->using_address, false);
		else
			note(s, "not all subnets are released: they stay in use");
	} else if (!addr_is_none(&a->m.ciaddr) && addr_equal(&a->m.ciaddr, &a->offer.address)) {
		set_use(s, false, s->using_subnets);
	} else {
		s->config->counters->unexpected++;
	}
}

static const struct rule {
	void (*answer)(struct dhcp4_server *s, struct answer *a);
	bool named; /* the server must be named (section 4.4, table 5) */
} rules[DHCP4_TYPES] = {
	[DHCP4_DISCOVER] = {answer_discover, false},
	[DHCP4_REQUEST] = {answer_request, false},
	[DHCP4_DECLINE] = {answer_decline, true},
	[DHCP4_RELEASE] = {answer_release, true},
	[DHCP4_INFORM] = {answer_inform, false},
};

/* What the role gives, as far as it can be delegated. */
static void describe(struct dhcp4_server *s, struct dhcp4_offer *o)
{
	unsigned count = 0;

	s->config->ops->describe(s, o);
	for (unsigned i = 0; i < o->subnet_count; i++) {
		if (!dhcp4_prefix_fault(&o->subnets[i]))
			o->subnets[count++] = o->subnets[i];
		else
			note(s, "a subnet that is not a /8 to /30 of unicast addresses is not given");
	}
	o->subnet_count = count;
}

static bool is_acceptable(struct dhcp4_server *s, const struct answer *a)
{
	struct dhcp4_counters *counters = s->config->counters;
	const struct dhcp4_message *m = &a->m;

	if (m->reply || !rules[m->type].answer) {
		counters->unexpected++;
		return false;
	}
	if (addr_is_none(&a->offer.server)) { /* no client would take an answer */
		counters->refused++;
		note(s, "no address of ours to be named by");
		return false;
	}
	if (m->relayed) { /* on a softwire the client is on the link */
		counters->unexpected++;
		note(s, "message from a relay agent");
		return false;
	}
	if (addr_is_none(&m->server) ? rules[m->type].named : !addr_equal(&m->server, &a->offer.server)) {
		counters->bad_server++;
		note(s, "message for another server");
		return false;
	}
	return true;
}

void dhcp4_server_input(struct dhcp4_server *s, const uint8_t *message, size_t len, msec now)
{
	struct dhcp4_counters *counters = s->config->counters;
	struct answer a = {0};
	const char *why = NULL;

	(void)now;
	counters->rx++;
	if (dhcp4_message_read(message, len, &a.m, &why)) {
		counters->bad_message++;
		note(s, why);
		return;
	}
	counters->by_type[a.m.type]++;
	describe(s, &a.offer);
	if (is_acceptable(s, &a))
		rules[a.m.type].answer(s, &a);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp6/server: answers.
 *
 * A message is decoded, checked against a row of rules[], and answered from what ops->describe says at that moment.
 * What grants something first needs a recorded DUID: the message is then kept (struct dhcp6_pending) and handled
 * again when dhcp6_server_bound() comes. No timers.
 */
#include "dhcp6/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"

enum { MESSAGE_MAX = 1500, IRT_MINIMUM = 600 };

struct dhcp6_pending {
	uint32_t hash; /* of the DUID and IAID that are being recorded */
	size_t len;
	uint8_t message[];
};

static void note(struct dhcp6_server *s, const char *text)
{
	if (s->config->ops->note)
		s->config->ops->note(s, text);
}

/* What a message must have to be answered: RFC 8415 section 16. */
enum server_id { ABSENT, OURS, OURS_OR_ABSENT };

/* One message on its way to an answer. */
struct answer {
	struct dhcp6_message m, reply;
	struct dhcp6_offer offer;
	const char *refusal; /* the role has refused to bind: its text, or "" */
};

static void answer_solicit(struct dhcp6_server *s, struct answer *a);
static void answer_request(struct dhcp6_server *s, struct answer *a);
static void answer_confirm(struct dhcp6_server *s, struct answer *a);
static void answer_renew(struct dhcp6_server *s, struct answer *a);
static void answer_release(struct dhcp6_server *s, struct answer *a);
static void answer_decline(struct dhcp6_server *s, struct answer *a);
static void answer_information(struct dhcp6_server *s, struct answer *a);

static const struct rule {
	void (*answer)(struct dhcp6_server *s, struct answer *a);
	enum server_id server;
	bool client; /* must have a Client Identifier */
	bool grants; /* needs a recorded DUID if there is something to give */
} rules[] = {
	[DHCP6_SOLICIT] = {answer_solicit, ABSENT, true, true}, /* grants with Rapid Commit only */
	[DHCP6_REQUEST] = {answer_request, OURS, true, true},
	[DHCP6_CONFIRM] = {answer_confirm, ABSENT, true, false},
	[DHCP6_RENEW] = {answer_renew, OURS, true, true},
	[DHCP6_REBIND] = {answer_renew, ABSENT, true, true},
	[DHCP6_RELEASE] = {answer_release, OURS, true, false},
	[DHCP6_DECLINE] = {answer_decline, OURS, true, false},
	[DHCP6_INFORMATION_REQUEST] = {answer_information, OURS_OR_ABSENT, false, false},
};

static const struct rule *rule_of(uint8_t type)
{
	return type < sizeof(rules) / sizeof(rules[0]) && rules[type].answer ? &rules[type] : NULL;
}

void dhcp6_server_open(struct dhcp6_server *s, const struct dhcp6_server_config *c)
{
	*s = (struct dhcp6_server){.config = c};
}

void dhcp6_server_done(struct dhcp6_server *s)
{
	free(s->pending);
	s->pending = NULL;
}

static bool acceptable(struct dhcp6_server *s, const struct dhcp6_message *m)
{
	struct dhcp6_counters *counters = s->config->counters;
	const struct rule *r = rule_of(m->type);

	if (!r) {
		counters->unexpected++;
		return false;
	}
	if (r->client && !m->client.len) {
		counters->bad_duid++;
		note(s, "message without Client Identifier");
		return false;
	}
	if (r->server == ABSENT && m->server.len) {
		counters->bad_server++;
		note(s, "Server Identifier where none belongs");
		return false;
	}
	if ((r->server == OURS || m->server.len) &&
		!dhcp6_duid_equal(&m->server, s->config->duid, s->config->duid_len)) {
		counters->bad_server++;
		note(s, "message for another server");
		return false;
	}
	return true;
}

static const struct dhcp6_ia *first_ia(const struct dhcp6_message *m, bool pd)
{
	for (unsigned i = 0; i < m->ia_count; i++)
		if (m->ias[i].pd == pd)
			return &m->ias[i];
	return NULL;
}

/* The IA that the lease is recorded with: the first IA_PD, else the first IA_NA; NULL: none that gets anything. */
static const struct dhcp6_ia *granted_ia(const struct answer *a)
{
	const struct dhcp6_ia *pd = a->offer.prefix_count ? first_ia(&a->m, true) : NULL;

	return pd ? pd : a->offer.has_address ? first_ia(&a->m, false) : NULL;
}

static uint32_t identity(const struct dhcp6_duid *duid, uint32_t iaid)
{
	return hash_bytes(duid->data, duid->len, iaid);
}

/* Is one of the client's IAs part of the recorded binding? */
static bool is_bound(const struct dhcp6_server *s, const struct answer *a)
{
	const struct dhcp6_ia *ia = granted_ia(a);

	return s->bound && ia && identity(&a->m.client, ia->iaid) == s->duid_hash;
}

static void begin_reply(const struct dhcp6_server *s, struct answer *a, uint8_t type)
{
	dhcp6_message_init(&a->reply, type, a->m.xid);
	a->reply.client = a->m.client;
	a->reply.server = (struct dhcp6_duid){s->config->duid, s->config->duid_len};
}

static void add_dns(struct answer *a)
{
	if (!a->m.wants_dns)
		return;
	a->reply.dns_count = a->offer.dns_count;
	memcpy(a->reply.dns, a->offer.dns, sizeof(a->reply.dns));
}

static void finish_reply(struct dhcp6_server *s, const struct answer *a)
{
	uint8_t buf[DHCP6_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp6_message_write(&w, &a->reply);
	if (!writer_ok(&w)) {
		note(s, "reply does not fit");
		return;
	}
	s->config->counters->tx++;
	s->config->ops->send(s, buf, writer_len(&w));
}

static void set_status(struct dhcp6_ia *ia, uint16_t status, const char *text)
{
	ia->status = status;
	snprintf(ia->status_text, sizeof(ia->status_text), "%s", text);
}

/* IA in the reply gets the address or the prefixes, or the status that says there are none. */
static bool fill_ia(struct dhcp6_ia *ia, const struct answer *a, bool first)
{
	const struct dhcp6_offer *o = &a->offer;
	const char *why = ia->pd ? "no prefix for this user" : "no address for this user";

	if (a->refusal)
		why = a->refusal;
	else if (!first)
		why = "another IA has it already";
	else if (ia->pd && o->prefix_count) {
		ia->prefix_count = o->prefix_count;
		memcpy(ia->prefixes, o->prefixes, o->prefix_count * sizeof(o->prefixes[0]));
		return true;
	} else if (!ia->pd && o->has_address) {
		ia->prefixes[ia->prefix_count++] = o->address;
		return true;
	}
	set_status(ia, ia->pd ? DHCP6_NO_PREFIX : DHCP6_NO_ADDRS, why);
	return false;
}

/* Gives back with lifetimes 0 what the client holds and is not theirs (section 18.3.4). */
static bool withdraw(struct dhcp6_ia *ia, const struct dhcp6_ia *held, bool keep)
{
	bool any = false;

	for (unsigned i = 0; i < held->prefix_count; i++) {
		bool theirs = false;

		for (unsigned k = 0; k < ia->prefix_count; k++)
			theirs |= prefix_equal(&held->prefixes[i].prefix, &ia->prefixes[k].prefix);
		if ((theirs && keep) || ia->prefix_count == DHCP6_PREFIX_MAX ||
			addr_is_unspecified(&held->prefixes[i].prefix.addr))
			continue;
		ia->prefixes[ia->prefix_count++] = (struct dhcp6_prefix){.prefix = held->prefixes[i].prefix};
		any = true;
	}
	return any;
}

/* T1 and T2 for leases of which PREFERRED and VALID are the shortest lifetimes: section 21.21. */
static void times_for(uint32_t preferred, uint32_t valid, uint32_t *ret_t1, uint32_t *ret_t2)
{
	if (preferred == DHCP6_INFINITE) {
		*ret_t1 = *ret_t2 = DHCP6_INFINITE;
	} else if (preferred == 0) {
		*ret_t1 = *ret_t2 = valid; /* it will not be extended: section 18.3.4 */
	} else {
		*ret_t1 = preferred / 2;
		*ret_t2 = (uint32_t)((uint64_t)preferred * 4 / 5);
	}
}

/* The same times in all IAs that give something (section 18.3.2). */
static void set_times(struct dhcp6_message *reply)
{
	uint32_t preferred = DHCP6_INFINITE, valid = DHCP6_INFINITE, t1, t2;
	bool given[DHCP6_IA_MAX] = {0};

	for (unsigned i = 0; i < reply->ia_count; i++)
		for (unsigned k = 0; k < reply->ias[i].prefix_count; k++) {
			const struct dhcp6_prefix *p = &reply->ias[i].prefixes[k];

			if (!p->valid)
				continue;
			given[i] = true;
			preferred = p->preferred < preferred ? p->preferred : preferred;
			valid = p->valid < valid ? p->valid : valid;
		}
	times_for(preferred, valid, &t1, &t2);
	for (unsigned i = 0; i < reply->ia_count; i++)
		if (given[i]) {
			reply->ias[i].t1 = t1;
			reply->ias[i].t2 = t2;
		}
}

/* The IAs of an Advertise or Reply; true when a prefix was given. */
static bool fill_ias(struct answer *a, bool extending)
{
	const struct dhcp6_ia *first_pd = first_ia(&a->m, true), *first_na = first_ia(&a->m, false);
	bool given = false;

	for (unsigned i = 0; i < a->m.ia_count; i++) {
		const struct dhcp6_ia *held = &a->m.ias[i];
		struct dhcp6_ia *ia = dhcp6_message_add_ia(&a->reply, held->pd, held->iaid);
		bool full;

		if (!ia)
			break;
		full = fill_ia(ia, a, held == first_pd || held == first_na);
		given |= full && held->pd;
		/* A client that sees NoPrefixAvail does not look at the prefixes beside it: one or the other. */
		if (extending && withdraw(ia, held, full) && !full && !a->refusal)
			ia->status = DHCP6_NO_STATUS;
		else if (!full)
			ia->prefix_count = 0;
	}
	set_times(&a->reply);
	return given;
}

static void count_refusals(struct dhcp6_server *s, const struct answer *a)
{
	for (unsigned i = 0; i < a->reply.ia_count; i++)
		if (a->reply.ias[i].status != DHCP6_NO_STATUS)
			s->config->counters->refused++;
}

static void use_prefixes(struct dhcp6_server *s)
{
	if (s->using_prefixes)
		return;
	s->using_prefixes = true;
	s->config->ops->in_use(s);
}

static bool gives_something(const struct dhcp6_message *reply)
{
	for (unsigned i = 0; i < reply->ia_count; i++)
		for (unsigned k = 0; k < reply->ias[i].prefix_count; k++)
			if (reply->ias[i].prefixes[k].valid)
				return true;
	return false;
}

static void answer_leases(struct dhcp6_server *s, struct answer *a, bool extending)
{
	bool given;

	begin_reply(s, a, DHCP6_REPLY);
	a->reply.rapid_commit = a->m.type == DHCP6_SOLICIT;
	given = fill_ias(a, extending);
	add_dns(a);
	count_refusals(s, a);
	if (given)
		use_prefixes(s); /* first the route, then the news */
	finish_reply(s, a);
	if (extending && s->config->ops->renewed && gives_something(&a->reply))
		s->config->ops->renewed(s);
}

/* Advertises; or, with Rapid Commit and something to commit, replies as to a Request. */
static void answer_solicit(struct dhcp6_server *s, struct answer *a)
{
	if (a->m.rapid_commit && s->config->rapid_commit && granted_ia(a) && !a->refusal) {
		answer_leases(s, a, false);
		return;
	}
	begin_reply(s, a, DHCP6_ADVERTISE);
	a->reply.has_preference = s->config->preference != 0;
	a->reply.preference = s->config->preference;
	fill_ias(a, false);
	add_dns(a);
	count_refusals(s, a);
	finish_reply(s, a);
}

static void answer_request(struct dhcp6_server *s, struct answer *a)
{
	answer_leases(s, a, false);
}

/* Renew and Rebind. */
static void answer_renew(struct dhcp6_server *s, struct answer *a)
{
	if (!a->m.ia_count && a->m.type == DHCP6_REBIND) {
		s->config->counters->unexpected++; /* nothing to say: section 18.3.5 */
		return;
	}
	answer_leases(s, a, true);
}

/* Only addresses can be confirmed, and only by who knows what belongs on the link (section 18.3.3). */
static void answer_confirm(struct dhcp6_server *s, struct answer *a)
{
	unsigned count = 0, right = 0;

	for (unsigned i = 0; i < a->m.ia_count; i++) {
		const struct dhcp6_ia *ia = &a->m.ias[i];

		for (unsigned k = 0; k < ia->prefix_count && !ia->pd; k++) {
			count++;
			right += prefix_equal(&ia->prefixes[k].prefix, &a->offer.address.prefix);
		}
	}
	if (!count || !a->offer.has_address) {
		s->config->counters->unexpected++;
		return;
	}
	begin_reply(s, a, DHCP6_REPLY);
	a->reply.status = right == count ? DHCP6_SUCCESS : DHCP6_NOT_ON_LINK;
	finish_reply(s, a);
}

/* The status of Replies to Release and Decline: Success, and NoBinding in each IA that is not the client's. */
static void answer_given_back(struct dhcp6_server *s, struct answer *a, bool bound_pd, bool bound_na)
{
	const struct dhcp6_ia *pd = first_ia(&a->m, true), *na = first_ia(&a->m, false);

	begin_reply(s, a, DHCP6_REPLY);
	a->reply.status = DHCP6_SUCCESS;
	for (unsigned i = 0; i < a->m.ia_count; i++) {
		const struct dhcp6_ia *ia = &a->m.ias[i];
		struct dhcp6_ia *none;

		if ((ia == pd && bound_pd) || (ia == na && bound_na))
			continue;
		none = dhcp6_message_add_ia(&a->reply, ia->pd, ia->iaid);
		if (none)
			none->status = DHCP6_NO_BINDING;
	}
	finish_reply(s, a);
}

/* Does the IA name every prefix of the offer? */
static bool names_all(const struct dhcp6_ia *ia, const struct dhcp6_offer *o)
{
	for (unsigned i = 0; i < o->prefix_count; i++) {
		bool found = false;

		for (unsigned k = 0; k < ia->prefix_count; k++)
			found |= prefix_equal(&ia->prefixes[k].prefix, &o->prefixes[i].prefix);
		if (!found)
			return false;
	}
	return o->prefix_count > 0;
}

static void answer_release(struct dhcp6_server *s, struct answer *a)
{
	bool known = is_bound(s, a), released;
	const struct dhcp6_ia *pd = first_ia(&a->m, true);

	released = known && pd && s->using_prefixes && names_all(pd, &a->offer);
	answer_given_back(s, a, known && a->offer.prefix_count, known && a->offer.has_address);
	if (!released)
		return;
	s->using_prefixes = false;
	s->config->ops->released(s);
}

static void answer_decline(struct dhcp6_server *s, struct answer *a)
{
	bool known = is_bound(s, a);
	const struct dhcp6_ia *na = first_ia(&a->m, false);

	if (known && na && na->prefix_count &&
		prefix_equal(&na->prefixes[0].prefix, &a->offer.address.prefix))
		note(s, "the client says that its address is in use by another node");
	answer_given_back(s, a, false, known && a->offer.has_address); /* section 18.2.8: never for IA_PD */
}

static void answer_information(struct dhcp6_server *s, struct answer *a)
{
	uint32_t refresh = s->config->refresh;

	begin_reply(s, a, DHCP6_REPLY);
	add_dns(a);
	if (a->m.wants_refresh && refresh)
		a->reply.refresh = refresh < IRT_MINIMUM ? IRT_MINIMUM : refresh;
	finish_reply(s, a);
}

/* Keeps the message and asks for its DUID to be recorded. */
static void record(struct dhcp6_server *s, const struct answer *a, const uint8_t *message, size_t len)
{
	uint32_t iaid = granted_ia(a)->iaid;

	if (len > MESSAGE_MAX) {
		s->config->counters->refused++;
		note(s, "message too long");
		return;
	}
	s->pending = malloc(sizeof(*s->pending) + len);
	if (!s->pending) {
		s->config->counters->refused++;
		note(s, "no memory"); /* the client will try again */
		return;
	}
	s->pending->hash = identity(&a->m.client, iaid);
	s->pending->len = len;
	memcpy(s->pending->message, message, len);
	s->config->ops->bind(s, &a->m.client, iaid);
}

static bool needs_bind(const struct dhcp6_server *s, const struct answer *a)
{
	if (!rule_of(a->m.type)->grants || !granted_ia(a) || is_bound(s, a))
		return false;
	return a->m.type != DHCP6_SOLICIT || (a->m.rapid_commit && s->config->rapid_commit);
}

void dhcp6_server_input(struct dhcp6_server *s, const uint8_t *message, size_t len, msec now)
{
	struct dhcp6_counters *counters = s->config->counters;
	struct answer a = {0};
	const char *why = NULL;

	(void)now;
	counters->rx++;
	if (dhcp6_message_read(message, len, &a.m, &why)) {
		counters->bad_message++;
		note(s, why);
		return;
	}
	counters->by_type[a.m.type]++;
	if (!acceptable(s, &a.m))
		return;
	s->config->ops->describe(s, &a.offer);
	if (!needs_bind(s, &a))
		rule_of(a.m.type)->answer(s, &a);
	else if (!s->pending)
		record(s, &a, message, len);
	/* else a retransmission, or the like, while its DUID is being recorded */
}

void dhcp6_server_bound(struct dhcp6_server *s, bool ok, const char *text, msec now)
{
	struct dhcp6_pending *p = s->pending;
	struct answer a = {0};
	const char *why;

	(void)now;
	if (!p)
		return;
	s->pending = NULL;
	if (ok) {
		s->bound = true;
		s->duid_hash = p->hash;
	} else {
		a.refusal = text ? text : "";
	}
	if (!dhcp6_message_read(p->message, p->len, &a.m, &why)) {
		s->config->ops->describe(s, &a.offer);
		rule_of(a.m.type)->answer(s, &a);
	}
	free(p);
}

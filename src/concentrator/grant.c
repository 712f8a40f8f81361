/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user gets, and how many softwires a user may have.
 *
 * A softwire takes a slot of its user, and the lease of (user, slot). A user at the limit gets the new softwire, and the oldest
 * one is closed: usually it is a dead one of the same router (design: replace the stale); or, where the operator or the users file
 * says so, the new one is refused. Which payload families the softwire has follows from the user and the pool; it needs one.
 * Prefixes lead to the softwire as long as it is up: the link's and the IPv4 address from the lease on, delegated ones while
 * DHCP says that they are in use. Answers of lease/ come later; a softwire that is gone meanwhile has cancelled them.
 * Where the pool is short of one part the softwire gets the others, as long as a family is left: no IPv6 is lost because IPv4 is
 * scarce. What is fixed for the user is never left out: it gets that, or nothing; and delegated prefixes only where it gets IPv4.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)DP_ROW_PREFIXES >= (int)LEASE_PREFIXES + (int)LEASE_SUBNETS + 2,
	"a row takes the link's prefix, an IPv4 address, and all that is delegated");
_Static_assert((int)LEASE_PREFIXES == (int)DHCP6_PREFIX_MAX && (int)LEASE_SUBNETS == (int)DHCP4_SUBNET_MAX,
	"all that was leased can be told");

/* ---- slots ---- */

static bool user_match(const void *item, const void *key)
{
	return strcmp(((const struct subscriber *)item)->user, key) == 0;
}

static uint32_t user_hash(const struct concentrator *c, const char *user)
{
	return hash_bytes(user, strlen(user), c->seed);
}

struct subscriber *concentrator_first_of_user(struct concentrator *c, const char *user)
{
	return hash_find(&c->by_user, user_hash(c, user), user_match, user);
}

static int user_join(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	struct subscriber *first = concentrator_first_of_user(c, sub->user);

	if (!first)
		return hash_insert(&c->by_user, user_hash(c, sub->user), sub);

	sub->next_of_user = first->next_of_user;
	first->next_of_user = sub;
	return 0;
}

static void user_part(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	struct subscriber *first = concentrator_first_of_user(c, sub->user);

	if (first == sub) {
		hash_remove(&c->by_user, user_hash(c, sub->user), sub);
		if (sub->next_of_user)
			hash_insert(&c->by_user, user_hash(c, sub->user),
				sub->next_of_user); /* room was just made */
	} else {
		while (first && first->next_of_user != sub)
			first = first->next_of_user;
		if (first)
			first->next_of_user = sub->next_of_user;
	}
	sub->next_of_user = NULL;
}

static unsigned slot_limit(const struct subscriber *sub)
{
	return sub->setup->softwires ? sub->setup->softwires : 1;
}

/* A slot for one more softwire of this user: a free one, or that of the oldest, which is closed. */
static uint16_t take_slot(struct subscriber *sub)
{
	struct subscriber *oldest = NULL;
	unsigned slot;

	for (slot = 0; slot < slot_limit(sub); slot++) {
		struct subscriber *other = concentrator_first_of_user(sub->role, sub->user);

		while (other && other->slot != slot)
			other = other->next_of_user;
		if (!other)
			return (uint16_t)slot;
		if (!oldest || other->id < oldest->id)
			oldest = other;
	}

	slot = oldest->slot;
	sub->role->role_counters.replaced++;
	subscriber_close(
		oldest, CAUSE_REPLACED, L2TP_STOP_EXISTS, 0, "replaced by a new softwire of the same user");
	return (uint16_t)slot;
}

static bool is_over_limit(struct subscriber *sub)
{
	unsigned n = 0;

	for (struct subscriber *o = concentrator_first_of_user(sub->role, sub->user); o; o = o->next_of_user)
		n++;
	return n >= slot_limit(sub);
}

static bool replaces(const struct subscriber *sub)
{
	uint8_t rule = sub->setup->at_limit;

	return rule == AAA_AT_LIMIT_REPLACE ||
	       (rule == AAA_AT_LIMIT_DEFAULT && sub->role->config.replace_softwires);
}

/* ---- asking for a lease ---- */

const struct concentrator_pool_config *concentrator_pool(const struct concentrator *c, const char *name)
{
	for (unsigned i = 0; i < c->config.pool_count; i++)
		if (strcmp(c->config.pools[i].lease.name, *name ? name : "default") == 0)
			return &c->config.pools[i];
	return NULL;
}

/* Why it gets nothing: WHY for the log, FOR_PEER for the peer. */
static void refuse(struct subscriber *sub, const char *why, const char *for_peer)
{
	struct concentrator *c = sub->role;
	struct log_line l;

	c->role_counters.no_address++;
	if (subscriber_log_limited(sub, &l, LEVEL_WARN, "no-address")) {
		if (sub->setup && sub->setup->request)
			log_text(&l, "pool", sub->setup->request->pool);
		log_text(&l, "reason", why);
		log_end(&l);
	}
	softwire_sc_lease(&sub->engine, NULL, for_peer, subscriber_now(sub));
}

/* What is to be asked for, by the user's rights and the pool. */
static void choose_wants(struct subscriber *sub, const struct lease_pool_config *pool)
{
	struct lease_request *r = sub->setup->request;

	if (sub->slot) { /* what is fixed is the first softwire's */
		r->fixed_count = r->fixed_subnet_count = 0;
		r->fixed_link = (struct prefix){0};
		r->fixed4 = (struct addr){0};
	}
	r->slot = sub->slot;
	r->want_link = !prefix_is_none(&pool->link6) || !prefix_is_none(&r->fixed_link);
	r->want_delegated = !prefix_is_none(&pool->delegate_from) || r->fixed_count;
	if (sub->setup->no_ipv6) {
		r->want_link = r->want_delegated = false;
		r->fixed_link = (struct prefix){0};
		r->fixed_count = 0;
	}
	r->want_ipv4 = !prefix_is_none(&pool->ipv4) || !addr_is_none(&r->fixed4);
	r->want_subnet = !prefix_is_none(&pool->delegate4_from) || r->fixed_subnet_count;
	if (addr_is_none(&sub->role->config.local4))
		r->want_ipv4 = false;
	if (!r->want_ipv4) { /* subnets are told inside of IPv4 */
		r->want_subnet = false;
		r->fixed4 = (struct addr){0};
		r->fixed_subnet_count = 0;
	}
}

static bool wants_ipv6(const struct lease_request *r)
{
	return r->want_link || r->want_delegated;
}

/* ---- asking for less ---- */

/* In struct setup, and bits of what the pool is short of. */
enum { ASK_SUBNET = 1, ASK_DELEGATED = 2, ASK_IPV4 = 4, ASK_LINK = 8 };

/* The lease store says that something is short, so what is left out is tried, the least loss first: what is granted then is all
 * there is. */
static const uint8_t shortages[] = {
	ASK_SUBNET, ASK_DELEGATED, ASK_SUBNET | ASK_DELEGATED, ASK_IPV4, ASK_LINK, ASK_LINK | ASK_SUBNET};

static uint8_t wants_of(const struct lease_request *r)
{
	return (uint8_t)((r->want_subnet ? ASK_SUBNET : 0) | (r->want_delegated ? ASK_DELEGATED : 0) |
			 (r->want_ipv4 ? ASK_IPV4 : 0) | (r->want_link ? ASK_LINK : 0));
}

static uint8_t fixed_of(const struct lease_request *r)
{
	return (uint8_t)((r->fixed_subnet_count ? ASK_SUBNET : 0) | (r->fixed_count ? ASK_DELEGATED : 0) |
			 (!addr_is_none(&r->fixed4) ? ASK_IPV4 : 0) |
			 (!prefix_is_none(&r->fixed_link) ? ASK_LINK : 0));
}

/* Subnets are told inside of IPv4, and delegated prefixes beside the link's. */
static uint8_t left_out(uint8_t shortage)
{
	if (shortage & ASK_IPV4)
		shortage |= ASK_SUBNET;
	if (shortage & ASK_LINK)
		shortage |= ASK_DELEGATED;
	return shortage;
}

static bool may_ask_without(const struct setup *setup, uint8_t shortage)
{
	uint8_t out = left_out(shortage), rest = (uint8_t)(setup->wants & ~out);

	if ((shortage & setup->wants) != shortage || (out & fixed_of(setup->request)))
		return false;
	if (out &
		ASK_DELEGATED) /* IPv6 alone is all or nothing: the router asks again until there is a prefix */
		return rest & ASK_IPV4;
	return rest & (ASK_LINK | ASK_DELEGATED | ASK_IPV4);
}

/* The next request that is worth trying; false: there is none. */
static bool want_less(struct setup *setup)
{
	struct lease_request *r = setup->request;
	uint8_t rest;

	for (unsigned n = setup->tries++; n < sizeof(shortages); n = setup->tries++) {
		if (!may_ask_without(setup, shortages[n]))
			continue;
		rest = (uint8_t)(setup->wants & ~left_out(shortages[n]));
		r->want_subnet = rest & ASK_SUBNET;
		r->want_delegated = rest & ASK_DELEGATED;
		r->want_ipv4 = rest & ASK_IPV4;
		r->want_link = rest & ASK_LINK;
		setup->lacks = shortages[n];
		return true;
	}
	return false;
}

/* What it does not get, though the pool has such a thing. */
static void log_short(struct subscriber *sub)
{
	static const struct {
		uint8_t part;
		const char *name;
	} parts[] = {
		{ASK_SUBNET, "subnet"}, {ASK_DELEGATED, "delegated"}, {ASK_IPV4, "ipv4"}, {ASK_LINK, "link"}};
	const char *pool = sub->setup->request->pool;
	struct log_line l;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!(sub->setup->lacks & parts[i].part) ||
			!subscriber_log_limited(sub, &l, LEVEL_WARN, "pool-short"))
			continue;
		log_text(&l, "part", parts[i].name);
		log_text(&l, "pool", *pool ? pool : "default");
		log_end(&l);
	}
}

/* ---- asking ---- */

static void leased(void *owner, int result, const struct lease *lease, const char *why);

void subscriber_want_lease(struct softwire *s)
{
	struct subscriber *sub = subscriber_of(s);
	const struct concentrator_pool_config *pool;
	struct concentrator *c = sub->role;
	struct lease_request *r;
	const char *why;

	if ((!sub->setup || !sub->setup->request) && !subscriber_take_anonymous(sub, &why)) {
		refuse(sub, why, why);
		return;
	}
	r = sub->setup->request;
	pool = concentrator_pool(c, r->pool);
	if (!pool) {
		refuse(sub, "the user's pool is not configured", "no pool");
		return;
	}
	if (!replaces(sub) && is_over_limit(sub)) {
		c->role_counters.refused_user++;
		refuse(sub, "the user has as many softwires as it may",
			"the user has as many softwires as it may");
		return;
	}
	sub->slot = take_slot(sub);
	choose_wants(sub, &pool->lease);
	if (!wants_ipv6(r) && !r->want_ipv4) {
		refuse(sub, "neither the user nor its pool has addresses of a family that is served",
			"neither IPv6 nor IPv4 is configured for this user");
		return;
	}
	if (user_join(sub)) {
		refuse(sub, "out of memory", "out of memory");
		return;
	}
	sub->setup->wants = wants_of(r);
	sub->setup->tries = sub->setup->lacks = 0;
	lease_acquire(c->leases, r, leased, sub);
}

static void drop_request(struct subscriber *sub)
{
	if (!sub->setup)
		return;
	free(sub->setup->request);
	sub->setup->request = NULL;
}

/* ---- giving it ---- */

static void fill_ipv6(struct softwire_lease *ret, const struct lease *lease)
{
	ret->link6 = lease->link6;
	ret->prefix_count = (uint8_t)lease->prefix_count;
	memcpy(ret->delegated, lease->delegated, sizeof(lease->delegated));
}

static void fill_ipv4(struct softwire_lease *ret, const struct lease *lease)
{
	ret->address4 = lease->address4;
	ret->prefix4_count = (uint8_t)lease->subnet_count;
	memcpy(ret->delegated4, lease->subnets, sizeof(lease->subnets));
}

/* The lease may hold more than was asked for, from before. */
static void fill_lease(struct subscriber *sub, const struct concentrator_pool_config *pool,
	const struct lease *lease, struct softwire_lease *ret)
{
	*ret = (struct softwire_lease){
		.iid = sub->engine.softwire.ppp.assign_iid,
		.managed = sub->role->config.managed,
		.no_ipv6 = !wants_ipv6(sub->setup->request),
		.dhcp4 = sub->role->config.dhcp4,
		.dns_count = (uint8_t)pool->dns_count,
		.preferred = pool->preferred,
		.valid = pool->valid,
	};
	memcpy(ret->dns, pool->dns, sizeof(pool->dns));
	if (!ret->no_ipv6)
		fill_ipv6(ret, lease);
	if (sub->setup->request->want_ipv4)
		fill_ipv4(ret, lease);
}

/* From now on its own packets may come from there, and others' lead to it. */
static int route_link(struct subscriber *sub, const struct softwire_lease *lease)
{
	struct prefix host = prefix_of(&lease->address4, 32);
	int err = 0;

	if (!prefix_is_none(&lease->link6))
		err = subscriber_route(sub, &lease->link6);
	if (err || addr_is_none(&lease->address4))
		return err;
	err = subscriber_route(sub, &host);
	if (err && !prefix_is_none(&lease->link6))
		subscriber_unroute(sub, &lease->link6);
	return err;
}

static void leased(void *owner, int result, const struct lease *lease, const char *why)
{
	struct subscriber *sub = owner;
	const struct concentrator_pool_config *pool;
	struct softwire_lease given;

	if (!result)
		sub->leased = true; /* ours to give back with lease_idle(), once */
	if (sub->engine.softwire.step !=
		STEP_LEASE) /* it is ending; subscriber_leave() gives the lease back */
		return;
	if (result == -ENOSPC && want_less(sub->setup)) {
		/* That answer has ended the hold; this is another. */
		lease_acquire(sub->role->leases, sub->setup->request, leased, sub);
		return;
	}
	if (result) {
		refuse(sub, why,
			result == -EIO ? "new addresses cannot be given now, try again later" : "no address is free");
		return;
	}
	pool = concentrator_pool(
		sub->role, sub->setup->request->pool); /* a reload may have changed it meanwhile */
	if (!pool) {
		refuse(sub, "the user's pool is not configured any more", "no pool");
		return;
	}
	log_short(sub);
	fill_lease(sub, pool, lease, &given);
	drop_request(sub);
	if (route_link(sub, &given)) { /* two softwires may never share a prefix */
		refuse(sub, "another softwire has the same address", "address conflict");
		return;
	}
	softwire_sc_lease(&sub->engine, &given, NULL, subscriber_now(sub));
}

/* ---- holding what it has ---- */

enum { HOLD_AGAIN_MS = 2000 };

const char *subscriber_resume_user(struct subscriber *sub, const char *user, bool anonymous)
{
	sub->user = strdup(user);
	if (!sub->user || user_join(sub))
		return "memory is short";
	sub->anonymous = anonymous;
	if (anonymous)
		sub->role->anonymous_count++;
	return NULL;
}

void subscriber_forget_user(struct subscriber *sub)
{
	if (sub->user)
		user_part(sub);
	if (sub->anonymous)
		sub->role->anonymous_count--;
	sub->anonymous = false;
}

/* What it has, and nothing else, whatever the pool would give today. What a temporary pool gave is forgotten there, so it is named. */
static void want_the_same(struct subscriber *sub, bool temporary)
{
	const struct softwire_lease *has = sub->engine.lease;
	struct lease_request *r = sub->setup->request;

	r->want_link = !prefix_is_none(&has->link6);
	r->want_delegated = has->prefix_count;
	r->want_ipv4 = !addr_is_none(&has->address4);
	r->want_subnet = has->prefix4_count;
	if (!temporary)
		return;
	r->fixed_link = has->link6;
	r->fixed4 = has->address4;
	r->fixed_count = has->prefix_count;
	memcpy(r->fixed, has->delegated, has->prefix_count * sizeof(has->delegated[0]));
	r->fixed_subnet_count = has->prefix4_count;
	memcpy(r->fixed_subnets, has->delegated4, has->prefix4_count * sizeof(has->delegated4[0]));
}

static bool is_among(const struct prefix *p, const struct prefix *list, unsigned count)
{
	while (count--)
		if (prefix_equal(p, &list[count]))
			return true;
	return false;
}

static bool has_all(const struct lease *lease, const struct softwire_lease *has)
{
	if (!prefix_is_none(&has->link6) && !prefix_equal(&has->link6, &lease->link6))
		return false;
	if (!addr_is_none(&has->address4) && !addr_equal(&has->address4, &lease->address4))
		return false;
	for (unsigned i = 0; i < has->prefix_count; i++)
		if (!is_among(&has->delegated[i], lease->delegated, lease->prefix_count))
			return false;
	for (unsigned i = 0; i < has->prefix4_count; i++)
		if (!is_among(&has->delegated4[i], lease->subnets, lease->subnet_count))
			return false;
	return true;
}

static void abandon(struct subscriber *sub, const char *why)
{
	struct log_line l;

	sub->role->role_counters.not_adopted++;
	if (concentrator_may_log(sub->role) && subscriber_log(sub, &l, LEVEL_WARN, "not-adopted")) {
		log_text(&l, "reason", why);
		log_end(&l);
	}
	subscriber_close(sub, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, why);
}

static void hold_unheld(struct wheel_timer *t, msec now)
{
	struct concentrator *c = container_of(t, struct concentrator, hold_timer);
	struct subscriber *next;
	bool left = false;

	for (struct subscriber *sub = c->all; sub; sub = next) {
		next = sub->next;
		if (!sub->unheld || sub->engine.softwire.step != STEP_UP)
			continue;
		left = true;
		if (!sub->setup) /* else it is being asked for, or something else is going on */
			subscriber_hold_again(sub);
	}
	if (left)
		wheel_arm(&c->loop->wheel, t, now + HOLD_AGAIN_MS);
}

/* The database's trouble, not the lease's. What is not held could be given to somebody else when that is over, so it is asked for again. */
static void hold_later(struct subscriber *sub, const char *why)
{
	struct concentrator *c = sub->role;

	if (!sub->unheld && concentrator_may_log(c))
		log_message(c->log, LEVEL_WARN, "lease", "softwire %u goes on, but its lease is not held yet: %s", sub->id, why);
	sub->unheld = true;
	c->hold_timer.fire = hold_unheld;
	if (!wheel_armed(&c->hold_timer))
		wheel_arm(&c->loop->wheel, &c->hold_timer, loop_now(c->loop) + HOLD_AGAIN_MS);
}

static void held_again(void *owner, int result, const struct lease *lease, const char *why)
{
	struct subscriber *sub = owner;

	subscriber_setup_end(sub);
	if (sub->engine.softwire.step >= STEP_CLOSING)
		return;
	if (result == -EIO || result == -ENOMEM) {
		hold_later(sub, why);
		return;
	}
	sub->unheld = false;
	if (result)
		abandon(sub, *why ? why : "its lease is somebody else's");
	else if (!has_all(lease, sub->engine.lease))
		abandon(sub, "its lease is another one now");
}

void subscriber_hold_again(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	const struct concentrator_pool_config *pool =
		subscriber_entitle(sub) ? concentrator_pool(c, sub->setup->request->pool) : NULL;

	if (!pool) {
		subscriber_setup_end(sub);
		abandon(sub, "its pool is not configured any more");
		return;
	}
	choose_wants(sub, &pool->lease);
	want_the_same(sub, pool->lease.temporary);
	lease_acquire(c->leases, sub->setup->request, held_again, sub);
}

struct addr subscriber_address6(const struct subscriber *sub)
{
	const struct softwire_lease *lease = sub->engine.lease;
	const struct softwire *s = &sub->engine.softwire;

	if (!lease || prefix_is_none(&lease->link6) || !s->ppp.peer_iid)
		return (struct addr){0};
	return addr6_with_iid(&lease->link6.addr, s->ppp.peer_iid);
}

/* ---- delegated prefixes ---- */

static void bound(void *owner, int result, const struct lease *lease, const char *why)
{
	struct subscriber *sub = owner;

	softwire_sc_bound(&sub->engine, result == 0, result ? "the lease could not be recorded" : NULL,
		subscriber_now(sub));
}

void subscriber_bind_duid(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	struct subscriber *sub = subscriber_of(s);

	lease_bind(sub->role->leases, sub->user, sub->slot, duid->data, duid->len, iaid, bound, sub);
}

static void log_delegated(
	struct subscriber *sub, const struct prefix *p, enum log_level level, const char *event)
{
	struct log_line l;

	if (subscriber_log_limited(
		    sub, &l, level, event)) { /* a client may release and ask again as often as it likes */
		log_prefix(&l, "prefix", p);
		log_end(&l);
	}
}

static void delegate(struct subscriber *sub, const struct prefix *p, bool in_use)
{
	if (!in_use) {
		subscriber_unroute(sub, p);
	} else if (subscriber_route(sub, p)) {
		log_delegated(
			sub, p, LEVEL_ERROR, "prefix-conflict"); /* never given to two: the first keeps it */
		return;
	}
	log_delegated(sub, p, LEVEL_INFO, in_use ? "delegated" : "released");
}

void subscriber_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	struct subscriber *sub = subscriber_of(s);
	const struct softwire_lease *lease = sub->engine.lease;
	bool six = family == AF_INET6;
	const struct prefix *list = six ? lease->delegated : lease->delegated4;
	unsigned count = six ? lease->prefix_count : lease->prefix4_count;

	if (in_use == (six ? sub->routed6 : sub->routed4))
		return;
	for (unsigned i = 0; i < count; i++)
		delegate(sub, &list[i], in_use);
	if (six)
		sub->routed6 = in_use;
	else
		sub->routed4 = in_use;
	if (count)
		subscriber_hook_delegated(sub, family, in_use);
}

/* ---- giving it back ---- */

static void forgotten(void *owner, int result, const struct lease *lease, const char *why)
{
	/* Nothing depends on it: a temporary pool has forgotten it already. */
}

static void unroute_all(struct subscriber *sub)
{
	struct prefix prefixes[DP_ROW_PREFIXES];
	unsigned count;

	if (sub->engine.lease && sub->routed6)
		subscriber_delegated(&sub->engine.softwire, AF_INET6, false);
	if (sub->engine.lease && sub->routed4)
		subscriber_delegated(&sub->engine.softwire, AF_INET, false);
	count = dp_row_list(sub->row, prefixes); /* the engine may have had no memory for a lease of its own */
	for (unsigned i = 0; i < count; i++)
		subscriber_unroute(sub, &prefixes[i]);
}

void subscriber_leave(struct subscriber *sub)
{
	struct concentrator *c = sub->role;

	unroute_all(sub);
	lease_cancel(c->leases,
		sub); /* an answer that is still on its way: the store keeps what it would have given */
	if (sub->leased)
		lease_idle(c->leases, sub->user, sub->slot);
	sub->leased = false;
	if (sub->user)
		user_part(sub);
	if (sub->anonymous) { /* nobody will ever come back for it */
		lease_forget(c->leases, sub->user, sub->slot, forgotten, c);
		c->anonymous_count--;
	}
	sub->anonymous = false;
	drop_request(sub);
}

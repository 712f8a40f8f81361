/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose softwire it is, what the user gets, and how many a user may have.
 *
 * Order: tunnel secret (by the peer's address), CHAP against the users, a slot of the user, the lease of (user, slot). A user at its limit
 * gets the new softwire, and the oldest one is closed: usually it is a dead one of the same router (design: replace the stale).
 * Answers of aaa/ and lease/ come later; a softwire that is gone meanwhile has cancelled them.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)DP_ROW_PREFIXES > (int)LEASE_PREFIXES, "a row takes the link's prefix and all delegated ones");

static struct subscriber *subscriber_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_sc, softwire), struct subscriber, engine);
}

static msec now_of(const struct subscriber *sub)
{
	return loop_now(sub->role->loop);
}

/* ---- users and their softwires ---- */

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
			hash_insert(&c->by_user, user_hash(c, sub->user), sub->next_of_user); /* room was just made */
	} else {
		while (first && first->next_of_user != sub)
			first = first->next_of_user;
		if (first)
			first->next_of_user = sub->next_of_user;
	}
	sub->next_of_user = NULL;
}

const struct concentrator_pool_config *concentrator_pool(const struct concentrator *c, const char *name)
{
	for (unsigned i = 0; i < c->config.pool_count; i++)
		if (strcmp(c->config.pools[i].lease.name, *name ? name : "default") == 0)
			return &c->config.pools[i];
	return NULL;
}

bool concentrator_pools_cover(const struct concentrator *c, const struct prefix *p)
{
	for (unsigned i = 0; i < c->config.pool_count; i++)
		if (prefix_contains(&c->config.pools[i].lease.link6, p) ||
			prefix_contains(&c->config.pools[i].lease.delegate_from, p))
			return true;
	return false;
}

/* ---- tunnel authentication ---- */

static void tunnel_secret_answer(void *owner, const void *secret, size_t len)
{
	struct subscriber *sub = owner;

	softwire_tunnel_secret(&sub->engine.softwire, secret, len, now_of(sub));
}

void subscriber_want_tunnel_secret(struct softwire *s, const char *host_name)
{
	struct subscriber *sub = subscriber_of(s);

	aaa_tunnel_secret(sub->role->aaa, &sub->row->peer.addr, host_name, tunnel_secret_answer, sub);
}

/* ---- user authentication ---- */

static void log_auth(struct subscriber *sub, bool ok, const char *why)
{
	struct log_line l;

	if (ok ? !subscriber_log(sub, &l, LEVEL_INFO, "auth-ok") : !subscriber_log_limited(sub, &l, LEVEL_WARN, "auth-failed"))
		return;
	if (!sub->user && sub->claimed)
		log_text(&l, "user", sub->claimed);
	if (!ok)
		log_text(&l, "reason", why);
	log_end(&l);
}

/* Takes over what the user is entitled to. False: no memory. */
static bool take_user(struct subscriber *sub, const struct aaa_user *user)
{
	struct lease_request *r = calloc(1, sizeof(*r));
	char *name = strdup(user->name);

	if (!r || !name) {
		free(r);
		free(name);
		return false;
	}
	memcpy(r->user, user->name, sizeof(r->user));
	snprintf(r->pool, sizeof(r->pool), "%s", *user->pool ? user->pool : "default");
	r->fixed_count = user->delegate_count;
	memcpy(r->fixed, user->delegate, sizeof(user->delegate));
	r->fixed_link = user->link;
	sub->engine.softwire.ppp.assign_iid = user->iid;
	sub->softwires = user->softwires;
	sub->request = r;
	sub->user = name;
	return true;
}

static void verified(void *owner, bool ok, const struct aaa_user *user, const char *why, const char *message)
{
	struct subscriber *sub = owner;
	struct concentrator *c = sub->role;

	if (ok && sub->user && strcmp(sub->user, user->name) != 0) {
		ok = false;
		message = "wrong user name or password";
		why = "another user than before on the same softwire";
	} else if (ok && !sub->user && !take_user(sub, user)) {
		ok = false;
		message = "try again";
		why = "out of memory";
	}
	if (ok)
		c->role_counters.auth_ok++;
	else
		c->role_counters.auth_failed++;
	log_auth(sub, ok, why);
	free(sub->claimed);
	sub->claimed = NULL;
	/* The peer is not told which of name and password was wrong. */
	softwire_verified(&sub->engine.softwire, ok, message, now_of(sub));
}

void subscriber_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	struct subscriber *sub = subscriber_of(s);
	struct aaa_claim chap = {
		.protocol = claim->protocol,
		.name = claim->name,
		.name_len = claim->name_len,
		.id = claim->id,
		.algorithm = claim->algorithm,
		.challenge = claim->challenge,
		.challenge_len = claim->challenge_len,
		.response = claim->response,
		.response_len = claim->response_len,
	};
	struct log_line l;

	free(sub->claimed);
	sub->claimed = strndup((const char *)claim->name, claim->name_len);
	subscriber_trace_claimed(sub, claim->name, claim->name_len);
	if (subscriber_log_limited(sub, &l, LEVEL_DEBUG, "auth-claim")) {
		log_textn(&l, "claims", claim->name, claim->name_len);
		log_end(&l);
	}
	aaa_verify(sub->role->aaa, &chap, verified, sub);
}

static void own_secret_answer(void *owner, const void *secret, size_t len)
{
	struct subscriber *sub = owner;

	softwire_ppp_secret(&sub->engine.softwire, secret, len, now_of(sub));
}

void subscriber_want_ppp_secret(struct softwire *s, const char *peer_name)
{
	struct subscriber *sub = subscriber_of(s);

	aaa_server_secret(sub->role->aaa, sub->user ? sub->user : peer_name, own_secret_answer, sub);
}

/* ---- leases ---- */

static void log_no_address(struct subscriber *sub, const char *why)
{
	struct log_line l;

	sub->role->role_counters.no_address++;
	if (subscriber_log_limited(sub, &l, LEVEL_ERROR, "no-address")) {
		log_text(&l, "pool", sub->request->pool);
		log_text(&l, "reason", why);
		log_end(&l);
	}
}

static void fill_lease(struct subscriber *sub, const struct concentrator_pool_config *pool, const struct lease *lease,
	struct softwire_lease *ret)
{
	*ret = (struct softwire_lease){
		.link6 = lease->link6,
		.prefix_count = lease->prefix_count,
		.preferred = pool->preferred,
		.valid = pool->valid,
		.dns_count = pool->dns_count,
		.managed = sub->role->config.managed,
		.iid = sub->engine.softwire.ppp.assign_iid,
	};
	memcpy(ret->delegated, lease->delegated, sizeof(lease->delegated));
	memcpy(ret->dns, pool->dns, sizeof(pool->dns));
}

static void leased(void *owner, int result, const struct lease *lease, const char *why)
{
	struct subscriber *sub = owner;
	struct softwire *s = &sub->engine.softwire;
	const struct concentrator_pool_config *pool;
	struct softwire_lease given;
	int err = 0;

	if (!result)
		sub->leased = true; /* ours to give back with lease_idle(), once */
	if (s->step != STEP_LEASE) /* it is ending; subscriber_leave() gives the lease back */
		return;
	if (result) {
		log_no_address(sub, why);
		softwire_sc_lease(&sub->engine, NULL, "no address is free", now_of(sub));
		return;
	}
	pool = concentrator_pool(sub->role, sub->request->pool); /* a reload may have changed it meanwhile */
	if (!pool) {
		log_no_address(sub, "the user's pool is not configured any more");
		softwire_sc_lease(&sub->engine, NULL, "no pool", now_of(sub));
		return;
	}
	fill_lease(sub, pool, lease, &given);
	free(sub->request);
	sub->request = NULL;
	if (!prefix_is_none(&given.link6))
		err = dp_row_add_prefix(tun_plane_table(sub->role->plane), sub->row, &given.link6);
	if (err) { /* two softwires may never share a prefix */
		softwire_sc_lease(&sub->engine, NULL, "address conflict", now_of(sub));
		return;
	}
	softwire_sc_lease(&sub->engine, &given, NULL, now_of(sub));
}

/* A slot for one more softwire of this user: a free one, or that of the oldest, which is closed. */
static uint16_t take_slot(struct subscriber *sub)
{
	struct subscriber *oldest = NULL;
	unsigned limit = sub->softwires ? sub->softwires : 1;

	for (unsigned slot = 0; slot < limit; slot++) {
		struct subscriber *other = concentrator_first_of_user(sub->role, sub->user);

		while (other && other->slot != slot)
			other = other->next_of_user;
		if (!other)
			return (uint16_t)slot;
		if (!oldest || other->id < oldest->id)
			oldest = other;
	}

	unsigned slot = oldest->slot;

	sub->role->role_counters.replaced++;
	subscriber_close(oldest, CAUSE_REPLACED, L2TP_STOP_EXISTS, 0, "replaced by a new softwire of the same user");
	return (uint16_t)slot;
}

static bool over_user_limit(struct subscriber *sub)
{
	unsigned n = 0;

	for (struct subscriber *o = concentrator_first_of_user(sub->role, sub->user); o; o = o->next_of_user)
		n++;
	return n >= (sub->softwires ? sub->softwires : 1u);
}

void subscriber_want_lease(struct softwire *s)
{
	struct subscriber *sub = subscriber_of(s);
	const struct concentrator_pool_config *pool;
	struct concentrator *c = sub->role;
	msec now = now_of(sub);

	if (!sub->request) { /* anonymous service is not offered */
		softwire_sc_lease(&sub->engine, NULL, "the user is not known", now);
		return;
	}
	pool = concentrator_pool(c, sub->request->pool);
	if (!pool) {
		log_no_address(sub, "the user's pool is not configured");
		softwire_sc_lease(&sub->engine, NULL, "no pool", now);
		return;
	}
	if (!c->config.replace_softwires && over_user_limit(sub)) {
		softwire_sc_lease(&sub->engine, NULL, "the user has as many softwires as it may", now);
		return;
	}
	sub->slot = take_slot(sub);
	sub->request->slot = sub->slot;
	sub->request->want_link = !prefix_is_none(&pool->lease.link6);
	sub->request->want_delegated = !prefix_is_none(&pool->lease.delegate_from);
	if (sub->slot) { /* fixed prefixes are the first softwire's */
		sub->request->fixed_count = 0;
		sub->request->fixed_link = (struct prefix){0};
	}
	if (user_join(sub)) {
		softwire_sc_lease(&sub->engine, NULL, "out of memory", now);
		return;
	}
	lease_acquire(c->leases, sub->request, leased, sub);
}

static void bound(void *owner, int result, const struct lease *lease, const char *why)
{
	struct subscriber *sub = owner;

	softwire_sc_bound(&sub->engine, result == 0, result ? "the lease could not be recorded" : NULL, now_of(sub));
}

void subscriber_bind_duid(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	struct subscriber *sub = subscriber_of(s);

	lease_bind(sub->role->leases, sub->user, sub->slot, duid->data, duid->len, iaid, bound, sub);
}

static void log_delegated(struct subscriber *sub, const struct prefix *p, enum log_level level, const char *event)
{
	struct log_line l;

	if (subscriber_log_limited(sub, &l, level, event)) { /* a client may release and ask again as often as it likes */
		log_prefix(&l, "prefix", p);
		log_end(&l);
	}
}

void subscriber_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	struct subscriber *sub = subscriber_of(s);
	struct concentrator *c = sub->role;
	const struct softwire_lease *lease = sub->engine.lease;

	for (unsigned i = 0; i < lease->prefix_count; i++) {
		const struct prefix *p = &lease->delegated[i];

		if (!in_use)
			dp_row_remove_prefix(tun_plane_table(c->plane), sub->row, p);
		else if (dp_row_add_prefix(tun_plane_table(c->plane), sub->row, p)) {
			log_delegated(sub, p, LEVEL_ERROR, "prefix-conflict"); /* never given to two: the first keeps it */
			continue;
		}
		/* Pools are routed to the device as a whole; only what is outside them needs a route of its own. */
		if (!concentrator_pools_cover(c, p))
			keeper_route(c->keeper, in_use, p, KEEPER_ROUTE_DEVICE, c->config.device, NULL, 0, NULL, NULL);
		log_delegated(sub, p, LEVEL_INFO, in_use ? "delegated" : "released");
	}
	sub->routed = in_use;
}

void subscriber_leave(struct subscriber *sub)
{
	struct concentrator *c = sub->role;
	struct softwire_lease *lease = sub->engine.lease;

	if (lease && sub->routed)
		subscriber_delegated(&sub->engine.softwire, AF_INET6, false);
	if (lease && !prefix_is_none(&lease->link6))
		dp_row_remove_prefix(tun_plane_table(c->plane), sub->row, &lease->link6);
	lease_cancel(c->leases, sub); /* an answer that is still on its way: the store keeps what it would have given */
	if (sub->leased)
		lease_idle(c->leases, sub->user, sub->slot);
	sub->leased = false;
	if (sub->user)
		user_part(sub);
	free(sub->request);
	sub->request = NULL;
}

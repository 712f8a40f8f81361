/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the concentrator puts into the kernel: our addresses, forwarding, and routes.
 *
 * Pools go to the device as aggregates; what is not assigned in them is answered there with ICMP. Only what was given to a
 * user outside of all pools needs a route of its own, for as long as it is in use.
 */
#include "concentrator/role.h"

#include <string.h>

enum { POOL_PREFIXES = 4 };

static void route_answer(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (result)
		log_message(c->log, LEVEL_ERROR, "route-failed",
			"a pool or address of the concentrator could not be installed: %s",
			strerror(-result));
}

static void own_route_answer(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (result && concentrator_may_log(c))
		log_message(c->log, LEVEL_ERROR, "route-failed",
			"a route to a user's address outside of the pools could not be installed: %s",
			strerror(-result));
}

/* ---- pools ---- */

static bool serves_ipv4(const struct concentrator_config *config)
{
	return !addr_is_none(&config->local4);
}

/* Prefix N of the pool, or "none". */
static struct prefix pool_prefix(const struct concentrator_config *config, unsigned pool, unsigned n)
{
	const struct lease_pool_config *p = &config->pools[pool].lease;
	const struct prefix *const all[POOL_PREFIXES] = {
		&p->link6, &p->delegate_from, &p->ipv4, &p->delegate4_from};

	return n < 2 || serves_ipv4(config) ? *all[n] : (struct prefix){0};
}

static bool is_pool_prefix(const struct concentrator_config *config, const struct prefix *p)
{
	for (unsigned i = 0; i < config->pool_count; i++)
		for (unsigned n = 0; n < POOL_PREFIXES; n++) {
			struct prefix other = pool_prefix(config, i, n);

			if (prefix_equal(&other, p))
				return true;
		}
	return false;
}

static bool pools_cover(const struct concentrator_config *config, const struct prefix *p)
{
	for (unsigned i = 0; i < config->pool_count; i++)
		for (unsigned n = 0; n < POOL_PREFIXES; n++) {
			struct prefix outer = pool_prefix(config, i, n);

			if (!prefix_is_none(&outer) && prefix_contains(&outer, p))
				return true;
		}
	return false;
}

static void install_pools(struct concentrator *c)
{
	for (unsigned i = 0; i < c->config.pool_count; i++)
		for (unsigned n = 0; n < POOL_PREFIXES; n++) {
			struct prefix p = pool_prefix(&c->config, i, n);

			if (!prefix_is_none(&p))
				keeper_route(c->keeper, true, &p, KEEPER_ROUTE_DEVICE, c->config.device, NULL,
					0, route_answer, c);
		}
}

/* The aggregates of OLD that the configuration does not have any more. */
static void remove_old_pools(struct concentrator *c, const struct concentrator_config *old)
{
	for (unsigned i = 0; i < old->pool_count; i++)
		for (unsigned n = 0; n < POOL_PREFIXES; n++) {
			struct prefix p = pool_prefix(old, i, n);

			if (!prefix_is_none(&p) && !is_pool_prefix(&c->config, &p))
				keeper_route(c->keeper, false, &p, KEEPER_ROUTE_DEVICE, c->config.device,
					NULL, 0, route_answer, c);
		}
}

static bool has_ipv4_pool(const struct concentrator_config *config)
{
	for (unsigned i = 0; i < config->pool_count; i++)
		if (!prefix_is_none(&config->pools[i].lease.ipv4))
			return serves_ipv4(config);
	return false;
}

void concentrator_forward(struct concentrator *c)
{
	keeper_forwarding(c->keeper, AF_INET6, route_answer, c);
	if (has_ipv4_pool(&c->config) || (c->fixed4 && serves_ipv4(&c->config)))
		keeper_forwarding(c->keeper, AF_INET, route_answer, c);
}

void concentrator_install_network(struct concentrator *c)
{
	const struct concentrator_config *config = &c->config;

	if (!addr_is_none(&config->local6))
		keeper_address(c->keeper, true, config->device, &config->local6, 128, UINT32_MAX, UINT32_MAX,
			route_answer, c);
	if (!addr_is_none(&config->local4))
		keeper_address(c->keeper, true, config->device, &config->local4, 32, UINT32_MAX, UINT32_MAX,
			route_answer, c);
	concentrator_forward(c);
	install_pools(c);
}

/* ---- prefixes of softwires ---- */

static void own_route(struct concentrator *c, const struct prefix *p, bool add)
{
	keeper_route(c->keeper, add, p, KEEPER_ROUTE_DEVICE, c->config.device, NULL, 0,
		add ? own_route_answer : NULL, c);
}

int subscriber_route(struct subscriber *sub, const struct prefix *p)
{
	struct concentrator *c = sub->role;
	int err = dp_row_add_prefix(tun_plane_table(c->plane), sub->row, p);

	if (!err && !pools_cover(&c->config, p))
		own_route(c, p, true);
	return err;
}

void subscriber_unroute(struct subscriber *sub, const struct prefix *p)
{
	struct concentrator *c = sub->role;

	dp_row_remove_prefix(tun_plane_table(c->plane), sub->row, p);
	if (!pools_cover(&c->config, p))
		own_route(c, p, false);
}

/* ---- reload ---- */

/* What a softwire has stays its own also when its pool is gone; and where there is a pool now, it needs no route of its own. */
static void change_routes(struct subscriber *sub, const struct concentrator_config *old)
{
	struct concentrator *c = sub->role;
	struct prefix prefixes[DP_ROW_PREFIXES];
	unsigned count = dp_row_list(sub->row, prefixes);

	for (unsigned i = 0; i < count; i++) {
		bool covered = pools_cover(&c->config, &prefixes[i]);

		if (covered != pools_cover(old, &prefixes[i]) && !is_pool_prefix(&c->config, &prefixes[i]))
			own_route(c, &prefixes[i], !covered);
	}
}

void concentrator_change_network(struct concentrator *c, const struct concentrator_config *old)
{
	remove_old_pools(c, old); /* first: one of them may be exactly what somebody keeps */
	install_pools(c);
	for (struct subscriber *sub = c->all; sub; sub = sub->next)
		change_routes(sub, old);
}

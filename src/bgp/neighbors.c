/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The neighbours that there are: added, changed, removed, found, shown; and what the operator does to one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/parts.h"

/* ---- found ---- */

struct bgp_neighbor *bgp_neighbor_next(const struct bgp *b, const struct bgp_neighbor *after)
{
	for (unsigned i = after ? after->source + 1u : 1; i <= BGP_NEIGHBORS; i++)
		if (b->neighbors[i] && !b->neighbors[i]->removed)
			return b->neighbors[i];
	return NULL;
}

struct bgp_neighbor *bgp_neighbor_find(const struct bgp *b, const char *name)
{
	for (struct bgp_neighbor *n = bgp_neighbor_next(b, NULL); n; n = bgp_neighbor_next(b, n))
		if (!strcmp(n->config.name, name))
			return n;
	return NULL;
}

struct bgp_neighbor *bgp_neighbor_by_address(const struct bgp *b, const struct addr *a, unsigned interface)
{
	for (struct bgp_neighbor *n = bgp_neighbor_next(b, NULL); n; n = bgp_neighbor_next(b, n)) {
		unsigned index = n->config.interface_index;

		if (addr_equal(&n->config.address, a) &&
			(!addr_is_link_local(a) || !index || index == interface))
			return n;
	}
	return NULL;
}

uint16_t bgp_neighbor_source(const struct bgp_neighbor *n)
{
	return n->source;
}

const char *bgp_neighbor_name(const struct bgp_neighbor *n)
{
	return n->config.name;
}

struct bgp_neighbor *bgp_source_neighbor(const struct bgp *b, uint16_t source)
{
	struct bgp_neighbor *n = source <= BGP_NEIGHBORS ? b->neighbors[source] : NULL;

	return n && !n->removed ? n : NULL;
}

const char *bgp_source_name(const struct bgp *b, const struct rib_path *p)
{
	static const char *const ours[] = {"network", "kernel", "tunnel"};

	if (p->source)
		return b->neighbors[p->source] ? b->neighbors[p->source]->config.name : "?";
	return p->origin < sizeof(ours) / sizeof(ours[0]) ? ours[p->origin] : "?";
}

/* ---- added ---- */

/* Does somebody else have this address (a link-local one: on this interface)? */
static bool address_taken(
	const struct bgp *b, const struct bgp_neighbor_config *config, const struct bgp_neighbor *self)
{
	for (struct bgp_neighbor *n = bgp_neighbor_next(b, NULL); n; n = bgp_neighbor_next(b, n))
		if (n != self && addr_equal(&n->config.address, &config->address) &&
			(!addr_is_link_local(&config->address) ||
				!strcmp(n->config.interface, config->interface)))
			return true;
	return false;
}

/* Copies of what CONFIG points to. 0 or -ENOMEM, and then there are none. */
static int copy_policies(
	const struct bgp_neighbor_config *config, struct policy **ret_import, struct policy **ret_export)
{
	struct policy *import = NULL, *export = NULL;

	if (config->import_policy && !(import = policy_copy(config->import_policy)))
		return -ENOMEM;
	if (config->export_policy && !(export = policy_copy(config->export_policy))) {
		policy_free(import);
		return -ENOMEM;
	}
	*ret_import = import;
	*ret_export = export;
	return 0;
}

/* CONFIG is N's from now on; its policies are those that N has already. */
static void adopt(struct bgp_neighbor *n, const struct bgp_neighbor_config *config)
{
	n->config = *config;
	n->config.import_policy = n->import;
	n->config.export_policy = n->export;
	n->config.default_local = !neighbor_is_external(n) || (config->has_import && config->has_export);
	n->facts.external = neighbor_is_external(n);
	n->facts.address = config->address;
	n->idle_ms = config->idle_hold;
}

static uint16_t free_source(const struct bgp *b)
{
	for (unsigned i = 1; i <= BGP_NEIGHBORS; i++)
		if (!b->neighbors[i])
			return (uint16_t)i;
	return 0;
}

int bgp_neighbor_add(struct bgp *b, const struct bgp_neighbor_config *config, struct bgp_neighbor **ret)
{
	uint16_t source = free_source(b);
	struct bgp_neighbor *n;

	if (bgp_neighbor_find(b, config->name) || address_taken(b, config, NULL))
		return -EEXIST;
	if (!source)
		return -ENOSPC;
	n = calloc(1, sizeof(*n));
	if (!n || copy_policies(config, &n->import, &n->export)) {
		free(n);
		return -ENOMEM;
	}
	n->bgp = b;
	n->source = source;
	n->timer.fire = neighbor_fire;
	n->since = b->wheel->now;
	n->connect_at = n->idle_until = n->restart_until = MSEC_NEVER;
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		n->table[f].refresh_until = n->table[f].stale_until = MSEC_NEVER;
	adopt(n, config);
	b->neighbors[source] = n;
	b->neighbor_count++;
	*ret = n;
	return 0;
}

void bgp_neighbor_start(struct bgp_neighbor *n)
{
	n->started = true;
	neighbor_begin(n, n->bgp->wheel->now);
}

/* ---- removed ---- */

void neighbor_free(struct bgp_neighbor *n)
{
	n->bgp->neighbors[n->source] = NULL;
	wheel_disarm(n->bgp->wheel, &n->timer);
	policy_free(n->import);
	policy_free(n->export);
	free(n);
}

void bgp_neighbor_remove(struct bgp_neighbor *n)
{
	struct bgp *b = n->bgp;
	struct bgp_error e = {0};

	bgp_cease(&e, BGP_CEASE_UNCONFIGURED, NULL);
	n->started = false;
	neighbor_reset(n, &e, b->wheel->now);
	neighbor_forget(n); /* bgp_work() frees it, never we: who calls may be inside the engine */
	n->removed = true;
	b->neighbor_count--;
	wheel_disarm(b->wheel, &n->timer);
}

/* ---- changed ---- */

/* What cannot be changed under a session, as a clause; or NULL. */
static const char *needs_reset(const struct bgp_neighbor_config *a, const struct bgp_neighbor_config *b)
{
	if (!addr_equal(&a->address, &b->address) || strcmp(a->interface, b->interface) != 0 ||
		!addr_equal(&a->local_address, &b->local_address) || a->port != b->port)
		return "another address";
	if (a->as != b->as || a->local_as != b->local_as)
		return "another AS";
	if (a->families != b->families)
		return "other families";
	if (a->multihop != b->multihop || a->ttl != b->ttl || a->ttl_security != b->ttl_security)
		return "another distance";
	if (strcmp(a->password_file, b->password_file) != 0)
		return "another password file";
	if (a->extended_messages != b->extended_messages || a->graceful_restart != b->graceful_restart ||
		a->extended_next_hop != b->extended_next_hop || a->refresh != b->refresh || a->as4 != b->as4)
		return "other capabilities";
	return NULL;
}

/* What it is told looks different now. */
static bool told_differently(const struct bgp_neighbor_config *a, const struct bgp_neighbor_config *b)
{
	return a->client != b->client || a->next_hop_self != b->next_hop_self ||
	       a->next_hop_self_all != b->next_hop_self_all ||
	       a->next_hop_unchanged != b->next_hop_unchanged || a->tunnels != b->tunnels ||
	       a->tunnel_way != b->tunnel_way;
}

static void tell_again(struct bgp_neighbor *n, msec now)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (n->table[f].on)
			send_again(n, (enum bgp_family)f, now);
}

/* Who is a client decides also what others are told of its routes (RFC 4456). */
static void tell_others_again(struct bgp_neighbor *n, msec now)
{
	for (struct bgp_neighbor *o = bgp_neighbor_next(n->bgp, NULL); o; o = bgp_neighbor_next(n->bgp, o))
		if (o != n && o->up && !neighbor_is_external(o))
			tell_again(o, now);
}

static int reset(struct bgp_neighbor *n, enum bgp_cease subcode, const char *why)
{
	struct bgp_error e = {0};

	bgp_cease(&e, subcode, subcode == BGP_CEASE_SHUTDOWN ? why : NULL);
	if (why && subcode != BGP_CEASE_SHUTDOWN)
		bgp_error_set(
			&e, BGP_ERROR_CEASE, (uint8_t)subcode, NULL, 0, "configuration changed: %s", why);
	neighbor_reset(n, &e, n->bgp->wheel->now);
	neighbor_forget(n);
	neighbor_begin(n, n->bgp->wheel->now);
	return 1;
}

static int ask_all(struct bgp_neighbor *n, msec now)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (n->table[f].on && restart_ask(n, (enum bgp_family)f, now))
			return -EOPNOTSUPP;
	return 0;
}

/* With the session up, N->config and its policies being new. */
static int change_live(struct bgp_neighbor *n, const struct bgp_neighbor_config *old, bool import_changed,
	bool export_changed, struct policy *old_export)
{
	msec now = n->bgp->wheel->now;
	struct bgp_error e = {0};

	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		n->table[f].warned = false;
	if (export_changed)
		send_policy(n, old_export, now);
	else
		policy_free(old_export);
	if (told_differently(old, &n->config))
		tell_again(n, now);
	if (old->client != n->config.client)
		tell_others_again(n, now);
	if ((import_changed || old->has_import != n->config.has_import ||
		    old->tunnels != n->config.tunnels) &&
		ask_all(n, now))
		return reset(n, BGP_CEASE_CHANGED, "import policy, and it cannot tell its routes again");
	if (!receive_is_within_limits(n, &e)) {
		session_end(n->up, &e, true, now);
		return 1;
	}
	neighbor_schedule(n);
	return 0;
}

int bgp_neighbor_change(struct bgp_neighbor *n, const struct bgp_neighbor_config *config)
{
	struct bgp_neighbor_config old = n->config;
	struct policy *import, *export, *old_export = n->export;
	const char *why = needs_reset(&old, config);
	bool import_changed = !policy_equal(n->import, config->import_policy);
	bool export_changed = !policy_equal(n->export, config->export_policy);

	if (address_taken(n->bgp, config, n))
		return -EEXIST;
	if (copy_policies(config, &import, &export))
		return -ENOMEM;
	policy_free(n->import);
	n->import = import;
	n->export = export;
	adopt(n, config);
	memcpy(n->config.name, old.name, sizeof(old.name));
	if (n->up && !why && !config->shutdown)
		return change_live(n, &old, import_changed, export_changed, old_export);
	policy_free(old_export);
	if (config->shutdown && !old.shutdown)
		return reset(n, BGP_CEASE_SHUTDOWN, config->shutdown_text[0] ? config->shutdown_text : NULL);
	if (why)
		return reset(n, BGP_CEASE_CHANGED, why);
	if (old.shutdown != config->shutdown || old.passive != config->passive)
		neighbor_begin(n, n->bgp->wheel->now);
	return 0;
}

/* ---- the operator ---- */

void bgp_neighbor_clear(struct bgp_neighbor *n, const char *words)
{
	struct bgp_error e = {0};

	bgp_cease(&e, BGP_CEASE_RESET, words);
	neighbor_reset(n, &e, n->bgp->wheel->now);
	neighbor_forget(n);
	n->held = false;
	n->young = 0;
	n->idle_ms = n->config.idle_hold;
	neighbor_begin(n, n->bgp->wheel->now);
}

int bgp_neighbor_refresh(struct bgp_neighbor *n, bool in, bool out)
{
	msec now = n->bgp->wheel->now;

	if (!n->up)
		return -ENOTCONN;
	if (in && ask_all(n, now))
		return -EOPNOTSUPP;
	if (out)
		tell_again(n, now);
	return 0;
}

/* ---- shown ---- */

static const char *waits_for(const struct bgp_neighbor *n)
{
	if (n->config.shutdown)
		return "the configuration shuts it down";
	if (n->held)
		return "it told more prefixes than it may; `softwire bgp clear` lets it in again";
	if (!n->started)
		return "the speaker is not running";
	if (n->flushing)
		return "its old routes are being removed";
	if (n->idle_until != MSEC_NEVER)
		return "there was an error; it is tried again later";
	if (n->state == BGP_ACTIVE && n->config.passive)
		return "it is to connect to us";
	return NULL;
}

void bgp_neighbor_view(const struct bgp_neighbor *n, struct bgp_neighbor_view *ret)
{
	const struct bgp_connection *c = n->up;

	*ret = (struct bgp_neighbor_view){.config = &n->config,
		.state = n->state,
		.flushing = n->flushing,
		.since = n->since,
		.last_error = n->last_error,
		.last_error_sent = n->last_error_sent,
		.last_error_at = n->last_error_at,
		.last_notification = n->last_notification,
		.last_notification_sent = n->last_notification_sent,
		.waiting = waits_for(n),
		.next_try = msec_min(n->connect_at, n->idle_until),
		.messages_in = n->messages_in,
		.messages_out = n->messages_out,
		.updates_in = n->updates_in,
		.updates_out = n->updates_out,
		.withdrawn_updates = n->withdrawn_updates,
		.discarded_attributes = n->discarded_attributes,
		.established = n->established,
		.flaps = n->flaps};
	if (c) {
		ret->remote_id = c->received.id;
		ret->hold_time = c->hold_time;
		ret->local = c->local;
		ret->remote = c->remote;
		ret->form = c->form;
		ret->theirs = c->received.capabilities;
	}
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		const struct bgp_neighbor_table *t = &n->table[f];

		ret->family[f].on = t->on;
		ret->family[f].received = t->received;
		ret->family[f].accepted = t->accepted;
		ret->family[f].stale = t->stale;
		ret->family[f].advertised = t->fed ? t->feed.count : 0;
		ret->family[f].end_of_rib_in = t->end_of_rib_in;
		ret->family[f].end_of_rib_out = t->end_of_rib_out;
	}
}

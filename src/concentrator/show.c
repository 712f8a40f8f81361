/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket shows of the concentrator, and the operator's commands on its softwires. */
#include "concentrator/reverse.h"
#include "concentrator/role.h"

#include <stdio.h>
#include <string.h>

#include "report/leases.h"
#include "report/report.h"

static bool wanted(const struct subscriber *sub, const char *filter)
{
	return !filter || (sub->user && strcmp(sub->user, filter) == 0);
}

/* id, role, name, user, peer, local: what softwires and tunnels share. */
static json_t *head(const struct subscriber *sub)
{
	struct endpoint local = subscriber_local(sub);

	return json_pack("{s:I, s:s, s:n, s:o, s:o, s:o}", "id", (json_int_t)sub->id, "role", "concentrator",
		"name", "user", report_text(sub->user), "peer", report_endpoint(&sub->row->peer), "local",
		report_endpoint(&local));
}

static json_t *prefixes(const struct prefix *list, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array, report_prefix(&list[i]));
	return array;
}

/* What it was given. */
static void show_given(json_t *o, const struct subscriber *sub)
{
	static const struct softwire_lease nothing;
	const struct softwire_lease *lease = sub->engine.lease ? sub->engine.lease : &nothing;
	struct addr address6 = subscriber_address6(sub);

	if (!sub->engine.softwire.up6)
		address6 = (struct addr){0};
	json_object_set_new(o, "link6", report_prefix(&lease->link6));
	json_object_set_new(o, "address6", report_addr(&address6));
	json_object_set_new(
		o, "delegated", prefixes(lease->delegated, sub->routed6 ? lease->prefix_count : 0));
	json_object_set_new(o, "address4", report_addr(&lease->address4));
	json_object_set_new(
		o, "subnets", prefixes(lease->delegated4, sub->routed4 ? lease->prefix4_count : 0));
	json_object_set_new(o, "dns", report_addrs(lease->dns, lease->dns_count));
}

static json_t *show_softwire(struct concentrator *c, const struct subscriber *sub)
{
	json_t *o = head(sub);
	char path[160];

	report_state(o, &sub->engine.softwire, loop_now(c->loop));
	json_object_set_new(o, "auth", report_text(sub->user ? auth_method_name(sub->method) : NULL));
	json_object_set_new(o, "anonymous", json_boolean(sub->anonymous));
	show_given(o, sub);
	json_object_set_new(o, "path", report_text(subscriber_path_text(sub, path, sizeof(path))));
	report_row(o, sub->row);
	return o;
}

struct json_t *concentrator_show_softwires(struct concentrator *c, const char *filter)
{
	json_t *array = json_array();

	for (const struct subscriber *sub = c->all; sub; sub = sub->next)
		if (wanted(sub, filter) && sub->engine.softwire.step != STEP_CLOSED)
			json_array_append_new(array, show_softwire(c, sub));
	return array;
}

struct json_t *concentrator_show_tunnels(struct concentrator *c, const char *filter)
{
	json_t *array = json_array();

	for (const struct subscriber *sub = c->all; sub; sub = sub->next) {
		json_t *o;

		if (!wanted(sub, filter))
			continue;
		o = head(sub);
		report_tunnel(o, &sub->engine.softwire, sub->row->last_rx, loop_now(c->loop));
		json_array_append_new(array, o);
	}
	return array;
}

struct json_t *concentrator_show_leases(struct concentrator *c, const char *filter)
{
	json_t *array = json_array();
	const struct lease *lease;
	uint32_t cursor = 0;

	while (c->leases && (lease = lease_next(c->leases, &cursor)))
		if (!filter || strcmp(lease->user, filter) == 0)
			json_array_append_new(array, leases_show(lease));
	return array;
}

struct json_t *concentrator_show_lease_store(const struct concentrator *c)
{
	struct lease_health h = {.writable = true};

	if (c->leases)
		lease_store_health(c->leases, &h);
	return json_pack("{s:b, s:o, s:o}", "writable", (int)h.writable, "why", report_text(h.why), "seconds",
		h.writable ? json_null() : json_integer((json_int_t)h.seconds));
}

/* ---- reverse zones ---- */

/* The name servers of what USER (NULL: none of that name any more) has from POOL: its own, else the pool's. */
static json_t *nameservers(const struct aaa_user *user, const struct concentrator_pool_config *pool)
{
	json_t *array = json_array();

	if (user && user->nameserver_count) {
		for (unsigned i = 0; i < user->nameserver_count; i++)
			json_array_append_new(array, report_text(user->nameservers[i]));
		return array;
	}
	for (unsigned i = 0; pool && i < pool->nameserver_count; i++)
		json_array_append_new(array, report_text(pool->nameservers[i]));
	return array;
}

static json_t *show_zones(const char *user, const struct prefix *p, json_t *servers)
{
	json_t *zones = json_array();
	char buf[REVERSE_ZONE_TEXT];

	for (unsigned n = 0; n < reverse_zone_count(p); n++)
		json_array_append_new(zones, json_string(reverse_zone(p, n, buf)));
	return json_pack("{s:o, s:o, s:o, s:o}", "user", report_text(user), "prefix", report_prefix(p),
		"zones", zones, "nameservers", servers);
}

static void add_lease_zones(struct concentrator *c, json_t *array, const struct lease *lease)
{
	const struct concentrator_pool_config *pool = concentrator_pool(c, lease->pool);
	const struct aaa_user *user = aaa_find_user(c->aaa, lease->user);

	for (unsigned i = 0; i < lease->prefix_count; i++)
		json_array_append_new(
			array, show_zones(lease->user, &lease->delegated[i], nameservers(user, pool)));
	for (unsigned i = 0; i < lease->subnet_count; i++)
		json_array_append_new(
			array, show_zones(lease->user, &lease->subnets[i], nameservers(user, pool)));
}

/* What is fixed belongs to its user before the first softwire, too. */
static void add_fixed_zones(struct concentrator *c, json_t *array, const struct aaa_user *user)
{
	const struct concentrator_pool_config *pool = concentrator_pool(c, user->pool);

	if (lease_find(c->leases, user->name, 0))
		return;
	for (unsigned i = 0; i < user->delegate_count; i++)
		json_array_append_new(
			array, show_zones(user->name, &user->delegate[i], nameservers(user, pool)));
	for (unsigned i = 0; i < user->subnet_count; i++)
		json_array_append_new(
			array, show_zones(user->name, &user->subnets[i], nameservers(user, pool)));
}

struct json_t *concentrator_show_reverse_zones(struct concentrator *c, const char *filter)
{
	json_t *array = json_array();
	const struct aaa_user *user;
	const struct lease *lease;
	uint32_t cursor = 0;

	while (c->leases && (lease = lease_next(c->leases, &cursor)))
		if (!filter || strcmp(lease->user, filter) == 0)
			add_lease_zones(c, array, lease);
	cursor = 0;
	while (c->leases && (user = aaa_next_user(c->aaa, &cursor)))
		if (!filter || strcmp(user->name, filter) == 0)
			add_fixed_zones(c, array, user);
	return array;
}

/* ---- counters ---- */

static json_t *show_role_counters(const struct concentrator *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{"sccrq", c->role_counters.sccrq},
		{"sccrq_again", c->role_counters.sccrq_again},
		{"admitted", c->role_counters.admitted},
		{"expired", c->admission.waiting.expired},
		{"displaced", c->admission.waiting.displaced},
		{"withdrawn", c->role_counters.withdrawn},
		{"abandoned", c->role_counters.abandoned},
		{"refused_limit", c->role_counters.refused_limit},
		{"refused_source", c->role_counters.refused_source},
		{"refused_rate", c->role_counters.refused_rate},
		{"refused_waiting", c->role_counters.refused_waiting},
		{"strays", c->role_counters.strays},
		{"stray_replies", c->role_counters.stray_replies},
		{"strays_suppressed", c->role_counters.strays_suppressed},
		{"auth_ok", c->role_counters.auth_ok},
		{"auth_failed", c->role_counters.auth_failed},
		{"replaced", c->role_counters.replaced},
		{"refused_user", c->role_counters.refused_user},
		{"no_address", c->role_counters.no_address},
		{"anonymous", c->role_counters.anonymous},
		{"refused_anonymous", c->role_counters.refused_anonymous},
		{"path_errors", c->role_counters.path_errors},
		{"path_narrower", c->role_counters.path_narrower},
		{"hooks", c->role_counters.hooks},
		{"hooks_failed", c->role_counters.hooks_failed},
		{"redirected", c->role_counters.redirected},
		{"moved", c->role_counters.moved},
		{"adopted", c->role_counters.adopted},
		{"not_adopted", c->role_counters.not_adopted},
		{"not_recorded", c->role_counters.not_recorded},
	};
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		json_object_set_new(o, counters[i].name, json_integer((json_int_t)counters[i].value));
	return o;
}

static json_t *show_now(const struct concentrator *c)
{
	const struct admission *a = &c->admission;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "softwires", (json_int_t)c->count, "half_open",
		(json_int_t)concentrator_half_open(c), "unanswered",
		(json_int_t)a->crowds[CROWD_ASKED].count + a->crowds[CROWD_SILENT].count, "waiting",
		(json_int_t)waiting_count(&a->waiting), "waiting_sources", (json_int_t)a->waiting.waiting_sources,
		"anonymous", (json_int_t)c->anonymous_count, "storm", (json_int_t)a->storm,
		"draining", (json_int_t)c->drain.on);
}

static json_t *show_lease_counters(const struct lease_health *h)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "refused", (json_int_t)h->refused, "outages",
		(json_int_t)h->outages, "rewritten", (json_int_t)h->rewritten, "backups", (json_int_t)h->backups,
		"backups_failed", (json_int_t)h->backups_failed);
}

struct json_t *concentrator_show_counters(struct concentrator *c)
{
	struct lease_health health = {.writable = true};
	json_t *o = json_object();

	if (c->leases)
		lease_store_health(c->leases, &health);
	report_counters(o, &c->counters, tun_plane_counters(c->plane));
	json_object_set_new(o, "concentrator", show_role_counters(c));
	json_object_set_new(o, "leases", show_lease_counters(&health));
	json_object_set_new(o, "now", show_now(c));
	json_object_set_new(json_object_get(o, "now"), "leases_read_only", json_integer(!health.writable));
	return o;
}

/* ---- commands ---- */

unsigned concentrator_clear(struct concentrator *c, const char *user, uint32_t id)
{
	struct subscriber *next;
	unsigned n = 0;

	for (struct subscriber *sub = c->all; sub; sub = next) {
		next = sub->next;
		if (!wanted(sub, user) || (id && sub->id != id) || sub->engine.softwire.step >= STEP_CLOSING)
			continue;
		subscriber_close(sub, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "cleared by the operator");
		n++;
	}
	return n;
}

static void forgotten(void *owner, int result, const struct lease *lease, const char *why)
{
	struct concentrator *c = owner;

	if (result)
		log_message(c->log, LEVEL_ERROR, "forget-failed", "%s", why);
}

unsigned concentrator_forget(struct concentrator *c, const char *user)
{
	const struct lease *lease;
	uint16_t slots[256];
	uint32_t cursor = 0;
	unsigned n = 0;

	concentrator_clear(c, user, 0);
	while (c->leases && (lease = lease_next(c->leases, &cursor)) && n < sizeof(slots) / sizeof(*slots))
		if (strcmp(lease->user, user) == 0)
			slots[n++] = lease->slot;
	for (unsigned i = 0; i < n; i++)
		lease_forget(c->leases, user, slots[i], forgotten, c);
	return n;
}

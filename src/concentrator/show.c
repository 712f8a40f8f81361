/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket shows of the concentrator, and the operator's commands on its softwires. */
#include "concentrator/role.h"

#include <stdio.h>
#include <string.h>

#include "report/report.h"

static bool wanted(const struct subscriber *sub, const char *filter)
{
	return !filter || (sub->user && strcmp(sub->user, filter) == 0);
}

/* id, role, name, user, peer, local: what softwires and tunnels share. */
static json_t *head(const struct concentrator *c, const struct subscriber *sub)
{
	struct endpoint local = c->local[sub->row->listener];

	if (!addr_is_none(&sub->row->local))
		local.addr = sub->row->local;
	return json_pack("{s:I, s:s, s:n, s:o, s:o, s:o}", "id", (json_int_t)sub->id, "role", "concentrator", "name", "user",
		report_text(sub->user), "peer", report_endpoint(&sub->row->peer), "local", report_endpoint(&local));
}

static json_t *delegated(const struct subscriber *sub)
{
	const struct softwire_lease *lease = sub->engine.lease;
	json_t *array = json_array();

	for (unsigned i = 0; lease && sub->routed && i < lease->prefix_count; i++)
		json_array_append_new(array, report_prefix(&lease->delegated[i]));
	return array;
}

static json_t *show_softwire(struct concentrator *c, const struct subscriber *sub)
{
	const struct softwire *s = &sub->engine.softwire;
	const struct softwire_lease *lease = sub->engine.lease;
	struct prefix none = {0};
	struct addr address = {0};
	json_t *o = head(c, sub);

	if (lease && !prefix_is_none(&lease->link6) && s->up6)
		address = addr6_with_iid(&lease->link6.addr, s->ppp.peer_iid);
	report_state(o, s, loop_now(c->loop));
	json_object_set_new(o, "link6", report_prefix(lease ? &lease->link6 : &none));
	json_object_set_new(o, "address6", report_addr(&address));
	json_object_set_new(o, "delegated", delegated(sub));
	json_object_set_new(o, "dns", lease ? report_addrs(lease->dns, lease->dns_count) : json_array());
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
		o = head(c, sub);
		report_tunnel(o, &sub->engine.softwire, sub->row->last_rx, loop_now(c->loop));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *show_lease(const struct lease *lease)
{
	json_t *delegated_prefixes = json_array();
	char duid[2 * LEASE_DUID_MAX + 1] = "";

	for (unsigned i = 0; i < lease->prefix_count; i++)
		json_array_append_new(delegated_prefixes, report_prefix(&lease->delegated[i]));
	for (size_t i = 0; i < lease->duid_len; i++)
		snprintf(duid + 2 * i, 3, "%02x", lease->duid[i]);
	return json_pack("{s:s, s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:b, s:I, s:I}", "role", "concentrator", "user",
		report_text(lease->user), "slot", (int)lease->slot, "pool", lease->pool, "link6", report_prefix(&lease->link6),
		"delegated", delegated_prefixes, "duid", report_text(duid), "iaid",
		lease->duid_len ? json_integer(lease->iaid) : json_null(), "active", (int)lease->active, "granted_at",
		(json_int_t)lease->granted_at, "used_at", (json_int_t)lease->used_at);
}

struct json_t *concentrator_show_leases(struct concentrator *c, const char *filter)
{
	json_t *array = json_array();
	const struct lease *lease;
	uint32_t cursor = 0;

	while (c->leases && (lease = lease_next(c->leases, &cursor)))
		if (!filter || strcmp(lease->user, filter) == 0)
			json_array_append_new(array, show_lease(lease));
	return array;
}

struct json_t *concentrator_show_counters(struct concentrator *c)
{
	json_t *o = json_object();

	report_counters(o, &c->counters, tun_plane_counters(c->plane));
	json_object_set_new(o, "concentrator",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sccrq", (json_int_t)c->role_counters.sccrq,
			"refused_limit", (json_int_t)c->role_counters.refused_limit, "refused_source",
			(json_int_t)c->role_counters.refused_source, "strays", (json_int_t)c->role_counters.strays, "stray_replies",
			(json_int_t)c->role_counters.stray_replies, "strays_suppressed",
			(json_int_t)c->role_counters.strays_suppressed, "auth_ok", (json_int_t)c->role_counters.auth_ok,
			"auth_failed", (json_int_t)c->role_counters.auth_failed, "replaced",
			(json_int_t)c->role_counters.replaced, "no_address", (json_int_t)c->role_counters.no_address));
	json_object_set_new(o, "now",
		json_pack("{s:I, s:I}", "softwires", (json_int_t)c->count, "half_open", (json_int_t)c->half_open));
	return o;
}

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
	while ((lease = lease_next(c->leases, &cursor)) && n < sizeof(slots) / sizeof(*slots))
		if (strcmp(lease->user, user) == 0)
			slots[n++] = lease->slot;
	for (unsigned i = 0; i < n; i++)
		lease_forget(c->leases, user, slots[i], forgotten, c);
	return n;
}

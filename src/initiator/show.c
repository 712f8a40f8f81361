/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket shows of an initiator. */
#include "initiator/role.h"

#include <string.h>

#include "report/report.h"

static const char *state_name(const struct initiator *i)
{
	const struct attempt *a = attempt_shown(i);

	if (a)
		return softwire_step_name(a->engine.softwire.step);
	return i->state == INITIATOR_STOPPED ? "closing" : "waiting";
}

static json_t *head(const struct initiator *i)
{
	const struct attempt *a = attempt_shown(i);
	struct endpoint none = {0};

	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o}", "id", (json_int_t)(a ? a->id : i->next_id), "role",
		"initiator", "name", i->config.name, "user", report_text(i->config.user), "peer",
		report_endpoint(a ? &a->server : &none), "local", report_endpoint(a ? &a->local : &none));
}

static json_t *delegated(const struct initiator *i)
{
	json_t *array = json_array();

	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		if (i->held[n].current)
			json_array_append_new(array, report_prefix(&i->held[n].prefix));
	return array;
}

static json_t *subnets(const struct initiator *i)
{
	json_t *array = json_array();

	for (unsigned n = 0; n < HELD_SUBNETS; n++)
		if (i->subnets[n].confirmed)
			json_array_append_new(array, report_prefix(&i->subnets[n].prefix));
	return array;
}

/* Of both families, as the concentrator gave them. */
static json_t *dns(const struct initiator *i)
{
	const struct softwire_si_state *s = i->current ? &i->current->engine.state : NULL;
	json_t *array = s ? report_addrs(s->dns, s->dns_count) : json_array(), *four;

	if (!s)
		return array;
	four = report_addrs(s->dns4, s->dns4_count);
	json_array_extend(array, four);
	json_decref(four);
	return array;
}

static void set_addresses(json_t *o, const struct initiator *i)
{
	struct prefix link = {0};
	struct addr none = {0};

	if (!addr_is_none(&i->address))
		link = prefix_of(&i->address, 64);
	json_object_set_new(o, "link6", report_prefix(&link));
	json_object_set_new(o, "address6", report_addr(&i->address));
	json_object_set_new(o, "delegated", delegated(i));
	json_object_set_new(o, "address4", report_addr(&i->address4));
	json_object_set_new(o, "peer4", report_addr(i->current ? &i->current->engine.state.peer4 : &none));
	json_object_set_new(o, "subnets", subnets(i));
	json_object_set_new(o, "dns", dns(i));
}

static void set_path(json_t *o, const struct initiator *i)
{
	char text[256];

	initiator_path_print(i, text, sizeof(text));
	json_object_set_new(o, "path", report_text(text));
}

/* Which of the configured servers, and who has sent us on. */
static void set_server(json_t *o, const struct initiator *i)
{
	const struct attempt *a = attempt_shown(i);
	const struct redirect none = {0}, *r = a ? &a->redirect : &none;

	json_object_set_new(o, "server", a ? report_text(i->config.servers[a->server_index]) : json_null());
	json_object_set_new(o, "redirected_by", report_endpoint(&r->by));
	json_object_set_new(o, "redirect_text", report_text(r->text));
}

static void set_timing(json_t *o, const struct initiator *i, msec now)
{
	bool waiting = i->state == INITIATOR_WAITING;
	msec wait = i->attempt_at > now ? i->attempt_at - now : 0;

	json_object_set_new(o, "last_error", report_text(i->last_error));
	json_object_set_new(o, "last_cause", *i->last_error ? report_text(i->last_cause) : json_null());
	json_object_set_new(o, "reconnects", json_integer(i->reconnects));
	json_object_set_new(o, "next_attempt_seconds",
		waiting ? json_integer((json_int_t)((wait + 999) / 1000)) : json_null());
}

struct json_t *initiator_show(struct initiator *i)
{
	msec now = loop_now(i->loop);
	json_t *o = head(i);

	if (i->current) {
		report_state(o, &i->current->engine.softwire, now);
	} else {
		json_object_set_new(o, "families", json_array());
		json_object_set_new(o, "mtu", json_null());
		json_object_set_new(o, "up_seconds", json_null());
		json_object_set_new(o, "setup_ms", json_null());
	}
	json_object_set_new(o, "state", json_string(state_name(i)));
	set_addresses(o, i);
	json_object_set_new(o, "auth", report_text(initiator_auth_name(i)));
	set_path(o, i);
	set_server(o, i);
	report_row(o, i->current ? i->current->row : NULL);
	set_timing(o, i, now);
	return o;
}

struct json_t *initiator_show_tunnel(struct initiator *i)
{
	json_t *o = head(i);

	if (i->current)
		report_tunnel(o, &i->current->engine.softwire, i->current->row->last_rx, loop_now(i->loop));
	else
		json_object_set_new(o, "state", json_string("idle"));
	return o;
}

static json_t *seconds(msec until, msec now)
{
	if (until == MSEC_NEVER)
		return json_integer(UINT32_MAX);
	return json_integer(until > now ? (json_int_t)((until - now) / 1000) : 0);
}

static json_t *lease(const struct initiator *i, const char *kind, const struct prefix *p, msec preferred,
	msec valid, json_t *servers)
{
	msec now = loop_now(i->loop);

	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "role", "initiator", "name", i->config.name,
		"prefix", report_prefix(p), "kind", kind, "preferred", seconds(preferred, now), "valid",
		seconds(valid, now), "dns", servers);
}

static msec until(msec from, uint32_t lifetime)
{
	return lifetime == UINT32_MAX ? MSEC_NEVER : from + (msec)lifetime * 1000;
}

static void add_leases4(json_t *array, const struct initiator *i)
{
	const struct softwire_si_state *s = i->current ? &i->current->engine.state : NULL;

	for (unsigned n = 0; n < HELD_SUBNETS; n++) {
		const struct held_subnet *h = &i->subnets[n];

		if (h->confirmed)
			json_array_append_new(
				array, lease(i, "subnet", &h->prefix, h->valid_until, h->valid_until,
					       report_addrs(i->hint4.dns, i->hint4.dns_count)));
	}
	if (s && !addr_is_none(&s->address4)) {
		struct prefix p = prefix_of(&s->address4, 32);
		msec end = s->address4_by_dhcp ? until(s->bound4_at, s->binding4.lease) : MSEC_NEVER;

		json_array_append_new(
			array, lease(i, "address", &p, end, end, report_addrs(s->dns4, s->dns4_count)));
	}
}

struct json_t *initiator_show_leases(struct initiator *i)
{
	json_t *array = json_array();

	for (unsigned n = 0; n < HELD_PREFIXES; n++) {
		const struct held_prefix *h = &i->held[n];

		if (!prefix_is_none(&h->prefix))
			json_array_append_new(
				array, lease(i, "delegated", &h->prefix, h->preferred_until, h->valid_until,
					       report_addrs(i->hint.dns, i->hint.dns_count)));
	}
	if (i->current && i->current->engine.state.has_address) {
		const struct softwire_si_state *s = &i->current->engine.state;
		struct prefix link = prefix_of(&s->address, 64);

		json_array_append_new(array,
			lease(i, "link", &link, until(s->learned_at, s->address_preferred),
				until(s->learned_at, s->address_valid), report_addrs(s->dns, s->dns_count)));
	}
	add_leases4(array, i);
	return array;
}

struct json_t *initiator_show_counters(struct initiator *i)
{
	json_t *o = json_object();

	report_counters(o, &i->counters, tun_plane_counters(i->plane));
	json_object_set_new(o, "initiator",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "reconnects", (json_int_t)i->reconnects,
			"adopted", (json_int_t)i->adopted, "not_adopted", (json_int_t)i->not_adopted, "lan_ra_tx",
			(json_int_t)i->lan_counters.ra_tx, "lan_rs_rx", (json_int_t)i->lan_counters.rs_rx,
			"lan_bad_packet", (json_int_t)i->lan_counters.bad_packet));
	return o;
}

void initiator_trace(struct initiator *i, initiator_trace_emit *emit, void *owner)
{
	i->trace_emit = emit;
	i->trace_owner = owner;
	if (i->current)
		i->current->engine.softwire.tracing = emit != NULL;
	if (i->follower)
		i->follower->engine.softwire.tracing = emit != NULL;
	for (struct attempt *a = i->racing; a; a = a->next)
		a->engine.softwire.tracing = emit != NULL;
}

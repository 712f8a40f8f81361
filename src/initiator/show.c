/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket shows of an initiator. */
#include "initiator/role.h"

#include <string.h>

#include "report/report.h"

static const char *state_name(const struct initiator *i)
{
	if (i->current)
		return softwire_step_name(i->current->engine.softwire.step);
	return i->state == INITIATOR_STOPPED ? "closing" : "waiting";
}

static json_t *head(const struct initiator *i)
{
	struct endpoint none = {0};

	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:n}", "id", (json_int_t)i->next_id, "role", "initiator", "name", i->config.name,
		"user", report_text(i->config.user), "peer", report_endpoint(i->current ? &i->current->server : &none), "local");
}

static json_t *delegated(const struct initiator *i)
{
	json_t *array = json_array();

	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		if (i->held[n].current)
			json_array_append_new(array, report_prefix(&i->held[n].prefix));
	return array;
}

static void set_timing(json_t *o, const struct initiator *i, msec now)
{
	bool waiting = i->state == INITIATOR_WAITING;
	msec wait = i->attempt_at > now ? i->attempt_at - now : 0;

	json_object_set_new(o, "last_error", report_text(i->last_error));
	json_object_set_new(o, "reconnects", json_integer(i->reconnects));
	json_object_set_new(o, "next_attempt_seconds", waiting ? json_integer((json_int_t)((wait + 999) / 1000)) : json_null());
}

struct json_t *initiator_show(struct initiator *i)
{
	msec now = loop_now(i->loop);
	struct prefix link = {0};
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
	if (!addr_is_none(&i->address))
		link = prefix_of(&i->address, 64);
	json_object_set_new(o, "link6", report_prefix(&link));
	json_object_set_new(o, "address6", report_addr(&i->address));
	json_object_set_new(o, "delegated", delegated(i));
	json_object_set_new(o, "dns",
		i->current ? report_addrs(i->current->engine.state.dns, i->current->engine.state.dns_count) : json_array());
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

static json_t *show_held(const struct initiator *i, const struct held_prefix *h, msec now)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "role", "initiator", "name", i->config.name, "prefix",
		report_prefix(&h->prefix), "kind", "delegated", "preferred", seconds(h->preferred_until, now), "valid",
		seconds(h->valid_until, now), "dns", report_addrs(i->hint.dns, i->hint.dns_count));
}

struct json_t *initiator_show_leases(struct initiator *i)
{
	msec now = loop_now(i->loop);
	json_t *array = json_array();

	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		if (!prefix_is_none(&i->held[n].prefix))
			json_array_append_new(array, show_held(i, &i->held[n], now));
	if (i->current && i->current->engine.state.has_address) {
		const struct softwire_si_state *s = &i->current->engine.state;
		struct prefix link = prefix_of(&s->address, 64);

		json_array_append_new(array,
			json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "role", "initiator", "name", i->config.name, "prefix",
				report_prefix(&link), "kind", "link", "preferred",
				seconds(s->learned_at + (msec)s->address_preferred * 1000, now), "valid",
				seconds(s->learned_at + (msec)s->address_valid * 1000, now), "dns",
				report_addrs(s->dns, s->dns_count)));
	}
	return array;
}

struct json_t *initiator_show_counters(struct initiator *i)
{
	json_t *o = json_object();

	report_counters(o, &i->counters, tun_plane_counters(i->plane));
	json_object_set_new(o, "initiator",
		json_pack("{s:I, s:I, s:I, s:I}", "reconnects", (json_int_t)i->reconnects, "lan_ra_tx", (json_int_t)i->lan_counters.ra_tx,
			"lan_rs_rx", (json_int_t)i->lan_counters.rs_rx, "lan_bad_packet", (json_int_t)i->lan_counters.bad_packet));
	return o;
}

void initiator_trace(struct initiator *i, initiator_trace_emit *emit, void *owner)
{
	i->trace_emit = emit;
	i->trace_owner = owner;
	if (i->current)
		i->current->engine.softwire.tracing = emit != NULL;
}

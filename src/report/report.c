/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON for the control socket; see report.h. */
#include "report/report.h"

#include <stdio.h>
#include <string.h>

#include "hub/trace.h"

json_t *report_addr(const struct addr *a)
{
	char buf[ADDR_TEXT];

	return addr_is_none(a) ? json_null() : json_string(addr_print(a, buf));
}

json_t *report_prefix(const struct prefix *p)
{
	char buf[PREFIX_TEXT];

	return prefix_is_none(p) ? json_null() : json_string(prefix_print(p, buf));
}

json_t *report_endpoint(const struct endpoint *e)
{
	char buf[ENDPOINT_TEXT];

	return addr_is_none(&e->addr) ? json_null() : json_string(endpoint_print(e, buf));
}

json_t *report_addrs(const struct addr *a, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array, report_addr(&a[i]));
	return array;
}

json_t *report_text(const char *text)
{
	char clean[1024];
	size_t n = 0;
	json_t *value;

	if (!text || !*text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	for (const char *p = text; *p && n + 5 < sizeof(clean); p++) {
		if ((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f)
			clean[n++] = *p;
		else
			n += (size_t)snprintf(clean + n, sizeof(clean) - n, "\\x%02x", (unsigned char)*p);
	}
	clean[n] = '\0';
	return json_string(clean);
}

struct counter_name {
	const char *name;
	size_t offset;
};

static json_t *group(const void *base, const struct counter_name *names, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		memcpy(&value, (const char *)base + names[i].offset, sizeof(value));
		json_object_set_new(object, names[i].name, json_integer((json_int_t)value));
	}
	return object;
}

#define COUNTER(type, member)     \
	{                             \
		#member, offsetof(struct type, member) \
	}
#define GROUP(object, name, base, names) \
	json_object_set_new(object, name, group(base, names, sizeof(names) / sizeof(*(names))))

static const struct counter_name dataplane_names[] = {
	COUNTER(dp_counters, rx_packets),
	COUNTER(dp_counters, tx_packets),
	COUNTER(dp_counters, drop_short),
	COUNTER(dp_counters, drop_header),
	COUNTER(dp_counters, drop_no_session),
	COUNTER(dp_counters, drop_wrong_peer),
	COUNTER(dp_counters, drop_spoofed),
	COUNTER(dp_counters, drop_not_up),
	COUNTER(dp_counters, drop_no_destination),
	COUNTER(dp_counters, drop_too_big),
	COUNTER(dp_counters, drop_bad_inner),
	COUNTER(dp_counters, drop_send_queue),
	COUNTER(dp_counters, drop_device),
	COUNTER(dp_counters, drop_late),
	COUNTER(dp_counters, drop_local_scope),
	COUNTER(dp_counters, icmp_sent),
	COUNTER(dp_counters, icmp_suppressed),
	COUNTER(dp_counters, socket_errors),
	COUNTER(dp_counters, mss_clamped),
	COUNTER(dp_counters, outer_fragmented),
	COUNTER(dp_counters, inner_fragmented),
	COUNTER(dp_counters, ecn_ce),
	COUNTER(dp_counters, drop_ecn),
};

static const struct counter_name l2tp_names[] = {
	COUNTER(l2tp_counters, control_rx),
	COUNTER(l2tp_counters, control_tx),
	COUNTER(l2tp_counters, retransmits),
	COUNTER(l2tp_counters, duplicates),
	COUNTER(l2tp_counters, out_of_order),
	COUNTER(l2tp_counters, zlb_rx),
	COUNTER(l2tp_counters, hello_rx),
	COUNTER(l2tp_counters, hello_tx),
	COUNTER(l2tp_counters, bad_header),
	COUNTER(l2tp_counters, bad_avp),
	COUNTER(l2tp_counters, bad_message),
	COUNTER(l2tp_counters, bad_sequence),
	COUNTER(l2tp_counters, bad_auth),
	COUNTER(l2tp_counters, unexpected),
};

static const struct counter_name ppp_names[] = {
	COUNTER(ppp_counters, rx),
	COUNTER(ppp_counters, tx),
	COUNTER(ppp_counters, echo_rx),
	COUNTER(ppp_counters, echo_tx),
	COUNTER(ppp_counters, protocol_rejects_rx),
	COUNTER(ppp_counters, protocol_rejects_tx),
	COUNTER(ppp_counters, bad_frame),
	COUNTER(ppp_counters, bad_code),
	COUNTER(ppp_counters, bad_option),
	COUNTER(ppp_counters, bad_id),
	COUNTER(ppp_counters, bad_phase),
	COUNTER(ppp_counters, bad_auth),
	COUNTER(ppp_counters, loops),
};

static const struct counter_name nd_names[] = {
	COUNTER(nd_counters, rx),
	COUNTER(nd_counters, tx),
	COUNTER(nd_counters, rs_rx),
	COUNTER(nd_counters, ra_rx),
	COUNTER(nd_counters, ns_rx),
	COUNTER(nd_counters, na_rx),
	COUNTER(nd_counters, rs_tx),
	COUNTER(nd_counters, ra_tx),
	COUNTER(nd_counters, ns_tx),
	COUNTER(nd_counters, na_tx),
	COUNTER(nd_counters, echo_rx),
	COUNTER(nd_counters, bad_packet),
	COUNTER(nd_counters, bad_source),
	COUNTER(nd_counters, ignored),
	COUNTER(nd_counters, duplicates),
};

static const struct counter_name dhcp6_names[] = {
	COUNTER(dhcp6_counters, rx),
	COUNTER(dhcp6_counters, tx),
	COUNTER(dhcp6_counters, retransmits),
	COUNTER(dhcp6_counters, bad_message),
	COUNTER(dhcp6_counters, bad_xid),
	COUNTER(dhcp6_counters, bad_duid),
	COUNTER(dhcp6_counters, bad_server),
	COUNTER(dhcp6_counters, refused),
	COUNTER(dhcp6_counters, unexpected),
};

static const struct counter_name dhcp4_names[] = {
	COUNTER(dhcp4_counters, rx),
	COUNTER(dhcp4_counters, tx),
	COUNTER(dhcp4_counters, retransmits),
	COUNTER(dhcp4_counters, bad_message),
	COUNTER(dhcp4_counters, bad_xid),
	COUNTER(dhcp4_counters, bad_client),
	COUNTER(dhcp4_counters, bad_server),
	COUNTER(dhcp4_counters, refused),
	COUNTER(dhcp4_counters, unexpected),
};

static const struct counter_name softwire_names[] = {
	COUNTER(softwire_counters, up),
	COUNTER(softwire_counters, bad_header),
	COUNTER(softwire_counters, bad_session),
	COUNTER(softwire_counters, bad_frame),
	COUNTER(softwire_counters, bad_payload),
};

void report_counters(json_t *object, const struct softwire_counters *c, const struct dp_counters *dp)
{
	json_t *softwire;

	GROUP(object, "dataplane", dp, dataplane_names);
	GROUP(object, "l2tp", &c->l2tp, l2tp_names);
	GROUP(object, "ppp", &c->ppp, ppp_names);
	GROUP(object, "nd", &c->nd, nd_names);
	GROUP(object, "dhcp6", &c->dhcp6, dhcp6_names);
	GROUP(object, "dhcp4", &c->dhcp4, dhcp4_names);
	GROUP(object, "softwire", c, softwire_names);
	softwire = json_object_get(object, "softwire");
	for (unsigned i = 0; i < CAUSE_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "down_%s", softwire_cause_name(i));
		for (char *p = name; *p; p++)
			if (*p == '-')
				*p = '_';
		json_object_set_new(softwire, name, json_integer((json_int_t)c->down[i]));
	}
}

static void set_family(json_t *object, char digit, const struct dp_family_counters *f)
{
	const struct {
		const char *format;
		uint64_t value;
	} fields[] = {
		{"rx%c_packets", f->rx_packets},
		{"rx%c_bytes", f->rx_bytes},
		{"tx%c_packets", f->tx_packets},
		{"tx%c_bytes", f->tx_bytes},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		char name[16];

		snprintf(name, sizeof(name), fields[i].format, digit);
		json_object_set_new(object, name, json_integer((json_int_t)fields[i].value));
	}
}

void report_row(json_t *object, const struct dp_row *row)
{
	static const struct dp_row none;

	if (!row)
		row = &none;
	set_family(object, '6', &row->v6);
	set_family(object, '4', &row->v4);
	json_object_set_new(object, "drop_spoofed", json_integer(row->drop_spoofed));
	json_object_set_new(object, "drop_too_big", json_integer(row->drop_too_big));
	json_object_set_new(object, "drop_other", json_integer(row->drop_other));
}

/* Of the many states of the engine the control socket knows four. */
static const char *tunnel_word(const char *state)
{
	if (strncmp(state, "wait", 4) == 0)
		return "wait";
	return strcmp(state, "idle") == 0 || strcmp(state, "established") == 0 ? state : "closing";
}

void report_tunnel(json_t *object, const struct softwire *s, msec heard, msec now)
{
	const struct l2tp_tunnel *t = &s->tunnel;

	if (t->last_heard > heard)
		heard = t->last_heard;
	json_object_set_new(object, "state", json_string(tunnel_word(l2tp_tunnel_state(t))));
	json_object_set_new(object, "local_tunnel", json_integer(t->local_tunnel));
	json_object_set_new(object, "peer_tunnel", json_integer(t->peer_tunnel));
	json_object_set_new(object, "local_session", json_integer(t->local_session));
	json_object_set_new(object, "peer_session", json_integer(t->peer_session));
	json_object_set_new(object, "ns", json_integer(t->ns));
	json_object_set_new(object, "nr", json_integer(t->nr));
	json_object_set_new(object, "window", json_integer(t->peer_window));
	json_object_set_new(object, "in_flight", json_integer(t->in_flight));
	json_object_set_new(object, "last_heard_seconds", heard ? json_integer((json_int_t)((now - heard) / 1000)) : json_null());
}

/* Families by the numbers that IANA gives them (PS-10): AFI 1 and 2, SAFI 1 for unicast. */
static json_t *families(const struct softwire *s)
{
	json_t *array = json_array();

	if (s->up6)
		json_array_append_new(array, json_pack("{s:i, s:i, s:s}", "afi", 2, "safi", 1, "name", "ipv6"));
	if (s->up4)
		json_array_append_new(array, json_pack("{s:i, s:i, s:s}", "afi", 1, "safi", 1, "name", "ipv4"));
	return array;
}

void report_state(json_t *object, const struct softwire *s, msec now)
{
	bool up = s->step == STEP_UP;

	json_object_set_new(object, "state", json_string(s->step == STEP_CLOSED ? "closing" : softwire_step_name(s->step)));
	json_object_set_new(object, "families", families(s));
	json_object_set_new(object, "mtu", json_integer(s->mtu));
	json_object_set_new(object, "up_seconds", up ? json_integer((json_int_t)((now - s->up_at) / 1000)) : json_null());
	json_object_set_new(object, "setup_ms", s->up_at ? json_integer((json_int_t)(s->up_at - s->started_at)) : json_null());
}

json_t *report_trace(const struct softwire *s, uint32_t id, const char *name, const char *user, enum softwire_trace what,
	const void *data, size_t len, msec now)
{
	struct softwire_trace_words words;

	softwire_trace_describe(what, data, len, &words);
	return json_pack("{s:s, s:I, s:o, s:o, s:I, s:s, s:s, s:o}", "event", "trace", "softwire", (json_int_t)id, "name",
		report_text(name), "user", report_text(user), "t_ms", (json_int_t)(now - s->started_at), "dir", words.dir, "layer",
		words.layer, "text", report_text(words.text));
}

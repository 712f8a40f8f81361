/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of the control socket: every one gets an answer that is JSON with "ok" (or becomes a trace or a reload); a stranger changes nothing.
 * The first byte says who asks.
 */
#include <stdlib.h>
#include <string.h>

#include "../../tests/unit/control/paper.h"
#include "control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct concentrator {
	unsigned changes;
};

struct initiator {
	const char *name;
	unsigned changes;
};

static void require(bool what)
{
	if (!what)
		abort();
}

json_t *concentrator_show_softwires(struct concentrator *c, const char *filter)
{
	return json_pack("[{s:s}]", "user", filter ? filter : "x");
}

json_t *concentrator_show_tunnels(struct concentrator *c, const char *filter)
{
	return json_array();
}

json_t *concentrator_export_leases(struct concentrator *c)
{
	return json_array();
}

json_t *concentrator_show_lease_store(const struct concentrator *c)
{
	return json_pack("{s:b}", "writable", 1);
}

json_t *concentrator_show_leases(struct concentrator *c, const char *filter)
{
	return json_array();
}

json_t *concentrator_show_reverse_zones(struct concentrator *c, const char *filter)
{
	return json_array();
}

json_t *concentrator_show_counters(struct concentrator *c)
{
	return json_object();
}

unsigned concentrator_clear(struct concentrator *c, const char *user, uint32_t id)
{
	require(!user || *user);
	c->changes++;
	return 1;
}

void concentrator_drain(struct concentrator *c, const struct drain_order *order)
{
	for (unsigned i = 0; order && i < order->target_count; i++)
		require(order->targets[i].port && addr_bits(order->targets[i].addr.family));
	require(!order || (order->rate && order->rate <= DRAIN_RATE_MAX &&
				  order->grace_ms <= (msec)DRAIN_GRACE_MAX * 1000));
	c->changes++;
}

bool concentrator_is_reached_at(const struct concentrator *c, const struct endpoint *e)
{
	require(e->port);
	return e->port == 7;
}

bool concentrator_is_draining(const struct concentrator *c)
{
	return false;
}

json_t *concentrator_show_drain(struct concentrator *c)
{
	return json_object();
}

unsigned concentrator_forget(struct concentrator *c, const char *user)
{
	require(user && *user);
	c->changes++;
	return 1;
}

void concentrator_trace(struct concentrator *c, const char *user, concentrator_trace_emit *emit, void *owner)
{
}

const char *initiator_name(const struct initiator *i)
{
	return i->name;
}

json_t *initiator_show(struct initiator *i)
{
	return json_pack("{s:s}", "name", i->name);
}

json_t *initiator_show_tunnel(struct initiator *i)
{
	return json_null();
}

json_t *initiator_show_leases(struct initiator *i)
{
	return json_pack("[{s:s}]", "name", i->name);
}

json_t *initiator_show_counters(struct initiator *i)
{
	return json_object();
}

void initiator_clear(struct initiator *i)
{
	i->changes++;
}

void initiator_trace(struct initiator *i, initiator_trace_emit *emit, void *owner)
{
}

static bool is_answered_later(enum request_then then)
{
	return then == REQUEST_RELOAD || then == REQUEST_UPGRADE || then == REQUEST_CHECK || then == REQUEST_IMPORT ||
	       then == REQUEST_DUMP;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct concentrator c = {0};
	struct initiator home = {"home", 0};
	struct afbr mesh = {0};
	struct control_targets targets = {.initiator_count = 1, .initiators = {&home}};
	struct answer a;
	char *text;
	bool root;

	if (!size)
		return 0;
	root = data[0] & 1;
	targets.concentrator = data[0] & 2 ? &c : NULL;
	targets.afbr = data[0] & 4 ? &mesh : NULL;
	request_handle(&targets, root, (const char *)data + 1, size - 1, &a);
	if (is_answered_later(a.then)) {
		require(!a.object && (root || a.then == REQUEST_CHECK));
	} else {
		require(json_is_boolean(json_object_get(a.object, "ok")));
		require(json_is_true(json_object_get(a.object, "ok")) ||
			json_is_string(json_object_get(a.object, "error")));
		text = json_dumps(a.object, JSON_COMPACT);
		require(text && !strchr(text, '\n'));
		free(text);
	}
	require(root || (!c.changes && !home.changes && !mesh.changes && a.then != REQUEST_TRACE));
	require(a.then != REQUEST_TRACE || (a.trace_name[0] && (a.trace_initiator || targets.concentrator)));
	require(!a.list || json_is_array(a.list));
	json_decref(a.object);
	json_decref(a.list);
	return 0;
}

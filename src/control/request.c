/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of the control socket, as rows of a table (doc/control.md). */
#include "control/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/problem.h"
#include "control/verb.h"

enum { MEMBERS_MAX = 6, IMPORT_MAX = 4000000 };

enum member_type { MEMBER_TEXT, MEMBER_ID, MEMBER_TRUE, MEMBER_NUMBER, MEMBER_TEXTS };

struct member {
	const char *name;
	enum member_type type;
	bool required;
	uint32_t min, max; /* MEMBER_NUMBER; of MEMBER_TEXTS, how many */
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which people read a row */
struct verb {
	const char *words;
	bool changes; /* root only */
	struct member members[MEMBERS_MAX];
	bool one; /* exactly one of the members */
	void (*run)(struct request *q);
};

json_t *request_refusal(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	plain_text(text);
	return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

json_t *request_reloaded(json_t *errors, json_t *warnings, json_t *say)
{
	size_t n = json_array_size(errors);
	json_t *answer;

	if (!errors)
		return request_refusal("there is not enough memory for a reload: nothing was changed");
	if (n)
		answer = request_refusal(
			"the configuration was not applied, for it has %zu error%s", n, n == 1 ? "" : "s");
	else
		answer = json_pack("{s:b}", "ok", 1);
	if (n)
		json_object_set(answer, "errors", errors);
	if (json_array_size(warnings))
		json_object_set(answer, "warnings", warnings);
	json_object_set_new(answer, "say", say ? json_incref(say) : json_array());
	return answer;
}

static const char *why_not(int result)
{
	switch (result) {
	case -EINVAL:
		return "the program does not fit; nothing has changed";
	case -EBUSY:
		return "the daemon is just starting, ending or looking for a server: try again in a moment";
	case -EOPNOTSUPP:
		return "this daemon cannot be upgraded while it runs";
	default:
		return strerror(-result);
	}
}

json_t *request_upgraded(int result, const char *version, json_t *say)
{
	json_t *answer = result ? request_refusal("%s", why_not(result)) : json_pack("{s:b, s:s}", "ok", 1, "version", version);

	json_object_set(answer, result ? "errors" : "say", say);
	return answer;
}

const char *verb_text(const struct request *q, const char *name)
{
	return json_string_value(json_object_get(q->object, name));
}

json_int_t verb_number(const struct request *q, const char *name, json_int_t otherwise)
{
	const json_t *value = json_object_get(q->object, name);

	return value ? json_integer_value(value) : otherwise;
}

bool verb_true(const struct request *q, const char *name)
{
	return json_is_true(json_object_get(q->object, name));
}

static struct initiator *find_initiator(const struct control_targets *t, const char *name)
{
	for (unsigned i = 0; name && i < t->initiator_count; i++)
		if (!strcmp(initiator_name(t->initiators[i]), name))
			return t->initiators[i];
	return NULL;
}

/* ---- show ---- */

/* Of an initiator's row: its name, or the user that it connects as. */
static bool row_wanted(const json_t *row, const char *filter)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	const char *user = json_string_value(json_object_get(row, "user"));

	return !filter || (name && !strcmp(name, filter)) || (user && !strcmp(user, filter));
}

/* ROWS is an object or an array; its reference is taken over. */
static void add_rows(json_t *list, json_t *rows, const char *filter)
{
	json_t *row;
	size_t i;

	if (json_is_object(rows) && row_wanted(rows, filter))
		json_array_append(list, rows);
	json_array_foreach(rows, i, row) if (row_wanted(row, filter)) json_array_append(list, row);
	json_decref(rows);
}

static void show_rows(struct request *q, const char *name,
	json_t *(*concentrator)(struct concentrator *c, const char *filter),
	json_t *(*initiator)(struct initiator *i))
{
	const char *filter = verb_text(q, "filter");
	json_t *list = q->targets->concentrator ? concentrator(q->targets->concentrator, filter) : NULL;

	if (!list)
		list = json_array();
	for (unsigned i = 0; i < q->targets->initiator_count; i++)
		add_rows(list, initiator(q->targets->initiators[i]), filter);
	q->answer->object = json_pack("{s:b}", "ok", 1);
	q->answer->name = name;
	q->answer->list = list;
}

/* Whoever looks at softwires that vanish sees why. */
static void show_softwires(struct request *q)
{
	struct concentrator *c = q->targets->concentrator;

	show_rows(q, "softwires", concentrator_show_softwires, initiator_show);
	if (c && concentrator_is_draining(c))
		json_object_set_new(q->answer->object, "drain", concentrator_show_drain(c));
}

static void show_tunnels(struct request *q)
{
	show_rows(q, "tunnels", concentrator_show_tunnels, initiator_show_tunnel);
}

static void show_leases(struct request *q)
{
	show_rows(q, "leases", concentrator_show_leases, initiator_show_leases);
	if (q->targets->concentrator)
		json_object_set_new(q->answer->object, "database", concentrator_show_lease_store(q->targets->concentrator));
}

static void show_reverse_zones(struct request *q)
{
	const char *filter = verb_text(q, "filter");

	if (!q->targets->concentrator) {
		q->answer->object =
			request_refusal("there is no concentrator here, so there are no reverse zones");
		return;
	}
	q->answer->object = json_pack("{s:b}", "ok", 1);
	q->answer->name = "reverse_zones";
	q->answer->list = concentrator_show_reverse_zones(q->targets->concentrator, filter);
}

static void show_counters(struct request *q)
{
	json_t *all = json_object(), *initiators = json_object();

	if (q->targets->concentrator)
		json_object_set_new(
			all, "concentrator", concentrator_show_counters(q->targets->concentrator));
	if (q->targets->afbr)
		json_object_set_new(all, "afbr", afbr_show_counters(q->targets->afbr));
	for (unsigned i = 0; i < q->targets->initiator_count; i++)
		json_object_set_new(initiators, initiator_name(q->targets->initiators[i]),
			initiator_show_counters(q->targets->initiators[i]));
	if (json_object_size(initiators))
		json_object_set(all, "initiators", initiators);
	json_decref(initiators);
	q->answer->object = json_pack("{s:b, s:o}", "ok", 1, "counters", all);
}

static void show_drain(struct request *q)
{
	struct concentrator *c = q->targets->concentrator;

	q->answer->object =
		c ? json_pack("{s:b, s:o}", "ok", 1, "drain", concentrator_show_drain(c))
		  : request_refusal("there is no concentrator here, so there is nothing to drain");
}

static void show_version(struct request *q)
{
	q->answer->object = json_pack("{s:b, s:s}", "ok", 1, "version", SOFTWIRE_VERSION);
}

/* ---- change ---- */

static void clear(struct request *q)
{
	const struct control_targets *t = q->targets;
	const char *user = verb_text(q, "user"), *name = verb_text(q, "initiator");
	uint32_t id = (uint32_t)json_integer_value(json_object_get(q->object, "id"));
	struct initiator *one = find_initiator(t, name);
	unsigned n = 0;

	if (name && !one) {
		q->answer->object = request_refusal("there is no initiator \"%s\"", quoted(name).text);
		return;
	}
	if (t->concentrator && !name)
		n = concentrator_clear(t->concentrator, user, id);
	for (unsigned i = 0; i < t->initiator_count; i++) {
		if (user || id || (one && one != t->initiators[i]))
			continue;
		initiator_clear(t->initiators[i]);
		n++;
	}
	if (!n && user)
		q->answer->object = request_refusal("no softwire of %s", quoted(user).text);
	else if (!n && id)
		q->answer->object = request_refusal("no softwire with the id %u", id);
	else
		q->answer->object = json_pack("{s:b, s:I}", "ok", 1, "cleared", (json_int_t)n);
}

static void forget(struct request *q)
{
	if (!q->targets->concentrator)
		q->answer->object =
			request_refusal("there is no concentrator here, so there are no leases to forget");
	else
		q->answer->object = json_pack("{s:b, s:I}", "ok", 1, "forgotten",
			(json_int_t)concentrator_forget(q->targets->concentrator, verb_text(q, "user")));
}

static void trace(struct request *q)
{
	const char *name = verb_text(q, "name");

	q->answer->trace_initiator = find_initiator(q->targets, name);
	if (!q->answer->trace_initiator && !q->targets->concentrator) {
		q->answer->object = request_refusal(
			"there is no initiator \"%s\", and no concentrator here with such a user%s",
			quoted(name).text,
			q->targets->afbr ? "; messages of BGP are written into files, see `mrt` in softwired.conf(5)"
					 : "");
		return;
	}
	if ((size_t)snprintf(q->answer->trace_name, sizeof(q->answer->trace_name), "%s", name) >=
		sizeof(q->answer->trace_name)) {
		q->answer->object = request_refusal("no user has a name as long as that");
		return;
	}
	q->answer->then = REQUEST_TRACE;
	q->answer->object = json_pack("{s:b, s:s}", "ok", 1, "trace", name);
}

/* False, and a refusal. */
static bool drain_targets(struct request *q, struct drain_order *order)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(q->object, "to"), i, item)
	{
		const char *text = json_string_value(item);
		struct endpoint *e = &order->targets[order->target_count++];

		if (endpoint_parse(text, L2TP_PORT, e) || !e->port || addr_is_unspecified(&e->addr) ||
			addr_is_multicast(&e->addr))
			q->answer->object = request_refusal("\"to\" has \"%s\": it must be the address of "
							    "another concentrator, with :PORT or without",
				quoted(text).text);
		else if (concentrator_is_reached_at(q->targets->concentrator, e))
			q->answer->object =
				request_refusal("%s is this concentrator: \"to\" must be the address of "
						"another one",
					text);
		else
			continue;
		return false;
	}
	return true;
}

static void drain(struct request *q)
{
	const json_t *rate = json_object_get(q->object, "rate"), *grace = json_object_get(q->object, "grace");
	struct drain_order order = {.rate = rate ? (uint32_t)json_integer_value(rate) : DRAIN_RATE,
		.has_grace = grace != NULL,
		.grace_ms = (msec)json_integer_value(grace) * 1000};

	if (q->targets->concentrator && !drain_targets(q, &order))
		return;
	if (q->targets->concentrator)
		concentrator_drain(q->targets->concentrator, &order);
	show_drain(q);
}

static void drain_stop(struct request *q)
{
	if (q->targets->concentrator)
		concentrator_drain(q->targets->concentrator, NULL);
	show_drain(q);
}

/* ---- leases ---- */

static bool has_leases(struct request *q)
{
	if (q->targets->concentrator)
		return true;
	q->answer->object = request_refusal("there is no concentrator here, so there are no leases");
	return false;
}

static void export_leases(struct request *q)
{
	if (!has_leases(q))
		return;
	q->answer->name = "leases";
	q->answer->list = concentrator_export_leases(q->targets->concentrator);
	if (q->answer->list)
		q->answer->object = json_pack("{s:b}", "ok", 1);
}

static void check_leases(struct request *q)
{
	if (has_leases(q))
		q->answer->then = REQUEST_CHECK;
}

static void import_leases(struct request *q)
{
	const char *rule = verb_text(q, "rule");

	if (!has_leases(q))
		return;
	q->answer->then = REQUEST_IMPORT;
	q->answer->import_leases = (size_t)json_integer_value(json_object_get(q->object, "leases"));
	snprintf(q->answer->import_rule, sizeof(q->answer->import_rule), "%s", rule ? rule : "strict");
}

static void reload(struct request *q)
{
	q->answer->then = REQUEST_RELOAD;
}

static void upgrade(struct request *q)
{
	q->answer->then = REQUEST_UPGRADE;
}

static const struct verb verbs[] = {
	{"show softwires", .members = {{"filter", MEMBER_TEXT}}, .run = show_softwires},
	{"show tunnels", .members = {{"filter", MEMBER_TEXT}}, .run = show_tunnels},
	{"show leases", .members = {{"filter", MEMBER_TEXT}}, .run = show_leases},
	{"show reverse-zone", .members = {{"filter", MEMBER_TEXT}}, .run = show_reverse_zones},
	{"show counters", .run = show_counters},
	{"show drain", .run = show_drain},
	{"show bgp neighbors", .members = {{"filter", MEMBER_TEXT}}, .run = verb_show_bgp_neighbors},
	{"show bgp routes",
		.members = {{"family", MEMBER_TEXT}, {"received", MEMBER_TEXT}, {"advertised", MEMBER_TEXT},
			{"within", MEMBER_TEXT}, {"limit", MEMBER_NUMBER, .min = 1, .max = VERB_ROUTES},
			{"after", MEMBER_TEXT}},
		.run = verb_show_bgp_routes},
	{"show bgp attributes", .members = {{"limit", MEMBER_NUMBER, .min = 1, .max = VERB_ROUTES}},
		.run = verb_show_bgp_attributes},
	{"show route", .members = {{"to", MEMBER_TEXT, true}}, .run = verb_show_route},
	{"show paths",
		.members = {{"limit", MEMBER_NUMBER, .min = 1, .max = VERB_ROUTES}, {"after", MEMBER_TEXT}},
		.run = verb_show_paths},
	{"show endpoints", .members = {{"address", MEMBER_TEXT}}, .run = verb_show_endpoints},
	{"show acceptance", .run = verb_show_acceptance},
	{"show fib",
		.members = {{"family", MEMBER_TEXT}, {"within", MEMBER_TEXT},
			{"limit", MEMBER_NUMBER, .min = 1, .max = VERB_ROUTES}, {"after", MEMBER_TEXT}},
		.run = verb_show_fib},
	{"mesh roll", .changes = true, .run = verb_mesh_roll},
	{"mesh shutdown", .changes = true, .members = {{"address", MEMBER_TEXT, true}}, .run = verb_mesh_shutdown},
	{"mesh start", .changes = true, .members = {{"address", MEMBER_TEXT, true}}, .run = verb_mesh_start},
	{"bgp clear", .changes = true,
		.members = {{"neighbor", MEMBER_TEXT}, {"all", MEMBER_TRUE}, {"words", MEMBER_TEXT}},
		.run = verb_bgp_clear},
	{"bgp refresh", .changes = true,
		.members = {{"neighbor", MEMBER_TEXT}, {"all", MEMBER_TRUE}, {"in", MEMBER_TRUE}, {"out", MEMBER_TRUE}},
		.run = verb_bgp_refresh},
	{"bgp dump", .changes = true, .run = verb_bgp_dump},
	{"version", .run = show_version},
	{"show version", .run = show_version},
	{"clear", .changes = true, .one = true,
		.members = {{"user", MEMBER_TEXT}, {"initiator", MEMBER_TEXT}, {"id", MEMBER_ID},
			{"all", MEMBER_TRUE}},
		.run = clear},
	{"forget", .changes = true, .members = {{"user", MEMBER_TEXT, true}}, .run = forget},
	{"trace", .changes = true, .members = {{"name", MEMBER_TEXT, true}}, .run = trace},
	{"drain", .changes = true,
		.members = {{"to", MEMBER_TEXTS, .min = 1, .max = CONCENTRATOR_REDIRECTS_MAX},
			{"rate", MEMBER_NUMBER, .min = 1, .max = DRAIN_RATE_MAX},
			{"grace", MEMBER_NUMBER, .max = DRAIN_GRACE_MAX}},
		.run = drain},
	{"drain stop", .changes = true, .run = drain_stop},
	{"reload", .changes = true, .run = reload},
	{"upgrade", .changes = true, .run = upgrade},
	{"lease export", .run = export_leases},
	{"lease check", .run = check_leases},
	{"lease import", .changes = true,
		.members = {{"leases", MEMBER_NUMBER, true, .max = IMPORT_MAX}, {"rule", MEMBER_TEXT}},
		.run = import_leases},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* ---- what was asked ---- */

static const struct verb *find_verb(const char *words)
{
	for (unsigned i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i].words, words))
			return &verbs[i];
	return NULL;
}

static json_t *unknown_verb(const char *words)
{
	const char *known[VERBS + 1] = {NULL}, *near;

	for (unsigned i = 0; i < VERBS; i++)
		known[i] = verbs[i].words;
	near = nearest_word(words, known);
	if (near)
		return request_refusal(
			"there is no verb \"%s\"; did you mean \"%s\"?", quoted(words).text, near);
	return request_refusal("there is no verb \"%s\"; doc/control.md lists them", quoted(words).text);
}

static const struct member *find_member(const struct verb *v, const char *name)
{
	for (unsigned i = 0; i < MEMBERS_MAX && v->members[i].name; i++)
		if (!strcmp(v->members[i].name, name))
			return &v->members[i];
	return NULL;
}

/* What would be right. */
struct expected {
	char text[80];
};

static struct expected expected_number(long long min, long long max)
{
	struct expected e;

	snprintf(e.text, sizeof(e.text), "a number from %lld to %lld", min, max);
	return e;
}

static struct expected expected(const struct member *m)
{
	struct expected e;

	switch (m->type) {
	case MEMBER_TEXT:
		return (struct expected){"a text that is not empty"};
	case MEMBER_ID:
		return expected_number(1, UINT32_MAX);
	case MEMBER_NUMBER:
		return expected_number(m->min, m->max);
	case MEMBER_TEXTS:
		snprintf(e.text, sizeof(e.text), "an array of %u to %u texts", m->min, m->max);
		return e;
	default:
		return (struct expected){"true"};
	}
}

static bool is_between(const json_t *value, json_int_t min, json_int_t max)
{
	return json_is_integer(value) && json_integer_value(value) >= min && json_integer_value(value) <= max;
}

static bool are_texts(const json_t *array, size_t min, size_t max)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) if (!json_string_length(item)) return false;
	return json_is_array(array) && json_array_size(array) >= min && json_array_size(array) <= max;
}

static bool member_fits(const struct member *m, const json_t *value)
{
	switch (m->type) {
	case MEMBER_TEXT:
		return json_string_length(value) > 0;
	case MEMBER_ID:
		return is_between(value, 1, UINT32_MAX);
	case MEMBER_NUMBER:
		return is_between(value, m->min, m->max);
	case MEMBER_TEXTS:
		return are_texts(value, m->min, m->max);
	default:
		return json_is_true(value);
	}
}

static bool refuse(json_t **ret_refusal, json_t *refusal)
{
	*ret_refusal = refusal;
	return false;
}

/* False, and *ret_refusal (NULL when memory is short). */
static bool check_members(const struct verb *v, json_t *object, json_t **ret_refusal)
{
	unsigned given = 0;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const struct member *m = find_member(v, name);

		if (!strcmp(name, "v") || !strcmp(name, "do"))
			continue;
		if (!m)
			return refuse(ret_refusal,
				request_refusal("\"%s\" has no member \"%s\"", v->words, quoted(name).text));
		if (!member_fits(m, value))
			return refuse(
				ret_refusal, request_refusal("\"%s\" must be %s", name, expected(m).text));
		given++;
	}
	for (unsigned i = 0; i < MEMBERS_MAX && v->members[i].name; i++)
		if (v->members[i].required && !json_object_get(object, v->members[i].name))
			return refuse(ret_refusal,
				request_refusal("\"%s\" needs \"%s\"", v->words, v->members[i].name));
	if (v->one && given != 1)
		return refuse(ret_refusal,
			request_refusal(
				"\"%s\" needs exactly one of \"user\", \"initiator\", \"id\" and \"all\"",
				v->words));
	return true;
}

/* The verb, if there is nothing to refuse. */
static bool understand(json_t *object, bool may_change, const struct verb **ret_verb, json_t **ret_refusal)
{
	const char *words = json_string_value(json_object_get(object, "do"));
	const json_t *version = json_object_get(object, "v");
	const struct verb *v;

	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return refuse(
			ret_refusal, request_refusal("\"v\" must be 1: this is version 1 of the protocol"));
	if (!words)
		return refuse(ret_refusal,
			request_refusal("\"do\" is missing: it says what to do, like \"show softwires\""));
	v = find_verb(words);
	if (!v)
		return refuse(ret_refusal, unknown_verb(words));
	if (v->changes && !may_change)
		return refuse(ret_refusal, request_refusal("\"%s\" is for root only", v->words));
	*ret_verb = v;
	return check_members(v, object, ret_refusal);
}

void request_handle(const struct control_targets *targets, bool may_change, const char *line, size_t len,
	struct answer *answer)
{
	struct request q = {.targets = targets, .answer = answer};
	const struct verb *verb = NULL;
	json_error_t error;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

	*answer = (struct answer){.then = REQUEST_ANSWER};
	if (!json_is_object(object)) {
		answer->then = REQUEST_CLOSE;
		answer->object = object ? request_refusal("a request is a JSON object on one line, like "
							  "{\"v\":1,\"do\":\"show softwires\"}")
					: request_refusal("this is not JSON: %s", error.text);
	} else {
		q.object = object;
		if (understand(object, may_change, &verb, &answer->object))
			verb->run(&q);
	}
	json_decref(object);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Softwires of the mesh for people: paths, endpoints, what is taken and from whom, and routes as the kernel was told them. */
#include <string.h>

#include "control/cells.h"
#include "control/mesh_print.h"
#include "lib/text.h"

enum { LINE = 512 };

/* ---- cells that several tables have ---- */

CELL_FUNCTION(cell_address)
{
	cell_put(text, cell_text(row, "address"));
}

CELL_FUNCTION(cell_encapsulation)
{
	cell_put(text, cell_text(row, "encapsulation"));
}

CELL_FUNCTION(cell_path)
{
	cell_put_integer(row, "path", text);
}

/* Of both families. */
static double sum(const json_t *row, const char *four, const char *six)
{
	return cell_number(row, four) + cell_number(row, six);
}

static void put_bytes(char text[CELL], double bytes)
{
	char buf[16];

	cell_put(text, print_bytes(bytes, buf));
}

CELL_FUNCTION(cell_tx_packets)
{
	snprintf(text, CELL, "%.0f", sum(row, "tx4_packets", "tx6_packets"));
}

CELL_FUNCTION(cell_tx_bytes)
{
	put_bytes(text, sum(row, "tx4_bytes", "tx6_bytes"));
}

CELL_FUNCTION(cell_rx_packets)
{
	snprintf(text, CELL, "%.0f", sum(row, "rx4_packets", "rx6_packets"));
}

CELL_FUNCTION(cell_rx_bytes)
{
	put_bytes(text, sum(row, "rx4_bytes", "rx6_bytes"));
}

/* ---- paths ---- */

/* A row of the table is a class of traffic of a path: slot_row(). */
static const json_t *slot_of(const json_t *row)
{
	return json_object_get(row, "slot");
}

static bool is_first(const json_t *row)
{
	return json_is_true(json_object_get(row, "first"));
}

CELL_FUNCTION(cell_path_number)
{
	if (is_first(row))
		cell_put_integer(row, "path", text);
}

CELL_FUNCTION(cell_dscp)
{
	const json_t *list = json_object_get(slot_of(row), "dscp");
	char all[CELL] = "";
	struct text t = {all, sizeof(all), 0};
	size_t count = json_array_size(list);

	for (size_t i = 0, last; i < count; i = last + 1) {
		json_int_t from = json_integer_value(json_array_get(list, i)), to = from;

		for (last = i;
			last + 1 < count && json_integer_value(json_array_get(list, last + 1)) == to + 1;
			last++)
			to++;
		text_add(&t, "%s%lld", i ? "," : "", (long long)from);
		if (to > from)
			text_add(&t, "-%lld", (long long)to);
	}
	cell_put(text, all);
}

static const json_t *leg_of(const json_t *row, const char *which)
{
	return json_object_get(slot_of(row), which);
}

CELL_FUNCTION(cell_primary)
{
	cell_put(text, cell_text(leg_of(row, "primary"), "address"));
}

CELL_FUNCTION(cell_primary_way)
{
	cell_put(text, cell_text(leg_of(row, "primary"), "encapsulation"));
}

CELL_FUNCTION(cell_primary_label)
{
	cell_put_integer(leg_of(row, "primary"), "label", text);
}

CELL_FUNCTION(cell_backup)
{
	cell_put(text, cell_text(leg_of(row, "backup"), "address"));
}

CELL_FUNCTION(cell_path_routes)
{
	if (is_first(row))
		cell_put_integer(row, "routes", text);
}

CELL_FUNCTION(cell_path_packets)
{
	if (is_first(row))
		cell_tx_packets(row, x, text);
}

CELL_FUNCTION(cell_path_bytes)
{
	if (is_first(row))
		cell_tx_bytes(row, x, text);
}

CELL_FUNCTION(cell_rejected)
{
	if (is_first(row) && cell_number(row, "rejected") > 0)
		cell_put_integer(row, "rejected", text);
}

/* Why it is not as it should be. */
CELL_FUNCTION(cell_path_note)
{
	const char *by = cell_text(slot_of(row), "goes_by"),
		   *state = cell_text(leg_of(row, "primary"), "state");
	char all[CELL] = "";
	struct text t = {all, sizeof(all), 0};

	if (!strcmp(by, "backup"))
		text_add(&t, "goes by the backup: the endpoint is %s", *state ? state : "none");
	else if (!strcmp(by, "none"))
		text_add(&t, "packets are rejected%s%s", *state ? ": the endpoint is " : "", state);
	if (*cell_text(row, "error"))
		text_add(&t, "%sthe kernel does not take it: %s", t.len ? "; " : "", cell_text(row, "error"));
	if (json_is_true(json_object_get(row, "adopted")))
		text_add(&t, "%sof the process before", t.len ? "; " : "");
	cell_put(text, all);
}

/* A row for each class of traffic; in the first one, what is of the whole path. */
static json_t *slot_rows(const json_t *rows)
{
	json_t *flat = json_array(), *row, *slot;
	size_t i, k;

	json_array_foreach(rows, i, row) json_array_foreach(json_object_get(row, "slots"), k, slot)
	{
		json_t *one = json_copy(row);

		json_object_set(one, "slot", slot);
		json_object_set_new(one, "first", json_boolean(!k));
		json_array_append_new(flat, one);
	}
	return flat;
}

void print_mesh_paths(FILE *out, const json_t *rows, struct print_shape *shape, bool whole)
{
	static const struct column columns[] = {
		{"PATH", true, cell_path_number},
		{"DSCP", false, cell_dscp},
		{"ENDPOINT", false, cell_primary},
		{"BY", false, cell_primary_way},
		{"LABEL", true, cell_primary_label},
		{"BACKUP", false, cell_backup},
		{"ROUTES", true, cell_path_routes},
		{"TX PACKETS", true, cell_path_packets},
		{"TX BYTES", true, cell_path_bytes},
		{"REJECTED", true, cell_rejected},
		{"NOTE", false, cell_path_note},
	};
	const struct context x = {.shape = shape};
	json_t *flat = slot_rows(rows);

	if (whole || json_array_size(rows))
		PRINT(out, flat, &x, columns, "There are no paths.");
	json_decref(flat);
}

/* ---- endpoints ---- */

CELL_FUNCTION(cell_through)
{
	cell_put(text, cell_text(row, "through"));
}

CELL_FUNCTION(cell_state)
{
	cell_put(text, cell_text(row, "state"));
}

CELL_FUNCTION(cell_since)
{
	char buf[16];

	if (cell_has_number(row, "since_seconds"))
		cell_put(text, print_seconds(cell_number(row, "since_seconds"), buf));
}

CELL_FUNCTION(cell_mtu)
{
	cell_put_integer(row, "mtu", text);
}

CELL_FUNCTION(cell_paths)
{
	cell_put_integer(row, "paths", text);
}

CELL_FUNCTION(cell_because)
{
	const char *state = cell_text(row, "state_because");

	cell_put(text, *state ? state : cell_text(row, "because"));
}

void print_mesh_endpoints(FILE *out, const json_t *rows)
{
	static const struct column columns[] = {
		{"ENDPOINT", false, cell_address},
		{"BY", false, cell_encapsulation},
		{"THROUGH", false, cell_through},
		{"STATE", false, cell_state},
		{"SINCE", true, cell_since},
		{"MTU", true, cell_mtu},
		{"PATHS", true, cell_paths},
		{"TX PACKETS", true, cell_tx_packets},
		{"TX BYTES", true, cell_tx_bytes},
		{"BECAUSE", false, cell_because},
	};

	PRINT(out, rows, NULL, columns, "There are no endpoints.");
}

static void print_line(FILE *out, const char *title, const char *value)
{
	fprintf(out, "  %-10s ", title);
	print_whole(out, value);
	putc('\n', out);
}

#define LINE_OF(out, title, ...)                                                                             \
	do {                                                                                                 \
		char buf_[LINE] = "";                                                                        \
		struct text t_ = {buf_, sizeof(buf_), 0};                                                    \
		text_add(&t_, __VA_ARGS__);                                                                  \
		print_line(out, title, buf_);                                                                \
	} while (0)

static void print_mtu(FILE *out, const json_t *row)
{
	char buf[LINE] = "";
	struct text t = {buf, sizeof(buf), 0};

	text_add(&t, "inner packets of up to %.0f octets, and %.0f of headers", cell_number(row, "mtu"),
		cell_number(row, "overhead"));
	if (cell_has_number(row, "path_mtu"))
		text_add(&t, "; the core takes %.0f", cell_number(row, "path_mtu"));
	if (cell_has_number(row, "learned_mtu"))
		text_add(&t, "; a router of it has said %.0f, which counts for another %.0f s",
			cell_number(row, "learned_mtu"), cell_number(row, "learned_seconds_left"));
	print_line(out, "MTU", buf);
}

static void print_outer(FILE *out, const json_t *row)
{
	char dscp[32] = "that of the packet";

	if (cell_has_number(row, "dscp"))
		snprintf(dscp, sizeof(dscp), "%.0f", cell_number(row, "dscp"));
	LINE_OF(out, "outside", "hop limit %.0f, DSCP %s, ECN %s", cell_number(row, "hop_limit"), dscp,
		json_is_true(json_object_get(row, "ecn")) ? "that of the packet" : "none");
	if (*cell_text(row, "through"))
		LINE_OF(out, "through", "%s by %s", cell_text(row, "through"),
			cell_text(row, "outer_encapsulation"));
}

static void print_sent(FILE *out, const json_t *row)
{
	char four[16], six[16];

	LINE_OF(out, "sent", "%.0f IPv4 packets (%s), %.0f IPv6 packets (%s)",
		cell_number(row, "tx4_packets"), print_bytes(cell_number(row, "tx4_bytes"), four),
		cell_number(row, "tx6_packets"), print_bytes(cell_number(row, "tx6_bytes"), six));
	if (cell_number(row, "drop_too_big") > 0 || cell_number(row, "drop_queue") > 0)
		LINE_OF(out, "dropped", "%.0f too big, %.0f while the queue was full",
			cell_number(row, "drop_too_big"), cell_number(row, "drop_queue"));
}

void print_mesh_endpoint(FILE *out, const json_t *row)
{
	const char *state = cell_text(row, "state_because");
	char buf[16];

	fprintf(out, "%s by %s\n", cell_text(row, "address"), cell_text(row, "encapsulation"));
	LINE_OF(out, "state", "%s for %s%s%s%s", cell_text(row, "state"),
		print_seconds(cell_number(row, "since_seconds"), buf), *state ? ": " : "", state,
		json_is_true(json_object_get(row, "adopted")) ? " (of the process before)" : "");
	if (cell_number(row, "flaps") > 0 || cell_number(row, "hints") > 0)
		LINE_OF(out, "before",
			"down %.0f times; the core has said %.0f times that it cannot be reached",
			cell_number(row, "flaps"), cell_number(row, "hints"));
	print_line(out, "because", cell_text(row, "because"));
	print_outer(out, row);
	print_mtu(out, row);
	LINE_OF(out, "used by", "%.0f path%s", cell_number(row, "paths"),
		cell_number(row, "paths") == 1 ? "" : "s");
	print_sent(out, row);
}

/* ---- what is taken ---- */

CELL_FUNCTION(cell_accept)
{
	cell_put(text, cell_text(row, "accept"));
}

CELL_FUNCTION(cell_payload)
{
	cell_put(text, cell_text(row, "payload"));
}

CELL_FUNCTION(cell_drop_cookie)
{
	if (cell_number(row, "drop_cookie") > 0)
		cell_put_integer(row, "drop_cookie", text);
}

CELL_FUNCTION(cell_accept_note)
{
	char all[CELL], buf[16];

	if (!json_is_true(json_object_get(row, "old")))
		return;
	snprintf(all, sizeof(all), "old, taken for another %s",
		print_seconds(cell_number(row, "seconds_left"), buf));
	cell_put(text, all);
}

static void add_list(struct text *t, const json_t *list, const char *before)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) text_add(t, "%s%s", i ? ", " : before, json_string_value(item));
}

CELL_FUNCTION(cell_sender_because)
{
	char all[CELL] = "";
	struct text t = {all, sizeof(all), 0};

	add_list(&t, json_object_get(row, "because"), "");
	cell_put(text, all);
}

static void print_where(FILE *out, const json_t *a)
{
	char buf[2 * LINE] = "";
	struct text t = {buf, sizeof(buf), 0};

	text_add(&t, "Taken at %s", cell_text(a, "address"));
	add_list(&t, json_object_get(a, "interfaces"), ", from ");
	add_list(&t, json_object_get(a, "families"), "; what comes out is ");
	print_whole(out, buf);
	putc('\n', out);
}

static void print_roll(FILE *out, const json_t *roll)
{
	char last[16], next[16];

	fprintf(out, "Keys, sessions and cookies are %s old",
		print_seconds(cell_number(roll, "last_seconds"), last));
	if (cell_has_number(roll, "next_seconds"))
		fprintf(out, "; others are made in %s",
			print_seconds(cell_number(roll, "next_seconds"), next));
	fputs(".\n", out);
}

/* What is dropped, in the order in which packets are looked at; those of which there were none are left out. */
static void print_drops(FILE *out, const json_t *drops)
{
	static const struct {
		const char *name, *what;
	} rows[] = {{"interface", "did not come by an interface of the core"},
		{"transmitter", "came from somebody who is no transmitter"},
		{"header", "had a header that cannot be read"},
		{"encapsulation", "were packed in a way that is not taken"},
		{"key", "had a GRE key that is not ours"},
		{"session", "had an L2TPv3 session that is not ours"}, {"cookie", "had the wrong cookie"},
		{"label", "had a label that is not ours"},
		{"payload", "had something inside that is not taken out of softwires"},
		{"checksum", "had a GRE checksum that is wrong"},
		{"ecn", "had ECN marks that contradict each other"},
		{"device", "did not fit into the device"}};
	bool any = false;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (cell_number(drops, rows[i].name) <= 0)
			continue;
		fprintf(out, "%s%10.0f %s\n", any ? "" : "\nDropped packets:\n",
			cell_number(drops, rows[i].name), rows[i].what);
		any = true;
	}
	if (!any)
		fputs("\nNothing was dropped.\n", out);
}

void print_mesh_acceptance(FILE *out, const json_t *a)
{
	static const struct column ways[] = {
		{"ACCEPT", false, cell_accept},
		{"AS", false, cell_encapsulation},
		{"PAYLOAD", false, cell_payload},
		{"RX PACKETS", true, cell_rx_packets},
		{"RX BYTES", true, cell_rx_bytes},
		{"WRONG COOKIES", true, cell_drop_cookie},
		{"NOTE", false, cell_accept_note},
	};
	static const struct column senders[] = {
		{"TRANSMITTER", false, cell_address},
		{"BECAUSE", false, cell_sender_because},
		{"RX PACKETS", true, cell_rx_packets},
		{"RX BYTES", true, cell_rx_bytes},
	};

	print_where(out, a);
	print_roll(out, json_object_get(a, "roll"));
	putc('\n', out);
	PRINT(out, json_object_get(a, "accept"), NULL, ways, "Nothing is accepted: `accept` names nothing.");
	putc('\n', out);
	PRINT(out, json_object_get(a, "transmitters"), NULL, senders, "Nobody may send.");
	print_drops(out, json_object_get(a, "drops"));
}

/* ---- routes ---- */

CELL_FUNCTION(cell_family)
{
	const char *family = cell_text(row, "family");

	if (strcmp(family, "ipv4") != 0 && strcmp(family, "ipv6") != 0)
		cell_put(text, family);
}

CELL_FUNCTION(cell_prefix)
{
	cell_put(text, cell_text(row, "prefix"));
}

CELL_FUNCTION(cell_from)
{
	cell_put(text, cell_text(row, "from"));
}

CELL_FUNCTION(cell_next_hop)
{
	cell_put(text, cell_text(row, "next_hop"));
}

CELL_FUNCTION(cell_gateway)
{
	cell_put(text, cell_text(row, "gateway"));
}

CELL_FUNCTION(cell_device)
{
	cell_put(text, cell_text(row, "device"));
}

/* Why it is not there, or leads nowhere. */
CELL_FUNCTION(cell_fib_note)
{
	if (!json_is_true(json_object_get(row, "told")) || *cell_text(row, "refused") ||
		json_is_true(json_object_get(row, "rejects")))
		cell_put(text, cell_text(row, "kernel"));
}

void print_mesh_fib(FILE *out, const json_t *rows, struct print_shape *shape, bool whole)
{
	static const struct column columns[] = {
		{"FAMILY", false, cell_family},
		{"PREFIX", false, cell_prefix},
		{"FROM", false, cell_from},
		{"NEXT HOP", false, cell_next_hop},
		{"PATH", true, cell_path},
		{"GATEWAY", false, cell_gateway},
		{"DEVICE", false, cell_device},
		{"NOTE", false, cell_fib_note},
	};
	const struct context x = {.shape = shape};
	json_t *ordered = whole ? print_in_order(rows) : NULL;

	if (whole || json_array_size(rows))
		PRINT(out, whole ? ordered : rows, &x, columns, "There are no routes.");
	json_decref(ordered);
}

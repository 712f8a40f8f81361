/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of BGP for people. */
#include <stdlib.h>
#include <string.h>

#include "control/cells.h"
#include "control/mesh_print.h"
#include "lib/addr.h"
#include "lib/text.h"

/* ---- cells ---- */

CELL_FUNCTION(cell_name)
{
	cell_put(text, cell_text(row, "name"));
}

CELL_FUNCTION(cell_state)
{
	cell_put(text, cell_text(row, "state"));
}

CELL_FUNCTION(cell_prefix)
{
	cell_put(text, cell_text(row, "prefix"));
}

CELL_FUNCTION(cell_address)
{
	cell_put(text, cell_text(row, "address"));
}

CELL_FUNCTION(cell_as)
{
	cell_put_integer(row, "as", text);
}

CELL_FUNCTION(cell_since)
{
	char buf[16];

	if (cell_has_number(row, "since_seconds"))
		cell_put(text, print_seconds(cell_number(row, "since_seconds"), buf));
}

/* Over all families. */
static void put_routes(const json_t *row, const char *name, char text[CELL])
{
	const json_t *family;
	double sum = 0;
	size_t i;

	json_array_foreach(json_object_get(row, "families"), i, family) sum += cell_number(family, name);
	snprintf(text, CELL, "%.0f", sum);
}

CELL_FUNCTION(cell_received)
{
	put_routes(row, "received", text);
}

CELL_FUNCTION(cell_accepted)
{
	put_routes(row, "accepted", text);
}

CELL_FUNCTION(cell_advertised)
{
	put_routes(row, "advertised", text);
}

/* What it waits for, and why it went down last. */
CELL_FUNCTION(cell_session_note)
{
	const json_t *error = json_object_get(row, "last_error");
	char buf[16], all[3 * CELL] = "";
	struct text t = {all, sizeof(all), 0};

	if (!strcmp(cell_text(row, "state"), "established")) {
		print_disagreement(row, &t);
		cell_put(text, all);
		return;
	}
	text_add(&t, "%s", cell_text(row, "waiting"));
	/* What was said before a connection failed says more than that. */
	if (!*cell_text(error, "code") && *print_reason(json_object_get(row, "last_notification")))
		text_add(&t, "%s%.100s", t.len ? "; " : "",
			print_reason(json_object_get(row, "last_notification")));
	if (*print_reason(error))
		text_add(&t, "%s%.100s", t.len ? "; " : "", print_reason(error));
	/* The kernel of one end throws away what the other one has signed. */
	if (json_is_true(json_object_get(row, "password")) && strstr(print_reason(error), "no answer"))
		text_add(&t, " (have both ends the same password?)");
	if (cell_has_number(row, "next_try_seconds"))
		text_add(&t, "%snext try in %s", t.len ? "; " : "",
			print_seconds(cell_number(row, "next_try_seconds"), buf));
	cell_put(text, all);
}

/* Where it does not follow from the prefix. */
CELL_FUNCTION(cell_family)
{
	const char *family = cell_text(row, "family");

	if (strcmp(family, "ipv4") != 0 && strcmp(family, "ipv6") != 0)
		cell_put(text, family);
}

CELL_FUNCTION(cell_from)
{
	cell_put(text, cell_text(row, "from"));
}

CELL_FUNCTION(cell_next_hop)
{
	cell_put(text, cell_text(row, "next_hop"));
}

CELL_FUNCTION(cell_label)
{
	cell_put_integer(row, "label", text);
}

CELL_FUNCTION(cell_local_pref)
{
	cell_put_integer(row, "local_pref", text);
}

CELL_FUNCTION(cell_med)
{
	cell_put_integer(row, "med", text);
}

CELL_FUNCTION(cell_as_path)
{
	cell_put(text, cell_text(row, "as_path"));
}

CELL_FUNCTION(cell_communities)
{
	cell_put_array(json_object_get(row, "communities"), text);
}

CELL_FUNCTION(cell_tunnels)
{
	cell_put_array(json_object_get(row, "tunnels"), text);
}

/* Why a route is not used, or not for long. */
CELL_FUNCTION(cell_route_note)
{
	char all[2 * CELL];

	if (*cell_text(row, "barred"))
		cell_put(text, cell_text(row, "barred"));
	else if (json_is_false(json_object_get(row, "reached")))
		cell_put(text,
			snprintf(all, sizeof(all), "next hop: %s", cell_text(row, "unreached_because")) > 0
				? all
				: "");
	else if (json_is_true(json_object_get(row, "stale")))
		cell_put(text, "stale");
}

CELL_FUNCTION(cell_routes)
{
	cell_put_integer(row, "routes", text);
}

CELL_FUNCTION(cell_bytes)
{
	cell_put_integer(row, "bytes", text);
}

/* ---- tables ---- */

void print_bgp_neighbors(FILE *out, const json_t *rows)
{
	static const struct column columns[] = {
		{"NAME", false, cell_name},
		{"ADDRESS", false, cell_address},
		{"AS", true, cell_as},
		{"STATE", false, cell_state},
		{"SINCE", true, cell_since},
		{"RECEIVED", true, cell_received},
		{"ACCEPTED", true, cell_accepted},
		{"ADVERTISED", true, cell_advertised},
		{"NOTE", false, cell_session_note},
	};

	PRINT(out, rows, NULL, columns, "There are no neighbors.");
}

/* A row, and where it belongs. */
struct placed {
	struct prefix prefix;
	const char *family;
	json_t *row;
};

static int by_prefix(const void *x, const void *y)
{
	const struct placed *a = x, *b = y;
	int order = strcmp(a->family, b->family);

	if (!order)
		order = addr_compare(&a->prefix.addr, &b->prefix.addr);
	return order ? order : (int)a->prefix.len - (int)b->prefix.len;
}

json_t *print_in_order(const json_t *rows)
{
	size_t count = json_array_size(rows), i;
	struct placed *all = calloc(count ? count : 1, sizeof(*all));
	json_t *ordered = json_array(), *row;

	json_array_foreach(rows, i, row)
	{
		if (!all)
			json_array_append(ordered, row);
		else
			all[i] = (struct placed){.family = cell_text(row, "family"), .row = row};
		if (all)
			(void)prefix_parse(cell_text(row, "prefix"), &all[i].prefix);
	}
	if (all)
		qsort(all, count, sizeof(*all), by_prefix);
	for (i = 0; all && i < count; i++)
		json_array_append(ordered, all[i].row);
	free(all);
	return ordered;
}

void print_bgp_routes(FILE *out, const json_t *rows, struct print_shape *shape, bool whole)
{
	static const struct column columns[] = {
		{"FAMILY", false, cell_family},
		{"PREFIX", false, cell_prefix},
		{"FROM", false, cell_from},
		{"NEXT HOP", false, cell_next_hop},
		{"LABEL", true, cell_label},
		{"LOCAL PREF", true, cell_local_pref},
		{"MED", true, cell_med},
		{"AS PATH", false, cell_as_path},
		{"COMMUNITIES", false, cell_communities},
		{"TUNNELS", false, cell_tunnels},
		{"NOTE", false, cell_route_note},
	};
	const struct context x = {.shape = shape};
	json_t *ordered = whole ? print_in_order(rows) : NULL;

	if (whole || json_array_size(rows))
		PRINT(out, whole ? ordered : rows, &x, columns, "There are no routes.");
	json_decref(ordered);
}

void print_bgp_attributes(FILE *out, const json_t *rows)
{
	static const struct column columns[] = {
		{"ROUTES", true, cell_routes},
		{"BYTES", true, cell_bytes},
		{"NEXT HOP", false, cell_next_hop},
		{"LOCAL PREF", true, cell_local_pref},
		{"MED", true, cell_med},
		{"AS PATH", false, cell_as_path},
		{"COMMUNITIES", false, cell_communities},
		{"TUNNELS", false, cell_tunnels},
	};

	PRINT(out, rows, NULL, columns, "There are no routes.");
}

/* All of a list, on a line of its own. */
static void print_list(FILE *out, const json_t *path, const char *name, const char *title)
{
	const json_t *list = json_object_get(path, name), *item;
	char text[CELL];
	size_t i;

	json_array_foreach(list, i, item)
	{
		cell_put(text, json_string_value(item));
		fprintf(out, "%s%s%s", i ? "" : "    ", i ? ", " : title, text);
	}
	if (json_array_size(list))
		putc('\n', out);
}

static void print_numbers(FILE *out, const json_t *path)
{
	static const struct {
		const char *member, *title;
	} numbers[] = {{"local_pref", "local preference"}, {"med", "MED"}, {"label", "label"}};
	char buf[16];

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (cell_has_number(path, numbers[i].member))
			fprintf(out, ", %s %.0f", numbers[i].title, cell_number(path, numbers[i].member));
	if (cell_has_number(path, "age_seconds"))
		fprintf(out, ", for %s", print_seconds(cell_number(path, "age_seconds"), buf));
	if (json_is_true(json_object_get(path, "stale")))
		fprintf(out, ", stale");
	putc('\n', out);
}

static void print_path(FILE *out, const json_t *path)
{
	const char *address = cell_text(path, "from_address");
	const json_t *tunnel;
	char text[CELL];
	size_t i;

	cell_put(text, cell_text(path, "from"));
	fprintf(out, "  %c from %s%s%s%s", json_is_true(json_object_get(path, "best")) ? '*' : ' ', text,
		*address ? " (" : "", address, *address ? ")" : "");
	cell_put(text, cell_text(path, "next_hop"));
	fprintf(out, ", next hop %s", *text ? text : "ourselves");
	cell_put(text, cell_text(path, "as_path"));
	fprintf(out, ", AS path %s", *text ? text : "empty");
	if (*cell_text(path, "origin"))
		fprintf(out, ", origin %s", cell_text(path, "origin"));
	print_numbers(out, path);
	print_list(out, path, "communities", "communities ");
	print_list(out, path, "extended_communities", "extended communities ");
	print_list(out, path, "large_communities", "large communities ");
	if (*cell_text(path, "originator_id"))
		fprintf(out, "    originator %s\n", cell_text(path, "originator_id"));
	print_list(out, path, "cluster_list", "clusters ");
	json_array_foreach(json_object_get(path, "tunnels"), i, tunnel)
	{
		cell_put(text, json_string_value(tunnel));
		fprintf(out, "    tunnel %s\n", text);
	}
	cell_put(text, cell_text(path, "why"));
	fprintf(out, "    %s\n", text);
}

void print_bgp_route(FILE *out, const json_t *route)
{
	const json_t *row;
	char text[CELL];
	size_t i;

	fprintf(out, "%s (%s)\n", cell_text(route, "prefix"), cell_text(route, "family"));
	json_array_foreach(json_object_get(route, "paths"), i, row) print_path(out, row);
	if (*cell_text(route, "kernel"))
		fprintf(out, "  %s\n", cell_text(route, "kernel"));
	json_array_foreach(json_object_get(route, "forwarding"), i, row)
	{
		fputs("  ", out);
		print_whole(out, json_string_value(row));
		putc('\n', out);
	}
	json_array_foreach(json_object_get(route, "neighbors"), i, row)
	{
		bool told = json_is_true(json_object_get(row, "told"));

		cell_put(text, cell_text(row, "neighbor"));
		fprintf(out, "  %s is %stold%s", text, told ? "" : "not ", told ? "" : ": ");
		cell_put(text, cell_text(row, "because"));
		fprintf(out, "%s\n", text);
	}
}

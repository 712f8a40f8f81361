/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of the mesh for people. */
#include <string.h>

#include "control/cells.h"
#include "control/print.h"

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
	char buf[16], next[64] = "", all[2 * CELL];

	if (!strcmp(cell_text(row, "state"), "established"))
		return;
	if (cell_has_number(row, "next_try_seconds"))
		snprintf(next, sizeof(next), "next try in %s",
			print_seconds(cell_number(row, "next_try_seconds"), buf));
	snprintf(all, sizeof(all), "%s%s%.110s%s%s", cell_text(row, "waiting"),
		*cell_text(row, "waiting") && error ? "; " : "",
		*cell_text(error, "reason") ? cell_text(error, "reason") : cell_text(error, "code"),
		*next && json_is_object(error) ? "; " : "", next);
	cell_put(text, all);
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

void print_bgp_routes(FILE *out, const json_t *rows, bool first)
{
	static const struct column columns[] = {
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
	const struct context x = {.no_heading = !first};

	if (first || json_array_size(rows))
		PRINT(out, rows, &x, columns, "There are no routes.");
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

static void print_path(FILE *out, const json_t *path)
{
	const json_t *tunnel;
	char text[CELL];
	size_t i;

	cell_put(text, cell_text(path, "from"));
	fprintf(out, "  %c from %s", json_is_true(json_object_get(path, "best")) ? '*' : ' ', text);
	cell_put(text, cell_text(path, "next_hop"));
	fprintf(out, ", next hop %s", *text ? text : "ourselves");
	cell_put(text, cell_text(path, "as_path"));
	fprintf(out, ", AS path %s", *text ? text : "empty");
	if (cell_has_number(path, "local_pref"))
		fprintf(out, ", local preference %.0f", cell_number(path, "local_pref"));
	if (cell_has_number(path, "med"))
		fprintf(out, ", MED %.0f", cell_number(path, "med"));
	cell_put_array(json_object_get(path, "communities"), text);
	if (json_array_size(json_object_get(path, "communities")))
		fprintf(out, ", community %s", text);
	putc('\n', out);
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
	json_array_foreach(json_object_get(route, "neighbors"), i, row)
	{
		bool told = json_is_true(json_object_get(row, "told"));

		cell_put(text, cell_text(row, "neighbor"));
		fprintf(out, "  %s is %stold%s", text, told ? "" : "not ", told ? "" : ": ");
		cell_put(text, cell_text(row, "because"));
		fprintf(out, "%s\n", text);
	}
}

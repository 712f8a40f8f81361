/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for people: a column is a heading and a function that makes a cell of a JSON object. */
#include "control/cells.h"
#include "control/print.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>


/* ---- cells ---- */

/* Names come from peers: no byte of theirs may move the cursor or change colours. */
static void plain(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < ' ' || *p == 127)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) /* U+0080 to U+009F */
			p[0] = p[1] = '?';
	}
}

const char *cell_text(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

double cell_number(const json_t *row, const char *name)
{
	return json_number_value(json_object_get(row, name));
}

bool cell_has_number(const json_t *row, const char *name)
{
	return json_is_number(json_object_get(row, name));
}

void cell_put(char text[CELL], const char *value)
{
	size_t n = strlen(value);

	if (n >= CELL) {
		n = CELL - 1;
		while (n && ((unsigned char)value[n] & 0xc0) == 0x80)
			n--; /* not through the middle of a character */
	}
	memcpy(text, value, n);
	text[n] = 0;
	plain(text);
}

void cell_put_integer(const json_t *row, const char *name, char text[CELL])
{
	if (cell_has_number(row, name))
		snprintf(text, CELL, "%.0f", cell_number(row, name));
}

/* The first one, and how many more. */
void cell_put_array(const json_t *array, char text[CELL])
{
	const char *first = json_string_value(json_array_get(array, 0));
	size_t n = json_array_size(array);
	char all[CELL];

	if (n < 2)
		cell_put(text, first ? first : "");
	else if (snprintf(all, sizeof(all), "%s +%zu", first ? first : "?", n - 1) > 0)
		cell_put(text, all);
}

const char *print_bytes(double bytes, char buf[16])
{
	static const char units[] = " kMGTPE";
	unsigned unit = 0;

	while (bytes >= 999.5 && unit < sizeof(units) - 2) {
		bytes /= 1000;
		unit++;
	}
	if (!unit)
		snprintf(buf, 16, "%.0f", bytes);
	else
		snprintf(buf, 16, bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes, units[unit]);
	return buf;
}

const char *print_seconds(double seconds, char buf[16])
{
	uint64_t s = seconds < 1 ? 0 : seconds > 1e11 ? (uint64_t)1e11 : (uint64_t)seconds;
	unsigned days = (unsigned)(s / 86400), hours = (unsigned)(s / 3600 % 24),
		 minutes = (unsigned)(s / 60 % 60);

	if (s < 60)
		snprintf(buf, 16, "%us", (unsigned)s);
	else if (s < 3600)
		snprintf(buf, 16, "%um %02us", minutes, (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(buf, 16, "%uh %02um", hours, minutes);
	else
		snprintf(buf, 16, "%ud %02uh", days, hours);
	return buf;
}

/* A lifetime of RFC 4861 or RFC 8415: all ones are for ever. */
static void put_lifetime(const json_t *row, const char *name, char text[CELL])
{
	char buf[16];

	if (cell_number(row, name) >= UINT32_MAX)
		cell_put(text, "for ever");
	else if (cell_has_number(row, name))
		cell_put(text, print_seconds(cell_number(row, name), buf));
}

static void put_bytes(const json_t *row, const char *six, const char *four, char text[CELL])
{
	char buf[16];

	cell_put(text, print_bytes(cell_number(row, six) + cell_number(row, four), buf));
}

CELL_FUNCTION(cell_id)
{
	cell_put_integer(row, "id", text);
}

CELL_FUNCTION(cell_name)
{
	cell_put(text, cell_text(row, "name"));
}

CELL_FUNCTION(cell_user)
{
	cell_put(text, cell_text(row, "user"));
}

CELL_FUNCTION(cell_state)
{
	cell_put(text, cell_text(row, "state"));
}

CELL_FUNCTION(cell_peer)
{
	cell_put(text, cell_text(row, "peer"));
}

CELL_FUNCTION(cell_link6)
{
	cell_put(text, cell_text(row, "link6"));
}

CELL_FUNCTION(cell_delegated)
{
	cell_put_array(json_object_get(row, "delegated"), text);
}

CELL_FUNCTION(cell_subnets)
{
	cell_put_array(json_object_get(row, "subnets"), text);
}

CELL_FUNCTION(cell_address4)
{
	cell_put(text, cell_text(row, "address4"));
}

CELL_FUNCTION(cell_mtu)
{
	cell_put_integer(row, "mtu", text);
}

CELL_FUNCTION(cell_up)
{
	char buf[16];

	if (cell_has_number(row, "up_seconds"))
		cell_put(text, print_seconds(cell_number(row, "up_seconds"), buf));
}

CELL_FUNCTION(cell_rx)
{
	put_bytes(row, "rx6_bytes", "rx4_bytes", text);
}

CELL_FUNCTION(cell_tx)
{
	put_bytes(row, "tx6_bytes", "tx4_bytes", text);
}

CELL_FUNCTION(cell_drops)
{
	double n = cell_number(row, "drop_spoofed") + cell_number(row, "drop_too_big") +
		   cell_number(row, "drop_other");

	if (n > 0)
		snprintf(text, CELL, "%.0f", n);
}

static void put_redirect(const json_t *row, char text[CELL])
{
	char all[2 * CELL];

	snprintf(all, sizeof(all), "sent by %s: %s", cell_text(row, "redirected_by"), cell_text(row, "redirect_text"));
	cell_put(text, all);
}

/* Why it is not up, and when it will be tried again; or who has sent us there. */
CELL_FUNCTION(cell_note)
{
	const char *error = cell_text(row, "last_error");
	char buf[16], next[64] = "", all[CELL + 64];

	if (!strcmp(cell_text(row, "state"), "up")) {
		if (strcmp(cell_text(row, "path"), "ok") != 0)
			cell_put(text, cell_text(row, "path"));
		else if (*cell_text(row, "redirected_by"))
			put_redirect(row, text);
		return;
	}
	if (cell_has_number(row, "next_attempt_seconds"))
		snprintf(next, sizeof(next), "%snext attempt in %s", *error ? "; " : "",
			print_seconds(cell_number(row, "next_attempt_seconds"), buf));
	snprintf(all, sizeof(all), "%.110s%s", error, next);
	cell_put(text, all);
}

CELL_FUNCTION(cell_host)
{
	cell_put(text, cell_text(row, "peer_host_name"));
}

static void put_ids(const json_t *row, const char *tunnel, const char *session, char text[CELL])
{
	snprintf(text, CELL, "%.0f/%.0f", cell_number(row, tunnel), cell_number(row, session));
}

CELL_FUNCTION(cell_local_ids)
{
	put_ids(row, "local_tunnel", "local_session", text);
}

CELL_FUNCTION(cell_peer_ids)
{
	put_ids(row, "peer_tunnel", "peer_session", text);
}

CELL_FUNCTION(cell_ns)
{
	cell_put_integer(row, "ns", text);
}

CELL_FUNCTION(cell_nr)
{
	cell_put_integer(row, "nr", text);
}

CELL_FUNCTION(cell_flight)
{
	if (cell_number(row, "in_flight") > 0)
		snprintf(text, CELL, "%.0f of %.0f", cell_number(row, "in_flight"), cell_number(row, "window"));
}

CELL_FUNCTION(cell_heard)
{
	char buf[16];

	if (cell_has_number(row, "last_heard_seconds"))
		cell_put(text, print_seconds(cell_number(row, "last_heard_seconds"), buf));
}

CELL_FUNCTION(cell_slot)
{
	if (cell_number(row, "slot") > 0)
		cell_put_integer(row, "slot", text);
}

CELL_FUNCTION(cell_pool)
{
	cell_put(text, cell_text(row, "pool"));
}

CELL_FUNCTION(cell_active)
{
	cell_put(text, json_is_true(json_object_get(row, "active")) ? "yes" : "no");
}

static void put_age(const json_t *row, const char *name, const struct context *x, char text[CELL])
{
	double at = cell_number(row, name);
	char buf[16], all[32];

	if (at <= 0)
		return;
	snprintf(all, sizeof(all), "%s ago", print_seconds((double)x->now - at, buf));
	cell_put(text, all);
}

CELL_FUNCTION(cell_granted)
{
	put_age(row, "granted_at", x, text);
}

CELL_FUNCTION(cell_used)
{
	if (!json_is_true(json_object_get(row, "active")))
		put_age(row, "used_at", x, text);
}

CELL_FUNCTION(cell_kind)
{
	cell_put(text, cell_text(row, "kind"));
}

CELL_FUNCTION(cell_prefix)
{
	cell_put(text, cell_text(row, "prefix"));
}

CELL_FUNCTION(cell_preferred)
{
	put_lifetime(row, "preferred", text);
}

CELL_FUNCTION(cell_valid)
{
	put_lifetime(row, "valid", text);
}

CELL_FUNCTION(cell_dns)
{
	cell_put_array(json_object_get(row, "dns"), text);
}

/* ---- tables ---- */

static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Blanks are kept back until something follows them, so that no line ends in one. */
static void print_line(FILE *out, const struct column *columns, unsigned count, const size_t *widths,
	const char (*cells)[CELL])
{
	int blanks = 0;

	for (unsigned i = 0; i < count; i++) {
		int pad = (int)(widths[i] - width(cells[i]));

		if (!widths[i])
			continue;
		if (columns[i].right || !*cells[i])
			blanks += pad;
		if (*cells[i]) {
			fprintf(out, "%*s%s", blanks, "", cells[i]);
			blanks = columns[i].right ? 0 : pad;
		}
		blanks += 2;
	}
	putc('\n', out);
}

static void fill(const json_t *row, const struct context *x, const struct column *columns, unsigned count,
	char (*cells)[CELL])
{
	for (unsigned i = 0; i < count; i++) {
		cells[i][0] = 0;
		columns[i].cell(row, x, cells[i]);
	}
}

/* For one more CELL. True: the column has none before this one. */
static bool widen(size_t *at, const char *cell, const char *heading)
{
	size_t needed = width(cell), least = needed ? strlen(heading) : 0;
	bool first = !*at && needed;

	if (needed < least)
		needed = least;
	if (needed > *at)
		*at = needed;
	return first;
}

void print_table(FILE *out, const json_t *rows, const struct context *x, const struct column *columns,
	unsigned count, const char *empty)
{
	struct print_shape alone = {0}, *shape = x && x->shape ? x->shape : &alone;
	char cells[PRINT_COLUMNS][CELL];
	bool heading = !shape->begun;
	const json_t *row;
	size_t r;

	if (!json_array_size(rows)) {
		fprintf(out, "%s\n", empty);
		return;
	}
	json_array_foreach(rows, r, row)
	{
		fill(row, x, columns, count, cells);
		for (unsigned i = 0; i < count; i++)
			heading |= widen(&shape->widths[i], cells[i], columns[i].heading);
	}
	for (unsigned i = 0; i < count; i++)
		snprintf(cells[i], CELL, "%s", shape->widths[i] ? columns[i].heading : "");
	if (heading)
		print_line(out, columns, count, shape->widths, (const char(*)[CELL])cells);
	shape->begun = true;
	json_array_foreach(rows, r, row)
	{
		fill(row, x, columns, count, cells);
		print_line(out, columns, count, shape->widths, (const char(*)[CELL])cells);
	}
}

void print_softwires(FILE *out, const json_t *rows)
{
	static const struct column columns[] = {
		{"ID", true, cell_id},
		{"NAME", false, cell_name},
		{"USER", false, cell_user},
		{"STATE", false, cell_state},
		{"PEER", false, cell_peer},
		{"LINK", false, cell_link6},
		{"IPV4", false, cell_address4},
		{"DELEGATED", false, cell_delegated},
		{"SUBNET", false, cell_subnets},
		{"MTU", true, cell_mtu},
		{"UP", true, cell_up},
		{"RX", true, cell_rx},
		{"TX", true, cell_tx},
		{"DROPS", true, cell_drops},
		{"NOTE", false, cell_note},
	};

	PRINT(out, rows, NULL, columns, "There are no softwires.");
}

void print_tunnels(FILE *out, const json_t *rows)
{
	static const struct column columns[] = {
		{"ID", true, cell_id},
		{"NAME", false, cell_name},
		{"USER", false, cell_user},
		{"STATE", false, cell_state},
		{"PEER", false, cell_peer},
		{"HOST", false, cell_host},
		{"OUR IDS", false, cell_local_ids},
		{"THEIR IDS", false, cell_peer_ids},
		{"NS", true, cell_ns},
		{"NR", true, cell_nr},
		{"IN FLIGHT", false, cell_flight},
		{"HEARD", true, cell_heard},
	};

	PRINT(out, rows, NULL, columns, "There are no tunnels.");
}

static json_t *of_role(const json_t *rows, const char *role)
{
	json_t *some = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row) if (!strcmp(cell_text(row, "role"), role))
		json_array_append(some, row);
	return some;
}

/* A concentrator's leases and an initiator's have little in common: two tables. */
void print_leases(FILE *out, const json_t *rows, time_t now)
{
	static const struct column given[] = {
		{"USER", false, cell_user},
		{"SLOT", true, cell_slot},
		{"POOL", false, cell_pool},
		{"LINK", false, cell_link6},
		{"IPV4", false, cell_address4},
		{"DELEGATED", false, cell_delegated},
		{"SUBNET", false, cell_subnets},
		{"ACTIVE", false, cell_active},
		{"GRANTED", true, cell_granted},
		{"LAST USED", true, cell_used},
	};
	static const struct column held[] = {
		{"NAME", false, cell_name},
		{"KIND", false, cell_kind},
		{"PREFIX", false, cell_prefix},
		{"PREFERRED", true, cell_preferred},
		{"VALID", true, cell_valid},
		{"DNS", false, cell_dns},
	};
	struct context x = {.now = now};
	json_t *ours = of_role(rows, "initiator"), *users = of_role(rows, "concentrator");

	if (json_array_size(users) || !json_array_size(ours))
		PRINT(out, users, &x, given, "There are no leases.");
	if (json_array_size(users) && json_array_size(ours))
		putc('\n', out);
	if (json_array_size(ours))
		PRINT(out, ours, &x, held, "");
	json_decref(ours);
	json_decref(users);
}

/* ---- reverse zones ---- */

/* Text that goes into a zone file: nothing that could end a comment, or be anything but a name. */
static const char *zone_text(const char *text, char buf[CELL])
{
	size_t n = 0;

	for (; *text && n < CELL - 1; text++)
		buf[n++] = isalnum((unsigned char)*text) || strchr("-_.:/@", *text) ? *text : '?';
	buf[n] = 0;
	return buf;
}

static void print_zone(FILE *out, const char *zone, const json_t *nameservers)
{
	char name[CELL], server[CELL];
	const json_t *ns;
	size_t i;

	json_array_foreach(nameservers, i, ns)
	{
		size_t len = strlen(zone_text(json_string_value(ns) ? json_string_value(ns) : "", server));

		fprintf(out, "%s. IN NS %s%s\n", zone_text(zone, name), server,
			len && server[len - 1] == '.' ? "" : ".");
	}
}

void print_reverse_zones(FILE *out, const json_t *rows)
{
	char user[CELL], prefix[CELL];
	const json_t *row, *zone;
	size_t r, z;

	if (!json_array_size(rows))
		fprintf(out, "; nothing is delegated\n");
	json_array_foreach(rows, r, row)
	{
		const json_t *nameservers = json_object_get(row, "nameservers");

		fprintf(out, "; %s %s%s\n", zone_text(cell_text(row, "user"), user),
			zone_text(cell_text(row, "prefix"), prefix),
			json_array_size(nameservers) ? "" : ": no nameservers, for the user or the pool");
		json_array_foreach(json_object_get(row, "zones"), z, zone) if (json_is_string(zone))
			print_zone(out, json_string_value(zone), nameservers);
	}
}

/* ---- counters ---- */

struct counting {
	FILE *out;
	const char *filter;
	size_t widest;
	unsigned shown, zero;
	bool printing;
};

static void count_leaf(struct counting *k, const char *path, double value)
{
	size_t n = strlen(path);

	if (k->filter && !strstr(path, k->filter))
		return;
	if (value == 0) {
		k->zero++;
		return;
	}
	k->shown++;
	if (n > k->widest)
		k->widest = n;
	if (k->printing)
		fprintf(k->out, "%-*s  %.0f\n", (int)k->widest, path, value);
}

/* Objects are nested four deep at most: role, name, group, counter. */
static void count_tree(struct counting *k, const json_t *object, const char *path, unsigned depth)
{
	char next[256];
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		if (snprintf(next, sizeof(next), "%s%s%s", path, *path ? " " : "", name) >= (int)sizeof(next))
			continue;
		plain(next);
		if (json_is_object(value) && depth < 4)
			count_tree(k, value, next, depth + 1);
		else if (json_is_number(value))
			count_leaf(k, next, json_number_value(value));
	}
}

void print_counters(FILE *out, const json_t *counters, const char *filter)
{
	struct counting k = {.out = out, .filter = filter};

	count_tree(&k, counters, "", 0);
	k.shown = k.zero = 0;
	k.printing = true;
	count_tree(&k, counters, "", 0);
	if (k.zero)
		fprintf(out, "%s%u %s 0.\n", k.shown ? "Others: " : "", k.zero,
			k.zero == 1 ? "counter is" : "counters are");
	else if (!k.shown)
		fprintf(out, "There are no such counters.\n");
}

void print_trace(FILE *out, const json_t *event)
{
	char who[CELL], text[4096];
	const char *user = cell_text(event, "user"), *name = cell_text(event, "name");

	if (!strcmp(cell_text(event, "event"), "lost")) {
		fprintf(out, "... %.0f events were lost here\n", cell_number(event, "lost"));
		return;
	}
	cell_put(who, *name ? name : *user ? user : "-");
	snprintf(text, sizeof(text), "%s", cell_text(event, "text"));
	plain(text);
	fprintf(out, "%10.3f  %.0f %s  %-4s %-8s  %s\n", cell_number(event, "t_ms") / 1000,
		cell_number(event, "softwire"), who, cell_text(event, "dir"), cell_text(event, "layer"), text);
}

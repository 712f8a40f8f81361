/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ourselves and one BGP neighbour, in full, for people. */
#include <string.h>

#include "control/cells.h"
#include "control/mesh_print.h"
#include "lib/text.h"

enum { LINE = 512 };

const char *print_reason(const json_t *error)
{
	return *cell_text(error, "reason") ? cell_text(error, "reason") : cell_text(error, "code");
}

static bool has(const json_t *list, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (!strcmp(json_string_value(item), name)) return true;
	return false;
}

static bool is(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

/* The commonest reason for routes that are not told across an IPv6-only core. */
static bool lacks_ipv6_next_hops(const json_t *neighbor, const json_t *family)
{
	const json_t *can = json_object_get(neighbor, "capabilities");

	return is(family, "agreed") && !strncmp(cell_text(family, "family"), "ipv4", 4) &&
	       !strstr(cell_text(family, "family"), "encap") && strchr(cell_text(neighbor, "address"), ':') &&
	       json_is_object(can) &&
	       !has(json_object_get(can, "extended_next_hop"), cell_text(family, "family"));
}

void print_disagreement(const json_t *neighbor, struct text *t)
{
	const json_t *family;
	size_t i;

	json_array_foreach(json_object_get(neighbor, "families"), i, family)
	{
		if (json_is_false(json_object_get(family, "agreed")))
			text_add(
				t, "%sit does not speak %s", t->len ? "; " : "", cell_text(family, "family"));
		else if (lacks_ipv6_next_hops(neighbor, family))
			text_add(t, "%sit takes no IPv6 next hops of %s (RFC 8950)", t->len ? "; " : "",
				cell_text(family, "family"));
	}
}

/* ---- lines ---- */

void print_whole(FILE *out, const char *value)
{
	while (*value) {
		size_t n = strlen(value) < CELL - 1 ? strlen(value) : CELL - 1;
		char part[CELL], cell[CELL];

		while (n && n == CELL - 1 && ((unsigned char)value[n] & 0xc0) == 0x80)
			n--;
		memcpy(part, value, n);
		part[n] = 0;
		cell_put(cell, part);
		fputs(cell, out);
		value += n;
	}
}

static void line(FILE *out, const char *title, const struct text *t)
{
	fprintf(out, "  %-11s ", title);
	print_whole(out, t->buf);
	putc('\n', out);
}

#define LINE_OF(out, title, ...)                                                                             \
	do {                                                                                                 \
		char buf_[LINE] = "";                                                                        \
		struct text t_ = {buf_, sizeof(buf_), 0};                                                    \
		text_add(&t_, __VA_ARGS__);                                                                  \
		line(out, title, &t_);                                                                       \
	} while (0)

static const char *ago(const json_t *object, const char *name, char buf[16])
{
	return print_seconds(cell_number(object, name), buf);
}

static void print_who(FILE *out, const json_t *n)
{
	const char *interface = cell_text(n, "interface"), *id = cell_text(n, "router_id");

	LINE_OF(out, "address", "%s%s%s", cell_text(n, "address"), *interface ? "%" : "", interface);
	LINE_OF(out, "AS", "%.0f, %s%s; ours is %.0f%s%s", cell_number(n, "as"),
		is(n, "internal") ? "internal" : "external", is(n, "client") ? ", a client of ours" : "",
		cell_number(n, "local_as"), *id ? "; router ID " : "", id);
}

/* Reasons that peers give without words begin with the code. */
static void print_end(FILE *out, const char *title, const json_t *error)
{
	const char *code = cell_text(error, "code"), *reason = cell_text(error, "reason");
	bool twice = !strncmp(code, reason, strlen(code));
	char buf[16], text[LINE] = "";
	struct text t = {text, sizeof(text), 0};

	text_add(&t, "%s%s%s", twice ? "" : code, twice || !*reason ? "" : ": ", reason);
	if (*code)
		text_add(&t, " (%s)", is(error, "sent") ? "sent" : "received");
	if (cell_has_number(error, "ago_seconds"))
		text_add(&t, ", %s ago", ago(error, "ago_seconds", buf));
	line(out, title, &t);
}

static void print_state(FILE *out, const json_t *n)
{
	char buf[16], next[16], text[LINE] = "";
	struct text t = {text, sizeof(text), 0};
	const json_t *note = json_object_get(n, "last_notification"),
		     *error = json_object_get(n, "last_error");

	text_add(&t, "%s for %s", cell_text(n, "state"), ago(n, "since_seconds", buf));
	if (*cell_text(n, "local"))
		text_add(&t, ", from %s to %s, hold time %.0f s", cell_text(n, "local"),
			cell_text(n, "remote"), cell_number(n, "hold_time"));
	if (*cell_text(n, "waiting"))
		text_add(&t, ": %s", cell_text(n, "waiting"));
	if (cell_has_number(n, "next_try_seconds"))
		text_add(&t, "; next try in %s", ago(n, "next_try_seconds", next));
	if (is(n, "flushing"))
		text_add(&t, "; routes of the last session are being removed");
	line(out, "state", &t);
	if (*cell_text(note, "code") && !*cell_text(error, "code"))
		print_end(out, "before", note);
	if (json_is_object(error))
		print_end(out, "last error", error);
}

static void print_rules(FILE *out, const json_t *n)
{
	const char *open = is(n, "internal") ? "all" : "nothing (RFC 8212)";
	const char *import = cell_text(n, "import"), *export = cell_text(n, "export");
	char text[LINE] = "";
	struct text t = {text, sizeof(text), 0};

	LINE_OF(out, "policies", "import %s, export %s", *import ? import : open, *export ? export : open);
	if (is(n, "password"))
		text_add(&t, "TCP MD5");
	if (cell_has_number(n, "ttl_security"))
		text_add(&t, "%sat most %.0f hop%s away", t.len ? ", " : "", cell_number(n, "ttl_security"),
			cell_number(n, "ttl_security") > 1 ? "s" : "");
	if (!t.len)
		text_add(&t, "none");
	line(out, "protection", &t);
}

static void print_family(FILE *out, const json_t *n, const json_t *f)
{
	char text[LINE] = "";
	struct text t = {text, sizeof(text), 0};

	if (!is(f, "agreed")) {
		LINE_OF(out, "family", "%s%s", cell_text(f, "family"),
			strcmp(cell_text(n, "state"), "established") != 0 ? "" : ": not agreed on");
		return;
	}
	text_add(&t, "%s: %.0f received, %.0f accepted, %.0f advertised", cell_text(f, "family"),
		cell_number(f, "received"), cell_number(f, "accepted"), cell_number(f, "advertised"));
	if (cell_number(f, "stale") > 0)
		text_add(&t, ", %.0f stale", cell_number(f, "stale"));
	if (cell_has_number(f, "max_prefix"))
		text_add(&t, ", limit %.0f", cell_number(f, "max_prefix"));
	if (!is(f, "end_of_rib_in"))
		text_add(&t, "; it has not told all yet");
	if (!is(f, "end_of_rib_out"))
		text_add(&t, "; we have not told all yet");
	if (lacks_ipv6_next_hops(n, f))
		text_add(&t, "; it takes no IPv6 next hops (RFC 8950), so routes with one are not told");
	line(out, "family", &t);
}

static void add_names(struct text *t, const json_t *can, const char *title, const char *name)
{
	const json_t *list = json_object_get(can, name), *item;
	size_t i;

	if (json_array_size(list))
		text_add(t, "%s%s", t->len ? "; " : "", title);
	json_array_foreach(list, i, item) text_add(t, "%s%s", i ? ", " : " ", json_string_value(item));
}

static void add_restart(struct text *t, const json_t *can)
{
	const json_t *list = json_object_get(can, "graceful_families"), *item;
	size_t i;

	text_add(t, "%sgraceful restart", t->len ? "; " : "");
	if (!json_array_size(list))
		return; /* it only says when it has told all */
	text_add(t, " (%.0f s, of", cell_number(can, "restart_time"));
	json_array_foreach(list, i, item) text_add(t, "%s%s", i ? ", " : " ", json_string_value(item));
	text_add(t, "%s)", is(can, "graceful_notification") ? "; also after a NOTIFICATION" : "");
}

static void print_capabilities(FILE *out, const json_t *can)
{
	static const char *const words[][2] = {{"as4", "AS numbers of four octets"},
		{"refresh", "route refresh"}, {"enhanced_refresh", "enhanced route refresh"},
		{"extended_message", "extended messages"}};
	char text[LINE] = "";
	struct text t = {text, sizeof(text), 0};

	if (!json_is_object(can))
		return;
	add_names(&t, can, "families", "families");
	add_names(&t, can, "IPv6 next hops of", "extended_next_hop");
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (is(can, words[i][0]))
			text_add(&t, "%s%s", t.len ? "; " : "", words[i][1]);
	if (is(can, "graceful_restart"))
		add_restart(&t, can);
	if (cell_number(can, "unknown") > 0)
		text_add(&t, "; %.0f that we do not know", cell_number(can, "unknown"));
	line(out, "it can", &t);
}

static void print_counts(FILE *out, const json_t *c)
{
	LINE_OF(out, "messages", "%.0f in, %.0f out; of these %.0f and %.0f updates",
		cell_number(c, "messages_in"), cell_number(c, "messages_out"), cell_number(c, "updates_in"),
		cell_number(c, "updates_out"));
	LINE_OF(out, "since start",
		"%.0f sessions, %.0f that broke; updates with errors: %.0f treated as withdrawn, %.0f with "
		"attributes left out",
		cell_number(c, "established"), cell_number(c, "flaps"), cell_number(c, "withdrawn_updates"),
		cell_number(c, "discarded_attributes"));
}

/* ---- the whole ---- */

void print_bgp_neighbor(FILE *out, const json_t *n)
{
	const json_t *family;
	char text[CELL];
	size_t i;

	cell_put(text, cell_text(n, "name"));
	fputs(text, out);
	cell_put(text, cell_text(n, "description"));
	fprintf(out, "%s%s\n", *text ? ": " : "", text);
	print_who(out, n);
	print_state(out, n);
	print_rules(out, n);
	json_array_foreach(json_object_get(n, "families"), i, family) print_family(out, n, family);
	print_capabilities(out, json_object_get(n, "capabilities"));
	print_counts(out, json_object_get(n, "counters"));
}

void print_bgp_speaker(FILE *out, const json_t *s)
{
	const json_t *tables = json_object_get(s, "tables"), *table;
	size_t i;

	if (!json_is_object(s))
		return;
	fprintf(out, "AS %.0f, router ID %s, cluster ID %s\n", cell_number(s, "as"),
		cell_text(s, "router_id"), cell_text(s, "cluster_id"));
	if (is(s, "restarting"))
		fprintf(out,
			"After our restart: nothing is told before the neighbors have told all of theirs.\n");
	json_array_foreach(tables, i, table) fprintf(out, "%s: %.0f prefixes, %.0f paths\n",
		cell_text(table, "family"), cell_number(table, "prefixes"), cell_number(table, "paths"));
	putc('\n', out);
}

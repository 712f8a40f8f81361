/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a users file: text.c cuts it, libconfig parses the pieces, user.c and what is here check what they say. */
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aaa/reading.h"
#include "aaa/text.h"

/* libconfig keeps a copy of every string. Depth is bounded by text.c. */
static void wipe_strings(config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);

	if (text)
		explicit_bzero((char *)text, strlen(text));
	for (int i = 0; config_setting_is_aggregate(setting) && i < config_setting_length(setting); i++)
		wipe_strings(config_setting_get_elem(setting, (unsigned)i));
}

static void done_config(config_t *config)
{
	wipe_strings(config_root_setting(config));
	config_destroy(config);
}

static bool parse(struct reading *r, config_t *config, const char *text, unsigned base)
{
	const char *what;

	config_init(config);
	if (config_read_string(config, text))
		return true;
	what = config_error_text(config);
	if (!what || !strcmp(what, "syntax error"))
		what = "syntax error: expected NAME = VALUE; with strings in double quotes";
	else if (!strcmp(what, "duplicate setting name"))
		what = "a key is there twice";
	else if (!strcmp(what, "mismatched element type in array"))
		what = "the members of an array [ ] must be of one type";
	reading_tell(r, base + (unsigned)config_error_line(config), "%s", what);
	done_config(config);
	return false;
}

/* The piece as a configuration of its own: terminated, without the separator of the one before, a list as a list. */
static bool terminate(struct reading *r, const struct text_piece *p, bool list)
{
	size_t need = p->len + 8;
	char *start;

	if (need > r->buffer_size) {
		char *buffer = malloc(2 * need);

		if (!buffer) {
			reading_tell(r, p->line, "out of memory");
			return false;
		}
		if (r->buffer) {
			explicit_bzero(r->buffer, r->buffer_size);
			free(r->buffer);
		}
		r->buffer = buffer;
		r->buffer_size = 2 * need;
	}
	snprintf(r->buffer, r->buffer_size, "%s", list ? "u=(" : "");
	start = r->buffer + strlen(r->buffer);
	memcpy(start, p->start, p->len);
	start[p->len] = '\0';
	start += strspn(start, " \t\r\n");
	if (*start == ',' || (*start == ';' && !list))
		*start = ' ';
	if (list)
		memcpy(start + strlen(start), "\n)",
			3); /* on a line of its own: the piece may end in a comment */
	return true;
}

/* Behind spaces, separators and comments; *line counts along. */
static const char *skip_to_name(const char *at, unsigned *line)
{
	for (;; at++) {
		const char *end = NULL;

		if (*at == '#' || !strncmp(at, "//", 2))
			end = at + strcspn(at, "\n");
		else if (!strncmp(at, "/*", 2))
			end = strstr(at + 2, "*/") ? strstr(at + 2, "*/") + 2 : at + strlen(at);
		for (; end && at < end; at++)
			*line += *at == '\n';
		if (!*at || !strchr(" \t\r\n,;", *at))
			return at;
		*line += *at == '\n';
	}
}

/* Most often a mail address, about which libconfig would only say that it is a syntax error. */
static bool tell_odd_name(struct reading *r, unsigned line)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *name = skip_to_name(r->buffer, &line);
	bool quoted = *name == '"';
	int len;

	name += quoted;
	len = (int)strcspn(name, quoted ? "\"\n" : " \t\r\n=:{}()[],;\"#");
	if (!len ||
		(!quoted && strchr(letters, *name) &&
			strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*") >=
				(size_t)len))
		return false;
	reading_tell(r, line,
		"the name \"%.*s\" cannot stand here: write users = ( { name = \"%.*s\"; secret = \"...\"; "
		"}, ... );",
		len > 64 ? 64 : len, name, len > 64 ? 64 : len, name);
	return true;
}

static void read_piece(struct reading *r, const struct text_piece *p, bool list)
{
	config_setting_t *members;
	config_t config;

	if (!terminate(r, p, list) || (!list && tell_odd_name(r, p->line)) ||
		!parse(r, &config, r->buffer, p->line - 1))
		return;
	members = config_root_setting(&config);
	if (list)
		members = config_setting_get_elem(members, 0);
	for (int i = 0; i < config_setting_length(members); i++)
		user_read(r, config_setting_get_elem(members, (unsigned)i), p->line - 1, list);
	done_config(&config);
}

/* Peers. */

static bool read_peer_address(struct reading *r, const char *text, unsigned line, struct prefix *ret)
{
	struct addr a;

	if (strchr(text, '/'))
		return reading_prefix(r, text, line, "peer: address ", "203.0.113.0/24", ret);
	if (addr_parse(text, &a)) {
		reading_tell(r, line,
			"peer: address \"%.64s\" is not an address or prefix: write it like "
			"\"203.0.113.0/24\"",
			text);
		return false;
	}
	*ret = prefix_of(&a, addr_bits(a.family));
	return true;
}

static void keep_peer(
	struct reading *r, const struct prefix *p, const char *host, const char *secret, unsigned line)
{
	size_t host_len = host ? strlen(host) : 0, secret_len = strlen(secret);
	struct peer_row *row = calloc(1, sizeof(*row) + host_len + secret_len);
	const struct peer_row *other = NULL;
	char text[PREFIX_TEXT], *at;
	int rc = -ENOMEM;

	if (row) {
		at = row->tail;
		row->prefix = *p;
		row->line = line;
		row->host_len = reading_append(&at, host);
		row->secret_len = reading_append(&at, secret);
		rc = users_add_peer(r->users, row, &other);
		if (rc)
			peer_row_free(row);
	}
	if (rc == -EEXIST)
		reading_tell(r, line, "peer %s%s%.64s is there already, in line %u", prefix_print(p, text),
			host ? " with host-name " : "", host ? host : "", other->line);
	else if (rc)
		reading_tell(r, line, "out of memory");
}

static void read_peer(struct reading *r, config_setting_t *group)
{
	unsigned line = config_setting_source_line(group);
	const char *secret = NULL, *host = NULL, *address = NULL;
	struct prefix p = {0};
	size_t problems = r->problem_count;

	if (!config_setting_is_group(group)) {
		reading_tell(r, line,
			"peers: every member must be a group: { address = \"203.0.113.0/24\"; tunnel-secret "
			"= \"...\"; }");
		return;
	}
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const char *key = config_setting_name(setting);
		unsigned at = config_setting_source_line(setting);

		if (!strcmp(key, "address")) {
			address = reading_string(r, setting, at, "peer: ", 255);
			if (address)
				read_peer_address(r, address, at, &p);
		} else if (!strcmp(key, "tunnel-secret")) {
			secret = reading_string(r, setting, at, "peer: ", AAA_SECRET_MAX);
		} else if (!strcmp(key, "host-name")) {
			host = reading_string(r, setting, at, "peer: ", 255);
		} else {
			reading_unknown(r, setting, at, "peer: ", "address, tunnel-secret, host-name");
		}
	}
	if (r->problem_count == problems && !address)
		reading_tell(r, line, "peer: has no address: address = \"203.0.113.0/24\";");
	if (r->problem_count == problems && !secret)
		reading_tell(r, line, "peer: has no tunnel-secret: tunnel-secret = \"...\";");
	if (r->problem_count == problems && address && secret)
		keep_peer(r, &p, host, secret, line);
}

static void read_rest(struct reading *r, config_setting_t *root)
{
	if (!config_setting_length(root))
		reading_tell(r, 0, "neither users nor peers: users = { NAME = { secret = \"...\"; }; };");
	for (int i = 0; i < config_setting_length(root); i++) {
		config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(setting);
		unsigned line = config_setting_source_line(setting);

		if (!strcmp(name, "users")) {
			if (!config_setting_is_group(setting) && !config_setting_is_list(setting))
				reading_tell(r, line,
					"users must be a group or a list: users = { NAME = { secret = "
					"\"...\"; }; };");
		} else if (strcmp(name, "peers") != 0) {
			reading_unknown(r, setting, line, "", "users, peers");
		} else if (!config_setting_is_list(setting)) {
			reading_tell(r, line,
				"peers must be a list: peers = ( { address = \"203.0.113.0/24\"; "
				"tunnel-secret = \"...\"; } );");
		} else {
			for (int j = 0; j < config_setting_length(setting); j++)
				read_peer(r, config_setting_get_elem(setting, (unsigned)j));
		}
	}
}

static void on_text_problem(void *owner, unsigned line, const char *what)
{
	reading_tell(owner, line, "%s", what);
}

int users_read(struct users *u, char *text, size_t len, const char *path, aaa_error *error, void *owner)
{
	struct reading r = {.users = u};
	struct text pieces = {0};
	bool whole = text_split(&pieces, text, len, on_text_problem, &r);
	config_t config;
	int rc;

	for (size_t i = 0; i < pieces.count; i++)
		read_piece(&r, &pieces.pieces[i], pieces.list);
	if (whole) {
		text_blank_pieces(&pieces);
		if (parse(&r, &config, text, 0)) {
			read_rest(&r, config_root_setting(&config));
			done_config(&config);
		}
	}
	reading_overlaps(&r);
	rc = r.problem_count || r.no_memory ? -EINVAL : 0;
	reading_tell_all(&r, path, error, owner);
	if (r.buffer)
		explicit_bzero(r.buffer, r.buffer_size);
	free(r.buffer);
	text_free(&pieces);
	explicit_bzero(text, len);
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the configuration file: text, syntax, settings one by one, rules among them, files that they name. */
#include "control/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/keys.h"

/* The one name on a line that a `=` follows, which libconfig does not tell with "duplicate setting name". */
static void name_on_line(const struct source *s, unsigned line, char *name, size_t size)
{
	char text[512];
	size_t n;

	name[0] = 0;
	source_line(s, line, text, sizeof(text));
	for (const char *p = text; *p; p += n ? n : 1) {
		const char *q;

		for (n = 0; isalnum((unsigned char)p[n]) || (p[n] && strchr("-_*", p[n])); n++)
			;
		for (q = p + n; *q == ' ' || *q == '\t'; q++)
			;
		if (!n || (*q != '=' && *q != ':'))
			continue;
		if (name[0]) {
			name[0] = 0; /* several: no telling which */
			return;
		}
		snprintf(name, size, "%.*s", (int)n, p);
	}
}

static void syntax_problem(struct problems *r, const config_t *parsed)
{
	unsigned line = (unsigned)config_error_line(parsed);
	struct source_place place = source_place(r->source, line);
	const char *text = config_error_text(parsed);
	char name[64];

	if (!strcmp(text, "duplicate setting name")) {
		name_on_line(r->source, line, name, sizeof(name));
		problem_line(r, true, place.file, place.line, "%s%s%s is set twice: it may stand only once",
			name[0] ? "`" : "a key", name, name[0] ? "`" : "");
	} else if (!strcmp(text, "mismatched element type in array")) {
		problem_line(r, true, place.file, place.line,
			"the values of an array [ ... ] must be of one type");
	} else {
		problem_line(r, true, place.file, place.line,
			"%s: settings are written NAME = VALUE; with texts in quotes; look here and just "
			"before",
			text);
	}
}

/* What `users` of a concentrator names, instead of the file that does. */
static bool looks_like_users(const config_setting_t *root)
{
	const config_setting_t *users = config_setting_get_member(root, "users"),
			       *peers = config_setting_get_member(root, "peers");

	return ((users && config_setting_is_group(users)) || (peers && config_setting_is_list(peers))) &&
	       !config_setting_get_member(root, "concentrator") &&
	       !config_setting_get_member(root, "initiator") && !config_setting_get_member(root, "afbr");
}

static void read_parsed(struct problems *r, config_t *parsed, bool check_files, struct config *c)
{
	const config_setting_t *root = config_root_setting(parsed);

	if (looks_like_users(root)) {
		problem_line(r, true, c->path, 0,
			"this looks like a users file: check the configuration that names it");
		return;
	}
	config_presets(&config_file_section, c);
	config_read_section(r, &config_file_section, root, c);
	config_rules(r, root, c);
	if (check_files)
		config_files(r, root, c);
}

static void read_source(struct problems *r, const struct source *source, bool check_files, struct config *c)
{
	config_t parsed;

	config_init(&parsed);
	if (config_read_string(&parsed, source->text))
		read_parsed(r, &parsed, check_files, c);
	else
		syntax_problem(r, &parsed);
	config_destroy(&parsed);
}

void config_copy(struct config *to, const struct config *from)
{
	*to = *from;
	to->afbr = afbr_config_ref(from->afbr);
}

void config_done(struct config *c)
{
	afbr_config_unref(c->afbr);
	c->afbr = NULL;
}

void config_free(struct config *c)
{
	if (c)
		config_done(c);
	free(c);
}

int config_file_read(
	const char *path, int fd, bool check_files, config_error *error, void *owner, struct config *ret)
{
	struct source source;
	struct problems r = {.error = error, .owner = owner, .source = &source};
	struct config *c = calloc(1, sizeof(*c));

	if (!c) {
		problem_line(&r, true, path, 0, "not enough memory");
		return -EINVAL;
	}
	memcpy(c->instance, ret->instance, sizeof(c->instance));
	if ((size_t)snprintf(c->path, sizeof(c->path), "%s", path) >= sizeof(c->path)) {
		problem_line(&r, true, path, 0, "this path is too long");
	} else {
		if (source_read(&source, path, fd, &r))
			read_source(&r, &source, check_files, c);
		source_free(&source);
	}
	if (!r.errors)
		config_copy(ret, c);
	config_free(c);
	return r.errors ? -EINVAL : 0;
}

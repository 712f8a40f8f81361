/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pieces of a users file. A piece ends behind the bracket that closes a member of `users`. */
#include "aaa/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16 };

struct scan {
	struct text *text;
	char *start, *pos, *end;
	unsigned line;
	char open[DEPTH_MAX]; /* the brackets that are open, and where */
	unsigned open_line[DEPTH_MAX];
	unsigned depth;
	char *name; /* the last name outside all brackets */
	size_t name_len;
	bool users;      /* inside `users` */
	bool users_seen; /* a second one is a duplicate, for libconfig to find */
	char *piece;     /* where the current one begins */
	unsigned piece_line;
	text_problem *problem;
	void *owner;
	bool failed;
};

static void fail(struct scan *s, unsigned line, const char *what)
{
	s->problem(s->owner, line, what);
	s->failed = true;
}

static bool at(const struct scan *s, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(s->end - s->pos) >= n && !memcmp(s->pos, what, n);
}

static void skip_line(struct scan *s)
{
	while (s->pos < s->end && *s->pos != '\n')
		s->pos++;
}

static void skip_comment(struct scan *s)
{
	unsigned line = s->line;

	for (s->pos += 2; s->pos < s->end; s->pos++) {
		if (at(s, "*/")) {
			s->pos += 2;
			return;
		}
		if (*s->pos == '\n')
			s->line++;
	}
	fail(s, line, "the comment that begins here is never closed: */ is missing");
}

static void skip_string(struct scan *s)
{
	unsigned line = s->line;

	for (s->pos++; s->pos < s->end; s->pos++) {
		if (*s->pos == '"') {
			s->pos++;
			return;
		}
		if (at(s, "\\x00")) {
			fail(s, s->line, "\\x00 cannot be part of a string");
			return;
		}
		if (*s->pos == '\\' && s->pos + 1 < s->end)
			s->pos++;
		if (*s->pos == '\n')
			s->line++;
	}
	fail(s, line, "the string that begins here is never closed: \" is missing");
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '*';
}

static void skip_name(struct scan *s)
{
	char *start = s->pos;

	while (s->pos < s->end && is_name_char(*s->pos))
		s->pos++;
	if (s->depth)
		return;
	s->name = start;
	s->name_len = (size_t)(s->pos - start);
}

/* Ends the current piece here, and begins the next one. */
static void cut(struct scan *s)
{
	struct text *t = s->text;

	if (t->count == t->size) {
		size_t size = t->size ? t->size * 2 : 64;
		struct text_piece *pieces = reallocarray(t->pieces, size, sizeof(*pieces));

		if (!pieces) {
			fail(s, s->line, "out of memory");
			return;
		}
		t->pieces = pieces;
		t->size = size;
	}
	t->pieces[t->count++] = (struct text_piece){
		.start = s->piece, .len = (size_t)(s->pos - s->piece), .line = s->piece_line};
	s->piece = s->pos;
	s->piece_line = s->line;
}

static void open_bracket(struct scan *s)
{
	char c = *s->pos;

	if (s->depth == DEPTH_MAX) {
		fail(s, s->line, "brackets are nested too deeply");
		return;
	}
	s->open[s->depth] = c;
	s->open_line[s->depth] = s->line;
	s->depth++;
	s->pos++;
	if (s->depth == 1 && c != '[' && !s->users_seen && s->name_len == 5 && !memcmp(s->name, "users", 5)) {
		s->users = s->users_seen = true;
		s->text->list = c == '(';
		s->piece = s->pos;
		s->piece_line = s->line;
	}
}

static char closer(char open)
{
	return open == '{' ? '}' : open == '(' ? ')' : ']';
}

static void close_bracket(struct scan *s)
{
	char c = *s->pos, text[120];

	if (!s->depth) {
		snprintf(text, sizeof(text), "'%c' closes nothing", c);
		fail(s, s->line, text);
		return;
	}
	if (c != closer(s->open[s->depth - 1])) {
		snprintf(text, sizeof(text), "'%c' does not close the '%c' of line %u: '%c' is missing", c,
			s->open[s->depth - 1], s->open_line[s->depth - 1], closer(s->open[s->depth - 1]));
		fail(s, s->line, text);
		return;
	}
	s->depth--;
	if (s->users && s->depth == 0) { /* what is left behind the last user: nothing, or not a group */
		cut(s);
		s->users = false;
	}
	s->pos++;
	if (s->users && s->depth == 1)
		cut(s);
	if (!s->depth)
		s->name_len = 0;
}

static void scan_next(struct scan *s)
{
	char c = *s->pos;

	if (c == '\0')
		fail(s, s->line, "a NUL byte: this is not a text file");
	else if (c == '#' || at(s, "//"))
		skip_line(s);
	else if (at(s, "/*"))
		skip_comment(s);
	else if (c == '"')
		skip_string(s);
	else if (at(s, "@include") && (s->pos == s->start || !is_name_char(s->pos[-1])))
		fail(s, s->line, "@include is not possible here: put all users into one file");
	else if (is_name_char(c))
		skip_name(s);
	else if (c == '{' || c == '(' || c == '[')
		open_bracket(s);
	else if (c == '}' || c == ')' || c == ']')
		close_bracket(s);
	else {
		s->line += c == '\n';
		s->pos++;
	}
}

bool text_split(struct text *t, char *data, size_t len, text_problem *problem, void *owner)
{
	struct scan s = {
		.text = t,
		.start = data,
		.pos = data,
		.end = data + len,
		.line = 1,
		.problem = problem,
		.owner = owner,
	};

	while (s.pos < s.end && !s.failed)
		scan_next(&s);
	if (!s.failed && s.depth) {
		char what[80];

		snprintf(what, sizeof(what), "the '%c' that opens here is never closed: '%c' is missing",
			s.open[s.depth - 1], closer(s.open[s.depth - 1]));
		fail(&s, s.open_line[s.depth - 1], what);
	}
	return !s.failed;
}

void text_blank_pieces(struct text *t)
{
	for (size_t i = 0; i < t->count; i++)
		for (size_t j = 0; j < t->pieces[i].len; j++)
			if (t->pieces[i].start[j] != '\n')
				t->pieces[i].start[j] = ' ';
}

void text_free(struct text *t)
{
	free(t->pieces);
	*t = (struct text){0};
}

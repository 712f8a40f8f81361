/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a configuration file and its includes into one text, and checking what libconfig would let pass. */
#include "control/source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/problem.h"

/* The text of one file while it is being looked over. */
struct scan {
	struct source *source;
	struct problems *problems;
	const char *file;
	const char *pos, *end;
	unsigned line;
	unsigned depth;
	bool ok;
	bool needs_l; /* the number that was just passed */
};

static bool scan_file(struct source *s, const char *path, int fd, unsigned depth,
	const struct source_place *from, struct problems *problems);

static void scan_error(struct scan *c, unsigned line, const char *text)
{
	problem_line(c->problems, true, c->file, line, "%s", text);
	c->ok = false;
}

static bool append(struct source *s, const char *text, size_t len)
{
	if (s->len + len + 1 > s->size) {
		size_t size = (s->len + len + 1) * 2;
		char *grown = realloc(s->text, size);

		if (!grown)
			return false;
		s->text = grown;
		s->size = size;
	}
	memcpy(s->text + s->len, text, len);
	s->len += len;
	s->text[s->len] = 0;
	return true;
}

static void begin_segment(struct source *s, const char *file, unsigned line)
{
	s->segments[s->segment_count++] =
		(struct source_segment){.first = s->lines, .file = file, .line = line};
}

/* ---- reading ---- */

static char *read_all(int fd, size_t *ret_len, const char **why)
{
	size_t len = 0, size = 65536;
	char *buf = malloc(size);
	ssize_t n = 0;

	*why = "not enough memory";
	while (buf) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (len > SOURCE_MAX) {
			*why = "it is larger than 4 MiB, which no configuration is";
			break;
		}
		if (len == size) {
			char *grown = realloc(buf, size *= 2);

			if (!grown)
				break;
			buf = grown;
		}
	}
	if (buf && n == 0) {
		*ret_len = len;
		return buf;
	}
	if (n < 0)
		*why = strerror(errno);
	free(buf);
	return NULL;
}

/* FD is read from its beginning where it has one, and stays the caller's. */
static char *read_file(const char *path, int fd, bool included, size_t *ret_len, const char **why)
{
	int own = fd < 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (included ? O_NONBLOCK : 0)) : -1;
	char *text = NULL;
	struct stat st;

	if (fd < 0)
		fd = own;
	else
		(void)lseek(fd, 0, SEEK_SET);
	if (fd < 0 || fstat(fd, &st))
		*why = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		*why = "it is a directory, not a file";
	else if (S_ISBLK(st.st_mode) || (included && !S_ISREG(st.st_mode)))
		*why = "it is not a regular file";
	else
		text = read_all(fd, ret_len, why);
	if (own >= 0)
		close(own);
	return text;
}

/* ---- looking over ---- */

static void skip_newline(struct scan *c)
{
	c->pos++;
	c->line++;
	c->source->lines++;
}

static void skip_comment(struct scan *c)
{
	unsigned begun = c->line;

	for (c->pos += 2; c->pos < c->end;) {
		if (c->pos[0] == '*' && c->pos + 1 < c->end && c->pos[1] == '/') {
			c->pos += 2;
			return;
		}
		if (*c->pos == '\n')
			skip_newline(c);
		else
			c->pos++;
	}
	scan_error(c, begun, "this comment is not closed: end it with */");
}

static void skip_string(struct scan *c)
{
	unsigned begun = c->line;

	for (c->pos++; c->pos < c->end;) {
		if (*c->pos == '"') {
			c->pos++;
			return;
		}
		if (*c->pos == '\\' && c->pos + 1 < c->end) {
			if (c->end - c->pos >= 4 && !memcmp(c->pos, "\\x00", 4))
				scan_error(c, c->line, "\\x00 cannot stand in a text");
			c->pos++;
		}
		if (*c->pos == '\n')
			skip_newline(c);
		else
			c->pos++;
	}
	scan_error(c, begun, "this text is not closed: end it with \"");
}

/* libconfig cuts a number that is too large down to 32 bits, unless an L follows it, or to 64, without a word. */
static void skip_number(struct scan *c)
{
	const char *p = c->pos;
	uint64_t v = 0, limit = INT64_MAX;
	unsigned base = 10;
	bool large = false, real = false;

	if (c->end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	for (; p < c->end && (base == 16 ? isxdigit((unsigned char)*p) : isdigit((unsigned char)*p)); p++) {
		unsigned digit = isdigit((unsigned char)*p) ? (unsigned)(*p - '0')
							    : (unsigned)((*p | 0x20) - 'a' + 10);

		if (v > (limit - digit) / base)
			large = true;
		else
			v = v * base + digit;
	}
	c->needs_l = v > INT32_MAX && !(p < c->end && strchr("Ll.eE", *p));
	for (; p < c->end && (isalnum((unsigned char)*p) || *p == '.'); p++)
		real |= *p == '.' || *p == 'e' || *p == 'E';
	if (large && !real)
		scan_error(c, c->line, "this number is too large");
	c->pos = p;
}

static void skip_name(struct scan *c)
{
	while (c->pos < c->end && (isalnum((unsigned char)*c->pos) || strchr("-_*", *c->pos)) && *c->pos)
		c->pos++;
}

static void bracket(struct scan *c, char b)
{
	struct source *s = c->source;
	char text[160];

	c->pos++;
	if (strchr("{[(", b)) {
		if (s->open_count == SOURCE_NESTING) {
			scan_error(c, c->line, "brackets are nested more deeply than anything here needs");
			return;
		}
		s->open[s->open_count].bracket = b == '{' ? '}' : b == '[' ? ']' : ')';
		s->open[s->open_count++].place = (struct source_place){c->file, c->line};
		return;
	}
	if (s->open_count && s->open[s->open_count - 1].bracket == b) {
		s->open_count--;
		return;
	}
	if (s->open_count)
		snprintf(text, sizeof(text), "`%c` where `%c` is due, for the bracket opened on line %u", b,
			s->open[s->open_count - 1].bracket, s->open[s->open_count - 1].place.line);
	else
		snprintf(text, sizeof(text), "`%c` closes nothing: there is one too many", b);
	scan_error(c, c->line, text);
}

/* The name in  @include "NAME"  with nothing but blanks or a comment behind it; NULL after an error. */
static char *include_name(struct scan *c, const char *line_end)
{
	const char *p = c->pos + strlen("@include"), *name;
	char *copy;

	while (p < line_end && (*p == ' ' || *p == '\t'))
		p++;
	name = p + 1;
	if (p < line_end && *p == '"')
		for (p++; p < line_end && *p != '"' && *p != '\\'; p++)
			;
	if (p < name || p == line_end || *p != '"' || p == name) {
		scan_error(c, c->line, "an include is written @include \"FILE\"");
		return NULL;
	}
	copy = strndup(name, (size_t)(p - name));
	for (p++; p < line_end && (*p == ' ' || *p == '\t' || *p == '\r'); p++)
		;
	if (p < line_end && *p != '#' && !(line_end - p > 1 && p[0] == '/' && p[1] == '/')) {
		scan_error(c, c->line, "nothing may follow an @include on its line");
		free(copy);
		return NULL;
	}
	if (!copy)
		scan_error(c, c->line, "not enough memory");
	return copy;
}

/* Relative names are relative to the file that includes. */
static char *include_path(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	char *path = NULL;

	if (name[0] == '/' || !slash)
		return strdup(name);
	if (asprintf(&path, "%.*s/%s", (int)(slash - file), file, name) < 0)
		return NULL;
	return path;
}

static void include(struct scan *c)
{
	const char *line_end = memchr(c->pos, '\n', (size_t)(c->end - c->pos));
	struct source *s = c->source;
	char *name, *path = NULL;

	if (!line_end)
		line_end = c->end;
	name = include_name(c, line_end);
	if (name)
		path = include_path(c->file, name);
	free(name);
	if (path && (c->depth == SOURCE_DEPTH || s->file_count == SOURCE_INCLUDES)) {
		scan_error(c, c->line, "too many files include each other here: does one include itself?");
	} else if (path) {
		struct source_place from = {c->file, c->line};

		c->ok &= scan_file(s, path, -1, c->depth + 1, &from, c->problems);
		if (s->len && s->text[s->len - 1] != '\n') {
			c->ok &= append(s, "\n", 1);
			s->lines++;
		}
		begin_segment(s, c->file, c->line);
	}
	free(path);
	c->pos = line_end;
}

static void scan_byte(struct scan *c, bool line_start)
{
	char b = *c->pos;

	if (b == '\n')
		skip_newline(c);
	else if (b == '#' || (b == '/' && c->pos + 1 < c->end && c->pos[1] == '/'))
		while (c->pos < c->end && *c->pos != '\n')
			c->pos++;
	else if (b == '/' && c->pos + 1 < c->end && c->pos[1] == '*')
		skip_comment(c);
	else if (b == '"')
		skip_string(c);
	else if (b && strchr("{}[]()", b))
		bracket(c, b);
	else if (isdigit((unsigned char)b))
		skip_number(c);
	else if (isalpha((unsigned char)b) || b == '*')
		skip_name(c);
	else if (line_start && b == '@' && c->end - c->pos >= 8 && !memcmp(c->pos, "@include", 8))
		include(c);
	else
		c->pos++;
}

/* Looks over the whole text and copies it, but for the include lines. */
static void scan(struct scan *c)
{
	bool line_start = true;

	while (c->pos < c->end && c->ok) {
		const char *from = c->pos;
		bool is_include = line_start && *from == '@';

		scan_byte(c, line_start);
		if (!is_include && !append(c->source, from, (size_t)(c->pos - from)))
			scan_error(c, c->line, "not enough memory");
		if (c->needs_l && !append(c->source, "L", 1))
			scan_error(c, c->line, "not enough memory");
		c->needs_l = false;
		line_start = *from == '\n' || (line_start && (*from == ' ' || *from == '\t'));
	}
}

static bool scan_file(struct source *s, const char *path, int fd, unsigned depth,
	const struct source_place *from, struct problems *problems)
{
	struct scan c = {.source = s, .problems = problems, .line = 1, .depth = depth, .ok = true};
	const char *why = "";
	size_t len = 0;
	char *text = read_file(path, fd, from != NULL, &len, &why);

	if (text && memchr(text, 0, len)) {
		free(text);
		text = NULL;
		why = "it has zero bytes, so it is not a text file";
	}
	if (!text) {
		if (from)
			problem_line(problems, true, from->file, from->line, "cannot include %s: %s",
				quoted(path).text, why);
		else
			problem_line(problems, true, path, 0, "cannot read this file: %s", why);
		return false;
	}
	c.file = s->files[s->file_count] = strdup(path);
	if (c.file && s->len + len <= SOURCE_MAX) {
		s->file_count++;
		begin_segment(s, c.file, 1);
		c.pos = text;
		c.end = text + len;
		scan(&c);
	} else {
		problem_line(problems, true, path, 0, "%s",
			c.file ? "with its includes it is larger than 4 MiB" : "not enough memory");
		free(s->files[s->file_count]);
		s->files[s->file_count] = NULL;
		c.ok = false;
	}
	free(text);
	return c.ok;
}

bool source_read(struct source *s, const char *path, int fd, struct problems *problems)
{
	bool ok;

	*s = (struct source){.lines = 1};
	ok = append(s, "", 0) && scan_file(s, path, fd, 0, NULL, problems);
	for (unsigned i = 0; ok && i < s->open_count; i++)
		problem_line(problems, true, s->open[i].place.file, s->open[i].place.line,
			"this bracket is not closed: `%c` is missing", s->open[i].bracket);
	return ok && !s->open_count;
}

void source_free(struct source *s)
{
	for (unsigned i = 0; i < s->file_count; i++)
		free(s->files[i]);
	free(s->text);
	*s = (struct source){0};
}

struct source_place source_place(const struct source *s, unsigned line)
{
	struct source_place place = {.file = s->file_count ? s->files[0] : "", .line = line};

	for (unsigned i = 0; i < s->segment_count && s->segments[i].first <= line; i++)
		place = (struct source_place){
			s->segments[i].file, s->segments[i].line + line - s->segments[i].first};
	return place;
}

void source_line(const struct source *s, unsigned line, char *buf, size_t size)
{
	const char *p = s->text;
	size_t n;

	for (unsigned i = 1; i < line && p; i++) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	n = p ? strcspn(p, "\n") : 0;
	if (n >= size)
		n = size - 1;
	if (p && n)
		memcpy(buf, p, n);
	buf[n] = 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all parts of a users file share: problems, keys, texts, prefixes; and the search for overlaps. */
#include "aaa/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_MAX = 1000 };

struct reading_problem {
	unsigned line;
	size_t order;
	char *text;
};

/* A fixed prefix, for finding overlaps. */
struct reading_claim {
	uint64_t first; /* an IPv4 prefix is in the upper half */
	uint8_t family, len;
	uint32_t line;
	const struct user_row *row;
};

void reading_tell(struct reading *r, unsigned line, const char *format, ...)
{
	struct reading_problem *p;
	va_list args;

	if (r->problem_count == r->problem_size) {
		size_t size = r->problem_size ? r->problem_size * 2 : 16;

		p = reallocarray(r->problems, size, sizeof(*p));
		if (!p) {
			r->no_memory = true;
			return;
		}
		r->problems = p;
		r->problem_size = size;
	}
	p = &r->problems[r->problem_count];
	p->line = line;
	p->order = r->problem_count++;
	va_start(args, format);
	if (vasprintf(&p->text, format, args) < 0)
		p->text = NULL;
	va_end(args);
}

static int by_line(const void *a, const void *b)
{
	const struct reading_problem *p = a, *q = b;

	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	return p->order < q->order ? -1 : 1;
}

void reading_tell_all(struct reading *r, const char *path, aaa_error *error, void *owner)
{
	char more[64];

	if (r->problem_count)
		qsort(r->problems, r->problem_count, sizeof(r->problems[0]), by_line);
	for (size_t i = 0; i < r->problem_count && i < PROBLEMS_MAX; i++)
		error(owner, path, r->problems[i].line,
			r->problems[i].text ? r->problems[i].text : "out of memory");
	if (r->problem_count > PROBLEMS_MAX) {
		snprintf(more, sizeof(more), "and %zu more errors", r->problem_count - PROBLEMS_MAX);
		error(owner, path, r->problems[PROBLEMS_MAX].line, more);
	}
	if (r->no_memory)
		error(owner, path, 0, "out of memory");
	for (size_t i = 0; i < r->problem_count; i++)
		free(r->problems[i].text);
	free(r->problems);
}

/* Keys. */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* How many letters must be changed, put in or left out (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	size_t row[MAX + 1], la = strlen(a), lb = strlen(b);

	if (la > MAX || lb > MAX)
		return MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[lb];
}

/* KEYS is a list of words with ", " between them, as it is shown. */
void reading_unknown(struct reading *r, const config_setting_t *setting, unsigned line, const char *label,
	const char *keys)
{
	const char *name = config_setting_name(setting), *best = NULL;
	size_t best_distance = 3, n;
	char key[32], nearest[32];

	for (const char *k = keys; *k; k += n + strspn(k + n, ", ")) {
		n = strcspn(k, ",");
		snprintf(key, sizeof(key), "%.*s", (int)n, k);
		if (distance(name, key) < best_distance && distance(name, key) < n) {
			best_distance = distance(name, key);
			snprintf(nearest, sizeof(nearest), "%s", key);
			best = nearest;
		}
	}
	if (best)
		reading_tell(r, line, "%sunknown key \"%.64s\": did you mean \"%s\"?", label, name, best);
	else
		reading_tell(r, line, "%sunknown key \"%.64s\": known are %s", label, name, keys);
}

/* A non-empty string of at most MAX bytes, or NULL after having told why not. */
const char *reading_string(
	struct reading *r, config_setting_t *setting, unsigned line, const char *label, size_t max)
{
	const char *text = config_setting_get_string(setting), *name = config_setting_name(setting);

	if (!text)
		reading_tell(r, line, "%s%s must be a string: %s = \"...\";", label, name, name);
	else if (!text[0])
		reading_tell(r, line, "%s%s is empty", label, name);
	else if (strlen(text) > max)
		reading_tell(r, line, "%s%s has %zu bytes: at most %zu are possible", label, name,
			strlen(text), max);
	else
		return text;
	return NULL;
}

/* ADDRESS/LENGTH with all host bits zero. */
bool reading_prefix(struct reading *r, const char *text, unsigned line, const char *label,
	const char *example, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[ADDR_TEXT], *end, right[PREFIX_TEXT];
	struct prefix p;
	struct addr a;
	unsigned long len;

	snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - text) : (int)sizeof(address) - 1,
		text);
	if (!slash || slash - text >= (int)sizeof(address) || addr_parse(address, &a)) {
		reading_tell(
			r, line, "%s\"%.64s\" is not a prefix: write it like \"%s\"", label, text, example);
		return false;
	}
	len = strtoul(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end || len > addr_bits(a.family)) {
		reading_tell(r, line, "%s\"%.64s\" has an impossible length: 0 to %u", label, text,
			addr_bits(a.family));
		return false;
	}
	p = prefix_of(&a, (unsigned)len);
	if (!addr_equal(&p.addr, &a)) {
		reading_tell(r, line, "%s\"%.64s\" has host bits set: did you mean \"%s\"?", label, text,
			prefix_print(&p, right));
		return false;
	}
	*ret = p;
	return true;
}

uint8_t reading_append(char **at, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	memcpy(*at, text ? text : "", n);
	*at += n;
	return (uint8_t)n;
}

/* ---- overlaps ---- */

void reading_note_prefix(struct reading *r, const struct prefix *p, unsigned line, const struct user_row *row)
{
	struct reading_claim *c;
	uint64_t first = 0;

	if (r->claim_count == r->claim_size) {
		size_t size = r->claim_size ? r->claim_size * 2 : 64;

		c = reallocarray(r->claims, size, sizeof(*c));
		if (!c) {
			reading_tell(r, line, "out of memory");
			return;
		}
		r->claims = c;
		r->claim_size = size;
	}
	for (unsigned i = 0; i < 8; i++)
		first = first << 8 | p->addr.bytes[i];
	r->claims[r->claim_count++] = (struct reading_claim){
		.first = first, .family = p->addr.family, .len = p->len, .line = line, .row = row};
}

static bool before(const struct reading_claim *a, const struct reading_claim *b)
{
	return a->family != b->family ? a->family < b->family
	       : a->first != b->first ? a->first < b->first
	       : a->len != b->len     ? a->len < b->len
				      : a->line < b->line;
}

static int by_prefix(const void *a, const void *b)
{
	return before(a, b) ? -1 : before(b, a);
}

/* An IPv4 address without its length. */
static const char *claim_print(const struct reading_claim *c, char text[PREFIX_TEXT])
{
	struct prefix p = {.addr.family = c->family, .len = c->len};

	for (unsigned i = 0; i < 8; i++)
		p.addr.bytes[i] = (uint8_t)(c->first >> (56 - 8 * i));
	return c->family == AF_INET && c->len == 32 ? addr_print(&p.addr, text) : prefix_print(&p, text);
}

static void tell_overlap(struct reading *r, const struct reading_claim *a, const struct reading_claim *b)
{
	const struct reading_claim *first = a->line <= b->line ? a : b, *second = first == a ? b : a;
	char one[PREFIX_TEXT], two[PREFIX_TEXT], user1[AAA_NAME_MAX + 1], user2[AAA_NAME_MAX + 1];

	snprintf(user1, sizeof(user1), "%.*s", first->row->name_len, user_name(first->row));
	snprintf(user2, sizeof(user2), "%.*s", second->row->name_len, user_name(second->row));
	reading_tell(r, second->line, "user %.64s: %s overlaps %s of user %.64s in line %u", user2,
		claim_print(second, two), claim_print(first, one), user1, first->line);
}

/* Prefixes nest or are disjoint: in order, one that overlaps any before it lies in the last that was not
 * itself inside another. */
void reading_overlaps(struct reading *r)
{
	const struct reading_claim *outer = NULL;

	if (r->claim_count)
		qsort(r->claims, r->claim_count, sizeof(r->claims[0]), by_prefix);
	for (size_t i = 0; i < r->claim_count; i++) {
		const struct reading_claim *c = &r->claims[i];

		if (outer && outer->family == c->family &&
			(outer->first ^ c->first) >> (64 - outer->len) == 0)
			tell_overlap(r, outer, c);
		else
			outer = c;
	}
	free(r->claims);
}

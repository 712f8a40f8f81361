/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AS paths: RFC 4271 sections 4.3 b and 5.1.2, confederations as in RFC 5065, numbers of two and of four octets as in RFC 6793. */
#include <stdio.h>
#include <string.h>

#include "bgp/attributes.h"

enum { AS2_MAX = 0xffff, SEGMENT_MAX = 255 };

struct segment {
	uint8_t type, count;
	struct reader numbers;
};

/* The next of a sound path; false at the end, and where a path is not sound. */
static bool segment_next(struct reader *path, unsigned width, struct segment *ret)
{
	if (!reader_left(path))
		return false;
	ret->type = reader_u8(path);
	ret->count = reader_u8(path);
	ret->numbers = reader_sub(path, (size_t)ret->count * width);
	return reader_ok(path) && ret->type >= BGP_AS_SET && ret->type <= BGP_AS_CONFED_SET;
}

static uint32_t number_next(struct reader *numbers, unsigned width)
{
	return width == 2 ? reader_u16(numbers) : reader_u32(numbers);
}

static bool is_confederation(const struct segment *s)
{
	return s->type == BGP_AS_CONFED_SEQUENCE || s->type == BGP_AS_CONFED_SET;
}

bool bgp_path_check(const struct bgp_raw *raw, unsigned width, bool confederation, struct bgp_complaints *c)
{
	struct reader path = raw->value;

	while (reader_left(&path)) {
		uint8_t type = reader_u8(&path), count = reader_u8(&path);
		struct reader numbers = reader_sub(&path, (size_t)count * width);

		if (type < BGP_AS_SET || type > BGP_AS_CONFED_SET)
			return bgp_malformed(c, raw, "segment type %u", type);
		if (!reader_ok(&path))
			return bgp_malformed(c, raw, "a segment of %u AS numbers is cut short", count);
		if (!count)
			return bgp_malformed(c, raw, "a segment of 0 AS numbers");
		if (type >= BGP_AS_CONFED_SEQUENCE && !confederation)
			return bgp_malformed(
				c, raw, "segment type %u, a confederation's, from outside", type);
		while (reader_left(&numbers))
			if (!number_next(&numbers, width))
				return bgp_malformed(c, raw, "AS 0");
	}
	return true;
}

static unsigned segment_hops(const struct segment *s)
{
	return s->type == BGP_AS_SEQUENCE ? s->count : s->type == BGP_AS_SET ? 1 : 0;
}

unsigned bgp_path_hops(struct reader path, unsigned width)
{
	struct segment s;
	unsigned n = 0;

	while (segment_next(&path, width, &s))
		n += segment_hops(&s);
	return n;
}

/* COUNT of the numbers of S, which are WIDTH octets wide, in four. */
static void write_wide(struct writer *w, const struct segment *s, unsigned count, unsigned width)
{
	struct reader numbers = s->numbers;

	writer_u8(w, s->type);
	writer_u8(w, (uint8_t)count);
	while (count--)
		writer_u32(w, number_next(&numbers, width));
}

void bgp_path_widen(struct writer *w, struct reader path)
{
	struct segment s;

	while (segment_next(&path, 2, &s))
		write_wide(w, &s, s.count, 2);
}

/*
 * The beginning of PATH, KEEP numbers long, with segments of confederations that come first or next to what is taken.
 * *ret_last: where its last segment begins, if that is an AS_SEQUENCE; else the end.
 */
static void write_beginning(struct writer *w, struct reader path, unsigned keep, size_t *ret_last)
{
	struct segment s;

	*ret_last = SIZE_MAX;
	while (segment_next(&path, 2, &s) && (keep || is_confederation(&s))) {
		unsigned count = s.type == BGP_AS_SEQUENCE && s.count > keep ? keep : s.count;

		*ret_last = s.type == BGP_AS_SEQUENCE ? writer_len(w) : SIZE_MAX;
		write_wide(w, &s, count, 2);
		if (count < s.count)
			return;
		keep -= segment_hops(&s);
	}
}

void bgp_path_merge(struct writer *w, struct reader path, struct reader path4)
{
	unsigned hops = bgp_path_hops(path, 2), hops4 = bgp_path_hops(path4, 4);
	struct segment s;
	size_t last;

	if (hops < hops4) {
		bgp_path_widen(w, path);
		return;
	}
	write_beginning(w, path, hops - hops4, &last);
	while (segment_next(&path4, 4, &s)) {
		unsigned before;

		if (is_confederation(&s)) /* not to be carried there: RFC 6793 section 6 */
			continue;
		before = last == SIZE_MAX ? SEGMENT_MAX : (unsigned)(writer_len(w) - last - 2) / 4;
		if (s.type == BGP_AS_SEQUENCE && before + s.count <= SEGMENT_MAX) {
			/* One sequence again, as it was before somebody in between put his numbers in front. */
			writer_patch16(w, last, (uint16_t)(BGP_AS_SEQUENCE << 8 | (before + s.count)));
			writer_bytes(w, s.numbers.pos, reader_left(&s.numbers));
		} else {
			write_wide(w, &s, s.count, 4);
		}
		last = SIZE_MAX;
	}
}

void bgp_path_write(struct writer *w, struct reader path, unsigned width, bool plain)
{
	struct segment s;

	while (segment_next(&path, 4, &s)) {
		if (plain && is_confederation(&s))
			continue;
		writer_u8(w, s.type);
		writer_u8(w, s.count);
		if (width == 4)
			writer_bytes(w, s.numbers.pos, reader_left(&s.numbers));
		while (width == 2 && reader_left(&s.numbers)) {
			uint32_t as = reader_u32(&s.numbers);

			writer_u16(w, as > AS2_MAX ? BGP_AS_TRANS : (uint16_t)as);
		}
	}
}

bool bgp_path_has_large(struct reader path)
{
	struct segment s;

	while (segment_next(&path, 4, &s))
		while (!is_confederation(&s) && reader_left(&s.numbers))
			if (reader_u32(&s.numbers) > AS2_MAX)
				return true;
	return false;
}

bool bgp_path_has_confederation(struct reader path)
{
	struct segment s;

	while (segment_next(&path, 4, &s))
		if (is_confederation(&s))
			return true;
	return false;
}

void bgp_path_prepend(struct writer *w, struct reader path, uint32_t as, unsigned count)
{
	struct reader rest = path;
	struct segment s;
	bool extends =
		segment_next(&rest, 4, &s) && s.type == BGP_AS_SEQUENCE && s.count + count <= SEGMENT_MAX;

	writer_u8(w, BGP_AS_SEQUENCE);
	writer_u8(w, (uint8_t)(count + (extends ? s.count : 0)));
	for (unsigned i = 0; i < count; i++)
		writer_u32(w, as);
	if (extends) {
		writer_bytes(w, s.numbers.pos, reader_left(&s.numbers));
		path = rest;
	}
	writer_bytes(w, path.pos, reader_left(&path));
}

void bgp_path_facts(struct reader path, struct bgp_facts *ret)
{
	struct segment s;
	unsigned hops = 0;
	bool begun = false;

	while (segment_next(&path, 4, &s)) {
		if (is_confederation(&s))
			continue;
		hops += segment_hops(&s);
		if (!begun && s.type == BGP_AS_SEQUENCE) {
			struct reader first = s.numbers;

			ret->neighbor_as = reader_u32(&first);
		}
		begun = true;
		ret->origin_as = 0;
		if (s.type == BGP_AS_SEQUENCE) {
			reader_skip(&s.numbers, reader_left(&s.numbers) - 4);
			ret->origin_as = reader_u32(&s.numbers);
		}
	}
	ret->path_length = (uint16_t)(hops > UINT16_MAX ? UINT16_MAX : hops);
}

static struct reader path_of(struct reader set)
{
	struct bgp_attribute a;

	return bgp_attribute_find(set, BGP_AS_PATH, &a) ? a.value : reader_of(NULL, 0);
}

unsigned bgp_path_count(struct reader set, uint32_t as)
{
	struct reader path = path_of(set);
	struct segment s;
	unsigned n = 0;

	while (segment_next(&path, 4, &s))
		while (reader_left(&s.numbers))
			n += reader_u32(&s.numbers) == as;
	return n;
}

/* Appends; false: it does not fit. */
static bool append(char *buf, size_t size, size_t *len, const char *text)
{
	size_t more = strlen(text);

	if (*len + more >= size)
		return false;
	memcpy(buf + *len, text, more + 1);
	*len += more;
	return true;
}

static bool print_segment(struct segment *s, char *buf, size_t size, size_t *len)
{
	static const char *const marks[][2] = {
		[BGP_AS_SET] = {"{", "}"},
		[BGP_AS_SEQUENCE] = {"", ""},
		[BGP_AS_CONFED_SEQUENCE] = {"(", ")"},
		[BGP_AS_CONFED_SET] = {"[", "]"},
	};
	bool fits = append(buf, size, len, marks[s->type][0]);

	while (fits && reader_left(&s->numbers)) {
		char text[16];

		snprintf(text, sizeof(text), "%u", reader_u32(&s->numbers));
		fits = append(buf, size, len, text) &&
		       append(buf, size, len, reader_left(&s->numbers) ? " " : marks[s->type][1]);
	}
	return fits;
}

const char *bgp_path_print(struct reader set, char *buf, size_t size)
{
	struct reader path = path_of(set);
	struct segment s;
	size_t len = 0;
	bool fits = true;

	if (!size)
		return buf;
	buf[0] = '\0';
	while (fits && segment_next(&path, 4, &s))
		fits = print_segment(&s, buf, size, &len) &&
		       (!reader_left(&path) || append(buf, size, &len, " "));
	if (!fits && size > 3) {
		while (len && (len + 3 >= size || buf[len - 1] != ' ')) /* no half number */
			len--;
		memcpy(buf + len, "...", 4);
	}
	return buf;
}

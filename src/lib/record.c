/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: see record.h. */
#include "lib/record.h"

#include <string.h>

enum { FAMILY_NONE = 0, FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 }; /* AF_ numbers are the system's */

size_t record_begin(struct writer *w, uint8_t tag)
{
	writer_u8(w, tag);
	return writer_begin16(w);
}

void record_end(struct writer *w, size_t at)
{
	writer_end16(w, at, 0);
}

struct reader record_section(struct reader record, uint8_t tag)
{
	struct reader found = {.error = "missing"};
	bool any = false;

	while (reader_left(&record)) {
		uint8_t here = reader_u8(&record);
		struct reader contents = reader_sub(&record, reader_u16(&record));

		if (here != tag)
			continue;
		if (any)
			return (struct reader){.error = "there twice"};
		any = true;
		found = contents;
	}
	return reader_ok(&record) ? found : record;
}

static uint8_t code_of(uint8_t family)
{
	return family == AF_INET6 ? FAMILY_IPV6 : family == AF_INET ? FAMILY_IPV4 : FAMILY_NONE;
}

static uint8_t read_family(struct reader *r)
{
	switch (reader_u8(r)) {
	case FAMILY_NONE:
		return 0;
	case FAMILY_IPV4:
		return AF_INET;
	case FAMILY_IPV6:
		return AF_INET6;
	default:
		reader_fail(r, "no such address family");
		return 0;
	}
}

void record_put_addr(struct writer *w, const struct addr *a)
{
	writer_u8(w, code_of(a->family));
	writer_bytes(w, a->bytes, addr_size(a->family));
}

struct addr record_addr(struct reader *r)
{
	struct addr a = {.family = read_family(r)};

	reader_copy(r, a.bytes, addr_size(a.family));
	return reader_ok(r) ? a : (struct addr){0};
}

/* As many bytes as the length needs. */
void record_put_prefix(struct writer *w, const struct prefix *p)
{
	writer_u8(w, code_of(p->addr.family));
	if (!p->addr.family)
		return;
	writer_u8(w, p->len);
	writer_bytes(w, p->addr.bytes, (p->len + 7u) / 8);
}

struct prefix record_prefix(struct reader *r)
{
	struct addr a = {.family = read_family(r)};
	struct prefix p;
	uint8_t len;

	if (!a.family)
		return (struct prefix){0};
	len = record_u8(r, 0, (uint8_t)addr_bits(a.family));
	reader_copy(r, a.bytes, (len + 7u) / 8);
	p = prefix_of(&a, len);
	if (memcmp(p.addr.bytes, a.bytes, sizeof(a.bytes)) != 0)
		reader_fail(r, "prefix with host bits");
	return reader_ok(r) ? p : (struct prefix){0};
}

uint8_t record_u8(struct reader *r, uint8_t min, uint8_t max)
{
	uint8_t v = reader_u8(r);

	if (v >= min && v <= max)
		return v;
	reader_fail(r, "value out of range");
	return min;
}

uint16_t record_u16(struct reader *r, uint16_t min, uint16_t max)
{
	uint16_t v = reader_u16(r);

	if (v >= min && v <= max)
		return v;
	reader_fail(r, "value out of range");
	return min;
}

uint8_t record_flags(struct reader *r, uint8_t known)
{
	uint8_t flags = reader_u8(r);

	if (flags & ~known)
		reader_fail(r, "unknown flag");
	return flags & known;
}

msec record_past(struct reader *r, msec now)
{
	msec at = reader_u64(r);

	if (at > now)
		reader_fail(r, "time that has not come yet");
	return at <= now ? at : now;
}

msec record_deadline(struct reader *r, msec now, msec most)
{
	msec at = reader_u64(r);

	if (!reader_ok(r) || at == MSEC_NEVER)
		return MSEC_NEVER;
	if (at > now && at - now > most)
		reader_fail(r, "time too far ahead");
	return at;
}

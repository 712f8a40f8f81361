/*
 * reader: the one cursor for all input.
 *
 * A reader walks over bytes that somebody else owns. It never reads past its end: a read that asks for
 * more than is left sets a sticky error (a static text that says what was missing), yields zeros or NULL,
 * and makes every later read do the same. So a decoder reads all its fields first and asks once at the end.
 * For a TLV, take a sub-cursor of the declared length before looking inside: an inner decoder cannot read
 * its neighbour. All integers are in network byte order.
 */
#ifndef LIB_READER_H
#define LIB_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *pos;
	const uint8_t *end;
	const char *error; /* NULL, or the first thing that went wrong: a static text */
};

static inline struct reader reader_of(const void *data, size_t len)
{
	/* NULL with length 0 is an empty input; adding to NULL is undefined even then. */
	return (struct reader){.pos = data, .end = len ? (const uint8_t *)data + len : data};
}

static inline bool reader_ok(const struct reader *r)
{
	return !r->error;
}

/* Bytes not read yet; 0 after an error. */
static inline size_t reader_left(const struct reader *r)
{
	return r->error ? 0 : (size_t)(r->end - r->pos);
}

/* Marks the cursor as failed, unless it has failed already. WHY is a static text. */
static inline void reader_fail(struct reader *r, const char *why)
{
	if (!r->error)
		r->error = why;
}

/*
 * The next N bytes in place, or NULL (and the error is set) when fewer are left. Valid as long as the input is.
 * (N = 0 may give NULL without an error where the whole input was empty: ask reader_ok(), not the pointer.)
 */
static inline const uint8_t *reader_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->pos;

	if (r->error || reader_left(r) < n) {
		reader_fail(r, "truncated");
		return NULL;
	}
	if (n)
		r->pos += n;
	return p;
}

static inline void reader_skip(struct reader *r, size_t n)
{
	(void)reader_bytes(r, n);
}

static inline uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t reader_u64(struct reader *r)
{
	uint64_t high = reader_u32(r);

	return high << 32 | reader_u32(r);
}

/* Copies N bytes to DST; on shortage fills DST with zeros and returns false. */
bool reader_copy(struct reader *r, void *dst, size_t n);

/* The next N bytes as a cursor of its own; R moves behind them. On shortage both carry the error. */
static inline struct reader reader_sub(struct reader *r, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);

	if (r->error)
		return (struct reader){.error = r->error};
	return reader_of(p, n);
}

/* The rest of the input as a cursor of its own; R is then at its end. */
static inline struct reader reader_rest(struct reader *r)
{
	return reader_sub(r, reader_left(r));
}

#endif

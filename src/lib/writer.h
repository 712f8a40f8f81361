/*
 * writer: the one cursor for all output.
 *
 * A writer fills a buffer that somebody else owns. What does not fit is not written and sets a sticky
 * overflow; an encoder writes everything and asks once at the end. Lengths that are known only later are
 * reserved (writer_begin16) and patched (writer_end16). Integers go out in network byte order.
 */
#ifndef LIB_WRITER_H
#define LIB_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
	uint8_t *start;
	uint8_t *pos;
	uint8_t *end;
	bool overflow;
};

static inline struct writer writer_of(void *buf, size_t size)
{
	return (struct writer){.start = buf, .pos = buf, .end = size ? (uint8_t *)buf + size : buf};
}

static inline bool writer_ok(const struct writer *w)
{
	return !w->overflow;
}

/* Bytes written so far. */
static inline size_t writer_len(const struct writer *w)
{
	return (size_t)(w->pos - w->start);
}

/* Room for N bytes, which the caller fills; NULL (and overflow) when they do not fit. */
static inline uint8_t *writer_reserve(struct writer *w, size_t n)
{
	uint8_t *p = w->pos;

	if (w->overflow || (size_t)(w->end - w->pos) < n) {
		w->overflow = true;
		return NULL;
	}
	if (n)
		w->pos += n;
	return p;
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
	uint8_t *p = writer_reserve(w, 1);

	if (p)
		p[0] = v;
}

static inline void writer_u16(struct writer *w, uint16_t v)
{
	uint8_t *p = writer_reserve(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void writer_u32(struct writer *w, uint32_t v)
{
	writer_u16(w, (uint16_t)(v >> 16));
	writer_u16(w, (uint16_t)v);
}

static inline void writer_u64(struct writer *w, uint64_t v)
{
	writer_u32(w, (uint32_t)(v >> 32));
	writer_u32(w, (uint32_t)v);
}

void writer_bytes(struct writer *w, const void *data, size_t n);
void writer_zeros(struct writer *w, size_t n);

/* Overwrites two bytes at OFFSET from the start; ignored after an overflow or when not written yet. */
void writer_patch16(struct writer *w, size_t offset, uint16_t v);

/* Reserves a 16-bit length field; returns its offset for writer_end16(). */
static inline size_t writer_begin16(struct writer *w)
{
	size_t at = writer_len(w);

	writer_u16(w, 0);
	return at;
}

/* Sets the length field at AT to the number of bytes written behind it plus EXTRA (0, or the header's size). */
void writer_end16(struct writer *w, size_t at, size_t extra);

#endif

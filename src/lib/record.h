/*
 * record: saved state as bytes: sections, and the values in them that are more than an integer.
 *
 * A record is a row of sections: a tag (1 byte), a length (2), contents. Whoever owns a section writes and reads its fields in a fixed
 * order. A section grows at its end only: a reader takes what it knows and leaves the rest, and sections with tags that nobody knows are
 * passed over; so an older program reads what a newer one wrote. What is missing is an error, but for a field that was added later: it is
 * read only where something is left, and the newer program knows what to do without it.
 * Bytes from a file are input like any other: every read checks its value and fails the reader with a reason. Times are absolute
 * milliseconds of the monotonic clock: they mean something on the same machine until it boots again.
 */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include "lib/addr.h"
#include "lib/reader.h"
#include "lib/wheel.h"
#include "lib/writer.h"

/* A section begins; returns what record_end() wants. */
size_t record_begin(struct writer *w, uint8_t tag);
void record_end(struct writer *w, size_t at);
/* The contents of the section with TAG in RECORD: failed when it is missing, twice there, or when a length does not fit. */
struct reader record_section(struct reader record, uint8_t tag);

void record_put_addr(struct writer *w, const struct addr *a);
void record_put_prefix(struct writer *w, const struct prefix *p);
/* None, IPv4 or IPv6. */
struct addr record_addr(struct reader *r);
/* None, or of either family; no host bits. */
struct prefix record_prefix(struct reader *r);
/* An integer of one byte from MIN to MAX. */
uint8_t record_u8(struct reader *r, uint8_t min, uint8_t max);
uint16_t record_u16(struct reader *r, uint16_t min, uint16_t max);
/* Bits of KNOWN only. */
uint8_t record_flags(struct reader *r, uint8_t known);
/* Something that has happened: not after NOW. */
msec record_past(struct reader *r, msec now);
/* Something that is due: MSEC_NEVER, or not later than MOST after NOW. What is in the past is due now. */
msec record_deadline(struct reader *r, msec now, msec most);

#endif

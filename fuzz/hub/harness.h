/*
 * A softwire of both ends in memory, one of them the victim, the other honest, and somebody on the path who loses, repeats,
 * changes and forges packets, while the victim's process crashes and is started again, owners answer late or not at all and time goes by.
 *
 * Input: two bytes of circumstances, then steps: one byte of what, one of detail, and for some a length and bytes.
 * Whatever happens: events come in order and once, what the victim sends is accepted by the decoders of this house, memory stays
 * bounded, and after a close it is released in time, with no timer left.
 */
#ifndef FUZZ_HUB_HARNESS_H
#define FUZZ_HUB_HARNESS_H

#include "hub/save.h"
#include "hub/softwire.h"

/* sent.c: aborts unless this UDP payload is good. */
void harness_check_sent(const uint8_t *payload, size_t len);
/* crash.c: what was saved last; and its end and resumption. False: it cannot be resumed, and nothing has happened. */
struct harness_record {
	uint8_t bytes[SOFTWIRE_RECORD_MAX];
	size_t len;
};
void harness_save(struct harness_record *r, const struct softwire *s);
bool harness_crash(struct harness_record *record, struct softwire *s, msec now);
void harness_run(enum l2tp_end victim, const uint8_t *data, size_t size);

#endif

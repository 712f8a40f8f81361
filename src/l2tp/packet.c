/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The L2TP header, RFC 2661 section 3.1. */
#include "l2tp/packet.h"

enum {
	BIT_T = 0x8000,
	BIT_L = 0x4000,
	BIT_S = 0x0800,
	BIT_O = 0x0200,
	BIT_P = 0x0100,
	VERSION_MASK = 0x000f,
	VERSION = 2,
};

/* What a control header must have and must not have. Reserved bits and P are ignored, as on any incoming message. */
static void check_control(struct reader *r, const struct l2tp_header *h)
{
	if (!h->has_length)
		reader_fail(r, "control message without Length");
	if (!h->has_sequence)
		reader_fail(r, "control message without Ns and Nr");
	if (h->has_offset)
		reader_fail(r, "control message with an offset");
}

/* Cuts R, whose header began at START, to what the Length field says. */
static void cut_to_length(struct reader *r, const uint8_t *start, const struct l2tp_header *h)
{
	size_t head = (size_t)(r->pos - start), rest;

	if (!reader_ok(r))
		return;
	if (h->length < head) {
		reader_fail(r, "Length shorter than the header");
		return;
	}
	rest = h->length - head;
	if (rest > reader_left(r)) {
		reader_fail(r, "Length beyond the packet");
		return;
	}
	*r = reader_sub(r, rest);
}

void l2tp_header_read(struct reader *r, struct l2tp_header *ret)
{
	const uint8_t *start = r->pos;
	uint16_t bits = reader_u16(r);
	struct l2tp_header h = {
		.control = bits & BIT_T,
		.has_length = bits & BIT_L,
		.has_sequence = bits & BIT_S,
		.has_offset = bits & BIT_O,
		.priority = bits & BIT_P,
	};

	if (reader_ok(r) && (bits & VERSION_MASK) != VERSION)
		reader_fail(r, (bits & VERSION_MASK) == 1 ? "an L2F packet" : "not L2TP version 2");
	if (reader_ok(r) && h.control)
		check_control(r, &h);
	if (h.has_length)
		h.length = reader_u16(r);
	h.tunnel_id = reader_u16(r);
	h.session_id = reader_u16(r);
	if (h.has_sequence) {
		h.ns = reader_u16(r);
		h.nr = reader_u16(r);
	}
	if (h.has_offset)
		reader_skip(r, reader_u16(r));
	if (h.has_length)
		cut_to_length(r, start, &h);
	if (reader_ok(r))
		*ret = h;
}

size_t l2tp_header_begin(struct writer *w, const struct l2tp_header *h)
{
	size_t at = writer_len(w);

	writer_u16(w, (uint16_t)((h->control ? BIT_T : 0) | (h->has_length ? BIT_L : 0) |
				 (h->has_sequence ? BIT_S : 0) | (h->has_offset ? BIT_O : 0) |
				 (h->priority ? BIT_P : 0) | VERSION));
	if (h->has_length)
		writer_u16(w, 0);
	writer_u16(w, h->tunnel_id);
	writer_u16(w, h->session_id);
	if (h->has_sequence) {
		writer_u16(w, h->ns);
		writer_u16(w, h->nr);
	}
	if (h->has_offset)
		writer_u16(w, 0);
	return at;
}

void l2tp_header_finish(struct writer *w, size_t at)
{
	if (writer_ok(w) && w->start[at] & (BIT_L >> 8))
		writer_patch16(w, at + 2, (uint16_t)(writer_len(w) - at));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data header as it comes in, with every optional field, and as it goes out, with none. */
#include "dataplane/header.h"

enum {
	FLAG_CONTROL = 0x8000,
	FLAG_LENGTH = 0x4000,
	FLAG_SEQUENCE = 0x0800,
	FLAG_OFFSET = 0x0200,
	VERSION = 0x000f
};

/* Cuts R, which stands behind the Length field, to what the field says. */
static enum dp_header_result length_read(struct reader *r)
{
	uint16_t length = reader_u16(r);

	if (!reader_ok(r))
		return DP_HEADER_SHORT;
	if (length < 4) /* flags and the field itself */
		return DP_HEADER_BAD;
	if (length - 4U > reader_left(r))
		return DP_HEADER_SHORT;
	*r = reader_sub(r, length - 4U);
	return DP_HEADER_OK;
}

/* The address and control field may be left out (RFC 1661 section 6.6), and the protocol be one odd byte
 * (section 6.5). */
static uint16_t protocol_read(struct reader *r)
{
	uint8_t first;

	if (reader_left(r) >= 2 && r->pos[0] == 0xff && r->pos[1] == 0x03)
		reader_skip(r, 2);
	first = reader_u8(r);
	return first & 1 ? first : (uint16_t)(first << 8 | reader_u8(r));
}

enum dp_header_result dp_header_read(struct reader *r, struct dp_header *ret)
{
	uint16_t flags = reader_u16(r);
	struct dp_header h = {.control = flags & FLAG_CONTROL};
	enum dp_header_result result = DP_HEADER_OK;

	if (!reader_ok(r))
		return DP_HEADER_SHORT;
	if ((flags & VERSION) != 2)
		return DP_HEADER_BAD;
	if (flags & FLAG_LENGTH)
		result = length_read(r);
	if (result != DP_HEADER_OK)
		return result;
	h.tunnel = reader_u16(r);
	h.session = reader_u16(r);
	if (!h.control) {
		if (flags & FLAG_SEQUENCE)
			reader_skip(r, 4);
		if (flags & FLAG_OFFSET)
			reader_skip(r, reader_u16(r));
		h.protocol = protocol_read(r);
	}
	if (!reader_ok(
		    r)) /* when the packet is as long as its Length field says, that field is what is wrong */
		return flags & FLAG_LENGTH ? DP_HEADER_BAD : DP_HEADER_SHORT;
	*ret = h;
	return DP_HEADER_OK;
}

void dp_header_write(uint8_t buf[DP_HEADER_SIZE], uint16_t tunnel, uint16_t session, uint16_t protocol)
{
	const uint8_t header[DP_HEADER_SIZE] = {0x00, 0x02, (uint8_t)(tunnel >> 8), (uint8_t)tunnel,
		(uint8_t)(session >> 8), (uint8_t)session, 0xff, 0x03, (uint8_t)(protocol >> 8),
		(uint8_t)protocol};

	__builtin_memcpy(buf, header, sizeof(header));
}

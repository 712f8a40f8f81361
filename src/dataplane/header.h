/*
 * dataplane/header: the L2TP data header and the PPP protocol field behind it, and nothing else of either
 * protocol.
 *
 * The fast path's own parser: what a data message needs, without state; control messages are recognized and
 * left alone. RFC 2661 section 3.1; RFC 1661 sections 2 and 6.5, 6.6 (both compressions are accepted,
 * whatever was negotiated).
 */
#ifndef DATAPLANE_HEADER_H
#define DATAPLANE_HEADER_H

#include "lib/reader.h"

/* Flags and version 2, tunnel id, session id; FF 03, protocol. */
enum { DP_HEADER_SIZE = 10 };

enum dp_header_result { DP_HEADER_OK, DP_HEADER_SHORT, DP_HEADER_BAD };

struct dp_header {
	bool control;
	uint16_t tunnel, session;
	uint16_t protocol; /* of data: PPP protocol number */
};

/* Reads the header and, for data, leaves R at the PPP information field, cut to the Length field. *ret is
 * untouched unless OK. */
enum dp_header_result dp_header_read(struct reader *r, struct dp_header *ret);
void dp_header_write(uint8_t buf[DP_HEADER_SIZE], uint16_t tunnel, uint16_t session, uint16_t protocol);

#endif

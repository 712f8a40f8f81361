/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a packet: reading stays inside, printing ends its line, and what was read writes back the same. */
#include <stdlib.h>
#include <string.h>

#include "l2tp/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void write_back(const struct l2tp_header *h, struct reader body)
{
	static uint8_t buf[1 << 17];
	struct writer w = writer_of(buf, sizeof(buf));
	struct l2tp_header again;
	size_t len = reader_left(&body), at;
	struct reader r;

	if (len > 0xff00)
		return;
	at = l2tp_header_begin(&w, h);
	if (len)
		writer_bytes(&w, body.pos, len);
	l2tp_header_finish(&w, at);
	require(writer_ok(&w));
	r = reader_of(buf, writer_len(&w));
	l2tp_header_read(&r, &again);
	require(reader_ok(&r) && reader_left(&r) == len && (!len || !memcmp(r.pos, body.pos, len)));
	require(again.control == h->control && again.tunnel_id == h->tunnel_id &&
		again.session_id == h->session_id && again.ns == h->ns && again.nr == h->nr &&
		again.priority == h->priority);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);
	char line[300];
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	if (reader_ok(&r)) {
		require(reader_left(&r) <= size);
		require(!h.control || (h.has_length && h.has_sequence && !h.has_offset));
		write_back(&h, r);
	}
	memset(line, 'x', sizeof(line));
	l2tp_packet_print(data, size, line, sizeof(line));
	require(memchr(line, '\0', sizeof(line)) && !strpbrk(line, "\n\r\033"));
	return 0;
}

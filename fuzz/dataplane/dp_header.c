/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fast path's header parser against the engine's: for data messages, the same are accepted, with the same ids, the same protocol, and
 * the same bytes behind it.
 */
#include "dataplane/header.h"

#include "l2tp/packet.h"
#include "ppp/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                      \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			__builtin_trap();                                                                    \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader fast = reader_of(data, size), slow = reader_of(data, size);
	struct l2tp_header l2tp = {0};
	struct dp_header h = {0};
	enum dp_header_result result = dp_header_read(&fast, &h);
	uint16_t protocol;

	l2tp_header_read(&slow, &l2tp);
	if (!reader_ok(&slow) || l2tp.control) {
		/* Control messages have rules of their own in the engine; here they only have to be told apart. */
		MUST(result != DP_HEADER_OK || h.control || l2tp.control == h.control);
		return 0;
	}
	protocol = ppp_frame_read(&slow);
	if (result == DP_HEADER_OK && !h.control && !h.protocol) {
		MUST(!reader_ok(&slow)); /* reserved: the engine is to refuse it, and gets it */
		return 0;
	}
	MUST(reader_ok(&slow) == (result == DP_HEADER_OK));
	if (result != DP_HEADER_OK)
		return 0;
	MUST(!h.control && h.tunnel == l2tp.tunnel_id && h.session == l2tp.session_id);
	MUST(h.protocol == protocol);
	MUST(fast.pos == slow.pos && fast.end == slow.end);
	return 0;
}

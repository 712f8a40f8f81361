/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The role's part of a record in the state: whatever stands there, it is refused, or what came of it makes sense. (The engine's part: hub.) */
#include <stdlib.h>
#include <string.h>

#include "concentrator/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			abort();                                                                             \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record r;
	volatile uint8_t sum = 0;

	memset(&r, 0xa5, sizeof(r));
	if (record_read(reader_of(data, size), &r)) {
		CHECK(r.method == 0xa5);
		return 0;
	}
	CHECK(addr_size(r.peer.addr.family) && addr_size(r.local.addr.family));
	CHECK(reader_ok(&r.engine) && reader_left(&r.engine) == r.peek.len);
	for (size_t i = 0; i < r.peek.len; i++)
		sum ^= r.engine.pos[i];
	CHECK(memchr(r.user, 0, sizeof(r.user)));
	if (!r.why)
		CHECK(r.method < AUTH_METHODS && r.peek.resumable);
	(void)sum;
	return 0;
}

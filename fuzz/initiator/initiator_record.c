/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The role's part of a record in the state: whatever stands there, it is refused, or what came of it makes sense. (The engine's part: hub.) */
#include <stdlib.h>
#include <string.h>

#include "initiator/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			abort();                                                                             \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct initiator i = {.config = {.server_count = 2}};
	const char *why = "untouched";
	struct record r;

	if (!initiator_record_read(&i, reader_of(data, size), &r, &why))
		return 0;
	CHECK(addr_size(r.server.addr.family));
	CHECK(reader_ok(&r.engine) && reader_left(&r.engine) == r.peek.len);
	CHECK(!why || *why);
	if (why)
		return 0;
	CHECK(r.server_index < 2 && r.flags <= RECORD_FLAGS &&
		memchr(r.redirect.text, 0, sizeof(r.redirect.text)));
	for (unsigned n = 0; n < HELD_PREFIXES; n++)
		CHECK(prefix_is_none(&r.held[n].prefix) ||
			(r.held[n].prefix.addr.family == AF_INET6 && r.held[n].prefix.len <= 64));
	return 0;
}

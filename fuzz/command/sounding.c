/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sounding: the first byte's lowest bit chooses IPv4 or IPv6; the rest is an inner packet that may answer an echo request. */
#include <stdlib.h>

#include "command/sounding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t us[16] = {0xfe, 0x80, [15] = 1}, them[16] = {0xfe, 0x80, [15] = 2};
	struct sounding s;
	struct addr from, to;
	uint16_t best;

	if (!size)
		return 0;
	from = data[0] & 1 ? addr4(198, 51, 100, 7) : addr6_of(us);
	to = data[0] & 1 ? addr4(198, 51, 100, 1) : addr6_of(them);
	sounding_begin(&s, &from, &to, 0x1234, 1460);
	sounding_read(&s, data + 1, size - 1);
	best = sounding_best(&s);
	if (best > size - 1) /* a reply has the size that was asked for; bytes behind it are none of it */
		abort();
	return 0;
}

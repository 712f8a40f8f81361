/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Communities as text: every number has one that reads back; every text that is accepted has the same meaning when it is printed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/tunnel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void extended(uint64_t c)
{
	char text[48];
	uint64_t again;

	check(bgp_extended_community_parse(bgp_extended_community_print(c, text), &again) == 0 && again == c);
}

static void plain(uint32_t c)
{
	char text[24];
	uint32_t again;

	check(bgp_community_parse(bgp_community_print(c, text), &again) == 0 && again == c);
}

static void large(const uint32_t c[3])
{
	char text[36];
	uint32_t again[3];

	check(bgp_large_community_parse(bgp_large_community_print(c, text), again) == 0);
	check(memcmp(c, again, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);
	char text[64] = "";
	uint32_t c, l[3];
	uint64_t e;

	if (size < sizeof(text)) {
		if (size)
			memcpy(text, data, size);
		if (bgp_extended_community_parse(text, &e) == 0)
			extended(e);
		if (bgp_community_parse(text, &c) == 0)
			plain(c);
		if (bgp_large_community_parse(text, l) == 0)
			large(l);
	}
	extended(reader_u64(&r));
	plain(reader_u32(&r));
	return 0;
}

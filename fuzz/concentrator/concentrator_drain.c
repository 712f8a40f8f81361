/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A drain's record in the state: whatever stands there, it is refused, or it is a drain that could have been ordered, and is written as it was read. */
#include <stdlib.h>
#include <string.h>

#include "concentrator/drain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			abort();                                                                             \
	} while (0)

enum { NOW = 1000000 };

static void check(const struct drain *d)
{
	const struct drain_order *order = &d->order;

	CHECK(d->on && d->began <= d->ordered && d->ordered <= NOW);
	CHECK(order->rate >= 1 && order->rate <= DRAIN_RATE_MAX);
	CHECK(order->grace_ms <= (msec)DRAIN_GRACE_MAX * 1000 && (order->has_grace || !order->grace_ms));
	CHECK(order->target_count <= CONCENTRATOR_REDIRECTS_MAX);
	for (unsigned i = 0; i < order->target_count; i++)
		CHECK(addr_size(order->targets[i].addr.family) && order->targets[i].port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drain d = {.on = false}, again = {.on = false};
	uint8_t bytes[1024];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (drain_resume(&d, reader_of(data, size), NOW)) {
		CHECK(!d.on);
		return 0;
	}
	CHECK(drain_is_record(reader_of(data, size)));
	check(&d);
	drain_save(&d, &w);
	CHECK(writer_ok(&w) && !drain_resume(&again, reader_of(bytes, writer_len(&w)), NOW));
	CHECK(again.order.target_count == d.order.target_count && again.moved == d.moved);
	(void)drain_judge(&d, true, NOW);
	return 0;
}

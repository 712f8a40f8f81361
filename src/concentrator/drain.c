/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When who leaves: see drain.h. */
#include "concentrator/drain.h"

enum { ONE = 1000, LATE_MS = 200 }; /* who is asked that late still keeps the rate */

void drain_begin(struct drain *d, const struct drain_order *order, msec now)
{
	if (!d->on)
		*d = (struct drain){.on = true, .began = now, .credit = ONE};
	d->order = *order;
	d->ordered = d->counted = now;
}

void drain_end(struct drain *d)
{
	*d = (struct drain){.on = false};
}

msec drain_leave_at(const struct drain *d, bool has_target)
{
	if (!d->on)
		return MSEC_NEVER;
	if (d->order.has_grace)
		return d->ordered + d->order.grace_ms;
	return has_target ? d->ordered : MSEC_NEVER;
}

static void earn(struct drain *d, msec now)
{
	uint64_t most = ONE + (uint64_t)d->order.rate * LATE_MS;

	if (now <= d->counted)
		return;
	d->credit += (now - d->counted) * d->order.rate;
	if (d->credit > most)
		d->credit = most;
	d->counted = now;
}

enum drain_verdict drain_judge(struct drain *d, bool has_target, msec now)
{
	if (now < drain_leave_at(d, has_target))
		return DRAIN_STAYS;
	earn(d, now);
	if (d->credit < ONE)
		return DRAIN_WAITS;
	d->credit -= ONE;
	return DRAIN_GOES;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When who leaves: see drain.h. */
#include "concentrator/drain.h"

#include <errno.h>

#include "lib/record.h"

enum { ONE = 1000, LATE_MS = 200 }; /* who is asked that late still keeps the rate */
/* A softwire's record begins with its version instead, which will not come that far. */
enum { RECORD_KIND = 'D', RECORD_VERSION = 1, SECTION_DRAIN = 1, FLAG_GRACE = 1, FLAGS = 1 };

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

/* ---- for the next process ---- */

bool drain_is_record(struct reader r)
{
	return reader_u8(&r) == RECORD_KIND && reader_ok(&r);
}

void drain_save(const struct drain *d, struct writer *w)
{
	const struct drain_order *order = &d->order;
	size_t at;

	writer_u8(w, RECORD_KIND);
	writer_u8(w, RECORD_VERSION);
	at = record_begin(w, SECTION_DRAIN);
	writer_u8(w, order->has_grace ? FLAG_GRACE : 0);
	writer_u32(w, order->rate);
	writer_u64(w, order->has_grace ? order->grace_ms : 0);
	writer_u64(w, d->began);
	writer_u64(w, d->ordered);
	writer_u64(w, d->moved);
	writer_u64(w, d->closed);
	writer_u64(w, d->refused);
	writer_u8(w, (uint8_t)order->target_count);
	for (unsigned i = 0; i < order->target_count; i++) {
		record_put_addr(w, &order->targets[i].addr);
		writer_u16(w, order->targets[i].port);
	}
	record_end(w, at);
}

/* The same bounds as at the control socket. */
static void take_pace(struct reader *r, struct drain_order *ret)
{
	ret->has_grace = record_flags(r, FLAGS) & FLAG_GRACE;
	ret->rate = reader_u32(r);
	ret->grace_ms = reader_u64(r);
	if (!ret->rate || ret->rate > DRAIN_RATE_MAX)
		reader_fail(r, "rate out of range");
	if (ret->grace_ms > (ret->has_grace ? (msec)DRAIN_GRACE_MAX * 1000 : 0))
		reader_fail(r, "grace out of range");
}

static void take_targets(struct reader *r, struct drain_order *ret)
{
	ret->target_count = record_u8(r, 0, CONCENTRATOR_REDIRECTS_MAX);
	for (unsigned i = 0; i < ret->target_count && reader_ok(r); i++) {
		struct endpoint *e = &ret->targets[i];

		e->addr = record_addr(r);
		e->port = record_u16(r, 1, UINT16_MAX);
		if (!e->addr.family || addr_is_unspecified(&e->addr) || addr_is_multicast(&e->addr))
			reader_fail(r, "not the address of a concentrator");
	}
}

static uint64_t take_count(struct reader *r)
{
	uint64_t n = reader_u64(r);

	if (n > INT64_MAX) /* JSON could not say it */
		reader_fail(r, "count out of range");
	return n;
}

int drain_resume(struct drain *d, struct reader r, msec now)
{
	struct drain read = {.on = true, .counted = now, .credit = ONE};
	struct reader s;

	if (reader_u8(&r) != RECORD_KIND || reader_u8(&r) != RECORD_VERSION)
		return -EBADMSG;
	s = record_section(r, SECTION_DRAIN);
	take_pace(&s, &read.order);
	read.began = record_past(&s, now);
	read.ordered = record_past(&s, now);
	if (read.ordered < read.began)
		reader_fail(&s, "ordered before it began");
	read.moved = take_count(&s);
	read.closed = take_count(&s);
	read.refused = take_count(&s);
	take_targets(&s, &read.order);
	if (!reader_ok(&s))
		return -EBADMSG;
	*d = read;
	return 0;
}

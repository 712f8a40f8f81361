/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder of OPEN. What it accepts is sound, can be written, and reads the same again; what it refuses has a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void promises(const struct bgp_open *open)
{
	const struct bgp_capabilities *c = &open->capabilities;

	check(open->as && open->id && (!open->hold_time || open->hold_time >= 3));
	check(c->as4 || open->as <= UINT16_MAX);
	check(!(c->families >> BGP_FAMILIES) && !(c->preserved & ~c->graceful_families));
	check(c->restart_time < 4096 &&
		(c->graceful || !(c->graceful_families || c->restart_time || c->restarted)));
}

static void check_same(const struct bgp_open *a, const struct bgp_open *b)
{
	const struct bgp_capabilities *c = &a->capabilities, *d = &b->capabilities;

	check(a->as == b->as && a->hold_time == b->hold_time && a->id == b->id);
	/* Nothing but families that nobody knows here cannot be said again. */
	check(c->families == d->families || !c->families);
	check(c->extended_next_hop == d->extended_next_hop && c->as4 == d->as4 && c->refresh == d->refresh);
	check(c->enhanced_refresh == d->enhanced_refresh && c->extended_message == d->extended_message);
	check(c->graceful == d->graceful && c->restarted == d->restarted &&
		c->notification == d->notification);
	check(c->restart_time == d->restart_time && c->graceful_families == d->graceful_families);
	check(c->preserved == d->preserved && !d->unknown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_open open, again;
	struct bgp_error error = {0};
	struct bgp_header header;
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	if (size > BGP_MESSAGE_MAX - BGP_HEADER)
		return 0;
	if (bgp_open_read(reader_of(data, size), &open, &error)) {
		check((error.code == BGP_ERROR_OPEN || error.code == BGP_ERROR_HEADER) && error.reason[0]);
		return 0;
	}
	promises(&open);
	bgp_open_write(&w, &open);
	check(writer_ok(&w));
	check(bgp_header_read(buf, writer_len(&w), BGP_MESSAGE_MAX, &header, &error) == 1);
	check(header.type == BGP_OPEN && header.length == writer_len(&w));
	check(bgp_open_read(reader_of(buf + BGP_HEADER, writer_len(&w) - BGP_HEADER), &again, &error) == 0);
	check_same(&open, &again);
	return 0;
}

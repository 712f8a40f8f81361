/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has been counted of a row, for a process that goes on with it. */
#include <errno.h>

#include "dataplane/table.h"

static void put_family(const struct dp_family_counters *f, struct writer *w)
{
	writer_u64(w, f->rx_packets);
	writer_u64(w, f->rx_bytes);
	writer_u64(w, f->tx_packets);
	writer_u64(w, f->tx_bytes);
}

void dp_row_save_counters(const struct dp_row *row, struct writer *w)
{
	put_family(&row->v6, w);
	put_family(&row->v4, w);
	writer_u32(w, row->drop_spoofed);
	writer_u32(w, row->drop_too_big);
	writer_u32(w, row->drop_other);
}

static struct dp_family_counters take_family(struct reader *r)
{
	struct dp_family_counters f;

	f.rx_packets = reader_u64(r);
	f.rx_bytes = reader_u64(r);
	f.tx_packets = reader_u64(r);
	f.tx_bytes = reader_u64(r);
	return f;
}

int dp_row_resume_counters(struct dp_row *row, struct reader *r)
{
	struct dp_family_counters v6 = take_family(r), v4 = take_family(r);
	uint32_t spoofed = reader_u32(r), too_big = reader_u32(r), other = reader_u32(r);

	if (!reader_ok(r))
		return -EBADMSG;
	row->v6 = v6;
	row->v4 = v4;
	row->drop_spoofed = spoofed;
	row->drop_too_big = too_big;
	row->drop_other = other;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The victim's process crashes: all that is left is what it wrote when changed() was told. It must be the newest, and enough. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { ACTIVITY = 3 + 16 }; /* the section at the end that changes with every packet */

static void require(bool ok)
{
	if (!ok)
		abort();
}

void harness_save(struct harness_record *r, const struct softwire *s)
{
	struct writer w = writer_of(r->bytes, sizeof(r->bytes));

	if (softwire_is_initiator(s))
		softwire_si_save((const struct softwire_si *)s, &w);
	else
		softwire_sc_save((const struct softwire_sc *)s, &w);
	require(writer_ok(&w));
	r->len = writer_len(&w);
}

static bool is_resumable(const struct harness_record *r)
{
	struct softwire_peek peek;

	return r->len && !softwire_peek(reader_of(r->bytes, r->len), &peek) && peek.resumable;
}

static void check_newest(const struct harness_record *r, const struct softwire *s)
{
	static struct harness_record now;
	size_t len = r->len - (is_resumable(r) ? ACTIVITY : 0);

	harness_save(&now, s);
	require(now.len == r->len && memcmp(now.bytes, r->bytes, len) == 0);
}

bool harness_crash(struct harness_record *record, struct softwire *s, msec now)
{
	const struct softwire_config *c = s->config;
	struct softwire_si *si = (struct softwire_si *)s;
	struct reader r = reader_of(record->bytes, record->len);
	bool initiator = softwire_is_initiator(s);
	const struct dhcp6_binding *hint = initiator ? si->hint : NULL;
	const struct dhcp4_binding *hint4 = initiator ? si->hint4 : NULL;
	char why[SOFTWIRE_RESUME_WHY];

	check_newest(record, s);
	if (!is_resumable(record))
		return false;
	softwire_done(s);
	memset(s, 0, initiator ? sizeof(struct softwire_si) : sizeof(struct softwire_sc));
	if (initiator)
		require(!softwire_si_resume(si, c, &r, hint, hint4, now, why));
	else
		require(!softwire_sc_resume((struct softwire_sc *)s, c, &r, now, why));
	s->tracing = true;
	return true;
}
